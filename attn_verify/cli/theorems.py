"""The command about theorems.  Everything heavy is imported inside."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from typing import Any

from attn_verify.cli.output import WIDTH, UsageError, check_output, is_terminal, progress, save, write
from attn_verify.errors import explain

FORMATS = ("text", "latex", "html", "json")


def theorems(arguments: argparse.Namespace) -> int:
    """Print the index of theorems, or one of them with its proof."""
    form = _format(arguments)
    if arguments.beliefs:
        return _beliefs(arguments, form)
    if arguments.name is None and form not in ("text", "json"):
        remedy = f"name one: attn-verify theorems NAME --format {form}"
        raise UsageError(explain("attn-verify theorems", f"got --format {form} for the index", remedy=remedy))
    target = None if arguments.output is None else check_output(arguments.output)
    data = _index() if arguments.name is None else _one(arguments.name)
    if form == "json":
        from attn_verify.report.strict_json import dumps

        text = dumps(data) + "\n"
    elif arguments.name is None:
        text = _table(data, plain=target is not None)
    else:
        text = _rendered(data, form, plain=target is not None)
    if target is not None:
        save(text, target)
    else:
        write(text, sys.stdout, form)
    every = data["theorems"] if arguments.name is None else [data]
    return 0 if every and all(row["status"] == "PROVED" for row in every) else 3


def _beliefs(arguments: argparse.Namespace, form: str) -> int:
    """Print false beliefs, or the one that is named, beside the theorems that say what is true."""
    if form not in ("text", "json"):
        raise UsageError(explain("attn-verify theorems --beliefs", f"got --format {form}", remedy="text or json"))
    target = None if arguments.output is None else check_output(arguments.output)
    from attn_verify.report.belief_text import beliefs_text
    from attn_verify.report.formulas import plain_prose
    from attn_verify.theorems.false_beliefs import BELIEFS, to_dict
    from attn_verify.theorems.library import theorem

    if arguments.name is not None and arguments.name not in BELIEFS:
        remedy = "one of " + ", ".join(BELIEFS)
        raise UsageError(explain("attn-verify theorems --beliefs", f"no belief is {arguments.name!r}", remedy=remedy))
    with progress("looking for counterexamples …"):
        data = to_dict(arguments.name)
    if form == "json":
        from attn_verify.report.strict_json import dumps

        text = dumps(data) + "\n"
    else:
        true = {name for belief in data["beliefs"] for name in belief["instead"]}
        statements = {name: plain_prose(theorem(name).statement) for name in true}
        text = beliefs_text(data, statements, width=min(_width(), 100)) + "\n"
    if target is not None:
        save(text, target)
    else:
        write(text, sys.stdout, form)
    return 0


def _format(arguments: argparse.Namespace) -> str:
    if arguments.json and arguments.format not in (None, "json"):
        received = f"got --json and --format {arguments.format}"
        raise UsageError(explain("attn-verify theorems", received, remedy="choose one of them"))
    return "json" if arguments.json else arguments.format or "text"


def _one(name: str) -> dict[str, Any]:
    from attn_verify.theorems.library import theorem
    from attn_verify.theorems.summary import outcome

    theorem(name)  # is known, before anything is checked
    with progress(f"checking {name} …"):
        return outcome(name)


def _index() -> dict[str, Any]:
    from attn_verify.theorems.summary import index

    with progress("checking …") as tell:
        return index(progress=tell)


def _width() -> int:
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, 160)


def _table(data: dict[str, Any], plain: bool) -> str:
    from rich.console import Console

    from attn_verify.report.theorem_index import render_index

    console = Console(file=sys.stdout, width=_width(), color_system=None if plain else "auto")
    with console.capture() as captured:
        render_index(data, console)
    return str(captured.get())


def _rendered(data: dict[str, Any], form: str, plain: bool) -> str:
    if form == "html":
        from attn_verify.report.theorem_html import render_html

        return render_html(data)
    if form == "latex":
        from attn_verify.report.theorem_latex import render_latex

        return render_latex(data)
    from attn_verify.report.theorem_text import render_text

    text = render_text(data, width=min(_width(), 100))
    if not plain:
        text = _powers(text)
    return text if plain or not is_terminal(sys.stdout) else _coloured(text)


def _powers(text: str) -> str:
    """Return text with powers as ``x^2`` where the terminal has no raised digits: the digit alone would lie."""
    try:
        "⁴ⁿᵀ⁻".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+", r"^\g<0>", text)
    return text


def _coloured(text: str) -> str:
    from rich.console import Console
    from rich.text import Text

    shown = Text(text)
    shown.highlight_regex(r"(?m)^[A-Z][A-Za-z, ]+$", "bold")
    shown.highlight_regex(r"\A\S+", "bold cyan")
    shown.highlight_regex(r"(?m)^  \d+  [^◂\n]+", "bold")
    shown.highlight_regex(r"(?m)^PROVED|^ +✓.*$|◂ this is claimed$", "green")
    shown.highlight_regex(r"(?m)^UNDECIDED|^  ✗.*$", "red")
    shown.highlight_regex(r"(?m)^ {9,}\S.*$", "cyan")
    console = Console(file=sys.stdout)
    with console.capture() as captured:
        console.print(shown, soft_wrap=True, end="")
    return str(captured.get())
