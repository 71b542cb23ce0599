"""Limits that SymPy computes, for letters that cannot cancel.

A fact that rests on SymPy says so (``cited`` holds ``"SymPy: limit"``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.proper import improper, put
from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Exp,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Term,
    Trig,
    walk,
)  # fmt: skip
from attn_verify.theorems.kernel.computed import Limit
from attn_verify.theorems.kernel.facts import Fact, _fact
from attn_verify.theorems.kernel.signs import VisibleSigns
from attn_verify.theorems.kernel.statements import Lt, Statement, gap, terms_of


def in_sympy(t: Term, symbols: Mapping[Term, Any]) -> Any:
    """Return a term as an expression of SymPy."""
    import sympy

    def inner(x: Term) -> Any:
        return in_sympy(x, symbols)

    match t:
        case Num(value):
            return sympy.Rational(value.numerator, value.denominator)
        case App() | Size():
            return symbols[t]
        case Add(terms):
            return sympy.Add(*map(inner, terms))
        case Mul(factors):
            return sympy.Mul(*map(inner, factors))
        case Pow(base, exponent):
            return sympy.Pow(inner(base), sympy.Rational(exponent.numerator, exponent.denominator))
        case Exp(argument):
            return sympy.exp(inner(argument))
        case Log(argument):
            return sympy.log(inner(argument))
        case Abs(argument):
            return sympy.Abs(inner(argument))
        case Trig("cos", argument):
            return sympy.cos(inner(argument))
        case Trig(_, argument):
            return sympy.sin(inner(argument))
    raise RefusedError(f"{type(t).__name__} has no reading in SymPy")


def sympy_symbols(given: tuple[Statement, ...], sides: Iterable[Term]) -> dict[Term, Any]:
    """Return a symbol of SymPy for each letter and size; hypotheses of another form than 0 < x are refused."""
    import sympy

    zero = Num(Fraction(0))
    if any(not (isinstance(s, Lt) and s.left == zero and isinstance(s.right, App)) for s in given):
        raise RefusedError("under a limit or an integral, hypotheses are of the form 0 < x")
    above = {s.right for s in given if isinstance(s, Lt)}
    found: dict[Term, Any] = {}
    sides = tuple(sides)
    if wrong := improper(sides):
        raise RefusedError(wrong)
    for side in sides:
        for t in walk(side):
            if isinstance(t, App):
                if t.symbol.depends:
                    raise RefusedError(f"{t.symbol.name} is a function")
                found[t] = sympy.Dummy(t.symbol.name, real=True, positive=True if t in above else None)
            elif isinstance(t, Size):
                if t.sort.empty:
                    raise RefusedError(f"{t.sort.name} may be 0")
                found[t] = sympy.Dummy(t.sort.name, positive=True)
    return found


def words(*words: str) -> None:
    """Refuse words that are of a class of their own."""
    if any(type(word) is not str for word in words):
        raise RefusedError("where a limit or an integral begins and ends is said in plain words")


def limit(claim: Limit, given: Iterable[Statement] = ()) -> Fact:
    """SymPy computes the limit, and it is the one claimed (``oo`` or a term)."""
    import sympy

    given = tuple(given)
    terms_of(claim)  # is a statement of this very class
    value = claim.value if isinstance(claim.value, Term) else Num(Fraction(0))
    words(claim.to, *(() if isinstance(claim.value, Term) else (claim.value,)))
    symbols = sympy_symbols(given, (claim.body, claim.by, value))
    if claim.by.indices:
        raise RefusedError("a limit is taken in a scalar")
    symbols[claim.by] = x = sympy.Dummy("x", positive=True)
    target = {"0+": 0, "oo": sympy.oo}.get(claim.to)
    if target is None or (isinstance(claim.value, str) and claim.value != "oo"):
        raise RefusedError("limits are taken at 0+ or oo, and are a term or oo")
    beyond = 1 + max((abs(t.value) for t in walk(claim.body) if isinstance(t, Num)), default=Fraction(0))
    near = claim.by if target == 0 else claim.by + beyond
    _defined((value,), given)
    _defined((put(claim.body, {claim.by.symbol: ((), near)}),), [*given, Lt(Num(Fraction(0)), claim.by)])
    body, letters = _steady(claim.body, claim.by, x, target, symbols, given)
    wanted = sympy.oo if isinstance(claim.value, str) else in_sympy(value, symbols)
    try:
        found = sympy.limit(body, x, target, "+").subs(letters)
        both_finite = found.is_finite is not False and wanted.is_finite
        right = found == wanted or (both_finite and sympy.simplify(found - wanted) == 0)
    except NotImplementedError as error:
        raise RefusedError(f"SymPy knows no such limit: {error}") from error
    if not right:
        raise RefusedError(f"the limit is {found}")
    return _fact("limit", claim, (), given, cited="SymPy: limit")


def _defined(terms: Iterable[Term], given: Iterable[Statement]) -> VisibleSigns:
    normal = Normal()
    signs = VisibleSigns(normal, [(gap(s), True) for s in given if isinstance(s, Lt)])
    for t in terms:
        normal(t)
    return signs


def _steady(
    body: Term, by: App, x: Any, target: Any, symbols: Mapping[Term, Any], given: tuple[Statement, ...]
) -> tuple[Any, dict[Any, Any]]:
    """Return a body with a letter for each part that does not depend on ``by``: positive, so that nothing cancels.

    SymPy computes limits for letters in general position: ``(a x + 1)/(a x + 2)`` tends to 1, but not for a = 0.
    """
    import sympy

    signs = _defined((), given)
    letters: dict[Term, Any] = {}
    compared: list[Any] = []

    def letter(t: Term) -> Any:
        if not any(isinstance(inner, App | Size) for inner in walk(t)):
            from attn_verify.theorems.kernel.outside import ball

            if not isinstance(t, Num) and not abs(ball(t, 256)) > 0:
                raise RefusedError("a constant may be zero, which SymPy need not see")
            return in_sympy(t, symbols)
        if isinstance(t, Mul) and isinstance(t.factors[0], Num) and t.factors[0].value < 0:
            return in_sympy(t.factors[0], symbols) * letter(Mul(t.factors[1:]))
        if t not in letters:
            if not signs.positive(t):
                raise RefusedError(
                    "a part of the body is not visibly positive, and the limit may be another where it is 0"
                )
            letters[t] = sympy.Dummy("P", positive=True)
        return letters[t]

    def read(t: Term) -> Any:
        if by not in set(walk(t)):
            return letter(t)
        match t:
            case Add(terms):
                found = sympy.expand(sympy.Add(*map(read, terms)))
                groups: dict[Any, Any] = {}
                for part in sympy.Add.make_args(found):
                    alone, letters_in = part.as_independent(*letters.values()) if letters else (part, sympy.S.One)
                    groups[letters_in] = groups.get(letters_in, 0) + alone
                signed = {_sign(c, x, target) if g.is_positive else None for g, c in groups.items()}
                if len(groups) > 1 and (len(signed) > 1 or None in signed):
                    raise RefusedError("parts of the body may cancel for some values of the letters")
                return found
            case Mul(factors):
                return sympy.Mul(*map(read, factors))
            case Pow(base, exponent):
                return sympy.Pow(read(base), sympy.Rational(exponent.numerator, exponent.denominator))
            case Exp(argument) | Log(argument):
                inner = read(argument)
                if isinstance(t, Log) and inner.free_symbols - {x}:
                    raise RefusedError("a logarithm may be 0 for some values of the letters")
                if any((inner / other).free_symbols - {x} for other in compared):
                    raise RefusedError("exponentials are compared whose order depends on letters")
                compared.append(inner)
                return sympy.exp(inner) if isinstance(t, Exp) else sympy.log(inner)
            case App():
                return x
        raise RefusedError(f"{type(t).__name__} has no limit here")

    return read(body), {v: in_sympy(t, symbols) for t, v in letters.items()}


def _sign(c: Any, x: Any, target: Any) -> int | None:
    """Return the sign of a function of ``x`` alone near the target, if it is plain."""
    import sympy

    for found in (c, sympy.limit(c, x, target, "+")):
        if found.is_extended_positive or found.is_extended_negative:
            return 1 if found.is_extended_positive else -1
    return None
