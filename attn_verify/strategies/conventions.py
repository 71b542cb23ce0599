"""Strategies for conventions, sizes and masks of attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from attn_verify.errors import SizeError, SpecError, explain, show
from attn_verify.shapes import MAX_SIZE, Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.strategies.mask_patterns import in_polarity, mended, patterns, possible_pairs

# Scales that real layers use, and one that no float is.
_SCALES = ("1 / sqrt(d_k)", "1", "1 / d_k", "1 / 8", "sqrt(d_k)", "1 / sqrt(d_v)", "2 / 3")

# Just beyond these numbers of queries or keys, code that works in blocks starts another block.
NEAR = (8, 16, 32, 64, 128, 256)

_LARGE = 64


def attention_specs(**given: Any) -> st.SearchStrategy[AttentionSpec]:
    """Return a strategy for :class:`.AttentionSpec`: every field of it is drawn unless ``given``.

    A given field is a value or a strategy for values.  Fields with a closed list of values are drawn from it, ``scale``
    from expressions that layers use; any other field stays at its default.  Examples shrink towards the defaults of
    all fields, which are the paper's.  Raises ``SpecError`` for an unknown field or value.

    >>> from hypothesis import find
    >>> find(attention_specs(), lambda spec: spec.mask_true == "masked")
    AttentionSpec(mask_true='masked')
    >>> find(attention_specs(causal="upper_left", empty_row=st.just("nan")), lambda spec: True)
    AttentionSpec(causal='upper_left', empty_row='nan')
    """
    AttentionSpec.of({name: value for name, value in given.items() if not isinstance(value, st.SearchStrategy)})
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for item in fields(AttentionSpec):
        values = item.metadata["values"]
        if item.name in given:
            value = given.pop(item.name)
            drawn[item.name] = value if isinstance(value, st.SearchStrategy) else st.just(value)
        elif item.name == "scale":
            drawn[item.name] = st.sampled_from(_SCALES)
        elif len(values) > 1:
            drawn[item.name] = st.sampled_from(values)
    if given:
        AttentionSpec.of(dict.fromkeys(given, ""))  # names the unknown field
    return st.builds(AttentionSpec, **drawn)


def attention_sizes(
    *,
    min_side: int = 1,
    max_side: int = 8,
    max_heads: int = 1,
    embeddings: bool | None = False,
    projected: bool = False,
    near: Sequence[int] = NEAR,
    **given: int,
) -> st.SearchStrategy[Sizes]:
    """Return a strategy for :class:`.Sizes`, the sizes of a layer.

    * ``min_side`` and ``max_side`` bound every size except the number of heads.
    * ``max_heads`` bounds the number of heads, which starts at 1.
    * ``embeddings`` says whether the layer starts from embeddings ``X`` and projections; ``None`` draws that, too.
      Such layers are self-attention in one half of the examples, and have keys of their own in the other.
    * ``projected`` adds an output projection ``W_O`` of drawn width ``d_out``.
    * ``near`` are block sizes: where ``max_side`` permits, numbers just below, at and above them are drawn more often.
    * Any size can be given by name, as in ``attention_sizes(n=1, d_k=64)``, whatever the bounds.

    All sizes coincide in some examples and differ in most.  Examples shrink towards sizes of ``min_side``, one head,
    and no embeddings.  Raises ``SizeError`` for bounds and sizes that are none.

    >>> from hypothesis import find
    >>> find(attention_sizes(), lambda sizes: sizes.n > 2)
    Sizes(n=3, m=1, d_k=1, d_v=1, heads=1)
    >>> find(attention_sizes(embeddings=True, d_model=4), lambda sizes: sizes.cross)
    Sizes(n=1, m=1, d_k=1, d_v=1, heads=1, d_model=4, apart=1)
    """
    _check_whole("min_side", min_side, 1, MAX_SIZE)
    _check_whole("max_side", max_side, min_side, MAX_SIZE)
    _check_whole("max_heads", max_heads, 1, MAX_SIZE)
    for name, choice in (("embeddings", embeddings), ("projected", projected)):
        if not isinstance(choice, bool) and not (name == "embeddings" and choice is None):
            raise SizeError(explain("attention_sizes", f"got {name} = {show(choice)}", remedy="give True or False"))
    unknown = sorted(set(given) - set(Sizes.names()))
    if unknown:
        remedy = f"known sizes: {', '.join(Sizes.names())}; options: min_side, max_side, max_heads, embeddings, near"
        raise SizeError(explain("attention_sizes", f"got {unknown[0]} = {show(given[unknown[0]])}", remedy=remedy))
    for name, value in given.items():
        _check_whole(name, value, 1, MAX_SIZE)
    edges = sorted({size + step for size in near for step in (-1, 0, 1) if min_side <= size + step <= max_side})
    side = st.integers(min_side, max_side)
    if edges:
        side = side | st.sampled_from(edges)
    return _sizes(side, max_heads, embeddings, projected, dict(given))


@st.composite
def _sizes(
    draw: st.DrawFn,
    side: st.SearchStrategy[int],
    max_heads: int,
    embeddings: bool | None,
    projected: bool,
    given: dict[str, int],
) -> Sizes:
    drawn: dict[str, Any] = dict(given)

    def size(name: str) -> None:
        if name not in drawn:
            drawn[name] = draw(side, label=name)

    layer = "d_model" in given or (draw(st.booleans(), label="embeddings") if embeddings is None else embeddings)
    if layer:
        size("d_model")
    apart = not layer or "m" in given or draw(st.booleans(), label="keys of their own")
    size("n")
    if apart:
        size("m")
        if layer:
            drawn["apart"] = 1
    for name in ("d_k", "d_v"):
        size(name)
    if draw(st.integers(0, 15), label="equal sizes") == 15:
        drawn |= {name: drawn["n"] for name in ("m", "d_k", "d_v") if name not in given}
    if "heads" not in drawn:
        drawn["heads"] = draw(st.integers(1, max_heads), label="heads")
    if projected:
        size("d_out")
    return Sizes.of(drawn)


def attention_masks(
    sizes: Sizes, spec: AttentionSpec | str | None = None, *, empty_rows: bool = False
) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Return a strategy for boolean masks (n, m) with the polarity of ``spec``.

    Masks have a structure (causal, one key a row, a first block entirely masked, a band, …) or are random.  Together
    with the causal mask of the spec they leave every query a key, unless ``empty_rows`` is true: then some leave the
    first, the last, or any row empty.  Examples shrink towards a mask that allows everything.  Raises ``SpecError``
    where the spec itself leaves a query without keys and ``empty_rows`` is false.

    >>> from hypothesis import find
    >>> sizes = Sizes(n=2, m=3, d_k=1, d_v=1)
    >>> find(attention_masks(sizes), lambda mask: not mask.all()).astype(int).tolist()
    [[1, 1, 0], [1, 1, 1]]
    >>> find(attention_masks(sizes, "mask_true=masked"), lambda mask: True).any()
    np.False_
    """
    sizes, spec = Sizes.of(sizes), AttentionSpec.of(spec)
    if not isinstance(empty_rows, bool):
        raise SpecError(explain("attention_masks", f"got empty_rows = {show(empty_rows)}", remedy="True or False"))
    possible = possible_pairs(sizes, spec)
    if not empty_rows and not possible.any(axis=1).all():
        received = f"got n = {sizes.n}, m = {sizes.keys} with causal = {spec.causal}"
        remedy = "choose n ≤ m, or allow empty_rows"
        raise SpecError(explain("attention_masks", received, "the first queries attend to nothing", remedy=remedy))
    return _masks(sizes, spec, possible, empty_rows)


@st.composite
def _masks(
    draw: st.DrawFn, sizes: Sizes, spec: AttentionSpec, possible: NDArray[np.bool_], empty_rows: bool
) -> NDArray[np.bool_]:
    n, m = sizes.n, sizes.keys
    named = dict(patterns(n, m))
    name = draw(st.sampled_from([*named, "random"]), label="pattern")
    if name != "random":
        pairs = named[name].copy()
    elif n * m <= _LARGE:
        bits = draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m), label="masked")
        pairs = ~np.array(bits, np.bool_).reshape(n, m)
    else:
        share = draw(st.sampled_from((0.5, 0.1, 0.9)), label="masked share")
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
        pairs = random.random((n, m)) >= share
    if not empty_rows:
        pairs = mended(pairs, possible)
    else:
        empty = draw(st.sets(st.sampled_from((0, n - 1, n // 2)) | st.integers(0, n - 1)), label="empty rows")
        pairs[sorted(empty)] = False
    return in_polarity(pairs, spec)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        received = f"got {name} = {show(value)} ({type(value).__name__})"
        raise SizeError(explain("attention_sizes", received, remedy=f"a whole number, {low}…{high}"))
