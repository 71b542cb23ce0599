"""Iterating over arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import shape_of
from attn_verify.arithmetic.tracing.convert import as_array
from attn_verify.arithmetic.tracing.registry import FUNCTIONS


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield every index with its entry."""
    x = as_array(arr)
    for place in np.ndindex(*shape_of(x)):
        yield place, x[place]


FUNCTIONS["ndenumerate"] = ndenumerate
