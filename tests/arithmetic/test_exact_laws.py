"""Near-identities: what the normal form must call equal, certainly different, or neither."""

import time
from fractions import Fraction

import pytest

from attn_verify.arithmetic.exact import Comparison, TooLargeError, compare
from attn_verify.arithmetic.graph import Graph, UnmodelledError

EQUAL = {
    "e^a e^b": lambda g, x, y: (g.exp(x) * g.exp(y), g.exp(x + y)),
    "half": lambda g, x, y: (g.exp(x / 2) * g.exp(x / 2), g.exp(x)),
    "half first": lambda g, x, y: (g.exp(x), g.exp(x / 6) * g.exp(x / 3) * g.exp(x / 2)),
    "reciprocal": lambda g, x, y: (1 / g.exp(x), g.exp(-x)),
    "constant e": lambda g, x, y: (g.exp(g.number(1)) * g.exp(x), g.exp(x + 1)),
    "e to a root": lambda g, x, y: (g.exp(s(g, 2)) * g.exp(s(g, 8)), g.exp(3 * s(g, 2))),
    "root in an exponent": lambda g, x, y: (g.exp(s(g, 2) * x) * g.exp(s(g, 2) * y), g.exp(2 * (x + y) / s(g, 2))),
    "softmax is sigmoid": lambda g, x, y: (g.exp(x) / (g.exp(x) + g.exp(y)), 1 / (1 + g.exp(y - x))),
    "weights sum to one": lambda g, x, y: (
        g.exp(x) / (g.exp(x) + g.exp(y)) + g.exp(y) / (g.exp(x) + g.exp(y)), g.number(1)
    ),
    "cancelled exponent": lambda g, x, y: (g.exp((x * x - 1) / (x - 1)), g.exp(x) * g.exp(g.number(1))),
    "exponents with different denominators": lambda g, x, y: (g.exp(1 / x) * g.exp(1 / y), g.exp((x + y) / (x * y))),
    "square of a sum": lambda g, x, y: (1 / ((g.exp(x) + 1) * (g.exp(x) + 1)), 1 / (g.exp(2 * x) + 2 * g.exp(x) + 1)),
    "roots": lambda g, x, y: (s(g, 2) * s(g, 3), s(g, 6)),
    "root of a fraction": lambda g, x, y: (s(g, Fraction(1, 3)), s(g, 3) / 3),
    "conjugates": lambda g, x, y: ((1 + s(g, 2)) * (1 - s(g, 2)), g.number(-1)),
    "reciprocal of roots": lambda g, x, y: (1 / (s(g, 3) - s(g, 2)), s(g, 3) + s(g, 2)),
    "three roots": lambda g, x, y: (1 / (1 + s(g, 2) + s(g, 3)), (2 + s(g, 2) - s(g, 6)) / 4),
    "fourth roots": lambda g, x, y: (1 / (1 + g.sqrt(s(g, 2))), (g.sqrt(s(g, 2)) - 1) / (s(g, 2) - 1)),
    "eighth roots": lambda g, x, y: (g.sqrt(g.sqrt(s(g, 3))) * g.sqrt(g.sqrt(s(g, 3))), g.sqrt(s(g, 3))),
    "roots in a denominator": lambda g, x, y: (1 / (x + s(g, 5) * y), (x - s(g, 5) * y) / (x * x - 5 * y * y)),
    "base two": lambda g, x, y: (g.exp(x / g.log(g.number(2)) * g.log(g.number(2))), g.exp(x)),
    "base two split": lambda g, x, y: (g.exp(x * g.log(g.number(2))) * 2, g.exp((x + 1) * g.log(g.number(2)))),
    "log of six": lambda g, x, y: (g.log(g.number(6)), g.log(g.number(2)) + g.log(g.number(3))),
    "log of a fraction": lambda g, x, y: (g.log(g.number(Fraction(1, 4))), -2 * g.log(g.number(2))),
    "log of a root": lambda g, x, y: (g.log(s(g, 2)), g.log(g.number(2)) / 2),
    "cube root": lambda g, x, y: (g.exp(g.log(g.number(8)) / 3), g.number(2)),
    "root by logarithm": lambda g, x, y: (g.exp(g.log(g.number(12)) / 2), 2 * s(g, 3)),
    "log e": lambda g, x, y: (g.log(g.exp(x) * g.exp(y) * 3), x + y + g.log(g.number(3))),
    "log-sum-exp": lambda g, x, y: (g.log(g.exp(x) + g.exp(y)), x + g.log(1 + g.exp(y - x))),
    "log-softmax": lambda g, x, y: (g.log(g.exp(x) / (g.exp(x) + g.exp(y))), x - g.log(g.exp(x) + g.exp(y))),
    "exp log": lambda g, x, y: (g.exp(2 * g.log(x) - 3 * g.log(y) + x), x * x / (y * y * y) * g.exp(x)),
    "half a log": lambda g, x, y: (g.exp(g.log(x) / 2), g.sqrt(x)),
    "log with an exponential": lambda g, x, y: (
        g.exp(g.log(g.exp(-y) * x) - x / g.exp(y)), x * g.exp(-y - x * g.exp(-y))
    ),
    "root of an exponential": lambda g, x, y: (g.sqrt(4 * g.exp(x)), 2 * g.exp(x / 2)),
    "root of a square": lambda g, x, y: (g.sqrt(g.exp(2 * x) + 2 * g.exp(x) + 1), g.exp(x) + 1),
    "root of a scaled input": lambda g, x, y: (g.sqrt(x * 8), 2 * s(g, 2) * g.sqrt(x)),
    "square of a root": lambda g, x, y: (g.sqrt(x * y + 1) * g.sqrt(y * x + 1), 1 + x * y),
    "root below": lambda g, x, y: (1 / (1 + g.sqrt(x)), (1 - g.sqrt(x)) / (1 - x)),
    "norm": lambda g, x, y: (x / g.sqrt((x * x + y * y) / 2), x * s(g, 2) / g.sqrt(x * x + y * y)),
    "nested": lambda g, x, y: (g.exp(g.exp(x) + 1), g.exp(g.exp(x)) * g.exp(g.number(1))),
    "nested quotient": lambda g, x, y: (
        g.exp((g.exp(2 * x) - 1) / (g.exp(x) - 1)), g.exp(1 + g.exp(x / 2) * g.exp(x / 2))
    ),
    "a finer generator in a later round": lambda g, x, y: (
        g.exp(x) * g.exp(g.exp(y) + x / 3), g.exp(4 * x / 3 + g.exp(y))
    ),
    "atoms": lambda g, x, y: (g.atom("tanh", [x * x - y * y]), g.atom("tanh", [(x - y) * (x + y)])),
    "atoms of quotients": lambda g, x, y: (g.atom("tanh", [(x * x - 1) / (x - 1)]), g.atom("tanh", [x + 1])),
    "atoms with a common divisor": lambda g, x, y: (
        g.atom("tanh", [(x * x - 1) / ((x + 1) * (x + 1))]), g.atom("tanh", [(x - 1) / (x + 1)])
    ),
    "huge exponents": lambda g, x, y: (g.exp(x * 10**30) / g.exp(x * (10**30 - 1)), g.exp(x)),
}  # fmt: skip
DIFFERENT = {
    "e^x, e^y": lambda g, x, y: (g.exp(x), g.exp(y)),
    "e and root": lambda g, x, y: (g.exp(s(g, 2) * x), g.exp(x)),
    "close exponents": lambda g, x, y: (g.exp(x), g.exp(x * Fraction(10**15 + 1, 10**15))),
    "floats near one third": lambda g, x, y: (g.exp(x * Fraction(1 / 3)), g.exp(x / 3)),
    "close roots": lambda g, x, y: (s(g, 2), g.number(Fraction(2**0.5))),
    "close factor": lambda g, x, y: (g.exp(x), g.exp(x) * Fraction(10**12 + 1, 10**12)),
    "e is no fraction": lambda g, x, y: (g.exp(g.number(1)), g.number(Fraction(2.718281828459045))),
    "e and e^root": lambda g, x, y: (g.exp(s(g, 2)), g.exp(g.number(1)) * g.exp(s(g, 2) - 1) * x),
    "product of sums": lambda g, x, y: (g.exp(x * y), g.exp(x) * g.exp(y)),
    "exponential and polynomial": lambda g, x, y: (g.exp(x), 1 + x + x * x / 2),
    "a tiny rest": lambda g, x, y: (
        g.exp(x) / (g.exp(x) + g.exp(y)), g.exp(x) / (g.exp(x) + g.exp(y) + Fraction(1, 10**20))
    ),
    "fill": lambda g, x, y: (g.exp(x), g.exp(x) + g.exp(g.number(-(10**9)))),
    "nested": lambda g, x, y: (g.exp(g.exp(x) + y), g.exp(g.exp(x)) * g.exp(x)),
    "two to the x": lambda g, x, y: (g.exp(x * g.log(g.number(2))), g.exp(x)),
    "one logarithm": lambda g, x, y: (g.log(g.number(2)), g.number(Fraction(0.6931471805599453))),
    "maximum that cancels": lambda g, x, y: (g.exp(x - g.max([x, y])) / g.exp(y - g.max([x, y])), g.exp(x - 2 * y)),
    "equal maxima": lambda g, x, y: (
        g.exp(x - g.max([x, y])) / (g.exp(x - g.max([x, y])) + g.exp(y - g.max([x, y]))),
        g.exp(y) / (g.exp(x) + g.exp(y)),
    ),
}  # fmt: skip
OPAQUE = {
    "sign of a root": lambda g, x, y: (g.sqrt(x * x), x),
    "root of a product": lambda g, x, y: (g.sqrt(x) * g.sqrt(y), g.sqrt(x * y)),
    "denesting": lambda g, x, y: (g.sqrt(3 + 2 * s(g, 2)), 1 + s(g, 2)),
    "tanh": lambda g, x, y: (g.atom("tanh", [x]), (g.exp(2 * x) - 1) / (g.exp(2 * x) + 1)),
    "log of a product": lambda g, x, y: (g.log(x * y), g.log(x) + g.log(y)),
    "log of a quotient": lambda g, x, y: (g.log(x / y), g.log(x) - g.log(y)),
    "pi": lambda g, x, y: (g.atom("pi", []), g.number(Fraction(355, 113))),
    "two logarithms of constants": lambda g, x, y: (g.log(g.number(2)) * g.log(g.number(3)), g.number(1)),
    "constants of constants": lambda g, x, y: (g.exp(g.exp(g.number(1))), g.number(15)),
    "log and e": lambda g, x, y: (g.log(g.number(2)) * g.exp(g.number(1)), g.number(2)),
    "a constant beside an input": lambda g, x, y: (g.exp(x + g.exp(g.number(1))), g.exp(x)),
}


def s(g, n):
    return g.sqrt(g.number(n))


def ask(pair):
    g = Graph()
    [found] = compare(g, [pair(g, g.input("x", ()), g.input("y", ()))])
    return found


@pytest.mark.parametrize("law", EQUAL)
def test_equal(law):
    assert ask(EQUAL[law]).equal


@pytest.mark.parametrize("law", DIFFERENT)
def test_different(law):
    start = time.process_time()
    found = ask(DIFFERENT[law])
    assert found.different
    assert not found.opaque
    assert not found.maxima
    assert time.process_time() - start < 1


@pytest.mark.parametrize("law", OPAQUE)
def test_neither(law):
    found = ask(OPAQUE[law])
    assert found.opaque
    assert not found.equal
    assert not found.different


def test_maxima_are_unknowns_named_by_their_members():
    g = Graph()
    x, y, z = (g.input(name, ()) for name in "xyz")
    d = g.sqrt(g.number(3))
    pairs = [
        (g.max([x / d, y]), g.max([y, x * d / 3])),
        (g.max([x * x - 1, (x - 1) * (x + 1)]), x * x - 1),
        (g.max([g.max([x, y]) * 1 + 0 * z, z]), g.max([x, y, z])),
        (g.max([(g.max([x, y]) * 2 - x) + x - g.max([y, x]), z]), g.max([x, y, z])),
        (g.max([x + z, y + z]), g.max([x, y]) + z),
        (g.max([x, y]), g.max([x, z])),
    ]
    found = compare(g, pairs)
    assert [entry.equal for entry in found] == [True, True, True, True, False, False]
    assert all(entry.maxima for entry in found)
    assert not any(entry.different for entry in found)


def test_special_numbers_equal_only_themselves():
    g = Graph()
    x, inf, nan = g.input("x", ()), g.special("inf"), g.special("nan")
    found = compare(g, [(inf, inf), (inf, x), (nan, nan), (x, nan), (g.special("-inf"), inf), (x, x)])
    assert [entry.equal for entry in found] == [True, False, True, False, False, True]
    assert [entry.different for entry in found] == [False, True, False, True, True, False]


def test_nothing_to_compare():
    assert compare(Graph(), []) == []


def test_the_size_of_a_comparison():
    g = Graph()
    x, y = g.input("x", ()), g.input("y", ())
    assert compare(g, [((x + y) * (x - y), x * x)]) == [Comparison(False, False, False, terms=3, generators=2)]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda g, x: 1 / (g.exp(x) - g.exp(x / 2) * g.exp(x / 2)), "division by something that is identically zero"),
        (
            lambda g, x: x / (g.sqrt(g.number(8)) - 2 * g.sqrt(g.number(2))),
            "division by something that is identically zero",
        ),
        (lambda g, x: 1 / (g.sqrt(x * x) - x), "division by something that may be identically zero"),
        (lambda g, x: 1 / (g.sqrt(x) * g.sqrt(x + 1) - g.sqrt(x * (x + 1))), "may be identically zero"),
        (lambda g, x: g.log((x + 1) - x - 1), "logarithm of something that is identically zero"),
        (lambda g, x: g.log(-g.exp(x)), "logarithm of a negative number"),
        (lambda g, x: g.sqrt((x - 3) - x), "square root of a negative number"),
        (lambda g, x: g.make("add", (x.index, g.special("inf").index)), "inf"),
    ],
)
def test_what_has_no_value_is_refused(make, text):
    g = Graph()
    x = g.input("x", ())
    with pytest.raises(UnmodelledError, match=text):
        compare(g, [(make(g, x), x)])


def test_the_root_of_zero_is_zero():
    assert ask(lambda g, x, y: (g.sqrt(x - y + y - x) + x, x)).equal


def test_constants_with_too_many_digits_are_too_large():
    with pytest.raises(TooLargeError, match="digits"):
        ask(lambda g, x, y: (g.exp(g.log(g.number(2)) * 10**9), x))
    with pytest.raises(TooLargeError, match="degree"):
        ask(lambda g, x, y: (g.atom("f", [(g.exp(x * 10**9) + y) / (g.exp(x) + 1)]), x))


def test_numbers_that_cannot_be_factored_are_opaque():
    prime = 2**521 - 1
    found = ask(lambda g, x, y: (g.sqrt(g.number(prime)) * g.sqrt(g.number(prime)), g.number(prime)))
    assert found.equal
    assert ask(lambda g, x, y: (g.sqrt(g.number(prime)), g.sqrt(g.number(prime + 2)))).opaque
    assert ask(lambda g, x, y: (g.exp(2 * g.log(g.number(prime))), g.number(prime**2))).equal


def test_more_generators_than_expected_are_made():
    primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]
    product = 1
    for prime in primes:
        product *= prime
    assert ask(lambda g, x, y: (g.log(g.number(product)), g.sum(g.log(g.number(p)) for p in primes))).equal


def test_a_wrong_entry_among_many_is_found():
    g = Graph()
    xs = [g.input("x", (i,)) for i in range(20)]
    total = g.sum(g.exp(x) for x in xs)
    pairs = [(g.exp(x) / total, 1 / g.sum(g.exp(z - x) for z in xs)) for x in xs]
    pairs[7] = (pairs[7][0], pairs[8][1])
    assert [entry.equal for entry in compare(g, pairs)] == [k != 7 for k in range(20)]


def test_many_roots_in_a_divisor_are_too_large_soon() -> None:
    """Conjugates of a sum of k roots have 2^k parts: those are counted, whatever their polynomials are."""
    g = Graph()
    root = g.sum(s(g, p) for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))
    start = time.monotonic()
    with pytest.raises(TooLargeError, match="products"):
        compare(g, [(1 / root * root, g.number(1))])
    assert time.monotonic() - start < 60
