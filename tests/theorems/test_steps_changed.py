"""A change that makes a step false is refused; what tells false from true knows nothing of the kernel."""

import random
from dataclasses import replace

import pytest
from evaluating import verdict
from score_steps import CAUGHT, EQUIVALENT, FATES, HOLE, UNDEFINED, Judge, described, judged, main, truth
from step_mutants import Mutant, of_step, statements
from worlds import worlds

from attn_verify.theorems.kernel import facts
from attn_verify.theorems.library import theorems
from attn_verify.theorems.notation import ONE, ZERO, Eq, Exp, Le, Lt, Sort, Sum, Symbol, scalar

KEYS = Sort("n")
s, p, k, j = Symbol("s", (KEYS,)), Symbol("p", (KEYS,)), KEYS.index("k"), KEYS.index("j")
x, y = scalar("x"), scalar("y")
SEED = 20240611
DEEP = {"causal_prefix_property", "kv_cache_decoding_is_exact", "dot_product_variance_is_a_trace"}  # slow in worlds
QUICK = [name for name in theorems() if len(theorems()[name].steps) < 8 and name not in DEEP]


def test_a_sample_of_changes() -> None:
    chosen = random.Random(SEED).sample(QUICK, 4)
    print("seed", SEED, chosen)
    records = list(judged(chosen, SEED, {"claim": 2, "hint": 1, "given": 1, "using": 1}, wanted=2))
    assert not [described(r) for r in records if r.fate in (HOLE, UNDEFINED)]
    assert sum(r.fate == CAUGHT for r in records) >= 15


def test_a_hole_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    theorem = theorems()["weights_form_a_distribution"]
    step = theorem.step("sum")
    false = Mutant(
        theorem.name, step.label, "claim", "two for one", replace(step, claim=Eq(step.claim.left, ONE + ONE))
    )
    assert Judge(theorem, SEED).judge(false).fate == CAUGHT
    monkeypatch.setattr("attn_verify.arithmetic.sums.normal.Normal.equal", lambda *_: True)
    assert Judge(theorem, SEED).judge(false).fate == HOLE


def test_an_equivalent_change_is_told_apart() -> None:
    theorem = theorems()["weights_form_a_distribution"]
    step = theorem.step("sum")
    turned = replace(step, claim=Eq(ONE, step.claim.left))
    assert Judge(theorem, SEED).judge(Mutant(theorem.name, step.label, "claim", "turned", turned)).fate == EQUIVALENT


def test_changes_are_the_same_for_the_same_seed() -> None:
    theorem = theorems()["leave_one_out"]
    for step in theorem.steps:
        found = [[m.step for m in of_step(theorem, step, {"claim": 5, "given": 2}, seed)] for seed in (1, 1, 2)]
        assert found[0] == found[1] != found[2]
        assert step not in found[0]


@pytest.mark.parametrize(
    ("claim", "given", "wanted"),
    [
        (Eq(Exp(x) * Exp(y), Exp(x + y)), (), True),
        (Eq(Exp(x) * Exp(y), Exp(x - y)), (), False),
        (Le(ONE + x, Exp(x)), (), True),
        (Lt(ONE + x, Exp(x)), (Eq(x, ZERO),), False),
        (Le(p[j], ONE), (Lt(ZERO, p[j]), Eq(Sum(k, p[k]), ONE)), True),
        (Le(p[j], ONE), (Eq(Sum(k, p[k]), ONE),), False),
        (Eq(Sum(k, p[k] * p[k]), ONE), (Eq(p[j], Exp(s[j]) / Sum(k, Exp(s[k]))),), False),
    ],
)
def test_truth_is_found_without_the_kernel(claim: Le, given: tuple[Le, ...], wanted: bool) -> None:
    found = worlds(given, (claim, *given), str(SEED), 6)
    assert len(found) == 6
    assert all(verdict(g, world) for g in given for world in found)
    assert truth(claim, found) is wanted


def test_there_is_no_world_in_which_hypotheses_contradict_each_other() -> None:
    assert worlds((Lt(x, ZERO), Lt(ZERO, x)), (), str(SEED), 1, tries=10) == []


def test_a_statement_has_changes_of_many_kinds() -> None:
    from step_mutants import Names

    claim = Le(Sum(k, Exp(s[k]) * p[k] ** 2) + x, y)
    kinds = {kind for kind, _ in statements(claim, Names((s, p), (k, j)))}
    wanted = {"symbol", "sign", "term dropped", "plus or minus", "factor dropped", "exponent", "turned", "< for ≤"}
    assert kinds >= wanted | {"exp dropped", "sign of exponent", "sum dropped"}


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--theorem", "where_the_scale_lives", "--claims", "1", "--list", CAUGHT]) == 0
    assert capsys.readouterr().out.startswith("seed 0\n")
    with pytest.raises(SystemExit):
        main(["--theorem", "one_is_two"])
    assert facts.Absurd() not in FATES
