"""Softmax as the best choice, and divergences between rows of weights."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Eq,
    Exp,
    Illustration,
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
    scalar,
    softmax,
)  # fmt: skip

KEYS = Sort("n")
j, k = (KEYS.index(name) for name in "jk")
z = scalar("z")

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
s, p = Symbol("s", (KEYS,)), Symbol("p", (KEYS,))
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])

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
    r"with $p = \operatorname{softmax}(s)$, and $\mathrm{KL}(r\,\|\,p) \ge \sum_j(\sqrt{r_j} - \sqrt{p_j})^2 \ge "
    r"0$. So softmax, "
    r"and nothing else, maximises expected score plus entropy, and the maximum is $\operatorname{LSE}(s)$. At a "
    r"temperature $\tau$, $\sum_j r_js_j + \tau H(r) \le \tau\operatorname{LSE}(s/\tau)$.",
    hypotheses=r"$r_j > 0$, $\sum_j r_j = 1$, $\tau > 0$. Here $H(r) = -\sum_j r_j\log r_j$ is the entropy, "
    r"$\operatorname{LSE}(s) = \log\sum_k e^{s_k}$, and $\mathrm{KL}(r\,\|\,p) = \sum_j r_j(\log r_j - \log p_j)$ the "
    r"divergence. (A weight $r_j = 0$ is a limit: $r\log r \to 0$.)",
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
            r"$\log z \le z - 1$. (A ratio of weights will take the place of $z$; that is why they are to be "
            r"positive.)",
            given=(POSITIVE, R_POSITIVE),
            using=("exponential_above_its_tangent:log tangent",),
        ),
        Step(
            "logarithm",
            Le(ZERO, ROOT_RATIO - 1 - Log(ROOT_RATIO)),
            "instance",
            r"Take it at $z = \sqrt{p_j/r_j}$.",
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

THEOREMS = (gibbs_variational_principle,)
