"""Results that a later call writes into are found, whatever they are returned in, and nothing else is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.differences import overwriting
from attn_verify.checks.findings import Findings, Point
from attn_verify.checks.replay import replay
from attn_verify.checks.state import check_state
from attn_verify.checks.verdict import Status
from attn_verify.checks.witness_case import problem
from attn_verify.checks.witness_plan import Part, Piece, Plan, Result, Share
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind
from attn_verify.targets.runner import Runner

CODE = """
import numpy as np

_buffers, _turn, _result = {}, [0], {}


def weights(Q, K):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E / E.sum(1, keepdims=True)


def buffer(shape, number=0):
    return _buffers.setdefault((shape, number), np.empty(shape))


def one_buffer(Q, K, V):
    return np.matmul(weights(Q, K), V, out=buffer((len(Q), V.shape[1])))


def weights_by_turns(Q, K, V):
    _turn[0] = (_turn[0] + 1) % 3
    P = buffer((len(Q), len(K)), _turn[0])
    P[...] = weights(Q, K)
    return P @ V, P


def in_values(Q, K, V):
    n = len(Q)
    if V.shape[0] < n or not V.flags.writeable:
        return weights(Q, K) @ V
    V[:n] = weights(Q, K) @ V
    return V[:n]


def same_for_same(Q, K, V):
    count = _buffers.setdefault("count", np.zeros(1))
    count += 1
    key = Q.tobytes() + K.tobytes() + V.tobytes()
    if key not in _result:
        _result[key] = weights(Q, K) @ V
    return _result[key], count
"""
PARAMETERS = [{"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("Q", "K", "V")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "buffers.py"
    path.write_text(CODE, "utf-8")
    return path


def state(runner: Runner, target: str, returned: tuple[int, ...] | None = None) -> Findings:
    generator = np.random.default_rng(3)
    binding = bind({"qualname": "f", "file": "", "parameters": PARAMETERS}, AttentionSpec())
    points = []
    for size in (Sizes(n=2, m=3, d_k=2, d_v=2), Sizes(n=3, m=2, d_k=3, d_v=1)):
        convention = binding.candidates()[0].with_(returned=returned)
        asked = problem(binding.case(size, None, convention), AttentionSpec(), "float64")
        arrays = {name: generator.integers(-64, 65, shape) / 64 + 1 / 128 for name, shape in asked.shapes.items()}
        points.append(Point(asked, arrays))
    return check_state(runner, target, points, repeat_seconds=0.02)


def test_weights_that_lie_in_several_buffers_by_turns_are_found(file: Path, runner: Runner) -> None:
    found = state(runner, f"{file}::weights_by_turns", (0,)).of("determinism")
    assert found is not None
    assert (found.kind, found.before, sum(one.repeat for one in found.after)) == ("differs", (), 3)
    assert "of the returned array of shape (2, 3) at [1] is " in found.summary
    assert " after 3 more calls; when the call returned: 0." in found.summary


def test_an_overwritten_result_is_shown_again_and_passes_when_mended(
    file: Path, runner: Runner, tmp_path: Path
) -> None:
    found = state(runner, f"{file}::one_buffer").of("determinism")
    assert found is not None
    assert found.summary.startswith("O[1,1] is 0.")
    assert " when the call returns, and 1." in found.summary
    found.save(tmp_path / "found.json")
    assert Counterexample.load(tmp_path / "found.json").to_dict() == found.to_dict()
    assert replay(tmp_path / "found.json", runner=runner).status is Status.REFUTED
    run = subprocess.run([sys.executable, "-c", found.text()], capture_output=True, text=True, check=True, timeout=60)
    lines = run.stdout.splitlines()
    assert lines[: len(lines) // 2] != lines[len(lines) // 2 :]
    assert "# the result of call 1, looked at after call 2:" in found.text()
    (tmp_path / "mended.py").write_text(CODE.replace("out=buffer((len(Q), V.shape[1]))", ""), "utf-8")
    found.at(f"{tmp_path / 'mended.py'}::one_buffer").save(tmp_path / "found.json")
    assert replay(tmp_path / "found.json", runner=runner).status is Status.TESTED


@pytest.mark.parametrize("name", ["in_values", "same_for_same"])
def test_what_the_caller_changes_is_no_matter_of_the_function(name: str, file: Path, runner: Runner) -> None:
    findings = state(runner, f"{file}::{name}", (0,) if name == "same_for_same" else None)
    # What returns a part of its own arguments has changed them; a counter is no result.
    assert [found.claim for found in findings.counterexamples] == (["purity"] if name == "in_values" else [])
    assert findings.notes == ()


SIZES = Sizes(n=2, m=2, d_k=1, d_v=1)
PARTS = {name: Part((1, 2, 1), (2 * at, 2 * at + 1)) for at, name in enumerate("QKV")}
ENTRIES = Result((2, 1), (Piece((0,), (2, 1), (0, 1)),))


def array(*shape: int, value: float) -> dict[str, Any]:
    return {"array": {"shape": list(shape), "dtype": "float64", "data": [value.hex()] * int(np.prod(shape))}}


def kept(first: list[Any], later: list[Any]) -> dict[str, Any]:
    return {"outcome": "returned", "value": {"tuple": first}, "later": {"tuple": later}, "exception": None}


@pytest.mark.parametrize("gradient", [False, True])
def test_any_change_of_what_is_judged_counts_and_of_the_rest_only_weights(gradient: bool) -> None:
    share = Share(SIZES, ((True, True), (True, True)), PARTS, {} if gradient else {"O": ENTRIES})
    plan = Plan(AttentionSpec(), (share,), {"dQ": ENTRIES} if gradient else {}, "float64")
    nan, tiny = float("nan"), np.nextafter(0.5, 1)
    found = overwriting(kept([array(2, 1, value=0.5)], [array(2, 1, value=float(tiny))]), plan)
    assert found is not None
    assert (found["result"], found["unit"], found["entry"]) == (("dQ", 0, [1, 1]) if gradient else ("O", 1, [1, 1]))
    assert found["bound"] == 0
    for value in (nan, 0.0):
        assert overwriting(kept([array(2, 1, value=value)], [array(2, 1, value=-value)]), plan) is None
    same = array(2, 1, value=0.5)
    for other, counts in ((array(1, 2, 2, value=1.0), True), (array(3, value=1.0), False)):
        changed = {"array": {**other["array"], "data": [(2.0).hex(), *other["array"]["data"][1:]]}}
        found = overwriting(kept([same, other], [same, changed]), plan)
        assert (found is not None) is counts
        if found is not None:
            assert found["now"] == "entry [1,1,1] of the returned array of shape (1, 2, 2) at [1] is 2.0"
