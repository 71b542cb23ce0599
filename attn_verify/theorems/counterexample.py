"""A model at which a statement is false, as text and as strict JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import Index, Term, rename, term
from attn_verify.theorems.kernel.statements import Eq, Le, Lt
from attn_verify.theorems.models import UndecidedError, closed, exact, holds_at, instances, number
from attn_verify.theorems.printing import text
from attn_verify.theorems.theorem import Model

SIGNS = {Eq: "≠", Le: ">", Lt: "≥"}


def shown(claim: Eq | Le | Lt, model: Model) -> dict[str, Any]:
    """Return what a counterexample is: sizes, values as text and as floats, the entry that fails and its two sides.

    ``values`` are exact (``"log(2)"``), ``numbers`` the floats nearest to them; entries are counted from 1.
    """
    sizes = {s.name: n for s, n in sorted(model.sizes.items(), key=lambda item: item[0].name)}
    values = {
        s.name: _each(v, lambda t: text(term(t))) for s, v in sorted(model.values.items(), key=lambda i: i[0].name)
    }
    numbers = {s.name: _each(v, _float) for s, v in sorted(model.values.items(), key=lambda i: i[0].name)}
    at = ", ".join(f"{name} = {_written(v)}" for name, v in values.items()) or "any numbers"
    if sizes:
        at += " (" + ", ".join(f"{name} = {n}" for name, n in sizes.items()) + ")"
    found: dict[str, Any] = {"kind": "counterexample", "sizes": sizes, "values": values, "numbers": numbers, "at": at}
    names = failing(claim, model)
    if names is not None:
        left, right = (side_at(side, model, names) for side in (claim.left, claim.right))
        found["entry"] = {old.name: int(new.name[1:]) + 1 for old, new in names.items()}
        found |= {"left": left, "right": right}
        found["text"] = _block(claim, found)
    return found


def failing(claim: Eq | Le | Lt, model: Model) -> Mapping[Index, Index] | None:
    """Return the first elements at which a statement is false."""
    for names in instances(claim, model):
        try:
            if not holds_at(claim, model, names):
                return names
        except UndecidedError:
            continue
    return None


def side_at(side: Term, model: Model, names: Mapping[Index, Index]) -> str:
    """Return the value of a term at a model: exactly where it is a fraction, else to a few digits."""
    here = rename(side, names)
    try:
        return str(exact(closed(here, model)))
    except (UndecidedError, RefusedError, ArithmeticError):
        return str(number(here, model, 128).str(8, radius=False))


def _block(claim: Eq | Le | Lt, found: Mapping[str, Any]) -> str:
    lines = [f"false at {found['at']}"]
    if found["entry"]:
        lines.append("entry  " + ", ".join(f"{name} = {n}" for name, n in found["entry"].items()))
    lines.append(f"there  {found['left']} {SIGNS[type(claim)]} {found['right']}")
    return "\n".join(lines)


def _each(value: Any, change: Any) -> Any:
    return [_each(v, change) for v in value] if isinstance(value, tuple | list) else change(value)


def _float(value: Any) -> float:
    return float(number(term(value), Model(), 64))


def _written(value: Any) -> str:
    return f"({', '.join(map(_written, value))})" if isinstance(value, list) else str(value)
