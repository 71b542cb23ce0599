"""What a report shows beside a failure: the error of every entry in bounds, the weights, and the formula."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.witness import OPEN, Unit, error_of, exact_outputs, result_bounds
from attn_verify.checks.witness_plan import MisfitError, flat, taken_results

# Nobody looks at larger pictures.
_SIDE = 64


def picture(example: Counterexample, outcome: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return ``fractions``, ``values``, ``exact`` (n, columns), ``weights`` (n, m) and ``formula`` of the failing unit.

    Entries that are not judged are ``None``.  A failure that is no number, or far too large to be looked at, has none.
    """
    if example.kind not in ("value", "nan") or not example.found.get("unit"):
        return None
    share = example.plan.units[example.found["unit"] - 1]
    unit = example.plan.unit(share, flat(example.inputs))
    try:
        results = taken_results(outcome["value"], share)
    except MisfitError:
        return None
    name = example.found["result"]
    if name not in results or results[name].ndim != 2:
        return None
    exact = exact_outputs(unit)
    bound = result_bounds(unit, example.plan.form, stable=example.claim == "range")["coarse"]
    if max(unit.sizes.n, unit.sizes.keys, results[name].shape[1]) > _SIDE:
        return None
    row, column = (int(i) - 1 for i in example.found["entry"])
    head = column // unit.sizes.d_v if name == "Z" else 0
    return {
        "fractions": _shown(_fractions(results[name], exact[name], bound)),
        "values": _shown(results[name]),
        "exact": _shown(_middles(exact[name])),
        "weights": _shown(_middles(exact["P"])[head if head < unit.sizes.heads else 0]),
        "formula": _formula(unit, name, row, column, exact),
    }


def _fractions(values: NDArray[Any], exact: NDArray[np.object_], bound: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.full(values.shape, np.nan)
    for index in np.ndindex(values.shape):
        ball: Any = exact[index]
        if ball is OPEN or ball is None:
            continue
        error = error_of(float(values[index]), ball)
        found[index] = error / bound[index] if bound[index] > 0 else (math.inf if error else 0.0)
    return found


def _middles(exact: NDArray[np.object_]) -> NDArray[np.float64]:
    flat_values = [float("nan") if ball is OPEN or ball is None else float(ball.mid()) for ball in exact.ravel()]
    return np.array(flat_values).reshape(exact.shape)


def _shown(array: NDArray[Any]) -> list[list[Any]]:
    def one(x: float) -> Any:
        return x if math.isfinite(x) else None if math.isnan(x) else "inf" if x > 0 else "-inf"

    return [[one(float(x)) for x in row] for row in array]


def _formula(unit: Unit, name: str, row: int, column: int, exact: Mapping[str, NDArray[np.object_]]) -> dict[str, str]:
    """Return the failing entry of a single head as a formula in letters and in numbers."""
    if unit.sizes.heads != 1 or name not in ("O", "Z") or not unit.sizes.given_qkv:
        return {}
    i, c = row + 1, column + 1
    weights = _middles(exact["P"])[0, row]
    values = np.asarray(unit.inputs["V"], np.float64)[0, :, column]
    terms = [f"{p:.6g}·{v:.6g}" for p, v in zip(weights, values, strict=True)][:6]
    more = " + …" if len(values) > len(terms) else ""
    return {
        "symbolic": f"o_{i},{c} = Σ_j p_{i},j v_j,{c},  p_{i},j = exp(s_{i},j) / Σ_l exp(s_{i},l)",
        "numbers": f"o_{i},{c} = {' + '.join(terms)}{more} = {_middles(exact[name])[row, column]:.17g}",
    }
