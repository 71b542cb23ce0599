"""Attempts to talk the kernel into something false by sums over a set that may be empty, where nothing is defined.

In each, ``u = Σ_i v_i + c`` may be 0 if there is no element e: for E = ∅, v = (1), c = −1, w = (0), z = 5 all that is
given holds, and the claim does not.
"""

from collections.abc import Callable
from fractions import Fraction

import pytest
from attempt_letters import NONE, VE, V, W, a, b, c, e, i

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Pow
from attn_verify.theorems.kernel.facts import Fact, algebra, order
from attn_verify.theorems.notation import ZERO, Delta, Eq, Exp, Le, Log, Lt, Size, Sum, Symbol, Term, Whole, scalar

d, z = NONE.index("d"), scalar("z")
PAIRS = Symbol("B", (NONE, NONE))
u, total = Sum(i, V[i]) + c, Sum(i, W[i])
NOTHING = Eq(Sum(i, V[i] * z), -(c * z))
HALF = Fraction(1, 2)


def _times(summand: Term, product: Term) -> Fact:
    """z + (Σ_i w_i) u is the product, where Σ_i w_i = Σ_e summand and z u = 0."""
    return algebra(Eq(z + total * u, product), [Eq(total, summand), NOTHING])


def _root_of_a_sum() -> Fact:
    """1/(z + Σ_e 1/u) = u/(z u + |E|), which is u/0 for the numbers above."""
    given = [Eq(total, Sum(e, 1 / u)), NOTHING, Lt(ZERO, z + total)]
    return algebra(Eq(Pow(z + total, Fraction(-1)) * Size(NONE), u), given)


def _known_where_there_is_one() -> Fact:
    known = u + PAIRS[e, d]
    body = Sum(e, Sum(d, Delta(e, d) * u / known))
    return algebra(Eq(z + body, Size(NONE)), [NOTHING, Eq(PAIRS[e, e], ZERO), Lt(ZERO, known)])


def _an_inequality() -> Fact:
    return order(Le(z, total * u + z - Size(NONE) + z), [NOTHING, Eq(total, Sum(e, 1 / u)), Le(ZERO, z)], certificate=z)


FALSE: dict[str, Callable[[], object]] = {
    "a summand that is free of e": lambda: _times(Sum(e, 1 / u), Size(NONE)),
    "a factor that is free of e": lambda: _times(Sum(e, VE[e] / u), Sum(e, VE[e])),
    "two sums": lambda: _times(Sum(e, Sum(d, 1 / u)), Size(NONE) ** 2),
    "two sums, and each element once": lambda: _times(Sum(e, Sum(d, Delta(e, d) / u)), Size(NONE)),
    "a sum over keys inside": lambda: algebra(
        Eq(z + total * u, Size(NONE) * Sum(i, 1 / V[i])),
        [Eq(total, Sum(e, Sum(i, 1 / u * 1 / V[i]))), NOTHING, Lt(ZERO, V[i])],
    ),
    "a product of sums": lambda: _times(Sum(e, VE[e] / u) * Sum(e, VE[e]), Sum(e, VE[e]) ** 2),
    "a quotient in an exponent": lambda: _times(Sum(e, Exp(1 / u) / u), Size(NONE) * Exp(1 / u)),
    "a power of the sum": _root_of_a_sum,
    "a logarithm": lambda: algebra(Eq(total, Size(NONE) * Log(b)), [Eq(total, Sum(e, Log(b)))]),
    "a root": lambda: algebra(Eq(total, Size(NONE) * Pow(b, HALF)), [Eq(total, Sum(e, Pow(b, HALF)))]),
    "a quotient of whole numbers": lambda: algebra(
        Eq(total, Size(NONE) * Whole("//", b, c)), [Eq(total, Sum(e, Whole("//", b, c)))]
    ),
    "known where there is an element": _known_where_there_is_one,
    "by a rule about each element": lambda: algebra(
        Eq(z + Sum(e, Sum(i, W[i] * VE[e]) * u * VE[e]), Sum(e, VE[e] ** 2)),
        [Eq(Sum(i, W[i] * VE[e]), VE[e] / u), NOTHING],
    ),
    "by a rule that forgets the element": lambda: algebra(
        Eq(z + Sum(e, Sum(i, W[i] * VE[e]) * u), Size(NONE)), [Eq(Sum(i, W[i] * VE[e]), 1 / u), NOTHING]
    ),
    "a certificate": _an_inequality,
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "a factor that is not 0": lambda: algebra(Eq(Sum(e, VE[e] / c), Sum(e, VE[e]) / c), [Lt(ZERO, c)]),
    "a factor that is positive": lambda: algebra(
        Eq(Sum(e, Exp(VE[e]) / Sum(i, Exp(V[i]))), Sum(e, Exp(VE[e])) / Sum(i, Exp(V[i])))
    ),
    "divided by what names the element": lambda: algebra(
        Eq(Sum(e, VE[e] / VE[e]), Size(NONE)), [Lt(ZERO, VE[e])]
    ),
    "at an element that is named": lambda: algebra(
        Eq(Sum(d, Delta(e, d) * VE[d] / a), VE[e] / a), [Lt(ZERO, a)]
    ),
    "a quotient that is kept": lambda: algebra(Eq(b + Sum(e, VE[e] / VE[e]), b + Size(NONE)), [Lt(ZERO, VE[e])]),
    "what is known of a sum of quotients": lambda: order(
        Lt(ZERO, c + Sum(e, total / c)), [Lt(ZERO, c), Le(ZERO, total), Lt(ZERO, b + Sum(e, VE[e] / c))]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
