"""The smallest counterexample of a statement: small sizes and simple numbers, in a fixed order, then made simpler.

A quick look in floats finds candidates; only what :func:`attn_verify.theorems.models.refutes` confirms, exactly or in
balls, is a counterexample.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

from attn_verify.arithmetic.sums.normal import RefusedError, derivative
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
    term,
    walk,
)  # fmt: skip
from attn_verify.theorems.kernel.facts import Eq, Le, Lt, indices_of, terms_of
from attn_verify.theorems.models import UndecidedError, holds, refutes
from attn_verify.theorems.theorem import Model

Judged = Eq | Le | Lt
NUMBERS: tuple[Term, ...] = (
    *map(term, (0, 1, -1, 2, Fraction(1, 2), -2)), Log(term(2)), Log(term(3)), term(3), term(Fraction(-1, 2)),
)  # fmt: skip
MORE: tuple[Term, ...] = (*map(term, (Fraction(1, 3), Fraction(2, 3), Fraction(1, 4), Fraction(3, 4), 4, -3, 10, -10)),)
POOL = NUMBERS + MORE
SCORES = tuple(sorted(POOL, key=lambda t: (t != NUMBERS[0], not isinstance(t, Log))))  # exponentials of these are exact
MOST_TRIES = 1_000  # of all assignments; of drawn ones a third
MOST_CONFIRMED = 12
FAILED = (UndecidedError, RefusedError, ZeroDivisionError, OverflowError, RecursionError, ValueError)


@dataclass
class Found:
    """What a search saw: a counterexample if there is one, an example, and where a side has no value."""

    model: Model | None = None
    example: Model | None = None  # the hypotheses hold, and so does the claim
    undefined: Model | None = None  # the hypotheses hold, and a side of the claim has no value
    tried: int = 0
    sizes: list[Mapping[str, int]] = field(default_factory=list)


def search(claim: Judged, given: Sequence[Judged] = (), largest: int = 3) -> Found:
    """Look for a model at which the hypotheses hold and the claim does not.

    >>> x = App(Symbol("x"))
    >>> found = search(Le(x, x * x))
    >>> found.model.values[x.symbol]
    Num(value=Fraction(1, 2))
    """
    found = Found()
    everything = [t for s in (claim, *given) for side in terms_of(s) for t in walk(side)]
    symbols = sorted({t.symbol for t in everything if isinstance(t, App)}, key=lambda s: (len(s.sorts), s.name))
    sorts = {s for symbol in symbols for s in symbol.sorts} | {i.sort for s in (claim, *given) for i in indices_of(s)}
    sorts |= {t.sort for t in everything if isinstance(t, Size)} | {
        t.index.sort for t in everything if isinstance(t, Sum)
    }
    exponential = any(isinstance(t, Exp) for t in everything)
    pools = {s: SCORES if exponential and s.sorts else POOL for s in symbols}
    try:
        looks = Look(claim, tuple(given))
    except FAILED:
        return found
    for sizes in _sizes(sorted(sorts, key=repr), largest):
        found.sizes.append({s.name: n for s, n in sizes.items()})
        counts = {s: math.prod(sizes[a] for a in s.sorts) for s in symbols}
        confirmed = 0
        own = [pools[s] for s, count in counts.items() for _ in range(count)]
        for values in _assignments(own, len(POOL) if given else len(NUMBERS)):
            found.tried += 1
            flat = _split(values, counts)
            state = looks.at(sizes, {s: [VALUE[v] for v in entries] for s, entries in flat.items()})
            if (state == "holds" and found.example is not None) or state == "given fails":
                continue
            if confirmed >= MOST_CONFIRMED and state == "unclear":
                continue
            model = _model(sizes, flat)
            confirmed += state == "unclear"
            verdict = judged(claim, given, model)
            if verdict == "false":
                found.model = simpler(claim, given, sizes, flat, pools)
                return found
            if verdict == "true":
                found.example = found.example or model
            elif verdict == "no value":
                found.undefined = found.undefined or model
    return found


def judged(claim: Judged, given: Sequence[Judged], model: Model) -> str:
    """Say what a claim is at a model: ``true``, ``false``, ``no value``, or ``given fails``; exactly or in balls."""
    try:
        if not all(holds(s, model) for s in given):
            return "given fails"
    except FAILED:
        return "given fails"
    try:
        if refutes(model, claim, tuple(given)):
            return "false"
    except FAILED:
        return "no value"
    return "true"


def _sizes(sorts: Sequence[Sort], largest: int) -> Iterator[dict[Sort, int]]:
    for places in sorted(product(range(1, largest + 1), repeat=len(sorts)), key=lambda p: (sum(p), p)):
        yield dict(zip(sorts, places, strict=True))


def _assignments(pools: Sequence[Sequence[Term]], most: int) -> Iterator[tuple[Term, ...]]:
    """Yield a value for each place: all of few, simplest first, else drawn with a fixed seed."""
    for length in range(most, 2, -1):
        if length ** len(pools) <= MOST_TRIES:
            order = sorted(product(range(length), repeat=len(pools)), key=lambda p: (sum(p), p))
            yield from (tuple(pool[n] for pool, n in zip(pools, places, strict=True)) for places in order)
            if length == most:
                return
            break
    draw = random.Random(len(pools))
    for _ in range(MOST_TRIES // 3):
        few = draw.sample(range(most), k=min(most, draw.choice((2, 3, 5, most))))
        yield tuple(pool[draw.choice(few)] for pool in pools)


def _split(values: Sequence[Term], counts: Mapping[Symbol, int]) -> dict[Symbol, tuple[Term, ...]]:
    found, at = {}, 0
    for symbol, count in counts.items():
        found[symbol] = tuple(values[at : at + count])
        at += count
    return found


def _model(sizes: Mapping[Sort, int], flat: Mapping[Symbol, Sequence[Term]]) -> Model:
    return Model(dict(sizes), {s: _nested(list(values), [sizes[a] for a in s.sorts]) for s, values in flat.items()})


def _nested(values: list[Term], shape: Sequence[int]) -> Any:
    if not shape:
        return values[0]
    step = len(values) // shape[0]
    return tuple(_nested(values[n * step : (n + 1) * step], shape[1:]) for n in range(shape[0]))


def simpler(
    claim: Judged,
    given: Sequence[Judged],
    sizes: Mapping[Sort, int],
    flat: dict[Symbol, tuple[Term, ...]],
    pools: Mapping[Symbol, Sequence[Term]],
) -> Model:
    """Replace entries by simpler numbers as long as the claim stays false."""
    changed = True
    while changed:
        changed = False
        for symbol, values in flat.items():
            for at, value in enumerate(values):
                for candidate in pools[symbol][: pools[symbol].index(value)]:
                    trial = {**flat, symbol: (*values[:at], candidate, *values[at + 1 :])}
                    if judged(claim, given, _model(sizes, trial)) == "false":
                        flat, values, changed = trial, trial[symbol], True
                        break
    return _model(sizes, flat)


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
        return _without_derivatives(derivative(_without_derivatives(t.body), t.by))
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
            return lambda env: float(env.places[left] == env.places[right])
        case Add(terms):
            parts = [compiled(x) for x in terms]
            return lambda env: sum(p(env) for p in parts)
        case Mul(factors):
            parts = [compiled(x) for x in factors]
            return lambda env: math.prod(p(env) for p in parts)
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


VALUE: Mapping[Term, float] = {t: compiled(t)(Places({}, {})) for t in POOL}
