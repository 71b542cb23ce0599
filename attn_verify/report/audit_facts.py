"""What every form of an audit's report says of a claim, as texts without layout, from ``Audit.to_dict()``."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attn_verify.report.audit_words import CLAIMS

Data = Mapping[str, Any]

CODE_LINES = 60
"""Python text up to this many lines is shown whole."""

_HEAD_LINES = 24
_TAIL_LINES = 16


def safe(value: object) -> str:
    """Return text without characters that could steer a terminal, turn the direction of writing or break XML.

    >>> safe("red: \\x1b[31m, turned: \\u202e")
    'red: \\\\x1b[31m, turned: \\\\u202e'
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def line(value: object, width: int = 400) -> str:
    """Return text on one line, cut to ``width``.

    >>> line("a\\n  b", 10)
    'a b'
    """
    text = safe(" ".join(str(value).split()))
    return text if len(text) <= width else text[: width - 1] + "…"


def number(value: object, digits: int = 3) -> str:
    """Return a number of a report to ``digits`` significant digits; it may be text, as JSON has no infinity.

    >>> number(186961845490.5), number("inf"), number(0.25, 17)
    ('1.87e+11', 'inf', '0.25')
    """
    real = as_float(value)
    if real is None:
        return line(value, 40)
    text = f"{real:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent):+d}" if e else text


def as_float(value: object) -> float | None:
    """Return a float of the report, which may be the text ``"inf"`` or ``"0x1p-3"``; ``None`` for anything else.

    >>> as_float("inf"), as_float("0x1p-3"), as_float("many"), as_float(True)
    (inf, 0.125, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float.fromhex(value) if isinstance(value, str) and "0x" in value.lower() else float(value)
    except (ValueError, OverflowError):
        return None


def target_name(data: Data) -> str:
    """Return the name of what was audited: ``FILE.py::FUNCTION``, ``MODULE:FUNCTION``, the title of a document."""
    document, target = data.get("document"), data.get("target")
    if isinstance(document, Mapping):
        return line(document.get("title") or document.get("path") or "document", 300)
    name = target.get("name", "") if isinstance(target, Mapping) else target
    return line(name or "audit", 300)


def evidence(claim: Data) -> dict[str, Any]:
    """Return the evidence of a claim, completed by what its counterexample's own file says was found."""
    own = dict(claim.get("evidence") or {})
    example = own.get("counterexample")
    found = example.get("found") if isinstance(example, Mapping) else None
    return {**found, **own} if isinstance(found, Mapping) else own


def refuted(data: Data) -> list[Data]:
    """Return the refuted claims, in the order of the report."""
    return [claim for claim in data["claims"] if claim["status"] == "REFUTED"]


def title(claim: Data) -> str:
    """Return a claim in a few words."""
    known = CLAIMS.get(str(claim["name"]))
    return known.title if known else line(claim.get("statement") or claim["name"], 200)


def summary(claim: Data) -> str:
    """Return in one line what is known about a claim, or why nothing is."""
    known = evidence(claim)
    text = known.get("summary")
    if text:
        return line(text)
    reasons = why(claim)
    if reasons:
        return line(reasons[0])
    return line(claim.get("method") or "") if claim["status"] is not None else "does not apply"


def why(claim: Data) -> list[str]:
    """Return why a claim is open or does not apply, the remedy last."""
    known = evidence(claim)
    given = known.get("reasons") or [known.get("reason") or known.get("detail")]
    reasons = [line(reason, 1000) for reason in given if reason]
    if known.get("summary") and line(known["summary"], 1000) not in reasons:
        reasons.insert(0, line(known["summary"], 1000))
    remedy = known.get("remedy")
    return [*reasons, f"remedy: {line(remedy, 1000)}"] if remedy else reasons


def entry(known: Data) -> str:
    """Return the entry that is wrong, counted from 1.

    >>> entry({"result": "O", "entry": [1, 2], "unit": 3})
    'O[1,2] of unit 3'
    """
    index = known.get("entry")
    if not isinstance(index, Sequence) or isinstance(index, str):
        return ""
    unit = f" of unit {known['unit']}" if known.get("unit") else ""
    return line(f"{known.get('result', '')}[{','.join(map(str, index))}]{unit}", 80)


def facts(claim: Data) -> Iterator[tuple[str, str]]:
    """Yield label and text of what was seen where a claim was refuted."""
    known = evidence(claim)
    if entry(known):
        yield "entry", entry(known)
        yield from _two_results(known)
    if known.get("exact"):
        yield "exact", line(known["exact"], 120).strip("[]").replace(" +/- ", " ± ")
    if is_finite(known.get("error")):
        ways = [number(known["error"])]
        ways += [f"{number(known['error_ulp'])} ulp"] if "error_ulp" in known else []
        ways += [f"{number(known['error_bounds'])} × the bound"] if "error_bounds" in known else []
        yield "error", " = ".join(ways)
    if known.get("bound"):
        yield "bound", number(known["bound"])
    yield from _other_facts(known)
    if known.get("sample") or _sizes_of(known):
        # It was shrunk since, and may be of another kind now.
        kind = f"shrunk from “{line(known['sample'])}”" if known.get("sample") else ""
        yield "input", "; ".join(filter(None, [_sizes_of(known), kind]))


def _two_results(known: Data) -> Iterator[tuple[str, str]]:
    """Yield what a call returned, and what it had returned alone, or before later calls."""
    example = known.get("counterexample")
    later = isinstance(example, Mapping) and bool(example.get("after"))
    if "alone" in known:
        yield "at first" if later else "alone", _exactly(known["alone"])
    yield "later" if later else "got", _exactly(known.get("got"))


def _exactly(value: object) -> str:
    """Return a float with as many digits as identify it."""
    real = as_float(value)
    return line(value, 40) if real is None else repr(real)


def _other_facts(known: Data) -> Iterator[tuple[str, str]]:
    exception = known.get("exception")
    if isinstance(exception, Mapping):
        yield "raised", line(f"{exception.get('type')}: {exception.get('text') or ''}".rstrip(": "))
        if exception.get("place"):
            yield "at", line(exception["place"])
    worst = known.get("worst")
    if isinstance(worst, Mapping):
        yield from ((line(key.replace("_", " "), 40), line(value)) for key, value in worst.items())
    for key in ("returned", "expected", "changed", "first", "again", "ended", "at"):
        value = known.get(key)
        if value not in (None, "", []):
            yield key, line(", ".join(map(str, value)) if isinstance(value, list) else value)


def _sizes_of(known: Data) -> str:
    """Return sizes and precision of the failing input, which its file holds."""
    example = known.get("counterexample")
    if not isinstance(example, Mapping):
        return ""
    given = example.get("units")
    units = given if isinstance(given, list) and given else [{}]
    sizes = units[0].get("sizes", {}) if isinstance(units[0], Mapping) else {}
    shown = {name: size for name, size in sizes.items() if (name, size) != ("heads", 1)} if sizes else {}
    shown |= _batch(example.get("inputs"))
    parts = [f"{name}={size}" for name, size in shown.items() if name != "apart"]
    return line(", ".join([*parts, *([str(example["precision"])] if example.get("precision") else [])]))


def _batch(inputs: object) -> dict[str, object]:
    """Return the lengths of the axes of batch and heads, which are in front of the axes of queries or embeddings."""
    for name, axes in (("Q", 4), ("X", 3)):
        array = inputs.get(name) if isinstance(inputs, Mapping) else None
        shape = array.get("shape") if isinstance(array, Mapping) else None
        if isinstance(shape, list) and len(shape) == axes:
            heads = {"heads": shape[1]} if axes > 3 and shape[1] != 1 else {}
            return {"batch": shape[0], **heads}
    return {}


def look_at(claim: Data) -> str:
    """Return the one sentence that says where to look."""
    return line(evidence(claim).get("look_at") or "", 1000)


def code(claim: Data) -> str:
    """Return the failing input as Python to paste, whole."""
    return safe(evidence(claim).get("text") or "").strip("\n")


def shortened(text: str, saved: object = None, limit: int = CODE_LINES) -> str:
    """Cut Python text in the middle, with a comment that says where it is whole.

    >>> print(shortened("\\n".join(f"x{i} = {i}" for i in range(100)), "a.json", 60).split("\\n")[24])
    # … 60 lines left out; the whole input is in a.json
    """
    lines = text.split("\n")
    if len(lines) <= limit:
        return text
    left = len(lines) - _HEAD_LINES - _TAIL_LINES
    where = f"the whole input is in {line(saved)}" if saved else "the whole input is in the JSON of the audit"
    return "\n".join([*lines[:_HEAD_LINES], f"# … {left} lines left out; {where}", *lines[-_TAIL_LINES:]])


def replay(claim: Data) -> str:
    """Return the command that runs the failing input again; empty where it was not saved.

    >>> replay({"evidence": {"saved": "my file.json"}})
    "attn-verify replay 'my file.json'"
    """
    saved = evidence(claim).get("saved")
    return f"attn-verify replay {shlex.quote(safe(saved))}" if saved else ""


def is_finite(value: object) -> bool:
    """Return whether a value of the report is a finite number."""
    real = as_float(value)
    return real is not None and math.isfinite(real)
