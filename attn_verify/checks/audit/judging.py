"""Judging one float run of a target for an audit: what refutes, and how much of each bound was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.rounding import Fraction, behaves_like
from attn_verify.checks.witness import Unit, unit_in_last_place
from attn_verify.checks.witness_plan import Plan, contradiction

Arrays = Mapping[str, NDArray[np.float64]]
Table = dict[tuple[str, str], Fraction]


@dataclass
class Judged:
    """What is known about one trial.

    ``failure`` is what refutes the claim, as in a counterexample; ``lost`` says that the run gave no answer (out of
    time or memory).  ``tables`` hold the largest errors in bounds by profile and class, one for each evaluation of the
    formula: of the format of the inputs, and of all profiles where the trial refutes.
    """

    entries: int = 0
    largest_ulp: float = 0.0
    tables: list[Table] = field(default_factory=list)
    failure: dict[str, Any] | None = None
    lost: str = ""


def judge_trial(outcome: Mapping[str, Any], plan: Plan, arrays: Arrays, claim: str) -> Judged:
    """Judge one run: against the widest bound, which refutes, and against every tighter one, which describes."""
    judged = Judged()
    seen: list[tuple[Unit, NDArray[np.float64]]] = []

    def observe(
        unit: Unit | None, errors: NDArray[np.float64], exact: Any, bounds: Mapping[str, NDArray[np.float64]]
    ) -> None:
        if unit is not None:
            seen.append((unit, errors))
        judged.tables.append({(plan.form.name, kind): _used(errors, bound) for kind, bound in bounds.items()})
        known = ~np.isnan(errors)
        judged.entries += int(known.sum())
        if known.any():
            at = int(np.nanargmax(errors))
            # Gradients may be next to nothing for large inputs: there the largest entry is what an ulp is of.
            one = exact.ravel()[at] if unit is not None else max(exact[known], key=lambda ball: abs(float(ball.mid())))
            ulp = float(errors.ravel()[at]) / unit_in_last_place(one, plan.form)
            judged.largest_ulp = max(judged.largest_ulp, ulp)

    try:
        judged.failure = contradiction(outcome, plan, arrays, claim, observe)
    except TimeoutError:
        judged.lost = str(outcome["outcome"])
    if claim == "empty_rows" and outcome["outcome"] == "raised" and plan.spec.empty_row == "any":
        judged.failure = None  # the spec lets it do anything with such rows: it is told, not judged
    if judged.failure is not None and judged.failure["kind"] == "value":
        # What is off because numbers are too large for the code has no precision that would explain it.
        judged.tables = [
            behaves_like(errors, unit.inputs, unit.sizes, unit.spec, unit.allowed, stable=False)
            for unit, errors in (seen if claim != "range" else ())
        ]
    return judged


def _used(errors: NDArray[np.float64], bound: NDArray[np.float64]) -> Fraction:
    """Return the largest part of a bound that an entry uses, and for how many entries it says anything."""
    judged = np.isfinite(bound) & ~np.isnan(errors)
    off, limit = errors[judged], bound[judged]
    with np.errstate(all="ignore"):
        parts = np.where(off == 0, 0.0, off / limit)
    return Fraction(float(parts.max(initial=0.0)), int(judged.sum()))
