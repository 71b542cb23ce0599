"""What the checks of state and of memory layouts start from, and what they find."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.counterexample import Counterexample, Earlier
from attn_verify.checks.witness_case import Problem

Arrays = Mapping[str, NDArray[np.float64]]
Outcome = Mapping[str, Any]


class Plain(Protocol):
    """What the checks need of a runner."""

    def plain(self, calls: Sequence[dict[str, Any]], *, seconds: float = 60) -> list[dict[str, Any]]:
        """Run calls in sequence in one ordinary Python process."""


@dataclass(frozen=True)
class Point:
    """A call that can be made: a problem and numbers for its inputs."""

    problem: Problem
    arrays: Arrays

    def earlier(self, repeat: int = 1) -> Earlier:
        """Return the call as one that is made before another one."""
        return Earlier(self.problem.call, self.arrays, repeat)


@dataclass(frozen=True)
class Findings:
    """What contradicts some claims, how many calls were made, and in ``notes`` what could not be tried and why."""

    counterexamples: tuple[Counterexample, ...]
    calls: int
    notes: tuple[str, ...] = ()

    def of(self, claim: str) -> Counterexample | None:
        """Return what contradicts one claim."""
        return next((example for example in self.counterexamples if example.claim == claim), None)


def example(
    claim: str, target: str, point: Point, kind: str, found: Mapping[str, Any], *, before: Sequence[Earlier] = (),
    after: Sequence[Earlier] = (), call: Mapping[str, Any] | None = None, seed: int = 0,
) -> Counterexample:  # fmt: skip
    """Return a counterexample at a point; ``call`` stands for its own call where it takes objects of earlier ones."""
    path, colons, name = target.partition("::")
    absolute = f"{os.path.abspath(path)}{colons}{name}" if colons else target
    problem = point.problem
    return Counterexample(
        claim, kind, absolute, problem.layout, problem.call if call is None else call, point.arrays, problem.plan,
        found, seed, before=tuple(before), after=tuple(after),
    )  # fmt: skip


def lost(outcomes: Sequence[Outcome]) -> bool:
    """Return whether a process may have ended before it could answer for its calls."""
    return all(outcome["outcome"] not in ("returned", "raised") for outcome in outcomes)


def ending(outcome: Outcome) -> str:
    """Return in words how a call ended that returned nothing."""
    exception = outcome.get("exception") or {}
    text = exception.get("text") or ""
    return f"{outcome['outcome']}: {exception.get('type')}" + (f": {text}" if text else "")
