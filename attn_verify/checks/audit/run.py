"""``audit``: is this implementation right, and if not, on which input?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any

from attn_verify.checks.audit.claims import verdicts
from attn_verify.checks.audit.evidence import Evidence, sort_results
from attn_verify.checks.audit.failures import confirm_all
from attn_verify.checks.audit.head import source_of, versions
from attn_verify.checks.audit.journal import Journal
from attn_verify.checks.audit.pool import Progress, Workforce
from attn_verify.checks.audit.schedule import Task, schedule
from attn_verify.checks.audit.subject import Subject, options_of
from attn_verify.checks.audit.tasks import warm
from attn_verify.checks.counterexample import Counterexample
from attn_verify.checks.verdict import Audit
from attn_verify.errors import DocumentError, SpecError, explain, show
from attn_verify.spec import AttentionSpec
from attn_verify.targets.runner import Runner

Spec = AttentionSpec | str | Mapping[str, Any] | None
DTYPES = ("float64", "float32", "float16", "bfloat16")
# Seconds for all trials; a whole command takes a little more.
BUDGET = 12.0
# The part of the budget that is kept for making counterexamples small.
_CONFIRM = 0.25


def audit(
    target: str | Callable[..., Any],
    spec: Spec | Sequence[Spec] = None,
    *,
    sizes: Mapping[str, int] | None = None,
    roles: Mapping[str, str] | str | None = None,
    layout: str | None = None,
    returns: str | None = None,
    dtypes: Iterable[str] | str = DTYPES,
    budget: float = BUDGET,
    limit: float | None = None,
    seed: int = 0,
    seconds: float = 20.0,
    executor: Executor | None = None,
    save_dir: str | Path | None = None,
    journal: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Prove what can be proved of ``target``, and run it on inputs that wake bugs up.

    .. math:: |f(Q, K, V) - \\mathrm{softmax}(σ Q K^T) V| ≤ \\mathrm{bound}(Q, K, V) \\quad \\text{entry by entry}

    The target is run, unmodified, in processes of its own: on exact numbers for the claim ``formula``, in floats
    for the others.  Exact values come from ball arithmetic, bounds from a rounding theorem; no tolerance is chosen.

    Args:
        target: ``"path/to/file.py::function"``, ``"package.module:function"``, or such a function.
        spec: conventions: an ``AttentionSpec``, a profile, ``field=value``, a mapping, or several of them.
        sizes: fixes some of ``n m d_k d_v d_model heads``; the others take many values.
        roles: what each parameter is, ``{"a": "Q"}`` or ``"a=Q,b=K"``; the rest is bound by name.
        layout: ``nd``, ``bnd``, ``bhnd`` or ``bnhd``; by default found out.
        returns: names of the members of a returned tuple, ``"O,P"``.
        dtypes: dtypes of the inputs, the first one for most trials; those that the target refuses are named.
        budget: how much is tried: about what two cores do in so many seconds, the start of processes not counted.
        limit: seconds after which no further trial begins (default: the budget).  With a limit that is not reached
            the inputs, and so the verdicts, are the same on every machine.
        seed: of every random choice; the same seed gives the same inputs, however many workers there are.
        seconds: time limit of one run of the target.
        executor: where tasks are done, any of ``concurrent.futures``; by default a process for each core.  What one
            that breaks has left undone is done by processes of this machine, and the report says so.
        save_dir: directory in which counterexamples are saved (see ``replay``); ``None`` saves none.
        journal: file that keeps results while the audit runs; ``None`` keeps none.
        resume: go on with the results in ``journal``, if they are of the same code and options.
        progress: is told what goes on.

    Returns: an audit with the claims ``formula rounding range empty_rows alignment layout purity determinism gradient
    properties``, each with scope, assumptions and evidence.

    Raises: ``TargetError`` if the target cannot be loaded or bound, or fails on every input; ``SpecError``,
    ``SizeError`` for conventions, dtypes and sizes that do not exist; ``DocumentError`` for a journal that cannot be
    written.

    >>> sizes = {"n": 2, "m": 3, "d_k": 2, "d_v": 1}
    >>> options = {"budget": 1, "limit": 100, "dtypes": "float64", "sizes": sizes, "layout": "nd"}
    >>> found = audit("attn_verify.numeric:attention", **options)
    >>> found["rounding"].status.name
    'TESTED'
    """
    parts = [spec] if spec is None or isinstance(spec, (str, Mapping, AttentionSpec)) else list(spec)
    options = options_of(
        target, AttentionSpec.of(*parts), sizes=sizes, roles=roles, layout=layout, returns=returns,
        dtypes=_dtypes(dtypes), budget=_positive("budget", budget), seconds=_positive("seconds", seconds), seed=seed,
    )  # fmt: skip
    progress("finding out how the function is called …")
    state = Progress()
    # The pool starts its interpreters while the target is looked at.
    with Workforce(executor) as pool:
        if executor is None:
            for light in (False, True):
                pool.executor.submit(warm, light)
        with Runner(light=True) as runner:
            subject = Subject.of(options, runner)
        kept = Journal(None if journal is None else Path(journal), subject.digest, resume=resume)
        data = subject.to_dict()
        planned = schedule(subject)
        begin = time.monotonic()
        allowed = options.budget if limit is None else _positive("limit", limit)
        end = begin + allowed

        def tell(now: Progress) -> None:
            progress(_line(now, kept))

        pool.run(data, planned, kept, begin + (1 - _CONFIRM) * allowed, tell, state, end)
        found = _sorted(planned, kept)
        if not found.suspicious and not state.interrupted and not state.trouble:
            # Nothing has to be made small: the time is for more trials.
            pool.run(data, planned, kept, end, tell, state)
            found = _sorted(planned, kept)
        if found.suspicious and not state.interrupted:
            progress("making counterexamples small …")
            late = max(end, time.monotonic() + _CONFIRM * allowed)
            confirm_all(found, lambda tasks: pool.run(data, tasks, kept, late, lambda _: None, state), kept.results)
    lost = [] if save_dir is None else save(found, Path(save_dir), subject.name)
    notes = _notes(state, kept)
    judged = tuple(verdicts(subject, found, notes=notes))
    head = {
        "target": options.target,
        "spec": subject.spec.to_dict(),
        "source": source_of(subject),
        "versions": versions(),
        "notes": [*subject.binding.notes, *notes, *lost],
    }
    return Audit(head, judged, seed=seed)


def _sorted(planned: Sequence[Task], kept: Journal) -> Evidence:
    return sort_results([kept.results[task.name] for task in planned if task.name in kept.results])


def _dtypes(given: Iterable[str] | str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else tuple(map(str, given))
    unknown = [name for name in names if name not in DTYPES]
    if unknown or not names:
        received = f"got dtypes = {show(unknown[0]) if unknown else 'none'}"
        raise SpecError(explain("audit", received, remedy=f"known dtypes: {', '.join(DTYPES)}"))
    return tuple(dict.fromkeys(names))


def _positive(name: str, value: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < 1e6:
        raise SpecError(explain("audit", f"got {name} = {show(value)}", remedy="give seconds, more than 0"))
    return float(value)


def _line(state: Progress, kept: Journal) -> str:
    inputs = failed = 0
    for result in kept.results.values():
        for group in result.get("groups", ()):
            for record in group["records"].values():
                inputs, failed = inputs + record["inputs"], failed + record["failed"]
    wrong = f", {failed} failed" if failed else ""
    return f"auditing: {state.done} of {state.planned} tasks, {inputs} inputs{wrong} …"


def save(found: Evidence, directory: Path, name: str) -> list[str]:
    """Save the counterexamples; return why some are not, which must not hide what was found."""
    stem = re.sub(r"[^\w.-]", "_", name.rpartition(".")[2])[:60] or "target"
    if found.proof is not None and "counterexample" in found.proof["evidence"]:
        found.counterexamples[found.proof["name"]] = {"counterexample": found.proof["evidence"]["counterexample"]}
    lost: list[str] = []
    for claim, item in found.counterexamples.items():
        example = Counterexample.from_dict(item["counterexample"])
        path = _own_name(directory, f"{stem}-{claim}", example.target)
        try:
            with suppress(OSError):
                directory.mkdir(parents=True, exist_ok=True)
            example.save(path)
        except DocumentError as error:
            lost.append("not saved: " + " ".join(str(error).split()))
            continue
        item["saved"] = str(path)
    return lost


def _own_name(directory: Path, stem: str, target: str) -> Path:
    """Return the file of this name, or of one with a number where it holds what was found of another target."""
    path, number = directory / f"{stem}.json", 2
    while path.exists():
        try:
            if Counterexample.load(path).target == target:
                break
        except DocumentError:
            pass  # whatever it is, it was not written for this target
        path, number = directory / f"{stem}-{number}.json", number + 1
    return path


def _notes(state: Progress, kept: Journal) -> list[str]:
    notes = list(dict.fromkeys(state.trouble))[:6]
    if state.interrupted:
        notes.insert(0, "interrupted: this is what was found until then")
    if state.late:
        notes.append(f"the budget ran out before {state.late} tasks")
    if kept.trouble:
        notes.append(kept.trouble)
    return notes
