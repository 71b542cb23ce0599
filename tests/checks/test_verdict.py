"""Verdicts and audits: the order of statuses, what counts, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import attn_verify
from attn_verify.checks.verdict import Audit, Claim, Status, Verdict
from attn_verify.errors import NothingCheckedError, VerdictError

CLAIM = Claim("rounding", "every entry is inside its bound")


def verdict(status, name="rounding", **fields):
    return Verdict(Claim(name, "it holds"), status, **fields)


def test_the_order_of_the_statuses():
    names = [status.name for status in sorted(Status)]
    assert names == ["REFUTED", "UNDECIDED", "TESTED", "PROBABLE", "PROVED"]


def test_every_status_has_one_sentence_of_its_own_and_an_exit_code():
    assert len({status.meaning for status in Status}) == len(Status)
    assert [status.exit_code for status in Status] == [1, 3, 0, 0, 0]


@pytest.mark.parametrize("subject", [Verdict(CLAIM, Status.PROVED), Audit({}, (Verdict(CLAIM, Status.PROVED),))])
def test_neither_a_verdict_nor_an_audit_has_a_truth_value(subject):
    with pytest.raises(TypeError, match="has no truth value"):
        bool(subject)
    with pytest.raises(TypeError):
        assert subject


@pytest.mark.parametrize("got", Status)
@pytest.mark.parametrize("wanted", Status)
def test_a_verdict_reaches_what_is_at_most_its_status(got, wanted):
    found = Verdict(CLAIM, got, evidence={"summary": "at most 0.1 of the bound"})
    if got >= wanted:
        assert found.require(wanted) is found
        return
    with pytest.raises(VerdictError) as caught:
        found.require(wanted)
    assert str(caught.value) == (
        "rounding: every entry is inside its bound\n"
        f"  the claim is {got.name}: {got.meaning}\n"
        "  summary: at most 0.1 of the bound\n"
        f"  {wanted.name} was required"
    )


def test_a_claim_that_does_not_apply_reaches_nothing():
    absent = Verdict(CLAIM, None)
    assert not absent.applies
    with pytest.raises(VerdictError) as caught:
        absent.require(Status.REFUTED)
    assert str(caught.value) == (
        "rounding: every entry is inside its bound\n  the claim does not apply\n  REFUTED was required"
    )


def test_structured_evidence_stays_out_of_the_message():
    found = Verdict(CLAIM, Status.REFUTED, evidence={"kind": "counterexample", "inputs": {"Q": [1]}, "entry": [1, 2]})
    with pytest.raises(VerdictError) as caught:
        found.require(Status.TESTED)
    assert "kind: counterexample" in str(caught.value)
    assert "inputs" not in str(caught.value)


@given(st.lists(st.tuples(st.none() | st.sampled_from(Status), st.booleans()), max_size=6))
def test_an_audit_is_as_good_as_its_weakest_claim_that_counts(parts):
    audit = Audit({}, tuple(verdict(status, f"c{i}", counts=counts) for i, (status, counts) in enumerate(parts)))
    counting = [status for status, counts in parts if counts and status is not None]
    if not counting:
        with pytest.raises(NothingCheckedError):
            _ = audit.status
        return
    assert audit.status is min(counting)
    for wanted in Status:
        if min(counting) >= wanted:
            assert audit.require(wanted) is audit
        else:
            with pytest.raises(VerdictError, match=f"is {min(counting).name}: "):
                audit.require(wanted)


def test_an_audit_of_nothing_is_an_error():
    for verdicts, named in [
        ((), "none"),
        ((verdict(None),), "rounding"),
        ((verdict(Status.PROVED, counts=False),), "rounding"),
    ]:
        audit = Audit({}, verdicts)
        for ask in (lambda a=audit: a.status, lambda a=audit: a.require(Status.REFUTED), audit.to_dict):
            with pytest.raises(NothingCheckedError) as caught:
                ask()
            assert str(caught.value) == (
                f"audit\n  claims: {named}\n  nothing was checked\n"
                "  an audit needs at least one claim that applies and could be judged"
            )
            assert caught.value.exit_code == 3


def test_require_names_the_weakest_claim_that_counts():
    audit = Audit(
        {},
        (
            verdict(Status.REFUTED, "ignored", counts=False),
            verdict(Status.PROVED, "strong"),
            verdict(Status.UNDECIDED, "weak"),
        ),
    )
    with pytest.raises(VerdictError, match=r"^weak: it holds\n"):
        audit.require(Status.TESTED)


def test_claims_are_found_by_name_in_the_order_given():
    audit = Audit({}, (verdict(Status.PROVED, "b"), verdict(Status.TESTED, "a")))
    assert [found.claim.name for found in audit] == ["b", "a"]
    assert audit["a"].status is Status.TESTED
    with pytest.raises(KeyError, match=r"no claim .c.; claims: b, a"):
        audit["c"]


def test_an_audit_as_plain_data():
    audit = Audit(
        {"target": "f", "spec": {"scale": "1"}},
        (
            Verdict(
                CLAIM,
                Status.TESTED,
                "ball oracle",
                {"inputs": 3},
                ({"kind": "surd", "text": "√2"},),
                {"kind": "rounding"},
            ),
            Verdict(Claim("layout", "strides do not matter"), None),
            verdict(Status.UNDECIDED, "other", counts=False),
        ),
        seed=7,
    )
    assert audit.to_dict() == {
        "target": "f",
        "spec": {"scale": "1"},
        "status": "TESTED",
        "claims": [
            {
                "name": "rounding", "statement": "every entry is inside its bound", "applies": True, "status": "TESTED",
                "counts": True, "method": "ball oracle", "scope": {"inputs": 3},
                "assumptions": [{"kind": "surd", "text": "√2"}], "evidence": {"kind": "rounding"},
            },
            {
                "name": "layout", "statement": "strides do not matter", "applies": False, "status": None,
                "counts": False, "method": "", "scope": {}, "assumptions": [], "evidence": {},
            },
            {
                "name": "other", "statement": "it holds", "applies": True, "status": "UNDECIDED",
                "counts": False, "method": "", "scope": {}, "assumptions": [], "evidence": {},
            },
        ],
        "diagnosis": None,
        "seed": 7,
        "version": attn_verify.__version__,
    }  # fmt: skip
    json.dumps(audit.to_dict(), allow_nan=False)


def test_verdicts_and_audits_do_not_change():
    with pytest.raises(AttributeError):
        Verdict(CLAIM, Status.PROVED).status = Status.REFUTED
    with pytest.raises(AttributeError):
        Audit({}, ()).seed = 1


@pytest.mark.parametrize(
    ("status", "code"), [(Status.REFUTED, 1), (Status.UNDECIDED, 3), (Status.TESTED, 1), (None, 3)]
)
def test_a_requirement_that_is_not_met_has_the_exit_code_of_what_is_known(status, code):
    with pytest.raises(VerdictError) as caught:
        Verdict(Claim("c", "s"), status).require(Status.PROVED)
    assert caught.value.exit_code == code
