"""The rounding bound: how far a float result of attention may lie from the exact one.

For a row with exact scores ``s_j``, weights ``p_j`` and output ``o = Σ p_j v_j``, an implementation
that forms inner products in any order, subtracts nothing, the row maximum or a running one, uses an
exponential within ``EXP`` unit roundoffs, and sums and divides in any order, is off by at most

.. math:: \\frac{Σ_j p_j (e^{L_j} - 1) |v_j - o| + Σ_j p_j e^{L_j} (γ (|v_j| + Δv_j) + Δv_j)}
               {Σ_j p_j e^{-L_j}} + \\text{underflow}

where ``L_j`` bounds the error of the exponent of weight j.  Every constant is derived in
``docs/explanation/rounding.md``.  The bound is evaluated in float64 from enclosures of ``s``, ``p``,
``o``: all terms are positive, so a last factor covers the rounding of the evaluation itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.errors import SpecError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

Array = NDArray[np.float64]

# Numbers of unit roundoffs; derived in docs/explanation/rounding.md, section "The constants".
SCALE = 8  # c₁: computing σ and multiplying by it, on one side or split over both
EXP = 8  # c: an exponential within 4 units in the last place
RESCALE = 2  # c₂: a reserve for each exponential
DIVIDE = 6  # c₃: dividing by the row sum, or multiplying by its reciprocal, before or after V
SHIFT = 3  # κ: subtracting the maximum, and changing to base 2


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format: unit roundoff and smallest positive normal number."""

    name: str
    unit_roundoff: float
    tiny: float

    @classmethod
    def of(cls, dtype: Any) -> FloatFormat:
        """Return the format of a NumPy float dtype.

        >>> FloatFormat.of("float32").unit_roundoff == 2.0**-24
        True
        """
        info = np.finfo(dtype)
        return cls(np.dtype(dtype).name, float(info.eps) / 2, float(info.smallest_normal))

    def gamma(self, k: int) -> float:
        """Return ``γ_k = k u / (1 − k u)``, infinite where ``k u ≥ 1``.

        Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), lemma 3.1.
        """
        ku = k * self.unit_roundoff
        return ku / (1 - ku) * (1 + 2**-50) if ku < 1 else float("inf")


_DOUBLE = FloatFormat.of(np.float64)


@dataclass(frozen=True)
class Matrix:
    """An exact matrix of which a float64 ``value`` is known.

    ``known`` bounds the distance of ``value`` to it, ``allowed`` the distance that a computation in
    the judged format may have.
    """

    value: Array
    known: Array
    allowed: Array

    @property
    def size(self) -> Array:
        """An upper bound of the absolute values of the exact entries."""
        return np.abs(self.value) + self.known


def layer_bound(
    inputs: Mapping[str, NDArray[Any]],
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    form: FloatFormat,
    *,
    rescalings: int = 0,
) -> Array:
    """Return the bound on the absolute error of every entry of the last result, shape (…, n, columns).

    ``inputs`` maps names to float arrays, taken as the exact numbers that they are: ``Q K V`` or
    ``W_Q W_K W_V`` of shape (…, heads, rows, columns), ``X``, ``X_KV``, ``W_O`` (…, rows, columns).
    ``rescalings`` is how often a partial result may be multiplied by a correction, as online softmax
    does (0 where the maximum is known first; at most m).  The bound is that of the class of
    implementations described above, and is ``inf`` where it says nothing.
    """
    exact = {name: np.asarray(array, np.float64) for name, array in inputs.items()}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        Q, K, V = (_operand(name, exact, sizes, form) for name in "QKV")
        Z, error = _heads(Q, K, V, sizes, spec, np.array(allowed), form, rescalings)
        if sizes.d_out is not None:
            error = _projected(Z, error, exact["W_O"], form)
        bound = error * _outward(sizes.d_k + sizes.keys + (sizes.d_model or 0) + sizes.heads * sizes.d_v)
    return np.where(np.isnan(bound), np.inf, bound)


def _outward(lengths: int) -> float:
    """Return a factor that makes a sum of positive terms, evaluated in float64, an upper bound.

    The deepest chain of operations of a bound is below 256 plus a few for every summed length.
    """
    return 1 + 4 * _DOUBLE.gamma(256 + 8 * lengths)


def _operand(name: str, exact: Mapping[str, Array], sizes: Sizes, form: FloatFormat) -> Matrix:
    """Return Q, K or V: given exactly, or projected from embeddings by ``X W`` (γ_{d_model + c₁} |X| |W|)."""
    if sizes.given_qkv:
        zero = np.zeros_like(exact[name])
        return Matrix(exact[name], zero, zero)
    source = exact["X"] if name == "Q" or not sizes.cross else exact["X_KV"]
    return _product(source[..., None, :, :], exact[f"W_{name}"], form)


def _product(A: Array, B: Array, form: FloatFormat) -> Matrix:
    inner = A.shape[-1]
    size = np.abs(A) @ np.abs(B) * _outward(inner)
    # What underflow may take away, operands that are read as zero included.
    lost = 2 * (np.abs(A).sum(-1, keepdims=True) + np.abs(B).sum(-2, keepdims=True) + inner) * _outward(inner)
    known = _DOUBLE.gamma(inner + 4) * size + _DOUBLE.tiny * lost
    # The scale, or a change to base 2, may have been multiplied into the weights.
    allowed = form.gamma(inner + SCALE) * size + form.tiny * lost
    return Matrix(A @ B, known, allowed)


def _score_error(Q: Matrix, K: Matrix, sigma: float, form: FloatFormat, judged: bool) -> Array:
    """Bound ``|ŝ_ij − s_ij|`` in the judged format, or in the float64 evaluation of this module.

    ``σ γ_{d_k + c₁} Σ_a (|q|+Δq)(|k|+Δk)`` for the inner product and its scale, ``σ Σ_a (|q| Δk + Δq |k| + Δq Δk)``
    for operands that are themselves rounded, and what underflow may take away.
    """
    inner = Q.value.shape[-1]
    q, k = Q.size, K.size.mT
    dq, dk = (Q.allowed, K.allowed.mT) if judged else (Q.known, K.known.mT)
    carried = q @ dk + dq @ k + dq @ dk
    rounded = form.gamma(inner + SCALE) * (q @ k + carried)
    lost = 2 * form.tiny * ((q + dq).sum(-1, keepdims=True) + (k + dk).sum(-2, keepdims=True) + 2 * inner + 2)
    error: Array = (sigma * (rounded + carried) + (1 + sigma) * lost) * _outward(inner)
    return error


def _heads(
    Q: Matrix,
    K: Matrix,
    V: Matrix,
    sizes: Sizes,
    spec: AttentionSpec,
    attends: NDArray[np.bool_],
    form: FloatFormat,
    rescalings: int,
) -> tuple[Array, Array]:
    """Return |Z| as an upper bound and the error of Z, shape (…, n, heads · d_v)."""
    m = sizes.keys
    low_sigma, high_sigma = _scale_ends(spec, sizes)
    sigma = max(abs(low_sigma), abs(high_sigma))
    empty = ~attends.any(-1, keepdims=True)
    attends = attends | empty

    ours = _row_max(_score_error(Q, K, sigma, _DOUBLE, judged=False), attends)
    theirs = np.where(attends, _score_error(Q, K, sigma, form, judged=True), 0)
    worst = _row_max(theirs, attends)
    scores = (low_sigma + high_sigma) / 2 * (Q.value @ K.value.mT)
    gap = np.where(attends, _row_max(scores, attends) - scores, 0)
    slack = 16 * _DOUBLE.unit_roundoff
    gap_low = np.maximum(0, gap * (1 - slack) - 2 * ours * (1 + slack))
    gap_high = gap * (1 + slack) + 2 * ours * (1 + slack)

    L = theirs + form.gamma(SHIFT) * (gap_high + 2 * worst)
    L = L + (1 + rescalings) * (form.gamma(EXP + RESCALE) + form.tiny)
    # Never below the smallest normal number, so that no term is lost to our own underflow.
    upper = np.where(attends, np.maximum(np.exp(-gap_low), _DOUBLE.tiny), 0)
    lower = np.where(attends, np.exp(-gap_high), 0)
    below = (lower * np.exp(-L)).sum(-1, keepdims=True)

    seen = _attended(V, attends)
    o = np.einsum("...ij,...ijc->...ic", upper, seen.value) / upper.sum(-1, keepdims=True)
    inexact = _evaluation_error(seen, gap_high, ours, m)
    distance = np.abs(seen.value - o[..., :, None, :]) + inexact[..., :, None, :]
    largest = (seen.size + seen.allowed).max(-2)
    gamma = form.gamma(2 * m + 2 * rescalings + DIVIDE)
    moved = np.einsum("...ij,...ijc->...ic", upper * np.expm1(L), distance)
    rounded = gamma * (seen.size + seen.allowed) + seen.allowed
    carried = np.einsum("...ij,...ijc->...ic", upper * np.exp(L), rounded)
    underflow = 8 * form.tiny * (m * (2 + rescalings) * 2 * largest + 2 * (m + rescalings) + 2)
    error = (moved + carried) / below + underflow
    size = np.abs(o) + inexact

    if spec.empty_row == "mean":
        averaged = form.gamma(2 * m + DIVIDE) * largest + seen.allowed.max(-2) + underflow
        return _side_by_side(np.where(empty, largest, size)), _side_by_side(np.where(empty, averaged, error))
    return _side_by_side(np.where(empty, 0, size)), _side_by_side(np.where(empty, 0, error))


def _attended(V: Matrix, attends: NDArray[np.bool_]) -> Matrix:
    """Return V for each query, shape (…, n, m, d_v), without the values that it may not attend to."""
    mask = attends[:, :, None]
    value, known, allowed = (np.where(mask, part[..., None, :, :], 0) for part in (V.value, V.known, V.allowed))
    return Matrix(value, known, allowed)


def _evaluation_error(V: Matrix, gap_high: Array, ours: Array, m: int) -> Array:
    """Bound the error of our own float64 output, by norms: ``(e^{2Λ} − 1) · 2 max|v| + γ max|v| + Δv``."""
    reach = gap_high.max(-1, keepdims=True)
    exponent = 4 * ours + 32 * _DOUBLE.unit_roundoff * reach + _DOUBLE.gamma(32)
    largest = V.size.max(-2)
    spread = 2 * np.expm1(2 * exponent) + 4 * np.exp(2 * exponent) * _DOUBLE.gamma(2 * m + 16)
    error: Array = spread * largest + 2 * V.known.max(-2) + 8 * m * _DOUBLE.tiny * (1 + largest)
    return error


def _projected(Z: Array, error: Array, W_O: Array, form: FloatFormat) -> Array:
    """Carry the error of Z through ``Y = Z W_O``: ``ΔZ |W_O| + γ (|Z| + ΔZ) |W_O|``."""
    inner = W_O.shape[-2]
    W = np.abs(W_O)
    carried: Array = error @ W + form.gamma(inner) * ((Z + error) @ W)
    carried += 2 * form.tiny * ((Z + error).sum(-1, keepdims=True) + W.sum(-2, keepdims=True) + inner)
    return carried


def _row_max(values: Array, attends: NDArray[np.bool_]) -> Array:
    result: Array = np.where(attends, values, -np.inf).max(-1, keepdims=True)
    return result


def _side_by_side(heads: Array) -> Array:
    """Turn (…, heads, n, d_v) into (…, n, heads · d_v)."""
    moved = np.moveaxis(heads, -3, -2)
    result: Array = moved.reshape(*moved.shape[:-2], -1)
    return result


def _scale_ends(spec: AttentionSpec, sizes: Sizes) -> tuple[float, float]:
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
