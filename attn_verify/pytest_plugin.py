"""The plugin for pytest: a fixture, a mark and options; nothing else of this package is imported unless it is used.

``attention_audit(target, spec=None, …)`` audits a function inside a test and fails it with the report;
``@pytest.mark.attention(budget=3, expected_failures=["range"])`` sets options for the tests that it marks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

_MARK = "attention(**options): options of attention_audit for this test, such as budget, seed, expected_failures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they win over ``[tool.attn_verify]``, marks and arguments win over them."""
    group = parser.getgroup("attn-verify", "audits of attention")
    group.addoption("--attn-budget", type=float, metavar="S", help="seconds for all trials of one audit")
    group.addoption("--attn-seed", type=int, metavar="N", help="seed of every random choice")
    group.addoption("--attn-dtypes", metavar="NAMES", help="dtypes of the inputs, such as float64,float32")
    group.addoption("--attn-save-dir", metavar="DIR", help="directory in which counterexamples are saved")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def attention_audit(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return ``assert_attention`` with the options of the command line, of the table in pyproject and of the mark.

    ``attention_audit(target, spec=None, *, expected_failures=(), require=Status.TESTED, **options)`` returns the audit.
    """
    config = request.config
    options: dict[str, Any] = {}
    for name in ("budget", "seed", "dtypes", "save_dir"):
        value = config.getoption(f"attn_{name}")
        if value is not None:
            options[name] = value
    for mark in reversed(list(request.node.iter_markers("attention"))):
        options |= mark.kwargs

    def audited(target: Any, spec: Any = None, **given: Any) -> Any:
        __tracebackhide__ = True
        from attn_verify.checks.audit.assertion import AttentionAssertionError, assert_attention
        from attn_verify.config import read_config

        try:
            return assert_attention(target, spec, config=read_config(config.rootpath), **{**options, **given})
        except AttentionAssertionError as error:
            pytest.fail(str(error), pytrace=False)

    return audited
