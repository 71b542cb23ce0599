"""The claim ``formula`` (or ``gradient``) of an audit: a proof within a share of the budget."""

from __future__ import annotations

from typing import Any

from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.proof_report import verdict_of
from attn_verify.checks.prove import Prover
from attn_verify.targets.runner import Runner

Data = dict[str, Any]


def prove_within(runner: Runner, subject: Subject, seconds: float) -> Data:
    """Prove as far as ``seconds`` go; what was not looked at is in the scope."""
    options = subject.options
    prover = Prover(
        runner,
        seed=options.seed,
        seconds=options.seconds,
        search_seconds=min(8.0, seconds / 2),
        thorough=False,
        # What follows the cases, runs in floats above all, takes its time too.
        patience=seconds / 2,
    )
    proof = prover.prove(
        options.target,
        subject.spec,
        sizes=options.sizes,
        roles=options.roles or None,
        layout=options.layout,
        returns=options.returns,
    )
    found = verdict_of(proof)
    return {"proof": found.to_dict()}
