"""Mutants of the steps of proofs: one small change in what is claimed, given, used or hinted at."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from attn_verify.arithmetic.sums.terms import (
    Abs,
    Add,
    App,
    Delta,
    Deriv,
    Exp,
    Index,
    Log,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Symbol,
    Term,
    Trig,
    Whole,
    parts,
    rename,
    walk,
)  # fmt: skip
from attn_verify.theorems.kernel.facts import Absurd, Cited, Eq, Integral, Le, Limit, Lt, Rank, Statement, terms_of
from attn_verify.theorems.theorem import Step, Theorem

Change = tuple[str, Term]
MINUS = Num(Fraction(-1))


@dataclass(frozen=True)
class Mutant:
    """A step with one change, and what was changed: ``claim``, ``hint``, ``given`` or ``using``."""

    theorem: str
    label: str
    part: str
    kind: str
    step: Step

    @property
    def name(self) -> str:
        """Theorem and step, and what was done to it."""
        return f"{self.theorem} | {self.label} | {self.part}: {self.kind}"


def with_parts(t: Term, inner: Sequence[Term]) -> Term:
    """Return a term with other parts inside, in the order of ``parts``."""
    match t:
        case Add():
            return Add(tuple(inner))
        case Mul():
            return Mul(tuple(inner))
        case Pow(_, exponent):
            return Pow(inner[0], exponent)
        case Exp() | Log() | Abs():
            return type(t)(inner[0])
        case Trig(name, _):
            return Trig(name, inner[0])
        case Sum(index, _):
            return Sum(index, inner[0])
        case Whole(name, _, _):
            return Whole(name, *inner)
        case Deriv() if isinstance(inner[1], App):
            return Deriv(inner[0], inner[1])
    return t


@dataclass(frozen=True)
class Names:
    """The symbols and the indices that a theorem has at hand."""

    symbols: tuple[Symbol, ...]
    indices: tuple[Index, ...]

    @staticmethod
    def of(terms: Iterable[Term]) -> Names:
        """Collect them from terms."""
        entries = [x for t in terms for x in walk(t) if isinstance(x, App)]
        indices = {replace(i, shift=0) for x in entries for i in x.indices if i.name and i.name[0] not in "%$"}
        return Names(
            tuple(sorted({x.symbol for x in entries}, key=repr)),
            tuple(sorted(indices, key=repr)),
        )


def changes(t: Term, names: Names, bound: tuple[Index, ...] = ()) -> Iterator[Change]:
    """Yield terms with one change somewhere inside, with the kind of the change."""
    yield from _here(t, names, bound)
    inner = parts(t)
    inside = (*bound, t.index) if isinstance(t, Sum) else bound
    for n, x in enumerate(inner):
        for kind, other in changes(x, names, inside):
            if isinstance(t, Deriv) and n == 1 and not isinstance(other, App):
                continue
            yield kind, with_parts(t, [*inner[:n], other, *inner[n + 1 :]])


def _others(index: Index, names: Names, bound: tuple[Index, ...]) -> list[Index]:
    found = [i for i in dict.fromkeys([*bound, *names.indices]) if i.sort == index.sort]
    moved = [replace(i, shift=index.shift) for i in found if i != replace(index, shift=0)]
    return moved + ([index + 1] if index.sort.natural and index.name else [])


def _here(t: Term, names: Names, bound: tuple[Index, ...]) -> Iterator[Change]:
    match t:
        case Num(value):
            for other in {value + 1, -value, value * 2, value - 1, Fraction(0)} - {value}:
                yield "constant", Num(other)
        case Size():
            yield "size plus 1", t + 1
        case Delta(left, right):
            for i in _others(left, names, bound)[:3]:
                yield "index of δ", Delta(i, right)
            yield "δ dropped", Num(Fraction(1))
            yield "1 − δ", 1 - t
        case App(symbol, indices):
            for other in names.symbols:
                if other != symbol and other.sorts == symbol.sorts:
                    yield "symbol", App(other, indices)
            for n, i in enumerate(indices):
                for j in _others(i, names, bound)[:4]:
                    yield "index", App(symbol, (*indices[:n], j, *indices[n + 1 :]))
            for n, i in enumerate(indices):
                for m in range(n):
                    if indices[m] != i and indices[m].sort == i.sort:
                        swapped = list(indices)
                        swapped[n], swapped[m] = indices[m], i
                        yield "transposed", App(symbol, tuple(swapped))
            yield "sign", -t
        case Add(terms):
            for n, x in enumerate(terms):
                yield "term dropped", Add((*terms[:n], *terms[n + 1 :]))
                yield "plus or minus", Add((*terms[:n], -x, *terms[n + 1 :]))
        case Mul(factors):
            for n in range(len(factors)):
                yield "factor dropped", Mul((*factors[:n], *factors[n + 1 :]))
        case Pow(base, exponent):
            for e in {exponent + 1, -exponent, exponent * 2, Fraction(1)} - {exponent}:
                yield "exponent", Pow(base, e)
        case Exp(argument):
            yield "sign of exponent", Exp(-argument)
            yield "exp dropped", argument
            yield "exp twice", Exp(t)
        case Log(argument):
            yield "log dropped", argument
            yield "log of inverse", Log(1 / argument)
        case Abs(argument):
            yield "magnitude dropped", argument
        case Trig(name, argument):
            yield "sin or cos", Trig("sin" if name == "cos" else "cos", argument)
            yield "sign of angle", Trig(name, -argument)
        case Sum(index, body):
            near = [i for i in _others(index, names, bound) if not i.shift]
            for i in near[:2]:
                yield "sum dropped", rename(body, {index: i})
            yield "mean for sum", t / Size(index.sort)
        case Deriv(body, _):
            yield "derivative dropped", body
        case Whole(name, left, right):
            yield "quotient or remainder", Whole("%" if name == "//" else "//", left, right)
            yield "quotient turned", Whole(name, right, left)


def statements(s: Statement, names: Names) -> Iterator[tuple[str, Statement]]:
    """Yield statements with one change."""
    match s:
        case Eq(left, right) | Le(left, right) | Lt(left, right):
            kind: Any = type(s)
            for what, other in changes(left, names):
                yield what, kind(other, right)
            for what, other in changes(right, names):
                yield what, kind(left, other)
            if isinstance(s, Eq):
                yield "< for =", Lt(left, right)
                yield "≤ for =", Le(left, right)
            else:
                yield "turned", kind(right, left)
                yield "< for ≤" if isinstance(s, Le) else "≤ for <", (Lt if isinstance(s, Le) else Le)(left, right)
                yield "= for ≤", Eq(left, right)
        case Limit(body, by, to, value):
            for what, other in changes(body, names):
                yield what, Limit(other, by, to, value)
            if isinstance(value, Term):
                for what, other in changes(value, names):
                    yield what, Limit(body, by, to, other)
            yield "the other end", Limit(body, by, "oo" if to == "0+" else "0+", value)
            yield "infinite", Limit(body, by, to, "oo")
        case Integral(body, by, low, high, value):
            for what, other in changes(body, names):
                yield what, Integral(other, by, low, high, value)
            for what, other in changes(value, names):
                yield what, Integral(body, by, low, high, other)
        case Rank(rows, rank):
            yield "rank", Rank(rows, rank + 1)
            yield "rank", Rank(rows, rank - 1)
            for i, row in enumerate(rows):
                for j, x in enumerate(row):
                    other_row = (*row[:j], x + 1, *row[j + 1 :])
                    yield "entry", Rank((*rows[:i], other_row, *rows[i + 1 :]), rank)
        case Absurd():
            yield "0 = 1", Eq(Num(Fraction(0)), Num(Fraction(1)))
        case Cited():
            return


def _names(theorem: Theorem, step: Step) -> Names:
    near = [step.claim, *step.given, *(theorem.step(label).claim for label in step.using if ":" not in label)]
    terms = [x for s in near for x in (*terms_of(s), *((s.body,) if isinstance(s, Limit | Integral) else ()))]
    return Names.of(terms)


def of_claim(theorem: Theorem, step: Step) -> Iterator[Mutant]:
    """Yield every mutant of the claim of a step."""
    for kind, claim in statements(step.claim, _names(theorem, step)):
        yield Mutant(theorem.name, step.label, "claim", kind, replace(step, claim=claim))


def of_hints(theorem: Theorem, step: Step) -> Iterator[Mutant]:
    """Yield every mutant of a certificate or of what an equation is put into."""
    for name, value in step.hints.items():
        if isinstance(value, Term) and name not in ("hole", "by"):
            for kind, other in changes(value, _names(theorem, step)):
                yield Mutant(theorem.name, step.label, "hint", kind, replace(step, hints={**step.hints, name: other}))


def of_given(theorem: Theorem, step: Step) -> Iterator[Mutant]:
    """Yield the step without one of its hypotheses, and with one of them changed."""
    names = _names(theorem, step)
    for n, s in enumerate(step.given):
        others = [("dropped", ()), *((kind, (x,)) for kind, x in statements(s, names))]
        for kind, put in others:
            given = (*step.given[:n], *put, *step.given[n + 1 :])
            yield Mutant(theorem.name, step.label, "given", kind, replace(step, given=given))


def of_using(theorem: Theorem, step: Step) -> Iterator[Mutant]:
    """Yield the step with another step in place of one that it uses, or without one."""
    before = []
    for other in theorem.steps:
        if other.label == step.label:
            break
        before.append(other.label)
    for n, label in enumerate(step.using):
        for other in [x for x in before if x != label]:
            using = (*step.using[:n], other, *step.using[n + 1 :])
            yield Mutant(theorem.name, step.label, "using", "another step", replace(step, using=using))
        yield Mutant(
            theorem.name, step.label, "using", "dropped",
            replace(step, using=(*step.using[:n], *step.using[n + 1 :])),
        )  # fmt: skip


KINDS: Mapping[str, Any] = {"claim": of_claim, "hint": of_hints, "given": of_given, "using": of_using}


def of_step(theorem: Theorem, step: Step, most: Mapping[str, int], seed: int) -> list[Mutant]:
    """Return mutants of a step, at most so many for each part, every kind of change in turn."""
    chosen: list[Mutant] = []
    for part, make in KINDS.items():
        rng = random.Random(f"{seed}:{theorem.name}:{step.label}:{part}")
        kinds: dict[str, list[Mutant]] = {}
        seen: set[Any] = set()
        for mutant in make(theorem, step):
            content = repr((mutant.step.claim, mutant.step.given, mutant.step.using, mutant.step.hints))
            original = repr((step.claim, step.given, step.using, step.hints))
            if content != original and content not in seen:
                seen.add(content)
                kinds.setdefault(mutant.kind, []).append(mutant)
        for found in kinds.values():
            rng.shuffle(found)
        order = sorted(kinds)
        rng.shuffle(order)
        take: list[Mutant] = []
        while len(take) < most.get(part, 0) and any(kinds.values()):
            for kind in order:
                if kinds[kind] and len(take) < most.get(part, 0):
                    take.append(kinds[kind].pop())
        chosen += take
    return chosen
