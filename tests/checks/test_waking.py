"""Values that are alike at all inputs tried, and inputs at which they are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.points.waking import Woken, waking_points
from attn_verify.checks.reading import floats

SEED = 11
NAMES = "xyz"


def less(left: Node, right: Node) -> Condition:
    return Condition("lt", left, right, True, "")


def woken(
    g: Graph, conditions: Sequence[Condition] = (), work: int = 200_000, result: Node | None = None,
    scores: Sequence[Node] = (),
) -> Woken:  # fmt: skip
    random = np.random.default_rng(SEED)
    tried = [{(name, ()): Fraction(float(random.standard_normal())) for name in NAMES} for _ in range(12)]
    path = ProvedPath(list(conditions), {} if result is None else {("O", ()): result})
    return waking_points(g, [path], [tried], random, roundoff=2.0**-53, limit=300, scores=scores, work=work)


def hat(g: Graph, x: Node, middle: float, width: float = 1.0) -> Node:
    """max(width² − (x − middle)², 0)."""
    away = x - Fraction(middle)
    return g.max([Fraction(width) ** 2 - away * away, g.number(0)])


SLEEPING: dict[str, Callable[[Graph, Node, Node, Node], Node]] = {
    "a hat": lambda g, x, y, z: hat(g, x, 77),
    "a narrow hat": lambda g, x, y, z: hat(g, x, 77, 1e-5),
    "what is left of a hat": lambda g, x, y, z: 1 - hat(g, x, 77),
    "a product of hats": lambda g, x, y, z: hat(g, x, 77) * hat(g, y, -41) * hat(g, z * x, 300, 5),
    "a hat in the exponent": lambda g, x, y, z: g.exp(-10000 * (x - 77) * (x - 77)),
    "a resonance": lambda g, x, y, z: 1 / (1 + 10**12 * (x - 77) * (x - 77)),
    "a step": lambda g, x, y, z: 1 / (1 + g.exp(5 * (77 - x))),
    "a crest": lambda g, x, y, z: g.max([(g.atom("sin", [x * y]) - 1) * 10**7 + 1, g.number(0)]),
    "the other side of a root": lambda g, x, y, z: g.sqrt((x - 50) * (x - 50)) + (x - 50),
    "a hat of a hat": lambda g, x, y, z: g.max([hat(g, x, 77) - Fraction(1, 2), g.number(0)]),
    "a small power": lambda g, x, y, z: (lambda q: q * q * q * q)(1 / (1 + (x - 77) * (x - 77))),
}  # fmt: skip


@pytest.mark.parametrize("what", SLEEPING)
def test_what_sleeps_is_woken(what: str) -> None:
    g = Graph()
    value = SLEEPING[what](g, *(g.input(name, ()) for name in NAMES))
    [points] = woken(g).points
    at_rest = floats(g, [value], {(name, ()): Fraction(1, 3) for name in NAMES})[0]
    moved = [abs(floats(g, [value], point)[0] - at_rest) for point in points]
    assert max(moved, default=0) > (1e-12 if "narrow" in what else 1e-4), f"seed {SEED}"


def test_what_is_awake_already_is_let_be() -> None:
    g = Graph()
    x, y, _ = (g.input(name, ()) for name in NAMES)
    g.exp(x * y) / (g.exp(x) + g.max([x, y]) + 10)
    assert woken(g) == Woken([[]])


def test_two_that_are_not_multiplied_are_woken_together() -> None:
    g = Graph()
    x, y, z = (g.input(name, ()) for name in NAMES)
    both = [hat(g, x, 77), hat(g, y - z, 55)]
    [points] = woken(g).points
    assert any(min(floats(g, both, point)) > 0 for point in points), f"seed {SEED}"


def test_points_stay_on_the_path() -> None:
    g = Graph()
    x, y, z = (g.input(name, ()) for name in NAMES)
    value = hat(g, x, 77)
    conditions = [less(g.number(40), y * z), less(x, g.number(Fraction("76.5")))]
    [points] = woken(g, conditions).points
    assert points, f"seed {SEED}"
    for point in points:
        found = floats(g, [value, y * z, x], point)
        assert found[0] > 0
        assert found[1] > 40
        assert found[2] < 76.5


def test_where_exponentials_that_count_are_moderate() -> None:
    g = Graph()
    x, y, _ = (g.input(name, ()) for name in NAMES)
    value = hat(g, x, 77)
    result = g.exp(x * y)
    [points] = woken(g, result=result).points
    assert any(floats(g, [value], point)[0] > 0 for point in points), f"seed {SEED}"
    assert all(floats(g, [x * y], point)[0] <= 300 for point in points)


def test_what_cannot_be_woken_takes_no_time_and_no_doubt() -> None:
    g = Graph()
    x, y, _ = (g.input(name, ()) for name in NAMES)
    top = g.max([x, y])
    g.exp(x - 10**9 - top) * y  # a fill
    (x + y) - (y + x)
    g.max([g.exp(x), g.number(Fraction(-1, 2))])
    assert woken(g, work=20_000, scores=[x, y]) == Woken([[]])


@pytest.mark.parametrize(
    "build",
    [
        lambda g, x, y: g.max([hat(g, x, 77) + hat(g, y, 10) - Fraction(3, 2), g.number(0)]),
        lambda g, x, y: (lambda w: w + g.sqrt(w * w + Fraction(1, 10**20)))(1 - (x - 77) * (x - 77)),
        lambda g, x, y: hat(g, g.atom("sin", [10**9 * x * x + y]) * g.atom("sin", [10**8 * y * y + x]), 2, 1.0001),
    ],
    ids=["a sum of hats", "a difference that hardly shows", "a needle in waves"],
)
def test_what_is_neither_woken_nor_constant_is_told(build: Callable[[Graph, Node, Node], Node]) -> None:
    g = Graph()
    x, y, _ = (g.input(name, ()) for name in NAMES)
    value = build(g, x, y)
    found = woken(g)
    moved = [abs(floats(g, [value], point)[0]) for point in found.points[0]]
    assert found.unseen or found.left or max(moved, default=0) > 1e-6, f"seed {SEED}"


def test_what_is_constant_for_a_reason_is_not_told() -> None:
    g = Graph()
    x, y, z = (g.input(name, ()) for name in NAMES)
    top = g.max([x, y])
    weights = [g.exp(x - top), g.exp(y - top)]
    g.sum(weights) / (weights[0] + weights[1]) + (x * (y + z) - x * y - x * z)
    g.exp(z) * g.exp(-z)
    assert woken(g).unseen == 0


def test_a_search_that_is_cut_short_is_told() -> None:
    g = Graph()
    x, y, _ = (g.input(name, ()) for name in NAMES)
    hat(g, x, 77)
    hat(g, y, 78)
    assert woken(g, work=0).left == 2
