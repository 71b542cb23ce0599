"""What the source of a target shows by itself: code that runs unseen, numbers compared by identity."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Methods that Python, or an observer, calls where no expression of the target shows it.
_UNSEEN = {
    "__del__": "which runs when nothing refers to an object any more",
    "__class__": "by which an object answers for another class",
    "__getattribute__": "which runs whenever somebody looks at an object",
    "__prepare__": "which sees the names that the body of a class looks up",
}
_CLEANS = "cleans up after a yield, which may run when the generator is no longer referred to"
# Errors, and warnings made errors, that floats raise where exact numbers have a value; and what contains them.
_OF_FLOATS = frozenset({
    "OverflowError", "FloatingPointError", "ZeroDivisionError", "ArithmeticError", "RuntimeWarning", "Warning",
    "Exception", "BaseException",
})  # fmt: skip
_Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def unseen(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield the places of code that runs at a moment of Python's choice: another one where it is observed.

    >>> [why for _, why in unseen(ast.parse("class C:\\n    def __del__(self): pass"))]
    ['defines __del__, which runs when nothing refers to an object any more']
    """
    for node in ast.walk(tree):
        name = node.name if isinstance(node, ast.FunctionDef) else node.value if isinstance(node, ast.Constant) else ""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        if isinstance(name, str) and name in _UNSEEN:
            yield node, f"defines {name}, {_UNSEEN[name]}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(_left(item) for item in _own(node)):
            managed = any(map(_manages, node.decorator_list)) and _only_entered(tree, node.name)
            if not managed:
                yield node, _CLEANS


def float_handlers(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Yield what handles errors that floats may raise: the lines of the ``try`` and of the handler, and which errors.

    >>> list(float_handlers(ast.parse("try:\\n    f()\\nexcept OverflowError:\\n    g()")))
    [(2, 4, 'OverflowError')]
    """
    for node in (part for part in ast.walk(tree) if isinstance(part, ast.Try)):
        for handler in node.handlers:
            kind = handler.type
            names = [part.id for part in ast.walk(kind) if isinstance(part, ast.Name)] if kind else ["BaseException"]
            known = [name for name in names if name in _OF_FLOATS]
            if known:
                yield node.body[0].lineno, handler.body[0].lineno, ", ".join(known)


def _manages(decorator: ast.expr) -> bool:
    """Return whether a generator is made a context manager, which runs it to its end."""
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in ("contextmanager", "asynccontextmanager")


def _only_entered(tree: ast.AST, name: str) -> bool:
    """Return whether every context manager that a function makes is entered by ``with``, or decorates."""
    entered: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            entered |= {id(item.context_expr.func) for item in node.items if isinstance(item.context_expr, ast.Call)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            entered |= {id(item.func) for item in node.decorator_list if isinstance(item, ast.Call)}
    return all(
        id(node) in entered or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        for node in ast.walk(tree)
        if (node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else "") == name
    )


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what belongs to a function, and not to one inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _Functions):
            yield child
            yield from _own(child)


def _left(node: ast.AST) -> bool:
    """Return whether a statement does something when it is left at a ``yield`` inside it."""
    if isinstance(node, ast.Try):
        cleans = bool(node.finalbody) or any(_catches_exit(handler.type) for handler in node.handlers)
        inside: list[ast.stmt] = [*node.body, *(node.orelse if node.finalbody else [])]
        inside += [item for handler in node.handlers if node.finalbody for item in handler.body]
    elif isinstance(node, ast.With):
        cleans, inside = True, node.body
    else:
        return False
    return cleans and any(
        isinstance(part, ast.Yield | ast.YieldFrom | ast.Await) for item in inside for part in (item, *_own(item))
    )


def _catches_exit(kind: ast.expr | None) -> bool:
    names = (
        {part.id for part in ast.walk(kind) if isinstance(part, ast.Name)} if kind is not None else {"BaseException"}
    )
    return not names.isdisjoint({"BaseException", "GeneratorExit"})


def is_constant(node: ast.AST) -> bool:
    """Return whether an expression is made of numbers alone, which the compiler may compute.

    >>> [is_constant(ast.parse(text, mode="eval").body) for text in ("(1e999 - 1e999) * 1", "{1, 2}", "{'a'}", "x + 1")]
    [True, True, False, False]
    """
    match node:
        case ast.Constant(value=value):
            return not isinstance(value, str | bytes)
        case ast.BinOp(left=left, right=right):
            return is_constant(left) and is_constant(right)
        case ast.UnaryOp(operand=operand):
            return is_constant(operand)
        case ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(map(is_constant, items))
    return False


def pairs_by_identity(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the operands that ``is`` and ``is not`` compare, but for those beside ``None``, a truth or ``...``."""
    operands = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        if isinstance(operator, ast.Is | ast.IsNot) and not (_single(left) or _single(right)):
            yield left, right


def _single(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (type(None), bool, type(...))
