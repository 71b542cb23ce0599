"""Claims and verdicts: what was stated, and what is known about it.

``REFUTED < UNDECIDED < TESTED < PROBABLE < PROVED``; across claims the minimum counts.
A verdict says what it covers (scope), what it rests on (assumptions) and why (evidence).
It has no truth value: ask for its ``status`` or ``require`` one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NoReturn

from attn_verify.errors import NothingCheckedError, VerdictError, explain


class Status(IntEnum):
    """What is known about a claim, weakest first."""

    REFUTED = 0
    UNDECIDED = 1
    TESTED = 2
    PROBABLE = 3
    PROVED = 4

    @property
    def meaning(self) -> str:
        """One sentence that says what the status means."""
        return _MEANINGS[self]

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this status: 0 holds, 1 refuted, 3 undecided."""
        return {Status.REFUTED: 1, Status.UNDECIDED: 3}.get(self, 0)


_MEANINGS = {
    Status.REFUTED: "a witness against it exists and was evaluated",
    Status.UNDECIDED: "it could not be decided",
    Status.TESTED: "nothing that was tried contradicts it",
    Status.PROBABLE: "it holds except with the stated probability",
    Status.PROVED: "it holds everywhere in the stated scope",
}


@dataclass(frozen=True)
class Claim:
    """A statement to be judged: an identifier and one sentence."""

    name: str
    statement: str


@dataclass(frozen=True)
class Verdict:
    """What is known about one claim.

    ``status`` is ``None`` exactly when the claim does not apply to the target.  ``counts`` is
    ``False`` for a claim that applies but cannot bear on the outcome, for instance because a
    document does not print what the claim depends on.  ``subject`` heads the JSON of a verdict that
    stands alone (``{"target": …, "spec": …}``); in an audit it is empty.

    >>> verdict = Verdict(Claim("rounding", "every entry is inside its bound"), Status.TESTED)
    >>> verdict.require(Status.TESTED) is verdict
    True
    """

    claim: Claim
    status: Status | None
    method: str = ""
    scope: Mapping[str, Any] = field(default_factory=dict)
    assumptions: tuple[Mapping[str, Any], ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    counts: bool = True
    subject: Mapping[str, Any] = field(default_factory=dict)

    @property
    def applies(self) -> bool:
        """Whether the claim applies to the target at all."""
        return self.status is not None

    def __bool__(self) -> NoReturn:
        """Refuse: a verdict has more than two values."""
        raise TypeError("a verdict has no truth value; use verdict.status or verdict.require(Status.…)")

    def require(self, status: Status) -> Verdict:
        """Return the verdict if it reaches ``status``, else raise ``VerdictError``."""
        if self.status is None or self.status < status:
            error = VerdictError(_shortfall(self.claim.name, self.claim.statement, self.status, status, self.evidence))
            # A claim that does not apply leaves the question open, like one that could not be decided.
            error.exit_code = Status.UNDECIDED.exit_code if self.status is None else self.status.exit_code or 1
            raise error
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as in the JSON of an audit."""
        return {
            **self.subject,
            "name": self.claim.name,
            "statement": self.claim.statement,
            "applies": self.applies,
            "status": None if self.status is None else self.status.name,
            "counts": self.counts and self.applies,
            "method": self.method,
            "scope": dict(self.scope),
            "assumptions": [dict(assumption) for assumption in self.assumptions],
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True)
class Audit:
    """The verdicts on one subject; its status is the smallest of those that count.

    ``subject`` becomes the head of the JSON: ``{"document": …}`` or ``{"target": …, "spec": …}``.
    """

    subject: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    seed: int | None = None

    def __bool__(self) -> NoReturn:
        """Refuse: an audit has more than two outcomes."""
        raise TypeError("an audit has no truth value; use audit.status or audit.require(Status.…)")

    def __iter__(self) -> Iterator[Verdict]:
        """Iterate over the verdicts."""
        return iter(self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        """Return the verdict on the claim of that name."""
        for verdict in self.verdicts:
            if verdict.claim.name == name:
                return verdict
        raise KeyError(f"no claim {name!r}; claims: {', '.join(v.claim.name for v in self.verdicts)}")

    @property
    def status(self) -> Status:
        """The smallest status of the claims that count; raises ``NothingCheckedError`` if none does."""
        statuses = list(_counting(self.verdicts))
        if not statuses:
            names = ", ".join(verdict.claim.name for verdict in self.verdicts) or "none"
            remedy = "an audit needs at least one claim that applies and could be judged"
            raise NothingCheckedError(explain("audit", f"claims: {names}", "nothing was checked", remedy=remedy))
        return min(statuses)

    def require(self, status: Status) -> Audit:
        """Return the audit if its status reaches ``status``, else raise ``VerdictError`` naming the weakest claim."""
        if self.status < status:
            weakest = next(v for v in self.verdicts if v.counts and v.status == self.status)
            weakest.require(status)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the audit in the documented JSON form."""
        from attn_verify import __version__

        return {
            **self.subject,
            "status": self.status.name,
            "claims": [verdict.to_dict() for verdict in self.verdicts],
            "diagnosis": None,
            "seed": self.seed,
            "version": __version__,
        }


def _counting(verdicts: Iterable[Verdict]) -> Iterator[Status]:
    for verdict in verdicts:
        if verdict.counts and verdict.status is not None:
            yield verdict.status


def _shortfall(name: str, statement: str, got: Status | None, wanted: Status, evidence: Mapping[str, Any]) -> str:
    reached = "does not apply" if got is None else f"is {got.name}: {got.meaning}"
    facts = [f"{key}: {value}" for key, value in evidence.items() if isinstance(value, (str, int, float))]
    return explain(f"{name}: {statement}", f"the claim {reached}", *facts, remedy=f"{wanted.name} was required")
