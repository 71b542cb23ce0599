"""Many heads: a sum of heads, what one wide head does instead, and what two heads can do that one cannot."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Absurd,
    App,
    Delta,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Num,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    Whole,
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS = Sort("n")
OTHERS = Sort("others", empty=True)
HEADS = Sort("h")
REST = Sort("other heads", empty=True)
WIDTH = Sort("d")
COLUMNS = Sort("columns")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
x = OTHERS.index("j")
r, t, u = (HEADS.index(name) for name in "rtu")
y = REST.index("y")
a, b, c, o = (WIDTH.index(name) for name in "abco")
m = COLUMNS.index("m")

# A head r gives H[r,i,c], and W[r,c,o] is its block of rows of W_O; place[m,r,c] is 1 where column m holds entry c of
# head r.
H, W = Symbol("H", (HEADS, KEYS, WIDTH)), Symbol("W", (HEADS, WIDTH, WIDTH))
H_other, W_other = Symbol("H", (REST, KEYS, WIDTH)), Symbol("W", (REST, WIDTH, WIDTH))
H_one, W_one = Symbol("H_0", (KEYS, WIDTH)), Symbol("W_0", (WIDTH, WIDTH))
place = Symbol("π", (COLUMNS, HEADS, WIDTH))
swap = Symbol("σ", (HEADS, HEADS))
ONE_PLACE = Eq(Sum(m, place[m, r, a] * place[m, t, b]), Delta(r, t) * Delta(a, b))
PERMUTED = Eq(Sum(u, swap[u, r] * swap[u, t]), Delta(r, t))
flat, head, entry, width = (scalar(name) for name in ("m", "r", "c", "d"))


def _concatenated(symbol: Symbol, row: Index | None, column: Index) -> Term:
    """An entry of the concatenation of H (or of the blocks W, stacked)."""
    body = symbol[r, row, c] if symbol is H and row is not None else symbol[r, c, o]
    return over(r, c)(place[column, r, c] * body)


concat_project_is_sum_of_heads = Theorem(
    name="concat_project_is_sum_of_heads",
    family="many heads",
    level=1,
    statement=r"$[H_1\,|\cdots|\,H_h]\,W_O = \sum_r H_r W_r$, where $W_r$ is the block of rows of $W_O$ that meets "
    r"head $r$. The order of the heads does not matter if the blocks are reordered with them, and a head whose block "
    r"is 0 is gone.",
    hypotheses=r"$W_O$ has one row for each column of the concatenation.",
    why="Concatenation is book-keeping; what the model sees is a sum. It is the first step of every head-by-head "
    "analysis.",
    predict="Does the order in which heads are concatenated matter?",
    steps=(
        Step(
            "places",
            ONE_PLACE,
            "hypothesis",
            r"Write $\pi_{mra} = 1$ where column $m$ of the concatenation is entry $a$ of head $r$, else 0. Every "
            r"entry has one column, and no two entries share one.",
        ),
        Step(
            "sum",
            Eq(Sum(m, _concatenated(H, i, m) * _concatenated(W, None, m)), Sum(r, Sum(c, H[r, i, c] * W[r, c, o]))),
            "normal form",
            "Left: the concatenation times the stacked blocks, column by column. Sum over the columns first; what is "
            "left are the pairs that share a head and an entry. Nothing was said about the order of the columns.",
            using=("places",),
        ),
        Step(
            "permutation",
            PERMUTED,
            "hypothesis",
            r"Let $\sigma$ be a permutation of the heads, as a matrix.",
        ),
        Step(
            "reordered",
            Eq(
                over(u, c)(Sum(r, swap[u, r] * H[r, i, c]) * Sum(r, swap[u, r] * W[r, c, o])),
                over(r, c)(H[r, i, c] * W[r, c, o]),
            ),
            "normal form",
            "Heads and blocks reordered alike: the same sum in another order.",
            using=("permutation",),
        ),
        Step(
            "removed",
            Eq(
                over(y, c)(H_other[y, i, c] * W_other[y, c, o]) + Sum(c, H_one[i, c] * W_one[c, o]),
                over(y, c)(H_other[y, i, c] * W_other[y, c, o]),
            ),
            "normal form",
            r"One head $H_0$ beside the others, with a block of zeros: its term is 0.",
            given=(Eq(W_one[c, o], ZERO),),
        ),
        Step(
            "head of a column",
            Eq(Whole("//", width * head + entry, width), head),
            "counted through",
            r"That column $m = rd + c$ with $0 \le c < d$ belongs to head $\lfloor m/d\rfloor$ is looked up in small "
            r"cases; the theorem itself does not use the numbering.",
            given=(Eq(Whole("//", entry, width), ZERO),),
            hints={"ranges": {head: range(8), width: range(1, 9), entry: range(8)}},
        ),
    ),
    concludes=("sum", "reordered", "removed"),
    near_miss=NearMiss(
        r"Heads may be concatenated in another order while $W_O$ stays as it is.",
        Eq(over(u, c)(Sum(r, swap[u, r] * H[r, i, c]) * W[u, c, o]), over(r, c)(H[r, i, c] * W[r, c, o])),
        Model({HEADS: 2, KEYS: 1, WIDTH: 1}, {swap: ((0, 1), (1, 0)), H: (((1,),), ((2,),)), W: (((1,),), ((0,),))}),
        given=(PERMUTED,),
    ),
    illustration=Illustration(
        r"Two heads of width 1 that give 1 and 2, blocks 3 and 5.",
        Model({HEADS: 2, KEYS: 1, WIDTH: 1}, {H: (((1,),), ((2,),)), W: (((3,),), ((5,),))}),
        (
            ("the layer", over(r, c)(H[r, i, c] * W[r, c, o])),
            ("of each head", Sum(c, H[r, i, c] * W[r, c, o])),
        ),
    ),
    source="Vaswani et al. 2017, section 3.2.2; Elhage et al. 2021",
)

q, K = Symbol("q", (HEADS, WIDTH)), Symbol("k", (KEYS, HEADS, WIDTH))
heads, d = Size(HEADS), Size(WIDTH)


def wide(at: Index) -> Term:
    """The score of a key for one head fed with all queries and keys side by side."""
    return over(r, a)(q[r, a] * K[at, r, a]) / (heads * d) ** Fraction(1, 2)


def narrow(at_head: Index, at: Index) -> Term:
    """The score of a key for one head of many."""
    return Sum(a, q[at_head, a] * K[at, at_head, a]) / d ** Fraction(1, 2)


def pattern(at_head: Index, at: Index) -> Term:
    """The weight of a key for one head of many."""
    return softmax(lambda n: narrow(at_head, n), at, l)


def together(at: Index) -> Term:
    """``exp(Σ_r log p_r / √h)``, the product of the patterns to the power 1/√h."""
    return Exp(Sum(r, Log(pattern(r, at))) / heads ** Fraction(1, 2))


ONE_WIDE = {q: ((1,), (1,), (1,), (1,)), K: (((log(3),),) * 4, ((0,),) * 4)}

wide_head_multiplies_patterns = Theorem(
    name="wide_head_multiplies_patterns",
    family="many heads",
    level=3,
    statement=r"Let $h$ heads of width $d$ have patterns $p^{(r)}$. One head of width $hd$, fed with all their "
    r"queries and keys side by side, has weights $p_j \propto \prod_r \big(p^{(r)}_j\big)^{1/\sqrt h}$: a product, an "
    r"AND of the heads.",
    hypotheses=r"The same numbers in queries and keys; scale $1/\sqrt d$ for the heads, $1/\sqrt{hd}$ for the wide "
    "one.",
    why="It answers why there are many heads and not one big one: a wide head cannot look at two places for two "
    "reasons, it looks where all reasons agree.",
    predict="One head looks left only, another right only. Where does the wide head look?",
    steps=(
        Step(
            "scores add",
            Eq(wide(j), Sum(r, narrow(r, j)) / heads ** Fraction(1, 2)),
            "normal form",
            r"The long dot product is the sum of the short ones, and $\sqrt{hd} = \sqrt h\sqrt d$.",
        ),
        Step(
            "weight and score",
            Eq(Log(pattern(r, j)), narrow(r, j) - Log(Sum(l, Exp(narrow(r, l))))),
            "normal form",
            r"The logarithm of a weight is its score minus a number that all keys of the head share.",
        ),
        Step(
            "product",
            Eq(softmax(wide, j, k), together(j) / Sum(k, together(k))),
            "normal form",
            r"The shared numbers cancel between numerator and denominator; an exponential of a sum of logarithms is a "
            r"product, $e^{\sum_r \log p_r/\sqrt h} = \prod_r p_r^{1/\sqrt h}$.",
        ),
    ),
    concludes=("product",),
    near_miss=NearMiss(
        "The wide head averages the patterns.",
        Eq(softmax(wide, j, k), Sum(r, pattern(r, j)) / heads),
        Model({KEYS: 2, HEADS: 4, WIDTH: 1}, ONE_WIDE),
    ),
    illustration=Illustration(
        r"Four heads with the pattern $(\tfrac34, \tfrac14)$: the wide head is surer than any of them.",
        Model({KEYS: 2, HEADS: 4, WIDTH: 1}, ONE_WIDE),
        (("each head", pattern(r, j)), ("the wide head", softmax(wide, j, k))),
    ),
    source="own; products of experts: Hinton 2002",
    needs=("odds_ignore_other_keys",),
)

# Scores s and read-outs w = u·v of two tokens that hold a bit each, and of others that hold none; for the bits x and y
# the read-out is R[x,y], and F[x,y] is the denominator times what R is above the threshold.
BITS = Sort("bits", natural=True)
zero, one = Index("", BITS, fixed=True), Index("", BITS, 1, fixed=True)
first_bit, second_bit = BITS.index("x", fixed=True), BITS.index("y", fixed=True)
any_first, any_second = BITS.index("x"), BITS.index("y")
s_1, s_2, w_1, w_2 = (Symbol(name, (BITS,)) for name in ("s_1", "s_2", "w_1", "w_2"))
s, w = Symbol("s", (OTHERS,)), Symbol("w", (OTHERS,))
R, F = Symbol("R", (BITS, BITS)), Symbol("F", (BITS, BITS))
theta = scalar("θ")


def total(x1: Index, x2: Index) -> Term:
    """The denominator of the row."""
    return Exp(s_1[x1]) + Exp(s_2[x2]) + Sum(x, Exp(s[x]))


def read(x1: Index, x2: Index) -> Term:
    """The read-out ``u·o`` of the row."""
    return (Exp(s_1[x1]) * w_1[x1] + Exp(s_2[x2]) * w_2[x2] + Sum(x, Exp(s[x]) * w[x])) / total(x1, x2)


HEAD = Eq(R[any_first, any_second], read(any_first, any_second))
ADDITIVE = Eq(
    F[any_first, any_second],
    Exp(s_1[any_first]) * (w_1[any_first] - theta)
    + Exp(s_2[any_second]) * (w_2[any_second] - theta)
    + Sum(x, Exp(s[x]) * (w[x] - theta)),
)


def _at(label: str, using: str, x1: Index, x2: Index, above: bool) -> Step:
    return Step(
        label,
        Lt(ZERO, F[x1, x2]) if above else Le(F[x1, x2], ZERO),
        "instance",
        f"So it is for the bits {x1.shift} and {x2.shift}.",
        using=(using,),
        hints={"indices": {first_bit: x1, second_bit: x2}},
    )


def two_heads(x1: int, x2: int) -> Term:
    """Heads with scores ``x·log 3`` and 0, values ``x``, and the output projection (1, −1)."""
    first, second = Exp(x1 * log(3)), Exp(x2 * log(3))
    return (first * x1 + second * x2) / (first + second) - (ONE * x1 + ONE * x2) / 2


def _witness(x1: int, x2: int, value: Fraction) -> Step:
    return Step(
        f"two heads at {x1}{x2}",
        Eq(two_heads(x1, x2), Num(value)),
        "normal form",
        f"Two heads for the bits {x1} and {x2}: $3^x$ weighs a token in the first, all tokens weigh the same in the "
        "second, and their outputs are subtracted.",
    )


one_head_cannot_xor_two_can = Theorem(
    name="one_head_cannot_xor_two_can",
    family="many heads",
    level=3,
    statement=r"Two tokens hold a bit each, any others hold none, and the query knows no bit. No softmax head, of any "
    r"width, has a linear read-out with $u\cdot o > \theta$ exactly where the bits differ. Two heads do: scores "
    r"$x\log 3$ and $0$, values $x$, $W_O = (1, -1)^\top$ give $0, \tfrac14, \tfrac14, 0$.",
    hypotheses="Score and value of a token are any functions of its place and its bit.",
    why="More heads buy something that no wider head can buy, and the proof has four lines.",
    predict="How many heads does the exclusive or of two bits need?",
    steps=(
        Step(
            "additive",
            Eq(total(first_bit, second_bit) * (R[first_bit, second_bit] - theta), F[first_bit, second_bit]),
            "normal form",
            r"Multiply what the read-out $R$ is above $\theta$ by the denominator and call it $F$: a term of the first "
            "bit, plus a term of the second, plus one of neither.",
            given=(HEAD, ADDITIVE),
        ),
        Step(
            "balance",
            Eq(F[zero, zero] + F[one, one], F[zero, one] + F[one, zero]),
            "normal form",
            "So equal bits and different bits give the same total.",
            given=(ADDITIVE,),
        ),
        Step(
            "yes",
            Lt(ZERO, F[first_bit, second_bit]),
            "certificate",
            r"The denominator is positive: where the read-out is above $\theta$, $F$ is positive.",
            given=(HEAD, ADDITIVE, Lt(theta, R[first_bit, second_bit])),
            hints={"certificate": total(first_bit, second_bit) * (R[first_bit, second_bit] - theta)},
        ),
        Step(
            "no",
            Le(F[first_bit, second_bit], ZERO),
            "certificate",
            r"Where it is at most $\theta$, $F$ is at most 0.",
            given=(HEAD, ADDITIVE, Le(R[first_bit, second_bit], theta)),
            hints={"certificate": total(first_bit, second_bit) * (theta - R[first_bit, second_bit])},
        ),
        _at("yes at 01", "yes", zero, one, above=True),
        _at("yes at 10", "yes", one, zero, above=True),
        _at("no at 00", "no", zero, zero, above=False),
        _at("no at 11", "no", one, one, above=False),
        Step(
            "above",
            Lt(ZERO, F[zero, one] + F[one, zero]),
            "certificate",
            "Two positive numbers.",
            using=("yes at 01", "yes at 10"),
            hints={"certificate": F[zero, one] + F[one, zero]},
        ),
        Step(
            "not above",
            Le(F[zero, one] + F[one, zero], ZERO),
            "certificate",
            r"By the balance, the same total is that of two numbers that are at most 0.",
            using=("no at 00", "no at 11"),
            hints={"certificate": -F[zero, zero] - F[one, one]},
        ),
        Step(
            "contradiction",
            Absurd(),
            "contradiction",
            "No head and no read-out do both.",
            using=("above", "not above"),
        ),
        _witness(0, 0, Fraction(0)),
        _witness(0, 1, Fraction(1, 4)),
        _witness(1, 0, Fraction(1, 4)),
        _witness(1, 1, Fraction(0)),
    ),
    concludes=("contradiction", "two heads at 00", "two heads at 01", "two heads at 10", "two heads at 11"),
    near_miss=NearMiss(
        r"AND is out of reach as well: what is at most $\theta$ for 00, 01 and 10 is so for 11.",
        Le(read(one, one), theta),
        Model(
            {OTHERS: 0},
            {s_1: (0, 0), s_2: (0, 0), w_1: (0, 1), w_2: (0, 1), s: (), w: (), theta.symbol: Fraction(3, 4)},
        ),
        given=tuple(Le(read(x1, x2), theta) for x1, x2 in ((zero, zero), (zero, one), (one, zero))),
    ),
    illustration=Illustration(
        "The two heads that compute the exclusive or.",
        Model(),
        tuple((f"{x1}{x2}", two_heads(x1, x2)) for x1 in (0, 1) for x2 in (0, 1)),
    ),
    source="own; with hard attention and for parity: Hahn 2020",
)

# Whole layers with patterns P and Q that are held fixed.
P, Q = Symbol("P", (KEYS, KEYS)), Symbol("Q", (KEYS, KEYS))
X = Symbol("X", (KEYS, WIDTH))
A, B = Symbol("A", (WIDTH, WIDTH)), Symbol("B", (WIDTH, WIDTH))


def layer(weights: Symbol, inner: Term, matrix: Symbol, at: Index, key: Index, summed: Index, out: Index) -> Term:
    """``Σ_key weights[at,key] Σ_summed inner[key,summed] matrix[summed,out]``."""
    return Sum(key, weights[at, key] * Sum(summed, inner * matrix[summed, out]))


frozen_heads_compose = Theorem(
    name="frozen_heads_compose",
    family="many heads",
    level=3,
    statement=r"With patterns held fixed, a head that reads another head is a head again: "
    r"$Q\,(P X A)\,B = (QP)\,X\,(AB)$. Its pattern is the product of the patterns, $QP$, whose rows sum to 1 as well; "
    r"with residual connections two layers are $X + PXA + QXB + (QP)X(AB)$.",
    hypotheses="Patterns that do not change with the input; one head a layer, no normalisation between them.",
    why="Attention-only transformers expand into paths, and every path is a virtual head.",
    predict="What is the pattern of a head that reads the output of another head?",
    steps=(
        Step(
            "virtual head",
            Eq(
                layer(Q, layer(P, X[k, a], A, j, k, a, b), B, i, j, b, o),
                Sum(k, Sum(j, Q[i, j] * P[j, k]) * Sum(a, X[k, a] * Sum(b, A[a, b] * B[b, o]))),
            ),
            "normal form",
            "Matrix products are sums of products of entries, and finite sums may be taken in any order.",
        ),
        Step("rows of P", Eq(Sum(k, P[j, k]), ONE), "hypothesis", "The weights of a row sum to 1."),
        Step("rows of Q", Eq(Sum(k, Q[j, k]), ONE), "hypothesis", "In the other layer as well."),
        Step(
            "rows of QP",
            Eq(Sum(k, Sum(j, Q[i, j] * P[j, k])), ONE),
            "normal form",
            r"Sum over $k$ first, then over $j$.",
            using=("rows of P", "rows of Q"),
        ),
        Step(
            "paths",
            Eq(
                X[i, o]
                + layer(P, X[k, a], A, i, k, a, o)
                + Sum(j, Q[i, j] * Sum(b, (X[j, b] + layer(P, X[k, a], A, j, k, a, b)) * B[b, o])),
                X[i, o]
                + layer(P, X[k, a], A, i, k, a, o)
                + layer(Q, X[k, a], B, i, k, a, o)
                + Sum(k, Sum(j, Q[i, j] * P[j, k]) * Sum(a, X[k, a] * Sum(b, A[a, b] * B[b, o]))),
            ),
            "normal form",
            "The second layer reads the sum of the input and the first head, so it splits in two terms.",
        ),
    ),
    concludes=("virtual head", "rows of QP", "paths"),
    near_miss=NearMiss(
        r"The order of the layers does not matter: $QP = PQ$.",
        Eq(Sum(j, Q[i, j] * P[j, k]), Sum(j, P[i, j] * Q[j, k])),
        Model({KEYS: 2}, {P: ((1, 0), (1, 0)), Q: ((0, 1), (0, 1))}),
        given=(Eq(Sum(k, P[j, k]), ONE), Eq(Sum(k, Q[j, k]), ONE)),
    ),
    illustration=Illustration(
        r"Two causal patterns over two tokens.",
        Model(
            {KEYS: 2},
            {P: ((1, 0), (Fraction(1, 2), Fraction(1, 2))), Q: ((1, 0), (Fraction(1, 4), Fraction(3, 4)))},
        ),
        (("QP", Sum(j, Q[i, j] * P[j, k])),),
    ),
    source="Elhage et al. 2021",
)

A_of, B_of = Symbol("A", (HEADS, WIDTH, WIDTH)), Symbol("B", (HEADS, WIDTH, WIDTH))
P_of = Symbol("P", (HEADS, KEYS, KEYS))


def heads_with(weights: App) -> Term:
    """``Σ_r weights X A_r B_r``."""
    return over(r, j)(weights * over(a, b)(X[j, a] * A_of[r, a, b] * B_of[r, b, o]))


equal_patterns_merge = Theorem(
    name="equal_patterns_merge",
    family="many heads",
    level=2,
    statement=r"Heads with the same weights $P$ are one head: $\sum_r P X A_r B_r = P X \big(\sum_r A_r B_r\big)$.",
    hypotheses=r"The same $P$ in all of these heads; $A_r = W_V$ and $B_r = W_O$ of head $r$.",
    why="Heads are worth the number of their different patterns.",
    predict="Two heads always look at the same place. How many heads are there?",
    steps=(
        Step(
            "same",
            Eq(P_of[r, i, j], P[i, j]),
            "hypothesis",
            "All heads have one pattern.",
        ),
        Step(
            "merged",
            Eq(
                heads_with(P_of[r, i, j]), Sum(j, P[i, j] * Sum(a, X[j, a] * over(r, b)(A_of[r, a, b] * B_of[r, b, o])))
            ),
            "normal form",
            r"The pattern does not depend on $r$, so the sum over heads moves inside, to the matrices.",
            using=("same",),
        ),
    ),
    concludes=("merged",),
    near_miss=NearMiss(
        "Heads with different patterns merge into one with the mean pattern.",
        Eq(
            heads_with(P_of[r, i, j]),
            Sum(j, Sum(r, P_of[r, i, j]) / heads * Sum(a, X[j, a] * over(r, b)(A_of[r, a, b] * B_of[r, b, o]))),
        ),
        Model(
            {KEYS: 2, HEADS: 2, WIDTH: 1},
            {
                P_of: (((1, 0), (1, 0)), ((0, 1), (0, 1))),
                X: ((1,), (0,)),
                A_of: (((1,),), ((0,),)),
                B_of: (((1,),), ((1,),)),
            },
        ),
    ),
    illustration=Illustration(
        "Two heads with one pattern, and matrices 2 and 3: the head with matrix 5.",
        Model(
            {KEYS: 2, HEADS: 2, WIDTH: 1},
            {
                P: ((1, 0), (Fraction(1, 2), Fraction(1, 2))),
                X: ((1,), (0,)),
                A_of: (((2,),), ((3,),)),
                B_of: (((1,),), ((1,),)),
            },
        ),
        (("both heads", heads_with(P[i, j])),),
    ),
    source="Elhage et al. 2021; Michel et al. 2019",
    needs=("concat_project_is_sum_of_heads",),
)

THEOREMS = (
    concat_project_is_sum_of_heads,
    wide_head_multiplies_patterns,
    one_head_cannot_xor_two_can,
    frozen_heads_compose,
    equal_patterns_merge,
)
