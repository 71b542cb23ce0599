"""Whether the values of a target's expressions agree: in exact numbers and in floats, at the same point.

A result may agree although something inside differs, where it is multiplied by zero or hidden by a maximum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.observe import difference
from attn_verify.checks.agreement import allowance_of
from attn_verify.checks.reading import floats

Values = Mapping[str, list[Mapping[str, Any]]]

# Fills for masked scores are larger, and say nothing about what rounding does to the others.
_FILL = 1e6
# Whole numbers from here on are addresses, hashes and times, as ``id`` gives them: others in every process.
_ADDRESS = 2**40


class Shadow:
    """The noted values of one exact run."""

    def __init__(self, graph: Graph, trace: Mapping[str, Any], point: Mapping[Any, Fraction], notes: Any) -> None:
        self._noted: Values = trace["values"]
        indices = sorted({index for values in self._noted.values() for value in values for index in _nodes(value)})
        values = floats(graph, [graph.nodes[index] for index in indices], point)
        self._values = dict(zip(indices, values, strict=True))
        sizes = [abs(value) for value in self._values.values() if abs(value) < _FILL]
        self._allowance = allowance_of(notes) * max([1.0, *sizes])

    def differences(self, real: Values) -> list[str]:
        """Return the places of expressions that gave something else in floats.

        Where one run evaluates an expression more often, as a library that calls a function once more does, every
        value must occur in the other run.
        """
        found = []
        for place in sorted(self._noted.keys() | real.keys()):
            exact, floating = self._noted.get(place, []), real.get(place, [])
            if len(exact) == len(floating):
                differ = any(self._differ(a, b) for a, b in zip(exact, floating, strict=True))
            else:
                differ = any(all(self._differ(a, b) for b in floating) for a in exact)
                differ = differ or any(all(self._differ(a, b) for a in exact) for b in floating)
            if differ:
                found.append(place)
        return found

    def _differ(self, exact: Mapping[str, Any], real: Mapping[str, Any]) -> bool:
        return difference(exact, real, self._near)

    def _near(self, exact: Any, real: Any) -> bool:
        if type(exact) is type(real) is int and min(abs(exact), abs(real)) >= _ADDRESS:
            return True
        x = self._values[exact[1]] if isinstance(exact, tuple) else _number(exact)
        y = _number(real)
        if math.isnan(x):
            # The program has no value in floats at this point, or none at all.
            return isinstance(exact, tuple) or math.isnan(y)
        return x == y or abs(x - y) <= self._allowance + abs(x) * 1e-6


def shown_place(place: str) -> str:
    """Return ``file.py:line`` of the place of an expression.

    >>> shown_place("/home/a/file.py:12:4:Call")
    'file.py:12'
    """
    path, line, *_ = place.rsplit(":", 3)
    return f"{path.rsplit('/', 1)[-1]}:{line}"


def _number(value: Any) -> float:
    if isinstance(value, str):
        return float.fromhex(value) if "0x" in value else float(value)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _nodes(value: Mapping[str, Any]) -> list[int]:
    if "array" in value:
        return [int(index) for index in value["array"].get("nodes", ())]
    inner = [*value.get("list", ()), *value.get("tuple", ()), *value.get("dict", {}).values()]
    return [index for item in inner for index in _nodes(item)]
