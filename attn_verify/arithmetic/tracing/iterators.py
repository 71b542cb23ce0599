"""Iterating over arrays, and the objects of NumPy that are written with brackets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import shape_of
from attn_verify.arithmetic.tracing.convert import as_array
from attn_verify.arithmetic.tracing.creation import concrete_result
from attn_verify.arithmetic.tracing.dtypes import is_float
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, rehearsed, stand_in
from attn_verify.arithmetic.tracing.session import current


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Return an iterator of every index with its entry; a list is read at once."""
    x = as_array(arr)
    return ((place, x[place]) for place in np.ndindex(*shape_of(x)))


FUNCTIONS["ndenumerate"] = ndenumerate


class Grid:
    """``np.mgrid`` and ``np.ogrid``: indices of a grid, written as slices of whole numbers."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getitem__(self, key: Any) -> Any:
        """Return the grid of one or several slices."""
        found = concrete_result(self._real[stand_in(key)])
        if any(is_float(part._dtype) for part in (found if isinstance(found, tuple) else (found,))):
            current().refuse("np.mgrid", "a grid of numbers that are not whole", "np.linspace")
        return found


class Joined:
    """``np.r_`` and ``np.c_``: arrays and numbers joined along the first or the last axis."""

    def __init__(self, name: str, columns: bool) -> None:
        self._name = name
        self._columns = columns

    def __getitem__(self, key: Any) -> Any:
        """Return the entries of all parts."""
        return rehearsed(self._name, self._join, (np.c_ if self._columns else np.r_).__getitem__, (key,), {})

    def _join(self, key: Any) -> Any:
        parts = []
        for part in key if isinstance(key, tuple) else (key,):
            if isinstance(part, (str, slice)):
                current().refuse(self._name, "slices or directives", "np.concatenate")
            array = FUNCTIONS["atleast_1d"](part)
            parts.append(array[:, None] if self._columns and array.ndim == 1 else array)
        return FUNCTIONS["concatenate"](parts, axis=-1 if self._columns else 0)


FUNCTIONS["mgrid"] = Grid(np.mgrid)  # type: ignore[assignment]
FUNCTIONS["ogrid"] = Grid(np.ogrid)  # type: ignore[assignment]
FUNCTIONS["r_"] = Joined("np.r_", columns=False)  # type: ignore[assignment]
FUNCTIONS["c_"] = Joined("np.c_", columns=True)  # type: ignore[assignment]
