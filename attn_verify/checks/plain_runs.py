"""The float runs that stand beside a proof: in a plain Python process, and observed, at points of every case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attn_verify.checks.outcome import Outcome, ProvedPath, check_plain, short_place
from attn_verify.checks.proof_report import Proof
from attn_verify.checks.trial_lines import check_lines
from attn_verify.checks.trials import Trial, check_trials, trials
from attn_verify.checks.verdict import Status

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
    _check_unobserved(proof, runner, tried, seconds)


def _check_unobserved(proof: Proof, runner: Any, tried: Sequence[Trial], seconds: float) -> None:
    """Doubt a case that runs other lines where nothing but its lines is watched: its source is compiled as it is.

    What is handed to an observed target is never quite what it is given otherwise.  A branch that depends on it is seen
    here, also where nothing wakes what it does.
    """
    asked = [(outcome, outcome.paths[:1], outcome.case.call(proof.target)) for outcome in proof.outcomes]
    asked += [(trial.outcome, [trial.path] if trial.path else [], trial.call(proof.target)) for trial in tried]
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        runs = runner.run_many([call for _, _, call in some], seconds=seconds)
        for (outcome, paths, call), result in zip(some, runs, strict=True):
            if outcome.status is Status.UNDECIDED or result["outcome"] != "returned":
                continue
            if more := _other_lines(outcome, paths, result):
                # A buffer that is kept sends later calls another way.
                more = _other_lines(outcome, paths, runner.run(call, seconds=seconds))
            if more:
                shown = ", ".join(map(short_place, more[:3]))
                outcome.doubt(f"in floats, and not observed, it runs other lines than exact numbers do: {shown}")


def _other_lines(outcome: Outcome, paths: Sequence[ProvedPath], result: Json) -> list[str]:
    """Return the lines that floats ran and exact numbers on no path; of one path, also those that floats left out."""
    ran = set(result["lines"])
    known = {line for path in outcome.paths for line in path.lines}
    left = {line for path in paths for line in path.lines} - ran
    return sorted((ran - known) | (left if len(paths) == 1 and known else set())) if known else []


def _first(tried: Sequence[Trial]) -> frozenset[int]:
    """Return the numbers of the trials whose calls are each the first one of a process: some on every path."""
    woken = [number for number, trial in enumerate(tried) if trial.woken]
    return frozenset(woken[:: max(1, -(-len(woken) // _FIRST))])
