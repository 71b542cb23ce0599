"""One case of a proof: the target's program at one size, mask and layout against the formula."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic import exact, modular
from attn_verify.arithmetic.graph import Graph, Node, UnmodelledError
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.graph.limits import in_the_limit
from attn_verify.arithmetic.graph.storage import load
from attn_verify.checks.agreement import disagreement, formats_of
from attn_verify.checks.fills import FILL, objection
from attn_verify.checks.formula import Entry, expected
from attn_verify.checks.outcome import Condition, Outcome, ProvedPath, check_run, check_ways, short_place
from attn_verify.checks.points.reaching import near_path
from attn_verify.checks.reading import (
    overlap,
    point_of_all,
    points_of_equality,
    unproved_domains,
    with_decimals,
    write_out,
)
from attn_verify.checks.shadow import Shadow, check_values
from attn_verify.checks.verdict import Status
from attn_verify.spec import AttentionSpec
from attn_verify.targets.returns import Misfit
from attn_verify.targets.units import Case

Json = Mapping[str, Any]
Pair = tuple[Node, Node]

# Seconds after which no further normal form is begun: what is left is decided by the identity test.
_NORMAL_FORMS = 20.0
# Paths that are no formula, or undecided, after which no further path of a case is compared.
_MOST_WRONG = 12


def decide(case: Case, spec: AttentionSpec, target: str, runner: Any, *, seed: int, seconds: float) -> Outcome:
    """Compare the program that the target runs with the formula, entry by entry, on every path.

    Maxima are first taken as unknowns; where the result depends on one, they are decided by comparisons.
    """
    call = {**case.call(target), "observed": True}
    ran = runner.run(call, seconds=seconds)
    values = ran.pop("values", {})  # megabytes, which no outcome needs to keep

    def judged(cases: bool) -> Outcome:
        trace = runner.trace(call, seconds=seconds, cases=cases)
        outcome = _judge(case, spec, call, ran, trace, seed)
        if outcome.status is not Status.UNDECIDED and ran["outcome"] == "returned":
            shadow = Shadow.of_trace(outcome.graph, trace, outcome.points[0])
            check_values(outcome, shadow, trace, values, lambda: runner.run(call, seconds=seconds))
        if outcome.status is Status.UNDECIDED and "formats" not in ran:
            ran["formats"] = formats_of(values)  # by which a search for a counterexample judges
        return outcome

    outcome = judged(cases=False)
    if outcome.status is Status.UNDECIDED and outcome.maxima:
        again = judged(cases=True)
        if again.status > Status.UNDECIDED:
            return again
        outcome.points += again.points
    return outcome


def _judge(case: Case, spec: AttentionSpec, call: Json, ran: Json, trace: Json, seed: int) -> Outcome:
    outcome = Outcome(case, ran=ran, notes=list(trace.get("notes", ())), sets=bool(trace.get("sets")))
    outcome.coarse = bool(trace.get("coarse", True))
    point = {
        (name, tuple(index)): Fraction(value)
        for (name, index), value in zip(call["inputs"], call["point"], strict=True)
    }
    outcome.points.append(point)
    check_run(outcome, trace, ran)
    ends = {path["exception"]["place"] if _stated(path) else "" for path in trace["paths"]}
    outcome.one_end = trace["exhausted"] and len(ends) == 1 and "" not in ends
    if trace["outcome"] != "returned":
        return outcome
    graph, groups = load(trace["graph"])
    outcome.graph, outcome.made = graph, len(graph.nodes)
    wanted = expected(graph, case, spec)
    _check_domains(outcome, groups["partial"], point)
    for at, path in enumerate(trace["paths"]):
        _judge_path(outcome, spec, path, wanted, point, seed + at)
        if at == 0:
            check_ways(outcome, path, ran)
    if not trace["paths"]:
        outcome.doubt("no path of the target was run")
    elif not trace["exhausted"]:
        outcome.partial = True
        outcome.doubt(f"{len(trace['paths'])} paths were explored, and there are more", "give smaller sizes")
    if outcome.status is not Status.UNDECIDED and ran["outcome"] == "returned":
        found = case.select(ran["value"])
        first = outcome.paths[0].entries if outcome.paths else {}
        if isinstance(found, Misfit):
            text = f"in floats, it {found.text}"
        else:
            values = {(item.name, item.index): float.fromhex(str(item.value)) for item in found}
            text = disagreement(graph, first, values, point, outcome.result_notes)
        if text:
            outcome.doubt(text)
    return outcome


def _stated(path: Json) -> bool:
    """Return whether a path ends with an exception that a statement of the target raised."""
    return path["outcome"] == "raised" and bool(path["exception"]["stated"])


def _check_domains(outcome: Outcome, partial: Sequence[Node], point: Mapping[Any, Fraction]) -> None:
    """Doubt every operation that may have no value, whether the result depends on it or not, on whatever path."""
    graph = outcome.graph
    divisors, doubtful, arguments = unproved_domains(graph, partial)
    balls = BallValues(graph, point)
    # Of an identity that no rule knows the difference is zero always.
    doubtful += [divisor for divisor in divisors if balls[divisor].contains(0)]
    for divisor in divisors:
        _exclude(outcome, f"{write_out(graph, divisor)} = 0", "a divisor")
        outcome.points += list(points_of_equality(graph, divisor, graph.number(0), point))[:2]
    for divisor in doubtful:
        outcome.maxima |= any(node.op == "max" for node in graph.cone([divisor]))
        outcome.doubt(f"the divisor {write_out(graph, divisor)} may be zero for many inputs")
    for argument in arguments:
        shown = write_out(graph, argument)
        outcome.doubt(f"the argument {shown} of a root, a logarithm or another function may be out of its range")


def _judge_path(
    outcome: Outcome, spec: AttentionSpec, path: Json, wanted: Mapping[Any, Node],
    point: Mapping[Any, Fraction], seed: int,
) -> None:  # fmt: skip
    graph = outcome.graph
    conditions = [
        Condition(c["op"], graph.nodes[c["left"]], graph.nodes[c["right"]], c["answer"], c["place"])
        for c in path["conditions"]
    ]
    selected = outcome.case.select(path["value"])
    if isinstance(selected, Misfit):
        outcome.doubt(selected.text)
        return
    got = {(item.name, item.index): graph.nodes[int(item.value)] for item in selected}
    missing = set(wanted) ^ set(got)
    if missing or not wanted:
        outcome.doubt(f"{len(missing)} entries of the result are missing or unknown")
        return
    compared = {key: (got[key], wanted[key]) for key in wanted}
    for condition in conditions:
        if condition.op == "eq":
            left, right = (write_out(graph, side) for side in (condition.left, condition.right))
            _exclude(outcome, f"{left} = {right}", condition.place)
            outcome.points += list(points_of_equality(graph, condition.left, condition.right, point))[:20]
    equations = [(c.left, c.right) for c in conditions if c.op == "eq"]
    if len(equations) > 1:
        outcome.points.insert(1, point_of_all(graph, equations, point))
    hopeless = outcome.wrong_paths >= _MOST_WRONG
    if not hopeless and _equal(outcome, spec, compared, conditions, point, seed):
        outcome.entries += len(compared)
        lines, blocks = frozenset(path["lines"]), frozenset(path["blocks"])
        outcome.paths.append(ProvedPath(conditions, got, path["opcodes"], lines, blocks, path["values"]))
    else:
        outcome.wrong_paths += 1
        outcome.points += near_path(graph, conditions, list(point), np.random.default_rng(seed), most=6)


def _equal(
    outcome: Outcome, spec: AttentionSpec, compared: Mapping[Entry, Pair], conditions: Sequence[Condition],
    point: Mapping[Any, Fraction], seed: int,
) -> bool:  # fmt: skip
    """Show that every pair is equal, or say why not."""
    graph, pairs = outcome.graph, list(compared.values())
    specials = [got for got, _ in pairs if got.special]
    if specials:
        outcome.doubt(f"{len(specials)} entries of the result are {specials[0].special}")
        return False
    try:
        equal, maxima = _compare(outcome, graph, pairs, seed)
        if not equal and overlap(graph, pairs, point):
            limit, nodes, fills = in_the_limit(graph, [got for got, _ in pairs], below=FILL)
            wanted = _copy(graph, limit, [want for _, want in pairs])
            if fills and not any(node.special for node in nodes):
                equal, maxima = _compare(outcome, limit, list(zip(nodes, wanted, strict=True)), seed)
                objected, portion = "", Fraction(0)
                if equal:
                    objected, portion = objection(
                        graph, compared, outcome.case, spec, orders=conditions, fills=fills, point=point, seed=seed,
                        equal=lambda read, padded: _compare(outcome, read, padded, seed)[0],
                    )  # fmt: skip
                if objected:
                    outcome.doubt(objected, "let the fill be the score of masked pairs, and nothing else")
                    return False
                for fill in fills if equal else ():
                    outcome.fills[fill] = min(portion, outcome.fills.get(fill, portion))
        if not equal:
            plain, nodes, readings = with_decimals(graph, [node for pair in pairs for node in pair])
            if readings:
                equal, more = _compare(outcome, plain, list(zip(nodes[::2], nodes[1::2], strict=True)), seed)
                maxima |= more
                outcome.notes += [_decimal_note(read) for read in readings] if equal else []
    except UnmodelledError as error:
        outcome.doubt(f"the comparison with the formula: {error}")
        return False
    outcome.maxima |= maxima
    if not equal:
        outcome.doubt(
            "the program is another function than the formula, and no input was found that shows it in floats"
        )
    return equal


def _decimal_note(value: Fraction) -> Json:
    text = f"{float(value)!r} is read as the decimal that it is the nearest float of"
    return {"kind": "constant", "text": text, "value": float(value)}


def _compare(outcome: Outcome, graph: Graph, pairs: Sequence[Pair], seed: int) -> tuple[bool, bool]:
    """Try the normal form, then the identity test; return whether all are equal, and whether maxima matter."""
    end = time.monotonic() + _NORMAL_FORMS
    try:
        results: list[exact.Comparison] = []
        for group in _apart(graph, pairs):
            if time.monotonic() > end:
                raise exact.TooLargeError("too many entries")
            results += exact.compare(graph, group)
            if not all(r.equal for r in results):
                break  # one entry that differs is enough
        outcome.methods.add("normal form")
        return all(r.equal for r in results), any(r.maxima for r in results if not r.equal)
    except exact.TooLargeError:
        result = modular.compare(graph, pairs, seed=seed)
    outcome.methods.add("identity test")
    if result.equal and result.heuristic:
        outcome.doubt("the identity test agrees, but no bound on its error is known for nested exponentials")
    elif result.equal:
        outcome.error_log2 = max(outcome.error_log2, result.error_log2)
        outcome.status = min(outcome.status, Status.PROBABLE)
    return result.equal, result.maxima


def _apart(graph: Graph, pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Split pairs by the exponentials of the formula: different rows share few, and each gets a ring of its own."""
    groups: dict[tuple[int, ...], list[Pair]] = {}
    for pair in pairs:
        exponentials = tuple(node.index for node in graph.cone([pair[1]]) if node.op == "exp")
        groups.setdefault(exponentials, []).append(pair)
    return list(groups.values())


def _copy(source: Graph, into: Graph, roots: Sequence[Node]) -> list[Node]:
    from attn_verify.arithmetic.graph.storage import dump

    return load(dump(source, {"roots": roots}), into)[1]["roots"]


def _exclude(outcome: Outcome, equation: str, place: str) -> None:
    where = short_place(place)
    text = f"{equation} ({where})" if where else equation
    if text not in outcome.excluded:
        outcome.excluded.append(text)
