"""What a failing input says about its cause: the most specific first, and nothing where it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_verify.checks.audit.advice import causes, look_at
from attn_verify.checks.audit.evidence import sort_results
from attn_verify.checks.audit.failures import confirm_all
from attn_verify.checks.audit.head import function_lines
from attn_verify.checks.audit.mistakes import mistakes
from attn_verify.checks.audit.run import save
from attn_verify.checks.counterexample import Counterexample, Earlier
from attn_verify.checks.inputs import Constants
from attn_verify.checks.witness import Unit
from attn_verify.checks.witness_case import problem
from attn_verify.checks.witness_plan import contradiction
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import bind

PARAMETERS = [{"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in ("Q", "K", "V", "mask")]
INF = np.inf


def softmax(S: Any, axis: int = -1) -> Any:
    E = np.exp(S - S.max(axis, keepdims=True))
    return E / E.sum(axis, keepdims=True)


def scores(Q: Any, K: Any) -> Any:
    return Q @ K.T / np.sqrt(Q.shape[1])


def eps(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    S = np.where(mask, scores(Q, K), -INF)
    E = np.exp(S - S.max(-1, keepdims=True))
    return E @ V / (E.sum(-1, keepdims=True) + 1e-7)


def no_shift(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    E = np.exp(np.where(mask, scores(Q, K), -INF))
    return E / E.sum(-1, keepdims=True) @ V


def shift_of_all(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    S = np.where(mask, scores(Q, K), -INF)
    E = np.exp(S - S.max())
    return E / E.sum(-1, keepdims=True) @ V


MISTAKES: dict[str, tuple[Callable[..., Any], float, str]] = {
    "fill": (lambda Q, K, V, mask: softmax(np.where(mask, scores(Q, K), -1e4)) @ V, 1e4, "−10000 in the place of −∞"),
    "eps": (eps, 1, "1e-07 that is added to the sum of the exponentials"),
    "scale": (lambda Q, K, V, mask: softmax(np.where(mask, Q @ K.T, -INF)) @ V, 1, "the numbers of 1 (none)"),
    "no mask": (lambda Q, K, V, mask: softmax(scores(Q, K)) @ V, 1, "the mask: these are the numbers without it"),
    "axis": (lambda Q, K, V, mask: softmax(np.where(mask, scores(Q, K), -INF), -2) @ V, 1, "over the queries"),
    "zeroed": (lambda Q, K, V, mask: np.where(mask, softmax(scores(Q, K)), 0) @ V, 1, "set to 0 after the softmax"),
    "overflow": (no_shift, 1e3, "without subtracting"),
    "global": (shift_of_all, 1e3, "one of all rows"),
    "block": (lambda Q, K, V, mask: softmax(np.where(mask, scores(Q, K), -INF)[:, :3]) @ V[:3], 1, "keys from 4 on"),
}  # fmt: skip


def witness(mistake: Callable[..., Any], size: float, claim: str = "range") -> tuple[Counterexample, dict[str, Any]]:
    """Return what a mistake gives on an input, as a counterexample and as what a report shows of it."""
    spec, sizes = AttentionSpec.of("mask=boolean"), Sizes(n=2, m=4, d_k=3, d_v=2)
    binding = bind({"qualname": "f", "file": "", "parameters": PARAMETERS}, spec)
    mask = np.array([[True, True, False, True], [True, False, True, True]])
    asked = problem(binding.case(sizes, mask.tolist(), binding.candidates()[0]), spec, "float64")
    generator = np.random.default_rng(7)
    arrays = {name: generator.integers(-16, 17, shape) / 8.0 for name, shape in asked.shapes.items()}
    arrays["Q"] = arrays["Q"] * np.array([[size], [1.0]])
    if size > 1e3:
        # The best allowed key lies far below the masked one.
        arrays["Q"][0, 0], arrays["K"][0, :] = [size * 4, 0, 0], [[-2, 0, 0], [-2, 1, 0], [0, 0, 0], [-3, 0, 0]]
    with np.errstate(all="ignore"):
        O = mistake(arrays["Q"][0], arrays["K"][0], arrays["V"][0], mask)
    value = {"array": {"shape": [2, 2], "dtype": "float64", "data": [float(x).hex() for x in O.ravel()]}}
    found = contradiction({"outcome": "returned", "value": value}, asked.plan, arrays, claim)
    assert found is not None
    rest = {name: item for name, item in found.items() if name != "kind"}
    example = Counterexample(claim, found["kind"], "f.py::f", "", asked.call, arrays, asked.plan, rest)
    return example, {"values": O.tolist()}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_where_its_numbers_are_those_that_were_seen(name: str) -> None:
    mistake, size, said = MISTAKES[name]
    example, picture = witness(mistake, size)
    given = look_at(example, picture=picture, constants=Constants((), (1e-7, 1e4)), profile="float32")
    assert said in given
    assert "float32" not in given


HEADS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "reshape without a transpose": lambda O, h, W_O: O.reshape(O.shape[1], -1) @ W_O,
    "the numbers of (d_v, h)": lambda O, h, W_O: O.transpose(1, 2, 0).reshape(O.shape[1], -1) @ W_O,
    "the order of the heads": lambda O, h, W_O: O[::-1].swapaxes(0, 1).reshape(O.shape[1], -1) @ W_O,
}


@pytest.mark.parametrize("said", HEADS)
@pytest.mark.parametrize("keys", [3, 4])
def test_a_mistake_with_heads_is_named(said: str, keys: int) -> None:
    sizes = Sizes(n=3, m=keys, d_k=2, d_v=2, heads=2, d_model=4, d_out=3)
    generator = np.random.default_rng(5)
    inputs = {name: generator.standard_normal(shape) for name, shape in input_shapes(sizes).items()}
    X_KV = inputs.get("X_KV", inputs["X"])
    P = softmax(inputs["X"] @ inputs["W_Q"] @ (X_KV @ inputs["W_K"]).swapaxes(1, 2) / np.sqrt(2))
    Y = HEADS[said](P @ (X_KV @ inputs["W_V"]), 2, inputs["W_O"])
    unit = Unit(inputs, sizes, AttentionSpec(), ((True,) * keys,) * 3)
    [found] = mistakes(unit, 2**-0.5, Constants((), ()), (0, 0), float(Y[0, 0]), Y)
    assert said in found


def test_the_alignment_is_named_where_squares_are_right() -> None:
    sizes, generator = Sizes(n=1, m=2, d_k=1, d_v=1), np.random.default_rng(5)
    inputs = {name: generator.standard_normal(shape) for name, shape in input_shapes(sizes).items()}
    spec = AttentionSpec.of("causal=lower_right")
    unit = Unit(inputs, sizes, spec, spec.allowed(sizes))
    first = inputs["V"][0, :1]
    found = mistakes(unit, 1.0, Constants((), ()), (0, 0), float(first[0, 0]), first)
    assert "the causal alignment: these are the numbers of upper_left" in found


def test_what_fits_every_failure_is_likelier() -> None:
    example, _ = witness(MISTAKES["no mask"][0], 1)
    own = causes(example, None, Constants((), ()))
    assert own
    others = [[*own[:1], "another one"], []]
    assert look_at(example, others=others) == own[0]


def test_nothing_is_said_where_nothing_fits() -> None:
    example, picture = witness(lambda Q, K, V, mask: softmax(np.where(mask, scores(Q, K), -INF)) @ V + 0.125, 1)
    assert look_at(example, picture=picture) == ""
    assert "float32" in look_at(example, picture=picture, profile="float32")
    block = Constants((7,), (7.0,))
    assert look_at(example, picture=picture, constants=block).startswith("what the code does where n·m reaches 7")
    assert look_at(example, picture=picture, profile="float32", constants=block).startswith("a step in lower precision")
    assert look_at(example, picture=picture, refuted=("formula", "range")).startswith("the formula itself")


def test_a_result_that_is_overwritten_is_no_matter_of_random_numbers() -> None:
    example, _ = witness(lambda Q, K, V, mask: V[:2] * 0, 1, "determinism")
    later = Earlier(example.call, example.inputs)
    kept = Counterexample(**{**vars(example), "kind": "differs", "after": (later,)})
    assert "return a copy" in look_at(kept)


def test_wrong_queries_that_have_keys_are_no_matter_of_those_without() -> None:
    example, _ = witness(lambda Q, K, V, mask: V[:2] * 0, 1, "empty_rows")
    found = sort_results([])
    found.counterexamples = {name: {"counterexample": example.to_dict()} for name in ("empty_rows", "alignment")}
    confirm_all(found, lambda tasks: None, {})
    assert list(found.counterexamples) == ["alignment"]
    assert "see alignment" in found.unconfirmed["empty_rows"]
    found = sort_results([])
    found.counterexamples = {"empty_rows": {"counterexample": example.to_dict()}}
    confirm_all(found, lambda tasks: None, {})
    assert list(found.counterexamples) == ["empty_rows"]


def test_files_of_two_targets_do_not_overwrite_each_other(tmp_path: Path) -> None:
    example, _ = witness(lambda Q, K, V, mask: V[:2] * 0, 1)
    names = []
    for target in ("a.py::f", "b.py::f", "a.py::f"):
        found = sort_results([])
        found.counterexamples = {"range": {"counterexample": example.at(target).to_dict()}}
        assert save(found, tmp_path / "made" / "here", "f") == []
        names.append(Path(found.counterexamples["range"]["saved"]).name)
    assert names == ["f-range.json", "f-range-2.json", "f-range.json"]
    assert Counterexample.load(tmp_path / "made" / "here" / "f-range-2.json").target == "b.py::f"


def test_sizes_are_told_with_the_batch_and_without_a_single_head() -> None:
    example, _ = witness(lambda Q, K, V, mask: V[:2] * 0, 1)
    assert example.sizes_in_words == "n=2, m=4, d_k=3, d_v=2"
    inputs = {name: np.zeros((2, 3, *array.shape[1:])) for name, array in example.inputs.items()}
    batched = Counterexample(**{**vars(example), "inputs": inputs})
    assert batched.sizes_in_words == "n=2, m=4, d_k=3, d_v=2, batch=2, heads=3"


def test_the_code_of_a_function_is_found_with_its_decorators() -> None:
    source = "import a\n\n@a.b\n@a.c\ndef f():\n    def g():\n        return 1\n    return g\n\nx = 1\n"
    assert [function_lines(source, line) for line in (3, 5, 6, 10)] == [(3, 8), (3, 8), (6, 7), None]
    assert function_lines("def", 1) is None
