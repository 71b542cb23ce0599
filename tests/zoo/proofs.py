"""Run ``prove`` on entries of the zoo, several in one process with one worker."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zoo

from attn_verify.checks.proof_report import Proof, verdict_of
from attn_verify.checks.prove import Prover
from attn_verify.checks.replay import replay
from attn_verify.checks.verdict import Status
from attn_verify.errors import AttnVerifyError
from attn_verify.spec import AttentionSpec
from attn_verify.targets.runner import Runner

SEED = 7
# Seconds after which few further masks of an entry are looked at, so that the whole zoo takes minutes.
PATIENCE = 0.0
# What must not be proved is looked at here first, at which it is soonest undecided.
TINY = {"n": 1, "m": 2, "d_k": 2, "d_v": 1}


def judge(name: str, runner: Runner) -> dict[str, Any]:
    """Return status, reasons and, for a refutation, what its saved file says when it is replayed."""
    entry = next(e for e in zoo.entries() if e.name == name)
    hidden = entry.kind in ("adversarial", "state")
    try:
        proof = None
        if entry.kind == "adversarial" and entry.expected == "not PROVED":
            proof = proof_at(entry, runner, entry.sizes or TINY, seconds=3, search_seconds=0.0)
        if proof is None or proof.status > Status.UNDECIDED:
            # Where a refutation is not required, little time is spent on one; where it would be wrong, some.
            search = 0.5 if hidden else 3.0 if entry.expected == "not REFUTED" else 24.0
            proof = proof_at(entry, runner, entry.sizes, seconds=3 if hidden else 20, search_seconds=search)
        with tempfile.TemporaryDirectory() as directory:
            verdict = verdict_of(proof, save_dir=directory)
            saved = verdict.evidence.get("saved")
            replayed = replay(Path(saved), runner=runner).status.name if saved and not hidden else ""
    except AttnVerifyError as error:
        return {"status": "ERROR", "text": str(error), "replayed": "", "scope": {}}
    reasons = verdict.evidence.get("reasons") or [verdict.evidence.get("summary") or verdict.evidence.get("text", "")]
    return {
        "status": Status(verdict.status or 0).name,
        "text": "; ".join(reasons[:4]),
        "replayed": replayed,
        "scope": dict(verdict.scope),
        "assumptions": [dict(note) for note in verdict.assumptions],
    }


def proof_at(
    entry: zoo.Entry, runner: Runner, sizes: Mapping[str, int], *, seconds: float, search_seconds: float
) -> Proof:  # fmt: skip
    prover = Prover(
        runner, seed=SEED, seconds=seconds, search_seconds=search_seconds, thorough=False, patience=PATIENCE
    )  # fmt: skip
    return prover.prove(
        entry.target,
        AttentionSpec.of(*entry.spec),
        sizes=sizes,
        roles=entry.roles or None,
        layout=None if entry.layout == "nd" else entry.layout,
        returns=",".join(entry.returns) or None,
    )
