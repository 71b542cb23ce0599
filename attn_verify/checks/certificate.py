"""Certificates: what a proof rests on, written to a file, and read back as plain data.

Reading checks the form only: keys, types, numbers of arguments.  What the data means is the business of
:mod:`attn_verify.checks.recheck`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from attn_verify.errors import DocumentError, explain, shorten, show
from attn_verify.report.strict_json import dumps
from attn_verify.spec import Allowed, AttentionSpec

if TYPE_CHECKING:
    from attn_verify.arithmetic.graph import Graph, Node
    from attn_verify.arithmetic.tracing.session import Condition
    from attn_verify.shapes import Sizes

FORMAT, VERSION = "attn-verify/certificate", 1
MAX_BYTES = 256_000_000
OPERATIONS: Mapping[str, int | None] = {
    "input": 0, "rational": 0, "add": 2, "sub": 2, "mul": 2, "div": 2,
    "neg": 1, "exp": 1, "log": 1, "sqrt": 1, "max": None, "atom": None,
}  # fmt: skip
_RATIONAL = re.compile(r"-?(0|[1-9][0-9]{0,1499})(/[1-9][0-9]{0,1499})?")
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "certificate": {
        "format": str, "version": int, "package": str, "target": str, "source_sha256": str, "spec": dict,
        "outputs": list, "assumptions": list, "cases": list,
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

Index = tuple[int, ...]


@dataclass(frozen=True)
class RecheckResult:
    """What the checker found: ``status`` is ``valid``, ``invalid``, or ``not checked`` where it is too large.

    ``cases`` holds what was checked of each case, ``trusted`` what no certificate can show.
    """

    status: str
    reason: str
    claim: Mapping[str, Any]
    cases: tuple[Mapping[str, Any], ...]
    assumptions: tuple[Mapping[str, Any], ...]
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
        return cls(status, reason, claim, tuple(cases), tuple(unique.values()), TRUSTED, seconds)

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


@dataclass(frozen=True)
class PathRecord:
    """One way through the target: the nodes of all output entries, and the questions with their answers in order."""

    entries: Mapping[tuple[str, Index], Node]
    conditions: Sequence[Condition] = ()


@dataclass(frozen=True)
class CaseRecord:
    """What was proved at one choice of sizes and mask.

    ``entries`` are canonical outputs: ``("Z", (i, c))``, ``("Y", (i, o))``, ``("P", (t, i, j))`` or gradients such as
    ``("dQ", (t, i, a))``, with the batch in front where ``batch`` is not 0.  ``limits`` are nodes of finite mask fills
    that are read as −∞.
    """

    sizes: Sizes
    allowed: Allowed
    graph: Graph
    paths: Sequence[PathRecord]
    spec: AttentionSpec
    layout: str = ""
    batch: int = 0
    limits: Sequence[Node] = ()
    assumptions: Sequence[Mapping[str, Any]] = ()


def write_certificate(
    path: str | Path,
    *,
    target: str,
    source_sha256: str,
    spec: AttentionSpec,
    cases: Iterable[CaseRecord],
    assumptions: Iterable[Mapping[str, Any]] = (),
) -> int:
    """Write a certificate and return its size in bytes; the same proof gives the same bytes.

    ``spec`` is what the target is claimed to follow; a case may differ from it in ``mask`` and ``mask_true`` only.
    Raises ``DocumentError`` where the file cannot be written.
    """
    from attn_verify import __version__

    rows = [_case(case) for case in cases]
    outputs = sorted({entry[0] for row in rows for way in row["paths"] for entry in way["entries"]})
    head = {
        "format": FORMAT,
        "version": VERSION,
        "package": __version__,
        "target": target,
        "source_sha256": source_sha256,
        "spec": spec.to_dict(),
        "outputs": outputs,
        "assumptions": [dict(item) for item in assumptions],
    }
    # One line a case: small files, and a diff that shows which case changed.
    text = dumps(head).removesuffix("\n}") + ',\n  "cases": [\n' + ",\n".join(map(_line, rows)) + "\n  ]\n}\n"
    raw = text.encode()
    try:
        Path(path).write_bytes(raw)
    except (OSError, ValueError) as error:
        cause = f"it cannot be written: {getattr(error, 'strerror', None) or error}"
        raise DocumentError(explain("certificate", f"got {show(str(path), 80)}", cause)) from None
    return len(raw)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(json.loads(dumps(row)), separators=(",", ":"))


def _case(case: CaseRecord) -> dict[str, Any]:
    from attn_verify.arithmetic.graph.storage import dump

    groups: dict[str, Sequence[Node]] = {}
    for number, way in enumerate(case.paths):
        groups[f"entries {number}"] = [way.entries[name] for name in sorted(way.entries)]
        groups[f"sides {number}"] = [side for item in way.conditions for side in (item.left, item.right)]
    cone = {node.index for node in case.graph.cone([node for group in groups.values() for node in group])}
    groups["limits"] = [node for node in case.limits if node.index in cone]
    program = dump(case.graph, groups)
    paths = []
    for number, way in enumerate(case.paths):
        numbers, sides = program["groups"][f"entries {number}"], program["groups"][f"sides {number}"]
        entries = [[name, list(at), k] for (name, at), k in zip(sorted(way.entries), numbers, strict=True)]
        conditions = [
            {"op": item.op, "left": left, "right": right, "answer": item.answer, "place": item.place}
            for item, left, right in zip(way.conditions, sides[::2], sides[1::2], strict=True)
        ]
        paths.append({"conditions": conditions, "entries": entries})
    return {
        "sizes": case.sizes.to_dict(),
        "batch": case.batch,
        "spec": case.spec.to_dict(),
        "allowed": [list(row) for row in case.allowed],
        "layout": case.layout,
        "limits": program["groups"]["limits"],
        "assumptions": [dict(item) for item in case.assumptions],
        "nodes": program["nodes"],
        "paths": paths,
    }


def read_certificate(path: str | Path) -> dict[str, Any]:
    """Return the data of a certificate whose form is right.

    Raises ``DocumentError`` for a file that cannot be read, :class:`MalformedError` for one that has another form.
    """
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        remedy = "give the path of a certificate that attn-verify prove wrote"
        raise DocumentError(explain("recheck", f"got {show(str(path), 80)}", cause, remedy=remedy)) from None
    if len(raw) > MAX_BYTES:
        raise MalformedError(f"the file has more than {MAX_BYTES} bytes")
    return parse_certificate(raw)


def parse_certificate(raw: bytes) -> dict[str, Any]:
    """Return the data of the bytes of a certificate; raise :class:`MalformedError` for another form."""
    try:
        data = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a whole number of thousands of digits
        raise MalformedError(f"the file is not JSON: {shorten(str(error), 200)}") from None
    _fields(data, "certificate", "certificate")
    _need(data["format"] == FORMAT and data["version"] == VERSION, "format", f"is not {FORMAT}, version {VERSION}")
    _need(all(type(name) is str for name in data["outputs"]), "outputs", "are not names")
    _notes(data["assumptions"], "assumptions")
    for number, case in enumerate(data["cases"], 1):
        at = f"case {number}"
        _fields(case, "case", at)
        _notes(case["assumptions"], f"{at}: assumptions")
        rows = case["allowed"]
        ok = all(type(row) is list and all(type(cell) is bool for cell in row) for row in rows)
        _need(ok, f"{at}: allowed", "is not a list of rows of truth values")
        for index, line in enumerate(case["nodes"]):
            _node(line, index, f"{at}: node {index}")
        for way_number, way in enumerate(case["paths"], 1):
            _path(way, len(case["nodes"]), f"{at}, path {way_number}")
        _used(case, at)
    assert isinstance(data, dict)
    return data


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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise MalformedError("the file has an object with the same key twice")
    return result


def _refuse(name: str) -> NoReturn:
    raise MalformedError(f"the file holds {name}, which is no number of JSON")
