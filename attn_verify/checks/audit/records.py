"""Running groups of trials in plain processes and judging every run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.run_values import numbers, packed
from attn_verify.checks.audit.groups import Group, Prepared
from attn_verify.checks.audit.judging import Judged, judge_trial
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.inputs import Sample
from attn_verify.checks.rounding import Behaviour

Data = dict[str, Any]

# Failures of one claim that a group keeps, the first ones; more of them say no more.
_KEPT = 3


@dataclass
class Record:
    """What was seen of one claim in one group, as plain data in a result.

    ``bounds`` holds for every profile and class, "float64/fine", the largest error in bounds of trials that nothing
    refutes, and for how many entries there was a bound.
    """

    claim: str
    inputs: int = 0
    entries: int = 0
    largest_ulp: float = 0.0
    bounds: dict[str, list[float]] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    raised: int = 0
    failures: list[Data] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    empty_rows: list[str] = field(default_factory=list)

    def add(self, sample: Sample, judged: Judged, number: int = 0) -> None:
        """Take one trial into account; ``number`` is its place among those of its process, from 0."""
        self.inputs += 1
        self.entries += judged.entries
        self.kinds[sample.kind] = self.kinds.get(sample.kind, 0) + 1
        if judged.lost:
            self.lost[judged.lost] = self.lost.get(judged.lost, 0) + 1
            return
        if judged.failure is not None:
            self.failed += 1
            self.raised += judged.failure["kind"] == "raised"
            if len(self.failures) < _KEPT:
                behaviour = Behaviour()
                for table in judged.tables if judged.failure["kind"] == "value" else ():
                    behaviour.add(table)
                tightest = behaviour.tightest()
                self.failures.append(
                    {
                        "sample": sample.kind,
                        "found": judged.failure,
                        "arrays": packed_arrays(sample.arrays),
                        "number": number,
                        # Of classes that are bounded by norms alone, large scores make every profile possible.
                        "profile": tightest[0] if tightest and tightest[1] in ("fine", "log") else "",
                    }
                )
            return
        self.largest_ulp = max(self.largest_ulp, judged.largest_ulp)
        for table in judged.tables:
            for (profile, kind), seen in table.items():
                largest, count = self.bounds.get(f"{profile}/{kind}", (0.0, 0))
                self.bounds[f"{profile}/{kind}"] = [max(largest, seen.largest), count + seen.judged]


def packed_arrays(arrays: Mapping[str, NDArray[np.float64]]) -> Data:
    """Return arrays as plain data."""
    return {name: {"shape": list(array.shape), "data": packed(array)} for name, array in arrays.items()}


def unpacked_arrays(data: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Return the arrays that :func:`packed_arrays` wrote."""
    return {name: numbers(item["data"], np.float64).reshape(item["shape"]).copy() for name, item in data.items()}


def run_groups(runner: Any, subject: Subject, groups: Sequence[Group], deadline: float) -> list[Data]:
    """Run all groups in one process of the target, judge every run; return a result for each group.

    A process that does not survive is replaced, and the calls that it had are made one by one.  After ``deadline``
    (of ``time.monotonic``) nothing more is run or judged; a result says how many trials were left.
    """
    prepared = [Prepared(subject, group) for group in groups]
    trials = [(item, sample) for item in prepared for sample in item.samples()]
    outcomes = _run(runner, subject, [item.call(sample.arrays) for item, sample in trials], deadline)
    for item in prepared:
        item.settle([outcome for (own, _), outcome in zip(trials, outcomes, strict=False) if own is item])
    records: list[dict[str, Record]] = [{} for _ in prepared]
    left = [0] * len(prepared)
    for at, (item, sample) in enumerate(trials):
        number = prepared.index(item)
        if at >= len(outcomes) or time.monotonic() > deadline:
            left[number] += 1
            continue
        claim = item.claim(sample)
        record = records[number].setdefault(claim, Record(claim))
        record.add(sample, judge_trial(outcomes[at], item.asked.plan, sample.arrays, claim), at)
        if claim == "empty_rows":
            record.empty_rows = sorted({*record.empty_rows, *_what_empty_rows_hold(outcomes[at], item)})
    return [
        {
            "group": item.group.to_dict(),
            "records": {claim: vars(record) for claim, record in own.items()},
            "settled": item.settled,
            "left": rest,
        }
        for item, own, rest in zip(prepared, records, left, strict=True)
    ]


def _run(runner: Any, subject: Subject, calls: Sequence[Data], deadline: float) -> list[Data]:
    """Run calls in one process; where it does not survive them, in two with half of them each, and so on.

    What is not found out in time is told of all calls of a process: each of them may have ended it.
    """
    left = deadline - time.monotonic()
    outcomes: list[Data] = list(runner.plain(calls, seconds=max(0.5, min(subject.options.seconds, left + 1))))
    survived = any(outcome["outcome"] in ("returned", "raised") for outcome in outcomes)
    if survived or len(calls) == 1 or time.monotonic() > deadline:
        return outcomes
    middle = len(calls) // 2
    halves = (calls[:middle], calls[middle:])
    return [outcome for half in halves for outcome in _run(runner, subject, half, deadline)]


def together(runner: Any, calls: Sequence[Data], seconds: float) -> list[Data]:
    """Run calls in one process; where it does not survive them, each in its own."""
    outcomes: list[Data] = list(runner.plain(calls, seconds=seconds))
    if len(calls) > 1 and not any(outcome["outcome"] in ("returned", "raised") for outcome in outcomes):
        return [runner.plain([call], seconds=seconds)[0] for call in calls]
    return outcomes


def _what_empty_rows_hold(outcome: Mapping[str, Any], item: Prepared) -> list[str]:
    """Return what queries that may attend to nothing received: ``nan``, ``zero``, ``mean`` or ``other``."""
    from attn_verify.checks.audit.empty import describe_empty_rows

    return describe_empty_rows(outcome, item)
