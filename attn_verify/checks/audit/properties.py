"""Properties that any attention has, at sizes where exact values would take too long: no oracle, only bounds.

Rows of weights add up to one, so values that are all one give ones, and every output lies between the smallest and
the largest value that the query may attend to; the order of the keys does not matter; under a causal mask, later
keys do not change earlier outputs.  Each is a statement about exact results; with ``B`` the rounding bound of an
entry, a computed one may leave the hull by ``B``, and two computed ones may differ by ``B + B'``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.audit.evidence import sizes_in_words
from attn_verify.checks.audit.groups import Group, Mask, Prepared
from attn_verify.checks.audit.records import packed_arrays, together
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.inputs import mask_battery
from attn_verify.checks.witness import result_bounds
from attn_verify.checks.witness_plan import MisfitError, Plan, flat, taken_results
from attn_verify.shapes import Sizes
from attn_verify.targets.cases import default_sizes

Data = dict[str, Any]
Arrays = Mapping[str, NDArray[np.float64]]

_LARGE = ((130, 257), (1, 513))


@dataclass(frozen=True)
class _Try:
    """Runs at one size: inputs by the property that relates them to those of ``hull``.

    Where queries are keys, ``rows`` is the order that both were brought into.
    """

    prepared: Prepared
    inputs: Mapping[str, Arrays]
    rows: NDArray[np.intp] | None

    @classmethod
    def at(cls, subject: Subject, sizes: Sizes) -> _Try:
        """Draw inputs of one size."""
        name, mask = _mask(subject, sizes)
        prepared = Prepared(subject, Group(sizes.to_dict(), mask, name, subject.options.dtypes[0]))
        generator = np.random.default_rng((subject.options.seed, 0, *prepared.group.sizes.values()))
        arrays = {
            name: np.round(generator.standard_normal(shape) * 64) / 64 for name, shape in prepared.asked.shapes.items()
        }
        order = generator.permutation(sizes.keys)
        tries = {"order of the keys": _reordered(arrays, prepared, order), "causality": _later(arrays, prepared)}
        inputs = {"hull": arrays, **{name: other for name, other in tries.items() if other is not None}}
        return cls(prepared, inputs, order if "X" in arrays and "X_KV" not in arrays else None)

    @property
    def calls(self) -> list[Data]:
        """The calls of all runs."""
        return [self.prepared.call(arrays) for arrays in self.inputs.values()]


def properties(runner: Any, subject: Subject, deadline: float) -> Data:
    """Try every property at small and at large sizes; return counts and the first violation of each.

    The runs of all sizes are made in one process; after ``deadline`` no more of them are judged.
    """
    counts: dict[str, int] = {}
    violations: list[Data] = []
    shown: list[str] = []
    lost: dict[str, int] = {}
    tries = [_Try.at(subject, sizes) for sizes in _sizes(subject)]
    outcomes = together(runner, [call for one in tries for call in one.calls], subject.options.seconds)
    for number, one in enumerate(tries):
        own, outcomes = outcomes[: len(one.inputs)], outcomes[len(one.inputs) :]
        if number and time.monotonic() > deadline:
            break
        for outcome in own:
            if outcome["outcome"] in ("timeout", "memory"):
                lost[outcome["outcome"]] = lost.get(outcome["outcome"], 0) + 1
        _judge(one, own, counts, violations)
        shown.append(sizes_in_words(one.prepared.group.sizes))
    return {"counts": counts, "violations": violations, "sizes": shown, "lost": lost}


def _sizes(subject: Subject) -> Iterator[Sizes]:
    yield from subject.sizes[:3]
    for n, m in _LARGE:
        given = {"n": n, "m": m} if subject.binding.keys_apart != "no" else {"n": n}
        try:
            found = default_sizes(subject.binding, subject.convention, {**given, **subject.options.sizes})
        except Exception:  # sizes that this target cannot have
            continue
        yield found[0]


def _mask(subject: Subject, sizes: Sizes) -> tuple[str, Mask | None]:
    """Return the mask that leaves everything allowed, where the target needs one."""
    if subject.binding.mask != "required":
        return "none", None
    found = mask_battery(sizes, subject.spec, seed=subject.options.seed)
    return next(((name, [list(row) for row in mask]) for name, mask in found if mask is not None), ("none", None))


def _judge(one: _Try, outcomes: Sequence[Data], counts: dict[str, int], violations: list[Data]) -> None:
    prepared, asked = one.prepared, one.inputs
    prepared.settle(outcomes)
    plan = prepared.asked.plan

    def violated(name: str, text: str, inputs: Sequence[Arrays]) -> None:
        if not any(item["property"] == name for item in violations):
            tries = [packed_arrays(arrays) for arrays in inputs]
            violations.append(
                {"property": name, "group": prepared.group.to_dict(), "text": text, "sample": name, "tries": tries}
            )

    results = {}
    for (name, own), outcome in zip(asked.items(), outcomes, strict=True):
        if outcome["outcome"] in ("timeout", "memory"):
            continue
        try:
            if outcome["outcome"] != "returned":
                raise MisfitError(outcome["outcome"], "a result")
            results[name] = [_result(plan, share, outcome, own) for share in plan.units]
        except MisfitError as error:
            violated("a result", str(error), [own])
    if "hull" not in results:
        return
    for name, found in _violations(results, one):
        counts[name] = counts.get(name, 0) + 1
        if found:
            violated(name, found, list(asked.values()))


def _result(plan: Plan, share: Any, outcome: Data, arrays: Arrays) -> tuple[Any, NDArray[Any], NDArray[Any]]:
    """Return a unit with its result and the bound of every entry."""
    taken = taken_results(outcome["value"], share)
    array = next(value for name, value in taken.items() if name in ("O", "Z", "Y"))
    unit = plan.unit(share, flat(arrays))
    return unit, array, result_bounds(unit, plan.form)["coarse"]


_KEYS = (("K", "V"), ("X_KV",), ("X",))


def _keys(arrays: Arrays) -> tuple[str, ...]:
    """Return the names of the arrays whose rows are keys."""
    return next(names for names in _KEYS if names[0] in arrays)


def _reordered(arrays: Arrays, prepared: Prepared, order: NDArray[np.intp]) -> Arrays | None:
    """Return the inputs with the keys in another order, where keys have no place of their own."""
    if prepared.subject.spec.causal != "none":
        return None
    names = _keys(arrays)
    return {name: array[..., order, :] if name in names else array for name, array in arrays.items()}


def _later(arrays: Arrays, prepared: Prepared) -> Arrays | None:
    """Return the inputs with other last keys, which no query but the last may attend to."""
    share = prepared.asked.plan.units[0]
    hidden: NDArray[np.bool_] = np.asarray(~np.array(share.allowed)[:-1].any(0))
    if prepared.subject.spec.causal == "none" or not hidden[-1] or len(share.allowed) < 2:
        return None
    names = _keys(arrays)
    return {name: np.where(hidden[:, None], 3.0, array) if name in names else array for name, array in arrays.items()}


def _violations(results: Mapping[str, Any], one: _Try) -> Iterator[tuple[str, str]]:
    for number, (unit, array, bound) in enumerate(results["hull"]):
        if unit.sizes.given_qkv and unit.sizes.heads == 1 and unit.sizes.d_out is None:
            V, allowed = np.asarray(unit.inputs["V"][0], np.float64), np.array(unit.allowed)
            rows: NDArray[np.bool_] = np.asarray(allowed.any(1))
            low = np.where(allowed[:, :, None], V, np.inf).min(1) - bound
            high = np.where(allowed[:, :, None], V, -np.inf).max(1) + bound
            outside = rows[:, None] & ~((array >= low) & (array <= high))
            yield "convex hull of the values", _first(outside, array, "leaves the values that it is a mean of")
        for name in ("order of the keys", "causality"):
            if name in results:
                _, other, also = results[name][number]
                if name != "causality" and one.rows is not None:
                    array, bound = array[one.rows], bound[one.rows]
                differs = ~(np.abs(array - other) <= bound + also) & np.isfinite(bound)
                attend = np.asarray(np.array(unit.allowed).any(1))
                if name == "causality":
                    attend[-1] = False
                said = "changes with the order of the keys" if name != "causality" else "depends on later keys"
                yield name, _first(differs & attend[:, None], array, said)


def _first(where: NDArray[np.bool_], array: NDArray[Any], text: str) -> str:
    if not where.any():
        return ""
    row, column = (int(i) for i in np.argwhere(where)[0])
    return f"entry [{row + 1},{column + 1}] = {float(array[row, column])!r} {text}"
