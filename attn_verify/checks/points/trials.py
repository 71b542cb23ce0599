"""Inputs at which a target that was proved is run in floats too: on every path, and at several magnitudes of scores.

Only the first path of a trace is compared with a run in floats expression by expression.  What exact numbers alone have
seen, on the other paths and far from the first point, may be something else in floats: it depends on a type, say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from attn_verify.arithmetic.graph import Node
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.checks.agreement import OWN_LOSS, ROUNDOFF, allowance_of, narrowest
from attn_verify.checks.contradiction import Contradictions
from attn_verify.checks.formula import expected, scaling, scores
from attn_verify.checks.outcome import Outcome, ProvedPath, alike, entries_of, short_place
from attn_verify.checks.points.float_range import LIMITS, FloatRange
from attn_verify.checks.points.reaching import WORK, points_on_paths
from attn_verify.checks.points.waking import waking_points
from attn_verify.checks.reading import floats
from attn_verify.checks.verdict import Status
from attn_verify.spec import AttentionSpec

Json = Mapping[str, Any]
Point = Mapping[Any, Fraction]

# Largest scores of the points that are drawn.
_SCORES: Mapping[str, tuple[float, ...]] = {
    "float64": (1, 8, 60, 300, 2.0**-10, 3e3, 1e6), "float32": (1, 8, 40, 1e3), "float16": (1, 4, 60),
}  # fmt: skip
# From these scores on keys are drawn nearly alike, so that scores differ by little.
_ALIKE = 300
# Arrays differ by powers of two up to these.
_SPREADS = (0, 3, 8, 24)
# Points that are drawn for a case with several paths; runs of a proof, and of each of its cases at least.
_POINTS, _TOTAL, _FEWEST = 24, 150, 2
# Seconds that the runs of a case with one path may take.
_RUNS = 2.0
# The most that the traced program itself may lose in float64, relative to the largest number.
_LOST = 2.0**-5


@dataclass(frozen=True)
class Trial:
    """An input of a case, and the entries that floats must come near to there."""

    outcome: Outcome
    point: Point
    entries: Mapping[Any, Node]
    score: float
    binding: bool  # whether a difference counts: no exponential comes near the ends of the range of floats
    path: ProvedPath | None = None  # on which it lies, if that is known
    fresh: bool = False  # whether it is the first on a path whose way nothing else was tried with
    strained: bool = False  # whether one does, if only one that the result does not depend on
    woken: bool = False  # whether it wakes what sleeps at the others: a first call, by position

    @property
    def benign(self) -> bool:
        """Whether everything inside the target is far from the ends of the range of floats."""
        return self.binding and not self.strained

    def call(self, target: str) -> dict[str, Any]:
        """Return the call as JSON for a worker."""
        return self.outcome.case.call(target, [self.point[name] for name in self.outcome.case.inputs])


def trials(outcomes: Sequence[Outcome], spec: AttentionSpec, seed: int) -> list[Trial]:
    """Return the inputs to try for the cases that were proved; doubt those where a way of the target has none."""
    proved = [o for o in outcomes if o.status is not Status.UNDECIDED or o.only_partial]
    count = max(_FEWEST, _TOTAL // max(1, len(proved)))
    found: list[Trial] = []
    for number, outcome in enumerate(proved):
        found += _of_case(outcome, spec, Random(f"trials {seed} {number}"), count)
    return found


def _of_case(outcome: Outcome, spec: AttentionSpec, random: Random, count: int) -> list[Trial]:
    seconds = max(float(outcome.ran.get("seconds", 0)), 1e-6)
    limit = max(_FEWEST, min(count, int(_RUNS / seconds)))
    nodes = scores(outcome.graph, outcome.case, spec)
    alone = len(outcome.paths) == 1 and not outcome.paths[0].conditions
    drawn = list(_drawn(outcome, nodes, random, limit if alone else _POINTS))
    if alone:
        points = [outcome.points[0], *_special(outcome), *drawn]
        found = _trials(outcome, nodes, points, outcome.paths[0], whole=True)
        return _awake(outcome, nodes, found, random)
    if outcome.only_partial:
        formula = expected(outcome.graph, outcome.case, spec)
        every = ProvedPath([], formula)
        near = _trials(outcome, nodes, drawn[:2], every, whole=True)
        return [replace(trial, path=None) for trial in near] + _on_paths(outcome, nodes, drawn, random)
    return _awake(outcome, nodes, _on_paths(outcome, nodes, drawn, random), random)


def _special(outcome: Outcome) -> Iterator[Point]:
    """Yield inputs that random ones never are: zeros, ones, an array of zeros, equal rows, unless some are left out."""
    names = outcome.case.inputs
    if outcome.excluded:
        return
    for value in (0, 1):
        yield dict.fromkeys(names, Fraction(value))
    for array in sorted({name for name, _ in names}):
        yield {key: Fraction(0) if key[0] == array else value for key, value in outcome.points[0].items()}
    yield {key: Fraction(1, 2 + key[1][-1]) for key in names}


def _trials(
    outcome: Outcome, nodes: Sequence[Node], points: Sequence[Point], path: ProvedPath, *, whole: bool = False,
    fresh: bool = False,
) -> list[Trial]:  # fmt: skip
    """Return the trials at points of a path, of which the first may be ``fresh``."""
    if not points:
        return []
    made = outcome.made if whole else 0
    ends = FloatRange(outcome.graph, path, narrowest(outcome.result_notes), whole=made)
    found = []
    for number, point in enumerate(points):
        (binding, strained), largest = ends.at(point), _largest(outcome, nodes, point)
        first = fresh and number == 0
        found.append(Trial(outcome, point, path.entries, largest, binding, path, fresh=first, strained=strained))
    return found


def _on_paths(outcome: Outcome, nodes: Sequence[Node], drawn: Sequence[Point], random: Random) -> list[Trial]:
    """Return an input on every path, three on those whose way nothing else was tried with, these first."""
    generator = np.random.default_rng(random.getrandbits(64))
    found: list[Trial] = []
    missed: list[ProvedPath] = []
    ways: set[str] = set()
    narrow = narrowest(outcome.result_notes)
    how_often: dict[int, str] = {}
    contradictions = Contradictions(outcome.graph)

    def never(path: ProvedPath) -> bool:
        how_often[id(path)] = contradictions.of(path.conditions)
        return bool(how_often[id(path)])

    points_of = points_on_paths(
        outcome.graph, outcome.paths, drawn, generator, never=never,
        roundoff=ROUNDOFF[narrow], limit=LIMITS[narrow], work=0 if outcome.only_partial else WORK,
    )  # fmt: skip
    for path, points in zip(outcome.paths, points_of, strict=True):
        if not points:
            missed.append(path)
            continue
        fresh = path.way not in ways
        ways.add(path.way)
        near = _trials(outcome, nodes, points[: 3 if fresh else 1], path, fresh=fresh)
        place = 0 if fresh else len(found)
        found[place:place] = near
    if not outcome.only_partial:
        _leave_out(outcome, [(path, how_often.get(id(path), "")) for path in missed])
    return found if outcome.status is not Status.UNDECIDED or outcome.only_partial else []


def _awake(outcome: Outcome, nodes: Sequence[Node], found: list[Trial], random: Random) -> list[Trial]:
    """Return trials with further inputs of each path, at which values inside differ that are alike at the others."""
    narrow = narrowest(outcome.result_notes)
    tried = [[t.point for t in found if t.path is path and t.binding] for path in outcome.paths]
    woken = waking_points(
        outcome.graph, outcome.paths, tried,
        np.random.default_rng(random.getrandbits(64)), roundoff=ROUNDOFF[narrow], limit=LIMITS[narrow],
        made=outcome.made, scores=nodes,
    )  # fmt: skip
    if woken.left:
        outcome.doubt(
            f"{woken.left} values inside are alike at all inputs tried, and the search for others took too long"
        )
    if woken.unseen:
        outcome.doubt(f"{woken.unseen} values inside are alike at all inputs tried, and were not shown to be constants")
    for path, points in zip(outcome.paths, woken.points, strict=True):
        found += [replace(trial, woken=True) for trial in _trials(outcome, nodes, points, path)]
        here = [t for t in found if t.path is path]
        if here and not any(t.benign for t in here):
            outcome.doubt("no input was found at which its numbers stay far from the ends of the range of floats")
    return found if outcome.status is not Status.UNDECIDED else []


def _leave_out(outcome: Outcome, missed: Sequence[tuple[ProvedPath, str]]) -> None:
    """Doubt a case with paths on which no float run was made, unless hardly any input takes them."""
    for path, how_often in missed:
        if how_often == "rarely":
            text = f"inputs that meet an equation exactly ({short_place(path.conditions[-1].place)})"
            outcome.excluded += [text] if text not in outcome.excluded else []
        elif not how_often:
            place = next((short_place(c.place) for c in reversed(path.conditions) if c.place), "")
            outcome.doubt(
                "exact numbers ran parts of it for which no input was found that runs them in floats"
                + (f", after a question at {place}" if place else ""),
                "avoid branches that hardly any input takes",
            )
            return


def _drawn(outcome: Outcome, nodes: Sequence[Node], random: Random, count: int) -> Iterator[Point]:
    """Yield up to ``count`` points whose largest score has several magnitudes, with arrays of different ones."""
    names = outcome.case.inputs
    arrays = sorted({name for name, _ in names})
    linear, degree = scaling(arrays)
    narrow = narrowest(outcome.result_notes)
    kinds = [(wanted, spread) for wanted in _SCORES[narrow] for spread in _SPREADS]
    for number, (wanted, spread) in enumerate(random.sample(kinds, min(count, len(kinds)))):
        scale = {name: Fraction(2) ** random.randint(-spread, spread) for name in arrays}
        # What rounding does shows where numbers have all the digits that a float has, and not where they have few.
        digits = 52 if narrow == "float64" and number % 2 == 0 else 16
        point = {
            key: random.choice((-1, 1))
            * scale[key[0]]
            * (2 * random.randint(2 ** (digits - 2), 2**digits) - 1)
            / 2 ** (digits + 1)
            for key in names
        }
        if wanted > _ALIKE:
            point = {key: point.get((key[0], _first_row(key[1])), x) + x / 2**20 for key, x in point.items()}
            point = {key: Fraction(float(x)) for key, x in point.items()}
        largest = _largest(outcome, nodes, point)
        if largest:
            factor = Fraction(2) ** (math.floor(math.log2(wanted / largest)) // degree)
            yield {key: value * factor if key[0] == linear else value for key, value in point.items()}


def _first_row(index: tuple[int, ...]) -> tuple[int, ...]:
    return (*index[:-2], 0, *index[-1:])


def _largest(outcome: Outcome, nodes: Sequence[Node], point: Point) -> float:
    return max((abs(x) for x in floats(outcome.graph, nodes, point) if math.isfinite(x)), default=0.0)


def check_trials(tried: Iterable[tuple[Trial, Json]], spec: AttentionSpec, observed: Mapping[int, Json]) -> None:
    """Compare what a target returned in floats with what it is in exact numbers at the same input.

    Where it was ``observed`` at an input too, by the number of the trial, it must have returned the very same.
    """
    for number, (trial, result) in enumerate(tried):
        if trial.outcome.status is Status.UNDECIDED and not trial.outcome.only_partial:
            continue
        if result["outcome"] == "timeout":
            trial.outcome.doubt("in a plain Python process, the time limit was reached", "give --seconds more")
            continue
        if number in observed and not _same(trial, observed[number], result):
            trial.outcome.doubt("in a plain Python process, it returns something else: state, or a trap")
            continue
        text = _difference(trial, result, spec)
        if text:
            trial.outcome.doubt(
                f"{text} (scores up to {trial.score:.2g}): the function does something else when it is given floats"
            )


def _same(trial: Trial, here: Json, there: Json) -> bool:
    """Return whether two float runs at one input gave the same, but for what depends on where arrays lie in memory."""
    if "timeout" in (here["outcome"], there["outcome"]):
        return True  # which is told of elsewhere
    if here["outcome"] != there["outcome"] or here["outcome"] != "returned":
        return bool(here["outcome"] == there["outcome"])
    one, other = (entries_of(trial.outcome.case, result["value"]) for result in (here, there))
    if one is None or other is None:
        return one is other
    return alike(one, other, allowance_of([]))


def _difference(trial: Trial, result: Json, spec: AttentionSpec) -> str:
    outcome = trial.outcome
    if not trial.binding:
        return ""
    raised = (result.get("exception") or {}).get("type")
    if result["outcome"] != "returned":
        return "" if trial.strained else f"in floats, the run ended with {raised or result['outcome']!r}"
    found = outcome.case.select(result["value"])
    if not isinstance(found, list):
        return f"in floats, it {found.text}"
    values = {(item.name, item.index): float.fromhex(str(item.value)) for item in found}
    keys = list(trial.entries)
    replayed = floats(outcome.graph, [trial.entries[key] for key in keys], trial.point)
    least = allowance_of(outcome.result_notes) * max([1.0, *(abs(float(value)) for value in trial.point.values())])
    if all(abs(values.get(key, math.nan) - again) <= least for key, again in zip(keys, replayed, strict=True)):
        return ""  # nearer to what the program gives in floats than that may be off
    balls = BallValues(outcome.graph, trial.point)
    formula = expected(outcome.graph, outcome.case, spec)
    # Where the program's own value cannot be enclosed, it is the formula's.
    enclosed = ([balls[entries[key]] for entries in (trial.entries, formula)] for key in keys)
    middles = [float((own if own.is_finite() else other).mid()) for own, other in enclosed]
    # Gradients are products of several inputs, and lose in proportion to what they are sums of.
    results = [abs(exact) for exact in middles if math.isfinite(exact)]
    largest = max([1.0, *(abs(float(value)) for value in trial.point.values()), *results])
    allowance = allowance_of(outcome.result_notes) * largest * (1 + trial.score)
    pairs = list(zip(replayed, middles, strict=True))
    # What one entry loses may be little by chance: the program loses as much in any of them.
    loss = max((abs(a - b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)), default=0.0)
    for key, exact in zip(keys, middles, strict=True):
        value = values.get(key, math.nan)
        if not math.isfinite(exact) or (trial.strained and not math.isfinite(value)):
            continue  # the program itself leaves the range of floats
        if not abs(value - exact) <= allowance + min(OWN_LOSS * loss, _LOST * max([1.0, *results])):
            name, index = key
            place = f"{name}[{','.join(str(i + 1) for i in index)}]"
            return f"in floats, {place} is {value:.9g}, and {exact:.9g} in exact numbers"
    return ""
