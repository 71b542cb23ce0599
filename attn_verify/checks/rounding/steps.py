"""How many unit roundoffs each step of a profile may cost, for several profiles at once.

Every member is an array with the profiles along its first axis and an axis of length 1 for each axis of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from attn_verify.checks.rounding import constants
from attn_verify.checks.rounding.enclosed import Enclosed
from attn_verify.checks.rounding.formats import Array, Conversions, Profile, cast, gamma


@dataclass(frozen=True)
class Steps:
    """``γ`` of each step: see ``docs/explanation/rounding.md``, section "Precision profiles"."""

    projected: Array
    entering_qk: Array
    entering_v: Array
    scores: Array
    bias: Array
    cap: Array
    shift: Array
    exponential: Array
    log: Array
    sums: Array
    output: Array
    mean: Array
    final: Array
    lost: Array
    lost_weights: Array
    lost_output: Array
    largest: Array
    rescalings: int


def steps(enclosed: Enclosed, profiles: Sequence[Profile], rescalings: int) -> Steps:
    """Count the roundings of every step for every profile."""
    sizes, inputs = enclosed.sizes, enclosed.inputs
    m, c = sizes.keys, constants
    axes = enclosed.scores.ndim

    def column(count: Callable[[Profile], float]) -> Array:
        return np.array([count(profile) for profile in profiles]).reshape(-1, *[1] * axes)

    given = {**inputs} if enclosed.bias is None else {**inputs, "bias": enclosed.bias}
    entering = Conversions(given)
    embedded = ("X", "X_KV", "W_Q", "W_K", "W_V")
    inner = sizes.d_model or 0
    wide = sizes.heads * sizes.d_v

    def weighting(p: Profile) -> float:
        """The conversion of weights for their product with V, and of a result for the output."""
        return cast(p.scores, p.weights) + cast(p.accumulation, p.output)

    def division(p: Profile) -> float:
        return 2 * max(form.unit_roundoff for form in (p.accumulation, p.scores, p.weights))

    added = c.BIAS if enclosed.bias is not None else 0
    return Steps(
        projected=column(
            lambda p: gamma(
                inner * p.accumulation.unit_roundoff
                + c.SCALE * p.scale_roundoff
                + 2 * entering(p, *embedded)
                + cast(p.accumulation, p.input)
            )
        ),
        entering_qk=column(lambda p: gamma(entering(p, "Q", "K"))),
        entering_v=column(lambda p: gamma(entering(p, "V"))),
        scores=column(
            lambda p: gamma(
                sizes.d_k * p.accumulation.unit_roundoff
                + c.SCALE * p.scale_roundoff
                + added * p.scores.unit_roundoff
                + cast(p.accumulation, p.scores)
            )
        ),
        bias=column(
            lambda p: gamma(
                (c.SCALE + c.BIAS) * p.scores.unit_roundoff + entering(p, "bias") + cast(p.accumulation, p.scores)
            )
        ),
        cap=column(lambda p: gamma((c.EXP + c.CAP) * p.scores.unit_roundoff)),
        shift=column(lambda p: gamma(c.SHIFT * p.scores.unit_roundoff)),
        exponential=column(
            lambda p: (
                (1 + rescalings) * (gamma((c.EXP + c.RESCALE) * p.scores.unit_roundoff) + p.lost)
                + gamma(cast(p.scores, p.weights))
            )
        ),
        log=column(lambda p: gamma(c.LOG * p.scores.unit_roundoff)),
        sums=column(lambda p: gamma((m + rescalings) * p.accumulation.unit_roundoff)),
        output=column(
            lambda p: gamma(
                (2 * m + 2 * rescalings + c.DIVIDE - 3) * p.accumulation.unit_roundoff
                + division(p)
                + p.output.unit_roundoff
                + weighting(p)
            )
        ),
        mean=column(
            lambda p: gamma(
                (2 * m + c.DIVIDE - 3) * p.accumulation.unit_roundoff
                + division(p)
                + p.output.unit_roundoff
                + weighting(p)
            )
        ),
        final=column(
            lambda p: gamma(
                wide * p.accumulation.unit_roundoff
                + cast(p.accumulation, p.input)
                + cast(p.accumulation, p.output)
                + entering(p, "W_O")
            )
        ),
        lost=column(lambda p: p.lost),
        lost_weights=column(lambda p: max(0.0, p.weights.lost - p.lost)),
        lost_output=column(lambda p: max(0.0, p.output.lost - p.lost)),
        largest=column(lambda p: 0.99 * p.largest),
        rescalings=rescalings,
    )
