"""The public names are complete, documented and have examples; modules stay small; nothing foreign is named."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import attn_verify

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "attn_verify"

MAX_LINES = 320

# Hosts are not ours to name, and what is written here means the same on every machine.
# (Each is written in two parts, so that this file does not name it either.)
_PARTS = ("py pi[.]", "ana conda", "conda -forge", "/wo rk/", "/ro ot/", "TO DO", "FIX ME")
FORBIDDEN = re.compile("|".join(part.replace(" ", "") for part in _PARTS))


def texts() -> list[Path]:
    """Every text file that is ours."""
    top = [ROOT / name for name in ("README.md", "pyproject.toml", ".gitignore", ".ci/run")]
    found = [p for room in ("attn_verify", "tests", "docs") for p in (ROOT / room).rglob("*")]
    kept = [p for p in found if p.suffix in (".py", ".md", ".css", ".json", ".html") and "_build" not in p.parts]
    return [*top, *sorted(kept)]


def functions() -> list[str]:
    return [name for name in attn_verify.__all__ if inspect.isfunction(getattr(attn_verify, name))]


def too_long(text: str) -> bool:
    return len(text.splitlines()) > MAX_LINES


def test_every_public_name_can_be_imported_and_listed() -> None:
    for name in attn_verify.__all__:
        assert getattr(attn_verify, name) is not None
    assert set(dir(attn_verify)) == set(attn_verify.__all__)
    assert len(set(attn_verify.__all__)) == len(attn_verify.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'attend'"):
        attn_verify.attend  # noqa: B018 - the access is the test


@pytest.mark.parametrize("name", ["derivation", "numeric", "worked"])
def test_what_a_room_exports_and_the_design_names_is_public(name: str) -> None:
    """A function or class that the package lists as public is the one that its room exports."""
    room = __import__(f"attn_verify.{name}", fromlist=["__all__"])
    for public in set(room.__all__) & set(attn_verify.__all__):
        assert getattr(room, public) is getattr(attn_verify, public)


@pytest.mark.parametrize("name", attn_verify.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    page = (ROOT / "docs/reference/python.md").read_text("utf-8")
    assert re.search(rf"\{{docstring\}} {name}\n|`{name}`", page), f"docs/reference/python.md does not describe {name}"


@pytest.mark.parametrize("name", functions())
def test_every_public_function_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(attn_verify, name)) or "")


def test_there_are_public_functions() -> None:
    assert {"derive", "crosscheck", "check", "attention", "multihead"} <= set(functions())


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not too_long(text), f"{len(text.splitlines())} lines"
    assert ast.get_docstring(ast.parse(text)), "a module says what it is for"


def test_a_long_module_is_caught() -> None:
    assert too_long("\n" * (MAX_LINES + 1))
    assert not too_long("\n" * MAX_LINES)


@pytest.mark.parametrize("path", texts(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_foreign_is_named(path: Path) -> None:
    found = FORBIDDEN.search(path.read_text("utf-8"))
    assert found is None, f"{path.name} mentions {found and found.group()!r}"


@pytest.mark.parametrize("text", ["see py" + "pi.org/x", "in /wo" + "rk/main", "# TO" + "DO"])
def test_a_foreign_name_is_caught(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_the_top_level_is_tidy() -> None:
    allowed = {"pyproject.toml", "attn_verify", "tests", "docs", "README.md", "LICENSE", "build", "dist", "shared"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - allowed == set()
