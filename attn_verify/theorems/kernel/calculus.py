"""Two rules of calculus: tangents, and functions that rise."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from attn_verify.arithmetic.sums.polynomials import Polynomial, RefusedError, build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import App, Deriv, Num, Term, free, walk
from attn_verify.theorems.kernel.context import normal_under
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.facts import _fact as make
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, entries_of


def tangent(claim: Le, value: Fact, slope: Fact, curvature: Fact, by: App, at: Fraction) -> Fact:
    """``0 ≤ f``: f and f′ are 0 at a point and f″ ≥ 0 on an interval (from its Taylor formula)."""
    f = _function(claim, by)
    here = {by.symbol: ((), Num(Fraction(at)))}
    wanted = (
        Eq(put(f, here), Num(Fraction(0))),
        Eq(put(build(_derived(f, by, curvature.given)), here), Num(Fraction(0))),
        Le(Num(Fraction(0)), Deriv(Deriv(f, by), by)),
    )
    if (value.statement, slope.statement, curvature.statement) != wanted:
        raise RefusedError("a premise about value, slope or curvature is another")
    about = [s for s in value.given | slope.given | curvature.given if by in entries_of(s)]
    if any(s not in (Lt(Num(Fraction(0)), by), Le(Num(Fraction(0)), by)) for s in about) or (about and at <= 0):
        raise RefusedError("x must range over all real numbers, or over the positive ones with the point inside")
    return make("tangent", claim, [value, slope, curvature])


def _function(claim: Le, by: App) -> Term:
    named = {
        t for t in walk(claim.right) if isinstance(t, App) and by.symbol.name in (t.symbol.name, *t.symbol.depends)
    }
    if claim.left != Num(Fraction(0)) or by.indices or by.symbol.depends or not named <= {by}:
        raise RefusedError("the rule is about 0 ≤ f(x) and a free scalar x")
    return claim.right


def _derived(f: Term, by: App, given: Iterable[Statement]) -> Polynomial:
    return normal_under(given, (), [Deriv(f, by)])[0](Deriv(f, by))


def slope_at(f: Term, by: App, at: Fraction, given: Iterable[Statement] = ()) -> Term:
    """Return the derivative of ``f`` at a point, as the rule of tangents wants it."""
    return put(build(_derived(f, by, given)), {by.symbol: ((), Num(Fraction(at)))})


def rising(claim: Le, start: Fact, slope: Fact, by: App, at: Term) -> Fact:
    """``0 ≤ f(x)`` for x ≥ a: 0 ≤ f(a), and 0 ≤ f′(x) wherever x ≥ a (a derivative ≥ 0 means increasing)."""
    f, zero, beyond = _function(claim, by), Num(Fraction(0)), Le(at, by)
    if by in set(walk(at)) or not all(i.fixed for i in free(at)):
        raise RefusedError("the start is one number")
    if start.statement != Le(zero, put(f, {by.symbol: ((), at)})) or slope.statement != Le(zero, Deriv(f, by)):
        raise RefusedError("the premises are not 0 ≤ f(a) and 0 ≤ f′(x)")
    if any(by in entries_of(s) for s in (slope.given - {beyond}) | start.given):
        raise RefusedError("another hypothesis mentions x")
    return make("increasing", claim, [start, slope], given=[beyond])
