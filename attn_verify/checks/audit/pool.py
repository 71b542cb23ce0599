"""Having tasks done: by two processes of our own, or by any executor of ``concurrent.futures``."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any

from attn_verify.checks.audit.journal import Journal
from attn_verify.checks.audit.schedule import Task
from attn_verify.checks.audit.tasks import perform

Data = dict[str, Any]

# How much longer than its time a task may take before the pool stops waiting: it may have to start a worker.
_GRACE = 20.0


@dataclass
class Progress:
    """How an audit stands: told to whoever watches, and to the verdicts.

    ``broken`` says that the executor takes no further task.
    """

    done: int = 0
    planned: int = 0
    interrupted: bool = False
    broken: bool = False
    late: int = 0
    trouble: list[str] = field(default_factory=list)


def workers() -> int:
    """Return how many processes of our own do tasks: the processor cores, at least one and at most eight."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min(8, count))


@contextmanager
def own_executor(count: int) -> Iterator[Executor]:
    """Yield a pool of fresh interpreters, which is ended without waiting for what it still does."""
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    finally:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with suppress(Exception):
                process.terminate()
        pool.shutdown(wait=True)


def _end_with_parent() -> None:
    """End this process when its parent has ended, however that was; it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_tasks(
    executor: Executor,
    subject: Mapping[str, Any],
    tasks: Sequence[Task],
    journal: Journal,
    deadline: float,
    tell: Callable[[Progress], None],
    state: Progress,
    late: float | None = None,
) -> None:
    """Have the tasks done, the first ones first, and their results written to the journal.

    Results that the journal has are not made again.  After ``deadline`` (of ``time.monotonic``) no further task
    begins, but for those that a claim rests on, which may begin until ``late``.  An interrupt, and an executor that
    fails, end the work and are noted in ``state``; what a broken executor has lost can be done by another one.
    """
    waiting = [task for task in tasks if task.name not in journal.results]
    state.planned, state.late = state.done + len(waiting), 0
    running: dict[Future[Data], Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _width(executor):
                ends = deadline if late is None or not waiting[0].first else max(late, deadline)
                if time.monotonic() >= ends:
                    break
                left = max(0.5, ends - time.monotonic())
                running[executor.submit(perform, subject, waiting[0].to_dict(), left)] = waiting[0]
                del waiting[0]
            if not running:
                break
            patience = max(deadline, late or deadline) + _GRACE - time.monotonic()
            done, _ = wait(list(running), timeout=max(0.0, patience), return_when=FIRST)
            if not done:
                state.trouble.append(f"{len(running)} tasks did not end in time")
                break
            for future in done:
                # Of a broken executor, the task is still among those that are running.
                journal.add(_result(future, running[future], state))
                del running[future]
                state.done += 1
            tell(state)
    except KeyboardInterrupt:
        state.interrupted = True
    except Exception as error:  # whatever a foreign executor raises when it is no longer able to
        state.broken = True
        state.trouble.append(f"the executor failed: {type(error).__name__}: {error}"[:300])
        waiting += running.values()
    state.late += len(waiting)
    for future in running:
        future.cancel()


class Workforce:
    """An executor, the user's or one of our own, which is replaced once if it breaks; a context manager."""

    def __init__(self, given: Executor | None) -> None:
        self._given, self._stack, self._renewed = given, ExitStack(), False

    def __enter__(self) -> Workforce:
        self.executor = self._given or self._stack.enter_context(own_executor(workers()))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        subject: Mapping[str, Any],
        tasks: Sequence[Task],
        journal: Journal,
        deadline: float,
        tell: Callable[[Progress], None],
        state: Progress,
        late: float | None = None,
    ) -> None:
        """Have tasks done (see :func:`run_tasks`); those of an executor that breaks, by processes of our own."""
        run_tasks(self.executor, subject, tasks, journal, deadline, tell, state, late)
        if state.broken and not self._renewed:
            self._renewed, state.broken = True, False
            state.trouble.append("what the executor did not do, processes of this machine did")
            self.executor = self._stack.enter_context(own_executor(workers()))
            run_tasks(self.executor, subject, tasks, journal, deadline, tell, state, late)


def _result(future: Future[Data], task: Task, state: Progress) -> Data:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # the executor's own: a process that died, a connection that broke
        state.trouble.append(f"task {task.name!r} was lost: {type(error).__name__}: {error}"[:300])
        return {"name": task.name, "job": task.job, "seconds": 0.0, "error": state.trouble[-1]}


def _width(executor: Executor) -> int:
    """Return how many tasks may be submitted at once: few, so that an interrupt and a deadline are soon obeyed."""
    own = getattr(executor, "_max_workers", None)
    return own if isinstance(own, int) and own > 0 else 2 * workers()
