"""Whether a finite fill stands for −∞ as far as the verdict says: it is a score, and nothing is seen of it below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import floor, log2
from random import Random
from typing import Any

from attn_verify.arithmetic.ball import ends
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.graph.limits import in_the_limit
from attn_verify.checks.formula import Entry, expected, formula, scores
from attn_verify.spec import AttentionSpec
from attn_verify.targets.units import Case, Unit

Pairs = Sequence[tuple[Node, Node]]

# A constant this negative may stand for −∞, if the difference cannot be seen in 256 bits.
FILL = Fraction(-100)

# Below exp(−200) a weight cannot be seen in 256 bits; scores as large as floats have are not needed.
_UNSEEN = 200
_LARGEST = Fraction(2**60)
_TRIALS = 24
# Of the largest entry: what is no rounding of 256 bits.
_SEEN = 2.0**-100
# Points at which a hull is looked at.
_HULLS = 6
# As many keys as a block of keys may be filled up with.
_MOST_PADDING = 64


def objection(
    graph: Graph, compared: Mapping[Entry, tuple[Node, Node]], case: Case, spec: AttentionSpec, *,
    orders: Sequence[Any], fills: Sequence[Fraction], point: Mapping[Any, Fraction], seed: int,
    equal: Callable[[Graph, Pairs], bool],
) -> str:  # fmt: skip
    """Return why fills, in the limit of which program and formula are ``equal``, are no scores that stand for −∞.

    Nothing of them may be seen while the scores stay below (:func:`fill_seen`).  And they have to be scores: with all
    fills read as the score 0, a program without a masked pair is attention to further keys and values of zeros, as
    of a block of keys that was filled up; with masked pairs, its output is still in the hull of all values and 0.
    """
    pairs = list(compared.values())
    shown = f"{float(max(fills)):g} stands for −∞ among "
    if fill_seen(graph, pairs, scores(graph, case, spec), orders, fills, seed):
        return f"{shown}masked scores, and here among other numbers too"
    read, nodes, _ = in_the_limit(graph, [got for got, _ in pairs], FILL, score=Fraction(0))
    if all(all(row) for unit in case.units for row in unit.allowed):
        padded = _padded(read, dict(zip(compared, nodes, strict=True)), case, spec, point)
        if not padded or not equal(read, padded):
            return f"{shown}masked scores; here nothing is masked, and it is no score of keys that fill up a block"
    elif _leaves_hull(read, dict(zip(compared, nodes, strict=True)), case, spec, seed):
        return f"{shown}masked scores, and here it is none: read as the score 0, no weighted mean of values is left"
    return ""


def _padded(
    graph: Graph, got: Mapping[Entry, Node], case: Case, spec: AttentionSpec, point: Mapping[Any, Fraction]
) -> Pairs:
    """Pair a program with attention to the keys and some keys of zeros, as many as fit at a point; none if none fit."""
    balls = BallValues(graph, point)
    for padding in range(_MOST_PADDING + 1):
        wanted = expected(graph, case, spec, padding)
        if all(balls[node].overlaps(balls[wanted[key]]) for key, node in got.items()):
            return [(node, wanted[key]) for key, node in got.items()]
    return []


def _leaves_hull(graph: Graph, got: Mapping[Entry, Node], case: Case, spec: AttentionSpec, seed: int) -> bool:
    """Return whether an output of a program is, at some points, surely no weighted mean of all values and 0."""
    random = Random(seed)
    columns = [_values(graph, unit, spec) for unit in case.units]
    for trial in range(_HULLS):
        ones = trial % 2 == 0  # all values are 1, as the first column of X and the first row of W_V make them
        point = {}
        for name, index in case.inputs:
            value = random.choice((-1, 1)) * Fraction(random.randint(1, 64), 64)
            if ones and (name == "V" or (name in ("X", "X_KV") and index[-1] == 0)):
                value = Fraction(1)
            elif ones and name == "W_V":
                value = Fraction(int(index[-2] == 0))
            point[name, index] = value
        balls = BallValues(graph, point)
        for number, unit in enumerate(case.units):
            hulls = _hulls(graph, balls, unit, columns[number])
            for (_, index), node in ((k, v) for k, v in got.items() if k[0] in ("O", "Z", "Y") and k[1][0] == number):
                low, high = hulls[index[-1]]
                if balls[node] < low or balls[node] > high:
                    return True
    return False


def _values(graph: Graph, unit: Unit, spec: AttentionSpec) -> list[list[Node]]:
    """Return the values of all keys, masked ones too, for each column of Z: what is left of it with one key open."""
    keys = range(unit.sizes.keys)
    only = [formula(graph, unit.inputs, unit.sizes, spec, ((*(i == j for i in keys),),) * unit.sizes.n) for j in keys]
    rows = [layer.Z[0] for layer in only]
    return [[value for value in column if value is not None] for column in zip(*rows, strict=True)]


def _hulls(graph: Graph, balls: BallValues, unit: Unit, columns: Sequence[Sequence[Node]]) -> list[tuple[Any, Any]]:
    """Return the least and the largest weighted mean of all values and 0, for each column of the output."""
    values = [[balls[node] for node in column] for column in columns]
    hulls = [(_extreme(column, True), _extreme(column, False)) for column in values]
    if unit.sizes.d_out is None:
        return hulls
    results = []
    for r in range(unit.sizes.d_out):
        weights = [balls[graph.input(*unit.inputs["W_O"][0][c][r])] for c in range(len(hulls))]
        ends_of = [sorted((w * low, w * high), key=float) for w, (low, high) in zip(weights, hulls, strict=True)]
        results.append((sum(low for low, _ in ends_of), sum(high for _, high in ends_of)))
    return results


def _extreme(values: list[Any], least: bool) -> Any:
    result = values[0] * 0
    for value in values:
        result = result.min(value) if least else result.max(value)
    return result


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
