"""How far a correct implementation may be from the exact result: the widest class that we know.

:mod:`attn_verify.checks.rounding.fine` bounds the implementations that compute attention in one of the usual ways.
Others are correct as well and leave that bound: weights as ``exp(s − lse)``, a shift by another number than
the maximum, scores from distances or from shifted keys, centred values, ``X (W_Q W_Kᵀ) Xᵀ`` and other orders of
the matrix products, inputs that are rounded first.  A refutation must stand against all of them, so it is
judged here, by norms.

**Scores.** Let ``q̄ = |X||W_Q|`` (or ``|Q|``), ``k̄`` likewise, and ``E_i = |σ| (‖q̄_i‖ + max_j ‖k̄_j‖)²``, the
maximum over *all* keys, masked ones included.  By the inequality of Cauchy and Schwarz the absolute values of all
terms of a score add up to at most ``E_i/4`` in whatever order its products are formed, to ``E_i/2`` with keys shifted
by some ``c``, ``‖c‖ ≤ max ‖k̄‖``, and to ``E_i`` for ``−½σ‖q − k‖² + ½σ‖k‖²``.  With ``N`` the summed lengths of the
products, a score is off by at most ``γ_{N + 12} E_i``.

**Exponents.** With ``E`` the largest ``E_i`` of all rows and heads, what is subtracted before the exponential is at
most ``m E + ln m`` (a maximum, also of other rows, a minimum, mean or sum of scores, a log-sum-exp), or a constant up
to ``C = −ln(2u·tiny)``, beyond which the exponential vanishes.  The subtraction, a change of base and the argument of
the exponential lose 4 unit roundoffs of that; the exponential itself, up to ``m`` corrections of a running maximum,
and a logarithm lose ``16 + 12m``.  Each weight is ``e^{s_j − μ} e^{ℓ_j}`` up to a common factor, ``|ℓ_j| ≤ G_i`` with

.. math:: G_i = γ_{N+12}\\, E_i + γ_4\\, (m E + \\ln m + C) + γ_{12m+16}

**Outputs.** Normalised weights are off by at most ``p_j (e^{2G} − 1)``, ``exp(s_j − lse)`` by less.  With
``v̄ = |X||W_V|``, centred values are at most ``2 max_j v̄_j``, and a weight from a blend (``tanh``, sigmoid) loses unit
roundoffs of 1 and not of itself.  So, the maximum over all keys,

.. math:: |ô_{ic} - o_{ic}| ≤ F_i \\max_j v̄_{jc}, \\qquad F_i = e^{2G_i} - 1 + 4 e^{2G_i} γ_{N+4m+24} + 8 m e^{2R} η

where ``e^{2R}``, ``R`` the largest score of all, pays for weights that underflow where nothing is subtracted, or the
maximum of another row, by what an underflow costs: ``η = tiny``, as subnormal numbers may be flushed to zero, but
``2u·tiny`` in half precision, which no processor flushes.  An output projection carries this through ``|W_O|``.

**Gradients.** A gradient is a sum of products of inputs, of σ and of at most three weights.  With every factor
replaced by a bound of its absolute value (a weight by 1) it becomes its *magnitude* ``M``.  Each weight contributes a
relative ``F``, each product and sum a part of ``F`` once more; the error is at most ``(e^{6F} − 1) M``.

Not in the class: algorithms that find a small number as the difference of two large ones (a masked sum as the
sum of everything less the sum of the masked), and whatever over- or underflows in ways not named here.  Inputs for
which ordinary code could overflow are not :func:`ordinary` and refute nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.checks.rounding.fine import Array, FloatFormat, layer_bound
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

Inputs = Mapping[str, NDArray[Any]]

# The largest scaled score of an ordinary input.
MAX_SCORE = 20.0

# Covers the rounding of this evaluation itself, in float64, and of its own norms.
_OUTWARD = 1 + 2.0**-20


@dataclass(frozen=True)
class _Magnitudes:
    """Bounds of absolute values: operands (h, rows, columns), σ, and F for each head and query (h, n, 1)."""

    q: Array
    k: Array
    v: Array
    sigma: float
    F: Array


def wide_bound(
    inputs: Inputs, sizes: Sizes, spec: AttentionSpec, allowed: Allowed, form: FloatFormat
) -> NDArray[np.float64]:
    """Return a bound on the error of every entry of the last result, shape (n, columns), for any correct code.

    .. math:: |ŷ_{ij} - y_{ij}| ≤ \\sum_t \\max_l v̄^t_{lj} F^t_i |W_O| + γ (…)

    ``inputs`` maps names to float arrays without batch axes, shaped as by
    :func:`attn_verify.shapes.input_shapes`; the class of implementations is described above.  The bound is never
    below ``layer_bound`` with a correction for every key, and infinite where it says nothing.

    >>> one = np.ones((1, 1, 1))
    >>> sizes, spec = Sizes(n=1, d_k=1, d_v=1), AttentionSpec()
    >>> inputs, form = {"Q": one, "K": one, "V": one}, FloatFormat.of("float64")
    >>> float(wide_bound(inputs, sizes, spec, ((True,),), form)[0, 0]) < 1e-11
    True
    """
    fine = layer_bound(inputs, sizes, spec, allowed, form, rescalings=sizes.keys)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = _magnitudes(inputs, sizes, spec, form)
        largest = parts.v.max(1, keepdims=True)
        error = parts.F * largest + 16 * form.tiny * (sizes.keys + _lengths(sizes) + 2) * (1 + largest)
        if spec.empty_row == "mean":
            error = np.maximum(error, form.gamma(4 * sizes.keys + 24) * largest)
        error = _side_by_side(error)
        if sizes.d_out is not None:
            size = _side_by_side(np.broadcast_to(largest, (sizes.heads, sizes.n, sizes.d_v)))
            W = np.abs(np.asarray(inputs["W_O"], np.float64))
            inner = sizes.heads * sizes.d_v
            error = error @ W + 2 * form.gamma(_lengths(sizes) + inner + 24) * ((size + error) @ W)
            error = error + 4 * form.tiny * (size.sum(-1, keepdims=True) + W.sum(0) + inner)
        bound = np.maximum(error * _OUTWARD, fine)
    return np.where(np.isnan(bound), np.inf, bound)


def wide_weights_bound(inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat) -> NDArray[np.float64]:
    """Return a bound on the error of every weight, shape (h, n, m).

    .. math:: |p̂_{ij} - p_{ij}| ≤ F_i \\quad \\text{as no weight is above 1}
    """
    with np.errstate(over="ignore", invalid="ignore"):
        F = _magnitudes(inputs, sizes, spec, form).F * _OUTWARD
    full = np.broadcast_to(F, (sizes.heads, sizes.n, sizes.keys))
    return np.where(np.isnan(full), np.inf, full)


def wide_gradient_bound(
    inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat
) -> dict[str, NDArray[np.float64]]:
    """Return bounds on the errors of the gradients: ``dQ dK dV``, or ``dX dW_Q dW_K dW_V`` (``dX_KV``, ``dW_O``).

    .. math:: |\\hat{dA} - dA| ≤ (e^{6F} - 1) M(dA)

    with ``D_i = Σ_c |dO_ic| max_j v̄_jc`` and the magnitudes ``M(dV)_j = Σ_i |dO_i|, M(dQ)_i = 2|σ| D_i Σ_j k̄_j,
    M(dK)_j = 2|σ| Σ_i D_i q̄_i`` and, through the projections, ``M(dX) = M(dQ)|W_Q|ᵀ + …, M(dW_Q) = |X|ᵀ M(dQ)``.
    ``inputs`` holds ``dO`` (h, n, d_v), or ``dY`` (n, d_out) with an output projection, too.
    """
    exact = {name: np.abs(np.asarray(array, np.float64)) for name, array in inputs.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        parts = _magnitudes(inputs, sizes, spec, form)
        magnitudes = _gradient_magnitudes(exact, sizes, parts)
        rounded = form.gamma(2 * (_lengths(sizes) + sizes.n + sizes.keys + sizes.heads * sizes.d_v) + 24)
        relative = np.expm1(6 * (parts.F.max() + rounded))
        floor = 64 * form.tiny * (1 + sum(array.sum() for array in magnitudes.values()))
        bounds = {name: (relative * array + floor) * _OUTWARD for name, array in magnitudes.items()}
    return {name: np.where(np.isnan(bound), np.inf, bound) for name, bound in bounds.items()}


def ordinary(
    inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat, *, max_score: float = MAX_SCORE
) -> bool:
    """Return whether no correct implementation, however careless of magnitudes, overflows on these inputs.

    Scaled scores lie within ``±max_score``; unscaled ones, exponentials shifted by another row's maximum, and their
    sums and products with values inside the format.  Whatever code does on other inputs is no question of algebra.

    >>> one = np.ones((1, 1, 1))
    >>> sizes, spec, form = Sizes(n=1, d_k=1, d_v=1), AttentionSpec(), FloatFormat.of("float16")
    >>> [ordinary({"Q": q * one, "K": 4 * one, "V": one}, sizes, spec, form) for q in (0.5, 4)]
    [True, False]
    """
    exact = {name: np.abs(np.asarray(array, np.float64)) for name, array in inputs.items()}
    if not all(np.isfinite(array).all() for array in exact.values()):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        parts = _magnitudes(inputs, sizes, spec, form)
        log_largest = -float(np.log(form.tiny))  # tiny · largest ≈ 4 in every format of IEEE 754
        scores = parts.q @ parts.k.mT
        scaled, unscaled = float((parts.sigma * scores).max()), float(scores.max())
        size = max(1.0, *(float(array.max(initial=0)) for array in exact.values()), float(parts.v.max()))
        if "W_O" in exact:
            size = max(size, float((parts.v.max(1).reshape(1, -1) @ exact["W_O"]).max()))
        if "dO" in exact or "dY" in exact:
            size = max(size, *(float(array.max()) for array in _gradient_magnitudes(exact, sizes, parts).values()))
        exponent = 2 * scaled + float(np.log(2 * sizes.keys * size))
    return scaled <= max_score and max(unscaled, exponent) <= 0.9 * log_largest


def _magnitudes(inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat) -> _Magnitudes:
    q, k, v = (_operand(name, inputs, sizes) for name in "QKV")
    sigma = _scale(spec, sizes)
    m, N = sizes.keys, _lengths(sizes)
    E = sigma * (_norm(q) + _norm(k).max(1, keepdims=True)) ** 2
    # |s| by |q̄|·|k̄|: no cancellation to rely on.
    R = (sigma * (q @ k.mT)).max()
    C = -float(np.log(form.tiny) + np.log(2 * form.unit_roundoff))
    G = form.gamma(N + 12) * E + form.gamma(4) * (m * E.max() + np.log(m) + C) + form.gamma(12 * m + 16)
    G = G + 4 * form.tiny * (1 + sigma) * (1 + _norm(q) + _norm(k).max(1, keepdims=True)) * (N + 2)
    F = np.expm1(2 * G) + 4 * np.exp(2 * G) * form.gamma(N + 4 * m + 24) + 8 * m * np.exp(2 * R) * _underflow(form)
    return _Magnitudes(q, k, v, sigma, F)


def _gradient_magnitudes(exact: Mapping[str, Array], sizes: Sizes, parts: _Magnitudes) -> dict[str, Array]:
    """Return M of every gradient from the absolute values of the inputs."""
    h, n, d_v = sizes.heads, sizes.n, sizes.d_v
    largest = parts.v.max(1, keepdims=True)
    if sizes.d_out is None:
        dO = exact["dO"]
    else:
        dO = np.moveaxis((exact["dY"] @ exact["W_O"].T).reshape(n, h, d_v), 1, 0)
    D = (dO * largest).sum(-1, keepdims=True)
    # A row without keys has no scores to differentiate; its magnitudes are an upper bound all the same.
    dQ = 2 * parts.sigma * D * parts.k.sum(1, keepdims=True)
    dK = np.broadcast_to(2 * parts.sigma * (D * parts.q).sum(1, keepdims=True), parts.k.shape)
    dV = np.broadcast_to(dO.sum(1, keepdims=True), parts.v.shape)
    if sizes.given_qkv:
        found = {"dQ": dQ, "dK": dK, "dV": dV}
    else:
        X = exact["X"]
        X_KV = exact["X_KV"] if sizes.cross else X
        W_Q, W_K, W_V = (exact[f"W_{name}"] for name in "QKV")
        through_q = (dQ @ W_Q.mT).sum(0)
        through_kv = (dK @ W_K.mT + dV @ W_V.mT).sum(0)
        found = {"dX": through_q if sizes.cross else through_q + through_kv}
        found |= {"dX_KV": through_kv} if sizes.cross else {}
        found |= {"dW_Q": X.T @ dQ, "dW_K": X_KV.T @ dK, "dW_V": X_KV.T @ dV}
    if sizes.d_out is not None:
        Z = _side_by_side(np.broadcast_to(largest, (h, n, d_v)))
        found["dW_O"] = Z.T @ exact["dY"]
    return found


def _operand(name: str, inputs: Inputs, sizes: Sizes) -> Array:
    """Return |Q|, |K| or |V|, or the bound ``|X||W|`` of every order of its products."""
    if sizes.given_qkv:
        return np.abs(np.asarray(inputs[name], np.float64))
    source = "X_KV" if sizes.cross and name != "Q" else "X"
    X, W = (np.abs(np.asarray(inputs[part], np.float64)) for part in (source, f"W_{name}"))
    product: Array = X[None] @ W
    return product


def _underflow(form: FloatFormat) -> float:
    return form.tiny * (2 * form.unit_roundoff if form.name == "float16" else 1)


def _lengths(sizes: Sizes) -> int:
    """Return the summed lengths of the products in a score or a value."""
    return sizes.d_k + 2 * (sizes.d_model or 0)


def _norm(rows: Array) -> Array:
    norm: Array = np.sqrt((rows**2).sum(-1, keepdims=True))
    return norm


def _side_by_side(heads: Array) -> Array:
    """Turn (h, n, d_v) into (n, h · d_v)."""
    joined: Array = np.moveaxis(heads, 0, 1).reshape(heads.shape[1], -1)
    return joined


def _scale(spec: AttentionSpec, sizes: Sizes) -> float:
    with precision():
        return abs(float(scale_value(spec.scale_node(), sizes, BALL).mid())) * _OUTWARD
