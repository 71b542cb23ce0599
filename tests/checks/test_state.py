"""State and memory layouts: what leaves something behind or depends on memory is found, and nothing else is."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.findings import Findings, Point
from attn_verify.checks.memory_layout import check_layout
from attn_verify.checks.replay import replay
from attn_verify.checks.state import check_state
from attn_verify.checks.variants import rounded, with_dtype
from attn_verify.checks.verdict import Status
from attn_verify.checks.witness_case import problem
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind
from attn_verify.targets.runner import Runner

TESTS = Path(__file__).parents[1]
ZOO, HOSTILE = TESTS / "zoo", TESTS / "targets" / "hostile"
SIZES = (Sizes(n=2, m=3, d_k=2, d_v=2), Sizes(n=3, m=2, d_k=3, d_v=1))
PARAMETERS = [{"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("Q", "K", "V")]


def points(target: str, sizes: tuple[Sizes, ...] = SIZES) -> list[Point]:
    generator = np.random.default_rng(3)
    binding = bind({"qualname": "f", "file": "", "parameters": PARAMETERS}, AttentionSpec())
    found = []
    for size in sizes:
        asked = problem(binding.case(size, None, binding.candidates()[0]), AttentionSpec(), "float64")
        arrays = {name: generator.integers(-64, 65, shape) / 64 + 1 / 128 for name, shape in asked.shapes.items()}
        found.append(Point(asked, arrays))
    return found


def state(runner: Runner, target: str, **options: Any) -> Findings:
    return check_state(runner, target, points(target), **options)


def layout(runner: Runner, target: str, **options: Any) -> Findings:
    return check_layout(runner, target, points(target)[:1], **options)


def written(found: Counterexample | None, kind: str) -> Counterexample:
    """Return the counterexample as it is read from its file; it was run twice before."""
    assert found is not None
    assert found.kind == kind
    compile(found.text(), "text", "exec")
    back = Counterexample.from_dict(found.to_dict())
    assert back.to_dict() == found.to_dict()
    return back


def replays(found: Counterexample | None, kind: str, runner: Runner, folder: Path) -> Counterexample:
    back = written(found, kind)
    back.save(folder / "found.json")
    assert replay(folder / "found.json", runner=runner).status is Status.REFUTED
    return back


STATE = {
    "broken/cache_by_shape": "differs",
    "broken/cache_never_reset": "differs",
    "broken/call_counter": "differs",
    "broken/default_argument_remembers": "differs",
    "broken/dropout_left_on": "differs",
    "broken/input_scaled_in_place": "changed",
    "broken/values_overwritten": "changed",
    "broken/workspace_reused": "differs",
    "adversarial/cache_by_id": "differs",
    "adversarial/thousandth_call": "differs",
}
LAYOUT = {
    "broken/memory_order_assumed": "value",
    "broken/strides_assumed": "value",
    "broken/writes_into_queries": "raised",
}


def test_every_file_of_these_kinds_is_tried() -> None:
    kinds = {"state": STATE, "layout": LAYOUT}
    for path in (ZOO / "broken").glob("*.py"):
        kind = path.read_text("utf-8").split("kind: ")[1].split("\n")[0]
        assert kind not in kinds or f"broken/{path.stem}" in kinds[kind], path.stem


@pytest.mark.parametrize("name", STATE)
def test_state_is_found(name: str, runner: Runner) -> None:
    findings = state(runner, f"{ZOO / name}.py::attention")
    claim = "purity" if STATE[name] == "changed" else "determinism"
    found = written(findings.of(claim), STATE[name])
    assert len(findings.counterexamples) == 1
    assert len(found.before) <= 1


@pytest.mark.parametrize("name", LAYOUT)
def test_an_assumption_about_memory_is_found(name: str, runner: Runner) -> None:
    findings = layout(runner, f"{ZOO / name}.py::attention")
    found = written(findings.of("layout"), LAYOUT[name])
    assert "view" in str(found.call)
    assert "fails with " in findings.notes[-1]


RIGHT = ("in_place", "cached_scale")


@pytest.mark.parametrize("name", RIGHT)
def test_correct_code_passes(name: str, runner: Runner) -> None:
    text = (ZOO / "correct" / f"{name}.py").read_text("utf-8")
    function = text.split("function: ")[1].split("\n")[0]
    target = f"{ZOO / 'correct' / name}.py::{function}"
    for findings in (state(runner, target), layout(runner, target)):
        assert findings.counterexamples == ()
        assert findings.notes == ()
        assert findings.calls > 20


def test_views_and_state_in_half_precision(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "half.py"
    path.write_text(HALF)
    given = [
        Point(with_dtype(point.problem, dtype), rounded(point.arrays, dtype))
        for point, dtype in zip(points(""), ("bfloat16", "float16"), strict=True)
    ]
    for check in (check_state, check_layout):
        findings = check(runner, f"{path}::attention", given)
        assert (findings.counterexamples, findings.notes) == ((), ())
    findings = check_layout(runner, f"{path}::assuming", given[:1])
    replays(findings.of("layout"), "raised", runner, tmp_path)
    assert "ml_dtypes.bfloat16" in findings.counterexamples[0].text()


HALF = """
import numpy as np


def attention(Q, K, V):
    E = np.exp(Q.astype("f4") @ K.astype("f4").T / np.sqrt(np.float32(Q.shape[1])))
    return ((E @ V.astype("f4")) / E.sum(1, keepdims=True)).astype(Q.dtype)


def assuming(Q, K, V):
    if K.strides[0] < 0:
        raise ValueError("reversed")
    return attention(Q, K, V)
"""

GOOD = (
    "import numpy as np\nimport os, random, sys, time, ctypes\nCALLS = []\n\n\ndef f(Q, K, V):\n    CALLS.append(0)\n"
)
END = "    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))\n    return E @ V / E.sum(1, keepdims=True)\n"
STATEFUL = {
    "ends the process at the second call": ("    if len(CALLS) > 1: os._exit(3)\n", "determinism", "differs", "code 3"),
    "draws a random number": ("    random.random()\n", "purity", "changed", "global random"),
    "locks its queries": ("    Q.flags.writeable = False\n", "purity", "changed", "Q in place"),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_state_that_attacks_is_found(name: str, runner: Runner, tmp_path: Path) -> None:
    line, claim, kind, words = STATEFUL[name]
    (tmp_path / "f.py").write_text(GOOD + line + END)
    found = replays(state(runner, f"{tmp_path / 'f.py'}::f").of(claim), kind, runner, tmp_path)
    assert words in found.summary


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_crash_for_one_layout_is_found(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(GOOD + "    if K.strides[0] < 0: ctypes.string_at(0)\n" + END)
    found = replays(layout(runner, f"{tmp_path / 'f.py'}::f").of("layout"), "raised", runner, tmp_path)
    assert "SIGSEGV" in found.summary


def test_wrong_code_without_state_is_no_matter_of_state(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(GOOD + "    Q = 2 * Q\n" + END)
    assert state(runner, f"{tmp_path / 'f.py'}::f").counterexamples == ()
    findings = layout(runner, f"{tmp_path / 'f.py'}::f")
    assert findings.counterexamples == ()
    assert "ordinary (C-contiguous) ones the same numbers give a wrong result too" in findings.notes[0]


QUIET = ("exit_at_once", "deletes_builtins")


@pytest.mark.parametrize("name", QUIET)
def test_what_breaks_every_call_is_noted(name: str, runner: Runner) -> None:
    target = f"{HOSTILE / name}.py::attention"
    for findings in (state(runner, target), layout(runner, target)):
        assert findings.counterexamples == ()
    assert findings.notes


def test_no_answer_is_noted(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(GOOD + "    if len(CALLS) > 1: time.sleep(60)\n" + END)
    findings = state(runner, f"{tmp_path / 'f.py'}::f", seconds=0.8)
    assert findings.counterexamples == ()
    assert "timeout" in findings.notes[0]
    assert "timeout" in layout(runner, f"{tmp_path / 'f.py'}::f", seconds=0.8, budget_seconds=2).notes[0]
