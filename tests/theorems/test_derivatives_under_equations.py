"""An equation that holds at one point is no equation between functions: no derivative is formed with it."""

from collections.abc import Callable

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import Fact, algebra, assume, congruence, discharge, order
from attn_verify.theorems.notation import ONE, ZERO, Abs, Deriv, Eq, Le, scalar

x, hole = scalar("x"), scalar("□")
f, g, h = (scalar(name, ("x",)) for name in "fgh")
SQUARE = Eq(f, x**2)


def _where_x_is_one() -> Fact:
    return algebra(SQUARE, given=[Eq(f, ONE), Eq(x, ONE)])


def _where_g_is_not_negative() -> Fact:
    return congruence(Eq(f, g), assume(Eq(f - Abs(g), ZERO)), hole, hole + Abs(g), given=[Le(ZERO, g)])


FALSE: dict[str, Callable[[], object]] = {
    "1 has the slope of x² where both are 1": lambda: discharge(
        algebra(Eq(Deriv(f, x), 2 * x), given=[SQUARE]), _where_x_is_one()
    ),
    "the same, the derivative hidden in a hypothesis": lambda: discharge(
        algebra(Eq(h, 2 * x), given=[Eq(h, Deriv(f, x)), SQUARE]), _where_x_is_one()
    ),
    "|x| has slope 1 at 0": lambda: algebra(Eq(Deriv(f, x), ONE), given=[Eq(g, x)], using=[_where_g_is_not_negative()]),
    "|x| has slope 1 at 0, afterwards": lambda: discharge(
        algebra(Eq(Deriv(f, x), Deriv(g, x)), given=[Eq(f, g)]), _where_g_is_not_negative()
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="derivative"):
        FALSE[name]()


def test_equations_between_functions_are_used() -> None:
    slope = algebra(Eq(Deriv(f, x), 2 * x), given=[SQUARE])
    assert discharge(slope, algebra(SQUARE, given=[Eq(f, x * g), Eq(g, x)])).given == {Eq(f, x * g), Eq(g, x)}
    above = order(Le(ZERO, Deriv(f, x)), given=[SQUARE, Le(ZERO, x)], certificate=2 * x)
    assert discharge(above, order(Le(ZERO, x), given=[Le(ONE, x)], certificate=(x - 1) + 1))
