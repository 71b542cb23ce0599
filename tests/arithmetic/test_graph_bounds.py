"""Bounds hold at random points; and every rule settles what it is for."""

import random
from fractions import Fraction

import flint
import pytest

from attn_verify.arithmetic.ball import ball
from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.graph.bounds import Bounds, Range
from attn_verify.arithmetic.graph.evaluation import ball_rules, evaluate

NAMES = "xyz"
INF = float("inf")


def grow(g, rng, count):
    """A random program of all operations, with many maxima, shifted exponentials and their sums."""
    nodes = [g.input(name, ()) for name in NAMES]
    nodes += [g.number(Fraction(n)) for n in (-2, 1, 3)] + [g.number(Fraction(-1, 3))]
    while len(nodes) < count:
        op = rng.choice(
            ["add", "sub", "mul", "div", "neg", "exp", "log", "sqrt", "max", "max", "shift", "square", "total"]
        )
        a, b, c = (rng.choice(nodes) for _ in range(3))
        try:
            match op:
                case "neg" | "exp" | "log" | "sqrt":
                    made = getattr(g, op)(a)
                case "max":
                    made = g.max([a, b, c][: rng.choice([2, 3])])
                case "shift":
                    made = g.exp(a - g.max([a, b, c]))
                case "square":
                    made = a * a
                case "total":
                    top = g.max([a, b, c])
                    made = g.exp(a - top) + g.exp(b - top) + g.exp(c - top)
                case _:
                    made = getattr(g, op)(a, b)
        except UnmodelledError:
            continue
        if made.special is None:
            nodes.append(made)
    return nodes


def breaks(r, value):
    """Whether a value certainly lies outside."""
    low = r.low != -INF and (value <= ball(r.low) if r.low_open else value < ball(r.low))
    high = r.high != INF and (value >= ball(r.high) if r.high_open else value > ball(r.high))
    return bool(low) or bool(high)


def draw(rng):
    grid = rng.choice([[-1, 0, 1], [-2, Fraction(1, 2), 3], range(-40, 41)])
    return {(name, ()): Fraction(rng.choice(list(grid))) / rng.choice([1, 1, 2, 8]) for name in NAMES}


def test_bounds_hold_at_random_points():
    checked = {}
    with flint.ctx.workprec(200):
        for seed in range(250):
            rng = random.Random(seed)
            g = Graph()
            nodes = grow(g, rng, 30)
            bounds = Bounds(g)
            ranges = {node.index: (bounds.range(node), bounds.low(node)) for node in nodes}
            for _ in range(8):
                values = evaluate(g, nodes, ball_rules(draw(rng)))
                for node in nodes:
                    # A value counts only where the whole program is defined.
                    if not all(values[inner.index].is_finite() for inner in g.cone([node])):
                        continue
                    for r in ranges[node.index]:
                        assert not breaks(r, values[node.index]), f"seed {seed}: {node} outside {r}"
                    told = ranges[node.index][1] != Range()
                    checked[node.op] = checked.get(node.op, 0) + told
    assert all(checked[op] > 200 for op in ("add", "sub", "mul", "div", "neg", "exp", "log", "sqrt", "max")), checked


def test_the_test_would_notice():
    assert breaks(Range(low=Fraction(1)), ball(0))
    assert breaks(Range(low=Fraction(1), low_open=True), ball(1))
    assert not breaks(Range(low=Fraction(1)), ball(1))
    assert breaks(Range(high=Fraction(1), high_open=True), ball(1))
    assert not breaks(Range(high=Fraction(1)), ball(1))


@pytest.fixture
def g():
    return Graph()


def test_signs(g):
    x, y = g.input("x", ()), g.input("y", ())
    sign = Bounds(g).sign
    assert sign(x) is None
    assert sign(g.number(0)) == 0
    assert sign(x * x) is None
    assert sign(g.exp(x) * g.exp(x)) == 1
    assert sign(x * x + 1) == 1
    assert sign(-(x * x) - g.exp(y)) == -1
    assert sign(g.exp(x) / (g.exp(y) + 2)) == 1
    assert sign(-g.exp(x) / g.exp(y)) == -1
    assert sign(-(x * x) / g.exp(y)) is None
    assert sign(x * x / g.exp(y)) is None
    assert sign(g.exp(x) / -g.exp(y)) == -1
    assert sign(-g.exp(x) * -g.exp(y)) == 1
    assert sign(-g.exp(x) * g.exp(y)) == -1
    assert sign(g.sqrt(g.exp(x))) == 1
    assert sign(g.sqrt(x)) is None
    assert sign(g.max([x, y, g.number(1)])) == 1
    assert sign(g.log(2 + g.exp(x))) == 1
    assert sign(g.log(x)) is None
    assert Bounds(g).range(g.log(2 + g.exp(x))).low == 0
    assert sign(g.atom("cos", [x])) is None


def test_products_of_bounds(g):
    x = g.input("x", ())
    a, b = g.exp(x) + 2, g.exp(-x) + 3
    assert Bounds(g).range(a * b) == Range(Fraction(6), INF, low_open=True)
    assert Bounds(g).range(g.exp(-(x * x)) * 2) == Range(Fraction(0), Fraction(2), low_open=True)


def test_differences_from_a_maximum(g):
    x, y, z = (g.input(name, ()) for name in NAMES)
    both, all_three = g.max([x, y]), g.max([x, y, z])
    r = Bounds(g).range
    assert r(x - both).high == 0
    assert r(both - x).low == 0
    assert r(both - all_three).high == 0
    assert r(all_three - both).low == 0
    assert r(z - both) == Range()
    assert r(g.exp(x - both)) == Range(Fraction(0), Fraction(1), low_open=True)


def test_a_shifted_row_sum_is_at_least_one(g):
    s = [g.input("s", (j,)) for j in range(4)]
    top = g.max(s)
    total = g.sum(g.exp(x - top) for x in s)
    assert Bounds(g).range(total).low == 0
    assert Bounds(g).low(total).low == 1
    # A row that leaves one member out has no such bound.
    assert Bounds(g).low(g.sum(g.exp(x - top) for x in s[:3])).low == 0
    assert Bounds(g).low(g.sum(g.exp(x - g.max(s[:2])) for x in s)).low >= 1


def test_an_online_sum_is_at_least_one(g):
    s = [g.input("s", (j,)) for j in range(3)]
    top, total = s[0], g.number(1)
    for x in s[1:]:
        new = g.max([top, x])
        total = total * g.exp(top - new) + g.exp(x - new)
        top = new
    assert Bounds(g).low(total).low >= 1


def test_huge_constants_do_not_overflow(g):
    x = g.input("x", ())
    huge = g.number(Fraction(10) ** 400)
    assert Bounds(g).range(x + huge) == Range()
    assert Bounds(g).range(g.exp(x) + huge).low == 10**400
    assert Bounds(g).range(g.exp(x) * huge).positive
    assert Bounds(g).range(x - g.exp(huge)) == Range()
    assert Bounds(g).low(g.max([x, huge]) - huge).low == 0


def test_ranges_meet():
    assert Range(low=Fraction(0)).meet(Range(low=Fraction(0), low_open=True)) == Range(low=Fraction(0), low_open=True)
    assert Range(high=Fraction(1), high_open=True).meet(Range(high=Fraction(1))) == Range(
        high=Fraction(1), high_open=True
    )
    assert Range(high=Fraction(1), high_open=True).meet(Range(high=Fraction(0))) == Range(high=Fraction(0))
    assert Range(low=Fraction(1), low_open=True).negated() == Range(high=Fraction(-1), high_open=True)


def test_the_largest_of_one_set_says_nothing_about_another():
    g = Graph()
    a, b, c = (g.input(name, ()) for name in NAMES)
    total = g.exp(b - g.max([b, c])) + g.exp(a - g.max([a, b]))
    assert Bounds(g).low(total).low == 0
