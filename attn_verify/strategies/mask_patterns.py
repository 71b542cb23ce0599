"""Patterns of masks, by name: which query may attend to which key; rows without keys are mended, or made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

Pairs = NDArray[np.bool_]

# How long a first block of keys is that nobody may attend to: the block sizes of fused kernels.
BLOCKS = (8, 16, 32, 64, 128)


def patterns(n: int, m: int) -> Iterator[tuple[str, Pairs]]:
    """Yield masks of allowed pairs (n, m), the simplest first; some may leave a query without keys.

    >>> dict(patterns(2, 3))["causal"].astype(int).tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    i, j = np.arange(n)[:, None], np.arange(m)[None, :]
    yield "all allowed", np.ones((n, m), np.bool_)
    yield "causal", j <= i + max(m - n, 0)
    yield "one masked entry", ~((i == n - 1) & (j == 0))
    yield "one key a row", j == i % m
    yield "last key only", np.broadcast_to(j == m - 1, (n, m))
    for block in BLOCKS:
        if block < m:
            yield f"first {block} keys masked", np.broadcast_to(j >= block, (n, m))
    yield "first keys masked", np.broadcast_to(j >= (m + 1) // 2, (n, m))
    yield "last keys masked", np.broadcast_to(j < (m + 1) // 2, (n, m))
    yield "one key masked for all", np.broadcast_to(j != m // 2, (n, m))
    place = i * m // n
    yield "banded", np.abs(j - place) <= max(1, m // 8)
    yield "alternating", (i + j) % 2 == 0
    yield "causal, from the end", j >= i + min(m - n, 0)


def empty_patterns(n: int, m: int) -> Iterator[tuple[str, Pairs]]:
    """Yield masks in which the first, the last, a middle row, all rows, or all but one are empty."""
    rows = {
        "first row empty": [0],
        "last row empty": [n - 1],
        "middle row empty": [n // 2],
        "all rows empty": range(n),
        "one row not empty": [i for i in range(n) if i != n // 2],
    }
    for name, empty in rows.items():
        pairs = np.ones((n, m), np.bool_)
        pairs[list(empty)] = False
        if not pairs.all():
            yield name, pairs


def mended(pairs: Pairs, possible: Pairs) -> Pairs:
    """Return the pairs that are allowed and possible; a query left without keys gets its last possible one."""
    kept: Pairs = pairs & possible
    empty = ~kept.any(axis=1) & possible.any(axis=1)
    last = possible.shape[1] - 1 - np.argmax(possible[:, ::-1], axis=1)
    kept[empty, last[empty]] = True
    return kept


def possible_pairs(sizes: Sizes, spec: AttentionSpec) -> Pairs:
    """Return the pairs that the causal mask of the spec leaves."""
    return np.array(spec.allowed(sizes), np.bool_).reshape(sizes.n, sizes.keys)


def in_polarity(pairs: Pairs, spec: AttentionSpec) -> Pairs:
    """Return a mask as the layer takes it: True means what ``mask_true`` says."""
    mask: Pairs = pairs == (spec.mask_true == "attends")
    return mask
