"""The formula as a program: the third reading run on the nodes of a graph, and its gradients by the chain rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from attn_verify.arithmetic.attention import Layer, layer
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.arithmetic import node_arithmetic
from attn_verify.arithmetic.graph.gradient import gradient
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec
from attn_verify.targets.units import Case

Entry = tuple[str, tuple[int, ...]]
Entries = Mapping[str, Any]
"""Inputs of one layer by name: entry names ``(input, index)`` in the form that the third reading takes."""

SEEDS = ("dO", "dZ", "dY")


def formula(
    graph: Graph, entries: Entries, sizes: Sizes, spec: AttentionSpec, allowed: Allowed, padding: int = 0
) -> Layer:
    """Return a layer whose scalars are nodes of ``graph``; ``entries`` name its inputs entry by entry.

    ``padding`` further keys and values of zeros, which every query sees, follow those of the inputs.
    """
    inputs = {
        name: [[[graph.input(*entry) for entry in row] for row in matrix] for matrix in matrices]
        for name, matrices in entries.items()
        if name not in SEEDS
    }
    if padding:
        if not sizes.given_qkv:
            inputs.setdefault("X_KV", inputs["X"])
        for name in ("K", "V") if sizes.given_qkv else ("X_KV",):
            inputs[name] = [[*rows, *[[graph.number(0)] * len(rows[0])] * padding] for rows in inputs[name]]
        # Keys come from X_KV also where there are as many of them as queries then.
        sizes = replace(sizes, m=sizes.keys + padding, apart=None if sizes.given_qkv else 1)
        allowed = tuple((*row, *(True,) * padding) for row in allowed)
    return layer(inputs, sizes, spec, allowed, node_arithmetic(graph))


def results(layers: Layer, output: str, unit: int) -> Iterator[tuple[Entry, Node]]:
    """Yield the entries of the last result as ``(output, (unit, row, column))``; those without a value are left out."""
    for i, row in enumerate(layers.output()):
        for c, node in enumerate(row):
            if node is not None:
                yield (output, (unit, i, c)), node


def weights(layers: Layer, unit: int) -> Iterator[tuple[Entry, Node]]:
    """Yield the weights of every head as ``("P", (unit, head, i, j))``."""
    for t, head in enumerate(layers.heads):
        for i, row in enumerate(head.P):
            for j, node in enumerate(row):
                if node is not None:
                    yield ("P", (unit, t, i, j)), node


def gradients(
    graph: Graph, outputs: Mapping[Entry, Node], seeds: Mapping[Entry, Entry], wrt: Mapping[Entry, Entry]
) -> dict[Entry, Node]:
    """Return ``∂ Σ seed·output / ∂ input`` for every input entry of ``wrt``, under the name that ``wrt`` gives it.

    ``outputs`` are entries of the result, ``seeds`` the input entry (of dO or dY) that weighs each of them.
    """
    keys = list(outputs)
    nodes = [outputs[key] for key in keys]
    weighed = [graph.input(*seeds[key]) for key in keys]
    names = list(wrt)
    found = gradient(graph, nodes, weighed, [graph.input(*wrt[name]) for name in names])
    return dict(zip(names, found, strict=True))


def scores(graph: Graph, case: Case, spec: AttentionSpec) -> list[Node]:
    """Return the scaled scores of a case, those of masked pairs too."""
    found = []
    for unit in case.units:
        opened = ((True,) * unit.sizes.keys,) * unit.sizes.n
        heads = formula(graph, unit.inputs, unit.sizes, spec, opened).heads
        found += [score for head in heads for row in head.S for score in row if score is not None]
    return found


def scaling(arrays: Collection[str]) -> tuple[str, int]:
    """Return which of the input arrays sets how large the scores are, and the degree of the scores in it.

    >>> scaling({"X", "W_Q", "W_K"}), scaling({"Q", "V"})
    (('W_Q', 1), ('Q', 2))
    """
    queries, keys = ("Q", "K") if "Q" in arrays else ("W_Q", "W_K")
    # Where queries and keys come from one array, scores are of the second degree in it.
    return queries, 1 if keys in arrays else 2


def expected(graph: Graph, case: Case, spec: AttentionSpec, padding: int = 0) -> dict[Entry, Node]:
    """Return what every judged output entry of a case must be, under the names that ``case.select`` uses.

    With ``padding``: what it would be with so many further keys and values of zeros.
    """
    judged = {case.wanted[0].name} if case.names is None else set(case.names)
    gradient_names = {item.name for item in case.wanted if item.name.startswith("d")}
    found: dict[Entry, Node] = {}
    outputs: dict[Entry, Node] = {}
    upstream: dict[Entry, Entry] = {}
    for number, unit in enumerate(case.units):
        layers = formula(graph, unit.inputs, unit.sizes, spec, unit.allowed, padding)
        found |= dict(weights(layers, number)) if "P" in judged else {}
        for (name, index), node in results(layers, case.wanted[0].name, number):
            outputs[name, index] = node
            if unit.upstream is not None:
                upstream[name, index] = unit.upstream[index[1:]]
    if gradient_names:
        wrt = {(f"d{name}", index): (name, index) for name, index in case.inputs if f"d{name}" in judged}
        return gradients(graph, outputs, upstream, wrt)
    return found | (outputs if case.wanted[0].name in judged else {})
