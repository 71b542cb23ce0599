"""Attention fed back on itself descends in energy."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
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
    log,
    scalar,
    softmax,
)  # fmt: skip

KEYS, WIDTH = Sort("n"), Sort("d")
j, k = (KEYS.index(name) for name in "jk")
a, b = WIDTH.index("a"), WIDTH.index("b")

FAMILY = "limits and variational views"
any_ = KEYS.index("•")  # the place of a symbol that a term is put for
p = Symbol("p", (KEYS,))
β = scalar("β")
TOTAL, POSITIVE = Eq(Sum(j, p[j]), ONE), Lt(ZERO, p[j])


# Jensen: the logarithm of a mean of exponentials is at least the mean.
d = Symbol("d", (KEYS,))

# Attention fed back as the next query.
ξ, ξ_, pattern = Symbol("ξ", (WIDTH,)), Symbol("ξ'", (WIDTH,)), Symbol("x", (KEYS, WIDTH))


def fit(state: Symbol, at: Index) -> Term:
    """β x · ξ."""
    return β * Sum(a, pattern[at, a] * state[a])


def energy(state: Symbol) -> Term:
    """½‖ξ‖² − (1/β) log Σ_j exp(β x_j · ξ)."""
    return HALF * Sum(a, state[a] ** 2) - 1 / β * Log(Sum(j, Exp(fit(state, j))))


def step_towards(at: Index) -> Term:
    """β x · (ξ′ − ξ)."""
    return β * Sum(a, pattern[at, a] * (ξ_[a] - ξ[a]))


def recalled(at: Index) -> Term:
    """The weight of a pattern."""
    return softmax(lambda n: fit(ξ, n), at, k)


NEXT = Eq(ξ_[b], Sum(j, p[j] * pattern[j, b]))
COOL = Lt(ZERO, β)
HOP_P = Eq(p[j], recalled(j))
HOP_JENSEN = Le(Sum(k, p[k] * step_towards(k)), Log(Sum(j, p[j] * Exp(step_towards(j)))))
GAIN = Log(Sum(j, p[j] * Exp(step_towards(j)))) - Sum(k, p[k] * step_towards(k))

hopfield_energy_descends = Theorem(
    name="hopfield_energy_descends",
    family=FAMILY,
    level=4,
    statement=r"Let $E(\xi) = \tfrac12\lVert\xi\rVert^2 - \tfrac1\beta\log\sum_j e^{\beta x_j\cdot\xi}$ and $\xi' = "
    r"\sum_j p_jx_j$ with $p = \operatorname{softmax}(\beta X\xi)$, attention to the patterns $x_j$. Then $E(\xi') \le "
    r"E(\xi) - \tfrac12\lVert\xi' - \xi\rVert^2$.",
    hypotheses=r"$\beta > 0$; keys and values are the patterns.",
    why="Attention fed back on itself is a descent, with a guarantee of how far it descends: the theorem of modern "
    "Hopfield networks.",
    predict="Feed the attention output back as the next query, again and again. Can it go round in a cycle?",
    steps=(
        Step(
            "jensen",
            HOP_JENSEN,
            "instance",
            r"The mean of exponentials is at least the exponential of the mean: take "
            r"$d_j = \beta x_j\cdot(\xi' - \xi)$.",
            using=("jensen_for_exponentials:jensen",),
            hints={"symbols": {d: ((any_,), step_towards(any_))}},
        ),
        Step("total", TOTAL, "normal form", "Softmax weights sum to 1", given=(HOP_P,)),
        Step(
            "positive", POSITIVE, "certificate", "and are positive,", given=(HOP_P,), hints={"certificate": recalled(j)}
        ),
        Step("mean", HOP_JENSEN, "modus ponens", "so this holds.", using=("jensen", "total", "positive")),
        Step(
            "any step",
            Le(
                energy(ξ_),
                energy(ξ)
                - Sum(a, Sum(j, p[j] * pattern[j, a]) * (ξ_[a] - ξ[a]))
                + HALF * Sum(a, ξ_[a] ** 2)
                - HALF * Sum(a, ξ[a] ** 2),
            ),
            "certificate",
            r"With $d_j = \beta x_j\cdot(\xi' - \xi)$, $\sum_j p_je^{d_j}$ is the quotient of the denominators $\sum_j "
            r"e^{\beta x_j\cdot\xi'}$ and $\sum_j e^{\beta x_j\cdot\xi}$. So for any $\xi'$ the energy is at most a "
            r"square function of $\xi'$.",
            given=(COOL,),
            using=("mean",),
            hints={"certificate": 1 / β * GAIN},
        ),
        Step(
            "descends",
            Le(energy(ξ_), energy(ξ) - HALF * Sum(a, (ξ_[a] - ξ[a]) ** 2)),
            "certificate",
            r"Let $\xi'$ be $\sum_j p_jx_j$. Then the right side of “any step” is $E(\xi) - \xi'\cdot(\xi' - \xi) + "
            r"\tfrac12\lVert\xi'\rVert^2 - \tfrac12\lVert\xi\rVert^2$, which is $E(\xi) - \tfrac12\lVert\xi' - "
            r"\xi\rVert^2$, the right side here. So the sides differ by what they differed by there.",
            given=(COOL, NEXT, HOP_P),
            using=("any step",),
            hints={"certificate": 1 / β * GAIN},
        ),
    ),
    concludes=("any step", "descends"),
    near_miss=NearMiss(
        r"It descends by twice as much, $\lVert\xi' - \xi\rVert^2$.",
        Le(energy(ξ_), energy(ξ) - Sum(a, (ξ_[a] - ξ[a]) ** 2)),
        Model({KEYS: 1, WIDTH: 1}, {pattern: ((0,),), ξ: (1,), ξ_: (0,), β.symbol: 1, p: (1,)}),
        given=(COOL, NEXT, HOP_P),
    ),
    illustration=Illustration(
        r"Patterns $1, -1$, $\beta = 1$, $\xi = \log 2$: weights $\tfrac45, \tfrac15$, and $\xi' = \tfrac35$.",
        Model({KEYS: 2, WIDTH: 1}, {pattern: ((1,), (-1,)), ξ: (log(2),), ξ_: (Fraction(3, 5),), β.symbol: 1}),
        (("energy before", energy(ξ)), ("after", energy(ξ_))),
    ),
    source="Ramsauer et al. 2021, theorem 1; the quantity: own",
    needs=("jensen_for_exponentials",),
)

THEOREMS = (hopfield_energy_descends,)
