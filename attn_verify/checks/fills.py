"""Whether a finite fill stands for −∞ as far as the verdict says: nothing is seen of it while scores stay below it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, log2
from random import Random
from typing import Any

from attn_verify.arithmetic.ball import ends
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.evaluation import BallValues

# Below exp(−200) a weight cannot be seen in 256 bits; scores as large as floats have are not needed.
_UNSEEN = 200
_LARGEST = Fraction(2**60)
_TRIALS = 24
# Of the largest entry: what is no rounding of 256 bits.
_SEEN = 2.0**-100


def fill_seen(
    graph: Graph, pairs: Sequence[tuple[Node, Node]], scores: Sequence[Node], orders: Sequence[Any],
    fills: Sequence[Fraction], seed: int,
) -> bool:  # fmt: skip
    """Return whether a program shows its fills, by more than 2⁻¹⁰⁰, or could not be tried, below them.

    The program and the formula are compared in balls at points whose ``scores``, those of masked pairs included, are
    small, or up to an eighth of the smallest fill; there every input array has a magnitude of its own, so that what
    is no score is not small.
    ``orders`` are the questions of the path, with ``op``, ``left``, ``right`` and ``answer``.
    """
    names = list(graph.inputs())
    arrays = sorted({name for name, _ in names})
    linear = "Q" if "Q" in arrays else "W_Q"
    # Where queries and keys come from one array, scores are of the second degree in it.
    degree = 1 if {"Q": "K", "W_Q": "W_K"}[linear] in arrays else 2
    least = min((min(abs(fill) for fill in fills) - _UNSEEN) / 8, _LARGEST)
    # Four inputs may meet in a product, and its size must be a float.
    span = min(max(40, min(fills, key=abs).numerator.bit_length() + 16), 120)
    random = Random(seed)
    tried = 0
    for trial in range(_TRIALS if least > 0 else 0):
        scale = {name: Fraction(2) ** random.choice((-span, 0, random.randint(-span, span), span)) for name in arrays}
        point = {key: random.choice((-1, 1)) * Fraction(random.randint(1, 64), 64) * scale[key[0]] for key in names}
        largest = max(abs(ends(BallValues(graph, point)[score])[1]) for score in scores)
        if not largest:
            continue
        wanted = least if trial % 2 else min(least, Fraction(1))
        factor = Fraction(2) ** (floor(log2(wanted) - log2(largest)) // degree)
        point = {key: value * factor if key[0] == linear else value for key, value in point.items()}
        balls = BallValues(graph, point)
        if any(c.op == "lt" and not _holds(balls, c) for c in orders):
            continue
        tried += 1
        seen = max(abs(balls[want]) for _, want in pairs) * _SEEN
        if any(abs(balls[got] - balls[want]) > seen for got, want in pairs):
            return True
    return not tried


def _holds(balls: BallValues, condition: Any) -> bool:
    left, right = balls[condition.left], balls[condition.right]
    return bool(left < right if condition.answer else left >= right)
