"""All paths through a program: depth first over the answers to its questions about values."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from attn_verify.arithmetic.tracing.session import Condition


class Answered(Protocol):
    """A finished run: how it ended, and the questions that it asked, in order."""

    @property
    def outcome(self) -> str:
        """How the run ended; after ``refused`` no other path matters."""
        ...

    @property
    def conditions(self) -> Sequence[Condition]:
        """The questions and answers."""
        ...


Question = tuple[int, int]
R = TypeVar("R", bound=Answered)


@dataclass(frozen=True)
class Budget:
    """How much may be spent: paths, answers altogether, and the time (``time.monotonic``) at which to stop."""

    paths: int
    decisions: int
    deadline: float


@dataclass(frozen=True)
class Explored(Generic[R]):
    """The runs that were made, the first without prescribed answers; whether these are all.

    ``repeatable`` is false if a run did not ask again what an earlier one with the same answers had asked.
    """

    runs: tuple[R, ...]
    exhausted: bool
    repeatable: bool


def explore(run: Callable[[tuple[bool, ...]], R], budget: Budget) -> Explored[R]:
    """Run every path: ``run`` gets the first answers that a run must give to questions ``left < right``.

    A question ``left == right`` has one answer, false: the other is left out of the scope.  Answers that follow
    from earlier ones are not questions, so that no path contradicts its own order.
    """
    runs: list[R] = []
    repeatable = True
    spent = 0
    waiting: list[tuple[tuple[bool, ...], tuple[Question, ...]]] = [((), ())]
    while waiting:
        if len(runs) >= budget.paths or spent > budget.decisions or (runs and time.monotonic() > budget.deadline):
            return Explored(tuple(runs), False, repeatable)
        forced, expected = waiting.pop()
        done = run(forced)
        runs.append(done)
        asked = [condition for condition in done.conditions if condition.op == "lt"]
        questions = tuple((condition.left.index, condition.right.index) for condition in asked)
        answers = tuple(condition.answer for condition in asked)
        spent += len(done.conditions)
        if done.outcome == "refused":
            return Explored(tuple(runs), False, repeatable)
        if questions[: len(expected)] != expected or answers[: len(forced)] != forced:
            repeatable = False
            continue
        for i in range(len(forced), len(answers)):
            waiting.append(((*answers[:i], not answers[i]), questions[: i + 1]))
    return Explored(tuple(runs), True, repeatable)
