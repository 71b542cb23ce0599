"""Printed decimals as intervals, and the five outcomes of a relation, on documents of a few numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.verdict import Status
from attn_verify.errors import DocumentError, NothingCheckedError
from attn_verify.worked import check, load
from attn_verify.worked.compare import Entry, interval_text, number
from attn_verify.worked.enclosures import enclose


def document(arrays: dict[str, Any], *relations: tuple[str, str] | dict[str, str], **top: Any) -> dict[str, Any]:
    listed = [r if isinstance(r, dict) else {"array": r[0], "formula": r[1]} for r in relations]
    described = {name: array if isinstance(array, dict) else {"values": array} for name, array in arrays.items()}
    return {"format": "attn-verify/document", "version": 1, "arrays": described, "relations": listed, **top}


def half_units(values: list[list[str]], **options: Any) -> list[list[Fraction]]:
    top = {"printer": options.pop("printer")} if "printer" in options else {}
    array = load(document({"A": {"values": values, **options}}, **top)).arrays["A"]
    return [[(high - low) / 2 for low, high in row] for row in array.intervals]


def test_the_longest_decimal_of_the_array_sets_the_unit() -> None:
    assert half_units([["0.5", "0.25"]]) == [[Fraction(1, 200)] * 2]


def test_the_stated_digits_count_where_they_are_stated() -> None:
    assert half_units([["0.5", "0.25"]], digits=4) == [[Fraction(1, 20000)] * 2]
    assert half_units([["0.5", "0.25"]], printer={"digits": 3}) == [[Fraction(1, 2000)] * 2]
    assert half_units([["0.5", "0.25"]], printer={"digits": 3}, digits=2) == [[Fraction(1, 200)] * 2]


def test_with_exponents_the_digits_of_the_mantissa_count() -> None:
    assert half_units([["1.50e-03", "2.e+01"]]) == [[Fraction(1, 200000), Fraction(1, 20)]]


def test_exact_arrays_are_points_and_whole_numbers_have_half_a_one() -> None:
    assert half_units([["0.5"]], exact=True) == [[0]]
    assert half_units([["3"]]) == [[Fraction(1, 2)]]


def test_numbers_of_json_keep_their_digits() -> None:
    from attn_verify.worked.reading import parse

    data = parse(
        b'{"format": "attn-verify/document", "version": 1, "arrays": {"A": {"values": [0.50, 1]}}, "relations": []}'
    )
    assert load(data).arrays["A"].values == (("0.50", "1"),)


def test_certified_consistent_refuted() -> None:
    exact = {"values": ["0.125"], "exact": True}
    assert check(document({"x": exact, "y": ["0.25"]}, ("y", "2 * x"))).status is Status.PROVED
    assert check(document({"x": ["0.125"], "y": ["0.250"]}, ("y", "2 * x"))).status is Status.TESTED
    assert check(document({"x": ["0.125"], "y": ["0.252"]}, ("y", "2 * x"))).status is Status.REFUTED


def test_touching_at_a_closed_end_is_no_refutation_and_no_certificate() -> None:
    # x in [0.45, 0.55] and y in [0.55, 0.65]: they share exactly 0.55.
    touching = Entry(
        0, 0, "0.6", Fraction(1, 20), (Fraction(55, 100), Fraction(65, 100)), (Fraction(45, 100), Fraction(55, 100))
    )
    assert touching.distance == 0
    assert not touching.certified
    assert check(document({"x": ["0.5"], "y": ["0.6"]}, ("y", "x.T"))).status is Status.TESTED
    assert check(document({"x": ["0.50"], "y": ["0.52"]}, ("y", "x.T"))).status is Status.REFUTED


def test_copies_are_compared_exactly() -> None:
    audit = check(
        document(
            {"a": ["0.1", "0.7"], "b": ["0.3", "0.9"], "A": [["0.1", "0.7"], ["0.3", "0.9"]]}, ("A", "stack(a, b)")
        )
    )
    assert audit["A"].status is Status.PROVED


def test_a_refutation_names_entry_printed_enclosure_and_distance() -> None:
    arrays = {"x": {"values": [["1", "2"]], "exact": True}, "y": [["1.00", "2.10"]]}
    evidence = check(document(arrays, ("y", "x / 1")))["y"].evidence
    assert evidence["worst"] == {
        "entry": [1, 2],
        "printed": "2.10",
        "enclosure": "[1.9999, 2.0001]",
        "distance_half_units": 19.0,
    }
    assert evidence["summary"] == "refuted, off by 19 half units at [1,2]"


def test_the_worst_entry_comes_first_and_the_list_is_bounded() -> None:
    arrays = {"x": {"values": ["0"] * 30, "exact": True}, "y": {"values": [str(i) for i in range(30)], "digits": 0}}
    evidence = check(document(arrays, ("y", "x * 1")))["y"].evidence
    assert evidence["refuted"] == 29
    assert len(evidence["witnesses"]) == 12
    assert evidence["witnesses"][0] == evidence["worst"]
    assert evidence["worst"]["entry"] == [1, 30]


def test_end_to_end_is_a_claim_of_its_own_where_it_differs() -> None:
    arrays = {"x": ["0.50"], "y": ["1.00"], "z": ["2.00"]}
    audit = check(document(arrays, ("y", "2 * x"), ("z", "2 * y")))
    assert [verdict.claim.name for verdict in audit] == ["y", "z", "z:end_to_end"]
    assert audit["z:end_to_end"].evidence["widest_half_units"] == 4
    assert audit["z"].evidence["widest_half_units"] == 2
    assert set(audit["z:end_to_end"].scope["inputs"]) == {"x"}
    assert set(audit["z"].scope["inputs"]) == {"y"}


def test_end_to_end_finds_an_error_that_the_printed_step_hides() -> None:
    # y is wrong, and z follows from the wrong y.
    arrays = {"x": ["0.50"], "y": ["1.10"], "z": ["2.20"]}
    audit = check(document(arrays, ("y", "2 * x"), ("z", "2 * y")))
    assert [verdict.status for verdict in audit] == [Status.REFUTED, Status.TESTED, Status.REFUTED]


def test_an_unprinted_array_with_a_relation_is_an_intermediate_value_and_no_claim() -> None:
    arrays = {"x": ["0.50"], "y": {"shape": [1, 1]}, "z": ["2.00"]}
    audit = check(document(arrays, ("z", "2 * y"), ("y", "2 * x")))
    assert [verdict.claim.name for verdict in audit] == ["z"]
    assert audit["z"].evidence["widest_half_units"] == 4


def test_several_relations_for_one_array_have_names() -> None:
    arrays = {"x": ["0.50"], "y": ["1.00"]}
    second = {"array": "y", "formula": "x / 0.5", "name": "y_again"}
    audit = check(document(arrays, ("y", "x + x"), second))
    assert [verdict.claim.name for verdict in audit] == ["y", "y_again"]


def test_what_rests_on_a_range_is_undecided_and_does_not_count() -> None:
    arrays = {"w": {"shape": [1, 1], "range": ["0", "1"]}, "x": ["0.50"], "y": ["0.20"], "z": ["1.00"]}
    audit = check(document(arrays, ("y", "w * x"), ("z", "2 * x")))
    assert audit["y"].status is Status.UNDECIDED
    assert not audit["y"].counts
    assert audit["y"].evidence["unprinted"] == ["w"]
    assert audit.status is Status.TESTED


def test_a_range_that_suffices_is_a_verdict() -> None:
    arrays = {"w": {"shape": [1, 1], "range": ["0", "1"]}, "y": ["0"], "z": ["3.5"]}
    audit = check(document(arrays, ("y", "0 * w"), ("z", "2 * w")))
    assert audit["y"].status is Status.PROVED
    assert audit["z"].status is Status.REFUTED
    assert audit["z"].counts


@pytest.mark.parametrize(
    ("formula", "word"), [("1 / (x - 0.5)", "division by"), ("sqrt(x - 0.5)", "sqrt of"), ("log(x - 0.5)", "log of")]
)
def test_a_formula_undefined_on_part_of_the_balls_is_undecided(formula: str, word: str) -> None:
    audit = check(document({"x": ["0.50"], "y": ["1.00"]}, ("y", formula)))
    assert audit["y"].status is Status.UNDECIDED
    assert audit["y"].counts
    assert word in audit["y"].evidence["detail"]
    assert audit.status.exit_code == 3


@pytest.mark.parametrize(
    ("formula", "word"),
    [
        ("1 / (x - x)", "division by"),
        ("x / 0", "division by"),
        ("sqrt(x - 1)", "sqrt of"),
        ("(x - 1) ** 0.5", "a root of"),
        ("log(x - 1)", "log of"),
        ("(x - 0.5) ** -1", "division by"),
        ("exp(100000 * x)", "larger than"),
    ],
)
def test_a_formula_without_a_value_is_refused(formula: str, word: str) -> None:
    with pytest.raises(DocumentError, match=word) as caught:
        check(document({"x": {"values": ["0.5"], "exact": True}, "y": ["1.00"]}, ("y", formula)))
    assert "relation y" in str(caught.value)


def test_undefined_spreads_to_what_rests_on_it_only() -> None:
    arrays = {"x": ["0.50"], "y": {"shape": [1, 1]}, "z": ["1.00"], "u": ["1.00"]}
    audit = check(document(arrays, ("y", "1 / (x - 0.5)"), ("z", "y + 1"), ("u", "2 * x")))
    assert [verdict.status for verdict in audit] == [Status.UNDECIDED, Status.TESTED]


@pytest.mark.parametrize("formula", ["exp(exp(exp(exp(exp(exp(x)))))) * 0 + 1", "1 / exp(exp(exp(exp(exp(10 * x)))))"])
def test_towers_of_exponentials_end(formula: str) -> None:
    # Either UNDECIDED or the truth; never a hang or a wrong verdict.
    audit = check(document({"x": ["5.00"], "y": ["0.00"]}, ("y", formula)))
    assert audit["y"].status in (Status.UNDECIDED, Status.PROVED, Status.TESTED)


def test_nothing_to_judge_is_an_error_of_its_own() -> None:
    with pytest.raises(NothingCheckedError, match="no relation") as caught:
        check(document({"x": ["0.5"]}))
    assert caught.value.exit_code == 3
    only_ranges = {"w": {"shape": [1, 1], "range": ["0", "1"]}, "y": ["0.5"]}
    with pytest.raises(NothingCheckedError, match="only a range is known"):
        check(document(only_ranges, ("y", "w * 1")))


def test_precision_is_raised_where_cancellation_needs_it() -> None:
    big = "1" + "0" * 60
    arrays = {"x": {"values": ["0.3"], "exact": True}, "y": ["0.30000000000000000000"]}
    audit = check(
        {**document(arrays, ("y", f"(x * sqrt(2) * sqrt(2) + {big}) / 2 - {big} / 2 ")), "arithmetic": "exact"}
    )
    assert audit["y"].status is Status.PROVED


def heads(swap: bool) -> dict[str, Any]:
    """Two heads with printed weights; the numbers come from NumPy, not from the package."""
    rng = np.random.default_rng(7)
    X, O = rng.random((3, 4)), rng.random((4, 2))
    weights = {f"{letter}{h}": rng.random((4, 2)) for h in (1, 2) for letter in ("WQ", "WK", "WV")}
    blocks = []
    for h in (1, 2):
        scores = (X @ weights[f"WQ{h}"]) @ (X @ weights[f"WK{h}"]).T / np.sqrt(2)
        P = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        blocks.append(P @ (X @ weights[f"WV{h}"]))
    Y = np.hstack(blocks) @ O
    arrays: dict[str, Any] = {
        name: [[f"{entry:.8f}" for entry in row] for row in value]
        for name, value in {"X": X, "WO": O, "Y": Y, **weights}.items()
    }
    relations = []
    for h in (1, 2):
        arrays[f"head{h}"] = {"shape": [3, 2]}
        relations.append((f"head{h}", f"softmax((X @ WQ{h}) @ (X @ WK{h}).T / sqrt(2)) @ (X @ WV{h})"))
    order = "head2, head1" if swap else "head1, head2"
    return document(arrays, *relations, ("Y", f"concat({order}) @ WO"))


def test_printed_multihead_is_consistent_and_the_order_of_concatenation_matters() -> None:
    assert check(heads(swap=False)).status is Status.TESTED
    assert check(heads(swap=True)).status is Status.REFUTED


def test_one_shift_of_a_softmax_row_and_one_mask_entry_matter() -> None:
    rng = np.random.default_rng(3)
    S, M = rng.random((3, 3)), np.array([[0, -50, -50], [0, 0, -50], [0, 0, 0]])
    P = np.exp(S + M) / np.exp(S + M).sum(axis=1, keepdims=True)
    arrays: dict[str, Any] = {
        "S": [[f"{x:.8f}" for x in row] for row in S],
        "P": [[f"{x:.8f}" for x in row] for row in P],
    }
    arrays["M"] = {"values": [[str(x) for x in row] for row in M], "exact": True}
    assert check(document(arrays, ("P", "softmax(S + M)"))).status is Status.TESTED
    for i in range(3):
        for j in range(3):
            broken = [[str(x) for x in row] for row in M]
            broken[i][j] = "-50" if broken[i][j] == "0" else "0"
            audit = check(document({**arrays, "M": {"values": broken, "exact": True}}, ("P", "softmax(S + M)")))
            # Row 1 with its only entry masked like the others is the same distribution only if all are equal.
            assert audit.status is Status.REFUTED, (i, j)


def test_intervals_are_written_outward() -> None:
    assert interval_text(Fraction(-1, 3), Fraction(1, 3), Fraction(1, 20)) == "[-0.334, 0.334]"
    assert interval_text(Fraction(-1, 3), Fraction(7), Fraction(5)) == "[-0.34, 7.00]"
    assert number(Fraction(10) ** 400) == float("inf")


def test_enclosures_are_repeatable_and_leave_the_precision_alone() -> None:
    import flint

    before = flint.ctx.prec
    data = load(heads(swap=False))
    assert enclose(data) == enclose(data)
    assert flint.ctx.prec == before


def test_an_enclosure_that_sticks_out_at_either_end_is_no_certificate() -> None:
    def certified(low: int, high: int) -> bool:
        return Entry(0, 0, "5", Fraction(5), (Fraction(0), Fraction(10)), (Fraction(low), Fraction(high))).certified

    assert certified(0, 10)
    assert not certified(-1, 9)
    assert not certified(1, 11)


def test_the_first_relation_defines_the_array() -> None:
    arrays = {"x": ["0.50"], "y": ["1.00"], "z": ["2.00"]}
    other = {"array": "y", "formula": "3 * x", "name": "other"}
    audit = check(document(arrays, ("y", "2 * x"), other, ("z", "2 * y")))
    assert audit["other"].status is Status.REFUTED
    assert audit["z:end_to_end"].status is Status.TESTED
