"""An audit as a table: every claim, what is known about it, and in one line why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_STYLES = {"PROVED": "green", "PROBABLE": "green", "TESTED": "green", "UNDECIDED": "yellow", "REFUTED": "bold red"}
_MEANINGS = {
    "PROVED": "it holds everywhere in the stated scope",
    "PROBABLE": "it holds except with the stated probability",
    "TESTED": "nothing that was tried contradicts it",
    "UNDECIDED": "it could not be decided",
    "REFUTED": "a witness against it exists and was evaluated",
}
# The details of a refutation that are shown; the JSON has all of them.
_MAX_WITNESSES = 5
# A claim's name up to this length is not broken, however narrow the console.
_NAME_WIDTH = 20


def render_audit(data: Mapping[str, Any], console: Console) -> None:
    """Print the audit ``data`` (``Audit.to_dict()``) on ``console``: header, table, refutations, outcome.

    Colours, width and encoding are the console's: in a pipe there are none of the first.

    Args:
        data: the documented JSON form of an audit.
        console: where to print.

    >>> claims = [{"name": "y", "status": "PROVED", "counts": True, "evidence": {"summary": "certified"}}]
    >>> render_audit({"document": {"title": "twice"}, "status": "PROVED", "claims": claims}, Console(width=60))
    twice
    <BLANKLINE>
      claim   status   what is known
     ────────────────────────────────
      y       PROVED   certified
    <BLANKLINE>
    PROVED: it holds everywhere in the stated scope (1 claim).
    """
    claims: Sequence[Mapping[str, Any]] = data["claims"]
    for line in _header(data):
        _print(console, line)
    _print(console, _table(claims))
    for claim in claims:
        if claim["status"] == "REFUTED":
            _refutation(claim, console)
    for claim in claims:
        if claim["status"] == "UNDECIDED" and claim["evidence"].get("detail"):
            console.print()
            _print(console, Text(f"{_safe(claim['name'])}: {_safe(claim['evidence']['detail'])}"))
    console.print()
    _outcome(data["status"], claims, console)


def _header(data: Mapping[str, Any]) -> list[Text]:
    document, target = data.get("document"), data.get("target")
    if isinstance(document, Mapping):
        path = document.get("path")
        lines = [Text(_safe(document.get("title")), style="bold")]
        return [*lines, Text(_safe(path), style="dim")] if path else lines
    name = target.get("name", "") if isinstance(target, Mapping) else target
    return [Text(_safe(name or "audit"), style="bold")]


def _table(claims: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", border_style="dim", pad_edge=True)
    longest = max((len(claim["name"]) for claim in claims), default=0)
    table.add_column("claim", overflow="fold", min_width=min(longest, _NAME_WIDTH))
    table.add_column("status", no_wrap=True)
    table.add_column("what is known", overflow="fold")
    for claim in claims:
        table.add_row(Text(_safe(claim["name"])), _status(claim), Text(_summary(claim)))
    return table


def _status(claim: Mapping[str, Any]) -> Text:
    status = claim["status"]
    if status is None:
        return Text("–", style="dim")
    if not claim["counts"]:
        return Text(f"({status})", style="dim")
    return Text(status, style=_STYLES.get(status, ""))


def _summary(claim: Mapping[str, Any]) -> str:
    summary = claim["evidence"].get("summary")
    if summary:
        return _safe(summary)
    return _safe(claim.get("method", "")) if claim["status"] is not None else "does not apply"


def _refutation(claim: Mapping[str, Any], console: Console) -> None:
    """Print what refutes a claim: the statement, and the entries as a table of their own."""
    evidence = claim["evidence"]
    console.print()
    _print(console, Text.assemble((_safe(claim["name"]), "bold red"), " is refuted"))
    if claim.get("statement"):
        _print(console, Text("  " + _safe(claim["statement"]), style="dim"))
    witnesses = evidence.get("witnesses") or ([evidence["worst"]] if "worst" in evidence else [])
    if not witnesses:
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    keys = list(witnesses[0])
    for key in keys:
        table.add_column(key.replace("_", " "), overflow="fold")
    for witness in witnesses[:_MAX_WITNESSES]:
        table.add_row(*(Text(_cell(witness.get(key))) for key in keys))
    _print(console, Padding(table, (0, 0, 0, 2)))
    more = evidence.get("refuted", len(witnesses)) - min(len(witnesses), _MAX_WITNESSES)
    if more > 0:
        _print(console, Text(f"  and {more} more", style="dim"))


def _cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return f"[{','.join(map(str, value))}]"
    return f"{value:g}" if isinstance(value, float) else _safe(value)


def _outcome(status: str, claims: Sequence[Mapping[str, Any]], console: Console) -> None:
    counting = [claim for claim in claims if claim["counts"]]
    outside = sum(1 for claim in claims if claim["status"] is not None and not claim["counts"])
    size = f"{len(counting)} claim{'' if len(counting) == 1 else 's'}"
    if outside:
        size += f"; {outside} in brackets could not be determined and {'does' if outside == 1 else 'do'} not count"
    _print(
        console,
        Text.assemble((status, _STYLES.get(status, "")), f": {_MEANINGS.get(status, 'unknown status')} ({size})."),
    )


def _print(console: Console, block: Text | Table | Padding) -> None:
    """Print a block without the blanks at the ends of its lines: invisible on a screen, noise in a file."""
    if console.is_terminal:
        console.print(block, highlight=False)
        return
    with console.capture() as capture:
        console.print(block, highlight=False)
    for line in capture.get().rstrip().splitlines():
        console.out(line.rstrip(), highlight=False)


def _safe(value: object) -> str:
    """Return text without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(value))
