"""Statements in floats, for a quick look: nothing rests on what is seen here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.rules import derivative
from attn_verify.arithmetic.sums.terms import (
    Abs,
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
    Sort,
    Sum,
    Symbol,
    Term,
    Trig,
    Whole,
    rebuilt,
)  # fmt: skip
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, indices_of

Judged = Eq | Le | Lt


class Look:
    """A statement and its hypotheses in floats: where it seems to hold, to fail, or cannot be told."""

    def __init__(self, claim: Judged, given: Sequence[Judged]) -> None:
        self._statements = [
            (
                type(s),
                sorted(indices_of(s), key=repr),
                compiled(_without_derivatives(s.left)),
                compiled(_without_derivatives(s.right)),
            )
            for s in (*given, claim)
        ]

    def at(self, sizes: Mapping[Sort, int], values: Mapping[Symbol, Sequence[float]]) -> str:
        """Return ``holds``, ``given fails`` or ``unclear`` (which includes ``fails``)."""
        env = Places(sizes, values)
        for place, (kind, loose, left, right) in enumerate(self._statements):
            last = place == len(self._statements) - 1
            for places in product(*(range(sizes[i.sort]) for i in loose)):
                env.places.update(zip(loose, places, strict=True))
                try:
                    gap = right(env) - left(env)
                except (ValueError, ZeroDivisionError, OverflowError):
                    return "unclear"
                clear = abs(gap) > 1e-9
                if (clear and (kind is Eq or gap < 0)) or not math.isfinite(gap):
                    return "unclear" if last or not math.isfinite(gap) else "given fails"
                if not clear and kind is Lt:
                    return "unclear" if last else "given fails"
        return "holds"


@dataclass
class Places:
    """Sizes, values in one row each, and the places of indices."""

    sizes: Mapping[Sort, int]
    values: Mapping[Symbol, Sequence[float]]
    places: dict[Index, int] = field(default_factory=dict)


Number = Callable[[Places], float]


def _without_derivatives(t: Term) -> Term:
    if isinstance(t, Deriv):
        body = _without_derivatives(t.body)  # where it has no value, its slope has none
        return Add((_without_derivatives(derivative(body, t.by)), Mul((Num(Fraction(0)), body))))
    return rebuilt(t, _without_derivatives)


def compiled(t: Term) -> Number:
    """Return a function that evaluates a term in floats."""
    match t:
        case Num(value):
            number = float(value)
            return lambda env: number
        case App(symbol, indices):

            def entry(env: Places) -> float:
                at = 0
                for i in indices:
                    at = at * env.sizes[i.sort] + env.places[i]
                return env.values[symbol][at]

            return entry
        case Size(sort):
            return lambda env: float(env.sizes[sort])
        case Delta(left, right):
            a, b = left, right
            return lambda env: float(env.places[a] == env.places[b])
        case Add(terms):
            summands = [compiled(x) for x in terms]
            return lambda env: sum(p(env) for p in summands)
        case Mul(factors):
            all_of = [compiled(x) for x in factors]
            return lambda env: math.prod(p(env) for p in all_of)
        case Pow(base, exponent):
            inner, power = compiled(base), float(exponent)
            whole = int(exponent) if exponent.denominator == 1 else None
            return lambda env: inner(env) ** whole if whole is not None else math.pow(inner(env), power)
        case Exp(argument):
            inner = compiled(argument)
            return lambda env: math.exp(inner(env))
        case Log(argument):
            inner = compiled(argument)
            return lambda env: math.log(inner(env))
        case Abs(argument):
            inner = compiled(argument)
            return lambda env: abs(inner(env))
        case Trig(name, argument):
            inner, function = compiled(argument), math.cos if name == "cos" else math.sin
            return lambda env: function(inner(env))
        case Whole(name, left, right):
            one, two = compiled(left), compiled(right)
            return lambda env: one(env) // two(env) if name == "//" else one(env) % two(env)
        case Sum(index, body):
            inner = compiled(body)

            def summed(env: Places) -> float:
                before, total = env.places.get(index), 0.0
                for n in range(env.sizes[index.sort]):
                    env.places[index] = n
                    total += inner(env)
                if before is not None:
                    env.places[index] = before
                return total

            return summed
    raise RefusedError(f"{type(t).__name__} is not looked at in floats")
