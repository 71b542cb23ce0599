"""Values inside a target that sleep, which are alike at all the inputs that it was run with, and what wakes them.

A value sleeps for a cause: of a maximum one argument is never taken, an exponent or a divisor is large, or a product
has a factor that sleeps.  A cause goes away where an inequality holds.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.outcome import Condition
from attn_verify.checks.points.tape import Floats, Tape

# A value by itself or, of a maximum, the argument that it is not.
Cause = tuple[int, int]
Causes = frozenset[Cause]

# Values sleep that differ by less, relative to their size and 1, and are awake where they differ by more.
_ASLEEP, AWAKE = 1e-9, 1e-6
# What an exponent, and a divisor, should not exceed; larger values are constants that stand for infinity.
_SHALLOW, _SMALL, _HUGE = 1, 16, 1e300


def at_odds(causes: Causes) -> bool:
    """Return whether no point wakes all causes: two arguments of one maximum are not both the largest."""
    arms = [index for index, arm in causes if arm != index]
    return len(set(arms)) < len(arms)


class Sleepers:
    """What sleeps at the points of a path, and the causes of it."""

    def __init__(self, graph: Graph, tape: Tape, dependent: Container[int], here: Sequence[Floats]) -> None:
        self._graph, self._tape = graph, tape
        self._here = here
        self._dependent = dependent
        self._causes: dict[int, Causes] = {}
        self._arms: list[Cause] = []
        for node, value in zip(self._tape.nodes, here, strict=True):
            if node.index in self._dependent:
                self._look_at(node, value)

    def _look_at(self, node: Node, value: Floats) -> None:
        arms = [(node.index, arg) for arg in self._untaken(node)]
        self._arms += arms
        if not sleeps(value):
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

    def _untaken(self, node: Node) -> list[int]:
        """Return the arguments that a maximum never is, and the x of √x² whose sign is always the same."""
        with np.errstate(invalid="ignore"):
            if node.op == "max":
                return [arg for arg in node.args if not (self._arm(node.index, arg, self._here) > 0).any()]
            inner = self._graph.nodes[node.args[0]] if node.op == "sqrt" else None
            if inner is None or inner.op != "mul" or inner.args[0] != inner.args[1]:
                return []
            root = self._value(inner.args[0])
            return [inner.args[0]] if (root >= 0).all() or (root <= 0).all() else []

    def _value(self, index: int) -> Floats:
        return self._here[self._tape.at[index]]

    def together(self) -> Iterator[Causes]:
        """Yield the sets of causes that have to be woken at once: one first, then several."""
        found = {frozenset([arm]): None for arm in self._arms} | dict.fromkeys(self._causes.values())
        yield from sorted((c for c in found if c), key=len)

    def depth(self, causes: Causes, values: Sequence[Floats]) -> Floats:
        """Return how far each point is from sleep, by the cause that is least awake; negative where one sleeps."""
        least: Any = np.inf
        with np.errstate(invalid="ignore"):
            for index, arm in causes:
                value = values[self._tape.at[index]]
                if arm != index:
                    apart = self._arm(index, arm, values)
                else:
                    apart = np.abs(value - slept(self._value(index)))
                    apart = np.where(apart > AWAKE * (1 + np.abs(value)), apart, -1.0)
                least = np.minimum(least, np.nan_to_num(apart, nan=-1.0))
        return np.asarray(least)

    def _arm(self, index: int, arm: int, values: Sequence[Floats]) -> Floats:
        """Return by how much an argument is the largest, or a root's argument has the sign that it had nowhere."""
        node, value = self._graph.nodes[index], values[self._tape.at[arm]]
        if node.op == "sqrt":
            return np.asarray(-np.sign(self._value(arm).sum()) * value)
        others = [values[self._tape.at[arg]] for arg in node.args if arg != arm]
        return np.asarray(value - np.max(others, axis=0))

    def wishes(self, cause: Cause) -> list[list[Condition]]:
        """Return what wakes a cause: one of these lists of conditions."""
        index, arm = cause
        node = self._graph.nodes[index]
        if arm != index:
            return [self._arm_above(node, arm, Fraction(0))]
        own = [[c] for c in self._beyond(node, slept(self._value(index)), AWAKE * 2)]
        return [list(self._grown(node)), *own]

    def _arm_above(self, node: Node, arm: int, margin: Fraction) -> list[Condition]:
        number, taken = self._graph.number, self._graph.nodes[arm]
        if node.op == "sqrt":
            negative = self._value(arm).sum() > 0
            return [less(taken, number(-margin)) if negative else less(number(margin), taken)]
        others = [self._graph.nodes[arg] for arg in node.args if arg != arm]
        return [less(self._graph.add(other, number(margin)), taken) for other in others]

    def _grown(self, node: Node, depth: int = 4) -> Iterator[Condition]:
        """Yield conditions by which a value is not small for the reasons for which most values are."""
        args = [self._graph.nodes[arg] for arg in node.args]
        number = self._graph.number
        if node.op == "exp":
            yield less(number(-_SHALLOW), args[0])
        elif node.op == "div" and depth:
            yield from self._grown(args[0], depth - 1)
            yield from self._shrunk(args[1])
        elif node.op in ("mul", "neg", "sqrt") and depth:
            for arg in {arg.index: arg for arg in args}.values():
                yield from self._grown(arg, depth - 1)
        elif node.op == "atom":
            for arg in args:
                yield less(number(-_SHALLOW), arg)
                yield less(arg, number(_SHALLOW))

    def further(self, cause: Cause, values: Sequence[Floats], at: int) -> list[Condition]:
        """Return conditions by which a cause is twice as far from sleep as it is at one of the points."""
        index, arm = cause
        node = self._graph.nodes[index]
        if arm == index:
            known, value = slept(self._value(index)), float(values[self._tape.at[index]][at])
            return self._beyond(node, known, 2 * abs(value - known))[:: 1 if value > known else -1][:1]
        return self._arm_above(node, arm, Fraction(2 * float(self._arm(index, arm, values)[at])))

    def _beyond(self, node: Node, slept: float, margin: float) -> list[Condition]:
        margin *= 1 + abs(slept)
        if not abs(slept) + margin < _HUGE:
            return []
        above, below = (self._graph.number(Fraction(slept + side * margin)) for side in (1, -1))
        return [less(above, node), less(node, below)]

    def _shrunk(self, node: Node) -> Iterator[Condition]:
        """Yield conditions by which a divisor is of moderate size."""
        exponentials = [inner for inner in self._graph.cone([node]) if inner.op == "exp"]
        for inner in exponentials:
            yield less(self._graph.nodes[inner.args[0]], self._graph.number(_SHALLOW))
        if not exponentials:
            yield less(node, self._graph.number(_SMALL))
            yield less(self._graph.number(-_SMALL), node)


def sleeps(value: Floats) -> bool:
    """Return whether a value is alike at all points at which floats have one, which are most of them."""
    known = value[np.isfinite(value)]
    with np.errstate(over="ignore"):
        return 2 * known.size > value.size and bool(np.ptp(known) <= _ASLEEP * (1 + np.abs(known).max()))


def slept(value: Floats) -> float:
    """Return what a value that sleeps is, NaN where floats have none."""
    known = value[np.isfinite(value)]
    return float(known[0]) if known.size else np.nan


def less(left: Node, right: Node) -> Condition:
    """Return the condition that one value is below another."""
    return Condition("lt", left, right, True, "")
