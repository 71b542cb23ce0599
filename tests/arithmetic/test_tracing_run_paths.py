"""Exploration of paths: every order of answers is run once, contradictions never, and budgets are told."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.tracing.paths import Budget, explore
from attn_verify.arithmetic.tracing.session import Condition, Session

FOREVER = float("inf")
Program = Callable[[Session, list[Node]], object]


@dataclass
class Done:
    outcome: str
    result: object
    conditions: list[Condition]


class Machine:
    """Runs a program on ``count`` inputs under prescribed answers."""

    def __init__(self, program: Program, count: int) -> None:
        self.program = program
        self.graph = Graph()
        self.inputs = [self.graph.input("x", (i,)) for i in range(count)]
        self.point = {("x", (i,)): Fraction((7 * i) % 5, 3) for i in range(count)}
        self.runs = 0

    def __call__(self, forced: tuple[bool, ...]) -> Done:
        self.runs += 1
        session = Session(self.graph, self.point, forced=forced)
        return Done("returned", self.program(session, self.inputs), session.conditions)


def sort(session: Session, items: list[Node]) -> tuple[int, ...]:
    out: list[Node] = []
    for item in items:
        place = next((i for i, other in enumerate(out) if session.less(item, other)), len(out))
        out.insert(place, item)
    return tuple(node.value[1][0] for node in out)


def largest(session: Session, items: list[Node]) -> int:
    best = items[0]
    for item in items[1:]:
        if session.less(best, item):
            best = item
    return int(best.value[1][0])


def limits(paths: int = 10_000, decisions: int = 10**6, deadline: float = FOREVER) -> Budget:
    return Budget(paths, decisions, deadline)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_sorting_takes_every_order_once(count: int) -> None:
    found = explore(Machine(sort, count), limits())
    assert found.exhausted
    assert found.repeatable
    assert sorted(str(run.result) for run in found.runs) == sorted(
        str(order) for order in itertools.permutations(range(count))
    )


def test_a_maximum_takes_a_path_for_each_run_of_answers() -> None:
    found = explore(Machine(largest, 4), limits())
    assert len(found.runs) == 8
    assert {run.result for run in found.runs} == {0, 1, 2, 3}


def test_the_first_path_is_that_of_the_point() -> None:
    found = explore(Machine(largest, 4), limits())
    assert found.runs[0].result == 2


def test_a_program_without_questions_has_one_path() -> None:
    found = explore(Machine(lambda session, items: None, 2), limits())
    assert (len(found.runs), found.exhausted) == (1, True)


def test_equality_has_one_answer() -> None:
    found = explore(Machine(lambda session, items: session.equal(*items), 2), limits())
    assert [run.result for run in found.runs] == [False]
    assert found.runs[0].conditions[0].op == "eq"


def test_too_many_paths_are_told() -> None:
    found = explore(Machine(sort, 4), limits(paths=5))
    assert (len(found.runs), found.exhausted) == (5, False)
    assert explore(Machine(sort, 3), limits(paths=6)).exhausted


def test_too_many_answers_are_told() -> None:
    assert not explore(Machine(sort, 4), limits(decisions=20)).exhausted


def test_the_deadline_leaves_the_first_path() -> None:
    found = explore(Machine(sort, 4), limits(deadline=time.monotonic() - 1))
    assert (len(found.runs), found.exhausted) == (1, False)


def test_a_refusal_ends_the_exploration() -> None:
    machine = Machine(sort, 3)

    def run(forced: tuple[bool, ...]) -> Done:
        done = machine(forced)
        return Done("refused" if len(forced) == 2 else "returned", done.result, done.conditions)

    found = explore(run, limits())
    assert not found.exhausted
    assert found.runs[-1].outcome == "refused"


def test_a_program_that_asks_something_else_is_not_repeatable() -> None:
    calls = itertools.count()

    def fickle(session: Session, items: list[Node]) -> bool:
        a, b, c = items
        return session.less(a, b) if next(calls) == 0 else session.less(b, c)

    found = explore(Machine(fickle, 3), limits())
    assert not found.repeatable
