"""Terms put for symbols, and the check that terms are proper ones: every part is what its class says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
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


def put(t: Term, symbols: Mapping[Symbol, tuple[tuple[Index, ...], Term]]) -> Term:
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


_KINDS = (Num, App, Size, Delta, Add, Mul, Pow, Exp, Log, Abs, Trig, Whole, Sum, Deriv)
_PLAIN = frozenset({str, int, bool, Fraction, *_KINDS})


def improper(terms: Iterable[Term]) -> str:
    """Return why terms are no proper ones taken together, or nothing: every part is what its class says.

    >>> from attn_verify.arithmetic.sums.terms import Sort
    >>> improper([App(Symbol("x"), (Index("i", Sort("n")),))])
    'x: indices of other sets than its own'
    """
    terms = tuple(terms)
    for t in terms:
        if not isinstance(t, Term):
            return f"{type(t).__name__} is no term"
        for part in walk(t):
            wrong = _improper(part)
            if wrong:
                return wrong
            if not all(map(_exact, vars(part).values())):
                return f"{type(part).__name__}: a part of it is of another class than it should be"
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
        case Num(value) | Pow(_, value) if type(value) is not Fraction or not _whole_parts(value):
            return "a number or an exponent is no fraction of whole numbers"
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


def _exact(value: Any) -> bool:
    """Return whether a part of a term is what it seems to be: a class derived from ``Index`` may equal everything."""
    kind = type(value)
    if kind is tuple:
        return all(map(_exact, value))
    if kind is Index:
        return all(map(_exact, (value.name, value.sort, value.shift, value.fixed)))
    if kind is Symbol and not type(value.sorts) is type(value.depends) is tuple:
        return False
    if kind in (Sort, Symbol):
        return all(map(_exact, vars(value).values()))
    return kind in _PLAIN


def _stray(i: Index) -> str:
    if not i.sort.natural and (i.shift or not i.name):
        return f"{i.sort.name} has neither constants nor successors"
    if i.shift < 0:
        return "natural numbers have no predecessors"
    return f"{i.name}: one element of a set that may be empty" if i.fixed and i.sort.empty else ""
