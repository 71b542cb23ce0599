"""Counterexample files: written short, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.counterexample import KINDS, Counterexample, Earlier
from attn_verify.checks.witness_call import read_call, write_call, write_positions
from attn_verify.checks.witness_found import read_found
from attn_verify.checks.witness_json import (
    BadError,
    bad,
    got,
    hexadecimal,
    list_of,
    loads,
    mapping,
    named,
    one_of,
    positions,
    shape_of,
    text,
    whole,
)
from attn_verify.checks.witness_plan import PRECISIONS, Part, Piece, Plan, Result, Share
from attn_verify.errors import AttnVerifyError, DocumentError, explain
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec
from attn_verify.targets.views import dtype_of

FORMAT = "attn-verify counterexample 2"
# Without earlier calls, views and bfloat16; its files are read as ever.
_FORMER = "attn-verify counterexample 1"
_FIELDS = (
    "format", "version", "claim", "kind", "target", "spec", "layout", "precision", "found", "call", "inputs", "units",
    "gradients", "seed", "before",
)  # fmt: skip
# Files are a few kB; anything of this size was not written here.
MAX_BYTES = 2**24
MAX_REPEAT = 10**6


def write(example: Counterexample) -> dict[str, Any]:
    """Return the JSON form of a counterexample."""
    return {
        "format": FORMAT,
        "version": example.version,
        "claim": example.claim,
        "kind": example.kind,
        "target": example.target,
        "spec": example.spec.to_dict(),
        "layout": example.layout,
        "precision": example.plan.precision,
        "found": dict(example.found),
        "call": write_call(example.call),
        "inputs": _write_inputs(example.inputs),
        "units": [_write_share(share) for share in example.plan.units],
        "gradients": {name: _write_result(result) for name, result in example.plan.gradients.items()},
        "seed": example.seed,
        "before": _write_calls(example.before),
        # Left out where there are none, so that what reads files without it still does.
        **({"after": _write_calls(example.after)} if example.after else {}),
    }


def _write_calls(calls: Sequence[Earlier]) -> list[dict[str, Any]]:
    return [{"call": write_call(one.call), "inputs": _write_inputs(one.inputs), "repeat": one.repeat} for one in calls]


def _write_inputs(inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    return {name: _write_array(array) for name, array in inputs.items()}


def _write_array(array: NDArray[Any]) -> dict[str, Any]:
    data = [float(x).hex() for x in array.ravel()]
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def _write_share(share: Share) -> dict[str, Any]:
    return {
        "sizes": share.sizes.to_dict(),
        "allowed": ["".join("1" if allowed else "0" for allowed in row) for row in share.allowed],
        "inputs": {
            name: {"shape": list(part.shape), "entries": write_positions(part.entries)}
            for name, part in share.inputs.items()
        },
        "results": {name: _write_result(result) for name, result in share.results.items()},
    }


def _write_result(result: Result) -> dict[str, Any]:
    pieces = [{"path": list(p.path), "of": list(p.of), "entries": write_positions(p.entries)} for p in result.pieces]
    return {"shape": list(result.shape), "pieces": pieces}


def load(path: str | Path) -> Counterexample:
    """Read a file; raises ``DocumentError``."""
    where = f"counterexample: {path}"
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise DocumentError(explain(where, f"it is larger than {MAX_BYTES} bytes", remedy="give a saved one"))
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        remedy = "give a file that attn-verify prove --save-dir DIR has written"
        raise DocumentError(explain(where, f"it cannot be read: {cause}", remedy=remedy)) from None
    return read(loads(text, where), where)


def read(data: object, where: str = "counterexample") -> Counterexample:
    """Read the JSON form; raises ``DocumentError`` naming the place of the first thing that is wrong."""
    try:
        return _read(data)
    except BadError as error:
        remedy = "files are written by attn-verify; docs/reference/counterexample-format.md has every field"
        raise DocumentError(explain(where, f"{error.at}: {error}", remedy=remedy)) from None


def _read(data: object) -> Counterexample:
    fields = mapping(data, "$", _FIELDS, exactly=False)
    if fields.get("format") not in (FORMAT, _FORMER):
        bad("$.format", f"{got(fields.get('format'))} is not {FORMAT!r}")
    version = 2 if fields["format"] == FORMAT else 1
    later = ("after",) if version > 1 and "after" in fields else ()
    mapping(data, "$", (*_FIELDS, *later) if version > 1 else _FIELDS[:-1])
    kind = one_of(fields["kind"], "$.kind", KINDS if version > 1 else KINDS[:-1])
    inputs = _inputs(fields["inputs"], "$.inputs")
    count = sum(array.size for array in inputs.values())
    before = _calls(fields["before"], "$.before") if version > 1 else ()
    after = _calls(fields["after"], "$.after", again=False) if later else ()
    units = tuple(
        _share(item, f"$.units[{at}]", count) for at, item in enumerate(list_of(fields["units"], "$.units", 1))
    )
    gradients = _gradients(fields["gradients"], inputs)
    if not gradients and not any(share.results for share in units):
        bad("$.units", "nothing is judged: there are no results and no gradients")
    precision = one_of(fields["precision"], "$.precision", PRECISIONS)
    return Counterexample(
        claim=text(fields["claim"], "$.claim"),
        kind=kind,
        target=_target(fields["target"]),
        layout=text(fields["layout"], "$.layout", empty=True),
        call=read_call(fields["call"], count, version=version, before=[one.call for one in before]),
        inputs=inputs,
        plan=Plan(_spec(fields["spec"]), units, gradients, precision),
        found=read_found(fields["found"], kind, units, gradients),
        seed=whole(fields["seed"], "$.seed"),
        version=text(fields["version"], "$.version"),
        before=before,
        after=after,
    )


def _inputs(value: object, at: str) -> dict[str, NDArray[np.float64]]:
    return {name: _array(item, f"{at}.{name}") for name, item in named(value, at)}


def _calls(value: object, where: str, *, again: bool = True) -> tuple[Earlier, ...]:
    """Read calls that surround the judged one; with ``again`` each may pass objects of those before it again."""
    found: list[Earlier] = []
    for at, item in enumerate(list_of(value, where)):
        here = f"{where}[{at}]"
        fields = mapping(item, here, ("call", "inputs", "repeat"))
        inputs = _inputs(fields["inputs"], f"{here}.inputs")
        repeat = whole(fields["repeat"], f"{here}.repeat")
        if not 1 <= repeat <= MAX_REPEAT:
            bad(f"{here}.repeat", f"{repeat} is not from 1 to {MAX_REPEAT}")
        count = sum(array.size for array in inputs.values())
        calls = [one.call for one in found] if again else []
        found.append(Earlier(read_call(fields["call"], count, f"{here}.call", before=calls), inputs, repeat))
    return tuple(found)


def _gradients(value: object, inputs: Mapping[str, NDArray[np.float64]]) -> dict[str, Result]:
    results = {name: _result(item, f"$.gradients.{name}") for name, item in mapping(value, "$.gradients", None).items()}
    for name, result in results.items():
        of = inputs.get(name.removeprefix("d")) if name.startswith("d") else None
        if of is None or name in ("ddO", "ddY") or of.shape != result.shape:
            bad(f"$.gradients.{name}", f"no input has a gradient of shape {result.shape} by this name")
        if not {"dO", "dY"} & set(inputs):
            bad(f"$.gradients.{name}", "there is a gradient without dO or dY")
    return results


def _target(value: object) -> str:
    target = text(value, "$.target")
    path, colons, name = target.partition("::")
    module, colon, attribute = target.partition(":")
    if not (colons and path and name.strip()) and not (colon and module and attribute):
        bad("$.target", f"{got(target)} is neither FILE.py::FUNCTION nor MODULE:FUNCTION")
    return target


def _spec(value: object) -> AttentionSpec:
    if not isinstance(value, Mapping):
        bad("$.spec", f"{got(value)} is no object")
    try:
        return AttentionSpec.of(value)
    except AttnVerifyError as error:
        bad("$.spec", " ".join(str(error).split()))


def _array(value: object, at: str) -> NDArray[np.float64]:
    fields = mapping(value, at, ("dtype", "shape", "data"))
    dtype = one_of(fields["dtype"], f"{at}.dtype", PRECISIONS)
    shape = shape_of(fields["shape"], f"{at}.shape")
    data = list_of(fields["data"], f"{at}.data")
    if len(data) != math.prod(shape):
        bad(f"{at}.data", f"{len(data)} numbers for the shape {shape}")
    numbers = [hexadecimal(item, f"{at}.data[{i}]") for i, item in enumerate(data)]
    for i, x in enumerate(numbers):
        if not math.isfinite(x):
            bad(f"{at}.data[{i}]", f"{got(data[i])} is not finite")
    array = np.array(numbers, np.float64).reshape(shape)
    form = dtype_of(dtype)
    with np.errstate(over="ignore"):
        if not np.array_equal(array.astype(form).astype(np.float64), array):
            bad(f"{at}.data", f"a number that no {dtype} has")
    return array.astype(form)


def _share(value: object, at: str, count: int) -> Share:
    fields = mapping(value, at, ("sizes", "allowed", "inputs", "results"))
    try:
        sizes = Sizes.of(mapping(fields["sizes"], f"{at}.sizes", None))
    except AttnVerifyError as error:
        bad(f"{at}.sizes", " ".join(str(error).split()))
    inputs = {name: _part(item, f"{at}.inputs.{name}", count) for name, item in named(fields["inputs"], f"{at}.inputs")}
    shapes = input_shapes(sizes)
    for name, part in inputs.items():
        if (shapes | upstream_shape(sizes)).get(name) != part.shape:
            bad(f"{at}.inputs.{name}", f"shape {part.shape} does not fit the sizes")
    missing = [name for name in shapes if name not in inputs]
    if missing:
        bad(f"{at}.inputs", f"{missing[0]} is missing")
    results = {
        name: _result(item, f"{at}.results.{name}")
        for name, item in mapping(fields["results"], f"{at}.results", None).items()
    }
    output = (sizes.n, sizes.heads * sizes.d_v if sizes.d_out is None else sizes.d_out)
    known = {"O": output, "Z": output, "Y": output, "P": (sizes.heads, sizes.n, sizes.keys)}
    for name, result in results.items():
        if known.get(name) != result.shape:
            bad(f"{at}.results.{name}", f"no result of shape {result.shape} is known by this name at these sizes")
    return Share(sizes, _allowed(fields["allowed"], f"{at}.allowed", sizes), inputs, results)


def _allowed(value: object, at: str, sizes: Sizes) -> tuple[tuple[bool, ...], ...]:
    rows = list_of(value, at)
    if len(rows) != sizes.n:
        bad(at, f"{len(rows)} rows for n = {sizes.n}")
    for i, row in enumerate(rows):
        if not isinstance(row, str) or len(row) != sizes.keys or set(row) - {"0", "1"}:
            bad(f"{at}[{i}]", f"{got(row)} is not {sizes.keys} characters 0 or 1")
    return tuple(tuple(mark == "1" for mark in row) for row in rows)


def _part(value: object, at: str, count: int) -> Part:
    fields = mapping(value, at, ("shape", "entries"))
    shape = shape_of(fields["shape"], f"{at}.shape")
    return Part(shape, positions(fields["entries"], f"{at}.entries", count, math.prod(shape)))


def _result(value: object, at: str) -> Result:
    fields = mapping(value, at, ("shape", "pieces"))
    shape = shape_of(fields["shape"], f"{at}.shape")
    pieces = []
    for i, item in enumerate(list_of(fields["pieces"], f"{at}.pieces", 1)):
        inner = mapping(item, f"{at}.pieces[{i}]", ("path", "of", "entries"))
        path = list_of(inner["path"], f"{at}.pieces[{i}].path")
        for step in path:
            if isinstance(step, bool) or not (isinstance(step, str) or (isinstance(step, int) and step >= 0)):
                bad(f"{at}.pieces[{i}].path", f"{got(step)} is neither a position nor a key")
        of = shape_of(inner["of"], f"{at}.pieces[{i}].of")
        entries = positions(inner["entries"], f"{at}.pieces[{i}].entries", math.prod(of), None)
        pieces.append(Piece(tuple(path), of, entries))
    if sum(len(piece.entries) for piece in pieces) != math.prod(shape):
        bad(f"{at}.pieces", f"{sum(len(piece.entries) for piece in pieces)} entries for the shape {shape}")
    return Result(shape, tuple(pieces))
