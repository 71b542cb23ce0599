"""Letters that several families of theorems share: index sets, and what a row of attention is made of."""

from __future__ import annotations

from attn_verify.theorems.notation import Eq, Exp, Index, Sort, Sum, Symbol, Term, scalar, softmax

KEYS = Sort("n")
OTHERS = Sort("m", empty=True)  # keys beside those that are named; there may be none
QUERIES = Sort("rows")
COORDINATES = Sort("d")
i, j, k, l = (KEYS.index(name) for name in "ijkl")
x, y = OTHERS.index("x"), OTHERS.index("y")
r = QUERIES.index("r")
a, b, c = (COORDINATES.index(name) for name in "abc")
one, two = KEYS.index("1", fixed=True), KEYS.index("2", fixed=True)  # any two keys, each the same throughout

s, t = Symbol("s", (KEYS,)), Symbol("t", (KEYS,))
p = Symbol("p", (KEYS,))
v = Symbol("v", (KEYS, COORDINATES))
HOLE = scalar("□")


def exp_sum(score: Symbol = s) -> Term:
    """Return ``Σ_k exp(score_k)``."""
    return Sum(k, Exp(score[k]))


def weight(at: Index, score: Symbol = s) -> Term:
    """Return the weight of a key, ``exp(score_at) / Σ_k exp(score_k)``."""
    return softmax(lambda key: score[key], at, k)


WEIGHTS = Eq(p[j], weight(j))  # what p is where it is the softmax of the scores s
