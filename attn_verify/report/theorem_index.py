"""The index of theorems as a table: renders the plain dict of ``attn-verify theorems --json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_STYLES = {"PROVED": "green", "UNDECIDED": "yellow"}


def by_family(data: Mapping[str, Any]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Return the theorems of an index by family, in its order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in data["theorems"]:
        found.setdefault(row["family"], []).append(row)
    return list(found.items())


def render_index(data: Mapping[str, Any], console: Console) -> None:
    """Print the theorems by family on ``console``, with level, scope, status and time.

    >>> row = {"name": "one_is_one", "family": "numbers", "level": 1, "scope": "all sizes", "status": "PROVED"}
    >>> render_index({"theorems": [{**row, "seconds": 0.5}]}, Console(width=76))
    numbers
    theorem      level  scope      status     time
    one_is_one   1      all sizes  PROVED   0.50 s
    <BLANKLINE>
    1 theorem: 1 PROVED, 1 of them for all sizes. Checked in 0.5 s.
    attn-verify theorems NAME shows one with its proof.
    """
    rows = data["theorems"]
    wide = {key: max((len(row[key]) for row in rows), default=0) for key in ("name", "scope", "status")}
    for at, (family, members) in enumerate(by_family(data)):
        console.print(Text(family, style="bold"))
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=not at)
        table.add_column("theorem", min_width=wide["name"] + 1, no_wrap=True)
        table.add_column("level", min_width=5)
        table.add_column("scope", min_width=min(wide["scope"], 28))
        table.add_column("status", min_width=wide["status"], no_wrap=True)
        table.add_column("time", min_width=7, justify="right", no_wrap=True)
        for row in members:
            status = Text(row["status"], style=_STYLES.get(row["status"], ""))
            table.add_row(row["name"], str(row["level"]), row["scope"] or "-", status, f"{row['seconds']:.2f} s")
        console.print(table, highlight=False)
        console.print()
    console.print(summary(data), highlight=False)
    for row in rows:
        if row.get("reason"):
            console.print(f"not accepted: {row['reason']}", highlight=False, markup=False)
    console.print("attn-verify theorems NAME shows one with its proof.", highlight=False)


def summary(data: Mapping[str, Any]) -> str:
    """Return how many theorems there are, of which status and scope, and how long the checks took."""
    rows = data["theorems"]
    count = len(rows)
    states = {status: sum(row["status"] == status for row in rows) for status in ("PROVED", "UNDECIDED")}
    counted = ", ".join(f"{n} {status}" for status, n in states.items() if n)
    every = sum(row["scope"] == "all sizes" for row in rows)
    seconds = sum(row["seconds"] for row in rows)
    name = "theorem" if count == 1 else "theorems"
    return f"{count} {name}: {counted or 'none'}, {every} of them for all sizes. Checked in {seconds:.1f} s."
