"""Enclosures of every relation of a document, given the printed numbers and end to end."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from attn_verify import language
from attn_verify.arithmetic.ball import DEFAULT_BITS, precision
from attn_verify.worked.balls import BallMatrix, Interval, UndefinedError
from attn_verify.worked.document import UNITS, Array, Document, Relation
from attn_verify.worked.rounded import algebra, stored

Bounds = tuple[tuple[Interval, ...], ...]
Values = dict[str, BallMatrix | UndefinedError]

MAX_BITS = 8 * DEFAULT_BITS
# The widths count as settled when twice the bits make none of them narrower by more than this part.
_SETTLED = Fraction(1, 100)
# So does a width of less than this part of half a printed unit.
_NEGLIGIBLE = Fraction(1, 1000)


@dataclass(frozen=True)
class Enclosure:
    """What a formula can be: the exact ends of each entry, or why there are none."""

    bounds: Bounds | None
    undefined: UndefinedError | None = None


@dataclass(frozen=True)
class Enclosures:
    """The two readings of a relation; ``end_to_end`` is ``None`` where it is the same question."""

    given: Enclosure
    end_to_end: Enclosure | None


def enclose(document: Document) -> tuple[Enclosures, ...]:
    """Return the enclosures of all relations, in order.

    The evaluation is repeated with twice the bits until no enclosure becomes noticeably narrower,
    or ``MAX_BITS`` is reached; an enclosure holds at any precision.

    >>> from attn_verify.worked.document import load
    >>> data = {"format": "attn-verify/document", "version": 1, "relations": [{"array": "y", "formula": "x.T"}],
    ...         "arrays": {"x": {"values": [["0.5"]]}, "y": {"values": [["0.5"]]}}}
    >>> enclose(load(data))[0].given.bounds
    (((Fraction(9, 20), Fraction(11, 20)),),)
    """
    bits = DEFAULT_BITS
    coarse = _at(document, bits)
    while bits < MAX_BITS:
        bits *= 2
        fine = _at(document, bits)
        if _widths_settled(document, coarse, fine):
            return fine
        coarse = fine
    return coarse


def _at(document: Document, bits: int) -> tuple[Enclosures, ...]:
    with precision(bits):
        rules = algebra(document.arithmetic)
        given: Values = {
            name: _held(array, UNITS[document.arithmetic])
            for name, array in document.arrays.items()
            if array.printed or array.range is not None
        }
        recomputed = dict(given)
        changed = _changed(document)
        defined: Values = {}  # what the definition of each array gives, from the printed numbers
        for name in document.order:
            definition = document.definitions[name]
            defined[name] = _value(definition, given, rules)
            if not document.arrays[name].printed:
                given[name] = defined[name]
            same = changed.isdisjoint(language.names(definition.node))
            recomputed[name] = defined[name] if same else _value(definition, recomputed, rules)
        result = []
        for relation in document.relations:
            defines = document.definitions[relation.array] is relation
            first = _bounds(relation, defined[relation.array] if defines else _value(relation, given, rules))
            if changed.isdisjoint(language.names(relation.node)):
                result.append(Enclosures(first, None))
                continue
            second = _bounds(relation, recomputed[relation.array] if defines else _value(relation, recomputed, rules))
            result.append(Enclosures(first, None if _same(first, second) else second))
        return tuple(result)


def _held(array: Array, unit: Fraction) -> BallMatrix:
    """Return an array as the original computation held it: an exact decimal may not be a float."""
    balls = BallMatrix.of(array.intervals)
    return stored(balls, unit) if array.exact and unit else balls


def _changed(document: Document) -> frozenset[str]:
    """Return the arrays with another value end to end: printed ones with a relation, and what rests on them."""
    changed: set[str] = set()
    for name in document.order:
        if document.arrays[name].printed or not changed.isdisjoint(language.names(document.definitions[name].node)):
            changed.add(name)
    return frozenset(changed)


def _value(relation: Relation, values: Values, rules: language.Algebra) -> BallMatrix | UndefinedError:
    known: dict[str, BallMatrix] = {}
    for name in sorted(language.names(relation.node)):
        value = values[name]
        if isinstance(value, UndefinedError):
            return value
        known[name] = value
    try:
        result: BallMatrix = language.evaluate(relation.node, known, rules)
    except UndefinedError as error:
        return UndefinedError(f"{relation.array} = {relation.formula}: {error.cause}", certain=error.certain)
    return result


def _bounds(relation: Relation, value: BallMatrix | UndefinedError) -> Enclosure:
    try:
        return Enclosure(None, value) if isinstance(value, UndefinedError) else Enclosure(value.bounds())
    except UndefinedError as error:
        cause = f"{relation.array} = {relation.formula}: {error.cause}"
        return Enclosure(None, UndefinedError(cause, certain=error.certain))


def _same(first: Enclosure, second: Enclosure) -> bool:
    if first.undefined and second.undefined:
        return first.undefined.cause == second.undefined.cause
    return first.bounds == second.bounds


def _widths_settled(document: Document, coarse: tuple[Enclosures, ...], fine: tuple[Enclosures, ...]) -> bool:
    for relation, old, new in zip(document.relations, coarse, fine, strict=True):
        array = document.arrays[relation.array]
        if not _settled(array, old.given, new.given):
            return False
        if old.end_to_end is None or new.end_to_end is None:
            if old.end_to_end is not new.end_to_end:
                return False
        elif not _settled(array, old.end_to_end, new.end_to_end):
            return False
    return True


def _settled(array: Array, before: Enclosure, after: Enclosure) -> bool:
    if before.bounds is None or after.bounds is None:
        return before.bounds is after.bounds
    return all(
        high - low >= (1 - _SETTLED) * (before.bounds[i][j][1] - before.bounds[i][j][0])
        or (array.printed and high - low <= _NEGLIGIBLE * array.half_unit(i, j))
        for i, row in enumerate(after.bounds)
        for j, (low, high) in enumerate(row)
    )
