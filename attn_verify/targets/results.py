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
from attn_verify.arithmetic.tracing.run_outcome import attempt
from attn_verify.arithmetic.tracing.run_values import arguments, float_array, numbers, structure
from attn_verify.targets.lines import Executed, Recorder


class FloatMaker:
    """Makes real arrays of a call's inputs."""

    def __init__(self, point: Any) -> None:
        values = [float(Fraction(text)) for text in point] if isinstance(point, list) else point
        self._values = numbers(values, np.float64)

    def array(self, positions: NDArray[np.int64], dtype: str, order: str) -> Any:
        """Return the inputs at these positions, as an array of its own."""
        return np.array(self._values[positions], dtype=_dtype(dtype), order="F" if order == "F" else "C")

    def constant(self, values: NDArray[Any]) -> Any:
        """Return a copy."""
        return values.copy()

    def whole(self, value: int) -> int:
        """Return the number."""
        return value


def _dtype(name: str) -> Any:
    if name == "bfloat16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return np.dtype(name)


def run_floats(
    function: Callable[..., Any], call: Mapping[str, Any], own: OwnFiles, watch: Recorder, base: Executed,
    observer: Observer,
) -> dict[str, Any]:  # fmt: skip
    """Call a target in floats and return a FloatResult; ``base`` is what its import executed."""
    begin = time.monotonic()
    given = arguments(call, FloatMaker(call["point"]))
    before = {name: _snapshot(value) for name, value in given.named.items()}
    generators = generator_states()
    if call.get("observed"):
        observer.start(_noted)
    watch.start()
    ending = attempt(lambda: function(*given.positional, **given.keyword), own, watch.stop)
    observer.stop()
    read = attempt(lambda: structure(ending.value, _leaf), own) if ending.outcome == "returned" else ending
    return {
        "outcome": read.outcome,
        "value": read.value,
        "lines": sorted({*base.lines, *watch.lines}),
        "opcodes": f"{base.opcodes} {watch.opcodes}",
        "values": observer.values,
        "changed": sorted(name for name, value in given.named.items() if _snapshot(value) != before[name]),
        "random": generator_states() != generators,
        "tampered": watch.tampered,
        "exception": read.exception,
        "stdout": "",
        "seconds": time.monotonic() - begin,
    }


def _leaf(value: Any) -> dict[str, Any] | None:
    if type(value) is np.ndarray or isinstance(value, np.generic):
        array = np.asarray(value)
        if array.dtype.name == "bfloat16":
            return float_array(array.astype(np.float32))
        return float_array(array)
    return {"other": f"{type(value).__name__} of {value.dtype}"} if isinstance(value, np.ndarray) else None


def _noted(value: Any) -> dict[str, Any] | None:
    return {"other": "a long array"} if isinstance(value, np.ndarray) and value.size > ENTRIES else _leaf(value)


def _snapshot(value: Any) -> Any:
    """Return what an argument consists of: equal before and after means unchanged."""
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.strides, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [_snapshot(item) for item in value]
    return repr(value)


def generator_states() -> list[str]:
    """Return the states of the generators that a whole process shares."""
    kind, keys, *rest = np.random.get_state()
    return [repr(random.getstate()), kind, repr(np.asarray(keys).tolist()), repr(rest)]
