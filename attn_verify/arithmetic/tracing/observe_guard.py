"""A guard over what a target's expressions give: whatever may treat exact numbers and floats otherwise is told of."""

from __future__ import annotations

import builtins
import functools
import marshal
import operator
import types
import typing
from collections.abc import Callable, Mapping
from types import MethodType, ModuleType
from typing import Any

from attn_verify.arithmetic.tracing.array import TracedFloat, TracedScalar, is_traced
from attn_verify.arithmetic.tracing.attribute_names import changes, reads
from attn_verify.arithmetic.tracing.builtin_max import largest
from attn_verify.arithmetic.tracing.dtypes import SCALAR_TYPES
from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.arithmetic.tracing.observe_calls import LruCache, NotingCall
from attn_verify.arithmetic.tracing.observe_source import Places
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.vocabulary import READERS, Vocabulary, ordered_by_hashes

Tell = Callable[[int, str], None]

_ORDER = "uses the order of a set, which other processes have otherwise"
_ADDRESS = "makes a text of an address in memory, which other processes have otherwise"
# What is looked at so often that it has a way of its own; nothing of them may be objected to.
_DATA = frozenset({bool, int, float, type(None), list, tuple, dict, SizeInt})
_BUILTINS = vars(builtins)
# Python may have one object for equal values of these, or two.
_VALUES = frozenset({int, SizeInt, float, TracedFloat, TracedScalar, complex, str, bytes, tuple, frozenset})
_IDENTITY = "compares numbers or texts by identity, which need not be that of equal ones"
# Functions in which nothing is observed, told of on import too: what they make belongs to the calls.
_TEXT = "runs a text (eval, exec, compile), in which nothing is observed"
_TYPE = "chooses functions by the types of their arguments (singledispatch), which is not observed"
_CODE = "makes functions whose expressions are not observed"
_UNOBSERVED: Mapping[int, str] = {
    id(function): why
    for why, functions in (
        (_TEXT, (eval, exec, compile)),
        (_TYPE, (functools.singledispatch, functools.singledispatchmethod)),
        (_CODE, (types.FunctionType, types.CodeType, marshal.load, marshal.loads, typing.get_type_hints)),
    )
    for function in functions
}
# NumPy's own scalar types, which a real dtype has (``x.dtype.type``), and what stands for them.
_MODELS = {id(real): model for real, model in SCALAR_TYPES.items()}


class Guard:
    """Looks at values by the numbers of their places, and tells an observer what speaks against them.

    On import a target may call whatever it likes, for a test or a command beside the function; what it keeps of that
    is seen when it is used.  Functions that it hands on, and not to decorate others, may be kept where nobody looks.
    """

    def __init__(self, own: OwnFiles, models: Mapping[str, ModuleType], places: Places, tell: Tell) -> None:
        self._vocabulary = Vocabulary(own, models)
        self._places = places
        self._tell = tell
        self.importing = True
        self._beside: dict[int, bool] = {}  # whether the left side of ``is`` was a value

    def seen(self, number: int, value: Any, called: bool = False) -> Any:
        """Look at the value of an expression, or at what is about to be called; return it, or its model."""
        kind = type(value)
        if number in self._places.left_of:
            self._by_identity(number, kind in _VALUES)
        if number in self._places.asked and kind is ModuleType and hasattr(value, "__path__"):
            self._tell(number, f"asks {value.__name__} for a name, which is a module that may be loaded or not")
        if value is _BUILTINS:
            self._tell(number, "reads the table of all builtins")
        if kind in (set, frozenset) and number in self._places.ordered and ordered_by_hashes(value):
            self._tell(number, _ORDER)
        if id(value) in _UNOBSERVED:
            self._tell(number, _UNOBSERVED[id(value)])
        if self.importing:
            if self._vocabulary.calls(value) and number not in self._places.decorators and not called:
                self._object(number, value, called)
            return value
        if number in self._places.private:
            self._tell(number, self._places.private[number])
        if number in self._places.inner and self._vocabulary.outside(value):
            self._tell(number, f"uses {value.__name__}.{self._places.inner[number]}, which is internal there")
        if kind is LruCache and not called:
            self._tell(number, "hands on a function with a cache, whose keys are classes too")
        if kind in _DATA:
            return value
        if kind is str and " at 0x" in value:
            self._tell(number, _ADDRESS)
        elif kind is not str:
            value = _MODELS.get(id(value), value)
            self._object(number, value._function if kind is NotingCall else value, called or kind is NotingCall)
        return value

    def _by_identity(self, number: int, is_value: bool) -> None:
        """Tell of two values that ``is`` compares; the left one was seen just before the right one."""
        self._beside[number] = is_value
        left = self._places.left_of[number]
        if is_value and left != number and (left is None or self._beside.get(left)):
            self._tell(number, _IDENTITY)

    def _object(self, number: int, value: Any, called: bool) -> None:
        if why := self._vocabulary.objection(value, called):
            self._tell(number, why)

    def text(self, number: int) -> None:
        """Take note that ``eval`` or ``exec`` is called."""
        self._tell(number, _TEXT)

    def called(self, number: int, function: Any) -> Any:
        """Look at what is about to be called; return it, or a function that looks at its arguments first."""
        function = self.seen(number, function, called=True)
        if id(function) in READERS:
            return self._reader(number, function)
        if number in self._places.spread:
            return self._asked(number, function)
        return to_float if function is float else asked_by_ints(function)

    def _asked(self, number: int, function: Any) -> Callable[..., Any]:
        """Return a function such that its arguments, which no expression shows, are looked at."""

        def asking(*args: Any, **options: Any) -> Any:
            for value in (*args, *options.values()):
                self.seen(number, value)
            return (largest(function) if function is max else asked_by_ints(function))(*args, **options)

        return asking

    def _reader(self, number: int, function: Any) -> Callable[..., Any]:
        """Return ``getattr`` or the like such that the names which it reads are looked at."""

        def reading(*args: Any, **options: Any) -> Any:
            unseen = function in (operator.attrgetter, operator.methodcaller)
            outside = bool(args) and self._vocabulary.outside(args[0])
            if function in (vars, dir) and outside:
                self._tell(number, "reads all names of a module, internal ones too")
            for name in args if unseen else args[1:2]:
                why = changes(name) if function in (setattr, delattr) else reads(name)
                if not why and isinstance(name, str) and name.startswith("_") and (unseen or outside):
                    why = f"reads the internal name {name}"
                if why:
                    self._tell(number, why)
            return function(*args, **options)

        return reading


def to_float(*given: Any) -> Any:
    """Return ``float(x)``; of an exact number the exact one, as ``x.item()`` does."""
    x = given[0] if len(given) == 1 and is_traced(given[0]) else None
    if x is None or type(x) is TracedFloat or x.ndim:
        return x if type(x) is TracedFloat else float(*given)
    found = x.item()
    return found if type(found) is TracedFloat else float(found)


def asked_by_ints(function: Any) -> Any:
    """Return a function that is cached by its arguments such that a size is a key as an ``int`` is.

    ``functools.lru_cache`` asks for the class of what it is given, and has other keys for other classes.
    """
    cached = getattr(function, "__func__", None) if type(function) is MethodType else function
    if type(cached) is not LruCache:
        return function

    def asking(*args: Any, **options: Any) -> Any:
        return function(*map(_plain, args), **{name: _plain(value) for name, value in options.items()})

    return asking


def _plain(value: Any) -> Any:
    return int(value) if type(value) is SizeInt else value
