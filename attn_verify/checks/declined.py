"""Masks that a target declines: it raises, by a statement of its own, where an optional mask is given."""

from __future__ import annotations

from linecache import getline

from attn_verify.checks.outcome import Outcome, short_place


def declined(outcome: Outcome, mask: str) -> str:
    """Return how a target declined the mask of a case, if it did so by ``raise`` or ``assert``, else nothing.

    ``mask`` says whether a mask is ``required``, ``optional``, or taken at ``no`` place.  An exception that an
    operation raised is no such thing: the target failed.
    """
    if mask != "optional" or outcome.case.mask is None or outcome.ran.get("outcome") != "raised":
        return ""
    error = outcome.ran["exception"]
    file, _, line = error["place"].rpartition(":")
    statement = getline(file, int(line)).split() if line.isdigit() else []
    if statement[:1] not in (["raise"], ["assert"]):
        return ""
    said = f": {error['text']}" if error["text"] else ""
    return f"a mask: {error['type']} at {short_place(error['place'])}{said}"
