"""A document: arrays as they were printed, and the relations that are said to hold between them.

The format is described in the reference documentation (document-format).  ``load`` checks
everything that can be checked without computing: what it returns can be evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from attn_verify import language
from attn_verify.errors import DocumentError, LanguageError, explain, shorten
from attn_verify.worked.reading import FaultError, parse, read

FORMAT = "attn-verify/document"
VERSION = 1
PACKAGED = "worked-example"

# The unit roundoff of each arithmetic that results may have been computed in.
UNITS = {"float64": Fraction(1, 2**53), "float32": Fraction(1, 2**24), "exact": Fraction(0)}
# The smallest normal number of the format with each unit roundoff; below it a result may be lost altogether.
SMALLEST = {UNITS["float64"]: Fraction(1, 2**1022), UNITS["float32"]: Fraction(1, 2**126), Fraction(0): Fraction(0)}
# Floats are printed with exponents from -324 to 308.
MAX_POWER = 400

Interval = tuple[Fraction, Fraction]

_SCIENTIFIC = re.compile(r"(?P<mantissa>[^eE]*)[eE](?P<exponent>[+-]?[0-9]+)\Z")
_PRINTED = re.compile(r"[+-]?[0-9]*(?:\.(?P<digits>[0-9]*))?(?:[eE](?P<exponent>[+-]?[0-9]+))?\Z")


@dataclass(frozen=True)
class Array:
    """An array of a document: printed (``values``), bounded (``range``), or defined by a relation (neither).

    ``digits`` is the number of digits after the point that the printer shows at most; where the
    document does not say it, the longest decimal of the array counts.  ``unit`` is the unit roundoff
    of the floats that were printed, 0 if they were none.
    """

    name: str
    shape: tuple[int, int]
    values: tuple[tuple[str, ...], ...] | None = None
    digits: int | None = None
    exact: bool = False
    range: Interval | None = None
    note: str = ""
    unit: Fraction = Fraction(0)

    @property
    def printed(self) -> bool:
        """Whether the document prints the numbers of the array."""
        return self.values is not None

    @cached_property
    def places(self) -> int:
        """The digits after the point to which the array was printed."""
        if self.digits is not None:
            return self.digits
        return max((printed_places(text) for row in self.values or () for text in row), default=0)

    def half_unit(self, row: int, column: int) -> Fraction:
        """Return half a unit in the last printed place of an entry (indices from 0).

        >>> Array("A", (1, 2), values=(("0.25", "0.5"),)).half_unit(0, 1)
        Fraction(1, 200)
        >>> Array("A", (1, 1), values=(("1.5e-03",),)).half_unit(0, 0)
        Fraction(1, 20000)
        """
        assert self.values is not None
        match = _PRINTED.match(self.values[row][column])
        exponent = int(match["exponent"] or 0) if match else 0
        return Fraction(1, 2) * Fraction(10) ** (exponent - self.places)

    @cached_property
    def intervals(self) -> tuple[tuple[Interval, ...], ...]:
        """What the document says of each entry: the printed decimal ± its radius, or the stated range."""
        rows, columns = self.shape
        if self.values is None:
            assert self.range is not None
            return tuple((self.range,) * columns for _ in range(rows))
        return tuple(tuple(self._interval(i, j) for j in range(columns)) for i in range(rows))

    @property
    def whole(self) -> bool:
        """Whether it is printed in whole numbers, and nothing says whether they are exact."""
        unmarked = self.values is not None and not self.exact and self.digits is None and self.places == 0
        return unmarked and all("e" not in text.lower() for row in self.values or () for text in row)

    @cached_property
    def shortened(self) -> bool:
        """Whether an entry stands for more than half a unit, because floats are that far apart."""
        if self.values is None or self.exact:
            return False
        return any(
            high - low > 2 * self.half_unit(i, j)
            for i, row in enumerate(self.intervals)
            for j, (low, high) in enumerate(row)
        )

    def _interval(self, row: int, column: int) -> Interval:
        """Return the numbers that are printed like an entry.

        Printers show the shortest decimal that no other float is nearer to, which may have fewer
        digits than its array has places: it stands for half the distance to the next float too.

        >>> Array("A", (1, 1), values=(("1",),), digits=20, unit=Fraction(1, 4))._interval(0, 0)
        (Fraction(2, 3), Fraction(4, 3))
        """
        assert self.values is not None
        value = decimal(self.values[row][column])
        if self.exact:
            return value, value
        # |float| <= |value| / (1 - u), and a subnormal is off by half their spacing.
        spacing = abs(value) * self.unit / (1 - self.unit)
        radius = max(self.half_unit(row, column), spacing, SMALLEST.get(self.unit, Fraction(0)) * self.unit)
        return value - radius, value + radius


@dataclass(frozen=True)
class Relation:
    """The statement ``array = formula``; ``name`` names the claim."""

    array: str
    formula: str
    node: language.Node
    name: str
    note: str = ""


@dataclass(frozen=True)
class Document:
    """Arrays, relations, and what was said about them; ``order`` lists the defined arrays, inputs first.

    ``arithmetic`` is what the results were computed in before they were printed: ``float64``,
    ``float32``, or ``exact``.
    """

    title: str
    arrays: Mapping[str, Array]
    relations: tuple[Relation, ...]
    order: tuple[str, ...]
    note: str = ""
    source: str = ""
    path: str | None = None
    arithmetic: str = "float64"

    @cached_property
    def definitions(self) -> dict[str, Relation]:
        """The first relation of each array that has one."""
        first: dict[str, Relation] = {}
        for relation in self.relations:
            first.setdefault(relation.array, relation)
        return first

    def inputs(self, relation: Relation, *, end_to_end: bool) -> frozenset[str]:
        """Return the arrays on which a relation rests: defined ones replaced by what defines them.

        Given the printed numbers, only arrays that were not printed are replaced; end to end, all.
        """
        seen: set[str] = set()
        stack = sorted(language.names(relation.node))
        result: set[str] = set()
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            definition = self.definitions.get(name)
            if definition is None or (self.arrays[name].printed and not end_to_end):
                result.add(name)
            else:
                stack.extend(language.names(definition.node))
        return frozenset(result)


def decimal(text: str) -> Fraction:
    """Read a printed decimal exactly, with any exponent that a float may be printed with.

    >>> decimal("-1.25e-1"), decimal("1e-300") == Fraction(1, 10**300)
    (Fraction(-1, 8), True)
    """
    match = _SCIENTIFIC.match(text) if len(text) <= language.MAX_DIGITS + 10 else None
    if match is None:
        return language.decimal(text)
    # int() of a long text is slow: leading zeros go first.
    digits = match["exponent"].lstrip("+-").lstrip("0") or "0"
    if len(digits) > 6 or int(digits) > MAX_POWER:
        remedy = f"use at most {language.MAX_DIGITS} digits and exponents to ±{MAX_POWER}"
        raise LanguageError(explain("number", f"got {shorten(text, 40)!r}", remedy=remedy))
    power = -int(digits) if match["exponent"].startswith("-") else int(digits)
    return language.decimal(match["mantissa"]) * Fraction(10) ** power


def printed_places(text: str) -> int:
    """Return the number of digits after the point.

    >>> printed_places("0.0048496"), printed_places("3"), printed_places("1.50e-03")
    (7, 0, 2)
    """
    match = _PRINTED.match(text)
    return len(match["digits"] or "") if match else 0


def load(document: str | Path | Mapping[str, Any] | Document) -> Document:
    """Return the document of a file, of the packaged example, or of plain data.

    Args:
        document: a path, ``"worked-example"``, the data itself, or a ``Document`` (returned as it is).

    Returns:
        A document whose names, shapes and cost are known to be in order.

    Raises:
        DocumentError: it cannot be read, or says something that has no meaning; the message
            names the place.

    >>> load({"format": "attn-verify/document", "version": 1, "title": "twice",
    ...       "arrays": {"x": {"values": [["0.5"]]}, "y": {"values": [["1.0"]]}},
    ...       "relations": [{"array": "y", "formula": "2 * x"}]}).order
    ('y',)
    """
    from attn_verify.worked.schema import document_of

    if isinstance(document, Document):
        return document
    where: str | None = None
    try:
        if isinstance(document, Mapping):
            return document_of(document, None)
        if not isinstance(document, (str, Path)):
            raise FaultError(
                "a document is a path, a mapping, or the word worked-example",
                got=f"a value of type {type(document).__name__}",
            )
        where = str(document)
        if where == PACKAGED:
            packaged = resources.files("attn_verify.worked") / "documents" / f"{PACKAGED}.json"
            return document_of(parse(packaged.read_bytes()), PACKAGED)
        return document_of(read(Path(document)), where)
    except FaultError as fault:
        # ascii(): a path may hold bytes that no terminal can show.
        name = "document" if where is None else f"document {shorten(ascii(where)[1:-1], 120)}"
        raise DocumentError(explain(name, *fault.facts(), remedy=fault.remedy or None)) from None
