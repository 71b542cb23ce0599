"""Joining and overwriting whole arrays of residues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.field import active
from attn_verify.arithmetic.modular.residues import boxed

Array = NDArray[Any]


def join(items: Sequence[ModularData], f: Callable[[Sequence[Array]], Array]) -> ModularData:
    """Build one array from the entries of several; it has the levels that all of them have."""
    names = list(dict.fromkeys(name for item in items for name in item.parts))
    parts = {name: boxed(f([item.part(name) for item in items]), items[0].part(name).dtype) for name in names}
    lowest = max((min(_levels(item)) for item in items), default=0)
    for level in range(lowest):
        parts.pop(f"r{level}", None)
    parts["depth"] = np.maximum(parts["depth"], np.uint8(lowest))
    out = ModularData(parts)
    if any(item.lam is not None for item in items):
        logs = [item.logs() for item in items]
        out.lam = logs[0][0].join([lam for lam, _ in logs[1:]], f)
        out.fac = logs[0][1].join([fac for _, fac in logs[1:]], f)
    return out


def assign(target: ModularData, key: Any, value: ModularData) -> None:
    """Write entries in place; where the memory has no room for logarithms they become values like others."""
    lowest = min(_levels(target))
    if value.lam is not None and target.lam is None and value.has_logs():
        active().opaque = True
    for name, array in target.parts.items():
        if name == "depth":
            array[key] = np.maximum(value.parts["depth"], np.uint8(lowest))
        elif name in value.parts or name[0] != "r":
            array[key] = value.part(name)
    if target.lam is not None and target.fac is not None:
        lam, fac = value.logs()
        target.lam.assign(key, lam)
        target.fac.assign(key, fac)


def _levels(item: ModularData) -> list[int]:
    return [int(name[1:]) for name in item.parts if name[0] == "r" and name[1:].isdigit()]


def levels_of(*items: ModularData) -> list[tuple[int, int]]:
    """Return the levels at which all items have residues, with their primes."""
    depth = max(item.depth for item in items)
    return [(level, p) for level, p in enumerate(active().draw.primes) if level >= depth]
