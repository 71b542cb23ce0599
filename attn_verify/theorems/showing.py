"""Numbers of a model as text and LaTeX: its values, terms evaluated at it, and where a statement fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError, build
from attn_verify.arithmetic.sums.terms import App, Index, Num, Symbol, Term, free, rename, term, walk
from attn_verify.theorems import printing
from attn_verify.theorems.kernel.outside import ball
from attn_verify.theorems.kernel.signs import VisibleSigns
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, terms_of
from attn_verify.theorems.models import UndecidedError, closed, element, exact, holds, holds_at, instances
from attn_verify.theorems.names import indices_in
from attn_verify.theorems.theorem import Model

DIGITS = 6
LONGEST = 18
"""Characters of an exact number that is shown as it stands; of a longer one, the decimal digits."""

Shown = dict[str, str]


def model_dict(model: Model, entries: Mapping[Symbol, App]) -> dict[str, Any]:
    """Return sizes, values and fixed places of a model; ``entries`` tell symbols of one name from each other."""
    names = [symbol.name for symbol in model.values] + [sort.name for sort in model.sizes]
    values = [
        {"name": _named(symbol, entries if names.count(symbol.name) > 1 else {}), **_value(symbol, value, model)}
        for symbol, value in model.values.items()
    ]
    places = {i.name: place + (not i.sort.natural) for i, place in model.places.items()}
    return {"sizes": {sort.name: size for sort, size in model.sizes.items()}, "values": values, "places": places}


def _named(symbol: Symbol, entries: Mapping[Symbol, App]) -> Shown:
    bare = entries.get(symbol, App(Symbol(symbol.name)))
    return {"text": printing.text(bare), "latex": printing.latex(bare)}


def _value(symbol: Symbol, value: Any, model: Model) -> dict[str, Any]:
    if callable(value):
        sizes = [model.sizes.get(sort) for sort in symbol.sorts]
        if any(size is None for size in sizes):
            return {"text": "a function of its indices", "latex": r"\text{a function of its indices}"}
        value = _tabulated(value, [size for size in sizes if size is not None])
    return nested(_mapped(lambda x: _number(term(x), digits=False), value))


def _tabulated(function: Callable[..., Any], sizes: Sequence[int], places: tuple[int, ...] = ()) -> Any:
    if len(places) == len(sizes):
        return function(*places)
    return tuple(_tabulated(function, sizes, (*places, n)) for n in range(sizes[len(places)]))


def _mapped(change: Callable[[Any], Shown], value: Any) -> Any:
    return tuple(_mapped(change, x) for x in value) if isinstance(value, tuple | list) else change(value)


def nested(value: Any) -> dict[str, Any]:
    """Return numbers in tuples as text and LaTeX: a row, a matrix, or rows of matrices."""
    while isinstance(value, tuple) and len(value) == 1:
        value = value[0]  # a single number needs no parentheses
    return {"text": _nested(value, "text"), "latex": _nested(value, "latex"), "values": _plainly(value)}


def _plainly(value: Any) -> Any:
    return [_plainly(x) for x in value] if isinstance(value, tuple) else value["text"]


def _nested(value: Any, form: str) -> str:
    if not isinstance(value, tuple):
        return str(value[form])
    depth, first = 1, value[0] if value else None
    while isinstance(first, tuple):
        depth, first = depth + 1, first[0] if first else None
    if depth == 1:
        inside = ", ".join(_nested(x, form) for x in value)
        return f"({inside})"
    if depth == 2:
        rows = [[_nested(x, form) for x in row] for row in value]
        if form == "latex":
            return r"\begin{pmatrix}" + r" \\ ".join(" & ".join(row) for row in rows) + r"\end{pmatrix}"
        return "(" + "; ".join(", ".join(row) for row in rows) + ")"
    return "(" + ", ".join(_nested(x, form) for x in value) + ")"


def _number(t: Term, digits: bool = True) -> Shown:
    """Return a number without symbols: exact where that is short, with ``digits`` behind it unless it is a fraction."""
    try:
        value = exact(t)
    except (UndecidedError, RefusedError):
        pass
    else:
        if max(abs(value.numerator), value.denominator) < 10**12:
            return {"text": printing.text(Num(value)), "latex": printing.latex(Num(value))}
        decimal = _decimal(t)
        return {"text": decimal, "latex": _typeset(decimal)}
    decimal = _decimal(t)
    best = _shortest(t)
    if best is not None and not digits:
        return {"text": printing.text(best), "latex": printing.latex(best)}
    if best is None:
        return {"text": f"≈ {decimal}", "latex": rf"\approx {_typeset(decimal)}"}
    return {
        "text": f"{printing.text(best)} ≈ {decimal}",
        "latex": rf"{printing.latex(best)} \approx {_typeset(decimal)}",
    }


def _shortest(t: Term) -> Term | None:
    normal = Normal()
    VisibleSigns(normal)
    choices = [t]
    with suppress(RefusedError):
        choices.append(build(normal.defined(t)))
    short = [x for x in choices if len(printing.text(x)) <= LONGEST and not any(isinstance(y, App) for y in walk(x))]
    return min(short, key=lambda x: len(printing.text(x)), default=None)


def _decimal(t: Term) -> str:
    """Return the leading digits of a number, all of them certain."""
    for bits in (64, 256, 1024, 4096):
        found = ball(t, bits)
        if found.is_finite() and (found.rel_accuracy_bits() > 30 or found.rad() < 1e-30):
            text = str(found.str(DIGITS, radius=False))
            return text.replace("-", "−")
    raise UndecidedError("a number could not be enclosed")


def _typeset(decimal: str) -> str:
    mantissa, _, exponent = decimal.replace("−", "-").partition("e")
    return rf"{mantissa}\cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def shown_values(t: Term, model: Model) -> dict[str, Any]:
    """Return the values of a term for all that its free indices can be: a number, a row, or a matrix."""
    loose = [i for i in _in_order(t) if i not in model.places]

    def at(places: tuple[int, ...]) -> Any:
        if len(places) == len(loose):
            names = {i: element(i.sort, n) for i, n in zip(loose, places, strict=True)}
            return _number(closed(rename(t, names), model))
        return tuple(at((*places, n)) for n in range(model.sizes[loose[len(places)].sort]))

    return nested(at(()))


def _in_order(t: Term) -> list[Index]:
    """Return the free indices in the order in which they are written."""
    written = [Index(i.name, i.sort, fixed=i.fixed) for x in walk(t) for i in indices_in(x) if i.name]
    return [i for i in dict.fromkeys(written) if i in free(t)]


def counterexample(claim: Statement, model: Model, given: Sequence[Statement] = ()) -> dict[str, Any] | None:
    """Return where a claim fails at a model that satisfies what is given, and its two sides there; None if nowhere."""
    if not isinstance(claim, Eq | Le | Lt) or not all(holds(s, model) for s in given):
        return None
    for names in instances(claim, model):
        if holds_at(claim, model, names):
            continue
        left, right = (_number(closed(rename(side, names), model)) for side in terms_of(claim))
        at = {
            i.name: int(to.name[1:]) + (not i.sort.natural)
            for i, to in sorted(names.items(), key=lambda item: item[0].name)
        }
        return {"at": at, "left": left, "right": right, "relation": {Eq: "≠", Le: ">", Lt: "≥"}[type(claim)]}
    return None
