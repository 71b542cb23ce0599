"""States taken apart: blocks that are removed, and sliding windows."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.catalogue.caches import D_1, D_2, N_1, N_2, STEPS, at, by_induction, every, start, u
from attn_verify.theorems.notation import (
    ZERO,
    Eq,
    Exp,
    Illustration,
    Log,
    Lt,
    Model,
    NearMiss,
    Step,
    Symbol,
    Theorem,
    scalar,
)  # fmt: skip

o, o_2 = scalar("o"), scalar("o_2")
inside, entered, gone = (Symbol(name, (STEPS,)) for name in ("W", "E", "G"))
new, old = Symbol("e", (STEPS,)), Symbol("g", (STEPS,))
WINDOW = (
    Eq(inside[u + 1], inside[u] + new[u] - old[u]),
    Eq(entered[u + 1], entered[u] + new[u]),
    Eq(gone[u + 1], gone[u] + old[u]),
)
POSITIVE = (Lt(ZERO, D_1), Lt(ZERO, D_2))
LEFT_OUT = Model(
    {}, {N_1.symbol: 0, D_1.symbol: 1, N_2.symbol: 3, D_2.symbol: 3, o.symbol: Fraction(3, 4), o_2.symbol: 1}
)

states_can_be_taken_apart = Theorem(
    name="states_can_be_taken_apart",
    family="caches and blocks",
    level=2,
    statement=r"A block can be removed from a row without reading the other keys: "
    r"$o_1 = o + \frac{D_2}{D - D_2}(o - o_2)$ and $L_1 = L + \log\big(1 - e^{L_2-L}\big)$. A sliding window is the "
    r"difference of two causal states, that of the keys that entered and that of those that left.",
    hypotheses=r"$D = D_1 + D_2$ with some mass left, $D_1 > 0$; exact arithmetic (in floats the difference cancels).",
    why="Merging has an inverse: keys can be evicted or forgotten from a state, at the price of cancellation.",
    predict="Can the contribution of a chunk be taken out of an attention output that is already computed?",
    steps=(
        Step(
            "removed",
            Eq(
                (N_1 + N_2) / (D_1 + D_2) + D_2 / (D_1 + D_2 - D_2) * ((N_1 + N_2) / (D_1 + D_2) - N_2 / D_2),
                N_1 / D_1,
            ),
            "normal form",
            r"Right: the output of the first block. Left: the output $o$ of both, moved away from that of the second.",
            given=POSITIVE,
        ),
        Step(
            "share",
            Lt(ZERO, 1 - Exp(Log(D_2) - Log(D_1 + D_2))),
            "certificate",
            r"$1 - D_2/D = D_1/D$ is positive,",
            given=POSITIVE,
            hints={"certificate": D_1 / (D_1 + D_2)},
        ),
        Step(
            "log-sum-exp",
            Eq(Log(D_1 + D_2) + Log(1 - Exp(Log(D_2) - Log(D_1 + D_2))), Log(D_1)),
            "normal form",
            r"and the logarithm of $D \cdot D_1/D$ is that of $D_1$.",
            using=("share",),
        ),
        Step(
            "window at the start",
            Eq(inside[start], entered[start] - gone[start]),
            "hypothesis",
            "A window that starts empty, or with what entered and has not left;",
        ),
        Step("window so far", Eq(inside[at], entered[at] - gone[at]), "hypothesis", r"let it be so after $t$ keys."),
        Step(
            "one key on",
            Eq(inside[at + 1], entered[at + 1] - gone[at + 1]),
            "normal form",
            "One key enters, one leaves: add the one, subtract the other. It is the same for numerators and "
            "denominators.",
            given=WINDOW,
            using=("window so far",),
        ),
        by_induction(
            "window",
            Eq(inside[every], entered[every] - gone[every]),
            "window at the start",
            "one key on",
            "So the window is always the difference.",
        ),
    ),
    concludes=("removed", "log-sum-exp", "window"),
    near_miss=NearMiss(
        r"The output of a block is subtracted from the output: $o_1 = o - \frac{D_2}{D}o_2$.",
        Eq(o - D_2 / (D_1 + D_2) * o_2, N_1 / D_1),
        Model({}, {N_1.symbol: 1, D_1.symbol: 1, N_2.symbol: 1, D_2.symbol: 1, o.symbol: 1, o_2.symbol: 1}),
        given=(*POSITIVE, Eq(o, (N_1 + N_2) / (D_1 + D_2)), Eq(o_2, N_2 / D_2)),
    ),
    illustration=Illustration(
        "A block with $D_1 = 1$ and output 0, one with $D_2 = 3$ and output 1: together 3/4.",
        LEFT_OUT,
        (("together", (N_1 + N_2) / (D_1 + D_2)), ("second removed", o + D_2 / D_1 * (o - o_2))),
    ),
    source="own",
    needs=("attention_states_merge",),
)

THEOREMS = (states_can_be_taken_apart,)
