"""Normal forms under hypotheses and facts, and the signs of terms that can be seen there.

A sign is seen by the form of a term (squares, exponentials, sums and products of such) or by a known inequality.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError, add
from attn_verify.arithmetic.sums.proper import places, proper
from attn_verify.arithmetic.sums.rules import Rule

# isort: off
from attn_verify.arithmetic.sums.terms import (
    Abs, Add, App, Delta, Deriv, Exp, Mul, Num, Pow, Size, Sum, Term, Whole, free, fresh, rename, walk,
)  # fmt: skip

# isort: on
from attn_verify.theorems.kernel.statements import Eq, Fact, Le, Lt, Statement, entries_of, gap, terms_of


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
            case Add((Num(1), Mul((Num(-1), Delta())))) | Add((Mul((Num(-1), Delta())), Num(1))):
                return True
            case Add(terms):
                return all(map(self.nonnegative, terms)) or self._known(t, False)
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
                return (all(map(self.nonnegative, terms)) and any(map(self.positive, terms))) or self._known(t, True)
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
        choices = [[i, *(j for j in places(t) if j.sort == i.sort and j != i)] for i in loose]
        moved = (rename(known, dict(zip(loose, images, strict=True))) for images in product(*choices))
        alike = (other for other in moved if not any(i.sort.empty for i in free(other) - free(t)))
        return any(other == t or self._same(other, t) for other in alike)

    def _same(self, left: Term, right: Term) -> bool:
        names = ({t.symbol for t in walk(side) if isinstance(t, App)} for side in (left, right))
        return next(names) == next(names) and not add(
            (self._normal.defined(left), Fraction(1)), (self._normal.defined(right), Fraction(-1))
        )


def normal_under(
    hypotheses: Iterable[Statement], facts: Sequence[Fact], about: Sequence[Term]
) -> tuple[Normal, VisibleSigns]:
    """Return normal forms under equations and inequalities; what is derived must not be bound by an equation."""
    hypotheses = [*hypotheses, *(s for f in facts for s in f.given)]
    statements = [*hypotheses, *(f.statement for f in facts)]
    sides = [*about, *(side for s in statements for side in terms_of(s))]
    proper(sides)
    # A strict inequality that holds at a point holds around it, unless quotients or remainders jump there.
    about_equations = [s for f in facts if isinstance(f.statement, Eq) for s in f.given]
    at_points = [s for s in about_equations if not isinstance(s, Lt) or _jumps(s)]
    if any(not isinstance(s, Eq) for s in at_points) and any(isinstance(t, Deriv) for a in about for t in walk(a)):
        raise RefusedError("a derivative under an equation that may hold at single points only")
    pinning = [*at_points, *(s for s in hypotheses if isinstance(s, Eq))]
    for name in {t.by.symbol.name for side in sides for t in walk(side) if isinstance(t, Deriv)}:
        if any(binds(s, name) for s in pinning):
            raise RefusedError(f"a derivative by {name} under an equation that binds {name}")
    rules = []
    for s in statements:
        # An equation about elements that the left side does not name says nothing if there are none.
        if not isinstance(s, Eq) or any(i.sort.empty for i in free(s.right) - free(s.left)):
            continue
        if isinstance(s.left, App | Deriv):
            rules.append(Rule((s.left,), None, s.right))
        elif isinstance(s.left, Sum):
            aside = fresh(s.left.index)
            body = rename(s.left.body, {s.left.index: aside})
            factors = body.factors if isinstance(body, Mul) else (body,)
            if all(isinstance(f, App) for f in factors):
                rules.append(Rule(factors, aside, s.right))
    normal = Normal(rules)
    return normal, VisibleSigns(normal, [(gap(s), isinstance(s, Lt)) for s in statements if isinstance(s, Le | Lt)])


def binds(s: Statement, name: str) -> bool:
    """Return whether a statement is about one value of a variable; a definition of a function of it is not."""
    defined = entries_of(Eq(s.left, s.left)) if isinstance(s, Eq) and isinstance(s.left, App | Deriv | Sum) else ()
    function = any(name in t.symbol.depends for t in defined) and not _jumps(s)
    return not function and any(name in (t.symbol.name, *t.symbol.depends) for t in entries_of(s))


def _jumps(s: Statement) -> bool:
    return any(isinstance(t, Whole) for side in terms_of(s) for t in walk(side))
