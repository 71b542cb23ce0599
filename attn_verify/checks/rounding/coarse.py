"""The class *coarse*: how far a correct implementation may be from the exact result, the widest class that we know.

:mod:`attn_verify.checks.rounding.fine` bounds the implementations that compute attention in one of the usual ways.
Others are correct as well and leave that bound: a shift by another number than
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

**Stable implementations.** On scores of any size only a shift by the row's own maximum, a running one or a log-sum-exp
keeps the weights from vanishing.  What is subtracted is then at most ``E_i + \\ln m`` and a row sum is at least 1/2, so

.. math:: G_i = γ_{N+12}\\, E_i + γ_4\\, (2 E_i + \\ln m) + γ_{12m+16}, \\qquad
          F_i = e^{2G_i} - 1 + 4 e^{2G_i} γ_{N+4m+24} + 8 m (m + 2) η

and maxima are over the keys that some query attends to.  This is what ``stable=True`` asks for.

**Profiles.** Products and sums are counted in the unit roundoff of ``accumulation``, the other roundings of a score
in the coarsest of ``input``, ``scores`` and ``accumulation``, those of the rest in the coarsest of all; where formats
differ ``MIXED`` more pay for conversions.

**Bias and softcap.** With biases at most ``β_i`` in size and a cap ``c``, ``E_i`` becomes ``E_i + 2β_i + 2c``: a bias
and the results of ``c\\,\\tanh`` are terms of the score, and the derivative of the cap is at most 1.

**Gradients.** A gradient is a sum of products of inputs, of σ and of at most three weights.  With every factor
replaced by a bound of its absolute value (a weight by 1) it becomes its *magnitude* ``M``.  Each weight contributes a
relative ``F``, each product and sum a part of ``F`` once more; the error is at most ``(e^{6F} − 1) M``.

Not in the class: algorithms that find a small number as the difference of two large ones (a masked sum as the
sum of everything less the sum of the masked), and whatever over- or underflows in ways not named here.  Inputs for
which ordinary code could overflow are not :func:`ordinary` and refute nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attn_verify.checks.rounding.enclosed import Inputs, Mask, scale_ends
from attn_verify.checks.rounding.formats import Array, Conversions, Profile, gamma
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

# Roundings of the conversions between formats: two for each of four operands of a score, for the score, the output.
MIXED = 12

# Covers the rounding of this evaluation itself, in float64, and of its own norms.
OUTWARD = 1 + 2.0**-20


@dataclass(frozen=True)
class Magnitudes:
    """Bounds of absolute values, shared by all profiles: operands (h, rows, columns), σ, and E (h, n, 1).

    ``square`` is what a distance of a query and a key adds up to, before the scale.
    """

    sizes: Sizes
    spec: AttentionSpec
    exact: Mapping[str, Array]
    q: Array
    k: Array
    v: Array
    sigma: float
    E: Array
    square: Array
    entering: Conversions


def magnitudes(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed | None = None,
    *,
    bias: Array | None = None,
    softcap: float | None = None,
) -> Magnitudes:
    """Return the magnitudes of one input without batch axes; with ``allowed`` only of keys that are attended to."""
    exact = {name: np.abs(np.asarray(array, np.float64)) for name, array in inputs.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        q, k, v = (_operand(name, exact, sizes) for name in "QKV")
        attends: Mask = np.ones((sizes.n, sizes.keys), np.bool_) if allowed is None else np.array(allowed, np.bool_)
        if allowed is not None:
            # Where a query attends to nothing, a mean of all values may be asked for.
            seen: Mask = np.asarray(attends.any(0)) | (not attends.any(1).all() and spec.empty_row == "mean")
            k, v = (np.where(seen[:, None], part, 0) for part in (k, v))
        sigma = scale_size(spec, sizes)
        square = (norm(q) + norm(k).max(1, keepdims=True)) ** 2
        E = sigma * square
        if bias is not None:
            size = np.where(attends, np.abs(bias), 0)
            E = E + 2 * size.max(-1, keepdims=True)
        if softcap is not None:
            E = E + 2 * softcap
    return Magnitudes(sizes, spec, exact, q, k, v, sigma, E, square, Conversions(exact))


def factors(parts: Magnitudes, profiles: Sequence[Profile], *, stable: bool) -> Array:
    """Return ``F_i`` of each profile, shape (profiles, h, n, 1).

    .. math:: F_i = e^{2G_i} - 1 + 4 e^{2G_i} γ_{N+4m+24} + 8 m e^{2R} η
    """
    m, N, E = parts.sizes.keys, lengths(parts.sizes), parts.E
    entering = parts.entering
    of_scores, of_values = ("Q", "K", "X", "X_KV", "W_Q", "W_K"), ("V", "X", "X_KV", "W_V")

    def scoring(p: Profile) -> float:
        return max(p.input.unit_roundoff, p.scores.unit_roundoff, p.accumulation.unit_roundoff)

    def arguing(p: Profile) -> float:
        return max(p.scores.unit_roundoff, p.accumulation.unit_roundoff)

    def mixed(p: Profile) -> int:
        return MIXED if p.mixed else 0

    def of_score(p: Profile) -> float:
        return N * p.accumulation.unit_roundoff + (12 + mixed(p)) * scoring(p) + 4 * entering(p, *of_scores)

    def of_output(p: Profile) -> float:
        return (N + 4 * m) * p.accumulation.unit_roundoff + (24 + mixed(p)) * p.coarsest + 2 * entering(p, *of_values)

    score = _column(profiles, lambda p: gamma(of_score(p)))
    shift = _column(profiles, lambda p: gamma(4 * arguing(p)))
    exponential = _column(profiles, lambda p: gamma((12 * m + 16) * arguing(p)))
    output = _column(profiles, lambda p: gamma(of_output(p)))
    lost = _column(profiles, lambda p: max(form.lost for form in p.steps))
    G = score * E + exponential
    if stable:
        G = G + shift * (2 * E + np.log(m))
        paid = 8.0 * m * (m + 2) * lost
    else:
        C = _column(profiles, lambda p: -float(np.log(p.scores.tiny) + np.log(2 * p.scores.unit_roundoff)))
        G = G + shift * (m * E.max() + np.log(m) + C)
        # |s| by |q̄|·|k̄| and the cap and biases in E: no cancellation to rely on.
        R = (parts.sigma * (parts.q @ parts.k.mT)).max() + (E - parts.sigma * parts.square).max()
        paid = 8 * m * np.exp(2 * R) * lost
    G = G + 4 * lost * (1 + parts.sigma) * (1 + norm(parts.q) + norm(parts.k).max(1, keepdims=True)) * (N + 2)
    F = np.expm1(2 * G) + 4 * np.exp(2 * G) * output + paid
    largest = _column(profiles, lambda p: p.largest)
    return np.where(np.isnan(F) | (parts.square > largest), np.inf, F)


def norm_errors(parts: Magnitudes, profiles: Sequence[Profile], *, stable: bool) -> Array:
    """Return the bound on every entry of the last result for each profile, shape (profiles, n, columns).

    .. math:: |ŷ_{ij} - y_{ij}| ≤ \\sum_t \\max_l v̄^t_{lj} F^t_i |W_O| + γ (…)
    """
    sizes = parts.sizes
    m, N = sizes.keys, lengths(sizes)
    with np.errstate(over="ignore", invalid="ignore"):
        F = factors(parts, profiles, stable=stable)
        lost = _column(profiles, lambda p: max(form.lost for form in p.steps))
        largest = parts.v.max(1, keepdims=True)
        error = F * largest + 16 * lost * (m + N + 2) * (1 + largest)
        if parts.spec.empty_row == "mean":
            mean = _column(profiles, lambda p: gamma((4 * m + 24) * p.coarsest + 2 * parts.entering(p, "V")))
            error = np.maximum(error, mean * largest)
        error = side_by_side(error)
        if sizes.d_out is not None:
            size = side_by_side(np.broadcast_to(largest, (sizes.heads, sizes.n, sizes.d_v)))
            W = parts.exact["W_O"]
            inner = sizes.heads * sizes.d_v
            final = _column(
                profiles,
                lambda p: gamma(
                    (N + inner) * p.accumulation.unit_roundoff
                    + (24 + (MIXED if p.mixed else 0)) * p.coarsest
                    + parts.entering(p, "W_O")
                ),
            )[..., 0]
            lost = lost[..., 0]
            error = error @ W + 2 * final * ((size + error) @ W)
            error = error + 4 * lost * (size.sum(-1, keepdims=True) + W.sum(0) + inner)
        bound = error * OUTWARD
    return np.where(np.isnan(bound), np.inf, bound)


def _column(profiles: Sequence[Profile], count: Callable[[Profile], float]) -> Array:
    return np.array([count(profile) for profile in profiles]).reshape(-1, 1, 1, 1)


def _operand(name: str, exact: Mapping[str, Array], sizes: Sizes) -> Array:
    """Return |Q|, |K| or |V|, or the bound ``|X||W|`` of every order of its products."""
    if sizes.given_qkv:
        return exact[name]
    X, W = exact["X_KV" if sizes.cross and name != "Q" else "X"], exact[f"W_{name}"]
    product: Array = X[None] @ W
    return product


def lengths(sizes: Sizes) -> int:
    """Return the summed lengths of the products in a score or a value."""
    return sizes.d_k + 2 * (sizes.d_model or 0)


def norm(rows: Array) -> Array:
    """Return the Euclidean norm of every row."""
    found: Array = np.sqrt((rows**2).sum(-1, keepdims=True))
    return found


def side_by_side(heads: Array) -> Array:
    """Turn (…, h, n, d_v) into (…, n, h · d_v)."""
    moved = heads.swapaxes(-3, -2)
    joined: Array = moved.reshape(*moved.shape[:-2], -1)
    return joined


def scale_size(spec: AttentionSpec, sizes: Sizes) -> float:
    """Return an upper bound of |σ|."""
    return max(map(abs, scale_ends(spec, sizes))) * OUTWARD
