"""What the questions of a path say of values, so far as it follows by adding inequalities."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.contradiction import Contradictions
from attn_verify.checks.outcome import ProvedPath
from attn_verify.checks.points.sleepers import less

# How far an input may move, relative to its size and 1, that is held fast.
_NARROW = 1e-6


class PathFacts:
    """Facts about the paths of one program."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @cached_property
    def _contradictions(self) -> Contradictions:
        return Contradictions(self._graph)

    def never(self, path: ProvedPath) -> Callable[[Node, Node], bool]:
        """Return what says whether one value is not above another one on a path."""

        def below(above: Node, other: Node) -> bool:
            if not path.conditions:
                return False
            return bool(self._contradictions.of([*path.conditions, less(other, above)]))

        return below

    def holds(self, path: ProvedPath, node: Node, value: float) -> bool:
        """Return whether the questions of a path show that a number is near to a value."""
        near = _NARROW * (1 + abs(value))
        low, high = (self._graph.number(Fraction(value + side * near)) for side in (-1, 1))
        return all(self._contradictions.of([*path.conditions, end]) for end in (less(node, low), less(high, node)))
