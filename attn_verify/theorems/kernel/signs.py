"""The signs of terms that can be seen: squares, exponentials, sums and products of such, known inequalities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import product

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import add

# isort: off
from attn_verify.arithmetic.sums.terms import (
    Abs, Add, App, Delta, Exp, Index, Mul, Num, Pow, Size, Sum, Term, free, rename, walk,
)  # fmt: skip
# isort: on


class VisibleSigns:
    """Signs by the form of a term, or because it equals the difference of a known inequality."""

    def __init__(self, normal: Normal, known: Iterable[tuple[Term, bool]] = ()) -> None:
        self._normal, self.known = normal, tuple(known)  # of a pair: at least 0, or above 0 where True
        normal.signs = self

    def nonnegative(self, t: Term) -> bool:
        """Return whether a term is visibly ≥ 0."""
        match t:
            case Num(value):
                return value >= 0
            case Add(terms):
                return all(map(self.nonnegative, terms)) or _one_less_delta(t) or self._known(t, False)
            case Mul(factors):
                return all(map(self.nonnegative, factors)) or self._known(t, False)
            case Sum(_, body):
                return self.nonnegative(body) or self._known(t, False)
            case Pow(_, exponent) if exponent.denominator == 1 and exponent % 2 == 0:
                return True
            case Pow(base, exponent):
                return self.nonnegative(base) if exponent > 0 else self.positive(base)
            case Delta() | Size() | Abs():
                return True
        return self.positive(t) or self._known(t, False)

    def positive(self, t: Term) -> bool:
        """Return whether a term is visibly > 0."""
        match t:
            case Num(value):
                return value > 0
            case Exp():
                return True
            case Size(sort):
                return not sort.empty
            case Add(terms):
                signs = all(map(self.nonnegative, terms)) and any(map(self.positive, terms))
                return signs or self._known(t, True)
            case Mul(factors):
                return all(map(self.positive, factors)) or self._known(t, True)
            case Sum(index, body):
                return (not index.sort.empty and self.positive(body)) or self._known(t, True)
            case Pow(base, exponent):
                even = exponent.denominator == 1 and exponent % 2 == 0
                return self.positive(base) or (even and self.nonzero(base)) or self._known(t, True)
            case Abs(argument):
                return self.nonzero(argument)
        return self._known(t, True)

    def nonzero(self, t: Term) -> bool:
        """Return whether a term is visibly not 0."""
        if isinstance(t, Mul):
            return all(map(self.nonzero, t.factors))
        if isinstance(t, Pow):
            return self.nonzero(t.base)
        return self.positive(t) or self.positive(Mul((Num(Fraction(-1)), t))) or self._known(Pow(t, Fraction(2)), True)

    def _known(self, t: Term, strict: bool) -> bool:
        """Return whether a known inequality, perhaps at other indices, is about this very term."""
        if self._normal.looking:
            return False
        self._normal.looking = True
        try:
            return any(self._is(other, t) for other, above in self.known if above or not strict)
        finally:
            self._normal.looking = False

    def _is(self, known: Term, t: Term) -> bool:
        loose = [i for i in free(known) if not i.fixed]
        choices = [[i, *(j for j in _places(t) if j.sort == i.sort and j != i)] for i in loose]
        moved = (rename(known, dict(zip(loose, images, strict=True))) for images in product(*choices))
        alike = (other for other in moved if not any(i.sort.empty for i in free(other) - free(t)))
        return any(other == t or self._same(other, t) for other in alike)

    def _same(self, left: Term, right: Term) -> bool:
        names = ({t.symbol for t in walk(side) if isinstance(t, App)} for side in (left, right))
        return next(names) == next(names) and not add(
            (self._normal.defined(left), Fraction(1)), (self._normal.defined(right), Fraction(-1))
        )


def _places(t: Term) -> set[Index]:
    """Return the free indices of a term as they stand there, constants and successors too."""
    found = {i for x in walk(t) if isinstance(x, App) for i in x.indices}
    return {i for i in found if not i.name or replace(i, shift=0) in free(t)} | free(t)


def _one_less_delta(t: Add) -> bool:
    ones = [x for x in t.terms if x == Num(Fraction(1))]
    others = [x for x in t.terms if isinstance(x, Mul) and x.factors[0] == Num(Fraction(-1))]
    return len(t.terms) == 2 and len(ones) == len(others) == 1 and [type(f) for f in others[0].factors[1:]] == [Delta]
