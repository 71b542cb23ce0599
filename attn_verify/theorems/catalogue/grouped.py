"""Grouped heads: shared keys, their gradients, and latent keys."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Deriv,
    Eq,
    Illustration,
    Index,
    Le,
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
    Trig,
    Whole,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS, ROWS, WIDTH, OUT = Sort("n"), Sort("rows"), Sort("d"), Sort("d_v")
GROUPS, PLACES = Sort("G"), Sort("r")
j, k, l = (KEYS.index(name) for name in "jkl")
i = ROWS.index("i")
a, b = WIDTH.index("a"), WIDTH.index("b")
e, f = OUT.index("e"), OUT.index("f")
g, t = GROUPS.index("g"), GROUPS.index("t")
c = PLACES.index("c")

# Query head (g, c): place c of group g; all heads of a group share K[g] and V[g].
Q = Symbol("Q", (GROUPS, PLACES, ROWS, WIDTH))
K, V = Symbol("K", (GROUPS, KEYS, WIDTH)), Symbol("V", (GROUPS, KEYS, OUT))
K_rep, V_rep = Symbol("K'", (GROUPS, PLACES, KEYS, WIDTH)), Symbol("V'", (GROUPS, PLACES, KEYS, OUT))
scale = scalar("τ")
head, group, place, per_group, groups = (scalar(name) for name in ("h", "g", "c", "r", "G"))


def shared(at: Index) -> Term:
    """The score of a key that is shared by the group."""
    return scale * Sum(a, Q[g, c, i, a] * K[g, at, a])


def repeated(at: Index) -> Term:
    """The score of a key that is the head's own copy."""
    return scale * Sum(a, Q[g, c, i, a] * K_rep[g, c, at, a])


def p(at: Index) -> Term:
    """A weight of head ``(g, c)``."""
    return softmax(shared, at, k)


REPEAT = (Eq(K_rep[g, c, j, a], K[g, j, a]), Eq(V_rep[g, c, j, e], V[g, j, e]))
FIRST_HEAD = (Le(ONE, group), Le(ONE * 2, per_group), Le(ZERO, place))
TILE = Model({}, {head.symbol: 1, per_group.symbol: 2, groups.symbol: 2})

gqa_is_repeated_kv = Theorem(
    name="gqa_is_repeated_kv",
    family="grouped heads and low rank",
    level=1,
    statement=r"Grouped-query attention with $G$ groups of $r$ heads is multi-head attention in which head "
    r"$h = gr + c$ has a copy of the keys and values of group $g = \lfloor h/r\rfloor$ (repeat). Taking group "
    r"$h \bmod G$ (tile) is the same if $G = 1$ or $r = 1$, and different at head 1 otherwise.",
    hypotheses=r"Heads are numbered from 0, $H = Gr$.",
    why="Tile in place of repeat is an error that was shipped more than once; the theorem says which tests cannot see "
    "it.",
    predict="Your test has 4 query heads and 4 key/value heads. Can it tell tile from repeat?",
    steps=(
        Step("keys", REPEAT[0], "hypothesis", r"Every head $(g, c)$ of group $g$ gets a copy of its keys"),
        Step("values", REPEAT[1], "hypothesis", "and values."),
        Step(
            "same heads",
            Eq(
                Sum(j, softmax(repeated, j, k) * V_rep[g, c, j, e]),
                Sum(j, p(j) * V[g, j, e]),
            ),
            "normal form",
            "Then every head computes the same numbers from its copies.",
            using=("keys", "values"),
        ),
        Step(
            "later groups",
            Lt(ONE, group * per_group + place),
            "certificate",
            r"Where do repeat and tile differ? Count the $G$ groups $g$ and the $r$ heads $c$ of a group from 0. "
            r"With repeat the head has the number $gr + c$. In a later group, $g \ge 1$, that is above 1 if $r \ge 2$, "
            r"as $gr + c - 1 = (g-1)(r-2) + 2(g-1) + (r-2) + c + 1$. So repeat puts head 1 into group 0.",
            given=FIRST_HEAD,
            hints={
                "certificate": (group - 1) * (per_group - 2) + 2 * (group - 1) + (per_group - 2) + place + 1,
            },
        ),
        Step(
            "tile",
            Lt(ONE, place * groups + group),
            "certificate",
            r"Tile numbers the heads the other way, $h = cG + g$: if $c \ge 1$ and $G \ge 2$ this is above 1 too. So "
            r"tile has $c = 0$ at head 1, and puts it into group 1.",
            given=(Le(ONE, place), Le(ONE * 2, groups), Le(ZERO, group)),
            hints={"certificate": (place - 1) * (groups - 2) + 2 * (place - 1) + (groups - 2) + group + 1},
        ),
        Step(
            "one head a group",
            Eq(group * per_group + place, group),
            "normal form",
            r"With $r = 1$ there is only $c = 0$: the number of a head is its group, and so it is for tile. With $G = "
            r"1$ there is one group only.",
            given=(Eq(per_group, ONE), Eq(place, ZERO)),
        ),
        Step(
            "looked up",
            Lt(Whole("//", ONE, per_group), Whole("%", ONE, groups)),
            "counted through",
            r"The formulas $\lfloor h/r\rfloor$ and $h \bmod G$ say the same: looked up at head 1 for small $r$ and "
            "$G$.",
            hints={"ranges": {per_group: range(2, 25), groups: range(2, 25)}},
        ),
    ),
    concludes=("same heads", "later groups", "tile", "one head a group"),
    near_miss=NearMiss(
        r"Tile is the same as repeat: $\lfloor h/r\rfloor = h \bmod G$.",
        Eq(Whole("//", head, per_group), Whole("%", head, groups)),
        TILE,
    ),
    illustration=Illustration(
        "Head 1 of four, in two groups.",
        TILE,
        (("group by repeat", Whole("//", head, per_group)), ("group by tile", Whole("%", head, groups))),
    ),
    source="Ainslie et al. 2023; Shazeer 2019",
)

G_out = Symbol("Ω", (GROUPS, PLACES, ROWS, OUT))
LOSS = over(g, c, i)(Sum(e, G_out[g, c, i, e] * Sum(j, p(j) * V[g, j, e])))


def _one_head(at_group: Index, key: Index) -> Term:
    """``∂(Ω·o)/∂s_key`` of one row of head ``(at_group, c)``."""

    def score(n: Index) -> Term:
        return scale * Sum(a, Q[at_group, c, i, a] * K[at_group, n, a])

    def weight(n: Index) -> Term:
        return softmax(score, n, k)

    along = Sum(e, G_out[at_group, c, i, e] * V[at_group, key, e])
    mean_along = Sum(e, G_out[at_group, c, i, e] * Sum(j, weight(j) * V[at_group, j, e]))
    return weight(key) * (along - mean_along)


def _weight_in(at_group: Index, key: Index) -> Term:
    return softmax(lambda n: scale * Sum(a, Q[at_group, c, i, a] * K[at_group, n, a]), key, k)


TWO_PLACES = Model(
    {GROUPS: 1, PLACES: 2, ROWS: 1, KEYS: 1, WIDTH: 1, OUT: 1},
    {
        Q: ((((0,),), ((0,),)),),
        K: (((0,),),),
        V: (((1,),),),
        G_out: ((((1,),), ((1,),)),),
        scale.symbol: 1,
    },
)

shared_keys_sum_gradients = Theorem(
    name="shared_keys_sum_gradients",
    family="grouped heads and low rank",
    level=3,
    statement=r"Repeat forwards is sum backwards: the gradient of the shared keys and values of a group is the sum "
    r"over its heads of the gradients of their copies.",
    hypotheses=r"Any loss with the gradient $\Omega$ with respect to the outputs of the heads.",
    why="It is the check of every backward pass of grouped attention; a missing sum trains on one head of each group.",
    predict="Eight query heads share one value. Which of the eight gradients does it get?",
    steps=(
        Step(
            "values",
            Eq(Deriv(LOSS, V[t, l, f]), Sum(c, Sum(i, _weight_in(t, l) * G_out[t, c, i, f]))),
            "normal form",
            r"Only the heads of the own group see the value, and each adds what a head of its own would get, "
            r"$\sum_i p_{il}\Omega_i$.",
        ),
        Step(
            "keys",
            Eq(Deriv(LOSS, K[t, l, b]), Sum(c, Sum(i, scale * _one_head(t, l) * Q[t, c, i, b]))),
            "normal form",
            r"The same for keys: $\sum_i \tau\,p_{il}\,(\Omega_i\cdot v_l - \Omega_i\cdot o_i)\,q_i$ of each head, "
            "summed over the heads of the group.",
        ),
    ),
    concludes=("values", "keys"),
    near_miss=NearMiss(
        "The gradient is the mean over the heads of a group.",
        Eq(Deriv(LOSS, V[t, l, f]), Sum(c, Sum(i, _weight_in(t, l) * G_out[t, c, i, f])) / Size(PLACES)),
        TWO_PLACES,
    ),
    illustration=Illustration(
        r"Two heads that share one key and value, $\Omega = 1$ for both.",
        TWO_PLACES,
        (("gradient of the value", Deriv(LOSS, V[t, l, f])),),
    ),
    source="folklore",
    needs=("gqa_is_repeated_kv", "softmax_jacobian"),
)

# Latent attention: keys U c_j and values W c_j for latents c_j; R(δ) is a rotation between query and key.
LATENT = Sort("latent coordinates")
m, n = LATENT.index("m"), LATENT.index("p")
q, latent = Symbol("q", (WIDTH,)), Symbol("c", (KEYS, LATENT))
U, W, W_O = Symbol("U", (WIDTH, LATENT)), Symbol("W", (OUT, LATENT)), Symbol("O", (OUT, OUT))
o = OUT.index("o")
x_1, x_2, y_1, y_2, delta, eps = (scalar(name) for name in ("x_1", "x_2", "y_1", "y_2", "δ", "ε"))
weights, turns = Symbol("p", (KEYS,)), Symbol("r", (KEYS,))


def turned(angle: Term) -> Term:
    """``x · R(angle) y`` for vectors of two numbers."""
    cos, sin = Trig("cos", angle), Trig("sin", angle)
    return x_1 * (cos * y_1 - sin * y_2) + x_2 * (sin * y_1 + cos * y_2)


def by_key(at: Index) -> Term:
    """The score of the key that is formed from a latent."""
    return Sum(a, q[a] * Sum(m, U[a, m] * latent[at, m]))


def by_latent(at: Index) -> Term:
    """The score of the latent itself, with ``U`` on the side of the query."""
    return Sum(m, Sum(a, U[a, m] * q[a]) * latent[at, m])


ROTATED = {x_1.symbol: 1, x_2.symbol: 0, y_1.symbol: 1, y_2.symbol: 0, delta.symbol: 0, eps.symbol: 1}

mla_absorption = Theorem(
    name="mla_absorption",
    family="grouped heads and low rank",
    level=2,
    statement=r"If $k_j = U c_j$ and $v_j = W c_j$, attention may run on the latents alone: $q\cdot k_j = (U^\top "
    r"q)\cdot c_j$ and $o = W \sum_j p_j c_j$. Only $c_j$ is cached; $U$ is absorbed by the queries and $W$ by $W_O$. "
    r"A score that is rotated by position is added beside it, not between.",
    hypotheses=r"No matrix that depends on positions between $q$ and $U$.",
    why="Multi-head latent attention is associativity. The hypothesis is the reason why its rotary part is decoupled.",
    predict="Why does a rotation between two weight matrices keep them from being multiplied in advance?",
    steps=(
        Step(
            "scores",
            Eq(by_key(j), by_latent(j)),
            "normal form",
            r"$q\cdot(Uc) = (U^\top q)\cdot c$: a triple sum in another order.",
        ),
        Step(
            "head",
            Eq(
                Sum(j, softmax(by_key, j, k) * Sum(m, W[e, m] * latent[j, m])),
                Sum(m, W[e, m] * Sum(j, softmax(by_latent, j, k) * latent[j, m])),
            ),
            "normal form",
            r"So the weights agree, and $W$ moves out of the mean over keys.",
        ),
        Step(
            "output projection",
            Eq(
                Sum(e, W_O[o, e] * Sum(m, W[e, m] * Sum(j, weights[j] * latent[j, m]))),
                Sum(m, Sum(e, W_O[o, e] * W[e, m]) * Sum(j, weights[j] * latent[j, m])),
            ),
            "normal form",
            r"$W_O(Wy) = (W_OW)y$.",
        ),
        Step(
            "decoupled",
            Eq(
                softmax(lambda at: by_key(at) + turns[at], j, k),
                softmax(lambda at: by_latent(at) + turns[at], j, k),
            ),
            "normal form",
            r"A second part $r_j$ of the score, such as a rotary one with keys of its own, does not disturb this.",
        ),
    ),
    concludes=("scores", "head", "output projection", "decoupled"),
    near_miss=NearMiss(
        r"Absorption works with a rotation by position in between: one matrix serves every distance, "
        r"$x\cdot R(\delta)y = x\cdot R(\varepsilon)y$.",
        Eq(turned(delta), turned(eps)),
        Model({}, ROTATED),
    ),
    illustration=Illustration(
        r"$x = y = (1, 0)$ at the distances 0 and 1.",
        Model({}, ROTATED),
        (("at 0", turned(delta)), ("at 1", turned(eps))),
    ),
    source="DeepSeek-AI 2024 (DeepSeek-V2), section 2.1",
)

THEOREMS = (
    gqa_is_repeated_kv,
    shared_keys_sum_gradients,
    mla_absorption,
)
