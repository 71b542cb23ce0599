"""Balls: exact ends, outward rounding, and a working precision that is always restored."""

import math
from fractions import Fraction

import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.arithmetic.ball import BALL, DEFAULT_BITS, ball, ends, hull, precision

FRACTIONS = st.one_of(
    st.fractions(),
    st.fractions(max_denominator=7),
    st.integers(-(2**400), 2**400).map(Fraction),
    st.builds(lambda a, e: Fraction(a) * Fraction(2) ** e, st.integers(-(2**60), 2**60), st.integers(-2000, 2000)),
    st.builds(lambda a, e: Fraction(a, 3) * Fraction(10) ** e, st.integers(-99, 99), st.integers(-300, 300)),
)
BITS = st.sampled_from([2, 10, 24, 53, 128, 400])


def inside(exact, x):
    low, high = ends(x)
    return low <= exact <= high


@given(FRACTIONS, BITS)
def test_a_ball_contains_its_number_and_little_else(value, bits):
    with precision(bits):
        low, high = ends(ball(value))
    assert low <= value <= high
    assert high - low <= abs(value) * Fraction(4, 2**bits)


@given(FRACTIONS, FRACTIONS.map(abs), BITS)
def test_a_radius_is_rounded_outward(value, radius, bits):
    with precision(bits):
        low, high = ends(ball(value, radius))
    assert low <= value - radius
    assert value + radius <= high


@given(FRACTIONS, FRACTIONS, BITS)
def test_a_hull_contains_both_its_ends(a, b, bits):
    low, high = sorted((a, b))
    with precision(bits):
        left, right = ends(hull(low, high))
    assert left <= low
    assert high <= right
    # A radius keeps 30 bits, whatever the precision; the midpoint is rounded to the working precision.
    slack = (high - low) * Fraction(1, 2**20) + max(abs(low), abs(high)) * Fraction(8, 2**bits)
    assert right - left <= (high - low) + slack


@given(st.integers(-(2**60), 2**60), st.integers(-1100, 1000))
def test_dyadic_numbers_that_fit_are_exact(mantissa, exponent):
    value = Fraction(mantissa) * Fraction(2) ** exponent
    with precision(64):
        assert ends(ball(value)) == (value, value)


@given(st.floats(allow_nan=False, allow_infinity=False), BITS)
def test_a_float_is_the_exact_number_that_it_is(value, bits):
    with precision(bits):
        assert ends(ball(value)) == (Fraction(value), Fraction(value))


@given(FRACTIONS, FRACTIONS, BITS)
def test_operations_on_balls_contain_the_exact_result(a, b, bits):
    with precision(bits):
        x, y = BALL.number(a), BALL.number(b)
        results = {a + b: x + y, a - b: x - y, a * b: x * y}
        if b:
            quotient = x / y
            assert not quotient.is_finite() or inside(a / b, quotient)
        for exact, result in results.items():
            assert inside(exact, result)
        assert inside(a + b, BALL.sum([x, y]))
        assert inside(a * b + a, BALL.matmul([[x, x]], [[y], [BALL.number(Fraction(1))]])[0][0])


@given(FRACTIONS.map(abs), BITS)
def test_a_square_root_contains_the_root(value, bits):
    with precision(bits):
        low, high = ends(BALL.sqrt(BALL.number(value)))
    assert max(low, 0) ** 2 <= value <= high**2


@given(st.fractions(-50, 50, max_denominator=10**6), BITS)
def test_an_exponential_contains_the_series(value, bits):
    with precision(bits):
        low, high = ends(BALL.exp(BALL.number(value)))
    # exp(x) = (Σ (x/2^k)^i / i!)^(2^k) with |x/2^k| < 1/2: the remainder after 40 terms is below 2^-150.
    k = 8
    small = value / 2**k
    term = total = Fraction(1)
    for i in range(1, 40):
        term = term * small / i
        total += term
    error = Fraction(1, 2**150)
    assert low <= (total + error) ** (2**k)
    assert (total - error) ** (2**k) <= high


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_ball_that_is_not_finite_has_no_ends(value):
    with pytest.raises(OverflowError, match="the ball is not finite"):
        ends(ball(value))
    with pytest.raises(OverflowError):
        ends(BALL.sqrt(ball(-1)))


def test_the_sum_of_nothing_is_zero():
    assert ends(BALL.sum([])) == (0, 0)


@pytest.mark.parametrize("bits", [2, 53, DEFAULT_BITS, 1000])
def test_precision_holds_inside_the_block_only(bits):
    before = flint.ctx.prec
    with precision(bits):
        assert flint.ctx.prec == bits
        with precision():
            assert flint.ctx.prec == DEFAULT_BITS
        assert flint.ctx.prec == bits
    assert flint.ctx.prec == before


class Unforeseen(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, KeyboardInterrupt, Unforeseen])
def test_precision_is_restored_after_an_exception(error):
    before = flint.ctx.prec
    with pytest.raises(error), precision(333):
        raise error
    assert flint.ctx.prec == before


def test_precision_is_restored_when_a_generator_is_abandoned():
    def inner():
        with precision(333):
            yield flint.ctx.prec

    before = flint.ctx.prec
    generator = inner()
    assert next(generator) == 333
    generator.close()
    assert flint.ctx.prec == before


@settings(max_examples=50)
@given(st.fractions(Fraction(1, 1000), 1000), st.integers(-64, 64), st.sampled_from([1, 2, 4]))
def test_powers_are_powers_of_roots(base, numerator, denominator):
    with precision(200):
        low, high = ends(BALL.power(BALL.number(base), Fraction(numerator, denominator)))
    assert low > 0
    assert low**denominator <= base**numerator <= high**denominator
    assert high - low <= high * Fraction(1, 2**150)
