"""What a number system must offer so that a formula can be run in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import truediv
from typing import Any

from attn_verify import language
from attn_verify.shapes import Sizes

Scalar = Any
Vector = Sequence[Scalar]
Matrix = Sequence[Vector]


@dataclass(frozen=True)
class Arithmetic:
    """A number system as a record of functions.

    Its scalars have the Python operators ``+ - * /``.  ``matmul`` takes and returns rows of
    scalars, so that a number system may use the fastest product that it has.
    """

    name: str
    number: Callable[[Fraction], Scalar]
    sqrt: Callable[[Scalar], Scalar]
    exp: Callable[[Scalar], Scalar]
    matmul: Callable[[Matrix, Matrix], Matrix]
    divide: Callable[[Scalar, Scalar], Scalar] = truediv  # raises ``ZeroDivisionError`` for the constant zero

    def sum(self, terms: Vector) -> Scalar:
        """Return the sum of ``terms``, zero if there are none."""
        return sum(terms, self.number(Fraction(0)))

    def power(self, base: Scalar, exponent: Fraction) -> Scalar:
        """Return ``base ** exponent`` for an exponent whose denominator is 1, 2 or 4."""
        root = base
        for _ in range(exponent.denominator.bit_length() - 1):
            root = self.sqrt(root)
        result = self.number(Fraction(1))
        for _ in range(abs(exponent.numerator)):
            result = result * root
        return result if exponent >= 0 else self.number(Fraction(1)) / result


def textbook_matmul(A: Matrix, B: Matrix) -> Matrix:
    """Return ``A B`` by the definition ``(A B)_ij = Σ_a A_ia B_aj``.

    >>> textbook_matmul([[1, 2]], [[3], [4]])
    [[11]]
    """
    columns = list(zip(*B, strict=True))
    rows = []
    for row in A:
        entries = []
        for column in columns:
            terms = [a * b for a, b in zip(row, column, strict=True)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            entries.append(total)
        rows.append(entries)
    return rows


def scale_value(scale: language.Node, sizes: Sizes, arithmetic: Arithmetic) -> Scalar:
    """Return the scale σ of a spec at ``sizes`` as a scalar of ``arithmetic``."""
    algebra = language.Algebra(
        number=arithmetic.number,
        operators={
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": arithmetic.divide,
            "neg": lambda a: -a,
        },
        power=arithmetic.power,
        functions={"sqrt": arithmetic.sqrt},
    )
    values = {name: arithmetic.number(Fraction(size)) for name, size in sizes.items()}
    return language.evaluate(scale, values, algebra)
