"""From a file to plain data, within bounds: the first step of loading a document.

Nothing is executed.  Numbers stay the text that was written, because ``0.10`` and ``0.1``
are different statements about a printer; duplicate keys and ``NaN`` are refused.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attn_verify.errors import shorten

MAX_BYTES = 4_000_000


class NumberText(str):
    """A JSON number as it was written; a JSON string is a plain ``str``."""

    __slots__ = ()


class FaultError(Exception):
    """The bare cause of a refusal; :func:`attn_verify.worked.document.load` adds operation and name."""

    def __init__(self, cause: str, *, at: str = "", got: str = "", remedy: str = "") -> None:
        """Keep the parts of the message."""
        super().__init__(cause)
        self.cause, self.at, self.got, self.remedy = cause, at, got, remedy

    def facts(self) -> tuple[str, ...]:
        """Return the lines between operation and remedy."""
        place = f"at {self.at}" if self.at else ""
        received = f"got {self.got}" if self.got else ""
        return (", ".join(part for part in (place, received) if part), *self.cause.splitlines())


def show(value: object) -> str:
    """Describe a received value in a few characters, without walking through all of it.

    >>> show([1, 2]), show("0.5"), show(NumberText("0.5"))
    ('a list of 2', "'0.5'", '0.5')
    """
    if isinstance(value, NumberText):
        return shorten(str(value), 40)
    if isinstance(value, str):
        return repr(shorten(value, 40))
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"an object with {len(value)} keys"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value!r} (float)"
    return f"a value of type {type(value).__name__}"


def read(path: Path) -> Any:
    """Return the JSON data of a regular file of at most ``MAX_BYTES`` bytes; raise ``FaultError``."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise FaultError(f"it is {kind}", remedy="give the path of a .json document, or the word worked-example")
        # One byte more than allowed: the file may have grown since it was measured.
        raw = b"" if status.st_size > MAX_BYTES else _first_bytes(path)
    except FileNotFoundError:
        raise FaultError(
            "there is no such file", remedy="give the path of a .json document, or the word worked-example"
        ) from None
    except OSError as error:
        raise FaultError(f"it cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null byte, or one that the file system cannot encode
        raise FaultError(f"it is no path: {error}") from None
    if status.st_size > MAX_BYTES or len(raw) > MAX_BYTES:
        raise FaultError(
            f"it has {max(status.st_size, len(raw))} bytes", remedy=f"a document has at most {MAX_BYTES} bytes"
        )
    return parse(raw)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def parse(raw: bytes) -> Any:
    """Return the data of JSON text in UTF-8, with or without a byte order mark; raise ``FaultError``.

    >>> parse(b'{"a": [0.50, true]}')
    {'a': ['0.50', True]}
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FaultError(f"byte {error.start} is not UTF-8", remedy="save the document as UTF-8 text") from None
    try:
        return json.loads(
            text,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise FaultError(
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            remedy="see the document format in the reference documentation",
        ) from None
    except RecursionError:
        raise FaultError("it is nested too deeply", remedy="a document needs five levels of nesting") from None


def _refuse_constant(name: str) -> Any:
    raise FaultError(
        "it is no number of JSON, and no printed decimal", got=name, remedy="leave the array out, or give its range"
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise FaultError(
                    "a key appears twice in one object", got=f"the key {show(key)}", remedy="keep one of them"
                )
            seen.add(key)
    return result
