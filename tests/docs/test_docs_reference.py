"""The reference names everything that there is: JSON keys, errors, limits, commands and their options."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attn_verify import check, crosscheck, derive, errors, language
from attn_verify.cli import main

REFERENCE = Path(__file__).resolve().parents[2] / "docs/reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def undocumented(keys: set[str], text: str) -> set[str]:
    """Return the keys that the prose of a page does not name; its examples do not count."""
    prose = re.sub(r"(?s)```.*?```", "", text)
    return {key for key in keys if not re.search(rf"`{key}`", prose)}


def keys_of(data: Any, *, below: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of a JSON value; only the named ones are entered."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            for key, value in item.items():
                yield key
                if key in below:
                    yield from keys_of(value, below=below)


def test_the_keys_of_a_derivation_are_documented() -> None:
    d = derive({"n": 2, "d_model": 2, "d_k": 1, "d_v": 1, "heads": 2})
    arrays = {"X": [[1, 2], [3, 4]], "W_O": [[1, 2], [3, 4]]}
    arrays |= {name: [[[1], [2]]] * 2 for name in ("W_Q", "W_K", "W_V")}
    keys = set()
    for options in ({"numbers": arrays}, {"entry": "P:2[1,2]"}, {"stage": "P:1", "wrt": "S:1"}):
        keys |= set(keys_of(d.to_dict(**options), below=("stages", "jacobian", "entries", "forms")))
    assert undocumented(keys, page("json")) == set()


def test_the_keys_of_an_audit_are_documented() -> None:
    audits = [check("worked-example"), crosscheck(lambda Q, K, V: V, derive({"n": 1, "d_k": 1, "d_v": 1}), examples=5)]
    keys = {key for audit in audits for key in keys_of(audit.to_dict(), below=("claims", "document"))}
    assert undocumented(keys, page("json")) == set()


def test_an_undocumented_key_is_caught() -> None:
    assert undocumented({"status", "colour"}, "the `status`\n```json\n{`colour`}\n```") == {"colour"}


def test_every_error_is_listed_with_its_exit_code() -> None:
    text, base = page("errors"), errors.AttnVerifyError
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, base) and value is not base:
            assert re.search(rf"\| `{value.__name__}` \|.*\| {value.exit_code} \|", text), value.__name__


def test_every_limit_of_the_language_is_listed() -> None:
    text = page("expression-language")
    for name, value in vars(language).items():
        if name.startswith("MAX_"):
            assert f"`{name}` = {value}" in text, name


def commands(capsys: pytest.CaptureFixture[str]) -> list[str]:
    main(["--help"])
    listing = capsys.readouterr().out.split("COMMAND\n")[1]
    return re.findall(r"(?m)^    ([a-z]+) ", listing)


def test_every_command_has_its_help_text_in_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    found = commands(capsys)
    assert {"derive", "check"} <= set(found)
    for command in found:
        assert f"$ attn-verify {command} --help\n" in page("command-line")


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "worked-example", "--json"])

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(capsys.readouterr().out, parse_constant=refuse)
