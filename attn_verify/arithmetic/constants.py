"""Reading a float as the exact number that it was computed from.

``np.sqrt(K.shape[1])`` and ``d ** -0.5`` may reach a program as floats.  A float is read as ``q·√b``, ``q·b^¼``,
``q·b^¾``, also times ``ln 2`` or ``1/ln 2``, or as a fraction, only if ``b`` and the parts of ``q`` come from the sizes
of the problem and the float lies within the rounding errors of such a computation.

Why two units in the last place for float64: a root is correctly rounded or the result of a power function, which is
good to less than one unit, and one further operation (a division, a product with ``ln 2``) adds at most one more.  A
float32 must be the correctly rounded value, and fewer bits are never recognised: 11 bits would fit by accident.
The table has a few thousand members for any sizes, so that an unrelated float64 fits with a chance of about 1e-11.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import frexp, isfinite, prod
from typing import Literal

import flint
import numpy as np

# Units in the last place that the operations on the way may cost, by the number of significant bits.
ULPS = {53: 2.0, 24: 0.5}
SIGNIFICANT_BITS = {"float16": 11, "float32": 24, "float64": 53}

# A float of so few bits was written down, not computed.
_SHORT_BITS = 20


@dataclass(frozen=True)
class Reading:
    """An exact number ``factor · root^¼ · (ln 2)^logarithm`` and how it was found.

    ``kind`` is ``"exact"`` for whole numbers and short binary fractions, ``"constant"`` for a recognised number,
    ``"literal"`` for any other float, which means its binary value.
    """

    kind: Literal["exact", "constant", "literal"]
    factor: Fraction
    root: int = 1
    logarithm: int = 0
    distance_ulp: float = 0.0

    @property
    def text(self) -> str:
        """The number as a formula."""
        factor, symbol = self.factor, ""
        square = _square_root(self.root)
        if self.root != 1:
            base = square or self.root
            symbol = f"√{base}" if square else f"{base}^(1/4)"
            if square and factor.denominator % base == 0:
                return _quotient(factor * base, symbol, self.logarithm)
        if not symbol:
            return _product(factor, "", self.logarithm)
        return _product(factor, symbol, self.logarithm)


def _product(factor: Fraction, symbol: str, logarithm: int) -> str:
    parts = [part for part in (symbol, "ln 2" if logarithm > 0 else "") if part]
    numerator = "·".join(([str(factor.numerator)] if factor.numerator != 1 or not parts else []) + parts)
    below = [str(factor.denominator)] if factor.denominator != 1 else []
    below += ["ln 2"] if logarithm < 0 else []
    return f"{numerator}/{below[0]}" if len(below) == 1 else f"{numerator}/({'·'.join(below)})" if below else numerator


def _quotient(factor: Fraction, symbol: str, logarithm: int) -> str:
    top = "ln 2" if logarithm > 0 else ""
    numerator = str(factor.numerator) if factor.numerator != 1 or not top else ""
    below = [str(factor.denominator)] if factor.denominator != 1 else []
    below += [symbol] + (["ln 2"] if logarithm < 0 else [])
    joined = below[0] if len(below) == 1 else f"({'·'.join(below)})"
    return f"{'·'.join(part for part in (numerator, top) if part)}/{joined}"


def _square_root(n: int) -> int | None:
    root = round(n**0.5)
    return root if root * root == n else None


@lru_cache(maxsize=256)
def _primes(n: int) -> tuple[int, ...]:
    """Return the prime factors of ``n``, each as often as it divides."""
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            n //= p
            found.append(p)
        p += 1
    return (*found, n) if n > 1 else tuple(found)


def _root(factors: tuple[int, ...], power: int) -> int:
    """Return ``s`` without fourth powers such that the power of the product, by ``s``, is a fourth power."""
    return prod(p ** (factors.count(p) * power % 4) for p in set(factors))


def _odd(n: int) -> int:
    return n // (n & -n)


@lru_cache(maxsize=64)
def _table(sizes: frozenset[int]) -> tuple[list[float], list[tuple[Fraction, int, int]]]:
    """Return all recognisable numbers up to powers of two: their leading digits, sorted, and their forms."""
    known = sorted({size for size in sizes if size > 1})
    products = sorted({a * b for a in [1, *known] for b in [1, *known]})
    parts = sorted({_odd(product) for product in products})
    factors = [(*_primes(a), *_primes(b)) for a in [1, *known] for b in [1, *known] if a <= b]
    # the square root of twice a size comes from the halves and doubles that programs write down
    bases = sorted({_root(found, power) for found in factors for power in (1, 2, 3)}
                   | {_root((2, *found), 2) for found in factors})  # fmt: skip
    forms: dict[tuple[Fraction, int, int], float] = {}
    for base in bases:
        for logarithm in (0, 1, -1):
            number = base**0.25 * float(np.log(2)) ** logarithm
            for a in parts:
                for b in parts:
                    factor = Fraction(a, b)
                    if base == 1 and not logarithm and factor.denominator == 1:
                        continue
                    forms[factor, base, logarithm] = frexp(number * a / b)[0]
    ordered = sorted((digits, form) for form, digits in forms.items())
    return [digits for digits, _ in ordered], [form for _, form in ordered]


def _near(digits: float, sizes: frozenset[int], slack: float) -> list[tuple[Fraction, int, int]]:
    keys, forms = _table(sizes)
    found = forms[bisect_left(keys, digits * (1 - slack)) : bisect_right(keys, digits * (1 + slack))]
    if digits * (1 - slack) < 0.5:
        found += forms[bisect_left(keys, 2 * digits * (1 - slack)) :]
    if digits * (1 + slack) >= 1:
        found += forms[: bisect_right(keys, digits * (1 + slack) / 2)]
    return found


def enclosure(factor: Fraction, root: int, logarithm: int) -> flint.arb:
    """Return a ball of ``factor · root^¼ · (ln 2)^logarithm`` in the working precision."""
    ball = flint.arb(flint.fmpq(factor.numerator, factor.denominator)) * flint.arb(root).sqrt().sqrt()
    return ball * flint.arb.const_log2() ** logarithm


@lru_cache(maxsize=4096)
def read(value: float, bits: int = 53, sizes: frozenset[int] = frozenset()) -> Reading:
    """Return the exact number that a finite float of ``bits`` significant bits stands for.

    If two numbers of the table fit, neither is taken: the float means its binary value.  Raises ``ValueError`` for
    ``±∞`` and NaN.

    >>> read(3**-0.5, sizes=frozenset({3})).text
    '1/√3'
    >>> read(0.57735, sizes=frozenset({3})).kind, read(0.125).kind
    ('literal', 'exact')
    """
    if not isfinite(value):
        raise ValueError(f"{value} is no real number")
    exact = Fraction(value)
    if _odd(abs(exact.numerator) or 1).bit_length() <= _SHORT_BITS or (value.is_integer() and abs(value) < 2**53):
        return Reading("exact", exact)
    limit = ULPS.get(bits)
    if limit is None:
        return Reading("literal", exact)
    digits, exponent = frexp(abs(value))
    found: dict[tuple[Fraction, int, int], float] = {}
    for factor, root, logarithm in _near(digits, sizes, (limit + 2) * 2.0 ** (1 - bits)):
        with flint.ctx.workprec(256):
            number = enclosure(factor, root, logarithm)
            twos = exponent - frexp(float(number))[1]
            for power in (twos - 1, twos, twos + 1):
                scaled = factor * Fraction(2) ** power
                unit = flint.arb(2) ** (exponent - bits)
                distance = abs(enclosure(scaled, root, logarithm) - abs(value)) / unit
                if distance <= limit:
                    found[scaled if value > 0 else -scaled, root, logarithm] = float(distance)
    if len(found) != 1:
        return Reading("literal", exact)
    ((factor, root, logarithm), ulps), = found.items()  # fmt: skip
    return Reading("constant", factor, root, logarithm, ulps)
