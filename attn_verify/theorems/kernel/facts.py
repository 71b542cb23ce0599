"""Facts: statements that only the rules of this module can make.

``given ⊢ statement``: the free symbols stand for any real numbers, the free indices (of the statement and of each
hypothesis by itself) for all elements of their sets, unless they are fixed.  Equations between symbols that depend on
others are equations between functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec
from weakref import WeakKeyDictionary

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.proper import Symbols, exact, guarded, proper, put

# isort: off
from attn_verify.arithmetic.sums.terms import (
    Abs, App, Delta, Deriv, Index, Term, free, rename, walk,
)  # fmt: skip
from attn_verify.theorems.kernel.cited import CITED as CITED
from attn_verify.theorems.kernel.computed import Integral, Limit, Rank
from attn_verify.theorems.kernel.signs import binds, normal_under
from attn_verify.theorems.kernel.statements import (
    STATEMENTS, Absurd, Cited, Eq, Fact as Fact, Given, Le, Lt, Statement, changed, entries_of, gap, indices_of,
    terms_of,
)  # fmt: skip

# isort: on

_SHAPES: Mapping[str, tuple[type, ...]] = {
    "hypothesis": (Eq, Le, Lt), "normal form": (Eq,), "certificate": (Le, Lt), "magnitude": (Eq, Le),
    "congruence": (Eq,), "instance": (Eq, Le, Lt, Absurd), "tangent": (Le,), "increasing": (Le,),
    "limit": (Limit,), "integral": (Integral,), "balls": (Le, Lt), "rank": (Rank,), "counted through": (Eq, Le, Lt),
}  # fmt: skip


_MADE: WeakKeyDictionary[Fact, tuple[Mapping[str, Any], str]] = WeakKeyDictionary()


def genuine(fact: Fact) -> bool:
    """Return whether a rule made this very fact, and nobody changed it since, nor what it is made of."""
    made, written = _MADE.get(fact, ({}, "")) if type(fact) is Fact else ({}, "")
    kept = [vars(fact).get(name) is part for name, part in made.items()]
    # Written out, for a hash would not tell ≤ from <, nor exp from log.
    return all(kept) and exact(tuple(made.values()), STATEMENTS) and written == repr(fact)


_P = ParamSpec("_P")


def rule(made: Callable[_P, Fact]) -> Callable[_P, Fact]:
    """Look at the arguments of a rule before it does: premises are genuine, and all else is what it seems to be."""

    @wraps(made)
    def checked(*args: _P.args, **named: _P.kwargs) -> Fact:
        return guarded(made, args, named, STATEMENTS, genuine)

    return checked


def _fact(
    rule: str, statement: Statement, premises: Sequence[Fact] = (), given: Given = (), *,
    only: Given | None = None, cited: str = "", fixed: str = "",
) -> Fact:  # fmt: skip
    if type(statement) not in _SHAPES.get(rule, STATEMENTS) or not all(map(genuine, premises)):
        raise RefusedError("the rule proves no such statement, or a premise was not made by a rule of the kernel")
    hypotheses = frozenset(given).union(*(f.given for f in premises)) if only is None else frozenset(only)
    others = [s for f in premises for s in (f.statement, *f.given)]
    proper([side for s in (statement, *hypotheses, *others) for side in terms_of(s)])
    made = object.__new__(Fact)
    cites = frozenset(filter(None, [cited])).union(*(f.cited for f in premises))
    fixes = frozenset(filter(None, [fixed])).union(*(f.fixed for f in premises))
    vars(made).update(given=hypotheses, statement=statement, rule=rule, cited=cites, fixed=fixes)
    _MADE[made] = dict(vars(made)), repr(made)
    return made


def _grounded(claim: Statement, used: Iterable[Index]) -> None:
    """Refuse elements of sets that may be empty where the claim is not about them."""
    if any(i.sort.empty for i in frozenset(used) - indices_of(claim)):
        raise RefusedError("a set may be empty, and the claim is not about an element of it")


def _everywhere(claim: Statement, given: Given) -> None:
    if any(binds(s, name) for s in given for t in entries_of(claim) for name in t.symbol.depends):
        raise RefusedError("a statement about a function is proved at one value of its variable only")


# The rules.


@rule
def assume(statement: Statement) -> Fact:
    """``S ⊢ S``."""
    return _fact("hypothesis", statement, given=[statement])


@rule
def algebra(claim: Eq, given: Given = (), using: Sequence[Fact] = ()) -> Fact:
    """Both sides have one normal form, under the equations given and used, read from left to right."""
    normal, _ = normal_under(given, using, terms_of(claim))
    if not normal.equal(claim.left, claim.right):
        raise RefusedError("the two sides have different normal forms")
    return _fact("normal form", claim, using, given)


@rule
def order(claim: Le | Lt, given: Given = (), using: Sequence[Fact] = (), certificate: Term | None = None) -> Fact:
    """The difference of both sides equals the certificate, which is visibly non-negative (positive for ``<``)."""
    sides, difference = terms_of(claim), gap(claim)
    shown = difference if certificate is None else certificate
    normal, signs = normal_under(given, using, (*sides, shown))
    _grounded(claim, free(shown))
    if not normal.equal(difference, shown):
        raise RefusedError("the certificate is not the difference of the two sides")
    if not (signs.positive(shown) if isinstance(claim, Lt) else signs.nonnegative(shown)):
        raise RefusedError(f"the certificate is not visibly {'positive' if isinstance(claim, Lt) else 'non-negative'}")
    return _fact("certificate", claim, using, given)


@rule
def magnitude(claim: Eq | Le, given: Given = (), using: Sequence[Fact] = ()) -> Fact:
    """``|t| = a`` as a ≥ 0 and a² = t²; ``t ≤ |t|``; ``|t| ≤ a`` from t ≤ a and −t ≤ a."""
    normal, signs = normal_under(given, using, terms_of(claim))
    if isinstance(claim, Eq) and isinstance(claim.left, Abs):
        inner = claim.left.argument
        if not (signs.nonnegative(claim.right) and normal.equal(inner**2, claim.right**2)):
            raise RefusedError("the right side is not visibly non-negative, or its square is another")
    elif isinstance(claim, Le) and isinstance(claim.right, Abs):
        inner, left = claim.right.argument, claim.left
        if not (normal.equal(left, inner) or normal.equal(left, -inner)):
            raise RefusedError("the left side is not what the magnitude is of, up to its sign")
    elif isinstance(claim, Le) and isinstance(claim.left, Abs):
        inner, bound = claim.left.argument, claim.right
        if not (signs.nonnegative(bound - inner) and signs.nonnegative(bound + inner)):
            raise RefusedError("not both t ≤ a and −t ≤ a are known")
        normal.equal(inner, bound)  # both are defined
    else:
        raise RefusedError("the rule of magnitudes has no such form")
    return _fact("magnitude", claim, using, given)


@rule
def congruence(claim: Eq, equation: Fact, hole: App, context: Term, given: Given = ()) -> Fact:
    """From a = b, whatever is computed from a equals the same from b: ``context`` with ``hole`` replaced."""
    proper([hole, context])
    if not isinstance(equation.statement, Eq) or any(isinstance(t, Deriv) for t in walk(context)):
        raise RefusedError("an equation is needed, and no derivative around the hole")
    if any(i.fixed or i.shift or not i.name for i in hole.indices):
        raise RefusedError("the indices of the hole stand for all elements")
    sides = [put(context, {hole.symbol: (hole.indices, side)}) for side in terms_of(equation.statement)]
    _grounded(claim, free(sides[0]) | free(sides[1]))
    normal, _ = normal_under([*given, *equation.given], (), [*sides, *terms_of(claim)])
    if not all(normal.equal(side, wanted) for side, wanted in zip(sides, terms_of(claim), strict=True)):
        raise RefusedError("the claim is not what the context makes of the equation")
    return _fact("congruence", claim, [equation], given)


@rule
def cases(first: Fact, second: Fact) -> Fact:
    """From a ≤ b ⊢ S and b ≤ a ⊢ S: ⊢ S, for numbers that no free index makes many."""
    if first.statement != second.statement:
        raise RefusedError("the two cases end in different statements")
    for one in first.given:
        if isinstance(one, Le) and Le(one.right, one.left) in second.given:
            other = Le(one.right, one.left)
            if not all(i.fixed for i in indices_of(one)) or any(t.symbol.depends for t in entries_of(one)):
                raise RefusedError("a hypothesis about all indices, or about a function, cannot be split")
            _grounded(first.statement, indices_of(one))
            given = (first.given - {one}) | (second.given - {other})
            for side in terms_of(one):
                algebra(Eq(side, side), given)  # is defined
            return _fact("cases", first.statement, [first, second], only=given)
    raise RefusedError("no a ≤ b in one case meets b ≤ a in the other")


@rule
def contradiction(less: Fact, not_less: Fact) -> Fact:
    """From a < b and b ≤ a: what is given cannot be."""
    a, b = less.statement, not_less.statement
    if not (isinstance(a, Lt) and isinstance(b, Le) and (a.left, a.right) == (b.right, b.left)):
        raise RefusedError("the statements do not contradict each other")
    _grounded(Absurd(), indices_of(a))
    return _fact("contradiction", Absurd(), [less, not_less])


@rule
def instance(fact: Fact, symbols: Symbols | None = None, indices: Mapping[Index, Index] | None = None) -> Fact:
    """Put terms for symbols, and elements for free indices; nothing that is derived may be touched."""
    symbols, indices = symbols or {}, indices or {}
    proper([t for s, (names, body) in symbols.items() for t in (App(s, names), body)])
    proper([Delta(i, i) for pair in indices.items() for i in pair])
    inside = [t for s in (fact.statement, *fact.given) for side in terms_of(s) for t in walk(side)]
    if symbols and any(isinstance(t, Deriv) or (isinstance(t, App) and t.symbol.depends) for t in inside):
        raise RefusedError("symbols inside derivatives, or with dependencies, cannot be replaced")
    for old, new in indices.items():
        one_of_all = old.fixed and not new.fixed and any(old in indices_of(s) for s in fact.given)
        if not old.name or old.shift or old.sort != new.sort or one_of_all:
            raise RefusedError(f"{old.name} cannot become {new.name}")

    def one(statement: Statement, names: Mapping[Index, Index]) -> Statement:
        return changed(statement, lambda t: put(rename(t, names), symbols))

    caught = {i for names, body in symbols.values() for i in free(body) - set(names)}
    if any(caught & indices_of(s) and any(t.symbol in symbols for t in entries_of(s)) for s in fact.given):
        raise RefusedError("a hypothesis about all elements would become one about some; rename the index")
    given = [one(s, {old: new for old, new in indices.items() if old.fixed}) for s in fact.given]
    statement = one(fact.statement, indices)
    _grounded(statement, caught | {indices.get(i, i) for i in indices_of(fact.statement)})
    for side in terms_of(statement):
        algebra(Eq(side, side), given)  # is defined
    return _fact("instance", statement, [fact], only=given)


@rule
def discharge(fact: Fact, *proofs: Fact) -> Fact:
    """Replace hypotheses by facts that prove them."""
    proved = {proof.statement for proof in proofs}
    if not proved <= fact.given:
        raise RefusedError("a proof is of no hypothesis")
    normal_under((), proofs, [t for s in (fact.statement, *fact.given) for t in terms_of(s)])  # no derivative is misled
    for proof in proofs:
        _everywhere(proof.statement, proof.given)
    given = (fact.given - proved).union(*(proof.given for proof in proofs))
    return _fact("modus ponens", fact.statement, [fact, *proofs], only=given)


@rule
def induction(base: Fact, step: Fact, at: Index) -> Fact:
    """From P(0), and P(t) ⊢ P(t + 1) for a fixed t: P for all natural numbers."""
    proper([Delta(at, at)])
    if not at.sort.natural or not at.fixed or at.shift or not at.name:
        raise RefusedError("induction runs over a fixed natural number")
    names = {at: replace(at, shift=1)}
    for hypothesis in step.given:
        if changed(hypothesis, lambda t: rename(t, names)) != step.statement:
            continue
        others = step.given - {hypothesis}
        if any(at in indices_of(s) for s in others | base.given):
            raise RefusedError("a hypothesis mentions the number that the induction runs over")
        if changed(hypothesis, lambda t: rename(t, {at: Index("", at.sort)})) != base.statement:
            raise RefusedError("the base is not the hypothesis at 0")
        _everywhere(step.statement, others | base.given)
        every = changed(hypothesis, lambda t: rename(t, {at: replace(at, fixed=False)}))
        return _fact("induction", every, [base, step], only=others | base.given)
    raise RefusedError("the step does not lead from its hypothesis at t to the same at t + 1")


@rule
def cite(rule: str, text: str, *premises: Fact) -> Fact:
    """State in words what a rule that is not checked here yields from facts."""
    if rule not in CITED:
        raise RefusedError(f"{rule!r} is not among the cited rules")
    return _fact("cited", Cited(rule, text), premises, cited=rule)
