"""Sinks: one more key, and why blocks share it."""

from __future__ import annotations

from attn_verify.theorems.catalogue.caches import (
    ALL,
    BLOCKS,
    KEYS,
    MASS,
    PARTITION,
    b,
    j,
    part,
    score,
    sigmoid,
    value,
)
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Eq,
    Exp,
    Illustration,
    Log,
    Lt,
    Model,
    NearMiss,
    Size,
    Sort,
    Step,
    Sum,
    Symbol,
    Theorem,
    log,
    scalar,
)  # fmt: skip

OUTPUT = ALL / MASS
s_0, v_0 = scalar("s_0"), scalar("v_0")
WITH_SINK = (ALL + Exp(s_0) * v_0) / (MASS + Exp(s_0))
p_0 = Exp(s_0) / (MASS + Exp(s_0))
ONE_KEY = Model({KEYS: 1}, {score: (log(3),), value: (1,), s_0.symbol: 0, v_0.symbol: 0})
WIDE = Sort("d_k")
coordinate = WIDE.index("a")
q_0 = Symbol("q", (WIDE,))

zero_sink_is_softmax_plus_one = Theorem(
    name="zero_sink_is_softmax_plus_one",
    family="caches and blocks",
    level=2,
    statement=r"A key that is 0 with a value that is 0 gives the weights $\frac{e^{s_j}}{1 + D}$ and the output "
    r"$\frac{D}{1+D}\,o$: the same direction, shorter. For any sink, $o' = (1 - p_0)\,o + p_0 v_0$ with "
    r"$p_0 = \frac{e^{s_0}}{D + e^{s_0}}$.",
    hypotheses=r"$D = \sum_j e^{s_j}$ over the other keys, $o$ their output.",
    why="*Softmax plus one* is ordinary softmax with one more token; and this is what an attention sink does.",
    predict="Can a softmax head output (almost) nothing?",
    steps=(
        Step(
            "score",
            Eq(Exp(Sum(coordinate, q_0[coordinate] * 0)), ONE),
            "normal form",
            r"The score of a key that is 0 is 0 for every query, and $e^0 = 1$.",
        ),
        Step(
            "zero sink",
            Eq((ALL + ONE * 0) / (MASS + ONE), MASS / (1 + MASS) * OUTPUT),
            "normal form",
            r"The value 0 adds nothing to the numerator, the key adds 1 to the denominator.",
        ),
        Step(
            "any sink",
            Eq(WITH_SINK, (1 - p_0) * OUTPUT + p_0 * v_0),
            "normal form",
            r"A mean of the old output and the value of the sink.",
        ),
        Step(
            "direction",
            Lt(ZERO, MASS / (1 + MASS)),
            "certificate",
            "The factor is positive, so no output turns round,",
        ),
        Step(
            "shorter",
            Lt(MASS / (1 + MASS), ONE),
            "certificate",
            r"and it is below 1: what is missing is $\frac{1}{1+D}$.",
            hints={"certificate": 1 / (1 + MASS)},
        ),
    ),
    concludes=("zero sink", "any sink", "direction", "shorter"),
    near_miss=NearMiss(
        "A key that is 0 takes no weight, so the output stays.",
        Eq((ALL + Exp(s_0) * v_0) / (MASS + Exp(s_0)), OUTPUT),
        ONE_KEY,
        given=(Eq(s_0, ZERO), Eq(v_0, ZERO)),
    ),
    illustration=Illustration(
        r"One key with score $\log 3$ and value 1, and the sink.",
        ONE_KEY,
        (("without", OUTPUT), ("with the sink", WITH_SINK), ("weight of the sink", p_0)),
    ),
    source="Miller 2023, 'Attention is off by one'; Xiao et al. 2023 (StreamingLLM)",
)

BLOCK_MASS = Sum(j, part[b, j] * Exp(score[j]))
BLOCK_SUM = Sum(j, part[b, j] * Exp(score[j]) * value[j])
SPLIT = Model({KEYS: 2, BLOCKS: 2}, {score: (0, 0), value: (1, 1), part: ((1, 0), (0, 1)), s_0.symbol: 0})

sinks_are_merged_once = Theorem(
    name="sinks_are_merged_once",
    family="caches and blocks",
    level=2,
    statement=r"If every one of $B$ blocks has its own sink and the states are merged, the result has $B$ sinks: "
    r"$\frac{N}{D + B e^{s_0}}$. A sink belongs into one block, or into the end: "
    r"$\frac{D}{D + e^{s_0}}\,o = \sigma(L - s_0)\,o$.",
    hypotheses=r"Sinks of value 0 and score $s_0$; every key is in exactly one block.",
    why="A kernel with a sink may not be called on pieces: split over devices, its output shrinks with their number.",
    predict="A kernel computes softmax plus one. You split the keys into 8 chunks and merge. What comes out?",
    steps=(
        Step("partition", PARTITION, "hypothesis", "Every key is in one block."),
        Step(
            "one each",
            Eq(
                Sum(b, BLOCK_SUM) / Sum(b, BLOCK_MASS + Exp(s_0)),
                ALL / (MASS + Size(BLOCKS) * Exp(s_0)),
            ),
            "normal form",
            r"A merge adds what the states stand for, and with it the sinks.",
            using=("partition",),
        ),
        Step(
            "one in all",
            Eq(Sum(b, BLOCK_SUM) / (Sum(b, BLOCK_MASS) + Exp(s_0)), ALL / (MASS + Exp(s_0))),
            "normal form",
            "With one sink for all blocks the result is right.",
            using=("partition",),
        ),
        Step(
            "at the end",
            Eq(ALL / (MASS + Exp(s_0)), sigmoid(Log(MASS) - s_0) * OUTPUT),
            "normal form",
            r"It may as well be a factor on the final output: $\sigma(L - s_0) = \frac{D}{D + e^{s_0}}$.",
        ),
    ),
    concludes=("one each", "one in all", "at the end"),
    near_miss=NearMiss(
        "Blocks with a sink each are merged to the row with a sink.",
        Eq(Sum(b, BLOCK_SUM) / Sum(b, BLOCK_MASS + Exp(s_0)), ALL / (MASS + Exp(s_0))),
        SPLIT,
        given=(PARTITION,),
    ),
    illustration=Illustration(
        "Two keys with score 0 and value 1, one a block, sinks of score 0.",
        SPLIT,
        (
            ("a sink each", Sum(b, BLOCK_SUM) / Sum(b, BLOCK_MASS + Exp(s_0))),
            ("one sink", ALL / (MASS + Exp(s_0))),
        ),
    ),
    source="own",
    needs=("attention_states_merge", "zero_sink_is_softmax_plus_one"),
)

THEOREMS = (
    zero_sink_is_softmax_plus_one,
    sinks_are_merged_once,
)
