"""Inputs that wake what sleeps: values inside a target that are alike at all the inputs that it was run with.

What a function does with such a value was never seen in floats: a term that is zero but near one place, an arm of a
maximum that no input took.  What makes a value sleep is an inequality, and points that meet it are searched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.reaching import Exponents, Reaching, far_and_near
from attn_verify.checks.tape import Floats, Tape

Point = Mapping[Any, Fraction]
Columns = Mapping[Any, Floats]
# A value alone or, of a maximum, the argument that it is not.
Cause = tuple[int, int]
Causes = frozenset[Cause]

# Values sleep that differ by less, relative to their size and 1, and are awake where they differ by more.
_ASLEEP, _AWAKE = 1e-9, 1e-6
# Steps of the search for one cause alone, for more of it, and on a path; inputs that are looked at.
_FEW, _FEWER, _JOINT, _WITHIN = 24, 8, 40, 2.0**20
# Values are made to differ by this much, doubling how far they do.
_ENOUGH, _DOUBLINGS = 2.0**-4, 24
# Nodes that are computed, at all points together, in the searches for one case; further points of a path.
WORK, _MOST = 200_000, 16
# Causes that a value has at most.
_TOGETHER = 6
# What an exponent, and a divisor, should not exceed; larger values are constants that stand for infinity.
_SHALLOW, _SMALL, _HUGE = 1, 16, 1e300


@dataclass(frozen=True)
class _Wish:
    """What wakes a cause: one of these lists of conditions."""

    either: Sequence[Sequence[Condition]]


def waking_points(
    graph: Graph, paths: Sequence[ProvedPath], tried: Sequence[Sequence[Point]], random: np.random.Generator,
    *, roundoff: float, limit: float, work: int = WORK,
) -> list[list[Point]]:  # fmt: skip
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
    names = [point for points in tried for point in points][:1]
    if not names:
        return [[] for _ in paths]
    waking = _Waking(graph, random, roundoff, limit, work)
    drawn = far_and_near([point for points in tried for point in points], random)
    values = waking.tape.run(drawn)
    answers = Reaching(graph, paths, random, roundoff).answered(paths, drawn)
    found = []
    for path, points, wrong in zip(paths, tried, answers, strict=True):
        found.append(waking.of_path(path, points, drawn, values, wrong == 0) if points else [])
    return found


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
        asleep = _Asleep(self, here)
        found: list[Point] = []
        # Where no exponential that the target forms leaves the range of floats, or else none that counts.
        bounds = [self._all, Exponents(self.graph, path)]
        mild = [on_path & (exponents.largest(drawn) <= self.limit) for exponents in bounds]
        for causes in asleep.together():
            if len(found) >= _MOST or any(self._wakes(asleep, causes, point) for point in found):
                continue
            depth = asleep.depth(causes, values)
            for fits in mild:
                awake = np.where(fits, depth, -np.inf)
                best = int(awake.argmax())
                if awake[best] > 0:
                    found.append({name: Fraction(float(column[best])) for name, column in drawn.items()})
                    break
            else:
                found += next(filter(None, (self._searched(path, asleep, causes, drawn, e) for e in bounds)), [])
        return found

    def _wakes(self, asleep: _Asleep, causes: Causes, point: Point) -> bool:
        values = self.tape.run({name: np.array([float(x)]) for name, x in point.items()})
        return bool(asleep.depth(causes, values)[0] > 0)

    def _searched(
        self, path: ProvedPath, asleep: _Asleep, causes: Causes, drawn: Columns, exponents: Exponents
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
            more = [c for cause in causes for c in asleep.further(cause, values, best)]
            columns = {name: np.resize(column, 64) for name, column in reached.items()}
            further = self._search(replace(joint, conditions=[*joint.conditions, *more]), columns, _FEWER, exponents)
            if further is None:
                break
            reached = further
        depth = asleep.depth(causes, self.tape.run(reached))
        best = int(depth.argmax())
        return [{name: Fraction(float(column[best])) for name, column in reached.items()}] if depth[best] > 0 else []

    def _waken_alone(
        self, cause: Cause, asleep: _Asleep, drawn: Columns
    ) -> tuple[Sequence[Condition], Columns] | None:  # fmt: skip
        """Return conditions that wake one cause, on whatever path, with points that meet them."""
        if cause not in self._alone:
            self._alone[cause] = None
            some = self.random.integers(len(next(iter(drawn.values()))), size=32)
            starts = {name: column[some] for name, column in drawn.items()}
            for conditions in asleep.wish(cause).either:
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


class _Asleep:
    """What sleeps at the points of a path, and the causes of it."""

    def __init__(self, waking: _Waking, here: Sequence[Floats]) -> None:
        self._graph, self._tape = waking.graph, waking.tape
        self._here = here
        self._dependent = waking.dependent
        self._causes: dict[int, Causes] = {}
        self._arms: list[Cause] = []
        for node, value in zip(self._tape.nodes, here, strict=True):
            if node.index in self._dependent:
                self._look_at(node, value)

    def _look_at(self, node: Node, value: Floats) -> None:
        arms = [(node.index, arg) for arg in node.args if not self._taken(arg, value)] if node.op == "max" else []
        self._arms += arms
        if not self._sleeps(value):
            return
        inner = [self._causes[arg] for arg in node.args if arg in self._causes]
        if arms:
            self._causes[node.index] = frozenset([arms[0]]) | self._causes.get(arms[0][1], frozenset())
        elif node.op in ("input", "add", "sub", "max"):
            # A sum of what is awake cancels always, or hides in floats what is small beside a constant.
            self._causes[node.index] = inner[0] if inner else frozenset()
        elif not inner:
            self._causes[node.index] = frozenset([(node.index, node.index)])
        else:
            self._causes[node.index] = frozenset().union(*inner)

    def _taken(self, arg: int, value: Floats) -> bool:
        with np.errstate(invalid="ignore"):
            return bool((self._value(arg) >= value).any())

    def _value(self, index: int) -> Floats:
        return self._here[self._tape.at[index]]

    @staticmethod
    def _sleeps(value: Floats) -> bool:
        if not np.isfinite(value).all():
            return False
        return bool(np.ptp(value) <= _ASLEEP * (1 + np.abs(value).max()))

    def together(self) -> Iterator[Causes]:
        """Yield the sets of causes that have to be woken at once: one first, then several."""
        found = {frozenset([arm]): None for arm in self._arms} | dict.fromkeys(self._causes.values())
        yield from sorted((c for c in found if 0 < len(c) <= _TOGETHER), key=len)

    def depth(self, causes: Causes, values: Sequence[Floats]) -> Floats:
        """Return how far each point is from sleep, by the cause that is least awake; negative where one sleeps."""
        least: Any = np.inf
        with np.errstate(invalid="ignore"):
            for index, arm in causes:
                value = values[self._tape.at[index]]
                if arm != index:
                    apart = values[self._tape.at[arm]] - self._others(index, arm, values)
                else:
                    apart = np.abs(value - self._value(index)[0])
                apart = np.where(apart > _AWAKE * (1 + np.abs(value)), apart, -1.0)
                least = np.minimum(least, np.nan_to_num(apart, nan=-1.0))
        return np.asarray(least)

    def _others(self, index: int, arm: int, values: Sequence[Floats]) -> Floats:
        others = [values[self._tape.at[arg]] for arg in self._graph.nodes[index].args if arg != arm]
        return np.asarray(np.max(others, axis=0))

    def wish(self, cause: Cause) -> _Wish:
        """Return what wakes a cause."""
        index, arm = cause
        node = self._graph.nodes[index]
        args = [self._graph.nodes[arg] for arg in node.args]
        if arm != index:
            return _Wish([[_less(other, self._graph.nodes[arm]) for other in args if other.index != arm]])
        low, high = self._graph.number(-_SHALLOW), self._graph.number(_SHALLOW)
        own = [[c] for c in self._beyond(node, float(self._value(index)[0]), _AWAKE * 2)]
        match node.op:
            case "exp":
                return _Wish([[_less(low, args[0])], *own])
            case "div":
                return _Wish([list(self._shrunk(args[1])), *own])
            case "atom":
                return _Wish([[c for arg in args for c in (_less(low, arg), _less(arg, high))], *own])
        return _Wish(own)

    def further(self, cause: Cause, values: Sequence[Floats], at: int) -> list[Condition]:
        """Return conditions by which a cause is twice as far from sleep as it is at one of the points."""
        index, arm = cause
        node = self._graph.nodes[index]
        if arm == index:
            slept, value = float(self._value(index)[0]), float(values[self._tape.at[index]][at])
            return self._beyond(node, slept, 2 * abs(value - slept))[:: 1 if value > slept else -1][:1]
        apart = values[self._tape.at[arm]] - self._others(index, arm, values)
        margin = self._graph.number(Fraction(2 * float(apart[at])))
        others = [self._graph.nodes[arg] for arg in node.args if arg != arm]
        return [_less(self._graph.add(other, margin), self._graph.nodes[arm]) for other in others]

    def _beyond(self, node: Node, slept: float, margin: float) -> list[Condition]:
        margin *= 1 + abs(slept)
        if not abs(slept) + margin < _HUGE:
            return []
        above, below = (self._graph.number(Fraction(slept + side * margin)) for side in (1, -1))
        return [_less(above, node), _less(node, below)]

    def _shrunk(self, node: Node, depth: int = 4) -> Iterator[Condition]:
        """Yield conditions by which a divisor is of moderate size."""
        args = [self._graph.nodes[arg] for arg in node.args]
        if node.op == "exp":
            yield _less(args[0], self._graph.number(_SHALLOW))
        elif node.op in ("add", "sub", "mul", "neg") and depth:
            for arg in args:
                if arg.index in self._dependent:
                    yield from self._shrunk(arg, depth - 1)
        else:
            yield _less(node, self._graph.number(_SMALL))
            yield _less(self._graph.number(-_SMALL), node)


def _less(left: Node, right: Node) -> Condition:
    return Condition("lt", left, right, True, "")
