"""Hypothesis strategies for attention: inputs of a layer at given sizes.

Values and sizes shrink towards zero and one, and every array is finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import DTypeLike, NDArray

from attn_verify.shapes import Sizes, input_shapes

# Bounds of the entries of an array: ordinary, small, large; the scores decide how large is legal.
_MAGNITUDES = (1.0, 2.0**-20, 8.0, 64.0, 1024.0)

# In the middle of the legal range (scaled scores up to ±1e5), and where exp has long overflowed.
DEFAULT_MAX_SCORE = 1e4


@st.composite
def layer_inputs(
    draw: st.DrawFn,
    sizes: Sizes,
    *,
    dtype: DTypeLike = np.float64,
    max_score: float = DEFAULT_MAX_SCORE,
    scale: float | None = None,
) -> Mapping[str, NDArray[Any]]:
    """Inputs of a layer by name, of the shapes of :func:`.input_shapes`, with scaled scores within ``±max_score``.

    ``scale`` is the layer's σ (default ``1/√d_k``); magnitudes range from tiny to as large as the
    scores allow, and equal entries, zeros, one-hot rows and rows of one sign occur.
    """
    sigma = abs(scale if scale is not None else sizes.d_k**-0.5) or 1.0
    bounds = {name: draw(st.sampled_from(_MAGNITUDES), label=f"magnitude of {name}") for name in input_shapes(sizes)}
    width = sizes.d_model or 1
    left, right = ("Q", "K") if sizes.given_qkv else ("W_Q", "W_K")
    x = bounds.get("X", 1.0) * bounds.get("X_KV", bounds.get("X", 1.0)) * width**2
    largest = sigma * sizes.d_k * bounds[left] * bounds[right] * (1.0 if sizes.given_qkv else x)
    fill = draw(st.booleans(), label="scores up to the limit")
    if largest > max_score or fill:
        bounds[right] *= max_score / largest
    inputs = {
        name: draw(_array(shape, np.dtype(dtype), bounds[name]), label=name)
        for name, shape in input_shapes(sizes).items()
    }
    sign = draw(st.sampled_from((0, -1, 1)), label="common sign of the scores")
    if sign:
        # Rows whose scores are all negative, or all positive, wake up a maximum that starts at zero.
        inputs |= {name: np.abs(inputs[name]) for name in ("X", "X_KV", left, right) if name in inputs}
        inputs[right] *= sign
    return inputs


@lru_cache(maxsize=1024)  # Hypothesis checks a strategy when it is first drawn from, which takes longer than drawing
def _array(shape: tuple[int, ...], dtype: np.dtype[Any], bound: float) -> st.SearchStrategy[NDArray[Any]]:
    limit = float(np.nextafter(dtype.type(bound), dtype.type(0)))
    elements = hnp.from_dtype(dtype, min_value=-limit, max_value=limit, allow_subnormal=False)
    return hnp.arrays(dtype, shape, elements=elements)
