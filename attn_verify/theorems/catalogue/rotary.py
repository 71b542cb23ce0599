"""Rotations by position: offsets, caches that are moved, and sinusoids."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ZERO,
    Eq,
    Illustration,
    Index,
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
    scalar,
    softmax,
)  # fmt: skip

KEYS, PAIRS = Sort("n"), Sort("pairs")
j, k = KEYS.index("j"), KEYS.index("k")
place = Symbol("n", (KEYS,))
m, c, stretch = scalar("m"), scalar("c"), scalar("f")
b = PAIRS.index("b")
θ = Symbol("θ", (PAIRS,))
q_1, q_2 = Symbol("q_1", (PAIRS,)), Symbol("q_2", (PAIRS,))
k_1, k_2 = Symbol("k_1", (KEYS, PAIRS)), Symbol("k_2", (KEYS, PAIRS))
Pair = tuple[Term, Term]


def turn(pair: Pair, angle: Term) -> Pair:
    """Rotate a pair of coordinates by an angle."""
    cos, sin = Trig("cos", angle), Trig("sin", angle)
    return cos * pair[0] - sin * pair[1], sin * pair[0] + cos * pair[1]


def dot(one: Pair, other: Pair) -> Term:
    """The dot product of two vectors given by their pairs ``b``."""
    return Sum(b, one[0] * other[0] + one[1] * other[1])


def rotary(at: Index, query_place: Term, key_place: Term) -> Term:
    """``(R_m q)·(R_n k)``."""
    return dot(turn((q_1[b], q_2[b]), query_place * θ[b]), turn((k_1[at, b], k_2[at, b]), key_place * θ[b]))


def plain(at: Index, angle: Term) -> Term:
    """``q·R k``, with the query left alone."""
    return dot((q_1[b], q_2[b]), turn((k_1[at, b], k_2[at, b]), angle))


QUARTER = {
    q_1: (1,),
    q_2: (0,),
    k_1: ((0,),),
    k_2: ((1,),),
    θ: (1,),
    place: (0,),
    m.symbol: 1,
    c.symbol: 7,
}
ROPE = Model({KEYS: 1, PAIRS: 1}, QUARTER)

rope_depends_on_offset = Theorem(
    name="rope_depends_on_offset",
    family="positions",
    level=1,
    statement=r"Let $R_m$ rotate the pair $b$ of coordinates by $m\theta_b$. Then $(R_mq)\cdot(R_nk) = q\cdot "
    r"R_{n-m}k$ and $|R_mq| = |q|$: scores depend on positions through $n - m$ alone, and moving all positions by $c$ "
    "changes nothing.",
    hypotheses="Even width; the same angles for queries and keys; any real positions and angles.",
    why="It is all of the headline of RoPE, and the proof is one addition formula a pair.",
    predict="Two tokens move from the positions 5 and 8 to 12 and 15. What happens to their RoPE score?",
    steps=(
        Step(
            "offset",
            Eq(rotary(j, m, place[j]), plain(j, (place[j] - m) * θ[b])),
            "normal form",
            r"In each pair $R(\alpha)^\top R(\beta) = R(\beta-\alpha)$, by the addition formulas of cosine and sine; "
            "sum over the pairs.",
        ),
        Step(
            "length",
            Eq(
                dot(turn((q_1[b], q_2[b]), m * θ[b]), turn((q_1[b], q_2[b]), m * θ[b])),
                Sum(b, q_1[b] ** 2 + q_2[b] ** 2),
            ),
            "normal form",
            r"$\cos^2 + \sin^2 = 1$.",
        ),
        Step(
            "moved",
            Eq(rotary(j, m + c, place[j] + c), rotary(j, m, place[j])),
            "normal form",
            r"$(n + c) - (m + c) = n - m$.",
        ),
        Step(
            "weights",
            Eq(
                softmax(lambda at: plain(at, (place[at] + c - (m + c)) * θ[b]), j, k),
                softmax(lambda at: plain(at, (place[at] - m) * θ[b]), j, k),
            ),
            "normal form",
            "So the weights of a row do not change either.",
        ),
    ),
    concludes=("offset", "length", "moved", "weights"),
    near_miss=NearMiss(
        "A RoPE score is symmetric in the two positions.",
        Eq(rotary(j, m, place[j]), rotary(j, place[j], m)),
        ROPE,
    ),
    illustration=Illustration(
        r"$q = (1, 0)$ at position 1, $k = (0, 1)$ at position 0, $\theta = 1$; then both 7 further.",
        ROPE,
        (("score", rotary(j, m, place[j])), ("moved", rotary(j, m + c, place[j] + c))),
    ),
    source="Su et al. 2021 (RoFormer), section 3",
)
v_1, v_2 = Symbol("v_1", (KEYS, PAIRS)), Symbol("v_2", (KEYS, PAIRS))
p, φ = Symbol("p", (KEYS,)), Symbol("φ", (PAIRS,))  # φ: angles that were stretched


def turned_back(part: int) -> Term:
    """A coordinate of ``R_{−m} Σ_j p_j R_{n_j} v_j``."""
    first = Sum(j, p[j] * turn((v_1[j, b], v_2[j, b]), place[j] * θ[b])[0])
    second = Sum(j, p[j] * turn((v_1[j, b], v_2[j, b]), place[j] * θ[b])[1])
    return turn((first, second), -m * θ[b])[part]


def relative(part: int) -> Term:
    """A coordinate of ``Σ_j p_j R_{n_j−m} v_j``."""
    return Sum(j, p[j] * turn((v_1[j, b], v_2[j, b]), (place[j] - m) * θ[b])[part])


rotated_caches_can_be_moved = Theorem(
    name="rotated_caches_can_be_moved",
    family="positions",
    level=2,
    statement=r"Keys that are cached with their rotation can be moved without the unrotated keys: $R_{n+c}k = "
    r"R_c(R_nk)$. So a cached prefix may be used at another place, and dropping tokens and closing the gap is one "
    r"more rotation. Stretching positions by $1/f$ is the same as stretching the angles. With rotated values, "
    r"$R_{-m}\sum_j p_j R_{n_j}v_j = \sum_j p_j R_{n_j-m}v_j$ depends on offsets alone.",
    hypotheses="Rotary positions, any angles; the keys of one layer (deeper keys also depend on what their tokens "
    "saw).",
    why="It is how prefixes are moved, contexts are shifted and positions are interpolated, and what each step must "
    "rotate.",
    predict="A cache holds rotated keys. Four sink tokens stay, a thousand are dropped. What must be done with the "
    "rest?",
    steps=(
        Step(
            "first coordinate",
            Eq(
                turn(turn((k_1[j, b], k_2[j, b]), place[j] * θ[b]), c * θ[b])[0],
                turn((k_1[j, b], k_2[j, b]), (place[j] + c) * θ[b])[0],
            ),
            "normal form",
            r"Key $j$ has the position $n_j$ and in pair $b$ the coordinates $k_{1,j,b}$ and $k_{2,j,b}$, which "
            r"turn by $\theta_b$ a position. "
            "Two rotations one after the other are the rotation by the sum of the angles.",
        ),
        Step(
            "second coordinate",
            Eq(
                turn(turn((k_1[j, b], k_2[j, b]), place[j] * θ[b]), c * θ[b])[1],
                turn((k_1[j, b], k_2[j, b]), (place[j] + c) * θ[b])[1],
            ),
            "normal form",
            "The second coordinate alike.",
        ),
        Step(
            "interpolation",
            Eq(
                rotary(j, m / stretch, place[j] / stretch),
                dot(turn((q_1[b], q_2[b]), m * φ[b]), turn((k_1[j, b], k_2[j, b]), place[j] * φ[b])),
            ),
            "normal form",
            r"The score of query and key at the positions $m/f$ and $n_j/f$ is that at $m$ and $n_j$ with the angles "
            r"$\varphi_b = \theta_b/f$, as $\frac mf\theta_b = m\varphi_b$.",
            given=(Eq(φ[b], θ[b] / stretch), Lt(ZERO, stretch)),
        ),
        Step(
            "values, first coordinate",
            Eq(turned_back(0), relative(0)),
            "normal form",
            r"A rotation is linear, so it moves into the mean over keys, and $R_{-m}R_n = R_{n-m}$.",
        ),
        Step(
            "values, second coordinate", Eq(turned_back(1), relative(1)), "normal form", "The second coordinate alike."
        ),
    ),
    concludes=(
        "first coordinate",
        "second coordinate",
        "interpolation",
        "values, first coordinate",
        "values, second coordinate",
    ),
    near_miss=NearMiss(
        "If the queries move by $c$ the cached keys may stay where they are.",
        Eq(rotary(j, m + c, place[j]), rotary(j, m, place[j])),
        ROPE,
    ),
    illustration=Illustration(
        r"$q = (1, 0)$ at position 1, $k = (0, 1)$ at position 0; both, or the query alone, move by 7.",
        ROPE,
        (
            ("score", rotary(j, m, place[j])),
            ("both moved", rotary(j, m + c, place[j] + c)),
            ("query moved", rotary(j, m + c, place[j])),
        ),
    ),
    source="folklore; positions that are interpolated: Chen et al. 2023; values: own",
    needs=("rope_depends_on_offset",),
)

t, h = scalar("m"), scalar("n")
α, β = t * θ[b], c * θ[b]
SINES = {θ: (1,), t.symbol: 1, c.symbol: 1, h.symbol: 0}

sinusoidal_shift_is_a_rotation = Theorem(
    name="sinusoidal_shift_is_a_rotation",
    family="positions",
    level=2,
    statement=r"For sinusoidal positions with the pairs $(\sin m\theta_b, \cos m\theta_b)$, a shift by $c$ is a "
    r"rotation that does not depend on $m$; and the dot product of two of them is $\sum_b \cos((m-n)\theta_b)$.",
    hypotheses="Any angles.",
    why="It is the sentence in the original paper, proved: relative positions are linear functions.",
    predict=r"Is the encoding of position $m + 5$ a linear function of that of $m$?",
    steps=(
        Step(
            "sine",
            Eq(
                Trig("sin", (t + c) * θ[b]),
                Trig("cos", β) * Trig("sin", α) + Trig("sin", β) * Trig("cos", α),
            ),
            "normal form",
            "The addition formula of the sine: the coefficients depend on $c$ alone.",
        ),
        Step(
            "cosine",
            Eq(
                Trig("cos", (t + c) * θ[b]),
                Trig("cos", β) * Trig("cos", α) - Trig("sin", β) * Trig("sin", α),
            ),
            "normal form",
            "And that of the cosine.",
        ),
        Step(
            "dot product",
            Eq(
                Sum(
                    b,
                    Trig("sin", t * θ[b]) * Trig("sin", h * θ[b]) + Trig("cos", t * θ[b]) * Trig("cos", h * θ[b]),
                ),
                Sum(b, Trig("cos", (t - h) * θ[b])),
            ),
            "normal form",
            "Read backwards, for the difference.",
        ),
    ),
    concludes=("sine", "cosine", "dot product"),
    near_miss=NearMiss(
        r"A shift is an addition: $\sin((m + c)\theta) = \sin m\theta + \sin c\theta$.",
        Eq(Trig("sin", (t + c) * θ[b]), Trig("sin", α) + Trig("sin", β)),
        Model({PAIRS: 1}, SINES),
    ),
    illustration=Illustration(
        r"$\theta = 1$, $m = 1$, $c = 1$.",
        Model({PAIRS: 1}, SINES),
        (("sin 2", Trig("sin", (t + c) * θ[b])), ("sin 1 + sin 1", Trig("sin", α) + Trig("sin", β))),
    ),
    source="Vaswani et al. 2017, section 3.5",
)

THEOREMS = (
    rope_depends_on_offset,
    rotated_caches_can_be_moved,
    sinusoidal_shift_is_a_rotation,
)
