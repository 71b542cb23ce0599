"""The parts of a value: radical monomials, multisets of denominators, and monomials with negative exponents."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import flint
from flint.utils.flint_exceptions import DomainError

from attn_verify.errors import AttnVerifyError

Poly = Any  # flint.fmpq_mpoly
# Primes with fractional exponents in (0, 1), and generators that are square roots: √2·√u is (((2, 1/2),), (u,)).
Root = tuple[tuple[tuple[int, Fraction], ...], tuple[int, ...]]
Dens = tuple[tuple[int, int], ...]  # numbers of factors with positive powers
Shift = tuple[tuple[int, int], ...]  # generators with negative powers
Parts = dict[Dens, tuple[Shift, Poly]]
Value = dict[tuple[Root, Dens], tuple[Shift, Poly]]

ONE: Root = ((), ())

# Polynomials of a higher degree are not divided by one another: the quotient could have as many terms.
MAX_DEGREE = 2000


class TooLargeError(AttnVerifyError):
    """A normal form would need more terms than allowed; the identity test may still decide."""

    exit_code = 3


def fmpq(value: Fraction) -> flint.fmpq:
    """Return a fraction as FLINT's."""
    return flint.fmpq(value.numerator, value.denominator)


def by_root(value: Value) -> dict[Root, Parts]:
    """Return the parts of a value that belong to each radical monomial."""
    found: dict[Root, Parts] = {}
    for (root, dens), term in value.items():
        found.setdefault(root, {})[dens] = term
    return found


def merge(a: Dens, b: Dens) -> Dens:
    """Return the sum of two multisets, or the product of two monomials.

    >>> merge(((0, 1), (2, 1)), ((2, 3),))
    ((0, 1), (2, 4))
    """
    if not a or not b:
        return a or b
    total = dict(a)
    for number, power in b:
        total[number] = total.get(number, 0) + power
    return tuple(sorted(total.items()))


def most(a: Dens, b: Dens) -> Dens:
    """Return the least common multiple of two multisets."""
    if a == b:
        return a
    total = dict(a)
    for number, power in b:
        total[number] = max(total.get(number, 0), power)
    return tuple(sorted(total.items()))


def over(common: Dens, dens: Dens) -> list[tuple[int, int]]:
    """Return what a multiset lacks of a multiple of it."""
    own = dict(dens)
    return [(number, power - own.get(number, 0)) for number, power in common if power > own.get(number, 0)]


def least(a: Shift, b: Shift) -> Shift:
    """Return the smaller exponent of every generator."""
    total = dict(a)
    for generator, exponent in b:
        total[generator] = min(total.get(generator, 0), exponent)
    return tuple(sorted(total.items()))


def above(common: Shift, shift: Shift) -> list[tuple[int, int]]:
    """Return the positive exponents that lead from ``common`` up to ``shift``."""
    own = dict(shift)
    return [(g, own.get(g, 0) - exponent) for g, exponent in common if own.get(g, 0) > exponent]


def reduced(exponents: Iterable[tuple[int, Fraction]]) -> tuple[tuple[tuple[int, Fraction], ...], Fraction]:
    """Return ``Π p^e`` as fractional exponents in (0, 1) and a rational factor.

    >>> reduced([(2, Fraction(3, 2)), (3, Fraction(-1))])
    (((2, Fraction(1, 2)),), Fraction(2, 3))
    """
    factor = Fraction(1)
    rest = []
    for prime, exponent in sorted(exponents):
        whole = exponent.numerator // exponent.denominator
        if abs(whole) * prime.bit_length() > 100_000:
            raise TooLargeError(f"normal form\n  the constant {prime}^{whole} has too many digits")
        factor *= Fraction(prime) ** whole
        if exponent - whole:
            rest.append((prime, exponent - whole))
    return tuple(rest), factor


def root_product(a: Root, b: Root) -> tuple[Root, Fraction, list[int]]:
    """Return the product of radical monomials, a rational factor, and the square roots that met themselves."""
    if not (a[0] and b[0]) and not (a[1] and b[1]):
        return (a[0] or b[0], a[1] or b[1]), Fraction(1), []
    exponents = dict(a[0])
    for prime, exponent in b[0]:
        exponents[prime] = exponents.get(prime, Fraction(0)) + exponent
    primes, factor = reduced(exponents.items())
    squared = sorted(set(a[1]) & set(b[1]))
    return (primes, tuple(sorted(set(a[1]) ^ set(b[1])))), factor, squared


def exact_quotient(top: Poly, bottom: Poly) -> Poly | None:
    """Return ``top / bottom`` where it is a polynomial, and is found in reasonable time."""
    if len(bottom) > 1 and (len(top) < len(bottom) or top.total_degree() > MAX_DEGREE):
        return None
    try:
        return top / bottom
    except DomainError:
        return None
