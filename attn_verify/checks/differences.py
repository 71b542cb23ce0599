"""Whether one call, made at two points of a program, gave two results that no rounding explains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.rounding import wide_bound, wide_gradient_bound, wide_weights_bound
from attn_verify.checks.witness_plan import Inputs, MisfitError, Plan, Result, Share, flat, take

# Two results inside a bound are within twice the bound of each other.
APART = 2.0

Outcome = Mapping[str, Any]


def difference(now: Outcome, alone: Outcome, plan: Plan, inputs: Inputs) -> dict[str, Any] | None:
    """Return how two runs of one call contradict each other, ``None`` if rounding explains whatever differs.

    .. math:: |ŷ - ŷ'| > 2 · \\mathrm{bound}

    Returns ``unit``, ``result``, ``entry``, ``got``, ``alone``, ``difference`` and ``bound`` of the entry that is
    worst, or ``now`` and ``alone`` in words where one run has another kind of outcome, another shape or another
    exception.  Raises ``TimeoutError`` for a run without an answer: out of time, or out of memory.
    """
    for outcome in (now, alone):
        if outcome["outcome"] in ("timeout", "memory"):
            raise TimeoutError(f"the run ended without an answer: {outcome['outcome']}")
    if now["outcome"] != "returned" or alone["outcome"] != "returned":
        words = _ending(now), _ending(alone)
        return None if words[0] == words[1] else _in_words(now, alone)
    if now["value"] == alone["value"]:
        return None
    values = flat(inputs)
    worst: tuple[float, dict[str, Any]] | None = None
    for number, name, result, shares in _results(plan):
        read = [_read(outcome, result) for outcome in (now, alone)]
        if isinstance(read[0], str) or isinstance(read[1], str):
            if _form(now["value"]) == _form(alone["value"]):
                continue
            return {"now": f"returned {_shown(read[0])}", "alone": f"returned {_shown(read[1])}"}
        bound = APART * _bound(name, shares, plan, values, inputs)
        for index in np.ndindex(read[0].shape):
            got, other = float(read[0][index]), float(read[1][index])
            seen = _entry(got, other, float(bound[index]))
            if seen is not None and (worst is None or seen > worst[0]):
                worst = seen, {
                    "unit": number, "result": name, "entry": [i + 1 for i in index], "got": got.hex(),
                    "alone": other.hex(), "difference": _apart(got, other), "bound": float(bound[index]),
                }  # fmt: skip
    return None if worst is None else worst[1]


def _entry(now: float, alone: float, bound: float) -> float | None:
    """Return the difference in bounds where it is more than one."""
    if now == alone or (math.isnan(now) and math.isnan(alone)) or math.isinf(bound) or math.isnan(bound):
        return None
    apart = _apart(now, alone)
    return None if apart <= bound else apart / bound if bound > 0 else math.inf


def _apart(now: float, alone: float) -> float:
    apart = abs(now - alone)
    return math.inf if math.isnan(apart) else apart


def _ending(outcome: Outcome) -> str:
    """Return a kind of outcome in words: what was returned is not looked at, the text of an exception neither."""
    if outcome["outcome"] == "returned":
        return "returned"
    return f"raised {(outcome.get('exception') or {}).get('type') or outcome['outcome']}"


def _in_words(now: Outcome, alone: Outcome) -> dict[str, Any]:
    words = []
    for outcome in (now, alone):
        text = (outcome.get("exception") or {}).get("text") or ""
        words.append(_ending(outcome) + (f": {text}" if text and outcome["outcome"] != "returned" else ""))
    return {"now": words[0][:500], "alone": words[1][:500]}


def _results(plan: Plan) -> Iterator[tuple[int, str, Result, tuple[Share, ...]]]:
    for number, share in enumerate(plan.units, start=1):
        for name, result in share.results.items():
            yield number, name, result, (share,)
    for name, result in plan.gradients.items():
        yield 0, name, result, plan.units


def _read(outcome: Outcome, result: Result) -> NDArray[np.float64] | str:
    """Return a result, or what was returned in its place."""
    try:
        return take(outcome["value"], result)
    except MisfitError as misfit:
        return misfit.returned


def _form(value: Any) -> Any:
    """Return a returned structure without its numbers."""
    if not isinstance(value, Mapping):
        return None
    if "array" in value:
        return "array", tuple(value["array"]["shape"]), value["array"]["dtype"]
    if "dict" in value:
        return "dict", tuple((key, _form(item)) for key, item in value["dict"].items())
    for kind in ("tuple", "list"):
        if kind in value:
            return kind, tuple(_form(item) for item in value[kind])
    return type(value["value"]).__name__ if "value" in value else ("other", str(value.get("other")))


def _shown(read: NDArray[np.float64] | str) -> str:
    return read if isinstance(read, str) else "what is expected"


def _bound(
    name: str, shares: tuple[Share, ...], plan: Plan, values: NDArray[np.float64], inputs: Inputs
) -> NDArray[np.float64]:
    """Return the bound of every entry of a result, infinite where the spec leaves it open."""
    if name not in ("O", "Z", "Y", "P"):
        return _gradient_bound(name, shares, plan, values, inputs)
    (share,) = shares
    unit = plan.unit(share, values)
    if name == "P":
        bound = np.array(wide_weights_bound(unit.inputs, unit.sizes, unit.spec, plan.form))
    else:
        bound = np.array(wide_bound(unit.inputs, unit.sizes, unit.spec, unit.allowed, plan.form))
    if plan.spec.empty_row == "any":
        bound[..., [not any(row) for row in share.allowed], :] = math.inf
    return bound


def _gradient_bound(
    name: str, shares: tuple[Share, ...], plan: Plan, values: NDArray[np.float64], inputs: Inputs
) -> NDArray[np.float64]:
    total = np.zeros(len(values))
    of = name.removeprefix("d")
    for share in shares:
        unit = plan.unit(share, values)
        bounds = wide_gradient_bound(unit.inputs, unit.sizes, unit.spec, plan.form)
        part = share.inputs[of]
        open_rows = plan.spec.empty_row == "any" and not all(any(row) for row in share.allowed)
        np.add.at(total, list(part.entries), math.inf if open_rows else bounds[name].ravel())
    start = 0
    for other, array in inputs.items():
        if other == of:
            rounded = 1 + len(shares) * plan.form.unit_roundoff
            return rounded * total[start : start + array.size].reshape(array.shape)
        start += array.size
    raise ValueError(f"no input {of}")
