"""Arrays of residues as Python integers: products of matrices with FLINT, powers with tables, inverses in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.draw import inverse

Array = NDArray[Any]

# Below this many products NumPy's own loop over integers is faster than a conversion to FLINT.
_SMALL = 2000
# So many matrices are kept: of an input at both levels, twice.
_KEPT = 4
# From this many powers on, tables for 16 bits at a time pay; below, for 8.
_MANY = 100_000


def integers(values: Iterable[int], shape: tuple[int, ...]) -> Array:
    """Return whole numbers of any size as an object array."""
    out = np.empty(shape, object)
    out.reshape(-1)[:] = list(values)
    return out


def filled(shape: tuple[int, ...], value: Any) -> Array:
    """Return an object array of one value."""
    out = np.empty(shape, object)
    out.fill(value)
    return out


def boxed(value: Any, dtype: np.dtype[Any]) -> Array:
    """Return ``value`` as an array: NumPy hands out the bare entry where the shape is ``()``."""
    if isinstance(value, np.ndarray):
        return value
    out = np.empty((), dtype)
    out[()] = value
    return out


def each(values: Array, f: Callable[[Any], Any]) -> Array:
    """Apply ``f`` to every constant, once for each different one; ``None`` stays."""
    known: dict[Any, Any] = {None: None}
    flat = values.reshape(-1).tolist()
    for value in flat:
        if value not in known:
            known[value] = f(value)
    out = filled(values.shape, None)
    out.reshape(-1)[:] = [known[value] for value in flat]
    return out


def reduced(values: Any, p: int) -> Array:
    """Return ``values mod p`` as an object array of the same shape, also for the shape ``()``."""
    out = values % p
    return out if isinstance(out, np.ndarray) else filled((), out)


class Matrices:
    """Matrices in FLINT's form; those that come again are kept, as most of a product's time goes into making them."""

    def __init__(self) -> None:
        self._met: set[tuple[int, ...]] = set()
        self._kept: list[tuple[list[int], int, flint.fmpz_mat]] = []

    def of(self, a: Array) -> flint.fmpz_mat:
        """Return a matrix of Python integers."""
        n, m = a.shape
        flat = a.reshape(-1).tolist()
        for known, columns, made in self._kept:
            if columns == m and known == flat:  # all of it is compared, which is fast for the same objects
                return made
        made = flint.fmpz_mat(n, m, flat)
        face = (n, m, flat[0], flat[-1])
        if face in self._met:
            self._kept = [*self._kept[1 - _KEPT :], (flat, m, made)]
        self._met.add(face)
        return made


def product(a: Array, b: Array, p: int, matrices: Matrices | None = None) -> Array:
    """Return the product of two matrices modulo ``p``; ``matrices`` keeps those that come again."""
    n, k = a.shape
    m = b.shape[1]
    if not n * k * m:
        return filled((n, m), 0)
    if n * k * m <= _SMALL:
        return reduced(a.dot(b), p)
    made = matrices or Matrices()
    return reduced(integers(map(int, (made.of(a) * made.of(b)).entries()), (n, m)), p)


def inverses(values: Array, p: int) -> Array:
    """Return ``1 / values`` modulo ``p``, all by one inversion; raise ``ZeroDivisionError`` if one has none."""
    flat = values.reshape(-1).tolist()
    if not flat:
        return values.copy()
    partial = [1]
    for value in flat:
        partial.append(partial[-1] * value % p)
    back = inverse(partial[-1], p)
    for i in range(len(flat) - 1, -1, -1):
        partial[i], back = back * partial[i] % p, back * flat[i] % p
    return integers(partial[:-1], values.shape)


class Powers:
    """Powers of one element of order ``q`` modulo ``p``, by tables of its powers with short exponents."""

    def __init__(self, base: int, q: int, p: int) -> None:
        self._base, self._p = base, p
        self._bytes = (q.bit_length() + 15) // 16 * 2
        self._tables: dict[int, list[Array]] = {}
        self._count = 0

    def __call__(self, exponents: Array) -> Array:
        """Return ``base ** exponents mod p`` for exponents from 0 to ``q − 1``."""
        self._count += exponents.size
        width = 2 if self._count >= _MANY else 1
        tables = self._tables.get(width) or self._make(width)
        flat = exponents.reshape(-1).tolist()
        size = self._bytes
        raw = b"".join([value.to_bytes(size, "little") for value in flat])
        digits = np.frombuffer(raw, np.uint16 if width == 2 else np.uint8).reshape(len(flat), size // width)
        result: Array = tables[0][digits[:, 0]]
        for table, column in zip(tables[1:], digits.T[1:], strict=True):
            result *= table[column]
            result %= self._p
        return result.reshape(exponents.shape)

    def _make(self, width: int) -> list[Array]:
        tables, step = [], self._base
        for _ in range(self._bytes // width):
            table, p = [1], self._p
            for _ in range((1 << 8 * width) - 1):
                table.append(table[-1] * step % p)
            tables.append(integers(table, (len(table),)))
            step = table[-1] * step % p
        self._tables[width] = tables
        return tables


def aligned(array: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return an array with its entries in memory in the order of those of another one of its shape."""
    if array is like or (array.flags.c_contiguous and like.flags.c_contiguous):
        return array
    out = np.empty_like(like, dtype=array.dtype)
    out[...] = array
    return out
