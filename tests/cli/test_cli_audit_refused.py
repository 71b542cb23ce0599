"""Audits that are refused before anything is run: files that cannot be written, dtypes and specs that do not exist."""

import pytest

TARGET = "attn_verify.numeric:attention"


@pytest.mark.parametrize(("options", "cause", "remedy"), [
    (["--html", "nowhere/a.html"], "there is no directory nowhere", "create it first"),
    (["--junit-xml", "."], "it is a directory", "give the name of a file"),
    (["--html", "a", "--sarif", "./a"], "got one file for --html, --sarif", "give each its own"),
    (["--save-dir", "file"], "it is a file", "give another directory"),
    (["--save-dir", "file/below"], "it cannot be made", "give another directory"),
    (["--dtype", "float64,float8"], "got dtypes = 'float8'", "known dtypes: float64, float32, float16, bfloat16"),
    (["--spec", "mask=additive"], "got mask = 'additive'", "allowed: none, boolean"),
    (["--spec", "heads=2"], "got field 'heads'", "known fields: scale"),
    (["--d-model", "4"], "there is no d_model", "leave d_model out"),
])  # fmt: skip
def test_what_cannot_be_used_is_said_at_once(refuse, tmp_path, monkeypatch, options, cause, remedy):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    refuse("audit", TARGET, *options, cause=cause, remedy=remedy)
