"""Entropy: how many keys the weights are spread over."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import KEYS, i, j, k, one, p, s, two
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
    softmax,
)  # fmt: skip

w, y, β = (scalar(name) for name in ("w", "y", "β"))
N = Size(KEYS)

q = Symbol("p", (KEYS,), ("β",))  # the weights as functions of β
H = scalar("H", ("β",))
HEATED = Eq(q[j], softmax(lambda key: β * s[key], j, k))
ENTROPY = Eq(H, -Sum(j, q[j] * Log(q[j])))
MEAN = Sum(k, q[k] * s[k])
PAIRS = over(i, k)(q[i] * q[k] * (s[i] - s[k]) ** 2)
_PAIR = q[i] * q[k] * (s[i] - s[k]) ** 2
_FIRST = q[one] * q[k] * (s[one] - s[k]) ** 2
_APART = (
    over(i, k)((1 - Delta(i, one)) * _PAIR)
    + Sum(k, (1 - Delta(k, two)) * _FIRST)
    + q[one] * q[two] * (s[one] - s[two]) ** 2
)

entropy_falls_as_scores_scale_up = Theorem(
    name="entropy_falls_as_scores_scale_up",
    family="softmax",
    level=3,
    statement=r"For $p_j \propto e^{\beta s_j}$ and $H = -\sum_j p_j \log p_j$: "
    r"$\frac{dH}{d\beta} = -\beta \operatorname{Var}_p(s) \le 0$ for $\beta \ge 0$, and it is negative for "
    r"$\beta > 0$ as soon as two scores differ.",
    hypotheses=r"$\beta \ge 0$; the scores do not depend on $\beta$.",
    why="*Lower temperature sharpens attention* becomes a theorem, with an exact rate. It also tells what the factor "
    r"$1/\sqrt{d_k}$ does.",
    predict="Double every query vector. Is attention now more spread out or less? Always?",
    steps=(
        Step(
            "positive",
            Lt(ZERO, q[j]),
            "certificate",
            r"The weights are positive, so they have logarithms.",
            given=(HEATED,),
            hints={"certificate": HEATED.right},
        ),
        Step("sum", Eq(Sum(j, q[j]), ONE), "normal form", r"They sum to 1.", given=(HEATED,)),
        Step(
            "rate",
            Eq(Deriv(q[j], β), q[j] * (s[j] - MEAN)),
            "normal form",
            r"The rule for quotients: a weight grows if its score is above the mean score $\sum_k p_k s_k$.",
            given=(HEATED,),
        ),
        Step(
            "slope",
            Eq(Deriv(H, β), -β * (Sum(j, q[j] * s[j] ** 2) - MEAN**2)),
            "normal form",
            r"$\log p_j = \beta s_j - \log \sum_k e^{\beta s_k}$; differentiate the sum. The bracket is the variance "
            r"of the scores under the weights.",
            given=(HEATED, ENTROPY),
            using=("positive",),
        ),
        Step(
            "variance",
            Eq(Sum(j, q[j] * s[j] ** 2) - MEAN**2, HALF * PAIRS),
            "normal form",
            r"A variance is half the mean squared difference of two independent draws; this uses $\sum_j p_j = 1$.",
            given=(Eq(Sum(j, q[j]), ONE),),
        ),
        Step(
            "falls",
            Le(Deriv(H, β), ZERO),
            "certificate",
            r"No term of that sum is negative, and neither is $\beta$.",
            given=(HEATED, ENTROPY, Le(ZERO, β)),
            using=("positive",),
            hints={"certificate": β * HALF * PAIRS},
        ),
        Step(
            "falls strictly",
            Lt(Deriv(H, β), ZERO),
            "certificate",
            r"If $s_1 < s_2$ and $\beta > 0$, the term of this pair is positive: split it off.",
            given=(HEATED, ENTROPY, Lt(ZERO, β), Lt(s[one], s[two])),
            using=("positive",),
            hints={"certificate": β * HALF * _APART},
        ),
    ),
    concludes=("rate", "slope", "variance", "falls", "falls strictly"),
    near_miss=NearMiss(
        r"The rate is the variance itself, without the factor $\beta$: $\frac{dH}{d\beta} = -\operatorname{Var}_p(s)$.",
        Eq(
            Deriv(-Sum(j, HEATED.right * Log(HEATED.right)), β),
            -(Sum(j, HEATED.right * s[j] ** 2) - Sum(j, HEATED.right * s[j]) ** 2),
        ),
        Model({KEYS: 2}, {s: (0, 1), β.symbol: 0}),
    ),
    illustration=Illustration(
        r"Scores $0$ and $\log 2$ at $\beta = 2$.",
        Model({KEYS: 2}, {s: (0, log(2)), β.symbol: 2}),
        (
            ("p", HEATED.right),
            ("entropy", -Sum(j, HEATED.right * Log(HEATED.right))),
            ("its slope", Deriv(-Sum(j, HEATED.right * Log(HEATED.right)), β)),
        ),
    ),
    source="folklore of statistical mechanics (fluctuation formula); cf. Zhai et al. 2023 on entropy collapse",
)

SUM_ONE, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])
SPREAD = -Sum(j, p[j] * Log(p[j]))
COLLISION = Sum(k, p[k] ** 2)
_RATIO, _RATIO_N = p[j] / COLLISION, 1 / N / p[j]

entropy_counts_the_keys_in_use = Theorem(
    name="entropy_counts_the_keys_in_use",
    family="softmax",
    level=3,
    statement=r"Weights of $n$ keys have an entropy $H = -\sum_j p_j \log p_j$ between two simple numbers: "
    r"$-\log \sum_k p_k^2 \le H \le \log n$. So $1 \le 1/\sum_k p_k^2 \le e^{H} \le n$.",
    hypotheses=r"$p_j > 0$ and $\sum_j p_j = 1$, as for softmax.",
    why=r"$e^{H}$ and $1/\sum_k p_k^2$ are both used as *the number of keys that a head attends to*. They are 1 for a "
    "single key and $n$ for equal weights, and the second is never the larger one.",
    predict=r"Weights $3/4$ and $1/4$: how many keys are in use?",
    steps=(
        Step("positive", POSITIVE, "hypothesis", "Let the weights be positive."),
        Step(
            "below one",
            Le(p[j], ONE),
            "certificate",
            r"What a weight lacks to 1 is the weight of the others.",
            given=(SUM_ONE, POSITIVE),
            hints={"certificate": Sum(k, (1 - Delta(j, k)) * p[k])},
        ),
        Step(
            "at most one",
            Le(COLLISION, ONE),
            "certificate",
            r"$1 - \sum_k p_k^2 = \sum_k p_k(1 - p_k)$.",
            given=(SUM_ONE, POSITIVE),
            using=("below one",),
            hints={"certificate": Sum(k, p[k] * (1 - p[k]))},
        ),
        Step(
            "at least 1/n",
            Le(1 / N, COLLISION),
            "certificate",
            r"$\sum_k p_k^2 - \tfrac1n = \sum_k (p_k - \tfrac1n)^2$.",
            given=(SUM_ONE,),
            hints={"certificate": Sum(k, (p[k] - 1 / N) ** 2)},
        ),
        Step("1/n positive", Lt(ZERO, 1 / N), "certificate", r"For the entropy, use $\log z \le z - 1$ twice."),
        Step(
            "collision positive",
            Lt(ZERO, COLLISION),
            "certificate",
            "The numbers that are divided here are positive.",
            given=(POSITIVE,),
        ),
        Step(
            "first ratio, if",
            Le(ZERO, _RATIO_N - 1 - Log(_RATIO_N)),
            "instance",
            r"First at $z = 1/(n p_j)$ …",
            using=("exponential_above_its_tangent:at a positive ratio",),
            hints={"symbols": {y.symbol: ((), 1 / N), w.symbol: ((), p[j])}},
        ),
        Step(
            "first ratio",
            Le(ZERO, _RATIO_N - 1 - Log(_RATIO_N)),
            "modus ponens",
            r"… which is positive.",
            using=("first ratio, if", "1/n positive"),
        ),
        Step(
            "at most log n",
            Le(SPREAD, Log(N)),
            "certificate",
            r"$\log n - H = -\sum_j p_j \log \tfrac{1}{n p_j} \ge \sum_j p_j (1 - \tfrac{1}{n p_j}) = 1 - 1 = 0$.",
            given=(SUM_ONE, POSITIVE),
            using=("first ratio",),
            hints={"certificate": Sum(j, p[j] * (_RATIO_N - 1 - Log(_RATIO_N)))},
        ),
        Step(
            "second ratio, if",
            Le(ZERO, _RATIO - 1 - Log(_RATIO)),
            "instance",
            r"Then at $z = p_j/\sum_k p_k^2$ …",
            using=("exponential_above_its_tangent:at a positive ratio",),
            hints={"symbols": {y.symbol: ((), p[j]), w.symbol: ((), COLLISION)}},
        ),
        Step(
            "second ratio",
            Le(ZERO, _RATIO - 1 - Log(_RATIO)),
            "modus ponens",
            r"… which is positive, too.",
            using=("second ratio, if", "collision positive"),
        ),
        Step(
            "at least",
            Le(-Log(COLLISION), SPREAD),
            "certificate",
            r"$H + \log \sum_k p_k^2 = -\sum_j p_j \log \frac{p_j}{\sum_k p_k^2} \ge 1 - 1 = 0$.",
            given=(SUM_ONE, POSITIVE),
            using=("second ratio",),
            hints={"certificate": Sum(j, p[j] * (_RATIO - 1 - Log(_RATIO)))},
        ),
    ),
    concludes=("at most one", "at least 1/n", "at most log n", "at least"),
    near_miss=NearMiss(
        r"The two counts agree: $e^{H} = 1/\sum_k p_k^2$.",
        Eq(Exp(SPREAD), 1 / COLLISION),
        Model({KEYS: 2}, {p: (Fraction(1, 3), Fraction(2, 3))}),
        given=(SUM_ONE, POSITIVE),
    ),
    illustration=Illustration(
        r"Weights $\tfrac34$ and $\tfrac14$.",
        Model({KEYS: 2}, {p: (Fraction(3, 4), Fraction(1, 4))}),
        ((r"$1/\sum p^2$", 1 / COLLISION), (r"$e^{H}$", Exp(SPREAD))),
    ),
    source="folklore (Rényi entropies fall with their order; Hill numbers)",
    needs=("exponential_above_its_tangent",),
)

THEOREMS = (entropy_falls_as_scores_scale_up, entropy_counts_the_keys_in_use)
