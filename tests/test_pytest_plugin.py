"""The plugin for pytest: what it imports, where options come from, and what a failing test shows."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

# Stands in for the audit: its verdicts are what the test says, and its options are printed.
FAKE = """
import pytest
import attn_verify.checks.audit.assertion as assertion
from attn_verify.checks.verdict import Audit, Claim, Status, Verdict

def audit(target, spec=None, **options):
    print("AUDITED", target, spec, {name: options[name] for name in sorted(options)})
    verdicts = [Verdict(Claim("rounding", "s"), Status[STATUS], "m", {}, (), {"summary": "off by much"}),
                Verdict(Claim("range", "s"), Status.TESTED, "m", {}, (), {"summary": "fine"})]
    return Audit({"target": target, "spec": {}}, tuple(verdicts), seed=0)

@pytest.fixture(autouse=True)
def faked(monkeypatch):
    monkeypatch.setattr(assertion, "audit", audit)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's project, in which the plugin is known by its entry point or by name."""
    if not pytester.runpytest("--help").stdout.str().count("--attn-budget"):
        pytester.makeconftest("pytest_plugins = ['attn_verify.pytest_plugin']")
    return pytester


def write(project: pytest.Pytester, status: str, body: str) -> None:
    text = f"STATUS = {status!r}\n{FAKE}\n{textwrap.dedent(body)}"
    project.makepyfile(text)


def test_a_passing_audit_passes_and_a_failing_one_shows_the_table(project: pytest.Pytester) -> None:
    write(project, "REFUTED", "def test_mine(attention_audit):\n    attention_audit('mine.py::f')\n")
    result = project.runpytest("-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*rounding is REFUTED, not TESTED: off by much*", "*claim*status*"])
    assert "Traceback" not in result.stdout.str()


def test_options_win_over_the_table_marks_over_options_arguments_over_marks(project: pytest.Pytester) -> None:
    project.makepyprojecttoml('[tool.attn_verify]\nbudget = 1\nseed = 1\nspec = ["paper"]\nseconds = 9\n')
    write(
        project, "TESTED",
        """
        @pytest.mark.attention(seed=3)
        def test_mine(attention_audit):
            attention_audit('mine.py::f', 'causal=lower_right', dtypes=['float64'])
        """,
    )  # fmt: skip
    result = project.runpytest("-q", "-s", "--attn-budget", "2", "--attn-seed", "2", "--strict-markers")
    result.assert_outcomes(passed=1)
    told = next(line for line in result.stdout.lines if "AUDITED" in line)
    for part in (
        "'budget': 2.0",
        "'seed': 3",
        "'seconds': 9",
        "'dtypes': ['float64']",
        "['paper', 'causal=lower_right']",
    ):
        assert part in told


@pytest.mark.parametrize(("status", "outcome"), [("REFUTED", "passed"), ("TESTED", "failed"), ("UNDECIDED", "failed")])
def test_expected_failures_are_strict(project: pytest.Pytester, status: str, outcome: str) -> None:
    write(
        project, status,
        """
        @pytest.mark.attention(expected_failures=['rounding'])
        def test_mine(attention_audit):
            attention_audit('mine.py::f')
        """,
    )  # fmt: skip
    result = project.runpytest("-q")
    result.assert_outcomes(**{outcome: 1})
    if outcome == "failed":
        result.stdout.fnmatch_lines(["*rounding was expected to be refuted, and is*take it out*"])


def test_an_unknown_claim_is_an_error(project: pytest.Pytester) -> None:
    write(
        project, "TESTED",
        "def test_mine(attention_audit):\n    attention_audit('mine.py::f', expected_failures=['speed'])\n",
    )  # fmt: skip
    result = project.runpytest("-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*claims: formula, rounding*"])


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, attn_verify.pytest_plugin; print([m for m in ('numpy', 'sympy', 'flint') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent
    )
    assert found.stdout.strip() == "[]"
