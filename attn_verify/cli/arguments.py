"""The options of the commands, and the types of their values."""

from __future__ import annotations

import argparse
import re

from attn_verify.cli import commands, theorems
from attn_verify.errors import shorten

_WHOLE = re.compile(r"[+-]?[0-9]{1,12}\Z")


def prove_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``prove``."""
    _target_arguments(parser, "several small ones", optional=True)
    claim = parser.add_argument_group("a claim of your own, in place of TARGET")
    claim.add_argument("--claim", metavar="TEXT", help="a comparison such as 'softmax(x + c) == softmax(x)'")
    claim.add_argument(
        "--given", action="append", default=[], metavar="TEXT", help="a hypothesis such as 'c > 0'; may be repeated"
    )
    claim.add_argument(
        "--let",
        action="append",
        default=[],
        metavar="SHAPE",
        help="a letter and its axes: x=n is a vector, A=n,d a matrix, c= a number; may be repeated",
    )
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=_seed, default=0, metavar="N", help="seed of every random choice (default: 0)")
    run.add_argument("--seconds", type=_seconds, default=60, metavar="S", help="time limit of one run (default: 60)")
    run.add_argument("--certificate", metavar="FILE", help="write a certificate of the proof, for recheck")
    run.add_argument(
        "--save-dir",
        metavar="DIR",
        default=".",
        help="where a counterexample is saved, made if missing (default: the current directory)",
    )
    run.add_argument("--json", action="store_true", help="print JSON")


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``audit``; what is not given is read from ``pyproject.toml``."""
    _target_arguments(parser, "many")
    run = parser.add_argument_group("run")
    run.add_argument(
        "--dtype",
        metavar="NAMES",
        help="dtypes of the inputs, the first one for most (default: float64,float32,float16,bfloat16)",
    )
    run.add_argument("--budget", type=_seconds, metavar="S", help="how much is tried: about S seconds (default: 12)")
    run.add_argument(
        "--limit", type=_seconds, metavar="S", help="seconds after which no trial begins (default: the budget)"
    )
    run.add_argument("--seconds", type=_seconds, metavar="S", help="time limit of one run (default: 20)")
    run.add_argument("--seed", type=_seed, metavar="N", help="seed of every random choice (default: 0)")
    run.add_argument("--resume", action="store_true", help="go on where an interrupted audit of the same code ended")
    run.add_argument(
        "--save-dir",
        metavar="DIR",
        help="where counterexamples are saved, made if missing (default: the current directory)",
    )
    report = parser.add_argument_group("report")
    report.add_argument("--json", action="store_true", help="print JSON")
    report.add_argument("--html", metavar="FILE", help="write one page that needs no network")
    report.add_argument("--junit-xml", metavar="FILE", help="write JUnit XML, a test case for each claim")
    report.add_argument("--sarif", metavar="FILE", help="write SARIF, for code scanning")


def theorems_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``theorems``."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the theorem to show with its proof (default: the index)"
    )
    parser.add_argument("--beliefs", action="store_true", help="common false beliefs, each with its counterexample")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=theorems.FORMATS, help="text (default), latex (an article), html (a fragment) or json"
    )
    output.add_argument("--json", action="store_true", help="the same as --format json")
    output.add_argument("--output", metavar="FILE", help="write to a file instead of standard output")


def _target_arguments(parser: argparse.ArgumentParser, sizes_by_default: str, optional: bool = False) -> None:
    help_text = "path/to/file.py::function, or package.module:function"
    parser.add_argument("target", metavar="TARGET", help=help_text, nargs="?" if optional else None)
    conventions = _convention_arguments(parser)
    conventions.add_argument("--roles", metavar="ROLES", help="which parameter is what: a=Q,b=K,c=V")
    conventions.add_argument(
        "--layout", choices=("nd", "bnd", "bhnd", "bnhd"), help="axes of Q, K, V or X (default: tried in this order)"
    )
    conventions.add_argument("--returns", metavar="NAMES", help="what a tuple holds: O,P or dQ,dK,dV")
    sizes = parser.add_argument_group(f"sizes (default: {sizes_by_default})")
    for name, what in (
        ("n", "queries"), ("m", "keys"), ("d-k", "columns of Q and K"), ("d-v", "columns of V"),
        ("d-model", "columns of X"), ("heads", "heads"),
    ):  # fmt: skip
        sizes.add_argument(f"--{name}", type=_size, metavar=name[0].upper(), help=what)


def _convention_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add ``--spec``, in a group of its own."""
    conventions = parser.add_argument_group("conventions")
    conventions.add_argument(
        "--spec",
        action="append",
        default=[],
        metavar="SPEC",
        help="a profile such as paper, or field=value such as causal=lower_right; may be repeated, later ones win",
    )
    return conventions


def _seed(text: str) -> int:
    if not _WHOLE.match(text) or int(text) < 0:
        raise argparse.ArgumentTypeError(f"got {shorten(text, 40)!r}; a seed is a whole number from 0")
    return int(text)


def derive_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``derive``."""
    sizes = parser.add_argument_group("sizes")
    sizes.add_argument("--n", type=_size, default=3, metavar="N", help="queries (default: 3)")
    sizes.add_argument("--m", type=_size, metavar="M", help="keys (default: n)")
    start = sizes.add_mutually_exclusive_group()
    start.add_argument("--d-model", type=_size, metavar="D", help="columns of the embeddings X (default: 5)")
    start.add_argument("--given-qkv", action="store_true", help="start from given Q, K, V, without X and weights")
    sizes.add_argument("--d-k", type=_size, default=3, metavar="D", help="columns of Q and K (default: 3)")
    sizes.add_argument("--d-v", type=_size, default=3, metavar="D", help="columns of V (default: 3)")
    sizes.add_argument("--heads", type=_size, default=1, metavar="H", help="heads (default: 1)")
    sizes.add_argument(
        "--d-out", type=_size, metavar="D", help="columns of Y (default: d_model with several heads, else no W_O)"
    )
    conventions = _convention_arguments(parser)
    conventions.add_argument("--mask", metavar="FILE", help="a boolean mask: .json or .npy, n rows of m")
    shown = parser.add_argument_group("what to show")
    shown.add_argument("--stage", metavar="STAGE", help="one stage, all its entries: P, or P:2 for head 2")
    shown.add_argument("--entry", metavar="ENTRY", help="one entry, counted from 1: O[1,2] or P:2[1,3]")
    shown.add_argument(
        "--expand",
        nargs="?",
        const="inputs",
        metavar="STAGE",
        help="open the entries down to STAGE (default: to the inputs)",
    )
    shown.add_argument("--wrt", metavar="STAGE", help="differentiate the stage (default: the output) by an earlier one")
    shown.add_argument("--numbers", metavar="FILE", help="values of the inputs: .json or .npz; shown beside formulas")
    printed = parser.add_argument_group("output")
    printed.add_argument(
        "--format", choices=commands.FORMATS, metavar="FORMAT", help=f"{', '.join(commands.FORMATS)} (default: text)"
    )
    printed.add_argument("--json", action="store_true", help="the same as --format json")
    printed.add_argument("--output", metavar="FILE", help="write to a file instead of standard output")


def _seconds(text: str) -> int:
    if not _WHOLE.match(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {shorten(text, 40)!r}; give whole seconds, 1 or more")
    return int(text)


def _size(text: str) -> int:
    if not _WHOLE.match(text):
        raise argparse.ArgumentTypeError(f"got {shorten(text, 40)!r}; a size is a whole number such as 3")
    return int(text)
