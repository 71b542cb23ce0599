"""Decoding with a cache, pages, and what the backward pass of a row needs."""

from __future__ import annotations

from attn_verify.theorems.catalogue.caches import (
    ALL,
    KEYS,
    MASS,
    j,
    k,
    score,
    value,
)
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Log,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    softmax,
)  # fmt: skip

l = KEYS.index("l")

# Token-by-token decoding: x is the state of the new token in the full causal pass and y in the decoder; keys and values
# of earlier tokens j are cached, later ones are z.
LAYERS, WIDTH = Sort("layers", natural=True), Sort("d")
PAST, LATER = Sort("past tokens", empty=True), Sort("later tokens", empty=True)
w, deep, any_deep = LAYERS.index("u"), LAYERS.index("ℓ", fixed=True), LAYERS.index("ℓ")
bottom = Index("", LAYERS)
r, z = PAST.index("j"), LATER.index("z")
d, f, out = (WIDTH.index(name) for name in "abo")
full, decoded = Symbol("x", (LAYERS, WIDTH)), Symbol("y", (LAYERS, WIDTH))
earlier, later = Symbol("x", (LAYERS, PAST, WIDTH)), Symbol("x", (LAYERS, LATER, WIDTH))
cached_key, cached_value = Symbol("K", (LAYERS, PAST, WIDTH)), Symbol("V", (LAYERS, PAST, WIDTH))
W_Q, W_K, W_V = (Symbol(name, (LAYERS, WIDTH, WIDTH)) for name in ("Q", "W", "U"))
mask = Symbol("μ", (LATER,))
g = WIDTH.index("g")


def query(state: Symbol, at_index: Index) -> Term:
    """The query of the new token."""
    return Sum(g, state[w, g] * W_Q[w, g, at_index])


def attended(state: Symbol, key_of_past: Term, value_of_past: Term, with_later: bool) -> Term:
    """Attention of the new token over the past, itself, and later tokens under the mask."""
    past = Exp(Sum(d, query(state, d) * key_of_past))
    own = Exp(Sum(d, query(state, d) * Sum(f, state[w, f] * W_K[w, f, d])))
    ahead = mask[z] * Exp(Sum(d, query(state, d) * Sum(f, later[w, z, f] * W_K[w, f, d])))
    numerator = Sum(r, past * value_of_past) + own * Sum(f, state[w, f] * W_V[w, f, out])
    denominator = Sum(r, past) + own
    if with_later:
        numerator = numerator + Sum(z, ahead * Sum(f, later[w, z, f] * W_V[w, f, out]))
        denominator = denominator + Sum(z, ahead)
    return numerator / denominator


PAST_KEY, PAST_VALUE = Sum(f, earlier[w, r, f] * W_K[w, f, d]), Sum(f, earlier[w, r, f] * W_V[w, f, out])
FULL = Eq(full[w + 1, out], full[w, out] + attended(full, PAST_KEY, PAST_VALUE, with_later=True))
DECODER = Eq(
    decoded[w + 1, out],
    decoded[w, out] + attended(decoded, cached_key[w, r, d], cached_value[w, r, out], with_later=False),
)
CACHE = (Eq(cached_key[w, r, d], PAST_KEY), Eq(cached_value[w, r, out], PAST_VALUE))
CAUSAL = Eq(mask[z], ZERO)
PLAIN = {
    full: ((0,),),
    earlier: (((1,),),),
    later: (((3,),),),
    mask: (1,),
    W_Q: (((0,),),),
    W_K: (((1,),),),
    W_V: (((1,),),),
    cached_key: (((1,),),),
    cached_value: (((1,),),),
}
DECODE = Model({LAYERS: 1, PAST: 1, LATER: 1, WIDTH: 1}, PLAIN)

kv_cache_decoding_is_exact = Theorem(
    name="kv_cache_decoding_is_exact",
    family="caches and blocks",
    level=1,
    statement=r"Token-by-token decoding with cached keys and values gives, in every layer, the states of the full "
    r"causal pass: the new token attends to the cache and itself, and needs nothing else.",
    hypotheses="The cache holds the keys and values that the full pass computes for the earlier tokens; by the prefix "
    "property these are the ones that were computed when those tokens were new. No eviction, no change of positions.",
    why="A cache is an identity and no approximation, until something (a window, rotated keys, eviction) breaks the "
    "hypothesis.",
    predict="Why are keys and values cached, but not queries?",
    steps=(
        Step(
            "masked",
            Le(ZERO, mask[z]),
            "certificate",
            r"Column $o$ of the new token is $x_{uo}$ before layer $u$, that of an earlier token $j$ is $x_{ujo}$, "
            r"that of a later one $z$ is $x_{uzo}$. In the full pass the later tokens weigh $\mu_z = 0$.",
            given=(CAUSAL,),
            hints={"certificate": ZERO},
        ),
        Step(
            "one row",
            Eq(
                attended(full, PAST_KEY, PAST_VALUE, with_later=True),
                attended(full, cached_key[w, r, d], cached_value[w, r, out], with_later=False),
            ),
            "normal form",
            r"In layer $u$, $Q$, $W$ and $U$ make queries, keys and values from tokens, and the cache holds $K$ "
            "and $V$. A row of the full pass is the row over the cache and the token itself; no query but its own "
            "occurs, so queries need not be kept.",
            given=(*CACHE, CAUSAL),
            using=("masked",),
        ),
        Step(
            "embedding",
            Eq(full[bottom, out], decoded[bottom, out]),
            "hypothesis",
            r"Let $y_{uo}$ be what $x_{uo}$ is in the decoder. Both start from the embedding of the token.",
        ),
        Step(
            "layers so far",
            Eq(full[deep, out], decoded[deep, out]),
            "hypothesis",
            r"Let the states agree after $\ell$ layers.",
        ),
        Step(
            "next layer",
            Eq(full[deep + 1, out], decoded[deep + 1, out]),
            "normal form",
            "Then they agree after one more: the same row of the same numbers.",
            given=(FULL, DECODER, *CACHE, CAUSAL),
            using=("masked", "layers so far"),
        ),
        Step(
            "all layers",
            Eq(full[any_deep, out], decoded[any_deep, out]),
            "induction",
            "So they agree in every layer, and with it the keys and values that are appended to the cache.",
            using=("embedding", "next layer"),
            hints={"at": deep},
        ),
    ),
    concludes=("one row", "all layers"),
    near_miss=NearMiss(
        "The cache is exact for two-sided attention as well.",
        Eq(
            attended(full, PAST_KEY, PAST_VALUE, with_later=True),
            attended(full, cached_key[w, r, d], cached_value[w, r, out], with_later=False),
        ),
        DECODE,
        given=(*CACHE, Eq(mask[z], ONE)),
    ),
    illustration=Illustration(
        "One layer with scores 0: the tokens 1, then 0, then 3, with and without the third.",
        DECODE,
        (
            ("over the cache", attended(full, cached_key[w, r, d], cached_value[w, r, out], with_later=False)),
            ("two-sided", attended(full, PAST_KEY, PAST_VALUE, with_later=True)),
        ),
    ),
    source="folklore; Shazeer 2019 on its cost",
    needs=("causal_prefix_property",),
)
OUTPUT = ALL / MASS

SLOTS = Sort("slots")
x = SLOTS.index("x")
table, copies = Symbol("τ", (SLOTS, KEYS)), Symbol("c", (KEYS,))
TABLE = Eq(Sum(x, table[x, j]), ONE)


def stored(valued: bool) -> Term:
    """The sum over the slots of what they hold."""
    inner = table[x, j] * Exp(score[j]) * value[j] if valued else table[x, j] * Exp(score[j])
    return Sum(x, Sum(j, inner))


TWICE = Model({KEYS: 2, SLOTS: 3}, {score: (0, 0), value: (0, 1), table: ((0, 1), (1, 0), (0, 1))})

paged_cache_is_exact = Theorem(
    name="paged_cache_is_exact",
    family="caches and blocks",
    level=1,
    statement=r"Keys and values may lie in any order in slots, with empty slots between them: if every key lies in "
    r"exactly one slot, the output is the same. A key that lies in $c_j$ slots counts as if its score were $\log c_j$ "
    "higher.",
    hypotheses=r"$\tau_{xj} = 1$ where slot $x$ holds key $j$; positions, if any, are already in the keys.",
    why="Paged caches and block tables are exact; what breaks them is a key that is stored twice.",
    predict="The pages of a cache are shuffled in memory. What does attention notice?",
    steps=(
        Step("table", TABLE, "hypothesis", "Every key lies in one slot."),
        Step(
            "paged",
            Eq(stored(True) / stored(False), OUTPUT),
            "normal form",
            r"Sum over the slots first: $\sum_x \tau_{xj} = 1$. Empty slots add nothing.",
            using=("table",),
        ),
        Step(
            "copies",
            Eq(
                Sum(j, copies[j] * Exp(score[j]) * value[j]) / Sum(j, copies[j] * Exp(score[j])),
                Sum(j, Exp(score[j] + Log(copies[j])) * value[j]) / Sum(j, Exp(score[j] + Log(copies[j]))),
            ),
            "normal form",
            r"With $c_j$ slots for key $j$ its terms are there $c_j$ times, and $c_j = e^{\log c_j}$.",
            given=(Lt(ZERO, copies[j]),),
        ),
    ),
    concludes=("paged", "copies"),
    near_miss=NearMiss(
        "A key may lie in two slots.",
        Eq(stored(True) / stored(False), OUTPUT),
        TWICE,
    ),
    illustration=Illustration(
        "Two keys with score 0, values 0 and 1; the second lies in two of three slots.",
        TWICE,
        (("over the slots", stored(True) / stored(False)), ("over the keys", OUTPUT)),
    ),
    source="folklore; paged caches: Kwon et al. 2023",
    needs=("attention_states_merge",),
)

# The backward pass of one row, for a loss whose gradient with respect to the output is G.
OUT = Sort("d_v")
e, h = OUT.index("c"), OUT.index("e")
G, vectors = Symbol("G", (OUT,)), Symbol("v", (KEYS, OUT))


def weight(at_key: Index) -> Term:
    """A weight of the row."""
    return softmax(lambda n: score[n], at_key, k)


ROW = Sum(e, G[e] * Sum(j, weight(j) * vectors[j, e]))  # G·o, the one number a row
L = Log(MASS)
BACK = Model({KEYS: 2, OUT: 1}, {score: (0, 0), vectors: ((0,), (1,)), G: (1,)})

blockwise_backward_needs_two_numbers = Theorem(
    name="blockwise_backward_needs_two_numbers",
    family="caches and blocks",
    level=3,
    statement=r"The backward pass of a row can visit the keys block by block if two numbers of the row are kept, "
    r"$L = \log\sum_j e^{s_j}$ and $\delta = G\cdot o$: then $p_l = e^{s_l - L}$, the gradient of the score is "
    r"$p_l\,(G\cdot v_l - \delta)$ and that of the value is $p_l G$. Moreover $\delta = \sum_j p_j\,(G\cdot v_j)$.",
    hypotheses=r"$G$ is the gradient of the loss with respect to the output $o$ of the row.",
    why="It is why FlashAttention keeps no weights: they are computed again, and the sum over all keys in the softmax "
    "gradient is one dot product of output and gradient.",
    predict="The gradient of softmax needs a sum over all keys. How can it be formed one block at a time?",
    steps=(
        Step(
            "weights again",
            Eq(Exp(score[l] - L), weight(l)),
            "normal form",
            r"$e^{s_l - \log D} = e^{s_l}/D$.",
        ),
        Step(
            "one number",
            Eq(Sum(j, weight(j) * Sum(e, G[e] * vectors[j, e])), ROW),
            "normal form",
            r"The sum over the keys that the softmax gradient asks for is the dot product $G\cdot o$.",
        ),
        Step(
            "scores",
            Eq(Deriv(ROW, score[l]), weight(l) * (Sum(e, G[e] * vectors[l, e]) - ROW)),
            "normal form",
            r"The Jacobian of softmax, $\partial p_j/\partial s_l = p_j(\delta_{jl} - p_l)$, summed against "
            r"$G\cdot v_j$.",
        ),
        Step(
            "values",
            Eq(Deriv(ROW, vectors[l, h]), weight(l) * G[h]),
            "normal form",
            "The output is linear in the values.",
        ),
    ),
    concludes=("weights again", "one number", "scores", "values"),
    near_miss=NearMiss(
        r"The number $\delta$ may be left away: the gradient of the score is $p_l\,(G\cdot v_l)$.",
        Eq(Deriv(ROW, score[l]), weight(l) * Sum(e, G[e] * vectors[l, e])),
        BACK,
    ),
    illustration=Illustration(
        r"Two equal scores, values 0 and 1, $G = 1$.",
        BACK,
        (("gradients of the scores", Deriv(ROW, score[l])), ("δ", ROW)),
    ),
    source="Dao et al. 2022, appendix B",
    needs=("softmax_jacobian", "attention_states_merge"),
)

THEOREMS = (
    kv_cache_decoding_is_exact,
    paged_cache_is_exact,
    blockwise_backward_needs_two_numbers,
)
