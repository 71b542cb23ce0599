"""The output as an average: nearest to the values, and computed group by group."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    COORDINATES,
    KEYS,
    c,
    exp_sum,
    j,
    k,
    p,
    s,
    v,
    weight,
)  # fmt: skip
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Delta,
    Eq,
    Exp,
    Illustration,
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
    softmax,
)  # fmt: skip

SUM_ONE = Eq(Sum(j, p[j]), ONE)
out = Symbol("o", (COORDINATES,))
point = Symbol("x", (COORDINATES,))
CENTRE = Eq(out[c], Sum(k, p[k] * v[k, c]))


def spread(at: Symbol) -> Term:
    """Return the mean squared distance of the values to a point."""
    return Sum(j, p[j] * Sum(c, (at[c] - v[j, c]) ** 2))


first = COORDINATES.index("1", fixed=True)
attention_is_least_squares = Theorem(
    name="attention_is_least_squares",
    family="one head",
    level=2,
    statement=r"$\sum_j p_j \|x - v_j\|^2 = \|x - o\|^2 + \sum_j p_j \|o - v_j\|^2$ for every $x$. So the output $o$ "
    r"is the one point with the least weighted squared distance to the values.",
    hypotheses=r"$\sum_j p_j = 1$.",
    why="Attention is the weighted centre of mass. What is left, the second term, is the spread of the values, which "
    "the head throws away.",
    predict="Which point is closest, on average, to the values that are seen with these weights?",
    steps=(
        Step(
            "parallel axes",
            Eq(spread(point), Sum(c, (point[c] - out[c]) ** 2) + spread(out)),
            "normal form",
            r"Expand both sides in every coordinate, with $o_c = \sum_k p_k v_{kc}$; the mixed terms cancel.",
            given=(CENTRE, SUM_ONE),
        ),
        Step(
            "least",
            Le(spread(out), spread(point)),
            "certificate",
            r"The first term is a sum of squares.",
            given=(CENTRE, SUM_ONE),
            hints={"certificate": Sum(c, (point[c] - out[c]) ** 2)},
        ),
        Step(
            "only there",
            Lt(spread(out), spread(point)),
            "certificate",
            r"If $x$ differs from $o$ in a coordinate, here called 1, that square is positive.",
            given=(CENTRE, SUM_ONE, Lt(ZERO, (point[first] - out[first]) ** 2)),
            hints={
                "certificate": (point[first] - out[first]) ** 2
                + Sum(c, (1 - Delta(c, first)) * (point[c] - out[c]) ** 2)
            },
        ),
    ),
    concludes=("parallel axes", "least", "only there"),
    near_miss=NearMiss(
        r"The same holds for the unweighted mean of the values in place of $o$.",
        Eq(spread(point), Sum(c, (point[c] - out[c]) ** 2) + spread(out)),
        Model(
            {KEYS: 2, COORDINATES: 1},
            {p: (Fraction(1, 4), Fraction(3, 4)), v: ((0,), (4,)), point: (0,), out: (2,)},
        ),
        given=(SUM_ONE, Eq(out[c], Sum(k, v[k, c]) / Size(KEYS))),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$; the output is $3$.",
        Model(
            {KEYS: 2, COORDINATES: 1},
            {p: (Fraction(1, 4), Fraction(3, 4)), v: ((0,), (4,)), point: (2,), out: (3,)},
        ),
        (("at the output", spread(out)), ("at 2", spread(point))),
    ),
    source="folklore (Huygens and Steiner: parallel axes); cf. Nadaraya 1964 and Watson 1964",
)

GROUPS = Sort("G")
f, e2 = GROUPS.index("f"), GROUPS.index("e")
member = Symbol("M", (KEYS, GROUPS))
total, centre, level = Symbol("D", (GROUPS,)), Symbol("o", (GROUPS, COORDINATES)), Symbol("L", (GROUPS,))
ONE_GROUP = Eq(Sum(f, member[j, f]), ONE)
TOTALS = Eq(total[f], Sum(j, member[j, f] * Exp(s[j])))
inside = Symbol("N", (GROUPS, COORDINATES))
INSIDE = Eq(inside[f, c], Sum(j, member[j, f] * Exp(s[j]) * v[j, c]))
CENTRES = Eq(centre[f, c], inside[f, c] / total[f])
ADD_UP = (Eq(Sum(f, total[f]), exp_sum()), Eq(Sum(f, inside[f, c]), Sum(j, Exp(s[j]) * v[j, c])))
LEVELS = Eq(level[f], Log(total[f]))
NOT_EMPTY = Lt(ZERO, total[f])
_GROUP_TOTAL = Sum(j, member[j, f] * Exp(s[j]))
attention_over_groups = Theorem(
    name="attention_over_groups",
    family="one head",
    level=2,
    statement=r"Divide the keys into groups. Attention over all keys is attention over the groups: each group stands "
    r"for one key, whose value is the output $o_f$ within the group and whose score is the log-sum-exp $L_f$ of its "
    r"scores, $o = \sum_f \operatorname{softmax}(L)_f\, o_f$.",
    hypotheses=r"$M_{jf} = 1$ if key $j$ belongs to group $f$, else 0; only $\sum_f M_{jf} = 1$ is used, and that no "
    r"group is empty. Groups may have any sizes.",
    why="Softmax can be computed in two levels without an error: first within blocks, pages, chunks or devices, then "
    "over them. Of each block one value and one number is needed, nothing else.",
    predict="Two devices each attend over their half of the keys. What must they send, besides their outputs?",
    steps=(
        Step(
            "denominators",
            ADD_UP[0],
            "normal form",
            r"Every key is in one group, so the sums $D_f$ of the groups add up to that of all keys.",
            given=(ONE_GROUP, TOTALS),
        ),
        Step(
            "numerators",
            ADD_UP[1],
            "normal form",
            r"So do the numerators $N_f$ of the groups.",
            given=(ONE_GROUP, INSIDE),
        ),
        Step(
            "weights of groups, if",
            Eq(softmax(lambda at: level[at], f, e2), total[f] / exp_sum()),
            "normal form",
            r"With $L_f = \log D_f$ the weight of a group is its share $D_f/D$ of the denominator.",
            given=(ADD_UP[0], LEVELS, NOT_EMPTY),
        ),
        Step(
            "output, if",
            Eq(Sum(f, softmax(lambda at: level[at], f, e2) * centre[f, c]), Sum(j, weight(j) * v[j, c])),
            "normal form",
            r"In $\frac{D_f}{D} \cdot \frac{N_f}{D_f}$ the group's own denominator cancels; sum over the groups.",
            given=(*ADD_UP, CENTRES, LEVELS, NOT_EMPTY),
        ),
        Step(
            "weights of groups",
            Eq(softmax(lambda at: level[at], f, e2), total[f] / exp_sum()),
            "modus ponens",
            r"Both with what was shown of the sums.",
            using=("weights of groups, if", "denominators"),
        ),
        Step(
            "output",
            Eq(Sum(f, softmax(lambda at: level[at], f, e2) * centre[f, c]), Sum(j, weight(j) * v[j, c])),
            "modus ponens",
            r"And this is the output over all keys.",
            using=("output, if", "denominators", "numerators"),
        ),
    ),
    concludes=("weights of groups", "output"),
    near_miss=NearMiss(
        r"The output is the plain mean of the outputs of the groups.",
        Eq(Sum(f, centre[f, c]) / Size(GROUPS), Sum(j, weight(j) * v[j, c])),
        Model(
            {KEYS: 3, GROUPS: 2, COORDINATES: 1},
            {
                s: (0, 0, 0),
                v: ((0,), (0,), (1,)),
                member: ((1, 0), (1, 0), (0, 1)),
                total: (2, 1),
                inside: ((0,), (1,)),
                centre: ((0,), (1,)),
            },
        ),
        given=(ONE_GROUP, TOTALS, INSIDE, CENTRES, NOT_EMPTY),
    ),
    illustration=Illustration(
        r"Three equal scores in groups of two and one, with the values $0, 0$ and $1$.",
        Model(
            {KEYS: 3, GROUPS: 2, COORDINATES: 1},
            {s: (0, 0, 0), v: ((0,), (0,), (1,)), member: ((1, 0), (1, 0), (0, 1))},
        ),
        (("weights of groups", _GROUP_TOTAL / exp_sum()), ("output", Sum(j, weight(j) * v[j, c]))),
    ),
    source="folklore (grouping property of softmax); used in FlashAttention, Dao et al. 2022",
)


THEOREMS = (attention_is_least_squares, attention_over_groups)
