"""``derive``: what is shown, in every format, and what is refused."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attn_verify import Sizes, derive
from attn_verify.cli import main

KEYS = ["X", "W_Q", "W_K", "W_V", "Q", "K", "V", "S", "E", "D", "P", "O"]


def titles(text):
    return [line.split()[0] for line in text.splitlines() if " × " in line and not line.startswith(" ")]


def test_the_whole_derivation_by_default(run):
    code, out, err = run("derive")
    assert (code, err) == (0, "")
    assert titles(out) == KEYS
    assert "n = 3, m = 3, d_k = 3, d_v = 3, heads = 1, d_model = 5" in out
    assert "    s_12 = (q_11·k_21 + q_12·k_22 + q_13·k_23)/√3\n" in out
    assert "    S = Q Kᵀ / √d_k\n" in out
    assert "    q_i = W_Qᵀ x_i   (per token)\n" in out
    assert "    p_31 = e_31/d_3\n" in out
    assert max(map(len, out.splitlines())) <= 100


def test_heads_that_look_the_same_are_named_once(run):
    _, out, _ = run("derive", "--heads", "3")
    assert "Heads 2 … 3 are made in the same way" in out
    assert "q⁽¹⁾_11" in out
    assert "q⁽²⁾_11" not in out
    _, out, _ = run("derive", "--heads", "3", "--stage", "Q")
    assert "q⁽²⁾_11" in out
    assert "q⁽³⁾_33" in out


def test_large_stages_show_their_first_entry_and_say_so(run):
    _, out, _ = run("derive", "--n", "4")
    assert "    … 15 more entries; --stage S shows all\n" in out
    _, out, _ = run("derive", "--n", "4", "--stage", "S")
    assert "s_44 = " in out
    assert "more entries" not in out


def test_given_qkv_starts_without_weights(run):
    _, out, _ = run("derive", "--given-qkv", "--m", "2")
    assert titles(out) == ["Q", "K", "V", "S", "E", "D", "P", "O"]


def test_one_entry(run):
    _, out, _ = run("derive", "--entry", "O[2,1]")
    assert out.endswith("    o_21 = p_21·v_11 + p_22·v_21 + p_23·v_31\n")


def test_an_entry_expanded(run):
    _, to_stage, _ = run("derive", "--n", "1", "--m", "2", "--d-k", "1", "--entry", "P[1,2]", "--expand", "S")
    assert "p_12 = exp(s_12)/(exp(s_11) + exp(s_12))" in to_stage
    _, to_inputs, _ = run("derive", "--n", "1", "--given-qkv", "--d-k", "1", "--entry", "E[1,1]", "--expand")
    assert "e_11 = exp(q_11·k_11)" in to_inputs


def test_derivatives(run):
    _, out, _ = run("derive", "--stage", "O", "--wrt", "V")
    assert "    ∂o_11/∂v_21 = p_12\n" in out
    assert "    54 others are 0\n" in out
    _, out, _ = run("derive", "--wrt", "V")  # of the output
    assert "∂O/∂V" in out


def test_the_backward_pass_has_stages_too(run):
    _, out, _ = run("derive", "--stage", "dS")
    assert "P_ij (dP_ij − Σ_l P_il dP_il)" in out


def test_conventions_change_the_formulas(run):
    _, out, _ = run("derive", "--stage", "S", "--spec", "paper", "--spec", "scale=1", "--spec", "causal=upper_left")
    assert "s_12 = −∞\n" in out
    assert "s_11 = q_11·k_11 + q_12·k_12 + q_13·k_13\n" in out
    assert "scale = 1, causal = upper_left" in out


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_keeps_to_the_width(run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run("derive", "--stage", "Q", "--d-model", "9")
    assert max(map(len, out.splitlines())) <= width


def test_json_is_the_dict_of_the_api(run):
    code, out, err = run("derive", "--heads", "2", "--json")
    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data == derive(Sizes(n=3, d_model=5, d_k=3, d_v=3, heads=2)).to_dict()
    assert data == run("derive", "--heads", "2", "--format", "json").data
    assert set(data) >= {"sizes", "spec", "stages", "version"}
    for stage in data["stages"]:
        assert set(stage) >= {"name", "head", "shape", "equation", "from", "text", "entries"}
        assert np.shape(stage["entries"]) == tuple(stage["shape"])


def test_json_has_no_numbers_that_json_has_not(run, tmp_path):
    numbers = tmp_path / "numbers.json"
    numbers.write_text('{"Q": [[1],[1]], "K": [[1],[1]], "V": [[1],[1]]}', "utf-8")
    sizes = ["--n", "2", "--d-k", "1", "--d-v", "1", "--given-qkv"]
    data = run("derive", *sizes, "--spec", "causal=upper_left", "--numbers", numbers, "--json").data
    assert next(stage for stage in data["stages"] if stage["name"] == "S")["values"] == [[1.0, "-inf"], [1.0, 1.0]]


def test_html_is_well_formed_and_offline(run):
    code, out, _ = run("derive", "--heads", "2", "--format", "html")
    assert code == 0
    assert out.startswith("<!DOCTYPE html>")
    ElementTree.fromstring(out.split("\n", 1)[1])
    assert "<script" not in out
    assert "http" not in out.replace("http://www.w3.org/", "")


def test_latex_is_a_whole_document(run):
    code, out, _ = run("derive", "--format", "latex")
    assert code == 0
    assert out.startswith(r"\documentclass")
    assert out.rstrip().endswith(r"\end{document}")


def test_python_code_runs_alone_and_agrees(run, tmp_path):
    module = tmp_path / "output.py"
    code, out, _ = run("derive", "--heads", "2", "--format", "python", "--stage", "Y", "--output", module)
    assert (code, out) == (0, "")
    derivation = derive(Sizes(n=3, d_model=5, d_k=3, d_v=3, heads=2))
    random = np.random.default_rng(5)
    inputs = {
        "X": random.normal(size=(3, 5)),
        "W_Q": random.normal(size=(2, 5, 3)),
        "W_K": random.normal(size=(2, 5, 3)),
        "W_V": random.normal(size=(2, 5, 3)),
        "W_O": random.normal(size=(6, 5)),
    }
    np.savez(tmp_path / "inputs.npz", **inputs)
    script = (
        "import sys, importlib.abc\n"
        "class OnlyNumPy(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('attn_verify', 'sympy', 'scipy', 'flint', 'mpmath'):\n"
        "            raise ImportError(name + ' is not there')\n"
        "sys.meta_path.insert(0, OnlyNumPy())\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np, output\n"
        f"given = dict(np.load({str(tmp_path / 'inputs.npz')!r}))\n"
        f"np.save({str(tmp_path / 'y.npy')!r}, output.Y(**given))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "y.npy"), derivation.numpy("Y")(**inputs)[None][0])


@pytest.mark.parametrize("form", ["text", "latex", "html", "python", "json"])
def test_output_goes_to_a_file(run, tmp_path, form):
    target = tmp_path / "derivation.out"
    code, out, err = run("derive", "--n", "1", "--format", form, "--output", target)
    assert (code, out, err) == (0, "", "")
    assert target.read_text("utf-8") == run("derive", "--n", "1", "--format", form).out


def test_a_terminal_gets_colours_and_the_same_text(run, monkeypatch, tmp_path):
    numbers = tmp_path / "numbers.json"
    numbers.write_text('{"Q": [[1]], "K": [[1]], "V": [[-1]]}', "utf-8")
    arguments = ["derive", "--n", "1", "--d-k", "1", "--d-v", "1", "--given-qkv", "--numbers", numbers]
    plain = run(*arguments).out
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    coloured = run(*arguments).out
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_html_on_a_terminal_comes_with_advice(run, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, err = run("derive", "--n", "1", "--format", "html")
    assert code == 0
    assert out.startswith("<!DOCTYPE html>")
    assert "--output FILE" in err


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["--n", "0"], "got n = 0", "give n = 1 or more"),
        (["--d-k", "-3"], "got d_k = -3", "give d_k = 1 or more"),
        (["--n", "2.5"], "argument --n: got '2.5'", "a whole number such as 3"),
        (["--n", "three"], "got 'three'", "a whole number such as 3"),
        (["--n", "1e3"], "got '1e3'", "a whole number such as 3"),
        (["--n", "٣"], "got '٣'", "a whole number such as 3"),
        (["--n", "9" * 5000], "argument --n", "a whole number such as 3"),
        (["--heads", "1000000000"], "got heads = 1000000000", "give a smaller heads"),
        (["--n", "100000"], "writes out every entry", "derive smaller sizes"),
        (["--n", "1024", "--heads", "4"], "writes out every entry", "derive smaller sizes"),
        (["--n", "64", "--d-k", "64", "--format", "html"], "more than 50000 symbols to print", "--entry"),
        (["--n", "1024", "--stage", "S"], "more than 50000 symbols to print", "--entry"),
        (["--n", "100", "--d-k", "100", "--format", "python"], "numpy code of O", "choose smaller sizes"),
        (["--stage", "R"], "got 'R'", "known stages: X, W_Q"),
        (["--stage", "P:2"], "got 'P:2'", "known stages"),
        (["--stage", "P:9", "--heads", "2"], "got 'P:9'", "of head t, 1…2: P:t"),
        (["--stage", "__class__"], "got '__class__'", "known stages"),
        (["--stage", ""], "got ''", "known stages"),
        (["--entry", "O[9,9]"], "O has 3 rows and 3 columns", "choose [1…3,1…3]"),
        (["--entry", "O[0,1]"], "counted from 1", "choose [1…3,1…3]"),
        (["--entry", "O"], "got 'O'", "write for example Y[1,2]"),
        (["--entry", "O[1]"], "O has rows and columns", "write O[row,column]"),
        (["--entry", "Z[1,1]"], "got 'Z'", "known stages"),
        (["--entry", "O[1,1]", "--stage", "P"], "got stage P and entry O[1,1]", "leave out --stage"),
        (["--entry", "P[1,1]", "--heads", "2"], "each of 2 heads has", "choose one of P:1"),
        (["--expand", "R"], "got 'R'", "known stages"),
        (["--n", "9", "--d-k", "9", "--d-model", "9", "--expand"], "more than", "smaller sizes"),
        (["--stage", "P", "--wrt", "O"], "P is not built from O", "choose an earlier stage"),
        (["--stage", "P", "--wrt", "S", "--heads", "2"], "each of 2 heads has", "choose one of P:1"),
        (["--spec", "colour=red"], "got field 'colour'", "known fields: scale"),
        (["--spec", "causal=sometimes"], "got causal = 'sometimes'", "lower_right"),
        (["--spec", "torch"], "got profile 'torch'", "known profiles"),
        (["--spec", "scale=1/0"], "division by zero", "1/sqrt(d_k)"),
        (["--spec", "scale=1/(d_k-3)"], "d_k", "1/sqrt(d_k)"),
        (["--spec", "scale=sqrt(-n)"], "spec: scale", "1/sqrt(d_k)"),
        (["--spec", "scale=__import__('os')"], "spec: scale", "documented functions"),
        (["--format", "python", "--entry", "O[1,1]"], "--format python and --entry", "--stage"),
        (["--format", "python", "--stage", "P", "--heads", "2"], "each of 2 heads has", "choose one of P:1"),
        (["--output", "/no/such/place/x"], "there is no directory", "create it first"),
        (["--output", "/"], "it is a directory", "give the name of a file"),
        (["--output", "x\0y"], "it cannot be written", "give another file"),
    ],
)
def test_bad_arguments_get_one_clear_message(refuse, arguments, cause, remedy):
    refuse("derive", *arguments, cause=cause, remedy=remedy)


def test_nothing_is_left_behind_by_a_refusal(refuse, tmp_path):
    target = tmp_path / "x.html"
    refuse("derive", "--stage", "R", "--output", target, cause="got 'R'", remedy="known stages")
    assert not target.exists()


WORDS = st.one_of(
    st.sampled_from(["--n", "--m", "--d-model", "--d-k", "--d-v", "--heads", "--d-out", "--given-qkv", "--spec"]),
    st.sampled_from(["--stage", "--entry", "--expand", "--wrt", "--format", "--json"]),
    st.sampled_from(["text", "latex", "html", "json", "python", "causal=lower_right", "scale=1/d_k", "paper"]),
    st.sampled_from(["P", "P:2", "O[1,1]", "Y[1,2]", "inputs", "W_Q", "dQ", "dO", "Z"]),
    st.sampled_from(["0", "1", "2", "3", "-1", "99999999", "1.5"]),
    st.text(max_size=12),
    st.from_regex(r"[A-Z]{1,2}(:[0-9])?\[[0-9]{1,3},[0-9]{1,3}\]", fullmatch=True),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, max_size=7))
def test_no_arguments_end_in_a_traceback(capsys, words):
    """200 random command lines: an exit code of the list, and a message where it is not 0."""
    words = [word.replace("--output", "") for word in words]
    code = main(["derive", "--n", "2", "--d-k", "2", "--d-v", "1", "--d-out", "1", *words])
    captured = capsys.readouterr()
    assert code in (0, 2)
    assert bool(captured.err) == (code == 2)
    assert bool(captured.out) == (code == 0)
