"""Masks that differ between the elements of a batch, and between heads.

Code that looks at the first of them, or at the first and the last, and takes the others to be like it, is right where
all are alike and where all are reflections of one: those close as many pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Variation:
    """How masks differ, and along which axes.

    ``how``: "turned", reflections of one mask; "first open", the first allows everything; "others open", all but the
    first do; "ends alike", the first and the last are the same and one between them allows everything; "two alike", the
    first two are the same and the others allow everything.  ``along``:
    "units", all heads of all elements; "elements" of the batch; "heads".
    """

    how: str = "turned"
    along: str = "units"

    @property
    def words(self) -> str:
        """How the masks of the elements of a batch differ."""
        return {
            "turned": "reflected from element to element",
            "first open": "that of the first element open",
            "others open": "those of all but the first element open",
            "ends alike": "that of an element between alike ones open",
            "two alike": "those after two alike ones open",
        }[self.how]


TURNED = Variation()

_OF_UNITS = tuple(Variation(how) for how in ("turned", "first open", "others open", "ends alike", "two alike"))
_OF_HEADS = tuple(Variation(how, along) for along in ("elements", "heads") for how in ("first open", "others open"))


def variations(*, heads: bool) -> tuple[Variation, ...]:
    """Return all of them; those of heads only where masks may differ between heads."""
    return (*_OF_UNITS, *_OF_HEADS) if heads else _OF_UNITS


def varied(
    mask: Mask, batch: tuple[int, int], vary: Variation = TURNED, *, heads: bool, opens: bool = True,
    fits: Callable[[Mask], bool] = lambda mask: True,
) -> Mask:  # fmt: skip
    """Return masks ``(b, h, n, m)`` that differ between elements of the batch and, with ``heads``, between heads.

    Reflections are the mask with its rows, its columns or both in reverse, then moved by a key, as far as they differ
    and fit; entries of the mask that allows everything are ``opens``.

    >>> mask = np.array([[True, False]])
    >>> varied(mask, (3, 1), Variation("first open"), heads=False).tolist()
    [[[[True, True]]], [[[True, False]]], [[[False, True]]]]
    """
    b, h = batch
    open_, pool = np.full_like(mask, opens), _reflections(mask, b * h, fits)
    along = vary.along if heads else "elements"
    last = {"units": b * h, "elements": b, "heads": h}[along] - 1

    def one(number: int) -> Mask:
        match vary.how:
            case "turned":
                return pool[number % len(pool)]
            case "first open":
                return open_ if number == 0 else pool[(number - 1) % len(pool)]
            case "others open":
                return mask if number == 0 else open_
            case "two alike":
                return mask if number < 2 else open_
        if number in (0, last):
            return mask
        return open_ if number % 2 else pool[number % len(pool)]

    def unit(element: int, head: int) -> Mask:
        return one({"units": element * h + head, "elements": element, "heads": head}[along])

    return np.array([[unit(element, head) for head in range(h)] for element in range(b)])


def _reflections(mask: Mask, count: int, fits: Callable[[Mask], bool]) -> list[Mask]:
    turned = [mask, mask[::-1, ::-1], mask[:, ::-1], mask[::-1]]
    found = {mask.tobytes(): mask}
    for number in range(count + len(turned)):
        other = np.roll(turned[number % 4], number // 4, axis=1)
        if other.tobytes() not in found and fits(other):
            found[other.tobytes()] = other
    return list(found.values())
