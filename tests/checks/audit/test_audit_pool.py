"""Having tasks done by executors that work, that break, and that are interrupted."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from attn_verify.checks.audit import pool
from attn_verify.checks.audit.journal import Journal
from attn_verify.checks.audit.pool import Progress, run_tasks
from attn_verify.checks.audit.schedule import Task

TASKS = [Task(f"task {number}", "job", {}, 0.1) for number in range(5)]


@pytest.fixture(autouse=True)
def _no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "perform", lambda subject, task, seconds: {"name": task["name"]})


def run(executor: Executor, seconds: float = 5.0, tell: Callable[[Progress], None] = lambda _: None) -> Any:
    journal, state = Journal(None, "", resume=False), Progress()
    run_tasks(executor, {}, TASKS, journal, time.monotonic() + seconds, tell, state)
    return journal, state


def test_every_task_is_done_once_and_progress_is_told() -> None:
    told: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        journal, state = run(executor, tell=lambda now: told.append(now.done))
    assert sorted(journal.results) == [task.name for task in TASKS]
    assert (state.done, state.planned, state.late, state.trouble) == (5, 5, 0, [])
    assert told[-1] == 5


def test_after_the_deadline_nothing_begins() -> None:
    with ThreadPoolExecutor(2) as executor:
        journal, state = run(executor, seconds=-1.0)
    assert not journal.results
    assert state.late == 5


class Breaking(ThreadPoolExecutor):
    """Takes two tasks, loses the second, and breaks."""

    taken = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.taken += 1
        if self.taken > 2:
            raise RuntimeError("cannot schedule new futures")
        if self.taken == 2:
            lost: Future[Any] = Future()
            lost.set_exception(ConnectionError("the worker died"))
            return lost
        return super().submit(fn, *args, **kwargs)


def test_an_executor_that_dies_half_way_leaves_what_was_found() -> None:
    with Breaking(1) as executor:
        journal, state = run(executor)
    assert "error" not in journal.results["task 0"]
    assert "the worker died" in journal.results["task 1"]["error"]
    assert any("the executor failed" in text for text in state.trouble)
    assert state.broken
    assert state.late >= 2


class Terminated(ThreadPoolExecutor):
    """Takes tasks, and loses all that come after the first one."""

    taken = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.taken += 1
        if self.taken == 1:
            return super().submit(fn, *args, **kwargs)
        lost: Future[Any] = Future()
        lost.set_exception(BrokenExecutor("a process was terminated"))
        return lost


@pytest.mark.parametrize("kind", [Breaking, Terminated])
def test_what_an_executor_that_breaks_has_left_is_done_here(
    kind: type[ThreadPoolExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "own_executor", ThreadPoolExecutor)
    journal, state = Journal(None, "", resume=False), Progress()
    with kind(1) as given, pool.Workforce(given) as force:
        force.run({}, TASKS, journal, time.monotonic() + 5, lambda _: None, state)
    assert sorted(journal.results) == [task.name for task in TASKS]
    lost = ["task 1"] if kind is Breaking else []
    assert [name for name, result in journal.results.items() if "error" in result] == lost
    assert any("processes of this machine" in text for text in state.trouble)
    assert not state.broken


def test_an_executor_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "own_executor", Breaking)
    journal, state = Journal(None, "", resume=False), Progress()
    with Breaking(1) as given, pool.Workforce(given) as force:
        force.run({}, TASKS, journal, time.monotonic() + 5, lambda _: None, state)
    assert state.broken
    assert state.late
    assert "task 0" in journal.results


def test_an_interrupt_keeps_what_was_found() -> None:
    def interrupt(state: Progress) -> None:
        if state.done == 2:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor:
        journal, state = run(executor, tell=interrupt)
    assert state.interrupted
    assert len(journal.results) == 2


@pytest.fixture
def own() -> Iterator[Executor]:
    with pool.own_executor(1) as executor:
        yield executor


def test_the_own_pool_starts_fresh_interpreters(own: Executor) -> None:
    assert own.submit(abs, -3).result(timeout=60) == 3


def test_workers_end_with_an_audit_that_is_killed() -> None:
    program = (
        "import os, time\n"
        "from attn_verify.checks.audit.pool import own_executor\n"
        "if __name__ == '__main__':\n"
        "    with own_executor(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) != process.pid
        process.kill()
        # Its end comes when nobody has the stream any more, a worker included.
        assert process.communicate(timeout=60)[0] == b""


def test_what_a_claim_rests_on_begins_later_than_the_rest() -> None:
    journal, state = Journal(None, "", resume=False), Progress()
    tasks = [Task("least", "job", {}, 0.1, first=True), Task("more", "job", {}, 0.1)]
    now = time.monotonic()
    with ThreadPoolExecutor(1) as executor:
        run_tasks(executor, {}, tasks, journal, now - 1, lambda _: None, state, now + 20)
    assert list(journal.results) == ["least"]
    assert state.late == 1
