"""The bounds of the classes *fine* and *log*: how far a float result of attention may lie from the exact one.

For a row with exact scores ``s_j``, weights ``p_j`` and output ``o = Σ p_j v_j``, an implementation
that forms inner products in any order, subtracts nothing, the row maximum or a running one, uses an
exponential within ``EXP`` unit roundoffs, and sums and divides in any order, is off by at most

.. math:: \\frac{Σ_j p_j (e^{L_j} - 1) |v_j - o| + Σ_j p_j e^{L_j} (γ (|v_j| + Δv_j) + Δv_j)}
               {Σ_j p_j e^{-L_j}} + \\text{underflow}

where ``L_j`` bounds the error of the exponent of weight j.  Weights as ``exp(s_j − lse)``, and blocks merged by
their log-sum-exp, do not sum to 1, so that nothing cancels; with ``G`` for the log-sum-exp they are off by at most

.. math:: Σ_j p_j (e^{L_j + G} - 1) |v_j| + Σ_j p_j e^{L_j + G} (γ (|v_j| + Δv_j) + Δv_j) + \\text{underflow}

Every constant is derived in ``docs/explanation/rounding.md``.  The bounds are evaluated in float64 from enclosures of
``s``, ``p``, ``o``: all terms are positive, so a last factor covers the rounding of the evaluation itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attn_verify.checks.rounding.enclosed import Enclosed, Operand, outward
from attn_verify.checks.rounding.formats import DOUBLE, Array, Profile
from attn_verify.checks.rounding.steps import Steps, steps

# Entries of a block of |v_j − o|: small enough for the cache.
_BLOCK = 2**16


@dataclass(frozen=True)
class Exponents:
    """``L_j`` of the classes fine and log, shape (profiles, …, heads, n, m), and errors of the operands."""

    fine: Array
    log: Array


def row_errors(
    enclosed: Enclosed, profiles: Sequence[Profile], *, rescalings: int, log: bool = True
) -> tuple[Array, Array]:
    """Return the bounds of the classes fine and log on the last result, each (profiles, …, n, columns).

    The bound of *log* is never below that of *fine*; without ``log`` it is that of *fine*.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        counts = steps(enclosed, profiles, rescalings)
        fine, wider = _heads(enclosed, counts, rescalings, log)
        size = np.where(enclosed.empty, enclosed.largest if enclosed.spec.empty_row == "mean" else 0, _size(enclosed))
        return _last(enclosed, counts, size, fine), _last(enclosed, counts, size, np.maximum(fine, wider))


def weight_errors(enclosed: Enclosed, profiles: Sequence[Profile], *, rescalings: int) -> tuple[Array, Array]:
    """Return the bounds of the classes fine and log on the weights P, each (profiles, …, heads, n, m).

    .. math:: |p̂_j - p_j| ≤ p_j \\frac{(e^{L_j} - 1) + Σ_l p_l (e^{L_l} - 1) + γ e^{L_j}}{Σ_l p_l e^{-L_l}}
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        counts = steps(enclosed, profiles, rescalings)
        L = exponents(enclosed, counts)
        below, all_below = _below(enclosed, L.fine)
        moved, raised = _raised(enclosed, L.fine)
        fine = (moved + raised * moved.sum(-1, keepdims=True) / all_below + counts.output * raised) / below
        moved, raised = _raised(enclosed, L.log)
        wider = (moved + counts.output * raised) / all_below
        m, r = enclosed.sizes.keys, rescalings
        lost = 8 * (counts.lost * (2 * m * (2 + r) + 2 * (m + r) + 2) + 2 * m * counts.lost_weights)
        lost = lost + 16 * (counts.lost_weights + counts.lost_output)
        found = []
        for part in (fine, np.maximum(fine, wider)):
            bound = np.where(enclosed.attends, part + lost, 0)
            bound = np.where(_overflows(enclosed, counts), np.inf, bound)
            if enclosed.spec.empty_row != "mean":
                bound = np.where(enclosed.empty, 0, bound)
            else:
                bound = np.where(enclosed.empty, counts.mean + lost, bound)
            found.append(_checked(bound * outward(enclosed.sizes.keys + enclosed.sizes.d_k)))
        return found[0], found[1]


def exponents(enclosed: Enclosed, counts: Steps) -> Exponents:
    """Return ``L_j``: errors of the scores, of their shift, of exponentials, and of a log-sum-exp.

    .. math:: L_j = δ_j + γ_κ (G_j + 2W) + (1 + r)(γ + η), \\qquad
              L_j + γ_κ(\\ln m + 3(T + (1+r)ρ)) + T + (2 + r)ρ
    """
    delta = np.where(enclosed.attends, _score_errors(enclosed, counts), 0)
    worst = delta.max(-1, keepdims=True)
    fine = delta + counts.shift * (enclosed.gap_high + 2 * worst) + counts.exponential
    chain = 1 + counts.rescalings
    ln_m = float(np.log(enclosed.sizes.keys)) * (1 + 2.0**-40)
    T = worst * (1 + 2 * counts.shift) + counts.shift * ln_m + counts.exponential + counts.sums
    size = np.where(enclosed.attends, enclosed.scores, 0).max(-1, keepdims=True)
    left = 1 - counts.log * chain
    rho = np.where(left > 0, counts.log * (size + T + 2 * ln_m + 1) / left, np.inf)
    log = fine + counts.shift * (ln_m + 3 * (T + chain * rho)) + T + (1 + chain) * rho
    return Exponents(fine * outward(enclosed.sizes.d_k), log * outward(enclosed.sizes.d_k))


def _score_errors(enclosed: Enclosed, counts: Steps) -> Array:
    """Bound ``|ŝ_ij − s_ij|`` for each profile.

    ``σ γ_{d_k + c₁} Σ_a (|q|+Δq)(|k|+Δk)`` for the inner product and its scale, ``σ Σ_a (|q| Δk + Δq |k| + Δq Δk)``
    for operands that are themselves rounded, what underflow may take away, and the parts of a cap and of a bias.
    """
    Q, K, inner = enclosed.Q, enclosed.K, enclosed.sizes.d_k
    lost_q, lost_k = Q.size.sum(-1)[..., :, None], K.size.sum(-1)[..., None, :]
    if enclosed.sizes.given_qkv:
        # Δq = e|q| and Δk = e|k| with one e for all entries.
        e = counts.entering_qk
        carried: Array = (2 * e + e**2) * enclosed.product
    else:
        dq, dk = _operand_error(Q, counts), _operand_error(K, counts)
        carried = Q.size @ dk.mT + dq @ K.size.mT + dq @ dk.mT
        e = np.zeros(1)
        lost_q, lost_k = lost_q + dq.sum(-1)[..., :, None], lost_k + dk.sum(-1)[..., None, :]
    lost = 2 * counts.lost * ((1 + e) * (lost_q + lost_k) + 2 * inner + 2)
    sigma = enclosed.sigma
    error: Array = sigma * (counts.scores * (enclosed.product + carried) + carried) + (1 + sigma) * lost
    # Scores in the enclosure are capped and biased; the absolute values of the uncapped ones are not needed.
    extra = 8 * (1 + sigma) * counts.lost
    if enclosed.softcap is not None:
        capped = np.minimum(sigma * enclosed.product + error, enclosed.softcap)
        error = error + counts.cap * capped + extra
    if enclosed.bias is not None:
        error = error + counts.bias * np.abs(enclosed.bias) + extra
    return error * outward(inner)


def _operand_error(A: Operand, counts: Steps) -> Array:
    """Bound the error of a projected operand: ``γ_{d_model + c₁} |X||W|`` and what underflow may take away."""
    found: Array = counts.projected * A.product + counts.lost * A.lost
    return found


def _value_error(enclosed: Enclosed, counts: Steps) -> Array:
    """Bound ``Δv`` for each profile, shape (profiles, …, heads, m, d_v)."""
    V = enclosed.V
    return counts.entering_v * V.size if enclosed.sizes.given_qkv else _operand_error(V, counts)


def _raised(enclosed: Enclosed, L: Array) -> tuple[Array, Array]:
    """Return ``e^{−G}(e^L − 1)`` and ``e^{−G} e^L``, from above: neither vanishes, neither overflows before the end."""
    gap = enclosed.gap_low
    weights = np.maximum(np.exp(-gap), DOUBLE.tiny)
    exponent = L - gap
    steep = np.maximum(np.exp(exponent + 4 * DOUBLE.unit_roundoff * np.abs(exponent)), DOUBLE.tiny)
    gentle = weights * np.expm1(np.minimum(L, 1))
    # e^{L − G} − e^{−G}, with no cancellation where it is used: e^L is at least e there.
    moved = np.where(L < 1, gentle, np.maximum(steep - np.exp(-enclosed.gap_high) * (1 - 2.0**-40), DOUBLE.tiny))
    raised = np.where(L < 1, gentle + weights, steep)
    return np.where(enclosed.attends, moved, 0), np.where(enclosed.attends, raised, 0)


def _below(enclosed: Enclosed, L: Array) -> tuple[Array, Array]:
    """Return ``Σ e^{−G} e^{−L}`` and ``Σ e^{−G}``, from below."""
    exponent = (enclosed.gap_high + L) * (1 + 4 * DOUBLE.unit_roundoff)
    below = np.where(enclosed.attends, np.exp(-exponent), 0).sum(-1, keepdims=True)
    return below, np.where(enclosed.attends, np.exp(-enclosed.gap_high), 0).sum(-1, keepdims=True)


def _heads(enclosed: Enclosed, counts: Steps, rescalings: int, log: bool) -> tuple[Array, Array]:
    """Return the two bounds on the error of Z, shape (profiles, …, heads, n, d_v)."""
    L = exponents(enclosed, counts)
    below, all_below = _below(enclosed, L.fine)
    V, dv = enclosed.V, _value_error(enclosed, counts)
    size = V.size + dv
    rounded = counts.output * size + dv
    m, r = enclosed.sizes.keys, rescalings
    # Δv is at most this times what it is relative to; rows that do not see a value are not charged for it.
    largest = enclosed.largest
    if dv.any():
        seen = np.where(np.isfinite(dv), dv, 0)
        largest = largest + _largest_of(enclosed, seen)
    underflow = 8 * counts.lost * (m * (2 + r) * 2 * largest + 2 * (m + r) + 2)
    underflow = underflow + 8 * (counts.lost_weights * 2 * m * largest + counts.lost_output * 2)

    moved, raised = _raised(enclosed, L.fine)
    fine = (_spread(enclosed, moved) + raised @ rounded) / below + underflow
    wider = fine
    if log:
        moved, raised = _raised(enclosed, L.log)
        wider = (moved @ np.broadcast_to(V.size, size.shape) + raised @ rounded) / all_below + underflow
    broken = _overflows(enclosed, counts)
    found = []
    for error in (fine, wider):
        if enclosed.spec.empty_row == "mean":
            mean = counts.mean * largest + (largest - enclosed.largest) + underflow
            found.append(np.where(broken, np.inf, np.where(enclosed.empty, mean, error)))
        else:
            found.append(np.where(enclosed.empty, 0, np.where(broken, np.inf, error)))
    return found[0], found[1]


def _largest_of(enclosed: Enclosed, errors: Array) -> Array:
    """Return the largest ``Δv`` of any key, an upper bound for every row."""
    found: Array = errors.max(-2, keepdims=True)
    return found + np.zeros_like(enclosed.largest)


def _spread(enclosed: Enclosed, moved: Array) -> Array:
    """Return ``Σ_j w_j |v_j − o|`` for weights (profiles, …, heads, n, m), blocks of rows at a time."""
    V, o = enclosed.V.value, enclosed.o
    weights = np.moveaxis(moved, 0, -2)
    found = np.empty((*weights.shape[:-1], V.shape[-1]))
    n = o.shape[-2]
    rows = max(1, _BLOCK * n // max(1, o.size * V.shape[-2]))
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        distance = np.abs(V[..., None, :, :] - o[..., block, None, :])
        np.matmul(weights[..., block, :, :], distance, out=found[..., block, :, :])
    spread: Array = np.moveaxis(found, -2, 0) + moved.sum(-1, keepdims=True) * enclosed.inexact
    return spread


def _overflows(enclosed: Enclosed, counts: Steps) -> Array:
    """Return where a sum of absolute values leaves a format, shape (profiles, …, heads, n, 1).

    Some correct implementation overflows there, however small the exact result is.
    """
    Q, K, V = enclosed.Q, enclosed.K, enclosed.V
    sums = max(1.0, 1.5 * enclosed.sigma) * enclosed.product.max(-1, keepdims=True)
    if enclosed.bias is not None:
        sums = sums + np.abs(enclosed.bias).max(-1, keepdims=True)
    keys = np.where(enclosed.attends, np.maximum(K.size, K.product).max(-1)[..., None, :], 0)
    weights = np.where(enclosed.attends, np.exp(-enclosed.gap_low), 0)
    largest = np.maximum(sums, np.maximum(Q.size, Q.product).max(-1, keepdims=True))
    largest = np.maximum(largest, keys.max(-1, keepdims=True))
    # Σ_j e^{s_j − μ}|v_j| is what a division after the product sums up; |X||W_V| what a projection does.
    values = weights @ V.size
    if not enclosed.sizes.given_qkv:
        values = np.maximum(values, V.product.max(-2, keepdims=True))
        # Embeddings and weights that a conversion to the input format takes to infinity, whatever they meet there.
        given = (np.abs(array[np.isfinite(array)]).max(initial=0) for array in enclosed.inputs.values())
        values = np.maximum(values, max(map(float, given)))
    largest = np.maximum(largest, np.maximum(values, enclosed.largest).max(-1, keepdims=True))
    broken: Array = (largest > counts.largest) | enclosed.lawless
    return broken


def _size(enclosed: Enclosed) -> Array:
    size: Array = np.abs(enclosed.o) + enclosed.inexact
    return size


def _last(enclosed: Enclosed, counts: Steps, size: Array, error: Array) -> Array:
    """Carry the error of Z through ``Y = Z W_O`` if there is one: ``ΔZ |W_O| + γ (|Z| + ΔZ) |W_O|``."""
    error, size = _side_by_side(error), _side_by_side(size)
    sizes = enclosed.sizes
    if sizes.d_out is not None:
        W = np.abs(enclosed.inputs["W_O"])
        whole = (size + error) @ W
        carried = error @ W + counts.final[..., 0] * whole
        inner = W.shape[-2]
        lost = (size + error).sum(-1, keepdims=True) + W.sum(-2, keepdims=True) + inner
        carried = carried + 2 * counts.lost[..., 0] * lost
        error = np.where(whole > counts.largest[..., 0], np.inf, carried)
    return _checked(error * outward(sizes.d_k + sizes.keys + (sizes.d_model or 0) + sizes.heads * sizes.d_v))


def _checked(bound: Array) -> Array:
    return np.where(np.isnan(bound), np.inf, bound)


def _side_by_side(heads: Array) -> Array:
    """Turn (…, heads, n, d_v) into (…, n, heads · d_v)."""
    moved = heads.swapaxes(-3, -2)
    result: Array = moved.reshape(*moved.shape[:-2], -1)
    return result
