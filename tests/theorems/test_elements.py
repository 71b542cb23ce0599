"""What is said of an element says nothing where there may be none, and what holds for one does not hold for all."""

from collections.abc import Callable

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import (
    algebra,
    assume,
    cases,
    congruence,
    contradiction,
    instance,
    order,
)  # fmt: skip
from attn_verify.theorems.notation import ZERO, Abs, Delta, Deriv, Eq, Index, Le, Lt, Size, Sort, Sum, Symbol, scalar

PERHAPS_NONE, SOME, STEPS = Sort("m", empty=True), Sort("n"), Sort("t", natural=True)
w, z, one = PERHAPS_NONE.index("w"), PERHAPS_NONE.index("z"), PERHAPS_NONE.index("z", fixed=True)
j, first = SOME.index("j"), SOME.index("i", fixed=True)
a, s, u = Symbol("a", (PERHAPS_NONE,)), Symbol("s", (SOME,)), Symbol("u", (STEPS,))
x, y, hole = scalar("x"), scalar("y"), scalar("□")
at_key, at_step, start = Symbol("□", (SOME,)), Symbol("□", (STEPS,)), Index("", STEPS)

FALSE: dict[str, Callable[[], object]] = {
    "0 < m": lambda: order(Lt(ZERO, Size(PERHAPS_NONE)), certificate=Sum(w, 1 - Delta(w, z)) + 1),
    "0 < m, for one element": lambda: order(Lt(ZERO, Size(PERHAPS_NONE)), certificate=Sum(w, 1 - Delta(w, one)) + 1),
    "x = y for every element": lambda: algebra(Eq(x, y), given=[Eq(x, y + a[z] - a[z])]),
    "0 < x for one element": lambda: order(Lt(ZERO, x), given=[Lt(ZERO, x * Delta(one, one))]),
    "0 < a ≤ y for every element": lambda: instance(
        order(Lt(ZERO, y), given=[Lt(ZERO, x), Le(x, y)], certificate=x + (y - x)), {x.symbol: ((), a[z])}
    ),
    "x + a = y + a for every element": lambda: congruence(Eq(x, y), assume(Eq(x + a[z], y + a[z])), hole, hole - a[z]),
    "a < x ≤ a for every element": lambda: contradiction(assume(Lt(a[z], x)), assume(Le(x, a[z]))),
    "a ≤ x or x ≤ a for one element": lambda: cases(
        algebra(Eq(y, y), given=[Le(a[one], x)]), algebra(Eq(y, y), given=[Le(x, a[one])])
    ),
    "from one key to all": lambda: congruence(
        Eq(Sum(j, s[j]), ZERO), assume(Eq(s[first], ZERO)), at_key[first], Sum(j, at_key[j])
    ),
    "from the start to all": lambda: congruence(
        Eq(u[STEPS.index("t")], ZERO), assume(Eq(u[start], ZERO)), at_step[start], at_step[STEPS.index("t")]
    ),
    "|x| has slope 1 at 0": lambda: algebra(Eq(Deriv(Abs(x) + Deriv(x * y, y), x), y**0 + 1), given=[Le(ZERO, x)]),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        FALSE[name]()


def test_sums_over_what_may_be_empty_keep_their_signs() -> None:
    assert order(Le(ZERO, Sum(w, a[w])), given=[Le(ZERO, a[z])])
    assert order(Le(Sum(z, a[z]), Size(PERHAPS_NONE) * x), given=[Le(a[z], x)], certificate=Sum(z, x - a[z]))
    assert congruence(Eq(Sum(j, s[j]), Sum(j, x)), assume(Eq(s[j], x)), at_key[j], Sum(j, at_key[j]))


@pytest.mark.parametrize("name", ["%1", "$1_0"])
def test_no_free_index_has_the_name_of_a_bound_one(name: str) -> None:
    with pytest.raises(TypeError, match="bound"):
        SOME.index(name)
    with pytest.raises(TypeError, match="bound"):
        Index(name, SOME)
