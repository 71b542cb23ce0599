"""Depth: what layers do to differences, and what weights do not tell."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Cited,
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
    Theorem,
    scalar,
)  # fmt: skip

FAMILY = "expressivity and depth"
KEYS, COLUMNS, TIME = Sort("n"), Sort("d_v"), Sort("layers", natural=True)
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
    hypotheses=r"$p_j \ge \mu > 0$, $|a_j| \le A$, and $\varepsilon$ is so small that $0 < \varepsilon$ and "
    r"$\varepsilon A < \mu$.",
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
            given=(Le(μ, p[j]), Le(-A, a[j]), Lt(ZERO, ε), Lt(ε * A, μ)),
            hints={"certificate": (p[j] - μ) + ε * (a[j] - -A) + (μ - ε * A)},
        ),
        Step(
            "other weights",
            Lt(ZERO, Sum(j, (p[j] + ε * a[j] - p[j]) ** 2)),
            "certificate",
            r"It is another row, as $a$ is not 0: the squared distance is $\varepsilon^2\sum_j a_j^2$.",
            given=(Lt(ZERO, ε), Lt(ZERO, Sum(j, a[j] ** 2))),
            hints={"certificate": ε**2 * Sum(j, a[j] ** 2)},
        ),
        Step(
            "exists",
            Cited(
                "rank and nullity",
                "if n > d_v + 1, then some a ≠ 0 has Σ_j a_j = 0 and Σ_j a_j·v_jc = 0 for all c",
            ),
            "cited",
            r"The conditions on $a$ are $d_v + 1$ linear equations, one for each column of $v$ and one for the sum, in "
            r"the $n$ unknowns $a_1, \dots, a_n$. A linear map from more dimensions to fewer maps some vector "
            r"other than 0 to 0.",
        ),
    ),
    concludes=("same output", "same total", "positive", "other weights", "exists"),
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
SIZE = Size(KEYS)

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
m = KEYS.index("m")
MEAN_OF_PAIRS = Sum(
    l,
    Sum(m, (P[now, j, l] - δ[now]) * (P[now, k, m] - δ[now]) * (R[now] - (X[now, l] - X[now, m]))),
)
FLAT_LAYER = Sum(l, X[now, l]) / SIZE

pure_attention_contracts = Theorem(
    name="pure_attention_contracts",
    family=FAMILY,
    level=3,
    statement=r"If every weight of layer $t$ is at least $\delta_t$, the layer shrinks the range of every "
    r"coordinate by the "
    r"factor $1 - n\delta_t$ or more; layers without skips or MLPs by the product $\prod_t(1 - n\delta_t)$. With a "
    r"skip and uniform weights the range stays what it was.",
    hypotheses=r"Rows of weights sum to 1, $P_{til} \ge \delta_t$ and $n\delta_t < 1$ in layer $t$. Here $P_{til}$ is "
    r"the weight that token $i$ gives to token $l$ in layer $t$, and $x_{ti}$ is one coordinate of token $i$ "
    r"before it.",
    why="Rank collapse in its simplest provable form, and the reason for residual connections.",
    predict="Stack 50 attention layers with nothing else. What do the tokens look like after the last?",
    steps=(
        Step("start", START, "hypothesis", r"Let $R_0$ be the range of the tokens at first, before layer 0."),
        Step(
            "so far",
            Le(X[now, j] - X[now, k], R[now]),
            "hypothesis",
            r"Let no two tokens differ by more than some $R_t$ after $t$ layers.",
        ),
        Step(
            "next",
            Le(X[now + 1, j] - X[now + 1, k], R[now + 1]),
            "certificate",
            r"A layer replaces the tokens by means, and $R_{t+1}$ is $1 - n\delta_t$ times $R_t$. "
            r"Take $\delta$ off all weights: in a difference of two rows that cancels, and what is left of each row "
            r"sums to $1 - n\delta$. So the difference of two outputs is $1 - n\delta$ times a weighted mean of "
            r"differences $x_l - x_m$, each at most $R$.",
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

THEOREMS = (
    weights_not_identifiable,
    pure_attention_contracts,
)
