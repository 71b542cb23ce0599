"""Scores with bounds: what they say of the weights."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    COORDINATES,
    KEYS,
    a,
    b,
    exp_sum,
    j,
    k,
    s,
    t,
    weight,
)  # fmt: skip
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Exp,
    Illustration,
    Index,
    Le,
    Lt,
    Model,
    NearMiss,
    Size,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    log,
    over,
    scalar,
    softmax,
)  # fmt: skip  # fmt: skip

g, R, ε, y, z = (scalar(name) for name in ("g", "R", "ε", "y", "z"))
q, kk = Symbol("q", (COORDINATES,)), Symbol("K", (KEYS, COORDINATES))
LONG_Q, LONG_K = Sum(a, q[a] ** 2), Sum(a, kk[j, a] ** 2)
PRODUCT = Sum(a, q[a] * kk[j, a])


def score(at: Index) -> Term:
    """Return the score of a key under QK-norm with the gain ``g``."""
    return g * Sum(a, q[a] * kk[at, a])


N = Size(KEYS)
_BELOW, _ABOVE = 1 + (N - 1) * Exp(2 * g), 1 + (N - 1) * Exp(-(2 * g))
_FLOOR, _CEILING = 1 / _BELOW, 1 / _ABOVE
UNIT = (Le(LONG_Q, ONE), Le(LONG_K, ONE), Le(ZERO, g))
qk_norm_bounds_scores = Theorem(
    name="qk_norm_bounds_scores",
    family="scores and scaling",
    level=2,
    statement=r"$(q \cdot k)^2 \le \|q\|^2 \|k\|^2$. So with queries and keys of norm at most 1 and a gain $g$, the "
    r"scores $s_j = g\, q \cdot k_j$ lie in $[-g, g]$, and with $n$ keys every weight lies between "
    r"$\frac{1}{1 + (n-1)e^{2g}}$ and $\frac{1}{1 + (n-1)e^{-2g}}$.",
    hypotheses=r"$g \ge 0$; $\|q\| \le 1$ and $\|k_j\| \le 1$ for the rows $k_j$ of $K$, with equality under QK-norm.",
    why="The Cauchy–Schwarz inequality as a sum of squares in every dimension, and what QK-norm buys: a ceiling on "
    "every score and a floor under every weight. It is also what it costs: with a small gain nothing can stand out.",
    predict="With QK-norm and gain 1, what is the largest weight that one of 100 keys can get?",
    steps=(
        Step(
            "Cauchy–Schwarz",
            Le(PRODUCT**2, LONG_Q * LONG_K),
            "certificate",
            r"Lagrange: the difference is $\tfrac12 \sum_{a,b} (q_a k_b - q_b k_a)^2$.",
            hints={"certificate": HALF * over(a, b)((q[a] * kk[j, b] - q[b] * kk[j, a]) ** 2)},
        ),
        Step(
            "at most g",
            Le(score(j), g),
            "certificate",
            r"$1 - q \cdot k = \tfrac12(1 - \|q\|^2) + \tfrac12(1 - \|k\|^2) + \tfrac12\|q - k\|^2$.",
            given=UNIT,
            hints={
                "certificate": g * HALF * ((1 - LONG_Q) + (1 - LONG_K) + Sum(a, (q[a] - kk[j, a]) ** 2)),
            },
        ),
        Step(
            "at least −g",
            Le(-g, score(j)),
            "certificate",
            r"The same with $q + k$ in place of $q - k$.",
            given=UNIT,
            hints={
                "certificate": g * HALF * ((1 - LONG_Q) + (1 - LONG_K) + Sum(a, (q[a] + kk[j, a]) ** 2)),
            },
        ),
        Step(
            "range",
            Le(score(k) - score(j), 2 * g),
            "certificate",
            r"So two scores differ by at most $2g$.",
            using=("at most g", "at least −g"),
            hints={"certificate": (g - score(k)) + (score(j) + g)},
        ),
        Step(
            "floor's denominator",
            Lt(ZERO, _BELOW),
            "instance",
            r"Put $R = 2g$ in the bounds by the range of the scores: first in their denominators, which are positive …",
            using=("weight_bounds_from_score_range:denominators, upper",),
            hints={"symbols": {R.symbol: ((), 2 * g)}},
        ),
        Step(
            "ceiling's denominator",
            Lt(ZERO, _ABOVE),
            "instance",
            r"… both of them …",
            using=("weight_bounds_from_score_range:denominators, lower",),
            hints={"symbols": {R.symbol: ((), 2 * g)}},
        ),
        Step(
            "floor, if",
            Le(_FLOOR, softmax(score, j, k)),
            "instance",
            r"… then in the bounds.",
            using=("weight_bounds_from_score_range:at least, if",),
            hints={"symbols": {s: ((j,), score(j)), R.symbol: ((), 2 * g)}},
        ),
        Step(
            "floor",
            Le(_FLOOR, softmax(score, j, k)),
            "modus ponens",
            r"Their hypothesis is what was just shown.",
            using=("floor, if", "range", "floor's denominator"),
        ),
        Step(
            "range, turned",
            Le(score(j) - score(k), 2 * g),
            "certificate",
            r"For the other bound exchange $j$ and $k$.",
            using=("at most g", "at least −g"),
            hints={"certificate": (g - score(j)) + (score(k) + g)},
        ),
        Step(
            "ceiling, if",
            Le(softmax(score, j, k), _CEILING),
            "instance",
            r"Again with $R = 2g$.",
            using=("weight_bounds_from_score_range:at most, if",),
            hints={"symbols": {s: ((j,), score(j)), R.symbol: ((), 2 * g)}},
        ),
        Step(
            "ceiling",
            Le(softmax(score, j, k), _CEILING),
            "modus ponens",
            r"And the hypothesis holds.",
            using=("ceiling, if", "range, turned", "ceiling's denominator"),
        ),
    ),
    concludes=("Cauchy–Schwarz", "at most g", "at least −g", "floor", "ceiling"),
    near_miss=NearMiss(
        r"The floor holds with $e^{g}$ in place of $e^{2g}$, as scores are at most $g$.",
        Le(1 / (1 + (N - 1) * Exp(g)), softmax(score, j, k)),
        Model({KEYS: 2, COORDINATES: 1}, {q: (1,), kk: ((1,), (-1,)), g.symbol: log(2)}),
        given=UNIT,
    ),
    illustration=Illustration(
        r"One dimension, $q = 1$, keys $1$ and $-1$, gain $\log 2$: both bounds are reached.",
        Model({KEYS: 2, COORDINATES: 1}, {q: (1,), kk: ((1,), (-1,)), g.symbol: log(2)}),
        (("floor", _FLOOR), ("weights", softmax(score, j, k)), ("ceiling", _CEILING)),
    ),
    source="Henry et al. 2020 (QKNorm); Lagrange's identity",
    needs=("weight_bounds_from_score_range",),
)

_FAR, _NEAR = Exp(2 * ε + s[j] + t[k]), Exp(t[j] + s[k])
score_noise_scales_weights = Theorem(
    name="score_noise_scales_weights",
    family="scores and scaling",
    level=2,
    statement=r"If every score of a row is off by at most $\varepsilon$, every weight is off by at most the factor "
    r"$e^{2\varepsilon}$: $e^{-2\varepsilon} p_j \le p'_j \le e^{2\varepsilon} p_j$, with "
    r"$p = \operatorname{softmax}(s)$ and $p' = \operatorname{softmax}(t)$.",
    hypotheses=r"$|t_j - s_j| \le \varepsilon$ for all $j$.",
    why="An *absolute* error of the scores is a *relative* error of the weights, whatever their number. So scores "
    "may be rounded or quantised with one step size for all, and even the smallest weights keep their leading digits.",
    predict="Scores are rounded to multiples of 0.1. By how much can a weight of one in a million change?",
    steps=(
        Step(
            "far",
            Le(t[j] + s[k], 2 * ε + s[j] + t[k]),
            "certificate",
            r"$t_j - s_j \le \varepsilon$ and $s_k - t_k \le \varepsilon$: add them.",
            given=(Le(t[j] - s[j], ε), Le(s[j] - t[j], ε)),
            hints={"certificate": (ε - (t[j] - s[j])) + (ε - (s[k] - t[k]))},
        ),
        Step(
            "exponentials, if",
            Le(_NEAR, _FAR),
            "instance",
            r"The exponential grows.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), t[j] + s[k]), z.symbol: ((), 2 * ε + s[j] + t[k])}},
        ),
        Step("exponentials", Le(_NEAR, _FAR), "modus ponens", "So this holds.", using=("exponentials, if", "far")),
        Step(
            "upper",
            Le(weight(j, t), Exp(2 * ε) * weight(j)),
            "certificate",
            r"Over the common denominator $\sum_k e^{s_k} \sum_k e^{t_k}$ the difference is a sum of such differences.",
            using=("exponentials",),
            hints={"certificate": Sum(k, _FAR - _NEAR) / (exp_sum() * exp_sum(t))},
        ),
        Step(
            "lower",
            Le(weight(j), Exp(2 * ε) * weight(j, t)),
            "instance",
            r"The hypothesis is the same with $s$ and $t$ exchanged, and so is the conclusion: $p_j \le "
            r"e^{2\varepsilon}p'_j$.",
            using=("upper",),
            hints={"symbols": {s: ((j,), t[j]), t: ((j,), s[j])}},
        ),
    ),
    concludes=("upper", "lower"),
    near_miss=NearMiss(
        r"The factor $e^{\varepsilon}$ is enough.",
        Le(weight(j, t), Exp(ε) * weight(j)),
        Model({KEYS: 2}, {s: (0, log(3)), t: (log(2), log(Fraction(3, 2))), ε.symbol: log(2)}),
        given=(Le(t[j] - s[j], ε), Le(s[j] - t[j], ε)),
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$ moved by $\log 2$ towards each other.",
        Model({KEYS: 2}, {s: (0, log(3)), t: (log(2), log(Fraction(3, 2))), ε.symbol: log(2)}),
        (("before", weight(j)), ("after", weight(j, t)), ("at most", Exp(2 * ε) * weight(j))),
    ),
    source="own (folklore of differential privacy: the exponential mechanism)",
    needs=("exponential_above_its_tangent",),
)


THEOREMS = (qk_norm_bounds_scores, score_noise_scales_weights)
