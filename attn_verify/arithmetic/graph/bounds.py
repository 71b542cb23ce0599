"""Bounds of nodes that hold for all real inputs: they settle questions without a path condition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.graph.nodes import Graph, Node

_INF = float("inf")
End = Fraction | float  # a rational, or ±inf


@dataclass(frozen=True)
class Range:
    """All values lie between ``low`` and ``high``; an open end is not reached."""

    low: End = -_INF
    high: End = _INF
    low_open: bool = False
    high_open: bool = False

    @property
    def positive(self) -> bool:
        """Whether every value is above zero."""
        return self.low > 0 or (self.low == 0 and self.low_open)

    @property
    def negative(self) -> bool:
        """Whether every value is below zero."""
        return self.high < 0 or (self.high == 0 and self.high_open)

    def plus(self, other: Range) -> Range:
        """Return the range of sums."""
        # A fraction beyond the range of floats cannot be added to an infinite one.
        return Range(
            -_INF if -_INF in (self.low, other.low) else self.low + other.low,
            _INF if _INF in (self.high, other.high) else self.high + other.high,
            self.low_open or other.low_open, self.high_open or other.high_open,
        )  # fmt: skip

    def negated(self) -> Range:
        """Return the range of ``−x``."""
        return Range(-self.high, -self.low, self.high_open, self.low_open)

    def meet(self, other: Range) -> Range:
        """Return the values that lie in both ranges."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not closed)


ANY = Range()


class Bounds:
    """Bounds of the nodes of one graph, computed when asked for.

    ``maxima`` replaces maxima by the member that is assumed to be the largest (see :meth:`low`).

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> Bounds(g).range(g.exp(x)).positive
    True
    """

    def __init__(self, graph: Graph, largest: int | None = None, among: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        self._largest = largest
        self._among = among
        self._known: dict[int, Range] = {}

    def sign(self, node: Node) -> int | None:
        """Return 1 or −1 where the sign is the same for all inputs, 0 for the number 0, else ``None``."""
        r = self.range(node)
        return 1 if r.positive else -1 if r.negative else 0 if r.low == r.high == 0 else None

    def range(self, node: Node) -> Range:
        """Return a range that holds for all inputs."""
        stack = [node.index]
        while stack:
            index = stack[-1]
            if index in self._known:
                stack.pop()
                continue
            missing = [arg for arg in self.graph.nodes[index].args if arg not in self._known]
            if missing:
                stack.extend(missing)
                continue
            self._known[index] = self._rule(self.graph.nodes[index])
            stack.pop()
        return self._known[node.index]

    def low(self, node: Node) -> Range:
        """Return a range that may use the cases "the largest maximum of the program is this member".

        In each case every maximum over some of the same members that include the largest equals it, which
        shows for instance that a shifted row sum is at least 1.
        """
        found = self.range(node)
        maxima = [n for n in self.graph.cone([node]) if n.op == "max"]
        if not maxima or len(maxima) > 400:
            return found
        sets = {frozenset(n.args) for n in maxima}
        for top in sorted((s for s in sets if not any(s < other for other in sets)), key=len):
            if len(top) <= 64:
                cases = [Bounds(self.graph, member, top).range(node) for member in top]
                low, low_open = min((c.low, c.low_open) for c in cases)
                found = found.meet(Range(low=low, low_open=low_open))
        return found

    def _rule(self, node: Node) -> Range:
        a, b = ([self._known[arg] for arg in node.args] + [ANY, ANY])[:2]
        match node.op:
            case "rational":
                return Range(node.value, node.value)
            case "add":
                return a.plus(b)
            case "sub":
                return self._difference(node, a, b)
            case "neg":
                return a.negated()
            case "mul":
                return self._product(node, a, b)
            case "div":
                return self._quotient(a, b)
            case "exp":
                if self._is_zero(node.args[0]):
                    return Range(Fraction(1), Fraction(1))
                least = Fraction(1) if a.low >= 0 else Fraction(0)
                most = Fraction(1) if a.high <= 0 else _INF
                return Range(least, most, low_open=a.low < 0 or a.low_open, high_open=a.high <= 0 and a.high_open)
            case "log":
                above = a.low > 1 or (a.low == 1 and a.low_open)
                below = a.high < 1 or (a.high == 1 and a.high_open)
                return Range(Fraction(0) if a.low >= 1 else -_INF, Fraction(0) if a.high <= 1 else _INF, above, below)
            case "sqrt":
                return Range(Fraction(0), low_open=a.positive)
            case "max":
                members = [self._known[arg] for arg in node.args]
                low, low_open = max((m.low, m.low_open) for m in members)
                return Range(low, max(m.high for m in members), low_open)
            case _:
                return ANY

    def _stands_for(self, index: int) -> int:
        """Return the member that a maximum equals in this case."""
        node = self.graph.nodes[index]
        if node.op == "max" and self._largest in node.args and self._among.issuperset(node.args):
            assert self._largest is not None
            return self._largest
        return index

    def _is_zero(self, index: int) -> bool:
        node = self.graph.nodes[index]
        return node.op == "sub" and self._stands_for(node.args[0]) == self._stands_for(node.args[1])

    def _difference(self, node: Node, a: Range, b: Range) -> Range:
        left, right = node.args
        if self._is_zero(node.index):
            return Range(Fraction(0), Fraction(0))
        found = a.plus(b.negated())
        if self._at_most(left, right):
            found = found.meet(Range(high=Fraction(0)))
        if self._at_most(right, left):
            found = found.meet(Range(low=Fraction(0)))
        return found

    def _at_most(self, left: int, right: int) -> bool:
        """Return whether the left node is a member, or a maximum of members, of the right maximum."""
        small, large = self.graph.nodes[left], self.graph.nodes[right]
        members = set(small.args) if small.op == "max" else {left}
        if self._largest == right and members <= self._among:
            return True
        return large.op == "max" and members <= set(large.args)

    def _product(self, node: Node, a: Range, b: Range) -> Range:
        if node.args[0] == node.args[1]:
            nonzero = a.positive or a.negative
            return Range(Fraction(0), low_open=nonzero)
        if a.low >= 0 and b.low >= 0:
            low = a.low * b.low if a.low and b.low else Fraction(0)
            strict = a.positive and b.positive and (low == 0 or a.low_open or b.low_open)
            high = _INF if _INF in (a.high, b.high) else a.high * b.high
            return Range(low, high, low_open=strict)
        if a.high <= 0 and b.low >= 0:
            return self._positive(a.negated(), b).negated()
        if b.high <= 0 and a.low >= 0:
            return self._positive(a, b.negated()).negated()
        if a.high <= 0 and b.high <= 0:
            return self._positive(a.negated(), b.negated())
        return ANY

    def _positive(self, a: Range, b: Range) -> Range:
        return Range(Fraction(0), low_open=a.positive and b.positive)

    def _quotient(self, a: Range, b: Range) -> Range:
        if b.negative:
            return self._quotient(a.negated(), b.negated())
        if not b.positive:
            return ANY
        if a.low >= 0:
            return Range(Fraction(0), low_open=a.positive)
        if a.high <= 0:
            return Range(high=Fraction(0), high_open=a.negative)
        return ANY


# Functions of all real arguments that are given by their power series everywhere.
ENTIRE = frozenset({"sin", "cos", "erf", "pi"})


def vanishes_nowhere_or_rarely(bounds: Bounds, node: Node) -> bool:
    """Return whether the zeros of a node that is not the number 0 are known to form a null set.

    That is so for analytic functions on a connected domain, and for quotients of such.  A maximum, or a root
    of something that may be zero, can be equal to something else on half of all inputs and not on the other;
    so can a root or a logarithm of a quotient: ``x √(1 + 1/x²) = √(x² + 1)`` where x is positive.
    """
    graph = bounds.graph
    for inner in graph.cone([node]):
        if inner.op == "max" or (inner.op == "atom" and inner.value not in ENTIRE):
            return False
        if inner.op in ("sqrt", "log"):
            inside = graph.nodes[inner.args[0]]
            constant = all(part.op != "input" for part in graph.cone([inside]))
            if not (constant or bounds.range(inside).positive or bounds.low(inside).positive):
                return False
            if not constant and not all(_divides(bounds, part) for part in graph.cone([inside]) if part.op == "div"):
                return False
    return True


def _divides(bounds: Bounds, quotient: Node) -> bool:
    """Return whether a quotient has a value for all inputs."""
    below = bounds.graph.nodes[quotient.args[1]]
    return bool(bounds.sign(below)) or bounds.low(below).positive
