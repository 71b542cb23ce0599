"""Which failures are made counterexamples, and in which order: the simplest of every claim first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attn_verify.checks.audit.evidence import Evidence
from attn_verify.checks.audit.schedule import Task
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.rounding import PROFILES

Data = Mapping[str, Any]

# Claims about queries that have a key.
_SAME_ROWS = ("alignment", "rounding", "range")
# Failures of one claim that are looked at until one is confirmed.
TRIES = 3


@dataclass(frozen=True)
class Suspect:
    """A failure of a claim, with the task that would confirm it."""

    claim: str
    sample: str
    profile: str
    task: Task


def suspects(found: Evidence) -> dict[str, list[Suspect]]:
    """Return the failures to look at by claim, the simplest first."""
    failures: dict[str, list[Data]] = {claim: list(items) for claim, items in found.failures.items()}
    for violation in found.properties.get("violations", ()):
        # Of two results that contradict one another, one is not near its exact value.
        tries = [{**violation, "arrays": arrays} for arrays in violation["tries"]]
        failures.setdefault("properties", []).extend(tries)
    return {claim: list(_suspects(claim, items)) for claim, items in failures.items()}


def _suspects(claim: str, items: Sequence[Data]) -> Iterator[Suspect]:
    profile = shared_profile([item.get("profile", "") for item in items])
    for number, item in enumerate(sorted(items, key=_simplicity)[:TRIES]):
        data = {"claim": claim, "group": item["group"], "arrays": item["arrays"]}
        if "process" in item and "number" in item:
            data["history"] = {"groups": item["process"], "number": item["number"]}
        yield Suspect(claim, item["sample"], profile, Task(f"confirm {claim} {number}", "confirm", data, 1.0))


def shared_profile(names: Sequence[str]) -> str:
    """Return the precision that explains all failures, the coarsest of theirs; empty where one has none.

    What is wrong for another reason lies inside the bound of some precision now and then.
    """
    order = [profile.name for profile in PROFILES]
    return "" if not names or "" in names else max(names, key=order.index)


def _simplicity(item: Data) -> tuple[bool, int]:
    """Order wrong numbers before exceptions, small arrays before large ones."""
    sizes = item["group"]["sizes"]
    kind = item.get("found", {}).get("kind", "value")
    return kind != "value", sizes["n"] * sizes.get("m", sizes["n"])


def confirm_all(
    found: Evidence, run: Callable[[Sequence[Task]], None], results: Mapping[str, Data]
) -> None:  # fmt: skip
    """Fill in the counterexamples of ``found``, and why a failure has none; ``run`` has tasks done.

    One failure of each claim is looked at first, further ones only where it could not be confirmed.
    """
    listed = suspects(found)
    for turn in range(TRIES):
        now = [own[turn] for own in listed.values() if turn < len(own) and own[turn].claim not in found.counterexamples]
        if not now:
            break
        # One history is enough.
        short = "determinism" in found.counterexamples
        run([_without_history(suspect.task) if short else suspect.task for suspect in now])
        for suspect in now:
            result = results.get(suspect.task.name, {})
            if "counterexample" in result:
                found.counterexamples[suspect.claim] = {
                    **result, "sample": suspect.sample, "profile": suspect.profile,
                }  # fmt: skip
            else:
                reason = result.get("lost") or result.get("error") or "there was no time to repeat it"
                if "history" in result:
                    reason = "only after other calls in the same process: see determinism"
                    found.counterexamples.setdefault(
                        "determinism", {"counterexample": result["history"], "sample": suspect.sample}
                    )
                found.unconfirmed.setdefault(suspect.claim, f"a failure was seen, but {reason}")
    _blame(found)


def _without_history(task: Task) -> Task:
    """Return a task that does not look for calls before a failure."""
    return replace(task, data={name: item for name, item in task.data.items() if name != "history"})


def _blame(found: Evidence) -> None:
    """Leave ``empty_rows`` open where what is wrong is wrong without queries that have no key, too."""
    item = found.counterexamples.get("empty_rows")
    if item is None:
        return
    example = Counterexample.from_dict(item["counterexample"])
    if not example.found.get("unit"):
        return
    row = example.plan.units[example.found["unit"] - 1].allowed[example.found["entry"][-2] - 1]
    others = [name for name in _SAME_ROWS if name in found.counterexamples]
    if found.proof is not None and found.proof["status"] == "REFUTED":
        others.insert(0, found.proof["name"])
    if any(row) and others:
        del found.counterexamples["empty_rows"]
        found.unconfirmed["empty_rows"] = (
            f"not judged: queries that have a key are wrong, with or without queries that have none (see {others[0]})"
        )
