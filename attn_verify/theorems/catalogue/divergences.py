"""How far rows of weights are apart."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Deriv,
    Eq,
    Illustration,
    Index,
    Le,
    Log,
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
    over,
    scalar,
    softmax,
)  # fmt: skip
from attn_verify.theorems.slopes import slope_at

KEYS = Sort("n")
i, j, k = (KEYS.index(name) for name in "ijk")
t = scalar("t")
SHAPE = t * Log(t) - t + 1 - Fraction(3, 2) * (t - 1) ** 2 / (t + 2)
RIGHT = Lt(ZERO, t)

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
s, p = Symbol("s", (KEYS,)), Symbol("p", (KEYS,))
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])

# Distributions: r any one with positive weights, p the softmax of the scores, L its log-sum-exp.
r = Symbol("r", (KEYS,))
R_TOTAL, R_POSITIVE = Eq(Sum(j, r[j]), ONE), Lt(ZERO, r[j])
SOFT = softmax(lambda n: s[n], j, k)
KL_P = Sum(j, r[j] * (Log(r[j]) - Log(p[j])))


SOFTMAX = Eq(p[j], SOFT)

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
    r"that are close in divergence give outputs that are close.",
    hypotheses=r"$r_j, p_j > 0$, both sum to 1.",
    why="Attention is often trained or distilled by a divergence between rows of weights; this turns it into a "
    "bound for the output, with the best constant.",
    predict="Two rows of weights have a divergence of 0.02. How much weight can have moved?",
    steps=(
        Step(
            "value",
            Eq(shape(ONE), ZERO),
            "normal form",
            r"$f(t) = t\log t - t + 1 - \tfrac32(t-1)^2/(t+2)$ is 0 at $t = 1$,",
        ),
        Step(
            "slope",
            Eq(slope_at(SHAPE, t, Fraction(1), [RIGHT]), ZERO),
            "normal form",
            r"with slope 0: $f'(t) = \log t - 3(t-1)/(t+2) + \tfrac32(t-1)^2/(t+2)^2$. (The machine multiplies "
            r"$t - 1$ out before it puts 1 for $t$.)",
        ),
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
            r"The next step puts $r_j/p_j$ for $t$, which needs $p_j \ne 0$. So two conditions on weights are added "
            r"here, though $f(t) \ge 0$ holds without them.",
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
    r"t_j) = \mathrm{KL}(p\,\|\,q) + \mathrm{KL}(q\,\|\,p) \ge \big(\sum_j|p_j - q_j|\big)^2 \ge 0$.",
    hypotheses="Real scores.",
    why="Weights move the way the scores move, on balance: an exact identity behind every claim that softmax "
    "follows its input, and a bound that does not depend on the number of keys.",
    predict="All scores of a row are changed at will. Can the weights go down, on balance, where the scores went up?",
    steps=(
        Step(
            "identity",
            Eq(ALONG, divergence(p, q) + divergence(q, p)),
            "normal form",
            r"$\log p_j - \log q_j = (s_j - t_j) - (\operatorname{LSE}(s) - \operatorname{LSE}(t))$, and the second "
            r"bracket is the same for all keys, so it meets $\sum_j(p_j - q_j) = 0$.",
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

THEOREMS = (
    pinsker_for_weights,
    softmax_is_a_monotone_map,
)
