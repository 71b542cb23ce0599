"""Exercises: a step of a proof is replaced by the learner's own, and the whole proof is checked again.

>>> from attn_verify.theorems.catalogue.softmax import weights_form_a_distribution as theorem
>>> exercise(theorem, "sum", theorem.step("sum").claim).accepted
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import App, Index, Sort, rename, walk
from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.theorems.arrays import Array, letter, size
from attn_verify.theorems.checking import apply, check
from attn_verify.theorems.claim_search import search
from attn_verify.theorems.claim_statements import stated_with
from attn_verify.theorems.counterexample import shown
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, changed, indices_of, terms_of
from attn_verify.theorems.printing import statement_text
from attn_verify.theorems.theorem import Step, Theorem

Library = Callable[[str], Theorem]


@dataclass(frozen=True)
class Answer:
    """What came of an exercise: whether the step and the proof hold, a message, and a counterexample if it is false."""

    accepted: bool
    message: str
    claim: Statement
    failed: str = ""  # the label of the step at which the proof stops
    counterexample: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        found = dict(self.counterexample) if self.counterexample is not None else None
        return {
            "accepted": self.accepted, "message": self.message, "claim": statement_text(self.claim),
            "failed": self.failed, "counterexample": found,
        }  # fmt: skip


def exercise(
    theorem: Theorem,
    label: str,
    claim: Statement | str,
    *,
    rule: str | None = None,
    given: Sequence[Statement] | None = None,
    using: Sequence[str] | None = None,
    hints: Mapping[str, Any] | None = None,
    library: Library | None = None,
) -> Answer:
    """Replace what one step claims by the learner's own claim, and check the proof with it.

    Args:
        theorem: the theorem whose proof it is.
        label: the label of the step.
        claim: a statement, or a text in the language of claims with the letters of the theorem.
        rule, given, using, hints: how it follows, where it is not as in the proof.
        library: where other theorems are found that the proof leans on.

    Raises:
        LanguageError: the theorem has no such step, or the text cannot be read.
    """
    labels = [s.label for s in theorem.steps]
    if label not in labels:
        known = ", ".join(labels)
        received = f"no step is called {shorten(label, 40)!r}"
        raise LanguageError(explain(f"exercise: {theorem.name}", received, remedy=f"steps: {known}"))
    old = theorem.step(label)
    mine = read(theorem, claim, old.claim) if isinstance(claim, str) else claim
    step = replace(
        old, claim=mine, rule=rule or old.rule, given=old.given if given is None else tuple(given),
        using=old.using if using is None else tuple(using), hints=old.hints if hints is None else hints,
    )  # fmt: skip
    facts: dict[str, Fact] = {}

    def find(name: str) -> Fact:
        if name in facts:
            return facts[name]
        if ":" in name and library is not None:
            other, inner = name.split(":")
            return check(library(other), library).facts[inner]
        raise RefusedError(f"no earlier step is called {name!r}")

    for one in theorem.steps:
        here = step if one.label == label else one
        try:
            facts[one.label] = apply(here, find)
        except (RefusedError, TypeError, ValueError, KeyError, RecursionError) as error:
            return _refused(one, here, str(error), label, mine)
    return Answer(True, f"step {label}: accepted by the rule {step.rule!r}; the proof holds with it", mine)


def _refused(step: Step, here: Step, why: str, label: str, mine: Statement) -> Answer:
    if step.label != label:
        message = f"step {label} is accepted, but the proof stops at step {step.label}: {why}"
        return Answer(False, message, mine, step.label)
    found = None
    if isinstance(mine, Eq | Le | Lt):
        given = [s for s in here.given if isinstance(s, Eq | Le | Lt)]
        model = search(mine, given, 2).model
        found = None if model is None else shown(mine, model)
    ending = f"it is {found['text']}" if found and "text" in found else "no counterexample was found: it may be true"
    return Answer(False, f"step {label} is not accepted by the rule {here.rule!r}: {why}; {ending}", mine, label, found)


def read(theorem: Theorem, text: str, instead: Statement) -> Statement:
    """Read a claim with the letters and sizes of a theorem, and the free indices of the statement it replaces."""
    sides = [t for s in theorem.steps for claim in (s.claim, *s.given) for side in terms_of(claim) for t in walk(side)]
    values: dict[str, Array] = {}
    sorts: dict[str, Sort] = {}
    for t in sides:
        if isinstance(t, App):
            values.setdefault(t.symbol.name, letter(t.symbol))
            sorts |= {sort.name: sort for sort in t.symbol.sorts if not sort.natural}
    for name, sort in sorts.items():
        values.setdefault(name, size(sort))
    found = stated_with(text, values)
    names: dict[Index, Index] = {}
    for sort in {i.sort for i in indices_of(found)}:
        own, old = (sorted((i for i in indices_of(s) if i.sort == sort), key=repr) for s in (found, instead))
        names |= dict(zip(own, old, strict=False))
    return changed(found, lambda t: rename(t, names))
