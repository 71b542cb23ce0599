"""Enclosures in float64 of what a bound is made of: operands, scores, gaps to the row maximum, weights, outputs.

They are computed once for an input and shared by all profiles and classes; every one comes with a bound of its
own error, see ``docs/explanation/rounding.md``, section "Why its evaluation is rigorous".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.checks.rounding import constants
from attn_verify.checks.rounding.formats import DOUBLE, Array
from attn_verify.errors import SpecError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

Inputs = Mapping[str, NDArray[Any]]
Mask = NDArray[np.bool_]

# The relative slack of a float64 number that went through a dozen roundings.
SLACK = 16 * DOUBLE.unit_roundoff


@dataclass(frozen=True)
class Operand:
    """Q, K or V, shape (…, heads, rows, columns): a float64 ``value``, at most ``known`` away from the exact matrix.

    ``size`` bounds absolute values.  A projected operand ``A B`` keeps ``product = |A||B|``
    and ``lost``, the number of losses to underflow; both are 0 for a given one.
    """

    value: Array
    known: Array
    size: Array
    product: Array
    lost: Array


@dataclass(frozen=True)
class Enclosed:
    """What the bounds of one input are made of; arrays of rows are (…, heads, n, ·)."""

    inputs: Mapping[str, Array]
    sizes: Sizes
    spec: AttentionSpec
    Q: Operand
    K: Operand
    V: Operand
    sigma: float
    softcap: float | None
    bias: Array | None
    attends: Mask
    empty: Mask
    lawless: Mask
    product: Array
    scores: Array
    gap_low: Array
    gap_high: Array
    o: Array
    inexact: Array
    largest: Array


def outward(lengths: int) -> float:
    """Return a factor that makes a sum of positive terms, evaluated in float64, an upper bound.

    The deepest chain of operations of a bound is below 256 plus a few for every summed length.
    """
    return 1 + 4 * DOUBLE.gamma(256 + 8 * lengths)


def enclosed(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    *,
    bias: Array | None = None,
    softcap: float | None = None,
) -> Enclosed:
    """Return the enclosures for one input (or a batch of inputs, axes in front).

    .. math:: s_{ij} = c \\tanh\\frac{σ \\sum_a q_{ia} k_{ja}}{c} + b_{ij}

    ``bias`` (n, m) or (heads, n, m) is added to the scores, after a ``softcap`` c if there is one.
    """
    exact = {name: np.asarray(array, np.float64) for name, array in inputs.items()}
    Q, K, V = (_operand(name, exact, sizes) for name in "QKV")
    attends: Mask = np.array(allowed, np.bool_)
    empty = _rows(~attends.any(-1))
    attends = attends | empty
    low, high = scale_ends(spec, sizes)
    sigma = max(abs(low), abs(high))
    # A key that holds no finite numbers leaves the rows alone that do not attend to it.
    finite: Mask = np.asarray(np.isfinite(V.size).all(-1))
    lawless = _rows((~finite[..., None, :] & attends).any(-1))
    parts = (np.where(finite[..., None], part, 0) for part in (V.value, V.known, V.size, V.product, V.lost))
    V = Operand(*parts)

    product = np.where(attends, Q.size @ K.size.mT * outward(sizes.d_k), 0)
    scores = np.where(attends, (low + high) / 2 * (Q.value @ K.value.mT), 0)
    ours = np.where(attends, _own_score_error(Q, K, product, sigma, sizes), 0)
    if softcap is not None:
        ours = ours + DOUBLE.gamma(constants.EXP + constants.CAP) * softcap
        scores = softcap * np.tanh(scores / softcap)
    if bias is not None:
        bias = np.where(attends, np.asarray(bias, np.float64), 0)
        scores = scores + bias
        ours = ours + DOUBLE.gamma(4) * (np.abs(bias) + np.abs(scores))
    ours = ours.max(-1, keepdims=True)
    top = np.where(attends, scores, -np.inf).max(-1, keepdims=True)
    gap = np.where(attends, top - scores, 0)
    gap_low = np.maximum(0, gap * (1 - SLACK) - 2 * ours * (1 + SLACK))
    gap_high = gap * (1 + SLACK) + 2 * ours * (1 + SLACK)

    weights = np.where(attends, np.maximum(np.exp(-gap_low), DOUBLE.tiny), 0)
    o = weights @ V.value / weights.sum(-1, keepdims=True)
    largest = _row_largest(V.size, attends)
    inexact = _own_output_error(V, gap_high, ours, largest, _row_largest(V.known, attends), sizes.keys)
    return Enclosed(
        exact, sizes, spec, Q, K, V, sigma, softcap, bias, attends, empty, lawless, product,
        np.abs(scores) + ours, gap_low, gap_high, o, inexact, largest,
    )  # fmt: skip


def _rows(flags: Any) -> Mask:
    column: Mask = np.asarray(flags)[..., None]
    return column


def _operand(name: str, exact: Mapping[str, Array], sizes: Sizes) -> Operand:
    """Return Q, K or V: given exactly, or projected from embeddings by ``X W``."""
    if sizes.given_qkv:
        zero = np.zeros_like(exact[name])
        return Operand(exact[name], zero, np.abs(exact[name]), zero, zero)
    A = (exact["X"] if name == "Q" or not sizes.cross else exact["X_KV"])[..., None, :, :]
    B = exact[f"W_{name}"]
    inner = A.shape[-1]
    product = np.abs(A) @ np.abs(B) * outward(inner)
    # What underflow may take away, operands that are read as zero included.
    lost = 2 * (np.abs(A).sum(-1, keepdims=True) + np.abs(B).sum(-2, keepdims=True) + inner) * outward(inner)
    known = DOUBLE.gamma(inner + 4) * product + DOUBLE.tiny * lost
    value = A @ B
    return Operand(value, known, np.abs(value) + known, product, lost)


def _own_score_error(Q: Operand, K: Operand, product: Array, sigma: float, sizes: Sizes) -> Array:
    """Bound ``|s_ij|``'s error in the float64 evaluation of this module."""
    carried = Q.size @ K.known.mT + Q.known @ K.size.mT if not sizes.given_qkv else np.zeros(())
    rounded = DOUBLE.gamma(sizes.d_k + constants.SCALE) * product + 2 * carried
    lost = 2 * DOUBLE.tiny * (Q.size.sum(-1)[..., :, None] + K.size.sum(-1)[..., None, :] + 2 * sizes.d_k + 2)
    error: Array = (sigma * rounded + (1 + sigma) * lost) * outward(sizes.d_k)
    return error


def _own_output_error(V: Operand, gap_high: Array, ours: Array, largest: Array, known: Array, m: int) -> Array:
    """Bound the error of our own float64 output, by norms: ``(e^{2Λ} − 1) · 2 max|v| + γ max|v| + Δv``."""
    reach = gap_high.max(-1, keepdims=True)
    exponent = 4 * ours + 32 * DOUBLE.unit_roundoff * reach + DOUBLE.gamma(32)
    spread = 2 * np.expm1(2 * exponent) + 4 * np.exp(2 * exponent) * DOUBLE.gamma(2 * m + 16)
    error: Array = spread * largest + 2 * known + 8 * m * DOUBLE.tiny * (1 + largest)
    return error


def _row_largest(values: Array, attends: Mask) -> Array:
    """Return ``max_j values_jc`` over the keys of each row, shape (…, heads, n, columns)."""
    found = np.empty((*values.shape[:-2], len(attends), values.shape[-1]))
    if attends.all():
        found[...] = values.max(-2, keepdims=True)
        return found
    kinds, which = np.unique(attends, axis=0, return_inverse=True)
    for at, kind in enumerate(kinds):
        found[..., which.ravel() == at, :] = values[..., kind, :].max(-2, keepdims=True)
    return found


@lru_cache(maxsize=256)
def scale_ends(spec: AttentionSpec, sizes: Sizes) -> tuple[float, float]:
    """Return float64 numbers just below and above the exact scale."""
    with precision():
        sigma = scale_value(spec.scale_node(), sizes, BALL)
    if not sigma.is_finite():
        received = f"got scale = {spec.scale}"
        raise SpecError(
            explain("spec: scale", received, "it is not a finite real number", remedy="for example 1/sqrt(d_k)")
        )
    middle = float(sigma.mid())
    return float(np.nextafter(middle, -np.inf)), float(np.nextafter(middle, np.inf))
