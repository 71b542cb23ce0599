"""From a case of a target to what is needed to judge it: shapes of the inputs, the call, and the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.witness_plan import Part, Piece, Plan, Result, Share, child, read_array
from attn_verify.errors import AttnVerifyError
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec
from attn_verify.targets.returns import Misfit, Path, Selected, Wanted
from attn_verify.targets.units import Case, Unit

Point = Mapping[Any, Fraction]


@dataclass(frozen=True)
class Problem:
    """A case, ready for the search: shapes of its inputs by name, the call without values, and the plan."""

    shapes: Mapping[str, tuple[int, ...]]
    call: Mapping[str, Any]
    plan: Plan
    layout: str

    def arrays(self, point: Point) -> dict[str, NDArray[np.float64]] | None:
        """Return a point as arrays, ``None`` if it is one of another case."""
        arrays = {}
        for name, shape in self.shapes.items():
            keys = [(name, index) for index in np.ndindex(shape)]
            if any(key not in point for key in keys):
                return None
            arrays[name] = np.array([float(point[key]) for key in keys]).reshape(shape)
        return arrays


def problem(case: Case, spec: AttentionSpec, precision: str, value: Mapping[str, Any] | None = None) -> Problem:
    """Return what a case is judged by; ``value`` is what the target returned for it once.

    Without ``value`` the result is expected where the binding looks for it first.  Raises ``ValueError`` for a value
    that does not fit the case.
    """
    names = [name for name, _ in case.inputs]
    shapes = {name: _shape([index for other, index in case.inputs if other == name]) for name in dict.fromkeys(names)}
    position = {entry: at for at, entry in enumerate(case.inputs)}
    shown = blank(case) if value is None else value
    selected = case.select(shown)
    if isinstance(selected, Misfit):
        raise ValueError(selected.text)
    whole: dict[tuple[str, int | None], dict[tuple[int, ...], Selected]] = {}
    for item in selected:
        number, index = (None, item.index) if item.name.startswith("d") else (item.index[0], item.index[1:])
        whole.setdefault((item.name, number), {})[index] = item
    results = {key: _result(entries, shown) for key, entries in whole.items()}
    units = tuple(
        Share(
            unit.sizes,
            unit.allowed,
            _parts(unit, position),
            {name: result for (name, number), result in results.items() if number == at},
        )
        for at, unit in enumerate(case.units)
    )
    gradients = {name: result for (name, number), result in results.items() if number is None}
    call = {"arguments": dict(case.arguments), "positional": list(case.positional)}
    return Problem(shapes, call, Plan(spec, units, gradients, precision), str(case.convention))


def blank(case: Case) -> dict[str, Any]:
    """Return a structure of zeros that fits a case."""
    wanted = {item.name: item for item in case.wanted}
    if case.names is None:
        value = _zeros(case.wanted[0])
        for step in reversed(case.convention.returned or ()):
            none = {"value": None}
            value = {"dict": {step: value}} if isinstance(step, str) else {"tuple": [none] * step + [value]}
        return value
    members = [_zeros(wanted[name]) if name in wanted else {"value": None} for name in case.names]
    return members[0] if len(members) == 1 else {"tuple": members}


def _zeros(wanted: Wanted) -> dict[str, Any]:
    def zeros(shape: tuple[int, ...]) -> dict[str, Any]:
        return {"array": {"shape": list(shape), "dtype": "float64", "data": [(0.0).hex()] * int(np.prod(shape))}}

    first = wanted.arrangements[0]
    return {"list": [zeros(ids.shape) for ids in first]} if isinstance(first, list) else zeros(first.shape)


def _parts(unit: Unit, position: Mapping[Any, int]) -> dict[str, Part]:
    shapes = input_shapes(unit.sizes)
    given = dict(unit.inputs)
    if unit.upstream is not None:
        behind = upstream_shape(unit.sizes)
        shapes |= behind
        given |= dict.fromkeys(behind, unit.upstream)
    return {
        name: Part(shapes[name], tuple(position[entry] for entry in array.ravel())) for name, array in given.items()
    }


def _shape(indices: list[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(max(axis) + 1 for axis in zip(*indices, strict=True))


def _result(entries: Mapping[tuple[int, ...], Selected], value: Mapping[str, Any]) -> Result:
    shape = _shape(list(entries))
    ordered = [entries[index] for index in np.ndindex(shape)]
    pieces = []
    for member, group in groupby(ordered, key=lambda item: item.member):
        positions = tuple(item.position for item in group)
        pieces.append(Piece(tuple(member), _shape_at(value, member), positions))
    return Result(shape, tuple(pieces))


def _shape_at(value: Any, path: Path) -> tuple[int, ...]:
    for step in path:
        value = child(value, step)
    found = read_array(value)
    if found is None:
        raise ValueError("the selected member is no array")
    return found[0]


def smaller_cases(binding: Any, case: Case) -> Iterator[Case]:
    """Yield cases of the same binding at smaller sizes, with the corner of the mask, the smallest first.

    Sizes that the target cannot have, and masks that leave a row without keys, are passed over.
    """
    now = case.sizes.to_dict()
    tried: list[dict[str, int]] = []
    for names in (tuple(now), ("n", "m"), ("d_k", "d_v"), ("d_model", "d_out"), *((name,) for name in now)):
        for size in (1, 2):
            tried.append({**now, **{name: min(size, now[name]) for name in names if name in now}})
    tried += [{**now, name: size - 1} for name, size in now.items() if size > 2]
    for sizes in sorted(_once(tried, now), key=_volume):
        for batch in ((1, 1), case.batch):
            found = resized(binding, case, sizes, batch)
            if found is not None:
                yield found
            if not case.convention.batched:
                break
    if case.convention.batched and case.batch != (1, 1):
        found = resized(binding, case, now, (1, 1))
        if found is not None:
            yield found


def _once(tried: list[dict[str, int]], now: Mapping[str, int]) -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    for sizes in tried:
        if sizes != now and sizes not in found:
            found.append(sizes)
    return found


def _volume(sizes: Mapping[str, int]) -> int:
    return sum(sizes.values())


def resized(binding: Any, case: Case, sizes: Mapping[str, int], batch: tuple[int, int]) -> Case | None:
    """Return the case at other sizes, ``None`` where there is none."""
    try:
        new = Sizes.of(sizes)
        mask = None if case.mask is None else [row[: new.keys] for row in case.mask[: new.n]]
        axes = (batch if case.convention.head_axis else batch[:1]) if case.convention.batched else ()
        found: Case = binding.case(new, mask, case.convention, axes)
    except AttnVerifyError:
        return None
    return found if all(any(row) for row in found.allowed) else None


Smaller = Callable[[Case], Iterator[Case]]
