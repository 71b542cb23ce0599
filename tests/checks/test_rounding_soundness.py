"""The rounding bounds over the correct zoo, short: no function leaves the widest, and the tightest is reached.

The long versions are ``tests/tools/rounding_soundness.py`` and ``tests/tools/rounding_tightness.py``.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TOOLS = Path(__file__).parents[1] / "tools"


def tool(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def soundness() -> ModuleType:
    return tool("rounding_soundness")


@pytest.fixture(scope="module")
def tightness() -> ModuleType:
    return tool("rounding_tightness")


def test_no_correct_function_leaves_the_widest_bound(soundness: ModuleType) -> None:
    table = soundness.run(60, seed=soundness.SEED, limit=6, trials=1)
    assert len(table) == 3 * len(soundness.entries()) >= 3 * 95
    assert sum(seen.entries for seen in table.values()) > 1000
    for (name, dtype), seen in table.items():
        assert seen.largest["coarse"] <= 1, f"seed {soundness.SEED}: {name}, {dtype}"


def test_a_function_outside_is_reported(soundness: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    seen = soundness.Seen(entries=5, largest={"fine": 9.0, "log": 0.5, "coarse": 0.1})
    assert soundness.report({("correct/a", "float32"): seen}, "a title")
    assert "float32 fine: 0 inside, at most 0.000; outside: a (9)" in capsys.readouterr().out
    seen.largest["coarse"] = 1.5
    assert not soundness.report({("correct/a", "float32"): seen}, "a title")


def test_well_chosen_inputs_come_close_to_the_tightest_bound(tightness: ModuleType) -> None:
    function, kind = tightness.STRUCTURES["scale split over both sides, reciprocal"]
    fraction, row = tightness.climb(function, kind, "float32", count=400, generations=20, seed=tightness.SEED)
    assert 0.2 <= fraction <= 1, f"seed {tightness.SEED}"
    assert tightness.confirmed(function, kind, "float32", row) == pytest.approx(fraction, rel=1e-3)


def test_a_step_in_half_precision_is_outside(tightness: ModuleType) -> None:
    def short(Q: Any, K: Any, V: Any) -> Any:
        E = np.exp(tightness.scores(Q, K).astype("float16").astype("float32"))
        return E @ V / E.sum(-1, keepdims=True)

    fraction, _ = tightness.climb(short, "fine", "float32", count=50, generations=2, seed=tightness.SEED)
    assert fraction > 10, f"seed {tightness.SEED}"
