"""The methods of universal functions: reduce, accumulate, reduceat, outer, at."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from attn_verify.arithmetic.tracing.array import finish, is_traced, shape_of
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, cast, exact, raw, refuse_overlap
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_float, is_whole, loop
from attn_verify.arithmetic.tracing.elementwise import EXACT, const, neg, where
from attn_verify.arithmetic.tracing.session import current

_MISSING = np._NoValue

# What a reduction starts with by itself, and what stands for entries that are left out.
_NEUTRAL: dict[str, Any] = {
    "add": Fraction(0), "multiply": Fraction(1), "hypot": Fraction(0), "logaddexp": "-inf", "logaddexp2": "-inf",
}  # fmt: skip
_EXTREMA = ("maximum", "minimum", "fmax", "fmin")
# Operations whose operands may be taken in any order; of all others, the first value is the start.
_ANY_ORDER = (*_NEUTRAL, *_EXTREMA)
_LOGICAL = ("logical_and", "logical_or", "logical_xor")


def axes_of(ndim: int, axis: Any) -> tuple[int, ...]:
    """Return the axes of a reduction, each once, from 0."""
    if axis is None:
        return tuple(range(ndim))
    axis = raw(axis)
    if isinstance(axis, list):
        raise TypeError("'list' object cannot be interpreted as an integer")
    return tuple(sorted(normalize_axis_tuple(axis, ndim)))


def _concrete_result(result: Any) -> Any:
    return finish(np.asarray(result), np.asarray(result).dtype)


def _give(result: Any, out: Any) -> Any:
    from attn_verify.arithmetic.tracing.ufuncs import give

    return give(result, out)


def _as_bool(x: Any) -> Any:
    return as_array(x) if not is_float(x._dtype) else finish(cast(x, np.dtype(np.bool_)), np.dtype(np.bool_))


def reduce(
    ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = _MISSING, where: Any = True,
) -> Any:  # fmt: skip
    """Return ``ufunc.reduce(array)``."""
    x = as_array(array)
    if ufunc.name in _LOGICAL:
        x = _as_bool(x)
    # a number has no axis 0, and yet it may be asked for
    axis = None if not x.ndim and raw(axis) in (0, -1) else axis
    options: dict[str, Any] = {"axis": raw(axis), "keepdims": bool(keepdims)}
    if dtype is not None:
        options["dtype"] = as_dtype(dtype)
    if is_whole(x._dtype) and (dtype is None or is_whole(as_dtype(dtype))) and not is_traced_float(initial):
        if initial is not _MISSING:
            options["initial"] = raw(initial)
        if where is not True:
            options["where"] = as_array(where)._data
        result = ufunc.real.reduce(x._data, **options)
        dtypes = np.asarray(result).dtype
        if is_whole(dtypes):
            return _give(_concrete_result(result), out)
    if ufunc.real.nin != 2 or ufunc.name not in EXACT:
        current().refuse(f"np.{ufunc.name}.reduce", "the reduction has no exact model")
    kind = as_dtype(dtype) if dtype is not None else x._dtype
    nominal = loop(ufunc.real, (kind, kind))[-1] if not is_float(kind) else kind
    if is_whole(nominal):
        current().refuse(f"np.{ufunc.name}.reduce", "a float that becomes a whole number", "dtype=float")
    data = along(ufunc.name, exact(x), axes_of(x.ndim, axis), bool(keepdims), initial, where)
    return _give(finish(data, nominal), out)


def is_traced_float(value: Any) -> bool:
    """Return whether a value is a float of the model."""
    return is_traced(value) and is_float(value._dtype)


def along(
    name: str, data: Any, axes: tuple[int, ...], keepdims: bool, initial: Any = _MISSING, mask: Any = True
) -> Any:
    """Return the reduction of exact data along axes; without an axis every entry is one by itself.

    ``a₁ ∘ a₂ ∘ …`` from the left, after ``initial`` where it is given.
    """
    if len(axes) > 1 and name not in _ANY_ORDER:
        raise ValueError("reduction operation is not reorderable, so at most one axis may be specified")
    shape = data.shape
    start = _start(name, data, initial, empty=any(not shape[axis] for axis in axes), masked=mask is not True)
    if mask is not True:
        if name not in _ANY_ORDER:
            current().refuse(f"np.{name}.reduce", "where=, in an operation whose order counts", "a loop")
        filler = start if name in _EXTREMA else const(data, _NEUTRAL[name])
        data = where(np.broadcast_to(as_array(mask)._data, shape), data, filler)
    for axis in reversed(axes):
        data, start = _fold(name, data, axis, start), start if name in _ANY_ORDER else None
    if start is not None:
        data = EXACT[name](start, data)
    if not axes:
        return data.move(lambda a: a.copy("K"))
    if keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        data = data.move(lambda a: a.reshape(kept))
    return data


def _start(name: str, data: Any, initial: Any, *, empty: bool, masked: bool) -> Any:
    """Return what a reduction starts with, ``None`` for its first entry; raise ``ValueError`` where it needs more."""
    if initial is _MISSING and name in _NEUTRAL:
        # what is neutral changes nothing, but for √(0 + a²), which is |a|
        return const(data, 0) if name == "hypot" else None
    if initial is not _MISSING and initial is not None:
        start = as_array(initial)
        if start.ndim:
            raise ValueError("setting an array element with a sequence.")
        return exact(start)
    if empty or masked:
        raise ValueError(f"reduction operation {name} has no identity")
    return None


def _fold(name: str, data: Any, axis: int, start: Any) -> Any:
    length = data.shape[axis]
    if name == "add":
        return data.sum(axis)
    if not length:
        rest = data.shape[:axis] + data.shape[axis + 1 :]
        first = const(data, _NEUTRAL[name]) if name in _NEUTRAL else start
        return first.move(lambda a: np.broadcast_to(a, rest).copy())
    if name == "maximum":
        return data.max(axis)
    if name == "minimum":
        return neg(neg(data).max(axis))
    if name in ("logaddexp", "logaddexp2"):
        return _log_sum(name, data, axis)
    slices = [_slice(data, axis, k) for k in range(length)]
    if start is not None and name not in _ANY_ORDER:
        slices.insert(0, start)
    result = slices[0]
    for part in slices[1:]:
        result = EXACT[name](result, part)
    return result if len(slices) > 1 else result.move(lambda a: a.copy("K"))


def _log_sum(name: str, data: Any, axis: int) -> Any:
    inner, outer = ("exp", "log") if name == "logaddexp" else ("exp2", "log2")
    return EXACT[outer](EXACT[inner](data).sum(axis))


def _slice(data: Any, axis: int, k: int) -> Any:
    key = (slice(None),) * axis + (k,)
    return data.move(lambda a: a[key])


def accumulate(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return ``ufunc.accumulate(array)``."""
    x = as_array(array)
    if is_whole(x._dtype) and (dtype is None or is_whole(as_dtype(dtype))):
        options = {} if dtype is None else {"dtype": as_dtype(dtype)}
        result = ufunc.real.accumulate(x._data, axis=raw(axis), **options)
        if is_whole(result.dtype):
            return _give(_concrete_result(result), out)
    if ufunc.name not in EXACT:
        current().refuse(f"np.{ufunc.name}.accumulate", "the operation has no exact model")
    if not x.ndim:
        raise TypeError("cannot accumulate on a scalar")
    axis = normalize_axis_index(raw(axis), x.ndim)
    data = exact(x)
    kind = as_dtype(dtype) if dtype is not None else x._dtype
    nominal = loop(ufunc.real, (kind, kind))[-1] if not is_float(kind) else kind
    if not data.shape[axis]:
        return _give(finish(data.move(lambda a: a.copy()), nominal), out)
    steps = [_slice(data, axis, 0)]
    for k in range(1, data.shape[axis]):
        steps.append(EXACT[ufunc.name](steps[-1], _slice(data, axis, k)))
    joined = steps[0].join(steps[1:], lambda parts: np.stack(parts, axis=axis))
    return _give(finish(laid_out(joined, pattern(data)), nominal), out)


def reduceat(ufunc: Any, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return ``ufunc.reduceat(array, indices)``: one reduction for every slice between neighbouring indices."""
    x = as_array(array)
    axis = normalize_axis_index(raw(axis), x.ndim)
    starts = [int(i) for i in np.asarray(raw(as_array(indices)))]
    length = shape_of(x)[axis]
    if any(not 0 <= start < length for start in starts):
        raise IndexError(f"index out-of-bounds in {ufunc.name}.reduceat [0, {length})")
    parts = []
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        stop = stop if stop > start else start + 1
        key = (slice(None),) * axis + (slice(start, stop),)
        parts.append(reduce(ufunc, x[key], axis=axis, dtype=dtype, keepdims=True))
    from attn_verify.arithmetic.tracing.registry import FUNCTIONS

    return _give(FUNCTIONS["concatenate"](parts, axis=axis), out)


def outer(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    """Return ``ufunc`` of every pair of entries."""
    left, right = as_array(a), as_array(b)
    lifted = left[(..., *(None for _ in range(right.ndim)))] if right.ndim else left
    return ufunc(lifted, right, **options)


def at(ufunc: Any, array: Any, indices: Any, *values: Any) -> None:
    """Apply ``array[i] = ufunc(array[i], value)`` for every index in turn, repeated ones too."""
    if not is_traced(array):
        raise TypeError("first operand must be array")
    from attn_verify.arithmetic.tracing.indexing import concrete_key

    refuse_overlap(f"np.{ufunc.name}.at", array, indices, *values)
    shape = shape_of(array)
    positions = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)[concrete_key(indices)]
    positions = np.asarray(positions)
    operands = [as_array(value) for value in values]
    spread = [v._move(lambda a: np.broadcast_to(a, positions.shape)) for v in operands]
    for place in np.ndindex(*positions.shape):
        where_to = tuple(int(i) for i in np.unravel_index(positions[place], shape))
        array[where_to] = ufunc(array[where_to], *(v[place] for v in spread))
