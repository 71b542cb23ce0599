"""Running targets in processes of their own, from the side that asks: ``with Runner() as runner: …``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Self

from attn_verify.errors import AttnVerifyError, TargetError, explain
from attn_verify.targets.process import WorkerProcess
from attn_verify.targets.resolve import Address, resolve

Data = dict[str, Any]

# How much longer than a job's limit its supervisor may take before it is given up itself: it may have to start first.
_PATIENCE = 80.0


class Runner:
    """A worker process, for as long as the block lasts; every job runs in a fresh process.

    A ``light`` one starts sooner, and is slow at exact numbers.  ``fork=False`` starts an interpreter for each
    job, as is done where ``fork`` is not safe.  Whatever the target does, a job ends with an outcome; a target that
    cannot be imported or found raises ``TargetError`` (but in ``trace``, where the exact models may be the cause).
    """

    def __init__(self, *, memory_mib: int = 4096, fork: bool | None = None, light: bool = False) -> None:
        self._memory = memory_mib
        self._options = ("--light",) if light else ()
        # Apple's libraries do not survive a fork.
        self._fork = (hasattr(os, "fork") and sys.platform != "darwin") if fork is None else fork
        self._server: WorkerProcess | None = None
        self._files: dict[str, list[str]] = {}  # of targets that were described, what their import loads

    def __enter__(self) -> Self:
        if self._fork:
            self._server = WorkerProcess(*self._options)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker process, and with it a job in progress."""
        server, self._server = self._server, None
        if server is not None:
            server.end()

    def describe(self, target: str | Callable[..., Any], *, seconds: float = 20, seed: int = 0) -> Data:
        """Import a target and return its parameters, documentation and place."""
        address = resolve(target)
        answer = self._ask({"job": "describe", "seed": seed}, address, seconds)
        if "parameters" in answer:
            self._files[address.shown] = answer["modules"]
            return answer
        raise TargetError(explain(f"target {address.shown}", *_why_not(answer, seconds)))

    def trace(
        self, call: Data, *, seconds: float = 60, cases: bool = False, max_paths: int = 256, seed: int = 0
    ) -> Data:  # fmt: skip
        """Run a call on exact numbers along all its paths; return a TraceResult.

        ``cases`` decides maxima by comparisons.  Exploration stops at 0.7 of ``seconds``, and the job at ``seconds``.
        """
        job = {"job": "trace", "call": call, "cases": cases, "max_paths": max_paths, "seed": seed}
        answer = self._ask(job, resolve(call["target"]), seconds)
        if "graph" in answer:
            return answer
        empty: Data = {"nodes": [], "groups": {}}
        return {
            "outcome": answer["outcome"], "graph": empty, "paths": [], "exhausted": False, "notes": [], "refusals": [],
            "imports": [], "repeatable": False, "changed": [], "random": False, "tampered": [],
            "exception": answer.get("exception"), "stdout": answer.get("stdout", ""), "seconds": answer["seconds"],
        }  # fmt: skip

    def modular(self, call: Data, draw: Data, squares: Sequence[int], *, seconds: float = 60, seed: int = 0) -> Data:
        """Run a call on whole arrays of residues; return outcome, value (with readings), lines, notes and refusals.

        ``draw`` is ``Draw.to_dict()``; the call has ``shapes`` in place of ``inputs``.  The outcome ``vanished``
        asks for another draw.
        """
        job = {"job": "modular", "call": call, "draw": draw, "squares": sorted(squares), "seed": seed}
        lost: Data = {"value": None, "lines": [], "opcodes": "", "notes": [], "refusals": [], "conditions": 0}
        return {**lost, "exception": None, **self._ask(job, resolve(call["target"]), seconds)}

    def run(self, call: Data, *, seconds: float = 20, seed: int = 0) -> Data:
        """Run a call in floats, in a process of its own; return a FloatResult."""
        return self.run_many([call], seconds=seconds, seed=seed)[0]

    def run_many(
        self, calls: Sequence[Data], *, seconds: float = 60, fresh: bool = False, seed: int = 0
    ) -> list[Data]:  # fmt: skip
        """Run calls of one target in floats, in sequence in one process, or each in a ``fresh`` one.

        If the process does not survive, every call has its outcome: run them one by one to see which it was.
        """
        if fresh:
            return [self.run(call, seconds=seconds, seed=seed) for call in calls]
        return self._floats({"job": "run", "seed": seed}, calls, seconds)

    def run_elsewhere(self, call: Data, *, hash_seed: int, seconds: float = 20) -> Data:
        """Run a call in floats in an interpreter that gives texts other hashes, and so sets another order."""
        job = {"job": "run", "seed": 0, "calls": [call]}
        return self._floats(job, [call], seconds, hash_seed=hash_seed)[0]

    def plain(self, calls: Sequence[Data], *, seconds: float = 60) -> list[Data]:
        """Run calls of one target in floats, in sequence, in a Python process where nothing else is loaded.

        It has no exact models, no record of lines and nothing of this package, so that a target which looks for them
        does what it does for its users.  Returns FloatResults without ``lines``; a failing import is an outcome too.
        What a call with ``keep`` returned is looked at again after every later one: ``overwritten`` lists the numbers
        of those after which it was another one, ``later`` is what it is in the end, ``None`` if nothing changed it.
        """
        return self._floats({"job": "plain", "seed": 0, "environment": dict(os.environ)}, calls, seconds)

    def _floats(
        self, job: Data, calls: Sequence[Data], seconds: float, hash_seed: int | None = None
    ) -> list[Data]:  # fmt: skip
        if not calls:
            return []
        if any(call["target"] != calls[0]["target"] for call in calls):
            raise ValueError("calls of different targets cannot share a process")
        answer = self._ask({**job, "calls": list(calls)}, resolve(calls[0]["target"]), seconds, hash_seed)
        if "results" in answer:
            return [{**result, "stdout": answer["stdout"]} for result in answer["results"]]
        lost = {
            "outcome": answer["outcome"], "value": None, "lines": [], "opcodes": "", "changed": [], "random": False,
            "tampered": [], "exception": answer.get("exception"), "stdout": answer.get("stdout", ""),
            "seconds": answer["seconds"],
        }  # fmt: skip
        return [dict(lost) for _ in calls]

    def _ask(self, job: Data, address: Address, seconds: float, hash_seed: int | None = None) -> Data:
        """Have a job done; return its answer, or ``{"outcome", "exception", "stdout", "seconds"}``."""
        where = {"address": vars(address), "directory": os.getcwd(), "search": [p for p in sys.path if p]}
        files = self._files.get(address.shown, [])
        whole = {**job, **where, "files": files, "seconds": seconds, "memory_mib": self._memory}
        try:
            shared = self._fork and hash_seed is None
            status, payload = self._exchange(whole, seconds) if shared else self._once(whole, seconds, hash_seed or 0)
        except BaseException:
            # Interrupted: the job must not outlive us.
            server, self._server = self._server, None
            if server is not None:
                server.end()
            raise
        answer = _read(status, payload)
        if "target_error" in answer:
            raise TargetError(answer["target_error"])
        return answer

    def _exchange(self, job: Data, seconds: float) -> tuple[Data, bytes]:
        if self._server is None:
            self._server = WorkerProcess(*self._options)
        self._server.send(job)
        message = self._server.receive(seconds + _PATIENCE)
        if isinstance(message, tuple):
            return message
        server, self._server = self._server, None
        code = server.returncode() if message is None else None
        server.end(kill=True)
        if code == 1:
            # Python's own code for an exception: not a target's doing.
            raise AttnVerifyError(explain("worker", "the process for targets ended", server.printed.strip()[-500:]))
        # The next job starts a new one.
        return {"ended": message or "worker", "stdout": server.printed, "seconds": seconds}, b""

    def _once(self, job: Data, seconds: float, hash_seed: int) -> tuple[Data, bytes]:
        process = WorkerProcess("--once", hash_seed=hash_seed)
        try:
            process.send(job)
            message = process.receive(seconds + 5)  # the start of the interpreter is not the target's
            ended, payload = "timeout", b""
            if isinstance(message, tuple):
                ended, payload = "answered", message[1]
            elif message is None:
                code = process.returncode()
                ended = "closed" if code is None else f"signal {-code}" if code < 0 else f"exit {code}"
        finally:
            process.end(kill=True)
        return {"ended": ended, "stdout": process.printed, "seconds": seconds}, payload


_DEATHS = {
    "timeout": ("timeout", "TimeoutError", "the time limit was reached"),
    "signal SIGXCPU": ("timeout", "TimeoutError", "the limit of processor time was reached"),
    "exit 71": ("memory", "MemoryError", "the memory limit was reached"),
    "exit 70": ("crashed", "Crash", "the target broke the interpreter that it ran in"),
    "garbage": ("crashed", "Crash", "the process wrote to files that it did not open"),
    "closed": ("crashed", "Crash", "the process closed files that it did not open"),
    "worker": ("crashed", "Crash", "the process that supervises targets was ended"),
}


def _read(status: Data, payload: bytes) -> Data:
    """Return the answer of a job, or the outcome that stands for one."""
    ended = status["ended"]
    extra = {"stdout": status["stdout"], "seconds": status["seconds"]}
    if ended == "answered":
        try:
            answer = json.loads(payload)
        except ValueError:
            return _outcome("crashed", "Crash", "the answer cannot be read", extra)
        if isinstance(answer, dict) and "failure" in answer:
            return _outcome("crashed", "Crash", answer["failure"], extra)
        if isinstance(answer, dict):
            return {**extra, **answer, "stdout": status["stdout"]}
        return _outcome("crashed", "Crash", "the answer cannot be read", extra)
    if ended in _DEATHS:
        return _outcome(*_DEATHS[ended], extra)
    if ended.startswith("exit "):
        return _outcome("exited", "SystemExit", f"the process was ended with code {ended[5:]}", extra)
    return _outcome("crashed", "Crash", f"the process was ended by {ended}", extra)


def _outcome(outcome: str, kind: str, text: str, extra: Data) -> Data:
    return {"outcome": outcome, "exception": {"type": kind, "text": text, "place": ""}, **extra}


def _why_not(answer: Data, seconds: float) -> list[str]:
    """Return cause and remedy for a target that could not be described."""
    remedies = {
        "timeout": (f"importing it takes more than {seconds:g} s", "keep long work out of the module's top level"),
        "exited": ("it ends the process while it is imported", 'put what runs under if __name__ == "__main__":'),
        "memory": ("importing it needs more memory than allowed", "keep large data out of the module's top level"),
    }
    cause = f"importing it ends its process: {(answer.get('exception') or {}).get('text', '')}"
    return list(remedies.get(answer["outcome"], (cause, "import it with Python alone to see why")))
