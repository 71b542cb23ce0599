"""An audit on a terminal: a table of the claims, then each failure with the input that shows it, and the scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from attn_verify.report import audit_facts as facts
from attn_verify.report import audit_scope as coverage
from attn_verify.report.audit_facts import safe, summary, target_name
from attn_verify.report.audit_scope import outcome

_STYLES = {"PROVED": "green", "PROBABLE": "green", "TESTED": "green", "UNDECIDED": "yellow", "REFUTED": "bold red"}
# The details of a refutation that are shown; the JSON has all of them.
_MAX_WITNESSES = 5
# A claim's name up to this length is not broken, however narrow the console.
_NAME_WIDTH = 20
_LABEL = 13

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
    if isinstance(block, Text) and block.no_wrap:
        return block.plain  # Python to paste is not cut at the edge
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
        if claim["status"] == "UNDECIDED":
            yield from _open(claim)
    if "document" not in data:
        yield from _scope(data)
    yield Text()
    status = str(data["status"])
    yield Text.assemble((safe(status), _STYLES.get(status, "")), f": {outcome(data)}")


def _header(data: Mapping[str, Any]) -> list[Text]:
    document = data.get("document")
    if isinstance(document, Mapping):
        path = document.get("path")
        lines = [Text(safe(document.get("title")), style="bold")]
        return [*lines, Text(safe(path), style="dim")] if path else lines
    return [Text(target_name(data), style="bold")]


def _table(claims: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", border_style="dim", pad_edge=True)
    longest = max((len(claim["name"]) for claim in claims), default=0)
    table.add_column("claim", overflow="fold", min_width=min(longest, _NAME_WIDTH))
    table.add_column("status", no_wrap=True)
    table.add_column("what is known", overflow="fold")
    for claim in claims:
        table.add_row(Text(safe(claim["name"])), _status(claim), Text(summary(claim)))
    return table


def _status(claim: Mapping[str, Any]) -> Text:
    status = claim["status"]
    if status is None:
        return Text("–", style="dim")
    if not claim["counts"]:
        return Text(f"({status})", style="dim")
    return Text(status, style=_STYLES.get(status, ""))


def _refutation(claim: Mapping[str, Any]) -> Iterator[_Block]:
    """Yield what refutes a claim: the statement, and the entries as a table of their own."""
    evidence = claim["evidence"]
    yield Text()
    yield Text.assemble((safe(claim["name"]), "bold red"), " is refuted")
    if claim.get("statement"):
        yield Text("  " + safe(claim["statement"]), style="dim")
    witnesses = evidence.get("witnesses") or ([evidence["worst"]] if "worst" in evidence else [])
    if not witnesses:
        yield from _failure(claim)
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


def _failure(claim: Mapping[str, Any]) -> Iterator[_Block]:
    """Yield what was seen on the failing input, the input, where to look, and how to run it again."""
    rows = list(facts.facts(claim)) or [("found", summary(claim))]
    look_at, code, replay = facts.look_at(claim), facts.code(claim), facts.replay(claim)
    if look_at:
        rows.append(("look at", look_at))
    if replay:
        rows.append(("again", replay))
    yield _rows(rows)
    if code:
        yield Text()
        yield Text(facts.shortened(code, facts.evidence(claim).get("saved")), no_wrap=True, overflow="ignore")


def _open(claim: Mapping[str, Any]) -> Iterator[_Block]:
    """Yield why a claim is open, where that is more than its row in the table says."""
    reasons = facts.why(claim)
    if reasons == [summary(claim)]:
        return
    if claim["evidence"].get("detail"):  # a document's words are a sentence of their own
        reasons = [safe(claim["evidence"]["detail"])]
    for at, reason in enumerate(reasons):
        if at == 0:
            yield Text()
            yield Text(f"{safe(claim['name'])}: {reason}")
        else:
            yield Padding(Text(reason), (0, 0, 0, 2))


def _scope(data: Mapping[str, Any]) -> Iterator[_Block]:
    rows = list(coverage.whole_scope(data))
    if rows:
        yield Text()
        yield _rows(rows, indent=0)


def _rows(rows: Sequence[tuple[str, str]], indent: int = 2) -> Padding:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=_LABEL - 2)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), Text(text))
    return Padding(table, (0, 0, 0, indent))


def _cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return f"[{','.join(map(str, value))}]"
    return f"{value:g}" if isinstance(value, float) else safe(value)
