"""Nominal dtypes: traced floats have a dtype, as NumPy would give them, and no rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np

from attn_verify.arithmetic.tracing.facade import of_class, ours

DType = np.dtype[Any]

FLOAT64: DType = np.dtype(np.float64)
INT64: DType = np.dtype(np.int64)
BOOL: DType = np.dtype(np.bool_)

# Which Python numbers take the dtype of their partner (NEP 50).
Weak = type[int] | type[float]


def is_float(dtype: DType) -> bool:
    """Return whether entries of this dtype are exact real numbers."""
    return dtype.kind == "f"


def is_whole(dtype: DType) -> bool:
    """Return whether entries of this dtype stay concrete: bools and integers."""
    return dtype.kind in "biu"


def significant_bits(dtype: DType) -> int:
    """Return the precision of a float dtype."""
    return int(np.finfo(dtype).nmant) + 1


def narrower(dtype: DType, source: DType) -> bool:
    """Return whether a cast between float dtypes rounds."""
    return is_float(dtype) and is_float(source) and significant_bits(dtype) < significant_bits(source)


@lru_cache(maxsize=4096)
def loop(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> tuple[DType, ...]:
    """Return the dtypes of the loop that NumPy picks for operands of these dtypes or Python number types."""
    resolve: Callable[..., tuple[DType, ...]] = ufunc.resolve_dtypes
    return resolve((*kinds, *(None for _ in range(ufunc.nout))))


def common_dtype(kinds: Sequence[Weak | DType]) -> DType:
    """Return the dtype of arrays joined, in which Python numbers take their partners'."""
    # a dtype equals the Python type of the same name, so that only the type of a kind tells them apart
    weak = all(isinstance(kind, type) for kind in kinds)
    dummies: list[Any] = [np.dtype(kind) if weak else kind(0) if isinstance(kind, type) else kind for kind in kinds]
    return np.result_type(*dummies)


def as_dtype(dtype: Any) -> DType:
    """Return the dtype that NumPy reads from anything that names one."""
    return cast(DType, np.dtype(dtype))


class ScalarType(type):
    """The type of the scalar types of the model: calls make exact scalars, all else is as in NumPy."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the exact scalar, or array, for a value."""
        from attn_verify.arithmetic.tracing.convert import scalar_of
        from attn_verify.arithmetic.tracing.foreign import refuse_foreign
        from attn_verify.arithmetic.tracing.registry import rehearsed

        refuse_foreign(f"np.{cls.__name__}", (*args, *kwargs.values()))
        real = cls._real()
        return rehearsed(f"np.{cls.__name__}", lambda *a, **k: scalar_of(real, *a, **k), real, args, kwargs)

    def __getattribute__(cls, name: str) -> Any:
        """Show the target what NumPy's own type shows."""
        return type.__getattribute__(cls, name) if ours() else of_class(cls, name, type.mro(cls)[1])

    def __dir__(cls) -> list[str]:
        return dir(cls._real())

    def __sizeof__(cls) -> int:
        from attn_verify.arithmetic.tracing.session import current

        current().refuse("sys.getsizeof", "the size of the object in memory")

    def __instancecheck__(cls, instance: Any) -> bool:
        """Compare with what the value would be in NumPy."""
        return isinstance(instance, cls._real())

    def __subclasscheck__(cls, subclass: type) -> bool:
        """Look through the types of the model."""
        return issubclass(subclass._real() if isinstance(subclass, ScalarType) else subclass, cls._real())

    def __eq__(cls, other: object) -> Any:
        """Equal NumPy's own type, which ``array.dtype.type`` is; what is no type compares itself."""
        if not isinstance(other, type):
            return NotImplemented
        return (other._real() if isinstance(other, ScalarType) else other) is cls._real()

    def __ne__(cls, other: object) -> Any:
        equal = cls.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(cls) -> int:
        return hash(cls._real())

    def _real(cls) -> type:
        return cls.__mro__[1]


def _scalar_type(real: type) -> Any:
    return ScalarType(real.__name__, (real,), {"dtype": np.dtype(real), "__module__": "numpy", "__doc__": real.__doc__})


SCALAR_TYPES: dict[type, Any] = {
    real: _scalar_type(real)
    for real in (
        np.bool_, np.float16, np.float32, np.float64, np.longdouble,
        np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.longlong, np.ulonglong,
    )
}  # fmt: skip
