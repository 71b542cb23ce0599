"""Run a target once on whole arrays of residues, for sizes at which single entries are too many."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.codes import POISON
from attn_verify.arithmetic.modular.draw import Draw
from attn_verify.arithmetic.modular.field import Field, VanishingError, using
from attn_verify.arithmetic.modular.reading import Reading
from attn_verify.arithmetic.tracing.array import is_traced, wrap
from attn_verify.arithmetic.tracing.honest import honest, real_of
from attn_verify.arithmetic.tracing.imports import ExactImports, OwnFiles
from attn_verify.arithmetic.tracing.observe import ENTRIES, Observer
from attn_verify.arithmetic.tracing.observe_digest import form_of, sample_of
from attn_verify.arithmetic.tracing.run_arrays import exact_models, leaf, noted
from attn_verify.arithmetic.tracing.run_outcome import Ending, attempt
from attn_verify.arithmetic.tracing.run_values import arguments, sizes_of, structure
from attn_verify.arithmetic.tracing.run_watch import Watch, refuse_unrecorded, watched
from attn_verify.arithmetic.tracing.session import Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt


class ResidueMaker:
    """Makes arrays of residues: the inputs, by name and shape, are those that the formula is given."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._flat: list[tuple[int, int, ModularData]] = []
        start = 0
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            flat = ModularData.inputs(name, shape).move(lambda x: x.reshape(-1))
            self._flat.append((start, start + size, flat))
            start += size

    def array(self, positions: NDArray[np.int64], dtype: str, view: str) -> Any:
        """Return the inputs at these positions of the list of all entries, name by name in C order."""
        layout: Any = "F" if view == "F" else "C"
        low, high = int(positions.min(initial=0)), int(positions.max(initial=0))
        met = [item for item in self._flat if item[0] <= high and low < item[1]] or self._flat[:1]
        start = met[0][0]
        first, *rest = [flat for _, _, flat in met]
        whole = first.join(rest, lambda parts: np.concatenate(parts)) if rest else first
        return wrap(whole.move(lambda x: np.array(x[positions - start], order=layout)), np.dtype(dtype))

    def constant(self, values: NDArray[Any], view: str) -> Any:
        """Return floats by their exact values, bools and whole numbers as they are."""
        if values.dtype.kind != "f":
            return wrap(values.copy(), values.dtype)
        exact = np.empty(values.shape, object)
        for place in np.ndindex(*values.shape):
            value = float(values[place])
            exact[place] = repr(value) if value - value != 0 else Fraction(value)
        return wrap(ModularData.of(exact), values.dtype)

    def whole(self, value: int) -> int:
        """Return a number that remembers being a size."""
        return SizeInt(value)


def run_modular(
    load: Callable[[], Callable[..., Any]], call: Mapping[str, Any], own: OwnFiles, watch: Watch,
    draw: Draw, squares: frozenset[int],
) -> dict[str, Any]:  # fmt: skip
    """Import a target under the exact models, run one call in the finite fields of ``draw``, return JSON data.

    The call has ``shapes`` of its inputs by name, in the order of the list that recipes refer to.  A returned array is
    ``{"array": {"shape", "dtype", "reading"}}`` with the data of a ``Reading``.  ``outcome`` is ``vanished`` if a
    divisor was zero in the field: another draw is needed.
    """
    begin = time.monotonic()
    field = Field(draw, squares)
    imports = ExactImports(own, exact_models())
    session = Session(Graph(), {}, sizes_of(call), target_files=own, carrier=ModularData)
    lines: set[str] = set()
    read = Ending("returned")
    observer = Observer(honest, real_of, is_traced, compared=_is_constant, models=imports.models)
    with observer.compiling(own), imports.installed(), running(session), using(field):
        observer.start(_noted)
        ending = watched(load, own, watch, imports, session)
        observer.stop_import()
        lines.update(watch.lines)
        opcodes = watch.opcodes
        if ending.outcome == "returned":
            function = ending.value
            shapes = {str(name): tuple(map(int, shape)) for name, shape in call["shapes"].items()}
            given = arguments(call, ResidueMaker(shapes))
            observer.start(_noted)
            ending = watched(lambda: function(*given.positional, **given.keyword), own, watch, imports, session)
            observer.stop()
            lines.update(watch.lines)
            opcodes += f" {watch.opcodes}"
            if ending.outcome == "returned":
                read = attempt(lambda: structure(ending.value, lambda value: _leaf(value, field)), own)
                ending = ending if read.outcome == "returned" else read
            refuse_unrecorded(session, ending)
    vanished = field.vanished or (ending.exception or {}).get("type") == VanishingError.__name__
    return {
        "outcome": "refused" if session.refusals else "vanished" if vanished else ending.outcome,
        "value": read.value,
        "lines": sorted(lines),
        "opcodes": opcodes,
        "values": observer.values,
        "unobserved": observer.unobserved,
        "notes": [dict(note) for note in session.notes.values()],
        "refusals": [vars(refusal) for refusal in session.refusals],
        "conditions": len(session.conditions),
        "exception": ending.exception,
        "seconds": time.monotonic() - begin,
    }


def _leaf(value: Any, field: Field) -> dict[str, Any] | None:
    if is_traced(value) and isinstance(value._data, ModularData):
        reading = Reading.of(value._data, field).to_dict()
        return {"array": {"shape": list(value._data.shape), "dtype": str(value.dtype), "reading": reading}}
    return leaf(value, [])


def _noted(value: Any) -> dict[str, Any] | None:
    """Describe what an expression of the target gave: of residues, which are near to no float, how they lie in memory.

    Constants are compared with floats.
    """
    if not (is_traced(value) and isinstance(value._data, ModularData)):
        return noted(value, [])
    form = form_of(value._data.pattern, str(value._dtype))
    return {**(_constants(value) or {"other": "residues"}), "form": form}


def _is_constant(value: Any) -> bool:
    data = value._data if is_traced(value) else None
    return isinstance(data, ModularData) and data.rational()


def _constants(value: Any) -> dict[str, Any] | None:
    """Return the entries of an array of known constants, some of a long one."""
    data = value._data
    if not data.pattern.size or (data.parts["special"] == POISON).any() or not data.rational():
        return None
    long = data.pattern.size > ENTRIES
    numbers = sample_of(data.constants()) if long else data.constants().ravel().tolist()
    if not all(isinstance(number, Fraction | str) for number in numbers):
        return None
    if long:
        return {"other": "a long array", "sample": [_hex(x) for x in numbers]}
    return {"array": {"shape": list(data.shape), "dtype": str(value._dtype), "data": [_hex(x) for x in numbers]}}


def _hex(number: Fraction | str) -> str:
    try:
        return float(number).hex()
    except OverflowError:
        return "inf" if Fraction(number) > 0 else "-inf"
