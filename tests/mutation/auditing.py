"""Audits of mutants: each written to a directory of its own, all done by one pool of two processes."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import equivalents
import plain_checks
import zoo
from equivalents import GAP, STILLBORN, Outcome, refuted
from mutants import Mutant

from attn_verify.checks.audit.pool import own_executor
from attn_verify.checks.audit.run import audit
from attn_verify.checks.audit.tasks import perform
from attn_verify.checks.prove import prove
from attn_verify.errors import AttnVerifyError, TargetError
from attn_verify.spec import AttentionSpec

Data = Mapping[str, Any]

WORKERS = 2
# Seconds of one run of a mutant: it takes milliseconds, unless its loop never ends.
_RUN = 10.0
# Budgets until an audit ends before everything that it planned was tried.
_LATE = 4.0
# Claims that the unchanged file may fail: what they say of a mutant counts only if they hold for that.
_MAY_FAIL = frozenset({"range", "empty_rows", "layout", "purity", "determinism"})
# Seconds for making a counterexample small where only that there is one matters.
_SMALL = 1.0
# Tasks that find nothing before the proof begins.
_BEFORE_PROOF = 2
# Seconds until a pool that does not answer is given up.
_ALIVE = 60.0


class Hasty(Executor):
    """An executor that, once an input has failed a claim that counts, does nothing but make a counterexample.

    The proof, which comes first, waits until a few tasks have found nothing: most mutants die of the first inputs.
    """

    def __init__(self, pool: Executor, excused: Collection[str]) -> None:
        self._pool, self._excused = pool, frozenset(excused)
        self._failed: set[str] = set()
        self._done = 0
        self._proof: tuple[Future[Any], Any] | None = None
        self._lock = threading.RLock()
        self._max_workers = WORKERS

    @property
    def failed(self) -> bool:
        """Whether an input has failed a claim that counts."""
        return bool(self._failed)

    def _needless(self, task: Data) -> bool:
        """Whether a task tells nothing about a mutant that is dead: all but a counterexample of one claim."""
        if not self._failed:
            return False
        enough = self._failed - _MAY_FAIL
        return task["job"] != "confirm" or bool(enough and task["claim"] != min(enough))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a task done by the pool, or say that it found nothing."""
        if fn is not perform:
            return self._pool.submit(fn, *args, **kwargs)
        subject, task, seconds = args
        future: Future[Any] = Future()
        with self._lock:
            if self._needless(task):
                future.set_result(_nothing(task))
            elif task["job"] == "proof":
                self._proof = future, args
            else:
                self._send(future, (subject, task, min(seconds, _SMALL) if self.failed else seconds))
        return future

    def _send(self, future: Future[Any], args: Any) -> None:
        self._pool.submit(perform, *args).add_done_callback(lambda done: self._settle(future, done))

    def _settle(self, future: Future[Any], done: Future[Any]) -> None:
        with self._lock:
            error = None if done.cancelled() else done.exception()
            if done.cancelled() or error is not None:
                future.set_exception(error or BrokenExecutor("cancelled"))
            else:
                self._failed |= failed_claims(done.result()) - self._excused
                future.set_result(done.result())
            self._done += 1
            if self._proof is not None and (self.failed or self._done >= _BEFORE_PROOF):
                (waiting, args), self._proof = self._proof, None
                if self.failed:
                    waiting.set_result(_nothing(args[1]))
                else:
                    self._send(waiting, args)


def _nothing(task: Data) -> Data:
    return {"name": task["name"], "job": task["job"], "seconds": 0.0}


def failed_claims(result: Data) -> set[str]:
    """Return the claims that the result of one task is against.

    >>> sorted(failed_claims({"proof": {"name": "formula", "status": "REFUTED"}, "groups": []}))
    ['formula']
    """
    found = {
        claim for group in result.get("groups", ()) for claim, record in group["records"].items() if record["failed"]
    }
    found |= {name for name, own in result.get("surroundings", {}).items() if "counterexample" in own}
    found |= {"properties"} if result.get("violations") else set()
    proof = result.get("proof")
    return found | ({proof["name"]} if proof is not None and proof["status"] == "REFUTED" else set())


class Auditor:
    """Judges mutants with audits of ``budget`` seconds, and those of ``explain`` seconds where these say too little.

    A context manager, since it has processes and a directory.
    """

    def __init__(self, budget: float, seed: int, explain: float) -> None:
        self.budget, self.seed, self.explain = budget, seed, explain
        self.entries = {entry.path: entry for entry in zoo.entries(folder="correct")}
        self._originals: dict[Path, Data] = {}
        self._stack, self._pools = ExitStack(), ExitStack()
        self._count = 0

    def __enter__(self) -> Auditor:
        self._scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-")))
        self._pool = self._pools.enter_context(own_executor(WORKERS))
        return self

    def __exit__(self, *_: object) -> None:
        self._pools.close()
        self._stack.close()

    def original(self, path: Path) -> Data:
        """The audit of the unchanged file, and what the plain comparisons say of it."""
        entry = self.entries[path]
        plain = plain_checks.judge(entry, path)
        return {"audit": self._audit(entry, path, self.budget), "allclose": plain.allclose, "close": plain.close}

    def mutant(self, mutant: Mutant, original: Callable[[], Data]) -> Data:
        """The fate of a mutant, as plain data; the audit of the unchanged file is asked for where it is not killed."""
        entry = self.entries[mutant.path]
        path = self._written(mutant)
        self._revive()
        try:
            plain = plain_checks.judge(entry, path)
            fate = self._first_fate(entry, path, original)
            if fate.status == GAP and self.explain > self.budget:
                fate = equivalents.explained(fate, self._longer(entry, path), self.explain)
        finally:
            shutil.rmtree(path.parent)
        return {
            "status": fate.status, "killed_by": list(fate.killed_by), "why": fate.why, "claims": dict(fate.claims),
            "allclose": plain.allclose, "close": plain.close,
        }  # fmt: skip

    def audit(self, mutant: Mutant) -> Data:
        """The whole audit of one mutant."""
        path = self._written(mutant)
        try:
            return self._audit(self.entries[mutant.path], path, self.budget)
        finally:
            shutil.rmtree(path.parent)

    def _longer(self, entry: zoo.Entry, path: Path) -> Outcome:
        self._revive()
        if entry.path not in self._originals:
            self._originals[entry.path] = self._audit(entry, entry.path, self.explain)
        original = self._originals[entry.path]
        found = self._tried(entry, path, self.explain)
        if isinstance(found, Outcome):
            return found
        fate = equivalents.outcome(found, original, failing(entry))
        if fate.status != GAP or not equivalents.proof_is_missing(found, original):
            return fate
        # A proof of many paths takes longer than an audit gives it.
        proof = prove(f"{path}::{entry.function}", AttentionSpec.of(*entry.spec), **_options(entry), seed=self.seed)
        return equivalents.outcome(equivalents.with_proof(found, proof.to_dict()), original, failing(entry))

    def _first_fate(self, entry: zoo.Entry, path: Path, original: Callable[[], Data]) -> Outcome:
        """The fate after an audit that ends with a failure, or after a whole one.

        One failing input is enough to kill, and it is one of those that the whole audit tries too.
        """
        hasty = Hasty(self._pool, failing(entry))
        found = self._tried(entry, path, self.budget, hasty)
        if isinstance(found, Outcome):
            return found
        certain = set(refuted(found)) - set(failing(entry)) - _MAY_FAIL
        if not hasty.failed or certain:
            return equivalents.outcome(found, None if certain else original(), failing(entry))
        return self._fate(entry, path, original(), self.budget)

    def _fate(self, entry: zoo.Entry, path: Path, original: Data, budget: float) -> Outcome:
        found = self._tried(entry, path, budget)
        return found if isinstance(found, Outcome) else equivalents.outcome(found, original, failing(entry))

    def _tried(self, entry: zoo.Entry, path: Path, budget: float, executor: Executor | None = None) -> Data | Outcome:
        """The audit of a mutant, or its fate where there is none."""
        try:
            return self._audit(entry, path, budget, executor)
        except TargetError as error:
            return Outcome(STILLBORN, (), " ".join(str(error).split())[:300])
        except AttnVerifyError as error:
            return Outcome(GAP, (), f"{type(error).__name__}: {' '.join(str(error).split())}"[:300])

    def _audit(self, entry: zoo.Entry, path: Path, budget: float, executor: Executor | None = None) -> Data:
        return audit(
            f"{path}::{entry.function}",
            AttentionSpec.of(*entry.spec),
            **_options(entry),
            budget=budget,
            # So much is tried whatever else the machine does.
            limit=_LATE * budget,
            seed=self.seed,
            seconds=_RUN,
            executor=executor or self._pool,
        ).to_dict()

    def _revive(self) -> None:
        """Start the pool anew if a mutant has killed or blocked it."""
        try:
            for waiting in [self._pool.submit(os.getpid) for _ in range(2 * WORKERS)]:
                waiting.result(timeout=_ALIVE)
        except Exception:  # whatever a broken pool raises
            self._pools.close()
            self._pool = self._pools.enter_context(own_executor(WORKERS))

    def _written(self, mutant: Mutant) -> Path:
        """Write a mutant under the name of its file, its helpers beside it."""
        self._count += 1
        folder = self._scratch / str(self._count)
        folder.mkdir()
        if "_zoo_" in mutant.source:
            for helper in mutant.path.parent.glob("_zoo_*"):
                copy = shutil.copytree if helper.is_dir() else shutil.copy
                copy(helper, folder / helper.name)
        path = folder / mutant.path.name
        path.write_text(mutant.source, "utf-8")
        return path


def _options(entry: zoo.Entry) -> dict[str, Any]:
    """How the function of a file is called."""
    return {
        "sizes": entry.sizes or None, "roles": entry.roles or None,
        "layout": None if entry.layout == "nd" else entry.layout, "returns": ",".join(entry.returns) or None,
    }  # fmt: skip


def failing(entry: zoo.Entry) -> tuple[str, ...]:
    """The claims that the header says the file fails."""
    return tuple(getattr(entry, "fails", ()))
