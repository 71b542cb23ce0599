"""The functions of one, two or three numbers, entry by entry, on exact data."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic.tracing.carrier import laid_out, pattern
from attn_verify.arithmetic.tracing.session import current

Data = Any  # a carrier

# Powers are products up to this exponent.
MAX_POWER = 64


def const(like: Data, value: int | Fraction | str) -> Data:
    """Return a number, 0-d, in the number system of ``like``."""
    return type(like).full((), value if isinstance(value, str) else Fraction(value))


def in_order_of(result: Data, *operands: Data) -> Data:
    """Return a result with its entries in memory as NumPy lays out that of one operation on the operands."""
    names = dict(zip("abc", map(pattern, operands), strict=False))
    like = np.frompyfunc(lambda *entries: None, len(names), 1)(*names.values())
    return laid_out(result, like) if isinstance(like, np.ndarray) else result


def add(a: Data, b: Data) -> Data:
    """Return ``a + b``."""
    return a.binary("add", b)


def sub(a: Data, b: Data) -> Data:
    """Return ``a − b``."""
    return a.binary("subtract", b)


def mul(a: Data, b: Data) -> Data:
    """Return ``a · b``."""
    return a.binary("multiply", b)


def div(a: Data, b: Data) -> Data:
    """Return ``a / b``."""
    return a.binary("divide", b)


def neg(a: Data) -> Data:
    """Return ``−a``."""
    return a.unary("negative")


def exp(a: Data) -> Data:
    """Return ``eᵃ``."""
    return a.unary("exp")


def log(a: Data) -> Data:
    """Return the natural logarithm."""
    return a.unary("log")


def sqrt(a: Data) -> Data:
    """Return the square root."""
    return a.unary("sqrt")


def maximum(a: Data, b: Data) -> Data:
    """Return the larger number; NaN if one is NaN."""
    return a.binary("maximum", b)


def minimum(a: Data, b: Data) -> Data:
    """Return ``−max(−a, −b)``."""
    return neg(maximum(neg(a), neg(b)))


def ln(like: Data, n: int) -> Data:
    """Return ``ln n``."""
    return log(const(like, n))


def exp2(a: Data) -> Data:
    """Return ``2ᵃ = exp(a ln 2)``."""
    return exp(mul(a, ln(a, 2)))


def log2(a: Data) -> Data:
    """Return ``ln a / ln 2``."""
    return div(log(a), ln(a, 2))


def tanh(a: Data) -> Data:
    """Return ``1 − 2/(exp 2a + 1)``."""
    one, two = const(a, 1), const(a, 2)
    return sub(one, div(two, add(exp(mul(two, a)), one)))


def sinh(a: Data) -> Data:
    """Return ``(eᵃ − e⁻ᵃ)/2``."""
    return div(sub(exp(a), exp(neg(a))), const(a, 2))


def cosh(a: Data) -> Data:
    """Return ``(eᵃ + e⁻ᵃ)/2``."""
    return div(add(exp(a), exp(neg(a))), const(a, 2))


def sigmoid(a: Data) -> Data:
    """Return ``1/(1 + e⁻ᵃ)``."""
    one = const(a, 1)
    return div(one, add(one, exp(neg(a))))


def logaddexp(a: Data, b: Data) -> Data:
    """Return ``ln(eᵃ + eᵇ)``."""
    return log(add(exp(a), exp(b)))


def logaddexp2(a: Data, b: Data) -> Data:
    """Return ``log₂(2ᵃ + 2ᵇ)``."""
    return log2(add(exp2(a), exp2(b)))


def absolute(a: Data) -> Data:
    """Return ``max(a, −a)``."""
    return maximum(a, neg(a))


def where(mask: Any, a: Data, b: Data) -> Data:
    """Return the entries of ``a`` where the concrete ``mask`` holds, else those of ``b``."""
    return a.join([b], lambda parts: np.where(mask, parts[0], parts[1]))


def fmax(a: Data, b: Data) -> Data:
    """Return the larger number, ignoring NaN."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    left = a.move(lambda x: np.broadcast_to(x, shape))
    right = b.move(lambda x: np.broadcast_to(x, shape))
    no_left, no_right = left.is_special("nan"), right.is_special("nan")
    if not no_left.any() and not no_right.any():
        return maximum(a, b)
    return in_order_of(maximum(where(no_left, right, left), where(no_right, left, right)), a, b)


def fmin(a: Data, b: Data) -> Data:
    """Return the smaller number, ignoring NaN."""
    return neg(fmax(neg(a), neg(b)))


def sign(a: Data) -> Data:
    """Return −1, 0 or 1, by comparisons; NaN stays."""
    zero = const(a, 0)
    positive, negative = a.compare(">", zero), a.compare("<", zero)
    result = type(a).of(positive.astype(np.int64) - negative)
    nan = a.is_special("nan")
    return where(nan, a, result) if nan.any() else result


def hypot(a: Data, b: Data) -> Data:
    """Return ``√(a² + b²)``, ``∞`` beside an infinite side even where the other one is NaN."""
    result = sqrt(add(mul(a, a), mul(b, b)))
    infinite = np.logical_or(*(x.is_special("inf") | x.is_special("-inf") for x in (a, b)))
    return where(infinite, const(a, "inf"), result) if infinite.any() else result


def heaviside(a: Data, at_zero: Data) -> Data:
    """Return 0 below zero, 1 above, ``at_zero`` at zero."""
    zero = const(a, 0)
    shape = np.broadcast_shapes(a.shape, at_zero.shape)
    above, equal = a.compare(">", zero), a.compare("==", zero)
    result = type(a).of(np.broadcast_to(above.astype(np.int64), shape))
    result = where(equal, at_zero, result) if equal.any() else result
    nan = a.is_special("nan")
    return where(nan, a, result) if nan.any() else result


def whole_power(a: Data, n: int) -> Data:
    """Return ``aⁿ`` as products."""
    if n < 0:
        return div(const(a, 1), whole_power(a, -n))
    if n > MAX_POWER:
        current().refuse("power", f"an exponent of {n}", f"exponents up to {MAX_POWER}")
    if n == 0:
        # 1 even at NaN, as in NumPy
        shape = a.shape
        return laid_out(const(a, 1).move(lambda x: np.broadcast_to(x, shape)), pattern(a))
    result = a if n > 1 else a.move(lambda x: x.copy("K"))
    for bit in bin(n)[3:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, a)
    return result


def constant_power(a: Data, exponent: Fraction) -> Data:
    """Return ``a ** exponent`` for a rational exponent: products and roots, else ``exp(exponent · ln a)``."""
    if exponent.denominator == 1:
        return whole_power(a, exponent.numerator)
    if exponent.denominator in (2, 4) and not a.is_special("-inf").any():
        root = sqrt(a) if exponent.denominator == 2 else sqrt(sqrt(a))
        return whole_power(root, exponent.numerator)
    return general_power(a, const(a, exponent))


def general_power(a: Data, b: Data) -> Data:
    """Return ``exp(b ln a)`` where ``a`` is certainly positive."""
    zero = const(a, 0)
    known = len(current().conditions)
    if a.compare("<=", zero).any() or len(current().conditions) > known:
        current().refuse("power", "the sign of the base is not settled", "exp and log of a positive number")
    return exp(mul(b, log(a)))


def power(a: Data, b: Data) -> Data:
    """Return ``aᵇ``, exponent by exponent where they are known."""
    exponents = b.constants()
    distinct = {value for value in np.ravel(exponents).tolist() if isinstance(value, Fraction)}
    if all(isinstance(value, Fraction) for value in np.ravel(exponents).tolist()) and len(distinct) <= 8:
        shape = np.broadcast_shapes(a.shape, b.shape)
        if len(distinct) == 1:
            result = constant_power(a, distinct.pop())
            return result if result.shape == shape else result.move(lambda x: np.broadcast_to(x, shape).copy())
        base = a.move(lambda x: np.broadcast_to(x, shape))
        table = np.broadcast_to(exponents, shape)
        result = const(a, 0).move(lambda x: np.broadcast_to(x, shape).copy())
        for value in distinct:
            chosen = np.frompyfunc(lambda e, value=value: e == value, 1, 1)(table).astype(bool)
            result.assign(chosen, constant_power(base.move(lambda x, c=chosen: x[c]), value))
        return in_order_of(result, a, b)
    return general_power(a, b)


def ldexp(a: Data, b: Data) -> Data:
    """Return ``a · 2ᵇ`` for known whole ``b``."""
    return mul(a, power(const(a, 2), b))


def _atom(name: str) -> Callable[[Data], Data]:
    return lambda a: a.apply(name, [])


def isfinite(a: Data) -> Any:
    """Return which entries are neither ±∞ nor NaN."""
    return ~(a.is_special("inf") | a.is_special("-inf") | a.is_special("nan"))


def _rounding(name: str) -> Callable[[Data], Data]:
    def apply(a: Data) -> Data:
        from attn_verify.arithmetic.tracing.leaving import round_constants

        return round_constants(a, name)

    return apply


def _remainder(a: Data, b: Data) -> Data:
    return sub(a, mul(floor_divide(a, b), b))


def floor_divide(a: Data, b: Data) -> Data:
    """Return ``⌊a/b⌋`` of constants; of ±∞ and by it NumPy gives −1, 0 or NaN, as signs are."""
    if not (np.all(isfinite(a)) and np.all(isfinite(b))):
        current().refuse("np.floor_divide", "a whole quotient of, or by, ±∞ or NaN")
    return _rounding("floor")(div(a, b))


# name in NumPy -> exact data to exact data
EXACT: dict[str, Callable[..., Data]] = {
    "add": add, "subtract": sub, "multiply": mul, "divide": div, "true_divide": div,
    "negative": neg, "positive": lambda a: a.move(lambda x: x.copy("K")),
    "exp": exp, "log": log, "sqrt": sqrt,
    "exp2": exp2, "log2": log2, "expm1": lambda a: sub(exp(a), const(a, 1)),
    "log1p": lambda a: log(add(const(a, 1), a)), "log10": lambda a: div(log(a), ln(a, 10)),
    "logaddexp": logaddexp, "logaddexp2": logaddexp2,
    "tanh": tanh, "sinh": sinh, "cosh": cosh,
    "square": lambda a: mul(a, a), "reciprocal": lambda a: div(const(a, 1), a),
    "absolute": absolute, "fabs": absolute, "conjugate": lambda a: a.move(lambda x: x.copy("K")),
    "maximum": maximum, "minimum": minimum, "fmax": fmax, "fmin": fmin,
    "sign": sign, "heaviside": heaviside, "hypot": hypot,
    "power": power, "float_power": power, "ldexp": ldexp,
    "clip": lambda a, low, high: minimum(maximum(a, low), high),
    "deg2rad": lambda a: mul(a, div(const(a, "pi"), const(a, 180))),
    "radians": lambda a: mul(a, div(const(a, "pi"), const(a, 180))),
    "rad2deg": lambda a: mul(a, div(const(a, 180), const(a, "pi"))),
    "degrees": lambda a: mul(a, div(const(a, 180), const(a, "pi"))),
    **{name: _atom(name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan")},
    **{name: _rounding(name) for name in ("floor", "ceil", "trunc", "rint")},
    "floor_divide": floor_divide, "remainder": _remainder,
}  # fmt: skip

# name in NumPy -> exact data to concrete bools
PREDICATES: dict[str, Callable[..., Any]] = {
    "less": lambda a, b: a.compare("<", b), "less_equal": lambda a, b: a.compare("<=", b),
    "greater": lambda a, b: a.compare(">", b), "greater_equal": lambda a, b: a.compare(">=", b),
    "equal": lambda a, b: a.compare("==", b), "not_equal": lambda a, b: a.compare("!=", b),
    "isfinite": isfinite, "isnan": lambda a: a.is_special("nan"),
    "isinf": lambda a: a.is_special("inf") | a.is_special("-inf"),
    "logical_not": lambda a: a.compare("==", const(a, 0)),
    "logical_and": lambda a, b: a.compare("!=", const(a, 0)) & b.compare("!=", const(b, 0)),
    "logical_or": lambda a, b: a.compare("!=", const(a, 0)) | b.compare("!=", const(b, 0)),
    "logical_xor": lambda a, b: a.compare("!=", const(a, 0)) ^ b.compare("!=", const(b, 0)),
}  # fmt: skip
