"""Statements at a model: sizes and values that make every term a number.

Sums are written out, entries replaced by their values; what is left is decided exactly by its normal form, or by balls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.rules import derivative
from attn_verify.arithmetic.sums.terms import (
    Add,
    App,
    Delta,
    Deriv,
    Index,
    Mul,
    Num,
    Size,
    Sort,
    Sum,
    Term,
    Whole,
    free,
    rebuilt,
    rename,
    term,
    walk,
)  # fmt: skip
from attn_verify.errors import AttnVerifyError
from attn_verify.theorems.kernel.outside import ball
from attn_verify.theorems.kernel.signs import VisibleSigns
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, indices_of, terms_of
from attn_verify.theorems.theorem import Model

BITS = (64, 256, 1024, 4096)


class UndecidedError(AttnVerifyError):
    """A statement that a model leaves open."""


def element(sort: Sort, place: int) -> Index:
    """Return the element at a place of an index set, counted from 0."""
    return Index(f"#{place}", sort, fixed=True)


def _place(index: Index, model: Model) -> int:
    if not index.name:
        return index.shift
    if index.name.startswith("#"):
        return int(index.name[1:]) + index.shift
    base = replace(index, shift=0)
    if base in model.places:
        return model.places[base] + index.shift
    raise UndecidedError(f"the model says nothing of the index {index.name}")


def closed(t: Term, model: Model) -> Term:
    """Return a term with sums written out and entries replaced by values; derivatives are formed before."""
    match t:
        case App(symbol, indices):
            value: Any = model.values.get(symbol)
            if value is None:
                raise UndecidedError(f"the model has no value of {symbol.name}")
            if callable(value):
                return term(value(*(_place(i, model) for i in indices)))
            for index in indices:
                value = value[_place(index, model)]
            return term(value)
        case Size(sort):
            return Num(Fraction(model.sizes[sort]))
        case Delta(left, right):
            return Num(Fraction(int(_place(left, model) == _place(right, model))))
        case Sum(index, body):
            places = range(model.sizes[index.sort])
            pieces = (closed(rename(body, {index: element(index.sort, n)}), model) for n in places)
            return Add(tuple(pieces))
        case Deriv(body, by):
            formed = derivative(body, by)
            if any(isinstance(x, Deriv) for x in walk(formed)):
                raise UndecidedError("a derivative of a symbol has no value in a model")
            nothing = Mul((Num(Fraction(0)), closed(body, model)))  # where the body has no value, its slope has none
            return Add((closed(formed, model), nothing))
        case Whole(name, left, right):
            a, b = (exact(closed(side, model)) for side in (left, right))
            return Num(Fraction(a // b) if name == "//" else a % b)
    return rebuilt(t, lambda inner: closed(inner, model))


def exact(t: Term) -> Fraction:
    """Return a closed term that is a fraction as one."""
    normal = Normal()
    VisibleSigns(normal)
    found = normal.defined(t)
    if not found:
        return Fraction(0)
    if len(found) == 1 and not next(iter(found)).atoms:
        return next(iter(found.values()))
    raise UndecidedError("not a fraction")


def number(t: Term, model: Model, bits: int = 64) -> flint.arb:
    """Return a ball around a term at a model."""
    return ball(closed(t, model), bits)


def instances(statement: Statement, model: Model) -> Iterator[dict[Index, Index]]:
    """Yield the elements that the free indices of a statement can be."""
    loose = sorted((i for i in indices_of(statement) if i not in model.places), key=repr)
    for places in product(*(range(model.sizes[i.sort]) for i in loose)):
        yield {i: element(i.sort, n) for i, n in zip(loose, places, strict=True)}


def holds(statement: Statement, model: Model) -> bool:
    """Return whether a statement is true at a model, for every element that a free index can be."""
    if not isinstance(statement, Eq | Le | Lt):
        raise UndecidedError("only equations and inequalities are evaluated")
    return all(holds_at(statement, model, names) for names in instances(statement, model))


def holds_at(statement: Eq | Le | Lt, model: Model, names: Mapping[Index, Index]) -> bool:
    """Return whether a statement is true at a model, for one choice of elements for its free indices."""
    left, right = (closed(rename(side, names), model) for side in terms_of(statement))
    for bits in BITS:
        difference = ball(right - left, bits)
        if not difference.is_finite():
            raise UndecidedError("a side has no value")
        if difference > 0:
            return not isinstance(statement, Eq)
        if difference < 0:
            return False
        if bits == BITS[0] and _equal(left, right):
            return not isinstance(statement, Lt)
    raise UndecidedError("the sides are too close to tell apart")


def _equal(left: Term, right: Term) -> bool:
    normal = Normal()
    VisibleSigns(normal)
    try:
        return normal.equal(left, right)
    except RefusedError:
        return False


def refutes(model: Model, claim: Statement, given: tuple[Statement, ...] = ()) -> bool:
    """Return whether a model satisfies what is given and not what is claimed."""
    return all(holds(s, model) for s in given) and not holds(claim, model)


def bound(t: Term) -> frozenset[Index]:
    """Return the free indices of a term."""
    return free(t)
