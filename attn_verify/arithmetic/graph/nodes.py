"""The nodes of a straight-line program, and the few simplifications that hold for all real numbers."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from math import isqrt
from typing import Any, NoReturn

from attn_verify.arithmetic.graph import specials
from attn_verify.arithmetic.graph.specials import UnmodelledError

__all__ = ["OPERATIONS", "TOTAL", "Graph", "Node", "UnmodelledError"]

# What a node computes; ``value`` is (name, index) of an input, the Fraction of a rational, the name of a
# special number ("inf", "-inf", "nan") or of a function without a model.
OPERATIONS = ("input", "rational", "special", "add", "sub", "mul", "div", "neg", "exp", "log", "sqrt", "max", "atom")
# Functions without a model, "atom", that have a value at every real number.
TOTAL = ("sin", "cos", "arctan", "erf", "tan_half", "pi")


class Node:
    """One value of a program: an operation on earlier nodes of the same graph.

    Nodes are equal only if they are the same object; arithmetic on them appends to the graph.  They have no
    truth value, no order and no hash: a question about a value must go through whoever records it.
    """

    __slots__ = ("args", "graph", "index", "op", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, index: int, op: str, args: tuple[int, ...], value: Any) -> None:
        self.graph = graph
        self.index = index
        self.op = op
        self.args = args
        self.value = value

    def __repr__(self) -> str:
        """Show the operation and the numbers of its arguments."""
        shown = [] if self.value is None else [str(self.value)]
        return f"Node({self.index}: {self.op} {' '.join([*shown, *map(str, self.args)])})"

    def __bool__(self) -> NoReturn:
        """Refuse: whether a value is zero is a question to be recorded."""
        raise UnmodelledError("the truth value of a number that depends on the inputs")

    def __float__(self) -> NoReturn:
        """Refuse: a float would lose the program."""
        raise UnmodelledError("float() of an exact number")

    def __eq__(self, other: object) -> NoReturn:
        """Refuse: comparisons are made where they are recorded."""
        raise UnmodelledError("a comparison of exact numbers that nobody records")

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__

    def __add__(self, other: Node | int | Fraction) -> Node:
        return self.graph.add(self, self.graph.node(other))

    def __radd__(self, other: int | Fraction) -> Node:
        return self.graph.add(self.graph.node(other), self)

    def __sub__(self, other: Node | int | Fraction) -> Node:
        return self.graph.sub(self, self.graph.node(other))

    def __rsub__(self, other: int | Fraction) -> Node:
        return self.graph.sub(self.graph.node(other), self)

    def __mul__(self, other: Node | int | Fraction) -> Node:
        return self.graph.mul(self, self.graph.node(other))

    def __rmul__(self, other: int | Fraction) -> Node:
        return self.graph.mul(self.graph.node(other), self)

    def __truediv__(self, other: Node | int | Fraction) -> Node:
        return self.graph.div(self, self.graph.node(other))

    def __rtruediv__(self, other: int | Fraction) -> Node:
        return self.graph.div(self.graph.node(other), self)

    def __neg__(self) -> Node:
        return self.graph.neg(self)

    @property
    def rational(self) -> Fraction | None:
        """The value of a rational node, else ``None``."""
        return self.value if self.op == "rational" else None

    @property
    def special(self) -> str | None:
        """``"inf"``, ``"-inf"`` or ``"nan"`` of a special node, else ``None``: every other node is finite."""
        return self.value if self.op == "special" else None


class Graph:
    """A growing program.  Equal operations on equal nodes are one node.

    >>> g = Graph()
    >>> x = g.input("x", (0,))
    >>> (x + 1) is (x + 1), g.exp(g.number(0)).rational
    (True, Fraction(1, 1))
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Hashable, Node] = {}
        self.aside: set[int] = set()  # nodes that were made to look at others, and are no part of the program
        self._looking = False

    def node(self, value: Node | int | Fraction) -> Node:
        """Return a node of this graph for a node or a whole or rational number; nothing else has one."""
        if isinstance(value, Node):
            if value.graph is not self:
                raise UnmodelledError("a number of another run")
            return value
        if isinstance(value, (int, Fraction)):
            return self.number(value)
        raise UnmodelledError(f"a {type(value).__name__} among exact numbers")

    def make(self, op: str, args: tuple[int, ...], value: Any = None) -> Node:
        """Append an operation as it is, or return the equal node that exists."""
        key = (op, args, value)
        found = self._known.get(key)
        if found is None:
            found = Node(self, len(self.nodes), op, args, value)
            self.nodes.append(found)
            self._known[key] = found
            if self._looking:
                self.aside.add(found.index)
        elif not self._looking:
            self.aside.discard(found.index)
        return found

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Make nodes that are put aside, unless the program makes them too."""
        self._looking, before = True, self._looking
        try:
            yield
        finally:
            self._looking = before

    def input(self, name: str, index: tuple[int, ...]) -> Node:
        """Return the input ``name[index]``, a real number."""
        return self.make("input", (), (name, index))

    def number(self, value: int | Fraction) -> Node:
        """Return a rational number."""
        return self.make("rational", (), Fraction(value))

    def special(self, value: str) -> Node:
        """Return ``"inf"``, ``"-inf"`` or ``"nan"``."""
        return self.make("special", (), value)

    def add(self, a: Node, b: Node) -> Node:
        """Return ``a + b``."""
        if a.op == "special" or b.op == "special":
            return specials.total(self, a, b)
        if a.op == "rational":
            if b.op == "rational":
                return self.number(a.value + b.value)
            if not a.value:
                return b
        elif b.op == "rational" and not b.value:
            return a
        x, y = a.index, b.index
        return self.make("add", (x, y) if x <= y else (y, x))

    def sub(self, a: Node, b: Node) -> Node:
        """Return ``a − b``."""
        if b.op in ("special", "rational"):
            return self.add(a, self.neg(b))
        if a.op == "special":
            return a
        if a is b:
            return self.number(0)
        if a.op == "rational" and not a.value:
            return self.neg(b)
        return self.make("sub", (a.index, b.index))

    def neg(self, a: Node) -> Node:
        """Return ``−a``."""
        if a.op == "rational":
            return self.number(-a.value)
        if a.op == "special":
            return self.special({"inf": "-inf", "-inf": "inf", "nan": "nan"}[a.value])
        if a.op == "neg":
            return self.nodes[a.args[0]]
        return self.make("neg", (a.index,))

    def mul(self, a: Node, b: Node) -> Node:
        """Return ``a · b``."""
        if a.op == "special" or b.op == "special":
            return specials.product(self, a, b)
        if b.op == "rational" and a.op != "rational":
            a, b = b, a
        if a.op == "rational":
            if b.op == "rational":
                return self.number(a.value * b.value)
            if a.value == 0:
                return a
            if a.value == 1:
                return b
            if a.value == -1:
                return self.neg(b)
        x, y = a.index, b.index
        return self.make("mul", (x, y) if x <= y else (y, x))

    def div(self, a: Node, b: Node) -> Node:
        """Return ``a / b``.  A divisor that depends on inputs stays, so that its zeros can be asked for."""
        if b.op == "special" or a.op == "special":
            return specials.quotient(self, a, b)
        if b.op == "rational":
            if not b.value:
                if a.op == "rational" and not a.value:
                    return self.special("nan")
                raise UnmodelledError("division by zero")
            return self.mul(a, self.number(1 / b.value))
        return self.make("div", (a.index, b.index))

    def exp(self, a: Node) -> Node:
        """Return ``exp(a)``, with ``exp(−∞) = 0``."""
        if a.op == "special":
            return self.number(0) if a.value == "-inf" else a
        if a.op == "rational" and not a.value:
            return self.number(1)
        return self.make("exp", (a.index,))

    def log(self, a: Node) -> Node:
        """Return the natural logarithm, with ``log 0 = −∞``; NaN below 0."""
        if a.op == "special":
            return self.special("nan") if a.value == "-inf" else a
        if a.op == "rational" and a.value <= 0:
            return self.special("nan" if a.value < 0 else "-inf")
        if a.op == "rational" and a.value == 1:
            return self.number(0)
        if a.op == "exp":
            return self.nodes[a.args[0]]
        return self.make("log", (a.index,))

    def sqrt(self, a: Node) -> Node:
        """Return the square root; NaN below 0."""
        if a.op == "special":
            return self.special("nan") if a.value == "-inf" else a
        if a.op == "rational":
            if a.value < 0:
                return self.special("nan")
            p, q = isqrt(a.value.numerator), isqrt(a.value.denominator)
            if p * p == a.value.numerator and q * q == a.value.denominator:
                return self.number(Fraction(p, q))
        return self.make("sqrt", (a.index,))

    def max(self, items: Iterable[Node]) -> Node:
        """Return the maximum as one node: nested maxima are merged, ``−∞`` and repetitions dropped."""
        members: dict[int, Node] = {}
        rationals: list[Fraction] = []
        infinite = empty = True
        for item in items:
            empty = False
            if item.op == "special":
                if item.value != "-inf":
                    return item if item.value == "nan" else specials.maximum(self, items)
                continue
            infinite = False
            for index in item.args if item.op == "max" else (item.index,):
                member = self.nodes[index]
                if member.op == "rational":
                    rationals.append(member.value)
                else:
                    members[index] = member
        if empty:
            raise UnmodelledError("the maximum of nothing")
        if infinite:
            return self.special("-inf")
        if rationals:
            largest = self.number(max(rationals))
            members[largest.index] = largest
        if len(members) == 1:
            return next(iter(members.values()))
        return self.make("max", tuple(sorted(members)))

    def atom(self, name: str, args: Iterable[Node]) -> Node:
        """Return a function without a model: equal arguments give equal values, and no more is known."""
        nodes = tuple(args)
        if any(node.op == "special" for node in nodes):
            raise UnmodelledError(f"{name} of ±∞ or NaN")
        return self.make("atom", tuple(node.index for node in nodes), name)

    def sum(self, terms: Iterable[Node]) -> Node:
        """Return the sum of ``terms``, zero if there are none."""
        total = self.number(0)
        for term in terms:
            total = self.add(total, term)
        return total

    def cone(self, roots: Iterable[Node | int]) -> list[Node]:
        """Return the nodes that ``roots`` depend on, themselves included, each after its arguments."""
        wanted: set[int] = set()
        stack = [root.index if isinstance(root, Node) else root for root in roots]
        while stack:
            index = stack.pop()
            if index not in wanted:
                wanted.add(index)
                stack.extend(self.nodes[index].args)
        return [self.nodes[index] for index in sorted(wanted)]

    def dependent(self, inputs: Container[Any] | None = None) -> set[int]:
        """Return the numbers of the nodes that some inputs go into, of these names and indices or any."""
        found: set[int] = set()
        for node in self.nodes:
            given = node.op == "input" and (inputs is None or node.value in inputs)
            if given or not found.isdisjoint(node.args):
                found.add(node.index)
        return found

    def inputs(self) -> Mapping[tuple[str, tuple[int, ...]], Node]:
        """Return the inputs by name and index."""
        return {node.value: node for node in self.nodes if node.op == "input"}
