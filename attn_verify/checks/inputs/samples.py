"""Samples: inputs of one case by name, and the claim that they are for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_verify.errors import SpecError, explain, show
from attn_verify.strategies.frames import CLAIMS, Frame
from attn_verify.strategies.kinds import Kind, kinds, telling

Shapes = Mapping[str, tuple[int, ...]]

# Streams of random numbers: what a battery draws is independent of what random samples draw.
_BATTERY, _RANDOM = 0, 1


@dataclass(frozen=True)
class Sample:
    """One input.

    ``kind`` says in words what is special about it; ``claim`` is ``rounding`` for ordinary magnitudes, ``range`` for
    extreme yet legal ones; ``arrays`` are float64 by name, and numbers of the dtype that they were made for.
    """

    kind: str
    claim: str
    arrays: Mapping[str, NDArray[np.float64]]


def battery(
    shapes: Shapes,
    *,
    sigma: float,
    allowed: ArrayLike | None,
    dtype: str,
    magnitudes: Iterable[float] = (),
    claims: Collection[str] = CLAIMS,
    seed: int = 0,
    start: int = 0,
    step: int = 1,
) -> Iterator[Sample]:
    """Yield one sample of every kind that there is room for, the most telling first.

    With ``start`` and ``step`` only every so many kinds are made.

    ``shapes`` are canonical, with axes of batch and heads in front; ``allowed`` (…, n, m) are the pairs of a query and
    a key that may attend (``None``: all); ``magnitudes`` are numbers to try scores and entries near; ``claims`` selects
    kinds.  The same arguments yield the same samples.

    >>> shapes = {"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)}
    >>> samples = list(battery(shapes, sigma=3**-0.5, allowed=None, dtype="float32"))
    >>> samples[0].kind, samples[0].claim, sum(sample.claim == "range" for sample in samples) > 20
    ('normal', 'rounding', True)
    """
    frame = Frame.of(shapes, sigma=sigma, allowed=allowed, dtype=dtype)
    for at, kind in list(enumerate(telling(_selected(frame, magnitudes, claims))))[start::step]:
        arrays = kind.make(frame, _BATTERY, seed, at)
        if arrays is not None:
            yield Sample(kind.name, kind.claim, arrays)


def random_samples(
    shapes: Shapes,
    *,
    sigma: float,
    allowed: ArrayLike | None,
    dtype: str,
    seed: int,
    count: int,
    start: int = 0,
    magnitudes: Iterable[float] = (),
    claims: Collection[str] = CLAIMS,
) -> list[Sample]:
    """Return ``count`` samples of kinds at random, numbers ``start`` onward of the sequence that ``seed`` stands for.

    Sample number i depends on the seed and on i alone, whoever asks and in whatever pieces.

    >>> shapes = {"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)}
    >>> options = {"sigma": 0.5, "allowed": None, "dtype": "float64", "seed": 1}
    >>> few, later = random_samples(shapes, count=9, **options), random_samples(shapes, count=1, start=8, **options)
    >>> few[8].kind == later[0].kind, bool((few[8].arrays["Q"] == later[0].arrays["Q"]).all())
    (True, True)
    """
    frame = Frame.of(shapes, sigma=sigma, allowed=allowed, dtype=dtype)
    table = _selected(frame, magnitudes, claims)
    groups = [[kind for kind in table if kind.claim == claim] for claim in CLAIMS if claim in claims]
    found: list[Sample] = []
    for number in range(start, start + count):
        for attempt in range(1000):
            random = np.random.default_rng((_RANDOM, seed, number, attempt))
            # Ordinary and extreme ones are equally likely, however many kinds there are of each.
            group = groups[random.integers(len(groups))]
            kind = group[random.integers(len(group))]
            arrays = kind.make(frame, _RANDOM, seed, number, attempt, 1)
            if arrays is not None:
                found.append(Sample(kind.name, kind.claim, arrays))
                break
    return found


def _selected(frame: Frame, magnitudes: Iterable[float], claims: Collection[str]) -> list[Kind]:
    unknown = [claim for claim in claims if claim not in CLAIMS]
    if unknown or not claims:
        received = f"got claims = {show(claims)}"
        raise SpecError(explain("inputs", received, remedy=f"choose from {', '.join(CLAIMS)}"))
    return [kind for kind in kinds(frame, magnitudes) if kind.claim in claims]
