"""A tiny reading of call recipes in floats, and real functions in every layout and convention of weights."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify import AttentionSpec
from attn_verify.arithmetic.attention import layer
from attn_verify.arithmetic.number_system import Arithmetic, textbook_matmul
from attn_verify.targets.returns import Selected
from attn_verify.targets.units import Case, Unit


def describe(function: Callable[..., Any]) -> dict[str, Any]:
    """What a worker says of a target."""
    parameters = [
        {
            "name": p.name,
            "kind": p.kind.name,
            "has_default": p.default is not p.empty,
            "default": default_of(p.default),
        }
        for p in inspect.signature(function).parameters.values()
    ]
    return {"qualname": function.__qualname__, "file": "file.py", "parameters": parameters}


def default_of(value: Any) -> Any:
    if value is inspect.Parameter.empty or value is None or isinstance(value, bool | int | float | str):
        return {"value": None if value is inspect.Parameter.empty else value}
    return {"other": repr(value)}


def value_of(recipe: Mapping[str, Any], values: np.ndarray) -> Any:
    ((kind, content),) = recipe.items()
    if kind == "array":
        assert content["dtype"] == "float64"
        assert content["order"] == "C"
        return values[np.array(content["entries"], dtype=int)].reshape(content["shape"])
    if kind == "constant_array":
        return np.array(content["data"], dtype=content["dtype"]).reshape(content["shape"])
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(value_of(item, values) for item in content)
    assert kind == "value"
    return content


def structure_of(value: Any) -> dict[str, Any]:
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        data = [float(x).hex() if array.dtype.kind == "f" else str(x) for x in array.ravel()]
        return {"array": {"shape": list(array.shape), "dtype": str(array.dtype), "data": data}}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [structure_of(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": {key: structure_of(item) for key, item in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    return {"other": type(value).__name__}


def arguments_of(call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    values = np.array([float(Fraction(text)) for text in call["point"]])
    arguments = {name: value_of(recipe, values) for name, recipe in call["arguments"].items()}
    return [arguments.pop(name) for name in call["positional"]], arguments


def runner(function: Callable[..., Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what a worker would: the outcome of a call in floats."""

    def run(call: Mapping[str, Any]) -> dict[str, Any]:
        positional, named = arguments_of(call)
        try:
            with np.errstate(all="ignore"):
                value = function(*positional, **named)
        except Exception as error:
            exception = {"type": type(error).__name__, "text": str(error), "place": "file.py:1"}
            return {"outcome": "raised", "value": None, "exception": exception}
        return {"outcome": "returned", "value": structure_of(value), "exception": None}

    return run


def softmax(S: np.ndarray) -> np.ndarray:
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def heads_of(Q: np.ndarray, K: np.ndarray, V: np.ndarray, mask: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Attention along the last two axes, whatever is in front; returns O and P."""
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    P = softmax(S if mask is None else np.where(mask, S, -np.inf))
    return P @ V, P


def join(O: np.ndarray) -> np.ndarray:
    """(…, h, n, d) to (…, n, h·d)."""
    O = np.swapaxes(O, -2, -3)
    return O.reshape(*O.shape[:-2], -1)


def split(A: np.ndarray, h: int) -> np.ndarray:
    """(…, n, h·d) to (…, h, n, d)."""
    return np.swapaxes(A.reshape(*A.shape[:-1], h, -1), -2, -3)


def many(function: Callable[..., Any]) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    run = runner(function)
    return lambda calls: [run(call) for call in calls]


FLOATS = Arithmetic("float64", number=float, sqrt=math.sqrt, exp=math.exp, matmul=textbook_matmul)


def near(spec: AttentionSpec) -> Callable[[Case, list[Selected]], bool]:
    """Whether what was selected is close to the formula in floats, gradients by central differences."""

    def output(unit: Unit, values: Mapping[Any, float]) -> list[list[float]]:
        return layer(unit.lift(values.__getitem__), unit.sizes, spec, unit.allowed, FLOATS).output()

    def loss(case: Case, values: Mapping[Any, float]) -> float:
        return sum(
            value * values[entry]
            for unit in case.units
            for row, entries in zip(output(unit, values), unit.upstream, strict=True)
            for value, entry in zip(row, entries, strict=True)
        )

    def decide(case: Case, found: list[Selected]) -> bool:
        values = dict(zip(case.inputs, map(float, case.point()), strict=True))
        outputs = None if case.units[0].upstream is not None else [output(unit, values) for unit in case.units]
        every = 1 if outputs is not None else max(1, len(found) // 40)
        for item in found[::every]:
            if item.name == "P":
                continue
            if outputs is not None:
                unit, i, c = item.index
                exact = outputs[unit][i][c]
            else:
                entry = (item.name[1:], item.index)
                step = 1e-5
                up, down = (loss(case, {**values, entry: values[entry] + s * step}) for s in (1, -1))
                exact = (up - down) / (2 * step)
            if not abs(float.fromhex(item.value) - exact) <= 0.02:
                return False
        return True

    return decide
