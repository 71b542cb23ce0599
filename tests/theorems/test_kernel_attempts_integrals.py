"""Attempts to talk the kernel into false integrals: wrong antiderivatives, with jumps, ends without a limit."""

import sys
from collections.abc import Callable, Sequence

import pytest
from attempt_letters import ABOVE, NONE, VE, a, e, f, g, half, integrated, one, tends, x, zero

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Pow
from attn_verify.theorems.kernel import integrals
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.outside import integral
from attn_verify.theorems.kernel.statements import Statement
from attn_verify.theorems.notation import Abs, Exp, Integral, Le, Log, Lt, Size, Sum, Term, Trig, Whole, term

TWO = term(2)
Q = x**2 + a * x + 1  # SymPy loses the logarithms of its roots, for they hold a letter


def by(
    body: Term, low: str, high: str, value: Term | int, antiderivative: Term, given: Sequence[Statement] = ABOVE
) -> Fact:
    return integral(Integral(body, x, low, high, term(value)), given, antiderivative)


FALSE: dict[str, Callable[[], object]] = {
    "1/(x² + a x + 1) → 0": lambda: integrated(1 / Q, "0", "oo", 0, ABOVE),
    "1/(x² + a x + 1) up to 1 → 0": lambda: integrated(1 / Q, "0", "1", 0, ABOVE),
    "1/(x(1 + x) + a) → 0": lambda: integrated(1 / (x * (1 + x) + a), "1", "2", 0, ABOVE),
    "log(x² + a x + 1)": lambda: integrated(Log(Q), "0", "1", Log(a + 2) - 2, ABOVE),
    "an antiderivative of something else": lambda: by(x, "0", "1", 1, x),
    "an antiderivative with a pole inside": lambda: by(x**-2, "-1", "1", -2, -(x**-1)),
    "an antiderivative with a pole at an end": lambda: by(x**-2, "0", "1", -1, -(x**-1)),
    "an antiderivative with a pole at a letter": lambda: by((x - a) ** -2, "0", "oo", 0, -((x - a) ** -1)),
    "an antiderivative that jumps": lambda: by(zero, "-1", "1", 1, Whole("//", x, one)),
    "a sign as an antiderivative": lambda: by(zero, "-1", "1", 2, Abs(x) / x),
    "an antiderivative of no limit": lambda: by(Trig("cos", x), "0", "oo", 0, Trig("sin", x)),
    "an antiderivative that grows": lambda: by(one, "0", "oo", 0, x),
    "the ends in the other order": lambda: by(x, "1", "0", -half, x**2 / 2),
    "a value that depends on x": lambda: by(one, "0", "1", x + 1 - x, x),
    "a function as an antiderivative": lambda: by(zero, "0", "1", g - g, f - f),
    "the other end": lambda: by(Exp(x), "-oo", "0", -1, Exp(x)),
    "a root of a negative number": lambda: integrated((x**2 - 1) ** half.value, "0", "2", 1),
    "x is given": lambda: integral(Integral(x, x, "-1", "1", one), [Lt(zero, x)], x**2 / 2),
    "a sign as a root": lambda: by(zero, "-1", "1", 2, (x**2) ** half.value / x),
    "a quotient with a pole between": lambda: by(
        Trig("cos", x) ** -2, "0", "2", Trig("sin", TWO) / Trig("cos", TWO), Trig("sin", x) / Trig("cos", x)
    ),
    "an exponential with a pole between": lambda: by(-Exp(1 / x) * x**-2, "-1", "1", Exp(one) - Exp(-one), Exp(1 / x)),
    "a wave that quickens": lambda: by(Trig("cos", 1 / x) * x**-2, "0", "1", 1, -Trig("sin", 1 / x)),
    "a logarithm of a square over a pole": lambda: by(1 / (x - 1), "0", "2", 0, Log((x - 1) ** 2) / 2),
    "a rate that may be 0": lambda: by(Exp(-a * x), "0", "oo", 1 / a, -Exp(-a * x) / a, [Le(zero, a)]),
    "a pole at an end if a letter is 0": lambda: by(
        1 / (x + a), "0", "1", Log(1 + a) - Log(a), Log(x + a), [Le(zero, a)]
    ),
    "a factor without a value": lambda: by(x * 0 * Log(a), "0", "1", 0, term(5), []),
    "a sum over none, of what has no value": lambda: by(
        Sum(e, 1 / a) * x, "0", "1", Size(NONE) / (2 * a), Sum(e, 1 / a) * x**2 / 2, [Lt(zero, a**2 + VE[e])]
    ),
    "between equal ends": lambda: by(x, "1", "1", 0, x**2 / 2),
    "an end that is no whole number": lambda: by(x, "1/2", "1", term(3) / 8, x**2 / 2),
    "a logarithm that may be 0 in a limit": lambda: tends(Log(a + x) ** 2, "0+", Log(a) ** 2, ABOVE),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], Fact]] = {
    "from the left": lambda: integrated(Exp(a * x), "-oo", "0", 1 / a, ABOVE),
    "over all numbers": lambda: integrated(a * Exp(a * x) / (1 + Exp(a * x)) ** 2, "-oo", "oo", 1, ABOVE),
    "across 0": lambda: integrated(x**3, "-1", "2", term(15) / 4),
    "a logarithm": lambda: integrated(1 / (x + a), "0", "1", Log(1 + a) - Log(a), ABOVE),
    "an antiderivative of one's own": lambda: by((x + a) ** -2, "0", "oo", 1 / a, x / (a * (x + a))),
    "a magnitude on one side": lambda: by(Abs(x), "0", "1", half, x**2 / 2),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()


def test_nothing_rests_on_sympy() -> None:
    assert {name: made().cited for name, made in TRUE.items()} == dict.fromkeys(TRUE, frozenset())


def test_a_search_of_sympy_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = sys.getprofile()
    monkeypatch.setattr(integrals, "MOST_EVENTS", 1000)
    with pytest.raises(RefusedError, match="takes too long"):
        integrated(Pow(x + a, half.value) * Log(x + a), "0", "1", 0, ABOVE)
    assert sys.getprofile() is profile
