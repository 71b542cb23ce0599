"""One case on whole arrays: the target and the formula in the same finite fields, and the target in floats."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import frexp, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.graph import Graph, UnmodelledError
from attn_verify.arithmetic.modular.arrays import ModularData
from attn_verify.arithmetic.modular.bound import ATTEMPTS, bits_for
from attn_verify.arithmetic.modular.draw import Draw
from attn_verify.arithmetic.modular.field import Field, VanishingError, using
from attn_verify.arithmetic.modular.formula import formula_arrays
from attn_verify.arithmetic.modular.functions import NESTED
from attn_verify.arithmetic.modular.identity import IdentityResult
from attn_verify.arithmetic.modular.reading import SHALLOW, Reading, demand_of, draw_for, judge, start_bits
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.arithmetic.tracing.run_values import packed
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.checks.agreement import allowance_of
from attn_verify.checks.outcome import METHOD, Outcome, ProvedPath, check_run, check_ways
from attn_verify.checks.shadow import Shadow, check_values
from attn_verify.checks.verdict import Status
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import FLOATS
from attn_verify.targets.returns import Misfit, Path
from attn_verify.targets.units import Case

Json = Mapping[str, Any]
Arrays = Mapping[str, Any]

ERROR = 2.0**-64
_NUMERATORS = 95


@dataclass(frozen=True)
class Whole:
    """A case whose entries are not named one by one, with the shapes of its inputs, axes of batch and heads first."""

    case: Case
    shapes: Mapping[str, tuple[int, ...]]
    projected: bool

    def units(self, arrays: Mapping[str, Any]) -> list[tuple[Sizes, Any, dict[str, Any]]]:
        """Return what each call of the formula gets: sizes, allowed pairs, its share of the inputs with heads in front.

        Elements of a batch are apart, and so are heads that no output projection joins.
        """
        sizes, (b, h) = self.case.sizes, self.case.batch
        widths = {"n": sizes.n, "m": sizes.m, "d_k": sizes.d_k, "d_v": sizes.d_v, "d_model": sizes.d_model,
                 "apart": sizes.apart}  # fmt: skip
        heads, d_out = (h, sizes.d_out) if self.projected else (1, None)
        own = Sizes(**widths, heads=heads, d_out=d_out)  # type: ignore[arg-type]
        groups = [slice(None)] if self.projected else [slice(t, t + 1) for t in range(h)]
        places = [(e, group) for e in range(b) for group in groups]
        return [(own, allowed, {name: _share(name, array, e, group) for name, array in arrays.items()})
                for (e, group), allowed in zip(places, self.case.each, strict=True)]  # fmt: skip

    def point(self, seed: int) -> dict[str, NDArray[np.float64]]:
        """Return harmless values of every input, exact in float32; weights are small, so that products are not."""
        generator = np.random.default_rng(seed)
        found = {}
        for name, shape in self.shapes.items():
            value = generator.integers(1, _NUMERATORS, shape, endpoint=True) * generator.choice((-1, 1), shape)
            rows = shape[-2] if name.startswith("W") else 1
            found[name] = value / 2.0 ** (6 + frexp(rows)[1] // 2)
        return found

    def call(self, target: str, point: Mapping[str, NDArray[np.float64]] | None = None) -> dict[str, Any]:
        """Return the call as JSON for a worker: of an exact run, or in floats at a point."""
        call: dict[str, Any] = {"target": target, "arguments": dict(self.case.arguments), "observed": True}
        call["positional"] = list(self.case.positional)
        if point is None:
            return {**call, "shapes": {name: list(shape) for name, shape in self.shapes.items()}}
        return {**call, "inputs": [], "point": packed(np.concatenate([array.reshape(-1) for array in point.values()]))}

    def result(self, structure: Json) -> tuple[Json, NDArray[np.int64]] | Misfit:
        """Return the array that is judged, and the positions in it of the entries in canonical order."""
        selected = self.case.select(_numbered(structure))
        if isinstance(selected, Misfit):
            return selected
        members = {item.member for item in selected}
        wanted = self.case.wanted[0]
        if len(members) > 1 or {item.name for item in selected} != {wanted.name}:
            return Misfit("returned several members to judge, where at large sizes only one is", "shape")
        places = {key: at for at, key in enumerate(wanted.keys)}
        order = np.empty(len(places), np.int64)
        for item in selected:
            order[places[item.name, item.index]] = item.position
        return _at(structure, selected[0].member), order


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
    _near(outcome, whole, spec, point)
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


def _near(outcome: Outcome, whole: Whole, spec: AttentionSpec, point: Mapping[str, NDArray[np.float64]]) -> None:
    """Compare the float run with the formula, evaluated in floats from the definition."""
    if outcome.ran["outcome"] != "returned":
        return
    found = whole.result(outcome.ran["value"])
    if isinstance(found, Misfit):
        outcome.doubt(f"in floats, it {found.text}")
        return
    member, order = found
    values = np.array([float.fromhex(str(x)) for x in member["array"]["data"]])[order]
    parts = [_floats(sizes, spec, allowed, share) for sizes, allowed, share in whole.units(point)]
    want = np.concatenate([part.reshape(-1) for part in parts])
    largest = max(1.0, float(np.abs(want).max(initial=0.0)))
    worst = float(np.abs(values - want).max(initial=0.0))
    returned = {"kind": "cast", "text": str(member["array"]["dtype"])}
    if not worst <= allowance_of([*outcome.notes, returned]) * largest:
        outcome.doubt(f"in floats, it is off by {worst:.3g} at a point where the formula is at most {largest:.3g}")


def _floats(sizes: Sizes, spec: AttentionSpec, allowed: Any, given: Arrays) -> NDArray[np.float64]:
    """Return the result of one layer in float64: ``softmax(σ Q Kᵀ) V`` head by head, then ``W_O``."""
    scale = float(scale_value(spec.scale_node(), sizes, FLOATS))
    mask = np.array(allowed, np.bool_)
    heads = []
    for t in range(sizes.heads):
        if sizes.given_qkv:
            Q, K, V = (given[name][t] for name in ("Q", "K", "V"))
        else:
            X, X_KV = given["X"], given.get("X_KV", given["X"])
            Q, K, V = X @ given["W_Q"][t], X_KV @ given["W_K"][t], X_KV @ given["W_V"][t]
        S = np.where(mask, scale * (Q @ K.T), -np.inf)
        E = np.exp(S - S.max(axis=1, keepdims=True))
        heads.append((E / E.sum(axis=1, keepdims=True)) @ V)
    Z: NDArray[np.float64] = np.concatenate(heads, axis=1)
    return Z if sizes.d_out is None else np.asarray(Z @ given["W_O"])


def _share(name: str, array: Any, element: int, heads: slice) -> Any:
    def part(x: Any) -> Any:
        if name in ("X", "X_KV"):
            return x[element]
        if name == "W_O":
            return x
        return x[heads] if name.startswith("W") else x[element, heads]

    return array.move(part) if isinstance(array, ModularData) else part(array)


def _numbered(structure: Json) -> Json:
    """Return a returned value with positions in place of the entries of its arrays."""
    if "array" in structure:
        array = structure["array"]
        data = range(int(np.prod(array["shape"], dtype=np.int64)))
        return {"array": {"shape": array["shape"], "dtype": array["dtype"], "data": data}}
    for kind in ("list", "tuple"):
        if kind in structure:
            return {kind: [_numbered(item) for item in structure[kind]]}
    if "dict" in structure:
        return {"dict": {key: _numbered(item) for key, item in structure["dict"].items()}}
    return structure


def _at(structure: Json, path: Path) -> Json:
    items: Any
    for step in path:
        items = structure.get("dict") or structure.get("tuple") or structure.get("list") or ()
        structure = items[step]
    return structure
