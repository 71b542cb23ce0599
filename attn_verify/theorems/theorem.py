"""Theorems as data: a statement, hypotheses, steps that the kernel checks, a near-miss, an illustration, a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.terms import App, Index, Sort, Symbol, Term
from attn_verify.theorems.kernel.statements import Statement

Hints = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One line of a proof: what is claimed, by which rule of the kernel, from what, and why, in words."""

    label: str
    claim: Statement
    rule: str
    why: str
    given: tuple[Statement, ...] = ()
    using: tuple[str, ...] = ()  # labels of earlier steps, or ``theorem:label``
    hints: Hints = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """Sizes and values at which terms are numbers: nested tuples of closed terms, by symbol; fixed indices by place."""

    sizes: Mapping[Sort, int] = field(default_factory=dict)
    values: Mapping[Symbol, Any] = field(default_factory=dict)
    places: Mapping[Index, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NearMiss:
    """A statement that is almost the theorem and false: ``model`` satisfies ``given`` and not ``claim``."""

    text: str
    claim: Statement
    model: Model
    given: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Illustration:
    """Terms with their values at a model, under a line of words."""

    text: str
    model: Model
    shown: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, repr=False)
class Theorem:
    """A claim with a proof whose steps are checked, plus words and source; texts hold LaTeX between dollar signs."""

    name: str
    family: str
    level: int
    statement: str
    hypotheses: str
    why: str
    predict: str
    steps: tuple[Step, ...]
    concludes: tuple[str, ...]  # labels of the steps that are the statement
    near_miss: NearMiss
    illustration: Illustration
    source: str
    needs: tuple[str, ...] = ()
    told: tuple[str, ...] = ()  # what the words draw on and no step checks

    def __repr__(self) -> str:
        return f"Theorem({self.name!r})"

    def step(self, label: str) -> Step:
        """Return the step with a label."""
        return next(s for s in self.steps if s.label == label)


Prover = Callable[[Step, Sequence[Any]], Any]
Exact = Term | Fraction | int
Entry = App
