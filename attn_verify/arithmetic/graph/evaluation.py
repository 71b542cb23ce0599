"""Interpreting a program: one function for each operation, forwards over the nodes that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import flint

from attn_verify.arithmetic.ball import Ball, ball
from attn_verify.arithmetic.graph.nodes import Graph, Node

Point = Mapping[tuple[str, tuple[int, ...]], Fraction]
Rule = Callable[[Node, list[Any]], Any]


def evaluate(graph: Graph, roots: Iterable[Node | int], rules: Mapping[str, Rule]) -> dict[int, Any]:
    """Return the value of every node that ``roots`` depend on, by number.

    ``rules`` maps each operation to a function of the node and the values of its arguments; an operation
    without one raises ``KeyError``.
    """
    values: dict[int, Any] = {}
    for node in graph.cone(roots):
        values[node.index] = rules[node.op](node, [values[arg] for arg in node.args])
    return values


def _special(node: Node, _: list[Any]) -> Ball:
    return flint.arb(node.value)


def _maximum(_: Node, values: list[Ball]) -> Ball:
    result = values[0]
    for value in values[1:]:
        result = result.max(value)
    return result


def ball_rules(point: Point, atoms: Mapping[str, Callable[..., Ball]] | None = None) -> dict[str, Rule]:
    """Return the rules that enclose every node at a point, in the working precision."""
    known = {**ATOMS, **(atoms or {})}
    return {
        "input": lambda node, _: ball(point[node.value]),
        "rational": lambda node, _: ball(node.value),
        "special": _special,
        "add": lambda _, v: v[0] + v[1],
        "sub": lambda _, v: v[0] - v[1],
        "mul": lambda _, v: v[0] * v[1],
        "div": lambda _, v: v[0] / v[1],
        "neg": lambda _, v: -v[0],
        "exp": lambda _, v: v[0].exp(),
        "log": lambda _, v: v[0].log(),
        "sqrt": lambda _, v: v[0].sqrt(),
        "max": _maximum,
        "atom": lambda node, v: known[node.value](*v),
    }


# Functions that have no exact model here, but a rigorous enclosure; their names are the values of atoms.
ATOMS: Mapping[str, Callable[..., Ball]] = {
    "sin": flint.arb.sin,
    "cos": flint.arb.cos,
    "tan": flint.arb.tan,
    "tan_half": lambda x: (x / 2).tan(),
    "arctan": flint.arb.atan,
    "arcsin": flint.arb.asin,
    "arccos": flint.arb.acos,
    "erf": flint.arb.erf,
    "power": lambda base, exponent: base**exponent,
    "pi": lambda: flint.arb.pi(),
}


class BallValues:
    """Balls of all nodes of a growing graph at one point, extended when asked."""

    def __init__(self, graph: Graph, point: Point, bits: int = 256) -> None:
        self.graph = graph
        self.bits = bits
        self._rules = ball_rules(point)
        self._values: dict[int, Ball] = {}

    def __getitem__(self, node: Node) -> Ball:
        """Return the ball of a node."""
        with flint.ctx.workprec(self.bits):
            stack = [node.index]
            while stack:
                index = stack[-1]
                current = self.graph.nodes[index]
                missing = [arg for arg in current.args if arg not in self._values]
                if index in self._values:
                    stack.pop()
                elif missing:
                    stack.extend(missing)
                else:
                    self._values[index] = self._rules[current.op](current, [self._values[arg] for arg in current.args])
                    stack.pop()
        return self._values[node.index]
