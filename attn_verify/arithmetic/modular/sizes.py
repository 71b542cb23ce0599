"""How large a value's polynomials are: the degrees, counts and sums of coefficients that the error bound needs.

Every value is kept as ``coefficient · Π numerators / Π denominators``.  The factors are *primitive*: an input,
an atom, or the numerator of one particular sum.  Denominators are known by the sum that they came from, so
that equal ones meet in a least common multiple and cancel in products.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, inf, isqrt, log2

import flint

from attn_verify.arithmetic.graph import UnmodelledError

# Constants beyond this size cost more than they can be worth.
MAX_BITS = 1 << 20

Factors = Mapping[Hashable, int]
_NONE: Factors = {}


def raised(x: float) -> float:
    """Return a float above ``x`` by more than the rounding of the few operations that gave ``x``."""
    return x + 1e-13 * max(1.0, abs(x)) if x > -inf else x


def log_sum(a: float, b: float) -> float:
    """Return an upper bound of ``log₂(2^a + 2^b)``."""
    if a < b:
        a, b = b, a
    return a if b == -inf else raised(a + log2(1 + 2.0 ** max(b - a, -1070.0)))


def log2_int(n: int) -> float:
    """Return an upper bound of ``log₂ n`` for a whole number ``n ≥ 1`` of any size."""
    shift = max(n.bit_length() - 60, 0)
    return raised(log2((n >> shift) + (shift > 0)) + shift) if n > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Poly:
    """Bounds of ``Σ c_i exp(e_i)``: the degree of the ``c_i``, ``log₂`` of how many ``e_i``, ``log₂ ‖c‖``, spread.

    ``‖c‖`` is the sum of the absolute values of all coefficients, in every embedding of the radicals; each ``e_i``
    is a sum of at most ``spread`` arguments of exponentials, with signs.
    """

    degree: int = 0
    count: float = 0.0
    norm: float = 0.0
    spread: int = 0

    def times(self, other: Poly, power: int = 1) -> Poly:
        """Return bounds of the product with ``other`` to a power."""
        return Poly(
            self.degree + power * other.degree,
            raised(self.count + power * other.count),
            raised(self.norm + power * other.norm),
            self.spread + power * other.spread,
        )

    def plus(self, other: Poly) -> Poly:
        """Return bounds of the sum; without exponentials it has the one exponent 0."""
        return Poly(
            max(self.degree, other.degree),
            log_sum(self.count, other.count) if self.spread or other.spread else 0.0,
            log_sum(self.norm, other.norm),
            max(self.spread, other.spread),
        )

    def repeated(self, terms: int) -> Poly:
        """Return bounds of a sum of so many polynomials within these bounds."""
        more = log2_int(max(terms, 1))
        return Poly(self.degree, self.count + more if self.spread else 0.0, self.norm + more, self.spread)

    def join(self, other: Poly) -> Poly:
        """Return bounds that hold for both."""
        return Poly(
            max(self.degree, other.degree),
            max(self.count, other.count),
            max(self.norm, other.norm),
            max(self.spread, other.spread),
        )


@dataclass(frozen=True)
class Monomial:
    """A real constant ``rational · Π p^{a_p}`` with primes ``p`` and ``0 < a_p < 1``, denominators powers of two."""

    rational: Fraction
    radicals: tuple[tuple[int, Fraction], ...] = ()

    @staticmethod
    def of(rational: Fraction, exponents: Mapping[int, Fraction]) -> Monomial:
        """Return the constant with whole powers moved into the rational factor."""
        left: list[tuple[int, Fraction]] = []
        for prime, exponent in sorted(exponents.items()):
            whole = exponent.numerator // exponent.denominator
            rational *= Fraction(prime) ** whole
            if exponent != whole:
                left.append((prime, exponent - whole))
        return Monomial(rational, tuple(left))

    def times(self, other: Monomial) -> Monomial:
        """Return the product."""
        if _bits(self.rational) + _bits(other.rational) > MAX_BITS:
            raise UnmodelledError(f"a constant of more than {MAX_BITS} bits in the identity test")
        if not self.radicals and not other.radicals:
            return Monomial(self.rational * other.rational)
        exponents = dict(self.radicals)
        for prime, exponent in other.radicals:
            exponents[prime] = exponents.get(prime, Fraction(0)) + exponent
        return Monomial.of(self.rational * other.rational, exponents)

    def inverse(self) -> Monomial:
        """Return the reciprocal; raise ``ZeroDivisionError`` for 0."""
        return Monomial.of(1 / self.rational, {prime: -exponent for prime, exponent in self.radicals})

    def power(self, exponent: Fraction) -> Monomial:
        """Return a power of a positive constant; ``exponent`` has a power of two as denominator."""
        exponents = dict(self.radicals)
        for prime, count in factors(self.rational).items():
            exponents[prime] = exponents.get(prime, Fraction(0)) + count
        return Monomial.of(Fraction(1), {prime: exponent * count for prime, count in exponents.items()})

    @property
    def norm(self) -> float:
        """An upper bound of ``log₂`` of the size of the numerator, the same in every embedding."""
        size = log2_int(abs(self.rational.numerator)) if self.rational else 0.0
        return raised(size + sum(float(exponent) * log2_int(prime) for prime, exponent in self.radicals))


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


ONE = Monomial(Fraction(1))


def factors(rational: Fraction) -> dict[int, int]:
    """Return the prime factorization of a positive rational, with negative powers for the denominator.

    >>> factors(Fraction(12, 5))
    {2: 2, 3: 1, 5: -1}
    """
    found = {int(prime): count for prime, count in flint.fmpz(rational.numerator).factor()}
    found.update({int(prime): -count for prime, count in flint.fmpz(rational.denominator).factor()})
    return found


def is_square(n: int) -> bool:
    """Return whether ``n ≥ 0`` is a square."""
    return isqrt(n) ** 2 == n


@dataclass(frozen=True, slots=True)
class Size:
    """A value as ``coefficient · exp(…) · Π numerators / Π denominators``; ``spread`` counts exponentials outside."""

    coefficient: Monomial = ONE
    numerators: Factors = field(default_factory=dict)
    denominators: Factors = field(default_factory=dict)
    spread: int = 0


def merged(a: Factors, b: Factors) -> Factors:
    """Return the product of two factorizations."""
    if not a or not b:
        return a or b
    out = dict(a)
    for key, power in b.items():
        out[key] = out.get(key, 0) + power
    return out


def cancelled(top: Factors, bottom: Factors) -> tuple[Factors, Factors]:
    """Remove the factors that both have."""
    if not top or not bottom or top.keys().isdisjoint(bottom):
        return top, bottom
    up, down = dict(top), dict(bottom)
    for key in top.keys() & bottom.keys():
        common = min(up[key], down[key])
        for side in (up, down):
            side[key] -= common
            if not side[key]:
                del side[key]
    return up, down


def least_multiple(a: Factors, b: Factors) -> Factors:
    """Return the least common multiple of two factorizations."""
    if a == b or not b:
        return a
    out = dict(a)
    for key, power in b.items():
        if out.get(key, 0) < power:
            out[key] = power
    return out


def missing(whole: Factors, part: Factors) -> Factors:
    """Return ``whole / part``."""
    if not part:
        return whole
    return {key: power - part.get(key, 0) for key, power in whole.items() if power > part.get(key, 0)}


class Sizes:
    """The primitive factors of one program, and the arithmetic of sizes."""

    def __init__(self) -> None:
        self.primitives: dict[Hashable, Poly] = {}

    def leaf(self, key: Hashable) -> Size:
        """Return the size of an input or of an atom."""
        self.primitives[key] = Poly(degree=1)
        return Size(numerators={key: 1})

    def product(self, a: Size, b: Size) -> Size:
        """Return the size of ``a · b``."""
        up_a, down_b = cancelled(a.numerators, b.denominators)
        up_b, down_a = cancelled(b.numerators, a.denominators)
        coefficient = a.coefficient if b.coefficient is ONE else a.coefficient.times(b.coefficient)
        return Size(coefficient, merged(up_a, up_b), merged(down_a, down_b), a.spread + b.spread)

    def inverse(self, a: Size) -> Size:
        """Return the size of ``1 / a``; raise ``ZeroDivisionError`` for the constant 0."""
        return Size(a.coefficient.inverse(), a.denominators, a.numerators, a.spread)

    def sum(self, key: Hashable, terms: Iterable[Size]) -> Size:
        """Return the size of a sum, whose numerator becomes the primitive factor ``key``."""
        parts = list(terms)
        denominators, z = self.common(parts)
        total: Poly | None = None
        for part in parts:
            poly = self.over(part, denominators, z)
            total = poly if total is None else total.plus(poly)
        self.primitives[key] = total or Poly()
        return Size(Monomial(Fraction(1, z)), {key: 1}, denominators)

    def common(self, parts: Iterable[Size]) -> tuple[Factors, int]:
        """Return a common denominator: its factors and its whole number."""
        denominators, z = _NONE, 1
        for part in parts:
            denominators = least_multiple(denominators, part.denominators)
            d = part.coefficient.rational.denominator
            z = z if z % d == 0 else z * d // gcd(z, d)
        return denominators, z

    def over(self, a: Size, denominators: Factors, z: int) -> Poly:
        """Return bounds of the numerator of ``a`` over a common denominator."""
        scale = z // a.coefficient.rational.denominator
        poly = self.numerator(a)
        if denominators is not a.denominators and denominators != a.denominators:
            poly = poly.times(self.expand(missing(denominators, a.denominators)))
        return poly if scale == 1 else poly.times(Poly(norm=log2_int(scale)))

    def expand(self, parts: Factors) -> Poly:
        """Return bounds of a product of primitive factors."""
        poly = Poly()
        for key, power in parts.items():
            poly = poly.times(self.primitives[key], power)
        return poly

    def numerator(self, a: Size) -> Poly:
        """Return bounds of the numerator of ``a``."""
        return self.expand(a.numerators).times(Poly(norm=a.coefficient.norm, spread=a.spread))

    def difference(self, a: Size, b: Size) -> Poly:
        """Return bounds of the numerator of ``a − b``."""
        denominators, z = self.common([a, b])
        return self.over(a, denominators, z).plus(self.over(b, denominators, z))
