"""Scaled dot-product attention, and one head with its projections."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from attn_verify.numeric.inputs import (
    BoolArray,
    Causal,
    Conventions,
    EmptyRow,
    FloatArray,
    MaskTrue,
    conventions,
    float_arrays,
    mask_array,
    quiet,
    shapes,
)
from attn_verify.numeric.masks import attended, counted
from attn_verify.shapes import Signature

_ATTENTION = Signature.parse("attention", "Q, K, V, mask?", "(n,d_k),(m,d_k),(m,d_v),(n|1,m|1)->(n,d_v)")
_SELF = Signature.parse(
    "self_attention",
    "X, W_Q, W_K, W_V, mask?",
    "(n,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(n|1,n|1)->(n,d_v)",
)
_CROSS = Signature.parse(
    "self_attention",
    "X, X_KV, W_Q, W_K, W_V, mask?",
    "(n,d_model),(m,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(n|1,m|1)->(n,d_v)",
)


def softmax(S: FloatArray, attends: BoolArray, empty_row: EmptyRow) -> FloatArray:
    """Return the weights ``P_ij = exp(S_ij) / Σ_j exp(S_ij)``, the sum over the attended j; others weigh exactly 0."""
    empty = ~attends.any(axis=-1, keepdims=True)
    S = np.where(attends, S, -np.inf)
    S = np.where(empty, 0, S)
    # exp of a score overflows from 710 (float64) and 89 (float32); the largest of a row is exp(0) here
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    P: FloatArray = E / E.sum(axis=-1, keepdims=True)
    # the scores of an empty row are all 0 here, which makes P the mean
    P_empty = {"zero": np.zeros_like(P), "nan": np.full_like(P, np.nan), "mean": P}[empty_row]
    return np.where(attends, P, np.where(empty, P_empty, 0))


def weighted_sum(P: FloatArray, V: FloatArray, counts: BoolArray) -> FloatArray:
    """Return ``P V``, leaving out the terms that do not count, where ``0·∞`` would make them nan."""
    finite = np.isfinite(V)
    if finite.all():
        return P @ V
    O: FloatArray = P @ np.where(finite, V, 0)
    wild = np.where(finite, 0, V)
    batch = tuple(range(V.ndim - 2))
    for j in np.flatnonzero(~finite.all(axis=(*batch, -1))):
        term = P[..., :, j, None] * wild[..., j, None, :]
        O = O + np.where(counts[..., :, j, None], term, 0)
    return O


def weights(Q: FloatArray, K: FloatArray, attends: BoolArray, rules: Conventions) -> FloatArray:
    """Return ``P = softmax(scale·Q Kᵀ)``."""
    S = rules.scale_for(Q.shape[-1]) * (Q @ K.mT)
    return softmax(S, attends, rules.empty_row)


@overload
def attention(
    Q: ArrayLike,
    K: ArrayLike,
    V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[False] = ...,
) -> FloatArray: ...
@overload
def attention(
    Q: ArrayLike,
    K: ArrayLike,
    V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[True],
) -> tuple[FloatArray, FloatArray]: ...
@quiet
def attention(
    Q: ArrayLike,
    K: ArrayLike,
    V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
    return_weights: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    """Return the values that each query attends to, averaged by weights that its scores give.

    Equation: ``O = softmax(scale·Q Kᵀ) V``, the softmax over each row; masked scores are −∞.

    Arguments
        Q, K, V: queries ``(…, n, d_k)``, keys ``(…, m, d_k)``, values ``(…, m, d_v)``; batch axes broadcast.
        mask: boolean ``(…, n|1, m|1)``.  A masked pair weighs exactly 0, and neither its score nor its value
            enters the result, whatever they hold, nan and ±∞ included.  What is attended follows IEEE
            arithmetic: a nan, or a score of +∞, makes the row nan.
        causal: ``none``; ``lower_right``: query i sees keys up to i + m − n; ``upper_left``: keys up to i.
            Joined with ``mask``: both must allow a pair.
        scale: a finite number; ``None`` is ``1/√d_k``.
        mask_true: whether true in ``mask`` means ``attends`` or ``masked``.
        empty_row: the weights of a query that may attend to nothing: ``zero``, ``nan``, or ``mean`` (1/m for
            every key, so that masked values do enter).
        return_weights: also return ``P = softmax(scale·Q Kᵀ)``.

    Returns: ``O (…, n, d_v)``, or ``(O, P)`` with ``P (…, n, m)`` over the batch axes of Q, K and mask.  In the
    widest floating-point type of Q, K, V; integers become float64; float16 is computed in float32.

    Raises: ``ShapeError`` where shapes do not fit; ``SpecError`` for an unknown keyword value, a mask that is
    not boolean, or numbers that are not real.

    Source: Vaswani et al. 2017, equation (1); the mask: section 3.2.3.

    >>> attention([[0.0]], [[1.0], [2.0]], [[1.0, 0.0], [0.0, 1.0]])
    array([[0.5, 0.5]])
    >>> attention([[0.0]], [[1.0], [2.0]], [[1.0, 0.0], [0.0, 1.0]], mask=[[True, False]])
    array([[1., 0.]])
    """
    rules = conventions(_ATTENTION, causal, scale, mask_true, empty_row)
    dtype, (Q, K, V) = float_arrays(_ATTENTION, Q=Q, K=K, V=V)
    mask = mask_array(_ATTENTION, mask)
    sizes = _ATTENTION.bind(shapes(Q=Q, K=K, V=V, mask=mask)).sizes
    attends = attended(sizes["n"], sizes["m"], mask, rules)

    P = weights(Q, K, attends, rules)
    O = weighted_sum(P, V, counted(attends, rules)).astype(dtype, copy=False)
    return (O, P.astype(dtype, copy=False)) if return_weights else O


@overload
def self_attention(
    X: ArrayLike,
    W_Q: ArrayLike,
    W_K: ArrayLike,
    W_V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = ...,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[False] = ...,
) -> FloatArray: ...
@overload
def self_attention(
    X: ArrayLike,
    W_Q: ArrayLike,
    W_K: ArrayLike,
    W_V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = ...,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[True],
) -> tuple[FloatArray, FloatArray]: ...
@quiet
def self_attention(
    X: ArrayLike,
    W_Q: ArrayLike,
    W_K: ArrayLike,
    W_V: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = None,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
    return_weights: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    """Return one head of attention: embeddings, projected to queries, keys and values, attend to one another.

    Equation: ``Q = X W_Q, K = X W_K, V = X W_V, O = softmax(scale·Q Kᵀ) V``; with ``X_KV`` (cross-attention)
    ``K = X_KV W_K, V = X_KV W_V``.

    Arguments
        X: embeddings ``(…, n, d_model)``.
        W_Q, W_K, W_V: weights ``(…, d_model, d_k)``, ``(…, d_model, d_k)``, ``(…, d_model, d_v)``.
        X_KV: embeddings ``(…, m, d_model)`` of the keys and values; ``None`` is X.
        mask, causal, scale, mask_true, empty_row, return_weights: as in ``attention``.

    Returns: ``O (…, n, d_v)``, or ``(O, P)``, as in ``attention``.

    Raises: as ``attention``.

    Source: Vaswani et al. 2017, section 3.2.2, head_i, with equation (1); X_KV: section 3.2.3.

    >>> self_attention([[1, 0], [0, 1]], W_Q=[[0], [0]], W_K=[[1], [1]], W_V=[[2], [4]], causal="lower_right")
    array([[2.],
           [3.]])
    """
    signature = _SELF if X_KV is None else _CROSS
    rules = conventions(signature, causal, scale, mask_true, empty_row)
    cross = {} if X_KV is None else {"X_KV": X_KV}
    dtype, (X, W_Q, W_K, W_V, *rest) = float_arrays(signature, X=X, W_Q=W_Q, W_K=W_K, W_V=W_V, **cross)
    mask = mask_array(signature, mask)
    sources = dict(zip(cross, rest, strict=True))
    sizes = signature.bind(shapes(X=X, **sources, W_Q=W_Q, W_K=W_K, W_V=W_V, mask=mask)).sizes
    attends = attended(sizes["n"], sizes.get("m", sizes["n"]), mask, rules)

    X_KV = sources.get("X_KV", X)
    Q = X @ W_Q
    K = X_KV @ W_K
    V = X_KV @ W_V
    P = weights(Q, K, attends, rules)
    O = weighted_sum(P, V, counted(attends, rules)).astype(dtype, copy=False)
    return (O, P.astype(dtype, copy=False)) if return_weights else O
