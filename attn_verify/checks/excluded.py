"""Judging inputs that a proof left out: where an excluded equation holds, floats may show that the code is wrong there.

All else was proved.  Code that loses much by rounding leaves the bound of any correct code elsewhere too, and is the
formula nevertheless.
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
from attn_verify.checks.search import Arrays, Found, Judge, clear
from attn_verify.checks.witness_case import Problem
from attn_verify.spec import AttentionSpec


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
