"""Every error that the package raises on purpose.

One base class, so that ``except AttnVerifyError`` catches whatever is the
caller's to mend.  A message states, in this order: the operation and its
signature, what was received, what was bound so far, the cause, the remedy.
Inner code raises the bare cause; the boundary that knows the operation puts
the message together with :func:`explain`.
"""

from __future__ import annotations


class AttnVerifyError(Exception):
    """Base class of all errors raised on purpose; the command line exits with ``exit_code``."""

    exit_code = 2


class ShapeError(AttnVerifyError):
    """Arrays do not fit the signature of the operation."""


class SizeError(AttnVerifyError):
    """A size is not a positive whole number, or is too large for what was asked."""


class SpecError(AttnVerifyError):
    """An attention convention is unknown, malformed or contradicts another."""


class StageError(AttnVerifyError):
    """A stage, or an entry of a stage, does not exist in the derivation."""


class LanguageError(AttnVerifyError):
    """An expression of the small language cannot be read or evaluated."""


class DocumentError(AttnVerifyError):
    """A file of the user cannot be read as what it should be."""


class TargetError(AttnVerifyError):
    """A function under test cannot be called, or fails on every input."""


class VerdictError(AttnVerifyError):
    """A verdict falls short of the status that was required."""

    exit_code = 1


class NothingCheckedError(AttnVerifyError):
    """An audit contains no claim that counts: nothing can be concluded from it."""

    exit_code = 3


class UndecidedError(AttnVerifyError):
    """A question could not be answered within the precision or budget that was allowed."""

    exit_code = 3


def explain(operation: str, *facts: str, remedy: str | None = None) -> str:
    """Lay out a message: the operation, indented facts, and last the remedy.

    >>> print(explain("derive", "got n = 0", "a size is a whole number from 1", remedy="give --n 1 or more"))
    derive
      got n = 0
      a size is a whole number from 1
      give --n 1 or more
    """
    lines = [operation, *facts]
    if remedy is not None:
        lines.append(remedy)
    return "\n  ".join(line for line in lines if line)


def shorten(text: str, width: int = 80) -> str:
    """Cut a received value to ``width`` characters, so that no message repeats megabytes of input.

    >>> shorten("7" * 100, 12)
    '7777777…7777'
    """
    if len(text) <= width:
        return text
    tail = (width - 1) // 2 if width < 10 else 4
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]


def show(value: object, width: int = 40) -> str:
    """Return ``repr(value)`` for a message, shortened; a value that has none is described by its type.

    >>> show("7" * 100, 12)
    "'777777…777'"
    >>> show(10**5000)
    'an integer of 16610 bits'
    """
    try:
        return shorten(repr(value), width)
    except Exception:  # whatever a foreign __repr__ raises; Python itself refuses integers above 4300 digits
        if isinstance(value, int):
            return f"an integer of {value.bit_length()} bits"
        return f"a value of type {shorten(type(value).__name__, width)}"
