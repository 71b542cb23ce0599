"""Weights: their bounds, how they are updated, and one of them against all others."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.letters import (
    KEYS,
    OTHERS,
    WEIGHTS,
    exp_sum,
    j,
    k,
    one,
    p,
    s,
    t,
    weight,
    x,
)  # fmt: skip  # fmt: skip
from attn_verify.theorems.notation import (
    HALF,
    ZERO,
    Delta,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Le,
    Limit,
    Log,
    Lt,
    Model,
    NearMiss,
    Size,
    Step,
    Sum,
    Term,
    Theorem,
    log,
    scalar,
    softmax,
    term,
)  # fmt: skip  # fmt: skip

c, R, N, β, y, z = (scalar(name) for name in "cRNβyz")
own, L = scalar("p", ("c",)), scalar("L")
OWN, LEVEL = Eq(own, Exp(c) / (Exp(c) + exp_sum())), Eq(L, Log(exp_sum()))


def _floor(bound: Term) -> Term:
    """The weight of a key that all others surpass by ``bound``."""
    return 1 / (1 + (Size(KEYS) - 1) * Exp(bound))


DENOMINATORS = (Lt(ZERO, 1 + (Size(KEYS) - 1) * Exp(R)), Lt(ZERO, 1 + (Size(KEYS) - 1) * Exp(-R)))
_ABOVE = Sum(k, (1 - Delta(j, k)) * (Exp(R) - Exp(s[k] - s[j])))
_BELOW = Sum(k, (1 - Delta(j, k)) * (Exp(s[k] - s[j]) - Exp(-R)))
weight_bounds_from_score_range = Theorem(
    name="weight_bounds_from_score_range",
    family="softmax",
    level=2,
    statement=r"If the scores of $n$ keys differ by at most $R$, then for the weights $p = \operatorname{softmax}(s)$ "
    r"$\frac{1}{1 + (n-1)e^{R}} \le p_j \le \frac{1}{1 + (n-1)e^{-R}}$, and both bounds are reached. With $R$ fixed "
    r"and $n \to \infty$ every weight tends to 0.",
    hypotheses=r"$s_k - s_j \le R$ for all $j$ and $k$.",
    why="Bounded scores cannot stay sharp on long inputs. It is also the lemma behind QK-norm, the influence of one "
    "token and the cold limit.",
    predict="Scores are confined to [−5, 5], and the context grows from 10³ to 10⁶ tokens. What is the largest "
    "weight that is possible?",
    steps=(
        Step(
            "others at most",
            Le(Exp(s[k] - s[j]), Exp(R)),
            "instance",
            r"Beside key $j$ every other key has $e^{s_k - s_j} \le e^{R}$, as the exponential grows.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), s[k] - s[j]), z.symbol: ((), R)}},
        ),
        Step(
            "turned",
            Le(-R, s[k] - s[j]),
            "certificate",
            r"The hypothesis for $j$ and $k$ exchanged is $s_j - s_k \le R$.",
            given=(Le(s[j] - s[k], R),),
        ),
        Step(
            "others at least, if",
            Le(Exp(-R), Exp(s[k] - s[j])),
            "instance",
            r"The exponential grows, once more.",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {y.symbol: ((), -R), z.symbol: ((), s[k] - s[j])}},
        ),
        Step(
            "others at least",
            Le(Exp(-R), Exp(s[k] - s[j])),
            "modus ponens",
            r"So $e^{-R} \le e^{s_k - s_j}$.",
            using=("others at least, if", "turned"),
        ),
        Step(
            "denominators, upper",
            DENOMINATORS[0],
            "certificate",
            r"The denominator on the left is 1 plus one positive term for each other key.",
            hints={"certificate": 1 + Sum(k, (1 - Delta(j, k)) * Exp(R))},
        ),
        Step(
            "denominators, lower",
            DENOMINATORS[1],
            "certificate",
            r"So is that on the right.",
            hints={"certificate": 1 + Sum(k, (1 - Delta(j, k)) * Exp(-R))},
        ),
        Step(
            "at least, if",
            Le(_floor(R), weight(j)),
            "certificate",
            r"With $p_j$ for the weight, the difference is $p_j \sum_{k \ne j} (e^{R} - e^{s_k - s_j})$ over the "
            r"denominator; no term is negative.",
            given=(DENOMINATORS[0],),
            using=("others at most",),
            hints={"certificate": weight(j) * _ABOVE * _floor(R)},
        ),
        Step(
            "at least",
            Le(_floor(R), weight(j)),
            "modus ponens",
            "The denominator is positive, as was seen.",
            using=("at least, if", "denominators, upper"),
        ),
        Step(
            "at most, if",
            Le(weight(j), _floor(-R)),
            "certificate",
            r"The difference is $p_j \sum_{k \ne j} (e^{s_k - s_j} - e^{-R})$ over the denominator.",
            given=(DENOMINATORS[1],),
            using=("others at least",),
            hints={"certificate": weight(j) * _BELOW * _floor(-R)},
        ),
        Step(
            "at most",
            Le(weight(j), _floor(-R)),
            "modus ponens",
            "That denominator is positive, too.",
            using=("at most, if", "denominators, lower"),
        ),
        Step(
            "reached",
            Eq(Exp(c) / (Exp(c) + Sum(x, Exp(c + R))), 1 / (1 + Size(OTHERS) * Exp(R))),
            "normal form",
            r"Both are reached: let one key have the score $c$, and each of the $m = n - 1$ others, which $x$ numbers, "
            r"a score that is higher by $R$. If it is lower, put $-R$ for $R$.",
        ),
        Step(
            "vanishes",
            Limit(1 / (1 + (N - 1) * Exp(-R)), N, "oo", ZERO),
            "limit",
            r"With $R$ fixed, the upper bound for $N$ keys tends to 0 as $N$ grows.",
        ),
    ),
    concludes=("at least", "at most", "reached", "vanishes"),
    near_miss=NearMiss(
        r"The upper bound holds with $e^{-R/2}$ in place of $e^{-R}$.",
        Le(weight(j), _floor(-(HALF * R))),
        Model({KEYS: 2}, {s: (log(4), 0), R.symbol: log(4)}),
        given=(Le(s[k] - s[j], R),),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$, with $R = \log 3$.",
        Model({KEYS: 3}, {s: (0, log(2), log(3)), R.symbol: log(3)}),
        (("lower bound", _floor(R)), ("p", weight(j)), ("upper bound", _floor(-R))),
    ),
    source="Veličković et al. 2024 (softmax is not enough for sharp size generalisation); Hahn 2020 for the idea",
    needs=("exponential_above_its_tangent",),
)

_TEMPERED = Exp(β * Log(weight(j))) / Sum(k, Exp(β * Log(weight(k))))
softmax_updates_compose = Theorem(
    name="softmax_updates_compose",
    family="softmax",
    level=2,
    statement=r"Adding scores $t$ re-weights the old weights: "
    r"$\operatorname{softmax}(s + t)_j = p_j e^{t_j} / \sum_k p_k e^{t_k}$ with $p = \operatorname{softmax}(s)$. And "
    r"powers of weights, renormalised, are a temperature: "
    r"$p_j^{\beta} / \sum_k p_k^{\beta} = \operatorname{softmax}(\beta s)_j$.",
    hypotheses=r"Real scores and any real $\beta$.",
    why="It is Bayes' rule in the language of scores: prior times likelihood, renormalised. Biases, masks and position "
    "terms are updates of this kind, and two of them in a row are one with the sum of the scores.",
    predict=r"You know only the weights $p$ and want those at half the temperature. Do you need the scores?",
    steps=(
        Step(
            "positive",
            Lt(ZERO, p[j]),
            "certificate",
            r"The weights $p_j = e^{s_j}/D$ are positive, so they can be divided by.",
            given=(WEIGHTS,),
            hints={"certificate": weight(j)},
        ),
        Step(
            "update",
            Eq(softmax(lambda key: s[key] + t[key], j, k), p[j] * Exp(t[j]) / Sum(k, p[k] * Exp(t[k]))),
            "normal form",
            r"$e^{s_j + t_j} = e^{s_j} e^{t_j}$; divide numerator and denominator by $\sum_k e^{s_k}$.",
            given=(WEIGHTS,),
            using=("positive",),
        ),
        Step(
            "logarithms are scores",
            Eq(softmax(lambda key: Log(p[key]), j, k), p[j]),
            "normal form",
            r"The logarithms of the weights are as good as the scores: $e^{\log p_j} = p_j$, and they sum to 1.",
            given=(WEIGHTS,),
            using=("positive",),
        ),
        Step(
            "temperature",
            Eq(softmax(lambda key: β * Log(p[key]), j, k), softmax(lambda key: β * s[key], j, k)),
            "normal form",
            r"$p_j^{\beta} = e^{\beta \log p_j} = e^{\beta s_j} e^{-\beta \log D}$, and the last factor cancels.",
            given=(WEIGHTS,),
            using=("positive",),
        ),
    ),
    concludes=("update", "logarithms are scores", "temperature"),
    near_miss=NearMiss(
        r"Two updates multiply the weights without renormalising: "
        r"$\operatorname{softmax}(s + t) = \operatorname{softmax}(s)\operatorname{softmax}(t)$.",
        Eq(softmax(lambda key: s[key] + t[key], j, k), weight(j) * weight(j, t)),
        Model({KEYS: 2}, {s: (0, 0), t: (0, 0)}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$, then twice as large ($\beta = 2$).",
        Model({KEYS: 3}, {s: (0, log(2), log(3)), β.symbol: 2}),
        (("p", weight(j)), ("squared and renormalised", _TEMPERED)),
    ),
    source="folklore (Bayes' rule; multiplicative weights)",
)

weight_is_a_sigmoid_of_its_margin = Theorem(
    name="weight_is_a_sigmoid_of_its_margin",
    family="softmax",
    level=2,
    statement=r"A key of score $c$ beside others of scores $s_k$ has the weight $\sigma(c - L)$ with "
    r"$L = \log \sum_k e^{s_k}$ and $\sigma(z) = 1/(1 + e^{-z})$. Its logarithmic odds are $c - L$, its slope is "
    r"$\partial p/\partial c = p(1 - p) \le 1/4$.",
    hypotheses=r"At least one other key.",
    why="One key against all others is logistic regression. What a key needs in order to be seen grows like the "
    r"logarithm of the length: against $n$ equal scores it takes a lead of $\log n$ to get half of the weight.",
    predict="A hundred keys have score 0. Which score must one more key have to get half of the weight?",
    steps=(
        Step(
            "sigmoid",
            Eq(own, 1 / (1 + Exp(-(c - L)))),
            "normal form",
            r"Divide numerator and denominator by $e^{c}$, and write $\sum_k e^{s_k}$ as $e^{L}$.",
            given=(OWN, LEVEL),
        ),
        Step(
            "the others",
            Lt(ZERO, 1 - own),
            "certificate",
            r"The others together have the rest of the weight, $1 - p = e^{L}/(e^{c} + e^{L}) > 0$.",
            given=(OWN,),
            hints={"certificate": exp_sum() / (Exp(c) + exp_sum())},
        ),
        Step(
            "odds",
            Eq(own / (1 - own), Exp(c - L)),
            "normal form",
            r"So the odds are $e^{c}/e^{L}$, and their logarithm is the lead $c - L$.",
            given=(OWN, LEVEL),
            using=("the others",),
        ),
        Step("slope", Eq(Deriv(own, c), own * (1 - own)), "normal form", "The rule for quotients.", given=(OWN,)),
        Step(
            "at most a quarter",
            Le(own * (1 - own), term(Fraction(1, 4))),
            "certificate",
            r"$\tfrac14 - p(1 - p) = (\tfrac12 - p)^2$.",
            hints={"certificate": (HALF - own) ** 2},
        ),
        Step(
            "half",
            Eq(Exp(z + Log(Size(KEYS))) / (Exp(z + Log(Size(KEYS))) + Sum(k, Exp(z))), term(HALF)),
            "normal form",
            r"If all others have the score $z$, then $L = z + \log n$, and a lead of $\log n$ gives $\sigma(0) = 1/2$.",
        ),
    ),
    concludes=("sigmoid", "odds", "slope", "at most a quarter", "half"),
    near_miss=NearMiss(
        r"It is the lead over the *largest* other score that counts: $p = \sigma(c - \max_k s_k)$.",
        Eq(Exp(c) / (Exp(c) + exp_sum()), 1 / (1 + Exp(s[one] - c))),
        Model({KEYS: 2}, {s: (0, 0), c.symbol: 0}, {one: 0}),
        given=(Le(s[j], s[one]),),
    ),
    illustration=Illustration(
        r"Others with scores $0, \log 2$; the key itself with $\log 3 = L$.",
        Model({KEYS: 2}, {s: (0, log(2)), c.symbol: log(3)}),
        (("p", Exp(c) / (Exp(c) + exp_sum())), (r"$c - L$", c - Log(exp_sum()))),
    ),
    source="folklore (softmax with two classes is logistic regression)",
)


THEOREMS = (weight_bounds_from_score_range, softmax_updates_compose, weight_is_a_sigmoid_of_its_margin)
