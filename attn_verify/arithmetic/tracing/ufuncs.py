"""NumPy's universal functions on exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing import ufunc_methods
from attn_verify.arithmetic.tracing.array import finish, is_traced, shape_of
from attn_verify.arithmetic.tracing.convert import as_array, cast, exact, raw, weak_kind
from attn_verify.arithmetic.tracing.dtypes import DType, as_dtype, is_float, is_whole, loop, narrower
from attn_verify.arithmetic.tracing.elementwise import EXACT, PREDICATES
from attn_verify.arithmetic.tracing.facade import of_class, of_instance, ours
from attn_verify.arithmetic.tracing.foreign import refuse_foreign
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, rehearsed, settle
from attn_verify.arithmetic.tracing.session import current


def is_real(kind: Any) -> bool:
    """Return whether an operand's dtype is that of exact numbers."""
    return isinstance(kind, np.dtype) and is_float(kind)


# Names that whatever wraps a function takes over, as ``staticmethod`` and ``functools.wraps`` do.
_COPIED = ("__module__", "__qualname__", "__dict__")


class UfuncType(type):
    """The type of :class:`Ufunc`."""

    def __getattribute__(cls, name: str) -> Any:
        """Show the target what ``numpy.ufunc`` shows."""
        return type.__getattribute__(cls, name) if ours() else of_class(cls, name, np.ufunc)


class Ufunc(metaclass=UfuncType):
    """A universal function of the model, ``numpy.ufunc`` for the target."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.__name__ = real.__name__
        self.__doc__ = real.__doc__
        self.name = real.__name__

    def __repr__(self) -> str:
        """Show it as NumPy does."""
        return repr(self.real)

    def __getattribute__(self, name: str) -> Any:
        """Show the target what NumPy's own function shows."""
        if ours():
            return object.__getattribute__(self, name)
        if name in _COPIED and hasattr(object.__getattribute__(self, "real"), name):
            found = getattr(object.__getattribute__(self, "real"), name)
            return dict(found) if name == "__dict__" else found
        return of_instance(self, name, np.ufunc)

    def __dir__(self) -> list[str]:
        return dir(self.real)

    def __sizeof__(self) -> int:
        current().refuse("sys.getsizeof", "the size of the object in memory")

    def __getattr__(self, name: str) -> Any:
        """Return what NumPy knows about the function: its identity, number of arguments, types."""
        if name in ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature", "resolve_dtypes"):
            return getattr(self.real, name)
        if hasattr(self.real, name):
            current().refuse(f"np.{self.name}.{name}", "the attribute has no exact model")
        raise AttributeError(name)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Apply the function with NumPy's broadcasting, dtypes, ``out`` and ``where``."""
        return self._guard(self.real, self._call, inputs, options)

    def _guard(self, real: Any, f: Callable[..., Any], inputs: Any, options: Any) -> Any:
        refuse_foreign(f"np.{self.name}", (*inputs, *options.values()))
        try:
            return rehearsed(f"np.{self.name}.{real.__name__}", f, real, inputs, options)
        except Exception as error:
            settle(f"np.{self.name}", real, inputs, options, error)

    def _call(
        self, *inputs: Any, out: Any = None, where: Any = True, dtype: Any = None, casting: str = "same_kind",
        order: str = "K", subok: bool = True,
    ) -> Any:  # fmt: skip
        nin, nout = self.real.nin, self.real.nout
        if order != "K":
            current().refuse(f"np.{self.name}", f"order={order!r}", "np.ascontiguousarray of the result")
        if len(inputs) > nin:
            out, inputs = inputs[nin:], inputs[:nin]
        if isinstance(out, tuple):
            out = out[0] if nout == 1 else out
        kinds = tuple(weak_kind(value) for value in inputs)
        if dtype is not None:
            kinds = tuple(as_dtype(dtype) for _ in inputs)
        dtypes = loop(self.real, kinds)
        # logical functions have loops of bools only, whatever their operands are
        if all(is_whole(d) for d in dtypes) and not any(kind is float or is_real(kind) for kind in kinds):
            return self._concrete(inputs, out, where, dtype, casting)
        if self.real.nout != 1 or not all(is_float(d) or is_whole(d) for d in dtypes):
            if out is not None or where is not True or dtype is not None:
                current().refuse(f"np.{self.name}", "out, where or dtype for a function of several results")
            return self._several(inputs)
        arrays = [as_array(value) for value in inputs]
        for array in arrays if dtype is not None else ():
            if narrower(dtypes[0], array._dtype):
                current().note("cast", f"{array._dtype} → {dtypes[0]}: equal before rounding")
        if dtype is not None and self.name in PREDICATES:
            current().refuse(f"np.{self.name}", "a dtype for a comparison")
        f = EXACT.get(self.name) or PREDICATES.get(self.name)
        if f is None:
            current().refuse(f"np.{self.name}", "the function has no exact model of real numbers")
        return compute(f, [exact(x) for x in arrays], dtypes[-1], out, where, casting)

    def _concrete(self, inputs: Any, out: Any, where: Any, dtype: Any, casting: str) -> Any:
        """Compute with bools and integers as NumPy does."""
        extra: dict[str, Any] = {} if dtype is None else {"dtype": dtype}
        if where is not True:
            extra["where"] = _mask(where)
            if out is not None and is_whole(out._dtype):
                return_to = out
                self.real(*map(raw, inputs), out=out._data, casting=casting, **extra)
                return return_to
        result = self.real(*map(raw, inputs), **extra)
        if isinstance(result, tuple):
            return tuple(finish(np.asarray(part), part.dtype) for part in result)
        return give(finish(np.asarray(result), result.dtype), out, casting)

    def _several(self, inputs: Any) -> Any:
        if self.name == "divmod":
            return FUNCTIONS["floor_divide"](*inputs), FUNCTIONS["remainder"](*inputs)
        if self.name == "modf" and is_real(weak_kind(inputs[0])):
            whole = FUNCTIONS["trunc"](*inputs)
            return FUNCTIONS["subtract"](inputs[0], whole), whole
        current().refuse(f"np.{self.name}", "the function has no exact model of real numbers")

    def reduce(self, *inputs: Any, **options: Any) -> Any:
        """Combine all entries along axes."""
        f = ufunc_methods.reduce
        return self._guard(self.real.reduce, lambda *a, **k: f(self, *a, **k), inputs, options)

    def accumulate(self, *inputs: Any, **options: Any) -> Any:
        """Combine entries along an axis and keep every step."""
        f = ufunc_methods.accumulate
        return self._guard(self.real.accumulate, lambda *a, **k: f(self, *a, **k), inputs, options)

    def reduceat(self, *inputs: Any, **options: Any) -> Any:
        """Combine the entries of slices."""
        f = ufunc_methods.reduceat
        return self._guard(self.real.reduceat, lambda *a, **k: f(self, *a, **k), inputs, options)

    def outer(self, *inputs: Any, **options: Any) -> Any:
        """Combine every entry of one array with every entry of another."""
        f = ufunc_methods.outer
        return self._guard(self.real.outer, lambda *a, **k: f(self, *a, **k), inputs, options)

    def at(self, *inputs: Any, **options: Any) -> None:
        """Combine in place at indices, repeated ones repeatedly."""
        f = ufunc_methods.at
        self._guard(self.real.at, lambda *a, **k: f(self, *a, **k), inputs, options)


def _mask(where: Any) -> Any:
    mask = as_array(where)
    if mask._dtype.kind != "b":
        raise TypeError("Cannot cast array data to dtype('bool') according to the rule 'safe'")
    return mask._data


def compute(
    f: Callable[..., Any], data: list[Any], dtype: DType, out: Any, where: Any, casting: str = "same_kind"
) -> Any:  # fmt: skip
    """Apply ``f`` to exact data, everywhere or where a mask holds, and hand the result to ``out`` if given."""
    if where is True:
        return give(finish(f(*data), dtype), out, casting)
    mask = _mask(where)
    shapes = [d.shape for d in data] + [mask.shape] + ([shape_of(out)] if out is not None else [])
    shape = np.broadcast_shapes(*shapes)
    chosen = np.broadcast_to(mask, shape)
    part = f(*(d.move(lambda a: np.broadcast_to(a, shape)[chosen]) for d in data))
    if out is not None:
        if shape_of(out) != shape:
            raise ValueError("non-broadcastable output operand")
        give(finish(part, dtype), None, casting)
        _check(dtype, out, casting)
        out[chosen] = finish(part, dtype)
        return out
    if is_whole(dtype):
        current().refuse("where=", "bools or integers that are never written", "out=")
    result = current().carrier.full(shape, "poison")
    result.assign(chosen, part)
    return finish(result, dtype)


def _check(dtype: DType, out: Any, casting: str) -> None:
    if not np.can_cast(dtype, out._dtype, casting):  # type: ignore[arg-type]
        raise TypeError(f"Cannot cast ufunc output from {dtype} to {out._dtype} with casting rule {casting!r}")


def give(result: Any, out: Any, casting: str = "same_kind") -> Any:
    """Return ``result``, or write it into ``out``, whose shape must be the result's."""
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return result
    if not is_traced(out):
        if isinstance(out, np.ndarray):
            current().refuse("out=", "an array that NumPy itself made", "np.empty of the target's own module")
        raise TypeError("return arrays must be of ArrayType")
    _check(result._dtype, out, casting)
    target, shape = shape_of(out), shape_of(result)
    if target != shape and np.broadcast_shapes(target, shape) != target:
        raise ValueError(f"non-broadcastable output operand with shape {target} doesn't match {shape}")
    if narrower(out._dtype, result._dtype):
        current().note("cast", f"{result._dtype} → {out._dtype}: equal before rounding")
    out[...] = result
    return out


def _install() -> None:
    for name in dir(np):
        real = getattr(np, name)
        if isinstance(real, np.ufunc) and real.signature is None:
            FUNCTIONS[name] = Ufunc(real)


_install()
Ufunc.__name__, Ufunc.__qualname__, Ufunc.__module__ = "ufunc", "ufunc", "numpy"

__all__ = ["Ufunc", "cast", "compute", "give"]
