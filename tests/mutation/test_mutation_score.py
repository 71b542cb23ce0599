"""The arithmetic of the score, with a judge that makes up its mind in advance; no audit is run here."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import plain_checks
import pytest
import zoo
from equivalents import EQUIVALENT, GAP, KILLED, explained, outcome, proof_is_missing, with_proof
from journal import Journal, JournalError
from mutants import Mutant, mutants
from score import count, judge_all, main, report, score

ZOO = Path(zoo.__file__).parent / "correct"


def claim(name: str, status: str | None, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "applies": status is not None, "status": status, "scope": {}, "assumptions": [],
        "evidence": {"summary": f"about {name}"}, **more,
    }  # fmt: skip


def audit(**claims: str | None) -> dict[str, Any]:
    given = {"formula": "PROVED", "rounding": "TESTED", "range": "TESTED", "gradient": None} | claims
    return {"claims": [claim(name, status) for name, status in given.items()]}


FINE = audit()


def test_a_refuted_claim_kills() -> None:
    found = outcome(audit(formula="REFUTED", range="REFUTED"), FINE)
    assert (found.status, found.killed_by, found.why) == (KILLED, ("formula", "range"), "about formula")


@pytest.mark.parametrize("how", ["original", "header"])
def test_a_claim_that_the_original_fails_does_not_kill(how: str) -> None:
    original, excused = (audit(range="REFUTED"), ()) if how == "original" else (FINE, ("range",))
    assert outcome(audit(range="REFUTED"), original, excused).status == EQUIVALENT
    told = {"claims": [claim("formula", "PROVED"), claim("range", "REFUTED", scope={"inputs": "the counterexample"})]}
    assert "0 inputs inside the bound" in outcome(told, original, excused).why
    assert outcome(audit(range="REFUTED", rounding="REFUTED"), original, excused).killed_by == ("rounding",)


@pytest.mark.parametrize("claims", [{"formula": "UNDECIDED"}, {"formula": "TESTED"}, {"range": "UNDECIDED"}])
def test_what_is_not_decided_is_a_gap(claims: Mapping[str, str]) -> None:
    found = outcome(audit(**claims), FINE)
    assert found.status == GAP
    assert found.why == f"{next(iter(claims))} {next(iter(claims.values()))}: about {next(iter(claims))}"


def test_what_is_open_for_the_original_too_is_no_gap() -> None:
    found = outcome(audit(range="UNDECIDED"), audit(range="UNDECIDED"))
    assert found.status == EQUIVALENT
    assert found.why.endswith("range is open as for the original")
    other = {"claims": [*FINE["claims"][:2], claim("range", "UNDECIDED", evidence={"summary": "something else"})]}
    assert outcome(other, audit(range="UNDECIDED")).status == GAP
    assert outcome(audit(formula="UNDECIDED"), audit(formula="UNDECIDED")).status == GAP


def test_without_the_original_a_survivor_is_a_gap() -> None:
    assert outcome(FINE, None).status == GAP
    assert outcome(audit(formula="REFUTED"), None).killed_by == ("formula",)


def test_a_count_ends_the_run() -> None:
    found = judge_all(_five(), Prepared(), Journal(None, {}), lambda _: None, 2)
    assert [record["status"] for record in found] == [KILLED, KILLED]


def test_a_proof_may_be_probable_and_may_be_of_a_gradient() -> None:
    assert outcome(audit(formula="PROBABLE"), FINE).status == EQUIVALENT
    assert outcome(audit(formula=None, gradient="PROVED"), FINE).status == EQUIVALENT
    assert outcome(audit(formula=None), FINE).status == GAP


def test_a_proof_at_fewer_sizes_than_for_the_original_is_a_gap() -> None:
    def proved(*sizes: str) -> dict[str, Any]:
        return {"claims": [claim("formula", "PROVED", scope={"sizes": sizes})]}

    both = proved("n=1, m=2", "n=2, m=3 (9 masks)")
    assert outcome(both, proved("n=1, m=2", "n=2, m=3 (7 masks)")).status == EQUIVALENT
    assert outcome(proved("n=1, m=2"), both).why.endswith("not at n=2, m=3")


def test_an_equivalence_says_what_it_assumes() -> None:
    note = {"kind": "fill_limit", "text": "-1e9 is −∞", "fill": -1e9}
    fill = {"claims": [claim("formula", "PROVED", assumptions=[note])]}
    assert outcome(fill, FINE).why.endswith("assuming -1e9 is −∞")
    assert "assuming" not in outcome(fill, fill).why


def test_a_fill_that_legal_scores_come_near_to_is_no_equivalence() -> None:
    note = {"kind": "fill_limit", "text": "-1e4 is −∞", "fill": -1e4}
    fill = {"claims": [claim("formula", "PROVED", assumptions=[note])]}
    assert outcome(fill, FINE).why == "equal in the limit only: -1e4 is −∞"
    assert outcome(fill, fill).status == EQUIVALENT


def test_a_longer_audit_may_show_that_a_survivor_is_equivalent_but_kills_too_late() -> None:
    gap = outcome(audit(range="UNDECIDED"), FINE)
    assert explained(gap, outcome(FINE, FINE), 15).status == EQUIVALENT
    late = explained(gap, outcome(audit(range="REFUTED"), FINE), 15)
    assert (late.status, late.why[:45]) == (GAP, "only an audit of 15 s kills it, by range; ran")
    still = explained(gap, gap, 15)
    assert (still.status, still.why) == (GAP, "in 15 s too: range UNDECIDED: about range")


def test_a_longer_proof_may_be_all_that_is_missing() -> None:
    def proved(*sizes: str, status: str = "PROVED") -> dict[str, Any]:
        return claim("formula", status, scope={"sizes": sizes})

    original = {"claims": [proved("n=1, m=2", "n=2, m=3"), claim("range", "TESTED")]}
    short = {"claims": [proved("n=1, m=2"), claim("range", "TESTED")]}
    assert proof_is_missing(short, original)
    assert proof_is_missing({"claims": [proved(status="UNDECIDED"), claim("range", "TESTED")]}, original)
    assert not proof_is_missing({"claims": [proved("n=1, m=2"), claim("range", "UNDECIDED")]}, original)
    assert outcome(with_proof(short, original["claims"][0]), original).status == EQUIVALENT
    assert outcome(with_proof(short, proved(status="UNDECIDED")), original).status == GAP


def records(**fates: int) -> list[dict[str, Any]]:
    return [
        {
            "status": status, "allclose": at % 2 == 0, "close": False, "killed_by": [], "mutator": "axis",
            "file": "f.py", "line": 3, "what": "a → b", "diff": "-a\n+b", "why": "because",
        }
        for status, number in fates.items()
        for at in range(number)
    ]  # fmt: skip


def test_equivalent_and_stillborn_mutants_do_not_count() -> None:
    counted = count(records(killed=6, gap=2, equivalent=5, stillborn=4))
    assert counted == {
        "mutants": 17, "stillborn": 4, "equivalent": 5, "killed": 6, "gap": 2, "allclose": 4, "close": 0,
        "allclose_stillborn": 2, "close_stillborn": 0,
    }  # fmt: skip
    assert (score(counted), score(counted, "allclose"), score(counted, "close")) == (0.75, 0.5, 0.0)
    assert score(count(records(equivalent=3))) is None


class Prepared:
    """A judge: the third mutant is a gap, the others are killed; an interrupt at the one named."""

    def __init__(self, interrupt: int = 0) -> None:
        self.judged: list[str] = []
        self.originals: list[str] = []
        self.interrupt = interrupt

    def original(self, path: Path) -> Mapping[str, Any]:
        self.originals.append(path.name)
        return {"audit": FINE, "allclose": False, "close": False}

    def mutant(self, mutant: Mutant, original: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        assert original() == FINE
        self.judged.append(mutant.name)
        if len(self.judged) == self.interrupt:
            raise KeyboardInterrupt
        status = GAP if len(self.judged) == 3 else KILLED
        return {"status": status, "killed_by": [], "why": "so", "claims": {}, "allclose": True, "close": True}


def _five() -> list[Mutant]:
    return mutants(ZOO / "textbook.py")[:3] + mutants(ZOO / "stable.py")[:2]


def test_every_original_is_judged_once_and_the_report_lists_the_gap() -> None:
    judge, told = Prepared(), []
    found = judge_all(_five(), judge, Journal(None, {}), told.append)
    assert [record["status"] for record in found] == [KILLED, KILLED, GAP, KILLED, KILLED]
    assert judge.originals == ["textbook.py", "stable.py"]
    assert told[2].startswith(f"3 of 5: gap: textbook:{found[2]['line']}:")
    original = {"textbook.py": {"audit": audit(range="REFUTED"), "allclose": True, "close": False}}
    text = report(found, original, torch=False)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "the audit 4, 80.0% 4, 80.0%" in lines
    assert "numpy.testing.assert_allclose 5, 100.0% 5, 100.0%" in lines
    assert "textbook.py fails range" in text
    assert "rejected by assert_allclose 1, by assert_close 0" in text
    assert f"gap: 1\n\ntextbook.py:{found[2]['line']}  {found[2]['mutator']}: {found[2]['what']}\n    -    S = " in text


def test_a_run_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    path, first, second = tmp_path / "run.jsonl", Prepared(interrupt=3), Prepared()
    told: list[str] = []
    begun = judge_all(_five(), first, Journal.open(path, resume=False, seed=0, budget=3), told.append)
    assert len(begun) == 2
    assert told[-1] == "interrupted after 2 of 5"
    ended = judge_all(_five(), second, Journal.open(path, resume=True, seed=0, budget=3), told.append)
    assert len(ended) == 5
    assert ended[:2] == begun
    assert second.originals == ["stable.py"]
    assert second.judged == [mutant.name for mutant in _five()[2:]]


def test_a_journal_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with pytest.raises(JournalError, match="does not exist"):
        Journal.open(path, resume=True, seed=0, budget=3)
    Journal.open(path, resume=False, seed=0, budget=3)
    with pytest.raises(JournalError, match="exists"):
        Journal.open(path, resume=False, seed=0, budget=3)
    with pytest.raises(JournalError, match="other options"):
        Journal.open(path, resume=True, seed=1, budget=3)
    path.write_text("no JSON\n", "utf-8")
    with pytest.raises(JournalError, match="cannot be read"):
        Journal.open(path, resume=True, seed=0, budget=3)
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path, {}).add("a", {})


def test_the_command_lists_a_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--sample", "3", "--file", "textbook.py"]) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["textbook"] * 3
    with pytest.raises(SystemExit, match="2"):
        main(["--list", "--file", "none.py"])


def test_a_file_is_run_by_itself_and_compared(tmp_path: Path) -> None:
    entry = next(e for e in zoo.entries(folder="correct") if e.path.name == "textbook.py")
    assert plain_checks.judge(entry, entry.path) == plain_checks.Plain(allclose=False, close=False)
    named = next(e for e in zoo.entries(folder="correct") if e.path.name == "named_tuple_result.py")
    assert plain_checks.judge(named, named.path) == plain_checks.Plain(allclose=False, close=False)
    path = tmp_path / "textbook.py"
    path.write_text(entry.path.read_text("utf-8").replace("np.exp", "np.no_such_function"), "utf-8")
    assert plain_checks.judge(entry, path) == plain_checks.Plain(allclose=True, close=True)


@pytest.mark.parametrize(
    ("factor", "shift", "allclose", "close"),
    [(1.0, 0.0, False, False), (1 + 1e-8, 0.0, False, False), (1 + 1e-6, 0.0, True, True), (1.0, 9e-8, True, False)],
)
def test_the_comparisons_have_their_default_tolerances(
    factor: float, shift: float, allclose: bool, close: bool
) -> None:
    # assert_allclose has no absolute tolerance, assert_close one of 1e-7.
    right = np.array([[1e-3, 2.0]])
    found, expected = {"result": right * factor + shift}, {"result": right}
    assert plain_checks.rejected_by_allclose(found, expected) is allclose
    assert plain_checks.rejected_by_assert_close(found, expected) is close


def test_only_assert_close_looks_at_dtypes() -> None:
    found, expected = {"result": np.ones(2, dtype=np.float32)}, {"result": np.ones(2)}
    assert not plain_checks.rejected_by_allclose(found, expected)
    assert plain_checks.rejected_by_assert_close(found, expected)


@pytest.mark.parametrize(
    ("array", "right", "close"),
    [
        (np.array([1.0]), np.array([1.0 + 1e-7]), True),
        (np.array([1.0]), np.array([1.0 + 3e-7]), False),
        (np.array([np.inf]), np.array([np.inf]), True),
        (np.array([np.nan]), np.array([np.nan]), False),
        (np.array([1.0]), np.array([[1.0]]), False),
        (np.array([1.0], dtype=np.float32), np.array([1.0]), False),
        (np.array([1.0], dtype=np.float32), np.array([1.00001], dtype=np.float32), True),
    ],
)
def test_the_formula_of_assert_close(array: Any, right: Any, close: bool) -> None:
    assert plain_checks.by_formula(array, right) is close


def test_the_plain_input_is_square_where_it_may_be() -> None:
    entries = {entry.path.name: entry for entry in zoo.entries(folder="correct")}
    shapes = {
        name: plain_checks.case_of(entries[name]) for name in ("textbook.py", "two_keys_tanh.py", "where_mask.py")
    }
    assert {a.shape for a in shapes["textbook.py"].arrays.values()} == {(8, 8)}
    assert shapes["two_keys_tanh.py"].arrays["K"].shape == (2, 8)
    assert shapes["where_mask.py"].mask.shape == (8, 8)
    heads = plain_checks.case_of(entries["multihead_causal.py"]).arrays
    assert (heads["X"].shape, heads["W_Q"].shape, heads["W_O"].shape) == ((8, 16), (2, 16, 8), (16, 16))


def test_records_are_plain_data() -> None:
    judge = Prepared()
    found = judge_all(_five(), judge, Journal(None, {}), lambda _: None)
    assert json.loads(json.dumps(found)) == found
