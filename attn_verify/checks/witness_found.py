"""What a counterexample file says was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attn_verify.checks.witness_json import bad, got, hexadecimal, list_of, mapping, number, one_of, text, whole
from attn_verify.checks.witness_plan import Result, Share

_FOUND: dict[str, tuple[str, ...]] = {
    "value": ("unit", "result", "entry", "got", "exact", "error", "bound", "error_bounds", "error_ulp"),
    "raised": ("exception",),
    "shape": ("returned", "expected"),
    "changed": ("changed",),
}
_DIFFERENT_ENTRY = ("unit", "result", "entry", "got", "alone", "difference", "bound")
_DIFFERENT_ENDING = ("now", "alone")
_FOUND["nan"] = _FOUND["value"]


def read_found(value: object, kind: str, units: Sequence[Share], gradients: Mapping[str, Result]) -> dict[str, Any]:
    """Read what was seen, the fields of which depend on the kind of counterexample."""
    if kind == "differs":
        entry = isinstance(value, Mapping) and "entry" in value
        fields = dict(mapping(value, "$.found", _DIFFERENT_ENTRY if entry else _DIFFERENT_ENDING))
        if entry:
            _entry(fields, units, gradients)
            hexadecimal(fields["alone"], "$.found.alone")
            for key in ("difference", "bound"):
                fields[key] = number(fields[key], f"$.found.{key}")
        else:
            for key in _DIFFERENT_ENDING:
                text(fields[key], f"$.found.{key}")
        return fields
    random = kind == "changed" and isinstance(value, Mapping) and "random" in value
    fields = dict(mapping(value, "$.found", (*_FOUND[kind], "random") if random else _FOUND[kind]))
    if kind in ("value", "nan"):
        _entry(fields, units, gradients)
        text(fields["exact"], "$.found.exact")
        for key in ("error", "bound", "error_bounds", "error_ulp"):
            fields[key] = number(fields[key], f"$.found.{key}")
    elif kind == "raised":
        inner = mapping(fields["exception"], "$.found.exception", ("type", "text", "place"))
        text(inner["type"], "$.found.exception.type")
        for key in ("text", "place"):
            if inner[key] is not None and not isinstance(inner[key], str):
                bad(f"$.found.exception.{key}", f"{got(inner[key])} is no text")
    elif kind == "shape":
        for key in ("returned", "expected"):
            text(fields[key], f"$.found.{key}")
    else:
        if random and fields["random"] is not True:
            bad("$.found.random", f"{got(fields['random'])} is not true")
        for name in list_of(fields["changed"], "$.found.changed", 0 if random else 1):
            text(name, "$.found.changed")
    return fields


def _entry(fields: Mapping[str, Any], units: Sequence[Share], gradients: Mapping[str, Result]) -> None:
    """Check which entry of which result is meant, and its value."""
    unit = whole(fields["unit"], "$.found.unit")
    if unit > len(units):
        bad("$.found.unit", f"{unit} is no unit; they count from 1 to {len(units)}, 0 stands for the gradients")
    results = units[unit - 1].results if unit else gradients
    name = one_of(fields["result"], "$.found.result", tuple(results))
    entry = [whole(i, "$.found.entry") for i in list_of(fields["entry"], "$.found.entry")]
    shape = results[name].shape
    if len(entry) != len(shape) or not all(1 <= i <= length for i, length in zip(entry, shape, strict=True)):
        bad("$.found.entry", f"{entry} is no entry of {name} of shape {shape}; entries count from 1")
    hexadecimal(fields["got"], "$.found.got")
