"""Derivatives against differentiation of the expanded function, and their closed forms."""

import itertools
import random

import pytest
import sympy

from attn_verify import derive
from attn_verify.derivation.gradients import chain_rule
from attn_verify.derivation.printing import to_text
from attn_verify.errors import SizeError, StageError


@pytest.mark.parametrize(("sizes", "spec", "mask"), [
    ({"n": 2, "m": 3, "d_k": 2, "d_v": 2}, None, None),
    ({"n": 2, "m": 3, "d_k": 4, "d_v": 1}, None, [[1, 0, 1], [1, 1, 1]]),
    ({"n": 3, "d_model": 2, "d_k": 1, "d_v": 2}, "causal=lower_right", None),
    ({"n": 2, "d_model": 2, "d_k": 1, "d_v": 1, "heads": 2, "d_out": 1}, "scale=2/3", None),
    ({"n": 2, "m": 2, "d_k": 1, "d_v": 1}, "empty_row=mean", [[0, 0], [1, 1]]),
])  # fmt: skip
def test_a_jacobian_is_the_derivative_of_the_expanded_function(sizes, spec, mask):
    derivation = derive(sizes, spec, mask=mask)
    seed = 5
    numbers = random.Random(seed)
    inputs = {
        s: sympy.Rational(numbers.randint(-6, 6), 4)
        for stage in derivation.inputs
        for row in stage.symbols
        for s in row
    }
    values = dict(inputs)
    for stage in derivation.stages:
        for i, j in itertools.product(*map(range, stage.shape)):
            values[stage.symbol(i, j)] = stage.entry(i, j).xreplace(values)
    of = derivation.output
    for wrt in derivation.inputs:
        jacobian = derivation.jacobian(of.key, wrt.key)
        for index in itertools.product(*map(range, (*of.shape, *wrt.shape))):
            i, j, k, l = index
            expanded = derivation.expand(of.symbol(i, j))
            expected = sympy.N(sympy.diff(expanded, wrt.symbol(k, l)).xreplace(inputs), 50)
            found = sympy.N(jacobian[index].xreplace(values), 50)
            # Exact numbers on both sides, evaluated at 50 digits.
            assert abs(expected - found) < sympy.Float("1e-40"), f"{index}, seed {seed}"


def test_the_softmax_jacobian_reads_as_in_textbooks():
    jacobian = derive({"n": 1, "m": 3, "d_k": 1, "d_v": 1}).jacobian("P", "S")
    assert to_text(jacobian[0, 0, 0, 0]) == "p_11 − p_11²"
    assert to_text(jacobian[0, 0, 0, 1]) == "−p_11·p_12"
    assert len(jacobian.entries) == 9


def test_rows_of_a_jacobian_that_do_not_touch_are_zero():
    jacobian = derive({"n": 2, "m": 2, "d_k": 1, "d_v": 1}).jacobian("O", "Q")
    assert jacobian[0, 0, 1, 0] == 0
    assert (0, 0, 1, 0) not in jacobian.entries


def test_between_neighbours_nothing_is_rewritten():
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    assert to_text(derivation.jacobian("E", "S")[0, 0, 0, 0]) == "e_11"
    assert to_text(derivation.jacobian("P", "D")[0, 0, 0, 0]) == "−p_11/d_1"
    assert to_text(derivation.jacobian("P", "E")[0, 1, 0, 0]) == "−p_12/d_1"
    assert derivation.jacobian("P", "P")[0, 1, 0, 1] == 1


def test_a_masked_key_has_no_derivative():
    jacobian = derive({"n": 1, "m": 3, "d_k": 1, "d_v": 1}, mask=[[1, 0, 1]]).jacobian("O", "K")
    assert jacobian[0, 0, 1, 0] == 0


def test_the_closed_form_of_the_backward_pass():
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}, {"scale": 1})
    formulas = {key: to_text(derivation.entry(key, 0, 0)) for key in ("dV", "dP", "dS", "dQ", "dK")}
    assert formulas == {
        "dV": "p_11·do_11",
        "dP": "do_11·v_11",
        "dS": "p_11·(dp_11 − p_11·dp_11 − p_12·dp_12)",
        "dQ": "ds_11·k_11 + ds_12·k_21",
        "dK": "ds_11·q_11",
    }


def test_an_undefined_row_has_no_derivative():
    derivation = derive({"n": 1, "m": 1, "d_k": 1, "d_v": 1}, {"empty_row": "nan"}, mask=[[0]])
    with pytest.raises(StageError, match="undefined: its query may attend to nothing"):
        derivation.jacobian("O", "Q")


def test_a_hopeless_jacobian_is_refused_at_once():
    derivation = derive({"n": 64, "d_model": 64, "d_k": 64, "d_v": 64})
    with pytest.raises(SizeError, match="derivatives, more than"):
        derivation.jacobian("O", "X")


def test_the_average_of_the_values_is_written_as_the_output():
    jacobian = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}, {"scale": 1}).jacobian("O", "S")
    assert to_text(jacobian[0, 0, 0, 1]) == "p_12·v_21 − p_12·o_11"


def test_one_entry_of_a_jacobian_is_the_same_alone():
    derivation = derive({"n": 2, "m": 2, "d_k": 2, "d_v": 2})
    alone = chain_rule(derivation, derivation["O"], derivation["Q"], only=(1, 0))
    assert alone.entries == {k: v for k, v in derivation.jacobian("O", "Q").entries.items() if k[:2] == (1, 0)}


def test_a_jacobian_with_too_many_symbols_is_refused_early():
    derivation = derive({"n": 8, "d_model": 8, "d_k": 8, "d_v": 8, "heads": 4})
    with pytest.raises(SizeError, match="more than 50000 symbols"):
        derivation.to_dict(stage="Y", wrt="X")
