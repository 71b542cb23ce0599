"""Writing text where it is wanted: to a terminal of any encoding, a pipe, or a file."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from attn_verify.errors import AttnVerifyError, explain, shorten

WIDTH = 100
"""Columns of text that goes into a pipe."""


class UsageError(AttnVerifyError):
    """The command line cannot be understood."""


class OutputError(UsageError):
    """Standard output or standard error cannot be written; the message is one line."""


# What a terminal without these signs shows in their place.
_PLAIN = {
    "√": "sqrt ", "·": "*", "−": "-", "×": "x", "…": "...", "⋯": "...", "⋮": ":", "ᵀ": "^T", "Σ": "sum", "∂": "d",
    "∞": "inf", "μ": "mu", "σ": "sigma", "δ": "delta", "⁽": "^(", "⁾": ")", "ᵗ": "t", "≥": ">=", "≤": "<=",
    "⎡": "[", "⎢": "[", "⎣": "[", "⎤": "]", "⎥": "]", "⎦": "]", "—": "-", "–": "-", "→": "->", "±": "+-", "½": "1/2",
    "─": "-", "━": "-", "│": "|", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "⊤": "^T",
    "✓": "*", "✗": "x", "◂": "<-", "⇔": "<=>", "⇒": "=>", "≠": "!=", "≈": "~", "“": '"', "”": '"', "‖": "||", "∈": "in",
    "•": ".", "□": "[]", "∏": "prod", "⊕": "(+)", "∘": "o", "⌊": "floor(", "⌋": ")", "⟨": "<", "⟩": ">", "ⁿ": "n",
    "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8", "\u0304": "-bar", "\u0302": "-hat", "\u0303": "-tilde",
    "α": "alpha", "β": "beta", "γ": "gamma", "ε": "eps", "ζ": "zeta", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "τ": "tau", "φ": "phi", "ϕ": "phi", "ψ": "psi",
    "ω": "omega", "Δ": "Delta", "Π": "Pi", "Ω": "Omega", "ℓ": "l", "ℝ": "R", "𝔼": "E", "𝟏": "1", "⁻": "-",
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)),
}  # fmt: skip


def _replaced(fallback: Callable[[str], str]) -> Callable[[UnicodeError], tuple[str, int]]:
    def handler(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        return "".join(map(fallback, error.object[error.start : error.end])), error.end

    return handler


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


codecs.register_error("attn-verify-plain", _replaced(lambda character: _PLAIN.get(character, "?")))
codecs.register_error("attn-verify-json", _replaced(_json_escape))
_ERRORS = {"json": "attn-verify-json", "html": "xmlcharrefreplace"}


def write(text: str, stream: IO[str] | None, form: str = "text") -> None:
    """Write ``text``; signs that the stream's encoding lacks are replaced, in the way of the format.

    Raises:
        OutputError: the stream is closed, or it refuses the text, as a full disk does.
        BrokenPipeError: its reader has gone.
    """
    if stream is None:  # closed before Python started
        raise OutputError("attn-verify: the output cannot be written: the stream is closed")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = text.encode(encoding, _ERRORS.get(form, "attn-verify-plain")).decode(encoding)
    try:
        stream.write(shown)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"attn-verify: the output cannot be written: {_reason(error)}") from None


def show(data: Mapping[str, Any], as_json: bool, module: str, function: str) -> None:
    """Write a report to standard output, as JSON or as ``function`` of ``module`` renders it on a console."""
    if as_json:
        from attn_verify.report.strict_json import dumps

        write(dumps(data) + "\n", sys.stdout, "json")
        return
    from rich.console import Console

    console = Console(file=sys.stdout, width=min(shutil.get_terminal_size((WIDTH, 24)).columns, 160))
    with console.capture() as captured:
        getattr(import_module(module), function)(data, console)
    write(str(captured.get()), sys.stdout)


def complain(text: str) -> None:
    """Write ``text`` to standard error; where that cannot be written, the exit code must do."""
    try:
        write(text, sys.stderr)
    except OutputError:
        silence(sys.stderr)


def silence(stream: IO[str] | None) -> None:
    """Drop what a stream still holds: Python would complain again when it closes the stream."""
    if stream is None:
        return
    with suppress(OSError, ValueError):  # a stream that is no file holds nothing that Python would write
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def is_terminal(stream: IO[str] | None) -> bool:
    """Return whether a stream, which may be closed, is a terminal."""
    return stream is not None and stream.isatty()


def check_output(path: str, option: str = "--output") -> Path:
    """Return the path of a file that can be written, before anything is computed; raise ``UsageError``."""
    if not path:
        raise _unwritable(path, "the name is empty", "give the name of a file", option)
    target = Path(path)
    try:
        if target.is_dir():
            raise _unwritable(path, "it is a directory", "give the name of a file", option)
        if not target.parent.is_dir():
            raise _unwritable(
                path, f"there is no directory {shorten(str(target.parent), 60)}", "create it first", option
            )
        with suppress(FileNotFoundError):
            target.lstat()  # refuses what no file can be called, where `is_dir` just says no
    except (OSError, ValueError) as error:
        raise _unwritable(path, _reason(error), "give another file", option) from None
    return target


def made_directory(path: Path, operation: str, option: str = "--save-dir") -> Path:
    """Return a directory, made if it is missing; raise ``UsageError`` where that is impossible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        cause = "it is a file" if path.is_file() else f"it cannot be made: {_reason(error)}"
        received = f"got {option} {shorten(str(path), 60)!r}"
        raise UsageError(explain(operation, received, cause, remedy="give another directory")) from None
    return path


def save(text: str, path: Path, option: str = "--output") -> None:
    """Write ``text`` as UTF-8 to the file that ``option`` names."""
    try:
        path.write_bytes(text.encode("utf-8", "attn-verify-plain"))
    except (OSError, ValueError) as error:
        raise _unwritable(str(path), _reason(error), "give a file that can be written", option) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _unwritable(path: str, cause: str, remedy: str, option: str = "--output") -> UsageError:
    return UsageError(explain(option, f"got {shorten(path, 80)!r}", f"it cannot be written: {cause}", remedy=remedy))


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show on an attached terminal that something is going on; be quiet in a pipe.

    The function that it yields changes the message.
    """
    if not is_terminal(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(message) as status:
        yield status.update
