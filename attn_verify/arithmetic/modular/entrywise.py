"""Field arithmetic on whole arrays, with special values, signs, denominators and bounds carried along."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular import codes, linear
from attn_verify.arithmetic.modular.arrays import ModularData, refuse
from attn_verify.arithmetic.modular.codes import FINITE
from attn_verify.arithmetic.modular.field import Record, VanishingError, active
from attn_verify.arithmetic.modular.residues import aligned, each, filled, inverses, product, reduced
from attn_verify.arithmetic.modular.sizes import ONE, Monomial, Poly, log2_int
from attn_verify.arithmetic.modular.structure import levels_of

Array = NDArray[Any]


def binary(a: ModularData, name: str, b: ModularData) -> ModularData:
    """Return ``a + b``, ``a − b``, ``a · b`` or ``a / b``, broadcasting."""
    if a.rational() and b.rational():
        found = _constants(a, name, b)
        if found is not None:
            return found
    match name:
        case "add":
            return _with_logs(_sum(a, b, 1), a, b, "add", "multiply")
        case "subtract":
            return _with_logs(_sum(a, b, -1), a, b, "subtract", "divide")
        case "multiply":
            return _multiply(a, b)
        case _:
            return _divide(a, b)


def _constants(a: ModularData, name: str, b: ModularData) -> ModularData | None:
    """Compute with exactly known constants, where the result is one again."""
    if a.parts["special"].any() or b.parts["special"].any() or a.has_logs() or b.has_logs():
        return None
    x, y = a.parts["exact"], b.parts["exact"]
    known: dict[Any, Monomial | None] = {}

    def compute(left: Monomial, right: Monomial) -> Monomial | None:
        pair = (left, right)
        if pair not in known:
            known[pair] = _constant(name, left, right)
        return known[pair]

    exact = np.frompyfunc(compute, 2, 1)(x, y)
    if not isinstance(exact, np.ndarray):
        exact = filled((), exact)
    return None if None in exact else a.constant(exact)


def _constant(name: str, x: Monomial, y: Monomial) -> Monomial | None:
    if name in ("add", "subtract"):
        if name == "subtract":
            y = Monomial(-y.rational, y.radicals)
        if not x.rational or not y.rational:
            return x if x.rational else y
        return Monomial(x.rational + y.rational, x.radicals) if x.radicals == y.radicals else None
    if name == "multiply":
        return x.times(y) if x.rational and y.rational else Monomial(Fraction(0))
    if not y.rational:
        refuse("divide", "division by zero", "no row whose sum is zero")
    return x.times(y.inverse()) if x.rational else x


def _with_logs(out: ModularData, a: ModularData, b: ModularData, lam: str, fac: str) -> ModularData:
    """Add or subtract the parts in logarithms as well."""
    if a.has_logs() or b.has_logs():
        left, right = a.logs(), b.logs()
        out.lam = binary(left[0], lam, right[0])
        out.fac = binary(left[1], fac, right[1])
    return out


def _sum(a: ModularData, b: ModularData, sign: int) -> ModularData:
    field = active()
    x, y = a.parts, b.parts
    levels = {}
    for level, p in levels_of(a, b):
        total = a.level(level) + b.level(level) if sign > 0 else a.level(level) - b.level(level)
        levels[level] = reduced(total, p)
    other = y["special"] if sign > 0 else codes.negated(y["special"])
    other_sign = y["sign"] if sign > 0 else codes.negated_sign(y["sign"])
    left, right = a.record, b.record
    den, more_left, more_right = field.common_den(x["den"], y["den"])
    z = int(np.lcm(left.z, right.z, dtype=object))
    poly = field.to(left, z).times(more_left).plus(field.to(right, z).times(more_right))
    special = codes.sum_of_specials(x["special"], other)
    signs = codes.sum_of_signs(x["sign"], other_sign)
    out = a.result(levels, special.shape, Record(poly, z), special, den, signs, of=(a, b))
    out.parts["lin"] = aligned(linear.of_sum(a, b, special.shape), out.pattern)
    return out


def _multiply(a: ModularData, b: ModularData) -> ModularData:
    field = active()
    for factor, value in ((a, b), (b, a)):
        if value.has_logs() and factor.rational():
            return _scale(value, factor)
    a, b = a.plain(), b.plain()
    x, y = a.parts, b.parts
    levels = {level: reduced(a.level(level) * b.level(level), p) for level, p in levels_of(a, b)}
    special, unknown = codes.product_of_specials(x["special"], x["sign"], y["special"], y["sign"])
    if unknown.any():
        refuse("multiply", "±∞ times a value of unknown sign, on whole arrays")
    left, right = a.record, b.record
    record = Record(left.poly.times(right.poly), left.z * right.z)
    sign = codes.product_of_signs(x["sign"], y["sign"])
    return a.result(levels, special.shape, record, special, field.times_den(x["den"], y["den"]), sign, of=(a, b))


def _scale(value: ModularData, factor: ModularData) -> ModularData:
    """Return a value with a part in logarithms times a constant, where that keeps the part."""
    numbers = set(factor.parts["exact"].reshape(-1).tolist())
    number = next(iter(numbers), None)
    bare = type(value)(value.parts)
    out = _multiply(bare, factor)
    whole = len(numbers) == 1 and number is not None and not number.radicals and number.rational.denominator == 1
    if not whole or number is None or not 0 < abs(number.rational) <= 64 or value.lam is None or value.fac is None:
        active().opaque = True
        return out
    times = int(number.rational)
    out.lam = binary(value.lam, "multiply", factor)
    fac = value.fac
    for _ in range(abs(times) - 1):
        fac = binary(fac, "multiply", value.fac)
    out.fac = fac.copy() if times > 0 else binary(value.constant(filled((), ONE)), "divide", fac)
    shape = out.shape
    out.lam, out.fac = (_spread(part, shape) for part in (out.lam, out.fac))
    return out


def _spread(item: ModularData, shape: tuple[int, ...]) -> ModularData:
    return item.move(lambda x: np.broadcast_to(x, shape).copy())


def _divide(a: ModularData, b: ModularData) -> ModularData:
    if b.rational() and not b.parts["special"].any():
        exact = each(b.parts["exact"], lambda value: _constant("divide", ONE, value))
        return _multiply(a, b.constant(exact))
    a, b = a.plain(), b.plain()
    return _multiply(a, _reciprocal(b))


def _reciprocal(b: ModularData) -> ModularData:
    """Return ``1 / b``, with ``1 / ±∞ = 0``."""
    field = active()
    special = b.parts["special"]
    infinite = (special == codes.INF) | (special == codes.MINUS_INF)
    if (b.parts["sign"][special == FINITE] == codes.ZERO).any():
        refuse("divide", "division by zero", "no row whose sum is zero")
    unsure = (special == FINITE) & ~np.isin(b.parts["sign"], (codes.POSITIVE, codes.NEGATIVE))
    if unsure.any():
        # an analytic function that is not zero is zero on a null set at most, any other one may be so on more
        field.unsure.add("wild divisor" if b.parts["wild"][unsure].any() else "divisor")
    levels = {}
    try:
        for level, p in levels_of(b):
            values = b.level(level)
            if special.any():
                values = np.where(special == FINITE, values, 1)
            values = inverses(values, p)
            values[infinite] = 0
            levels[level] = values
    except ZeroDivisionError:
        raise field.vanish() from None
    record = b.record
    # b = N / (z D): the numerator of 1/b is z D, its denominator the numerator N of this very value
    top = field.widest(b.parts["den"]).times(Poly(norm=log2_int(record.z)))
    den = field.divisor_den(b.parts["vid"], record.poly)
    sign = np.where(infinite, codes.ZERO, np.where(b.parts["sign"] == codes.NONNEGATIVE, codes.POSITIVE,
                                                   b.parts["sign"])).astype(np.uint8)  # fmt: skip
    code = np.where(special == codes.NAN, codes.NAN, FINITE).astype(np.uint8)
    return b.result(levels, b.shape, Record(top), code, den, sign, of=(b,))


def sum_along(a: ModularData, axis: int) -> ModularData:
    """Return the sums along one axis."""
    field = active()
    a = a.plain().move(lambda x: np.moveaxis(x, axis, -1))
    shape, count = a.shape[:-1], a.shape[-1]
    if not count:
        return a.constant(filled(shape, Monomial(Fraction(0))))
    special = a.parts["special"]
    levels = {}
    for level, p in levels_of(a):
        total = np.add.reduce(a.level(level), axis=-1)
        levels[level] = reduced(total if isinstance(total, np.ndarray) else filled((), total), p)
    code = np.zeros(shape, np.uint8)
    if special.any():
        code = special[..., 0]
        for k in range(1, count):
            code = codes.sum_of_specials(code, special[..., k])
    den, more = field.along_den(a.parts["den"])
    record = a.record
    poly = record.poly.times(more).repeated(count)
    signs = codes.signs_along(a.parts["sign"])
    out = a.result(levels, shape, Record(poly, record.z), np.array(code), den, signs, of=(a,))
    out.parts["lin"] = aligned(linear.of_sum_along(a, shape), out.pattern)
    return out


def matmul(a: ModularData, b: ModularData) -> ModularData:
    """Return matrix products of stacks."""
    field = active()
    a, b = a.plain(), b.plain()
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul: {a.shape} and {b.shape} do not fit")
    if a.parts["special"].any() or b.parts["special"].any():
        refuse("matmul", "infinite entries in a matrix product, on whole arrays")
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    count, shape = a.shape[-1], (*outer, a.shape[-2], b.shape[-1])
    levels = {}
    for level, p in levels_of(a, b):
        x = np.broadcast_to(a.level(level), outer + a.shape[-2:])
        y = np.broadcast_to(b.level(level), outer + b.shape[-2:])
        out = filled(shape, 0)
        for place in np.ndindex(*outer):
            out[place] = product(x[place], y[place], p, field.matrices)
        levels[level] = out
    left_den, more_left = field.along_den(a.parts["den"])
    right_den, more_right = field.along_den(np.swapaxes(b.parts["den"], -1, -2))
    den = field.times_den(left_den[..., :, None], right_den[..., None, :])
    left, right = a.record, b.record
    poly = left.poly.times(more_left).times(right.poly.times(more_right)).repeated(count)
    low = all(np.isin(x.parts["sign"], (codes.NONNEGATIVE, codes.POSITIVE, codes.ZERO)).all() for x in (a, b))
    sign = np.full(shape, codes.NONNEGATIVE if low else codes.UNKNOWN, np.uint8)
    bound = Record(poly, left.z * right.z)
    whole = a.result(levels, shape, bound, None, np.broadcast_to(den, shape), sign, of=(a, b))
    whole.parts["lin"] = aligned(linear.of_product(a, b, shape), whole.pattern)
    return whole


__all__ = ["VanishingError", "binary", "matmul", "sum_along"]
