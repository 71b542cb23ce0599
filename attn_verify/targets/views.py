"""Arrays of one content and many memory layouts, and arrays that a caller changes between two calls.

The text of this file is part of what an ordinary Python process runs (see ``plain.py``): it imports nothing but the
standard library and NumPy.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How an array may lie in memory.
VIEWS = ("C", "F", "reversed", "strided", "offset", "readonly", "broadcast")


def dtype_of(name: str) -> Any:
    """Return a dtype by its name; bfloat16 is that of ``ml_dtypes``."""
    return np.dtype(importlib.import_module("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def laid_out(array: NDArray[Any], view: str) -> NDArray[Any]:
    """Return an array equal to ``array`` that lies in memory as ``view`` says.

    ``C``, ``F``; ``reversed``: rows from the last to the first; ``strided``: every second number of rows twice as
    long; ``offset``: the inside of a larger array of NaN; ``readonly``; ``broadcast``: no step along the first axis.
    Raises ``ValueError`` for another name, and for ``broadcast`` where the parts along the first axis differ.

    >>> laid_out(np.ones((2, 3)), "reversed").strides
    (-24, 8)
    """
    if view in ("C", "F"):
        return np.array(array, order=view)  # type: ignore[call-overload,no-any-return]
    if view == "readonly":
        kept = array.copy()
        kept.flags.writeable = False
        return kept
    if view not in VIEWS:
        raise ValueError(f"no view: {view!r}")
    if array.ndim == 0:
        return array.copy()
    if view == "reversed":
        turned: Any = slice(None, None, -1) if array.ndim == 1 else (..., slice(None, None, -1), slice(None))
        return array[turned].copy()[turned]  # type: ignore[no-any-return]
    if view == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if view == "offset":
        blank: Any = True if array.dtype.kind == "b" else 99 if array.dtype.kind in "iu" else np.nan
        larger = np.full([length + 2 for length in array.shape], blank).astype(array.dtype)
        inside = larger[(slice(1, -1),) * array.ndim]
        inside[...] = array
        return inside
    if len(array) and any(part.tobytes() != array[:1].tobytes() for part in array):
        raise ValueError("the parts along the first axis differ")
    return np.broadcast_to(array[:1].copy(), array.shape)


def rewritten(old: Any, new: Any) -> Any:
    """Return ``old`` with the values of ``new`` written into its arrays; ``new`` itself where they do not fit."""
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape != new.shape or old.dtype != new.dtype or 0 in old.strides[:1]:
            return new
        writeable = old.flags.writeable
        with suppress(ValueError):
            old.flags.writeable = True
            old[...] = new
            old.flags.writeable = writeable
            return old
        return new
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        old[:] = [rewritten(*pair) for pair in zip(old, new, strict=True)]
        return old
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        return tuple(rewritten(*pair) for pair in zip(old, new, strict=True))
    return new


def snapshot(value: Any) -> Any:
    """Return what an argument consists of: equal before and after means unchanged."""
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.strides, value.flags.writeable, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [snapshot(item) for item in value]
    return repr(value)
