"""Points on the paths of a program, and paths that no input takes."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.contradiction import Contradictions
from attn_verify.checks.outcome import Condition, ProvedPath
from attn_verify.checks.points.reaching import near_path, points_on_paths
from attn_verify.checks.points.tape import Tape
from attn_verify.checks.reading import floats

SEED = 5


def below(*pairs: tuple[Node, Node]) -> list[Condition]:
    return [Condition("lt", low, high, True, "") for low, high in pairs]


def narrow(g: Graph, value: Node, middle: Fraction, width: Fraction) -> list[Condition]:
    return below((value, g.number(middle + width)), (g.number(middle - width), value))


def points(g: Graph, conditions: list[Condition], names: list[str]) -> list[dict[object, Fraction]]:
    path = ProvedPath(conditions, {})
    start = {(name, ()): Fraction(1, 2) for name in names}
    found = points_on_paths(
        g, [path], [start], np.random.default_rng(SEED), roundoff=2.0**-53, limit=300, never=lambda _: False
    )
    return [dict(point) for point in found[0]]


def test_places_that_are_narrow_in_several_directions_are_reached() -> None:
    g = Graph()
    x, y, z = (g.input(name, ()) for name in "xyz")
    width = Fraction(1, 10**9)
    conditions = narrow(g, x, Fraction(29, 4), width) + narrow(g, y * z, Fraction(-7, 2), width)
    conditions += narrow(g, g.exp(z) * x, Fraction(3), Fraction(1, 10**7))
    found = points(g, conditions, ["x", "y", "z"])
    assert found, f"seed {SEED}"
    for c in conditions:
        left, right = floats(g, [c.left, c.right], found[0])
        assert left < right


def test_points_near_a_path_answer_its_questions_as_it_does() -> None:
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    path = [*below((x * y, g.number(-1))), Condition("lt", x, y, False, "")]
    found = near_path(g, path, [("x", ()), ("y", ())], np.random.default_rng(SEED), most=6)
    assert len(found) == 6, f"seed {SEED}"
    assert all(point["x", ()] * point["y", ()] < -1 and point["x", ()] >= point["y", ()] for point in found)
    impossible = below((g.log(-1 - x * x), g.number(0)))
    assert not near_path(g, impossible, [("x", ())], np.random.default_rng(SEED), most=6)


def test_an_equation_that_always_holds_has_no_point_beside_it() -> None:
    g = Graph()
    x = g.input("x", ())
    sine, cosine = g.atom("sin", [x]), g.atom("cos", [x])
    assert not points(g, [Condition("eq", sine * sine + cosine * cosine, g.number(1), False, "")], ["x"])


def test_a_place_narrower_than_rounding_does_not_count() -> None:
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    assert not points(g, narrow(g, x * y * y, Fraction(10), Fraction(1, 10**18)), ["x", "y"])


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (lambda g, x, y: below((x, y), (y, x - 1)), "never"),
        (lambda g, x, y: below((x * x + y * y, 2 * x * y)), "never"),
        (lambda g, x, y: below((g.exp(x), g.exp(y)), (y, x)), "never"),
        (lambda g, x, y: below((x, g.number(1)), (g.number(0), x), (g.number(3), g.exp(x))), "never"),
        (lambda g, x, y: below((g.number(Fraction(1, 100)), g.exp(x) * g.exp(-x) - 1)), "never"),
        (lambda g, x, y: [Condition("lt", x, y, False, ""), Condition("lt", y, x, False, "")], "rarely"),
        (lambda g, x, y: below((x, y), (y, x + 1)), ""),
        (lambda g, x, y: below((x * y, x * x - 1), (x, y)), ""),
        (lambda g, x, y: narrow(g, x, Fraction(29, 4), Fraction(1, 10**12)), ""),
    ],
)
def test_answers_that_contradict_one_another(asked: Callable[..., list[Condition]], wanted: str) -> None:
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    assert Contradictions(g).of(asked(g, x, y)) == wanted


def test_slopes_are_those_of_small_steps() -> None:
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    root = g.div(g.exp(x * y) + g.sqrt(x), y) - g.log(x) + g.max([x, y])
    tape = Tape(g, [root])
    at = {("x", ()): np.array([1.5, 0.7]), ("y", ()): np.array([0.5, -1.25])}
    values = tape.run(at)
    slopes = tape.slopes(values, {tape.at[root.index]: np.ones(2)})
    for name in at:
        moved = tape.run({**at, name: at[name] + 1e-6})
        assert np.allclose(slopes[name], (moved[tape.at[root.index]] - values[tape.at[root.index]]) / 1e-6, atol=1e-3)
