"""Values that are linear in the output projection: what the error bound gains from it.

An entry that is ``A_0 + Σ A_c w_c``, with different inputs ``w_c`` of ``LINEAR`` and coefficients that contain none of
them, differs from another such entry if one coefficient does.  So the bound is that of one coefficient, that
is of one head, and not that of the sum over all heads (``docs/explanation/identity-test.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.field import Field, Record, active, distinct

if TYPE_CHECKING:
    from attn_verify.arithmetic.modular.arrays import ModularData

Ids = NDArray[Any]

# What an entry has to do with these inputs: nothing, it is one of them, or anything; other numbers are of forms.
FREE: Final = 0
INPUT: Final = 1
TANGLED: Final = -1
_FIRST: Final = 2
# Stacks of more matrices are not told apart.
_STACK: Final = 64


@dataclass(frozen=True, eq=False)
class Form:
    """Linear combinations of some of the ``variables``, whose coefficients are bounded by ``record`` and ``dens``."""

    variables: Ids
    record: Record
    dens: frozenset[int]


def tangled(items: Sequence[ModularData], shape: tuple[int, ...]) -> Ids:
    """Return what is known of a result of which nothing special is known."""
    found = any(item.parts["lin"].any() for item in items)
    return np.full(shape, TANGLED if found else FREE, np.int32)


def of_product(a: ModularData, b: ModularData, shape: tuple[int, ...]) -> Ids:
    """Return the forms of a matrix product of coefficients and inputs, in either order."""
    if _all(b, INPUT) and _all(a, FREE):
        return _forms(a, b, shape)
    if _all(a, INPUT) and _all(b, FREE):
        a, b = (item.move(lambda x: np.swapaxes(x, -1, -2)) for item in (a, b))
        turned = (*shape[:-2], shape[-1], shape[-2])
        return np.ascontiguousarray(np.swapaxes(_forms(b, a, turned), -1, -2))
    return tangled((a, b), shape)


def _forms(coefficients: ModularData, inputs: ModularData, shape: tuple[int, ...]) -> Ids:
    vids = inputs.parts["vid"]
    ordered = np.sort(vids, axis=-2)
    if (ordered[..., 1:, :] == ordered[..., :-1, :]).any():
        return np.full(shape, TANGLED, np.int32)
    field, record, outer = active(), coefficients.record, shape[:-2]
    dens = coefficients.parts["den"]
    if int(np.prod(outer)) > _STACK or not outer:
        form = Form(np.unique(vids), record, frozenset(distinct(dens)))
        return np.full(shape, _number(field, form), np.int32)
    out = np.empty(shape, np.int32)
    dens, vids = (np.broadcast_to(x, outer + x.shape[-2:]) for x in (dens, vids))
    for place in np.ndindex(*outer):
        form = Form(np.unique(vids[place]), record, frozenset(distinct(dens[place])))
        out[place] = _number(field, form)
    return out


def of_sum(a: ModularData, b: ModularData, shape: tuple[int, ...]) -> Ids:
    """Return the forms of ``a ± b``: of different variables, or of a form and zeros."""
    for form, zero in ((a, b), (b, a)):
        low = int(form.parts["lin"].min(initial=FREE))
        if low >= FREE and _all(zero, FREE) and _zero(zero) and not (form.parts["lin"] == INPUT).any():
            return np.array(np.broadcast_to(form.parts["lin"], shape))
    sides = [distinct(item.parts["lin"]) for item in (a, b)]
    merged = _merged(sides)
    return tangled((a, b), shape) if merged is None else np.full(shape, merged, np.int32)


def of_sum_along(a: ModularData, shape: tuple[int, ...]) -> Ids:
    """Return the forms of sums along the last axis, where they are the same in all lanes."""
    lin = a.parts["lin"]
    lanes = lin.reshape(-1, lin.shape[-1])
    if not lin.any() or not lanes.size or not (lanes == lanes[:1]).all():
        return tangled((a,), shape)
    merged = _merged([[int(number)] for number in lanes[0]])
    return tangled((a,), shape) if merged is None else np.full(shape, merged, np.int32)


def coefficient(value: ModularData, field: Field, where: NDArray[np.bool_]) -> tuple[Record, Ids] | None:
    """Return bounds of all coefficients of the entries ``where``, with denominators; ``None`` if one has none."""
    lin = value.parts["lin"][where]
    numbers = distinct(lin)
    forms = [field.forms[number - _FIRST] for number in numbers if number >= _FIRST]
    if not forms or INPUT in numbers or TANGLED in numbers:
        return None
    plain = lin == FREE
    record = _joined(field, (form.record for form in forms))
    if plain.any():
        record = field.joined(record, field.record(value.parts["rec"][where][plain]))
    dens = frozenset(distinct(value.parts["den"][where][plain])).union(*(form.dens for form in forms))
    return record, np.array(sorted(dens), np.int64)


def _merged(sides: Sequence[Sequence[int]]) -> int | None:
    """Return the number of the form that covers a sum with one form of each side, if they share no variable."""
    field = active()
    forms: list[Form] = []
    variables = np.empty(0, np.int64)
    for numbers in sides:
        if not numbers or min(numbers) < _FIRST:
            return None
        found = [field.forms[number - _FIRST] for number in numbers]
        own = found[0].variables if len(found) == 1 else np.unique(np.concatenate([f.variables for f in found]))
        together = np.concatenate([variables, own])
        variables = np.unique(together)
        if len(variables) < len(together):
            return None
        forms += found
    dens = frozenset().union(*(form.dens for form in forms))
    return _number(field, Form(variables, _joined(field, (form.record for form in forms)), dens))


def _joined(field: Field, records: Iterable[Record]) -> Record:
    first, *rest = list(records)
    for record in rest:
        first = field.joined(first, record)
    return first


def _number(field: Field, form: Form) -> int:
    field.forms.append(form)
    return len(field.forms) - 1 + _FIRST


def _all(item: ModularData, code: int) -> bool:
    return bool((item.parts["lin"] == code).all())


def _zero(item: ModularData) -> bool:
    from attn_verify.arithmetic.modular import codes

    return bool((item.parts["sign"] == codes.ZERO).all()) and not item.parts["special"].any()
