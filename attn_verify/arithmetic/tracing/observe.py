"""What every expression of a target gave: noted in floats and in exact numbers, so that both can be compared.

A target may compute one thing in exact numbers and another in floats although its results agree at the points that
were tried, because the difference is multiplied by zero there.  The values of its expressions show it.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import Any, TypeVar

from attn_verify.arithmetic.tracing.imports import OwnFiles, fresh_source
from attn_verify.arithmetic.tracing.observe_calls import LAZY, Noting, shown, shown_within
from attn_verify.arithmetic.tracing.run_values import structure

Leaf = Callable[[Any], "dict[str, Any] | None"]

# The name by which compiled code finds the observer, among the builtins.
NAME = "__attn_verify_observed__"
# How many values of one expression are noted, and how many entries an array may have that is.
_TIMES = 256
# Of what is no array more are.
_MANY = 16 * _TIMES
_SHORT = (int, str, type(None))
ENTRIES = 4096
_WRAPPED = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp,
    ast.NamedExpr, ast.JoinedStr,
)  # fmt: skip
# These look at the frame that calls them.
_FRAME = ("super", "locals", "globals", "vars", "dir", "eval", "exec")
# Functions in which nothing is noted that what they give may depend on.
_TEXT = "runs a text (eval, exec, compile), in which nothing is observed"
_TYPE = "chooses functions by the types of their arguments (singledispatch), which is not observed"
_UNFOLLOWED: Mapping[int, str] = dict.fromkeys(map(id, (eval, exec, compile)), _TEXT) | dict.fromkeys(
    map(id, (functools.singledispatch, functools.singledispatchmethod)), _TYPE
)
_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)
_CONTAINERS = (list, tuple, dict)
_NOTHING: Mapping[str, Any] = {"value": None}


class Observer:
    """Notes the values of expressions between ``start`` and ``stop``, by their places in the source."""

    def __init__(self, honest: Callable[[Any], Any] = lambda found: found) -> None:
        self.honest = honest
        self.values: dict[str, list[dict[str, Any]]] = {}
        self._imported: dict[str, list[dict[str, Any]]] = {}
        self.places: list[str] = []
        self.unobserved: list[tuple[str, str]] = []
        self.sets = False  # whether an expression gave a set, whose order hashes decide
        self._leaf: Leaf | None = None

    def type_of(self, kind: Any, value: Any) -> Any:
        """Return ``kind(value)``, where the target's source says ``type(value)``."""
        return self.honest(kind)(value._iterator if type(value) is Noting else value)

    def start(self, leaf: Leaf) -> None:
        """Forget what was noted, but on import, and begin; ``leaf`` describes arrays and numbers for ``structure``."""
        self.values = {place: list(seen) for place, seen in self._imported.items()}
        self._leaf = leaf

    def stop(self) -> None:
        """Note no more."""
        self._leaf = None

    def stop_import(self) -> None:
        """Note no more, and keep what was noted: it belongs to every call."""
        self._leaf = None
        self._imported = self.values

    def __call__(self, number: int, value: Any) -> Any:
        """Note the value of an expression, and return it."""
        if id(value) in _UNFOLLOWED:
            self._unfollowed(number, _UNFOLLOWED[id(value)])
        self.sets = self.sets or type(value) in (set, frozenset)
        leaf = self._leaf
        if leaf is not None:
            seen = self.values.setdefault(self.places[number], [])
            if len(seen) < (_MANY if issubclass(type(value), _SHORT) else _TIMES):
                self._leaf = None  # whatever is read below is not the target's
                try:
                    seen.append(_read(value, leaf))
                finally:
                    self._leaf = leaf
            if type(value) in LAZY:
                return Noting(self, number, value)
        return value

    def calling(self, number: int, function: Any) -> Any:
        """Return what is called, such that what it calls in turn is noted: the key of ``sorted`` and the like."""
        if id(function) in _UNFOLLOWED:
            self._unfollowed(number, _UNFOLLOWED[id(function)])
        return function if self._leaf is None else shown_within(self, number, function)

    def text(self, number: int, text: Any) -> Any:
        """Return what ``eval`` or ``exec`` is given, and take note that it is called."""
        self._unfollowed(number, _TEXT)
        return text

    def _unfollowed(self, number: int, why: str) -> None:
        found = self.places[number].rsplit(":", 2)[0], why
        if found not in self.unobserved:
            self.unobserved.append(found)

    def key(self, number: int, function: Any) -> Any:
        """Return a function that is handed over as a key, such that what it returns is noted."""
        return function if self._leaf is None else shown(self, number, function)

    def _compile(self, source: bytes, path: str) -> CodeType:
        tree = compile(source, path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
        try:
            wrapped = ast.fix_missing_locations(_Wrap(self, path).visit(tree))
            return compile(wrapped, path, "exec", dont_inherit=True)
        except RecursionError:  # expressions nested hundreds deep
            self.unobserved.append((path, "has expressions that are nested too deeply to be observed"))
            code: CodeType = compile(source, path, "exec", dont_inherit=True)
            return code

    @contextmanager
    def compiling(self, own: OwnFiles) -> Iterator[None]:
        """Compile the target's modules from their source so that their expressions are noted, and let them run."""
        setattr(builtins, NAME, self)
        try:
            with fresh_source(own, self._compile):
                yield
        finally:
            if getattr(builtins, NAME, None) is self:
                delattr(builtins, NAME)


def _read(value: Any, leaf: Leaf) -> dict[str, Any]:
    kind = type(value)
    if kind in _CONTAINERS:
        return structure(value, lambda item: _plain(item, leaf))
    return _plain(value, leaf) or structure(value, lambda _: None)


def _plain(value: Any, leaf: Leaf) -> dict[str, Any] | None:
    """Describe what is no container; nothing of the target's classes is run."""
    kind = type(value)
    if value is None or kind in (bool, int, str, float, *_CONTAINERS):
        return None
    found = leaf(value)
    if found is None and isinstance(value, int):
        return {"value": int.__index__(value)}
    if found is None and kind is complex:
        return {"tuple": [{"value": value.real}, {"value": value.imag}]}
    if found is None and kind is bytes:
        return {"value": repr(value)}
    return found or {"other": "object"}


class _Wrap(ast.NodeTransformer):
    """Wraps expressions that are read, except names that are called, annotations and patterns."""

    def __init__(self, observer: Observer, path: str) -> None:
        self._places = observer.places
        self._path = path

    def visit(self, node: ast.AST) -> Any:
        read = isinstance(node, _WRAPPED) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        line = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        inner = super().visit(node)
        if not read:
            return inner
        if isinstance(node, ast.Name) and node.id == "type":
            asked = ast.Attribute(ast.Name(NAME, ast.Load()), "honest", ast.Load())
            return ast.copy_location(ast.Call(asked, [node], []), node)
        self._places.append(f"{self._path}:{line[0]}:{line[1]}:{type(node).__name__}")
        number = ast.Constant(len(self._places) - 1)
        call = ast.Call(ast.Name(NAME, ast.Load()), [number, inner], [])
        for made in (call.func, number, call):
            ast.copy_location(made, node)
        return call

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Leave a name or an attribute that is called as it is: ``super`` and methods; ask for ``type`` honestly."""
        if isinstance(node.func, ast.Name) and node.func.id == "type" and len(node.args) == 1 and not node.keywords:
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
        if not (isinstance(node.func, ast.Name) and node.func.id in _FRAME):
            node.func = self._asked("calling", node.func)
        node.args = [self.visit(arg) for arg in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec") and node.args:
            node.args[0] = self._asked("text", node.args[0])
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
            if keyword.arg == "key":
                keyword.value = self._asked("key", keyword.value)
        return node

    def _asked(self, method: str, function: ast.expr) -> ast.expr:
        """Hand a function over to a method of the observer."""
        line = getattr(function, "lineno", 0), getattr(function, "col_offset", 0)
        self._places.append(f"{self._path}:{line[0]}:{line[1]}:{method} {type(function).__name__}")
        asked = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
        call = ast.Call(asked, [ast.Constant(len(self._places) - 1), function], [])
        return ast.copy_location(call, function)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Leave the annotation of a parameter."""
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Leave the annotation of a variable."""
        node.target = self.visit(node.target)
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
        node.args = self.visit(node.args)
        node.body = [self.visit(item) for item in node.body]
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        """Leave the pattern."""
        node.guard = node.guard and self.visit(node.guard)
        node.body = [self.visit(item) for item in node.body]
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        """Leave the format, which must stay a literal."""
        node.value = self.visit(node.value)
        return node


def difference(exact: Mapping[str, Any], real: Mapping[str, Any], near: Callable[[Any, Any], bool]) -> bool:
    """Return whether two noted values differ for certain; ``near(node, text)`` compares an exact number with a float.

    What only one side can describe is not compared.
    """
    if "other" in exact or "other" in real:
        # Something is there where the other run has nothing.
        return (exact == _NOTHING) != (real == _NOTHING)
    if "array" in exact or "array" in real:
        left, right = _array(exact), _array(real)
        if left is None or right is None:
            return True
        if left[0] != right[0]:
            return True
        return not all(near(a, b) for a, b in zip(left[1], right[1], strict=True))
    for kind in ("list", "tuple"):
        if kind in exact and kind in real:
            a, b = exact[kind], real[kind]
            return len(a) != len(b) or any(difference(x, y, near) for x, y in zip(a, b, strict=True))
    if "dict" in exact and "dict" in real:
        # Keys may hold addresses; what is found by them is a value of its own.
        a, b = list(exact["dict"].values()), list(real["dict"].values())
        return len(a) != len(b) or any(difference(x, y, near) for x, y in zip(a, b, strict=True))
    if "value" in exact and "value" in real:
        a, b = exact["value"], real["value"]
        if isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
            return not near(a, b)
        return bool(a != b)
    return True


def _array(item: Mapping[str, Any]) -> tuple[list[int], list[Any]] | None:
    """Return shape and entries of an array; a number is one without axes."""
    if "array" in item:
        array = item["array"]
        nodes = [("node", index) for index in array["nodes"]] if "nodes" in array else array["data"]
        return list(array["shape"]), list(nodes)
    value = item.get("value")
    return ([], [value]) if isinstance(value, (bool, int, float)) else None
