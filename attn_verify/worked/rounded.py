"""The algebra of balls for numbers that were computed in floats before they were printed.

A printed result is a rounded decimal of a *computed* number, which is itself off by the roundings of
its operations.  Here every operation widens its result by what one float operation may lose, in any
order of summation, so that an enclosure holds for the computed number and not only for the real one.
Without it, a correct result that was printed to 17 digits, or that lies on the edge between two
decimals, would be refuted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint

from attn_verify import language
from attn_verify.arithmetic.ball import Ball, ball, ends
from attn_verify.worked.balls import ALGEBRA, BallMatrix, moderate
from attn_verify.worked.document import SMALLEST, UNITS

# Roundings of one operation; a function is taken to be within 4 units in the last place.
_FUNCTION = 8
_SHIFT = 3
# A result below the smallest normal number is lost altogether where it is flushed to zero, and its roundings with it.
_LOST = 2


@lru_cache(maxsize=len(UNITS))
def algebra(arithmetic: str) -> language.Algebra:
    """Return the algebra of balls with the roundings of ``arithmetic``, a key of ``UNITS``.

    >>> from attn_verify import language
    >>> third = language.evaluate(language.parse("1 / 3"), {}, algebra("float64"))
    >>> low, high = third.bounds()[0][0]
    >>> low <= Fraction(1 / 3) <= high and high - low < Fraction(4, 2**53)
    True
    """
    unit = UNITS[arithmetic]
    if not unit:
        return ALGEBRA
    once = {name: _rounded(ALGEBRA.operators[name], unit, unit) for name in "+-*/"}
    mapped = {name: _rounded(ALGEBRA.functions[name], _FUNCTION * unit, unit) for name in ("exp", "log", "sqrt")}
    return replace(
        ALGEBRA,
        number=lambda value: stored(ALGEBRA.number(value), unit),
        operators={**ALGEBRA.operators, **once, "@": lambda A, B: _matmul(A, B, unit)},
        power=lambda M, exponent: _widen(
            ALGEBRA.power(M, exponent),
            (_FUNCTION + abs(exponent.numerator)) * unit,
            (_LOST + abs(exponent.numerator)) * SMALLEST[unit],
        ),
        functions={**ALGEBRA.functions, **mapped, "softmax": lambda M: _softmax(M, unit)},
    )


def stored(M: BallMatrix, unit: Fraction) -> BallMatrix:
    """Return exactly known numbers as a float may hold them; copies stay exactly what was printed."""
    factor, lost = _relative(unit), _around(_LOST * SMALLEST[unit])
    rows = tuple(tuple(x if _fits(x, unit) else _off(x, factor, lost) for x in row) for row in M.rows)
    return BallMatrix(rows, M.copied)


def _fits(x: Ball, unit: Fraction) -> bool:
    """Whether ``x`` is one number that the format with this unit roundoff can hold."""
    if not x.is_exact() or x.mid().man_exp()[0].bit_length() > unit.denominator.bit_length() - 1:
        return False
    return bool(x.is_zero() or x.abs_lower() >= ball(SMALLEST[unit]))


def _rounded(apply: Callable[..., BallMatrix], error: Fraction, unit: Fraction) -> Callable[..., BallMatrix]:
    def rounded(*operands: BallMatrix) -> BallMatrix:
        return _widen(apply(*operands), error, _LOST * SMALLEST[unit])

    return rounded


def _widen(M: BallMatrix, error: Fraction, loss: Fraction) -> BallMatrix:
    factor, lost = _relative(error), _around(loss)
    return BallMatrix(tuple(tuple(_off(x, factor, lost) for x in row) for row in M.rows))


def _relative(error: Fraction) -> Ball:
    """Return ``1 ± γ`` with ``γ = error / (1 − error)``, which also covers a division by ``1 ± error``."""
    return _cached(Fraction(1), error / (1 - error), flint.ctx.prec)


def _around(loss: Fraction) -> Ball:
    """Return ``0 ± loss``."""
    return _cached(Fraction(0), loss, flint.ctx.prec)


@lru_cache(maxsize=512)
def _cached(middle: Fraction, radius: Fraction, bits: int) -> Ball:
    """Return a ball at the working precision, which is ``bits``."""
    return ball(middle, radius)


def _off(x: Ball, factor: Ball, lost: Ball) -> Ball:
    """Return ``x`` with a relative and an absolute error; neither changes its sign, nor a result that is exactly 0."""
    if x.is_zero():
        return x
    wider = x * factor + lost
    if x.is_finite() and x.lower() >= 0:
        return wider.nonnegative_part()
    return -(-wider).nonnegative_part() if x.is_finite() and x.upper() <= 0 else wider


def _matmul(A: BallMatrix, B: BallMatrix, unit: Fraction) -> BallMatrix:
    """Return ``A B`` with ``γ_k |A| |B|`` around it, k the length of the inner products.

    Each product and each sum may also be flushed to zero.
    """
    length = A.shape[1]
    gamma = length * unit / (1 - length * unit)
    lost = _around((2 * length + _LOST) * SMALLEST[unit])
    sizes = (_sizes(A) * _sizes(B)).tolist()
    product = ALGEBRA.operators["@"](A, B)
    nonnegative = all(x.lower() >= 0 for M in (A, B) for row in M.rows for x in row)
    rows = []
    for row, bounds in zip(product.rows, sizes, strict=True):
        wider = [
            x if bound.is_zero() else x + flint.arb(0, (bound * _around(gamma)).abs_upper()) + lost
            for x, bound in zip(row, bounds, strict=True)
        ]
        rows.append(tuple(x.nonnegative_part() if nonnegative and x.is_finite() else x for x in wider))
    return BallMatrix(tuple(rows))


def _sizes(M: BallMatrix) -> Any:
    return flint.arb_mat([[x.abs_upper() for x in row] for row in M.rows])


def _softmax(M: BallMatrix, unit: Fraction) -> BallMatrix:
    """Return the softmax of each row, each weight off by its exponential, its row sum and a division.

    An exponent ``s_j − max`` is rounded relative to its size, at most the range of the row.
    """
    weights = ALGEBRA.functions["softmax"](M)
    rows = []
    for scores, row in zip(M.rows, weights.rows, strict=True):
        if not all(moderate(s) for s in scores):
            rows.append(tuple(_unit() for _ in row))
            continue
        reach = max(ends(s)[1] for s in scores) - min(ends(s)[0] for s in scores)
        # Numerator and denominator are both off, hence twice the exponent's error.
        error = (2 * (_SHIFT * reach + _FUNCTION) + len(row) + 2) * unit
        if 2 * error >= 1:
            rows.append(tuple(_unit() for _ in row))
            continue
        # The row sum is at least 1, so what the exponentials lose to underflow stays absolute.
        factor, lost = _relative(2 * error), _around((len(row) + 2 * _LOST) * SMALLEST[unit])
        rows.append(tuple(_off(p, factor, lost) for p in row))
    return BallMatrix(tuple(rows))


def _unit() -> Ball:
    """Return the ball around [0, 1], where any weight lies."""
    return ball(Fraction(1, 2), Fraction(1, 2)).nonnegative_part()
