"""An audit as a table: every claim, what is known about it, and in one line why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.segment import Segment
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

_Block = Text | Table | Padding


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
    if console.is_terminal:
        for block in _blocks(data):
            console.print(block, highlight=False)
        return
    # Blanks at the ends of lines are invisible on a screen, but noise in a file.
    text = "\n".join(_plain(block, console) for block in _blocks(data))
    console.out("\n".join(line.rstrip() for line in text.split("\n")), highlight=False)


def _plain(block: _Block, console: Console) -> str:
    """Render a block without the console's own capture, whose cost grows with all that was printed before."""
    lines = Segment.split_and_crop_lines(console.render(block), console.width, pad=False)
    return "".join(segment.text for line in lines for segment in line).rstrip()


def _blocks(data: Mapping[str, Any]) -> Iterator[_Block]:
    claims: Sequence[Mapping[str, Any]] = data["claims"]
    yield from _header(data)
    yield _table(claims)
    for claim in claims:
        if claim["status"] == "REFUTED":
            yield from _refutation(claim)
    for claim in claims:
        if claim["status"] == "UNDECIDED" and claim["evidence"].get("detail"):
            yield Text()
            yield Text(f"{_safe(claim['name'])}: {_safe(claim['evidence']['detail'])}")
    yield Text()
    yield _outcome(data["status"], claims)


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


def _refutation(claim: Mapping[str, Any]) -> Iterator[_Block]:
    """Yield what refutes a claim: the statement, and the entries as a table of their own."""
    evidence = claim["evidence"]
    yield Text()
    yield Text.assemble((_safe(claim["name"]), "bold red"), " is refuted")
    if claim.get("statement"):
        yield Text("  " + _safe(claim["statement"]), style="dim")
    witnesses = evidence.get("witnesses") or ([evidence["worst"]] if "worst" in evidence else [])
    if not witnesses:
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    keys = list(witnesses[0])
    for key in keys:
        table.add_column(key.replace("_", " "), overflow="fold")
    for witness in witnesses[:_MAX_WITNESSES]:
        table.add_row(*(Text(_cell(witness.get(key))) for key in keys))
    yield Padding(table, (0, 0, 0, 2))
    more = evidence.get("refuted", len(witnesses)) - min(len(witnesses), _MAX_WITNESSES)
    if more > 0:
        yield Text(f"  and {more} more", style="dim")


def _cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return f"[{','.join(map(str, value))}]"
    return f"{value:g}" if isinstance(value, float) else _safe(value)


def _outcome(status: str, claims: Sequence[Mapping[str, Any]]) -> Text:
    counting = [claim for claim in claims if claim["counts"]]
    outside = sum(1 for claim in claims if claim["status"] is not None and not claim["counts"])
    size = f"{len(counting)} claim{'' if len(counting) == 1 else 's'}"
    if outside:
        size += f"; {outside} in brackets could not be determined and {'does' if outside == 1 else 'do'} not count"
    return Text.assemble((status, _STYLES.get(status, "")), f": {_MEANINGS.get(status, 'unknown status')} ({size}).")


def _safe(value: object) -> str:
    """Return text without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(value))
