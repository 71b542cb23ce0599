"""Mutators: each takes a place in a syntax tree and yields what could stand there instead, one mistake each.

Those of general code are here, those of array code in ``array_mutators``; ``MUTATORS`` is the table of all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

import array_mutators as arrays
from places import Place
from syntax import called, number, value_of, whole

Mutator = Callable[[Place], Iterator[ast.AST]]

_ARITHMETIC: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult, ast.Sub),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,), ast.MatMult: (ast.Mult,),
}  # fmt: skip
_COMPARISON: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
# Operations whose operands may change places without a difference.
_COMMUTE = ("maximum", "minimum", "max", "min", "logaddexp", "multiply", "add", "isinstance", "range", "zip")
# Names of parameters that are taken for one another; weights are those that begin with w.
_ROLES = ("q", "k", "v", "query", "key", "value", "x", "x_kv", "do", "a", "b", "c")


def arithmetic(place: Place) -> Iterator[ast.AST]:
    """``a + b → a - b``, ``a *= b → a /= b``, ``-a → a``."""
    match place.node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in _ARITHMETIC.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
        case ast.AugAssign(target=target, op=op, value=value) as node:
            for other in _ARITHMETIC.get(type(op), ()):
                yield ast.copy_location(ast.AugAssign(target, other(), value), node)
            load = ast.Name(target.id) if isinstance(target, ast.Name) else target
            yield ast.copy_location(ast.Assign([load], value), node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield operand


def comparison(place: Place) -> Iterator[ast.AST]:
    """``a < b → a <= b``, ``a > b``."""
    match place.node:
        case ast.Compare(left=left, ops=[op], comparators=right):
            for other in _COMPARISON.get(type(op), ()):
                yield ast.Compare(left, [other()], right)


def boolean(place: Place) -> Iterator[ast.AST]:
    """``a and b → a or b``, ``a & b → a | b``; one of the two alone; a condition that always or never holds."""
    match place.node:
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from values
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
            yield ast.BinOp(left, ast.BitOr() if isinstance(op, ast.BitAnd) else ast.BitAnd(), right)
            yield left
            yield right
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
    if place.field == "test" and isinstance(place.parent, (ast.If, ast.IfExp)):
        yield ast.Constant(True)
        yield ast.Constant(False)


def constant(place: Place) -> Iterator[ast.AST]:
    """``c → c + 1``, ``c - 1``, ``0``, ``2 c``, ``-c``; for floats also the last digits."""
    value = value_of(place.node)
    # A number with its sign is one number.
    if value is None or isinstance(getattr(place.parent, "op", None), ast.USub) or place.inside(ast.Subscript, "slice"):
        return
    if any(isinstance(n, ast.keyword) and n.arg in ("axis", "axes") for n in place.above):
        return
    for other in (value + 1, value - 1, type(value)(0), 2 * value, -value):
        yield number(other)
    if isinstance(value, float) and value != 0:
        for other in (value * (1 + 1e-6), value * (1 + 1e-10), float(f"{value:.7g}"), float(f"{value:.4g}")):
            yield number(other)


def dropped_term(place: Place) -> Iterator[ast.AST]:
    """``a + b → a`` or ``b``, ``a - b → a``, ``a / b → a``, ``a ** b → a``."""
    match place.node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
            yield left
            yield right
        case ast.BinOp(left=left, op=ast.Sub() | ast.Div() | ast.Pow() | ast.Mod() | ast.FloorDiv()):
            yield left


def dropped_call(place: Place) -> Iterator[ast.AST]:
    """A function left out: ``f(a) → a``, ``a.copy() → a``, ``maximum(a, b) → a`` or ``b``, ``where(c, a, b) → a``."""
    node = place.node
    if not isinstance(node, ast.Call) or not isinstance(place.parent, (ast.expr, ast.stmt, ast.keyword)):
        return
    name = called(node)
    if name in ("copy", "astype") and isinstance(node.func, ast.Attribute):
        yield node.func.value
    elif name in ("maximum", "minimum", "where", "max", "min", "logaddexp") and len(node.args) > 1:
        yield from node.args[-2:]
    elif name in ("exp", "exp2", "sqrt", "log", "log2", "asarray", "abs", "reciprocal", "float", "softmax"):
        yield node.args[0]


def dropped_statement(place: Place) -> Iterator[ast.AST]:
    """An update, a call made for its effect, or an assignment to what has a value already is left out."""
    node = place.node
    match node:
        case ast.AugAssign() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript()]):
            yield ast.Pass()
        case ast.Assign(targets=[target]) if place.function is not None:
            names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
            if names and names <= _bound_before(place.function, node):
                yield ast.Pass()


def _bound_before(function: ast.FunctionDef, statement: ast.Assign) -> set[str]:
    names = {argument.arg for argument in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.lineno < statement.lineno:
            names.add(node.id)
    return names


def swapped_operands(place: Place) -> Iterator[ast.AST]:
    """``a - b → b - a``, ``A @ B → B @ A``, ``a / b → b / a``."""
    match place.node:
        case ast.BinOp(left=left, op=ast.Sub() | ast.Div() | ast.MatMult() | ast.FloorDiv() as op, right=right):
            yield ast.BinOp(right, op, left)


def swapped_arguments(place: Place) -> Iterator[ast.AST]:
    """Neighbours change places among positional arguments, and among the members of a returned tuple."""
    match place.node:
        case ast.Call(func=func, args=args, keywords=keywords) as node if called(node) not in _COMMUTE:
            for order in _neighbours(args):
                yield ast.Call(func, order, keywords)
        case ast.Tuple(elts=elements) if place.field == "value" and isinstance(place.parent, (ast.Return, ast.Assign)):
            for order in _neighbours(elements):
                yield ast.Tuple(order, ast.Load())


def _neighbours(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for i in range(len(items) - 1):
        pair = items[i : i + 2]
        # A string says how the others are meant, a function is called with them.
        if not any(isinstance(x, (ast.Starred, ast.Slice)) or isinstance(getattr(x, "value", 0), str) for x in pair):
            yield [*items[:i], *reversed(pair), *items[i + 2 :]]


def other_role(place: Place) -> Iterator[ast.AST]:
    """``Q → K``, ``K → V``: a parameter of the function is taken for the next or the one before."""
    node, function = place.node, place.function
    if function is None or not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    names = [a.arg for a in function.args.args if a.arg.lower() in _ROLES or a.arg.lower().startswith("w")]
    # Weights are only taken for weights.
    alike = [name for name in names if name.lower().startswith("w") == node.id.lower().startswith("w")]
    if node.id in alike and len(alike) > 1:
        at = alike.index(node.id)
        for other in dict.fromkeys((alike[(at + 1) % len(alike)], alike[at - 1])):
            yield ast.Name(other, ast.Load())


def in_place(place: Place) -> Iterator[ast.AST]:
    """``a = a op b → a op= b``, which changes the array of whoever else holds it."""
    match place.node:
        case ast.Assign(targets=[ast.Name() as target], value=ast.BinOp(left=ast.Name() as left) as value) as node:
            if target.id == left.id:
                yield ast.copy_location(ast.AugAssign(target, value.op, value.right), node)


def loop_range(place: Place) -> Iterator[ast.AST]:
    """``range(n) → range(n - 1)``, ``range(1, n)``; a start moved by one, a step dropped; ``for x in a[:-1]``."""
    node = place.node
    if isinstance(node, ast.Call) and called(node) == "range":
        args = node.args
        stop = 0 if len(args) == 1 else 1
        yield ast.Call(node.func, [*args[:stop], whole(args[stop], -1), *args[stop + 1 :]], [])
        if len(args) == 1:
            yield ast.Call(node.func, [number(1), *args], [])
        else:
            yield ast.Call(node.func, [whole(args[0], 1), *args[1:]], [])
            yield ast.Call(node.func, args[1:2], [])
    elif place.field == "iter" and isinstance(node, ast.Name):
        yield ast.Subscript(node, ast.Slice(None, number(-1)), ast.Load())
        yield ast.Subscript(node, ast.Slice(number(1)), ast.Load())


MUTATORS: Mapping[str, Mutator] = {
    "arithmetic": arithmetic,
    "axis": arrays.axis,
    "boolean": boolean,
    "broadcast": arrays.broadcast,
    "buffer_dtype": arrays.buffer_dtype,
    "cast": arrays.cast,
    "comparison": comparison,
    "constant": constant,
    "dropped_call": dropped_call,
    "dropped_statement": dropped_statement,
    "dropped_term": dropped_term,
    "einsum": arrays.einsum,
    "fill": arrays.fill,
    "function": arrays.function,
    "in_place": in_place,
    "index": arrays.index,
    "initial": arrays.initial,
    "keepdims": arrays.keepdims,
    "other_role": other_role,
    "polarity": arrays.polarity,
    "range": loop_range,
    "slice": arrays.slices,
    "swapped_arguments": swapped_arguments,
    "swapped_operands": swapped_operands,
    "transpose": arrays.transpose,
}
