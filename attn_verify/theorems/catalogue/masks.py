"""Masks: what deletes a key, what only seems to, and why a causal mask lets nothing back."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    App,
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
    over,
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

# A causal network over the tokens up to one of them and the later ones: x[ℓ,j,a] in the whole network, y[ℓ,j,a] in that
# of the earlier tokens alone.  m is the mask: no earlier token sees a later one.
LAYERS, TOKENS, LATER, WIDTH = Sort("ℓ", natural=True), Sort("tokens"), Sort("later", empty=True), Sort("d")
u, at = LAYERS.index("u"), LAYERS.index("ℓ", fixed=True)
first = Index("", LAYERS)
q, r = TOKENS.index("i"), TOKENS.index("j")
z = LATER.index("z")
a, b, o = (WIDTH.index(name) for name in "abo")
whole, alone = Symbol("x", (LAYERS, TOKENS, WIDTH)), Symbol("y", (LAYERS, TOKENS, WIDTH))
behind = Symbol("x", (LAYERS, LATER, WIDTH))
seen, ahead = Symbol("m", (TOKENS, TOKENS)), Symbol("m", (TOKENS, LATER))
B, V = Symbol("B", (LAYERS, WIDTH, WIDTH)), Symbol("V", (LAYERS, WIDTH, WIDTH))
HIDDEN = Sort("hidden")
unit = HIDDEN.index("c")
U, W = Symbol("U", (LAYERS, WIDTH, HIDDEN)), Symbol("W", (LAYERS, HIDDEN, WIDTH))
mixed_whole, mixed_alone = Symbol("x'", (LAYERS, TOKENS, WIDTH)), Symbol("y'", (LAYERS, TOKENS, WIDTH))


def weighed(mask: App, query: Symbol, key: Symbol, token: Index) -> Term:
    """``m e^s`` for the score ``Σ_ab query_a B_ab key_b``."""
    return mask * Exp(over(a, b)(query[u, q, a] * B[u, a, b] * key[u, token, b]))


def projected(key: Symbol, token: Index) -> Term:
    """A value, ``Σ_a key_a V_ao``."""
    return Sum(a, key[u, token, a] * V[u, a, o])


SEEN = Sum(r, weighed(seen[q, r], whole, whole, r))
AHEAD = Sum(z, weighed(ahead[q, z], whole, behind, z))
ALONE = Sum(r, weighed(seen[q, r], alone, alone, r))


def layer_of(mixed: Symbol) -> Term:
    """What a token makes of its own state: a network with one hidden layer of ``max(0, ·)``, and the state itself."""
    hidden = Sum(a, mixed[u, q, a] * U[u, a, unit])
    return mixed[u, q, o] + Sum(unit, HALF * (hidden + Abs(hidden)) * W[u, unit, o])


CAUSAL = Eq(ahead[q, z], ZERO)
WHOLE_MIXED = Eq(
    mixed_whole[u, q, o],
    whole[u, q, o]
    + (
        Sum(r, weighed(seen[q, r], whole, whole, r) * projected(whole, r))
        + Sum(z, weighed(ahead[q, z], whole, behind, z) * projected(behind, z))
    )
    / (SEEN + AHEAD),
)
ALONE_MIXED = Eq(
    mixed_alone[u, q, o],
    alone[u, q, o] + Sum(r, weighed(seen[q, r], alone, alone, r) * projected(alone, r)) / ALONE,
)
LAYER = (
    Eq(whole[u + 1, q, o], layer_of(mixed_whole)),
    Eq(alone[u + 1, q, o], layer_of(mixed_alone)),
    WHOLE_MIXED,
    ALONE_MIXED,
    CAUSAL,
    Lt(ZERO, SEEN),
    Lt(ZERO, ALONE),
)

ONE_LAYER = Eq(
    (
        Sum(r, weighed(seen[q, r], whole, whole, r) * projected(whole, r))
        + Sum(z, weighed(ahead[q, z], whole, behind, z) * projected(behind, z))
    )
    / (SEEN + AHEAD),
    Sum(r, weighed(seen[q, r], whole, whole, r) * projected(whole, r)) / SEEN,
)
START = Eq(whole[first, q, o], alone[first, q, o])


def same(layer: Index) -> Eq:
    """The claim at a layer."""
    return Eq(whole[layer, q, o], alone[layer, q, o])


SMALL = Model(
    {LAYERS: 1, TOKENS: 2, LATER: 1, WIDTH: 1},
    {
        whole: (((1,), (3,)),),
        behind: (((5,),),),
        seen: ((1, 0), (1, 1)),
        ahead: ((1,), (1,)),
        B: (((0,),),),
        V: (((1,),),),
    },
)

causal_prefix_property = Theorem(
    name="causal_prefix_property",
    family="masks and causality",
    level=1,
    statement=r"In a causal network of any depth the states of a token are those of the network that is given the "
    r"tokens up to it and nothing else. Changing, adding or deleting later tokens never changes earlier states.",
    hypotheses=r"Any mask $m \ge 0$ in which no earlier token sees a later one and every token sees some; scores are "
    r"any bilinear form of the states, with a residual connection. Any map of each token by itself may follow.",
    why="It is the reason why training on all positions at once, key/value caches and shared prefixes are exact.",
    predict="Append 1000 tokens to a prompt. Which of the earlier hidden states change?",
    steps=(
        Step(
            "not seen",
            Le(ZERO, ahead[q, z]),
            "certificate",
            "Later tokens are masked: what they weigh is 0, and not negative.",
            given=(CAUSAL,),
            hints={"certificate": ZERO},
        ),
        Step(
            "one layer",
            ONE_LAYER,
            "normal form",
            "In one layer: the terms of later tokens have the factor 0, in the numerator and in the denominator.",
            given=(CAUSAL, Lt(ZERO, SEEN)),
            using=("not seen",),
        ),
        Step("embeddings", START, "hypothesis", "Both networks start from the same embeddings of the earlier tokens."),
        Step(
            "hypothesis of the induction",
            same(at),
            "hypothesis",
            r"Let the states of the earlier tokens agree after $\ell$ layers.",
        ),
        Step(
            "next layer",
            same(at + 1),
            "normal form",
            r"Then they agree after one more: the later tokens have the factor 0, and the rest is the same formula of "
            "the same numbers.",
            given=LAYER,
            using=("not seen", "hypothesis of the induction"),
        ),
        Step(
            "all layers",
            same(LAYERS.index("ℓ")),
            "induction",
            "So they agree in every layer.",
            using=("embeddings", "next layer"),
            hints={"at": at},
        ),
    ),
    concludes=("one layer", "all layers"),
    near_miss=NearMiss(
        "It is so for two-sided attention as well, where later tokens are seen.",
        ONE_LAYER,
        SMALL,
        given=(Eq(ahead[q, z], ONE), Lt(ZERO, SEEN)),
    ),
    illustration=Illustration(
        "One layer with all scores 0 over the tokens 1 and 3 and a later token 5: what attention gives to the first "
        "two, causal and not.",
        SMALL,
        (
            ("causal", Sum(r, weighed(seen[q, r], whole, whole, r) * projected(whole, r)) / SEEN),
            (
                "two-sided",
                over(r, a)(whole[u, r, a] * V[u, a, o]) / 3 + over(z, a)(behind[u, z, a] * V[u, a, o]) / 3,
            ),
        ),
    ),
    source="Vaswani et al. 2017, section 3.2.3",
)

THEOREMS = (
    mask_deletes_keys,
    mask_after_softmax_needs_renormalising,
    uniform_mask_cancels,
    causal_prefix_property,
)
