"""Known inequalities about all elements are used for each of them, and for nothing else."""

import pytest

from attn_verify.arithmetic.sums.polynomials import RefusedError
from attn_verify.theorems.kernel.facts import algebra, assume, order
from attn_verify.theorems.notation import ZERO, Abs, Eq, Index, Le, Log, Lt, Sort, Symbol, scalar, term

STEPS = Sort("t", natural=True)
u, at = STEPS.index("u"), STEPS.index("t", fixed=True)
zero, one = Index("", STEPS), Index("", STEPS, 1)
D = Symbol("D", (STEPS,))
x, y = scalar("x"), scalar("y")


@pytest.mark.parametrize("index", [zero, one, at, at + 1, u + 2])
def test_what_is_known_of_all_is_known_of_constants_and_successors(index: Index) -> None:
    assert order(Lt(ZERO, D[index]), using=[assume(Lt(ZERO, D[u]))]).statement == Lt(ZERO, D[index])


@pytest.mark.parametrize(
    ("known", "wanted"), [(zero, one), (one, zero), (zero, u), (at, zero), (at, at + 1), (u + 1, zero)]
)
def test_what_is_known_of_one_is_not_known_of_another(known: Index, wanted: Index) -> None:
    with pytest.raises(RefusedError, match="not visibly positive"):
        order(Lt(ZERO, D[wanted]), using=[assume(Lt(ZERO, D[known]))])


def test_a_magnitude_is_the_number_or_its_negative_where_the_sign_is_known() -> None:
    assert algebra(Eq(Abs(x - y), x - y), given=(Le(y, x),))
    assert algebra(Eq(Abs(x - y), y - x), given=(Le(x, y),))
    assert algebra(Eq(Abs(x) ** 2, x**2))
    assert algebra(Eq(Abs(x) ** 3, Abs(x) * x**2))


@pytest.mark.parametrize(
    ("claim", "given"),
    [
        (Eq(Abs(x - y), x - y), ()),
        (Eq(Abs(x - y), x - y), (Le(x, y),)),
        (Eq(Abs(x - y), y - x), (Le(y, x),)),
        (Eq(Abs(x) ** 3, x**3), ()),
        (Eq(Abs(x) * x, x**2), ()),
        (Eq(Abs(x * y) ** 2, x**2), ()),
    ],
)
def test_a_magnitude_stays_where_no_sign_is_known(claim: Eq, given: tuple[Le, ...]) -> None:
    with pytest.raises(RefusedError):
        algebra(claim, given)


def test_a_base_may_be_visibly_positive_in_its_normal_form_only() -> None:
    assert algebra(Eq((x + y - y) / (x + y - y), term(1)), given=(Lt(ZERO, x),))
    assert algebra(Eq(Log(x + y - y), Log(x)), given=(Lt(ZERO, x),))
    assert algebra(
        Eq(Log(1 - y / (x + y)), Log(x) - Log(x + y)), given=(Lt(ZERO, x), Lt(ZERO, y), Lt(y / (x + y), term(1)))
    )


@pytest.mark.parametrize(
    "claim",
    [
        Eq((x - x) / (x - x), term(1)),
        Eq((x + y - x) / (x + y - x), term(1)),
        Eq(Log(x + y - x), Log(y)),
        Eq(Log(x - x), Log(x - x)),
        Eq((x - 1) / (x - 1), term(1)),
    ],
)
def test_a_base_that_may_be_0_stays_refused(claim: Eq) -> None:
    with pytest.raises(RefusedError):
        algebra(claim, given=(Lt(ZERO, x),))
