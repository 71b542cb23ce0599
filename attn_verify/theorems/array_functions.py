"""The functions of claims, on arrays of any size, and NumPy's names for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.terms import Abs, App, Delta, Deriv, Exp, Log, Num, Size, Sort, Trig, walk
from attn_verify.theorems.array_refusals import error
from attn_verify.theorems.arrays import (
    HALF,
    MOST_PROBED,
    ONE_PLACE,
    Array,
    array,
    average,
    each,
    fraction,
    matmul,
    power,
    probe,
    said,
    total,
    transpose,
    value_of,
)  # fmt: skip


def logarithm(a: Any) -> Array:
    """Take logarithms; one of zero, or of a negative number, is an error."""
    a = array(a)
    if a.parts > MOST_PROBED:
        return each(Log, a)
    inner = fraction(probe(a))
    if inner is not None and inner <= 0:
        raise error("the logarithm of a number that is never positive", remedy="logarithms are of positive numbers")
    return each(Log, a)


def softmax(a: Any) -> Array:
    """Softmax over the last axis."""
    a = _vector(a, "softmax")
    return exp(a) / total(exp(a), -1, keepdims=True)


def logsumexp(a: Any) -> Array:
    """Logarithm of the sum of exponentials over the last axis."""
    return logarithm(total(exp(_vector(a, "logsumexp")), -1))


def _vector(a: Any, operation: str) -> Array:
    found = array(a)
    if not found.axes or found.axes[-1] == ONE_PLACE:
        remedy = f"{operation} is over the last axis of a vector or matrix"
        raise error(f"{operation} of {said(found)}", remedy=remedy)
    return found


def exp(a: Any) -> Array:
    """Exponentials of all entries."""
    return each(Exp, a)


def dot(a: Any, b: Any) -> Array:
    """Return the scalar product of two vectors."""
    a, b = array(a), array(b)
    if a.ndim != 1 or b.ndim != 1:
        raise error(f"dot of {said(a)} and {said(b)}", remedy="dot is of two vectors; use @ for matrices")
    return matmul(a, b)


def norm2(a: Any) -> Array:
    """Return the sum of the squares of all entries."""
    return total(power(array(a), Fraction(2)))


def diag(a: Any) -> Array:
    """Return the diagonal matrix of a vector, or the diagonal of a square matrix."""
    a = array(a)
    if a.ndim == 1:
        sort = a.axes[0]
        return Array((sort, sort), lambda p: Delta(p[0], p[1]) * a.entry((p[0],)), parts=a.parts + 2)
    if a.ndim == 2 and a.axes[0] == a.axes[1]:
        return Array((a.axes[0],), lambda p: a.entry((p[0], p[0])), parts=a.parts)
    raise error(f"diag of {said(a)}", remedy="diag is of a vector, or of a matrix with two equal axes")


def trace(a: Any) -> Array:
    """Return the sum of the diagonal of a square matrix."""
    if array(a).ndim != 2:
        raise error(f"trace of {said(array(a))}", remedy="a trace is of a matrix with two equal axes")
    return total(diag(a))


def _sort(a: Any, operation: str) -> Sort:
    a = array(a)
    found = value_of(a) if not a.axes else None
    if not isinstance(found, Size):
        raise error(f"{operation} of {said(a)}", remedy=f"give a size, such as {operation}(n)")
    return found.sort


def ones(a: Any) -> Array:
    """Return ones in the shape of an array, or as many as a size says."""
    a = array(a)
    shape = a.axes or (_sort(a, "ones"),)
    return Array(shape, lambda _: Num(Fraction(1)))


def eye(a: Any) -> Array:
    """Return the identity matrix of a size."""
    sort = _sort(a, "eye")
    return Array((sort, sort), lambda p: Delta(p[0], p[1]))


def larger(a: Any, b: Any) -> Array:
    """Return the larger of two numbers, entry by entry: (a + b + |a − b|)/2."""
    a, b = array(a), array(b)
    return each(lambda x: Num(HALF) * x, a + b + each(Abs, a - b))


def smaller(a: Any, b: Any) -> Array:
    """Return the smaller of two numbers, entry by entry: (a + b − |a − b|)/2."""
    a, b = array(a), array(b)
    return each(lambda x: Num(HALF) * x, a + b - each(Abs, a - b))


def sigmoid(a: Any) -> Array:
    """Return 1/(1 + e^(−x)) of all entries."""
    return each(lambda x: 1 / (1 + Exp(-x)), a)


def tanh(a: Any) -> Array:
    """Return the hyperbolic tangent of all entries."""
    twice = exp(2 * array(a))
    return (twice - 1) / (twice + 1)


def grad(a: Any, by: Any) -> Array:
    """Return the derivatives of all entries by all entries of a letter; the axes of the letter come last."""
    a, by = array(a), array(by)
    if by.symbol is None:
        raise error("a derivative by an expression", remedy="grad(f, x) is by a letter x of the claim")
    symbol, cut = by.symbol, a.ndim
    if any(isinstance(t, Deriv) for t in walk(probe(a))):
        raise error("grad of grad", remedy="second derivatives are not supported; write out the first one")
    if any(isinstance(t, Abs) for t in walk(probe(a))):
        raise error("a derivative of a magnitude", remedy="abs, max and min have none everywhere")
    return Array((*a.axes, *by.axes), lambda p: Deriv(a.entry(p[:cut]), App(symbol, p[cut:])), parts=2 * a.parts)


FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "softmax": softmax,
    "logsumexp": logsumexp,
    "exp": exp,
    "log": logarithm,
    "sqrt": lambda a: power(array(a), HALF),
    "abs": lambda a: each(Abs, a),
    "sq": lambda a: power(array(a), Fraction(2)),
    "sum": lambda a: total(a),
    "mean": lambda a: average(a),
    "rowsum": lambda a: total(a, -1),
    "colsum": lambda a: total(a, 0),
    "dot": dot,
    "norm2": norm2,
    "transpose": transpose,
    "diag": diag,
    "trace": trace,
    "ones": ones,
    "eye": eye,
    "max": larger,
    "min": smaller,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "cos": lambda a: each(lambda x: Trig("cos", x), a),
    "sin": lambda a: each(lambda x: Trig("sin", x), a),
    "grad": grad,
}

UFUNCS: Mapping[str, Callable[..., Array]] = {
    "add": lambda a, b: array(a) + b,
    "subtract": lambda a, b: array(a) - b,
    "multiply": lambda a, b: array(a) * b,
    "divide": lambda a, b: array(a) / b,
    "negative": lambda a: -array(a),
    "positive": lambda a: +array(a),
    "matmul": lambda a, b: array(a) @ b,
    "power": lambda a, b: array(a) ** b,
    "maximum": larger,
    "minimum": smaller,
    **{name: FUNCTIONS[name] for name in ("exp", "log", "sqrt", "tanh", "cos", "sin")},
    "absolute": FUNCTIONS["abs"],
    "square": FUNCTIONS["sq"],
}


def _zeros(a: Any) -> Array:
    return Array(array(a).axes, lambda _: Num(Fraction(0)))


def _ones(a: Any) -> Array:
    return Array(array(a).axes, lambda _: Num(Fraction(1)))


def _product(a: Any, b: Any) -> Any:
    a, b = array(a), array(b)
    return a @ b if a.ndim and b.ndim else a * b


WHOLE: Mapping[str, Callable[..., Any]] = {
    "sum": lambda a, axis=None, *, keepdims=False: array(a).sum(axis, keepdims=keepdims),
    "mean": lambda a, axis=None, *, keepdims=False: array(a).mean(axis, keepdims=keepdims),
    "dot": _product,
    "inner": dot,
    "vdot": dot,
    "transpose": transpose,
    "trace": trace,
    "diag": diag,
    "ones_like": _ones,
    "zeros_like": _zeros,
    "ndim": lambda a: array(a).ndim,
    "shape": lambda a: array(a).shape,
}


def elementwise(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Run one of NumPy's element-wise functions, which is known and called without options."""
    import numpy as np

    name = ufunc.__name__
    if method != "__call__" or options or name not in UFUNCS or getattr(np, name, None) is not ufunc:
        remedy = "known: " + ", ".join(sorted(UFUNCS))
        raise error(f"numpy.{name} has no meaning for arrays of any size, or not like this", remedy=remedy)
    return UFUNCS[name](*inputs)


def whole(function: Any, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Run one of NumPy's functions of whole arrays, which is known and called with no options that are not."""
    import numpy as np

    name = getattr(function, "__name__", "?")
    known = WHOLE.get(name) if getattr(np, name, None) is function else None
    try:
        if known is not None:
            inspect.signature(known).bind(*inputs, **options)
    except TypeError:
        known = None
    if known is None:
        remedy = "known: " + ", ".join(sorted(WHOLE))
        raise error(f"numpy.{name} has no meaning for arrays of any size, or not like this", remedy=remedy)
    return known(*inputs, **options)
