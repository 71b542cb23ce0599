"""A checked theorem as plain data: what was claimed and by which rule it was checked, in text and in LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.terms import App, Index, Sort, Symbol, Term, walk
from attn_verify.theorems import printing
from attn_verify.theorems.kernel.cited import CITED
from attn_verify.theorems.kernel.facts import Fact
from attn_verify.theorems.kernel.statements import Lt, Statement, indices_of, terms_of
from attn_verify.theorems.names import indices_in
from attn_verify.theorems.showing import counterexample, model_dict, shown_values
from attn_verify.theorems.theorem import Illustration, NearMiss, Step, Theorem

if TYPE_CHECKING:
    from attn_verify.theorems.checking import Checked

ALL_SIZES = "all sizes"
PROGRAMS: Mapping[str, str] = {
    "FLINT: balls": "enclosures of both numbers are computed by python-flint",
    "FLINT: rank": "python-flint eliminates exactly, over the fractions",
}


def describe(checked: Checked) -> dict[str, Any]:
    """Return a checked theorem as plain data; prose holds LaTeX between dollar signs.

    Raises ``RefusedError`` if a fact or the claim of a step was changed after it was checked.
    """
    from attn_verify.theorems.checking import RULES

    t = checked.theorem
    if not checked.intact:
        raise RefusedError(f"{t.name}: a step was changed after it was checked")
    needed, made = _neighbours(t)
    return {
        **heading(t),
        "status": "PROVED",
        "scope": scope(checked),
        "seconds": round(checked.seconds, 4),
        "indices": _index_sets(t),
        "conclusions": [
            {"label": label, "claim": statement(t.step(label).claim), "given": _hypotheses(checked.facts[label])}
            for label in t.concludes
        ],
        "steps": [_step(step, checked, RULES) for step in t.steps],
        "trusted": [{"name": name, "meaning": meaning} for name, meaning in PROGRAMS.items() if name in checked.cited],
        "cited": [
            {"name": name, "meaning": CITED.get(name, "")} for name in checked.cited if name not in PROGRAMS
        ],
        "told": list(t.told),
        "illustration": _illustration(t.illustration, _entries(t)),
        "near_miss": _near_miss(t.near_miss, _entries(t)),
        "source": t.source,
        "needs": list(needed),
        "used": _used(t),
        "unlocks": list(made),
    }  # fmt: skip


def refused(t: Theorem, reason: str) -> dict[str, Any]:
    """Return a theorem, one of whose steps the kernel does not accept, as plain data."""
    needed, made = _neighbours(t)
    empty: dict[str, Any] = {"scope": "", "seconds": 0.0, "indices": [], "conclusions": [], "steps": [], "trusted": []}
    words = {"status": "UNDECIDED", "reason": reason, "source": t.source, "cited": [], "told": []}
    return {**heading(t), **empty, **words, "needs": list(needed), "used": _used(t), "unlocks": list(made)}


def heading(t: Theorem) -> dict[str, Any]:
    """Return name, family, level and the words of a theorem."""
    names = ("name", "family", "level", "statement", "hypotheses", "why", "predict")
    return {name: getattr(t, name) for name in names}


def scope(checked: Checked) -> str:
    """Return ``all sizes``, or what was fixed."""
    return f"only {'; '.join(checked.fixed)}" if checked.fixed else ALL_SIZES


def statement(s: Statement) -> dict[str, Any]:
    """Return a statement as text and LaTeX, an equation or inequality with its sides.

    >>> from attn_verify.theorems.notation import ONE, Lt, scalar
    >>> statement(Lt(scalar("c"), ONE))["text"]
    'c < 1'
    """
    found: dict[str, Any] = {"text": printing.statement_text(s), "latex": printing.statement_latex(s)}
    parts = printing.sides(s)
    if parts is not None:
        (left, left_latex), relation, (right, right_latex) = parts
        found["sides"] = {
            "relation": relation, "left": left, "right": right, "left_latex": left_latex, "right_latex": right_latex,
        }  # fmt: skip
    return found


def _neighbours(t: Theorem) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from attn_verify.theorems import library

    if library.theorems().get(t.name) is t:
        return library.needs(t.name), library.unlocks(t.name)
    return t.needs, ()


def _used(t: Theorem) -> list[str]:
    """Return the theorems whose facts the steps use."""
    return list(dict.fromkeys(label.partition(":")[0] for step in t.steps for label in step.using if ":" in label))


def _index_sets(t: Theorem) -> list[dict[str, Any]]:
    """Return the index sets in the order of their appearance, with the names of their indices."""
    found: dict[Sort, list[Index]] = {}
    for step in t.steps:
        for s in (step.claim, *step.given):
            for i in _indices(terms_of(s)):
                if i not in found.setdefault(i.sort, []):
                    found[i.sort].append(i)
    return [
        {
            "set": sort.name,
            "empty": sort.empty,
            "natural": sort.natural,
            "indices": sorted({i.name for i in indices if not i.fixed}),
            "fixed": sorted({i.name for i in indices if i.fixed}),
        }
        for sort, indices in found.items()
    ]


def _indices(sides: Iterable[Term]) -> list[Index]:
    found: dict[Index, None] = {}
    for t in sides:
        for inner in walk(t):
            for i in sorted(indices_in(inner), key=lambda i: i.name):
                if i.name and i.name[0] not in "$%#":
                    found[Index(i.name, i.sort, fixed=i.fixed)] = None
    return list(found)


def _hypotheses(fact: Fact) -> list[dict[str, Any]]:
    return [_given(s) for s in _sorted(fact.given)]


def _sorted(given: Iterable[Statement]) -> list[Statement]:
    return sorted(given, key=lambda s: (isinstance(s, Lt), printing.statement_text(s)))


def _given(s: Statement) -> dict[str, Any]:
    """Return a hypothesis, with the indices for all of which it is assumed."""
    every = sorted({i.name for i in indices_of(s) if not i.fixed})
    return {**statement(s), "for_all": every}


def _entries(t: Theorem) -> dict[Symbol, App]:
    """Return for each symbol the entry by which it is written first."""
    statements = [s for step in t.steps for s in (step.claim, *step.given)] + [t.near_miss.claim, *t.near_miss.given]
    sides = [side for s in statements for side in terms_of(s)] + [shown for _, shown in t.illustration.shown]
    found: dict[Symbol, App] = {}
    for inner in (x for side in sides for x in walk(side)):
        if isinstance(inner, App):
            found.setdefault(inner.symbol, inner)
    return found


def _step(step: Step, checked: Checked, rules: Mapping[str, str]) -> dict[str, Any]:
    fact, steps = checked.facts[step.label], checked.theorem.steps
    assumed = {s.claim: s.label for s in steps if s.rule == "hypothesis" and s.label != step.label}
    known = {s for label in step.using if label in checked.facts for s in checked.facts[label].given}
    others = [s for s in _sorted(fact.given) if s not in step.given and s != step.claim]
    lasting = {s for label in checked.theorem.concludes for s in checked.facts[label].given}
    earlier = [s.label for s in steps[: steps.index(step)] if s.claim == step.claim]
    return {
        "label": step.label,
        "claim": statement(step.claim),
        "same_as": earlier[-1] if earlier else "",
        "rule": step.rule,
        "rule_meaning": rules.get(step.rule, ""),
        "why": step.why,
        "given": [_given(s) for s in step.given],
        "assumes": [{**_given(s), "label": assumed.get(s, ""), "new": s not in known} for s in others],
        "uses": list(step.using),
        "details": list(_details(step)),
        "rests_on": sorted(fact.cited),
        "lasting": step.claim in lasting,
        "dropped": list(_dropped(step, checked)),
        "concludes": step.label in checked.theorem.concludes,
    }


def _dropped(step: Step, checked: Checked) -> Iterable[dict[str, str]]:
    """Yield the steps that rest on what a step assumes no longer, though what they use does."""
    facts = checked.facts
    for later in checked.theorem.steps if step.rule == "hypothesis" else ():
        used = [facts[label].given for label in later.using if label in facts]
        if any(step.claim in given for given in used) and step.claim not in facts[later.label].given:
            yield {"label": later.label, "rule": later.rule}


def _details(step: Step) -> Iterable[dict[str, str]]:
    """Yield what else the rule was told: a certificate, what a symbol becomes, the point of a tangent."""
    hints = dict(step.hints)
    hole, context = hints.pop("hole", None), hints.pop("context", None)
    if isinstance(context, Term) and hole is not None:
        yield _detail("applied to both sides", context)
    by = hints.pop("by", None)
    for name, value in hints.items():
        if name == "certificate":
            yield _detail("the difference of the sides", value)
        elif name == "symbols":
            for symbol, (indices, body) in value.items():
                yield _becomes(App(symbol, tuple(indices)), body)
        elif name == "indices":
            for old, new in value.items():
                yield _worded("with", f"{old.name} = {_index_text(new)}")
        elif name == "ranges":
            for entry, numbers in value.items():
                yield _worded("for", f"{printing.text(entry)} = {numbers[0]}, …, {numbers[-1]}")
        elif name == "at" and isinstance(value, Index):
            yield _worded("induction over", value.name)
        elif name == "at" and by is not None:
            point = printing.text(value) if isinstance(value, Term) else str(value)
            yield _worded("from" if step.rule == "increasing" else "at", f"{printing.text(by)} = {point}")
        elif isinstance(value, Term):
            yield _detail(name, value)


def _detail(name: str, t: Term) -> dict[str, str]:
    return {"name": name, "text": printing.text(t), "latex": printing.latex(t)}


def _becomes(entry: App, body: Term) -> dict[str, str]:
    text, latex = (f"{write(entry)} = {write(body)}" for write in (printing.text, printing.latex))
    return {"name": "with", "text": text, "latex": latex}


def _worded(name: str, text: str) -> dict[str, str]:
    return {"name": name, "text": text, "latex": text.replace("…", r"\dots").replace("−", "-")}


def _index_text(i: Index) -> str:
    return (i.name + (f"+{i.shift}" if i.shift else "")) if i.name else str(i.shift)


def _illustration(illustration: Illustration, entries: Mapping[Symbol, App]) -> dict[str, Any]:
    shown = [
        {"label": label, "term": {"text": printing.text(t), "latex": printing.latex(t)}}
        | shown_values(t, illustration.model)
        for label, t in illustration.shown
    ]
    return {"text": illustration.text, "model": model_dict(illustration.model, entries), "shown": shown}


def _near_miss(miss: NearMiss, entries: Mapping[Symbol, App]) -> dict[str, Any]:
    found = counterexample(miss.claim, miss.model, miss.given)
    return {
        "text": miss.text,
        "claim": statement(miss.claim),
        "given": [_given(s) for s in miss.given],
        "status": "REFUTED" if found else "UNDECIDED",
        "model": model_dict(miss.model, entries),
        "counterexample": found,
    }
