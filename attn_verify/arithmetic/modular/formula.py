"""The third reading of attention on whole arrays of residues, written from the definition."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.field import Field, using
from attn_verify.arithmetic.modular.residues import filled
from attn_verify.arithmetic.number_system import Arithmetic, scale_value
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import Allowed, AttentionSpec

Inputs = Mapping[str, ModularData]


def formula_inputs(field: Field, sizes: Sizes) -> dict[str, ModularData]:
    """Return the random residues of all inputs of a layer."""
    with using(field):
        return {name: ModularData.inputs(name, shape) for name, shape in input_shapes(sizes).items()}


def formula_arrays(
    field: Field, sizes: Sizes, spec: AttentionSpec, allowed: Allowed, inputs: Inputs | None = None
) -> ModularData:
    """Return Y (n, d_out), or Z (n, h·d_v) without an output projection, in residues of ``field``.

    .. math:: Y = [O_1 … O_h] W_O, \\quad O_t = P_t V_t, \\quad P_t = e^{S_t} / (e^{S_t} 1), \\quad S_t = σ Q_t K_t^T

    Rows without an allowed key follow the spec; where it leaves them open they are poison, which is not judged.
    Source: Vaswani et al. (2017), equation (1).
    """
    given = formula_inputs(field, sizes) if inputs is None else inputs
    with using(field):
        scale = scale_value(spec.scale_node(), sizes, _arithmetic())
        mask: NDArray[np.bool_] = np.array(allowed, np.bool_)
        Q, K, V = _projected(given, sizes)
        heads = [_head(*head, scale, mask, spec.empty_row) for head in zip(Q, K, V, strict=True)]
        Z = heads[0].join(heads[1:], lambda arrays: np.concatenate(arrays, axis=1))
        if sizes.d_out is None:
            return Z
        open_rows = np.asarray(Z.parts["special"].any(axis=1))
        if not open_rows.any():
            return Z.matmul(given["W_O"])
        closed = Z.move(lambda x: x[~open_rows]).matmul(given["W_O"])
        Y = ModularData.full((sizes.n, sizes.d_out), "poison")
        place = np.cumsum(~open_rows) - 1
        if not closed.shape[0]:
            return Y
        spread = closed.move(lambda x: x[np.maximum(place, 0)])
        return Y.join([spread], lambda arrays: np.where(open_rows[:, None], arrays[0], arrays[1]))


def _projected(given: Inputs, sizes: Sizes) -> list[list[ModularData]]:
    """Return ``Q_t = X W_Q^t``, ``K_t`` and ``V_t`` of every head; the columns of all heads are one product."""
    heads = range(sizes.heads)
    if sizes.given_qkv:
        return [[_head_of(given[name], t) for t in heads] for name in ("Q", "K", "V")]
    X = given["X"]
    X_KV = given["X_KV"] if sizes.cross else X
    found = []
    for left, name in ((X, "W_Q"), (X_KV, "W_K"), (X_KV, "W_V")):
        whole = left.matmul(given[name].move(lambda W: W.transpose(1, 0, 2).reshape(W.shape[1], -1)))
        found.append([_columns(whole, sizes.heads, t) for t in heads])
    return found


def _head_of(item: ModularData, t: int) -> ModularData:
    return item.move(lambda x: x[t])


def _columns(item: ModularData, parts: int, t: int) -> ModularData:
    width = item.shape[1] // parts
    return item.move(lambda x: x[:, t * width : (t + 1) * width])


def _head(
    Q: ModularData, K: ModularData, V: ModularData, scale: ModularData, mask: NDArray[np.bool_], empty_row: str
) -> ModularData:
    S = scale * Q.matmul(K.move(np.transpose))
    if not mask.all():
        S = ModularData.full((), "-inf").join([S], lambda arrays: np.where(mask, arrays[1], arrays[0]))
    empty = np.asarray(~mask.any(axis=1))
    if empty.any() and empty_row == "mean":
        zero = ModularData.full((), Fraction(0))
        S = zero.join([S], lambda arrays: np.where(empty[:, None], arrays[0], arrays[1]))
        empty = np.zeros_like(empty)
    E = S.unary("exp")
    total = E.sum(1).move(lambda x: x[:, None])
    if empty.any():
        one = ModularData.full((), Fraction(1))
        total = one.join([total], lambda arrays: np.where(empty[:, None], arrays[0], arrays[1]))
    O = (E / total).matmul(V)
    if empty.any() and empty_row != "zero":
        poison = ModularData.full((), "poison")
        O = poison.join([O], lambda arrays: np.where(empty[:, None], arrays[0], arrays[1]))
    return O


def _arithmetic() -> Arithmetic:
    """Return the number system in which a scale is computed."""
    return Arithmetic(
        name="residues",
        number=lambda value: ModularData.of(filled((), value)),
        sqrt=lambda value: value.unary("sqrt"),
        exp=lambda value: value.unary("exp"),
        matmul=lambda A, B: _no_matmul(),
    )


def _no_matmul() -> list[list[ModularData]]:
    raise NotImplementedError("a scale has no matrix products")
