"""What holds the numbers of a traced array: one interface, two carriers.

``NodeData`` holds one graph node an entry, for arbitrary code.  ``ModularData`` holds whole arrays of
residues, for large sizes.  The array model above them knows only this interface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Structural = Callable[[NDArray[Any]], NDArray[Any]]

UNARY = ("negative", "exp", "log", "sqrt")
BINARY = ("add", "subtract", "multiply", "divide", "maximum")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
SPECIAL = ("inf", "-inf", "nan")


class Carrier(Protocol):
    """An array of real numbers, ``±∞`` and NaN in some number system.

    Every method either computes what exact arithmetic gives (``exp(−∞) = 0``, ``−∞ − x = −∞``, ``∞ − ∞`` is
    NaN) or refuses through the current session.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        ...

    @property
    def pattern(self) -> NDArray[Any]:
        """An array that lies in memory as NumPy's own would."""
        ...

    @classmethod
    def full(cls, shape: tuple[int, ...], value: Fraction | str) -> Self:
        """Return an array of one rational number, of ``"inf"``, ``"-inf"``, ``"nan"``, ``"pi"``, or of ``"poison"``.

        Poison stands for what ``np.empty`` returns: any operation that reads it refuses, moving it does not.
        """
        ...

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Return an array of rational numbers: ``values`` holds ints, bools, Fractions and special names."""
        ...

    def move(self, f: Structural) -> Self:
        """Rearrange, select or repeat entries: ``f`` is applied to every component array, views stay views."""
        ...

    def join(self, others: Sequence[Self], f: Callable[[Sequence[NDArray[Any]]], NDArray[Any]]) -> Self:
        """Build one array from the entries of several (``concatenate``, ``stack``, ``where``)."""
        ...

    def assign(self, key: Any, value: Self) -> None:
        """Write entries in place, ``self[key] = value``; views of the same buffer see it."""
        ...

    def unary(self, name: str) -> Self:
        """Apply one of ``UNARY`` to every entry."""
        ...

    def binary(self, name: str, other: Self) -> Self:
        """Apply one of ``BINARY`` entry by entry, with broadcasting."""
        ...

    def apply(self, name: str, others: Sequence[Self]) -> Self:
        """Apply a function without a model (``cos``, ``erf``, …) entry by entry, as an atom."""
        ...

    def sum(self, axis: int) -> Self:
        """Return the sums along one axis, which disappears; zero where it is empty."""
        ...

    def max(self, axis: int) -> Self:
        """Return the maxima along one axis, which disappears."""
        ...

    def matmul(self, other: Self) -> Self:
        """Return the matrix products of stacks of matrices, at least 2 axes each, broadcasting the others."""
        ...

    def compare(self, op: str, other: Self) -> NDArray[np.bool_]:
        """Answer one of ``COMPARISONS`` for every entry, recording what depends on the inputs."""
        ...

    def constants(self) -> NDArray[Any]:
        """Return, for every entry, its Fraction, its special name, a ball of any other constant, or ``None``."""
        ...

    def is_special(self, value: str) -> NDArray[np.bool_]:
        """Return which entries are ``"inf"``, ``"-inf"`` or ``"nan"``."""
        ...


def pattern(data: Any) -> NDArray[Any]:
    """Return an array that lies in memory as the data of a traced array would in NumPy."""
    found: NDArray[Any] = data if isinstance(data, np.ndarray) else data.pattern
    return found


def laid_out(data: Any, like: NDArray[Any], order: Any = "K") -> Any:
    """Return new data with their entries in memory in an order, or in that of an array of the same shape."""

    def copied(a: NDArray[Any]) -> NDArray[Any]:
        out = np.empty_like(like, dtype=a.dtype, order=order)
        out[...] = a
        return out

    return copied(data) if isinstance(data, np.ndarray) else data.move(copied)


def in_order(data: Any, like: NDArray[Any]) -> Any:
    """Return new data whose axes lie in memory in the order of those of an array of other lengths."""
    outer = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])

    def copied(a: NDArray[Any]) -> NDArray[Any]:
        out = np.empty([a.shape[axis] for axis in outer], a.dtype).transpose(np.argsort(outer))
        out[...] = a
        return out

    return data.move(copied)


def owner_of(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array whose memory another one shows."""
    while array.base is not None:
        base = array.base if isinstance(array.base, np.ndarray) else getattr(array.base, "base", None)
        if not isinstance(base, np.ndarray):
            break
        array = base
    return array
