"""The claims about what surrounds a call: ``purity``, ``determinism`` and ``layout``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from attn_verify.checks.audit.groups import Prepared
from attn_verify.checks.audit.records import together
from attn_verify.checks.audit.schedule import at_size
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.findings import Findings, Point
from attn_verify.checks.inputs import Sample
from attn_verify.checks.memory_layout import check_layout
from attn_verify.checks.state import check_state
from attn_verify.errors import AttnVerifyError
from attn_verify.shapes import Sizes
from attn_verify.targets.cases import check_sizes

Data = dict[str, Any]

# Sizes at which layouts, and after which calls of other sizes, are tried.
_LAYOUTS, _OTHERS = 2, 6
# Seconds that a process with some calls has at least, and that an explanation of what differs may take.
_LEAST, _PATIENCE = 3.0, 12.0


def surroundings(runner: Any, subject: Subject, claims: Sequence[str], deadline: float) -> Data:
    """Try what ``claims`` say; return for each how much was tried, notes and a counterexample where there is one."""
    seconds = min(subject.options.seconds, max(_LEAST, deadline - time.monotonic()))
    # What looks suspicious is looked into however late it is.
    patience = max(_PATIENCE, deadline - time.monotonic())
    options: Data = {"seed": subject.options.seed, "seconds": seconds, "budget_seconds": patience}
    sizes = _telling(subject)
    if "layout" in claims:
        points = _points(runner, subject, sizes, _LAYOUTS)
    else:
        points = _points(runner, subject, _apart(sizes, _beside(subject, sizes[0])), _OTHERS)
    if not points:
        return {"surroundings": {}}
    if "layout" in claims:
        found = check_layout(runner, subject.options.target, points[:_LAYOUTS], **options)
    else:
        repeats = min(2.0, subject.options.budget / 12)
        found = check_state(runner, subject.options.target, points, **options, repeat_seconds=repeats)
    return {"surroundings": {claim: _told(claim, found) for claim in claims}}


def _told(claim: str, found: Findings) -> Data:
    example = found.of(claim)
    told: Data = {"inputs": found.calls, "notes": [note for note in found.notes if _about(note, claim)]}
    return told if example is None else {**told, "counterexample": example.to_dict()}


def _about(note: str, claim: str) -> bool:
    """Return whether a note bears on a claim: those that name another one do not."""
    first = note.partition(":")[0]
    return first not in ("purity", "determinism", "layout") or first == claim


def _points(runner: Any, subject: Subject, sizes: Sequence[Sizes], count: int) -> list[Point]:
    """Return ordinary inputs at several sizes, with masks in turn, at which the target returns its result.

    Those whose sizes are most unlike the first ones come last.
    """
    found: list[tuple[int, Point]] = []
    offered = _offered(subject, sizes)
    while len(found) < count and (some := list(islice(offered, count))):
        calls = [prepared.call(sample.arrays) for prepared, sample in some]
        for (prepared, sample), outcome in zip(some, together(runner, calls, subject.options.seconds), strict=True):
            prepared.settle([outcome])
            if prepared.settled:
                unlike = _unlike(sizes[0], Sizes.of(prepared.group.sizes))
                found.append((unlike, Point(prepared.asked, sample.arrays)))
    return [point for _, point in sorted(found[:count], key=lambda item: item[0])]


def _offered(subject: Subject, sizes: Sequence[Sizes]) -> Iterator[tuple[Prepared, Sample]]:
    for at, own in enumerate(sizes):
        for group in at_size(subject, own, subject.options.dtypes[0], at, many=False):
            prepared = Prepared(subject, group)
            sample = next((one for one in prepared.samples() if _harmless(one)), None)
            if sample is not None:
                yield prepared, sample


def _telling(subject: Subject) -> list[Sizes]:
    """Return sizes with the first that have more than one entry along every axis in front."""
    return sorted(subject.sizes, key=lambda own: min(own.n, own.keys, own.d_k, own.d_v) < 2)


def _apart(sizes: Sequence[Sizes], beside: Sequence[Sizes]) -> list[Sizes]:
    """Return the sizes with one second that is unlike the first in as many ways as can be, then those ``beside`` it.

    What a function keeps of its first call shows where processes begin with calls that have nothing in common.
    """
    first, *rest = sizes
    unlike = sorted(rest, key=lambda own: -_unlike(first, own))[:1]
    return [first, *unlike, *beside, *(own for own in rest if own not in (*unlike, *beside))]


def _beside(subject: Subject, first: Sizes) -> list[Sizes]:
    """Return sizes with one query or one key more and all else alike: what is kept by one length shows there."""
    found = []
    one_more: tuple[dict[str, int], ...] = ({"n": first.n + 1}, {"m": first.keys + 1})
    if subject.binding.keys_apart == "no":  # every query is a key
        one_more = ({"n": first.n + 1, "m": first.n + 1},)
    for more in one_more:
        if more.keys() & subject.options.sizes.keys():
            continue
        try:
            other = check_sizes(subject.binding, first.with_(**more), subject.convention)
        except AttnVerifyError:
            continue
        if other != first and not (other.n > other.keys and subject.spec.causal == "lower_right"):
            found.append(other)
    return sorted(found, key=lambda own: (own.n, own.keys))


def _unlike(one: Sizes, other: Sizes) -> int:
    """Return how many sizes differ."""
    known = one.to_dict()
    return sum(value != known.get(name) for name, value in other.to_dict().items())


def _harmless(sample: Sample) -> bool:
    return sample.claim == "rounding"
