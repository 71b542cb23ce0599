"""Derivatives of a program by the chain rule, as nodes of the same graph (reverse accumulation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attn_verify.arithmetic.graph.nodes import Graph, Node, UnmodelledError


def gradient(graph: Graph, outputs: Sequence[Node], seeds: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """Return ``Σ_k seeds_k · ∂outputs_k/∂w`` for every node ``w`` of ``wrt``.

    Raises ``UnmodelledError`` where a maximum or a function without a model is to be differentiated.

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> [d] = gradient(g, [g.exp(x)], [g.number(1)], [x])
    >>> d is g.exp(x)
    True
    """
    totals: dict[int, Node] = {}

    def give(index: int, amount: Node) -> None:
        totals[index] = totals[index] + amount if index in totals else amount

    cone = graph.cone(outputs)
    needed = {node.index for node in wrt}
    for node in cone:
        if any(arg in needed for arg in node.args):
            needed.add(node.index)
    for output, seed in zip(outputs, seeds, strict=True):
        give(output.index, seed)
    for node in reversed(cone):
        if node.index not in needed or node.index not in totals or not node.args:
            continue
        for arg, factor in _partials(graph, node).items():
            if arg in needed:
                give(arg, totals[node.index] * factor)
    zero = graph.number(0)
    return [totals.get(node.index, zero) for node in wrt]


def _partials(graph: Graph, node: Node) -> Mapping[int, Node]:
    """Return the derivative of a node by each of its arguments."""
    args = [graph.nodes[arg] for arg in node.args]
    one = graph.number(1)
    pairs: list[tuple[Node, Node]]
    match node.op:
        case "add":
            pairs = [(args[0], one), (args[1], one)]
        case "sub":
            pairs = [(args[0], one), (args[1], -one)]
        case "neg":
            pairs = [(args[0], -one)]
        case "mul":
            pairs = [(args[0], args[1]), (args[1], args[0])]
        case "div":
            pairs = [(args[0], one / args[1]), (args[1], -(node / args[1]))]
        case "exp":
            pairs = [(args[0], node)]
        case "log":
            pairs = [(args[0], one / args[0])]
        case "sqrt":
            pairs = [(args[0], one / (2 * node))]
        case _:
            raise UnmodelledError(f"the derivative of {node.op} {node.value or ''}".rstrip())
    partials: dict[int, Node] = {}
    for arg, factor in pairs:
        partials[arg.index] = partials[arg.index] + factor if arg.index in partials else factor
    return partials
