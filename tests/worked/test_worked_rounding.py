"""Numbers that were computed in floats: no correct result is refuted, and no wrong one hides in the allowance."""

from fractions import Fraction

import numpy as np
import pytest

from attn_verify import Status, attention, check
from attn_verify.errors import DocumentError
from attn_verify.worked.balls import BallMatrix
from attn_verify.worked.rounded import algebra


def _document(arrays, formula, *, arithmetic=None):
    head = {"format": "attn-verify/document", "version": 1}
    stated = {} if arithmetic is None else {"arithmetic": arithmetic}
    return {**head, **stated, "arrays": arrays, "relations": [{"array": "y", "formula": formula}]}


def _printed(matrix):
    return [[repr(float(x)) for x in row] for row in np.atleast_2d(matrix)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_correct_result_in_full_precision_is_never_refuted(seed, dtype):
    generator = np.random.default_rng(seed)
    Q, K, V = (
        generator.integers(-9, 10, shape).astype(dtype) / dtype_of(dtype)(4) for shape in ((2, 3), (4, 3), (4, 2))
    )
    arrays = {name: {"values": _printed(M), "exact": True} for name, M in (("Q", Q), ("K", K), ("V", V))}
    y = attention(Q, K, V)
    digits = 17 if dtype == "float64" else 9
    arrays["y"] = {"values": [[f"{x:.{digits}f}" for x in row] for row in y.tolist()]}
    formula = "softmax(Q @ K.T / sqrt(3)) @ V"
    assert check(_document(arrays, formula, arithmetic=dtype)).status is not Status.REFUTED, f"seed {seed}"
    # The same numbers are no exact results: without the allowance they are refuted.
    exact = check(_document(arrays, formula, arithmetic="exact")).status
    assert exact is Status.REFUTED or np.array_equal(y, np.round(y)), f"seed {seed}"
    # And a loss of a hundred thousand roundoffs is still seen.
    arrays["y"] = {"values": [[f"{x * (1 + 1e5 * np.finfo(dtype).eps):.{digits}f}" for x in row] for row in y.tolist()]}
    assert check(_document(arrays, formula, arithmetic=dtype)).status is Status.REFUTED, f"seed {seed}"


def dtype_of(name):
    return getattr(np, name)


def test_the_edge_between_two_decimals_is_no_refutation():
    # 1.1 * 1.05 is 1.155 exactly and 1.1550000000000002 in float64, which prints as 1.16; 1.15 is as good.
    arrays = {"x": {"values": ["1.1"], "exact": True}}
    for text, status in (("1.16", Status.TESTED), ("1.15", Status.TESTED), ("1.17", Status.REFUTED)):
        audit = check(_document({**arrays, "y": {"values": [text]}}, "x * 1.05"))
        assert audit.status is status, text


def test_a_decimal_that_is_no_float_was_rounded_when_it_was_read():
    arrays = {"x": {"values": ["0.1"], "exact": True}, "y": {"values": [f"{0.1 + 0.2:.17f}"]}}
    assert check(_document(arrays, "x + 0.2")).status is Status.TESTED
    assert check(_document(arrays, "x + 0.2", arithmetic="exact")).status is Status.REFUTED


@pytest.mark.parametrize(("formula", "compute"), [
    ("A @ B", lambda A, B: A @ B),
    ("A * A + B.T", lambda A, B: A * A + B.T),
    ("A / 3 - 0.7", lambda A, B: A / 3 - 0.7),
    ("exp(A / 8) * sqrt(A * A)", lambda A, B: np.exp(A / 8) * np.sqrt(A * A)),
    ("(A * A + 1) ** -0.5", lambda A, B: (A * A + 1) ** -0.5),
    ("log(A * A + 1)", lambda A, B: np.log(A * A + 1)),
    ("A ** 3", lambda A, B: A**3),
])  # fmt: skip
@pytest.mark.parametrize("unit", ["float64", "float32"])
def test_every_operation_allows_for_its_rounding(formula, compute, unit):
    from attn_verify import language

    seed = 3
    generator = np.random.default_rng(seed)
    for _ in range(50):
        A, B = (generator.standard_normal(shape).astype(unit) for shape in ((3, 5), (5, 3)))
        values = {
            name: BallMatrix.of([[(Fraction(float(x)), Fraction(float(x))) for x in row] for row in M])
            for name, M in (("A", A), ("B", B))
        }
        enclosure = language.evaluate(language.parse(formula), values, algebra(unit)).bounds()
        result = compute(A, B)
        for row, ends in zip(result, enclosure, strict=True):
            for x, (low, high) in zip(row, ends, strict=True):
                assert low <= Fraction(float(x)) <= high, f"seed {seed}"
                # The allowance is of the size of the roundoff, not of the number.
                assert high - low <= 2000 * np.finfo(unit).eps * (1 + np.abs(A).max() ** 3 + np.abs(B).max())


def test_float32_softmax_lies_in_its_enclosure():
    from attn_verify import language

    seed = 4
    generator = np.random.default_rng(seed)
    for magnitude in (1, 10, 100):
        S = (magnitude * generator.standard_normal((20, 6))).astype(np.float32)
        E = np.exp(S - S.max(1, keepdims=True))
        P = E / E.sum(1, keepdims=True)
        ball = BallMatrix.of([[(Fraction(float(x)), Fraction(float(x))) for x in row] for row in S])
        enclosure = language.evaluate(language.parse("softmax(S)"), {"S": ball}, algebra("float32")).bounds()
        tiny = Fraction(float(np.finfo(np.float32).smallest_normal))
        for row, ends in zip(P, enclosure, strict=True):
            for p, (low, high) in zip(row, ends, strict=True):
                assert low - tiny <= Fraction(float(p)) <= high + tiny, f"seed {seed}"


def test_an_unknown_arithmetic_is_refused():
    with pytest.raises(DocumentError, match="choose float64, float32, exact"):
        check(_document({"y": {"values": ["1"]}}, "1", arithmetic="float16"))
