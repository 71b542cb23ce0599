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

THEOREMS = (sinkhorn_row_step_is_softmax,)
