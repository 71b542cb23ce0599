"""Whether a run in floats lies near the exact values of the program that was traced, at the same point.

A guard, not a verdict: code that computes one thing in exact numbers and another in floats, without taking
another way through its lines, is caught here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.checks.reading import floats

# Unit roundoffs by the narrowest format that the target casts to.
ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11}
# In unit roundoffs of the largest value: benign points and tiny sizes lose few, and of coarse ones more would hide all.
_UNITS = {"float64": 2.0**14, "float32": 2.0**10, "float16": 2.0**6}
# The program's own float evaluation may round in another order than NumPy does.
OWN_LOSS = 256.0


def narrowest(notes: Any) -> str:
    """Return the narrowest float format that the notes of a trace mention.

    >>> narrowest([{"kind": "cast", "text": "float64 → float32"}])
    'float32'
    """
    texts = [note["text"] for note in notes if note["kind"] == "cast"]
    for name in ("float16", "float32"):
        if any(name in text for text in texts):
            return name
    return "float64"


def formats_of(values: Any) -> list[str]:
    """Return the float formats among the noted values of a run, but for float64.

    >>> formats_of({"f.py:1": [{"array": {"shape": [1], "dtype": "float16"}}]})
    ['float16']
    """
    seen = repr(values)
    return [name for name in ROUNDOFF if name != "float64" and f"'{name}'" in seen]


def narrowest_run(notes: Any, ran: Mapping[str, Any]) -> str:
    """Return the narrowest float format of a trace, or of a run in floats, which goes on where a trace was refused."""
    found: set[str] = {narrowest(notes), *ran.get("formats", ()), *formats_of(ran.get("values", ""))}
    return max(found, key=list(ROUNDOFF).index)


def allowance_of(notes: Any) -> float:
    """Return what rounding may add up to at a benign point and a tiny size, relative to the largest value."""
    narrow = narrowest(notes)
    return _UNITS[narrow] * ROUNDOFF[narrow]


def disagreement(
    graph: Graph,
    entries: Mapping[Any, Node],
    found: Mapping[Any, float],
    point: Mapping[Any, Fraction],
    notes: Any,
) -> str:
    """Return what differs between floats and exact values, or the empty string.

    The allowance is what the narrowest format of the run explains, or what the traced program itself loses
    when it is run in float64 (a cancellation, say).
    """
    if not entries:
        return ""
    balls = BallValues(graph, point)
    keys = list(entries)
    replayed = floats(graph, [entries[key] for key in keys], point)
    largest = max([1.0, *(abs(float(value)) for value in point.values())])
    allowance = allowance_of(notes) * largest
    for key, again in zip(keys, replayed, strict=True):
        exact = float(balls[entries[key]].mid())
        if key not in found:
            return f"in floats, {_name(key)} is missing"
        error = abs(float(found[key]) - exact)
        own = abs(again - exact) if math.isfinite(again) else 0.0
        if not error <= allowance + OWN_LOSS * own:
            return f"in floats, {_name(key)} is {float(found[key]):.9g}; the traced program gives {exact:.9g} there"
    return ""


def _name(key: tuple[str, tuple[int, ...]]) -> str:
    name, index = key
    return f"{name}[{','.join(str(i + 1) for i in index)}]"
