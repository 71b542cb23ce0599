"""From text to a syntax tree, by recursive descent within fixed limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from attn_verify.errors import LanguageError, explain, shorten, show
from attn_verify.language.syntax import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_LENGTH,
    MAX_RESULT_DIGITS,
    MAX_TOKENS,
    Binary,
    Call,
    Comparison,
    Name,
    Node,
    Number,
    Unary,
    most_digits,
)

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_\u0391-\u03c9][A-Za-z_0-9\u0391-\u03c9]*)"
    r"|(?P<symbol>\*\*|\.T\b|[=!<>]=|[-+*/@^(),<>])"
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?\Z")


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
    return _parser(text).whole()


def parse_comparison(text: str) -> Comparison:
    """Read a statement, two expressions with one of ``== != < <= > >=`` between them.

    >>> parse_comparison("x + 1 > x").operator
    '>'
    """
    return _parser(text).comparison()


def _parser(text: str) -> _Parser:
    if not isinstance(text, str):
        raise LanguageError(explain("expression", f"got {show(text)} ({type(text).__name__})", remedy="give text"))
    if len(text) > MAX_LENGTH:
        raise LanguageError(
            explain(
                "expression", f"got {len(text)} characters: {shorten(text, 40)!r}", remedy=f"use at most {MAX_LENGTH}"
            )
        )
    return _Parser(text)


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

    def comparison(self) -> Comparison:
        left = self.expression()
        _, operator, position = self._next()
        if operator not in COMPARISONS:
            raise self._error(position, "expected one of == != < <= > >=")
        right = self.expression()
        if self._peek() in COMPARISONS:
            raise self._error(self.tokens[self.at][2], "a second comparison; state one at a time")
        self._end()
        for side in (left, right):
            self._exact(side)
        return Comparison(operator, left, right)

    def whole(self) -> Node:
        node = self.expression()
        self._end()
        return self._exact(node)

    def _end(self) -> None:
        if self._peek() != "end":
            _, value, position = self.tokens[self.at]
            raise self._error(position, f"unexpected {shorten(value, 20)!r}")

    def _exact(self, node: Node) -> Node:
        if most_digits(node) > MAX_RESULT_DIGITS:
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
