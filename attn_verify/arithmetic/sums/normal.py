"""The normal form of terms: sums of ``coefficient · Σ_bound Π atom^exponent``.

Products are distributed, bound indices renamed canonically, deltas contracted, exponentials split by the terms of
their exponents, common factors drawn out of denominators.  Equal normal forms are equal numbers at every size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

# isort: off
from attn_verify.arithmetic.sums.polynomials import (
    MOST_DIGITS, MOST_EXPONENT, MOST_MONOMIALS, MOST_PRODUCTS, MOST_WEIGHT, ONE, Monomial, Polynomial, Powers,
    RefusedError, add, apart, bits, build, key, log_atom, log_of, ordered, primes, weight,
)  # fmt: skip
from attn_verify.arithmetic.sums.rules import Rule, Signs, contractions, derivative, everywhere, match
from attn_verify.arithmetic.sums.terms import (
    Abs, Add, App, Delta, Deriv, Exp, Index, Log, Mul, Num, Pow, Size, Sum, Term, Trig, Whole, free, fresh,
    rename, walk,
)  # fmt: skip

# isort: on


class Normal:
    """Normal forms under equations read as rules; what is divided by must be different from zero by its ``signs``."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.signs: Signs
        self.looking = False  # for a known sign: no further one is looked for meanwhile
        self._inside = 0  # in a part that is known to be defined
        self._derived = 0  # in a part that a derivative is taken of
        self._weight = self._products = 0
        self._memory: dict[tuple[Term, bool, bool, bool], Polynomial] = {}

    def __call__(self, t: Term) -> Polynomial:
        """Return the normal form of a term."""
        at = (t, self._inside > 0, self.looking, self._derived > 0)
        if at not in self._memory:
            self._weight += weight(t)
            if self._weight > MOST_WEIGHT:
                raise RefusedError("the normal form takes too many steps; do the equations lead round in a circle?")
            try:
                self._memory[at] = self._normal(t)
            except RecursionError:
                raise RefusedError("a term is too deep, or the equations lead round in a circle") from None
        return self._memory[at]

    def defined(self, t: Term) -> Polynomial:
        """Return the normal form of a term that is known to be defined."""
        self._inside += 1
        try:
            return self(t)
        finally:
            self._inside -= 1

    def _normal(self, t: Term) -> Polynomial:
        if self._derived and isinstance(t, Abs | Whole):
            # Its sign at one point says nothing around it.
            raise RefusedError("no derivative is known of magnitudes, quotients and remainders")
        match t:
            case Num(value):
                return {ONE: value} if value else {}
            case Add(terms):
                return add(*((self(x), Fraction(1)) for x in terms))
            case Mul(factors):
                return reduce(self._product, map(self, factors), {ONE: Fraction(1)})
            case Pow(base, exponent):
                return self._power(base, exponent)
            case Sum(index, body):
                aside = fresh(index)
                inner = self(rename(body, {index: aside}))
                pieces = ((apart(m), c) for m, c in inner.items())
                return add(*((self._settle(c, m.atoms, [*m.bound, aside]), Fraction(1)) for m, c in pieces))
            case App() | Deriv():
                return self._entry(t)
            case Exp(argument):
                return self._exponential(self(argument))
            case Log(argument):
                return self._logarithm(argument)
            case Abs(argument):
                inner = self(argument)
                negative = add((inner, Fraction(-1)))
                if not inner or self.signs.nonnegative(argument) or self.signs.nonnegative(build(inner)):
                    return inner
                if any(map(self.signs.nonnegative, (Mul((Num(Fraction(-1)), argument)), build(negative)))):
                    return negative
                return {Monomial(((Abs(min(build(inner), build(negative), key=key)), Fraction(1)),)): Fraction(1)}
            case Trig(name, argument):
                return self._angle(name, list(self(argument).items()))
            case Whole(_, left, right):
                self(left)
                self(right)  # both are defined
                if not self._inside and not self.signs.nonzero(right):
                    raise RefusedError("a divisor is not visibly different from zero")
        return self._settle(Fraction(1), [(t, Fraction(1))], [])

    def _entry(self, t: App | Deriv) -> Polynomial:
        for rule in self.rules:
            names = match(rule.left[0], t, {}) if rule.bound is None else None
            if names is not None:
                return self(rename(rule.right, names))
        if isinstance(t, Deriv):
            body = t.body
            if isinstance(body, App):
                entries = (r for r in self.rules if r.bound is None)
                opened = next((r for r in entries if match(r.left[0], body, {}) is not None), None)
                if opened is None and isinstance(derivative(body, t.by), Deriv):
                    return {Monomial(((t, Fraction(1)),)): Fraction(1)}
                if opened is not None:
                    body = rename(opened.right, match(opened.left[0], body, {}) or {})
            self._derived += 1
            try:
                p = self(t.body)  # must be defined
            finally:
                self._derived -= 1
            nested = any(isinstance(inner, Deriv) for inner in walk(body))
            return self.defined(derivative(build(p) if nested else body, t.by))
        return self._settle(Fraction(1), [(t, Fraction(1))], [])

    def _exponential(self, exponent: Polynomial) -> Polynomial:
        found: Polynomial = {ONE: Fraction(1)}
        for m, c in exponent.items():
            one = m.atoms[0] if len(m.atoms) == 1 and not m.bound else None
            if one and isinstance(one[0], Log) and one[1] == 1:
                found = self._product(found, self.defined(Pow(one[0].argument, c)))
            else:
                found = self._product(found, {Monomial(((Exp(build({m: Fraction(1)})), c),)): Fraction(1)})
        return found

    def _logarithm(self, argument: Term) -> Polynomial:
        p = self(argument)
        if not self._inside and not (self.signs.positive(argument) or self.signs.positive(build(p))):
            raise RefusedError("the argument of a logarithm is not visibly positive")
        number, content, rest = self._content(p, positive=True)
        pieces = [(log_of(number), Fraction(1))]
        for atom, e in content:
            pieces.append((self.defined(atom.argument) if isinstance(atom, Exp) else log_atom(atom), e))
        if rest != {ONE: Fraction(1)}:
            pieces.append((log_atom(build(rest)), Fraction(1)))
        return add(*pieces)

    def _angle(self, name: str, angle: Sequence[tuple[Monomial, Fraction]]) -> Polynomial:
        if not angle:
            return {ONE: Fraction(1)} if name == "cos" else {}
        (m, c), rest = angle[0], angle[1:]
        sign = Fraction(-1 if c < 0 else 1)
        cos, sin = (self._settle(Fraction(1), [(Trig(f, build({m: abs(c)})), Fraction(1))], []) for f in ("cos", "sin"))
        sin = add((sin, sign))
        if not rest:
            return cos if name == "cos" else sin
        cos_rest, sin_rest = self._angle("cos", rest), self._angle("sin", rest)
        if name == "cos":
            return add((self._product(cos, cos_rest), Fraction(1)), (self._product(sin, sin_rest), Fraction(-1)))
        return add((self._product(sin, cos_rest), Fraction(1)), (self._product(cos, sin_rest), Fraction(1)))

    def _power(self, base: Term, exponent: Fraction) -> Polynomial:
        whole = exponent.denominator == 1
        p = self(base)
        if abs(exponent) > MOST_EXPONENT or abs(exponent) * bits(p) > MOST_DIGITS:
            raise RefusedError(f"an exponent is larger than {MOST_EXPONENT}, or of too long a number")
        if not self._inside and not (whole and exponent >= 0):
            visible = self.signs.nonzero if whole else self.signs.positive
            if not (visible(base) or visible(build(p))):
                raise RefusedError(f"a base is not visibly {'different from zero' if whole else 'positive'}")
        if whole and exponent >= 0:
            return reduce(self._product, [p] * int(exponent), {ONE: Fraction(1)})
        if not p:
            raise RefusedError("division by zero")
        number, content, rest = self._content(p, positive=not whole)
        powers = [(atom, e * exponent) for atom, e in content]
        if whole:
            number **= int(exponent)
        else:
            powers += [(Num(Fraction(q)), n * exponent) for q, n in primes(number)]
            number = Fraction(1)
        if rest != {ONE: Fraction(1)}:
            powers.append((build(rest), exponent))
        return self._settle(number, powers, [])

    def _content(self, p: Polynomial, positive: bool) -> tuple[Fraction, Powers, Polynomial]:
        """Return a number, powers of atoms and a rest whose product is ``p``; all positive if asked for."""
        number = Fraction(gcd(*(c.numerator for c in p.values())), lcm(*(c.denominator for c in p.values())))
        if len(p) == 1 and not positive:
            number = next(iter(p.values()))
        atoms = {
            atom for m in p for atom, _ in m.atoms
            if not free(atom).intersection(m.bound) and (not positive or self.signs.positive(atom))
        }  # fmt: skip
        least = {atom: min(dict(m.atoms).get(atom, Fraction(0)) for m in p) for atom in atoms}
        powers = sorted(((a, e) for a, e in least.items() if e), key=lambda item: key(item[0]))
        inverse = [(a, -e) for a, e in powers]
        pieces = ((apart(m), c / number) for m, c in p.items())
        rest = add(*((self._settle(c, [*m.atoms, *inverse], list(m.bound)), Fraction(1)) for m, c in pieces))
        return number, powers, rest

    def _product(self, p: Polynomial, q: Polynomial) -> Polynomial:
        self._products += len(p) * len(q)
        if len(p) * len(q) > MOST_MONOMIALS or self._products > MOST_PRODUCTS:
            raise RefusedError(f"a product has more than {MOST_MONOMIALS} terms, or all have {MOST_PRODUCTS}")
        return add(*(self._pair(a, b, c * d) for a, c in p.items() for b, d in q.items()))

    def _pair(self, a: Monomial, b: Monomial, c: Fraction) -> tuple[Polynomial, Fraction]:
        if not a.atoms and not a.bound:
            return {b: c}, Fraction(1)
        if not b.atoms and not b.bound:
            return {a: c}, Fraction(1)
        left, right = apart(a), apart(b)
        return self._settle(c, [*left.atoms, *right.atoms], [*left.bound, *right.bound]), Fraction(1)

    def _times(self, m: Monomial, c: Fraction, power: tuple[Term, Fraction]) -> tuple[Polynomial, Fraction]:
        return self._settle(c, [*m.atoms, power], list(m.bound)), Fraction(1)

    def _settle(self, number: Fraction, powers: Powers, bound: list[Index]) -> Polynomial:
        """Return ``number · Σ_bound Π atom^exponent`` in normal form; the atoms are defined."""
        total: dict[Term, Fraction] = {}
        for given, e in powers:
            atom = self._atom(given)
            total[atom] = total.get(atom, Fraction(0)) + e
        for atom, e in list(total.items()):
            rest = [(a, x) for a, x in total.items() if a != atom]
            whole = e.denominator == 1
            if isinstance(atom, Delta):
                one, two = atom.left, atom.right
                if one == two or e != 1:
                    return self._settle(number, rest if one == two else [*rest, (atom, Fraction(1))], bound)
                if replace(one, shift=0) == replace(two, shift=0):
                    return {}  # two numbers that differ by their shifts
                gone, kept = (one, two) if one in bound else (two, one)
                inside = gone in bound
                # A quotient, root or logarithm is known to be defined at its own element, and stays with it.
                moved = {a for a, x in rest if gone in free(a) and (inside or everywhere(a, x))}
                if moved and (inside or not (gone.shift or kept.shift)):
                    again = [(rename(a, {gone: kept}) if a in moved else a, x) for a, x in rest]
                    left_over = [i for i in bound if i != gone] if inside else bound
                    return self._again(number, again if inside else [*again, (atom, e)], left_over)
                if inside:
                    return self._settle(number, rest, [i for i in bound if i != gone])
            elif isinstance(atom, Num) and e.denominator != 1 and not 0 < e < 1:
                floor = e.numerator // e.denominator
                return self._settle(number * atom.value**floor, [*rest, (atom, e - floor)], bound)
            elif isinstance(atom, Num) and whole:
                return self._settle(number * atom.value ** int(e), rest, bound)
            elif isinstance(atom, Add | Sum | Mul) and whole and e > 0:
                return self._again(number, [*rest, (atom, e)], bound)
            elif isinstance(atom, Trig) and atom.name == "sin" and whole and e >= 2:
                square = Add((Num(Fraction(1)), Mul((Num(Fraction(-1)), Pow(Trig("cos", atom.argument), Fraction(2))))))
                return self._again(number, [*rest, (square, Fraction(1)), (atom, e - 2)], bound)
            elif isinstance(atom, Abs) and whole and e >= 2:
                return self._again(number, [*rest, (atom.argument, Fraction(2)), (atom, e - 2)], bound)
        left = [(a, e) for a, e in total.items() if e]
        self._grounded(left, [i for i in bound if i.sort.empty])
        for index in bound:
            if not any(index in free(a) for a, _ in left):
                others = [i for i in bound if i != index]
                return self._settle(number, [*left, (Size(index.sort), Fraction(1))], others)
        for rule in self.rules:
            for names, unmatched in contractions(rule, left, bound):
                left_over = [i for i in bound if i != names[rule.bound]] if rule.bound else bound
                return self._again(number, [*unmatched, (rename(rule.right, names), Fraction(1))], left_over)
        return {ordered(left, bound, self._atom): number}

    def _grounded(self, powers: Powers, maybe_none: Sequence[Index]) -> None:
        """Refuse what is known to be defined where a set has elements only, and does not name one of them.

        Factors of a monomial that do not name a bound index are divided by and drawn out as if they stood outside.
        """
        inside, self._inside = self._inside, 0
        try:
            for a, e in powers:
                if not everywhere(a, e) and not free(a).issuperset(maybe_none):
                    self(Pow(a, e))
        finally:
            self._inside = inside

    def _again(self, number: Fraction, powers: Powers, bound: Sequence[Index]) -> Polynomial:
        body: Term = Mul((Num(number), *(a if e == 1 else Pow(a, e) for a, e in powers)))
        for index in bound:
            body = Sum(index, body)
        return self.defined(body)

    def _atom(self, t: Term) -> Term:
        """Return an atom whose inside is in canonical order again, after its indices were renamed."""
        match t:
            case Exp(argument) | Log(argument):
                return type(t)(build(self.defined(argument)))
            case Abs(argument):
                p = self.defined(argument)
                return Abs(min(build(p), build(add((p, Fraction(-1)))), key=key))
            case Trig(name, argument):
                return Trig(name, build(self.defined(argument)))
            case Add() | Sum() | Mul():
                return build(self.defined(t))
            case Delta(left, right) if (right.name, right.shift) < (left.name, left.shift):
                return Delta(right, left)
        return t

    def is_zero(self, p: Polynomial) -> bool:
        """Return whether a normal form is zero, after it was multiplied by its denominators."""
        for _ in range(50):
            open_ = [
                (a, e) for m in p for a, e in m.atoms
                if e < 0 and e.denominator == 1 and isinstance(a, Add | Sum | Mul) and not free(a).intersection(m.bound)
            ]  # fmt: skip
            if not p or not open_:
                return not p
            atom = min((a for a, _ in open_), key=key)
            power = -min(e for a, e in open_ if a == atom)
            p = add(*(self._times(apart(m), c, (atom, power)) for m, c in p.items()))
        raise RefusedError("denominators inside denominators without end")

    def equal(self, left: Term, right: Term) -> bool:
        """Return whether two terms are equal by their normal forms."""
        return self.is_zero(add((self(left), Fraction(1)), (self(right), Fraction(-1))))
