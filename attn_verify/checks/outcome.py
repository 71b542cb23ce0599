"""What is known about one case of a proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.graph import Graph, Node
from attn_verify.arithmetic.tracing.session import MAXIMUM_COMPARED
from attn_verify.checks.agreement import allowance_of
from attn_verify.checks.verdict import Status
from attn_verify.targets.aliases import sharing
from attn_verify.targets.units import Case

Json = Mapping[str, Any]
Read = Callable[[Json], "list[float] | None"]

# How cases are decided at sizes where entries are not traced one by one.
METHOD = "identity test on whole arrays"


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
    """One path whose every entry was shown equal to the formula."""

    conditions: Sequence[Condition]
    entries: Mapping[tuple[str, tuple[int, ...]], Node]
    way: str = ""  # which instructions of the target ran, and which lines
    lines: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()  # the ways inside lines
    values: Json = field(default_factory=dict)  # of expressions, as far as they are no exact numbers


_CHANGES = "it changes its inputs: "


@dataclass(eq=False)  # one case is another than every other
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
    wrong_paths: int = 0
    fills: dict[Fraction, Fraction] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)
    made: int = 0  # how many of its nodes, the first ones, the target has computed
    ran: Json = field(default_factory=dict)
    one_end: bool = False  # whether every path ends at one statement that raises, so whatever the numbers are
    maxima: bool = False
    partial: bool = False
    sets: bool = False  # whether the target made a set
    coarse: bool = True  # whether results may come of what was cast to a narrower format

    @property
    def only_partial(self) -> bool:
        """Whether every path that was run equals the formula, and the only doubt is that there are more of them."""
        return self.partial and len(self.reasons) == 1 and bool(self.paths)

    @property
    def described(self) -> str:
        """Sizes and what else tells the case from others: axes of batch and heads, arguments that are one object."""
        case = self.case
        (b, h), heads = case.batch, case.sizes.heads
        sizes = {name: value for name, value in case.sizes.items() if name != "heads" or value > 1}
        sizes |= {"batch": b} if case.convention.batched else {}
        sizes |= {"h": h} if h not in (1, heads) else {}
        shared = sharing(case)
        more = [shared] if shared else ["X_KV is not X"] if case.sizes.apart else []
        return ", ".join([f"{name}={value}" for name, value in sizes.items()] + more)

    @property
    def only_changes(self) -> bool:
        """Whether all that speaks against it is that it changes its inputs: its results are right."""
        return bool(self.reasons) and all(reason.startswith(_CHANGES) for reason in self.reasons)

    @property
    def result_notes(self) -> list[Any]:
        """The notes that bear on the results: casts do only if results come of what was cast."""
        return [note for note in self.notes if self.coarse or note["kind"] != "cast"]

    def doubt(self, reason: str, remedy: str = "") -> None:
        """Take back what was shown: the case is undecided for this reason."""
        self.status = Status.UNDECIDED
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.remedy = self.remedy or remedy


def check_plain(outcome: Outcome, result: Json, read: Read | None = None) -> None:
    """Compare the float run of a case with one in a plain process, where nothing tells that code is being verified."""
    differs = "in a plain Python process, after other calls, it returns something else: state, or a trap"
    check_again(outcome, result, "in a plain Python process", differs, read)


def check_again(outcome: Outcome, result: Json, where: str, differs: str, read: Read | None = None) -> None:
    """Compare the float run of a case with another one: doubt what ends otherwise, and what ``differs``.

    ``read`` returns the entries of a returned value in a fixed order, ``None`` where it does not fit; without it the
    same small arrays were computed twice on one machine, in whatever format, and differ by next to nothing.
    """
    if outcome.status is Status.UNDECIDED or outcome.ran.get("outcome") != "returned":
        return
    if result["outcome"] in ("timeout", "memory"):
        outcome.doubt(f"{where}, the run ended with {result['outcome']!r}")
        return
    of = read or (lambda value: entries_of(outcome.case, value))
    there = of(result["value"]) if result["outcome"] == "returned" else None
    here = of(outcome.ran["value"])
    if there is None or here is None:
        outcome.doubt(f"{where}, the run ended with {result['outcome']!r}")
    elif not alike(here, there, allowance_of(outcome.result_notes if read else [])):
        outcome.doubt(differs)


def alike(here: list[float], there: list[float], allowance: float) -> bool:
    """Return whether two float runs gave the same numbers, but for an allowance relative to the largest and to 1."""
    largest = max([1.0, *(abs(x) for x in here if math.isfinite(x))])
    return len(there) == len(here) and all(
        a == b or abs(a - b) <= allowance * largest or (math.isnan(a) and math.isnan(b))
        for a, b in zip(there, here, strict=True)
    )


def entries_of(case: Case, value: Json) -> list[float] | None:
    """Return the entries of a returned value in a fixed order, ``None`` where it does not fit."""
    found = case.select(value)
    if not isinstance(found, list):
        return None
    return [float.fromhex(str(item.value)) for item in sorted(found, key=lambda item: (item.name, item.index))]


def check_run(outcome: Outcome, trace: Json, ran: Json) -> None:
    """Take note of everything about the two runs that forbids a proof."""
    for refusal in trace.get("refusals", ()):
        outcome.maxima |= refusal["operation"] == MAXIMUM_COMPARED
        outcome.doubt(f"{refusal['operation']}{_at(refusal)}: {refusal['cause']}", refusal["remedy"])
    for name, result in (("exact numbers", trace), ("floats", ran)):
        if result["outcome"] not in ("returned", "refused"):
            error = result.get("exception")
            said = f": {error['type']}: {error['text']}{_at(error)}" if error else ""
            remedy = "give --seconds more, or smaller sizes" if result["outcome"] == "timeout" else ""
            outcome.doubt(f"in {name}, the run ended with {result['outcome']!r}{said}", remedy)
        if result.get("changed"):
            outcome.doubt(f"{_CHANGES}{', '.join(result['changed'])}")
        if result.get("tampered"):
            outcome.doubt(f"it changes libraries that others use: {', '.join(map(str, result['tampered']))}")
        check_limits(outcome, result)
        if result.get("random"):
            outcome.doubt("it draws random numbers", "switch randomness off")
    if any(note["kind"] == "text" for note in trace.get("notes", ())):
        outcome.doubt(
            "it writes exact numbers as text, and what becomes of the text is not followed", "print no values"
        )
    if trace["outcome"] == "returned" and not trace.get("called_again", True):
        outcome.doubt("no time was left for a call after one with other inputs", "give --seconds more")
    elif trace["outcome"] == "returned" and not trace.get("repeatable", True):
        outcome.doubt(
            "a call by position after one with other inputs computes something else: it keeps state, or depends on how"
            " it is called"
        )
    if trace["outcome"] == "refused" and not trace.get("refusals"):
        outcome.doubt("the run was refused")


def check_limits(outcome: Outcome, result: Json) -> None:
    """Doubt a case whose run met a limit of its process, even if the target caught the error."""
    if result.get("limits"):
        outcome.doubt(f"it meets a limit that other processes may not have: {', '.join(result['limits'])}")


def check_ended(outcome: Outcome, result: Json, how: str) -> None:
    """Doubt a case with a further run that its limits ended: of it nothing is known."""
    if result["outcome"] in ("timeout", "memory"):
        outcome.doubt(f"in floats, {how}, the run ended with {result['outcome']!r}", "give --seconds more")


def in_parts(
    calls: Sequence[dict[str, Any]], run: Callable[[list[dict[str, Any]]], Sequence[Json]], size: int
) -> Iterator[Json]:  # fmt: skip
    """Yield the results of calls, ``size`` of them at a time in one process."""
    for start in range(0, len(calls), size):
        yield from run(list(calls[start : start + size]))


def check_ways(outcome: Outcome, exact_run: Json, float_run: Json) -> None:
    """Compare the lines and the instructions that both runs executed at the same point."""
    remedy = "avoid branches on types, dtypes and other things than numbers"
    differing = sorted(set(exact_run["lines"]) ^ set(float_run["lines"]))
    if differing:
        shown = ", ".join(short_place(line) for line in differing[:3])
        outcome.doubt(f"floats and exact numbers take different ways: {shown}", remedy)
    elif exact_run["opcodes"] != float_run["opcodes"]:
        outcome.doubt("floats and exact numbers take different ways inside a line", remedy)


def _at(error: Json) -> str:
    return f" at {short_place(error['place'])}" if error["place"] else ""


def line_of(block: str) -> str:
    """Return ``file:line`` of a part of a function without jumps, where the function begins."""
    return ":".join(block.split(":")[:2])


def short_place(place: str) -> str:
    """Return the last part of the path of ``file:line``."""
    return place.rsplit("/", 1)[-1]
