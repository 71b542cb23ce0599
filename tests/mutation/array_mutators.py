"""Mutators of array code: axes, indices, masks, casts, functions of NumPy; see ``mutators`` for their table."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from places import Place
from syntax import attribute, called, is_infinity, number, value_of, whole

_MASKS = ("mask", "allowed", "visible", "keep", "future", "same_head", "safe")
_REDUCTIONS = ("max", "min", "sum", "mean", "prod", "any", "all", "amax", "cumsum", "reduce", "accumulate")
_SOURCES = ("zeros", "ones", "full", "empty", "zeros_like", "ones_like", "empty_like")
_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "exp": ("exp2", "expm1"), "exp2": ("exp",), "log": ("log2", "log1p"), "log2": ("log",), "sqrt": ("square", "cbrt"),
    "max": ("min", "mean"), "min": ("max",), "amax": ("amin",), "sum": ("mean", "max"), "mean": ("sum", "max"),
    "prod": ("sum",), "maximum": ("minimum", "add"), "minimum": ("maximum",), "tril": ("triu",), "triu": ("tril",),
    "zeros": ("ones", "empty"), "ones": ("zeros",), "zeros_like": ("ones_like", "empty_like"),
    "ones_like": ("zeros_like",), "cumsum": ("cumprod",), "softmax": ("log_softmax",), "log_softmax": ("softmax",),
    "logaddexp": ("logaddexp2", "maximum"), "isfinite": ("isnan",), "isinf": ("isnan",), "cos": ("sin",),
    "sin": ("cos",), "tanh": ("sin",), "outer": ("multiply",), "reciprocal": ("negative",),
    "true_divide": ("multiply",), "divide": ("multiply",), "hstack": ("vstack",), "vstack": ("hstack",),
    "column_stack": ("vstack",), "concatenate": ("stack",), "stack": ("concatenate",),
    "nonzero": ("where",), "logsumexp": ("max",),
}  # fmt: skip
_BUILTINS: Mapping[str, tuple[str, ...]] = {"sum": ("max", "len"), "max": ("min", "sum"), "min": ("max",)}
# Calls and products whose value is an array of numbers, so that a cast can be put behind them.
_NUMERIC = (
    "exp", "exp2", "log", "einsum", "matmul", "dot", "inner", "tensordot", "softmax", "log_softmax", "where", "max",
    "sum", "maximum", "outer", "prod", "logaddexp", "tanh", "diag", "concatenate", "hstack", "stack",
)  # fmt: skip


def is_mask(name: str) -> bool:
    """Whether a name is one that masks have."""
    return name.lower() in _MASKS or name.lower().endswith("mask")


def axis(place: Place) -> Iterator[ast.AST]:
    """``axis=1 → axis=0``, ``-1``, ``-2``, ``None``; positional axes of reductions and of transpositions likewise."""
    match place.node:
        case ast.keyword(arg="axis" | "axes" as name, value=value):
            for other in _other_axes(value):
                yield ast.keyword(name, other)
        case ast.Call(func=ast.Attribute(value=owner), args=args, keywords=keywords) as node:
            library = ast.unparse(owner) in ("np", "np.add", "np.maximum", "special")
            first = 1 if library else 0
            if called(node) in _REDUCTIONS and len(args) == first + 1:
                for other in _other_axes(args[first]):
                    yield ast.Call(node.func, [*args[:first], other], keywords)
            elif called(node) in ("swapaxes", "transpose", "moveaxis"):
                for at in range(first, len(args) - 1):
                    yield ast.Call(node.func, [*args[:at], args[at + 1], args[at], *args[at + 2 :]], keywords)
                for at in range(first, len(args)):
                    if value_of(args[at]) is not None:
                        yield ast.Call(node.func, [*args[:at], whole(args[at], -1), *args[at + 1 :]], keywords)


def _other_axes(node: ast.expr) -> Iterator[ast.expr]:
    given = value_of(node)
    if given is not None or ast.unparse(node) == "None":
        yield from (number(axis) for axis in (0, 1, -1, -2) if axis != given)
        if given is not None:
            yield ast.Constant(None)


def keepdims(place: Place) -> Iterator[ast.AST]:
    """``keepdims=True → keepdims=False``."""
    match place.node:
        case ast.keyword(arg="keepdims", value=ast.Constant(value=bool() as kept)):
            yield ast.keyword("keepdims", ast.Constant(not kept))


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _indexed(node: ast.Subscript, parts: list[ast.expr]) -> ast.Subscript:
    return ast.Subscript(node.value, parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load()), node.ctx)


def _with(node: ast.Subscript, at: int, part: ast.expr) -> ast.Subscript:
    parts = _parts(node)
    return _indexed(node, [*parts[:at], part, *parts[at + 1 :]])


def index(place: Place) -> Iterator[ast.AST]:
    """``a[i] → a[i + 1]``, ``a[i - 1]``; ``shape[1] → shape[0]``."""
    node = place.node
    if not isinstance(node, ast.Subscript):
        return
    for at, part in enumerate(_parts(node)):
        plain = isinstance(part, (ast.Name, ast.BinOp)) or value_of(part) is not None
        if plain and not _is_boolean(part):
            for step in (-1, 1):
                yield _with(node, at, whole(part, step))


def slices(place: Place) -> Iterator[ast.AST]:
    """``a[i:j] → a[i + 1:j]``, ``a[i:j - 1]``, ``a[i:]``, ``a[:j]``; a step dropped or turned round."""
    node = place.node
    if not isinstance(node, ast.Subscript):
        return
    for at, part in enumerate(_parts(node)):
        if not isinstance(part, ast.Slice):
            continue
        lower, upper, step = part.lower, part.upper, part.step
        found = [ast.Slice(number(1) if lower is None else whole(lower, 1), upper, step)]
        found.append(ast.Slice(lower, number(-1) if upper is None else whole(upper, -1), step))
        if upper is not None:
            found += [ast.Slice(lower, whole(upper, 1), step), ast.Slice(lower, None, step)]
        if lower is not None:
            found += [ast.Slice(whole(lower, -1), upper, step), ast.Slice(None, upper, step)]
        if step is not None:
            known = value_of(step)
            found += [ast.Slice(lower, upper, None), ast.Slice(lower, upper, number(-known) if known else step)]
        for new in found:
            yield _with(node, at, new)


def broadcast(place: Place) -> Iterator[ast.AST]:
    """``a[:, None] → a[None, :]``, ``a[:, None] → a``; ``reshape(-1, 1) → reshape(1, -1)``."""
    match place.node:
        case ast.Subscript(value=value) as node:
            parts = _parts(node)
            for at, part in enumerate(parts):
                if ast.unparse(part) not in ("None", "np.newaxis"):
                    continue
                rest = [*parts[:at], *parts[at + 1 :]]
                for to in range(len(parts)):
                    if to != at:
                        yield _indexed(node, [*rest[:to], part, *rest[to:]])
                yield _indexed(node, rest) if rest else value
        case ast.Call(func=ast.Attribute(attr="reshape"), args=[*args]) as node if len(args) == 2:
            yield ast.Call(node.func, args[::-1], node.keywords)


def transpose(place: Place) -> Iterator[ast.AST]:
    """``A.T → A``, ``A.swapaxes(-1, -2) → A``, ``np.transpose(A) → A``."""
    match place.node:
        case ast.Attribute(value=value, attr="T" | "mT"):
            yield value
        case ast.Call(func=ast.Attribute(value=owner, attr="swapaxes" | "transpose" | "moveaxis"), args=args):
            yield args[0] if ast.unparse(owner) == "np" else owner


def function(place: Place) -> Iterator[ast.AST]:
    """``exp → exp2``, ``max → min``, ``sum → mean``, ``zeros → empty``, ``tril → triu`` and others."""
    node = place.node
    if place.field != "func" or not isinstance(place.parent, ast.Call):
        if isinstance(node, ast.Attribute) and node.attr in ("min", "eps") and "finfo" in ast.unparse(node.value):
            yield ast.Attribute(node.value, "max", ast.Load())
        return
    if isinstance(node, ast.Attribute):
        if node.attr in ("reduce", "accumulate") and isinstance(node.value, ast.Attribute):
            for other in {"add": ("multiply",), "maximum": ("minimum",)}.get(node.value.attr, ()):
                yield ast.Attribute(ast.Attribute(node.value.value, other, ast.Load()), node.attr, ast.Load())
        for other in _FUNCTIONS.get(node.attr, ()):
            yield ast.Attribute(node.value, other, ast.Load())
    elif isinstance(node, ast.Name):
        for other in _BUILTINS.get(node.id, ()):
            yield ast.Name(other, ast.Load())


def einsum(place: Place) -> Iterator[ast.AST]:
    """``"id,jd->ij" → "id,jd->ji"``, ``"jd,id->ij"``."""
    match place.parent, place.node:
        case ast.Call() as node, ast.Constant(value=str(text)) if called(node) == "einsum" and "->" in text:
            operands, _, result = text.partition("->")
            terms = operands.split(",")
            for i in range(len(result) - 1):
                turned = result[:i] + result[i + 1] + result[i] + result[i + 2 :]
                yield ast.Constant(f"{operands}->{turned}")
            for i in range(len(terms) - 1):
                order = [*terms[:i], terms[i + 1], terms[i], *terms[i + 2 :]]
                yield ast.Constant(f"{','.join(order)}->{result}")
            for i, term in enumerate(terms):
                if len(term) > 1:
                    order = [*terms[:i], term[:-2] + term[-1] + term[-2], *terms[i + 1 :]]
                    yield ast.Constant(f"{','.join(order)}->{result}")


def polarity(place: Place) -> Iterator[ast.AST]:
    """``mask → ~mask`` and ``~mask → mask``, wherever a mask is used."""
    node = place.node
    match node:
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            yield operand
        case ast.Name(id=name, ctx=ast.Load()) if is_mask(name) and not isinstance(place.parent, ast.Compare):
            shaped = isinstance(place.parent, ast.Attribute) and place.parent.attr in ("shape", "ndim")
            inverted = isinstance(place.parent, ast.UnaryOp)
            if not shaped and not inverted:
                yield ast.UnaryOp(ast.Invert(), node)
        case ast.Compare() if _is_condition(place):
            yield ast.UnaryOp(ast.Invert(), node)


def _is_condition(place: Place) -> bool:
    first = place.field == "args" and place.index == 0
    return (first and isinstance(place.parent, ast.Call) and called(place.parent) == "where") or (
        place.field == "slice" and isinstance(place.parent, ast.Subscript)
    )


def _is_boolean(node: ast.expr) -> bool:
    return any(
        isinstance(n, (ast.Compare, ast.Invert)) or (isinstance(n, ast.Name) and is_mask(n.id)) for n in ast.walk(node)
    )


def fill(place: Place) -> Iterator[ast.AST]:
    """What stands for minus infinity: ``-inf → -1e4``, ``-1e9``, ``0``, ``inf``; ``-1e9 → 1e-9``, ``-1e4``, ``-30``."""
    node = place.node
    if not isinstance(node, ast.expr):
        return
    value = value_of(node)
    if is_infinity(node) and not _starts(place):
        yield from (number(-1e4), number(-1e9), number(0.0), attribute("np.inf"))
    elif value is not None and value <= -1e3 and isinstance(node, ast.UnaryOp):
        yield from (number(1e-9), number(-1e4), number(-30.0), number(-value))
    elif ast.unparse(node).endswith(".min") and "finfo" in ast.unparse(node):
        yield from (number(-1e4), number(-1e9), number(0.0), ast.BinOp(node, ast.Div(), number(1e300)))


def initial(place: Place) -> Iterator[ast.AST]:
    """Where a running maximum begins: ``-inf → 0``, ``-1``, ``-1e9``."""
    if isinstance(place.node, ast.expr) and is_infinity(place.node) and _starts(place):
        yield from (number(0.0), number(-1.0), number(-1e9))


def _starts(place: Place) -> bool:
    """Whether the value begins a running maximum, rather than filling masked scores."""
    parent = place.parent
    if isinstance(parent, ast.keyword):
        return parent.arg == "initial"
    if isinstance(parent, ast.Call):
        return called(parent) == "full"
    return isinstance(parent, (ast.Assign, ast.Tuple)) and not any(
        isinstance(n, ast.Assign) and any(isinstance(t, ast.Subscript) for t in n.targets) for n in place.above
    )


def cast(place: Place) -> Iterator[ast.AST]:
    """``E = f(x) → E = f(x).astype(np.float32)``, or float16: a step in lower precision."""
    node = place.node
    assigned = place.field == "value" and isinstance(place.parent, (ast.Assign, ast.AugAssign, ast.Return))
    inner = isinstance(node, ast.Call) and called(node) in ("exp", "exp2", "sum", "max", "log")
    if isinstance(node, ast.expr) and (assigned or inner) and _is_array(node):
        for lower in ("np.float32", "np.float16"):
            yield ast.Call(ast.Attribute(node, "astype", ast.Load()), [attribute(lower)], [])


def _is_array(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return isinstance(op, ast.MatMult) or _is_array(left) or _is_array(right)
        case ast.Call():
            # A sum by Python's own function may be one of whole numbers.
            return called(node) in _NUMERIC and isinstance(node.func, ast.Attribute)
    return False


def buffer_dtype(place: Place) -> Iterator[ast.AST]:
    """``np.zeros(shape) → np.zeros(shape, dtype=np.float32)``, or float16; ``astype(float) → astype(np.float32)``."""
    match place.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np")), keywords=keywords) as node:
            if called(node) in _SOURCES and not any(word.arg == "dtype" for word in keywords):
                for lower in ("np.float32", "np.float16"):
                    yield ast.Call(node.func, node.args, [*keywords, ast.keyword("dtype", attribute(lower))])
        case ast.keyword(arg="dtype", value=value) if ast.unparse(value) != "bool":
            for lower in ("np.float32", "np.float16"):
                yield ast.keyword("dtype", attribute(lower))
        case ast.Call(func=ast.Attribute(attr="astype"), args=[ast.expr() as value]) as node:
            if ast.unparse(value) != "bool":
                yield ast.Call(node.func, [attribute("np.float32")], node.keywords)
        case ast.Attribute(value=ast.Name(id="np"), attr="float64"):
            yield attribute("np.float32")
