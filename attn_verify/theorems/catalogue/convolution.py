"""Positions that are added, and heads that look a fixed way off."""

from __future__ import annotations

from attn_verify.theorems.catalogue.positions import KEYS, i, j, k, place
from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Limit,
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
    over,
    scalar,
    softmax,
)  # fmt: skip

WIDTH = Sort("d")
a, d = WIDTH.index("a"), WIDTH.index("b")
x, pos = Symbol("x", (KEYS, WIDTH)), Symbol("u", (KEYS, WIDTH))
W, shift = Symbol("W", (WIDTH, WIDTH)), Symbol("c", (WIDTH,))


def form(left: Symbol, right: Symbol) -> Term:
    """``left_i W right_jᵀ``."""
    return over(a, d)(left[i, a] * W[a, d] * right[j, d])


def four() -> Term:
    """The score of tokens with positions added."""
    return over(a, d)((x[i, a] + pos[i, a]) * W[a, d] * (x[j, d] + pos[j, d]))


ADDED = Model({KEYS: 1, WIDTH: 1}, {x: ((1,),), pos: ((2,),), W: ((1,),)})

additive_positions_give_four_terms = Theorem(
    name="additive_positions_give_four_terms",
    family="positions",
    level=1,
    statement=r"Positions added to embeddings give scores of four terms, $(x_i+u_i)W(x_j+u_j)^\top = x_iWx_j^\top + "
    r"x_iWu_j^\top + u_iWx_j^\top + u_iWu_j^\top$: content with content, content with position, and so on. Where the "
    r"position of the query is replaced by one vector $c$ for all, its two terms become a bias on keys.",
    hypotheses=r"$W = W_QW_K^\top$.",
    why="It is the split into content and position from which relative encodings start.",
    predict="How many kinds of interaction does adding a position vector create?",
    steps=(
        Step(
            "four terms",
            Eq(four(), form(x, x) + form(x, pos) + form(pos, x) + form(pos, pos)),
            "normal form",
            "Distribute.",
        ),
        Step(
            "moved alike",
            Eq(
                over(a, d)((x[i, a] + shift[a]) * W[a, d] * (x[j, d] + pos[j, d]))
                - over(a, d)(x[i, a] * W[a, d] * (x[j, d] + pos[j, d])),
                over(a, d)(shift[a] * W[a, d] * (x[j, d] + pos[j, d])),
            ),
            "normal form",
            r"A vector $c$ added to every query is a bias on keys, which does not depend on $i$.",
        ),
    ),
    concludes=("four terms", "moved alike"),
    near_miss=NearMiss(
        "Content meets content, position meets position, and that is all.",
        Eq(four(), form(x, x) + form(pos, pos)),
        ADDED,
    ),
    illustration=Illustration(
        r"$x = 1$, $u = 2$, $W = 1$.",
        ADDED,
        (
            ("score", four()),
            ("the four terms", form(x, x)),
            ("", form(x, pos)),
            ("", form(pos, x)),
            ("", form(pos, pos)),
        ),
    ),
    source="Dai et al. 2019 (Transformer-XL), section 3.3",
)

# Heads r that look at the place n_i + o_r; y[r,i,a] is the token there.
HEADS, OUT = Sort("h"), Sort("d_v")
r = HEADS.index("r")
out = OUT.index("o")
offset, step_, inverse = Symbol("o", (HEADS,)), Symbol("T", (HEADS, KEYS, KEYS)), scalar("β")
neighbour = Symbol("y", (HEADS, KEYS, WIDTH))
taps = Symbol("W", (HEADS, WIDTH, OUT))
SHIFTED = Eq(Sum(j, step_[r, i, j] * x[j, a]), neighbour[r, i, a])
far = scalar("N")
ELSEWHERE = Sort("m", empty=True)
elsewhere = ELSEWHERE.index("x")
lag = Symbol("d", (ELSEWHERE,))
EXCESS = inverse * (lag[elsewhere] ** 2 - 1)
LEFT = Sum(elsewhere, Exp(-inverse * lag[elsewhere] ** 2))
AT_MOST = Size(ELSEWHERE) * Exp(-inverse)


def quadratic(at: Index) -> Term:
    """The score ``−β(n_at − n_i − o_r)²``."""
    return -inverse * (place[at] - place[i] - offset[r]) ** 2


def by_width_two(at: Index) -> Term:
    """The same score up to a number of the row, as a dot product of width 2."""
    return (2 * inverse * (place[i] + offset[r])) * place[at] + (-inverse) * place[at] ** 2


LINE = Model({KEYS: 3, HEADS: 1}, {place: (0, 1, 2), offset: (1,), inverse.symbol: log(16)})

shift_heads_make_convolution = Theorem(
    name="shift_heads_make_convolution",
    family="positions",
    level=3,
    statement=r"Heads that look at the places $i + o_r$ make a convolution with kernel $W_r$: "
    r"$\sum_r\sum_j T^{(r)}_{ij} x_j W_r = \sum_r x_{i+o_r} W_r$. Such a head needs width 2: query "
    r"$2\beta(i+o_r, -\tfrac12)$ and key $(j, j^2)$ have the weights of $-\beta(j - i - o_r)^2$, and as $\beta$ grows "
    "all the weight goes to the nearest place.",
    hypotheses="One head for each tap of the kernel; the hard pattern is the limit.",
    why="Heads are the taps of a kernel: attention with positions contains convolution.",
    predict="How many heads does a convolution of width 3 take?",
    steps=(
        Step(
            "neighbours",
            SHIFTED,
            "hypothesis",
            r"Let $T^{(r)}$ pick, for every $i$, the token $y$ at the place $i + o_r$.",
        ),
        Step(
            "convolution",
            Eq(
                over(r, j)(step_[r, i, j] * Sum(a, x[j, a] * taps[r, a, out])),
                over(r, a)(neighbour[r, i, a] * taps[r, a, out]),
            ),
            "normal form",
            "Each head hands over its neighbour, and the output projection sums the taps.",
            using=("neighbours",),
        ),
        Step(
            "width 2",
            Eq(softmax(quadratic, j, k), softmax(by_width_two, j, k)),
            "normal form",
            r"$-\beta(j-i-o)^2 = 2\beta(i+o)j - \beta j^2 - \beta(i+o)^2$, and the last term is the same along the "
            "row.",
        ),
        Step(
            "tangent",
            Le(ZERO, Exp(EXCESS) - 1 - EXCESS),
            "instance",
            r"Let $i + o$ be a place that exists; its score is 0. Any other key $x$ is at a distance with $d_x^2 \ge "
            r"1$ from it, and $e^y \ge 1 + y$ at $y = \beta(d_x^2 - 1)$",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {scalar("y").symbol: ((), EXCESS)}},
        ),
        Step(
            "others",
            Le(LEFT, AT_MOST),
            "certificate",
            r"gives $e^{-\beta d_x^2} \le e^{-\beta}$.",
            given=(Lt(ZERO, inverse), Le(ONE, lag[elsewhere] ** 2)),
            using=("tangent",),
            hints={
                "certificate": Sum(
                    elsewhere, Exp(-inverse * lag[elsewhere] ** 2) * ((Exp(EXCESS) - 1 - EXCESS) + EXCESS)
                )
            },
        ),
        Step(
            "weight",
            Le(1 / (1 + AT_MOST), 1 / (1 + LEFT)),
            "certificate",
            r"So the weight of the place $i + o$, $\frac{1}{1 + \sum_x e^{-\beta d_x^2}}$, is at least "
            r"$\frac1{1+me^{-\beta}}$ with $m$ other keys.",
            using=("others",),
            hints={"certificate": (AT_MOST - LEFT) / ((1 + LEFT) * (1 + AT_MOST))},
        ),
        Step(
            "hard",
            Limit(1 / (1 + far * Exp(-inverse)), inverse, "oo", ONE),
            "limit",
            r"That tends to 1, here for $N$ other keys.",
            given=(Lt(ZERO, far),),
        ),
    ),
    concludes=("convolution", "width 2", "weight", "hard"),
    near_miss=NearMiss(
        r"A head with finite $\beta$ hands over exactly the token at the place $i + o_r$.",
        Eq(Sum(j, softmax(quadratic, j, k) * place[j]), place[i] + offset[r]),
        Model({KEYS: 2, HEADS: 1}, {place: (0, 1), offset: (0,), inverse.symbol: log(3)}),
    ),
    illustration=Illustration(
        r"Places 0, 1, 2, offset 1, $\beta = \log 16$: the weights, row by row. The last row has no place to its "
        "right.",
        LINE,
        (("weights", softmax(quadratic, j, k)),),
    ),
    source="Cordonnier et al. 2020",
    needs=("shift_invariance_exactly", "concat_project_is_sum_of_heads", "exponential_above_its_tangent"),
)

THEOREMS = (
    additive_positions_give_four_terms,
    shift_heads_make_convolution,
)
