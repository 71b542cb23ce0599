"""Attempts to talk the kernel into something false: by signs, roots, sums, deltas and slopes."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from attempt_letters import NONE, VE, A, D, P, V, W, a, alg, b, e, g, i, j, k, m, number, one, two, u, x, y, z, zero

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import fresh
from attn_verify.theorems.kernel.calculus import rising, tangent
from attn_verify.theorems.kernel.facts import Fact, assume, magnitude, order, put
from attn_verify.theorems.kernel.outside import Pow
from attn_verify.theorems.notation import Abs, Delta, Deriv, Eq, Exp, Le, Log, Lt, Num, Size, Sum, Trig, Whole, scalar
from attn_verify.theorems.slopes import slope_at


def _tangent_with_hypothesis_through_a_function() -> Fact:
    fx = x**4 / 12 - 5 * x**3 / 6
    G = [Eq(g, x), Le(number(5), g), Le(zero, g)]
    cl = Le(zero, fx)
    v = alg(put(fx, {x.symbol: ((), zero)}), 0)
    s = alg(slope_at(fx, x, Fraction(0), G), 0)
    cu = order(Le(zero, Deriv(Deriv(fx, x), x)), G, certificate=g * (g - 5))
    return tangent(cl, v, s, cu, x, Fraction(0))


def _tangent_of_a_cube() -> Fact:
    fx = x**3
    return tangent(
        Le(zero, fx),
        alg(put(fx, {x.symbol: ((), zero)}), 0),
        alg(slope_at(fx, x, Fraction(0)), 0),
        order(Le(zero, Deriv(Deriv(fx, x), x)), [Le(zero, x)]),
        x,
        Fraction(0),
    )


def _tangent_at_a_negative_point() -> Fact:
    fx = (x + 1) ** 3
    p = Fraction(-1)
    return tangent(
        Le(zero, fx),
        alg(put(fx, {x.symbol: ((), number(p))}), 0),
        alg(slope_at(fx, x, p), 0),
        order(Le(zero, Deriv(Deriv(fx, x), x)), [Le(zero, x)]),
        x,
        p,
    )


def _rising_from_a_function() -> Fact:
    fx = (x - 3) ** 2 - 4
    return rising(
        Le(zero, fx),
        assume(Le(zero, put(fx, {x.symbol: ((), g)}))),
        order(Le(zero, Deriv(fx, x)), [Le(g, x), Le(number(3), g)], certificate=2 * (x - g) + 2 * (g - 3)),
        x,
        g,
    )


def _rising_from_many_starts() -> Fact:
    fx = x - V[i]
    return rising(Le(zero, fx), order(Le(zero, V[i] - V[i])), order(Le(zero, Deriv(fx, x)), certificate=one), x, V[i])


def _rising_with_start_hypothesis_on_x() -> Fact:
    fx = x - 1
    return rising(Le(zero, fx), order(Le(zero, zero - 1 + 1)), order(Le(zero, Deriv(fx, x)), certificate=one), x, zero)


def _rising_over_a_pole() -> Fact:
    fx = -(x ** (-1))
    return rising(
        Le(zero, fx),
        order(Le(zero, put(fx, {x.symbol: ((), number(-1))}))),
        order(Le(zero, Deriv(fx, x)), certificate=x ** (-2)),
        x,
        number(-1),
    )


def _bound_name_by_fresh() -> Fact:
    w = fresh(i, "$1_0")
    return alg(Sum(w, Sum(i, V[i] * W[w])), Sum(i, V[i] * W[i]))


def _put_a_derivative_away() -> Fact:
    fx = Deriv(x**2, x)
    return tangent(Le(zero, fx), alg(0, 0), alg(0, 0), order(Le(zero, Deriv(Deriv(fx, x), x))), x, Fraction(0))


ON_A_CURVE = {name: scalar(name, ("t",)) for name in "xy"}  # x = x(t), y = y(t)
FALSE: dict[str, Callable[[], object]] = {
    "tangent with hypothesis through a function": _tangent_with_hypothesis_through_a_function,
    "tangent of a cube": _tangent_of_a_cube,
    "tangent at a negative point": _tangent_at_a_negative_point,
    "rising from many starts": _rising_from_many_starts,
    "rising with start hypothesis on x": _rising_with_start_hypothesis_on_x,
    "rising over a pole": _rising_over_a_pole,
    "divide by zero": lambda: alg(x / x, 1),
    "divide by a hidden zero": lambda: alg((x - x) / (x - x), 1),
    "divide by a zero by rule": lambda: alg((x - y) / (x - y), 1, [Eq(x, y)]),
    "cancel in the other order": lambda: alg(0 * x ** (-1), 0),
    "zero times log": lambda: alg(0 * Log(x), 0),
    "zero to the minus one in a sum": lambda: alg(Sum(i, V[i] ** (-1) * 0), 0),
    "root of a square": lambda: alg(Pow(x**2, Fraction(1, 2)), x),
    "root of a square nonzero": lambda: alg(Pow(x**2, Fraction(1, 2)), x, [Lt(zero, x**2)]),
    "cube root of a cube": lambda: alg(Pow(x**3, Fraction(1, 3)), x),
    "root of a negative": lambda: alg(Pow(number(-1), Fraction(1, 2)) ** 2, -1),
    "log of a square": lambda: alg(Log(x**2), 2 * Log(x), [Lt(zero, x**2)]),
    "log of a product": lambda: alg(Log(x * y), Log(x) + Log(y), [Lt(zero, x * y)]),
    "exp log": lambda: alg(Exp(Log(x)), x),
    "exp half log": lambda: alg(Exp(Log(x**2) / 2), x, [Lt(zero, x**2)]),
    "abs without sign": lambda: magnitude(Eq(Abs(x), x)),
    "abs square": lambda: magnitude(Eq(Abs(x), x**2), [Eq(x**2, one)]),
    "abs below from one side": lambda: magnitude(Le(Abs(x), a), [Le(x, a)]),
    "abs of abs plus": lambda: alg(Abs(x + y), Abs(x) + Abs(y)),
    "strict square": lambda: order(Lt(zero, x**2)),
    "strict empty sum": lambda: order(Lt(zero, Sum(e, Exp(VE[e])))),
    "size of an empty set": lambda: order(Lt(zero, Size(NONE))),
    "divide by size of empty": lambda: alg(Size(NONE) / Size(NONE), 1),
    "odd power": lambda: order(Le(zero, x**3)),
    "negative even power": lambda: order(Lt(zero, x ** (-2))),
    "zero exponent of zero": lambda: alg((x - x) ** 0, 0),
    "product of two unknowns": lambda: order(Le(zero, x * y), [Le(zero, x + y)]),
    "known at a fixed element used for all": lambda: order(Le(zero, Sum(i, V[i])), [Le(zero, V[m])]),
    "known at zero used at t": lambda: order(Le(zero, D[u]), [Le(zero, D[z])]),
    "known at successor used at all": lambda: order(Le(zero, D[u]), [Le(zero, D[u + 1])]),
    "one minus two deltas": lambda: order(Le(zero, 1 - Delta(i, j) - Delta(i, k))),
    "delta scaled": lambda: order(Le(zero, 1 - 2 * Delta(i, j))),
    "delta root": lambda: alg(Pow(Delta(i, j), Fraction(-1)), 1),
    "delta over delta": lambda: alg(Delta(i, j) / Delta(i, j), 1),
    "delta with shift": lambda: alg(Delta(u, u + 1), 1),
    "sum of ones is one": lambda: alg(Sum(i, one), 1),
    "sum of a product": lambda: alg(Sum(i, V[i] * W[i]), Sum(i, V[i]) * Sum(j, W[j])),
    "transpose": lambda: alg(Sum(j, A[i, j] * V[j]), Sum(j, A[j, i] * V[j])),
    "row sum rule read as column sum": lambda: alg(Sum(i, A[i, j]), 1, [Eq(Sum(j, A[i, j]), one)]),
    "rule on the diagonal": lambda: alg(Sum(i, A[i, i]), 1, [Eq(Sum(j, A[i, j]), one)]),
    "rule with a square": lambda: alg(Sum(j, P[j] ** 2), 1, [Eq(Sum(j, P[j]), one)]),
    "rule about an element of an empty set": lambda: alg(a, 0, [Eq(a, VE[e]), Eq(VE[e], zero)]),
    "rule free on the right": lambda: alg(V[i] * a, V[j] * a, [Eq(a, W[k])]),
    "rule free on the right captured": lambda: alg(Sum(k, a * W[k]), Sum(k, W[k] ** 2) * 2, [Eq(a, W[k])]),
    "trig double": lambda: alg(Trig("cos", 2 * x), 2 * Trig("cos", x)),
    "sin even": lambda: alg(Trig("sin", -x), Trig("sin", x)),
    "floor as quotient": lambda: alg(Whole("//", x, two), x / 2),
    "mod one": lambda: alg(Whole("%", x, one), 0),
    "huge exponent": lambda: alg(Pow(x, Fraction(10**9)), Pow(x, Fraction(10**9)) + 1),
    "num with float": lambda: alg(Num(0.1), Num(Fraction(1, 10))),
    "bound name by fresh": _bound_name_by_fresh,
    "put a derivative away": _put_a_derivative_away,
    "order by itself": lambda: order(Le(a, b), [Le(a + V[i], b + V[j])]),
    "known strict sum": lambda: order(Lt(zero, Sum(e, VE[e])), [Lt(zero, VE[e])]),
    "max of two is first": lambda: alg((a + b + Abs(a - b)) / 2, a),
    "a rule of the diagonal elsewhere": lambda: alg(A[i, j], 1, [Eq(A[i, i], one)]),
    "a rule of a product below a square": lambda: alg(Sum(i, V[i] * W[i] * W[i]), 0, [Eq(Sum(i, V[i] * W[i]), zero)]),
    "a rule of one row for all": lambda: alg(
        Sum(i, Sum(j, A[i, j] * W[j])), Size(V.sorts[0]), [Eq(Sum(j, A[m, j] * W[j]), one)]
    ),
    "a mean of what may be empty": lambda: alg(Sum(e, VE[e]) / Size(NONE) * Size(NONE), Sum(e, VE[e])),
    "more than one": lambda: order(Lt(one, Size(V.sorts[0]))),
    "a magnitude known where there is an element": lambda: magnitude(Eq(Abs(a), a), [Le(zero, a + VE[e] - VE[e])]),
    "a magnitude by squares": lambda: magnitude(Le(Abs(a), b), [Le(a**2, b**2)]),
    "rising to the strict": lambda: rising(
        Lt(zero, x), order(Le(zero, zero)), order(Le(zero, Deriv(x, x)), certificate=one), x, zero
    ),
    "rising where the slope is known on one side": lambda: rising(
        Le(zero, x**2 - 1),
        order(Le(zero, number(1) - 1), certificate=zero),
        order(Le(zero, Deriv(x**2 - 1, x)), [Le(zero, x)], certificate=2 * x),
        x,
        number(-1),
    ),
    "a slope along a curve": lambda: alg(
        Deriv(ON_A_CURVE["y"], ON_A_CURVE["x"]), 1, [Eq(ON_A_CURVE["y"], ON_A_CURVE["x"])]
    ),
    "a slope that leaves out a variable": lambda: alg(
        Deriv(scalar("f", ("x", "t")), scalar("t")), 0, [Eq(scalar("f", ("x", "t")), ON_A_CURVE["x"])]
    ),
    "magnitude of a product by one sign": lambda: alg(Abs(a * b), a * Abs(b)),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


TRUE: dict[str, Callable[[], object]] = {
    "rising from a function": _rising_from_a_function,
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_not_refused(name: str) -> None:
    assert TRUE[name]()
