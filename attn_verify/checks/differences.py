"""Whether a call gave two results that no rounding explains: made twice, or looked at again after other calls."""

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


def overwriting(outcome: Outcome, plan: Plan) -> dict[str, Any] | None:
    """Return how later calls changed what a call had returned, ``None`` if they did not.

    Any change counts: nothing was computed again that rounding could explain.  ``outcome`` is that of a call with
    ``keep`` (see :meth:`~attn_verify.targets.runner.Runner.plain`).  Returns the fields of :func:`difference`, ``got``
    the entry after the later calls and ``alone`` the one before them; attention weights, which the plan may not
    judge, are told in words.
    """
    first, later = outcome["value"], outcome.get("later")
    if later is None:
        return None
    worst: tuple[float, dict[str, Any]] | None = None
    for number, name, result, _ in _results(plan):
        then, now = _read({"value": first}, result), _read({"value": later}, result)
        if isinstance(then, str):
            continue
        if isinstance(now, str):
            return {"now": f"what was returned is {now}", "alone": "what is expected"}
        for index in np.ndindex(now.shape):
            old, new = float(then[index]), float(now[index])
            apart = _apart(old, new)
            if old == new or (math.isnan(old) and math.isnan(new)) or (worst is not None and apart <= worst[0]):
                continue
            worst = apart, {
                "unit": number, "result": name, "entry": [i + 1 for i in index], "got": new.hex(),
                "alone": old.hex(), "difference": apart, "bound": 0.0,
            }  # fmt: skip
    return _weights(first, later, plan) if worst is None else worst[1]


def _weights(first: Any, later: Any, plan: Plan) -> dict[str, Any] | None:
    """Return how an array with an entry for every query and key was changed; others may be meant to change."""
    shapes = {(share.sizes.n, share.sizes.keys) for share in plan.units}
    for (path, old), (_, new) in zip(_arrays(first), _arrays(later), strict=False):
        if old["shape"] != new["shape"] or tuple(old["shape"][-2:]) not in shapes:
            continue
        numbers = [np.array([float.fromhex(x) for x in array["data"]]) for array in (old, new)]
        same = (numbers[0] == numbers[1]) | (np.isnan(numbers[0]) & np.isnan(numbers[1]))
        if same.all():
            continue
        at = int(np.argmin(same))
        index = ",".join(str(i + 1) for i in np.unravel_index(at, old["shape"]))
        shown = [repr(float(array[at])) for array in (numbers[1], numbers[0])]
        where = f"the returned array of shape {tuple(old['shape'])}" + (f" at {path}" if path else "")
        return {"now": f"entry [{index}] of {where} is {shown[0]}", "alone": shown[1]}
    return None


def _arrays(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the arrays of floats in a returned structure, each with the path to it."""
    if not isinstance(value, Mapping):
        return
    if "array" in value and "float" in str(value["array"]["dtype"]):
        yield path, value["array"]
    members = [*enumerate(value.get("tuple", value.get("list", ()))), *value.get("dict", {}).items()]
    for key, item in members:
        yield from _arrays(item, f"{path}[{key!r}]")


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
