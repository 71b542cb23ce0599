"""Which sizes and masks are tried by default: few and tiny, yet each with a reason.

Sizes that coincide hide mistakes (a scale by the wrong axis, a transposed mask), and so do single queries and keys.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from attn_verify.errors import SizeError, TargetError, explain
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.layouts import WIDTHS, Convention

if TYPE_CHECKING:
    from attn_verify.targets.binding import Binding

Mask = tuple[tuple[bool, ...], ...]

# n, m, d_k, d_v: all different, then n > m with a square d_k, one query, one key, all equal, an odd number of keys.
_GIVEN = ((2, 4, 3, 5), (3, 2, 4, 1), (1, 3, 2, 3), (2, 1, 3, 2), (2, 2, 2, 2), (3, 5, 2, 1))
_GIVEN_BATCH = ((3, 4, 5, 1), (4, 3, 1, 5), (1, 3, 4, 1), (2, 2, 2, 2))
_GIVEN_HEAD_AXIS = ((1, 4, 5, 6), (5, 4, 1, 1), (4, 5, 1, 1), (2, 2, 2, 2))
# n, m, d_k, d_v, heads: the heads lie side by side in the columns
_GIVEN_MERGED = ((2, 4, 3, 1, 2), (3, 2, 2, 3, 1), (2, 3, 2, 1, 3), (2, 2, 2, 2, 2))

# n, m, d_model, d_k, d_v
_ONE_HEAD = ((3, 3, 2, 3, 1), (1, 1, 3, 2, 2), (2, 2, 3, 4, 3), (2, 2, 2, 2, 2))
_ONE_HEAD_CROSS = ((2, 3, 2, 3, 1), (3, 2, 3, 2, 2), (1, 3, 2, 2, 1), (2, 1, 2, 2, 1), (2, 2, 2, 2, 2))
# n, m, d_model, d_k, d_v, heads, d_out; first what most layers have: d_v = d_k, d_model = d_out = heads·d_k
_USUAL = (2, 2, 4, 2, 2, 2, 4)
_HEADS = ((3, 3, 3, 2, 1, 2, 1), (2, 2, 2, 2, 1, 3, 3), (1, 1, 2, 1, 2, 2, 1), (2, 2, 2, 3, 2, 1, 1), _USUAL)
_HEADS_BATCH = ((2, 2, 2, 3, 1, 2, 1), (3, 3, 2, 2, 1, 1, 1), (1, 1, 2, 2, 1, 3, 1), _USUAL)
_HEADS_CROSS = ((2, 3, 3, 2, 1, 2, 1), (3, 2, 2, 1, 2, 3, 1), (1, 3, 2, 2, 1, 1, 3), _USUAL)
# n, m, heads, d_k, where d_model, d_v and d_out follow
_TIED = ((3, 3, 2, 2), (2, 2, 1, 3), (1, 1, 3, 1), (2, 2, 3, 1))
_TIED_CROSS = ((2, 3, 2, 2), (3, 2, 1, 3), (1, 3, 3, 1), (2, 2, 2, 2))

# Every mask is tried while n·m is at most this.
EVERY_MASK = 6
_SINGLE = 12
_RANDOM = 6

# Exact values of so many scores, or inputs, take some gigabytes.
MAX_SCORES, MAX_INPUTS = 1 << 22, 1 << 24

_NAMES = ("n", "m", "d_k", "d_v", "d_model", "heads", "d_out")


def default_batch(layout: str, sizes: Sizes) -> tuple[int, ...]:
    """Return lengths of the axes of batch and heads: small, not 1, and if that is possible up to 4 like no other size.

    They are never alike: a mask ``(b, n, m)`` would go for one ``(h, n, m)``.

    >>> default_batch("bhnd", Sizes(n=1, m=4, d_k=5, d_v=6))
    (2, 3)
    """
    taken = {sizes.n, sizes.keys, sizes.d_k, sizes.heads} | ({sizes.d_v} if sizes.given_qkv else set())
    small = [length for length in range(2, 5) if length not in taken]
    rest = sorted((length for length in range(2, 5) if length not in small), key=lambda x: x == sizes.heads)
    free = iter([*small, *rest])
    if layout in ("bhnd", "bnhd"):
        b = next(free)
        return (b, sizes.heads if sizes.heads > 1 else next(free))
    return (next(free),) if layout == "bnd" else ()


def default_sizes(binding: Binding, convention: Convention, given: Mapping[str, int] | None = None) -> list[Sizes]:
    """Return the sizes to prove at; ``given`` sizes of the user replace those of every row.

    Sizes at which some query could attend to nothing (causal, aligned at the end, n > m) are left out.  Raises
    ``SizeError`` where nothing is left, with the reason.
    """
    chosen = {name: value for name, value in (given or {}).items() if value is not None}
    unknown = sorted(set(chosen) - set(_NAMES))
    if unknown:
        raise SizeError(explain("sizes", f"unknown: {', '.join(unknown)}", remedy=f"known sizes: {', '.join(_NAMES)}"))
    result: list[Sizes] = []
    problem: SizeError | None = None
    for row in _rows(binding, convention):
        merged = _tie(_follow(row, chosen, binding), chosen, convention)
        try:
            if binding.kind == "layer" and binding.keys_apart == "required":
                merged["apart"] = 1  # where m = n too
            sizes = check_sizes(binding, Sizes.of(merged), convention)
            check_extent(sizes, binding.title)
            if not all(any(line) for line in binding.spec.allowed(sizes)):
                received = f"got n = {sizes.n}, m = {sizes.keys} with causal = {binding.spec.causal}"
                remedy = "choose n ≤ m: the formula covers masks with at least one key a row"
                raise SizeError(explain(binding.title, received, "the first queries attend to nothing", remedy=remedy))
        except SizeError as error:
            problem = error
            continue
        if sizes not in result:
            result.append(sizes)
    if not result:
        assert problem is not None
        raise problem
    return result


def check_extent(sizes: Sizes, title: str) -> None:
    """Raise ``SizeError`` where the arrays do not fit into memory, before anything is built.

    >>> check_extent(Sizes(n=1024, m=1024, d_k=64, d_v=64), "prove")
    """
    scores = sizes.heads * sizes.n * sizes.keys
    inputs = sum(prod(shape) for shape in input_shapes(sizes).values())
    for count, limit, name in ((scores, MAX_SCORES, "scores"), (inputs, MAX_INPUTS, "entries of inputs")):
        if count > limit:
            received = f"got {', '.join(f'{key} = {size}' for key, size in sizes.items())}"
            cause = f"{count:,} {name} do not fit into memory; at most {limit:,} do"
            raise SizeError(
                explain(
                    title,
                    received,
                    cause,
                    remedy="give smaller sizes, or leave them out: a verdict is about the sizes that it names",
                )
            )


def _rows(binding: Binding, convention: Convention) -> list[dict[str, int]]:
    """Return the table of default sizes that suits the target."""
    cross, projected = binding.keys_apart, binding.plan.projected
    alone: Sequence[tuple[int, ...]]
    apart: Sequence[tuple[int, ...]]
    if binding.kind == "attention":
        if convention.head_axis:
            return [_named("n m d_k d_v", row) for row in _GIVEN_HEAD_AXIS]
        if binding.several_heads or projected:
            return [_named("n m d_k d_v heads", row) for row in _GIVEN_MERGED]
        return [_named("n m d_k d_v", row) for row in (_GIVEN_BATCH if convention.batched else _GIVEN)]
    names = "n m d_model d_k d_v"
    if convention.widths in ("equal", "d_model=h·d_k"):
        alone, apart, names = _TIED, _TIED_CROSS, "n m heads d_k"
    elif binding.several_heads or convention.weights in ("stacked", "list", "stacked_output", "fused", "linear"):
        alone, apart, names = _HEADS_BATCH if convention.batched else _HEADS, _HEADS_CROSS, f"{names} heads d_out"
    else:
        alone, apart = _ONE_HEAD[:2] if convention.batched else _ONE_HEAD, _ONE_HEAD_CROSS
    rows = [_named(names, row) for row in alone] if cross != "required" else []
    # Where X_KV may be left out, it is an input of its own in these, if n = m too.
    rows += [_named(names, row) | {"apart": 1} for row in {"required": apart, "optional": apart[1:], "no": ()}[cross]]
    for row in rows:
        if alone is _TIED:
            row |= {"d_v": row["d_k"] % 2 + 1, "d_model": row["heads"] * row["d_k"]}
        elif "heads" not in row:
            row |= {"heads": 1, "d_out": 1 + row["d_v"]}
    if not projected:
        rows = [{name: size for name, size in row.items() if name != "d_out"} for row in rows]
    return rows


def _named(names: str, row: Sequence[int]) -> dict[str, int]:
    return dict(zip(names.split(), row, strict=True))


def _follow(row: Mapping[str, int], chosen: Mapping[str, int], binding: Binding) -> dict[str, int]:
    """Put the user's sizes into a row; m follows n where keys come from X."""
    merged = {**row, **chosen}
    if binding.keys_apart == "no" and "m" not in chosen:
        merged["m"] = merged["n"]
    if binding.keys_apart == "no" and "m" in chosen and "n" not in chosen:
        merged["n"] = merged["m"]
    if "heads" in row and row["heads"] != merged["heads"] and "d_out" not in chosen and "d_out" in merged:
        merged["d_out"] = row["d_out"]
    return merged


def _tie(merged: dict[str, int], chosen: Mapping[str, int], convention: Convention) -> dict[str, int]:
    """Let the sizes that a convention ties together follow the ones that were given."""
    widths = convention.widths
    if widths in ("equal", "d_model=h·d_k"):
        heads = merged.get("heads", 1)
        if "d_k" not in chosen and "d_model" in chosen and chosen["d_model"] % heads == 0:
            merged["d_k"] = chosen["d_model"] // heads
        elif "d_k" not in chosen and "d_v" in chosen and widths == "equal":
            merged["d_k"] = chosen["d_v"]
        if "d_model" not in chosen:
            merged["d_model"] = heads * merged["d_k"]
    if widths in ("equal", "d_v=d_k"):
        if "d_v" not in chosen:
            merged["d_v"] = merged["d_k"]
        elif "d_k" not in chosen and widths == "d_v=d_k":
            merged["d_k"] = merged["d_v"]
    if widths in ("equal", "d_model=h·d_k", "d_out=d_model") and "d_out" not in chosen:
        merged.pop("d_out", None)
    return merged


def check_sizes(binding: Binding, sizes: Sizes, convention: Convention) -> Sizes:
    """Return ``sizes`` with d_out filled in, or raise ``SizeError`` where the target cannot have them."""
    for wrong, cause, remedy in _problems(binding, sizes, convention):
        if wrong:
            received = f"got {', '.join(f'{name} = {value}' for name, value in sizes.items())}"
            raise SizeError(explain(binding.title, received, cause, remedy=remedy))
    if binding.plan.projected and sizes.d_out is None:
        return sizes.with_(d_out=sizes.d_model or sizes.heads * sizes.d_v)
    return sizes


def _problems(binding: Binding, sizes: Sizes, convention: Convention) -> Iterator[tuple[bool, str, str]]:
    layer, projected = binding.kind == "layer", binding.plan.projected
    yield not layer and not sizes.given_qkv, "the target takes Q, K, V, so there is no d_model", "leave d_model out"
    yield layer and sizes.given_qkv, "the target takes embeddings, so there is a d_model", "give d_model"
    yield (
        binding.keys_apart == "no" and sizes.n != sizes.keys,
        "the target takes one X, so every query is a key: m = n",
        "leave m out",
    )
    yield (
        layer and binding.gradient and binding.keys_apart == "required" and not sizes.cross,
        "with m = n, X and X_KV are one input, and its gradient is not what either member returns",
        "choose m ≠ n",
    )
    yield (
        sizes.heads > 1 and not layer and not convention.head_axis and not (binding.several_heads or projected),
        f"in layout {convention.layout} the target takes one head",
        "leave heads out, or choose --layout bhnd",
    )
    yield (
        sizes.heads > 1 and convention.weights in ("matrix", "transposed"),
        "one matrix a projection, without a number of heads, is one head",
        "leave heads out, or name the parameter: --roles PARAMETER=heads",
    )
    widths = convention.widths
    tied = f"the target is called {WIDTHS[widths]}"
    yield widths in ("equal", "d_v=d_k") and sizes.d_v != sizes.d_k, tied, "choose d_v = d_k"
    yield (
        widths in ("equal", "d_model=h·d_k") and sizes.d_model != sizes.heads * sizes.d_k,
        tied,
        f"choose d_model = {sizes.heads * sizes.d_k}",
    )
    yield (
        widths == "d_out=d_model" and sizes.d_out not in (None, sizes.d_model),
        tied,
        f"choose d_out = {sizes.d_model}",
    )
    yield (
        not projected and sizes.d_out is not None and sizes.d_out != sizes.d_model,
        "the target has no W_O, so there is no d_out",
        "leave d_out out, or name the parameter: --roles PARAMETER=W_O",
    )


def masks(sizes: Sizes, spec: AttentionSpec, seed: int = 0) -> tuple[list[Mask], str]:
    """Return masks (n, m) without empty rows, in the polarity of the spec, and what they cover in words.

    Every one while n·m ≤ 6; beyond, all allowed, causal, one key a row, the first half of the keys masked, one masked
    entry at each place (or a sample of those places), and a seeded sample of the rest.  Raises ``TargetError`` where
    the causal mask of the spec already leaves a row empty.

    >>> masks(Sizes(n=1, m=2, d_k=1, d_v=1), AttentionSpec())[1]
    'all 3 masks that leave every query a key'
    """
    n, m = sizes.n, sizes.keys
    places = list(itertools.product(range(n), range(m)))
    if n * m <= EVERY_MASK:
        every = [_mask(n, m, bits) for bits in itertools.product((True, False), repeat=n * m)]
        kept = _kept(every, sizes, spec)
        return kept, f"all {len(kept)} masks that leave every query a key"
    generator = random.Random(f"masks {seed} {n} {m}")
    singles = places if len(places) <= _SINGLE else generator.sample(places, _SINGLE)
    half = max(1, m // 2)
    named = [
        _where(n, m, lambda i, j: True),
        _where(n, m, lambda i, j: j <= i + max(m - n, 0)),
        _where(n, m, lambda i, j: j == i % m),
        _where(n, m, lambda i, j: j >= half or m == 1),
        *(_where(n, m, lambda i, j, place=place: (i, j) != place) for place in singles),
    ]
    drawn = [_where(n, m, lambda i, j: generator.random() < 0.5) for _ in range(4 * _RANDOM)]
    certain = _kept(named, sizes, spec)
    rest = [mask for mask in _kept(drawn, sizes, spec) if mask not in certain][:_RANDOM]
    text = (
        f"{len(certain) + len(rest)} masks: all allowed, causal, one key a row, the first keys masked, one masked entry"
        f" at {'each place' if len(singles) == len(places) else f'{len(singles)} places'}, {len(rest)} at random"
        f" (seed {seed}); those that leave a query without a key are left out"
    )
    return certain + rest, text


def most_telling(tried: Sequence[Mask]) -> Mask:
    """Return the mask whose rows differ most, and which is another one when it is turned.

    >>> most_telling([((True, True), (True, True)), ((True, False), (False, True)), ((True, True), (False, True))])
    ((True, True), (False, True))
    """
    return max(tried, key=lambda mask: (len(set(mask)), mask != tuple(zip(*mask, strict=True))))


def _kept(found: Sequence[Mask], sizes: Sizes, spec: AttentionSpec) -> list[Mask]:
    """Return those that leave every query a key, once each, in the polarity of the spec."""
    turned = (tuple(tuple(entry == (spec.mask_true == "attends") for entry in row) for row in mask) for mask in found)
    kept = [mask for mask in dict.fromkeys(turned) if all(any(row) for row in spec.allowed(sizes, mask))]
    if not kept and found and not all(any(row) for row in spec.allowed(sizes)):
        received = f"got n = {sizes.n}, m = {sizes.keys} with causal = {spec.causal}"
        raise TargetError(explain("masks", received, "the first queries attend to nothing", remedy="choose n ≤ m"))
    return kept


def _mask(n: int, m: int, bits: Sequence[bool]) -> Mask:
    return tuple(tuple(bits[i * m : (i + 1) * m]) for i in range(n))


def _where(n: int, m: int, allowed: Any) -> Mask:
    return tuple(tuple(bool(allowed(i, j)) for j in range(m)) for i in range(n))
