"""Formulas in balls: the meaning of a relation when every number is an enclosure.

A value is a matrix of balls; a single number is a 1×1 matrix and fits every shape.  Monotone
functions are evaluated at the two ends of a ball, so that wide balls (arrays of which only a
range is known) lose nothing to the function itself; what remains is the dependency between
several occurrences of one name, which no interval evaluation sees.

The working precision is the caller's: :func:`attn_verify.worked.enclosures.enclose` repeats the
evaluation with twice the bits until the widths stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from attn_verify import language
from attn_verify.arithmetic.ball import Ball, ball, ends, hull
from attn_verify.errors import AttnVerifyError

FUNCTIONS = {
    "softmax": "softmax(M): softmax of each row",
    "sqrt": "sqrt(M): square root, entry by entry",
    "exp": "exp(M): exponential, entry by entry",
    "log": "log(M): natural logarithm, entry by entry",
    "concat": "concat(A, B, …): columns side by side",
    "stack": "stack(a, b, …): rows on top of each other",
}

# Numbers beyond 2**±8192 are no figures of a worked example; their exact fractions would be.
MAX_BINARY_EXPONENT = 8_192
# Below this relative accuracy the midpoint form of a product is noticeably wider than its ends.
_WIDE_BITS = 16

Interval = tuple[Fraction, Fraction]


class UndefinedError(AttnVerifyError):
    """A formula has no finite enclosure; ``certain`` if it has no value for any number in the balls."""

    def __init__(self, cause: str, *, certain: bool) -> None:
        """Keep the cause and whether the widths of the balls are to blame."""
        super().__init__(cause)
        self.cause, self.certain = cause, certain


@dataclass(frozen=True)
class BallMatrix:
    """Rows of balls.

    ``copied`` holds the exact end points where every entry is an unchanged entry of a document:
    a ball rounds them outward, and a mere copy would no longer lie inside what was printed.
    """

    rows: tuple[tuple[Ball, ...], ...]
    copied: tuple[tuple[Interval, ...], ...] | None = None

    @classmethod
    def of(cls, intervals: Sequence[Sequence[Interval]]) -> BallMatrix:
        """Return the balls around intervals, at the working precision.

        >>> BallMatrix.of([[(Fraction(0), Fraction(2))]]).bounds()
        (((Fraction(0, 1), Fraction(2, 1)),),)
        """
        exact = tuple(tuple(row) for row in intervals)
        return cls(tuple(tuple(_signed(hull(low, high), low >= 0) for low, high in row) for row in exact), exact)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def bounds(self) -> tuple[tuple[Interval, ...], ...]:
        """Return the exact end points of every entry; raise ``UndefinedError`` where there are none."""
        return self.copied or tuple(tuple(_ends(x) for x in row) for row in self.rows)


def _ends(x: Ball) -> Interval:
    if not x.is_finite():
        raise UndefinedError("its value is too large, or has no finite enclosure", certain=False)
    return _end(x.lower(), -1, x), _end(x.upper(), 1, x)


def _end(end: Ball, outward: int, x: Ball) -> Fraction:
    """Return an end as a fraction of moderate length, rounded in the direction ``outward``."""
    mantissa, exponent = end.man_exp()
    size = int(exponent) + int(mantissa).bit_length()
    if mantissa and size > MAX_BINARY_EXPONENT:
        certain = bool(x.abs_lower() > flint.arb(2) ** MAX_BINARY_EXPONENT)
        raise UndefinedError(f"its value may be larger than 2**{MAX_BINARY_EXPONENT}", certain=certain)
    if mantissa and size < -MAX_BINARY_EXPONENT:
        sign = 1 if mantissa > 0 else -1
        return Fraction(sign if sign == outward else 0, 2**MAX_BINARY_EXPONENT)
    return ends(end)[0]


def _nonnegative(*balls: Ball) -> bool:
    return all(x.lower() >= 0 for x in balls)


def _signed(x: Ball, nonnegative: bool) -> Ball:
    """Return ``x`` without negative numbers if it is known to have none: a radius is rounded upward, past zero."""
    return x.nonnegative_part() if nonnegative and x.is_finite() else x


def _union(x: Ball, y: Ball) -> Ball:
    return _signed(x.union(y), _nonnegative(x, y))


def softmax(M: BallMatrix) -> BallMatrix:
    """Return the softmax of each row, the tightest enclosure that balls can express.

    ``p_j = 1 / (1 + Σ_{l≠j} exp(s_l − s_j))`` falls in every other score and rises in ``s_j``, so
    its extremes over a box lie at two corners: ``s_j`` at one end, all others at the other end.

    Args:
        M: scores, shape (n, m).

    Returns:
        Weights, shape (n, m), inside [0, 1].

    >>> wide = BallMatrix.of([[(Fraction(0), Fraction(1)), (Fraction(0), Fraction(1))]])
    >>> [round(float(end), 4) for end in softmax(wide).bounds()[0][0]]
    [0.2689, 0.7311]
    """
    return BallMatrix(tuple(_softmax_row(row) for row in M.rows))


def _softmax_row(row: Sequence[Ball]) -> tuple[Ball, ...]:
    lows, highs = [s.lower() for s in row], [s.upper() for s in row]
    # Any shift is an identity; this one keeps the exponentials in range.
    shift = max((ends(s.mid())[0] if s.is_finite() and moderate(s) else Fraction(0) for s in row), default=Fraction(0))
    c = ball(shift)
    low_exp, high_exp = [(s - c).exp() for s in lows], [(s - c).exp() for s in highs]
    low_rest, high_rest = _sums_without(low_exp), _sums_without(high_exp)
    unit = hull(Fraction(0), Fraction(1))
    weights = []
    for j in range(len(row)):
        p = (1 / (1 + high_rest[j] / low_exp[j])).union(1 / (1 + low_rest[j] / high_exp[j]))
        weights.append(_signed(p.intersection(unit) if p.is_finite() else unit, True))
    return tuple(weights)


def moderate(x: Ball) -> bool:
    """Whether ``x`` is of a size whose exact ends can be written as fractions."""
    return bool(x.abs_upper() < flint.arb(2) ** MAX_BINARY_EXPONENT)


def _sums_without(terms: Sequence[Ball]) -> list[Ball]:
    """Return ``Σ_{l≠j} t_l`` for every j, without subtracting (which would cancel)."""
    before, after = [flint.arb(0)], [flint.arb(0)]
    for t in terms[:-1]:
        before.append(before[-1] + t)
    for t in reversed(terms[1:]):
        after.append(after[-1] + t)
    return [b + a for b, a in zip(before, reversed(after), strict=True)]


def _map(f: Callable[[Ball], Ball]) -> Callable[[BallMatrix], BallMatrix]:
    return lambda M: BallMatrix(tuple(tuple(f(x) for x in row) for row in M.rows))


def _monotone(f: Callable[[Ball], Ball], x: Ball) -> Ball:
    return _union(f(x.lower()), f(x.upper()))


def exp(x: Ball) -> Ball:
    """Return the exponential of a ball."""
    return _monotone(lambda end: end.exp(), x)


def sqrt(x: Ball) -> Ball:
    """Return the square root of a ball without negative numbers; raise ``UndefinedError`` otherwise."""
    return _root(x, 2, "sqrt")


def log(x: Ball) -> Ball:
    """Return the logarithm of a ball of positive numbers; raise ``UndefinedError`` otherwise."""
    if not x.lower() > 0:
        raise UndefinedError(f"log of {_name(x)}", certain=bool(x.upper() <= 0))
    return _monotone(lambda end: end.log(), x)


def _root(x: Ball, degree: int, name: str) -> Ball:
    if not x.lower() >= 0:
        raise UndefinedError(f"{name} of {_name(x)}", certain=bool(x.upper() < 0))
    return _monotone(lambda end: end.root(degree), x)


def _name(x: Ball) -> str:
    return f"a number in [{x.lower().str(6, radius=False)}, {x.upper().str(6, radius=False)}]"


def power(x: Ball, exponent: Fraction) -> Ball:
    """Return ``x ** exponent``; a root needs a ball without negative numbers.

    >>> power(ball(3), Fraction(2)), power(hull(Fraction(-1), Fraction(2)), Fraction(2)).lower()
    (9.00000000000000, 0)
    """
    n = abs(exponent.numerator)
    if exponent.denominator > 1:
        x = _root(x, exponent.denominator, "a root")
    result = _monotone(lambda end: end**n, x) if n else flint.arb(1)
    if n and n % 2 == 0 and x.contains(flint.arb(0)):
        result = _union(result, flint.arb(0))
    return result if exponent >= 0 else quotient(flint.arb(1), result)


def _wide(x: Ball) -> bool:
    return bool(x.rel_accuracy_bits() < _WIDE_BITS)


def product(x: Ball, y: Ball) -> Ball:
    """Return ``x y``; the product of two wide balls is the hull of the products of their ends."""
    if not (_wide(x) and _wide(y) and x.is_finite() and y.is_finite()):
        return _signed(x * y, _nonnegative(x, y))
    a, b, c, d = x.lower(), x.upper(), y.lower(), y.upper()
    return _union(_union(a * c, a * d), _union(b * c, b * d))


def total(x: Ball, y: Ball) -> Ball:
    """Return ``x + y``."""
    return _signed(x + y, _nonnegative(x, y))


def quotient(x: Ball, y: Ball) -> Ball:
    """Return ``x / y``; raise ``UndefinedError`` if ``y`` contains zero."""
    if y.contains(flint.arb(0)):
        raise UndefinedError(f"division by {_name(y)}", certain=bool(y.is_zero()))
    return product(x, _monotone(lambda end: 1 / end, y)) if _wide(y) else _signed(x / y, _nonnegative(x, y))


def matmul(A: BallMatrix, B: BallMatrix) -> BallMatrix:
    """Return the matrix product ``A B``."""
    if any(_wide(x) for row in A.rows for x in row) and any(_wide(x) for row in B.rows for x in row):
        columns = list(zip(*B.rows, strict=True))
        return BallMatrix(tuple(tuple(_dot(row, column) for column in columns) for row in A.rows))
    rows = (flint.arb_mat([list(row) for row in A.rows]) * flint.arb_mat([list(row) for row in B.rows])).tolist()
    positive = all(_nonnegative(*row) for M in (A, B) for row in M.rows)
    return BallMatrix(tuple(tuple(_signed(x, positive) for x in row) for row in rows))


def _dot(row: Sequence[Ball], column: Sequence[Ball]) -> Ball:
    result = flint.arb(0)
    for x, y in zip(row, column, strict=True):
        result = total(result, product(x, y))
    return result


def _elementwise(f: Callable[[Ball, Ball], Ball]) -> Callable[[BallMatrix, BallMatrix], BallMatrix]:
    def apply(A: BallMatrix, B: BallMatrix) -> BallMatrix:
        rows, columns = A.shape if B.shape == (1, 1) else B.shape
        # A single number fits every shape: its only entry is met at every index.
        a, b = (M.rows if M.shape != (1, 1) else ((M.rows[0][0],) * columns,) * rows for M in (A, B))
        return BallMatrix(tuple(tuple(map(f, x, y)) for x, y in zip(a, b, strict=True)))

    return apply


def _moved(f: Callable[..., tuple[tuple[object, ...], ...]]) -> Callable[..., BallMatrix]:
    """Lift a rearrangement of rows to balls and to their exact ends."""

    def apply(*blocks: BallMatrix) -> BallMatrix:
        copies = [block.copied for block in blocks]
        kept = None if any(copy is None for copy in copies) else f(*copies)
        return BallMatrix(f(*(block.rows for block in blocks)), kept)  # type: ignore[arg-type]

    return apply


ALGEBRA = language.Algebra(
    number=lambda value: BallMatrix.of([[(value, value)]]),
    operators={
        "+": _elementwise(total),
        "-": _elementwise(lambda x, y: x - y),
        "*": _elementwise(product),
        "/": _elementwise(quotient),
        "@": matmul,
        "neg": _map(lambda x: -x),
        ".T": _moved(lambda rows: tuple(zip(*rows, strict=True))),
    },
    power=lambda M, exponent: _map(lambda x: power(x, exponent))(M),
    functions={
        "softmax": softmax,
        "sqrt": _map(sqrt),
        "exp": _map(exp),
        "log": _map(log),
        "concat": _moved(lambda *blocks: tuple(sum(parts, ()) for parts in zip(*blocks, strict=True))),
        "stack": _moved(lambda *blocks: sum(blocks, ())),
    },
)
