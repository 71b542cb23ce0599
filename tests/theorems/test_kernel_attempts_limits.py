"""Attempts to talk the kernel into false limits: what cancels, what may be 0, what grows in another way."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from attempt_letters import ABOVE, NONE, VE, V, a, b, e, f, i, j, m, one, tends, x, zero

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Pow
from attn_verify.theorems.notation import Abs, Delta, Exp, Le, Log, Lt, Size, Sum, Term, Trig, term


def logarithm(number: int) -> Term:
    return Log(term(number))


HALF = Fraction(1, 2)
HIDDEN = logarithm(2) * x + logarithm(3) * x - logarithm(6) * x  # 0 for every x
BOTH = [*ABOVE, Lt(zero, b)]

FALSE: dict[str, Callable[[], object]] = {
    "constants that are 0 together": lambda: tends(HIDDEN, "oo", "oo"),
    "an exponential of such": lambda: tends(Exp(HIDDEN), "oo", "oo"),
    "a quotient of such": lambda: tends(1 / (1 + Exp(HIDDEN)), "oo", 0),
    "such at 0": lambda: tends(Exp(logarithm(2) / x + logarithm(3) / x - logarithm(6) / x), "0+", "oo"),
    "such with letters": lambda: tends(a * HIDDEN, "oo", "oo", ABOVE),
    "logarithms that cancel": lambda: tends(Log(2 * x) * x + Log(3 * x) * x - Log(6 * x**2) * x, "oo", "oo"),
    "roots that cancel": lambda: tends(Pow(x**2 + 1, HALF) - x, "oo", 1),
    "a logarithm of what tends to 1": lambda: tends(Log(1 + 1 / x) * x, "oo", 0),
    "a logarithm that may be 0": lambda: tends(Log(a + x) ** 2 / x, "0+", "oo", ABOVE),
    "letters that may cancel": lambda: tends((a - b) * x, "oo", "oo", BOTH),
    "letters that may cancel below": lambda: tends(1 / (1 + (a - b) ** 2 * x), "oo", 0, BOTH),
    "rates that may be equal": lambda: tends(Exp(a * x) / (Exp(a * x) + Exp(b * x)), "oo", 1, BOTH),
    "rates in the other order": lambda: tends(Exp(a * x) / (Exp(a * x) + Exp((a + b) * x)), "oo", 1, BOTH),
    "a power against an exponential": lambda: tends(x**1000 * Exp(-x), "oo", "oo"),
    "a root against a rate": lambda: tends(Exp(Pow(x, HALF)) / Exp(x), "oo", "oo"),
    "a logarithm against a power": lambda: tends(Log(x) ** 1000 / x, "oo", "oo"),
    "an exponent between": lambda: tends(Exp(x + 1 / x) / Exp(x), "oo", 0),
    "a shift in an exponent": lambda: tends(Exp(x + 1) / Exp(x), "oo", 1),
    "an exponential of an exponential": lambda: tends(Exp(Exp(x)) / Exp(Exp(x) + x), "oo", 1),
    "a number put to a power of x": lambda: tends(Exp(2 * Log(x)) / x, "oo", 1),
    "minus infinity": lambda: tends(-x, "oo", "oo"),
    "0 for ∞": lambda: tends(one / x, "0+", 0),
    "∞ for a number": lambda: tends(1 + one / x, "oo", "oo"),
    "a number for 0": lambda: tends(one / x, "oo", 1),
    "the other end": lambda: tends(x, "0+", "oo"),
    "a magnitude": lambda: tends(Abs(x) / x, "oo", -1),
    "a wave": lambda: tends(Trig("sin", x), "oo", 0),
    "a sum": lambda: tends(Sum(i, V[i] * x) / x, "oo", 0),
    "a root of what is negative": lambda: tends(Pow(1 - x, HALF) * 0, "oo", 0),
    "nothing divided by": lambda: tends(1 / (0 * x), "oo", 0),
    "an undefined constant": lambda: tends(x + Log(b), "oo", "oo"),
    "a value that depends on x": lambda: tends(x, "oo", x),
    "a function": lambda: tends(f / f, "oo", 1),
    "x is given": lambda: tends(x, "oo", "oo", [Lt(x, one)]),
    "at an element": lambda: tends(V[i] * x, "oo", "oo"),
    "given at one element": lambda: tends(V[i] * x, "oo", "oo", [Lt(zero, V[m])]),
    "a letter that may be 0": lambda: tends(a * x, "oo", "oo", [Le(zero, a)]),
    "a magnitude that may be 0": lambda: tends(Abs(a) * x, "oo", "oo"),
    "a rate that may be 0": lambda: tends(Exp(-(a**2) * x), "oo", 0),
    "a size that may be 0": lambda: tends(Size(NONE) * x, "oo", "oo"),
    "a sum that may be empty": lambda: tends(Sum(e, Exp(VE[e])) * x, "oo", "oo"),
    "given where there is an element": lambda: tends(a * x, "oo", "oo", [Lt(zero, a + VE[e] - VE[e])]),
    "rates that meet": lambda: tends(Log(Exp(a * x) - Exp(b * x) + x) / x, "oo", a, [*BOTH, Le(b, a)]),
    "squares that nearly cancel": lambda: tends(Exp(x**2 - (x + 1 / x) ** 2), "oo", 1),
    "x to the power x": lambda: tends(Exp(x * Log(x)), "0+", 0),
    "numbers that are 0": lambda: tends((Exp(logarithm(2)) - 2) * x + 1, "oo", "oo"),
    "an angle of 0": lambda: tends((Trig("cos", zero) - 1) * x, "oo", "oo"),
    "roots that are one number": lambda: tends(
        (Pow(term(2), HALF) * Pow(term(3), HALF) - Pow(term(6), HALF)) * x + 1, "oo", "oo"
    ),
    "the root of a square of what is negative": lambda: tends(Pow(Pow(-x, Fraction(2)), HALF) / x, "oo", -1),
    "the power 0 of what has no value": lambda: tends(Pow(Log(-x), Fraction(0)), "oo", 1),
    "a number that depends on indices": lambda: tends((1 - Delta(i, j)) * x + 1, "oo", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "a rate that is larger": lambda: tends(Exp(a * x) / (Exp(a * x) + Exp((a + b) * x)), "oo", 0, BOTH),
    "rates and powers": lambda: tends(x**3 * Exp(-a * x) * Log(x), "oo", 0, ABOVE),
    "a logarithm of a sum of rates": lambda: tends(Log(Exp(2 * x) + Exp(x) + x) / x, "oo", 2),
    "a logarithm at 0": lambda: tends(x * Log(x) ** 3, "0+", 0),
    "an exponential at 0": lambda: tends(Exp(-a / x) / x**5, "0+", 0, ABOVE),
    "an exponent that ends": lambda: tends(Exp(a + 1 / x), "oo", Exp(a), ABOVE),
    "powers as exponentials": lambda: tends(Exp(2 * Log(x)) / x**2, "oo", 1),
    "a letter of any sign that is outgrown": lambda: tends((x + b) / x, "oo", 1),
    "a root": lambda: tends(Pow(4 * x**2 + x, HALF) / x, "oo", 2),
    "what is given of a letter": lambda: tends((a - b) * x, "oo", "oo", [Lt(b, a)]),
    "a number that is seen in a ball": lambda: tends((logarithm(3) - 1) * x, "oo", "oo"),
    "at each element": lambda: tends(V[i] * x, "oo", "oo", [Lt(zero, V[i])]),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
