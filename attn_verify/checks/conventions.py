"""Which conventions a target follows: each is tried once in floats, on one harmless input."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.checks.formula import expected
from attn_verify.errors import AttnVerifyError
from attn_verify.shapes import Sizes
from attn_verify.targets import probe
from attn_verify.targets.aliases import aliased_cases, sharing
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes, masks, most_telling
from attn_verify.targets.layouts import MASKS, Convention
from attn_verify.targets.probe import Choice
from attn_verify.targets.returns import Selected
from attn_verify.targets.units import Case
from attn_verify.targets.variation import variations

# Far above what rounding does to a harmless input in float16, far below what a wrong arrangement does.
_NEAR = 0.05
# All lengths are alike in a case with at most so many queries.
_ALIKE = 4
# Of so many masks the one is chosen by which axes that are as long are told apart best.
_TRIED = 12
_IN_TURN = (
    "in turn the same for all elements of a batch, reflected, and with that of the first, of the others, of one between"
    " alike ones or of those after two alike ones open"
)
# Masks with at most so many pairs are written out.
_WRITTEN = 64
# Calls that are repeated one by one where their process ended, and those of them that may take for ever.
_REPEATED, _ENDLESS = 8, 2


def choose(runner: Any, binding: Binding, target: str, sizes: Mapping[str, int], *, seconds: float) -> Choice:
    """Run the target once in floats in every convention, and choose those to prove (see ``targets.probe``)."""

    def run(calls: list[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
        results: list[Mapping[str, Any]] = list(runner.run_many(calls, seconds=seconds))
        if len(calls) > 1 and all(r["outcome"] not in ("returned", "raised") for r in results):
            # One of them ended the process: each gets one of its own.
            endless = 0
            for number, call in enumerate(calls[:_REPEATED]):
                results[number] = runner.run(call, seconds=seconds)
                endless += results[number]["outcome"] == "timeout"
                if endless == _ENDLESS:
                    break
        return results

    def near(case: Case, found: list[Selected]) -> bool:
        values = {(item.name, item.index): float.fromhex(str(item.value)) for item in found}
        return _is_near(case, binding, values)

    return probe.choose(binding, run, target, near, sizes)


def _is_near(case: Case, binding: Binding, values: Mapping[Any, float]) -> bool:
    graph = Graph()
    wanted = expected(graph, case, binding.spec)
    if set(wanted) != set(values):
        return False
    point = {entry: Fraction(value) for entry, value in zip(case.inputs, case.point(), strict=True)}
    balls = BallValues(graph, point, bits=64)
    exact = {key: float(balls[node].mid()) for key, node in wanted.items() if not node.special}
    largest = max([1.0, *map(abs, exact.values())])
    return all(abs(values[key] - value) <= _NEAR * largest for key, value in exact.items())


def in_words(binding: Binding, convention: Convention) -> str:
    """Return a convention in words; where the mask could have other axes, with those that it has."""
    plain = binding.mask != "no" and convention.batched and convention.mask == "nm"
    alike = ", the same for all heads" if _joins_heads(binding, convention) else ""
    return f"{convention}; mask {MASKS['nm']}" if plain else f"{convention}{alike}"


def _joins_heads(binding: Binding, convention: Convention) -> bool:
    """Return whether a mask has an axis of heads that meet in an output projection: they are judged together."""
    return binding.mask != "no" and convention.mask == "bhnm" and not binding.masks_of_heads("bhnm")


def left_out(binding: Binding, conventions: Sequence[Convention]) -> list[str]:
    """Say which masks are not judged though the target takes them."""
    of_heads = [str(convention) for convention in conventions if _joins_heads(binding, convention)]
    return [f"{words}: masks that differ between heads, which meet in an output projection" for words in of_heads]


def plan_cases(
    binding: Binding, conventions: Sequence[Convention], sizes: Mapping[str, int], *, seed: int
) -> Iterator[tuple[Case, str]]:
    """Yield the cases of a proof, each with what is said of its mask.

    The first convention is proved at all sizes, the others at their first one.  A mask that is optional is
    left out once at each size.  Another shape of the mask is tried with masks that differ.  Where there are axes of
    batch and heads, all lengths are alike in one case more, and these are 1 in another.
    """
    seen: list[Convention] = []
    for number, convention in enumerate(conventions):
        chosen = default_sizes(binding, convention, sizes)
        known = convention.with_(mask="nm") in seen
        seen.append(convention.with_(mask="nm"))
        for at, case_sizes in enumerate(chosen if number == 0 else chosen[:1]):
            if binding.mask != "required" and not known:
                yield binding.case(case_sizes, None, convention), "none" if binding.mask == "no" else binding.unmasked
            if binding.mask == "no":
                continue
            tried, text = masks(case_sizes, binding.spec, seed)
            which = f"{in_words(binding, convention)}: " if len(conventions) > 1 else ""
            where = f"{which}n={case_sizes.n}, m={case_sizes.keys}"
            if known:
                # The same mask for all as well: where none differs, code may look at the first of its rows only.
                same = binding.case(case_sizes, most_telling(tried), convention)
                for case in [*_differing(binding, convention, case_sizes, tried), same]:
                    yield case, f"{where}: {shown(case)}"
                continue
            # In turn all elements of a batch have the same mask, and masks of their own.
            ways = (None, *variations(heads=binding.masks_of_heads(convention.mask)))
            text = text if convention.mask == "nm" else f"{text}, {_IN_TURN}"
            for nth, mask in enumerate(tried if number == 0 else tried[at : at + 2]):
                case = binding.case(case_sizes, mask, convention, vary=ways[(nth + at) % len(ways)])
                yield case, f"{where}: {text}" if number == 0 else f"{where}: {shown(case)}"
        small = sorted((row for row in chosen if row.n <= _ALIKE), key=lambda row: row.n > 1)
        if convention.batched and small:
            which = f"{in_words(binding, convention)}: " if len(conventions) > 1 else ""
            yield from _all_alike(binding, convention, small[-1], seed, which, known=known)
            yield from _alone(binding, convention, small[-1], seed, which, known=known)


def _differing(
    binding: Binding, convention: Convention, sizes: Sizes, tried: Sequence[Any], batch: Any = None
) -> list[Case]:
    """Return cases whose masks differ along the batch or the heads in every way, as far as there are any."""
    found: dict[Any, Case] = {}
    masks = itertools.cycle(tried)
    for way in variations(heads=binding.masks_of_heads(convention.mask)):
        for mask in itertools.islice(masks, len(tried)):
            case = binding.case(sizes, mask, convention, batch, vary=way)
            if len(set(case.each)) > 1 and case.each not in found:
                found[case.each] = case
                break
    return list(found.values())


def _changed(case: Case) -> int:
    """Return how many ways of exchanging axes of the masks, where these are alike, change them."""
    axes = case.batch if len(case.each) == math.prod(case.batch) else case.batch[:1]
    array = np.array(case.each, np.bool_)
    array = array.reshape(*(length for length in axes if length > 1), *array.shape[1:])
    turned = (array.transpose(order) for order in itertools.permutations(range(array.ndim)))
    return sum(other.shape == array.shape and not np.array_equal(other, array) for other in turned)


def _all_alike(
    binding: Binding, convention: Convention, sizes: Sizes, seed: int, which: str, *, known: bool
) -> Iterator[tuple[Case, str]]:
    """Yield cases in which the axes of batch and heads are as long as there are queries.

    A mask ``(n, m)`` could be one ``(b, m)`` there, and scores without a mask could be turned round: each shape of the
    mask has a case, and so has none.
    """
    n = sizes.n
    batch = (n, sizes.heads if sizes.heads > 1 else n) if convention.head_axis else (n,)
    if binding.mask != "required" and not known:
        yield binding.case(sizes, None, convention, batch), "none" if binding.mask == "no" else binding.unmasked
    if binding.mask == "no":
        return
    tried = masks(sizes, binding.spec, seed)[0]
    several = tried[:_TRIED] if convention.mask != "nm" else []
    differing = [case for mask in several for case in _differing(binding, convention, sizes, [mask], batch)]
    case = max(differing, key=_changed, default=None) or binding.case(sizes, most_telling(tried), convention, batch)
    yield case, f"{which}b = n = {n}: {shown(case)}"


def _alone(
    binding: Binding, convention: Convention, sizes: Sizes, seed: int, which: str, *, known: bool
) -> Iterator[tuple[Case, str]]:  # fmt: skip
    """Yield cases in which the axes of batch and heads have length 1, with a mask and without one."""
    h = sizes.heads if sizes.heads > 1 else 1
    batch = (1, h) if convention.head_axis else (1,)
    if binding.mask != "required" and not known:
        yield binding.case(sizes, None, convention, batch), "none" if binding.mask == "no" else binding.unmasked
    if binding.mask != "no":
        case = binding.case(sizes, most_telling(masks(sizes, binding.spec, seed)[0]), convention, batch)
        yield case, f"{which}b = 1: {shown(case)}"


def shown(case: Case) -> str:
    """Return the masks of a case row by row, those of the elements of a batch as they come, 1 for a pair allowed."""
    if case.sizes.n * case.sizes.keys > _WRITTEN:
        return "one mask more"
    masks = ["/".join("".join("01"[pair] for pair in row) for row in allowed) for allowed in case.each]
    return " and ".join(masks if len(set(masks)) > 1 and len(masks) <= _ALIKE else dict.fromkeys(masks))


def shared_cases(
    binding: Binding, conventions: Sequence[Convention], sizes: Mapping[str, int], *, seed: int
) -> Iterator[tuple[Case, str]]:
    """Yield tiny cases in which several parameters receive the same object, each with what is said of its mask."""
    for case in aliased_cases(binding, conventions[0], sizes, seed=seed):
        text = "" if binding.mask == "no" else binding.unmasked if case.mask is None else shown(case)
        yield case, f"{sharing(case)}: {text}" if text else ""


def by_turns(planned: Sequence[tuple[Case, str]]) -> list[tuple[Case, str]]:
    """Return the cases with sizes, batches and conventions taking turns, each in its own order."""
    groups: dict[Any, list[tuple[Case, str]]] = {}
    for case, text in planned:
        groups.setdefault((case.sizes, case.convention, case.batch), []).append((case, text))
    rounds = itertools.zip_longest(*groups.values())
    return [item for turn in rounds for item in turn if item is not None]


def smaller_cases(binding: Binding, case: Case) -> Iterator[Case]:
    """Yield cases of the same convention with fewer entries, the smallest first, for a simpler witness."""
    tiny = [
        {"n": n, "m": m, "d_k": d, "d_v": 1, "heads": h, "d_model": 1 if case.sizes.d_model else None}
        for n, m, d, h in itertools.product((1, 2), (1, 2, 3), (1, 2), range(1, case.sizes.heads + 1))
    ]
    found: list[Case] = []
    for row in tiny:
        given = {name: size for name, size in row.items() if size is not None}
        try:
            sizes = default_sizes(binding, case.convention, given)[0]
            tried = masks(sizes, binding.spec)[0] if case.mask is not None and binding.mask != "no" else [None]
            found += [binding.case(sizes, mask, case.convention) for mask in tried[:8]]
        except AttnVerifyError:
            continue
    yield from sorted((other for other in found if len(other.inputs) < len(case.inputs)), key=lambda c: len(c.inputs))
