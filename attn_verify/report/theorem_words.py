"""The words around a theorem that text, LaTeX and HTML share: what its dict means, as prose with formulas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_DELTA = re.compile(r"δ_(?:[^\W_]'?,?[^\W_]|\([^()]*,)")
KERNEL = "Python, the kernel of rules with its exact arithmetic of sums, and FLINT, which factors whole numbers for it"


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
    elif _is_letter(one["set"]):
        run = rf"${names} = 1, \dots, {one['set']}$"
    else:
        run = f"${names}$ over the {one['set']}"
    notes = ["perhaps none"] if one["empty"] else []
    if one["fixed"]:
        notes.append(f"${', '.join(one['fixed'])}$ fixed" if one["indices"] else "fixed")
    return f"{run} ({'; '.join(notes)})" if notes else run


def _is_letter(name: str) -> bool:
    """Return whether the name of a set is the letter of its size: ``n``, ``n'``, ``d_v``; and no noun."""
    return len(name) <= 2 or name[1] == "_"


def notation(data: Mapping[str, Any]) -> str:
    """Return what short forms in the formulas mean, as prose; empty if there are none."""
    texts = _formulas(data)
    found = []
    if any("softmax(" in text for text in texts):
        found.append(r"$\operatorname{softmax}(s)_j$ is short for $e^{s_j}/\sum_k e^{s_k}$")
    if any("•" in text for text in texts):
        found.append("a dot • stands for the index that runs: $s_•$ is the row of all $s_j$")
    if any("□" in text for text in texts):
        found.append("□ is where each side of the equation is put")
    if any(_DELTA.search(text) for text in texts):
        found.append(r"$\delta_{jk}$ is 1 where $j$ is $k$, and else 0")
    return "; ".join(found)


def _formulas(data: Mapping[str, Any]) -> list[str]:
    """Return the formulas of steps, conditions, details, and of the near-miss, as text."""
    steps, miss = data["steps"], data["near_miss"]
    claims = [one for step in steps for one in (step["claim"], *step["given"], *step["assumes"], *step["details"])]
    return [one["text"] for one in [*claims, miss["claim"], *miss["given"]]]


def legend(data: Mapping[str, Any]) -> str:
    """Return how the steps of a proof are to be read, as prose: only what occurs in them."""
    steps = data["steps"]
    found = ["A step is a formula that was checked (✓, by the rule below it) or is assumed (·)."]
    if any(step["given"] or step["assumes"] for step in steps):
        found.append(
            "Its conditions begin with “where” (an equation), “if” (an inequality) or “under” (one shown before, "
            "as (A), or a step). A step shows those that it adds; it has those of the steps named after “from” as "
            "well. What is claimed shows all."
        )
    if any(step["rule"] == "hypothesis" and not step["lasting"] for step in steps):
        found.append(
            "What is assumed for now is a condition of all that is drawn from it, up to the step that is named."
        )
    fixed = [(name, one["natural"]) for one in data["indices"] for name in one["fixed"]]
    if fixed:
        name, natural = fixed[0]
        found.append(
            f"A fixed index, ${name}$, is one arbitrary {'number' if natural else 'element'}, the same in all steps; a "
            "formula holds for every value of the other indices in it that no sum runs over."
        )
    elif data["indices"]:
        found.append("A formula holds for every value of those indices in it that no sum runs over.")
    return " ".join(found)


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
        return "assumed" if step["lasting"] else f"assumed for now{_until(step['dropped'])}"
    uses = f" from {_listed(step['uses'])}" if step["uses"] else ""
    said = f": {meaning}" if meaning and name not in explained else ""
    explained.add(name)
    return f"{name}{uses}{said}"


def _until(dropped: Sequence[Mapping[str, str]]) -> str:
    """Return where an assumption ends, in words: ``, until “D” (induction) drops it``."""
    if not dropped:
        return "; no conclusion rests on it"
    ends = [f"“{one['label']}” ({one['rule']})" for one in dropped]
    how = {"modus ponens": "proves", "instance": "replaces"}.get(dropped[-1]["rule"], "drops")
    return f", until {_joined(ends)} {how if len(ends) == 1 else how[:-1]} it"


def _listed(labels: Sequence[str]) -> str:
    found = (label.rpartition(":") for label in labels)
    return _joined([f"“{label}” of {name}" if name else f"“{label}”" for name, _, label in found])


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def rests(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a theorem leans on, each with its meaning; never empty."""
    found = [("trusted", KERNEL)]
    found += [("trusted", one["meaning"]) for one in data["trusted"]]
    found += [("cited, not checked", f"{one['name']}: {one['meaning']}") for one in data["cited"]]
    return found + [("said in words, not checked", text) for text in data["told"]]


def neighbours(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the theorems around one under their titles: whose facts it uses, which to read before, which need it."""
    before = [name for name in data["needs"] if name not in data["used"]]
    titled = (("Needs", data["used"]), ("Read before", before), ("Unlocks", data["unlocks"]))
    return [(title, names) for title, names in titled if names]


def assumes(step: Mapping[str, Any]) -> str:
    """Return the labels of the hypotheses that what is claimed rests on; empty if it rests on none."""
    labels = [one["label"] for one in step["assumes"] if one["label"]]
    return f"under {_listed(labels)}" if labels and step["concludes"] else ""


def sizes(model: Mapping[str, Any]) -> list[str]:
    """Return the sizes and fixed places of a model as prose."""
    shown = [f"${name} = {n}$" if _is_letter(name) else _counted(name, n) for name, n in model["sizes"].items()]
    return shown + [f"${name} = {place}$" for name, place in model["places"].items() if name != str(place)]


def _counted(name: str, n: int) -> str:
    """Return a number of things: ``2 keys``, ``1 other head``, ``1 outcome of k``."""
    if n != 1:
        return f"{n or 'no'} {name}"
    thing, of, rest = name.partition(" of ")
    return f"1 {thing.removesuffix('s')}{of}{rest}"


def place(at: Mapping[str, int]) -> str:
    """Return where a claim fails: ``at $j = 1$``; empty if there is only one place."""
    return f"at ${', '.join(f'{name} = {n}' for name, n in at.items())}$" if at else ""
