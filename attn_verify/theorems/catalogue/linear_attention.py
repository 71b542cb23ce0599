"""Linear attention as a recurrence."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ZERO,
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
)  # fmt: skip

FAMILY = "limits and variational views"
WIDTH, COLUMNS = Sort("d"), Sort("d_v")
TIME, FEATURES = Sort("keys", natural=True), Sort("f")
a, c, f = WIDTH.index("a"), COLUMNS.index("c"), FEATURES.index("a")
now, every, later = TIME.index("t", fixed=True), TIME.index("h"), TIME.index("t")
zero = Index("", TIME)

# Positive random features: the exponent of a Gaussian density, moved.
q, key = Symbol("q", (WIDTH,)), Symbol("k", (WIDTH,))

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
    r"only $S_{t+1} = S_t + \varphi_tv_t^{\top}$ and $z_{t+1} = z_t + \varphi_t$: the output is "
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

THEOREMS = (linear_attention_is_a_recurrence,)
