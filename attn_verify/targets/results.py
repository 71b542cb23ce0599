"""Running a loaded target in floats: arguments from recipes, and what is known about the call as plain data."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.imports import OwnFiles
from attn_verify.arithmetic.tracing.observe import ENTRIES, Observer
from attn_verify.arithmetic.tracing.observe_digest import form_of, long_array, sample_of
from attn_verify.arithmetic.tracing.run_outcome import attempt
from attn_verify.arithmetic.tracing.run_values import arguments, float_array, numbers, structure
from attn_verify.targets.lines import Executed, Recorder
from attn_verify.targets.views import dtype_of, laid_out, rewritten, snapshot


class FloatMaker:
    """Makes real arrays of a call's inputs."""

    def __init__(self, point: Any) -> None:
        values = list(map(_float, point)) if isinstance(point, list) else point
        self._values = numbers(values, np.float64)

    def array(self, positions: NDArray[np.int64], dtype: str, view: str) -> Any:
        """Return the inputs at these positions, as an array of its own."""
        return laid_out(np.array(self._values[positions], dtype=dtype_of(dtype)), view)

    def constant(self, values: NDArray[Any], view: str) -> Any:
        """Return a copy."""
        return laid_out(values.copy(), view)

    def whole(self, value: int) -> int:
        """Return the number."""
        return value


def _float(text: str) -> float:
    """Return the float next to a fraction.

    >>> _float("-3/8"), _float("0.25")
    (-0.375, 0.25)
    """
    top, slash, bottom = text.partition("/") if isinstance(text, str) else (text, "", "")
    return int(top) / int(bottom) if slash else float(Fraction(text))  # as Fraction does, without making one


def again_of(call: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return which objects of earlier calls a call receives."""
    return [recipe["again"] for recipe in call["arguments"].values() if "again" in recipe]


def run_floats(
    function: Callable[..., Any], call: Mapping[str, Any], own: OwnFiles, watch: Recorder, base: Executed,
    observer: Observer, earlier: Mapping[int, Mapping[str, Any]] | None = None,
) -> tuple[dict[str, Any], Mapping[str, Any]]:  # fmt: skip
    """Call a target in floats and return a FloatResult and the arguments; ``base`` is what its import executed.

    ``earlier`` holds the arguments of earlier calls, for those that receive the same objects.
    """
    begin = time.monotonic()
    kept = earlier or {}
    given = arguments(call, FloatMaker(call["point"]), lambda number, name, new: rewritten(kept[number][name], new))
    before = {name: snapshot(value) for name, value in given.named.items()}
    generators = generator_states()
    if call.get("observed"):
        observer.start(noted)
    # Watching lines takes much longer than noting values.
    watching = not call.get("unwatched")
    if watching:
        watch.start()

    def repeated() -> Any:
        for _ in range(int(call.get("repeat", 1)) - 1):
            function(*given.positional, **given.keyword)
        return function(*given.positional, **given.keyword)

    ending = attempt(repeated, own, watch.stop if watching else lambda: None)
    observer.stop()
    read = attempt(lambda: structure(ending.value, _leaf), own) if ending.outcome == "returned" else ending
    result = {
        "outcome": read.outcome,
        "value": read.value,
        "lines": sorted({*base.lines, *watch.lines}) if watching else [],
        "blocks": watch.blocks if watching else [],
        "opcodes": f"{base.opcodes} {watch.opcodes}" if watching else "",
        "values": observer.values,
        "changed": sorted(name for name, value in given.named.items() if snapshot(value) != before[name]),
        "random": generator_states() != generators,
        "tampered": watch.tampered,
        "limits": watch.limits,
        "exception": read.exception,
        "stdout": "",
        "seconds": time.monotonic() - begin,
    }
    return result, given.named


def _leaf(value: Any) -> dict[str, Any] | None:
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return float_array(np.asarray(value))
    return {"other": f"{type(value).__name__} of {value.dtype}"} if isinstance(value, np.ndarray) else None


def noted(value: Any) -> dict[str, Any] | None:
    """Describe an array of floats that an expression of a target gave."""
    if not isinstance(value, np.ndarray):
        return _leaf(value)
    if value.dtype.kind in "biu":
        return _leaf(value) if value.size <= ENTRIES else long_array(value)
    form = form_of(value, str(value.dtype))
    if value.size <= ENTRIES:
        found = _leaf(value)
        return found and {**found, "form": form}
    known = value.dtype.kind == "f" and value.dtype.itemsize <= 8
    sample = {"sample": [x.hex() for x in sample_of(value.astype(np.float64, copy=False))]} if known else {}
    return {"other": "a long array", "form": form, **sample}


def generator_states() -> Any:
    """Return the states of the generators that a whole process shares."""
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), kind, np.asarray(keys).tobytes(), rest
