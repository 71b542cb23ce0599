"""``prove`` on the whole zoo: nothing correct is refuted, nothing wrong is proved, and witnesses replay."""

from __future__ import annotations

import proofs
import pytest
import zoo

from attn_verify.targets.runner import Runner

ENTRIES = zoo.entries()
# What may come out for each expectation.
ALLOWED = {
    "PROVED": {"PROVED"},
    "PROBABLE": {"PROBABLE", "PROVED"},
    "UNDECIDED": {"UNDECIDED"},
    "REFUTED": {"REFUTED"},
    "not PROVED": {"REFUTED", "UNDECIDED", "ERROR"},
    "not REFUTED": {"PROVED", "PROBABLE", "UNDECIDED", "ERROR"},
}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_the_verdict_is_the_expected_one(entry: zoo.Entry, runner: Runner) -> None:
    found = proofs.judge(entry.name, runner)
    allowed = ALLOWED[entry.expected] | ({"UNDECIDED"} if entry.kind == "state" else set())
    assert found["status"] in allowed, f"seed {proofs.SEED}: {found['status']}: {found['text'][:600]}"
    if entry.correct:
        assert found["status"] != "REFUTED", found["text"]
    if entry.kind == "algebraic":
        assert found["replayed"] == "REFUTED", f"the witness does not replay: {found}"


def test_the_zoo_is_large_enough() -> None:
    assert len(zoo.entries(folder="correct")) >= 30
    assert len(zoo.entries(folder="broken")) >= 50
    assert sum(entry.kind == "adversarial" for entry in ENTRIES) >= 40
