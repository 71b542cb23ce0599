"""The oracle: exact values of a layer, enclosed in balls by the third reading of the formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flint
from numpy.typing import NDArray

from attn_verify.arithmetic.attention import layer
from attn_verify.arithmetic.ball import BALL, Ball, precision
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

Enclosure = Sequence[Sequence[Ball | None]]

_SHARED = ("X", "X_KV", "W_O")


def enclose(
    inputs: Mapping[str, NDArray[Any]], sizes: Sizes, spec: AttentionSpec, allowed: Allowed, *, bits: int = 128
) -> Enclosure:
    """Return balls around every entry of the layer's last result, ``None`` where it is undefined.

    ``inputs`` are float arrays without batch axes, shaped as by
    :func:`attn_verify.shapes.input_shapes`, and taken as the exact numbers that they are.
    """
    with precision(bits):
        balls = {
            name: [_balls(array)] if name in _SHARED else [_balls(matrix) for matrix in array]
            for name, array in inputs.items()
        }
        return layer(balls, sizes, spec, allowed, BALL).output()


def _balls(matrix: NDArray[Any]) -> list[list[Ball]]:
    return [[flint.arb(x) for x in row] for row in matrix.tolist()]
