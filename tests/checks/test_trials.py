"""Trials: what exact numbers alone have seen is run in floats on every path, and at several magnitudes."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from attn_verify.checks.outcome import Outcome, check_run
from attn_verify.checks.prove import prove
from attn_verify.checks.verdict import Verdict
from attn_verify.targets.runner import Runner
from attn_verify.targets.units import Case

BEGIN = "import numpy as np\n\n\ndef attention(Q, K, V):\n    S = Q @ K.T / np.sqrt(Q.shape[1])\n"
END = "    P = np.exp(S - S.max(axis=1, keepdims=True))\n    return P / P.sum(axis=1, keepdims=True) @ V\n"
SIZES = {"n": 2, "m": 2, "d_k": 1, "d_v": 1}


def verdict(path: Path, middle: str) -> Verdict:
    path.write_text(BEGIN + middle + END)
    return prove(f"{path}::attention", sizes=SIZES)


@pytest.mark.parametrize(
    ("middle", "reason"),
    [
        ("    with np.errstate(all='raise'):\n        try:\n            np.exp(S - 3 * S.max())\n"
         "        except FloatingPointError:\n            S = S * 2\n", "floats run lines that exact numbers do not"),
        ("    t = np.exp(-500 - Q[0, 0] ** 2)\n    S = (S + t - t) / t * t\n", "the range of floats"),
        ("    try:\n        k = len(bytes(1 << 40))\n    except MemoryError:\n        k = 0\n    S = S + k\n",
         "MemoryError"),
        ("    if S.max() > 20:\n        T = np.stack([S, S]).transpose(0, 2, 1).sum(axis=0) / 2\n"
         "        T.reshape(-1)[0] += 1\n        S = T.T.copy()\n        S[0, 0] -= 1\n", "exact numbers"),
    ],
    ids=["only floats go there", "no input in range", "a limit", "a copy on another path"],
)  # fmt: skip
def test_what_exact_numbers_do_not_see_is_no_proof(tmp_path: Path, middle: str, reason: str) -> None:
    found = verdict(tmp_path / "target.py", middle)
    assert found.status.name in ("UNDECIDED", "REFUTED")
    if found.status.name == "UNDECIDED":
        assert any(reason in text for text in found.evidence["reasons"]), found.evidence["reasons"]


def test_a_value_that_sleeps_is_woken_in_the_plain_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, text = tmp_path / "wrong.py", "    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)\n    S = S * (1 + h * {})\n"
    wrong.write_text(BEGIN + text.format(1) + END)
    plain = Runner.plain

    def of_another_function(self: Runner, calls: Any, **options: Any) -> Any:
        return plain(self, [{**call, "target": f"{wrong}::attention"} for call in calls], **options)

    monkeypatch.setattr(Runner, "plain", of_another_function)
    found = verdict(tmp_path / "target.py", text.format(0))
    assert found.status.name == "UNDECIDED"
    assert "in a plain Python process, it returns something else: state, or a trap" in found.evidence["reasons"]


def test_a_right_branch_for_large_scores_is_proved(tmp_path: Path) -> None:
    found = verdict(tmp_path / "target.py", "    if S.max() > 1000:\n        S = S - S.max()\n")
    assert found.status.name == "PROVED", found.evidence


def test_an_equation_that_is_left_out_is_not_tried(tmp_path: Path) -> None:
    found = verdict(tmp_path / "target.py", "    if Q[0, 0] == 0:\n        S = S + 1\n")
    assert found.status.name == "PROVED", found.evidence


def test_every_path_begins_without_what_earlier_calls_keep(tmp_path: Path) -> None:
    kept = """
    global kept
    if kept.size < S.size:
        kept = np.empty(S.size)
    kept[: S.size] = S.ravel()
    S = kept[: S.size].reshape(S.shape)
    if S[0, 0] > S[0, 1]:
        S = S - S[0, 0]
"""
    path = tmp_path / "target.py"
    path.write_text(BEGIN.replace("def", "kept = np.empty(0)\n\n\ndef") + kept.lstrip("\n") + END)
    found = prove(f"{path}::attention", sizes=SIZES)
    assert found.status.name == "PROVED", found.evidence
    assert found.scope["paths"] > 5


@pytest.mark.parametrize(("place", "told"), [("", ""), ("/a/target.py:3", " at target.py:3")])
def test_a_run_that_its_limits_ended_is_told_of(place: str, told: str) -> None:
    outcome, error = (
        Outcome(Mock(spec=Case)),
        {"type": "TimeoutError", "text": "the time limit was reached", "place": place},
    )
    check_run(outcome, {"outcome": "timeout", "exception": error}, {"outcome": "returned"})
    reason = f"in exact numbers, the run ended with 'timeout': TimeoutError: the time limit was reached{told}"
    assert outcome.reasons == [reason]
