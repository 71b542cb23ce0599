"""The zoo: small attention functions, one a file, each with its flaw and its expected verdict in the header.

A header is the file's docstring, lines of ``key: value``:

==========  ===========================================================================================
title       what the code does, in one line
kind        ``correct``, ``adversarial-correct`` (right, in a strange way); ``algebraic`` (wrong as a real
            function), ``precision``, ``magnitude``, ``layout``, ``state``, ``size``, ``empty_rows`` (right as a
            real function at small sizes, wrong elsewhere), ``adversarial`` (wrong in a way meant to escape)
flaw        what is wrong, in one sentence; ``none``
expected    a status, ``not PROVED`` or ``not REFUTED``
function    the function in this file that is judged
spec        fields of ``AttentionSpec``, ``field=value`` separated by spaces
roles       ``parameter=role`` separated by commas, where names do not say it
layout      ``nd`` (default), ``bnd``, ``bhnd``, ``bnhd``
returns     the members of a returned tuple (default: the layer's last result, ``dQ,dK,dV`` with dO)
weights     ``list``, ``stacked`` or ``fused``: what per-head weights are given as
sizes       sizes that the function needs, ``n=3 m=4``; the others are free
visible     ``no``: an ordinary input does not show the flaw
wakes       sizes at which a flaw of kind ``size`` shows
fails       claims of an audit that a correct function fails, separated by commas: range, empty_rows
isolate     ``yes``: importing or calling it changes the process that does so
reason      why the expected verdict is not simply the best or the worst
source      where a bug of this class was reported
==========  ===========================================================================================
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
FOLDERS = ("correct", "broken", "adversarial")
REQUIRED = ("title", "kind", "flaw", "expected", "function")
OPTIONAL = (
    "spec", "roles", "layout", "returns", "weights", "sizes", "visible", "wakes", "fails", "isolate", "reason",
    "source",
)  # fmt: skip
KINDS: Mapping[str, tuple[str, ...]] = {
    "correct": ("correct",),
    "broken": ("algebraic", "precision", "magnitude", "layout", "state", "size", "empty_rows"),
    "adversarial": ("adversarial", "adversarial-correct"),
    "hidden": ("adversarial", "adversarial-correct", "correct"),
}
FAILS = ("range", "empty_rows")
EXPECTED = ("PROVED", "PROBABLE", "UNDECIDED", "REFUTED", "not PROVED", "not REFUTED")


@dataclass(frozen=True, eq=False)
class Entry:
    """One file of the zoo, its header read."""

    path: Path
    title: str
    kind: str
    flaw: str
    expected: str
    function: str
    spec: tuple[str, ...]
    roles: Mapping[str, str]
    layout: str | None
    returns: tuple[str, ...]
    weights: str | None
    sizes: Mapping[str, int]
    visible: bool
    wakes: Mapping[str, int]
    fails: tuple[str, ...]
    isolate: bool
    reason: str
    source: str

    @property
    def name(self) -> str:
        """Folder and file name without ending."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def target(self) -> str:
        """The target string ``path/to/file.py::function``."""
        return f"{self.path}::{self.function}"

    @property
    def correct(self) -> bool:
        """Whether the function is right as a function of real numbers, at every size and mask in its spec."""
        return self.kind in ("correct", "adversarial-correct")


def header(path: Path) -> dict[str, str]:
    """Return the ``key: value`` lines of a file's docstring; raise ``ValueError`` for a header that is not one."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    fields: dict[str, str] = {}
    for line in (text or "").splitlines():
        key, colon, value = line.partition(": ")
        if not colon or key not in (*REQUIRED, *OPTIONAL) or key in fields or not value.strip():
            raise ValueError(f"{path.name}: {line!r} is not a new line of the header")
        fields[key] = value.strip()
    missing = [key for key in REQUIRED if key not in fields]
    if missing:
        raise ValueError(f"{path.name}: the header lacks {', '.join(missing)}")
    return fields


def read(path: Path) -> Entry:
    """Read one file; raise ``ValueError`` where its header is incomplete or contradicts its folder."""
    fields = header(path)
    if fields["kind"] not in KINDS[path.parent.name] or fields["expected"] not in EXPECTED:
        raise ValueError(f"{path.name}: kind {fields['kind']}, expected {fields['expected']} in {path.parent.name}")
    if any(fields.get(key, "yes") not in ("yes", "no") for key in ("visible", "isolate")):
        raise ValueError(f"{path.name}: visible and isolate are yes or no")
    fails = tuple(name.strip() for name in fields.get("fails", "").split(",") if name.strip())
    if set(fails) - set(FAILS) or (fails and fields["kind"] not in ("correct", "adversarial-correct")):
        raise ValueError(f"{path.name}: fails is for correct functions, and names {' or '.join(FAILS)}")
    return Entry(
        path=path,
        title=fields["title"],
        kind=fields["kind"],
        flaw=fields["flaw"],
        expected=fields["expected"],
        function=fields["function"],
        spec=tuple(fields.get("spec", "").split()),
        roles=_pairs(fields.get("roles", ""), ","),
        layout=fields.get("layout"),
        returns=tuple(filter(None, fields.get("returns", "").split(","))),
        weights=fields.get("weights"),
        sizes={key: int(value) for key, value in _pairs(fields.get("sizes", ""), " ").items()},
        visible=fields.get("visible", "yes") == "yes",
        wakes={key: int(value) for key, value in _pairs(fields.get("wakes", ""), " ").items()},
        fails=fails,
        isolate=fields.get("isolate", "no") == "yes",
        reason=fields.get("reason", ""),
        source=fields.get("source", ""),
    )


def _pairs(text: str, separator: str) -> dict[str, str]:
    return dict(part.strip().split("=", 1) for part in text.split(separator) if part.strip())


@lru_cache
def _all() -> tuple[Entry, ...]:
    return tuple(
        read(path)
        for folder in FOLDERS
        for path in sorted((HERE / folder).glob("*.py"))
        if not path.name.startswith("_")
    )


def hidden() -> tuple[Entry, ...]:
    """Return the files of the folder ``hidden``: wrong where no ordinary input shows it, or right beside such files."""
    return tuple(read(path) for path in sorted((HERE / "hidden").glob("*.py")) if not path.name.startswith("_"))


def entries(kind: str | None = None, *, folder: str | None = None) -> tuple[Entry, ...]:
    """Return all files, or those of one kind or folder; those whose name starts with ``_`` are helpers.

    Raises ``ValueError`` where there are none, so that nothing is checked by checking nothing.
    """
    found = tuple(e for e in _all() if kind in (None, e.kind) and folder in (None, e.path.parent.name))
    if not found:
        raise ValueError(f"the zoo has nothing of kind {kind!r} in {folder or 'any folder'}")
    return found
