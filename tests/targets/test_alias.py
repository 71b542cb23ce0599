"""One array as several arguments: the same object in every kind of run, and cases that prove self-attention."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.graph.evaluation import BallValues
from attn_verify.arithmetic.modular.draw import draw
from attn_verify.checks.case_proof import decide
from attn_verify.checks.formula import expected
from attn_verify.checks.verdict import Status
from attn_verify.spec import AttentionSpec
from attn_verify.targets.aliases import aliased_cases, sharing
from attn_verify.targets.binding import Binding, bind
from attn_verify.targets.layouts import Convention
from attn_verify.targets.runner import Runner
from attn_verify.targets.units import Case

HEAD = """
import numpy as np

def softmax(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)

def swap(A):
    return np.swapaxes(A, -1, -2)

"""
ATTENTION = "softmax(Q @ swap(K) / np.sqrt(Q.shape[-1])) @ V"
CORRECT = f"def f(Q, K, V):\n    return {ATTENTION}\n"
MASKED = """
def f(Q, K, V, mask=None):
    S = Q @ swap(K) / np.sqrt(Q.shape[-1])
    return softmax(S if mask is None else np.where(mask, S, -np.inf)) @ V
"""
LAYER = """
def f(X, W_Q, W_K, W_V, context=None):
    context = X if context is None else context
    Q, K, V = X @ W_Q, context @ W_K, context @ W_V
    return {}
"""


@pytest.fixture
def target(tmp_path: Path) -> Callable[[str], str]:
    def write(code: str) -> str:
        path = tmp_path / "shared_arrays.py"
        path.write_text(HEAD + code)
        return f"{path}::f"

    return write


def bound(runner: Runner, target: str, roles: dict[str, str] | None = None) -> Binding:
    return bind(runner.describe(target), AttentionSpec(), roles=roles)


def cases_of(runner: Runner, target: str, convention: str, weights: str = "none", **more: Any) -> list[Case]:
    return aliased_cases(bound(runner, target, more.pop("roles", None)), Convention(convention, weights), **more)


def prove(runner: Runner, target: str, case: Case) -> Any:
    return decide(case, AttentionSpec(), target, runner, seed=0, seconds=30)


def distance(runner: Runner, target: str, case: Case, run: str = "run") -> float:
    """How far a float run is from the formula, in the largest entry."""
    call = case.call(target)
    (result,) = runner.plain([call]) if run == "plain" else [runner.run(call)]
    assert result["outcome"] == "returned", result
    graph = Graph()
    point = dict(zip(case.inputs, map(Fraction, call["point"]), strict=True))
    wanted, balls = expected(graph, case, AttentionSpec()), BallValues(graph, point)
    found = case.select(result["value"])
    assert isinstance(found, list)
    assert len(found) == len(wanted)
    return max(abs(float.fromhex(str(x.value)) - float(balls[wanted[x.name, x.index]].mid())) for x in found)


def shared_call(target: str) -> dict[str, Any]:
    array = {"array": {"shape": [2, 2], "entries": [0, 1, 2, 3], "dtype": "float64", "order": "C"}}
    inputs = [["Q", [i, j]] for i in range(2) for j in range(2)]
    arguments = {"K": {"alias": "Q"}, "Q": array, "V": {"alias": "Q"}}
    return {
        "target": target, "arguments": arguments, "positional": ["Q", "K", "V"], "inputs": inputs,
        "point": ["1", "1/2", "-1/4", "3"],
    }  # fmt: skip


IDENTITY = "def f(Q, K, V):\n    return {'same': Q is K and K is V, 'memory': np.shares_memory(Q, K)}\n"


def test_an_alias_is_the_same_object_in_floats(runner: Runner, target: Any) -> None:
    call = shared_call(target(IDENTITY))
    for result in (runner.run(call), *runner.plain([call, call])):
        assert result["value"] == {"dict": {"same": {"value": True}, "memory": {"value": True}}}


def test_an_alias_is_the_same_object_in_exact_runs(runner: Runner, target: Any) -> None:
    code = "def f(Q, K, V):\n    return Q + V if Q is K and K is V else Q * V\n"
    call = shared_call(target(code))
    traced = runner.trace(call)
    assert traced["outcome"] == "returned"
    assert {line[0] for line in traced["graph"]["nodes"]} <= {"input", "scale", "add", "mul", "rational", "sum"}
    trace, floats = traced["paths"][0]["lines"], runner.run(call)
    assert trace == floats["lines"]
    assert floats["value"]["array"]["data"] == [(2 * x).hex() for x in (1.0, 0.5, -0.25, 3.0)]
    shapes = {**call, "shapes": {"Q": [2, 2]}}
    assert runner.modular(shapes, draw("0", 62, 64, 2, (2,)).to_dict(), [2])["outcome"] == "returned"


def test_a_change_in_place_shows_in_all_of_them(runner: Runner, target: Any) -> None:
    call = shared_call(target("def f(Q, K, V):\n    K *= 2\n    return V * 1.0\n"))
    for result in (runner.run(call), runner.plain([call])[0], runner.trace(call)):
        assert result["changed"] == ["K", "Q", "V"] or set(result["changed"]) == {"K", "Q", "V"}
    assert runner.run(call)["value"]["array"]["data"][0] == (2.0).hex()


@pytest.mark.parametrize("alias", ["nothing", "K"])
def test_an_alias_of_nothing_is_an_error(runner: Runner, target: Any, alias: str) -> None:
    call = shared_call(target(CORRECT))
    call["arguments"]["K"] = {"alias": alias}
    for result in (runner.run(call), runner.plain([call])[0], runner.trace(call)):
        assert result["outcome"] == "crashed"


def test_cases_of_attention_are_what_they_say(runner: Runner, target: Any) -> None:
    cases = cases_of(runner, target(CORRECT), "nd")
    assert [sharing(case) for case in cases] == ["K and V are Q", "K is Q", "V is K"]
    assert [sorted({name for name, _ in case.inputs}) for case in cases] == [["Q"], ["Q", "V"], ["K", "Q"]]
    for case in cases:
        assert len(case.inputs) <= 16
        used = {entry for unit in case.units for array in unit.inputs.values() for entry in array.ravel()}
        assert used == set(case.inputs)
        positions = {i for recipe in case.arguments.values() for i in recipe.get("array", {}).get("entries", ())}
        assert positions == set(range(len(case.inputs)))


@pytest.mark.parametrize("convention", ["nd", "bnd", "bhnd", "bnhd"])
def test_self_attention_is_proved(runner: Runner, target: Any, convention: str) -> None:
    code = CORRECT
    if convention == "bnhd":
        code = f"def f(Q, K, V):\n    Q, K, V = (np.swapaxes(A, 1, 2) for A in (Q, K, V))\n    return np.swapaxes({ATTENTION}, 1, 2)\n"  # noqa: E501
    name = target(code)
    cases = cases_of(runner, name, convention)
    assert len(cases) == 3
    for case in cases:
        outcome = prove(runner, name, case)
        assert outcome.status is Status.PROVED, (sharing(case), outcome.reasons)
        assert distance(runner, name, case) < 1e-14


@pytest.mark.parametrize(
    ("lie", "fooled"),
    [
        ("if Q is K:\n        return V * 1.0", (True, True, False)),
        ("if K is V:\n        return K[:1] + 0 * Q[:, :1]", (True, False, True)),
        ("if np.shares_memory(Q, V):\n        return Q * 2.0", (True, False, False)),
    ],
)
def test_one_that_differs_for_the_same_array_is_not_proved(
    runner: Runner, target: Any, lie: str, fooled: tuple[bool, ...]
) -> None:
    name = target(f"def f(Q, K, V):\n    {lie}\n    return {ATTENTION}\n")
    cases = cases_of(runner, name, "nd")
    assert len(cases) == len(fooled)
    for case, wrong in zip(cases, fooled, strict=True):
        outcome = prove(runner, name, case)
        assert (outcome.status is Status.UNDECIDED) == wrong, (sharing(case), outcome.reasons)
        assert (distance(runner, name, case) > 0.01) == wrong
        assert math.isclose(distance(runner, name, case), distance(runner, name, case, "plain"), rel_tol=1e-9)


def test_scaling_the_queries_in_place_is_not_proved(runner: Runner, target: Any) -> None:
    name = target(f"def f(Q, K, V):\n    Q /= np.sqrt(Q.shape[-1])\n    return {ATTENTION.split(' / ')[0]}) @ V\n")
    assert all(prove(runner, name, case).status is Status.UNDECIDED for case in cases_of(runner, name, "nd"))


@pytest.mark.parametrize("weights", ["matrix", "transposed", "list", "stacked"])
def test_layers_that_share_weights_and_embeddings(runner: Runner, target: Any, weights: str) -> None:
    turn = {
        "transposed": "W_Q, W_K, W_V = W_Q.T, W_K.T, W_V.T",
        "list": "W_Q, W_K, W_V = map(np.stack, (W_Q, W_K, W_V))",
    }
    code = LAYER.format(ATTENTION).replace("    Q, K", f"    {turn.get(weights, 'pass')}\n    Q, K")
    code = code if weights not in ("list", "stacked") else code.replace(ATTENTION, f"np.hstack({ATTENTION})")
    name = target(code)
    cases = cases_of(runner, name, "nd", weights)
    assert [sharing(case) for case in cases] == ["context is X", "W_K is W_Q", "W_K and W_V are W_Q"]
    for case in cases if weights != "list" else cases[1:2]:
        found = prove(runner, name, case)
        assert found.status is Status.PROVED, (sharing(case), found.reasons)


def test_layers_that_lie_about_shared_weights(runner: Runner, target: Any) -> None:
    name = target(LAYER.format(f"V * 1.0 if W_Q is W_K else {ATTENTION}"))
    first, *cases = cases_of(runner, name, "nd", "matrix")
    assert prove(runner, name, first).status is Status.PROVED
    for case in cases:
        assert prove(runner, name, case).status is Status.UNDECIDED
        assert distance(runner, name, case) > 0.001


def test_a_mask_is_passed_where_there_is_one(runner: Runner, target: Any) -> None:
    name = target(MASKED)
    cases = cases_of(runner, name, "nd")
    assert [case.mask is None for case in cases] == [True, False] * 3
    assert prove(runner, name, cases[1]).status is Status.PROVED
    required = target(MASKED.replace("mask=None", "mask"))
    assert all(case.mask is not None for case in cases_of(runner, required, "nd"))


def test_sizes_of_the_user_hold(runner: Runner, target: Any) -> None:
    name = target(CORRECT)
    told = [(sharing(case), case.sizes.n, case.sizes.keys) for case in cases_of(runner, name, "nd", sizes={"n": 3})]
    assert told == [("K and V are Q", 3, 3), ("K is Q", 3, 3), ("V is K", 3, 3)]
    assert [sharing(c) for c in cases_of(runner, name, "nd", sizes={"n": 2, "m": 3})] == ["V is K"]
    assert cases_of(runner, name, "nd", sizes={"n": 2, "m": 3, "d_k": 1, "d_v": 2}) == []


def test_gradients_have_none(runner: Runner, target: Any) -> None:
    name = target("def f(Q, K, V, dO):\n    return Q, K, V\n")
    assert cases_of(runner, name, "nd") == []


def test_a_joint_matrix_shares_nothing(runner: Runner, target: Any) -> None:
    assert cases_of(runner, target("def f(X, W_QKV):\n    return X\n"), "nd", "qkv") == []


def test_the_values_of_a_shared_case(runner: Runner, target: Any) -> None:
    name = target(CORRECT)
    case = cases_of(runner, name, "nd")[0]
    A = np.array([float(x) for x in case.point()]).reshape(2, 2)
    S = A @ A.T / math.sqrt(2)
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    data = runner.run(case.call(name))["value"]["array"]["data"]
    assert np.allclose([float.fromhex(x) for x in data], (P @ A).ravel(), rtol=1e-13)
