"""Reading JSON of the user strictly: each function returns a value of its type, or names the place that has none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from attn_verify.errors import DocumentError, explain, shorten, show
from attn_verify.report import strict_json


class BadError(Exception):
    """The place in a file and what is wrong there."""

    def __init__(self, at: str, cause: str) -> None:
        super().__init__(cause)
        self.at = at


def loads(document: str, where: str) -> Any:
    """Parse strict JSON; raises ``DocumentError``."""
    try:
        return strict_json.loads(document)
    except (ValueError, RecursionError) as error:
        cause = "it is nested too deeply" if isinstance(error, RecursionError) else f"it is not JSON: {error}"
        raise DocumentError(explain(where, cause)) from None


def hexadecimal(value: object, at: str) -> float:
    """Read a number as ``float.hex`` writes it, infinities and NaN included."""
    if not isinstance(value, str) or not re.fullmatch(r"-?0x[01]\.?[0-9a-f]*p[+-]\d{1,4}|-?inf|nan", value):
        bad(at, f"{got(value)} is not a number as float.hex() writes it")
    try:
        return float.fromhex(value)
    except (ValueError, OverflowError):
        bad(at, f"{got(value)} is no float")


def positions(value: object, at: str, count: int, length: int | None) -> tuple[int, ...]:
    """Read ``[3, 1]`` or ``"0:4"``: positions below ``count``, ``length`` of them."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,8}):(\d{1,8})", value)
        if match is None or not int(match[1]) < int(match[2]) <= count:
            bad(at, f"{got(value)} is no range of positions below {count}")
        found = tuple(range(int(match[1]), int(match[2])))
    else:
        found = tuple(list_of(value, at))
    for position in found:
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < count:
            bad(at, f"{got(position)} is not a position below {count}")
    if length is not None and len(found) != length:
        bad(at, f"{len(found)} positions where the shape has {length}")
    return found


def number(value: object, at: str) -> float:
    """Read a number from 0, or infinity or NaN as text."""
    if value in ("inf", "nan"):
        return float(str(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        bad(at, f"{got(value)} is no number from 0")
    return float(value)


def whole(value: object, at: str) -> int:
    """Read a whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        bad(at, f"{got(value)} is no whole number")
    return value


def text(value: object, at: str, *, empty: bool = False) -> str:
    """Read a text, which is not empty unless it may be."""
    if not isinstance(value, str) or not (value or empty):
        bad(at, f"{got(value)} is no text")
    return value


def one_of(value: object, at: str, known: Sequence[str]) -> str:
    """Read one of the known texts."""
    if not isinstance(value, str) or value not in known:
        bad(at, f"{got(value)} is none of {', '.join(known)}")
    return value


def shape_of(value: object, at: str) -> tuple[int, ...]:
    """Read the shape of an array that fits into memory."""
    shape = tuple(whole(length, at) for length in list_of(value, at))
    if math.prod(shape) > 2**20:
        bad(at, f"{shape} is too large")
    return shape


def list_of(value: object, at: str, least: int = 0) -> list[Any]:
    """Read a list of at least so many members."""
    if not isinstance(value, list) or len(value) < least:
        bad(at, f"{got(value)} is no list" + (f" of at least {least}" if least else ""))
    return value


def named(value: object, at: str) -> list[tuple[str, Any]]:
    """Read an object that is not empty, as pairs."""
    fields = mapping(value, at, None)
    if not fields:
        bad(at, "it is empty")
    return list(fields.items())


def mapping(value: object, at: str, names: Sequence[str] | None, *, exactly: bool = True) -> Mapping[str, Any]:
    """Read an object with exactly these fields, or any."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        bad(at, f"{got(value)} is no object")
    if names is not None and exactly:
        for name in names:
            if name not in value:
                bad(at, f"{name} is missing")
        for name in value:
            if name not in names:
                bad(at, f"{shorten(repr(name), 40)} is no field here")
    return value


def got(value: object) -> str:
    """Show a received value in a message."""
    return show(value, 40)


def bad(at: str, cause: str) -> NoReturn:
    """Refuse what stands at a place."""
    raise BadError(at, cause)
