"""A single verdict as text: the status, what it covers, what it rests on, and the witness if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.text import Text

from attn_verify.report.audit_scope import spec_text

_STYLES = {"PROVED": "green", "PROBABLE": "green", "TESTED": "green", "UNDECIDED": "yellow", "REFUTED": "bold red"}
_MEANINGS = {
    "PROVED": "equal as functions of real inputs, everywhere in the scope",
    "PROBABLE": "equal except with the stated probability",
    "TESTED": "nothing that was tried contradicts it",
    "UNDECIDED": "it could not be decided",
    "REFUTED": "the code was run on a witness and gives something else",
}
_LABEL = 15
_MASKS = 8
_DIGITS = 24


def render_proof(data: Mapping[str, Any], console: Console) -> None:
    """Print a verdict that stands alone (``Verdict.to_dict()`` with its subject) on ``console``.

    >>> claim = {"target": "f.py::f", "name": "formula", "statement": "f is attention", "status": "PROVED"}
    >>> render_proof({**claim, "method": "normal form", "scope": {"entries": 8}}, Console(width=60))
    f.py::f
      f is attention
    <BLANKLINE>
    PROVED: equal as functions of real inputs, everywhere in the scope
      method         normal form
      entries        8
    """
    status = str(data["status"])
    console.print(Text(_safe(data.get("target", data["name"])), style="bold"), highlight=False)
    for line in _wrapped(_safe(data["statement"]), console.width - 2):
        console.print(Text("  " + line), highlight=False)
    console.print()
    head = Text.assemble((status, _STYLES.get(status, "")), f": {_MEANINGS.get(status, '')}")
    console.print(head, highlight=False, soft_wrap=True)
    for label, text in _rows(data):
        lines = [part for line in text.split("\n") for part in _wrapped(line, max(20, console.width - _LABEL - 2))]
        for at, line in enumerate(lines):
            name = label if at == 0 else ""
            console.print(Text.assemble((f"  {name:<{_LABEL}}", "dim"), line), highlight=False, soft_wrap=True)
    witness = data.get("evidence", {}).get("text")
    if witness:
        console.print()
        console.print(Text(_safe(witness)), highlight=False, soft_wrap=True)


def recheck_text(data: Mapping[str, Any]) -> str:
    """Return what an independent check of a certificate found (``RecheckResult.to_dict()``).

    >>> print(recheck_text({"status": "invalid", "reason": "case 1: no paths", "cases": [], "trusted": ["the trace"]}))
    invalid: case 1: no paths
      trusted        the trace
    """
    lines = [f"{_safe(data['status'])}: {_safe(data['reason'])}"]
    claim = data.get("claim") or {}
    rows = [(name, claim[name]) for name in ("target", "source_sha256") if claim.get(name)]
    rows += [("spec", spec_text(claim["spec"]))] if claim.get("spec") else []
    rows += [row for sizes, cases in _alike(data["cases"]).items() for row in _checked(sizes, cases)]
    rows += [("left out", text) for text in data.get("left_out", ())]
    fills = dict.fromkeys(str(fill) for case in data["cases"] for fill in case.get("limits", ()))
    rows += [("in the limit", f"{_short(fill)} is read as {'−' if fill.startswith('-') else ''}∞") for fill in fills]
    rows += [("trusted", text) for text in data["trusted"]]
    rows += [("assuming", note.get("text", "")) for note in data.get("assumptions", ())]
    return "\n".join([*lines, *(f"  {label:<{_LABEL}}{_safe(text)}" for label, text in rows)])


def _alike(cases: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the cases of a certificate under their sizes, in order."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for case in cases:
        sizes = ", ".join(f"{name}={size}" for name, size in case.get("sizes", {}).items())
        groups.setdefault(sizes + (f", batch={case['batch']}" if case.get("batch") else ""), []).append(case)
    return groups


def _checked(sizes: str, cases: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what was checked at some sizes, and under which masks (a row for each query, 1 where it sees the key)."""
    entries, paths = (sum(case[name] for case in cases) for name in ("entries", "paths"))
    number = f"{len(cases)} cases, " if len(cases) > 1 else ""
    yield "checked", f"{sizes}: {number}{_counted(entries, 'entry', 'entries')}, {_counted(paths, 'path')}"
    shown = ("/".join("".join("01"[pair] for pair in row) for row in case.get("allowed", ())) for case in cases)
    masks = list(dict.fromkeys(shown))
    if any("0" in mask for mask in masks):
        more = f" and {len(masks) - _MASKS} more" if len(masks) > _MASKS else ""
        yield "", f"allowed pairs: {' '.join(masks[:_MASKS])}{more}"


def _short(number: str) -> str:
    return number if len(number) <= _DIGITS else f"{number[:_DIGITS]}… ({len(number)} characters)"


def _counted(number: Any, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if data.get("method"):
        yield "method", _safe(data["method"])
    if data.get("spec"):
        yield "spec", spec_text(data["spec"])
    for key, value in data.get("scope", {}).items():
        if value not in (None, "", [], {}):
            yield key.replace("_", " "), _listed(value)
    evidence = data.get("evidence", {})
    # A probability, or what a replay saw; for a proof the scope has said it.
    if evidence.get("summary") and (evidence.get("kind") == "replay" or data["status"] == "PROBABLE"):
        yield "found", _safe(evidence["summary"])
    for reason in evidence.get("reasons", []):
        yield "because", _safe(reason)
    if evidence.get("remedy"):
        yield "remedy", _safe(evidence["remedy"])
    if evidence.get("hint"):
        yield "hint", _safe(evidence["hint"])
    for assumption in data.get("assumptions", []):
        yield "assuming", _safe(assumption["text"])
    for key in ("saved", "certificate"):
        if evidence.get(key):
            yield key, _safe(evidence[key])


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_safe(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(_listed(item) for item in value)
    return _safe(value)


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _safe(value: object) -> str:
    """Return text without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(value))
