"""Inputs that take a target along a given path: all its questions are solved at once, in floats, from many points.

A question that is answered wrongly is an inequality ``g(x) < 0`` that does not hold; a Newton step along the gradient
of ``g`` meets it.  Steps for one question after the other, a little too long or far too long, reach narrow places too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.points.tape import Floats, Tape

Point = Mapping[Any, Fraction]

# Points that are moved at the same time, and steps of each.
_STARTS, _STEPS = 64, 80
# Points that are drawn beside those given; those on a path that are looked at, and kept; paths that are searched for.
_MORE, _LOOKED, _KEPT = 1024, 64, 3
# Weights are even where no exponent is larger.
_EVEN = 4.0
# Points that are drawn for a path that is not proved.
_DRAWN = 400
# Nodes that are computed, at all these points together, in the searches for one case.
WORK = 300_000
# A step ends behind the place where the question is met by 2 to such a power, relative to how far it was from there.
_BEYOND = (-52.0, 1.0)
# No input moves further than this in one step, relative to its size and 1.
_FAR = 64.0
_ROUNDOFF = 2.0**-53
# Times the error that rounding may have caused, by which sides of a question must differ to count as told apart.
_SURE = 2.0


def near_path(
    graph: Graph, conditions: Sequence[Condition], names: Sequence[Any], random: np.random.Generator, most: int
) -> list[Point]:
    """Return up to ``most`` points, of those drawn at several magnitudes, that answer order questions as on a path."""
    orders = [c for c in conditions if c.op == "lt"]
    sizes = 64 * np.resize([1, 4, 16, 64], (_DRAWN, 1))
    numerators = random.integers(-sizes, sizes, (_DRAWN, len(names)), endpoint=True)
    # Inputs equal in size and sign reach sums that independent ones do not.
    numerators[2::3] = abs(numerators[2::3, :1]) + 1
    values = Tape(graph, [node for c in orders for node in (c.left, c.right)])
    at, columns = values.at, values.run({name: numerators[:, i] / 64 for i, name in enumerate(names)})
    held = np.ones(_DRAWN, bool)
    with np.errstate(invalid="ignore"):
        for c in orders:
            held &= (columns[at[c.left.index]] < columns[at[c.right.index]]) == c.answer
    chosen = np.flatnonzero(held)[:most]
    return [{name: Fraction(int(numerators[i, k]), 64) for k, name in enumerate(names)} for i in chosen]


def points_on_paths(
    graph: Graph, paths: Sequence[ProvedPath], drawn: Sequence[Point], random: np.random.Generator,
    *, roundoff: float, limit: float, never: Callable[[ProvedPath], bool], work: int = WORK,
) -> list[list[Point]]:  # fmt: skip
    """Return for every path up to three points on it, those first at which exponentials are small.

    Args:
        graph: of the program.
        paths: with the questions that lead along each.
        drawn: points to begin with.
        random: of the further points and of the steps.
        roundoff: relative error of one operation of the target.
        limit: how large the argument of an exponential should be.
        never: whether there is nothing to be found on a path.
        work: how many nodes may be computed in searches for paths that no point happens to lie on.
    """
    reaching = Reaching(graph, paths, random, roundoff)
    columns = far_and_near(drawn, random)
    answers, found = reaching.answered(paths, columns), list[list[Point]]()
    for path, wrong in zip(paths, answers, strict=True):
        exponents = Exponents(graph, path)
        hits = np.flatnonzero(wrong == 0)[:_LOOKED]
        near = {name: column[hits] for name, column in columns.items()}
        sizes = exponents.largest(near)
        wanted = [bound for bound in (_EVEN, limit, None) if not (sizes <= (np.inf if bound is None else bound)).any()]
        if wanted and work > 0 and (len(hits) or not never(path)):
            best = np.argsort(wrong, kind="stable")[: _STARTS // 2]
            others = random.integers(len(wrong), size=_STARTS - len(best))
            starts = {name: column[[*best, *others]] for name, column in columns.items()}
            for bound in wanted:
                reached = reaching.search(path, starts, exponents.nodes if bound else (), bound or np.inf)
                work -= reaching.spent
                if reached is not None:
                    near = {name: np.concatenate([near[name], column]) for name, column in reached.items()}
                    sizes = exponents.largest(near)
                    break
        order = np.argsort(sizes, kind="stable")
        fitting = [i for i in order if sizes[i] <= limit]
        # The most even ones, where every entry counts, and one that is far from even.
        chosen = list(dict.fromkeys([*fitting[: _KEPT - 1], *fitting[-1:], *order[:1]]))[:_KEPT]
        found.append([point_at(near, i) for i in chosen])
    return found


def point_at(columns: Mapping[Any, Floats], place: int) -> dict[Any, Fraction]:
    """Return one of many points."""
    return {name: Fraction(float(column[place])) for name, column in columns.items()}


def far_and_near(drawn: Sequence[Point], random: np.random.Generator) -> dict[Any, Floats]:
    """Return the points that were drawn and a thousand others, normal ones of several sizes."""
    names = list(drawn[0])
    sizes = 2.0 ** random.integers(-3, 6, (_MORE, 1))
    more = sizes * random.standard_normal((_MORE, len(names)))
    return {name: np.concatenate([[float(p[name]) for p in drawn], more[:, i]]) for i, name in enumerate(names)}


class Exponents:
    """The arguments of the exponentials of one path, or of all that the target formed: the ``made`` first nodes."""

    def __init__(self, graph: Graph, path: ProvedPath | None, made: int | None = None) -> None:
        sides = [node for c in path.conditions for node in (c.left, c.right)] if path else []
        cone = graph.cone([*path.entries.values(), *sides]) if path else graph.nodes[:made]
        self.nodes = [graph.nodes[node.args[0]] for node in cone if node.op == "exp"]
        self._tape = Tape(graph, self.nodes)

    def largest(self, points: Mapping[Any, Floats]) -> Floats:
        """Return the size of the largest at each point; infinite where one has no value."""
        values = self._tape.run(points)
        largest = np.zeros(len(next(iter(points.values()))))
        for node in self.nodes:
            largest = np.maximum(largest, np.nan_to_num(np.abs(values[self._tape.at[node.index]]), nan=np.inf))
        return largest


class Reaching:
    """Looks for points on the paths of one case."""

    def __init__(self, graph: Graph, paths: Sequence[ProvedPath], random: np.random.Generator, roundoff: float) -> None:
        self.graph = graph
        self.random = random
        self.roundoff = roundoff
        sides = {node.index: node for path in paths for c in path.conditions for node in (c.left, c.right)}
        self.tape = Tape(graph, list(sides.values()))
        self.spent = 0  # nodes of the last search

    def answered(self, paths: Sequence[ProvedPath], points: Mapping[Any, Floats]) -> list[NDArray[np.int64]]:
        """Return for every path how many questions each point answers otherwise, or too close for floats to tell."""
        values = self.tape.run(points)
        errors = self.tape.errors(values, self.roundoff)
        count = len(next(iter(points.values())))
        signs: dict[tuple[int, int], NDArray[np.int8]] = {}

        def sign(left: int, right: int) -> NDArray[np.int8]:
            if (left, right) not in signs:
                at, to = self.tape.at[left], self.tape.at[right]
                with np.errstate(all="ignore"):
                    apart = values[at] - values[to]
                    sure = np.abs(apart) > _SURE * (errors[at] + errors[to])
                signs[left, right] = (np.sign(np.nan_to_num(apart)) * sure).astype(np.int8)
            return signs[left, right]

        found = []
        for path in paths:
            wrong = np.zeros(count, np.int64)
            for c in path.conditions:
                told = sign(c.left.index, c.right.index)
                wrong += told == 0 if c.op == "eq" else told != (-1 if c.answer else 1)
            found.append(wrong)
        return found

    def search(
        self, path: ProvedPath, starts: Mapping[Any, Floats], bound: Sequence[Node] = (),
        limit: float = np.inf, *, steps: int = _STEPS, within: float = np.inf,
    ) -> dict[Any, Floats] | None:  # fmt: skip
        """Return points on a path at which some nodes are no larger in size than ``limit``, or ``None``.

        The search ends where no point is left whose inputs are all ``within`` a size.
        """
        orders = [c for c in path.conditions if c.op == "lt"]
        tape = Tape(self.graph, [node for c in orders for node in (c.left, c.right)] + [*bound])
        points, self.spent = dict(starts), 0
        count = len(next(iter(points.values())))
        lefts = [tape.at[c.left.index] for c in orders]
        rights = [tape.at[c.right.index] for c in orders]
        signs = np.array([1.0 if c.answer else -1.0 for c in orders])[:, None]
        bounded = [tape.at[node.index] for node in bound]
        for step in range(steps):
            if not np.all([np.abs(column) <= within for column in points.values()], axis=0).any():
                return None
            values = tape.run(points)
            self.spent += len(tape.nodes)
            with np.errstate(all="ignore"):
                sides = zip(signs, lefts, rights, strict=True)
                missed = [sign * (values[a] - values[b]) for sign, a, b in sides]
                missed += [np.abs(values[at]) - limit for at in bounded]
            gaps = np.array(missed) if missed else np.full((1, count), -1.0)
            wrong = ~(gaps < 0)
            if step % 4 == 0 or not wrong.any(axis=0).all():
                fits = ~wrong.any(axis=0) & (self.answered([path], points)[0] == 0)
                if fits.any():
                    return {name: column[fits] for name, column in points.items()}
            if not missed:
                return None  # only equations were asked, and no step leads away from one
            before = dict(points)
            self._step(tape, values, points, gaps, wrong, lefts, rights, bounded, signs)
            if all(np.array_equal(points[name], before[name]) for name in points):
                return None  # no slope leads anywhere
        return None

    def _step(
        self, tape: Tape, values: Sequence[Floats], points: dict[Any, Floats], gaps: Floats, wrong: NDArray[np.bool_],
        lefts: Sequence[int], rights: Sequence[int], bounded: Sequence[int], signs: Floats,
    ) -> None:  # fmt: skip
        """Move every point behind one of its questions that are answered wrongly, or too close to call."""
        count = wrong.shape[1]
        # Where all are right, but too close: any of them.
        chances = self.random.random(wrong.shape) * np.where(wrong.any(axis=0), wrong, 1.0)
        chosen = chances.argmax(axis=0)
        seeds: dict[int, Floats] = {}
        for i in np.unique(chosen):
            mine = (chosen == i).astype(np.float64)
            if i < len(lefts):
                seeds[lefts[i]] = seeds.get(lefts[i], 0.0) + mine * signs[i]
                seeds[rights[i]] = seeds.get(rights[i], 0.0) - mine * signs[i]
            else:
                at = bounded[i - len(lefts)]
                seeds[at] = seeds.get(at, 0.0) + mine * np.sign(values[at])
        slopes = tape.slopes(values, seeds)
        gap = gaps[chosen, np.arange(count)]
        beyond = 2.0 ** self.random.uniform(*_BEYOND, count)
        with np.errstate(all="ignore"):
            # A random half of the inputs moves, so that questions which share some do not undo one another for ever.
            moved = {name: slope * (self.random.random(count) < 0.5) for name, slope in slopes.items()}
            steepness = sum(slope * slope for slope in moved.values())
            length = (gap + beyond * np.where(gap > 0, gap, np.abs(gap) + 1e-12)) / steepness
            for name, slope in moved.items():
                column = points[name]
                change = np.nan_to_num(length * slope, nan=0.0, posinf=0.0, neginf=0.0)
                reach = _FAR * (1 + np.abs(column))
                points[name] = column - np.clip(change, -reach, reach)
