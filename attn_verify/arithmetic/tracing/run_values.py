"""What goes into a call and what comes back, as plain data: recipes of arguments, structures of values."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# How deep a returned value is read, and how much of a text.
MAX_DEPTH = 6
MAX_TEXT = 2000
# Whole numbers of so many bits are not written out, which Python refuses.
_BITS = 4096
# How members of a container are asked for.
_MEMBERS = frozenset({
    "__getitem__", "__iter__", "__len__", "__contains__", "__missing__", "__getattribute__", "__reversed__",
    "get", "items", "keys", "values", "pop", "popitem", "copy", "index",
})  # fmt: skip


class Maker(Protocol):
    """Makes the arrays of a call in some number system."""

    def array(self, positions: NDArray[np.int64], dtype: str, view: str) -> Any:
        """Return the array of the inputs at these positions of the call's list, as it is to lie in memory."""
        ...

    def constant(self, values: NDArray[Any], view: str) -> Any:
        """Return an array that does not depend on the inputs."""
        ...

    def whole(self, value: int) -> int:
        """Return a whole number, which may be a size."""
        ...


@dataclass
class Arguments:
    """The arguments of one call: by position, by keyword, and all of them by the name of the parameter."""

    positional: list[Any]
    keyword: dict[str, Any]
    named: dict[str, Any]


def point_of(call: Mapping[str, Any]) -> dict[tuple[str, tuple[int, ...]], Fraction]:
    """Return the value of every input of a call, by name and index."""
    names = [(str(name), tuple(int(i) for i in index)) for name, index in call["inputs"]]
    return dict(zip(names, map(Fraction, call["point"]), strict=True))


def sizes_of(call: Mapping[str, Any]) -> frozenset[int]:
    """Return the whole numbers that a constant of the target may be tied to: extents of arrays, and whole arguments."""
    found: set[int] = set(call.get("sizes", ()))
    for _, index in call.get("inputs", ()):
        found.update(i + 1 for i in index)
    for shape in call.get("shapes", {}).values():
        found.update(shape)

    def visit(recipe: Mapping[str, Any]) -> None:
        match recipe:
            case {"array": {"shape": shape}} | {"constant_array": {"shape": shape}}:
                found.update(shape)
            case {"list": items} | {"tuple": items}:
                for item in items:
                    visit(item)
            case {"value": int(value)} if not isinstance(value, bool):
                found.add(value)

    for recipe in call["arguments"].values():
        visit(recipe)
    return frozenset(size for size in found if size > 0)


Again = Callable[[int, str, Any], Any]


def arguments(call: Mapping[str, Any], maker: Maker, again: Again | None = None) -> Arguments:
    """Return the arguments of a call; raise ``ValueError`` for a recipe that is not one.

    ``{"alias": PARAMETER}`` is the very object that this parameter receives.  ``{"again": {"call": k, "with": …}}`` is
    ``again(k, PARAMETER, value)``: the object that an earlier call received, with other numbers in it.
    """
    recipes: Mapping[str, Mapping[str, Any]] = call["arguments"]
    made = {}
    for name, recipe in recipes.items():
        if "again" in recipe and again is not None:
            made[name] = again(int(recipe["again"]["call"]), name, _argument(recipe["again"]["with"], maker))
        elif "alias" not in recipe:
            made[name] = _argument(recipe, maker)
    named = {}
    for name, recipe in recipes.items():
        owner = recipe.get("alias", name)
        if owner not in made:
            raise ValueError(f"no recipe of an argument: {recipe!r}")
        named[name] = made[owner]
    order: Sequence[str] = call.get("positional", ())
    keyword = {name: value for name, value in named.items() if name not in order}
    return Arguments([named[name] for name in order], keyword, named)


def _argument(recipe: Mapping[str, Any], maker: Maker) -> Any:
    match recipe:
        case {"array": {"shape": shape, "entries": entries, **rest}}:
            positions = numbers(entries, np.int64).reshape(shape)
            view = str(rest.get("view", rest.get("order", "C")))
            return maker.array(positions, str(rest.get("dtype", "float64")), view)
        case {"constant_array": {"shape": shape, "data": data, "dtype": dtype, **rest}}:
            if isinstance(data, list) and "float" in dtype:
                data = [_number(item) for item in data]
            if dtype == "bfloat16":
                dtype = importlib.import_module("ml_dtypes").bfloat16
            return maker.constant(numbers(data, dtype).reshape(shape), str(rest.get("view", "C")))
        case {"list": items}:
            return [_argument(item, maker) for item in items]
        case {"tuple": items}:
            return tuple(_argument(item, maker) for item in items)
        case {"value": None | bool() | float() | str() as value}:
            return value
        case {"value": int(value)}:
            return maker.whole(value)
    raise ValueError(f"no recipe of an argument: {recipe!r}")


def numbers(data: Any, dtype: Any) -> NDArray[Any]:
    """Return a list of numbers, packed numbers, or those from one to another, as a flat array.

    >>> numbers({"from": 2, "to": 5}, np.int64).tolist()
    [2, 3, 4]
    """
    if isinstance(data, dict) and "from" in data:
        data = np.arange(data["from"], data["to"])
    elif isinstance(data, dict):
        data = np.frombuffer(base64.b64decode(data["base64"]), data["dtype"])
    return np.array(data, dtype=dtype).reshape(-1)


def packed(data: NDArray[Any]) -> dict[str, str]:
    """Return an array as JSON data, for lists of numbers that are too long to be written out.

    >>> numbers(packed(np.arange(3)), np.int64).tolist()
    [0, 1, 2]
    """
    return {"base64": base64.b64encode(np.ascontiguousarray(data).tobytes()).decode(), "dtype": data.dtype.str}


def _number(item: float | str) -> float:
    return (float.fromhex(item) if "0x" in item else float(item)) if isinstance(item, str) else float(item)


def structure(value: Any, leaf: Callable[[Any], dict[str, Any] | None], depth: int = 0) -> dict[str, Any]:
    """Return a value as plain data; ``leaf`` describes arrays, and returns ``None`` for what is not one.

    Records (dataclasses) are read as dictionaries of their fields; whatever else is ``{"other": type name}``, and so is
    a container whose class answers for its members itself: what is read here need not be what its user is given.
    A float is ``{"value": x}``, or an array without axes where JSON has no number for it.
    """
    found = leaf(value)
    if found is not None:
        return found
    kind = type(value)
    if value is None or kind is bool:
        return {"value": value}
    if isinstance(value, int):
        number = int(value)
        return {"value": number if number.bit_length() < _BITS else f"{number.bit_length()} bits, {hash(number):x}"}
    if kind is float:
        return {"value": value} if math.isfinite(value) else float_array(np.array(value))
    if kind is str:
        return {"value": value[:MAX_TEXT]}
    if depth < MAX_DEPTH:
        if why := _answers(kind):  # type: ignore[arg-type]
            return {"other": f"{kind.__name__[:MAX_TEXT]}, which has a {why} of its own"}
        if isinstance(value, (list, tuple)):
            items = [structure(item, leaf, depth + 1) for item in value]
            return {"tuple" if isinstance(value, tuple) else "list": items}
        if isinstance(value, dict):
            names = [_key(key, place) for place, key in enumerate(value)]
            items = [structure(item, leaf, depth + 1) for item in value.values()]
            return {"dict": dict(zip(names, items, strict=True))}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            items_by_name = {item.name: getattr(value, item.name, None) for item in dataclasses.fields(value)}
            return {"dict": {name: structure(item, leaf, depth + 1) for name, item in items_by_name.items()}}
    return {"other": kind.__name__[:MAX_TEXT]}


def _key(key: Any, place: int) -> str:
    """Return a key as text; of one that is no text, the kind and the place, since its own text may be anything."""
    return str.__str__(key) if isinstance(key, str) else f"<{type(key).__name__} {place}>"


@cache
def _answers(kind: type) -> str:
    """Return the method by which a class derived from a container answers for its members, if it has one."""
    if not issubclass(kind, (list, tuple, dict)):
        return ""
    fields = getattr(kind, "_fields", ())
    for cls in kind.__mro__:
        if cls.__module__ in ("builtins", "collections", "typing"):
            continue
        for name, member in vars(cls).items():
            if name in _MEMBERS or (name in fields and type(member).__name__ != "_tuplegetter"):
                return name
    return ""


@cache
def _name(dtype: np.dtype[Any]) -> str:
    return dtype.name  # composed anew by NumPy each time


def float_array(value: NDArray[Any]) -> dict[str, Any]:
    """Return a real array of bools, whole numbers or floats as plain data, floats as ``float.hex``."""
    kind, flat, name = value.dtype.kind, value.ravel(), _name(value.dtype)
    if (kind == "f" and value.dtype.itemsize <= 8) or name == "bfloat16":
        data: list[Any] = [x.hex() if math.isfinite(x) else repr(x) for x in flat.astype(np.float64).tolist()]
    elif kind in "biu":
        data = flat.tolist()
    else:
        return {"other": f"{value.dtype} array"}
    return {"array": {"shape": list(value.shape), "dtype": name, "data": data}}
