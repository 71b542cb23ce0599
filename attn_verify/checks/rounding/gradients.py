"""Bounds on the errors of gradients, and which inputs are ordinary: no correct code overflows on them."""

from __future__ import annotations

import numpy as np

from attn_verify.checks.rounding.coarse import (
    MIXED,
    OUTWARD,
    Magnitudes,
    factors,
    lengths,
    magnitudes,
    side_by_side,
)
from attn_verify.checks.rounding.enclosed import Inputs
from attn_verify.checks.rounding.formats import Array, FloatFormat, Profile, gamma
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

# The largest scaled score of an ordinary input.
MAX_SCORE = 20.0


def gradient_bounds(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed | None,
    profile: Profile,
    *,
    bias: Array | None = None,
    softcap: float | None = None,
    stable: bool = True,
) -> dict[str, Array]:
    """Return bounds on the errors of the gradients: ``dQ dK dV``, or ``dX dW_Q dW_K dW_V`` (``dX_KV``, ``dW_O``).

    .. math:: |\\hat{dA} - dA| ≤ (e^{6F} - 1) M(dA)

    with ``D_i = Σ_c |dO_ic| max_j v̄_jc`` and the magnitudes ``M(dV)_j = Σ_i |dO_i|, M(dQ)_i = 2|σ| D_i Σ_j k̄_j,
    M(dK)_j = 2|σ| Σ_i D_i q̄_i`` and, through the projections, ``M(dX) = M(dQ)|W_Q|ᵀ + …, M(dW_Q) = |X|ᵀ M(dQ)``.
    ``inputs`` holds ``dO`` (h, n, d_v), or ``dY`` (n, d_out) with an output projection, too.  With a ``softcap`` no
    bound is derived: all are infinite.  ``stable`` is explained at :func:`attn_verify.checks.rounding.bounds`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        parts = magnitudes(inputs, sizes, spec, allowed if stable else None, bias=bias, softcap=softcap)
        found = gradient_magnitudes(parts)
        F = factors(parts, (profile,), stable=stable).max()
        long = 2 * (lengths(sizes) + sizes.n + sizes.keys + sizes.heads * sizes.d_v)
        mixed = MIXED if profile.mixed else 0
        rounded = gamma(
            long * profile.accumulation.unit_roundoff
            + (24 + mixed) * profile.coarsest
            + 2 * parts.entering(profile, *parts.exact)
        )
        relative = np.expm1(6 * (F + rounded)) if softcap is None else np.inf
        # What is flushed to zero before it meets a large key, query or weight: a term of dP, dS or dO.
        behind = gradient_magnitudes(parts, constant=True)
        size = sum(array.sum() for part in (found, behind) for array in part.values())
        floor = (64 + 4 * long) * profile.tiny * (1 + size)
        bounds = {name: (relative * array + floor) * OUTWARD for name, array in found.items()}
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
    with np.errstate(over="ignore", invalid="ignore"):
        parts = magnitudes(inputs, sizes, spec)
        exact = parts.exact
        if not all(np.isfinite(array).all() for array in exact.values()):
            return False
        log_largest = -float(np.log(form.tiny))  # tiny · largest ≈ 4 in every format of IEEE 754
        scores = parts.q @ parts.k.mT
        scaled, unscaled = float((parts.sigma * scores).max()), float(scores.max())
        size = max(1.0, *(float(array.max(initial=0)) for array in exact.values()), float(parts.v.max()))
        if "W_O" in exact:
            size = max(size, float((parts.v.max(1).reshape(1, -1) @ exact["W_O"]).max()))
        if "dO" in exact or "dY" in exact:
            size = max(size, *(float(array.max()) for array in gradient_magnitudes(parts).values()))
        exponent = 2 * scaled + float(np.log(2 * sizes.keys * size))
    return scaled <= max_score and max(unscaled, exponent) <= 0.9 * log_largest


def gradient_magnitudes(parts: Magnitudes, *, constant: bool = False) -> dict[str, Array]:
    """Return M of every gradient from the absolute values of the inputs; with ``constant`` for D = dO = 1."""
    sizes, exact = parts.sizes, parts.exact
    h, n, d_v = sizes.heads, sizes.n, sizes.d_v
    largest = parts.v.max(1, keepdims=True)
    if sizes.d_out is None:
        dO = exact["dO"]
    else:
        dO = np.moveaxis((exact["dY"] @ exact["W_O"].T).reshape(n, h, d_v), 1, 0)
    D = (dO * largest).sum(-1, keepdims=True)
    if constant:
        dO, D = np.ones_like(dO), np.ones_like(D)
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
        Z = side_by_side(np.broadcast_to(largest, (h, n, d_v)))
        found["dW_O"] = Z.T @ exact["dY"]
    return found
