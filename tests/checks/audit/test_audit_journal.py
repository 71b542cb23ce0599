"""Results on disk: what an audit finds when it goes on, and what it must not use."""

from pathlib import Path

import pytest

from attn_verify.checks.audit.journal import Journal
from attn_verify.errors import DocumentError


def test_a_resumed_audit_finds_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.jsonl"
    first = Journal(path, "key", resume=False)
    first.add({"name": "floats 1", "groups": []})
    first.add({"name": "floats 2", "error": "it was lost"})
    again = Journal(path, "key", resume=True)
    assert list(again.results) == ["floats 1"], "what failed is done again"
    assert list(Journal(path, "key", resume=True).results) == ["floats 1"]


def test_other_code_or_options_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "key", resume=False).add({"name": "floats 1"})
    assert Journal(path, "another", resume=True).results == {}


def test_without_resume_nothing_is_used(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "key", resume=False).add({"name": "floats 1"})
    assert Journal(path, "key", resume=False).results == {}


def test_a_line_that_was_cut_off_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "key", resume=False).add({"name": "floats 1"})
    with path.open("a") as file:
        file.write('{"name": "floats 2", "gro')
    assert list(Journal(path, "key", resume=True).results) == ["floats 1"]


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DocumentError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal.jsonl", "key", resume=False)


def test_a_disk_that_fills_up_does_not_end_the_audit(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", "key", resume=False)
    journal.path = Path("/dev/full")
    journal.add({"name": "floats 1"})
    assert list(journal.results) == ["floats 1"]
    assert "no longer kept on disk" in journal.trouble
