"""A proof of a claim by the kernel, found by a simple search.  Nothing here is trusted: the kernel checks it all.

Equations are tried by their normal form, then as a magnitude.  Inequalities need a certificate: the difference as it
stands, or a sum of terms that are visibly non-negative, found by linear programming over squares, what is given,
products of these, tangents of exponentials and logarithms, and variances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

from attn_verify.arithmetic.sums.polynomials import Polynomial, RefusedError, add, apart, build
from attn_verify.arithmetic.sums.proper import put
from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Delta,
    Deriv,
    Exp,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Term,
    free,
    rename,
    scalar,
    walk,
)  # fmt: skip
from attn_verify.theorems.kernel import calculus
from attn_verify.theorems.kernel import facts as kernel
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.signs import VisibleSigns, normal_under
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, gap, terms_of
from attn_verify.theorems.slopes import slope_at

Judged = Eq | Le | Lt
REFUSED = (RefusedError, RecursionError, ZeroDivisionError, OverflowError)
ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))
MOST_PIECES = 160
Attempt = Callable[[], "Proof"]
DENOMINATORS = (1, 2, 4, 12, 60)


@dataclass(frozen=True)
class Proof:
    """A fact of the kernel that is the claim, and the lemmas that it uses."""

    fact: Fact
    how: str
    certificate: Term | None = None
    lemmas: tuple[Fact, ...] = ()


def prove(claim: Judged, given: Sequence[Judged] = ()) -> tuple[Proof | None, str]:
    """Return a proof if one is found, and else why the first attempt was refused.

    >>> x, y = scalar("x"), scalar("y")
    >>> prove(Le(2 * x * y, x**2 + y**2))[0].how
    'certificate'
    """
    why = ""
    for attempt in _equation(claim, given) if isinstance(claim, Eq) else _inequality(claim, given):
        try:
            return attempt(), ""
        except REFUSED as error:
            why = why or (str(error) if isinstance(error, RefusedError) else "it is nested too deeply")
    return None, why


def _divisors(claim: Judged, given: Sequence[Judged]) -> tuple[Fact, ...]:
    """Prove of what is divided by, and of what logarithms and roots are of, that it is positive."""
    found: dict[Term, Fact] = {}
    for t in dict.fromkeys(part for side in terms_of(claim) for part in walk(side)):
        whole = isinstance(t, Pow) and t.exponent.denominator == 1 and t.exponent > 0
        inner = t.argument if isinstance(t, Log) else t.base if isinstance(t, Pow) and not whole else None
        if inner is not None and inner not in found:
            try:
                found[inner] = _combined(Lt(ZERO, inner), given).fact
            except REFUSED:
                continue
    return tuple(found.values())


def _equation(claim: Eq, given: Sequence[Judged]) -> Iterator[Attempt]:
    yield lambda: Proof(kernel.algebra(claim, given), "normal form")
    if given:
        positive = _divisors(claim, given)
        yield lambda: Proof(kernel.algebra(claim, given, positive), "normal form", lemmas=positive)
    if isinstance(claim.left, Abs):
        yield lambda: Proof(kernel.magnitude(claim, given), "magnitude")
    if isinstance(claim.right, Abs):
        other = Eq(claim.right, claim.left)

        def turned() -> Proof:
            fact = kernel.magnitude(other, given)
            hole = scalar("□")
            swapped = kernel.congruence(Eq(claim.left, claim.right), fact, hole, claim.left + claim.right - hole, given)
            return Proof(swapped, "magnitude")

        yield turned


def _inequality(claim: Le | Lt, given: Sequence[Judged]) -> Iterator[Attempt]:
    yield lambda: Proof(kernel.order(claim, given), "certificate", gap(claim))
    yield lambda: _simplified(claim, given)
    if isinstance(claim, Le):
        yield lambda: Proof(kernel.magnitude(claim, given), "magnitude")
    yield lambda: _combined(claim, given)
    if given:
        yield lambda: _combined(claim, given, _divisors(claim, given))


def _simplified(claim: Le | Lt, given: Sequence[Judged]) -> Proof:
    normal, _ = normal_under(given, (), [gap(claim)])
    shown = build(normal(gap(claim)))
    return Proof(kernel.order(claim, given, certificate=shown), "certificate", shown)


def _combined(claim: Le | Lt, given: Sequence[Judged], positive: tuple[Fact, ...] = ()) -> Proof:
    """Find a certificate as a sum of pieces that are visibly non-negative."""
    difference = gap(claim)
    lemmas = (*positive, *_lemmas(difference, given))
    normal, signs = normal_under(given, lemmas, [difference])
    powers = _denominators(normal(difference), signs)
    numerator = normal(difference)
    for a, k in powers:
        numerator = add(*(normal._times(apart(m), c, (a, Fraction(k))) for m, c in numerator.items()))
    pieces, rows = [], []
    for piece in list(dict.fromkeys(_pieces(build(numerator), given, lemmas, signs)))[:MOST_PIECES]:
        try:
            rows.append(normal.defined(piece))
        except REFUSED:
            continue
        pieces.append(piece)
    strict = [isinstance(claim, Lt) and signs.positive(p) for p in pieces]
    for amounts in _amounts(numerator, rows, strict):
        parts = [Mul((Num(c), p)) for c, p in zip(amounts, pieces, strict=True) if c]
        shown: Term = Add(tuple(parts)) if len(parts) != 1 else parts[0]
        if powers:
            shown = Mul((shown, *(Pow(a, Fraction(-k)) for a, k in powers)))
        try:
            return Proof(kernel.order(claim, given, lemmas, shown), "certificate", shown, lemmas)
        except REFUSED:
            continue
    raise RefusedError("no certificate was found among squares, what is given, and products of these")


def _denominators(p: Polynomial, signs: VisibleSigns) -> list[tuple[Term, int]]:
    """Return the positive atoms that are divided by, with the powers that clear them."""
    found: dict[Term, int] = {}
    for m in p:
        for a, e in m.atoms:
            if e < 0 and e.denominator == 1 and not isinstance(a, Exp) and not free(a).intersection(m.bound):
                found[a] = max(found.get(a, 0), int(-e))
    return [(a, k if signs.positive(a) else k + k % 2) for a, k in found.items()]


def _lemmas(difference: Term, given: Sequence[Judged]) -> Iterator[Fact]:
    """Yield ``a ≤ e^a − 1`` for exponentials and ``log a ≤ a − 1`` for logarithms in the difference."""
    _, signs = normal_under(given, (), [difference])
    x = scalar("\u2206")
    for t in dict.fromkeys(walk(difference)):
        if isinstance(t, Exp):
            yield kernel.instance(_tangent(Exp(x) - 1 - x, Fraction(0)), {x.symbol: ((), t.argument)})
        elif isinstance(t, Log) and signs.positive(t.argument) and given:
            low = _tangent(x - 1 - Log(x), Fraction(1), [Lt(ZERO, x)])
            try:
                at = kernel.instance(low, {x.symbol: ((), t.argument)})
                yield kernel.discharge(at, kernel.order(Lt(ZERO, t.argument), given))
            except REFUSED:
                continue


def _tangent(f: Term, at: Fraction, given: Sequence[Judged] = ()) -> Fact:
    x = scalar("\u2206")
    curvature = Exp(x) if not given else x**-2
    return calculus.tangent(
        Le(ZERO, f),
        kernel.algebra(Eq(put(f, {x.symbol: ((), Num(at))}), ZERO)),
        kernel.algebra(Eq(slope_at(f, x, at, given), ZERO)),
        kernel.order(Le(ZERO, Deriv(Deriv(f, x), x)), given, certificate=curvature),
        by=x,
        at=at,
    )


def _pieces(numerator: Term, given: Sequence[Judged], lemmas: Iterable[Fact], signs: VisibleSigns) -> Iterator[Term]:
    """Yield terms that are visibly non-negative, out of the parts of a term."""
    yield ONE
    known = [gap(s) for s in (*given, *(f.statement for f in lemmas)) if isinstance(s, Le | Lt)]
    yield from known
    terms = numerator.terms if isinstance(numerator, Add) else (numerator,)
    outer = free(numerator)
    for t in terms:
        bare = Mul(tuple(f for f in t.factors if not isinstance(f, Num))) if isinstance(t, Mul) else t
        if signs.nonnegative(bare):
            yield bare
            for i in free(bare):
                other = i.sort.index("κ")
                yield Sum(other, (1 - Delta(other, i)) * rename(bare, {i: other}))
    for i in sorted(outer, key=repr):
        yield Sum(i.sort.index("κ"), 1 - Delta(i.sort.index("κ"), i))
    for left, right in combinations_with_replacement(known, 2):
        yield left * right
    kinds = App | Exp | Sum | Size | Abs
    simple = [t for t in dict.fromkeys(walk(numerator)) if isinstance(t, kinds) and free(t) <= outer][:8]
    for v in simple:
        yield v**2
        for number in (1, 2, Fraction(1, 2)):
            yield (v - number) ** 2
            yield (v + number) ** 2
    for v, w in combinations(simple, 2):
        yield (v - w) ** 2
        yield (v + w) ** 2
        yield (v - 2 * w) ** 2
        yield (v + 2 * w) ** 2
        yield (v * w - 1) ** 2
    yield from _sums(numerator, known)


def _sums(numerator: Term, known: Sequence[Term]) -> Iterator[Term]:
    """Yield sums over one or two elements: of squares of differences, and of what is known of every element."""
    inner = {t.index.sort: t.index for t in walk(numerator) if isinstance(t, Sum)}
    for sort in sorted(inner, key=repr):
        one, two = sort.index("κ"), sort.index("ϱ")
        bodies: dict[Term, None] = {ONE: None}
        for t in walk(numerator):
            if isinstance(t, App | Exp) and len(free(t)) == 1 and next(iter(free(t))).sort == sort:
                bodies[rename(t, dict.fromkeys(free(t), one))] = None
        entries = list(bodies)[:5]
        own = [g for g in known if len(free(g)) == 1 and next(iter(free(g))).sort == sort]
        weights = [ONE, *(rename(g, dict.fromkeys(free(g), one)) for g in own)]
        weights += [b for b in entries if isinstance(b, Exp)]
        moved = {t: rename(t, {one: two}) for t in (*entries, *weights)}
        for w in weights[:4]:
            yield Sum(one, w)
            for a, b in combinations_with_replacement(entries, 2):
                if a != b:
                    yield Sum(one, w * (a - b) ** 2)
                    yield Sum(one, w * (a + b) ** 2)
                    yield Sum(one, Sum(two, w * moved[w] * (a * moved[b] - moved[a] * b) ** 2))
                yield Sum(one, w * a**2)
            for other in weights[1:4]:
                yield Sum(one, w * other)
                yield Sum(one, Sum(two, w * moved[other]))


def _amounts(wanted: Polynomial, rows: Sequence[Polynomial], strict: Sequence[bool]) -> Iterator[tuple[Fraction, ...]]:
    """Yield numbers ≥ 0 by which the pieces may add up to what is wanted; the kernel checks whether they do."""
    import numpy as np
    from scipy.optimize import linprog

    monomials = list(dict.fromkeys([*wanted, *(m for row in rows for m in row)]))
    place = {m: n for n, m in enumerate(monomials)}
    matrix, right = np.zeros((len(monomials), len(rows))), np.zeros(len(monomials))
    for at, row in enumerate(rows):
        for m, c in row.items():
            matrix[place[m], at] = float(c)
    for m, c in wanted.items():
        right[place[m]] = float(c)
    cost = np.array([-1.0 if s else 0.01 * (1 + len(row)) for s, row in zip(strict, rows, strict=True)])
    result = linprog(cost, A_eq=matrix, b_eq=right, bounds=(0, 1e6), method="highs")
    if result.x is None:
        return
    for denominator in DENOMINATORS:
        yield tuple(Fraction(round(float(x) * denominator), denominator) for x in result.x)
    yield tuple(Fraction(float(x)).limit_denominator(1000) for x in result.x)
