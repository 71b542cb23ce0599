"""What an audit tries, and in which order: the most telling first, so that a short budget is well spent.

The schedule depends on the target, the options and the budget, never on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attn_verify.checks.audit.groups import Group, Mask
from attn_verify.checks.audit.subject import Subject
from attn_verify.checks.inputs import mask_battery
from attn_verify.errors import AttnVerifyError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.cases import default_sizes
from attn_verify.targets.layouts import MASKS
from attn_verify.targets.variation import varied

Data = dict[str, Any]

# Seconds of one core that a trial takes, measured: a part for every trial, one for every score, one for every product.
_TRIAL, _SCORE, _PRODUCT = 5e-3, 1.2e-5, 1.2e-7
# Seconds that the process of a task takes to start.
_PROCESS = 0.25
# A task is about so long, so that workers can share the work and an interrupt loses little.
_TASK = 0.7
# Kinds of samples in a battery, about.
_KINDS = 55
# Scores of a size at which a trial takes milliseconds, and the places of ordinary kinds in a battery.
_QUICK, _SWEPT = 512, (0, 2, 4, 6)
# Sizes whose whole battery is tried.
_WHOLE = 3
# The part of the budget that the proof may take.
_PROOF = 0.4


@dataclass(frozen=True)
class Task:
    """One piece of work for a worker: what to do, as plain data, and how many seconds it should take.

    What is ``first`` is the least that a claim rests on.
    """

    name: str
    job: str
    data: Mapping[str, Any]
    cost: float
    first: bool = False

    def to_dict(self) -> Data:
        """Return the task as plain data."""
        return {"name": self.name, "job": self.job, **self.data}


def schedule(subject: Subject) -> list[Task]:
    """Return all tasks of an audit, the first ones first.

    >>> from attn_verify.checks.audit.schedule import Task
    >>> Task("floats 1", "floats", {"groups": []}, 0.5).to_dict()
    {'name': 'floats 1', 'job': 'floats', 'groups': []}
    """
    budget = subject.options.budget
    first, swept = list(_packed(_first(subject), "floats a")), list(_packed(_sweep(subject), "floats b"))
    always = [
        *_packed(_empty(subject), "floats c"), *_packed(_narrow(subject), "floats d"),
        *_packed(_blocks(subject), "floats e"), *_packed(_whole(subject), "floats f"),
    ]  # fmt: skip
    # What is left of two cores, after the proof and what surrounds a call.
    left = budget - sum(task.cost for task in [*first, *swept, *always])
    drawn = list(_packed(_drawn(subject, left), "floats g"))
    state = [
        Task("layout", "state", {"claims": ["layout"]}, 0.7),
        Task("state", "state", {"claims": ["determinism", "purity"]}, 1.0),
    ]
    properties = [] if subject.binding.gradient else [Task("properties", "properties", {}, 0.5)]
    proof = Task("proof", "proof", {"seconds": _PROOF * budget}, _PROOF * budget)
    coverage = Task("coverage", "coverage", {}, 1.0)
    # The least of every claim comes before more of any, and what the spec itself asks for before what is asked always.
    empty = [task for task in always[:1] if task.name == "floats c 1"]
    asked = subject.spec.empty_row != "any"
    least = [proof, *(empty if asked else ()), *first, *properties, *state, *(() if asked else empty)]
    deeper = [*swept, *always[:2], coverage, *always[2:], *drawn]
    return [*(replace(task, first=True) for task in least), *(task for task in deeper if task not in least)]


def _first(subject: Subject) -> Iterator[Group]:
    """Yield the first groups: every kind of input once, at two small sizes, and the first masks.

    Under a causal mask only one of the two sizes bears on extremes, and has every kind.
    """
    causal = subject.spec.causal != "none"
    for at, own in enumerate(_in_order(subject)[:2]):
        for group in at_size(subject, own, subject.options.dtypes[0], at, many=False):
            every = causal and group.claim == "inputs"
            yield replace(group, stride=1 if every else 2, offset=0 if every else at)


def _in_order(subject: Subject) -> list[Sizes]:
    """Return the sizes to try; where they bear on different claims, as causal masks make them, one of each first."""
    found = list(subject.sizes)
    for square in (False, True) if subject.spec.causal != "none" else ():
        at = next((i for i, own in enumerate(found) if (own.n == own.keys) == square), 0)
        found.insert(0, found.pop(at))
    return found


def _sweep(subject: Subject) -> Iterator[Group]:
    """Yield groups with one ordinary input at every size that is quickly judged."""
    for at, own in enumerate(_in_order(subject)[2:]):
        for group in at_size(subject, own, subject.options.dtypes[0], at, many=False):
            if group.scores <= _QUICK:
                yield replace(group, stride=_KINDS, offset=_SWEPT[at % len(_SWEPT)])


def _empty(subject: Subject) -> Iterator[Group]:
    """Yield groups with queries that may attend to nothing."""
    for at, own in enumerate(_with_empty_rows(subject, subject.sizes)):
        for step, (name, mask) in enumerate(_empty_masks(subject, own, subject.options.seed)):
            shape = subject.mask_shapes[(at + step) % len(subject.mask_shapes)]
            yield Group(
                own.to_dict(), mask, name, subject.options.dtypes[0], "empty_rows",
                offset=at + step, stride=8, vary=at % 2 == 1, mask_shape=shape,
            )  # fmt: skip


def _blocks(subject: Subject) -> Iterator[Group]:
    """Yield groups at all further sizes, with a few kinds of input each, in turn."""
    for at, own in enumerate(_in_order(subject)[2:], 2):
        for group in at_size(subject, own, subject.options.dtypes[0], at, many=False):
            # Fewer kinds where exact values take long.
            stride = 8 if group.scores <= 512 else 14 if group.scores <= 4096 else 28
            yield replace(group, stride=stride, offset=at)


def _narrow(subject: Subject) -> Iterator[Group]:
    """Yield groups in the other dtypes."""
    for number, dtype in enumerate(subject.options.dtypes[1:], 1):
        for at, own in enumerate(_spread(subject.sizes, 4)):
            for group in at_size(subject, own, dtype, at, many=False):
                yield replace(group, stride=4, offset=at + number)


def _whole(subject: Subject) -> Iterator[Group]:
    """Yield groups with every kind of input at the small sizes, and with more masks."""
    for at, own in enumerate(_in_order(subject)[:_WHOLE]):
        yield from at_size(subject, own, subject.options.dtypes[0], at, many=True)


def groups_for_coverage(subject: Subject) -> Iterator[Group]:
    """Yield groups for the search for lines that are not reached: every size once, then random inputs without end."""
    sizes = subject.sizes
    number = 0
    while True:
        own = sizes[number % len(sizes)]
        for group in at_size(subject, own, subject.options.dtypes[0], number, many=False):
            first = number < len(sizes)
            yield replace(group, stride=7, offset=number, random=0 if first else 6, seed=number)
        number += 1


def _drawn(subject: Subject, seconds: float) -> Iterator[Group]:
    """Yield groups of random inputs, round after round through sizes and dtypes, for so many seconds of one core."""
    sizes, dtypes = subject.sizes, subject.options.dtypes
    number = 0
    while seconds > 0:
        own, dtype = sizes[number % len(sizes)], dtypes[0] if number % 3 else dtypes[(number // 3) % len(dtypes)]
        for group in at_size(subject, own, dtype, number, many=False):
            drawn = replace(group, stride=0, random=8, seed=subject.options.seed + 7919 * number)
            seconds -= _cost(drawn)
            yield drawn
        number += 1


def at_size(subject: Subject, sizes: Sizes, dtype: str, at: int, *, many: bool) -> Iterator[Group]:
    """Yield the groups of one size: without a mask, and with a few masks, in turn."""
    for claim in _claims(subject, sizes):
        yield from _with_masks(subject, Group(sizes.to_dict(), None, "none", dtype, claim), sizes, at, many=many)


def _claims(subject: Subject, sizes: Sizes) -> tuple[str, ...]:
    """Return what inputs bear on: under a causal mask, the alignment at oblong sizes, all else if none is square."""
    if subject.spec.causal == "none" or sizes.n == sizes.keys:
        return ("inputs",)
    square = any(own.n == own.keys for own in subject.sizes)
    return ("alignment",) if square else ("inputs", "alignment")


def _with_masks(subject: Subject, plain: Group, sizes: Sizes, at: int, *, many: bool) -> Iterator[Group]:
    binding, spec = subject.binding, subject.spec
    legal_without = all(any(row) for row in spec.allowed(sizes))
    if binding.mask != "required" and legal_without:
        yield plain
    if binding.mask == "no":
        return
    found = [(name, mask) for name, mask in mask_battery(sizes, spec, seed=subject.options.seed) if mask is not None]
    if not found:
        return
    count, shapes = 4 if many else 1, subject.mask_shapes
    for turn in range(at, at + min(count, len(found))):
        name, mask = found[turn % len(found)]
        # The shapes of the mask take turns, and not always with the same masks.
        shape = shapes[(turn + turn // len(found)) % len(shapes)]
        if shape != shapes[0]:
            varying = (one for one in [*found[turn % len(found) :], *found] if _varies(one[1], sizes, spec))
            name, mask = next(varying, (name, mask))
            name = f"{name} {MASKS[shape]}"
        yield replace(
            plain,
            mask=_rows(mask),
            mask_name=name,
            mask_shape=shape,
            stride=3 if many else 1,
            offset=turn,
            vary=turn % 2 == 1 or shape != shapes[0],
        )


def _varies(mask: Any, sizes: Sizes, spec: AttentionSpec) -> bool:
    """Return whether a mask gives elements of a batch, and heads, masks that differ and leave every query a key."""
    turned = varied(
        np.array(mask, np.bool_), (2, 1), heads=False,
        fits=lambda own: all(any(row) for row in spec.allowed(sizes, own.tolist())),
    )  # fmt: skip
    return not np.array_equal(*turned)


def _with_empty_rows(subject: Subject, sizes: Sequence[Sizes]) -> list[Sizes]:
    """Return sizes at which some query may attend to nothing, with a mask or by the causal one."""
    if subject.binding.mask != "no":
        return _spread([own for own in sizes if own.n > 1 or own.keys > 1] or list(sizes), 4)
    fixed = {"n", "m"} & set(subject.options.sizes)
    if subject.spec.causal != "lower_right" or subject.binding.keys_apart == "no" or fixed:
        return []
    found = []
    for own in default_sizes(subject.binding, subject.convention, subject.options.sizes)[:2]:
        try:
            found.append(own.with_(n=own.keys + 2))
        except AttnVerifyError:
            continue
    return found


def _empty_masks(subject: Subject, sizes: Sizes, seed: int) -> list[tuple[str, Mask | None]]:
    if subject.binding.mask == "no":
        return [("more queries than keys", None)]
    return [(name, _rows(mask)) for name, mask in mask_battery(sizes, subject.spec, seed=seed, empty=True)]


def _rows(mask: Any) -> Mask:
    return [[bool(entry) for entry in row] for row in mask]


def _spread(sizes: Sequence[Sizes], count: int) -> list[Sizes]:
    """Return ``count`` of the sizes, the first one and others evenly spread."""
    if len(sizes) <= count:
        return list(sizes)
    return [sizes[round(i * (len(sizes) - 1) / (count - 1))] for i in range(count)]


def _packed(groups: Iterator[Group], name: str) -> Iterator[Task]:
    """Yield tasks of about the same length, each with as many groups as fit."""
    pack: list[Data] = []
    cost, number = _PROCESS, 1
    for group in groups:
        pack.append(group.to_dict())
        cost += _cost(group)
        if cost >= _TASK:
            yield Task(f"{name} {number}", "floats", {"groups": pack}, cost)
            pack, cost, number = [], _PROCESS, number + 1
    if pack:
        yield Task(f"{name} {number}", "floats", {"groups": pack}, cost)


def _cost(group: Group) -> float:
    sizes = group.sizes
    heads = sizes.get("heads", 1)
    samples = (max(1, _KINDS // group.stride) if group.stride else 0) + group.random
    scores = group.scores * heads
    each = _TRIAL + _SCORE * scores + _PRODUCT * scores * (sizes["d_k"] + sizes["d_v"])
    return samples * each
