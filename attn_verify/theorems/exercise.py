"""Exercises: a step of a proof is replaced by the learner's own, and the whole proof is checked again.

>>> from attn_verify.theorems.catalogue.softmax import weights_form_a_distribution as theorem
>>> exercise(theorem, "sum", theorem.step("sum").claim).accepted
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import (
    Add,
    App,
    Delta,
    Index,
    Mul,
    Pow,
    Sort,
    Sum,
    Term,
    Trig,
    Whole,
    parts,
    rename,
    walk,
)  # fmt: skip
from attn_verify.errors import LanguageError, explain, shorten
from attn_verify.theorems.arrays import Array, letter, size
from attn_verify.theorems.checking import apply, check
from attn_verify.theorems.claim_search import search
from attn_verify.theorems.claim_statements import stated_with
from attn_verify.theorems.counterexample import shown
from attn_verify.theorems.kernel import facts as kernel
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, changed, indices_of, terms_of
from attn_verify.theorems.printing import statement_text
from attn_verify.theorems.theorem import Step, Theorem

Library = Callable[[str], Theorem]
FAILURES = (RefusedError, TypeError, ValueError, KeyError, RecursionError)
STRONGER = {Eq: (Eq, Le), Lt: (Lt, Le), Le: (Le,)}  # what each kind of statement about two sides says of them


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

    The proof holds with it only if the conclusions still are the theorem's, and assume, lean on and are limited to
    nothing that they were not: a step that was derived can be neither assumed nor cited, and a conclusion can be
    replaced only by what it is seen to follow from.

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
    if step.rule == "hypothesis" and old.rule != "hypothesis":
        return Answer(False, f"step {label} is not accepted: it assumes what the proof derives", mine, label)
    if step.rule == "cited" and (step.rule, mine, step.using) != (old.rule, old.claim, old.using):
        why = "what a cited rule yields is not checked, so it stays as it is in the proof"
        return Answer(False, f"step {label} is not accepted: {why}", mine, label)
    facts: dict[str, Fact] = {}
    before: dict[str, Fact] = {}
    for one in theorem.steps:
        here = step if one.label == label else one
        try:
            if before or one.label == label:
                before[one.label] = apply(one, _finder(theorem, {**facts, **before}, library))
            facts[one.label] = apply(here, _finder(theorem, facts, library))
        except FAILURES as error:
            return _refused(one, here, str(error), facts, mine, label)
    for name in theorem.concludes:
        fact, proved = facts[name], before.get(name, facts[name])
        if more := _more(fact, proved):
            message = f"step {label} is accepted, but the conclusion {name} then {more}"
            return Answer(False, message, mine, name)
        if not yields(fact, theorem.step(name).claim):
            message = (
                f"step {label} is accepted by the rule {step.rule!r}, but it is a conclusion of the theorem, "
                f"{statement_text(old.claim)}, and that was not seen to follow from it"
            )
            return Answer(False, message, mine, label)
    message = f"step {label}: accepted by the rule {step.rule!r}; the proof holds with it"
    if more := _more(facts[label], before[label]):
        message += f"; the step itself {more}, the conclusions do not"
    return Answer(True, message, mine)


def _finder(theorem: Theorem, facts: Mapping[str, Fact], library: Library | None) -> Callable[[str], Fact]:
    """Return what finds the facts that a step uses: earlier ones, and those of the theorems that are needed."""

    def find(name: str) -> Fact:
        if name in facts:
            return facts[name]
        other, _, inner = name.partition(":")
        if inner and library is not None and other in theorem.needs:
            return check(library(other), library).facts[inner]
        raise RefusedError(f"no earlier step is called {name!r}")

    return find


def _more(fact: Fact, before: Fact) -> str:
    """Say what a fact assumes or leans on, or is limited to, that the one before did not and was not."""
    assumed = sorted(statement_text(s) for s in fact.given - before.given)
    said = [f"assumes {', '.join(assumed)}"] if assumed else []
    said += [f"leans on {', '.join(sorted(fact.cited - before.cited))}"] if fact.cited - before.cited else []
    said += [f"holds for {', '.join(sorted(fact.fixed - before.fixed))} only"] if fact.fixed - before.fixed else []
    return " and ".join(said)


def yields(fact: Fact, claim: Statement) -> bool:
    """Return whether a fact is a claim in other letters, says more of the same sides, or is what the claim needs.

    A claim that the kernel accepts without the fact is not one that follows from it.
    """
    if not kernel.genuine(fact):
        return False
    found = fact.statement
    if found == claim:
        return True
    if not isinstance(claim, Eq | Le | Lt) or not isinstance(found, Eq | Le | Lt):
        return False
    mine, wanted = ([spelled(side) for side in terms_of(s)] for s in (found, claim))
    if type(claim) in STRONGER[type(found)] and (mine == wanted or (isinstance(found, Eq) and mine[::-1] == wanted)):
        return True
    return _follows(claim, fact.given, [fact]) and not _follows(claim, fact.given, [])


def _follows(claim: Eq | Le | Lt, given: Iterable[Statement], facts: Sequence[Fact]) -> bool:
    try:
        if isinstance(claim, Eq):
            kernel.algebra(claim, given, facts)
        else:
            kernel.order(claim, given, facts)
    except FAILURES:
        return False
    return True


def spelled(t: Term, bound: Mapping[Index, int] | None = None) -> tuple[Any, ...]:
    """Return a term without the names of bound indices, and sums and products in no order."""
    bound = bound or {}
    here: tuple[Any, ...] = (type(t).__name__,)
    match t:
        case App(symbol, indices):
            return (*here, repr(symbol), *(str(bound.get(i, repr(i))) for i in indices))
        case Delta(left, right):
            return (*here, *sorted(str(bound.get(i, repr(i))) for i in (left, right)))
        case Sum(index, body):
            depth = 1 + max(bound.values(), default=0)
            return (*here, repr(index.sort), spelled(body, {**bound, index: depth}))
        case Add() | Mul():
            return (*here, *sorted((spelled(x, bound) for x in _flat(t)), key=repr))
        case Pow(base, exponent):
            return (*here, spelled(base, bound), str(exponent))
        case Trig(name, _) | Whole(name, _, _):
            return (*here, name, *(spelled(x, bound) for x in parts(t)))
    return (*here, *(spelled(x, bound) for x in parts(t))) if parts(t) else (*here, repr(t))


def _flat(t: Term) -> Iterator[Term]:
    for x in parts(t):
        yield from _flat(x) if type(x) is type(t) else (x,)


def _refused(step: Step, here: Step, why: str, facts: Mapping[str, Fact], mine: Statement, label: str) -> Answer:
    if step.label != label:
        message = f"step {label} is accepted, but the proof stops at step {step.label}: {why}"
        return Answer(False, message, mine, step.label)
    found = None
    if isinstance(mine, Eq | Le | Lt):
        assumed = {s for name in here.using if name in facts for s in facts[name].given}
        given = [s for s in (*here.given, *sorted(assumed, key=repr)) if isinstance(s, Eq | Le | Lt)]
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
