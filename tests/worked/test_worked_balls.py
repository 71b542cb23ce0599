"""Soundness: whatever numbers lie in the input balls, the formula's value lies in the enclosure.

The other side is mpmath at 400 bits, on points of the boxes (corners and inside); formulas are drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attn_verify import language
from attn_verify.arithmetic.ball import precision
from attn_verify.worked.balls import ALGEBRA, FUNCTIONS, BallMatrix, UndefinedError

MP = mpmath.mp.clone()
MP.prec = 400
# What mpmath itself may round, relative to values that may cancel: far below every ball that is not a point.
SLACK = Fraction(1, 2**200)

Rows = list[list[Any]]


def _entrywise(f: Callable[..., Any]) -> Callable[..., Rows]:
    def apply(A: Rows, B: Rows | None = None) -> Rows:
        if B is None:
            return [[f(x) for x in row] for row in A]
        n, m = (len(B), len(B[0])) if len(A) == len(A[0]) == 1 else (len(A), len(A[0]))
        at = [lambda M, i, j: M[i][j], lambda M, i, j: M[0][0]]
        a, b = (at[len(M) == len(M[0]) == 1] for M in (A, B))
        return [[f(a(A, i, j), b(B, i, j)) for j in range(m)] for i in range(n)]

    return apply


def _softmax(M: Rows) -> Rows:
    result = []
    for row in M:
        exps = [MP.exp(x - max(row)) for x in row]
        result.append([e / MP.fsum(exps) for e in exps])
    return result


def _power(M: Rows, exponent: Fraction) -> Rows:
    return [[MP.power(x, MP.mpf(exponent.numerator) / exponent.denominator) for x in row] for row in M]


POINTS = language.Algebra(
    number=lambda value: [[MP.mpf(value.numerator) / value.denominator]],
    operators={
        "+": _entrywise(lambda a, b: a + b),
        "-": _entrywise(lambda a, b: a - b),
        "*": _entrywise(lambda a, b: a * b),
        "/": _entrywise(lambda a, b: a / b),
        "@": lambda A, B: [
            [MP.fsum(x * y for x, y in zip(r, c, strict=True)) for c in zip(*B, strict=True)] for r in A
        ],
        "neg": _entrywise(lambda a: -a),
        ".T": lambda A: [list(column) for column in zip(*A, strict=True)],
    },
    power=_power,
    functions={
        "softmax": _softmax,
        "sqrt": _entrywise(MP.sqrt),
        "exp": _entrywise(MP.exp),
        "log": _entrywise(MP.log),
        "concat": lambda *blocks: [[x for block in blocks for x in block[i]] for i in range(len(blocks[0]))],
        "stack": lambda *blocks: [row for block in blocks for row in block],
    },
)


def formulas() -> st.SearchStrategy[str]:
    """Formulas over the 2×2 matrices A, B whose values are 2×2 matrices."""
    leaves = st.sampled_from(["A", "B", "2", "0.1", "A.T"]).map(
        lambda leaf: f"({leaf} + 0*A)" if leaf[0].isdigit() else leaf
    )

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "@"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        )
        unary = st.tuples(st.sampled_from(["softmax", "sqrt", "exp", "log", "-"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        )
        power = st.tuples(inner, st.sampled_from(["2", "3", "-1", "-2", "0.5", "-0.5", "0", "1/4"])).map(
            lambda t: f"({t[0]}) ** ({t[1]})"
        )
        scalar = st.tuples(inner, st.sampled_from(["/ sqrt(3)", "* 3", "- 0.7"])).map(lambda t: f"({t[0]} {t[1]})")
        return st.one_of(binary, unary, power, scalar)

    return st.recursive(leaves, extend, max_leaves=5)


def boxes() -> st.SearchStrategy[list[list[tuple[Fraction, Fraction]]]]:
    middle = st.integers(-3000, 3000).map(lambda n: Fraction(n, 1000))
    radius = st.sampled_from([Fraction(0), Fraction(1, 10**9), Fraction(1, 10**3), Fraction(1, 2), Fraction(2)])
    entry = st.tuples(middle, radius).map(lambda t: (t[0] - t[1], t[0] + t[1]))
    return st.lists(st.lists(entry, min_size=2, max_size=2), min_size=2, max_size=2)


def mp_fraction(x: Any) -> Fraction:
    sign, mantissa, exponent, _ = x._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def point(box: list[list[tuple[Fraction, Fraction]]], weights: list[Fraction]) -> Rows:
    w = iter(weights)
    return [
        [MP.mpf(v.numerator) / v.denominator for low, high in row for v in [low + (high - low) * next(w)]]
        for row in box
    ]


@settings(max_examples=400, deadline=None)
@given(formulas(), boxes(), boxes(), st.lists(st.integers(0, 4).map(lambda n: Fraction(n, 4)), min_size=8, max_size=8))
def test_values_lie_in_the_enclosure(formula: str, A: Any, B: Any, weights: list[Fraction]) -> None:
    node = language.parse(formula)
    with precision():
        try:
            bounds = language.evaluate(node, {"A": BallMatrix.of(A), "B": BallMatrix.of(B)}, ALGEBRA).bounds()
        except UndefinedError:
            assume(False)
    values = language.evaluate(node, {"A": point(A, weights[:4]), "B": point(B, weights[4:])}, POINTS)
    for bound_row, value_row in zip(bounds, values, strict=True):
        for (low, high), value in zip(bound_row, value_row, strict=True):
            exact = mp_fraction(value)
            slack = SLACK * (1 + abs(exact))
            assert low - slack <= exact <= high + slack, formula


def matrix(*rows: list[tuple[float | str, float | str]]) -> BallMatrix:
    return BallMatrix.of([[(Fraction(low), Fraction(high)) for low, high in row] for row in rows])


def value(text: str, **names: BallMatrix) -> Any:
    with precision():
        return language.evaluate(language.parse(text), names, ALGEBRA).bounds()


def test_softmax_is_as_tight_as_its_corners() -> None:
    box = [(-3.0, 2.0), (0.0, 1.0), (-1.0, 4.0)]
    bounds = value("softmax(M)", M=matrix(box))[0]
    for j, (low, high) in enumerate(box):
        others = [pair for l, pair in enumerate(box) if l != j]
        least = 1 / (1 + sum(math.exp(h - low) for _, h in others))
        most = 1 / (1 + sum(math.exp(l - high) for l, _ in others))
        assert float(bounds[j][0]) == pytest.approx(least, abs=1e-8)
        assert float(bounds[j][1]) == pytest.approx(most, abs=1e-8)


@pytest.mark.parametrize("far", [10**3, 10**6, 10**40, 10**400])
def test_softmax_of_extreme_scores_stays_between_zero_and_one(far: int) -> None:
    for box in ([(0, far)], [(-far, far), (0, 1)], [(-far, -far), (far, far)], [(far, far), (far, far)]):
        for low, high in value("softmax(M)", M=matrix(box))[0]:
            assert -Fraction(1, 10**8) <= low <= high <= 1 + Fraction(1, 10**8)


def test_softmax_of_equal_and_of_single_scores_is_exact() -> None:
    assert value("softmax(M)", M=matrix([(10**6, 10**6)])) == (((1, 1),),)
    for low, high in value("softmax(M)", M=matrix([(10**6, 10**6), (10**6, 10**6)]))[0]:
        assert low <= Fraction(1, 2) <= high
        assert high - low < Fraction(1, 10**20)


def test_wide_products_and_sums_keep_their_sign() -> None:
    assert value("A @ B", A=matrix([(0, 1), (0, 1)]), B=matrix([(0, 3)], [(0, 3)]))[0][0][0] == 0
    low, high = value("A * B", A=matrix([(0, 1)]), B=matrix([(-1, 3)]))[0][0]
    assert (round(float(low), 6), round(float(high), 6)) == (-1, 3)
    assert value("sqrt(A + A)", A=matrix([("0", "1/10")]))[0][0][0] == 0


def test_even_powers_of_balls_around_zero_are_not_negative() -> None:
    low, high = value("A ** 2", A=matrix([(-1, 2)]))[0][0]
    assert (low, round(float(high), 6)) == (0, 4)


def test_rearrangements_keep_the_exact_ends() -> None:
    a, b = matrix([("1/10", "1/5"), (0, 1)]), matrix([(2, 3), ("1/3", "1/2")])
    assert value("stack(a, b).T", a=a, b=b) == value("concat(a.T, b.T)", a=a, b=b)
    assert value("stack(a, b)", a=a, b=b)[1][1] == (Fraction(1, 3), Fraction(1, 2))
    assert value("concat(a, b)", a=a, b=b) == ((*a.bounds()[0], *b.bounds()[0]),)


def test_huge_values_are_refused_and_tiny_ones_rounded_outward() -> None:
    with pytest.raises(UndefinedError, match="larger") as caught:
        value("exp(A)", A=matrix([(10**6, 10**6)]))
    assert caught.value.certain
    with pytest.raises(UndefinedError) as caught:
        value("exp(A)", A=matrix([(0, 10**6)]))
    assert not caught.value.certain
    low, high = value("exp(-A)", A=matrix([(10**6, 10**6)]))[0][0]
    assert 0 == low < high < Fraction(1, 10**2000)
    low, high = value("-exp(-A)", A=matrix([(10**6, 10**6)]))[0][0]
    assert -Fraction(1, 10**2000) < low < high == 0


def test_the_documented_functions_are_the_functions() -> None:
    assert set(ALGEBRA.functions) == set(FUNCTIONS)
