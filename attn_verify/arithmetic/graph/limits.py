"""What a program computes in the limit where its large negative constants are −∞."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import inf, log

import flint

from attn_verify.arithmetic.ball import Ball, ends
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.graph.nodes import Graph, Node, UnmodelledError

# The least float of 64 bits; in powers of two, inputs that are considered, and what stays far above that float.
_LEAST, _INPUT, _MOST = Fraction(-sys.float_info.max), 50.0, 1000.0


def in_the_limit(
    graph: Graph, roots: Sequence[Node], below: Fraction, read_as: Callable[[Graph, Node], Node] | None = None
) -> tuple[Graph, list[Node], tuple[Fraction, ...]]:
    """Replace constants up to ``below`` by −∞ where they are added, subtracted or exponentiated.

    With ``read_as`` they are replaced by what it returns for the new graph and the constant in it.

    A constant is whatever depends on no input, ``−1e9/√d`` for instance; as a factor of something that depends
    on inputs it stays.  So it does as a member of a maximum: that may clamp what depends on inputs, and where it is a
    mere shift its value does not matter.  Only the least float or less clamps nothing, where the other members are
    sums and products that stay far above it.  Returns a new graph, the roots in it, and the constants that were
    replaced (an upper bound of each that is not rational), from the largest.

    Raises ``UnmodelledError`` where the limit has no value, as ``−∞ − (−∞)`` has none.

    >>> g = Graph()
    >>> s = g.input("s", ())
    >>> _, [weight], fills = in_the_limit(g, [g.exp(s + Fraction(-10**9))], Fraction(-10**4))
    >>> weight.rational, fills
    (Fraction(0, 1), (Fraction(-1000000000, 1),))
    """
    cone = graph.cone(roots)
    balls = BallValues(graph, {})
    limit = flint.arb(flint.fmpq(below.numerator, below.denominator)).upper()
    varies: set[int] = set()
    fill: dict[int, int] = {}  # the sign of a constant that stands for ∞
    replaced: dict[int, Fraction] = {}
    bound: dict[int, Fraction] = {}
    for node in cone:
        if node.op in ("input", "atom") or any(arg in varies for arg in node.args):
            varies.add(node.index)
        elif node.op != "special":
            value = balls[node]
            if value <= limit or -value <= limit:
                fill[node.index] = -1 if value <= limit else 1
                bound[node.index] = node.value if node.op == "rational" else -_least_size(value)
    new = Graph()
    made: dict[int, Node] = {}

    def taken(arg: int, signs: tuple[int, ...]) -> Node:
        """Return an argument, or ∞ for a constant of one of these signs."""
        sign = fill.get(arg)
        if sign not in signs:
            return made[arg]
        replaced[arg] = bound[arg]
        if read_as is not None:
            return read_as(new, made[arg])
        return new.special("-inf" if sign < 0 else "inf")

    for node in cone:
        inner = node.index in varies
        match node.op:
            case "add" if inner:
                made[node.index] = new.add(taken(node.args[0], (-1,)), taken(node.args[1], (-1,)))
            case "sub" if inner:
                made[node.index] = new.sub(taken(node.args[0], (-1,)), taken(node.args[1], (-1, 1)))
            case "exp":
                made[node.index] = new.exp(taken(node.args[0], (-1,)))
            case "max" if inner and (least := _least(graph, node, balls, bound)):
                replaced |= {arg: bound[arg] for arg in least}
                made[node.index] = new.max([made[arg] for arg in node.args if arg not in least])
            case _:
                made[node.index] = _again(new, node, [made[arg] for arg in node.args])
    results = [taken(root.index, (-1,)) for root in roots]
    before = any(node.special == "nan" for node in cone)
    if not before and any(node.special == "nan" for node in new.nodes):
        raise UnmodelledError("in the limit fill → −∞ a difference or product of infinities has no value")
    return new, results, tuple(sorted(set(replaced.values()), reverse=True))


def _least(graph: Graph, maximum: Node, balls: BallValues, bound: Mapping[int, Fraction]) -> set[int]:
    """Return the members of a maximum that are the least float or less, if no other member comes near to that.

    The others must be sums and products of inputs and constants that stay below 2^1000 for inputs up to 2^50.
    """
    least = {arg for arg in maximum.args if bound.get(arg, Fraction(0)) <= _LEAST}
    size: dict[int, float] = {}  # log2 of a bound of the absolute value
    varies: set[int] = set()
    for node in graph.cone([graph.nodes[arg] for arg in maximum.args if arg not in least]) if least else ():
        inside = node.op == "input" or not varies.isdisjoint(node.args)
        varies |= {node.index} if inside else set()
        given = [size[arg] for arg in node.args]
        finite = [size[arg] for arg in node.args if bound.get(arg, Fraction(0)) > _LEAST]  # others stand for −∞
        match node.op:
            case "input":
                size[node.index] = _INPUT
            case _ if not inside and not node.special:
                size[node.index] = _log2(abs(balls[node]).upper())
            case "add" | "sub" | "neg":
                size[node.index] = max(finite) + 1
            case "mul":
                size[node.index] = sum(given)
            case "div" if node.args[1] not in varies:
                size[node.index] = given[0] - _log2(abs(balls[graph.nodes[node.args[1]]]).lower())
            case _:
                return set()
    return least if all(size[index] <= _MOST for index in varies) else set()


def _log2(value: flint.arb) -> float:
    """Return the logarithm of a number that is not negative, upwards or downwards by less than one."""
    return float(value.log().mid()) / log(2) if value > 0 else -inf if value == 0 else inf


def _least_size(value: Ball) -> Fraction:
    """Return a lower bound of the absolute value of a ball; a moderate one where that would have millions of digits."""
    least = abs(value).lower()
    return Fraction(2) ** 4096 if least > flint.arb(2) ** 4096 else ends(least)[0]


def _again(graph: Graph, node: Node, args: list[Node]) -> Node:
    match node.op:
        case "input":
            return graph.input(*node.value)
        case "rational":
            return graph.number(node.value)
        case "special":
            return graph.special(node.value)
        case "max":
            return graph.max(args)
        case "atom":
            return graph.atom(node.value, args)
        case "add" | "sub" | "mul" | "div" | "neg" | "exp" | "log" | "sqrt":
            made: Node = getattr(graph, node.op)(*args)
            return made
    raise UnmodelledError(f"the operation {node.op}")
