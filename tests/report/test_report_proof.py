"""One verdict as text: what it rests on is there, lines fit, and nothing steers the terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from attn_verify.checks.verdict import Status
from attn_verify.report.proof import _MEANINGS, _STYLES, recheck_text, render_proof

PROVED: dict[str, Any] = {
    "target": "f.py::f",
    "name": "formula",
    "statement": "f equals the formula for all real inputs",
    "status": "PROVED",
    "method": "normal form on traced programs",
    "scope": {
        "sizes": ["n=1, m=2", "n=2, m=1"],
        "number_system": "real numbers (exact)",
        "entries": 3,
        "excluded": [],
        "not_covered": ["layout (b, n, d): raised ValueError"],
    },
    "assumptions": [{"kind": "cast", "text": "float64 → float32: equal before rounding"}],
    "evidence": {"kind": "proof", "summary": "3 entries equal the formula", "certificate": "c.json"},
}


def rendered(data: dict[str, Any], *, width: int = 80, colours: bool = False) -> str:
    stream = io.StringIO()
    system = "truecolor" if colours else None
    render_proof(data, Console(file=stream, width=width, force_terminal=colours, color_system=system))  # type: ignore[arg-type]
    return stream.getvalue()


def test_every_status_has_a_meaning_and_a_style() -> None:
    assert set(_MEANINGS) == set(_STYLES) == {status.name for status in Status}


def test_a_proof_shows_scope_assumptions_and_certificate() -> None:
    text = rendered(PROVED)
    lines = text.splitlines()
    assert lines[0] == "f.py::f"
    assert "PROVED: equal as functions of real inputs, everywhere in the scope" in lines
    assert lines[lines.index("  sizes          n=1, m=2") + 1] == "                 n=2, m=1"
    for part in ("not covered    layout (b, n, d)", "assuming       float64 → float32", "certificate    c.json"):
        assert part in text
    assert "excluded" not in text  # an empty row would say nothing
    assert "\x1b" not in text


def test_a_probability_is_said() -> None:
    evidence = {"kind": "proof", "summary": "3 entries equal the formula, except with probability 2^-66"}
    assert "found          3 entries equal the formula, except with probability 2^-66" in rendered(
        PROVED | {"status": "PROBABLE", "evidence": evidence}
    )
    assert "found" not in rendered(PROVED)


@pytest.mark.parametrize("status", ["REFUTED", "UNDECIDED", "TESTED"])
def test_what_a_replay_saw_is_said(status: str) -> None:
    evidence = {"kind": "replay", "then": "before", "summary": "the run met its time limit"}
    assert "the run met its time limit" in rendered(PROVED | {"status": status, "evidence": evidence})


def test_every_reason_and_the_remedy_are_said() -> None:
    evidence = {"kind": "undecided", "reasons": ["np.linalg.solve at f.py:3", "it keeps state"], "remedy": "solve less"}
    text = rendered(PROVED | {"status": "UNDECIDED", "evidence": evidence})
    for part in (
        "because        np.linalg.solve at f.py:3",
        "because        it keeps state",
        "remedy         solve less",
    ):
        assert part in text


def test_a_witness_can_be_pasted() -> None:
    witness = "Q = np.array([[1.0]])" + "  # " + "long " * 40
    text = rendered(PROVED | {"status": "REFUTED", "evidence": {"kind": "counterexample", "text": witness}}, width=40)
    assert witness.rstrip() in text


@pytest.mark.parametrize("width", [70, 80, 100])
def test_long_lines_are_wrapped_under_their_label(width: int) -> None:
    lines = rendered(PROVED | {"scope": {"excluded": ["a long equation " * 12]}}, width=width).splitlines()
    assert max(map(len, lines)) <= width
    at = next(i for i, line in enumerate(lines) if line.startswith("  excluded"))
    assert lines[at + 1].startswith(" " * 17)


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[1;31mREFUTED" in rendered(PROVED | {"status": "REFUTED"}, colours=True)


def test_nothing_that_a_target_wrote_steers_the_terminal() -> None:
    reasons = ["raised ValueError: \x1b]0;owned\x07\x1b[2J"]
    data = PROVED | {"target": "\x1b[31mred.py::f", "evidence": {"kind": "undecided", "reasons": reasons}}
    text = rendered(data)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert "\\x1b" in text


def test_markup_is_text() -> None:
    assert "[bold]m[/bold]" in rendered(PROVED | {"method": "[bold]m[/bold]"})


CASE = {"sizes": {"n": 1, "m": 2}, "entries": 1, "paths": 1}


def test_a_recheck_counts_in_words() -> None:
    data = {"status": "valid", "reason": "r", "claim": {"target": "f.py::f", "source_sha256": ""}, "trusted": []}
    more = {"sizes": {"n": 2, "m": 2}, "batch": 3, "entries": 6, "paths": 4}
    lines = recheck_text(data | {"cases": [CASE, more]}).splitlines()
    assert lines[0] == "valid: r"
    assert "  checked        n=1, m=2: 1 entry, 1 path" in lines
    assert "  checked        n=2, m=2, batch=3: 6 entries, 4 paths" in lines
    assert not any("source_sha256" in line for line in lines)


def test_a_recheck_of_many_masks_tells_them() -> None:
    masks = [[[True, False], [True, True]], [[True, True], [True, True]], [[True, True], [True, True]]]
    cases = [{"sizes": {"n": 2, "m": 2}, "allowed": mask, "entries": 4, "paths": 1} for mask in masks]
    lines = recheck_text({"status": "valid", "reason": "r", "cases": cases, "trusted": []}).splitlines()
    assert "  checked        n=2, m=2: 3 cases, 12 entries, 3 paths" in lines
    assert "                 allowed pairs: 10/11 11/11" in lines


def test_where_nothing_is_masked_no_mask_is_told() -> None:
    case = {"sizes": {"n": 1, "m": 2}, "allowed": [[True, True]], "entries": 1, "paths": 1}
    assert "allowed" not in recheck_text({"status": "valid", "reason": "r", "cases": [case] * 2, "trusted": []})


def test_a_recheck_of_very_many_masks_says_how_many_more() -> None:
    masks = [[[bool(number >> place & 1) for place in range(5)]] for number in range(20)]
    cases = [{"sizes": {"n": 1, "m": 5}, "allowed": mask, "entries": 1, "paths": 1} for mask in masks]
    assert " and 12 more" in recheck_text({"status": "valid", "reason": "r", "cases": cases, "trusted": []})
