"""Certificates: what a proof rests on, written to a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attn_verify.checks.certificate_form import FORMAT, VERSION
from attn_verify.errors import DocumentError, explain, show
from attn_verify.report.strict_json import dumps
from attn_verify.spec import Allowed, AttentionSpec

if TYPE_CHECKING:
    from attn_verify.arithmetic.graph import Graph, Node
    from attn_verify.arithmetic.tracing.session import Condition
    from attn_verify.shapes import Sizes

Index = tuple[int, ...]


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
    left_out: Iterable[str] = (),
) -> int:
    """Write a certificate and return its size in bytes; the same proof gives the same bytes.

    ``spec`` is what the target is claimed to follow; a case may differ from it in ``mask`` and ``mask_true`` only.
    ``left_out`` describes the cases of the proof that the file does not hold.
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
        "left_out": list(left_out),
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
