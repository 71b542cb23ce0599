"""One case of a target: its arguments, built from named input entries, and the formula's share of them.

Each element of a batch, and each head where heads do not meet in an output projection, is a *unit*: one call of
``arithmetic.attention.layer``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.tracing.run_values import numbers
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed
from attn_verify.targets.layouts import (
    Convention,
    Ids,
    Recipe,
    arrange_embeddings,
    arrange_joint,
    arrange_output_weights,
    arrange_projection,
    arrange_rows,
    arrange_scores,
    array_recipe,
)
from attn_verify.targets.returns import Misfit, Path, Selected, Structure, Wanted, select_named, select_result

Entry = tuple[str, tuple[int, ...]]
Value = TypeVar("Value")

# Numerators of the values at which a case is run in floats; over 64, so that scores stay within a few units.
_NUMERATORS = 95


@dataclass(frozen=True)
class Unit:
    """One call of the formula: input names to entries, a sequence of matrices each, with sizes and allowed pairs.

    ``upstream`` holds the entries of dO or dY, in the shape of the unit's output, for a gradient.
    """

    inputs: Mapping[str, NDArray[Any]]
    sizes: Sizes
    allowed: Allowed
    upstream: NDArray[Any] | None

    def lift(self, value: Callable[[Entry], Value]) -> dict[str, list[list[list[Value]]]]:
        """Return the inputs with ``value(entry)`` in place of every entry, as ``layer`` takes them."""
        return {
            name: [[[value(entry) for entry in row] for row in matrix] for matrix in array]
            for name, array in self.inputs.items()
        }


@dataclass(frozen=True)
class Case:
    """A target at given sizes, with one mask, in one convention.

    ``inputs`` lists the entries; ``arguments`` are recipes that refer to them by position; ``mask`` is (n, m) as it is
    passed, or ``None``, to the first element of the batch; ``each`` lists the allowed pairs of every unit.  ``batch``
    is (b, h): elements of the batch, and heads along an axis or in one call.  ``positional`` arguments are given by
    position, ``leading`` ones could be.
    """

    sizes: Sizes
    batch: tuple[int, int]
    convention: Convention
    mask: tuple[tuple[bool, ...], ...] | None
    each: tuple[Allowed, ...]
    inputs: tuple[Entry, ...]
    arguments: Mapping[str, Recipe]
    positional: tuple[str, ...]
    leading: tuple[str, ...]
    units: tuple[Unit, ...]
    wanted: tuple[Wanted, ...]
    names: tuple[str, ...] | None

    @property
    def allowed(self) -> Allowed:
        """The allowed pairs of the first unit."""
        return self.each[0]

    def point(self, seed: int = 0) -> tuple[Fraction, ...]:
        """Return a harmless value for every input, none of them zero and each exactly a float32."""
        generator = random.Random(f"case {seed}")
        return tuple(Fraction(generator.choice((-1, 1)) * generator.randint(1, _NUMERATORS), 64) for _ in self.inputs)

    def call(self, target: str, point: Sequence[Fraction] | None = None) -> dict[str, Any]:
        """Return the call as JSON for a worker, with the values ``point`` (default: :meth:`point`)."""
        values = self.point() if point is None else point
        if len(values) != len(self.inputs):
            raise ValueError(f"{len(values)} values for {len(self.inputs)} inputs")
        return {
            "target": target,
            "arguments": dict(self.arguments),
            "positional": list(self.positional),
            "leading": list(self.leading),
            "inputs": [[name, list(index)] for name, index in self.inputs],
            "point": [str(value) for value in values],
        }

    def select(self, structure: Structure) -> list[Selected] | Misfit:
        """Return the canonical output entries of a returned value, or why it does not fit.

        Works for structures of nodes and of floats alike; see :class:`Selected` for the index of an entry.
        """
        if self.names is None:
            return select_result(structure, self.wanted[0], self.convention.returned)
        return select_named(structure, self.wanted, self.names)


@dataclass(frozen=True)
class Plan:
    """What a binding decided, as far as a case depends on it."""

    layer: bool
    projected: bool
    gradient: bool
    outputs: tuple[str, ...]
    returns: tuple[str, ...] | None


class Canonical:
    """The numbered entries of the canonical inputs of one case, in arrays with axes of batch and heads in front."""

    def __init__(self, plan: Plan, sizes: Sizes, convention: Convention, batch: tuple[int, int]) -> None:
        self.plan = plan
        self.sizes = sizes
        self.convention = convention
        self.batch = batch
        self.arrays: dict[str, Ids] = {}
        self._count = 0
        b, h = batch
        n, m = sizes.n, sizes.keys
        if plan.layer:
            assert sizes.d_model is not None
            self._add("X", (b, n, sizes.d_model))
            if sizes.cross:
                self._add("X_KV", (b, m, sizes.d_model))
            for name, width in (("W_Q", sizes.d_k), ("W_K", sizes.d_k), ("W_V", sizes.d_v)):
                self._add(name, (h, sizes.d_model, width))
        else:
            for name, rows, width in (("Q", n, sizes.d_k), ("K", m, sizes.d_k), ("V", m, sizes.d_v)):
                self._add(name, (b, h, rows, width))
        if plan.projected:
            assert sizes.d_out is not None
            self._add("W_O", (h * sizes.d_v, sizes.d_out))
        if plan.gradient:
            if plan.projected:
                assert sizes.d_out is not None
                self._add("dY", (b, n, sizes.d_out))
            else:
                self._add("dO", (b, h, n, sizes.d_v))

    def _add(self, name: str, shape: tuple[int, ...]) -> None:
        start, self._count = self._count, self._count + int(np.prod(shape))
        self.arrays[name] = np.arange(start, self._count).reshape(shape)

    @cached_property
    def entries(self) -> list[Entry]:
        """The names of all entries, in the order of their numbers."""
        found: list[Entry] = []
        for name, ids in self.arrays.items():
            # Weights are shared by the batch, everything else drops its first axis where there is no batch.
            drop = not name.startswith("W") and not self.convention.batched
            found += [(name, index[1:] if drop else index) for index in np.ndindex(ids.shape)]
        return found

    def recipe(self, role: str) -> Recipe:
        """Return the recipe of the array that plays ``role`` in the convention of the case."""
        layout, weights = self.convention.layout, self.convention.weights
        if role == "W_QKV":
            return arrange_joint(self.arrays["W_Q"], self.arrays["W_K"], self.arrays["W_V"], weights)
        if role == "X_KV" and not self.sizes.cross:
            role = "X"
        if role == "dO" and self.plan.projected:
            role = "dY"
        ids = self.arrays[role]
        if role in ("X", "X_KV", "dY"):
            return array_recipe(self.embeddings(ids))
        if role == "W_O":
            return arrange_output_weights(ids, self.batch[1], weights)
        if role.startswith("W"):
            return arrange_projection(ids, weights)
        return array_recipe(arrange_rows(ids, layout))

    def embeddings(self, ids: Ids) -> Ids:
        """Lay out an array ``(b, n, columns)``."""
        return arrange_embeddings(ids, "bnd" if self.convention.batched else "nd")

    @property
    def apart(self) -> bool:
        """Whether every head is a unit of its own: nothing joins them."""
        return not self.plan.projected

    def units(self, each: Sequence[Allowed]) -> tuple[Unit, ...]:
        """Return the formula's calls, batch first, then heads."""
        names = np.empty(len(self.entries), dtype=object)
        names[:] = self.entries
        b, h = self.batch
        sizes = self.sizes
        shape = {"n": sizes.n, "m": sizes.m, "d_k": sizes.d_k, "d_v": sizes.d_v, "d_model": sizes.d_model,
                 "apart": sizes.apart}  # fmt: skip
        if self.apart:
            places = [(e, slice(t, t + 1)) for e in range(b) for t in range(h)]
            unit_sizes = Sizes(**shape)  # type: ignore[arg-type]
        else:
            places = [(e, slice(None)) for e in range(b)]
            unit_sizes = Sizes(**shape, heads=h, d_out=sizes.d_out)  # type: ignore[arg-type]
        return tuple(
            Unit(
                {
                    name: names[self._share(name, ids, element, heads)]
                    for name, ids in self.arrays.items()
                    if not name.startswith("d")
                },
                unit_sizes,
                allowed,
                self._upstream(names, element, heads),
            )
            for (element, heads), allowed in zip(places, each, strict=True)
        )

    def _share(self, name: str, ids: Ids, element: int, heads: slice) -> Ids:
        if name in ("X", "X_KV"):
            return ids[element : element + 1]
        if name == "W_O":
            return ids[None]
        return ids[heads] if name.startswith("W") else ids[element, heads]

    def _upstream(self, names: NDArray[Any], element: int, heads: slice) -> NDArray[Any] | None:
        if not self.plan.gradient:
            return None
        ids = self.arrays["dY"][element] if self.plan.projected else self.arrays["dO"][element, heads][0]
        upstream: NDArray[Any] = names[ids]
        return upstream

    def wanted(self) -> tuple[Wanted, ...]:
        """Return what to look for in the returned value."""
        if self.plan.gradient:
            keys = [(f"d{name}", index) for name, index in self.entries]
            skip = () if self.sizes.cross else ("dX_KV",)
            return tuple(
                Wanted(name, _arrangements(self.recipe(name[1:])), keys)
                for name in self.plan.outputs
                if name not in skip
            )
        judged = self.plan.returns or ()
        return (self._result(), self._weights()) if "P" in judged else (self._result(),)

    def _result(self) -> Wanted:
        (b, h), n, name = self.batch, self.sizes.n, self.plan.outputs[0]
        columns = self.sizes.d_v if self.apart else self.sizes.d_out
        assert columns is not None
        shape = (b, h, n, columns) if self.apart else (b, n, columns)
        ids = np.arange(int(np.prod(shape))).reshape(shape)
        keys = [(name, (index[0] * h + index[1], *index[2:]) if self.apart else index) for index in np.ndindex(shape)]
        laid_out = arrange_rows(ids, self.convention.layout) if self.apart else self.embeddings(ids)
        return Wanted(name, (laid_out,), keys)

    def _weights(self) -> Wanted:
        b, h = self.batch
        shape = (b, h, self.sizes.n, self.sizes.keys)
        ids = np.arange(int(np.prod(shape))).reshape(shape)
        keys = [("P", (e * h + t, 0, i, j) if self.apart else (e, t, i, j)) for e, t, i, j in np.ndindex(shape)]
        return Wanted("P", arrange_scores(ids, self.convention.layout), keys)

    def names(self) -> tuple[str, ...] | None:
        """Return the names of the returned members in order, ``None`` to find the result by its shape."""
        if not self.plan.gradient:
            return self.plan.returns
        present = [item.name for item in self.wanted()]
        if self.plan.returns is None:
            return tuple(present)
        return tuple(name if name in present else "_" for name in self.plan.returns)


def _arrangements(recipe: Recipe) -> tuple[Ids | list[Ids], ...]:
    """Return the shapes that a gradient of this argument may come in: its own, and stacked for a list."""
    if "list" in recipe:
        matrices = [_ids(item) for item in recipe["list"]]
        return (matrices, np.stack(matrices))
    return (_ids(recipe),)


def _ids(recipe: Recipe) -> Ids:
    return numbers(recipe["array"]["entries"], np.int64).reshape(recipe["array"]["shape"])


__all__ = ["Canonical", "Case", "Entry", "Path", "Plan", "Unit"]
