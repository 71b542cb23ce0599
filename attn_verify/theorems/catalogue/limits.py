"""Limits and variational views: hot and cold attention, energies, kernels, noise and recurrences."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.kernel.facts import slope_at
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
    Log,
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

KEYS, WIDTH, COLUMNS = Sort("n"), Sort("d"), Sort("d_v")
OTHERS = Sort("n'", empty=True)
TIME = Sort("t", natural=True)
i, j, k, l = (KEYS.index(name) for name in "ijkl")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")
o = OTHERS.index("o")
x, y, t, n = scalar("x"), scalar("y"), scalar("t"), scalar("n")

# Two facts about exp and log on which all inequalities with them rest.
ABOVE = Exp(y) - 1 - y
BELOW = t - 1 - Log(t)
SHAPE = t * Log(t) - t + 1 - Fraction(3, 2) * (t - 1) ** 2 / (t + 2)
ABOVE_ZERO = Lt(ZERO, t)

exponential_above_its_tangent = Theorem(
    name="exponential_above_its_tangent",
    family="limits and variational views",
    level=1,
    statement=r"$e^{y} \ge 1 + y$ for every real $y$; $\log t \le t - 1$ for $t > 0$; and $e^{x} \le e^{y}$ if "
    r"$x \le y$.",
    hypotheses="Real numbers.",
    why="Every bound of this collection that holds an exponential or a logarithm comes from these: leads, entropies, "
    "divergences and energies.",
    predict=r"Which straight line touches $e^{y}$ at 0, and on which side of it is the curve?",
    steps=(
        Step(
            "value", Eq(Exp(ZERO) - 1 - ZERO, ZERO), "normal form", r"At $y = 0$ both sides of the first claim are 1."
        ),
        Step(
            "slope",
            Eq(slope_at(ABOVE, y, Fraction(0)), ZERO),
            "normal form",
            r"And both have slope 1 there.",
        ),
        Step(
            "curvature",
            Le(ZERO, Deriv(Deriv(ABOVE, y), y)),
            "certificate",
            r"The second derivative of the difference is $e^{y} > 0$.",
            hints={"certificate": Exp(y)},
        ),
        Step(
            "above",
            Le(ZERO, ABOVE),
            "tangent",
            "So the curve lies above its tangent.",
            using=("value", "slope", "curvature"),
            hints={"by": y, "at": Fraction(0)},
        ),
        Step("value of log", Eq(ONE - 1 - Log(ONE), ZERO), "normal form", r"At $t = 1$ the second claim is $0 = 0$."),
        Step(
            "slope of log",
            Eq(slope_at(BELOW, t, Fraction(1), [ABOVE_ZERO]), ZERO),
            "normal form",
            r"The slope of $t - 1 - \log t$ is $1 - 1/t$, and 0 there.",
        ),
        Step(
            "curvature of log",
            Le(ZERO, Deriv(Deriv(BELOW, t), t)),
            "certificate",
            r"Its second derivative is $1/t^2 > 0$.",
            given=(ABOVE_ZERO,),
            hints={"certificate": 1 / t**2},
        ),
        Step(
            "below",
            Le(ZERO, BELOW),
            "tangent",
            "So the logarithm lies below its tangent.",
            using=("value of log", "slope of log", "curvature of log"),
            hints={"by": t, "at": Fraction(1)},
        ),
        Step(
            "at the difference",
            Le(ZERO, Exp(y - x) - 1 - (y - x)),
            "instance",
            r"The first claim at $y - x$.",
            using=("above",),
            hints={"symbols": {y.symbol: ((), y - x)}},
        ),
        Step(
            "increasing",
            Le(Exp(x), Exp(y)),
            "certificate",
            r"$e^{y} - e^{x} = e^{x}(e^{y-x} - 1) \ge e^{x}(y - x)$.",
            given=(Le(x, y),),
            using=("at the difference",),
            hints={"certificate": Exp(x) * ((Exp(y - x) - 1 - (y - x)) + (y - x))},
        ),
    ),
    concludes=("above", "below", "increasing"),
    near_miss=NearMiss(r"$e^{y} \ge 1 + 2y$ as well.", Le(1 + 2 * y, Exp(y)), Model(values={y.symbol: log(2)})),
    illustration=Illustration(
        r"At $y = \log 2$.", Model(values={y.symbol: log(2)}), ((r"exp(y)", Exp(y)), ("1 + y", 1 + y))
    ),
    source="folklore",
)

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
    statement=r"With scores $\beta s_j$: the output is within $\tfrac12\beta\max_j|s_j|\,(M - m)$ of the plain mean of the "
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
            using=("exponential_above_its_tangent:increasing",),
            hints={"symbols": {x.symbol: ((), β * lower[o]), y.symbol: ((), β * (top - lead))}},
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
            using=("exponential_above_its_tangent:above",),
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
            r"For small $\beta$, take scores 0 with errors $\beta s_j$, of at most $\beta B$: the bound for noisy scores "
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
L = scalar("L")
R_TOTAL, R_POSITIVE = Eq(Sum(j, r[j]), ONE), Lt(ZERO, r[j])
NORMALISER = Eq(L, Log(Sum(k, Exp(s[k]))))
SOFT = softmax(lambda n: s[n], j, k)
KL = Sum(j, r[j] * (Log(r[j]) - Log(SOFT)))
KL_P = Sum(j, r[j] * (Log(r[j]) - Log(p[j])))
ENTROPY = -Sum(j, r[j] * Log(r[j]))
LSE = Log(Sum(k, Exp(s[k])))
τ = scalar("τ")


def root(weight: Term) -> Term:
    """√ of a weight."""
    return weight**HALF


SEPARATION = Sum(j, (root(r[j]) - root(p[j])) ** 2)
ROOT_RATIO = p[j] ** HALF * r[j] ** -HALF


def put_soft(weight: Symbol) -> dict[Symbol, tuple[tuple[Index, ...], Term]]:
    """Softmax in the place of a weight."""
    return {weight: ((any_,), softmax(lambda n: s[n], any_, k))}


gibbs_variational_principle = Theorem(
    name="gibbs_variational_principle",
    family=FAMILY,
    level=3,
    statement=r"For every distribution $r$: $\sum_j r_js_j + H(r) = \operatorname{LSE}(s) - \mathrm{KL}(r\,\|\,p)$ with $p "
    r"= \operatorname{softmax}(s)$, and $\mathrm{KL}(r\,\|\,p) \ge \sum_j(\sqrt{r_j} - \sqrt{p_j})^2 \ge 0$. So softmax, "
    r"and nothing else, maximises expected score plus entropy, and the maximum is $\operatorname{LSE}(s)$. At a "
    r"temperature $\tau$, $\sum_j r_js_j + \tau H(r) \le \tau\operatorname{LSE}(s/\tau)$.",
    hypotheses=r"$r_j > 0$, $\sum_j r_j = 1$, $\tau > 0$. (A weight $r_j = 0$ is a limit: $r\log r \to 0$.)",
    why="Answers “why softmax and not something else”: it is argmax with entropy as its price.",
    predict="You may choose any weights, and are paid the expected score plus the entropy. What do you choose?",
    steps=(
        Step(
            "identity",
            Eq(Sum(j, r[j] * s[j]) + ENTROPY, LSE - KL),
            "normal form",
            r"$\log p_j = s_j - \operatorname{LSE}(s)$, and $\sum_j r_j = 1$.",
            given=(R_TOTAL, R_POSITIVE),
        ),
        Step(
            "weights given",
            Le(ZERO, BELOW),
            "certificate",
            r"$\log t \le t - 1$.",
            given=(POSITIVE, R_POSITIVE),
            using=("exponential_above_its_tangent:below",),
        ),
        Step(
            "logarithm",
            Le(ZERO, ROOT_RATIO - 1 - Log(ROOT_RATIO)),
            "instance",
            r"Take it at $t = \sqrt{p_j/r_j}$.",
            using=("weights given",),
            hints={"symbols": {t.symbol: ((), ROOT_RATIO)}},
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
        Step(
            "for softmax",
            Le(ZERO, KL),
            "instance",
            "This holds for the weights of softmax",
            using=("not negative",),
            hints={"symbols": put_soft(p)},
        ),
        Step("total", Eq(Sum(j, SOFT), ONE), "normal form", "as they sum to 1"),
        Step("positive", Lt(ZERO, SOFT), "certificate", "and are positive."),
        Step(
            "divergence",
            Le(ZERO, KL),
            "modus ponens",
            "So it does.",
            using=("for softmax", "total", "positive"),
        ),
        Step(
            "maximum",
            Le(Sum(j, r[j] * s[j]) + ENTROPY, LSE),
            "certificate",
            r"Therefore expected score plus entropy is at most $\operatorname{LSE}(s)$,",
            given=(R_TOTAL, R_POSITIVE),
            using=("divergence",),
            hints={"certificate": KL},
        ),
        Step(
            "attained",
            Eq(Sum(j, SOFT * s[j]) - Sum(j, SOFT * Log(SOFT)), LSE),
            "normal form",
            r"and softmax attains it.",
        ),
        Step(
            "maximum again",
            Le(Sum(j, r[j] * s[j]) + ENTROPY, LSE),
            "certificate",
            r"Now let there be a temperature $\tau > 0$.",
            given=(Lt(ZERO, τ), R_POSITIVE),
            using=("maximum",),
        ),
        Step(
            "scaled",
            Le(
                Sum(j, r[j] * (s[j] / τ)) + ENTROPY,
                Log(Sum(k, Exp(s[k] / τ))),
            ),
            "instance",
            r"Use the maximum at the scores $s_j/\tau$,",
            using=("maximum again",),
            hints={"symbols": {s: ((any_,), s[any_] / τ)}},
        ),
        Step(
            "temperature",
            Le(Sum(j, r[j] * s[j]) + τ * ENTROPY, τ * Log(Sum(k, Exp(s[k] / τ)))),
            "certificate",
            r"and multiply by $\tau$.",
            given=(Lt(ZERO, τ), R_POSITIVE),
            using=("scaled",),
            hints={"certificate": τ * (Log(Sum(k, Exp(s[k] / τ))) - (Sum(j, r[j] * (s[j] / τ)) + ENTROPY))},
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
    statement=r"$\big(\sum_j|r_j - p_j|\big)^2 \le 2\,\mathrm{KL}(r\,\|\,p)$ for any two rows of weights. So rows that are "
    r"close in divergence give outputs that are close.",
    hypotheses=r"$r_j, p_j > 0$, both sum to 1.",
    why="Attention is often trained or distilled by a divergence between rows of weights; this turns it into a bound for "
    "the output, with the best constant.",
    predict="Two rows of weights have a divergence of 0.02. How much weight can have moved?",
    steps=(
        Step(
            "value",
            Eq(shape(ONE), ZERO),
            "normal form",
            r"$f(t) = t\log t - t + 1 - \tfrac32(t-1)^2/(t+2)$ is 0 at $t = 1$,",
        ),
        Step("slope", Eq(slope_at(SHAPE, t, Fraction(1), [ABOVE_ZERO]), ZERO), "normal form", "with slope 0,"),
        Step(
            "curvature",
            Le(ZERO, Deriv(Deriv(SHAPE, t), t)),
            "certificate",
            r"and its second derivative $(t-1)^2(t+8)/(t(t+2)^3)$ is nowhere negative.",
            given=(ABOVE_ZERO,),
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
            r"By Cauchy and Schwarz, $\big(\sum_j a_j\big)^2 \le \sum_j a_j^2/w_j\;\sum_j w_j$; what is missing is a sum of "
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
    ),  # fmt: skip
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

THEOREMS = (exponential_above_its_tangent, hot_and_cold_limits, gibbs_variational_principle, pinsker_for_weights)
