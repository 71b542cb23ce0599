"""Definite integrals by an antiderivative: its slope is checked by algebra, its ends by algebra or as limits.

SymPy may suggest the antiderivative and its limits at the ends; nothing rests on a suggestion.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.proper import proper, put
from attn_verify.arithmetic.sums.terms import Add, App, Deriv, Exp, Log, Mul, Num, Pow, Term, Trig, parts, walk
from attn_verify.theorems.kernel.computed import Integral, Limit
from attn_verify.theorems.kernel.facts import Fact, _fact, algebra, rule
from attn_verify.theorems.kernel.limits import limit
from attn_verify.theorems.kernel.statements import Eq, Given, Lt, Statement, entries_of

MOST_EVENTS = 10_000_000  # calls and returns in a search of SymPy, which take some seconds
_WHOLE = re.compile("-?[0-9]{1,20}")
ZERO = Num(Fraction(0))


@rule
def integral(claim: Integral, given: Given = (), antiderivative: Term | None = None) -> Fact:
    """The body is the slope of an antiderivative between the ends, and the value is how far that rises in all."""
    given = tuple(given)
    by, low, high = claim.by, _end(claim.low, "-oo"), _end(claim.high, "oo")
    proper((claim.body, by, claim.value, antiderivative or by))
    rising = _suggested(claim.body, by, given) if antiderivative is None else antiderivative
    about = [Eq(by, claim.body), Eq(rising, rising), Eq(claim.value, claim.value), *given]
    if by.indices or any(t.symbol.depends for s in about for t in entries_of(s)):
        raise RefusedError("an integral is over a scalar, and of no functions")
    if any(by in entries_of(s) for s in about[2:]):
        raise RefusedError("nothing is known of what an integral runs over, and its value does not depend on it")
    if low is not None and high is not None and not low.value < high.value:
        raise RefusedError("an integral runs upwards")
    # Counted from an end, all that is between the ends is positive, and visible signs are those of sums of such.
    sign, at, inside = 1, low + by if low is not None else by, [Lt(ZERO, by)]
    if low is not None and high is not None:
        inside.append(Lt(by, Num(high.value - low.value)))
    elif high is not None:
        sign, at = -1, high - by
    elif low is None:
        inside = []
    here = {by.symbol: ((), at)}
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
    symbols = _symbols((moved, by), [*given, Lt(ZERO, by)])
    found = _searched(sympy.limit, _sympy(moved, symbols), symbols[by], sympy.oo if end is None else 0, "+")
    value = _term(found, {v: t for t, v in symbols.items()})
    return value, [limit(Limit(moved, by, "oo" if end is None else "0+", value), given)]


def _suggested(body: Term, by: App, given: tuple[Statement, ...]) -> Term:
    import sympy

    symbols = _symbols((body, by), given)
    return _term(_searched(sympy.integrate, _sympy(body, symbols), symbols[by]), {v: t for t, v in symbols.items()})


def _searched(search: Callable[..., Any], *arguments: Any) -> Any:
    """Run a search of SymPy, which need not end, or not well."""
    events, before = 0, sys.getprofile()

    def counted(*_: object) -> None:
        nonlocal events
        events += 1
        if events > MOST_EVENTS:
            raise _TooLongError

    sys.setprofile(counted)
    try:
        return search(*arguments)
    except (_TooLongError, Exception) as failed:
        raise RefusedError(f"SymPy's search takes too long, or fails: {type(failed).__name__}") from failed
    finally:
        sys.setprofile(before)


class _TooLongError(BaseException):
    """What SymPy does not catch."""


def _symbols(terms: tuple[Term, ...], given: Iterable[Statement]) -> dict[Term, Any]:
    import sympy

    above = {s.right for s in given if isinstance(s, Lt) and s.left == ZERO}
    letters = {t for x in terms for t in walk(x) if isinstance(t, App)}
    return {t: sympy.Dummy(t.symbol.name, real=True, positive=True if t in above else None) for t in letters}


def _sympy(t: Term, symbols: dict[Term, Any]) -> Any:
    import sympy

    inner = [_sympy(x, symbols) for x in parts(t)]
    match t:
        case Num(value):
            return sympy.Rational(value.numerator, value.denominator)
        case App():
            return symbols[t]
        case Add():
            return sympy.Add(*inner)
        case Mul():
            return sympy.Mul(*inner)
        case Pow(_, exponent):
            return sympy.Pow(*inner, sympy.Rational(exponent.numerator, exponent.denominator))
        case Trig(name, _):
            return getattr(sympy, name)(*inner)
        case Exp() | Log():
            return (sympy.exp if isinstance(t, Exp) else sympy.log)(*inner)
    raise RefusedError(f"{type(t).__name__} has no reading in SymPy")


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
