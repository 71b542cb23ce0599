"""Blocks of keys: the state of a row, and how states are merged."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
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


def by_induction(label: str, claim: Eq | Le, base: str, step: str, why: str) -> Step:
    """A step by induction over the keys."""
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
        Step(
            "start of D",
            START_D,
            "hypothesis",
            r"Key $t = 0, 1, 2, \dots$ has the score $s_t$ and the value $v_t$; before it is read, $D_t$ and $N_t$ are "
            r"the sums and $(m_t, \ell_t, a_t)$ is the state. The state fits the sums at the start; with no keys both "
            "are 0.",
        ),
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
        by_induction("D", Eq(D[every], ell[every] * Exp(m[every])), "start of D", "one more, D", "So it is always."),
        by_induction("N", Eq(N[every], acc[every] * Exp(m[every])), "start of N", "one more, N", "And for N."),
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
            r"and let $m'$ be the maximum, which is $\tfrac12(m + s + |s - m|)$. If that is the new score, then $\ell' "
            r"= \ell e^{m-s} + 1$.",
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
        by_induction(
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
KEYS, BLOCKS = Sort("n"), Sort("B")
j, k = KEYS.index("j"), KEYS.index("k")
b = BLOCKS.index("b")
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
l_1, l_2, l_3, m_1, m_2, m_3, m_12, m_23 = (
    scalar(name) for name in ("ℓ_1", "ℓ_2", "ℓ_3", "m_1", "m_2", "m_3", "m_12", "m_23")
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
    hypotheses=r"Every key is in exactly one block; blocks may have any sizes. The state of block $b$ is a shift "
    r"$m_b$, any number, with the sums $\ell_b$ of $e^{s_j-m_b}$ and $a_b$ of $e^{s_j-m_b}v_j$ over its keys $j$.",
    why="One monoid is behind tiles, split keys, rings and trees of devices, and shared prefixes.",
    predict="Four devices hold a quarter of the keys each. What must each send for the exact answer?",
    steps=(
        Step(
            "partition",
            PARTITION,
            "hypothesis",
            r"Write $\beta_{bj} = 1$ where block $b$ holds key $j$, else 0: one block a key.",
        ),
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
            r"Merge three states, with the shift $m_{12}$ or $m_{23}$ for the two that come first and $m$ in the end. "
            r"The shifts in between cancel, whatever they are: both sides are $\sum_b \ell_b e^{m_b-m}$. The letters "
            r"stand for any numbers: with $a_b$ for $\ell_b$ it is the same for the accumulators.",
        ),
        Step(
            "commutative",
            Eq(merged(l_1, m_1, l_2, m_2, common), merged(l_2, m_2, l_1, m_1, common)),
            "normal form",
            r"A sum of two; for the accumulators with $a_b$ for $\ell_b$.",
        ),
        Step(
            "log-sum-exp form",
            Eq(
                (N_1 + N_2) / (D_1 + D_2),
                sigmoid(Log(D_1) - Log(D_2)) * (N_1 / D_1) + sigmoid(Log(D_2) - Log(D_1)) * (N_2 / D_2),
            ),
            "normal form",
            r"Let $D_b$ and $N_b$ be the sums of $e^{s_j}$ and $e^{s_j}v_j$ in block $b$, so that its own output "
            r"is $o_b = N_b/D_b$, and $\sigma(z) = 1/(1 + e^{-z})$. With $L_b = \log D_b$: $\sigma(L_1 - L_2) = "
            r"D_1/(D_1 + D_2)$, the share of the first block.",
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

THEOREMS = (
    online_softmax_invariant,
    attention_states_merge,
)
