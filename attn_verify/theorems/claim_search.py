"""The smallest counterexample of a statement: small sizes and simple numbers, in a fixed order, then made simpler.

A quick look in floats finds candidates; only what :func:`attn_verify.theorems.models.refutes` confirms, exactly or in
balls, is a counterexample.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, product
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import (
    App,
    Exp,
    Log,
    Size,
    Sort,
    Sum,
    Symbol,
    Term,
    parts,
    term,
    walk,
)  # fmt: skip
from attn_verify.theorems.claim_floats import Look, Places, compiled
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, indices_of, terms_of
from attn_verify.theorems.models import UndecidedError, holds, refutes
from attn_verify.theorems.theorem import Model

Judged = Eq | Le | Lt
NUMBERS: tuple[Term, ...] = (
    *(term(v) for v in (0, 1, -1, 2, Fraction(1, 2), -2)), Log(term(2)), Log(term(3)), term(3), term(Fraction(-1, 2)),
)  # fmt: skip
MORE = tuple(term(v) for v in (Fraction(1, 3), Fraction(2, 3), Fraction(1, 4), Fraction(3, 4), 4, -3, 10, -10))
POOL = NUMBERS + MORE
VALUE: Mapping[Term, float] = {t: compiled(t)(Places({}, {})) for t in POOL}
SCORES = tuple(sorted(POOL, key=lambda t: (t != NUMBERS[0], not isinstance(t, Log))))  # exponentials of these are exact
MOST_TRIES = 1_000  # of all assignments; of drawn ones a third
MOST_WORK = 300_000  # operations for one choice of sizes
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
        most = MOST_WORK // sum(
            work(side, sizes) * _elements(s, sizes) for s in (claim, *given) for side in terms_of(s)
        )
        if most < 1:
            continue
        own = [pools[s] for s, count in counts.items() for _ in range(count)]
        for values in islice(_assignments(own, len(POOL) if given else len(NUMBERS)), most):
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


def work(t: Term, sizes: Mapping[Sort, int]) -> int:
    """Return how many operations a term takes at these sizes."""
    inner = 1 + sum(work(x, sizes) for x in parts(t))
    return inner * sizes[t.index.sort] if isinstance(t, Sum) else inner


def _elements(s: Judged, sizes: Mapping[Sort, int]) -> int:
    return math.prod(sizes[i.sort] for i in indices_of(s))


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
