"""What an audit says about a mutant: killed, stillborn, equivalent within a stated scope, or a gap in our checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Data = Mapping[str, Any]

KILLED, STILLBORN, EQUIVALENT, GAP = "killed", "stillborn", "equivalent", "gap"
# Scores are legal up to ±1e5; a masked one that is so much lower than all others has a weight of 0 in every format.
_NEAR = -2e5 - 1e3
# What counts as a proof of the claims formula and gradient.
_PROVED = ("PROVED", "PROBABLE")


@dataclass(frozen=True)
class Outcome:
    """The fate of a mutant, the claims that killed it, and why that is its fate."""

    status: str
    killed_by: tuple[str, ...] = ()
    why: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)


def statuses(audit: Data) -> dict[str, str]:
    """The status of every claim that applies."""
    return {claim["name"]: claim["status"] for claim in audit["claims"] if claim["applies"]}


def refuted(audit: Data) -> tuple[str, ...]:
    """The names of the claims that are refuted."""
    return tuple(name for name, status in statuses(audit).items() if status == "REFUTED")


def outcome(audit: Data, original: Data | None, excused: Collection[str] = ()) -> Outcome:
    """Judge a mutant by its audit and by that of the file that it was made from.

    Without the latter it is killed or a gap.

    A claim that the original fails, or that is ``excused`` by its header, kills no mutant.  A survivor is equivalent
    only if the formula is proved, at every size at which it is for the original, and every other claim was tested, or
    is open for the same reason as for the original; what else is undecided is a gap, since nobody knows.
    """
    forgiven = {*(refuted(original) if original is not None else ()), *excused}
    found = statuses(audit)
    killed_by = tuple(name for name in refuted(audit) if name not in forgiven)
    if killed_by:
        first = _claim(audit, killed_by[0])
        return Outcome(KILLED, killed_by, str(first["evidence"].get("summary", ""))[:300], found)
    if original is None:
        return Outcome(GAP, (), "not refuted", found)
    reasons = [*_undecided(audit, {*forgiven, *_as_open(audit, original)}), *_narrower(audit, original)]
    reasons += _limits(audit, original)
    if not any(found.get(name) in _PROVED for name in ("formula", "gradient")) and not reasons:
        reasons.append("formula does not apply")
    if reasons:
        return Outcome(GAP, (), "; ".join(reasons), found)
    return Outcome(EQUIVALENT, (), _covered(audit, original), found)


def explained(gap: Outcome, longer: Outcome, seconds: float) -> Outcome:
    """Return the fate of a gap after a longer audit: equivalent if that shows it; killed too late is still a gap."""
    if longer.status == EQUIVALENT:
        return Outcome(EQUIVALENT, (), f"{longer.why} (in {seconds:g} s)", longer.claims)
    if longer.status == KILLED:
        return Outcome(GAP, (), f"only an audit of {seconds:g} s kills it, by {', '.join(longer.killed_by)}; {gap.why}")
    return Outcome(GAP, (), f"in {seconds:g} s too: {longer.why}", longer.claims)


def proof_is_missing(audit: Data, original: Data) -> bool:
    """Whether nothing but a proof, or its sizes, tells a survivor from one that is equivalent."""
    return outcome(with_proof(audit, _formula(original)), original).status == EQUIVALENT


def with_proof(audit: Data, proof: Data) -> Data:
    """Return the audit with what another proof says of the formula."""
    kept = ("status", "scope", "assumptions", "evidence")
    claims = [
        {**claim, **{key: proof[key] for key in kept}} if claim["name"] == proof["name"] else claim
        for claim in audit["claims"]
    ]
    return {**audit, "claims": claims}


def _formula(audit: Data) -> Data:
    return next(c for c in audit["claims"] if c["name"] in ("formula", "gradient") and c["applies"])


def _claim(audit: Data, name: str) -> Data:
    return next(claim for claim in audit["claims"] if claim["name"] == name)


def _as_open(audit: Data, original: Data) -> list[str]:
    """The claims, other than the formula, that are undecided for the same reason as for the original."""
    open_ = {claim["name"]: claim for claim in original["claims"] if claim["status"] == "UNDECIDED"}
    return [
        claim["name"]
        for claim in audit["claims"]
        if claim["status"] == "UNDECIDED"
        and claim["name"] not in ("formula", "gradient")
        and claim["name"] in open_
        and claim["evidence"].get("summary") == open_[claim["name"]]["evidence"].get("summary")
    ]


def _undecided(audit: Data, forgiven: Collection[str]) -> list[str]:
    """The claims that say nothing about the mutant, and why."""
    found = []
    for claim in audit["claims"]:
        needed = _PROVED if claim["name"] in ("formula", "gradient") else ("TESTED", *_PROVED)
        if claim["applies"] and claim["status"] not in needed and claim["name"] not in forgiven:
            found.append(f"{claim['name']} {claim['status']}: {claim['evidence'].get('summary', '')}"[:300])
    return found


def _limits(audit: Data, original: Data) -> list[str]:
    """The finite fills that legal scores come near to, which the original does not have."""
    known = {note.get("fill") for claim in original["claims"] for note in claim["assumptions"]}
    return [
        f"equal in the limit only: {note['text']}"[:200]
        for claim in audit["claims"]
        for note in claim["assumptions"]
        if note.get("kind") == "fill_limit" and note.get("fill") not in known and note.get("fill", 0.0) > _NEAR
    ]


def _sizes(audit: Data) -> set[str]:
    """The sizes at which the formula was proved, without the count of masks."""
    claims = [claim for claim in audit["claims"] if claim["name"] in ("formula", "gradient")]
    return {
        str(sizes).partition(" (")[0]
        for claim in claims
        if claim["status"] in _PROVED
        for sizes in claim["scope"].get("sizes", ())
    }


def _narrower(audit: Data, original: Data) -> list[str]:
    missing = sorted(_sizes(original) - _sizes(audit))
    if not missing or not _sizes(audit):
        return []
    return [f"the formula is proved at fewer sizes than for the original, not at {missing[0]}"]


def _covered(audit: Data, original: Data) -> str:
    """Say over which scope a mutant is equivalent, and what the original needs not assume."""
    proof = _formula(audit)
    inputs = sum(int(c["scope"].get("inputs") or 0) for c in audit["claims"] if c["status"] == "TESTED")
    said = f"{proof['name']} {proof['status']} at {len(_sizes(audit))} sizes, {inputs} inputs inside the bound"
    said += "".join(f"; {name} is open as for the original" for name in _as_open(audit, original))
    before = {note.get("kind") for claim in original["claims"] for note in claim["assumptions"]}
    new = [note for claim in audit["claims"] for note in claim["assumptions"] if note.get("kind") not in before]
    return said + "".join(f"; assuming {note.get('text', note.get('kind'))}" for note in new)[:300]
