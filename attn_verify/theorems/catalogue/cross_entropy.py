"""Cross-entropy: the loss whose gradient is what is predicted minus what is true."""

from __future__ import annotations

from attn_verify.theorems.letters import KEYS, exp_sum, i, j, l, s, weight
from attn_verify.theorems.notation import (
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
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    scalar,
    term,
)  # fmt: skip  # fmt: skip

z = scalar("z")
LSE = Log(exp_sum())
g = Symbol("p", (KEYS,), ("s",))  # the weights as functions of the scores
GIBBS = Eq(g[j], weight(j))
label = Symbol("y", (KEYS,))
loss = scalar("ℓ", ("s",))
CROSS_ENTROPY = Eq(loss, -Sum(j, label[j] * Log(weight(j))))
LABELS = Eq(Sum(j, label[j]), ONE)
cross_entropy_gradient = Theorem(
    name="cross_entropy_gradient",
    family="softmax",
    level=2,
    statement=r"For $\ell = -\sum_j y_j \log p_j$ with $p = \operatorname{softmax}(s)$ and $\sum_j y_j = 1$: "
    r"$\partial \ell/\partial s_l = p_l - y_l$. These sum to 0, and $0 \le \ell$ where no $y_j$ is negative.",
    hypotheses=r"Labels $y_j$ that sum to 1 and do not depend on the scores.",
    why="The gradient that starts every backward pass of a language model: what is predicted minus what is true. "
    "It is never larger than 1, however wrong the scores are.",
    predict="The right token has weight almost 0. How large is the gradient at its score?",
    steps=(
        Step(
            "by level",
            Eq(-Sum(j, label[j] * Log(weight(j))), LSE - Sum(j, label[j] * s[j])),
            "normal form",
            r"$\log p_j = s_j - L$ with $L = \log \sum_k e^{s_k}$, and the labels sum to 1.",
            given=(LABELS,),
        ),
        Step(
            "gradient",
            Eq(Deriv(loss, s[l]), g[l] - label[l]),
            "normal form",
            r"The gradient of $L$ is $p$, that of $\sum_j y_j s_j$ is $y$.",
            given=(CROSS_ENTROPY, GIBBS, LABELS),
        ),
        Step(
            "sum",
            Eq(Sum(l, g[l] - label[l]), term(0)),
            "normal form",
            r"Both $p$ and $y$ sum to 1.",
            given=(GIBBS, LABELS),
        ),
        Step(
            "rest",
            Lt(ZERO, weight(j)),
            "certificate",
            r"For the sign of the loss: a weight is positive …",
        ),
        Step(
            "logarithm, if",
            Le(ZERO, weight(j) - 1 - Log(weight(j))),
            "instance",
            r"… and $\log p_j \le p_j - 1$ …",
            using=("exponential_above_its_tangent:log tangent",),
            hints={"symbols": {z.symbol: ((), weight(j))}},
        ),
        Step(
            "logarithm",
            Le(ZERO, weight(j) - 1 - Log(weight(j))),
            "modus ponens",
            r"… for every positive $p_j$.",
            using=("logarithm, if", "rest"),
        ),
        Step(
            "not negative",
            Le(ZERO, -Sum(j, label[j] * Log(weight(j)))),
            "certificate",
            r"$-\log p_j \ge 1 - p_j = \sum_{k \ne j} e^{s_k}/D \ge 0$.",
            given=(Le(ZERO, label[j]),),
            using=("logarithm",),
            hints={
                "certificate": Sum(
                    j,
                    label[j]
                    * ((weight(j) - 1 - Log(weight(j))) + Sum(i, (1 - Delta(i, j)) * Exp(s[i])) / Sum(i, Exp(s[i]))),
                )
            },
        ),
    ),
    concludes=("gradient", "sum", "not negative"),
    near_miss=NearMiss(
        r"The labels may be anything: $\partial \ell/\partial s_l = p_l - y_l$ without $\sum_j y_j = 1$.",
        Eq(Deriv(CROSS_ENTROPY.right, s[l]), weight(l) - label[l]),
        Model({KEYS: 2}, {s: (0, 0), label: (1, 1)}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$; the first key is the right one.",
        Model({KEYS: 2}, {s: (0, log(3)), label: (1, 0)}),
        ((r"$\ell$", CROSS_ENTROPY.right), ("its gradient", Deriv(CROSS_ENTROPY.right, s[l]))),
    ),
    source="Bridle 1990; Goodfellow, Bengio & Courville 2016, section 6.2.2",
    needs=("exponential_above_its_tangent",),
)


THEOREMS = (cross_entropy_gradient,)
