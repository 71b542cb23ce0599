"""The commands ``prove``, ``replay`` and ``recheck``: exit codes, messages, JSON, files."""

import json
from pathlib import Path

import pytest

from attn_verify.checks import prove
from attn_verify.cli import main

GOOD = """
import numpy as np


def good(Q, K, V, mask=None):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    if mask is not None:
        S = S - 1e9 * ~mask
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V


def bad(Q, K, V):
    return good(Q, 2 * K, V)


def open_question(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
    print(E)
    return E / E.sum(axis=-1, keepdims=True) @ V


def leaves(Q, K, V):
    raise SystemExit(0)


def causal_by_default(Q, K, V, causal=True):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    if causal:
        S = np.where(np.tri(*S.shape, k=S.shape[1] - S.shape[0]), S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V


def never(Q, K, V):
    while True:
        pass


number = 3
"""
SIZES = ["--n", "1", "--m", "2", "--d-k", "2", "--d-v", "1"]
KEYS = {
    "target", "spec", "seed", "version", "name", "statement", "applies", "status", "counts", "method", "scope",
    "assumptions", "evidence",
}  # fmt: skip


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(GOOD, "utf-8")
    return "mine.py"


def test_a_proof_and_its_certificate(file, capsys):
    assert main(["prove", f"{file}::good", *SIZES, "--certificate", "proof.json", "--spec", "empty_row=zero"]) == 0
    out, err = capsys.readouterr()
    assert "what empty_row = zero asks for is not judged" in " ".join(out.split())
    assert "PROVED: equal as functions of real inputs" in out
    assert "in the limit only" in out
    assert err == ""
    assert main(["recheck", "proof.json"]) == 0
    assert capsys.readouterr().out.startswith("valid: ")
    text = Path("proof.json").read_text("utf-8")
    changed = text.replace('["exp",', '["neg",', 1)
    assert changed != text
    Path("changed.json").write_text(changed, "utf-8")
    assert main(["recheck", "changed.json"]) == 1
    assert capsys.readouterr().out.startswith("invalid: ")


def test_a_refutation_is_saved_and_replayed(file, capsys):
    assert main(["prove", f"{file}::bad", *SIZES, "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert set(data) == KEYS
    assert data["status"] == "REFUTED"
    assert "hint" not in data["evidence"]
    saved = data["evidence"]["saved"]
    assert main(["replay", saved]) == 1
    assert "REFUTED" in capsys.readouterr().out
    with open(file, "a", encoding="utf-8") as stream:
        stream.write("\n\nbad = good\n")
    assert main(["replay", saved, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "TESTED"


def test_another_causal_alignment_is_a_hint(file, capsys):
    assert main(["prove", f"{file}::causal_by_default", *SIZES, "--n", "2", "--json"]) == 1
    hint = json.loads(capsys.readouterr().out)["evidence"]["hint"]
    assert hint == "try --spec causal=lower_right: on all inputs tried it gives what that asks for"


def test_an_open_question(file, capsys, monkeypatch):
    monkeypatch.setattr(prove, "_LONG", 0.5)  # the function is right, so that a search would take all of its time
    monkeypatch.setattr(prove, "_SHORT", 0.5)
    assert main(["prove", f"{file}::open_question", *SIZES]) == 3
    out = capsys.readouterr().out
    assert "UNDECIDED" in out
    assert "writes exact numbers as text" in " ".join(out.split())


@pytest.mark.parametrize(("arguments", "message"), [
    (["prove", "missing.py::f"], "missing.py"),
    (["prove", "mine.py"], "function"),
    (["prove", "mine.py::gone"], "gone"),
    (["prove", "mine.py::number"], "no function"),
    (["prove", "mine.py::leaves"], "fails on every input"),
    (["prove", "mine.py::good", "--roles", "Q"], "--roles"),
    (["prove", "mine.py::good", "--layout", "dn"], "--layout"),
    (["prove", "mine.py::good", "--n", "0"], "n = 0"),
    (["prove", "mine.py::good", "--spec", "scale=x"], "scale"),
    (["prove", "mine.py::good", "--save-dir", "mine.py"], "it is a file"),
    (["prove", "mine.py::good", "--certificate", "nowhere/proof.json"], "--certificate\n  got 'nowhere/proof.json'"),
    (["prove", "mine.py::good", "--seconds", "0"], "give whole seconds, 1 or more"),
    (["prove", "mine.py::good", "--n", "100000", "--m", "100000"], "a verdict is about the sizes that it names"),
    (["prove", "mine.py::never", "--seconds", "1", "--layout", "nd"], "--seconds gives each run more time"),
    (["prove", "numpy:dot"], "name a function of your own"),
    (["replay", "missing.json"], "missing.json"),
    (["recheck", "missing.json"], "missing.json"),
])  # fmt: skip
def test_wrong_usage_is_one_message(file, arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("seconds", ["0", "-1", "0.5", "soon"])
def test_a_time_limit_is_whole_seconds(refuse, seconds):
    target = "attn_verify.numeric:attention"
    refuse("prove", target, f"--seconds={seconds}", cause=f"got '{seconds}'", remedy="whole seconds")


def test_a_certificate_that_cannot_be_written_is_named(refuse, tmp_path):
    target, file = "attn_verify.numeric:attention", str(tmp_path / "none" / "c.json")
    refuse("prove", target, "--certificate", file, cause="--certificate", remedy="create it first")
