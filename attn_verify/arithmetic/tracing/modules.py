"""The module that a target imports as ``numpy``: what is modelled, and a refusal for everything else."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import numpy as np

# the modules that fill the table of functions
from attn_verify.arithmetic.tracing import (
    creation,
    einsum,
    higher,
    iterators,
    linear,
    logic,
    methods,
    objects,
    random_model,
    real_domain,
    reductions,
    searching,
    structure,
)
from attn_verify.arithmetic.tracing.array import TracedArray, python_float
from attn_verify.arithmetic.tracing.dtypes import SCALAR_TYPES
from attn_verify.arithmetic.tracing.facade import Function
from attn_verify.arithmetic.tracing.registry import FUNCTIONS
from attn_verify.arithmetic.tracing.session import current, running_session
from attn_verify.arithmetic.tracing.ufuncs import Ufunc

_FILLED = (
    creation, einsum, higher, iterators, linear, logic, methods, objects, random_model, real_domain, reductions,
    searching, structure,
)  # fmt: skip

# What has no exact numbers in it and is NumPy's own.
_REAL = (
    "dtype", "finfo", "iinfo", "newaxis", "inf", "nan", "geterr", "geterrcall",
    "setbufsize", "getbufsize", "printoptions", "set_printoptions", "get_printoptions", "generic", "number", "integer",
    "signedinteger", "unsignedinteger", "inexact", "floating", "complexfloating", "flexible", "character", "bool",
    "object_", "str_", "bytes_", "void", "datetime64", "timedelta64", "complex64", "complex128", "complex256",
    "csingle", "cdouble", "clongdouble", "ScalarType", "sctypeDict", "typecodes", "typename", "typing", "exceptions",
    "little_endian", "show_config", "get_include", "ndindex", "s_", "index_exp", "dtypes", "show_runtime", "info",
    "__version__",
)  # fmt: skip

# Types that no traced array is an instance of.
_CLASSES = ("matrix", "memmap", "recarray", "record", "poly1d", "flatiter", "nditer", "broadcast", "busdaycalendar")

_CAUSES = {
    "random": "a drawn number is no function of the inputs",
    "ma": "masked arrays have no exact model",
    "matrix": "numpy.matrix has no exact model",
}


class Refusing:
    """A name of NumPy without a model: using it in any way refuses."""

    def __init__(self, name: str, real: Any, cause: str = "") -> None:
        self.__dict__.update(_name=name, _real=real, _cause=cause or "the function has no exact model")

    def _refuse(self) -> NoReturn:
        current().refuse(self._name, self._cause)

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        self._refuse()

    def __getattr__(self, name: str) -> NoReturn:
        if not hasattr(self._real, name):
            raise AttributeError(f"{self._name} has no attribute {name!r}")
        self._refuse()

    def __instancecheck__(self, instance: Any) -> bool:
        """Answer for classes: nothing in the model is an instance of them."""
        return isinstance(instance, self._real) if isinstance(self._real, type) else self._refuse()

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real) if isinstance(self._real, type) else self._refuse()

    def __or__(self, other: Any) -> Any:
        """Allow annotations such as ``np.matrix | None``."""
        return self._real | other if isinstance(self._real, type) else self._refuse()


for _name in (
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__iter__", "__len__", "__getitem__",
    "__setitem__", "__contains__", "__float__", "__int__", "__index__", "__add__", "__radd__", "__sub__", "__rsub__",
    "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__matmul__", "__rmatmul__", "__neg__", "__pow__",
    "__rpow__", "__enter__", "__array__", "__hash__", "__setattr__", "__mro_entries__",
):  # fmt: skip
    setattr(Refusing, _name, lambda self, *_args, **_options: self._refuse())


class Model(types.ModuleType):
    """A module whose names are modelled, refuse, or do not exist, as in the module that it stands for."""

    def __init__(self, name: str, real: Any, table: dict[str, Any], make: Callable[[str], Any] | None = None) -> None:
        super().__init__(name, real.__doc__)
        self.__dict__.update(table)
        self.__dict__.update(_real=real, _make=make, __file__=getattr(real, "__file__", None))
        if hasattr(real, "__path__"):
            self.__dict__["__path__"] = list(real.__path__)

    def __getattr__(self, name: str) -> Any:
        real = self.__dict__["_real"]
        if name.startswith("__") or not hasattr(real, name):
            if name in ("__all__", "__version__") and hasattr(real, name):
                return getattr(real, name)
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        make = self.__dict__["_make"]
        made = make(name) if make is not None else None
        if made is not None:
            return made
        found = getattr(real, name)
        cause = _CAUSES.get(name, _CAUSES.get(self.__name__.rpartition(".")[2], ""))
        return Refusing(f"{self.__name__}.{name}".replace("numpy.", "np.", 1), found, cause)

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_real"])


def _constant(name: str) -> Any:
    """Return π or e, which need the graph of a run."""
    if name not in ("pi", "e", "euler_gamma"):
        return None
    if running_session() is None:
        return getattr(np, name)
    carrier = current().carrier
    if name == "pi":
        return python_float(carrier.full((), "pi"))
    if name == "e":
        current().note("constant", "np.e is read as exp(1)", value=np.e)
        return python_float(carrier.full((), 1).unary("exp"))
    return None


def _shown(f: Any, real: Any) -> Any:
    """Return a model that shows itself as NumPy's own function."""
    return Function(f, real) if isinstance(f, types.FunctionType) and real is not None else f


def _below(prefix: str) -> dict[str, Any]:
    return {
        name[len(prefix) :]: f for name, f in FUNCTIONS.items()
        if name.startswith(prefix) and "." not in name[len(prefix) :]
    }  # fmt: skip


@cache
def numpy_model() -> types.ModuleType:
    """Return the module that stands for ``numpy``."""
    table: dict[str, Any] = {name: getattr(np, name) for name in _REAL if hasattr(np, name)}
    table.update({name: _shown(f, getattr(np, name, None)) for name, f in _below("").items()})
    for name in dir(np):
        real = getattr(np, name)
        if isinstance(real, type) and real in SCALAR_TYPES:
            table[name] = SCALAR_TYPES[real]
    table["True_"], table["False_"] = np.True_, np.False_
    table.update(ndarray=TracedArray, ufunc=Ufunc, finfo=_Info(np.finfo), iinfo=_Info(np.iinfo))
    table["linalg"] = Model("numpy.linalg", np.linalg, {**_below("linalg."), "LinAlgError": np.linalg.LinAlgError})
    table["random"] = Model("numpy.random", np.random, {"seed": np.random.seed, **_below("random.")})
    tricks = Model("numpy.lib.stride_tricks", np.lib.stride_tricks, _below("lib.stride_tricks."))
    table["emath"] = Model("numpy.emath", np.emath, _below("emath."))
    table["lib"] = Model("numpy.lib", np.lib, {"stride_tricks": tricks, "scimath": table["emath"]})
    table["ma"] = Model("numpy.ma", np.ma, {"MaskedArray": Refusing("np.ma.MaskedArray", np.ma.MaskedArray)})
    for name in ("errstate", "seterr"):
        table[name] = Function(_quiet(name), getattr(np, name))
    table["core"] = Refusing("np.core", getattr(np, "_core"))  # noqa: B009 - private, yet the name that np.core stands for
    table.pop("pi", None)
    return Model("numpy", np, table, _constant)


def _quiet(name: str) -> Callable[..., Any]:
    """Return NumPy's ``errstate`` or ``seterr``; of the warnings of floats no function may be told."""

    def set_quietly(*args: Any, **options: Any) -> Any:
        told = any(str(mode) in ("call", "log", "print") for mode in (*args, *options.values()))
        if told or options.get("call") is not None:
            current().refuse(f"np.{name}", "a function or a log that is told of the errors of floats", "ignore them")
        return getattr(np, name)(*args, **options)

    return set_quietly


def scipy_model() -> types.ModuleType:
    """Return the module that stands for ``scipy``."""
    from attn_verify.arithmetic.tracing.scipy_model import scipy_model as model

    return model()


def math_model() -> types.ModuleType:
    """Return the module that stands for ``math``."""
    from attn_verify.arithmetic.tracing.math_model import math_model as model

    return model()


class _Info:
    """``np.finfo`` and ``np.iinfo``, which also take the scalar types of the model."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __call__(self, kind: Any) -> Any:
        """Return the limits of a dtype."""
        from attn_verify.arithmetic.tracing.array import is_traced

        return self._real(kind._dtype if is_traced(kind) else np.dtype(kind) if isinstance(kind, type) else kind)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._real)
