"""Functions as fractions: polynomials over shared, interned denominators, with radicals kept apart.

A :data:`~attn_verify.arithmetic.exact.terms.Value` is a sum ``Σ ρ · y^s · P / D`` over pairs of a radical monomial
``ρ`` and a multiset ``D`` of interned factors.  ``P`` is a polynomial with rational coefficients, ``y^s`` a monomial
with negative exponents in the generators that stand for exponentials.  Sums with different denominators stay side by
side, so that equal ones cancel before anything is multiplied out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import flint

from attn_verify.arithmetic.exact.terms import (
    MAX_DEGREE,
    ONE,
    Dens,
    Parts,
    Poly,
    Root,
    Shift,
    TooLargeError,
    Value,
    above,
    by_root,
    exact_quotient,
    fmpq,
    least,
    merge,
    most,
    over,
    reduced,
    root_product,
)

# Products of two terms in all multiplications, for each term that is allowed: a bound of the time.
_WORK = 100
# A pair of parts, of different roots or denominators, takes as long as so many products of terms.
_PAIR = 1000


class FullError(Exception):
    """All generators are in use: start again with more."""


class Field:
    """Arithmetic on values in at most ``capacity`` generators.

    ``squares`` maps the generator of a square root to the value under it; ``laurent`` are the generators that
    stand for exponentials: they are positive.  ``avoided`` are the generators of which not all relations are known.
    """

    def __init__(self, capacity: int, max_terms: int) -> None:
        size = max(16, -(-capacity // 16) * 16)  # FLINT keeps every context: few different sizes
        self.context = flint.fmpq_mpoly_ctx.get([("g", size)], "degrevlex")
        self.generators = list(self.context.gens())
        self.one = self.context.constant(1)
        self.size = size
        self.used = 0
        self.squares: dict[int, Value] = {}
        self.laurent: set[int] = set()
        self.avoided: set[int] = set()
        self.factors: list[Poly] = []
        self._factor_numbers: dict[str, int] = {}
        self._words = size // 8 + 2  # of a term, at one byte an exponent
        self._max_terms = max_terms
        self._work = 0

    def new(self) -> int:
        """Return the number of a fresh generator."""
        if self.used == self.size:
            raise FullError
        self.used += 1
        return self.used - 1

    def generator(self, number: int) -> Value:
        """Return a generator as a value."""
        return self.whole(self.generators[number])

    def whole(self, poly: Poly) -> Value:
        """Return a polynomial as a value."""
        return {} if poly.is_zero() else {(ONE, ()): ((), poly)}

    def constant(self, value: Fraction) -> Value:
        """Return a rational constant."""
        return self.whole(self.context.constant(fmpq(value)))

    def radical(self, primes: Iterable[tuple[int, Fraction]]) -> Value:
        """Return ``Π p^e`` for different primes ``p`` and rational exponents ``e``."""
        root, factor = reduced(primes)
        return {((root, ()), ()): ((), self.context.constant(fmpq(factor)))}

    def monomial(self, exponents: Iterable[tuple[int, int]]) -> Value:
        """Return ``Π y^n`` for whole exponents of either sign."""
        exponents = list(exponents)
        poly = self.lifted(self.one, (), [(g, n) for g, n in exponents if n > 0])
        return {(ONE, ()): (tuple(sorted((g, n) for g, n in exponents if n < 0)), poly)}

    def add(self, a: Value, b: Value) -> Value:
        """Return ``a + b``."""
        if len(a) < len(b):
            a, b = b, a
        total = dict(a)
        for key, (shift, poly) in b.items():
            self._put(total, key, shift, poly)
        return total

    def neg(self, a: Value) -> Value:
        """Return ``−a``."""
        return {key: (shift, -poly) for key, (shift, poly) in a.items()}

    def sub(self, a: Value, b: Value) -> Value:
        """Return ``a − b``."""
        total = dict(a)
        for key, (shift, poly) in b.items():
            self._put(total, key, shift, -poly)
        return total

    def scale(self, a: Value, factor: Fraction) -> Value:
        """Return ``factor · a``."""
        if not factor:
            return {}
        by = fmpq(factor)
        return {key: (shift, poly * by) for key, (shift, poly) in a.items()}

    def mul(self, a: Value, b: Value) -> Value:
        """Return ``a · b``; a factor that divides the other numerator is cancelled."""
        total: Value = {}
        pending: list[tuple[Value, Value]] = []
        if len(a) > 1 and len(b) > 1:
            self.spend(_PAIR * len(a) * len(b))
        for (root1, dens1), (shift1, poly1) in a.items():
            for (root2, dens2), (shift2, poly2) in b.items():
                right, rest1 = self.cancelled(poly2, dens1) if dens1 else (poly2, dens1)
                left, rest2 = self.cancelled(poly1, dens2) if dens2 else (poly1, dens2)
                root, factor, squared = root_product(root1, root2)
                poly = self.times(left, right)
                if factor != 1:
                    poly = poly * fmpq(factor)
                shift, poly = self._settled(merge(shift1, shift2), poly)
                key = (root, merge(rest1, rest2))
                if not squared:
                    self._put(total, key, shift, poly)
                    continue
                value: Value = {key: (shift, poly)}
                for number in squared[:-1]:
                    value = self.mul(value, self.squares[number])
                pending.append((value, self.squares[squared[-1]]))
        for value, square in pending:
            total = self.add(total, self.mul(value, square))
        return total

    def is_zero(self, a: Value) -> bool:
        """Return whether a value is the zero of the field."""
        return all(self.vanishes(parts) for parts in by_root(a).values())

    def vanishes(self, parts: Parts) -> bool:
        """Return whether the part of one radical monomial is zero."""
        return not self._differs_from_zero(parts) and bool(self.combined(parts)[1].is_zero())

    def combined(self, parts: Parts) -> tuple[Shift, Poly, Dens]:
        """Return a sum as ``y^shift · numerator / dens``."""
        if len(parts) == 1:
            [(dens, (shift, poly))] = parts.items()
            return shift, poly, dens
        common: Dens = ()
        lowest: Shift = ()
        for dens, (shift, _) in parts.items():
            common, lowest = most(common, dens), least(lowest, shift)
        total = self.context.constant(0)
        for dens, (shift, poly) in parts.items():
            total = total + self.lifted(poly, over(common, dens), above(lowest, shift))
        return lowest, total, common

    def over_common(self, values: Sequence[Value]) -> tuple[list[dict[Root, Poly]], Poly]:
        """Return polynomials ``N`` by radical monomial, and ``L``, with ``value = N / L`` for all values."""
        shift: Shift = ()
        dens: Dens = ()
        for value in values:
            for (_, own), (own_shift, _) in value.items():
                shift, dens = least(shift, own_shift), most(dens, own)
        tops = []
        for value in values:
            top: dict[Root, Poly] = {}
            for (root, own), (own_shift, poly) in value.items():
                lifted = self.lifted(poly, over(dens, own), above(shift, own_shift))
                top[root] = top[root] + lifted if root in top else lifted
            tops.append({root: poly for root, poly in top.items() if not poly.is_zero()})
        return tops, self.lifted(self.one, dens, above(shift, ()))

    def factor(self, poly: Poly) -> int:
        """Return the number of a denominator factor, a polynomial with leading coefficient 1."""
        name = str(poly)
        number = self._factor_numbers.get(name)
        if number is None:
            number = self._factor_numbers[name] = len(self.factors)
            self.factors.append(poly)
        return number

    def present(self, a: Value) -> set[int]:
        """Return the generators that occur in a value."""
        found: set[int] = set()
        for ((_, roots), dens), (shift, poly) in a.items():
            found.update(g for g, _ in shift)
            for part in (poly, *(self.factors[number] for number, _ in dens)):
                found.update(g for g, n in enumerate(part.degrees()[: self.used]) if n)
            for number in roots:
                found |= {number} | self.present(self.squares[number])
        return found

    def times(self, a: Poly, b: Poly) -> Poly:
        """Return a product of polynomials; raise ``TooLargeError`` if it could outgrow what is allowed."""
        if len(a) > 1 and len(b) > 1:
            count = len(a) * len(b)
            self.spend(count)
            if count * self._words > self._max_terms * 16:  # 16 words: a term of some hundred generators
                raise TooLargeError(
                    f"normal form\n  a product of polynomials with {len(a)} and {len(b)} terms\n"
                    f"  a normal form may have about {self._max_terms} terms"
                )
        return a * b

    def spend(self, count: int) -> None:
        """Count products of terms; raise ``TooLargeError`` when there were too many."""
        self._work += count
        if self._work > _WORK * self._max_terms:
            raise TooLargeError(
                f"normal form\n  more than {_WORK * self._max_terms} products of terms\n"
                f"  a normal form may have about {self._max_terms} terms"
            )

    def lifted(self, poly: Poly, dens: Iterable[tuple[int, int]], shift: Iterable[tuple[int, int]]) -> Poly:
        """Return a polynomial times powers of factors and of generators."""
        for number, power in dens:
            for _ in range(power):
                poly = self.times(poly, self.factors[number])
        for generator, power in shift:
            poly = poly * self.generators[generator] ** power
        return poly

    def cancelled(self, poly: Poly, dens: Dens) -> tuple[Poly, Dens]:
        """Divide a polynomial by as many of the factors as divide it; return it and the others."""
        rest: list[tuple[int, int]] = []
        for number, power in dens:
            left = power
            while left and (quotient := exact_quotient(poly, self.factors[number])) is not None:
                poly, left = quotient, left - 1
            if left:
                rest.append((number, left))
        return poly, tuple(rest)

    def _put(self, total: Value, key: tuple[Root, Dens], shift: Shift, poly: Poly) -> None:
        old = total.get(key)
        if old is not None and old[0] == shift:
            poly = old[1] + poly
        elif old is not None:
            lowest = least(old[0], shift)
            poly = self.lifted(old[1], (), above(lowest, old[0])) + self.lifted(poly, (), above(lowest, shift))
            shift = lowest
        if poly.is_zero():
            total.pop(key, None)
        else:
            total[key] = (shift, poly)

    def _settled(self, shift: Shift, poly: Poly) -> tuple[Shift, Poly]:
        """Cancel generators of a negative shift that divide the polynomial."""
        if not shift or poly.is_zero():
            return shift, poly
        content = poly.term_content()
        if content.is_constant():
            return shift, poly
        have = content.monomial(0)
        rest = []
        for generator, exponent in shift:
            common = min(int(have[generator]), -exponent)
            if common:
                poly = poly / self.generators[generator] ** common
            if exponent + common:
                rest.append((generator, exponent + common))
        return tuple(rest), poly

    def _differs_from_zero(self, parts: Parts) -> bool:
        """Evaluate at one point with exact fractions: whatever is not zero there is not zero, and much cheaper."""
        if len(parts) == 1:
            return True  # the polynomials in a value are not zero
        point = [(g * g * 7 + g * 131 + 3) % 1009 + 2 for g in range(self.size)]
        total = flint.fmpq(0)
        for dens, (shift, poly) in parts.items():
            factors = [self.factors[number] for number, _ in dens]
            if any(p.total_degree() > MAX_DEGREE for p in (poly, *factors)) or any(n < -MAX_DEGREE for _, n in shift):
                return False
            bottom = flint.fmpq(1)
            for factor, (_, power) in zip(factors, dens, strict=True):
                bottom *= factor(*point) ** power
            for generator, exponent in shift:
                bottom *= flint.fmpq(point[generator]) ** -exponent
            if not bottom:
                return False
            total += poly(*point) / bottom
        return bool(total != 0)
