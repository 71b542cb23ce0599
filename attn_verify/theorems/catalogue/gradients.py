"""Gradients of softmax: its Jacobian is a covariance, and dies out where attention saturates."""

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
TOP = KEYS.index("t", fixed=True)

s, p = Symbol("s", (KEYS,)), Symbol("p", (KEYS,), ("s",))
x = Symbol("x", (KEYS,))
R = scalar("R")

# Weights of one row, in four properties: what follows from them alone holds for every softmax.
WEIGHTS = Eq(p[j], softmax(lambda y: s[y], j, k))
TOTAL = Eq(Sum(j, p[j]), ONE)
POSITIVE = Lt(ZERO, p[j])
JACOBIAN = Eq(Deriv(p[i], s[l]), p[i] * (Delta(i, l) - p[l]))


def variance(weight: Symbol, value: Symbol) -> Term:
    """The variance of values under weights: Σ p x² − (Σ p x)²."""
    return Sum(i, weight[i] * value[i] ** 2) - Sum(i, weight[i] * value[i]) ** 2


def spread(weight: Symbol, value: Symbol) -> Term:
    """The variance as half of the mean squared difference of two draws."""
    return HALF * over(i, k)(weight[i] * weight[k] * (value[i] - value[k]) ** 2)


MEAN = Sum(i, p[i] * x[i])
FORM = over(i, k)(x[i] * (p[i] * (Delta(i, k) - p[k])) * x[k])

softmax_jacobian = Theorem(
    name="softmax_jacobian",
    family="gradients",
    level=2,
    statement=r"$\partial p_i/\partial s_l = p_i(\delta_{il} - p_l)$. This matrix $J$ is symmetric, its rows sum to 0, "
    r"and $x^{\top}Jx$ is the variance of $x$ under the weights, $\tfrac12\sum_{i,k} p_i p_k (x_i - x_k)^2 \ge 0$; it "
    r"is 0 only if all $x_i$ are equal.",
    hypotheses=r"Real scores $s_j$ of at least one key, $p = \operatorname{softmax}(s)$.",
    why="Every gradient of attention starts here: the Jacobian of softmax is a covariance.",
    predict="Raise one score a little. Which weights go up, which go down, and what do the changes add up to?",
    steps=(
        Step(
            "jacobian",
            JACOBIAN,
            "normal form",
            r"The rule for quotients. The numerator $e^{s_i}$ depends on $s_l$ only if $l = i$; the denominator always "
            r"does.",
            given=(WEIGHTS,),
        ),
        Step("total", TOTAL, "normal form", r"The weights sum to $D/D = 1$.", given=(WEIGHTS,)),
        Step(
            "positive",
            POSITIVE,
            "certificate",
            "A quotient of positive numbers is positive.",
            given=(WEIGHTS,),
            hints={"certificate": softmax(lambda y: s[y], j, k)},
        ),
        Step(
            "rows",
            Eq(Sum(l, Deriv(p[i], s[l])), ZERO),
            "normal form",
            r"$\sum_l p_i(\delta_{il} - p_l) = p_i - p_i$: raise all scores alike, and nothing moves.",
            given=(WEIGHTS,),
        ),
        Step(
            "symmetric",
            Eq(Deriv(p[i], s[l]), Deriv(p[l], s[i])),
            "normal form",
            r"$p_i\delta_{il}$ is not 0 only where $i = l$, and $p_i p_l = p_l p_i$.",
            given=(WEIGHTS,),
        ),
        Step(
            "variance",
            Eq(FORM, variance(p, x)),
            "normal form",
            r"Multiply out; $\delta_{ik}$ leaves one sum, $\sum_i p_i x_i^2$.",
        ),
        Step(
            "pairs",
            Eq(FORM, spread(p, x)),
            "normal form",
            r"Expand $(x_i - x_k)^2$ and use $\sum_k p_k = 1$ in the two square terms.",
            given=(TOTAL,),
        ),
        Step(
            "nowhere negative",
            Le(ZERO, FORM),
            "certificate",
            "Weights are positive, squares are not negative.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": spread(p, x)},
        ),
        Step(
            "only constants",
            Le(p[j] * (x[j] - MEAN) ** 2, FORM),
            "certificate",
            r"The variance is a sum of terms $p_i(x_i - \bar x)^2$, and one of them is at most the whole. So if it is "
            r"0, every $x_j$ equals the mean $\bar x$.",
            given=(TOTAL, POSITIVE),
            hints={"certificate": Sum(k, (1 - Delta(k, j)) * p[k] * (x[k] - MEAN) ** 2)},
        ),
        Step(
            "convex",
            Le(ZERO, FORM),
            "modus ponens",
            "The two properties used hold for softmax.",
            using=("nowhere negative", "total", "positive"),
        ),
    ),
    concludes=("jacobian", "rows", "symmetric", "pairs", "only constants", "convex"),
    near_miss=NearMiss(
        r"The Jacobian is positive *definite*: $x^{\top}Jx > 0$ unless $x = 0$.",
        Lt(ZERO, FORM),
        Model({KEYS: 2}, {s: (0, 0), p: (HALF, HALF), x: (1, 1)}),
        given=(WEIGHTS, Lt(ZERO, Sum(i, x[i] ** 2))),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2$.",
        Model({KEYS: 2}, {s: (0, log(2))}),
        (("p", softmax(lambda y: s[y], j, k)), ("∂p/∂s", Deriv(softmax(lambda y: s[y], i, k), s[l]))),
    ),
    source="Bridle 1990; Gao & Pavel 2017",
)
y = Symbol("y", (KEYS,))

# Saturation: the scores of the others lie at least Δ below the top score.
TRACE = Sum(i, p[i] * (1 - p[i]))
SQUARE = Sum(i, x[i] ** 2)
m, top, gap = Symbol("s", (OTHERS,)), scalar("S"), scalar("Δ")
X = Sum(o, Exp(m[o] - top))
REACH = Le(x[j] - x[k], R)
SCORE_GRADIENT = p[j] * (x[j] - Sum(k, p[k] * x[k]))

saturation_kills_gradient = Theorem(
    name="saturation_kills_gradient",
    family="gradients",
    level=3,
    statement=r"$x^{\top}Jx \le (1 - \sum_i p_i^2)\,\lVert x\rVert^2$, and $1 - \sum_i p_i^2 \le 2(1 - p_t)$ for every "
    r"key $t$. Each score's gradient $p_j(x_j - \sum_k p_k x_k)$ is at most $p_j(1 - p_j)$ times the range $R$ of the "
    r"incoming one. If the top score leads by $\Delta$, then $1 - p_t \le (n-1)e^{-\Delta}$.",
    hypotheses=r"$p = \operatorname{softmax}(s)$; the incoming gradient $x$ has range at most $R$; $n-1$ other keys.",
    why=r"The second half of the story of $\sqrt{d_k}$: large scores do not just sharpen attention, they switch its "
    "learning off, exponentially fast.",
    predict="The best score leads by 30. By what factor are the gradients of the scores damped?",
    steps=(
        Step(
            "trace",
            Eq(TRACE, 1 - Sum(i, p[i] ** 2)),
            "normal form",
            r"Let $J_{ik} = p_i(\delta_{ik} - p_k)$, the Jacobian of softmax: $\partial p_i/\partial s_k$. Its "
            r"diagonal is $p_i(1 - p_i)$, and $\sum_i p_i = 1$.",
            given=(TOTAL,),
        ),
        Step(
            "form",
            Le(FORM, TRACE * SQUARE),
            "certificate",
            r"As $J$ has no negative eigenvalue, $x^{\top}Jx$ is at most the trace of $J$ times $\lVert "
            r"x\rVert^2$. Here is a proof without eigenvalues: what is missing is a sum over pairs "
            r"of $p_i p_k (x_i + x_k)^2$, and a sum over three different keys of $p_j p_k x_i^2$.",
            given=(TOTAL, POSITIVE),
            hints={
                "certificate": over(i, j, k)(
                    (1 - Delta(i, j)) * (1 - Delta(i, k)) * (1 - Delta(j, k)) * p[j] * p[k] * x[i] ** 2
                )
                + HALF * over(i, k)((1 - Delta(i, k)) * p[i] * p[k] * (x[i] + x[k]) ** 2)
            },
        ),
        Step(
            "one square",
            Le(p[TOP] ** 2, Sum(i, p[i] ** 2)),
            "certificate",
            "One square is at most the sum of all.",
            hints={"certificate": Sum(i, (1 - Delta(i, TOP)) * p[i] ** 2)},
        ),
        Step(
            "twice",
            Le(1 - Sum(i, p[i] ** 2), 2 * (1 - p[TOP])),
            "certificate",
            r"$2(1 - p_t) - (1 - p_t^2) = (1 - p_t)^2$.",
            using=("one square",),
            hints={"certificate": (1 - p[TOP]) ** 2 + (Sum(i, p[i] ** 2) - p[TOP] ** 2)},
        ),
        Step(
            "upper",
            Le(SCORE_GRADIENT, p[j] * (1 - p[j]) * R),
            "certificate",
            r"$x_j - \sum_k p_k x_k = \sum_{k \ne j} p_k(x_j - x_k)$, and each difference is at most $R$.",
            given=(TOTAL, POSITIVE, REACH),
            hints={"certificate": p[j] * Sum(k, (1 - Delta(j, k)) * p[k] * (R - (x[j] - x[k])))},
        ),
        Step(
            "lower",
            Le(-SCORE_GRADIENT, p[j] * (1 - p[j]) * R),
            "certificate",
            r"The same with $x_k - x_j \le R$.",
            given=(TOTAL, POSITIVE, REACH),
            hints={"certificate": p[j] * Sum(k, (1 - Delta(j, k)) * p[k] * (R - (x[k] - x[j])))},
        ),
        Step(
            "each score",
            Le(Abs(SCORE_GRADIENT), p[j] * (1 - p[j]) * R),
            "magnitude",
            "Both signs are bounded, so the magnitude is.",
            using=("upper", "lower"),
        ),
        Step(
            "missing",
            Le(1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))), X),
            "certificate",
            r"Now let $S$ be the top score, $p$ its weight, and $s_o$ the scores of the $n' = n - 1$ other keys. With "
            r"$X = \sum_o e^{s_o - S}$, $1 - p = X/(1 + X)$, and $X - X/(1 + X) = X^2/(1 + X)$.",
            hints={"certificate": X**2 / (1 + X)},
        ),
        Step(
            "growth",
            Le(ZERO, Exp(top - m[o] - gap) - 1 - (top - m[o] - gap)),
            "instance",
            r"$e^{y} \ge 1 + y$, at $y = S - s_o - \Delta$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), top - m[o] - gap)}},
        ),
        Step(
            "each other",
            Le(Exp(m[o] - top), Exp(-gap)),
            "certificate",
            r"So a score that is lower by at least $\Delta$ has an exponential smaller by at least $e^{-\Delta}$.",
            given=(Le(m[o], top - gap),),
            using=("growth",),
            hints={
                "certificate": Exp(m[o] - top)
                * ((Exp(top - m[o] - gap) - 1 - (top - m[o] - gap)) + ((top - gap) - m[o]))
            },
        ),
        Step(
            "others",
            Le(X, Size(OTHERS) * Exp(-gap)),
            "certificate",
            r"Add this up over the $n - 1$ others.",
            using=("each other",),
            hints={"certificate": Sum(o, Exp(-gap) - Exp(m[o] - top))},
        ),
        Step(
            "lead",
            Le(1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))), Size(OTHERS) * Exp(-gap)),
            "certificate",
            "The two inequalities before, added.",
            using=("missing", "others"),
            hints={
                "certificate": (X - (1 - Exp(top) / (Exp(top) + Sum(o, Exp(m[o]))))) + (Size(OTHERS) * Exp(-gap) - X)
            },
        ),
    ),
    concludes=("form", "twice", "each score", "lead"),
    near_miss=NearMiss(
        r"$x^{\top}Jx \le (1 - p_t)^2\lVert x\rVert^2$ with the largest weight $p_t$.",
        Le(FORM, (1 - p[TOP]) ** 2 * SQUARE),
        Model({KEYS: 2}, {p: (HALF, HALF), x: (1, -1)}, {TOP: 0}),
        given=(TOTAL, POSITIVE, Le(p[j], p[TOP])),
    ),
    illustration=Illustration(
        r"Scores $\log 99, 0$: the weights are $\tfrac{99}{100}, \tfrac1{100}$.",
        Model({KEYS: 2}, {s: (log(99), 0)}),
        (("∂p/∂s", Deriv(softmax(lambda n: s[n], i, k), s[l])),),
    ),
    source="Vaswani et al. 2017, section 3.2.1; the certificate: own",
    needs=("softmax_jacobian", "exponential_above_its_tangent"),
)

THEOREMS = (
    softmax_jacobian,
    saturation_kills_gradient,
)
