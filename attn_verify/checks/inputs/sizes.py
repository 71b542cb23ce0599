"""Sizes and masks that bring out mistakes: single rows, unequal sizes, and the neighbours of block sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from attn_verify.checks.inputs.constants import Constants
from attn_verify.errors import SizeError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.strategies.mask_patterns import (
    Pairs,
    empty_patterns,
    in_polarity,
    mended,
    patterns,
    possible_pairs,
)
from attn_verify.targets.cases import Mask, default_batch, default_sizes
from attn_verify.targets.layouts import Convention

if TYPE_CHECKING:
    from attn_verify.targets.binding import Binding

BLOCKS = (8, 16, 32, 64, 128, 256)
# Largest integer of a target that is taken for the size of a block.
_MAX_BLOCK = 1024
# Scores of all heads and batch elements of one case: up to 257 × 257, and 128 × 128 in a small batch.
BUDGET_ENTRIES = 1 << 17

_RANDOM_MASKS = 3


def size_battery(
    binding: Binding,
    convention: Convention,
    *,
    constants: Constants | None = None,
    given: Mapping[str, int] | None = None,
    budget_entries: int = BUDGET_ENTRIES,
) -> list[Sizes]:
    """Return sizes to audit a target at, the most telling first.

    One query, one key, n ≠ m, d_v ≠ d_k, an odd number of heads; then one below, at and above each of 8, 16, 32, 64,
    128, 256 and of the integers in ``constants``, for the keys and for the queries.  ``given`` sizes of the user stay
    as they are.  Sizes that the target cannot have, and those with more than ``budget_entries`` scores in all, are left
    out; at least one remains.  Raises ``SizeError`` where the target can have no sizes at all.
    """
    chosen = {name: value for name, value in (given or {}).items() if value is not None}
    found = default_sizes(binding, convention, chosen)
    for wanted in _wanted(constants or Constants((), ())):
        asked = {**wanted, **chosen}
        if wanted.keys() <= chosen.keys() or asked.get("n", 1) * asked.get("m", 1) > budget_entries:
            continue
        try:
            some = default_sizes(binding, convention, asked)
        except SizeError:
            continue
        found += [sizes for sizes in some[:1] if sizes not in found]
    small = [sizes for sizes in found if entries(sizes, convention) <= budget_entries]
    return small or [min(found, key=lambda sizes: entries(sizes, convention))]


def entries(sizes: Sizes, convention: Convention) -> int:
    """Return the number of scores of a case in all heads and batch elements.

    >>> entries(Sizes(n=2, m=3, d_k=1, d_v=1), Convention("nd"))
    6
    """
    lengths = default_batch(convention.layout, sizes)
    heads = sizes.heads if len(lengths) < 2 else 1
    return prod(lengths) * heads * sizes.n * sizes.keys


def _wanted(constants: Constants) -> Iterator[dict[str, int]]:
    """Yield sizes to ask for, by name; sizes that are not named follow the defaults of the target."""
    yield {"n": 1, "m": 1}
    yield {"heads": 3}
    yield {"d_k": 1}
    yield {"d_v": 1}
    yield {"n": 1, "m": 9}
    yield {"n": 9, "m": 9}
    yield {"n": 9, "m": 1}
    own = [c for c in constants.integers if c <= _MAX_BLOCK]
    for block in own:
        for step in (1, 0, -1):
            yield from _at(block + step)
        yield {"n": 3, "m": 2 * block + 1}
    for step in (1, 0, -1):
        for block in BLOCKS:
            yield from _at(block + step)
    for block in own:
        yield {"d_k": block + 1}
        yield {"d_v": block + 1}
    yield {"d_k": 64, "n": 8, "m": 9}


def _at(size: int) -> Iterator[dict[str, int]]:
    """Yield that many keys, that many queries, and both: for one X, and for masks that are aligned at the end."""
    yield {"n": min(3, size), "m": size}
    yield {"n": size, "m": 5}
    yield {"n": size, "m": size}


def mask_battery(sizes: Sizes, spec: AttentionSpec, *, seed: int = 0, empty: bool = False) -> list[tuple[str, Mask]]:
    """Return masks (n, m) by name, in the polarity of the spec.

    All allowed, causal, one key a row, the last key only, the first 8, 16, 32, 64 or 128 keys entirely masked, a band,
    and random ones; each query keeps a key.  With ``empty``, masks instead that leave queries without keys: the
    first, the last, one in the middle, all, and all but one.  None where the spec alone leaves a query without.

    >>> [name for name, _ in mask_battery(Sizes(n=2, m=2, d_k=1, d_v=1), AttentionSpec(), empty=True)]
    ['first row empty', 'last row empty', 'all rows empty', 'random, first row empty', 'random, last row empty']
    """
    possible = possible_pairs(sizes, spec)
    n, m = possible.shape
    random = np.random.default_rng((seed, n, m))
    named: list[tuple[str, Pairs]] = []
    if empty:
        named = list(empty_patterns(n, m))
        named += [(f"random, {name}", pairs & (random.random((n, m)) < 0.6)) for name, pairs in named[:3]]
        kept = [(name, pairs) for name, pairs in named if not (pairs & possible).any(axis=1).all()]
    elif possible.any(axis=1).all():
        named = list(patterns(n, m))
        named += [(f"random {at + 1}", random.random((n, m)) < (0.5, 0.2, 0.8)[at]) for at in range(_RANDOM_MASKS)]
        # What lies beyond the causal mask stays allowed: a function has to combine the two, not to take one of them.
        kept = [(name, pairs | mended(pairs, possible)) for name, pairs in named]
    else:
        kept = []
    unique: dict[bytes, tuple[str, Mask]] = {}
    for name, pairs in kept:
        shown = in_polarity(pairs, spec)
        unique.setdefault((pairs & possible).tobytes(), (name, tuple(map(tuple, shown.tolist()))))
    return list(unique.values())
