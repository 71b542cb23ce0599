"""Generators for exponentials: a ℚ-basis of all exponents, so that each is a whole combination of the basis."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any

from attn_verify.arithmetic.exact.division import canonical
from attn_verify.arithmetic.exact.field import Field
from attn_verify.arithmetic.exact.terms import ONE, Poly, Root, Value, fmpq

Name = Root | int  # a constant, or the number of the exponent that led to the basis element
Combination = dict[Name, Fraction]
# By radical monomial, with what shall occur in few basis elements (rank 0) apart from the rest (rank 1).
Vector = dict[tuple[int, Root], Poly]
Rows = dict[tuple[int, Root, tuple[int, ...]], tuple[Vector, Combination]]


class RefineError(Exception):
    """A generator turned out too coarse: start again with the finer scales that were noted."""


class Exponents:
    """The exponents seen so far and the generators ``y = exp(b / scale)`` of their basis.

    The basis consists of the constants ``ρ`` (radical monomials) that are needed, and of what new exponents add
    to the combinations of earlier ones and constants.  Maxima and opaque generators are eliminated first, so that
    combinations without them need no basis element with them.  ``meaning`` maps a generator to its exponent;
    ``scales`` outlives a restart.
    """

    def __init__(self, field: Field, scales: dict[Name, int]) -> None:
        self.field = field
        self.scales = scales
        self.meaning: dict[int, Value] = {}
        self._generators: dict[Name, int] = {}
        self._basis: dict[Name, Value] = {}
        self._known: dict[tuple[Any, ...], int] = {}
        self._exponents: list[Value] = []

    def number(self, exponent: Value) -> int:
        """Return the number of an exponent, the same for equal ones."""
        key = canonical(self.field, exponent)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._exponents)
            self._exponents.append(exponent)
        return found

    def settle(self) -> list[list[tuple[int, int]]]:
        """Return ``exp`` of every exponent as generators with whole powers, in the order of their numbers."""
        coordinates = self._coordinates()
        for name in dict.fromkeys(name for row in coordinates for name in row):
            needed = lcm(*(row[name].denominator for row in coordinates if name in row))
            scale = lcm(self.scales.get(name, 1), needed)
            if name in self._generators and scale != self.scales[name]:
                self.scales[name] = scale
                raise RefineError
            self.scales[name] = scale
            if name not in self._generators:
                self._create(name)
        return [
            [(self._generators[name], int(c * self.scales[name])) for name, c in row.items()] for row in coordinates
        ]

    def _create(self, name: Name) -> None:
        generator = self._generators[name] = self.field.new()
        self.field.laurent.add(generator)
        self.meaning[generator] = self.field.scale(self._basis[name], Fraction(1, self.scales[name]))
        if self.field.present(self.meaning[generator]) & self.field.avoided:
            self.field.avoided.add(generator)

    def _coordinates(self) -> list[Combination]:
        """Return every exponent as a combination of the basis, by elimination over ℚ on a common denominator."""
        values = [*self._basis.values(), *self._exponents]
        vectors, common = self.field.over_common(values)
        roots = sorted({root for vector in vectors for root in vector}, key=lambda root: (root != ONE, root))
        order = {root: rank for rank, root in enumerate(roots)}
        rows: Rows = {}
        for root in roots:
            if not root[1] and root not in self._basis:
                self._reduce(rows, order, {(1, root): common}, root)
        for name, vector in zip(self._basis, vectors, strict=False):
            self._reduce(rows, order, self._ranked(vector), name)
        coordinates = []
        for number, vector in enumerate(vectors[len(self._basis) :]):
            found, rest = self._reduce(rows, order, self._ranked(vector), None)
            if rest:
                value = self._exponents[number]
                for name, c in found.items():
                    value = self.field.sub(value, self.field.scale(self._meant(name), c))
                self._basis[number] = value
                self._reduce(rows, order, rest, number)
                found = {**found, number: Fraction(1)}
            coordinates.append({name: c for name, c in found.items() if c})
        for row in coordinates:
            for name in row:
                self._basis.setdefault(name, self._meant(name))
        return coordinates

    def _meant(self, name: Name) -> Value:
        return self._basis[name] if name in self._basis else self.field.radical(name[0])  # type: ignore[index]

    def _ranked(self, vector: dict[Root, Poly]) -> Vector:
        """Split off the terms with maxima and opaque generators."""
        ranked: Vector = {}
        for root, poly in vector.items():
            degrees = poly.degrees()
            avoided = {f"g{g}": 0 for g in self.field.avoided if degrees[g]}
            plain = self.field.context.constant(0) if root[1] else poly.subs(avoided) if avoided else poly
            parts = {(0, root): poly - plain, (1, root): plain}
            ranked.update({key: part for key, part in parts.items() if not part.is_zero()})
        return ranked

    def _reduce(
        self, rows: Rows, order: dict[Root, int], vector: Vector, name: Name | None
    ) -> tuple[Combination, Vector]:
        """Return a vector as a combination of the rows and a rest; with a name, the rest becomes a row."""
        found: Combination = {}
        vector = dict(vector)
        while vector:
            place = min(vector, key=lambda key: (key[0], order[key[1]]))
            poly = vector[place]
            pivot = (*place, tuple(map(int, poly.monomial(0))))
            if pivot not in rows:
                if name is not None:
                    rows[pivot] = (vector, {name: Fraction(1), **{other: -c for other, c in found.items()}})
                break
            row, combination = rows[pivot]
            ratio = poly.leading_coefficient() / row[place].leading_coefficient()
            factor = Fraction(int(ratio.p), int(ratio.q))
            for other_place, other in row.items():
                rest = vector.get(other_place, 0) - other * fmpq(factor)
                if rest.is_zero():
                    vector.pop(other_place, None)
                else:
                    vector[other_place] = rest
            for other_name, c in combination.items():
                found[other_name] = found.get(other_name, Fraction(0)) + factor * c
        return found, vector
