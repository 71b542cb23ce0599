"""Values of the target as traced arrays: numbers, lists, NumPy's own arrays."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.constants import Reading, read
from attn_verify.arithmetic.tracing.array import TracedArray, TracedFloat, finish, is_traced, scalar, wrap
from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.dtypes import FLOAT64, DType, Weak, is_float, is_whole, significant_bits
from attn_verify.arithmetic.tracing.session import current
from attn_verify.arithmetic.tracing.sizes import SizeInt

_INT64 = range(-(2**63), 2**63)


class NotNumericError(TypeError):
    """A value that is no number and no array of numbers."""


def special_name(value: float) -> str:
    """Return the name of ``±∞`` or NaN."""
    return "nan" if isnan(value) else "inf" if value > 0 else "-inf"


def reading_of(value: float, bits: int) -> Reading:
    """Read a finite float, noting what is assumed of it."""
    session = current()
    reading = read(value, bits, session.sizes)
    if reading.kind == "constant":
        session.note(
            "constant", f"{value!r} is read as {reading.text}", value=value, distance_ulp=reading.distance_ulp
        )  # fmt: skip
    elif reading.kind == "literal":
        session.note("literal", f"{value!r} is the binary number of this float", value=value, bits=bits)
    return reading


def number(value: Any, bits: int = 53) -> Any:
    """Return 0-d exact data of a Python number."""
    carrier = current().carrier
    if isinstance(value, int):
        return carrier.full((), Fraction(int.__index__(value)))  # whatever a derived class says
    if isinstance(value, Fraction):
        return carrier.full((), Fraction(value))
    value = float.__float__(value) if isinstance(value, float) and not is_traced(value) else float(value)
    if not isfinite(value):
        return carrier.full((), special_name(value))
    reading = reading_of(value, bits)
    result = carrier.full((), reading.factor)
    if reading.root != 1:
        square = round(reading.root**0.5)
        root = carrier.full((), Fraction(square if square**2 == reading.root else reading.root)).unary("sqrt")
        result = result.binary("multiply", root if square**2 == reading.root else root.unary("sqrt"))
    for _ in range(abs(reading.logarithm)):
        log2 = carrier.full((), Fraction(2)).unary("log")
        result = result.binary("multiply" if reading.logarithm > 0 else "divide", log2)
    return result


def floats(values: NDArray[Any]) -> Any:
    """Return exact data of a concrete float array; every distinct float is read once."""
    carrier = current().carrier
    bits = significant_bits(values.dtype)
    exact = np.empty(values.shape, object)
    later: dict[float, Any] = {}
    for place in np.ndindex(*values.shape):
        value = float(values[place])
        if not isfinite(value):
            exact[place] = special_name(value)
            continue
        reading = reading_of(value, bits)
        exact[place] = reading.factor
        if reading.kind == "constant" and (reading.root != 1 or reading.logarithm):
            later.setdefault(value, []).append(place)
    data = carrier.of(exact)
    for value, places in later.items():
        for place in places:
            data.assign(place, number(value, bits))
    return data


def exact(x: Any) -> Any:
    """Return the exact data of a traced array; integers and bools become real numbers."""
    data = x._data
    return current().carrier.of(data) if isinstance(data, np.ndarray) else data


def weak_kind(value: Any) -> Weak | DType:
    """Return the dtype of an operand, or the Python type of a number that takes its partner's."""
    kind = type(value)
    if kind is TracedFloat or kind is float:
        return float
    if issubclass(kind, int) and kind is not bool and not issubclass(kind, np.generic):
        return int
    return as_array(value).dtype if not is_traced(value) else value._dtype


def as_array(value: Any) -> Any:
    """Return a traced array for any number, array or nested list; raise ``NotNumericError`` for anything else."""
    if is_traced(value):
        return scalar(value._data, FLOAT64) if type(value) is TracedFloat else value
    if isinstance(value, (bool, np.bool_)):
        return scalar(np.asarray(value), np.dtype(np.bool_))
    if isinstance(value, int) and not isinstance(value, np.generic):
        if int.__index__(value) in _INT64:
            return scalar(np.asarray(int.__index__(value)), np.dtype(np.int64))
        return scalar(number(value), FLOAT64)
    if type(value) is float:
        return scalar(number(value), FLOAT64)
    if isinstance(value, (np.generic, np.ndarray)):
        return _from_numpy(value)
    if isinstance(value, (list, tuple)):
        return _from_list(value)
    if isinstance(value, range):
        return wrap(np.asarray(value), np.dtype(np.int64))
    if isinstance(value, (complex, Fraction)) or hasattr(type(value), "__array__"):
        current().refuse("np.asarray", f"a {type(value).__name__} has no exact model", "arrays of floats")
    raise NotNumericError(f"{type(value).__name__} is not a number")


def _from_numpy(value: Any) -> Any:
    if isinstance(value, (np.ma.MaskedArray, np.matrix)):
        current().refuse("np.asarray", f"a {type(value).__name__} has no exact model", "plain arrays")
    array = np.asarray(value)
    if is_whole(array.dtype):
        data: Any = array
    elif is_float(array.dtype):
        data = floats(array)
    elif array.dtype == object and array.size and all(is_traced(item) for item in array.flat):
        current().refuse("np.asarray", "an object array of exact numbers", "a list")
    else:
        raise NotNumericError(f"dtype {array.dtype} is not a number")
    return finish(data, array.dtype) if isinstance(value, np.generic) else wrap(data, array.dtype)


def _holds_traced(value: Any) -> bool:
    if is_traced(value):
        return True
    return isinstance(value, (list, tuple)) and any(_holds_traced(item) for item in value)


def _from_list(value: Any) -> Any:
    """Build an array from nested lists: the shapes must agree, as NumPy demands."""
    if not _holds_traced(value):
        return _from_numpy(np.array(value))
    items = [item if is_traced(item) else as_array(item) for item in value]
    if any(not pattern(item._data).flags.c_contiguous for item in items):
        return _laid_out_list(value, items)
    return _stacked(items)


def _laid_out_list(value: Any, items: list[Any]) -> Any:
    """Return the array of a list whose entries in memory lie as NumPy lays them out: not always in C order."""

    def like(part: Any) -> Any:
        return [like(item) for item in part] if isinstance(part, (list, tuple)) else np.zeros_like(
            pattern(as_array(part)._data), np.int8)  # fmt: skip

    result = _stacked(items)
    return wrap(laid_out(result._data, np.array(like(value))), result._dtype)


def _stacked(items: list[Any]) -> Any:
    shapes = {tuple(item._data.shape) for item in items}
    if len(shapes) > 1:
        raise ValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous shape after 1 "
            "dimensions."
        )
    return stack(items)


def stack(items: list[Any]) -> Any:
    """Return the arrays, all of one shape, along a new first axis."""
    dtype = np.result_type(*(item._dtype for item in items))
    if is_whole(dtype):
        return wrap(np.stack([item._data for item in items]).astype(dtype), dtype)
    first, *rest = [exact(item) for item in items]
    return wrap(first.join(rest, lambda arrays: np.stack(arrays)), dtype)


def raw(value: Any) -> Any:
    """Return concrete NumPy data for an argument that must not depend on the inputs: masks, indices, axes."""
    if is_traced(value):
        if is_float(value._dtype):
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return value._data if value._data.shape else value._data[()]
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(raw(item) for item in value)
    # NumPy gives an ``int`` the type of its partner, and an object of another class its own.
    return int(value) if type(value) is SizeInt else value


def check_fits(value: Any, dtype: DType) -> None:
    """Raise what NumPy raises for a whole number of Python, in lists too, that is out of the range of a dtype."""
    kind = type(value)
    if dtype.kind not in "iu":
        return
    if kind in (int, SizeInt):
        dtype.type(int(value))
    elif kind in (list, tuple):
        for item in value:
            check_fits(item, dtype)


def refuse_overlap(operation: str, target: Any, *sources: Any) -> None:
    """Refuse to write into an array out of itself where NumPy may read what it has written already."""
    for source in sources:
        if is_traced(source) and np.shares_memory(pattern(target._data), pattern(source._data)):
            current().refuse(operation, "it writes into the memory that it reads", "copy the source first")


def cast(x: Any, dtype: DType, operation: str = "astype") -> Any:
    """Return the data of ``x`` in another dtype: rounding is noted, leaving the real numbers refused."""
    source = x._dtype
    if is_float(dtype):
        if (is_float(source) and significant_bits(dtype) < significant_bits(source)) or (
            source.itemsize > 4 and source.kind in "iu" and significant_bits(dtype) < 53
        ):
            current().note("cast", f"{source} → {dtype}: equal before rounding")
        return exact(x)
    if not is_whole(dtype):
        current().refuse(operation, f"the dtype {dtype} has no exact model", "float64")
    if not is_float(source):
        return x._data.astype(dtype)
    if dtype.kind == "b":
        return x._data.compare("!=", type(x._data).full((), Fraction(0)))
    from attn_verify.arithmetic.tracing.leaving import whole_numbers

    return whole_numbers(x, operation).astype(dtype)


def scalar_of(real: type, *args: Any, **kwargs: Any) -> Any:
    """Return what a scalar type of NumPy makes of a value: an exact scalar, or an array of that dtype."""
    dtype = np.dtype(real)
    if len(args) == 1 and not kwargs:
        value = args[0]
        check_fits(value, dtype)
        if type(value) is float and is_float(dtype):
            return finish(floats(np.asarray(real(value))), dtype)
        if not isinstance(value, (str, bytes)) and value is not None:
            x = as_array(value)
            if x._dtype == dtype and type(x) is TracedArray and x.ndim:
                return x  # the very array
            data = cast(x, dtype, dtype.name)
            return finish(laid_out(data, pattern(data)), dtype)
    return as_array(real(*args, **kwargs))
