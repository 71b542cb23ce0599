"""One draw together with what whole arrays in it need: tables of powers, provenance of denominators, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.draw import Draw
from attn_verify.arithmetic.modular.residues import Matrices, Powers, integers
from attn_verify.arithmetic.modular.sizes import (
    Factors,
    Monomial,
    Poly,
    factors,
    least_multiple,
    log2_int,
    merged,
    missing,
)

Ids = NDArray[Any]

# Inputs in which results are linear; see ``modular.linear``.
LINEAR = frozenset({"W_O"})


@dataclass(frozen=True)
class Record:
    """A bound of the numerators of an array, and a common whole denominator: values are ``N / (z Π factors)``."""

    poly: Poly
    z: int = 1


class VanishingError(BaseException):
    """A divisor is zero in the finite field: the run is worthless and another draw is needed."""


@dataclass
class Field:
    """The finite fields of one run of one program on whole arrays.

    ``squares`` are the primes whose roots exist.  What the error bound needs is recorded while the program runs.
    """

    draw: Draw
    squares: frozenset[int] = frozenset()
    vanished: bool = False
    opaque: bool = False
    nested: bool = False
    maxima: int = 0
    keyed: int = 0  # entries that were arguments of atoms
    drawn: int = 0  # pseudo-random values
    radicals: dict[int, int] = field(default_factory=dict)
    factor: dict[Any, Poly] = field(default_factory=dict)
    arguments: Poly = field(default_factory=Poly)
    forms: list[Any] = field(default_factory=list)
    matrices: Matrices = field(default_factory=Matrices)
    unsure: set[str] = field(default_factory=set)  # "divisor", "wild divisor", "argument": of no known sign

    def __post_init__(self) -> None:
        """Start without denominators and with the record of the number 1."""
        self._records: list[Record] = [Record(Poly())]
        self._record_ids: dict[Record, int] = {self._records[0]: 0}
        self._dens: list[Factors] = [{}]
        self._den_ids: dict[tuple[tuple[Any, int], ...], int] = {(): 0}
        self._exponents: list[tuple[Record, frozenset[int]]] = []
        self._next = 1
        self._named: dict[str, Ids] = {}
        self.multiset_point = self.draw.value(self.draw.top, "multiset")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data from which another process makes the same fields."""
        return {"draw": self.draw.to_dict(), "squares": sorted(self.squares)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Field:
        """Read what :meth:`to_dict` wrote: the same residues, with nothing recorded yet."""
        return Field(Draw.from_dict(data["draw"]), frozenset(int(prime) for prime in data["squares"]))

    @property
    def top(self) -> int:
        """The last level of the tower."""
        return self.draw.top

    def powers(self, level: int, exponents: NDArray[Any]) -> NDArray[Any]:
        """Return ``ω_level ** exponents``."""
        known: dict[int, Powers] = self.draw.tables
        if level not in known:
            primes = self.draw.primes
            known[level] = Powers(self.draw.omegas[level], primes[level - 1], primes[level])
        return known[level](exponents)

    def inputs(self, name: str, level: int, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the independent random residues of an input array."""
        count = int(np.prod(shape))
        key = f"{level}|input|{name}"
        known = self.draw.inputs.get(key)
        if known is None or known.size != count:
            known = self.draw.inputs[key] = integers(self.draw.uniform(level, key, count), (count,))
        return known.reshape(shape).copy()

    def fresh(self, level: int, keys: Sequence[str], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return pseudo-random residues known by keys."""
        self.drawn += len(keys)
        return integers((self.draw.value(level, key) for key in keys), shape)

    def numbers(self, shape: tuple[int, ...]) -> Ids:
        """Return new numbers for values: where a value comes from."""
        count = int(np.prod(shape))
        start, self._next = self._next, self._next + count
        return np.arange(start, start + count, dtype=np.int64).reshape(shape)

    def input_numbers(self, name: str, shape: tuple[int, ...]) -> Ids:
        """Return the numbers of the entries of an input, the same whenever it is asked for."""
        known = self._named.get(name)
        if known is None or known.size != int(np.prod(shape)):
            known = self._named[name] = self.numbers((int(np.prod(shape)),))
        return known.reshape(shape).copy()

    def constant(self, value: Monomial) -> list[int]:
        """Return the residues of a constant; note the roots that it needs."""
        for prime, exponent in value.radicals:
            depth = exponent.denominator.bit_length() - 1
            self.radicals[prime] = max(self.radicals.get(prime, 0), depth)
        try:
            return [self.draw.constant(level, value) for level in range(self.top + 1)]
        except ZeroDivisionError:
            raise self.vanish() from None

    def lacks_root(self, value: Monomial) -> list[int]:
        """Return the primes whose roots ``√value`` would need and the fields were not drawn for."""
        return sorted(set(factors(value.rational)) - self.squares)

    def vanish(self) -> VanishingError:
        """Note that this draw is worthless, whatever is done with the error that is returned."""
        self.vanished = True
        return VanishingError("a divisor is zero in the finite field")

    def record_id(self, record: Record) -> int:
        """Return the number of a record."""
        found = self._record_ids.get(record)
        if found is None:
            found = self._record_ids[record] = len(self._records)
            self._records.append(record)
        return found

    def record(self, ids: Ids) -> Record:
        """Return one record that holds for all entries with these numbers."""
        unique = distinct(ids)
        found = self._records[unique[0]] if unique else self._records[0]
        for number in unique[1:]:
            found = self.joined(found, self._records[number])
        return found

    def joined(self, a: Record, b: Record) -> Record:
        """Return a record for entries of both."""
        z = int(np.lcm.reduce([a.z, b.z], dtype=object))
        return Record(self.to(a, z).join(self.to(b, z)), z)

    def to(self, a: Record, z: int) -> Poly:
        """Return bounds of the numerator over the whole denominator ``z``."""
        return a.poly if a.z == z else a.poly.times(Poly(norm=log2_int(z // a.z)))

    def den_id(self, den: Factors) -> int:
        """Return the number of a denominator."""
        key = tuple(sorted(den.items()))
        found = self._den_ids.get(key)
        if found is None:
            found = self._den_ids[key] = len(self._dens)
            self._dens.append(dict(key))
        return found

    def expand(self, den: Factors) -> Poly:
        """Return bounds of the product of some factors."""
        poly = Poly()
        for number, power in den.items():
            poly = poly.times(self.factor[number], power)
        return poly

    def widest(self, ids: Ids) -> Poly:
        """Return bounds that hold for each of the denominators with these numbers."""
        poly = Poly()
        for number in distinct(ids):
            poly = poly.join(self.expand(self._dens[number]))
        return poly

    def times_den(self, a: Ids, b: Ids) -> Ids:
        """Return the denominators of products, entry by entry."""
        if not b.any():
            return np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape))
        if not a.any():
            return np.broadcast_to(b, np.broadcast_shapes(a.shape, b.shape))
        pairs, places, shape = self._pairs(a, b)
        ids = [self.den_id(merged(self._dens[x], self._dens[y])) for x, y in pairs]
        return np.asarray(np.array(ids, np.int64)[places].reshape(shape))

    def common_den(self, a: Ids, b: Ids) -> tuple[Ids, Poly, Poly]:
        """Return least common denominators, entry by entry, and bounds of what each side is multiplied by."""
        pairs, places, shape = self._pairs(a, b)
        ids, left, right = [], Poly(), Poly()
        for x, y in pairs:
            whole = least_multiple(self._dens[x], self._dens[y])
            ids.append(self.den_id(whole))
            left = left.join(self.expand(missing(whole, self._dens[x])))
            right = right.join(self.expand(missing(whole, self._dens[y])))
        return np.array(ids, np.int64)[places].reshape(shape), left, right

    def along_den(self, ids: Ids) -> tuple[Ids, Poly]:
        """Return least common denominators along the last axis, and a bound of what terms are multiplied by."""
        if not ids.size or not ids.any():
            return np.zeros(ids.shape[:-1], np.int64), Poly()
        if (ids == ids[..., :1]).all():
            return ids[..., 0], Poly()
        lanes = ids.reshape(-1, ids.shape[-1])
        out, extra = np.empty(len(lanes), np.int64), Poly()
        for i, lane in enumerate(lanes):
            whole: Factors = {}
            found = distinct(lane)
            for number in found:
                whole = least_multiple(whole, self._dens[number])
            for number in found:
                extra = extra.join(self.expand(missing(whole, self._dens[number])))
            out[i] = self.den_id(whole)
        return out.reshape(ids.shape[:-1]), extra

    def divisor_den(self, numbers: Ids, poly: Poly) -> Ids:
        """Return denominators that consist of one value each, with a bound of their numerators."""
        unique, places = np.unique(numbers, return_inverse=True)
        for number in unique.tolist():
            self.factor[number] = poly
        ids = np.array([self.den_id({number: 1}) for number in unique.tolist()], np.int64)
        return np.asarray(ids[places].reshape(numbers.shape))

    def note_exponent(self, record: Record, dens: Ids) -> None:
        """Note the argument of an exponential."""
        self._exponents.append((record, frozenset(distinct(dens))))

    def note_arguments(self, record: Record, dens: Ids, count: int) -> None:
        """Note arguments of atoms, which are recognised by their residues."""
        self.keyed += count
        poly = record.poly.times(self.widest(dens)).times(Poly(norm=log2_int(record.z)))
        self.arguments = self.arguments.join(poly)

    def exponent(self) -> tuple[Poly, Poly]:
        """Return bounds of the exponents over their common denominator, and of that denominator."""
        z = int(np.lcm.reduce([1, *(record.z for record, _ in self._exponents)], dtype=object))
        common: Factors = {}
        for number in frozenset().union(*(dens for _, dens in self._exponents)):
            common = least_multiple(common, self._dens[number])
        whole_poly = self.expand(common).times(Poly(norm=log2_int(z)))
        found = Poly()
        for record in {record for record, _ in self._exponents}:
            found = found.join(self.to(record, z))
        return found.times(self.expand(common)), whole_poly

    def pairs(self) -> float:
        """Return ``log₂`` of how many pairs of arguments could have been taken for equal."""
        return 2 * log2(self.keyed) if self.keyed else -inf

    def _pairs(self, a: Ids, b: Ids) -> tuple[list[tuple[int, int]], Any, tuple[int, ...]]:
        a, b = np.broadcast_arrays(a, b)
        many = len(self._dens)
        unique, places = np.unique(a.astype(np.int64) * many + b, return_inverse=True)
        return [divmod(code, many) for code in unique.tolist()], places, a.shape


def distinct(ids: Ids) -> list[int]:
    """Return the different numbers of an array."""
    if not ids.size:
        return []
    low, high = int(ids.min()), int(ids.max())
    return [low] if low == high else [int(i) for i in np.unique(ids)]


_ACTIVE: list[Field] = []


def active() -> Field:
    """Return the field in which arrays are computed now."""
    if not _ACTIVE:
        raise RuntimeError("no finite field is active")
    return _ACTIVE[-1]


@contextmanager
def using(chosen: Field) -> Iterator[Field]:
    """Compute arrays in ``chosen`` inside the block."""
    _ACTIVE.append(chosen)
    try:
        yield chosen
    finally:
        _ACTIVE.pop()
