"""The stages against an independent evaluation of the definition, and the ways to open them."""

import itertools

import numpy as np
import pytest
import sympy

from attn_verify import AttentionSpec, Sizes, derive
from attn_verify.derivation.printing import to_latex, to_mathml, to_text
from attn_verify.errors import SizeError, SpecError, StageError

MULTIHEAD = Sizes(n=3, d_model=5, d_k=3, d_v=3, heads=4, d_out=3)


def test_multihead_has_231_input_symbols_and_the_stages_of_the_paper():
    derivation = derive(MULTIHEAD)
    assert sum(stage.shape[0] * stage.shape[1] for stage in derivation.inputs) == 231
    names = [stage.key for stage in derivation.stages]
    assert names[:11] == ["X", "W_Q:1", "W_K:1", "W_V:1", "Q:1", "K:1", "V:1", "S:1", "E:1", "D:1", "P:1"]
    assert names[-3:] == ["Z", "W_O", "Y"]


def test_stages_say_where_they_come_from():
    derivation = derive(MULTIHEAD)
    for stage in derivation.stages:
        assert stage.text.endswith(".")
        used = {derivation.owner(symbol)[0].key for row in stage.entries for e in row for symbol in e.free_symbols}
        assert stage.is_input or used == set(stage.sources)
    assert derivation["P:2"].sources == ("E:2", "D:2")
    assert derivation["P:2"].equation == "P^(2)_ij = E^(2)_ij / D^(2)_i"


@pytest.mark.parametrize("kind", ["qkv", "self", "cross", "multihead"])
@pytest.mark.parametrize("causal", ["none", "lower_right", "upper_left"])
def test_every_stage_has_the_values_of_the_definition(kind, causal):
    sizes = {
        "qkv": Sizes(n=2, m=4, d_k=3, d_v=2),
        "self": Sizes(n=3, d_model=4, d_k=2, d_v=5),
        "cross": Sizes(n=2, m=3, d_model=4, d_k=2, d_v=1),
        "multihead": Sizes(n=2, d_model=3, d_k=2, d_v=3, heads=3, d_out=4),
    }[kind]
    derivation = derive(sizes, {"causal": causal})
    seed = 20240611
    numbers = _numbers(derivation, seed)
    values = {symbol: value for key, block in numbers.items() for symbol, value in block.items()}
    expected = _by_definition(
        sizes, causal, {key: _array(block, derivation[key].shape) for key, block in numbers.items()}
    )
    for stage in derivation.stages:
        for i, j in itertools.product(*map(range, stage.shape)):
            value = stage.entry(i, j).xreplace(values)
            values[stage.symbol(i, j)] = value
            wanted = expected[stage.key][i][j]
            # Both sides are exact SymPy numbers; at 60 digits they differ by less than 50.
            difference = 0 if value == wanted else abs(sympy.N(value - wanted, 60))
            assert difference < sympy.Float("1e-50"), f"{stage.key}[{i},{j}], seed {seed}"


def _numbers(derivation, seed):
    generator = np.random.default_rng(seed)
    blocks = {}
    for stage in derivation.inputs:
        draws = generator.integers(-8, 9, stage.shape)
        blocks[stage.key] = {
            stage.symbol(i, j): sympy.Rational(int(draws[i, j]), 4) for i, j in np.ndindex(stage.shape)
        }
    return blocks


def _array(block, shape):
    return sympy.Matrix(*shape, list(block.values()))


def _by_definition(sizes, causal, given):
    """The layer with SymPy matrices: another way to the same numbers."""
    stages = dict(given)
    outputs = []
    for head in [""] if sizes.heads == 1 else [f":{t}" for t in range(1, sizes.heads + 1)]:
        if not sizes.given_qkv:
            source = given.get("X_KV", given.get("X"))
            stages["Q" + head] = given["X"] * given["W_Q" + head]
            stages["K" + head] = source * given["W_K" + head]
            stages["V" + head] = source * given["W_V" + head]
        Q, K, V = (stages[name + head] for name in "QKV")
        n, m = Q.rows, K.rows
        S = Q * K.T / sympy.sqrt(sizes.d_k)
        last = {"none": lambda i: m, "lower_right": lambda i: i + m - n, "upper_left": lambda i: i}[causal]  # noqa: B023
        S = sympy.Matrix(n, m, lambda i, j: S[i, j] if j <= last(i) else -sympy.oo)  # noqa: B023
        E = S.applyfunc(sympy.exp)
        D = sympy.Matrix(n, 1, lambda i, _: sum(E[i, :]))  # noqa: B023
        P = sympy.Matrix(n, m, lambda i, j: E[i, j] / D[i] if D[i] else 0)  # noqa: B023
        stages |= {"S" + head: S, "E" + head: E, "D" + head: D, "P" + head: P, "O" + head: P * V}
        outputs.append(stages["O" + head])
    if sizes.heads > 1 or sizes.d_out:
        stages["Z"] = sympy.Matrix.hstack(*outputs)
        if sizes.d_out:
            stages["Y"] = stages["Z"] * given["W_O"]
    return {
        key: [[matrix[i, j] for j in range(matrix.cols)] for i in range(matrix.rows)] for key, matrix in stages.items()
    }


def test_masked_entries_are_minus_infinity_and_exactly_zero():
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, mask=[[1, 0, 1], [1, 1, 1]])
    assert derivation["S"].entry(0, 1) == -sympy.oo
    assert derivation["E"].entry(0, 1) == 0
    assert derivation["P"].entry(0, 1) == 0
    assert to_text(derivation["D"].entry(0, 0)) == "e_11 + e_13"
    assert to_text(derivation["O"].entry(0, 0)) == "p_11·v_11 + p_13·v_31"


def test_polarity_of_a_mask_is_a_convention():
    sizes, mask = {"n": 1, "m": 2, "d_k": 1, "d_v": 1}, [[True, False]]
    assert derive(sizes, mask=mask).allowed == ((True, False),)
    assert derive(sizes, "mask_true=masked", mask=mask).allowed == ((False, True),)


@pytest.mark.parametrize(("empty_row", "weight", "output"), [
    ("any", 0, 0),
    ("zero", 0, 0),
    ("nan", sympy.nan, sympy.nan),
    ("mean", sympy.Rational(1, 2), "p_11·v_11 + p_12·v_21"),
])  # fmt: skip
def test_empty_rows_follow_the_spec(empty_row, weight, output):
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}, {"empty_row": empty_row}, mask=[[0, 0]])
    assert derivation["P"].entry(0, 0) is sympy.sympify(weight)
    entry = derivation["O"].entry(0, 0)
    assert (to_text(entry) if isinstance(output, str) else entry) == output
    assert derivation.empty_rows == (0,)


def test_an_entry_opens_one_stage_or_to_a_stage_or_fully():
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1, "d_model": 1}, {"scale": 1})
    assert to_text(derivation.expand("O[1,1]", steps=1)) == "p_11·v_11 + p_12·v_21"
    assert to_text(derivation.expand("P[1,2]", to="S")) == "exp(s_12)/(exp(s_11) + exp(s_12))"
    assert derivation.expand("P[1,2]", to="P") == derivation["P"].symbol(0, 1)
    # V does not depend on S, so it stays as it is.
    assert {symbol.letter for symbol in derivation.expand("O[1,1]", to="S").free_symbols} == {"s", "v"}
    assert {symbol.letter for symbol in derivation.expand("O[1,1]").free_symbols} == {"x", "xKV", "wQ", "wK", "wV"}


def test_an_expansion_equals_its_entry_in_value():
    derivation = derive(MULTIHEAD)
    seed = 7
    generator = np.random.default_rng(seed)
    arrays = {
        "X": generator.standard_normal((3, 5)),
        **{name: generator.standard_normal((4, 5, 3)) for name in ("W_Q", "W_K", "W_V")},
        "W_O": generator.standard_normal((12, 3)),
    }
    values = {}
    for stage in derivation.inputs:
        block = arrays[stage.name] if stage.head is None else arrays[stage.name][stage.head - 1]
        values |= {stage.symbol(i, j): sympy.Rational(float(block[i, j])) for i, j in np.ndindex(stage.shape)}
    exact = sympy.N(derivation.expand("Y[2,3]").xreplace(values), 40)
    # 2000 unit roundoffs of |Z| |W_O|: far above what these few sums can lose, far below a wrong entry.
    size = np.abs(derivation.values(**arrays)["Z"][1]) @ np.abs(arrays["W_O"][:, 2])
    assert abs(exact - derivation.numpy("Y")(*arrays.values())[1, 2]) < 2000 * 2.0**-53 * max(size, 1), f"seed {seed}"


def test_expansion_beyond_reason_is_refused_at_once():
    derivation = derive({"n": 30, "d_model": 30, "d_k": 30, "d_v": 30, "heads": 8})
    with pytest.raises(SizeError, match=r"more than 20000 symbols after expansion\n  expand to a later stage"):
        derivation.expand("Y[1,1]")


def test_sizes_above_nine_take_a_comma():
    derivation = derive({"n": 12, "d_k": 1, "d_v": 1})
    assert derivation["P"].symbol(0, 11).text == "p_1,12"
    assert derivation["P"].symbol(0, 11).name == "p_1_12"
    assert derivation["P"].symbol(10, 1) != derivation["P"].symbol(0, 11)
    assert to_latex(derivation["P"].symbol(0, 11)) == "p_{1,12}"


def test_symbols_carry_their_head():
    symbol = derive(MULTIHEAD)["W_Q:2"].symbol(0, 2)
    assert (symbol.name, symbol.text, symbol.latex) == ("wQ_h2_1_3", "wQ⁽²⁾_13", "w^{Q(2)}_{13}")
    assert "<mi>Q</mi><mn>(2)</mn>" in to_mathml(symbol)


def test_no_two_entries_share_a_symbol():
    derivation = derive({"n": 12, "d_model": 11, "d_k": 11, "d_v": 2, "heads": 12, "d_out": 2})
    symbols = [symbol for stage in derivation.stages for row in stage.symbols for symbol in row]
    assert len(symbols) == len(set(symbols)) == len({symbol.name for symbol in symbols})


@pytest.mark.parametrize(("scale", "text"), [
    ("1/sqrt(d_k)", "(q_11·k_11 + q_12·k_12)/√2"),
    (1, "q_11·k_11 + q_12·k_12"),
    ("1/d_k", "(q_11·k_11 + q_12·k_12)/2"),
])  # fmt: skip
def test_the_scale_is_exact(scale, text):
    derivation = derive({"n": 1, "d_k": 2, "d_v": 1}, {"scale": scale})
    assert to_text(derivation["S"].entry(0, 0)) == text


def test_a_float_scale_is_its_exact_binary_value():
    entry = derive({"n": 1, "d_k": 1, "d_v": 1}, {"scale": 0.1})["S"].entry(0, 0)
    assert entry.subs(dict.fromkeys(entry.free_symbols, 1)) == sympy.Rational(0.1)
    assert sympy.Rational(0.1) != sympy.Rational(1, 10)


@pytest.mark.parametrize("scale", ["1/(d_k-2)", "sqrt(0-d_k)", "2**64**1**1", "(10**64)**64", "(d_k-3)**0.5"])
def test_a_scale_that_is_no_real_number_is_refused(scale):
    with pytest.raises(SpecError):
        derive({"n": 1, "d_k": 2, "d_v": 1}, {"scale": scale})


@pytest.mark.parametrize(("call", "message"), [
    (lambda d: d["T"], "stage\n  got 'T'\n  known stages: X, W_Q, W_K, W_V, Q, K, V, S, E, D, P, O, Z, "),
    (lambda d: d["P"], "stage\n  got 'P', which each of 4 heads has\n  choose one of P:1 … P:4"),
    (lambda d: d["P:5"], "got 'P:5'"),
    (lambda d: d.locate("Y[4,1]"), "got entry [4,1] (counted from 1)\n  Y has 3 rows and 3 columns"),
    (lambda d: d.locate("Y[0,1]"), "got entry [0,1]"),
    (lambda d: d.locate("Y"), "entry\n  got 'Y'\n  write for example Y[1,2] or P:2[1,3]"),
    (lambda d: d.locate("Y[1]"), "Y has rows and columns"),
    (lambda d: d.entry("Y", 0, 3), "got entry [1,4]"),
    (lambda d: d.entry("Y", -1, 0), "got entry [0,1]"),
    (lambda d: d.jacobian("Q:1", "P:1"), "Q:1 is not built from P:1"),
    (lambda d: d.jacobian("P:1", "Q:2"), "P:1 is not built from Q:2"),
])  # fmt: skip
def test_what_does_not_exist_is_an_error_with_a_remedy(call, message):
    with pytest.raises(StageError) as caught:
        call(derive(MULTIHEAD))
    assert message in str(caught.value)


def test_row_sums_take_one_index():
    derivation = derive({"n": 2, "d_k": 1, "d_v": 1})
    stage, i, j = derivation.locate("D[2]")
    assert (stage.key, i, j) == ("D", 1, 0)
    assert stage.symbol(1, 0).text == "d_2"


def test_entries_are_built_when_asked_for():
    derivation = derive({"n": 1000, "d_k": 8, "d_v": 8})
    assert len(derivation["O"].entry(999, 7).args) == 1000
    assert derivation["P"].entry(0, 0) == derivation["E"].symbol(0, 0) / derivation["D"].symbol(0, 0)


def test_the_spec_is_kept():
    derivation = derive({"n": 1, "d_k": 1, "d_v": 1}, AttentionSpec(scale=2))
    assert derivation.spec.scale == "2"
    assert derive({"n": 1, "d_k": 1, "d_v": 1}, "paper").spec == AttentionSpec()


def test_an_entry_in_which_nothing_opens_keeps_its_form():
    derivation = derive({"n": 1, "d_k": 2, "d_v": 1})
    assert derivation.expand("S[1,1]") == derivation["S"].entry(0, 0)
    assert str(derivation.expand("S[1,1]")) == str(derivation["S"].entry(0, 0))


def test_a_stage_that_these_sizes_do_not_have_is_told_from_an_unknown_one():
    derivation = derive({"n": 1, "d_k": 1, "d_v": 1})
    with pytest.raises(StageError, match="got 'Y'\n  the output projection needs d_out\n  known stages"):
        derivation["Y"]
    with pytest.raises(StageError, match="embeddings and weights need d_model"):
        derivation["W_Q"]
