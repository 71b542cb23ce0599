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
    names = ", ".join(one["indices"] or one["fixed"])
    if one["natural"]:
        run = rf"${names} = 0, 1, 2, \dots$"
    elif len(one["set"]) <= 2:
        run = rf"${names} = 1, \dots, {one['set']}$"
    else:
        run = f"${names}$ over “{one['set']}”"
    notes = ["perhaps none"] if one["empty"] else []
    if one["fixed"]:
        notes.append(f"${', '.join(one['fixed'])}$ fixed" if one["indices"] else "fixed")
    return f"{run} ({'; '.join(notes)})" if notes else run


def notation(data: Mapping[str, Any]) -> str:
    """Return what short forms in the formulas mean, as prose; empty if there are none."""
    claims = [step["claim"] for step in data["steps"]] + [data["near_miss"]["claim"]]
    texts = [claim["text"] for claim in claims] + [d["text"] for step in data["steps"] for d in step["details"]]
    if any("softmax_" in text for text in texts):
        return r"$\operatorname{softmax}_i(s_i)$ is short for $e^{s_i}/\sum_k e^{s_k}$"
    return ""


class Conditions:
    """The hypotheses of a proof as they are shown: a long one in full once, with a letter, and then by its letter."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        shown = [one["text"] for step in data["steps"] for one in self._of(step)]
        shown += [one["text"] for one in data["near_miss"]["given"]]
        again = [text for text in dict.fromkeys(shown) if len(text) > 40 and shown.count(text) > 1]
        self._letters = dict(zip(again, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False))
        self._seen: set[str] = set()

    @staticmethod
    def _of(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the conditions that a step shows: its own, those that its sources lack, and all of what is claimed."""
        others = [one for one in step["assumes"] if not one["label"] and (one["new"] or step["concludes"])]
        return [*step["given"], *others]

    def of(self, step: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Return how each condition of a step begins, and the condition itself unless its letter says it all."""
        return self.shown(self._of(step))

    def shown(self, given: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Return how each condition begins, and the condition itself unless its letter says it all."""
        found: list[tuple[str, Mapping[str, Any] | None]] = []
        known = []
        for one in given:
            letter = self._letters.get(one["text"])
            if letter and one["text"] in self._seen:
                known.append(f"({letter})")
                continue
            self._seen.add(one["text"])
            equation = one.get("sides", {}).get("relation") == "="
            word = "where" if equation else "if"
            found.append((f"{word} ({letter})" if letter else word, one))
        return (
            [(f"under {' and '.join(filter(None, [', '.join(known[:-1]), known[-1]]))}", None), *found]
            if known
            else found
        )


LONG_CLAIM = 60


def same(step: Mapping[str, Any]) -> str:
    """Return which earlier step claims the same, if that is long and need not be shown again."""
    if step["same_as"] and not step["concludes"] and len(step["claim"]["text"]) > LONG_CLAIM:
        return f"the same as “{step['same_as']}”"
    return ""


def for_all(given: Mapping[str, Any]) -> str:
    """Return the indices that a hypothesis holds for: `` for all $j, k$``."""
    return f" for all ${', '.join(given['for_all'])}$" if given["for_all"] else ""


def rule(step: Mapping[str, Any], explained: set[str]) -> str:
    """Return by what a step was checked; what the rule is only where it comes first."""
    name, meaning = step["rule"], step["rule_meaning"]
    if name == "hypothesis":
        return "assumed" if step["lasting"] else "assumed for now; no conclusion rests on it"
    uses = f" from {_listed(step['uses'])}" if step["uses"] else ""
    said = f": {meaning}" if meaning and name not in explained else ""
    explained.add(name)
    return f"{name}{uses}{said}"


def _listed(labels: Sequence[str]) -> str:
    found = (label.rpartition(":") for label in labels)
    return _joined([f"“{label}” of {name}" if name else f"“{label}”" for name, _, label in found])


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


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
    shown = [f"${name} = {n}$" if len(name) <= 2 else f"“{name}”: {n}" for name, n in model["sizes"].items()]
    return shown + [f"${name} = {place}$" for name, place in model["places"].items() if name != str(place)]


def place(at: Mapping[str, int]) -> str:
    """Return where a claim fails: ``at $j = 1$``; empty if there is only one place."""
    return f"at ${', '.join(f'{name} = {n}' for name, n in at.items())}$" if at else ""
