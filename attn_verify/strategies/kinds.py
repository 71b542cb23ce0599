"""The kinds of input that wake mistakes up, by name: each says for which claim it is made, and builds it.

Kinds of the claim ``rounding`` are ordinary inputs, those of ``range`` extreme yet legal ones
(:mod:`~attn_verify.strategies.frames`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from attn_verify.strategies import extremes, families
from attn_verify.strategies.frames import Array, Frame

Build = Callable[[Frame, np.random.Generator], dict[str, Array] | None]


@dataclass(frozen=True)
class Kind:
    """A kind of input: its name, the claim that it is for, and what builds it.

    >>> frame = Frame.of({"Q": (1, 2), "K": (2, 2), "V": (2, 1)}, sigma=1.0, dtype="float32")
    >>> ties = next(kind for kind in kinds(frame) if kind.name == "ties")
    >>> ties.make(frame, 0)["K"].tolist()
    [[0.0, -2.0], [0.0, -2.0]]
    """

    name: str
    claim: str
    build: Build

    def make(self, frame: Frame, *seed: int) -> dict[str, Array] | None:
        """Return a legal input of this kind, in the numbers of the format; ``None`` if the frame has no room for it.

        The same frame and seed give the same arrays.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is made smaller
            arrays = self.build(frame, np.random.default_rng(seed))
        return None if arrays is None else frame.fit(arrays, self.claim)


# Simple ones first: Hypothesis shrinks towards them.
_SIMPLE = (
    "single non-zero entry", "constant values", "small integers", "one-hot rows", "ties", "signs", "zero query rows",
    "normal", "all scores negative", "all scores positive", "large queries", "spread scores",
    "later keys above earlier ones", "earlier keys above later ones", "large values",
)  # fmt: skip

# Near these scores something happens: exp over- and underflows in a format, a fill or a clip is reached.
SCORES = (50.0, 88.0, 104.0, 709.0, 745.0, 1e4, 6.5e4, 1e5)

# Weights that are large enough to be missed, and for ordinary scores.
_SMALLEST, _ORDINARY = 1e-15, 1e-7

# What finds most comes first in a battery.
_TELLING = (
    "normal", "rows very negative", "ties", "masked keys far above allowed ones", "one-hot rows",
    "later keys far above earlier ones", "small integers", "row maxima far apart", "all scores negative",
    "scores near 709", "scores near -745", "all scores below -10000", "small weights next to large values",
    "masked keys hold huge numbers", "constant values", "scores near 100000", "scores near -100000", "large queries",
    "masked keys hold large numbers", "tiny values", "values near the limit", "earlier keys far above later ones",
)  # fmt: skip


def kinds(frame: Frame, magnitudes: Iterable[float] = ()) -> list[Kind]:
    """Return all kinds of input that a frame has room for, the simplest first.

    ``magnitudes`` are numbers to try scores and entries near, such as constants in the code of a target; numbers below
    1 count as weights, too: scores are tried near their logarithms, and weights a little below them.
    """
    found = [Kind(name, "rounding", _family(families.FAMILIES[name])) for name in _SIMPLE]
    found += [Kind(name, "rounding", build) for name, build in extremes.ORDINARY.items()]
    extra = sorted({abs(float(x)) for x in magnitudes if math.isfinite(x) and x})
    for near in extra:
        if 1e-6 <= near <= 1e4:
            found.append(Kind(f"entries near {near:g}", "rounding", extremes.entries_near(near)))
        if _SMALLEST <= near <= 0.25:
            claim = "rounding" if near >= _ORDINARY else "range"
            found.append(Kind(f"weights just below {near:g}", claim, extremes.weights_near(near)))
    found += [Kind(name, "range", build) for name, build in extremes.EXTREME.items()]
    if frame.allowed.all():
        found = [kind for kind in found if not kind.name.startswith("masked")]
    for near in _scores(frame, extra):
        for sign in (1, -1):
            found.append(Kind(f"scores near {sign * near:g}", "range", extremes.scores_near(sign * near)))
        if near >= 1e3 and 1.25 * near <= frame.max_score:
            below = extremes.scores_near(-min(2 * near, frame.max_score))
            found.append(Kind(f"all scores below {-near:g}", "range", below))
    return list({kind.name: kind for kind in found}.values())


def telling(found: Iterable[Kind]) -> list[Kind]:
    """Return the kinds in the order of a battery: the most telling first, then ordinary and extreme ones in turn."""
    rank = {name: at for at, name in enumerate(_TELLING)}
    ranked = sorted((kind for kind in found if kind.name in rank), key=lambda kind: rank[kind.name])
    rest = [kind for kind in found if kind.name not in rank]
    return ranked + rest


def _scores(frame: Frame, extra: Iterable[float]) -> list[float]:
    """Return the scores to try, none within 2 % of another."""
    form = frame.form
    own = (-math.log(form.tiny), math.log(form.largest), -math.log(form.subnormal))
    logs = [-math.log(x) for x in extra if x < 1]
    near: list[float] = []
    for score in (*SCORES, *own, *extra, *logs):
        if 1.0 <= score <= frame.max_score and all(abs(score - other) > 0.02 * other for other in near):
            near.append(score)
    return near


def _family(family: families.Family) -> Build:
    def build(frame: Frame, random: np.random.Generator) -> dict[str, Array]:
        return dict(family(frame.shapes, random))

    return build
