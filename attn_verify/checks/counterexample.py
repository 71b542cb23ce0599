"""A counterexample: inputs on which real code is not what was claimed, complete enough to be run again.

A file holds the call, those before it, the inputs as exact floats, which numbers of the call belong to which entry of
the formula, where the result is in what the function returns, and what was seen.
``docs/reference/counterexample-format.md`` documents every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.differences import difference, overwriting
from attn_verify.checks.witness_plan import Plan, contradiction, recipe
from attn_verify.errors import DocumentError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

# What is wrong: an entry outside its bound; an exception; no array of the right shape; an entry that is no finite
# number; an argument, or the state of global random generators, that was changed in place; another result than the
# same call has alone in a fresh process, or than it had before later calls.
KINDS = ("value", "raised", "shape", "nan", "changed", "differs")


# Inputs with an axis of the batch in front, by their number of axes.
_BATCHED = (("Q", 4), ("X", 3))


@dataclass(frozen=True)
class Earlier:
    """A call that is made before or after, in the same process, ``repeat`` times; its sizes may be others."""

    call: Mapping[str, Any]
    inputs: Mapping[str, NDArray[np.float64]]
    repeat: int = 1


@dataclass(frozen=True)
class Counterexample:
    """Inputs on which ``target`` contradicts ``claim``, and what was seen there.

    ``call`` holds ``arguments`` and ``positional`` as the runner of targets reads them; their entries count the
    entries of ``inputs``, array by array, row-major.  ``plan`` says what the call is judged by.  ``found`` depends on
    ``kind``: ``unit``, ``result``, ``entry`` (from 1), ``got``, ``exact`` (an enclosure), ``error``, ``bound``,
    ``error_bounds``, ``error_ulp`` for ``value`` and ``nan``; ``exception`` for ``raised``; ``returned`` and
    ``expected`` for ``shape``; names of parameters for ``changed``, and ``random`` whether the state of the global
    random generators was; for ``differs`` what :func:`~attn_verify.checks.differences.difference` returns.

    ``before`` are calls made first in the same process; ``{"again": {"call": k, "with": …}}`` in a later call is the
    object that call ``k`` (from 0) received, with other numbers in it.  ``after`` are calls made later: where there
    are any, ``differs`` means that what the call returned is another thing after them.
    """

    claim: str
    kind: str
    target: str
    layout: str
    call: Mapping[str, Any]
    inputs: Mapping[str, NDArray[np.float64]]
    plan: Plan
    found: Mapping[str, Any]
    seed: int = 0
    version: str = ""
    before: tuple[Earlier, ...] = ()
    after: tuple[Earlier, ...] = ()

    def __post_init__(self) -> None:
        """Fill in the version of the package."""
        if not self.version:
            from attn_verify import __version__

            object.__setattr__(self, "version", __version__)

    @property
    def spec(self) -> AttentionSpec:
        """The conventions that the target should follow."""
        return self.plan.spec

    @property
    def sizes(self) -> Sizes:
        """The sizes of the first evaluation of the formula."""
        return self.plan.units[0].sizes

    @property
    def sizes_in_words(self) -> str:
        """Sizes with the lengths of the axes of batch and heads, as far as there are any: ``n=1, m=2, …, batch=3``."""
        sizes = {name: size for name, size in self.sizes.items() if name != "heads" or size > 1}
        batched = {name: array.shape for name, array in self.inputs.items() if (name, array.ndim) in _BATCHED}
        for shape in list(batched.values())[:1]:
            sizes["batch"] = shape[0]
            if len(shape) > 3 and shape[1] > 1:
                sizes["heads"] = shape[1]
        return ", ".join(f"{name}={size}" for name, size in sizes.items())

    @property
    def summary(self) -> str:
        """One line: what is wrong, and by how much."""
        found = self.found
        match self.kind:
            case "value":
                off = f"off by {found['error']:.3g}, {found['error_bounds']:.3g} times the bound"
                return f"{self.entry} is {float.fromhex(found['got'])!r}, {off}"
            case "nan":
                return f"{self.entry} is {float.fromhex(found['got'])!r}, the exact value is {short(found['exact'])}"
            case "raised":
                error = found["exception"]
                return f"raised {error['type']}: {error['text']}" if error["text"] else f"raised {error['type']}"
            case "shape":
                return f"returned {found['returned']}, not {found['expected']}"
            case "differs" if "entry" in found:
                got, alone = float.fromhex(found["got"]), float.fromhex(found["alone"])
                if self.after:
                    return f"{self.entry} is {alone!r} when the call returns, and {got!r} {self._when}"
                return f"{self.entry} is {got!r} {self._when}, {alone!r} alone"
            case "differs" if self.after:
                return f"{found['now']} {self._when}; when the call returned: {found['alone']}"
            case "differs":
                return f"{found['now']} {self._when}; alone: {found['alone']}"
            case _:
                random = ["the state of global random generators"] if found.get("random") else []
                changed = [f"{', '.join(found['changed'])} in place"] if found["changed"] else []
                return f"changed {' and '.join(changed + random)}"

    @property
    def entry(self) -> str:
        """The entry that is wrong, counted from 1: ``O[1,2]``; empty where the result as a whole is."""
        if "entry" not in self.found:
            return ""
        index = ",".join(map(str, self.found["entry"]))
        many = self.found["unit"] > 0 and len(self.plan.units) > 1
        return f"{self.found['result']}[{index}]" + (f" of unit {self.found['unit']}" if many else "")

    @property
    def _when(self) -> str:
        if self.after:
            calls = sum(later.repeat for later in self.after)
            return f"after {calls} more call{'s' if calls > 1 else ''}"
        calls = sum(earlier.repeat for earlier in self.before)
        return f"after {calls} call{'s' if calls > 1 else ''}" if calls else "in another process"

    def recipe(self) -> dict[str, Any]:
        """Return the call by itself for a runner."""
        return recipe(self.target, alone(self.call), self.inputs)

    def recipes(self) -> list[dict[str, Any]]:
        """Return the calls for a runner, in one process: those before, the one that is judged, those after."""
        before, after = (
            [{**recipe(self.target, one.call, one.inputs), "repeat": one.repeat} for one in calls]
            for calls in (self.before, self.after)
        )
        keep = {"keep": True} if after else {}
        return [*before, {**recipe(self.target, self.call, self.inputs), **keep}, *after]

    def outcomes(self, runner: Any, seconds: float) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Run the calls in one plain process, and where :meth:`judge` needs it the call alone in another one."""
        outcome = runner.plain(self.recipes(), seconds=seconds)[len(self.before)]
        compared = self.kind == "differs" and not self.after
        return outcome, runner.plain([self.recipe()], seconds=seconds)[0] if compared else None

    def at(self, target: str) -> Counterexample:
        """Return the same counterexample for a target that has moved."""
        return replace(self, target=target)

    def seen_again(self, kind: str, found: Mapping[str, Any]) -> Counterexample:
        """Return the same inputs with what another run showed."""
        return replace(self, kind=kind, found=found)

    def judge(self, outcome: Mapping[str, Any], alone: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return what contradicts the claim in a float run of the calls, ``None`` if nothing does.

        ``alone`` is a run of the call by itself in another process, which ``differs`` needs unless there are calls
        after it.  Raises ``TimeoutError`` for a run without an answer.
        """
        if self.kind == "differs" and self.after and outcome["outcome"] == "returned":
            changed = overwriting(outcome, self.plan)
            return None if changed is None else {"kind": "differs", **changed}
        if self.kind == "differs" and not self.after:
            if alone is None:
                raise ValueError("a difference needs two runs")
            found = difference(outcome, alone, self.plan, self.inputs)
            return None if found is None else {"kind": "differs", **found}
        if self.kind == "changed" and (outcome.get("changed") or outcome.get("random")):
            random = {"random": True} if outcome.get("random") else {}
            return {"kind": "changed", "changed": list(outcome["changed"]), **random}
        return contradiction(outcome, self.plan, self.inputs, self.claim)

    def run(self, runner: Any, seconds: float) -> dict[str, Any] | None:
        """Run the calls in ordinary Python processes and return what contradicts the claim (see :meth:`judge`).

        ``runner`` is a :class:`~attn_verify.targets.runner.Runner`, ``seconds`` the time limit of a process.
        """
        return self.judge(*self.outcomes(runner, seconds))

    def to_dict(self) -> dict[str, Any]:
        """Return the counterexample as in its file."""
        from attn_verify.checks.witness_file import write

        return write(self)

    @classmethod
    def from_dict(cls, data: object) -> Counterexample:
        """Read what :meth:`to_dict` wrote; raises ``DocumentError`` naming the first thing that is wrong."""
        from attn_verify.checks.witness_file import read

        return read(data)

    def save(self, path: str | Path) -> None:
        """Write the file; raises ``DocumentError`` where that is impossible."""
        from attn_verify.report.strict_json import dumps

        try:
            Path(path).write_text(dumps(self.to_dict()) + "\n", "utf-8")
        except OSError as error:
            raise DocumentError(explain(f"counterexample: {path}", f"it cannot be written: {error.strerror}")) from None

    @classmethod
    def load(cls, path: str | Path) -> Counterexample:
        """Read a file; raises ``DocumentError`` naming the first thing that is wrong."""
        from attn_verify.checks.witness_file import load

        return load(path)

    def text(self) -> str:
        """Return the counterexample as Python that can be pasted, with what was seen as comments."""
        from attn_verify.checks.witness_text import text

        return text(self)


def alone(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call with objects of its own in place of those of earlier calls."""
    arguments = {name: item["again"]["with"] if "again" in item else item for name, item in call["arguments"].items()}
    return {**call, "arguments": arguments}


def short(enclosure: str) -> str:
    """Return the middle of an enclosure: ``[0.25 +/- 1e-20]`` reads ``0.25``.

    >>> short("[0.333333333333333333 +/- 3.4e-19]")
    '0.333333333333333333'
    """
    middle = enclosure.strip("[]").split(" +/-")[0]
    # The zeros of an exact number are no digits of a rounded one.
    return middle.rstrip("0").rstrip(".") if "." in middle and "e" not in middle else middle
