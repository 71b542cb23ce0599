"""Every theorem is checked, its near-miss is false where the theorem holds, and its words are there."""

import importlib
import pkgutil

import pytest

from attn_verify.theorems import catalogue
from attn_verify.theorems.checking import RULES, check
from attn_verify.theorems.models import holds, refutes
from attn_verify.theorems.theorem import Theorem

MODULES = [importlib.import_module(f"{catalogue.__name__}.{m.name}") for m in pkgutil.iter_modules(catalogue.__path__)]
THEOREMS: dict[str, Theorem] = {t.name: t for m in MODULES for t in getattr(m, "THEOREMS", ())}


@pytest.mark.parametrize("name", THEOREMS)
def test_every_step_is_accepted(name: str) -> None:
    checked = check(THEOREMS[name], THEOREMS.__getitem__)
    assert set(checked.facts) == {step.label for step in THEOREMS[name].steps}
    assert {step.rule for step in THEOREMS[name].steps} <= set(RULES)


@pytest.mark.parametrize("name", THEOREMS)
def test_the_near_miss_is_false(name: str) -> None:
    miss = THEOREMS[name].near_miss
    assert all(holds(s, miss.model) for s in miss.given)
    assert refutes(miss.model, miss.claim, miss.given)
