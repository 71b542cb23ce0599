"""What one head does not see: a bias of its keys, most directions of its query."""

from __future__ import annotations

from attn_verify.theorems.letters import (
    COORDINATES,
    KEYS,
    a,
    c,
    j,
    k,
    one,
    s,
    t,
    two,
    v,
)  # fmt: skip
from attn_verify.theorems.notation import (
    ZERO,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
    Log,
    Lt,
    Model,
    NearMiss,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    log,
    scalar,
    softmax,
)  # fmt: skip

u = Symbol("u", (COORDINATES,))
τ = scalar("τ")
q = Symbol("q", (COORDINATES,))
K = Symbol("K", (KEYS, COORDINATES))
bias = Symbol("b", (COORDINATES,))


def plain(at: Index) -> Term:
    """Return the score of a key."""
    return τ * Sum(a, q[a] * K[at, a])


def biased(at: Index) -> Term:
    """Return the score of a key to which a bias was added."""
    return τ * Sum(a, q[a] * (K[at, a] + bias[a]))


def moved(at: Index) -> Term:
    """Return the score of a key for the query ``q + u``."""
    return τ * Sum(a, (q[a] + u[a]) * K[at, a])


key_bias_is_invisible = Theorem(
    name="key_bias_is_invisible",
    family="one head",
    level=1,
    statement=r"Adding one vector $b$ to every key changes nothing: "
    r"$\operatorname{Att}(Q, K + \mathbf{1}b^\top, V) = \operatorname{Att}(Q, K, V)$. A bias of the keys is redundant, "
    r"and its gradient is exactly 0.",
    hypotheses="The same $b$ for all keys, and no rotation of the keys after it (as with RoPE).",
    why="A parameter that many frameworks ship and no model can use.",
    predict="A model has biases on its queries, keys and values. Which one can be deleted without changing any output?",
    steps=(
        Step(
            "shift",
            Eq(biased(j), plain(j) + τ * Sum(a, q[a] * bias[a])),
            "normal form",
            r"$q \cdot (k_j + b) = q \cdot k_j + q \cdot b$, and $j$ does not occur in the last term.",
        ),
        Step(
            "shifted weights",
            Eq(softmax(lambda key: plain(key) + τ * Sum(a, q[a] * bias[a]), j, k), softmax(plain, j, k)),
            "instance",
            r"One number was added to all scores of the row, which softmax does not see.",
            using=("shift_invariance_exactly:if",),
            hints={"symbols": {s: ((j,), plain(j)), scalar("c").symbol: ((), τ * Sum(a, q[a] * bias[a]))}},
        ),
        Step(
            "output",
            Eq(Sum(j, softmax(biased, j, k) * v[j, c]), Sum(j, softmax(plain, j, k) * v[j, c])),
            "normal form",
            r"Same weights, same values, same output.",
        ),
        Step(
            "gradient",
            Eq(Deriv(Sum(j, softmax(biased, j, k) * v[j, c]), bias[a]), ZERO),
            "normal form",
            r"So the output does not depend on $b$, and its derivative vanishes.",
        ),
    ),
    concludes=("output", "gradient"),
    near_miss=NearMiss(
        r"A bias of the *queries* is as useless.",
        Eq(softmax(lambda key: τ * Sum(a, (q[a] + bias[a]) * K[key, a]), j, k), softmax(plain, j, k)),
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (0,), K: ((0,), (log(3),)), bias: (1,)}),
    ),
    illustration=Illustration(
        r"$q = 1$, keys $0, \log 3$, bias $5$.",
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (1,), K: ((0,), (log(3),)), bias: (5,)}),
        (("without", softmax(plain, j, k)), ("with", softmax(biased, j, k))),
    ),
    source="Cordonnier et al. 2020 (Multi-Head Attention: Collaborate Instead of Concatenate), section 3",
    needs=("shift_invariance_exactly",),
)

SAME = Eq(softmax(moved, j, k), softmax(plain, j, k))
γ = scalar("γ")
AT_KEY = Symbol("□", (KEYS,))
_ONLY_IF = Eq(moved(j), plain(j) + (Log(Sum(k, Exp(moved(k)))) - Log(Sum(k, Exp(plain(k))))))
query_sees_only_differences_of_keys = Theorem(
    name="query_sees_only_differences_of_keys",
    family="one head",
    level=2,
    statement=r"Moving the query from $q$ to $q + u$ leaves all its weights as they are if and only if $u \cdot k_j$ "
    r"is the same for all keys, that is, $u$ is orthogonal to all differences $k_i - k_j$.",
    hypotheses=r"$\tau \ne 0$, here $\tau > 0$, is the scale of the scores.",
    why=r"With $n$ keys at most $n - 1$ directions of the query matter, however wide the head is; over two keys it is "
    "a single one. All others are free for other uses, and no probe of the weights can find them.",
    predict="A query of width 64 looks at three keys. In how many directions can it move without any effect?",
    steps=(
        Step(
            "if",
            SAME,
            "normal form",
            r"If $u \cdot k_j = \gamma$ for all $j$, all scores rise by $\tau\gamma$, which softmax does not see.",
            given=(Eq(Sum(a, u[a] * K[j, a]), γ),),
        ),
        Step("same", SAME, "hypothesis", r"For the other direction let the weights be the same."),
        Step(
            "scores, if",
            _ONLY_IF,
            "instance",
            r"Then the scores differ by one number …",
            using=("shift_invariance_exactly:only if",),
            hints={"symbols": {t: ((j,), moved(j)), s: ((j,), plain(j))}},
        ),
        Step(
            "only if",
            Eq(Sum(a, u[a] * K[one, a]), Sum(a, u[a] * K[two, a])),
            "congruence",
            r"… which drops out of the difference for two keys, here 1 and 2, which may be any; divide by $\tau$.",
            given=(Lt(ZERO, τ),),
            using=("scores, if",),
            hints={
                "hole": AT_KEY[j],
                "context": (AT_KEY[one] - AT_KEY[two] - plain(one) + plain(two)) / τ + Sum(a, u[a] * K[two, a]),
            },
        ),
    ),
    concludes=("if", "only if"),
    near_miss=NearMiss(
        r"Only directions orthogonal to all keys are invisible: equal weights need $u \cdot k_j = 0$.",
        Eq(Sum(a, u[a] * K[j, a]), ZERO),
        Model({KEYS: 2, COORDINATES: 1}, {τ.symbol: 1, q: (1,), u: (1,), K: ((1,), (1,))}),
        given=(SAME, Lt(ZERO, τ)),
    ),
    illustration=Illustration(
        r"Keys $(1, 0)$ and $(1, \log 3)$, query $(0, 1)$; $u = (1, 0)$ is invisible.",
        Model(
            {KEYS: 2, COORDINATES: 2},
            {τ.symbol: 1, q: (0, 1), u: (1, 0), K: ((1, 0), (1, log(3)))},
        ),
        (("at $q$", softmax(plain, j, k)), ("at $q + u$", softmax(moved, j, k))),
    ),
    source="own (dual to the invisible bias of the keys)",
    needs=("shift_invariance_exactly",),
)


THEOREMS = (key_bias_is_invisible, query_sees_only_differences_of_keys)
