"""Questions about whole arrays that need no order of values; all others are refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular import codes
from attn_verify.arithmetic.modular.arrays import ModularData, refuse
from attn_verify.arithmetic.modular.codes import NAME
from attn_verify.arithmetic.modular.residues import boxed
from attn_verify.arithmetic.modular.sizes import Monomial


def compare(x: ModularData, op: str, y: ModularData) -> NDArray[np.bool_]:
    """Answer by special values, signs, identity and exact constants."""
    a, b = x.parts, y.parts
    answer, known = codes.order(op, a["special"], a["sign"], b["special"], b["sign"])
    if not known.all():
        same = np.broadcast_to(a["vid"] == b["vid"], known.shape) & ~known
        answer, known = np.where(same, op in ("==", "<=", ">="), answer), known | same
    if not known.all() and x.rational() and y.rational():
        exact = np.frompyfunc(lambda left, right: _ordered(op, left, right), 2, 1)(a["exact"], b["exact"])
        answer, known = np.where(known, answer, exact), np.ones(known.shape, np.bool_)
    if not known.all():
        refuse("comparison", "an order of values that depends on the inputs, on whole arrays")
    return np.asarray(answer, np.bool_)


def constants(x: ModularData) -> NDArray[Any]:
    """Return the Fraction, special name or ball of every constant entry, ``None`` for the others."""
    return boxed(np.frompyfunc(_shown, 2, 1)(x.part("exact"), x.parts["special"]), np.dtype(object))


def _ordered(op: str, a: Monomial | None, b: Monomial | None) -> bool:
    if a is None or b is None:
        return False
    if a.radicals or b.radicals:
        refuse("comparison", "an order of irrational constants on whole arrays")
    x, y = a.rational, b.rational
    return {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}[op]


def _shown(exact: Monomial | None, special: int) -> Any:
    if special:
        return NAME[int(special)]
    if exact is None or not exact.radicals:
        return None if exact is None else exact.rational
    from attn_verify.arithmetic.ball import ball

    value = ball(exact.rational)
    for prime, exponent in exact.radicals:
        value *= ball(Fraction(prime)) ** ball(exponent)
    return value
