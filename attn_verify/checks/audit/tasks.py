"""One task of an audit, done in a worker: plain data in, plain data out, so that any executor can carry it."""

from __future__ import annotations

import atexit
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from attn_verify.checks.audit.confirm import confirm
from attn_verify.checks.audit.groups import Group
from attn_verify.checks.audit.records import run_groups, unpacked_arrays
from attn_verify.checks.audit.subject import Subject
from attn_verify.errors import AttnVerifyError
from attn_verify.targets.runner import Runner

Data = dict[str, Any]


class _Kept(threading.local):
    """A worker process for targets and the subject of the last task, for each thread that does tasks."""

    def __init__(self) -> None:
        self.runners: dict[bool, Runner] = {}
        self.key = ""
        self.subject: Subject | None = None


_KEPT = _Kept()


def perform(subject: Mapping[str, Any], task: Mapping[str, Any], seconds: float) -> Data:
    """Do one task of the audit of ``subject`` within ``seconds``; whatever goes wrong is part of the result."""
    start = time.monotonic()
    try:
        found = _JOBS[task["job"]](_runner(task["job"] not in _EXACT), _subject(subject), task, start + seconds)
    except AttnVerifyError as error:
        found = {"error": str(error)}
    except Exception as error:  # a mistake of ours must not lose what other tasks found
        found = {"error": f"internal error: {error!r}", "traceback": traceback.format_exc()[-2000:]}
    return {"name": task["name"], "job": task["job"], "seconds": time.monotonic() - start, **found}


def warm(light: bool) -> None:
    """Start what tasks need, before the first one comes."""
    _runner(light)


def _runner(light: bool) -> Runner:
    """Return a running worker: a full one where there is one, else one of the kind that is asked for."""
    found = _KEPT.runners.get(False) or _KEPT.runners.get(light)
    if found is None:
        found = _KEPT.runners[light] = Runner(light=light)
        found.__enter__()
        atexit.register(found.close)
    return found


def _subject(data: Mapping[str, Any]) -> Subject:
    key = repr((data["options"], data["source"]))
    if _KEPT.subject is None or _KEPT.key != key:
        _KEPT.key, _KEPT.subject = key, Subject.from_dict(data)
    return _KEPT.subject


def _floats(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    groups = [Group.from_dict(item) for item in task["groups"]]
    return {"groups": run_groups(runner, subject, groups, deadline)}


def _proof(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    from attn_verify.checks.audit.proof import prove_within

    return prove_within(runner, subject, max(1.0, min(task["seconds"], deadline - time.monotonic())))


def _confirm(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    arrays = unpacked_arrays(task["arrays"])
    end = max(deadline, time.monotonic() + 1.0)
    seconds = end - time.monotonic()
    found = confirm(runner, subject, task["claim"], Group.from_dict(task["group"]), arrays, seconds=seconds)
    if "alone" not in found or "history" not in task:
        return found
    from attn_verify.checks.audit.history import with_history

    groups = [Group.from_dict(item) for item in task["history"]["groups"]]
    example = with_history(runner, subject, groups, task["history"]["number"], end)
    return found if example is None else {**found, "history": example.to_dict()}


def _state(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    from attn_verify.checks.audit.surroundings import surroundings

    return surroundings(runner, subject, task["claims"], deadline)


def _coverage(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    from attn_verify.checks.audit.coverage import coverage

    return coverage(runner, subject, deadline)


def _properties(runner: Runner, subject: Subject, task: Mapping[str, Any], deadline: float) -> Data:
    from attn_verify.checks.audit.properties import properties

    return properties(runner, subject, deadline)


# Jobs that run the target on exact numbers.
_EXACT = ("proof",)
_JOBS: Mapping[str, Callable[[Runner, Subject, Mapping[str, Any], float], Data]] = {
    "floats": _floats, "proof": _proof, "confirm": _confirm, "properties": _properties, "state": _state,
    "coverage": _coverage,
}  # fmt: skip
