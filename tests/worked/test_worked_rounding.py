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


def _shown(matrix, printer):
    if printer == "repr":
        return [[repr(x.item()) if x.dtype == "float64" else str(x) for x in row] for row in matrix]
    with np.printoptions(floatmode="maxprec", precision=8, threshold=10**6, linewidth=10**6):
        rows = np.array2string(matrix).replace("[", " ").replace("]", " ").splitlines()
    return [row.split() for row in rows]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_differences_of_printed_floats_are_never_refuted(seed, dtype):
    # A float32 has fewer digits than its array has places: 83.935 is not 83.93500000.
    generator = np.random.default_rng(seed)
    magnitude = 10.0 ** generator.integers(-6, 7)
    X, W = ((magnitude**0.5 * generator.standard_normal(s)).astype(dtype) for s in ((2, 3), (3, 4)))
    A = X @ W
    C = (A * (1 + generator.standard_normal(A.shape) / 50)).astype(dtype)
    B = A - C
    for printer in ("array2string", "repr"):
        arrays = {name: {"values": _shown(M, printer)} for name, M in (("X", X), ("W", W), ("A", A), ("C", C))}
        arrays["y"] = {"values": _shown(B, printer)}
        document = _document(arrays, "A - C", arithmetic=dtype)
        document["relations"].append({"array": "A", "formula": "X @ W"})
        assert check(document).status is not Status.REFUTED, f"seed {seed}, {printer}"


def test_a_printed_float_stands_for_half_the_distance_to_the_next():
    arrays = {"A": {"values": ["83.935", "0.00221226"]}, "C": {"values": ["82.83978", "0.007433"]}}
    arrays["y"] = {"values": ["1.0952148", "-0.00522074"]}
    audit = check(_document(arrays, "A - C", arithmetic="float32"))
    assert audit.status is Status.TESTED
    assert "shortest_decimals" in [a["kind"] for a in audit["y"].assumptions]
    assert check(_document(arrays, "A - C", arithmetic="exact")).status is Status.REFUTED


def test_the_packaged_example_is_as_narrow_as_before():
    audit = check("worked-example")
    assert audit["attention"].evidence["summary"] == "consistent, enclosure ± 10.7 half units"
    assert audit["W"].status is Status.PROVED


@pytest.mark.parametrize("x", ["-800", "-740"])
def test_what_underflows_to_zero_is_not_refuted(x):
    arrays = {"x": {"values": [x], "exact": True}, "y": {"values": ["0"], "exact": True}}
    assert check(_document(arrays, "exp(x)")).status is not Status.REFUTED
    audit = check(_document(arrays, "exp(x)", arithmetic="exact"))
    assert audit["y"].evidence["summary"] == "refuted, off by less than 0.01 half units at [1,1]"
    assert audit["y"].evidence["worst"]["distance_half_units"] > 0
    # What is small is not lost.
    arrays["x"] = {"values": ["-700"], "exact": True}
    assert check(_document(arrays, "exp(x)")).status is Status.REFUTED
    assert check(_document(arrays, "exp(x)", arithmetic="float32")).status is not Status.REFUTED


def test_a_weight_that_underflows_is_not_refuted():
    arrays = {"s": {"values": ["0", "-1000"], "exact": True}, "y": {"values": ["1", "0"], "exact": True}}
    assert check(_document(arrays, "softmax(s)")).status is not Status.REFUTED
    arrays["y"]["values"] = ["1", "1e-20"]
    assert check(_document(arrays, "softmax(s)")).status is Status.REFUTED


def test_underflow_keeps_the_sign():
    arrays = {"x": {"values": ["-800"], "exact": True}, "y": {"values": ["0"], "exact": True}}
    assert check(_document(arrays, "sqrt(exp(x) * exp(x))")).status is Status.TESTED
    assert check(_document(arrays, "sqrt(0.7 * exp(x) / 0.3) + sqrt(-(-exp(x)))")).status is Status.TESTED


def test_an_exact_zero_stays_one():
    arrays = {"x": {"values": ["2"], "exact": True}, "y": {"values": ["0"], "exact": True}}
    assert check(_document(arrays, "x - x")).status is Status.PROVED
    with pytest.raises(DocumentError, match="division by"):
        check(_document(arrays, "1 / (x - x)"))


def test_tiny_printed_numbers_are_read():
    arrays = {"x": {"values": ["-650"], "exact": True}, "y": {"values": [repr(float(np.exp(-650.0)))]}}
    assert "e-283" in arrays["y"]["values"][0]
    assert check(_document(arrays, "exp(x)")).status is Status.TESTED
    arrays["y"]["values"] = ["5.3e-283"]
    assert check(_document(arrays, "exp(x)")).status is Status.REFUTED
    for text in ("5e-324", "1.7976931348623157e+308"):
        arrays = {"x": {"values": [text]}, "y": {"values": [text]}}
        assert check(_document(arrays, "x")).status is Status.PROVED


@pytest.mark.parametrize("text", ["1e401", "1e-401", "1e5e5", "e5", "1e", "1 e5", "1e9999999", "1e1.5"])
def test_other_exponents_are_refused(text):
    with pytest.raises(DocumentError):
        check(_document({"y": {"values": [text]}}, "1"))


def test_whole_numbers_that_may_be_exact_are_pointed_out():
    arrays = {"x": {"values": ["1", "2"]}, "y": {"values": ["1.00", "4.00"]}}
    verdict = check(_document(arrays, "x * x"))["y"]
    assert '"exact": true' in verdict.evidence["detail"]
    assert [a["kind"] for a in verdict.assumptions].count("whole_numbers") == 1
    arrays["x"]["exact"] = True
    verdict = check(_document(arrays, "x * x"))["y"]
    assert "detail" not in verdict.evidence
    assert "whole_numbers" not in [a["kind"] for a in verdict.assumptions]


def test_an_enclosure_wider_than_its_number_says_so():
    arrays = {"x": {"values": ["1"]}, "y": {"values": ["1.00"]}}
    assert check(_document(arrays, "x * x"))["y"].evidence["summary"].endswith(" half units")
    arrays["y"]["values"] = ["0.25"]
    assert check(_document(arrays, "x * x"))["y"].evidence["summary"].endswith(", too wide to exclude much")
