"""The syntax tree of the expression language, its limits, and questions about a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

MAX_LENGTH = 4_000
MAX_TOKENS = 400
MAX_DEPTH = 60
MAX_DIGITS = 200
MAX_EXPONENT = 64
MAX_RESULT_DIGITS = 10_000


@dataclass(frozen=True)
class Number:
    """An exact rational number: ``0.1`` is one tenth."""

    value: Fraction


@dataclass(frozen=True)
class Name:
    """A name, looked up in what the caller provides."""

    name: str


@dataclass(frozen=True)
class Unary:
    """Negation ``-x`` or transposition ``x.T``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary:
    """One of ``+ - * / @ **`` between two expressions."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A documented function applied to expressions."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Unary | Binary | Call


@dataclass(frozen=True)
class Comparison:
    """One of ``== != < <= > >=`` between two expressions: a statement, not an expression."""

    operator: str
    left: Node
    right: Node


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct sub-expressions of ``node``."""
    match node:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and all its sub-expressions (iteratively: long sums are deep trees)."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))


def names(node: Node) -> frozenset[str]:
    """Return the names that ``node`` uses, functions not included.

    >>> from attn_verify.language import parse
    >>> sorted(names(parse("softmax(Q @ K.T / sqrt(3)) @ V")))
    ['K', 'Q', 'V']
    """
    return frozenset(part.name for part in walk(node) if isinstance(part, Name))


def functions(node: Node) -> frozenset[str]:
    """Return the functions that ``node`` calls."""
    return frozenset(part.function for part in walk(node) if isinstance(part, Call))


def constant(node: Node) -> Fraction | None:
    """Return the value of an expression of numbers and ``+ - * /`` only, else ``None``."""
    match node:
        case Number(value):
            return value
        case Unary("neg", operand):
            inner = constant(operand)
            return None if inner is None else -inner
        case Binary(operator, left, right) if operator in "+-*/":
            a, b = constant(left), constant(right)
            if a is None or b is None or (operator == "/" and b == 0):
                return None
            return {"+": a + b, "-": a - b, "*": a * b}[operator] if operator != "/" else a / b
        case _:
            return None


def most_digits(node: Node) -> int:
    """Bound the decimal digits of the exact value, a name counted as 7: a power of a power grows fast."""
    match node:
        case Number(value):
            return max(value.numerator.bit_length(), value.denominator.bit_length()) // 3 + 1
        case Name():
            return 7
        case Binary("**", base, exponent):
            power = constant(exponent)
            return most_digits(base) * (1 if power is None else max(1, min(abs(power.numerator), MAX_EXPONENT)))
        case _:
            return 1 + sum(most_digits(child) for child in children(node))
