"""Programs as plain data: what passes between processes and into certificates."""

from __future__ import annotations

import re
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
# What the value of an operation looks like as text; no exponents, whose numbers could have any length.
_VALUES = {
    "rational": re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?", re.ASCII),
    "special": re.compile(r"-?inf|nan"),
    "atom": re.compile(r"\w+"),
}


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
    for line in _items(data, "nodes"):
        if not isinstance(line, Sequence) or isinstance(line, str) or not line or line[0] not in OPERATIONS:
            raise ValueError(f"not an operation: {line!r:.200}")
        op, *rest = line
        value: Any = None
        if op == "input":
            if not rest or not isinstance(rest[0], str) or not all(type(i) is int and i >= 0 for i in rest[1:]):
                raise ValueError(f"malformed input {line!r:.200}")
            value, rest = (rest[0], tuple(rest[1:])), []
        elif op in _VALUES:
            if not rest or not isinstance(rest[0], str) or not _VALUES[op].fullmatch(rest[0]):
                raise ValueError(f"malformed {op} {line!r:.200}")
            value, rest = Fraction(rest[0]) if op == "rational" else rest[0], rest[1:]
        arity = _ARITY[op]
        if (arity is not None and len(rest) != arity) or (op == "max" and len(rest) < 2):
            raise ValueError(f"{op} with {len(rest)} arguments")
        made.append(graph.make(op, tuple(node.index for node in _chosen(made, rest)), value))
    groups = data.get("groups")
    if not isinstance(groups, Mapping):
        raise ValueError("no groups of nodes")
    return graph, {name: _chosen(made, _items(groups, name)) for name in groups}


def _items(data: Mapping[str, Any], key: str) -> Sequence[Any]:
    items = data.get(key)
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise ValueError(f"{key!r} is not a list")
    return items


def _chosen(made: Sequence[Node], numbers: Sequence[Any]) -> list[Node]:
    if not all(type(i) is int and 0 <= i < len(made) for i in numbers):
        raise ValueError("a node that does not exist yet")
    return [made[i] for i in numbers]
