"""Float inputs that bring out mistakes in attention: ties, zeros, one-hot rows, mixed signs, spread scores.

All entries are multiples of 1/64, so that they print short and mean the same in every format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.strategies import families
from attn_verify.strategies.families import Arrays, Family, Shapes

FAMILIES: tuple[Family, ...] = tuple(families.FAMILIES.values())

_GRID = 64


def candidates(shapes: Shapes, seed: int) -> Iterator[Arrays]:
    """Yield inputs of the given shapes without end, each family in turn; the same seed gives the same ones.

    >>> next(candidates({"Q": (1, 2, 2)}, 0))["Q"].shape
    (1, 2, 2)
    """
    random = np.random.default_rng(seed)
    while True:
        for family in FAMILIES:
            yield {name: on_grid(array) for name, array in family(shapes, random).items()}


def on_grid(array: NDArray[Any]) -> NDArray[np.float64]:
    """Round to multiples of 1/64."""
    rounded: NDArray[np.float64] = np.round(np.asarray(array, np.float64) * _GRID) / _GRID
    return rounded + 0.0  # no negative zeros
