"""Row and column sums: softmax and Sinkhorn's iteration."""

from __future__ import annotations

from attn_verify.theorems.notation import (
    ONE,
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
    log,
    scalar,
    softmax,
)  # fmt: skip

FAMILY = "limits and variational views"
KEYS, ROWS = Sort("n"), Sort("m")
j, k, l = (KEYS.index(name) for name in "jkl")
r = ROWS.index("r")

# Row and column normalisation.
K, left, right = Symbol("K", (ROWS, KEYS)), Symbol("u", (ROWS,)), Symbol("w", (KEYS,))
E = Symbol("S", (ROWS, KEYS))
t = ROWS.index("t")
ENTRIES = (Lt(ZERO, K[r, j]), Lt(ZERO, left[r]), Lt(ZERO, right[j]))
other, box = Symbol("L", (ROWS, KEYS)), scalar("□")


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
    r"with the same cross ratios is one with such factors.",
    hypotheses="Positive matrices.",
    why="Softmax attention is optimal transport with only half of its constraints: the rows have a budget, the "
    "columns have none.",
    predict="Rows and columns are normalised in turn, again and again. Which numbers never change?",
    steps=(
        Step(
            "row step",
            Eq(K[r, j] / Sum(k, K[r, k]), softmax(lambda n: E[r, n], j, l)),
            "normal form",
            r"Divide the rows of $K = e^{S}$ by their sums: that is what softmax is.",
            given=(Eq(K[r, j], Exp(E[r, j])),),
        ),
        Step("rows", Eq(Sum(j, softmax(lambda n: E[r, n], j, l)), ONE), "normal form", "Now the rows sum to 1."),
        Step(
            "columns",
            Eq(Sum(r, K[r, j] / Sum(t, K[t, j])), ONE),
            "normal form",
            "A column step, which divides the columns by their sums, makes those 1.",
            given=ENTRIES[:1],
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
            "same cross ratios",
            Eq(cross(other, False), cross(K, False)),
            "hypothesis",
            r"Conversely, let $L$ be a positive matrix with the same cross ratios as $K$.",
        ),
        Step(
            "only factors",
            Eq(other[r, j], other[r, k] / K[r, k] * K[r, j] * (other[t, j] * K[t, k] / (K[t, j] * other[t, k]))),
            "congruence",
            r"Choose any row $t$ and any column $k$ and solve for $L_{rj}$: it is $K_{rj}$ times a factor of the "
            r"row and a factor of the column.",
            given=(ENTRIES[0], Lt(ZERO, other[r, j])),
            using=("same cross ratios",),
            hints={"hole": box, "context": box * other[r, k] * other[t, j] / other[t, k]},
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

THEOREMS = (sinkhorn_row_step_is_softmax,)
