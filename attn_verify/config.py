"""``[tool.attn_verify]`` in the user's ``pyproject.toml``: defaults for audits, from the command line and in tests.

Options that are given win over the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attn_verify.errors import DocumentError, explain, shorten, show

FILE, TABLE = "pyproject.toml", "tool.attn_verify"


@dataclass(frozen=True)
class Key:
    """One key of the table: its type in TOML, and what it says."""

    type: str
    doc: str


KEYS: Mapping[str, Key] = {
    "budget": Key("number", "how much an audit tries, in seconds"),
    "limit": Key("number", "seconds after which no trial begins"),
    "seconds": Key("number", "time limit of one run of the target"),
    "seed": Key("whole number", "seed of every random choice"),
    "dtypes": Key("list of texts", "dtypes of the inputs, the first one for most trials"),
    "spec": Key("list of texts", "profiles and field=value, later ones winning"),
    "save_dir": Key("text", "directory in which counterexamples are saved"),
}


@dataclass(frozen=True)
class Config:
    """What the table says, and the file that it stands in (``None``: there is no such table)."""

    values: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    def get(self, name: str, given: Any, default: Any) -> Any:
        """Return what was given, else what the file says, else the default."""
        return given if given is not None else self.values.get(name, default)


def read_config(start: str | Path = ".") -> Config:
    """Read the table of the nearest ``pyproject.toml`` at or above ``start``.

    Raises ``DocumentError`` for a file that is no TOML, and for keys and types that are not known.

    >>> read_config("/").values
    {}
    """
    path = next((folder / FILE for folder in _upwards(Path(start)) if (folder / FILE).is_file()), None)
    if path is None:
        return Config()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DocumentError(explain(f"{FILE}: {TABLE}", f"got {_short(path)}", f"it cannot be read: {error}")) from None
    tool = data.get("tool", {})
    table = tool.get("attn_verify") if isinstance(tool, Mapping) else None
    if table is None:
        return Config(path=path)
    if not isinstance(table, Mapping):
        raise DocumentError(explain(f"{FILE}: {TABLE}", f"got {show(table)}", remedy="write a table"))
    return Config({name: _value(name, value, path) for name, value in table.items()}, path)


def _upwards(start: Path) -> list[Path]:
    folder = start.absolute()
    return [folder, *folder.parents]


def _value(name: str, value: Any, path: Path) -> Any:
    received = f"got {name} = {show(value)} in {_short(path)}"
    if name not in KEYS:
        raise DocumentError(explain(f"{FILE}: {TABLE}", received, remedy=f"known keys: {', '.join(KEYS)}"))
    kind, checked = KEYS[name].type, value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "list of texts" and isinstance(value, str):
        checked = [value]
    good = {
        "number": number,
        "whole number": isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        "text": isinstance(value, str),
        "list of texts": isinstance(checked, list) and all(isinstance(item, str) for item in checked),
    }[kind]
    if not good:
        raise DocumentError(explain(f"{FILE}: {TABLE}", received, remedy=f"{name}: a {kind}, {KEYS[name].doc}"))
    return checked


def _short(path: Path) -> str:
    return shorten(str(path), 80)
