"""Run a target on exact numbers for one call, along every path, and describe what it computed as plain data."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.storage import dump
from attn_verify.arithmetic.tracing.array import is_traced
from attn_verify.arithmetic.tracing.coarse import holds_arrays, is_coarse
from attn_verify.arithmetic.tracing.honest import honest, real_of
from attn_verify.arithmetic.tracing.imports import ExactImports, OwnFiles
from attn_verify.arithmetic.tracing.observe import Observer
from attn_verify.arithmetic.tracing.paths import Budget, explore
from attn_verify.arithmetic.tracing.rehearsal import Rehearsal
from attn_verify.arithmetic.tracing.run_arrays import (
    NodeMaker,
    exact_models,
    leaf,
    noted,
    noted_plain,
    plain_values,
    trail,
)
from attn_verify.arithmetic.tracing.run_outcome import Ending, attempt
from attn_verify.arithmetic.tracing.run_values import arguments, point_of, sizes_of, structure
from attn_verify.arithmetic.tracing.run_watch import Watch, refuse_unrecorded, watched
from attn_verify.arithmetic.tracing.session import Condition, Refusal, Session, running

Function = Callable[..., Any]
# Operations that have no value everywhere.
PARTIAL = frozenset({"div", "log", "sqrt", "atom"})
# Answers to questions in all runs together, before the exploration is given up.
MAX_DECISIONS = 200_000


@dataclass
class PathRun:
    """One run: how it ended, what it returned and asked, and what it changed."""

    ending: Ending
    value: dict[str, Any] | None
    roots: list[Node]
    conditions: list[Condition]
    refusals: list[Refusal]
    lines: list[str]
    blocks: list[str]
    opcodes: str
    changed: list[str]
    values: dict[str, list[dict[str, Any]]]
    coarse: bool  # whether the result comes of what was cast to a narrower format

    @property
    def outcome(self) -> str:
        """How it ended; a refusal counts even if the target went on."""
        return "refused" if self.refusals else self.ending.outcome

    def same_program(self, other: PathRun) -> bool:
        """Return whether two runs computed the same nodes after the same questions."""
        asked, others = ([(c.op, c.left.index, c.right.index, c.answer) for c in r.conditions] for r in (self, other))
        return self.outcome == other.outcome and self.value == other.value and asked == others


class _Tracer:
    """The runs of one call, all in one graph, so that equal programs are equal nodes."""

    def __init__(self, call: Mapping[str, Any], own: OwnFiles, watch: Watch, cases: bool) -> None:
        self.call = call
        self.own = own
        self.watch = watch
        self.graph = Graph()
        self.point = point_of(call)
        self.inputs = list(self.point)
        self.others = [(f"{name}'", index) for name, index in self.inputs]  # of an earlier call
        values = list(self.point.values())
        self.point.update(zip(self.others, (-value for value in [*values[1:], *values[:1]]), strict=True))
        self.sizes = sizes_of(call)
        self.cases = cases
        self.observed: list[Node] = []  # on import and in the first run
        self.ran, self.noting = False, True
        self.imports = ExactImports(own, exact_models())
        self.observer = Observer(honest, real_of, is_traced, models=self.imports.models)
        self.importing = self.session(())
        self.importing.rehearsal = Rehearsal(self.importing)
        self.notes = self.importing.notes

    def session(self, forced: Sequence[bool]) -> Session:
        """Return the session of a run: values and bounds of nodes are shared by all runs of the call."""
        session = Session(self.graph, self.point, self.sizes, forced, self.own, self.cases)
        if hasattr(self, "importing"):
            session.balls, session.bounds = self.importing.balls, self.importing.bounds
            session.refusals = list(self.importing.refusals)
            session.notes = self.notes
            session.inexact = self.importing.inexact
            session.coarse = dict(self.importing.coarse)
            session.rehearsal = self.importing.rehearsal
        return session

    def load(self, load: Callable[[], Function]) -> Ending:
        """Import the target; what it computes on import belongs to every run."""
        self.observer.start_import()
        with running(self.importing):
            self._observe()
            ending = watched(load, self.own, self.watch, self.imports, self.importing)
            self.observer.stop_import()
        self.base, self.base_opcodes = self.watch.lines, self.watch.opcodes
        return ending

    def run(
        self, function: Function, forced: tuple[bool, ...], inputs: Sequence[Any] | None = None,
        positional: Sequence[str] | None = None,
    ) -> PathRun:  # fmt: skip
        """Call the target once on fresh arguments.

        ``inputs`` name other ones than those of the call, ``positional`` other arguments that are given by position.
        """
        session = self.session(forced)
        with running(session):
            maker = NodeMaker(self.graph, self.inputs if inputs is None else inputs)
            given = arguments(self.call if positional is None else {**self.call, "positional": positional}, maker)
            before = {name: trail(value) for name, value in given.named.items()}
            self._observe()
            ending = watched(
                lambda: function(*given.positional, **given.keyword), self.own, self.watch, self.imports, session
            )
            self.observer.stop()
            values, self.ran = self.observer.values, True
            roots: list[Node] = []
            read = Ending("returned")
            if ending.outcome == "returned":
                # Reading a result may refuse (poison), or run code of the target.
                read = attempt(lambda: structure(ending.value, lambda value: leaf(value, roots)), self.own)
                ending = ending if read.outcome == "returned" else read
            refuse_unrecorded(session, ending)
            coarse = is_coarse(session, ending.value) or (bool(session.coarse) and not holds_arrays(ending.value))
            changed = [name for name, value in given.named.items() if trail(value) != before[name]]
        return PathRun(
            ending, read.value, roots, session.conditions, session.refusals,
            sorted({*self.base, *self.watch.lines}), self.watch.blocks, f"{self.base_opcodes} {self.watch.opcodes}",
            changed, values, coarse,
        )  # fmt: skip

    def called_again(self, load: Callable[[], Function]) -> PathRun:
        """Import the target afresh and call it after a call with other inputs, by position; nothing of it is noted.

        What is handed on where values are noted is never quite what it is otherwise: iterators are other objects.
        """
        leading = self.call.get("leading")
        kept, modules = self.observer.imported, {name: sys.modules[name] for name in self.own.modules()}
        self.noting = False
        try:
            found = self.load(load)
            if found.outcome != "returned":
                return PathRun(found, None, [], [], [], [], [], "", [], {}, False)
            self.run(found.value, (), self.others, leading)
            return self.run(found.value, (), positional=leading)
        finally:
            self.noting, self.observer.imported = True, kept
            sys.modules.update(modules)

    def _observe(self) -> None:
        """Note what expressions give: all of it on import and in the first run, no exact numbers in the others."""
        if not (self.noting and self.call.get("observed")):
            return
        observed = self.observed
        self.observer.start(noted_plain if self.ran else lambda value: noted(value, observed))


def trace(
    load: Callable[[], Function], call: Mapping[str, Any], own: OwnFiles, watch: Watch, *,
    cases: bool = False, max_paths: int = 256, seconds: float = 60,
) -> dict[str, Any]:  # fmt: skip
    """Import a target under the exact models, run one call along all paths, and return what is known as JSON data.

    ``load`` imports the target afresh and returns the function; ``call`` is the recipe of its arguments.
    ``outcome`` is that of the first path that did not return, else ``returned``; a refusal anywhere makes it
    ``refused``.
    ``repeatable`` says whether the first path computed the same nodes when it was run again: by position, not observed
    and after a call with other inputs, and after all other paths; it is false too where no time was left to try, and
    ``called_again`` with it.  After a refusal no further path is run.
    """
    begin = time.monotonic()
    tracer = _Tracer(call, own, watch, cases)
    with tracer.observer.compiling(own), tracer.imports.installed():
        loaded = tracer.load(load)
        if loaded.outcome != "returned":
            return _report(tracer, [], loaded, exhausted=False, repeatable=True, seconds=time.monotonic() - begin)

        def run(forced: tuple[bool, ...] = (), *, anew: bool = False) -> PathRun:
            found = tracer.load(load) if anew else loaded
            if found.outcome != "returned":
                return replace(first, ending=found)
            return tracer.run(found.value, forced)

        first = run()
        budget = Budget(max_paths, MAX_DECISIONS, begin + seconds)
        again = None
        if time.monotonic() < begin + seconds / 2:
            again = tracer.called_again(load)
        # A buffer that is kept sends later calls another way: then every path begins with an import of its own.
        keeps = again is not None and again.blocks != first.blocks
        explored = explore(lambda forced: run(forced, anew=keeps) if forced else first, budget)
        repeatable = again is not None and first.same_program(again)
        if len(explored.runs) > 1:
            repeatable = repeatable and first.same_program(run(anew=keeps))
        repeatable = repeatable and explored.repeatable
    return _report(
        tracer, list(explored.runs), loaded,
        exhausted=explored.exhausted, repeatable=repeatable, called_again=again is not None,
        seconds=time.monotonic() - begin,
    )  # fmt: skip


def _report(
    tracer: _Tracer, runs: list[PathRun], loaded: Ending, *,
    exhausted: bool, repeatable: bool, seconds: float, called_again: bool = True,
) -> dict[str, Any]:  # fmt: skip
    groups: dict[str, list[Node]] = {}
    for i, run in enumerate(runs):
        groups[f"path {i}"] = run.roots
        groups[f"path {i} conditions"] = [node for c in run.conditions for node in (c.left, c.right)]
    groups["observed"] = tracer.observed
    foreign = tracer.graph.dependent(frozenset(tracer.others)) | tracer.graph.aside
    # All that was computed, whether a result depends on it or not.
    groups["made"] = [node for node in tracer.graph.nodes if node.index not in foreign]
    groups["partial"] = [node for node in groups["made"] if node.op in PARTIAL]
    graph = dump(tracer.graph, groups)
    number = {
        node.index: new
        for name, nodes in groups.items()
        for node, new in zip(nodes, graph["groups"][name], strict=True)
    }
    found = [*tracer.importing.refusals, *(refusal for run in runs for refusal in run.refusals)]
    refusals = list(dict.fromkeys(found))
    worst = next((run.ending for run in runs if run.outcome != "returned"), loaded)
    return {
        "outcome": "refused" if refusals else worst.outcome,
        "graph": graph,
        "paths": [_path(run, number) for run in runs],
        "values": _renumbered(runs[0].values, number) if runs else {},
        "coarse": any(run.coarse for run in runs),
        "unobserved": tracer.observer.unobserved,
        "sets": tracer.observer.sets,
        "exhausted": exhausted,
        "notes": [*map(dict, tracer.notes.values()), *_unhandled(tracer, runs)],
        "refusals": [vars(refusal) for refusal in refusals],
        "imports": sorted(tracer.imports.asked),
        "repeatable": repeatable,
        "called_again": called_again,
        "changed": sorted({name for run in runs for name in run.changed}),
        "exception": worst.exception,
        "seconds": seconds,
    }


def _unhandled(tracer: _Tracer, runs: Sequence[PathRun]) -> Iterator[dict[str, Any]]:
    """Yield an assumption for every handler of an error that floats may raise and exact numbers did not."""
    for place, names in tracer.observer.places.unhandled({line for run in runs for line in run.lines}):
        short = place.rsplit("/", 1)[-1]
        text = f"{short} handles {names}: what it does with an error that only floats raise is not followed"
        yield {"kind": "float_error", "text": text, "place": place}


def _path(run: PathRun, number: Mapping[int, int]) -> dict[str, Any]:
    conditions = [
        {"op": c.op, "left": number[c.left.index], "right": number[c.right.index], "answer": c.answer, "place": c.place}
        for c in run.conditions
    ]
    return {
        "outcome": run.outcome,
        "value": None if run.value is None else _renumbered(run.value, number),
        "conditions": conditions,
        "exception": run.ending.exception,
        "lines": run.lines,
        "blocks": run.blocks,
        "opcodes": run.opcodes,
        "values": plain_values(run.values),
    }


def _renumbered(value: Any, number: Mapping[int, int]) -> Any:
    """Return a structure with the nodes' numbers in the stored program."""
    if isinstance(value, dict):
        array = value.get("array", {})
        if isinstance(array.get("nodes"), list):
            return {"array": {**array, "nodes": [number[index] for index in array["nodes"]]}}
        return {key: _renumbered(item, number) for key, item in value.items()}
    return [_renumbered(item, number) for item in value] if isinstance(value, list) else value
