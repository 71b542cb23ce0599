"""Floats are read as the numbers that they were computed from, and near misses are not."""

import math
from fractions import Fraction

import numpy as np
import pytest

from attn_verify.arithmetic.constants import ULPS, enclosure, read
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.convert import number
from attn_verify.arithmetic.tracing.modules import numpy_model
from attn_verify.arithmetic.tracing.session import Session, running

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 32, 48, 64, 96, 128, 512, 768)
ROUTES = {
    "√d": (lambda d: math.sqrt(d), 1, 2, 0),
    "np.sqrt": (lambda d: float(np.sqrt(d)), 1, 2, 0),
    "1/√d": (lambda d: 1 / math.sqrt(d), 1, -2, 0),
    "d**-0.5": (lambda d: d**-0.5, 1, -2, 0),
    "np.power": (lambda d: float(np.power(float(d), -0.5)), 1, -2, 0),
    "√(1/d)": (lambda d: math.sqrt(1 / d), 1, -2, 0),
    "exp(-log d/2)": (lambda d: math.pow(d, -0.5), 1, -2, 0),
    "d**-0.25": (lambda d: d**-0.25, 1, -1, 0),
    "√√d": (lambda d: math.sqrt(math.sqrt(d)), 1, 1, 0),
    "1/√√d": (lambda d: 1 / math.sqrt(math.sqrt(d)), 1, -1, 0),
    "d**0.75": (lambda d: d**0.75, 1, 3, 0),
    "1/d": (lambda d: 1 / d, 1, -4, 0),
    "2/d": (lambda d: 2 / d, 2, -4, 0),
    "ln 2": (lambda d: math.log(2), 1, 0, 1),
    "log2 e": (lambda d: math.log2(math.e), 1, 0, -1),
    "1/ln 2": (lambda d: 1 / math.log(2), 1, 0, -1),
    "log2 e/√d": (lambda d: math.log2(math.e) / math.sqrt(d), 1, -2, -1),
    "scale·log2 e": (lambda d: d**-0.5 * 1.4426950408889634, 1, -2, -1),
    "ln 2/√d": (lambda d: math.log(2) / math.sqrt(d), 1, -2, 1),
}


def same(reading, factor, quarters, logarithm, d):
    """Return whether a reading is ``factor · d^(quarters/4) · (ln 2)^logarithm``, by its fourth power."""
    wanted = Fraction(factor) ** 4 * Fraction(d) ** quarters
    return reading.factor**4 * reading.root == wanted and reading.factor > 0 and reading.logarithm == logarithm


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("d", SIZES)
def test_every_route_to_a_size_radical_is_read(route, d):
    compute, factor, quarters, logarithm = ROUTES[route]
    reading = read(compute(d), sizes=frozenset({d}))
    assert reading.kind in ("exact", "constant")
    assert same(reading, factor, quarters, logarithm, d), f"{reading.text} at d = {d}"
    assert reading.distance_ulp <= ULPS[53]


def test_products_and_quotients_of_sizes():
    assert read((3 * 5) ** -0.5, sizes=frozenset({3, 5})).text == "1/√15"
    assert read(math.sqrt(3 / 5), sizes=frozenset({3, 5})).factor == Fraction(1, 5)
    assert read(3 / 5, sizes=frozenset({3, 5})).factor == Fraction(3, 5)
    assert read(-math.sqrt(3), sizes=frozenset({3})).factor == -1


NEAR_MISSES = {
    "1.44269504": 1.44269504,
    "1.442695": 1.442695,
    "0.6931471806": 0.6931471806,
    "0.577": 0.577,
    "0.57735027": 0.57735027,
    "0.5773502692": 0.5773502692,
    "1.7320508": 1.7320508,
    "0.3333333": 0.3333333,
    "three ulps above": 3**-0.5 + 3 * math.ulp(3**-0.5),
    "three ulps below": 3**-0.5 - 3 * math.ulp(3**-0.5),
    "of another size": 7**-0.5,
    "one seventh": 1 / 7,
    "rounded to float32": float(np.float32(3**-0.5)),
    "1e-9": 1e-9,
    "1e-12": 1e-12,
    "a literal": 0.1 + 0.2,
    "π": math.pi,
    "e": math.e,
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_its_binary_value(name):
    value = NEAR_MISSES[name]
    reading = read(value, sizes=frozenset({3, 4}))
    assert reading.kind == "literal"
    assert reading.factor == Fraction(value)
    assert (reading.root, reading.logarithm) == (1, 0)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 0.125, 0.5, 1e9, -1e9, 2.0**80, 65504.0, 1 / 1024, 0.75, 1e15])
def test_whole_numbers_and_short_binary_fractions_are_exact(value):
    reading = read(value, sizes=frozenset({3, 5}))
    assert reading.kind == "exact"
    assert reading.factor == Fraction(value)


def test_the_distance_is_measured_in_units_of_the_float():
    exactly = read(3**-0.5, sizes=frozenset({3}))
    above = read(math.nextafter(3**-0.5, 1), sizes=frozenset({3}))
    assert exactly.factor == above.factor
    assert abs(exactly.distance_ulp - above.distance_ulp) < 1 < exactly.distance_ulp + above.distance_ulp + 0.01


def test_single_precision_must_be_rounded_correctly_and_half_is_never_recognised():
    value = np.float32(3**-0.5)
    assert read(float(value), 24, frozenset({3})).text == "1/√3"
    assert read(float(np.nextafter(value, np.float32(1))), 24, frozenset({3})).kind == "literal"
    assert read(float(np.float16(3**-0.5)), 11, frozenset({3})).root == 1


def test_without_sizes_only_logarithms_are_recognised():
    assert read(3**-0.5).kind == "literal"
    assert read(1 / 3).kind == "literal"
    assert read(math.log(2)).text == "ln 2"


def test_two_readings_that_both_fit_are_none():
    # 29 bits of √2 − 1 … as a fraction of huge sizes: both lie within two units of the same float
    value = math.sqrt(2)
    convergent = Fraction(value).limit_denominator(200_000_000)
    sizes = frozenset({2, convergent.numerator, convergent.denominator})
    close = abs(Fraction(value) - convergent) / Fraction(math.ulp(value))
    assert close < ULPS[53]
    assert read(value, sizes=sizes).kind == "literal"


def test_random_literals_are_not_recognised():
    rng = np.random.default_rng(20)
    sizes = frozenset({3, 5, 7, 64, 12})
    assert all(read(float(value), sizes=sizes).kind == "literal" for value in rng.normal(size=2000))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_no_number(value):
    with pytest.raises(ValueError, match="no real number"):
        read(value)


@pytest.mark.parametrize("route", ROUTES)
def test_the_enclosure_contains_what_the_graph_computes(route):
    compute = ROUTES[route][0]
    reading = read(compute(12), sizes=frozenset({12}))
    session = Session(Graph(), {}, frozenset({12}))
    with running(session):
        node = number(compute(12)).nodes[()]
    assert session.balls[node].overlaps(enclosure(reading.factor, reading.root, reading.logarithm))


def test_readings_are_noted_once_with_their_distance():
    session = Session(Graph(), {}, frozenset({3}))
    with running(session):
        np_ = numpy_model()
        for _ in range(3):
            np_.ones(3) * 0.5773502691896258 + 0.1 + 0.5
    notes = {(note["kind"], note["value"]): note for note in session.notes.values()}
    assert set(notes) == {("constant", 0.5773502691896258), ("literal", 0.1)}
    assert notes["constant", 0.5773502691896258]["text"] == "0.5773502691896258 is read as 1/√3"
    assert 0 < notes["constant", 0.5773502691896258]["distance_ulp"] < 1
