"""The methods of universal functions: reduce, accumulate, reduceat, outer, at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from attn_verify.arithmetic.tracing.array import finish, is_traced, shape_of
from attn_verify.arithmetic.tracing.convert import as_array, cast, exact, raw
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_float, is_whole, loop
from attn_verify.arithmetic.tracing.elementwise import EXACT, const, neg, where
from attn_verify.arithmetic.tracing.session import current

_MISSING = np._NoValue

# What a reduction may start with without changing the result.
_NEUTRAL: dict[str, Any] = {"add": 0, "multiply": 1, "logaddexp": "-inf", "logaddexp2": "-inf"}
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
    data = along(ufunc.name, exact(x), axes_of(x.ndim, axis), bool(keepdims), initial, where)
    return _give(finish(data, nominal), out)


def is_traced_float(value: Any) -> bool:
    """Return whether a value is a float, traced or not."""
    return isinstance(value, float) or (is_traced(value) and is_float(value._dtype))


def along(
    name: str, data: Any, axes: tuple[int, ...], keepdims: bool, initial: Any = _MISSING, mask: Any = True
) -> Any:
    """Return the reduction of exact data along axes."""
    start = None if initial is _MISSING or initial is None else exact(as_array(initial))
    if name in ("maximum", "minimum", "fmax", "fmin") and start is None:
        if mask is not True:
            raise ValueError("reduction operation has no identity, so to use a where mask one has to specify 'initial'")
    elif start is None and name in _NEUTRAL and (mask is not True or name != "add"):
        start = const(data, _NEUTRAL[name])
    if mask is not True:
        if start is None:
            raise ValueError("reduction operation has no identity")
        shape = data.shape
        chosen = np.broadcast_to(as_array(mask)._data, shape)
        filler = _NEUTRAL.get(name)
        data = where(chosen, data, start if filler is None else const(data, filler))
    if len(axes) > 1 and name in ("subtract", "divide", "true_divide", "power"):
        raise ValueError("reduction operation is not reorderable, so at most one axis may be specified")
    shape = data.shape
    for axis in reversed(axes):
        data = _fold(name, data, axis, start)
    if start is not None and axes:
        data = EXACT[name](start, data) if initial is not _MISSING and initial is not None else data
    if keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        data = data.move(lambda a: a.reshape(kept))
    elif not axes:
        data = data.move(lambda a: a.copy())
    return data


def _fold(name: str, data: Any, axis: int, start: Any) -> Any:
    length = data.shape[axis]
    if name == "add":
        return data.sum(axis)
    if not length:
        if start is None:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        rest = data.shape[:axis] + data.shape[axis + 1 :]
        return start.move(lambda a: np.broadcast_to(a, rest).copy())
    if name == "maximum":
        return data.max(axis)
    if name == "minimum":
        return neg(neg(data).max(axis))
    if name in ("logaddexp", "logaddexp2"):
        return _log_sum(name, data, axis)
    slices = [_slice(data, axis, k) for k in range(length)]
    result = slices[0]
    for part in slices[1:]:
        result = EXACT[name](result, part)
    return result if length > 1 else result.move(lambda a: a.copy())


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
    return _give(finish(joined, nominal), out)


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

    shape = shape_of(array)
    positions = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)[concrete_key(indices)]
    positions = np.asarray(positions)
    operands = [as_array(value) for value in values]
    spread = [v._move(lambda a: np.broadcast_to(a, positions.shape)) for v in operands]
    for place in np.ndindex(*positions.shape):
        where_to = tuple(int(i) for i in np.unravel_index(positions[place], shape))
        array[where_to] = ufunc(array[where_to], *(v[place] for v in spread))
