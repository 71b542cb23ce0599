"""``audit`` on part of the zoo; ``python tests/zoo/audits.py`` does it on all of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor

import audits
import pytest
import zoo

from attn_verify.checks.audit.pool import own_executor

# What no proof can find: right as a function of real numbers at small sizes, and wrong in floats.  One of each kind.
HIDDEN = [zoo.entries(kind)[0] for kind in ("precision", "magnitude", "layout", "state", "size", "empty_rows")]
CORRECT = [e for e in zoo.entries(folder="correct") if e.path.stem == "merge_by_lse"]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with own_executor(2) as pool:
        yield pool


@pytest.mark.parametrize("entry", [*HIDDEN, *CORRECT], ids=lambda e: e.name)
def test_the_audit_finds_what_is_wrong_and_nothing_else(entry: zoo.Entry, executor: Executor) -> None:
    found = audits.judge(entry, executor, budget=1.5, limit=15.0)
    assert not audits.complaint(entry, found), f"seed 0: {found['texts']}"


def test_an_audit_that_should_fail_and_does_not_is_told() -> None:
    right = {"error": "", "silent": [], "claims": {"range": "REFUTED"}, "texts": {"range": "off"}}
    assert audits.complaint(CORRECT[0], right) == "range: off"
    assert audits.complaint(HIDDEN[0], {**right, "claims": {"range": "TESTED"}}).startswith("nothing that shows")
    assert "replay" in audits.complaint(HIDDEN[0], {**right, "silent": ["range"]})


def test_a_claim_that_a_header_names_has_to_fail() -> None:
    careless = next(e for e in zoo.entries(folder="correct") if e.path.stem == "textbook")
    found = {"error": "", "silent": [], "claims": {"range": "REFUTED"}, "texts": {}}
    assert audits.complaint(careless, found) == ""
    assert "it does not" in audits.complaint(careless, {**found, "claims": {"range": "TESTED"}})
