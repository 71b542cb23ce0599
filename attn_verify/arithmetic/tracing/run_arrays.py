"""The arrays of a traced call: made from recipes, read back as node numbers, compared before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.tracing.array import is_traced, wrap
from attn_verify.arithmetic.tracing.modules import math_model, numpy_model, scipy_model
from attn_verify.arithmetic.tracing.node_data import NodeData
from attn_verify.arithmetic.tracing.observe import ENTRIES, UNWRITTEN
from attn_verify.arithmetic.tracing.observe_digest import long_array
from attn_verify.arithmetic.tracing.run_values import float_array
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.sizes import SizeInt

# What is said of exact numbers where only what is none of them is noted.
_NUMBERS = {"other": "exact numbers"}


@cache
def exact_models() -> dict[str, ModuleType]:
    """Return the models that stand for real modules, by dotted name."""
    return {"numpy": numpy_model(), "scipy": scipy_model(), "math": math_model()}


class NodeMaker:
    """Makes traced arrays of inputs and of constants, in the graph of the run."""

    def __init__(self, graph: Graph, names: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        self._graph = graph
        self._inputs = [graph.input(name, index) for name, index in names]

    def array(self, positions: NDArray[np.int64], dtype: str, view: str) -> Any:
        """Return the traced array of the inputs at these positions."""
        nodes = np.empty(positions.shape, object, order="F" if view == "F" else "C")
        for place in np.ndindex(*positions.shape):
            nodes[place] = self._inputs[positions[place]]
        return wrap(NodeData(nodes), np.dtype(dtype))

    def constant(self, values: NDArray[Any], view: str) -> Any:
        """Return an array of the model: floats by their exact values, bools and whole numbers as they are."""
        if values.dtype.kind != "f":
            return wrap(values.copy(), values.dtype)
        nodes = np.empty(values.shape, object)
        for place in np.ndindex(*values.shape):
            value = float(values[place])
            special = repr(value) if value - value != 0 else None
            nodes[place] = self._graph.special(special) if special else self._graph.number(Fraction(value))
        return wrap(NodeData(nodes), values.dtype)

    def whole(self, value: int) -> int:
        """Return a number that remembers being a size, so that its roots are exact."""
        return SizeInt(value)


def leaf(value: Any, roots: list[Node]) -> dict[str, Any] | None:
    """Describe a returned array by its nodes, which are added to ``roots``; floats have lost theirs."""
    if is_traced(value):
        data = value._data
        if isinstance(data, np.ndarray):
            return float_array(data)
        entries = _entries(data)
        if not all(isinstance(node, Node) for node in entries):
            current().refuse("return", "an entry of the result was never written", "write every entry of np.empty")
        roots.extend(entries)
        numbers = [node.index for node in entries]
        return {"array": {"shape": list(data.shape), "dtype": str(value._dtype), "nodes": numbers}}
    if type(value) is np.ndarray or isinstance(value, np.generic):
        array = np.asarray(value)
        if array.dtype.kind in "biu":
            return float_array(array)
        if array.dtype.kind == "f":
            return {"other": "float array: lost its derivation"}
    return {"other": f"{type(value).__name__} of {value.dtype}"} if isinstance(value, np.ndarray) else None


def noted(value: Any, roots: list[Node]) -> dict[str, Any] | None:
    """Describe an array that an expression of the target gave, as ``leaf`` does; one with unwritten entries is none."""
    if isinstance(value, FrameType) or (isinstance(value, CodeType) and not value.co_filename.startswith("<")):
        current().refuse(type(value).__name__, "it shows the target how it is run")
    if not is_traced(value):
        return leaf(value, roots)
    data = value._data
    if int(np.prod(data.shape, dtype=np.int64)) > ENTRIES:
        return long_array(data) if isinstance(data, np.ndarray) else {"other": "a long array"}
    if not isinstance(data, np.ndarray) and not all(isinstance(node, Node) for node in _entries(data)):
        return dict(UNWRITTEN)
    return leaf(value, roots)


def noted_plain(value: Any) -> dict[str, Any] | None:
    """Describe an array as ``noted`` does, but for exact numbers, of which it says only that they are some."""
    if is_traced(value) and not isinstance(value._data, np.ndarray):
        return dict(_NUMBERS)
    return noted(value, [])


def plain_values(values: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return noted values without those of expressions that gave nothing but exact numbers."""
    found = {place: [_without_nodes(value) for value in seen] for place, seen in values.items()}
    return {place: seen for place, seen in found.items() if any(value != _NUMBERS for value in seen)}


def _without_nodes(value: Any) -> Any:
    if isinstance(value, dict):
        if "nodes" in value.get("array", ()):
            return dict(_NUMBERS)
        return {key: _without_nodes(item) for key, item in value.items()}
    return [_without_nodes(item) for item in value] if isinstance(value, list) else value


def _entries(data: Any) -> list[Any]:
    return [data.nodes[place] for place in np.ndindex(*data.shape)]


def trail(value: Any) -> Any:
    """Return what an argument consists of, to see whether a call has changed it: equal means unchanged."""
    if is_traced(value):
        data = value._data
        if isinstance(data, np.ndarray):
            return trail(data)
        return data.shape, str(value.dtype), [getattr(node, "index", None) for node in _entries(data)]
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.tobytes()
    if isinstance(value, (list, tuple)):
        return [trail(item) for item in value]
    return repr(value)
