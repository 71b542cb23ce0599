"""Sums of ``coefficient · Σ_bound Π atom^exponent``: how normal forms are kept, and made terms again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import permutations, product
from math import prod

import flint

from attn_verify.arithmetic.sums.terms import Add, Index, Log, Mul, Num, Pow, Sum, Term, fresh, parts, rename, walk
from attn_verify.errors import AttnVerifyError

MOST_ARRANGEMENTS = 5040
MOST_MONOMIALS = 20_000
MOST_EXPONENT = 1_000
MOST_PRODUCTS = 100_000
MOST_BITS = 128
MOST_WEIGHT = 20_000
MOST_DIGITS = 200_000  # binary ones, of a number that is a power


class RefusedError(AttnVerifyError):
    """A step is not accepted; the message says why."""


@dataclass(frozen=True)
class Monomial:
    """Powers of atoms, summed over the bound indices."""

    atoms: tuple[tuple[Term, Fraction], ...]
    bound: tuple[Index, ...] = ()


Polynomial = dict[Monomial, Fraction]
Powers = Sequence[tuple[Term, Fraction]]
ONE = Monomial(())


@lru_cache(maxsize=200_000)
def key(t: Term) -> str:
    """Return a string by which terms are put in order."""
    return repr(t)


def weight(t: Term) -> int:
    """Return how many terms a term is made of, each as often as it is written."""
    return 1 + sum(map(weight, parts(t)))


def build(p: Polynomial) -> Term:
    """Return a normal form as a term, in canonical order."""
    terms = []
    for m, c in sorted(p.items(), key=lambda item: [(key(a), e) for a, e in item[0].atoms]):
        factors = [a if e == 1 else Pow(a, e) for a, e in m.atoms]
        body: Term = Mul((Num(c), *factors)) if c != 1 or not factors else Mul(tuple(factors))
        body = body.factors[0] if isinstance(body, Mul) and len(body.factors) == 1 else body
        for index in reversed(m.bound):
            body = Sum(index, body)
        terms.append(body)
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def add(*items: tuple[Polynomial, Fraction]) -> Polynomial:
    """Return the sum of multiples of normal forms."""
    total: Polynomial = {}
    for p, factor in items:
        for m, c in p.items():
            total[m] = total.get(m, Fraction(0)) + c * factor
    if len(total) > MOST_MONOMIALS:
        raise RefusedError(f"the normal form has more than {MOST_MONOMIALS} terms")
    return {m: c for m, c in total.items() if c}


def bits(p: Polynomial) -> int:
    """Return the length of the longest coefficient."""
    return max((max(c.numerator.bit_length(), c.denominator.bit_length()) for c in p.values()), default=0)


def apart(m: Monomial) -> Monomial:
    """Return a monomial whose bound indices have names that occur nowhere else."""
    names = {i: fresh(i) for i in m.bound}
    return Monomial(tuple((rename(a, names), e) for a, e in m.atoms), tuple(names.values())) if names else m


def primes(number: Fraction) -> Iterator[tuple[int, int]]:
    """Yield the primes of a positive fraction with their exponents; numbers too long to factor at once are refused."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MOST_BITS:
        raise RefusedError(f"a number under a root or logarithm has more than {MOST_BITS} bits")
    for whole, sign in ((number.numerator, 1), (number.denominator, -1)):
        for prime, times in flint.fmpz(whole).factor():
            yield int(prime), sign * int(times)


def ordered(powers: Powers, bound: Sequence[Index], canonical: Callable[[Term], Term]) -> Monomial:
    """Name the bound indices so that the same monomial always looks the same."""
    if not bound:
        return Monomial(tuple(sorted(powers, key=lambda item: key(item[0]))))
    binders = [t.index.name for a, _ in powers for t in walk(a) if isinstance(t, Sum)]
    depth = 1 + max((int(n[1:].split("_")[0]) for n in binders if n.startswith("$")), default=0)
    groups = [[i for i in bound if i.sort == sort] for sort in sorted({i.sort for i in bound}, key=repr)]
    ways = [list(permutations(group)) for group in groups]
    if prod(map(len, ways)) > MOST_ARRANGEMENTS:
        raise RefusedError("too many bound indices in one product")
    best: tuple[list[tuple[str, Fraction]], Monomial] | None = None
    for way in product(*ways):
        names = {i: fresh(i, f"${depth}_{n}") for n, i in enumerate(i for group in way for i in group)}
        atoms = sorted(((canonical(rename(a, names)), e) for a, e in powers), key=lambda item: key(item[0]))
        found = [(key(a), e) for a, e in atoms], Monomial(tuple(atoms), tuple(names.values()))
        best = found if best is None or found[0] < best[0] else best
    assert best is not None
    return best[1]


def log_atom(t: Term) -> Polynomial:
    """Return the logarithm of a term as a normal form of one atom."""
    return {Monomial(((Log(t), Fraction(1)),)): Fraction(1)}


def log_of(number: Fraction) -> Polynomial:
    """Return the logarithm of a positive fraction: the logarithms of its primes."""
    return add(*((log_atom(Num(Fraction(p))), Fraction(n)) for p, n in primes(number)))
