"""Selecting, sorting and finding: what depends on values asks the session, entry by entry."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from attn_verify.arithmetic.tracing.array import finish, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, cast, exact, raw, refuse_overlap, weak_kind
from attn_verify.arithmetic.tracing.creation import concrete_result
from attn_verify.arithmetic.tracing.dtypes import BOOL, INT64, common_dtype, is_float, is_whole
from attn_verify.arithmetic.tracing.elementwise import where as select
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.structure import plain
from attn_verify.arithmetic.tracing.ufuncs import give


def truth(x: Any) -> Any:
    """Return the concrete truth values of an array."""
    return cast(as_array(x), BOOL)


@modelled("where")
def where(condition: Any, *choices: Any) -> Any:
    """Return entries of one array or of another, or the indices where a condition holds."""
    if not choices:
        return FUNCTIONS["nonzero"](condition)
    if len(choices) != 2:
        raise ValueError("either both or neither of x and y should be given")
    mask = truth(condition)
    kinds = [weak_kind(value) for value in choices]
    arrays = [as_array(value) for value in choices]
    kind = common_dtype(kinds)
    if is_whole(kind):
        data = np.where(mask, *(cast(x, kind) for x in arrays))
        return wrap(data, kind)
    first, second = (cast(x, kind) for x in arrays)
    return wrap(select(mask, first, second), kind)


@modelled("nonzero")
def nonzero(a: Any) -> Any:
    """Return the indices of entries that are not zero."""
    return concrete_result(np.nonzero(truth(a)))


@modelled("argwhere")
def argwhere(a: Any) -> Any:
    """Return the indices of entries that are not zero, grouped by entry."""
    return concrete_result(np.argwhere(truth(a)))


@modelled("flatnonzero")
def flatnonzero(a: Any) -> Any:
    """Return the flat indices of entries that are not zero."""
    return concrete_result(np.flatnonzero(truth(a)))


def _lanes(x: Any, axis: Any) -> tuple[Any, int]:
    if axis is None:
        return FUNCTIONS["ravel"](x), 0
    return x, normalize_axis_index(raw(axis), x.ndim)


def _best(data: Any, op: str) -> Any:
    """Return, for the last axis, the index of the first largest or smallest entry; the first NaN wins."""
    best = data.move(lambda a: a[..., 0].copy())
    index = np.zeros(best.shape, np.int64)
    for k in range(1, data.shape[-1]):
        here = data.move(lambda a, k=k: a[..., k])
        better = np.asarray(here.compare(op, best)) | here.is_special("nan")
        better &= ~np.asarray(best.is_special("nan"))
        index[better] = k
        best = select(better, here, best)
    return index


def _arg(name: str, op: str) -> None:
    real = getattr(np, name)

    def arg(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        x = as_array(a)
        keep = keepdims is not np._NoValue and bool(keepdims)
        if is_whole(x._dtype):
            return give(concrete_result(real(x._data, axis=raw(axis), keepdims=keep)), out)
        lanes, position = _lanes(x, axis)
        if not shape_of(lanes)[position]:
            raise ValueError(f"attempt to get {name} of an empty sequence")
        index = _best(lanes._data.move(lambda d: np.moveaxis(d, position, -1)), op)
        if keep:
            index = index.reshape((1,) * x.ndim) if axis is None else np.expand_dims(index, position)
        return give(finish(np.asarray(index), INT64), out)

    modelled(name)(arg)


_arg("argmax", ">")
_arg("argmin", "<")


def order_of(lane: Any, stable: bool) -> list[int]:
    """Return the order of a vector of exact numbers, NaN last."""
    entries = [lane.move(lambda a, i=i: a[i]) for i in range(lane.shape[0])]
    nan = [bool(entry.is_special("nan")) for entry in entries]

    def compare(i: int, j: int) -> int:
        if nan[i] or nan[j]:
            return int(nan[i]) - int(nan[j])
        if entries[i].compare("<", entries[j]):
            return -1
        if entries[j].compare("<", entries[i]):
            return 1
        if not stable:
            current().refuse("np.argsort", "the order of equal numbers", "kind='stable'")
        return 0

    return sorted(range(len(entries)), key=cmp_to_key(compare))


def _orders(x: Any, axis: Any, stable: bool) -> Any:
    lanes, position = _lanes(x, axis)
    data = lanes._data.move(lambda d: np.moveaxis(d, position, -1))
    index = np.empty(data.shape, np.int64)
    for place in np.ndindex(*data.shape[:-1]):
        index[place] = order_of(data.move(lambda a, p=place: a[p]), stable)
    return lanes, np.moveaxis(index, -1, position), position


@modelled("argsort")
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Return the indices that sort an array."""
    x = as_array(a)
    if is_whole(x._dtype):
        return concrete_result(np.argsort(x._data, raw(axis), kind=kind, stable=stable))
    is_stable = bool(stable) or kind in ("stable", "mergesort")
    index = _orders(x, axis, is_stable)[1]
    like = np.argsort(np.zeros_like(pattern(x._data), np.int8), raw(axis))
    return wrap(laid_out(index, like), INT64)


@modelled("sort")
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Return a sorted copy."""
    x = as_array(a)
    if is_whole(x._dtype):
        return concrete_result(np.sort(x._data, raw(axis), kind=kind, stable=stable))
    lanes, index, position = _orders(x, axis, True)
    data = lanes._data.move(lambda d: np.take_along_axis(d, index, position))
    return wrap(laid_out(data, pattern(lanes._data)), x._dtype)


@modelled("searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Return where values would be inserted into a sorted vector."""
    x, values = as_array(a), as_array(v)
    if is_whole(x._dtype) and is_whole(values._dtype):
        return concrete_result(np.searchsorted(x._data, values._data, side, plain(sorter)))  # type: ignore[call-overload]
    if sorter is not None:
        current().refuse("np.searchsorted", "sorter=")
    if any(exact(item).is_special("nan").any() for item in (x, values)):
        current().refuse("np.searchsorted", "NaN, which comes last there and is less than nothing here")
    # Bisection counts only in a sorted vector.
    if shape_of(x)[0] > 1 and bool(FUNCTIONS["any"](FUNCTIONS["less"](x[1:], x[:-1]))):
        current().refuse("np.searchsorted", "a vector that is not sorted", "np.sort")
    below = FUNCTIONS["less" if side == "left" else "less_equal"](x, values[..., None])
    return FUNCTIONS["sum"](below, axis=-1)


def _concrete_only(*names: str) -> None:
    """Enter functions that read values, for bools and integers; exact numbers refuse."""
    for name in names:

        def function(*args: Any, _name: str = name, **options: Any) -> Any:
            operands = [as_array(v) if isinstance(v, (list, np.ndarray)) and len(v) else v for v in args]
            if any(is_float(getattr(v, "_dtype", BOOL)) for v in operands):
                current().refuse(f"np.{_name}", "the order or equality of numbers that depend on the inputs")
            return concrete_result(getattr(np, _name)(*map(raw, operands), **{k: plain(o) for k, o in options.items()}))

        modelled(name)(function)


_concrete_only(
    "unique", "unique_values", "unique_counts", "unique_inverse", "partition", "argpartition", "isin", "intersect1d",
    "union1d", "setdiff1d", "setxor1d", "digitize", "histogram", "median", "percentile", "quantile", "gradient",
)  # fmt: skip


@modelled("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Return the entries that concrete indices choose along an axis."""
    index = raw(as_array(indices))
    return as_array(arr)._move(lambda a: np.take_along_axis(a, index, raw(axis)))


@modelled("put_along_axis")
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Write entries that concrete indices choose along an axis."""
    shape = shape_of(arr)
    positions = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    index = raw(as_array(indices))
    chosen = np.take_along_axis(positions if axis is not None else positions.ravel(), index, raw(axis))
    spread = FUNCTIONS["broadcast_to"](as_array(values), chosen.shape)
    arr[np.unravel_index(chosen, shape)] = spread


@modelled("put")
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write entries at flat indices; too few values are repeated."""
    if mode != "raise":
        current().refuse("np.put", f"mode={mode!r}")
    a.flat[np.ravel(raw(as_array(ind)))] = FUNCTIONS["ravel"](v)


@modelled("copyto")
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write an array into another, where a mask holds."""
    source = as_array(src)
    kind = weak_kind(src)
    fits = kind is int or not is_whole(dst._dtype) if isinstance(kind, type) else None
    if not (np.can_cast(source._dtype, dst._dtype, casting) if fits is None else fits):  # type: ignore[arg-type]
        raise TypeError(f"Cannot cast array data from {source._dtype} to {dst._dtype}")
    if where is True:
        dst[...] = source
        return
    mask = np.broadcast_to(as_array(where)._data, shape_of(dst))
    dst[mask] = FUNCTIONS["broadcast_to"](source, shape_of(dst))[mask]


@modelled("place")
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write values in turn where a mask holds."""
    refuse_overlap("np.place", arr, mask, vals)
    chosen = truth(mask)
    count = int(chosen.sum())
    values = FUNCTIONS["ravel"](vals)
    if count and not len(values):
        raise ValueError("Cannot insert from an empty array!")
    if count:
        arr[chosen.reshape(shape_of(arr))] = FUNCTIONS["resize"](values, count)


@modelled("putmask")
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write the values that belong to the places where a mask holds."""
    refuse_overlap("np.putmask", a, mask, values)
    chosen = truth(mask).reshape(shape_of(a))
    spread = FUNCTIONS["resize"](as_array(values), shape_of(a))
    a[chosen] = spread[chosen]


@modelled("fill_diagonal")
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write a diagonal."""
    if wrap or a.ndim != 2 or as_array(val).ndim:
        current().refuse("np.fill_diagonal", "anything but one number on the diagonal of a matrix")
    n = np.arange(min(shape_of(a)))
    a[n, n] = val


@modelled("diff")
def diff(a: Any, n: Any = 1, axis: Any = -1, **options: Any) -> Any:
    """Return differences of neighbours."""
    if options:
        current().refuse("np.diff", "prepend or append")
    x = as_array(a)
    if not raw(n):
        return a
    if is_whole(x._dtype):
        return concrete_result(np.diff(x._data, raw(n), raw(axis)))
    for _ in range(raw(n)):
        x = FUNCTIONS["moveaxis"](x, axis, -1)
        x = FUNCTIONS["moveaxis"](FUNCTIONS["subtract"](x[..., 1:], x[..., :-1]), -1, axis)
    return x
