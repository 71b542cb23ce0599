"""Calls that may show how one overwrites what another returned, the simplest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from attn_verify.checks.counterexample import Earlier
from attn_verify.checks.findings import Outcome, Point

# Calls before, the one whose result is kept, calls after.
Overwriting = tuple[list[Earlier], Point, list[Earlier]]

# Pairs of calls that are looked at: the smallest, and where one of them is not enough one more.
_PAIRS = 2


def overwritings(points: Sequence[Point], outcomes: Sequence[Outcome]) -> Iterator[Overwriting]:
    """Yield what to try where ``outcomes`` of calls at ``points``, made in this order, tell of overwritten results."""
    pairs = [(at, later) for at, outcome in enumerate(outcomes) for later in outcome.get("overwritten", ())]
    for at, later in sorted(pairs, key=lambda pair: (_size(points, *pair), pair[1] - pair[0]))[:_PAIRS]:
        one, other = points[at], points[later]
        # The unit matrix, then twice that: read at a glance, and neither results nor weights nor gradients are alike.
        yield [], _diagonal(one, 1.0), [_diagonal(other, 2.0).earlier()]
        yield [], one, [other.earlier()]
        if later > at + 1:
            # Results may lie in several places by turns.
            yield [], one, [other.earlier(later - at)]
            yield [], one, [point.earlier() for point in points[at + 1 : later + 1]]
        if at:
            yield [point.earlier() for point in points[:at]], one, [p.earlier() for p in points[at + 1 : later + 1]]


def _size(points: Sequence[Point], *numbers: int) -> int:
    return sum(array.size for number in numbers for array in points[number].arrays.values())


def _diagonal(point: Point, value: float) -> Point:
    arrays = {name: np.zeros_like(array) for name, array in point.arrays.items()}
    for array in arrays.values():
        along = range(min(array.shape[-2:]))
        array[..., along, along] = value
    return replace(point, arrays=arrays)
