"""Positions: biases, additions and shifts, and what attention knows of order without them."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
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

KEYS = Sort("n")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
place = Symbol("n", (KEYS,))
c = scalar("c")

# ALiBi: s[i,j] is a score, n[i] the position of a token, M[i,j] the mask.
S, M = Symbol("s", (KEYS, KEYS)), Symbol("M", (KEYS, KEYS))
slope = scalar("λ")
COUNT = Sort("distance", natural=True)
u, at, every = COUNT.index("u"), COUNT.index("t", fixed=True), COUNT.index("t")
none = Index("", COUNT)
power, distance = Symbol("ρ", (COUNT,)), Symbol("g", (COUNT,))
RATE = (Eq(power[u + 1], power[u] * Exp(-slope)), Eq(distance[u + 1], distance[u] + 1))
START = (Eq(power[none], ONE), Eq(distance[none], ZERO))
KEY_BIASED = Sum(k, M[i, k] * Exp(S[i, k] + slope * place[k]))


def masked(score: Term, summed: Term) -> Term:
    """A weight under the mask."""
    return M[i, j] * Exp(score) / Sum(k, M[i, k] * Exp(summed))


TWO_PLACES = Model({KEYS: 2}, {place: (0, 1), slope.symbol: log(2)})

alibi_is_key_bias_and_decay = Theorem(
    name="alibi_is_key_bias_and_decay",
    family="positions",
    level=2,
    statement=r"With causal ALiBi the scores $s_{ij} - \lambda(i - j)$ have the weights of $s_{ij} + \lambda j$: a "
    r"bias on keys alone. It is an exponential decay with distance, $e^{s_{ij}-\lambda g} = r^g e^{s_{ij}}$ with "
    r"$r = e^{-\lambda}$. Moving all positions changes nothing.",
    hypotheses="Any mask under which every row sees some key; where $i < j$ is masked the distance is $i - j$.",
    why="Two textbook forms of ALiBi that look different are the same, and the decay comes free.",
    predict="Are the biases $(-3, -2, -1, 0)$ and $(0, 1, 2, 3)$ the same ALiBi?",
    steps=(
        Step("somebody is seen", Lt(ZERO, KEY_BIASED), "hypothesis", "Every row sees some key."),
        Step(
            "seen with ALiBi",
            Lt(ZERO, Sum(k, M[i, k] * Exp(S[i, k] - slope * (place[i] - place[k])))),
            "certificate",
            r"The denominator of ALiBi is this one times $e^{-\lambda i}$, so it is positive.",
            using=("somebody is seen",),
            hints={"certificate": Exp(-slope * place[i]) * KEY_BIASED},
        ),
        Step(
            "key bias",
            Eq(
                masked(S[i, j] - slope * (place[i] - place[j]), S[i, k] - slope * (place[i] - place[k])),
                masked(S[i, j] + slope * place[j], S[i, k] + slope * place[k]),
            ),
            "normal form",
            r"$-\lambda(i-j) = \lambda j - \lambda i$, and $-\lambda i$ is the same along the row: softmax does not "
            "see it.",
            using=("somebody is seen", "seen with ALiBi"),
        ),
        Step(
            "moved",
            Eq(slope * ((place[i] + c) - (place[j] + c)), slope * (place[i] - place[j])),
            "normal form",
            r"$(i + c) - (j + c) = i - j$.",
        ),
        Step(
            "decay at 0",
            Eq(power[none], Exp(-slope * distance[none])),
            "normal form",
            r"For the decay let $\rho_g = r^g$ and go from one distance $g$ to the next. At distance 0 both sides are "
            "1.",
            given=START,
        ),
        Step(
            "decay so far",
            Eq(power[at], Exp(-slope * distance[at])),
            "hypothesis",
            r"Let it be so after $t$ steps.",
        ),
        Step(
            "one step further",
            Eq(power[at + 1], Exp(-slope * distance[at + 1])),
            "normal form",
            r"One step further both have one more factor $e^{-\lambda}$.",
            given=RATE,
            using=("decay so far",),
        ),
        Step(
            "decay",
            Eq(power[every], Exp(-slope * distance[every])),
            "induction",
            r"So $r^g = e^{-\lambda g}$ at all distances.",
            using=("decay at 0", "one step further"),
            hints={"at": at},
        ),
    ),
    concludes=("key bias", "moved", "decay"),
    near_miss=NearMiss(
        r"The two-sided form $-\lambda|i-j|$ is a bias on keys as well: with equal scores all rows have the same "
        "weights.",
        Eq(
            softmax(lambda n: -slope * Abs(place[i] - place[n]), j, k),
            softmax(lambda n: -slope * Abs(place[l] - place[n]), j, k),
        ),
        TWO_PLACES,
    ),
    illustration=Illustration(
        r"Two tokens, equal scores, $\lambda = \log 2$: the weights of two-sided ALiBi, row by row.",
        TWO_PLACES,
        (("weights", softmax(lambda n: -slope * Abs(place[i] - place[n]), j, k)),),
    ),
    source="Press et al. 2022",
    needs=("shift_invariance_exactly",),
)

# Earlier tokens in two orders: σ[j,l] = 1 where place j of the new order holds token l; w, x are e^s and e^s v there.
earlier = Sort("earlier", empty=True)
e, f = earlier.index("j"), earlier.index("l")
σ = Symbol("σ", (earlier, earlier))
score, value = Symbol("s", (earlier,)), Symbol("v", (earlier,))
s_last, v_last = scalar("s_n"), scalar("v_n")
mass_new, sum_new = Symbol("w", (earlier,)), Symbol("x", (earlier,))
PERMUTED = Eq(Sum(e, σ[e, f]), ONE)
NEW_ORDER = (
    Eq(mass_new[e], Sum(f, σ[e, f] * Exp(score[f]))),
    Eq(sum_new[e], Sum(f, σ[e, f] * Exp(score[f]) * value[f])),
)
x_a, x_b, x_c = scalar("a"), scalar("b"), scalar("c")


def second_layer(first: Term, second: Term, third: Term) -> Term:
    """The last output of two causal layers with all scores 0."""
    return (first + (first + second) / 2 + (first + second + third) / 3) / 3


THREE = Model({}, {x_a.symbol: 1, x_b.symbol: 0, x_c.symbol: 0})

one_causal_layer_is_order_blind = Theorem(
    name="one_causal_layer_is_order_blind",
    family="positions",
    level=3,
    statement=r"In one causal layer without positions the last output does not change when the tokens before it are "
    r"permuted. Two layers can see order: with all scores 0 they give "
    r"$\tfrac13\big[(1+\tfrac12+\tfrac13)a + (\tfrac12+\tfrac13)b + \tfrac13c\big]$ for the input $a, b, c$.",
    hypotheses="Query, key and value of a token depend on the token alone.",
    why="It corrects two half-truths: that causal models without positions are blind to order, and that a causal mask "
    "alone gives order in one layer.",
    predict="A causal model of one layer without positions reads *dog bites man* and *man bites dog*, each with a full "
    "stop. Can its last state tell them apart?",
    steps=(
        Step("permutation", PERMUTED, "hypothesis", r"Every token has one place in the new order."),
        Step(
            "one layer",
            Eq(
                (Sum(e, sum_new[e]) + Exp(s_last) * v_last) / (Sum(e, mass_new[e]) + Exp(s_last)),
                (Sum(f, Exp(score[f]) * value[f]) + Exp(s_last) * v_last) / (Sum(f, Exp(score[f])) + Exp(s_last)),
            ),
            "normal form",
            "The last row sees all tokens. In the new order it sums the same terms in another order, above and below.",
            given=NEW_ORDER,
            using=("permutation",),
        ),
        Step(
            "two layers",
            Eq(
                second_layer(x_a, x_b, x_c),
                Fraction(11, 18) * x_a + Fraction(5, 18) * x_b + Fraction(1, 9) * x_c,
            ),
            "normal form",
            r"With all scores 0 the first layer gives $a$, $\frac{a+b}2$, $\frac{a+b+c}3$, and the second their mean.",
        ),
        Step(
            "swapped",
            Eq(second_layer(x_a, x_b, x_c) - second_layer(x_b, x_a, x_c), (x_a - x_b) / 3),
            "normal form",
            r"Swapping $a$ and $b$ changes it by $\frac{a-b}3$.",
        ),
    ),
    concludes=("one layer", "two layers", "swapped"),
    near_miss=NearMiss(
        "Two causal layers without positions are blind to order as well.",
        Eq(second_layer(x_a, x_b, x_c), second_layer(x_b, x_a, x_c)),
        THREE,
    ),
    illustration=Illustration(
        "The inputs 1, 0, 0 and 0, 1, 0.",
        THREE,
        (("1, 0, 0", second_layer(x_a, x_b, x_c)), ("0, 1, 0", second_layer(x_b, x_a, x_c))),
    ),
    source="Haviv et al. 2022; Kazemnejad et al. 2023",
    needs=("permutation_symmetries", "causal_prefix_property"),
)

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
far = scalar("m")
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
            using=("soft_cap_bounds_scores:tangent",),
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
            r"That tends to 1.",
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
    needs=("shift_invariance_exactly", "concat_project_is_sum_of_heads", "soft_cap_bounds_scores"),
)

THEOREMS = (
    alibi_is_key_bias_and_decay,
    one_causal_layer_is_order_blind,
    additive_positions_give_four_terms,
    shift_heads_make_convolution,
)
