"""The error bound of the identity test, and primes large enough for it.

The argument is in ``docs/explanation/identity-test.md``; the letters are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, inf, log2

from attn_verify.arithmetic.graph import UnmodelledError
from attn_verify.arithmetic.modular.sizes import Poly, log2_int, log_sum, raised

# How often a draw with a vanishing divisor is repeated; the bound counts every attempt.
ATTEMPTS = 4
# Values of atoms come from 128 more bits than their prime has, reduced: that far from uniform.
EXCESS = 128
MAX_BITS = 20_000


def draws_log2(bits: int, squares: int) -> int:
    """Return ``log₂`` of how many candidates are tried for a prime in which some numbers must be squares.

    One candidate in ``bits · ln(2) / 2 · 2^squares`` succeeds on average, so that 32 times as many fail hardly ever.
    """
    return bits.bit_length() + 4 + squares


@dataclass(frozen=True)
class Demand:
    """What the bound depends on, apart from the primes.

    ``result`` bounds the numerator of the difference of two outputs, ``argument`` that of the arguments of two
    atoms; ``exponent`` that of an exponent over the common denominator.  ``pairs`` is ``log₂`` of the number of
    pairs of atoms, ``values`` of the number of pseudo-random values, ``radicals`` the primes under roots with the
    depth of the roots.
    """

    result: Poly
    exponent: Poly = field(default_factory=Poly)
    argument: Poly = field(default_factory=Poly)
    pairs: float = -inf
    values: float = 0.0
    radicals: tuple[tuple[int, int], ...] = ()
    squares: int = 0  # how many numbers were made squares, if more than there are radicals

    @property
    def field_degree(self) -> float:
        """``log₂`` of the degree of the field of the radicals."""
        return float(sum(depth for _, depth in self.radicals))


@dataclass(frozen=True)
class Terms:
    """The terms of the bound for one difference, as ``log₂``."""

    content: float
    collision: float
    norm: float
    root: float

    @property
    def total(self) -> float:
        """``log₂`` of their sum."""
        return log_sum(log_sum(self.content, self.collision), log_sum(self.norm, self.root))


def terms(demand: Demand, poly: Poly, q_bits: int, k_bits: int) -> Terms:
    """Return the bound of one draw for a difference whose numerator is bounded by ``poly``.

    .. math:: \\frac{T_q K R H}{(b-1) 2^{b-3}} + \\frac{K D_e}{2^{b-1}} + \\frac{T_p R \\log_2 ‖c‖}{(b+l-2) 2^{l-3}}
              + \\frac{D_c}{2^{b+l-2}}

    with ``q`` of ``b`` bits, ``k`` of ``l`` bits and ``p = kq + 1``.
    """
    roots = demand.field_degree
    squares = max(len(demand.radicals), demand.squares)
    p_bits = q_bits + k_bits - 2
    content = collision = -inf
    if poly.spread:
        height = raised(demand.exponent.norm + log2_int(2 * max(poly.spread, 1)))
        content = (
            draws_log2(q_bits, squares) + poly.count + roots + log2(max(height, 1.0)) - log2(q_bits - 1) - (q_bits - 3)
        )
        collision = poly.count + log2_int(max(demand.exponent.degree, 1)) - (q_bits - 1)
        if poly.count >= q_bits - 2:
            collision = 0.0
    norm = draws_log2(q_bits + k_bits, squares) + roots + log2(max(poly.norm, 1.0)) - log2(p_bits) - (k_bits - 3)
    root = log2_int(max(poly.degree, 1)) - p_bits
    return Terms(raised(content), raised(collision), raised(norm), raised(root))


def total(demand: Demand, q_bits: int, k_bits: int) -> float:
    """Return ``log₂`` of the bound on accepting unequal functions, over all attempts and atoms."""
    one = terms(demand, demand.result, q_bits, k_bits).total
    merged = demand.pairs + terms(demand, demand.argument, q_bits, k_bits).total
    uneven = demand.values - EXCESS
    return min(raised(log2(ATTEMPTS) + log_sum(log_sum(one, merged), uneven)), 0.0)


def bits_for(demand: Demand, error: float) -> tuple[int, int]:
    """Return the bits of ``q`` and of ``k`` with which one draw keeps the bound below ``error``.

    Raises ``UnmodelledError`` if they would be too large to compute with.
    """
    if not 2.0**-96 <= error < 1:
        raise ValueError(f"error = {error!r}: a number from 2^-96 to below 1")
    goal = log2(error)
    slack = 4 + log2(ATTEMPTS) - goal
    q_bits = k_bits = 62
    for poly, pairs in ((demand.result, 0.0), (demand.argument, max(demand.pairs, 0.0))):
        now = terms(demand, poly, q_bits, k_bits)
        excess = max(now.content, poly.count + log2_int(max(demand.exponent.degree, 1)) - (q_bits - 1))
        if poly.spread:
            q_bits = max(q_bits, q_bits + ceil(excess + pairs + slack))
        k_bits = max(k_bits, k_bits + ceil(now.norm + pairs + slack))
    while not total(demand, q_bits, k_bits) <= goal:  # also where it is no number
        if q_bits + k_bits > MAX_BITS:
            break
        q_bits, k_bits = q_bits + 8, k_bits + 8
    if q_bits + k_bits > MAX_BITS:
        raise UnmodelledError(
            f"the identity test would need primes of {q_bits + k_bits} bits for an error of 2^{goal:.0f}: "
            f"2^{demand.result.count:.0f} exponentials; a smaller size has fewer"
        )
    return q_bits, k_bits
