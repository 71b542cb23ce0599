"""Log-sum-exp: the level of a row of scores, and its gradient."""

from __future__ import annotations

from attn_verify.theorems.letters import KEYS, WEIGHTS, exp_sum, i, j, k, p, s, t, weight
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Delta,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Size,
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    over,
    scalar,
    term,
)  # fmt: skip  # fmt: skip

best = KEYS.index("*", fixed=True)
w, y, z = (scalar(name) for name in "wyz")
LARGEST = Le(s[j], s[best])
LSE = Log(exp_sum())
N = Size(KEYS)
SHIFTED = Sum(k, Exp(s[k] - s[best]))
LARGEST_DOUBLE = term(2) ** 1024 * (1 - term(2) ** -53)
logsumexp_and_safe_denominator = Theorem(
    name="logsumexp_and_safe_denominator",
    family="softmax",
    level=2,
    statement=r"Let $s_*$ be the largest of $n$ scores and $\ell = \sum_k e^{s_k - s_*}$. Every exponential in this "
    r"sum is at most 1, $1 \le \ell \le n$, and $\log \sum_k e^{s_k} = s_* + \log \ell$. So "
    r"$s_* \le \log \sum_k e^{s_k} \le s_* + \log n$.",
    hypotheses=r"$s_j \le s_*$ for all $j$, and $s_*$ is one of the scores.",
    why="This is why subtracting the maximum is always safe: nothing can overflow, and the denominator cannot "
    "underflow to 0.",
    predict="After the maximum is subtracted, how small can the denominator be?",
    steps=(
        Step(
            "exponentials, if",
            Le(Exp(s[j] - s[best]), Exp(ZERO)),
            "instance",
            r"The exponential grows, so $e^{s_j - s_*} \le e^{0}$ where $s_j - s_* \le 0$.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), s[j] - s[best]), z.symbol: ((), ZERO)}},
        ),
        Step(
            "not positive",
            Le(s[j] - s[best], ZERO),
            "certificate",
            r"Which is so, since $s_*$ is the largest score.",
            given=(LARGEST,),
            hints={"certificate": s[best] - s[j]},
        ),
        Step(
            "at most e⁰",
            Le(Exp(s[j] - s[best]), Exp(ZERO)),
            "modus ponens",
            r"So no exponential is larger than $e^{0}$.",
            using=("exponentials, if", "not positive"),
        ),
        Step(
            "exponentials",
            Le(Exp(s[j] - s[best]), ONE),
            "certificate",
            r"And $e^{0} = 1$: nothing overflows.",
            using=("at most e⁰",),
            hints={"certificate": Exp(ZERO) - Exp(s[j] - s[best])},
        ),
        Step(
            "at least one",
            Le(ONE, SHIFTED),
            "certificate",
            r"The largest score contributes $e^{0} = 1$, all others something positive.",
            hints={"certificate": Sum(k, (1 - Delta(k, best)) * Exp(s[k] - s[best]))},
        ),
        Step(
            "at most n",
            Le(SHIFTED, N),
            "certificate",
            r"There are $n$ terms, each at most 1.",
            using=("exponentials",),
            hints={"certificate": Sum(k, 1 - Exp(s[k] - s[best]))},
        ),
        Step(
            "level",
            Eq(LSE, s[best] + Log(SHIFTED)),
            "normal form",
            r"$\sum_k e^{s_k} = e^{s_*} \sum_k e^{s_k - s_*}$; take logarithms.",
        ),
        Step(
            "ℓ positive",
            Lt(ZERO, SHIFTED),
            "certificate",
            r"Now logarithms. The sum is positive.",
        ),
        Step("1 positive", Lt(ZERO, ONE), "certificate", r"So is 1 …"),
        Step("n positive", Lt(ZERO, N), "certificate", r"… and so is $n$."),
        Step(
            "log ℓ at least, if",
            Le(Log(ONE), Log(SHIFTED)),
            "instance",
            r"The logarithm grows, so $1 \le \ell$ gives $\log 1 \le \log \ell$ …",
            using=("exponential_above_its_tangent:log grows",),
            hints={"symbols": {y.symbol: ((), ONE), w.symbol: ((), SHIFTED)}},
        ),
        Step(
            "log ℓ at most, if",
            Le(Log(SHIFTED), Log(N)),
            "instance",
            r"… and $\ell \le n$ gives $\log \ell \le \log n$.",
            using=("exponential_above_its_tangent:log grows",),
            hints={"symbols": {y.symbol: ((), SHIFTED), w.symbol: ((), N)}},
        ),
        Step(
            "log ℓ at least",
            Le(Log(ONE), Log(SHIFTED)),
            "modus ponens",
            r"All that this asks for is in the lines above.",
            using=("log ℓ at least, if", "1 positive", "ℓ positive", "at least one"),
        ),
        Step(
            "log ℓ at most",
            Le(Log(SHIFTED), Log(N)),
            "modus ponens",
            r"All that this asks for is in the lines above.",
            using=("log ℓ at most, if", "ℓ positive", "n positive", "at most n"),
        ),
        Step(
            "from below",
            Le(s[best], LSE),
            "certificate",
            r"With $\log \ell \ge \log 1 = 0$, since the logarithm grows.",
            using=("log ℓ at least",),
            hints={"certificate": Log(SHIFTED) - Log(ONE)},
        ),
        Step(
            "from above",
            Le(LSE, s[best] + Log(N)),
            "certificate",
            r"With $\log \ell \le \log n$, for the same reason.",
            using=("log ℓ at most",),
            hints={"certificate": Log(N) - Log(SHIFTED)},
        ),
        Step(
            "half precision",
            Lt(Log(term(65504)), term(12)),
            "balls",
            r"Without the shift, a score of 12 is too much for half precision, whose largest number is 65504.",
        ),
        Step(
            "double precision",
            Lt(Log(LARGEST_DOUBLE), term(710)),
            "balls",
            r"And a score of 710 is too much for double precision, whose largest number is $2^{1024}(1 - 2^{-53})$.",
        ),
    ),
    concludes=("exponentials", "at least one", "at most n", "level", "from below", "from above"),
    near_miss=NearMiss(
        r"Subtracting the *mean* score is as safe: no $e^{s_j - \bar s}$ exceeds the largest double-precision number.",
        Le(Exp(s[j] - Sum(k, s[k]) / N), LARGEST_DOUBLE),
        Model({KEYS: 2}, {s: (0, 1420)}),
    ),
    illustration=Illustration(
        r"Scores $1000$, $1000 - \log 2$ and $1000 - \log 4$, whose exponentials overflow.",
        Model({KEYS: 3}, {s: (1000, 1000 - log(2), 1000 - log(4))}, {best: 0}),
        ((r"$\ell$", SHIFTED), (r"$\log \sum e^{s}$", LSE)),
    ),
    source="Blanchard, Higham & Higham 2021, section 1; Boyd & Vandenberghe 2004, section 3.1.5",
    needs=("exponential_above_its_tangent",),
)

g = Symbol("p", (KEYS,), ("s",))  # the weights as functions of the scores
L = scalar("L", ("s",))
LEVEL, GIBBS = Eq(L, LSE), Eq(g[j], weight(j))
u = Symbol("u", (KEYS,))
_CURVE = over(i, j)(u[i] * u[j] * Deriv(Deriv(L, s[i]), s[j]))
_RISE = Log(exp_sum(t)) - LSE
_EXCESS = t[j] - s[j] - _RISE
log_sum_exp_is_convex_with_gradient_softmax = Theorem(
    name="log_sum_exp_is_convex_with_gradient_softmax",
    family="softmax",
    level=3,
    statement=r"$L(s) = \log \sum_k e^{s_k}$ has the gradient $\partial L/\partial s_j = p_j$ and the Hessian "
    r"$p_i(\delta_{ij} - p_j)$, the Jacobian of softmax. It is convex: it lies above each of its tangent planes, "
    r"$L(t) \ge L(s) + \sum_j p_j (t_j - s_j)$.",
    hypotheses="Real scores.",
    why="Softmax is the slope of a convex function. That is why its Jacobian is symmetric with no negative eigenvalue, "
    "why cross-entropy has no bad minima in the scores, and why attention has an energy.",
    predict="Raise all scores of a row a little, each by its own amount. To first order, how does their log-sum-exp "
    "change?",
    steps=(
        Step(
            "gradient",
            Eq(Deriv(L, s[j]), g[j]),
            "normal form",
            r"The slope of the logarithm is $1/\sum_k e^{s_k}$, times the slope $e^{s_j}$ of the sum.",
            given=(LEVEL, GIBBS),
        ),
        Step(
            "hessian",
            Eq(Deriv(Deriv(L, s[i]), s[j]), g[i] * (Delta(i, j) - g[j])),
            "normal form",
            r"Differentiate once more, by the rule for quotients.",
            given=(LEVEL, GIBBS),
        ),
        Step(
            "positive",
            Lt(ZERO, g[j]),
            "certificate",
            "The weights are positive.",
            given=(GIBBS,),
            hints={"certificate": weight(j)},
        ),
        Step(
            "curves upwards",
            Le(ZERO, _CURVE),
            "certificate",
            r"In any direction $u$ the second derivative is a variance, "
            r"$\tfrac12 \sum_{i,k} p_i p_k (u_i - u_k)^2$.",
            given=(LEVEL, GIBBS),
            using=("positive",),
            hints={"certificate": HALF * over(i, k)(g[i] * g[k] * (u[i] - u[k]) ** 2)},
        ),
        Step(
            "exponential",
            Le(ZERO, Exp(_EXCESS) - 1 - _EXCESS),
            "instance",
            r"In the large: use $e^{y} \ge 1 + y$ at $y_j = t_j - s_j - (L(t) - L(s))$, for which "
            r"$\sum_j p_j e^{y_j} = 1$.",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), _EXCESS)}},
        ),
        Step(
            "above its tangent planes",
            Le(LSE + Sum(j, p[j] * (t[j] - s[j])), Log(exp_sum(t))),
            "certificate",
            r"The difference of both sides is $\sum_j p_j (e^{y_j} - 1 - y_j)$.",
            given=(WEIGHTS,),
            using=("exponential",),
            hints={"certificate": Sum(j, weight(j) * (Exp(_EXCESS) - 1 - _EXCESS))},
        ),
    ),
    concludes=("gradient", "hessian", "curves upwards", "above its tangent planes"),
    near_miss=NearMiss(
        r"Strictly convex: the second derivative is positive in *every* direction $u \ne 0$, also in that of "
        r"$(1, \dots, 1)$.",
        Lt(ZERO, HALF * over(i, k)(weight(i) * weight(k, s) * (u[i] - u[k]) ** 2)),
        Model({KEYS: 2}, {s: (0, 0), u: (1, 1)}),
        given=(Lt(ZERO, Sum(i, u[i] ** 2)),),
    ),
    illustration=Illustration(
        r"Scores $s = (0, 0)$ and $t = (0, \log 3)$.",
        Model({KEYS: 2}, {s: (0, 0), t: (0, log(3))}),
        ((r"$L(t)$", Log(exp_sum(t))), ("the tangent plane there", LSE + Sum(j, weight(j) * (t[j] - s[j])))),
    ),
    source="Boyd & Vandenberghe 2004, section 3.1.5; Gao & Pavel 2017",
    needs=("exponential_above_its_tangent",),
)


THEOREMS = (logsumexp_and_safe_denominator, log_sum_exp_is_convex_with_gradient_softmax)
