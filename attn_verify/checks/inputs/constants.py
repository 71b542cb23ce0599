"""Numbers in the code of a target: whole ones are tried as sizes, all of them as magnitudes."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Beyond these, a number says nothing about sizes, or is no magnitude of a legal input.
MAX_INTEGER, MAX_FLOAT = 1 << 20, 1e300
_MAX_POWER = 64

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


@dataclass(frozen=True)
class Constants:
    """Absolute values of the constants of a source, ascending: whole numbers from 2, and floats above 0."""

    integers: tuple[int, ...]
    floats: tuple[float, ...]

    @property
    def magnitudes(self) -> tuple[float, ...]:
        """All of them, as numbers to try scores and entries near."""
        return tuple(sorted({*map(float, self.integers), *self.floats}))


def mine(source: str) -> Constants:
    """Return the constants of Python source: literals, and what literals add, multiply, shift or raise to.

    Truth values, 0 and 1 are left out.  Source that is no Python has no constants.

    >>> mine("BLOCK = 1 << 4\\ndef f(S, eps=1e-9):\\n    return S.clip(-30, 30) - 1e4 * (S == 0)")
    Constants(integers=(4, 16, 30), floats=(1e-09, 10000.0))
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Constants((), ())
    integers: set[int] = set()
    floats: set[float] = set()
    for node in ast.walk(tree):
        value = _value(node)
        if isinstance(value, int) and 2 <= abs(value) <= MAX_INTEGER:
            integers.add(abs(value))
        elif isinstance(value, float) and 0 < abs(value) <= MAX_FLOAT:
            floats.add(abs(value))
            if value.is_integer() and 2 <= abs(value) <= MAX_INTEGER and abs(value) <= 4096:
                integers.add(int(abs(value)))
    return Constants(tuple(sorted(integers)), tuple(sorted(floats)))


def _value(node: ast.AST, depth: int = 8) -> int | float | None:
    """Return the number that an expression of literals stands for, ``None`` for anything else."""
    found: Any = None
    if isinstance(node, ast.Constant):
        found = node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand, depth - 1)
        found = None if inner is None else -inner
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and depth > 0:
        left, right = _value(node.left, depth - 1), _value(node.right, depth - 1)
        if left is not None and right is not None and max(abs(left), abs(right)) <= MAX_FLOAT:
            big = isinstance(node.op, (ast.Pow, ast.LShift)) and abs(right) > _MAX_POWER
            try:
                found = None if big else _OPERATORS[type(node.op)](left, right)
            except (ArithmeticError, TypeError, ValueError):
                found = None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return found if isinstance(found, int) or math.isfinite(found) else None
