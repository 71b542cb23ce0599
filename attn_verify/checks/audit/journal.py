"""Results on disk while an audit runs, so that nothing is lost with it and another one can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attn_verify.errors import DocumentError, explain, shorten

FORMAT = "attn-verify/audit-journal"


class Journal:
    """A file with a line for every finished task; ``None`` for a path keeps nothing.

    Args:
        path: the file; its directory is made where it does not exist.
        key: tells apart audits of other code or options: results of another key are never used.
        resume: use what is there, instead of beginning anew.
    """

    def __init__(self, path: Path | None, key: str, *, resume: bool) -> None:
        self.path = path
        self.key = key
        self.results: dict[str, Mapping[str, Any]] = {}
        self.trouble = ""
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume:
                self.results = self._read()
            lines = [json.dumps({"format": FORMAT, "key": key})]
            lines += [json.dumps(result) for result in self.results.values()]
            path.write_text("\n".join(lines) + "\n", "utf-8")
        except OSError as error:
            received = f"got {shorten(str(path), 80)!r}"
            cause = f"it cannot be written: {error.strerror or error}"
            raise DocumentError(explain("audit: journal", received, cause, remedy="name another directory")) from None

    def _read(self) -> dict[str, Mapping[str, Any]]:
        if self.path is None or not self.path.is_file():
            return {}
        first, *rest = self.path.read_text("utf-8", "replace").splitlines() or [""]
        if _line(first).get("key") != self.key:
            return {}
        found = [_line(line) for line in rest]
        return {item["name"]: item for item in found if isinstance(item.get("name"), str) and not item.get("error")}

    def add(self, result: Mapping[str, Any]) -> None:
        """Append the result of a task; a disk that is full does not end the audit."""
        self.results[result["name"]] = result
        if self.path is None or self.trouble:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
        except OSError as error:
            self.trouble = f"results are no longer kept on disk: {error.strerror or error}"


def _line(text: str) -> dict[str, Any]:
    """Return one line; one that was cut off by an interrupt says nothing."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
