"""Values that are alike at all inputs tried: whether they are constants, or only were not seen otherwise.

A value that neither a search woke nor anything here shows to be constant may be another one somewhere, and what a
target does there was never seen in floats.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from fractions import Fraction

from attn_verify.arithmetic import exact, modular
from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError
from attn_verify.checks.points.ranges import Range

# Terms of a normal form that cost next to nothing, and of one of those few comparisons that may cost more.
_FEW, _TERMS, _TRIES = 300, 50_000, 24
# Floats are constants in what they are alike in to this; sums hide what is as much smaller than a constant.
_NEAR, _HIDDEN = 1e-9, 1e6
# What is hidden in the results of these operations is an unknown; what they were given was looked at itself.
_SCALES = ("add", "sub", "neg", "mul", "div", "max")


class Constancy:
    """Which values of a program are constants where scores are moderate and on one path.

    The program is read once more with what is out of reach left out: arguments of a maximum below another one, and
    exponentials that are zero in floats.
    """

    def __init__(
        self, graph: Graph, found: Sequence[Range], never: Callable[[Node, Node], bool]
    ) -> None:  # fmt: skip
        """Take a program, the ranges of its nodes, and what says that one of two nodes is not above the other."""
        self._graph = graph
        self._ranges = found
        self._never = never
        self._read = Graph()
        self._nodes: dict[int, Node] = {}
        self._tries = _TRIES

    def unexplained(self, asleep: Mapping[int, float], bounded: Container[int] = ()) -> list[Node]:
        """Return those of the nodes that are alike, with the value that they have, which nothing shows constant.

        What is ``bounded`` by the questions of the path counts as a constant there.
        """
        self._nodes = {}
        open_: list[Node] = []
        for node in self._graph.cone(list(asleep)):
            args = [self._nodes[arg] for arg in node.args]
            made = self._made(node, args)
            if node.index in asleep and not made.special:
                value = asleep[node.index]
                if made.rational is None and self._hides(node, value):
                    # What is hidden in it may be taken out again: it is no constant to what follows.
                    made = self._read.input("hidden", (node.index,))
                else:
                    constant = node.index in bounded or self._is(made, value)
                    open_ += [] if constant else [node]
                    made = self._read.number(Fraction(value))  # what follows from it is no news
            self._nodes[node.index] = made
        return open_

    def _is(self, made: Node, value: float) -> bool:
        """Return whether a value is the constant that floats found."""
        if made.rational is None:
            return self._equals(made, value)
        return abs(float(made.rational) - value) <= _NEAR * (1 + abs(value))

    def _made(self, node: Node, args: list[Node]) -> Node:
        if node.op == "exp" and self._ranges[node.index][1] == 0.0:
            return self._read.number(0)
        if node.op == "max":
            spans = [self._ranges[arg] for arg in node.args]
            floor = max(low for low, _ in spans)
            kept = [i for i, (_, high) in enumerate(spans) if high >= floor]
            for i in list(kept):
                others = [j for j in kept if j != i]
                if any(self._never(self._graph.nodes[node.args[i]], self._graph.nodes[node.args[j]]) for j in others):
                    kept.remove(i)
            return self._largest([args[i] for i in kept])
        match node.op:
            case "input":
                return self._read.input(*node.value)
            case "rational":
                return self._read.number(node.value)
            case "special":
                return self._read.special(node.value)
            case "atom":
                return self._read.atom(node.value, args)
        try:
            made: Node = getattr(self._read, node.op)(*args)
        except UnmodelledError:
            made = self._read.atom(f"{node.op} of a limit {node.index}", args)
        return made

    def _largest(self, args: list[Node]) -> Node:
        """Return the largest; what is subtracted from all of them may be subtracted afterwards."""
        if len(args) > 1 and all(arg.op == "sub" and arg.args[1] == args[0].args[1] for arg in args):
            nodes = self._read.nodes
            return self._read.sub(self._read.max([nodes[arg.args[0]] for arg in args]), nodes[args[0].args[1]])
        return self._read.max(args)

    def _hides(self, node: Node, value: float) -> bool:
        """Return whether a value is so large that what was added to a constant in it does not show."""
        return node.op in _SCALES and abs(value) >= _HIDDEN

    def _equals(self, made: Node, value: float) -> bool:
        """Return whether a value is identically a simple constant near to the one that floats found."""
        constant = Fraction(value).limit_denominator(1000)
        if abs(float(constant) - value) > _NEAR * (1 + abs(value)):
            return False
        pair = made, self._read.number(constant)
        try:
            return exact.compare(self._read, [pair], max_terms=_FEW)[0].equal
        except exact.TooLargeError:
            return self._equals_at_length(pair)
        except UnmodelledError:
            return False

    def _equals_at_length(self, pair: tuple[Node, Node]) -> bool:
        if self._tries <= 0:
            return False
        self._tries -= 1
        try:
            return exact.compare(self._read, [pair], max_terms=_TERMS)[0].equal
        except exact.TooLargeError:
            return modular.compare(self._read, [pair], seed=1).equal
        except UnmodelledError:
            return False
