"""The strategy for inputs of attention: every kind that wakes mistakes up, at given sizes, mask and float format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import ArrayLike, DTypeLike, NDArray

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.errors import SpecError, explain, show
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec
from attn_verify.strategies.frames import CLAIMS, Arrays, Frame
from attn_verify.strategies.kinds import Kind, kinds
from attn_verify.strategies.views import VIEWS, view

# Entries are rounded to multiples of one of these, or left as they are.
_GRIDS = (1.0, 0.25, 2.0**-6, 0.0)


def attention_inputs(
    sizes: Sizes | Mapping[str, int],
    *,
    spec: AttentionSpec | str | None = None,
    mask: ArrayLike | None = None,
    dtype: DTypeLike | str = "float64",
    claim: str | None = None,
    only: Iterable[str] | None = None,
    magnitudes: Iterable[float] = (),
    gradient: bool = False,
    batch: Sequence[int] = (),
    views: Sequence[str] = ("C",),
) -> st.SearchStrategy[dict[str, NDArray[Any]]]:
    """Return a strategy for the inputs of a layer by name, of the kinds that bring out mistakes.

    * ``sizes`` are those of the layer; the arrays have the shapes of :func:`.input_shapes`, with axes ``batch`` in
      front of all but the weights.
    * ``spec`` gives the scale and the causal mask, ``mask`` (n, m) is the mask that the layer gets, in the polarity of
      the spec: some kinds put large numbers where nobody looks.
    * ``dtype`` is float64, float32, float16 or bfloat16.
    * ``claim``: ``"rounding"`` for ordinary magnitudes, which do no harm to code that subtracts no maximum;
      ``"range"`` for extreme yet legal ones, scaled scores up to ±10⁵, everything within half of the largest number of
      the dtype; ``None`` for both.
    * ``only`` names the kinds to draw from, as :func:`.input_kinds` lists them.
    * ``magnitudes`` are numbers to try scores and entries near, such as constants in the code under test.
    * ``gradient`` adds the gradient from behind, ``dO``, or ``dY`` for a layer with an output projection.
    * ``views`` are memory layouts to draw from for each array: ``C``, ``F``, ``reversed``, ``strided``, ``offset``,
      ``readonly``, ``broadcast``.

    The numbers of an example come from a seed, so large arrays cost no more than small ones.  Examples shrink towards
    a single non-zero entry in each array, whole numbers, and the first of ``views``.  Raises ``SpecError`` for options
    that are out of range, and whatever ``Sizes`` and ``AttentionSpec`` raise.

    >>> from hypothesis import find
    >>> found = find(attention_inputs({"n": 1, "m": 2, "d_k": 1, "d_v": 1}), lambda inputs: (inputs["V"] > 0).any())
    >>> {name: array.ravel().tolist() for name, array in found.items()}
    {'Q': [3.0], 'K': [0.0, 2.0], 'V': [1.0, 0.0]}
    """
    sizes, spec = Sizes.of(sizes), AttentionSpec.of(spec)
    chosen = tuple(views)
    if not chosen or any(name not in VIEWS for name in chosen):
        raise SpecError(explain("attention_inputs", f"got views = {show(views)}", remedy=f"known: {', '.join(VIEWS)}"))
    if not all(isinstance(length, int) and length > 0 for length in batch):
        raise SpecError(explain("attention_inputs", f"got batch = {show(batch)}", remedy="give lengths ≥ 1"))
    frame = _frame(sizes, spec, mask, dtype, gradient, tuple(batch))
    table = input_kinds(frame, claim=claim, only=only, magnitudes=magnitudes)
    return _inputs(frame, tuple(table), chosen)


def input_kinds(
    frame: Frame, *, claim: str | None = None, only: Iterable[str] | None = None, magnitudes: Iterable[float] = ()
) -> list[Kind]:
    """Return the kinds that :func:`attention_inputs` draws from, the simplest first.

    >>> frame = Frame.of({"Q": (1, 2), "K": (2, 2), "V": (2, 1)}, sigma=1.0, dtype="float32")
    >>> [kind.name for kind in input_kinds(frame, claim="range", only=["ties", "scores near -104"])]
    ['scores near -104']
    """
    if claim is not None and claim not in CLAIMS:
        remedy = f"choose {' or '.join(CLAIMS)}, or None for both"
        raise SpecError(explain("attention_inputs", f"got claim = {show(claim)}", remedy=remedy))
    numbers = list(magnitudes)
    if not all(isinstance(x, (int, float)) for x in numbers):
        raise SpecError(explain("attention_inputs", f"got magnitudes = {show(numbers)}", remedy="give numbers"))
    found = kinds(frame, numbers)
    if only is not None:
        wanted = set(only)
        unknown = sorted(wanted - {kind.name for kind in found})
        if unknown or not wanted:
            known = ", ".join(kind.name for kind in found)
            received = f"got no kind {show(unknown[0])}" if unknown else "got an empty list of kinds"
            raise SpecError(explain("attention_inputs", received, remedy=f"known kinds: {known}"))
        found = [kind for kind in found if kind.name in wanted]
    left = [kind for kind in found if claim in (None, kind.claim)]
    if not left:
        remedy = f"{', '.join(kind.name for kind in found)} are for the claim {found[0].claim}"
        raise SpecError(explain("attention_inputs", f"got claim = {show(claim)} and only {show(only)}", remedy=remedy))
    return left


def _frame(
    sizes: Sizes,
    spec: AttentionSpec,
    mask: ArrayLike | None,
    dtype: DTypeLike | str,
    gradient: bool,
    batch: tuple[int, ...],
) -> Frame:
    shapes = input_shapes(sizes) | (upstream_shape(sizes) if gradient else {})
    shapes = {name: shape if name.startswith("W") else (*batch, *shape) for name, shape in shapes.items()}
    with precision():
        sigma = float(scale_value(spec.scale_node(), sizes, BALL).mid())
    return Frame.of(shapes, sigma=sigma, allowed=spec.allowed(sizes, mask), dtype=dtype)


@st.composite
def _inputs(draw: st.DrawFn, frame: Frame, table: tuple[Kind, ...], views: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    kind = draw(st.sampled_from(table), label="kind")
    # Drawn for every kind: shrinking goes from one kind to another only where both draw the same.
    grid = draw(st.sampled_from(_GRIDS), label="multiples of")
    arrays: Arrays | None = kind.make(frame, draw(st.integers(0, 2**32 - 1), label="seed"))
    assume(arrays is not None)
    assert arrays is not None
    if grid and kind.claim == "rounding":
        rounded = {name: np.round(a / grid) * grid if np.abs(a).max() >= grid else a for name, a in arrays.items()}
        # Rounding may have made an ordinary input a little too large.
        arrays = frame.fit(rounded, kind.claim) or arrays
    return {
        name: view(array.astype(frame.form.dtype), draw(st.sampled_from(views), label=f"view of {name}"))
        for name, array in arrays.items()
    }
