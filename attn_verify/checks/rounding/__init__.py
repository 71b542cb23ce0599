"""Rounding: how far a float result of attention may lie from the exact one, for classes of implementations."""

from attn_verify.checks.rounding.coarse import (
    MAX_SCORE,
    Inputs,
    ordinary,
    wide_bound,
    wide_gradient_bound,
    wide_weights_bound,
)
from attn_verify.checks.rounding.fine import DIVIDE, EXP, RESCALE, SCALE, SHIFT, Array, FloatFormat, layer_bound

__all__ = [
    "DIVIDE",
    "EXP",
    "MAX_SCORE",
    "RESCALE",
    "SCALE",
    "SHIFT",
    "Array",
    "FloatFormat",
    "Inputs",
    "layer_bound",
    "ordinary",
    "wide_bound",
    "wide_gradient_bound",
    "wide_weights_bound",
]
