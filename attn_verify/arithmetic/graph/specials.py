"""Arithmetic with ``±∞`` and NaN, as IEEE arithmetic has it; a sign that decides must be the same for all inputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attn_verify.arithmetic.graph.nodes import Graph, Node


class UnmodelledError(Exception):
    """An operation has no meaning in exact arithmetic here; whoever runs the program says where."""


def maximum(graph: Graph, items: Iterable[Node]) -> Node:
    """Return the maximum of numbers of which one is ``∞`` or NaN."""
    return graph.special("nan" if any(item.special == "nan" for item in items) else "inf")


def total(graph: Graph, a: Node, b: Node) -> Node:
    """Return ``a + b``."""
    values = {x.value for x in (a, b) if x.op == "special"}
    return graph.special("nan" if "nan" in values or len(values) == 2 else values.pop())


def product(graph: Graph, a: Node, b: Node) -> Node:
    """Return ``a · b``; NaN for ``0 · ∞``."""
    if "nan" in (a.special, b.special):
        return graph.special("nan")
    signs = [_sign(graph, x) for x in (a, b)]
    if 0 in signs:
        return graph.special("nan")
    return graph.special("inf" if signs[0] == signs[1] else "-inf")


def quotient(graph: Graph, a: Node, b: Node) -> Node:
    """Return ``a / b``; NaN for ``∞ / ∞``, 0 for a finite number over ``±∞``."""
    if "nan" in (a.special, b.special) or (a.op == "special" and b.op == "special"):
        return graph.special("nan")
    if b.op == "special":
        return graph.number(0)
    if b.rational == 0:
        raise UnmodelledError("division of ±∞ by zero")
    return product(graph, a, graph.number(_sign(graph, b)))


def _sign(graph: Graph, x: Node) -> int:
    if x.op == "special":
        return 1 if x.value == "inf" else -1
    if x.op == "rational":
        return int(x.value > 0) - int(x.value < 0)
    from attn_verify.arithmetic.graph.bounds import Bounds

    sign = Bounds(graph).sign(x)
    if sign is None:
        raise UnmodelledError("±∞ times a number of unknown sign")
    return sign
