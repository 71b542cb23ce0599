"""Reading the call of a counterexample file: the recipes of its arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from attn_verify.checks.witness_json import bad, got, list_of, mapping, one_of, positions, shape_of

PRECISIONS = ("float64", "float32", "float16")

_MAX_DEPTH = 8


def read_call(value: object, count: int) -> Mapping[str, Any]:
    """Read ``arguments`` and ``positional``; entries of arrays are positions below ``count``."""
    fields = mapping(value, "$.call", ("arguments", "positional"))
    arguments = mapping(fields["arguments"], "$.call.arguments", None)
    for name, item in arguments.items():
        if isinstance(item, Mapping) and set(item) == {"alias"}:
            _alias(item["alias"], f"$.call.arguments.{name}", arguments)
            continue
        _argument(item, f"$.call.arguments.{name}", count, 0)
    for name in list_of(fields["positional"], "$.call.positional"):
        if name not in arguments:
            bad("$.call.positional", f"{got(name)} is none of the arguments")
    return fields


def _alias(other: object, at: str, arguments: Mapping[str, Any]) -> None:
    """Check that an argument which is the same object as another one names one that is built."""
    if not isinstance(other, str) or other not in arguments or "alias" in arguments[other]:
        bad(at, f"{got(other)} is none of the arguments that are built")


def _argument(value: object, at: str, count: int, depth: int) -> None:
    fields = mapping(value, at, None)
    if len(fields) != 1 or depth > _MAX_DEPTH:
        bad(at, "an argument is one of array, constant_array, list, tuple, value")
    [(key, item)] = fields.items()
    match key:
        case "array":
            inner = mapping(item, f"{at}.array", ("shape", "entries", "dtype", "order"))
            shape = shape_of(inner["shape"], f"{at}.array.shape")
            positions(list_of(inner["entries"], f"{at}.array.entries"), f"{at}.array.entries", count, math.prod(shape))
            one_of(inner["dtype"], f"{at}.array.dtype", PRECISIONS)
            one_of(inner["order"], f"{at}.array.order", ("C", "F"))
        case "constant_array":
            inner = mapping(item, f"{at}.constant_array", ("shape", "data", "dtype"))
            shape = shape_of(inner["shape"], f"{at}.constant_array.shape")
            one_of(inner["dtype"], f"{at}.constant_array.dtype", ("bool", "int64", "float64"))
            if len(list_of(inner["data"], f"{at}.constant_array.data")) != math.prod(shape):
                bad(f"{at}.constant_array.data", f"{len(inner['data'])} values for the shape {shape}")
            for x in inner["data"]:
                if not (isinstance(x, (bool, int, float)) or x in ("inf", "-inf", "nan")):
                    bad(f"{at}.constant_array.data", f"{got(x)} is no number")
        case "list" | "tuple":
            for i, inside in enumerate(list_of(item, f"{at}.{key}")):
                _argument(inside, f"{at}.{key}[{i}]", count, depth + 1)
        case "value":
            if item is not None and not isinstance(item, (bool, int, float, str)):
                bad(f"{at}.value", f"{got(item)} is no constant")
        case _:
            bad(at, f"{got(key)} is none of array, constant_array, list, tuple, value")
