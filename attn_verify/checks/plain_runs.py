"""The float runs that stand beside a proof: in a plain Python process, and observed, at points of every case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attn_verify.checks.outcome import check_plain
from attn_verify.checks.proof_report import Proof
from attn_verify.checks.trial_lines import check_lines
from attn_verify.checks.trials import Trial, check_trials, trials

Json = Mapping[str, Any]

# Calls that are made in one process, and those that are each the first one of a process.
_AT_ONCE, _FIRST = 200, 96


def check_plain_runs(
    proof: Proof, runner: Any, by_position: Callable[[Json], list[str]], *, seed: int, seconds: float
) -> None:  # fmt: skip
    """Run every case in a plain process: at its point, and at others that its paths and magnitudes ask for.

    The arguments are given as a user may give them too, ``by_position``.  At the other points the target is observed
    in floats as well.
    """
    tried = trials(proof.outcomes, proof.spec, seed)
    calls: list[dict[str, Any]] = [outcome.case.call(proof.target) for outcome in proof.outcomes]
    calls += [{**call, "positional": by_position(call)} for call in calls]
    first = _first(tried)
    for number, trial in enumerate(tried):
        call = trial.call(proof.target)
        calls.append({**call, "positional": by_position(call), "first": number in first} if trial.woken else call)
    results: list[Json] = []
    for start in range(0, len(calls), _AT_ONCE):
        results += runner.plain(calls[start : start + _AT_ONCE], seconds=seconds)
    for outcome, result in zip(2 * proof.outcomes, results, strict=False):
        check_plain(outcome, result)
    observed = check_lines(tried, lambda asked: runner.run_many(asked, seconds=seconds), proof.target)
    check_trials(zip(tried, results[2 * len(proof.outcomes) :], strict=True), proof.spec, observed)


def _first(tried: Sequence[Trial]) -> frozenset[int]:
    """Return the numbers of the trials whose calls are each the first one of a process: some on every path."""
    woken = [number for number, trial in enumerate(tried) if trial.woken]
    return frozenset(woken[:: max(1, -(-len(woken) // _FIRST))])
