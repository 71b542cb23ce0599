"""Definite integrals by an antiderivative: its slope is checked by algebra, its ends by algebra or as limits.

SymPy may suggest the antiderivative and its limits at the ends; nothing rests on a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import Add, App, Deriv, Exp, Log, Mul, Num, Pow, Term, Trig, walk
from attn_verify.theorems.kernel.computed import Integral, Limit
from attn_verify.theorems.kernel.facts import Fact, _fact, algebra
from attn_verify.theorems.kernel.limits import in_sympy, limit, sympy_symbols, words
from attn_verify.theorems.kernel.statements import Eq, Lt, Statement, terms_of

_WHOLE = re.compile("-?[0-9]{1,20}")
ZERO = Num(Fraction(0))


def integral(claim: Integral, given: Iterable[Statement] = (), antiderivative: Term | None = None) -> Fact:
    """The body is the slope of an antiderivative between the ends, and the value is how far that rises in all."""
    given = tuple(given)
    terms_of(claim)  # is a statement of this very class
    words(claim.low, claim.high)
    by = claim.by
    symbols = sympy_symbols(given, (claim.body, by, claim.value))
    if by.indices or set(symbols) - {by, *(s.right for s in given if isinstance(s, Lt))}:
        raise RefusedError("an integral is over a scalar, and other letters in it are given to be positive")
    if Lt(ZERO, by) in given or by in set(walk(claim.value)):
        raise RefusedError("nothing is known of what an integral runs over, and its value does not depend on it")
    low, high = _end(claim.low, "-oo"), _end(claim.high, "oo")
    if low is not None and high is not None and not low.value < high.value:
        raise RefusedError("an integral runs upwards")
    rising = _suggested(claim, symbols) if antiderivative is None else antiderivative
    # Counted from an end, all that is between the ends is positive, and visible signs are those of sums of such.
    sign, at, inside = 1, low + by if low is not None else by, [Lt(ZERO, by)]
    if low is not None and high is not None:
        inside.append(Lt(by, Num(high.value - low.value)))
    elif high is not None:
        sign, at = -1, high - by
    elif low is None:
        inside = []
    here = {by.symbol: ((), at)}
    sympy_symbols((), (rising,))  # no functions of what it runs over
    algebra(Eq(Deriv(put(rising, here), by), sign * put(claim.body, here)), [*given, *inside])
    first, last = _value(rising, by, low, -1, given), _value(rising, by, high, 1, given)
    algebra(Eq(claim.value, last[0] - first[0]), given)
    return _fact("integral", claim, [*first[1], *last[1]], given)


def _end(word: str, infinite: str) -> Num | None:
    if word == infinite:
        return None
    if not _WHOLE.fullmatch(word):
        raise RefusedError("integrals run from and to a whole number, -oo or oo")
    return Num(Fraction(int(word)))


def _value(f: Term, by: App, end: Num | None, side: int, given: tuple[Statement, ...]) -> tuple[Term, list[Fact]]:
    """Return what an antiderivative is at an end: its value, where it has one and so is continuous, or its limit."""
    import sympy

    if end is not None:
        there = put(f, {by.symbol: ((), end)})
        try:
            algebra(Eq(there, there), given)
            return there, []
        except RefusedError:
            pass
    moved = put(f, {by.symbol: ((), side * by if end is None else end - side * by)})
    symbols = sympy_symbols(given, (moved, by))
    symbols[by] = x = sympy.Dummy("x", positive=True)
    found = sympy.limit(in_sympy(moved, symbols), x, sympy.oo if end is None else 0, "+")
    value = _term(found, {v: t for t, v in symbols.items()})
    return value, [limit(Limit(moved, by, "oo" if end is None else "0+", value), given)]


def _suggested(claim: Integral, symbols: dict[Term, Any]) -> Term:
    import sympy

    found = sympy.integrate(in_sympy(claim.body, symbols), symbols[claim.by])
    return _term(found, {v: t for t, v in symbols.items()})


def _term(found: Any, letters: dict[Any, Term]) -> Term:
    if found in letters:
        return letters[found]
    if found.is_Rational:
        return Num(Fraction(int(found.p), int(found.q)))
    inner = tuple(_term(part, letters) for part in found.args)
    name = type(found).__name__
    match name, inner:
        case "Add", _:
            return Add(inner)
        case "Mul", _:
            return Mul(inner)
        case "Pow", (base, Num(exponent)):
            return Pow(base, exponent)
        case "Pow", (base, exponent):
            return Exp(exponent * Log(base))
        case "exp", (argument,):
            return Exp(argument)
        case "log", (argument,):
            return Log(argument)
        case "cos" | "sin", (argument,):
            return Trig(name, argument)
    raise RefusedError(f"SymPy knows no antiderivative, or limit of one, that can be written here: {found}")
