"""Whether the values of a target's expressions agree: in exact numbers and in floats, at the same point.

A result may agree although something inside differs, where it is multiplied by zero or hidden by a maximum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.observe import UNWRITTEN, difference
from attn_verify.checks.agreement import allowance_of, narrowest
from attn_verify.checks.chance import absorbed
from attn_verify.checks.outcome import Outcome, check_again, short_place
from attn_verify.checks.reading import floats

Json = Mapping[str, Any]
Values = Mapping[str, list[Json]]

# Fills for masked scores are larger, and say nothing about what rounding does to the others.
_FILL = 1e6
# The largest numbers of the formats.
_ENDS: Mapping[str, float] = {"float64": math.inf, "float32": 3.4e38, "float16": 65504.0}
# Further seeds of hashes with which a target that names sets is run.
_HASHES, _FEW_HASHES = 8, 1


def check_values(outcome: Outcome, shadow: Shadow, exact_run: Json, real: Values, again: Callable[[], Json]) -> None:
    """Doubt a case whose expressions gave other values in floats than in exact numbers.

    ``real`` was noted in floats; ``again`` runs the same call in floats in another process.
    """
    for place, why in exact_run["unobserved"]:
        remedy = "take it out of the function, or write it in NumPy and plain Python"
        outcome.doubt(f"{short_place(place)} {why}", remedy)
    found = shadow.differences(real)
    if found:
        # What differs from run to run in floats, as the time does, says nothing unless something depends on it.
        second = again().get("values", {})
        stable = [p for p in found if second.get(p) == real.get(p)]
        check_chance(outcome, set(found) - set(stable), real, second)
        found = stable
    if found:
        outcome.doubt(
            f"floats and exact numbers differ inside: {shown_place(found[0])}",
            "avoid values that depend on types, dtypes, identity or the process",
        )


def check_hashes(outcome: Outcome, run: Callable[[int], Json], *, few: bool) -> None:
    """Doubt a case in which the order of sets or a hash may decide; ``run`` calls the target with a seed of hashes."""
    differs = "its result depends on hashes or the order of a set, which other processes have otherwise"
    runs = [run(seed) for seed in range(1, 2 + (_FEW_HASHES if few else _HASHES))]
    for other in runs:
        check_again(outcome, other, "in a process that hashes otherwise", differs)
    values = runs[0].get("values", {})
    # What was in the memory that ``np.empty`` returns is chance, and exact numbers refuse to read it.
    unwritten = {place for path in outcome.paths for place, seen in path.values.items() if UNWRITTEN in seen}
    for others in (other.get("values", {}) for other in runs[1:]):
        changed = {place for place in values.keys() - unwritten if values[place] != others.get(place)}
        check_chance(outcome, changed, values, others)


def check_chance(outcome: Outcome, changing: Collection[str], first: Values, second: Values) -> None:
    """Doubt a case in which something that changes from run to run may decide what is computed."""
    place = absorbed(changing, first, second) if changing else ""
    if place:
        outcome.doubt(
            f"{shown_place(place)} gives another value in another run, and what depends on it is not followed",
            "avoid the clock, random numbers, and the order of sets",
        )


class Shadow:
    """The noted values of one exact run; ``numbers`` are the values of its nodes, as far as they are known.

    ``special`` are those nodes that are ±∞ or NaN themselves, and not only where floats end.
    """

    def __init__(
        self, noted: Values, notes: Any, numbers: Mapping[int, float] | None = None, special: Collection[int] = ()
    ) -> None:  # fmt: skip
        self._noted = noted
        self._numbers = numbers or {}
        self._special = frozenset(special)
        self._relative = allowance_of(notes)
        self._end = _ENDS[narrowest(notes)]
        self._largest = max([1.0, *(abs(x) for x in self._numbers.values() if abs(x) < _FILL)])

    @staticmethod
    def of_trace(graph: Graph, trace: Json, point: Mapping[Any, Fraction]) -> Shadow:
        """Return the noted values of a traced run, its nodes evaluated in floats at the point of the float run."""
        noted: Values = trace["values"]
        indices = sorted({index for values in noted.values() for value in values for index in _nodes(value)})
        nodes = [graph.nodes[index] for index in indices]
        values = dict(zip(indices, floats(graph, nodes, point), strict=True))
        return Shadow(noted, trace["notes"], values, [node.index for node in nodes if node.special])

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
        if isinstance(exact, int) and isinstance(real, int):
            return exact == real  # flags too: no cast rounds them
        x = self._numbers[exact[1]] if isinstance(exact, tuple) else _number(exact)
        y = _number(real)
        if isinstance(exact, tuple) and exact[1] in self._special:
            return x == y or (math.isnan(x) and math.isnan(y))
        if math.isnan(x):
            # The program has no value in floats at this point, or none at all.
            return isinstance(exact, tuple) or math.isnan(y)
        if math.isinf(y) and isinstance(exact, tuple) and x * y > 0 and abs(x) > self._end:
            return True  # beyond the range of the narrowest format
        return x == y or abs(x - y) <= self._relative * max(self._largest, abs(x))


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
