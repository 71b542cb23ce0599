"""Memory layouts of an array: same numbers, other strides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

VIEWS = ("C", "F", "reversed", "strided", "offset", "readonly", "broadcast")


def view(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array of the same numbers in another memory layout.

    ``C`` and ``F`` order, ``reversed`` (negative strides along the first of the last two axes), ``strided`` (every
    second element of a larger array), ``offset`` (a slice of a larger array), ``readonly``, and ``broadcast`` (stride 0
    along the first axis, if the entries agree along it; read-only).

    >>> view(np.arange(6.0).reshape(2, 3), "reversed").strides
    (-24, 8)
    """
    if name == "F":
        return np.asfortranarray(array)
    axis = max(array.ndim - 2, 0)
    if name == "reversed":
        return np.flip(np.flip(array, axis).copy(), axis)
    if name == "strided":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if name == "offset":
        larger = np.full((*array.shape[:-1], array.shape[-1] + 3), np.nan, array.dtype)
        larger[..., 2:-1] = array
        return larger[..., 2:-1]
    own = np.array(array, order="C")
    if name == "readonly":
        own.flags.writeable = False
    elif name == "broadcast" and (own == own[:1]).all():
        return np.broadcast_to(own[:1], own.shape)
    return own
