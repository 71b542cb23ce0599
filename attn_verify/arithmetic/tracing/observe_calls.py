"""Functions and iterators that are called from code without expressions: what they return is noted all the same."""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Iterator
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Protocol

import numpy as np

Note = Callable[[int, Any], Any]


class Observing(Protocol):
    """What is told of the values of expressions."""

    def __call__(self, number: int, value: Any) -> Any:
        """Note a value, and return it."""
        ...

    def unfollowed(self, number: int, why: str) -> None:
        """Take note of a place where something is not observed."""
        ...


# Iterators that call functions without any expression of the target: what they yield is noted too.
LAZY = frozenset([
    map, filter, zip, itertools.starmap, itertools.accumulate, itertools.chain, itertools.islice, itertools.compress,
    itertools.takewhile, itertools.dropwhile, itertools.filterfalse, itertools.zip_longest,
])  # fmt: skip
# Functions that call what stands first or second, without any expression of the target, and keep the results.
_CALLERS = frozenset(map(id, [
    filter, iter, functools.reduce, itertools.accumulate, itertools.groupby, itertools.takewhile, itertools.dropwhile,
    itertools.filterfalse, itertools.starmap,
]))  # fmt: skip
# Where the function stands that they call, if not in the first place.
_FUNCTION_AT = {id(itertools.accumulate): 1, id(itertools.groupby): 1}
# Functions that call their ``key``, and modules whose functions, written in Python, do so.
_SORTERS = frozenset(map(id, [
    min, max, sorted, list.sort, bisect.bisect_left, bisect.bisect_right, bisect.insort_left, bisect.insort_right,
]))  # fmt: skip
_LIBRARY = ("heapq", "statistics", "bisect")
LruCache = type(functools.lru_cache(len))
# Functions of libraries, which are never made anew.
_LASTING = (np.ufunc, type(np.sum), MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)


def shown_within(note: Observing, number: int, function: Any) -> Any:
    """Return a function that calls others, such that what these return is noted.

    Whatever else it is given stays the very object: a target may ask which one it is.
    """
    called = function
    while type(called) is MethodWrapperType and called.__name__ == "__call__":
        called = called.__self__
    sorts = id(called) in _SORTERS or (type(called) is FunctionType and called.__module__ in _LIBRARY)
    sorts = sorts or (
        type(called) is BuiltinFunctionType and type(called.__self__) is list and called.__name__ == "sort"
    )
    if not (sorts or id(called) in _CALLERS or called is functools.partial):
        return function

    def calling(*args: Any, **options: Any) -> Any:
        if called is functools.partial:
            # It would show the target what it was given.
            if args and (id(args[0]) in _CALLERS or "key" in options) and _unshown(*args[1:], *options.values()):
                note.unfollowed(number, "makes a partial of a function that calls others, which are not observed")
            return function(*args, **options)
        place = _FUNCTION_AT.get(id(called), 0)
        if id(called) in _CALLERS and len(args) > max(place, 1):
            # What can be gone through too would be something else.
            seen = args[place] if hasattr(type(args[place]), "__iter__") else shown(note, number, args[place])
            args = (*args[:place], seen, *args[place + 1 :])
        if "key" in options:
            options["key"] = shown(note, number, options["key"])
        return function(*args, **options)

    return calling


def shown(note: Note, number: int, argument: Any) -> Any:
    """Return a function without expressions of the target such that what it returns is noted; all else as it is."""
    return NotingCall(note, number, argument) if _unshown(argument) else argument


def _unshown(*arguments: Any) -> bool:
    """Return whether some are functions or builtin classes without expressions of the target."""
    return any(
        callable(argument)
        and type(argument) not in (FunctionType, NotingCall)
        and (not isinstance(argument, type) or (type(argument) is type and argument.__module__ == "builtins"))
        for argument in arguments
    )


def which(function: Any) -> Any:
    """Return what tells a function from others, and keeps alive nothing that it refers to.

    >>> which([].append) == which([1].append), which(len) == which(min)
    (True, False)
    """
    kind = type(function)
    if kind is FunctionType:
        return function.__code__
    if kind is MethodType:
        return which(function.__func__), id(type(function.__self__))
    if kind in (BuiltinFunctionType, MethodWrapperType):
        owner = function.__self__
        return function.__name__, id(type(owner)), id(owner) if isinstance(owner, type | ModuleType) else 0
    if kind is functools.partial:
        return which(function.func), id(kind)
    if kind is LruCache:
        return which(function.__wrapped__), id(kind)
    return id(function) if issubclass(kind, type) or kind in _LASTING else id(kind)


def unwrapped(value: Any) -> Any:
    """Return the function of a :class:`NotingCall`, where the target looks at it; all else as it is."""
    return value._function if type(value) is NotingCall else value


class NotingCall:
    """A function that code without expressions calls, as ``sorted`` calls its key: what it returns is noted."""

    def __init__(self, note: Note, number: int, function: Callable[..., Any]) -> None:
        self._note = note
        self._number = number
        self._function = function

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function."""
        return self._note(self._number, self._function(*args, **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._function == unwrapped(other))

    def __hash__(self) -> int:
        return hash(self._function)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._function)


class Noting:
    """An iterator, every element of which is noted when it is asked for; it has no other attributes, as those have."""

    __slots__ = ("_iterator", "_note", "_number")

    def __init__(self, note: Note, number: int, iterator: Iterator[Any]) -> None:
        self._note = note
        self._number = number
        self._iterator = iterator

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._note(self._number, next(self._iterator))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be copied as the iterator is."""
        return self._iterator.__reduce_ex__(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._iterator)


def noting(note: Note, number: int, iterator: Iterator[Any]) -> Noting:
    """Return an iterator that notes every element; errors call it by the name of the one that it stands for."""
    return _kind(type(iterator))(note, number, iterator)


@functools.cache
def _kind(kind: type) -> type[Noting]:
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return type(name, (Noting,), {"__slots__": ()})
