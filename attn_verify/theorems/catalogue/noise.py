"""Noise and recurrences: random look-ups, dropped weights, random features, linear attention, row and column sums."""

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
    softmax,
)  # fmt: skip

FAMILY = "limits and variational views"
KEYS, WIDTH, COLUMNS, ROWS = Sort("n"), Sort("d"), Sort("d_v"), Sort("m")
TIME, OUTCOMES, FEATURES = Sort("t", natural=True), Sort("Ω"), Sort("f")
j, k, l = (KEYS.index(name) for name in "jkl")
a, c, r, ω, f = WIDTH.index("a"), COLUMNS.index("c"), ROWS.index("r"), OUTCOMES.index("ω"), FEATURES.index("a")
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
    r"exponentials of "
    r"the other keys.",
    why="Soft and hard attention are one thing seen through noise.",
    predict="Add noise to the scores and look up only the winner. Which noise makes the average equal softmax "
    "attention?",
    steps=(
        Step(
            "density",
            Eq(Deriv(Exp(-Exp(s - x)), x), Exp(s - x) * Exp(-Exp(s - x))),
            "normal form",
            r"$s_i + g_i$ lies below $x$ with probability $e^{-e^{s_i - x}}$; its density is the derivative.",
        ),
        Step(
            "no others",
            Eq(F[zero], Exp(-(D[zero] * Exp(-x)))),
            "normal form",
            r"Let $F$ be the probability that all of the first $t$ other keys lie below $x$, a product, and $D$ the "
            r"sum of "
            r"their exponentials. Then $F = e^{-De^{-x}}$: for no key it is 1,",
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
            r"Key $i$ wins at $x$ with density $e^{s_i - x}e^{-e^{s_i - x}}e^{-Re^{-x}}$, and that is the "
            r"derivative of "
            r"$p_i\,e^{-(e^{s_i} + R)e^{-x}}$.",
            given=(OPEN,),
        ),
        Step(
            "at the tail",
            Le(ZERO, Exp(ALL * Exp(-x)) - 1 - ALL * Exp(-x)),
            "instance",
            r"The integral is the rise of that function. To its left end,",
            using=("exponential_above_its_tangent:tangent",),
            hints={"symbols": {y.symbol: ((), ALL * Exp(-x))}},
        ),
        Step(
            "left end",
            Le(WINS, Exp(s) / ALL / (1 + ALL * Exp(-x))),
            "certificate",
            r"it is at most $p_i/(1 + (e^{s_i} + R)e^{-x})$, which goes to 0 as $x \to -\infty$;",
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
            r"it is at least $p_i - e^{s_i - x}$, which goes to $p_i$ as $x \to \infty$,",
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
    r"$b_{\omega j} "
    r"\in \{0, 1\}$ says what outcome $\omega$ keeps, $B = b\,b$ what pairs it keeps.",
    why="Why dropout goes after softmax and divides by the share that is kept; and that attention spread over many "
    "keys "
    "suffers least from it.",
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
            r"The square of the output is a sum over pairs of keys,",
            given=(PRODUCT, SHARE),
        ),
        Step(
            "variance",
            Eq(Sum(ω, π[ω] * SQUARE) - MEAN**2, (1 - κ) / κ * Sum(j, p[j] ** 2 * v[j] ** 2)),
            "normal form",
            r"and of these, pairs of different keys give the square of the mean, and a key with itself what is more: "
            r"$\kappa - \kappa^2$.",
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

# Positive random features: the exponent of a Gaussian density, moved.
w, q, key = Symbol("w", (WIDTH,)), Symbol("q", (WIDTH,)), Symbol("k", (WIDTH,))


def half_square(symbol: Symbol) -> Term:
    """½‖x‖²."""
    return HALF * Sum(a, symbol[a] ** 2)


def along(one: Symbol, two: Symbol) -> Term:
    """x · y."""
    return Sum(a, one[a] * two[a])


positive_random_features = Theorem(
    name="positive_random_features",
    family=FAMILY,
    level=4,
    statement=r"$e^{q\cdot k} = \mathbb E_w\big[e^{w\cdot q - \lVert q\rVert^2/2}\,e^{w\cdot k - \lVert "
    r"k\rVert^2/2}\big]$ "
    r"over standard Gaussian vectors $w$ of any dimension.",
    hypotheses=r"A Gaussian density has total mass 1, wherever its centre is.",
    why="Positive features whose average is exactly the exponential of a dot product: softmax attention by a linear "
    "recurrence, up to noise.",
    predict=r"Which random features have an average of exactly $e^{q\cdot k}$?",
    steps=(
        Step(
            "moved density",
            Eq(
                Exp(-half_square(w)) * (Exp(along(w, q) - half_square(q)) * Exp(along(w, key) - half_square(key))),
                Exp(along(q, key)) * Exp(-(HALF * Sum(a, (w[a] - q[a] - key[a]) ** 2))),
            ),
            "normal form",
            r"Times the density $e^{-\lVert w\rVert^2/2}$ of the noise, the two features are $e^{q\cdot k}$ times "
            r"the same "
            r"density with its centre at $q + k$: complete the square. Integrate over $w$: the density leaves 1.",
        ),
        Step(
            "positive",
            Lt(ZERO, Exp(along(w, q) - half_square(q))),
            "certificate",
            "Every feature is positive, so denominators of such attention never vanish.",
        ),
    ),
    concludes=("moved density", "positive"),
    near_miss=NearMiss(
        r"The terms $-\lVert q\rVert^2/2$ and $-\lVert k\rVert^2/2$ are not needed.",
        Eq(
            Exp(-half_square(w)) * (Exp(along(w, q)) * Exp(along(w, key))),
            Exp(along(q, key)) * Exp(-(HALF * Sum(a, (w[a] - q[a] - key[a]) ** 2))),
        ),
        Model({WIDTH: 1}, {w: (0,), q: (1,), key: (0,)}),
    ),
    illustration=Illustration(
        r"One dimension, $w = 1$, $q = 1$, $k = 0$.",
        Model({WIDTH: 1}, {w: (1,), q: (1,), key: (0,)}),
        (("feature of q", Exp(along(w, q) - half_square(q))), ("exp(q · k)", Exp(along(q, key)))),
    ),
    source="Choromanski et al. 2021, lemma 1",
)

# Linear attention: ψ the features of the query, φ those of keys.
ψ, φ, V = Symbol("ψ", (FEATURES,)), Symbol("φ", (TIME, FEATURES)), Symbol("v", (TIME, COLUMNS))
S, z = Symbol("S", (TIME, FEATURES, COLUMNS)), Symbol("z", (TIME, FEATURES))
N, M = Symbol("N", (TIME, COLUMNS)), Symbol("D", (TIME,))


def similarity(at: Index) -> Term:
    """ψ · φ."""
    return Sum(f, ψ[f] * φ[at, f])


MEMORY = (
    Eq(S[zero, f, c], ZERO),
    Eq(S[every + 1, f, c], S[every, f, c] + φ[every, f] * V[every, c]),
    Eq(z[zero, f], ZERO),
    Eq(z[every + 1, f], z[every, f] + φ[every, f]),
)
FULL = (
    Eq(N[zero, c], ZERO),
    Eq(N[every + 1, c], N[every, c] + similarity(every) * V[every, c]),
    Eq(M[zero], ZERO),
    Eq(M[every + 1], M[every] + similarity(every)),
)

linear_attention_is_a_recurrence = Theorem(
    name="linear_attention_is_a_recurrence",
    family=FAMILY,
    level=2,
    statement=r"If the similarity of query and key is $\psi(q)\cdot\varphi(k)$, attention to all keys so far needs "
    r"only "
    r"$S_{t+1} = S_t + \varphi_tv_t^{\top}$ and $z_{t+1} = z_t + \varphi_t$: the output is "
    r"$\psi^{\top}S_t/\psi^{\top}z_t$, "
    r"with memory that does not grow.",
    hypotheses=r"$\psi\cdot z_t \ne 0$. $N_t$ and $D_t$ are numerator and denominator, summed over all keys so far.",
    why="Shows where softmax blocks a recurrence of fixed size: the similarity must factor.",
    predict="What must a similarity satisfy so that the past fits into a matrix of fixed size?",
    steps=(
        Step(
            "first numerator",
            Eq(N[zero, c], Sum(f, ψ[f] * S[zero, f, c])),
            "normal form",
            r"The numerator is $\psi^{\top}S$: at first both are 0,",
            given=(*MEMORY, *FULL),
        ),
        Step("numerator so far", Eq(N[now, c], Sum(f, ψ[f] * S[now, f, c])), "hypothesis", "and if it holds so far,"),
        Step(
            "next numerator",
            Eq(N[now + 1, c], Sum(f, ψ[f] * S[now + 1, f, c])),
            "normal form",
            r"a key adds $(\psi\cdot\varphi_t)v_t$ to one side and $\psi^{\top}(\varphi_tv_t^{\top})$ to the other, "
            r"which is the "
            r"same.",
            given=(*MEMORY, *FULL),
            using=("numerator so far",),
        ),
        Step(
            "numerator",
            Eq(N[later, c], Sum(f, ψ[f] * S[later, f, c])),
            "induction",
            "So it holds always.",
            using=("first numerator", "next numerator"),
            hints={"at": now},
        ),
        Step(
            "first denominator",
            Eq(M[zero], Sum(f, ψ[f] * z[zero, f])),
            "normal form",
            "Likewise the denominator:",
            given=(*MEMORY, *FULL),
        ),
        Step("denominator so far", Eq(M[now], Sum(f, ψ[f] * z[now, f])), "hypothesis", "if it holds so far,"),
        Step(
            "next denominator",
            Eq(M[now + 1], Sum(f, ψ[f] * z[now + 1, f])),
            "normal form",
            r"a key adds $\psi\cdot\varphi_t$ to both sides.",
            given=(*MEMORY, *FULL),
            using=("denominator so far",),
        ),
        Step(
            "denominator",
            Eq(M[later], Sum(f, ψ[f] * z[later, f])),
            "induction",
            "So it holds always.",
            using=("first denominator", "next denominator"),
            hints={"at": now},
        ),
        Step(
            "output",
            Eq(N[now, c] / M[now], Sum(f, ψ[f] * S[now, f, c]) / Sum(f, ψ[f] * z[now, f])),
            "normal form",
            "And the output is their quotient.",
            given=(Lt(ZERO, M[now]), Lt(ZERO, Sum(f, ψ[f] * z[now, f]))),
            using=("numerator", "denominator"),
        ),
    ),
    concludes=("numerator", "denominator", "output"),
    near_miss=NearMiss(
        r"The recurrence gives softmax, with exponentials of the coordinates as features: $e^{q_1k_1 + q_2k_2} = "
        r"e^{q_1}e^{k_1} + e^{q_2}e^{k_2}$.",
        Eq(Exp(Sum(a, q[a] * key[a])), Sum(a, Exp(q[a]) * Exp(key[a]))),
        Model({WIDTH: 2}, {q: (0, 0), key: (0, 0)}),
    ),
    illustration=Illustration(
        r"One feature: $\psi = 2$, $\varphi_t = 1$, $S_t = 3$, $z_t = 2$.",
        Model({FEATURES: 1, COLUMNS: 1}, {ψ: (2,), S: (((3,),),), z: ((2,),)}),
        (("output", Sum(f, ψ[f] * S[zero, f, c]) / Sum(f, ψ[f] * z[zero, f])),),
    ),
    source="Katharopoulos et al. 2020, sections 3.2 to 3.4",
)

# Row and column normalisation.
K, left, right = Symbol("K", (ROWS, KEYS)), Symbol("u", (ROWS,)), Symbol("w", (KEYS,))
E = Symbol("S", (ROWS, KEYS))
t = ROWS.index("t")
ENTRIES = (Lt(ZERO, K[r, j]), Lt(ZERO, left[r]), Lt(ZERO, right[j]))


def cross(entry: Symbol, factors: bool) -> Term:
    """The cross ratio K_rj K_tk / (K_rk K_tj), perhaps after rows and columns were multiplied by factors."""

    def at(row: Index, column: Index) -> Term:
        return left[row] * entry[row, column] * right[column] if factors else entry[row, column]

    return at(r, j) * at(t, k) / (at(r, k) * at(t, j))


sinkhorn_row_step_is_softmax = Theorem(
    name="sinkhorn_row_step_is_softmax",
    family=FAMILY,
    level=3,
    statement=r"Dividing the rows of $e^{S}$ by their sums is softmax. Multiplying rows and columns by positive "
    r"factors, as "
    r"Sinkhorn's iteration does in turn, keeps every cross ratio $\frac{K_{rj}K_{tk}}{K_{rk}K_{tj}}$, and a matrix "
    r"with the "
    r"same cross ratios is one with such factors.",
    hypotheses="Positive matrices.",
    why="Softmax attention is optimal transport with only half of its constraints: the rows have a budget, the "
    "columns have "
    "none.",
    predict="Rows and columns are normalised in turn, again and again. Which numbers never change?",
    steps=(
        Step(
            "row step",
            Eq(Exp(E[r, j]) / Sum(k, Exp(E[r, k])), softmax(lambda n: E[r, n], j, l)),
            "normal form",
            "That is what softmax is.",
        ),
        Step("rows", Eq(Sum(j, softmax(lambda n: E[r, n], j, l)), ONE), "normal form", "Now the rows sum to 1."),
        Step(
            "columns",
            Eq(Sum(r, K[r, j] / Sum(t, K[t, j])), ONE),
            "normal form",
            "A column step makes the columns sum to 1.",
            given=ENTRIES,
        ),
        Step(
            "cross ratio",
            Eq(cross(K, True), cross(K, False)),
            "normal form",
            r"Both steps multiply rows and columns by factors, and each factor is above and below the line once.",
            given=ENTRIES,
        ),
        Step(
            "scores",
            Eq(
                Exp(E[r, j]) * Exp(E[t, k]) / (Exp(E[r, k]) * Exp(E[t, j])),
                Exp(E[r, j] + E[t, k] - E[r, k] - E[t, j]),
            ),
            "normal form",
            r"In terms of scores the cross ratio is what neither a number for each row nor one for each key can "
            r"change.",
        ),
        Step(
            "only factors",
            Eq(K[r, j], K[t, j] / K[t, k] * K[r, k] * cross(K, False)),
            "normal form",
            r"Conversely, one row, one column and the cross ratios give the matrix back.",
            given=ENTRIES,
        ),
    ),
    concludes=("row step", "rows", "columns", "cross ratio", "only factors"),
    near_miss=NearMiss(
        r"After one row step the columns sum to 1 as well.",
        Eq(Sum(r, softmax(lambda n: E[r, n], j, l)), ONE),
        Model({ROWS: 2, KEYS: 2}, {E: ((0, 0), (0, log(3)))}),
    ),
    illustration=Illustration(
        r"The matrix with rows $1, 1$ and $1, 3$, and its rows divided by 2 and 4.",
        Model({ROWS: 2, KEYS: 2}, {E: ((0, 0), (0, log(3)))}),
        (
            ("rows divided", softmax(lambda n: E[r, n], j, l)),
            ("sums of columns", Sum(r, softmax(lambda n: E[r, n], j, l))),
        ),
    ),
    source="Sinkhorn 1964; Sander et al. 2022",
)

THEOREMS = (
    gumbel_max_lookup,
    dropout_on_weights_is_unbiased,
    positive_random_features,
    linear_attention_is_a_recurrence,
    sinkhorn_row_step_is_softmax,
)
