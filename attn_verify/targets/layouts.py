"""How canonical inputs become the arrays that a target takes: axes of Q, K, V and X, and shapes of the weights.

Everything here rearranges whole numbers that stand for entries; whoever runs the target puts values in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.run_values import packed
from attn_verify.errors import TargetError, explain, show

Ids = NDArray[np.int64]
Recipe = dict[str, Any]

LAYOUTS: Mapping[str, str] = {
    "nd": "(n, d)",
    "bnd": "(b, n, d)",
    "bhnd": "(b, h, n, d)",
    "bnhd": "(b, n, h, d)",
}

WEIGHTS: Mapping[str, str] = {
    "none": "no projections",
    "matrix": "one matrix (d_model, d_k), for one head",
    "transposed": "one matrix (d_k, d_model), for one head; W_O (d_out, d_v)",
    "stacked": "stacked (h, d_model, d_k), W_O (h·d_v, d_out)",
    "list": "a list of h matrices (d_model, d_k), W_O (h·d_v, d_out)",
    "stacked_output": "stacked (h, d_model, d_k), W_O stacked too (h, d_v, d_out)",
    "fused": "one matrix (d_model, h·d_k), head 1 first, W_O (h·d_v, d_out)",
    "linear": "one matrix (h·d_k, d_model), head 1 first, W_O (d_out, h·d_v)",
    "qkv": "one matrix (d_model, h·(2·d_k + d_v)): all queries, all keys, all values",
    "qkv_linear": "one matrix (h·(2·d_k + d_v), d_model): all queries, all keys, all values; W_O (d_out, h·d_v)",
    "qkv_by_head": "one matrix (d_model, h·(2·d_k + d_v)): query, key, value of head 1, then of head 2, …",
    "qkv_by_head_linear": "one matrix (h·(2·d_k + d_v), d_model): query, key, value of head 1, …; W_O (d_out, h·d_v)",
}

WIDTHS: Mapping[str, str] = {
    "free": "",
    "d_out=d_model": "with d_out = d_model",
    "d_model=h·d_k": "with d_model = h·d_k",
    "d_v=d_k": "with d_v = d_k",
    "equal": "with d_model = h·d_k = h·d_v",
}

MASKS: Mapping[str, str] = {"nm": "(n, m)", "bnm": "(b, n, m)", "b1nm": "(b, 1, n, m)", "bhnm": "(b, h, n, m)"}

# Arrays beyond this size are packed in recipes.
_LONG = 1 << 15

# Projections that lie output first, as torch.nn.Linear keeps them.
_OUTPUT_FIRST = ("transposed", "linear", "qkv_linear", "qkv_by_head_linear")


@dataclass(frozen=True)
class Convention:
    """How a target takes its arrays; ``returned`` is the path of the member of a returned tuple that is judged.

    >>> print(Convention("bnd", "fused"))
    layout (b, n, d); weights: one matrix (d_model, h·d_k), head 1 first, W_O (h·d_v, d_out)
    """

    layout: str
    weights: str = "none"
    widths: str = "free"
    mask: str = "nm"
    returned: tuple[int | str, ...] | None = None

    def __str__(self) -> str:
        """Say it in words, for the report."""
        parts = [f"layout {LAYOUTS[self.layout]}"]
        if self.weights != "none":
            parts.append(f"weights: {WEIGHTS[self.weights]}")
        if self.widths != "free":
            parts.append(WIDTHS[self.widths])
        if self.mask != "nm":
            parts.append(f"mask {MASKS[self.mask]}")
        return "; ".join(parts)

    def with_(self, **changes: Any) -> Convention:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @property
    def family(self) -> str:
        """How weights come: ``joined`` in a matrix a projection, ``split`` by head, all in one ``qkv``, or ``none``."""
        if self.weights in ("stacked", "list", "stacked_output"):
            return "split"
        return "none" if self.weights == "none" else "qkv" if self.weights.startswith("qkv") else "joined"

    @property
    def batched(self) -> bool:
        """Whether the arrays have a batch axis."""
        return self.layout != "nd"

    @property
    def head_axis(self) -> bool:
        """Whether Q, K, V have an axis of heads."""
        return self.layout in ("bhnd", "bnhd")


def check_layout(layout: str | None, *, embeddings: bool) -> tuple[str, ...]:
    """Return the layouts to try, in order: the one given, or all that the kind of target can have.

    >>> check_layout(None, embeddings=True)
    ('nd', 'bnd')
    """
    known = ("nd", "bnd") if embeddings else tuple(LAYOUTS)
    if layout is None:
        return known
    if layout not in LAYOUTS:
        raise TargetError(explain("--layout", f"got {show(layout)}", remedy=f"known layouts: {', '.join(LAYOUTS)}"))
    if layout not in known:
        remedy = f"choose {' or '.join(known)}; how heads lie in the weights is found out"
        raise TargetError(explain("--layout", f"got {layout}, but embeddings X have no axis of heads", remedy=remedy))
    return (layout,)


def arrange_rows(ids: Ids, layout: str) -> Ids:
    """Lay out Q, K, V, O or a gradient of them: canonical ``(b, h, n, d)`` becomes what ``layout`` says.

    Without an axis of heads their columns lie side by side, head 1 first.

    >>> arrange_rows(np.arange(4).reshape(1, 2, 1, 2), "nd")
    array([[0, 1, 2, 3]])
    """
    b, h, n, d = ids.shape
    if layout == "bhnd":
        return ids
    across = ids.transpose(0, 2, 1, 3)
    if layout == "bnhd":
        return across
    merged = across.reshape(b, n, h * d)
    return merged if layout == "bnd" else merged[0]


def arrange_embeddings(ids: Ids, layout: str) -> Ids:
    """Lay out X, X_KV or Y: canonical ``(b, n, d_model)``, or its only element."""
    return ids if layout == "bnd" else ids[0]


def arrange_scores(ids: Ids, layout: str) -> tuple[Ids, ...]:
    """Return the shapes that weights P may come in, from canonical ``(b, h, n, m)``; a single head may drop its axis.

    >>> [array.shape for array in arrange_scores(np.zeros((1, 1, 2, 3), int), "nd")]
    [(1, 2, 3), (2, 3)]
    """
    inner = [ids] + [ids[:, 0]] * (ids.shape[1] == 1 and layout not in ("bhnd", "bnhd"))
    return tuple(array[0] if layout == "nd" else array for array in inner)


def arrange_projection(ids: Ids, weights: str) -> Recipe:
    """Lay out W_Q, W_K or W_V: canonical ``(h, d_model, d)``.

    >>> arrange_projection(np.arange(4).reshape(2, 2, 1), "fused")["array"]
    {'shape': [2, 2], 'entries': [0, 2, 1, 3], 'dtype': 'float64', 'order': 'C'}
    """
    if weights == "list":
        return {"list": [array_recipe(matrix) for matrix in ids]}
    if weights in ("stacked", "stacked_output"):
        return array_recipe(ids)
    fused = _side_by_side(ids)
    return array_recipe(fused.T if weights in _OUTPUT_FIRST else fused)


def arrange_joint(W_Q: Ids, W_K: Ids, W_V: Ids, weights: str) -> Recipe:
    """Lay out W_QKV: the three projections ``(h, d_model, d)`` in one matrix."""
    if "by_head" in weights:
        joint = _side_by_side(np.concatenate([W_Q, W_K, W_V], axis=2))
    else:
        joint = np.concatenate([_side_by_side(ids) for ids in (W_Q, W_K, W_V)], axis=1)
    return array_recipe(joint.T if weights in _OUTPUT_FIRST else joint)


def arrange_output_weights(ids: Ids, heads: int, weights: str) -> Recipe:
    """Lay out W_O: canonical ``(h·d_v, d_out)``."""
    if weights == "stacked_output":
        return array_recipe(ids.reshape(heads, -1, ids.shape[1]))
    return array_recipe(ids.T if weights in _OUTPUT_FIRST else ids)


def arrange_mask(masks: NDArray[np.bool_], shape: str) -> Recipe:
    """Return the recipe of boolean masks ``(b, h, n, m)``; axes that ``shape`` lacks have one mask only."""
    full = {"nm": masks[0, 0], "bnm": masks[:, 0], "b1nm": masks[:, :1], "bhnm": masks}[shape]
    data = full.ravel().tolist() if full.size <= _LONG else packed(full)
    return {"constant_array": {"shape": list(full.shape), "data": data, "dtype": "bool"}}


def array_recipe(ids: Ids) -> Recipe:
    """Return the recipe of an array of entries.

    >>> array_recipe(np.array([[3, 4]]))
    {'array': {'shape': [1, 2], 'entries': [3, 4], 'dtype': 'float64', 'order': 'C'}}
    """
    entries = ids.ravel().tolist() if ids.size <= _LONG else _positions(ids.ravel())
    return {"array": {"shape": list(ids.shape), "entries": entries, "dtype": "float64", "order": "C"}}


def _positions(ids: Ids) -> dict[str, Any]:
    """Return many numbers as data: by the first and the end, where they follow each other."""
    if (np.diff(ids) == 1).all():
        return {"from": int(ids[0]), "to": int(ids[-1]) + 1}
    return dict(packed(ids))


def _side_by_side(ids: Ids) -> Ids:
    h, rows, columns = ids.shape
    return ids.transpose(1, 0, 2).reshape(rows, h * columns)
