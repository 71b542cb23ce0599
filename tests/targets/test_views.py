"""Views of arrays, their dtypes, and arrays that a caller changes between two calls: in both kinds of float runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attn_verify.targets.runner import Runner
from attn_verify.targets.views import VIEWS, dtype_of, laid_out, rewritten, snapshot

SHOW = """
import numpy as np

_first = []

def show(A):
    _first.append(A)
    steps = [step // A.itemsize for step in A.strides]
    return {"A": np.array(A), "steps": steps, "dtype": A.dtype.name, "writeable": A.flags.writeable,
            "same": A is _first[0], "calls": len(_first)}
"""
STEPS = {
    "C": [3, 1], "F": [1, 2], "reversed": [-3, 1], "strided": [6, 2], "offset": [5, 1], "readonly": [3, 1],
    "broadcast": [0, 1],
}  # fmt: skip
Run = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("views") / "shown.py"
    path.write_text(SHOW)
    return f"{path}::show"


@pytest.fixture(scope="module", params=["plain", "run"])
def run(request: pytest.FixtureRequest, runner: Runner) -> Run:
    return runner.plain if request.param == "plain" else runner.run_many


def call(target: str, view: str = "C", dtype: str = "float64", point: str = "1/2", **more: Any) -> dict[str, Any]:
    entries = [0, 1, 2, 0, 1, 2] if view == "broadcast" else list(range(6))
    array = {"array": {"shape": [2, 3], "entries": entries, "dtype": dtype, "view": view}}
    values = [f"{i}" for i in range(5)] + [point]
    return {"target": target, "arguments": {"A": array}, "positional": [], "inputs": [], "point": values, **more}


def again(made: dict[str, Any], number: int) -> dict[str, Any]:
    return {**made, "arguments": {"A": {"again": {"call": number, "with": made["arguments"]["A"]}}}}


def shown(result: dict[str, Any]) -> dict[str, Any]:
    assert result["outcome"] == "returned", result["exception"]
    found = result["value"]["dict"]
    array = found["A"]["array"]
    numbers = [float.fromhex(x) for x in array["data"]]
    return {**{key: item.get("value") for key, item in found.items()}, "numbers": numbers, "dtype": array["dtype"],
            "steps": [step["value"] for step in found["steps"]["list"]]}  # fmt: skip


def test_every_view_has_its_steps_and_the_same_numbers(run: Run, target: str) -> None:
    for view, result in zip(VIEWS, run([call(target, view) for view in VIEWS]), strict=True):
        found = shown(result)
        assert found["steps"] == STEPS[view], view
        assert found["numbers"] == ([0, 1, 2] * 2 if view == "broadcast" else [0, 1, 2, 3, 4, 0.5])
        assert found["writeable"] is (view not in ("readonly", "broadcast"))
        assert result["changed"] == []


def test_dtypes_are_received_and_returned(run: Run, target: str) -> None:
    dtypes = ("float64", "float32", "float16", "bfloat16")
    results = run([call(target, "offset", dtype, "259/256") for dtype in dtypes])
    found = [shown(result) for result in results]
    assert [one["dtype"] for one in found] == list(dtypes)
    # 2⁸ + 3 has nine bits: one too many for bfloat16.
    assert [one["numbers"][-1] for one in found] == [259 / 256] * 3 + [1.015625]


def test_an_object_is_received_again_with_other_numbers(run: Run, target: str) -> None:
    made = [call(target), call(target, point="7"), again(call(target, point="9"), 0), again(call(target, "F"), 1)]
    found = [shown(result) for result in run(made)]
    assert [one["same"] for one in found] == [True, False, True, False]
    assert [one["numbers"][-1] for one in found] == [0.5, 7, 9, 0.5]


def test_a_call_is_repeated_and_only_the_last_result_is_read(run: Run, target: str) -> None:
    found = [shown(result) for result in run([call(target, repeat=5), call(target)])]
    assert [one["calls"] for one in found] == [5, 6]


def test_old_recipes_say_order(run: Run, target: str) -> None:
    made = call(target)
    array = made["arguments"]["A"]["array"]
    del array["view"]
    array["order"] = "F"
    assert shown(run([made])[0])["steps"] == STEPS["F"]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2), (1, 2, 2, 3)])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "bool", "int64"])
def test_a_view_is_equal_to_its_array(shape: tuple[int, ...], dtype: str) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype_of(dtype))
    for view in VIEWS[:-1]:
        seen = laid_out(array, view)
        assert seen.dtype == array.dtype
        assert seen.shape == array.shape
        assert seen.tobytes() == array.tobytes(), view
        assert not np.shares_memory(seen, array)
    if shape and shape[0] > 1:
        with pytest.raises(ValueError, match="differ"):
            laid_out(array, "broadcast")
    with pytest.raises(ValueError, match="no view"):
        laid_out(array, "odd")


def test_numbers_are_written_into_what_fits() -> None:
    old, new = np.zeros((2, 2)), np.ones((2, 2))
    assert rewritten(old, new) is old
    assert old.all()
    old.flags.writeable = False
    assert rewritten(old, np.zeros((2, 2))) is old
    assert not old.any()
    assert not old.flags.writeable
    pair = [np.zeros(2), np.zeros(3)]
    assert rewritten(pair, [np.ones(2), np.ones(4)])[0] is pair[0]
    assert rewritten((old, 1), (new, 2))[1] == 2
    for other in (np.ones(3), np.ones((2, 2), np.float32), None):
        assert rewritten(old, other) is other
    broadcast = np.broadcast_to(np.zeros((1, 2)), (2, 2))
    assert rewritten(broadcast, new) is new


def test_a_flag_that_is_cleared_is_a_change() -> None:
    array = np.zeros(2)
    before = snapshot([array, 1])
    array.flags.writeable = False
    assert snapshot([array, 1]) != before
