"""What Python and NumPy ask of an array: truth, floats, texts, hashes, conversion.

Here exact numbers could leak out as floats, so that everything but constants refuses.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from attn_verify.arithmetic.tracing.dtypes import DType, is_float
from attn_verify.arithmetic.tracing.session import current


class Outward:
    """The part of an array that hands values, or control, to code that knows nothing of the model."""

    __slots__ = ()
    _data: Any
    _dtype: DType

    def __bool__(self) -> bool:
        if int(np.prod(self._data.shape, dtype=np.int64)) != 1:
            return bool(np.ones(self._data.shape))
        if not is_float(self._dtype):
            return bool(self._data)
        zero = type(self._data).full((), 0)
        return bool(self._data.compare("!=", zero).all())

    def __float__(self) -> float:
        from attn_verify.arithmetic.tracing.leaving import to_float

        return to_float(self)

    def __int__(self) -> int:
        from attn_verify.arithmetic.tracing.leaving import to_int

        return to_int(self)

    def __index__(self) -> int:
        if is_float(self._dtype) or self._data.ndim:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self._data.__index__())

    def __complex__(self) -> complex:
        return complex(float(self))

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'numpy.ndarray'")

    def __repr__(self) -> str:
        """Return a text; of numbers that depend on the inputs it shows nothing."""
        from attn_verify.arithmetic.tracing.leaving import text

        return text(self, repr)

    def __str__(self) -> str:
        from attn_verify.arithmetic.tracing.leaving import text

        return text(self, str)

    def __format__(self, spec: str) -> str:
        from attn_verify.arithmetic.tracing.leaving import text

        return text(self, lambda value: format(value, spec))

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        current().refuse("np.asarray", "an exact array would become floats", "call functions of numpy or scipy.special")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Run NumPy's own ufuncs on the model."""
        from attn_verify.arithmetic.tracing.dispatch import call_ufunc

        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, _: Any, args: Any, options: Any) -> Any:
        """Run NumPy's own functions on the model."""
        from attn_verify.arithmetic.tracing.dispatch import call_function

        return call_function(function, args, options)

    def __bytes__(self) -> NoReturn:
        current().refuse("bytes", "the memory of an exact array")

    def __buffer__(self, _: int) -> NoReturn:
        current().refuse("memoryview", "the memory of an exact array")

    def __copy__(self) -> Any:
        return type(self).copy(self, "K")  # type: ignore[attr-defined]

    def __deepcopy__(self, _: Any) -> Any:
        return type(self).copy(self, "K")  # type: ignore[attr-defined]

    def __reduce_ex__(self, _: Any) -> NoReturn:
        current().refuse("pickle", "an exact array cannot be pickled")

    def __reduce__(self) -> NoReturn:
        current().refuse("pickle", "an exact array cannot be pickled")

    def __getstate__(self) -> NoReturn:
        current().refuse("pickle", "an exact array cannot be pickled")

    def __sizeof__(self) -> NoReturn:
        current().refuse("sys.getsizeof", "the size of the object in memory")
