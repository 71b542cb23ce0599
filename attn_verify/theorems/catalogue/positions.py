"""Positions: biases that decay, and what attention knows of order without any."""

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
COUNT = Sort("steps", natural=True)
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
        Step(
            "somebody is seen",
            Lt(ZERO, KEY_BIASED),
            "hypothesis",
            r"Let $n_j$ be the position of token $j$, $s_{ij}$ the score of query $i$ and key $j$, and $M_{ij}$ 1 "
            r"where the mask lets $i$ see $j$, else 0. Every row sees some key.",
        ),
        Step(
            "seen with ALiBi",
            Lt(ZERO, Sum(k, M[i, k] * Exp(S[i, k] - slope * (place[i] - place[k])))),
            "certificate",
            r"The denominator of ALiBi is this one times $e^{-\lambda n_i}$, so it is positive.",
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
            r"$-\lambda(n_i - n_j) = \lambda n_j - \lambda n_i$, and $-\lambda n_i$ is the same along the row: softmax "
            "does not see it.",
            using=("somebody is seen", "seen with ALiBi"),
        ),
        Step(
            "moved",
            Eq(slope * ((place[i] + c) - (place[j] + c)), slope * (place[i] - place[j])),
            "normal form",
            r"If all positions move by $c$, distances stay, and so do the biases.",
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
earlier = Sort("earlier keys", empty=True)
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

THEOREMS = (
    alibi_is_key_bias_and_decay,
    one_causal_layer_is_order_blind,
)
