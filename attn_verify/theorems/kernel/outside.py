"""Rules beyond algebra: limits and integrals, FLINT's balls and ranks, and counting through.

A fact that rests on FLINT says so (``cited`` holds ``"FLINT: balls"`` and the like).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product

import flint

from attn_verify.arithmetic.sums.polynomials import MOST_DIGITS, MOST_EXPONENT, RefusedError
from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Exp,
    Log,
    Mul,
    Num,
    Pow,
    Term,
    Trig,
    Whole,
)  # fmt: skip
from attn_verify.theorems.kernel.computed import Rank
from attn_verify.theorems.kernel.facts import Fact, _fact, rule
from attn_verify.theorems.kernel.integrals import integral
from attn_verify.theorems.kernel.limits import limit
from attn_verify.theorems.kernel.statements import Cited, Eq, Le, Lt, Statement, terms_of

MOST_ASSIGNMENTS = 200_000


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
            inner = _ball(base)
            if not inner.is_finite():
                raise RefusedError("a base has no value")
            if exponent <= 0 or not inner.contains(0):
                return inner ** int(exponent)
            power = flint.arb(1)
            for bit in f"{int(exponent):b}":  # by squares, for FLINT takes the logarithm of a ball around 0
                power = power * power * (inner if bit == "1" else 1)
            return power
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


@rule
def balls(claim: Lt | Le) -> Fact:
    """The balls of both sides, which hold no symbols, are apart."""
    for bits in (64, 256, 1024, 4096):
        left, right = (ball(side, bits) for side in terms_of(claim))
        if left < right:
            return _fact("balls", claim, cited="FLINT: balls")
        if left > right:
            break
    raise RefusedError("balls do not show it")


@rule
def rank(claim: Rank) -> Fact:
    """FLINT eliminates over the fractions."""
    if any(type(row) is not tuple for row in (claim.rows, *claim.rows)) or type(claim.rank) is not int:
        raise RefusedError("a matrix has rows, and a rank is a whole number")
    if any(type(x) is not Fraction for row in claim.rows for x in row):
        raise RefusedError("a matrix has fractions as entries")
    rows = [[flint.fmpq(x.numerator, x.denominator) for x in row] for row in claim.rows]
    if not rows or len({len(row) for row in rows}) != 1:
        raise RefusedError("this is no matrix")
    found = flint.fmpq_mat(rows).rank()
    if found != claim.rank:
        raise RefusedError(f"the rank is {found}")
    return _fact("rank", claim, cited="FLINT: rank")


@rule
def counting(claim: Eq | Le | Lt, ranges: Mapping[App, range], where: Iterable[Eq] = ()) -> Fact:
    """Evaluate both sides for all whole numbers in the ranges at which the equations of ``where`` hold."""
    where, ranges = tuple(where), dict(ranges)
    if any(type(s) is not Eq for s in where):
        raise RefusedError("conditions are equations")
    if any(
        type(r) is not range or r.step != 1 or not r or type(t) is not App or t.indices or t.symbol.depends
        for t, r in ranges.items()
    ):
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
    zero, one = Num(Fraction(0)), Num(Fraction(1))
    given: list[Statement] = [Eq(Whole("%", t, one), zero) for t in ranges]  # whole numbers, and nothing between them
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
                found *= _short(_whole(factor, at))
            return found
        case Pow(base, exponent) if exponent.denominator == 1 and 0 <= exponent <= MOST_EXPONENT:
            return _short(_whole(base, at), int(exponent)) ** int(exponent)
        case Abs(argument):
            return abs(_whole(argument, at))
        case Whole(name, left, right):
            a, b = _whole(left, at), _whole(right, at)
            if not b:
                raise RefusedError("division by zero")
            return Fraction(a // b) if name == "//" else a % b
    raise RefusedError(f"{type(t).__name__} is not counted through")


def _short(value: Fraction, times: int = 1) -> Fraction:
    if times * max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_DIGITS:
        raise RefusedError("a number is too long")
    return value


__all__ = ["Cited", "balls", "counting", "integral", "limit", "rank"]
