"""The same call in other dtypes, layouts and objects: what is passed has them, and nothing else has changed."""

from typing import Any

import numpy as np
import pytest

from attn_verify.checks.variants import again, agreeing, array_parameters, rounded, with_dtype, with_view
from attn_verify.checks.witness_case import Problem
from attn_verify.checks.witness_plan import Plan
from attn_verify.spec import AttentionSpec


def array(entries: list[int]) -> dict[str, Any]:
    return {"array": {"shape": [2, 2], "entries": entries, "dtype": "float64", "order": "C"}}


def constant(data: list[Any], dtype: str) -> dict[str, Any]:
    return {"constant_array": {"shape": [2, 2], "data": data, "dtype": dtype}}


ARRAYS = {"Q": np.arange(4.0).reshape(1, 2, 2), "K": np.arange(4.0, 8.0).reshape(1, 2, 2)}


@pytest.fixture
def problem() -> Problem:
    arguments = {
        "Q": array([0, 1, 2, 3]), "W": {"list": [array([4, 5, 6, 7]), array([7, 6, 5, 4])]}, "heads": {"value": 2},
        "mask": constant([True, False, True, False], "bool"), "bias": constant([0.0, "-inf", 1.0, 2.0], "float64"),
        "X": {"alias": "Q"},
    }  # fmt: skip
    shapes = {name: item.shape for name, item in ARRAYS.items()}
    return Problem(shapes, {"arguments": arguments, "positional": []}, Plan(AttentionSpec(), (), {}, "float32"), "")


def test_floats_have_the_dtype_and_a_bound_for_the_narrowest(problem: Problem) -> None:
    changed = with_dtype(problem, "float16")
    arguments = changed.call["arguments"]
    assert arguments["Q"]["array"]["dtype"] == arguments["W"]["list"][1]["array"]["dtype"] == "float16"
    assert arguments["bias"]["constant_array"]["dtype"] == "float16"
    assert arguments["mask"] == problem.call["arguments"]["mask"]
    assert changed.plan.precision == "float16"
    assert with_dtype(problem, "float64").plan.precision == "float32"
    assert problem.call["arguments"]["Q"] == array([0, 1, 2, 3])


def test_views_are_of_the_chosen_parameters(problem: Problem) -> None:
    assert array_parameters(problem) == ("Q", "W", "mask", "bias")
    one = with_view(problem, "strided", ("W",)).call["arguments"]
    assert [item["array"]["view"] for item in one["W"]["list"]] == ["strided", "strided"]
    assert one["Q"] == problem.call["arguments"]["Q"]
    every = with_view(problem, "F").call["arguments"]
    assert every["mask"]["constant_array"]["view"] == every["Q"]["array"]["view"] == "F"
    assert every["X"] == {"alias": "Q"}


def test_inputs_are_made_to_agree_along_the_first_axis(problem: Problem) -> None:
    found = agreeing(problem, ARRAYS, ("Q",))
    assert found is not None
    assert found["Q"].tolist() == [[[0, 1], [0, 1]]]
    assert np.array_equal(found["K"], ARRAYS["K"])
    assert agreeing(problem, ARRAYS, ("mask",)) is not None
    assert agreeing(problem, ARRAYS, ("Q", "bias")) is None
    assert ARRAYS["Q"].tolist() == [[[0, 1], [2, 3]]]


def test_numbers_are_rounded_to_the_dtype() -> None:
    found = rounded({"Q": np.array([1 + 2**-9])}, "bfloat16")
    assert found["Q"].dtype == np.float64
    assert found["Q"].tolist() == [1.0]


def test_only_arrays_are_received_again(problem: Problem) -> None:
    call = problem.call
    other = {"arguments": {"Q": array([0] * 4), "heads": {"value": 1}}}
    arguments = again(call, 3, other)["arguments"]
    assert arguments["Q"] == {"again": {"call": 3, "with": array([0, 1, 2, 3])}}
    assert arguments["W"] == call["arguments"]["W"]
    assert arguments["heads"] == {"value": 2}
