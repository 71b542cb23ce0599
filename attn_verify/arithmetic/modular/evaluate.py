"""A program forwards in residues, node by node, at every level of a tower of primes."""

from __future__ import annotations

from attn_verify.arithmetic.graph import Node, UnmodelledError
from attn_verify.arithmetic.modular.draw import Draw, inverse
from attn_verify.arithmetic.modular.sizes import Monomial
from attn_verify.arithmetic.modular.survey import Survey

# One residue a level; None below the level where exponentials inside the value are defined.
Residues = list[int | None]


class Evaluation:
    """The residues of all surveyed nodes in one draw.

    Raises ``ZeroDivisionError`` where a divisor vanishes in the finite field.
    """

    def __init__(self, survey: Survey, draw: Draw) -> None:
        self.survey = survey
        self.draw = draw
        self.top = draw.top
        self.values: dict[int, Residues] = {}
        self._keys: dict[int, frozenset[int]] = {}
        self._logs: dict[int, Residues] = {}
        for node in survey.nodes:
            self.values[node.index] = self._node(node)

    def result(self, node: Node) -> int:
        """Return the residue of an output, at the last level."""
        return self._top(node.index)

    def _top(self, index: int) -> int:
        value = self.values[index][self.top]
        assert value is not None
        return value

    def _node(self, node: Node) -> Residues:
        constant = self.survey.constant.get(node.index)
        if constant is not None:
            return [self.draw.constant(level, constant) for level in range(self.top + 1)]
        match node.op:
            case "input":
                name, index = node.value
                return self._fresh(input_key(name, index))
            case "exp":
                return self._exp(node)
            case "log":
                return self._log(node)
            case "max":
                key = frozenset().union(*(self._members(arg) for arg in node.args))
                self._keys[node.index] = key
                return self._fresh(f"max|{sorted(key)}")
            case "atom" | "sqrt":
                return self._fresh(f"{node.op}|{node.value}|{[self._top(arg) for arg in node.args]}")
        args = [self.values[arg] for arg in node.args]
        return [self._arithmetic(node.op, [a[level] for a in args], p) for level, p in enumerate(self.draw.primes)]

    def _fresh(self, key: str) -> Residues:
        return [self.draw.value(level, key) for level in range(self.top + 1)]

    def _members(self, index: int) -> frozenset[int]:
        return self._keys[index] if index in self._keys else frozenset((self._top(index),))

    def _arithmetic(self, op: str, args: list[int | None], p: int) -> int | None:
        a = args[0]
        b = args[-1]
        if a is None or b is None:
            return None
        match op:
            case "add":
                return (a + b) % p
            case "sub":
                return (a - b) % p
            case "mul":
                return a * b % p
            case "neg":
                return -a % p
            case "div":
                return a * inverse(b, p) % p
        raise UnmodelledError(f"{op} in a finite field")

    def _exp(self, node: Node) -> Residues:
        argument = self.values[node.args[0]]
        powers = self.survey.powers[node.index]
        logs = {u: self._logs[u] for u in powers}
        out: Residues = [None] * (self.top + 1)
        for level in range(self.survey.depth[node.index], self.top + 1):
            p, below = self.draw.primes[level], self.draw.primes[level - 1]
            exponent = argument[level - 1]
            assert exponent is not None
            for u, c in powers.items():
                part = logs[u][level - 1]
                assert part is not None
                exponent -= self.draw.rational(level - 1, c.numerator, c.denominator) * part
            result = pow(self.draw.omegas[level], exponent % below, p)
            for u, c in powers.items():
                if u < 0:
                    factor = self.draw.constant(level, Monomial.of(c / c, {-u: c}))
                else:
                    base = self.values[u][level]
                    assert base is not None
                    factor = pow(base if c > 0 else inverse(base, p), abs(int(c)), p)
                result = result * factor % p
            out[level] = result
        return out

    def _log(self, node: Node) -> Residues:
        terms = self.survey.logs[node.index]
        for u in terms:
            if u not in self._logs:
                self._logs[u] = self._fresh(f"log {-u}" if u < 0 else f"log|{self._top(u)}")
        total: Residues = []
        for level, p in enumerate(self.draw.primes):
            parts = [self.draw.rational(level, c.numerator, c.denominator) * (self._logs[u][level] or 0)
                     for u, c in terms.items()]  # fmt: skip
            total.append(sum(parts) % p)
        return total


def input_key(name: str, index: tuple[int, ...]) -> str:
    """Return under which key the residues of an input are drawn."""
    return f"input|{name}|{','.join(map(str, index))}"
