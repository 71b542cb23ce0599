"""Rounding: how far a float result of attention may lie from the exact one, for classes of implementations."""

from attn_verify.checks.rounding.behaviour import Behaviour, Fraction, behaves_like, distances
from attn_verify.checks.rounding.bounds import (
    CLASSES,
    all_bounds,
    bounds,
    layer_bound,
    weights_bound,
    wide_bound,
    wide_gradient_bound,
    wide_weights_bound,
)
from attn_verify.checks.rounding.constants import BIAS, CAP, DIVIDE, EXP, LOG, RESCALE, SCALE, SHIFT
from attn_verify.checks.rounding.enclosed import Inputs
from attn_verify.checks.rounding.formats import PROFILES, Array, FloatFormat, Profile
from attn_verify.checks.rounding.gradients import MAX_SCORE, gradient_bounds, ordinary

__all__ = [
    "BIAS",
    "CAP",
    "CLASSES",
    "DIVIDE",
    "EXP",
    "LOG",
    "MAX_SCORE",
    "PROFILES",
    "RESCALE",
    "SCALE",
    "SHIFT",
    "Array",
    "Behaviour",
    "FloatFormat",
    "Fraction",
    "Inputs",
    "Profile",
    "all_bounds",
    "behaves_like",
    "bounds",
    "distances",
    "gradient_bounds",
    "layer_bound",
    "ordinary",
    "weights_bound",
    "wide_bound",
    "wide_gradient_bound",
    "wide_weights_bound",
]
