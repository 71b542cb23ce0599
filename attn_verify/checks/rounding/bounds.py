"""The bounds by class and precision profile, and their forms for a single float format."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attn_verify.checks.rounding.coarse import OUTWARD, factors, magnitudes, norm_errors
from attn_verify.checks.rounding.enclosed import Inputs, enclosed
from attn_verify.checks.rounding.fine import row_errors, weight_errors
from attn_verify.checks.rounding.formats import Array, FloatFormat, Profile
from attn_verify.checks.rounding.gradients import gradient_bounds
from attn_verify.errors import SpecError, explain, show
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

# Classes of implementations; the bound of each is never below that of the one before.
CLASSES = ("fine", "log", "coarse")


def bounds(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    profile: Profile,
    *,
    kind: str = "fine",
    rescalings: int = 0,
    bias: Array | None = None,
    softcap: float | None = None,
    stable: bool = True,
) -> Array:
    """Return the bound on the absolute error of every entry of the last result, shape (…, n, columns).

    ``inputs`` maps names to float arrays, taken as the exact numbers that they are: ``Q K V`` or
    ``W_Q W_K W_V`` of shape (…, heads, rows, columns), ``X``, ``X_KV``, ``W_O`` (…, rows, columns).
    ``kind`` is the class of implementations, one of ``CLASSES``; leading axes are for *fine* and *log* only.
    ``rescalings`` is how often a partial result may be multiplied by a correction, as online softmax
    does (0 where the maximum is known first; at most m, which *coarse* always allows).
    ``bias`` (n, m) or (heads, n, m) is added to the scores after they were capped by ``softcap``.
    ``stable`` implementations shift by nothing but the row's own maximum, a running one or its log-sum-exp; otherwise
    *coarse* also allows for other shifts, and for none, and says little where scores are large.

    A bound is ``inf`` where it says nothing: where a row is too long for a format, or a sum of absolute values leaves
    its range, so that some correct implementation overflows.

    >>> one = np.ones((1, 1, 1))
    >>> sizes, spec = Sizes(n=1, d_k=1, d_v=1), AttentionSpec()
    >>> single = Profile.of("float32")
    >>> inputs = {"Q": one, "K": one, "V": one}
    >>> [float(bounds(inputs, sizes, spec, ((True,),), single, kind=kind)[0, 0]) < 1e-4 for kind in CLASSES]
    [True, True, True]
    """
    check_kind(kind)
    found = all_bounds(
        inputs, sizes, spec, allowed, (profile,), kinds=(kind,),
        rescalings=rescalings, bias=bias, softcap=softcap, stable=stable,
    )  # fmt: skip
    bound: Array = found[kind][0]
    return bound


def all_bounds(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    profiles: Sequence[Profile],
    *,
    kinds: Sequence[str] = CLASSES,
    rescalings: int = 0,
    bias: Array | None = None,
    softcap: float | None = None,
    stable: bool = True,
) -> dict[str, Array]:
    """Return :func:`bounds` of several profiles and classes at once, by class, shape (profiles, …, n, columns)."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shared = enclosed(inputs, sizes, spec, allowed, bias=bias, softcap=softcap)
    fine, log = row_errors(shared, profiles, rescalings=rescalings, log=any(kind != "fine" for kind in kinds))
    found = {"fine": fine, "log": log}
    if "coarse" in kinds:
        if rescalings != sizes.keys:
            _, log = row_errors(shared, profiles, rescalings=sizes.keys)
        parts = magnitudes(inputs, sizes, spec, allowed if stable else None, bias=bias, softcap=softcap)
        found["coarse"] = np.maximum(norm_errors(parts, profiles, stable=stable), log)
    return {kind: found[kind] for kind in kinds}


def weights_bound(
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    profile: Profile,
    *,
    kind: str = "coarse",
    rescalings: int = 0,
    bias: Array | None = None,
    softcap: float | None = None,
    stable: bool = True,
) -> Array:
    """Return a bound on the error of every weight, shape (…, h, n, m), for a class of implementations.

    .. math:: |p̂_{ij} - p_{ij}| ≤ F_i \\quad \\text{(coarse), as no weight is above 1}
    """
    check_kind(kind)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shared = enclosed(inputs, sizes, spec, allowed, bias=bias, softcap=softcap)
        if kind != "coarse":
            bound: Array = weight_errors(shared, (profile,), rescalings=rescalings)[kind == "log"][0]
            return bound
        _, log = weight_errors(shared, (profile,), rescalings=sizes.keys)
        parts = magnitudes(inputs, sizes, spec, allowed if stable else None, bias=bias, softcap=softcap)
        bound = np.maximum(_norm_weights(factors(parts, (profile,), stable=stable)[0], sizes), log[0])
    return bound


def layer_bound(
    inputs: Inputs, sizes: Sizes, spec: AttentionSpec, allowed: Allowed, form: FloatFormat, *, rescalings: int = 0
) -> Array:
    """Return the bound of the class *fine* where everything is in one format and inputs are taken as they are.

    >>> one = np.ones((1, 1, 1))
    >>> sizes, spec = Sizes(n=1, d_k=1, d_v=1), AttentionSpec()
    >>> bound = layer_bound({"Q": one, "K": one, "V": one}, sizes, spec, ((True,),), FloatFormat.of("float64"))
    >>> float(bound[0, 0]) < 1e-14
    True
    """
    return bounds(inputs, sizes, spec, allowed, Profile.exact_inputs(form), rescalings=rescalings)


def wide_bound(inputs: Inputs, sizes: Sizes, spec: AttentionSpec, allowed: Allowed, form: FloatFormat) -> Array:
    """Return the bound of the class *coarse*, shifts of every kind allowed, for one format, shape (n, columns).

    >>> one = np.ones((1, 1, 1))
    >>> sizes, spec = Sizes(n=1, d_k=1, d_v=1), AttentionSpec()
    >>> inputs, form = {"Q": one, "K": one, "V": one}, FloatFormat.of("float64")
    >>> float(wide_bound(inputs, sizes, spec, ((True,),), form)[0, 0]) < 1e-11
    True
    """
    profile = Profile.exact_inputs(form)
    return bounds(inputs, sizes, spec, allowed, profile, kind="coarse", rescalings=sizes.keys, stable=False)


def wide_weights_bound(inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat) -> Array:
    """Return a bound on the error of every weight, shape (h, n, m), for any correct code.

    .. math:: |p̂_{ij} - p_{ij}| ≤ F_i \\quad \\text{as no weight is above 1}
    """
    with np.errstate(over="ignore", invalid="ignore"):
        F = factors(magnitudes(inputs, sizes, spec), (Profile.exact_inputs(form),), stable=False)[0]
    return _norm_weights(F, sizes)


def wide_gradient_bound(inputs: Inputs, sizes: Sizes, spec: AttentionSpec, form: FloatFormat) -> dict[str, Array]:
    """Return bounds on the errors of the gradients for any correct code, in one format."""
    return gradient_bounds(inputs, sizes, spec, None, Profile.exact_inputs(form), stable=False)


def check_kind(kind: str) -> None:
    """Raise ``SpecError`` for a class that does not exist."""
    if kind not in CLASSES:
        raise SpecError(explain("rounding bound", f"got kind = {show(kind)}", remedy=f"one of {', '.join(CLASSES)}"))


def _norm_weights(F: Array, sizes: Sizes) -> Array:
    full = np.broadcast_to(F * OUTWARD, (sizes.heads, sizes.n, sizes.keys))
    return np.where(np.isnan(full), np.inf, full)
