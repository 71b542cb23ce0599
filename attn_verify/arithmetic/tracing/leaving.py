"""Where exact numbers become Python numbers or text: only constants do, everything else refuses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any, NoReturn

import flint
import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import ends
from attn_verify.arithmetic.tracing.dtypes import is_float
from attn_verify.arithmetic.tracing.session import current

_OPAQUE = "<exact number>"


class Text(str):
    """A text that stands for numbers: it can be printed and joined to others, but not looked into."""

    __slots__ = ()


def _closed(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        current().refuse(f"str.{name}", "the text of a number that depends on the inputs")

    return refuse


for _name in (
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__contains__", "__getitem__", "__iter__",
    "__len__", *(name for name in dir(str) if not name.startswith("_")),
):  # fmt: skip
    setattr(Text, _name, _closed(_name))


def rounded_float(value: Fraction | str | flint.arb) -> float:
    """Return the float nearest to a constant; refuse where its enclosure does not settle that."""
    if isinstance(value, flint.arb):
        low, high = (float(end) for end in ends(value))
        if low != high:
            current().refuse("float", "a constant too close to the middle of two floats")
        return low
    return float(value)


def constant(x: Any, operation: str) -> Any:
    """Return the Fraction, special name or ball of an array of one constant; refuse for anything else."""
    value = x._data.constants().reshape(-1)[0]
    if value is None:
        remedy = "leave the float() out, or write np.float64()" if operation == "float" else ""
        cause = "the value depends on the inputs"
        current().refuse(operation, cause, remedy or "keep the array, or use NumPy functions on it")
    return value


def _one(x: Any) -> None:
    """Raise what NumPy raises where not exactly one entry is there."""
    if x._data.shape:
        float(np.ones(x._data.shape, x._dtype))


def to_float(x: Any) -> float:
    """Return ``float(x)`` of a constant, correctly rounded."""
    _one(x)
    if not is_float(x._dtype):
        return float(x._data)
    return rounded_float(constant(x, "float"))


def _whole(value: Any, f: Callable[[Any], int], operation: str) -> int:
    """Return a whole number near a constant, if rounding the constant to a float cannot change it."""
    if isinstance(value, str):
        return f(float(value))
    nearest = rounded_float(value)
    if isinstance(value, Fraction):
        result = f(value)
    else:
        # an enclosure of an irrational number: both ends agree or nothing is known
        low, high = ends(value)
        result = f(low)
        if f(high) != result:
            current().refuse(operation, "a constant too close to a whole number")
    off = current().inexact.get(value) if isinstance(value, Fraction) else None
    if f(nearest) != result or (off and not f(value - off) == f(value + off) == result):
        current().refuse(operation, "a constant that rounding moves to another whole number")
    return result


def to_int(x: Any) -> int:
    """Return ``int(x)`` of a constant."""
    _one(x)
    if not is_float(x._dtype):
        return int(x._data)
    return _whole(constant(x, "int"), int, "int")


def whole_numbers(x: Any, operation: str) -> NDArray[Any]:
    """Return the integers that a cast of constants makes."""
    values = x._data.constants()
    result = np.empty(values.shape, np.int64)
    for place in np.ndindex(*values.shape):
        if values[place] is None:
            current().refuse(operation, "a cast to integers of numbers that depend on the inputs", "round nothing")
        if isinstance(values[place], str):
            current().refuse(operation, "a cast to integers of ±∞ or NaN")
        result[place] = _whole(values[place], int, operation)
    return result


_ROUNDING: dict[str, Callable[[Any], int]] = {"floor": floor, "ceil": ceil, "trunc": int, "rint": round}


def round_constants(data: Any, name: str) -> Any:
    """Return constants rounded to whole numbers; refuse for what depends on the inputs."""
    values = data.constants()
    result = np.empty(values.shape, object)
    for place in np.ndindex(*values.shape):
        value = values[place]
        if value is None:
            current().refuse(name, "rounding a number that depends on the inputs", "round nothing")
        result[place] = value if isinstance(value, str) else Fraction(_whole(value, _ROUNDING[name], name))
    return type(data).of(result)


def rounded(x: Any, digits: int | None) -> Any:
    """Return ``round(x)`` of a constant."""
    if not is_float(x._dtype):
        return round(x._data[()], digits)
    if digits is not None:
        current().refuse("round", "rounding to decimals", "round nothing")
    return _whole(constant(x, "round"), round, "round")


def hash_of(x: Any) -> int:
    """Return the hash of a constant; refuse for what depends on the inputs."""
    if not is_float(x._dtype):
        return hash(x._data[()])
    value = constant(x, "hash")
    if isinstance(value, Fraction) and value in current().inexact:
        current().refuse("hash", "a constant that floats round to another")
    return hash(rounded_float(value))


def text(x: Any, show: Callable[[Any], str]) -> str:
    """Return the text of an array: of constants as in NumPy, else an opaque one, noted."""
    if not is_float(x._dtype):
        return show(x._data if x._data.shape else x._data[()])
    session = current()
    session.note("text", "a text was made of exact numbers")
    values = x._data.constants()
    if any(value is None for value in np.ravel(values).tolist()):
        return Text(_OPAQUE)
    concrete = np.frompyfunc(rounded_float, 1, 1)(values)
    return show(np.asarray(concrete).astype(x._dtype)[()])
