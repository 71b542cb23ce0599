"""A rule proves statements of its own kind only, from facts only."""

from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.checking import apply
from attn_verify.theorems.kernel import calculus
from attn_verify.theorems.kernel import facts as kernel
from attn_verify.theorems.kernel.outside import balls
from attn_verify.theorems.notation import ONE, ZERO, Cited, Deriv, Eq, Exp, Le, Lt, Step, scalar, term
from attn_verify.theorems.slopes import slope_at

x, y, hole = scalar("x"), scalar("y"), scalar("□")
wrong: Any = kernel  # its rules, called with what their types forbid
wrong_calculus: Any = calculus
wrong_balls: Any = balls
BEND = Exp(x) - 1 - x
FORGED: Any = SimpleNamespace(statement=Eq(x, y), given=frozenset(), cited=frozenset(), fixed=frozenset())


def _tangent() -> object:
    value = kernel.algebra(Eq(kernel.put(BEND, {x.symbol: ((), ZERO)}), ZERO))
    slope = kernel.algebra(Eq(slope_at(BEND, x, Fraction(0)), ZERO))
    curvature = kernel.order(Le(ZERO, Deriv(Deriv(BEND, x), x)), certificate=Exp(x))
    assert calculus.tangent(Le(ZERO, BEND), value, slope, curvature, x, Fraction(0))
    return wrong_calculus.tangent(Lt(ZERO, BEND), value, slope, curvature, x, Fraction(0))


def _rising() -> object:
    start = kernel.order(Le(ZERO, ZERO), certificate=ZERO)
    slope = kernel.order(Le(ZERO, Deriv(x, x)), given=[Le(ZERO, x)], certificate=ONE)
    assert calculus.rising(Le(ZERO, x), start, slope, x, ZERO)
    return wrong_calculus.rising(Lt(ZERO, x), start, slope, x, ZERO)


FALSE: dict[str, Callable[[], object]] = {
    "0 = y² by a certificate": lambda: wrong.order(Eq(ZERO, y**2)),
    "y < y by a normal form": lambda: wrong.algebra(Lt(y, y)),
    "x < y from x = y": lambda: wrong.congruence(Lt(x, y), kernel.assume(Eq(x, y)), hole, hole),
    "0 < eˣ − 1 − x by a tangent": _tangent,
    "0 < x from 0 on": _rising,
    "1 = 2 by balls": lambda: wrong_balls(Eq(ONE, term(2))),
    "words as a hypothesis": lambda: wrong.assume(Cited("rank of a product", "all is well")),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="no such statement"):
        FALSE[name]()


@pytest.mark.parametrize(("rule", "claim"), [("normal form", Lt(y, y)), ("certificate", Eq(ZERO, y**2))])
def test_no_step_gets_round_it(rule: str, claim: Any) -> None:
    with pytest.raises(RefusedError, match="no such statement"):
        apply(Step("claim", claim, rule, "This is false."), wrong)


def test_a_premise_that_no_rule_made_is_refused() -> None:
    with pytest.raises(RefusedError, match="of another class"):
        kernel.algebra(Eq(x, y), using=[FORGED])


def test_what_can_be_read_once_only_is_refused() -> None:
    once: Any = iter([kernel.assume(Eq(x, y))])
    with pytest.raises(RefusedError, match="list_iterator"):
        kernel.algebra(Eq(x, y), using=once)
    assert kernel.algebra(Eq(x, y), using=[kernel.assume(Eq(x, y))]).given == {Eq(x, y)}
