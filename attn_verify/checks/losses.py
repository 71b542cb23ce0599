"""Judging runs where no program is known to be another one than the formula: code may be right and lose by rounding.

Where an excluded equation of a proof holds, floats may show that the code is wrong there.  All else was proved.  Code
that loses much by rounding leaves the bound of any correct code elsewhere too, and is the formula nevertheless.
Where no program could be read, only what no such loss explains is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.checks.agreement import OWN_LOSS
from attn_verify.checks.formula import expected
from attn_verify.checks.outcome import Outcome
from attn_verify.checks.reading import floats
from attn_verify.checks.rounding import FloatFormat
from attn_verify.checks.search import Arrays, Found, Judge, clear, largest
from attn_verify.checks.witness_case import Problem
from attn_verify.spec import AttentionSpec


def judge_of(outcome: Outcome, spec: AttentionSpec, doubtful: bool) -> Judge:
    """Return the judge of a case: by the bound alone only where a program is known to be another one."""
    if not doubtful:
        return beyond_rounding(outcome, spec)
    return clear if outcome.paths or outcome.wrong_paths else beyond_half_the_digits


def beyond_half_the_digits(asked: Problem, arrays: Arrays, ran: Mapping[str, Any]) -> Found | None:
    """Return what is wrong in one run of code that was not read, which may cancel what it added: half of its digits."""
    found = clear(asked, arrays, ran)
    if found is None or found["kind"] != "value" or asked.plan.precision not in ("float32", "float64"):
        return found
    half = math.sqrt(FloatFormat.of(asked.plan.precision).unit_roundoff)
    return found if found["error"] > max(found["bound"] / half, half * largest(arrays)) else None


def beyond_rounding(outcome: Outcome, spec: AttentionSpec) -> Judge:
    """Return a judge of runs by which a case that was proved is refuted: no rounding of its program explains them."""

    def judge(asked: Problem, arrays: Arrays, ran: Mapping[str, Any]) -> Found | None:
        found = clear(asked, arrays, ran)
        if found is None or found["kind"] != "value":
            return found
        point = {(name, at): Fraction(float(x)) for name, array in arrays.items() for at, x in np.ndenumerate(array)}
        if point.keys() != set(outcome.case.inputs):
            return found  # of another size, where the witness is tried that was judged here
        return found if found["error"] > OWN_LOSS * _lost(outcome, spec, point) else None

    return judge


def _lost(outcome: Outcome, spec: AttentionSpec, point: Mapping[Any, Fraction]) -> float:
    """Return how far the proved program is off in float64 at a point, on the path on which it is off most."""
    graph, balls = outcome.graph, BallValues(outcome.graph, point)
    wanted = {key: float(balls[node].mid()) for key, node in expected(graph, outcome.case, spec).items()}
    lost = [
        abs(value - wanted[key])
        for path in outcome.paths
        for key, value in zip(path.entries, floats(graph, list(path.entries.values()), point), strict=True)
    ]
    return max((x for x in lost if math.isfinite(x)), default=0.0)
