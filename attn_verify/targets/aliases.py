"""Cases in which one array is passed for several parameters, as in self-attention ``f(A, A, A)``.

A function can tell that two arguments are one object, and an operation in place changes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attn_verify.errors import SizeError, TargetError
from attn_verify.shapes import Sizes
from attn_verify.targets.binding import Binding
from attn_verify.targets.cases import default_sizes, masks, most_telling
from attn_verify.targets.layouts import Convention, Recipe
from attn_verify.targets.units import Case, Unit


@dataclass(frozen=True)
class _Sharing:
    """Which input another one is, and sizes at which that is possible, unless the user has given others."""

    same: Mapping[str, str]
    sizes: Mapping[str, int]


# Such cases have at most so many scores; where the user gives larger sizes there are none.
_TINY = 16

_ATTENTION = (
    _Sharing({"K": "Q", "V": "Q"}, {"n": 2, "m": 2, "d_k": 2, "d_v": 2}),
    _Sharing({"K": "Q"}, {"n": 2, "m": 2, "d_k": 2, "d_v": 1}),
    _Sharing({"V": "K"}, {"n": 2, "m": 3, "d_k": 2, "d_v": 2}),
)
_LAYER = (
    _Sharing({"X_KV": "X"}, {"n": 2, "m": 2}),
    _Sharing({"W_K": "W_Q"}, {"n": 2, "m": 2}),
    _Sharing({"W_K": "W_Q", "W_V": "W_Q"}, {"n": 2, "m": 2, "d_k": 2, "d_v": 2}),
)


def aliased_cases(
    binding: Binding, convention: Convention, sizes: Mapping[str, int] | None = None, *, seed: int = 0
) -> list[Case]:
    """Return tiny cases in which parameters of equal shape receive the same object.

    From given Q, K, V: one array as all three, one as Q and K, one as K and V.  From embeddings: one X for both,
    W_Q as W_K, W_Q as all three; without a mask and with one, where both are possible.  The inputs of such a case,
    and of its units, are those of the first of the parameters.  ``sizes`` are the user's; combinations that they rule
    out, or make large, are left out, as are gradients, where every input counts by itself.

    >>> from attn_verify.spec import AttentionSpec
    >>> from attn_verify.targets.binding import bind
    >>> described = {"qualname": "f", "file": "a.py", "parameters": [
    ...     {"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("q", "k", "v")]}
    >>> cases = aliased_cases(bind(described, AttentionSpec()), Convention("nd"))
    >>> [sharing(case) for case in cases]
    ['k and v are q', 'k is q', 'v is k']
    """
    if binding.gradient:
        return []
    found: list[Case] = []
    for wanted in _ATTENTION if binding.kind == "attention" else _LAYER:
        for masked in {"no": (False,), "optional": (False, True), "required": (True,)}[binding.mask]:
            case = _case(binding, convention, wanted, sizes or {}, seed, masked=masked)
            found += [] if case is None else [case]
    return found


def sharing(case: Case) -> str:
    """Say which parameters of a case receive the same object, ``k and v are q``; nothing where none do."""
    groups: dict[str, list[str]] = {}
    for name, recipe in case.arguments.items():
        if "alias" in recipe:
            groups.setdefault(recipe["alias"], []).append(name)
    return ", ".join(
        f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} {owner}" for owner, names in groups.items()
    )


def _case(
    binding: Binding, convention: Convention, wanted: _Sharing, given: Mapping[str, int], seed: int, *, masked: bool
) -> Case | None:
    parameters = {role: name for name, role in binding.arguments.items()}
    if not {*wanted.same, *wanted.same.values()} <= set(parameters):
        return None
    for sizes in _sizes(binding, convention, wanted, given):
        if sizes.n * sizes.keys > _TINY or ("X_KV" in wanted.same and sizes.n != sizes.keys):
            continue
        try:
            mask = _mask(binding, sizes, seed) if masked else None
            plain = binding.case(sizes, mask, convention, _batch(convention, sizes))
        except (SizeError, TargetError):
            continue
        shared = _shared(plain, wanted.same, parameters, binding)
        if shared is not None:
            return shared
    return None


def _sizes(
    binding: Binding, convention: Convention, wanted: _Sharing, given: Mapping[str, int]
) -> Sequence[Sizes]:  # fmt: skip
    chosen = {name: size for name, size in wanted.sizes.items() if name != "m" or binding.keys_apart != "no"}
    for name, other in (("n", "m"), ("m", "n"), ("d_k", "d_v"), ("d_v", "d_k")):
        # What must be equal follows the one that the user gives.
        if name in chosen and other in given and chosen.get(name) == chosen.get(other):
            chosen[name] = given[other]
    try:
        return default_sizes(binding, convention, {**chosen, **given})
    except SizeError:
        return ()


def _batch(convention: Convention, sizes: Sizes) -> tuple[int, ...]:
    """Return short axes: that they are told apart is shown by the other cases."""
    if convention.head_axis:
        return (2, sizes.heads if sizes.heads > 1 else 2)
    return (2,) if convention.batched else ()


def _mask(binding: Binding, sizes: Sizes, seed: int) -> Any:
    """Return a mask that closes other keys to other queries."""
    return most_telling(masks(sizes, binding.spec, seed)[0])


def _shared(case: Case, same: Mapping[str, str], parameters: Mapping[str, str], binding: Binding) -> Case | None:
    """Return the case with every input of ``same`` replaced by the other one; ``None`` where they differ in shape."""
    kept = {entry: at for at, entry in enumerate(entry for entry in case.inputs if entry[0] not in same)}
    owners = [(same.get(name, name), index) for name, index in case.inputs]
    if any(owner not in kept for owner in owners):
        return None
    moved = [kept[owner] for owner in owners]
    arguments = {name: _moved(recipe, moved) for name, recipe in case.arguments.items()}
    keyword = {p.name for p in binding.assignment.parameters if p.kind != "POSITIONAL_ONLY"}
    for role, other in same.items():
        name, owner = parameters[role], parameters[other]
        if name not in arguments and name not in keyword:
            return None
        # The owner's recipe stands for an optional parameter that is left out otherwise.
        if arguments.get(name, arguments[owner]) != arguments[owner]:
            return None
        arguments[name] = {"alias": owner}
    units = tuple(replace(unit, inputs=_renamed(unit, same)) for unit in case.units)
    return replace(case, inputs=tuple(kept), arguments=arguments, units=units)


def _moved(recipe: Recipe, moved: Sequence[int]) -> Recipe:
    """Return a recipe with its entries at their new places."""
    match recipe:
        case {"array": {"entries": entries} as array}:
            return {"array": {**array, "entries": [moved[at] for at in entries]}}
        case {"list": items}:
            return {"list": [_moved(item, moved) for item in items]}
    return recipe


def _renamed(unit: Unit, same: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs of a unit, where entries of a shared input bear the name of the one that it is."""
    renamed = {}
    for role, entries in unit.inputs.items():
        names = np.empty(entries.shape, dtype=object)
        for place in np.ndindex(*entries.shape):
            name, index = entries[place]
            names[place] = (same.get(name, name), index)
        renamed[role] = names
    return renamed
