"""What no ordinary input shows: targets that deceived ``prove`` once, and right ones that it could not decide."""

from __future__ import annotations

import ast
from pathlib import Path

import proofs
import pytest
import zoo

from attn_verify import AttentionSpec
from attn_verify.checks.prove import Prover
from attn_verify.checks.verdict import Status
from attn_verify.errors import AttnVerifyError
from attn_verify.targets.runner import Runner

HIDDEN = zoo.hidden()
SCRIPTS = [Path(__file__).parent / name for name in ("from_outside.py", "mistakes.py")]
OUTSIDE = [
    f"{path.name}::{item.name}"
    for path in SCRIPTS
    for item in ast.parse(path.read_text("utf-8")).body
    if isinstance(item, ast.FunctionDef) and item.name != "att" and not item.name.startswith("_")
]


@pytest.mark.parametrize("entry", HIDDEN, ids=lambda entry: entry.path.stem)
def test_nothing_false_is_proved_and_nothing_right_refuted(entry: zoo.Entry, runner: Runner) -> None:
    try:
        found = proofs.proof_at(entry, runner, entry.sizes, seconds=20, search_seconds=1.0).status
    except AttnVerifyError:
        found = None
    if entry.expected == "PROVED":
        assert found is Status.PROVED
    elif entry.expected == "not PROVED":
        assert found not in (Status.PROVED, Status.PROBABLE)
    else:
        assert entry.expected == "not REFUTED"
        assert found is not Status.REFUTED


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_written_without_the_source_in_view_is_proved(name: str, runner: Runner) -> None:
    prover = Prover(runner, seconds=10, search_seconds=1.0, thorough=False, patience=0.0)
    sizes = {"n": 2, "m": 2, "d_k": 2, "d_v": 1}
    found = prover.prove(str(SCRIPTS[0].with_name(name)), AttentionSpec(), sizes=sizes, layout="nd").status
    assert found in (Status.REFUTED, Status.UNDECIDED)


def test_there_are_such_targets() -> None:
    assert len(HIDDEN) >= 15
    assert len(OUTSIDE) >= 95
