"""Rules that lean on other programs: SymPy's limits and integrals, FLINT's balls and ranks, and counting through.

A fact that rests on one of them says so (``cited`` holds ``"SymPy: limit"`` and the like).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from attn_verify.arithmetic.sums.normal import RefusedError
from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Exp,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Term,
    Trig,
    Whole,
    walk,
)  # fmt: skip
from attn_verify.theorems.kernel.facts import (
    Cited,
    Eq,
    Fact,
    Integral,
    Le,
    Limit,
    Lt,
    Rank,
    Statement,
    _fact,
    terms_of,
)  # fmt: skip

MOST_ASSIGNMENTS = 200_000


def _sympy(t: Term, symbols: Mapping[Term, Any]) -> Any:
    import sympy

    def inner(x: Term) -> Any:
        return _sympy(x, symbols)

    match t:
        case Num(value):
            return sympy.Rational(value.numerator, value.denominator)
        case App() | Size():
            return symbols[t]
        case Add(terms):
            return sympy.Add(*map(inner, terms))
        case Mul(factors):
            return sympy.Mul(*map(inner, factors))
        case Pow(base, exponent):
            return sympy.Pow(inner(base), sympy.Rational(exponent.numerator, exponent.denominator))
        case Exp(argument):
            return sympy.exp(inner(argument))
        case Log(argument):
            return sympy.log(inner(argument))
        case Abs(argument):
            return sympy.Abs(inner(argument))
        case Trig("cos", argument):
            return sympy.cos(inner(argument))
        case Trig(_, argument):
            return sympy.sin(inner(argument))
    raise RefusedError(f"{type(t).__name__} has no reading in SymPy")


def _symbols(given: tuple[Statement, ...], by: App, sides: Iterable[Term]) -> dict[Term, Any]:
    import sympy

    zero = Num(Fraction(0))
    if any(not (isinstance(s, Lt) and s.left == zero and isinstance(s.right, App)) for s in given):
        raise RefusedError("under a limit or an integral, hypotheses are of the form 0 < x")
    above = {s.right for s in given if isinstance(s, Lt)}
    found: dict[Term, Any] = {}
    for side in sides:
        for t in walk(side):
            if isinstance(t, App) and by.symbol.name in t.symbol.depends:
                raise RefusedError(f"{t.symbol.name} depends on {by.symbol.name}, and is no constant")
            if isinstance(t, App):
                found[t] = sympy.Dummy(t.symbol.name, real=True, positive=True if t in above else None)
            elif isinstance(t, Size):
                found[t] = sympy.Dummy(t.sort.name, nonnegative=True, positive=None if t.sort.empty else True)
    return found


def limit(claim: Limit, given: Iterable[Statement] = ()) -> Fact:
    """SymPy computes the limit, and it is the one claimed (``oo`` or a term)."""
    import sympy

    given = tuple(given)
    value = claim.value if isinstance(claim.value, Term) else Num(Fraction(0))
    symbols = _symbols(given, claim.by, (claim.body, claim.by, value))
    symbols[claim.by] = x = sympy.Dummy("x", positive=True)
    target = {"0+": 0, "oo": sympy.oo}.get(claim.to)
    if target is None or (isinstance(claim.value, str) and claim.value != "oo"):
        raise RefusedError("limits are taken at 0+ or oo, and are a term or oo")
    found = sympy.limit(_sympy(claim.body, symbols), x, target, "+")
    wanted = sympy.oo if isinstance(claim.value, str) else _sympy(value, symbols)
    if not (
        found == wanted or (found.is_finite is not False and wanted.is_finite and sympy.simplify(found - wanted) == 0)
    ):
        raise RefusedError(f"the limit is {found}")
    return _fact("limit", claim, (), given, cited="SymPy: limit")


def integral(claim: Integral, given: Iterable[Statement] = ()) -> Fact:
    """SymPy computes the definite integral, and it is the one claimed."""
    import sympy

    given = tuple(given)
    symbols = _symbols(given, claim.by, (claim.body, claim.by, claim.value))
    symbols[claim.by] = x = sympy.Dummy("x", real=True)
    ends = [{"oo": sympy.oo, "-oo": -sympy.oo}.get(e, sympy.Integer(e) if e.lstrip("-").isdigit() else None)
            for e in (claim.low, claim.high)]  # fmt: skip
    if None in ends:
        raise RefusedError("integrals run from and to a whole number, -oo or oo")
    found = sympy.integrate(_sympy(claim.body, symbols), (x, *ends))
    if found.has(sympy.Integral) or sympy.simplify(found - _sympy(claim.value, symbols)) != 0:
        raise RefusedError(f"the integral is {found}")
    return _fact("integral", claim, (), given, cited="SymPy: integral")


def ball(t: Term, bits: int) -> flint.arb:
    """Return a ball around a term without symbols."""
    with flint.ctx.workprec(bits):
        return _ball(t)


def _ball(t: Term) -> flint.arb:
    match t:
        case Num(value):
            return flint.arb(flint.fmpq(value.numerator, value.denominator))
        case Add(terms):
            return sum(map(_ball, terms), flint.arb(0))
        case Mul(factors):
            found = flint.arb(1)
            for factor in factors:
                found *= _ball(factor)
            return found
        case Pow(base, exponent) if exponent.denominator == 1:
            return _ball(base) ** int(exponent)
        case Pow(base, exponent):
            return _ball(base) ** flint.arb(flint.fmpq(exponent.numerator, exponent.denominator))
        case Exp(argument):
            return _ball(argument).exp()
        case Log(argument):
            return _ball(argument).log()
        case Abs(argument):
            return abs(_ball(argument))
        case Trig(name, argument):
            return _ball(argument).cos() if name == "cos" else _ball(argument).sin()
    raise RefusedError(f"{type(t).__name__} is no number")


def balls(claim: Lt | Le) -> Fact:
    """The balls of both sides, which hold no symbols, are apart."""
    for bits in (64, 256, 1024, 4096):
        left, right = ball(claim.left, bits), ball(claim.right, bits)
        if left < right:
            return _fact("balls", claim, cited="FLINT: balls")
        if left > right:
            break
    raise RefusedError("balls do not show it")


def rank(claim: Rank) -> Fact:
    """FLINT eliminates over the fractions."""
    rows = [[flint.fmpq(x.numerator, x.denominator) for x in row] for row in claim.rows]
    if not rows or len({len(row) for row in rows}) != 1:
        raise RefusedError("this is no matrix")
    found = flint.fmpq_mat(rows).rank()
    if found != claim.rank:
        raise RefusedError(f"the rank is {found}")
    return _fact("rank", claim, cited="FLINT: rank")


def counting(claim: Eq | Le | Lt, ranges: Mapping[App, range], where: Iterable[Eq] = ()) -> Fact:
    """Evaluate both sides for all whole numbers in the ranges at which the equations of ``where`` hold."""
    where, ranges = tuple(where), dict(ranges)
    if any(t.indices for t in ranges) or not all(len(r) for r in ranges.values()):
        raise RefusedError("scalars run through ranges that are not empty")
    total = 1
    for r in ranges.values():
        total *= len(r)
    if total > MOST_ASSIGNMENTS:
        raise RefusedError(f"more than {MOST_ASSIGNMENTS} assignments")
    met = 0
    for values in product(*ranges.values()):
        at = dict(zip(ranges, values, strict=True))
        if not all(_whole(s.left, at) == _whole(s.right, at) for s in where):
            continue
        met += 1
        left, right = (_whole(side, at) for side in terms_of(claim))
        holds = left == right if isinstance(claim, Eq) else left <= right if isinstance(claim, Le) else left < right
        if not holds:
            raise RefusedError("false at " + ", ".join(f"{t.symbol.name} = {v}" for t, v in at.items()))
    if not met:
        raise RefusedError("no assignment meets the conditions")
    said = ", ".join(f"{t.symbol.name} from {r[0]} to {r[-1]}" for t, r in ranges.items())
    given: list[Statement] = [Eq(Whole("%", t, Num(Fraction(1))), Num(Fraction(0))) for t in ranges]
    given += [s for t, r in ranges.items() for s in (Le(Num(Fraction(r[0])), t), Le(t, Num(Fraction(r[-1]))))]
    return _fact("counted through", claim, (), [*where, *given], fixed=said)


def _whole(t: Term, at: Mapping[App, int]) -> Fraction:
    match t:
        case Num(value):
            return value
        case App():
            if t not in at:
                raise RefusedError(f"{t.symbol.name} runs through no range")
            return Fraction(at[t])
        case Add(terms):
            return sum((_whole(x, at) for x in terms), Fraction(0))
        case Mul(factors):
            found = Fraction(1)
            for factor in factors:
                found *= _whole(factor, at)
            return found
        case Pow(base, exponent) if exponent.denominator == 1 and exponent >= 0:
            return _whole(base, at) ** int(exponent)
        case Abs(argument):
            return abs(_whole(argument, at))
        case Whole(name, left, right):
            a, b = _whole(left, at), _whole(right, at)
            if not b:
                raise RefusedError("division by zero")
            return Fraction(a // b) if name == "//" else a % b
    raise RefusedError(f"{type(t).__name__} is not counted through")


__all__ = ["Cited", "balls", "counting", "integral", "limit", "rank"]
