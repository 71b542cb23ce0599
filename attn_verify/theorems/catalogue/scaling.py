"""Scores and their scale: where √d comes from, where it may be put, what of the matrices is seen."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    COORDINATES,
    HOLE,
    KEYS,
    QUERIES,
    a,
    b,
    c,
    i,
    j,
    r,
)  # fmt: skip
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Cited,
    Delta,
    Eq,
    Illustration,
    Lt,
    Model,
    NearMiss,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    over,
    scalar,
)  # fmt: skip  # fmt: skip

D = Size(COORDINATES)
Q, K = Symbol("Q", (QUERIES, COORDINATES)), Symbol("K", (KEYS, COORDINATES))
κ = scalar("c")
HERE, THERE = Sort("outcomes of q"), Sort("outcomes of k")
u, w = HERE.index("u"), THERE.index("w")
P, O = Symbol("P", (HERE,)), Symbol("P'", (THERE,))
ask, key = Symbol("q", (HERE, COORDINATES)), Symbol("k", (THERE, COORDINATES))
C, C2 = Symbol("A", (COORDINATES, COORDINATES)), Symbol("B", (COORDINATES, COORDINATES))
DOT = Sum(a, ask[u, a] * key[w, a])
ASK_COVARIANCE = Eq(C[a, b], Sum(u, P[u] * ask[u, a] * ask[u, b]))
KEY_COVARIANCE = Eq(C2[a, b], Sum(w, O[w] * key[w, a] * key[w, b]))
WHITE = (Eq(C[a, b], Delta(a, b)), Eq(C2[a, b], Delta(a, b)))
CENTRED = Eq(Sum(u, P[u] * ask[u, a]), ZERO)


def mean_of(value: Term) -> Term:
    """Return the expectation over independent outcomes of the query and of the key."""
    return over(u, w)(P[u] * O[w] * value)


_COINS = {
    P: (HALF, HALF),
    O: (HALF, HALF),
    ask: ((1, 1), (-1, -1)),
    key: ((1, 1), (-1, -1)),
}
dot_product_variance_is_a_trace = Theorem(
    name="dot_product_variance_is_a_trace",
    family="scores and scaling",
    level=2,
    statement=r"Let $q$ and $k$ be independent random vectors of mean 0 with the covariances $A$ and $B$. Then "
    r"$\mathbb{E}[q \cdot k] = 0$ and $\operatorname{Var}(q \cdot k) = \sum_{a,b} A_{ab} B_{ba} = "
    r"\operatorname{tr}(AB)$. If both covariances are the identity, this is $d$, and "
    r"$\operatorname{Var}(q \cdot k/\sqrt{d}) = 1$.",
    hypotheses=r"$q$ takes finitely many values, $q_u$ with probability $P_u$, and $k$ the values $k_w$ with $P'_w$, "
    r"independently; the mean of $q$ is 0 (that of $k$ need not be). The coordinates of a vector may depend on each "
    r"other.",
    why=r"This is the official reason for $\sqrt{d_k}$, with its hypotheses in the open: the trace shows when the "
    r"variance is not $d_k$.",
    predict=r"All coordinates of $q$ are one and the same coin, $\pm 1$, and so are all those of $k$. What is the "
    r"variance of $q \cdot k$ in $d$ dimensions?",
    steps=(
        Step(
            "mean",
            Eq(mean_of(DOT), ZERO),
            "normal form",
            r"By independence the mean of $q_a k_a$ is the product of the means, and that of $q_a$ is 0.",
            given=(CENTRED,),
        ),
        Step(
            "variance",
            Eq(mean_of(DOT**2), over(a, b)(C[a, b] * C2[b, a])),
            "normal form",
            r"Write the square as a double sum over $a$ and $b$. By independence the mean of $q_a q_b k_a k_b$ is "
            r"$A_{ab} B_{ab}$, and $B_{ab} = B_{ba}$.",
            given=(ASK_COVARIANCE, KEY_COVARIANCE),
        ),
        Step(
            "white",
            Eq(mean_of(DOT**2), D),
            "congruence",
            r"If both covariances are the identity, $\sum_{a,b} \delta_{ab} \delta_{ab} = d$.",
            given=WHITE,
            using=("variance",),
            hints={"hole": HOLE, "context": HOLE},
        ),
        Step(
            "scaled",
            Eq(mean_of((DOT / D**HALF) ** 2), ONE),
            "congruence",
            r"A factor $1/\sqrt{d}$ in the score is a factor $1/d$ in its variance.",
            given=WHITE,
            using=("white",),
            hints={"hole": HOLE, "context": HOLE / D},
        ),
        Step(
            "other distributions",
            Cited("linearity of expectation", "the same holds for all independent q and k with second moments"),
            "cited",
            "For distributions that are not finite, the sums over outcomes are expectations. This is not checked here.",
            using=("variance",),
        ),
    ),
    concludes=("mean", "variance", "white", "scaled"),
    near_miss=NearMiss(
        r"The variance is $d$ as soon as each coordinate of $q$ and $k$ has mean 0 and variance 1.",
        Eq(mean_of(DOT**2), D),
        Model({HERE: 2, THERE: 2, COORDINATES: 2}, _COINS),
        given=(
            CENTRED,
            Eq(Sum(u, P[u] * ask[u, a] ** 2), ONE),
            Eq(Sum(w, O[w] * key[w, a] ** 2), ONE),
        ),
    ),
    illustration=Illustration(
        r"Two dimensions, all coordinates equal to one coin: the variance is $4$, not $2$.",
        Model({HERE: 2, THERE: 2, COORDINATES: 2}, _COINS),
        ((r"$\mathbb{E}[q \cdot k]$", mean_of(DOT)), (r"$\operatorname{Var}(q \cdot k)$", mean_of(DOT**2))),
    ),
    source="Vaswani et al. 2017, section 3.2.1, footnote 4, for identity covariances; the trace is folklore",
)

PAD = Sort("e", empty=True)
e = PAD.index("x")
Q_PAD, K_PAD = Symbol("Q'", (QUERIES, PAD)), Symbol("K'", (KEYS, PAD))
DOTS = Sum(a, Q[r, a] * K[j, a])
PADDED = DOTS + Sum(e, Q_PAD[r, e] * K_PAD[j, e])
where_the_scale_lives = Theorem(
    name="where_the_scale_lives",
    family="scores and scaling",
    level=1,
    statement=r"For $c > 0$: $(cQ)K^\top = Q(cK)^\top = (\sqrt{c}\,Q)(\sqrt{c}\,K)^\top = c\,QK^\top$, but "
    r"$(cQ)(cK)^\top = c^2 QK^\top$. So $1/\sqrt{d}$ may stand on $Q$, on $W_Q$, on $K$, or as $d^{-1/4}$ on both. "
    r"Queries and keys that are padded with zeros keep their scores, as long as the scale stays $1/\sqrt{d}$.",
    hypotheses=r"$c > 0$; the padding of the queries is 0.",
    why="Four correct programs and two famous bugs look almost alike: scaling both sides, and taking the root of the "
    "padded width.",
    predict="A kernel pads a head of width 80 to 96. Of which width must it take the root?",
    steps=(
        Step(
            "on the queries",
            Eq(Sum(a, κ * Q[r, a] * K[j, a]), κ * DOTS),
            "normal form",
            r"A factor comes out of the sum over coordinates.",
        ),
        Step("on the keys", Eq(Sum(a, Q[r, a] * (κ * K[j, a])), κ * DOTS), "normal form", r"From the keys as well."),
        Step(
            "on both, as roots",
            Eq(Sum(a, κ**HALF * Q[r, a] * (κ**HALF * K[j, a])), κ * DOTS),
            "normal form",
            r"$\sqrt{c}\sqrt{c} = c$.",
            given=(Lt(ZERO, κ),),
        ),
        Step(
            "fourth roots",
            Eq(
                Sum(a, D ** Fraction(-1, 4) * Q[r, a] * (D ** Fraction(-1, 4) * K[j, a])),
                DOTS / D**HALF,
            ),
            "normal form",
            r"For $c = 1/\sqrt{d}$ this is $d^{-1/4}$ on both sides.",
        ),
        Step(
            "twice",
            Eq(Sum(a, κ * Q[r, a] * (κ * K[j, a])), κ**2 * DOTS),
            "normal form",
            r"Scaling both by $c$ gives $c^2$: with $c = 1/\sqrt{d}$ a scale of $1/d$, the first bug.",
        ),
        Step(
            "padding",
            Eq(PADDED / D**HALF, DOTS / D**HALF),
            "normal form",
            r"Each padded coordinate adds $0$ to the sum.",
            given=(Eq(Q_PAD[r, e], ZERO),),
        ),
    ),
    concludes=("on the queries", "on the keys", "on both, as roots", "fourth roots", "twice", "padding"),
    near_miss=NearMiss(
        r"The root of the *padded* width does as well.",
        Eq(PADDED / (D + Size(PAD)) ** HALF, DOTS / D**HALF),
        Model(
            {QUERIES: 1, KEYS: 1, COORDINATES: 1, PAD: 3},
            {Q: ((1,),), K: ((1,),), Q_PAD: ((0,) * 3,), K_PAD: ((0,) * 3,)},
        ),
        given=(Eq(Q_PAD[r, e], ZERO), Eq(K_PAD[j, e], ZERO)),
    ),
    illustration=Illustration(
        r"A query $(1, 1, 1, 1)$, a key $(1, 2, 3, 4)$.",
        Model({QUERIES: 1, KEYS: 1, COORDINATES: 4}, {Q: ((1, 1, 1, 1),), K: ((1, 2, 3, 4),)}),
        (
            (r"$q \cdot k/\sqrt{d}$", DOTS / D**HALF),
            ("scaled twice", Sum(a, Q[r, a] / D**HALF * (K[j, a] / D**HALF))),
        ),
    ),
    source="Vaswani et al. 2017, section 3.2.1; the rest is folklore of implementations",
)

WIDTH, INNER = Sort("w"), Sort("d_v")
f, h, o = WIDTH.index("f"), WIDTH.index("h"), WIDTH.index("o")
m, between, l = INNER.index("m"), INNER.index("e"), INNER.index("l")
X = Symbol("X", (KEYS, WIDTH))
W_Q, W_K = Symbol("W_Q", (WIDTH, COORDINATES)), Symbol("W_K", (WIDTH, COORDINATES))
W_V, W_O = Symbol("W_V", (WIDTH, INNER)), Symbol("W_O", (INNER, WIDTH))
G, G_INV = Symbol("G", (COORDINATES, COORDINATES)), Symbol("G'", (COORDINATES, COORDINATES))
H, H_INV = Symbol("H", (INNER, INNER)), Symbol("H'", (INNER, INNER))
A = Symbol("P", (KEYS, KEYS))
G_PAIR = Eq(Sum(b, G[a, b] * G_INV[b, c]), Delta(a, c))
H_PAIR = Eq(Sum(between, H[m, between] * H_INV[between, l]), Delta(m, l))
QK, OV = Sum(a, W_Q[f, a] * W_K[h, a]), Sum(m, W_V[f, m] * W_O[m, h])
two_circuits_and_gauge_freedom = Theorem(
    name="two_circuits_and_gauge_freedom",
    family="scores and scaling",
    level=2,
    statement=r"A self-attention head $\operatorname{softmax}\big(XW_Q W_K^\top X^\top/\sqrt{d}\big) XW_V W_O$ depends "
    r"on its four matrices only through the two products $W_Q W_K^\top$ and $W_V W_O$, whose ranks are at most $d$ "
    r"and $d_v$. For invertible $G$ and $H$ the matrices $W_Q G$, $W_K G^{-\top}$, $W_V H$, $H^{-1} W_O$ are the same "
    r"head.",
    hypotheses=r"$GG' = I$ and $HH' = I$ with $G' = G^{-1}$, $H' = H^{-1}$; the scale $1/\sqrt{d}$ stays.",
    why="Single coordinates of queries and keys have no meaning; only the two products have. It is the first lesson of "
    "reading a head: one circuit says where to look, the other what to copy.",
    predict=r"Two trained heads have completely different $W_Q$ and $W_K$. Can they be the same head?",
    steps=(
        Step(
            "where to look",
            Eq(
                Sum(a, Sum(f, X[i, f] * W_Q[f, a]) * Sum(h, X[j, h] * W_K[h, a])),
                over(f, h)(X[i, f] * QK * X[j, h]),
            ),
            "normal form",
            r"$(XW_Q)(XW_K)^\top = X (W_Q W_K^\top) X^\top$: the scores see the product only.",
        ),
        Step(
            "what to copy",
            Eq(
                Sum(m, Sum(j, A[i, j] * Sum(f, X[j, f] * W_V[f, m])) * W_O[m, h]),
                over(j, f)(A[i, j] * X[j, f] * OV),
            ),
            "normal form",
            r"$P(XW_V)W_O = PX(W_V W_O)$ for any weights $P$.",
        ),
        Step(
            "gauge of the scores",
            Eq(over(b)(Sum(a, W_Q[f, a] * G[a, b]) * Sum(c, W_K[h, c] * G_INV[b, c])), QK),
            "normal form",
            r"$(W_Q G)(W_K G^{-\top})^\top = W_Q G G^{-1} W_K^\top$, and $GG^{-1} = I$ goes away.",
            given=(G_PAIR,),
        ),
        Step(
            "gauge of the values",
            Eq(over(between)(Sum(m, W_V[f, m] * H[m, between]) * Sum(l, H_INV[between, l] * W_O[l, h])), OV),
            "normal form",
            r"$(W_V H)(H^{-1} W_O) = W_V W_O$, likewise.",
            given=(H_PAIR,),
        ),
        Step(
            "ranks",
            Cited("rank of a product", "rank(W_Q W_Kᵀ) ≤ d and rank(W_V W_O) ≤ d_v"),
            "cited",
            r"Each product is a sum of $d$, or $d_v$, matrices of the form column times row.",
        ),
    ),
    concludes=("where to look", "what to copy", "gauge of the scores", "gauge of the values", "ranks"),
    near_miss=NearMiss(
        r"$W_Q G$ and $W_K G$ are the same head for every invertible $G$ (true for orthogonal $G$ only).",
        Eq(over(b)(Sum(a, W_Q[f, a] * G[a, b]) * Sum(c, W_K[h, c] * G[c, b])), QK),
        Model(
            {WIDTH: 1, COORDINATES: 1},
            {W_Q: ((1,),), W_K: ((1,),), G: ((2,),), G_INV: ((HALF,),)},
        ),
        given=(G_PAIR,),
    ),
    illustration=Illustration(
        r"$W_Q = (1, 1)$, $W_K = (1, 2)$, and $G$ that doubles the first coordinate.",
        Model(
            {WIDTH: 1, COORDINATES: 2},
            {W_Q: ((1, 1),), W_K: ((1, 2),), G: ((2, 0), (0, 1)), G_INV: ((HALF, 0), (0, 1))},
        ),
        (
            (r"$W_Q W_K^\top$", QK),
            ("with G", over(b)(Sum(a, W_Q[f, a] * G[a, b]) * Sum(c, W_K[h, c] * G_INV[b, c]))),
        ),
    ),
    source="Elhage et al. 2021, A Mathematical Framework for Transformer Circuits",
)


THEOREMS = (dot_product_variance_is_a_trace, where_the_scale_lives, two_circuits_and_gauge_freedom)
