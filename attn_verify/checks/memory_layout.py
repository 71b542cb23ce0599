"""The claim ``layout``: arrays of the same numbers give the same result, however they lie in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.findings import Findings, Outcome, Plain, Point, ending, example, lost
from attn_verify.checks.variants import agreeing, array_parameters, with_view
from attn_verify.checks.witness_plan import contradiction, recipe
from attn_verify.targets.views import VIEWS

# Said where nothing can be learned of layouts.
_NOT_JUDGED = "not judged for some arrays: in ordinary (C-contiguous) ones the same numbers give a wrong result too"


@dataclass(frozen=True)
class _Variant:
    """A call in other layouts, and the same numbers in C order."""

    words: str
    point: Point
    plain: Point


def check_layout(
    runner: Plain,
    target: str,
    points: Sequence[Point],
    *,
    seed: int = 0,
    seconds: float = 20.0,
    budget_seconds: float = 30.0,
) -> Findings:
    """Return what contradicts ``layout``: each view of each array argument, and of all of them together.

    A result outside the bound, an exception or the end of the process counts where the same numbers in C order give a
    result inside the bound.  Views are those of ``targets.views.VIEWS``; for ``broadcast`` the inputs are made to agree
    along the first axis.  Arguments are those of :func:`~attn_verify.checks.state.check_state`; inputs should have
    more than one entry along every axis.
    """
    calls = 0
    notes: list[str] = []
    deadline = time.monotonic() + budget_seconds
    for point in points:
        variants = list(_variants(point))
        together = [variant.plain for variant in variants] + [variant.point for variant in variants]
        outcomes, made, note = _outcomes(runner, target, together, seconds, deadline)
        calls += made
        notes += note
        if len(outcomes) < len(together):
            notes.append("calls one by one: not every view was tried")
        seen: dict[Any, Any] = {}
        for variant, plain, outcome in zip(variants, outcomes, outcomes[len(variants) :], strict=False):
            if _wrong(variant.plain, plain, seen) is not None:
                notes.append(_NOT_JUDGED)
            elif _wrong(variant.point, outcome, seen) is not None:
                found = _confirmed(runner, target, variant, seconds, seed)
                calls += 2
                if found is not None:
                    return Findings((found,), calls, (*notes, f"fails with {variant.words}"))
                # What depends on earlier calls is no matter of layouts.
                return Findings((), calls, (*notes, f"{variant.words}: a failure did not repeat in a fresh process"))
            elif outcome["outcome"] in ("timeout", "memory"):
                notes.append(f"{variant.words}: no answer: {ending(outcome)}")
    return Findings((), calls, tuple(dict.fromkeys(notes)))


def _variants(point: Point) -> Iterator[_Variant]:
    names = array_parameters(point.problem)
    chosen = [(name,) for name in names] + ([names] if len(names) > 1 else [])
    for view in VIEWS[1:]:
        for some in chosen:
            if view == "broadcast":
                some = tuple(name for name in some if agreeing(point.problem, point.arrays, (name,)) is not None)
            arrays = agreeing(point.problem, point.arrays, some) if view == "broadcast" else point.arrays
            if not some or arrays is None:
                continue
            plain = Point(point.problem, arrays)
            yield _Variant(f"{view} {', '.join(some)}", Point(with_view(point.problem, view, some), arrays), plain)


def _outcomes(
    runner: Plain, target: str, points: Sequence[Point], seconds: float, deadline: float
) -> tuple[list[Outcome], int, list[str]]:
    """Make every call once, those with the same numbers in C order only once; where they end the process, apart."""
    calls = [recipe(target, point.problem.call, point.arrays) for point in points]
    number: dict[int, int] = {}
    distinct: list[dict[str, Any]] = []
    for at, call in enumerate(calls):
        if call not in distinct:
            distinct.append(call)
        number[at] = distinct.index(call)
    outcomes: list[Outcome] = list(runner.plain(distinct, seconds=seconds))
    made, notes = len(distinct), []
    if lost(outcomes) and len(distinct) > 1:
        notes.append(f"{made} calls in one process: {ending(outcomes[0])}")
        outcomes = []
        for call in distinct:
            if time.monotonic() > deadline:
                break
            outcomes += runner.plain([call], seconds=seconds)
            made += 1
            if len(outcomes) == 1 and outcomes[0]["outcome"] != "returned":
                outcomes = outcomes * len(distinct)  # it fails in C order: nothing is judged
            if lost(outcomes[-1:]):
                break  # one end of a process is enough
    found = []
    for at in range(len(calls)):
        if number[at] >= len(outcomes):
            break
        found.append(outcomes[number[at]])
    return found, made, notes


def _wrong(point: Point, outcome: Outcome, seen: dict[Any, Any]) -> dict[str, Any] | None:
    """Return what is wrong in a run; the same numbers with the same result are judged once."""
    key = (repr(outcome["value"]), outcome["outcome"], *(array.tobytes() for array in point.arrays.values()))
    if key not in seen:
        try:
            seen[key] = contradiction(outcome, point.problem.plan, point.arrays)
        except TimeoutError:
            seen[key] = None
    found: dict[str, Any] | None = seen[key]
    return found


def _confirmed(runner: Plain, target: str, variant: _Variant, seconds: float, seed: int) -> Counterexample | None:
    """Return the counterexample if the call fails alone in a fresh process, and in C order it does not."""
    calls = [recipe(target, one.problem.call, one.arrays) for one in (variant.plain, variant.point)]
    plain, outcome = (runner.plain([call], seconds=seconds)[0] for call in calls)
    if _wrong(variant.plain, plain, {}) is not None:
        return None
    found = _wrong(variant.point, outcome, {})
    if found is None:
        return None
    rest = {key: value for key, value in found.items() if key != "kind"}
    return example("layout", target, variant.point, found["kind"], rest, seed=seed)
