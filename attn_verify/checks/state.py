"""Claims about what a function leaves behind: ``purity`` and ``determinism``.

The same few calls are made in other orders in two ordinary Python processes, and one of them very often in a third.
Whatever looks like state is made small, run again in fresh processes, and only then returned.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attn_verify.checks.counterexample import Counterexample, Earlier
from attn_verify.checks.differences import difference, overwriting
from attn_verify.checks.findings import Arrays, Findings, Outcome, Plain, Point, ending, example, lost
from attn_verify.checks.kept import overwritings
from attn_verify.checks.variants import again
from attn_verify.checks.witness_plan import recipe

# So often is one call made where it is fast enough.
REPEATS = 1024
# Of histories that are tried for one suspicion.
_TRIES = 14


def check_state(
    runner: Plain,
    target: str,
    points: Sequence[Point],
    *,
    seed: int = 0,
    seconds: float = 20.0,
    budget_seconds: float = 30.0,
    repeat_seconds: float = 2.0,
) -> Findings:
    """Return what contradicts ``purity`` and ``determinism``, at most one counterexample each.

    Args:
        runner: runs calls in ordinary Python processes.
        target: the target, as the runner takes it.
        points: the first is judged by itself and after the others, which should have other sizes or masks; ordinary
            inputs that leave no entry open.
        seed: of the counterexamples.
        seconds: time limit of one process.
        budget_seconds: time after which no further explanation of a difference is tried.
        repeat_seconds: time for one call made again and again.

    ``purity``: no argument, and not the state of Python's and NumPy's global random generators, is changed.
    ``determinism``: a call gives the same result alone, twice in a row, after other calls, with arrays that the caller
    has changed in place since an earlier call, after many calls, and in another process.  Results are the same if they
    are within twice the bound of each other; a function that is wrong in the same way at every call is deterministic.
    What a call has returned stays as it is when others are made, bit for bit; where the caller changes arrays in
    place nothing of the kind is asked, as a result may be one of them.
    """
    trial = _Trial(runner, target, points, seed, seconds, time.monotonic() + budget_seconds, repeat_seconds)
    return trial.findings()


@dataclass(frozen=True)
class _Step:
    """A call of a process: which point it is, and whether with the arrays of the first call of the process."""

    key: str
    in_place: bool = False
    repeat: int = 1


class _Trial:
    """The processes of one check, and the explanation of what they show."""

    def __init__(
        self, runner: Plain, target: str, points: Sequence[Point], seed: int, seconds: float, deadline: float,
        repeat_seconds: float,
    ) -> None:  # fmt: skip
        self._runner = runner
        self._repeat_seconds = repeat_seconds
        self._target = target
        self._seed = seed
        self._seconds = seconds
        self._deadline = deadline
        self._calls = 0
        self._notes: list[str] = []
        self._first: dict[str, Outcome] = {}
        self._points = {"A": points[0]}
        first = points[0]
        for name in first.arrays:
            self._points[f"B {name}"] = replace(first, arrays={**first.arrays, name: _other(first.arrays, name)})
        self._points["B"] = replace(first, arrays={name: _other(first.arrays, name) for name in first.arrays})
        self._points |= {f"C {at}": point for at, point in enumerate(points[1:], start=1)}

    def findings(self) -> Findings:
        """Make the calls and explain what is suspicious."""
        others = [key for key in self._points if key != "A"]
        forth = [_Step("A"), _Step("A"), _Step("A", True)]
        for key in others:
            forth += [_Step(key, True), _Step("A", True)]
        for key in others:
            forth += [_Step(key), _Step("A")]
        back = [*(_Step(key) for key in reversed(list(self._points))), _Step("A")]
        processes = [(forth, self._run(forth)), (back, self._run(back, keep=True))]
        first = processes[0][1][0]
        if lost(processes[0][1]):
            first = self._run([_Step("A")])[0]
        self._first["A"] = first
        if first["outcome"] != "returned":
            self._notes.append(f"the call fails by itself: {ending(first)}")
            if first["outcome"] != "raised":
                return Findings((), self._calls, tuple(self._notes))
        impure = self._impure(processes)
        quickest = min(outcome["seconds"] for outcome in processes[0][1])
        repeats = min(REPEATS, int(self._repeat_seconds / max(quickest, 1e-5)))
        # What changes its arguments is another call the next time.
        if repeats > 1 and impure is None:
            steps = [_Step("A", repeat=repeats), _Step("A")]
            processes.append((steps, self._run(steps)))
            impure = self._impure(processes[2:])
        different = self._different(processes, first) or self._overwritten(*processes[1])
        found = [impure, different]
        return Findings(tuple(one for one in found if one is not None), self._calls, tuple(self._notes))

    def _run(self, steps: Sequence[_Step], *, keep: bool = False) -> list[Outcome]:
        calls = []
        for step in steps:
            point = self._points[step.key]
            made = recipe(self._target, self._call(step), point.arrays)
            calls.append({**made, "repeat": step.repeat, **({"keep": True} if keep else {})})
        self._calls += sum(step.repeat for step in steps)
        return list(self._runner.plain(calls, seconds=self._seconds))

    def _call(self, step: _Step) -> Mapping[str, Any]:
        call = self._points[step.key].problem.call
        return again(call, 0, self._points["A"].problem.call) if step.in_place else call

    def _impure(self, processes: Sequence[tuple[Sequence[_Step], Sequence[Outcome]]]) -> Counterexample | None:
        for steps, outcomes in processes:
            for at, outcome in enumerate(outcomes):
                if not (outcome.get("changed") or outcome.get("random")):
                    continue
                histories = [[], list(steps[:at])]
                for before in histories[: 1 if at == 0 else 2]:
                    seen = self._confirmed("purity", "changed", before, steps[at])
                    if seen is not None:
                        return seen
                self._notes.append("purity: a change of arguments was seen once and did not repeat")
                return None
        return None

    def _different(
        self, processes: Sequence[tuple[Sequence[_Step], Sequence[Outcome]]], first: Outcome
    ) -> Counterexample | None:
        answered = []
        for steps, outcomes in processes:
            if lost(outcomes) and outcomes[0]["outcome"] in ("timeout", "memory"):
                self._note(f"{len(outcomes)} calls in one process: {ending(outcomes[0])}")
                continue
            answered += [(steps, at, outcome, lost(outcomes)) for at, outcome in enumerate(outcomes)]
        # What the fewest calls came before, and new arrays, is likeliest to be what the call gives alone.
        known: dict[str, Outcome] = {"A": first}
        for steps, at, outcome, gone in sorted(answered, key=lambda item: (item[0][item[1]].in_place, item[1])):
            if not gone:
                known.setdefault(steps[at].key, outcome)
        suspects = [
            (steps, at)
            for steps, at, outcome, gone in answered
            if gone or self._differ(steps[at].key, outcome, known[steps[at].key])
        ]
        if not suspects:
            return None
        tried = 0
        for before, step in _histories(suspects):
            if time.monotonic() > self._deadline or tried >= _TRIES:
                break
            tried += 1
            seen = self._confirmed("determinism", "differs", before, step)
            if seen is not None:
                return seen
        self._notes.append(f"determinism: results differed, and did not again in {tried} tries")
        return None

    def _overwritten(self, steps: Sequence[_Step], outcomes: Sequence[Outcome]) -> Counterexample | None:
        """Return calls, all with arrays of their own, of which one changes what another has returned."""
        points = [self._points[step.key] for step in steps]
        # What is no result of the call, a counter say, may be changed.
        told = [
            outcome if overwriting(outcome, point.problem.plan) is not None else {}
            for point, outcome in zip(points, outcomes, strict=True)
        ]
        tried = 0
        for before, point, after in overwritings(points, told):
            if time.monotonic() > self._deadline:
                break
            tried += 1
            shown = example(
                "determinism", self._target, point, "differs", {}, before=before, after=after, seed=self._seed
            )  # fmt: skip
            self._calls += len(before) + 1 + len(after)
            seen = self._seen_twice(shown)
            if seen is not None:
                return seen
        if any(told):
            self._note(f"determinism: a later call changed what one had returned, and did not again in {tried} tries")
        return None

    def _differ(self, key: str, now: Outcome, reference: Outcome) -> bool:
        point = self._points[key]
        try:
            return difference(now, reference, point.problem.plan, point.arrays) is not None
        except TimeoutError as error:
            self._note(str(error))
            return False

    def _confirmed(self, claim: str, kind: str, before: Sequence[_Step], step: _Step) -> Counterexample | None:
        """Return a counterexample if the calls show it in fresh processes, twice."""
        shown = example(
            claim,
            self._target,
            self._points[step.key],
            kind,
            {},
            before=[Earlier(self._call(one), self._points[one.key].arrays, one.repeat) for one in before],
            call=self._call(step) if before else None,
            seed=self._seed,
        )
        self._calls += 2 * (len(before) + 1)
        return self._seen_twice(shown, self._alone(step.key) if kind == "differs" else None)

    def _seen_twice(self, shown: Counterexample, alone: Outcome | None = None) -> Counterexample | None:
        """Return a counterexample with what its calls show, if they do so in two fresh processes."""
        try:
            outcome = self._runner.plain(shown.recipes(), seconds=self._seconds)[len(shown.before)]
            if shown.judge(outcome, alone) is None:
                return None
            found = shown.run(self._runner, self._seconds)
        except TimeoutError as error:
            self._note(str(error))
            return None
        if found is None or found["kind"] != shown.kind:
            return None
        return shown.seen_again(shown.kind, {key: value for key, value in found.items() if key != "kind"})

    def _alone(self, key: str) -> Outcome:
        """Return what a call gives in a fresh process."""
        if key not in self._first:
            self._first[key] = self._run([_Step(key)])[0]
        return self._first[key]

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


History = tuple[list[_Step], _Step]


def _histories(suspects: Sequence[tuple[Sequence[_Step], int]]) -> Iterator[History]:
    """Yield calls that may be made before a suspicious one, and that one: what is telling and short first."""
    fresh = [(steps, at) for steps, at in suspects if not steps[at].in_place]
    unlike = {steps[at].key for steps, at in fresh}
    changed = [steps[at] for steps, at in suspects if steps[at].in_place]
    same = [_Step("A")] if "A" in unlike else [replace(steps[at], repeat=1) for steps, at in fresh[:1]]
    found: list[History] = [([], step) for step in same]
    # Whether the call has another result the second or third time is seen at the start of a process.
    if any(at in (1, 2) and steps[:at] == [_Step("A"), _Step("A")][:at] for steps, at in suspects):
        found += [([_Step("A", repeat=repeat)], _Step("A")) for repeat in (1, 2)]
    # Wrong with arrays that were changed in place, and not with new ones.
    found += [([_Step("A")], step) for step in changed if step.key not in unlike]
    many = {steps[0].repeat for steps, at in fresh if at == 1 and steps[0].repeat > 1}
    many |= {steps[0].repeat - 1 for steps, at in fresh if at == 0 and steps[0].repeat > 1}
    behind = [(replace(steps[at - 1], in_place=False), replace(steps[at], repeat=1)) for steps, at in fresh if at]
    found += [([last], step) for last, step in behind if last.repeat == 1]
    found += [([_Step("A", repeat=repeat)], _Step("A")) for repeat in (1, 2, *sorted(many, reverse=True))]
    found += [([_Step("A")], step) for step in changed]
    prefixes = [(list(steps[:at]), steps[at]) for steps, at in suspects if at > 1 and steps[at].repeat == 1]
    # At most so many of each sort, and the longest histories however many there were.
    seen: list[History] = []
    for history in [*found[: _TRIES - 2], *prefixes[:1], *prefixes[-1:]]:
        if history not in seen:
            seen.append(history)
            yield history


def _other(arrays: Arrays, name: str) -> Any:
    """Return other numbers of the same size and the same float format, where there are any."""
    array = arrays[name]
    other = -0.5 * np.roll(array.ravel(), 1).reshape(array.shape)
    return np.where(np.abs(other) < 2.0**-13, array, other)
