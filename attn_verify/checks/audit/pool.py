"""Having tasks done: by two processes of our own, or by any executor of ``concurrent.futures``."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
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
    """How an audit stands: told to whoever watches, and to the verdicts."""

    done: int = 0
    planned: int = 0
    interrupted: bool = False
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
    fails, end the work and are noted in ``state``.
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
                task = waiting.pop(0)
                left = max(0.5, ends - time.monotonic())
                running[executor.submit(perform, subject, task.to_dict(), left)] = task
            if not running:
                break
            patience = max(deadline, late or deadline) + _GRACE - time.monotonic()
            done, _ = wait(list(running), timeout=max(0.0, patience), return_when=FIRST)
            if not done:
                state.trouble.append(f"{len(running)} tasks did not end in time")
                break
            for future in done:
                journal.add(_result(future, running.pop(future), state))
                state.done += 1
            tell(state)
    except KeyboardInterrupt:
        state.interrupted = True
    except Exception as error:  # whatever a foreign executor raises when it is no longer able to
        state.trouble.append(f"the executor failed: {type(error).__name__}: {error}"[:300])
    state.late += len(waiting)
    for future in running:
        future.cancel()


def _result(future: Future[Data], task: Task, state: Progress) -> Data:
    try:
        return future.result()
    except Exception as error:  # the executor's own: a process that died, a connection that broke
        state.trouble.append(f"task {task.name!r} was lost: {type(error).__name__}: {error}"[:300])
        return {"name": task.name, "job": task.job, "seconds": 0.0, "error": state.trouble[-1]}


def _width(executor: Executor) -> int:
    """Return how many tasks may be submitted at once: few, so that an interrupt and a deadline are soon obeyed."""
    own = getattr(executor, "_max_workers", None)
    return own if isinstance(own, int) and own > 0 else 2 * workers()
