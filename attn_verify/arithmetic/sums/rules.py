"""Equations read from left to right, the terms that they match, what is known of signs, the rules of derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import Protocol

from attn_verify.arithmetic.sums.polynomials import Powers, RefusedError
from attn_verify.arithmetic.sums.terms import (
    Add,
    App,
    Delta,
    Deriv,
    Exp,
    Index,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Term,
    Trig,
    Whole,
    free,
    fresh,
    rename,
    walk,
)  # fmt: skip


class Signs(Protocol):
    """What is known of the signs of terms, asked for where a term is divided by, or a root or logarithm taken."""

    def nonnegative(self, t: Term) -> bool:
        """Return whether a term is known to be ≥ 0."""

    def positive(self, t: Term) -> bool:
        """Return whether a term is known to be > 0."""

    def nonzero(self, t: Term) -> bool:
        """Return whether a term is known not to be 0."""


@dataclass(frozen=True)
class Rule:
    """An equation read from left to right: an entry, a derivative, or one sum of a product of entries."""

    left: tuple[Term, ...]
    bound: Index | None
    right: Term


def derivative(t: Term, by: App) -> Term:
    """Return ∂t/∂by by the rules of Leibniz; a symbol that depends on ``by`` stays a derivative."""
    match t:
        case Num() | Size() | Delta():
            return Num(Fraction(0))
        case App(symbol, indices):
            if symbol == by.symbol:
                return Mul(tuple(Delta(i, j) for i, j in zip(indices, by.indices, strict=True)))
            return Deriv(t, by) if by.symbol.name in symbol.depends else Num(Fraction(0))
        case Add(terms):
            return Add(tuple(derivative(x, by) for x in terms))
        case Mul(factors):
            return Add(tuple(Mul((*factors[:n], derivative(x, by), *factors[n + 1 :])) for n, x in enumerate(factors)))
        case Pow(base, exponent):
            return Mul((Num(exponent), Pow(base, exponent - 1), derivative(base, by))) if exponent else Num(Fraction(0))
        case Exp(argument):
            return Mul((t, derivative(argument, by)))
        case Log(argument):
            return Mul((derivative(argument, by), Pow(argument, Fraction(-1))))
        case Trig(name, argument):
            other = Trig("sin", argument) if name == "cos" else Trig("cos", argument)
            return Mul((Num(Fraction(-1 if name == "cos" else 1)), other, derivative(argument, by)))
        case Sum(index, body):
            aside = fresh(index)
            return Sum(aside, derivative(rename(body, {index: aside}), by))
    raise RefusedError(f"no derivative is known of {type(t).__name__}")


def match(pattern: Term, found: Term, names: Mapping[Index, Index]) -> dict[Index, Index] | None:
    """Return the indices that make an entry or a derivative of entries another one; None if none do."""
    if isinstance(pattern, Deriv) and isinstance(found, Deriv):
        inner = match(pattern.body, found.body, names)
        return None if inner is None else match(pattern.by, found.by, inner)
    if not (isinstance(pattern, App) and isinstance(found, App) and pattern.symbol == found.symbol):
        return None
    done = dict(names)
    for want, have in zip(pattern.indices, found.indices, strict=True):
        variable = replace(want, shift=0)
        if not want.name or want.fixed:
            if want != have:
                return None
        elif have.shift < want.shift or done.setdefault(variable, replace(have, shift=have.shift - want.shift)) != (
            replace(have, shift=have.shift - want.shift)
        ):
            return None
    return done


def contractions(rule: Rule, powers: Powers, bound: Sequence[Index]) -> Iterator[tuple[dict[Index, Index], Powers]]:
    """Yield the ways in which a rule contracts a sum of products: its indices, and the factors that are left."""
    if rule.bound is None:
        return
    single = [a for a, e in powers if e == 1 and isinstance(a, App)]
    for chosen in permutations(single, len(rule.left)):
        names: dict[Index, Index] | None = {}
        for pattern, atom in zip(rule.left, chosen, strict=True):
            names = None if names is None else match(pattern, atom, names)
        others = [(a, e) for a, e in powers if a not in chosen]
        summed = names.get(rule.bound) if names else None
        if names and summed in bound and not any(summed in free(a) for a, _ in others):
            images = [i for pattern, i in names.items() if pattern != rule.bound]
            if summed not in images:
                yield names, others


def everywhere(t: Term, exponent: Fraction) -> bool:
    """Return whether a power of a term is defined for all numbers."""
    powers = [exponent, *(inner.exponent for inner in walk(t) if isinstance(inner, Pow))]
    whole = all(e >= 0 and e.denominator == 1 for e in powers)
    return whole and not any(isinstance(inner, Log | Whole) for inner in walk(t))
