"""Many heads: a sum of heads, and what two can do that one cannot."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.theorems.notation import (
    ONE,
    ZERO,
    Absurd,
    Delta,
    Eq,
    Exp,
    Illustration,
    Index,
    Le,
    Lt,
    Model,
    NearMiss,
    Num,
    Sort,
    Step,
    Sum,
    Symbol,
    Term,
    Theorem,
    Whole,
    log,
    over,
    scalar,
)  # fmt: skip

KEYS = Sort("n")
OTHERS = Sort("other tokens", empty=True)
HEADS = Sort("h")
REST = Sort("other heads", empty=True)
WIDTH = Sort("d")
COLUMNS = Sort("columns")
i = KEYS.index("i")
x = OTHERS.index("j")
r, t, u = (HEADS.index(name) for name in "rtu")
y = REST.index("y")
a, b, c, o = (WIDTH.index(name) for name in "abco")
m = COLUMNS.index("m")

# A head r gives H[r,i,c], and W[r,c,o] is its block of rows of W_O; place[m,r,c] is 1 where column m holds entry c of
# head r.
H, W = Symbol("H", (HEADS, KEYS, WIDTH)), Symbol("W", (HEADS, WIDTH, WIDTH))
H_other, W_other = Symbol("H", (REST, KEYS, WIDTH)), Symbol("W", (REST, WIDTH, WIDTH))
H_one, W_one = Symbol("H_0", (KEYS, WIDTH)), Symbol("W_0", (WIDTH, WIDTH))
place = Symbol("π", (COLUMNS, HEADS, WIDTH))
swap = Symbol("σ", (HEADS, HEADS))
ONE_PLACE = Eq(Sum(m, place[m, r, a] * place[m, t, b]), Delta(r, t) * Delta(a, b))
PERMUTED = Eq(Sum(u, swap[u, r] * swap[u, t]), Delta(r, t))
head, entry, width = (scalar(name) for name in "gew")


def _concatenated(symbol: Symbol, row: Index | None, column: Index) -> Term:
    """An entry of the concatenation of H (or of the blocks W, stacked)."""
    body = symbol[r, row, c] if symbol is H and row is not None else symbol[r, c, o]
    return over(r, c)(place[column, r, c] * body)


concat_project_is_sum_of_heads = Theorem(
    name="concat_project_is_sum_of_heads",
    family="many heads",
    level=1,
    statement=r"$[H_1\,|\cdots|\,H_h]\,W_O = \sum_r H_r W_r$, where $W_r$ is the block of rows of $W_O$ that meets "
    r"head $r$. The order of the heads does not matter if the blocks are reordered with them, and a head whose block "
    r"is 0 is gone.",
    hypotheses=r"$W_O$ has one row for each column of the concatenation.",
    why="Concatenation is book-keeping; what the model sees is a sum. It is the first step of every head-by-head "
    "analysis.",
    predict="Does the order in which heads are concatenated matter?",
    steps=(
        Step(
            "places",
            ONE_PLACE,
            "hypothesis",
            r"Write $\pi_{mra} = 1$ where column $m$ of the concatenation is entry $a$ of head $r$, else 0. Every "
            r"entry has one column, and no two entries share one. Below, $H_{ric}$ is entry $c$ of head $r$ for query "
            r"$i$, and $W_{rco}$ is what the block of head $r$ has in row $c$ and column $o$.",
        ),
        Step(
            "sum",
            Eq(Sum(m, _concatenated(H, i, m) * _concatenated(W, None, m)), Sum(r, Sum(c, H[r, i, c] * W[r, c, o]))),
            "normal form",
            "Left: the concatenation times the stacked blocks, column by column. Sum over the columns first; what is "
            "left are the pairs that share a head and an entry. Nothing was said about the order of the columns.",
            using=("places",),
        ),
        Step(
            "permutation",
            PERMUTED,
            "hypothesis",
            r"Let $\sigma$ be a permutation of the heads as a matrix: $\sigma_{ur} = 1$ where head $r$ comes to "
            r"place $u$, else 0.",
        ),
        Step(
            "reordered",
            Eq(
                over(u, c)(Sum(r, swap[u, r] * H[r, i, c]) * Sum(r, swap[u, r] * W[r, c, o])),
                over(r, c)(H[r, i, c] * W[r, c, o]),
            ),
            "normal form",
            "Heads and blocks reordered alike: the same sum in another order.",
            using=("permutation",),
        ),
        Step(
            "removed",
            Eq(
                over(y, c)(H_other[y, i, c] * W_other[y, c, o]) + Sum(c, H_one[i, c] * W_one[c, o]),
                over(y, c)(H_other[y, i, c] * W_other[y, c, o]),
            ),
            "normal form",
            r"One head $H_0$ beside the others, with a block of zeros: its term is 0.",
            given=(Eq(W_one[c, o], ZERO),),
        ),
        Step(
            "head of a column",
            Eq(Whole("//", width * head + entry, width), head),
            "counted through",
            r"Usually the columns of the $g$-th head of width $w$ are $wg + e$ with whole numbers $0 \le e < w$. That "
            r"$\lfloor(wg + e)/w\rfloor$ is $g$ again is looked up in small cases (a number is whole if it is 0 "
            r"modulo 1); the theorem itself does not use the numbering.",
            given=(Eq(Whole("//", entry, width), ZERO),),
            hints={"ranges": {head: range(8), width: range(1, 9), entry: range(8)}},
        ),
    ),
    concludes=("sum", "reordered", "removed"),
    near_miss=NearMiss(
        r"Heads may be concatenated in another order while $W_O$ stays as it is.",
        Eq(over(u, c)(Sum(r, swap[u, r] * H[r, i, c]) * W[u, c, o]), over(r, c)(H[r, i, c] * W[r, c, o])),
        Model({HEADS: 2, KEYS: 1, WIDTH: 1}, {swap: ((0, 1), (1, 0)), H: (((1,),), ((2,),)), W: (((1,),), ((0,),))}),
        given=(PERMUTED,),
    ),
    illustration=Illustration(
        r"Two heads of width 1 that give 1 and 2, blocks 3 and 5.",
        Model({HEADS: 2, KEYS: 1, WIDTH: 1}, {H: (((1,),), ((2,),)), W: (((3,),), ((5,),))}),
        (
            ("the layer", over(r, c)(H[r, i, c] * W[r, c, o])),
            ("of each head", Sum(c, H[r, i, c] * W[r, c, o])),
        ),
    ),
    source="Vaswani et al. 2017, section 3.2.2; Elhage et al. 2021",
)

# Scores s and read-outs w = u·v of two tokens that hold a bit each, and of others that hold none; for the bits x and y
# the read-out is R[x,y], and F[x,y] is the denominator times what R is above the threshold.
BITS = Sort("bits", natural=True)
zero, one = Index("", BITS, fixed=True), Index("", BITS, 1, fixed=True)
first_bit, second_bit = BITS.index("x", fixed=True), BITS.index("y", fixed=True)
any_first, any_second = BITS.index("x"), BITS.index("y")
s_1, s_2, w_1, w_2 = (Symbol(name, (BITS,)) for name in ("s_1", "s_2", "w_1", "w_2"))
s, w = Symbol("s", (OTHERS,)), Symbol("w", (OTHERS,))
R, F = Symbol("R", (BITS, BITS)), Symbol("F", (BITS, BITS))
theta = scalar("θ")


def total(x1: Index, x2: Index) -> Term:
    """The denominator of the row."""
    return Exp(s_1[x1]) + Exp(s_2[x2]) + Sum(x, Exp(s[x]))


def read(x1: Index, x2: Index) -> Term:
    """The read-out ``u·o`` of the row."""
    return (Exp(s_1[x1]) * w_1[x1] + Exp(s_2[x2]) * w_2[x2] + Sum(x, Exp(s[x]) * w[x])) / total(x1, x2)


HEAD = Eq(R[any_first, any_second], read(any_first, any_second))
ADDITIVE = Eq(
    F[any_first, any_second],
    Exp(s_1[any_first]) * (w_1[any_first] - theta)
    + Exp(s_2[any_second]) * (w_2[any_second] - theta)
    + Sum(x, Exp(s[x]) * (w[x] - theta)),
)


def _at(label: str, using: str, x1: Index, x2: Index, above: bool) -> Step:
    return Step(
        label,
        Lt(ZERO, F[x1, x2]) if above else Le(F[x1, x2], ZERO),
        "instance",
        f"So it is for the bits {x1.shift} and {x2.shift}.",
        using=(using,),
        hints={"indices": {first_bit: x1, second_bit: x2}},
    )


def two_heads(x1: int, x2: int) -> Term:
    """Heads with scores ``x·log 3`` and 0, values ``x``, and the output projection (1, −1)."""
    first, second = Exp(x1 * log(3)), Exp(x2 * log(3))
    return (first * x1 + second * x2) / (first + second) - (ONE * x1 + ONE * x2) / 2


def _witness(x1: int, x2: int, value: Fraction) -> Step:
    return Step(
        f"two heads at {x1}{x2}",
        Eq(two_heads(x1, x2), Num(value)),
        "normal form",
        f"Two heads for the bits {x1} and {x2}: $3^x$ weighs a token in the first, all tokens weigh the same in the "
        "second, and their outputs are subtracted.",
    )


one_head_cannot_xor_two_can = Theorem(
    name="one_head_cannot_xor_two_can",
    family="many heads",
    level=3,
    statement=r"Two tokens hold a bit each, any others hold none, and the query knows no bit. No softmax head, of any "
    r"width, has a linear read-out $u\cdot o$ of its output $o$ that is above a threshold $\theta$ exactly where the "
    r"bits differ. Two heads do: for a bit $x$, scores "
    r"$x\log 3$ and $0$, values $x$, $W_O = (1, -1)^\top$ give $0, \tfrac14, \tfrac14, 0$.",
    hypotheses=r"Score and value of a token are any functions of its place and its bit. With the bit $x$ the first "
    r"token has the score $s_{1,x}$ and the read-out $w_{1,x} = u\cdot v$ of its value $v$; with the bit $y$ the "
    r"second has $s_{2,y}$ and $w_{2,y}$; other tokens $j$ have $s_j$ and $w_j$.",
    why="More heads buy something that no wider head can buy, and the proof has four lines.",
    predict="How many heads does the exclusive or of two bits need?",
    steps=(
        Step(
            "additive",
            Eq(total(first_bit, second_bit) * (R[first_bit, second_bit] - theta), F[first_bit, second_bit]),
            "normal form",
            r"For the bits $x$ and $y$ (here any two numbers from $0, 1, 2, \dots$) let $R_{xy} = u\cdot o$ be the "
            r"read-out of the output. Multiply what it is above $\theta$ by the denominator and call it $F$: a term of "
            "the first bit, plus a term of the second, plus one of neither.",
            given=(HEAD, ADDITIVE),
        ),
        Step(
            "balance",
            Eq(F[zero, zero] + F[one, one], F[zero, one] + F[one, zero]),
            "normal form",
            "So equal bits and different bits give the same total.",
            given=(ADDITIVE,),
        ),
        Step(
            "yes",
            Lt(ZERO, F[first_bit, second_bit]),
            "certificate",
            r"The denominator is positive: where the read-out is above $\theta$, $F$ is positive.",
            given=(HEAD, ADDITIVE, Lt(theta, R[first_bit, second_bit])),
            hints={"certificate": total(first_bit, second_bit) * (R[first_bit, second_bit] - theta)},
        ),
        Step(
            "no",
            Le(F[first_bit, second_bit], ZERO),
            "certificate",
            r"Where it is at most $\theta$, $F$ is at most 0.",
            given=(HEAD, ADDITIVE, Le(R[first_bit, second_bit], theta)),
            hints={"certificate": total(first_bit, second_bit) * (theta - R[first_bit, second_bit])},
        ),
        _at("yes at 01", "yes", zero, one, above=True),
        _at("yes at 10", "yes", one, zero, above=True),
        _at("no at 00", "no", zero, zero, above=False),
        _at("no at 11", "no", one, one, above=False),
        Step(
            "above",
            Lt(ZERO, F[zero, one] + F[one, zero]),
            "certificate",
            "Two positive numbers.",
            using=("yes at 01", "yes at 10"),
            hints={"certificate": F[zero, one] + F[one, zero]},
        ),
        Step(
            "not above",
            Le(F[zero, one] + F[one, zero], ZERO),
            "certificate",
            r"By the balance, the same total is that of two numbers that are at most 0.",
            using=("no at 00", "no at 11"),
            hints={"certificate": -F[zero, zero] - F[one, one]},
        ),
        Step(
            "contradiction",
            Absurd(),
            "contradiction",
            "No head and no read-out do both.",
            using=("above", "not above"),
        ),
        _witness(0, 0, Fraction(0)),
        _witness(0, 1, Fraction(1, 4)),
        _witness(1, 0, Fraction(1, 4)),
        _witness(1, 1, Fraction(0)),
    ),
    concludes=("contradiction", "two heads at 00", "two heads at 01", "two heads at 10", "two heads at 11"),
    near_miss=NearMiss(
        r"AND is out of reach as well: what is at most $\theta$ for 00, 01 and 10 is so for 11.",
        Le(read(one, one), theta),
        Model(
            {OTHERS: 0},
            {s_1: (0, 0), s_2: (0, 0), w_1: (0, 1), w_2: (0, 1), s: (), w: (), theta.symbol: Fraction(3, 4)},
        ),
        given=tuple(Le(read(x1, x2), theta) for x1, x2 in ((zero, zero), (zero, one), (one, zero))),
    ),
    illustration=Illustration(
        "The two heads that compute the exclusive or.",
        Model(),
        tuple((f"{x1}{x2}", two_heads(x1, x2)) for x1 in (0, 1) for x2 in (0, 1)),
    ),
    source="own; with hard attention and for parity: Hahn 2020",
)

THEOREMS = (
    concat_project_is_sum_of_heads,
    one_head_cannot_xor_two_can,
)
