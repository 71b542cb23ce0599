"""Making the numbers of a witness simpler, as long as it stays a clear one: 0, ±1, small whole numbers, halves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from attn_verify.checks.search import Arrays, Found, Trials, Witness
    from attn_verify.checks.witness_case import Problem
    from attn_verify.targets.units import Case

# Entries beyond this are simplified array by array only.
_MAX_ENTRIES = 256
_ROUNDS = 4


def at_smaller_sizes(
    found: Witness,
    case: Case,
    smaller: Callable[[Case], Iterable[Case]],
    attempt: Callable[[Case, Witness], Witness | None],
    until: float,
) -> Witness:
    """Go from the witness of a case to one at the smallest sizes that have any.

    ``smaller`` yields cases, the smallest first; ``attempt`` turns a witness into one of such a case, where it can.
    After ``until`` (of ``time.monotonic``) nothing more is tried.
    """
    best, now, progress = found, case, True
    while progress:
        progress = False
        for other in smaller(now):
            if time.monotonic() > until:
                return best
            witness = attempt(other, best)
            if witness is not None:
                best, now, progress = witness, other, True
                break
    return best


def simplify(trials: Trials, asked: Problem, arrays: Arrays, seen: Found) -> tuple[Arrays, Found]:
    """Return simpler inputs with the same kind of contradiction, and what is wrong there.

    A wrong number stays visible: its error is at least the smaller of 2⁻¹⁰ and an eighth of what it was.
    """
    floor = min(seen["error"] / 8, 2.0**-10) if seen["kind"] == "value" else 0.0
    shrinker = _Shrinker(trials, asked, arrays, seen, floor)
    for _ in range(_ROUNDS):
        before = complexity(shrinker.arrays)
        shrinker.whole_arrays()
        if sum(array.size for array in arrays.values()) <= _MAX_ENTRIES:
            shrinker.entries()
        if trials.over or complexity(shrinker.arrays) == before:
            break
    return shrinker.arrays, shrinker.seen


def complexity(arrays: Mapping[str, NDArray[Any]]) -> int:
    """Return how hard numbers are to read: zeros count nothing, then 1, −1, whole numbers, halves, others.

    >>> complexity({"Q": np.array([0.0, 1.0])}), complexity({"Q": np.array([0.0, 0.5])})
    (1, 8)
    """
    return sum(_hardness(x) for array in arrays.values() for x in array.ravel().tolist())


def _hardness(x: float) -> int:
    if x == 0:
        return 0
    if x in (1, -1):
        return 1 if x > 0 else 2
    value = Fraction(x)
    size = abs(value.numerator).bit_length() + 2 * value.denominator.bit_length()
    return size + (1 if value < 0 else 0) + (3 if value.denominator > 1 else 0)


class _Shrinker:
    """The best witness so far, and the tries to better it."""

    def __init__(self, trials: Trials, asked: Problem, arrays: Arrays, seen: Found, floor: float) -> None:
        self.trials = trials
        self.asked = asked
        self.arrays = arrays
        self.seen = seen
        self.floor = floor

    def whole_arrays(self) -> None:
        """Try to replace each array as a whole, the simplest first."""
        for name, array in self.arrays.items():
            tries = [{**self.arrays, name: other} for other in _simpler_arrays(array)]
            tries = [other for other in tries if complexity(other) < complexity(self.arrays)]
            self._take_first(sorted(tries, key=complexity))

    def entries(self) -> None:
        """Try to replace single entries; those that can go together are replaced together."""
        for values in ((0.0,), (1.0, -1.0), None):
            tries: list[tuple[str, tuple[int, ...], float]] = []
            for name, array in self.arrays.items():
                for index in np.ndindex(array.shape):
                    x = float(array[index])
                    options = values if values is not None else (float(round(x)), round(2 * x) / 2, round(8 * x) / 8)
                    tries += [(name, index, option) for option in options if _hardness(option) < _hardness(x)]
            if not tries or self.trials.over:
                continue
            works = [
                change for change, ok in zip(tries, self._ask([self._with([t]) for t in tries]), strict=True) if ok
            ]
            chosen: dict[tuple[str, tuple[int, ...]], tuple[str, tuple[int, ...], float]] = {}
            for change in sorted(works, key=lambda change: _hardness(change[2])):
                chosen.setdefault(change[:2], change)
            self._together(list(chosen.values()))

    def _together(self, changes: Sequence[tuple[str, tuple[int, ...], float]]) -> None:
        """Apply as many changes as go together: all, else each half."""
        if not changes or self.trials.over or self._take_first([self._with(changes)]) or len(changes) == 1:
            return
        middle = len(changes) // 2
        self._together(changes[:middle])
        self._together(changes[middle:])

    def _with(self, changes: Sequence[tuple[str, tuple[int, ...], float]]) -> Arrays:
        arrays = dict(self.arrays)
        for name, index, value in changes:
            arrays[name] = arrays[name].copy()
            arrays[name][index] = value
        return arrays

    def _take_first(self, tries: Sequence[Arrays]) -> bool:
        if not tries or self.trials.over:
            return False
        for arrays, seen in zip(tries, self._ask(tries), strict=True):
            if seen is not None:
                self.arrays, self.seen = arrays, seen
                return True
        return False

    def _ask(self, tries: Sequence[Arrays]) -> list[Found | None]:
        found = self.trials.judged(self.asked, tries)
        return [
            seen
            if seen is not None and same(seen, self.seen) and (seen["kind"] != "value" or seen["error"] >= self.floor)
            else None
            for seen in found
        ]


def _simpler_arrays(array: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    yield np.zeros_like(array)
    yield np.ones_like(array)
    eye = np.zeros_like(array)
    eye[..., range(min(array.shape[-2:])), range(min(array.shape[-2:]))] = 1
    yield eye
    yield np.broadcast_to(np.arange(1.0, array.shape[-2] + 1)[:, None], array.shape).copy()
    yield np.sign(array)
    for grid in (1, 2, 8):
        yield np.round(array * grid) / grid + 0.0


def same(seen: Found, before: Found) -> bool:
    """Return whether two contradictions are of one kind, and exceptions of one type."""
    if seen["kind"] != before["kind"]:
        return False
    return seen["kind"] != "raised" or bool(seen["exception"]["type"] == before["exception"]["type"])
