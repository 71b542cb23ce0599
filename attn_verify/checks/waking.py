"""Inputs that wake what sleeps: values inside a target that are alike at all the inputs that it was run with.

What a function does with such a value was never seen in floats: a term that is zero but near one place, an arm of a
maximum that no input took.  What makes a value sleep is an inequality, and points that meet it are searched for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.reaching import Exponents, Reaching, far_and_near
from attn_verify.checks.sleepers import Cause, Causes, Sleepers
from attn_verify.checks.tape import Floats, Tape

Point = Mapping[Any, Fraction]
Columns = Mapping[Any, Floats]

# Steps of the search for one cause alone, for more of it, and on a path; inputs that are looked at.
_FEW, _FEWER, _JOINT, _WITHIN = 48, 16, 40, 2.0**20
# Values are made to differ by this much, doubling how far they do.
_ENOUGH, _DOUBLINGS = 2.0**-2, 24
# Pairs of values that are woken together.
_PAIRS = 64
# Nodes that are computed, at all points together, in the searches for one case; points of a path that are searched for.
WORK, _MOST = 200_000, 64


@dataclass(frozen=True)
class Woken:
    """Further points of every path, and how many values were not looked at for want of time."""

    points: list[list[Point]]
    left: int = 0


def waking_points(
    graph: Graph, paths: Sequence[ProvedPath], tried: Sequence[Sequence[Point]], random: np.random.Generator,
    *, roundoff: float, limit: float, work: int = WORK,
) -> Woken:  # fmt: skip
    """Return for every path further points, at which values differ that are alike at all points tried on it.

    Args:
        graph: of the program, with all that the target computed, whether the result depends on it or not.
        paths: with the questions that lead along each.
        tried: the points of each path.
        random: of the points and of the steps.
        roundoff: relative error of one operation of the target.
        limit: how large the argument of an exponential may be.
        work: how many nodes may be computed in searches for what no point happens to wake.
    """
    known = [point for points in tried for point in points]
    if not known:
        return Woken([[] for _ in paths])
    waking = _Waking(graph, random, roundoff, limit, work)
    drawn = far_and_near(known, random)
    values = waking.tape.run(drawn)
    answers = Reaching(graph, paths, random, roundoff).answered(paths, drawn)
    found = []
    for path, points, wrong in zip(paths, tried, answers, strict=True):
        found.append(waking.of_path(path, points, drawn, values, wrong == 0) if points else [])
    return Woken(found, waking.left)


class _Waking:
    """What is known of a case: its program, and which causes can be woken at all."""

    def __init__(
        self, graph: Graph, random: np.random.Generator, roundoff: float, limit: float, work: int
    ) -> None:  # fmt: skip
        self.graph = graph
        self.random = random
        self.roundoff = roundoff
        self.limit = limit
        self.work = work
        self.left = 0
        inputs = [node for node in graph.nodes if node.op == "input"]
        self.dependent = {node.index for node in inputs}
        for node in graph.nodes:
            if not self.dependent.isdisjoint(node.args):
                self.dependent.add(node.index)
        self.tape = Tape(graph, [graph.nodes[index] for index in self.dependent])
        self._all = Exponents(graph, None)
        self._alone: dict[Cause, tuple[Sequence[Condition], Columns] | None] = {}

    def of_path(
        self, path: ProvedPath, points: Sequence[Point], drawn: Columns, values: Sequence[Floats],
        on_path: NDArray[np.bool_],
    ) -> list[Point]:  # fmt: skip
        """Return points of one path: of those drawn, or else searched for."""
        here = self.tape.run({name: np.array([float(p[name]) for p in points]) for name in drawn})
        asleep = Sleepers(self.graph, self.tape, self.dependent, here)
        # Where no exponential that the target forms leaves the range of floats, or else none that counts.
        bounds = [self._all, Exponents(self.graph, path)]
        mild = [on_path & (exponents.largest(drawn) <= self.limit) for exponents in bounds]
        found: list[Point] = []

        def woken(causes: Causes) -> bool:
            if any(self._wakes(asleep, causes, point) for point in found):
                return True
            depth = asleep.depth(causes, values)
            for fits in mild:
                awake = np.where(fits, depth, -np.inf)
                best = int(awake.argmax())
                if awake[best] > 0:
                    found.append({name: Fraction(float(column[best])) for name, column in drawn.items()})
                    return True
            if self.work <= 0 or len(found) >= _MOST:
                self.left += 1
                return False
            more = next(filter(None, (self._searched(path, asleep, causes, drawn, e) for e in bounds)), [])
            found.extend(more)
            return bool(more)

        known = [causes for causes in asleep.together() if woken(causes)]
        # What is picked out of one sleeping value may be multiplied by another, without a product that shows it.
        for first, second in islice(combinations(known, 2), _PAIRS):
            woken(first | second)
        together: Causes = frozenset()
        for causes in known:
            together = together | causes if woken(together | causes) else together
        return found

    def _wakes(self, asleep: Sleepers, causes: Causes, point: Point) -> bool:
        values = self.tape.run({name: np.array([float(x)]) for name, x in point.items()})
        return bool(asleep.depth(causes, values)[0] > 0)

    def _searched(
        self, path: ProvedPath, asleep: Sleepers, causes: Causes, drawn: Columns, exponents: Exponents
    ) -> list[Point]:  # fmt: skip
        """Return a point that wakes causes together: each alone first, of which most that cannot be woken fail soon."""
        conditions: list[Condition] = []
        starts: list[Columns] = []
        for cause in sorted(causes):
            alone = self._waken_alone(cause, asleep, drawn)
            if alone is None:
                return []
            conditions += alone[0]
            starts.append(alone[1])
        columns = {name: np.resize(np.concatenate([s[name] for s in starts]), 64) for name in drawn}
        joint = replace(path, conditions=[*path.conditions, *conditions])
        reached = self._search(joint, columns, _JOINT, exponents)
        if reached is None:
            return []
        for _ in range(_DOUBLINGS):
            values = self.tape.run(reached)
            depth = asleep.depth(causes, values)
            best = int(depth.argmax())
            if not 0 <= depth[best] < _ENOUGH or self.work <= 0:
                break
            least = min(sorted(causes), key=lambda c: float(asleep.depth(frozenset([c]), values)[best]))
            more = asleep.further(least, values, best)
            columns = {name: np.resize(column, 64) for name, column in reached.items()}
            further = self._search(replace(joint, conditions=[*joint.conditions, *more]), columns, _FEWER, exponents)
            if further is None:
                break
            reached = further
        depth = asleep.depth(causes, self.tape.run(reached))
        best = int(depth.argmax())
        return [{name: Fraction(float(column[best])) for name, column in reached.items()}] if depth[best] > 0 else []

    def _waken_alone(
        self, cause: Cause, asleep: Sleepers, drawn: Columns
    ) -> tuple[Sequence[Condition], Columns] | None:  # fmt: skip
        """Return conditions that wake one cause, on whatever path, with points that meet them."""
        if cause not in self._alone:
            self._alone[cause] = None
            some = self.random.integers(len(next(iter(drawn.values()))), size=32)
            starts = {name: column[some] for name, column in drawn.items()}
            for conditions in asleep.wishes(cause):
                reached = self._search(ProvedPath(conditions, {}), starts, _FEW)
                if reached is not None and (asleep.depth(frozenset([cause]), self.tape.run(reached)) > 0).any():
                    self._alone[cause] = conditions, reached
                    break
        return self._alone[cause]

    def _search(
        self, path: ProvedPath, starts: Columns, steps: int, exponents: Exponents | None = None
    ) -> dict[Any, Floats] | None:  # fmt: skip
        if self.work <= 0:
            return None
        reaching = Reaching(self.graph, [path], self.random, self.roundoff)
        limit = self.limit if exponents is not None else np.inf
        found = reaching.search(path, starts, exponents, limit, steps=steps, within=_WITHIN)
        self.work -= reaching.spent
        return found
