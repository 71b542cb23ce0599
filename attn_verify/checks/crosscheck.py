"""The cross-check: a function, the derivation's own NumPy code and the ball oracle, on generated inputs.

Hypothesis generates the inputs; every entry of both float readings must lie within the rounding bound
around the exact value, which balls enclose.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase
from numpy.typing import DTypeLike, NDArray

from attn_verify.checks.compare import Inputs, deviations
from attn_verify.checks.rounding import FloatFormat, layer_bound
from attn_verify.checks.verdict import Audit, Claim, Status, Verdict
from attn_verify.derivation import Derivation
from attn_verify.derivation.scale import scale_of
from attn_verify.errors import SpecError, TargetError, explain, shorten, show
from attn_verify.shapes import input_shapes
from attn_verify.strategies import DEFAULT_MAX_SCORE, layer_inputs

Reading = Callable[[Inputs], NDArray[Any]]

_ORDINARY = 3
MAX_SCORE = 1e5


@dataclass
class Record:
    """What was seen of one reading over all inputs."""

    inputs: int = 0
    failed: int = 0
    entries: int = 0
    unbounded: int = 0
    largest_ulp: float = 0.0
    largest_fraction: float = 0.0
    failure: dict[str, Any] | None = None


class _OutsideError(Exception):
    """Tells Hypothesis that an input refutes the claim, so that it is shrunk."""


@dataclass(frozen=True)
class _Case:
    """What a reading is judged against."""

    claim: Claim
    reading: Reading
    derivation: Derivation
    form: FloatFormat
    rescalings: int
    max_score: float
    mask_name: str | None


def crosscheck(
    function: Callable[..., Any],
    derivation: Derivation,
    *,
    dtype: DTypeLike = np.float64,
    examples: int = 200,
    max_score: float = DEFAULT_MAX_SCORE,
    rescalings: int | None = None,
    seed: int = 0,
) -> Audit:
    """Compare ``function`` and the derivation's NumPy code with the ball oracle on generated inputs.

    .. math:: |\\hat{y}_{ij} - y_{ij}| ≤ \\mathrm{bound}_{ij} \\quad \\text{for every entry of every input}

    ``function`` takes the derivation's inputs by position (``Q, K, V`` or ``X, W_Q, W_K, W_V, W_O``; per-head
    weights stacked, heads in front, unless the derivation is of a single head without output projection)
    and the mask of the derivation by name, with the polarity of its spec, if it has a parameter ``mask`` or
    ``attn_mask`` or takes any keyword (the scope says whether it was passed).  Arrays are handed over as copies:
    whether the function changes them, or answers differently on a second call, is not judged here.
    ``dtype`` is float32 or float64; scaled scores stay within ``max_score``; ``rescalings`` is how often
    the function may correct a partial result (default: once a key, as online softmax does).  The same
    seed gives the same inputs.

    Returns an audit of two claims, ``rounding`` for the function and ``derivation`` for the generated
    code: ``TESTED``, or ``REFUTED`` with the smallest input that was found.  The scope says how many
    inputs were tried, the evidence the largest error in units in the last place and as a fraction of
    the bound.  Raises ``TargetError`` if the function fails on every input, ``SpecError`` for options out of range.

    >>> from attn_verify import attention, derive
    >>> audit = crosscheck(attention, derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}), examples=20)
    >>> audit.status.name, audit["rounding"].scope["inputs"]
    ('TESTED', 23)
    """
    form = _format(dtype)
    _check_options(derivation, examples, max_score, rescalings, seed)
    mask_name = _mask_parameter(function, derivation)
    name = str(getattr(function, "__qualname__", type(function).__name__))
    corrections = derivation.sizes.keys if rescalings is None else rescalings
    cases = [
        _Case(
            Claim("rounding", f"every entry of {name} lies inside the rounding bound"),
            _call(function, derivation, mask_name), derivation, form, corrections, max_score, mask_name,
        ),
        _Case(
            Claim("derivation", "every entry of the derivation's NumPy code lies inside the rounding bound"),
            _generated(derivation), derivation, form, 0, max_score, "in the code",
        ),
    ]  # fmt: skip
    verdicts = tuple(_judge(case, examples, seed) for case in cases)
    return Audit({"target": name, "spec": derivation.spec.to_dict()}, verdicts, seed=seed)


def _format(dtype: DTypeLike) -> FloatFormat:
    try:
        form = FloatFormat.of(np.dtype(dtype))
    except (TypeError, ValueError):
        form = None
    if form is None or form.name not in ("float32", "float64"):
        raise SpecError(explain("crosscheck", f"got dtype = {dtype!r}", remedy="choose float32 or float64"))
    return form


def _check_options(derivation: Derivation, examples: int, max_score: float, rescalings: int | None, seed: int) -> None:
    whole = {"examples": (examples, 1, 10**7), "seed": (seed, 0, 2**64)}
    if rescalings is not None:
        whole["rescalings"] = (rescalings, 0, derivation.sizes.keys)
    for name, (value, low, high) in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SpecError(
                explain("crosscheck", f"got {name} = {show(value)}", remedy=f"a whole number, {low}…{high}")
            )
    if not isinstance(max_score, (int, float)) or not 0 < max_score <= MAX_SCORE:
        received = f"got max_score = {show(max_score)}"
        raise SpecError(explain("crosscheck", received, remedy=f"a number above 0 and at most {MAX_SCORE:g}"))


def _mask_parameter(function: Callable[..., Any], derivation: Derivation) -> str | None:
    """Return the name under which ``function`` takes a mask, ``None`` where none is to be passed."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    name = next((name for name in ("mask", "attn_mask") if name in parameters), None)
    if name is not None:
        required = parameters[name].default is inspect.Parameter.empty
        return name if required or derivation.masked else None
    any_keyword = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters.values())
    return "mask" if any_keyword and derivation.masked else None


def _call(function: Callable[..., Any], derivation: Derivation, mask_name: str | None) -> Reading:
    """Return ``function`` as a reading: copies of the inputs by position, the mask by name."""
    mask = np.array(derivation.allowed) == (derivation.spec.mask_true == "attends")
    single = derivation.sizes.heads == 1 and derivation.sizes.d_out is None

    def reading(inputs: Inputs) -> NDArray[Any]:
        arrays = [array[0].copy() if single and array.ndim == 3 else array.copy() for array in inputs.values()]
        return np.asarray(function(*arrays, **({mask_name: mask.copy()} if mask_name else {})))

    return reading


def _generated(derivation: Derivation) -> Reading:
    code = derivation.numpy()
    one_head = derivation.sizes.heads == 1

    def reading(inputs: Inputs) -> NDArray[Any]:
        return code(**{name: array[0] if one_head and array.ndim == 3 else array for name, array in inputs.items()})

    return reading


def _judge(case: _Case, examples: int, seed: int) -> Verdict:
    record = Record()
    scale = float(scale_of(case.derivation.spec, case.derivation.sizes).value)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(layer_inputs(case.derivation.sizes, dtype=case.form.name, max_score=case.max_score, scale=scale))
    def search(inputs: Inputs) -> None:
        failure = _compare(case, inputs, record)
        if failure is not None:
            # Hypothesis ends with the smallest input, which it runs last: that failure stays.
            record.failure = failure
            raise _OutsideError

    _try_ordinary(case, record, seed)
    stable = True
    try:
        search()
    except _OutsideError:
        pass
    except hypothesis.errors.Flaky:
        stable = False
    return _verdict(case, record, stable)


def _try_ordinary(case: _Case, record: Record, seed: int) -> None:
    """Run a few standard normal inputs first: a function that fails on each of them is no target."""
    generator = np.random.default_rng(seed)
    for _ in range(_ORDINARY):
        shapes = input_shapes(case.derivation.sizes)
        inputs = {name: generator.standard_normal(shape).astype(case.form.name) for name, shape in shapes.items()}
        record.failure = _compare(case, inputs, record) or record.failure
    if record.failed == _ORDINARY and record.failure is not None:
        cause = f"the function fails on every input: {record.failure['summary']}"
        remedy = f"it is called with {', '.join(shapes)} as arrays, by position"
        raise TargetError(explain(f"crosscheck: {case.claim.statement}", cause, remedy=remedy))


def _compare(case: _Case, inputs: Inputs, record: Record) -> dict[str, Any] | None:
    """Judge one input; return the evidence against the claim if there is any."""
    derivation = case.derivation
    record.inputs += 1
    shape = (derivation.sizes.n, derivation.output.shape[1])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = case.reading(inputs)
    except Exception as error:
        record.failed += 1
        return {
            "kind": "exception",
            "summary": shorten(f"{type(error).__name__}: {error}", 300),
            "inputs": _witness(inputs),
        }
    if result.shape != shape or result.dtype.kind != "f":
        record.failed += 1
        summary = f"returned {result.shape} of {result.dtype}, not {shape} of floats"
        return {"kind": "shape", "summary": summary, "inputs": _witness(inputs)}
    bound = layer_bound(
        inputs, derivation.sizes, derivation.spec, derivation.allowed, case.form, rescalings=case.rescalings
    )
    worst = None
    for seen in deviations(result, inputs, derivation, bound, case.form):
        record.entries += 1
        record.unbounded += seen.inside is None
        if seen.inside is False:
            worst = seen if worst is None or seen.fraction > worst.fraction else worst
        elif seen.inside:
            record.largest_ulp = max(record.largest_ulp, seen.error_ulp)
            record.largest_fraction = max(record.largest_fraction, seen.fraction)
    if worst is None:
        return None
    return {
        "kind": "counterexample",
        "summary": f"entry {list(worst.entry)} is off by {worst.fraction:.3g} bounds, {worst.error_ulp:.3g} ulp",
        "entry": list(worst.entry),
        "value": worst.value,
        "exact": worst.exact,
        "error_ulp": worst.error_ulp,
        "fraction_of_bound": worst.fraction,
        "inputs": _witness(inputs),
    }


def _witness(inputs: Inputs) -> dict[str, Any]:
    """Return input arrays in the exact form of counterexample files."""
    return {
        name: {"dtype": array.dtype.name, "shape": list(array.shape), "data": [float(x).hex() for x in array.ravel()]}
        for name, array in inputs.items()
    }


def _verdict(case: _Case, record: Record, stable: bool) -> Verdict:
    derivation = case.derivation
    open_rows = derivation.empty_rows if derivation.spec.empty_row == "any" else ()
    scope = {
        "sizes": derivation.sizes.to_dict(),
        "number_system": case.form.name,
        "inputs": record.inputs,
        "max_score": case.max_score,
        "rows_not_judged": [i + 1 for i in open_rows],
        "mask": case.mask_name or ("not passed" if derivation.masked else "none"),
    }
    kind = f"inner products in any order; exp within 4 ulp; at most {case.rescalings} rescalings of a partial result"
    assumptions = ({"kind": "implementation_class", "text": kind},)
    if not stable:
        summary = "the function answers differently when it is called again with the same input"
        evidence = {**(record.failure or {}), "kind": "flaky", "summary": summary}
        return Verdict(case.claim, Status.UNDECIDED, "ball oracle", scope, assumptions, evidence)
    if record.failure is not None:
        evidence = dict(record.failure)
        if scope["mask"] == "not passed":
            evidence["summary"] += "; the function has no parameter mask, so it did not get the derivation's mask"
        return Verdict(case.claim, Status.REFUTED, "ball oracle", scope, assumptions, evidence)
    largest = f"{record.largest_fraction:.3g} of the bound and {record.largest_ulp:.3g} ulp"
    evidence = {
        "kind": "rounding",
        "summary": f"at most {largest} in {record.entries} entries",
        "entries": record.entries,
        "largest_error_ulp": record.largest_ulp,
        "largest_fraction_of_bound": record.largest_fraction,
        "entries_without_bound": record.unbounded,
    }
    if record.unbounded == record.entries:
        evidence["summary"] = "no entry had a bound that says anything"
        return Verdict(case.claim, Status.UNDECIDED, "ball oracle", scope, assumptions, evidence)
    return Verdict(case.claim, Status.TESTED, "ball oracle", scope, assumptions, evidence)
