"""Low rank: which patterns a width can reach."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.catalogue.grouped import KEYS, ROWS, WIDTH, a, i, j, k, l
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Cited,
    Delta,
    Eq,
    Exp,
    Illustration,
    Index,
    Log,
    Lt,
    Model,
    NearMiss,
    Rank,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    log,
    softmax,
)  # fmt: skip

B, C = Symbol("B", (ROWS, WIDTH)), Symbol("C", (KEYS, WIDTH))
P = Symbol("P", (ROWS, KEYS))
first = KEYS.index("1", fixed=True)
LOG_ODDS = Eq(Sum(a, B[i, a] * C[j, a]), Log(P[i, j]) - Log(P[i, first]))
ROOT = Size(WIDTH) ** HALF
OTHERS = Sort("other points")
x, y, z = (OTHERS.index(name) for name in "xyz")
one_a, i2 = WIDTH.index("a", fixed=True), ROWS.index("h")
P_first, P_other = Symbol("P_1", (ROWS,)), Symbol("P", (ROWS, OTHERS))


def dot(at: Index) -> Term:
    """The score ``q_i·k_at/√d``."""
    return Sum(a, B[i, a] * C[at, a]) / ROOT


def pattern(at: Index) -> Term:
    """The weight for these scores."""
    return softmax(dot, at, k)


def full_width(at: Index) -> Term:
    """The score at width n − 1: the query holds the log-odds of the row, key x is the x-th unit vector."""
    return Sum(y, (Log(P_other[i, y]) - Log(P_first[i])) * Delta(y, at))


UNREACHABLE = Rank(((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)), (Fraction(0), Fraction(0))), 2)

patterns_reachable_with_width_d = Theorem(
    name="patterns_reachable_with_width_d",
    family="grouped heads and low rank",
    level=3,
    statement=r"A positive pattern $P$ is $\operatorname{softmax}(QK^\top/\sqrt d)$ for some $Q, K$ of width $d$ if "
    r"and only if its log-odds $A_{ij} = \log(P_{ij}/P_{i1})$ have rank at most $d$. Width $n - 1$ reaches every "
    r"positive pattern; a smaller one does not if there are rows enough.",
    hypotheses=r"$P_{ij} > 0$ with rows that sum to 1; $Q$ and $K$ are free.",
    why="It is the exact form of the low-rank bottleneck: not the weights have a low rank, their log-odds have.",
    predict=r"With $d_k = 1$, can three queries attend to three keys in any pattern they like?",
    steps=(
        Step(
            "log-odds",
            Eq(
                Log(pattern(j)) - Log(pattern(first)),
                Sum(a, B[i, a] * (C[j, a] - C[first, a])) / ROOT,
            ),
            "normal form",
            r"If $P$ is such a softmax then its log-odds are $q_i\cdot(k_j - k_1)/\sqrt d$: a product of matrices "
            r"with inner dimension $d$.",
        ),
        Step(
            "rank at most d",
            Cited("rank of a product", "the log-odds have rank at most d"),
            "cited",
            "The rank of a product is at most its inner dimension.",
            using=("log-odds",),
        ),
        Step("factors", LOG_ODDS, "hypothesis", r"Now let the log-odds be such a product, $A = BC^\top$."),
        Step("positive", Lt(ZERO, P[i, j]), "hypothesis", "The pattern is positive,"),
        Step("rows", Eq(Sum(j, P[i, j]), ONE), "hypothesis", "and its rows sum to 1."),
        Step(
            "reached",
            Eq(softmax(lambda at: Sum(a, ROOT * B[i, a] * C[at, a]) / ROOT, j, k), P[i, j]),
            "normal form",
            r"Queries $\sqrt d\,B$ and keys $C$ have the scores $A$, and "
            r"$\frac{P_{ij}/P_{i1}}{\sum_k P_{ik}/P_{i1}} = P_{ij}$.",
            using=("factors", "positive", "rows"),
        ),
        Step(
            "width n − 1, first key",
            Eq(1 / (1 + Sum(z, Exp(full_width(z)))), P_first[i]),
            "normal form",
            r"At width $n - 1$: the first key is 0, the others are unit vectors, the query is the row of log-odds. "
            "The first weight is right,",
            given=(
                Lt(ZERO, P_first[i]),
                Lt(ZERO, P_other[i, x]),
                Eq(Sum(x, P_other[i, x]), 1 - P_first[i]),
            ),
        ),
        Step(
            "width n − 1, other keys",
            Eq(Exp(full_width(x)) / (1 + Sum(z, Exp(full_width(z)))), P_other[i, x]),
            "normal form",
            "and so are the others.",
            given=(
                Lt(ZERO, P_first[i]),
                Lt(ZERO, P_other[i, x]),
                Eq(Sum(x, P_other[i, x]), 1 - P_first[i]),
            ),
        ),
        Step(
            "out of reach",
            UNREACHABLE,
            "rank",
            r"Three rows over three keys with these log-odds are out of reach at $d = 1$; in general a unit matrix of "
            "$d + 1$ rows in the log-odds will do.",
        ),
    ),
    concludes=("log-odds", "rank at most d", "reached", "width n − 1, first key", "width n − 1, other keys"),
    near_miss=NearMiss(
        r"The pattern itself has rank at most $d$: at $d = 1$ the determinants of two rows and two keys vanish.",
        Eq(
            softmax(lambda at: B[i, one_a] * C[at, one_a], j, k)
            * softmax(lambda at: B[i2, one_a] * C[at, one_a], l, k),
            softmax(lambda at: B[i, one_a] * C[at, one_a], l, k)
            * softmax(lambda at: B[i2, one_a] * C[at, one_a], j, k),
        ),
        Model({ROWS: 2, KEYS: 2, WIDTH: 1}, {B: ((0,), (1,)), C: ((0,), (log(3),))}, {one_a: 0}),
    ),
    illustration=Illustration(
        r"$d = 1$, queries 0 and 1, keys 0 and $\log 3$: scores of rank 1, a pattern of rank 2.",
        Model({ROWS: 2, KEYS: 2, WIDTH: 1}, {B: ((0,), (1,)), C: ((0,), (log(3),))}),
        (("P", pattern(j)),),
    ),
    source="Bhojanapalli et al. 2020, theorem 1; Yang et al. 2018; as an equivalence: own",
    needs=("odds_ignore_other_keys",),
)

THEOREMS = (patterns_reachable_with_width_d,)
