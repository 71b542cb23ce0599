"""Gradients: the Jacobian of softmax is a covariance, and so is every gradient of attention."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Delta,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Log,
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
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS, ROWS, WIDTH, COLUMNS = Sort("n"), Sort("m"), Sort("d"), Sort("d_v")
OTHERS = Sort("n'", empty=True)
i, j, k, l = (KEYS.index(name) for name in "ijkl")
r, t = ROWS.index("r"), ROWS.index("t")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")
o = OTHERS.index("o")
TOP = KEYS.index("t", fixed=True)

s, p = Symbol("s", (KEYS,)), Symbol("p", (KEYS,), ("s",))
x = Symbol("x", (KEYS,))
R = scalar("R")

# Weights of one row, in four properties: what follows from them alone holds for every softmax.
WEIGHTS = Eq(p[j], softmax(lambda y: s[y], j, k))
TOTAL = Eq(Sum(j, p[j]), ONE)
POSITIVE = Lt(ZERO, p[j])
JACOBIAN = Eq(Deriv(p[i], s[l]), p[i] * (Delta(i, l) - p[l]))


def variance(weight: Symbol, value: Symbol) -> Term:
    """The variance of values under weights: Σ p x² − (Σ p x)²."""
    return Sum(i, weight[i] * value[i] ** 2) - Sum(i, weight[i] * value[i]) ** 2


def spread(weight: Symbol, value: Symbol) -> Term:
    """The variance as half of the mean squared difference of two draws."""
    return HALF * over(i, k)(weight[i] * weight[k] * (value[i] - value[k]) ** 2)


MEAN = Sum(i, p[i] * x[i])
FORM = over(i, k)(x[i] * (p[i] * (Delta(i, k) - p[k])) * x[k])

softmax_jacobian = Theorem(
    name="softmax_jacobian",
    family="gradients",
    level=2,
    statement=r"$\partial p_i/\partial s_l = p_i(\delta_{il} - p_l)$. This matrix $J$ is symmetric, its rows sum to 0, "
    r"and $x^{\top}Jx$ is the variance of $x$ under the weights, $\tfrac12\sum_{i,k} p_i p_k (x_i - x_k)^2 \ge 0$; it "
    r"is 0 only if all $x_i$ are equal.",
    hypotheses=r"Real scores $s_j$ of at least one key, $p = \operatorname{softmax}(s)$.",
    why="Every gradient of attention starts here: the Jacobian of softmax is a covariance.",
    predict="Raise one score a little. Which weights go up, which go down, and what do the changes add up to?",
    steps=(
        Step(
            "jacobian",
            JACOBIAN,
            "normal form",
            r"The rule for quotients. The numerator $e^{s_i}$ depends on $s_l$ only if $l = i$; the denominator always "
            r"does.",
            given=(WEIGHTS,),
        ),
        Step("total", TOTAL, "normal form", r"The weights sum to $D/D = 1$.", given=(WEIGHTS,)),
        Step(
            "positive",
            POSITIVE,
            "certificate",
            "A quotient of positive numbers is positive.",
            given=(WEIGHTS,),
            hints={"certificate": softmax(lambda y: s[y], j, k)},
        ),
        Step(
            "rows",
            Eq(Sum(l, Deriv(p[i], s[l])), ZERO),
            "normal form",
            r"$\sum_l p_i(\delta_{il} - p_l) = p_i - p_i$: raise all scores alike, and nothing moves.",
            given=(WEIGHTS,),
        ),
        Step(
            "symmetric",
            Eq(Deriv(p[i], s[l]), Deriv(p[l], s[i])),
            "normal form",
            r"$p_i\delta_{il}$ is not 0 only where $i = l$, and $p_i p_l = p_l p_i$.",
            given=(WEIGHTS,),
        ),
        Step(
            "variance",
            Eq(FORM, variance(p, x)),
            "normal form",
            r"Multiply out; $\delta_{ik}$ leaves one sum, $\sum_i p_i x_i^2$.",
        ),
        Step(
            "pairs",
            Eq(FORM, spread(p, x)),
            "normal form",
            r"Expand $(x_i - x_k)^2$ and use $\sum_k p_k = 1$ in the two square terms.",
            given=(TOTAL,),
        ),
        Step(
            "nowhere negative",
            Le(ZERO, FORM),
            "certificate",
            "Weights are positive, squares are not negative.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": spread(p, x)},
        ),
        Step(
            "only constants",
            Le(p[j] * (x[j] - MEAN) ** 2, FORM),
            "certificate",
            r"The variance is a sum of terms $p_i(x_i - \bar x)^2$, and one of them is at most the whole. So if it is "
            r"0, every $x_j$ equals the mean $\bar x$.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": Sum(k, (1 - Delta(k, j)) * p[k] * (x[k] - MEAN) ** 2)},
        ),
        Step(
            "convex",
            Le(ZERO, FORM),
            "modus ponens",
            "The two properties used hold for softmax.",
            using=("nowhere negative", "total", "positive"),
        ),
    ),
    concludes=("jacobian", "rows", "symmetric", "pairs", "only constants", "convex"),
    near_miss=NearMiss(
        r"The Jacobian is positive *definite*: $x^{\top}Jx > 0$ unless $x = 0$.",
        Lt(ZERO, FORM),
        Model({KEYS: 2}, {s: (0, 0), p: (HALF, HALF), x: (1, 1)}),
        given=(WEIGHTS, Lt(ZERO, Sum(i, x[i] ** 2))),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2$.",
        Model({KEYS: 2}, {s: (0, log(2))}),
        (("p", softmax(lambda y: s[y], j, k)), ("∂p/∂s", Deriv(softmax(lambda y: s[y], i, k), s[l]))),
    ),
    source="Bridle 1990; Gao & Pavel 2017",
)

# Many rows: P[r,j] are the weights of row r, G the gradient that arrives at the output O = P V.
P, S = Symbol("P", (ROWS, KEYS), ("S", "Q", "K")), Symbol("S", (ROWS, KEYS), ("Q", "K"))
V, G = Symbol("V", (KEYS, COLUMNS)), Symbol("G", (ROWS, COLUMNS))
Q, K = Symbol("Q", (ROWS, WIDTH)), Symbol("K", (KEYS, WIDTH))
τ = scalar("τ")
ROW_WEIGHTS = Eq(P[r, j], softmax(lambda y: S[r, y], j, k))
ROW_JACOBIAN = Eq(Deriv(P[r, i], S[t, l]), Delta(r, t) * P[r, i] * (Delta(i, l) - P[r, l]))


def dP(row: Index, key: Index) -> Term:
    """The gradient that arrives at a weight: Σ_c G V."""
    return Sum(c, G[row, c] * V[key, c])


def output(row: Index, column: Index) -> Term:
    """An entry of the output: Σ_j P V."""
    return Sum(j, P[row, j] * V[j, column])


LOSS = over(r, c)(G[r, c] * output(r, c))


SCORES = Eq(S[r, j], τ * Sum(a, Q[r, a] * K[j, a]))


def dS(row: Index, key: Index) -> Term:
    """The gradient of a score: P (dP − Σ_c G O)."""
    return P[row, key] * (dP(row, key) - Sum(c, G[row, c] * output(row, c)))


attention_backward = Theorem(
    name="attention_backward",
    family="gradients",
    level=3,
    statement=r"Let $G$ be the gradient that arrives at $O = PV$, $P = \operatorname{softmax}(S)$, $S = \tau "
    r"QK^{\top}$. "
    r"Then $dV = P^{\top}G$, $dP = GV^{\top}$, $dS_{rk} = P_{rk}(dP_{rk} - \sum_c G_{rc}O_{rc})$, $dQ = \tau\,dS\,K$ "
    r"and $dK = \tau\,dS^{\top}Q$. With the logarithm $L_r$ of the denominator kept, $P_{rj} = e^{S_{rj} - L_r}$.",
    hypotheses=r"$G$ is held fixed, so that $\sum G_{rc}O_{rc}$ has the gradient of the loss; no sizes are fixed.",
    why="These are the lines of every training kernel, with the trick that lets it forget the matrix of weights: "
    "what a "
    "row of weights adds to the gradient is a dot product of the output and its gradient.",
    predict=r"The backward pass needs $\sum_j P_{rj}\,dP_{rj}$ for each row. Can you get it without the row of $P$?",
    steps=(
        Step(
            "dV",
            Eq(Deriv(LOSS, V[l, e]), Sum(r, P[r, l] * G[r, e])),
            "normal form",
            r"The output is linear in the values, and value $l$ enters row $r$ with factor $P_{rl}$.",
        ),
        Step(
            "jacobian",
            ROW_JACOBIAN,
            "normal form",
            r"The Jacobian of softmax in every row; scores of other rows do not enter, hence $\delta_{rt}$.",
            given=(ROW_WEIGHTS,),
        ),
        Step(
            "dS with rows",
            Eq(Deriv(LOSS, S[t, l]), P[t, l] * (dP(t, l) - Sum(j, P[t, j] * dP(t, j)))),
            "normal form",
            r"Insert the Jacobian: $\sum_i dP_{ti}\,P_{ti}(\delta_{il} - P_{tl})$.",
            given=(ROW_JACOBIAN,),
        ),
        Step(
            "row term",
            Eq(Sum(j, P[t, j] * dP(t, j)), Sum(c, G[t, c] * output(t, c))),
            "normal form",
            r"Exchange the sums over $j$ and $c$: the row of weights is needed no longer, only $G$ and $O$.",
        ),
        Step(
            "dS",
            Eq(Deriv(LOSS, S[t, l]), dS(t, l)),
            "normal form",
            "The two lines before, put together.",
            given=(ROW_JACOBIAN,),
        ),
        Step(
            "dS of softmax",
            Eq(Deriv(LOSS, S[t, l]), dS(t, l)),
            "modus ponens",
            "Softmax has this Jacobian.",
            using=("dS", "jacobian"),
        ),
        Step(
            "dQ",
            Eq(Deriv(LOSS, Q[t, b]), τ * Sum(l, dS(t, l) * K[l, b])),
            "normal form",
            r"The chain rule, all the way from the loss to a query: score $l$ of row $t$ grows by $\tau K_{lb}$.",
            given=(ROW_WEIGHTS, SCORES),
        ),
        Step(
            "dK",
            Eq(Deriv(LOSS, K[i, b]), τ * Sum(t, dS(t, i) * Q[t, b])),
            "normal form",
            r"A key is met by every row, so here the sum is over rows.",
            given=(ROW_WEIGHTS, SCORES),
        ),
        Step(
            "recomputed",
            Eq(Exp(S[r, j] - Log(Sum(k, Exp(S[r, k])))), softmax(lambda y: S[r, y], j, k)),
            "normal form",
            r"$e^{S - L} = e^{S}/e^{L}$: one number kept for each row gives its weights back.",
        ),
    ),
    concludes=("dV", "dS of softmax", "row term", "dQ", "dK", "recomputed"),
    near_miss=NearMiss(
        r"$dS = P \circ dP$, without the row term.",
        Eq(
            Deriv(over(r, c)(G[r, c] * Sum(j, softmax(lambda y: S[r, y], j, k) * V[j, c])), S[t, l]),
            softmax(lambda y: S[t, y], l, k) * dP(t, l),
        ),
        Model({KEYS: 2, ROWS: 1, COLUMNS: 1}, {S: ((0, 0),), V: ((1,), (1,)), G: ((1,),)}),
    ),
    illustration=Illustration(
        r"One row, scores $0, 0$, values $0, 4$, $G = 1$.",
        Model({KEYS: 2, ROWS: 1, COLUMNS: 1}, {S: ((0, 0),), P: ((HALF, HALF),), V: ((0,), (4,)), G: ((1,),)}),
        (
            ("dP", dP(t, l)),
            ("G · O", Sum(c, G[t, c] * output(t, c))),
            ("dS", dS(t, l)),
        ),
    ),
    source="Dao et al. 2022, appendix B.2; Dao 2023, section 3.1",
    needs=("softmax_jacobian",),
)

# One query against keys and values that do not depend on it.
q, kk = Symbol("q", (WIDTH,)), Symbol("k", (KEYS, WIDTH))
v = Symbol("v", (KEYS, COLUMNS))
w = Symbol("p", (KEYS,), ("q", "k", "τ"))
ASKED = Eq(w[j], softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l))
ASKED_TOTAL = Eq(Sum(j, w[j]), ONE)
BY_QUERY = Eq(Deriv(w[j], q[b]), τ * w[j] * (kk[j, b] - Sum(l, w[l] * kk[l, b])))
QUERY_GRADIENT = Deriv(Sum(j, w[j] * v[j, c]), q[b])

query_gradient_is_covariance = Theorem(
    name="query_gradient_is_covariance",
    family="gradients",
    level=3,
    statement=r"$\partial o_c/\partial q_b = \tau\operatorname{Cov}_p(v_c, k_b) = \tfrac{\tau}{2}\sum_{j,l} p_j p_l "
    r"(v_{jc} - v_{lc})(k_{jb} - k_{lb})$.",
    hypotheses=r"Keys and values do not depend on the query (cross-attention); scores $\tau\,q\cdot k_j$.",
    why="Without a spread of keys, or without a spread of values, the query has no gradient. Bounds on how strongly "
    "attention reacts are bounds of this covariance.",
    predict="All values in view are equal. How does the output react to the query?",
    steps=(
        Step(
            "weights",
            BY_QUERY,
            "normal form",
            r"The chain rule: score $j$ grows by $\tau k_{jb}$, and the Jacobian of softmax subtracts the mean.",
            given=(ASKED,),
        ),
        Step("total", ASKED_TOTAL, "normal form", "Weights sum to 1.", given=(ASKED,)),
        Step(
            "covariance",
            Eq(
                QUERY_GRADIENT,
                τ * (Sum(j, w[j] * v[j, c] * kk[j, b]) - Sum(j, w[j] * v[j, c]) * Sum(l, w[l] * kk[l, b])),
            ),
            "normal form",
            r"Insert this into $o_c = \sum_j p_j v_{jc}$: the mean of the product less the product of the means.",
            given=(BY_QUERY,),
        ),
        Step(
            "pairs",
            Eq(QUERY_GRADIENT, HALF * τ * over(j, l)(w[j] * w[l] * (v[j, c] - v[l, c]) * (kk[j, b] - kk[l, b]))),
            "normal form",
            r"Multiply the pairs out, and use $\sum_j p_j = 1$.",
            given=(BY_QUERY, ASKED_TOTAL),
        ),
        Step(
            "gradient",
            Eq(QUERY_GRADIENT, HALF * τ * over(j, l)(w[j] * w[l] * (v[j, c] - v[l, c]) * (kk[j, b] - kk[l, b]))),
            "modus ponens",
            "Softmax has both properties that were used.",
            using=("pairs", "weights", "total"),
        ),
        Step(
            "moments",
            Eq(
                QUERY_GRADIENT,
                τ * (Sum(j, w[j] * v[j, c] * kk[j, b]) - Sum(j, w[j] * v[j, c]) * Sum(l, w[l] * kk[l, b])),
            ),
            "modus ponens",
            "Likewise for the first form.",
            using=("covariance", "weights"),
        ),
    ),
    concludes=("gradient", "moments"),
    near_miss=NearMiss(
        r"The gradient is $\tau\sum_j p_j v_{jc} k_{jb}$, with no mean taken off.",
        Eq(
            Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), q[b]),
            τ * Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c] * kk[j, b]),
        ),
        Model({KEYS: 1, WIDTH: 1, COLUMNS: 1}, {q: (0,), kk: ((1,),), v: ((1,),), τ.symbol: 1}),
    ),
    illustration=Illustration(
        r"Query 0, keys $0, 2$, values $0, 3$, $\tau = 1$: both weights are $\tfrac12$.",
        Model({KEYS: 2, WIDTH: 1, COLUMNS: 1}, {q: (0,), kk: ((0,), (2,)), v: ((0,), (3,)), τ.symbol: 1}),
        (("∂o/∂q", Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), q[b])),),
    ),
    source="Kim, Papamakarios & Mnih 2021, section 3; Castin et al. 2024",
    needs=("softmax_jacobian",),
)

KEY_GRADIENT = Deriv(Sum(j, w[j] * v[j, c]), kk[i, b])
BY_KEY = Eq(Deriv(w[j], kk[i, b]), τ * q[b] * w[j] * (Delta(j, i) - w[i]))

key_gradient_points_along_the_query = Theorem(
    name="key_gradient_points_along_the_query",
    family="gradients",
    level=3,
    statement=r"$\partial o_c/\partial k_{ib} = \tau\,q_b\,p_i\,(v_{ic} - o_c)$: a key is only ever moved along the "
    r"query, by its weight, and by how far its value is from the output. Over all keys the gradients sum to 0.",
    hypotheses=r"Scores $\tau\,q\cdot k_j$; query and values do not depend on the keys.",
    why="One row moves every key along one and the same direction; keys of small weight, and keys that already say "
    "what "
    "the output says, are not moved at all.",
    predict="Two keys have the same weight, and the value of one is exactly the output. Which key is moved by "
    "training?",
    steps=(
        Step(
            "weights",
            BY_KEY,
            "normal form",
            r"Key $i$ enters score $i$ only, which grows by $\tau q_b$; the Jacobian of softmax does the rest.",
            given=(ASKED,),
        ),
        Step("total", ASKED_TOTAL, "normal form", "Weights sum to 1.", given=(ASKED,)),
        Step(
            "gradient given weights",
            Eq(KEY_GRADIENT, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))),
            "normal form",
            r"Insert this into $o_c = \sum_j p_j v_{jc}$.",
            given=(BY_KEY,),
        ),
        Step(
            "gradient",
            Eq(KEY_GRADIENT, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))),
            "modus ponens",
            "Softmax has this derivative.",
            using=("gradient given weights", "weights"),
        ),
        Step(
            "no drift",
            Eq(Sum(i, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))), ZERO),
            "normal form",
            r"$\sum_i p_i v_{ic} - o_c\sum_i p_i = 0$: to add one vector to all keys changes nothing.",
            given=(ASKED_TOTAL,),
        ),
    ),
    concludes=("gradient", "no drift"),
    near_miss=NearMiss(
        r"The key with the largest weight has the largest gradient: it is at least that of any other.",
        Le(w[k] * Abs(v[k, c] - Sum(j, w[j] * v[j, c])), w[TOP] * Abs(v[TOP, c] - Sum(j, w[j] * v[j, c]))),
        Model(
            {KEYS: 3, COLUMNS: 1},
            {w: (HALF, HALF / 2, HALF / 2), v: ((0,), (1,), (-1,))},
            {TOP: 0},
        ),
        given=(ASKED_TOTAL, Le(w[k], w[TOP])),
    ),
    illustration=Illustration(
        r"Query 1, keys $0, 0$, values $0, 4$, $\tau = 1$.",
        Model({KEYS: 2, WIDTH: 1, COLUMNS: 1}, {q: (1,), kk: ((0,), (0,)), v: ((0,), (4,)), τ.symbol: 1}),
        (("∂o/∂k", Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), kk[i, b])),),
    ),
    source="folklore",
    needs=("softmax_jacobian",),
)

# The derivative by the scale: first and second.
z = Symbol("z", (KEYS,))
y = Symbol("y", (KEYS,))
β = scalar("β")
u = Symbol("p", (KEYS,), ("β",))
SCALED = Eq(u[j], softmax(lambda n: β * z[n], j, l))
SCALED_TOTAL = Eq(Sum(j, u[j]), ONE)
BY_SCALE = Eq(Deriv(u[j], β), u[j] * (z[j] - Sum(l, u[l] * z[l])))
OUT = Sum(j, u[j] * y[j])
MEAN_SCORE = Sum(l, u[l] * z[l])

scale_gradient_is_a_covariance = Theorem(
    name="scale_gradient_is_a_covariance",
    family="gradients",
    level=3,
    statement=r"With scores $\beta z_j$ and values $y_j$: $\partial o/\partial\beta = \operatorname{Cov}_p(z, y)$ and "
    r"$\partial^2 o/\partial\beta^2 = \sum_j p_j (z_j - \bar z)^2 (y_j - o)$. The mean score never falls: "
    r"$\partial\bar z/\partial\beta = \operatorname{Var}_p(z) \ge 0$.",
    hypotheses=r"Scores $z_j$ and values $y_j$ do not depend on $\beta$.",
    why="Tells what the scale $1/\\sqrt{d_k}$ or a temperature does to the output, to second order: it moves it "
    "towards values that go with large scores, and by nothing at all if scores and values are uncorrelated.",
    predict="Values and scores are uncorrelated under the weights. What does a slightly lower temperature change?",
    steps=(
        Step(
            "weights",
            BY_SCALE,
            "normal form",
            r"Score $j$ grows by $z_j$, and the Jacobian of softmax subtracts the mean.",
            given=(SCALED,),
        ),
        Step("total", SCALED_TOTAL, "normal form", "Weights sum to 1.", given=(SCALED,)),
        Step(
            "first",
            Eq(Deriv(OUT, β), Sum(j, u[j] * z[j] * y[j]) - MEAN_SCORE * OUT),
            "normal form",
            r"Insert this into $o = \sum_j p_j y_j$: a covariance.",
            given=(BY_SCALE,),
        ),
        Step(
            "second",
            Eq(Deriv(Deriv(OUT, β), β), Sum(j, u[j] * (z[j] - MEAN_SCORE) ** 2 * (y[j] - OUT))),
            "normal form",
            r"Differentiate once more; with $\sum_j p_j = 1$ the terms gather into a third central moment.",
            given=(BY_SCALE, SCALED_TOTAL),
        ),
        Step(
            "mean score",
            Eq(Deriv(MEAN_SCORE, β), HALF * over(i, k)(u[i] * u[k] * (z[i] - z[k]) ** 2)),
            "normal form",
            r"The same with the scores themselves in place of values, written over pairs.",
            given=(BY_SCALE, SCALED_TOTAL),
        ),
        Step(
            "never falls",
            Le(ZERO, Deriv(MEAN_SCORE, β)),
            "certificate",
            "Weights are positive, squares are not negative.",
            given=(BY_SCALE, SCALED_TOTAL, Lt(ZERO, u[j])),
            hints={"certificate": HALF * over(i, k)(u[i] * u[k] * (z[i] - z[k]) ** 2)},
        ),
        Step(
            "positive",
            Lt(ZERO, u[j]),
            "certificate",
            "Weights are positive.",
            given=(SCALED,),
            hints={"certificate": softmax(lambda n: β * z[n], j, l)},
        ),
        Step(
            "covariance",
            Eq(Deriv(OUT, β), Sum(j, u[j] * z[j] * y[j]) - MEAN_SCORE * OUT),
            "modus ponens",
            "Softmax has this derivative.",
            using=("first", "weights"),
        ),
        Step(
            "third moment",
            Eq(Deriv(Deriv(OUT, β), β), Sum(j, u[j] * (z[j] - MEAN_SCORE) ** 2 * (y[j] - OUT))),
            "modus ponens",
            "And its weights sum to 1.",
            using=("second", "weights", "total"),
        ),
        Step(
            "monotone",
            Le(ZERO, Deriv(MEAN_SCORE, β)),
            "modus ponens",
            "And they are positive.",
            using=("never falls", "weights", "total", "positive"),
        ),
    ),
    concludes=("covariance", "third moment", "monotone"),
    near_miss=NearMiss(
        r"Every mean grows with $\beta$, not only that of the scores: $\partial o/\partial\beta \ge 0$.",
        Le(ZERO, Deriv(Sum(j, softmax(lambda n: β * z[n], j, l) * y[j]), β)),
        Model({KEYS: 2}, {z: (0, 1), y: (1, 0), β.symbol: 0}),
    ),
    illustration=Illustration(
        r"Scores $0, 2$, values $0, 1$, at $\beta = 0$.",
        Model({KEYS: 2}, {z: (0, 2), y: (0, 1), β.symbol: 0}),
        (("∂o/∂β", Deriv(Sum(j, softmax(lambda n: β * z[n], j, l) * y[j]), β)),),
    ),
    source="folklore (moments of an exponential family)",
    needs=("softmax_jacobian",),
)

# One row, whose loss has the gradient h at the output.
h = Symbol("h", (COLUMNS,))
FIXED_KEY = KEYS.index("k", fixed=True)


def worth(key: Index) -> Term:
    """How far a value lies along the gradient: Σ_c h v."""
    return Sum(c, h[c] * v[key, c])


BASELINE = Sum(c, h[c] * Sum(j, p[j] * v[j, c]))
ROW_LOSS = Sum(c, h[c] * Sum(j, p[j] * v[j, c]))

score_gradient_is_an_advantage = Theorem(
    name="score_gradient_is_an_advantage",
    family="gradients",
    level=2,
    statement=r"Let $h$ be the gradient of the loss at the output $o$. Then $\partial L/\partial s_l = p_l\,\langle h, "
    r"v_l - o\rangle$, and these sum to 0. Descent raises the score of $l$ exactly if $v_l$ is better than the output: "
    r"$\langle h, v_l\rangle < \langle h, o\rangle$.",
    hypotheses=r"One row, $o = \sum_j p_j v_j$, $p = \operatorname{softmax}(s)$; $h$ is held fixed.",
    why="Training attention is a policy gradient with the output as its baseline: keys are promoted for beating the "
    "average.",
    predict=r"The output is already perfect, $h = 0$. Which scores still have a gradient?",
    steps=(
        Step(
            "given the jacobian",
            Eq(Deriv(ROW_LOSS, s[l]), p[l] * (worth(l) - BASELINE)),
            "normal form",
            r"Insert the Jacobian of softmax: $\sum_j \langle h, v_j\rangle\,p_j(\delta_{jl} - p_l)$.",
            given=(JACOBIAN,),
        ),
        Step(
            "advantage",
            Eq(Deriv(ROW_LOSS, s[l]), p[l] * (worth(l) - BASELINE)),
            "modus ponens",
            "Softmax has this Jacobian.",
            using=("given the jacobian", "softmax_jacobian:jacobian"),
        ),
        Step(
            "balance",
            Eq(Sum(l, p[l] * (worth(l) - BASELINE)), ZERO),
            "normal form",
            r"What is gained above the average is lost below it: $\sum_l p_l\langle h, v_l\rangle - \langle h, "
            r"o\rangle "
            r"= 0$.",
            given=(TOTAL,),
        ),
        Step(
            "better is raised",
            Lt(p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE), ZERO),
            "certificate",
            r"A positive weight times a positive advantage: the loss falls as the score grows.",
            given=(POSITIVE, Lt(worth(FIXED_KEY), BASELINE)),
            hints={"certificate": p[FIXED_KEY] * (BASELINE - worth(FIXED_KEY))},
        ),
        Step(
            "worse is lowered",
            Lt(ZERO, p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE)),
            "certificate",
            r"And the other way round.",
            given=(POSITIVE, Lt(BASELINE, worth(FIXED_KEY))),
            hints={"certificate": p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE)},
        ),
    ),
    concludes=("advantage", "balance", "better is raised", "worse is lowered"),
    near_miss=NearMiss(
        r"$\partial L/\partial s_l = p_l\langle h, v_l\rangle$, without the baseline.",
        Eq(
            Deriv(Sum(c, h[c] * Sum(j, softmax(lambda n: s[n], j, k) * v[j, c])), s[l]),
            softmax(lambda n: s[n], l, k) * worth(l),
        ),
        Model({KEYS: 1, COLUMNS: 1}, {s: (0,), v: ((1,),), h: (1,)}),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$, $h = 1$: the output 3 is too large.",
        Model({KEYS: 2, COLUMNS: 1}, {s: (0, log(3)), p: (HALF / 2, 3 * HALF / 2), v: ((0,), (4,)), h: (1,)}),
        (("gradient", p[l] * (worth(l) - BASELINE)),),
    ),
    source="Williams 1992 (baseline); own form",
    needs=("softmax_jacobian",),
)

# Saturation: the scores of the others lie at least Δ below the top score.
TRACE = Sum(i, p[i] * (1 - p[i]))
SQUARE = Sum(i, x[i] ** 2)
m, top, gap = Symbol("s", (OTHERS,)), scalar("s"), scalar("Δ")
X = Sum(o, Exp(m[o] - top))
REACH = Le(x[j] - x[k], R)
SCORE_GRADIENT = p[j] * (x[j] - Sum(k, p[k] * x[k]))

saturation_kills_gradient = Theorem(
    name="saturation_kills_gradient",
    family="gradients",
    level=3,
    statement=r"$x^{\top}Jx \le (1 - \sum_i p_i^2)\,\lVert x\rVert^2$, and $1 - \sum_i p_i^2 \le 2(1 - p_t)$ for every "
    r"key $t$. Each score's gradient $p_j(x_j - \sum_k p_k x_k)$ is at most $p_j(1 - p_j)$ times the range $R$ of the "
    r"incoming one. If the top score leads by $\Delta$, then $1 - p_t \le (n-1)e^{-\Delta}$.",
    hypotheses=r"$p = \operatorname{softmax}(s)$; the incoming gradient $x$ has range at most $R$; $n-1$ other keys.",
    why=r"The second half of the story of $\sqrt{d_k}$: large scores do not just sharpen attention, they switch its "
    "learning off, exponentially fast.",
    predict="The best score leads by 30. By what factor are the gradients of the scores damped?",
    steps=(
        Step(
            "trace",
            Eq(TRACE, 1 - Sum(i, p[i] ** 2)),
            "normal form",
            r"The diagonal of $J$ is $p_i(1 - p_i)$, and $\sum_i p_i = 1$.",
            given=(TOTAL,),
        ),
        Step(
            "form",
            Le(FORM, TRACE * SQUARE),
            "certificate",
            r"A quadratic form is at most its trace times the square. Written out: what is missing is a sum over pairs "
            r"of $p_i p_k (x_i + x_k)^2$, and a sum over three different keys of $p_j p_k x_i^2$.",
            given=(TOTAL, POSITIVE),
            hints={
                "certificate": over(i, j, k)(
                    (1 - Delta(i, j)) * (1 - Delta(i, k)) * (1 - Delta(j, k)) * p[j] * p[k] * x[i] ** 2
                )
                + HALF * over(i, k)((1 - Delta(i, k)) * p[i] * p[k] * (x[i] + x[k]) ** 2)
            },
        ),
        Step(
            "one square",
            Le(p[TOP] ** 2, Sum(i, p[i] ** 2)),
            "certificate",
            "One square is at most the sum of all.",
            hints={"certificate": Sum(i, (1 - Delta(i, TOP)) * p[i] ** 2)},
        ),
        Step(
            "twice",
            Le(1 - Sum(i, p[i] ** 2), 2 * (1 - p[TOP])),
            "certificate",
            r"$2(1 - p) - (1 - p^2) = (1 - p)^2$.",
            using=("one square",),
            hints={"certificate": (1 - p[TOP]) ** 2 + (Sum(i, p[i] ** 2) - p[TOP] ** 2)},
        ),
        Step(
            "upper",
            Le(SCORE_GRADIENT, p[j] * (1 - p[j]) * R),
            "certificate",
            r"$x_j - \sum_k p_k x_k = \sum_{k \ne j} p_k(x_j - x_k)$, and each difference is at most $R$.",
            given=(TOTAL, POSITIVE, REACH),
            hints={"certificate": p[j] * Sum(k, (1 - Delta(j, k)) * p[k] * (R - (x[j] - x[k])))},
        ),
        Step(
            "lower",
            Le(-SCORE_GRADIENT, p[j] * (1 - p[j]) * R),
            "certificate",
            r"The same with $x_k - x_j \le R$.",
            given=(TOTAL, POSITIVE, REACH),
            hints={"certificate": p[j] * Sum(k, (1 - Delta(j, k)) * p[k] * (R - (x[k] - x[j])))},
        ),
        Step(
            "each score",
            Le(Abs(SCORE_GRADIENT), p[j] * (1 - p[j]) * R),
            "magnitude",
            "Both signs are bounded, so the magnitude is.",
            using=("upper", "lower"),
        ),
        Step(
            "missing",
            Le(1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))), X),
            "certificate",
            r"With $X = \sum_o e^{s_o - s}$ over the other keys, $1 - p = X/(1 + X)$, and $X - X/(1 + X) = X^2/(1 + "
            r"X)$.",
            hints={"certificate": X**2 / (1 + X)},
        ),
        Step(
            "growth",
            Le(ZERO, Exp(top - m[o] - gap) - 1 - (top - m[o] - gap)),
            "instance",
            r"$e^{y} \ge 1 + y$, at $y = s - s_o - \Delta$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), top - m[o] - gap)}},
        ),
        Step(
            "each other",
            Le(Exp(m[o] - top), Exp(-gap)),
            "certificate",
            r"So a score that is lower by at least $\Delta$ has an exponential smaller by at least $e^{-\Delta}$.",
            given=(Le(m[o], top - gap),),
            using=("growth",),
            hints={
                "certificate": Exp(m[o] - top)
                * ((Exp(top - m[o] - gap) - 1 - (top - m[o] - gap)) + ((top - gap) - m[o]))
            },
        ),
        Step(
            "others",
            Le(X, Size(OTHERS) * Exp(-gap)),
            "certificate",
            r"Add this up over the $n - 1$ others.",
            using=("each other",),
            hints={"certificate": Sum(o, Exp(-gap) - Exp(m[o] - top))},
        ),
        Step(
            "lead",
            Le(1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))), Size(OTHERS) * Exp(-gap)),
            "certificate",
            "The two inequalities before, added.",
            using=("missing", "others"),
            hints={
                "certificate": (X - (1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))))) + (Size(OTHERS) * Exp(-gap) - X)
            },
        ),
    ),
    concludes=("form", "twice", "each score", "lead"),
    near_miss=NearMiss(
        r"$x^{\top}Jx \le (1 - p_t)^2\lVert x\rVert^2$ with the largest weight $p_t$.",
        Le(FORM, (1 - p[TOP]) ** 2 * SQUARE),
        Model({KEYS: 2}, {p: (HALF, HALF), x: (1, -1)}, {TOP: 0}),
        given=(TOTAL, POSITIVE, Le(p[j], p[TOP])),
    ),
    illustration=Illustration(
        r"Scores $\log 99, 0$: the weights are $\tfrac{99}{100}, \tfrac1{100}$.",
        Model({KEYS: 2}, {s: (log(99), 0)}),
        (("∂p/∂s", Deriv(softmax(lambda n: s[n], i, k), s[l])),),
    ),
    source="Vaswani et al. 2017, section 3.2.1; the certificate: own",
    needs=("softmax_jacobian", "exponential_above_its_tangent"),
)

THEOREMS = (
    softmax_jacobian,
    attention_backward,
    query_gradient_is_covariance,
    key_gradient_points_along_the_query,
    scale_gradient_is_a_covariance,
    score_gradient_is_an_advantage,
    saturation_kills_gradient,
)
