"""Derivatives by the chain rule against difference quotients in balls."""

import random
from fractions import Fraction

import flint
import pytest

from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.graph.evaluation import ball_rules, evaluate
from attn_verify.arithmetic.graph.gradient import gradient

STEP = Fraction(1, 2**200)


def grow(g, rng, depth):
    if depth == 0:
        return g.input(rng.choice("xyz"), ()) if rng.random() < 0.8 else g.number(rng.choice([2, 3, Fraction(1, 3)]))
    op = rng.choice(["add", "sub", "mul", "div", "neg", "exp", "log", "sqrt", "square"])
    a, b = grow(g, rng, depth - 1), grow(g, rng, depth - 1)
    match op:
        case "neg" | "exp":
            return getattr(g, op)(a)
        case "log" | "sqrt":
            return getattr(g, op)(a * a + 1)  # where they are smooth
        case "square":
            return a * a
        case "div":
            return a / (b * b + 2)
    return getattr(g, op)(a, b)


def test_gradients_are_limits_of_quotients():
    tried = 0
    with flint.ctx.workprec(1000):
        for seed in range(120):
            rng = random.Random(seed)
            g = Graph()
            outputs = [grow(g, rng, rng.choice([1, 2, 3, 4])) for _ in range(2)]
            seeds = [g.input("d", (k,)) for k in range(2)]
            wrt = [g.input(name, ()) for name in "xyz"]
            found = gradient(g, outputs, seeds, wrt)
            point = {node.value: Fraction(rng.randrange(-8, 9), 4) for node in (*wrt, *seeds)}
            exact = evaluate(g, found, ball_rules(point))
            for w, d in zip(wrt, found, strict=True):
                quotient = flint.arb(0)
                moved = {**point, w.value: point[w.value] + STEP}
                for seed_node, output in zip(seeds, outputs, strict=True):
                    here = evaluate(g, [output], ball_rules(point))[output.index]
                    there = evaluate(g, [output], ball_rules(moved))[output.index]
                    weight = point[seed_node.value]
                    quotient += flint.arb(flint.fmpq(weight.numerator, weight.denominator)) * (there - here) * 2**200
                if not (exact[d.index].is_finite() and quotient.is_finite()) or abs(quotient) > 2**60:
                    continue
                size = 1 + abs(quotient)
                assert abs(exact[d.index] - quotient) < size * flint.arb(2) ** -60, f"seed {seed}: d/d{w.value[0]}"
                tried += 1
    assert tried > 250


def test_intermediate_results_can_be_variables():
    g = Graph()
    x = g.input("x", ())
    y = x * x
    dx, dy, other = gradient(g, [g.exp(y)], [g.number(1)], [x, y, g.input("z", ())])
    assert dy is g.exp(y)
    assert dx is g.exp(y) * x + g.exp(y) * x or dx is g.exp(y) * (x + x)
    assert other.rational == 0


def test_an_output_that_is_a_variable():
    g = Graph()
    x = g.input("x", ())
    [d] = gradient(g, [x, x], [g.number(2), g.number(3)], [x])
    assert d.rational == 5


@pytest.mark.parametrize("node", [lambda g, x: g.max([x, g.number(0)]), lambda g, x: g.atom("cos", [x])])
def test_what_has_no_derivative_here_is_refused(node):
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    with pytest.raises(UnmodelledError, match="derivative"):
        gradient(g, [node(g, x) * y], [g.number(1)], [x])
    [d] = gradient(g, [node(g, x) * y], [g.number(1)], [y])
    assert d is node(g, x)
