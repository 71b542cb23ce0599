"""What stands for values that are too many to be noted one by one: a text that floats and exact numbers have alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.identity import identity

_SEQUENCES = (list, tuple)
# How deep containers are read.
_DEPTH = 6
# Entries of a long array of constants that are compared.
_SAMPLE = 256


def text_of(
    value: Any, real: Callable[[Any], Any], is_exact: Callable[[Any], bool], depth: int = 0
) -> str | None:  # fmt: skip
    """Return a text that is the same in floats and in exact numbers, or ``None`` of numbers that are no integers.

    ``real`` returns NumPy's own object for one of the model; objects without a name are all alike.

    >>> text_of([True, 3, ("a", len)], lambda value: value, lambda value: False)
    "list(True, 3, tuple('a', function builtins.len))"
    """
    kind = type(value)
    if is_exact(value) or kind is float:
        return None
    if value is None or kind in (bool, str, bytes):
        return repr(value)
    if issubclass(kind, int):
        return repr(int.__index__(value))
    if kind is np.ndarray or issubclass(kind, np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in "biu":
            return None
        return f"{array.shape} {array.dtype} {crc32(np.ascontiguousarray(array).tobytes()):08x}"
    if kind in _SEQUENCES or kind is dict:
        items = [*value.items()] if kind is dict else value
        texts = [text_of(item, real, is_exact, depth + 1) for item in items] if depth < _DEPTH else [None]
        return None if None in texts else f"{kind.__name__}({', '.join(map(str, texts))})"
    return identity(real(value)) or "object"


def long_array(value: NDArray[Any]) -> dict[str, Any]:
    """Describe an array of flags or whole numbers that has too many entries to be noted one by one."""
    digest = crc32(np.ascontiguousarray(value).tobytes())
    return {"value": f"{value.shape} {value.dtype} {digest:08x}"}


def form_of(array: NDArray[Any], dtype: str) -> str:
    """Return shape, dtype and layout in memory of an array, as text."""
    steps = [step // array.itemsize for step, extent in zip(array.strides, array.shape, strict=True) if extent > 1]
    return f"{array.shape} {dtype} {steps if array.size else []}"


def sample_of(array: NDArray[Any]) -> list[Any]:
    """Return some entries of a long array, always those at the same places."""
    flat = array.ravel()
    found: list[Any] = flat[:: max(1, flat.size // _SAMPLE)].tolist()
    return found
