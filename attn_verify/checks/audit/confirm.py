"""From a failed trial to a counterexample: repeated in a fresh process, made small, and seen once more."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.audit.groups import Group, Prepared, scale_of
from attn_verify.checks.audit.picture import picture
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.conventions import smaller_cases
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.inputs import mask_battery
from attn_verify.checks.search import Found, Trials
from attn_verify.checks.variants import rounded
from attn_verify.checks.witness_case import Problem
from attn_verify.checks.witness_plan import contradiction, recipe
from attn_verify.checks.witness_shrink import at_smaller_sizes, same, simplify
from attn_verify.errors import AttnVerifyError
from attn_verify.strategies.frames import Frame
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.units import Case

Data = dict[str, Any]
Arrays = Mapping[str, NDArray[np.float64]]
Witness = tuple[Problem, Arrays, Found]


class _Judge:
    """What refutes a claim on inputs that are legal for it."""

    def __init__(self, subject: Subject, claim: str, dtype: str) -> None:
        self.subject = subject
        self.claim = claim
        self.dtype = dtype

    def __call__(self, asked: Problem, arrays: Arrays, outcome: Mapping[str, Any]) -> Found | None:
        if outcome.get("random") and self.claim != "determinism":
            return None
        try:
            found = contradiction(outcome, asked.plan, arrays, self.claim)
        except TimeoutError:
            return None
        return found if found is not None and self.legal(asked, arrays) else None

    def legal(self, asked: Problem, arrays: Arrays) -> bool:
        """Return whether the claim speaks of these inputs."""
        if self.claim == "empty_rows" and all(any(row) for share in asked.plan.units for row in share.allowed):
            return False
        sigma = scale_of(self.subject, asked.plan.units[0].sizes)
        frame = Frame.of(asked.shapes, sigma=sigma, allowed=None, dtype=self.dtype)
        exact = rounded(arrays, self.dtype)
        same_numbers = all(np.array_equal(array, exact[name]) for name, array in arrays.items())
        return same_numbers and frame.fits(arrays, "range" if self.claim == "range" else "rounding")


def confirm(runner: Any, subject: Subject, claim: str, group: Group, arrays: Arrays, *, seconds: float) -> Data:
    """Return ``{"counterexample", "picture", …}`` for a failed trial, or ``{"lost": reason}``.

    With ``alone`` it does not fail without the calls before it.

    The trial is run by itself in a fresh process.  What fails there is made smaller, sizes first, then numbers, for as
    long as ``seconds`` allow, and is run once more.
    """
    prepared = Prepared(subject, group)
    judge = _Judge(subject, claim, group.dtype)
    trials = Trials(
        _Plainly(runner), subject.options.target, time.monotonic() + seconds, subject.options.seconds, judge
    )
    first = trials.outcomes(prepared.asked, [arrays], fresh=True)[0]
    prepared.settle([first])
    seen = judge(prepared.asked, arrays, first)
    if seen is None:
        return {"lost": "it does not fail in a process of its own", "alone": True}
    found: Witness = (prepared.asked, arrays, seen)
    corners = _Corners(trials, subject, group, found, list(_smaller(subject, claim, prepared.case)))
    best = at_smaller_sizes(
        found,
        prepared.case,
        lambda now: [other for other in corners.cases if len(other.inputs) < len(now.inputs)],
        lambda other, _: corners.witness(other),
        time.monotonic() + seconds / 2,
    )
    small, numbers, again = best[0], *simplify(trials, *best)
    for asked, values in ((small, numbers), best[:2], found[:2]):
        outcome = trials.outcomes(asked, [values], fresh=True)[0]
        last = judge(asked, values, outcome)
        if last is not None and last["kind"] == seen["kind"]:
            rest = {name: value for name, value in last.items() if name != "kind"}
            example = Counterexample(
                claim, str(last["kind"]), subject.options.target, asked.layout, asked.call, values, asked.plan, rest,
                subject.options.seed,
            )  # fmt: skip
            return {"counterexample": example.to_dict(), "picture": picture(example, outcome)}
    return {"lost": f"it failed once, and not again: {again['kind']}"}


def _smaller(subject: Subject, claim: str, case: Case) -> Iterator[Case]:
    """Yield smaller cases on which the claim bears."""
    if claim != "empty_rows" or case.mask is None:
        yield from smaller_cases(subject.binding, case)
        return
    for n, m, d in product((1, 2), (1, 2), (1, 2)):
        try:
            sizes = default_sizes(subject.binding, case.convention, {"n": n, "m": m, "d_k": d, "d_v": 1})[0]
            for _, mask in mask_battery(sizes, subject.spec, empty=True):
                yield subject.binding.case(sizes, mask, case.convention)
        except AttnVerifyError:
            continue


class _Plainly:
    """Runs calls as the target's user would, in processes where nothing else is loaded."""

    def __init__(self, runner: Any) -> None:
        self.runner = runner

    def run_many(self, calls: Any, *, seconds: float, fresh: bool = False) -> list[Data]:
        """Run calls in one plain process; with ``fresh`` each in its own."""
        packs = [[call] for call in calls] if fresh else [list(calls)]
        return [result for pack in packs for result in self.runner.plain(pack, seconds=seconds)]


class _Corners:
    """The corners of a witness at smaller sizes: which of them are witnesses too."""

    def __init__(self, trials: Trials, subject: Subject, group: Group, found: Witness, cases: Sequence[Case]) -> None:
        self.trials = trials
        self.found = found
        cut = [(case, *_corner(subject, case, group, found[1])) for case in cases]
        self.parts = {id(case): (prepared, arrays) for case, prepared, arrays in cut if arrays is not None}
        self.cases = [case for case in cases if id(case) in self.parts]
        # One process for all of them: a process of its own for each would take most of the time of a whole audit.
        pairs = list(self.parts.values())
        calls = [recipe(trials.target, prepared.asked.call, arrays) for prepared, arrays in pairs]
        outcomes = trials.ran(calls)
        self.fails = {
            key: self._seen(*pair, outcome) is not None
            for (key, pair), outcome in zip(self.parts.items(), outcomes, strict=False)
        }

    def witness(self, case: Case) -> Witness | None:
        """Return the corner at the sizes of ``case`` if it is a witness in a process of its own."""
        if not self.fails.get(id(case), False):
            return None
        prepared, arrays = self.parts[id(case)]
        seen = self._seen(prepared, arrays, self.trials.outcomes(prepared.asked, [arrays])[0])
        return None if seen is None else (prepared.asked, arrays, seen)

    def _seen(self, prepared: Prepared, arrays: Arrays, outcome: Data) -> Found | None:
        prepared.settle([outcome])
        seen = self.trials.judge(prepared.asked, arrays, outcome)
        return seen if seen is not None and same(seen, self.found[2]) else None


def _corner(subject: Subject, other: Case, group: Group, arrays: Arrays) -> tuple[Prepared, Arrays | None]:
    """Return a case at another size, and the corners of ``arrays`` there, ``None`` where they are too small."""
    small = {name: int(size) for name, size in other.sizes.to_dict().items()}
    mask = None if other.mask is None else [list(row) for row in other.mask]
    prepared, cut = Prepared(subject, replace(group, sizes=small, mask=mask)), {}
    for name, shape in prepared.asked.shapes.items():
        array = arrays.get(name)
        if array is None or array.ndim != len(shape) or any(a < b for a, b in zip(array.shape, shape, strict=True)):
            return prepared, None
        cut[name] = array[tuple(slice(length) for length in shape)].copy()
    return prepared, cut
