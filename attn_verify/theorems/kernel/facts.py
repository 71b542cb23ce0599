"""Facts: statements that only the rules of this module can make.

``given ⊢ statement``: the free symbols stand for any real numbers, the free indices (of the statement and of each
hypothesis by itself) for all elements of their sets, unless they are fixed.  Equations between symbols that depend on
others are equations between functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from weakref import WeakKeyDictionary

from attn_verify.arithmetic.sums.normal import Normal, Polynomial, RefusedError, Rule, build
from attn_verify.arithmetic.sums.proper import improper, put

# isort: off
from attn_verify.arithmetic.sums.terms import (
    Abs, App, Deriv, Index, Mul, Num, Sum, Symbol, Term, free, fresh, rename, walk,
)  # fmt: skip

# isort: on
from attn_verify.theorems.kernel.cited import CITED as CITED
from attn_verify.theorems.kernel.signs import VisibleSigns


@dataclass(frozen=True)
class Eq:
    """left = right."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Le:
    """left ≤ right."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Lt:
    """left < right."""

    left: Term
    right: Term


@dataclass(frozen=True)
class Absurd:
    """What cannot be."""


@dataclass(frozen=True)
class Cited:
    """A statement in words that a named rule yields; no rule takes it apart again."""

    rule: str
    text: str


@dataclass(frozen=True)
class Limit:
    """``body`` tends to ``value`` as the scalar goes to ``0+`` or ``oo``."""

    body: Term
    by: App
    to: str
    value: Term | str


@dataclass(frozen=True)
class Integral:
    """The integral of ``body`` over the scalar from ``low`` to ``high`` (``-oo`` and ``oo`` too) is ``value``."""

    body: Term
    by: App
    low: str
    high: str
    value: Term


@dataclass(frozen=True)
class Rank:
    """A matrix of fractions has this rank."""

    rows: tuple[tuple[Fraction, ...], ...]
    rank: int


Statement = Eq | Le | Lt | Absurd | Cited | Limit | Integral | Rank
_STATEMENTS = (Eq, Le, Lt, Absurd, Cited, Limit, Integral, Rank)
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "hypothesis": (Eq, Le, Lt), "normal form": (Eq,), "certificate": (Le, Lt), "magnitude": (Eq, Le),
    "congruence": (Eq,), "instance": (Eq, Le, Lt, Absurd), "tangent": (Le,), "increasing": (Le,),
    "limit": (Limit,), "integral": (Integral,), "balls": (Le, Lt), "rank": (Rank,), "counted through": (Eq, Le, Lt),
}  # fmt: skip


@dataclass(frozen=True, init=False, eq=False)
class Fact:
    """``given ⊢ statement``, with the rule that made it, what it leans on unchecked, and whether sizes were fixed."""

    given: frozenset[Statement]
    statement: Statement
    rule: str
    cited: frozenset[str]
    fixed: frozenset[str]

    def __init__(self, *_: object, **__: object) -> None:
        raise RefusedError("facts are made by the rules of the kernel only")


_MADE: WeakKeyDictionary[Fact, int] = WeakKeyDictionary()


def genuine(fact: Fact) -> bool:
    """Return whether a rule made this very fact, and nobody changed it since."""
    return type(fact) is Fact and _MADE.get(fact) == hash((fact.given, fact.statement, fact.cited, fact.fixed))


def _fact(
    rule: str,
    statement: Statement,
    premises: Iterable[Fact] = (),
    given: Iterable[Statement] = (),
    only: Iterable[Statement] | None = None,
    cited: str = "",
    fixed: str = "",
) -> Fact:
    premises = tuple(premises)
    if type(statement) not in _SHAPES.get(rule, _STATEMENTS) or not all(map(genuine, premises)):
        raise RefusedError("the rule proves no such statement, or a premise was not made by a rule of the kernel")
    hypotheses = frozenset(given).union(*(f.given for f in premises)) if only is None else frozenset(only)
    _proper([statement, *hypotheses, *(s for f in premises for s in (f.statement, *f.given))])
    made = object.__new__(Fact)
    values = {
        "given": hypotheses, "statement": statement, "rule": rule,
        "cited": frozenset(filter(None, [cited])).union(*(f.cited for f in premises)),
        "fixed": frozenset(filter(None, [fixed])).union(*(f.fixed for f in premises)),
    }  # fmt: skip
    for name, value in values.items():
        object.__setattr__(made, name, value)
    _MADE[made] = hash((made.given, made.statement, made.cited, made.fixed))
    return made


def _proper(statements: Iterable[Statement], terms: Iterable[Term] = ()) -> None:
    statements = tuple(statements)
    if not all(type(s) in _STATEMENTS for s in statements):
        raise RefusedError("this is no statement")
    wrong = improper([*terms, *(side for s in statements for side in terms_of(s))])
    if wrong:
        raise RefusedError(wrong)


def terms_of(statement: Statement) -> tuple[Term, ...]:
    """Return the two sides of a statement; none of one in words."""
    return (statement.left, statement.right) if isinstance(statement, Eq | Le | Lt) else ()


def gap(statement: Le | Lt) -> Term:
    """Return what is non-negative, or positive, by an inequality: right − left."""
    return statement.right if statement.left == Num(Fraction(0)) else statement.right - statement.left


def indices_of(statement: Statement) -> frozenset[Index]:
    """Return the free indices of a statement."""
    return frozenset().union(*map(free, terms_of(statement)))


def changed(statement: Statement, change: Callable[[Term], Term]) -> Statement:
    """Return a statement with both sides changed."""
    if isinstance(statement, Eq | Le | Lt):
        return type(statement)(change(statement.left), change(statement.right))
    return statement


def _normal(
    hypotheses: Iterable[Statement], facts: Sequence[Fact], about: Sequence[Term]
) -> tuple[Normal, VisibleSigns]:
    """Return normal forms under equations and inequalities; what is derived must not be bound by an equation."""
    hypotheses = [*hypotheses, *(s for f in facts for s in f.given)]
    statements = [*hypotheses, *(f.statement for f in facts)]
    sides = [*about, *(side for s in statements for side in terms_of(s))]
    at_points = any(isinstance(f.statement, Eq) and isinstance(s, Le) for f in facts for s in f.given)
    if at_points and any(isinstance(t, Deriv) for side in about for t in walk(side)):
        raise RefusedError("a derivative under an equation that may hold at single points only")
    for name in {t.by.symbol.name for side in sides for t in walk(side) if isinstance(t, Deriv)}:
        if any(isinstance(s, Eq) and _binds(s, name) for s in hypotheses) or any(
            isinstance(f.statement, Eq) and any(_binds(s, name) and not isinstance(s, Lt) for s in f.given)
            for f in facts
        ):
            raise RefusedError(f"a derivative by {name} under an equation that binds {name}")
    rules = []
    for s in statements:
        # An equation about elements that the left side does not name says nothing if there are none.
        if not isinstance(s, Eq) or any(i.sort.empty for i in free(s.right) - free(s.left)):
            continue
        if isinstance(s.left, App | Deriv):
            rules.append(Rule((s.left,), None, s.right))
        elif isinstance(s.left, Sum):
            aside = fresh(s.left.index)
            body = rename(s.left.body, {s.left.index: aside})
            factors = body.factors if isinstance(body, Mul) else (body,)
            if all(isinstance(f, App) for f in factors):
                rules.append(Rule(factors, aside, s.right))
    normal = Normal(rules)
    return normal, VisibleSigns(normal, [(gap(s), isinstance(s, Lt)) for s in statements if isinstance(s, Le | Lt)])


def _binds(s: Statement, name: str) -> bool:
    """Return whether a statement is about one value of a variable; a definition of a function of it is not."""
    head = s.left.body if isinstance(s, Eq) and isinstance(s.left, Deriv) else getattr(s, "left", None)
    function = isinstance(s, Eq) and isinstance(head, App) and name in head.symbol.depends
    return not function and any(t.symbol.name == name for t in _inside(s))


def _grounded(claim: Statement, used: Iterable[Index]) -> None:
    """Refuse elements of sets that may be empty where the claim is not about them."""
    if any(i.sort.empty for i in frozenset(used) - indices_of(claim)):
        raise RefusedError("a set may be empty, and the claim is not about an element of it")


# The rules.


def assume(statement: Statement) -> Fact:
    """``S ⊢ S``."""
    return _fact("hypothesis", statement, given=[statement])


def algebra(claim: Eq, given: Iterable[Statement] = (), using: Sequence[Fact] = ()) -> Fact:
    """Both sides have one normal form, under the equations given and used, read from left to right."""
    given, using = tuple(given), tuple(using)
    normal, _ = _normal(given, using, terms_of(claim))
    if not normal.equal(claim.left, claim.right):
        raise RefusedError("the two sides have different normal forms")
    return _fact("normal form", claim, using, given)


def order(
    claim: Le | Lt, given: Iterable[Statement] = (), using: Sequence[Fact] = (), certificate: Term | None = None
) -> Fact:
    """The difference of both sides equals the certificate, which is visibly non-negative (positive for ``<``)."""
    given, using = tuple(given), tuple(using)
    difference = gap(claim)
    shown = difference if certificate is None else certificate
    _proper((), [shown])
    _grounded(claim, free(shown))
    normal, signs = _normal(given, using, (*terms_of(claim), shown))
    if not normal.equal(difference, shown):
        raise RefusedError("the certificate is not the difference of the two sides")
    if not (signs.positive(shown) if isinstance(claim, Lt) else signs.nonnegative(shown)):
        raise RefusedError(f"the certificate is not visibly {'positive' if isinstance(claim, Lt) else 'non-negative'}")
    return _fact("certificate", claim, using, given)


def magnitude(claim: Eq | Le, given: Iterable[Statement] = (), using: Sequence[Fact] = ()) -> Fact:
    """``|t| = a`` as a ≥ 0 and a² = t²; ``t ≤ |t|``; ``|t| ≤ a`` from t ≤ a and −t ≤ a."""
    given, using = tuple(given), tuple(using)
    normal, signs = _normal(given, using, terms_of(claim))
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


def congruence(claim: Eq, equation: Fact, hole: App, context: Term, given: Iterable[Statement] = ()) -> Fact:
    """From a = b, whatever is computed from a equals the same from b: ``context`` with ``hole`` replaced."""
    given, source = tuple(given), equation.statement
    _proper((), [hole, context])
    if not isinstance(source, Eq) or any(isinstance(t, Deriv) for t in walk(context)):
        raise RefusedError("an equation is needed, and no derivative around the hole")
    if any(i.fixed or i.shift or not i.name for i in hole.indices):
        raise RefusedError("the indices of the hole stand for all elements")
    sides = [put(context, {hole.symbol: (hole.indices, side)}) for side in terms_of(source)]
    _grounded(claim, free(sides[0]) | free(sides[1]))
    normal, _ = _normal([*given, *equation.given], (), [*sides, *terms_of(claim)])
    if not all(normal.equal(side, wanted) for side, wanted in zip(sides, terms_of(claim), strict=True)):
        raise RefusedError("the claim is not what the context makes of the equation")
    return _fact("congruence", claim, [equation], given)


def cases(first: Fact, second: Fact) -> Fact:
    """From a ≤ b ⊢ S and b ≤ a ⊢ S: ⊢ S, for numbers that no free index makes many."""
    if first.statement != second.statement:
        raise RefusedError("the two cases end in different statements")
    for one in first.given:
        if isinstance(one, Le) and Le(one.right, one.left) in second.given:
            other = Le(one.right, one.left)
            if not all(i.fixed for i in indices_of(one)) or any(t.symbol.depends for t in _inside(one)):
                raise RefusedError("a hypothesis about all indices, or about a function, cannot be split")
            _grounded(first.statement, indices_of(one))
            given = (first.given - {one}) | (second.given - {other})
            normal, _ = _normal(given, (), terms_of(one))
            for side in terms_of(one):
                normal(side)  # is defined
            return _fact("cases", first.statement, [first, second], only=given)
    raise RefusedError("no a ≤ b in one case meets b ≤ a in the other")


def contradiction(less: Fact, not_less: Fact) -> Fact:
    """From a < b and b ≤ a: what is given cannot be."""
    a, b = less.statement, not_less.statement
    if not (isinstance(a, Lt) and isinstance(b, Le) and (a.left, a.right) == (b.right, b.left)):
        raise RefusedError("the statements do not contradict each other")
    _grounded(Absurd(), indices_of(a))
    return _fact("contradiction", Absurd(), [less, not_less])


def instance(
    fact: Fact,
    symbols: Mapping[Symbol, tuple[tuple[Index, ...], Term]] | None = None,
    indices: Mapping[Index, Index] | None = None,
) -> Fact:
    """Put terms for symbols, and elements for free indices; nothing that is derived may be touched."""
    symbols, indices = dict(symbols or {}), dict(indices or {})
    _proper((), [body for _, body in symbols.values()])
    inside = [t for s in (fact.statement, *fact.given) for side in terms_of(s) for t in walk(side)]
    if symbols and any(isinstance(t, Deriv) or (isinstance(t, App) and t.symbol.depends) for t in inside):
        raise RefusedError("symbols inside derivatives, or with dependencies, cannot be replaced")
    for old, new in indices.items():
        if (
            not old.name
            or old.shift
            or old.sort != new.sort
            or (old.fixed and not new.fixed and any(old in indices_of(s) for s in fact.given))
        ):
            raise RefusedError(f"{old.name} cannot become {new.name}")

    def one(statement: Statement, names: Mapping[Index, Index]) -> Statement:
        return changed(statement, lambda t: put(rename(t, names), symbols))

    caught = {i for names, body in symbols.values() for i in free(body) - set(names)}
    if any(caught & indices_of(s) and any(t.symbol in symbols for t in _inside(s)) for s in fact.given):
        raise RefusedError("a hypothesis about all elements would become one about some; rename the index")
    fixed = {old: new for old, new in indices.items() if old.fixed}
    given = [one(s, fixed) for s in fact.given]
    statement = one(fact.statement, indices)
    _grounded(statement, caught)
    normal, _ = _normal(given, (), terms_of(statement))
    for side in terms_of(statement):
        normal(side)  # is defined
    return _fact("instance", statement, [fact], only=given)


def discharge(fact: Fact, *proofs: Fact) -> Fact:
    """Replace hypotheses by facts that prove them."""
    proved = {proof.statement for proof in proofs}
    if not proved <= fact.given:
        raise RefusedError("a proof is of no hypothesis")
    _normal((), proofs, [t for s in (fact.statement, *fact.given) for t in terms_of(s)])  # no derivative is misled
    for proof in proofs:
        variables = {name for t in _inside(proof.statement) for name in t.symbol.depends}
        if any(_binds(s, name) for s in proof.given for name in variables):
            raise RefusedError("a hypothesis about a function is proved at one value of its variable only")
    given = (fact.given - proved).union(*(proof.given for proof in proofs))
    return _fact("modus ponens", fact.statement, [fact, *proofs], only=given)


def induction(base: Fact, step: Fact, at: Index) -> Fact:
    """From P(0), and P(t) ⊢ P(t + 1) for a fixed t: P for all natural numbers."""
    zero = Index("", at.sort)
    if not at.sort.natural or not at.fixed or at.shift:
        raise RefusedError("induction runs over a fixed natural number")
    names = {at: replace(at, shift=1)}
    goal = step.statement
    for hypothesis in step.given:
        if changed(hypothesis, lambda t: rename(t, names)) != goal:
            continue
        others = step.given - {hypothesis}
        if any(at in indices_of(s) for s in others | base.given):
            raise RefusedError("a hypothesis mentions the number that the induction runs over")
        if changed(hypothesis, lambda t: rename(t, {at: zero})) != base.statement:
            raise RefusedError("the base is not the hypothesis at 0")
        every = changed(hypothesis, lambda t: rename(t, {at: replace(at, fixed=False)}))
        return _fact("induction", every, [base, step], only=others | base.given)
    raise RefusedError("the step does not lead from its hypothesis at t to the same at t + 1")


def tangent(claim: Le, value: Fact, slope: Fact, curvature: Fact, by: App, at: Fraction) -> Fact:
    """``0 ≤ f``: f and f′ are 0 at a point and f″ ≥ 0 on an interval (from its Taylor formula)."""
    f = _function(claim, by)
    here = {by.symbol: ((), Num(Fraction(at)))}
    wanted = (
        Eq(put(f, here), Num(Fraction(0))),
        Eq(put(build(_derived(f, by, curvature.given)), here), Num(Fraction(0))),
        Le(Num(Fraction(0)), Deriv(Deriv(f, by), by)),
    )
    if (value.statement, slope.statement, curvature.statement) != wanted:
        raise RefusedError("a premise about value, slope or curvature is another")
    about = [s for s in value.given | slope.given | curvature.given if by in _inside(s)]
    if any(s not in (Lt(Num(Fraction(0)), by), Le(Num(Fraction(0)), by)) for s in about) or (about and at <= 0):
        raise RefusedError("x must range over all real numbers, or over the positive ones with the point inside")
    return _fact("tangent", claim, [value, slope, curvature])


def _function(claim: Le, by: App) -> Term:
    named = {
        t for t in walk(claim.right) if isinstance(t, App) and by.symbol.name in (t.symbol.name, *t.symbol.depends)
    }
    if claim.left != Num(Fraction(0)) or by.indices or by.symbol.depends or not named <= {by}:
        raise RefusedError("the rule is about 0 ≤ f(x) and a free scalar x")
    return claim.right


def _derived(f: Term, by: App, given: Iterable[Statement]) -> Polynomial:
    return _normal(given, (), [Deriv(f, by)])[0](Deriv(f, by))


def slope_at(f: Term, by: App, at: Fraction, given: Iterable[Statement] = ()) -> Term:
    """Return the derivative of ``f`` at a point, as the rule of tangents wants it."""
    return put(build(_derived(f, by, given)), {by.symbol: ((), Num(Fraction(at)))})


def _inside(statement: Statement) -> set[App]:
    return {t for side in terms_of(statement) for t in walk(side) if isinstance(t, App)}


def rising(claim: Le, start: Fact, slope: Fact, by: App, at: Term) -> Fact:
    """``0 ≤ f(x)`` for x ≥ a: 0 ≤ f(a), and 0 ≤ f′(x) wherever x ≥ a (a derivative ≥ 0 means increasing)."""
    f, zero, beyond = _function(claim, by), Num(Fraction(0)), Le(at, by)
    if by in set(walk(at)) or not all(i.fixed for i in free(at)):
        raise RefusedError("the start is one number")
    if start.statement != Le(zero, put(f, {by.symbol: ((), at)})) or slope.statement != Le(zero, Deriv(f, by)):
        raise RefusedError("the premises are not 0 ≤ f(a) and 0 ≤ f′(x)")
    if any(by in _inside(s) for s in (slope.given - {beyond}) | start.given):
        raise RefusedError("another hypothesis mentions x")
    return _fact("increasing", claim, [start, slope], given=[beyond])


def cite(rule: str, text: str, *premises: Fact) -> Fact:
    """State in words what a rule that is not checked here yields from facts."""
    if rule not in CITED:
        raise RefusedError(f"{rule!r} is not among the cited rules")
    return _fact("cited", Cited(rule, text), premises, cited=rule)
