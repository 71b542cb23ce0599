"""One head: where its output can lie, and how it moves with values and tokens."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    COORDINATES,
    KEYS,
    OTHERS,
    QUERIES,
    a,
    b,
    c,
    i,
    j,
    k,
    l,
    one,
    p,
    r,
    v,
    weight,
    x,
)  # fmt: skip
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Cited,
    Delta,
    Eq,
    Illustration,
    Index,
    Le,
    Lt,
    Model,
    NearMiss,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    over,
    scalar,
    softmax,
)  # fmt: skip

u = Symbol("u", (COORDINATES,))
M, m, λ, μ = (scalar(name) for name in ("M", "m", "λ", "μ"))
SUM_ONE, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])
OUTPUT = Sum(a, u[a] * Sum(j, p[j] * v[j, a]))


def along(at: Index) -> Term:
    """Return the component of a value along the direction ``u``."""
    return Sum(a, u[a] * v[at, a])


BELOW, ABOVE = Le(along(j), M), Le(m, along(j))
_SOFT = Sum(a, u[a] * Sum(j, weight(j) * v[j, a]))
output_in_value_hull = Theorem(
    name="output_in_value_hull",
    family="one head",
    level=1,
    statement=r"The output $o = \sum_j p_j v_j$ lies in the convex hull of the values: if $m \le u \cdot v_j \le M$ "
    r"for all keys, in some direction $u$, then $m \le u \cdot o \le M$. If one value stays below $M$, so does the "
    r"output.",
    hypotheses=r"$p_j > 0$ and $\sum_j p_j = 1$, as for softmax.",
    why="Attention averages: it cannot amplify, negate or extrapolate a value. Everything else that a layer does is "
    "done before, in the values, or after.",
    predict="All values have a third coordinate between 2 and 3. Can that of the output be 3.1?",
    steps=(
        Step(
            "upper",
            Le(OUTPUT, M),
            "certificate",
            r"As the weights sum to 1, $M - u \cdot o = \sum_j p_j (M - u \cdot v_j)$, and no term is negative.",
            given=(SUM_ONE, POSITIVE, BELOW),
            hints={"certificate": Sum(j, p[j] * (M - along(j)))},
        ),
        Step(
            "lower",
            Le(m, OUTPUT),
            "certificate",
            r"Likewise $u \cdot o - m = \sum_j p_j (u \cdot v_j - m)$.",
            given=(SUM_ONE, POSITIVE, ABOVE),
            hints={"certificate": Sum(j, p[j] * (along(j) - m))},
        ),
        Step(
            "strict",
            Lt(OUTPUT, M),
            "certificate",
            r"If $u \cdot v_1 < M$ for one key, its term is positive, since its weight is.",
            given=(SUM_ONE, POSITIVE, BELOW, Lt(along(one), M)),
            hints={
                "certificate": p[one] * (M - along(one)) + Sum(j, (1 - Delta(j, one)) * p[j] * (M - along(j))),
            },
        ),
        Step(
            "softmax, if",
            Le(_SOFT, M),
            "instance",
            r"Put the weights of softmax for $p$ …",
            using=("upper",),
            hints={"symbols": {p: ((l,), weight(l))}},
        ),
        Step(
            "softmax",
            Le(_SOFT, M),
            "modus ponens",
            r"… which are positive and sum to 1.",
            using=("softmax, if", "weights_form_a_distribution:sum", "weights_form_a_distribution:positive"),
        ),
    ),
    concludes=("upper", "lower", "strict", "softmax"),
    near_miss=NearMiss(
        r"The output is nowhere closer than to the value with the largest weight.",
        Le(
            (Sum(k, p[k] * v[k, a]) - v[one, a]) ** 2,
            (Sum(k, p[k] * v[k, a]) - v[j, a]) ** 2,
        ),
        Model(
            {KEYS: 3, COORDINATES: 1},
            {p: (Fraction(2, 5), Fraction(3, 10), Fraction(3, 10)), v: ((0,), (1,), (1,))},
            {one: 0},
        ),
        given=(SUM_ONE, POSITIVE, Le(p[j], p[one])),
    ),
    illustration=Illustration(
        r"Weights $\tfrac12, \tfrac13, \tfrac16$ of the values $2, 3, 2$.",
        Model(
            {KEYS: 3, COORDINATES: 1},
            {p: (HALF, Fraction(1, 3), Fraction(1, 6)), v: ((2,), (3,), (2,))},
        ),
        (("output", Sum(j, p[j] * v[j, a])),),
    ),
    source="folklore; cf. Richter & Wattenhofer 2020 (Normalized Attention Without Probability Cage)",
    needs=("weights_form_a_distribution",),
)

P = Symbol("P", (QUERIES, KEYS))
V2 = Symbol("v'", (KEYS, COORDINATES))
A, β = Symbol("A", (COORDINATES, COORDINATES)), Symbol("β", (COORDINATES,))
ROWS = Eq(Sum(j, P[r, j]), ONE)
S = Symbol("S", (QUERIES, KEYS))
_ROW = softmax(lambda key: S[r, key], j, k)
_MAPPED = Sum(b, v[j, b] * A[b, c]) + β[c]
affine_in_values = Theorem(
    name="affine_in_values",
    family="one head",
    level=1,
    statement=r"For fixed weights the output is linear in the values, and affine maps pass through: "
    r"$P(VA + \mathbf{1}\beta^\top) = (PV)A + \mathbf{1}\beta^\top$.",
    hypotheses=r"The rows of $P$ sum to 1.",
    why="A bias of the values comes straight out of the layer, constants are reproduced exactly, and the output matrix "
    "can be merged with the value matrix.",
    predict=r"Add the same vector $\beta$ to every value. What happens to every output?",
    steps=(
        Step(
            "linear",
            Eq(
                Sum(j, P[r, j] * (λ * v[j, c] + μ * V2[j, c])),
                λ * Sum(j, P[r, j] * v[j, c]) + μ * Sum(j, P[r, j] * V2[j, c]),
            ),
            "normal form",
            r"A sum of products is linear in either factor.",
        ),
        Step(
            "affine",
            Eq(Sum(j, P[r, j] * _MAPPED), Sum(b, Sum(j, P[r, j] * v[j, b]) * A[b, c]) + β[c]),
            "normal form",
            r"Exchange the sums over keys and coordinates; and $\sum_j P_{rj} \beta_c = \beta_c$.",
            given=(ROWS,),
        ),
        Step(
            "softmax",
            Eq(
                Sum(j, _ROW * _MAPPED),
                Sum(b, Sum(j, _ROW * v[j, b]) * A[b, c]) + β[c],
            ),
            "normal form",
            r"The rows of a softmax do sum to 1.",
        ),
    ),
    concludes=("linear", "affine", "softmax"),
    near_miss=NearMiss(
        r"The bias comes straight out whatever the rows of $P$ sum to.",
        Eq(Sum(j, P[r, j] * _MAPPED), Sum(b, Sum(j, P[r, j] * v[j, b]) * A[b, c]) + β[c]),
        Model(
            {QUERIES: 1, KEYS: 1, COORDINATES: 1},
            {P: ((2,),), v: ((0,),), A: ((0,),), β: (1,)},
        ),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$; with $A = 2$ and $\beta = 1$ the values become $1, 9$.",
        Model(
            {QUERIES: 1, KEYS: 2, COORDINATES: 1},
            {P: ((Fraction(1, 4), Fraction(3, 4)),), v: ((0,), (4,)), A: ((2,),), β: (1,)},
        ),
        (("before", Sum(j, P[r, j] * v[j, c])), ("after", Sum(j, P[r, j] * _MAPPED))),
    ),
    source="folklore; cf. Cordonnier et al. 2020 (Multi-Head Attention: Collaborate Instead of Concatenate)",
)

OTHER_VALUES = Symbol("v", (OTHERS, COORDINATES))
FIRST, SECOND, THIRD = scalar("e_1"), scalar("e_2"), Symbol("e", (OTHERS,))
VALUE1, VALUE2 = Symbol("v_1", (COORDINATES,)), Symbol("v_2", (COORDINATES,))
EXPONENTIALS = (Lt(ZERO, FIRST), Lt(ZERO, SECOND), Lt(ZERO, THIRD[x]))
Π, W, W2 = (Symbol(name, (KEYS, KEYS)) for name in ("Π", "P", "P'"))
X = Symbol("X", (KEYS, COORDINATES))
g, h = KEYS.index("g"), KEYS.index("h")


def _two_and_others(first: tuple[Term, Symbol], second: tuple[Term, Symbol]) -> Term:
    """Return the output over two keys, each its exponential and its value, in this order, and others."""
    above = first[0] * first[1][c] + second[0] * second[1][c] + Sum(x, THIRD[x] * OTHER_VALUES[x, c])
    return above / (first[0] + second[0] + Sum(x, THIRD[x]))


_ONE_THREE = Model(
    {OTHERS: 0, COORDINATES: 1},
    {FIRST.symbol: 1, SECOND.symbol: 3, THIRD: (), VALUE1: (0,), VALUE2: (1,), OTHER_VALUES: ()},
)
CARRIED = Eq(W2[i, j], over(g, h)(Π[i, g] * W[g, h] * Π[j, h]))
permutation_symmetries = Theorem(
    name="permutation_symmetries",
    family="one head",
    level=1,
    statement=r"The order of the keys, each with its value, is invisible; the order of the queries is carried along. "
    r"So self-attention without positions is equivariant: $\operatorname{SA}(\Pi X) = \Pi \operatorname{SA}(X)$ for "
    r"every permutation matrix $\Pi$.",
    hypotheses="No mask and no positions; keys and values are permuted in the same way.",
    why="In one line, why position information must be added. The right word is *equivariant*: the outputs move with "
    "the tokens, they are not all the same.",
    predict="Swap two tokens of a sentence. Does the output of a third token change?",
    steps=(
        Step(
            "two keys",
            Eq(_two_and_others((FIRST, VALUE1), (SECOND, VALUE2)), _two_and_others((SECOND, VALUE2), (FIRST, VALUE1))),
            "normal form",
            r"For any query, let $e_1$, $e_2$ and $e_x$ be the exponentials of its scores with two keys and any "
            r"others. The two may swap places, with their values, since sums have no order.",
            given=EXPONENTIALS,
        ),
        Step(
            "all keys",
            Cited("adjacent transpositions", "no permutation of the keys, with their values, changes an output"),
            "cited",
            "Every permutation is a product of such swaps.",
            using=("two keys",),
        ),
        Step(
            "carried along",
            Eq(
                Sum(j, W2[i, j] * Sum(l, Π[j, l] * X[l, c])),
                Sum(g, Π[i, g] * Sum(h, W[g, h] * X[h, c])),
            ),
            "normal form",
            r"In self-attention the queries move along: each row of weights with its query, each column with its key, "
            r"$P' = \Pi P \Pi^\top$. Then $P' (\Pi X) = \Pi P \Pi^\top \Pi X = \Pi (PX)$.",
            given=(CARRIED, Eq(Sum(j, Π[j, h] * Π[j, l]), Delta(h, l))),
        ),
    ),
    concludes=("two keys", "all keys", "carried along"),
    near_miss=NearMiss(
        r"The keys may be permuted without their values.",
        Eq(_two_and_others((FIRST, VALUE1), (SECOND, VALUE2)), _two_and_others((SECOND, VALUE1), (FIRST, VALUE2))),
        _ONE_THREE,
        given=EXPONENTIALS,
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$ with the values $0, 1$, in either order.",
        _ONE_THREE,
        (
            ("one order", _two_and_others((FIRST, VALUE1), (SECOND, VALUE2))),
            ("the other", _two_and_others((SECOND, VALUE2), (FIRST, VALUE1))),
        ),
    ),
    source="Lee et al. 2019 (Set Transformer); Yun et al. 2020",
)

first = COORDINATES.index("1", fixed=True)

THEOREMS = (output_in_value_hull, affine_in_values, permutation_symmetries)
