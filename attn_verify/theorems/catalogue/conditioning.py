"""The shift by the maximum, and the condition of a weight."""

from __future__ import annotations

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
    softmax,
)  # fmt: skip

KEYS = Sort("n")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
any_ = KEYS.index("•")  # the place of a symbol that a term is put for

s = Symbol("s", (KEYS,))
FAMILY = "rounding and conditioning"

# Scores with an error of at most ε; values between m and M.
δ, v = Symbol("δ", (KEYS,)), Symbol("v", (KEYS,))
m, M, ε = scalar("m"), scalar("M"), scalar("ε")
LOW, HIGH = Le(m, v[j]), Le(v[j], M)


def attended(score: Term, summed: Term, value: Term = v[j]) -> Term:
    """The output Σ_j e^score v_j over the denominator."""
    return Sum(j, Exp(score) * value) / Sum(k, Exp(summed))


OUT = attended(s[j], s[k])

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
    "that prevents overflow is no worse for accuracy than any other, and far better than none.",
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
            using=("tanh_below_its_tangent:half",),
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
    needs=("score_noise_moves_output_by_tanh", "tanh_below_its_tangent"),
)

# The condition of a weight.
z = Symbol("p", (KEYS,), ("s",))
Z_TOTAL, Z_POSITIVE = Eq(Sum(j, z[j]), ONE), Lt(ZERO, z[j])
Z_JACOBIAN = Eq(Deriv(z[i], s[l]), z[i] * (Delta(i, l) - z[l]))
CAP, C_LOW, C_HIGH = scalar("B"), scalar("m"), scalar("M")
MIDDLE = HALF * (C_LOW + C_HIGH)
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
            r"How much $p_i$ changes, relative to its size, for a relative change of the score $s_l$. The Jacobian has "
            r"a factor $p_i$, which cancels.",
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
            "The sum of the sizes of all those changes is the condition number; that is its bound.",
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
            r"Let the scores lie between $m$ and $M$. From the middle to the highest it is half of the range,",
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
        Step(
            "same weights",
            Eq(softmax(lambda at: s[at] + -MIDDLE, j, k), softmax(lambda at: s[at], j, k)),
            "instance",
            "And taking it off all scores changes no weight.",
            using=("shift_invariance_exactly:if",),
            hints={"symbols": {Symbol("c"): ((), -MIDDLE)}},
        ),
    ),
    concludes=("elasticity of softmax", "condition", "centred", "same weights"),
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
    needs=("softmax_jacobian", "shift_invariance_exactly"),
)

THEOREMS = (max_shift_is_harmless, softmax_condition_number)
