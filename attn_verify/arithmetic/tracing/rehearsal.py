"""Every call of the model is made once more with other numbers, by the model and by NumPy, and compared.

A model can differ from NumPy in what it gives, in what it writes, or in how that lies in memory, on arguments that
nobody thought of.  A run in floats shows it where it passes, at one point; this shows it on every path, wherever the
values of the arguments do not matter.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from hashlib import sha256
from math import inf, isfinite, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Node
from attn_verify.arithmetic.tracing.array import TracedArray, TracedFloat, TracedScalar, is_traced
from attn_verify.arithmetic.tracing.carrier import owner_of, pattern
from attn_verify.arithmetic.tracing.indexing import Flat
from attn_verify.arithmetic.tracing.registry import GENUINE
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.stage import (
    LARGE,
    NotStagedError,
    Numbers,
    Stage,
    TooLargeError,
    address,
    simple,
    writable,
)

# What rounding may do to numbers of the size of 1, by the bytes of an entry: far less than any other number differs.
_ALLOWED = {2: 2.0**-5, 4: 2.0**-14}
_ROUNDING = 2.0**-34
# They keep functions and generators, whose calls are looked at by themselves.
_MAKERS = ("np.frompyfunc", "np.random.default_rng")
# So many sets of numbers are tried where a call chooses among them.
_DRAWS = 5
# Of an array with more entries than these a digest stands for its sort.
_WRITTEN_OUT = 4096


class RefusedError(Exception):
    """A call that the model refuses with other numbers."""


class Rehearsal:
    """The calls of a run that were made once more, each sort of arguments once."""

    def __init__(self, session: Session) -> None:
        graph, bounds = session.graph, session.bounds
        self._numbers = [Numbers(graph, bounds, draw=draw) for draw in range(_DRAWS)]
        self._tamed = Numbers(graph, bounds, tame=True)
        self._seen: set[Hashable] = set()

    def __call__(self, name: str, f: Callable[..., Any], real: Any, args: Any, options: Any, session: Session) -> None:
        """Make a call with other numbers; refuse the call of the run where NumPy's answer is another."""
        try:
            sort = (name, tuple(self._sort((tuple(args), dict(options)), {}, {})))
            if sort in self._seen:
                return
            stage, difference = self._first(f, real, args, options, session)
            if not stage.raised:
                self._seen.add(sort)
        except TooLargeError:
            session.refuse(name, "an array too large to compare the model with NumPy", "a smaller array")
        except RefusedError:
            self._seen.add(sort)
            session.note("trusted_call", f"{name} is not compared with NumPy: its model refuses other numbers here")
            return
        except NotStagedError as found:
            if name not in _MAKERS and not (found.args and _answers(name, found.args[0])):
                session.refuse(name, "an argument with which NumPy cannot be asked the same", "numbers, lists, arrays")
            return
        # What chooses among numbers is tried with several; and large constants hide what differs among the others.
        more = [Stage(numbers) for numbers in self._numbers if stage.chooses and numbers is not stage.numbers]
        if any(LARGE < abs(value) < inf for value in stage.given):
            more.append(Stage(self._tamed))
        for other in more:
            with suppress(NotStagedError, RefusedError):
                difference = difference or _difference(other, f, real, args, options, session)
        if difference:
            session.refuse(name, f"NumPy gives something else than the model for such arguments: {difference}")

    def _first(
        self, f: Callable[..., Any], real: Any, args: Any, options: Any, session: Session
    ) -> tuple[Stage, str]:  # fmt: skip
        """Make a call with the first numbers that the model accepts; raise ``RefusedError`` where there are none."""
        for numbers in self._numbers:
            stage = Stage(numbers)
            with suppress(RefusedError):
                return stage, _difference(stage, f, real, args, options, session)
        raise RefusedError

    def _sort(self, value: Any, owners: dict[int, int], nodes: dict[int, int]) -> Iterator[Hashable]:
        """Yield what a call depends on, but for the numbers: kinds, places in memory, equal entries, constants."""
        kind: Any = type(value)
        yield kind
        if is_traced(value):
            held = pattern(value._data)
            owner = owner_of(held)
            yield from (value._dtype.str, held.shape, held.strides, writable(held))
            yield owners.setdefault(id(owner), len(owners)), address(held) - address(owner)
            entries = tuple(self._entry(n, nodes) for n in held.flat) if held.dtype == object else held.tobytes()
            yield entries if len(entries) <= _WRITTEN_OUT else sha256(repr(entries).encode()).digest()
        elif issubclass(kind, (list, tuple)):
            yield len(value)
            for item in value:
                yield from self._sort(item, owners, nodes)
        elif kind is slice:
            yield from self._sort((value.start, value.stop, value.step), owners, nodes)
        elif kind is dict:
            yield from self._sort(list(value.items()), owners, nodes)
        elif kind is Flat:
            yield from self._sort(value._array, owners, nodes)
        elif kind is np.ndarray:
            yield from (value.dtype.str, value.shape, value.strides, value.tobytes())
        else:
            yield simple(value)

    def _entry(self, node: Any, nodes: dict[int, int]) -> Hashable:
        if not isinstance(node, Node):
            return "unwritten"
        if node.special or node.rational is not None:
            return node.special or node.rational
        if self._numbers[0].is_constant(node):
            return "constant", node.index
        return "number", nodes.setdefault(node.index, len(nodes))  # not alone: it would equal a constant


def _answers(name: str, value: Any) -> bool:
    """Return whether an operand of the target's own does an operation itself, or asks to do it."""
    kind = type(value)
    reflected = f"__r{name.strip('_').removeprefix('i')}__"
    return name.startswith("__") and (getattr(kind, "__array_ufunc__", True) is None or hasattr(kind, reflected))


def _difference(stage: Stage, f: Callable[..., Any], real: Any, args: Any, options: Any, session: Session) -> str:
    """Return what differs between the model and NumPy on a stage, or the empty string."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        both = stage.pair((tuple(args), dict(options)))
        ours, error = _of_model(stage, f, both[0][0], both[0][1], session)
        try:
            theirs = real(*both[1][0], **both[1][1])
        except Exception as raised:
            stage.raised = True
            given_up = error is not None or ours is NotImplemented
            return "" if given_up else f"it raises {type(raised).__name__}"
    if error is not None:
        genuine = any(error is known for known in GENUINE)
        return f"the model raises {type(error).__name__}" if genuine else ""
    return _Comparison(stage).difference(ours, theirs)


def _of_model(stage: Stage, f: Callable[..., Any], args: Any, options: Any, run: Session) -> tuple[Any, Any]:
    """Return what the model gives, or what it raises; raise ``RefusedError`` where it refuses."""
    numbers = stage.numbers
    session = Session(numbers.graph, numbers.point, run.sizes, cases=run.cases)
    session.balls, session.bounds = numbers.balls, numbers.bounds
    try:
        with running(session):
            return f(*args, **options), None
    except RefusalError:
        raise RefusedError from None
    except Exception as error:
        return None, error
    finally:
        stage.chooses = stage.chooses or bool(session.conditions)


class _Comparison:
    """What the model and NumPy gave for the same call, and what they left in their arguments."""

    def __init__(self, stage: Stage) -> None:
        self._numbers = stage.numbers
        self._stage = stage
        self._scale = max([1.0, *(abs(value) for value in stage.given if isfinite(value))])

    def difference(self, ours: Any, theirs: Any) -> str:
        """Return what differs, or the empty string."""
        found = self._value(ours, theirs)
        owners = [key for key, _ in self._stage.buffers]
        for (owner, _), buffer in self._stage.buffers.items():
            if not found and owners.count(owner) == 1 and self._entries(buffer.model, buffer.real):
                found = "it writes other numbers"
        return found

    def _value(self, ours: Any, theirs: Any) -> str:
        if is_traced(ours):
            return self._array(ours, theirs)
        kind = type(ours)
        if kind in (list, tuple, dict):
            if type(theirs) is not kind and not (kind is tuple and isinstance(theirs, tuple)):
                return f"a {type(theirs).__name__}, not a {kind.__name__}"
            if len(ours) != len(theirs):
                return f"{len(theirs)} results, not {len(ours)}"
            pairs = zip(ours.values(), theirs.values(), strict=True) if kind is dict else zip(ours, theirs, strict=True)
            return next(filter(None, (self._value(a, b) for a, b in pairs)), "")
        if kind in (bool, int, SizeInt, str, np.bool_) or ours is None:
            expected = int if kind is SizeInt else kind
            return "" if type(theirs) is expected and theirs == ours else f"{theirs!r:.40}, not {ours!r:.40}"
        if kind is np.ndarray:
            same = type(theirs) is np.ndarray and theirs.dtype == ours.dtype and np.array_equal(ours, theirs)
            return "" if same else "another array"
        return ""  # an object that shows its numbers by further calls

    def _array(self, ours: Any, theirs: Any) -> str:
        kind = type(ours)
        wanted: Any = float if kind is TracedFloat else np.ndarray if kind is TracedArray else ours._dtype.type
        if type(theirs) is not wanted:
            return f"a {type(theirs).__name__}, not a {wanted.__name__}"
        held = pattern(ours._data)
        if kind is TracedFloat:
            return self._entries(held, np.asarray(theirs))
        if theirs.dtype != ours._dtype:
            return f"the dtype {theirs.dtype}, not {ours._dtype}"
        if theirs.shape != held.shape:
            return f"the shape {theirs.shape}, not {held.shape}"
        if kind is TracedScalar:
            return self._entries(held, np.asarray(theirs))
        return self._same_argument(ours, theirs) or self._layout(held, theirs) or self._entries(held, theirs)

    def _same_argument(self, ours: Any, theirs: Any) -> str:
        for model, real in self._stage.arrays:
            if (model is ours) != (real is theirs):
                return "another object" if model is ours else "the very argument"
        return ""

    def _layout(self, ours: NDArray[Any], theirs: NDArray[Any]) -> str:
        if not ours.size:
            return ""
        steps = [
            [stride // a.itemsize for stride, extent in zip(a.strides, a.shape, strict=True) if extent > 1]
            for a in (ours, theirs)
        ]
        if steps[0] != steps[1]:
            return f"strides of {steps[1]} entries, not {steps[0]}"
        if writable(ours) != writable(theirs):
            return "an array that may not be written" if writable(ours) else "an array that may be written"
        places = [self._place(ours, "model"), self._place(theirs, "real")]
        return "" if places[0] == places[1] else "a view" if places[0] is None else "a copy" if places[1] is None else (
            "a view of another place"
        )  # fmt: skip

    def _place(self, array: NDArray[Any], side: str) -> tuple[int, int] | None:
        """Return which buffer an array is a view of, and where it begins there."""
        for number, buffer in enumerate(self._stage.buffers.values()):
            memory: NDArray[Any] = getattr(buffer, side)
            offset = address(array) - address(memory)
            if 0 <= offset < memory.nbytes:
                return number, offset // memory.itemsize
        return None

    def _entries(self, ours: NDArray[Any], theirs: NDArray[Any]) -> str:
        """Compare entries: bools and whole numbers are the same, others but for rounding."""
        if ours.dtype != object:
            return "" if np.array_equal(ours, theirs) else "other entries"
        allowed = _ALLOWED.get(min(np.asarray(theirs).itemsize, self._stage.narrowest), _ROUNDING)
        nodes = {id(node): node for node in ours.flat}
        cone = self._numbers.graph.cone([node for node in nodes.values() if isinstance(node, Node)])
        self._stage.chooses = self._stage.chooses or any(node.op == "max" for node in cone)
        pairs = {*zip(map(id, ours.flat), np.asarray(theirs).astype(np.float64).flat, strict=True)}
        return "" if all(self._near(nodes[a], float(b), allowed) for a, b in pairs) else "other numbers"

    def _near(self, node: Any, found: float, allowed: float) -> bool:
        if not isinstance(node, Node):
            return True  # never written: anything may be there
        value = self._numbers.value(node)
        if isfinite(value) and isfinite(found):
            return abs(value - found) <= allowed * max(self._scale, abs(value))
        if value == found or (isnan(value) and isnan(found)):
            return True
        return isfinite(value) and self._scale > LARGE
