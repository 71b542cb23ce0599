"""From enclosures to verdicts: is each printed number compatible with its relation?

A printed decimal is the interval of all numbers that the printer would have shown like it.  The
end points are exact fractions on both sides, and so are the comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attn_verify.checks.verdict import Claim, Status, Verdict
from attn_verify.errors import DocumentError, explain, shorten
from attn_verify.worked.document import Array, Document, Relation
from attn_verify.worked.enclosures import Bounds, Enclosure, enclose

# A refuted array lists so many entries; the evidence says how many there are.
MAX_LISTED = 12
# Smaller distances are not told apart.
_VISIBLE = Fraction(1, 100)

_PRINTER = {
    "kind": "printer",
    "text": "each printed decimal is the true number rounded to the nearest, so off by at most half a unit",
}
_SHORTEST = {
    "kind": "shortest_decimals",
    "text": "where neighbouring floats are further apart than a unit, a decimal is off by at most half that distance",
}
_EXACT = {"kind": "exact", "text": "arrays that the document calls exact are exactly what is printed"}
_ROUNDING = {
    "float64": "the results were computed in float64 or better; the enclosure includes what that may lose",
    "float32": "the results were computed in float32 or better; the enclosure includes what that may lose",
    "exact": "the results were computed without rounding before they were printed",
}


@dataclass(frozen=True)
class Entry:
    """One entry of a relation: what was printed, and what the formula can be (both closed intervals)."""

    row: int
    column: int
    text: str
    half_unit: Fraction
    printed: tuple[Fraction, Fraction]
    enclosure: tuple[Fraction, Fraction]

    @property
    def certified(self) -> bool:
        """Whether the enclosure lies inside the printed interval."""
        return self.printed[0] <= self.enclosure[0] and self.enclosure[1] <= self.printed[1]

    @property
    def distance(self) -> Fraction:
        """The gap between enclosure and printed interval, in half units; 0 where they meet."""
        gap = max(self.enclosure[0] - self.printed[1], self.printed[0] - self.enclosure[1])
        return max(gap, Fraction(0)) / self.half_unit

    @property
    def radius(self) -> Fraction:
        """Half the width of the enclosure, in half units."""
        return (self.enclosure[1] - self.enclosure[0]) / 2 / self.half_unit

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as evidence; indices start at 1."""
        return {
            "entry": [self.row + 1, self.column + 1],
            "printed": self.text,
            "enclosure": interval_text(*self.enclosure, self.half_unit),
            "distance_half_units": number(self.distance),
        }


def judge(document: Document) -> tuple[Verdict, ...]:
    """Return a verdict for each relation of a printed array, given the printed numbers and end to end.

    Raises:
        DocumentError: a formula has no value for the printed numbers, such as a division by zero.

    >>> from attn_verify.worked.document import load
    >>> data = {"format": "attn-verify/document", "version": 1, "relations": [{"array": "y", "formula": "2 * x"}],
    ...         "arrays": {"x": {"values": ["0.5"], "exact": True}, "y": {"values": ["1.01"]}}}
    >>> judge(load(data))[0].evidence["summary"]
    'refuted, off by 1 half unit at [1,1]'
    """
    verdicts = []
    for relation, enclosures in zip(document.relations, enclose(document), strict=True):
        if not document.arrays[relation.array].printed:
            _refuse_undefined(relation, enclosures.given)
            continue
        verdicts.append(_verdict(document, relation, enclosures.given, end_to_end=False))
        if enclosures.end_to_end is not None:
            verdicts.append(_verdict(document, relation, enclosures.end_to_end, end_to_end=True))
    return tuple(verdicts)


def _refuse_undefined(relation: Relation, enclosure: Enclosure) -> None:
    if enclosure.undefined is not None and enclosure.undefined.certain:
        raise DocumentError(
            explain(
                f"relation {relation.name}",
                shorten(enclosure.undefined.cause, 300),
                "for these numbers the formula has no value, or none of a size that can be judged",
                remedy="correct the formula or the numbers",
            )
        )


def _verdict(document: Document, relation: Relation, enclosure: Enclosure, *, end_to_end: bool) -> Verdict:
    _refuse_undefined(relation, enclosure)
    array = document.arrays[relation.array]
    inputs = sorted(document.inputs(relation, end_to_end=end_to_end))
    unprinted = [name for name in inputs if not document.arrays[name].printed]
    status, evidence = _evidence(array, enclosure, unprinted)
    undetermined = evidence["kind"] == "not_determined"
    reading = "end to end" if end_to_end else "given the printed numbers"
    exact = any(document.arrays[name].exact for name in [*inputs, relation.array])
    whole = _whole_numbers([document.arrays[name] for name in dict.fromkeys([*inputs, relation.array])])
    if whole:
        evidence["detail"] = f"{evidence['detail']}; {whole}" if "detail" in evidence else whole
    return Verdict(
        claim=Claim(
            name=f"{relation.name}:end_to_end" if end_to_end else relation.name,
            statement=f"{relation.array} = {relation.formula}, {reading}",
        ),
        status=status,
        method="not determined" if undetermined else "ball arithmetic",
        scope={
            "sizes": {"rows": array.shape[0], "columns": array.shape[1]},
            "number_system": "balls",
            "inputs": {name: _extent(document.arrays[name]) for name in inputs},
        },
        assumptions=(
            _PRINTER,
            {"kind": "rounding", "text": _ROUNDING[document.arithmetic]},
            *([_EXACT] if exact else []),
            *([_SHORTEST] if any(document.arrays[name].shortened for name in [*inputs, relation.array]) else []),
            *([{"kind": "whole_numbers", "text": whole}] if whole else []),
        ),
        evidence=evidence,
        counts=not undetermined,
    )


def _whole_numbers(arrays: list[Array]) -> str:
    names = [array.name for array in arrays if array.whole]
    if not names:
        return ""
    return f'the whole numbers of {_listed(names)} are read as ±0.5; write "exact": true if they are exact'


def _extent(array: Array) -> str:
    if array.range is not None:
        return f"not printed, in [{_decimal(array.range[0])}, {_decimal(array.range[1])}]"
    return "exact" if array.exact else f"printed to {array.places} places"


def _evidence(array: Array, enclosure: Enclosure, unprinted: list[str]) -> tuple[Status, dict[str, Any]]:
    if enclosure.bounds is None:
        assert enclosure.undefined is not None
        cause = shorten(enclosure.undefined.cause, 300)
        kind = "not_determined" if unprinted else "no_enclosure"
        detail = f"{cause}; more printed digits, or a narrower range, would decide it"
        return Status.UNDECIDED, {
            "kind": kind,
            "summary": "no finite enclosure",
            "detail": detail,
            "unprinted": unprinted,
        }
    entries = list(_entries(array, enclosure.bounds))
    widest = max(entries, key=lambda entry: entry.radius)
    certified = sum(entry.certified for entry in entries)
    refuted = sorted((e for e in entries if e.distance > 0), key=lambda entry: -entry.distance)
    evidence: dict[str, Any] = {
        "kind": "enclosure",
        "entries": len(entries),
        "certified": certified,
        "widest_half_units": number(widest.radius),
        "widest_entry": widest.to_dict(),
        "unprinted": unprinted,
    }
    if refuted:
        worst = refuted[0]
        summary = f"refuted, off by {_gap(worst.distance)} at [{worst.row + 1},{worst.column + 1}]"
        listed = [entry.to_dict() for entry in refuted[:MAX_LISTED]]
        witness = {"refuted": len(refuted), "worst": worst.to_dict(), "witnesses": listed}
        return Status.REFUTED, {**evidence, "kind": "refuted", "summary": summary, **witness}
    width = f"enclosure ± {_half_units(widest.radius)}"
    if certified == len(entries):
        return Status.PROVED, {**evidence, "summary": f"certified, {width}"}
    if unprinted:
        box = interval_text(*widest.enclosure, max(widest.half_unit, widest.half_unit * widest.radius))
        detail = (
            f"{_listed(unprinted)} not printed, only a range is known; "
            f"what was printed as {widest.text} can be anything in {box}"
        )
        undetermined = {"kind": "not_determined", "summary": f"not determined, in {box}", "detail": detail}
        return Status.UNDECIDED, {**evidence, **undetermined}
    share = f", {certified} of {len(entries)} certified" if certified else ""
    vague = ", too wide to exclude much" if _vague(entries) else ""
    return Status.TESTED, {**evidence, "summary": f"consistent, {width}{share}{vague}"}


def _vague(entries: list[Entry]) -> bool:
    """Whether every enclosure is wider than the size of its printed number; zeros alone have no size."""
    sizes = [abs(entry.printed[0] + entry.printed[1]) / 2 for entry in entries]
    wide = all(e.radius * e.half_unit > size + e.half_unit for e, size in zip(entries, sizes, strict=True))
    return wide and any(sizes)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _entries(array: Array, bounds: Bounds) -> Iterator[Entry]:
    assert array.values is not None
    for i, row in enumerate(bounds):
        for j, enclosure in enumerate(row):
            yield Entry(i, j, array.values[i][j], array.half_unit(i, j), array.intervals[i][j], enclosure)


def number(value: Fraction) -> float:
    """Return a fraction as a float of three significant digits; one beyond the floats is infinite.

    >>> number(Fraction(200, 3))
    66.7
    """
    try:
        # A difference too small for a float is still one.
        return float(f"{float(value):.3g}") or (math.ulp(0.0) if value > 0 else 0.0)
    except OverflowError:
        return math.inf


def _half_units(value: Fraction) -> str:
    amount = number(value)
    return f"{amount:g} half unit{'' if amount == 1 else 's'}"


def _gap(distance: Fraction) -> str:
    return _half_units(distance) if distance >= _VISIBLE else "less than 0.01 half units"


def interval_text(low: Fraction, high: Fraction, half_unit: Fraction) -> str:
    """Return an interval in decimals, rounded outward two places beyond the printed ones.

    >>> interval_text(Fraction(1, 3), Fraction(2, 3), Fraction(1, 20))
    '[0.333, 0.667]'
    """
    places = max(0, len(str((1 / half_unit / 2).__ceil__())) + 1)
    scale = 10**places
    return f"[{_fixed(math.floor(low * scale), places)}, {_fixed(math.ceil(high * scale), places)}]"


def _fixed(scaled: int, places: int) -> str:
    digits = str(abs(scaled)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return ("-" if scaled < 0 else "") + shorten(text, 60)


def _decimal(value: Fraction) -> str:
    return f"{float(value):g}" if abs(value) < 10**15 else f"{number(value):g}"
