"""What is known about a program before any prime is drawn: sizes, nesting of exponentials, constants, logarithms.

A value may carry a *linear part in logarithms*, ``Σ c_u log u`` with rational ``c_u``; its exponential is
``exp(rest) · Π u^{c_u}``.  Elsewhere a logarithm is an indeterminate, like a maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, log2

from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError
from attn_verify.arithmetic.modular.bound import Demand
from attn_verify.arithmetic.modular.sizes import Monomial, Poly, Size, Sizes, factors, log2_int

# A logarithm is of a prime number (negative) or of a node (its index).
Logs = Mapping[int, Fraction]
_NO_LOGS: Logs = {}
MAX_POWER = 1024


@dataclass
class Survey:
    """The facts about every node of a cone, by node number."""

    graph: Graph
    nodes: list[Node] = field(default_factory=list)
    sizes: Sizes = field(default_factory=Sizes)
    size: dict[int, Size] = field(default_factory=dict)
    depth: dict[int, int] = field(default_factory=dict)
    constant: dict[int, Monomial] = field(default_factory=dict)
    logs: dict[int, Logs] = field(default_factory=dict)
    powers: dict[int, Logs] = field(default_factory=dict)  # of an exponential: what it takes out of its argument
    opaque: set[int] = field(default_factory=set)
    maxima: set[int] = field(default_factory=set)
    arguments: set[int] = field(default_factory=set)  # of atoms, recognised by their residues
    radicals: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with the logarithms of primes as indeterminates that are made when needed."""
        self._exponents: list[tuple[Size, float]] = []
        self._log_scale = 1

    @staticmethod
    def of(graph: Graph, roots: Iterable[Node]) -> Survey:
        """Go through all nodes that ``roots`` depend on; raise ``UnmodelledError`` where one has no residue."""
        survey = Survey(graph)
        chosen = list(roots)
        survey.nodes = graph.cone(chosen)
        for node in survey.nodes:
            getattr(survey, f"_{node.op}")(node)
            for prime, exponent in survey.constant.get(node.index, Monomial(Fraction(1))).radicals:
                depth = exponent.denominator.bit_length() - 1
                survey.radicals[prime] = max(survey.radicals.get(prime, 0), depth)
        for root in chosen:
            if root.index in survey.logs:
                survey.opaque.add(root.index)
        return survey

    @property
    def levels(self) -> int:
        """How many primes the tower needs: one more than exponentials are nested, at least two."""
        return 1 + max([1, *self.depth.values()])

    def demand(self, pairs: Iterable[tuple[Node, Node]]) -> Demand:
        """Return what the error bound depends on, for the largest of the pairs."""
        result: Poly | None = None
        for a, b in pairs:
            poly = self.sizes.difference(self.size[a.index], self.size[b.index])
            result = poly if result is None else result.join(poly)
        return Demand(
            result or Poly(),
            self._exponent(),
            self._argument(),
            2 * log2(len(self.arguments)) if self.arguments else -inf,
            log2(2 + 2 * len(self.nodes)),
            tuple(sorted(self.radicals.items())),
        )

    def _exponent(self) -> Poly:
        denominators, z = self.sizes.common([size for size, _ in self._exponents])
        # The coefficients of extracted logarithms may have denominators of their own.
        whole = self.sizes.expand(denominators).times(Poly(norm=log2_int(z)))
        scale = Poly(norm=log2_int(self._log_scale))
        found = Poly()
        for size, taken in self._exponents:
            poly = self.sizes.over(size, denominators, z)
            if taken > -inf:
                poly = poly.plus(whole.times(Poly(degree=1, norm=taken)))
            found = found.join(poly.times(scale))
        return found

    def _argument(self) -> Poly:
        top, bottom = Poly(), Poly()
        for index in self.arguments:
            size = self.size[index]
            z = size.coefficient.rational.denominator
            top = top.join(self.sizes.numerator(size))
            bottom = bottom.join(self.sizes.expand(size.denominators).times(Poly(norm=log2_int(z))))
        product = top.times(bottom)
        return product.plus(product)

    def _put(self, node: Node, size: Size, depth: int) -> None:
        self.size[node.index] = size
        self.depth[node.index] = depth

    def _set_constant(self, node: Node, value: Monomial) -> None:
        self.constant[node.index] = value
        self._put(node, Size(value), 0)

    def _deepest(self, node: Node) -> int:
        return max((self.depth[arg] for arg in node.args), default=0)

    def _leak(self, node: Node) -> None:
        if any(arg in self.logs for arg in node.args):
            self.opaque.add(node.index)

    def _input(self, node: Node) -> None:
        self._put(node, self.sizes.leaf(node.index), 0)

    def _rational(self, node: Node) -> None:
        self._set_constant(node, Monomial(node.value))

    def _special(self, node: Node) -> None:
        raise UnmodelledError(f"arithmetic with {node.value} that was not simplified")

    def _neg(self, node: Node) -> None:
        [arg] = node.args
        if arg in self.constant:
            self._set_constant(node, Monomial(Fraction(-1)).times(self.constant[arg]))
            return
        # a sign changes no size; the node keeps the factors of its argument
        self._put(node, self.size[arg], self.depth[arg])
        if arg in self.logs:
            self.logs[node.index] = {u: -c for u, c in self.logs[arg].items()}

    def _add(self, node: Node, sign: int = 1) -> None:
        a, b = node.args
        self._put(node, self.sizes.sum(node.index, [self.size[a], self.size[b]]), self._deepest(node))
        if a in self.logs or b in self.logs:
            logs = dict(self.logs.get(a, _NO_LOGS))
            for u, c in self.logs.get(b, _NO_LOGS).items():
                logs[u] = logs.get(u, Fraction(0)) + sign * c
            logs = {u: c for u, c in logs.items() if c}
            if logs:
                self.logs[node.index] = logs

    def _sub(self, node: Node) -> None:
        self._add(node, -1)

    def _mul(self, node: Node) -> None:
        a, b = node.args
        if a in self.constant and b in self.constant:
            self._set_constant(node, self.constant[a].times(self.constant[b]))
            return
        self._put(node, self.sizes.product(self.size[a], self.size[b]), self._deepest(node))
        for factor, other in ((a, b), (b, a)):
            value = self.constant.get(factor)
            if value is not None and not value.radicals:
                self._scale(node, other, value.rational)
                return
        self._leak(node)

    def _scale(self, node: Node, arg: int, by: Fraction) -> None:
        if arg in self.logs and by:
            self.logs[node.index] = {u: by * c for u, c in self.logs[arg].items()}

    def _div(self, node: Node) -> None:
        a, b = node.args
        divisor = self.constant.get(b)
        if divisor is not None and not divisor.rational:
            raise UnmodelledError("division by zero")
        if divisor is not None and a in self.constant:
            self._set_constant(node, self.constant[a].times(divisor.inverse()))
            return
        size = self.sizes.product(self.size[a], self.sizes.inverse(self.size[b])) if self._nonzero(b) else self.size[a]
        self._put(node, size, self._deepest(node))
        if divisor is not None and not divisor.radicals:
            self._scale(node, a, 1 / divisor.rational)
        else:
            self._leak(node)

    def _nonzero(self, index: int) -> bool:
        if not self.size[index].coefficient.rational:
            raise UnmodelledError("division by zero")
        return True

    def _exp(self, node: Node) -> None:
        [arg] = node.args
        size, depth = Size(spread=1), self.depth[arg] + 1
        taken: dict[int, Fraction] = {}
        for u, c in self.logs.get(arg, _NO_LOGS).items():
            whole = c.denominator == 1 if u >= 0 else c.denominator & (c.denominator - 1) == 0
            if not whole or abs(c) > MAX_POWER:
                self.opaque.add(node.index)
                continue
            taken[u] = c
            self._log_scale = max(self._log_scale, c.denominator)  # powers of two
            if u < 0:
                power = Monomial.of(Fraction(1), {-u: c})
                for prime, exponent in power.radicals:
                    self.radicals[prime] = max(self.radicals.get(prime, 0), exponent.denominator.bit_length() - 1)
                size = self.sizes.product(size, Size(power))
            else:
                base = self.size[u] if c > 0 else self.sizes.inverse(self.size[u])
                for _ in range(abs(int(c))):
                    size = self.sizes.product(size, base)
                depth = max(depth, self.depth[u])
        self.powers[node.index] = taken
        amount = sum((abs(c) for c in taken.values()), Fraction(0))
        self._exponents.append((self.size[arg], log2_int(int(amount) + 1) if taken else -inf))
        self._put(node, size, depth)

    def _log(self, node: Node) -> None:
        [arg] = node.args
        value = self.constant.get(arg)
        if value is None:
            self.arguments.add(arg)
            self._leak(node)
            self.logs[node.index] = {arg: Fraction(1)}
            self._put(node, self.sizes.leaf(node.index), 0)
            return
        if value.rational <= 0:
            raise UnmodelledError("the logarithm of a number that is not positive")
        exponents = merged_logs(value)
        terms = [self.sizes.product(Size(Monomial(c)), self.sizes.leaf(("log", -u))) for u, c in exponents.items()]
        self.logs[node.index] = exponents
        self._put(node, self.sizes.sum(node.index, terms), 0)

    def _sqrt(self, node: Node) -> None:
        value = self.constant.get(node.args[0])
        if value is None:
            self._atom(node)
        elif value.rational < 0:
            raise UnmodelledError("the square root of a negative number")
        elif not value.rational:
            self._set_constant(node, value)
        else:
            self._set_constant(node, value.power(Fraction(1, 2)))

    def _max(self, node: Node) -> None:
        self.maxima.add(node.index)
        self._fresh(node)

    def _atom(self, node: Node) -> None:
        self.opaque.add(node.index)
        self._fresh(node)

    def _fresh(self, node: Node) -> None:
        self.arguments.update(node.args)
        self._leak(node)
        self._put(node, self.sizes.leaf(node.index), 0)


def merged_logs(value: Monomial) -> dict[int, Fraction]:
    """Return ``log`` of a positive constant as multiples of logarithms of primes, each known by ``−p``.

    >>> merged_logs(Monomial(Fraction(3, 4)))
    {-2: Fraction(-2, 1), -3: Fraction(1, 1)}
    """
    exponents = {prime: Fraction(0) for prime, _ in value.radicals}
    power = value.power(Fraction(1))
    for prime, exponent in power.radicals:
        exponents[prime] = exponent
    for prime, count in factors(power.rational).items():
        exponents[prime] = exponents.get(prime, Fraction(0)) + count
    return {-prime: exponent for prime, exponent in sorted(exponents.items()) if exponent}
