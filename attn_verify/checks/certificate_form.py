"""The form of certificates: keys, types, sizes, numbers of arguments; and the result of checking one.

What the data means is the business of :mod:`attn_verify.checks.recheck`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from attn_verify.errors import AttnVerifyError, DocumentError, explain, shorten, show
from attn_verify.report import strict_json
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec

FORMAT, VERSION = "attn-verify/certificate", 1
MAX_BYTES = 256_000_000
OPERATIONS: Mapping[str, int | None] = {
    "input": 0, "rational": 0, "add": 2, "sub": 2, "mul": 2, "div": 2,
    "neg": 1, "exp": 1, "log": 1, "sqrt": 1, "max": None, "atom": None,
}  # fmt: skip
# Functions without a rule.  They have a value for all real arguments; tan(x/2) for all rational ones.
ATOMS: Mapping[str, int] = {"sin": 1, "cos": 1, "arctan": 1, "erf": 1, "pi": 0, "tan_half": 1}
_RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,1499})(/[1-9][0-9]{0,1499})?")
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "certificate": {
        "format": str, "version": int, "package": str, "target": str, "source_sha256": str, "spec": dict,
        "outputs": list, "assumptions": list, "left_out": list, "cases": list,
    },
    "case": {
        "sizes": dict, "batch": int, "spec": dict, "allowed": list, "layout": str, "limits": list,
        "assumptions": list, "nodes": list, "paths": list,
    },
    "path": {"conditions": list, "entries": list},
    "condition": {"op": str, "left": int, "right": int, "answer": bool, "place": str},
}  # fmt: skip

TRUSTED = (
    "the trace: that each program, with its questions and answers, is what the target computes for all real inputs",
    "the listed assumptions, the readings of constants among them",
)


@dataclass(frozen=True)
class RecheckResult:
    """What the checker found: ``status`` is ``valid``, ``invalid``, or ``not checked`` where it is too large.

    ``cases`` holds what was checked of each case, ``left_out`` the cases of the proof that the file does not hold, as
    it says, and ``trusted`` what no certificate can show.
    """

    status: str
    reason: str
    claim: Mapping[str, Any]
    cases: tuple[Mapping[str, Any], ...]
    assumptions: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...]
    trusted: tuple[str, ...]
    seconds: float

    @classmethod
    def of(
        cls, status: str, reason: str, data: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], seconds: float
    ) -> RecheckResult:
        """Return the result for the data of a certificate (empty if it could not be read)."""
        claim = {name: data.get(name) for name in ("target", "source_sha256", "package", "spec", "outputs")}
        notes = [
            *data.get("assumptions", ()),
            *(note for case in data.get("cases", ()) for note in case["assumptions"]),
        ]
        unique = {json.dumps(note, sort_keys=True): note for note in notes}
        left_out = tuple(data.get("left_out", ()))
        return cls(status, reason, claim, tuple(cases), tuple(unique.values()), left_out, TRUSTED, seconds)

    @property
    def valid(self) -> bool:
        """Whether every entry of every case was shown to equal the formula."""
        return self.status == "valid"

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 0 valid, 1 invalid, 3 not checked."""
        return {"valid": 0, "invalid": 1}.get(self.status, 3)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


class MalformedError(Exception):
    """A file is not a certificate; the message says where and why."""


def read_certificate(path: str | Path) -> dict[str, Any]:
    """Return the data of a certificate whose form is right.

    Raises ``DocumentError`` for a file that cannot be read, :class:`MalformedError` for one that has another form.
    """
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        raise _no_certificate(show(str(path), 80), cause) from None
    if len(raw) > MAX_BYTES:
        raise MalformedError(f"the file has more than {MAX_BYTES} bytes")
    return parse_certificate(raw, show(str(path), 80))


def parse_certificate(raw: bytes, name: str) -> dict[str, Any]:
    """Return the data of the bytes of a certificate.

    Raises ``DocumentError`` for what is no certificate at all, :class:`MalformedError` for one that has another form.
    """
    cause = f"it is not a JSON object with format {FORMAT!r}"
    try:
        data = strict_json.loads(raw.decode())
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a whole number of thousands of digits
        data, cause = None, f"it is not JSON: {shorten(str(error), 200)}"
    if type(data) is not dict or data.get("format") != FORMAT:
        raise _no_certificate(name, cause)
    _fields(data, "certificate", "certificate")
    _need(data["version"] == VERSION, "version", f"is not {VERSION}")
    outputs = data["outputs"]
    names = all(type(item) is str for item in outputs) and len(set(outputs)) == len(outputs)
    _need(names and bool(outputs), "outputs", "are not different names")
    _need(bool(data["cases"]), "cases:", "there are none")
    _notes(data["assumptions"], "assumptions")
    _need(all(type(text) is str for text in data["left_out"]), "left_out", "are not texts")
    _whole(AttentionSpec, data["spec"], "spec")
    for number, case in enumerate(data["cases"], 1):
        at = f"case {number}"
        _fields(case, "case", at)
        _notes(case["assumptions"], f"{at}: assumptions")
        _layer(case, data, at)
        for index, line in enumerate(case["nodes"]):
            _node(line, index, f"{at}: node {index}")
        for way_number, way in enumerate(case["paths"], 1):
            _path(way, len(case["nodes"]), f"{at}, path {way_number}")
        _used(case, at)
    return data


def _no_certificate(name: str, cause: str) -> DocumentError:
    remedy = "give the path of a certificate that attn-verify prove wrote"
    return DocumentError(explain("recheck", f"got {name}", cause, remedy=remedy))


def shapes_of(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all inputs, and of the gradient ``dO`` or ``dY`` that comes from behind.

    >>> shapes_of(Sizes(n=2, d_k=1, d_v=3))["dO"]
    (1, 2, 3)
    """
    return input_shapes(sizes) | upstream_shape(sizes)


def _layer(case: Mapping[str, Any], data: Mapping[str, Any], at: str) -> None:
    """Refuse sizes, conventions, a mask, outputs and inputs that do not fit together."""
    sizes, batch, spec = _whole(Sizes, case["sizes"], f"{at}: sizes"), case["batch"], data["spec"]
    _whole(AttentionSpec, case["spec"], f"{at}: spec")
    own = {key: case["spec"][key] for key in ("mask", "mask_true")}
    _need({**spec, **own} == case["spec"], f"{at}: spec", "is not the claimed one")
    rows = case["allowed"]
    ok = all(type(row) is list and all(type(cell) is bool for cell in row) for row in rows)
    ok = ok and [len(row) for row in rows] == [sizes.keys] * sizes.n
    _need(ok, f"{at}: allowed", "is not a list of n rows of m truth values")
    shapes = shapes_of(sizes)
    results = {f"d{name}": shape for name, shape in shapes.items() if name[0] != "d"}
    results |= {"Z": (sizes.n, sizes.heads * sizes.d_v), "P": (sizes.heads, sizes.n, sizes.keys)}
    results |= {"Y": shapes["dY"]} if "dY" in shapes else {}
    weights = any(name[:2] == "dW" for name in data["outputs"])
    _need(results.keys() >= set(data["outputs"]), f"{at}: outputs", "are unknown at these sizes")
    _need(0 <= batch <= len(case["nodes"]) and not (batch and weights), f"{at}: batch", "is wrong")
    for number, line in enumerate(case["nodes"]):
        if type(line) is list and line[:1] == ["input"] and len(line) > 1 and type(line[1]) is str:
            shape = shapes.get(line[1], (0,))
            shape, index = (batch, *shape) if batch and line[1][0] != "W" else shape, line[2:]
            ok = len(index) == len(shape) and all(
                type(i) is int and 0 <= i < k for i, k in zip(index, shape, strict=True)
            )
            _need(ok, f"{at}: node {number}", "is no entry of an input at these sizes")
    _need(bool(case["paths"]), f"{at}: paths", "there are none")
    count = (batch or 1) * sum(prod(results[name]) for name in data["outputs"])
    same = all(
        type(way) is dict and type(way.get("entries")) is list and len(way["entries"]) == count for way in case["paths"]
    )
    _need(same, f"{at}: paths", f"have not {count} entries each")


def _whole(kind: type[Sizes] | type[AttentionSpec], data: Mapping[str, Any], at: str) -> Any:
    """Return sizes or conventions that are written out in full."""
    try:
        value = kind.of(data)
    except AttnVerifyError as error:
        raise MalformedError(f"{at}: {error}") from None
    same = json.dumps(value.to_dict(), sort_keys=True) == json.dumps(data, sort_keys=True)
    _need(same, at, "is not written out in full")
    return value


def _used(case: Mapping[str, Any], at: str) -> None:
    """Refuse nodes that nothing depends on, and fills that are no numbers."""
    used = {i for line in case["nodes"] if line[0] != "input" for i in line[1:] if type(i) is int}
    used |= {item[side] for way in case["paths"] for item in way["conditions"] for side in ("left", "right")}
    used |= {entry[2] for way in case["paths"] for entry in way["entries"]}
    unused = next((i for i in range(len(case["nodes"])) if i not in used), None)
    _need(unused is None, f"{at}: node {unused}", "is used nowhere")
    rationals = {i for i, line in enumerate(case["nodes"]) if line[0] == "rational"}
    limits = case["limits"]
    ok = all(type(i) is int and i in rationals for i in limits) and len(set(limits)) == len(limits)
    _need(ok, f"{at}: limits", "are not numbers of different rational nodes")


def _path(way: Any, nodes: int, at: str) -> None:
    _fields(way, "path", at)
    for number, item in enumerate(way["conditions"], 1):
        _fields(item, "condition", f"{at}, condition {number}")
        sides = 0 <= item["left"] < nodes and 0 <= item["right"] < nodes
        _need(sides and item["op"] in ("lt", "eq"), f"{at}, condition {number}", "has an unknown node or operation")
    for number, entry in enumerate(way["entries"], 1):
        ok = type(entry) is list and [type(part) for part in entry] == [str, list, int]
        ok = ok and all(type(i) is int for i in entry[1]) and 0 <= entry[2] < nodes
        _need(ok, f"{at}, entry {number}", "is not a name, an index and the number of a node")


def _node(line: Any, index: int, at: str) -> None:
    _need(type(line) is list and len(line) > 0 and type(line[0]) is str, at, "is not a list that starts with a name")
    op, *rest = line
    _need(op in OPERATIONS, at, f"has the operation {show(op)}, which has no meaning here")
    count = OPERATIONS[op]
    if op in ("input", "rational", "atom"):
        _need(bool(rest) and type(rest[0]) is str, at, "has no name or value")
        value, *rest = rest
        ok = all(type(i) is int and i >= 0 for i in rest)
        _need(op != "input" or ok, at, "has an index that is not made of whole numbers")
        _need(op != "rational" or _RATIONAL.fullmatch(value) is not None, at, "is not a rational number")
        if op == "input":
            return
        atom = op != "atom" or ATOMS.get(value) == len(rest)
        _need(atom, at, f"has the function {show(value)} of {len(rest)} arguments, which has no model")
    _need(len(rest) == count if count is not None else op == "atom" or len(rest) > 1, at, "has other arguments")
    _need(all(type(i) is int and 0 <= i < index for i in rest), at, "has an argument that is no earlier node")


def _fields(data: Any, kind: str, at: str) -> None:
    expected = _FIELDS[kind]
    _need(type(data) is dict, at, "is not an object")
    missing, extra = [k for k in expected if k not in data], [k for k in data if k not in expected]
    _need(not missing, at, f"lacks {', '.join(missing)}")
    _need(not extra, at, f"has an unknown key {show(extra[0]) if extra else ''}")
    for key, form in expected.items():
        _need(type(data[key]) is form, f"{at}: {key}", f"is not of type {form.__name__}")


def _notes(notes: list[Any], at: str) -> None:
    ok = all(type(note) is dict and type(note.get("kind")) is str and type(note.get("text")) is str for note in notes)
    _need(ok, at, "are not objects with a kind and a text")


def _need(condition: bool, at: str, text: str) -> None:
    if not condition:
        raise MalformedError(f"{at} {text}")
