"""Which precision profile and class of implementations a target behaves like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.rounding.bounds import CLASSES, all_bounds
from attn_verify.checks.rounding.enclosed import Inputs
from attn_verify.checks.rounding.formats import DOUBLE, PROFILES, Array, Profile
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec


@dataclass(frozen=True)
class Fraction:
    """The largest error in bounds of one profile and class, and for how many entries there was a bound."""

    largest: float
    judged: int


def distances(result: NDArray[Any], exact: NDArray[np.object_]) -> Array:
    """Return upper bounds of ``|result − exact|``, entry by entry; ``nan`` for an entry whose exact value is no ball.

    ``exact`` holds balls and, where the spec leaves an entry open or asks for NaN, anything else.  A result that is not
    finite has an infinite distance.

    >>> import flint
    >>> round(float(distances(np.array([0.5]), np.array([flint.arb(0.25)], dtype=object))[0]), 12)
    0.25
    """
    found = np.full(np.shape(result), np.nan)
    balls = np.array([hasattr(ball, "mid") for ball in exact.ravel()], np.bool_).reshape(exact.shape)
    if balls.any():
        middles = [ball.mid() for ball in exact[balls]]
        high = np.array([float(middle) for middle in middles])
        low = np.array([float(middle - float(x)) for middle, x in zip(middles, high.tolist(), strict=True)])
        radius = np.array([float(ball.rad()) for ball in exact[balls]]) * (1 + 2.0**-20)
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.asarray(result, np.float64)[balls] - high
            # Three roundings of two subtractions, relative to their operands.
            slack = 4 * DOUBLE.unit_roundoff * (np.abs(near) + np.abs(low)) + radius
            off = np.abs(near - low) + np.where(near == 0, radius + 2.0**-100 * np.abs(low), slack)
        found[balls] = np.where(np.isnan(off), np.inf, off)
    return found


def behaves_like(
    errors: Array,
    inputs: Inputs,
    sizes: Sizes,
    spec: AttentionSpec,
    allowed: Allowed,
    *,
    profiles: Sequence[Profile] = PROFILES,
    kinds: Sequence[str] = CLASSES,
    rescalings: int | None = None,
    bias: Array | None = None,
    softcap: float | None = None,
    stable: bool = True,
) -> dict[tuple[str, str], Fraction]:
    """Return the largest error in bounds for every profile and class of one result, by their names, tightest first.

    ``errors`` (n, columns) are :func:`distances` of the last result, ``nan`` where it is not judged.  The other
    arguments are those of :func:`attn_verify.checks.rounding.bounds`; ``rescalings`` is the number of keys unless
    given.  Entries without a bound are not counted.

    >>> one = np.ones((1, 1, 1))
    >>> sizes, inputs = Sizes(n=1, d_k=1, d_v=1), {"Q": one, "K": one, "V": one}
    >>> found = behaves_like(np.array([[1e-7]]), inputs, sizes, AttentionSpec(), ((True,),))
    >>> found["float64", "coarse"].largest > 1, found["float32", "fine"].largest < 1
    (True, True)
    """
    found = all_bounds(
        inputs, sizes, spec, allowed, profiles, kinds=kinds,
        rescalings=sizes.keys if rescalings is None else rescalings, bias=bias, softcap=softcap, stable=stable,
    )  # fmt: skip
    table = {}
    for profile, kind in _tightest_first(profiles, kinds):
        bound = found[kind][list(profiles).index(profile)]
        judged = np.isfinite(bound) & ~np.isnan(errors)
        off, limit = errors[judged], bound[judged]
        with np.errstate(all="ignore"):
            parts = np.where(off == 0, 0.0, off / limit)
        table[profile.name, kind] = Fraction(float(parts.max(initial=0.0)), int(judged.sum()))
    return table


def _tightest_first(profiles: Sequence[Profile], kinds: Sequence[str]) -> list[tuple[Profile, str]]:
    """Order by the coarsest step of a profile, then by class: *coarse* in float64 before *fine* with a float32 step."""
    pairs = [(profile, kind) for kind in kinds for profile in profiles]
    return sorted(pairs, key=lambda pair: (pair[0].coarsest, CLASSES.index(pair[1])))


@dataclass
class Behaviour:
    """What all trials of a target have in common: add each, then ask for the tightest profile and class.

    >>> seen = Behaviour()
    >>> seen.add({("float64", "fine"): Fraction(3.0, 4), ("float32", "fine"): Fraction(0.2, 4)})
    >>> seen.add({("float64", "fine"): Fraction(0.1, 4), ("float32", "fine"): Fraction(0.3, 4)})
    >>> seen.tightest()
    ('float32', 'fine', Fraction(largest=0.3, judged=8))
    """

    trials: int = 0
    table: dict[tuple[str, str], Fraction] = field(default_factory=dict)

    def add(self, trial: Mapping[tuple[str, str], Fraction]) -> None:
        """Add the table of one trial."""
        self.trials += 1
        for key, seen in trial.items():
            known = self.table.get(key, Fraction(0.0, 0))
            self.table[key] = Fraction(max(known.largest, seen.largest), known.judged + seen.judged)

    def tightest(self) -> tuple[str, str, Fraction] | None:
        """Return the first profile and class whose bound held in all trials, ``None`` if none did.

        A profile that had a bound for fewer entries than another says less: it must have one for at least half of what
        any had.
        """
        most = max((seen.judged for seen in self.table.values()), default=0)
        for (profile, kind), seen in self.table.items():
            if most and seen.judged * 2 >= most and seen.largest <= 1:
                return profile, kind, seen
        return None
