"""Terms put for symbols, and the check that terms are proper ones: every part is what its class says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from math import gcd
from typing import Any, TypeVar

from attn_verify.arithmetic.sums.polynomials import RefusedError, key
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
    free,
    fresh,
    rebuilt,
    rename,
    walk,
)  # fmt: skip

Made = TypeVar("Made")
Symbols = Mapping[Symbol, tuple[tuple[Index, ...], Term]]


def put(t: Term, symbols: Symbols) -> Term:
    """Replace symbols by terms, given with the indices that stand for those of the symbol.

    Below a derivative nothing is replaced: a term may hold, or depend on, what is differentiated by.
    """
    if not symbols:
        return t
    if isinstance(t, Deriv) and any(isinstance(inner, App) and inner.symbol in symbols for inner in walk(t)):
        raise RefusedError("a symbol inside a derivative cannot be replaced")
    if isinstance(t, App) and t.symbol in symbols:
        names, body = symbols[t.symbol]
        return rename(body, dict(zip(names, t.indices, strict=True)))
    if isinstance(t, Sum):
        caught = {i for _, body in symbols.values() for i in free(body)}
        if t.index in caught:
            aside = fresh(t.index)
            return Sum(aside, put(rename(t.body, {t.index: aside}), symbols))
    return rebuilt(t, lambda inner: put(inner, symbols))


def places(t: Term) -> set[Index]:
    """Return the free indices of a term as they stand there, constants and successors too."""
    found = {i for x in walk(t) if isinstance(x, App) for i in x.indices}
    return {i for i in found if not i.name or replace(i, shift=0) in free(t)} | free(t)


_KINDS = (Num, App, Size, Delta, Add, Mul, Pow, Exp, Log, Abs, Trig, Whole, Sum, Deriv)
_MADE_OF = frozenset(map(id, (*_KINDS, Index, Sort, Symbol)))  # by identity: a class may say that it is another
_PLAIN = frozenset(map(id, (str, int, bool, type(None))))
_FIELDS: Mapping[type, tuple[type, ...]] = {
    Sort: (str, bool, bool), Index: (str, Sort, int, bool), Symbol: (str, tuple, tuple), App: (Symbol, tuple),
    Size: (Sort,), Delta: (Index, Index), Sum: (Index,), Num: (Fraction,), Add: (tuple,), Mul: (tuple,),
}  # fmt: skip


def exact(value: Any, more: Iterable[type] = ()) -> bool:
    """Return whether a value and all parts of it are what they seem to be: a derived class may equal everything."""
    kind = type(value)
    if kind is tuple or kind is frozenset:
        return all(exact(x, more) for x in value)
    if kind is Fraction:
        return _whole_parts(value)
    if id(kind) in _MADE_OF or any(kind is one for one in more):
        parts = [x for name, x in dict.items(vars(value)) if name != "own"]
        as_told = all(type(x) is one for x, one in zip(parts, _FIELDS.get(kind, ()), strict=False))
        return as_told and all(exact(x, more) for x in parts)
    return id(kind) in _PLAIN


def guarded(
    made: Callable[..., Made], args: Any, named: Any, more: Iterable[type], known: Callable[[Any], bool]
) -> Made:  # fmt: skip
    """Call a rule with plain arguments; what was told of terms that may say to equal them is forgotten."""
    free.cache_clear()
    key.cache_clear()
    try:
        places, names = plain((args, named), more, known)
        return made(*places, **names)
    except RecursionError:
        raise RefusedError("a term is too deep") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise RefusedError(f"the rule is about other things than these: {error}") from error


def plain(value: Any, more: Iterable[type] = (), known: Callable[[Any], bool] = lambda _: False) -> Any:
    """Return arguments with all containers copied and no part that only seems to be what it is.

    Code of a class that is not known never runs here, and none is left to run later.
    """
    kind = type(value)
    if kind is tuple or kind is list or kind is set or kind is frozenset:
        return tuple(plain(x, more, known) for x in value)
    if kind is dict:
        return {plain(x, more, known): plain(y, more, known) for x, y in value.items()}
    if kind is range or exact(value, more) or known(value):
        return value
    raise RefusedError(f"{kind.__name__}: a part of it is of another class than it should be, or it was changed")


def proper(terms: Iterable[Term]) -> None:
    """Refuse terms that are no proper ones taken together."""
    if wrong := improper(terms):
        raise RefusedError(wrong)


def improper(terms: Iterable[Term]) -> str:
    """Return why terms are no proper ones taken together, or nothing: every part is what its class says.

    >>> from attn_verify.arithmetic.sums.terms import Sort
    >>> improper([App(Symbol("x"), (Index("i", Sort("n")),))])
    'x: indices of other sets than its own'
    """
    terms = tuple(terms)
    for t in terms:
        if not any(type(t) is kind for kind in _KINDS) or not exact(t):
            return f"{type(t).__name__} is no term, or a part of it is of another class than it should be"
        for part in walk(t):
            if wrong := _improper(part):
                return wrong
        for i in free(t):
            if i.name[0] in "$%#":
                return f"{i.name}: such names are for bound indices"
    depends: dict[str, frozenset[str]] = {}
    symbols = {part.symbol for t in terms for part in walk(t) if isinstance(part, App)}
    if len(symbols) > len({(symbol.name, symbol.sorts) for symbol in symbols}):
        return "two symbols look alike, and depend on other variables"
    for symbol in symbols:
        depends[symbol.name] = depends.get(symbol.name, frozenset()) | set(symbol.depends)
    for symbol in symbols:
        if symbol.name in depends[symbol.name]:
            return f"{symbol.name} depends on itself"
        if any(not depends.get(name, frozenset()) <= set(symbol.depends) for name in symbol.depends):
            return f"{symbol.name} depends on what its arguments depend on, and does not say so"
    return ""


def _improper(t: Term) -> str:
    if type(t) not in _KINDS:
        return f"{type(t).__name__} is no term"
    match t:
        case Pow(_, exponent) if type(exponent) is not Fraction:
            return "an exponent is no fraction"
        case App(symbol, indices) if any(type(i) is not Index for i in indices):
            return f"{symbol.name}: its entries are those at indices"
        case App(symbol, _) if {*map(type, symbol.sorts)} - {Sort} or {*map(type, symbol.depends)} - {str}:
            return f"{symbol.name} is over sets, and depends on names"
        case App(symbol, indices) if tuple(i.sort for i in indices) != symbol.sorts:
            return f"{symbol.name}: indices of other sets than its own"
        case App(_, indices):
            return next(filter(None, map(_stray, indices)), "")
        case Delta(left, right):
            return _stray(left) or _stray(right) or ("" if left.sort == right.sort else "a delta of two sets")
        case Sum(index, _):
            return _stray(index) or ("a sum over what is no set" if index.sort.natural or index.fixed else "")
        case Size(sort) if sort.natural:
            return f"{sort.name}: there are infinitely many natural numbers"
        case Trig(name, _) if name not in ("cos", "sin"):
            return f"{name} is neither cos nor sin"
        case Whole(name, _, _) if name not in ("//", "%"):
            return f"{name} is neither // nor %"
        case Deriv(_, by) if type(by) is not App:
            return "a derivative is taken by an entry of a symbol"
    return ""


def _whole_parts(value: Fraction) -> bool:
    above, below = value.numerator, value.denominator
    return type(above) is type(below) is int and below > 0 and gcd(above, below) == 1


def _stray(i: Index) -> str:
    if not i.sort.natural and (i.shift or not i.name):
        return f"{i.sort.name} has neither constants nor successors"
    if i.shift < 0:
        return "natural numbers have no predecessors"
    return f"{i.name}: one element of a set that may be empty" if i.fixed and i.sort.empty else ""
