"""``prove`` on the whole zoo: nothing correct is refuted, nothing wrong is proved, and witnesses replay."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import proofs
import pytest
import zoo

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
Verdicts = Mapping[str, "Future[dict[str, Any]]"]


@pytest.fixture(scope="module")
def verdicts() -> Iterator[Verdicts]:
    """Judge all entries in two processes, in the order of the tests."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=proofs.start) as pool:
        yield {entry.name: pool.submit(proofs.judge, entry.name) for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_the_verdict_is_the_expected_one(entry: zoo.Entry, verdicts: Verdicts) -> None:
    found = verdicts[entry.name].result(timeout=300)
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
