"""Which lines of the target the inputs reach, and more inputs in search of those that they do not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import CodeType
from typing import Any

from attn_verify.checks.audit.groups import Group, Prepared
from attn_verify.checks.audit.records import run_groups
from attn_verify.checks.audit.schedule import groups_for_coverage
from attn_verify.checks.audit.subject import Subject

Data = dict[str, Any]

# Inputs of one group that are run under observation, which is slower than running them.
_SAMPLES = 6
_ROUNDS = 4
# Groups of random inputs in search of lines, for each second of the budget.
_SEARCH = 2


def coverage(runner: Any, subject: Subject, deadline: float) -> Data:
    """Run inputs of all kinds under observation; return which lines of the target none of them reached.

    While some are left, further sizes are tried, then random inputs, as many as the budget allows.  Groups that
    reached a line first are run and judged like others.
    """
    wanted = lines_of(subject)
    reached: set[str] = set()
    telling: list[Group] = []
    tried, most = 0, len(subject.sizes) + int(_SEARCH * subject.options.budget)
    for number, group in enumerate(groups_for_coverage(subject)):
        enough = number >= _ROUNDS and not wanted - reached
        if enough or number >= most or time.monotonic() > deadline:
            break
        prepared = Prepared(subject, group)
        calls = [prepared.call(sample.arrays) for sample in prepared.samples()[:_SAMPLES]]
        outcomes = runner.run_many(calls, seconds=max(0.5, deadline - time.monotonic()))
        tried += len(outcomes)
        new = {line for outcome in outcomes for line in outcome["lines"]} - reached
        if new & wanted and number >= _ROUNDS:
            telling.append(replace(group, random=8, seed=number))
        reached |= new
    judged = run_groups(runner, subject, telling, deadline) if telling and time.monotonic() < deadline else []
    missed = sorted(wanted - reached, key=_place)
    return {"groups": judged, "coverage": {"lines": len(wanted), "not_reached": missed, "inputs": tried}}


def lines_of(subject: Subject) -> set[str]:
    """Return the lines of the target's function and of what it defines, ``file:line``, as a record of lines has them.

    Other functions of the file count where the target calls them by name.
    """
    file = str(subject.description.get("file") or "")
    try:
        module = compile(subject.source, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    by_name: dict[str, list[CodeType]] = {}
    for code in _inside(module):
        by_name.setdefault(code.co_name, []).append(code)
    name = subject.name.rsplit(".", 1)[-1]
    todo, seen = [*by_name.get(name, ())], set[CodeType]()
    while todo:
        code = todo.pop()
        if code in seen:
            continue
        seen.add(code)
        todo += _inside(code)
        todo += [other for word in code.co_names for other in by_name.get(word, ())]
    return {f"{file}:{line}" for code in seen for line in _lines(code)}


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _lines(code: CodeType) -> Iterable[int]:
    # The line of ``def`` itself runs where the function is made.
    own = {line for _, _, line in code.co_lines() if line is not None}
    return own - {code.co_firstlineno} if len(own) > 1 else own


def _place(line: str) -> tuple[str, int]:
    file, _, number = line.rpartition(":")
    return file, int(number)


def places(lines: Iterable[str], limit: int = 12) -> list[str]:
    """Return short places, ``file.py:12``, and how many more there are."""
    shown = [line.rsplit("/", 1)[-1] for line in lines]
    return shown if len(shown) <= limit else [*shown[:limit], f"and {len(shown) - limit} more"]


def merged(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the part of a result that is about lines, empty where there is none."""
    return {} if found is None else found.get("coverage", {})
