"""What a target returned: the member that is meant, its shape and type, and where each canonical entry lies in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.errors import TargetError, explain, show

Structure = Mapping[str, Any]
Path = tuple[int | str, ...]

RESULTS = ("O", "Z", "Y")
SKIP = "_"


@dataclass(frozen=True, slots=True)
class Selected:
    """One canonical output entry.

    ``index`` is ``(unit, i, c)`` of a result, ``(unit, head, i, j)`` of weights P, and for a gradient the index of the
    input entry.  ``value`` is the node (an ``int``) of a traced run or the text of a float; it stands at ``position``
    of the array ``member``.
    """

    name: str
    index: tuple[int, ...]
    position: int
    member: Path
    value: int | str


@dataclass(frozen=True)
class Misfit:
    """Why a returned value cannot be judged: a wrong ``shape`` or ``type``, ``nothing``, or members of one shape."""

    text: str
    kind: str


@dataclass(frozen=True)
class Wanted:
    """An output to look for: its name, and the arrangements it may come in, as numbers into ``keys``.

    An arrangement is an array, or a list of arrays where the target takes a list of weights.
    """

    name: str
    arrangements: tuple[NDArray[np.int64] | list[NDArray[np.int64]], ...]
    keys: Sequence[tuple[str, tuple[int, ...]]]

    def shapes(self) -> str:
        """Write the shapes that would do, for a message."""
        return " or ".join(dict.fromkeys(_shape_text(arrangement) for arrangement in self.arrangements))


@dataclass(frozen=True)
class _Array:
    shape: tuple[int, ...]
    dtype: str
    values: Sequence[int | str]


def parse_returns(text: str | None, outputs: Sequence[str], *, gradient: bool) -> tuple[str, ...] | None:
    """Read ``--returns``: names of the members in order, ``_`` for one that is not judged.

    Raises ``TargetError`` for an unknown or repeated name, or where no member is judged.

    >>> parse_returns("O,P", ["O"], gradient=False)
    ('O', 'P')
    """
    if text is None:
        return None
    known = list(outputs) if gradient else [*RESULTS, "P"]
    names = tuple(name.strip() for name in text.split(","))
    remedy = f"known outputs: {', '.join(known)}, and _ for a member that is not judged"
    for name in names:
        if name not in (*known, SKIP):
            raise TargetError(explain("--returns", f"got {show(text)}", f"{show(name)} is no output", remedy=remedy))
    judged = [name for name in names if name != SKIP]
    if len({outputs[0] if name in RESULTS else name for name in judged}) < len(judged):
        raise TargetError(explain("--returns", f"got {show(text)}", "one output occurs twice", remedy=remedy))
    if not judged:
        raise TargetError(explain("--returns", f"got {show(text)}", "no member would be judged", remedy=remedy))
    if gradient:
        return names
    return tuple(outputs[0] if name in RESULTS else name for name in names)


def select_result(structure: Structure, wanted: Wanted, returned: Path | None) -> list[Selected] | Misfit:
    """Find the only member that has the shape of the result; ``returned`` is its path where that is known."""
    members = _members(structure)
    if returned is not None:
        structure_at = _at(structure, returned)
        if structure_at is None:
            return Misfit(f"returned {describe(structure)}, without member {_path_text(returned)}", "shape")
        return _fit(structure_at, wanted, returned)
    fits = [fit for path, member in members if isinstance(fit := _fit(member, wanted, path), list)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        paths = " and ".join(_path_text(fit[0].member) for fit in fits)
        text = f"returned {describe(structure)}: members {paths} both have the shape of {wanted.name}"
        return Misfit(f"{text}; name the members in order: --returns {wanted.name},P", "ambiguous")
    if len(members) == 1:
        misfit = _fit(members[0][1], wanted, members[0][0])
        assert isinstance(misfit, Misfit)
        return misfit
    return Misfit(f"returned {describe(structure)}: no member is {wanted.name} of shape {wanted.shapes()}", "shape")


def select_named(structure: Structure, wanted: Sequence[Wanted], names: Sequence[str]) -> list[Selected] | Misfit:
    """Match the members of a tuple, list or dict with ``names`` in order; those named ``_`` are skipped."""
    by_name = {item.name: item for item in wanted}
    if "dict" in structure:
        places: list[tuple[str, Path]]
        keys = {_plain(key): key for key in structure["dict"]}
        several = [key for key in structure["dict"] if keys[_plain(key)] != key and _plain(key) in map(_plain, names)]
        if several:
            return Misfit(f"returned {describe(structure)}, with {several[0]} and {keys[_plain(several[0])]}", "shape")
        places = [(name, (key,)) for name in names if (key := keys.get(_plain(name))) is not None]
        missing = [name for name in names if name != SKIP and _plain(name) not in keys]
        if missing:
            return Misfit(f"returned {describe(structure)}, without {', '.join(missing)}", "shape")
    else:
        items = structure.get("tuple", structure.get("list"))
        if items is None or (len(names) == 1 and "list" in structure):
            items, places = [structure], [(name, ()) for name in names]
        else:
            places = [(name, (at,)) for at, name in enumerate(names)]
        # A gradient of an absent input is often returned as None.
        while len(items) > len(names) and items[-1] == {"value": None}:
            items = items[:-1]
        if len(items) != len(names):
            text = f"returned {describe(structure)}, {len(items)} where {len(names)} are expected: {', '.join(names)}"
            return Misfit(f"{text}; name them in order with --returns", "shape")
    selected: list[Selected] = []
    for name, path in places:
        if name == SKIP:
            continue
        member = _at(structure, path)
        assert member is not None
        fit = _fit(member, by_name[name], path)
        if isinstance(fit, Misfit):
            return fit
        selected += fit
    return selected


def describe(structure: Structure) -> str:
    """Describe a returned value in a few words.

    >>> describe({"tuple": [{"array": {"shape": [2, 3], "dtype": "float64", "data": []}}, {"value": None}]})
    'a tuple of (an array (2, 3) of float64, None)'
    """
    if "array" in structure:
        array = structure["array"]
        return f"an array {_tuple_text(array['shape'])} of {array['dtype']}"
    for kind in ("tuple", "list"):
        if kind in structure:
            shown = [describe(item) for item in structure[kind][:4]] + ["…"] * (len(structure[kind]) > 4)
            return f"a {kind} of ({', '.join(shown)})"
    if "dict" in structure:
        return f"a dict with keys {', '.join(map(show, list(structure['dict'])[:6]))}"
    if "value" in structure:
        value = structure["value"]
        return "None" if value is None else f"{show(value)} ({type(value).__name__})"
    return f"a value of type {structure.get('other', 'unknown')}"


def _members(structure: Structure) -> list[tuple[Path, Structure]]:
    """Return the members that could be results: the value itself, or those of a tuple, list or dict."""
    if "tuple" in structure:
        items: Iterator[tuple[int | str, Structure]] = enumerate(structure["tuple"])
    elif "dict" in structure:
        items = iter(structure["dict"].items())
    elif "list" in structure and not isinstance(_as_array(structure), _Array):
        items = enumerate(structure["list"])
    else:
        return [((), structure)]
    return [((at,), item) for at, item in items]


def _at(structure: Structure, path: Path) -> Structure | None:
    for step in path:
        inside = structure.get("dict") if isinstance(step, str) else structure.get("tuple", structure.get("list"))
        if inside is None or (step not in inside if isinstance(step, str) else step >= len(inside)):
            return None
        structure = inside[step]
    return structure


def _as_array(structure: Structure) -> _Array | Misfit:
    """Read a member as one array; a list of rows, nested to any depth, counts as one."""
    if "array" in structure:
        array = structure["array"]
        dtype = str(array["dtype"])
        if not dtype.lstrip("<>=").startswith(("float", "bfloat", "f2", "f4", "f8")):
            return Misfit(f"returned {describe(structure)}, not of floats", "type")
        return _Array(tuple(array["shape"]), dtype, array["nodes"] if "nodes" in array else array["data"])
    if structure.get("list"):
        rows = [_as_array(item) for item in structure["list"]]
        arrays = [row for row in rows if isinstance(row, _Array)]
        if len(arrays) == len(rows) and len({row.shape for row in arrays}) == 1:
            values = [value for row in arrays for value in row.values]
            return _Array((len(rows), *arrays[0].shape), arrays[0].dtype, values)
    if "value" in structure and isinstance(structure["value"], float):
        return _Array((), "float64", (structure["value"].hex(),))
    if structure.get("value", 0) is None:
        return Misfit("returned None", "nothing")
    return Misfit(f"returned {describe(structure)}, not an array", "type")


def _fit(structure: Structure, wanted: Wanted, path: Path) -> list[Selected] | Misfit:
    """Match one member with the arrangements of an output."""
    for arrangement in wanted.arrangements:
        if isinstance(arrangement, list):
            items = structure.get("list", structure.get("tuple"))
            arrays = [_as_array(item) for item in items] if items is not None else []
            shapes = [array.shape for array in arrays if isinstance(array, _Array)]
            if len(shapes) == len(arrays) and shapes == [ids.shape for ids in arrangement]:
                return [
                    Selected(*wanted.keys[id_], position, (*path, at), value)
                    for at, (ids, array) in enumerate(zip(arrangement, arrays, strict=True))
                    if isinstance(array, _Array)
                    for position, (id_, value) in enumerate(zip(ids.ravel().tolist(), array.values, strict=True))
                ]
            continue
        found = _as_array(structure)
        if isinstance(found, _Array) and found.shape == arrangement.shape:
            return [
                Selected(*wanted.keys[id_], position, path, value)
                for position, (id_, value) in enumerate(zip(arrangement.ravel().tolist(), found.values, strict=True))
            ]
    seen = _as_array(structure)
    if isinstance(seen, Misfit) and seen.kind != "shape":
        return seen
    return Misfit(f"returned {describe(structure)}, where {wanted.name} has shape {wanted.shapes()}", "shape")


def _plain(name: str) -> str:
    """Compare keys of a dict without case, underscores, and the words for a gradient."""
    text = name.lower().replace("_", "")
    return "d" + text.removeprefix("grad") if text.startswith("grad") else text


def _shape_text(arrangement: NDArray[np.int64] | list[NDArray[np.int64]]) -> str:
    if isinstance(arrangement, list):
        return f"a list of {len(arrangement)} arrays {_tuple_text(arrangement[0].shape)}"
    return _tuple_text(arrangement.shape)


def _tuple_text(shape: Sequence[int]) -> str:
    return str(tuple(int(length) for length in shape))


def _path_text(path: Path) -> str:
    return "".join(f"[{step!r}]" for step in path) or "itself"
