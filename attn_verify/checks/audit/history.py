"""Failures that one call alone does not show: which calls before it does the result depend on?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.audit.groups import Group, Prepared
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.counterexample import Counterexample, Earlier
from attn_verify.checks.differences import difference
from attn_verify.checks.findings import Point, example
from attn_verify.checks.variants import rounded

Data = dict[str, Any]
Arrays = Mapping[str, NDArray[np.float64]]

# So many earlier calls are no history that anybody reads.
_MOST = 24
# Grids on which numbers are read more easily, the coarsest first.
_GRIDS = (1, 2, 8)


def with_history(
    runner: Any, subject: Subject, groups: Sequence[Group], number: int, deadline: float
) -> Counterexample | None:  # fmt: skip
    """Return calls after which trial ``number`` of the process with ``groups`` gives another result than alone.

    The trials before it are made again; as few of them are kept as show a difference of more than twice the bound.
    ``None`` where they do not show one, or show it after more calls than anybody reads.
    """
    prepared = [Prepared(subject, group) for group in groups]
    trials = [(item, sample.arrays) for item in prepared for sample in item.samples()]
    if not 0 < number < len(trials):
        return None
    try:
        return _History(runner, subject, trials[: number + 1], deadline).shortest()
    except TimeoutError:
        return None


class _History:
    """The trials of one process, the last of which is looked at."""

    def __init__(self, runner: Any, subject: Subject, trials: Sequence[tuple[Prepared, Arrays]], deadline: float):
        self._runner = runner
        self._subject = subject
        self._deadline = deadline
        *self._before, (self._last, self._arrays) = trials
        self._alone = self._end([], self._arrays)
        self._last.settle([self._alone])

    def shortest(self) -> Counterexample | None:
        """Look for the call that it depends on, then leave out what it does not need."""
        chosen = list(range(len(self._before)))
        if not self._differs(chosen):
            return None
        # With the calls from ``low`` on there is a difference, with those from ``high`` on there is none.
        low, high = 0, len(chosen)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._differs(chosen[middle:]) else (low, middle)
        chosen = [low] if self._differs([low]) else self._thinned(chosen[low:])
        if len(chosen) > _MOST:
            return None
        return self._confirmed(chosen)

    def _thinned(self, chosen: list[int]) -> list[int]:
        """Leave out halves, quarters, … of the calls as long as the difference stays."""
        part = len(chosen) // 2
        while part:
            at = 0
            while at < len(chosen):
                fewer = chosen[:at] + chosen[at + part :]
                if fewer and self._differs(fewer):
                    chosen = fewer
                else:
                    at += part
            part //= 2
        return chosen

    def _confirmed(self, chosen: Sequence[int]) -> Counterexample | None:
        """Return the calls with the simplest numbers that show it, if they do so in processes of their own."""
        exact = rounded(self._arrays, self._last.group.dtype)
        tries = [{name: np.round(array * grid) / grid for name, array in exact.items()} for grid in _GRIDS]
        for arrays in (*tries, self._arrays):
            before = [Earlier(item.asked.call, given) for item, given in (self._before[at] for at in chosen)]
            point = Point(self._last.asked, arrays)
            target, seed = self._subject.options.target, self._subject.options.seed
            shown = example("determinism", target, point, "differs", {}, before=before, seed=seed)
            seen = [shown.run(self._runner, self._subject.options.seconds) for _ in range(2)]
            if all(one is not None and one["kind"] == "differs" for one in seen) and seen[0] is not None:
                return shown.seen_again("differs", {name: value for name, value in seen[0].items() if name != "kind"})
        return None

    def _differs(self, chosen: Sequence[int]) -> bool:
        if time.monotonic() > self._deadline:
            raise TimeoutError
        now = self._end(chosen, self._arrays)
        return difference(now, self._alone, self._last.asked.plan, self._arrays) is not None

    def _end(self, chosen: Sequence[int], arrays: Arrays) -> Data:
        """Return the outcome of the last trial after some of those before it, in a fresh process."""
        calls = [item.call(given) for item, given in (self._before[at] for at in chosen)]
        outcomes = self._runner.plain([*calls, self._last.call(arrays)], seconds=self._subject.options.seconds)
        found: Data = outcomes[-1]
        return found
