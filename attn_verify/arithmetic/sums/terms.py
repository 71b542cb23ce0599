"""Terms about finite sums of any length: indexed symbols, sums over index sets, deltas, exponentials, derivatives.

A free index stands for every element of its index set; an index is ``fixed`` when it stands for one and the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache


@dataclass(frozen=True)
class Sort:
    """A finite index set of any size, not empty unless it says so; ``natural`` numbers cannot be summed over."""

    name: str
    empty: bool = False
    natural: bool = False

    def index(self, name: str, fixed: bool = False) -> Index:
        """Return the index ``name`` of this set."""
        return Index(name, self, fixed=fixed)


@dataclass(frozen=True)
class Index:
    """An element of an index set: a variable, or 0 for the name ``""``, plus ``shift`` if its set is ``natural``."""

    name: str
    sort: Sort
    shift: int = 0
    fixed: bool = False
    own: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.name[:1] in ("%", "$") and self.own is not _OWN:  # else a sum could catch a free index
            raise TypeError(f"{self.name}: names that begin with % or $ are those of bound indices")

    def __add__(self, shift: int) -> Index:
        if not self.sort.natural:
            raise TypeError(f"{self.sort.name}: only natural numbers have successors")
        return replace(self, shift=self.shift + shift)


class Term:
    """A real number that depends on symbols and free indices."""

    def __add__(self, other: Term | int | Fraction) -> Term:
        return Add((self, term(other)))

    def __radd__(self, other: int | Fraction) -> Term:
        return Add((term(other), self))

    def __sub__(self, other: Term | int | Fraction) -> Term:
        return Add((self, -term(other)))

    def __rsub__(self, other: int | Fraction) -> Term:
        return Add((term(other), -self))

    def __mul__(self, other: Term | int | Fraction) -> Term:
        return Mul((self, term(other)))

    def __rmul__(self, other: int | Fraction) -> Term:
        return Mul((term(other), self))

    def __truediv__(self, other: Term | int | Fraction) -> Term:
        return Mul((self, Pow(term(other), Fraction(-1))))

    def __rtruediv__(self, other: int | Fraction) -> Term:
        return Mul((term(other), Pow(self, Fraction(-1))))

    def __neg__(self) -> Term:
        return Mul((Num(Fraction(-1)), self))

    def __pow__(self, exponent: int | Fraction) -> Term:
        return Pow(self, Fraction(exponent))


@dataclass(frozen=True)
class Num(Term):
    """A fraction."""

    value: Fraction


@dataclass(frozen=True)
class Symbol:
    """A name for numbers; it may be a function of the symbols it ``depends`` on, and of nothing else."""

    name: str
    sorts: tuple[Sort, ...] = ()
    depends: tuple[str, ...] = ()

    def __getitem__(self, indices: Index | tuple[Index, ...]) -> App:
        given = indices if isinstance(indices, tuple) else (indices,)
        if tuple(i.sort for i in given) != self.sorts:
            wanted, got = (", ".join(s.name for s in sorts) for sorts in (self.sorts, [i.sort for i in given]))
            raise TypeError(f"{self.name}[{wanted}]: indices of {got} given")
        return App(self, given)


@dataclass(frozen=True)
class App(Term):
    """An entry of a symbol."""

    symbol: Symbol
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Size(Term):
    """The number of elements of an index set."""

    sort: Sort


@dataclass(frozen=True)
class Delta(Term):
    """1 where two indices of one set are equal, else 0."""

    left: Index
    right: Index

    def __post_init__(self) -> None:
        if self.left.sort != self.right.sort:
            raise TypeError(f"delta of {self.left.sort.name} and {self.right.sort.name}")


@dataclass(frozen=True)
class Add(Term):
    """A sum of terms."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Mul(Term):
    """A product of terms."""

    factors: tuple[Term, ...]


@dataclass(frozen=True)
class Pow(Term):
    """A power with a fraction as exponent."""

    base: Term
    exponent: Fraction


@dataclass(frozen=True)
class Exp(Term):
    """The exponential of a term."""

    argument: Term


@dataclass(frozen=True)
class Log(Term):
    """The natural logarithm of a term."""

    argument: Term


@dataclass(frozen=True)
class Abs(Term):
    """The magnitude of a term."""

    argument: Term


@dataclass(frozen=True)
class Trig(Term):
    """``cos`` or ``sin`` of an angle."""

    name: str
    argument: Term


@dataclass(frozen=True)
class Whole(Term):
    """Quotient ``//`` or remainder ``%`` of whole numbers."""

    name: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Sum(Term):
    """A sum over all elements of an index set."""

    index: Index
    body: Term

    def __post_init__(self) -> None:
        if self.index.sort.natural or self.index.fixed or self.index.shift or not self.index.name:
            raise TypeError(f"cannot sum over {self.index.name or 'a constant'} of {self.index.sort.name}")


@dataclass(frozen=True)
class Deriv(Term):
    """The partial derivative of a term with respect to one entry of a symbol."""

    body: Term
    by: App


def term(value: Term | int | Fraction) -> Term:
    """Return a number as a term."""
    return value if isinstance(value, Term) else Num(Fraction(value))


def scalar(name: str, depends: tuple[str, ...] = ()) -> App:
    """Return a symbol without indices."""
    return App(Symbol(name, (), depends))


def over(*indices: Index) -> Callable[[Term], Term]:
    """Return the sum over several indices, the last innermost: ``over(i, j)(body)``."""

    def summed(body: Term) -> Term:
        for index in reversed(indices):
            body = Sum(index, body)
        return body

    return summed


def parts(t: Term) -> tuple[Term, ...]:
    """Return the terms directly inside a term."""
    match t:
        case Add(inner) | Mul(inner):
            return inner
        case Pow(inner, _) | Exp(inner) | Log(inner) | Abs(inner) | Sum(_, inner) | Trig(_, inner):
            return (inner,)
        case Deriv(body, by) | Whole(_, body, by):
            return (body, by)
    return ()


def walk(t: Term) -> Iterator[Term]:
    """Yield a term and all that is inside it."""
    yield t
    for inner in parts(t):
        yield from walk(inner)


def rebuilt(t: Term, change: Callable[[Term], Term]) -> Term:
    """Return a term whose direct parts are changed."""
    match t:
        case Add(inner):
            return Add(tuple(map(change, inner)))
        case Mul(inner):
            return Mul(tuple(map(change, inner)))
        case Pow(base, exponent):
            return Pow(change(base), exponent)
        case Exp(argument) | Log(argument) | Abs(argument):
            return type(t)(change(argument))
        case Trig(name, argument):
            return Trig(name, change(argument))
        case Sum(index, body):
            return Sum(index, change(body))
        case Whole(name, left, right):
            return Whole(name, change(left), change(right))
        case Deriv(body, by):
            entry = change(by)
            if not isinstance(entry, App):
                raise TypeError("a derivative is taken by an entry of a symbol")
            return Deriv(change(body), entry)
    return t


@lru_cache(maxsize=200_000)
def free(t: Term) -> frozenset[Index]:
    """Return the free indices of a term, without shifts."""
    match t:
        case App(_, indices):
            found = frozenset(replace(i, shift=0) for i in indices if i.name)
        case Delta(left, right):
            found = frozenset(replace(i, shift=0) for i in (left, right) if i.name)
        case Sum(index, body):
            found = free(body) - {index}
        case _:
            found = frozenset().union(*map(free, parts(t)))
    return found


_COUNT, _OWN = [0], object()


def fresh(index: Index, name: str = "") -> Index:
    """Return a bound index of the same set: one that occurs nowhere else, or that of a normal form."""
    _COUNT[0] += 1
    return Index(name or f"%{_COUNT[0]}", index.sort, own=_OWN)


def rename(t: Term, names: Mapping[Index, Index]) -> Term:
    """Replace free indices; bound ones step aside where a name would be caught."""

    def new(i: Index) -> Index:
        found = names.get(replace(i, shift=0))
        return i if found is None else replace(found, shift=found.shift + i.shift)

    match t:
        case App(symbol, indices):
            return App(symbol, tuple(map(new, indices)))
        case Delta(left, right):
            return Delta(new(left), new(right))
        case Sum(index, body):
            inner = {old: to for old, to in names.items() if old != index and old in free(body)}
            if not inner:
                return t
            if any(replace(to, shift=0) == index for to in inner.values()):
                aside = fresh(index)
                return Sum(aside, rename(body, {**inner, index: aside}))
            return Sum(index, rename(body, inner))
    return rebuilt(t, lambda inner: rename(inner, names))
