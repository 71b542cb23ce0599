"""Which arrays hold numbers that a narrow format has rounded, in floats: rounding explains no difference in others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attn_verify.arithmetic.tracing.array import is_traced
from attn_verify.arithmetic.tracing.carrier import owner_of, pattern
from attn_verify.arithmetic.tracing.session import Session


def spread(session: Session, name: str, result: Any, args: Any, options: Any) -> None:
    """Mark what a call gives, or writes into, that has cast to a narrow format or was given something marked."""
    casts, session.casts = session.casts, 0
    if casts or is_coarse(session, (args, options)):
        written = [args[:1]] if name.startswith("__i") or name in ("__setitem__", "np.copyto") else []
        for array in _arrays((result, options.get("out"), written)):
            owner = owner_of(pattern(array._data))
            session.coarse[id(owner)] = owner  # kept, so that no other array takes over its number


def is_coarse(session: Session, value: Any) -> bool:
    """Return whether some array of a value is marked."""
    return bool(session.coarse) and any(
        id(owner_of(pattern(array._data))) in session.coarse for array in _arrays(value)
    )


def holds_arrays(value: Any) -> bool:
    """Return whether a value is made of what is looked into for arrays."""
    return is_traced(value) or type(value) in (list, tuple, dict)


def _arrays(value: Any) -> Iterator[Any]:
    if is_traced(value):
        yield value
    elif type(value) in (list, tuple):
        for item in value:
            yield from _arrays(item)
    elif type(value) is dict:
        for item in value.values():
            yield from _arrays(item)
