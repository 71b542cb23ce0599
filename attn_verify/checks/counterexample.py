"""A counterexample: inputs on which real code is not what was claimed, complete enough to be run again.

A file holds the call, the inputs as exact floats, which numbers of the call belong to which entry of the formula,
where the result is in what the function returns, and what was seen.  ``docs/reference/counterexample-format.md``
documents every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_verify.checks.witness_plan import Plan, contradiction, recipe
from attn_verify.errors import DocumentError, explain
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

# What is wrong: an entry outside its bound; an exception; no array of the right shape; an entry that is no finite
# number; an argument that was changed in place.
KINDS = ("value", "raised", "shape", "nan", "changed")


@dataclass(frozen=True)
class Counterexample:
    """Inputs on which ``target`` contradicts ``claim``, and what was seen there.

    ``call`` holds ``arguments`` and ``positional`` as the runner of targets reads them; their entries count the
    entries of ``inputs``, array by array, row-major.  ``plan`` says what the call is judged by.  ``found`` depends on
    ``kind``: ``unit``, ``result``, ``entry`` (from 1), ``got``, ``exact`` (an enclosure), ``error``, ``bound``,
    ``error_bounds``, ``error_ulp`` for ``value`` and ``nan``; ``exception`` for ``raised``; ``returned`` and
    ``expected`` for ``shape``; names of parameters for ``changed``.
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
            case _:
                return f"changed {', '.join(found['changed'])} in place"

    @property
    def entry(self) -> str:
        """The entry that is wrong, counted from 1: ``O[1,2]``; empty where the result as a whole is."""
        if "entry" not in self.found:
            return ""
        index = ",".join(map(str, self.found["entry"]))
        many = self.found["unit"] > 0 and len(self.plan.units) > 1
        return f"{self.found['result']}[{index}]" + (f" of unit {self.found['unit']}" if many else "")

    def recipe(self) -> dict[str, Any]:
        """Return the call for a runner."""
        return recipe(self.target, self.call, self.inputs)

    def at(self, target: str) -> Counterexample:
        """Return the same counterexample for a target that has moved."""
        return replace(self, target=target)

    def seen_again(self, kind: str, found: Mapping[str, Any]) -> Counterexample:
        """Return the same inputs with what another run showed."""
        return replace(self, kind=kind, found=found)

    def judge(self, outcome: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what contradicts the claim in a float run of the call, ``None`` if nothing does.

        Raises ``TimeoutError`` for a run without an answer.
        """
        if self.kind == "changed" and outcome.get("changed"):
            return {"kind": "changed", "changed": list(outcome["changed"])}
        return contradiction(outcome, self.plan, self.inputs)

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


def short(enclosure: str) -> str:
    """Return the middle of an enclosure: ``[0.25 +/- 1e-20]`` reads ``0.25``.

    >>> short("[0.333333333333333333 +/- 3.4e-19]")
    '0.333333333333333333'
    """
    middle = enclosure.strip("[]").split(" +/-")[0]
    # The zeros of an exact number are no digits of a rounded one.
    return middle.rstrip("0").rstrip(".") if "." in middle and "e" not in middle else middle
