"""A case on whole arrays: its inputs, calls and results, no entry of which has a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import frexp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.tracing.run_values import packed
from attn_verify.shapes import Sizes
from attn_verify.targets.returns import Misfit, Path
from attn_verify.targets.units import Case

Json = Mapping[str, Any]

_NUMERATORS = 95


@dataclass(frozen=True)
class Whole:
    """A case whose entries are not named one by one, with the shapes of its inputs, axes of batch and heads first."""

    case: Case
    shapes: Mapping[str, tuple[int, ...]]
    projected: bool
    _found: dict[str, tuple[Path, NDArray[np.int64]] | Misfit] = field(default_factory=dict, compare=False, repr=False)

    def units(self, arrays: Mapping[str, Any]) -> list[tuple[Sizes, Any, dict[str, Any]]]:
        """Return what each call of the formula gets: sizes, allowed pairs, its share of the inputs with heads in front.

        Elements of a batch are apart, and so are heads that no output projection joins.
        """
        sizes, (b, h) = self.case.sizes, self.case.batch
        widths = {"n": sizes.n, "m": sizes.m, "d_k": sizes.d_k, "d_v": sizes.d_v, "d_model": sizes.d_model,
                 "apart": sizes.apart}  # fmt: skip
        heads, d_out = (h, sizes.d_out) if self.projected else (1, None)
        own = Sizes(**widths, heads=heads, d_out=d_out)  # type: ignore[arg-type]
        groups = [slice(None)] if self.projected else [slice(t, t + 1) for t in range(h)]
        places = [(e, group) for e in range(b) for group in groups]
        return [(own, allowed, {name: _share(name, array, e, group) for name, array in arrays.items()})
                for (e, group), allowed in zip(places, self.case.each, strict=True)]  # fmt: skip

    def point(self, seed: int) -> dict[str, NDArray[np.float64]]:
        """Return harmless values of every input, exact in float32; weights are small, so that products are not."""
        generator = np.random.default_rng(seed)
        found = {}
        for name, shape in self.shapes.items():
            value = generator.integers(1, _NUMERATORS, shape, endpoint=True) * generator.choice((-1, 1), shape)
            rows = shape[-2] if name.startswith("W") else 1
            found[name] = value / 2.0 ** (6 + frexp(rows)[1] // 2)
        return found

    def call(self, target: str, point: Mapping[str, NDArray[np.float64]] | None = None) -> dict[str, Any]:
        """Return the call as JSON for a worker: of an exact run, or in floats at a point."""
        call: dict[str, Any] = {"target": target, "arguments": dict(self.case.arguments), "observed": True}
        call["positional"] = list(self.case.positional)
        if point is None:
            return {**call, "shapes": {name: list(shape) for name, shape in self.shapes.items()}}
        return {**call, "inputs": [], "point": packed(np.concatenate([array.reshape(-1) for array in point.values()]))}

    def result(self, structure: Json) -> tuple[Json, NDArray[np.int64]] | Misfit:
        """Return the array that is judged, and the positions in it of the entries in canonical order."""
        numbered = _numbered(structure)
        form = repr(numbered)  # alike for values that differ in nothing but the entries of arrays
        if form not in self._found:
            self._found[form] = self._placed(numbered)
        found = self._found[form]
        return found if isinstance(found, Misfit) else (_at(structure, found[0]), found[1])

    def floats(self, structure: Json) -> list[float] | None:
        """Return the entries of a value that was returned in floats in canonical order, ``None`` where it has none."""
        found = self.result(structure)
        if isinstance(found, Misfit):
            return None
        member, order = found
        values = [float.fromhex(text) for text in member["array"]["data"]]
        return [values[at] for at in order.tolist()]

    def _placed(self, numbered: Json) -> tuple[Path, NDArray[np.int64]] | Misfit:
        selected = self.case.select(numbered)
        if isinstance(selected, Misfit):
            return selected
        members = {item.member for item in selected}
        wanted = self.case.wanted[0]
        if len(members) > 1 or {item.name for item in selected} != {wanted.name}:
            return Misfit("returned several members to judge, where at large sizes only one is", "shape")
        places = {key: at for at, key in enumerate(wanted.keys)}
        order = np.empty(len(places), np.int64)
        for item in selected:
            order[places[item.name, item.index]] = item.position
        return selected[0].member, order


def _share(name: str, array: Any, element: int, heads: slice) -> Any:
    def part(x: Any) -> Any:
        if name in ("X", "X_KV"):
            return x[element]
        if name == "W_O":
            return x
        return x[heads] if name.startswith("W") else x[element, heads]

    return array.move(part) if isinstance(array, ModularData) else part(array)


def _numbered(structure: Json) -> Json:
    """Return a returned value with positions in place of the entries of its arrays."""
    if "array" in structure:
        array = structure["array"]
        data = range(int(np.prod(array["shape"], dtype=np.int64)))
        return {"array": {"shape": array["shape"], "dtype": array["dtype"], "data": data}}
    for kind in ("list", "tuple"):
        if kind in structure:
            return {kind: [_numbered(item) for item in structure[kind]]}
    if "dict" in structure:
        return {"dict": {key: _numbered(item) for key, item in structure["dict"].items()}}
    return structure


def _at(structure: Json, path: Path) -> Json:
    items: Any
    for step in path:
        items = structure.get("dict") or structure.get("tuple") or structure.get("list") or ()
        structure = items[step]
    return structure
