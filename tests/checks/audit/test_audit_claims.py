"""From results to verdicts: what counts, what does not apply, and what takes a verdict back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.audit.claims import NAMES, verdicts
from attn_verify.checks.audit.evidence import sort_results
from attn_verify.checks.audit.failures import shared_profile
from attn_verify.checks.audit.groups import Group, Prepared
from attn_verify.checks.audit.judging import judge_trial
from attn_verify.checks.audit.records import Record
from attn_verify.checks.audit.run import save
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.inputs import Sample
from attn_verify.checks.verdict import Audit, Status


def judged(subject: Any, *results: Any, notes: tuple[str, ...] = ()) -> Audit:
    return Audit({}, tuple(verdicts(subject, sort_results(results), notes=notes)))


def test_every_claim_is_there_once_in_the_documented_order(make_subject: Any) -> None:
    assert tuple(verdict.claim.name for verdict in judged(make_subject())) == NAMES


def test_a_claim_with_right_trials_is_tested_and_says_how_much_was_tried(
    make_subject: Any, record: Any, result: Any
) -> None:
    verdict = judged(make_subject(), result(record("rounding")), result(record("rounding", largest_ulp=3.0)))[
        "rounding"
    ]
    assert verdict.status is Status.TESTED
    assert verdict.evidence["inputs"] == 8
    assert verdict.evidence["inputs_with_64_scores"] == 8
    assert verdict.evidence["largest_error_ulp"] == 3.0
    assert verdict.evidence["profile"] == "float64"
    assert verdict.scope["sizes"] == ["n=8, m=9, d_k=2, d_v=1"]
    assert verdict.assumptions


def test_nothing_tried_is_undecided(make_subject: Any) -> None:
    verdict = judged(make_subject())["range"]
    assert verdict.status is Status.UNDECIDED
    assert "nothing was tried" in verdict.evidence["summary"]


def test_a_failure_that_nothing_confirmed_is_no_pass(make_subject: Any, record: Any, result: Any) -> None:
    found = sort_results([result(record("rounding"))])
    found.unconfirmed["rounding"] = "a failure was seen, but it failed once, and not again"
    verdict = {v.claim.name: v for v in verdicts(make_subject(), found, notes=())}["rounding"]
    assert verdict.status is Status.UNDECIDED


@pytest.mark.parametrize("lost", [{"timeout": 1}, {"memory": 4}])
def test_runs_without_an_answer_leave_a_claim_open(
    make_subject: Any, lost: dict[str, int], record: Any, result: Any
) -> None:
    verdict = judged(make_subject(), result(record("rounding", lost=lost)))["rounding"]
    assert verdict.status is Status.UNDECIDED
    assert next(iter(lost)) in verdict.evidence["summary"]


def test_bounds_that_say_nothing_leave_a_claim_open(make_subject: Any, record: Any, result: Any) -> None:
    verdict = judged(make_subject(), result(record("rounding", bounds={"float64/fine": [0.0, 0]})))["rounding"]
    assert verdict.status is Status.UNDECIDED


def test_a_dtype_that_is_refused_everywhere_is_named_and_not_counted(
    make_subject: Any, record: Any, result: Any
) -> None:
    failure = {
        "sample": "ties", "arrays": {}, "found": {"kind": "raised", "exception": {"type": "TypeError", "text": "no"}}
    }  # fmt: skip
    refused = record("rounding", failed=4, raised=4, failures=[failure], entries=0, bounds={})
    verdict = judged(make_subject(), result(record("rounding")), result(refused, dtype="float32"))["rounding"]
    assert verdict.status is Status.TESTED
    assert verdict.evidence["dtypes_refused"] == {"float32": "TypeError: no"}
    assert verdict.evidence["inputs"] == 4


def test_claims_that_do_not_apply_say_why_and_do_not_count(make_subject: Any) -> None:
    audit = judged(make_subject())
    for name in ("empty_rows", "alignment", "gradient"):
        assert audit[name].status is None
        assert audit[name].evidence["summary"]
    causal = make_subject("causal=lower_right")
    assert judged(causal)["alignment"].applies
    square = replace(causal, options=replace(causal.options, sizes={"n": 3, "m": 3}))
    assert judged(square)["alignment"].evidence["summary"] == "at the given sizes n = m"
    assert judged(make_subject(parameters=("Q", "K", "V", "mask")))["empty_rows"].applies


def test_a_gradient_is_no_formula(make_subject: Any) -> None:
    audit = judged(make_subject(parameters=("Q", "K", "V", "dO")))
    assert audit["formula"].status is None
    assert audit["gradient"].status is Status.UNDECIDED
    assert audit["properties"].status is None


def test_an_interrupt_is_told(make_subject: Any, record: Any, result: Any) -> None:
    verdict = judged(make_subject(), result(record("rounding")), notes=("interrupted",))["rounding"]
    assert verdict.evidence["notes"] == ["interrupted"]


def test_what_could_not_be_judged_of_a_layout_is_no_pass(make_subject: Any) -> None:
    told = {"layout": {"inputs": 5, "notes": ["not judged for some arrays"]}}
    assert judged(make_subject(), {"name": "layout", "surroundings": told})["layout"].status is Status.UNDECIDED
    told["layout"]["notes"] = []
    assert judged(make_subject(), {"name": "layout", "surroundings": told})["layout"].status is Status.TESTED


def test_rows_that_an_exception_hides_are_no_pass(make_subject: Any, record: Any, result: Any) -> None:
    subject = make_subject(parameters=("Q", "K", "V", "mask"))
    seen = result(record("empty_rows", empty_rows=["raised ValueError"]))
    assert judged(subject, seen)["empty_rows"].status is Status.UNDECIDED
    assert judged(subject, result(record("empty_rows", empty_rows=["NaN"])))["empty_rows"].status is Status.TESTED


def test_extremes_whose_bounds_were_not_counted_are_no_pass(make_subject: Any, record: Any, result: Any) -> None:
    assert judged(make_subject(), result(record("range", bounds={})))["range"].status is Status.UNDECIDED


def test_a_precision_is_named_for_ordinary_inputs_only(make_subject: Any) -> None:
    subject = make_subject()
    group = Group({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, None, "none", "float64")
    prepared = Prepared(subject, group)
    generator = np.random.default_rng(5)
    arrays = {name: generator.standard_normal(shape) for name, shape in prepared.asked.shapes.items()}
    exact = textbook(**arrays).astype(np.float32).astype(np.float64)
    outcome = {"outcome": "returned", "value": {"array": packed_value(exact)}}
    for claim, profile in (("rounding", "float32"), ("range", "")):
        record = Record(claim)
        record.add(Sample("ties", claim, arrays), judge_trial(outcome, prepared.asked.plan, arrays, claim))
        assert record.failed == 1
        assert profile in record.failures[0]["profile"], "seed 5"
        assert bool(record.failures[0]["profile"]) == bool(profile)


def textbook(Q: Any, K: Any, V: Any) -> Any:
    E = np.exp(Q @ K.mT / np.sqrt(Q.shape[-1]))
    return (E / E.sum(-1, keepdims=True) @ V)[0]


def packed_value(array: Any) -> dict[str, Any]:
    return {"dtype": "float64", "shape": list(array.shape), "data": [float(x).hex() for x in array.ravel()]}


def test_gradients_count_the_entries_that_had_a_bound(make_subject: Any) -> None:
    prepared = Prepared(
        make_subject(parameters=("Q", "K", "V", "dO")),
        Group({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, None, "none", "float64"),
    )
    plan, shapes = prepared.asked.plan, prepared.asked.shapes
    value = {"tuple": [{"array": packed_value(np.zeros(shapes[name][1:]))} for name in "QKV"]}
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    # Equal keys, and scores of 10000: all gradients are 0, and far from overflow.
    large = {**zeros, "Q": zeros["Q"] + 1e4, "K": zeros["K"] + 1}
    for arrays in (zeros, large):
        judged = judge_trial({"outcome": "returned", "value": value}, plan, arrays, "range")
        assert judged.failure is None
        assert judged.entries == sum(zeros[name].size for name in "QKV")
        assert judged.tables[0]["float64", "coarse"].judged == zeros["Q"].size
    wrong = {**zeros, "dO": zeros["dO"] + 1}
    failure = judge_trial({"outcome": "returned", "value": value}, plan, wrong, "range").failure
    assert failure is not None
    assert failure["result"] == "dV"


def test_a_resumed_audit_sees_changes_of_what_the_target_imports(make_subject: Any, tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("one = 1\n", "utf-8")
    subject = make_subject()
    subject = replace(subject, description={**subject.description, "modules": [str(helper)]})
    before = subject.digest
    assert replace(subject, source=subject.source).digest == before
    helper.write_text("one = 2\n", "utf-8")
    assert subject.digest != before


@pytest.mark.parametrize(
    ("names", "shared"),
    [(["float32"], "float32"), (["float32", "float16"], "float16"), (["float32", ""], ""), ([], "")],
)
def test_a_precision_has_to_explain_every_failure(names: list[str], shared: str) -> None:
    assert shared_profile(names) == shared


def test_a_failure_is_told_with_the_sizes_that_work_and_wherever_it_can_be_saved(
    make_subject: Any, tmp_path: Path
) -> None:
    subject = make_subject()
    prepared = Prepared(subject, Group({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, None, "none", "float64"))
    arrays = {name: np.ones(shape) for name, shape in prepared.asked.shapes.items()}
    error = {"type": "ValueError", "text": "operands could not be broadcast together", "place": ""}
    example = Counterexample(
        "rounding", "raised", subject.options.target, prepared.asked.layout, prepared.asked.call, arrays,
        prepared.asked.plan, {"exception": error}, 0,
    )  # fmt: skip
    found = sort_results([])
    found.counterexamples["rounding"] = {"counterexample": example.to_dict()}
    (tmp_path / "file").write_text("")
    lost = save(found, tmp_path / "file", "attention")
    assert "cannot be written" in lost[0]
    assert "saved" not in found.counterexamples["rounding"]
    assert save(found, tmp_path, "attention") == []
    assert found.counterexamples["rounding"]["saved"] == str(tmp_path / "attention-rounding.json")
    for only_at, said in (("", "exception"), ("n=2, m=2", "it gives a result at n=2, m=2, and none where")):
        told = {v.claim.name: v for v in verdicts(replace(subject, only_at=only_at), found, notes=())}["rounding"]
        assert told.status is Status.REFUTED
        assert said in told.evidence["look_at"]
