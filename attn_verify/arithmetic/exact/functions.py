"""Logarithms, square roots and maxima of normal forms: what of them has an exact form, and generators for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import flint
from flint.utils.flint_exceptions import DomainError

from attn_verify.arithmetic.exact.division import canonical, components, inverse
from attn_verify.arithmetic.exact.exponents import Exponents
from attn_verify.arithmetic.exact.field import Field
from attn_verify.arithmetic.exact.terms import ONE, Poly, Value
from attn_verify.arithmetic.graph import UnmodelledError

# Whole numbers up to this size are split into primes under a root or logarithm.
_FACTOR_BITS = 160
_MAX_POWER = 64


class Functions:
    """Generators by what they stand for; equal arguments have the same one.

    ``kinds`` says what each generator is: ``input``, ``exp``, ``max``, ``log``, ``sqrt``, ``prime_log`` or ``atom``.
    """

    def __init__(self, field: Field, exponents: Exponents) -> None:
        self.field = field
        self.exponents = exponents
        self.kinds: dict[int, str] = {}
        self._logs: dict[int, Value] = {}  # the generator of a logarithm → what it is the logarithm of
        self._prime_logs: dict[int, int] = {}
        self._known: dict[Any, int] = {}
        self._maxima: dict[Any, dict[Any, Value]] = {}  # the key of a maximum → its members by key

    def new(self, kind: str) -> int:
        """Return the number of a fresh generator."""
        number = self.field.new()
        self.kinds[number] = kind
        if kind != "input":
            self.field.avoided.add(number)
        return number

    def atom(self, name: str, args: Iterable[Value]) -> Value:
        """Return a function of which no more is known than that equal arguments give equal values."""
        return self.field.generator(self._generator("atom", (name, *(canonical(self.field, arg) for arg in args))))

    def max(self, args: Iterable[Value]) -> Value:
        """Return a maximum: one generator for each set of members, whatever their order or form."""
        members: dict[Any, Value] = {}
        for arg in args:
            key = canonical(self.field, arg)
            members.update(self._maxima.get(key, {key: arg}))
        if len(members) == 1:
            return next(iter(members.values()))
        result = self.field.generator(self._generator("max", frozenset(members)))
        self._maxima[canonical(self.field, result)] = members
        return result

    def powers(self, exponent: Value) -> tuple[Value, Value]:
        """Return ``(Π u^n, a)`` for an exponent ``a + Σ n log u`` with whole or half ``n``."""
        field = self.field
        factor = field.constant(Fraction(1))
        shift, poly = exponent.get((ONE, ()), ((), field.one))
        above = {g: -n for g, n in shift}  # what the polynomial has in place of 1
        for number in (*self._prime_logs, *self._logs):
            found = poly[tuple(above.get(g, int(g == number)) for g in range(field.size))]
            n = Fraction(int(found.p), int(found.q))
            rest: Value = {}
            if number in self._prime_logs:
                power = field.radical([(self._prime_logs[number], n)])
            elif n.denominator == 1 and abs(n) <= _MAX_POWER:
                power = self._power(self._logs[number], int(n))
            elif n.denominator == 2 and abs(2 * n) <= _MAX_POWER:
                root, rest = self.sqrt(self._logs[number])
                power = self._power(root, int(2 * n))
            else:
                continue
            factor = field.mul(factor, power)
            exponent = field.sub(exponent, field.scale(field.generator(number), n))
            exponent = field.add(exponent, field.scale(rest, 2 * n))
        return factor, exponent

    def log(self, u: Value) -> Value:
        """Return ``log u``, with ``log(c exp(r) N/D) = log c + r + log N − log D`` for positive ``c`` and ``D``."""
        split = self._split(u)
        if split is None:
            return self._log_atom(u)
        primes, result, top, bottom = split
        self._refuse_negative(top, "logarithm")
        for prime, n in primes.items():
            number = self._generator("prime_log", prime)
            self._prime_logs[number] = prime
            result = self.field.add(result, self.field.scale(self.field.generator(number), n))
        if not top.is_constant():
            result = self.field.add(result, self._log_atom(self.field.whole(top)))
        if not bottom.is_constant():
            result = self.field.sub(result, self._log_atom(self.field.whole(bottom)))
        return result

    def sqrt(self, u: Value) -> tuple[Value, Value]:
        """Return ``(f, r)`` with ``√u = f · exp(r)``, from ``√(c exp(r) N/D) = √c exp(r/2) √N/√D``."""
        field = self.field
        if field.is_zero(u):
            return {}, {}
        split = self._split(u)
        if split is None:
            return self._sqrt_atom(u), {}
        primes, r, top, bottom = split
        self._refuse_negative(top, "square root")
        factor = field.radical((prime, n / 2) for prime, n in primes.items())
        factor = field.mul(factor, self._sqrt_poly(top))
        if not bottom.is_constant():
            factor = field.mul(factor, inverse(field, self._sqrt_poly(bottom)))
        return factor, field.scale(r, Fraction(1, 2))

    def _generator(self, kind: str, key: Any) -> int:
        if (kind, key) not in self._known:
            self._known[kind, key] = self.new(kind)
        return self._known[kind, key]

    def _log_atom(self, u: Value) -> Value:
        number = self._generator("log", canonical(self.field, u))
        self._logs[number] = u
        return self.field.generator(number)

    def _sqrt_atom(self, u: Value) -> Value:
        number = self._generator("sqrt", canonical(self.field, u))
        self.field.squares[number] = u
        return {(((), (number,)), ()): ((), self.field.one)}

    def _sqrt_poly(self, poly: Poly) -> Value:
        """Return the square root of a polynomial: another one, if that is known to be positive."""
        try:
            root = poly.sqrt()
        except (DomainError, ValueError):
            return self._sqrt_atom(self.field.whole(poly))
        for candidate in (root, -root):
            if self._positive(candidate):
                return self.field.whole(candidate)
        return self._sqrt_atom(self.field.whole(poly))

    def _split(self, u: Value) -> tuple[dict[int, Fraction], Value, Poly, Poly] | None:
        """Return ``u = Π p^e · exp(r) · top / bottom`` with ``bottom`` positive, ``None`` if it has no such form."""
        parts = components(self.field, u)
        if not parts:
            raise UnmodelledError("the logarithm of something that is identically zero")
        [(primes, roots), *others] = parts
        shift, top, bottom = parts[primes, roots]
        lead = top.leading_coefficient()
        found = _primes(Fraction(abs(int(lead.p)), int(lead.q)))
        if others or roots or found is None or not self._positive(bottom):
            return None
        for prime, e in primes:
            found[prime] = found.get(prime, Fraction(0)) + e
        r: Value = {}
        for generator, n in shift:
            r = self.field.add(r, self.field.scale(self.exponents.meaning[generator], Fraction(n)))
        return found, r, top / abs(lead), bottom

    def _positive(self, poly: Poly) -> bool:
        """Return whether all terms are positive: exponentials with positive coefficients, and nothing else."""
        if not all(c > 0 for c in poly.coeffs()):
            return False
        return all(not n or g in self.field.laurent for g, n in enumerate(poly.degrees()))

    def _power(self, base: Value, exponent: int) -> Value:
        if exponent < 0:
            base, exponent = inverse(self.field, base), -exponent
        result = self.field.constant(Fraction(1))
        for _ in range(exponent):
            result = self.field.mul(result, base)
        return result

    @staticmethod
    def _refuse_negative(top: Poly, what: str) -> None:
        if top.is_constant() and top.leading_coefficient() < 0:
            raise UnmodelledError(f"the {what} of a negative number")


def _primes(value: Fraction) -> dict[int, Fraction] | None:
    """Return the exponents of the primes of a positive rational, ``None`` if it is too large to factor."""
    found: dict[int, Fraction] = {}
    for number, sign in ((value.numerator, 1), (value.denominator, -1)):
        twos = (number & -number).bit_length() - 1
        odd = number >> twos
        if odd.bit_length() > _FACTOR_BITS:
            return None
        for prime, power in [(2, twos), *((int(p), int(n)) for p, n in flint.fmpz(odd).factor())]:
            if power:
                found[prime] = found.get(prime, Fraction(0)) + sign * power
    return found
