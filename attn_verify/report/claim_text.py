"""A verdict on a claim as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.text import Text

MEANINGS = {
    "PROVED": "it holds for all real numbers, at every size",
    "REFUTED": "it is false at the numbers below",
    "UNDECIDED": "neither a proof nor a counterexample was found",
}


def claim_text(data: Mapping[str, Any], width: int = 80) -> str:
    """Return the text of ``Verdict.to_dict()`` of a claim.

    >>> data = {"claim": "x == x", "status": "PROVED", "method": "normal form", "evidence": {}, "assumptions": []}
    >>> print(claim_text(data))
    x == x
    <BLANKLINE>
    PROVED: it holds for all real numbers, at every size
      method    normal form
    """
    status = str(data["status"])
    lines = [_safe(data["claim"]), "", f"{status}: {MEANINGS[status]}"]
    for label, text in _rows(data):
        parts = wrap(_safe(text), max(20, width - 12), break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"  {label if n == 0 else '':<10}{part}" for n, part in enumerate(parts)]
    return "\n".join(line.rstrip() for line in lines)


def render_claim(data: Mapping[str, Any], console: Console) -> None:
    """Print a verdict on a claim on ``console``."""
    console.print(Text(claim_text(data, console.width)), highlight=False, soft_wrap=True)


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    evidence = data["evidence"]
    if data["status"] == "REFUTED":
        for line in str(evidence.get("text", evidence.get("at", ""))).split("\n"):
            label, _, rest = line.partition(" ")
            yield ("at", rest.removeprefix("at ")) if label == "false" else (label, rest.strip())
    if data.get("method"):
        yield "method", data["method"]
    if "statement" in evidence:
        yield "entries", evidence["statement"]
    if "certificate" in evidence:
        yield "shown by", evidence["certificate"]
    for lemma in evidence.get("lemmas", ()):
        yield "using", lemma
    for reason in evidence.get("reasons", ()):
        yield "because", reason
    if evidence.get("remedy"):
        yield "remedy", evidence["remedy"]
    for note in data["assumptions"]:
        yield ("given" if note["kind"] == "hypothesis" else "assuming"), note["text"]


def _safe(value: object) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))
