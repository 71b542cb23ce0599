"""What ``type(x)`` would be in NumPy: the classes of the model stand for others."""

from __future__ import annotations

import builtins
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, TracedFloat, TracedScalar
from attn_verify.arithmetic.tracing.dtypes import SCALAR_TYPES, ScalarType
from attn_verify.arithmetic.tracing.facade import Function
from attn_verify.arithmetic.tracing.leaving import Text
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.ufuncs import Ufunc

_PACKAGE = __name__.partition(".")[0] + "."
_STANDS_FOR: dict[type, type] = {TracedFloat: float, SizeInt: int, Text: str, ScalarType: type}
# These are what NumPy's own classes are called by the target.
_SAME = (TracedArray, Ufunc)


def class_of(value: Any) -> Any:
    """Return what ``type(value)`` is in NumPy; refuse where the model has no class for it."""
    kind = type(value)
    if issubclass(kind, TracedScalar) and kind is not TracedFloat:
        return SCALAR_TYPES.get(value._dtype.type, value._dtype.type)
    if kind in _STANDS_FOR or kind in _SAME:
        return _STANDS_FOR.get(kind, kind)
    if kind is Function:
        return type(value._real)
    if issubclass(kind, ModuleType) and kind.__module__.startswith(_PACKAGE):
        return ModuleType
    foreign = value.__module__ if kind is FunctionType else kind.__module__
    if str(foreign).startswith(_PACKAGE) and not str(foreign).startswith(f"{_PACKAGE}numeric"):
        current().refuse("type", f"the class of a {kind.__name__} has no exact model", "isinstance")
    return kind


def honest(found: Any) -> Any:
    """Return ``type`` with the answers of NumPy; any other object as it is."""
    return class_of if found is builtins.type else found


_SCALARS = {id(model): real for real, model in SCALAR_TYPES.items()}


def real_of(value: Any) -> Any:
    """Return NumPy's own function or class for one of the model; what has none in NumPy stands for itself."""
    kind = type(value)
    if kind is Function:
        return value._real
    if kind is Ufunc:
        return value.real
    if value is TracedArray or value is Ufunc:
        return np.ndarray if value is TracedArray else np.ufunc
    return _SCALARS.get(id(value), value)
