"""What holds of a function at one value of its variable is no proof of a hypothesis about the function."""

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import algebra, cases, discharge, order
from attn_verify.theorems.kernel.statements import Statement
from attn_verify.theorems.notation import ONE, ZERO, Abs, Deriv, Eq, Le, Lt, scalar

x, c = scalar("x"), scalar("c")
u = scalar("u", ("x",))
LINE = Eq(u, x - 1)
SLOPE = algebra(Eq(Deriv(u, x), ONE), given=[LINE])  # so far u is a line


def test_a_function_that_meets_a_line_at_a_point_has_not_its_slope() -> None:
    at_one = algebra(LINE, given=[Eq(u, ZERO), Eq(x, ONE)])  # u = 0 = x - 1, at x = 1 only
    with pytest.raises(RefusedError):
        discharge(SLOPE, at_one)


def test_nor_may_the_slope_have_left_the_statement_before() -> None:
    small = order(Le(ZERO, c - 1), given=[Le(Deriv(u, x), c)], using=[SLOPE], certificate=c - Deriv(u, x))
    flat = order(Le(Deriv(u, x), c), given=[Eq(u, ZERO), Le(ZERO, c)], certificate=c)
    no_slope_left = discharge(small, flat)  # of u = x - 1 and u = 0 both, which no function is
    at_one = algebra(LINE, given=[Eq(u, ZERO), Eq(x, ONE)])
    with pytest.raises(RefusedError):
        discharge(no_slope_left, at_one)


@pytest.mark.parametrize("where", [Le(ZERO, x), Lt(ZERO, x)])
def test_an_inequality_binds_a_variable_too(where: Statement) -> None:
    on_one_side = algebra(Eq(u, x), given=[Eq(u, Abs(x)), where])
    with pytest.raises(RefusedError):
        discharge(algebra(Eq(Deriv(u, x), ONE), given=[Eq(u, x)]), on_one_side)


def test_the_sign_of_a_function_is_no_matter_of_two_cases() -> None:
    above, below = (order(Le(ZERO, u**2), given=[s]) for s in (Le(ZERO, u), Le(u, ZERO)))
    with pytest.raises(RefusedError, match="about a function"):
        cases(above, below)


def test_a_definition_of_the_function_proves_it() -> None:
    other = Eq(u, 2 * x - x - 1)
    defined = algebra(other, given=[LINE])
    assert discharge(algebra(Eq(Deriv(u, x), ONE), given=[other]), defined).given == {LINE}
