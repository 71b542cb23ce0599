"""The operators and methods of traced arrays: each is the function of the same name."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from attn_verify.arithmetic.tracing.array import TracedArray, TracedFloat, TracedScalar, finish, is_traced, scalar, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.convert import NotNumericError, as_array, cast
from attn_verify.arithmetic.tracing.dtypes import as_dtype, is_float, is_whole
from attn_verify.arithmetic.tracing.elementwise import EXACT
from attn_verify.arithmetic.tracing.leaving import rounded_float
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, guarded, like_numpy
from attn_verify.arithmetic.tracing.session import current

_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift", "divmod": "divmod",
}  # fmt: skip
_COMPARE = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _gives_way(other: Any) -> bool:
    """Return whether an operand asks to do the operation itself."""
    return getattr(type(other), "__array_ufunc__", True) is None


def _are_python_floats(x: Any, other: Any) -> bool:
    if type(x) is not TracedFloat:
        return False
    return type(other) is TracedFloat or (not is_traced(other) and isinstance(other, (int, float)) and not isinstance(
        other, np.generic
    ))  # fmt: skip


def _plain(x: Any, other: Any, name: str) -> Any:
    """Return the result as the Python float that two Python numbers give, where ``x`` is one."""
    if _are_python_floats(x, other):
        if name in ("floor_divide", "remainder", "divmod"):
            current().refuse(f"float.{name}", "the operation has no exact model")
        return name in EXACT
    return False


def _forward(name: str, swapped: bool) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if _gives_way(other):
            return NotImplemented
        if name == "matmul" and isinstance_scalar(self):
            return NotImplemented
        if isinstance_scalar(self) and isinstance(other, (list, tuple, str, bytes)) and name == "multiply":
            current().refuse("multiplication", f"a number and a {type(other).__name__}", "np.multiply, or int()")
        a, b = (other, self) if swapped else (self, other)
        if name == "power" and not swapped and is_whole(self._dtype) and type(other) is int:
            # the operator squares bools as bools, which the function does not
            return finish(np.asarray(self._data**other), np.asarray(self._data**other).dtype)
        result = FUNCTIONS[name](a, b)
        return python_result(result) if _plain(self, other, name) else result

    return operator


def python_result(result: Any) -> Any:
    """Return an exact scalar as a Python float."""
    from attn_verify.arithmetic.tracing.array import python_float

    return python_float(result._data)


def _in_place(name: str) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if isinstance_scalar(self):
            return NotImplemented
        return FUNCTIONS[name](self, other, out=self)

    return operator


def isinstance_scalar(x: Any) -> bool:
    """Return whether ``x`` is a scalar of the model."""
    return issubclass(type(x), TracedScalar)


def _comparison(name: str, real: Callable[[Any, Any], Any]) -> Callable[..., Any]:

    def operator(self: Any, other: Any) -> Any:
        if _gives_way(other):
            return NotImplemented
        if name in ("equal", "not_equal") and not is_traced(other):
            try:
                as_array(other)
            except NotNumericError:
                # equal to no number, whatever the values are
                if other is not None and not isinstance(other, (str, bytes)):
                    current().refuse(f"np.{name}", f"a comparison with a {type(other).__name__}", "compare numbers")
                answer = real(self._stand_in(), other)
                return finish(answer, np.dtype(bool)) if isinstance(answer, (np.ndarray, np.generic)) else answer
        answer = FUNCTIONS[name](self, other)
        return bool(answer) if _are_python_floats(self, other) else answer

    return operator


def _unary(name: str) -> Callable[..., Any]:
    def operator(self: Any) -> Any:
        result = FUNCTIONS[name](self)
        return python_result(result) if type(self) is TracedFloat else result

    return operator


def _swapped(f: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, other: f(other, x)


def _set(cls: type, name: str, f: Callable[..., Any], real: Callable[..., Any]) -> None:
    setattr(cls, name, like_numpy(name, f, real))


for _short, _name in _BINARY.items():
    _operator = divmod if _short == "divmod" else getattr(python_operator, f"__{_short}__")
    _set(TracedArray, f"__{_short}__", _forward(_name, False), _operator)
    _set(TracedArray, f"__r{_short}__", _forward(_name, True), _swapped(_operator))
    if _short != "divmod":
        _set(TracedArray, f"__i{_short}__", _in_place(_name), getattr(python_operator, f"i{_short}"))
for _short, _name in _COMPARE.items():
    _operator = getattr(python_operator, _short)
    _set(TracedArray, f"__{_short}__", _comparison(_name, _operator), _operator)
for _short, _name in _UNARY.items():
    _set(TracedArray, f"__{_short}__", _unary(_name), getattr(python_operator, f"__{_short}__"))
_set(TracedArray, "__getitem__", TracedArray.__getitem__, python_operator.getitem)
_set(TracedArray, "__setitem__", TracedArray.__setitem__, python_operator.setitem)
_set(TracedArray, "__contains__", TracedArray.__contains__, python_operator.contains)
for _cls, _name in ((TracedArray, "T"), (TracedScalar, "T"), (TracedArray, "mT"), (TracedArray, "real")):
    _real = python_operator.attrgetter(_name)
    setattr(_cls, _name, property(like_numpy(_name, vars(_cls)[_name].fget, _real), doc=vars(_cls)[_name].__doc__))


def _reshape(self: Any, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    target = shape[0] if len(shape) == 1 else shape
    return FUNCTIONS["reshape"](self, target, order=order) if copy is None else FUNCTIONS["reshape"](
        self, target, order=order, copy=copy
    )  # fmt: skip


def _transpose(self: Any, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return FUNCTIONS["transpose"](self)
    return FUNCTIONS["transpose"](self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes)


def _astype(
    self: Any, dtype: Any, order: Any = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
) -> Any:  # fmt: skip
    kind = as_dtype(dtype)
    if casting != "unsafe" and not np.can_cast(self._dtype, kind, casting):  # type: ignore[arg-type]
        raise TypeError(f"Cannot cast array data from {self._dtype} to {kind}")
    data = cast(self, kind)
    fits = kind == self._dtype and pattern(data) is np.asarray(pattern(data), order=order)
    if fits and not copy and not isinstance_scalar(self):
        return self
    copied = laid_out(data, pattern(data), order)
    return finish(copied, kind) if isinstance_scalar(self) else wrap(copied, kind)


def _copy(self: Any, order: Any = "C") -> Any:
    copied = laid_out(self._data, pattern(self._data), order)
    return scalar(copied, self._dtype) if isinstance_scalar(self) else wrap(copied, self._dtype)


def _view(self: Any, dtype: Any = None, *rest: Any) -> Any:
    if dtype is not None or rest:
        current().refuse("ndarray.view", "the bits of the numbers", "astype")
    return _copy(self) if isinstance_scalar(self) else self._move(lambda a: a.view())


def _flatten(self: Any, order: Any = "C") -> Any:
    return self._move(lambda a: a.flatten(order))


def _fill(self: Any, value: Any) -> None:
    if as_array(value).ndim:
        raise ValueError("setting an array element with a sequence.")
    self[...] = value


def _entry(self: Any, args: Any) -> Any:
    if args and isinstance(args[0], tuple) and len(args) == 1:
        args = args[0]
    if not args:
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self._move(lambda a: a.reshape(()))[()]
    if len(args) == 1 and self.ndim != 1:
        return self.flat[args[0]]
    if len(args) != self.ndim:
        raise ValueError("incorrect number of indices for array")
    return self[tuple(args)]


def python_value(x: Any) -> Any:
    """Return an entry as a Python number: bools and integers as such, an exact number as a Python float."""
    return python_result(x) if is_float(x._dtype) else x._data.item()


def _item(self: Any, *args: Any) -> Any:
    return python_value(_entry(self, args))


def _tolist(self: Any) -> Any:
    if not is_float(self._dtype):
        return self._data.tolist()
    if not self.ndim:
        return python_value(self)
    return [_tolist(self[i]) for i in range(len(self))]


def _sort(self: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    self[...] = FUNCTIONS["sort"](self, axis, kind, stable=stable)


def _dot(self: Any, b: Any, out: Any = None) -> Any:
    return FUNCTIONS["dot"](self, b, out)


def _is_integer(self: Any) -> Any:
    from attn_verify.arithmetic.tracing.leaving import constant

    if not is_float(self._dtype):
        return True
    return rounded_float(constant(self, "is_integer")).is_integer()


def _flags(self: Any) -> Any:
    """Return what NumPy says of an array of whole numbers or truths, whose entries are NumPy's; refuse all else."""
    if type(self) is not TracedArray or not isinstance(self._data, np.ndarray):
        current().refuse("ndarray.flags", "the attribute has no exact model")
    return self._data.flags


def _compress(self: Any, condition: Any, axis: Any = None) -> Any:
    return FUNCTIONS["compress"](condition, self, axis)


_METHODS: dict[str, Callable[..., Any]] = {
    "reshape": _reshape, "transpose": _transpose, "astype": _astype, "copy": _copy, "flatten": _flatten,
    "view": _view, "fill": _fill, "item": _item, "tolist": _tolist, "sort": _sort, "dot": _dot,
}  # fmt: skip
# Methods that are the functions of the same name, the array first.
_FUNCTIONS = (
    "sum", "prod", "mean", "var", "std", "max", "min", "any", "all", "argmax", "argmin", "argsort", "cumsum", "cumprod",
    "clip", "round", "repeat", "take", "swapaxes", "squeeze", "ravel", "diagonal", "trace", "nonzero", "searchsorted",
    "put", "choose", "argpartition",
)  # fmt: skip


def _delegate(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **options: Any) -> Any:
        return FUNCTIONS[name](self, *args, **options)

    return method


def _real_method(name: str) -> Callable[..., Any]:
    return lambda x, *args, **options: getattr(x, name)(*args, **options)


for _name in _FUNCTIONS:
    _set(TracedArray, _name, _delegate(_name), _real_method(_name))
for _name, _f in _METHODS.items():
    setattr(TracedArray, _name, guarded(f"ndarray.{_name}", _f, _real_method(_name)))
for _name in ("conj", "conjugate"):
    # of real arrays not even a copy
    setattr(TracedArray, _name, lambda self: _copy(self) if isinstance_scalar(self) else self)
_set(TracedArray, "compress", _compress, _real_method("compress"))
setattr(TracedArray, "flags", property(_flags))  # noqa: B010 - the operators and methods are all set here
setattr(TracedScalar, "is_integer", _is_integer)  # noqa: B010


def _not_of_floats(name: str) -> property:
    def missing(self: Any) -> NoReturn:
        raise AttributeError(f"'float' object has no attribute {name!r}")

    return property(missing)


for _name in sorted(set(dir(np.float64)) - set(dir(float))):
    if not _name.startswith("_"):
        setattr(TracedFloat, _name, _not_of_floats(_name))
