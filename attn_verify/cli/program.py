"""Arguments, help texts, exit codes and the one place where errors become messages.

Nothing here imports SymPy, NumPy or rich: ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from typing import IO, Any, NoReturn

from attn_verify import __version__
from attn_verify.cli import commands, proofs
from attn_verify.cli.output import OutputError, UsageError, complain, silence, write
from attn_verify.errors import AttnVerifyError, explain, shorten

_WHOLE = re.compile(r"[+-]?[0-9]{1,12}\Z")
_DESCRIPTION = "Derive, prove and audit what softmax(Q Kᵀ/√d_k) V computes."
_EXITS = """\
exit codes: 0 everything required holds, 1 refuted, 2 wrong usage or unusable input,
            3 undecided or nothing to check"""

_DERIVE = """\
examples:
  attn-verify derive                               all stages, from embeddings to the output
  attn-verify derive --stage P --spec causal=lower_right
  attn-verify derive --entry "O[1,2]" --expand     one entry in terms of the inputs
  attn-verify derive --stage O --wrt V             derivatives
  attn-verify derive --given-qkv --numbers qkv.json
  attn-verify derive --heads 2 --format html --output attention.html

stages: X W_Q W_K W_V Q K V S E D P O (of head t: P:t), Z W_O Y; gradients dO dV dP dS dQ dK

files:  numbers.json  {"X": [[1, 0], [0.5, 2]], "W_Q": …}; with several heads W_Q is a list of matrices
        mask.json     [[true, false], [true, true]], one row for each query; or .npy and .npz"""

_CHECK = """\
examples:
  attn-verify check worked-example       the packaged document
  attn-verify check figures.json --json"""


_PROVE = """\
examples:
  attn-verify prove my_attention.py::attention
  attn-verify prove layer.py::multihead --heads 2 --spec causal=lower_right
  attn-verify prove package.module:function --roles a=Q,b=K,c=V --layout bhnd
  attn-verify prove my_attention.py::attention --certificate proof.json

The function is imported and run in a process of its own, on exact numbers and in floats."""

_REPLAY = """\
exit codes: 1 it still fails, 0 it passes now, 2 the file or its target cannot be used, 3 undecided"""

_RECHECK = """\
exit codes: 0 the certificate is valid, 1 it is not, 2 the file cannot be read, 3 it could not be checked in full"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        try:
            arguments = _parse(sys.argv[1:] if argv is None else list(argv))
            return int(arguments.run(arguments))
        except OutputError:
            raise
        except SystemExit as done:  # argparse, after --help and --version
            return int(done.code or 0)
        except AttnVerifyError as error:
            complain(f"{error}\n")
            return error.exit_code
        except KeyboardInterrupt:
            complain("interrupted\n")
            return 130
        finally:
            if sys.stdout is not None:
                write("", sys.stdout)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        silence(sys.stdout)
        return 141
    except OutputError as error:
        silence(sys.stdout)
        complain(f"{error}\n")
        return error.exit_code


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises our errors and prints on any terminal."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(explain(self.prog, message, remedy=f"see {self.prog} --help"))

    def _print_message(self, message: str, file: IO[str] | Any = None) -> None:
        if message:
            write(message, file)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser, subparsers = _build()
    known = f"commands: {', '.join(subparsers)}"
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version")):
        raise UsageError(explain("attn-verify", "a command is missing", remedy=f"{known}; see attn-verify --help"))
    command = argv[0]
    if not command.startswith("-") and command not in subparsers:
        received = f"unknown command {shorten(command, 40)!r}"
        raise UsageError(explain("attn-verify", received, remedy=_nearest(command, subparsers) or known))
    arguments, extra = parser.parse_known_args(argv)
    if extra:
        options = [option for action in subparsers[command]._actions for option in action.option_strings]
        remedy = _nearest(extra[0].partition("=")[0], options) or f"see attn-verify {command} --help"
        received = f"unexpected {shorten(' '.join(extra), 60)!r}"
        raise UsageError(explain(f"attn-verify {command}", received, remedy=remedy))
    return arguments


def _nearest(word: str, known: Sequence[str] | dict[str, Any]) -> str:
    found = difflib.get_close_matches(word[:40], list(known), 1)
    return f"did you mean {found[0]}?" if found else ""


def _build() -> tuple[_Parser, dict[str, _Parser]]:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="attn-verify", description=_DESCRIPTION, epilog=_EXITS, formatter_class=layout, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"attn-verify {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    derive = subparsers.add_parser(
        "derive",
        help="show the formula entry by entry: stages, entries, derivatives, code",
        description="Derive attention with SymPy, entry by entry from the definition, and show it.",
        epilog=_DERIVE,
        formatter_class=layout,
        allow_abbrev=False,
    )
    _derive_arguments(derive)
    derive.set_defaults(run=commands.derive)

    check = subparsers.add_parser(
        "check",
        help="do the printed numbers of a worked example follow from its formulas?",
        description="Judge every printed array of a worked example: certified, consistent, refuted or undetermined.",
        epilog=_CHECK,
        formatter_class=layout,
        allow_abbrev=False,
    )
    check.add_argument("document", metavar="DOCUMENT", help="a .json document, or the word worked-example")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=commands.check)

    prove = subparsers.add_parser(
        "prove",
        help="is this function the formula? exactly, for all real inputs at the sizes in scope",
        description="Run somebody's untouched NumPy attention on exact numbers and decide whether it is the formula.",
        epilog=_PROVE,
        formatter_class=layout,
        allow_abbrev=False,
    )
    _prove_arguments(prove)
    prove.set_defaults(run=proofs.prove)

    replay = subparsers.add_parser(
        "replay",
        help="run a saved counterexample again",
        description="Run a saved counterexample again, in floats, and judge it again.",
        epilog=_REPLAY,
        formatter_class=layout,
        allow_abbrev=False,
    )
    replay.add_argument("file", metavar="FILE", help="a counterexample that prove saved")
    replay.add_argument("--json", action="store_true", help="print JSON")
    replay.set_defaults(run=proofs.replay)

    recheck = subparsers.add_parser(
        "recheck",
        help="check a proof certificate independently",
        description="Rebuild the formula from the spec, compare it with the traced program; no code of prove is used.",
        epilog=_RECHECK,
        formatter_class=layout,
        allow_abbrev=False,
    )
    recheck.add_argument("file", metavar="FILE", help="a certificate that prove wrote")
    recheck.add_argument("--json", action="store_true", help="print JSON")
    recheck.set_defaults(run=proofs.recheck)
    known = {"derive": derive, "check": check, "prove": prove, "replay": replay, "recheck": recheck}
    return parser, known


def _prove_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="path/to/file.py::function, or package.module:function")
    conventions = parser.add_argument_group("conventions")
    conventions.add_argument(
        "--spec",
        action="append",
        default=[],
        metavar="SPEC",
        help="a profile such as paper, or field=value such as causal=lower_right; may be repeated, later ones win",
    )
    conventions.add_argument("--roles", metavar="ROLES", help="which parameter is what: a=Q,b=K,c=V")
    conventions.add_argument(
        "--layout", choices=("nd", "bnd", "bhnd", "bnhd"), help="axes of Q, K, V or X (default: tried in this order)"
    )
    conventions.add_argument("--returns", metavar="NAMES", help="what a tuple holds: O,P or dQ,dK,dV")
    sizes = parser.add_argument_group("sizes (default: several small ones)")
    for name, what in (
        ("n", "queries"), ("m", "keys"), ("d-k", "columns of Q and K"), ("d-v", "columns of V"),
        ("d-model", "columns of X"), ("heads", "heads"),
    ):  # fmt: skip
        sizes.add_argument(f"--{name}", type=_size, metavar=name[0].upper(), help=what)
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=_seed, default=0, metavar="N", help="seed of every random choice (default: 0)")
    run.add_argument("--seconds", type=_seconds, default=60, metavar="S", help="time limit of one run (default: 60)")
    run.add_argument("--certificate", metavar="FILE", help="write a certificate of the proof, for recheck")
    run.add_argument(
        "--save-dir",
        metavar="DIR",
        default=".",
        help="where a counterexample is saved (default: the current directory)",
    )
    run.add_argument("--json", action="store_true", help="print JSON")


def _seed(text: str) -> int:
    if not _WHOLE.match(text) or int(text) < 0:
        raise argparse.ArgumentTypeError(f"got {shorten(text, 40)!r}; a seed is a whole number from 0")
    return int(text)


def _derive_arguments(parser: argparse.ArgumentParser) -> None:
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
    conventions = parser.add_argument_group("conventions")
    conventions.add_argument(
        "--spec",
        action="append",
        default=[],
        metavar="SPEC",
        help="a profile such as paper, or field=value such as causal=lower_right; may be repeated, later ones win",
    )
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
