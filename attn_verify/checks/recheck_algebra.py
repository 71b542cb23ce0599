"""Quotients of exponential polynomials in whole numbers and fractions: the arithmetic of the certificate checker."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, prod

# A term (monomial, exponent) of a polynomial means monomial · exp(e).  A monomial packs one power a generator into
# 16 bits each; an exponent is the number of an interned polynomial e.  A root p^(a/b) is exp(a/b · log p), with a/b in
# [0, 1): such products are linearly independent over ℚ.  Different e then give independent exp(e) (see the docs).
Key = tuple[int, int]
Number = int | Fraction
Terms = dict[Key, Number]
WIDTH, ONE = 16, (0, 0)
MAX_STEPS, MAX_TERMS, MAX_BITS, MAX_POWER, MAX_GENERATORS = 50_000_000, 5_000_000, 20_000, 4096, 4096


class InvalidError(Exception):
    """The certificate does not show what it says."""


class TooLargeError(Exception):
    """The expressions outgrow what the checker is willing to compute."""


@dataclass(frozen=True, eq=False)
class Value:
    """``num / Π factor^power``; ``opaque`` if it holds generators that may have relations unknown to the checker."""

    field: Field
    num: Terms
    den: Mapping[int, int]
    opaque: bool = False

    def __add__(self, other: Value) -> Value:
        den = {f: max(self.den.get(f, 0), other.den.get(f, 0)) for f in {**self.den, **other.den}}
        num: Terms = {}
        for value in (self, other):
            for key, c in self.field.raised(value.num, {f: k - value.den.get(f, 0) for f, k in den.items()}).items():
                num[key] = num.get(key, 0) + c
        return self.field.value(num, den, self.opaque or other.opaque)

    def __sub__(self, other: Value) -> Value:
        return self + other * self.field.number(-1)

    def __mul__(self, other: Value) -> Value:
        # A numerator that is a denominator of the other cancels before it is expanded.
        below, under = dict(self.den), dict(other.den)
        num = self.field.product(self.field.cancelled(self.num, under), self.field.cancelled(other.num, below))
        den = {f: below.get(f, 0) + under.get(f, 0) for f in {**below, **under}}
        return self.field.value(num, den, self.opaque or other.opaque)

    def __truediv__(self, other: Value) -> Value:
        return self * self.field.inverse(other)

    @property
    def sign(self) -> int:
        """±1 where all terms show that sign for all inputs, else 0."""
        signs = [self.field.sign(self.field.factors[f]) for f, k in self.den.items() for _ in range(1 + k % 2)]
        return self.field.sign(self.num) * prod(signs)

    @property
    def nonzero(self) -> bool:
        """Whether it is zero for no inputs, or for a set of measure zero."""
        return bool(self.num) and (not self.opaque or self.sign != 0)

    @property
    def key(self) -> Hashable:
        """What the value looks like: equal keys mean equal values."""
        return frozenset(self.num.items()), frozenset(self.den.items())


class Field:
    """The generators, exponents and denominators of one case, and the steps that are left."""

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.zeros = 0  # divisors that are zero for some inputs, a set of measure zero
        self.slots: dict[Hashable, int] = {}
        self.guard = self.positive = 0  # the two highest bits of all powers; the powers of positive generators
        self.primes: dict[Key, int] = {}  # log p
        self.logs: dict[Key, Value] = {}  # log u of any other u
        self.exponents: list[Mapping[Key, Number]] = [{}]
        self.exponent_numbers: dict[Hashable, int] = {frozenset(): 0}
        self.sums: dict[tuple[int, int, int], tuple[int, Number]] = {}
        self.factors: list[Terms] = []
        self.factor_numbers: dict[Hashable, int] = {}

    def spend(self, terms: int) -> None:
        """Count elementary steps; raise ``TooLargeError`` when they are used up."""
        self.steps -= terms * (1 + len(self.slots) // 128)
        if self.steps < 0 or terms > MAX_TERMS:
            raise TooLargeError("the expressions need more steps than the checker takes")

    def number(self, value: Number) -> Value:
        """Return a rational number."""
        return self.value({ONE: value.numerator if value.denominator == 1 else value}, {})

    def generator(self, key: Hashable, opaque: bool = False) -> Value:
        """Return an indeterminate: an input, a maximum, or a function without a rule."""
        slot = self.slots.setdefault(key, len(self.slots))
        self.guard |= 0xC000 << WIDTH * slot
        if slot >= MAX_GENERATORS:
            raise TooLargeError(f"more than {MAX_GENERATORS} inputs and functions")
        return Value(self, {(1 << WIDTH * slot, 0): 1}, {}, opaque)

    def sign(self, terms: Terms) -> int:
        """Return ±1 where every term has that sign for all inputs, else 0."""
        signs = {0 if x & ~self.positive else 1 if c > 0 else -1 for (x, _), c in terms.items()}
        return signs.pop() if len(signs) == 1 else 0

    def value(self, num: Terms, den: dict[int, int], opaque: bool = False) -> Value:
        """Return ``num / den`` without terms that are zero, and with what obviously cancels cancelled."""
        self.spend(4 * len(num))
        num = self.cancelled({key: c for key, c in num.items() if c}, den)
        if any(c.numerator.bit_length() + c.denominator.bit_length() > MAX_BITS for c in num.values()):
            raise TooLargeError(f"a number of more than {MAX_BITS} bits")
        return Value(self, num, {f: k for f, k in den.items() if k and num}, opaque)

    def inverse(self, a: Value) -> Value:
        """Return ``1/a``; refuse what is zero, or may be zero on a set of positive measure."""
        if not a.nonzero:
            raise InvalidError("division by what may be zero for many inputs")
        self.zeros += not a.sign
        first, lead, rest = self.normal(a.num)
        e, factor = self.plus(0, lead, -1)
        num = self.raised({(0, e): factor / Fraction(first)}, a.den)
        if rest == {ONE: 1}:
            return self.value(num, {}, a.opaque)
        number = self.factor_numbers.setdefault(frozenset(rest.items()), len(self.factors))
        self.factors += [rest] if number == len(self.factors) else []
        return self.value(num, {number: 1}, a.opaque)

    def exp(self, a: Value) -> Value:
        """Return ``exp a``, with ``exp(e + n log u) = exp(e) · uⁿ``."""
        if a.den:
            return self.generator(("exp", a.key), opaque=True)
        terms, powers = dict(a.num), self.number(1)
        for key in [key for key in terms if key in self.logs and terms[key] in range(-MAX_POWER, MAX_POWER + 1)]:
            n = int(terms.pop(key))
            for _ in range(abs(n)):
                powers = powers * self.logs[key] if n > 0 else powers / self.logs[key]
        nested = any(key not in self.primes for _, e in terms for key in self.exponents[e])
        e, factor = self.exponent(terms)
        return powers * Value(self, {(0, e): factor}, {}, a.opaque or nested)

    def log(self, a: Value) -> Value:
        """Return ``log a`` in terms that :meth:`exp` knows; refuse what may not be positive."""
        if a.sign != 1:
            raise InvalidError("the logarithm of what may be zero or negative")
        powers = prime_powers(a.num[ONE]) if set(a.num) == {ONE} and not a.den else None
        if powers is not None:
            return self.value({self.log_prime(p): k for p, k in powers.items()}, {}, opaque=True)
        result = self.generator(("log", a.key), opaque=True)
        self.logs.setdefault(next(iter(result.num)), a)
        return result

    def sqrt(self, a: Value) -> Value:
        """Return ``√a``, exact for a rational times roots and exponentials; refuse what may not be positive."""
        if a.sign != 1:
            raise InvalidError("the square root of what may be zero or negative")
        (x, e), c = next(iter(a.num.items()))
        powers = prime_powers(c) if len(a.num) == 1 and not (x or a.den) else None
        if powers is None:
            return self.generator(("sqrt", a.key), opaque=True)
        half = {key: Fraction(k) / 2 for key, k in self.exponents[e].items()}
        for p, k in powers.items():
            half[self.log_prime(p)] = half.get(self.log_prime(p), 0) + Fraction(k, 2)
        e, factor = self.exponent(half)
        return Value(self, {(0, e): factor}, {}, a.opaque)

    def log_prime(self, p: int) -> Key:
        """Return the term ``log p``."""
        [key] = self.generator(("log", p)).num
        self.primes[key] = p
        self.positive |= 0xFFFF * key[0]
        return key

    def raised(self, terms: Terms, powers: Mapping[int, int]) -> Terms:
        """Return ``terms`` times powers of factors."""
        for factor in (f for f, k in powers.items() for _ in range(k)):
            terms = self.product(terms, self.factors[factor])
        return terms

    def product(self, a: Terms, b: Terms) -> Terms:
        """Return ``a · b``."""
        self.spend(1 + len(a) * len(b))
        out: Terms = {}
        seen = 0
        for (x, e), c in a.items():
            for (y, f), d in b.items():
                seen |= (z := x + y)
                g, factor = self.plus(e, f, 1) if e and f else (e or f, 1)
                out[z, g] = out.get((z, g), 0) + c * d * factor
        if seen & self.guard:
            raise TooLargeError("a power above 16383")  # below it no sum of two powers carries into the next slot
        return out

    def exponent(self, terms: Mapping[Key, Number]) -> tuple[int, Number]:
        """Return the number of ``e`` and the rational ``c`` for which ``exp(terms) = c · exp(e)``."""
        kept, factor = {key: c for key, c in terms.items() if c}, Fraction(1)
        for key in self.primes.keys() & kept.keys():
            whole = floor(kept[key])
            if abs(whole) > MAX_POWER:
                raise TooLargeError(f"a power above {MAX_POWER}")
            factor *= Fraction(self.primes[key]) ** whole
            kept[key] -= whole
            kept = kept if kept[key] else {k: c for k, c in kept.items() if k != key}
        number = self.exponent_numbers.setdefault(frozenset(kept.items()), len(self.exponents))
        self.exponents += [kept] if number == len(self.exponents) else []
        return number, int(factor) if factor.denominator == 1 else factor

    def plus(self, e: int, f: int, sign: int) -> tuple[int, Number]:
        """Return :meth:`exponent` of ``e ± f``."""
        if (e, f, sign) not in self.sums:
            terms = dict(self.exponents[e])
            self.spend(10 * (len(terms) + len(self.exponents[f])))
            for key, c in self.exponents[f].items():
                terms[key] = terms.get(key, 0) + sign * c
            self.sums[e, f, sign] = self.exponent(terms)
        return self.sums[e, f, sign]

    def normal(self, num: Terms) -> tuple[Number, int, Terms]:
        """Write ``num`` as ``first · exp(lead) · rest``, where the rest is the same for all such multiples."""
        lead, *others = dict.fromkeys(e for _, e in num)
        for e in others:  # in an order that shifting all exponents does not change
            difference = self.exponents[self.plus(e, lead, -1)[0]]
            lead = e if difference[max(difference)] > 0 else lead
        first = num[max(key for key in num if key[1] == lead)]
        negative, factor = self.plus(0, lead, -1)
        rest = self.product(num, {(0, negative): 1 if first == factor == 1 else factor / Fraction(first)})
        return first, lead, rest

    def cancelled(self, num: Terms, den: dict[int, int]) -> Terms:
        """Return ``num``, divided by a factor of ``den`` of which it is a multiple; that is taken out of ``den``."""
        if any(k and len(num) == len(self.factors[f]) for f, k in den.items()):
            first, lead, rest = self.normal(num)
            factor = self.factor_numbers.get(frozenset(rest.items()), -1)
            if den.get(factor, 0):
                den[factor] -= 1
                return {(0, lead): first}
        return num


def prime_powers(c: Number) -> dict[int, int] | None:
    """Return the primes of a positive rational with their powers, ``None`` where they are not found at once."""
    found: dict[int, int] = {}
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        for p in range(2, 1025):
            while n % p == 0:
                n, found[p] = n // p, found.get(p, 0) + sign
        if n >= 2**20:
            return None
        found.update({n: sign} if n > 1 else {})
    return found
