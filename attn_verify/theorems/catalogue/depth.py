"""Expressivity and depth: what weights do not tell, what one token can do, what layers do to differences."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Abs,
    Cited,
    Eq,
    Exp,
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
    log,
    scalar,
)  # fmt: skip

FAMILY = "expressivity and depth"
KEYS, COLUMNS, TIME = Sort("n"), Sort("d_v"), Sort("t", natural=True)
j, k, l, i = (KEYS.index(name) for name in "jkli")
c = COLUMNS.index("c")
p, a, v = Symbol("p", (KEYS,)), Symbol("a", (KEYS,)), Symbol("v", (KEYS, COLUMNS))
ε, μ, A = scalar("ε"), scalar("μ"), scalar("A")
NULL, FLAT = Eq(Sum(j, a[j] * v[j, c]), ZERO), Eq(Sum(j, a[j]), ZERO)
TOTAL = Eq(Sum(j, p[j]), ONE)
THIRD = Fraction(1, 3)

weights_not_identifiable = Theorem(
    name="weights_not_identifiable",
    family=FAMILY,
    level=2,
    statement=r"If $a \ne 0$ with $\sum_j a_jv_j = 0$ and $\sum_j a_j = 0$, then $p + \varepsilon a$ is for small "
    r"$\varepsilon$ another row of positive weights with exactly the same output. Such an $a$ exists whenever "
    r"$n > d_v + 1$.",
    hypotheses=r"$p_j \ge \mu > 0$, $|a_j| \le A$, $0 \le \varepsilon$ and $\varepsilon A < \mu$.",
    why="Rows of weights longer than the head is wide are not determined by what they do: a caution for every "
    "heat-map.",
    predict="Two heads have visibly different heat-maps. Must their outputs differ?",
    steps=(
        Step(
            "same output",
            Eq(Sum(j, (p[j] + ε * a[j]) * v[j, c]), Sum(j, p[j] * v[j, c])),
            "normal form",
            r"What is added, $\varepsilon\sum_j a_jv_j$, is 0.",
            given=(NULL,),
        ),
        Step(
            "same total",
            Eq(Sum(j, p[j] + ε * a[j]), ONE),
            "normal form",
            r"And so is what is added to the sum of the weights, $\varepsilon\sum_j a_j$.",
            given=(FLAT, TOTAL),
        ),
        Step(
            "positive",
            Lt(ZERO, p[j] + ε * a[j]),
            "certificate",
            r"No weight loses more than $\varepsilon A$, and each has at least $\mu$.",
            given=(Le(μ, p[j]), Le(-A, a[j]), Le(ZERO, ε), Lt(ε * A, μ)),
            hints={"certificate": (p[j] - μ) + ε * (a[j] - -A) + (μ - ε * A)},
        ),
        Step(
            "exists",
            Cited(
                "rank and nullity",
                "the n equations' unknowns a_j meet d_v + 1 conditions: a solution a ≠ 0 if n > d_v + 1",
            ),
            "cited",
            r"The conditions on $a$ are $d_v + 1$ linear equations in $n$ unknowns; a map from more dimensions to "
            r"fewer "
            r"vanishes somewhere.",
        ),
    ),
    concludes=("same output", "same total", "positive", "exists"),
    near_miss=NearMiss(
        r"One condition is enough: with $\sum_j a_jv_j = 0$ alone the weights still sum to 1.",
        Eq(Sum(j, p[j] + ε * a[j]), ONE),
        Model({KEYS: 1, COLUMNS: 1}, {p: (1,), a: (1,), v: ((0,),), ε.symbol: 1}),
        given=(NULL, TOTAL),
    ),
    illustration=Illustration(
        r"Values $0, 1, 2$, equal weights, $a = (1, -2, 1)$, $\varepsilon = \tfrac1{12}$.",
        Model(
            {KEYS: 3, COLUMNS: 1},
            {p: (THIRD, THIRD, THIRD), a: (1, -2, 1), v: ((0,), (1,), (2,)), ε.symbol: Fraction(1, 12)},
        ),
        (
            ("other weights", p[j] + ε * a[j]),
            ("output", Sum(j, p[j] * v[j, c])),
            ("their output", Sum(j, (p[j] + ε * a[j]) * v[j, c])),
        ),
    ),
    source="Brunner et al. 2020, section 3",
)

# One token among n: the n − 1 others have scores s and values y in some direction.
s, y = Symbol("s", (KEYS,)), Symbol("y", (KEYS,))
e, d, E, V, B = (scalar(name) for name in ("e", "D", "E", "V", "B"))
score, worth, score_, worth_ = scalar("s"), scalar("y"), scalar("s'"), scalar("y'")
N, D = Sum(j, Exp(s[j]) * y[j]), Sum(k, Exp(s[k]))
BASE = N / D
SIZE = Size(KEYS)
TOKEN_GIVEN = (Le(e, E), Le(SIZE / E, d), Lt(ZERO, e), Lt(ZERO, d), Le(ONE, E), Lt(ZERO, E))
SCORES = (Le(s[j], B), Le(-B, s[j]))
VALUES = (Le(y[j], V), Le(-V, y[j]))
REACH = Exp(B) ** 2 / (1 + SIZE)


def with_token(score: Term, worth: Term) -> Term:
    """The output with the token: (N + e y)/(D + e)."""
    return (N + Exp(score) * worth) / (D + Exp(score))


def share(score: Term) -> Term:
    """The weight of the token: e/(D + e)."""
    return Exp(score) / (D + Exp(score))


def bounded(score: Term, worth: Term) -> tuple[Le, ...]:
    """The token's score lies in [−B, B], its value in [−V, V]."""
    return (Le(score, B), Le(-B, score), Le(worth, V), Le(-V, worth))


INFLUENCE = with_token(score_, worth_) - with_token(score, worth)
LIMIT = 4 * V * REACH
AROUND = {Symbol("s"): ((), score_), Symbol("y"): ((), worth_)}

single_token_influence = Theorem(
    name="single_token_influence",
    family=FAMILY,
    level=3,
    statement=r"If scores lie in $[-B, B]$ and values, in some direction, in $[-V, V]$, then replacing key and "
    r"value of one "
    r"of $n$ tokens changes the output in this direction by at most $4Ve^{2B}/n$.",
    hypotheses=r"One head, a fixed query, $n - 1 \ge 1$ other keys, $B \ge 0$.",
    why="Bounded soft attention cannot react sharply to one token of a long input: the first step of “transformers "
    "cannot "
    "compute parity”.",
    predict="Flip one bit among a million. How much can one bounded attention layer change?",
    steps=(
        Step(
            "change",
            Eq(with_token(score, worth) - BASE, share(score) * (worth - BASE)),
            "normal form",
            r"With numerator $N$ and denominator $D$ of the others, a token moves the output from $N/D$ by its "
            r"weight times "
            r"how far its value is away.",
        ),
        Step(
            "near above",
            Le(worth - BASE, 2 * V),
            "certificate",
            r"Its value is at most $V$, and the mean of the others at least $-V$,",
            given=(Le(worth, V), *VALUES),
            hints={"certificate": (V - worth) + Sum(j, Exp(s[j]) * (y[j] - -V)) / D},
        ),
        Step(
            "near below",
            Le(-(worth - BASE), 2 * V),
            "certificate",
            r"and the other way round.",
            given=(Le(-V, worth), *VALUES),
            hints={"certificate": (worth - -V) + Sum(j, Exp(s[j]) * (V - y[j])) / D},
        ),
        Step(
            "largest share",
            Le(e / (d + e), E**2 / (SIZE + E**2)),
            "certificate",
            r"Its weight is largest if its exponential is as large as it can be, $E = e^{B}$, and those of the "
            r"others as small, "
            r"$1/E$ each.",
            given=TOKEN_GIVEN,
            hints={"certificate": (E**2 * (d - SIZE / E) + SIZE * (E - e)) / ((d + e) * (SIZE + E**2))},
        ),
        Step(
            "simpler share",
            Le(e / (d + e), E**2 / (1 + SIZE)),
            "certificate",
            r"That is at most $E^2/n$, as $E \ge 1$.",
            given=TOKEN_GIVEN,
            using=("largest share",),
            hints={
                "certificate": (E**2 / (SIZE + E**2) - e / (d + e))
                + E**2 * (E - 1) * ((E - 1) + 2) / ((1 + SIZE) * (SIZE + E**2))
            },
        ),
        Step(
            "own",
            Le(Exp(score), Exp(B)),
            "instance",
            r"The exponential is increasing, so $e \le e^{B}$,",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), score), Symbol("z"): ((), B)}},
        ),
        Step(
            "each",
            Le(Exp(-B), Exp(s[j])),
            "instance",
            r"and each of the others at least $e^{-B}$,",
            using=("exponential_above_its_tangent:exp grows",),
            hints={"symbols": {Symbol("y"): ((), -B), Symbol("z"): ((), s[j])}},
        ),
        Step(
            "others",
            Le(SIZE / Exp(B), D),
            "certificate",
            r"together at least $(n - 1)e^{-B}$.",
            using=("each",),
            hints={"certificate": Sum(j, Exp(s[j]) - Exp(-B))},
        ),
        Step(
            "tangent",
            Le(ZERO, Exp(B) - 1 - B),
            "instance",
            r"And $e^{B} \ge 1 + B$,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {Symbol("y"): ((), B)}},
        ),
        Step(
            "at least one",
            Le(ONE, Exp(B)),
            "certificate",
            "so it is at least 1.",
            given=(Le(ZERO, B),),
            using=("tangent",),
            hints={"certificate": (Exp(B) - 1 - B) + B},
        ),
        Step("e", Lt(ZERO, Exp(score)), "certificate", "Exponentials are positive,"),
        Step("D", Lt(ZERO, D), "certificate", "and so are their sums,"),
        Step("E", Lt(ZERO, Exp(B)), "certificate", "all of them."),
        Step(
            "share of the token",
            Le(share(score), REACH),
            "instance",
            "So for attention",
            using=("simpler share",),
            hints={"symbols": {e.symbol: ((), Exp(score)), d.symbol: ((), D), E.symbol: ((), Exp(B))}},
        ),
        Step(
            "share",
            Le(share(score), REACH),
            "modus ponens",
            r"the weight of a token is at most $e^{2B}/n$.",
            using=("share of the token", "own", "others", "e", "D", "at least one", "E"),
        ),
        Step(
            "up",
            Le(with_token(score, worth) - BASE, 2 * V * REACH),
            "certificate",
            r"One token moves the output up by at most $2V$ times that,",
            given=(Le(ZERO, V),),
            using=("near above", "share"),
            hints={"certificate": share(score) * (2 * V - (worth - BASE)) + 2 * V * (REACH - share(score))},
        ),
        Step(
            "down",
            Le(-(with_token(score, worth) - BASE), 2 * V * REACH),
            "certificate",
            r"and down by at most as much.",
            given=(Le(ZERO, V),),
            using=("near below", "share"),
            hints={"certificate": share(score) * (2 * V - -(worth - BASE)) + 2 * V * (REACH - share(score))},
        ),
        Step(
            "other up",
            Le(with_token(score_, worth_) - BASE, 2 * V * REACH),
            "instance",
            "The same holds for the token that takes its place,",
            using=("up",),
            hints={"symbols": AROUND},
        ),
        Step(
            "other down",
            Le(-(with_token(score_, worth_) - BASE), 2 * V * REACH),
            "instance",
            "in both directions.",
            using=("down",),
            hints={"symbols": AROUND},
        ),
        Step(
            "influence up",
            Le(INFLUENCE, LIMIT),
            "certificate",
            r"Take the old token out and the new one in:",
            using=("other up", "down"),
            hints={
                "certificate": (2 * V * REACH - (with_token(score_, worth_) - BASE))
                + (2 * V * REACH - -(with_token(score, worth) - BASE))
            },
        ),
        Step(
            "influence down",
            Le(-INFLUENCE, LIMIT),
            "certificate",
            r"two moves of at most $2Ve^{2B}/n$.",
            using=("other down", "up"),
            hints={
                "certificate": (2 * V * REACH - -(with_token(score_, worth_) - BASE))
                + (2 * V * REACH - (with_token(score, worth) - BASE))
            },
        ),
        Step(
            "influence",
            Le(Abs(INFLUENCE), LIMIT),
            "magnitude",
            r"Together $4Ve^{2B}/n$.",
            using=("influence up", "influence down"),
        ),
    ),
    concludes=("change", "share", "influence"),
    near_miss=NearMiss(
        r"The change is at most $4V/n$, whatever the scores.",
        Le(Abs(INFLUENCE), 4 * V / (1 + SIZE)),
        Model(
            {KEYS: 3},
            {
                s: (-log(3),) * 3,
                y: (0, 0, 0),
                score.symbol: log(3),
                worth.symbol: 1,
                score_.symbol: log(3),
                worth_.symbol: -1,
                V.symbol: 1,
                B.symbol: log(3),
            },
        ),
        given=(*SCORES, *VALUES, *bounded(score, worth), *bounded(score_, worth_)),
    ),
    illustration=Illustration(
        r"Three others with score $-\log 3$ and value 0; the token has score $\log 3$, and its value goes from 1 to "
        r"$-1$.",
        Model(
            {KEYS: 3},
            {
                s: (-log(3),) * 3,
                y: (0, 0, 0),
                score.symbol: log(3),
                worth.symbol: 1,
                score_.symbol: log(3),
                worth_.symbol: -1,
                V.symbol: 1,
                B.symbol: log(3),
            },
        ),
        (("change", INFLUENCE), ("bound", LIMIT)),
    ),
    source="Hahn 2020",
    needs=("exponential_above_its_tangent",),
)

# Layers: X[t] are the tokens (one coordinate) after t layers, P[t] the weights of layer t.
P, X, δ, R = Symbol("P", (TIME, KEYS, KEYS)), Symbol("x", (TIME, KEYS)), Symbol("δ", (TIME,)), Symbol("R", (TIME,))
now, later, every, zero = TIME.index("t", fixed=True), TIME.index("t"), TIME.index("h"), Index("", TIME)
LAYER = Eq(X[every + 1, i], Sum(l, P[every, i, l] * X[every, l]))
ROWS_SUM = Eq(Sum(l, P[every, i, l]), ONE)
LEAST = Le(δ[every], P[every, i, l])
ROOM = Lt(SIZE * δ[every], ONE)
RANGES = Eq(R[every + 1], (1 - SIZE * δ[every]) * R[every])
START = Le(X[zero, j] - X[zero, k], R[zero])
RATE = 1 - SIZE * δ[now]
MEAN_OF_PAIRS = Sum(
    l,
    Sum(
        KEYS.index("h"),
        (P[now, j, l] - δ[now])
        * (P[now, k, KEYS.index("h")] - δ[now])
        * (R[now] - (X[now, l] - X[now, KEYS.index("h")])),
    ),
)
FLAT_LAYER = Sum(l, X[now, l]) / SIZE

pure_attention_contracts = Theorem(
    name="pure_attention_contracts",
    family=FAMILY,
    level=3,
    statement=r"If every weight of layer $t$ is at least $\delta_t$, the layer shrinks the range of every "
    r"coordinate by the "
    r"factor $1 - n\delta_t$ or more; layers without skips or MLPs by the product $\prod_t(1 - n\delta_t)$. With a "
    r"skip and "
    r"uniform weights the range stays what it was.",
    hypotheses=r"Rows of weights sum to 1, $P_{ij} \ge \delta_t$ and $n\delta_t < 1$ in layer $t$.",
    why="Rank collapse in its simplest provable form, and the reason for residual connections.",
    predict="Stack 50 attention layers with nothing else. What do the tokens look like after the last?",
    steps=(
        Step("start", START, "hypothesis", r"Let $R_0$ be the range of the tokens at first."),
        Step(
            "so far",
            Le(X[now, j] - X[now, k], R[now]),
            "hypothesis",
            r"Let no two tokens differ by more than $R$ after some layers.",
        ),
        Step(
            "next",
            Le(X[now + 1, j] - X[now + 1, k], R[now + 1]),
            "certificate",
            r"Take $\delta$ off all weights: in a difference of two rows that cancels, and what is left of each row "
            r"sums to "
            r"$1 - n\delta$. So the difference of two outputs is $1 - n\delta$ times a weighted mean of differences "
            r"$x_l - x_h$, each at most $R$.",
            given=(LAYER, ROWS_SUM, LEAST, ROOM, RANGES),
            using=("so far",),
            hints={"certificate": MEAN_OF_PAIRS / RATE},
        ),
        Step(
            "ranges",
            Le(X[later, j] - X[later, k], R[later]),
            "induction",
            r"So after any number of layers the range is at most $R_t$, where each layer multiplies by $1 - "
            r"n\delta_t$.",
            using=("start", "next"),
            hints={"at": now},
        ),
        Step(
            "skip",
            Eq((X[now, j] + FLAT_LAYER) - (X[now, k] + FLAT_LAYER), X[now, j] - X[now, k]),
            "normal form",
            r"With a skip, $x + Px$, and uniform weights, all tokens move by the same mean: differences stay.",
        ),
    ),
    concludes=("ranges", "skip"),
    near_miss=NearMiss(
        r"The range shrinks by $1 - 2n\delta$.",
        Le(X[zero + 1, j] - X[zero + 1, k], (1 - 2 * SIZE * δ[zero]) * R[zero]),
        Model(
            {KEYS: 2, TIME: 1},
            {
                P: (((Fraction(3, 4), Fraction(1, 4)), (Fraction(1, 4), Fraction(3, 4))),),
                X: ((0, 4), (1, 3)),
                δ: (Fraction(1, 4),),
                R: (4, 2),
            },
        ),
        given=(LAYER, ROWS_SUM, LEAST, ROOM, RANGES, START),
    ),
    illustration=Illustration(
        r"Weights $\tfrac34, \tfrac14$ and $\tfrac14, \tfrac34$, tokens $0, 4$.",
        Model(
            {KEYS: 2, TIME: 1},
            {P: (((Fraction(3, 4), Fraction(1, 4)), (Fraction(1, 4), Fraction(3, 4))),), X: ((0, 4),)},
        ),
        (("after a layer", Sum(l, P[zero, i, l] * X[zero, l])),),
    ),
    source="Dobrushin 1956; Dong, Cordonnier & Loukas 2021 (a stronger form)",
)

THEOREMS = (weights_not_identifiable, single_token_influence, pure_attention_contracts)
