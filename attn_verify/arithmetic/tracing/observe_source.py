"""The source of a target, rewritten such that an observer is told what its expressions give."""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from attn_verify.arithmetic.tracing.attribute_names import changes, reads
from attn_verify.arithmetic.tracing.observe_syntax import float_handlers, is_constant, pairs_by_identity, unseen

# The name by which compiled code finds the observer, among the builtins.
NAME = "__attn_verify_observed__"
_WRAPPED = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp,
    ast.NamedExpr, ast.JoinedStr, ast.Set, ast.SetComp,
)  # fmt: skip
# These look at the frame that calls them.
_FRAME = ("super", "locals", "globals", "eval", "exec")
_TABLES = ("globals", "locals", "vars", "dir")
_IMPORTED_AS = ("__name__", "__package__", "__file__", "__spec__", "__loader__", "__builtins__")
_FRAME_ALONE = ("vars", "dir")  # without arguments
_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)
# What does not depend on the order of a set: functions of it, its own methods, operators.
_ORDERLESS = ("len", "sorted", "min", "max", "any", "all", "bool", "set", "frozenset", "isinstance")
_METHODS = (
    "add", "clear", "copy", "difference", "difference_update", "discard", "intersection", "intersection_update",
    "isdisjoint", "issubset", "issuperset", "remove", "symmetric_difference", "symmetric_difference_update", "union",
    "update",
)  # fmt: skip


@dataclass
class Places:
    """The expressions of a target by their numbers, and what is to be known of some."""

    names: dict[int, str] = field(default_factory=dict)  # file:line:column:kind
    ordered: set[int] = field(default_factory=set)  # where the order of a set may matter
    private: dict[int, str] = field(default_factory=dict)  # what speaks against an attribute that is read
    inner: dict[int, str] = field(default_factory=dict)  # a name with an underscore that is read from what is given
    spread: set[int] = field(default_factory=set)  # calls with arguments that no expression shows: ``*`` and ``**``
    decorators: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)  # what is asked for a name by a function
    left_of: dict[int, int | None] = field(default_factory=dict)  # what ``is`` compares it with: itself on the left
    objections: list[tuple[str, str]] = field(default_factory=list)  # file:line, and why
    handlers: list[tuple[str, str, str]] = field(default_factory=list)  # of errors of floats: try, handler, errors

    def add(self, others: Places) -> None:
        """Take over the expressions of a further file."""
        for name, known in vars(self).items():
            more = getattr(others, name)
            known.extend(more) if isinstance(known, list) else known.update(more)

    def unhandled(self, lines: Container[str]) -> Iterator[tuple[str, str]]:
        """Yield the handlers of errors of floats that did not run though their ``try`` did, and which errors."""
        for tried, handled, names in dict.fromkeys(self.handlers):
            if tried in lines and handled not in lines:
                yield handled, names


class Wrap(ast.NodeTransformer):
    """Wraps expressions that are read, except names that are called, annotations and patterns."""

    def __init__(self, places: Places, path: str, first: int = 0) -> None:
        self._places = places
        self._next = first  # the number of the next expression
        self._path = path
        self._orderless: set[int] = set()
        self._decorators: set[int] = set()
        self._texts = False  # whether annotations are texts

    def module(self, tree: ast.Module) -> ast.Module:
        """Return the tree of a module with every expression handed to the observer."""
        self._orderless = {id(node) for node in _orderless(tree)}
        self._decorators = {
            id(decorator)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            for decorator in node.decorator_list
        }
        self._texts = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and "annotations" in [name.name for name in node.names]
            for node in tree.body
        )
        for place, why in unseen(tree):
            self._object(place, why)
        self._places.handlers += [
            (f"{self._path}:{tried}", f"{self._path}:{handled}", names)
            for tried, handled, names in float_handlers(tree)
        ]
        found: ast.Module = self.visit(tree)
        return ast.fix_missing_locations(found)

    def visit(self, node: ast.AST) -> Any:
        """Wrap what is read; take note of attributes that are written."""
        if is_constant(node):
            return node  # of which the compiler makes one object
        read = isinstance(node, _WRAPPED) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        line = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        orderless = id(node) in self._orderless
        inner: Any = super().visit(node)
        for left, right in pairs_by_identity(inner) if isinstance(inner, ast.Compare) else ():
            numbers = [number for number in (_number(left), _number(right)) if number is not None]
            for number in numbers[:-1]:
                self._places.left_of.setdefault(number, number)
            for number in numbers[-1:]:
                self._places.left_of[number] = numbers[0] if len(numbers) > 1 else None
        if not read:
            self._written(node)
            return inner
        if isinstance(node, ast.Name) and node.id == "type":
            asked = ast.Attribute(ast.Name(NAME, ast.Load()), "honest", ast.Load())
            return ast.copy_location(ast.Call(asked, [node], []), node)
        call = self._told(inner, None, f"{line[0]}:{line[1]}:{type(node).__name__}")
        number = self._next - 1
        if not orderless:
            self._places.ordered.add(number)
        if id(node) in self._decorators:
            self._places.decorators.add(number)
        self._names(node, number)
        for made in (call, call.func, call.args[0]):
            ast.copy_location(made, node)
        return call

    def _told(self, inner: ast.expr, method: str | None, place: str) -> ast.Call:
        """Return a call of the observer, or of a method of it, with the number of a new place."""
        self._places.names[self._next] = f"{self._path}:{place}"
        self._next += 1
        asked: ast.expr = ast.Name(NAME, ast.Load())
        if method is not None:
            asked = ast.Attribute(asked, method, ast.Load())
        return ast.Call(asked, [ast.Constant(self._next - 1), inner], [])

    def _names(self, node: ast.AST, number: int) -> None:
        """Take note of names that show how objects are made, and of those that a module keeps for itself."""
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if why := reads(name):
            self._places.private[number] = why
        if isinstance(node, ast.Name) and name in _IMPORTED_AS:
            self._places.private[number] = f"reads {name}, which depends on how it is imported"
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in _TABLES and not getattr(node, "args", ()):
            self._places.private[number] = f"reads all names that there are by {called}()"
        told = _number(node.value) if isinstance(node, ast.Attribute) and name.startswith("_") else None
        if told is not None:
            self._places.inner[told] = name

    def _written(self, node: ast.AST) -> None:
        if isinstance(node, ast.Attribute) and (why := changes(node.attr)):
            self._object(node, why)

    def _object(self, node: ast.AST, why: str) -> None:
        self._places.objections.append((f"{self._path}:{getattr(node, 'lineno', 0)}", why))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """Take note of names that a module of the library keeps for itself."""
        library = not node.level and str(node.module).partition(".")[0] in sys.stdlib_module_names
        for name in node.names:
            if library and name.name.startswith("_") and not name.name.startswith("__"):
                self._object(node, f"imports {node.module}.{name.name}, which is internal there")
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Leave a name or an attribute that is called as it is: ``super`` and methods; ask for ``type`` honestly."""
        made = isinstance(node.func, ast.Name) and node.func.id == "type" and not node.keywords
        starred = any(isinstance(arg, ast.Starred) for arg in node.args)
        if made and len(node.args) == 1 and not starred:
            asked = ast.Attribute(ast.Name(NAME, ast.Load()), "type_of", ast.Load())
            call = ast.Call(asked, [node.func, self.visit(node.args[0])], [])
            return ast.copy_location(call, node)
        if isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            known = [arg for arg in node.args if isinstance(arg, ast.Name) and arg.id == "type"]
            node.args = [arg if arg in known else self.visit(arg) for arg in node.args]
            return node
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)
        here = isinstance(node.func, ast.Name) and (
            node.func.id in _FRAME or (node.func.id in _FRAME_ALONE and not node.args and not node.keywords)
        )
        if not here and not (made and len(node.args) == 3 and not starred):  # which makes a new class
            node.func = self._asked("calling", node.func)
            if starred or any(keyword.arg is None for keyword in node.keywords):
                self._places.spread.add(self._next - 1)
        by_name = isinstance(node.func, ast.Call) and _named(node.func) in ("getattr", "hasattr", "vars", "dir")
        node.args = [self.visit(arg) for arg in node.args]
        if by_name and node.args and (number := _number(node.args[0])) is not None:
            self._places.asked.add(number)
        if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec") and node.args:
            node.args[0] = self._asked("text", node.args[0])
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node

    def _asked(self, method: str, function: ast.expr) -> ast.expr:
        """Hand a function over to a method of the observer."""
        line = getattr(function, "lineno", 0), getattr(function, "col_offset", 0)
        call = self._told(function, method, f"{line[0]}:{line[1]}:{method} {type(function).__name__}")
        self._names(function, self._next - 1)
        return ast.copy_location(call, function)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Leave the annotation of a parameter, unless it calls something."""
        node.annotation = self._annotation(node.annotation)
        return node

    def _annotation(self, node: ast.expr | None) -> Any:
        if node is None or self._texts or not any(isinstance(part, ast.Call) for part in ast.walk(node)):
            return node
        return self.visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Leave the annotation of a variable, unless it calls something."""
        node.target, node.annotation = self.visit(node.target), self._annotation(node.annotation)
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Leave ``type`` as a base."""
        bases = [base for base in node.bases if isinstance(base, ast.Name) and base.id == "type"]
        node.bases, kept = [base for base in node.bases if base not in bases], list(node.bases)
        self.generic_visit(node)
        visited = iter(node.bases)
        node.bases = [base if base in bases else next(visited) for base in kept]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leave the annotation of what is returned."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Leave the annotation of what is returned."""
        return self._function(node)

    def _function(self, node: _Function) -> _Function:
        node.decorator_list = [self.visit(item) for item in node.decorator_list]
        node.args, node.returns = self.visit(node.args), self._annotation(node.returns)
        node.body = [self.visit(item) for item in node.body]
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        """Leave the pattern; take note of the attributes that it reads."""
        for part in ast.walk(node.pattern):
            for name in part.kwd_attrs if isinstance(part, ast.MatchClass) else ():
                if why := reads(name):
                    self._object(part, why)
        node.guard = node.guard and self.visit(node.guard)
        node.body = [self.visit(item) for item in node.body]
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        """Leave the format, which must stay a literal, but for the values in it."""
        node.value = self.visit(node.value)
        for part in node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else ():
            if isinstance(part, ast.FormattedValue):
                self.visit_FormattedValue(part)
        return node


def _named(call: ast.Call) -> str:
    """Return the name of a function that was handed to the observer."""
    function = call.args[1] if len(call.args) == 2 else None
    return function.id if isinstance(function, ast.Name) else ""


def _number(node: ast.expr) -> int | None:
    """Return the number of an expression that was handed to the observer."""
    told = node.args[0] if isinstance(node, ast.Call) and node.args else None
    return told.value if isinstance(told, ast.Constant) and type(told.value) is int else None


def _orderless(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions that stand where the order of a set does not matter, or where what is around is asked."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _ORDERLESS:
                yield from args
            case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
                yield from (left, right)
            case ast.Attribute(value=value, attr=name) if name in _METHODS:
                yield value
            case ast.Assign(targets=targets, value=value):
                if all(isinstance(target, ast.Name) for target in targets):
                    yield value
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value) | ast.NamedExpr(value=value):
                yield value
            case ast.AugAssign(target=ast.Name(), value=value):
                yield value
            case ast.Return(value=ast.expr() as value) | ast.Expr(value=value):
                yield value
            case ast.IfExp(test=test, body=body, orelse=other):
                yield from (test, body, other)
            case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
                yield test
            case ast.BoolOp(values=values):
                yield from values
            case ast.UnaryOp(operand=value, op=ast.Not()):
                yield value
