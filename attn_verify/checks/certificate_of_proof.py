"""A finished proof as a certificate: every case with the names that the independent checker uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.storage import dump, load
from attn_verify.checks.certificate import CaseRecord, PathRecord, write_certificate
from attn_verify.checks.outcome import Outcome
from attn_verify.targets.aliases import sharing

if TYPE_CHECKING:
    from attn_verify.checks.proof_report import Proof

Index = tuple[int, ...]


def certify(proof: Proof, path: Path) -> int:
    """Write the certificate of a proof and return its size in bytes."""
    return write_certificate(
        path,
        target=proof.target,
        source_sha256=hashlib.sha256(Path(proof.file).read_bytes()).hexdigest() if proof.file else "",
        spec=proof.spec,
        cases=[_record(outcome, proof) for outcome in proof.judged if _alike(outcome)],
        left_out=dict.fromkeys(_left_out(outcome) for outcome in proof.judged if not _alike(outcome)),
    )


def _alike(outcome: Outcome) -> bool:
    """Return whether a case can be written: no two arguments are one object, and one mask goes for the whole batch."""
    return not sharing(outcome.case) and len(set(outcome.case.each)) == 1


def _left_out(outcome: Outcome) -> str:
    """Return the description of a case that is not written."""
    masks = ", masks that differ along the batch" if len(set(outcome.case.each)) > 1 else ""
    return f"{outcome.described}{masks}"


def _record(outcome: Outcome, proof: Proof) -> CaseRecord:
    case = outcome.case
    units = len(case.units)
    # Heads that nothing joins are so many layers of one head: a batch.
    apart = not any(name == "W_O" for name, _ in case.inputs)
    batch = units if units > 1 or case.convention.batched else 0
    heads = case.batch[1]

    def rename(name: str, index: Index) -> Index:
        """Return the place of an input entry among those of the batch."""
        if name.startswith("W"):
            return index
        if not case.convention.batched and name not in ("Q", "K", "V", "dO"):
            return index if not batch else (0, *index)
        if not apart or name not in ("Q", "K", "V", "dO"):
            return index
        if case.convention.batched:
            return (index[0] * heads + index[1], 0, *index[2:])
        return (index[0], 0, *index[1:]) if batch else index

    def entry(name: str, index: Index) -> tuple[str, Index]:
        """Return the canonical name of an output entry."""
        if name.startswith("d"):
            return name, rename(name[1:], index)
        return "Z" if name == "O" else name, index if batch else index[1:]

    groups = {
        f"{number} {kind}": nodes
        for number, path in enumerate(outcome.paths)
        for kind, nodes in (
            ("entries", list(path.entries.values())),
            ("sides", [side for c in path.conditions for side in (c.left, c.right)]),
        )
    }
    graph, named = _renamed(outcome.graph, groups, rename)
    paths = []
    for number, path in enumerate(outcome.paths):
        sides = named[f"{number} sides"]
        conditions: list[Any] = [
            replace(c, left=left, right=right)
            for c, left, right in zip(path.conditions, sides[::2], sides[1::2], strict=True)
        ]
        nodes = named[f"{number} entries"]
        entries = {entry(*key): node for key, node in zip(path.entries, nodes, strict=True)}
        paths.append(PathRecord(entries, conditions))
    fills = {sign * fill for fill in outcome.fills for sign in (1, -1)}
    mask = {"mask": "boolean"} if case.mask is not None else {"mask": "none"}
    return CaseRecord(
        sizes=case.units[0].sizes,
        allowed=case.allowed,
        graph=graph,
        paths=paths,
        spec=proof.spec.with_(**mask),
        layout=str(case.convention),
        batch=batch,
        limits=[node for node in graph.nodes if node.op == "rational" and node.value in fills],
        assumptions=outcome.notes,
    )


def _renamed(graph: Graph, groups: Mapping[str, list[Node]], rename: Any) -> tuple[Graph, dict[str, list[Node]]]:
    data = dump(graph, groups)
    for line in data["nodes"]:
        if line[0] == "input":
            line[2:] = rename(line[1], tuple(line[2:]))
    return load(data)
