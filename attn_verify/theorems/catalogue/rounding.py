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
            "half",
            Le(Sum(i, CHANGE**2), Fraction(1, 4) * Sum(i, (s[i] - t[i]) ** 2)),
            "certificate",
            r"$\lVert u\rVert^2 \le \tfrac12\lVert u\rVert^2 + \tfrac18\lVert w\rVert^2$, that is "
            r"$\lVert u\rVert^2 \le \tfrac14\lVert w\rVert^2$.",
            using=("arrived",),
            hints={"certificate": 2 * with_change(ONE)},
        ),
        Step(
            "growth",
            Le(ZERO, Exp(2 * h) - 1 - 2 * h),
            "instance",
            r"It is sharp: use $e^{2h} \ge 1 + 2h$.",
            using=("exponential_above_its_tangent:above",),
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
RISE, FALL = Le(δ[j], ε), Le(-ε, δ[j])
APART = Lt(m, M)


def lot(score: Term, worth: Term) -> Term:
    """Σ_j e^score · worth."""
    return Sum(j, Exp(score) * worth)


def attended(score: Term, summed: Term) -> Term:
    """The output Σ_j e^score v_j over the denominator."""
    return Sum(j, Exp(score) * v[j]) / Sum(k, Exp(summed))


a_, b_ = lot(s[j], v[j] - m), lot(s[j], M - v[j])
A_, B_ = lot(s[j] + δ[j], v[j] - m), lot(s[j] + δ[j], M - v[j])
GIVEN_ODDS = (
    Le(ZERO, a), Le(ZERO, b), Lt(ZERO, a + b), Lt(ZERO, A + B), Le(A, r * a), Le(b, r * B), Le(ONE, r),
)  # fmt: skip
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
            using=("exponential_above_its_tangent:increasing",),
            hints={"symbols": {Symbol("x"): ((), δ[j]), Symbol("y"): ((), ε)}},
        ),
        Step(
            "fall",
            Le(Exp(-ε), Exp(δ[j])),
            "instance",
            r"and by at least $e^{-\varepsilon}$.",
            using=("exponential_above_its_tangent:increasing",),
            hints={"symbols": {Symbol("x"): ((), -ε), Symbol("y"): ((), δ[j])}},
        ),
        Step(
            "grown",
            Le(A_, Exp(ε) * a_),
            "certificate",
            r"Split each value: it is $v_j - m$ above the lowest and $M - v_j$ below the highest. The first part, "
            r"$a = \sum_j e^{s_j}(v_j - m)$, grows to at most $e^{\varepsilon}a$,",
            given=(LOW,),
            using=("rise",),
            hints={"certificate": Sum(j, Exp(s[j]) * (v[j] - m) * (Exp(ε) - Exp(δ[j])))},
        ),
        Step(
            "shrunk",
            Le(b_, Exp(ε) * B_),
            "certificate",
            r"while $b = \sum_j e^{s_j}(M - v_j)$ shrinks to no less than $e^{-\varepsilon}b$.",
            given=(HIGH,),
            using=("fall",),
            hints={"certificate": Sum(j, Exp(s[j]) * Exp(ε) * (M - v[j]) * (Exp(δ[j]) - Exp(-ε)))},
        ),
        Step("r above 0", Lt(ZERO, r), "certificate", r"Now only numbers count, with $r = e^{\varepsilon} \ge 1$.",
             given=GIVEN_ODDS, hints={"certificate": (r - 1) + 1}),  # fmt: skip
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
            hints={
                "certificate": (((r - 1) + 1) * a * (r * B - b) + b * (r * a - A)) / ((A + B) * (r**2 * a + b))
            },
        ),
        Step(
            "square",
            Le(r**2 * a / (r**2 * a + b) - a / (a + b), (r - 1) / (r + 1)),
            "certificate",
            r"And then the share grows by at most $(r-1)/(r+1)$: what is missing is that times "
            r"$(ra - b)^2/((r^2a + b)(a + b))$.",
            given=GIVEN_ODDS,
            using=("r above 0", "denominator"),
            hints={
                "certificate": (r - 1) / ((r - 1) + 2) * (r * a - b) ** 2 / ((r**2 * a + b) * (a + b))
            },
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
        Step("a", Le(ZERO, a_), "certificate", r"For attention, $a \ge 0$,", given=(LOW,)),
        Step("b", Le(ZERO, b_), "certificate", r"$b \ge 0$,", given=(HIGH,)),
        Step(
            "a + b",
            Lt(ZERO, a_ + b_),
            "certificate",
            r"$a + b = (M - m)\sum_j e^{s_j}$ is positive,",
            given=(APART,),
            hints={"certificate": (M - m) * Sum(j, Exp(s[j]))},
        ),
        Step(
            "a' + b'",
            Lt(ZERO, A_ + B_),
            "certificate",
            r"and with errors as well,",
            given=(APART,),
            hints={"certificate": (M - m) * Sum(j, Exp(s[j] + δ[j]))},
        ),
        Step("not below", Le(ZERO, Exp(ε) - 1 - ε), "instance", r"and $r = e^{\varepsilon} \ge 1 + \varepsilon$,",
             using=("exponential_above_its_tangent:above",), hints={"symbols": {Symbol("y"): ((), ε)}}),  # fmt: skip
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
                    a.symbol: ((), a_), b.symbol: ((), b_), A.symbol: ((), A_), B.symbol: ((), B_), r.symbol: ((), Exp(ε))
                }
            },
        ),  # fmt: skip
        Step(
            "share moved",
            Le(A_ / (A_ + B_) - a_ / (a_ + b_), RATIO),
            "modus ponens",
            "All that was assumed of the numbers has been shown.",
            using=("share of attention", "a", "b", "a + b", "a' + b'", "grown", "shrunk", "r"),
        ),
        Step(
            "up",
            Le(OUT_ - OUT, (M - m) * RATIO),
            "certificate",
            r"The output is $o = m + (M - m)\,a/(a + b)$, so it moves by $M - m$ times the share.",
            given=(APART,),
            using=("a + b", "a' + b'", "share moved"),
            hints={"certificate": (M - m) * (RATIO - (A_ / (A_ + B_) - a_ / (a_ + b_)))},
        ),
        Step(
            "swapped",
            Le(BACK - OUT_, (M - m) * RATIO),
            "instance",
            r"The way back has errors $-\delta_j$.",
            using=("up",),
            hints={"symbols": {s: ((any_,), s[any_] + δ[any_]), δ: ((any_,), -δ[any_])}},
        ),
        Step("minus rise", Le(-δ[j], ε), "certificate", "They are as small,", given=(FALL,),
             hints={"certificate": δ[j] - -ε}),  # fmt: skip
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
        Step("tilt at 0", Le(ZERO, tilt(ZERO)), "certificate", r"For the linear bound, $1 + (y - 1)e^{y}$ is 0 at 0,",
             hints=NOTHING),  # fmt: skip
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
        Step("line at 0", Le(ZERO, line(ZERO)), "certificate", r"It is the slope of $y(e^{y} + 1) - 2(e^{y} - 1)$,",
             hints=NOTHING),  # fmt: skip
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
    statement=r"Let the maximum be taken off the scores, and let each difference carry a relative error of at most $u$. "
    r"If the scores spread over a range $R$, the output moves by at most $\tanh(uR/2)\,(M - m) \le \tfrac12 uR\,(M - m)$.",
    hypotheses=r"$s_{\max} - R \le s_j \le s_{\max}$, $|\theta_j| \le u$, $m \le v_j \le M$, $m < M$, $u \ge 0$.",
    why="What subtracting the maximum costs is bound by the *range* of the scores and not by their size: the shift that "
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
            given=(Le(s[TOP], top), Le(top - R, s[TOP])),
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
        Step("reach", Le(ZERO, REACH), "certificate", "Both factors are not negative.",
             given=(Le(ZERO, η), Le(ZERO, R))),  # fmt: skip
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
            "half",
            Le(RATIO_R, HALF * REACH),
            "instance",
            r"$\tanh(y/2) \le y/2$ for $y \ge 0$.",
            using=("score_noise_moves_output_by_tanh:half",),
            hints={"symbols": {ε.symbol: ((), REACH)}},
        ),
    ),
    concludes=("bound", "half"),
    near_miss=NearMiss(
        r"The same bound holds if the scores are rounded *without* the shift.",
        Le(Abs(attended(s[j] * (1 + θ[j]), s[k] * (1 + θ[k])) - OUT), (M - m) * RATIO_R),
        Model(
            {KEYS: 2},
            {
                s: (log(4), log(4)), θ: (HALF, -HALF), v: (1, 0), top.symbol: log(4), R.symbol: 0, η.symbol: HALF,
                m.symbol: 0, M.symbol: 1,
            },
        ),
        given=(*ROUNDINGS, LOW, HIGH),
    ),  # fmt: skip
    illustration=Illustration(
        r"Scores $\log 4, 0$ with relative errors of $\tfrac12$ after the shift; values $1, 0$.",
        Model({KEYS: 2}, {s: (log(4), 0), θ: (HALF, HALF), v: (1, 0), top.symbol: log(4), η.symbol: HALF,
                          R.symbol: log(4)}),
        (("output", OUT), ("rounded", ROUNDED), ("bound", RATIO_R)),
    ),  # fmt: skip
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
            r"$\delta_{ik} - p_k$ is $1 - p_i$ where $k = i$, and $-p_k$ elsewhere: it is at most the sum of those parts,",
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

THEOREMS = (
    softmax_is_half_lipschitz,
    score_noise_moves_output_by_tanh,
    max_shift_is_harmless,
    softmax_condition_number,
)
