"""What every expression of a target gave: noted in floats and in exact numbers, so that both can be compared.

A target may compute one thing in exact numbers and another in floats although its results agree at the points that
were tried, because the difference is multiplied by zero there.  The values of its expressions show it.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from types import CodeType, ModuleType
from typing import Any
from zlib import crc32

from attn_verify.arithmetic.tracing.builtin_max import largest
from attn_verify.arithmetic.tracing.identity import identity
from attn_verify.arithmetic.tracing.imports import OwnFiles, fresh_source
from attn_verify.arithmetic.tracing.observe_calls import LAZY, Noting, noting, shown_within, unwrapped, which
from attn_verify.arithmetic.tracing.observe_digest import text_of
from attn_verify.arithmetic.tracing.observe_guard import Guard
from attn_verify.arithmetic.tracing.observe_source import NAME, Places
from attn_verify.arithmetic.tracing.observe_wrapped import wrapped
from attn_verify.arithmetic.tracing.run_values import MAX_TEXT, structure

Leaf = Callable[[Any], "dict[str, Any] | None"]

# How many values of one expression are noted, and of flags, whole numbers and texts; how many entries of an array.
_TIMES, _MANY = 1024, 4096
_SHORT = (int, str, type(None))
ENTRIES = 4096
_CONTAINERS = (list, tuple, dict)
_PLAIN = frozenset({bool, int, str, bytes, float, type(None), *_CONTAINERS})
# What objects of derived classes are read as, by methods of the class that they derive from.
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (dict, lambda value: dict(dict.items(value))),
    (deque, lambda value: list(deque.__iter__(value))),
    (Fraction, lambda value: (value._numerator, value._denominator)),
)
_OURS = __name__.partition(".")[0] + "."
_DERIVED = tuple(base for base, _ in _BASES)
_NOTHING: Mapping[str, Any] = {"value": None}
# An array in which some entry was never written.
UNWRITTEN: Mapping[str, Any] = {"other": "an unwritten array"}


def _itself(found: Any) -> Any:
    return found


class Observer:
    """Notes the values of expressions between ``start`` and ``stop``, by their places in the source.

    In exact numbers ``honest`` answers for ``type``, ``real`` returns NumPy's own object for one of the model,
    ``is_exact`` says which values are exact numbers, ``compared`` which have to be compared however many they are, and
    with ``models`` a guard looks at every value.
    """

    def __init__(
        self, honest: Callable[[Any], Any] = _itself, real: Callable[[Any], Any] = _itself,
        is_exact: Callable[[Any], bool] = lambda _: False, compared: Callable[[Any], bool] = lambda _: True,
        models: Mapping[str, ModuleType] | None = None,
    ) -> None:  # fmt: skip
        self.honest = honest
        self._real = real
        self._is_exact = is_exact
        self._compared = compared
        self._models = models or {}
        self._guard: Guard | None = None
        self.values: dict[str, list[dict[str, Any]]] = {}
        self.imported: dict[str, list[dict[str, Any]]] = {}
        self.places = Places()
        self._compiled: set[tuple[str, bytes]] = set()
        self.unobserved: list[tuple[str, str]] = []
        self.sets = False  # whether an expression gave a set, whose order hashes decide
        self._leaf: Leaf | None = None
        self._callees: dict[int, Any] = {}
        self._more: dict[str, tuple[int, int]] = {}
        self._again: dict[int, Any] = {}

    def type_of(self, kind: Any, value: Any) -> Any:
        """Return ``kind(value)``, where the target's source says ``type(value)``."""
        return self.honest(kind)(value._iterator if issubclass(type(value), Noting) else value)

    def start(self, leaf: Leaf) -> None:
        """Forget what was noted, but on import, and begin; ``leaf`` describes arrays and numbers for ``structure``."""
        self.values = {place: list(seen) for place, seen in self.imported.items()}
        self._callees, self._more, self._again = {}, {}, {}
        self._leaf = leaf

    def stop(self) -> None:
        """Note no more; of what was not noted one by one there is a digest."""
        self._leaf = None
        for place, (count, digest) in self._more.items():
            self.values[place].append({"value": f"{count} further values, {digest:08x}"})
        self._more = {}

    def start_import(self) -> None:
        """Forget what was noted on an earlier import."""
        self.imported = {}
        if self._guard is not None:
            self._guard.importing = True

    def stop_import(self) -> None:
        """Note no more, and keep what was noted: it belongs to every call."""
        self.stop()
        self.imported = self.values
        if self._guard is not None:
            self._guard.importing = False

    def __call__(self, number: int, value: Any) -> Any:
        """Note the value of an expression, and return it."""
        value = unwrapped(value)
        if issubclass(type(value), Noting):
            return value  # which was looked at when it was made
        if self._guard is not None:
            value = self._guard.seen(number, value)
        self.sets = self.sets or type(value) in (set, frozenset)
        if self._leaf is not None:
            self._note(number, value)
            if type(value) in LAZY:
                return noting(self, number, value)
        return value

    def _note(self, number: int, value: Any) -> None:
        place = self.places.names[number]
        seen = self.values.setdefault(place, [])
        leaf, self._leaf = self._leaf, None  # whatever is read below is not the target's
        assert leaf is not None
        try:
            if len(seen) < (_MANY if issubclass(type(value), _SHORT) else _TIMES):
                seen.append(_read(value, leaf, self._real))
                if len(seen) == _TIMES and self._is_exact(value):
                    self._again[number] = value  # which a name in a loop gives again and again
            else:
                self._digest(number, place, value)
        finally:
            self._leaf = leaf

    def _digest(self, number: int, place: str, value: Any) -> None:
        text = text_of(value, self._real, self._is_exact)
        if text is None:
            if type(value) is not float and self._again.get(number) is not value and self._compared(value):
                self.unfollowed(number, "gives more arrays and numbers than are compared with those of floats")
            return
        count, digest = self._more.get(place, (0, 0))
        self._more[place] = count + 1, crc32(text.encode(errors="backslashreplace"), digest)

    def calling(self, number: int, function: Any) -> Any:
        """Return what is called, such that what it calls in turn is noted: the key of ``sorted`` and the like."""
        function = unwrapped(function)
        if self._leaf is not None and self._callees.get(number) != (known := which(self._real(function))):
            # Which function it is, as often as it is another one than before.
            self._callees[number] = known
            self._note(number, function)
        if self._guard is not None:
            guarded = self._guard.called(number, function)
            if guarded is not function:
                return guarded
        found = function if self._leaf is None else shown_within(self, number, function)
        return largest(found) if function is max and self._guard is not None else found

    def text(self, number: int, text: Any) -> Any:
        """Return what ``eval`` or ``exec`` is given, and take note that it is called."""
        if self._guard is not None:
            self._guard.text(number)
        return text

    def unfollowed(self, number: int, why: str) -> None:
        """Take note of a place where something is not observed."""
        self._object(self.places.names[number].rsplit(":", 2)[0], why)

    def _object(self, place: str, why: str) -> None:
        if (place, why) not in self.unobserved:
            self.unobserved.append((place, why))

    def _compile(self, source: bytes, path: str) -> CodeType:
        found = wrapped(source, path)
        if (path, source) not in self._compiled:
            self._compiled.add((path, source))
            self.places.add(found.places)
            for place, why in found.objections(bool(self._models)):
                self._object(place, why)
        return found.code

    @contextmanager
    def compiling(self, own: OwnFiles) -> Iterator[None]:
        """Compile the target's modules from their source so that their expressions are noted, and let them run."""
        setattr(builtins, NAME, self)
        if self._models:
            self._guard = Guard(own, self._models, self.places, self.unfollowed)
        try:
            with fresh_source(own, self._compile):
                yield
        finally:
            if getattr(builtins, NAME, None) is self:
                delattr(builtins, NAME)


def _of_base(value: Any) -> Any:
    """Return the text, the bytes or the container that an object of a derived class is; no code of the class runs."""
    for base, read in _BASES:
        if isinstance(value, base):
            return read(value)
    return value


def _read(value: Any, leaf: Leaf, real: Callable[[Any], Any]) -> dict[str, Any]:
    kind = type(value)
    if kind not in _PLAIN and issubclass(kind, _DERIVED) and not str(kind.__module__).startswith(_OURS):
        value = _of_base(value)
        kind = type(value)
    if kind is str and len(value) > MAX_TEXT:
        return {"value": f"{len(value)} characters, {crc32(value.encode(errors='backslashreplace')):08x}"}
    if kind in _CONTAINERS:
        return structure(value, lambda item: _plain(item, leaf, real))
    return _plain(value, leaf, real) or structure(value, lambda _: None)


def _plain(value: Any, leaf: Leaf, real: Callable[[Any], Any]) -> dict[str, Any] | None:
    """Describe what is no container; nothing of the target's classes is run."""
    kind = type(value)
    if value is None or kind in (bool, int, str, float, *_CONTAINERS):
        return None
    found = leaf(value)
    if found is None and isinstance(value, int):
        return {"value": int.__index__(value)}
    if found is None and kind is complex:
        return {"tuple": [{"value": value.real}, {"value": value.imag}]}
    if found is None and kind is bytes:
        return {"value": f"{value[:MAX_TEXT]!r} of {len(value)} bytes, {crc32(value):08x}"}
    if found is not None:
        return found
    name = identity(real(value))
    return {"other": "object", "is": name} if name else {"other": "object"}


def difference(exact: Mapping[str, Any], real: Mapping[str, Any], near: Callable[[Any, Any], bool]) -> bool:
    """Return whether two noted values differ for certain; ``near(node, text)`` compares an exact number with a float.

    What only one side can describe is not compared.
    """
    if "form" in exact and "form" in real and exact["form"] != real["form"]:
        return True
    if "sample" in exact and "sample" in real:
        return not all(near(a, b) for a, b in zip(exact["sample"], real["sample"], strict=True))
    if "is" in exact or "is" in real:
        # A function or a class; an object that is neither has no name, and may be any.
        return (
            exact.get("is") != real.get("is")
            and not ("is" not in exact and "other" in exact)
            and not ("is" not in real and "other" in real)
        )
    if "other" in exact or "other" in real:
        # Something is there where the other run has nothing.
        return (exact == _NOTHING) != (real == _NOTHING)
    if "array" in exact or "array" in real:
        left, right = _array(exact), _array(real)
        if left is None or right is None:
            return True
        if left[0] != right[0] or ("array" in exact and "array" in real and _dtype(exact) != _dtype(real)):
            return True
        return not all(near(a, b) for a, b in zip(left[1], right[1], strict=True))
    for kind in ("list", "tuple"):
        if kind in exact and kind in real:
            a, b = exact[kind], real[kind]
            return len(a) != len(b) or any(difference(x, y, near) for x, y in zip(a, b, strict=True))
    if "dict" in exact and "dict" in real:
        # Keys may hold addresses; what is found by them is a value of its own.
        a, b = list(exact["dict"].values()), list(real["dict"].values())
        return len(a) != len(b) or any(difference(x, y, near) for x, y in zip(a, b, strict=True))
    if "value" in exact and "value" in real:
        a, b = exact["value"], real["value"]
        if isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
            return not near(a, b)
        return bool(a != b)
    return True


def _dtype(item: Mapping[str, Any]) -> str:
    return str(item["array"].get("dtype"))


def _array(item: Mapping[str, Any]) -> tuple[list[int], list[Any]] | None:
    """Return shape and entries of an array; a number is one without axes."""
    if "array" in item:
        array = item["array"]
        nodes = [("node", index) for index in array["nodes"]] if "nodes" in array else array["data"]
        return list(array["shape"]), list(nodes)
    value = item.get("value")
    return ([], [value]) if isinstance(value, (bool, int, float)) else None
