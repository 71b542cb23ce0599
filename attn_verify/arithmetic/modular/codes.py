"""Special values and signs of entries as small numbers, and the rules of IEEE arithmetic for them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]

FINITE: Final = 0
INF: Final = 1
MINUS_INF: Final = 2
NAN: Final = 3
POISON: Final = 4
CODE: Final = {"inf": INF, "-inf": MINUS_INF, "nan": NAN, "poison": POISON}
NAME: Final = {code: name for name, code in CODE.items()}

# What is known of the sign of a finite entry for all inputs.
UNKNOWN: Final = 0
NONNEGATIVE: Final = 1
POSITIVE: Final = 2
NEGATIVE: Final = 3
ZERO: Final = 4

_SUM_OF_SPECIALS = np.array([[0, 1, 2, 3], [1, 1, 3, 3], [2, 3, 2, 3], [3, 3, 3, 3]], np.uint8)
_NEGATED = np.array([0, 2, 1, 3, 4], np.uint8)
_NEGATED_SIGN = np.array([0, 0, 3, 2, 4], np.uint8)
_SUM_OF_SIGNS = np.array(
    [[0, 0, 0, 0, 0], [0, 1, 2, 0, 1], [0, 2, 2, 0, 2], [0, 0, 0, 3, 3], [0, 1, 2, 3, 4]], np.uint8
)
_PRODUCT_OF_SIGNS = np.array(
    [[0, 0, 0, 0, 4], [0, 1, 1, 0, 4], [0, 1, 2, 3, 4], [0, 0, 3, 2, 4], [4, 4, 4, 4, 4]], np.uint8
)


def negated(special: Codes) -> Codes:
    """Return the special values of ``−x``."""
    return np.asarray(_NEGATED[special])


def negated_sign(sign: Codes) -> Codes:
    """Return the signs of ``−x``."""
    return np.asarray(_NEGATED_SIGN[sign])


def sum_of_specials(a: Codes, b: Codes) -> Codes:
    """Return the special values of ``a + b``: ``∞ − ∞`` is NaN."""
    return np.asarray(_SUM_OF_SPECIALS[a, b])


def sum_of_signs(a: Codes, b: Codes) -> Codes:
    """Return the signs of ``a + b``."""
    return np.asarray(_SUM_OF_SIGNS[a, b])


def product_of_signs(a: Codes, b: Codes) -> Codes:
    """Return the signs of ``a · b``."""
    return np.asarray(_PRODUCT_OF_SIGNS[a, b])


def signs_along(sign: Codes) -> Codes:
    """Return the signs of sums along the last axis."""
    low = (sign == NONNEGATIVE) | (sign == POSITIVE) | (sign == ZERO)
    negative = (sign == NEGATIVE) | (sign == ZERO)
    out = np.where(low.all(-1), np.where((sign == POSITIVE).any(-1), POSITIVE, NONNEGATIVE), UNKNOWN)
    out = np.where(negative.all(-1) & (sign == NEGATIVE).any(-1), NEGATIVE, out)
    return np.asarray(np.where((sign == ZERO).all(-1), ZERO, out), np.uint8)


def signed(special: Codes, sign: Codes) -> Codes:
    """Return signs that also know those of ``±∞``."""
    if not special.any():
        return sign
    return np.asarray(np.where(special == INF, POSITIVE, np.where(special == MINUS_INF, NEGATIVE, sign)), np.uint8)


def product_of_specials(a: Codes, a_sign: Codes, b: Codes, b_sign: Codes) -> tuple[Codes, Any]:
    """Return the special values of ``a · b``, and where they depend on a sign that is not known."""
    a, a_sign, b, b_sign = np.broadcast_arrays(a, a_sign, b, b_sign)
    special = (a != FINITE) | (b != FINITE)
    if not special.any():
        return np.zeros(special.shape, np.uint8), special
    sign = product_of_signs(signed(a, a_sign), signed(b, b_sign))
    nan = (a == NAN) | (b == NAN)
    out = np.where(sign == POSITIVE, INF, np.where(sign == NEGATIVE, MINUS_INF, NAN))
    out = np.asarray(np.where(special, np.where(nan, NAN, out), FINITE), np.uint8)
    known = nan | (sign == POSITIVE) | (sign == NEGATIVE) | (sign == ZERO)
    return out, special & ~known


def order(op: str, a: Codes, a_sign: Codes, b: Codes, b_sign: Codes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Answer a comparison where special values or signs settle it; return the answers and where they hold."""
    a, a_sign, b, b_sign = np.broadcast_arrays(a, a_sign, b, b_sign)
    nan = (a == NAN) | (b == NAN)
    rank = np.array([0, 1, -1, 0, 0], np.int8)
    x, y = rank[a], rank[b]
    by_rank = (a != FINITE) | (b != FINITE)
    zero_or_less = (b_sign == ZERO) | (b_sign == NEGATIVE)
    above = ~by_rank & (((a_sign == POSITIVE) & zero_or_less) | ((a_sign == ZERO) & (b_sign == NEGATIVE)))
    below_a = (a_sign == ZERO) | (a_sign == NEGATIVE)
    below = ~by_rank & (((b_sign == POSITIVE) & below_a) | ((b_sign == ZERO) & (a_sign == NEGATIVE)))
    same = ~by_rank & (a_sign == ZERO) & (b_sign == ZERO)
    sign = np.where(by_rank, np.sign(x - y), np.where(above, 1, np.where(below, -1, 0)))
    known = nan | by_rank | above | below | same
    answers = {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0, "==": sign == 0, "!=": sign != 0}
    at_least = ~by_rank & (a_sign == NONNEGATIVE) & zero_or_less
    answer = np.where(nan, op == "!=", answers[op])
    if op in (">=", "<"):
        answer, known = np.where(at_least, op == ">=", answer), known | at_least
    return np.asarray(answer, np.bool_), np.asarray(known, np.bool_)
