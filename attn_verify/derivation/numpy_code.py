"""NumPy code from the derivation: a function, and a module that runs alone.

Both are made from the same :class:`~attn_verify.derivation.program.Program`, the let-bindings of the
derivation in the order of computation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy.printing.numpy import NumPyPrinter

from attn_verify.derivation.program import Assignment, Input, Program, program
from attn_verify.derivation.stages import Stage
from attn_verify.errors import ShapeError, explain, shorten

if TYPE_CHECKING:
    from attn_verify.derivation.derivation import Derivation


class _Printer(NumPyPrinter):  # type: ignore[misc]  # SymPy is untyped
    """Prints calls by their bare names; every square root is one of a constant."""

    def __init__(self, settings: dict[str, Any] | None = None) -> None:
        super().__init__({"fully_qualified_modules": False, **(settings or {})})

    def _print_Max(self, expression: Any) -> str:
        text = str(self._print(expression.args[0]))
        for argument in expression.args[1:]:
            text = f"maximum({text}, {self._print(argument)})"
        return text

    def _print_exp(self, expression: Any) -> str:
        return f"exp({self._print(expression.args[0])})"

    def _print_Pow(self, expression: Any, rational: bool = False, sqrt: str = "sqrt") -> str:
        if expression.base.is_number and expression.exp in (sympy.Rational(1, 2), sympy.Rational(-1, 2)):
            text = f"sqrt({self._print(expression.base)})"
            return text if expression.exp > 0 else f"1/{text}"
        return str(super()._print_Pow(expression, rational=rational))

    def _print_NegativeInfinity(self, _: Any) -> str:
        return "(-inf)"

    def _print_NaN(self, _: Any) -> str:
        return "nan"


@dataclass(frozen=True)
class NumpyFunction:
    """A NumPy function made from the derivation; call it with the input arrays by position or name.

    Batch axes may stand before the matrix axes of every input and broadcast; per-head weights are a
    list of matrices or one array (…, heads, rows, columns).  float32 inputs are computed in float32,
    everything else in float64.
    """

    program: Program
    scalar: Callable[..., list[Any]]
    array: Callable[..., list[Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return tuple(item.name for item in self.program.inputs)

    def __call__(self, *arrays: ArrayLike, **named: ArrayLike) -> NDArray[Any]:
        """Compute the stage; shape (…, rows, columns)."""
        return self.all(*arrays, **named)[self.program.targets[-1].key]

    def all(self, *arrays: ArrayLike, **named: ArrayLike) -> dict[str, NDArray[Any]]:
        """Compute every target of the program, by key."""
        given = self._bind(arrays, named)
        flat = [_entries(item, given[item.name], index) for item in self.program.inputs for index in item.used]
        try:
            batch = np.broadcast_shapes(*[entries.shape[1:] for entries in flat])
        except ValueError:
            received = ", ".join(f"{name} {np.shape(value)}" for name, value in given.items())
            cause = "the batch axes in front of the matrices do not broadcast"
            remedy = "make them equal, or 1 where they should broadcast"
            raise ShapeError(explain(self._signature, f"got {received}", cause, remedy=remedy)) from None
        dtype = np.float32 if all(entries.dtype == np.float32 for entries in flat) else np.float64
        with np.errstate(over="ignore", invalid="ignore"):
            if batch == () and dtype == np.float64:
                values = self.scalar(*[x for entries in flat for x in entries.tolist()])
            else:
                values = self.array(
                    *[x for e in flat for x in e.astype(dtype, copy=False).reshape(len(e), *(e.shape[1:] or (1,)))]
                )
        table = np.empty((len(values), *(batch or (1,))), dtype)
        for row, value in zip(table, values, strict=True):
            row[...] = value
        results, start = {}, 0
        for stage in self.program.targets:
            rows, columns = stage.shape
            block = table[start : start + rows * columns]
            results[stage.key] = np.moveaxis(block, 0, -1).reshape(*batch, rows, columns)
            start += rows * columns
        return results

    def _bind(self, arrays: Sequence[ArrayLike], named: dict[str, ArrayLike]) -> dict[str, ArrayLike]:
        given = dict(zip(self.names, arrays, strict=False))
        extra = [name for name in named if name not in self.names or name in given]
        given.update(named)
        missing = [name for name in self.names if name not in given]
        if len(arrays) > len(self.names) or extra or missing:
            received = f"got {len(arrays)} arrays by position" + (f" and {shorten(', '.join(named))}" if named else "")
            cause = (
                f"missing: {', '.join(missing)}"
                if missing
                else f"not expected: {shorten(', '.join(extra)) or 'the last'}"
            )
            raise ShapeError(explain(self._signature, received, cause, remedy=f"give {', '.join(self.names)}"))
        return given

    @property
    def _signature(self) -> str:
        return f"{self.program.targets[-1].key}({', '.join(self.names)})"

    @property
    def source(self) -> str:
        """The generated Python code."""
        return str(self.array.__doc__).split("Source code:", 1)[-1].split("Imported modules:", 1)[0].strip()


def _entries(item: Input, value: ArrayLike, index: int) -> NDArray[Any]:
    """Return the entries of one matrix of an input, flat and in front of the batch axes."""
    rows, columns = item.stages[index].shape
    listed = item.per_head and isinstance(value, (list, tuple))
    stacked = item.per_head and not listed
    expected = (len(item.stages), rows, columns) if stacked else (rows, columns)
    try:
        if listed and len(value) != len(item.stages):  # type: ignore[arg-type]  # a list or tuple
            raise ValueError
        array = np.asarray(value[index] if listed else value)  # type: ignore[index]
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "iufb" or array.shape[-len(expected) :] != expected:
        received = f"got {array.shape} of {array.dtype}" if array.size else f"got {shorten(repr(value), 60)}"
        remedy = f"give {item.name} real numbers with last axes {expected}"
        if item.per_head:
            remedy += f", or a list of {len(item.stages)} matrices"
        raise ShapeError(explain(f"numpy code: {item.name} {expected}", received, remedy=remedy))
    if stacked:
        array = array[..., index, :, :]
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    return np.ascontiguousarray(np.moveaxis(array.reshape(*array.shape[:-2], rows * columns), -1, 0))


def numpy_function(derivation: Derivation, targets: Sequence[Stage]) -> NumpyFunction:
    """Compile ``targets`` with SymPy's ``lambdify``; the let-bindings are its common sub-expressions."""
    code = program(derivation, targets)

    def bindings(_: object) -> tuple[list[Assignment], list[sympy.Expr]]:
        return list(code.assignments), list(code.results)

    constants = {"inf": math.inf, "nan": math.nan, "sqrt": math.sqrt}
    array = sympy.lambdify(
        code.arguments,
        list(code.results),
        modules=[{**constants, "exp": np.exp, "maximum": np.maximum}],
        printer=_Printer(),
        cse=bindings,
        docstring_limit=0,
    )
    # The same code object on Python floats: an order of magnitude less overhead for a single input.
    scalar = type(array)(array.__code__, {**array.__globals__, "exp": _scalar_exp, "maximum": _scalar_maximum})
    return NumpyFunction(code, scalar, array)


def _scalar_exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _scalar_maximum(a: float, b: float) -> float:
    # The second test lets a NaN through from either side, as numpy.maximum does.
    return a if a >= b or a != a else b


def module_source(derivation: Derivation, target: Stage) -> str:
    """Return a Python module with one function that computes ``target`` with NumPy alone."""
    code = program(derivation, [target])
    printer = _Printer()
    names = [item.name for item in code.inputs]
    function = target.key.replace(":", "_")
    lines = [
        f'"""{target.key}: {target.equation}, entry by entry.',
        "",
        f"Sizes: {', '.join(f'{name} = {size}' for name, size in derivation.sizes.items())}.",
        "Generated by attn-verify from its symbolic derivation; needs NumPy only.",
        '"""',
        "",
        "from math import inf, nan, sqrt  # noqa: F401",
        "",
        "import numpy as np",
        "from numpy import exp, maximum  # noqa: F401",
        "",
        "",
        "def _floats(matrix):",
        "    matrix = np.asarray(matrix)",
        "    return matrix.astype(np.result_type(matrix, np.float32), copy=False)",
        "",
        "",
        f"def {function}({', '.join(names)}):",
        f'    """Return {target.key}, shape (..., {target.shape[0]}, {target.shape[1]})."""',
    ]
    for item in code.inputs:
        for index in item.used:
            matrix, picked = item.name, item.name
            if item.per_head:
                matrix = f"{item.name}_{index + 1}"
                listed = f"isinstance({item.name}, (list, tuple))"
                picked = f"{item.name}[{index}] if {listed} else {item.name}[..., {index}, :, :]"
            lines.append(f"    {matrix} = _floats({picked})")
            lines += [
                f"    {symbol} = {matrix}[..., {i}, {j}]"
                for i, row in enumerate(item.stages[index].symbols)
                for j, symbol in enumerate(row)
            ]
    lines += [f"    {symbol} = {printer.doprint(value)}" for symbol, value in code.assignments]
    lines.append("    entries = [")
    lines += [f"        {printer.doprint(value)}," for value in code.results]
    lines += [
        "    ]",
        "    entries = np.stack(np.broadcast_arrays(*entries), axis=-1)",
        f"    return entries.reshape(entries.shape[:-1] + ({target.shape[0]}, {target.shape[1]}))",
    ]
    return "\n".join(lines) + "\n"
