"""Functions that call functions of the target."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.array import TracedArray, is_traced, shape_of, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import as_array, raw
from attn_verify.arithmetic.tracing.registry import FUNCTIONS
from attn_verify.arithmetic.tracing.session import current


class Vectorize:
    """A function applied entry by entry, or to the subarrays that a signature names, with broadcasting."""

    def __init__(
        self, pyfunc: Any = np._NoValue, otypes: Any = None, doc: Any = None, excluded: Any = None,
        cache: bool = False, signature: Any = None,
    ) -> None:  # fmt: skip
        if excluded:
            current().refuse("np.vectorize", "excluded", "bind those arguments with functools.partial")
        if signature is not None:
            _real_vectorize(signature)
        self.__dict__.update(
            _f=pyfunc, _types=otypes, _cache=cache, _signature=signature,
            __name__=getattr(pyfunc, "__name__", "vectorize"),
        )  # fmt: skip

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return the array of the function's values; of a decorator with options, the decorated function."""
        from attn_verify.arithmetic.tracing.methods import python_value

        if self._f is np._NoValue:
            return Vectorize(args[0], self._types, cache=self._cache, signature=self._signature)
        if options:
            current().refuse("np.vectorize", "arguments by name")
        if self._signature is not None:
            return _subarrays(self._f, self._signature, self._types, args)
        arrays = [as_array(a) for a in args]
        # NumPy copies its arguments into arrays of objects before it goes through them.
        calls, order = in_turn([pattern(x._data).astype(object) for x in arrays])
        if not calls:
            if self._types is None:
                raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
            return FUNCTIONS["zeros"](order.shape, self._types[0])
        # Without a type NumPy calls it once more, for that of what it returns.
        first = None if self._types else self._f(*_entries(arrays, calls[0]))
        again = first is None or not self._cache
        # NumPy copies all entries before it goes through them.
        given = [[python_value(value) for value in _entries(arrays, call)] for call in calls]
        values = [first if not (number or again) else self._f(*numbers) for number, numbers in enumerate(given)]
        if isinstance(values[0], tuple):
            current().refuse("np.vectorize", "a function with several results")
        dtype = self._types[0] if self._types else as_array(first).dtype
        result = FUNCTIONS["array"](values, dtype=dtype)[order.ravel()].reshape(order.shape)
        return wrap(laid_out(result._data, order), result._dtype)

    def __setattr__(self, name: str, _: Any) -> NoReturn:
        current().refuse("np.vectorize", f"its attribute {name} is changed", "make another one")

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.vectorize, name) or name in ("pyfunc", "otypes", "cache", "signature", "excluded"):
            current().refuse(f"np.vectorize.{name}", "the attribute has no exact model")
        raise AttributeError(f"'vectorize' object has no attribute {name!r}")

    def __init_subclass__(cls) -> NoReturn:
        current().refuse("np.vectorize", "a class derived from it", "a function that calls it")


def _entries(arrays: list[Any], numbers: tuple[int, ...]) -> list[Any]:
    """Return the entries of a call, as numbers of NumPy."""
    return [entry(x, number) for x, number in zip(arrays, numbers, strict=True)]


def in_turn(arrays: list[NDArray[Any]]) -> tuple[list[tuple[int, ...]], NDArray[Any]]:
    """Return the calls that a function of entries gets, in NumPy's order, and an array of their numbers.

    A call is the numbers of its entries, each in the C order of its array.  NumPy goes through entries as they lie in
    memory, so that a function which remembers its calls shows the strides of its arguments.
    """
    calls: list[tuple[int, ...]] = []
    numbered = [_numbered(array) for array in arrays]

    def called(*entries: int) -> int:
        calls.append(entries)
        return len(calls) - 1

    return calls, np.asarray(np.frompyfunc(called, len(arrays), 1)(*numbered), dtype=np.int64, order="K")


def _numbered(array: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers of the entries, which lie in memory as the entries do; what is one there has one number."""
    places = np.zeros(array.shape, np.int64)
    for axis, (extent, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        steps = np.arange(extent) * (stride // array.itemsize)
        places += steps.reshape(-1, *(1,) * (array.ndim - 1 - axis))
    start = -int(places.min(initial=0))
    memory = np.zeros(start + int(places.max(initial=0)) + 1, object)
    memory[places + start] = np.arange(array.size).reshape(array.shape)
    strides = [stride // array.itemsize * memory.itemsize for stride in array.strides]
    return as_strided(memory[start:], array.shape, strides)


def entry(x: Any, number: int) -> Any:
    """Return an entry by its number in C order."""
    return x[np.unravel_index(number, shape_of(x))]


def _real_vectorize(signature: Any) -> Any:
    """Return NumPy's own ``vectorize``; raise what it raises for a signature."""
    return np.vectorize(lambda *arrays: arrays[0], signature=signature)


def _dimensions(signature: str, side: int) -> list[tuple[str, ...]]:
    """Return the names of the core axes of every array on one side of a signature."""
    text = "".join(signature.split()).split("->")[side]
    return [tuple(name for name in core.split(",") if name) for core in re.findall(r"\(([^)]*)\)", text)]


def _subarrays(f: Callable[..., Any], signature: str, types: Any, args: tuple[Any, ...]) -> Any:
    """Return the results of ``f`` for all subarrays of the core axes, one array for every result."""
    ins, outs = (_dimensions(signature, side) for side in (0, 1))
    arrays = [as_array(a) for a in args]
    sizes: dict[str, int] = {}
    outer = []
    for x, core in zip(arrays, ins, strict=False):
        cut = x.ndim - len(core)
        named = dict(zip(core, shape_of(x)[max(0, cut) :], strict=False))
        if cut < 0 or len(named) < len(core) or any(sizes.setdefault(name, n) != n for name, n in named.items()):
            _refuse_or_raise(signature, arrays)
        outer.append(shape_of(x)[:cut])
    if len(arrays) != len(ins):
        _refuse_or_raise(signature, arrays)
    try:
        loop = np.broadcast_shapes(*outer)
    except ValueError:
        _refuse_or_raise(signature, arrays)
    spread = [
        FUNCTIONS["broadcast_to"](x, loop + tuple(sizes[name] for name in core))
        for x, core in zip(arrays, ins, strict=True)
    ]
    results: list[Any] = []
    for place in np.ndindex(*loop):
        given = f(*(x[place] for x in spread))
        parts = given if isinstance(given, tuple) else (given,)
        if len(parts) != len(outs):
            raise ValueError(f"wrong number of outputs from pyfunc: expected {len(outs)}, got {len(parts)}")
        if not results:
            kinds = types or [None] * len(parts)
            results = [
                _output(part, core, sizes, loop, kind) for part, core, kind in zip(parts, outs, kinds, strict=True)
            ]
        for result, part in zip(results, parts, strict=True):
            result[place] = part
    if not results:
        current().refuse("np.vectorize", "no subarrays to apply the function to")
    return results[0] if len(results) == 1 else tuple(results)


def _output(part: Any, core: tuple[str, ...], sizes: dict[str, int], loop: tuple[int, ...], kind: Any) -> Any:
    """Return the array for a result: of the shape, the order in memory and, without another, the dtype of the first."""
    if core and not is_traced(part):
        current().refuse("np.vectorize", f"a result of type {type(part).__name__} for core axes", "return an array")
    x = as_array(part)
    if len(core) != x.ndim or any(sizes.setdefault(n, k) != k for n, k in zip(core, shape_of(x), strict=True)):
        current().refuse("np.vectorize", f"a result of shape {shape_of(x)} for core axes {core}")
    return FUNCTIONS["zeros_like"](x, dtype=kind, shape=loop + shape_of(x))


def _refuse_or_raise(signature: str, arrays: list[Any]) -> NoReturn:
    """Raise what NumPy raises for arrays that do not fit a signature."""
    _real_vectorize(signature)(*(np.ones(shape_of(x)) for x in arrays))
    current().refuse("np.vectorize", "arguments that do not fit the signature")


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **options: Any) -> Any:
    """Return an array like ``x`` with the entries under each condition written by a number or a function."""
    f = FUNCTIONS
    source = as_array(x)
    single = not isinstance(condlist, (list, tuple)) and not as_array(condlist).ndim
    if single or (not isinstance(condlist[0], (list, np.ndarray, TracedArray)) and source.ndim):
        condlist = [condlist]
    conditions = f["asarray"](condlist, dtype=bool)
    count, given = len(conditions), len(funclist)
    if count == given - 1:
        rest = f["logical_not"](f["any"](conditions, axis=0, keepdims=True))
        conditions = f["concatenate"]([conditions, rest], axis=0)
    elif count != given:
        raise ValueError(f"with {count} condition(s), either {count} or {count + 1} functions are expected")
    result = f["zeros_like"](source)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            result[condition] = function
            continue
        chosen = source[condition]
        if chosen.size:
            result[condition] = function(chosen, *args, **options)
    return result


def apply_along_axis(func1d: Callable[..., Any], axis: Any, arr: Any, *args: Any, **options: Any) -> Any:
    """Return the results of a function of vectors, for all vectors along an axis.

    As NumPy does, each result is written at once into an array that is laid out like the first one.
    """
    x = as_array(arr)
    axis = normalize_axis_index(raw(axis), x.ndim)
    lanes = FUNCTIONS["moveaxis"](x, axis, -1)
    outer = shape_of(lanes)[:-1]
    found: Any = None
    for place in np.ndindex(*outer):
        result = FUNCTIONS["asanyarray"](func1d(lanes[(*place, ...)], *args, **options))
        if found is None:
            rank = result.ndim
            found = FUNCTIONS["zeros_like"](result, shape=outer + shape_of(result))
        found[(*place, ...)] = result
    if found is None:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    axes = list(range(found.ndim))
    order = axes[:axis] + axes[found.ndim - rank :] + axes[axis : found.ndim - rank]
    return FUNCTIONS["transpose"](found, order)


FUNCTIONS["vectorize"] = Vectorize
FUNCTIONS["apply_along_axis"] = apply_along_axis
FUNCTIONS["piecewise"] = piecewise
