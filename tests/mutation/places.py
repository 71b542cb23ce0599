"""Walk the syntax tree of a source file: every place that may be mutated, with what is around it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Arguments that say how something is computed or checked, not what.
_SKIPPED_KEYWORDS = ("strict", "optimize", "maxsize")
# Statements that compute nothing: imports, and what only talks or fails.
_LOGGERS = ("log", "logger", "logging", "sys", "warnings")
_ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


@dataclass(frozen=True, eq=False)
class Place:
    """A node, where it hangs in the tree, and the nodes above it, outermost first.

    ``index`` is the position in a list of nodes, ``None`` where the field holds one node.
    """

    node: ast.AST
    field: str
    index: int | None
    above: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        """The node directly above."""
        return self.above[-1]

    @property
    def line(self) -> int:
        """The line of the node, or of the nearest node above that has one."""
        return next((n.lineno for n in (self.node, *reversed(self.above)) if hasattr(n, "lineno")), 1)

    @property
    def function(self) -> ast.FunctionDef | None:
        """The innermost function around the node."""
        return next((n for n in reversed(self.above) if isinstance(n, ast.FunctionDef)), None)

    def inside(self, kind: type[ast.AST], field: str) -> bool:
        """Whether the node is, or lies below, the given field of a node of that kind."""
        chain = (*self.above, self.node)
        for upper, lower in itertools.pairwise(chain):
            held = getattr(upper, field, None) if isinstance(upper, kind) else None
            if held is not None and (lower is held or (isinstance(held, list) and any(lower is x for x in held))):
                return True
        return False

    @contextmanager
    def replaced(self, new: ast.AST) -> Iterator[None]:
        """Put another node here for a while."""
        holder: Any = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            holder[self.index] = new
        try:
            yield
        finally:
            if self.index is None:
                setattr(self.parent, self.field, self.node)
            else:
                holder[self.index] = self.node


def places(tree: ast.Module) -> Iterator[Place]:
    """Yield every place in the order of the text, but none in docstrings, imports, annotations, messages, dead code."""
    yield from _below(tree, ())


def _below(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[Place]:
    inside = (*above, node)
    for field, value in ast.iter_fields(node):
        if (type(node), field) in _SKIPPED_FIELDS:
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or isinstance(child, _TOKENS) or _skipped(child):
                continue
            yield Place(child, field, index, inside)
            yield from _below(child, inside)
            if isinstance(child, _ENDS):
                # What stands behind it in the same block is never reached.
                break


# Parts of an expression that mean nothing alone.
_TOKENS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_SKIPPED_FIELDS = {
    (ast.Assert, "msg"),
    (ast.AnnAssign, "annotation"),
    (ast.arg, "annotation"),
    (ast.FunctionDef, "returns"),
    (ast.FunctionDef, "decorator_list"),
    (ast.ClassDef, "decorator_list"),
    (ast.ClassDef, "bases"),
    (ast.ClassDef, "keywords"),
}


def _skipped(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call(func=func)) | ast.Assign(value=ast.Call(func=func)):
            return _root(func) in _LOGGERS
        case ast.keyword(arg=name):
            return name in _SKIPPED_KEYWORDS
    return False


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
