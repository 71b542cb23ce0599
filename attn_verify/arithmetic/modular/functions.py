"""Negation, exponentials, logarithms and square roots of whole arrays of residues."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from attn_verify.arithmetic.modular import codes, maxima
from attn_verify.arithmetic.modular.arrays import ModularData, refuse
from attn_verify.arithmetic.modular.codes import FINITE
from attn_verify.arithmetic.modular.field import Record, active
from attn_verify.arithmetic.modular.residues import each, filled, reduced
from attn_verify.arithmetic.modular.sizes import ONE, Monomial, Poly
from attn_verify.arithmetic.modular.structure import levels_of
from attn_verify.arithmetic.modular.survey import merged_logs

NESTED = "more nested exponentials than the tower of primes has levels"


def negative(a: ModularData) -> ModularData:
    """Return ``−a``."""
    levels = {level: reduced(-a.level(level), p) for level, p in levels_of(a)}
    parts = a.parts
    if a.rational() and not a.has_logs():
        minus = Monomial(Fraction(-1))
        return a.constant(each(parts["exact"], minus.times), codes.negated(parts["special"]))
    out = a.result(
        levels, a.shape, a.record, codes.negated(parts["special"]), parts["den"],
        codes.negated_sign(parts["sign"]), of=(a,),
    )  # fmt: skip
    if a.lam is not None and a.fac is not None and a.has_logs():
        out.lam, out.fac = negative(a.lam), a.constant(filled((), ONE)).binary("divide", a.fac)
    return out


def exp(a: ModularData) -> ModularData:
    """Return ``exp(a)``: ``exp(−∞) = 0``, and ``exp(rest + log u) = exp(rest) · u``."""
    field = active()
    special = a.parts["special"]
    rest = a
    if a.lam is not None and a.has_logs():
        rest = ModularData(a.parts).binary("subtract", a.lam)
    depth = rest.depth + 1
    if depth > field.top:
        field.nested = True
        refuse("exp", NESTED, "a taller tower")
    field.note_exponent(rest.record, rest.parts["den"])
    levels = {level: field.powers(level, rest.level(level - 1)) for level in range(depth, field.top + 1)}
    sign = np.full(a.shape, codes.POSITIVE, np.uint8)
    gone = special == codes.MINUS_INF
    code = np.where(gone, FINITE, special).astype(np.uint8)
    if gone.any():
        for values in levels.values():
            values[gone] = 0
        sign[gone] = codes.ZERO
    out = a.result(levels, a.shape, Record(Poly(spread=1)), code, None, sign, of=(a,))
    if a.fac is not None and a.has_logs():
        return out.binary("multiply", a.fac)
    return out


def log(a: ModularData) -> ModularData:
    """Return ``log a``: a constant by its primes, anything else as an independent value that ``exp`` undoes."""
    special = a.parts["special"]
    if special.any():
        refuse("log", "logarithms of infinite values on whole arrays")
    if a.lam is not None:
        return log(a.plain())
    if not a.rational():
        _expect(a, codes.POSITIVE)
        lam = maxima.atom("log", [a], a.shape, opaque=False)
        lam.parts["wild"] |= True
        return ModularData(lam.copy().parts, lam, a.copy())
    flat = a.parts["exact"].reshape(-1).tolist()
    if any(value.rational <= 0 for value in flat):
        refuse("log", "the logarithm of a constant that is not positive")
    primes = sorted({-u for value in flat for u in merged_logs(value)})
    lam = a.constant(filled(a.shape, Monomial(Fraction(0))))
    for prime in primes:
        unit = maxima.atom(f"log {prime}", [], (), opaque=False)
        count = each(a.parts["exact"], _multiple_of(prime))
        lam = lam.binary("add", unit.binary("multiply", a.constant(count)))
    return ModularData(lam.copy().parts, lam, a.copy())


def sqrt(a: ModularData) -> ModularData:
    """Return ``√a`` of constants, as an atom of anything else."""
    if not a.rational():
        _expect(a, codes.POSITIVE, codes.NONNEGATIVE, codes.ZERO)
        root = maxima.atom("sqrt", [a], a.shape)
        root.parts["wild"] |= True
        root.parts["sign"][a.parts["sign"] == codes.POSITIVE] = codes.POSITIVE
        return root
    if (a.parts["special"] != FINITE).any():
        refuse("sqrt", "square roots of infinite constants on whole arrays")
    field = active()
    for value in set(a.parts["exact"].reshape(-1).tolist()):
        if value.rational < 0:
            refuse("sqrt", "the square root of a negative constant on whole arrays")
        if value.rational and field.lacks_root(value):
            refuse("sqrt", f"√{value.rational}: no root of {field.lacks_root(value)} was provided")
    return a.constant(each(a.parts["exact"], lambda v: v.power(Fraction(1, 2)) if v.rational else v))


def _expect(a: ModularData, *signs: int) -> None:
    """Note an argument that may have no logarithm or root."""
    if not np.isin(a.parts["sign"], signs).all():
        active().unsure.add("argument")


def _multiple_of(prime: int) -> Callable[[Monomial], Monomial]:
    """Return how often a constant contains the logarithm of a prime."""
    return lambda value: Monomial(merged_logs(value).get(-prime, Fraction(0)))
