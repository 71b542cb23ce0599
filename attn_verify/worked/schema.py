"""From plain data to a :class:`Document`: types, keys, names, numbers, limits.

Every function takes the place (``at``) of what it reads, in the notation of JSON paths, so that
a refusal points at the character's neighbourhood: ``arrays.WQ.values[2][1]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from attn_verify import language
from attn_verify.errors import LanguageError, shorten
from attn_verify.worked.balls import FUNCTIONS
from attn_verify.worked.document import (
    FORMAT,
    UNITS,
    VERSION,
    Array,
    Document,
    Interval,
    Relation,
    decimal,
    printed_places,
)
from attn_verify.worked.reading import FaultError, NumberText, show
from attn_verify.worked.relations import MAX_ENTRIES, order_of

MAX_ARRAYS = 1_000
MAX_RELATIONS = 1_000
MAX_TEXT = 10_000
MAX_PLACES = language.MAX_DIGITS

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,39}\Z")
_CLAIM = re.compile(r"[A-Za-z_][A-Za-z_0-9.-]{0,59}\Z")
# Control characters and lone surrogates: the first can drive a terminal, the second cannot be printed.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def document_of(data: object, path: str | None) -> Document:
    """Return the document that ``data`` describes; raise ``FaultError`` at the first thing that is wrong."""
    top = _object(
        data,
        "",
        {"format", "version", "arrays", "relations"},
        {"title", "note", "source", "printer", "arithmetic"},
        check=_format,
    )
    printer = None
    if "printer" in top:
        printer = _whole(_object(top["printer"], "printer", {"digits"}, set())["digits"], "printer.digits", MAX_PLACES)
    described = _mapping(top["arrays"], "arrays", MAX_ARRAYS)
    arithmetic = _arithmetic(top)
    arrays: dict[str, Array] = {}
    entries = 0
    for name, description in described.items():
        _name(name, f"arrays.{shorten(name, 40)}")
        arrays[name] = _array(name, description, f"arrays.{name}", printer, MAX_ENTRIES - entries)
        arrays[name] = replace(arrays[name], unit=UNITS[arithmetic])
        entries += arrays[name].shape[0] * arrays[name].shape[1]
    listed = _list(top["relations"], "relations", MAX_RELATIONS)
    relations = tuple(_relation(item, f"relations[{index}]") for index, item in enumerate(listed))
    return Document(
        title=_text(top, "title", "") or "untitled",
        note=_text(top, "note", ""),
        source=_text(top, "source", ""),
        arrays=arrays,
        relations=relations,
        order=order_of(arrays, relations),
        path=path,
        arithmetic=arithmetic,
    )


def _arithmetic(top: Mapping[str, Any]) -> str:
    value = _text(top, "arithmetic", "") or "float64"
    if value not in UNITS:
        raise FaultError(
            "what the printed results were computed in",
            at="arithmetic",
            got=show(value),
            remedy=f"choose {', '.join(UNITS)}",
        )
    return value


def _format(top: Mapping[str, Any]) -> None:
    if top.get("format") != FORMAT:
        raise FaultError(
            f"a document says which format it has: {FORMAT!r}",
            at="format",
            got=show(top["format"]) if "format" in top else "no such key",
            remedy=f'begin with {{"format": "{FORMAT}", "version": {VERSION}, …}}',
        )
    if "version" in top and _whole(top["version"], "version", 10**6) != VERSION:
        raise FaultError(f"this program reads version {VERSION}", at="version", got=show(top["version"]))


def _array(name: str, data: object, at: str, printer: int | None, room: int) -> Array:
    item = _object(data, at, set(), {"values", "digits", "exact", "shape", "range", "note"})
    note = _text(item, "note", at)
    if "values" in item:
        _exclude(item, at, "a printed array", "shape", "range")
        return _printed(name, item, at, note, printer, room)
    _exclude(item, at, "an array that was not printed", "digits", "exact")
    if "shape" not in item:
        raise FaultError(
            "an array has values, or a shape where it was not printed", at=at, remedy='give "values" or "shape"'
        )
    sides = _list(item["shape"], f"{at}.shape", 2)
    if len(sides) != 2:
        raise FaultError("a shape is [rows, columns]", at=f"{at}.shape", got=show(item["shape"]))
    rows, columns = (_whole(side, f"{at}.shape[{axis}]", MAX_ENTRIES, least=1) for axis, side in enumerate(sides))
    _room(rows * columns, at, room)
    bounds = _range(item["range"], f"{at}.range") if "range" in item else None
    return Array(name=name, shape=(rows, columns), range=bounds, note=note)


def _printed(name: str, item: Mapping[str, Any], at: str, note: str, printer: int | None, room: int) -> Array:
    values = _rows(item["values"], f"{at}.values", room)
    exact = item.get("exact", False)
    if not isinstance(exact, bool):
        raise FaultError("exact is true or false", at=f"{at}.exact", got=show(exact))
    if exact:
        _exclude(item, at, "an exact array", "digits")
        stated = None
    else:
        stated = _whole(item["digits"], f"{at}.digits", MAX_PLACES) if "digits" in item else printer
    longest = max(printed_places(text) for row in values for text in row)
    if stated is not None and longest > stated:
        raise FaultError(
            f"the printer shows at most {stated} digits after the point, but a number here has {longest}",
            at=f"{at}.values",
            remedy=f'give the array "digits": {longest} if it was printed differently',
        )
    return Array(name=name, shape=(len(values), len(values[0])), values=values, digits=stated, exact=exact, note=note)


def _rows(data: object, at: str, room: int) -> tuple[tuple[str, ...], ...]:
    outer = _list(data, at, room)
    if not outer:
        raise FaultError("an array has at least one entry", at=at, got="an empty list")
    if not any(isinstance(row, (list, tuple)) for row in outer):
        return (tuple(_number(entry, f"{at}[{index}]") for index, entry in enumerate(outer)),)
    rows: list[tuple[str, ...]] = []
    for i, row in enumerate(outer):
        entries = _list(row, f"{at}[{i}]", room)
        if not entries:
            raise FaultError("an array has at least one entry in each row", at=f"{at}[{i}]", got="an empty list")
        if rows and len(entries) != len(rows[0]):
            raise FaultError(
                f"the rows have different lengths: {len(rows[0])} in the first, {len(entries)} here", at=f"{at}[{i}]"
            )
        _room((i + 1) * len(entries), at, room)
        rows.append(tuple(_number(entry, f"{at}[{i}][{j}]") for j, entry in enumerate(entries)))
    return tuple(rows)


def _relation(data: object, at: str) -> Relation:
    item = _object(data, at, {"array", "formula"}, {"name", "note"})
    array, formula = item["array"], item["formula"]
    if not _is_text(array):
        raise FaultError("a relation names the array on its left", at=f"{at}.array", got=show(array))
    if not _is_text(formula):
        raise FaultError("a formula is text", at=f"{at}.formula", got=show(formula))
    name = item.get("name", array)
    if not _is_text(name) or not _CLAIM.match(name):
        raise FaultError("a relation's name has letters, digits, _ . -, at most 60", at=f"{at}.name", got=show(name))
    try:
        node = language.parse(formula)
    except LanguageError as error:
        raise FaultError(str(error), at=f"{at}.formula") from None
    return Relation(array=array, formula=formula, node=node, name=name, note=_text(item, "note", at))


def _object(
    data: object,
    at: str,
    required: set[str],
    optional: set[str],
    check: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Mapping[str, Any]:
    item = _mapping(data, at, 10**9)
    check(item)
    known = required | optional
    prefix = f"{at}." if at else ""
    for key in item:
        if key not in known:
            raise FaultError(
                "the key is unknown",
                at=f"{prefix}{shorten(ascii(key)[1:-1], 40)}",
                remedy=f"known keys: {_join(known)}",
            )
    missing = required - set(item)
    if missing:
        raise FaultError("a key is missing", at=f"{prefix}{min(missing)}", remedy=f"required keys: {_join(required)}")
    return item


def _mapping(data: object, at: str, most: int) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise FaultError("a JSON object {…} belongs here", at=at or "the top level", got=show(data))
    if len(data) > most:
        raise FaultError(f"at most {most} entries are read", at=at, got=f"{len(data)}")
    for key in data:
        if not isinstance(key, str):
            raise FaultError("a key is text", at=at or "the top level", got=show(key))
    return data


def _list(data: object, at: str, most: int) -> list[Any] | tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise FaultError("a list […] belongs here", at=at, got=show(data))
    if len(data) > most:
        raise FaultError(f"too many entries: {len(data)}", at=at, remedy=f"at most {most} are read here")
    return data


def _name(name: str, at: str) -> None:
    if name in FUNCTIONS:
        raise FaultError("an array cannot have the name of a function", at=at, remedy=f"functions: {_join(FUNCTIONS)}")
    if not _IDENTIFIER.match(name):
        raise FaultError(
            "the name is no identifier",
            at="arrays",
            got=show(name),
            remedy="a name has letters A-Z a-z, digits and _, begins with no digit, and has at most 40 characters",
        )


def _number(data: object, at: str) -> str:
    if isinstance(data, int) and not isinstance(data, bool) and data.bit_length() < 600:
        data = str(data)
    if not isinstance(data, str):
        cause = "a printed number is text, digit for digit as it was printed"
        raise FaultError(cause, at=at, got=show(data), remedy='write "0.50", in quotation marks')
    try:
        decimal(data)
    except LanguageError as error:
        raise FaultError("it is not a printed decimal", at=at, got=show(data), remedy=_last_line(error)) from None
    return str(data)


def _whole(data: object, at: str, most: int, least: int = 0) -> int:
    text = str(data) if isinstance(data, int) and not isinstance(data, bool) and abs(data) < 10**9 else data
    if isinstance(text, str) and (isinstance(data, (NumberText, int))) and re.fullmatch("[0-9]{1,9}", text):
        value = int(text)
        if least <= value <= most:
            return value
    raise FaultError(f"a whole number from {least} to {most} belongs here", at=at, got=show(data))


def _range(data: object, at: str) -> Interval:
    pair = _list(data, at, 2)
    if len(pair) != 2:
        raise FaultError("a range is [lowest, highest]", at=at, got=show(data))
    low, high = (decimal(_number(end, f"{at}[{index}]")) for index, end in enumerate(pair))
    if low > high:
        raise FaultError("a range is [lowest, highest]", at=at, got=f"[{show(pair[0])}, {show(pair[1])}]")
    return low, high


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and not isinstance(value, NumberText)


def _text(item: Mapping[str, Any], key: str, at: str) -> str:
    value = item.get(key, "")
    place = f"{at}.{key}" if at else key
    if not _is_text(value):
        raise FaultError("text belongs here", at=place, got=show(value))
    if len(value) > MAX_TEXT:
        raise FaultError(f"text has at most {MAX_TEXT} characters", at=place, got=f"{len(value)}")
    bad = _UNPRINTABLE.search(value)
    if bad:
        raise FaultError("text has no control characters", at=place, got=f"{bad.group()!a} at position {bad.start()}")
    return str(value)


def _exclude(item: Mapping[str, Any], at: str, what: str, *keys: str) -> None:
    for key in keys:
        if key in item:
            raise FaultError(f"{what} has no {key}", at=f"{at}.{key}", remedy="leave one of them out")


def _room(entries: int, at: str, room: int) -> None:
    if entries > room:
        raise FaultError(
            "the arrays are too large together", at=at, remedy=f"a document has at most {MAX_ENTRIES} entries"
        )


def _join(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _last_line(error: LanguageError) -> str:
    return str(error).splitlines()[-1].strip()
