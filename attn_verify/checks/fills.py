"""Whether a finite fill stands for −∞ as far as the verdict says: it is a score, and nothing is seen of it below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import chain, combinations_with_replacement, islice, product
from math import log2
from random import Random
from typing import Any

from attn_verify.arithmetic.ball import ends
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.arithmetic import node_arithmetic
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.graph.limits import in_the_limit
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.checks.formula import SEEDS, Entry, expected, scaling, scores
from attn_verify.checks.reading import overlap
from attn_verify.checks.refilled import refilled, refilled_gradients, ways_to_read
from attn_verify.spec import AttentionSpec
from attn_verify.targets.units import Case

Pairs = Sequence[tuple[Node, Node]]
# Attention with masked pairs: the graph, the case, the spec, how they are read, further keys, fills of their scores.
_Template = Callable[..., Mapping[Entry, Node]]

# A constant this negative may stand for −∞, if the difference cannot be seen in 256 bits.
FILL = Fraction(-100)

# Below exp(−200) a weight cannot be seen in 256 bits; scores as large as floats have are not needed.
_UNSEEN = 200
_LARGEST = Fraction(2**60)
_TRIALS = 24
# Of the largest entry: what is no rounding of 256 bits.
_SEEN = 2.0**-100
# By which all fills are multiplied, to see what else depends on them.
_GROWTH: Entry = ("fill", ())
# Of scores that masked pairs may have, so many are tried.
_MOST_CHOICES = 600
# As many keys as a block of keys may be filled up with.
_MOST_PADDING = 1024
# Which part of a fill may stand for it: a fill that is added before the scores are scaled is scaled with them.
_PORTIONS = (Fraction(1), Fraction(1, 2), Fraction(1, 4))


def objection(
    graph: Graph, compared: Mapping[Entry, tuple[Node, Node]], case: Case, spec: AttentionSpec, *,
    orders: Sequence[Any], fills: Sequence[Fraction], point: Mapping[Any, Fraction], seed: int,
    equal: Callable[[Graph, Pairs], bool],
) -> tuple[str, Fraction]:  # fmt: skip
    """Return why fills, in the limit of which program and formula are ``equal``, are no scores that stand for −∞.

    Where nothing is said against them, the second part of the result is the portion ``c`` of a fill F such that a
    masked weight was at most ``exp(c F + 2 s)`` wherever no score exceeds s in magnitude.
    Nothing of fills may be seen while the scores stay below (:func:`fill_seen`).  And they have to be scores: with all
    fills read as the score 0, a program must be attention in which a masked pair has the score 0, or its own, or none
    still, and in which there may be further keys and values of zeros, as of a block of keys that was filled up.  With
    fills that grow, the scores of these pairs must grow, and nothing else.
    """
    pairs = list(compared.values())
    shown = f"{float(max(fills)):g} stands for −∞ among "
    about = scores(graph, case, spec)
    portion = next((c for c in _PORTIONS if not fill_seen(graph, pairs, about, orders, fills, seed, portion=c)), None)
    if portion is None:
        return f"{shown}masked scores, and here among other numbers too", Fraction(0)
    read, nodes, _ = in_the_limit(graph, [got for got, _ in pairs], FILL, read_as=lambda new, _: new.number(0))
    got = dict(zip(compared, nodes, strict=True))
    masked = _masks(case)
    gradients = any(name.startswith("d") for name, _ in got)
    templates: list[_Template] = [refilled]
    if gradients:
        templates = [partial(refilled_gradients, flowing=flowing) for flowing in ((True, False) if masked else (True,))]
    why = "read as the score 0, other attention is left"
    for template, readings in product(templates, list(ways_to_read(case, spec))):
        read_so = partial(template, read, case, spec, readings) if masked else partial(expected, read, case, spec)
        padding = 0 if masked and gradients else _padding(read, got, read_so, case, point)
        if padding is None:
            continue
        wanted = read_so(padding)
        same = [(node, wanted[key]) for key, node in got.items()]
        if overlap(read, same, point) and equal(read, same):
            if _grows(graph, compared, case, spec, template, readings, padding, point=point, equal=equal):
                return "", portion
            why = "as it grows, other attention is left"
    if masked:
        return f"{shown}masked scores, and here it is none: {why}", Fraction(0)
    text = f"{shown}masked scores; here nothing is masked, and it is no score of keys that fill up a block"
    return text, Fraction(0)


def _grows(
    graph: Graph, compared: Mapping[Entry, tuple[Node, Node]], case: Case, spec: AttentionSpec,
    template: _Template, readings: Sequence[str], padding: int, *,
    point: Mapping[Any, Fraction], equal: Callable[[Graph, Pairs], bool],
) -> bool:  # fmt: skip
    """Return whether a program whose fills are multiplied by t is attention with scores that are multiples of t.

    It is for every t, and so for t = 1, which is the program.  A masked pair has the score c t, or c t beside its own,
    where c is a fill, one that the scale was applied to, or a sum of two.
    """
    constants: dict[int, Node] = {}

    def grown(new: Graph, constant: Node) -> Node:
        constants[constant.index] = constant
        return constant * new.input(*_GROWTH)

    read, nodes, bounds = in_the_limit(graph, [got for got, _ in compared.values()], FILL, read_as=grown)
    growth = read.input(*_GROWTH)
    near = {**point, _GROWTH: 2 / max(map(abs, bounds))}
    sizes = case.units[0].sizes
    scale = scale_value(spec.scale_node(), sizes, node_arithmetic(read))
    single = list(constants.values())
    sums = [*single, *(a + b for a, b in combinations_with_replacement(single, 2))]
    scores = [c * growth for c in (*sums, *(c * scale for c in sums))]
    there = [why for why, reading in enumerate(readings) if reading != "none"] if _masks(case) else []
    sorts = [*there, *([3] if padding else [])]
    choices = chain(((one,) * len(sorts) for one in scores), product(scores, repeat=len(sorts)))
    for choice in islice(choices, _MOST_CHOICES):
        fills: list[Node | None] = [None] * 4
        for sort, score in zip(sorts, choice, strict=True):
            fills[sort] = score
        wanted = template(read, case, spec, readings, padding, fills)
        same = [(node, wanted[key]) for key, node in zip(compared, nodes, strict=True)]
        if overlap(read, same, near) and equal(read, same):
            return True
    return False


def _masks(case: Case) -> bool:
    return not all(all(row) for unit in case.units for row in unit.allowed)


def _padding(
    graph: Graph, got: Mapping[Entry, Node], read_so: Callable[[int], Mapping[Entry, Node]], case: Case,
    point: Mapping[Any, Fraction],
) -> int | None:  # fmt: skip
    """Return how many keys of zeros a program seems to add, if its output is ``read_so`` with some.

    With one entry of W_O and of dO that is not zero, an output is ``N/(Z + k)`` with ``k`` such keys, so that its
    inverse grows evenly.
    """
    first = dict(reversed(case.inputs))
    alone = {
        (name, index): Fraction(0) if name in ("W_O", *SEEDS) and index != first[name] else value
        for (name, index), value in point.items()
    }
    balls = BallValues(graph, alone)
    formulas = [read_so(padding) for padding in (0, 1, 2)]
    for key, node in got.items():
        values = [balls[node], *(balls[wanted[key]] for wanted in formulas)]
        if any(value.contains(0) for value in values):
            continue
        found, none, one, two = (1 / value for value in values)
        step = one - none
        if not step.contains(0) and step.overlaps(two - one):
            padding = ((found - none) / step).unique_fmpz()
            return int(padding) if padding is not None and 0 <= padding <= _MOST_PADDING else None
    return None


def fill_seen(
    graph: Graph, pairs: Sequence[tuple[Node, Node]], scores: Sequence[Node], orders: Sequence[Any],
    fills: Sequence[Fraction], seed: int, portion: Fraction = Fraction(1),
) -> bool:  # fmt: skip
    """Return whether a program shows its fills, by more than 2⁻¹⁰⁰, or could not be tried, below them.

    The program and the formula are compared in balls at points whose ``scores``, those of masked pairs included, are
    small, or up to half of a ``portion`` of the smallest fill; there every input array has a magnitude of its own, so
    that what is no score is not small.
    ``orders`` are the questions of the path, with ``op``, ``left``, ``right`` and ``answer``.
    """
    names = list(graph.inputs())
    arrays = sorted({name for name, _ in names})
    linear, degree = scaling(arrays)
    least = min((portion * min(abs(fill) for fill in fills) - _UNSEEN) / 2, _LARGEST)
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
        # Rounded down by little: a fill must not be seen up to the end.
        factor = Fraction(2.0 ** ((log2(wanted) - log2(largest)) / degree) * (1 - 2.0**-20))
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
