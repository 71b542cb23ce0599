"""Rounding and conditioning: how far weights and outputs move if scores, weights or sums carry errors."""

from __future__ import annotations

from fractions import Fraction

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
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS = Sort("n")
OTHERS = Sort("n'", empty=True)
i, j, k, l = (KEYS.index(name) for name in "ijkl")
o = OTHERS.index("o")
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

# Scores with an error of at most ε; values between m and M.
δ, v = Symbol("δ", (KEYS,)), Symbol("v", (KEYS,))
m, M, ε, r = scalar("m"), scalar("M"), scalar("ε"), scalar("r")
a, b, A, B = scalar("a"), scalar("b"), scalar("a'"), scalar("b'")
LOW, HIGH = Le(m, v[j]), Le(v[j], M)
y = Symbol("y", (KEYS,))
FROM_0, TO_1 = Le(ZERO, y[j]), Le(y[j], ONE)
RISE, FALL = Le(δ[j], ε), Le(-ε, δ[j])
APART = Lt(m, M)


def lot(score: Term, worth: Term) -> Term:
    """Σ_j e^score · worth."""
    return Sum(j, Exp(score) * worth)


def attended(score: Term, summed: Term, value: Term = v[j]) -> Term:
    """The output Σ_j e^score v_j over the denominator."""
    return Sum(j, Exp(score) * value) / Sum(k, Exp(summed))


a_, b_ = lot(s[j], y[j]), lot(s[j], 1 - y[j])
A_, B_ = lot(s[j] + δ[j], y[j]), lot(s[j] + δ[j], 1 - y[j])
GIVEN_ODDS = (
    Le(ZERO, a), Le(ZERO, b), Lt(ZERO, a + b), Lt(ZERO, A + B), Le(A, r * a), Le(b, r * B), Le(ONE, r),
)  # fmt: skip
UNIT_OUT, UNIT_OUT_ = attended(s[j], s[k], y[j]), attended(s[j] + δ[j], s[k] + δ[k], y[j])
SCALED = (v[j] - m) / (M - m)
SCALED_OUT, SCALED_OUT_ = attended(s[j], s[k], SCALED), attended(s[j] + δ[j], s[k] + δ[k], SCALED)
OUT, OUT_ = attended(s[j], s[k]), attended(s[j] + δ[j], s[k] + δ[k])
BACK = Sum(j, Exp((s[j] + δ[j]) + -δ[j]) * v[j]) / Sum(k, Exp((s[k] + δ[k]) + -δ[k]))
RATIO = (Exp(ε) - 1) / (Exp(ε) + 1)
LINE = ε * (Exp(ε) + 1) - 2 * (Exp(ε) - 1)
TILT = 1 + (ε - 1) * Exp(ε)


def line(at: Term) -> Term:
    """``LINE`` at a point."""
    return at * (Exp(at) + 1) - 2 * (Exp(at) - 1)


def tilt(at: Term) -> Term:
    """``TILT`` at a point."""
    return 1 + (at - 1) * Exp(at)


score_noise_moves_output_by_tanh = Theorem(
    name="score_noise_moves_output_by_tanh",
    family=FAMILY,
    level=3,
    statement=r"If every score carries an error of at most $\varepsilon$ and the values lie between $m$ and $M$, the "
    r"output moves by at most $\tanh(\varepsilon/2)\,(M - m) \le \tfrac{\varepsilon}{2}(M - m)$. Sharp for two keys.",
    hypotheses=r"$|\delta_j| \le \varepsilon$, $m \le v_j \le M$, $m < M$; any number of keys.",
    why="The exact worst case of scores in low precision, of quantised keys, of an approximate $QK^{\\top}$: it does "
    "not depend on the number of keys.",
    predict="Scores carry an absolute error of 0.01. How wrong can the output be, in units of the range of the values?",
    steps=(
        Step(
            "rise",
            Le(Exp(δ[j]), Exp(ε)),
            "instance",
            r"The exponential is increasing: an error multiplies $e^{s_j}$ by at most $e^{\varepsilon}$,",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), δ[j]), Symbol("z"): ((), ε)}},
        ),
        Step(
            "fall",
            Le(Exp(-ε), Exp(δ[j])),
            "instance",
            r"and by at least $e^{-\varepsilon}$.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), -ε), Symbol("z"): ((), δ[j])}},
        ),
        Step(
            "grown",
            Le(A_, Exp(ε) * a_),
            "certificate",
            r"Let values $y_j$ lie between 0 and 1 at first. Then $a = \sum_j e^{s_j}y_j$ grows to at most "
            r"$e^{\varepsilon}a$,",
            given=(FROM_0,),
            using=("rise",),
            hints={"certificate": Sum(j, Exp(s[j]) * y[j] * (Exp(ε) - Exp(δ[j])))},
        ),
        Step(
            "shrunk",
            Le(b_, Exp(ε) * B_),
            "certificate",
            r"while $b = \sum_j e^{s_j}(1 - y_j)$ shrinks to no less than $e^{-\varepsilon}b$.",
            given=(TO_1,),
            using=("fall",),
            hints={"certificate": Sum(j, Exp(s[j]) * Exp(ε) * (1 - y[j]) * (Exp(δ[j]) - Exp(-ε)))},
        ),
        Step(
            "r above 0",
            Lt(ZERO, r),
            "certificate",
            r"Now only numbers count, with $r = e^{\varepsilon} \ge 1$.",
            given=GIVEN_ODDS,
            hints={"certificate": (r - 1) + 1},
        ),
        Step(
            "denominator",
            Lt(ZERO, r**2 * a + b),
            "certificate",
            r"No denominator is 0.",
            given=GIVEN_ODDS,
            hints={"certificate": (r - 1) * ((r - 1) + 2) * a + (a + b)},
        ),
        Step(
            "extreme",
            Le(A / (A + B), r**2 * a / (r**2 * a + b)),
            "certificate",
            r"The share $a'/(a' + b')$ is largest if $a' = ra$ and $b' = b/r$.",
            given=GIVEN_ODDS,
            using=("denominator",),
            hints={"certificate": (((r - 1) + 1) * a * (r * B - b) + b * (r * a - A)) / ((A + B) * (r**2 * a + b))},
        ),
        Step(
            "square",
            Le(r**2 * a / (r**2 * a + b) - a / (a + b), (r - 1) / (r + 1)),
            "certificate",
            r"And then the share grows by at most $(r-1)/(r+1)$: what is missing is that times "
            r"$(ra - b)^2/((r^2a + b)(a + b))$.",
            given=GIVEN_ODDS,
            using=("r above 0", "denominator"),
            hints={"certificate": (r - 1) / ((r - 1) + 2) * (r * a - b) ** 2 / ((r**2 * a + b) * (a + b))},
        ),
        Step(
            "share",
            Le(A / (A + B) - a / (a + b), (r - 1) / (r + 1)),
            "certificate",
            "The two bounds, added.",
            given=GIVEN_ODDS,
            using=("r above 0", "denominator", "extreme", "square"),
            hints={
                "certificate": (r**2 * a / (r**2 * a + b) - A / (A + B))
                + ((r - 1) / (r + 1) - (r**2 * a / (r**2 * a + b) - a / (a + b)))
            },
        ),
        Step("a", Le(ZERO, a_), "certificate", r"For attention, $a \ge 0$,", given=(FROM_0,)),
        Step("b", Le(ZERO, b_), "certificate", r"$b \ge 0$,", given=(TO_1,)),
        Step(
            "a + b",
            Lt(ZERO, a_ + b_),
            "certificate",
            r"$a + b = \sum_j e^{s_j}$ is positive,",
            hints={"certificate": Sum(j, Exp(s[j]))},
        ),
        Step(
            "a' + b'",
            Lt(ZERO, A_ + B_),
            "certificate",
            r"and with errors as well,",
            hints={"certificate": Sum(j, Exp(s[j] + δ[j]))},
        ),
        Step(
            "not below",
            Le(ZERO, Exp(ε) - 1 - ε),
            "instance",
            r"and $r = e^{\varepsilon} \ge 1 + \varepsilon$,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), ε)}},
        ),
        Step(
            "r",
            Le(ONE, Exp(ε)),
            "certificate",
            r"which is at least 1.",
            given=(Le(ZERO, ε),),
            using=("not below",),
            hints={"certificate": (Exp(ε) - 1 - ε) + ε},
        ),
        Step(
            "share of attention",
            Le(A_ / (A_ + B_) - a_ / (a_ + b_), RATIO),
            "instance",
            "Put these numbers in.",
            using=("share",),
            hints={
                "symbols": {
                    a.symbol: ((), a_),
                    b.symbol: ((), b_),
                    A.symbol: ((), A_),
                    B.symbol: ((), B_),
                    r.symbol: ((), Exp(ε)),
                }
            },
        ),
        Step(
            "share moved",
            Le(A_ / (A_ + B_) - a_ / (a_ + b_), RATIO),
            "modus ponens",
            "All that was assumed of the numbers has been shown.",
            using=("share of attention", "a", "b", "a + b", "a' + b'", "grown", "shrunk", "r"),
        ),
        Step(
            "unit",
            Le(UNIT_OUT_ - UNIT_OUT, RATIO),
            "certificate",
            r"The share $a/(a + b)$ is the output.",
            given=(APART,),
            using=("share moved", "a + b", "a' + b'"),
            hints={"certificate": RATIO - (A_ / (A_ + B_) - a_ / (a_ + b_))},
        ),
        Step(
            "scaled values",
            Le(SCALED_OUT_ - SCALED_OUT, RATIO),
            "instance",
            r"Values $v_j$ between $m$ and $M$ become such $y_j = (v_j - m)/(M - m)$,",
            using=("unit",),
            hints={"symbols": {y: ((any_,), (v[any_] - m) / (M - m))}},
        ),
        Step(
            "scaled low",
            Le(ZERO, SCALED),
            "certificate",
            "not below 0",
            given=(LOW, APART),
            hints={"certificate": (v[j] - m) / (M - m)},
        ),
        Step(
            "scaled high",
            Le(SCALED, ONE),
            "certificate",
            "and not above 1.",
            given=(HIGH, APART),
            hints={"certificate": (M - v[j]) / (M - m)},
        ),
        Step(
            "scaled",
            Le(SCALED_OUT_ - SCALED_OUT, RATIO),
            "modus ponens",
            "So their output moves by no more,",
            using=("scaled values", "scaled low", "scaled high"),
        ),
        Step(
            "up",
            Le(OUT_ - OUT, (M - m) * RATIO),
            "certificate",
            r"and that of the $v_j$ by $M - m$ times that.",
            given=(APART,),
            using=("scaled",),
            hints={"certificate": (M - m) * (RATIO - (SCALED_OUT_ - SCALED_OUT))},
        ),
        Step(
            "swapped",
            Le(BACK - OUT_, (M - m) * RATIO),
            "instance",
            r"The way back has errors $-\delta_j$.",
            using=("up",),
            hints={"symbols": {s: ((any_,), s[any_] + δ[any_]), δ: ((any_,), -δ[any_])}},
        ),
        Step(
            "minus rise",
            Le(-δ[j], ε),
            "certificate",
            "They are as small,",
            given=(FALL,),
            hints={"certificate": δ[j] - -ε},
        ),
        Step("minus fall", Le(-ε, -δ[j]), "certificate", "both ways,", given=(RISE,), hints={"certificate": ε - δ[j]}),
        Step(
            "back",
            Le(BACK - OUT_, (M - m) * RATIO),
            "modus ponens",
            "so the same bound holds.",
            using=("swapped", "minus rise", "minus fall"),
        ),
        Step(
            "bound",
            Le(Abs(OUT_ - OUT), (M - m) * RATIO),
            "magnitude",
            "Both directions together bound the magnitude.",
            using=("up", "back"),
        ),
        Step(
            "tanh",
            Eq(RATIO, (Exp(HALF * ε) - Exp(-HALF * ε)) / (Exp(HALF * ε) + Exp(-HALF * ε))),
            "normal form",
            r"Multiply numerator and denominator by $e^{-\varepsilon/2}$: this ratio is $\tanh(\varepsilon/2)$.",
        ),
        Step(
            "sharp",
            Eq(Exp(ε) / (Exp(ε) + 1) - Exp(-ε) / (Exp(-ε) + 1), RATIO),
            "normal form",
            r"Two keys with values 1 and 0, scores $(0, \varepsilon)$ that become $(\varepsilon, 0)$: the output moves "
            r"from $1/(1 + e^{\varepsilon})$ to $e^{\varepsilon}/(e^{\varepsilon} + 1)$, exactly by the bound.",
        ),
        Step(
            "tilt at 0",
            Le(ZERO, tilt(ZERO)),
            "certificate",
            r"For the linear bound, $1 + (y - 1)e^{y}$ is 0 at 0,",
            hints=NOTHING,
        ),
        Step(
            "tilt grows",
            Le(ZERO, Deriv(TILT, ε)),
            "certificate",
            r"and its slope is $ye^{y}$,",
            given=(Le(ZERO, ε),),
            hints={"certificate": ε * Exp(ε)},
        ),
        Step(
            "tilt",
            Le(ZERO, TILT),
            "increasing",
            r"so it is not negative for $y \ge 0$.",
            using=("tilt at 0", "tilt grows"),
            hints={"by": ε, "at": ZERO},
        ),
        Step(
            "line at 0",
            Le(ZERO, line(ZERO)),
            "certificate",
            r"It is the slope of $y(e^{y} + 1) - 2(e^{y} - 1)$,",
            hints=NOTHING,
        ),
        Step(
            "line grows",
            Le(ZERO, Deriv(LINE, ε)),
            "certificate",
            r"which is 0 at 0 as well,",
            using=("tilt",),
            hints={"certificate": TILT},
        ),
        Step(
            "line",
            Le(ZERO, LINE),
            "increasing",
            r"and so it is not negative either.",
            using=("line at 0", "line grows"),
            hints={"by": ε, "at": ZERO},
        ),
        Step(
            "half",
            Le(RATIO, HALF * ε),
            "certificate",
            r"Divided by $2(e^{\varepsilon} + 1)$, that is $\tanh(\varepsilon/2) \le \varepsilon/2$.",
            using=("line",),
            hints={"certificate": LINE / (2 * (Exp(ε) + 1))},
        ),
    ),
    concludes=("bound", "tanh", "sharp", "half"),
    near_miss=NearMiss(
        r"The output moves by at most $\tanh(\varepsilon/4)\,(M - m)$.",
        Le(Abs(OUT_ - OUT), (M - m) * (Exp(HALF * ε) - 1) / (Exp(HALF * ε) + 1)),
        Model({KEYS: 2}, {s: (0, log(4)), δ: (log(4), -log(4)), v: (1, 0), m.symbol: 0, M.symbol: 1, ε.symbol: log(4)}),
        given=(LOW, HIGH, RISE, FALL),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2$, each wrong by $\log 2$; values $1, 0$.",
        Model({KEYS: 2}, {s: (0, log(2)), δ: (log(2), -log(2)), v: (1, 0), ε.symbol: log(2)}),
        (("output", OUT), ("with errors", OUT_), ("tanh(ε/2)", RATIO)),
    ),
    source="own (by odds)",
    needs=("exponential_above_its_tangent",),
)

# Rounding scores after the maximum has been taken off.
θ, R, η = Symbol("θ", (KEYS,)), scalar("R"), scalar("u")
top, TOP = scalar("s_max"), KEYS.index("t", fixed=True)
ERROR = (s[j] - top) * θ[j]
NOISY = attended(s[j] + (s[j] - top) * θ[j], s[k] + (s[k] - top) * θ[k])
ROUNDED = attended((s[j] - top) * (1 + θ[j]), (s[k] - top) * (1 + θ[k]))
REACH = η * R
RATIO_R = (Exp(REACH) - 1) / (Exp(REACH) + 1)
ROUNDINGS = (Le(s[j], top), Le(top - R, s[j]), Le(θ[j], η), Le(-η, θ[j]))

max_shift_is_harmless = Theorem(
    name="max_shift_is_harmless",
    family=FAMILY,
    level=3,
    statement=r"Let the maximum be taken off the scores, and let each difference carry a relative error of at most "
    r"$u$. "
    r"If the scores spread over a range $R$, the output moves by at most $\tanh(uR/2)\,(M - m) \le \tfrac12 uR\,(M "
    r"- m)$.",
    hypotheses=r"$s_{\max} - R \le s_j \le s_{\max}$, $|\theta_j| \le u$, $m \le v_j \le M$, $m < M$, $u \ge 0$.",
    why="What subtracting the maximum costs is bound by the *range* of the scores and not by their size: the shift "
    "that "
    "prevents overflow is no worse for accuracy than any other, and far better than none.",
    predict="All scores are between 10000 and 10001. Is it the 10000 or the 1 that decides about the rounding error?",
    steps=(
        Step(
            "rewritten",
            Eq(ROUNDED, NOISY),
            "normal form",
            r"$(s_j - s_{\max})(1 + \theta_j) = s_j + (s_j - s_{\max})\theta_j - s_{\max}$, and the last term is the "
            r"same for all keys: it cancels.",
        ),
        Step(
            "error above",
            Le(ERROR, REACH),
            "certificate",
            r"So each score has an error $(s_j - s_{\max})\theta_j$, at most $u$ times the range,",
            given=(*ROUNDINGS, Le(ZERO, η)),
            hints={"certificate": (top - s[j]) * (θ[j] - -η) + η * (s[j] - (top - R))},
        ),
        Step(
            "error below",
            Le(-REACH, ERROR),
            "certificate",
            "in either direction.",
            given=(*ROUNDINGS, Le(ZERO, η)),
            hints={"certificate": (top - s[j]) * (η - θ[j]) + η * (s[j] - (top - R))},
        ),
        Step(
            "range",
            Le(ZERO, R),
            "certificate",
            "A range is not negative.",
            given=ROUNDINGS,
            hints={"certificate": (top - s[TOP]) + (s[TOP] - (top - R))},
        ),
        Step(
            "noise",
            Le(Abs(NOISY - OUT), (M - m) * RATIO_R),
            "instance",
            r"The bound for errors in scores, at $\varepsilon = uR$.",
            using=("score_noise_moves_output_by_tanh:bound",),
            hints={"symbols": {δ: ((any_,), (s[any_] - top) * θ[any_]), ε.symbol: ((), REACH)}},
        ),
        Step(
            "reach", Le(ZERO, REACH), "certificate", "Both factors are not negative.", given=(Le(ZERO, η), Le(ZERO, R))
        ),
        Step(
            "bound for noise",
            Le(Abs(NOISY - OUT), (M - m) * RATIO_R),
            "modus ponens",
            "Its hypotheses have been shown.",
            using=("noise", "error above", "error below", "reach"),
        ),
        Step(
            "bound",
            Le(Abs(ROUNDED - OUT), (M - m) * RATIO_R),
            "certificate",
            "And the rounded output is this one.",
            using=("bound for noise", "rewritten"),
            hints={"certificate": (M - m) * RATIO_R - Abs(NOISY - OUT)},
        ),
        Step(
            "half at the reach",
            Le(RATIO_R, HALF * REACH),
            "instance",
            r"And $\tanh(y/2) \le y/2$ for $y \ge 0$,",
            using=("score_noise_moves_output_by_tanh:half",),
            hints={"symbols": {ε.symbol: ((), REACH)}},
        ),
        Step(
            "half",
            Le(RATIO_R, HALF * REACH),
            "modus ponens",
            r"at $y = uR$.",
            using=("half at the reach", "reach"),
        ),
    ),
    concludes=("bound", "half"),
    near_miss=NearMiss(
        r"The same bound holds if the scores are rounded *without* the shift.",
        Le(Abs(attended(s[j] * (1 + θ[j]), s[k] * (1 + θ[k])) - OUT), (M - m) * RATIO_R),
        Model(
            {KEYS: 2},
            {
                s: (log(4), log(4)),
                θ: (HALF, -HALF),
                v: (1, 0),
                top.symbol: log(4),
                R.symbol: 0,
                η.symbol: HALF,
                m.symbol: 0,
                M.symbol: 1,
            },
        ),
        given=(*ROUNDINGS, LOW, HIGH),
    ),
    illustration=Illustration(
        r"Scores $\log 4, 0$ with relative errors of $\tfrac12$ after the shift; values $1, 0$.",
        Model(
            {KEYS: 2},
            {s: (log(4), 0), θ: (HALF, HALF), v: (1, 0), top.symbol: log(4), η.symbol: HALF, R.symbol: log(4)},
        ),
        (("output", OUT), ("rounded", ROUNDED), ("bound", RATIO_R)),
    ),
    source="Blanchard, Higham & Higham 2021 (another bound); this form: own",
    needs=("score_noise_moves_output_by_tanh",),
)

# The condition of a weight.
z = Symbol("p", (KEYS,), ("s",))
Z_TOTAL, Z_POSITIVE = Eq(Sum(j, z[j]), ONE), Lt(ZERO, z[j])
Z_JACOBIAN = Eq(Deriv(z[i], s[l]), z[i] * (Delta(i, l) - z[l]))
CAP, C_LOW, C_HIGH = scalar("B"), scalar("m"), scalar("M")
PARTS = Delta(i, k) * (1 - z[i]) + (1 - Delta(i, k)) * z[k]

softmax_condition_number = Theorem(
    name="softmax_condition_number",
    family=FAMILY,
    level=3,
    statement=r"The relative condition number of a weight is $\sum_k |s_k|\,|\delta_{ik} - p_k| \le 2(1 - p_i)\max_k "
    r"|s_k|$. Scores moved to the middle of their range (which changes no weight) have $\max_k|s_k|$ equal to half of "
    r"the range.",
    hypotheses=r"$p = \operatorname{softmax}(s)$, $|s_k| \le B$.",
    why="Says which weights are fragile: small ones, and those of large scores.",
    predict="Which weight is computed more accurately: 0.99 or 0.01?",
    steps=(
        Step(
            "elasticity",
            Eq(s[l] / z[i] * Deriv(z[i], s[l]), s[l] * (Delta(i, l) - z[l])),
            "normal form",
            r"The Jacobian has a factor $p_i$, which cancels.",
            given=(Z_JACOBIAN, Z_POSITIVE),
        ),
        Step(
            "elasticity of softmax",
            Eq(s[l] / z[i] * Deriv(z[i], s[l]), s[l] * (Delta(i, l) - z[l])),
            "modus ponens",
            "Softmax has this Jacobian, and positive weights.",
            using=("elasticity", "softmax_jacobian:jacobian", "softmax_jacobian:positive"),
        ),
        Step(
            "at most one",
            Le(z[i], ONE),
            "certificate",
            "A weight is at most the sum of all.",
            given=(Z_TOTAL, Z_POSITIVE),
            hints={"certificate": Sum(k, (1 - Delta(i, k)) * z[k])},
        ),
        Step(
            "parts above",
            Le(Delta(i, k) - z[k], PARTS),
            "certificate",
            r"$\delta_{ik} - p_k$ is $1 - p_i$ where $k = i$, and $-p_k$ elsewhere: it is at most the sum of those "
            r"parts,",
            given=(Z_POSITIVE,),
            hints={"certificate": 2 * (1 - Delta(i, k)) * z[k]},
        ),
        Step(
            "parts below",
            Le(-(Delta(i, k) - z[k]), PARTS),
            "certificate",
            "with either sign,",
            using=("at most one",),
            hints={"certificate": 2 * Delta(i, k) * (1 - z[i])},
        ),
        Step(
            "no more",
            Le(Abs(Delta(i, k) - z[k]), PARTS),
            "magnitude",
            "and so is its magnitude.",
            using=("parts above", "parts below"),
        ),
        Step(
            "sum",
            Eq(Sum(k, PARTS), 2 * (1 - z[i])),
            "normal form",
            r"$1 - p_i$ once, and all other weights, which are $1 - p_i$ again.",
            given=(Z_TOTAL,),
        ),
        Step(
            "condition of parts",
            Le(Sum(k, Abs(s[k]) * PARTS), 2 * (1 - z[i]) * CAP),
            "certificate",
            r"Replace each $|s_k|$ by its bound.",
            given=(Z_TOTAL, Z_POSITIVE, Le(Abs(s[k]), CAP)),
            using=("at most one",),
            hints={"certificate": Sum(k, (CAP - Abs(s[k])) * PARTS)},
        ),
        Step(
            "condition",
            Le(Sum(k, Abs(s[k]) * Abs(Delta(i, k) - z[k])), 2 * (1 - z[i]) * CAP),
            "certificate",
            "That is the bound for the condition number.",
            given=(Z_TOTAL, Z_POSITIVE, Le(Abs(s[k]), CAP)),
            using=("no more", "condition of parts"),
            hints={
                "certificate": Sum(k, Abs(s[k]) * (PARTS - Abs(Delta(i, k) - z[k])))
                + (2 * (1 - z[i]) * CAP - Sum(k, Abs(s[k]) * PARTS))
            },
        ),
        Step(
            "above the middle",
            Le(s[k] - HALF * (C_LOW + C_HIGH), HALF * (C_HIGH - C_LOW)),
            "certificate",
            r"From the middle to the highest score it is half of the range,",
            given=(Le(s[k], C_HIGH),),
            hints={"certificate": C_HIGH - s[k]},
        ),
        Step(
            "below the middle",
            Le(-(s[k] - HALF * (C_LOW + C_HIGH)), HALF * (C_HIGH - C_LOW)),
            "certificate",
            r"and to the lowest too.",
            given=(Le(C_LOW, s[k]),),
            hints={"certificate": s[k] - C_LOW},
        ),
        Step(
            "centred",
            Le(Abs(s[k] - HALF * (C_LOW + C_HIGH)), HALF * (C_HIGH - C_LOW)),
            "magnitude",
            r"The middle is at most half of the range away from each score.",
            using=("above the middle", "below the middle"),
        ),
    ),
    concludes=("elasticity of softmax", "condition", "centred"),
    near_miss=NearMiss(
        r"The condition number is at most $(1 - p_i)\max_k|s_k|$.",
        Le(Sum(k, Abs(s[k]) * Abs(Delta(i, k) - z[k])), (1 - z[i]) * CAP),
        Model({KEYS: 2}, {s: (1, 1), z: (HALF, HALF), CAP.symbol: 1}),
        given=(Z_TOTAL, Z_POSITIVE, Le(Abs(s[k]), CAP)),
    ),
    illustration=Illustration(
        r"Scores $\log 3, 0$: weights $\tfrac34, \tfrac14$.",
        Model({KEYS: 2}, {s: (log(3), 0), z: (3 * HALF / 2, HALF / 2), CAP.symbol: log(3)}),
        (("condition", Sum(k, Abs(s[k]) * Abs(Delta(i, k) - z[k]))), ("bound", 2 * (1 - z[i]) * CAP)),
    ),
    source="Blanchard, Higham & Higham 2021; this form: own",
    needs=("softmax_jacobian",),
)

# A sum added up in floating point, one rounding for each product and one for each addition.
TIME = Sort("t", natural=True)
f, now, later = TIME.index("h"), TIME.index("t", fixed=True), TIME.index("t")
zero = Index("", TIME)
U, C = Symbol("U", (TIME,)), Symbol("c", (TIME,))
Y, Z, SIZES = Symbol("ŷ", (TIME,)), Symbol("y", (TIME,)), Symbol("A", (TIME,))
d, n_ = Symbol("δ", (TIME,)), Symbol("η", (TIME,))
X = Symbol("x", (TIME,))
POWERS = (Eq(U[zero], ONE), Eq(U[f + 1], U[f] * (1 + η)))
COUNTS = (Eq(C[zero], ZERO), Eq(C[f + 1], C[f] + 1))
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


STEP_GIVEN = (*POWERS, *SUMS, *RELATIVE, *UNIT)
STEP_USES = (
    "smaller", "smaller still", "sizes", "sum above", "sum below", "term above", "term below",
    "two above", "two below", "one below", "powers",
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
    r"that "
    r"is at most $\gamma_n\sum_j|x_j|$ with $\gamma_n = nu/(1 - nu)$. For an average, $\sum_j p_j|v_j| \le "
    r"\max_j|v_j|$.",
    hypotheses=r"No overflow or underflow; $0 \le u \le 1$; the exact products $x_j = p_j v_j$ in any order.",
    why="Turns “floats are not exactly invariant to the order of keys” into a bound that a test can use.",
    predict="Two correct kernels add the keys up in different orders. How far apart may they be?",
    steps=(
        Step(
            "first power",
            Le(ONE, U[zero]),
            "certificate",
            r"Write $U_t = (1 + u)^t$. It is 1 at first,",
            given=POWERS,
            hints=NOTHING,
        ),
        Step("power so far", Le(ONE, U[now]), "hypothesis", r"and if it is at least 1,"),
        Step(
            "next power",
            Le(ONE, U[now + 1]),
            "certificate",
            r"so is the next: $U(1 + u) - 1 = (U - 1) + uU$.",
            given=(*POWERS, *UNIT),
            using=("power so far",),
            hints={"certificate": (U[now] - 1) + η * ((U[now] - 1) + 1)},
        ),
        Step(
            "powers",
            Le(ONE, U[later]),
            "induction",
            "Hence always.",
            using=("first power", "next power"),
            hints={"at": now},
        ),
        Step(
            "no sizes",
            Le(ZERO, SIZES[zero]),
            "certificate",
            r"The sum $A$ of magnitudes is not negative at first,",
            given=SUMS,
            hints={"certificate": Abs(X[zero])},
        ),
        Step("sizes so far", Le(ZERO, SIZES[now]), "hypothesis", "and if it is not,"),
        Step(
            "next sizes",
            Le(ZERO, SIZES[now + 1]),
            "certificate",
            r"it is not after one more.",
            given=SUMS,
            using=("sizes so far",),
            hints={"certificate": SIZES[now] + SMALL},
        ),
        Step(
            "sizes",
            Le(ZERO, SIZES[later]),
            "induction",
            "Hence never.",
            using=("no sizes", "next sizes"),
            hints={"at": now},
        ),
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
        *(
            step
            for name, sign, why in (
                ("sum above", 1, r"So the exact sum $y$ is at most $A$:"),
                ("sum below", -1, r"Its opposite is at most $A$ too:"),
            )
            for step in (
                Step(
                    f"{name}, first",
                    Le(ZERO, SIZES[zero] - sign * Z[zero]),
                    "certificate",
                    why + " at first,",
                    given=SUMS,
                    using=("term above", "term below"),
                    hints={"certificate": Abs(X[zero]) - sign * X[zero] if sign == 1 else Abs(X[zero]) + X[zero]},
                ),
                Step(f"{name}, so far", Le(ZERO, SIZES[now] - sign * Z[now]), "hypothesis", "and if up to a term,"),
                Step(
                    f"{name}, next",
                    Le(ZERO, SIZES[now + 1] - sign * Z[now + 1]),
                    "certificate",
                    "then with the next term too.",
                    given=SUMS,
                    using=(f"{name}, so far", "term above", "term below"),
                    hints={
                        "certificate": (SIZES[now] - sign * Z[now])
                        + (SMALL - X[now + 1] if sign == 1 else SMALL + X[now + 1])
                    },
                ),
                Step(
                    name,
                    Le(ZERO, SIZES[later] - sign * Z[later]),
                    "induction",
                    "Hence always.",
                    using=(f"{name}, first", f"{name}, next"),
                    hints={"at": now},
                ),
            )
        ),
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
            r"sum "
            r"adds $u|y|$, the new term $((1 + u)^2 - 1)|x|$,",
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
            "no count",
            Le(ZERO, C[zero]),
            "certificate",
            r"Let $c_t = t$ count the roundings. It is not negative at 0,",
            given=COUNTS,
            hints=NOTHING,
        ),
        Step("count so far", Le(ZERO, C[now]), "hypothesis", "and if it is not,"),
        Step(
            "next count",
            Le(ZERO, C[now + 1]),
            "certificate",
            "nor is it one later.",
            given=COUNTS,
            using=("count so far",),
            hints={"certificate": C[now] + 1},
        ),
        Step(
            "counts",
            Le(ZERO, C[later]),
            "induction",
            "Hence never.",
            using=("no count", "next count"),
            hints={"at": now},
        ),
        Step(
            "first product",
            Le(U[zero] * (1 - C[zero] * η), ONE),
            "certificate",
            r"$(1 + u)^t(1 - tu) \le 1$: at first it is 1,",
            given=(*POWERS, *COUNTS),
            hints=NOTHING,
        ),
        Step("product so far", Le(U[now] * (1 - C[now] * η), ONE), "hypothesis", "and if it is at most 1,"),
        Step(
            "next product",
            Le(U[now + 1] * (1 - C[now + 1] * η), ONE),
            "certificate",
            r"then the next is smaller by $(1 + u)^t(t + 1)u^2$.",
            given=(*POWERS, *COUNTS, *UNIT),
            using=("product so far", "powers", "counts"),
            hints={"certificate": (1 - U[now] * (1 - C[now] * η)) + ((U[now] - 1) + 1) * (C[now] + 1) * η**2},
        ),
        Step(
            "products",
            Le(U[later] * (1 - C[later] * η), ONE),
            "induction",
            "Hence always.",
            using=("first product", "next product"),
            hints={"at": now},
        ),
        Step(
            "gamma",
            Le(U[now + 1] - 1, GAMMA),
            "certificate",
            r"Divide by $1 - nu > 0$: $(1 + u)^n - 1 \le 1/(1 - nu) - 1 = nu/(1 - nu)$.",
            given=(ROOM,),
            using=("products",),
            hints={"certificate": (1 - U[now + 1] * (1 - C[now + 1] * η)) / (1 - C[now + 1] * η)},
        ),
        Step(
            "bound",
            Le(Abs(error(now)), GAMMA * SIZES[now]),
            "certificate",
            r"So the error is at most $\gamma_n\sum_j|x_j|$.",
            given=(ROOM,),
            using=("gamma", "error", "sizes"),
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
)

# A weighted average whose weights and values are both wrong.
p_, v_ = Symbol("p̂", (KEYS,)), Symbol("v̂", (KEYS,))
AVERAGE, AVERAGE_ = Sum(j, p[j] * v[j]), Sum(j, p_[j] * v_[j])
TOTAL_, POSITIVE_ = Eq(Sum(j, p_[j]), ONE), Le(ZERO, p_[j])
NEAR, NEAR_ = Le(v_[j] - v[j], η), Le(v[j] - v_[j], η)
DRIFT = η + HALF * Sum(j, Abs(p_[j] - p[j])) * (M - m)
LESS, MORE = Abs(p_[j] - p[j]) - (p_[j] - p[j]), Abs(p_[j] - p[j]) + (p_[j] - p[j])

error_of_a_weighted_average = Theorem(
    name="error_of_a_weighted_average",
    family=FAMILY,
    level=2,
    statement=r"$|\sum_j \hat p_j\hat v_j - \sum_j p_jv_j| \le \max_j|\hat v_j - v_j| + \tfrac12\sum_j|\hat p_j - "
    r"p_j|\,"
    r"(M - m)$ if both weights sum to 1 and the values lie between $m$ and $M$.",
    hypotheses=r"$\hat p_j \ge 0$, $\sum_j \hat p_j = \sum_j p_j = 1$, $|\hat v_j - v_j| \le u$, $m \le v_j \le M$.",
    why="Separates the two sources of error of an output: values pass theirs on unamplified, and weights theirs times "
    "half of the range, as what one key gains another one loses.",
    predict="All values are wrong by at most 0.01, the weights are exact. How wrong is the output?",
    steps=(
        Step("gain", Le(p_[j] - p[j], Abs(p_[j] - p[j])), "magnitude", "A change is at most its magnitude,"),
        Step("loss", Le(-(p_[j] - p[j]), Abs(p_[j] - p[j])), "magnitude", "and so is its opposite."),
        Step("less", Le(ZERO, LESS), "certificate", "So $|d| - d$", using=("gain",)),
        Step(
            "more",
            Le(ZERO, MORE),
            "certificate",
            "and $|d| + d$ are not negative.",
            using=("loss",),
            hints={"certificate": Abs(p_[j] - p[j]) - -(p_[j] - p[j])},
        ),
        Step(
            "up",
            Le(AVERAGE_ - AVERAGE, DRIFT),
            "certificate",
            r"With $d_j = \hat p_j - p_j$, $\sum_j d_j = 0$, values may be counted from the middle of their range, "
            r"which is "
            r"at most half of the range away.",
            given=(TOTAL, TOTAL_, POSITIVE_, NEAR, LOW, HIGH),
            using=("less", "more"),
            hints={
                "certificate": Sum(j, p_[j] * (η - (v_[j] - v[j])))
                + HALF * Sum(j, LESS * (v[j] - m))
                + HALF * Sum(j, MORE * (M - v[j]))
            },
        ),
        Step(
            "down",
            Le(-(AVERAGE_ - AVERAGE), DRIFT),
            "certificate",
            "The same downwards.",
            given=(TOTAL, TOTAL_, POSITIVE_, NEAR_, LOW, HIGH),
            using=("less", "more"),
            hints={
                "certificate": Sum(j, p_[j] * (η - (v[j] - v_[j])))
                + HALF * Sum(j, MORE * (v[j] - m))
                + HALF * Sum(j, LESS * (M - v[j]))
            },
        ),
        Step(
            "bound",
            Le(Abs(AVERAGE_ - AVERAGE), DRIFT),
            "magnitude",
            "Both together bound the magnitude.",
            using=("up", "down"),
        ),
    ),
    concludes=("bound",),
    near_miss=NearMiss(
        r"A quarter of $\sum_j|\hat p_j - p_j|$ is enough.",
        Le(Abs(AVERAGE_ - AVERAGE), η + Fraction(1, 4) * Sum(j, Abs(p_[j] - p[j])) * (M - m)),
        Model({KEYS: 2}, {p: (1, 0), p_: (0, 1), v: (0, 1), v_: (0, 1), m.symbol: 0, M.symbol: 1, η.symbol: 0}),
        given=(TOTAL, TOTAL_, POSITIVE_, NEAR, NEAR_, LOW, HIGH),
    ),
    illustration=Illustration(
        r"Weights $\tfrac12, \tfrac12$ become $\tfrac14, \tfrac34$; values $0, 4$.",
        Model(
            {KEYS: 2},
            {
                p: (HALF, HALF),
                p_: (HALF / 2, 3 * HALF / 2),
                v: (0, 4),
                v_: (0, 4),
                m.symbol: 0,
                M.symbol: 4,
                η.symbol: 0,
            },
        ),
        (("exact", AVERAGE), ("wrong", AVERAGE_), ("bound", DRIFT)),
    ),
    source="folklore",
)

# Self-attention with Q = K = V: one token x, the others y.
x_, y_ = scalar("x"), Symbol("y", (OTHERS,))
a_token, steep = scalar("a"), scalar("C")
COUNT = 1 + Size(OTHERS)


def own(at: Term) -> Term:
    """The exponential of the token's own score."""
    return Exp(at * at)


def denominator(at: Term) -> Term:
    """The denominator of the token's row."""
    return own(at) + Sum(o, Exp(at * y_[o]))


def token_out(at: Term) -> Term:
    """The output of the token's row."""
    return (own(at) * at + Sum(o, Exp(at * y_[o]) * y_[o])) / denominator(at)


def slope_of_token(at: Term) -> Term:
    """The derivative of the token's output by the token."""
    inner = own(at) * (1 + 2 * at * (at - token_out(at))) + Sum(o, Exp(at * y_[o]) * y_[o] * (y_[o] - token_out(at)))
    return inner / denominator(at)


def pair_out(at: Term) -> Term:
    """The output of the first of two tokens, the other being a."""
    return (Exp(at * at) * at + Exp(at * a_token) * a_token) / (Exp(at * at) + Exp(at * a_token))


self_attention_is_not_lipschitz = Theorem(
    name="self_attention_is_not_lipschitz",
    family=FAMILY,
    level=3,
    statement=r"Self-attention with $Q = K = V$ is not Lipschitz: at the token 0 among others $y_o$, the output of "
    r"that "
    r"token moves by $\tfrac1n + \operatorname{Var}(0, y_1, y_2, \dots)$ for each unit of the token. Beside one token "
    r"$a = 2C$ that is more than $C$, for every $C$.",
    hypotheses="One head of width 1, unbounded inputs. (On bounded inputs it is Lipschitz.)",
    why="Softmax is ½-Lipschitz, and an average is 1-Lipschitz, yet attention is not Lipschitz: the query "
    "multiplies the "
    "keys. It shows why normalising inputs, or queries and keys, matters.",
    predict="Softmax is ½-Lipschitz and averaging is 1-Lipschitz. So is attention Lipschitz?",
    steps=(
        Step(
            "slope",
            Eq(Deriv(token_out(x_), x_), slope_of_token(x_)),
            "normal form",
            r"The token is value, key and query at once: its own score $x^2$ has slope $2x$, the score $xy_o$ has "
            r"slope "
            r"$y_o$; weights change by the Jacobian of softmax.",
        ),
        Step(
            "at zero",
            Eq(slope_of_token(ZERO), 1 / COUNT + Sum(o, y_[o] ** 2) / COUNT - (Sum(o, y_[o]) / COUNT) ** 2),
            "normal form",
            r"At $x = 0$ all scores are 0 and all weights $1/n$: what is left is $1/n$ and a variance.",
        ),
        Step(
            "slope of two",
            Eq(
                Deriv(pair_out(x_), x_),
                (
                    Exp(x_ * x_) * (1 + 2 * x_ * (x_ - pair_out(x_)))
                    + Exp(x_ * a_token) * a_token * (a_token - pair_out(x_))
                )
                / (Exp(x_ * x_) + Exp(x_ * a_token)),
            ),
            "normal form",
            r"Beside one token $a$ it is the same with one term,",
        ),
        Step(
            "two at zero",
            Eq((1 + a_token * (a_token - pair_out(ZERO))) / 2, HALF + a_token**2 / 4),
            "normal form",
            r"and at $x = 0$ it is $\tfrac12 + \tfrac14a^2$.",
        ),
        Step(
            "beyond",
            Lt(steep, HALF + (2 * steep) ** 2 / 4),
            "certificate",
            r"With $a = 2C$: $\tfrac12 + C^2 - C = (C - \tfrac12)^2 + \tfrac14$. The slope exceeds every constant.",
            hints={"certificate": (steep - HALF) ** 2 + Fraction(1, 4)},
        ),
    ),
    concludes=("slope", "at zero", "two at zero", "beyond"),
    near_miss=NearMiss(
        r"The slope at 0 is at most $\tfrac12$, the Lipschitz constant of softmax.",
        Le(slope_of_token(ZERO), Num(HALF)),
        Model({OTHERS: 1}, {y_: (2,)}),
    ),
    illustration=Illustration(
        "The token 0 beside the token 4.", Model({OTHERS: 1}, {y_: (4,)}), (("slope", slope_of_token(ZERO)),)
    ),
    source="Kim, Papamakarios & Mnih 2021, theorem 3.1",
)

THEOREMS = (
    softmax_is_half_lipschitz,
    score_noise_moves_output_by_tanh,
    max_shift_is_harmless,
    softmax_condition_number,
    weighted_sum_rounding,
    error_of_a_weighted_average,
    self_attention_is_not_lipschitz,
)
