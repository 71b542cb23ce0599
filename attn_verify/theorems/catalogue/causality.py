"""Causality: a causal mask lets nothing back, at any depth."""

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
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    over,
)  # fmt: skip

# A causal network over the tokens up to one of them and the later ones: x[ℓ,j,a] in the whole network, y[ℓ,j,a] in that
# of the earlier tokens alone.  m is the mask: no earlier token sees a later one.
LAYERS, TOKENS, LATER, WIDTH = Sort("layers", natural=True), Sort("tokens"), Sort("later tokens", empty=True), Sort("d")
u, at = LAYERS.index("u"), LAYERS.index("ℓ", fixed=True)
first = Index("", LAYERS)
q, r = TOKENS.index("i"), TOKENS.index("j")
z = LATER.index("z")
a, b, o = (WIDTH.index(name) for name in "abo")
whole, alone = Symbol("x", (LAYERS, TOKENS, WIDTH)), Symbol("y", (LAYERS, TOKENS, WIDTH))
behind = Symbol("x", (LAYERS, LATER, WIDTH))
seen, ahead = Symbol("m", (TOKENS, TOKENS)), Symbol("m", (TOKENS, LATER))
B, V = Symbol("B", (LAYERS, WIDTH, WIDTH)), Symbol("V", (LAYERS, WIDTH, WIDTH))
HIDDEN = Sort("hidden units")
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

THEOREMS = (causal_prefix_property,)
