"""The functions of SciPy that have an exact model.  Each is an axiom, noted, and tested against SciPy."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np
import scipy.special

from attn_verify.arithmetic.tracing.array import finish
from attn_verify.arithmetic.tracing.convert import as_array, exact
from attn_verify.arithmetic.tracing.dtypes import FLOAT64, DType, common_dtype, is_float
from attn_verify.arithmetic.tracing.elementwise import EXACT, const, log, mul, neg, sigmoid, where
from attn_verify.arithmetic.tracing.registry import guarded
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.ufunc_methods import along, axes_of
from attn_verify.arithmetic.tracing.ufuncs import give

# Modelled functions of scipy.special by name.
SPECIAL: dict[str, Callable[..., Any]] = {}


def _trusted(f: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a model into the table; its use is an assumption."""
    name = f.__name__

    @wraps(f)
    def call(*args: Any, **options: Any) -> Any:
        current().note("trusted_call", f"scipy.special.{name} computes what its documentation says")
        return f(*args, **options)

    SPECIAL[name] = guarded(f"scipy.special.{name}", call, getattr(scipy.special, name))
    return SPECIAL[name]


def _float_dtype(*arrays: Any) -> DType:
    kind = common_dtype([x._dtype for x in arrays])
    return kind if is_float(kind) else FLOAT64


def _scores(x: Any, axis: Any) -> Any:
    """Return an array from which its maximum can be subtracted: bools cannot be, nor ``∞`` from itself."""
    array = as_array(x)
    if array._dtype.kind == "b":
        raise TypeError("numpy boolean subtract")
    if any(not array._data.shape[i] for i in axes_of(array.ndim, axis)):
        raise ValueError("zero-size array to reduction operation maximum which has no identity")
    data = exact(array)
    if (data.is_special("inf") | data.is_special("nan")).any():
        current().refuse("scipy.special.softmax", "∞ or NaN among the scores", "finite scores, or −∞")
    return array


@_trusted
def softmax(x: Any, axis: Any = None) -> Any:
    """Return ``exp(x) / Σ exp(x)``."""
    array = _scores(x, axis)
    powers = exact(array).unary("exp")
    total = along("add", powers, axes_of(array.ndim, axis), True)
    return finish(EXACT["divide"](powers, total), _float_dtype(array))


@_trusted
def log_softmax(x: Any, axis: Any = None) -> Any:
    """Return ``x − ln Σ exp(x)``."""
    array = _scores(x, axis)
    data = exact(array)
    total = along("add", data.unary("exp"), axes_of(array.ndim, axis), True)
    return finish(EXACT["subtract"](data, log(total)), _float_dtype(array))


@_trusted
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:  # fmt: skip
    """Return ``ln Σ b exp(a)``."""
    if return_sign:
        current().refuse("scipy.special.logsumexp", "return_sign=True", "the logarithm of a positive sum")
    array = as_array(a)
    data = exact(array)
    kind = _float_dtype(array)
    powers = data.unary("exp")
    if b is not None:
        weights = as_array(b)
        kind = _float_dtype(array, weights)
        factor = exact(weights)
        shape = np.broadcast_shapes(data.shape, factor.shape)
        # a weight of zero removes its entry, even one with an infinite power
        gone = np.broadcast_to(factor.compare("==", const(factor, 0)), shape)
        spread = powers.move(lambda m: np.broadcast_to(m, shape))
        powers = mul(where(gone, const(powers, 0), spread), factor)
    total = along("add", powers, axes_of(len(powers.shape), axis), keepdims)
    if b is not None and total.compare("<", const(total, 0)).any():
        current().refuse("scipy.special.logsumexp", "the logarithm of a negative sum")
    return finish(log(total), kind)


def _ufunc(name: str, f: Callable[..., Any]) -> None:
    """Enter a universal function of SciPy."""

    def call(*inputs: Any, out: Any = None, **options: Any) -> Any:
        if options:
            current().refuse(f"scipy.special.{name}", f"options {sorted(options)}")
        arrays = [as_array(value) for value in inputs]
        if len(arrays) != real.nin:
            raise TypeError(f"{name}() takes {real.nin} arguments")
        return give(finish(f(*(exact(x) for x in arrays)), _float_dtype(*arrays)), out)

    real = getattr(scipy.special, name)
    call.__name__ = name
    _trusted(call)


def _log_expit(x: Any) -> Any:
    return neg(log(EXACT["add"](const(x, 1), neg(x).unary("exp"))))


def _logit(x: Any) -> Any:
    return log(EXACT["divide"](x, EXACT["subtract"](const(x, 1), x)))


def _xlogy(x: Any, y: Any) -> Any:
    shape = np.broadcast_shapes(x.shape, y.shape)
    zero = np.broadcast_to(x.compare("==", const(x, 0)) & ~np.asarray(y.is_special("nan")), shape)
    if zero.all():
        return const(x, 0).move(lambda m: np.broadcast_to(m, shape).copy())
    left = x.move(lambda m: np.broadcast_to(m, shape))
    right = y.move(lambda m: np.broadcast_to(m, shape))
    if not zero.any():
        return mul(left, log(right))
    return where(zero, const(x, 0), mul(left, log(where(zero, const(y, 1), right))))


def _entr(x: Any) -> Any:
    below = x.compare("<", const(x, 0))
    value = neg(_xlogy(where(below, const(x, 1), x), where(below, const(x, 1), x)))
    return where(below, const(x, "-inf"), value) if below.any() else value


_UFUNCS: dict[str, Callable[..., Any]] = {
    "expit": sigmoid,
    "log_expit": _log_expit,
    "logit": _logit,
    "xlogy": _xlogy,
    "entr": _entr,
    "erf": lambda x: x.apply("erf", []),
    "erfc": lambda x: EXACT["subtract"](const(x, 1), x.apply("erf", [])),
    "expm1": EXACT["expm1"],
    "log1p": EXACT["log1p"],
    "exp2": EXACT["exp2"],
}
for _name, _f in _UFUNCS.items():
    _ufunc(_name, _f)


@cache
def scipy_model() -> types.ModuleType:
    """Return the module that stands for ``scipy``."""
    import scipy

    from attn_verify.arithmetic.tracing.modules import Model

    special = Model("scipy.special", scipy.special, dict(SPECIAL))
    return Model("scipy", scipy, {"special": special})
