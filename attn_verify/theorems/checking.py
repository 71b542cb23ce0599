"""Check the steps of a proof one after another: every step becomes a fact of the kernel, or is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.proper import exact
from attn_verify.theorems.kernel import calculus, outside
from attn_verify.theorems.kernel import facts as kernel
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.statements import STATEMENTS, Statement
from attn_verify.theorems.theorem import Step, Theorem

RULES: Mapping[str, str] = {
    "hypothesis": "what the theorem assumes",
    "normal form": "both sides have the same normal form, at every size",
    "certificate": "the difference equals a term that is visibly non-negative (or positive)",
    "magnitude": "|t| = a because a ≥ 0 and a² = t²; or |t| ≤ a because t ≤ a and −t ≤ a",
    "congruence": "the same is computed from equal numbers",
    "cases": "a ≤ b or b ≤ a, and the claim follows from either",
    "contradiction": "a < b and b ≤ a cannot both be",
    "instance": "an earlier fact at particular terms or indices",
    "modus ponens": "a hypothesis is replaced by its proof",
    "induction": "it holds for 0, and from t it follows for t + 1, so for every t",
    "tangent": "value and slope are 0 at a point, and the second derivative is nowhere negative",
    "increasing": "it holds at the start, and the derivative is nowhere negative",
    "limit": "what grows fastest decides, and its factor is not 0",
    "integral": "the slope of an antiderivative is the body, and the value is how far it rises from end to end",
    "balls": "enclosures of both numbers are apart",
    "rank": "elimination over the fractions",
    "counted through": "evaluated for every whole number in the range",
    "cited": "a rule that is named, and not checked here",
}


@dataclass(frozen=True, repr=False)
class Checked:
    """A theorem whose steps were all accepted, with their facts."""

    theorem: Theorem
    facts: Mapping[str, Fact]
    seconds: float

    @property
    def cited(self) -> tuple[str, ...]:
        """What the steps lean on without checking it, and the programs outside of the kernel."""
        return tuple(sorted(set().union(*(f.cited for f in self.facts.values()))))

    @property
    def fixed(self) -> tuple[str, ...]:
        """Sizes or ranges at which alone the conclusions were checked; empty for all sizes."""
        return tuple(sorted(set().union(*(self.facts[label].fixed for label in self.theorem.concludes))))

    @property
    def intact(self) -> bool:
        """Whether every step is still what a rule of the kernel made, and the conclusions are derived."""
        made = all(s.label in self.facts and proves(self.facts[s.label], s) for s in self.theorem.steps)
        return made and not _underived(self.theorem, self.facts)

    def __repr__(self) -> str:
        from attn_verify.theorems.presenting import scope

        if not self.intact:
            return f"{self.theorem.name}: not checked, or changed after it was"
        return f"{self.theorem.name}: PROVED, {scope(self)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the theorem, its steps and what they rest on as plain data; prose holds LaTeX between dollars."""
        from attn_verify.theorems.presenting import describe

        return describe(self)

    def _repr_latex_(self) -> str:
        from attn_verify.report.theorem_latex import render_latex

        return render_latex(self.to_dict(), fragment=True)

    def _repr_html_(self) -> str:
        from attn_verify.report.theorem_html import render_html

        return render_html(self.to_dict())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from attn_verify.report.theorem_text import render_text

        plain = render_text(self.to_dict())
        return {"text/plain": plain, "text/latex": self._repr_latex_(), "text/html": self._repr_html_()}


Find = Callable[[str], Fact]


def apply(step: Step, find: Find) -> Fact:
    """Return the fact that a step claims; ``find`` gives the facts that it uses."""
    used: list[Any] = [find(label) for label in step.using]
    given: Any = step.given
    hints: dict[str, Any] = dict(step.hints)
    claim: Any = step.claim
    match step.rule:
        case "hypothesis":
            fact = kernel.assume(claim)
        case "normal form":
            fact = kernel.algebra(claim, step.given, used)
        case "certificate":
            fact = kernel.order(claim, step.given, used, **hints)
        case "magnitude":
            fact = kernel.magnitude(claim, step.given, used)
        case "congruence":
            fact = kernel.congruence(claim, used[0], given=step.given, **hints)
        case "cases":
            fact = kernel.cases(*used)
        case "contradiction":
            fact = kernel.contradiction(*used)
        case "instance":
            fact = kernel.instance(used[0], **hints)
        case "modus ponens":
            fact = kernel.discharge(*used)
        case "induction":
            fact = kernel.induction(*used, **hints)
        case "tangent":
            fact = calculus.tangent(claim, *used, **hints)
        case "increasing":
            fact = calculus.rising(claim, *used, **hints)
        case "limit":
            fact = outside.limit(claim, step.given)
        case "integral":
            fact = outside.integral(claim, step.given, **hints)
        case "balls":
            fact = outside.balls(claim)
        case "rank":
            fact = outside.rank(claim)
        case "counted through":
            fact = outside.counting(claim, where=given, **hints)
        case "cited":
            fact = kernel.cite(claim.rule, claim.text, *used)
        case _:
            raise RefusedError(f"no rule is called {step.rule!r}")
    if not proves(fact, step):
        raise RefusedError("the rule yields another statement than the step claims")
    return fact


def proves(fact: Fact, step: Step) -> bool:
    """Return whether a fact is genuine, and what the step claims; neither was changed, nor only seems to be."""
    return kernel.genuine(fact) and exact(step.claim, STATEMENTS) and fact.statement == step.claim


def check(theorem: Theorem, library: Callable[[str], Theorem | Checked] | None = None) -> Checked:
    """Check every step of a theorem; raise ``RefusedError`` that names the step if one fails.

    The ``library`` gives the theorems that it needs; those that are not checked yet are checked first.
    """
    start, elsewhere = time.perf_counter(), 0.0
    facts: dict[str, Fact] = {}
    other: dict[str, Checked] = {}

    def find(label: str) -> Fact:
        nonlocal elsewhere
        if ":" not in label:
            if label not in facts:
                raise RefusedError(f"{theorem.name}: no earlier step is called {label!r}")
            return facts[label]
        name, inner = label.split(":")
        if name not in theorem.needs or library is None:
            raise RefusedError(f"{theorem.name} does not say that it needs {name}")
        if name not in other:
            began = time.perf_counter()
            found = library(name)
            other[name] = found if isinstance(found, Checked) else check(found, library)
            elsewhere += time.perf_counter() - began
        return other[name].facts[inner]

    for step in theorem.steps:
        if step.label in facts:
            raise RefusedError(f"{theorem.name}: two steps are called {step.label!r}")
        try:
            facts[step.label] = apply(step, find)
        except (RefusedError, TypeError, ValueError, KeyError, RecursionError) as error:
            raise RefusedError(f"{theorem.name}, step {step.label}: {error}") from error
    if not all(proves(facts[step.label], step) for step in theorem.steps):
        raise RefusedError(f"{theorem.name}: a fact was changed after a rule made it")
    if why := _underived(theorem, facts):
        raise RefusedError(f"{theorem.name}: {why}")
    return Checked(theorem, facts, time.perf_counter() - start - elsewhere)


def _underived(theorem: Theorem, facts: Mapping[str, Fact]) -> str:
    """Return why the conclusions of a theorem are not derived, or nothing."""
    for label in theorem.concludes:
        if label not in facts:
            return f"its conclusion {label!r} is no step"
        if facts[label].statement in facts[label].given:
            return f"its conclusion {label!r} is what it assumes"
    return "" if theorem.concludes else "it concludes nothing"


def hypotheses(fact: Fact) -> tuple[Statement, ...]:
    """Return what a fact assumes, in a stable order."""
    return tuple(sorted(fact.given, key=repr))
