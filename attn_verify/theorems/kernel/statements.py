"""Statements: what a fact can say, and the terms in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import App, Index, Num, Term, free, walk
from attn_verify.theorems.kernel.computed import Integral, Limit, Rank


@dataclass(frozen=True)
class Comparison:
    """What an equation and both kinds of inequality have in common: two sides."""

    left: Term
    right: Term


class Eq(Comparison):
    """left = right."""


class Le(Comparison):
    """left ≤ right."""


class Lt(Comparison):
    """left < right."""


@dataclass(frozen=True)
class Absurd:
    """What cannot be."""


@dataclass(frozen=True)
class Cited:
    """A statement in words that a named rule yields; no rule takes it apart again."""

    rule: str
    text: str


Statement = Eq | Le | Lt | Absurd | Cited | Limit | Integral | Rank
STATEMENTS = (Eq, Le, Lt, Absurd, Cited, Limit, Integral, Rank)


Given = Iterable[Statement]


@dataclass(frozen=True, init=False, eq=False)
class Fact:
    """``given ⊢ statement``, with the rule that made it, what it leans on unchecked, and whether sizes were fixed."""

    given: frozenset[Statement]
    statement: Statement
    rule: str
    cited: frozenset[str]
    fixed: frozenset[str]

    def __init__(self, *_: object, **__: object) -> None:
        raise RefusedError("facts are made by the rules of the kernel only")


def terms_of(statement: Statement) -> tuple[Term, ...]:
    """Return the two sides of a statement; none of one in words."""
    if type(statement) not in STATEMENTS:
        raise RefusedError("this is no statement")
    return (statement.left, statement.right) if isinstance(statement, Comparison) else ()


def gap(statement: Le | Lt) -> Term:
    """Return what is non-negative, or positive, by an inequality: right − left."""
    return statement.right if statement.left == Num(Fraction(0)) else statement.right - statement.left


def indices_of(statement: Statement) -> frozenset[Index]:
    """Return the free indices of a statement."""
    return frozenset().union(*map(free, terms_of(statement)))


def changed(statement: Statement, change: Callable[[Term], Term]) -> Statement:
    """Return a statement with both sides changed."""
    if isinstance(statement, Comparison):
        return type(statement)(change(statement.left), change(statement.right))
    return statement


def entries_of(statement: Statement) -> set[App]:
    """Return the entries of symbols in a statement."""
    return {t for side in terms_of(statement) for t in walk(side) if isinstance(t, App)}
