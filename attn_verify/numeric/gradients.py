"""Gradients of attention, of one head and of a multi-head layer, by the chain rule.

``dA`` is the gradient of a scalar loss with respect to ``A``.  Every gradient has the shape of its input: where
an input was broadcast, its gradient is the sum over the broadcast axes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from attn_verify.numeric.attention import weighted_sum, weights
from attn_verify.numeric.inputs import (
    BoolArray,
    Causal,
    Conventions,
    EmptyRow,
    FloatArray,
    MaskTrue,
    bind_grad,
    conventions,
    float_arrays,
    mask_array,
    quiet,
    shapes,
)
from attn_verify.numeric.masks import attended, counted
from attn_verify.numeric.multihead import read
from attn_verify.numeric.weights import Weights, WeightsGrad, merge_heads, split_heads
from attn_verify.shapes import Shape, Signature

_ATTENTION = Signature.parse(
    "attention_grad",
    "Q, K, V, dO?, mask?",
    "(n,d_k),(m,d_k),(m,d_v),(n,d_v),(n|1,m|1)->(n,d_k),(m,d_k),(m,d_v)",
)
_SELF = Signature.parse(
    "self_attention_grad",
    "X, W_Q, W_K, W_V, dO?, mask?",
    "(n,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(n,d_v),(n|1,n|1)"
    "->(n,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v)",
)
_CROSS = Signature.parse(
    "self_attention_grad",
    "X, X_KV, W_Q, W_K, W_V, dO?, mask?",
    "(n,d_model),(m,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(n,d_v),(n|1,m|1)"
    "->(n,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(m,d_model)",
)


class AttentionGrad(NamedTuple):
    """The gradients of ``attention``."""

    dQ: FloatArray
    dK: FloatArray
    dV: FloatArray


class SelfAttentionGrad(NamedTuple):
    """The gradients of ``self_attention``; ``dX_KV`` is ``None`` where keys and values come from X."""

    dX: FloatArray
    dW_Q: FloatArray
    dW_K: FloatArray
    dW_V: FloatArray
    dX_KV: FloatArray | None = None


class MultiheadGrad(NamedTuple):
    """The gradients of ``multihead``, those of the weights in the layout of the weights (a list for a list)."""

    dX: FloatArray
    dW_Q: WeightsGrad
    dW_K: WeightsGrad
    dW_V: WeightsGrad
    dW_O: FloatArray
    dX_KV: FloatArray | None = None


@quiet
def attention_grad(
    Q: ArrayLike,
    K: ArrayLike,
    V: ArrayLike,
    dO: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
) -> AttentionGrad:
    """Return the gradients of a loss with respect to Q, K and V, from its gradient dO with respect to O.

    Equation: ``dV = Pᵀ dO, dP = dO Vᵀ, dS_ij = P_ij (dP_ij − Σ_j P_ij dP_ij), dQ = scale·dS K, dK = scale·dSᵀ Q``.

    Arguments
        Q, K, V, mask and the keywords: as in ``attention``.
        dO: ``(…, n, d_v)``, the shape of O or one that broadcasts to it.

    Returns: ``AttentionGrad(dQ, dK, dV)`` in the shapes of Q, K, V.  A masked pair contributes exactly nothing.
    The weights of an empty row are constants, so it adds nothing to dQ and dK, and to dV nothing (``zero``), dO/m
    for every key (``mean``), or nan to all three (``nan``).

    Raises: as ``attention``, and ``ShapeError`` where dO has batch axes that O has not.

    Source: Dao et al. 2022 (FlashAttention), appendix B.2.

    >>> attention_grad([[0.0]], [[1.0], [3.0]], [[0.0], [4.0]], dO=[[1.0]])
    AttentionGrad(dQ=array([[2.]]), dK=array([[0.],
           [0.]]), dV=array([[0.5],
           [0.5]]))
    """
    rules = conventions(_ATTENTION, causal, scale, mask_true, empty_row)
    dtype, (Q, K, V, dO) = float_arrays(_ATTENTION, Q=Q, K=K, V=V, dO=dO)
    mask = mask_array(_ATTENTION, mask)
    bound = bind_grad(_ATTENTION, shapes(Q=Q, K=K, V=V, dO=dO, mask=mask), "dO")
    attends = attended(bound.sizes["n"], bound.sizes["m"], mask, rules)

    dO = np.broadcast_to(dO, bound.batch + dO.shape[-2:])
    dQ, dK, dV = core_grad(Q, K, V, dO, attends, rules)
    return AttentionGrad(
        unbroadcast(dQ, Q.shape).astype(dtype, copy=False),
        unbroadcast(dK, K.shape).astype(dtype, copy=False),
        unbroadcast(dV, V.shape).astype(dtype, copy=False),
    )


@quiet
def self_attention_grad(
    X: ArrayLike,
    W_Q: ArrayLike,
    W_K: ArrayLike,
    W_V: ArrayLike,
    dO: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = None,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
) -> SelfAttentionGrad:
    """Return the gradients of a loss with respect to the embeddings and weights of one head, from dO.

    Equation: ``dW_Q = Xᵀ dQ, dW_K = Xᵀ dK, dW_V = Xᵀ dV, dX = dQ W_Qᵀ + dK W_Kᵀ + dV W_Vᵀ``, with dQ, dK, dV as
    in ``attention_grad``; in cross-attention ``dX = dQ W_Qᵀ, dX_KV = dK W_Kᵀ + dV W_Vᵀ``.

    Arguments
        X, W_Q, W_K, W_V, mask, X_KV and the keywords: as in ``self_attention``.
        dO: ``(…, n, d_v)``, the shape of O or one that broadcasts to it.

    Returns: ``SelfAttentionGrad(dX, dW_Q, dW_K, dW_V, dX_KV)`` in the shapes of the inputs; dX_KV is ``None``
    without X_KV.  Empty rows as in ``attention_grad``.

    Raises: as ``attention_grad``.

    Source: the chain rule over Vaswani et al. 2017, section 3.2.2.

    >>> grad = self_attention_grad([[1], [3]], W_Q=[[0]], W_K=[[1]], W_V=[[1]], dO=[[1], [1]])
    >>> grad.dW_Q, grad.dW_V
    (array([[4.]]), array([[4.]]))
    """
    signature = _SELF if X_KV is None else _CROSS
    rules = conventions(signature, causal, scale, mask_true, empty_row)
    cross = {} if X_KV is None else {"X_KV": X_KV}
    dtype, (X, W_Q, W_K, W_V, dO, *rest) = float_arrays(signature, X=X, W_Q=W_Q, W_K=W_K, W_V=W_V, dO=dO, **cross)
    mask = mask_array(signature, mask)
    sources = dict(zip(cross, rest, strict=True))
    received = shapes(X=X, **sources, W_Q=W_Q, W_K=W_K, W_V=W_V, dO=dO, mask=mask)
    bound = bind_grad(signature, received, "dO")
    n = bound.sizes["n"]
    attends = attended(n, bound.sizes.get("m", n), mask, rules)

    dO = np.broadcast_to(dO, bound.batch + dO.shape[-2:])
    dX, dX_KV, dW_Q, dW_K, dW_V = projected_grad(X, sources.get("X_KV", X), W_Q, W_K, W_V, dO, attends, rules)
    return SelfAttentionGrad(
        (dX if cross else dX + dX_KV).astype(dtype, copy=False),
        dW_Q.astype(dtype, copy=False),
        dW_K.astype(dtype, copy=False),
        dW_V.astype(dtype, copy=False),
        dX_KV.astype(dtype, copy=False) if cross else None,
    )


@quiet
def multihead_grad(
    X: ArrayLike,
    W_Q: Weights,
    W_K: Weights,
    W_V: Weights,
    W_O: ArrayLike,
    dY: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = None,
    heads: int | None = None,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
) -> MultiheadGrad:
    """Return the gradients of a loss with respect to the embeddings and all weights of h heads, from dY.

    Equation: ``dW_O = Zᵀ dY, dZ = dY W_Oᵀ``; ``dO_i`` is the i-th column block of dZ; each head continues as
    in ``self_attention_grad``, and dX is the sum over the heads.

    Arguments
        X, W_Q, W_K, W_V, W_O, mask, X_KV, heads and the keywords: as in ``multihead``.
        dY: ``(…, n, d_out)``, the shape of Y or one that broadcasts to it.

    Returns: ``MultiheadGrad(dX, dW_Q, dW_K, dW_V, dW_O, dX_KV)`` in the shapes and layouts of the inputs; dX_KV
    is ``None`` without X_KV.  Empty rows as in ``attention_grad``.

    Raises: as ``multihead``, and ``ShapeError`` where dY has batch axes that Y has not.

    Source: the chain rule over Vaswani et al. 2017, section 3.2.2.

    >>> grad = multihead_grad([[1], [3]], [[[0]]], [[[1]]], [[[1]]], W_O=[[2]], dY=[[1], [1]])
    >>> grad.dW_O, grad.dW_V
    (array([[4.]]), [array([[8.]])])
    """
    arrays = {"X": X, "X_KV": X_KV, "W_O": W_O, "dY": dY}
    projections = {"W_Q": W_Q, "W_K": W_K, "W_V": W_V}
    layer = read("multihead_grad", arrays, projections, mask, heads, causal, scale, mask_true, empty_row)
    cross, dtype, attends, rules = X_KV is not None, layer.dtype, layer.attends, layer.rules
    X, X_KV, W_Q, W_K, W_V, W_O = layer.X, layer.X_KV, layer.W_Q, layer.W_K, layer.W_V, layer.W_O
    assert layer.dY is not None

    P = weights(X @ W_Q, X_KV @ W_K, attends, rules)
    O = weighted_sum(P, X_KV @ W_V, counted(attends, rules))
    Z = merge_heads(O)
    dY = np.broadcast_to(layer.dY, layer.batch + layer.dY.shape[-2:])
    dW_O = unbroadcast(Z.mT @ dY, W_O.shape)
    dZ = dY @ W_O.mT
    dO = split_heads(dZ, O.shape[-3])
    dX, dX_KV, *dW = projected_grad(X, X_KV, W_Q, W_K, W_V, dO, attends, rules)
    dW_Q, dW_K, dW_V = (W.as_received(g.astype(dtype, copy=False)) for W, g in zip(layer.layouts, dW, strict=True))
    return MultiheadGrad(
        np.squeeze(dX if cross else dX + dX_KV, axis=-3).astype(dtype, copy=False),
        dW_Q,
        dW_K,
        dW_V,
        dW_O.astype(dtype, copy=False),
        np.squeeze(dX_KV, axis=-3).astype(dtype, copy=False) if cross else None,
    )


def core_grad(
    Q: FloatArray, K: FloatArray, V: FloatArray, dO: FloatArray, attends: BoolArray, rules: Conventions
) -> AttentionGrad:
    """Return dQ, dK, dV with all batch axes; dO has them all."""
    scale = rules.scale_for(Q.shape[-1])
    counts = counted(attends, rules)
    P = weights(Q, K, attends, rules)
    dV = weighted_sum(P.mT, dO, counts.mT)
    dP = np.where(attends, dO @ V.mT, 0)
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True))
    dQ = scale * weighted_sum(dS, K, counts)
    dK = scale * weighted_sum(dS.mT, Q, counts.mT)
    return AttentionGrad(dQ, dK, dV)


def projected_grad(
    X: FloatArray,
    X_KV: FloatArray,
    W_Q: FloatArray,
    W_K: FloatArray,
    W_V: FloatArray,
    dO: FloatArray,
    attends: BoolArray,
    rules: Conventions,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return dX (through the queries), dX_KV, dW_Q, dW_K, dW_V in the shapes of the inputs; dO has all batch axes."""
    counts = counted(attends, rules)
    # rows of zeros where nothing counts: their gradient is 0, and 0·nan in Xᵀ dQ would spoil the weights'
    X_used = np.where(counts.any(axis=-1, keepdims=True), X, 0)
    X_KV_used = np.where(counts.mT.any(axis=-1, keepdims=True), X_KV, 0)
    dQ, dK, dV = core_grad(X_used @ W_Q, X_KV_used @ W_K, X_KV_used @ W_V, dO, attends, rules)
    return (
        unbroadcast(dQ @ W_Q.mT, X.shape),
        unbroadcast(dK @ W_K.mT + dV @ W_V.mT, X_KV.shape),
        unbroadcast(X_used.mT @ dQ, W_Q.shape),
        unbroadcast(X_KV_used.mT @ dK, W_K.shape),
        unbroadcast(X_KV_used.mT @ dV, W_V.shape),
    )


def unbroadcast(dA: FloatArray, shape: Shape) -> FloatArray:
    """Sum ``dA`` over the axes along which an array of ``shape`` was broadcast."""
    dA = dA.sum(axis=tuple(range(dA.ndim - len(shape))))
    axes = tuple(axis for axis, length in enumerate(shape) if length == 1)
    total: FloatArray = dA.sum(axis=axes, keepdims=True)
    return total
