"""Balls: real numbers as midpoint ± radius, with every rounding inside the radius (FLINT's ``arb``).

A comparison of balls answers *certainly*; here they are compared by their exact end points instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import flint

from attn_verify.arithmetic.number_system import Arithmetic, Matrix

Ball = flint.arb

DEFAULT_BITS = 128


@contextmanager
def precision(bits: int = DEFAULT_BITS) -> Iterator[None]:
    """Compute with ``bits`` bits inside the block; the process-wide setting is restored after it."""
    with flint.ctx.workprec(bits):
        yield


def ball(value: Fraction | int | float, radius: Fraction | int = 0) -> Ball:
    """Return the ball ``value ± radius``, rounded outward to the working precision.

    >>> ball(Fraction(1, 4)).str(5)
    '0.25000'
    """
    middle = flint.arb(value) if isinstance(value, float) else flint.arb(_fmpq(Fraction(value)))
    return middle + flint.arb(0, flint.arb(_fmpq(Fraction(radius)))) if radius else middle


def hull(low: Fraction, high: Fraction) -> Ball:
    """Return the smallest ball around ``[low, high]``, rounded outward."""
    return ball((low + high) / 2, (high - low) / 2)


def ends(x: Ball) -> tuple[Fraction, Fraction]:
    """Return the exact lower and upper end of a finite ball.

    >>> ends(ball(Fraction(1, 4)))
    (Fraction(1, 4), Fraction(1, 4))
    """
    if not x.is_finite():
        raise OverflowError("the ball is not finite")
    middle, radius = _dyadic(x.mid()), _dyadic(x.rad())
    return middle - radius, middle + radius


def _fmpq(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


def _dyadic(x: Ball) -> Fraction:
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _matmul(A: Matrix, B: Matrix) -> Matrix:
    rows: Matrix = (flint.arb_mat(A) * flint.arb_mat(B)).tolist()
    return rows


BALL = Arithmetic(
    name="balls",
    number=ball,
    sqrt=flint.arb.sqrt,
    exp=flint.arb.exp,
    matmul=_matmul,
)
