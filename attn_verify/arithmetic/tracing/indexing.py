"""Reading and writing entries: NumPy's own indexing moves them, so that views and copies are as there."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, TracedScalar, finish, is_traced, scalar, wrap
from attn_verify.arithmetic.tracing.convert import NotNumericError, as_array, cast, check_fits, raw, refuse_overlap
from attn_verify.arithmetic.tracing.dtypes import is_float
from attn_verify.arithmetic.tracing.facade import of_instance, ours
from attn_verify.arithmetic.tracing.foreign import refuse_foreign
from attn_verify.arithmetic.tracing.registry import rehearsed
from attn_verify.arithmetic.tracing.session import current


def concrete_key(key: Any) -> Any:
    """Return an index without traced arrays; floats are no index."""
    if isinstance(key, tuple):
        return tuple(concrete_key(part) for part in key)
    if is_traced(key):
        if is_float(key._dtype):
            raise IndexError("arrays used as indices must be of integer (or boolean) type")
        # An array without axes chooses a copy, a number a view.
        return key._data if type(key) is TracedArray else key._data[()]
    if isinstance(key, list):
        return raw(as_array(key)) if key else key
    parts = (key.start, key.stop, key.step) if isinstance(key, slice) else (key,)
    refuse_foreign("indexing", parts)
    return key


def get(x: Any, key: Any) -> Any:
    """Return ``x[key]``: a view, a copy or a scalar."""
    key = concrete_key(key)
    source = x._data
    if issubclass(type(x), TracedScalar):
        # there are no views of a scalar
        source = source.copy() if isinstance(source, np.ndarray) else source.move(lambda a: a.copy())
    data = source[key] if isinstance(source, np.ndarray) else source.move(lambda a: a[key])
    if not isinstance(data, np.ndarray) and not hasattr(data, "compare"):
        return scalar(np.asarray(data), x._dtype)
    if data.shape:
        return wrap(data, x._dtype)
    # a 0-d result is an array only where the index has an ellipsis
    shape = x._data.shape
    is_array = isinstance(np.broadcast_to(np.int8(0), shape)[key], np.ndarray)
    return wrap(data, x._dtype) if is_array else scalar(data, x._dtype)


def put(x: Any, key: Any, value: Any) -> None:
    """Write ``x[key] = value``; ``value`` is cast and broadcast."""
    key = concrete_key(key)
    check_fits(value, x._dtype)
    try:
        source = as_array(value)
    except NotNumericError:
        np.ones(x._data.shape, x._dtype)[key] = value
        current().refuse("assignment", f"a {type(value).__name__} as a number", "assign numbers")
    if not isinstance(np.broadcast_to(np.int8(0), x._data.shape)[key], np.ndarray):
        if source._data.shape:
            # one entry takes one number: NumPy raises, or reads an array of one
            np.ones(x._data.shape)[key] = np.ones(source._data.shape)
            source = source._move(lambda a: a.reshape(()))
        # as an array of no axes, so that object arrays take the entry and not the array that holds it
        key = (*key, Ellipsis) if isinstance(key, tuple) else (key, Ellipsis)
    data = cast(source, x._dtype, "assignment")
    if isinstance(x._data, np.ndarray):
        x._data[key] = data
    else:
        x._data.assign(key, data)


def rows(x: Any) -> Iterator[Any]:
    """Yield the entries of the first axis, as long as it is at that moment."""
    i = 0
    while x._data.shape and i < x._data.shape[0]:
        yield x[i]
        i += 1


class Flat:
    """The entries of an array in C order, as ``array.flat``."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._next = 0  # where iterating goes on

    def __getattribute__(self, name: str) -> Any:
        """Show the target what NumPy's own iterator shows."""
        if ours():
            return object.__getattribute__(self, name)
        return np.flatiter if name == "__class__" else of_instance(self, name, np.flatiter)

    def _positions(self) -> Any:
        shape = self._array._data.shape
        return np.arange(int(np.prod(shape, dtype=np.int64)))

    def _places(self, positions: Any) -> Any:
        return np.unravel_index(positions, self._array._data.shape)

    def __getitem__(self, key: Any) -> Any:
        return rehearsed("ndarray.flat", Flat._get, operator.getitem, (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        rehearsed("ndarray.flat", Flat._put, operator.setitem, (self, key, value), {})

    def _get(self, key: Any) -> Any:
        self._require_start()
        positions = self._positions()[concrete_key(key)]
        shape = self._array._data.shape
        result = self._array._data
        if not shape and np.ndim(positions):
            current().refuse("ndarray.flat", "several entries of an array without axes", "ravel()")
        places = self._places(positions) if shape else ()
        moved = result[places] if isinstance(result, np.ndarray) else result.move(lambda a: a[places])
        return finish(moved, self._array._dtype)

    def _put(self, key: Any, value: Any) -> None:
        self._require_start()
        positions = self._positions()[concrete_key(key)]
        if not self._array._data.shape:
            self._array[()] = value
            return
        count = np.size(positions)
        if type(value) is Flat:
            current().refuse("ndarray.flat", "another one as the values", "ravel()")
        refuse_overlap("ndarray.flat", self._array, value)
        values = as_array(value)
        if values._data.shape:
            # NumPy repeats or cuts the values to fit
            values = values.ravel()._move(lambda a: np.resize(a, count) if a.size else a)
        put(self._array, tuple(np.reshape(part, -1) for part in self._places(positions)), values)

    def _require_start(self) -> None:
        if self._next:
            current().refuse("ndarray.flat", "an iterator that has begun is indexed", "ravel()")

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._next >= len(self):
            raise StopIteration
        self._next += 1
        return Flat(self._array)[self._next - 1]

    def __len__(self) -> int:
        return len(self._positions())

    __hash__ = None  # type: ignore[assignment]

    def _compared(self, _: object) -> NoReturn:
        current().refuse("ndarray.flat", "a comparison", "ravel()")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compared

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        current().refuse("ndarray.flat", "an array of it", "ravel()")
