"""Targets that give a result only where sizes are alike: they are bound, so that what they do elsewhere is judged."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from attn_verify import AttentionSpec
from attn_verify.errors import TargetError
from attn_verify.targets.binding import bind
from attn_verify.targets.probe import Choice, choose

_SPEC = importlib.util.spec_from_file_location("float_recipes", Path(__file__).with_name("float_recipes.py"))
recipes = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(recipes)
describe = recipes.describe

PAPER = AttentionSpec()


def softmax(S):
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / E.sum(-1, keepdims=True)


def chosen(function, given=None, **options) -> Choice:
    binding = bind(describe(function), PAPER, **options)
    run = recipes.runner(function)
    return choose(binding, lambda calls: [run(call) for call in calls], "f", recipes.near(PAPER), given)


def square(Q, K, V):
    return softmax((Q @ K.swapaxes(-1, -2) + np.zeros((len(Q), len(Q)))) / np.sqrt(Q.shape[-1])) @ V


def wrong_shape(Q, K, V):
    return softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])) @ K


def blocked(Q, K, V, block):
    if len(K) % block:
        raise ValueError("the keys do not come in whole blocks")
    return softmax(Q @ K.T / np.sqrt(Q.shape[-1])) @ V


def without_an_end(Q, K, V):
    raise SystemExit


@pytest.mark.parametrize(("function", "given", "only_at"), [
    (square, None, "n=1, m=3, d_k=2, d_v=3, heads=1"),
    (square, {"n": 3}, "n=3, m=3, d_k=2, d_v=3, heads=1"),
    (wrong_shape, None, "n=2, m=2, d_k=2, d_v=2, heads=1"),
])  # fmt: skip
def test_a_target_that_needs_sizes_alike_is_bound_there(function, given, only_at):
    choice = chosen(function, given, layout="nd")
    assert choice.accepted[0].layout == "nd"
    assert choice.only_at == only_at


def test_a_target_that_takes_all_sizes_is_not_tried_elsewhere():
    def right(Q, K, V):
        return softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])) @ V

    assert not chosen(right).only_at


@pytest.mark.parametrize("given", [{"n": 2, "m": 3}, {"n": 2, "m": 40}])
def test_sizes_of_the_user_are_kept(given):
    with pytest.raises(TargetError, match="fails on every input"):
        chosen(square, given)


def test_a_constant_of_the_user_need_not_suit_other_sizes():
    with pytest.raises(TargetError, match="whole blocks"):
        chosen(blocked, {"m": 5}, roles={"block": "2"})


def test_a_target_that_ends_its_process_is_not_run_again():
    asked = []

    def run(calls):
        asked.append(len(calls))
        return [{"outcome": "exited", "value": None, "exception": None}] * len(calls)

    with pytest.raises(TargetError, match="fails on every input"):
        choose(bind(describe(without_an_end), PAPER), run, "f", recipes.near(PAPER))
    assert len(asked) == 1
