"""Strict JSON, and the audit as a table at 80 columns, in a pipe and on a terminal."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import time
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from attn_verify.checks.verdict import Audit, Claim, Status, Verdict
from attn_verify.report.audit import render_audit
from attn_verify.report.audit_words import MEANINGS
from attn_verify.report.strict_json import dumps
from attn_verify.worked import check


def rendered(data: dict[str, Any], *, width: int = 80, terminal: bool = False) -> str:
    stream = io.StringIO()
    colours = "truecolor" if terminal else None
    render_audit(data, Console(file=stream, width=width, force_terminal=terminal, color_system=colours))  # type: ignore[arg-type]
    return stream.getvalue()


def wrong_scale() -> dict[str, Any]:
    arrays = {"x": {"values": [["1", "2"]], "exact": True}, "y": {"values": [["2.00", "4.10"]]}}
    relations = [{"array": "y", "formula": "2 * x"}]
    return {"format": "attn-verify/document", "version": 1, "title": "twice", "arrays": arrays, "relations": relations}


def test_the_example_fits_eighty_columns_without_colours_or_trailing_blanks() -> None:
    text = rendered(check("worked-example").to_dict())
    lines = text.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert "\x1b" not in text
    rows = [line.split() for line in lines]
    assert ["attention", "TESTED", "consistent,", "enclosure", "±", "10.7", "half", "units"] in rows
    assert ["multihead", "(UNDECIDED)", "not", "determined,", "in", "[0.00,", "94.51]"] in rows
    flat = " ".join(text.split())
    assert "multihead: WK1, WK2, WK3 and 10 more not printed" in flat
    assert "TESTED: nothing that was tried contradicts it (21 claims; 1 in brackets" in flat
    assert "refuted" not in text


@pytest.mark.parametrize("captured", [False, True])
def test_a_thousand_refutations_are_printed_once(captured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    worst = {"entry": [1, 1], "printed": "1.00", "distance": 2.5}
    evidence = {"summary": "refuted", "witnesses": [worst], "refuted": 3}
    claim = {"status": "REFUTED", "counts": True, "statement": "y = 2 x", "evidence": evidence}
    claims = [{"name": f"claim{index}", **claim} for index in range(1000)]
    data = {"document": {"title": "many"}, "status": "REFUTED", "claims": claims}
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    calls = []
    out = console.out
    monkeypatch.setattr(console, "out", lambda *texts, **options: (calls.append(1), out(*texts, **options)))
    start = time.process_time()
    if captured:
        with console.capture() as capture:
            render_audit(data, console)
        text = capture.get()
    else:
        render_audit(data, console)
        text = stream.getvalue()
    took = time.process_time() - start
    assert len(calls) == 1
    assert text.count("is refuted\n") == 1000
    assert text.count("  and 2 more\n") == 1000
    assert text.endswith("(1000 claims).\n")
    assert took < 10, f"{took:.2f} s"  # about a second on an idle machine


def test_every_claim_has_one_row_at_eighty_columns() -> None:
    audit = check("worked-example").to_dict()
    text = rendered(audit)
    table = text[: text.index("\n\nmultihead:")].splitlines()
    assert len(table) == 5 + len(audit["claims"])


def test_a_refutation_shows_entry_printed_enclosure_and_distance() -> None:
    text = rendered(check(wrong_scale()).to_dict())
    assert "y is refuted\n  y = 2 * x, given the printed numbers\n" in text
    assert ["[1,2]", "4.10", "[3.9999,", "4.0001]", "19"] in [line.split() for line in text.splitlines()]
    assert "REFUTED: a witness against it exists and was evaluated (1 claim)." in text


def test_long_lists_of_witnesses_are_cut_and_counted() -> None:
    data = wrong_scale()
    data["arrays"]["x"] = {"values": ["0"] * 20, "exact": True}
    data["arrays"]["y"] = {"values": ["9.0"] * 20}
    assert "  and 15 more\n" in rendered(check(data).to_dict())


def test_a_terminal_gets_colours() -> None:
    text = rendered(check(wrong_scale()).to_dict(), terminal=True)
    assert "\x1b[1;31mREFUTED" in text


def test_narrow_consoles_lose_nothing() -> None:
    text = rendered(check("worked-example").to_dict(), width=40)
    assert all(len(line) <= 40 for line in text.splitlines())
    assert text.count("TESTED") == 18
    assert "attention:end_to_end" in text


def test_claims_that_do_not_apply_and_targets_are_rendered_too() -> None:
    claims = (
        Verdict(Claim("formula", "equal"), Status.PROVED, method="normal form"),
        Verdict(Claim("mask", "kept"), None),
    )
    text = rendered(Audit({"target": {"name": "mine.py::attention"}, "spec": {}}, claims).to_dict())
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert rows[0] == "mine.py::attention"
    assert "formula PROVED normal form" in rows
    assert "mask – does not apply" in rows
    assert "PROVED: it holds everywhere in the stated scope (1 claim)." in text


def test_nothing_in_the_data_can_steer_the_terminal_or_be_read_as_markup() -> None:
    evidence = {"summary": "[red]not markup[/red] \x1b[2J\x07", "detail": "d\x1b]0;title\x07"}
    verdict = Verdict(Claim("[bold]name", "s"), Status.UNDECIDED, evidence=evidence)
    text = rendered(Audit({"document": {"title": "a\x1b[31m\ud800", "path": None}}, (verdict,)).to_dict())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]not markup[/red] \\x1b[2J\\x07" in text
    assert "[bold]name" in text
    text.encode("utf-8")


def test_the_meanings_are_those_of_the_statuses() -> None:
    assert {status.name: status.meaning for status in Status} == MEANINGS


def test_the_report_knows_no_other_room() -> None:
    code = (
        "import sys, attn_verify.report.audit, attn_verify.report.strict_json\n"
        "print(sorted(m for m in sys.modules if m.startswith('attn_verify')), 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = ("audit", "audit_facts", "audit_scope", "audit_words", "strict_json")
    rooms = ["attn_verify", "attn_verify.report", *(f"attn_verify.report.{name}" for name in own)]
    assert done.stdout.strip() == f"{rooms} False"


def test_an_audit_is_strict_json() -> None:
    audit = check("worked-example").to_dict()
    assert json.loads(dumps(audit)) == audit
    assert "±" in dumps(audit)


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, '"nan"'), (math.inf, '"inf"'), (-math.inf, '"-inf"'), (0.1, "0.1")]
)
def test_floats(value: float, text: str) -> None:
    assert dumps(value) == text
    assert dumps(np.float64(value)) == text
    assert json.loads(dumps({"a": [value]}))["a"][0] == json.loads(text)


def test_half_a_character_is_escaped() -> None:
    text = dumps({"path": "a\ud800"})
    text.encode("utf-8")
    assert json.loads(text) == {"path": "a\ud800"}


def test_what_has_no_json_form_is_refused_with_its_place() -> None:
    class Colour(Enum):
        RED = 1

    refused: list[Any] = [
        Fraction(1, 2),
        np.float32(1),
        np.int64(1),
        np.zeros(2),
        {1, 2},
        b"x",
        Colour.RED,
        Status.PROVED,
        1j,
    ]
    for value in refused:
        with pytest.raises(TypeError, match=r"^\$\.a\[1\]: "):
            dumps({"a": [0, value]})
    with pytest.raises(TypeError, match="the key 1 is not text"):
        dumps({1: 2})


def _constant(name: str) -> None:
    raise AssertionError(name)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_any_plain_data_is_encodable_strict_json(data: Any) -> None:
    text = dumps(data)
    text.encode("utf-8")
    again = json.loads(text, parse_constant=_constant)
    assert dumps(again) == text
