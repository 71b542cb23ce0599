"""The backward pass of attention, and what a loss says to the scores of a row."""

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
    over,
    scalar,
    softmax,
)  # fmt: skip

KEYS, ROWS, WIDTH, COLUMNS = Sort("n"), Sort("m"), Sort("d"), Sort("d_v")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
r, t = ROWS.index("r"), ROWS.index("t")
a, b = WIDTH.index("a"), WIDTH.index("b")
c, e = COLUMNS.index("c"), COLUMNS.index("e")

s, p = Symbol("s", (KEYS,)), Symbol("p", (KEYS,), ("s",))
TOTAL = Eq(Sum(j, p[j]), ONE)
POSITIVE = Lt(ZERO, p[j])
JACOBIAN = Eq(Deriv(p[i], s[l]), p[i] * (Delta(i, l) - p[l]))

# Many rows: P[r,j] are the weights of row r, G the gradient that arrives at the output O = P V.
P, S = Symbol("P", (ROWS, KEYS), ("S", "Q", "K")), Symbol("S", (ROWS, KEYS), ("Q", "K"))
V, G = Symbol("V", (KEYS, COLUMNS)), Symbol("G", (ROWS, COLUMNS))
Q, K = Symbol("Q", (ROWS, WIDTH)), Symbol("K", (KEYS, WIDTH))
τ = scalar("τ")
ROW_WEIGHTS = Eq(P[r, j], softmax(lambda y: S[r, y], j, k))
ROW_JACOBIAN = Eq(Deriv(P[r, i], S[t, l]), Delta(r, t) * P[r, i] * (Delta(i, l) - P[r, l]))


def dP(row: Index, key: Index) -> Term:
    """The gradient that arrives at a weight: Σ_c G V."""
    return Sum(c, G[row, c] * V[key, c])


def output(row: Index, column: Index) -> Term:
    """An entry of the output: Σ_j P V."""
    return Sum(j, P[row, j] * V[j, column])


LOSS = over(r, c)(G[r, c] * output(r, c))


SCORES = Eq(S[r, j], τ * Sum(a, Q[r, a] * K[j, a]))


def dS(row: Index, key: Index) -> Term:
    """The gradient of a score: P (dP − Σ_c G O)."""
    return P[row, key] * (dP(row, key) - Sum(c, G[row, c] * output(row, c)))


attention_backward = Theorem(
    name="attention_backward",
    family="gradients",
    level=3,
    statement=r"Let $G$ be the gradient that arrives at $O = PV$, $P = \operatorname{softmax}(S)$, $S = \tau "
    r"QK^{\top}$. "
    r"Then $dV = P^{\top}G$, $dP = GV^{\top}$, $dS_{rk} = P_{rk}(dP_{rk} - \sum_c G_{rc}O_{rc})$, $dQ = \tau\,dS\,K$ "
    r"and $dK = \tau\,dS^{\top}Q$. With the logarithm $L_r$ of the denominator kept, $P_{rj} = e^{S_{rj} - L_r}$.",
    hypotheses=r"$G$ is held fixed, so that $\sum G_{rc}O_{rc}$ has the gradient of the loss; no sizes are fixed.",
    why="These are the lines of every training kernel, with the trick that lets it forget the matrix of weights: "
    "what a row of weights adds to the gradient is a dot product of the output and its gradient.",
    predict=r"The backward pass needs $\sum_j P_{rj}\,dP_{rj}$ for each row. Can you get it without the row of $P$?",
    steps=(
        Step(
            "dV",
            Eq(Deriv(LOSS, V[l, e]), Sum(r, P[r, l] * G[r, e])),
            "normal form",
            r"The output is linear in the values, and value $l$ enters row $r$ with factor $P_{rl}$.",
        ),
        Step(
            "jacobian",
            ROW_JACOBIAN,
            "normal form",
            r"The Jacobian of softmax in every row; scores of other rows do not enter, hence $\delta_{rt}$.",
            given=(ROW_WEIGHTS,),
        ),
        Step(
            "dS with rows",
            Eq(Deriv(LOSS, S[t, l]), P[t, l] * (dP(t, l) - Sum(j, P[t, j] * dP(t, j)))),
            "normal form",
            r"Insert the Jacobian: $\sum_i dP_{ti}\,P_{ti}(\delta_{il} - P_{tl})$.",
            given=(ROW_JACOBIAN,),
        ),
        Step(
            "row term",
            Eq(Sum(j, P[t, j] * dP(t, j)), Sum(c, G[t, c] * output(t, c))),
            "normal form",
            r"Exchange the sums over $j$ and $c$: the row of weights is needed no longer, only $G$ and $O$.",
        ),
        Step(
            "dS",
            Eq(Deriv(LOSS, S[t, l]), dS(t, l)),
            "normal form",
            "The two lines before, put together.",
            given=(ROW_JACOBIAN,),
        ),
        Step(
            "dS of softmax",
            Eq(Deriv(LOSS, S[t, l]), dS(t, l)),
            "modus ponens",
            "Softmax has this Jacobian.",
            using=("dS", "jacobian"),
        ),
        Step(
            "dQ",
            Eq(Deriv(LOSS, Q[t, b]), τ * Sum(l, dS(t, l) * K[l, b])),
            "normal form",
            r"The chain rule, all the way from the loss to a query: score $l$ of row $t$ grows by $\tau K_{lb}$.",
            given=(ROW_WEIGHTS, SCORES),
        ),
        Step(
            "dK",
            Eq(Deriv(LOSS, K[i, b]), τ * Sum(t, dS(t, i) * Q[t, b])),
            "normal form",
            r"A key is met by every row, so here the sum is over rows.",
            given=(ROW_WEIGHTS, SCORES),
        ),
        Step(
            "recomputed",
            Eq(Exp(S[r, j] - Log(Sum(k, Exp(S[r, k])))), softmax(lambda y: S[r, y], j, k)),
            "normal form",
            r"$e^{S - L} = e^{S}/e^{L}$: one number kept for each row gives its weights back.",
        ),
    ),
    concludes=("dV", "dS of softmax", "row term", "dQ", "dK", "recomputed"),
    near_miss=NearMiss(
        r"$dS = P \circ dP$, without the row term.",
        Eq(
            Deriv(over(r, c)(G[r, c] * Sum(j, softmax(lambda y: S[r, y], j, k) * V[j, c])), S[t, l]),
            softmax(lambda y: S[t, y], l, k) * dP(t, l),
        ),
        Model({KEYS: 2, ROWS: 1, COLUMNS: 1}, {S: ((0, 0),), V: ((1,), (1,)), G: ((1,),)}),
    ),
    illustration=Illustration(
        r"One row, scores $0, 0$, values $0, 4$, $G = 1$.",
        Model({KEYS: 2, ROWS: 1, COLUMNS: 1}, {S: ((0, 0),), P: ((HALF, HALF),), V: ((0,), (4,)), G: ((1,),)}),
        (
            ("dP", dP(t, l)),
            ("G · O", Sum(c, G[t, c] * output(t, c))),
            ("dS", dS(t, l)),
        ),
    ),
    source="Dao et al. 2022, appendix B.2; Dao 2023, section 3.1",
    needs=("softmax_jacobian",),
)
v = Symbol("v", (KEYS, COLUMNS))
y = Symbol("y", (KEYS,))

# One row, whose loss has the gradient h at the output.
h = Symbol("h", (COLUMNS,))
FIXED_KEY = KEYS.index("k", fixed=True)


def worth(key: Index) -> Term:
    """How far a value lies along the gradient: Σ_c h v."""
    return Sum(c, h[c] * v[key, c])


BASELINE = Sum(c, h[c] * Sum(j, p[j] * v[j, c]))
ROW_LOSS = Sum(c, h[c] * Sum(j, p[j] * v[j, c]))

score_gradient_is_an_advantage = Theorem(
    name="score_gradient_is_an_advantage",
    family="gradients",
    level=2,
    statement=r"Let $h$ be the gradient of the loss at the output $o$. Then $\partial L/\partial s_l = p_l\,\langle h, "
    r"v_l - o\rangle$, and these sum to 0. Descent raises the score of $l$ exactly if $v_l$ is better than the output: "
    r"$\langle h, v_l\rangle < \langle h, o\rangle$.",
    hypotheses=r"One row, $o = \sum_j p_j v_j$, $p = \operatorname{softmax}(s)$; $h$ is held fixed.",
    why="Training attention is a policy gradient with the output as its baseline: keys are promoted for beating the "
    "average.",
    predict=r"The output is already perfect, $h = 0$. Which scores still have a gradient?",
    steps=(
        Step(
            "given the jacobian",
            Eq(Deriv(ROW_LOSS, s[l]), p[l] * (worth(l) - BASELINE)),
            "normal form",
            r"Insert the Jacobian of softmax: $\sum_j \langle h, v_j\rangle\,p_j(\delta_{jl} - p_l)$.",
            given=(JACOBIAN,),
        ),
        Step(
            "advantage",
            Eq(Deriv(ROW_LOSS, s[l]), p[l] * (worth(l) - BASELINE)),
            "modus ponens",
            "Softmax has this Jacobian.",
            using=("given the jacobian", "softmax_jacobian:jacobian"),
        ),
        Step(
            "balance",
            Eq(Sum(l, p[l] * (worth(l) - BASELINE)), ZERO),
            "normal form",
            r"What is gained above the average is lost below it: $\sum_l p_l\langle h, v_l\rangle - \langle h, "
            r"o\rangle = 0$.",
            given=(TOTAL,),
        ),
        Step(
            "better is raised",
            Lt(p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE), ZERO),
            "certificate",
            r"A positive weight times a positive advantage: the loss falls as the score grows.",
            given=(POSITIVE, Lt(worth(FIXED_KEY), BASELINE)),
            hints={"certificate": p[FIXED_KEY] * (BASELINE - worth(FIXED_KEY))},
        ),
        Step(
            "worse is lowered",
            Lt(ZERO, p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE)),
            "certificate",
            r"And the other way round.",
            given=(POSITIVE, Lt(BASELINE, worth(FIXED_KEY))),
            hints={"certificate": p[FIXED_KEY] * (worth(FIXED_KEY) - BASELINE)},
        ),
    ),
    concludes=("advantage", "balance", "better is raised", "worse is lowered"),
    near_miss=NearMiss(
        r"$\partial L/\partial s_l = p_l\langle h, v_l\rangle$, without the baseline.",
        Eq(
            Deriv(Sum(c, h[c] * Sum(j, softmax(lambda n: s[n], j, k) * v[j, c])), s[l]),
            softmax(lambda n: s[n], l, k) * worth(l),
        ),
        Model({KEYS: 1, COLUMNS: 1}, {s: (0,), v: ((1,),), h: (1,)}),
    ),
    illustration=Illustration(
        r"Weights $\tfrac14, \tfrac34$, values $0, 4$, $h = 1$: the output 3 is too large.",
        Model({KEYS: 2, COLUMNS: 1}, {s: (0, log(3)), p: (HALF / 2, 3 * HALF / 2), v: ((0,), (4,)), h: (1,)}),
        (("gradient", p[l] * (worth(l) - BASELINE)),),
    ),
    source="Williams 1992 (baseline); own form",
    needs=("softmax_jacobian",),
)

THEOREMS = (
    attention_backward,
    score_gradient_is_an_advantage,
)
