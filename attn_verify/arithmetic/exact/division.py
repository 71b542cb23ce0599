"""Quotients of values, and values in lowest terms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.exact.field import Field
from attn_verify.arithmetic.exact.terms import (
    MAX_DEGREE,
    ONE,
    Parts,
    Poly,
    Root,
    Shift,
    TooLargeError,
    Value,
    by_root,
    exact_quotient,
    merge,
)
from attn_verify.arithmetic.graph import UnmodelledError


def inverse(field: Field, value: Value) -> Value:
    """Return ``1 / value``.

    Radicals are moved to the numerator by conjugates: ``1/(A + B√u) = (A − B√u)/(A² − B²u)``.  Raises
    ``UnmodelledError`` for zero, and where such a product vanishes, so that ``value`` may be zero.
    """
    result = field.constant(Fraction(1))
    value = _gathered(field, value)
    if not value:
        raise UnmodelledError("division by something that is identically zero")
    while True:
        parts = by_root(value)
        if len(parts) == 1:
            [(root, part)] = parts.items()
            return field.mul(result, _inverse_part(field, root, part))
        conjugate = _conjugate(value)
        result = field.mul(result, conjugate)
        value = _gathered(field, field.mul(value, conjugate))
        if not value:
            raise UnmodelledError("division by something that may be identically zero")


def components(field: Field, value: Value) -> dict[Root, tuple[Shift, Poly, Poly]]:
    """Return ``y^shift · top / bottom`` for each radical monomial, in lowest terms and without zeros.

    ``bottom`` has leading coefficient 1, neither is divisible by a generator ``y``: equal values give equal parts.
    """
    found = {}
    for root, parts in by_root(_gathered(field, value)).items():
        [(dens, (shift, top))] = parts.items()
        top, rest = field.cancelled(top, dens)
        bottom = field.lifted(field.one, rest, ())
        if not bottom.is_constant():
            if max(top.total_degree(), bottom.total_degree()) > MAX_DEGREE:
                raise TooLargeError(f"normal form\n  a greatest common divisor at a degree above {MAX_DEGREE}")
            field.spend(100 * len(top) * len(bottom))
            common = top.gcd(bottom)
            if not common.is_constant():
                top, bottom = top / common, bottom / common
        lead = bottom.leading_coefficient()
        exponents, top = _without_monomial(top / lead)
        kept = [(g, n) for g, n in exponents if g not in field.laurent]
        laurent = merge(shift, tuple((g, n) for g, n in exponents if g in field.laurent))
        found[root] = (tuple((g, n) for g, n in laurent if n), field.lifted(top, (), kept), bottom / lead)
    return found


def lowest(field: Field, value: Value) -> Value:
    """Return a value in lowest terms, times a product of exponentials that makes their powers positive and small."""
    parts = components(field, value)
    shifts = [dict(shift) for shift, _, _ in parts.values()]
    below = {g: min(shift.get(g, 0) for shift in shifts) for shift in shifts for g in shift}
    found: Value = {}
    for root, (shift, top, bottom) in parts.items():
        own = dict(shift)
        dens = () if bottom.is_constant() else ((field.factor(bottom), 1),)
        found[root, dens] = ((), field.lifted(top, (), [(g, own.get(g, 0) - n) for g, n in below.items()]))
    return found


def canonical(field: Field, value: Value) -> tuple[Any, ...]:
    """Return a key that equal values share and different values do not."""
    lines = components(field, value).items()
    return tuple(sorted((root, shift, str(top), str(bottom)) for root, (shift, top, bottom) in lines))


def _gathered(field: Field, value: Value) -> Value:
    """Return a value with one numerator and denominator for each radical monomial, without zeros."""
    found: Value = {}
    for root, parts in by_root(value).items():
        shift, top, dens = field.combined(parts)
        if not top.is_zero():
            found[root, dens] = (shift, top)
    return found


def _inverse_part(field: Field, root: Root, part: Parts) -> Value:
    """Return ``1 / (ρ y^s N / D) = ρ⁻¹ y⁻ˢ D / N``, with ``N`` split by the factors that are known."""
    primes, roots = root
    result = field.radical((prime, -exponent) for prime, exponent in primes)
    for number in roots:
        own: Value = {(((), (number,)), ()): ((), field.one)}  # 1/√u = √u / u
        result = field.mul(result, field.mul(own, inverse(field, field.squares[number])))
    [(dens, (shift, top))] = part.items()
    top, rest = field.cancelled(top, dens)
    lead = top.leading_coefficient()
    exponents, top = _without_monomial(top / lead)
    numerator = field.lifted(field.context.constant(1 / lead), rest, ())
    laurent = {g: -n for g, n in exponents if g in field.laurent}
    for g, n in shift:
        laurent[g] = laurent.get(g, 0) - n
    below = {field.factor(field.generators[g]): n for g, n in exponents if g not in field.laurent}
    for number, factor in enumerate(field.factors):
        while len(factor) > 1 and not top.is_constant() and (quotient := exact_quotient(top, factor)) is not None:
            top = quotient
            below[number] = below.get(number, 0) + 1
    if not top.is_constant():
        below[field.factor(top)] = 1
    fraction: Value = {(ONE, tuple(sorted(below.items()))): ((), numerator)}
    return field.mul(result, field.mul(fraction, field.monomial(laurent.items())))


def _without_monomial(poly: Poly) -> tuple[list[tuple[int, int]], Poly]:
    """Return the monomial that divides a polynomial, and the quotient."""
    content = poly.term_content()
    if content.is_constant():
        return [], poly
    return [(g, int(n)) for g, n in enumerate(content.monomial(0)) if n], poly / content


def _conjugate(value: Value) -> Value:
    """Return a conjugate whose product with ``value`` has fewer radicals."""
    numbers = [number for (_, roots), _ in value for number in roots]
    if numbers:
        latest = max(numbers)  # a later root may stand over an earlier one, never the other way round
        return {key: (s, -p if latest in key[0][1] else p) for key, (s, p) in value.items()}
    degree, prime = max((exponent.denominator, prime) for (primes, _), _ in value for prime, exponent in primes)
    if degree & (degree - 1):
        raise UnmodelledError("division by a sum with a root of odd degree")
    odd = {key for key in value if any(p == prime and e.denominator == degree for p, e in key[0][0])}
    return {key: (s, -p if key in odd else p) for key, (s, p) in value.items()}
