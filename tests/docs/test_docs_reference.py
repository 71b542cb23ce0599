"""The reference names everything that there is: JSON keys, errors, limits, commands and their options."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attn_verify import AttentionSpec, check, crosscheck, derive, errors, language, prove, recheck, replay
from attn_verify.arithmetic.tracing.array import TracedArray
from attn_verify.arithmetic.tracing.elementwise import EXACT, PREDICATES
from attn_verify.arithmetic.tracing.math_model import math_model
from attn_verify.arithmetic.tracing.modules import numpy_model
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, real_function
from attn_verify.arithmetic.tracing.scipy_model import SPECIAL
from attn_verify.arithmetic.tracing.ufuncs import Ufunc
from attn_verify.checks.proof_report import verdict_of
from attn_verify.checks.prove import Prover
from attn_verify.cli import main
from attn_verify.targets.runner import Runner

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


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What prove, replay and recheck return, one proof of each outcome."""
    where = tmp_path_factory.mktemp("proofs")
    (where / "file.py").write_text(FILE, "utf-8")
    sizes = {"n": 1, "m": 2, "d_k": 1, "d_v": 1}
    textbook = f"{where / 'file.py'}::textbook"
    refuted = prove(textbook, "scale=2", sizes=sizes, save_dir=where)
    with Runner() as runner:
        # no counterexample is looked for, since there is none
        prover = Prover(runner, search_seconds=0)
        undecided = verdict_of(prover.prove(f"{where / 'file.py'}::solved", AttentionSpec(), sizes=sizes))
    return {
        "PROVED": prove(textbook, sizes=sizes, certificate=where / "proof.json").to_dict(),
        "REFUTED": refuted.to_dict(),
        "UNDECIDED": undecided.to_dict(),
        "replay": replay(refuted.evidence["saved"]).to_dict(),
        "recheck": recheck(where / "proof.json").to_dict(),
    }


FILE = """
import numpy as np


def textbook(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V


def solved(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return np.linalg.solve(np.diag(E.sum(axis=1)), E @ V)
"""


@pytest.mark.parametrize("which", ["PROVED", "REFUTED", "UNDECIDED", "replay"])
def test_the_keys_of_a_proof_are_documented(proofs: dict[str, Any], which: str) -> None:
    data = proofs[which]
    assert data["status"] == {"replay": "REFUTED"}.get(which, which)
    assert undocumented(set(keys_of(data, below=("scope", "evidence"))), page("json")) == set()


def test_the_keys_of_a_recheck_are_documented(proofs: dict[str, Any]) -> None:
    data = proofs["recheck"]
    assert data["status"] == "valid"
    assert (
        undocumented(set(keys_of(data, below=("cases", "claim"))), page("json") + page("certificate-format")) == set()
    )


def test_an_undocumented_key_is_caught() -> None:
    assert undocumented({"status", "colour"}, "the `status`\n```json\n{`colour`}\n```") == {"colour"}


def listed_functions() -> tuple[set[str], set[str]]:
    """Return the functions that the page on the model names, and those among them that its tables do."""
    section = page("numpy-model").split("## Functions of `numpy`")[1].split("\n## ")[0]
    tables = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    first, second = (set(re.findall(r"`([\w.]+)`", text)) for text in (section, tables))
    return first, second


def test_the_page_on_the_model_names_what_is_modelled() -> None:
    numpy_model()  # fills the table of functions
    pages, tables = listed_functions()
    of_floats = {**EXACT, **PREDICATES}
    modelled = {name for name, f in FUNCTIONS.items() if not isinstance(f, Ufunc) or f.name in of_floats}
    assert modelled - pages == set()
    # An older NumPy lacks some of the names.
    assert {name for name in tables if real_function(name) is not None} - set(FUNCTIONS) == set()


def test_the_page_on_the_model_names_methods_and_other_modules() -> None:
    text = page("numpy-model")
    parts = {title: set(re.findall(r"`(\w+)`", text.split(f"## {title}\n")[1].split("\n## ")[0])) for title in (
        "Methods of arrays", "`scipy.special`", "`math`")}  # fmt: skip
    # The class shows others the names of NumPy's, also of what it refuses: its own are in its dictionaries.
    classes = type.__dict__["__mro__"].__get__(TracedArray)
    own = {name for part in classes for name in type.__dict__["__dict__"].__get__(part) if not name.startswith("_")}
    assert parts["Methods of arrays"] == own | {"view"}
    assert set(SPECIAL) - parts["`scipy.special`"] == set()
    of_math = {name for name in vars(math_model()) if not name.startswith("_")} | {"pi", "e", "tau"}
    assert {name for name in parts["`math`"] if hasattr(math, name)} == of_math


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
