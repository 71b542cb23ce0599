"""The array that a target computes with: exact real numbers, or concrete bools and integers.

It behaves as ``numpy.ndarray`` where the model covers it and refuses elsewhere.  It is no subclass of
``ndarray``, so that no part of NumPy can take it for an array of its own and lose the numbers.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeGuard

import numpy as np

from attn_verify.arithmetic.tracing.carrier import pattern
from attn_verify.arithmetic.tracing.dtypes import DType, is_float
from attn_verify.arithmetic.tracing.facade import of_class, of_instance, ours
from attn_verify.arithmetic.tracing.outward import Outward
from attn_verify.arithmetic.tracing.registry import FUNCTIONS
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.sizes import SizeInt, size_tuple

_NDARRAY_NAMES = frozenset(dir(np.ndarray)) | {"__array_interface__", "__array_struct__"}
_SCALAR_NAMES = frozenset(dir(np.float64))
_FLOAT_NAMES = frozenset(dir(float))


class ArrayType(type):
    """The type of traced arrays; scalars are no instances, as NumPy's are no ``ndarray``."""

    def __getattribute__(cls, name: str) -> Any:
        """Show the target what ``numpy.ndarray`` shows."""
        if ours():
            return type.__getattribute__(cls, name)
        real = np.ndarray if cls is TracedArray else float if cls is TracedFloat else np.float64
        return of_class(cls, name, real)

    def __dir__(cls) -> list[str]:
        return dir(np.ndarray)

    def __sizeof__(cls) -> NoReturn:
        current().refuse("sys.getsizeof", "the size of the object in memory")

    def __instancecheck__(cls, instance: Any) -> bool:
        """Answer as ``isinstance(instance, np.ndarray)`` would in NumPy."""
        kind = type(instance)
        if cls is TracedArray:
            own = issubclass(kind, TracedArray) and not issubclass(kind, TracedScalar)
            return own or issubclass(kind, np.ndarray) or getattr(kind, "is_ndarray", False) is True
        return issubclass(kind, cls)


class TracedArray(Outward, metaclass=ArrayType):
    """An array of the model, ``numpy.ndarray`` for the target.

    ``_data`` is a carrier of exact numbers, or an ``ndarray`` of bools or integers; ``_dtype`` is the dtype that
    the array would have in NumPy.
    """

    __slots__ = ("__weakref__", "_data", "_dtype")
    __hash__ = None  # type: ignore[assignment]  # so that ``collections.abc.Hashable`` answers as in NumPy
    _data: Any
    _dtype: DType

    def __new__(cls, shape: Any = None, dtype: Any = float, *rest: Any, **options: Any) -> Any:
        """Return an array that holds nothing yet, as ``np.ndarray(shape, dtype)`` does."""
        if cls is not TracedArray:
            current().refuse("np.ndarray", "a subclass of ndarray", "a function of plain arrays")
        if shape is None:
            raise TypeError("ndarray() missing required argument 'shape' (pos 0)")
        if rest or options:
            current().refuse("np.ndarray", "an array over a buffer", "np.array or np.zeros")
        return FUNCTIONS["empty"](shape, dtype)

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any:
        """Return NumPy's own generic alias, for annotations."""
        return np.ndarray[item]

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def shape(self) -> Any:
        """The shape, of numbers that remember being sizes."""
        return size_tuple(self._data.shape)

    @shape.setter
    def shape(self, value: Any) -> None:
        def reshaped(a: Any) -> Any:
            a = a.view()
            a.shape = value
            return a

        self._data = _moved(self._data, reshaped)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._data.shape)

    @property
    def size(self) -> Any:
        """The number of entries."""
        return SizeInt(int(np.prod(self._data.shape, dtype=np.int64)))

    @property
    def dtype(self) -> DType:
        """The dtype in NumPy."""
        return self._dtype

    @property
    def itemsize(self) -> int:
        """Bytes an entry, in NumPy."""
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of the array, in NumPy."""
        return int(self.size) * self._dtype.itemsize

    @property
    def T(self) -> Any:
        """The transposed array, a view."""
        return self._move(lambda a: a.T)

    @property
    def mT(self) -> Any:
        """The array with its last two axes exchanged, a view."""
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return self._move(lambda a: a.swapaxes(-1, -2))

    @property
    def real(self) -> Any:
        """The array itself: there are no complex numbers."""
        return self

    @property
    def flat(self) -> Any:
        """The entries in C order, to read and write."""
        from attn_verify.arithmetic.tracing.indexing import Flat

        return Flat(self)

    def __getattribute__(self, name: str) -> Any:
        """Show the target what NumPy's object shows."""
        if ours():
            return object.__getattribute__(self, name)
        kind = type(self)
        dtype = object.__getattribute__(self, "_dtype")
        real = np.ndarray if kind is TracedArray else float if kind is TracedFloat else dtype.type
        return of_instance(self, name, real)

    def __dir__(self) -> list[str]:
        return dir(self._stand_in())

    def __getattr__(self, name: str) -> Any:
        """Refuse what NumPy's arrays have and the model lacks."""
        names = {TracedScalar: _SCALAR_NAMES, TracedFloat: _FLOAT_NAMES}.get(type(self), _NDARRAY_NAMES)
        if name in names:
            owner = "float" if names is _FLOAT_NAMES else "ndarray"
            current().refuse(f"{owner}.{name}", "the attribute has no exact model")
        raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("_data", "_dtype", "shape"):
            if name in _NDARRAY_NAMES:
                current().refuse(f"ndarray.{name}", "setting the attribute has no exact model")
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        object.__setattr__(self, name, value)

    # -- entries ------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        from attn_verify.arithmetic.tracing.indexing import get

        return get(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        from attn_verify.arithmetic.tracing.indexing import put

        put(self, key, value)

    def __len__(self) -> int:
        if not self._data.shape:
            raise TypeError("len() of unsized object")
        return int(self._data.shape[0])

    def __iter__(self) -> Any:
        if not self._data.shape:
            raise TypeError("iteration over a 0-d array")
        from attn_verify.arithmetic.tracing.indexing import rows

        return rows(self)

    def __contains__(self, value: Any) -> bool:
        return bool(FUNCTIONS["any"](self == value))

    # -- for the modules of the model ---------------------------------------------------------------------

    def _move(self, f: Any) -> Any:
        """Return the array of the entries that ``f`` arranges, a view where ``f`` makes views."""
        return wrap(_moved(self._data, f), self._dtype)

    def _same(self, f: Any) -> Any:
        """Return what ``_move`` does, the array itself where ``f`` returns the very array that it is given."""
        data = pattern(self._data)
        return self if f(data) is data and type(self) is TracedArray else self._move(f)

    def _stand_in(self) -> Any:
        """Return a float array of the same shape and dtype, for the errors that NumPy would raise."""
        return np.ones_like(pattern(self._data), self._dtype) if is_float(self._dtype) else self._data.copy("K")


class TracedScalar(TracedArray):
    """What NumPy returns for a single number: it cannot be changed, and ``+=`` makes a new one."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The scalar type of NumPy, so that ``isinstance`` answers as there."""
        return self._dtype.type

    @property
    def T(self) -> Any:
        """The scalar itself."""
        return self

    def _move(self, f: Any) -> Any:
        """Return an array with memory of its own: there are no views of a scalar."""
        return wrap(_moved(_moved(self._data, lambda a: a.copy()), f), self._dtype)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(f"'numpy.{self._dtype.name}' object does not support item assignment")

    def __len__(self) -> int:
        raise TypeError(f"object of type 'numpy.{self._dtype.name}' has no len()")

    def __iter__(self) -> Any:
        raise TypeError(f"'numpy.{self._dtype.name}' object is not iterable")

    def __hash__(self) -> int:  # type: ignore[override]
        from attn_verify.arithmetic.tracing.leaving import hash_of

        return hash_of(self)

    def __round__(self, digits: int | None = None) -> Any:
        from attn_verify.arithmetic.tracing.leaving import rounded

        return rounded(self, digits)

    def _stand_in(self) -> Any:
        return self._dtype.type(1) if is_float(self._dtype) else self._data[()]


class TracedFloat(TracedScalar):
    """A Python float of the target that is known exactly, such as ``d ** -0.5`` of a size ``d``."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return float

    def _stand_in(self) -> Any:
        return 1.0


# What library code may ask of a class, where no expression of the target shows the answer, is as in NumPy.
TracedArray.__name__, TracedArray.__qualname__, TracedArray.__module__ = "ndarray", "ndarray", "numpy"


def _moved(data: Any, f: Any) -> Any:
    if isinstance(data, np.ndarray):
        moved = f(data)
        return moved if type(moved) is np.ndarray else np.asarray(moved)
    return data.move(f)


def _make(kind: type, data: Any, dtype: DType) -> Any:
    if dtype.kind in "biu" and not isinstance(data, np.ndarray):
        current().refuse(f"the dtype {dtype}", "a cast to integers of numbers that depend on the inputs", "float64")
    made: Any = object.__new__(kind)
    object.__setattr__(made, "_data", data)
    object.__setattr__(made, "_dtype", dtype)
    return made


def wrap(data: Any, dtype: DType) -> Any:
    """Return the array of some data; it shares them."""
    return _make(TracedArray, data, dtype)


def scalar(data: Any, dtype: DType) -> Any:
    """Return the scalar of 0-d data."""
    return _make(TracedScalar, data, dtype)


def python_float(data: Any) -> Any:
    """Return the Python float of 0-d exact data."""
    return _make(TracedFloat, data, np.dtype(np.float64))


def finish(data: Any, dtype: DType) -> Any:
    """Return what a NumPy function returns: an array, or a scalar where no axis is left."""
    if not isinstance(data, np.ndarray) and not hasattr(data, "compare"):
        data = np.asarray(data)
    return wrap(data, dtype) if data.shape else scalar(data, dtype)


def is_traced(value: object) -> TypeGuard[TracedArray]:
    """Return whether ``value`` is an array or a scalar of the model."""
    return issubclass(type(value), TracedArray)


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape as plain integers."""
    return tuple(x._data.shape)
