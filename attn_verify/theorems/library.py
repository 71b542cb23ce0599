"""The theorems by name and by family, and what each of them needs and makes possible; read when first asked for."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from attn_verify.errors import AttnVerifyError, explain, shorten
from attn_verify.theorems import catalogue
from attn_verify.theorems.checking import Checked
from attn_verify.theorems.checking import check as check_steps
from attn_verify.theorems.false_beliefs import BELIEFS, Belief
from attn_verify.theorems.theorem import Theorem

FAMILIES = (
    "softmax",
    "scores and scaling",
    "one head",
    "many heads",
    "masks and causality",
    "caches and blocks",
    "grouped heads and low rank",
    "positions",
    "gradients",
    "rounding and conditioning",
    "limits and variational views",
    "expressivity and depth",
)
"""The families in the order in which they are read; others come after them."""


class UnknownTheoremError(AttnVerifyError):
    """No theorem has this name."""


@cache
def _modules() -> tuple[object, ...]:
    found = sorted(module.name for module in pkgutil.iter_modules(catalogue.__path__))
    return tuple(import_module(f"{catalogue.__name__}.{name}") for name in found)


@cache
def theorems() -> Mapping[str, Theorem]:
    """Return all theorems by name: by family, then by level, what is needed first, then as their files have them.

    >>> list(theorems())[:2]
    ['weights_form_a_distribution', 'shift_invariance_exactly']
    """
    found: list[Theorem] = []
    for module in _modules():
        found += getattr(module, "THEOREMS", ())
    named = {t.name: t for t in found}
    if len(named) != len(found):
        twice = sorted({t.name for t in found if sum(t.name == other.name for other in found) > 1})
        raise ValueError(f"two theorems are called {', '.join(twice)}")
    order = {family: place for place, family in enumerate(FAMILIES)}
    deep = depths(named)
    found.sort(key=lambda t: (order.get(t.family, len(order)), t.family, t.level, deep[t.name]))
    return MappingProxyType({t.name: t for t in found})


def beliefs() -> Mapping[str, Belief]:
    """Return the common false beliefs by name; :func:`attn_verify.theorems.false_beliefs.refute` refutes one."""
    return BELIEFS


def families() -> dict[str, tuple[Theorem, ...]]:
    """Return the theorems of each family, in the order of reading.

    >>> next(iter(families()))
    'softmax'
    """
    found: dict[str, tuple[Theorem, ...]] = {}
    for t in theorems().values():
        found[t.family] = (*found.get(t.family, ()), t)
    return found


def theorem(name: str) -> Theorem:
    """Return a theorem by its name.

    >>> theorem("one_is_two")
    Traceback (most recent call last):
    attn_verify.theorems.library.UnknownTheoremError: theorems
      got 'one_is_two'
      no theorem is called so
      see attn-verify theorems

    Raises:
        UnknownTheoremError: there is none; the message says which names are near.
    """
    known = theorems()
    if name in known:
        return known[name]
    word = name[:80].strip().lower().replace("-", "_").replace(" ", "_")
    near = [other for other in known if len(word) > 3 and word in other] or difflib.get_close_matches(word, known, 3)
    remedy = f"did you mean {' or '.join(near[:4])}?" if near else "see attn-verify theorems"
    raise UnknownTheoremError(
        explain("theorems", f"got {shorten(name, 60)!r}", "no theorem is called so", remedy=remedy)
    )


@cache
def _checked(name: str) -> Checked:
    return check_steps(theorem(name), _checked)


def check(name: str) -> Checked:
    """Check every step of a theorem and return it with its facts; it displays itself in a notebook.

    Args:
        name: as ``theorems()`` has it.

    Returns:
        A ``Checked``; its ``to_dict()`` says what was claimed, by which rules it was checked, and what is trusted.

    Raises:
        UnknownTheoremError: there is no such theorem.
        RefusedError: a step is not accepted; the message names it.

    >>> check("weights_form_a_distribution")
    weights_form_a_distribution: PROVED, all sizes
    """
    return _checked(name)


def needs(name: str) -> tuple[str, ...]:
    """Return the theorems that a theorem says it needs, and those whose facts its steps use."""
    return _needed(theorem(name))


def _needed(t: Theorem) -> tuple[str, ...]:
    used = [label.partition(":")[0] for step in t.steps for label in step.using if ":" in label]
    return tuple(dict.fromkeys([*t.needs, *used]))


@cache
def _unlocked() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {name: [] for name in theorems()}
    for name in theorems():
        for other in needs(name):
            found.get(other, []).append(name)
    return {name: tuple(names) for name, names in found.items()}


def unlocks(name: str) -> tuple[str, ...]:
    """Return the theorems that need a theorem.

    >>> all("weights_form_a_distribution" in needs(name) for name in unlocks("weights_form_a_distribution"))
    True
    """
    return _unlocked().get(name, ())


def depths(named: Mapping[str, Theorem]) -> dict[str, int]:
    """Return the length of the longest chain of theorems that each one needs; raise ``ValueError`` for a ring."""
    found: dict[str, int] = {}

    def depth(name: str, above: tuple[str, ...]) -> int:
        if name in above:
            raise ValueError(f"these theorems need one another: {' → '.join([*above[above.index(name) :], name])}")
        if name not in found:
            others = [other for other in _needed(named[name]) if other in named]
            found[name] = max((1 + depth(other, (*above, name)) for other in others), default=0)
        return found[name]

    for name in named:
        depth(name, ())
    return found
