"""Softmax halves distances: its Lipschitz constant, with a certificate."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Delta,
    Deriv,
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
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS = Sort("n")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
any_ = KEYS.index("•")  # the place of a symbol that a term is put for

s, t, u, w = (Symbol(name, (KEYS,)) for name in ("s", "t", "u", "w"))
p, x = Symbol("p", (KEYS,)), Symbol("x", (KEYS,))
h = scalar("h")
FAMILY = "rounding and conditioning"
NOTHING = {"certificate": ZERO}
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])


def variance(value: Symbol) -> Term:
    """The variance of values under the weights: Σ p x² − (Σ p x)²."""
    return Sum(i, p[i] * value[i] ** 2) - Sum(i, p[i] * value[i]) ** 2


def missing(value: Symbol) -> Term:
    """What a variance lacks to half of the sum of squares."""
    return HALF * Sum(i, (1 - 2 * p[i]) ** 2 * value[i] ** 2) + HALF * over(i, k)(
        (1 - Delta(i, k)) * p[i] * p[k] * (value[i] + value[k]) ** 2
    )


def moved(at: Index, by: Term) -> Term:
    """The weight after a step: softmax(t + by · w)."""
    return softmax(lambda n: t[n] + by * w[n], at, k)


def mixed(weight: Term, mean: Term) -> Term:
    """The bilinear form Σ_i u_i p_i (w_i − Σ p w)."""
    return Sum(i, u[i] * (weight * (w[i] - mean)))


BOUND = HALF * Sum(i, u[i] ** 2) + Fraction(1, 8) * Sum(i, w[i] ** 2)
MIXED = mixed(p[i], Sum(l, p[l] * w[l]))
ON_THE_WAY = mixed(moved(i, h), Sum(l, moved(l, h) * w[l]))


def left_over(by: Term, probe: Symbol | None = None) -> Term:
    """What the change of Σ u softmax(t + by · w) lacks to its bound."""
    return by * BOUND - Sum(i, u[i] * (moved(i, by) - moved(i, ZERO)))


def change(at: Index) -> Term:
    """The change of a weight: softmax(s) − softmax(t)."""
    return softmax(lambda n: s[n], at, k) - softmax(lambda n: t[n], at, k)


CHANGE = change(i)


def with_change(by: Term) -> Term:
    """``left_over`` at u = softmax(s) − softmax(t) and w = s − t."""

    def at(index: Index, step: Term) -> Term:
        return softmax(lambda n: t[n] + step * (s[n] - t[n]), index, k)

    bound = HALF * Sum(i, CHANGE**2) + Fraction(1, 8) * Sum(i, (s[i] - t[i]) ** 2)
    return by * bound - Sum(i, CHANGE * (at(i, by) - at(i, ZERO)))


ONE_ROW, OTHER_ROW = Symbol("p_s", (KEYS,)), Symbol("p_t", (KEYS,))
ROWS = (
    Eq(ONE_ROW[j], softmax(lambda n: s[n], j, k)),
    Eq(OTHER_ROW[j], softmax(lambda n: t[n], j, k)),
)
TANH = Exp(h) / (Exp(h) + Exp(-h)) - HALF

softmax_is_half_lipschitz = Theorem(
    name="softmax_is_half_lipschitz",
    family=FAMILY,
    level=3,
    statement=r"$\operatorname{Var}_p(x) \le \tfrac12\lVert x\rVert^2$ for all weights; hence "
    r"$\lVert\operatorname{softmax}(s) - \operatorname{softmax}(t)\rVert \le \tfrac12\lVert s - t\rVert$, and no "
    r"constant below $\tfrac12$ will do.",
    hypotheses="Real scores, any number of keys; Euclidean norms.",
    why="A sharp constant whose certificate fits on one line and holds for every number of keys.",
    predict="By how much can the vector of weights move if the vector of scores moves by 1?",
    steps=(
        Step(
            "variance",
            Le(variance(x), HALF * Sum(i, x[i] ** 2)),
            "certificate",
            r"What is missing is $\tfrac12\sum_i (1 - 2p_i)^2 x_i^2$ and, over pairs of different keys, "
            r"$\tfrac12 p_i p_k (x_i + x_k)^2$.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": missing(x)},
        ),
        Step(
            "bilinear",
            Le(MIXED, BOUND),
            "certificate",
            r"The Jacobian $J$ between two vectors: $u^{\top}Jw \le u^{\top}Ju + \tfrac14 w^{\top}Jw$, because "
            r"$(u - \tfrac12 w)^{\top}J(u - \tfrac12 w)$ is a variance; and each of these is at most half of a square.",
            given=(TOTAL, POSITIVE),
            hints={
                "certificate": missing(u)
                + Fraction(1, 4) * missing(w)
                + HALF * over(i, k)(p[i] * p[k] * (u[i] - HALF * w[i] - u[k] + HALF * w[k]) ** 2)
            },
        ),
        Step(
            "total",
            Eq(Sum(j, moved(j, h)), ONE),
            "normal form",
            r"Now walk from $t$ in direction $w$. Everywhere on the way the weights sum to 1,",
        ),
        Step("positive", Lt(ZERO, moved(j, h)), "certificate", r"and they are positive."),
        Step(
            "at these weights",
            Le(ON_THE_WAY, BOUND),
            "instance",
            "So the inequality holds with these weights,",
            using=("bilinear",),
            hints={"symbols": {p: ((any_,), moved(any_, h))}},
        ),
        Step(
            "on the way",
            Le(ON_THE_WAY, BOUND),
            "modus ponens",
            "without assuming anything.",
            using=("at these weights", "total", "positive"),
        ),
        Step(
            "slope",
            Le(ZERO, Deriv(left_over(h), h)),
            "certificate",
            r"It says that $\sum_i u_i \operatorname{softmax}(t + hw)_i$ grows by at most "
            r"$\tfrac12\lVert u\rVert^2 + \tfrac18\lVert w\rVert^2$ for each unit of $h$.",
            using=("on the way",),
            hints={"certificate": BOUND - ON_THE_WAY},
        ),
        Step("start", Le(ZERO, left_over(ZERO)), "certificate", r"At $h = 0$ nothing has moved.", hints=NOTHING),
        Step(
            "walk",
            Le(ZERO, left_over(h)),
            "increasing",
            r"What starts at 0 and never falls is not negative.",
            using=("start", "slope"),
            hints={"by": h, "at": ZERO},
        ),
        Step(
            "all the way",
            Le(ZERO, with_change(ONE)),
            "instance",
            r"Walk the whole way, $h = 1$ and $w = s - t$, and probe with $u = \operatorname{softmax}(s) - "
            r"\operatorname{softmax}(t)$.",
            using=("walk",),
            hints={"symbols": {h.symbol: ((), ONE), u: ((any_,), change(any_)), w: ((any_,), s[any_] - t[any_])}},
        ),
        Step("one", Le(ZERO, ONE), "certificate", r"And 1 is not negative."),
        Step(
            "arrived",
            Le(ZERO, with_change(ONE)),
            "modus ponens",
            "So nothing is assumed.",
            using=("all the way", "one"),
        ),
        Step(
            "quarter",
            Le(Sum(i, CHANGE**2), Fraction(1, 4) * Sum(i, (s[i] - t[i]) ** 2)),
            "certificate",
            r"$\lVert u\rVert^2 \le \tfrac12\lVert u\rVert^2 + \tfrac18\lVert w\rVert^2$, that is "
            r"$\lVert u\rVert^2 \le \tfrac14\lVert w\rVert^2$.",
            using=("arrived",),
            hints={"certificate": 2 * with_change(ONE)},
        ),
        Step(
            "half",
            Le(Sum(i, (ONE_ROW[i] - OTHER_ROW[i]) ** 2), Fraction(1, 4) * Sum(i, (s[i] - t[i]) ** 2)),
            "certificate",
            r"The same with names for the two rows of weights.",
            given=ROWS,
            using=("quarter",),
            hints={"certificate": Fraction(1, 4) * Sum(i, (s[i] - t[i]) ** 2) - Sum(i, CHANGE**2)},
        ),
        Step(
            "growth",
            Le(ZERO, Exp(2 * h) - 1 - 2 * h),
            "instance",
            r"It is sharp: use $e^{2h} \ge 1 + 2h$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), 2 * h)}},
        ),
        Step(
            "sharp",
            Le(h / (2 * (1 + h)), TANH),
            "certificate",
            r"Two keys, scores $(h, -h)$ instead of $(0, 0)$: both scores move by $h$, both weights by at least "
            r"$\tfrac12 h/(1 + h)$. For small $h$ that is as near to $\tfrac12 h$ as one likes.",
            given=(Le(ZERO, h),),
            using=("growth",),
            hints={"certificate": HALF * (Exp(2 * h) - 1 - 2 * h) / ((Exp(2 * h) + 1) * (1 + h))},
        ),
    ),
    concludes=("variance", "half", "sharp"),
    near_miss=NearMiss(
        r"The constant $\tfrac25$ is enough.",
        Le(Sum(i, CHANGE**2), Fraction(4, 25) * Sum(i, (s[i] - t[i]) ** 2)),
        Model({KEYS: 2}, {s: (log(2), -log(2)), t: (0, 0)}),
    ),
    illustration=Illustration(
        r"Scores $\log 2, -\log 2$ against $0, 0$.",
        Model({KEYS: 2}, {s: (log(2), -log(2)), t: (0, 0)}),
        (
            ("squared change of the weights", Sum(i, CHANGE**2)),
            ("a quarter of that of the scores", Fraction(1, 4) * Sum(i, (s[i] - t[i]) ** 2)),
        ),
    ),
    source="Gao & Pavel 2017 (constant 1); Nair 2025 (constant 1/2); the certificate: own",
    needs=("exponential_above_its_tangent",),
)

THEOREMS = (softmax_is_half_lipschitz,)
