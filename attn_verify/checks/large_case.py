"""One case on whole arrays: the target and the formula in the same finite fields, and the target in floats."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import log2
from typing import Any

import numpy as np

from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.bound import ATTEMPTS, bits_for
from attn_verify.arithmetic.modular.draw import Draw
from attn_verify.arithmetic.modular.field import Field, VanishingError, using
from attn_verify.arithmetic.modular.formula import formula_arrays
from attn_verify.arithmetic.modular.functions import NESTED
from attn_verify.arithmetic.modular.identity import IdentityResult
from attn_verify.arithmetic.modular.reading import SHALLOW, Reading, demand_of, draw_for, judge, start_bits
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.checks.large_floats import off
from attn_verify.checks.large_whole import Whole
from attn_verify.checks.outcome import METHOD, Outcome, ProvedPath, check_run, check_ways
from attn_verify.checks.shadow import Shadow, check_values
from attn_verify.checks.verdict import Status
from attn_verify.spec import AttentionSpec
from attn_verify.targets.returns import Misfit

Json = Mapping[str, Any]
Arrays = Mapping[str, Any]

ERROR = 2.0**-64


def decide_whole(
    whole: Whole, spec: AttentionSpec, target: str, runner: Any, *, seed: int, seconds: float
) -> Outcome:  # fmt: skip
    """Compare a target with the formula on whole arrays of residues, and its float run with both.

    Status ``PROBABLE`` if all entries agree, in fields so large that the error bound is below 2⁻⁶⁴.
    """
    outcome = Outcome(whole.case, Status.PROBABLE)
    point = whole.point(seed)
    call = whole.call(target, point)
    first, second = runner.run_many([call, call], seconds=seconds, seed=seed)
    outcome.ran = first
    if first["outcome"] == "returned" and first["value"] != second["value"]:
        outcome.doubt("a second call on the same inputs computes something else: it keeps state")
    try:
        found = _compare(outcome, whole, spec, target, runner, seed, seconds)
    except (UnmodelledError, RefusalError) as error:
        outcome.doubt(f"the comparison with the formula: {error}")
        return outcome
    if found is None or found.heuristic:
        outcome.doubt(outcome.reasons[0] if outcome.reasons else "it could not be compared")
        return outcome
    text = off(whole, spec, point, first, outcome.notes)[0]
    if text:
        outcome.doubt(f"in floats, it {text}")
    if not found.equal:
        outcome.doubt(
            "the program is another function than the formula, and no input was found that shows it in floats",
            "smaller sizes are decided exactly",
        )
    elif outcome.status is not Status.UNDECIDED:
        outcome.methods.add(METHOD)
        outcome.error_log2 = found.error_log2
        outcome.entries = len(whole.case.wanted[0].keys)
        outcome.paths.append(ProvedPath((), {}))
    return outcome


def _compare(
    outcome: Outcome, whole: Whole, spec: AttentionSpec, target: str, runner: Any, seed: int, seconds: float
) -> IdentityResult | None:  # fmt: skip
    """Run both in one draw after the other until the bound suffices; ``None`` where the target cannot be judged."""
    sizes = {name: int(size) for name, size in whole.case.sizes.items()}
    bits, redraws, shallow = start_bits(sizes, ERROR), 0, SHALLOW
    call, floats = whole.call(target), whole.call(target, whole.point(seed))
    for attempt in range(2 * ATTEMPTS + 1):
        drawn, squares = draw_for(sizes, seed, attempt, bits, shallow=shallow)
        ran, own = _both(runner, call, drawn, squares, whole, spec, seed=seed, seconds=seconds)
        if shallow and any(refusal["cause"] == NESTED for refusal in ran["refusals"]):
            shallow = ()  # it does take exponentials of what seldom is in an exponent
            continue
        if own is None or ran["outcome"] == "vanished":
            redraws += 1
            if redraws == ATTEMPTS:  # the bound counts no more
                raise UnmodelledError(f"a divisor is zero in each of {ATTEMPTS} random draws")
            continue
        outcome.notes = list(ran["notes"])
        check_run(outcome, ran, outcome.ran)
        if ran["outcome"] != "returned":
            return None
        check_ways(outcome, ran, outcome.ran)
        if outcome.ran["outcome"] == "returned":
            shadow = Shadow(ran["values"], ran["notes"])
            check_values(outcome, shadow, ran, outcome.ran["values"], lambda: runner.run(floats, seconds=seconds))
        if ran["conditions"]:
            outcome.doubt("which way it takes depends on the inputs", "smaller sizes are decided path by path")
        there = _reading(whole, ran["value"])
        if isinstance(there, Misfit):
            outcome.doubt(there.text)
            return None
        if "argument" in there.unsure:
            outcome.doubt("the argument of a root, a logarithm or another function may be out of its range")
        if "wild divisor" in there.unsure:
            outcome.maxima = True
            outcome.doubt(
                "a divisor with a maximum, a root or a logarithm in it may be zero for many inputs",
                "divide by sums of exponentials, or by what is floored by a positive number",
            )
        if "divisor" in there.unsure:
            outcome.excluded = ["a divisor whose sign depends on the inputs = 0"]
        found = judge(drawn, bits, there, own, seed=seed, squares=len(squares), redraws=redraws)
        if not found.equal or found.error_log2 <= log2(ERROR):
            return found
        bits = bits_for(demand_of(there, own, len(squares)), ERROR)
    raise UnmodelledError("the error bound never fell below the error that was asked for")


def _both(
    runner: Any, call: Json, drawn: Draw, squares: frozenset[int], whole: Whole, spec: AttentionSpec,
    *, seed: int, seconds: float,
) -> tuple[Json, Reading | None]:  # fmt: skip
    """Run the target in its process and the formula in ours, at the same time; no reading if a divisor vanished."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(runner.modular, call, drawn.to_dict(), sorted(squares), seconds=seconds, seed=seed)
        try:
            own = formula_reading(whole, spec, drawn, squares)
        except VanishingError:
            own = None
        except BaseException:
            # Interrupted: the pool would wait for the target.
            runner.close()
            raise
        return asked.result(), own


def formula_reading(whole: Whole, spec: AttentionSpec, drawn: Draw, squares: frozenset[int]) -> Reading:
    """Return what the formula gives in a draw, entries in canonical order."""
    field = Field(drawn, squares)
    with running(Session(Graph(), {})), using(field):
        inputs = {name: ModularData.inputs(name, shape) for name, shape in whole.shapes.items()}
        parts = [formula_arrays(field, sizes, spec, allowed, share) for sizes, allowed, share in whole.units(inputs)]
        result = parts[0].join(parts[1:], lambda arrays: np.stack(list(arrays)))
        return Reading.of(result.move(lambda x: x.reshape(-1)), field)


def _reading(whole: Whole, structure: Json) -> Reading | Misfit:
    """Return the residues of a returned value, entries in canonical order."""
    found = whole.result(structure)
    if isinstance(found, Misfit):
        return found
    member, order = found
    if "reading" not in member.get("array", ()):
        return Misfit("the result has lost its derivation: it is no longer an array of exact numbers", "type")
    reading = Reading.from_dict(member["array"]["reading"])
    return replace(reading, residues=reading.residues.reshape(-1)[order], special=reading.special.reshape(-1)[order])
