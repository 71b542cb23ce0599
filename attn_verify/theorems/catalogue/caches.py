"""Caches and blocks: the state of a row, how states are merged and taken apart, and what may be kept."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
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
    Size,
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

# A row that reads its keys one by one: scores s, values v; (m, ℓ, a) is the state, (D, N) the sums without a shift.
STEPS = Sort("keys", natural=True)
u, at, every = STEPS.index("u"), STEPS.index("t", fixed=True), STEPS.index("t")
start = Index("", STEPS)
m, ell, acc, D, N, s, v = (Symbol(name, (STEPS,)) for name in ("m", "ℓ", "a", "D", "N", "s", "v"))
FADE, GROW = Exp(m[u] - m[u + 1]), Exp(s[u] - m[u + 1])
SUM_D = Eq(D[u + 1], D[u] + Exp(s[u]))
SUM_N = Eq(N[u + 1], N[u] + Exp(s[u]) * v[u])
STATE_ELL = Eq(ell[u + 1], ell[u] * FADE + GROW)
STATE_ACC = Eq(acc[u + 1], acc[u] * FADE + GROW * v[u])
START_D = Eq(D[start], ell[start] * Exp(m[start]))
START_N = Eq(N[start], acc[start] * Exp(m[start]))
MAXIMUM = Eq(m[u + 1], HALF * (m[u] + s[u] + Abs(s[u] - m[u])))
ONLINE = Model(
    {STEPS: 1},
    {
        s: (log(2),),
        v: (1,),
        m: (0, log(2)),
        ell: (1, Fraction(3, 2)),
        acc: (0, 1),
        D: (1, 3),
        N: (0, 2),
    },
)


def _induction(label: str, claim: Eq | Le, base: str, step: str, why: str) -> Step:
    return Step(label, claim, "induction", why, using=(base, step), hints={"at": at})


online_softmax_invariant = Theorem(
    name="online_softmax_invariant",
    family="caches and blocks",
    level=2,
    statement=r"Read the keys one by one with the state $(m, \ell, a)$: choose any $m'$, then "
    r"$\ell' = \ell e^{m-m'} + e^{s-m'}$ and $a' = a e^{m-m'} + e^{s-m'}v$. Always $\ell e^m = D = \sum_j e^{s_j}$ and "
    r"$a e^m = N = \sum_j e^{s_j} v_j$, so $a/\ell$ is the output. If $m' = \max(m, s)$ then $\ell \ge 1$ throughout.",
    hypotheses=r"A start that fits: nothing ($\ell = a = 0$ with empty sums), or the state of any keys. For the last "
    r"sentence $\ell \ge 1$ at the start, as after the first key.",
    why="It is all of the correctness of FlashAttention, in one step. The maximum matters for rounding only.",
    predict="An engineer uses a stale maximum by mistake. Is the result wrong in exact arithmetic?",
    steps=(
        Step("start of D", START_D, "hypothesis", "The state fits the sums at the start; with no keys both are 0."),
        Step("start of N", START_N, "hypothesis", "For the accumulator as well."),
        Step("so far, D", Eq(D[at], ell[at] * Exp(m[at])), "hypothesis", r"Let it be so after $t$ keys."),
        Step("so far, N", Eq(N[at], acc[at] * Exp(m[at])), "hypothesis", "For the accumulator as well."),
        Step(
            "one more, D",
            Eq(D[at + 1], ell[at + 1] * Exp(m[at + 1])),
            "normal form",
            r"$\big(\ell e^{m-m'} + e^{s-m'}\big)e^{m'} = \ell e^m + e^s$, for any $m'$.",
            given=(SUM_D, STATE_ELL),
            using=("so far, D",),
        ),
        Step(
            "one more, N",
            Eq(N[at + 1], acc[at + 1] * Exp(m[at + 1])),
            "normal form",
            r"$\big(a e^{m-m'} + e^{s-m'}v\big)e^{m'} = a e^m + e^s v$.",
            given=(SUM_N, STATE_ACC),
            using=("so far, N",),
        ),
        _induction("D", Eq(D[every], ell[every] * Exp(m[every])), "start of D", "one more, D", "So it is always."),
        _induction("N", Eq(N[every], acc[every] * Exp(m[every])), "start of N", "one more, N", "And for N."),
        Step(
            "output",
            Eq(N[every] / D[every], acc[every] / ell[every]),
            "normal form",
            r"The factor $e^m$ cancels.",
            given=(Lt(ZERO, ell[every]),),
            using=("D", "N"),
        ),
        Step("at least 1", Le(ONE, ell[start]), "hypothesis", r"Now let $\ell \ge 1$ at the start,"),
        Step("at least 1 so far", Le(ONE, ell[at]), "hypothesis", r"and after $t$ keys,"),
        Step(
            "not negative",
            Le(ZERO, ell[at]),
            "certificate",
            r"so that it is not negative,",
            using=("at least 1 so far",),
            hints={"certificate": (ell[at] - 1) + 1},
        ),
        Step(
            "new maximum",
            Le(ONE, ell[at + 1]),
            "certificate",
            r"and let $m'$ be the maximum. If that is the new score, then $\ell' = \ell e^{m-s} + 1$.",
            given=(STATE_ELL, MAXIMUM, Le(m[at], s[at])),
            using=("at least 1 so far", "not negative"),
            hints={"certificate": ell[at] * Exp(m[at] - s[at])},
        ),
        Step(
            "old maximum",
            Le(ONE, ell[at + 1]),
            "certificate",
            r"If it is the old one, then $\ell' = \ell + e^{s-m}$.",
            given=(STATE_ELL, MAXIMUM, Le(s[at], m[at])),
            using=("at least 1 so far",),
            hints={"certificate": (ell[at] - 1) + Exp(s[at] - m[at])},
        ),
        Step(
            "either maximum",
            Le(ONE, ell[at + 1]),
            "cases",
            r"Either way $\ell' \ge 1$:",
            using=("new maximum", "old maximum"),
        ),
        _induction(
            "safe", Le(ONE, ell[every]), "at least 1", "either maximum", "the denominator never comes near to 0."
        ),
    ),
    concludes=("D", "N", "output", "safe"),
    near_miss=NearMiss(
        r"The accumulator need not be rescaled when $m$ changes: $a' = a + e^{s-m'}v$.",
        Eq(N[u + 1], acc[u + 1] * Exp(m[u + 1])),
        Model(
            {STEPS: 1},
            {s: (log(2),), v: (1,), m: (0, log(2)), acc: (1, 2), N: (1, 3)},
        ),
        given=(SUM_N, Eq(N[u], acc[u] * Exp(m[u])), Eq(acc[u + 1], acc[u] + GROW * v[u])),
    ),
    illustration=Illustration(
        r"A first key with score 0 and value 0, then one with score $\log 2$ and value 1.",
        ONLINE,
        (("ℓ", ell[u + 1]), ("D", D[u + 1]), ("output", acc[u + 1] / ell[u + 1])),
    ),
    source="Milakov & Gimelshein 2018, theorem 1; Rabe & Staats 2021; Dao et al. 2022",
)

# Blocks b of the keys j: part[b,j] is 1 where key j is in block b.
KEYS, BLOCKS = Sort("n"), Sort("blocks")
j, k, l = (KEYS.index(name) for name in "jkl")
b, c = BLOCKS.index("b"), BLOCKS.index("c")
score, value = Symbol("s", (KEYS,)), Symbol("v", (KEYS,))
part = Symbol("β", (BLOCKS, KEYS))
shift, of_ell, of_acc = (Symbol(name, (BLOCKS,)) for name in ("m", "ℓ", "a"))
common = scalar("m")
PARTITION = Eq(Sum(b, part[b, j]), ONE)
BLOCK_ELL = Eq(of_ell[b], Sum(j, part[b, j] * Exp(score[j] - shift[b])))
BLOCK_ACC = Eq(of_acc[b], Sum(j, part[b, j] * Exp(score[j] - shift[b]) * value[j]))
ALL, MASS = Sum(j, Exp(score[j]) * value[j]), Sum(k, Exp(score[k]))
MERGED_ELL = Sum(b, of_ell[b] * Exp(shift[b] - common))
MERGED_ACC = Sum(b, of_acc[b] * Exp(shift[b] - common))
L_1, L_2, l_1, l_2, l_3, m_1, m_2, m_3, m_12, m_23 = (
    scalar(name) for name in ("L_1", "L_2", "ℓ_1", "ℓ_2", "ℓ_3", "m_1", "m_2", "m_3", "m_12", "m_23")
)
D_1, D_2, N_1, N_2 = (scalar(name) for name in ("D_1", "D_2", "N_1", "N_2"))


def sigmoid(t: Term) -> Term:
    """``1/(1 + e^{−t})``."""
    return 1 / (1 + Exp(-t))


def merged(first: Term, m_first: Term, second: Term, m_second: Term, new: Term) -> Term:
    """The merge of two states in the new shift."""
    return first * Exp(m_first - new) + second * Exp(m_second - new)


TWO_BLOCKS = Model(
    {KEYS: 3, BLOCKS: 2},
    {
        score: (0, 0, 0),
        value: (0, 0, 1),
        part: ((1, 1, 0), (0, 0, 1)),
        shift: (0, 0),
        of_ell: (2, 1),
        of_acc: (0, 1),
        common.symbol: 0,
    },
)

attention_states_merge = Theorem(
    name="attention_states_merge",
    family="caches and blocks",
    level=2,
    statement=r"Cut the keys into any blocks with states $(m_b, \ell_b, a_b)$ and choose any $m$: "
    r"$\ell = \sum_b \ell_b e^{m_b-m}$ and $a = \sum_b a_b e^{m_b-m}$ is a state of all keys. The merge of two is "
    r"commutative and associative, so any order and any tree gives the same output. In log-sum-exp form "
    r"$o = \sigma(L_1-L_2)\,o_1 + \sigma(L_2-L_1)\,o_2$.",
    hypotheses="Every key is in exactly one block; blocks may have any sizes.",
    why="One monoid is behind tiles, split keys, rings and trees of devices, and shared prefixes.",
    predict="Four devices hold a quarter of the keys each. What must each send for the exact answer?",
    steps=(
        Step("partition", PARTITION, "hypothesis", r"$\beta_{bj} = 1$ where block $b$ holds key $j$: one block a key."),
        Step(
            "denominators",
            Eq(MERGED_ELL * Exp(common), MASS),
            "normal form",
            r"The shift of each block cancels its own, $e^{s_j-m_b}e^{m_b-m}e^m = e^{s_j}$, and every key is counted "
            "once.",
            given=(BLOCK_ELL,),
            using=("partition",),
        ),
        Step(
            "numerators",
            Eq(MERGED_ACC * Exp(common), ALL),
            "normal form",
            "For the accumulators alike.",
            given=(BLOCK_ACC,),
            using=("partition",),
        ),
        Step(
            "output",
            Eq(
                Sum(b, Exp(shift[b] - common) * Sum(j, part[b, j] * Exp(score[j] - shift[b]) * value[j]))
                / Sum(b, Exp(shift[b] - common) * Sum(j, part[b, j] * Exp(score[j] - shift[b]))),
                ALL / MASS,
            ),
            "normal form",
            r"So $a/\ell$ is the output over all keys.",
            using=("partition",),
        ),
        Step(
            "associative",
            Eq(
                merged(merged(l_1, m_1, l_2, m_2, m_12), m_12, l_3, m_3, common),
                merged(l_1, m_1, merged(l_2, m_2, l_3, m_3, m_23), m_23, common),
            ),
            "normal form",
            r"The shifts in between cancel, whatever they are: both are $\sum_b \ell_b e^{m_b-m}$.",
        ),
        Step(
            "commutative",
            Eq(merged(l_1, m_1, l_2, m_2, common), merged(l_2, m_2, l_1, m_1, common)),
            "normal form",
            "A sum of two.",
        ),
        Step(
            "log-sum-exp form",
            Eq(
                (N_1 + N_2) / (D_1 + D_2),
                sigmoid(Log(D_1) - Log(D_2)) * (N_1 / D_1) + sigmoid(Log(D_2) - Log(D_1)) * (N_2 / D_2),
            ),
            "normal form",
            r"With $L_b = \log D_b$: $\sigma(L_1 - L_2) = D_1/(D_1 + D_2)$, the share of the first block.",
            given=(Lt(ZERO, D_1), Lt(ZERO, D_2)),
        ),
    ),
    concludes=("denominators", "numerators", "output", "associative", "commutative", "log-sum-exp form"),
    near_miss=NearMiss(
        "The outputs of the blocks are averaged.",
        Eq(Sum(b, of_acc[b] / of_ell[b]) / Size(BLOCKS), ALL / MASS),
        TWO_BLOCKS,
        given=(PARTITION, BLOCK_ELL, BLOCK_ACC),
    ),
    illustration=Illustration(
        r"Equal scores and the values $0, 0 \mid 1$ in two blocks.",
        TWO_BLOCKS,
        (
            ("outputs of the blocks", of_acc[b] / of_ell[b]),
            ("merged", MERGED_ACC / MERGED_ELL),
            ("at once", ALL / MASS),
        ),
    ),
    source="Milakov & Gimelshein 2018; Dao et al. 2022; Liu et al. 2023 (Ring Attention)",
    needs=("online_softmax_invariant",),
)

o, o_1, o_2 = scalar("o"), scalar("o_1"), scalar("o_2")
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
        _induction(
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

# Token-by-token decoding: x is the state of the new token in the full causal pass and y in the decoder; keys and values
# of earlier tokens j are cached, later ones are z.
LAYERS, PAST, LATER, WIDTH = Sort("ℓ", natural=True), Sort("past", empty=True), Sort("later", empty=True), Sort("d")
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
            "In the full pass the later tokens weigh 0.",
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
            "In one layer, a row of the full pass is the row over the cache and the token itself; no query but its own "
            "occurs, so queries need not be kept.",
            given=(*CACHE, CAUSAL),
            using=("masked",),
        ),
        Step(
            "embedding",
            Eq(full[bottom, out], decoded[bottom, out]),
            "hypothesis",
            "Both start from the embedding of the token.",
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

s_0, v_0 = scalar("s_0"), scalar("v_0")
OUTPUT = ALL / MASS
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
    online_softmax_invariant,
    attention_states_merge,
    states_can_be_taken_apart,
    kv_cache_decoding_is_exact,
    zero_sink_is_softmax_plus_one,
    sinks_are_merged_once,
    paged_cache_is_exact,
    blockwise_backward_needs_two_numbers,
)
