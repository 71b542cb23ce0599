"""A hint for a refuted target: does it follow another causal alignment than the spec asks for?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

from attn_verify.checks.search import Trials
from attn_verify.checks.witness_case import problem
from attn_verify.checks.witness_inputs import candidates
from attn_verify.errors import AttnVerifyError
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.layouts import Convention

_ALIGNMENTS = ("none", "lower_right", "upper_left")
# Different sizes at which the target is run, and inputs at each.
_SIZES, _INPUTS = 3, 4


def causal_hint(
    runner: Any, target: str, spec: AttentionSpec, convention: Convention, rebind: Callable[[AttentionSpec], Binding],
    *, seed: int, seconds: float,
) -> str:  # fmt: skip
    """Return what to try if the target, in floats, gives the formula of another alignment; empty if it does not.

    ``rebind`` binds the target under another spec.  The hint says what a few runs showed and decides nothing.
    """
    for alignment in _ALIGNMENTS:
        if alignment == spec.causal:
            continue
        other = replace(spec, causal=alignment)
        try:
            agrees = _follows(runner, target, other, convention, rebind(other), seed=seed, seconds=seconds)
        except (AttnVerifyError, ValueError, TimeoutError):
            continue
        if agrees:
            return f"try --spec causal={alignment}: on all inputs tried it gives what that asks for"
    return ""


def _follows(
    runner: Any, target: str, spec: AttentionSpec, convention: Convention, binding: Binding, *, seed: int,
    seconds: float,
) -> bool:  # fmt: skip
    trials = Trials(runner, target, time.monotonic() + seconds, seconds)
    # Several queries and keys: with one of each, all alignments are the same.
    told = [s for s in default_sizes(binding, convention, {}) if s.n > 1 and s.keys > 1]
    for sizes in told[:_SIZES]:
        asked = problem(binding.case(sizes, None, convention), spec, "float64")
        inputs = list(islice(candidates(asked.shapes, seed), _INPUTS))
        if any(outcome["outcome"] != "returned" for outcome in trials.outcomes(asked, inputs)):
            return False
        if any(trials.judged(asked, inputs)):
            return False
    return bool(told)
