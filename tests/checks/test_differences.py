"""Two results of one call differ only where no rounding explains it, and where the spec leaves nothing open."""

from typing import Any

import numpy as np
import pytest

from attn_verify.checks.differences import difference
from attn_verify.checks.rounding import wide_bound, wide_gradient_bound
from attn_verify.checks.witness_plan import Part, Piece, Plan, Result, Share
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

SIZES = Sizes(n=2, m=2, d_k=1, d_v=1)
INPUTS = {name: np.array([[[1.0], [0.5]]]) for name in ("Q", "K", "V")}
PARTS = {name: Part((1, 2, 1), (2 * at, 2 * at + 1)) for at, name in enumerate("QKV")}
OUTPUT = Result((2, 1), (Piece((), (2, 1), (0, 1)),))
ALL = ((True, True), (True, True))


def plan(allowed: Any = ALL, spec: Any = ()) -> Plan:
    return Plan(AttentionSpec.of(*spec), (Share(SIZES, allowed, PARTS, {"O": OUTPUT}),), {}, "float64")


def returned(*numbers: float) -> dict[str, Any]:
    array = {"shape": [2, 1], "dtype": "float64", "data": [float(x).hex() for x in numbers]}
    return {"outcome": "returned", "value": {"array": array}, "exception": None}


def ended(outcome: str, kind: str, text: str = "") -> dict[str, Any]:
    return {"outcome": outcome, "value": None, "exception": {"type": kind, "text": text, "place": None}}


def test_twice_the_bound_is_the_limit() -> None:
    bound = wide_bound(INPUTS, SIZES, AttentionSpec(), ALL, plan().form)
    inside, outside = 0.75 + 1.9 * bound[1, 0], 0.75 + 2.1 * bound[1, 0]
    assert difference(returned(0.5, inside), returned(0.5, 0.75), plan(), INPUTS) is None
    found = difference(returned(0.5, outside), returned(0.5, 0.75), plan(), INPUTS)
    assert found is not None
    assert (found["unit"], found["result"], found["entry"]) == (1, "O", [2, 1])
    assert found["got"] == outside.hex()
    assert found["alone"] == (0.75).hex()
    assert found["bound"] == pytest.approx(2 * bound[1, 0])


def test_what_is_no_number_differs_from_a_number_and_not_from_itself() -> None:
    for odd in (float("nan"), float("inf")):
        found = difference(returned(0.5, odd), returned(0.5, 0.75), plan(), INPUTS)
        assert found is not None
        assert found["difference"] == float("inf")
        assert difference(returned(0.5, odd), returned(0.5, odd), plan(), INPUTS) is None
    assert difference(returned(float("inf"), 1), returned(-float("inf"), 1), plan(), INPUTS) is not None


def test_rows_that_the_spec_leaves_open_may_differ() -> None:
    empty = ((True, True), (False, False))
    spec = ("mask=boolean",)
    first, second = returned(0.5, 7.0), returned(0.5, float("nan"))
    assert difference(first, second, plan(empty, spec), INPUTS) is None
    assert difference(first, second, plan(empty, (*spec, "empty_row=zero")), INPUTS) is not None
    assert difference(returned(0.4, 7.0), second, plan(empty, spec), INPUTS) is not None


def test_other_endings_differ_and_other_words_do_not() -> None:
    value, crash = ended("raised", "ValueError", "a"), ended("crashed", "Crash", "signal SIGSEGV")
    assert difference(value, ended("raised", "ValueError", "b"), plan(), INPUTS) is None
    for one, other in ((value, returned(1, 1)), (returned(1, 1), value), (crash, value)):
        found = difference(one, other, plan(), INPUTS)
        assert found is not None
        assert set(found) == {"now", "alone"}
    assert difference(crash, returned(1, 1), plan(), INPUTS)["now"] == "raised Crash: signal SIGSEGV"  # type: ignore[index]


def test_other_shapes_differ() -> None:
    short = {"outcome": "returned", "value": {"value": 1.0}, "exception": None}
    found = difference(short, returned(1, 1), plan(), INPUTS)
    assert found is not None
    assert found["alone"] == "returned what is expected"
    assert difference(short, {**short, "value": {"value": 2.0}}, plan(), INPUTS) is None


@pytest.mark.parametrize("outcome", ["timeout", "memory"])
def test_no_answer_is_no_difference(outcome: str) -> None:
    for pair in ((ended(outcome, ""), returned(1, 1)), (returned(1, 1), ended(outcome, ""))):
        with pytest.raises(TimeoutError, match=outcome):
            difference(*pair, plan(), INPUTS)


def test_gradients_have_the_sum_of_the_bounds_of_their_units() -> None:
    inputs = {**INPUTS, "dO": np.array([[[1.0], [1.0]]])}
    parts = {**PARTS, "dO": Part((1, 2, 1), (6, 7))}
    gradients = {"dV": Result((1, 2, 1), (Piece((), (2, 1), (0, 1)),))}
    asked = Plan(AttentionSpec(), (Share(SIZES, ALL, parts, {}),) * 2, gradients, "float64")
    bound = 2 * wide_gradient_bound(inputs, SIZES, AttentionSpec(), asked.form)["dV"][0, 1, 0]
    assert difference(returned(1, 1 + 1.9 * bound), returned(1, 1), asked, inputs) is None
    found = difference(returned(1, 1 + 2.2 * bound), returned(1, 1), asked, inputs)
    assert found is not None
    assert (found["unit"], found["result"], found["entry"]) == (0, "dV", [1, 2, 1])
