"""The third reading: the formula, with its number system as an argument.

In balls it is the oracle that floats are judged against.  It is written from the definition and
shares no line with the symbolic derivation (entries of SymPy expressions) or the numeric half
(vectorised NumPy), so that an error in one of the three shows as a disagreement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from attn_verify.arithmetic.number_system import Arithmetic, Matrix, Scalar, scale_value
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec


@dataclass(frozen=True)
class Head:
    """What one head computes: scores S (n, m), weights P (n, m), output O (n, d_v).

    ``None`` stands for a masked score, and for every entry of a row without a defined value.
    """

    S: Sequence[Sequence[Scalar | None]]
    P: Sequence[Sequence[Scalar | None]]
    O: Sequence[Sequence[Scalar | None]]


def attention(
    Q: Matrix, K: Matrix, V: Matrix, *, scale: Scalar, allowed: Allowed, empty_row: str, arithmetic: Arithmetic
) -> Head:
    """Return ``softmax(σ Q Kᵀ) V`` over the allowed pairs of query and key.

    .. math:: o_{ic} = \\sum_{j \\in A_i} \\frac{e^{s_{ij}}}{\\sum_{l \\in A_i} e^{s_{il}}} v_{jc},
              \\quad s_{ij} = σ \\sum_a q_{ia} k_{ja}

    ``Q`` (n, d_k), ``K`` (m, d_k), ``V`` (m, d_v) are rows of scalars of ``arithmetic``; ``allowed``
    is (n, m).  A row with no allowed key follows ``empty_row``: ``zero``, ``mean``, or undefined.
    Source: Vaswani et al. (2017), equation (1).
    """
    zero, one = arithmetic.number(Fraction(0)), arithmetic.number(Fraction(1))
    products = arithmetic.matmul(Q, [list(column) for column in zip(*K, strict=True)])
    scores: list[list[Scalar | None]] = []
    weights: list[list[Scalar | None]] = []
    for row, open_keys in zip(products, allowed, strict=True):
        s = [scale * product if is_open else None for product, is_open in zip(row, open_keys, strict=True)]
        scores.append(s)
        if any(open_keys):
            exponentials = [zero if score is None else arithmetic.exp(score) for score in s]
            total = arithmetic.sum([e for e, is_open in zip(exponentials, open_keys, strict=True) if is_open])
            weights.append([e / total if is_open else zero for e, is_open in zip(exponentials, open_keys, strict=True)])
        elif empty_row == "zero":
            weights.append([zero] * len(s))
        elif empty_row == "mean":
            weights.append([one / arithmetic.number(Fraction(len(s)))] * len(s))
        else:
            weights.append([None] * len(s))
    defined = [row for row in weights if row[0] is not None]
    outputs = iter(arithmetic.matmul(defined, V) if defined else ())
    undefined = [None] * len(V[0])
    return Head(scores, weights, [undefined if row[0] is None else next(outputs) for row in weights])


@dataclass(frozen=True)
class Layer:
    """What a whole layer computes: its heads, and Z (n, h·d_v), Y (n, d_out) where it has them."""

    heads: tuple[Head, ...]
    Z: Sequence[Sequence[Scalar | None]]
    Y: Sequence[Sequence[Scalar | None]] | None

    def output(self) -> Sequence[Sequence[Scalar | None]]:
        """Return the last result: Y with an output projection, else Z (which is O for one head)."""
        return self.Z if self.Y is None else self.Y


def layer(
    inputs: Mapping[str, Sequence[Matrix]], sizes: Sizes, spec: AttentionSpec, allowed: Allowed, arithmetic: Arithmetic
) -> Layer:
    """Run a whole layer from its inputs.

    ``inputs`` maps ``Q K V`` (or ``X``, ``X_KV`` for cross-attention, ``W_Q W_K W_V``), and ``W_O``,
    to a sequence of matrices: one a head for ``Q K V W_Q W_K W_V``, a single one for ``X X_KV W_O``.

    .. math:: Y = [O_1 … O_h] W_O, \\quad O_t = \\mathrm{softmax}(σ X W_Q^t (X W_K^t)^T) X W_V^t
    """
    scale = scale_value(spec.scale_node(), sizes, arithmetic)
    heads = []
    for t in range(sizes.heads):
        if sizes.given_qkv:
            Q, K, V = (inputs[name][t] for name in ("Q", "K", "V"))
        else:
            X = inputs["X"][0]
            X_KV = inputs["X_KV"][0] if sizes.cross else X
            Q = arithmetic.matmul(X, inputs["W_Q"][t])
            K = arithmetic.matmul(X_KV, inputs["W_K"][t])
            V = arithmetic.matmul(X_KV, inputs["W_V"][t])
        heads.append(attention(Q, K, V, scale=scale, allowed=allowed, empty_row=spec.empty_row, arithmetic=arithmetic))
    Z = [[entry for head in heads for entry in head.O[i]] for i in range(sizes.n)]
    if sizes.d_out is None:
        return Layer(tuple(heads), Z, None)
    defined = [row for row in Z if row[0] is not None]
    projected = iter(arithmetic.matmul(defined, inputs["W_O"][0]) if defined else ())
    Y = [[None] * sizes.d_out if row[0] is None else next(projected) for row in Z]
    return Layer(tuple(heads), Z, Y)
