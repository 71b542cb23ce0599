"""Slopes at a point, as the rule of tangents wants them: a help for who writes a proof, and no rule."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from attn_verify.arithmetic.sums.polynomials import build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import App, Deriv, Num, Term
from attn_verify.theorems.kernel.signs import normal_under
from attn_verify.theorems.kernel.statements import Statement


def slope_at(f: Term, by: App, at: Fraction, given: Iterable[Statement] = ()) -> Term:
    """Return the derivative of a term at a point.

    Args:
        f: the term.
        by: the scalar that it is derived by.
        at: the point.
        given: what is assumed where the derivative is taken.

    Raises:
        RefusedError: the derivative is not seen to be defined.

    >>> from attn_verify.theorems.notation import scalar
    >>> x = scalar("x")
    >>> slope_at(3 * x, x, Fraction(1))
    Num(value=Fraction(3, 1))
    """
    slope = Deriv(f, by)
    normal, _ = normal_under(given, (), [slope])
    return put(build(normal(slope)), {by.symbol: ((), Num(Fraction(at)))})
