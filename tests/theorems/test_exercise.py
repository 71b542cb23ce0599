"""An exercise accepts what the kernel accepts, and says where it fails, with a counterexample if it is false."""

import json

import pytest

from attn_verify.errors import LanguageError
from attn_verify.report.strict_json import dumps
from attn_verify.theorems.catalogue.softmax import shift_invariance_exactly, weights_form_a_distribution
from attn_verify.theorems.exercise import exercise


def test_the_step_of_the_proof_itself_is_accepted() -> None:
    for theorem in (weights_form_a_distribution, shift_invariance_exactly):
        for step in theorem.steps:
            assert exercise(theorem, step.label, step.claim).accepted


def test_a_step_in_other_words_is_accepted() -> None:
    answer = exercise(weights_form_a_distribution, "sum", "sum(softmax(s)) == 1")
    assert answer.accepted, answer.message
    assert "the proof holds with it" in answer.message


def test_a_false_step_comes_with_a_counterexample() -> None:
    answer = exercise(shift_invariance_exactly, "if", "softmax(s + c) == c * softmax(s)")
    assert not answer.accepted
    assert answer.failed == "if"
    assert answer.counterexample is not None
    assert answer.counterexample["values"] == {"c": "0", "s": ["0"]}
    assert "not accepted by the rule 'normal form'" in answer.message
    assert json.loads(dumps(answer.to_dict()))["accepted"] is False


def test_a_true_step_that_the_proof_does_not_go_on_from() -> None:
    answer = exercise(shift_invariance_exactly, "same", "softmax(t) == softmax(s)")
    assert answer.accepted
    answer = exercise(shift_invariance_exactly, "same", "sum(softmax(t)) == 1", rule="normal form")
    assert not answer.accepted
    assert answer.failed == "logarithms"
    assert "the proof stops at step logarithms" in answer.message


def test_a_true_step_by_the_wrong_rule() -> None:
    answer = exercise(weights_form_a_distribution, "sum", "sum(softmax(s)) <= 1")
    assert not answer.accepted
    assert "it may be true" in answer.message


@pytest.mark.parametrize(("label", "text"), [("nowhere", "s == s"), ("sum", "unknown == 1"), ("sum", "s =")])
def test_what_cannot_be_read(label: str, text: str) -> None:
    with pytest.raises(LanguageError):
        exercise(weights_form_a_distribution, label, text)
