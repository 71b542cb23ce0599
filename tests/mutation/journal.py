"""Results on disk, one JSON object a line, so that a long run can go on where it was ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attn_verify

Record = Mapping[str, Any]


class JournalError(ValueError):
    """A journal cannot be read or written, or is of another run."""


class Journal:
    """Records by name; in memory only if it has no path."""

    def __init__(self, path: Path | None, records: dict[str, Record]) -> None:
        self.path, self.records = path, records

    @classmethod
    def open(cls, path: Path | None, *, resume: bool, **options: float) -> Journal:
        """Begin a journal, or go on with one of the same options and state of the package.

        Raises ``JournalError`` where there is nothing to go on with, or where results would be mixed or overwritten.
        """
        head = {**options, "package": digest()}
        if path is None:
            if resume:
                raise JournalError("there is nothing to go on with: give the journal")
            return cls(None, {})
        if not resume:
            if path.exists():
                raise JournalError(f"{path} exists: go on with it (--resume) or remove it")
            journal = cls(path, {})
            journal._write({"head": head})
            return journal
        try:
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        except FileNotFoundError:
            raise JournalError(f"{path} does not exist") from None
        except (OSError, ValueError) as error:
            raise JournalError(f"{path} cannot be read: {error}") from None
        if not lines or lines[0].get("head") != head:
            raise JournalError(f"{path} is of other options or another state of the package: {head} is wanted")
        return cls(path, {line["name"]: line["record"] for line in lines[1:]})

    def find(self, name: str) -> Record | None:
        """The record of that name, if there is one."""
        return self.records.get(name)

    def add(self, name: str, record: Record) -> Record:
        """Keep a record, on disk at once."""
        self.records[name] = record
        self._write({"name": name, "record": record})
        return record

    def _write(self, line: Record) -> None:
        if self.path is not None:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
            except OSError as error:
                raise JournalError(f"{self.path} cannot be written: {error}") from None


def digest() -> str:
    """Tells apart states of the package: results of one say nothing about another."""
    folder = Path(attn_verify.__file__).parent
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        state.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:16]
