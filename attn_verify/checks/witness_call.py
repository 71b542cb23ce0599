"""The calls of a counterexample file: the recipes of arguments, written short and read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.run_values import numbers
from attn_verify.checks.witness_json import bad, got, list_of, mapping, one_of, positions, shape_of, whole
from attn_verify.checks.witness_plan import PRECISIONS
from attn_verify.targets.views import VIEWS

_MAX_DEPTH = 8


def read_call(
    value: object, count: int, at: str = "$.call", *, version: int = 2, before: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Read ``arguments`` and ``positional``; entries of arrays are positions below ``count``.

    ``before`` are the calls made earlier, whose objects may be passed again; ``version`` is that of the format.
    """
    reader = _Reader(count, version)
    fields = mapping(value, at, ("arguments", "positional"))
    arguments = mapping(fields["arguments"], f"{at}.arguments", None)
    read: dict[str, Any] = {}
    for name, item in arguments.items():
        here = f"{at}.arguments.{name}"
        if isinstance(item, Mapping) and set(item) == {"alias"}:
            _alias(item["alias"], here, arguments)
            read[name] = dict(item)
        elif isinstance(item, Mapping) and set(item) == {"again"} and version > 1:
            inner = mapping(item["again"], f"{here}.again", ("call", "with"))
            number = whole(inner["call"], f"{here}.again.call")
            if number >= len(before) or name not in before[number]["arguments"]:
                bad(f"{here}.again.call", f"{number} is no earlier call with the argument {name}; they count from 0")
            read[name] = {"again": {"call": number, "with": reader.argument(inner["with"], f"{here}.again.with")}}
        else:
            read[name] = reader.argument(item, here)
    positional = list_of(fields["positional"], f"{at}.positional")
    for name in positional:
        if name not in arguments:
            bad(f"{at}.positional", f"{got(name)} is none of the arguments")
    return {"arguments": read, "positional": list(positional)}


def write_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a call: packed numbers written out, consecutive positions as ``"0:12"``."""
    return {
        "arguments": {name: _write(item) for name, item in call["arguments"].items()},
        "positional": list(call["positional"]),
    }


def _write(recipe: Mapping[str, Any]) -> dict[str, Any]:
    match recipe:
        case {"array": item}:
            entries = write_positions(numbers(item["entries"], np.int64).tolist())
            view = item.get("view", item.get("order", "C"))
            dtype = item.get("dtype", "float64")
            return {"array": {"shape": list(item["shape"]), "entries": entries, "dtype": dtype, "view": view}}
        case {"constant_array": item}:
            data = item["data"] if isinstance(item["data"], list) else numbers(item["data"], item["dtype"]).tolist()
            view = {"view": item["view"]} if item.get("view", "C") != "C" else {}
            written = {"shape": list(item["shape"]), "data": data, "dtype": item["dtype"], **view}
            return {"constant_array": written}
        case {"again": item}:
            return {"again": {"call": item["call"], "with": _write(item["with"])}}
        case {"list": items}:
            return {"list": [_write(item) for item in items]}
        case {"tuple": items}:
            return {"tuple": [_write(item) for item in items]}
    return dict(recipe)


def write_positions(entries: Sequence[int]) -> list[int] | str:
    """Write consecutive positions as ``"0:12"``.

    >>> write_positions((3, 4, 5)), write_positions((2, 0))
    ('3:6', [2, 0])
    """
    first = entries[0] if entries else 0
    if entries and list(entries) == list(range(first, first + len(entries))):
        return f"{first}:{first + len(entries)}"
    return list(entries)


def _alias(other: object, at: str, arguments: Mapping[str, Any]) -> None:
    """Check that an argument which is the same object as another one names one that is built."""
    if not isinstance(other, str) or other not in arguments or "alias" in arguments[other]:
        bad(at, f"{got(other)} is none of the arguments that are built")


class _Reader:
    """Reads arguments of one call."""

    def __init__(self, count: int, version: int) -> None:
        self._count = count
        self._version = version

    def argument(self, value: object, at: str, depth: int = 0) -> dict[str, Any]:
        """Read the recipe of an argument."""
        fields = mapping(value, at, None)
        if len(fields) != 1 or depth > _MAX_DEPTH:
            bad(at, "an argument is one of array, constant_array, list, tuple, value")
        [(key, item)] = fields.items()
        match key:
            case "array":
                return {key: self._array(item, f"{at}.array")}
            case "constant_array":
                return {key: self._constant(item, f"{at}.constant_array")}
            case "list" | "tuple":
                items = enumerate(list_of(item, f"{at}.{key}"))
                return {key: [self.argument(inside, f"{at}.{key}[{i}]", depth + 1) for i, inside in items]}
            case "value":
                if item is not None and not isinstance(item, (bool, int, float, str)):
                    bad(f"{at}.value", f"{got(item)} is no constant")
                return {key: item}
        bad(at, f"{got(key)} is none of array, constant_array, list, tuple, value")

    def _array(self, item: object, at: str) -> dict[str, Any]:
        layout = "order" if self._version == 1 else "view"
        inner = mapping(item, at, ("shape", "entries", "dtype", layout))
        shape = shape_of(inner["shape"], f"{at}.shape")
        entries = positions(inner["entries"], f"{at}.entries", self._count, math.prod(shape))
        one_of(inner["dtype"], f"{at}.dtype", PRECISIONS)
        view = one_of(inner[layout], f"{at}.{layout}", VIEWS if self._version > 1 else VIEWS[:2])
        return {"shape": list(shape), "entries": list(entries), "dtype": inner["dtype"], "view": view}

    def _constant(self, item: object, at: str) -> dict[str, Any]:
        names = ("shape", "data", "dtype")
        laid_out = self._version > 1 and isinstance(item, Mapping) and "view" in item
        inner = mapping(item, at, (*names, "view") if laid_out else names)
        shape = shape_of(inner["shape"], f"{at}.shape")
        one_of(inner["dtype"], f"{at}.dtype", ("bool", "int64", *(PRECISIONS if self._version > 1 else ("float64",))))
        if laid_out:
            one_of(inner["view"], f"{at}.view", VIEWS)
        if len(list_of(inner["data"], f"{at}.data")) != math.prod(shape):
            bad(f"{at}.data", f"{len(inner['data'])} values for the shape {shape}")
        for x in inner["data"]:
            if not (isinstance(x, (bool, int, float)) or x in ("inf", "-inf", "nan")):
                bad(f"{at}.data", f"{got(x)} is no number")
        return dict(inner)
