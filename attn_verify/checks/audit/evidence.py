"""The results of all tasks, sorted by what they bear on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attn_verify.checks.rounding import Fraction

Data = Mapping[str, Any]


@dataclass
class Tally:
    """All trials that bear on one claim."""

    inputs: int = 0
    entries: int = 0
    failed: int = 0
    largest_ulp: float = 0.0
    bounds: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    dtypes: dict[str, int] = field(default_factory=dict)
    empty_rows: set[str] = field(default_factory=set)
    large: int = 0

    def add(self, group: Data, record: Data) -> None:
        """Take the record of a group into account."""
        for name in ("inputs", "entries", "failed"):
            setattr(self, name, getattr(self, name) + record[name])
        self.largest_ulp = max(self.largest_ulp, record["largest_ulp"])
        for key, (largest, judged) in record["bounds"].items():
            profile, _, kind = key.rpartition("/")
            known = self.bounds.get((profile, kind), Fraction(0.0, 0))
            self.bounds[profile, kind] = Fraction(max(known.largest, largest), known.judged + int(judged))
        count = record["inputs"]
        sizes = sizes_in_words(group["sizes"])
        for table, key in (
            (self.sizes, sizes), (self.masks, group["mask_name"]), (self.dtypes, group["dtype"]),
        ):  # fmt: skip
            table[key] = table.get(key, 0) + count
        for own, other in ((self.kinds, record["kinds"]), (self.lost, record["lost"])):
            for key, number in other.items():
                own[key] = own.get(key, 0) + number
        self.empty_rows |= set(record["empty_rows"])
        if group["sizes"]["n"] * group["sizes"].get("m", group["sizes"]["n"]) >= 64:
            self.large += count


@dataclass
class Evidence:
    """The results of an audit, sorted: tallies and failures by claim, and what else was found out."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: dict[str, list[Data]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    proof: Data | None = None
    coverage: Data = field(default_factory=dict)
    properties: Data = field(default_factory=dict)
    surroundings: dict[str, Data] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    counterexamples: dict[str, dict[str, Any]] = field(default_factory=dict)
    unconfirmed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def suspicious(self) -> bool:
        """Whether something failed that is no counterexample yet."""
        return bool(self.failures or self.properties.get("violations"))

    def tally(self, claim: str) -> Tally:
        """Return the tally of a claim."""
        return self.tallies.setdefault(claim, Tally())


def sizes_in_words(sizes: Mapping[str, int]) -> str:
    """Return sizes as text; one head is none to speak of.

    >>> sizes_in_words({"n": 1, "m": 2, "d_k": 1, "d_v": 1, "heads": 1})
    'n=1, m=2, d_k=1, d_v=1'
    """
    shown = {name: size for name, size in sizes.items() if name != "apart" and (name, size) != ("heads", 1)}
    return ", ".join(f"{name}={size}" for name, size in shown.items())


def sort_results(results: Sequence[Data]) -> Evidence:
    """Sort the results of tasks, in the order of the schedule."""
    found = Evidence()
    found.refused = _refused_dtypes([group for result in results for group in result.get("groups", ())])
    for result in results:
        _add_groups(found, result.get("groups", ()))
    for result in results:
        _share_seconds(found.seconds, result)
        if result.get("error"):
            found.errors.append(f"{result['name']}: {result['error']}")
        if "proof" in result:
            found.proof = result["proof"]
        if "coverage" in result:
            found.coverage = result["coverage"]
        if "counts" in result:
            found.properties = result
        for name, own in result.get("surroundings", {}).items():
            found.surroundings[name] = own
            if "counterexample" in own:
                found.counterexamples[name] = {"counterexample": own["counterexample"], "sample": ""}
    return found


def _add_groups(found: Evidence, groups: Sequence[Data]) -> None:
    """Add the groups of one process, whose trials have come in this order."""
    process = [group["group"] for group in groups]
    for group in groups:
        for claim, record in group["records"].items():
            if group["group"]["dtype"] in found.refused:
                continue
            found.tally(claim).add(group["group"], record)
            for failure in record["failures"]:
                item = {**failure, "group": group["group"], "always": record["raised"] == record["inputs"]}
                found.failures.setdefault(claim, []).append({**item, "process": process})


def _share_seconds(seconds: dict[str, float], result: Data) -> None:
    """Add the time of a task to the claims that it bore on, by their numbers of inputs."""
    inputs: dict[str, int] = {}
    for group in result.get("groups", ()):
        for claim, record in group["records"].items():
            inputs[claim] = inputs.get(claim, 0) + record["inputs"]
    if "proof" in result:
        inputs = {result["proof"]["name"]: 1}
    elif "counts" in result:
        inputs = {"properties": 1}
    elif result.get("surroundings"):
        inputs = dict.fromkeys(result["surroundings"], 1)
    for claim, count in inputs.items():
        share = result.get("seconds", 0.0) * count / max(1, sum(inputs.values()))
        seconds[claim] = seconds.get(claim, 0.0) + share


def _refused_dtypes(groups: Sequence[Data]) -> dict[str, str]:
    """Return dtypes, other than the first, that the target takes nowhere: it raises on every input."""
    counts: dict[str, list[int]] = {}
    texts: dict[str, str] = {}
    for group in groups:
        dtype = group["group"]["dtype"]
        for record in group["records"].values():
            seen = counts.setdefault(dtype, [0, 0])
            seen[0] += record["inputs"]
            seen[1] += record["raised"]
            for failure in record["failures"]:
                if failure["found"]["kind"] == "raised":
                    error = failure["found"]["exception"]
                    texts.setdefault(dtype, f"{error['type']}: {error['text']}"[:160])
    first = groups[0]["group"]["dtype"] if groups else ""
    return {
        dtype: texts.get(dtype, "it raises")
        for dtype, (inputs, raised) in counts.items()
        if dtype != first and inputs and inputs == raised
    }
