"""Sums of exponentials in fractions and dictionaries: the arithmetic of the certificate checker.

A term ``(x, e): c`` means ``c · x · exp(e)``: ``x`` is a sorted tuple of generators, ``e`` the terms of a polynomial.
Generators are the inputs, the inverses of divisors, and what the checker has no rule for.  A root of a prime p is
``exp(k · log p)``, 0 ≤ k < 1.  Each rule holds for all real numbers: what the rules make equal is equal.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import floor
from operator import mul
from typing import Any

Monomial = tuple[int, ...]
Exponent = frozenset[Any]  # of pairs of a key and its coefficient
Key = tuple[Monomial, Exponent]
# So many steps a generator counts, for its memory, and a bit of a power of a prime, for the products of such powers.
MAX_STEPS, GENERATOR_STEPS, POWER_STEPS, MAX_BITS, MAX_POWER = 20_000_000, 200, 10, 20_000, 4096


class InvalidError(Exception):
    """The certificate does not show what it says."""


class TooLargeError(Exception):
    """The expressions outgrow what the checker is willing to compute."""


def need(condition: object, text: str, kind: type[Exception] = InvalidError) -> None:
    """Raise an error unless the condition holds."""
    if not condition:
        raise kind(text)


@dataclass(frozen=True, eq=False)
class Value:
    """A sum of terms."""

    field: Field
    terms: Mapping[Key, Fraction]

    def __add__(self, other: Value) -> Value:
        return self.field.total([*self.terms.items(), *other.terms.items()])

    def __neg__(self) -> Value:
        return Value(self.field, {key: -c for key, c in self.terms.items()})

    def __sub__(self, other: Value) -> Value:
        return self + -other

    def __mul__(self, other: Value) -> Value:
        return self.field.product(self, other)

    def __truediv__(self, other: Value) -> Value:
        return self * self.field.inverse(other)

    @property
    def sign(self) -> int:
        """±1 where no term has the other sign, and one is nowhere zero, for all inputs; else 0."""
        unsure = [[g for g in x if g not in self.field.positive] for x, _ in self.terms]
        signs, squares = {c > 0 for c in self.terms.values()}, all(x[::2] == x[1::2] for x in unsure)
        return (1 if signs.pop() else -1) if squares and len(signs) == 1 and not all(unsure) else 0

    @property
    def nonzero(self) -> bool:
        """Whether it is zero for no inputs, or, as a polynomial in the inputs, for a set of measure zero."""
        inputs = all(self.field.inputs.issuperset(x) for x, _ in self.terms)
        return self.sign != 0 or (inputs and len({e for _, e in self.terms}) == 1)


class Field:
    """The generators of one case with what is known of them, and the steps that are left."""

    def __init__(self) -> None:
        self.steps, self.zeros = MAX_STEPS, 0  # divisors that are zero for some inputs, a set of measure zero
        # Equal exponents are one object, so that exponents of exponents are compared at once.
        self.numbers, self.exponents = dict[Hashable, int](), dict[Exponent, Exponent]()
        self.inputs, self.positive = set[int](), set[int]()
        self.logs: dict[Key, Value | int] = {}  # the u of a generator log u, a prime or any other
        self.divisors: dict[int, Value] = {}  # of each inverse; they hold earlier generators only
        self.sums: dict[tuple[Exponent, Exponent], tuple[Exponent, Fraction]] = {}

    def spend(self, steps: int) -> None:
        """Count elementary steps."""
        self.steps -= steps
        need(self.steps > 0, "more steps than the checker takes", TooLargeError)

    def total(self, items: Collection[tuple[Key, Fraction]]) -> Value:
        """Return the sum of terms."""
        self.spend(sum(1 + len(x) for (x, _), _ in items))
        out: dict[Key, Fraction] = {}
        for key, c in items:
            out[key] = out[key] + c if key in out else c
        bits = max((max(abs(c.numerator), c.denominator) for c in out.values()), default=0).bit_length()
        need(bits <= MAX_BITS, f"a number of more than {MAX_BITS} bits", TooLargeError)
        return Value(self, {key: c for key, c in out.items() if c})

    def number(self, value: Fraction | int) -> Value:
        """Return a rational number."""
        return self.total([(((), frozenset()), Fraction(value))])

    def generator(self, *key: Hashable, known: set[int] | None = None) -> Value:
        """Return the generator with this key; note it among the inputs, or what is positive."""
        self.spend(GENERATOR_STEPS)
        number = self.numbers.setdefault(key, len(self.numbers) + 1)
        if known is not None:
            known.add(number)
        return Value(self, {((number,), frozenset()): Fraction(1)})

    def product(self, a: Value, b: Value) -> Value:
        """Return ``a · b``, with ``exp(e) exp(f) = exp(e + f)``."""
        self.spend(len(a.terms) * len(b.terms))
        power = sum(max((len(x) for x, _ in v.terms), default=0) for v in (a, b))
        need(power <= MAX_POWER, f"a power above {MAX_POWER}", TooLargeError)
        items = []
        for (x, e), c in a.terms.items():
            for (y, f), d in b.terms.items():
                if e and f and (e, f) not in self.sums:
                    self.sums[e, f] = self.exponent(self.total([*e, *f]).terms)
                g, factor = self.sums[e, f] if e and f else (e or f, 1)
                items.append(((merged(x, y), g), c * d * factor))
        return self.total(items)

    def exponent(self, terms: Mapping[Key, Fraction]) -> tuple[Exponent, Fraction]:
        """Return ``e`` and the rational ``c`` with ``exp(terms) = c · exp(e)``: whole powers of primes come out."""
        kept, factor = dict(terms), Fraction(1)
        for key, p in [(key, self.logs.get(key)) for key in terms]:
            if isinstance(p, int):
                whole = floor(kept[key])
                self.spend(abs(whole) * p.bit_length() * POWER_STEPS)
                kept[key], factor = kept[key] - whole, factor * Fraction(p) ** whole
        return self.exponents.setdefault(e := frozenset((key, c) for key, c in kept.items() if c), e), factor

    def exp(self, a: Value) -> Value:
        """Return ``exp a``, with ``exp(e + k log u) = exp(e) · uᵏ`` for whole ``k``."""
        kept, powers = dict(a.terms), []
        for key, u in [(key, self.logs.get(key)) for key in a.terms]:
            if isinstance(u, Value) and kept[key].denominator == 1:
                k = int(kept.pop(key))
                need(abs(k) <= MAX_POWER, f"a power above {MAX_POWER}", TooLargeError)
                powers += [u if k > 0 else self.inverse(u)] * abs(k)
        e, factor = self.exponent(kept)
        return reduce(mul, powers, Value(self, {((), e): factor}))

    def log(self, a: Value) -> Value:
        """Return ``log a``, a sum for a rational times an exponential; refuse what may not be positive."""
        need(a.sign == 1, "a logarithm or root of what may be zero or negative")
        [((x, e), c), *more] = a.terms.items()
        if x or more:
            result = self.generator("log", frozenset(a.terms.items()))
            self.logs |= dict.fromkeys(result.terms, a)
            return result
        result = self.total(e)
        for p, k in [(p, 1) for p in primes(c.numerator)] + [(p, -1) for p in primes(c.denominator)]:
            log_p = self.generator("log", p, known=self.positive)
            self.logs |= dict.fromkeys(log_p.terms, p)
            result += log_p * self.number(k)
        return result

    def sqrt(self, a: Value) -> Value:
        """Return ``√a = exp(½ log a)``."""
        return self.exp(self.log(a) * self.number(Fraction(1, 2)))

    def inverse(self, a: Value) -> Value:
        """Return ``1/a``; with the same new generator for all rational multiples of ``a · exp(e)``."""
        need(a.nonzero, "division by what may be zero for many inputs")
        self.zeros += not a.sign
        lead, *others = dict.fromkeys(e for _, e in a.terms)
        for e in others:  # the last in an order that shifting all exponents does not change
            difference = (self.total(e) - self.total(lead)).terms
            lead = e if difference[max(difference, key=hash)] > 0 else lead
        e, factor = self.exponent((-self.total(lead)).terms)
        unit = Value(self, {((), e): factor / a.terms[max(x for x, f in a.terms if f == lead), lead]})
        rest = a * unit
        x = next(iter(rest.terms))[0]
        if len(rest.terms) > 1 or len(x) > 1:
            result = self.generator("1/", frozenset(rest.terms.items()), known=self.positive if rest.sign > 0 else None)
            self.divisors |= {g: rest for (g,), _ in result.terms}
            return result * unit
        if x and x[0] in self.divisors:  # 1/(1/u)
            return self.divisors[x[0]] * unit
        for g in x:  # the inverse of one generator is its negative, and cancels at once
            self.divisors[-g] = rest
            self.positive |= {-g} & {-h for h in self.positive}
        return Value(self, {(tuple(-g for g in x), frozenset()): Fraction(1)}) * unit

    def zero(self, a: Value) -> bool:
        """Whether ``a`` is zero by the rules: multiplied by its divisors, the latest first, nothing is left."""
        for g in sorted(self.divisors, reverse=True):
            parts: dict[int, list[tuple[Key, Fraction]]] = {}
            for (x, e), c in a.terms.items():
                parts.setdefault(x.count(g), []).append(((tuple(y for y in x if y != g), e), c))
            a = self.number(0)
            for k in range(max(parts, default=-1) + 1):
                a = a * self.divisors[g] + self.total(parts.get(k, []))
        return not a.terms


def merged(x: Monomial, y: Monomial) -> Monomial:
    """Return the product of two monomials, in which ``-g`` is the inverse of ``g``."""
    product = sorted(x + y)
    for g in [g for g in product if g < 0 and -g in product]:
        if -g in product:
            product.remove(g)
            product.remove(-g)
    return tuple(product)


def primes(n: int) -> list[int]:
    """Return the small prime factors of a number, and what is left."""
    found: list[int] = []
    for p in range(2, 1025):
        while n % p == 0:
            n, found = n // p, [*found, p]
    return found + [n] * (n > 1)
