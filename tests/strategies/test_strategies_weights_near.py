"""Weights near a number that the code mentions: a threshold below which it drops weights."""

from __future__ import annotations

import numpy as np
import pytest

from attn_verify.strategies.frames import Frame
from attn_verify.strategies.kinds import kinds

FRAME = Frame.of({"Q": (1, 3, 4), "K": (1, 5, 4), "V": (1, 5, 2)}, sigma=0.5, dtype="float64")


@pytest.mark.parametrize("threshold", [1e-3, 1e-13])
def test_all_weights_but_one_lie_just_below(threshold: float) -> None:
    kind = next(kind for kind in kinds(FRAME, [threshold]) if kind.name.startswith("weights just below"))
    assert kind.claim == ("rounding" if threshold > 1e-7 else "range")
    arrays = kind.make(FRAME, 3)
    assert arrays is not None
    S = 0.5 * arrays["Q"] @ arrays["K"].mT
    P = np.exp(S - S.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)
    assert ((threshold / 2 < P) & (threshold > P)).sum() == 3 * 4, "seed 3"


def test_other_numbers_are_no_weights() -> None:
    assert not [kind for kind in kinds(FRAME, [0.5, 3.0, 1e-30]) if kind.name.startswith("weights just below")]
    alone = Frame.of({"Q": (1, 3, 4), "K": (1, 1, 4), "V": (1, 1, 2)}, sigma=0.5, dtype="float64")
    kind = next(kind for kind in kinds(alone, [1e-3]) if kind.name.startswith("weights just below"))
    assert kind.make(alone, 3) is None
