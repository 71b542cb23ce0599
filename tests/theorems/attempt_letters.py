"""The letters that the attempts to talk the kernel into something false are written in."""

from collections.abc import Iterable
from fractions import Fraction

from attn_verify.theorems.kernel.facts import Fact, algebra
from attn_verify.theorems.kernel.outside import integral, limit
from attn_verify.theorems.kernel.statements import Statement
from attn_verify.theorems.notation import (
    HALF,
    ONE,
    ZERO,
    Abs,
    Deriv,
    Eq,
    Index,
    Integral,
    Limit,
    Lt,
    Sort,
    Symbol,
    Term,
    Whole,
    scalar,
    term,
)  # fmt: skip

zero, one, two, half = ZERO, ONE, term(2), term(HALF)
x, y, a, b, c = map(scalar, "xyabc")
f, g, h = (scalar(name, ("x",)) for name in "fgh")
KEYS, NONE, STEPS = Sort("n"), Sort("E", empty=True), Sort("t", natural=True)
i, j, k = (KEYS.index(name) for name in "ijk")
m, e = KEYS.index("m", fixed=True), NONE.index("e")
t, u, z = STEPS.index("t", fixed=True), STEPS.index("u"), Index("", STEPS)
V, W, P, A = Symbol("v", (KEYS,)), Symbol("w", (KEYS,)), Symbol("p", (KEYS,)), Symbol("A", (KEYS, KEYS))
VE, FN, D = Symbol("q", (NONE,)), Symbol("F", (STEPS,), ("x",)), Symbol("D", (STEPS,))
ABOVE = [Lt(zero, a)]
_Q = x**2 / (x**2 + 1)
INT = Whole("%", _Q, one) + Whole("%", -_Q, one)
"""0 where x is, and else 1."""
smooth = x + (x**2 - x) * (Abs(half - INT) - (half - INT))
"""x² at every x, and x by all that is seen where x = 0."""
Df = Deriv(f, x)


def number(value: int | Fraction) -> Term:
    return term(value)


def alg(left: Term | int, right: Term | int, given: Iterable[Statement] = (), using: tuple[Fact, ...] = ()) -> Fact:
    return algebra(Eq(term(left), term(right)), given, using)


def integrated(
    body: Term, low: str, high: str, value: Term | int | Fraction, given: Iterable[Statement] = ()
) -> Fact:  # fmt: skip
    return integral(Integral(body, x, low, high, term(value)), given)


def tends(body: Term, to: str, value: Term | int | str, given: Iterable[Statement] = ()) -> Fact:
    return limit(Limit(body, x, to, value if isinstance(value, str) else term(value)), given)
