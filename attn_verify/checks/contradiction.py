"""Whether the answers of a path contradict one another: then no input takes it.

Every answer is an inequality ``g ≤ 0`` or ``g < 0``.  Written out as sums of products, some of them may add up, with
positive factors, to a constant that is not negative (Farkas): the answers never hold together, or only where each of
those ``g`` is zero.  The factors are found in floats and checked in rationals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import flint
import numpy as np

from attn_verify.arithmetic.ball import ball
from attn_verify.arithmetic.exact import shown_equal
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.bounds import Bounds, vanishes_nowhere_or_rarely
from attn_verify.arithmetic.graph.evaluation import BallValues, ball_rules, evaluate
from attn_verify.checks.outcome import Condition

# A product of nodes that are not written out, by their numbers, and a sum of such products.
Product = tuple[int, ...]
Form = dict[Product, Fraction]

# Most terms of one inequality, and inequalities, that are looked at.
_TERMS, _MOST = 400, 300
_DENOMINATOR = 2**20
_SMALL = 1e-7
# Binary digits behind the point of a number that values are compared with.
_DIGITS = 160
_SIMPLE = 10**15
# All real numbers.
_WHOLE = flint.arb(0, float("inf"))


@dataclass(frozen=True)
class _Inequality:
    form: Form
    strict: bool
    difference: Node | None = None  # what is not positive, where a question asked it


class Contradictions:
    """Finds them in the paths of one program.

    >>> g = Graph()
    >>> x = g.input("x", ())
    >>> low, high = (Condition("lt", a, b, True, "") for a, b in ((x, g.number(0)), (g.number(1), x)))
    >>> found = Contradictions(g)
    >>> found.of([low, high]), found.of([low])
    ('never', '')
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._forms = _Forms(graph)
        self._constants: dict[int, Fraction | None] = {}
        inputs = [node.value for node in graph.nodes if node.op == "input"]
        self._values = [
            BallValues(graph, {name: Fraction(random.randint(-64, 64), 64) for name in inputs})
            for random in (Random(1), Random(2))
        ]

    def of(self, conditions: Sequence[Condition]) -> str:
        """Return ``"never"`` if no input answers all questions so, ``"rarely"`` if a null set does, else nothing."""
        facts: list[_Inequality] = []
        for c in conditions:
            if c.op != "lt":
                continue
            for low, high in self._pairs(*((c.left, c.right) if c.answer else (c.right, c.left))):
                difference = self._graph.sub(low, high)
                constant = self._constant(difference)
                if constant is not None and (constant > 0 or (constant == 0 and c.answer)):
                    return "never"
                if constant is None:
                    facts.append(_Inequality(self._forms.form(difference), c.answer, difference))
        if self._beyond(facts):
            return "never"
        facts += self._forms.always({product for fact in facts for product in fact.form})
        return _settled(self._graph, facts) if len(facts) <= _MOST else ""

    def _pairs(self, low: Node, high: Node) -> list[tuple[Node, Node]]:
        """Return what is below what if one value is below another: every member of a maximum is, what grows is."""
        while low.op == high.op == "exp":
            low, high = self._graph.nodes[low.args[0]], self._graph.nodes[high.args[0]]
        members = [self._graph.nodes[arg] for arg in low.args] if low.op == "max" else []
        return [pair for member in members for pair in self._pairs(member, high)] or [(low, high)]

    def _beyond(self, facts: Sequence[_Inequality]) -> bool:
        """Return whether some value is out of reach where single inputs lie between the bounds that others give."""
        low: dict[int, Fraction] = {}
        high: dict[int, Fraction] = {}
        for fact in facts:
            inputs = [product for product in fact.form if product]
            if len(inputs) == 1 and len(inputs[0]) == 1:
                (index,), factor = inputs[0], fact.form[inputs[0]]
                bound = -fact.form.get((), Fraction(0)) / factor
                if factor > 0:
                    high[index] = min(bound, high.get(index, bound))
                else:
                    low[index] = max(bound, low.get(index, bound))
        between: dict[Any, flint.arb] = {}
        for node in self._graph.nodes:
            if node.op == "input":
                bounded = node.index in low and node.index in high
                between[node.value] = ball(low[node.index]).union(ball(high[node.index])) if bounded else _WHOLE
        rules = {**ball_rules({}), "input": lambda node, _: between[node.value]}
        differences = [fact.difference for fact in facts if fact.difference is not None]
        values = evaluate(self._graph, differences, rules) if low.keys() & high.keys() else {}
        return any(values[node.index] > 0 for node in differences if node.index in values)

    def _constant(self, node: Node) -> Fraction | None:
        """Return the number that a node is for all inputs, if it is one."""
        if node.index not in self._constants:
            first, second = (values[node] for values in self._values)
            found = None
            if first.is_finite() and second.is_finite() and first.overlaps(second):
                mantissa, power = first.mid().man_exp()
                value = Fraction(int(mantissa)) * Fraction(2) ** int(power)
                # A constant of the code has a few binary digits, or is a simple fraction.
                dyadic = Fraction(round(value * 2**_DIGITS), 2**_DIGITS)
                candidates = (dyadic, value.limit_denominator(_SIMPLE))
                found = next((number for number in candidates if self._is(node, number)), None)
            self._constants[node.index] = found
        return self._constants[node.index]

    def _is(self, node: Node, value: Fraction) -> bool:
        return shown_equal(self._graph, node, self._graph.number(value))


class _Forms:
    """Nodes as sums of products."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._bounds = Bounds(graph)
        self._known: dict[int, Form] = {}

    def form(self, node: Node) -> Form:
        """Return a node as a sum of products of inputs and of nodes that are no sums, products or quotients.

        The reciprocal of node ``i`` has the number ``−i − 1``.
        """
        for inner in self._graph.cone([node]):
            if inner.index not in self._known:
                self._known[inner.index] = self._of(inner)
        return self._known[node.index]

    def _of(self, node: Node) -> Form:
        parts = [self._known[arg] for arg in node.args]
        if node.op == "rational":
            return {(): node.value} if node.value else {}
        if node.op in ("add", "sub", "neg"):
            sign = -1 if node.op != "add" else 1
            found = dict(parts[0]) if node.op != "neg" else {}
            for product, factor in parts[-1].items():
                found[product] = found.get(product, Fraction(0)) + sign * factor
        elif node.op == "mul":
            found = {}
            if len(parts[0]) * len(parts[1]) > _TERMS:
                return {(node.index,): Fraction(1)}
            for a, x in parts[0].items():
                for b, y in parts[1].items():
                    product = tuple(sorted(a + b))
                    found[product] = found.get(product, Fraction(0)) + x * y
        elif node.op == "div":
            below = self._graph.nodes[node.args[1]]
            inverse = 1 / below.rational if below.rational else Fraction(1)
            more: Product = () if below.rational else (-below.index - 1,)
            found = {tuple(sorted(product + more)): factor * inverse for product, factor in parts[0].items()}
        else:
            return {(node.index,): Fraction(1)}
        if len(found) > _TERMS:
            return {(node.index,): Fraction(1)}
        return {product: factor for product, factor in found.items() if factor}

    def always(self, products: set[Product]) -> list[_Inequality]:
        """Return what holds for all inputs: products of positive numbers, maxima and their members, squares."""
        found: list[_Inequality] = []
        for index in sorted({index for product in products for index in product if index >= 0}):
            node = self._graph.nodes[index]
            for arg in node.args if node.op == "max" else ():
                form = dict(self.form(self._graph.nodes[arg]))
                form[(index,)] = form.get((index,), Fraction(0)) - 1
                found.append(_Inequality(form, False))
        for product in sorted(products):
            rest = [index for index in product if not self._positive(index)]
            if product and not rest:
                found.append(_Inequality({product: Fraction(-1)}, True))
            if len(rest) == 2 and rest[0] != rest[1]:
                # (a ± b)² ≥ 0, times what is positive
                left, right = product, product
                for old, new in (rest, reversed(rest)):
                    changed = list(product)
                    changed[changed.index(old)] = new
                    left, right = right, tuple(sorted(changed))
                for sign in (2, -2):
                    found.append(_Inequality({left: Fraction(-1), right: Fraction(-1), product: Fraction(sign)}, False))
        return found

    def _positive(self, index: int) -> bool:
        node = self._graph.nodes[index if index >= 0 else -index - 1]
        return self._bounds.sign(node) == 1 or self._bounds.low(node).positive


def _settled(graph: Graph, facts: Sequence[_Inequality]) -> str:
    from scipy.optimize import linprog

    products = sorted({product for fact in facts for product in fact.form if product})
    if not facts:
        return ""
    column = {product: at for at, product in enumerate(products)}
    matrix = np.zeros((len(facts), len(products) + 1))
    right = np.zeros(len(facts))
    for at, fact in enumerate(facts):
        for product, factor in fact.form.items():
            if product:
                matrix[at, column[product]] = float(factor)
            else:
                right[at] = -float(factor)
    matrix[:, -1] = 1.0
    # The most by which all of them hold together, at most 1; its multipliers are the factors.
    objective = np.zeros(len(products) + 1)
    objective[-1] = -1.0
    solved = linprog(objective, matrix, right, bounds=[*[(None, None)] * len(products), (None, 1.0)], method="highs")
    if solved.status != 0 or solved.x is None or solved.x[-1] > _SMALL:
        return ""
    multipliers = -np.asarray(solved.ineqlin.marginals)
    largest = multipliers.max(initial=0.0)
    if not largest > 0:
        return ""
    used = [
        (Fraction(float(x / largest)).limit_denominator(_DENOMINATOR), fact)
        for x, fact in zip(multipliers, facts, strict=True) if x > _SMALL * largest
    ]  # fmt: skip
    return _verified(graph, used)


def _verified(graph: Graph, used: Sequence[tuple[Fraction, _Inequality]]) -> str:
    """Add the inequalities up exactly, and return what the sum says."""
    total: Form = {}
    for factor, fact in used:
        for product, x in fact.form.items():
            total[product] = total.get(product, Fraction(0)) + factor * x
    constant = total.pop((), Fraction(0))
    if any(total.values()) or constant < 0 or not used:
        return ""
    if constant > 0 or any(fact.strict for _, fact in used):
        return "never"
    bounds = Bounds(graph)
    random = Random(0)
    balls = BallValues(graph, {name: Fraction(random.randint(-64, 64), 61) for name in graph.inputs()})
    zero = [fact.difference for _, fact in used if fact.difference is not None]
    # What vanishes identically does so everywhere, and no rule has found it.
    rare = (vanishes_nowhere_or_rarely(bounds, node) and not balls[node].contains(0) for node in zero)
    return "rarely" if any(rare) else ""
