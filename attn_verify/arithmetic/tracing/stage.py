"""The arguments of a call with other numbers in them: once for the model, once for NumPy, lying alike in memory.

What is a view of one buffer is a view of one buffer again, at the same place and with the same strides; equal entries
stay equal, constants keep their values, and positive numbers stay positive.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.bounds import Bounds
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.graph.storage import dump, load
from attn_verify.arithmetic.tracing.array import TracedFloat, TracedScalar, is_traced, python_float, scalar, wrap
from attn_verify.arithmetic.tracing.carrier import pattern
from attn_verify.arithmetic.tracing.dtypes import DType, ScalarType
from attn_verify.arithmetic.tracing.facade import Function
from attn_verify.arithmetic.tracing.indexing import Flat
from attn_verify.arithmetic.tracing.leaving import rounded_float
from attn_verify.arithmetic.tracing.node_data import NodeData, boxed
from attn_verify.arithmetic.tracing.sizes import SizeInt

_WRITABLE = 0x400  # NPY_ARRAY_WRITEABLE
# Entries of a call beyond which it is not made again.
_MOST = 20_000
_PLAIN = (type(None), bool, int, float, str, bytes, complex, type(Ellipsis), range, type(np._NoValue))


class NotStagedError(Exception):
    """A call with an argument that has no copy: a function, an iterator, or too many numbers."""


class Numbers:
    """Other numbers for the entries of a run: for a node always the same input of a graph of its own."""

    def __init__(self, graph: Graph, bounds: Bounds) -> None:
        self._graph = graph  # of the run
        self._bounds = bounds
        self._made: dict[int, Node] = {}
        self._constant: dict[int, bool] = {}
        self._fresh = _distinct()
        self._point: dict[tuple[str, tuple[int, ...]], Fraction] = {}
        self.graph = Graph()
        self.balls = BallValues(self.graph, self._point)
        self.bounds = Bounds(self.graph)

    @property
    def point(self) -> dict[tuple[str, tuple[int, ...]], Fraction]:
        """The values of the inputs so far."""
        return self._point

    def of(self, node: Any) -> Any:
        """Return the node that stands for an entry; what was never written stays so."""
        if not isinstance(node, Node) or node.graph is not self._graph:
            return node
        if node.index not in self._made:
            self._made[node.index] = self._copy(node) if self.is_constant(node) else self._input(node)
        return self._made[node.index]

    def is_constant(self, node: Node) -> bool:
        """Return whether a number does not depend on the inputs."""
        known, stack = self._constant, [node.index]
        while stack:
            top = self._graph.nodes[stack[-1]]
            missing = [] if top.op == "input" else [arg for arg in top.args if arg not in known]
            if missing:
                stack += missing
            else:
                known[stack.pop()] = top.op != "input" and all(known[arg] for arg in top.args)
        return known[node.index]

    def value(self, node: Any) -> float:
        """Return the float nearest to a number of the stage, NaN for one that was never written."""
        if not isinstance(node, Node):
            return float("nan")
        if node.special:
            return float(node.special)
        return rounded_float(node.rational) if node.rational is not None else float(self.balls[node].mid())

    def _copy(self, node: Node) -> Node:
        return load(dump(self._graph, {"it": [node]}), self.graph)[1]["it"][0]

    def _input(self, node: Node) -> Node:
        name = ("x", (node.index,))
        value = next(self._fresh)
        low = self._bounds.range(node)
        self._point[name] = -abs(value) if low.positive else value
        made = self.graph.input(*name)
        # what is known of a sign stays known
        return self.graph.exp(made) if low.positive else self.graph.mul(made, made) if low.low >= 0 else made


def _distinct() -> Iterator[Fraction]:
    """Yield numbers of distinct sizes between 1/4 and 1: the first 768 have a place in every format of floats.

    Their order is arbitrary, and the same in every run.
    """
    draw = random.Random(0)
    for bits in count(10):
        sizes = [k for k in range(2**bits // 4, 2**bits) if bits == 10 or k % 2]
        draw.shuffle(sizes)
        yield from (Fraction(draw.choice((-1, 1)) * k, 2**bits) for k in sizes)


def simple(value: Any) -> Hashable:
    """Return what tells a number, a type or a function of NumPy from others; raise ``NotStagedError`` for all else."""
    kind = type(value)
    if kind in (float, complex):
        return repr(value)
    if kind in _PLAIN or issubclass(kind, (np.dtype, np.generic)):
        return value.tobytes() if issubclass(kind, np.generic) else value  # type: ignore[no-any-return]
    if kind is SizeInt:
        return int(value)
    if kind in (Function, ScalarType) or (kind is type and value.__module__ in ("builtins", "numpy")):
        return id(value)
    raise NotStagedError


def owner_of(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array whose memory another one shows."""
    while array.base is not None:
        base = array.base if isinstance(array.base, np.ndarray) else getattr(array.base, "base", None)
        if not isinstance(base, np.ndarray):
            break
        array = base
    return array


def writable(array: NDArray[Any]) -> bool:
    """Return whether an array may be written; ``flags.writeable`` warns of some."""
    return bool(array.flags.num & _WRITABLE)


def address(array: NDArray[Any]) -> int:
    """Return where the first entry of an array lies."""
    return int(array.__array_interface__["data"][0])


class Buffer:
    """The memory behind some arguments, for the model and for NumPy."""

    def __init__(self, owner: NDArray[Any], dtype: DType, numbers: Numbers) -> None:
        self.owner = owner
        self._item = owner.itemsize
        dense = np.sort(np.abs(owner.strides))[:1]
        if owner.size > _MOST or (owner.size > 1 and min(owner.strides) < 0) or any(dense % max(1, self._item)):
            raise NotStagedError
        flat = as_strided(owner, (owner.size,), (self._item,))
        self.model: NDArray[Any] = flat.copy()
        self.real: NDArray[Any] = np.empty(owner.size, dtype)
        self.given: list[float] = []
        if owner.dtype == object:
            for i, node in enumerate(flat):
                self.model[i] = numbers.of(node)
            self.given = [numbers.value(node) for node in self.model]
            self.real[...] = self.given
        else:
            self.real[...] = flat

    def views(self, array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the views of the copies that lie in them as an array lies in the original."""
        start, rest = divmod(address(array) - address(self.owner), self._item)
        if rest or not array.size:
            raise NotStagedError
        scale = self.real.itemsize
        strides = [stride // self._item for stride in array.strides]
        free = writable(array)
        model = as_strided(self.model[start:], array.shape, array.strides, writeable=free)
        real = as_strided(self.real[start:], array.shape, [stride * scale for stride in strides], writeable=free)
        return model, real


class Stage:
    """The copies of the arguments of one call."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.buffers: dict[tuple[int, str], Buffer] = {}
        self.arrays: list[tuple[Any, Any]] = []
        self.given: list[float] = []  # the numbers of the arguments

    def pair(self, value: Any) -> tuple[Any, Any]:
        """Return a value for the model, and for NumPy; raise ``NotStagedError`` where there is none."""
        if is_traced(value):
            return self._traced(value)
        kind = type(value)
        if kind in (list, tuple):
            both = [self.pair(item) for item in value]
            return kind(m for m, _ in both), kind(r for _, r in both)
        if kind is dict:
            pairs = {key: self.pair(item) for key, item in value.items()}
            return {key: m for key, (m, _) in pairs.items()}, {key: r for key, (_, r) in pairs.items()}
        if kind is slice:
            parts = [self.pair(part) for part in (value.start, value.stop, value.step)]
            return slice(*(m for m, _ in parts)), slice(*(r for _, r in parts))
        if kind is ScalarType:
            return value, value._real()
        if kind is Flat:
            model, real = self.pair(value._array)
            return Flat(model), real.flat
        if kind is np.ndarray and value.size <= _MOST and value.dtype.kind in "biuf":
            return value.copy("K"), value.copy("K")
        simple(value)
        return value, int(value) if kind is SizeInt else value._real if kind is Function else value

    def _traced(self, value: Any) -> tuple[Any, Any]:
        data, dtype = value._data, value._dtype
        held = pattern(data)
        if not isinstance(data, (np.ndarray, NodeData)):
            raise NotStagedError
        if issubclass(type(value), TracedScalar):
            if isinstance(data, np.ndarray):
                return scalar(data.copy(), dtype), dtype.type(data[()])
            node = self._numbers.of(held[()])
            copied, number = NodeData(boxed(node)), self._numbers.value(node)
            self.given.append(number)
            if type(value) is TracedFloat:
                return python_float(copied), number
            return scalar(copied, dtype), dtype.type(number)
        if not held.size:
            made = np.empty_like(held), np.empty_like(held, dtype=dtype)
        else:
            owner = owner_of(held)
            key = (id(owner), dtype.str)
            if key not in self.buffers:
                self.buffers[key] = Buffer(owner, dtype, self._numbers)
                self.given += self.buffers[key].given
            made = self.buffers[key].views(held)
        model = wrap(made[0] if isinstance(data, np.ndarray) else NodeData(made[0]), dtype)
        self.arrays.append((model, made[1]))
        return model, made[1]
