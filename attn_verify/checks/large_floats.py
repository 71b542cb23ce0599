"""Float runs of a target on whole arrays, against the formula in floats: at several magnitudes, and again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.number_system import scale_value
from attn_verify.checks.agreement import allowance_of, narrowest
from attn_verify.checks.large_whole import Whole
from attn_verify.checks.outcome import Outcome
from attn_verify.checks.verdict import Status
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import FLOATS
from attn_verify.targets.returns import Misfit

Json = Mapping[str, Any]
Arrays = Mapping[str, NDArray[np.float64]]

# Largest scores of further points, far from where exponentials overflow in any format that the target casts to.
_SCORES: Mapping[str, tuple[float, ...]] = {"float64": (200, 2.0**-6, 30), "float32": (30, 2.0**-4), "float16": (4,)}
# Seconds that one point may be tried again and again, and how often it is at least and at most.
_AGAIN, _FEWEST, _MOST = 0.5, 4, 1000


@dataclass(frozen=True)
class Try:
    """A point at which a target is run in floats, often enough that what it keeps between calls comes to light."""

    outcome: Outcome
    whole: Whole
    point: Arrays
    repeat: int = 1

    def call(self, target: str) -> dict[str, Any]:
        """Return the call as JSON for a worker."""
        return {**self.whole.call(target, self.point), "repeat": self.repeat}


def tries(outcome: Outcome, whole: Whole, spec: AttentionSpec, seed: int) -> list[Try]:
    """Return points of several magnitudes of scores, and after these the first one again and again."""
    first = whole.point(seed)
    narrow = narrowest(outcome.notes)
    found = []
    for number, wanted in enumerate(_SCORES[narrow]):
        point = whole.point(seed + number + 1)
        if narrow == "float64" and number % 2 == 0:
            # What rounding does shows where numbers have all the digits that a float has, and not where they have few.
            generator = np.random.default_rng(seed + number)
            point = {name: array * generator.uniform(0.5, 1.5, array.shape) for name, array in point.items()}
        largest = formula_in_floats(whole, spec, point)[1]
        name = "Q" if "Q" in point else "W_Q"
        if largest > 0 and isfinite(largest) and name in point:
            found.append(Try(outcome, whole, {**point, name: point[name] * 2.0 ** floor(log2(wanted / largest))}))
    seconds = max(float(outcome.ran.get("seconds", 0)), 1e-6)
    return [*found, Try(outcome, whole, first, max(_FEWEST, min(_MOST, int(_AGAIN / seconds))))]


def check_try(tried: Try, spec: AttentionSpec, result: Json) -> None:
    """Doubt a case whose float run leaves the formula."""
    outcome = tried.outcome
    if outcome.status is Status.UNDECIDED:
        return
    text, largest = off(tried.whole, spec, tried.point, result, outcome.notes)
    if text:
        often = f", when it is called {tried.repeat} times in a row" if tried.repeat > 1 else ""
        outcome.doubt(f"in floats, it {text}, at scores up to {largest:.2g}{often}")


def off(whole: Whole, spec: AttentionSpec, point: Arrays, result: Json, notes: Any) -> tuple[str, float]:
    """Return how a float run leaves the formula, if it does, and the largest score."""
    want, score = formula_in_floats(whole, spec, point)
    if result["outcome"] != "returned":
        raised = (result.get("exception") or {}).get("type")
        return f"ended with {raised or result['outcome']!r}", score
    found = whole.result(result["value"])
    if isinstance(found, Misfit):
        return found.text, score
    member, _ = found
    values = np.array(whole.floats(result["value"]))
    largest = max(1.0, float(np.abs(want).max(initial=0.0)))
    worst = float(np.abs(values - want).max(initial=0.0))
    returned = {"kind": "cast", "text": str(member["array"]["dtype"])}
    if not worst <= allowance_of([*notes, returned]) * largest * (1 + score):
        return f"is off by {worst:.3g} at a point where the formula is at most {largest:.3g}", score
    return "", score


def formula_in_floats(whole: Whole, spec: AttentionSpec, point: Arrays) -> tuple[NDArray[np.float64], float]:
    """Return the entries of the formula in canonical order, and the largest score."""
    parts = [_layer(sizes, spec, allowed, share) for sizes, allowed, share in whole.units(point)]
    return np.concatenate([part.reshape(-1) for part, _ in parts]), max(score for _, score in parts)


def _layer(sizes: Sizes, spec: AttentionSpec, allowed: Any, given: Arrays) -> tuple[NDArray[np.float64], float]:
    """Return the result of one layer in float64, ``softmax(σ Q Kᵀ) V`` head by head and then ``W_O``."""
    scale = float(scale_value(spec.scale_node(), sizes, FLOATS))
    mask = np.array(allowed, np.bool_)
    heads, largest = [], 0.0
    for t in range(sizes.heads):
        if sizes.given_qkv:
            Q, K, V = (given[name][t] for name in ("Q", "K", "V"))
        else:
            X, X_KV = given["X"], given.get("X_KV", given["X"])
            Q, K, V = X @ given["W_Q"][t], X_KV @ given["W_K"][t], X_KV @ given["W_V"][t]
        S = scale * (Q @ K.T)
        largest = max(largest, float(np.abs(S).max(initial=0.0)))
        S = np.where(mask, S, -np.inf)
        E = np.exp(S - S.max(axis=1, keepdims=True))
        heads.append((E / E.sum(axis=1, keepdims=True)) @ V)
    Z: NDArray[np.float64] = np.concatenate(heads, axis=1)
    return Z if sizes.d_out is None else np.asarray(Z @ given["W_O"]), largest
