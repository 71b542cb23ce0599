"""Strict JSON: what every ``--json`` prints, and what files of our own are read as.

Non-finite floats are the strings ``"nan"``, ``"inf"`` and ``"-inf"``, because JSON has no such numbers
and half of all readers reject ``NaN``.  Text is UTF-8, not escaped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, NoReturn

_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(data: object) -> str:
    """Return ``data`` as strict JSON text, indented by two spaces.

    Args:
        data: mappings with text keys, lists, tuples, text, whole numbers, floats, booleans, ``None``.

    Returns:
        Text that any JSON reader accepts.

    Raises:
        TypeError: a value of any other type (a fraction, an array, a NumPy scalar that is no
            Python number); the message names its place.  Convert it where its meaning is known.

    >>> print(dumps({"status": "PROVED", "bound": float("inf"), "letter": "σ"}))
    {
      "status": "PROVED",
      "bound": "inf",
      "letter": "σ"
    }
    """
    text = json.dumps(_plain(data, "$"), ensure_ascii=False, allow_nan=False, indent=2)
    # A lone surrogate cannot be encoded; inside a JSON string its escape means the same.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def loads(text: str) -> Any:
    """Return the data of strict JSON text: no ``NaN`` or ``Infinity``, no name twice in one object.

    Raises:
        ValueError: the text is no strict JSON.
        RecursionError: it is nested too deeply.

    >>> loads('{"seed": 1, "seed": 2}')
    Traceback (most recent call last):
    ValueError: a name occurs twice in one object
    """
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return fields


def _plain(value: object, at: str) -> Any:
    if isinstance(value, Enum):
        raise TypeError(f"{at}: {value!r} is an enumeration; give its name")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or isinstance(key, Enum):
                raise TypeError(f"{at}: the key {key!r} is not text")
        return {key: _plain(item, f"{at}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{at}[{index}]") for index, item in enumerate(value)]
    raise TypeError(f"{at}: a value of type {type(value).__name__} has no JSON form; convert it first")
