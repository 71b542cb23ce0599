"""What is known about one case of a proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.checks.agreement import allowance_of
from attn_verify.checks.verdict import Status
from attn_verify.targets.units import Case

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Condition:
    """A question that the target asked about values, and the answer on this path."""

    op: str
    left: Node
    right: Node
    answer: bool
    place: str


@dataclass(frozen=True)
class ProvedPath:
    """One path whose every entry was shown equal to the formula, for the certificate."""

    conditions: Sequence[Condition]
    entries: Mapping[tuple[str, tuple[int, ...]], Node]


@dataclass
class Outcome:
    """What is known about one case.

    ``points`` are inputs at which a refutation may be found; ``excluded`` are equations that the proof leaves out.
    """

    case: Case
    status: Status = Status.PROVED
    methods: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)
    remedy: str = ""
    notes: list[Json] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    points: list[Mapping[Any, Fraction]] = field(default_factory=list)
    error_log2: float = float("-inf")
    entries: int = 0
    paths: list[ProvedPath] = field(default_factory=list)
    fills: set[Fraction] = field(default_factory=set)
    graph: Graph = field(default_factory=Graph)
    ran: Json = field(default_factory=dict)
    maxima: bool = False
    partial: bool = False

    @property
    def only_partial(self) -> bool:
        """Whether every path that was run equals the formula, and the only doubt is that there are more of them."""
        return self.partial and len(self.reasons) == 1 and bool(self.paths)

    def doubt(self, reason: str, remedy: str = "") -> None:
        """Take back what was shown: the case is undecided for this reason."""
        self.status = Status.UNDECIDED
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.remedy = self.remedy or remedy


def check_plain(outcome: Outcome, result: Json) -> None:
    """Compare the float run of a case with one in a plain process, where nothing tells that code is being verified."""
    if outcome.status is Status.UNDECIDED or outcome.ran.get("outcome") != "returned":
        return
    if result["outcome"] in ("timeout", "memory"):
        outcome.doubt(f"in a plain Python process, the run ended with {result['outcome']!r}")
        return
    there = outcome.case.select(result["value"]) if result["outcome"] == "returned" else None
    here = outcome.case.select(outcome.ran["value"])
    if not isinstance(there, list) or not isinstance(here, list):
        outcome.doubt(f"in a plain Python process, the run ended with {result['outcome']!r}")
        return
    values = {(item.name, item.index): float.fromhex(str(item.value)) for item in here}
    largest = max([1.0, *map(abs, values.values())])
    allowance = allowance_of(outcome.notes) * largest
    for item in there:
        if not abs(float.fromhex(str(item.value)) - values[item.name, item.index]) <= allowance:
            outcome.doubt("in a plain Python process, after other calls, it returns something else: state, or a trap")
            return
