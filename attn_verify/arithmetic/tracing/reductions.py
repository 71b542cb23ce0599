"""Sums, means, maxima and what is built from them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import finish, shape_of
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, cast, exact, raw, refuse_overlap
from attn_verify.arithmetic.tracing.dtypes import BOOL, FLOAT64, DType, as_dtype, is_float, is_whole
from attn_verify.arithmetic.tracing.elementwise import const, div, mul, sqrt, sub, where
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, genuine, modelled
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.ufunc_methods import along, axes_of
from attn_verify.arithmetic.tracing.ufuncs import give

_MISSING = np._NoValue


def _reduction(name: str, ufunc: str) -> None:
    def reduction(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = _MISSING,
        where: Any = True,
    ) -> Any:  # fmt: skip
        x = as_array(a)
        options: dict[str, Any] = {"axis": axis, "keepdims": keepdims is not _MISSING and keepdims, "out": out}
        if dtype is not None:
            options["dtype"] = dtype
        if initial is not _MISSING:
            options["initial"] = initial
        if where is not _MISSING and where is not True:
            options["where"] = where
        return FUNCTIONS[ufunc].reduce(x, **options)  # type: ignore[attr-defined]

    modelled(name)(reduction)


def _extremum(name: str, alias: str, ufunc: str) -> None:
    def extremum(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = _MISSING, where: Any = True
    ) -> Any:  # fmt: skip
        options: dict[str, Any] = {"axis": axis, "keepdims": keepdims is not _MISSING and keepdims, "out": out}
        if initial is not _MISSING:
            options["initial"] = initial
        if where is not _MISSING and where is not True:
            options["where"] = where
        return FUNCTIONS[ufunc].reduce(as_array(a), **options)  # type: ignore[attr-defined]

    modelled(name, alias)(extremum)


_reduction("sum", "add")
_reduction("prod", "multiply")
_extremum("max", "amax", "maximum")
_extremum("min", "amin", "minimum")


def _truth(name: str, ufunc: str) -> None:
    def truth(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, where: Any = True) -> Any:
        options = {} if where is _MISSING or where is True else {"where": where}
        keep = keepdims is not _MISSING and keepdims
        return FUNCTIONS[ufunc].reduce(as_array(a), axis=axis, out=out, keepdims=keep, **options)  # type: ignore[attr-defined]

    modelled(name)(truth)


_truth("any", "logical_or")
_truth("all", "logical_and")


def _mean_dtype(x: Any, dtype: Any) -> DType:
    if dtype is not None:
        return as_dtype(dtype)
    return x._dtype if is_float(x._dtype) else FLOAT64


def _count(shape: tuple[int, ...], axes: tuple[int, ...], mask: Any, keepdims: bool) -> Any:
    """Return how many entries each mean is taken of, as a concrete array."""
    chosen = np.ones(shape, bool) if mask is True else np.broadcast_to(as_array(mask)._data, shape)
    return np.asarray(chosen.sum(axis=axes, keepdims=keepdims))


def mean_of(data: Any, axes: tuple[int, ...], keepdims: bool, mask: Any = True) -> Any:
    """Return ``Σ x / count`` of exact data."""
    total = along("add", data, axes, keepdims, mask=mask)
    mean = div(total, type(data).of(_count(data.shape, axes, mask, keepdims)))
    return laid_out(mean, pattern(total))


@modelled("mean")
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, where: Any = True
) -> Any:  # fmt: skip
    """Return the arithmetic mean ``Σ x / n``."""
    x = as_array(a)
    keep = keepdims is not _MISSING and bool(keepdims)
    mask = True if where is _MISSING else where
    data = mean_of(exact(x), axes_of(x.ndim, axis), keep, mask)
    return give(finish(data, _mean_dtype(x, dtype)), out)


def _variance(x: Any, axis: Any, ddof: Any, keepdims: Any, mask: Any) -> Any:
    data, axes = exact(x), axes_of(x.ndim, axis)
    centred = sub(data, mean_of(data, axes, True, mask))
    keep = keepdims is not _MISSING and bool(keepdims)
    total = along("add", mul(centred, centred), axes, keep, mask=mask)
    count = _count(data.shape, axes, mask, keep) - raw(ddof)
    if np.any(count <= 0):
        current().refuse("np.var", "as many degrees of freedom removed as there are entries")
    return laid_out(div(total, type(data).of(count)), pattern(total))


@modelled("var")
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    """Return the variance ``Σ (x − mean)² / (n − ddof)``."""
    x = as_array(a)
    return give(finish(_variance(x, axis, ddof, keepdims, where), _mean_dtype(x, dtype)), out)


@modelled("std")
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    """Return the square root of the variance."""
    x = as_array(a)
    return give(finish(sqrt(_variance(x, axis, ddof, keepdims, where)), _mean_dtype(x, dtype)), out)


@modelled("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """Return ``Σ w x / Σ w``."""
    x = as_array(a)
    if weights is None:
        if returned:
            current().refuse("np.average", "returned=True")
        return FUNCTIONS["mean"](x, axis=axis, keepdims=keepdims)
    w = as_array(weights)
    if shape_of(w) != shape_of(x):
        axes = axes_of(x.ndim, axis)
        if axis is None:
            raise TypeError("Axis must be specified when shapes of a and weights differ.")
        if tuple(shape_of(x)[i] for i in axes) != shape_of(w):
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        w = w[tuple(slice(None) if i in axes else None for i in range(x.ndim))]
    w = FUNCTIONS["broadcast_to"](w, shape_of(x))
    keep = {"axis": axis, "keepdims": keepdims is not _MISSING and keepdims}
    scale = FUNCTIONS["sum"](w, **keep)
    if FUNCTIONS["any"](FUNCTIONS["equal"](scale, 0)):
        raise genuine(ZeroDivisionError("Weights sum to zero, can't be normalized"))
    result = FUNCTIONS["true_divide"](FUNCTIONS["sum"](FUNCTIONS["multiply"](x, w), **keep), scale)
    return (result, FUNCTIONS["broadcast_to"](scale, shape_of(result)).copy()) if returned else result


def _cumulative(name: str, ufunc: str) -> None:
    def cumulative(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        x = as_array(a)
        if axis is None:
            x, axis = FUNCTIONS["ravel"](x), 0
        if is_whole(x._dtype) and dtype is None:
            # small integers accumulate in the platform's integer, which only the function itself knows
            result = getattr(np, name)(x._data, axis=raw(axis))
            return give(finish(result, result.dtype), out)
        return FUNCTIONS[ufunc].accumulate(x, axis=axis, dtype=dtype, out=out)  # type: ignore[attr-defined]

    modelled(name)(cumulative)


_cumulative("cumsum", "add")
_cumulative("cumprod", "multiply")


@modelled("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Return how many entries are not zero."""
    result = np.count_nonzero(cast(as_array(a), BOOL), axis=raw(axis), keepdims=keepdims)
    return result if isinstance(result, int) else finish(np.asarray(result), np.asarray(result).dtype)


@modelled("ptp")
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """Return the largest minus the smallest entry."""
    keep = keepdims is not _MISSING and keepdims
    if out is not None:
        refuse_overlap("np.ptp", out, a)
    high, low = (FUNCTIONS[name](a, axis=axis, keepdims=keep) for name in ("max", "min"))
    return FUNCTIONS["subtract"](high, low, out=out)


def _ignoring_nan(name: str, plain: str, filler: Fraction | str) -> None:
    def reduction(a: Any, axis: Any = None, **options: Any) -> Any:
        x = as_array(a)
        if is_whole(x._dtype):
            return FUNCTIONS[plain](x, axis=axis, **options)
        nan = x._data.is_special("nan")
        if not nan.any():
            return FUNCTIONS[plain](x, axis=axis, **options)
        if plain == "mean":
            return FUNCTIONS["mean"](x, axis=axis, where=finish(~nan, BOOL), **options)
        data = where(nan, const(x._data, filler), x._data)
        if plain in ("max", "min") and nan.all(axis=raw(axis)).any():
            current().refuse(f"np.{name}", "a row of NaN only")
        return FUNCTIONS[plain](finish(data, x._dtype), axis=axis, **options)

    modelled(name)(reduction)


_ignoring_nan("nansum", "sum", Fraction(0))
_ignoring_nan("nanprod", "prod", Fraction(1))
_ignoring_nan("nanmax", "max", "-inf")
_ignoring_nan("nanmin", "min", "inf")
_ignoring_nan("nanmean", "mean", Fraction(0))


@modelled("bincount")
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    """Return how often every whole number is there, or the sums of its weights."""
    places = as_array(x)
    if not is_whole(places._dtype):
        raise TypeError("numbers that are not whole")
    if weights is None:
        return as_array(np.bincount(places._data, minlength=raw(minlength)))
    w = as_array(weights)
    count = len(np.bincount(places._data, np.ones(shape_of(w)), raw(minlength)))
    result = FUNCTIONS["zeros"](count)
    FUNCTIONS["add"].at(result, places, w)  # type: ignore[attr-defined]
    return result
