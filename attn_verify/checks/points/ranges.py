"""Between which numbers the values of a program lie while inputs, and some values, are bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from attn_verify.arithmetic.exact import shown_equal
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.points.tape import Tape
from attn_verify.checks.reading import floats

Range = tuple[float, float]
_ALL: Range = (-math.inf, math.inf)
# Relative difference of numbers that are equal but for rounding.
_SAME = 1e-10
# Constants of a program that a factor may have, the largest denominator of the rest, and terms of a normal form.
_CONSTANTS, _SIMPLE, _TERMS = 32, 4096, 3000


def ranges(graph: Graph, inputs: float, known: Mapping[int, float]) -> list[Range]:
    """Return a range for every node, by interval arithmetic in floats, roughly.

    Args:
        graph: the program.
        inputs: the largest size of an input.
        known: the largest size of nodes, by their numbers, whatever is computed from the inputs.

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> ranges(g, 4, {(x * x).index: 10, g.exp(x * x - 20).index: 1e9})[-1]
    (2.061153622438558e-09, 4.5399929762484854e-05)
    """
    found: list[Range] = []
    for node in graph.nodes:
        low, high = _range(node, [found[arg] for arg in node.args], inputs)
        size = known.get(node.index, math.inf)
        found.append((max(low, -size), min(high, size)))
    return found


def multiples(
    graph: Graph, tape: Tape, scores: Sequence[Node], limit: float, random: np.random.Generator
) -> dict[int, float]:  # fmt: skip
    """Return the largest size of what is a multiple of a score, where no score exceeds a limit.

    Numbers say which nodes may be multiples; the normal form says which are.
    """
    names = [node.value for node in tape.nodes if node.op == "input"]
    values = tape.run({name: random.standard_normal(8) for name in names})
    table = np.array(values)
    dependent = graph.dependent()
    constants = [n for n in graph.nodes if n.index not in dependent and n.op != "special"][:_CONSTANTS]
    numbers = list(zip(constants, floats(graph, constants, {}), strict=True))
    factors: dict[float, Node | None] = {}
    found = {}
    for score in scores:
        with np.errstate(all="ignore"):
            ratios = table / values[tape.at[score.index]]
            same = np.ptp(ratios, axis=1) <= _SAME * np.abs(ratios[:, 0])
        for place in np.flatnonzero(same):
            node, ratio = tape.nodes[place], float(ratios[place, 0])
            key = float(f"{ratio:.9g}")
            if key not in factors:
                factors[key] = _constant(graph, ratio, numbers)
            factor = factors[key]
            if factor is not None and shown_equal(graph, node, graph.mul(factor, score), max_terms=_TERMS):
                found[node.index] = abs(ratio) * limit
    return found


def _constant(graph: Graph, value: float, numbers: Sequence[tuple[Node, float]]) -> Node | None:
    """Return a constant near to a number: the root of a simple fraction, times or divided by one of the program."""
    for inverse in (False, True):
        for node, own in [(graph.number(1), 1.0), *numbers]:
            if not (math.isfinite(own) and own):
                continue
            square = (value * own if inverse else value / own) ** 2
            if not 0 < square < math.inf:
                continue
            fraction = Fraction(square).limit_denominator(_SIMPLE)
            if fraction and abs(float(fraction) / square - 1) <= _SAME:
                root = graph.sqrt(graph.number(fraction))
                found = graph.div(root, node) if inverse else graph.mul(root, node)
                return graph.neg(found) if value < 0 else found
    return None


def _range(node: Node, args: list[Range], inputs: float) -> Range:
    match node.op, args:
        case "input", _:
            return -inputs, inputs
        case "rational", _:
            value = float(node.value) if abs(node.value) < 2**1000 else math.copysign(math.inf, node.value)
            return value, value
        case "add", [(a, b), (c, d)]:
            return _whole(a + c, b + d)
        case "sub", [(a, b), (c, d)]:
            return _whole(a - d, b - c)
        case "neg", [(a, b)]:
            return -b, -a
        case "mul", [(a, b), (c, d)]:
            products = [x * y for x in (a, b) for y in (c, d)]
            if node.args[0] == node.args[1]:
                return _whole(0.0 if a <= 0 <= b else min(products), max(products))
            return _whole(min(products), max(products))
        case "max", _:
            return max(low for low, _ in args), max(high for _, high in args)
        case "exp", [(a, b)]:
            return (math.exp(a) if a < 700 else math.inf), (math.exp(b) if b < 700 else math.inf)
    return _ALL


def _whole(low: float, high: float) -> Range:
    return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)
