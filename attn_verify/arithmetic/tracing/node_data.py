"""One graph node an entry: the carrier for arbitrary code at small sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError
from attn_verify.arithmetic.tracing.carrier import Structural
from attn_verify.arithmetic.tracing.inexact import remember, remember_sum, require_apart
from attn_verify.arithmetic.tracing.session import current

# Odd functions that vanish at 0, as atoms have no values of their own.
_ZERO_AT_ZERO = ("sin", "tan", "arctan", "arcsin", "erf", "arcsinh", "arctanh")


class Poison:
    """What ``np.empty`` returns: it can be moved and overwritten, and whatever reads it refuses."""

    __slots__ = ()
    graph = None

    def __repr__(self) -> str:
        """Show that there is no value."""
        return "<never written>"


POISON = Poison()


def _unreadable(node: Any) -> NoReturn:
    """Refuse to read an entry that is no number of the current run."""
    if node is POISON:
        current().refuse("np.empty", "an entry that was never written is read", "write every entry before reading it")
    current().refuse("state", "a number of another run", "keep no arrays between calls")


def boxed(value: Any) -> NDArray[Any]:
    """Return ``value`` as an object array: NumPy hands out the bare entry where the shape is ``()``."""
    if isinstance(value, np.ndarray):
        return value
    box = np.empty((), object)
    box[()] = value
    return box


def _constant(value: Any) -> Any:
    """Return the node of a whole number, a Fraction or a special name; poison stays what it is."""
    graph = current().graph
    if isinstance(value, str):
        if value == "poison":
            return POISON
        return graph.make("atom", (), "pi") if value == "pi" else graph.special(value)
    return graph.number(value if isinstance(value, Fraction) else int(value))


def _entrywise(name: str, f: Callable[..., Any], *arrays: NDArray[Any]) -> NDArray[Any]:
    """Apply ``f`` to nodes entry by entry, broadcasting; refuse where the graph has no such operation."""

    graph = current().graph

    def checked(*nodes: Any) -> Any:
        for node in nodes:
            if node.graph is not graph:
                _unreadable(node)
        return f(*nodes)

    try:
        return boxed(np.frompyfunc(checked, len(arrays), 1)(*arrays))
    except UnmodelledError as error:
        current().refuse(name, str(error))


class NodeData:
    """An array of nodes of the current session's graph."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: NDArray[Any]) -> None:
        self.nodes = nodes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.nodes.shape

    @property
    def pattern(self) -> NDArray[Any]:
        """The nodes, which lie in memory as NumPy's numbers would."""
        return self.nodes

    @classmethod
    def full(cls, shape: tuple[int, ...], value: Fraction | str) -> Self:
        """Return an array of one number, one special number, π, or poison."""
        nodes = np.empty(shape, object)
        nodes.fill(_constant(value))
        return cls(nodes)

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Return an array of rational and special numbers."""
        return cls(boxed(np.frompyfunc(_constant, 1, 1)(values)))

    def move(self, f: Structural) -> Self:
        """Rearrange, select or repeat entries; views stay views."""
        return type(self)(boxed(f(self.nodes)))

    def join(self, others: Sequence[Self], f: Callable[[Sequence[NDArray[Any]]], NDArray[Any]]) -> Self:
        """Build one array from the entries of several."""
        return type(self)(boxed(f([self.nodes, *(other.nodes for other in others)])))

    def assign(self, key: Any, value: Self) -> None:
        """Write entries in place."""
        # NumPy would store a 0-d object array itself as the entry
        self.nodes[key] = value.nodes if value.nodes.ndim else value.nodes[()]

    def unary(self, name: str) -> Self:
        """Apply −, exp, log or sqrt."""
        graph = current().graph
        f = {"negative": graph.neg, "exp": graph.exp, "log": graph.log, "sqrt": graph.sqrt}[name]
        result = _entrywise(name, f, self.nodes)
        remember(name, result, self.nodes)
        return type(self)(result)

    def binary(self, name: str, other: Self) -> Self:
        """Apply +, −, ×, ÷ or the maximum, broadcasting."""
        graph = current().graph
        operations: dict[str, Callable[[Node, Node], Node]] = {
            "add": graph.add,
            "subtract": graph.sub,
            "multiply": graph.mul,
            "divide": graph.div,
            "maximum": larger,
        }
        result = _entrywise(name, operations[name], self.nodes, other.nodes)
        remember(name, result, self.nodes, other.nodes)
        return type(self)(result)

    def apply(self, name: str, others: Sequence[Self]) -> Self:
        """Apply a function without a model."""

        def atom(*nodes: Node) -> Node:
            graph = current().graph
            if any(node.special == "nan" for node in nodes):
                return graph.special("nan")
            if len(nodes) == 1 and nodes[0].rational == 0:
                if name in _ZERO_AT_ZERO:
                    return nodes[0]
                if name == "cos":
                    return graph.number(1)
            if name in ("sin", "cos") and all(part.op != "input" for part in graph.cone(nodes)):
                return _on_the_circle(graph, name, nodes[0])
            return graph.atom(name, nodes)

        return type(self)(_entrywise(name, atom, self.nodes, *(other.nodes for other in others)))

    def sum(self, axis: int) -> Self:
        """Return the sums along one axis."""
        graph = current().graph

        def total(nodes: list[Node]) -> Node:
            found = graph.sum(nodes)
            remember_sum(found, nodes)
            return found

        return self._along("sum", axis, total)

    def max(self, axis: int) -> Self:
        """Return the maxima along one axis."""
        if not self.shape[axis]:
            raise ValueError("zero-size array to reduction operation maximum which has no identity")
        return self._along("max", axis, largest)

    def matmul(self, other: Self) -> Self:
        """Return matrix products, ``Σ_k a_ik b_kj`` in the order of ``k``."""
        graph = current().graph
        a, b = self.nodes, other.nodes
        outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = np.broadcast_to(a, outer + a.shape[-2:]), np.broadcast_to(b, outer + b.shape[-2:])
        result = np.empty((*outer, a.shape[-2], b.shape[-1]), object)
        try:
            for place in np.ndindex(*outer):
                rows, columns = a[place].tolist(), b[place].T.tolist()
                for line in (*rows, *columns):
                    for node in line:
                        if node.graph is not graph:
                            _unreadable(node)
                for i, row in enumerate(rows):
                    for j, column in enumerate(columns):
                        terms = [graph.mul(x, y) for x, y in zip(row, column, strict=True)]
                        result[(*place, i, j)] = graph.sum(terms)
                        remember_sum(result[(*place, i, j)], terms)
        except UnmodelledError as error:
            current().refuse("matmul", str(error))
        return type(self)(result)

    def compare(self, op: str, other: Self) -> NDArray[np.bool_]:
        """Ask the session about every entry."""
        session = current()

        def asked(a: Node, b: Node) -> bool:
            require_apart(session, a, b)
            return session.compare(op, a, b)

        return _entrywise(op, asked, self.nodes, other.nodes).astype(np.bool_)

    def constants(self) -> NDArray[Any]:
        """Return the Fraction, special name or ball of every constant entry, ``None`` for the others."""
        session = current()

        def value(node: Node) -> Any:
            if node.op in ("rational", "special"):
                return node.value
            if any(part.op == "input" for part in session.graph.cone([node])):
                return None
            return session.balls[node]

        return _entrywise("a constant", value, self.nodes)

    def is_special(self, value: str) -> NDArray[np.bool_]:
        """Return which entries are the special number ``value``."""
        return _entrywise("isfinite", lambda node: node.special == value, self.nodes).astype(np.bool_)

    def _along(self, name: str, axis: int, f: Callable[[list[Node]], Node]) -> Self:
        graph = current().graph
        lanes = np.moveaxis(self.nodes, axis, -1)
        # a reduction keeps the order in memory of what it reduces
        result = np.empty_like(lanes[..., 0]) if lanes.shape[-1] else np.empty(lanes.shape[:-1], object)
        try:
            for place in np.ndindex(*result.shape):
                lane = lanes[place].tolist()
                for node in lane:
                    if node.graph is not graph:
                        _unreadable(node)
                result[place] = f(lane)
        except UnmodelledError as error:
            current().refuse(name, str(error))
        return type(self)(result)


def larger(a: Node, b: Node) -> Node:
    """Return ``max(a, b)``: the larger one where it is settled, else one node, or a recorded decision."""
    session = current()
    graph = session.graph
    if a is b or a.special == "nan" or b.special == "-inf":
        return a
    if b.special == "nan" or a.special == "-inf":
        return b
    if a.special or b.special or (a.rational is not None and b.rational is not None):
        return graph.max([a, b])
    floor = a.rational is not None or b.rational is not None
    bounds = session.bounds.low if floor else session.bounds.range
    with graph.looking():
        difference = graph.sub(a, b)
        if bounds(difference).low >= 0:
            return a
        if bounds(graph.neg(difference)).low >= 0:
            return b
    if session.cases:
        return b if session.compare("<", a, b) else a
    return graph.max([a, b])


def largest(nodes: list[Node]) -> Node:
    """Return the maximum of a row: one node, unless maxima are decided case by case."""
    if not current().cases:
        return current().graph.max(nodes)
    result = nodes[0]
    for node in nodes[1:]:
        result = larger(result, node)
    return result


def _on_the_circle(graph: Graph, name: str, angle: Node) -> Node:
    """Return sin or cos of a constant as rational functions of ``t = tan(angle/2)``, so that their squares add to 1."""
    t = graph.atom("tan_half", [angle])
    below = 1 + t * t
    above: Node = 2 * t if name == "sin" else 1 - t * t
    value: Node = above / below
    return value
