"""Inputs that wake what sleeps: values inside a target that are alike at all the inputs that it was run with.

What a function does with such a value was never seen in floats: a term that is zero but near one place, an arm of a
maximum that no input took.  What makes a value sleep is an inequality, and points that meet it are searched for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, filterfalse, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.points.constancy import Constancy
from attn_verify.checks.points.path_facts import PathFacts
from attn_verify.checks.points.ranges import multiples, ranges
from attn_verify.checks.points.reaching import Exponents, Reaching, far_and_near, point_at
from attn_verify.checks.points.sleepers import AWAKE, Cause, Causes, Sleepers, at_odds, less, sleeps, slept
from attn_verify.checks.points.tape import Floats, Tape

Point = Mapping[Any, Fraction]
Columns = Mapping[Any, Floats]

# Steps of the search for one cause alone, for more of it, and on a path; inputs that are looked at.
_FEW, _FEWER, _JOINT, _WITHIN = 48, 16, 40, 2.0**40
# Points that are moved at the same time.
_POINTS = 64
# Values are made to differ by this much, doubling how far they do.
_ENOUGH, _DOUBLINGS = 1.0, 32
# Pairs of values that are woken together, where fewer of the points drawn wake one than this part.
_PAIRS, _RARE = 64, 0.05
# Points of a path that are run at least.
_LEAST = 4
# Nodes that are computed, at all points together, in the searches for one case; points of a path that are searched for.
WORK, _MOST = 800_000, 64


@dataclass(frozen=True)
class Woken:
    """Further points of every path, how many values were not looked at for want of time, and how many not woken."""

    points: list[list[Point]]
    left: int = 0
    unseen: int = 0


def waking_points(
    graph: Graph, paths: Sequence[ProvedPath], tried: Sequence[Sequence[Point]], random: np.random.Generator,
    *, roundoff: float, limit: float, made: int | None = None, scores: Sequence[Node] = (), work: int = WORK,
) -> Woken:  # fmt: skip
    """Return for every path further points, at which values differ that are alike at all points tried on it.

    Args:
        graph: of the program, with all that the target computed, whether the result depends on it or not.
        paths: with the questions that lead along each.
        tried: the points of each path.
        random: of the points and of the steps.
        roundoff: relative error of one operation of the target.
        limit: how large scores, and the argument of an exponential, may be.
        made: how many of the nodes, the first ones, the target has computed; by default all.
        scores: those of the formula.
        work: how many nodes may be computed in searches for what no point happens to wake.
    """
    known = [point for points in tried for point in points]
    if not known:
        return Woken([[] for _ in paths])
    waking = _Waking(graph, len(graph.nodes) if made is None else made, random, roundoff, limit, scores, work)
    drawn = far_and_near(known, random)
    values = waking.tape.run(drawn)
    answers = Reaching(graph, paths, random, roundoff).answered(paths, drawn)
    found = []
    for path, points, wrong in zip(paths, tried, answers, strict=True):
        found.append(waking.of_path(path, points, drawn, values, wrong == 0) if points else [])
    return Woken(found, waking.left, waking.unseen)


class _Waking:
    """What is known of a case: its program, and which causes can be woken at all."""

    def __init__(
        self, graph: Graph, made: int, random: np.random.Generator, roundoff: float, limit: float,
        scores: Sequence[Node], work: int,
    ) -> None:  # fmt: skip
        self.graph = graph
        self.random = random
        self.roundoff = roundoff
        self.limit = limit
        self.scores = [(score, self._inputs([score])) for score in scores]
        self.work = work
        self.left = self.unseen = 0
        dependent = graph.dependent()
        self.tape = Tape(graph, [graph.nodes[index] for index in dependent])
        # The formula is written into the same graph, and is nothing that the target computes.
        self.dependent = {index for index in dependent if index < made}
        self._ranges = ranges(graph, _WITHIN, multiples(graph, self.tape, scores, limit, random))
        self._all = self._roof(Exponents(graph, None))
        self._facts = PathFacts(graph)
        self._alone: dict[Cause, tuple[Sequence[Condition], Columns] | None] = {}

    def of_path(
        self, path: ProvedPath, points: Sequence[Point], drawn: Columns, values: Sequence[Floats],
        on_path: NDArray[np.bool_],
    ) -> list[Point]:  # fmt: skip
        """Return points of one path: of those drawn, or else searched for."""
        # Where no exponential that the target forms leaves the range of floats, or else none that counts.
        live = self._roof(Exponents(self.graph, path))
        roofs = [self._all, live] if len(live) < len(self._all) else [live]
        moderate = self._all_below([score for score, _ in self.scores], [abs(value) for value in values])
        calm = [moderate & self._all_below([c.left for c in roof], values) for roof in roofs]
        mild = [on_path & fits for fits in calm]
        found = self._further(path, points, drawn, mild[0]) if len(points) < _LEAST else []
        asleep = Sleepers(self.graph, self.tape, self.dependent, self._at([*points, *found]))
        seen = [self._at([point]) for point in found]
        rare: list[Causes] = []

        def take(more: Sequence[Point]) -> bool:
            found.extend(more)
            seen.extend(self._at([point]) for point in more)
            return bool(more)

        def woken(causes: Causes, *, needed: bool = True) -> bool:
            if any(asleep.depth(causes, at)[0] > 0 for at in seen):
                return True
            depth = asleep.depth(causes, values)
            # On whatever path.
            seldom = [causes] if np.sum((depth > 0) & calm[-1]) < _RARE * np.sum(calm[-1] & (depth == depth)) else []
            for fits in mild:
                awake = np.where(fits, depth, -np.inf)
                best = int(awake.argmax())
                if awake[best] > 0:
                    rare.extend(seldom)
                    return take([point_at(drawn, best)])
            if self.work <= 0 or len(found) >= _MOST:
                self.left += needed
                return False
            more = next(filter(None, (self._searched(path, asleep, causes, drawn, roof) for roof in roofs)), [])
            rare.extend(seldom if more else [])
            return take(more)

        for causes in asleep.together():
            woken(causes)
        # What is picked out of one sleeping value may be multiplied by another, without a product that shows it.
        single, together = list(dict.fromkeys(rare)), Causes()
        pairs = (first | second for first, second in combinations(single, 2))
        # There is no end of what could be asked of several: as many are tried as the search has room for.
        for causes in islice(filterfalse(at_odds, pairs), _PAIRS):
            woken(causes, needed=False)
        for causes in single:
            more = together | causes
            together = more if not at_odds(more) and woken(more, needed=False) else together
        found += self._otherwise([*points, *found], drawn, values, mild[-1])
        self._look_again(path, [*points, *found], values)
        return found

    def _otherwise(
        self, points: Sequence[Point], drawn: Columns, values: Sequence[Floats], fits: NDArray[np.bool_]
    ) -> list[Point]:  # fmt: skip
        """Return points, of those drawn, at which values differ that still sleep: sums that are zero by chance, say."""
        chosen: list[int] = []
        for node, value, other in zip(self.tape.nodes, self._at(points), values, strict=True):
            if node.index in self.dependent and sleeps(value):
                differs = fits & (np.abs(other - slept(value)) > AWAKE * (1 + abs(slept(value))))
                if differs.any() and not differs[chosen].any():
                    chosen.append(int(differs.argmax()))
        return [point_at(drawn, i) for i in chosen[:_LEAST]]

    def _at(self, points: Sequence[Point]) -> list[Floats]:
        names = points[0] if points else ()
        return self.tape.run({name: np.array([float(point[name]) for point in points]) for name in names})

    def _further(
        self, path: ProvedPath, points: Sequence[Point], drawn: Columns, fits: NDArray[np.bool_]
    ) -> list[Point]:  # fmt: skip
        """Return points of a path, of those drawn or near to those known: a single one shows nothing of what sleeps."""
        most = _LEAST - len(points)
        found: list[Point] = [point_at(drawn, i) for i in self.random.permutation(np.flatnonzero(fits))[:most]]
        return found if len(points) + len(found) >= _LEAST else found + self._beside(path, [*points, *found])

    def _beside(self, path: ProvedPath, points: Sequence[Point]) -> list[Point]:
        sizes = 2.0 ** self.random.integers(-24, 0, _POINTS)
        some = self.random.integers(len(points), size=_POINTS)
        columns = {
            name: np.array([float(points[i][name]) for i in some]) * (1 + sizes * self.random.standard_normal(_POINTS))
            for name in points[0]
        }
        wrong = Reaching(self.graph, [path], self.random, self.roundoff).answered([path], columns)[0]
        fits = (wrong == 0) & self._all_below([c.left for c in self._all], self.tape.run(columns))
        chosen = np.flatnonzero(fits)[: _LEAST - len(points)]
        return [point_at(columns, i) for i in chosen]

    def _look_again(self, path: ProvedPath, points: Sequence[Point], drawn: Sequence[Floats]) -> None:
        """Count the values that still sleep, and that nothing shows to be constants.

        On a narrow path all sleeps that depends on inputs which its questions hold fast: of that, what does everywhere.
        Values that these questions hold fast, and that are awake elsewhere, have other paths there.
        """
        sides = {side.index for c in path.conditions for side in (c.left, c.right)}
        first, holds = points[0], self._facts.holds
        fixed = {name for name in first if sleeps(np.array([float(point[name]) for point in points]))}
        if len(points) > 1:
            fixed = {name for name in fixed if holds(path, self.graph.input(*name), float(first[name]))}
        asleep, held = {}, set[int]()
        for node, value, other in zip(self.tape.nodes, self._at(points), drawn, strict=True):
            asks = node.index in self.dependent and node.op != "input" and sleeps(value)
            if asks and (sleeps(other) or not self._inputs([node]) <= fixed):
                asleep[node.index] = slept(value)
                asked = node.index in sides and not sleeps(other)
                held |= {node.index} if asked and holds(path, node, slept(value)) else set()
        if asleep:
            known = Constancy(self.graph, self._ranges, self._facts.never(path))
            self.unseen += len(known.unexplained(asleep, held))

    def _roof(self, exponents: Exponents) -> list[Condition]:
        """Return the conditions by which no exponential is too large, but for those that never are."""
        limit = self.graph.number(Fraction(self.limit))
        nodes = [node for node in exponents.nodes if node.index in self.dependent]
        return [less(node, limit) for node in nodes if self._range(node)[1] > self.limit]

    def _all_below(self, nodes: Sequence[Node], values: Sequence[Floats]) -> Any:
        with np.errstate(invalid="ignore"):
            below = [values[self.tape.at[node.index]] <= self.limit for node in nodes]
        return np.all(below, axis=0) if below else np.True_

    def _searched(
        self, path: ProvedPath, asleep: Sleepers, causes: Causes, drawn: Columns, roof: Sequence[Condition]
    ) -> list[Point]:  # fmt: skip
        """Return points that wake causes together, a little and more; most that cannot be woken fail soon, alone."""
        conditions: list[Condition] = []
        starts: list[tuple[frozenset[Any], Columns]] = []
        for cause in sorted(causes):
            alone = self._waken_alone(cause, asleep, drawn)
            if alone is None:
                return []
            conditions += alone[0]
            starts.append((self._inputs_of(alone[0]), alone[1]))
        columns = self._laid_over(starts, drawn)
        joint = replace(path, conditions=[*path.conditions, *conditions, *roof])
        scores = [score for score, _ in self.scores]
        reached = self._search(joint, columns, _JOINT, scores)
        if reached is None:
            return []
        found: list[Point] = []
        for _ in range(_DOUBLINGS):
            values = self.tape.run(reached)
            depth = asleep.depth(causes, values)
            best = int(depth.argmax())
            if depth[best] > 0:
                # The first of them, and the last.
                found[1:] = [point_at(reached, best)]
            if not 0 <= depth[best] < _ENOUGH or self.work <= 0:
                break
            least = min(sorted(causes), key=lambda c: float(asleep.depth(frozenset([c]), values)[best]))
            more = asleep.further(least, values, best)
            columns = {name: np.resize(column, _POINTS) for name, column in reached.items()}
            further = self._search(replace(joint, conditions=[*joint.conditions, *more]), columns, _FEWER, scores)
            if further is None:
                break
            reached = further
        return found

    def _laid_over(self, starts: Sequence[tuple[frozenset[Any], Columns]], drawn: Columns) -> dict[Any, Floats]:
        """Return points in which the inputs that each cause depends on are those of a point that wakes it."""
        some = self.random.integers(len(next(iter(drawn.values()))), size=_POINTS)
        columns = {name: column[some] for name, column in drawn.items()}
        for place in range(_POINTS):
            for i in self.random.permutation(len(starts)):
                names, points = starts[i]
                at = self.random.integers(len(next(iter(points.values()))))
                for name in names:
                    columns[name][place] = points[name][at]
        return columns

    def _waken_alone(
        self, cause: Cause, asleep: Sleepers, drawn: Columns
    ) -> tuple[Sequence[Condition], Columns] | None:  # fmt: skip
        """Return conditions that wake one cause, on whatever path, with points that meet them."""
        if cause not in self._alone:
            self._alone[cause] = None
            some = self.random.integers(len(next(iter(drawn.values()))), size=32)
            starts = {name: column[some] for name, column in drawn.items()}
            for conditions in filter(self._possible, asleep.wishes(cause)):
                inputs = self._inputs_of(conditions)
                moderate = [score for score, used in self.scores if used <= inputs]
                reached = self._search(ProvedPath(conditions, {}), starts, _FEW, moderate)
                if reached is not None and (asleep.depth(frozenset([cause]), self.tape.run(reached)) > 0).any():
                    self._alone[cause] = conditions, reached
                    break
        return self._alone[cause]

    def _possible(self, conditions: Sequence[Condition]) -> bool:
        return all(self._range(c.left)[0] < self._range(c.right)[1] for c in conditions)

    def _range(self, node: Node) -> tuple[float, float]:
        if node.rational is not None:
            return float(node.rational), float(node.rational)
        return self._ranges[node.index] if node.index < len(self._ranges) else (-np.inf, np.inf)

    def _inputs(self, nodes: Sequence[Node]) -> frozenset[Any]:
        return frozenset(node.value for node in self.graph.cone(nodes) if node.op == "input")

    def _inputs_of(self, conditions: Sequence[Condition]) -> frozenset[Any]:
        return self._inputs([side for c in conditions for side in (c.left, c.right)])

    def _search(
        self, path: ProvedPath, starts: Columns, steps: int, bound: Sequence[Node]
    ) -> dict[Any, Floats] | None:  # fmt: skip
        if self.work <= 0:
            self.left += 1
            return None
        reaching = Reaching(self.graph, [path], self.random, self.roundoff)
        found = reaching.search(path, starts, bound, self.limit, steps=steps, within=_WITHIN)
        self.work -= reaching.spent
        return found
