"""Every belief is refuted by a counterexample that the search finds, and that the models confirm."""

import json
from dataclasses import replace
from typing import Any

import pytest

from attn_verify.report.belief_text import beliefs_text
from attn_verify.report.strict_json import dumps
from attn_verify.theorems.claim_proof import prove
from attn_verify.theorems.false_beliefs import BELIEFS, refute
from attn_verify.theorems.models import refutes

SMALLEST: dict[str, dict[str, Any]] = {
    "scale_is_irrelevant_to_the_result": {"c": "2", "x": ["0", "log(2)"]},
    "variance_is_always_dk": {"a": "1", "b": "1"},
    "tile_equals_repeat": {"h": "1", "G": "2", "r": "2"},
    "self_attention_is_invariant": {"a": "0", "b": "1"},
    "difference_depends_on_difference": {"x": ["0", "0"], "y": ["0", "log(2)"], "z": ["0", "log(2)"]},
}


def test_there_are_eighteen() -> None:
    assert len(BELIEFS) == 18


@pytest.mark.parametrize("name", BELIEFS)
def test_it_is_refuted_by_what_the_search_found(name: str) -> None:
    found = refute(BELIEFS[name])
    assert refutes(found.model, found.claim, found.given)
    assert prove(found.claim, found.given)[0] is None
    data = json.loads(dumps(found.to_dict()))
    assert data["counterexample"]["text"].startswith("false at ")
    assert data["instead"]
    if name in SMALLEST:
        assert data["counterexample"]["values"] == SMALLEST[name]
    assert BELIEFS[name].text in " ".join(beliefs_text({"beliefs": [data]}).split())


def test_what_floats_print_stands_beside_what_is_true() -> None:
    zero = refute(BELIEFS["weights_can_be_zero"]).to_dict()["floats"]
    assert zero[0] == ["binary64", "0.0"]
    assert zero[1][1].startswith("[5.0760e-435")
    sums = dict(map(tuple, refute(BELIEFS["float_attention_is_permutation_invariant"]).to_dict()["floats"]))
    assert sorted(sums.values()) == ["0.0", "0.25", "1/4"]
    fills = refute(BELIEFS["minus_1e9_is_minus_infinity"]).to_dict()["floats"]
    assert fills[1][1] == "(0.5, 0.5)"
    assert "nan" in fills[2][1]


def test_a_belief_that_is_true_is_not_refuted() -> None:
    true = replace(BELIEFS["scale_is_irrelevant_to_the_result"], claim="softmax(x + c) == softmax(x)")
    with pytest.raises(LookupError, match="no counterexample"):
        refute(true)
