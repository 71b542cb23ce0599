"""Inputs of moderate size whose structure brings out mistakes: ties, zeros, one-hot rows, mixed signs, spread scores.

Each family takes shapes by name and a generator, and returns arrays; the numbers are full doubles where random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Shapes = Mapping[str, tuple[int, ...]]
Arrays = dict[str, NDArray[np.float64]]
Family = Callable[[Shapes, np.random.Generator], Arrays]

_LEFT = ("Q", "X", "W_Q")
_VALUES = ("V", "W_V", "W_O", "dO", "dY")


def _normal(shapes: Shapes, random: np.random.Generator) -> Arrays:
    return {name: random.standard_normal(shape) for name, shape in shapes.items()}


def _wide(shapes: Shapes, random: np.random.Generator) -> Arrays:
    return {name: 3 * array if name in _LEFT else array for name, array in _normal(shapes, random).items()}


def _integers(shapes: Shapes, random: np.random.Generator) -> Arrays:
    return {name: random.integers(-3, 4, shape).astype(float) for name, shape in shapes.items()}


def _signs(shapes: Shapes, random: np.random.Generator) -> Arrays:
    return {name: random.choice([-1.0, 1.0], shape) for name, shape in shapes.items()}


def _one_hot(shapes: Shapes, random: np.random.Generator) -> Arrays:
    """Rows with a single entry that is not zero; values are small whole numbers."""
    arrays = _integers(shapes, random)
    for name, shape in shapes.items():
        if name not in _VALUES:
            hot = random.integers(0, shape[-1], shape[:-1])
            arrays[name] = np.where(np.arange(shape[-1]) == hot[..., None], random.integers(1, 5), 0.0)
    return arrays


def _ties(shapes: Shapes, random: np.random.Generator) -> Arrays:
    """Equal keys, or equal queries and keys: several maxima in a row."""
    arrays = _integers(shapes, random)
    for name in ("K", "X_KV", "X") if random.integers(2) else ("K", "Q", "X", "X_KV"):
        if name in arrays:
            arrays[name] = np.broadcast_to(arrays[name][..., :1, :], arrays[name].shape).copy()
    return arrays


def _zero_rows(shapes: Shapes, random: np.random.Generator) -> Arrays:
    arrays = _normal(shapes, random)
    for name in ("Q", "K", "X", "X_KV"):
        if name in arrays:
            rows = random.integers(0, 2, arrays[name].shape[:-1])
            rows[..., random.integers(rows.shape[-1])] = 0
            arrays[name] = arrays[name] * rows[..., None]
    return arrays


def _one_sign(sign: float) -> Callable[[Shapes, np.random.Generator], Arrays]:
    """Scores all of one sign: a running maximum that starts at zero, or a sum that does, goes wrong."""

    def family(shapes: Shapes, random: np.random.Generator) -> Arrays:
        arrays = {name: np.abs(array) for name, array in _normal(shapes, random).items()}
        for name in ("K", "W_K"):
            if name in arrays:
                arrays[name] = sign * 2 * arrays[name]
        return arrays

    return family


def _spread(shapes: Shapes, random: np.random.Generator) -> Arrays:
    """Scores as far apart as ordinary inputs have them."""
    return {name: array if name in _VALUES else 4 * array for name, array in _normal(shapes, random).items()}


def _large_values(shapes: Shapes, random: np.random.Generator) -> Arrays:
    arrays = _normal(shapes, random)
    return {name: 256 * array if name in ("V", "W_V") else array for name, array in arrays.items()}


def _growing(step: int) -> Callable[[Shapes, np.random.Generator], Arrays]:
    """Later keys far above, or below, earlier ones: every step of online softmax corrects, or none does."""

    def family(shapes: Shapes, random: np.random.Generator) -> Arrays:
        arrays = {name: 0.25 + np.abs(array) for name, array in _normal(shapes, random).items()}
        for name in ("K", "X_KV", "X"):
            if name in arrays:
                rows = arrays[name].shape[-2]
                arrays[name] = arrays[name] * np.arange(1, rows + 1)[::step][:, None]
        for name in ("V", "W_V"):
            if name in arrays:
                arrays[name] = arrays[name] * random.choice([-1.0, 1.0], arrays[name].shape)
        return arrays

    return family


def _constant_values(shapes: Shapes, random: np.random.Generator) -> Arrays:
    """Values that are all one: the result is one if the weights add up."""
    return {name: np.ones(a.shape) if name == "V" else a for name, a in _normal(shapes, random).items()}


def _single(shapes: Shapes, random: np.random.Generator) -> Arrays:
    """Each array but one entry zero."""
    arrays = {name: np.zeros(shape) for name, shape in shapes.items()}
    for array in arrays.values():
        array.ravel()[random.integers(array.size)] = random.integers(1, 4)
    return arrays


# The names say what is special; the order is that in which the search for counterexamples goes through them.
FAMILIES: Mapping[str, Family] = {
    "normal": _normal,
    "small integers": _integers,
    "large queries": _wide,
    "one-hot rows": _one_hot,
    "all scores negative": _one_sign(-1.0),
    "spread scores": _spread,
    "signs": _signs,
    "ties": _ties,
    "zero query rows": _zero_rows,
    "later keys above earlier ones": _growing(1),
    "earlier keys above later ones": _growing(-1),
    "all scores positive": _one_sign(1.0),
    "constant values": _constant_values,
    "large values": _large_values,
    "single non-zero entry": _single,
}
