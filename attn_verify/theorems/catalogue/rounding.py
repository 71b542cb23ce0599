"""Rounding errors of sums."""

from __future__ import annotations

from collections.abc import Callable

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Eq,
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
)  # fmt: skip

KEYS = Sort("n")
j = KEYS.index("j")
p = Symbol("p", (KEYS,))
FAMILY = "rounding and conditioning"
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])

# Scores with an error of at most ε; values between m and M.
v = Symbol("v", (KEYS,))
M = scalar("M")

# Rounding scores after the maximum has been taken off.
η = scalar("u")

# A sum added up in floating point, one rounding for each product and one for each addition.
TIME = Sort("terms", natural=True)
f, now, later = TIME.index("h"), TIME.index("t", fixed=True), TIME.index("t")
zero = Index("", TIME)
U, C = Symbol("U", (TIME,)), Symbol("c", (TIME,))
Y, Z, SIZES = Symbol("ŷ", (TIME,)), Symbol("y", (TIME,)), Symbol("A", (TIME,))
d, n_ = Symbol("δ", (TIME,)), Symbol("η", (TIME,))
X = Symbol("x", (TIME,))
POWERS = (Eq(U[zero], ONE), Eq(U[f + 1], U[f] * (1 + η)))
UNIT = (Le(ZERO, η), Le(η, ONE))
SUMS = (
    Eq(Y[zero], X[zero] * (1 + d[zero])),
    Eq(Y[f + 1], (Y[f] + X[f + 1] * (1 + d[f + 1])) * (1 + n_[f + 1])),
    Eq(Z[zero], X[zero]),
    Eq(Z[f + 1], Z[f] + X[f + 1]),
    Eq(SIZES[zero], Abs(X[zero])),
    Eq(SIZES[f + 1], SIZES[f] + Abs(X[f + 1])),
)
RELATIVE = (Le(d[f], η), Le(-η, d[f]), Le(n_[f], η), Le(-η, n_[f]))


def error(at: Index) -> Term:
    """The error of the sum of the first terms."""
    return Y[at] - Z[at]


def margin(at: Index) -> Term:
    """((1 + u)^(t+1) − 1) · Σ|x|."""
    return (U[at + 1] - 1) * SIZES[at]


SMALL = Abs(X[now + 1])
BOTH = d[now + 1] + n_[now + 1] + d[now + 1] * n_[now + 1]
E, TWICE = margin(now), 2 * η + η**2


def bilinear(size: Term, value: Term, cap: Term, factor: Term, sign: int) -> Term:
    """size · cap − sign · value · factor, as a sum of products that are not negative."""
    return HALF * ((size - sign * value) * (cap + factor) + (size + sign * value) * (cap - factor))


def grown_margin(sign: int) -> Term:
    """The next margin less the next error, or plus it, as visible signs."""
    return (
        (E - sign * error(now)) * (1 + n_[now + 1])
        + E * (η - n_[now + 1])
        + bilinear(SIZES[now], Z[now], η, n_[now + 1], sign)
        + bilinear(SMALL, X[now + 1], TWICE, BOTH, sign)
        + (U[now] - 1) * (1 + η) ** 2 * SMALL
    )


def always(name: str, what: Callable[[Index], Term], gain: Callable[[Index], Term], why: str) -> tuple[Step, ...]:
    """The steps that a sum of terms that are not negative is never negative."""
    known = ("term above", "term below")
    return (
        Step(f"{name}, first", Le(ZERO, what(zero)), "certificate", f"{why} at first,", SUMS, known,
             {"certificate": gain(zero)}),
        Step(f"{name}, so far", Le(ZERO, what(now)), "hypothesis", "and if it holds up to a term,"),
        Step(f"{name}, next", Le(ZERO, what(now + 1)), "certificate", "then with the next term too.", SUMS,
             (f"{name}, so far", *known), {"certificate": what(now) + gain(now + 1)}),
        Step(name, Le(ZERO, what(later)), "induction", "Hence always.", (), (f"{name}, first", f"{name}, next"),
             {"at": now}),
    )  # fmt: skip


STEP_GIVEN = (*POWERS, *SUMS, *RELATIVE, *UNIT)
STEP_USES = (
    "smaller", "smaller still", "sizes", "sum above", "sum below", "term above", "term below",
    "two above", "two below", "one below", "rounding_factors_stay_below_gamma:powers",
)  # fmt: skip
GAMMA = C[now + 1] * η / (1 - C[now + 1] * η)
ROOM = Lt(C[now + 1] * η, ONE)
TWO_TERMS = Model(
    {TIME: 1},
    {X: (1, 1), d: (HALF, HALF), n_: (HALF, HALF), η.symbol: HALF, Y: (3 * HALF, 9 * HALF), Z: (1, 2), SIZES: (1, 2)},
)

weighted_sum_rounding = Theorem(
    name="weighted_sum_rounding",
    family=FAMILY,
    level=3,
    statement=r"Add $n$ products one after another in floating point, each multiplication and each addition with a "
    r"relative error of at most $u$. The error of the sum is at most $((1 + u)^n - 1)\sum_j|x_j|$, and if $nu < 1$ "
    r"that is at most $\gamma_n\sum_j|x_j|$ with $\gamma_n = nu/(1 - nu)$. For an average, $\sum_j p_j|v_j| \le "
    r"\max_j|v_j|$.",
    hypotheses=r"No overflow or underflow; $0 \le u \le 1$; the exact products $x_j = p_j v_j$ in any order.",
    why="Turns “floats are not exactly invariant to the order of keys” into a bound that a test can use.",
    predict="Two correct kernels add the keys up in different orders. How far apart may they be?",
    steps=(
        Step("term", Le(X[f], Abs(X[f])), "magnitude", r"A number is at most its magnitude,"),
        Step("minus term", Le(-X[f], Abs(X[f])), "magnitude", r"and so is its opposite."),
        Step("term above", Le(ZERO, Abs(X[f]) - X[f]), "certificate", "That is, $|x| - x$", using=("term",)),
        Step(
            "term below",
            Le(ZERO, Abs(X[f]) + X[f]),
            "certificate",
            "and $|x| + x$ are not negative.",
            using=("minus term",),
            hints={"certificate": Abs(X[f]) - -X[f]},
        ),
        *always("sizes", lambda at: SIZES[at], lambda at: Abs(X[at]), r"The sum $A$ of magnitudes is never negative:"),
        *always(
            "sum above", lambda at: SIZES[at] - Z[at], lambda at: Abs(X[at]) - X[at], r"The exact sum has $y \le A$:"
        ),
        *always("sum below", lambda at: SIZES[at] + Z[at], lambda at: Abs(X[at]) + X[at], r"And $-y \le A$:"),
        Step(
            "one below",
            Le(ZERO, 1 + n_[f]),
            "certificate",
            r"A factor $1 + \eta$ is not negative, as $u \le 1$.",
            given=(*RELATIVE, *UNIT),
            hints={"certificate": (n_[f] - -η) + (1 - η)},
        ),
        Step(
            "two above",
            Le(d[f] + n_[f] + d[f] * n_[f], TWICE),
            "certificate",
            r"Two roundings, $(1 + \delta)(1 + \eta) - 1$, are at most $(1 + u)^2 - 1$,",
            given=(*RELATIVE, *UNIT),
            using=("one below",),
            hints={"certificate": (η - d[f]) * (1 + n_[f]) + (1 + η) * (η - n_[f])},
        ),
        Step(
            "two below",
            Le(ZERO, TWICE + (d[f] + n_[f] + d[f] * n_[f])),
            "certificate",
            "with either sign.",
            given=(*RELATIVE, *UNIT),
            using=("one below",),
            hints={"certificate": (d[f] - -η) * (1 + n_[f]) + (n_[f] - -η) * (1 - η) + 2 * η**2},
        ),
        Step(
            "first error above",
            Le(error(zero), margin(zero)),
            "certificate",
            r"The first product is rounded once: $x\delta \le u|x|$,",
            given=STEP_GIVEN,
            using=("term above", "term below"),
            hints={
                "certificate": HALF
                * ((Abs(X[zero]) - X[zero]) * (η - -d[zero]) + (Abs(X[zero]) + X[zero]) * (η - d[zero]))
            },
        ),
        Step(
            "first error below",
            Le(-error(zero), margin(zero)),
            "certificate",
            r"and $-x\delta \le u|x|$,",
            given=STEP_GIVEN,
            using=("term above", "term below"),
            hints={
                "certificate": HALF
                * ((Abs(X[zero]) + X[zero]) * (η - -d[zero]) + (Abs(X[zero]) - X[zero]) * (η - d[zero]))
            },
        ),
        Step(
            "first error",
            Le(Abs(error(zero)), margin(zero)),
            "magnitude",
            r"so the claim holds for one term.",
            using=("first error above", "first error below"),
        ),
        Step(
            "error so far",
            Le(Abs(error(now)), margin(now)),
            "hypothesis",
            r"Let it hold for the first terms, $|\hat y - y| \le (U - 1)A$.",
        ),
        Step("error above", Le(error(now), Abs(error(now))), "magnitude", "The error is at most its magnitude,"),
        Step("error below", Le(-error(now), Abs(error(now))), "magnitude", "with either sign,"),
        Step(
            "smaller",
            Le(ZERO, margin(now) - error(now)),
            "certificate",
            "so it is at most the margin,",
            using=("error so far", "error above"),
            hints={"certificate": (margin(now) - Abs(error(now))) + (Abs(error(now)) - error(now))},
        ),
        Step(
            "smaller still",
            Le(ZERO, margin(now) + error(now)),
            "certificate",
            "with either sign.",
            using=("error so far", "error below"),
            hints={"certificate": (margin(now) - Abs(error(now))) + (Abs(error(now)) - -error(now))},
        ),
        Step(
            "next error above",
            Le(error(now + 1), margin(now + 1)),
            "certificate",
            r"The next sum is $(\hat y + x(1 + \delta))(1 + \eta)$. The old error grows by $1 + u$ at most, the old "
            r"sum adds $u|y|$, the new term $((1 + u)^2 - 1)|x|$,",
            given=STEP_GIVEN,
            using=STEP_USES,
            hints={"certificate": grown_margin(1)},
        ),
        Step(
            "next error below",
            Le(-error(now + 1), margin(now + 1)),
            "certificate",
            "with either sign,",
            given=STEP_GIVEN,
            using=STEP_USES,
            hints={"certificate": grown_margin(-1)},
        ),
        Step(
            "next error",
            Le(Abs(error(now + 1)), margin(now + 1)),
            "magnitude",
            r"which together is at most $(U(1 + u) - 1)(A + |x|)$.",
            using=("next error above", "next error below"),
        ),
        Step(
            "error",
            Le(Abs(error(later)), margin(later)),
            "induction",
            r"So the error of $t + 1$ terms is at most $((1 + u)^{t+1} - 1)\sum|x|$.",
            using=("first error", "next error"),
            hints={"at": now},
        ),
        Step(
            "bound",
            Le(Abs(error(now)), GAMMA * SIZES[now]),
            "certificate",
            r"So the error is at most $\gamma_n\sum_j|x_j|$.",
            given=(ROOM,),
            using=("rounding_factors_stay_below_gamma:gamma", "error", "sizes"),
            hints={"certificate": (margin(now) - Abs(error(now))) + (GAMMA - (U[now + 1] - 1)) * SIZES[now]},
        ),
        Step(
            "average",
            Le(Sum(j, p[j] * Abs(v[j])), M),
            "certificate",
            r"If the terms are $p_jv_j$ with weights that sum to 1, then $\sum_j p_j|v_j|$ is at most the largest "
            r"$|v_j|$.",
            given=(TOTAL, POSITIVE, Le(Abs(v[j]), M)),
            hints={"certificate": Sum(j, p[j] * (M - Abs(v[j])))},
        ),
    ),
    concludes=("error", "bound", "average"),
    near_miss=NearMiss(
        r"The roundings do not add up: $|\hat y - y| \le u\sum_j|x_j|$, as if there had been one.",
        Le(Abs(error(zero + 1)), η * SIZES[zero + 1]),
        TWO_TERMS,
        given=(*SUMS, *RELATIVE, *UNIT),
    ),
    illustration=Illustration(
        r"Two terms 1 and 1, $u = \tfrac12$, and every rounding goes up by as much as it may.",
        TWO_TERMS,
        (("computed", Y[zero + 1]), ("exact", Z[zero + 1]), ("margin", ((1 + η) ** 2 - 1) * SIZES[zero + 1])),
    ),
    source="Higham 2002, sections 3.1 and 4.2",
    needs=("rounding_factors_stay_below_gamma",),
)

THEOREMS = (weighted_sum_rounding,)
