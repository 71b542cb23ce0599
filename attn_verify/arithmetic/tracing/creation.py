"""Functions that make arrays, and those that convert them."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, finish, is_traced, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, cast, check_fits, exact, raw, stack
from attn_verify.arithmetic.tracing.dtypes import FLOAT64, as_dtype, is_float, is_whole
from attn_verify.arithmetic.tracing.elementwise import EXACT, add, const, div, mul, sub
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current


def _shape(shape: Any) -> tuple[int, ...]:
    shape = raw(shape)
    return tuple(int(n) for n in np.zeros(shape, np.int8).shape)


def filled(shape: Any, value: Fraction | str, dtype: Any) -> Any:
    """Return an array of one number."""
    kind = as_dtype(dtype)
    if is_float(kind):
        return wrap(current().carrier.full(_shape(shape), value), kind)
    if not is_whole(kind):
        current().refuse("np.full", f"the dtype {kind} has no exact model", "float64")
    return wrap(np.full(_shape(shape), int(value), kind), kind)


def _default(dtype: Any) -> Any:
    return float if dtype is None else dtype


def _order(order: Any) -> None:
    if order not in ("C", "F", "A", "K", None):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")


def _creator(name: str, value: Fraction | str) -> None:
    def create(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None) -> Any:
        _order(order)
        if value == "poison" and not is_float(as_dtype(_default(dtype))):
            current().refuse("np.empty", "integers or bools that were never written", "np.zeros")
        return _ordered(filled(shape, value, _default(dtype)), order)

    def create_like(
        a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Any:  # fmt: skip
        _order(order)
        x = as_array(a)
        kind = x._dtype if dtype is None else as_dtype(dtype)
        if value == "poison" and not is_float(kind):
            current().refuse("np.empty_like", "integers or bools that were never written", "np.zeros_like")
        made = filled(shape_of(x) if shape is None else shape, value, kind)
        return _laid_out_like(made, x, order)

    modelled(name)(create)
    modelled(f"{name}_like")(create_like)


_creator("zeros", Fraction(0))
_creator("ones", Fraction(1))
_creator("empty", "poison")


@modelled("full")
def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None) -> Any:
    """Return an array filled with a value, broadcast."""
    _order(order)
    value = as_array(fill_value)
    kind = value._dtype if dtype is None else as_dtype(dtype)
    result = filled(shape, Fraction(0), kind)
    check_fits(fill_value, kind)
    result[...] = value
    return _ordered(result, order)


@modelled("full_like")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """Return an array like another, filled with a value."""
    x = as_array(a)
    kind = x._dtype if dtype is None else as_dtype(dtype)
    made = FUNCTIONS["full"](shape_of(x) if shape is None else shape, fill_value, kind, order)
    return _laid_out_like(made, x, order)


def _laid_out_like(made: Any, x: Any, order: Any) -> Any:
    """Return an array whose axes lie in memory in the order of those of ``x``, which may have other lengths."""
    like = np.empty_like(pattern(x._data), shape=shape_of(made), order=order)
    return wrap(laid_out(made._data, like), made._dtype)


def _converted(value: Any, dtype: Any, copy: Any) -> Any:
    x = as_array(value)
    if copy is False and type(x) is not TracedArray:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    if dtype is None or as_dtype(dtype) == x._dtype:
        if is_traced(value) and copy is not True and type(x) is TracedArray:
            return value
        if is_traced(value) or copy is True:
            return wrap(_copied(x._data), x._dtype)
        return wrap(x._data, x._dtype)
    kind = as_dtype(dtype)
    check_fits(value, kind)
    if copy is False:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return wrap(_copied(cast(x, kind, "np.array")), kind)


def _copied(data: Any) -> Any:
    return data.copy() if isinstance(data, np.ndarray) else data.move(lambda a: a.copy(order="K"))


@modelled("array")
def array(
    value: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0
) -> Any:  # fmt: skip
    """Return a new array of anything."""
    _order(order)
    x = _converted(value, dtype, True if copy is None and not is_traced(value) else copy)
    if x.ndim < raw(ndmin):
        x = x._move(lambda a: a.reshape((1,) * (raw(ndmin) - a.ndim) + a.shape))
    return _ordered(x, order)


def _ordered(x: Any, order: Any) -> Any:
    if order not in ("C", "F"):
        return x
    if isinstance(x._data, np.ndarray) or hasattr(x._data, "move"):
        return x._same(lambda a: np.asarray(a, order=order))
    return x


@modelled("asarray", "asanyarray")
def asarray(value: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None) -> Any:
    """Return an array; the same one where nothing changes."""
    _order(order)
    return _ordered(_converted(value, dtype, copy), order) if order in ("C", "F") else _converted(value, dtype, copy)


@modelled("ascontiguousarray")
def ascontiguousarray(value: Any, dtype: Any = None) -> Any:
    """Return an array in C order, of at least one axis."""
    return _converted(value, dtype, None)._same(np.ascontiguousarray)


@modelled("asfortranarray")
def asfortranarray(value: Any, dtype: Any = None) -> Any:
    """Return an array in Fortran order."""
    return _converted(value, dtype, None)._same(np.asfortranarray)


@modelled("asarray_chkfinite")
def asarray_chkfinite(value: Any, dtype: Any = None, order: Any = None) -> Any:
    """Return an array; raise ``ValueError`` where an entry is ±∞ or NaN."""
    x = FUNCTIONS["asarray"](value, dtype, order)
    if is_float(x._dtype) and not FUNCTIONS["isfinite"](x)._data.all():
        raise ValueError("array must not contain infs or NaNs")
    return x


@modelled("copy")
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """Return a copy."""
    _order(order)
    x = as_array(a)
    return wrap(laid_out(x._data, pattern(x._data), order), x._dtype)


@modelled("eye")
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = float, order: Any = "C", *, device: Any = None) -> Any:
    """Return ones on a diagonal."""
    made = np.eye(raw(N), None if M is None else raw(M), k=raw(k), dtype=np.int8)
    return _ordered(_typed(made, _default(dtype)), order)


@modelled("identity")
def identity(n: Any, dtype: Any = None) -> Any:
    """Return the identity matrix."""
    return _typed(np.identity(raw(n), np.int8), _default(dtype))


@modelled("tri")
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = float) -> Any:
    """Return ones at and below a diagonal."""
    return _typed(np.tri(raw(N), None if M is None else raw(M), k=raw(k), dtype=np.int8), _default(dtype))


def _typed(values: Any, dtype: Any) -> Any:
    kind = as_dtype(dtype)
    return wrap(cast(wrap(values, values.dtype), kind), kind)


@modelled("arange")
def arange(*args: Any, dtype: Any = None, device: Any = None) -> Any:
    """Return ``start + i·step``; exact where numbers are floats."""
    numbers = [as_array(value) for value in args]
    if dtype is None and numbers and len(args) == 4:
        dtype, numbers = args[3], numbers[:3]
    if all(is_whole(x._dtype) for x in numbers):
        result = np.arange(*(int(x._data) for x in numbers))
        kind = result.dtype if dtype is None else as_dtype(dtype)
        return wrap(cast(wrap(result, result.dtype), kind), kind)
    values = [exact(x) for x in numbers]
    if len(values) == 1:
        values = [const(values[0], 0), values[0], const(values[0], 1)]
    elif len(values) == 2:
        values.append(const(values[0], 1))
    first, last, width = values
    count = EXACT["ceil"](div(sub(last, first), width)).constants()[()]
    steps = type(first).of(np.arange(max(0, int(count))))
    kind = np.result_type(*(x._dtype for x in numbers)) if dtype is None else as_dtype(dtype)
    result = wrap(add(first, mul(steps, width)), FLOAT64)
    return wrap(cast(result, kind), kind)


@modelled("linspace")
def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """Return ``start + i (stop − start)/(num − 1)``."""
    a, b, count = as_array(start), as_array(stop), int(raw(num))
    if count < 0:
        raise ValueError(f"Number of samples, {count}, must be non-negative.")
    if axis != 0 or a.ndim or b.ndim:
        current().refuse("np.linspace", "ends that are arrays")
    first = exact(a)
    gaps = count - 1 if endpoint else count
    if gaps <= 0 and retstep:
        current().refuse("np.linspace", "the step of a single number")
    step = div(sub(exact(b), first), const(first, gaps)) if gaps > 0 else const(first, 0)
    data = add(first, mul(type(first).of(np.arange(count)), step))
    kind = as_dtype(dtype) if dtype is not None else np.result_type(a._dtype, b._dtype, 0.0)
    result = wrap(cast(wrap(data, FLOAT64 if kind.kind != "f" else kind), kind), kind)
    return (result, finish(step, FLOAT64)) if retstep else result


def _integers(name: str) -> None:
    """Enter a function whose arguments and results are integers or bools."""
    real = getattr(np, name)

    def function(*args: Any, **options: Any) -> Any:
        return concrete_result(real(*map(_any_raw, args), **{key: _any_raw(v) for key, v in options.items()}))

    modelled(name)(function)


def _any_raw(value: Any) -> Any:
    return raw(as_array(value)) if isinstance(value, list) and value else raw(value)


def concrete_result(result: Any) -> Any:
    """Return what NumPy returned for concrete arguments with its arrays wrapped."""
    if isinstance(result, (tuple, list)):
        return type(result)(concrete_result(part) for part in result)
    if isinstance(result, (np.ndarray, np.generic)):
        return as_array(result)
    return result


for _name in (
    "diag_indices", "tril_indices", "triu_indices", "mask_indices", "ravel_multi_index", "unravel_index", "ix_",
    "broadcast_shapes", "binary_repr", "base_repr", "packbits", "unpackbits", "lexsort",
):  # fmt: skip
    _integers(_name)


@modelled("indices")
def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """Return the indices of a grid."""
    kind = as_dtype(dtype)
    real: Any = np.indices
    result = real(raw(dimensions), np.int64, sparse)
    if sparse:
        return tuple(_typed(part, kind) for part in result)
    return _typed(result, kind)


@modelled("diag_indices_from", "tril_indices_from", "triu_indices_from")
def _indices_from(arr: Any, k: Any = 0) -> Any:
    current().refuse("np.*_indices_from", "the function has no exact model", "np.tril_indices(n)")


@modelled("fromfunction", guard=False)
def fromfunction(function: Any, shape: Any, *, dtype: Any = float, **options: Any) -> Any:
    """Return ``function`` of the indices of a grid."""
    return function(*indices(shape, dtype), **options)


def _at_once(item: Any) -> Any:
    """Return the number that an iterator gives, as it is at that moment."""
    x = as_array(item)
    if x.ndim:
        current().refuse("np.fromiter", "arrays among what the iterator gives", "np.stack of a list of them")
    return x._move(lambda a: a.copy())


@modelled("fromiter", guard=False)
def fromiter(iterable: Any, dtype: Any, count: int = -1) -> Any:
    """Return a vector of what an iterator gives."""
    items = [_at_once(item) for item in (iterable if count < 0 else islice(iterable, count))]
    if len(items) < count:
        raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(items)} items.")
    kind = as_dtype(dtype)
    if not items:
        return filled(0, Fraction(0), kind)
    made = stack(items)
    return wrap(cast(made, kind), kind)
