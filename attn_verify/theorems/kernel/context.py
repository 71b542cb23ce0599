"""Normal forms and visible signs under hypotheses and facts, and what derivatives must not meet there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attn_verify.arithmetic.sums.normal import Normal
from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.arithmetic.sums.rules import Rule
from attn_verify.arithmetic.sums.terms import App, Deriv, Mul, Sum, Term, free, fresh, rename, walk
from attn_verify.theorems.kernel.signs import VisibleSigns
from attn_verify.theorems.kernel.statements import Eq, Le, Lt, Statement, entries_of, gap, terms_of

if TYPE_CHECKING:
    from attn_verify.theorems.kernel.facts import Fact


def normal_under(
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
        if any(isinstance(s, Eq) and binds(s, name) for s in hypotheses) or any(
            isinstance(f.statement, Eq) and any(binds(s, name) and not isinstance(s, Lt) for s in f.given)
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


def binds(s: Statement, name: str) -> bool:
    """Return whether a statement is about one value of a variable; a definition of a function of it is not."""
    head = s.left.body if isinstance(s, Eq) and isinstance(s.left, Deriv) else getattr(s, "left", None)
    function = isinstance(s, Eq) and isinstance(head, App) and name in head.symbol.depends
    return not function and any(t.symbol.name == name for t in entries_of(s))
