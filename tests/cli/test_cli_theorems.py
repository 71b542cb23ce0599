"""``attn-verify theorems``: the index, one theorem in every format, unknown names, and what is not accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.cli import main
from attn_verify.theorems import library, summary

NAME = "weights_form_a_distribution"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of two theorems, so that the test takes no time."""
    two = {name: library.theorems()[name] for name in (NAME, "shift_invariance_exactly")}
    monkeypatch.setattr(summary, "theorems", lambda: two)


@pytest.mark.usefixtures("few")
def test_the_index(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "softmax"
    assert lines[2].split()[:5] == [NAME, "1", "all", "sizes", "PROVED"]
    assert any(line.startswith("2 theorems: 2 PROVED, 2 of them for all sizes. Checked in ") for line in lines)


@pytest.mark.usefixtures("few")
def test_the_index_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["status"], [row["name"] for row in data["theorems"]]) == ("PROVED", [NAME, "shift_invariance_exactly"])
    assert set(data["theorems"][0]) == {
        "name", "family", "level", "statement", "needs", "unlocks", "scope", "status", "seconds", "cited",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "start"),
    [("text", NAME), ("latex", r"\documentclass{article}"), ("html", '<article class="attn-theorem"'), ("json", "{")],
)
def test_one_theorem_in_every_format(form: str, start: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["theorems", NAME, "--format", form]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(start)
    assert main(["theorems", NAME, "--format", form, "--output", str(tmp_path / "file")]) == 0
    assert capsys.readouterr().out == ""
    saved = (tmp_path / "file").read_text("utf-8")
    assert saved.startswith(start)
    if form == "json":
        assert json.loads(shown)["name"] == json.loads(saved)["name"] == NAME


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shift_invariance"], "did you mean shift_invariance_exactly?"),
        (["zzz"], "see attn-verify theorems"),
        ([""], "no theorem is called so"),
        (["--format", "html"], "name one: attn-verify theorems NAME --format html"),
        ([NAME, "--json", "--format", "text"], "choose one of them"),
        ([NAME, "--format", "pdf"], "invalid choice: 'pdf'"),
        ([NAME, NAME], "unexpected"),
        ([NAME, "--output", "/nowhere/at/all"], "there is no directory"),
    ],
)
def test_wrong_usage_is_one_message(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("arguments", [[], [NAME], [NAME, "--json"], ["--json"]])
def test_what_is_not_accepted_is_undecided(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> Any:
        raise RefusedError(f"{name}, step sum: the two sides have different normal forms")

    monkeypatch.setattr(summary, "check", refuse)
    assert main(["theorems", *arguments]) == 3
    shown = capsys.readouterr().out
    assert "UNDECIDED" in shown
    assert "step sum: the two sides have different normal forms" in " ".join(shown.split())
    assert "PROVED" not in shown


def test_a_belief_stands_beside_what_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems", "--beliefs", "mask_with_zero"]) == 0
    text = capsys.readouterr().out
    assert "1/2 ≠ 1" in text
    assert "mask_deletes_keys: Subtract M" in text


def test_an_unknown_belief_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems", "--beliefs", "nobody_believes_this"]) == 2
    assert "one of weights_can_be_zero" in capsys.readouterr().err


def test_beliefs_have_no_page_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorems", "--beliefs", "--format", "html"]) == 2
    assert "text or json" in capsys.readouterr().err
