"""Multi-head attention with its output projection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from attn_verify.numeric.attention import weighted_sum, weights
from attn_verify.numeric.inputs import (
    BoolArray,
    Causal,
    Conventions,
    EmptyRow,
    FloatArray,
    FloatType,
    MaskTrue,
    bind_grad,
    conventions,
    float_arrays,
    mask_array,
    misfit,
    quiet,
)
from attn_verify.numeric.masks import attended, counted
from attn_verify.numeric.weights import HeadWeights, Weights, head_weights, merge_heads, number_of_heads
from attn_verify.shapes import Shape, Signature


@dataclass(frozen=True)
class Layer:
    """A multi-head call, read: everything in the number type of the computation, the weights stacked.

    ``Q = X W_Q`` broadcasts: X ``(…, 1, n, d_model)``, X_KV ``(…, 1, m, d_model)``, W_Q W_K W_V
    ``(…, h, d_model, d)``, attends ``(…, 1, n, m)``.
    """

    X: FloatArray
    X_KV: FloatArray
    W_Q: FloatArray
    W_K: FloatArray
    W_V: FloatArray
    W_O: FloatArray
    dY: FloatArray | None
    attends: BoolArray
    rules: Conventions
    layouts: tuple[HeadWeights, ...]
    batch: Shape
    dtype: FloatType


@overload
def multihead(
    X: ArrayLike,
    W_Q: Weights,
    W_K: Weights,
    W_V: Weights,
    W_O: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = ...,
    heads: int | None = ...,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[False] = ...,
) -> FloatArray: ...
@overload
def multihead(
    X: ArrayLike,
    W_Q: Weights,
    W_K: Weights,
    W_V: Weights,
    W_O: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = ...,
    heads: int | None = ...,
    causal: Causal = ...,
    scale: float | None = ...,
    mask_true: MaskTrue = ...,
    empty_row: EmptyRow = ...,
    return_weights: Literal[True],
) -> tuple[FloatArray, FloatArray]: ...
@quiet
def multihead(
    X: ArrayLike,
    W_Q: Weights,
    W_K: Weights,
    W_V: Weights,
    W_O: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    X_KV: ArrayLike | None = None,
    heads: int | None = None,
    causal: Causal = "none",
    scale: float | None = None,
    mask_true: MaskTrue = "attends",
    empty_row: EmptyRow = "zero",
    return_weights: bool = False,
) -> FloatArray | tuple[FloatArray, FloatArray]:
    """Return the output of h heads that attend side by side, joined and projected.

    Equation: ``O_i = softmax(scale·Q_i K_iᵀ) V_i`` with ``Q_i = X W_Q,i, K_i = X W_K,i, V_i = X W_V,i``;
    ``Z = Concat(O_1, …, O_h), Y = Z W_O``.

    Arguments
        X: embeddings ``(…, n, d_model)``.
        W_Q, W_K, W_V: weights of h heads ``(d_model, d_k)``, ``(d_model, d_k)``, ``(d_model, d_v)``, each as a list
            of h matrices, as a stacked array ``(…, h, d_model, d)``, or as one fused matrix ``(d_model, h·d)``,
            the columns of head 1 first.  An array with three axes or more is stacked, never a batch of fused ones.
        W_O: output weights ``(…, h·d_v, d_out)``.
        mask: boolean ``(…, n|1, m|1)``, shared by all heads; its batch axes are those of X.
        X_KV: embeddings ``(…, m, d_model)`` of the keys and values; ``None`` is X.
        heads: h; required where a projection is fused, otherwise checked.
        causal, scale, mask_true, empty_row, return_weights: as in ``attention``.

    Returns: ``Y (…, n, d_out)``, or ``(Y, P)`` with ``P (…, h, n, m)``; number types as in ``attention``.

    Raises: as ``attention``; ``SizeError`` where heads is not a whole number from 1.

    Source: Vaswani et al. 2017, section 3.2.2.

    >>> X, W_O = [[1, 0], [0, 1]], [[1, 0], [0, 1]]
    >>> multihead(X, W_Q=[[0, 0], [0, 0]], W_K=[[0, 0], [0, 0]], W_V=[[2, 0], [4, 8]], W_O=W_O, heads=2)
    array([[3., 4.],
           [3., 4.]])
    """
    arrays = {"X": X, "X_KV": X_KV, "W_O": W_O}
    projections = {"W_Q": W_Q, "W_K": W_K, "W_V": W_V}
    layer = read("multihead", arrays, projections, mask, heads, causal, scale, mask_true, empty_row)
    X, X_KV, W_Q, W_K, W_V, W_O = layer.X, layer.X_KV, layer.W_Q, layer.W_K, layer.W_V, layer.W_O

    Q = X @ W_Q
    K = X_KV @ W_K
    V = X_KV @ W_V
    P = weights(Q, K, layer.attends, layer.rules)
    O = weighted_sum(P, V, counted(layer.attends, layer.rules))
    Z = merge_heads(O)
    Y = (Z @ W_O).astype(layer.dtype, copy=False)
    return (Y, P.astype(layer.dtype, copy=False)) if return_weights else Y


def signature(operation: str, cross: bool, grad: bool, W_Q: str, W_K: str, W_V: str) -> Signature:
    """Return the signature of a call whose projections have the given core axes."""
    m = "m" if cross else "n"
    cores = {"X": "(n,d_model)"}
    if cross:
        cores["X_KV"] = "(m,d_model)"
    cores |= {"W_Q": W_Q, "W_K": W_K, "W_V": W_V, "W_O": "(h·d_v,d_out)"}
    if grad:
        cores["dY?"] = "(n,d_out)"
    cores["mask?"] = f"(n|1,{m}|1)"
    results = ["(n,d_out)"]
    if grad:
        results = ["(n,d_model)", W_Q, W_K, W_V, "(h·d_v,d_out)", *(["(m,d_model)"] if cross else [])]
    return Signature.parse(operation, ", ".join(cores), f"{','.join(cores.values())}->{','.join(results)}")


def read(
    operation: str,
    arrays: Mapping[str, ArrayLike | None],
    projections: Mapping[str, Weights],
    mask: ArrayLike | None,
    heads: int | None,
    causal: Causal,
    scale: float | None,
    mask_true: MaskTrue,
    empty_row: EmptyRow,
) -> Layer:
    """Check a multi-head call and bring its weights into one layout.

    ``arrays`` holds X, X_KV, W_O and, for a gradient, dY.  Shapes are bound twice: in the caller's layouts, so
    that a message shows the caller's shapes, and stacked, where what differs between two layouts shows.
    """
    cross, grad = arrays["X_KV"] is not None, "dY" in arrays
    stacked = signature(operation, cross, grad, "(h,d_model,d_k)", "(h,d_model,d_k)", "(h,d_model,d_v)")
    rules = conventions(stacked, causal, scale, mask_true, empty_row)
    layouts = tuple(head_weights(stacked, name, W) for name, W in projections.items())
    h = number_of_heads(stacked, layouts, heads)

    values = {name: A for name, A in arrays.items() if A is not None} | {W.name: W.array for W in layouts}
    dtype, floats = float_arrays(stacked, **values)
    read_arrays = dict(zip(values, floats, strict=True))
    M = mask_array(stacked, mask)
    received: dict[str, Shape | None] = {name: A.shape for name, A in read_arrays.items()}
    received["mask"] = None if M is None else M.shape
    cores = (W.core(columns) for W, columns in zip(layouts, ("d_k", "d_k", "d_v"), strict=True))
    as_given = signature(operation, cross, grad, *cores)
    as_given.bind({argument.name: received[argument.name] for argument in as_given.arguments})

    for W in layouts:
        read_arrays[W.name] = W.stacked(read_arrays[W.name], h)
        received[W.name] = read_arrays[W.name].shape
    received = {argument.name: received[argument.name] for argument in stacked.arguments}
    bound = bind_grad(stacked, received, "dY") if grad else stacked.bind(received)
    n, d_v, rows = (bound.sizes[axis] for axis in ("n", "d_v", "h·d_v"))
    if rows != h * d_v:
        raise misfit(
            stacked,
            received,
            f"h = {h} heads of d_v = {d_v} make Z {h * d_v} columns wide, but W_O has {rows} rows",
            remedy=f"did you mean W_O with {h * d_v} rows?",
        )
    attends = attended(n, bound.sizes.get("m", n), M, rules)
    X = np.expand_dims(read_arrays["X"], -3)
    return Layer(
        X=X,
        X_KV=np.expand_dims(read_arrays["X_KV"], -3) if cross else X,
        W_Q=read_arrays["W_Q"],
        W_K=read_arrays["W_K"],
        W_V=read_arrays["W_V"],
        W_O=read_arrays["W_O"],
        dY=read_arrays.get("dY"),
        attends=np.expand_dims(attends, -3),
        rules=rules,
        layouts=layouts,
        batch=bound.batch,
        dtype=dtype,
    )
