"""How softmax makes rank out of scores of rank 1."""

from __future__ import annotations

from attn_verify.theorems.catalogue.grouped import KEYS, j, k, l
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Absurd,
    Cited,
    Delta,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    scalar,
    softmax,
)  # fmt: skip

# Scores x_i x_j of width 1 over one set of points.  E has ones on the diagonal and small other entries; row m of E maps
# u to 0, and u is largest in size at m.
X, u, E = Symbol("x", (KEYS,)), Symbol("u", (KEYS,)), Symbol("E", (KEYS, KEYS))
row, h = KEYS.index("i"), KEYS.index("h")
top = KEYS.index("m", fixed=True)
COLUMNS = Sort("columns", natural=True)
column = COLUMNS.index("c")
gap, spot = scalar("η"), Symbol("y", (COLUMNS,))
box = scalar("□")


def weight_of(at_row: Index, at: Index) -> Term:
    """The weight for the scores ``x_row x_at``."""
    return softmax(lambda at_key: X[at_row] * X[at_key], at, k)


def bump(at_row: Index, at: Index) -> Term:
    """``e^{−(x_row − x_at)²/2}``."""
    return Exp(-HALF * (X[at_row] - X[at]) ** 2)


def others_of(body: Term) -> Term:
    """The sum over all keys but ``m``."""
    return Sum(j, (1 - Delta(top, j)) * body)


KERNEL = Eq(Sum(j, weight_of(row, j) * (u[j] * Exp(-HALF * X[j] ** 2))), ZERO)
KERNEL_M = Eq(Sum(j, weight_of(top, j) * (u[j] * Exp(-HALF * X[j] ** 2))), ZERO)
OFF, OFF_ABS = others_of(E[top, j]), others_of(E[top, j] * Abs(u[j]))
BUMPS = {E: ((row, h), bump(row, h))}
SPREAD = Model({KEYS: 3}, {X: (-2, 0, 2)})

rank_one_scores_full_rank_weights = Theorem(
    name="rank_one_scores_full_rank_weights",
    family="grouped heads and low rank",
    level=3,
    statement=r"Let $d_k = 1$ and let the scores be $x_i x_j$, of rank 1. If the points are so far apart that "
    r"$\sum_{j\ne i} e^{-(x_i-x_j)^2/2} < 1$ for every $i$, the $n \times n$ weight matrix is invertible. So no "
    r"feature map of fewer than $n$ numbers has $e^{xy} = \phi(x)\cdot\psi(y)$ on these points. For scores $x_i y_c$ "
    r"with $y_c = c\eta$, $\eta \ne 0$, any different $x_i$ will do.",
    hypotheses=r"Any number of points. The last sentence leans on a cited rule, the number of roots of a polynomial.",
    why="Softmax makes rank out of nothing. That is why patterns are rich, and why exact softmax is no finite linear "
    "attention.",
    predict="Scores form a matrix of rank 1. What ranks can the weights have?",
    steps=(
        Step(
            "row",
            Eq(Sum(j, E[top, j] * u[j]), ZERO),
            "hypothesis",
            r"First a lemma. Let $E$ be any matrix, $m$ one of its rows and $u$ a vector that the row maps to 0.",
        ),
        Step("diagonal", Eq(E[top, top], ONE), "hypothesis", "Let it have 1 on the diagonal"),
        Step("entries", Le(ZERO, E[top, j]), "hypothesis", "and no negative entry,"),
        Step("far apart", Lt(OFF, ONE), "hypothesis", r"let the other entries of the row have a sum below 1,"),
        Step(
            "largest",
            Le(Abs(u[j]), Abs(u[top])),
            "hypothesis",
            r"and let $u_m$ be the entry of $u$ that is largest in size.",
        ),
        Step("up", Le(u[j], Abs(u[j])), "magnitude", r"A number is at most its size,"),
        Step("down", Le(-u[j], Abs(u[j])), "magnitude", r"and so is its negative."),
        Step(
            "one sign",
            Le(u[top], OFF_ABS),
            "certificate",
            r"As the row maps $u$ to 0, $u_m$ is minus the sum of the others, and at most the sum of their sizes;",
            using=("row", "diagonal", "entries", "down"),
            hints={"certificate": others_of(E[top, j] * (Abs(u[j]) - (-u[j])))},
        ),
        Step(
            "other sign",
            Le(-u[top], OFF_ABS),
            "certificate",
            r"so is $-u_m$,",
            using=("row", "diagonal", "entries", "up"),
            hints={"certificate": others_of(E[top, j] * (Abs(u[j]) - u[j]))},
        ),
        Step("size", Le(Abs(u[top]), OFF_ABS), "magnitude", r"and $|u_m|$.", using=("one sign", "other sign")),
        Step(
            "small",
            Le(OFF_ABS, OFF * Abs(u[top])),
            "certificate",
            r"None of the sizes is above $|u_m|$.",
            using=("entries", "largest"),
            hints={"certificate": others_of(E[top, j] * (Abs(u[top]) - Abs(u[j])))},
        ),
        Step(
            "at most 0",
            Le((1 - OFF) * Abs(u[top]), ZERO),
            "certificate",
            r"Together: $|u_m| \le |u_m| \sum_{j\ne m} E_{mj}$,",
            using=("size", "small"),
            hints={"certificate": (OFF_ABS - Abs(u[top])) + (OFF * Abs(u[top]) - OFF_ABS)},
        ),
        Step(
            "above 0",
            Lt(ZERO, (1 - OFF) * Abs(u[top])),
            "certificate",
            r"which cannot be if $u_m \ne 0$, as the sum is below 1.",
            given=(Lt(ZERO, u[top] ** 2),),
            using=("far apart",),
        ),
        Step(
            "lemma",
            Absurd(),
            "contradiction",
            r"So such a matrix maps no vector but 0 to 0.",
            using=("above 0", "at most 0"),
        ),
        Step(
            "for bumps",
            Absurd(),
            "instance",
            r"Use it for $E_{ij} = e^{-(x_i-x_j)^2/2}$.",
            using=("lemma",),
            hints={"symbols": BUMPS},
        ),
        Step("diagonal of bumps", Eq(bump(top, top), ONE), "normal form", r"On its diagonal is $e^0 = 1$,"),
        Step("entries of bumps", Le(ZERO, bump(top, j)), "certificate", r"no entry is negative,"),
        Step(
            "kernel",
            KERNEL,
            "hypothesis",
            r"and now suppose that the weights map a vector to 0. Write its entries as $u_j e^{-x_j^2/2}$.",
        ),
        Step(
            "kernel at m",
            KERNEL_M,
            "instance",
            r"In row $m$,",
            using=("kernel",),
            hints={"indices": {row: top}},
        ),
        Step(
            "row of bumps",
            Eq(Sum(j, bump(top, j) * u[j]), ZERO),
            "congruence",
            r"multiply by the denominator and by $e^{-x_m^2/2}$. As $x_mx_j - \frac{x_m^2}2 - \frac{x_j^2}2 = "
            r"-\frac{(x_m-x_j)^2}2$, it is a row of $E$.",
            using=("kernel at m",),
            hints={"hole": box, "context": box * Exp(-HALF * X[top] ** 2) * Sum(k, Exp(X[top] * X[k]))},
        ),
        Step(
            "invertible",
            Absurd(),
            "modus ponens",
            r"If $u$ is not 0, its largest entry is not. So no vector but 0 is mapped to 0: the weight matrix is "
            r"invertible.",
            using=("for bumps", "row of bumps", "diagonal of bumps", "entries of bumps"),
        ),
        Step(
            "no small feature map",
            Cited("rank and nullity", "fewer than n features would map some vector other than 0 to 0"),
            "cited",
            r"With $r < n$ features the matrix $e^{x_i x_j}$ is a product of an $n \times r$ and an $r \times n$ "
            r"matrix, and such a product is not invertible.",
            using=("invertible",),
        ),
        Step(
            "powers",
            Eq(Exp(X[row] * spot[column + 1]), Exp(X[row] * spot[column]) * Exp(X[row] * gap)),
            "normal form",
            r"Now for the scores $x_i y_c$ with columns $c = 0, \dots, n - 1$. With $y_{c+1} = y_c + \eta$ each "
            r"column is the one before times $t_i = e^{x_i\eta}$: the columns are the powers of $t_i$ (times "
            r"$e^{x_i y_0}$).",
            given=(Eq(spot[column + 1], spot[column] + gap),),
        ),
        Step(
            "different points",
            Cited("roots of a polynomial", "a combination of n columns that vanishes at n different points is zero"),
            "cited",
            r"A combination of $n$ columns that vanishes in $n$ rows is a polynomial in $t$ of degree below $n$ with "
            "$n$ roots.",
            using=("powers",),
        ),
    ),
    concludes=("invertible", "no small feature map", "different points"),
    near_miss=NearMiss(
        r"Scores of rank 1 give weights of rank 1: the determinants of two rows and two keys vanish.",
        Eq(weight_of(row, j) * weight_of(l, h), weight_of(row, h) * weight_of(l, j)),
        Model({KEYS: 2}, {X: (0, 1)}),
    ),
    illustration=Illustration(
        r"The points $-2, 0, 2$: other bumps of a row have a sum of at most $2e^{-2} = 0.27$.",
        SPREAD,
        (("weights", weight_of(row, j)), ("bumps", bump(row, j))),
    ),
    source=r"own, by a dominant diagonal; for $y_c = c\eta$: Vandermonde; cf. total positivity of $e^{xy}$, Karlin "
    "1968",
)

THEOREMS = (rank_one_scores_full_rank_weights,)
