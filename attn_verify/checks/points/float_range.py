"""Whether floats can follow a program at a point: how far it is there from the ends of their range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph
from attn_verify.checks.outcome import ProvedPath
from attn_verify.checks.points.reaching import Exponents
from attn_verify.checks.reading import floats

Point = Mapping[Any, Fraction]

# Exponentials of numbers up to these are far from the ends of the format.
LIMITS: Mapping[str, float] = {"float64": 340, "float32": 40, "float16": 5}
# Exponentials of numbers below these are zero in the format, as those of fills are meant to be.
_GONE: Mapping[str, float] = {"float64": -760, "float32": -110, "float16": -20}


class FloatRange:
    """What may leave the range of floats on one path: its exponentials, or all among ``whole`` first nodes."""

    def __init__(self, graph: Graph, path: ProvedPath, narrow: str, *, whole: int = 0) -> None:
        self._graph = graph
        self._limit, self._gone = LIMITS[narrow], _GONE[narrow]
        self._exponents = Exponents(graph, None if whole else path, whole).nodes
        cone = graph.cone(path.entries.values())
        self._divisors = [graph.nodes[node.args[-1]] for node in cone if node.op in ("div", "log")]
        self._filled: list[bool] | None = None

    def at(self, point: Point) -> tuple[bool, bool]:
        """Return whether a point is binding, and whether it is strained.

        It is binding where no exponential is too large, and no divisor near an end of the range: exponentials may be as
        small as they like where nothing is divided by them.  It is strained where some exponential comes near an end;
        those of fills, which are out of range where all inputs are zero, may be zero in floats.
        """
        exponents = floats(self._graph, self._exponents, point)
        if self._filled is None:
            nothing = dict.fromkeys(point, Fraction(0))
            self._filled = [x < -self._limit for x in floats(self._graph, self._exponents, nothing)]
        found = zip(exponents, self._filled, strict=True)
        strained = not all(not abs(x) > self._limit or (fill and x < self._gone) for x, fill in found)
        low, high = math.exp(-self._limit), math.exp(self._limit)
        binding = all(x <= self._limit for x in exponents) and all(
            low <= abs(x) <= high for x in floats(self._graph, self._divisors, point)
        )
        return binding, strained
