"""Functions that call functions of the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from attn_verify.arithmetic.tracing.array import shape_of
from attn_verify.arithmetic.tracing.convert import as_array, raw
from attn_verify.arithmetic.tracing.dtypes import is_float
from attn_verify.arithmetic.tracing.registry import FUNCTIONS
from attn_verify.arithmetic.tracing.session import current


class Vectorize:
    """A function of numbers, applied entry by entry with broadcasting."""

    def __init__(
        self, pyfunc: Callable[..., Any], otypes: Any = None, doc: Any = None, excluded: Any = None,
        cache: bool = False, signature: Any = None,
    ) -> None:  # fmt: skip
        if excluded or signature:
            current().refuse("np.vectorize", "excluded or signature")
        self._f = pyfunc
        self._types = otypes
        self.__name__ = getattr(pyfunc, "__name__", "vectorize")

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return the array of the function's values."""
        if options:
            current().refuse("np.vectorize", "arguments by name")
        arrays = FUNCTIONS["broadcast_arrays"](*(as_array(a) for a in args))
        shape = shape_of(arrays[0])
        values = [self._f(*(a[place] for a in arrays)) for place in np.ndindex(*shape)]
        if not values:
            if self._types is None:
                raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
            return FUNCTIONS["zeros"](shape, self._types[0])
        if isinstance(values[0], tuple):
            current().refuse("np.vectorize", "a function with several results")
        dtype = self._types[0] if self._types else as_array(values[0]).dtype
        return FUNCTIONS["array"](values, dtype=dtype).reshape(shape)


def apply_along_axis(func1d: Callable[..., Any], axis: Any, arr: Any, *args: Any, **options: Any) -> Any:
    """Return the results of a function of vectors, for all vectors along an axis."""
    x = as_array(arr)
    axis = normalize_axis_index(raw(axis), x.ndim)
    lanes = FUNCTIONS["moveaxis"](x, axis, -1)
    outer = shape_of(lanes)[:-1]
    results = [as_array(func1d(lanes[place], *args, **options)) for place in np.ndindex(*outer)]
    if not results:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    inner = shape_of(results[0])
    # NumPy writes all results into an array of the first one's dtype and shape.
    stacked = FUNCTIONS["empty" if is_float(results[0]._dtype) else "zeros"]((len(results), *inner), results[0]._dtype)
    for number, result in enumerate(results):
        stacked[number] = result
    stacked = stacked.reshape(outer + inner)
    rank = len(inner)
    if not rank:
        return stacked if outer else stacked[()]
    sources = list(range(len(outer), len(outer) + rank))
    return FUNCTIONS["moveaxis"](stacked, sources, list(range(axis, axis + rank)))


FUNCTIONS["vectorize"] = Vectorize
FUNCTIONS["apply_along_axis"] = apply_along_axis
