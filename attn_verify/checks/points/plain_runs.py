"""The float runs that stand beside a proof: in a plain Python process, and observed, at points of every case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attn_verify.checks.outcome import Outcome, ProvedPath, check_ended, check_plain, in_parts, line_of, short_place
from attn_verify.checks.points.trial_lines import check_lines
from attn_verify.checks.points.trials import Trial, check_trials, trials
from attn_verify.checks.proof_report import Proof
from attn_verify.checks.verdict import Status

Json = Mapping[str, Any]

# Calls that are made in one process, and those that are each the first one of a process.
_AT_ONCE, _FIRST = 200, 96


def check_plain_runs(proof: Proof, runner: Any, *, seed: int, seconds: float) -> None:
    """Run every case in a plain process: at its point, and at others that its paths and magnitudes ask for.

    The arguments are given as a user may give them too, by position.  At the other points the target is observed in
    floats as well, and at all of them it runs once more with nothing but its instructions watched.
    """
    tried = trials(proof.outcomes, proof.spec, seed)
    own = [outcome.case.call(proof.target) for outcome in proof.outcomes]
    further = [trial.call(proof.target) for trial in tried]

    def run(asked: list[dict[str, Any]]) -> list[Json]:
        return list(runner.run_many(asked, seconds=seconds))

    first = _first(tried)
    calls = [*own, *map(_by_position, own)]
    for number, (trial, call) in enumerate(zip(tried, further, strict=True)):
        calls.append({**_by_position(call), "first": number in first} if trial.woken else call)
    results = list(in_parts(calls, lambda asked: list(runner.plain(asked, seconds=seconds)), _AT_ONCE))
    for outcome, result in zip(2 * proof.outcomes, results, strict=False):
        check_plain(outcome, result)
    observed = check_lines(tried, run, proof.target)
    check_trials(zip(tried, results[2 * len(own) :], strict=True), proof.spec, observed)
    asked = [(outcome, outcome.paths[:1]) for outcome in proof.outcomes]
    asked += [(trial.outcome, [trial.path] if trial.path else []) for trial in tried]
    calls = own + further
    for (outcome, paths), call, result in zip(asked, calls, in_parts(calls, run, _AT_ONCE), strict=True):
        _check_unobserved(outcome, paths, result, lambda call=call: runner.run(call, seconds=seconds))


def _by_position(call: dict[str, Any]) -> dict[str, Any]:
    return {**call, "positional": call["leading"]}


def _check_unobserved(outcome: Outcome, paths: Sequence[ProvedPath], result: Json, again: Any) -> None:
    """Doubt a case that takes another way where nothing is noted and only its instructions are watched.

    What is handed to an observed target is never quite what it is given otherwise.  A branch that depends on it is seen
    here, also where nothing wakes what it does.
    """
    if outcome.status is Status.UNDECIDED:
        return
    check_ended(outcome, result, "not observed")
    more = _other_ways(outcome, paths, result)
    if more:
        # A buffer that is kept sends later calls another way.
        more = _other_ways(outcome, paths, again())
    if more:
        shown = ", ".join(map(short_place, more[:3]))
        outcome.doubt(f"in floats, and not observed, it runs other lines than exact numbers do: {shown}")


def _other_ways(outcome: Outcome, paths: Sequence[ProvedPath], result: Json) -> list[str]:
    """Return the lines that floats ran and exact numbers on no path; of one path, also those that floats left out.

    If there are none, return where they took another way inside a line.
    """
    known = {line for path in outcome.paths for line in path.lines}
    if result["outcome"] != "returned" or not known:
        return []
    ran = set(result["lines"])
    left = {line for path in paths for line in path.lines} - ran
    inside = set(result["blocks"])
    other = inside.difference(*(path.blocks for path in outcome.paths))
    other |= {block for path in paths for block in path.blocks} - inside
    return sorted((ran - known) | left) or sorted({line_of(block) for block in other})


def _first(tried: Sequence[Trial]) -> frozenset[int]:
    """Return the numbers of the trials whose calls are each the first one of a process: some on every path."""
    woken = [number for number, trial in enumerate(tried) if trial.woken]
    return frozenset(woken[:: max(1, -(-len(woken) // _FIRST))])
