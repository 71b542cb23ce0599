"""Programs: hash-consing, the simplifications that hold for all reals, and ±∞ and NaN as IEEE has them."""

import itertools
import math
import random
from fractions import Fraction

import flint
import pytest

from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.graph.evaluation import BallValues, ball_rules, evaluate

SPECIAL = ("inf", "-inf", "nan")


@pytest.fixture
def g():
    return Graph()


def test_equal_operations_are_one_node(g):
    x, y = g.input("x", (0,)), g.input("x", (1,))
    assert g.input("x", (0,)) is x
    assert x + y is y + x
    assert x * y is y * x
    assert x - y is not y - x
    assert x / y is not y / x
    assert g.max([x, y]) is g.max([y, x, y])
    assert g.inputs() == {("x", (0,)): x, ("x", (1,)): y}  # by identity: nodes have no other equality


def test_neutral_elements(g):
    x = g.input("x", ())
    assert x + 0 is x
    assert 0 + x is x
    assert x - 0 is x
    assert x * 1 is x
    assert x / 1 is x
    assert g.neg(g.neg(x)) is x
    assert -1 * x is -x
    assert (x - x).rational == 0
    assert (0 * x).rational == 0
    assert (0 - x) is -x
    assert g.log(g.exp(x)) is x
    assert g.exp(g.number(0)).rational == 1
    assert g.log(g.number(1)).rational == 0
    assert g.sqrt(g.number(Fraction(4, 9))).rational == Fraction(2, 3)
    assert g.sqrt(g.number(2)).op == "sqrt"
    assert g.sum([]).rational == 0


def test_a_divisor_that_depends_on_inputs_stays(g):
    x = g.input("x", ())
    assert (x / x).op == "div"
    assert (0 / x).op == "div"
    assert (x * x).op == "mul"


def test_maxima_are_merged(g):
    x, y, z = (g.input(name, ()) for name in "xyz")
    assert g.max([g.max([x, y]), z]) is g.max([x, g.max([z, y])])
    assert g.max([x, g.number(1), g.max([g.number(3), y])]) is g.max([x, y, g.number(3)])
    assert g.max([x, g.special("-inf")]) is x
    assert g.max([g.special("-inf")]).special == "-inf"
    assert g.max([x, g.special("inf")]).special == "inf"
    assert g.max([g.special("inf"), x, g.special("nan")]).special == "nan"
    assert g.max(iter([g.special("inf"), g.special("nan")])).special == "nan"
    with pytest.raises(UnmodelledError, match="nothing"):
        g.max([])


def ieee(op, a, b):
    try:
        return {"add": a + b, "sub": a - b, "mul": a * b}.get(op) if op != "div" else a / b
    except ZeroDivisionError:
        return None


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div"])
def test_infinities_and_nan_are_those_of_floats(g, op):
    values = [*SPECIAL, Fraction(0), Fraction(2), Fraction(-3)]
    for a, b in itertools.product(values, repeat=2):
        if not isinstance(a, str) and not isinstance(b, str):
            continue
        wanted = ieee(op, float(a), float(b))
        nodes = [g.special(v) if isinstance(v, str) else g.number(v) for v in (a, b)]
        if wanted is None:
            if a != "nan":
                with pytest.raises(UnmodelledError, match="zero"):
                    getattr(g, op)(*nodes)
            continue
        found = getattr(g, op)(*nodes)
        value = float(found.special) if found.special else float(found.rational)
        assert value == wanted or (math.isnan(value) and math.isnan(wanted)), (op, a, b)


def test_infinities_meet_numbers_of_known_sign(g):
    x, minus = g.input("x", ()), g.special("-inf")
    assert (minus + x).special == "-inf"
    assert (minus * g.exp(x)).special == "-inf"
    assert (minus / -g.exp(x)).special == "inf"
    assert (x / minus).rational == 0
    assert (minus / g.sqrt(g.number(3))).special == "-inf"
    for made in (lambda: minus * x, lambda: minus / x):
        with pytest.raises(UnmodelledError, match="unknown sign"):
            made()


def test_functions_at_infinity(g):
    inf, minus, nan = (g.special(v) for v in SPECIAL)
    assert g.exp(minus).rational == 0
    assert g.exp(inf) is inf
    assert g.log(inf) is inf
    assert g.log(g.number(0)) is minus
    assert g.log(g.number(-1)) is nan
    assert g.log(minus) is nan
    assert g.sqrt(inf) is inf
    assert g.sqrt(minus) is nan
    assert g.sqrt(g.number(-1)) is nan
    assert -nan is nan
    assert -inf is minus
    for f in (g.exp, g.log, g.sqrt):
        assert f(nan) is nan


@pytest.mark.parametrize(
    "question",
    [bool, float, lambda x: x == 1, lambda x: x != 1, lambda x: x < 1, lambda x: x >= x, hash, lambda x: {x}],
)
def test_a_node_answers_no_question(g, question):
    with pytest.raises((UnmodelledError, TypeError)):
        question(g.input("x", ()))


def test_foreign_numbers_are_refused(g):
    x = g.input("x", ())
    for other in (0.5, "1", None, Graph().number(1)):
        with pytest.raises(UnmodelledError):
            x + other
    with pytest.raises(UnmodelledError, match="division by zero"):
        x / 0
    assert (g.number(0) / 0).special == "nan"
    with pytest.raises(UnmodelledError, match="cos"):
        g.atom("cos", [g.special("inf")])


def test_a_cone_is_in_order_and_complete(g):
    x, y = g.input("x", ()), g.input("y", ())
    unused = y * 3
    root = g.exp(x + y) / (x * 2)
    cone = g.cone([root])
    places = {node.index: place for place, node in enumerate(cone)}
    assert unused.index not in places
    assert all(places[arg] < places[node.index] for node in cone for arg in node.args)
    assert cone[-1] is root


def test_simplification_keeps_the_value():
    with flint.ctx.workprec(200):
        for seed in range(150):
            rng = random.Random(seed)
            g, plain = Graph(), Graph()
            point = {(name, ()): Fraction(rng.randrange(-9, 10), rng.choice([1, 4])) for name in "xy"}
            pairs = [(g.input(n, ()), plain.input(n, ())) for n in "xy"]
            pairs += [(g.number(c), plain.number(c)) for c in (-1, 0, 1, 2)]
            for _ in range(15):
                (a, pa), (b, pb) = rng.choice(pairs), rng.choice(pairs)
                op = rng.choice(["add", "sub", "mul", "div", "neg", "exp", "log", "sqrt", "max"])
                args, plain_args = ((a,), (pa,)) if op in ("neg", "exp", "log", "sqrt") else ((a, b), (pa, pb))
                try:
                    made = g.max(args) if op == "max" else getattr(g, op)(*args)
                except UnmodelledError:
                    continue
                if made.special is None:
                    pairs.append((made, plain.make(op, tuple(arg.index for arg in plain_args))))
            left = evaluate(g, [a for a, _ in pairs], ball_rules(point))
            right = evaluate(plain, [b for _, b in pairs], ball_rules(point))
            for a, b in pairs:
                u, v = left[a.index], right[b.index]
                if u.is_finite() and v.is_finite():
                    assert u.overlaps(v), f"seed {seed}: {a}"


def test_balls_of_a_growing_graph(g):
    x = g.input("x", ())
    balls = BallValues(g, {("x", ()): Fraction(2)}, bits=80)
    assert balls[x * 3].contains(6)
    y = g.exp(g.log(x + 5)) + g.atom("cos", [x]) - g.atom("cos", [x])
    assert balls[y].contains(7)
    assert not balls[g.special("-inf")].is_finite()
    assert not balls[g.log(-x)].is_finite()
    assert float(balls[g.max([x, g.number(1), x * x])]) == 4
    with pytest.raises(KeyError):
        balls[g.input("unknown", ())]


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "arctan", "arcsin", "arccos"])
def test_enclosures_of_functions_without_a_model(g, name):
    node = g.atom(name, [g.number(Fraction(3, 8))])
    f = {"arctan": math.atan, "arcsin": math.asin, "arccos": math.acos}.get(name) or getattr(math, name)
    assert abs(float(BallValues(g, {})[node]) - f(3 / 8)) < 1e-14
    assert abs(float(BallValues(g, {})[g.atom("erf", [g.number(2)])]) - math.erf(2)) < 1e-14
    assert (
        abs(float(BallValues(g, {})[g.atom("power", [g.number(2), g.number(Fraction(1, 3))])]) - 2 ** (1 / 3)) < 1e-14
    )
    assert abs(float(BallValues(g, {})[g.atom("pi", [])]) - math.pi) < 1e-14
