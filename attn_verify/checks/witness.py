"""Judging what real code returned: every entry against the exact value and the widest bound.

The exact values come from the third reading of the formula in balls; those of gradients from the derivative of
that program by the chain rule, evaluated in balls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from attn_verify.arithmetic.attention import layer
from attn_verify.arithmetic.ball import BALL, Ball, precision
from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.graph.evaluation import ball_rules, evaluate
from attn_verify.arithmetic.graph.gradient import gradient
from attn_verify.arithmetic.number_system import Arithmetic, textbook_matmul
from attn_verify.checks.rounding import (
    FloatFormat,
    Inputs,
    Profile,
    all_bounds,
    distances,
    weights_bound,
    wide_gradient_bound,
)
from attn_verify.shapes import Sizes
from attn_verify.spec import Allowed, AttentionSpec

# Exact values are needed to far fewer digits than this, whatever ordinary inputs are.
_BITS = 256
# Digits of an exact value in a message and in a file.
_DIGITS = 24
# Stands for an exact value that the spec does not define.
OPEN = object()

_OUTPUTS = ("O", "Z", "Y", "P")
# Is told upper bounds of the distances of a result to what is exact (balls), and bounds by class of implementations.
Observer = Callable[[NDArray[np.float64], NDArray[np.object_], Mapping[str, NDArray[np.float64]]], None]
_SHARED = ("X", "X_KV", "W_O", "dY")


@dataclass(frozen=True)
class Unit:
    """One element of a batch, judged by itself: what it was given, and the conventions that it should follow."""

    inputs: Inputs
    sizes: Sizes
    spec: AttentionSpec
    allowed: Allowed


@dataclass(frozen=True)
class Deviation:
    """An entry that no correct implementation returns.

    ``name`` is the result (``O``, ``Y``, ``dQ`` …), ``entry`` its index from 1, ``exact`` the enclosure as text,
    ``fraction`` the error in bounds, ``error_ulp`` in units in the last place.  A result that is not a finite number
    has an infinite error.
    """

    name: str
    entry: tuple[int, ...]
    value: float
    exact: str
    error: float
    bound: float
    error_ulp: float

    @property
    def fraction(self) -> float:
        """The error in bounds."""
        return self.error / self.bound if self.bound > 0 else math.inf


def judge(
    results: Mapping[str, NDArray[Any]],
    unit: Unit,
    form: FloatFormat,
    *,
    stable: bool = False,
    observe: Observer | None = None,
) -> list[Deviation]:
    """Return the entries of ``results`` that lie outside the widest bound, the worst first.

    .. math:: |ŷ - y| > \\mathrm{bound}

    ``results`` maps ``O``, ``Z`` or ``Y`` (n, columns), ``P`` (h, n, m), or names of gradients in the shapes of their
    inputs, to float arrays.  Entries that the spec leaves open are not judged.  With ``stable`` every shift must be
    that of the row's own maximum, as large scores need it.  ``observe`` sees what is compared of
    the result.  Raises ``ValueError`` for another name or shape.

    >>> one = np.ones((1, 1, 1))
    >>> unit = Unit({"Q": one, "K": one, "V": one}, Sizes(n=1, d_k=1, d_v=1), AttentionSpec(), ((True,),))
    >>> [d.entry for d in judge({"O": np.array([[1.5]])}, unit, FloatFormat.of("float64"))]
    [(1, 1)]
    >>> judge({"O": np.array([[1.0]])}, unit, FloatFormat.of("float64"))
    []
    """
    limits: dict[str, NDArray[np.float64]] = {}
    exact: dict[str, NDArray[np.object_]] = {}
    classes: dict[str, NDArray[np.float64]] = {}
    if any(name in _OUTPUTS for name in results):
        exact = exact_outputs(unit)
        classes = result_bounds(unit, form, stable=stable)
        limits = dict.fromkeys(("O", "Z", "Y"), classes["coarse"])
        if "P" in results:
            profile = Profile.exact_inputs(form)
            limits["P"] = weights_bound(unit.inputs, unit.sizes, unit.spec, unit.allowed, profile, stable=stable)
    if any(name not in _OUTPUTS for name in results):
        exact |= exact_gradients(unit)
        limits |= wide_gradient_bound(unit.inputs, unit.sizes, unit.spec, form)
    found: list[Deviation] = []
    for name, array in results.items():
        if name not in exact or exact[name].shape != np.shape(array):
            raise ValueError(f"no result {name} of shape {np.shape(array)} is known here")
        far = distances(array, exact[name])
        if observe is not None and name in ("O", "Z", "Y"):
            observe(far, exact[name], classes)
        found += judge_entries(name, np.asarray(array), exact[name], limits[name], form, far)
    return sorted(found, key=lambda seen: (-seen.fraction, seen.name, seen.entry))


def result_bounds(unit: Unit, form: FloatFormat, *, stable: bool = False) -> dict[str, NDArray[np.float64]]:
    """Return the bounds of every entry of the result, shape (n, columns), by class of implementations."""
    found = all_bounds(
        unit.inputs, unit.sizes, unit.spec, unit.allowed, (Profile.exact_inputs(form),),
        rescalings=unit.sizes.keys, stable=stable,
    )  # fmt: skip
    return {kind: bound[0] for kind, bound in found.items()}


def deviation(
    name: str, index: tuple[int, ...], value: float, exact: Ball | None, bound: float, form: FloatFormat
) -> Deviation:
    """Return how far ``value`` is from ``exact`` (``None``: the spec asks for NaN)."""
    entry = tuple(i + 1 for i in index)
    if exact is None:
        error = 0.0 if math.isnan(value) else math.inf
        return Deviation(name, entry, value, "nan", error, bound, error)
    text = exact.str(_DIGITS)
    if not math.isfinite(value):
        return Deviation(name, entry, value, text, math.inf, bound, math.inf)
    error = error_of(value, exact)
    return Deviation(name, entry, value, text, error, bound, error / unit_in_last_place(exact, form))


def unit_in_last_place(exact: Ball, form: FloatFormat) -> float:
    """Return the spacing of the format's numbers around an exact value."""
    epsilon = 2 * form.unit_roundoff
    return max(math.ldexp(epsilon, math.frexp(float(exact.mid()))[1] - 1), form.tiny * epsilon)


def judge_entries(
    name: str, array: NDArray[Any], exact: NDArray[np.object_], bound: NDArray[np.float64], form: FloatFormat,
    far: NDArray[np.float64] | None = None,
) -> Iterator[Deviation]:  # fmt: skip
    """Yield the entries of an array that lie outside their bounds; ``exact`` holds balls, None for NaN, or ``OPEN``.

    ``far`` are the :func:`~attn_verify.checks.rounding.distances`, where they are known: what is certainly inside
    needs no second look.
    """
    upper = distances(array, exact) if far is None else far
    for index in zip(*np.nonzero(~(upper <= bound)), strict=True):
        ball: Any = exact[index]
        if ball is OPEN:
            continue
        at = tuple(int(i) for i in index)
        seen = deviation(name, at, float(array[index]), ball, float(bound[index]), form)
        if seen.error > seen.bound or (math.isinf(seen.error) and not math.isinf(seen.bound)):
            yield seen


def error_of(value: float, exact: Ball) -> float:
    """Return the smallest distance of a float to what the ball encloses, infinite for what is no finite number."""
    if not math.isfinite(value):
        return math.inf
    with precision(_BITS):
        return max(0.0, float(abs(flint.arb(value) - exact).lower()))


def exact_outputs(unit: Unit) -> dict[str, NDArray[np.object_]]:
    """Return balls around the result, under each of its names, and around the weights P (h, n, m)."""
    with precision(_BITS):
        balls = {name: _matrices(name, array) for name, array in unit.inputs.items() if name not in ("dO", "dY")}
        found = layer(balls, unit.sizes, unit.spec, unit.allowed, BALL)
    open_rows = unit.spec.empty_row == "any"
    output = _flat(found.output(), open_rows)
    shape = (unit.sizes.n, len(output) // unit.sizes.n)
    weights = [entry for head in found.heads for entry in _flat(head.P, open_rows)]
    P = _filled(weights, (unit.sizes.heads, unit.sizes.n, unit.sizes.keys))
    return {**dict.fromkeys(("O", "Z", "Y"), _filled(output, shape)), "P": P}


def _matrices(name: str, array: NDArray[Any]) -> list[list[list[Ball]]]:
    matrices = array[None] if name in _SHARED else array
    return [[[flint.arb(x) for x in row] for row in matrix] for matrix in np.asarray(matrices, np.float64).tolist()]


def _flat(rows: Any, open_rows: bool) -> list[Any]:
    return [OPEN if entry is None and open_rows else entry for row in rows for entry in row]


def exact_gradients(unit: Unit) -> dict[str, NDArray[np.object_]]:
    """Return balls around every gradient of ``Σ dO·O`` (or ``Σ dY·Y``) by name.

    .. math:: dA = \\sum_{ij} dY_{ij} \\, ∂Y_{ij}/∂A

    ``unit.inputs`` holds dO (h, n, d_v) or dY (n, d_out).  With rows that may attend to nothing no gradient is defined.
    """
    graph, nodes = _program(unit.sizes, unit.spec, unit.allowed)
    point = {}
    for name, index in graph.inputs():
        point[name, index] = Fraction(float(unit.inputs[name][index]))
    roots = [node for array in nodes.values() for node in array.ravel() if node is not OPEN]
    with precision(_BITS):
        values = evaluate(graph, roots, ball_rules(point))
    found = {}
    for name, array in nodes.items():
        flat = [OPEN if node is OPEN else values[node.index] for node in array.ravel()]
        found[name] = _filled(flat, array.shape)
    return found


@lru_cache(maxsize=16)
def _program(sizes: Sizes, spec: AttentionSpec, allowed: Allowed) -> tuple[Graph, dict[str, NDArray[np.object_]]]:
    """Return the program of all gradients; its inputs are named as those of the layer."""
    from attn_verify.shapes import input_shapes

    graph = Graph()
    shapes = input_shapes(sizes)
    inputs = {name: _inputs(graph, name, shape) for name, shape in shapes.items()}
    arithmetic = Arithmetic("program", graph.number, graph.sqrt, graph.exp, textbook_matmul)
    matrices = {name: [array.tolist()] if name in _SHARED else array.tolist() for name, array in inputs.items()}
    rows = layer(matrices, sizes, spec, allowed, arithmetic).output()
    if sizes.d_out is None:
        dO = _inputs(graph, "dO", (sizes.heads, sizes.n, sizes.d_v))
        seeds = np.moveaxis(dO, 0, 1).reshape(sizes.n, -1)
    else:
        seeds = _inputs(graph, "dY", (sizes.n, sizes.d_out))
    if any(entry is None for row in rows for entry in row):
        return graph, {f"d{name}": _filled([OPEN] * array.size, array.shape) for name, array in inputs.items()}
    wrt = [node for array in inputs.values() for node in array.ravel()]
    outputs = [entry for row in rows for entry in row if entry is not None]
    derivatives = gradient(graph, outputs, list(seeds.ravel()), wrt)
    result, at = {}, 0
    for name, array in inputs.items():
        result[f"d{name}"] = _filled(derivatives[at : at + array.size], array.shape)
        at += array.size
    return graph, result


def _inputs(graph: Graph, name: str, shape: tuple[int, ...]) -> NDArray[np.object_]:
    nodes: list[Node] = [graph.input(name, index) for index in np.ndindex(shape)]
    return _filled(nodes, shape)


def _filled(flat: list[Any], shape: tuple[int, ...]) -> NDArray[np.object_]:
    """Return an object array of exactly ``shape``, whatever its members look like to NumPy."""
    array = np.empty(len(flat), dtype=object)
    for at, value in enumerate(flat):
        array[at] = value
    return array.reshape(shape)
