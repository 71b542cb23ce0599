"""Which function or class an object is: by a name that is the same in every process and in every kind of numbers."""

from __future__ import annotations

import functools
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
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.observe_calls import LruCache, NotingCall

_PACKAGE = __name__.partition(".")[0] + "."
_MODELLED = (_PACKAGE, "builtins.", "numpy.", "scipy.")
Dispatched = type(np.sum)


def identity(value: Any) -> str:
    """Return the name of a function or a class, and of an object of somebody's class that of the class.

    What the model has in place of NumPy's objects, and objects of Python itself, have none.

    >>> identity(len), identity(np.exp), identity("x".join), identity(dict), identity(slice(3))
    ('function builtins.len', 'function numpy.exp', 'method str.join', 'class builtins.dict', '')
    """
    kind = type(value)
    if kind is FunctionType:
        code, module = value.__code__, str(value.__globals__.get("__name__"))
        return (
            "" if module.startswith(_PACKAGE) else f"function {code.co_filename}:{code.co_firstlineno}:{code.co_name}"
        )
    if kind is NotingCall:
        return identity(value._function)
    if kind in (np.ufunc, Dispatched):
        return f"function numpy.{value.__name__}"
    if kind is BuiltinFunctionType or kind is MethodWrapperType:
        owner = getattr(value, "__self__", None)
        if owner is None or isinstance(owner, ModuleType):
            return f"function {value.__module__}.{value.__name__}"
        return f"method {_class(owner if issubclass(type(owner), type) else type(owner))}.{value.__name__}"
    if kind is MethodType:
        return identity(value.__func__).replace("function", "method", 1)
    if kind in (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType):
        return f"method {_class(value.__objclass__)}.{value.__name__}"
    if kind is functools.partial:
        inner = identity(value.func)
        return inner and f"partial {inner}"
    if kind is LruCache:
        return f"cached {identity(value.__wrapped__)}"
    if issubclass(kind, type):
        module = str(value.__module__)
        return "" if f"{module}.".startswith(_PACKAGE) else f"class {module}.{value.__qualname__}"
    module = str(kind.__module__)
    # Models may have other classes than NumPy has, generators for instance.
    return "" if f"{module}.".startswith(_MODELLED) else f"object {module}.{kind.__qualname__}"


def _class(cls: type) -> str:
    return str(cls.__qualname__)
