"""One sentence for whoever has to mend a failure: what the failing input itself says about its cause.

The most specific comes first; where the input does not tell causes apart, all of them are named, and where nothing
fits nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.checks.audit.mistakes import Parts, mistakes
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.inputs import Constants
from attn_verify.checks.witness import Unit
from attn_verify.checks.witness_plan import flat

# More causes than this are none: the input is too simple to tell.
_MOST = 3
# Above this the number in the place of −∞ is no −∞, whatever it is.
_FILL = 1e3
# Numbers in the code up to this are sizes of many inputs by chance.
_SMALL = 4

_BY_KIND = {
    "raised": "the exception, and whether the function is meant to take this input",
    "shape": "axes that are summed, squeezed or broadcast away at this size",
    "changed": "operations in place (+=, out=, sort) on arrays that belong to the caller",
    "differs": "module globals, caches, default arguments and random numbers",
}
_RANDOM = "random numbers from the global generators: numpy.random and random"
_KEPT = "arrays that are kept between calls and returned, as with out= or a cache: return a copy"
_LAYOUT = "reshape, ravel, strides and views: they may assume C order"
_ALIGNED = "the causal mask where n ≠ m: np.tril and np.triu count their diagonal from the upper left"
_EMPTY = "rows whose mask is false everywhere: 0/0, or a maximum of −∞"
_BESIDE = "what rows without a key do to the others: a maximum or a sum over more than a row"
_OVERFLOW = "overflow: the exponential of scores up to {:.3g}, without subtracting the row's own maximum"
_UNDERFLOW = "underflow: the exponential of scores of at most {:.3g}, without subtracting the row's own maximum"
_FORMULA = "the formula itself is another one here: scale, axis, mask, order of heads and shapes"
_GRADIENT = "the derivative itself is another one here: a factor, a transpose, a term of the softmax's derivative"


def look_at(
    example: Counterexample,
    *,
    profile: str = "",
    picture: Mapping[str, Any] | None = None,
    constants: Constants | None = None,
    refuted: Collection[str] = (),
    others: Sequence[Collection[str]] = (),
) -> str:
    """Return what to look at in the code for a failure like this one, empty where the input does not say.

    Args:
        example: the failing input, as small as it became.
        profile: the precision that explains all failures of the claim, empty where none does.
        picture: what the report shows of the failing evaluation.
        constants: the numbers in the target's code.
        refuted: the claims that are refuted.
        others: the causes that fit each of the other failures (:func:`causes`); one that fits all is likelier.
    """
    if example.kind == "changed" and example.found.get("random"):
        return _RANDOM
    if example.kind in _BY_KIND:
        return _KEPT if example.after else _BY_KIND[example.kind]
    if example.claim == "layout":
        return _LAYOUT
    if not example.found.get("unit"):
        return _precision(profile) or (_GRADIENT if "gradient" in refuted else "")
    constants = constants or Constants((), ())
    found = causes(example, picture, constants)
    found = [cause for cause in found if all(cause in other for other in others if other)] or found
    # What is right on squares alone is a matter of where the causal mask lies.
    aligned = example.claim == "alignment" or ("alignment" in refuted and not {"rounding", "range"} & set(refuted))
    if aligned:
        found = [cause for cause in found if cause.startswith("the causal")] or found
    if len(found) > _MOST:
        found = magnitudes(example)
    if len(found) == 1:
        return found[0]
    if 1 < len(found) <= _MOST:
        return f"one of these, which the failures do not tell apart: {'; '.join(found)}"
    if aligned:
        return _ALIGNED
    if not profile and "formula" in refuted:
        return _FORMULA
    return "; ".join(filter(None, [_precision(profile), _reached(example, constants)]))


def _precision(profile: str) -> str:
    return f"a step in lower precision: the result behaves like {profile}" if profile else ""


def causes(example: Counterexample, picture: Mapping[str, Any] | None, constants: Constants) -> list[str]:
    """Return all causes that fit a failure; none where it is no wrong entry of one evaluation."""
    found = example.found
    if example.kind not in ("value", "nan") or not found.get("unit"):
        return []
    row, column = (int(i) - 1 for i in found["entry"][-2:])
    units = [example.plan.unit(share, flat(example.inputs)) for share in example.plan.units]
    unit = units.pop(found["unit"] - 1)
    if not any(unit.allowed[row]):
        return [_EMPTY]
    seen: list[str] = []
    if found["result"] != "P":
        got = float.fromhex(found["got"])
        seen = mistakes(unit, _scale(unit), constants, (row, column), got, _values(picture), units)
    seen = seen or magnitudes(example)
    return seen or ([_BESIDE] if example.claim == "empty_rows" else [])


def _reached(example: Counterexample, constants: Constants) -> str:
    """Return the number in the code that a size of the failing input has just reached, though it was made small."""
    own = example.sizes
    sizes = {"m": own.keys, "n": own.n, "n·m": own.n * own.keys, "d_k": own.d_k, "d_v": own.d_v}
    pairs = ((name, c) for name, size in sizes.items() for c in constants.integers if c > _SMALL and size in (c, c + 1))
    return next((f"what the code does where {name} reaches {c}, a number that stands in it" for name, c in pairs), "")


def _scale(unit: Unit) -> float:
    with precision():
        return float(scale_value(unit.spec.scale_node(), unit.sizes, BALL).mid())


def _values(picture: Mapping[str, Any] | None) -> Any:
    """Return the whole result that the report shows, with what is no number as one."""
    if not picture or "values" not in picture:
        return None
    return np.array([[np.nan if x is None else float(x) for x in row] for row in picture["values"]])


def magnitudes(example: Counterexample) -> list[str]:
    """Return what large numbers in the failing row point to."""
    unit = example.plan.unit(example.plan.units[example.found["unit"] - 1], flat(example.inputs))
    row, form = int(example.found["entry"][-2]) - 1, example.plan.form
    parts = Parts.of(unit, _scale(unit))
    scores, allowed = parts.scaled[:, row], parts.allowed[row]
    best = scores[:, allowed].max(axis=-1)
    if not allowed.all():
        above = float((scores[:, ~allowed].max(axis=-1) - best).max())
        if above > _FILL:
            return [f"the number in the place of −∞ in masked scores: a masked one is {above:.3g} above all others"]
    if example.kind == "nan":
        largest = float(np.log(form.largest))
        if best.max() > largest:
            return [_OVERFLOW.format(float(best.max()))]
        if best.min() < -largest:
            return [_UNDERFLOW.format(float(best.min()))]
    return []
