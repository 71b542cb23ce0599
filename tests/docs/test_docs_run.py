"""README and docs do what they say: every block is run, every output compared, every link and file is there."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attn_verify.checks import prove

ROOT = Path(__file__).resolve().parents[2]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks itself up
    spec.loader.exec_module(module)
    return module


blocks = _load("blocks")
check_html = _load("check_html")
PAGES = blocks.pages()


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run_text(text: str, directory: Path) -> int:
    return blocks.run_page(Path("page.md"), directory, text)


# Right functions that no proof is found for: a search takes all the time that it is given and finds nothing.
UNDECIDED = {"talkative", "solved", "sixteen_digits"}


@pytest.fixture
def _short_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    real = prove.search

    def search(runner: Any, target: str, *given: Any, budget_seconds: float, **options: Any) -> Any:
        fruitless = target.rpartition("::")[2] in UNDECIDED
        return real(runner, target, *given, budget_seconds=0.3 if fruitless else budget_seconds, **options)

    monkeypatch.setattr(prove, "search", search)


@pytest.mark.usefixtures("_short_searches")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    blocks.run_page(page, tmp_path)


def test_the_pages_have_blocks_of_every_kind() -> None:
    languages = {block.language for page in PAGES for block in blocks.blocks(page) if not block.directive}
    assert languages >= blocks.RUN


@pytest.mark.parametrize(
    "text",
    [
        "```pycon\n>>> 1 + 1\n3\n```",
        "```pycon\n1 + 1\n```",
        "```python\nassert False\n```",
        "```python\nthis is no Python\n```",
        "```json\n{1: 2}\n```",
        "```console\n$ attn-verify --version\nattn-verify 999\n```",
        "```console\n$ attn-verify --version\n```",
        "```console\n$ attn-verify --no-such-option\n…\n$ echo $?\n0\n```",
        "```console\n$ rm -r .\n```",
        "```console\nno command\n```",
        "```ruby\nputs 1\n```",
        "```\nno language\n```",
        "```{unknown} x\n```",
        "```python\nnot closed",
    ],
)
def test_a_wrong_block_is_caught(text: str, tmp_path: Path) -> None:
    with pytest.raises(blocks.BlockError):
        run_text(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```pycon\n>>> 1 + 1\n2\n```",
        "```python\nx = 1\n```\n```pycon\n>>> x\n1\n```",
        "```console\n$ attn-verify --no-such-option\n…\n$ echo $?\n2\n```",
        "```{code-block} json\n:caption: a.json\n[1]\n```\n```console\n$ cat a.json\n[1]\n```",
        "```{code-block} python\n:caption: own.py\nvalue = 7\n```\n```pycon\n>>> import own\n>>> own.value\n7\n```",
    ],
)
def test_a_right_block_passes(text: str, tmp_path: Path) -> None:
    assert run_text(text, tmp_path) > 0


def test_pages_do_not_see_one_another(tmp_path: Path) -> None:
    run_text("```python\nx = 1\n```", tmp_path)
    with pytest.raises(blocks.BlockError):
        run_text("```python\nx\n```", tmp_path)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (["a", "…", "d"], ["a", "b", "c", "d"], True),
        (["a", "…", "d"], ["a", "d"], True),
        (["…"], [], True),
        (["a", "…"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["a … c"], ["a b c"], False),
    ],
)
def test_an_ellipsis_stands_for_lines(expected: list[str], got: list[str], same: bool) -> None:
    assert blocks.agrees(expected, got) is same


_LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)")


def missing_links(page: Path, text: str) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    prose = re.sub(r"(?s)```.*?```", "", text)
    return [target for target in _LINK.findall(prose) if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert missing_links(page, page.read_text("utf-8")) == []


def test_a_dead_link_is_caught() -> None:
    assert missing_links(ROOT / "README.md", "see [this](docs/nowhere.md#x)") == ["docs/nowhere.md"]


_FILE = re.compile(r"`((?:attn_verify|docs|tests|\.ci)/[\w./-]+)`")


def missing_files(text: str) -> list[str]:
    """Return the files of the project that a text mentions and that do not exist."""
    return [name for name in _FILE.findall(text) if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_mentioned_files_exist(page: Path) -> None:
    assert missing_files(page.read_text("utf-8")) == []


def test_a_missing_file_is_caught() -> None:
    assert missing_files("`docs/nowhere.md` and `docs/conf.py`") == ["docs/nowhere.md"]


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = set()
    for page in PAGES:
        for block in blocks.blocks(page):
            if block.directive == "toctree":
                for entry in block.body.split("\n"):
                    target = re.sub(r".*<(.*)>", r"\1", entry.strip())
                    listed.add((page.parent / f"{target}.md").resolve())
    loose = {page for page in PAGES if page.parts[-2:] != ("docs", "index.md") and page.name != "README.md"} - listed
    assert loose == set()


def test_the_readme_has_exactly_two_commands() -> None:
    found = [block.body for block in blocks.blocks(ROOT / "README.md") if block.language == "sh"]
    assert len(found) == 2
    for command in found:
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv ")
    assert "attn-verify check worked-example" in found[0]
    assert "pytest" in found[1]


def test_no_other_page_has_a_command_that_is_not_run() -> None:
    for page in PAGES[1:]:
        assert [block for block in blocks.blocks(page) if block.language == "sh"] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "html"),
        ('<script src="//cdn.example/x.js"></script>', "html"),
        ('<link rel="stylesheet" href="http://cdn.example/x.css">', "html"),
        ('<p style="background: url(https://cdn.example/x.png)">', "html"),
        ("<style>@import 'https://cdn.example/x.css'</style>", "html"),
        ("a { background: url('//cdn.example/x.png') }", "css"),
    ],
)
def test_a_load_from_outside_is_caught(text: str, kind: str) -> None:
    assert len(check_html.loads(text, kind)) == 1


def test_a_page_that_loads_nothing_passes(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://example.org">x</a><img src="a.png"><math xmlns="http://w3"/>')
    assert check_html.check(tmp_path) == []


def test_no_pages_is_no_success(tmp_path: Path) -> None:
    assert check_html.check(tmp_path) == [f"{tmp_path}: no pages"]
