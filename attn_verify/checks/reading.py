"""Reading a traced program: writing a value out, running it in floats, finding points where a question is answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.bounds import Bounds, vanishes_nowhere_or_rarely
from attn_verify.arithmetic.graph.evaluation import BallValues, Point, Rule, evaluate
from attn_verify.arithmetic.graph.nodes import TOTAL
from attn_verify.errors import shorten

# Binary fractions with smaller denominators are meant as they stand.
_EXACT = 2**20
# Inputs that are tried one after the other to solve an equation.
_MOVED = 4
_SIGNS = {"add": "+", "sub": "−", "mul": "·", "div": "/"}


def write_out(graph: Graph, node: Node, width: int = 60, depth: int = 6) -> str:
    """Return a value of a program as text, shortened: ``Q[0,0,1]·K[0,2,1]``.

    >>> g = Graph()
    >>> write_out(g, g.exp(g.input("Q", (0, 1)) + 1))
    'exp(Q[0,1] + 1)'
    """

    def text(index: int, left: int) -> str:
        current = graph.nodes[index]
        if current.op == "input":
            name, place = current.value
            return f"{name}[{','.join(map(str, place))}]"
        if current.op in ("rational", "special"):
            return str(current.value)
        if not left:
            return "…"
        parts = [text(arg, left - 1) for arg in current.args[:8]]
        if current.op in _SIGNS:
            sign = _SIGNS[current.op]
            if current.op in ("mul", "div"):
                parts = [f"({part})" if any(s in part for s in " /") else part for part in parts]
                return sign.join(parts)
            return f" {sign} ".join(parts)
        if current.op == "neg":
            return f"−({parts[0]})"
        return f"{current.value if current.op == 'atom' else current.op}({', '.join(parts)})"

    return shorten(text(node.index, depth), width)


def _guarded(f: Rule) -> Rule:
    def rule(node: Node, values: list[Any]) -> float:
        try:
            return float(f(node, values))
        except (OverflowError, ValueError, ZeroDivisionError):
            return math.nan

    return rule


_ATOMS: Mapping[str, Callable[..., float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tan_half": lambda x: math.tan(x / 2),
    "erf": math.erf,
    "arctan": math.atan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arcsinh": math.asinh,
    "arccosh": math.acosh,
    "arctanh": math.atanh,
    "power": math.pow,
}


def _atom(node: Node, values: list[float]) -> float:
    if node.value == "pi":
        return math.pi
    return float(_ATOMS[node.value](*values)) if node.value in _ATOMS else math.nan


def floats(graph: Graph, roots: Sequence[Node], point: Point) -> list[float]:
    """Run a program in float64 at a point; NaN where an operation has no value."""
    rules: dict[str, Rule] = {
        "input": lambda node, _: float(point[node.value]),
        "rational": _guarded(lambda node, _: node.value),
        "special": lambda node, _: float(node.value),
        "add": lambda _, v: v[0] + v[1],
        "sub": lambda _, v: v[0] - v[1],
        "mul": lambda _, v: v[0] * v[1],
        "neg": lambda _, v: -v[0],
        "max": lambda _, v: max(v),
        "div": _guarded(lambda _, v: v[0] / v[1]),
        "exp": _guarded(lambda _, v: math.exp(v[0])),
        "log": _guarded(lambda _, v: math.log(v[0])),
        "sqrt": _guarded(lambda _, v: math.sqrt(v[0])),
        "atom": _guarded(_atom),
    }
    values = evaluate(graph, roots, rules)
    return [values[root.index] for root in roots]


def unproved_domains(graph: Graph, roots: Sequence[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """Return divisors that may be zero on a null set, divisors that may be on more, and arguments that may be negative.

    The last are those of ``log``, ``sqrt`` and of functions without a model that have no value everywhere.
    """
    bounds = Bounds(graph)
    balls = BallValues(graph, {})  # of constants
    divisors: dict[int, Node] = {}
    doubtful: dict[int, Node] = {}
    arguments: dict[int, Node] = {}
    for node in graph.cone(roots):
        if node.op == "div":
            below = graph.nodes[node.args[1]]
            if _constant(graph, below):
                if balls[below].contains(0):
                    doubtful[below.index] = below
            elif not bounds.sign(below) and not bounds.low(below).positive:
                rare = vanishes_nowhere_or_rarely(bounds, below)
                (divisors if rare else doubtful)[below.index] = below
        elif node.op in ("log", "sqrt"):
            inside = graph.nodes[node.args[0]]
            if _constant(graph, inside):
                fits = balls[inside] > 0 or (node.op == "sqrt" and balls[inside] >= 0)
            else:
                low = bounds.low(inside)
                fits = low.positive or (node.op == "sqrt" and low.low >= 0)
            if not fits:
                arguments[inside.index] = inside
        elif node.op == "atom" and node.value not in TOTAL:
            inside = graph.nodes[node.args[0]]
            if _constant(graph, node):
                fits = balls[node].is_finite()
            else:
                fits = node.value == "power" and bounds.low(inside).positive
            if not fits:
                arguments[inside.index] = inside
    return list(divisors.values()), list(doubtful.values()), list(arguments.values())


def _constant(graph: Graph, node: Node) -> bool:
    return all(inner.op != "input" for inner in graph.cone([node]))


def points_of_equality(graph: Graph, left: Node, right: Node, point: Point) -> Iterator[dict[Any, Fraction]]:
    """Yield points where two values are equal: one input of ``point``, or of all ones, is moved, where that is linear.

    From whole numbers an equation is more likely to be met exactly after rounding.
    """
    yield from _roots(graph, left, right, point)
    yield from _roots(graph, left, right, dict.fromkeys(point, Fraction(1)))


def _roots(graph: Graph, left: Node, right: Node, point: Point) -> Iterator[dict[Any, Fraction]]:
    difference = graph.sub(left, right)
    inputs = [node.value for node in graph.cone([difference]) if node.op == "input"]
    for name in inputs[:_MOVED]:

        def at(value: Fraction, name: Any = name) -> float:
            return floats(graph, [difference], {**point, name: value})[0]

        zero, one, two = at(Fraction(0)), at(Fraction(1)), at(Fraction(2))
        slope = one - zero
        if not (math.isfinite(two) and slope) or abs(two - 2 * one + zero) > 1e-9 * (abs(two) + abs(zero) + abs(slope)):
            continue
        root = float(-zero / slope)
        yield {**point, name: Fraction(root)}
        # The question may only be met exactly after the rounding of the program itself.
        for neighbour in (math.nextafter(root, math.inf), math.nextafter(root, -math.inf)):
            yield {**point, name: Fraction(neighbour)}


def point_of_all(graph: Graph, pairs: Sequence[tuple[Node, Node]], point: Point) -> dict[Any, Fraction]:
    """Return a point at which as many of the equations hold together as can be solved one after the other."""
    current = dict(point)
    moved: set[Any] = set()
    for left, right in pairs:
        for found in points_of_equality(graph, left, right, current):
            changed = {name for name in found if found[name] != current[name]}
            if not changed & moved:
                current, moved = found, moved | changed
                break
    return current


def with_decimals(graph: Graph, roots: Sequence[Node]) -> tuple[Graph, list[Node], dict[Fraction, Fraction]]:
    """Read every float literal of a program as the decimal that it is the float of: 0.1 as 1/10.

    Returns a new graph, the roots in it, and the readings, float value to decimal.

    >>> g = Graph()
    >>> _, [product], readings = with_decimals(g, [g.number(Fraction(0.1)) * g.input("x", ())])
    >>> list(readings.values())
    [Fraction(1, 10)]
    """
    new = Graph()
    made: dict[int, Node] = {}
    readings: dict[Fraction, Fraction] = {}
    for node in graph.cone(roots):
        value = node.value
        if node.op == "rational" and value.denominator > _EXACT and value.denominator & (value.denominator - 1) == 0:
            decimal = Fraction(repr(float(value)))
            if Fraction(float(value)) == value != decimal:
                readings[value] = value = decimal
        made[node.index] = new.make(node.op, tuple(made[arg].index for arg in node.args), value)
    return new, [made[root.index] for root in roots], readings


def overlap(graph: Graph, pairs: Sequence[tuple[Node, Node]], point: Mapping[Any, Fraction]) -> bool:
    """Return whether no pair can be told apart at the point in some 256 bits of the largest of them."""
    balls = BallValues(graph, point)
    largest = max(abs(balls[want]) for _, want in pairs)
    return all(
        balls[got].overlaps(balls[want]) or abs(balls[got] - balls[want]) < largest * 2.0**-240 for got, want in pairs
    )
