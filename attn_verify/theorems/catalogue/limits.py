"""Limits and variational views: hot and cold attention, energies, kernels, noise and recurrences."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.kernel.facts import slope_at
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
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
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS, WIDTH, COLUMNS = Sort("n"), Sort("d"), Sort("d_v")
OTHERS = Sort("n'", empty=True)
i, j, k = (KEYS.index(name) for name in "ijk")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")
o = OTHERS.index("o")
y, z, t = scalar("y"), scalar("z"), scalar("t")
SHAPE = t * Log(t) - t + 1 - Fraction(3, 2) * (t - 1) ** 2 / (t + 2)
RIGHT = Lt(ZERO, t)

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
s, v, p = Symbol("s", (KEYS,)), Symbol("v", (KEYS,)), Symbol("p", (KEYS,))
m, M, β, lead = scalar("m"), scalar("M"), scalar("β"), scalar("Δ")
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])

# Hot: all scores small.  Cold: tied keys at the top (of score s), the others at least Δ below.
TIES = Sort("r")
h = TIES.index("h")
top, lower = scalar("s"), Symbol("s", (OTHERS,))
first, rest = Symbol("v", (TIES,)), Symbol("v", (OTHERS,))
CAP, W = scalar("B"), scalar("W")
LAG = Le(lower[o], top - lead)
COLD = Size(TIES) * Exp(β * top) + Sum(o, Exp(β * lower[o]))
LEFT = Sum(o, Exp(β * lower[o])) / COLD
TIE_MEAN = Sum(h, first[h]) / Size(TIES)
COLD_OUT = (Exp(β * top) * Sum(h, first[h]) + Sum(o, Exp(β * lower[o]) * rest[o])) / COLD
FAR = Size(OTHERS) / Size(TIES) * Exp(-(β * lead))
HOT = Sum(j, Exp(β * s[j]) * v[j]) / Sum(k, Exp(β * s[k]))
NOISE = Symbol("δ", (KEYS,))
UNIFORM = Sum(j, Exp(ZERO) * v[j]) / Sum(k, Exp(ZERO))
HOT_NOISE = Sum(j, Exp(ZERO + β * s[j]) * v[j]) / Sum(k, Exp(ZERO + β * s[k]))
MEAN = Sum(j, v[j]) / Size(KEYS)
HOT_RATIO = (Exp(β * CAP) - 1) / (Exp(β * CAP) + 1)

hot_and_cold_limits = Theorem(
    name="hot_and_cold_limits",
    family=FAMILY,
    level=2,
    statement=r"With scores $\beta s_j$: the output is within $\tfrac12\beta\max_j|s_j|\,(M - m)$ of the plain mean "
    r"of the "
    r"values, and if $r$ keys share the top score and the others lie at least $\Delta$ below, it is within "
    r"$\tfrac{n-r}{r}e^{-\beta\Delta}\max_o|v_o - \bar v|$ of the mean $\bar v$ over those $r$ keys. "
    r"Here $e^{-\beta\Delta} \le 1/(1 + \beta\Delta)$.",
    hypotheses=r"$\beta \ge 0$; values between $m < M$ (hot); at least one key at the top (cold).",
    why="Soft attention as a dial between averaging ($\\beta \\to 0$) and looking up ($\\beta \\to \\infty$), with a "
    "certified speed at both ends; ties are shared.",
    predict="How large a lead does the best of a million keys need to get 99 % of the weight?",
    steps=(
        Step(
            "cold weight",
            Le(Exp(β * lower[o]), Exp(β * (top - lead))),
            "instance",
            r"The exponential is increasing: $e^{\beta s_o} \le e^{\beta(s - \Delta)}$.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), β * lower[o]), z.symbol: ((), β * (top - lead))}},
        ),
        Step(
            "slower",
            Le(β * lower[o], β * (top - lead)),
            "certificate",
            "Its argument is smaller, as the score is, and $\\beta$ is not negative.",
            given=(LAG, Le(ZERO, β)),
            hints={"certificate": β * (top - lead - lower[o])},
        ),
        Step(
            "cold exponential",
            Le(Exp(β * lower[o]), Exp(β * (top - lead))),
            "modus ponens",
            "So it holds for a lead.",
            using=("cold weight", "slower"),
        ),
        Step(
            "left",
            Le(LEFT, FAR),
            "certificate",
            r"The denominator is at least that of the $r$ top keys, $r e^{\beta s}$, and the numerator at most "
            r"$(n - r)e^{\beta(s - \Delta)}$.",
            using=("cold exponential",),
            hints={
                "certificate": (
                    Sum(o, Exp(β * (top - lead)) - Exp(β * lower[o])) / (Size(TIES) * Exp(β * top))
                    + LEFT * Sum(o, Exp(β * lower[o])) / (Size(TIES) * Exp(β * top))
                )
            },
        ),
        Step(
            "what others add",
            Eq(COLD_OUT - TIE_MEAN, Sum(o, Exp(β * lower[o]) * (rest[o] - TIE_MEAN)) / COLD),
            "normal form",
            r"Measured from the mean $\bar v$ over the top keys, the output is what the other keys add.",
        ),
        Step(
            "cold above",
            Le(COLD_OUT - TIE_MEAN, LEFT * W),
            "certificate",
            r"Each is at most $W$ away from $\bar v$,",
            given=(Le(rest[o] - TIE_MEAN, W),),
            hints={"certificate": Sum(o, Exp(β * lower[o]) * (W - (rest[o] - TIE_MEAN))) / COLD},
        ),
        Step(
            "cold below",
            Le(-(COLD_OUT - TIE_MEAN), LEFT * W),
            "certificate",
            "with either sign,",
            given=(Le(TIE_MEAN - rest[o], W),),
            hints={"certificate": Sum(o, Exp(β * lower[o]) * (W - (TIE_MEAN - rest[o]))) / COLD},
        ),
        Step(
            "cold share",
            Le(Abs(COLD_OUT - TIE_MEAN), LEFT * W),
            "magnitude",
            "so the output is away by at most the weight that is left for them, times $W$.",
            using=("cold above", "cold below"),
        ),
        Step(
            "cold",
            Le(Abs(COLD_OUT - TIE_MEAN), FAR * W),
            "certificate",
            r"And that weight is small.",
            given=(Le(ZERO, W),),
            using=("cold share", "left"),
            hints={"certificate": (LEFT * W - Abs(COLD_OUT - TIE_MEAN)) + (FAR - LEFT) * W},
        ),
        Step(
            "at the lead",
            Le(ZERO, Exp(β * lead) - 1 - β * lead),
            "instance",
            r"$e^{y} \ge 1 + y$, at $y = \beta\Delta$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), β * lead)}},
        ),
        Step(
            "speed",
            Le(Exp(-(β * lead)), 1 / (1 + β * lead)),
            "certificate",
            r"So $e^{-\beta\Delta}$ goes to 0 as $\beta$ grows: it is at most $1/(1 + \beta\Delta)$.",
            given=(Le(ZERO, β), Le(ZERO, lead)),
            using=("at the lead",),
            hints={"certificate": (Exp(β * lead) - 1 - β * lead) / (Exp(β * lead) * (1 + β * lead))},
        ),
        Step(
            "noise",
            Le(Abs(HOT_NOISE - UNIFORM), (M - m) * HOT_RATIO),
            "instance",
            r"For small $\beta$, take scores 0 with errors $\beta s_j$, of at most $\beta B$: the bound for noisy "
            r"scores "
            r"applies.",
            using=("score_noise_moves_output_by_tanh:bound",),
            hints={
                "symbols": {
                    Symbol("s", (KEYS,)): ((any_,), ZERO),
                    NOISE: ((any_,), β * s[any_]),
                    Symbol("ε"): ((), β * CAP),
                }
            },
        ),
        Step(
            "small",
            Le(β * s[j], β * CAP),
            "certificate",
            "The errors are at most $\\beta B$,",
            given=(Le(ZERO, β), Le(s[j], CAP)),
            hints={"certificate": β * (CAP - s[j])},
        ),
        Step(
            "not large",
            Le(-(β * CAP), β * s[j]),
            "certificate",
            "in both directions,",
            given=(Le(ZERO, β), Le(-CAP, s[j])),
            hints={"certificate": β * (s[j] - -CAP)},
        ),
        Step(
            "bound",
            Le(ZERO, β * CAP),
            "certificate",
            r"and $\beta B$ is not negative.",
            given=(Le(ZERO, β), Le(ZERO, CAP)),
        ),
        Step(
            "hot noise",
            Le(Abs(HOT_NOISE - UNIFORM), (M - m) * HOT_RATIO),
            "modus ponens",
            "So nothing more is assumed.",
            using=("noise", "small", "not large", "bound"),
        ),
        Step(
            "ratio",
            Le(HOT_RATIO, HALF * (β * CAP)),
            "instance",
            r"$\tanh(y/2) \le y/2$.",
            using=("score_noise_moves_output_by_tanh:half",),
            hints={"symbols": {Symbol("ε"): ((), β * CAP)}},
        ),
        Step(
            "hot ratio",
            Le(HOT_RATIO, HALF * (β * CAP)),
            "modus ponens",
            r"At $y = \beta B$.",
            using=("ratio", "bound"),
        ),
        Step(
            "hot",
            Le(Abs(HOT - MEAN), HALF * β * CAP * (M - m)),
            "certificate",
            r"With all scores 0, the output is the mean $\tfrac1n\sum_j v_j$.",
            given=(Lt(m, M),),
            using=("hot noise", "hot ratio"),
            hints={
                "certificate": ((M - m) * HOT_RATIO - Abs(HOT_NOISE - UNIFORM))
                + (M - m) * (HALF * (β * CAP) - HOT_RATIO)
            },
        ),
    ),
    concludes=("hot", "cold", "speed"),
    near_miss=NearMiss(
        r"The cold limit is approached at the rate $e^{-2\beta\Delta}$.",
        Le(Abs(COLD_OUT - TIE_MEAN), Size(OTHERS) / Size(TIES) * Exp(-(2 * β * lead)) * W),
        Model(
            {TIES: 1, OTHERS: 1},
            {top.symbol: log(2), lower: (0,), first: (0,), rest: (1,), β.symbol: 1, lead.symbol: log(2), W.symbol: 1},
        ),
        given=(LAG, Le(rest[o] - TIE_MEAN, W), Le(TIE_MEAN - rest[o], W), Le(ZERO, β)),
    ),
    illustration=Illustration(
        r"One key leads by $\log 100$; values 0 for it and 1 for the other.",
        Model(
            {TIES: 1, OTHERS: 1},
            {
                top.symbol: log(100),
                lower: (0,),
                first: (0,),
                rest: (1,),
                β.symbol: 1,
                lead.symbol: log(100),
                W.symbol: 1,
            },
        ),
        (("output", COLD_OUT), ("bound", FAR * W)),
    ),
    source="folklore; the hot bound: own",
    needs=("exponential_above_its_tangent", "score_noise_moves_output_by_tanh"),
)

# Distributions: r any one with positive weights, p the softmax of the scores, L its log-sum-exp.
r = Symbol("r", (KEYS,))
R_TOTAL, R_POSITIVE = Eq(Sum(j, r[j]), ONE), Lt(ZERO, r[j])
SOFT = softmax(lambda n: s[n], j, k)
KL_P = Sum(j, r[j] * (Log(r[j]) - Log(p[j])))
ENTROPY = -Sum(j, r[j] * Log(r[j]))
LSE = Log(Sum(k, Exp(s[k])))
τ = scalar("τ")


def root(weight: Term) -> Term:
    """√ of a weight."""
    return weight**HALF


SEPARATION = Sum(j, (root(r[j]) - root(p[j])) ** 2)
ROOT_RATIO = p[j] ** HALF * r[j] ** -HALF


SOFTMAX = Eq(p[j], SOFT)
warm = Symbol("q", (KEYS,))
WARM_WEIGHTS = Eq(warm[j], softmax(lambda n: s[n] / τ, j, k))


gibbs_variational_principle = Theorem(
    name="gibbs_variational_principle",
    family=FAMILY,
    level=3,
    statement=r"For every distribution $r$: $\sum_j r_js_j + H(r) = \operatorname{LSE}(s) - \mathrm{KL}(r\,\|\,p)$ "
    r"with $p "
    r"= \operatorname{softmax}(s)$, and $\mathrm{KL}(r\,\|\,p) \ge \sum_j(\sqrt{r_j} - \sqrt{p_j})^2 \ge 0$. So "
    r"softmax, "
    r"and nothing else, maximises expected score plus entropy, and the maximum is $\operatorname{LSE}(s)$. At a "
    r"temperature $\tau$, $\sum_j r_js_j + \tau H(r) \le \tau\operatorname{LSE}(s/\tau)$.",
    hypotheses=r"$r_j > 0$, $\sum_j r_j = 1$, $\tau > 0$. (A weight $r_j = 0$ is a limit: $r\log r \to 0$.)",
    why="Answers “why softmax and not something else”: it is argmax with entropy as its price.",
    predict="You may choose any weights, and are paid the expected score plus the entropy. What do you choose?",
    steps=(
        Step(
            "identity",
            Eq(Sum(j, r[j] * s[j]) + ENTROPY, LSE - KL_P),
            "normal form",
            r"$\log p_j = s_j - \operatorname{LSE}(s)$, and $\sum_j r_j = 1$.",
            given=(SOFTMAX, R_TOTAL, R_POSITIVE),
        ),
        Step(
            "weights given",
            Le(ZERO, z - 1 - Log(z)),
            "certificate",
            r"$\log t \le t - 1$.",
            given=(POSITIVE, R_POSITIVE),
            using=("exponential_above_its_tangent:log tangent",),
        ),
        Step(
            "logarithm",
            Le(ZERO, ROOT_RATIO - 1 - Log(ROOT_RATIO)),
            "instance",
            r"Take it at $t = \sqrt{p_j/r_j}$.",
            using=("weights given",),
            hints={"symbols": {z.symbol: ((), ROOT_RATIO)}},
        ),
        Step(
            "above 0",
            Lt(ZERO, ROOT_RATIO),
            "certificate",
            "This is positive, as weights are.",
            given=(POSITIVE, R_POSITIVE),
        ),
        Step(
            "termwise",
            Le(ZERO, ROOT_RATIO - 1 - Log(ROOT_RATIO)),
            "modus ponens",
            "So it may be used for every key.",
            using=("logarithm", "above 0"),
        ),
        Step(
            "apart",
            Le(SEPARATION, KL_P),
            "certificate",
            r"Times $2r_j$ and summed: $\sum_j r_j\log(r_j/p_j) \ge 2 - 2\sum_j\sqrt{r_jp_j}$, and that is "
            r"$\sum_j(\sqrt{r_j} - \sqrt{p_j})^2$. It is 0 only if $r = p$.",
            given=(TOTAL, POSITIVE, R_TOTAL, R_POSITIVE),
            using=("termwise",),
            hints={"certificate": Sum(j, 2 * r[j] * (ROOT_RATIO - 1 - Log(ROOT_RATIO)))},
        ),
        Step(
            "not negative",
            Le(ZERO, KL_P),
            "certificate",
            "In particular it is not negative.",
            given=(TOTAL, POSITIVE, R_TOTAL, R_POSITIVE),
            using=("apart",),
            hints={"certificate": (KL_P - SEPARATION) + SEPARATION},
        ),
        Step("total", TOTAL, "normal form", "Softmax weights sum to 1", given=(SOFTMAX,)),
        Step(
            "positive",
            POSITIVE,
            "certificate",
            "and are positive,",
            given=(SOFTMAX,),
            hints={"certificate": SOFT},
        ),
        Step(
            "divergence",
            Le(ZERO, KL_P),
            "modus ponens",
            "so this holds for them.",
            using=("not negative", "total", "positive"),
        ),
        Step(
            "maximum",
            Le(Sum(j, r[j] * s[j]) + ENTROPY, LSE),
            "certificate",
            r"Therefore expected score plus entropy is at most $\operatorname{LSE}(s)$,",
            given=(SOFTMAX, R_TOTAL, R_POSITIVE),
            using=("divergence",),
            hints={"certificate": KL_P},
        ),
        Step(
            "attained",
            Eq(Sum(j, p[j] * s[j]) - Sum(j, p[j] * Log(p[j])), LSE),
            "normal form",
            r"and softmax attains it.",
            given=(SOFTMAX,),
        ),
        Step(
            "warm if",
            Le(ZERO, Sum(j, r[j] * (Log(r[j]) - Log(warm[j])))),
            "instance",
            r"The divergence from any other row of weights $q$ is not negative either.",
            using=("not negative",),
            hints={"symbols": {p: ((any_,), warm[any_])}},
        ),
        Step(
            "warm total",
            Eq(Sum(j, warm[j]), ONE),
            "normal form",
            r"Take $q = \operatorname{softmax}(s/\tau)$, which",
            given=(Lt(ZERO, τ), WARM_WEIGHTS),
        ),
        Step(
            "warm positive",
            Lt(ZERO, warm[j]),
            "certificate",
            "is a row of weights.",
            given=(Lt(ZERO, τ), WARM_WEIGHTS),
            hints={"certificate": softmax(lambda n: s[n] / τ, j, k)},
        ),
        Step(
            "warm divergence",
            Le(ZERO, Sum(j, r[j] * (Log(r[j]) - Log(warm[j])))),
            "modus ponens",
            "So its divergence is not negative.",
            using=("warm if", "warm total", "warm positive"),
        ),
        Step(
            "temperature",
            Le(Sum(j, r[j] * s[j]) - τ * Sum(j, r[j] * Log(r[j])), τ * Log(Sum(k, Exp(s[k] / τ)))),
            "certificate",
            r"With scores $s_j/\tau$ and their weights $q$, times $\tau$, it is the same with a temperature.",
            given=(Lt(ZERO, τ), WARM_WEIGHTS, R_TOTAL, R_POSITIVE),
            using=("warm divergence",),
            hints={"certificate": τ * Sum(j, r[j] * (Log(r[j]) - Log(warm[j])))},
        ),
    ),
    concludes=("identity", "apart", "maximum", "attained", "temperature"),
    near_miss=NearMiss(
        r"The free energy is $-\log D = \sum_j p_js_j - H(p)$ (a slip of sign).",
        Eq(-LSE, Sum(j, SOFT * s[j]) + Sum(j, SOFT * Log(SOFT))),
        Model({KEYS: 1}, {s: (1,)}),
    ),
    illustration=Illustration(
        r"Scores $\log 3, 0$; paid for $r = (\tfrac12, \tfrac12)$ and for softmax.",
        Model({KEYS: 2}, {s: (log(3), 0), r: (HALF, HALF)}),
        (
            ("even weights", Sum(j, r[j] * s[j]) + ENTROPY),
            ("softmax", Sum(j, SOFT * s[j]) - Sum(j, SOFT * Log(SOFT))),
            ("LSE", LSE),
        ),
    ),
    source="Gibbs; Cover & Thomas, theorem 2.6.3",
    needs=("exponential_above_its_tangent",),
)

# Pinsker's inequality, from a function that is nowhere negative.
CURVE = (t - 1) ** 2 * (t + 8) / (t * (t + 2) ** 3)
DISTANCE = Sum(j, Abs(r[j] - p[j]))


def shape(at: Term) -> Term:
    """t log t − t + 1 − 3(t − 1)²/(2(t + 2))."""
    return at * Log(at) - at + 1 - Fraction(3, 2) * (at - 1) ** 2 / (at + 2)


def weight_of(at: Index) -> Term:
    """(2 r + 4 p)/3, which sums to 2."""
    return (2 * r[at] + 4 * p[at]) / 3


size, share = Symbol("a", (KEYS,)), Symbol("w", (KEYS,))
SQUARES = Sum(j, Abs(r[j] - p[j]) ** 2 / weight_of(j))

pinsker_for_weights = Theorem(
    name="pinsker_for_weights",
    family=FAMILY,
    level=4,
    statement=r"$\big(\sum_j|r_j - p_j|\big)^2 \le 2\,\mathrm{KL}(r\,\|\,p)$ for any two rows of weights. So rows "
    r"that are "
    r"close in divergence give outputs that are close.",
    hypotheses=r"$r_j, p_j > 0$, both sum to 1.",
    why="Attention is often trained or distilled by a divergence between rows of weights; this turns it into a "
    "bound for "
    "the output, with the best constant.",
    predict="Two rows of weights have a divergence of 0.02. How much weight can have moved?",
    steps=(
        Step(
            "value",
            Eq(shape(ONE), ZERO),
            "normal form",
            r"$f(t) = t\log t - t + 1 - \tfrac32(t-1)^2/(t+2)$ is 0 at $t = 1$,",
        ),
        Step("slope", Eq(slope_at(SHAPE, t, Fraction(1), [RIGHT]), ZERO), "normal form", "with slope 0,"),
        Step(
            "curvature",
            Le(ZERO, Deriv(Deriv(SHAPE, t), t)),
            "certificate",
            r"and its second derivative $(t-1)^2(t+8)/(t(t+2)^3)$ is nowhere negative.",
            given=(RIGHT,),
            hints={"certificate": CURVE},
        ),
        Step(
            "shape",
            Le(ZERO, SHAPE),
            "tangent",
            r"So $f(t) \ge 0$ for all $t > 0$.",
            using=("value", "slope", "curvature"),
            hints={"by": t, "at": Fraction(1)},
        ),
        Step(
            "weights given",
            Le(ZERO, SHAPE),
            "certificate",
            "This has nothing to do with weights yet.",
            given=(POSITIVE, R_POSITIVE),
            using=("shape",),
        ),
        Step(
            "at the ratio",
            Le(ZERO, shape(r[j] / p[j])),
            "instance",
            r"Use it at $t = r_j/p_j$,",
            using=("weights given",),
            hints={"symbols": {t.symbol: ((), r[j] / p[j])}},
        ),
        Step("ratio", Lt(ZERO, r[j] / p[j]), "certificate", "which is positive,", given=(POSITIVE, R_POSITIVE)),
        Step(
            "termwise", Le(ZERO, shape(r[j] / p[j])), "modus ponens", "for every key.", using=("at the ratio", "ratio")
        ),
        Step(
            "squares",
            Le(SQUARES, KL_P),
            "certificate",
            r"Times $p_j$ and summed: with $w_j = \tfrac13(2r_j + 4p_j)$, $\sum_j(r_j - p_j)^2/w_j$ is at most the "
            r"divergence.",
            given=(TOTAL, POSITIVE, R_TOTAL, R_POSITIVE),
            using=("termwise",),
            hints={"certificate": Sum(j, p[j] * shape(r[j] / p[j]))},
        ),
        Step(
            "cauchy",
            Le(Sum(j, size[j]) ** 2, Sum(j, size[j] ** 2 / share[j]) * Sum(j, share[j])),
            "certificate",
            r"By Cauchy and Schwarz, $\big(\sum_j a_j\big)^2 \le \sum_j a_j^2/w_j\;\sum_j w_j$; what is missing is "
            r"a sum of "
            r"squares over pairs.",
            given=(Lt(ZERO, share[j]), POSITIVE, R_POSITIVE),
            hints={
                "certificate": HALF * over(i, k)(share[i] * share[k] * (size[i] / share[i] - size[k] / share[k]) ** 2)
            },
        ),
        Step("share", Lt(ZERO, weight_of(j)), "certificate", r"The $w_j$ are positive", given=(POSITIVE, R_POSITIVE)),
        Step(
            "moved weight",
            Le(DISTANCE**2, SQUARES * Sum(j, weight_of(j))),
            "instance",
            r"With $a_j = |r_j - p_j|$ and these $w_j$,",
            using=("cauchy",),
            hints={"symbols": {size: ((any_,), Abs(r[any_] - p[any_])), share: ((any_,), weight_of(any_))}},
        ),
        Step(
            "moved",
            Le(DISTANCE**2, SQUARES * Sum(j, weight_of(j))),
            "modus ponens",
            "which are positive.",
            using=("moved weight", "share"),
        ),
        Step(
            "pinsker",
            Le(DISTANCE**2, 2 * KL_P),
            "certificate",
            r"And the $w_j$ sum to 2.",
            given=(TOTAL, POSITIVE, R_TOTAL, R_POSITIVE),
            using=("squares", "moved"),
            hints={"certificate": (SQUARES * Sum(j, weight_of(j)) - DISTANCE**2) + 2 * (KL_P - SQUARES)},
        ),
    ),
    concludes=("pinsker",),
    near_miss=NearMiss(
        r"$\big(\sum_j|r_j - p_j|\big)^2 \le \mathrm{KL}(r\,\|\,p)$, without the 2.",
        Le(DISTANCE**2, KL_P),
        Model({KEYS: 2}, {r: (HALF, HALF), p: (HALF / 2, 3 * HALF / 2)}),
        given=(TOTAL, POSITIVE, R_TOTAL, R_POSITIVE),
    ),
    illustration=Illustration(
        r"$r = (\tfrac12, \tfrac12)$ and $p = (\tfrac14, \tfrac34)$.",
        Model({KEYS: 2}, {r: (HALF, HALF), p: (HALF / 2, 3 * HALF / 2)}),
        (("squared distance", DISTANCE**2), ("2 KL", 2 * KL_P)),
    ),
    source="Pinsker; the pointwise inequality is folklore",
    needs=(),
)

# Two rows of scores, s and t.
other = Symbol("t", (KEYS,))


def soft(score: Symbol, at: Index) -> Term:
    """The weight of a key for scores."""
    return softmax(lambda n: score[n], at, k)


def divergence(one: Symbol, two: Symbol) -> Term:
    """KL between two rows of weights: Σ_j p (log p − log q)."""
    return Sum(j, one[j] * (Log(one[j]) - Log(two[j])))


def distance(one: Symbol, two: Symbol) -> Term:
    """Σ_j |p − q|."""
    return Sum(j, Abs(one[j] - two[j]))


q = Symbol("q", (KEYS,))
OTHER = Eq(q[j], soft(other, j))
ALONG = Sum(j, (p[j] - q[j]) * (s[j] - other[j]))
ROWS = {p: (Fraction(3, 4), Fraction(1, 4)), q: (HALF, HALF), s: (log(3), 0), other: (0, 0)}

softmax_is_a_monotone_map = Theorem(
    name="softmax_is_a_monotone_map",
    family=FAMILY,
    level=3,
    statement=r"For $p = \operatorname{softmax}(s)$ and $q = \operatorname{softmax}(t)$: $\sum_j(p_j - q_j)(s_j - "
    r"t_j) = "
    r"\mathrm{KL}(p\,\|\,q) + \mathrm{KL}(q\,\|\,p) \ge \big(\sum_j|p_j - q_j|\big)^2 \ge 0$.",
    hypotheses="Real scores.",
    why="Weights move the way the scores move, on balance: an exact identity behind every claim that softmax "
    "follows its "
    "input, and a bound that does not depend on the number of keys.",
    predict="All scores of a row are changed at will. Can the weights go down, on balance, where the scores went up?",
    steps=(
        Step(
            "identity",
            Eq(ALONG, divergence(p, q) + divergence(q, p)),
            "normal form",
            r"$\log p_j - \log q_j = (s_j - t_j) - (\operatorname{LSE}(s) - \operatorname{LSE}(t))$, and the second "
            r"bracket "
            r"is the same for all keys, so it meets $\sum_j(p_j - q_j) = 0$.",
            given=(SOFTMAX, OTHER),
        ),
        *(
            step
            for name, weight, score, given, why in (
                ("", p, s, SOFTMAX, "The weights $p$ sum to 1 and are positive,"),
                ("other ", q, other, OTHER, "and so do the weights $q$."),
            )
            for step in (
                Step(f"{name}total", Eq(Sum(j, weight[j]), ONE), "normal form", why, given=(given,)),
                Step(
                    f"{name}positive",
                    Lt(ZERO, weight[j]),
                    "certificate",
                    "Exponentials are positive.",
                    given=(given,),
                    hints={"certificate": soft(score, j)},
                ),
            )
        ),
        *(
            step
            for name, one, two, why in (
                ("forth", p, q, r"So Pinsker's inequality holds for $p$ against $q$,"),
                ("back", q, p, r"and for $q$ against $p$,"),
            )
            for step in (
                Step(
                    f"{name} if",
                    Le(distance(one, two) ** 2, 2 * divergence(one, two)),
                    "instance",
                    why,
                    using=("pinsker_for_weights:pinsker",),
                    hints={"symbols": {r: ((any_,), one[any_]), p: ((any_,), two[any_])}},
                ),
                Step(
                    name,
                    Le(distance(one, two) ** 2, 2 * divergence(one, two)),
                    "modus ponens",
                    "with nothing assumed.",
                    using=(f"{name} if", "total", "other total", "positive", "other positive"),
                ),
            )
        ),
        Step(
            "monotone",
            Le(distance(p, q) ** 2, ALONG),
            "certificate",
            "Half of the sum of both.",
            using=("forth", "back"),
            hints={
                "certificate": HALF * (2 * divergence(p, q) - distance(p, q) ** 2)
                + HALF * (2 * divergence(q, p) - distance(q, p) ** 2)
            },
        ),
    ),
    concludes=("identity", "monotone"),
    near_miss=NearMiss(
        r"Key by key: $(p_j - q_j)(s_j - t_j) \ge 0$ for every $j$.",
        Le(ZERO, (soft(s, j) - soft(other, j)) * (s[j] - other[j])),
        Model({KEYS: 2}, {s: (log(2), log(4)), other: (0, 0)}),
    ),
    illustration=Illustration(
        r"Scores $\log 3, 0$ against $0, 0$.",
        Model({KEYS: 2}, ROWS),
        (("on balance", ALONG), ("squared distance", distance(p, q) ** 2)),
    ),
    source="folklore (a gradient of a convex function is monotone); this form: own",
    needs=("pinsker_for_weights",),
)

# Jensen: the logarithm of a mean of exponentials is at least the mean.
d = Symbol("d", (KEYS,))
DRIFT = Sum(k, p[k] * d[k])
MEAN_EXP = Sum(j, p[j] * Exp(d[j]))
TILTED = Sum(j, p[j] * Exp(d[j] - DRIFT))

jensen_for_exponentials = Theorem(
    name="jensen_for_exponentials",
    family=FAMILY,
    level=3,
    statement=r"$\log\sum_j p_je^{d_j} \ge \sum_j p_jd_j$ for weights $p$. With equal weights: "
    r"$\operatorname{LSE}(s) \ge "
    r"\tfrac1n\sum_j s_j + \log n$.",
    hypotheses=r"$p_j > 0$, $\sum_j p_j = 1$.",
    why="The soft maximum is never below the mean. The step in which energies of attention descend.",
    predict=r"Is $\log\sum_j e^{s_j}$ ever below the mean of the scores?",
    steps=(
        Step(
            "at each",
            Le(ZERO, Exp(d[j] - DRIFT) - 1 - (d[j] - DRIFT)),
            "instance",
            r"$e^{y} \ge 1 + y$ at $y = d_j - \mu$, where $\mu = \sum_k p_kd_k$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), d[j] - DRIFT)}},
        ),
        Step(
            "one",
            Le(ONE, TILTED),
            "certificate",
            r"The mean of the right side is $1 + \mu - \mu$.",
            given=(TOTAL, POSITIVE),
            using=("at each",),
            hints={"certificate": Sum(j, p[j] * (Exp(d[j] - DRIFT) - 1 - (d[j] - DRIFT)))},
        ),
        Step(
            "weights given",
            Le(ZERO, z - 1 - Log(z)),
            "certificate",
            r"Now $\log t \le t - 1$,",
            given=(POSITIVE,),
            using=("exponential_above_its_tangent:log tangent",),
        ),
        Step(
            "inverse",
            Le(ZERO, 1 / TILTED - 1 - Log(1 / TILTED)),
            "instance",
            r"at $t = 1/\sum_j p_je^{d_j - \mu}$,",
            using=("weights given",),
            hints={"symbols": {z.symbol: ((), 1 / TILTED)}},
        ),
        Step("above 0", Lt(ZERO, 1 / TILTED), "certificate", "which is positive.", given=(POSITIVE,)),
        Step(
            "logarithm",
            Le(ZERO, 1 / TILTED - 1 - Log(1 / TILTED)),
            "modus ponens",
            "So it holds.",
            using=("inverse", "above 0"),
        ),
        Step(
            "jensen",
            Le(DRIFT, Log(MEAN_EXP)),
            "certificate",
            r"The sum is $Y = e^{-\mu}\sum_j p_je^{d_j} \ge 1$, and $\log Y \ge 1 - 1/Y \ge 0$.",
            given=(TOTAL, POSITIVE),
            using=("logarithm", "one"),
            hints={"certificate": (1 / TILTED - 1 - Log(1 / TILTED)) + (TILTED - 1) / TILTED},
        ),
        Step(
            "even",
            Le(Sum(k, (1 / Size(KEYS)) * d[k]), Log(Sum(j, (1 / Size(KEYS)) * Exp(d[j])))),
            "instance",
            r"With $p_j = 1/n$",
            using=("jensen",),
            hints={"symbols": {p: ((any_,), 1 / Size(KEYS))}},
        ),
        Step("even total", Eq(Sum(j, 1 / Size(KEYS)), ONE), "normal form", r"(which sum to 1"),
        Step("even positive", Lt(ZERO, 1 / Size(KEYS)), "certificate", "and are positive)"),
        Step(
            "even weights",
            Le(Sum(k, (1 / Size(KEYS)) * d[k]), Log(Sum(j, (1 / Size(KEYS)) * Exp(d[j])))),
            "modus ponens",
            "that is",
            using=("even", "even total", "even positive"),
        ),
        Step(
            "soft maximum",
            Le(Sum(j, d[j]) / Size(KEYS) + Log(Size(KEYS)), Log(Sum(j, Exp(d[j])))),
            "certificate",
            r"the mean of the scores plus $\log n$, below the soft maximum.",
            using=("even weights",),
            hints={"certificate": Log(Sum(j, (1 / Size(KEYS)) * Exp(d[j]))) - Sum(k, (1 / Size(KEYS)) * d[k])},
        ),
    ),
    concludes=("jensen", "soft maximum"),
    near_miss=NearMiss(
        r"The other way round: $\log\sum_j p_je^{d_j} \le \sum_j p_jd_j$.",
        Le(Log(MEAN_EXP), DRIFT),
        Model({KEYS: 2}, {p: (HALF, HALF), d: (0, log(3))}),
        given=(TOTAL, POSITIVE),
    ),
    illustration=Illustration(
        r"$p = (\tfrac12, \tfrac12)$, $d = (0, \log 3)$.",
        Model({KEYS: 2}, {p: (HALF, HALF), d: (0, log(3))}),
        (("log of the mean", Log(MEAN_EXP)), ("mean", DRIFT)),
    ),
    source="Jensen",
    needs=("exponential_above_its_tangent",),
)

# The energy whose slope is the output.
ζ, wide, probe = Symbol("ζ", (COLUMNS,)), Symbol("v", (KEYS, COLUMNS)), Symbol("y", (COLUMNS,))
query, key = Symbol("q", (WIDTH,)), Symbol("k", (KEYS, WIDTH))
TILT = Log(Sum(j, Exp(s[j] + Sum(c, ζ[c] * wide[j, c]))))


def tilted(at: Index) -> Term:
    """The weight with scores s + ζ · v."""
    return softmax(lambda n: s[n] + Sum(c, ζ[c] * wide[n, c]), at, k)


def covariance(weight: Term, b: Index, e: Index) -> Term:
    """Cov_p(v_b, v_e) with weights of key j."""
    return Sum(j, weight * wide[j, b] * wide[j, e]) - Sum(j, weight * wide[j, b]) * Sum(j, weight * wide[j, e])


f = COLUMNS.index("f")
ASKED = Log(Sum(j, Exp(τ * Sum(a, query[a] * key[j, a]))))

attention_is_a_gradient = Theorem(
    name="attention_is_a_gradient",
    family=FAMILY,
    level=3,
    statement=r"Let $F(\zeta) = \log\sum_j e^{s_j + \zeta\cdot v_j}$. Its slope at 0 is the output, $\nabla F(0) = "
    r"o$, and "
    r"its second derivative is the covariance of the values under the weights, which is nowhere negative: $F$ is "
    r"convex. "
    r"Likewise $\nabla_q\,\tfrac1\tau\operatorname{LSE}(\tau Kq) = \sum_j p_jk_j$.",
    hypotheses=r"Real scores; $\tau > 0$.",
    why="One scalar function generates the output (first derivative) and its uncertainty (second): the energy behind "
    "tree attention and Hopfield networks.",
    predict="Which function of a probe vector has the attention output as its slope?",
    steps=(
        Step(
            "slope",
            Eq(Deriv(TILT, ζ[e]), Sum(j, tilted(j) * wide[j, e])),
            "normal form",
            r"$\partial\log D = \partial D/D$, and term $j$ of $D$ grows by $v_{je}$: the output for scores "
            r"$s + \zeta\cdot v$, and at $\zeta = 0$ that for $s$.",
        ),
        Step(
            "curvature",
            Eq(Deriv(Deriv(TILT, ζ[e]), ζ[f]), covariance(tilted(j), e, f)),
            "normal form",
            r"Once more, with the Jacobian of softmax: a covariance.",
        ),
        Step(
            "convex",
            Le(ZERO, over(e, f)(probe[e] * probe[f] * covariance(p[j], e, f))),
            "certificate",
            r"As a quadratic form it is $\tfrac12\sum_{j,k} p_jp_k(y\cdot v_j - y\cdot v_k)^2 \ge 0$.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": HALF * over(j, k)(p[j] * p[k] * Sum(c, probe[c] * (wide[j, c] - wide[k, c])) ** 2)},
        ),
        Step(
            "query",
            Eq(
                Deriv(ASKED / τ, query[b]),
                Sum(j, softmax(lambda n: τ * Sum(a, query[a] * key[n, a]), j, k) * key[j, b]),
            ),
            "normal form",
            r"With respect to the query the terms grow by $\tau k_{jb}$: the slope is the mean key.",
            given=(Lt(ZERO, τ),),
        ),
    ),
    concludes=("slope", "curvature", "convex", "query"),
    near_miss=NearMiss(
        r"$F$ is concave: $F(1) + F(-1) \le 2F(0)$.",
        Le(Log(Sum(j, Exp(s[j] + v[j]))) + Log(Sum(j, Exp(s[j] - v[j]))), 2 * Log(Sum(j, Exp(s[j])))),
        Model({KEYS: 2}, {s: (0, 0), v: (0, log(2))}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$, values $0, 4$.",
        Model({KEYS: 2, COLUMNS: 1}, {s: (0, log(3)), wide: ((0,), (4,)), ζ: (0,)}),
        (("slope", Deriv(TILT, ζ[e])), ("output", Sum(j, soft(s, j) * wide[j, e]))),
    ),
    source="Shyam et al. 2024; Boyd & Vandenberghe 2004, section 3.1.5",
)

# Kernel regression.
BIAS, CONSTANT = Symbol("b", (KEYS,)), scalar("c")
WARM = Lt(ZERO, τ)


def dot(at: Index) -> Term:
    """q · k."""
    return Sum(a, query[a] * key[at, a])


def far(at: Index) -> Term:
    """‖q − k‖²."""
    return Sum(a, (query[a] - key[at, a]) ** 2)


def norm(at: Index) -> Term:
    """‖k‖²."""
    return Sum(a, key[at, a] ** 2)


NEAREST = softmax(lambda n: -far(n) / (2 * τ), j, k)
BIASED = softmax(lambda n: s[n] + BIAS[n], j, k)

kernel_smoothing_with_equal_norms = Theorem(
    name="kernel_smoothing_with_equal_norms",
    family=FAMILY,
    level=2,
    statement=r"Gaussian kernel weights $\operatorname{softmax}(-\lVert q - k_j\rVert^2/2\tau)$ are attention with "
    r"scores "
    r"$q\cdot k_j/\tau$ and a bias $-\lVert k_j\rVert^2/2\tau$. They equal plain dot-product attention if and only "
    r"if all "
    r"keys have the same norm.",
    hypotheses=r"$\tau > 0$, the variance of the kernel.",
    why="Joins the regression of 1964 (Nadaraya, Watson) to the formula of 2017, and shows what a norm on keys "
    "changes.",
    predict="When do “attend to the nearest key” and “attend to the largest dot product” agree?",
    steps=(
        Step(
            "bias of norms",
            Eq(NEAREST, softmax(lambda n: dot(n) / τ - norm(n) / (2 * τ), j, k)),
            "normal form",
            r"$\lVert q - k\rVert^2 = \lVert q\rVert^2 - 2q\cdot k + \lVert k\rVert^2$, and $\lVert q\rVert^2$ is "
            r"the same "
            r"for all keys: it cancels.",
            given=(WARM,),
        ),
        Step(
            "equal",
            Eq(BIASED, softmax(lambda n: s[n], j, k)),
            "normal form",
            r"A bias that is the same for all keys cancels too. So with equal norms nothing is left of the bias.",
            given=(Eq(BIAS[j], CONSTANT),),
        ),
        Step(
            "same", Eq(BIASED, softmax(lambda n: s[n], j, k)), "hypothesis", "Conversely, let a bias change no weight."
        ),
        Step(
            "only if",
            Eq(s[j] + BIAS[j] - Log(Sum(k, Exp(s[k] + BIAS[k]))), s[j] - Log(Sum(k, Exp(s[k])))),
            "congruence",
            r"Take logarithms: $b_j$ is a difference of two numbers that do not depend on $j$.",
            using=("same",),
            hints={"hole": scalar("□"), "context": Log(scalar("□"))},
        ),
    ),
    concludes=("bias of norms", "equal", "only if"),
    near_miss=NearMiss(
        r"They agree for keys of any norm.",
        Eq(NEAREST, softmax(lambda n: dot(n) / τ, j, k)),
        Model({KEYS: 2, WIDTH: 1}, {query: (1,), key: ((0,), (2,)), τ.symbol: 1}),
        given=(WARM,),
    ),
    illustration=Illustration(
        r"$q = 1$, keys $0, 2$, $\tau = 1$: both are equally near.",
        Model({KEYS: 2, WIDTH: 1}, {query: (1,), key: ((0,), (2,)), τ.symbol: 1}),
        (("by nearness", NEAREST), ("by dot product", softmax(lambda n: dot(n) / τ, j, k))),
    ),
    source="Nadaraya 1964; Watson 1964; Tsai et al. 2019",
)

# Attention fed back as the next query.
ξ, ξ_, pattern = Symbol("ξ", (WIDTH,)), Symbol("ξ'", (WIDTH,)), Symbol("x", (KEYS, WIDTH))


def fit(state: Symbol, at: Index) -> Term:
    """β x · ξ."""
    return β * Sum(a, pattern[at, a] * state[a])


def energy(state: Symbol) -> Term:
    """½‖ξ‖² − (1/β) log Σ_j exp(β x_j · ξ)."""
    return HALF * Sum(a, state[a] ** 2) - 1 / β * Log(Sum(j, Exp(fit(state, j))))


def step_towards(at: Index) -> Term:
    """β x · (ξ′ − ξ)."""
    return β * Sum(a, pattern[at, a] * (ξ_[a] - ξ[a]))


def recalled(at: Index) -> Term:
    """The weight of a pattern."""
    return softmax(lambda n: fit(ξ, n), at, k)


NEXT = Eq(ξ_[b], Sum(j, p[j] * pattern[j, b]))
COOL = Lt(ZERO, β)
HOP_P = Eq(p[j], recalled(j))
HOP_JENSEN = Le(Sum(k, p[k] * step_towards(k)), Log(Sum(j, p[j] * Exp(step_towards(j)))))
GAIN = Log(Sum(j, p[j] * Exp(step_towards(j)))) - Sum(k, p[k] * step_towards(k))

hopfield_energy_descends = Theorem(
    name="hopfield_energy_descends",
    family=FAMILY,
    level=4,
    statement=r"Let $E(\xi) = \tfrac12\lVert\xi\rVert^2 - \tfrac1\beta\log\sum_j e^{\beta x_j\cdot\xi}$ and $\xi' = "
    r"\sum_j p_jx_j$ with $p = \operatorname{softmax}(\beta X\xi)$, attention to the patterns $x_j$. Then $E(\xi') \le "
    r"E(\xi) - \tfrac12\lVert\xi' - \xi\rVert^2$.",
    hypotheses=r"$\beta > 0$; keys and values are the patterns.",
    why="Attention fed back on itself is a descent, with a guarantee of how far it descends: the theorem of modern "
    "Hopfield "
    "networks.",
    predict="Feed the attention output back as the next query, again and again. Can it go round in a cycle?",
    steps=(
        Step(
            "jensen",
            HOP_JENSEN,
            "instance",
            r"The mean of exponentials is at least the exponential of the mean: take "
            r"$d_j = \beta x_j\cdot(\xi' - \xi)$.",
            using=("jensen_for_exponentials:jensen",),
            hints={"symbols": {d: ((any_,), step_towards(any_))}},
        ),
        Step("total", TOTAL, "normal form", "Softmax weights sum to 1", given=(HOP_P,)),
        Step(
            "positive", POSITIVE, "certificate", "and are positive,", given=(HOP_P,), hints={"certificate": recalled(j)}
        ),
        Step("mean", HOP_JENSEN, "modus ponens", "so this holds.", using=("jensen", "total", "positive")),
        Step(
            "any step",
            Le(
                energy(ξ_),
                energy(ξ)
                - Sum(a, Sum(j, p[j] * pattern[j, a]) * (ξ_[a] - ξ[a]))
                + HALF * Sum(a, ξ_[a] ** 2)
                - HALF * Sum(a, ξ[a] ** 2),
            ),
            "certificate",
            r"$\sum_j p_je^{d_j}$ is the quotient of the denominators at $\xi'$ and at $\xi$. So for any $\xi'$ the "
            r"energy is "
            r"bounded by a parabola.",
            given=(COOL,),
            using=("mean",),
            hints={"certificate": 1 / β * GAIN},
        ),
        Step(
            "descends",
            Le(energy(ξ_), energy(ξ) - HALF * Sum(a, (ξ_[a] - ξ[a]) ** 2)),
            "certificate",
            r"At $\xi' = \sum_j p_jx_j$ the parabola is $E(\xi) - \xi'\cdot(\xi' - \xi) + \tfrac12\lVert\xi'\rVert^2 - "
            r"\tfrac12\lVert\xi\rVert^2 = E(\xi) - \tfrac12\lVert\xi' - \xi\rVert^2$.",
            given=(COOL, NEXT, HOP_P),
            using=("any step",),
            hints={"certificate": 1 / β * GAIN},
        ),
    ),
    concludes=("any step", "descends"),
    near_miss=NearMiss(
        r"It descends by twice as much, $\lVert\xi' - \xi\rVert^2$.",
        Le(energy(ξ_), energy(ξ) - Sum(a, (ξ_[a] - ξ[a]) ** 2)),
        Model({KEYS: 1, WIDTH: 1}, {pattern: ((0,),), ξ: (1,), ξ_: (0,), β.symbol: 1, p: (1,)}),
        given=(COOL, NEXT, HOP_P),
    ),
    illustration=Illustration(
        r"Patterns $1, -1$, $\beta = 1$, $\xi = \log 2$: weights $\tfrac45, \tfrac15$, and $\xi' = \tfrac35$.",
        Model({KEYS: 2, WIDTH: 1}, {pattern: ((1,), (-1,)), ξ: (log(2),), ξ_: (Fraction(3, 5),), β.symbol: 1}),
        (("energy before", energy(ξ)), ("after", energy(ξ_))),
    ),
    source="Ramsauer et al. 2021, theorem 1; the quantity: own",
    needs=("jensen_for_exponentials",),
)

THEOREMS = (
    hot_and_cold_limits,
    gibbs_variational_principle,
    pinsker_for_weights,
    softmax_is_a_monotone_map,
    jensen_for_exponentials,
    attention_is_a_gradient,
    kernel_smoothing_with_equal_norms,
    hopfield_energy_descends,
)
