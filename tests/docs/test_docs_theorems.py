"""The pages of the theorems are made from what is checked, and say so when something is not accepted."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from attn_verify.theorems.library import theorems
from attn_verify.theorems.summary import outcome

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("theorem_content", ROOT / "docs/theorem_content.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


content = _load()


def row(name: str, family: str, *needs: str) -> dict[str, Any]:
    found = {"scope": "all sizes", "status": "PROVED", "seconds": 0.1, "cited": []}
    return {"name": name, "family": family, "level": 1, "statement": "$a < b$", "needs": list(needs), **found}


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names = list(theorems())[:2]
    data = {"theorems": [row(name, "softmax") for name in names]}
    monkeypatch.setattr(content, "all_theorems", lambda: data)
    return data


def test_there_is_a_page_for_each_theorem_and_no_other(two: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("old")
    assert content.write_pages(tmp_path) == []
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(one["name"] for one in two["theorems"])
    page = (tmp_path / "weights_form_a_distribution.md").read_text("utf-8")
    assert page.startswith("# Weights form a distribution\n\n`weights_form_a_distribution`\n\n```{raw} html\n<article")
    assert page.count("```") == 2


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("change", [{"status": "UNDECIDED", "reason": "no"}, {"near_miss": {"status": "UNDECIDED"}}])
def test_what_is_not_accepted_is_reported(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(content, "outcome", lambda name: {**outcome(name), **change})
    monkeypatch.setattr(content, "render_html", lambda *_, **__: "")
    assert len(content.write_pages(tmp_path)) == 2


def test_the_map_has_a_line_for_each_theorem_and_an_arc_for_each_need() -> None:
    data = {"theorems": [row("one", "a & b"), row("two", "a & b", "one"), row("three", "c", "one", "two", "unknown")]}
    svg = ElementTree.fromstring(content.theorem_map(data, "all/"))
    assert [text.text for text in svg.iter(f"{SVG}text")] == ["a & b", "one", "two", "c", "three"]
    assert [link.get("href") for link in svg.iter(f"{SVG}a")] == ["all/one.html", "all/two.html", "all/three.html"]
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert titles == ["two needs one", "three needs one", "three needs two"]
    assert "three needs" in re.sub("<[^>]*>", "", "".join(content.needs_list(data)))


def test_the_table_has_every_theorem() -> None:
    data = {"theorems": [row("one", "a"), row("two", "b")]}
    table = "".join(content.index_table(data))
    assert table.count("<tr><td>") == 2
    assert table.count("<math") == 2
    assert "<script" not in content.rules_table({"<script>": "x"})


LECTURE = (ROOT / "docs/theorems/lecture.md").read_text("utf-8")


def test_the_lecture_has_twelve_steps_with_a_theorem_each() -> None:
    steps = re.split(r"(?m)^## ", LECTURE)[1:]
    numbered = [step for step in steps if re.match(r"\d+\. ", step)]
    assert [int(step.split(".")[0]) for step in numbered] == list(range(1, 13))
    assert all(step.count(">>> check(") == 1 for step in numbered)


def keys_of(data: Any) -> set[str]:
    """Return all keys of a JSON value, but for names that are its data."""
    if isinstance(data, list):
        return set().union(*map(keys_of, data))
    if not isinstance(data, dict):
        return set()
    inside = [keys_of(value) for key, value in data.items() if key not in ("sizes", "places", "at")]
    return set(data).union(*inside)


def test_the_keys_of_a_theorem_are_documented() -> None:
    page = (ROOT / "docs/reference/json.md").read_text("utf-8").split("## Theorems")[1]
    found = keys_of(outcome("odds_ignore_other_keys")) | keys_of(row("x", "y"))
    assert {key for key in found if f"`{key}`" not in page} == set()
