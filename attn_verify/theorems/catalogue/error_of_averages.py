"""A weighted average whose weights and values are both wrong."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Eq,
    Illustration,
    Le,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Theorem,
    scalar,
)  # fmt: skip

KEYS = Sort("n")
j = KEYS.index("j")
p = Symbol("p", (KEYS,))
FAMILY = "rounding and conditioning"
TOTAL = Eq(Sum(j, p[j]), ONE)

# Scores with an error of at most ε; values between m and M.
v = Symbol("v", (KEYS,))
m, M = scalar("m"), scalar("M")
LOW, HIGH = Le(m, v[j]), Le(v[j], M)

# Rounding scores after the maximum has been taken off.
η = scalar("u")

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
            r"which is at most half of the range away.",
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

THEOREMS = (error_of_a_weighted_average,)
