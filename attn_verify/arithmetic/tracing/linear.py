"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import finish, is_traced, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import in_order, laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, exact, raw
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_whole, loop
from attn_verify.arithmetic.tracing.elementwise import mul, sqrt
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, guarded, modelled
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.structure import plain
from attn_verify.arithmetic.tracing.ufunc_methods import axes_of
from attn_verify.arithmetic.tracing.ufuncs import Ufunc, give


def product_dtype(*arrays: Any) -> Any:
    """Return the dtype of a product."""
    return np.result_type(*(x._dtype for x in arrays))


def matrix_product(a: Any, b: Any) -> Any:
    """Return ``a @ b`` of arrays of at least two axes, as exact data."""
    return exact(a).matmul(exact(b))


def _matmul(x1: Any, x2: Any, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    a, b = as_array(x1), as_array(x2)
    if isinstance(out, tuple):
        (out,) = out
    if is_whole(a._dtype) and is_whole(b._dtype) and dtype is None:
        result = np.matmul(a._data, b._data)
        return give(finish(np.asarray(result), result.dtype), out)
    if not a.ndim or not b.ndim:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    kind = loop(np.matmul, (a._dtype, b._dtype))[-1] if dtype is None else as_dtype(dtype)
    left = a if a.ndim > 1 else a._move(lambda data: data[None, :])
    right = b if b.ndim > 1 else b._move(lambda data: data[:, None])
    if shape_of(left)[-1] != shape_of(right)[-2]:
        raise ValueError("matmul: Input operand 1 has a mismatch in its core dimension 0")
    data = matrix_product(left, right)
    if len(data.shape) > 2:
        data = in_order(data, np.matmul(_stack_like(left), _stack_like(right)))
    if b.ndim == 1:
        data = data.move(lambda m: m[..., 0])
    if a.ndim == 1:
        data = data.move(lambda m: m[..., 0, :] if b.ndim > 1 else m[..., 0])
    return give(finish(data, kind), out)


def _stack_like(x: Any) -> Any:
    """Return a stack of 1×1 matrices of zeros whose outer axes lie in memory as those of an array."""
    whole = pattern(x._data)[..., :1, :1]
    strides = [abs(stride) for stride in whole.strides]
    span = 1 + sum((extent - 1) * stride for extent, stride in zip(whole.shape, strides, strict=True))
    return np.lib.stride_tricks.as_strided(np.zeros(max(span, 1), np.int8), whole.shape, strides, writeable=False)


class Gufunc(Ufunc):
    """A generalised universal function: matrix products."""

    def __init__(self, real: Any, f: Any) -> None:
        super().__init__(real)
        self._f = f

    def _call(self, *inputs: Any, **options: Any) -> Any:
        return self._f(*inputs, **options)


FUNCTIONS["matmul"] = Gufunc(np.matmul, _matmul)


def _vecdot(x1: Any, x2: Any, out: Any = None, *, axis: Any = -1, dtype: Any = None) -> Any:
    a, b = as_array(x1), as_array(x2)
    a, b = FUNCTIONS["moveaxis"](a, axis, -1), FUNCTIONS["moveaxis"](b, axis, -1)
    if shape_of(a)[-1] != shape_of(b)[-1]:
        raise ValueError("vecdot: Input operand 1 has a mismatch in its core dimension 0")
    return give(FUNCTIONS["sum"](FUNCTIONS["multiply"](a, b), axis=-1, dtype=dtype), out)


def _matvec(x1: Any, x2: Any, out: Any = None) -> Any:
    b = as_array(x2)
    return give(_matmul(x1, b[..., None])[..., 0], out)


def _vecmat(x1: Any, x2: Any, out: Any = None) -> Any:
    a = as_array(x1)
    return give(_matmul(a[..., None, :], x2)[..., 0, :], out)


for _name, _f in (("vecdot", _vecdot), ("matvec", _matvec), ("vecmat", _vecmat)):
    if hasattr(np, _name):
        FUNCTIONS[_name] = Gufunc(getattr(np, _name), _f)


def _scaled(real: Any, x: Any, y: Any) -> Any:
    """Return the product with a number, its entries in memory as that of ``real``."""
    product = FUNCTIONS["multiply"](x, y)
    like = np.asarray(real(*(np.zeros_like(pattern(item._data), np.float64) for item in (x, y))))
    return finish(laid_out(product._data, like), product._dtype)


@modelled("dot")
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Return the product over the last axis of ``a`` and the last but one of ``b``."""
    x, y = as_array(a), as_array(b)
    if out is not None and not (is_traced(out) and pattern(out._data).flags.c_contiguous):
        current().refuse("np.dot", "out= that does not lie in C order", "np.matmul")
    if not x.ndim or not y.ndim:
        return give(_scaled(np.dot, x, y), out)
    if y.ndim <= 2 and (x.ndim <= 2 or y.ndim == 1):
        if x.ndim > 2:
            return give(_matmul(x, y), out)
        if shape_of(x)[-1] != shape_of(y)[0]:
            raise ValueError(f"shapes {shape_of(x)} and {shape_of(y)} not aligned")
        return give(_matmul(x, y), out)
    return give(FUNCTIONS["tensordot"](x, y, axes=(-1, -2)), out)


@modelled("vdot")
def vdot(a: Any, b: Any) -> Any:
    """Return the product of two flattened arrays."""
    return _matmul(FUNCTIONS["ravel"](as_array(a)), FUNCTIONS["ravel"](as_array(b)))


@modelled("inner")
def inner(a: Any, b: Any) -> Any:
    """Return the product over the last axes."""
    x, y = as_array(a), as_array(b)
    if not x.ndim or not y.ndim:
        return _scaled(np.inner, x, y)
    if shape_of(x)[-1] != shape_of(y)[-1]:
        raise ValueError(f"shapes {shape_of(x)} and {shape_of(y)} not aligned")
    return FUNCTIONS["tensordot"](x, y, axes=(-1, -1))[()]


@modelled("outer", "linalg.outer")
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Return all products of two flattened arrays."""
    x, y = FUNCTIONS["ravel"](as_array(a)), FUNCTIONS["ravel"](as_array(b))
    return FUNCTIONS["multiply"](x[:, None], y[None, :], out=out)


@modelled("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the product summed over pairs of axes."""
    x, y = as_array(a), as_array(b)
    axes = plain(axes)
    try:
        left, right = axes
    except TypeError:
        left, right = list(range(-axes, 0)), list(range(axes))
    left = [left] if np.ndim(left) == 0 else list(left)
    right = [right] if np.ndim(right) == 0 else list(right)
    left = [int(i) + x.ndim if i < 0 else int(i) for i in left]
    right = [int(i) + y.ndim if i < 0 else int(i) for i in right]
    if len(left) != len(right) or any(shape_of(x)[i] != shape_of(y)[j] for i, j in zip(left, right, strict=True)):
        raise ValueError("shape-mismatch for sum")
    kept_left = [i for i in range(x.ndim) if i not in left]
    kept_right = [j for j in range(y.ndim) if j not in right]
    inner_size = int(np.prod([shape_of(x)[i] for i in left], dtype=np.int64))
    outer_left = [shape_of(x)[i] for i in kept_left]
    outer_right = [shape_of(y)[j] for j in kept_right]
    rows, columns = int(np.prod(outer_left, dtype=np.int64)), int(np.prod(outer_right, dtype=np.int64))
    first = x._move(lambda data: data.transpose(kept_left + left).reshape(rows, inner_size))
    second = y._move(lambda data: data.transpose(right + kept_right).reshape(inner_size, columns))
    return _matmul(first, second)._move(lambda data: data.reshape(outer_left + outer_right))


@modelled("kron")
def kron(a: Any, b: Any) -> Any:
    """Return the Kronecker product."""
    x, y = as_array(a), as_array(b)
    ndim = max(x.ndim, y.ndim)
    shape_x, shape_y = (1,) * (ndim - x.ndim) + shape_of(x), (1,) * (ndim - y.ndim) + shape_of(y)
    left = x._move(lambda d: d.reshape([n for pair in zip(shape_x, (1,) * ndim, strict=True) for n in pair]))
    right = y._move(lambda d: d.reshape([n for pair in zip((1,) * ndim, shape_y, strict=True) for n in pair]))
    product = FUNCTIONS["multiply"](left, right)
    joined = wrap(product._data, product._dtype)._move(
        lambda d: d.reshape([p * q for p, q in zip(shape_x, shape_y, strict=True)])
    )
    return finish(joined._data, joined._dtype)


@modelled("trace", "linalg.trace")
def trace(a: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """Return the sum of a diagonal."""
    return FUNCTIONS["sum"](FUNCTIONS["diagonal"](a, offset, axis1, axis2), axis=-1, dtype=dtype, out=out)


@modelled("linalg.multi_dot")
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """Return the product of several matrices."""
    items = list(arrays)
    if len(items) < 2:
        raise ValueError("Expecting at least two arrays.")
    result = items[0]
    for item in items[1:]:
        result = FUNCTIONS["dot"](result, item)
    return give(result, out)


@modelled("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the Euclidean norm, the sum or the maximum of absolute values."""
    a = as_array(x)
    kind = product_dtype(a, as_array(np.float16(0)))
    axis = raw(axis)
    one_axis = axis if isinstance(axis, (int, np.integer)) else None if axis is None else tuple(axis)
    axes_of(a.ndim, one_axis)
    vector = a.ndim == 1 if axis is None else not isinstance(one_axis, tuple) or len(one_axis) == 1
    if ord is None or (ord == 2 and vector) or (ord == "fro" and not vector):
        data = mul(exact(a), exact(a))
        kind = a._dtype if not is_whole(a._dtype) else np.dtype(float)
        squares = FUNCTIONS["sum"](wrap(data, kind), axis=one_axis, keepdims=keepdims)
        return finish(sqrt(squares._data), kind)
    if vector and ord in (1, np.inf):
        name = "sum" if ord == 1 else "max"
        values = FUNCTIONS["absolute"](FUNCTIONS["asarray"](a, kind if is_whole(a._dtype) else None))
        return FUNCTIONS[name](values, axis=one_axis, keepdims=keepdims)
    current().refuse("np.linalg.norm", f"ord={ord!r}", "the Euclidean norm")


@modelled("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return the Euclidean norm of vectors."""
    a = FUNCTIONS["ravel"](x) if axis is None else x
    if axis is None and keepdims:
        current().refuse("np.linalg.vector_norm", "keepdims without an axis")
    return FUNCTIONS["linalg.norm"](a, ord, axis, keepdims)


@modelled("linalg.matrix_power")
def matrix_power(a: Any, n: Any) -> Any:
    """Return the product of ``n`` equal matrices."""
    x = as_array(a)
    if x.ndim < 2 or shape_of(x)[-1] != shape_of(x)[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if raw(n) < 1:
        current().refuse("np.linalg.matrix_power", "an exponent below 1")
    result = x
    for _ in range(int(raw(n)) - 1):
        result = _matmul(result, x)
    return result


FUNCTIONS["linalg.matmul"] = guarded("np.linalg.matmul", _matmul, np.linalg.matmul)
FUNCTIONS["linalg.matrix_transpose"] = FUNCTIONS["matrix_transpose"]
FUNCTIONS["linalg.diagonal"] = guarded(
    "np.linalg.diagonal", lambda x, /, *, offset=0: FUNCTIONS["diagonal"](x, offset, -2, -1), np.linalg.diagonal
)
FUNCTIONS["linalg.trace"] = guarded(
    "np.linalg.trace",
    lambda x, /, *, offset=0, dtype=None: FUNCTIONS["trace"](x, offset, -2, -1, dtype),
    np.linalg.trace,
)
FUNCTIONS["linalg.vecdot"] = guarded(
    "np.linalg.vecdot", lambda x1, x2, /, *, axis=-1: _vecdot(x1, x2, axis=axis), np.linalg.vecdot
)
