"""Targets run on exact numbers in a process of their own: programs, paths, and the rules against wrong verdicts."""

import dis
import json
import os
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Node
from attn_verify.arithmetic.graph.evaluation import ball_rules, evaluate
from attn_verify.arithmetic.graph.storage import load
from attn_verify.arithmetic.modular.draw import Draw
from attn_verify.arithmetic.modular.field import Field
from attn_verify.arithmetic.modular.formula import formula_arrays
from attn_verify.arithmetic.modular.reading import Reading, draw_for
from attn_verify.errors import TargetError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets import lines
from attn_verify.targets.runner import Runner

SHAPES = {"Q": (2, 2), "K": (3, 2), "V": (3, 2)}
TEXTBOOK = """
import numpy as np

def softmax(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)

def attention(Q, K, V, mask=None, num_heads=1):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    return softmax(S) @ V
"""


@pytest.fixture
def target(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a file and return the recipe of a call of its ``attention``."""

    def write(code: str, **arguments: Any) -> dict[str, Any]:
        (tmp_path / "implementation.py").write_text(code)
        return recipe(f"{tmp_path}/implementation.py::attention", **arguments)

    return write


def recipe(name: str, **arguments: Any) -> dict[str, Any]:
    inputs: list[Any] = []
    given: dict[str, Any] = {}
    for key, shape in SHAPES.items():
        first = len(inputs)
        inputs += [[key, [0, *map(int, index)]] for index in np.ndindex(*shape)]
        entries = list(range(first, len(inputs)))
        given[key] = {"array": {"shape": list(shape), "entries": entries, "dtype": "float64", "order": "C"}}
    point = [f"{(5 * i) % 13 - 6}/8" for i in range(len(inputs))]
    return {
        "target": name, "arguments": {**given, **arguments}, "positional": ["Q", "K", "V"],
        "inputs": inputs, "point": point,
    }  # fmt: skip


def values(call: dict[str, Any], result: dict[str, Any], path: int = 0) -> np.ndarray:
    """Evaluate a traced result in balls at the point of the call, as floats."""
    graph, _ = load(result["graph"])
    array = result["paths"][path]["value"]["array"]
    point = {(n, tuple(i)): Fraction(x) for (n, i), x in zip(call["inputs"], call["point"], strict=True)}
    nodes: list[Node] = [graph.nodes[i] for i in array["nodes"]]
    found = evaluate(graph, nodes, ball_rules(point))
    return np.array([float(found[node.index]) for node in nodes]).reshape(array["shape"])


def floats(result: dict[str, Any]) -> np.ndarray:
    array = result["value"]["array"]
    return np.array([float.fromhex(x) for x in array["data"]]).reshape(array["shape"])


def body(*lines: str, top: str = "") -> str:
    return f"import numpy as np\n{top}\ndef attention(Q, K, V):\n" + "".join(f"    {line}\n" for line in lines)


def test_the_program_has_the_values_of_the_float_run(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(TEXTBOOK)
    exact, real = runner.trace(call), runner.run(call)
    assert (exact["outcome"], real["outcome"]) == ("returned", "returned")
    np.testing.assert_allclose(values(call, exact), floats(real), rtol=1e-14)
    assert exact["exhausted"]
    assert exact["repeatable"]
    assert exact["paths"][0]["lines"] == real["lines"]
    assert exact["paths"][0]["opcodes"] == real["opcodes"]
    assert exact["refusals"] == []
    json.dumps(exact, allow_nan=False)


MASKS = {
    "bool": {"shape": [2, 3], "data": [True, False, True, True, True, False], "dtype": "bool"},
    "float64": {"shape": [2, 3], "data": [0, "-inf", 0.5, 0, "-0x1.8p+1", "-inf"], "dtype": "float64"},
}


@pytest.mark.parametrize("dtype", MASKS)
def test_masks_arrive(runner: Runner, target: Callable[..., Any], dtype: str) -> None:
    code = TEXTBOOK if dtype == "bool" else TEXTBOOK.replace("np.where(mask, S, -np.inf)", "S + mask")
    call = target(code, mask={"constant_array": MASKS[dtype]})
    exact, real = runner.trace(call), runner.run(call)
    np.testing.assert_allclose(values(call, exact), floats(real), rtol=1e-14)
    assert "mask is not None" in code
    assert exact["paths"][0]["lines"] == real["lines"]


def test_lists_and_numbers_arrive(runner: Runner, target: Callable[..., Any]) -> None:
    code = body("return [weights[0] @ V.T, (len(weights), n, flag, text, None)]").replace(
        "Q, K, V", "Q, K, V, weights, n, flag, text"
    )
    array = {"array": {"shape": [2, 2], "entries": [0, 2, 1, 3], "dtype": "float64", "order": "F"}}
    call = target(
        code, weights={"list": [array, {"tuple": []}]}, n={"value": 4}, flag={"value": True}, text={"value": "no"}
    )
    exact, real = runner.trace(call), runner.run(call)
    assert real["value"]["list"][1] == {"tuple": [{"value": x} for x in (2, 4, True, "no", None)]}
    assert exact["paths"][0]["value"]["list"][1] == real["value"]["list"][1]


def test_what_comes_back_is_described(runner: Runner, target: Callable[..., Any]) -> None:
    code = body(
        "return {'out': V, 'rest': Rest(V[0], 2.5), 'n': V.shape[0], 'generator': (x for x in V)}",
        top="from dataclasses import dataclass\n@dataclass\nclass Rest:\n    a: object\n    b: float",
    )
    found = runner.trace(target(code))["paths"][0]["value"]["dict"]
    assert found["out"]["array"]["shape"] == [3, 2]
    assert found["rest"]["dict"]["b"] == {"value": 2.5}
    assert found["n"] == {"value": 3}
    assert found["generator"] == {"other": "generator"}


def test_paths_are_explored(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(body("if Q[0, 0] > K[0, 0]:", "    return V", "return 2 * V"))
    found = runner.trace(call)
    assert [path["outcome"] for path in found["paths"]] == ["returned", "returned"]
    assert {path["conditions"][0]["answer"] for path in found["paths"]} == {True, False}
    assert found["paths"][0]["conditions"][0]["place"].endswith("implementation.py:4")
    assert found["exhausted"]
    real = runner.run(call)
    assert found["paths"][0]["lines"] == real["lines"] != found["paths"][1]["lines"]
    np.testing.assert_allclose(values(call, found), floats(real))


def test_a_path_that_raises_is_told(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(body("if Q[0, 0] > K[0, 0]:", "    raise ValueError('large')", "return 2 * V"))
    found = runner.trace(call)
    assert sorted(path["outcome"] for path in found["paths"]) == ["raised", "returned"]
    assert found["outcome"] == "raised"
    assert found["exception"]["text"] == "large"
    assert found["exception"]["place"].endswith("implementation.py:5")


def test_a_budget_is_kept(runner: Runner, target: Callable[..., Any]) -> None:
    code = body("order = sorted(range(3), key=lambda i: V[i, 0])", "return V[order]")
    assert runner.trace(target(code), max_paths=3)["exhausted"] is False
    found = runner.trace(target(code))
    assert (len(found["paths"]), found["exhausted"]) == (6, True)


def test_maxima_are_cases_on_request(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(body("return V.max(axis=0)"))
    assert len(runner.trace(call)["paths"]) == 1
    found = runner.trace(call, cases=True)
    assert len(found["paths"]) > 1
    assert found["exhausted"]


def test_a_constant_of_the_module_belongs_to_the_program(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(body("return V * scale()", top="import functools\nHALF = np.exp(np.zeros(1))[0] / 2\n"
                       "@functools.lru_cache\ndef scale():\n    return HALF\n"))  # fmt: skip
    found = runner.trace(call)
    assert (found["outcome"], found["repeatable"]) == ("returned", True)
    np.testing.assert_allclose(values(call, found), floats(runner.run(call)))


def test_helpers_in_the_same_directory_are_traced(runner: Runner, target: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(TEXTBOOK)
    call = target("from helper import softmax\ndef attention(Q, K, V):\n    return softmax(Q @ K.T) @ V\n")
    found, real = runner.trace(call), runner.run(call)
    np.testing.assert_allclose(values(call, found), floats(real), rtol=1e-14)
    assert any("helper.py" in line for line in real["lines"])
    assert found["paths"][0]["lines"] == real["lines"]


def test_our_own_numpy_half_can_be_a_target(runner: Runner) -> None:
    call = recipe("attn_verify.numeric:attention")
    found, real = runner.trace(call), runner.run(call)
    assert real["outcome"] == "returned"
    assert found["outcome"] == "returned", found["refusals"] or found["exception"]
    np.testing.assert_allclose(values(call, found), floats(real), rtol=1e-14)
    assert found["paths"][0]["lines"] == real["lines"]


REFUSED = {
    "randomness": body("return V + np.random.normal(size=V.shape)"),
    "randomness of Python": body("import random", "return V * random.random()"),
    "a swallowed refusal": body("try:", "    np.linalg.svd(Q)", "except:", "    pass", "return V * 1.0"),
    "a refusal on import": body("return V", top="import random\ntry:\n    random.random()\nexcept:\n    pass\n"),
    "a replaced function": body("return V", top="np.exp = np.log\n"),
    "a builtin replaced": body("import builtins", "builtins.sum = max", "return V"),
    "a look at the caller": body("import sys", "return V * len(sys._getframe(1).f_code.co_filename)"),
    "a frame without its record": body(
        "try:",
        "    raise ValueError",
        "except ValueError as error:",
        "    error.__traceback__.tb_frame.f_trace = None",
        "return V",
    ),
    "a record switched off": body("import sys", "sys.settrace(None)", "return V"),
    "entries never written": body("return np.empty((2, 2))"),
    "memory": body("import ctypes", "return V * ctypes.c_double(2.0).value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_modelled_is_refused(runner: Runner, target: Callable[..., Any], name: str) -> None:
    found = runner.trace(target(REFUSED[name]))
    assert found["outcome"] == "refused", found["paths"] or found["exception"]
    assert found["refusals"]
    assert not found["exhausted"]


DIFFERENT = {
    "the type of an argument": body("if type(Q).__module__ != 'numpy':", "    return V", "return V * 2"),
    "a condition on one line": body("return V if type(Q).__module__ != 'numpy' else V * 2"),
    "a condition in a text": body("exec('x = 1 if type(Q).__module__ != \"numpy\" else 2')", "return V"),
    "a condition in compiled text": body(
        "space = {'Q': Q}",
        "exec(compile('x = 1 if type(Q).__module__ != \"numpy\" else 2', 'other.py', 'exec'), space)",
        "return V",
    ),
    "a condition on one line on import": body(
        "return V", top="A = 1 if type(np.zeros(1)).__module__ != 'numpy' else 2"
    ),
    "a condition on import": body("return V", top="if type(np.zeros(1)).__module__ != 'numpy':\n    A = 1\n"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_target_that_notices_the_difference_is_noticed(
    runner: Runner, target: Callable[..., Any], name: str
) -> None:  # fmt: skip
    call = target(DIFFERENT[name])
    found, real = runner.trace(call), runner.run(call)
    same = all(
        (path["lines"], path["opcodes"], path["outcome"]) == (real["lines"], real["opcodes"], "returned")
        for path in found["paths"]
    )
    # Either the model passes for NumPy, or the executed instructions tell.
    if name.startswith("a condition on one line"):
        assert not same or np.allclose(values(call, found), floats(real))
    else:
        assert not same or found["outcome"] == real["outcome"]


def test_state_is_seen(runner: Runner, target: Callable[..., Any]) -> None:
    counting = target(body("calls.append(1)", "return V * len(calls)", top="calls = []\n"))
    assert runner.trace(counting)["repeatable"] is False
    first, second = runner.run_many([counting, counting])
    assert first["value"] != second["value"]
    first, second = runner.run_many([counting, counting], fresh=True)
    assert first["value"] == second["value"]


def test_changed_arguments_are_seen(runner: Runner, target: Callable[..., Any]) -> None:
    call = target(body("Q *= 2", "K[0, 0] = V[0, 0]", "return V"))
    assert runner.trace(call)["changed"] == ["K", "Q"]
    assert runner.run(call)["changed"] == ["K", "Q"]
    assert runner.trace(target(body("Q = Q * 2", "return V")))["changed"] == []


def test_a_swapped_list_is_seen(runner: Runner, target: Callable[..., Any]) -> None:
    array = {"array": {"shape": [2], "entries": [0, 1], "dtype": "float64", "order": "C"}}
    other = {"array": {"shape": [2], "entries": [2, 3], "dtype": "float64", "order": "C"}}
    call = target(body("weights.reverse()", "return V").replace("K, V)", "K, V, weights)"),
                  weights={"list": [array, other]})  # fmt: skip
    assert runner.trace(call)["changed"] == ["weights"]
    assert runner.run(call)["changed"] == ["weights"]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (body("while True:", "    V = V + 1"), "timeout"),
        (body("import os", "os._exit(0)"), "exited"),
        (body("import sys", "sys.exit()"), "exited"),
        (body("return attention(Q, K, V)"), "raised"),
        (body("return bytearray(1 << 40)"), "memory"),
        (body("return 1 / 0"), "raised"),
        ("raise ImportError('no')\n", "raised"),
    ],
)
def test_every_trace_ends(runner: Runner, target: Callable[..., Any], code: str, outcome: str) -> None:
    found = runner.trace(target(code), seconds=2)
    assert found["outcome"] == outcome or (outcome == "raised" and found["tampered"] == ["sys.settrace"])
    assert found["paths"] == [] or found["paths"][0]["value"] is None


def test_a_target_that_is_missing_is_an_error(runner: Runner, target: Callable[..., Any]) -> None:
    with pytest.raises(TargetError, match="no function"):
        runner.run(target("x = 1\n"))


SIZES = Sizes(n=4, m=6, d_k=3, d_v=2)


def large(target: Callable[..., Any], code: str) -> dict[str, Any]:
    shapes = {"Q": (1, 4, 3), "K": (1, 6, 3), "V": (1, 6, 2)}
    call = target(code)
    start = 0
    for name, shape in shapes.items():
        entries = np.arange(start, start + int(np.prod(shape)), dtype=np.int32)
        start += len(entries)
        array = {"shape": list(shape[1:]), "entries": entries, "dtype": "float64", "order": "C"}
        call["arguments"][name] = {"array": array}
    del call["inputs"]
    return {**call, "shapes": {name: list(shape) for name, shape in shapes.items()}, "point": np.linspace(-1, 1, start)}


@pytest.mark.parametrize(("code", "equal"), [(TEXTBOOK, True), (TEXTBOOK.replace("E.sum(", "E.max("), False)])
def test_whole_arrays_of_residues(runner: Runner, target: Callable[..., Any], code: str, equal: bool) -> None:
    draw, squares = draw_for({"d_k": 3}, 0, 0, (62, 64))
    call = large(target, code)
    found = runner.modular(call, draw.to_dict(), sorted(squares))
    assert found["outcome"] == "returned", found["refusals"] or found["exception"]
    reading = Reading.from_dict(found["value"]["array"]["reading"])
    field = Field(Draw.from_dict(draw.to_dict()), squares)
    formula = Reading.of(formula_arrays(field, SIZES, AttentionSpec(), [[True] * 6] * 4), field)
    assert bool((reading.residues == formula.residues).all()) is equal
    # The same packed recipe runs in floats, along the same lines.
    real = runner.run(call)
    assert floats(real).shape == (4, 2)
    assert (found["lines"], found["opcodes"]) == (real["lines"], real["opcodes"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="both ways are compared")
def test_an_interpreter_of_its_own_traces_the_same_program(target: Callable[..., Any], runner: Runner) -> None:
    call = target(TEXTBOOK)
    with Runner(fork=False) as other:
        assert other.trace(call)["graph"] == runner.trace(call)["graph"]


def test_parts_without_jumps_begin_where_dis_says():
    """At the start, where jumps lead and behind them, as the list of instructions shows."""

    def inside(code):
        return [code, *(more for item in code.co_consts if isinstance(item, CodeType) for more in inside(item))]

    jumps = {*dis.hasjrel, *dis.hasjabs}
    for code in inside(compile(Path(lines.__file__).read_text("utf-8"), "lines.py", "exec")):
        steps = list(dis.get_instructions(code))
        begin = {0} | {step.offset for step in steps if step.is_jump_target}
        begin |= {step.offset for last, step in pairwise(steps) if last.opcode in jumps}
        assert lines._starts(code) == sorted(begin)
