"""What each command does.  Everything heavy is imported inside."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING, Any

from attn_verify.cli.output import WIDTH, UsageError, check_output, complain, is_terminal, progress, save, write
from attn_verify.errors import explain

if TYPE_CHECKING:
    from attn_verify.derivation import Derivation

FORMATS = ("text", "latex", "html", "python", "json")

LIMIT = 12
"""Entries of a stage that the text of a whole derivation shows; of a larger stage only the first."""


def derive(arguments: argparse.Namespace) -> int:
    """Print a derivation."""
    form = _format(arguments)
    target = None if arguments.output is None else check_output(arguments.output)
    if form == "python":
        _refuse_with_python(arguments)
    with progress("deriving …"):
        derivation = _derivation(arguments)
        text = derivation.python(arguments.stage) if form == "python" else _rendered(derivation, form, arguments)
    if target is not None:
        save(text, target)
        return 0
    if form == "text" and is_terminal(sys.stdout):
        text = _coloured(text)
    write(text, sys.stdout, form)
    if form == "html" and is_terminal(sys.stdout):
        complain("give --output FILE to open the page in a browser\n")
    return 0


def _format(arguments: argparse.Namespace) -> str:
    if arguments.json and arguments.format not in (None, "json"):
        received = f"got --json and --format {arguments.format}"
        raise UsageError(explain("attn-verify derive", received, remedy="choose one of them"))
    return "json" if arguments.json else arguments.format or "text"


def _refuse_with_python(arguments: argparse.Namespace) -> None:
    for name in ("entry", "expand", "wrt", "numbers"):
        if getattr(arguments, name) is not None:
            received = f"got --format python and --{name}"
            remedy = f"choose the stage with --stage, without --{name}"
            raise UsageError(explain("attn-verify derive", received, "the code computes whole stages", remedy=remedy))


def _derivation(arguments: argparse.Namespace) -> Derivation:
    from attn_verify.shapes import Sizes
    from attn_verify.spec import AttentionSpec

    d_model = 5 if arguments.d_model is None and not arguments.given_qkv else arguments.d_model
    sizes = Sizes(
        n=arguments.n,
        m=arguments.m,
        d_k=arguments.d_k,
        d_v=arguments.d_v,
        heads=arguments.heads,
        d_model=d_model,
        d_out=arguments.d_out,
    )
    spec = AttentionSpec.of(*arguments.spec)
    mask = None
    if arguments.mask is not None:
        from attn_verify.cli.array_files import read_mask

        mask = read_mask(arguments.mask)
    from attn_verify.derivation import derive as derive_symbolically

    return derive_symbolically(sizes, spec, mask=mask)


def _rendered(derivation: Derivation, form: str, arguments: argparse.Namespace) -> str:
    numbers = None
    if arguments.numbers is not None:
        from attn_verify.cli.array_files import read_numbers

        numbers = read_numbers(arguments.numbers)
    whole = arguments.stage is None and arguments.entry is None
    data = derivation.to_dict(
        notation={"latex": "latex", "html": "mathml"}.get(form, "text"),
        stage=arguments.stage,
        entry=arguments.entry,
        expand=arguments.expand,
        wrt=arguments.wrt,
        numbers=numbers,
        limit=LIMIT if form == "text" and whole else None,
    )
    if form == "text":
        from attn_verify.report.derivation_text import render_text

        return render_text(data, width=_width(), brief=whole and numbers is None)
    if form == "latex":
        from attn_verify.report.derivation_latex import render_latex

        return render_latex(data)
    if form == "html":
        from attn_verify.report.derivation_html import render_html

        return render_html(data)
    from attn_verify.report.strict_json import dumps

    return dumps(data) + "\n"


def _width() -> int:
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, 160)


def _coloured(text: str) -> str:
    from rich.console import Console
    from rich.text import Text

    shown = Text(text)
    shown.highlight_regex(r"(?m)^\S+(?=   [0-9]+ × )", "bold cyan")
    shown.highlight_regex(r"(?m)^    .*= +(?P<green>−?[0-9][0-9.e+−]*)$")
    console = Console(file=sys.stdout)
    with console.capture() as captured:
        console.print(shown, soft_wrap=True, end="")
    return str(captured.get())


def check(arguments: argparse.Namespace) -> int:
    """Print the verdicts on a worked example."""
    if not arguments.document:
        remedy = "give the path of a .json document, or the word worked-example"
        raise UsageError(explain("attn-verify check", "the name of the document is empty", remedy=remedy))
    with progress("evaluating in balls …"):
        from attn_verify.worked import check as judge

        audit = judge(arguments.document)
        data: dict[str, Any] = audit.to_dict()
    if arguments.json:
        from attn_verify.report.strict_json import dumps

        write(dumps(data) + "\n", sys.stdout, "json")
    else:
        from rich.console import Console

        from attn_verify.report.audit import render_audit

        console = Console(file=sys.stdout, width=_width())
        with console.capture() as captured:
            render_audit(data, console)
        write(str(captured.get()), sys.stdout)
    return audit.status.exit_code
