"""Functions and iterators that are called from code without expressions: what they return is noted all the same."""

from __future__ import annotations

import bisect
import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodWrapperType
from typing import Any

Note = Callable[[int, Any], Any]

# Iterators that call functions without any expression of the target: what they yield is noted too.
LAZY = frozenset([
    map, filter, zip, itertools.starmap, itertools.accumulate, itertools.chain, itertools.islice, itertools.compress,
    itertools.takewhile, itertools.dropwhile, itertools.filterfalse, itertools.zip_longest,
])  # fmt: skip
# Functions that call others without any expression of the target, and may keep the results to themselves.
_CALLERS = (BuiltinFunctionType, MethodDescriptorType, type)
_HIDING = frozenset(map(id, [
    min, max, sorted, list.sort, filter, iter, functools.reduce, functools.partial, operator.methodcaller,
    getattr(operator, "call", None), itertools.accumulate, itertools.groupby, itertools.takewhile, itertools.dropwhile,
    itertools.filterfalse, itertools.starmap, bisect.bisect_left, bisect.bisect_right, bisect.insort_left,
    bisect.insort_right,
]))  # fmt: skip
# Modules whose functions, written in Python, do so.
_LIBRARY = ("heapq", "functools", "statistics", "bisect")


def shown_within(note: Note, number: int, function: Any) -> Any:
    """Return a function that is called with functions, such that what these return is noted."""
    called = function
    while type(called) is MethodWrapperType and called.__name__ == "__call__":
        called = called.__self__
    kind = type(called)
    if kind is FunctionType:
        hiding = called.__module__ in _LIBRARY
    else:
        hiding = kind in _CALLERS and (
            id(called) in _HIDING or (kind is BuiltinFunctionType and type(called.__self__) is list)
        )
    if hiding:
        return lambda *args, **options: function(
            *(shown(note, number, arg) for arg in args),
            **{name: shown(note, number, option) for name, option in options.items()},
        )
    return function


def shown(note: Note, number: int, argument: Any) -> Any:
    """Return a function without expressions of the target such that what it returns is noted; all else as it is."""
    kind = type(argument)
    plain = kind in (FunctionType, NotingCall) or not callable(argument) or isinstance(argument, type)
    if plain and not (kind is type and argument.__module__ == "builtins"):
        return argument
    return NotingCall(note, number, argument)


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

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._function)


class Noting:
    """An iterator, every element of which is noted when it is asked for."""

    def __init__(self, note: Note, number: int, iterator: Iterator[Any]) -> None:
        self._note = note
        self._number = number
        self._iterator = iterator

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._note(self._number, next(self._iterator))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._iterator)
