"""Check theorems for a report: what is not accepted becomes UNDECIDED with its reason, and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attn_verify import __version__
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.library import check, needs, theorem, theorems, unlocks
from attn_verify.theorems.presenting import describe, heading, refused, scope


def outcome(name: str) -> dict[str, Any]:
    """Return a theorem as plain data, checked, or UNDECIDED with the reason for which a step is not accepted."""
    t = theorem(name)
    try:
        found = describe(check(name))
    except RefusedError as error:
        found = refused(t, str(error))
    return {**found, "version": __version__}


def index(progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Check all theorems and return one row for each: family, level, scope, status, time."""
    rows = []
    for at, (name, t) in enumerate(theorems().items(), 1):
        progress(f"checking {at} of {len(theorems())}: {name} …")
        words = {key: value for key, value in heading(t).items() if key in ("name", "family", "level", "statement")}
        row: dict[str, Any] = {**words, "needs": list(needs(name)), "unlocks": list(unlocks(name))}
        try:
            checked = check(name)
        except RefusedError as error:
            rows.append({**row, "scope": "", "status": "UNDECIDED", "seconds": 0.0, "cited": [], "reason": str(error)})
            continue
        found = {"scope": scope(checked), "status": "PROVED", "seconds": round(checked.seconds, 4)}
        rows.append({**row, **found, "cited": list(checked.cited)})
    status = "PROVED" if rows and all(row["status"] == "PROVED" for row in rows) else "UNDECIDED"
    return {"theorems": rows, "status": status, "version": __version__}
