"""Errors in scores: the exact worst case."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Eq,
    Exp,
    Illustration,
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
    scalar,
)  # fmt: skip

KEYS = Sort("n")
j, k = (KEYS.index(name) for name in "jk")
any_ = KEYS.index("•")  # the place of a symbol that a term is put for

s = Symbol("s", (KEYS,))
FAMILY = "rounding and conditioning"

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

score_noise_moves_output_by_tanh = Theorem(
    name="score_noise_moves_output_by_tanh",
    family=FAMILY,
    level=3,
    statement=r"If every score carries an error of at most $\varepsilon$ and the values lie between $m$ and $M$, the "
    r"output moves by at most $\tanh(\varepsilon/2)\,(M - m)$. Sharp for two keys.",
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
            "sharp",
            Eq(Exp(ε) / (Exp(ε) + 1) - Exp(-ε) / (Exp(-ε) + 1), RATIO),
            "normal form",
            r"Two keys with values 1 and 0, scores $(0, \varepsilon)$ that become $(\varepsilon, 0)$: the output moves "
            r"from $1/(1 + e^{\varepsilon})$ to $e^{\varepsilon}/(e^{\varepsilon} + 1)$, exactly by the bound.",
        ),
    ),
    concludes=("bound", "sharp"),
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

THEOREMS = (score_noise_moves_output_by_tanh,)
