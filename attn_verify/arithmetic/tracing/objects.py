"""``np.frompyfunc``: a function of Python numbers, applied entry by entry; its results are Python objects.

An array of objects can be cast to floats; whatever else is done with it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.array import TracedScalar, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_float
from attn_verify.arithmetic.tracing.higher import entry, in_turn
from attn_verify.arithmetic.tracing.methods import python_value
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, modelled
from attn_verify.arithmetic.tracing.session import current

_REMEDY = "cast it at once: .astype(float)"


class Objects:
    """An array of Python objects, ``dtype=object`` in NumPy."""

    __slots__ = ("_items", "_like")
    is_ndarray = True

    def __init__(self, items: list[Any], like: NDArray[Any]) -> None:
        self._items = items
        self._like = like  # of the same shape, lies in memory as this does

    def astype(self, dtype: Any, **options: Any) -> Any:
        """Return the numbers as an array of floats."""
        kind = as_dtype(dtype)
        if options or not is_float(kind) or not all(map(_is_number, self._items)):
            current().refuse("ndarray.astype", f"objects as {kind}", ".astype(float)")
        made = FUNCTIONS["array"](self._items, dtype=kind).reshape(self._like.shape)
        return wrap(laid_out(made._data, self._like), kind)

    def _stand_in(self) -> Any:
        return np.ones(self._like.shape, object)


def _is_number(item: Any) -> bool:
    return type(item) in (int, float, bool) or issubclass(type(item), TracedScalar)


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        current().refuse(f"ndarray.{name}", "an array of objects has no exact model", _REMEDY)

    return refuse


_KEPT = {"__class__", "__init__", "__new__", "__getattribute__", "__setattr__", "__delattr__", "__dir__", "__doc__",
         "__init_subclass__", "__subclasshook__", "__class_getitem__", "astype"}  # fmt: skip
for _name in sorted({*dir(np.ndarray), "__array_interface__"} - _KEPT):
    # attributes refuse when they are read, methods too
    setattr(Objects, _name, _refusing(_name) if _name.startswith("__") else property(_refusing(_name)))


class FromPyFunc:
    """A function of Python numbers, with broadcasting."""

    __slots__ = ("_f", "_nin")

    def __init__(self, f: Callable[..., Any], nin: int) -> None:
        self._f = f
        self._nin = nin

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return the array of the function's values, or its value for numbers."""
        if options or len(args) != self._nin:
            current().refuse("np.frompyfunc", "out=, options, or another number of arguments")
        arrays = [as_array(a) for a in args]
        calls, order = in_turn([pattern(x._data) for x in arrays])
        # all numbers are read before the first call
        given = [[python_value(entry(x, i)) for x, i in zip(arrays, call, strict=True)] for call in calls]
        values = [self._f(*numbers) for numbers in given]
        return Objects([values[number] for number in order.ravel()], order) if order.shape else values[0]

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ufunc, name):
            current().refuse(f"np.frompyfunc.{name}", "the method has no exact model")
        raise AttributeError(f"'numpy.ufunc' object has no attribute {name!r}")


@modelled("frompyfunc")
def frompyfunc(func: Any, nin: Any, nout: Any, /, *, identity: Any = None) -> Any:
    """Return ``func`` as a function of arrays, entry by entry."""
    np.frompyfunc(func, nin, nout)
    if nout != 1 or nin < 1 or identity is not None:
        current().refuse("np.frompyfunc", "several results, no arguments, or an identity")
    return FromPyFunc(func, int(nin))
