"""Small syntax trees: numbers, sums with a whole number, attributes; and what a tree is."""

from __future__ import annotations

import ast
import math


def number(value: float) -> ast.expr:
    """The expression of a number.

    >>> ast.unparse(number(-2)), ast.unparse(number(0.5))
    ('-2', '0.5')
    """
    if value < 0 or math.copysign(1.0, value) < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def value_of(node: ast.AST | None) -> float | None:
    """The number that an expression is, ``None`` for any other.

    >>> value_of(ast.parse("-3", mode="eval").body)
    -3
    """
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = value_of(operand)
            return None if value is None else -value
    return None


def whole(node: ast.expr, step: int) -> ast.expr:
    """The expression plus a whole number, evaluated where it is a number.

    >>> ast.unparse(whole(ast.parse("n", mode="eval").body, -1)), ast.unparse(whole(number(2), 1))
    ('n - 1', '3')
    """
    known = value_of(node)
    if known is not None:
        return number(known + step)
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def attribute(dotted: str) -> ast.expr:
    """The expression of a dotted name, ``np.float32``."""
    return ast.parse(dotted, mode="eval").body


def called(node: ast.Call) -> str:
    """The last name of what a call calls: ``np.linalg.norm(x)`` calls ``norm``."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def is_infinity(node: ast.AST) -> bool:
    """Whether an expression is minus infinity: ``-np.inf``, ``-math.inf``, ``float("-inf")``."""
    return ast.unparse(node) in ("-np.inf", "-math.inf", "float('-inf')", "-inf")
