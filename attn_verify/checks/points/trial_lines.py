"""What trials execute and note inside: in floats it must be what exact numbers do on the same path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attn_verify.checks.outcome import check_ended, check_limits, in_parts, line_of, short_place
from attn_verify.checks.points.trials import Trial
from attn_verify.checks.shadow import Shadow, shown_place

Json = Mapping[str, Any]

# Runs whose lines are watched, and further ones whose values are noted.
_WATCHED, _NOTED = 24, 300
# Inputs of all runs in one process together: what is noted inside of them grows with these, and takes much memory.
_AT_ONCE = 1536
# Stands for all places where other instructions ran.
_WAY = "way"


def check_lines(
    tried: Sequence[Trial], run: Callable[[list[dict[str, Any]]], list[Json]], target: str
) -> dict[int, Json]:
    """Doubt a target that runs other lines in floats, at some of the inputs, than exact numbers do; return the runs.

    So it is where an exception or a warning of floats chooses the way.  Far inputs come first.  On a known path the
    instructions must be the same, and so must be what expressions give, as far as it is no exact number.
    The runs have the numbers of their trials.
    """
    order = sorted(tried, key=lambda trial: (trial.benign, not trial.fresh))
    far = [trial for trial in order if not trial.benign][:_WATCHED]
    near = [trial for trial in order if trial.benign]
    watched = max(_WATCHED, len(far) + _WATCHED // 2)
    fresh = len(far) + sum(trial.fresh for trial in near)  # which come before the others
    chosen = [*far, *near][: max(watched + _NOTED, fresh)]
    calls = [{**trial.call(target), "observed": True, "unwatched": at >= watched} for at, trial in enumerate(chosen)]
    settled = set[str]()
    told = set[tuple[int, str]]()
    numbers = {id(trial): number for number, trial in enumerate(tried)}
    runs: dict[int, Json] = {}
    most = max((len(call["point"]) for call in calls), default=1)
    for trial, call, result in zip(chosen, calls, in_parts(calls, run, max(4, _AT_ONCE // most)), strict=True):
        check_ended(trial.outcome, result, "observed")
        runs[numbers[id(trial)]] = {name: result[name] for name in ("outcome", "value")}
        check_limits(trial.outcome, result)
        inside = _inside(trial, result)
        values = result.get("values", {})
        seen = repr((id(trial.path), inside, result["opcodes"], [values.get(place) for place in inside]))
        if seen in settled:
            inside = []
        if inside:
            # Something that is kept between calls, or differs from run to run, says nothing.
            again = run([{**call, "unwatched": False}])[0]
            others = again.get("values", {})
            same = {place for place in inside if values.get(place) == others.get(place)}
            inside = [place for place in _inside(trial, again) if place in same]
            settled.add(seen)
        if inside:
            trial.outcome.doubt(
                f"floats and exact numbers differ inside, on one of {len(trial.outcome.paths)} paths: "
                + (shown_place(inside[0]) if inside[0] != _WAY else "they take different ways"),
                "avoid values that depend on types, dtypes, identity or the process",
            )
            continue
        more = _further(trial, result)
        if more:
            # A buffer that is kept sends later calls another way.
            more = _further(trial, run([{**call, "unwatched": False}])[0])
        shown = ", ".join(map(short_place, more[:3]))
        if more and not trial.outcome.only_partial and (id(trial.outcome), shown) not in told:
            told.add((id(trial.outcome), shown))
            trial.outcome.doubt(
                f"floats run lines that exact numbers do not, at scores up to {trial.score:.2g}: {shown}"
            )
    return runs


def _further(trial: Trial, result: Json) -> list[str]:
    """Return the lines that floats ran, and exact numbers on no path."""
    paths = trial.outcome.paths
    more = sorted(set(result["lines"]).difference(*(path.lines for path in paths)))
    blocks = set(result.get("blocks", ())).difference(*(path.blocks for path in paths))
    return more or sorted(set(map(line_of, blocks)))


def _inside(trial: Trial, result: Json) -> list[str]:
    """Return the places of expressions that gave something else than exact numbers did on the path of the trial."""
    path = trial.path
    if path is None or not trial.benign or result["outcome"] != "returned":
        return []
    ways = not result["opcodes"] or (result["opcodes"] == path.way and path.lines == set(result["lines"]))
    real = {place: result["values"].get(place, []) for place in path.values}
    return ([] if ways else [_WAY]) + Shadow(path.values, trial.outcome.notes).differences(real)
