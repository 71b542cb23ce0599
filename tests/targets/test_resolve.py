"""Addresses of targets."""

from attn_verify.targets.resolve import resolve


def test_a_path_through_the_parent_directory_is_the_file_itself(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "code" / "a.py").write_text("def f(): pass\n")
    monkeypatch.chdir(tmp_path / "here")
    assert resolve("../code/a.py::f").path == str(tmp_path / "code" / "a.py")
