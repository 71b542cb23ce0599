"""Messages between processes: a header in JSON and a payload of bytes, each with its length in front."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from typing import Any

from attn_verify.arithmetic.tracing.run_values import packed

MAGIC = b"attn"
_FRONT = struct.Struct(">4sIQ")
# A payload beyond this is taken for garbage.
MAX_PAYLOAD = 1 << 30


class FrameError(Exception):
    """What arrived is not a message."""


def encode(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """Return a message as bytes; arrays of numbers in the header are packed."""
    head = json.dumps(header, default=packed).encode()
    return _FRONT.pack(MAGIC, len(head), len(payload)) + head + payload


def decode(data: bytes | bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Return header and payload, ``None`` while the message is incomplete; raise ``FrameError`` for garbage.

    >>> message = encode({"job": "run"}, b"12")
    >>> decode(message[:-1]), decode(message)
    (None, ({'job': 'run'}, b'12'))
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise FrameError("not a message")
    if len(data) < _FRONT.size:
        return None
    _, head, payload = _FRONT.unpack_from(data)
    if payload > MAX_PAYLOAD:
        raise FrameError(f"a message of {payload} bytes")
    end = _FRONT.size + head
    if len(data) < end + payload:
        return None
    try:
        header = json.loads(data[_FRONT.size : end])
    except ValueError as error:
        raise FrameError("no JSON in front of a message") from error
    return header, bytes(data[end : end + payload])


def write(fd: int, header: Mapping[str, Any], payload: bytes = b"") -> None:
    """Write a message to a file descriptor."""
    view = memoryview(encode(header, payload))
    while view:
        view = view[os.write(fd, view) :]


def read(fd: int) -> tuple[dict[str, Any], bytes] | None:
    """Read one message, waiting for it; ``None`` if the other side has closed."""
    data = bytearray()
    wanted = _FRONT.size
    while True:
        while len(data) < wanted:
            chunk = os.read(fd, min(wanted - len(data), 1 << 20))
            if not chunk:
                return None
            data += chunk
        found = decode(data)
        if found is not None:
            return found
        _, head, payload = _FRONT.unpack_from(data)
        wanted = _FRONT.size + head + payload
