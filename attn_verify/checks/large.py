"""Proofs at sizes where single entries are too many: whole arrays, the given sizes only, few masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from attn_verify.checks.agreement import narrowest_run
from attn_verify.checks.conventions import choose, in_words, left_out, smaller_cases
from attn_verify.checks.large_case import decide_whole
from attn_verify.checks.large_floats import Try, check_try, tries
from attn_verify.checks.large_whole import Whole
from attn_verify.checks.outcome import Outcome, check_plain
from attn_verify.checks.proof_report import Proof
from attn_verify.checks.search import search
from attn_verify.checks.verdict import Status
from attn_verify.errors import AttnVerifyError, SizeError
from attn_verify.shapes import Sizes
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.layouts import Convention
from attn_verify.targets.units import Case
from attn_verify.targets.variation import variations

# From so many multiplications of the formula, or terms of its scores, on, entries are not traced one by one.
LIMIT, TERMS = 20_000, 100_000
# Other layouts, and axes of batch and heads longer than 1, are tried while they cost at most so many.
_CHEAP = 20_000_000
# Seconds of the search for a counterexample at smaller sizes, and of each of its parts.
_SEARCH, _PART = 10.0, 3.0

# How the masks of the elements of a batch differ, by turns.
_WAYS = variations(heads=False)

Mask = tuple[tuple[bool, ...], ...]


def work(sizes: Sizes) -> int:
    """Return how many multiplications one layer takes.

    >>> work(Sizes(n=2, m=4, d_k=3, d_v=5))
    64
    """
    n, m, h = sizes.n, sizes.keys, sizes.heads
    count = h * n * m * (sizes.d_k + sizes.d_v)
    if sizes.d_model is not None:
        count += h * sizes.d_model * (n * sizes.d_k + m * (sizes.d_k + sizes.d_v))
    return count + (0 if sizes.d_out is None else n * h * sizes.d_v * sizes.d_out)


def too_large(sizes: Sizes) -> bool:
    """Return whether a layer has too many multiplications, or scores of too many terms, to be traced entry by entry.

    >>> too_large(Sizes(n=8, d_model=8, heads=2, d_k=2, d_v=2)), too_large(Sizes(n=32, d_model=48, d_k=2, d_v=2))
    (False, True)
    """
    terms = sizes.heads * sizes.n * sizes.keys * sizes.d_k * (sizes.d_model or 1) ** 2
    return work(sizes) > LIMIT or terms > TERMS


def completed(binding: Binding, given: Mapping[str, int]) -> dict[str, int]:
    """Return the given sizes with those that follow by custom: d_k = d_v = d_model / heads, d_out = d_model."""
    sizes = dict(given)
    d_model, heads = sizes.get("d_model"), sizes.get("heads", 1)
    if d_model is not None and d_model % heads == 0:
        sizes.setdefault("d_k", d_model // heads)
        sizes.setdefault("d_v", sizes["d_k"])
        if binding.plan.projected:
            sizes.setdefault("d_out", d_model)
    return sizes


def is_large(binding: Binding, given: Mapping[str, int]) -> bool:
    """Return whether the given sizes ask for more than can be traced entry by entry."""
    for convention in binding.candidates(given):
        sizes = _sizes(binding, convention, given)
        if sizes is not None:
            return too_large(sizes)
    return False


def _sizes(binding: Binding, convention: Convention, given: Mapping[str, int]) -> Sizes | None:
    """Return the largest sizes to prove at, completed by custom where that is large; ``None`` if there are none."""
    best: Sizes | None = None
    for sizes in (completed(binding, given), given):
        try:
            best = max(default_sizes(binding, convention, sizes), key=work)
        except SizeError:
            continue
        if too_large(best):
            return best
    return best


def prove_large(
    proof: Proof, binding: Binding, runner: Any, given: Mapping[str, int],
    *, seed: int, seconds: float, progress: Callable[[str], None],
) -> Proof:  # fmt: skip
    """Compare a target with the formula on whole arrays, without a mask and with four; look for a witness in doubt.

    Conventions are found out at small sizes.
    """
    small = {"heads": 2} if given.get("heads", 1) > 1 else {}
    chosen = choose(runner, binding, proof.target, small, seconds=seconds)
    proof.refused = [f"{in_words(binding, convention)}: {why}" for convention, why in chosen.refused]
    proof.refused += left_out(binding, chosen.accepted)
    planned = list(_planned(proof, binding, chosen.accepted, given))
    if not planned:
        default_sizes(binding, chosen.accepted[0], completed(binding, given))  # raises and says why
    calls, wholes, further = list[Any](), list[Whole](), list[Try]()
    for number, (sizes, convention) in enumerate(planned):
        proof.conventions.append(in_words(binding, convention))
        tried = list(_masks(binding, sizes, seed))
        # The other layouts are compared twice: as the first one, and with a mask that nothing but numbers describes.
        for at, (mask, text) in enumerate(tried if number == 0 else tried[:: max(len(tried) - 1, 1)]):
            progress(f"comparing at {', '.join(f'{name}={value}' for name, value in sizes.items())}, {text} …")
            way = _WAYS[at % len(_WAYS)]
            case, shapes = binding.whole_case(sizes, mask, convention, _batch(convention, sizes), vary=way)
            if binding.mask != "no" and len(planned) > 1:
                text = f"{in_words(binding, convention)}: {text}"
            if mask is not None and convention.mask != "nm":
                text = f"{text}, {way.words}"
            whole = Whole(case, shapes, binding.plan.projected)
            outcome = _decide(whole, binding, proof.target, runner, seed=seed, seconds=seconds)
            proof.outcomes.append(outcome)
            proof.masks.append(text)
            calls.append(whole.call(proof.target, whole.point(seed)))
            wholes.append(whole)
            if outcome.status is Status.UNDECIDED:
                progress("looking for a counterexample …")
                proof.counterexample = _witness(proof, binding, outcome, runner, seed=seed, seconds=seconds)
                return proof
        # At each choice of sizes and layout with the last mask, one that nothing but numbers describes.
        further += tries(outcome, whole, binding.spec, seed)
    results = runner.plain([*calls, *(trial.call(proof.target) for trial in further)], seconds=seconds)
    for outcome, each, result in zip(proof.outcomes, wholes, results, strict=False):
        check_plain(outcome, result, each.floats)
    for trial, result in zip(further, results[len(calls) :], strict=True):
        check_try(trial, proof.spec, result)
    return proof


def _planned(
    proof: Proof, binding: Binding, accepted: Sequence[Convention], given: Mapping[str, int]
) -> Iterator[tuple[Sizes, Convention]]:
    """Yield the first convention that can have the sizes, and others while they are cheap.

    Of the shapes of a mask the last one, which has the most axes.
    """
    several, fullest = False, {convention.layout: convention for convention in accepted}
    for convention in accepted:
        sizes, words = _sizes(binding, convention, given), in_words(binding, convention)
        if sizes is None:
            proof.refused.append(f"{words}: cannot have these sizes")
        elif convention != fullest[convention.layout]:
            proof.refused.append(f"{words}: left out at these sizes, where one shape of the mask takes long")
        elif several and 8 * work(sizes) > _CHEAP:
            proof.refused.append(f"{words}: left out at these sizes, where one layout takes long")
        else:
            several = True
            yield sizes, convention


def _batch(convention: Convention, sizes: Sizes) -> tuple[int, ...]:
    """Return the lengths of the axes of batch and heads: longer than 1 where that is cheap."""
    more = 2 if 8 * work(sizes) <= _CHEAP else 1
    if convention.head_axis:
        return (more, sizes.heads if sizes.heads > 1 else more + (more > 1))
    return (more,) if convention.batched else ()


def _decide(
    whole: Whole, binding: Binding, target: str, runner: Any, *, seed: int, seconds: float
) -> Outcome:  # fmt: skip
    if not binding.gradient:
        return decide_whole(whole, binding.spec, target, runner, seed=seed, seconds=seconds)
    outcome = Outcome(whole.case)
    outcome.doubt("gradients are not compared on whole arrays", "leave sizes out: small ones are decided exactly")
    return outcome


def _masks(binding: Binding, sizes: Sizes, seed: int) -> Iterator[tuple[Mask | None, str]]:
    """Yield no mask where one may be left out, and four masks: causal, one masked entry, random and its complement.

    Every entry is closed in a random mask or in the other one, unless its query were left without a key.
    """
    if binding.mask != "required":
        yield None, "none" if binding.mask == "no" else binding.unmasked
    if binding.mask == "no":
        return
    n, m = sizes.n, sizes.keys
    generator = np.random.default_rng([seed, n, m])
    # Keys that each query sees in any case: of what the spec hides itself, a mask can say nothing.
    shown = np.array(binding.spec.allowed(sizes), np.bool_)
    keys = [np.flatnonzero(row) for row in shown]
    drawn = generator.random((n, m)) < 0.5
    one, other = np.ones((n, m), np.bool_), ~drawn
    for i, seen in enumerate(keys):
        for opened in (drawn, other):
            if len(seen) and not opened[i, seen].any():
                opened[i, generator.choice(seen)] = True
    several = [i for i, seen in enumerate(keys) if len(seen) > 1]
    if several:
        i = generator.choice(several)
        one[i, generator.choice(keys[i])] = False
    tried = {"a causal mask": np.tril(np.ones((n, m), np.bool_), max(m - n, 0)), "a mask with one entry masked": one,
             "a random mask": drawn, "the complement of the random mask": other}  # fmt: skip
    for text, opened in tried.items():
        mask = tuple(tuple(row) for row in (opened == (binding.spec.mask_true == "attends")).tolist())
        if all(any(row) for row in binding.spec.allowed(sizes, mask)):
            yield mask, f"{text} (seed {seed})" if "causal" not in text else text


def _witness(proof: Proof, binding: Binding, outcome: Outcome, runner: Any, *, seed: int, seconds: float) -> Any:
    """Search at sizes where floats can be judged entry by entry: small ones, then those with one size as given.

    Where whole arrays agree with the formula there is nothing to be found.
    """
    end = time.monotonic() + _SEARCH
    for sizes, mask, convention in _smaller(binding, outcome.case, seed):
        if time.monotonic() > end:
            return None
        case, shapes = binding.whole_case(sizes, mask, convention)
        whole = Whole(case, shapes, binding.plan.projected)
        if _decide(whole, binding, proof.target, runner, seed=seed, seconds=seconds).status is Status.PROBABLE:
            continue
        found = search(
            runner, proof.target, binding.case(sizes, mask, convention), proof.spec,
            smaller=lambda other: smaller_cases(binding, other), precision=narrowest_run(outcome.notes, outcome.ran),
            claim=proof.claim, seed=seed, budget_seconds=min(_PART, end - time.monotonic()), seconds=seconds,
        )  # fmt: skip
        if found is not None:
            return found
    return None


def _smaller(binding: Binding, case: Case, seed: int) -> Iterator[tuple[Sizes, Mask | None, Convention]]:
    sizes = case.sizes
    heads = {"heads": min(sizes.heads, 2)} if sizes.heads > 1 else {}
    tied = {"d_model": 2 * min(sizes.heads, 2)} if sizes.d_model is not None else {}
    every = {"d_model": sizes.heads} if sizes.d_model is not None else {}
    rows: list[dict[str, int]] = [
        heads,
        # One of many heads may be wrong.
        *([{"heads": sizes.heads, "n": 2, "m": 2, **every}] if sizes.heads > 2 else []),
        {**heads, **tied, "n": 2, "m": sizes.keys, "d_k": 2, "d_v": 1},
        {**heads, **tied, "n": sizes.n, "m": 2, "d_k": 2, "d_v": 1},
        {**heads, **tied, "n": sizes.n, "m": sizes.keys, "d_k": 1, "d_v": 1},
        {**heads, "n": 2, "m": 2, "d_k": sizes.d_k, "d_v": sizes.d_v},
    ]
    for row in rows:
        try:
            chosen = default_sizes(binding, case.convention, row)[:2]
        except AttnVerifyError:
            continue
        for found in chosen:
            if not too_large(found):
                yield from ((found, mask, case.convention) for mask, _ in _masks(binding, found, seed))
