"""Whether something that changes from run to run, as the clock does, may decide what a target computes.

Two runs of one call on the same inputs gave different values of an expression: a clock, a generator of its own, the
order of a set.  As long as such a value is only kept, printed or computed with, it shows in what is computed with it.
Where a comparison, a rounding or an index takes it in, and gives the same in both runs, it may seldom give another.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Values = Mapping[str, list[Mapping[str, Any]]]

_NOTHING: Mapping[str, Any] = {"value": None}
_HASHING = ("set", "frozenset", "hash")
# Statements that choose a way by a value.
_CONTROL = (ast.If, ast.While, ast.Assert, ast.For, ast.Match)


def absorbed(changing: Collection[str], first: Values, second: Values) -> str:
    """Return a place where one of the ``changing`` values may be taken in by something that did not change.

    Places are those of an observer, ``file:line:column:kind``.  What is only handed to calls that return nothing, as
    to a log, is not taken in.
    """
    for path in sorted({place.rsplit(":", 3)[0] for place in changing}):
        try:
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read())
        except (OSError, ValueError, SyntaxError):
            return next(place for place in changing if place.startswith(path))
        for chain in _chains(tree):
            place = _place(path, chain[0])
            if place in changing and _taken_in(path, chain[1:], first, second):
                return place
    return ""


def uses_hashes(paths: Iterable[str]) -> bool:
    """Return whether source files name sets or hashes, whose order and values differ from process to process."""
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                nodes = list(ast.walk(ast.parse(file.read())))
        except (OSError, ValueError, SyntaxError):
            continue
        if any(
            isinstance(node, ast.Set | ast.SetComp)
            or (isinstance(node, ast.Name) and node.id in _HASHING)
            or (isinstance(node, ast.Attribute) and node.attr == "__hash__")
            for node in nodes
        ):
            return True
    return False


def _chains(tree: ast.AST) -> Iterator[tuple[ast.AST, ...]]:
    """Yield every expression with what is around it, from the inside to the statement."""

    def below(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, ...]]:
        own = (node, *around) if isinstance(node, ast.expr) else (node,)
        if isinstance(node, ast.expr):
            yield own
        for child in ast.iter_child_nodes(node):
            # Parts such as keywords and comprehensions belong to the expression that they stand in.
            part = isinstance(node, ast.expr | ast.stmt)
            yield from below(child, own if part else around)

    return below(tree, ())


def _place(path: str, node: Any) -> str:
    return f"{path}:{node.lineno}:{node.col_offset}:{type(node).__name__}"


def _taken_in(path: str, around: tuple[ast.AST, ...], first: Values, second: Values) -> bool:
    unchanged = False
    for node in around:
        if isinstance(node, ast.stmt):
            return unchanged or isinstance(node, _CONTROL)
        seen, again = first.get(_place(path, node)), second.get(_place(path, node))
        if seen is None and again is None:
            continue
        if seen != again or all(value == _NOTHING for value in seen or ()):
            return False
        unchanged = True
    return unchanged
