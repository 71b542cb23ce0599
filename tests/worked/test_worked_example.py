"""The published worked example: what is certified, what is consistent, and what a wrong formula or figure does.

Certified (``PROVED``): ``W``, ``Q_rows``, ``K_rows``, ``V_rows``.  They only rearrange printed
numbers, so nothing widens.
Consistent (``TESTED``): ``q1 … v3``, ``Q``, ``K``, ``V``, ``attention``, given and end to end.  They
compute from numbers that are themselves rounded prints, so their enclosures (4 to 58 half units)
are wider than the ± 1 of a printed one.
Not determined (``UNDECIDED``, does not count): ``multihead``, whose weights were not printed.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest

from attn_verify.checks.verdict import Status
from attn_verify.language import decimal
from attn_verify.worked import check, load
from attn_verify.worked.enclosures import enclose

EXAMPLE = json.loads((resources.files("attn_verify.worked") / "documents" / "worked-example.json").read_text("utf-8"))
CERTIFIED = {"W", "Q_rows", "K_rows", "V_rows"}
CONSISTENT = {f"{letter}{token}" for letter in "qkv" for token in "123"} | {"Q", "K", "V", "attention"}
END_TO_END = {f"{name}:end_to_end" for name in ("Q_rows", "K_rows", "V_rows", "attention")}


def example() -> dict[str, Any]:
    return copy.deepcopy(EXAMPLE)


def with_formula(array: str, formula: str) -> dict[str, Any]:
    data = example()
    matching = [relation for relation in data["relations"] if relation["array"] == array]
    assert matching
    matching[0]["formula"] = formula
    return data


def shifted(text: str, units: int) -> str:
    """The decimal moved by ``units`` in the eighth place."""
    value = decimal(text) + Fraction(units, 10**8)
    return f"{float(value):.8f}" if value >= 0 else f"-{float(-value):.8f}"


def test_every_claim_has_the_expected_status() -> None:
    audit = check("worked-example")
    got = {verdict.claim.name: verdict.status for verdict in audit}
    expected = dict.fromkeys(CERTIFIED, Status.PROVED) | dict.fromkeys(CONSISTENT | END_TO_END, Status.TESTED)
    assert got == expected | {"multihead": Status.UNDECIDED}
    assert {verdict.claim.name for verdict in audit if not verdict.counts} == {"multihead"}
    assert audit["multihead"].method == "not determined"
    assert "[0.00, 94.51]" in audit["multihead"].evidence["detail"]
    assert audit.status is Status.TESTED
    assert audit.status.exit_code == 0
    assert audit.to_dict()["document"] == {"title": EXAMPLE["title"], "path": "worked-example"}


def test_widths_are_the_documented_ones() -> None:
    audit = check("worked-example")
    width = {verdict.claim.name: verdict.evidence["widest_half_units"] for verdict in audit}
    assert all(width[name] == 1 for name in CERTIFIED)
    assert all(4 < width[name] < 8 for name in CONSISTENT - {"attention"})
    assert width["attention"] <= 25
    assert width["attention:end_to_end"] <= 58
    assert width["multihead"] > 10**9


def test_digits_stated_or_taken_from_the_longest_decimal_agree_here() -> None:
    data = example()
    del data["printer"]
    without, stated = check(data), check(example())
    assert [verdict.to_dict() for verdict in without] == [verdict.to_dict() for verdict in stated]


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param("softmax(Q @ K.T) @ V", id="scale 1"),
        pytest.param("softmax(Q @ K.T / 3) @ V", id="scale 1/d_k"),
        pytest.param("softmax(Q @ K.T / sqrt(5)) @ V", id="scale 1/sqrt(d_model)"),
        pytest.param("softmax(Q @ K.T / (3 ** 0.5 + 0.0001)) @ V", id="scale slightly off"),
        pytest.param("softmax((Q @ K.T / sqrt(3)).T).T @ V", id="softmax over columns"),
        pytest.param("softmax((Q @ K.T / sqrt(3)).T) @ V", id="scores transposed"),
        pytest.param("softmax(K @ Q.T / sqrt(3)) @ V", id="queries and keys swapped"),
        pytest.param("softmax(Q @ K / sqrt(3)) @ V", id="keys not transposed"),
        pytest.param("Q @ K.T / sqrt(3) @ V", id="no softmax"),
        pytest.param("softmax(Q @ K.T / sqrt(3)) @ K", id="keys as values"),
    ],
)
def test_a_wrong_formula_is_refuted(formula: str) -> None:
    audit = check(with_formula("attention", formula))
    assert audit["attention"].status is Status.REFUTED
    assert audit["attention:end_to_end"].status is Status.REFUTED
    assert audit.status is Status.REFUTED
    assert audit.status.exit_code == 1


def test_the_same_formula_written_differently_holds() -> None:
    audit = check(with_formula("attention", "softmax(3 ** -0.5 * Q @ K.T) @ V"))
    assert audit["attention"].status is Status.TESTED


@pytest.mark.parametrize(("array", "formula"), [("W", "stack(w2.T, w1.T, w3.T)"), ("Q", "W @ WK"), ("q1", "w2.T @ WQ")])
def test_other_wrong_relations_are_refuted(array: str, formula: str) -> None:
    assert check(with_formula(array, formula))[array].status is Status.REFUTED


def printed_relations() -> list[str]:
    names = dict.fromkeys(relation["array"] for relation in EXAMPLE["relations"])
    return [name for name in names if "values" in EXAMPLE["arrays"][name] and name != "multihead"]


def test_every_printed_array_but_the_inputs_is_covered() -> None:
    inputs = {"w1", "w2", "w3", "WQ", "WK", "WV", "multihead"}
    assert set(printed_relations()) == {n for n, a in EXAMPLE["arrays"].items() if "values" in a} - inputs


@pytest.mark.parametrize("array", printed_relations())
@pytest.mark.parametrize("sign", [1, -1])
def test_an_error_of_twice_the_enclosure_is_refuted_in_every_entry(array: str, sign: int) -> None:
    """The first relation of each array, given the printed numbers: an entry is moved by just over twice its radius."""
    document = load(example())
    index = next(i for i, relation in enumerate(document.relations) if relation.array == array)
    bounds = enclose(document)[index].given.bounds
    assert bounds is not None
    for i, row in enumerate(EXAMPLE["arrays"][array]["values"]):
        for j, text in enumerate(row):
            low, high = bounds[i][j]
            data = example()
            data["arrays"][array]["values"][i][j] = shifted(text, sign * (int((high - low) * 10**8) + 1))
            data["relations"] = [data["relations"][index]]
            data["arrays"] = {name: item for name, item in data["arrays"].items() if "values" in item}
            verdict = check(data)[document.relations[index].name]
            assert verdict.status is Status.REFUTED, (array, i, j, verdict.evidence)
            assert verdict.evidence["worst"]["entry"] == [i + 1, j + 1]
            assert verdict.evidence["refuted"] == 1


@pytest.mark.parametrize("array", ["w1", "w2", "w3", "WQ", "WK", "WV"])
def test_an_error_in_an_input_is_refuted(array: str) -> None:
    for i, row in enumerate(EXAMPLE["arrays"][array]["values"]):
        for j, text in enumerate(row):
            data = example()
            data["arrays"][array]["values"][i][j] = shifted(text, 1000)
            assert check(data).status is Status.REFUTED, (array, i, j)


@pytest.mark.parametrize("text", ["94.6", "-0.1"])
def test_an_undetermined_array_is_still_refuted_outside_its_range(text: str) -> None:
    data = example()
    data["arrays"]["multihead"]["values"][0][0] = text
    verdict = check(data)["multihead"]
    assert verdict.status is Status.REFUTED
    assert verdict.counts


def test_the_whole_process_takes_less_than_three_seconds_and_no_sympy() -> None:
    code = (
        "import sys, attn_verify.worked as worked\n"
        "audit = worked.check('worked-example')\n"
        "assert 'sympy' not in sys.modules and 'scipy' not in sys.modules\n"
        "print(audit.status.name)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 3
    assert done.stdout == "TESTED\n"
