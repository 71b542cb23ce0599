"""Terms and statements as numbers, apart from the kernel: no normal form, no rule, only sums added up in balls.

A ``World`` has sizes, values of entries, and definitions by which other entries are computed.  Derivatives are those of
dual numbers, so that not even the rules of Leibniz are shared with the kernel.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import flint

from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Delta,
    Deriv,
    Exp,
    Index,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sort,
    Sum,
    Symbol,
    Term,
    Trig,
    Whole,
)  # fmt: skip
from attn_verify.theorems.kernel.facts import Eq, Le, Lt, Statement, indices_of

BITS = 256
NEAR = flint.arb(2) ** -100  # two numbers of a world that are closer are taken as equal
FAR = flint.arb(2) ** -60  # and apart from here on
MOST_WORK = 100_000
NATURALS, NATURALS_GIVEN = 2, 4
Entry = tuple[Symbol, tuple[int, ...]]
Names = Mapping[Index, int]
Moved = Mapping[Entry, tuple[int, ...]]  # the ε that move an entry


class NoValueError(Exception):
    """A term has no value in a world: a division by zero, the logarithm of a negative number."""


class NotReadError(Exception):
    """A term that is not evaluated here, like the derivative of a function that is not defined."""


class TooMuchError(NotReadError):
    """A term that takes too long to evaluate."""


class Dual:
    """A number plus multiples of ε₀, ε₁, ε₀ε₁ …, whose squares are 0: the parts by the set of ε as bits."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Any) -> Dual:
        found = dict(self.parts)
        for at, x in _parts(other).items():
            found[at] = found[at] + x if at in found else x
        return Dual(found)

    def __mul__(self, other: Any) -> Dual:
        found: dict[int, Any] = {}
        for at, x in self.parts.items():
            for to, y in _parts(other).items():
                if not at & to:
                    found[at | to] = found[at | to] + x * y if at | to in found else x * y
        return Dual(found)

    __radd__, __rmul__ = __add__, __mul__


def _parts(x: Any) -> dict[int, Any]:
    return x.parts if isinstance(x, Dual) else {0: x}


def _lift(x: Any, derivatives: Callable[[flint.arb, int], flint.arb]) -> Any:
    """Return f(x) by Taylor's formula; ``derivatives(a, n)`` is the n-th derivative at a."""
    if not isinstance(x, Dual):
        return derivatives(x, 0)
    base = x.parts[0]
    rest = Dual({at: y for at, y in x.parts.items() if at})
    total: Any = Dual({0: derivatives(base, 0)})
    power: Any = rest
    n, factorial = 1, 1
    while power.parts:
        factorial *= n
        total = total + power * (derivatives(base, n) / factorial)
        power, n = power * rest, n + 1
    return total


def _power(x: flint.arb, e: Fraction, n: int) -> flint.arb:
    factor = Fraction(1)
    for k in range(n):
        factor *= e - k
    e -= n
    if not factor:
        return flint.arb(0)
    if e.denominator != 1 and not x > 0 and not (x == 0 and e > 0):
        raise NoValueError("a root of what is not positive")
    if e < 0 and x.contains(0):
        raise NoValueError("division by zero")
    if e.denominator == 1:
        power = prod([x] * abs(int(e)), start=flint.arb(1))  # FLINT's own has no value around 0
        power = 1 / power if e < 0 else power
    else:
        power = x ** flint.arb(flint.fmpq(e.numerator, e.denominator))
    return power * flint.arb(flint.fmpq(factor.numerator, factor.denominator))


def _log(x: flint.arb, n: int) -> flint.arb:
    if not x > 0:
        raise NoValueError("the logarithm of what is not positive")
    return x.log() if n == 0 else _power(x, Fraction(-1), n - 1)


def _abs(x: flint.arb, n: int) -> flint.arb:
    if n and x.contains(0):
        raise NoValueError("a magnitude has no derivative at 0")
    return abs(x) if n == 0 else flint.arb((1 if x > 0 else -1) if n == 1 else 0)


def _turn(x: flint.arb, n: int, name: str) -> flint.arb:
    n += name == "cos"  # cos is the derivative of sin
    return (-1) ** (n // 2 % 2) * (x.cos() if n % 2 else x.sin())


@dataclass
class World:
    """Sizes, elements for fixed indices, values of entries; what has no value yet is drawn when asked for."""

    sizes: dict[Sort, int]
    fixed: dict[Index, int]
    draw: Callable[[Entry], flint.arb]
    definitions: Mapping[Symbol, list[tuple[tuple[Index, ...], Term]]] = field(default_factory=dict)
    values: dict[Entry, flint.arb] = field(default_factory=dict)
    asked: set[Entry] = field(default_factory=set)  # entries that were looked at
    through: bool = False  # whether every definition is differentiated, also of symbols that declare no dependence
    work: int = MOST_WORK  # how many more terms are evaluated
    memory: dict[Any, Any] = field(default_factory=dict)
    busy: set[Any] = field(default_factory=set)

    def entry(self, symbol: Symbol, at: tuple[int, ...], moved: Moved) -> Any:
        """Return the value of an entry, where some entries are moved by ε."""
        own = moved.get((symbol, at))
        if own is not None:
            return Dual(dict.fromkeys(own, flint.arb(1))) + self.entry(symbol, at, {})
        for names, body in self.definitions.get(symbol, ()):
            where = _fits(names, at)
            if where is None:
                continue
            inner = {e: bits for e, bits in moved.items() if self.through or e[0].name in symbol.depends}
            key = (symbol, at, tuple(inner.items()))
            if key not in self.memory:
                if key in self.busy:
                    raise NotReadError(f"{symbol.name} is defined by itself")
                self.busy.add(key)
                try:
                    self.memory[key] = self.number(body, where, inner)
                finally:
                    self.busy.discard(key)
            return self.memory[key]
        if not self.through and any(e[0].name in symbol.depends for e in moved):
            raise NotReadError(f"{symbol.name} is a function that is not known")
        self.asked.add((symbol, at))
        if (symbol, at) not in self.values:
            self.values[symbol, at] = self.draw((symbol, at))
        return self.values[symbol, at]

    def place(self, index: Index, names: Names) -> int:
        """Return the element that an index stands for."""
        if not index.name:
            return index.shift
        base = replace(index, shift=0) if index.shift else index
        if base in names:
            return names[base] + index.shift
        if base.name.startswith("#"):
            return int(base.name[1:]) + index.shift
        if base not in self.fixed:
            raise NotReadError(f"no element for {base.name}")
        return self.fixed[base] + index.shift

    def number(self, t: Term, names: Names, moved: Moved | None = None) -> Any:
        """Return the value of a term."""
        moved = moved or {}
        self.work -= 1
        if self.work < 0:
            raise TooMuchError(type(t).__name__)

        def inner(x: Term) -> Any:
            return self.number(x, names, moved)

        match t:
            case Num(value):
                return flint.arb(flint.fmpq(value.numerator, value.denominator))
            case Size(sort):
                return flint.arb(self.sizes[sort])
            case Delta(left, right):
                return flint.arb(int(self.place(left, names) == self.place(right, names)))
            case App(symbol, indices):
                return self.entry(symbol, tuple(self.place(i, names) for i in indices), moved)
            case Add(terms):
                return sum(map(inner, terms), flint.arb(0))
            case Mul(factors):
                found: Any = flint.arb(1)
                for factor in factors:
                    found = found * inner(factor)
                return found
            case Pow(base, exponent):
                return _lift(inner(base), lambda x, n: _power(x, exponent, n))
            case Exp(argument):
                return _lift(inner(argument), lambda x, n: x.exp())
            case Log(argument):
                return _lift(inner(argument), _log)
            case Abs(argument):
                return _lift(inner(argument), _abs)
            case Trig(name, argument):
                return _lift(inner(argument), lambda x, n: _turn(x, n, name))
            case Sum(index, body):
                places = range(self.sizes[index.sort])
                return sum((self.number(body, {**names, index: n}, moved) for n in places), flint.arb(0))
            case Deriv(body, by):
                entry = by.symbol, tuple(self.place(i, names) for i in by.indices)
                bit = 1 << sum(map(len, moved.values()))
                return _part(self.number(body, names, {**moved, entry: (*moved.get(entry, ()), bit)}), bit)
            case Whole(name, left, right):
                a, b = ((_parts(inner(side))[0]) for side in (left, right))
                if not (b > 0 or b < 0):
                    raise NoValueError("division by zero")
                quotient = (a / b).floor()
                return quotient if name == "//" else a - b * quotient
        raise NotReadError(type(t).__name__)

    def instances(self, statement: Statement, given: bool = False) -> Iterator[Names]:
        """Yield the elements that the free indices of a statement can be; of numbers, more for what is given."""
        loose = sorted((i for i in indices_of(statement) if i not in self.fixed), key=repr)
        for places in product(*(self.elements(i.sort, given) for i in loose)):
            yield dict(zip(loose, places, strict=True))

    def elements(self, sort: Sort, given: bool) -> range:
        """Return the elements of a set, and of the natural numbers the first ones."""
        return range((NATURALS_GIVEN if given else NATURALS) if sort.natural else self.sizes[sort])

    def sides(self, s: Eq | Le | Lt, names: Names) -> tuple[flint.arb, flint.arb]:
        """Return the two sides of a statement as balls."""
        found = self.number(s.left, names), self.number(s.right, names)
        if not all(x.is_finite() for x in found):
            raise TooMuchError("a side is too large for a ball")
        return found


def _part(x: Any, bit: int) -> Any:
    if not isinstance(x, Dual):
        return flint.arb(0)
    found = {at & ~bit: y for at, y in x.parts.items() if at & bit}
    found.setdefault(0, flint.arb(0))
    return Dual(found) if len(found) > 1 else found[0]


def _fits(names: tuple[Index, ...], at: tuple[int, ...]) -> dict[Index, int] | None:
    """Return the elements at which the left side of a definition is this entry."""
    found = {}
    for index, place in zip(names, at, strict=True):
        if not index.name:
            if place != index.shift:
                return None
        elif place < index.shift:
            return None
        else:
            found[replace(index, shift=0)] = place - index.shift
    return found


def verdict(s: Statement, world: World, given: bool = False) -> bool | None:
    """Return whether a statement is true in a world, for all elements; None where it is too close to tell.

    What is ``given`` is looked at for more natural numbers than what is claimed, as claims speak of later ones too.

    Raises:
        NoValueError: a side has no value for some elements, and it is not false for others.
        NotReadError: the statement is none about two numbers.
    """
    if not isinstance(s, Eq | Le | Lt):
        raise NotReadError(type(s).__name__)
    close = False
    world.work = MOST_WORK
    undefined: NoValueError | None = None
    with flint.ctx.workprec(BITS):
        for names in world.instances(s, given):
            try:
                left, right = world.sides(s, names)
            except NoValueError as error:
                undefined = error
                continue
            gap, scale = right - left, abs(left) + abs(right)
            if gap == 0 or abs(gap) < NEAR * scale or scale < NEAR:
                if isinstance(s, Lt) and not (gap > 0 and scale < NEAR):
                    return False
            elif isinstance(s, Eq):
                if abs(gap) > FAR * scale:
                    return False
                close = True
            elif gap < -FAR * scale:
                return False
            elif not gap > 0:
                close = True
    if undefined is not None:
        raise undefined
    return None if close else True


def constant(rng: random.Random) -> Fraction:
    """Return a small number: whole, half, or any of a few fractions."""
    return Fraction(rng.randint(-4, 4), 2) if rng.random() < 0.5 else Fraction(rng.randint(-20, 20), rng.randint(7, 11))
