"""One float result against its exact enclosure, in units in the last place and in rounding bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.ball import Ball, precision
from attn_verify.checks.oracle import Enclosure, enclose
from attn_verify.checks.rounding import FloatFormat
from attn_verify.derivation import Derivation

Inputs = Mapping[str, NDArray[Any]]

# How precisely the oracle encloses, before a comparison is given up.
_BITS = (128, 512, 2048)


@dataclass(frozen=True)
class Deviation:
    """One entry of a result (counted from 1) against its exact value.

    ``error_ulp`` is in units in the last place of the exact value, ``fraction`` in rounding bounds;
    ``inside`` is ``None`` where the bound is infinite or the enclosure too wide to tell.
    """

    entry: tuple[int, int]
    value: float
    exact: str
    error_ulp: float
    fraction: float
    inside: bool | None


def deviations(
    result: NDArray[Any], inputs: Inputs, derivation: Derivation, bound: NDArray[np.float64], form: FloatFormat
) -> Iterator[Deviation]:
    """Compare every judged entry of ``result`` (n, columns) with the exact one.

    Rows of queries that may attend to nothing are judged only if the spec says what they are.
    """
    unjudged = derivation.empty_rows if derivation.spec.empty_row == "any" else ()
    enclosures = [_exact(inputs, derivation, _BITS[0])]

    def at(level: int) -> Enclosure:
        if level == len(enclosures):
            enclosures.append(_exact(inputs, derivation, _BITS[level]))
        return enclosures[level]

    for i, row in enumerate(result):
        if i in unjudged:
            continue
        for j, value in enumerate(row):
            yield _first_decided(
                lambda level, i=i, j=j, value=value: deviation(  # type: ignore[misc]  # defaults bind the loop
                    float(value), at(level)[i][j], float(bound[i, j]), form, (i + 1, j + 1)
                )
            )


def _first_decided(compare: Callable[[int], Deviation]) -> Deviation:
    for level in range(len(_BITS)):
        found = compare(level)
        if found.inside is not None or math.isinf(found.fraction):
            break
    return found


def _exact(inputs: Inputs, derivation: Derivation, bits: int) -> Enclosure:
    return enclose(inputs, derivation.sizes, derivation.spec, derivation.allowed, bits=bits)


def deviation(value: float, exact: Ball | None, bound: float, form: FloatFormat, entry: tuple[int, int]) -> Deviation:
    """Place ``value`` inside or outside ``bound`` around ``exact`` (``None``: the spec asks for a NaN).

    >>> deviation(1.0, flint.arb(1), 0.0, FloatFormat.of("float64"), (1, 1)).inside
    True
    """
    if exact is None:
        off = 0.0 if math.isnan(value) else math.inf
        return Deviation(entry, value, "undefined", off, off, off == 0)
    text = exact.str(20, radius=False)
    if not math.isfinite(value):
        # Whatever the bound says: the exact value is a finite number and this is none.
        return Deviation(entry, value, text, math.inf, math.inf, False)
    with precision(_BITS[-1]):
        error = abs(flint.arb(value) - exact)
    size = float(error.mid())
    ulp = size / _unit_in_last_place(exact, form)
    if math.isinf(bound):
        return Deviation(entry, value, text, ulp, 0.0, None)
    limit = flint.arb(bound)
    inside = True if error <= limit else False if error > limit else None
    fraction = size / bound if bound > 0 else (0.0 if inside else math.inf)
    return Deviation(entry, value, text, ulp, fraction, inside)


def _unit_in_last_place(exact: Ball, form: FloatFormat) -> float:
    """Return ulp(x) = 2u · 2^⌊log₂|x|⌋, and the spacing of the subnormal numbers below the normal range."""
    epsilon = 2 * form.unit_roundoff
    return max(math.ldexp(epsilon, math.frexp(float(exact.mid()))[1] - 1), form.tiny * epsilon)
