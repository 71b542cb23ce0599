"""Masks that are put together: unions of sets of keys, and documents in one pack."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Delta,
    Eq,
    Exp,
    Illustration,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    Trig,
    over,
    scalar,
)  # fmt: skip

KEYS = Sort("n")
j, k, query = KEYS.index("j"), KEYS.index("k"), KEYS.index("i")
s, v = Symbol("s", (KEYS,)), Symbol("v", (KEYS,))
A, C = Symbol("a", (KEYS,)), Symbol("b", (KEYS,))


def part(mask: Term, value: bool) -> Term:
    """``Σ_k mask e^{s_k}``, with the values if asked for."""
    return Sum(k, mask * Exp(s[k]) * v[k]) if value else Sum(k, mask * Exp(s[k]))


UNION = A[k] + C[k] - A[k] * C[k]

overlapping_masks_count_once = Theorem(
    name="overlapping_masks_count_once",
    family="masks and causality",
    level=2,
    statement=r"Attention over the union of two sets of keys (a window and global keys, say) is formed from the sums "
    r"of both by inclusion and exclusion: $N_{A\cup B} = N_A + N_B - N_{A\cap B}$, and $D$ alike. Only disjoint sets "
    r"may simply be merged.",
    hypotheses=r"Masks $a_k, b_k \in \{0, 1\}$ of two sets; their union has the mask $a_k + b_k - a_k b_k$.",
    why="Sparse patterns are unions. Where two parts of a pattern overlap, a merge of states counts keys twice.",
    predict="A window of the last 4 keys and a global first key: what happens to token 3 if both states are merged?",
    steps=(
        Step(
            "sums",
            Eq(part(UNION, True), part(A[k], True) + part(C[k], True) - part(A[k] * C[k], True)),
            "normal form",
            r"Distribute; $ab$ is the mask of the keys in both.",
        ),
        Step(
            "denominators",
            Eq(part(UNION, False), part(A[k], False) + part(C[k], False) - part(A[k] * C[k], False)),
            "normal form",
            "The denominator alike.",
        ),
        Step(
            "union",
            Eq(
                part(UNION, True) / part(UNION, False),
                (part(A[k], True) + part(C[k], True) - part(A[k] * C[k], True))
                / (part(A[k], False) + part(C[k], False) - part(A[k] * C[k], False)),
            ),
            "normal form",
            "So the output over the union is formed from three states.",
            given=(Lt(ZERO, part(UNION, False)),),
        ),
        Step(
            "disjoint",
            Eq(
                part(UNION, True) / part(UNION, False),
                (part(A[k], True) + part((1 - A[k]) * C[k], True))
                / (part(A[k], False) + part((1 - A[k]) * C[k], False)),
            ),
            "normal form",
            "Or take the keys of the first set out of the second, with the mask $(1 - a)b$: then two states are "
            "enough.",
            given=(Lt(ZERO, part(UNION, False)),),
        ),
    ),
    concludes=("sums", "denominators", "union", "disjoint"),
    near_miss=NearMiss(
        "States of overlapping sets are merged by adding them.",
        Eq(
            part(UNION, True) / part(UNION, False),
            (part(A[k], True) + part(C[k], True)) / (part(A[k], False) + part(C[k], False)),
        ),
        Model({KEYS: 2}, {s: (0, 0), v: (0, 1), A: (1, 1), C: (1, 0)}),
        given=(Eq(A[k] * (1 - A[k]), ZERO), Eq(C[k] * (1 - C[k]), ZERO)),
    ),
    illustration=Illustration(
        "Two equal scores, values 0 and 1; the first key is in both sets, the second in one.",
        Model({KEYS: 2}, {s: (0, 0), v: (0, 1), A: (1, 1), C: (1, 0)}),
        (
            ("over the union", part(UNION, True) / part(UNION, False)),
            (
                "states added",
                (part(A[k], True) + part(C[k], True)) / (part(A[k], False) + part(C[k], False)),
            ),
        ),
    ),
    source="own; sparse patterns as unions: Beltagy et al. 2020 (Longformer)",
    needs=("attention_states_merge",),
)

# Documents packed in one row of tokens: queries (g, i) and keys (h, j), with a block-diagonal mask; m is 0 for padding.
DOCUMENTS, PAIRS = Sort("documents"), Sort("pairs")
g, h = DOCUMENTS.index("g"), DOCUMENTS.index("h")
f = PAIRS.index("b")
S = Symbol("s", (DOCUMENTS, KEYS, DOCUMENTS, KEYS))
value, member = Symbol("v", (DOCUMENTS, KEYS)), Symbol("m", (DOCUMENTS, KEYS))
q_1, q_2, k_1, k_2 = (Symbol(name, (PAIRS,)) for name in ("q_1", "q_2", "k_1", "k_2"))
angle, start = Symbol("θ", (PAIRS,)), scalar("σ")
P_q, P_k = scalar("t_q"), scalar("t_k")


def rotary(at_query: Term, at_key: Term) -> Term:
    """The score of a query and a key that are rotated by their positions."""
    x, y = at_query * angle[f], at_key * angle[f]
    first = (q_1[f] * Trig("cos", x) - q_2[f] * Trig("sin", x)) * (k_1[f] * Trig("cos", y) - k_2[f] * Trig("sin", y))
    second = (q_1[f] * Trig("sin", x) + q_2[f] * Trig("cos", x)) * (k_1[f] * Trig("sin", y) + k_2[f] * Trig("cos", y))
    return Sum(f, first + second)


def in_pack(mask: Term) -> Term:
    """The output of token ``i`` of document ``g`` in the pack."""
    weight = mask * member[h, j] * Exp(S[g, query, h, j])
    return over(h, j)(weight * value[h, j]) / over(h, j)(weight)


ALONE_MASS = Sum(j, member[g, j] * Exp(S[g, query, g, j]))
BY_ITSELF = Sum(j, member[g, j] * Exp(S[g, query, g, j]) * value[g, j]) / ALONE_MASS
PACK = Model({DOCUMENTS: 2, KEYS: 1}, {S: lambda *places: 0, value: ((0,), (1,)), member: ((1,), (1,))})

packing_is_exact = Theorem(
    name="packing_is_exact",
    family="masks and causality",
    level=2,
    statement=r"Pack documents into one sequence with a block-diagonal mask: every token gets what it gets in its "
    r"document alone. With rotary positions it does not matter whether positions run on through the pack or start "
    r"again in every document.",
    hypotheses="Documents of any lengths (shorter ones are padded, and padding is masked), each with some token; any "
    "scores.",
    why="Packing saves padding at no price, if the mask is there. Absolute positions have to start again.",
    predict="Your packed sequences use positions 0, 1, 2, … through the whole pack. With RoPE, is that an error?",
    steps=(
        Step(
            "somebody is there", Lt(ZERO, ALONE_MASS), "hypothesis", "Every document holds a token that is no padding."
        ),
        Step(
            "own document",
            Eq(in_pack(Delta(g, h)), BY_ITSELF),
            "normal form",
            r"The mask $\delta_{gh}$ is 1 for the keys of the own document and 0 elsewhere: in numerator and "
            r"denominator only $h = g$ is left.",
            using=("somebody is there",),
        ),
        Step(
            "positions",
            Eq(rotary(P_q + start, P_k + start), rotary(P_q, P_k)),
            "normal form",
            r"In the pack both positions are moved by the start $\sigma$ of the document. By the addition formulas a "
            r"rotary score of a query at $t_q$ and a key at $t_k$ depends on $t_k - t_q$ alone.",
        ),
    ),
    concludes=("own document", "positions"),
    near_miss=NearMiss(
        "The mask may be left away.",
        Eq(in_pack(ONE), BY_ITSELF),
        PACK,
        given=(Lt(ZERO, ALONE_MASS),),
    ),
    illustration=Illustration(
        "Two documents of one token each, with values 0 and 1.",
        PACK,
        (("packed", in_pack(Delta(g, h))), ("without the mask", in_pack(ONE))),
    ),
    source="folklore",
    needs=("mask_deletes_keys", "rope_depends_on_offset"),
)

THEOREMS = (
    overlapping_masks_count_once,
    packing_is_exact,
)
