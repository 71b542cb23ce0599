"""Noise: random look-ups and dropped weights."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Delta,
    Deriv,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
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
    over,
    scalar,
)  # fmt: skip

FAMILY = "limits and variational views"
KEYS = Sort("n")
TIME, OUTCOMES = Sort("keys", natural=True), Sort("Ω")
j, k = (KEYS.index(name) for name in "jk")
ω = OUTCOMES.index("ω")
now, every, later = TIME.index("t", fixed=True), TIME.index("h"), TIME.index("t")
zero = Index("", TIME)

# Gumbel noise: the race of keys.
x, s, rest, y = scalar("x"), scalar("s"), scalar("R"), scalar("y")
F, D, σ = Symbol("F", (TIME,)), Symbol("D", (TIME,)), Symbol("s", (TIME,))
RACE = (
    Eq(F[zero], ONE),
    Eq(F[every + 1], F[every] * Exp(-Exp(σ[every] - x))),
    Eq(D[zero], ZERO),
    Eq(D[every + 1], D[every] + Exp(σ[every])),
)
ALL = Exp(s) + rest
WINS = Exp(s) / ALL * Exp(-(ALL * Exp(-x)))
OPEN = Le(ZERO, rest)

gumbel_max_lookup = Theorem(
    name="gumbel_max_lookup",
    family=FAMILY,
    level=4,
    statement=r"Add independent standard Gumbel noise to the scores and look up the winner only: key $i$ wins with "
    r"probability $p_i = \operatorname{softmax}(s)_i$. So the attention output is the mean of random hard look-ups.",
    hypotheses=r"$\Pr[g \le x] = e^{-e^{-x}}$, independent; ties have probability 0. $R$ is the sum of the "
    r"exponentials of the other keys.",
    why="Soft and hard attention are one thing seen through noise.",
    predict="Add noise to the scores and look up only the winner. Which noise makes the average equal softmax "
    "attention?",
    steps=(
        Step(
            "density",
            Eq(Deriv(Exp(-Exp(s - x)), x), Exp(s - x) * Exp(-Exp(s - x))),
            "normal form",
            r"Let $s$ be the score $s_i$ of one key $i$. It wins if its noisy score $s + g_i$ is above those of all "
            r"others. It lies below $x$ with probability $e^{-e^{s - x}}$; its density is the derivative.",
        ),
        Step(
            "no others",
            Eq(F[zero], Exp(-(D[zero] * Exp(-x)))),
            "normal form",
            r"Let $F_t$ be the probability that the noisy scores of the first $t$ other keys, of scores $s_0, \dots, "
            r"s_{t-1}$, all lie below $x$: a product. Let $D_t$ be the sum of their exponentials. "
            r"Then $F = e^{-De^{-x}}$: for no key it is 1,",
            given=RACE,
        ),
        Step("so far", Eq(F[now], Exp(-(D[now] * Exp(-x)))), "hypothesis", "and if it holds for some keys,"),
        Step(
            "one more",
            Eq(F[now + 1], Exp(-(D[now + 1] * Exp(-x)))),
            "congruence",
            r"one more key multiplies by $e^{-e^{s - x}}$, and exponents add.",
            given=RACE,
            using=("so far",),
            hints={"hole": scalar("□"), "context": scalar("□") * Exp(-Exp(σ[now] - x))},
        ),
        Step(
            "others",
            Eq(F[later], Exp(-(D[later] * Exp(-x)))),
            "induction",
            "So it holds for any number of keys.",
            using=("no others", "one more"),
            hints={"at": now},
        ),
        Step(
            "race",
            Eq(Deriv(WINS, x), Exp(s - x) * Exp(-Exp(s - x)) * Exp(-(rest * Exp(-x)))),
            "normal form",
            r"Now let $R$ be the sum $D$ of all other keys. Key $i$ wins with a noisy score of $x$ with the density "
            r"$e^{s - x}e^{-e^{s - x}}e^{-Re^{-x}}$, and that is the derivative of $p_i\,e^{-(e^{s} + R)e^{-x}}$, "
            r"where $p_i = e^{s}/(e^{s} + R)$ is its weight.",
            given=(OPEN,),
        ),
        Step(
            "at the tail",
            Le(ZERO, Exp(ALL * Exp(-x)) - 1 - ALL * Exp(-x)),
            "instance",
            r"The probability to win is the integral of the density over all $x$: how far that function rises. To its "
            r"left end,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), ALL * Exp(-x))}},
        ),
        Step(
            "left end",
            Le(WINS, Exp(s) / ALL / (1 + ALL * Exp(-x))),
            "certificate",
            r"it is at most $p_i/(1 + (e^{s} + R)e^{-x})$, which goes to 0 as $x \to -\infty$;",
            given=(OPEN,),
            using=("at the tail",),
            hints={
                "certificate": Exp(s)
                / ALL
                * (Exp(ALL * Exp(-x)) - 1 - ALL * Exp(-x))
                / (Exp(ALL * Exp(-x)) * (1 + ALL * Exp(-x)))
            },
        ),
        Step(
            "at the head",
            Le(ZERO, Exp(-(ALL * Exp(-x))) - 1 - -(ALL * Exp(-x))),
            "instance",
            r"to its right end,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), -(ALL * Exp(-x)))}},
        ),
        Step(
            "right end",
            Le(Exp(s) / ALL - Exp(s) * Exp(-x), WINS),
            "certificate",
            r"it is at least $p_i - e^{s - x}$, which goes to $p_i$ as $x \to \infty$,",
            given=(OPEN,),
            using=("at the head",),
            hints={"certificate": Exp(s) / ALL * (Exp(-(ALL * Exp(-x))) - 1 - -(ALL * Exp(-x)))},
        ),
        Step(
            "never above",
            Lt(WINS, Exp(s) / ALL),
            "certificate",
            r"and it never exceeds $p_i$. So it rises from 0 to $p_i$: key $i$ wins with probability $p_i$.",
            given=(OPEN,),
            using=("at the tail",),
            hints={
                "certificate": Exp(s)
                / ALL
                * Exp(-(ALL * Exp(-x)))
                * ((Exp(ALL * Exp(-x)) - 1 - ALL * Exp(-x)) + ALL * Exp(-x))
            },
        ),
    ),
    concludes=("others", "race", "left end", "right end", "never above"),
    near_miss=NearMiss(
        r"The noise $\Pr[g \le x] = e^{-e^{-2x}}$ gives softmax too: the density of winning is the derivative of "
        r"$p_i\,e^{-(e^{s_i} + R)e^{-2x}}$.",
        Eq(
            Deriv(Exp(s) / ALL * Exp(-(ALL * Exp(-2 * x))), x),
            2 * Exp(2 * s - 2 * x) * Exp(-Exp(2 * s - 2 * x)) * Exp(-(rest**2 * Exp(-2 * x))),
        ),
        Model(values={s.symbol: log(2), rest.symbol: 1, x.symbol: 0}),
        given=(OPEN,),
    ),
    illustration=Illustration(
        r"Scores $\log 3, 0$: $p = \tfrac34$ for the first.",
        Model(values={s.symbol: log(3), rest.symbol: 1, x.symbol: 8}),
        (("won below 8", WINS), ("p", Exp(s) / ALL)),
    ),
    source="Gumbel 1954; Maddison, Tarlow & Minka 2014",
    needs=("exponential_above_its_tangent",),
    told=(
        r"the probability of independent events is the product of theirs: that gives $F$, and the density of “race”",
        r"the density of $s + g_i$ is the derivative of the probability to lie below $x$, and the probability to "
        r"win is the integral of the density of “race” over all $x$",
        r"the integral of a derivative is the difference of the limits at both ends, here $p_i - 0$; the limits follow "
        r"from the bounds “left end”, “right end” and “never above”",
        r"the mean of the values that are looked up is $\sum_i p_i v_i$, and ties have probability 0",
    ),
)

# Dropout: outcome ω has probability π and keeps key j where b is 1.
π, b = Symbol("π", (OUTCOMES,)), Symbol("b", (OUTCOMES, KEYS))
p, v = Symbol("p", (KEYS,)), Symbol("v", (KEYS,))
κ = scalar("κ")
KEPT = Eq(Sum(ω, π[ω] * b[ω, j]), κ)
PAIR = Symbol("B", (OUTCOMES, KEYS, KEYS))
SHARE = Lt(ZERO, κ)
MEAN = Sum(j, p[j] * v[j])


def dropped(at: Index) -> Term:
    """The output of an outcome: Σ_j p b v / κ."""
    return Sum(j, p[j] * b[at, j] * v[j]) / κ


# What two outcomes of keeping have in common is written as one symbol: B = b b.
SQUARE = over(j, k)(p[j] * p[k] * v[j] * v[k] * PAIR[ω, j, k]) / κ**2
BOTH = Eq(Sum(ω, π[ω] * PAIR[ω, j, k]), κ**2 + Delta(j, k) * κ * (1 - κ))
PRODUCT = Eq(PAIR[ω, j, k], b[ω, j] * b[ω, k])

dropout_on_weights_is_unbiased = Theorem(
    name="dropout_on_weights_is_unbiased",
    family=FAMILY,
    level=2,
    statement=r"Drop each weight with probability $1 - \kappa$ and divide the others by $\kappa$: the mean of the "
    r"output is "
    r"the output without dropout. If keys are dropped independently its variance is $\tfrac{1 - \kappa}{\kappa}\sum_j "
    r"p_j^2v_j^2$. In one outcome the weights no longer sum to 1; on average they do.",
    hypotheses=r"Each key is kept with probability $\kappa > 0$; pairs of keys independently, for the variance. "
    r"The outcome $\omega$ has the probability $\pi_\omega$, and $b_{\omega j}$ is 1 if it keeps key $j$, else 0; so "
    r"$B_{\omega jk} = b_{\omega j}b_{\omega k}$ is 1 if it keeps both $j$ and $k$.",
    why="Why dropout goes after softmax and divides by the share that is kept; and that attention spread over many "
    "keys suffers least from it.",
    predict="Dropout hits attention weights in training. Do they still sum to 1?",
    steps=(
        Step(
            "mean",
            Eq(Sum(ω, π[ω] * dropped(ω)), MEAN),
            "normal form",
            r"Exchange the sums: $\sum_\omega \pi_\omega b_{\omega j} = \kappa$ for each key, and $\kappa$ cancels.",
            given=(KEPT, SHARE),
        ),
        Step(
            "square",
            Eq(dropped(ω) ** 2, SQUARE),
            "normal form",
            r"For the variance: the square of the output in an outcome is a sum over pairs of keys,",
            given=(PRODUCT, SHARE),
        ),
        Step(
            "variance",
            Eq(Sum(ω, π[ω] * SQUARE) - MEAN**2, (1 - κ) / κ * Sum(j, p[j] ** 2 * v[j] ** 2)),
            "normal form",
            r"and the mean of the square less the square of the mean is the variance. Of the pairs, two different keys "
            r"are kept together with probability $\kappa^2$, as they are independent, and give the square of the "
            r"mean; a key with itself is kept with probability $\kappa$, which is $\kappa(1 - \kappa)$ more.",
            given=(BOTH, SHARE),
        ),
        Step(
            "weights",
            Eq(Sum(ω, π[ω] * (Sum(j, p[j] * b[ω, j]) / κ)), ONE),
            "normal form",
            r"The same with values 1: on average the weights sum to 1.",
            given=(KEPT, SHARE, Eq(Sum(j, p[j]), ONE)),
        ),
    ),
    concludes=("mean", "square", "variance", "weights"),
    near_miss=NearMiss(
        r"In every single outcome the weights sum to 1.",
        Eq(Sum(j, p[j] * b[ω, j]) / κ, ONE),
        Model({KEYS: 1, OUTCOMES: 2}, {π: (HALF, HALF), b: ((1,), (0,)), p: (1,), κ.symbol: HALF}),
        given=(KEPT, SHARE, Eq(Sum(j, p[j]), ONE)),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $4, 8$; one of the two keys is dropped, each with probability "
        r"$\tfrac12$.",
        Model(
            {KEYS: 2, OUTCOMES: 2},
            {π: (HALF, HALF), b: ((1, 0), (0, 1)), p: (HALF / 2, 3 * HALF / 2), v: (4, 8), κ.symbol: HALF},
        ),
        (("outcomes", dropped(ω)), ("mean", Sum(ω, π[ω] * dropped(ω))), ("without dropout", MEAN)),
    ),
    source="folklore",
)

THEOREMS = (
    gumbel_max_lookup,
    dropout_on_weights_is_unbiased,
)
