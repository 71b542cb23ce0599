"""Hot and cold attention: from the plain mean to the look-up."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ZERO,
    Abs,
    Eq,
    Exp,
    Illustration,
    Le,
    Lt,
    Model,
    NearMiss,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    scalar,
)  # fmt: skip

KEYS = Sort("n")
OTHERS = Sort("n'", empty=True)
j, k = (KEYS.index(name) for name in "jk")
o = OTHERS.index("o")
y, z = scalar("y"), scalar("z")

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
s, v = Symbol("s", (KEYS,)), Symbol("v", (KEYS,))
m, M, β, lead = scalar("m"), scalar("M"), scalar("β"), scalar("Δ")

# Hot: all scores small.  Cold: tied keys at the top (of score S), the others at least Δ below.
TIES = Sort("r")
h = TIES.index("h")
top, lower = scalar("S"), Symbol("s", (OTHERS,))
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
    r"of the values, and if $r$ keys share the top score and the others lie at least $\Delta$ below, it is within "
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
            r"First for large $\beta$. Let $r$ keys, which $h$ numbers, share the top score $S$; they have the values "
            r"$v_h$, with the mean $\bar v = \frac1r\sum_h v_h$. The $n' = n - r$ others, which $o$ numbers, have the "
            r"scores $s_o$ and the values $v_o$. The exponential is increasing.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), β * lower[o]), z.symbol: ((), β * (top - lead))}},
        ),
        Step(
            "slower",
            Le(β * lower[o], β * (top - lead)),
            "certificate",
            "The argument on the left is smaller, as the score is, and $\\beta$ is not negative.",
            given=(LAG, Le(ZERO, β)),
            hints={"certificate": β * (top - lead - lower[o])},
        ),
        Step(
            "cold exponential",
            Le(Exp(β * lower[o]), Exp(β * (top - lead))),
            "modus ponens",
            r"So it holds where the top leads by $\Delta$.",
            using=("cold weight", "slower"),
        ),
        Step(
            "left",
            Le(LEFT, FAR),
            "certificate",
            r"The weight that is left for the others is small: its denominator is at least $r e^{\beta S}$, from the "
            r"$r$ top keys, and its numerator is at most $n'e^{\beta(S - \Delta)}$.",
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
            r"Let $W$ be at least $|v_o - \bar v|$ for all of them: none is more than $W$ above $\bar v$,",
            given=(Le(rest[o] - TIE_MEAN, W),),
            hints={"certificate": Sum(o, Exp(β * lower[o]) * (W - (rest[o] - TIE_MEAN))) / COLD},
        ),
        Step(
            "cold below",
            Le(-(COLD_OUT - TIE_MEAN), LEFT * W),
            "certificate",
            "nor below,",
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
            r"And that weight is small (“left”).",
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
            r"Now for small $\beta$. Let $s_j$ be the scores of all $n$ keys, $v_j$ their values between $m$ and $M$, "
            r"and $B$ at least $|s_j|$ for all $j$. Take scores 0 with errors $\beta s_j$, of at most $\beta B$: the "
            r"bound for noisy scores applies.",
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
            r"The quotient is $\tanh(\beta B/2)$, and $\tanh(y/2) \le y/2$ if $y \ge 0$,",
            using=("tanh_below_its_tangent:half",),
            hints={"symbols": {Symbol("ε"): ((), β * CAP)}},
        ),
        Step(
            "hot ratio",
            Le(HOT_RATIO, HALF * (β * CAP)),
            "modus ponens",
            r"as it is at $y = \beta B$.",
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
    needs=("exponential_above_its_tangent", "score_noise_moves_output_by_tanh", "tanh_below_its_tangent"),
)

THEOREMS = (hot_and_cold_limits,)
