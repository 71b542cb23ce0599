"""Functions that rearrange entries without reading them: NumPy's own functions, applied to the carriers' components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, TracedScalar, finish, scalar, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, cast, raw, refuse_overlap
from attn_verify.arithmetic.tracing.dtypes import BOOL, as_dtype, is_whole
from attn_verify.arithmetic.tracing.elementwise import const, where
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current

# Functions of one array that return one array of some of its entries.
_MOVES = (
    "transpose", "permute_dims", "matrix_transpose", "swapaxes", "moveaxis", "rollaxis", "ravel", "reshape",
    "squeeze", "expand_dims", "flip", "fliplr", "flipud", "rot90", "roll", "tile", "repeat", "broadcast_to", "diagonal",
    "delete", "resize", "take", "take_along_axis",
)  # fmt: skip

_OF_SCALARS = ("transpose", "permute_dims", "reshape", "squeeze")


def plain(value: Any) -> Any:
    """Return an argument that chooses entries as plain NumPy data."""
    return raw(as_array(value)) if isinstance(value, list) and value else raw(value)


def _mover(name: str) -> None:
    real = getattr(np, name)

    def move(a: Any, *args: Any, **options: Any) -> Any:
        if options.pop("out", None) is not None:
            current().refuse(f"np.{name}", "out=")
        x = as_array(a)
        arguments = [plain(value) for value in args]
        named = {key: plain(value) for key, value in options.items()}
        if name in ("broadcast_to", "tile", "repeat", "take", "resize") and type(x) is not TracedArray:
            x = wrap(x._data, x._dtype)
        result = x._same(lambda data: real(data, *arguments, **named))
        # what NumPy picks from an array is a scalar, and so is what the methods of a scalar give
        scalars = ("take", "flip") if type(a) is not TracedScalar else ("take", "flip", *_OF_SCALARS)
        if not result._data.shape and name in scalars:
            return scalar(result._data, result._dtype)
        return result

    modelled(name)(move)


for _name in _MOVES:
    _mover(_name)


@modelled("compress")
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """Return the slices where a concrete condition holds."""
    chosen = cast(as_array(condition), BOOL)
    return as_array(a)._move(lambda data: np.compress(chosen, data, axis=raw(axis)))


@modelled("extract")
def extract(condition: Any, arr: Any) -> Any:
    """Return the entries where a concrete condition holds."""
    chosen = cast(as_array(condition), BOOL)
    return as_array(arr)._move(lambda data: np.extract(chosen, data))


def _several(name: str) -> None:
    real = getattr(np, name)

    def split(a: Any, *args: Any, **options: Any) -> Any:
        x = as_array(a)
        arguments = [plain(value) for value in args]
        named = {key: plain(value) for key, value in options.items()}
        pattern = real(np.empty(shape_of(x), np.int8), *arguments, **named)
        pieces = [x._move(lambda data, i=i: real(data, *arguments, **named)[i]) for i in range(len(pattern))]
        # the parts of a vector that unstack gives are scalars
        pieces = [finish(piece._data, x._dtype) for piece in pieces]
        return type(pattern)(pieces) if type(pattern) in (list, tuple) else pieces

    modelled(name)(split)


for _name in ("split", "array_split", "hsplit", "vsplit", "dsplit", "unstack"):
    _several(_name)


def _at_least(name: str) -> None:
    real = getattr(np, name)

    def at_least(*arrays: Any) -> Any:
        moved = tuple(as_array(a)._same(real) for a in arrays)
        return moved[0] if len(moved) == 1 else moved

    modelled(name)(at_least)


for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    _at_least(_name)


def joined(arrays: Sequence[Any], f: Any, dtype: Any = None) -> Any:
    """Return one array of the entries of several, cast to their common dtype."""
    operands = [as_array(a) for a in arrays]
    if not operands:
        f([])
    kind = np.result_type(*(x._dtype for x in operands)) if dtype is None else as_dtype(dtype)
    if is_whole(kind):
        return wrap(f([cast(x, kind) for x in operands]), kind)
    first, *rest = [cast(x, kind) for x in operands]
    return wrap(first.join(rest, f), kind)


def _out(result: Any, out: Any) -> Any:
    from attn_verify.arithmetic.tracing.ufuncs import give

    return give(result, out)


def _apart(name: str, arrays: Any, out: Any) -> None:
    if out is not None:
        refuse_overlap(name, out, *arrays)


@modelled("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Return arrays joined along an existing axis."""
    _apart("np.concatenate", arrays, out)
    return _out(joined(list(arrays), lambda parts: np.concatenate(list(parts), axis=raw(axis)), dtype), out)


@modelled("stack")
def stack(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Return arrays joined along a new axis."""
    _apart("np.stack", arrays, out)
    return _out(joined(list(arrays), lambda parts: np.stack(list(parts), axis=raw(axis)), dtype), out)


def _stacking(*names: str) -> None:
    real = getattr(np, names[0])

    def stacking(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
        return joined(list(tup), lambda parts: real(list(parts)), dtype)

    modelled(*names)(stacking)


_stacking("hstack")
_stacking("vstack", "row_stack") if hasattr(np, "row_stack") else _stacking("vstack")
_stacking("dstack")
_stacking("column_stack")


@modelled("block")
def block(arrays: Any) -> Any:
    """Return nested lists of arrays joined into one, innermost lists along the last axis."""

    def depth(value: Any) -> int:
        return 1 + max(map(depth, value)) if isinstance(value, list) else 0

    levels = depth(arrays)
    parts: list[Any] = []

    def place(value: Any) -> Any:
        if isinstance(value, list):
            return [place(item) for item in value]
        parts.append(value)
        return len(parts) - 1

    layout = place(arrays)

    def fill(value: Any, datas: Sequence[Any]) -> Any:
        return [fill(item, datas) for item in value] if isinstance(value, list) else datas[value]

    return joined(parts, lambda datas: np.block(fill(layout, datas))) if levels else FUNCTIONS["copy"](arrays, "C")


@modelled("append")
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Return ``values`` joined to the end of an array."""
    if axis is None:
        return FUNCTIONS["concatenate"]([FUNCTIONS["ravel"](arr), FUNCTIONS["ravel"](values)])
    return FUNCTIONS["concatenate"]([arr, values], axis=axis)


@modelled("insert")
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """Return an array with values inserted before indices."""
    x, v = as_array(arr), as_array(values)
    if not isinstance(obj, slice) and as_array(obj)._dtype.kind == "b":
        current().refuse("np.insert", "places that a mask chooses", "np.flatnonzero of it")
    return joined([x, finish_like(v, x._dtype)], lambda p: np.insert(p[0], plain(obj), p[1], axis=raw(axis)), x._dtype)


def finish_like(x: Any, dtype: Any) -> Any:
    """Return ``x`` cast to a dtype."""
    return wrap(cast(x, dtype), dtype)


def _beside(data: Any, shape: tuple[int, ...]) -> Any:
    """Return a view of a shape as ``broadcast_arrays`` makes it: it may be written to, unlike others."""
    return np.broadcast_arrays(data, np.broadcast_to(np.int8(0), shape))[0]


@modelled("broadcast_arrays")
def broadcast_arrays(*arrays: Any, subok: bool = False) -> Any:
    """Return views of one common shape."""
    operands = [as_array(a) for a in arrays]
    shape = np.broadcast_shapes(*(shape_of(x) for x in operands))
    return tuple(
        FUNCTIONS["asarray"](x) if shape_of(x) == shape else x._move(lambda data: _beside(data, shape))
        for x in operands
    )


@modelled("meshgrid")
def meshgrid(*arrays: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Return coordinate matrices of coordinate vectors."""
    operands = [FUNCTIONS["ravel"](as_array(a)) for a in arrays]
    if not copy:
        current().refuse("np.meshgrid", "copy=False", "copy=True")
    count = len(operands)
    result = []
    for i, x in enumerate(operands):
        patterns = [np.arange(len(other)) for other in operands]
        grid = np.meshgrid(*patterns, sparse=sparse, indexing=indexing)[i]  # type: ignore[call-overload]
        result.append(x[grid])
    return tuple(result) if count else ()


def _part(name: str) -> None:
    real = getattr(np, name)

    def triangle(m: Any, k: Any = 0) -> Any:
        x = as_array(m)
        if is_whole(x._dtype):
            return wrap(real(x._data, raw(k)), x._dtype)
        shape = shape_of(x) if x.ndim > 1 else shape_of(x) * 2
        kept = real(np.ones(shape[-2:], bool), raw(k))
        return wrap(where(kept, x._data, const(x._data, 0)), x._dtype)

    modelled(name)(triangle)


_part("tril")
_part("triu")


@modelled("diag")
def diag(v: Any, k: Any = 0) -> Any:
    """Return a diagonal, or a matrix of one."""
    x = as_array(v)
    if x.ndim != 1:
        return x._move(lambda data: np.diag(data, raw(k)))
    size = len(x) + abs(raw(k))
    result = FUNCTIONS["zeros"]((size, size), x._dtype)
    rows = np.arange(len(x))
    result[rows + max(0, -raw(k)), rows + max(0, raw(k))] = x
    return result


@modelled("diagflat")
def diagflat(v: Any, k: Any = 0) -> Any:
    """Return a matrix with the flattened entries on a diagonal."""
    return FUNCTIONS["diag"](FUNCTIONS["ravel"](v), k)


@modelled("pad")
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """Return an array with margins of constants or of its own entries."""
    x = as_array(array)
    width = plain(pad_width)
    order = "F" if pattern(x._data).flags.fnc else "C"
    if mode in ("edge", "reflect", "symmetric", "wrap") and options.get("reflect_type", "even") == "even":
        index = np.pad(np.arange(int(x.size)).reshape(shape_of(x)), width, mode=mode)
        result = FUNCTIONS["ravel"](x)[index]
        return wrap(laid_out(result._data, pattern(result._data), order), x._dtype)
    if mode != "constant" or set(options) - {"constant_values"}:
        current().refuse("np.pad", f"mode {mode!r}", "mode='constant'")
    value = as_array(options.get("constant_values", 0))
    if value.ndim:
        current().refuse("np.pad", "different constants on different sides", "one constant")
    inside = np.pad(np.ones(shape_of(x), bool), width)
    result = FUNCTIONS["full"](inside.shape, value, x._dtype)
    result[inside] = FUNCTIONS["ravel"](x)
    return wrap(laid_out(result._data, pattern(result._data), order), x._dtype)


@modelled("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return the choice of the first condition that holds."""
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = FUNCTIONS["where"](condition, choice, result)
    result = as_array(result)
    return wrap(laid_out(result._data, pattern(result._data), "C"), result._dtype)


@modelled("choose")
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """Return the entries of the choices that concrete indices name."""
    index = raw(as_array(a))
    result = joined(list(choices), lambda p: np.choose(index, list(np.broadcast_arrays(*p)), mode=mode))  # type: ignore[call-overload]
    return _out(finish(result._data, result._dtype), out)


@modelled("lib.stride_tricks.sliding_window_view")
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:  # fmt: skip
    """Return windows over an array, a view."""
    return as_array(x)._move(
        lambda data: np.lib.stride_tricks.sliding_window_view(data, plain(window_shape), raw(axis), writeable=writeable)
    )
