"""Questions about arrays, and cleaning up what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, finish, is_traced, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import NotNumericError, as_array, exact, raw, weak_kind
from attn_verify.arithmetic.tracing.dtypes import BOOL, ScalarType, common_dtype, is_whole
from attn_verify.arithmetic.tracing.elementwise import EXACT, minimum, where
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.sizes import size_tuple
from attn_verify.arithmetic.tracing.ufuncs import compute, give


@modelled("isclose")
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """Return ``|a − b| ≤ atol + rtol |b|``, recorded questions."""
    x, y = as_array(a), as_array(b)
    f = FUNCTIONS
    bound = f["add"](atol, f["multiply"](rtol, f["absolute"](y)))
    near = f["less_equal"](f["absolute"](f["subtract"](x, y)), bound)
    with current().tolerating():  # numbers that are equal are near, also where floats round them apart
        same = f["equal"](x, y)
    result = f["logical_or"](f["logical_and"](near, f["isfinite"](y)), same)
    if equal_nan:
        result = f["logical_or"](result, f["logical_and"](f["isnan"](x), f["isnan"](y)))
    return result


@modelled("allclose")
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    """Return whether two arrays agree within tolerances."""
    return bool(FUNCTIONS["all"](FUNCTIONS["isclose"](a, b, rtol, atol, equal_nan)))


@modelled("array_equal")
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Return whether shapes and entries agree."""
    try:
        x, y = as_array(a1), as_array(a2)
    except NotNumericError:
        return False
    if shape_of(x) != shape_of(y):
        return False
    same = FUNCTIONS["equal"](x, y)
    if equal_nan:
        same = FUNCTIONS["logical_or"](same, FUNCTIONS["logical_and"](FUNCTIONS["isnan"](x), FUNCTIONS["isnan"](y)))
    return bool(FUNCTIONS["all"](same))


@modelled("array_equiv")
def array_equiv(a1: Any, a2: Any) -> bool:
    """Return whether the entries agree after broadcasting."""
    x, y = as_array(a1), as_array(a2)
    try:
        np.broadcast_shapes(shape_of(x), shape_of(y))
    except ValueError:
        return False
    return bool(FUNCTIONS["all"](FUNCTIONS["equal"](x, y)))


def _infinite(name: str, special: str) -> None:
    real = getattr(np, name)

    def test(x: Any, out: Any = None) -> Any:
        array = as_array(x)
        answer = real(array._data) if is_whole(array._dtype) else array._data.is_special(special)
        return give(finish(np.asarray(answer), BOOL), out)

    modelled(name)(test)


_infinite("isposinf", "inf")
_infinite("isneginf", "-inf")


@modelled("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Return an array with NaN and ±∞ replaced."""
    array = as_array(x)
    if not copy and type(x) is not TracedArray:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    if is_whole(array._dtype):
        return (x if array.ndim else x[()]) if not copy else FUNCTIONS["array"](array) if array.ndim else array
    limits = np.finfo(array._dtype)
    data = array._data
    for special, value in (("nan", nan), ("inf", limits.max if posinf is None else posinf),
                           ("-inf", limits.min if neginf is None else neginf)):  # fmt: skip
        chosen = np.asarray(data.is_special(special))
        if chosen.any():
            data = where(chosen, exact(as_array(value)), data)
    if not copy:
        x[...] = wrap(data, array._dtype)
        return x if array.ndim else x[()]
    return finish(laid_out(data, pattern(array._data)), array._dtype)


@modelled("clip")
def clip(
    a: Any, a_min: Any = np._NoValue, a_max: Any = np._NoValue, out: Any = None, *, min: Any = np._NoValue,
    max: Any = np._NoValue, **options: Any,
) -> Any:  # fmt: skip
    """Return ``min(max(a, low), high)``."""
    low = min if a_min is np._NoValue else a_min
    high = max if a_max is np._NoValue else a_max
    low, high = (None if limit is np._NoValue else limit for limit in (low, high))
    where_ = options.pop("where", True)
    if options or where_ is not True:
        current().refuse("np.clip", f"options {sorted(options)}")
    x = as_array(a)
    if low is None and high is None:
        return give(FUNCTIONS["positive"](x), out)
    limits = [limit for limit in (low, high) if limit is not None]
    kinds = [weak_kind(x), *(weak_kind(limit) for limit in limits)]
    dtype = common_dtype(kinds)
    if is_whole(dtype):
        options = {"min": None if low is None else raw(low), "max": None if high is None else raw(high)}
        result = np.clip(x._data, **options)
        return give(finish(np.asarray(result), result.dtype), out)
    data = [exact(x)] + [exact(as_array(limit)) for limit in limits]
    if low is None:
        return compute(minimum, data, dtype, out, True)
    if high is None:
        return compute(EXACT["maximum"], data, dtype, out, True)
    return compute(EXACT["clip"], data, dtype, out, True)


@modelled("sinc")
def sinc(x: Any) -> Any:
    """Refuse: the removable singularity needs a case."""
    current().refuse("np.sinc", "the function has no exact model")


@modelled("round", "around")
def around(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """Return constants rounded to whole numbers; refuse for anything else."""
    x = as_array(a)
    if x._dtype.kind == "b":
        current().refuse("np.round", "bools", "numbers")
    if is_whole(x._dtype):
        result = np.round(x._data, raw(decimals))
        return give(finish(np.asarray(result), np.asarray(result).dtype), out)
    if raw(decimals):
        current().refuse("np.round", "rounding to decimals", "round nothing")
    return FUNCTIONS["rint"](x, out=out)


@modelled("fix")
def fix(x: Any, out: Any = None) -> Any:
    """Return constants rounded towards zero."""
    return FUNCTIONS["trunc"](x, out=out)


def _same(*names: str) -> None:
    for name in names:
        modelled(name)(lambda val: val if is_traced(val) or isinstance(val, float) else FUNCTIONS["asarray"](val))


_same("real")


def _type_question(name: str) -> None:
    real = getattr(np, name)

    def question(x: Any) -> Any:
        return real(x._stand_in() if is_traced(x) else x)

    modelled(name)(question)


for _name in ("iscomplexobj", "isrealobj", "isscalar", "iterable"):
    _type_question(_name)


@modelled("shape")
def shape(a: Any) -> Any:
    """Return the shape."""
    return size_tuple(shape_of(as_array(a)))


@modelled("ndim")
def ndim(a: Any) -> int:
    """Return the number of axes."""
    return int(as_array(a).ndim)


@modelled("size")
def size(a: Any, axis: Any = None) -> Any:
    """Return the number of entries, of one axis if asked."""
    x = as_array(a)
    return x.size if axis is None else x.shape[raw(axis)]


def _buffers(a: Any) -> Any:
    data = as_array(a)._data
    return getattr(data, "nodes", data)


def _memory(name: str) -> None:
    real = getattr(np, name)

    def question(a: Any, b: Any, max_work: Any = None) -> bool:
        x, y = _buffers(a), _buffers(b)
        if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
            current().refuse(f"np.{name}", "whether arrays share memory")
        return bool(real(x, y))

    modelled(name)(question)


_memory("shares_memory")
_memory("may_share_memory")


def _dtypes(value: Any) -> Any:
    if is_traced(value):
        kind = weak_kind(value)
        return 0.0 if kind is float else value._dtype
    return np.dtype(value) if isinstance(value, ScalarType) else raw(value)


def _dtype_question(name: str) -> None:
    real = getattr(np, name)
    modelled(name)(lambda *args, **options: real(*map(_dtypes, args), **options))


for _name in ("result_type", "promote_types", "can_cast", "issubdtype", "isdtype", "mintypecode"):
    _dtype_question(_name)


@modelled("min_scalar_type")
def min_scalar_type(a: Any) -> Any:
    """Return the dtype of an array; the smallest one that a number fits into depends on its value, and is refused."""
    if is_traced(a) and not shape_of(as_array(a)):
        current().refuse("np.min_scalar_type", "the answer depends on the size of an unknown number", "a dtype")
    return np.min_scalar_type(np.empty(shape_of(a), a._dtype) if is_traced(a) else a)


@modelled("common_type")
def common_type(*arrays: Any) -> Any:
    """Return the common inexact scalar type."""
    return np.common_type(*(np.empty(0, as_array(a)._dtype) for a in arrays))


@modelled("iscomplex")
def iscomplex(x: Any) -> Any:
    """Return all false: there are no complex numbers."""
    return finish(np.zeros(shape_of(as_array(x)), bool), BOOL)


@modelled("isreal")
def isreal(x: Any) -> Any:
    """Return all true: there are no complex numbers."""
    return finish(np.ones(shape_of(as_array(x)), bool), BOOL)


@modelled("astype")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """Return an array in another dtype."""
    if not is_traced(x):
        raise TypeError("Input should be a NumPy array. It is of type " + type(x).__name__)
    return x.astype(dtype, copy=copy)


@modelled("require")
def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    """Return an array in a layout."""
    order = {"F": "F", "F_CONTIGUOUS": "F", "C": "C", "C_CONTIGUOUS": "C"}
    given = [requirements] if isinstance(requirements, str) else list(requirements or [])
    wanted = [r for r in given if r not in ("A", "ALIGNED")]  # as all arrays are
    if any(r not in order for r in wanted):
        current().refuse("np.require", f"requirements {wanted}")
    return FUNCTIONS["asarray"](a, dtype, order[wanted[0]] if wanted else None)
