"""Drawing the primes, roots of unity and random values of one test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from math import gcd
from random import Random
from typing import Any

import flint

from attn_verify.arithmetic.graph import UnmodelledError
from attn_verify.arithmetic.modular.bound import EXCESS, draws_log2
from attn_verify.arithmetic.modular.sizes import Monomial, is_square

# Primes of a tower: two for exponentials, one more for each that they are nested in.
LEVELS = 6


@dataclass(frozen=True)
class Draw:
    """A tower of primes ``p_0 = q, p_1, …`` with ``p_{i−1} | p_i − 1``, and elements ``ω_i`` of order ``p_{i−1}``.

    Level 0 holds exponents, the last level results; every prime is 3 modulo 4, so that each square has one root
    that is a square itself, and ``√(ab) = √a √b`` for these roots.
    """

    primes: tuple[int, ...]
    omegas: tuple[int, ...]  # omegas[0] is unused
    seed: str
    shallow: tuple[str, ...] = ()  # inputs that are given no residues below the last level

    @property
    def top(self) -> int:
        """The last level."""
        return len(self.primes) - 1

    def value(self, level: int, key: str) -> int:
        """Return the pseudo-random residue of an input or an atom that is known by ``key``."""
        p = self.primes[level]
        size = (p.bit_length() + EXCESS + 7) // 8
        text = f"{self.seed}|{level}|{key}".encode()
        return int.from_bytes(hashlib.shake_256(text).digest(size)) % p

    def rational(self, level: int, numerator: int, denominator: int) -> int:
        """Return the residue of a rational number; raise ``ZeroDivisionError`` if the prime divides its denominator."""
        p = self.primes[level]
        return numerator * inverse(denominator, p) % p

    def constant(self, level: int, value: Monomial) -> int:
        """Return the residue of a rational times roots of primes."""
        p = self.primes[level]
        result = self.rational(level, value.rational.numerator, value.rational.denominator)
        for prime, exponent in value.radicals:
            root = prime
            for _ in range(exponent.denominator.bit_length() - 1):
                root = pow(root, (p + 1) // 4, p)
            result = result * pow(root, exponent.numerator, p) % p
        return result

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Residues of whole input arrays, once they were drawn."""
        return {}

    @cached_property
    def tables(self) -> dict[int, Any]:
        """Tables of powers by level, once they were needed."""
        return {}

    def uniform(self, level: int, key: str, count: int) -> list[int]:
        """Return ``count`` independent uniform residues."""
        p, random = self.primes[level], Random(f"{self.seed}|{key}")
        bits, found = p.bit_length(), list[int]()
        while len(found) < count:
            found += [x for x in map(random.getrandbits, repeat(bits, count - len(found))) if x < p]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data from which another process makes the same draw."""
        numbers = {"primes": [str(p) for p in self.primes], "omegas": [str(w) for w in self.omegas]}
        return {**numbers, "seed": self.seed, "shallow": list(self.shallow)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Draw:
        """Read what :meth:`to_dict` wrote."""
        primes, omegas = (tuple(map(int, data[name])) for name in ("primes", "omegas"))
        return Draw(primes, omegas, str(data["seed"]), tuple(map(str, data["shallow"])))


def inverse(a: int, p: int) -> int:
    """Return ``1 / a`` modulo a prime; raise ``ZeroDivisionError`` if there is none."""
    try:
        return pow(a, -1, p)
    except ValueError:
        raise ZeroDivisionError("a divisor is zero in the finite field") from None


def proved(n: int, q: int) -> bool:
    """Return whether ``n`` is proved prime by a prime factor ``q`` of ``n − 1`` with ``2q ≥ n^{1/3}``.

    Every prime factor of ``n`` is 1 modulo ``2q`` if ``a^{n−1} = 1`` and ``a^{(n−1)/q} − 1`` is prime to ``n``; then
    two of them would multiply to ``n`` only as roots of a quadratic.  Source: Brillhart, Lehmer, Selfridge (1975);
    Crandall and Pomerance, Prime Numbers, theorems 4.1.3 and 4.1.5.

    >>> proved(1 + 2 * 3 * 101, 101), proved(1 + 2 * 6 * 101, 101)
    (True, True)
    >>> proved(203 * 405, 101)
    False
    """
    if (n - 1) % (2 * q) or pow(2, n - 1, n) != 1 or gcd(pow(2, (n - 1) // q, n) - 1, n) != 1:
        return False
    upper, c1 = divmod((n - 1) // (2 * q), 2 * q)
    return upper == 0 or (upper < 2 * q and not is_square(max(c1 * c1 - 4 * upper, 2)))


def draw(seed: str, q_bits: int, k_bits: int, levels: int = 2, squares: Sequence[int] = ()) -> Draw:
    """Draw a tower of primes in which every number of ``squares`` is a square.

    ``q`` is uniform among the admissible primes of ``q_bits`` bits, and each further prime among those of the form
    ``k p + 1`` with ``k`` of ``k_bits`` bits.  Raises ``UnmodelledError`` after a number of candidates that
    the error bound counts (:func:`~attn_verify.arithmetic.modular.bound.draws_log2`), and at more than ``LEVELS``.

    >>> d = draw("0", 62, 70)
    >>> q, p = d.primes
    >>> (p - 1) % q, pow(d.omegas[1], q, p), q % 4, p % 4
    (0, 1, 3, 3)
    """
    if levels > LEVELS:
        raise UnmodelledError(f"exponentials nested {levels - 1} deep, which takes longer than an answer is worth")
    random = Random(seed)

    def admissible(p: int, base: int) -> bool:
        candidate = flint.fmpz(p)
        if not all(flint.fmpz(s).jacobi(candidate) == 1 for s in squares) or not candidate.is_probable_prime():
            return False
        return bool(proved(p, base) if 8 * base**3 > p else candidate.is_prime())

    def pick(bits: int, rest: int, base: int) -> tuple[int, int]:
        limit = 1 << draws_log2(bits + base.bit_length(), len(squares))
        for _ in range(limit):
            k = (1 << (bits - 1)) + 4 * random.getrandbits(bits - 3) + rest
            p = k * base + 1 if base else k
            if admissible(p, base):
                return p, k
        raise UnmodelledError(f"no admissible prime among {limit} candidates")

    primes, omegas = [pick(q_bits, 3, 0)[0]], [0]
    for _ in range(levels - 1):
        p, k = pick(k_bits, 2, primes[-1])
        omega = 1
        while omega == 1:
            omega = pow(random.randrange(1, p), k, p)
        primes.append(p)
        omegas.append(omega)
    return Draw(tuple(primes), tuple(omegas), seed)
