"""An exercise accepts what the kernel accepts, and says where it fails, with a counterexample if it is false."""

import json

import pytest

from attn_verify.errors import LanguageError
from attn_verify.report.strict_json import dumps
from attn_verify.theorems.catalogue.softmax import shift_invariance_exactly, weights_form_a_distribution
from attn_verify.theorems.exercise import exercise, spelled, yields
from attn_verify.theorems.kernel.facts import algebra, assume, magnitude, order
from attn_verify.theorems.letters import j, s, weight
from attn_verify.theorems.library import theorem as in_library
from attn_verify.theorems.notation import ONE, ZERO, Abs, Cited, Eq, Exp, Le, Lt, Sum, scalar, term


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


x, a, b = map(scalar, "xab")
SUM = Eq(Sum(j, weight(j)), ONE)
NOT_ITS_OWN = {
    "a false claim that is assumed": ("sum", "sum(softmax(s)) == 2", {"rule": "hypothesis"}, "assumes what the proof"),
    "the claim itself, assumed": ("sum", SUM, {"rule": "hypothesis"}, "assumes what the proof"),
    "words that are cited": (
        "sum", Cited("linearity of expectation", "softmax is 7"), {"rule": "cited", "using": []}, "not checked",
    ),
    "another hypothesis": ("sum", SUM, {"given": [Eq(a, ONE)]}, "the conclusion sum then assumes a = 1"),
    "what its own hypothesis says": ("sum", Eq(a, ONE), {"given": [Eq(a, ONE)]}, "sum then assumes a = 1"),
    "a triviality": ("sum", "1 == 1", {}, "not seen to follow"),
    "a true statement about something else": ("positive", "exp(s) > 0", {}, "not seen to follow"),
    "less than the theorem says": ("positive", Le(ZERO, weight(j)), {}, "not seen to follow"),
    "at another element": ("positive", Lt(ZERO, weight(j.sort.index("m", fixed=True))), {}, "not seen to follow"),
    "the theorem itself": (
        "sum", SUM, {"using": ["weights_form_a_distribution:sum"], "library": in_library}, "no earlier step",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_ITS_OWN)
def test_the_proof_must_still_be_of_the_theorem(what: str) -> None:
    label, claim, options, why = NOT_ITS_OWN[what]
    answer = exercise(weights_form_a_distribution, label, claim, **options)
    assert not answer.accepted
    assert why in answer.message


def test_a_hypothesis_becomes_another() -> None:
    answer = exercise(shift_invariance_exactly, "same", "softmax(t) == 2 * softmax(s)")
    assert not answer.accepted


def test_an_example_in_place_of_a_proof() -> None:
    theorem = weights_form_a_distribution
    answer = exercise(theorem, "sum", Lt(ZERO, term(2)), rule="balls")
    assert not answer.accepted
    assert "then leans on" in answer.message
    answer = exercise(theorem, "sum", Le(ZERO, a + 1), rule="counted through", hints={"ranges": {a: range(3)}})
    assert not answer.accepted
    assert "holds for a from 0 to 2 only" in answer.message


YIELDS = {
    "itself": (Eq(a, a), Eq(a, a)),
    "in the other order": (Eq(a + b, b + a), Eq(b + a, a + b)),
    "other bound letters": (Eq(Sum(j, s[j]), Sum(j, s[j])), Eq(*[Sum(k, s[k]) for k in [j.sort.index("k")]] * 2)),
    "strictly": (Lt(ZERO, Exp(a)), Le(ZERO, Exp(a))),
    "an equation for an order": (Eq(a + b, b + a), Le(a + b, b + a)),
}


@pytest.mark.parametrize("what", YIELDS)
def test_what_a_claim_follows_from(what: str) -> None:
    found, wanted = YIELDS[what]
    assert yields(algebra(found) if isinstance(found, Eq) else order(found), wanted)


def test_what_a_claim_follows_from_by_a_rule() -> None:
    bound = magnitude(Le(a, Abs(a)))
    assert yields(bound, Le(ZERO, Abs(a) - a))
    assert not yields(bound, Lt(a, Abs(a)))
    assert not yields(bound, Eq(a, Abs(a)))
    assert not yields(bound, Eq(a, a))
    assert not yields(assume(Le(a, b)), Le(ZERO, b - a))  # which follows from what is given


def test_terms_in_other_letters() -> None:
    keys, k = j.sort, j.sort.index("k")
    pairs = [Sum(j, Sum(k, s[j] * s[k])), Sum(k, Sum(j, s[k] * s[j])), Sum(j, Sum(k, s[k] * s[j]))]
    assert spelled(pairs[0]) == spelled(pairs[1])
    assert spelled(a * (b * x)) == spelled((x * a) * b)
    different = [Sum(j, s[j]), Sum(j, s[k]), Sum(j, Sum(j, s[j])), Sum(k, Sum(j, s[k])), s[j], s[k], a + b, a * b,
                 a**2, Exp(a), Sum(keys.index("l"), ONE)]  # fmt: skip
    assert len({spelled(t) for t in different}) == len(different)


def test_the_known_of_hypotheses_is_known_of_counterexamples() -> None:
    """A claim that holds under what its step uses is not called false."""
    theorem = shift_invariance_exactly
    answer = exercise(theorem, "logarithms", "softmax(s) == softmax(t)", using=["same"], rule="certificate", hints={})
    assert not answer.accepted
    assert answer.counterexample is None


@pytest.mark.parametrize(("label", "text"), [("nowhere", "s == s"), ("sum", "unknown == 1"), ("sum", "s =")])
def test_what_cannot_be_read(label: str, text: str) -> None:
    with pytest.raises(LanguageError):
        exercise(weights_form_a_distribution, label, text)
