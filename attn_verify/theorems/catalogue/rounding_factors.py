"""Products of rounding errors."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Eq,
    Illustration,
    Index,
    Le,
    Lt,
    Model,
    NearMiss,
    Sort,
    Step,
    Symbol,
    Theorem,
    scalar,
)  # fmt: skip

FAMILY = "rounding and conditioning"
NOTHING = {"certificate": ZERO}

# Rounding scores after the maximum has been taken off.
η = scalar("u")

# A sum added up in floating point, one rounding for each product and one for each addition.
TIME = Sort("terms", natural=True)
f, now, later = TIME.index("h"), TIME.index("t", fixed=True), TIME.index("t")
zero = Index("", TIME)
U, C = Symbol("U", (TIME,)), Symbol("c", (TIME,))
POWERS = (Eq(U[zero], ONE), Eq(U[f + 1], U[f] * (1 + η)))
COUNTS = (Eq(C[zero], ZERO), Eq(C[f + 1], C[f] + 1))
UNIT = (Le(ZERO, η), Le(η, ONE))
GAMMA = C[now + 1] * η / (1 - C[now + 1] * η)
ROOM = Lt(C[now + 1] * η, ONE)

rounding_factors_stay_below_gamma = Theorem(
    name="rounding_factors_stay_below_gamma",
    family=FAMILY,
    level=2,
    statement=r"$(1 + u)^n - 1 \le \gamma_n = \frac{nu}{1 - nu}$ if $nu < 1$, and $(1 + u)^n \ge 1$.",
    hypotheses=r"$0 \le u \le 1$; for $\gamma_n$, $nu < 1$.",
    why="The lemma behind every bound of rounding errors: $n$ roundings cost little more than $n$ times one.",
    predict="A thousand roundings, each of a relative error of at most 0.0001. How large can the error be?",
    steps=(
        Step(
            "first power",
            Le(ONE, U[zero]),
            "certificate",
            r"Write $U_t = (1 + u)^t$. It is 1 at first,",
            given=POWERS,
            hints=NOTHING,
        ),
        Step("power so far", Le(ONE, U[now]), "hypothesis", r"and if it is at least 1,"),
        Step(
            "next power",
            Le(ONE, U[now + 1]),
            "certificate",
            r"so is the next: $U(1 + u) - 1 = (U - 1) + uU$.",
            given=(*POWERS, *UNIT),
            using=("power so far",),
            hints={"certificate": (U[now] - 1) + η * ((U[now] - 1) + 1)},
        ),
        Step(
            "powers",
            Le(ONE, U[later]),
            "induction",
            "Hence always.",
            using=("first power", "next power"),
            hints={"at": now},
        ),
        Step(
            "no count",
            Le(ZERO, C[zero]),
            "certificate",
            r"Let $c_t = t$ count the roundings. It is not negative at 0,",
            given=COUNTS,
            hints=NOTHING,
        ),
        Step("count so far", Le(ZERO, C[now]), "hypothesis", "and if it is not,"),
        Step(
            "next count",
            Le(ZERO, C[now + 1]),
            "certificate",
            "nor is it one later.",
            given=COUNTS,
            using=("count so far",),
            hints={"certificate": C[now] + 1},
        ),
        Step(
            "counts",
            Le(ZERO, C[later]),
            "induction",
            "Hence never.",
            using=("no count", "next count"),
            hints={"at": now},
        ),
        Step(
            "first product",
            Le(U[zero] * (1 - C[zero] * η), ONE),
            "certificate",
            r"$(1 + u)^t(1 - tu) \le 1$: at first it is 1,",
            given=(*POWERS, *COUNTS),
            hints=NOTHING,
        ),
        Step("product so far", Le(U[now] * (1 - C[now] * η), ONE), "hypothesis", "and if it is at most 1,"),
        Step(
            "next product",
            Le(U[now + 1] * (1 - C[now + 1] * η), ONE),
            "certificate",
            r"then the next is smaller by $(1 + u)^t(t + 1)u^2$.",
            given=(*POWERS, *COUNTS, *UNIT),
            using=("product so far", "powers", "counts"),
            hints={"certificate": (1 - U[now] * (1 - C[now] * η)) + ((U[now] - 1) + 1) * (C[now] + 1) * η**2},
        ),
        Step(
            "products",
            Le(U[later] * (1 - C[later] * η), ONE),
            "induction",
            "Hence always.",
            using=("first product", "next product"),
            hints={"at": now},
        ),
        Step(
            "gamma",
            Le(U[now + 1] - 1, GAMMA),
            "certificate",
            r"Divide by $1 - nu > 0$: $(1 + u)^n - 1 \le 1/(1 - nu) - 1 = nu/(1 - nu)$.",
            given=(ROOM,),
            using=("products",),
            hints={"certificate": (1 - U[now + 1] * (1 - C[now + 1] * η)) / (1 - C[now + 1] * η)},
        ),
    ),
    concludes=("powers", "gamma"),
    near_miss=NearMiss(
        r"$n$ roundings cost no more than $n$ times one: $(1 + u)^n - 1 \le nu$.",
        Le(U[zero + 2] - 1, C[zero + 2] * η),
        Model({TIME: 1}, {U: (1, 3 * HALF, 9 * HALF / 2), C: (0, 1, 2), η.symbol: HALF}),
        given=(*POWERS, *COUNTS, *UNIT),
    ),
    illustration=Illustration(
        r"Two roundings with $u = \tfrac14$.",
        Model({TIME: 1}, {C: (0, 1, 2), η.symbol: HALF / 2}),
        (("(1 + u)² − 1", (1 + η) ** 2 - 1), ("γ", C[zero + 2] * η / (1 - C[zero + 2] * η))),
    ),
    source="Higham 2002, lemma 3.1",
)

THEOREMS = (rounding_factors_stay_below_gamma,)
