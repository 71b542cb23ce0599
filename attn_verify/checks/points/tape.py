"""Programs in floats on many points at a time: values, slopes and what rounding may have done to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node

Floats = NDArray[np.float64]


class Tape:
    """The part of a program that some roots need, run on many points at a time.

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> tape = Tape(g, [g.exp(x) * 2])
    >>> tape.run({("x", ()): np.zeros(2)})[tape.at[(g.exp(x) * 2).index]].tolist()
    [2.0, 2.0]
    """

    def __init__(self, graph: Graph, roots: Sequence[Node]) -> None:
        self.nodes = list(graph.cone(roots))
        self.at = {node.index: place for place, node in enumerate(self.nodes)}
        self.args = [[self.at[arg] for arg in node.args] for node in self.nodes]
        self.inputs = {node.value: self.at[node.index] for node in self.nodes if node.op == "input"}

    def run(self, points: Mapping[Any, Floats]) -> list[Floats]:
        """Return the values of all nodes at all points; NaN where there is none."""
        count = len(next(iter(points.values())))
        values: list[Floats] = []
        with np.errstate(all="ignore"):
            for node, args in zip(self.nodes, self.args, strict=True):
                values.append(_value(node, [values[arg] for arg in args], points, count))
        return values

    def slopes(self, values: Sequence[Floats], seeds: Mapping[int, Floats]) -> dict[Any, Floats]:
        """Return the derivatives by every input of the sum of ``seeds`` times their nodes."""
        totals: list[Any] = [0.0] * len(values)
        for place, seed in seeds.items():
            totals[place] = totals[place] + seed
        with np.errstate(all="ignore"):
            for place in reversed(range(len(values))):
                if isinstance(totals[place], float) or not self.args[place]:
                    continue
                args = [values[arg] for arg in self.args[place]]
                for arg, slope in zip(self.args[place], _slopes(self.nodes[place], values[place], args), strict=False):
                    totals[arg] = totals[arg] + totals[place] * slope
        return {name: np.broadcast_to(totals[place], values[place].shape) for name, place in self.inputs.items()}

    def errors(self, values: Sequence[Floats], roundoff: float) -> list[Floats]:
        """Return how far rounding may have moved every node, to first order; inputs and constants are exact."""
        errors: list[Any] = []
        with np.errstate(all="ignore"):
            for node, args, value in zip(self.nodes, self.args, values, strict=True):
                error = np.zeros_like(value) if node.op in ("input", "rational") else roundoff * np.abs(value)
                slopes = _slopes(node, value, [values[arg] for arg in args])
                for arg, slope in zip(args, slopes, strict=False):
                    error = error + np.abs(slope) * errors[arg]
                errors.append(error)
        return errors


def _value(node: Node, v: list[Floats], points: Mapping[Any, Floats], count: int) -> Floats:
    match node.op:
        case "input":
            return points[node.value]
        case "rational" | "special":
            return np.full(count, _float(node.value))
        case "add":
            return v[0] + v[1]
        case "sub":
            return v[0] - v[1]
        case "mul":
            return v[0] * v[1]
        case "div":
            return np.asarray(v[0] / v[1])
        case "neg":
            return -v[0]
        case "max":
            return np.asarray(np.max(v, axis=0))
        case "exp":
            return np.asarray(np.exp(v[0]))
        case "log":
            return np.asarray(np.log(v[0]))
        case "sqrt":
            return np.asarray(np.sqrt(v[0]))
    if node.value == "pi":
        return np.full(count, np.pi)
    if node.value in _ATOMS:
        return np.asarray(_ATOMS[node.value](*v))
    return np.full(count, np.nan)


def _erf(x: Floats) -> Any:
    from scipy.special import erf  # a third of the time that the modules of a proof take to load

    return erf(x)


_ATOMS: Mapping[str, Any] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tan_half": lambda x: np.tan(x / 2), "arctan": np.arctan,
    "arcsin": np.arcsin, "arccos": np.arccos, "power": np.power, "erf": _erf,
}  # fmt: skip


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _slopes(node: Node, value: Floats, v: list[Floats]) -> list[Any]:
    """Return the derivatives by the arguments; nothing is known of those of most atoms."""
    match node.op:
        case "add":
            return [1.0, 1.0]
        case "sub":
            return [1.0, -1.0]
        case "mul":
            return [v[1], v[0]]
        case "div":
            return [1.0 / v[1], -value / v[1]]
        case "neg":
            return [-1.0]
        case "max":
            return [(item == value).astype(np.float64) for item in v]
        case "exp":
            return [value]
        case "log":
            return [1.0 / v[0]]
        case "sqrt":
            return [0.5 / value]
        case "atom" if node.value in _STEEP:
            return [_STEEP[node.value](v[0])]
    return [1.0 for _ in v]


_STEEP: Mapping[str, Any] = {
    "sin": np.cos, "cos": lambda x: -np.sin(x), "tan": lambda x: 1 + np.tan(x) ** 2,
    "tan_half": lambda x: (1 + np.tan(x / 2) ** 2) / 2, "arctan": lambda x: 1 / (1 + x * x),
}  # fmt: skip
