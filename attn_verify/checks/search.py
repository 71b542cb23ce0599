"""Looking for inputs on which real code, run in floats, is not the formula; only they refute a claim.

The inputs come from :mod:`~attn_verify.checks.witness_inputs` and from whoever asks.  What is found is made small
and simple, run once more in a fresh process, and only then returned.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.rounding import FloatFormat
from attn_verify.checks.witness_case import Point, Problem, problem
from attn_verify.checks.witness_inputs import candidates, on_grid
from attn_verify.checks.witness_plan import PRECISIONS, contradiction, narrowest_returned, recipe
from attn_verify.checks.witness_shrink import at_smaller_sizes, same, simplify
from attn_verify.spec import AttentionSpec
from attn_verify.targets.returns import Misfit
from attn_verify.targets.units import Case

Arrays = Mapping[str, NDArray[np.float64]]
Found = Mapping[str, Any]
Judge = Callable[[Problem, Arrays, Mapping[str, Any]], Found | None]

# A witness is off by more than this many bounds, and stays so while it is made simpler.
CLEAR = 4.0
# In half precision the bound is most of what a weighted mean can be off by at all; it is rigorous without a margin.
CLEAR_HALF = 1.0
# A wrong number is off by more unit roundoffs of the largest input, too: code that adds 0 = a − b, a and b of the
# size of an input, is off by rounding where the values, and so the bounds, are tiny.
FLOOR = 64.0
_BATCH = 45
_FEW = 15
_TAMINGS = 40


class Runs(Protocol):
    """What the search needs of a runner."""

    def run_many(self, calls: Sequence[dict[str, Any]], *, seconds: float, fresh: bool = False) -> list[dict[str, Any]]:
        """Run calls in floats."""


class Trials:
    """Runs inputs of one problem and judges them, until the time is over.

    ``judge`` returns what is wrong in one run, ``None`` where nothing clear is (default: :func:`clear`).
    """

    def __init__(self, runner: Runs, target: str, deadline: float, seconds: float, judge: Judge | None = None) -> None:
        self.runner = runner
        self.target = target
        self.deadline = deadline
        self.seconds = seconds
        self.judge = clear if judge is None else judge
        self.runs = 0

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    def outcomes(self, asked: Problem, inputs: Sequence[Arrays], *, fresh: bool = False) -> list[dict[str, Any]]:
        """Run every input, as :meth:`ran` runs calls."""
        return self.ran([recipe(self.target, asked.call, arrays) for arrays in inputs], fresh=fresh)

    def ran(self, calls: Sequence[dict[str, Any]], *, fresh: bool = False) -> list[dict[str, Any]]:
        """Run every call; where the process does not survive them together, each by itself."""
        self.runs += len(calls)
        outcomes = self.runner.run_many(calls, seconds=self.seconds, fresh=fresh)
        if len(calls) > 1 and not fresh and all(o["outcome"] not in ("returned", "raised") for o in outcomes):
            outcomes = []
            for call in calls:
                outcomes += self.runner.run_many([call], seconds=self.seconds)
                if self.over or outcomes[-1]["outcome"] in ("timeout", "memory"):
                    break
        return outcomes

    def plainly(self, asked: Problem, arrays: Arrays, seen: Found) -> bool:
        """Return whether an input shows the same in a plain Python process, where nothing of this package is loaded."""
        plain = getattr(self.runner, "plain", None)
        if plain is None:
            return True
        found = self.judge(asked, arrays, plain([recipe(self.target, asked.call, arrays)], seconds=self.seconds)[0])
        return found is not None and found["kind"] == seen["kind"]

    def judged(self, asked: Problem, inputs: Sequence[Arrays]) -> list[Found | None]:
        """Return what is wrong with each input, ``None`` where nothing clear is."""
        outcomes = self.outcomes(asked, inputs)
        found = [self.judge(asked, arrays, outcome) for arrays, outcome in zip(inputs, outcomes, strict=False)]
        return found + [None] * (len(inputs) - len(found))


def clear(asked: Problem, arrays: Arrays, outcome: Mapping[str, Any]) -> Found | None:
    """Return what is wrong in one run, if no correct code could do that on this input."""
    try:
        found = contradiction(outcome, asked.plan, arrays)
    except TimeoutError:
        return None
    if found is None or outcome.get("random"):
        return None
    # A number that is wrong is judged by a bound that knows the magnitudes; anything else only on tame inputs.
    if not (asked.plan.ordinary(arrays, math.inf) if found["kind"] == "value" else asked.plan.ordinary(arrays)):
        return None
    if found["kind"] != "value":
        return found
    margin = CLEAR_HALF if asked.plan.precision in ("float16", "bfloat16") else CLEAR
    floor = FLOOR * FloatFormat.of(asked.plan.precision).unit_roundoff * largest(arrays)
    return found if found["error"] > max(margin * found["bound"], floor) else None


def largest(arrays: Arrays) -> float:
    """Return the largest magnitude of an input, 1 if all are smaller."""
    return max(1.0, *(float(np.max(np.abs(array), initial=0.0)) for array in arrays.values()))


def search(
    runner: Runs,
    target: str,
    case: Case,
    spec: AttentionSpec,
    *,
    smaller: Callable[[Case], Iterable[Case]] | None = None,
    points: Iterable[Point] = (),
    precision: str = "float64",
    claim: str = "formula",
    works_elsewhere: bool = False,
    generated: bool = True,
    judge: Judge | None = None,
    seed: int = 0,
    budget_seconds: float = 10.0,
    seconds: float = 20.0,
) -> Counterexample | None:
    """Return inputs on which ``target`` contradicts the formula in floats, or ``None``.

    Args:
        runner: runs calls (``targets.runner.Runner``).
        target: the target, as the runner takes it.
        case: sizes, mask and layout, with everything that the call consists of.
        spec: the conventions that the target should follow.
        smaller: yields smaller cases to try the witness at, the smallest first.
        points: inputs to try first, by entry.
        precision: the narrowest float format that the target computes in.
        claim: the name of the claim that is refuted.
        works_elsewhere: whether the target is known to work in other cases, so that failing on all inputs of this
            one is a contradiction, too.
        generated: whether to try inputs other than ``points``.
        judge: returns what is wrong in one run (default: :func:`clear`).
        seed: of the generated inputs.
        budget_seconds: time for everything; a witness that was found is returned even if it is over.
        seconds: time limit of one run of the target.

    A wrong number counts if it is outside four times the widest bound and off by more than 64 unit roundoffs of the
    largest input; a result that is not finite, an exception, a crash or a wrong shape only on an ordinary input, and
    only if other inputs give a result.  Time-outs never count, nor does anything that depends on random numbers.
    """
    trials = Trials(runner, target, time.monotonic() + budget_seconds, seconds, judge)
    found = _first(trials, case, spec, list(points), precision, seed if generated else None, works_elsewhere)
    if found is None:
        return None
    asked, arrays, seen = found
    if smaller is not None:
        until = time.monotonic() + max(0.0, trials.deadline - time.monotonic()) * 0.6
        asked, arrays, seen = at_smaller_sizes(
            found, case, smaller, lambda other, best: _at_size(trials, other, spec, best, seed), until
        )
    arrays, seen = simplify(trials, asked, arrays, seen)
    for again_asked, again in ((asked, arrays), found[:2]):
        last = trials.judge(again_asked, again, trials.outcomes(again_asked, [again], fresh=True)[0])
        if last is not None and last["kind"] == seen["kind"] and trials.plainly(again_asked, again, seen):
            kind = str(last["kind"])
            rest = {name: value for name, value in last.items() if name != "kind"}
            return Counterexample(
                claim,
                kind,
                _absolute(target),
                again_asked.layout,
                again_asked.call,
                again,
                again_asked.plan,
                rest,
                seed,
            )
    return None


def _absolute(target: str) -> str:
    """Return a target that means the same in every directory."""
    path, colons, name = target.partition("::")
    return f"{os.path.abspath(path)}{colons}{name}" if colons else target


Witness = tuple[Problem, Arrays, Found]


def _first(
    trials: Trials,
    case: Case,
    spec: AttentionSpec,
    points: Sequence[Point],
    precision: str,
    seed: int | None,
    works_elsewhere: bool,
) -> Witness | None:
    """Return the first witness of one case; a wrong number is preferred to other failures."""
    asked = problem(case, spec, precision)
    inputs = _inputs(asked, points, seed)
    second: tuple[Arrays, Found] | None = None
    works = False
    while batch := list(islice(inputs, _BATCH)):
        outcomes = trials.outcomes(asked, batch)
        if not works:
            asked, works = _refine(asked, case, spec, precision, outcomes)
        for arrays, outcome in zip(batch, outcomes, strict=False):
            seen = trials.judge(asked, arrays, outcome)
            # A second exception adds nothing to the first.
            known = second is not None and seen is not None and seen["kind"] != "value"
            if seen is None or known or not _repeats(trials, asked, arrays, seen):
                continue
            if seen["kind"] == "value":
                return asked, arrays, seen
            second = second or (arrays, seen)
        if trials.over or not works or second is not None:
            break
    # What fails on every input is no witness: it is no target for this case.
    return (asked, *second) if second is not None and (works or works_elsewhere) else None


def _repeats(trials: Trials, asked: Problem, arrays: Arrays, seen: Found) -> bool:
    again = trials.judge(asked, arrays, trials.outcomes(asked, [arrays], fresh=True)[0])
    return again is not None and again["kind"] == seen["kind"]


def _refine(
    asked: Problem, case: Case, spec: AttentionSpec, precision: str, outcomes: Sequence[Mapping[str, Any]]
) -> tuple[Problem, bool]:
    """Return the problem with the result where the target returns it, and whether it returns one at all."""
    order = PRECISIONS
    for outcome in outcomes:
        if outcome["outcome"] == "returned" and not isinstance(case.select(outcome["value"]), Misfit):
            returned = max(precision, narrowest_returned([outcome]), key=order.index)
            return problem(case, spec, returned, outcome["value"]), True
    return asked, False


def _inputs(asked: Problem, points: Sequence[Point], seed: int | None) -> Iterator[Arrays]:
    for point in points:
        arrays = asked.arrays(point)
        if arrays is not None and asked.plan.ordinary(arrays, math.inf):
            yield arrays
    for arrays in () if seed is None else candidates(asked.shapes, seed):
        tamed = tame(asked, arrays)
        if tamed is not None:
            yield tamed


def tame(asked: Problem, arrays: Arrays) -> Arrays | None:
    """Return the arrays with smaller queries, or smaller everything, until they are ordinary."""
    current = dict(arrays)
    for _ in range(_TAMINGS):
        if asked.plan.ordinary(current):
            return current
        left = "Q" if "Q" in current else "W_Q"
        names = [left] if np.any(current[left]) else list(current)
        for name in names:
            current[name] = on_grid(current[name] / 2)
    return None


def _at_size(trials: Trials, case: Case, spec: AttentionSpec, best: Witness, seed: int) -> Witness | None:
    """Try the corner of a witness and a few other inputs at another size."""
    precision = best[0].plan.precision
    asked = problem(case, spec, precision)
    inputs = [_corner(best[1], asked.shapes), *islice(_inputs(asked, (), seed), _FEW)]
    inputs = [arrays for arrays in inputs if asked.plan.ordinary(arrays, math.inf)]
    outcomes = trials.outcomes(asked, inputs)
    asked, works = _refine(asked, case, spec, precision, outcomes)
    if not works:
        return None
    floor = min(best[2]["error"] / 8, 2.0**-10) if best[2]["kind"] == "value" else 0.0
    for arrays, outcome in zip(inputs, outcomes, strict=False):
        seen = trials.judge(asked, arrays, outcome)
        if seen is not None and same(seen, best[2]) and (seen["kind"] != "value" or seen["error"] >= floor):
            return asked, arrays, seen
    return None


def _corner(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
    corner = {}
    for name, shape in shapes.items():
        array = arrays.get(name, np.ones(shape))
        if array.ndim != len(shape) or any(a < b for a, b in zip(array.shape, shape, strict=True)):
            array = np.ones(shape)
        corner[name] = array[tuple(slice(length) for length in shape)].copy()
    return corner
