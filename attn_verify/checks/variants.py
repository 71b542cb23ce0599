"""The same call with arrays of another dtype, in another memory layout, or in objects that an earlier call received."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.run_values import numbers
from attn_verify.checks.witness_case import Problem
from attn_verify.checks.witness_plan import PRECISIONS, flat
from attn_verify.targets.views import dtype_of

Recipe = Mapping[str, Any]
Arrays = Mapping[str, NDArray[np.float64]]

_FLOATS = PRECISIONS


def with_dtype(problem: Problem, dtype: str) -> Problem:
    """Return the problem with all floats of the call in ``dtype``, judged by its bound or that of a narrower format.

    ``dtype`` is ``float64``, ``float32``, ``float16`` or ``bfloat16``; inputs should be numbers of it
    (:func:`rounded`).
    """

    def change(kind: str, array: Mapping[str, Any]) -> dict[str, Any]:
        floats = kind == "array" or array["dtype"] in _FLOATS
        return {**array, "dtype": dtype} if floats else dict(array)

    precision = max(problem.plan.precision, dtype, key=PRECISIONS.index)
    arguments = {name: _changed(recipe, change) for name, recipe in problem.call["arguments"].items()}
    call = {**problem.call, "arguments": arguments}
    return replace(problem, call=call, plan=replace(problem.plan, precision=precision))


def with_view(problem: Problem, view: str, parameters: Sequence[str] | None = None) -> Problem:
    """Return the problem with the arrays of some parameters (default: all) in another memory layout.

    ``view`` is one of ``targets.views.VIEWS``; for ``broadcast`` inputs must agree along the first axis
    (:func:`agreeing`).
    """
    chosen = array_parameters(problem) if parameters is None else parameters
    arguments = {
        name: _changed(recipe, lambda _, array: {**array, "view": view}) if name in chosen else recipe
        for name, recipe in problem.call["arguments"].items()
    }
    return replace(problem, call={**problem.call, "arguments": arguments})


def array_parameters(problem: Problem) -> tuple[str, ...]:
    """Return the parameters that receive arrays of their own."""
    return tuple(name for name, recipe in problem.call["arguments"].items() if any(_leaves(recipe)))


def rounded(arrays: Arrays, dtype: str) -> dict[str, NDArray[np.float64]]:
    """Return the nearest arrays of numbers of ``dtype``.

    >>> float(rounded({"Q": np.array([0.1])}, "float16")["Q"][0])
    0.0999755859375
    """
    return {name: array.astype(dtype_of(dtype)).astype(np.float64) for name, array in arrays.items()}


def agreeing(problem: Problem, arrays: Arrays, parameters: Sequence[str]) -> dict[str, NDArray[np.float64]] | None:
    """Return arrays with which the arguments of some parameters have equal parts along their first axis.

    ``None`` where a constant argument has not.
    """
    values = flat(arrays)
    for name in parameters:
        for kind, array in _leaves(problem.call["arguments"][name]):
            shape = array["shape"]
            if not shape or shape[0] < 2:
                continue
            if kind == "array":
                positions = numbers(array["entries"], np.int64).reshape(shape)
                values[positions[1:]] = values[positions[0]]
            else:
                data = numbers(array["data"], _constant(array["dtype"])).reshape(shape)
                if any(not np.array_equal(part, data[0], equal_nan=data.dtype.kind == "f") for part in data):
                    return None
    return unflat(values, arrays)


def _constant(dtype: str) -> str:
    return "float64" if dtype in _FLOATS else dtype


def unflat(values: NDArray[np.float64], arrays: Arrays) -> dict[str, NDArray[np.float64]]:
    """Return numbers in the shapes of ``arrays``."""
    found, start = {}, 0
    for name, array in arrays.items():
        found[name] = values[start : start + array.size].reshape(array.shape)
        start += array.size
    return found


def again(call: Mapping[str, Any], number: int, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call that receives the arrays of the earlier call ``number``, changed in place to its own numbers."""
    arguments = {
        name: {"again": {"call": number, "with": recipe}}
        if any(_leaves(recipe)) and any(_leaves(earlier["arguments"].get(name, {})))
        else recipe
        for name, recipe in call["arguments"].items()
    }
    return {**call, "arguments": arguments}


Change = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def _changed(recipe: Recipe, change: Change) -> dict[str, Any]:
    for kind in ("array", "constant_array"):
        if kind in recipe:
            return {kind: change(kind, recipe[kind])}
    for kind in ("list", "tuple"):
        if kind in recipe:
            return {kind: [_changed(item, change) for item in recipe[kind]]}
    return dict(recipe)


def _leaves(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind in ("array", "constant_array"):
        if kind in recipe:
            yield kind, recipe[kind]
    for kind in ("list", "tuple"):
        for item in recipe.get(kind, ()):
            yield from _leaves(item)
