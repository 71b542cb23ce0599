"""Programs as plain data: what passes between processes and into certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph.nodes import OPERATIONS, Graph, Node

_ARITY = {
    "input": 0, "rational": 0, "special": 0,
    "add": 2, "sub": 2, "mul": 2, "div": 2,
    "neg": 1, "exp": 1, "log": 1, "sqrt": 1,
    "max": None, "atom": None,
}  # fmt: skip
assert set(_ARITY) == set(OPERATIONS)


def dump(graph: Graph, groups: Mapping[str, Sequence[Node]]) -> dict[str, Any]:
    """Return the part of a program that the named groups of nodes need, renumbered, as JSON data.

    Each node is a list: the operation, then its value (``["input", "Q", 0, 1]``, ``["rational", "1/3"]``,
    ``["special", "-inf"]``, ``["atom", "cos", …]``) and the numbers of its arguments.
    """
    cone = graph.cone([node for group in groups.values() for node in group])
    number = {node.index: new for new, node in enumerate(cone)}
    nodes: list[list[Any]] = []
    for node in cone:
        head: list[Any] = [node.op]
        if node.op == "input":
            head += [node.value[0], *node.value[1]]
        elif node.value is not None:
            head.append(str(node.value))
        nodes.append([*head, *(number[arg] for arg in node.args)])
    return {"nodes": nodes, "groups": {name: [number[node.index] for node in group] for name, group in groups.items()}}


def load(data: Mapping[str, Any], graph: Graph | None = None) -> tuple[Graph, dict[str, list[Node]]]:
    """Read what :func:`dump` wrote, into a new graph or an existing one; raise ``ValueError`` for anything else.

    The nodes are made as they stand, without simplification.
    """
    graph = Graph() if graph is None else graph
    made: list[Node] = []
    for line in data["nodes"]:
        op, *rest = line
        if op not in _ARITY:
            raise ValueError(f"unknown operation {op!r}")
        value: Any = None
        if op == "input":
            name, *index = rest
            if not isinstance(name, str) or not all(type(i) is int and i >= 0 for i in index):
                raise ValueError(f"malformed input {line!r}")
            value, rest = (name, tuple(index)), []
        elif op == "rational":
            value, rest = Fraction(rest[0]), rest[1:]
        elif op in ("special", "atom"):
            value, rest = str(rest[0]), rest[1:]
            if op == "special" and value not in ("inf", "-inf", "nan"):
                raise ValueError(f"malformed special number {line!r}")
        arity = _ARITY[op]
        if (arity is not None and len(rest) != arity) or (op == "max" and len(rest) < 2):
            raise ValueError(f"{op} with {len(rest)} arguments")
        if not all(type(i) is int and 0 <= i < len(made) for i in rest):
            raise ValueError(f"{op} of a node that does not exist yet")
        made.append(graph.make(op, tuple(made[i].index for i in rest), value))
    groups = {name: [made[i] for i in numbers] for name, numbers in data["groups"].items()}
    return graph, groups
