"""How a call of foreign code ended, in one word, whatever it raised."""

from __future__ import annotations

import dis
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from attn_verify.arithmetic.graph import UnmodelledError
from attn_verify.arithmetic.tracing.session import RefusalError

MAX_TEXT = 2000
# The instruction of the statements raise and assert.
_RAISE = dis.opmap["RAISE_VARARGS"]


@dataclass(frozen=True)
class Ending:
    """The outcome of a call (``returned raised exited memory refused``), the value, or what was raised."""

    outcome: str
    value: Any = None
    exception: dict[str, Any] | None = None


def attempt(function: Callable[[], Any], own: Container[str], after: Callable[[], None] | None = None) -> Ending:
    """Call ``function`` and say how it ended; nothing that it raises gets out.

    ``after`` is called before anything else happens, in an interpreter as the function has left it.

    >>> attempt(lambda: 1 / 0, ()).exception["type"]
    'ZeroDivisionError'
    """
    try:
        try:
            value = function()
        finally:
            if after is not None:
                after()
        return Ending("returned", value)
    except BaseException as error:  # foreign code may raise anything, SystemExit and KeyboardInterrupt included
        return Ending(outcome_of(error), None, describe(error, own))


def outcome_of(error: BaseException) -> str:
    """Return the word for an exception."""
    if isinstance(error, (RefusalError, UnmodelledError)):
        return "refused"
    if isinstance(error, SystemExit):
        return "exited"
    return "memory" if isinstance(error, MemoryError) else "raised"


def describe(error: BaseException, own: Container[str]) -> dict[str, Any]:
    """Return type, text and place of an exception; the place is the innermost line of the target, ``file:line``.

    ``stated`` says whether a statement ``raise`` or ``assert`` of the target raised it, and not an operation, nor while
    another one was handled.
    """
    place, trace, stated = "", error.__traceback__, False
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        stated = filename in own and trace.tb_frame.f_code.co_code[trace.tb_lasti] == _RAISE
        if filename in own:
            place = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    try:
        text = str(error)[:MAX_TEXT]
    except BaseException:  # a foreign __str__
        text = ""
    stated = stated and error.__context__ is None
    return {"type": type(error).__name__, "text": text, "place": place, "stated": stated}
