"""What the target's code, or a library that it calls, is shown of the objects that stand for NumPy's own.

Modules of this package see what is really there.  Everybody else sees the attributes that NumPy's object has, with its
answers as far as they are plain values, and a refusal where an answer would tell one from the other.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from types import BuiltinMethodType, FunctionType, MappingProxyType, MethodType, MethodWrapperType
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.foreign import refuse_foreign
from attn_verify.arithmetic.tracing.session import current, running_session

_PLAIN = (int, str, bool, float, type(None), bytes)
_NAMED = frozenset({"__name__", "__qualname__", "__doc__", "__module__", "__text_signature__", "__signature__"})
_METHODS = frozenset({FunctionType, MethodType, BuiltinMethodType, MethodWrapperType})
_PACKAGE = __name__.partition(".")[0]
# Code that targets may be, and code that calls functions in a target's place.
_NUMERIC, _OBSERVER = f"{_PACKAGE}.numeric", f"{__name__.rpartition('.')[0]}.observe"
# The dictionaries of this package's modules, by their numbers: a frame that runs in one is ours.
_DICTIONARIES: dict[int, bool] = {}


def ours(depth: int = 2) -> bool:
    """Return whether code of this package asks, ``depth`` frames from here; without a run everybody may."""
    names = sys._getframe(depth).f_globals
    known = _DICTIONARIES.get(id(names))
    if known is None:
        name = str(names.get("__name__"))
        module = sys.modules.get(name)
        known = module is not None and module.__dict__ is names and name.partition(".")[0] == _PACKAGE
        known = known and not name.startswith((_NUMERIC, _OBSERVER))
        if module is not None and module.__dict__ is names:
            _DICTIONARIES[id(names)] = known
    return known or running_session() is None


class Function:
    """A function of NumPy that has a model: it shows what NumPy's own shows, and runs the model."""

    __slots__ = ("_model", "_real")

    def __init__(self, model: Any, real: Any) -> None:
        self._model = model
        self._real = real

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run the model."""
        refuse_foreign(getattr(self._real, "__name__", "function"), (*args, *options.values()))
        return self._model(*args, **options)

    def __getattribute__(self, name: str) -> Any:
        """Show the names that NumPy's own function has, and nothing else about it."""
        if name == "__class__":
            return type(object.__getattribute__(self, "_real"))
        if name in ("_model", "_real", "__get__") and ours():
            return object.__getattribute__(self, name)
        real = object.__getattribute__(self, "_real")
        found = getattr(real, name)
        if name in _NAMED:
            return found
        if name == "__annotations__" and not found:  # which whatever wraps a function takes over
            return {}
        if name == "__call__":
            return Function(object.__getattribute__(self, "_model"), found)
        current().refuse(f"{getattr(real, '__name__', 'function')}.{name}", "the attribute has no exact model")

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """Become a method where NumPy's own does."""
        return MethodType(self, owner) if owner is not None and hasattr(type(self._real), "__get__") else self

    def __repr__(self) -> str:
        """Show it as NumPy does."""
        return repr(self._real)

    def __str__(self) -> str:
        return str(self._real)

    def __dir__(self) -> list[str]:
        return dir(self._real)

    def __reduce_ex__(self, _: Any) -> Any:
        current().refuse("pickle", "a function of the model cannot be pickled")

    def __sizeof__(self) -> int:
        current().refuse("sys.getsizeof", "the size of the object in memory")


@cache
def _names(real: type) -> frozenset[str]:
    return frozenset(dir(real))


@cache
def _sample(real: type) -> Any:
    if real is np.flatiter:
        return np.zeros(1).flat
    if real is np.ufunc:
        return np.exp
    return np.zeros(1) if real is np.ndarray else real(1)


def of_instance(self: Any, name: str, real: type) -> Any:
    """Return an attribute of an array or a scalar, as the target is shown it; ``real`` is what it is in NumPy."""
    if name == "__class__":
        return object.__getattribute__(self, name)
    if name not in _names(real):
        raise AttributeError(f"'{real.__name__}' object has no attribute {name!r}")
    if name == "__doc__":
        return _sample(real).__doc__
    try:
        found = object.__getattribute__(self, name)
    except AttributeError:
        if hasattr(type(self), "__getattr__"):  # which answers
            raise
        current().refuse(f"{real.__name__}.{name}", "the attribute has no exact model")
    return Function(found, getattr(_sample(real), name)) if type(found) in _METHODS else found


def of_class(cls: type, name: str, real: type) -> Any:
    """Return an attribute of a class that stands for ``real``, as the target is shown it."""
    if name == "__class__":
        return type
    if name == "__abstractmethods__":
        return type.__getattribute__(cls, name)
    if name == "__mro__":
        return (cls, *real.__mro__[1:])
    theirs = getattr(real, name)
    if name in ("__bases__", "__base__") or type(theirs) in _PLAIN:
        return theirs
    if name == "__dict__":
        return MappingProxyType({key: _closed(real, key, value) for key, value in vars(real).items()})
    found = None
    with suppress(AttributeError):
        found = type.__getattribute__(cls, name)
    if type(found) in _METHODS:
        return Function(found, theirs)
    if found is not None and issubclass(cls, np.generic):
        return found
    current().refuse(f"{real.__name__}.{name}", "the attribute of the class has no exact model")


def _closed(real: type, name: str, value: Any) -> Any:
    if type(value) in _PLAIN:
        return value

    def refuse(*_: Any, **__: Any) -> Any:
        current().refuse(f"{real.__name__}.__dict__[{name!r}]", "the attribute of the class has no exact model")

    return refuse
