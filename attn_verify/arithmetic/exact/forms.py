"""Normal forms of the nodes of a program."""

from __future__ import annotations

from collections.abc import Sequence

from attn_verify.arithmetic.exact.division import inverse, lowest
from attn_verify.arithmetic.exact.exponents import Exponents, Name, RefineError
from attn_verify.arithmetic.exact.field import Field, FullError
from attn_verify.arithmetic.exact.functions import Functions
from attn_verify.arithmetic.exact.terms import TooLargeError, Value
from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError

_RESTARTS = 30


class Forms:
    """Normal forms of everything that some roots depend on.

    Nodes are evaluated in rounds: at the end of each, all exponents that are known get their generators together.
    """

    def __init__(self, cone: Sequence[Node], capacity: int, max_terms: int, scales: dict[Name, int]) -> None:
        self.field = Field(capacity, max_terms)
        self.exponents = Exponents(self.field, scales)
        self.functions = Functions(self.field, self.exponents)
        self._values: dict[int, Value] = {}
        self._pending: list[tuple[int, Value, int]] = []  # node, factor, number of the exponent
        while cone:
            cone = self._round(cone)

    def __getitem__(self, node: Node) -> Value:
        """Return the normal form of a node."""
        return self._values[node.index]

    def _round(self, waiting: Sequence[Node]) -> list[Node]:
        """Evaluate what can be evaluated; return the other nodes."""
        later: list[Node] = []
        for node in waiting:
            if any(arg not in self._values for arg in node.args):
                later.append(node)
                continue
            factor, exponent = self._rule(node, [self._values[arg] for arg in node.args])
            if self.field.is_zero(exponent):
                self._values[node.index] = factor
            else:
                self._pending.append((node.index, factor, self.exponents.number(exponent)))
        if self._pending:
            monomials = self.exponents.settle()
            self.functions.kinds |= dict.fromkeys(self.exponents.meaning, "exp")
            for index, factor, number in self._pending:
                self._values[index] = self.field.mul(factor, self.field.monomial(monomials[number]))
            self._pending = []
        return later

    def _rule(self, node: Node, args: list[Value]) -> tuple[Value, Value]:
        """Return ``(f, r)`` for the value ``f · exp(r)``."""
        field, functions = self.field, self.functions
        match node.op:
            case "input":
                return field.generator(functions.new("input")), {}
            case "rational":
                return field.constant(node.value), {}
            case "add":
                return field.add(args[0], args[1]), {}
            case "sub":
                return field.sub(args[0], args[1]), {}
            case "neg":
                return field.neg(args[0]), {}
            case "mul":
                return field.mul(args[0], args[1]), {}
            case "div":
                return field.mul(args[0], inverse(field, args[1])), {}
            case "exp":
                return functions.powers(args[0])
            case "log":
                return functions.log(args[0]), {}
            case "sqrt":
                return functions.sqrt(args[0])
            case "max":
                return functions.max(args), {}
            case "atom":
                return functions.atom(node.value, args), {}
        raise UnmodelledError(f"{node.value or node.op} inside a program")

    def kinds(self, value: Value) -> set[str]:
        """Return the kinds of generators in a value in lowest terms, and in the exponents of its exponentials.

        ``constant`` stands for constants between which more relations may hold than are known here.  Where lowest
        terms are out of reach, generators that would cancel are counted.
        """
        kinds = self._kinds(value)
        if kinds <= {"input", "exp"}:
            return kinds
        try:
            return self._kinds(lowest(self.field, value))
        except TooLargeError:
            return kinds

    def _kinds(self, value: Value) -> set[str]:
        seen: set[int] = set()
        todo = list(self.field.present(value))
        strange = False
        while todo:
            number = todo.pop()
            if number not in seen:
                seen.add(number)
                if self.functions.kinds[number] == "exp":
                    todo.extend(self.field.present(self.exponents.meaning[number]))
                    strange = strange or self._strange_constant(self.exponents.meaning[number])
        kinds = {self.functions.kinds[number] for number in seen}
        logs = [number for number in seen if self.functions.kinds[number] == "prime_log"]
        constants = [number for number in seen if self._is_constant(number)]
        return kinds | {"constant"} if strange or (logs and len(constants) > 1) else kinds

    def _is_constant(self, number: int) -> bool:
        """Return whether a generator is a transcendental constant."""
        if self.functions.kinds[number] == "exp":
            return all(self._is_constant(inner) for inner in self.field.present(self.exponents.meaning[number]))
        return self.functions.kinds[number] == "prime_log"

    def _strange_constant(self, exponent: Value) -> bool:
        """Return whether an exponent may have a constant part that is not algebraic."""
        constants = {number for number in self.field.present(exponent) if self._is_constant(number)}
        if not constants:
            return False
        for (_, dens), (shift, poly) in exponent.items():
            if dens:
                return True
            below = dict(shift)
            for monomial in poly.monoms():
                used = {g for g, n in enumerate(monomial) if n + below.get(g, 0)}
                if used and used <= constants:
                    return True
        return False


def forms(graph: Graph, roots: Sequence[Node], max_terms: int) -> Forms:
    """Return the normal forms of ``roots``, starting again while there are too few or too coarse generators."""
    cone = graph.cone(roots)
    capacity = sum(1 for node in cone if node.op in ("input", "exp", "log", "sqrt", "max", "atom")) + 4
    scales: dict[Name, int] = {}
    for _ in range(_RESTARTS):
        try:
            return Forms(cone, capacity, max_terms, scales)
        except RefineError:
            continue
        except FullError:
            capacity *= 2
    raise TooLargeError("normal form\n  the exponents needed finer generators again and again")


def terms(value: Value) -> int:
    """Return how many terms the numerators of a value have."""
    return sum(len(poly) for _, poly in value.values())
