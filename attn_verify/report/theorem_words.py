"""The words around a theorem that text, LaTeX and HTML share: what its dict means, as prose with formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KERNEL = "Python, and the kernel of rules with its exact arithmetic of sums"


def head(data: Mapping[str, Any]) -> str:
    """Return status, scope, and how much was checked.

    >>> head({"status": "PROVED", "scope": "all sizes", "steps": [{}, {}], "seconds": 0.0312})
    'PROVED for all sizes: 2 steps checked in 0.03 s'
    """
    if data["status"] != "PROVED":
        return f"{data['status']}: a step of the proof is not accepted"
    count = len(data["steps"])
    steps = f"{count} step{'s' if count != 1 else ''} checked in {data['seconds']:.2f} s"
    return f"PROVED {_scope(data['scope'])}: {steps}"


def _scope(scope: str) -> str:
    return scope if scope.startswith("only") else f"for {scope}"


def indices(sets: Sequence[Mapping[str, Any]]) -> str:
    """Return what the indices of a proof run over, as prose with formulas; empty if there are none.

    >>> indices([{"set": "n", "empty": False, "natural": False, "indices": ["j", "k"], "fixed": []}])
    '$j, k = 1, \\\\dots, n$'
    """
    return "; ".join(_indices(one) for one in sets)


def _indices(one: Mapping[str, Any]) -> str:
    names = ", ".join([*one["indices"], *one["fixed"]])
    if one["natural"]:
        run = rf"${names} = 0, 1, 2, \dots$"
    elif len(one["set"]) <= 2:
        run = rf"${names} = 1, \dots, {one['set']}$" + (" (perhaps none)" if one["empty"] else "")
    else:
        run = f"${names}$ over “{one['set']}”" + (" (perhaps none)" if one["empty"] else "")
    if one["fixed"] and one["indices"]:
        return f"{run} (${', '.join(one['fixed'])}$ fixed)"
    return f"{run}, fixed" if one["fixed"] else run


def for_all(given: Mapping[str, Any]) -> str:
    """Return the indices that a hypothesis holds for: `` for all $j, k$``."""
    return f" for all ${', '.join(given['for_all'])}$" if given["for_all"] else ""


def rule(step: Mapping[str, Any], explained: set[str]) -> str:
    """Return by what a step was checked; what the rule is only where it comes first."""
    name, meaning = step["rule"], step["rule_meaning"]
    if name == "hypothesis":
        return "assumed"
    uses = f" from {_listed(step['uses'])}" if step["uses"] else ""
    said = f": {meaning}" if meaning and name not in explained else ""
    explained.add(name)
    return f"{name}{uses}{said}"


def _listed(labels: Sequence[str]) -> str:
    shown = [" of ".join(reversed(label.split(":"))) if ":" in label else f"“{label}”" for label in labels]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def rests(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a theorem leans on, each with its meaning; never empty."""
    found = [("trusted", KERNEL)]
    found += [("trusted", one["meaning"]) for one in data["trusted"]]
    return found + [("cited, not checked", f"{one['name']}: {one['meaning']}") for one in data["cited"]]


def assumes(step: Mapping[str, Any]) -> str:
    """Return the labels of the hypotheses that what is claimed rests on; empty if it rests on none."""
    labels = [one["label"] for one in step["assumes"] if one["label"]]
    return f"under {_listed(labels)}" if labels and step["concludes"] else ""


def sizes(model: Mapping[str, Any]) -> list[str]:
    """Return the sizes and fixed places of a model as prose."""
    shown = [f"${name} = {n}$" if len(name) <= 2 else f"{n} {name}" for name, n in model["sizes"].items()]
    return shown + [f"${name} = {place}$" for name, place in model["places"].items()]


def place(at: Mapping[str, int]) -> str:
    """Return where a claim fails: ``at $j = 1$``; empty if there is only one place."""
    return f"at ${', '.join(f'{name} = {n}' for name, n in at.items())}$" if at else ""
