"""What a target may use: functions and classes that are known to treat exact numbers as they treat floats.

Whatever a target calls is its own code, whose expressions are noted; a model; or code of others.  Code of others may
look at the class, the identity or the hash of what it is given, and then do one thing with an exact number and another
with a float.  So only what stands in the tables below is taken for granted; anything else leaves a case undecided.
"""

from __future__ import annotations

import functools
import importlib
import operator
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    TracebackType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray
from attn_verify.arithmetic.tracing.attribute_names import IN_PLACE_TOO, attribute, reads
from attn_verify.arithmetic.tracing.foreign import HEAP
from attn_verify.arithmetic.tracing.identity import Dispatched
from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.arithmetic.tracing.observe_calls import LruCache

_PACKAGE = __name__.partition(".")[0]

# Modules of the standard library, all functions and classes of which may be used.
_MODULES = frozenset({
    "__future__", "_bisect", "_collections", "_collections_abc", "_functools", "_heapq", "_operator",
    "_warnings", "abc", "bisect", "collections", "collections.abc", "contextlib", "copy", "dataclasses", "enum",
    "fractions", "functools", "heapq", "itertools", "math", "numbers", "operator", "posixpath", "re", "string",
    "textwrap", "typing", "warnings",
})  # fmt: skip
# Of other modules these may be.
_NAMES = {
    "_io": frozenset({"StringIO", "TextIOBase", "TextIOWrapper", "_IOBase", "_TextIOBase"}),
    "builtins": frozenset({
        "abs", "all", "any", "ascii", "bin", "callable", "chr", "delattr", "dir", "divmod", "format", "getattr",
        "globals", "hasattr", "hex", "isinstance", "issubclass", "iter", "len", "locals", "max", "min", "next", "oct",
        "ord", "pow", "print", "repr", "round", "setattr", "sorted", "sum", "vars", "__build_class__",
    }),
    # Handlers and formatters are told by whom they were called.
    "logging": frozenset({
        "Filterer", "Logger", "RootLogger", "critical", "debug", "error", "exception", "getEffectiveLevel", "getLogger",
        "hasHandlers", "info", "isEnabledFor", "log", "warning",
    }),
    "os": frozenset({"_Environ", "fspath", "getenv"}),
    "posix": frozenset({"fspath"}),
    "sys": frozenset({"exit"}),
    "_thread": frozenset({"LockType", "RLock", "_local", "allocate_lock", "lock"}),
    "threading": frozenset({"Lock", "RLock", "local"}),
    "types": frozenset({"SimpleNamespace", "MappingProxyType", "UnionType", "GenericAlias", "NoneType"}),
}  # fmt: skip
# Of the modules above these may not be: they ask for identity or class, or call what they are given unseen.
_EXCEPT = frozenset({
    "_operator.call", "_operator.is_", "_operator.is_not", "_abc.get_cache_token", "functools.singledispatch",
    "functools.singledispatchmethod", "typing.ForwardRef", "typing.get_type_hints",
})  # fmt: skip
# Classes of the interpreter that show how a program is run or what lies in memory.
_INNER = (bytearray, CodeType, FrameType, TracebackType, memoryview, GetSetDescriptorType, MemberDescriptorType)
# They read attributes by names that no expression shows, and may be called with names that are looked at, no more.
READERS = frozenset(map(id, (
    getattr, hasattr, setattr, delattr, operator.attrgetter, operator.methodcaller, vars, dir,
)))  # fmt: skip

_COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
_OPERATORS = frozenset(f"__{letter}{name}__" for name in (*IN_PLACE_TOO, *_COMPARISONS) for letter in ("", "r"))
# Special methods whose answers no expression of the target shows.
_ASKED = _OPERATORS | {
    f"__{name}__" for name in (
        "bool", "len", "index", "int", "float", "complex", "hash", "iter", "next", "contains", "getitem", "call",
        "enter", "exit", "neg", "pos", "abs", "invert", "round", "array", "missing",
    )
}  # fmt: skip
_IMMUTABLE = 1 << 8  # set in ``__flags__`` of classes whose attributes nobody can change


def _listed_builtins() -> frozenset[int]:
    """Return the functions of C code that the tables list, by identity: a name can be changed."""
    found = set()
    for name in (*_MODULES, *_NAMES):
        with suppress(ImportError):
            module = importlib.import_module(name)
            listed = vars(module) if name in _MODULES else _NAMES[name]
            found |= {
                id(value)
                for key, value in vars(module).items()
                if key in listed and type(value) is BuiltinFunctionType and _full_name(value) not in _EXCEPT
            }
    return frozenset(found)


def _full_name(function: BuiltinFunctionType) -> str:
    return f"{function.__module__}.{function.__name__}"


# Methods and attributes by which a metaclass sees that its classes are looked at.
_OF_CLASSES = ("__eq__", "__ne__", "__hash__", "__module__", "__name__", "__qualname__", "__mro__", "__getattr__")


class Vocabulary:
    """Judges the functions, classes and other objects that a target's expressions give."""

    def __init__(self, own: OwnFiles, models: Mapping[str, ModuleType]) -> None:
        self._own = own
        self._models = models
        self._tops = {name.partition(".")[0] for name in models}
        self._modelled = {id(value) for module in models.values() for value in vars(module).values()}
        self._classes: dict[type, str] = {}

    def objection(self, value: Any, called: bool) -> str:
        """Return why an object may do another thing with exact numbers than with floats, or the empty string."""
        kind = type(value)
        judge = _JUDGES.get(kind)
        found = self._instance(value) if judge is None else judge(self, value)
        if not found and not called and id(value) in READERS:
            found = f"hands on {_name(value)}, which reads attributes that no expression shows"
        return found

    def calls(self, value: Any) -> bool:
        """Return whether an object is a function, or stands for one."""
        return type(value) in _JUDGES or type(value) in (*_NUMPY, *_READING, LruCache, functools.partial)

    def class_(self, cls: type) -> str:
        """Return what speaks against a class, one that it inherits from, or a function that is a method of it."""
        found = self._classes.get(cls)
        if found is None:
            self._classes[cls] = ""  # a class may have itself as an attribute
            unknown = [base for base in cls.__mro__ if not self._known_class(base)]
            derived = cls is not TracedArray and issubclass(cls, TracedArray) and self._is_own(cls)
            found = _unknown(unknown[-1]) if unknown else self._methods(cls)
            found = self._classes[cls] = self._metaclass(cls) or ("uses a subclass of ndarray" if derived else found)
        return found

    def _metaclass(self, cls: type) -> str:
        """Return what speaks against the metaclass of a class: it is asked whenever somebody looks at the class."""
        meta: Any = type(cls)
        own = [base for base in meta.__mro__ if base is not type and self._is_own(base)]
        seen = ((name, vars(base).get(name)) for base in own for name in _OF_CLASSES)
        name = next((name for name, member in seen if not isinstance(member, str | None)), "")  # every class has texts
        return f"has a metaclass with {name}, which runs where somebody looks at a class" if name else ""

    def _methods(self, cls: type) -> str:
        """Return what speaks against the attributes of the target's classes, which operators call unseen."""
        own = [base for base in cls.__mro__ if self._is_own(base)]
        parts = [part for base in own for value in list(vars(base).values()) for part in _parts(value)]
        unseen = [
            f"answers {name} by {_name(value)}, which is no function of the target"
            for base in own for name, value in list(vars(base).items())
            if name in _ASKED and self.calls(value) and type(value) is not FunctionType
        ]  # fmt: skip
        told = (why for part in parts if self.calls(part) and (why := self.objection(part, True)))
        return next(chain(told, unseen), "")

    def _is_own(self, cls: type) -> bool:
        return getattr(sys.modules.get(str(cls.__module__)), "__file__", None) in self._own

    def _known_class(self, cls: type) -> bool:
        if id(cls) in self._modelled:
            return True
        module = str(cls.__module__)
        if not _as_named(cls):
            return self._is_own(cls) and not _answers_operators(cls)
        if module == "builtins":
            return not issubclass(cls, (*_INNER, type)) or cls.__name__ in ("EnumType", "ABCMeta")
        top = module.partition(".")[0]
        if top in (_PACKAGE, "numpy") or self._listed(module, cls.__qualname__):
            return True
        return self._is_own(cls) and not _answers_operators(cls)

    def _instance(self, value: Any) -> str:
        """Return what speaks against an object that is neither a function nor a class."""
        kind = type(value)  # what stands for a class of NumPy calls itself one, and is none
        if issubclass(kind, type):
            return self.class_(value) if value is not type else "uses the class of classes, which shows exact numbers"
        if kind is LruCache:
            inner = value.__wrapped__
            # C code that is called with keys of its own; functions of the target are asked by honest numbers.
            return "" if type(inner) is FunctionType else f"caches {_name(inner)}, which is no function of the target"
        if kind is functools.partial:
            given = [part for part in (*value.args, *value.keywords.values()) if self.calls(part)]
            told = (self.objection(value.func, True), *(self.objection(part, False) for part in given))
            return next(filter(None, told), "")
        if kind in _READING:
            return reads(".".join(part for part in value.__reduce__()[1] if isinstance(part, str)))
        if issubclass(kind, ModuleType):
            # Modules of the library hand on the real ones that they import.
            behind = kind is ModuleType and str(value.__name__).partition(".")[0] in self._tops
            behind = behind and not any(value is model for model in self._models.values())
            return f"reaches the module {value.__name__} behind its model" if behind else ""
        if kind in _NUMPY:
            return "" if id(value) in self._modelled else _unknown(value)
        return self.class_(kind)

    def _function(self, function: FunctionType) -> str:
        file = function.__code__.co_filename
        # Texts are told of where they are run; the library makes methods of records out of texts of its own.
        if file in self._own or (file.startswith("<") and not file.startswith("<frozen")):
            return ""
        module = _module_of(function)
        known = module.partition(".")[0] == _PACKAGE or id(function) in self._modelled
        return "" if known or self._listed(module, function.__code__.co_name) else _unknown(function)

    def _builtin(self, function: Any) -> str:
        owner = function.__self__
        if owner is None or isinstance(owner, ModuleType):
            known = id(function) in self._modelled or id(function) in _LISTED
            return "" if known else _unknown(function)
        return self.class_(owner if issubclass(type(owner), type) else type(owner)) or attribute(function.__name__)

    def _method(self, method: Any) -> str:
        return self.objection(method.__func__, True)

    def _descriptor(self, descriptor: Any) -> str:
        return self.class_(descriptor.__objclass__) or attribute(descriptor.__name__)

    def _wrapper(self, wrapper: Any) -> str:
        return self.objection(wrapper.__self__, True) or attribute(wrapper.__name__)

    def _listed(self, module: str, name: str) -> bool:
        if f"{module}.{name.partition('.')[0]}" in _EXCEPT:
            return False
        return module in _MODULES or name in _NAMES.get(module, ()) or module.startswith("collections.")

    def outside(self, value: Any) -> bool:
        """Return whether a module is neither the target's nor a model, so that its inner names are nobody's."""
        return issubclass(type(value), ModuleType) and getattr(value, "__file__", None) not in self._own


def _module_of(function: FunctionType) -> str:
    """Return the name of the module that a function belongs to, the empty string if it only says so."""
    listed = _DICTIONARIES.get(id(function.__globals__))
    name = str(function.__globals__.get("__name__"))
    found = sys.modules.get(name)
    return listed or (name if found is not None and vars(found) is function.__globals__ else "")


def _as_named(cls: type) -> bool:
    """Return whether a class is the one that its module has, or one whose name cannot be changed."""
    if not cls.__flags__ & HEAP or cls.__flags__ & _IMMUTABLE:
        return True
    found: Any = sys.modules.get(str(cls.__module__))
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def _answers_operators(cls: type) -> bool:
    """Return whether a class of numbers has operators of its own: they come before those of a plain ``int`` only."""
    number = issubclass(cls, (int, float, complex))
    return number and any(name in _OPERATORS for name in vars(cls))


def _parts(value: Any) -> tuple[Any, ...]:
    """Return the functions that an attribute of a class calls."""
    kind = type(value)
    if kind is property:
        return value.fget, value.fset, value.fdel
    if kind in (staticmethod, classmethod, functools.partialmethod, functools.cached_property):
        return (getattr(value, "__func__", None) or getattr(value, "func", None),)
    return (value,)


def ordered_by_hashes(value: Any) -> bool:
    """Return whether the order of a set is another one in other processes.

    >>> ordered_by_hashes({"q"}), ordered_by_hashes({3, 1, 2}), ordered_by_hashes({"q", "k"})
    (False, False, True)
    """
    return len(value) > 1 and not all(_hashes_alike(item) for item in value)


def _hashes_alike(item: Any) -> bool:
    return issubclass(type(item), (int, float)) or (type(item) is tuple and all(map(_hashes_alike, item)))


def _unknown(value: Any) -> str:
    return f"uses {_name(value)}, which is not known to treat exact numbers and floats alike"


def _name(value: Any) -> str:
    module = str(getattr(value, "__module__", None) or "")
    name = str(getattr(value, "__qualname__", type(value).__name__))
    return f"{module}.{name}" if module and module != "builtins" else name


_LISTED = _listed_builtins()
# The dictionaries of listed modules, some of which call themselves otherwise.
_DICTIONARIES = {id(vars(sys.modules[name])): name for name in (*_MODULES, *_NAMES) if name in sys.modules}
# NumPy's own functions, in place of which a target sees models.
_NUMPY = (np.ufunc, Dispatched)
_READING = (operator.attrgetter, operator.methodcaller)
_Judge = Callable[[Vocabulary, Any], str]
_JUDGES: dict[type, _Judge] = {
    FunctionType: Vocabulary._function,
    BuiltinFunctionType: Vocabulary._builtin,
    MethodType: Vocabulary._method,
    MethodDescriptorType: Vocabulary._descriptor,
    ClassMethodDescriptorType: Vocabulary._descriptor,
    WrapperDescriptorType: Vocabulary._descriptor,
    MethodWrapperType: Vocabulary._wrapper,
}
