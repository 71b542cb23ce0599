"""Calling foreign code on exact numbers: watched, and refused where it tampers with what everybody uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from attn_verify.arithmetic.tracing.imports import ExactImports, OwnFiles
from attn_verify.arithmetic.tracing.run_outcome import Ending, attempt
from attn_verify.arithmetic.tracing.session import Refusal, Session


class Watch(Protocol):
    """Watches what foreign code does to the interpreter."""

    def start(self) -> None:
        """Begin to record executed lines."""
        ...

    def stop(self) -> None:
        """Put the interpreter back into order."""
        ...

    @property
    def lines(self) -> list[str]:
        """The lines executed since ``start``, ``file:line``."""
        ...

    @property
    def blocks(self) -> list[str]:
        """The parts without jumps executed since ``start``."""
        ...

    @property
    def opcodes(self) -> str:
        """A digest of the instructions executed since ``start``, finer than lines."""
        ...

    @property
    def tampered(self) -> list[str]:
        """What the target has changed in the interpreter so far (``builtins.len``, ``sys.settrace``)."""
        ...


def watched(
    function: Callable[[], Any], own: OwnFiles, watch: Watch, imports: ExactImports, session: Session
) -> Ending:  # fmt: skip
    """Call foreign code; whatever it does to the interpreter or to a model is a refusal."""
    watch.start()
    ending = attempt(function, own, watch.stop)
    for name in [*watch.tampered, *imports.changed()]:
        session.refusals.append(Refusal(name, "the target replaces it", "", "leave library modules as they are"))
    refuse_unrecorded(session, ending)
    return ending


def refuse_unrecorded(session: Session, ending: Ending) -> None:
    """Record a refusal that reached us as an exception of the graph."""
    if ending.outcome == "refused" and not session.refusals and ending.exception is not None:
        told = ending.exception
        session.refusals.append(Refusal("arithmetic", told["text"], told["place"], ""))
