"""The audit of a function on a terminal: every failure with what is needed to believe and to mend it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from attn_verify.report import audit_facts, audit_scope
from attn_verify.report.audit import render_audit
from attn_verify.report.audit_html import render_audit_html
from attn_verify.report.junit import render_junit
from attn_verify.report.sarif import render_sarif
from attn_verify.report.strict_json import dumps, loads


def rendered(data: dict[str, Any], width: int = 80, *, terminal: bool = False) -> str:
    stream = io.StringIO()
    colours = "truecolor" if terminal else None
    render_audit(data, Console(file=stream, width=width, force_terminal=terminal, color_system=colours))  # type: ignore[arg-type]
    return stream.getvalue()


def rows(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def claim_of(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(claim for claim in data["claims"] if claim["name"] == name)


def test_an_audit_without_failures_is_a_table_its_scope_and_its_outcome(good: dict[str, Any]) -> None:
    found = rows(rendered(good))
    assert found[0] == "src/model/attention.py::attention"
    assert "rounding TESTED 412 inputs, worst 0.31 of the bound" in found
    assert "empty_rows – empty_row = any: such rows are not judged" in found
    assert found[-8:-1][0].startswith("sizes n=5, m=7")
    assert "seed 20240607" in found
    assert "not reached src/model/attention.py:14" in found
    assert "inputs 758, in 12.5 seconds" in found
    assert found[-1] == "TESTED: nothing that was tried contradicts it (8 claims)."
    assert not any("is refuted" in row for row in found)


def test_notes_on_the_audit_as_a_whole_are_shown(good: dict[str, Any]) -> None:
    data = {**good, "notes": ["no parameter is a mask, though mask = boolean: judged without one"]}
    assert "note no parameter is a mask, though mask = boolean: judged without one" in " ".join(rendered(data).split())


def test_a_failure_shows_entry_values_error_input_and_command(refuted: dict[str, Any]) -> None:
    text = rendered(refuted)
    known = claim_of(refuted, "rounding")["evidence"]
    part = rows(text[text.index("rounding is refuted") : text.index("range is refuted")])
    assert part[:8] == [
        "rounding is refuted",
        "every entry is within the rounding bound on ordinary inputs",
        "entry O[1,4] of unit 1",
        f"got {known['got']!r}",
        f"exact {known['exact'].strip('[]').replace('+/-', '±')}",
        "error 6.85e-8 = 3.09e+8 ulp = 1.22e+7 × the bound",
        "bound 5.63e-15",
        "input n=5, m=7, d_k=3, d_v=4, float64; shrunk from “standard normal”",
    ]
    assert part[8].startswith("look at the error has the size of float32 rounding")
    assert "again attn-verify replay attention-rounding.json" in part
    assert f"\n\n{known['text']}\n" in text  # whole, and not indented: it can be pasted


def test_a_result_that_is_no_number_has_no_error_in_ulps(refuted: dict[str, Any]) -> None:
    text = rendered(refuted)
    part = rows(text[text.index("range is refuted") :])
    assert "got nan" in part
    assert not any(row.startswith("error") for row in part)


def test_long_inputs_are_cut_in_the_middle_and_say_where_they_are_whole(refuted: dict[str, Any]) -> None:
    text = rendered(refuted)
    left_out = len(claim_of(refuted, "range")["evidence"]["text"].split("\n")) - 40
    assert f"# … {left_out} lines left out; the whole input is in attention range.json\n" in text
    assert text.count("reshape(") == 2  # the beginning and the end are there
    assert "attention(Q=Q, K=K, V=V)\n# O[3,1], indices from 1\n" in text
    assert "attn-verify replay 'attention range.json'" in text
    unsaved = audit_facts.shortened("x\n" * 100)
    assert "the whole input is in the JSON of the audit" in unsaved
    assert audit_facts.shortened("x\n" * 59) == "x\n" * 59


def test_crashes_exceptions_and_changes_are_told(broken: dict[str, Any]) -> None:
    found = rows(rendered(broken))
    for row in (
        "ended signal 11 (SIGSEGV)",
        "raised ValueError: operands could not be broadcast together with shapes",
        "at src/model/attention.py:12",
        "changed K",
    ):
        assert row in found


def test_open_claims_say_why_and_what_would_help(broken: dict[str, Any]) -> None:
    text = rendered(broken)
    assert "formula: np.linalg.solve at attention.py:9 is not modelled\n  11 of 11 cases are open\n  remedy: " in text
    assert "gradient – the target has no parameter dO" in rows(text)
    assert rows(text)[-1] == "could not be determined and does not count)."


def test_what_a_file_found_completes_the_evidence() -> None:
    found = {"result": "O", "entry": [2, 1], "unit": 0, "got": "0x1.8p+0", "exact": "[1.25 +/- 1e-20]"}
    claim = {"evidence": {"summary": "s", "counterexample": {"found": found}}}
    assert list(audit_facts.facts(claim))[:3] == [("entry", "O[2,1]"), ("got", "1.5"), ("exact", "1.25 ± 1e-20")]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_only_python_to_paste_is_wider_than_the_console(example: dict[str, Any], width: int) -> None:
    text = rendered(example, width)
    codes = "\n".join(audit_facts.code(claim) for claim in example["claims"]).split("\n")
    lines = [line for line in text.splitlines() if line not in codes and not line.startswith("# …")]
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_nothing_steers_a_terminal(hostile: dict[str, Any]) -> None:
    text = rendered(hostile)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    text.encode("utf-8")
    assert "\\x1b[31m" in text
    coloured = rendered(hostile, terminal=True)
    assert "\x1b[31m\\u202e" not in coloured
    assert "\u202e" not in coloured


def test_a_terminal_gets_colours(refuted: dict[str, Any]) -> None:
    assert "\x1b[1;31mREFUTED" in rendered(refuted, terminal=True)


def test_the_json_of_an_audit_renders_as_the_audit_itself(example: dict[str, Any]) -> None:
    assert rendered(loads(dumps(example))) == rendered(example)


@pytest.mark.parametrize("status", ["REFUTED", "UNDECIDED", "TESTED", None])
@pytest.mark.parametrize(
    "known",
    [{}, {"entry": "O"}, {"picture": None, "formula": []}, {"exception": "E"}, {"counterexample": {"units": []}}],
)
def test_little_evidence_is_no_reason_to_fail(status: str | None, known: dict[str, Any]) -> None:
    """A partial report, after Ctrl-C, may know next to nothing."""
    claim = {"name": "range", "status": status, "counts": status is not None, "evidence": known}
    data = {"target": "a.py::f", "status": status or "PROVED", "claims": [claim]}
    for render in (rendered, render_audit_html, render_junit, render_sarif):
        assert "range" in render(data)


def test_lines_count_as_not_reached_only_if_no_claim_reached_them() -> None:
    claims = [{"evidence": {"lines_not_reached": lines}} for lines in (["a.py:10", "a.py:9"], ["a.py:9", "a.py:10"])]
    assert audit_scope.missed({"claims": claims}) == ["a.py:9", "a.py:10"]
    claims.append({"evidence": {"lines_not_reached": ["a.py:10"]}})
    claims.append({"evidence": {}})
    assert audit_scope.missed({"claims": claims}) == ["a.py:10"]


@pytest.mark.parametrize(
    ("value", "text"),
    [("nan", "nan"), (float("inf"), "inf"), (1e-7, "1e-7"), (12345.0, "1.23e+4"), (0.5, "0.5"), (None, "None")],
)
def test_numbers(value: object, text: str) -> None:
    assert audit_facts.number(value) == text


def test_two_results_of_one_call_are_told_apart() -> None:
    known = {"result": "O", "entry": [1, 2], "got": 0.5, "bound": 0}
    found = {"alone": (0.25).hex()}
    for after, words in (([{}], {"at first": "0.25", "later": "0.5"}), ([], {"alone": "0.25", "got": "0.5"})):
        evidence = {**known, "counterexample": {"found": found, "after": after}}
        seen = dict(audit_facts.facts({"name": "determinism", "evidence": evidence}))
        assert seen == {"entry": "O[1,2]", **words}
