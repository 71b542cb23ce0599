"""Energies: the output as a slope, the soft maximum above the mean."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
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
j, k = (KEYS.index(name) for name in "jk")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")
y, z = scalar("y"), scalar("z")

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
s, v, p = Symbol("s", (KEYS,)), Symbol("v", (KEYS,)), Symbol("p", (KEYS,))
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])
τ = scalar("τ")


def soft(score: Symbol, at: Index) -> Term:
    """The weight of a key for scores."""
    return softmax(lambda n: score[n], at, k)


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
    r"convex. Likewise $\nabla_q\,\tfrac1\tau\operatorname{LSE}(\tau Kq) = \sum_j p_jk_j$.",
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

THEOREMS = (
    jensen_for_exponentials,
    attention_is_a_gradient,
)
