"""Audits of mutants: each written to a directory of its own, all done by one pool of two processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import equivalents
import plain_checks
import zoo
from equivalents import GAP, STILLBORN, Outcome
from mutants import Mutant

from attn_verify.checks.audit.pool import own_executor
from attn_verify.checks.audit.run import audit
from attn_verify.errors import AttnVerifyError, TargetError
from attn_verify.spec import AttentionSpec

Data = Mapping[str, Any]

WORKERS = 2
# Seconds of one run of a mutant: it takes milliseconds, unless its loop never ends.
_RUN = 10.0
# Seconds until a pool that does not answer is given up.
_ALIVE = 60.0


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

    def mutant(self, mutant: Mutant, original: Data) -> Data:
        """The fate of a mutant, as plain data."""
        entry = self.entries[mutant.path]
        path = self._written(mutant)
        try:
            plain = plain_checks.judge(entry, path)
            fate = self._fate(entry, path, original, self.budget)
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
        if entry.path not in self._originals:
            self._originals[entry.path] = self._audit(entry, entry.path, self.explain)
        return self._fate(entry, path, self._originals[entry.path], self.explain)

    def _fate(self, entry: zoo.Entry, path: Path, original: Data, budget: float) -> Outcome:
        try:
            found = self._audit(entry, path, budget)
        except TargetError as error:
            return Outcome(STILLBORN, (), " ".join(str(error).split())[:300])
        except AttnVerifyError as error:
            return Outcome(GAP, (), f"{type(error).__name__}: {' '.join(str(error).split())}"[:300])
        return equivalents.outcome(found, original, failing(entry))

    def _audit(self, entry: zoo.Entry, path: Path, budget: float) -> Data:
        self._revive()
        return audit(
            f"{path}::{entry.function}",
            AttentionSpec.of(*entry.spec),
            sizes=entry.sizes or None,
            roles=entry.roles or None,
            layout=None if entry.layout == "nd" else entry.layout,
            returns=",".join(entry.returns) or None,
            budget=budget,
            seed=self.seed,
            seconds=_RUN,
            executor=self._pool,
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


def failing(entry: zoo.Entry) -> tuple[str, ...]:
    """The claims that the header says the file fails."""
    return tuple(getattr(entry, "fails", ()))
