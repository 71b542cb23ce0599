"""Known inequalities about all elements are used for each of them, and for nothing else."""

import pytest

from attn_verify.arithmetic.sums.normal import RefusedError
from attn_verify.theorems.kernel.facts import assume, order
from attn_verify.theorems.notation import ZERO, Index, Lt, Sort, Symbol

STEPS = Sort("t", natural=True)
u, at = STEPS.index("u"), STEPS.index("t", fixed=True)
zero, one = Index("", STEPS), Index("", STEPS, 1)
D = Symbol("D", (STEPS,))


@pytest.mark.parametrize("index", [zero, one, at, at + 1, u + 2])
def test_what_is_known_of_all_is_known_of_constants_and_successors(index: Index) -> None:
    assert order(Lt(ZERO, D[index]), using=[assume(Lt(ZERO, D[u]))]).statement == Lt(ZERO, D[index])


@pytest.mark.parametrize(
    ("known", "wanted"), [(zero, one), (one, zero), (zero, u), (at, zero), (at, at + 1), (u + 1, zero)]
)
def test_what_is_known_of_one_is_not_known_of_another(known: Index, wanted: Index) -> None:
    with pytest.raises(RefusedError, match="not visibly positive"):
        order(Lt(ZERO, D[wanted]), using=[assume(Lt(ZERO, D[known]))])
