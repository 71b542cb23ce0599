"""What stands at the head of an audit: the code that was audited, and what it ran on."""

from __future__ import annotations

import ast
import platform
from typing import Any

import numpy as np

from attn_verify.checks.audit.subject import Subject

# A function of more characters is no function that a report shows.
_LONGEST = 60_000


def source_of(subject: Subject) -> dict[str, Any]:
    """Return ``path`` and ``line`` of the target; ``text``, the code of its function, which begins at ``first``.

    There is no text where the function is not found in the file: where it was made by other code, say.
    """
    file, line = subject.description.get("file") or "", subject.description.get("line") or 1
    place: dict[str, Any] = {"path": file, "line": line}
    found = function_lines(subject.source, int(line))
    if found is None:
        return place
    first, last = found
    text = "\n".join(subject.source.splitlines()[first - 1 : last])
    return place if len(text) > _LONGEST else {**place, "first": first, "text": text}


def function_lines(source: str, line: int) -> tuple[int, int] | None:
    """Return the first and the last line of the innermost function that begins at ``line``, decorators included.

    >>> function_lines("import functools\\n\\n@functools.cache\\ndef f(x):\\n    return x\\n", 3)
    (3, 5)
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first <= line <= node.lineno:
                found = first, node.end_lineno or node.lineno
    return found


def versions() -> dict[str, str]:
    """Return the versions of what every run of the target rests on."""
    from attn_verify import __version__

    return {"attn_verify": __version__, "python": platform.python_version(), "numpy": np.__version__}
