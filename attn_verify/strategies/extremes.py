"""Builders of the kinds whose scores or values are laid out by design: fills, running maxima, over- and underflow.

A builder takes a frame and a generator, and returns arrays that :meth:`.Frame.fit` makes legal, or ``None`` where the
frame has no room for what it is about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from attn_verify.strategies.designs import FINE, Coarse, designed
from attn_verify.strategies.frames import Array, Frame

Found = dict[str, Array] | None
Build = Callable[[Frame, np.random.Generator], Found]

# Of the largest legal score: room for the fine part.
_ROOM = 0.9


def scores_near(score: float) -> Build:
    """All scores near one number, masked ones included: a fill or a clip near it changes the weights."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        limit = frame.max_score
        if abs(score) > limit:
            return None
        base = math.copysign(min(abs(score), max(limit - 16 * FINE, _ROOM * limit)), score)
        return designed(frame, random, [Coarse.of(frame, 1.0, base)], fine=min(FINE, abs(base) / 16))

    return build


def entries_near(near: float) -> Build:
    """Entries just below, at and above a number, of both signs."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        choices = near * np.array([-1.25, -1.0, -0.96875, 0.96875, 1.0, 1.25])
        return {name: random.choice(choices, shape) for name, shape in frame.shapes.items()}

    return build


def _top(frame: Frame) -> float:
    return _ROOM * frame.max_score


def _rows_negative(frame: Frame, random: np.random.Generator) -> Found:
    """Every other row near the lowest legal score: a running maximum that starts at 0 loses them."""
    low = random.permutation(np.where(np.arange(frame.n) % 2, 3.0, _top(frame)))
    if frame.n > 1 and (low == 3.0).all():
        low[0] = _top(frame)
    return designed(frame, random, [Coarse.of(frame, low / _top(frame), -_top(frame))])


def _growing(sign: int, step: float | None) -> Build:
    """Later keys above earlier ones, or below, over the whole range or by ``step`` each."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        top = _top(frame) if step is None else min(_top(frame), step * (frame.m - 1) / 2)
        right = sign * np.linspace(-top, top, frame.m) if frame.m > 1 else np.array([sign * top])
        return designed(frame, random, [Coarse.of(frame, 1.0, right)])

    return build


def _row_maxima_apart(frame: Frame, random: np.random.Generator) -> Found:
    """Rows at very different levels: a maximum taken over all rows leaves nothing of the lower ones."""
    rows = random.permutation(np.linspace(-_top(frame), _top(frame), frame.n)) if frame.n > 1 else _top(frame)
    level = Coarse.of(frame, rows, 1.0)
    return designed(frame, random, [level, Coarse.of(frame, 1.0, 3.0 * random.standard_normal(frame.m))])


def _rows_apart_a_little(frame: Frame, random: np.random.Generator) -> Found:
    rows = random.permutation(np.linspace(-9.0, 9.0, frame.n)) if frame.n > 1 else 9.0
    return designed(frame, random, [Coarse.of(frame, rows, 1.0)], fine=1.0)


def _rows_slightly_negative(frame: Frame, random: np.random.Generator) -> Found:
    return designed(frame, random, [Coarse.of(frame, 1.0, -14.0)], fine=1.0)


def _far_ties(frame: Frame, random: np.random.Generator) -> Found:
    """Equal maxima at the largest legal score, everything else at the lowest."""
    high = np.where(np.arange(frame.m) % 3 == 1, -1.0, 1.0) * _top(frame)
    return designed(frame, random, [Coarse.of(frame, 1.0, random.permutation(high))], fine=0.0)


def _small_weights(depth: Callable[[Frame], float]) -> Build:
    """Keys ``depth`` below the one maximum, with values so large that their small weights matter."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        deep = min(depth(frame), _top(frame))
        top = int(random.choice(np.flatnonzero(frame.reach == frame.reach.max())))
        arrays = designed(frame, random, [Coarse.of(frame, 1.0, np.where(np.arange(frame.m) == top, 0.0, -deep))])
        large = min(math.exp(deep), frame.half / (8 * frame.m))
        return _values(frame, arrays, np.where(np.arange(frame.m) == top, 1.0, large))

    return build


def weights_near(weight: float) -> Build:
    """All keys but one weigh a little less than a number: who drops weights below it loses them all."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        deep = 0.25 - math.log(weight)
        if frame.m < 2 or deep > frame.max_score:
            return None
        top = np.arange(frame.m) == int(random.choice(np.flatnonzero(frame.reach == frame.reach.max())))
        arrays = designed(frame, random, [Coarse.of(frame, 1.0, np.where(top, 0.0, -deep))], fine=0.05)
        # Of one sign, so that what is lost adds up.
        arrays = {name: np.abs(array) + 0.5 if name == "V" else array for name, array in arrays.items()}
        return _values(frame, arrays, np.where(top, 0.0, 1.0))

    return build


def _values(frame: Frame, arrays: dict[str, Array], factor: Array) -> Found:
    """Multiply the values of each key by a factor, as far as projections allow: there all by the largest."""
    if frame.given:
        return arrays | {"V": arrays["V"] * factor[:, None]}
    return arrays | {"W_V": arrays["W_V"] * float(factor.max())}


def _large_values(frame: Frame, random: np.random.Generator) -> Found:
    """Values as large as is legal: sums of products come near the largest finite number."""
    arrays = {name: random.standard_normal(shape) for name, shape in frame.shapes.items()}
    return _values(frame, arrays, np.full(frame.m, frame.half / frame.m))


def _tiny_values(frame: Frame, random: np.random.Generator) -> Found:
    """Values just above the smallest normal number."""
    arrays = {name: random.standard_normal(shape) for name, shape in frame.shapes.items()}
    for name in ("V", "W_V"):
        if name in arrays:
            sign = np.where(arrays[name] < 0, -1.0, 1.0)
            arrays[name] = sign * frame.form.tiny * random.uniform(1, 8, arrays[name].shape)
    return arrays


def _constant(frame: Frame, random: np.random.Generator) -> Found:
    """Each column of the values constant, and no power of two: the result is that if the weights add up."""
    arrays = {name: random.standard_normal(shape) for name, shape in frame.shapes.items()}
    if frame.given:
        V = arrays["V"]
        return arrays | {"V": np.broadcast_to(V[..., :1, :], V.shape).copy()}
    for name in ("X", "X_KV"):
        if name in arrays:
            arrays[name][..., -1] = 1.25
    arrays["W_V"][..., :-1, :] = 0.0
    return arrays


def _masked_keys(score: Callable[[Frame], float], value: Callable[[Frame], float]) -> Build:
    """The keys that the fewest queries may attend to hold large numbers: nothing of them may leak."""

    def build(frame: Frame, random: np.random.Generator) -> Found:
        if frame.allowed.all():
            return None
        hidden = frame.reach == frame.reach.min()
        if hidden.all():
            hidden = np.arange(frame.m) == int(random.integers(frame.m))
        high = Coarse.of(frame, 1.0, np.where(hidden, score(frame), 0.0))
        arrays = designed(frame, random, [high], fine=1.0)
        if frame.given:
            return _values(frame, arrays, np.where(hidden, value(frame), 1.0))
        if "X_KV" in arrays:
            # The first column carries the design of the scores.
            arrays["X_KV"][..., 1:] *= np.where(hidden, min(value(frame), 64.0), 1.0)[:, None]
        return arrays

    return build


def _masked_far_above(frame: Frame, random: np.random.Generator) -> Found:
    """Scores rise from the keys that most queries may attend to, to those that fewest may: −10⁴ is no −∞ then."""
    if frame.allowed.all():
        return None
    order = np.argsort(np.argsort(-frame.reach, kind="stable"), kind="stable")
    levels = np.where(frame.reach == frame.reach.max(), -1.0, order / max(1, frame.m - 1))
    return designed(frame, random, [Coarse.of(frame, 1.0, _top(frame) * levels)])


def _special_entries(frame: Frame, random: np.random.Generator) -> Found:
    """Each entry one of a few numbers: zeros, ones, the neighbours of 1, and powers of two."""
    below, above = 1 - frame.form.tiny**0.25, 1.25
    choices = np.array([0.0, 1.0, -1.0, below, above, 0.5, -2.0, 2.0**-10, 1 / 3])
    return {name: random.choice(choices, shape) for name, shape in frame.shapes.items()}


def _mixed_magnitudes(frame: Frame, random: np.random.Generator) -> Found:
    """Rows of very different sizes, some of them zero or equal to others."""
    arrays = {}
    for name, shape in frame.shapes.items():
        array = random.standard_normal(shape)
        rows = random.integers(0, shape[-2], shape[-2])
        kept = np.where(random.random(shape[-2]) < 0.75, np.arange(shape[-2]), rows)
        arrays[name] = array[..., kept, :] * np.exp2(random.integers(-12, 4, (shape[-2], 1)))
    return arrays


def _random_level(frame: Frame, random: np.random.Generator) -> Found:
    """Scores near a random number of random size, from 1 to the limit."""
    level = _top(frame) ** random.random() * random.choice([-1.0, 1.0])
    return scores_near(level)(frame, random)


def _random_levels(frame: Frame, random: np.random.Generator) -> Found:
    """Each query and each key at a level of its own, of random size."""
    sizes = [_top(frame) ** random.random(count) / 2 for count in (frame.n, frame.m)]
    rows, keys = (size * random.choice([-1.0, 1.0], size.size) for size in sizes)
    return designed(frame, random, [Coarse.of(frame, 1.0, keys), Coarse.of(frame, rows, 1.0)])


ORDINARY: Mapping[str, Build] = {
    "mixed magnitudes": _mixed_magnitudes,
    "special entries": _special_entries,
    "equal values of all keys": _constant,
    "tiny values": _tiny_values,
    "rows near -14": _rows_slightly_negative,
    "row maxima apart": _rows_apart_a_little,
    # Weights far above the unit roundoff: what their loss changes is above the errors of the large values.
    "small weights next to values": _small_weights(lambda frame: min(18.0, -0.6 * math.log(frame.form.unit_roundoff))),
    "masked keys hold large numbers": _masked_keys(lambda frame: 12.0, lambda frame: 1024.0),
}

EXTREME: Mapping[str, Build] = {
    "scores near a random number": _random_level,
    "random levels of rows and keys": _random_levels,
    "rows very negative": _rows_negative,
    "row maxima far apart": _row_maxima_apart,
    "later keys far above earlier ones": _growing(1, None),
    "earlier keys far above later ones": _growing(-1, None),
    "each key 60 above the one before": _growing(1, 60.0),
    "each key 60 below the one before": _growing(-1, 60.0),
    "ties far from zero": _far_ties,
    "weights near the unit roundoff": _small_weights(lambda frame: -0.8 * math.log(frame.form.unit_roundoff)),
    "small weights next to large values": _small_weights(lambda frame: -0.8 * math.log(frame.form.tiny)),
    "values near the limit": _large_values,
    "masked keys hold huge numbers": _masked_keys(_top, lambda frame: frame.half / (8 * frame.m)),
    "masked keys far above allowed ones": _masked_far_above,
}
