"""The module that a target imports as ``math``: whole numbers as they are, real numbers exactly."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.array import is_traced, python_float
from attn_verify.arithmetic.tracing.convert import as_array, exact, number
from attn_verify.arithmetic.tracing.dtypes import is_float
from attn_verify.arithmetic.tracing.elementwise import EXACT, add, const, div, log, mul, sqrt, sub
from attn_verify.arithmetic.tracing.foreign import refuse_foreign
from attn_verify.arithmetic.tracing.leaving import rounded_float, to_float
from attn_verify.arithmetic.tracing.modules import Model, _constant
from attn_verify.arithmetic.tracing.registry import genuine, guarded
from attn_verify.arithmetic.tracing.session import current, running_session

# Functions of whole numbers only.
_WHOLE = ("isqrt", "gcd", "lcm", "comb", "perm", "factorial")


def _data(value: Any) -> Any:
    """Return 0-d exact data of a number, as ``float(value)`` would read it."""
    if is_traced(value):
        if value._data.shape:
            to_float(value)
        return exact(value)
    if isinstance(value, np.ndarray):
        value = float(value)
    if isinstance(value, np.generic):
        return exact(as_array(value))
    if not isinstance(value, (int, float)):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    return number(value)


def _ask(data: Any, op: str) -> None:
    """Raise what ``math`` raises outside a domain; where that depends on the inputs the question is recorded."""
    if data.compare(op, const(data, 0)).any():
        raise genuine(ValueError("math domain error"))


def _float(data: Any) -> Any:
    return python_float(data)


def _finite_input(name: str, data: Any, result: Any) -> Any:
    """Refuse where ``math`` raises ``OverflowError`` for a constant."""
    value = data.constants()[()]
    if value is not None and not isinstance(value, str):
        getattr(math, name)(rounded_float(value))
    return result


def _plain(name: str, domain: str | None = None) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        data = _data(x)
        if domain is not None:
            _ask(data, domain)
        result = EXACT[_NUMPY.get(name, name)](data)
        return _float(_finite_input(name, data, result))

    return function


_NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}


def _log(x: Any, *base: Any) -> Any:
    data = _data(x)
    _ask(data, "<=")
    if not base:
        return _float(log(data))
    below = _data(base[0])
    _ask(below, "<=")
    return _float(div(log(data), log(below)))


def _pow(x: Any, y: Any) -> Any:
    a, b = _data(x), _data(y)
    known = a.constants()[()], b.constants()[()]
    if all(value is not None for value in known):
        math.pow(*(rounded_float(value) for value in known))
    return _float(EXACT["power"](a, b))


def _fsum(values: Any) -> Any:
    total = number(0)
    for value in values:
        if _special("inf", "-inf", "nan")(value):
            current().refuse("math.fsum", "a sum in which ±∞ or NaN stand")
        total = add(total, _data(value))
    return _float(total)


def _prod(iterable: Any, *, start: Any = 1) -> Any:
    result = start
    for value in iterable:
        result = result * value
    return result


def _hypot(*coordinates: Any) -> Any:
    if any(map(_infinite, coordinates)):
        return math.inf  # whatever the others are
    total = number(0)
    for value in coordinates:
        total = add(total, mul(_data(value), _data(value)))
    return _float(sqrt(total))


def _dist(p: Any, q: Any) -> Any:
    a, b = list(p), list(q)
    if len(a) != len(b):
        raise ValueError("both points must have the same number of dimensions")
    return _hypot(*(_float(sub(_data(x), _data(y))) for x, y in zip(a, b, strict=True)))


def _whole(name: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        if isinstance(x, int) and not is_traced(x):
            return int(x)
        if not is_traced(x):
            return getattr(math, name)(x)
        if not is_float(x._dtype):
            return int(x)
        data = EXACT[name](_data(x)).constants()[()]
        if isinstance(data, str):
            getattr(math, name)(float(data))
        return int(data)

    return function


def _special(*names: str) -> Callable[[Any], bool]:
    return lambda x: any(bool(_data(x).is_special(name)) for name in names)


def _isclose(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> bool:
    if bool(rel_tol < 0) or bool(abs_tol < 0):
        raise ValueError("tolerances must be non-negative")
    if _infinite(a) or _infinite(b):
        return bool(_float(_data(a)) == _float(_data(b)))
    x, y = _float(_data(a)), _float(_data(b))
    difference = abs(x - y)
    with current().tolerating():
        same = bool(x == y)
    return bool(same or difference <= rel_tol * abs(x) or difference <= rel_tol * abs(y) or difference <= abs_tol)


_infinite = _special("inf", "-inf")


def _scaled(factor: str, divisor: str) -> Callable[[Any], Any]:
    def constant(like: Any, name: str) -> Any:
        return const(like, "pi") if name == "pi" else const(like, 180)

    return lambda x: _float(mul(_data(x), div(constant(_data(x), factor), constant(_data(x), divisor))))


_TABLE: dict[str, Callable[..., Any]] = {
    "sqrt": _plain("sqrt", "<"), "log2": _plain("log2", "<="), "log10": _plain("log10", "<="),
    "exp": _plain("exp"), "expm1": _plain("expm1"), "tanh": _plain("tanh"), "sinh": _plain("sinh"),
    "cosh": _plain("cosh"), "fabs": _plain("fabs"), "sin": _plain("sin"), "cos": _plain("cos"), "tan": _plain("tan"),
    "atan": _plain("atan"), "exp2": _plain("exp2"),
    "log": _log, "pow": _pow, "fsum": _fsum, "prod": _prod, "hypot": _hypot, "dist": _dist,
    "log1p": lambda x: _log(_float(add(number(1), _data(x)))),
    "erf": lambda x: _float(_data(x).apply("erf", [])),
    "erfc": lambda x: _float(sub(number(1), _data(x).apply("erf", []))),
    "floor": _whole("floor"), "ceil": _whole("ceil"), "trunc": _whole("trunc"),
    "isinf": _special("inf", "-inf"), "isnan": _special("nan"),
    "isfinite": lambda x: not _special("inf", "-inf", "nan")(x), "isclose": _isclose,
    "radians": _scaled("pi", "180"), "degrees": _scaled("180", "pi"),
}  # fmt: skip


def _constants(name: str) -> Any:
    if name == "tau" and running_session() is not None:
        return python_float(mul(number(2), current().carrier.full((), "pi")))
    return _constant(name)


def _gone_through(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that goes through iterators first, which may run code of the target, and then computes."""

    def call(*args: Any, **options: Any) -> Any:
        if name in ("fsum", "dist"):
            args = tuple(list(arg) if hasattr(type(arg), "__next__") else arg for arg in args)
        refuse_foreign(f"math.{name}", (*args, *options.values()))
        return f(*args, **options)

    return call


@cache
def math_model() -> types.ModuleType:
    """Return the module that stands for ``math``."""
    table: dict[str, Any] = {
        name: _gone_through(name, guarded(f"math.{name}", f, getattr(math, name)))
        for name, f in _TABLE.items()
        if hasattr(math, name) and name != "prod"
    }
    table["prod"] = _prod
    table.update({name: getattr(math, name) for name in _WHOLE}, inf=math.inf, nan=math.nan)
    return Model("math", math, table, _constants)
