"""What other programs compute is claimed of no more than they were asked: whole numbers, constants, sizes."""

from collections.abc import Callable

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import discharge, instance, order
from attn_verify.theorems.kernel.outside import counting, integral, limit
from attn_verify.theorems.notation import HALF, ONE, ZERO, Eq, Integral, Le, Limit, Size, Sort, Whole, scalar, term

x, f = scalar("x"), scalar("f", ("x",))
NONE_OR_SOME, SOME = Size(Sort("m", empty=True)), Size(Sort("n"))

FALSE: dict[str, Callable[[], object]] = {
    "a function is its own integral": lambda: integral(Integral(f, x, "0", "1", f)),
    "a function is its own limit": lambda: limit(Limit(f, x, "oo", f)),
    "m·x grows, though m may be 0": lambda: limit(Limit(NONE_OR_SOME * x, x, "oo", "oo")),
}


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


def test_a_size_that_is_not_0_grows() -> None:
    assert limit(Limit(SOME * x, x, "oo", "oo"))


def test_what_was_counted_through_holds_for_whole_numbers_only() -> None:
    counted = counting(Eq(x * (x - 1), ZERO), {x: range(2)})
    assert Eq(Whole("%", x, ONE), ZERO) in counted.given
    at_half = discharge(
        instance(counted, {x.symbol: ((), term(HALF))}),
        order(Le(ZERO, term(HALF))),
        order(Le(term(HALF), ONE), certificate=term(HALF)),
    )
    assert at_half.given == {Eq(Whole("%", term(HALF), ONE), ZERO)}
