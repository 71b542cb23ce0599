"""Capped scores: what a soft cap bounds, and what bounded scores cannot do."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
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
    scalar,
)  # fmt: skip

KEYS = Sort("n")
i, j, k = (KEYS.index(name) for name in "ijk")
c, s, y = scalar("c"), scalar("s"), scalar("y")
capped = Symbol("t", (KEYS,))
CAP = Lt(ZERO, c)
UP, DOWN = Exp(s / c), Exp(-s / c)


def soft_cap(score: Term) -> Term:
    """``c·tanh(score/c)``."""
    up, down = Exp(score / c), Exp(-score / c)
    return c * ((up - down) / (up + down))


def weight(at: Index) -> Term:
    """A weight for the capped scores."""
    return Exp(capped[at]) / Sum(k, Exp(capped[k]))


GAP = 2 * c + capped[j] - capped[i]
BOUNDED = (Le(capped[j], c), Le(-capped[j], c))
TWO = Model({KEYS: 2}, {c.symbol: 1, s.symbol: log(2), capped: (Fraction(3, 5), Fraction(-3, 5))})

soft_cap_bounds_scores = Theorem(
    name="soft_cap_bounds_scores",
    family="scores and scaling",
    level=2,
    statement=r"The soft cap $t = c\tanh(s/c)$ keeps the order of scores and never reaches $c$: $-c < t < c$, with a "
    r"slope $1 - \tanh^2(s/c)$ between 0 and 1. So $p_i \le e^{2c}p_j$ for any two of $n$ keys, and every weight is "
    r"at least $\frac{1}{n e^{2c}}$.",
    hypotheses=r"$c > 0$; all scores of the row are capped.",
    why="A cap tames scores in training, and its price is a floor under every weight: no key can be ignored, and long "
    "contexts spread out.",
    predict="With a cap of 50, can a head put all of its weight on one key of a million? And with a cap of 5?",
    steps=(
        Step(
            "below the cap",
            Lt(soft_cap(s), c),
            "certificate",
            r"$1 - \tanh x = \frac{2e^{-x}}{e^x + e^{-x}}$ is positive,",
            given=(CAP,),
            hints={"certificate": 2 * c * DOWN / (UP + DOWN)},
        ),
        Step(
            "above its negative",
            Lt(-soft_cap(s), c),
            "certificate",
            r"and so is $1 + \tanh x = \frac{2e^x}{e^x + e^{-x}}$.",
            given=(CAP,),
            hints={"certificate": 2 * c * UP / (UP + DOWN)},
        ),
        Step(
            "size",
            Le(Abs(soft_cap(s)), c),
            "magnitude",
            "Both together.",
            using=("below the cap", "above its negative"),
        ),
        Step(
            "slope",
            Eq(Deriv(soft_cap(s), s), 1 - ((UP - DOWN) / (UP + DOWN)) ** 2),
            "normal form",
            "The derivative of the hyperbolic tangent.",
            given=(CAP,),
        ),
        Step(
            "increasing",
            Lt(ZERO, Deriv(soft_cap(s), s)),
            "certificate",
            r"It is $\frac{4}{(e^x+e^{-x})^2}$, positive: the order of scores is kept.",
            given=(CAP,),
            hints={"certificate": 4 / (UP + DOWN) ** 2},
        ),
        Step(
            "not steeper than 1",
            Le(Deriv(soft_cap(s), s), ONE),
            "certificate",
            r"What is missing to 1 is a square: differences of scores only shrink.",
            given=(CAP,),
            hints={"certificate": ((UP - DOWN) / (UP + DOWN)) ** 2},
        ),
        Step("at most", BOUNDED[0], "hypothesis", r"Now let the scores of a row be capped: $t_j \le c$"),
        Step("at least", BOUNDED[1], "hypothesis", r"and $-t_j \le c$."),
        Step(
            "gap",
            Le(ZERO, GAP),
            "certificate",
            r"Then $t_i \le 2c + t_j$.",
            using=("at most", "at least"),
            hints={"certificate": (c - capped[i]) + (c - (-capped[j]))},
        ),
        Step(
            "tangent at the gap",
            Le(ZERO, Exp(GAP) - 1 - GAP),
            "instance",
            r"Use $e^y \ge 1 + y$ at $y = 2c + t_j - t_i$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), GAP)}},
        ),
        Step(
            "odds",
            Le(weight(i), Exp(2 * c) * weight(j)),
            "certificate",
            r"So $e^{2c+t_j} - e^{t_i} = e^{t_i}(e^y - 1) \ge e^{t_i}y \ge 0$; divide by the denominator.",
            using=("gap", "tangent at the gap"),
            hints={"certificate": Exp(capped[i]) / Sum(k, Exp(capped[k])) * ((Exp(GAP) - 1 - GAP) + GAP)},
        ),
        Step(
            "floor",
            Le(ONE, Size(KEYS) * Exp(2 * c) * weight(j)),
            "certificate",
            r"Sum over all $i$: the weights on the left sum to 1.",
            using=("odds",),
            hints={"certificate": Sum(i, Exp(2 * c) * weight(j) - weight(i))},
        ),
    ),
    concludes=(
        "below the cap",
        "above its negative",
        "size",
        "slope",
        "increasing",
        "not steeper than 1",
        "odds",
        "floor",
    ),
    near_miss=NearMiss(
        "Scores below the cap are left as they are.",
        Eq(soft_cap(s), s),
        TWO,
        given=(CAP, Lt(s, c)),
    ),
    illustration=Illustration(
        r"$c = 1$ and $s = \log 2$: $\tanh(\log 2) = \tfrac35$; and the weights of the scores $\pm\tfrac35$.",
        TWO,
        (("s", s), ("capped", soft_cap(s)), ("weights", weight(j))),
    ),
    source="own; soft caps: Gemma Team 2024 (Gemma 2)",
    needs=("exponential_above_its_tangent", "weight_bounds_from_score_range"),
)

THEOREMS = (soft_cap_bounds_scores,)
