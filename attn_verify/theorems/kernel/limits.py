"""Limits by leading terms: what grows fastest decides, if its factor is visibly different from 0.

Near infinity a term is ``factor · exp(Σ rate_q x^q) · x^power · (log x)^logs`` up to a factor that tends to 1.
Products, powers and logarithms keep that form; of a sum those summands are left that no other one outgrows, and their
factors must not cancel.  Where that cannot be seen, the limit is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

from attn_verify.arithmetic.sums.polynomials import RefusedError, build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import Add, App, Exp, Log, Mul, Num, Pow, Size, Term, walk
from attn_verify.theorems.kernel.computed import Limit
from attn_verify.theorems.kernel.facts import Fact, _fact, algebra, rule
from attn_verify.theorems.kernel.signs import normal_under
from attn_verify.theorems.kernel.statements import Eq, Given, Statement, entries_of

ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))


@rule
def limit(claim: Limit, given: Given = ()) -> Fact:
    """The leading term of the body tends to the value, a term or ``oo``, as the scalar goes to ``0+`` or ``oo``."""
    given = tuple(given)
    infinite = type(claim.value) is str
    if type(claim.to) is not str or claim.to not in ("0+", "oo") or (infinite and claim.value != "oo"):
        raise RefusedError("limits are taken at 0+ or oo, and are a term or oo")
    value, by = ZERO if isinstance(claim.value, str) else claim.value, claim.by
    about = [Eq(claim.body, by), Eq(value, value), *given]
    near = _Near(given, (claim.body, by, value), by)
    if any(t.symbol.depends for s in about for t in entries_of(s)):
        raise RefusedError("a function of what it runs over is no letter")
    if by.indices or any(by in entries_of(s) for s in about[1:]):
        raise RefusedError("a limit is taken in a scalar, of which nothing else is known")
    lead = near.lead(claim.body if claim.to == "oo" else put(claim.body, {by.symbol: ((), Pow(by, Fraction(-1)))}))
    grows = -1 if lead is None else near.compare(lead, _Lead(ONE))
    if infinite != (grows > 0) or (lead is not None and infinite and not near.positive(lead.factor)):
        raise RefusedError("the limit is another")
    algebra(Eq(value, lead.factor if lead is not None and not grows else ZERO), given)
    return _fact("limit", claim, (), given, cited=near.cited)


@dataclass(frozen=True)
class _Lead:
    factor: Term
    rates: Mapping[Fraction, Term] = field(default_factory=dict)
    power: Fraction = Fraction(0)
    logs: Fraction = Fraction(0)


class _Near:
    """Leading terms near infinity, of terms that are thereby defined from some number on."""

    def __init__(self, given: tuple[Statement, ...], about: tuple[Term, ...], by: App) -> None:
        self.normal, self.signs = normal_under(given, (), about)
        self.by, self.cited = by, ""

    def positive(self, t: Term) -> bool:
        """Return whether a term without ``x`` is positive."""
        if self.signs.positive(t) or self.signs.positive(build(self.normal(t))):
            return True
        from attn_verify.theorems.kernel.outside import ball

        if any(isinstance(inner, App | Size) for inner in walk(t)) or not ball(t, 256) > 0:
            return False
        self.cited = "FLINT: balls"
        return True

    def lead(self, t: Term) -> _Lead | None:
        """Return the leading term; None for what is 0 for every ``x``."""
        if self.by not in set(walk(t)):
            return self._checked(_Lead(t)) if self.normal(t) else None
        match t:
            case App():
                return _Lead(ONE, power=Fraction(1))
            case Mul(factors):
                leads = [self.lead(x) for x in factors]
                found = [x for x in leads if x is not None]
                return reduce(self._times, found, _Lead(ONE)) if len(found) == len(leads) else None
            case Pow(base, exponent):
                return self._power(self._some(base), exponent)
            case Add(terms):
                return self._added(terms)
            case Exp(argument):
                self._some(argument)  # is defined from some number on
                pieces = (build({m: c}) for m, c in self.normal.defined(argument).items())
                return reduce(self._times, map(self._exponential, pieces), _Lead(ONE))
            case Log(argument):
                return self._logarithm(self._some(argument))
        raise RefusedError(f"{type(t).__name__} has no limit here")

    def compare(self, one: _Lead, two: _Lead) -> int:
        """Return 1 if the first outgrows the second, −1 if the second does, and else 0."""
        for q in sorted({*one.rates, *two.rates}, reverse=True):
            difference = one.rates.get(q, ZERO) - two.rates.get(q, ZERO)
            if not self.normal(difference):
                continue
            if self.positive(difference):
                return 1
            if self.positive(-difference):
                return -1
            raise RefusedError("exponentials are compared whose order depends on letters")
        mine, other = (one.power, one.logs), (two.power, two.logs)
        return (mine > other) - (mine < other)

    def _some(self, t: Term) -> _Lead:
        found = self.lead(t)
        if found is None:
            raise RefusedError("a part that is 0 for every x has no leading term")
        return found

    def _checked(self, lead: _Lead) -> _Lead:
        if not (self.signs.nonzero(lead.factor) or self.positive(lead.factor) or self.positive(-lead.factor)):
            raise RefusedError("a factor of a leading term may be 0 for some values of the letters")
        return lead

    def _added(self, terms: tuple[Term, ...]) -> _Lead | None:
        moving = [x for x in terms if self.by in set(walk(x))]
        constant = Add(tuple(x for x in terms if x not in moving))
        best = self._sum([x for x in map(self.lead, moving) if x is not None])
        if best is not None and self.compare(best, _Lead(ONE)) > 0:
            self.normal(constant)  # is defined; it is outgrown, even if it is 0
            return best
        return self._sum([x for x in (best, self.lead(constant)) if x is not None])

    def _sum(self, leads: list[_Lead]) -> _Lead | None:
        best: list[_Lead] = []
        for one in leads:
            order = self.compare(one, best[0]) if best else 1
            best = [one] if order > 0 else best if order < 0 else [*best, one]
        if len(best) < 2:
            return best[0] if best else None
        return self._checked(_Lead(Add(tuple(x.factor for x in best)), best[0].rates, best[0].power, best[0].logs))

    def _times(self, one: _Lead, two: _Lead) -> _Lead:
        rates = {q: one.rates.get(q, ZERO) + two.rates.get(q, ZERO) for q in {*one.rates, *two.rates}}
        rates = {q: c for q, c in rates.items() if self.normal(c)}
        return _Lead(Mul((one.factor, two.factor)), rates, one.power + two.power, one.logs + two.logs)

    def _power(self, base: _Lead, exponent: Fraction) -> _Lead:
        if exponent.denominator != 1 and not self.positive(base.factor):
            raise RefusedError("a root of what may be negative")
        rates = {q: Num(exponent) * c for q, c in base.rates.items()} if exponent else {}
        return _Lead(Pow(base.factor, exponent), rates, base.power * exponent, base.logs * exponent)

    def _exponential(self, piece: Term) -> _Lead:
        """Return the leading term of an exponential of one monomial."""
        factors = piece.factors if isinstance(piece, Mul) else (piece,)
        inner = [f for f in factors if self.by in set(walk(f))]
        if not inner:
            return _Lead(Exp(piece))
        coefficient = Mul(tuple(f for f in factors if f not in inner))
        q = _exponent(inner[0], self.by) if len(inner) == 1 else None
        if q is not None and q > 0:
            return _Lead(ONE, {q: coefficient})
        if inner == [Log(self.by)] and coefficient.factors == tuple(numbers := [f for f in factors if type(f) is Num]):
            return _Lead(ONE, power=reduce(lambda c, f: c * f.value, numbers, Fraction(1)))
        lead = self._some(piece)
        grows = self.compare(lead, _Lead(ONE))
        if grows > 0:
            raise RefusedError("an exponential of what grows in another way than a power")
        return _Lead(ONE if grows else Exp(lead.factor))

    def _logarithm(self, argument: _Lead) -> _Lead:
        if not self.positive(argument.factor):
            raise RefusedError("a logarithm of what may be negative")
        if argument.rates:
            q = max(argument.rates)
            return self._checked(_Lead(argument.rates[q], power=q))
        if argument.power:
            return _Lead(Num(argument.power), logs=Fraction(1))
        if argument.logs:
            raise RefusedError("a logarithm of a logarithm")
        return self._checked(_Lead(Log(argument.factor)))


def _exponent(t: Term, by: App) -> Fraction | None:
    if isinstance(t, Pow) and t.base == by:
        return t.exponent
    return Fraction(1) if t == by else None
