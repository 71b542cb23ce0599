"""Gradients with respect to queries, keys and the scale: each is a covariance."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Delta,
    Deriv,
    Eq,
    Illustration,
    Le,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Sum,
    Symbol,
    Theorem,
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS, WIDTH, COLUMNS = Sort("n"), Sort("d"), Sort("d_v")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
a, b = WIDTH.index("a"), WIDTH.index("b")
c = COLUMNS.index("c")
TOP = KEYS.index("t", fixed=True)
τ = scalar("τ")

# One query against keys and values that do not depend on it.
q, kk = Symbol("q", (WIDTH,)), Symbol("k", (KEYS, WIDTH))
v = Symbol("v", (KEYS, COLUMNS))
w = Symbol("p", (KEYS,), ("q", "k", "τ"))
ASKED = Eq(w[j], softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l))
ASKED_TOTAL = Eq(Sum(j, w[j]), ONE)
BY_QUERY = Eq(Deriv(w[j], q[b]), τ * w[j] * (kk[j, b] - Sum(l, w[l] * kk[l, b])))
QUERY_GRADIENT = Deriv(Sum(j, w[j] * v[j, c]), q[b])

query_gradient_is_covariance = Theorem(
    name="query_gradient_is_covariance",
    family="gradients",
    level=3,
    statement=r"$\partial o_c/\partial q_b = \tau\operatorname{Cov}_p(v_c, k_b) = \tfrac{\tau}{2}\sum_{j,l} p_j p_l "
    r"(v_{jc} - v_{lc})(k_{jb} - k_{lb})$.",
    hypotheses=r"Keys and values do not depend on the query (cross-attention); scores $\tau\,q\cdot k_j$.",
    why="Without a spread of keys, or without a spread of values, the query has no gradient. Bounds on how strongly "
    "attention reacts are bounds of this covariance.",
    predict="All values in view are equal. How does the output react to the query?",
    steps=(
        Step(
            "weights",
            BY_QUERY,
            "normal form",
            r"The chain rule: score $j$ grows by $\tau k_{jb}$, and the Jacobian of softmax subtracts the mean.",
            given=(ASKED,),
        ),
        Step("total", ASKED_TOTAL, "normal form", "Weights sum to 1.", given=(ASKED,)),
        Step(
            "covariance",
            Eq(
                QUERY_GRADIENT,
                τ * (Sum(j, w[j] * v[j, c] * kk[j, b]) - Sum(j, w[j] * v[j, c]) * Sum(l, w[l] * kk[l, b])),
            ),
            "normal form",
            r"Insert this into $o_c = \sum_j p_j v_{jc}$: the mean of the product less the product of the means.",
            given=(BY_QUERY,),
        ),
        Step(
            "pairs",
            Eq(QUERY_GRADIENT, HALF * τ * over(j, l)(w[j] * w[l] * (v[j, c] - v[l, c]) * (kk[j, b] - kk[l, b]))),
            "normal form",
            r"Multiply the pairs out, and use $\sum_j p_j = 1$.",
            given=(BY_QUERY, ASKED_TOTAL),
        ),
        Step(
            "gradient",
            Eq(QUERY_GRADIENT, HALF * τ * over(j, l)(w[j] * w[l] * (v[j, c] - v[l, c]) * (kk[j, b] - kk[l, b]))),
            "modus ponens",
            "Softmax has both properties that were used.",
            using=("pairs", "weights", "total"),
        ),
        Step(
            "moments",
            Eq(
                QUERY_GRADIENT,
                τ * (Sum(j, w[j] * v[j, c] * kk[j, b]) - Sum(j, w[j] * v[j, c]) * Sum(l, w[l] * kk[l, b])),
            ),
            "modus ponens",
            "Likewise for the first form.",
            using=("covariance", "weights"),
        ),
    ),
    concludes=("gradient", "moments"),
    near_miss=NearMiss(
        r"The gradient is $\tau\sum_j p_j v_{jc} k_{jb}$, with no mean taken off.",
        Eq(
            Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), q[b]),
            τ * Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c] * kk[j, b]),
        ),
        Model({KEYS: 1, WIDTH: 1, COLUMNS: 1}, {q: (0,), kk: ((1,),), v: ((1,),), τ.symbol: 1}),
    ),
    illustration=Illustration(
        r"Query 0, keys $0, 2$, values $0, 3$, $\tau = 1$: both weights are $\tfrac12$.",
        Model({KEYS: 2, WIDTH: 1, COLUMNS: 1}, {q: (0,), kk: ((0,), (2,)), v: ((0,), (3,)), τ.symbol: 1}),
        (("∂o/∂q", Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), q[b])),),
    ),
    source="Kim, Papamakarios & Mnih 2021, section 3; Castin et al. 2024",
    needs=("softmax_jacobian",),
)

KEY_GRADIENT = Deriv(Sum(j, w[j] * v[j, c]), kk[i, b])
BY_KEY = Eq(Deriv(w[j], kk[i, b]), τ * q[b] * w[j] * (Delta(j, i) - w[i]))

key_gradient_points_along_the_query = Theorem(
    name="key_gradient_points_along_the_query",
    family="gradients",
    level=3,
    statement=r"$\partial o_c/\partial k_{ib} = \tau\,q_b\,p_i\,(v_{ic} - o_c)$: a key is only ever moved along the "
    r"query, by its weight, and by how far its value is from the output. Over all keys the gradients sum to 0.",
    hypotheses=r"Scores $\tau\,q\cdot k_j$; query and values do not depend on the keys.",
    why="One row moves every key along one and the same direction; keys of small weight, and keys that already say "
    "what the output says, are not moved at all.",
    predict="Two keys have the same weight, and the value of one is exactly the output. Which key is moved by "
    "training?",
    steps=(
        Step(
            "weights",
            BY_KEY,
            "normal form",
            r"Key $i$ enters score $i$ only, which grows by $\tau q_b$; the Jacobian of softmax does the rest.",
            given=(ASKED,),
        ),
        Step("total", ASKED_TOTAL, "normal form", "Weights sum to 1.", given=(ASKED,)),
        Step(
            "gradient given weights",
            Eq(KEY_GRADIENT, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))),
            "normal form",
            r"Insert this into $o_c = \sum_j p_j v_{jc}$.",
            given=(BY_KEY,),
        ),
        Step(
            "gradient",
            Eq(KEY_GRADIENT, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))),
            "modus ponens",
            "Softmax has this derivative.",
            using=("gradient given weights", "weights"),
        ),
        Step(
            "no drift",
            Eq(Sum(i, τ * q[b] * w[i] * (v[i, c] - Sum(j, w[j] * v[j, c]))), ZERO),
            "normal form",
            r"$\sum_i p_i v_{ic} - o_c\sum_i p_i = 0$: to add one vector to all keys changes nothing.",
            given=(ASKED_TOTAL,),
        ),
    ),
    concludes=("gradient", "no drift"),
    near_miss=NearMiss(
        r"The key with the largest weight has the largest gradient: it is at least that of any other.",
        Le(w[k] * Abs(v[k, c] - Sum(j, w[j] * v[j, c])), w[TOP] * Abs(v[TOP, c] - Sum(j, w[j] * v[j, c]))),
        Model(
            {KEYS: 3, COLUMNS: 1},
            {w: (HALF, HALF / 2, HALF / 2), v: ((0,), (1,), (-1,))},
            {TOP: 0},
        ),
        given=(ASKED_TOTAL, Le(w[k], w[TOP])),
    ),
    illustration=Illustration(
        r"Query 1, keys $0, 0$, values $0, 4$, $\tau = 1$.",
        Model({KEYS: 2, WIDTH: 1, COLUMNS: 1}, {q: (1,), kk: ((0,), (0,)), v: ((0,), (4,)), τ.symbol: 1}),
        (("∂o/∂k", Deriv(Sum(j, softmax(lambda y: τ * Sum(a, q[a] * kk[y, a]), j, l) * v[j, c]), kk[i, b])),),
    ),
    source="folklore",
    needs=("softmax_jacobian",),
)

# The derivative by the scale: first and second.
z = Symbol("z", (KEYS,))
y = Symbol("y", (KEYS,))
β = scalar("β")
u = Symbol("p", (KEYS,), ("β",))
SCALED = Eq(u[j], softmax(lambda n: β * z[n], j, l))
SCALED_TOTAL = Eq(Sum(j, u[j]), ONE)
BY_SCALE = Eq(Deriv(u[j], β), u[j] * (z[j] - Sum(l, u[l] * z[l])))
OUT = Sum(j, u[j] * y[j])
MEAN_SCORE = Sum(l, u[l] * z[l])

scale_gradient_is_a_covariance = Theorem(
    name="scale_gradient_is_a_covariance",
    family="gradients",
    level=3,
    statement=r"With scores $\beta z_j$ and values $y_j$: $\partial o/\partial\beta = \operatorname{Cov}_p(z, y)$ and "
    r"$\partial^2 o/\partial\beta^2 = \sum_j p_j (z_j - \bar z)^2 (y_j - o)$. The mean score never falls: "
    r"$\partial\bar z/\partial\beta = \operatorname{Var}_p(z) \ge 0$.",
    hypotheses=r"Scores $z_j$ and values $y_j$ do not depend on $\beta$.",
    why="Tells what the scale $1/\\sqrt{d_k}$ or a temperature does to the output, to second order: it moves it "
    "towards values that go with large scores, and by nothing at all if scores and values are uncorrelated.",
    predict="Values and scores are uncorrelated under the weights. What does a slightly lower temperature change?",
    steps=(
        Step(
            "weights",
            BY_SCALE,
            "normal form",
            r"Score $j$ grows by $z_j$, and the Jacobian of softmax subtracts the mean.",
            given=(SCALED,),
        ),
        Step("total", SCALED_TOTAL, "normal form", "Weights sum to 1.", given=(SCALED,)),
        Step(
            "first",
            Eq(Deriv(OUT, β), Sum(j, u[j] * z[j] * y[j]) - MEAN_SCORE * OUT),
            "normal form",
            r"Insert this into $o = \sum_j p_j y_j$: a covariance.",
            given=(BY_SCALE,),
        ),
        Step(
            "second",
            Eq(Deriv(Deriv(OUT, β), β), Sum(j, u[j] * (z[j] - MEAN_SCORE) ** 2 * (y[j] - OUT))),
            "normal form",
            r"Differentiate once more; with $\sum_j p_j = 1$ the terms gather into a third central moment.",
            given=(BY_SCALE, SCALED_TOTAL),
        ),
        Step(
            "mean score",
            Eq(Deriv(MEAN_SCORE, β), HALF * over(i, k)(u[i] * u[k] * (z[i] - z[k]) ** 2)),
            "normal form",
            r"The same with the scores themselves in place of values, written over pairs.",
            given=(BY_SCALE, SCALED_TOTAL),
        ),
        Step(
            "never falls",
            Le(ZERO, Deriv(MEAN_SCORE, β)),
            "certificate",
            "Weights are positive, squares are not negative.",
            given=(BY_SCALE, SCALED_TOTAL, Lt(ZERO, u[j])),
            hints={"certificate": HALF * over(i, k)(u[i] * u[k] * (z[i] - z[k]) ** 2)},
        ),
        Step(
            "positive",
            Lt(ZERO, u[j]),
            "certificate",
            "Weights are positive.",
            given=(SCALED,),
            hints={"certificate": softmax(lambda n: β * z[n], j, l)},
        ),
        Step(
            "covariance",
            Eq(Deriv(OUT, β), Sum(j, u[j] * z[j] * y[j]) - MEAN_SCORE * OUT),
            "modus ponens",
            "Softmax has this derivative.",
            using=("first", "weights"),
        ),
        Step(
            "third moment",
            Eq(Deriv(Deriv(OUT, β), β), Sum(j, u[j] * (z[j] - MEAN_SCORE) ** 2 * (y[j] - OUT))),
            "modus ponens",
            "And its weights sum to 1.",
            using=("second", "weights", "total"),
        ),
        Step(
            "monotone",
            Le(ZERO, Deriv(MEAN_SCORE, β)),
            "modus ponens",
            "And they are positive.",
            using=("never falls", "weights", "total", "positive"),
        ),
    ),
    concludes=("covariance", "third moment", "monotone"),
    near_miss=NearMiss(
        r"Every mean grows with $\beta$, not only that of the scores: $\partial o/\partial\beta \ge 0$.",
        Le(ZERO, Deriv(Sum(j, softmax(lambda n: β * z[n], j, l) * y[j]), β)),
        Model({KEYS: 2}, {z: (0, 1), y: (1, 0), β.symbol: 0}),
    ),
    illustration=Illustration(
        r"Scores $0, 2$, values $0, 1$, at $\beta = 0$.",
        Model({KEYS: 2}, {z: (0, 2), y: (0, 1), β.symbol: 0}),
        (("∂o/∂β", Deriv(Sum(j, softmax(lambda n: β * z[n], j, l) * y[j]), β)),),
    ),
    source="folklore (moments of an exponential family)",
    needs=("softmax_jacobian",),
)

THEOREMS = (
    query_gradient_is_covariance,
    key_gradient_points_along_the_query,
    scale_gradient_is_a_covariance,
)
