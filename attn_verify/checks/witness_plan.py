"""What a float run of a case is judged against: which numbers of the call and of the result belong to the formula.

A plan is plain data: it stands in counterexample files, so that they can be judged again without binding anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import precision
from attn_verify.arithmetic.tracing.run_values import packed
from attn_verify.checks.rounding import MAX_SCORE, FloatFormat, Profile, distances, gradient_bounds, ordinary
from attn_verify.checks.witness import OPEN, Deviation, Unit, exact_gradients, judge, judge_entries
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec
from attn_verify.targets.returns import describe

Inputs = Mapping[str, NDArray[np.float64]]

# Float formats, the widest first.
PRECISIONS = ("float64", "float32", "float16", "bfloat16")

# So many numbers are written out in a call.
_LONG = 256


@dataclass(frozen=True)
class Piece:
    """Entries of one returned array: ``path`` leads to it, ``of`` is its shape, ``entries`` are positions in it."""

    path: tuple[int | str, ...]
    of: tuple[int, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """Where the entries of an input of a unit are among all inputs of the call: positions, row-major."""

    shape: tuple[int, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """Where the entries of a result are in the returned value: pieces, which follow one another row-major."""

    shape: tuple[int, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Share:
    """One evaluation of the formula: its sizes, which query may attend to which key, its inputs and its results."""

    sizes: Sizes
    allowed: Allowed
    inputs: Mapping[str, Part]
    results: Mapping[str, Result]


@dataclass(frozen=True)
class Plan:
    """Everything that one call is judged by.

    ``units`` are evaluations of the formula, a batch element or a head each.  ``gradients`` maps ``dQ`` … to where the
    gradient by an input of the call is returned, in the shape of that input; units that share an input add up.
    """

    spec: AttentionSpec
    units: tuple[Share, ...]
    gradients: Mapping[str, Result]
    precision: str

    @property
    def form(self) -> FloatFormat:
        """The float format that the bounds are for."""
        return FloatFormat.of(self.precision)

    def unit(self, share: Share, values: NDArray[np.float64]) -> Unit:
        """Return one evaluation with its inputs filled in."""
        inputs = {name: values[list(part.entries)].reshape(part.shape) for name, part in share.inputs.items()}
        return Unit(inputs, share.sizes, self.spec, share.allowed)

    def ordinary(self, inputs: Inputs, max_score: float = MAX_SCORE) -> bool:
        """Return whether magnitudes alone can make no correct code fail on these inputs."""
        values = flat(inputs)
        units = [self.unit(share, values) for share in self.units]
        return all(ordinary(unit.inputs, unit.sizes, unit.spec, self.form, max_score=max_score) for unit in units)


def flat(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return all entries of all inputs, array by array, row-major."""
    return np.concatenate([np.asarray(array, np.float64).ravel() for array in inputs.values()])


def recipe(target: str, call: Mapping[str, Any], inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return a call for a runner: the inputs by name and index, their values as exact fractions.

    Many numbers are packed, and not named one by one.
    """
    values = flat(inputs)
    if values.size > _LONG:
        return {**call, "target": target, "inputs": [], "point": packed(values)}
    names = [[name, list(index)] for name, array in inputs.items() for index in np.ndindex(array.shape)]
    point = [str(Fraction(float(value))) for value in values]
    return {**call, "target": target, "inputs": names, "point": point}


def contradiction(
    outcome: Mapping[str, Any],
    plan: Plan,
    inputs: Inputs,
    claim: str = "formula",
    observe: Callable[..., None] | None = None,
) -> dict[str, Any] | None:
    """Return ``{"kind": …, …}`` of the worst thing in one float run, ``None`` if it is what it should be.

    The claim ``range`` asks for weights that are shifted by their own row's maximum.  ``observe`` is told what was
    compared: the evaluation of the formula (``None`` for a gradient, to which several may add), and what
    :data:`~attn_verify.checks.witness.Observer` is told of it.
    Raises ``TimeoutError`` for a run without an answer: out of time, or out of memory.
    """
    ended = outcome["outcome"]
    if ended in ("timeout", "memory"):
        raise TimeoutError(f"the run ended without an answer: {ended}")
    if ended != "returned":
        exception = outcome.get("exception") or {"type": ended, "text": "", "place": None}
        return {"kind": "raised", "exception": {key: exception.get(key) for key in ("type", "text", "place")}}
    found: list[tuple[int, Deviation]] = []
    values = flat(inputs)
    try:
        for number, share in enumerate(plan.units, start=1):
            taken = taken_results(outcome["value"], share)
            if taken:
                unit = plan.unit(share, values)
                told = None if observe is None else partial(observe, unit)
                worst = judge(taken, unit, plan.form, stable=claim == "range", observe=told)[:1]
                found += [(number, seen) for seen in worst]
        gradients = {name: take(outcome["value"], result) for name, result in plan.gradients.items()}
    except MisfitError as misfit:
        return {"kind": "shape", "returned": misfit.returned, "expected": misfit.expected}
    if gradients:
        told = None if observe is None else partial(observe, None)
        found += [(0, seen) for seen in _judge_gradients(gradients, plan, inputs, claim == "range", told)]
    if not found:
        return None
    number, seen = min(found, key=lambda item: (-item[1].fraction, item[0]))
    return as_found(number, seen)


def taken_results(value: Any, share: Share) -> dict[str, NDArray[np.float64]]:
    """Return the results of one evaluation by name; raises ``MisfitError`` where the value has another shape."""
    return {name: take(value, result) for name, result in share.results.items()}


def as_found(unit: int, seen: Deviation) -> dict[str, Any]:
    """Return a deviation as it stands in a counterexample; ``unit`` counts from 1, 0 for a gradient."""
    return {
        "kind": "value" if math.isfinite(seen.value) else "nan",
        "unit": unit,
        "result": seen.name,
        "entry": list(seen.entry),
        "got": seen.value.hex(),
        "exact": seen.exact,
        "error": seen.error,
        "bound": seen.bound,
        "error_bounds": seen.fraction,
        "error_ulp": seen.error_ulp,
    }


def _judge_gradients(
    results: Mapping[str, NDArray[Any]], plan: Plan, inputs: Inputs, stable: bool, observe: Callable[..., None] | None
) -> Iterator[Deviation]:
    """Judge gradients by the inputs of the call: the sums over the units that share them."""
    values = flat(inputs)
    exact: list[Any] = [flint.arb(0)] * len(values)
    profile = Profile.exact_inputs(plan.form)
    bound = np.zeros(len(values))
    for share in plan.units:
        unit = plan.unit(share, values)
        balls = exact_gradients(unit)
        # The widest class knows no mask: a masked key may have had a weight that was lost later.
        allowed = unit.allowed if stable else None
        bounds = gradient_bounds(unit.inputs, unit.sizes, unit.spec, allowed, profile, stable=stable)
        for name, part in share.inputs.items():
            if f"d{name}" not in balls:
                continue
            pairs = zip(part.entries, balls[f"d{name}"].ravel(), bounds[f"d{name}"].ravel(), strict=True)
            for position, ball, most in pairs:
                with precision():
                    exact[position] = OPEN if ball is OPEN or exact[position] is OPEN else exact[position] + ball
                # One more rounding for every unit that is added.
                bound[position] += most * (1 + len(plan.units) * plan.form.unit_roundoff)
    start = 0
    for name, array in inputs.items():
        stop = start + array.size
        if f"d{name}" in results:
            flattened = np.empty(array.size, dtype=object)
            flattened[:] = exact[start:stop]
            entries, limits = flattened.reshape(array.shape), bound[start:stop].reshape(array.shape)
            far = distances(results[f"d{name}"], entries)
            if observe is not None:
                observe(far, entries, {"coarse": limits})
            yield from judge_entries(f"d{name}", results[f"d{name}"], entries, limits, plan.form, far)
        start = stop


class MisfitError(Exception):
    """A returned value has no array of the right shape where one is expected."""

    def __init__(self, returned: str, expected: str) -> None:
        super().__init__(f"returned {returned}, not {expected}")
        self.returned = returned
        self.expected = expected


def take(value: Any, result: Result) -> NDArray[np.float64]:
    """Return a result from a returned value; raises ``MisfitError`` where it is not there."""
    taken = [_fetch(value, piece)[list(piece.entries)] for piece in result.pieces]
    return np.concatenate(taken).reshape(result.shape)


def _fetch(value: Any, piece: Piece) -> NDArray[np.float64]:
    """Return the flat array at the path of a returned structure."""
    at: Any = value
    for step in piece.path:
        at = child(at, step)
    found = read_array(at)
    if found is None or found[0] != piece.of:
        place = "".join(f"[{step!r}]" for step in piece.path)
        expected = f"floats of shape {tuple(piece.of)}" + (f" at {place}" if place else "")
        raise MisfitError(describe(value or {}), expected)
    return np.array([float.fromhex(x) for x in found[1]], np.float64)


def child(value: Any, step: int | str) -> Any:
    """Return a member of a returned structure by position or key, ``None`` where there is none."""
    if not isinstance(value, Mapping):
        return None
    if isinstance(step, str):
        return value.get("dict", {}).get(step)
    items = value.get("tuple", value.get("list", ()))
    return items[step] if step < len(items) else None


def read_array(value: Any) -> tuple[tuple[int, ...], list[str]] | None:
    """Return shape and flat data of a member; nested lists of floats count as one array, other things as none."""
    if not isinstance(value, Mapping):
        return None
    if "array" in value:
        array = value["array"]
        floats = str(array.get("dtype", "")).lstrip("<>=").startswith(("float", "bfloat", "f2", "f4", "f8"))
        return (tuple(array["shape"]), list(array["data"])) if floats and "data" in array else None
    if value.get("list"):
        rows = [row for row in map(read_array, value["list"]) if row is not None]
        if len(rows) < len(value["list"]) or any(row[0] != rows[0][0] for row in rows):
            return None
        return (len(rows), *rows[0][0]), [x for row in rows for x in row[1]]
    if isinstance(value.get("value"), float):
        return (), [value["value"].hex()]
    return None


def narrowest_returned(outcomes: Iterable[Mapping[str, Any]]) -> str:
    """Return the narrowest float format among returned arrays: code that answers in it may compute in it."""
    order = PRECISIONS
    found = "float64"
    for outcome in outcomes:
        for dtype in _dtypes(outcome.get("value")):
            if dtype in order and order.index(dtype) > order.index(found):
                found = dtype
    return found


def _dtypes(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "array" in value:
            yield str(value["array"].get("dtype", ""))
        for kind in ("tuple", "list"):
            for item in value.get(kind, ()):
                yield from _dtypes(item)
        for item in value.get("dict", {}).values():
            yield from _dtypes(item)
