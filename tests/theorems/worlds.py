"""Worlds in which hypotheses are true: definitions are computed, the rest is drawn at random and then mended.

Equations between what is drawn, and inequalities that do not hold yet, are met together by Gauss and Newton's method.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
from evaluating import BITS, NATURALS, Entry, NotReadError, NoValueError, TooMuchError, World, constant, verdict

from attn_verify.arithmetic.sums.terms import App, Delta, Deriv, Index, Size, Sort, Sum, Symbol, Term, Whole, walk
from attn_verify.theorems.kernel.facts import Eq, Integral, Le, Limit, Lt, Statement, terms_of
from attn_verify.theorems.kernel.outside import ball
from attn_verify.theorems.models import closed
from attn_verify.theorems.theorem import Model

TIGHT = flint.arb(2) ** -150
ROUNDS = 14
MOST_TO_MEND = 20_000  # terms to evaluate before another draw is tried

Defined = dict[Symbol, list[tuple[tuple[Index, ...], Term]]]


def inside(s: Statement) -> tuple[Term, ...]:
    """Return the terms of a statement, of limits and integrals too."""
    if isinstance(s, Limit | Integral):
        return tuple(x for x in (s.body, s.by, s.value) if isinstance(x, Term))
    return terms_of(s)


def indices_in(t: Term) -> set[Index]:
    """Return all indices in a term, without shifts; those that are summed over too."""
    found: set[Index] = set()
    for x in walk(t):
        if isinstance(x, App):
            found.update(x.indices)
        elif isinstance(x, Delta):
            found.update((x.left, x.right))
        elif isinstance(x, Sum):
            found.add(x.index)
        elif isinstance(x, Deriv):
            found.update(x.by.indices)
    return {replace(i, shift=0) for i in found}


def definitions(given: Iterable[Statement]) -> tuple[Defined, list[Statement]]:
    """Return what hypotheses define, and the hypotheses that define nothing."""
    found: Defined = {}
    others: list[Statement] = []
    uses: dict[Symbol, set[Symbol]] = {}

    def leads_to(start: Symbol, goal: Symbol, seen: set[Symbol]) -> bool:
        if start == goal:
            return True
        seen.add(start)
        return any(leads_to(x, goal, seen) for x in uses.get(start, ()) if x not in seen)

    for s in sorted(given, key=repr):
        head = s.left if isinstance(s, Eq) else None
        if not (isinstance(head, App) and isinstance(s, Eq)) or any(
            isinstance(x, Deriv | Whole) for x in walk(s.right)
        ):
            others.append(s)
            continue
        loose = [i for i in head.indices if i.name]
        clean = not any(i.fixed for i in loose) and len({replace(i, shift=0) for i in loose}) == len(loose)
        grows, starts = any(i.shift for i in loose), any(not i.name for i in head.indices)
        before = found.get(head.symbol, [])
        apart = all(
            {(bool(i.name), bool(i.shift)) for i in names if i.sort.natural}
            != {(bool(i.name), bool(i.shift)) for i in head.indices if i.sort.natural}
            for names, _ in before
        )
        named = {x.symbol for x in walk(s.right) if isinstance(x, App)}
        circle = not grows and any(leads_to(x, head.symbol, set()) for x in named)
        if not clean or (before and not apart) or circle or (before and not (grows or starts)):
            others.append(s)
            continue
        found.setdefault(head.symbol, []).append((head.indices, s.right))
        if not grows:
            uses.setdefault(head.symbol, set()).update(named)
    return found, others


class Drawing:
    """Values at random: each symbol in a way of its own, so that special cases come up as well."""

    def __init__(self, rng: random.Random, start: Mapping[Entry, flint.arb] | None = None) -> None:
        self.rng, self.start, self.easy = rng, start or {}, rng.random() < 0.25
        self.ways: dict[Symbol, tuple[str, Fraction]] = {}

    def __call__(self, entry: Entry) -> flint.arb:
        """Return a value for an entry."""
        if entry in self.start:
            return self.start[entry]
        symbol = entry[0]
        if symbol not in self.ways:
            kinds = (
                ["positive"] if self.easy else ["any"] * 5 + ["positive"] * 6 + ["whole"] * 2 + ["same"] * 2 + ["zero"]
            )
            self.ways[symbol] = self.rng.choice(kinds), constant(self.rng)
        way, one = self.ways[symbol]
        value = {"same": one, "zero": Fraction(0)}.get(way)
        if value is None:
            value = constant(self.rng)
            value = (
                abs(value) or Fraction(1, 2)
                if way == "positive"
                else Fraction(round(value))
                if way == "whole"
                else value
            )
        return flint.arb(flint.fmpq(value.numerator, value.denominator))


def frame(
    statements: Sequence[Statement], rng: random.Random, model: Model | None = None
) -> tuple[dict[Sort, int], dict[Index, int]]:
    """Return sizes and elements for fixed indices, at random or as a model has them."""
    terms = [t for s in statements for t in inside(s)]
    indices = set().union(*(indices_in(t) for t in terms)) if terms else set()
    sorts = {i.sort for i in indices} | {x.sort for t in terms for x in walk(t) if isinstance(x, Size)}
    held = {i.sort for i in indices if i.fixed}
    sizes: dict[Sort, int] = {}
    places: dict[Index, int] = {}
    for sort in sorted(sorts, key=repr):
        if sort.natural:
            continue
        if model is not None and sort in model.sizes:
            sizes[sort] = model.sizes[sort]
        else:
            few = len(sorts)
            sizes[sort] = rng.choice(
                [0, 1, 2]
                if sort.empty and sort not in held
                else [1, 1, 2]
                if few > 4
                else [1, 2, 2]
                if few > 3
                else [1, 2, 2, 3]
            )
    for i in sorted((i for i in indices if i.fixed and i.name), key=repr):
        if model is not None and i in model.places:
            places[i] = model.places[i]
        elif not i.name.startswith("#"):
            places[i] = rng.randrange(max(1, sizes.get(i.sort, NATURALS)))
    return sizes, places


def values_of(model: Model) -> dict[Entry, flint.arb]:
    """Return the entries that a model gives as nested tuples."""
    found: dict[Entry, flint.arb] = {}

    def take(symbol: Symbol, at: tuple[int, ...], value: Any) -> None:
        if isinstance(value, tuple):
            for n, x in enumerate(value):
                take(symbol, (*at, n), x)
        elif not callable(value):
            found[symbol, at] = ball(closed(value if isinstance(value, Term) else _number(value), model), BITS).mid()

    for symbol, value in model.values.items():
        take(symbol, (), value)
    return found


def _number(value: Any) -> Term:
    from attn_verify.arithmetic.sums.terms import term

    return term(value)


def world_for(
    given: Sequence[Statement], about: Sequence[Statement], rng: random.Random, model: Model | None = None
) -> World | None:
    """Return a world in which what is given is true and the statements ``about`` can be read; None if none is met."""
    defined, others = definitions(given)
    with flint.ctx.workprec(BITS):
        sizes, fixed = frame([*given, *about], rng, model)
        world = World(sizes, fixed, Drawing(rng, values_of(model) if model else None), defined)
        world.work = MOST_TO_MEND
        try:
            return world if _mend(world, others, rng) and all(verdict(s, world, given=True) for s in given) else None
        except (NoValueError, TooMuchError, ZeroDivisionError):
            return None


def _mend(world: World, others: Sequence[Statement], rng: random.Random) -> bool:
    """Move entries that were drawn until the hypotheses hold."""
    conditions = []
    for s in others:
        if not isinstance(s, Eq | Le | Lt):
            raise NotReadError(type(s).__name__)
        for names in world.instances(s, given=True):
            slack = 0 if isinstance(s, Le) and rng.random() < 0.4 else Fraction(rng.randint(1, 12), 8)
            conditions.append(
                (s, names, flint.arb(flint.fmpq(slack.numerator, slack.denominator)) if slack else flint.arb(0))
            )
    active: set[int] = {n for n, (s, _, _) in enumerate(conditions) if isinstance(s, Eq)}
    far: list[float] = []
    for _ in range(ROUNDS):
        before = world.work
        world.asked.clear()
        world.memory.clear()
        gaps: dict[int, flint.arb] = {}
        broken = False
        for n, (s, names, slack) in enumerate(conditions):
            left, right = world.sides(s, names)
            gap = (right - left).mid()
            if isinstance(s, Eq):
                gaps[n] = gap
                broken |= not abs(gap) < TIGHT
            elif (gap < -TIGHT) if isinstance(s, Le) else gap < TIGHT:
                active.add(n)
                broken = True
            if n in active and not isinstance(s, Eq):
                gaps[n] = gap - slack
        if not broken:
            return True
        far.append(max(float(abs(g)) for g in gaps.values()))
        if len(far) > 3 and far[-1] > far[-4] / 4:
            return False  # it does not come nearer
        if (before - world.work) * len(world.asked) > MOST_TO_MEND:
            return False
        rows = sorted(n for n in active if n in gaps)
        entries = sorted(world.asked, key=lambda e: (e[0].name, e[1]))
        rng.shuffle(entries)
        jacobian = _jacobian(world, [conditions[n][:2] for n in rows], entries)
        if not _newton(world, jacobian, [gaps[n] for n in rows], entries):
            return False
    return False


def _jacobian(world: World, conditions: Sequence[tuple[Any, Any]], entries: Sequence[Entry]) -> list[list[flint.arb]]:
    world.through = True
    try:
        rows: list[list[flint.arb]] = [[] for _ in conditions]
        for entry in entries:
            world.memory = {k: x for k, x in world.memory.items() if not k[2]}
            for row, (s, names) in zip(rows, conditions, strict=True):
                moved = {entry: (1 << 6,)}
                gap = world.number(s.right, names, moved) + -1 * world.number(s.left, names, moved)
                row.append(gap.parts.get(1 << 6, flint.arb(0)).mid() if hasattr(gap, "parts") else flint.arb(0))
    finally:
        world.through = False
        world.memory.clear()
    return rows


def _newton(world: World, rows: list[list[flint.arb]], gaps: list[flint.arb], entries: Sequence[Entry]) -> bool:
    if not entries:
        return False
    j = flint.arb_mat(rows)
    square = j * j.transpose()
    scale = max(float(square[n, n].mid()) for n in range(len(rows)))
    if not scale > 0:
        return False
    for n in range(len(rows)):
        square[n, n] += flint.arb(scale) * flint.arb(2) ** -40
    try:
        found = j.transpose() * square.solve(flint.arb_mat([[g] for g in gaps]))
    except ZeroDivisionError:
        return False
    for n, entry in enumerate(entries):
        moved = (world.values[entry] - found[n, 0]).mid()
        if not moved.is_finite() or abs(moved) > 30:
            return False
        world.values[entry] = moved
    return True


def worlds(
    given: Iterable[Statement],
    about: Sequence[Statement],
    seed: str,
    wanted: int = 3,
    tries: int = 40,
    models: Sequence[Model] = (),
) -> list[World]:
    """Return up to ``wanted`` worlds in which what is given is true; models are tried first."""
    given = sorted(given, key=repr)
    rng = random.Random(seed)
    found: list[World] = []
    for n in range(tries):
        model = models[n] if n < len(models) else None
        world = world_for(given, about, rng, model)
        if world is not None:
            found.append(world)
        if len(found) == wanted:
            break
    return found
