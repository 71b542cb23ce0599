"""Constants that floats may round: where exact ones are equal, those in floats need not be.

``n/10 + n/5 - 3*n/10`` is 0 in exact numbers, and ``5.6e-17`` in floats for n = 1.  So the values of operations on
constants that floats do not compute exactly are remembered, and no question is answered by their equality.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Node
from attn_verify.arithmetic.tracing.session import Session, current

# Whole numbers below this are floats.
_WHOLE = 2**53
# What floats may lose of constants, relative to the largest on the way, or absolutely.
_NEAR = Fraction(1, 2**40)


def remember(name: str, result: NDArray[Any], *operands: NDArray[Any]) -> None:
    """Take note of the constants among the entries of a result that floats may have rounded on the way."""
    if name == "maximum" or not any(node.rational is not None for node in result.flat):
        return
    session = current()
    for node, *given in zip(result.flat, *(np.broadcast_to(x, result.shape).flat for x in operands), strict=True):
        # What is multiplied by zero is zero, and so is zero divided by anything.
        nothing = name in ("multiply", "divide") and any(part.rational == 0 for part in given)
        if node.rational is not None and not nothing:
            _note(session, node.rational, given)


def remember_sum(node: Node, terms: Iterable[Node]) -> None:
    """Take note of a sum that is a constant, where floats may have rounded it."""
    if node.rational is not None:
        _note(current(), node.rational, list(terms))


def _note(session: Session, value: Fraction, given: list[Node]) -> None:
    # A number less itself, or divided by itself, is exact.
    same = len(given) == 2 and given[0] is given[1] and given[0].rational is None
    if not same and not (_is_float(value) and all(_is_exact(session, part) for part in given)):
        sizes = [abs(part.rational) for part in given if part.rational is not None]
        session.inexact[value] = max(
            [session.inexact.get(value, _NEAR), abs(value) * _NEAR, *(_NEAR * x for x in sizes)]
        )


def _is_exact(session: Session, node: Node) -> bool:
    if node.special is not None:
        return True
    return node.rational is not None and node.rational not in session.inexact and _is_float(node.rational)


def _is_float(value: Fraction) -> bool:
    below = value.denominator
    return below & (below - 1) == 0 and abs(value.numerator) < _WHOLE and below < 2**1000


def require_apart(session: Session, a: Node, b: Node) -> None:
    """Refuse a question about two constants that floats may answer otherwise."""
    left, right = a.rational, b.rational
    if left is None or right is None or session.tolerant:
        return
    moved = [session.inexact[x] for x in (left, right) if x in session.inexact]
    if moved and abs(left - right) <= sum(moved):
        session.refuse("comparison", "two constants that floats round to others, and compare otherwise")
