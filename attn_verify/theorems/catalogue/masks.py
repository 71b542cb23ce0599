"""Masks: what deletes a key, and what only seems to."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Limit,
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
j, k = KEYS.index("j"), KEYS.index("k")
s, v = Symbol("s", (KEYS,)), Symbol("v", (KEYS,))
s_0, v_0, M = (scalar(name) for name in ("s_0", "v_0", "M"))
D, N_A, N_B, D_A, D_B, e, e_1, e_2, t = (
    scalar(name) for name in ("D", "N_A", "N_B", "D_A", "D_B", "e", "e_1", "e_2", "t")
)
SUM, MASS = Sum(j, Exp(s[j]) * v[j]), Sum(k, Exp(s[k]))
OUTPUT = SUM / MASS  # of the other keys
MASKED = (SUM + Exp(s_0 - M) * v_0) / (MASS + Exp(s_0 - M))
LEAK = Exp(s_0 - M) / (MASS + Exp(s_0 - M))

mask_deletes_keys = Theorem(
    name="mask_deletes_keys",
    family="masks and causality",
    level=1,
    statement=r"Subtract $M$ from the score of one key: the output is off from that without the key by "
    r"$\frac{e^{s_0-M}}{D+e^{s_0-M}}(v_0 - o)$, at most $e^{-M}\frac{e^{s_0}}{D}|v_0 - o|$, and this goes to 0 as $M$ "
    r"grows. A factor 0 on the exponential, which is what $-\infty$ means, deletes the key.",
    hypotheses=r"At least one other key; $o = N/D$ is the output of the others.",
    why=r"A mask is deletion, and this is the exact price of $-10^4$ in place of $-\infty$.",
    predict=r"A padding key gets $-10$ instead of $-\infty$. How much of it leaks into the output?",
    steps=(
        Step(
            "leak",
            Eq(MASKED - OUTPUT, LEAK * (v_0 - OUTPUT)),
            "normal form",
            r"One more term in numerator and denominator moves the mean towards its value, by the weight of the key.",
        ),
        Step(
            "size",
            Eq(Abs(MASKED - OUTPUT), LEAK * Abs(v_0 - OUTPUT)),
            "magnitude",
            "The weight is positive, so the magnitude of the leak is the weight times the distance.",
        ),
        Step(
            "bound",
            Le(LEAK * Abs(v_0 - OUTPUT), Exp(-M) * (Exp(s_0) / MASS) * Abs(v_0 - OUTPUT)),
            "certificate",
            r"Without the key in its own denominator the weight only gets larger: the difference is "
            r"$\varepsilon^2/(D(D+\varepsilon))$ times the distance, with $\varepsilon = e^{s_0-M}$.",
            hints={
                "certificate": Exp(2 * s_0 - 2 * M) / (MASS * (MASS + Exp(s_0 - M))) * Abs(v_0 - OUTPUT),
            },
        ),
        Step(
            "limit",
            Limit(Exp(-M) * e / (D + Exp(-M) * e), M, "oo", ZERO),
            "limit",
            r"As $M$ grows nothing is left of the weight of the key, and so of the leak; $D$ is the sum of the others "
            r"and $e = e^{s_0}$.",
            given=(Lt(ZERO, D), Lt(ZERO, e)),
        ),
        Step(
            "deleted",
            Eq((SUM + ZERO * Exp(s_0) * v_0) / (MASS + ZERO * Exp(s_0)), OUTPUT),
            "normal form",
            r"With $-\infty$ the exponential is 0, and its term is gone from both sums.",
        ),
    ),
    concludes=("leak", "size", "bound", "limit", "deleted"),
    near_miss=NearMiss(
        "Multiplying the score of a key by 0 deletes it as well.",
        Eq((SUM + Exp(ZERO * s_0) * v_0) / (MASS + Exp(ZERO * s_0)), OUTPUT),
        Model({KEYS: 1}, {s: (0,), v: (0,), s_0.symbol: 5, v_0.symbol: 1}),
    ),
    illustration=Illustration(
        r"One key with score and value 0, one with score $\log 3$ and value 1 that is masked by $\log 300$.",
        Model({KEYS: 1}, {s: (0,), v: (0,), s_0.symbol: log(3), v_0.symbol: 1, M.symbol: log(300)}),
        (("without the key", OUTPUT), ("masked", MASKED), ("the bound", Exp(s_0 - M) / MASS)),
    ),
    source="Vaswani et al. 2017, section 3.2.3; the rate: own",
    needs=("odds_ignore_other_keys",),
)

m = Symbol("m", (KEYS,))
KEPT = Sum(k, m[k] * Exp(s[k]))


def p(at: Index) -> Term:
    """The weight of a key for the scores ``s``."""
    return softmax(lambda n: s[n], at, k)


mask_after_softmax_needs_renormalising = Theorem(
    name="mask_after_softmax_needs_renormalising",
    family="masks and causality",
    level=1,
    statement=r"Mask the weights after softmax with $m_j \in \{0, 1\}$ and divide by what is left: "
    r"$\frac{m_j p_j}{\sum_k m_k p_k} = \frac{m_j e^{s_j}}{\sum_k m_k e^{s_k}}$, the softmax over the allowed keys. "
    r"Without the division the row sums to $1 - \sum_k (1 - m_k) p_k$.",
    hypotheses=r"Something is left: $\sum_k m_k e^{s_k} > 0$. Any real $m_j$ will do.",
    why="Masking before and after softmax agree only after dividing again: a classic silent error, and a good first "
    "proof.",
    predict="Set half of the weights of a row to 0. What must the rest be divided by?",
    steps=(
        Step("something left", Lt(ZERO, KEPT), "hypothesis", "Some key is allowed."),
        Step(
            "left",
            Lt(ZERO, Sum(k, m[k] * p(k))),
            "certificate",
            r"What is left of the weights is $\sum_k m_k e^{s_k}/D$, so it is positive as well.",
            using=("something left",),
            hints={"certificate": KEPT / MASS},
        ),
        Step(
            "renormalised",
            Eq(m[j] * p(j) / Sum(k, m[k] * p(k)), m[j] * Exp(s[j]) / KEPT),
            "normal form",
            r"The denominator $D$ of the first softmax cancels.",
            using=("something left", "left"),
        ),
        Step(
            "row sum",
            Eq(Sum(j, m[j] * p(j)), 1 - Sum(j, (1 - m[j]) * p(j))),
            "normal form",
            "The weights summed to 1 before; what was taken away is missing.",
        ),
    ),
    concludes=("renormalised", "row sum"),
    near_miss=NearMiss(
        "Masking after softmax gives the same weights without dividing.",
        Eq(m[j] * p(j), m[j] * Exp(s[j]) / KEPT),
        Model({KEYS: 2}, {s: (0, 0), m: (1, 0)}),
        given=(Lt(ZERO, KEPT),),
    ),
    illustration=Illustration(
        r"Scores $0, \log 2, \log 3$ with the last key masked.",
        Model({KEYS: 3}, {s: (0, log(2), log(3)), m: (1, 1, 0)}),
        (("masked after", m[j] * p(j)), ("divided again", m[j] * Exp(s[j]) / KEPT)),
    ),
    source="folklore",
    needs=("odds_ignore_other_keys",),
)

SHARE = e_1 * D_A / (e_1 * D_A + e_2 * D_B)
FACTORS = tuple(Lt(ZERO, factor) for factor in (e_1, e_2, D_A, D_B))

uniform_mask_cancels = Theorem(
    name="uniform_mask_cancels",
    family="masks and causality",
    level=2,
    statement=r"Subtract the same finite $M$ from every score of a row: the weights are those of the unmasked row. "
    r"With $-\infty$ on the whole row no value is forced: with penalties $t$ and $2t$ on two groups of keys the output "
    r"tends to that of either group, as you like, and with $t$ on both to that of all.",
    hypotheses="Groups A and B of keys with any sums $N_A, D_A, N_B, D_B$ of their own.",
    why="It is why a row that is masked altogether is NaN in one library, the average in another, and leaks in a "
    "third.",
    predict=r"A padding query may see nothing; its mask is $-10^9$ everywhere. What does it attend to?",
    steps=(
        Step(
            "uniform",
            Eq(softmax(lambda n: s[n] - M, j, k), p(j)),
            "normal form",
            r"$e^{s_j - M} = e^{s_j}e^{-M}$, and the factor cancels: shift invariance with $c = -M$.",
        ),
        Step(
            "mixture",
            Eq(
                (e_1 * N_A + e_2 * N_B) / (e_1 * D_A + e_2 * D_B),
                SHARE * (N_A / D_A) + (1 - SHARE) * (N_B / D_B),
            ),
            "normal form",
            r"With factors $e_1$ on the exponentials of group A and $e_2$ on those of B the output is a mixture of "
            r"that of A, with the share $\frac{e_1D_A}{e_1D_A + e_2D_B}$, and that of B.",
            given=FACTORS,
        ),
        Step(
            "A wins",
            Limit(Exp(-t) * D_A / (Exp(-t) * D_A + Exp(-2 * t) * D_B), t, "oo", ONE),
            "limit",
            r"Penalty $t$ on group A and $2t$ on group B: the share of A tends to 1.",
            given=(Lt(ZERO, D_A), Lt(ZERO, D_B)),
        ),
        Step(
            "B wins",
            Limit(Exp(-2 * t) * D_A / (Exp(-2 * t) * D_A + Exp(-t) * D_B), t, "oo", ZERO),
            "limit",
            "The other way round it tends to 0, and the output to that of B.",
            given=(Lt(ZERO, D_A), Lt(ZERO, D_B)),
        ),
        Step(
            "both",
            Eq(Exp(-t) * D_A / (Exp(-t) * D_A + Exp(-t) * D_B), D_A / (D_A + D_B)),
            "normal form",
            "With the same penalty on both it stays what it is without a mask.",
            given=(Lt(ZERO, D_A), Lt(ZERO, D_B)),
        ),
    ),
    concludes=("uniform", "mixture", "A wins", "B wins", "both"),
    near_miss=NearMiss(
        "A row with the same finite mask on all keys attends to all of them equally.",
        Eq(softmax(lambda n: s[n] - M, j, k), softmax(lambda n: ZERO * s[n], j, k)),
        Model({KEYS: 2}, {s: (0, log(3)), M.symbol: 9}),
    ),
    illustration=Illustration(
        r"Scores $0, \log 3$ with $-9$ on both.",
        Model({KEYS: 2}, {s: (0, log(3)), M.symbol: 9}),
        (("masked", softmax(lambda n: s[n] - M, j, k)), ("unmasked", p(j))),
    ),
    source="folklore; PyTorch's `_safe_softmax` and the issues before it",
    needs=("shift_invariance_exactly", "mask_deletes_keys"),
)

THEOREMS = (
    mask_deletes_keys,
    mask_after_softmax_needs_renormalising,
    uniform_mask_cancels,
)
