"""One small, safe expression language: scales, relations of documents, claims.

Grammar, loosest first; ``**`` and ``^`` are the same and bind to the right::

    expression = term (("+" | "-") term)*
    term       = factor (("*" | "/" | "@") factor)*
    factor     = ("-" | "+") factor | power
    power      = postfix (("**" | "^") factor)?
    postfix    = atom (".T")*
    atom       = number | name | name "(" expression ("," expression)* ")" | "(" expression ")"

The text is read into a syntax tree of our own and evaluated against an
:class:`Algebra`; Python's ``eval`` is never involved, and a name means only what
the caller says it means.  Length, depth, digits and exponents are bounded, so
hostile text ends in a :class:`~attn_verify.errors.LanguageError` and not in a hang.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attn_verify.errors import LanguageError, explain, shorten, show

MAX_LENGTH = 4_000
MAX_TOKENS = 400
MAX_DEPTH = 60
MAX_DIGITS = 200
MAX_EXPONENT = 64
MAX_RESULT_DIGITS = 10_000

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|\.T\b|[-+*/@^(),])"
)
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?\Z")


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
class Algebra:
    """What an expression means: how numbers enter, the operators, and the documented functions.

    ``operators`` has the keys ``+ - * / @ neg .T``; ``power`` takes a value and a rational exponent.
    """

    number: Callable[[Fraction], Any]
    operators: Mapping[str, Callable[..., Any]]
    power: Callable[[Any, Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]


def decimal(text: str) -> Fraction:
    """Read a decimal number exactly; digits and exponent are bounded.

    >>> decimal("-1.25e-1")
    Fraction(-1, 8)
    """
    match = _DECIMAL.match(text) if len(text) <= MAX_DIGITS + 10 else None
    if match is None or not (match[2] or match[3]):
        raise LanguageError(
            explain(
                "number", f"got {shorten(text, 40)!r}", remedy=f"write a decimal number of at most {MAX_DIGITS} digits"
            )
        )
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4] or "0"
    power = int(exponent) if len(exponent) <= 6 else MAX_DIGITS + 1
    if len(whole + fraction) > MAX_DIGITS or abs(power) > MAX_DIGITS:
        raise LanguageError(
            explain(
                "number",
                f"got {shorten(text, 40)!r}",
                remedy=f"use at most {MAX_DIGITS} digits and exponents to ±{MAX_DIGITS}",
            )
        )
    value = Fraction(int(whole + fraction)) * Fraction(10) ** (power - len(fraction))
    if value and not Fraction(10) ** -MAX_DIGITS <= value < Fraction(10) ** (MAX_DIGITS + 1):
        limits = f"use a number between 1e-{MAX_DIGITS} and 1e{MAX_DIGITS}"
        raise LanguageError(explain("number", f"got {shorten(text, 40)!r}", remedy=limits))
    return -value if sign == "-" else value


def parse(text: str) -> Node:
    """Read ``text`` into a syntax tree; raise ``LanguageError`` with a caret under the place where it stops.

    >>> parse("1/sqrt(d_k)")
    Binary(operator='/', left=Number(value=Fraction(1, 1)), right=Call(function='sqrt', arguments=(Name(name='d_k'),)))
    """
    if not isinstance(text, str):
        raise LanguageError(explain("expression", f"got {show(text)} ({type(text).__name__})", remedy="give text"))
    if len(text) > MAX_LENGTH:
        raise LanguageError(
            explain(
                "expression", f"got {len(text)} characters: {shorten(text, 40)!r}", remedy=f"use at most {MAX_LENGTH}"
            )
        )
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        if len(self.tokens) > MAX_TOKENS:  # a chain of operators is as deep as it is long, and evaluation recurses
            raise self._error(self.tokens[MAX_TOKENS][2], f"more than {MAX_TOKENS} tokens")
        self.at = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise self._error(position, f"unexpected {self.text[position]!r}")
            position = match.end()
            if match.lastgroup != "space":
                yield str(match.lastgroup), match.group(), match.start()
        yield "end", "", len(self.text)

    def _error(self, position: int, cause: str) -> LanguageError:
        line = "".join(character if character.isprintable() else " " for character in self.text)
        start = max(0, position - 40)
        window = line[start : start + 80]
        remedy = "an expression has numbers, names, + - * / @ ** .T, parentheses and documented functions"
        return LanguageError(
            explain(
                f"expression: {cause} at column {position + 1}", window, " " * (position - start) + "^", remedy=remedy
            )
        )

    def _peek(self) -> str:
        kind, value, _ = self.tokens[self.at]
        return value if kind == "symbol" else kind

    def _next(self) -> tuple[str, str, int]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _expect(self, symbol: str) -> None:
        if self._peek() != symbol:
            _, value, position = self.tokens[self.at]
            raise self._error(
                position, f"expected {symbol!r}, found {shorten(value, 20)!r}" if value else f"expected {symbol!r}"
            )
        self.at += 1

    def whole(self) -> Node:
        node = self.expression()
        if self._peek() != "end":
            _, value, position = self.tokens[self.at]
            raise self._error(position, f"unexpected {shorten(value, 20)!r}")
        if _digits(node) > MAX_RESULT_DIGITS:
            raise self._error(0, f"its exact value may have more than {MAX_RESULT_DIGITS} digits")
        return node

    def expression(self) -> Node:
        node = self.term()
        while self._peek() in ("+", "-"):
            operator = self._next()[1]
            node = Binary(operator, node, self.term())
        return node

    def term(self) -> Node:
        node = self.factor()
        while self._peek() in ("*", "/", "@"):
            operator = self._next()[1]
            node = Binary(operator, node, self.factor())
        return node

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(self.tokens[self.at][2], f"nested deeper than {MAX_DEPTH}")
        if self._peek() in ("-", "+"):
            operator = self._next()[1]
            operand = self.factor()
            node: Node = Unary("neg", operand) if operator == "-" else operand
        else:
            node = self.power()
        self.depth -= 1
        return node

    def power(self) -> Node:
        node = self.postfix()
        if self._peek() in ("**", "^"):
            self._next()
            node = Binary("**", node, self.factor())
        return node

    def postfix(self) -> Node:
        node = self.atom()
        depth = self.depth
        while self._peek() == ".T":
            depth += 1
            if depth > MAX_DEPTH:
                raise self._error(self.tokens[self.at][2], f"nested deeper than {MAX_DEPTH}")
            self._next()
            node = Unary(".T", node)
        return node

    def atom(self) -> Node:
        kind, value, position = self._next()
        if kind == "number":
            try:
                return Number(decimal(value))
            except LanguageError as error:
                raise self._error(position, str(error).splitlines()[-1].strip()) from None
        if kind == "name" and self._peek() == "(":
            self._next()
            arguments = [self.expression()]
            while self._peek() == ",":
                self._next()
                arguments.append(self.expression())
            self._expect(")")
            return Call(value, tuple(arguments))
        if kind == "name":
            return Name(value)
        if value == "(":
            node = self.expression()
            self._expect(")")
            return node
        raise self._error(position, f"unexpected {shorten(value, 20)!r}" if value else "the expression ends too early")


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


def _digits(node: Node) -> int:
    """Bound the decimal digits of the exact value, a name counted as 7: a power of a power grows fast."""
    match node:
        case Number(value):
            return max(value.numerator.bit_length(), value.denominator.bit_length()) // 3 + 1
        case Name():
            return 7
        case Binary("**", base, exponent):
            power = constant(exponent)
            return _digits(base) * (1 if power is None else max(1, min(abs(power.numerator), MAX_EXPONENT)))
        case _:
            return 1 + sum(_digits(child) for child in children(node))


def evaluate(node: Node, values: Mapping[str, Any], algebra: Algebra) -> Any:
    """Evaluate ``node`` in ``algebra`` with the given values of names.

    Raises ``LanguageError`` for an unknown name or function, an operator that the algebra has not, a
    wrong number of arguments, an exponent that is not a small constant in quarters, and where the
    algebra raises ``ZeroDivisionError``.
    """
    match node:
        case Number(value):
            return algebra.number(value)
        case Name(name):
            if name not in values:
                known = ", ".join(sorted(values)) or "none"
                raise LanguageError(
                    explain(
                        "expression",
                        f"unknown name {shorten(name, 40)!r}",
                        remedy=f"known names: {shorten(known, 400)}",
                    )
                )
            return values[name]
        case Unary(operator, operand):
            return _apply(node, _operator(operator, algebra), evaluate(operand, values, algebra))
        case Binary("**", base, exponent):
            power = constant(exponent)
            if power is None or abs(power.numerator) > MAX_EXPONENT or power.denominator not in (1, 2, 4):
                remedy = f"an exponent is a constant such as 2, -1/2 or 0.25, at most {MAX_EXPONENT}"
                raise LanguageError(
                    explain("expression", f"exponent {shorten(unparse(exponent), 40)!r}", remedy=remedy)
                )
            return _apply(node, algebra.power, evaluate(base, values, algebra), power)
        case Binary(operator, left, right):
            apply = _operator(operator, algebra)
            return _apply(node, apply, evaluate(left, values, algebra), evaluate(right, values, algebra))
        case Call(function, arguments):
            if function not in algebra.functions:
                known = ", ".join(sorted(algebra.functions)) or "none"
                raise LanguageError(
                    explain(
                        "expression",
                        f"unknown function {shorten(function, 40)!r}",
                        remedy=f"documented functions: {known}",
                    )
                )
            apply = algebra.functions[function]
            if not _takes(apply, len(arguments)):
                got = f"{function} got {len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
                raise LanguageError(explain("expression", got, "the function takes another number of arguments"))
            return apply(*[evaluate(argument, values, algebra) for argument in arguments])


def _operator(operator: str, algebra: Algebra) -> Callable[..., Any]:
    if operator not in algebra.operators:
        raise LanguageError(explain("expression", f"the operator {operator} has no meaning here"))
    return algebra.operators[operator]


def _apply(node: Node, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ZeroDivisionError:
        raise LanguageError(explain("expression", f"division by zero in {shorten(unparse(node))}")) from None


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a function of C code that does not say what it takes
        return True
    return True


_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 3, "**": 4, ".T": 5}


def unparse(node: Node) -> str:
    """Write ``node`` as text that parses back to an equal tree.

    >>> unparse(parse("-(a+b)*c.T ** 2 / (d/e)"))
    '-(a + b) * c.T ** 2 / (d / e)'
    """
    return _unparse(node, 0)


def _unparse(node: Node, outer: int) -> str:
    match node:
        case Number(value):
            # A fraction that is no decimal cannot come from text; it is written as a quotient.
            text, level = _decimal_text(value)
        case Name(name):
            text, level = name, 9
        case Call(function, arguments):
            text, level = f"{function}({', '.join(_unparse(argument, 0) for argument in arguments)})", 9
        case Unary(".T", operand):
            # A point after digits would belong to the number.
            inner = _unparse(operand, 5)
            text, level = (f"({inner}).T" if isinstance(operand, Number) and inner[0] != "(" else inner + ".T"), 5
        case Unary(_, operand):
            text, level = "-" + _unparse(operand, 3), 3
        case Binary("**", base, exponent):
            text, level = f"{_unparse(base, 5)} ** {_unparse(exponent, 3)}", 4
        case Binary(operator, left, right):
            level = _PRECEDENCE[operator]
            text = f"{_unparse(left, level)} {operator} {_unparse(right, level + 1)}"
    return f"({text})" if level < outer else text


def _decimal_text(value: Fraction) -> tuple[str, int]:
    rest, digits = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        digits = max(digits, power)
    if rest != 1:
        return f"{value.numerator} / {value.denominator}", 2
    text = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    if len(text) > MAX_DIGITS:
        whole = str(abs(value.numerator) * 10**digits // value.denominator)
        text = f"{whole[0]}.{whole[1:].rstrip('0') or '0'}e{len(whole) - 1 - digits}"
    elif digits:
        text = f"{text[:-digits]}.{text[-digits:]}"
    return ("-" + text, 3) if value < 0 else (text, 9)
