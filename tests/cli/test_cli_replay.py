"""``replay`` and ``recheck``: exit codes; files that moved, changed or are something else; progress on a terminal."""

import json
import os
import subprocess
import sys

import pytest

SOURCE = """
import numpy as np


def f(Q, K, V{more}):
    E = np.exp({factor} * (Q @ K.T) / np.sqrt(Q.shape[1]))
    {extra}
    return E / E.sum(axis=1, keepdims=True) @ V
"""
SIZES = ["--n", "1", "--m", "2", "--d-k", "1", "--d-v", "1"]


def source(factor=2, more="", extra="pass"):
    return SOURCE.format(factor=factor, more=more, extra=extra)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A counterexample and a certificate, as ``prove`` saves them."""
    from attn_verify.cli import main

    where = tmp_path_factory.mktemp("saved")
    (where / "wrong.py").write_text(source(), "utf-8")
    (where / "right.py").write_text(source(1), "utf-8")
    assert main(["prove", f"{where / 'wrong.py'}::f", *SIZES, "--save-dir", str(where)]) == 1
    assert main(["prove", f"{where / 'right.py'}::f", *SIZES, "--certificate", str(where / "proof.json")]) == 0
    return {name: (where / name).read_text("utf-8") for name in ("f-counterexample.json", "proof.json")}


@pytest.fixture
def counterexample(saved, tmp_path, monkeypatch):
    """The counterexample, beside a target that can be changed, in the current directory."""
    monkeypatch.chdir(tmp_path)
    data = json.loads(saved["f-counterexample.json"]) | {"target": "/gone/with/the/wind/wrong.py::f"}
    (tmp_path / "c.json").write_text(json.dumps(data), "utf-8")
    (tmp_path / "wrong.py").write_text(source(), "utf-8")
    return tmp_path


def test_a_target_that_moved_is_found_below_the_current_directory(run, counterexample):
    code, out, err = run("replay", "c.json")
    assert (code, err) == (1, "")
    assert "REFUTED: the code was run on a witness" in out
    assert "found          it still fails: O[1,1] is" in out


def test_what_passes_now_says_so_and_is_tested(run, counterexample):
    (counterexample / "wrong.py").write_text(source(1), "utf-8")
    code, out, _ = run("replay", "c.json")
    assert code == 0
    assert "TESTED" in out
    assert "found          it passes now" in out


def test_json_is_the_verdict(run, counterexample):
    outcome = run("replay", "c.json", "--json")
    assert outcome.code == 1
    assert outcome.data["status"] == "REFUTED"
    assert outcome.data["evidence"]["kind"] == "replay"


def test_another_failure_is_a_failure(run, counterexample):
    (counterexample / "wrong.py").write_text(source(extra="raise KeyError(3)"), "utf-8")
    code, out, _ = run("replay", "c.json")
    assert code == 1
    assert "it fails in another way: raised KeyError: 3" in out


def test_a_target_that_is_gone(refuse, counterexample):
    (counterexample / "wrong.py").unlink()
    message = refuse("replay", "c.json", cause="the file does not exist", remedy="put wrong.py there")
    assert "target /gone/with/the/wind/wrong.py::f" in message


def test_a_target_with_other_parameters(refuse, counterexample):
    (counterexample / "wrong.py").write_text(source(more=", dropout"), "utf-8")
    refuse("replay", "c.json", cause="the call has no dropout", remedy="prove it anew")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "JSON"),
        ("[1]", "$"),
        ('{"format": "attn-verify/certificate"}', "'attn-verify/certificate' is not 'attn-verify counterexample 2'"),
    ],
)
def test_a_file_that_is_no_counterexample(refuse, counterexample, text, cause):
    (counterexample / "c.json").write_text(text, "utf-8")
    refuse("replay", "c.json", cause=cause, remedy="counterexample: c.json")


def test_a_field_that_is_not_known(refuse, counterexample):
    data = json.loads((counterexample / "c.json").read_text("utf-8")) | {"colour": "red"}
    (counterexample / "c.json").write_text(json.dumps(data), "utf-8")
    refuse("replay", "c.json", cause="colour", remedy="counterexample-format.md")


@pytest.mark.parametrize("command", ["replay", "recheck"])
def test_a_file_that_is_not_there(refuse, tmp_path, command):
    refuse(command, tmp_path / "absent.json", cause="No such file", remedy="attn-verify prove")
    refuse(command, tmp_path, cause="directory", remedy="attn-verify prove")


def test_a_certificate_is_valid(run, saved, tmp_path):
    (tmp_path / "proof.json").write_text(saved["proof.json"], "utf-8")
    code, out, err = run("recheck", tmp_path / "proof.json")
    assert (code, err) == (0, "")
    assert out.startswith("valid: every entry of every case equals the formula\n")
    assert "n=1, m=2, d_k=1, d_v=1, heads=1: 1 entry, 1 path\n" in out
    outcome = run("recheck", tmp_path / "proof.json", "--json")
    assert outcome.code == 0
    assert outcome.data["status"] == "valid"


@pytest.mark.parametrize(
    ("old", "new"), [('["exp",', '["neg",'), ('"version": 1', '"version": 2'), ('"cases": [', '"cases": [], "x": [')]
)
def test_a_certificate_that_was_changed_is_invalid(run, saved, tmp_path, old, new):
    changed = saved["proof.json"].replace(old, new, 1)
    assert changed != saved["proof.json"]
    (tmp_path / "proof.json").write_text(changed, "utf-8")
    code, out, err = run("recheck", tmp_path / "proof.json")
    assert (code, err) == (1, "")
    assert out.startswith("invalid: ")


def test_a_terminal_sees_progress_and_a_pipe_does_not(counterexample):
    pty = pytest.importorskip("pty")
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "attn_verify", "replay", "c.json"]
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, timeout=60, check=False)
    os.close(terminal)
    shown = os.read(main, 1 << 16).decode()
    os.close(main)
    assert done.returncode == 1
    assert "running the counterexample" in shown
    assert b"running the counterexample" not in done.stdout
