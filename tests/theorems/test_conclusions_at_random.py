"""What every theorem assumes can be, and what it concludes is then true: apart from the kernel, in worlds at random."""

import pytest
from evaluating import NotReadError, NoValueError, verdict
from score_steps import conclusions
from worlds import worlds

from attn_verify.theorems.kernel.facts import Eq, Le, Lt
from attn_verify.theorems.library import theorems
from attn_verify.theorems.notation import ONE, ZERO, Sort, Sum, Symbol, scalar

SEED = 7
THEOREMS = theorems()


@pytest.mark.parametrize("name", THEOREMS)
def test_hypotheses_can_be_and_conclusions_are_then_true(name: str) -> None:
    for label, met, known in conclusions(name, SEED, 1):
        assert met == 1, f"{label}: what is given was not met, seed {SEED}"
        assert known == [True], f"{label} is false, seed {SEED}"


def test_a_false_conclusion_and_hypotheses_that_cannot_be_are_seen() -> None:
    keys = Sort("n")
    p, j, k, x = Symbol("p", (keys,)), keys.index("j"), keys.index("k"), scalar("x")
    found = worlds([Eq(Sum(k, p[k]), ONE)], [Le(p[j], ONE)], str(SEED), 6)
    assert any(verdict(Le(p[j], ONE), world) is False for world in found)
    assert not worlds([Lt(x, ZERO), Le(ONE, x)], [], str(SEED), 1, tries=10)
    assert not worlds([Eq(Sum(k, p[k]), ONE), Eq(p[j], ZERO)], [], str(SEED), 1, tries=10)


def test_what_has_no_value_is_told() -> None:
    x, f = scalar("x"), scalar("f", ("x",))
    (world,) = worlds([Eq(x, ZERO)], [], str(SEED), 1)
    with pytest.raises(NoValueError):
        verdict(Eq(1 / x, 1 / x), world)
    from attn_verify.theorems.notation import Deriv

    with pytest.raises(NotReadError):
        verdict(Eq(Deriv(f, x), ZERO), world)
