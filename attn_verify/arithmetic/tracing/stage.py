"""The arguments of a call with other numbers in them: once for the model, once for NumPy, lying alike in memory.

What is a view of one buffer is a view of one buffer again, at the same place and with the same strides; equal entries
stay equal, constants keep their values, and positive numbers stay positive.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Hashable, Iterator
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
from attn_verify.arithmetic.tracing.carrier import owner_of, pattern
from attn_verify.arithmetic.tracing.dtypes import DType, ScalarType
from attn_verify.arithmetic.tracing.facade import Function
from attn_verify.arithmetic.tracing.foreign import HEAP
from attn_verify.arithmetic.tracing.indexing import Flat
from attn_verify.arithmetic.tracing.leaving import rounded_float
from attn_verify.arithmetic.tracing.node_data import NodeData, boxed
from attn_verify.arithmetic.tracing.sizes import SizeInt

_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__int__), (str, str.__str__), (float, float.__float__),
)  # fmt: skip
# Special names in classes that do not say how their objects compute.
_HARMLESS = frozenset(
    f"__{name}__" for name in (
        "module", "doc", "dict", "weakref", "slots", "new", "init", "annotations", "match_args", "getnewargs", "repr",
        "orig_bases", "static_attributes", "firstlineno", "qualname", "annotate_func", "replace", "class_getitem",
        "parameters",
    )
)  # fmt: skip
_WRITABLE = 0x400  # NPY_ARRAY_WRITEABLE
# Entries of an array beyond which a call cannot be made again.
_MOST = 2**22
# A constant that is larger hides what differs among other numbers.
LARGE = 100.0
_PLAIN = (type(None), bool, int, float, str, bytes, complex, type(Ellipsis), range, type(np._NoValue))


class NotStagedError(Exception):
    """A call with an argument that has no copy: a function, or an object of the target."""


class TooLargeError(Exception):
    """A call with too many numbers to be made again."""


class Numbers:
    """Other numbers for the entries of a run: for a node always the same input of a graph of its own."""

    def __init__(self, graph: Graph, bounds: Bounds, *, draw: int = 0, tame: bool = False) -> None:
        self._graph = graph  # of the run
        self._bounds = bounds
        self._tame = tame  # whether large constants are other numbers too
        self._made: dict[int, Node] = {}
        self._constant: dict[int, bool] = {}
        self._fresh = _distinct(draw)
        self.point: dict[tuple[str, tuple[int, ...]], Fraction] = {}  # the values of the inputs so far
        self.graph = Graph()
        self.balls = BallValues(self.graph, self.point)
        self.bounds = Bounds(self.graph)

    def of(self, node: Any) -> Any:
        """Return the node that stands for an entry; what was never written stays so."""
        if not isinstance(node, Node) or node.graph is not self._graph:
            return node
        if node.index not in self._made:
            constant = self._copy(node) if self.is_constant(node) else None
            if constant is None or (self._tame and LARGE < abs(self.value(constant)) < math.inf):
                constant = self._input(node)
            self._made[node.index] = constant
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
        bounds = self._bounds.range(node)
        signed = bounds.positive or bounds.negative
        self.point[name] = -abs(value) if signed else value
        made = self.graph.input(*name)
        if signed:  # what is known of a sign stays known
            made = self.graph.exp(made)
            return made if bounds.positive else self.graph.neg(made)
        return self.graph.mul(made, made) if bounds.low >= 0 else made


def _distinct(draw: int) -> Iterator[Fraction]:
    """Yield numbers of distinct sizes between 1/4 and 1: the first 768 have a place in every format of floats.

    Their order is arbitrary, another one for every ``draw``, and the same in every run.
    """
    for bits in count(10):
        sizes = range(2**bits // 4, 2**bits, 1 if bits == 10 else 2)
        step = 2 * (len(sizes) // 3) + 1 + 6 * draw  # odd, and no multiple of 3: it leads to all of them
        step += 2 * (step % 3 == 0)
        for i in range(len(sizes)):
            sign = -1 if (i * i + (2 * draw + 3) * i + draw) % 7 > 3 else 1
            size = sizes[(step * i + 101 * draw) % len(sizes)]
            yield Fraction(sign * (size | (bits > 10)), 2**bits)


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
    for base, read in _BASES:
        if issubclass(kind, base) and _inert(kind, base):
            return kind, repr(read(value))
    raise NotStagedError(value)


def _inert(kind: type, base: type) -> bool:
    """Return whether the target changes nothing in a class derived from one of Python's: it may add names."""
    theirs = [cls for cls in kind.__mro__ if cls.__flags__ & HEAP and cls.__module__ not in sys.stdlib_module_names]
    names = {name for cls in theirs for name in vars(cls) if name.startswith("__") or hasattr(base, name)}
    return names <= _HARMLESS


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
        if owner.size > _MOST:
            raise TooLargeError
        if owner.size > 1 and min(owner.strides) < 0:
            raise NotStagedError  # not an array that owns its memory
        flat = as_strided(owner, (owner.size,), (self._item,))
        self.model: NDArray[Any] = flat.copy()
        self.real: NDArray[Any] = np.empty(owner.size, dtype)
        if owner.dtype != object:
            self.real[...] = flat
            return
        nodes = flat.tolist()
        made = {id(node): numbers.of(node) for node in nodes}
        values = {key: numbers.value(node) for key, node in made.items()}
        self.model[...] = [made[id(node)] for node in nodes]
        self.real[...] = [values[id(node)] for node in nodes]

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


def _sequence(kind: type, items: list[Any]) -> Any:
    """Return a list or a tuple of a class, made without code of that class."""
    if issubclass(kind, tuple):
        return tuple.__new__(kind, items)
    made: list[Any] = list.__new__(kind)  # type: ignore[arg-type]  # a class derived from it
    list.extend(made, items)
    return made


class Stage:
    """The copies of the arguments of one call."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.raised = False  # whether NumPy raises something
        self.chooses = False  # whether the result depends on the order of numbers
        self.buffers: dict[tuple[int, str], Buffer] = {}
        self.arrays: list[tuple[Any, Any]] = []
        self.narrowest = 8  # bytes of a float among the arguments
        self.given: list[float] = []  # numbers of the arguments, the largest of every array

    def pair(self, value: Any) -> tuple[Any, Any]:
        """Return a value for the model, and for NumPy; raise ``NotStagedError`` where there is none."""
        if is_traced(value):
            return self._traced(value)
        kind = type(value)
        if kind in (list, tuple) or (issubclass(kind, (list, tuple)) and _inert(kind, kind.__mro__[-2])):
            both = [self.pair(item) for item in value]
            return _sequence(kind, [m for m, _ in both]), _sequence(kind, [r for _, r in both])
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
        if kind is np.ndarray and value.dtype.kind in "biuf":
            return value.copy("K"), value.copy("K")
        simple(value)
        return value, int(value) if kind is SizeInt else value._real if kind is Function else value

    def _traced(self, value: Any) -> tuple[Any, Any]:
        data, dtype = value._data, value._dtype
        held = pattern(data)
        if not isinstance(data, (np.ndarray, NodeData)):
            raise NotStagedError
        if dtype.kind == "f":
            self.narrowest = min(self.narrowest, dtype.itemsize)
        if issubclass(type(value), TracedScalar):
            if isinstance(data, np.ndarray):
                return scalar(data.copy(), dtype), dtype.type(data[()])
            node = self.numbers.of(held[()])
            copied, number = NodeData(boxed(node)), self.numbers.value(node)
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
                self.buffers[key] = Buffer(owner, dtype, self.numbers)
            made = self.buffers[key].views(held)
            if held.dtype == object:
                self.given.append(float(np.max(np.abs(made[1]), initial=0, where=np.isfinite(made[1]))))
        model = wrap(made[0] if isinstance(data, np.ndarray) else NodeData(made[0]), dtype)
        self.arrays.append((model, made[1]))
        return model, made[1]
