"""From the outcomes of many cases to one verdict: the weakest counts, the scope says what was covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from attn_verify.checks.outcome import METHOD, Outcome
from attn_verify.checks.verdict import Claim, Status, Verdict
from attn_verify.errors import NothingCheckedError, explain
from attn_verify.spec import AttentionSpec

# Reasons, places and assumptions that a report lists before it says how many more there are.
_SHOWN = 12
# Cases that must have been explored to the end before others may be left over.
_ENOUGH = 3


@dataclass
class Proof:
    """Everything that ``prove`` found out about one target."""

    target: str
    name: str
    spec: AttentionSpec
    claim: str
    file: str | None
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    conventions: list[str] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    counterexample: Any = None
    hint: str = ""

    @property
    def status(self) -> Status:
        """The weakest status of a case; a counterexample refutes."""
        if self.counterexample is not None:
            return Status.REFUTED
        if not self.outcomes:
            remedy = "give sizes and conventions that the function accepts"
            raise NothingCheckedError(explain(f"prove {self.target}", "no case was run", remedy=remedy))
        return min(outcome.status for outcome in self.judged)

    @property
    def judged(self) -> list[Outcome]:
        """The cases that bear on the status.

        Paths multiply with the sizes.  Where several cases were explored to the end, one with two queries and
        two keys among them, those with paths left over are reported and not counted.
        """
        whole = [outcome for outcome in self.outcomes if not outcome.only_partial]
        enough = len(whole) >= _ENOUGH and any(min(o.case.sizes.n, o.case.sizes.keys) > 1 for o in whole)
        return whole if enough else self.outcomes


def verdict_of(proof: Proof, *, certificate: str | Path | None = None, save_dir: str | Path | None = None) -> Verdict:
    """Return the verdict on a proof; write its certificate, or its counterexample, where that is asked for."""
    status = proof.status
    evidence: dict[str, Any] = _evidence(proof, status)
    if status is Status.REFUTED and save_dir is not None:
        with suppress(OSError):
            Path(save_dir).mkdir(parents=True, exist_ok=True)
        path = _free_name(Path(save_dir), proof.name)
        proof.counterexample.save(path)
        evidence["saved"] = str(path)
    if status is Status.PROVED and certificate is not None:
        from attn_verify.checks.certificate_of_proof import certify

        certify(proof, Path(certificate))
        evidence["certificate"] = str(certificate)
    return Verdict(
        Claim(proof.claim, _STATEMENTS[proof.claim].format(name=proof.name)),
        status,
        method=_method(proof, status),
        scope=_scope(proof),
        assumptions=tuple(_assumptions(proof)) if status > Status.UNDECIDED else (),
        evidence=evidence,
        subject={"target": proof.target, "spec": proof.spec.to_dict(), "seed": proof.seed, "version": _version()},
    )


_STATEMENTS = {
    "formula": "{name} equals the formula for all real inputs",
    "gradient": "{name} equals the gradient of the formula for all real inputs",
}


def _version() -> str:
    from attn_verify import __version__

    return __version__


def _method(proof: Proof, status: Status) -> str:
    if status is Status.REFUTED:
        return "run in floats, against balls and the widest rounding bound"
    methods = sorted({method for outcome in proof.outcomes for method in outcome.methods}, reverse=True)
    if not methods:
        return "running the target on exact numbers"
    return " and ".join(methods) + ("" if methods == [METHOD] else " on traced programs")


def _scope(proof: Proof) -> dict[str, Any]:
    outcomes = proof.judged
    if proof.counterexample is not None:
        return {
            "sizes": [proof.counterexample.sizes_in_words],
            "number_system": "floats",
            "conventions": _first(proof.conventions),
            "roles": _first(proof.bound),
            "inputs": "the counterexample",
        }
    sizes: dict[str, int] = {}
    for outcome in outcomes:
        text = outcome.described
        sizes[text] = sizes.get(text, 0) + 1
    excluded = _first([item for outcome in outcomes for item in outcome.excluded])
    scope: dict[str, Any] = {
        "sizes": [text if count == 1 else f"{text} ({count} masks)" for text, count in sizes.items()],
        "number_system": "real numbers (exact)",
        "masks": _by_place(proof.masks),
        "conventions": _first(proof.conventions),
        "roles": _first(proof.bound),
        "cases": len(outcomes),
        "entries": sum(outcome.entries for outcome in outcomes),
        "paths": sum(len(outcome.paths) for outcome in outcomes),
        "calls": "the first call in a fresh process; C-contiguous float64 arrays that share no memory",
        "inputs": "all real inputs" + (" but those where an excluded equation holds" if excluded else ""),
    }
    if excluded:
        scope["excluded"] = excluded
    left = [f"{o.described}: {len(o.paths)} paths, and there are more" for o in proof.outcomes if o not in outcomes]
    if proof.spec.empty_row != "any":
        left.append(f"queries without a key: what empty_row = {proof.spec.empty_row} asks for is not judged")
    if proof.refused or left:
        scope["not_covered"] = _first([*left, *proof.refused])
    return scope


def _evidence(proof: Proof, status: Status) -> dict[str, Any]:
    if status is Status.REFUTED:
        text = proof.counterexample.text()
        hint = {"hint": proof.hint} if proof.hint else {}
        return {"kind": "counterexample", "text": text, **hint, "counterexample": proof.counterexample.to_dict()}
    if status is Status.UNDECIDED:
        doubtful = [outcome for outcome in proof.judged if outcome.status is Status.UNDECIDED]
        remedies = [outcome.remedy for outcome in doubtful if outcome.remedy]
        return {
            "kind": "undecided",
            "reasons": _first([reason for outcome in doubtful for reason in outcome.reasons]),
            "remedy": remedies[0] if remedies else "",
            "undecided": len(doubtful),
        }
    entries = sum(outcome.entries for outcome in proof.judged)
    evidence: dict[str, Any] = {"kind": "proof", "summary": f"{entries} entries equal the formula"}
    if status is Status.PROBABLE:
        worst = max(outcome.error_log2 for outcome in proof.judged)
        evidence["error_log2"] = worst
        evidence["summary"] += f", except with probability 2^{worst:.0f}"
    return evidence


def _assumptions(proof: Proof) -> list[Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for outcome in proof.outcomes:
        for note in outcome.notes:
            found.setdefault((note["kind"], note["text"]), note)
    fills: dict[Fraction, Fraction] = {}
    for outcome in proof.outcomes:
        for fill, portion in outcome.fills.items():
            fills[fill] = min(portion, fills.get(fill, portion))
    assumptions = list(found.values())
    for fill in sorted(fills):
        assumptions.append({"kind": "fill_limit", "text": _fill_text(fill, fills[fill]), "fill": float(fill)})
    return assumptions


def _fill_text(fill: Fraction, portion: Fraction) -> str:
    return (
        f"{float(fill):g} stands for −∞: equal in the limit only; a masked weight is at most "
        f"exp({float(portion * fill):g} + 2s) where no score exceeds s in magnitude, and not 0"
    )


def _by_place(masks: Sequence[str]) -> list[str]:
    """Return the masks with those of one layout and size in one text, as what is said before the last colon tells."""
    found: dict[str, dict[str, None]] = {}
    for text in masks:
        place, _, mask = text.rpartition(": ")
        found.setdefault(place or mask, {}).setdefault(mask)
    return [f"{place}: {'; '.join(said)}" if place not in said else place for place, said in found.items()]


def _first(items: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(items))
    return unique if len(unique) <= _SHOWN else [*unique[:_SHOWN], f"and {len(unique) - _SHOWN} more"]


def _free_name(directory: Path, name: str) -> Path:
    stem = f"{name.rpartition('.')[2]}-counterexample"
    path = directory / f"{stem}.json"
    number = 2
    while path.exists():
        path = directory / f"{stem}-{number}.json"
        number += 1
    return path
