"""Handing nodes to a target as arrays, and taking them back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from attn_verify.arithmetic.tracing.array import is_traced, wrap
from attn_verify.arithmetic.tracing.convert import as_array, exact
from attn_verify.arithmetic.tracing.node_data import POISON, NodeData
from attn_verify.arithmetic.tracing.session import current


def traced(nodes: NDArray[Any], dtype: DTypeLike = np.float64) -> Any:
    """Return the array of some nodes of the current graph."""
    return wrap(NodeData(np.array(nodes, dtype=object)), np.dtype(dtype))


def nodes_of(x: Any) -> NDArray[Any]:
    """Return the nodes of what a target returned: numbers, lists and arrays; what was never written refuses."""
    data = exact(x if is_traced(x) else as_array(x))
    if not isinstance(data, NodeData):
        raise TypeError("an array that does not hold nodes")
    if any(node is POISON for node in data.nodes.flat):
        current().refuse("np.empty", "the result has entries that were never written", "write every entry")
    if any(node.graph is not current().graph for node in data.nodes.flat):
        current().refuse("state", "the result has numbers of another run", "keep no arrays between calls")
    return data.nodes
