"""The weights of several heads in the layouts that people use, and one layout to compute in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_verify.errors import ShapeError, explain
from attn_verify.numeric.inputs import FloatArray, array, misfit, title
from attn_verify.shapes import Shape, Signature, positive_size

Layout = Literal["list", "stacked", "fused"]
Weights: TypeAlias = ArrayLike | list[FloatArray] | tuple[FloatArray, ...]
WeightsGrad: TypeAlias = FloatArray | list[FloatArray]

_SPLIT = Signature.parse("split_heads", "A", "(n,h·d)->(h,n,d)")
_MERGE = Signature.parse("merge_heads", "A", "(h,n,d)->(n,h·d)")


def split_heads(A: ArrayLike, heads: int) -> NDArray[Any]:
    """Return the column blocks of ``A``, one for each head, the columns of head 1 first.

    Equation: ``A = [A_1 … A_h] → (A_1, …, A_h)``.

    Arguments: ``A (…, n, h·d)``, ``heads`` = h.

    Returns: ``(…, h, n, d)``, a view where NumPy can make one.

    Raises: ``ShapeError`` where h does not divide the columns; ``SizeError`` where h is not a whole number from 1.

    Source: Vaswani et al. 2017, section 3.2.2.

    >>> split_heads([[1, 2, 3, 4]], heads=2)
    array([[[1, 2]],
    <BLANKLINE>
           [[3, 4]]])
    """
    A = array(_SPLIT, "A", A)
    heads = positive_size("heads", heads)
    columns = _SPLIT.bind({"A": A.shape}).sizes["h·d"]
    _require_divides(_SPLIT, "A", A.shape, columns, heads)
    return np.moveaxis(A.reshape(*A.shape[:-1], heads, columns // heads), -2, -3)


def merge_heads(A: ArrayLike) -> NDArray[Any]:
    """Return the heads side by side: the inverse of ``split_heads``.

    Equation: ``(A_1, …, A_h) → Concat(A_1, …, A_h) = [A_1 … A_h]``.

    Arguments: ``A (…, h, n, d)``.

    Returns: ``(…, n, h·d)``, a copy.

    Raises: ``ShapeError`` where ``A`` has fewer than three axes.

    Source: Vaswani et al. 2017, section 3.2.2.

    >>> merge_heads([[[1, 2]], [[3, 4]]])
    array([[1, 2, 3, 4]])
    """
    A = array(_MERGE, "A", A)
    sizes = _MERGE.bind({"A": A.shape}).sizes
    A = np.moveaxis(A, -3, -2)
    return np.array(A, order="C").reshape(*A.shape[:-2], sizes["h"] * sizes["d"])


@dataclass(frozen=True)
class HeadWeights:
    """The weights of one projection as received: its layout and the array (a list is stacked already)."""

    name: str
    layout: Layout
    array: NDArray[Any]

    @property
    def heads(self) -> int | None:
        """The number of heads that the layout shows; a fused matrix shows none."""
        return None if self.layout == "fused" else int(self.array.shape[-3])

    def core(self, columns: str) -> str:
        """Return the axes of this layout in a signature."""
        return f"(d_model,h·{columns})" if self.layout == "fused" else f"(h,d_model,{columns})"

    def stacked(self, W: FloatArray, heads: int) -> FloatArray:
        """Return ``W``, the received array in the number type of the computation, as ``(…, h, d_model, d)``.

        Contiguous, so that every layout of the same weights gives the same bits.
        """
        return np.ascontiguousarray(split_heads(W, heads) if self.layout == "fused" else W)

    def as_received(self, dW: FloatArray) -> WeightsGrad:
        """Return a stacked gradient in the layout of the weights."""
        if self.layout == "fused":
            return merge_heads(dW)
        return list(dW) if self.layout == "list" else dW


def head_weights(signature: Signature, name: str, W: Weights) -> HeadWeights:
    """Read the layout of one projection: a list of matrices, a stacked array, or one fused matrix.

    A list of lists of numbers is one matrix, as everywhere in NumPy.
    """
    if isinstance(W, list | tuple):
        arrays = [array(signature, f"{name}[{i}]", matrix) for i, matrix in enumerate(W)]
        if not arrays or any(A.ndim != 1 for A in arrays):
            return HeadWeights(name, "list", _stack(signature, name, arrays))
    A = array(signature, name, W)
    if A.ndim < 2:
        raise ShapeError(
            explain(
                title(signature),
                f"got {name} {A.shape}",
                f"{name} has {_axes(A.ndim)}",
                remedy=f"give {name} as a list of matrices, stacked with 3 axes, or fused with 2",
            )
        )
    return HeadWeights(name, "fused" if A.ndim == 2 else "stacked", A)


def number_of_heads(signature: Signature, projections: Sequence[HeadWeights], heads: int | None) -> int:
    """Return the number of heads on which ``heads`` and all layouts agree."""
    received = {W.name: W.array.shape for W in projections}
    if heads is not None:
        heads = positive_size("heads", heads)
    source = f"heads = {heads}"
    for W in projections:
        if W.layout == "fused":
            if heads is None:
                raise misfit(
                    signature,
                    received,
                    f"{W.name} is one fused matrix, which does not show its number of heads",
                    remedy=f"pass heads, or {W.name} as a list of matrices or stacked as (h,d_model,d)",
                )
            _require_divides(signature, W.name, W.array.shape, W.array.shape[-1], heads)
    for W in projections:
        if W.heads is not None and heads is not None and W.heads != heads:
            raise misfit(
                signature,
                received,
                f"{source}, but {W.name} has h = {W.heads}",
                remedy=f"did you mean {W.name} with {heads} heads?",
            )
        if heads is None:
            heads, source = W.heads, f"h = {W.heads} from {W.name}"
    assert heads is not None
    return heads


def _stack(signature: Signature, name: str, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if not arrays:
        raise ShapeError(
            explain(
                title(signature),
                f"got {name} as an empty list",
                "a layer has at least one head",
                remedy=f"give {name} one matrix a head",
            )
        )
    for i, A in enumerate(arrays):
        if A.ndim != 2:
            raise ShapeError(
                explain(
                    title(signature),
                    f"got {name} as a list of {len(arrays)} with {name}[{i}] {A.shape}",
                    f"{name}[{i}] is no matrix: it has {_axes(A.ndim)}",
                    remedy=f"give {name} as a list of matrices, one a head; a stacked or fused {name} as an array",
                )
            )
        if A.shape != arrays[0].shape:
            raise ShapeError(
                explain(
                    title(signature),
                    f"got {name} as a list of {len(arrays)} matrices",
                    f"{name}[0] is {arrays[0].shape}, but {name}[{i}] is {A.shape}",
                    remedy="give every head a matrix of the same shape",
                )
            )
    return np.stack(arrays)


def _axes(number: int) -> str:
    return f"{number} axis" if number == 1 else f"{number} axes"


def _require_divides(signature: Signature, name: str, shape: Shape, columns: int, heads: int) -> None:
    if columns % heads:
        raise misfit(
            signature,
            {name: shape},
            f"{heads} heads do not divide the {columns} columns of {name}",
            remedy=f"give {name} h·d columns, the columns of head 1 first, or another number of heads",
        )
