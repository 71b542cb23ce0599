"""What every theorem assumes can be, and what it concludes is then true: apart from the kernel, in worlds at random."""

import pytest
from evaluating import NotReadError, NoValueError, verdict
from worlds import worlds

from attn_verify.theorems.kernel.facts import Eq, Le, Lt
from attn_verify.theorems.library import check, theorems
from attn_verify.theorems.notation import ONE, ZERO, Sort, Sum, Symbol, scalar
from attn_verify.theorems.printing import statement_text

SEED = 7
THEOREMS = theorems()
# Hypotheses whose worlds take long to find: fewer worlds are asked for, the command looks for more.
DEEP = {"dot_product_variance_is_a_trace": 1, "pure_attention_contracts": 1, "causal_prefix_property": 1}


@pytest.mark.parametrize("name", THEOREMS)
def test_hypotheses_can_be_and_conclusions_are_then_true(name: str) -> None:
    theorem, checked = THEOREMS[name], check(name)
    wanted = DEEP.get(name, 3)
    for label in theorem.concludes:
        fact = checked.facts[label]
        if not isinstance(fact.statement, Eq | Le | Lt):
            continue  # a limit, a rank, a contradiction, a sentence
        models = (theorem.illustration.model, theorem.near_miss.model)
        found = worlds(fact.given, [fact.statement], f"{SEED}:{name}:{label}", wanted, models=models)
        assert len(found) == wanted, f"{label}: what is given was not met, seed {SEED}"
        for world in found:
            assert verdict(fact.statement, world), f"{statement_text(fact.statement)} is false, seed {SEED}"


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
