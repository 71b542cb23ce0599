"""The formula with masked pairs let in again: what a program is that fills their scores with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.arithmetic import node_arithmetic
from attn_verify.arithmetic.graph.gradient import gradient
from attn_verify.checks.formula import Entry, formula
from attn_verify.spec import AttentionSpec
from attn_verify.targets.units import Case, Unit

# How a masked pair is read: with the score 0, with its own, or with none.
READINGS = ("zero", "own", "none")


def ways_to_read(case: Case, spec: AttentionSpec) -> Iterator[tuple[str, ...]]:
    """Yield the readings of masked pairs that differ for a case: one, which is none, where nothing is masked."""
    there = {why for unit in case.units for why in _hidden(case, unit, spec).values()}
    yield from product(*(READINGS if why in there else READINGS[:1] for why in range(3)))


def refilled(
    graph: Graph, case: Case, spec: AttentionSpec, readings: Sequence[str], padding: int = 0,
    fills: Sequence[Node | None] = (None,) * 4,
) -> dict[Entry, Node]:  # fmt: skip
    """Return the outputs, and the weights if they are judged, of attention to which masked pairs belong again.

    ``readings`` say how: of pairs that the causal mask hides alone, that the other mask hides alone, and that both do.
    ``padding`` further keys and values of zeros follow those of the inputs.  ``fills`` are added to the scores of these
    three sorts of pairs, and to those of further keys.
    """
    judged = {case.wanted[0].name} if case.names is None else set(case.names)
    found: dict[Entry, Node] = {}
    for number, unit in enumerate(case.units):
        weights = _weights(graph, unit, spec, _hidden(case, unit, spec), readings, padding, fills)
        if "P" in judged:
            found |= {
                ("P", (number, t, i, j)): node
                for t, head in enumerate(weights)
                for i, row in enumerate(head)
                for j, node in enumerate(row[: unit.sizes.keys])
            }
        if case.wanted[0].name in judged:
            for i, row in enumerate(_outputs(graph, unit, spec, weights)):
                found |= {(case.wanted[0].name, (number, i, c)): node for c, node in enumerate(row)}
    return found


def refilled_gradients(
    graph: Graph, case: Case, spec: AttentionSpec, readings: Sequence[str], padding: int = 0,
    fills: Sequence[Node | None] = (None,) * 4, *, flowing: bool,
) -> dict[Entry, Node]:  # fmt: skip
    """Return the gradients that the chain rule gives with the weights of :func:`refilled`.

    .. math:: dS_{ij} = P_{ij} (g_{ij} - \\sum_k P_{ik} g_{ik}), \\quad g_{ij} = \\langle dZ_i, V_j \\rangle

    A masked pair has its weight in the sums.  Where ``flowing``, its ``dS`` also reaches Q and K by its own score, as
    in code that masks scores only; else it goes nowhere, as where that code masks ``dS`` too.
    """
    arithmetic = node_arithmetic(graph)
    sum_of, times = arithmetic.sum, arithmetic.matmul
    roots: list[Node] = []
    adjoints: list[Node] = []
    for unit in case.units:
        hidden = _hidden(case, unit, spec)
        weights = _weights(graph, unit, spec, hidden, readings, padding, fills)
        keys, width = range(unit.sizes.keys), unit.sizes.d_v
        opened = formula(graph, unit.inputs, unit.sizes, spec, ((True,) * len(keys),) * unit.sizes.n)
        values = _values(graph, unit, spec)
        assert unit.upstream is not None
        columns = width * len(weights) if unit.sizes.d_out is None else unit.sizes.d_out
        dY = [[graph.input(*unit.upstream[i, c]) for c in range(columns)] for i in range(unit.sizes.n)]
        dZ: Sequence[Sequence[Node]] = dY
        if unit.sizes.d_out is not None:
            W_O = [[graph.input(*entry) for entry in row] for row in unit.inputs["W_O"][0]]
            Z = _joined(graph, unit, weights, values)
            dZ = times(dY, _transposed(W_O))
            roots += [node for row in W_O for node in row]
            adjoints += [node for row in times(_transposed(Z), dY) for node in row]
        for t, head in enumerate(weights):
            own = [row[t * width : (t + 1) * width] for row in values]
            dO = [row[t * width : (t + 1) * width] for row in dZ]
            P = [row[: len(keys)] for row in head]
            roots += [node for row in own for node in row]
            adjoints += [node for row in times(_transposed(P), dO) for node in row]
            for i, g in enumerate(times(dO, _transposed(own))):
                mean = sum_of([p * x for p, x in zip(P[i], g, strict=True)])
                for j in keys:
                    if flowing or (i, j) not in hidden:
                        roots.append(_known(opened.heads[t].S[i][j]))
                        adjoints.append(P[i][j] * (g[j] - mean))
    judged = {item.name for item in case.wanted} if case.names is None else set(case.names)
    wrt = {(f"d{name}", index): (name, index) for name, index in case.inputs if f"d{name}" in judged}
    found = gradient(graph, roots, adjoints, [graph.input(*entry) for entry in wrt.values()])
    return dict(zip(wrt, found, strict=True))


def _weights(
    graph: Graph, unit: Unit, spec: AttentionSpec, hidden: Mapping[tuple[int, int], int], readings: Sequence[str],
    padding: int, fills: Sequence[Node | None],
) -> list[list[list[Node]]]:  # fmt: skip
    """Return the weights of every head, with those of further keys."""
    n, m = unit.sizes.n, unit.sizes.keys
    opened = formula(graph, unit.inputs, unit.sizes, spec, ((True,) * m,) * n, padding)
    zero, one, sum_of = graph.number(0), graph.number(1), node_arithmetic(graph).sum
    found = []
    for head in opened.heads:
        rows = []
        for i, scores in enumerate(head.S):
            large = []
            for j, score in enumerate(scores):
                assert score is not None
                why = 3 if j >= m else hidden.get((i, j))
                reading = "own" if why in (None, 3) else readings[why]
                fill = None if why is None else fills[why]
                if reading == "zero":
                    score = fill
                elif fill is not None:
                    score = score + fill
                large.append(zero if reading == "none" else one if score is None else graph.exp(score))
            total = sum_of(large)
            rows.append([x / total for x in large])
        found.append(rows)
    return found


def _hidden(case: Case, unit: Unit, spec: AttentionSpec) -> dict[tuple[int, int], int]:
    """Return which pairs are masked, and why: by the causal mask alone, by the other one alone, or by both.

    Where elements of a batch have masks of their own, both are not told from the causal one alone.
    """
    causal = spec.allowed(unit.sizes)
    known = case.mask is not None and len(set(case.each)) == 1
    mask = replace(spec, causal="none").allowed(unit.sizes, case.mask) if known else None
    found = {}
    for i, row in enumerate(unit.allowed):
        for j, allowed in enumerate(row):
            if not allowed:
                both = not causal[i][j] and mask is not None and not mask[i][j]
                found[i, j] = 2 if both else int(causal[i][j])
    return found


def _outputs(
    graph: Graph, unit: Unit, spec: AttentionSpec, weights: Sequence[Sequence[Sequence[Node]]]
) -> Sequence[Sequence[Node]]:  # fmt: skip
    """Return Y, or Z where there is no output projection; the values of further keys are zero."""
    Z = _joined(graph, unit, weights, _values(graph, unit, spec))
    if unit.sizes.d_out is None:
        return Z
    W_O = [[graph.input(*entry) for entry in row] for row in unit.inputs["W_O"][0]]
    return node_arithmetic(graph).matmul(Z, W_O)


def _values(graph: Graph, unit: Unit, spec: AttentionSpec) -> list[list[Node]]:
    """Return the values of every key, those of all heads beside one another."""
    keys = range(unit.sizes.keys)
    # With one key open, every row of Z is the values of that key.
    only = [formula(graph, unit.inputs, unit.sizes, spec, ((*(i == j for i in keys),),) * unit.sizes.n) for j in keys]
    return [[_known(value) for value in one.Z[0]] for one in only]


def _joined(
    graph: Graph, unit: Unit, weights: Sequence[Sequence[Sequence[Node]]], values: Sequence[Sequence[Node]]
) -> list[list[Node]]:  # fmt: skip
    """Return Z, the outputs of all heads beside one another."""
    width = unit.sizes.d_v
    Z: list[list[Node]] = [[] for _ in range(unit.sizes.n)]
    for t, head in enumerate(weights):
        rows = [row[: unit.sizes.keys] for row in head]
        own = [value[t * width : (t + 1) * width] for value in values]
        Z = [[*before, *more] for before, more in zip(Z, node_arithmetic(graph).matmul(rows, own), strict=True)]
    return Z


def _transposed(rows: Sequence[Sequence[Node]]) -> list[list[Node]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _known(node: Node | None) -> Node:
    assert node is not None
    return node
