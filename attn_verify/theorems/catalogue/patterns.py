"""Patterns of many heads: multiplied by a wide head, composed in depth, merged where equal."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    App,
    Eq,
    Exp,
    Illustration,
    Index,
    Log,
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
    softmax,
)  # fmt: skip

KEYS, HEADS, WIDTH = Sort("n"), Sort("h"), Sort("d")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
r = HEADS.index("r")
a, b, o = (WIDTH.index(name) for name in "abo")
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
    wide_head_multiplies_patterns,
    frozen_heads_compose,
    equal_patterns_merge,
)
