"""Arguments, help texts, exit codes and the one place where errors become messages.

Nothing here imports SymPy, NumPy or rich: ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import IO, Any, NoReturn

from attn_verify import __version__
from attn_verify.cli import audits, commands, proofs, theorems
from attn_verify.cli.arguments import audit_arguments, derive_arguments, prove_arguments, theorems_arguments
from attn_verify.cli.output import OutputError, UsageError, complain, silence, write
from attn_verify.errors import AttnVerifyError, explain, shorten

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
  attn-verify prove --claim "softmax(x + c) == softmax(x)"
  attn-verify prove --claim "softmax(c * x) == softmax(x)" --given "c > 0"

The function is imported and run in a process of its own, on exact numbers and in floats.
A claim is proved for all sizes, or refuted by its smallest counterexample, or left open."""

_AUDIT = """\
examples:
  attn-verify audit my_attention.py::attention
  attn-verify audit layer.py::multihead --heads 2 --spec causal=lower_right --budget 30
  attn-verify audit my_attention.py::attention --html report.html --junit-xml report.xml

Defaults for budget, dtype, seed, seconds, spec and save-dir are read from [tool.attn_verify] in pyproject.toml."""

_THEOREMS = """\
examples:
  attn-verify theorems                                   all of them, by family
  attn-verify theorems shift_invariance_exactly          statement, proof, example, near-miss
  attn-verify theorems softmax_jacobian --format html --output jacobian.html
  attn-verify theorems --beliefs                         what is often believed, and where it is false

Every step is checked anew each time. exit codes: 0 all of it is proved, 2 there is no such theorem,
3 a step is not accepted"""

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
    derive_arguments(derive)
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
    prove_arguments(prove)
    prove.set_defaults(run=proofs.prove)

    audit = subparsers.add_parser(
        "audit",
        help="is this implementation right, and if not, on which input?",
        description="Prove what can be proved of a function, and run it on inputs that wake bugs up.",
        epilog=_AUDIT,
        formatter_class=layout,
        allow_abbrev=False,
    )
    audit_arguments(audit)
    audit.set_defaults(run=audits.audit)

    listed = subparsers.add_parser(
        "theorems",
        help="why attention is what it is: theorems in which every step is checked",
        description="Check the proofs of the theorems about attention and show them.",
        epilog=_THEOREMS,
        formatter_class=layout,
        allow_abbrev=False,
    )
    theorems_arguments(listed)
    listed.set_defaults(run=theorems.theorems)

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
    known = {
        "derive": derive, "check": check, "prove": prove, "audit": audit, "theorems": listed, "replay": replay,
        "recheck": recheck,
    }  # fmt: skip
    return parser, known
