"""What an audit covers, as texts without layout: what was tried, how much of it, under which conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attn_verify.report.audit_facts import Data, as_float, evidence, line, number, safe
from attn_verify.report.audit_words import MEANINGS, SAMPLED

_SIZES = 4


def tried(claim: Data) -> Iterator[tuple[str, str]]:
    """Yield label and text of what stands behind a claim that holds."""
    known = evidence(claim)
    proof = known.get("proof")
    if claim.get("method") and not isinstance(proof, Mapping):
        yield "method", line(claim["method"])
    if "inputs" in known:
        many = f", {known['entries']} entries" if "entries" in known else ""
        yield "tried", line(f"{known['inputs']} inputs{many}")
    if "largest_fraction_of_bound" in known:
        ulp = f", {number(known['largest_error_ulp'])} ulp" if "largest_error_ulp" in known else ""
        yield "worst", f"{number(known['largest_fraction_of_bound'])} of the bound{ulp}"
    if known.get("profile"):
        kind = f" (bound of the class “{line(known['class'])}”)" if known.get("class") else ""
        yield "behaves like", line(known["profile"]) + kind
    if isinstance(proof, Mapping):
        yield from _proof(proof)
    else:
        yield from scope(claim.get("scope") or {})
    if known.get("certificate"):
        yield "certificate", line(known["certificate"])


def _proof(proof: Data) -> Iterator[tuple[str, str]]:
    texts = [proof.get("method"), (proof.get("evidence") or {}).get("summary")]
    yield "proof", line(": ".join(str(text) for text in texts if text) or proof.get("status"))
    yield from scope(proof.get("scope") or {})
    for assumption in proof.get("assumptions") or ():
        yield "assuming", line(assumption.get("text", ""), 1000)
    if (proof.get("evidence") or {}).get("certificate"):
        yield "certificate", line(proof["evidence"]["certificate"])


def kinds(claim: Data) -> list[tuple[str, int]]:
    """Return kinds of inputs and how many of each, most first."""
    given = evidence(claim).get("kinds") or {}
    return sorted(((line(kind, 120), int(count)) for kind, count in given.items()), key=lambda pair: (-pair[1], pair))


def missed(data: Data) -> list[str]:
    """Return the lines of the target that no input of any claim reached, ``FILE:LINE``, in order."""
    per_claim = [set(map(str, evidence(claim)["lines_not_reached"])) for claim in data["claims"]
                 if "lines_not_reached" in evidence(claim)]  # fmt: skip
    common = set.intersection(*per_claim) if per_claim else set()
    return [safe(place) for place in sorted(common, key=_by_line)]


def _by_line(place: str) -> tuple[str, int, str]:
    path, _, row = place.rpartition(":")
    return path, int(row) if row.isdecimal() else 0, place


def scope(given: Data) -> Iterator[tuple[str, str]]:
    """Yield label and text of what a claim's scope says."""
    for key, value in given.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, (list, tuple)):
            yield key.replace("_", " "), _listed(value)
        elif isinstance(value, Mapping):
            yield key.replace("_", " "), line(", ".join(f"{name} = {item}" for name, item in value.items()))
        else:
            yield key.replace("_", " "), number(value) if isinstance(value, float) else line(value)


def _listed(values: Sequence[object]) -> str:
    texts = [line(value, 120) for value in values]
    more = f" and {len(texts) - _SIZES} more" if len(texts) > _SIZES else ""
    return "; ".join(texts[:_SIZES]) + more


def whole_scope(data: Data) -> Iterator[tuple[str, str]]:
    """Yield what the audit as a whole covers: conventions, sizes, number types, amounts, time, seed."""
    spec = spec_text(data.get("spec"))
    if spec:
        yield "spec", spec
    scopes = [claim.get("scope") or {} for claim in data["claims"]]
    for key in ("sizes", "dtypes", "masks"):
        found = dict.fromkeys(str(item) for given in scopes for item in _as_list(given.get(key)))
        if found:
            yield key, _listed(list(found))
    inputs = [evidence(claim).get("inputs") for claim in data["claims"]]
    counted = [count for count in inputs if isinstance(count, int)]
    if counted:
        seconds = sum(as_float(given.get("seconds")) or 0.0 for given in scopes)
        yield "inputs", f"{sum(counted)}" + (f", in {number(seconds)} seconds" if seconds else "")
    not_reached = missed(data)
    if not_reached:
        yield "not reached", _listed(not_reached)
    if data.get("seed") is not None:
        yield "seed", line(data["seed"])
    for note in _as_list(data.get("notes")):
        yield "note", line(note, 400)
    if data.get("command"):
        yield "again", line(data["command"])


def versions(data: Data) -> Iterator[tuple[str, str]]:
    """Yield what the audit ran on."""
    given = data.get("versions")
    if isinstance(given, Mapping) and given:
        names = {"attn_verify": "attn-verify", "python": "Python", "numpy": "NumPy"}
        yield "ran on", line(", ".join(f"{names.get(str(key), key)} {value}" for key, value in given.items()))


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def spec_text(spec: object) -> str:
    """Return the conventions that say something, on one line."""
    if not isinstance(spec, Mapping):
        return line(spec) if spec else ""
    silent = {"none", "any", "false"}
    shown = (f"{name} = {value}" for name, value in spec.items() if str(value) not in silent
             and not (name == "mask_true" and spec.get("mask") == "none"))  # fmt: skip
    return line(", ".join(shown))


def outcome(data: Data) -> str:
    """Return what the status of the audit means, and how many claims it rests on."""
    claims: Sequence[Data] = data["claims"]
    counting = [claim for claim in claims if claim["counts"]]
    outside = sum(1 for claim in claims if claim["status"] is not None and not claim["counts"])
    size = f"{len(counting)} claim{'' if len(counting) == 1 else 's'}"
    if outside:
        size += f"; {outside} in brackets could not be determined and {'does' if outside == 1 else 'do'} not count"
    return f"{MEANINGS.get(str(data['status']), 'unknown status')} ({size})."


def worst_first(data: Data) -> str:
    """Return the verdict as a sentence for a headline.

    >>> claims = [{"name": "range", "status": "REFUTED", "counts": True}, {"name": "purity", "status": "TESTED",
    ...           "counts": True}]
    >>> worst_first({"status": "REFUTED", "claims": claims})
    '1 of 2 claims is refuted: range.'
    """
    counting = [claim for claim in data["claims"] if claim["counts"]]
    same = [line(claim["name"], 60) for claim in counting if claim["status"] == data["status"]]
    if data["status"] not in ("REFUTED", "UNDECIDED"):
        verb = "holds" if len(counting) == 1 else "hold"
        return f"{len(counting)} claim{'' if len(counting) == 1 else 's'} {verb}; {SAMPLED[str(data['status'])]}."
    verb = f"{'is' if len(same) == 1 else 'are'} {str(data['status']).lower()}"
    return f"{len(same)} of {len(counting)} claim{'' if len(counting) == 1 else 's'} {verb}: {', '.join(same)}."
