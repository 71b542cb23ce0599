"""Two rules of calculus: tangents, and functions that rise."""

from __future__ import annotations

from fractions import Fraction

from attn_verify.arithmetic.sums.polynomials import RefusedError, build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import App, Deriv, Num, Term, free, walk
from attn_verify.theorems.kernel.facts import Fact, _fact, rule
from attn_verify.theorems.kernel.signs import normal_under
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, entries_of


@rule
def tangent(claim: Le, value: Fact, slope: Fact, curvature: Fact, by: App, at: Fraction) -> Fact:
    """``0 ≤ f``: f and f′ are 0 at a point and f″ ≥ 0 on an interval (from its Taylor formula)."""
    f, zero, here = _function(claim, by), Num(Fraction(0)), {by.symbol: ((), Num(at))}
    normal, _ = normal_under(curvature.given, (), [Deriv(f, by)])
    rises = put(build(normal(Deriv(f, by))), here)
    wanted = Eq(put(f, here), zero), Eq(rises, zero), Le(zero, Deriv(Deriv(f, by), by))
    if (value.statement, slope.statement, curvature.statement) != wanted:
        raise RefusedError("a premise about value, slope or curvature is another")
    about = [s for s in value.given | slope.given | curvature.given if by in entries_of(s)]
    if any(s not in (Lt(zero, by), Le(zero, by)) for s in about) or (about and at <= 0):
        raise RefusedError("x must range over all real numbers, or over the positive ones with the point inside")
    return _fact("tangent", claim, [value, slope, curvature])


def _function(claim: Le, by: App) -> Term:
    named = {t for t in entries_of(claim) if by.symbol.name in (t.symbol.name, *t.symbol.depends)}
    if claim.left != Num(Fraction(0)) or by.indices or by.symbol.depends or not named <= {by}:
        raise RefusedError("the rule is about 0 ≤ f(x) and a free scalar x")
    return claim.right


@rule
def rising(claim: Le, start: Fact, slope: Fact, by: App, at: Term) -> Fact:
    """``0 ≤ f(x)`` for x ≥ a: 0 ≤ f(a), and 0 ≤ f′(x) wherever x ≥ a (a derivative ≥ 0 means increasing)."""
    f, zero, beyond = _function(claim, by), Num(Fraction(0)), Le(at, by)
    if by in set(walk(at)) or not all(i.fixed for i in free(at)):
        raise RefusedError("the start is one number")
    if start.statement != Le(zero, put(f, {by.symbol: ((), at)})) or slope.statement != Le(zero, Deriv(f, by)):
        raise RefusedError("the premises are not 0 ≤ f(a) and 0 ≤ f′(x)")
    if any(by in entries_of(s) for s in (slope.given - {beyond}) | start.given):
        raise RefusedError("another hypothesis mentions x")
    return _fact("increasing", claim, [start, slope], given=[beyond])
