"""Refuted beliefs as text: what is believed, where it is false, and what is true instead."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any


def belief_text(data: Mapping[str, Any], statements: Mapping[str, str] | None = None, width: int = 80) -> str:
    """Return the text of one belief (``Refuted.to_dict()``); ``statements`` are those of the theorems, by name.

    >>> data = {"name": "b", "text": "1 = 2.", "claim": "1 == 2", "given": [], "words": "", "floats": [],
    ...         "counterexample": {"text": "false at any numbers"}, "instead": ["t"]}
    >>> print(belief_text(data, {"t": "1 < 2."}))
    b
      believed  1 = 2.
      claim     1 == 2
      false at  any numbers
      true      t: 1 < 2.
    """
    rows = [("believed", data["text"]), ("claim", data["claim"])]
    rows += [("given", s) for s in data["given"]]
    first, *others = str(data["counterexample"]["text"]).split("\n")
    rows.append(("false at", first.removeprefix("false at ")))
    rows += [(line[:7].strip(), line[7:].strip()) for line in others]
    rows += [(what, value) for what, value in data["floats"]]
    rows += [("meaning", data["words"])] if data["words"] else []
    known = statements or {}
    rows += [("true", f"{name}: {known[name]}" if name in known else name) for name in data["instead"]]
    lines = [str(data["name"])]
    for label, text in rows:
        lead = f"  {label:<10}" if len(label) < 10 else f"  {label}  "
        lines += wrap(_safe(text), max(40, width), initial_indent=lead, subsequent_indent=" " * 12)
    return "\n".join(lines)


def beliefs_text(data: Mapping[str, Any], statements: Mapping[str, str] | None = None, width: int = 80) -> str:
    """Return the text of all beliefs (``beliefs.to_dict()``)."""
    return "\n\n".join(belief_text(b, statements, width) for b in data["beliefs"])


def _safe(value: object) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))
