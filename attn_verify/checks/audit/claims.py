"""From the results of all tasks to the verdicts of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attn_verify.checks.audit.advice import causes, look_at
from attn_verify.checks.audit.coverage import places
from attn_verify.checks.audit.evidence import Evidence, Tally
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.counterexample import Counterexample, short
from attn_verify.checks.rounding import Behaviour
from attn_verify.checks.verdict import Claim, Status, Verdict

Data = Mapping[str, Any]

NAMES = (
    "formula", "rounding", "range", "empty_rows", "alignment", "layout", "purity", "determinism", "gradient",
    "properties",
)  # fmt: skip
STATEMENTS = {
    "formula": "{name} equals the formula for all real inputs",
    "gradient": "{name} equals the gradient of the formula for all real inputs",
    "rounding": "on ordinary inputs every entry lies inside the rounding bound",
    "range": "on extreme but legal inputs every entry lies inside the rounding bound",
    "empty_rows": "queries that may attend to nothing get what the spec says, and disturb no others",
    "alignment": "the causal mask is aligned as the spec says where n ≠ m",
    "layout": "strides, order and read-only arrays do not change the result",
    "purity": "the inputs and the state of random generators are left unchanged",
    "determinism": "the same call gives the same result, whatever was called before, and keeps it when more is called",
    "properties": "rows are means of values, the order of keys does not matter, later keys do not either",
}
METHODS = {
    "layout": "run with other strides, against the ball oracle",
    "purity": "inputs compared before and after every call",
    "determinism": "sequences of calls in one process, compared with fresh ones; results looked at again later",
    "properties": "relations between runs, inside twice the rounding bound",
}


def verdicts(subject: Subject, found: Evidence, *, notes: Sequence[str]) -> Iterator[Verdict]:
    """Yield the verdict on every claim, in the documented order."""
    for name in NAMES:
        why_not = does_not_apply(subject, name, found)
        claim = Claim(name, STATEMENTS[name].format(name=subject.name))
        if why_not:
            yield Verdict(claim, None, evidence={"kind": "none", "summary": why_not}, counts=False)
        elif name in ("formula", "gradient"):
            yield _proved(subject, claim, found)
        elif name in found.counterexamples:
            yield _refuted(subject, claim, found)
        else:
            yield _tried(subject, claim, found, notes)


def does_not_apply(subject: Subject, name: str, found: Evidence) -> str:
    """Return why a claim does not apply to the target, empty if it does."""
    binding, spec = subject.binding, subject.spec
    match name:
        case "formula" if binding.gradient:
            return "the target returns gradients"
        case "gradient" if not binding.gradient:
            return "the target returns no gradients"
        case "properties" if binding.gradient:
            return "the target returns gradients"
        case "alignment" if spec.causal == "none":
            return "the spec has no causal mask"
        case "alignment" if binding.keys_apart == "no":
            return "every query is a key: n = m"
        case "alignment" if subject.options.sizes.get("n", 0) == subject.options.sizes.get("m"):
            return "at the given sizes n = m"
        case "empty_rows" if binding.mask == "no" and (spec.causal != "lower_right" or binding.keys_apart == "no"):
            return "every query may attend to a key"
        case "empty_rows" if binding.mask == "no" and {"n", "m"} & set(subject.options.sizes):
            return "at the given sizes every query may attend to a key"
        case "empty_rows" if binding.gradient:
            return "no gradient is defined there"
    return ""


def _proved(subject: Subject, claim: Claim, found: Evidence) -> Verdict:
    proof = found.proof
    if proof is None:
        errors = [text for text in found.errors if text.startswith("proof")]
        summary = errors[0].partition(": ")[2] if errors else "there was no time for a proof"
        return Verdict(claim, Status.UNDECIDED, "", evidence={"kind": "undecided", "summary": summary})
    status = Status[proof["status"]]
    evidence = {**proof["evidence"]}
    if status is Status.REFUTED:
        example = Counterexample.from_dict(evidence["counterexample"])
        evidence |= _told(subject, found, example, {})
        evidence |= {key: value for key, value in (found.counterexamples.get(claim.name) or {}).items() if value}
        evidence |= _where_it_works(subject, example)
    else:
        reasons = evidence.get("reasons") or []
        evidence.setdefault("summary", "; ".join(reasons[:2]) if reasons else evidence.get("text", ""))
        if evidence.get("remedy"):
            evidence["detail"] = "; ".join([*reasons[:4], str(evidence["remedy"])])
    return Verdict(
        claim,
        status,
        proof["method"],
        {**proof["scope"], "seconds": round(found.seconds.get(claim.name, 0.0), 1)},
        tuple(proof["assumptions"]),
        {**evidence, "proof": proof},
    )


def _refuted(subject: Subject, claim: Claim, found: Evidence) -> Verdict:
    item = found.counterexamples[claim.name]
    example = Counterexample.from_dict(item["counterexample"])
    tally = found.tallies.get(claim.name, Tally())
    evidence = {
        **_told(subject, found, example, item),
        "failed": tally.failed,
        "inputs": tally.inputs,
    }
    evidence |= _where_it_works(subject, example)
    scope = {
        "sizes": [example.sizes_in_words],
        "number_system": example.plan.precision,
        "inputs": "the counterexample",
        "seconds": round(found.seconds.get(claim.name, 0.0), 1),
    }
    method = METHODS.get(claim.name, "run in floats, against balls and the widest rounding bound")
    return Verdict(claim, Status.REFUTED, method, scope, (), evidence)


def _where_it_works(subject: Subject, example: Counterexample) -> dict[str, str]:
    """Return what to look at where a target needs sizes that are alike, and was given others."""
    if not subject.only_at or example.kind not in ("raised", "shape"):
        return {}
    text = f"sizes that have to be alike: it gives a result at {subject.only_at}, and none where all sizes differ"
    return {"look_at": f"{text}; if it is meant for such sizes only, name them (--n, --m, …)"}


def _told(subject: Subject, audited: Evidence, example: Counterexample, item: Data) -> dict[str, Any]:
    """Return a counterexample as the evidence of a report."""
    told: dict[str, Any] = {"kind": "counterexample", "summary": example.summary, "failure": example.kind}
    found = example.found
    for name in ("result", "entry", "unit", "error", "bound", "error_bounds", "error_ulp"):
        if name in found:
            told[name] = found[name]
    if "got" in found and isinstance(found["got"], str):
        told["got"] = float.fromhex(found["got"])
    if "exact" in found and isinstance(found["exact"], str):
        told["exact"] = short(found["exact"])
    profile, failures = item.get("profile", ""), _failures(audited)
    try:
        hint = look_at(
            example, profile=profile, picture=item.get("picture"), constants=subject.constants, refuted=list(failures),
            others=[
                causes(Counterexample.from_dict(other["counterexample"]), other.get("picture"), subject.constants)
                for name, other in failures.items() if name != example.claim
            ],
        )  # fmt: skip
    except Exception as error:  # a mistake of ours must not hide what was found
        hint = f"internal error: no hint: {error!r}"
    if profile and profile in hint:
        told["profile"] = profile
        told["summary"] += f"; behaves like {profile}"
    told |= {
        "sample": item.get("sample", ""),
        "look_at": hint,
        "text": example.text(),
        "saved": item.get("saved"),
        "counterexample": example.to_dict(),
    }
    picture = dict(item.get("picture") or {})
    if picture:
        told["formula"] = picture.pop("formula", {})
        told["picture"] = picture
    return told


def _failures(audited: Evidence) -> dict[str, Data]:
    """Return the counterexamples of all claims, that of the proof among them."""
    proof = audited.proof
    found: dict[str, Data] = dict(audited.counterexamples)
    if proof is not None and proof["status"] == "REFUTED":
        found.setdefault(proof["name"], {"counterexample": proof["evidence"]["counterexample"]})
    return found


def _tried(subject: Subject, claim: Claim, found: Evidence, notes: Sequence[str]) -> Verdict:
    name = claim.name
    tally = found.tallies.get(name, Tally())
    own = found.surroundings.get(name, {})
    if name == "properties":
        counts = found.properties.get("counts", {})
        tally = Tally(inputs=sum(counts.values()), kinds=dict(counts), lost=dict(found.properties.get("lost", {})))
        tally.sizes = dict.fromkeys(found.properties.get("sizes", ()), 1)
    elif own:
        tally = Tally(inputs=int(own["inputs"]))
        notes = [*notes, *own["notes"]]
        if own["notes"]:
            # Each of them says what was not judged, not tried, or seen once.
            found.unconfirmed.setdefault(name, str(own["notes"][0]))
    scope = _scope(subject, tally, found.seconds.get(name, 0.0))
    assumptions = ({"kind": "implementation_class", "text": _CLASS},) if name in _BOUNDED else ()
    doubt = found.unconfirmed.get(name) or _doubt(name, tally, found)
    evidence: dict[str, Any] = {
        "kind": "trials", "summary": doubt or _summary(name, tally), "inputs": tally.inputs, "entries": tally.entries,
        "kinds": dict(sorted(tally.kinds.items())),
    }  # fmt: skip
    if tally.entries:
        evidence |= {
            "largest_error_ulp": tally.largest_ulp, "inputs_with_64_scores": tally.large,
            "entries_with_bound": _bounded(tally),
        } | _behaves(tally)  # fmt: skip
    if name == "rounding":
        missed = found.coverage.get("not_reached", [])
        evidence["lines_not_reached"] = places(missed)
        evidence["dtypes_refused"] = dict(found.refused)
    if tally.empty_rows:
        evidence["empty_rows"] = sorted(tally.empty_rows)
    if notes:
        evidence["notes"] = list(notes)
    status = Status.UNDECIDED if doubt else Status.TESTED
    return Verdict(claim, status, METHODS.get(name, "ball oracle and rounding bound"), scope, assumptions, evidence)


_SEEN = {
    "layout": "{} calls: the same results in every layout",
    "purity": "{} calls: inputs and random generators are unchanged",
    "determinism": "{} calls: the same results, whatever came before",
    "properties": "{} comparisons hold",
}
# The tasks, by the first word of their names, that the claims rest on; the others on inputs in floats.
_TASKS = {"layout": "layout", "purity": "state", "determinism": "state", "properties": "properties"}
_BOUNDED = ("rounding", "range", "empty_rows", "alignment", "properties", "layout")
_CLASS = "a result counts as rounding inside the widest class of implementations that has a proved bound"


def _scope(subject: Subject, tally: Tally, seconds: float) -> dict[str, Any]:
    return {
        "sizes": list(tally.sizes),
        "number_system": ", ".join(tally.dtypes) or subject.options.dtypes[0],
        "dtypes": dict(tally.dtypes),
        "inputs": tally.inputs,
        "masks": list(tally.masks),
        "seconds": round(seconds, 1),
        "convention": str(subject.convention),
    }


def _doubt(name: str, tally: Tally, found: Evidence) -> str:
    """Return why nothing can be said, empty if all that was tried is right."""
    if tally.lost and sum(tally.lost.values()) == tally.inputs:
        return "no run gave an answer: " + ", ".join(f"{what} {count} times" for what, count in tally.lost.items())
    if tally.lost:
        return "some runs gave no answer: " + ", ".join(f"{what} {count} times" for what, count in tally.lost.items())
    if not tally.inputs:
        own = [text.partition(": ")[2] for text in found.errors if _TASKS.get(name, "floats") in text.partition(":")[0]]
        return own[0] if own else "nothing was tried: there was no time"
    raised = [word for word in sorted(tally.empty_rows) if word.startswith("raised")]
    if raised:
        return f"with a query that has no key it {', '.join(raised)}: other rows could not be judged"
    if name in ("rounding", "range", "alignment") and tally.entries and not _bounded(tally):
        return "no entry had a bound that says anything"
    return ""


def _bounded(tally: Tally) -> int:
    """Return for how many entries some class had a bound that says anything."""
    return max((seen.judged for seen in tally.bounds.values()), default=0)


def _behaves(tally: Tally) -> dict[str, Any]:
    """Return the tightest profile and class whose bound held in every trial, and how much of it was used."""
    found = Behaviour(tally.inputs, tally.bounds).tightest()
    if found is None:
        return {}
    profile, kind, seen = found
    return {"profile": profile, "class": kind, "largest_fraction_of_bound": seen.largest}


def _summary(name: str, tally: Tally) -> str:
    tried = f"{tally.inputs} input{'' if tally.inputs == 1 else 's'}"
    if name == "empty_rows":
        said = ", ".join(sorted(tally.empty_rows)) or "nothing"
        return f"{tried}: queries without keys get {said}"
    if name in _SEEN:
        return _SEEN[name].format(tally.inputs)
    behaves = _behaves(tally)
    if not behaves:
        return f"{tried}: nothing contradicts it"
    used = f"at most {behaves['largest_fraction_of_bound']:.2g} of the bound, {tally.largest_ulp:.3g} ulp"
    return f"{tried}, {tally.entries} entries: {used}; behaves like {behaves['profile']} ({behaves['class']})"
