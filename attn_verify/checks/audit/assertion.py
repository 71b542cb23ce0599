"""``assert_attention``: an audit as one line of somebody's test-suite."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attn_verify.checks.audit.claims import NAMES
from attn_verify.checks.audit.run import BUDGET, DTYPES, Spec, audit
from attn_verify.checks.verdict import Audit, Status
from attn_verify.config import Config, read_config
from attn_verify.errors import SpecError, VerdictError, explain, show


class AttentionAssertionError(VerdictError, AssertionError):
    """An audit does not come out as a test demands; the message is its report."""


def assert_attention(
    target: str | Callable[..., Any],
    spec: Spec | Sequence[Spec] = None,
    *,
    expected_failures: Iterable[str] = (),
    require: Status = Status.TESTED,
    config: Config | None = None,
    **options: Any,
) -> Audit:
    """Audit ``target`` and raise unless every claim reaches ``require``; return the audit.

    Args:
        target: as for :func:`~attn_verify.checks.audit.run.audit`.
        spec: as for ``audit``; conventions in the table ``[tool.attn_verify]`` come first.
        expected_failures: claims that must be refuted.  One that is not refuted any more fails the test, as
            pytest's ``xfail_strict`` does, so that the list stays true.
        require: the status that every other claim must reach; ``UNDECIDED`` accepts what could not be decided.
        config: the table of a ``pyproject.toml`` (default: the nearest one).
        options: further options of ``audit``: ``budget``, ``seed``, ``dtypes``, ``sizes``, ``roles``, …

    Returns: the audit.

    Raises: ``AttentionAssertionError``, which is an ``AssertionError``, with the report; whatever ``audit`` raises.

    >>> sizes = {"n": 2, "m": 3, "d_k": 2, "d_v": 1}
    >>> options = {"budget": 1, "limit": 100, "dtypes": "float64", "sizes": sizes, "layout": "nd"}
    >>> assert_attention("attn_verify.numeric:attention", require=Status.TESTED, **options)["formula"].status.name
    'PROVED'
    """
    expected = tuple(expected_failures)
    unknown = [name for name in expected if name not in NAMES]
    if unknown:
        received = f"got expected_failures with {show(unknown[0])}"
        raise SpecError(explain("assert_attention", received, remedy=f"claims: {', '.join(NAMES)}"))
    table = read_config() if config is None else config
    for name, default in (
        ("budget", BUDGET),
        ("seed", 0),
        ("dtypes", DTYPES),
        ("seconds", 20.0),
        ("save_dir", None),
        ("limit", None),
    ):
        options[name] = table.get(name, options.get(name), default)
    found = audit(target, combined(table, spec), **options)
    wrong = list(_shortfalls(found, expected, require))
    if wrong:
        raise AttentionAssertionError("\n".join([*wrong, "", report(found)]))
    return found


def combined(table: Config, spec: Spec | Sequence[Spec]) -> list[Spec]:
    """Return the conventions of the table, then those that were given."""
    single = isinstance(spec, (str, Mapping)) or not isinstance(spec, Sequence)
    given: list[Any] = [spec] if single else list(spec)  # type: ignore[arg-type]
    return [*table.values.get("spec", ()), *(part for part in given if part is not None)]


def _shortfalls(found: Audit, expected: Sequence[str], require: Status) -> Iterable[str]:
    for verdict in found:
        name, status = verdict.claim.name, verdict.status
        if name in expected:
            if status is not Status.REFUTED:
                said = "does not apply" if status is None else f"is {status.name}"
                yield f"{name} was expected to be refuted, and {said}: take it out of expected_failures"
        elif status is not None and verdict.counts and status < require:
            yield f"{name} is {status.name}, not {require.name}: {verdict.evidence.get('summary', '')}"


def report(found: Audit, width: int = 100) -> str:
    """Return the report of an audit as text."""
    from rich.console import Console

    from attn_verify.report.audit import render_audit

    text = io.StringIO()
    render_audit(found.to_dict(), Console(file=text, width=width))
    return text.getvalue().rstrip()
