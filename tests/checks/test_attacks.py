"""Targets of attacks on ``prove`` that no ordinary input shows to be wrong, and code that was called undecided beside.

Headers are those of the zoo.  Of the others, which some input shows, the zoo keeps them.
"""

import ast
from pathlib import Path

import pytest

from attn_verify import AttentionSpec
from attn_verify.checks.prove import Prover
from attn_verify.checks.verdict import Status
from attn_verify.errors import AttnVerifyError
from attn_verify.targets.runner import Runner

SCRIPT = Path(__file__).parent / "attacks_from_outside.py"
OUTSIDE = [
    item.name for item in ast.parse(SCRIPT.read_text()).body if isinstance(item, ast.FunctionDef) and item.name != "att"
]
FILES = sorted((Path(__file__).parent / "attacks").glob("*.py"))


def header(path: Path) -> dict[str, str]:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return dict(line.split(": ", 1) for line in text.splitlines())


def status(path: Path, runner: Runner) -> Status | None:
    told = header(path)
    sizes = {name: int(size) for name, size in (part.split("=") for part in told.get("sizes", "").split())}
    prover = Prover(runner, seconds=20, search_seconds=1.0, thorough=False, patience=0.0)
    spec = AttentionSpec.of(*told.get("spec", "").split())
    try:
        target = f"{path}::{told['function']}"
        return prover.prove(target, spec, sizes=sizes, layout=told.get("layout")).status
    except AttnVerifyError:
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_false_is_proved_and_nothing_right_refuted(path: Path, runner: Runner) -> None:
    found = status(path, runner)
    expected = header(path)["expected"]
    if expected == "PROVED":
        assert found is Status.PROVED
    else:
        assert found not in ((Status.PROVED, Status.PROBABLE) if expected == "not PROVED" else (Status.REFUTED,))


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_written_without_the_source_in_view_is_proved(name: str, runner: Runner) -> None:
    prover = Prover(runner, seconds=10, search_seconds=1.0, thorough=False, patience=0.0)
    sizes = {"n": 2, "m": 2, "d_k": 2, "d_v": 1}
    found = prover.prove(f"{SCRIPT}::{name}", AttentionSpec(), sizes=sizes, layout="nd").status
    assert found in (Status.REFUTED, Status.UNDECIDED)


def test_there_are_such_targets() -> None:
    assert len(FILES) >= 15
    assert len(OUTSIDE) >= 40
