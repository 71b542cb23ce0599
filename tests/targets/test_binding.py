"""Real functions in every layout and convention: what they return, mapped back, is what the numeric half computes."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from attn_verify import (
    AttentionSpec,
    Sizes,
    attention,
    attention_grad,
    multihead,
    multihead_grad,
    self_attention,
    self_attention_grad,
)
from attn_verify.errors import SizeError, TargetError
from attn_verify.targets.binding import bind
from attn_verify.targets.cases import default_batch, default_sizes, masks
from attn_verify.targets.layouts import LAYOUTS, WEIGHTS, Convention
from attn_verify.targets.probe import choose
from attn_verify.targets.returns import Misfit

_SPEC = importlib.util.spec_from_file_location("float_recipes", Path(__file__).with_name("float_recipes.py"))
recipes = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = recipes
_SPEC.loader.exec_module(recipes)
describe, runner, heads_of, join, split, softmax = (
    recipes.describe, recipes.runner, recipes.heads_of, recipes.join, recipes.split, recipes.softmax,
)  # fmt: skip


def chosen(binding, function, given=None):
    return choose(binding, recipes.many(function), "file.py::f", recipes.near(binding.spec), given)


PAPER = AttentionSpec()


def expected(case, spec, seed=0):
    """What the numeric half gives for every unit, as a list of arrays (rows, columns)."""
    values = dict(zip(case.inputs, (float(x) for x in case.point(seed)), strict=True))
    options = {"mask": None if case.mask is None else np.array(case.mask), "causal": spec.causal}
    options["mask_true"] = spec.mask_true
    found = []
    for unit in case.units:
        arrays = {name: np.array(matrices) for name, matrices in unit.lift(values.__getitem__).items()}
        X_KV = arrays["X_KV"][0] if "X_KV" in arrays else None
        if unit.sizes.given_qkv:
            O, P = attention(arrays["Q"], arrays["K"], arrays["V"], **options, return_weights=True)
            Z = np.concatenate(list(O), axis=-1)
            found.append((Z @ arrays["W_O"][0] if "W_O" in arrays else Z, P))
        elif "W_O" in arrays:
            given = (arrays["X"][0], arrays["W_Q"], arrays["W_K"], arrays["W_V"], arrays["W_O"][0])
            found.append(multihead(*given, X_KV=X_KV, **options, return_weights=True))
        else:
            assert len(arrays["W_Q"]) == 1
            given = (arrays["X"][0], arrays["W_Q"][0], arrays["W_K"][0], arrays["W_V"][0])
            O, P = self_attention(*given, X_KV=X_KV, **options, return_weights=True)
            found.append((O, P[None]))
    return found


def agree(function, binding, case, spec=PAPER, seed=0):
    """Every selected entry is the one of the numeric half, each exactly once."""
    result = runner(function)(case.call("file.py::f", case.point(seed)))
    assert result["outcome"] == "returned", result["exception"]
    selected = case.select(result["value"])
    assert not isinstance(selected, Misfit), selected.text
    want = expected(case, spec, seed)
    total = sum(output.size + (P.size if "P" in (case.names or ()) else 0) for output, P in want)
    assert len({(item.name, item.index) for item in selected}) == len(selected) == total
    for item in selected:
        output, P = want[item.index[0]]
        value = (P if item.name == "P" else output)[item.index[1:]]
        assert abs(float.fromhex(item.value) - value) <= 1e-9 * (1 + abs(value)), item
    return selected


def everything(function, spec=PAPER, *, given=None, roles=None, layout=None, returns=None, limit=6):
    """Choose a convention, then compare at all default sizes, without and with masks; return the convention."""
    binding = bind(describe(function), spec, roles=roles, layout=layout, returns=returns)
    choice = chosen(binding, function, given)
    assert choice.near, choice.tried
    for convention in choice.accepted:
        for seed, sizes in enumerate(default_sizes(binding, convention, given)):
            if binding.mask != "required":
                agree(function, binding, binding.case(sizes, None, convention), spec, seed)
            if binding.mask != "no":
                for mask in masks(sizes, spec, seed)[0][:limit]:
                    agree(function, binding, binding.case(sizes, mask, convention), spec, seed)
    return choice.accepted[0]


# ---- Q, K, V ----------------------------------------------------------------------------------------------------


def rows(Q, K, V):
    assert Q.ndim == 2
    return heads_of(Q, K, V)[0]


def batches(q, k, v, attn_mask=None):
    assert q.ndim == 3
    assert q.shape[0] > 1
    return heads_of(q, k, v, attn_mask)[0]


def bhnd(query, key, value, mask):
    assert query.ndim == 4
    assert mask is None or mask.shape == (query.shape[2], key.shape[2])
    return heads_of(query, key, value, mask)[0]


def bnhd(query, key, value, mask=None):
    assert query.ndim == 4
    O = heads_of(*(np.swapaxes(A, 1, 2) for A in (query, key, value)), mask)[0]
    return np.swapaxes(O, 1, 2)


def merged(Q, K, V, num_heads, mask=None):
    O = heads_of(*(split(A, num_heads) for A in (Q, K, V)), mask)[0]
    return join(O)


def merged_projected(Q, K, V, W_O, num_heads):
    return merged(Q, K, V, num_heads) @ W_O


@pytest.mark.parametrize(("function", "layout"), [
    (rows, "nd"), (batches, "bnd"), (bhnd, "bhnd"), (bnhd, "bnhd"), (merged, "nd"), (merged_projected, "nd"),
    (attention, "nd"),
])  # fmt: skip
def test_given_queries_keys_values(function, layout):
    assert everything(function).layout == layout


@pytest.mark.parametrize("layout", ["nd", "bnd", "bhnd"])
def test_a_layout_can_be_fixed(layout):
    assert everything(attention, layout=layout).layout == layout


def test_merged_heads_in_batches():
    assert everything(merged, layout="bnd").layout == "bnd"


def test_heads_of_the_user_lie_along_an_axis():
    binding = bind(describe(bhnd), PAPER)
    assert {c.layout for c in binding.candidates({"heads": 4})} == {"bhnd", "bnhd"}
    convention = everything(bhnd, given={"heads": 2})
    assert binding.case(default_sizes(binding, convention, {"heads": 2})[0], None, convention).batch[1] == 2


# ---- layers -----------------------------------------------------------------------------------------------------


def one(X, W_Q, W_K, W_V):
    return heads_of(X @ W_Q, X @ W_K, X @ W_V)[0]


def one_output_first(x, wq, wk, wv, mask=None):
    return heads_of(x @ wq.T, x @ wk.T, x @ wv.T, mask)[0]


def one_projected(X, W_Q, W_K, W_V, W_O):
    return one(X, W_Q, W_K, W_V) @ W_O


def a_list(X, WQ, WK, WV, WO):
    assert isinstance(WQ, list)
    return np.concatenate([one(X, *W) for W in zip(WQ, WK, WV, strict=True)], axis=-1) @ WO


def stacked(X, WQ, WK, WV, WO):
    X = X[..., None, :, :]
    return join(heads_of(X @ WQ, X @ WK, X @ WV)[0]) @ WO


def stacked_output(X, WQ, WK, WV, WO):
    X = X[..., None, :, :]
    return np.einsum("...hnv,hvo->...no", heads_of(X @ WQ, X @ WK, X @ WV)[0], WO)


def no_output(X, WQ, WK, WV, mask=None):
    X = X[..., None, :, :]
    assert WQ.ndim == 3
    return join(heads_of(X @ WQ, X @ WK, X @ WV, mask)[0])


def fused(X, W_Q, W_K, W_V, W_O, num_heads, mask=None):
    return join(heads_of(*(split(X @ W, num_heads) for W in (W_Q, W_K, W_V)), mask)[0]) @ W_O


def fused_batches(X, W_Q, W_K, W_V, W_O, num_heads):
    assert X.ndim == 3
    return fused(X, W_Q, W_K, W_V, W_O, num_heads)


def linear(X, q_proj, k_proj, v_proj, out_proj, n_heads):
    return fused(X, q_proj.T, k_proj.T, v_proj.T, out_proj.T, n_heads)


def whole_model(x, w_q, w_k, w_v, w_o, h):
    n, d_model = x.shape
    d = d_model // h
    Q, K, V = ((x @ w).reshape(n, h, d).transpose(1, 0, 2) for w in (w_q, w_k, w_v))
    return heads_of(Q, K, V)[0].transpose(1, 0, 2).reshape(n, d_model) @ w_o


def scaled_by_model(X, W_Q, W_K, W_V, W_O, num_heads):
    Q, K, V = (split(X @ W, num_heads) for W in (W_Q, W_K, W_V))
    return join(softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(X.shape[-1] // num_heads)) @ V) @ W_O


def residual_width(X, WQ, WK, WV, WO):
    Y = stacked(X, WQ, WK, WV, WO)
    assert Y.shape == X.shape
    return Y


def same_width(x, w_q, w_k, w_v, w_o, h):
    d = w_q.shape[1] // h
    Q, K, V = ((x @ w).reshape(len(x), h, d).transpose(1, 0, 2) for w in (w_q, w_k, w_v))
    return heads_of(Q, K, V)[0].transpose(1, 0, 2).reshape(len(x), -1) @ w_o


def joint(x, w_qkv, w_o, num_heads):
    Q, K, V = (split(A, num_heads) for A in np.split(x @ w_qkv, 3, axis=-1))
    return join(heads_of(Q, K, V)[0]) @ w_o


def joint_linear(x, qkv_weight, out_proj, num_heads):
    return joint(x, qkv_weight.T, out_proj.T, num_heads)


def joint_by_head(x, w_qkv, w_o, num_heads):
    A = (x @ w_qkv).reshape(len(x), num_heads, 3, -1).transpose(2, 1, 0, 3)
    return join(heads_of(*A)[0]) @ w_o


def joint_by_head_linear(x, w_qkv, w_o, num_heads):
    return joint_by_head(x, w_qkv.T, w_o.T, num_heads)


def joint_one_head(x, w_qkv):
    return heads_of(*np.split(x @ w_qkv, 3, axis=-1))[0]


def cross(X, context, W_Q, W_K, W_V):
    return heads_of(X @ W_Q, context @ W_K, context @ W_V)[0]


def apart(query, key, value, Wq, Wk, Wv, Wo, num_heads, attn_mask=None):
    Q, K, V = split(query @ Wq, num_heads), split(key @ Wk, num_heads), split(value @ Wv, num_heads)
    return join(heads_of(Q, K, V, attn_mask)[0]) @ Wo


def embeddings_apart(query, context, Wq, Wk, Wv):
    return cross(query, context, Wq, Wk, Wv)


@pytest.mark.parametrize(("function", "layout", "weights", "widths"), [
    (one, "nd", "matrix", "free"),
    (one_projected, "nd", "matrix", "free"),
    (one_output_first, "nd", "transposed", "free"),
    (self_attention, "nd", "matrix", "free"),
    (a_list, "nd", "list", "free"),
    (stacked, "nd", "stacked", "free"),
    (stacked_output, "nd", "stacked_output", "free"),
    (no_output, "nd", "stacked", "free"),
    (fused, "nd", "fused", "free"),
    (fused_batches, "bnd", "fused", "free"),
    (linear, "nd", "linear", "free"),
    (multihead, "nd", "fused", "free"),
    (whole_model, "nd", "fused", "equal"),
    (scaled_by_model, "nd", "fused", "d_model=h·d_k"),
    (residual_width, "nd", "stacked", "d_out=d_model"),
    (same_width, "nd", "fused", "d_v=d_k"),
    (joint, "nd", "qkv", "d_v=d_k"),
    (joint_linear, "nd", "qkv_linear", "d_v=d_k"),
    (joint_by_head, "nd", "qkv_by_head", "d_v=d_k"),
    (joint_by_head_linear, "nd", "qkv_by_head_linear", "d_v=d_k"),
    (joint_one_head, "nd", "qkv", "d_v=d_k"),
    (cross, "nd", "matrix", "free"),
    (apart, "nd", "fused", "free"),
    (embeddings_apart, "nd", "matrix", "free"),
])  # fmt: skip
def test_layers(function, layout, weights, widths):
    convention = everything(function)
    assert (convention.layout, convention.weights, convention.widths) == (layout, weights, widths)


@pytest.mark.parametrize("function", [one, stacked, fused, linear, joint, cross, apart, stacked_output])
def test_layers_in_batches(function):
    assert everything(function, layout="bnd").layout == "bnd"


@pytest.mark.parametrize("weights", ["stacked", "list", "fused"])
@pytest.mark.parametrize("layout", ["nd", "bnd"])
def test_our_own_layer_in_every_convention(weights, layout):
    binding = bind(describe(multihead), PAPER, layout=layout)
    convention = Convention(layout, weights)
    for sizes in default_sizes(binding, convention):
        agree(multihead, binding, binding.case(sizes, None, convention))


def test_every_convention_of_weights_has_a_target():
    used = {"none", *(mark.args[1][k][2] for mark in test_layers.pytestmark for k in range(len(mark.args[1])))}
    assert used == set(WEIGHTS)


# ---- masks, causal, returned members ----------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [
    AttentionSpec(mask_true="masked"), AttentionSpec(causal="upper_left"), AttentionSpec(causal="lower_right"),
    AttentionSpec(causal="lower_right", mask_true="masked"),
])  # fmt: skip
@pytest.mark.parametrize("function", [attention, self_attention, multihead])
def test_conventions_of_the_spec_reach_our_own_functions(function, spec):
    everything(function, spec, roles={"mask_true": "mask_true"})


def causal_flag(Q, K, V, causal):
    assert isinstance(causal, bool)
    return attention(Q, K, V, causal="upper_left" if causal else "none")


def causal_default(Q, K, V, is_causal=False):
    return causal_flag(Q, K, V, is_causal)


@pytest.mark.parametrize("function", [causal_flag, causal_default])
@pytest.mark.parametrize("causal", ["none", "upper_left"])
def test_a_causal_flag_follows_the_spec(function, causal):
    everything(function, AttentionSpec(causal=causal))


def batch_mask(q, k, v, mask=None):
    assert q.ndim == 4
    if mask is not None:
        assert mask.ndim == 3
        mask = mask[:, None]
    return heads_of(q, k, v, mask)[0]


def batch_mask_required(q, k, v, mask):
    return batch_mask(q, k, v, mask)


def full_mask(q, k, v, mask):
    assert q.ndim == 4
    assert mask.ndim == 4
    assert mask.shape[1] > 1
    return heads_of(q, k, v, mask)[0]


def one_head_mask(q, k, v, mask):
    assert q.ndim == 4
    assert mask.ndim == 4
    assert mask.shape[1] == 1
    return heads_of(q, k, v, mask)[0]


@pytest.mark.parametrize(("function", "shape"), [
    (batch_mask, "bnm"), (batch_mask_required, "bnm"), (full_mask, "bhnm"), (one_head_mask, "b1nm"), (bhnd, "nm"),
])  # fmt: skip
def test_a_mask_may_need_axes(function, shape):
    assert everything(function).mask == shape


def test_a_required_mask_without_one_allows_everything():
    for spec, value in ((PAPER, True), (AttentionSpec(mask_true="masked"), False)):
        case = bind(describe(bhnd), spec).case(Sizes(n=2, m=3, d_k=1, d_v=1), None, Convention("bhnd"))
        assert case.mask == ((value,) * 3,) * 2
        assert case.arguments["mask"] == {"constant_array": {"shape": [2, 3], "data": [value] * 6, "dtype": "bool"}}


def both(Q, K, V):
    return heads_of(Q, K, V)


def with_weights_first(Q, K, V):
    return heads_of(Q, K, V)[::-1]


def as_dict(Q, K, V):
    O, P = heads_of(Q, K, V)
    return {"weights": P, "out": O}


def as_named_dict(Q, K, V):
    O, P = heads_of(Q, K, V)
    return {"p": P, "o": O, "more": "text"}


def as_rows(Q, K, V):
    return [[float(x) for x in row] for row in heads_of(Q, K, V)[0]]


def as_list_of_rows(Q, K, V):
    return list(heads_of(Q, K, V)[0])


def multihead_both(X, W_Q, W_K, W_V, W_O, heads):
    return multihead(X, W_Q, W_K, W_V, W_O, heads=heads, return_weights=True)


@pytest.mark.parametrize(("function", "member"), [
    (both, (0,)), (with_weights_first, (1,)), (as_dict, ("out",)), (as_named_dict, ("o",)), (as_rows, ()),
    (as_list_of_rows, ()), (multihead_both, (0,)),
])  # fmt: skip
def test_the_member_with_the_shape_of_the_result(function, member):
    assert everything(function).returned == member


@pytest.mark.parametrize(("function", "returns"), [
    (both, "O,P"), (both, "O,_"), (both, "Y, P"), (with_weights_first, "P,O"), (as_named_dict, "O,P"), (as_rows, "O"),
    (multihead_both, "Y,P"), (rows, "O"),
])  # fmt: skip
@pytest.mark.parametrize("layout", ["nd", "bnd"])
def test_members_by_name(function, returns, layout):
    if function not in (rows, as_rows) or layout == "nd":
        everything(function, returns=returns, layout=layout)


def test_one_mistaken_axis_is_seen():
    """The comparison of this file can fail."""

    def wrong(q, k, v):
        return heads_of(*(np.swapaxes(A, 1, 2) for A in (q, k, v)))[0].swapaxes(1, 2)

    binding = bind(describe(wrong), PAPER)
    case = binding.case(Sizes(n=4, m=5, d_k=1, d_v=1), None, Convention("bhnd"), (2, 3))
    with pytest.raises(AssertionError):
        agree(wrong, binding, case)


# ---- gradients --------------------------------------------------------------------------------------------------


def grad_with_output(Q, K, V, dO):
    O = attention(Q, K, V)
    return (O, *attention_grad(Q, K, V, dO))


def grad_dict(Q, K, V, grad_output):
    dQ, dK, dV = attention_grad(Q, K, V, grad_output)
    return {"grad_v": dV, "dK": dK, "d_q": dQ}


@pytest.mark.parametrize(("function", "returns", "layout", "given"), [
    (attention_grad, None, "nd", None), (attention_grad, None, "bhnd", None),
    (grad_with_output, "_,dQ,dK,dV", "nd", None), (grad_dict, None, "nd", None),
    (self_attention_grad, None, "nd", None), (self_attention_grad, None, "bnd", None),
    (multihead_grad, None, "nd", None), (multihead_grad, None, "bnd", None),
])  # fmt: skip
def test_gradients(function, returns, layout, given):
    binding = bind(describe(function), PAPER, layout=layout, returns=returns)
    assert binding.gradient
    choice = chosen(binding, function, given)
    assert choice.near, choice.tried
    case = binding.case(default_sizes(binding, choice.accepted[0])[0], None, choice.accepted[0])
    selected = case.select(runner(function)(case.call("f"))["value"])
    assert not isinstance(selected, Misfit)
    upstream = ("dO", "dY")
    assert {(item.name, item.index) for item in selected} == {
        (f"d{name}", index) for name, index in case.inputs if name not in upstream
    }


@pytest.mark.parametrize("weights", ["stacked", "list", "fused"])
def test_gradients_of_weights_come_in_their_layout(weights):
    binding = bind(describe(multihead_grad), PAPER)
    sizes = Sizes(n=2, m=3, d_model=2, d_k=3, d_v=1, heads=2, d_out=2)
    case = binding.case(sizes, None, Convention("nd", weights))
    selected = case.select(runner(multihead_grad)(case.call("f"))["value"])
    values = dict(zip(case.inputs, (float(x) for x in case.point()), strict=True))
    arrays = {name: np.array(matrices) for name, matrices in case.units[0].lift(values.__getitem__).items()}
    given = (arrays["X"][0], arrays["W_Q"], arrays["W_K"], arrays["W_V"], arrays["W_O"][0])
    dY = np.array([[values[entry] for entry in row] for row in case.units[0].upstream])
    want = multihead_grad(*given, dY, X_KV=arrays["X_KV"][0])._asdict()
    for item in selected:
        assert float.fromhex(item.value) == pytest.approx(want[item.name][item.index], abs=1e-12)


def test_a_wrong_gradient_is_not_near():
    def wrong(Q, K, V, dO):
        dQ, dK, dV = attention_grad(Q, K, V, dO)
        return dQ, -dK, dV

    binding = bind(describe(wrong), PAPER)
    assert not chosen(binding, wrong).near


# ---- choosing ---------------------------------------------------------------------------------------------------


def test_a_wrong_function_gets_the_first_layout_that_fits():
    def wrong(Q, K, V):
        return 2 * rows(Q, K, V)

    choice = chosen(bind(describe(wrong), PAPER), wrong)
    assert ([c.layout for c in choice.accepted], choice.near, len(choice.tried)) == (["nd"], False, 4)
    assert choice.tried[0][1] == "takes these arrays, but returns something else than the formula"
    assert choice.tried[1][1].startswith("AssertionError")


def test_a_layout_that_fits_but_is_wrong_is_refused():
    def last_axes_only_in_rows(Q, K, V):
        return heads_of(Q, K, V)[0] * (1 if Q.ndim == 2 else 2)

    choice = chosen(bind(describe(last_axes_only_in_rows), PAPER), last_axes_only_in_rows)
    assert [c.layout for c in choice.accepted] == ["nd"]
    assert [c.layout for c, _ in choice.refused] == ["bnd", "bhnd"]


def reshaped(X, W_Q, W_K, W_V, W_O, num_heads):
    """Right for stacked weights, wrong for the fused ones that it is meant for."""
    Q, K, V = ((X @ W).reshape(num_heads, len(X), -1) for W in (W_Q, W_K, W_V))
    return heads_of(Q, K, V)[0].transpose(1, 0, 2).reshape(len(X), -1) @ W_O


def reversed_heads(X, WQ, WK, WV, WO):
    """Right for one head, wrong for the several that it is meant for."""
    X = X[..., None, :, :]
    return join(heads_of(X @ WQ, X @ WK, X @ WV)[0][::-1]) @ WO


def scaled_by_values(X, W_Q, W_K, W_V, W_O, num_heads):
    """Right only where d_v = d_k."""
    Q, K, V = (split(X @ W, num_heads) for W in (W_Q, W_K, W_V))
    return join(softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(V.shape[-1])) @ V) @ W_O


@pytest.mark.parametrize(("function", "weights"), [
    (reshaped, "fused"), (reversed_heads, "stacked"), (scaled_by_values, "fused"),
])  # fmt: skip
def test_being_right_under_another_convention_is_no_excuse(function, weights):
    choice = chosen(bind(describe(function), PAPER), function)
    assert not choice.near
    assert (choice.accepted[0].layout, choice.accepted[0].weights, choice.accepted[0].widths) == ("nd", weights, "free")


def test_every_layout_that_comes_near_is_accepted():
    accepted = chosen(bind(describe(attention), PAPER), attention).accepted
    assert [(c.layout, c.mask) for c in accepted] == [
        ("nd", "nm"), ("bnd", "nm"), ("bhnd", "nm"), ("bnd", "bnm"), ("bhnd", "b1nm"), ("bhnd", "bhnm")]  # fmt: skip


def test_a_function_that_always_raises_is_no_target():
    def broken(Q, K, V):
        raise RuntimeError("out of order")

    with pytest.raises(TargetError) as caught:
        chosen(bind({**describe(broken), "qualname": "broken"}, PAPER), broken)
    assert str(caught.value) == (
        "bind broken(Q, K, V): it fails on every input\n"
        "  nd: RuntimeError: out of order\n  bnd: RuntimeError: out of order\n  bhnd: RuntimeError: out of order\n"
        "  and 1 more\n"
        "  see that it runs by itself; --layout, --roles and --returns say how it is called"
    )


@pytest.mark.parametrize(("outcome", "exception", "text"), [
    ("timeout", None, "nd: timeout\n"),
    ("exited", {"type": "SystemExit", "text": "3"}, "nd: exited: SystemExit: 3\n"),
    ("raised", {"type": "KeyError", "text": "a\n b"}, "nd: KeyError: a b\n"),
])  # fmt: skip
def test_how_a_call_ended_is_said(outcome, exception, text):
    binding = bind(describe(rows), PAPER, layout="nd")
    result = {"outcome": outcome, "value": None, "exception": exception}
    with pytest.raises(TargetError) as caught:
        choose(binding, lambda calls: [result] * len(calls), "f", recipes.near(PAPER))
    assert text in str(caught.value)


def test_sizes_that_no_convention_has():
    binding = bind(describe(one), PAPER)
    with pytest.raises(SizeError, match="the target takes one X, so every query is a key: m = n"):
        chosen(binding, one, {"n": 2, "m": 3})


def test_the_layouts_are_tried_in_the_documented_order():
    binding = bind(describe(rows), PAPER)
    assert [c.layout for c in binding.candidates()] == list(LAYOUTS)
    assert default_batch("nd", Sizes(n=1, d_k=1, d_v=1)) == ()


def test_positional_only_parameters_go_by_position():
    def f(Q, K, V, scale=None, mask=None, /):
        return attention(Q, K, V, mask, scale=scale)

    everything(f)
    case = bind(describe(f), PAPER).case(Sizes(n=2, m=2, d_k=1, d_v=1), [[1, 0], [1, 1]], Convention("nd"))
    assert case.positional == ("Q", "K", "V", "scale", "mask")
    assert case.arguments["scale"] == {"value": None}


def test_a_gap_that_cannot_be_filled_is_named():
    def f(Q, K, V, norm=object(), mask=None, /):  # noqa: B008 - a default that is no plain value
        return attention(Q, K, V, mask)

    binding = bind(describe(f), PAPER)
    with pytest.raises(TargetError, match=r"norm stays at its default, but mask after it goes by position only\n"):
        binding.case(Sizes(n=1, d_k=1, d_v=1), [[1]], Convention("nd"))


def test_numbers_of_the_sizes_and_the_scale_can_be_asked_for():
    def f(Q, K, V, d_k, scale):
        assert d_k == Q.shape[-1]
        return attention(Q, K, V, scale=scale)

    everything(f)
    binding = bind(describe(f), AttentionSpec(scale="2/d_k"))
    case = binding.case(Sizes(n=1, m=1, d_k=4, d_v=1), None, Convention("nd"))
    assert case.arguments["scale"] == {"value": 0.5}
    assert binding.notes == ("scale receives the scale of the spec, 2 / d_k, as a float",)


def test_the_words_of_a_case():
    binding = bind(describe(apart), PAPER)
    assert binding.notes == ("key and value receive the same embeddings X_KV",)
    assert binding.to_dict()["roles"]["value"] == "X_KV"
    case = bind(describe(batches), PAPER).case(Sizes(n=1, m=1, d_k=1, d_v=1), None, Convention("bnd"), (2,))
    assert case.inputs[:2] == (("Q", (0, 0, 0, 0)), ("Q", (1, 0, 0, 0)))
    assert case.call("f", case.point())["inputs"][0] == ["Q", [0, 0, 0, 0]]
    with pytest.raises(ValueError, match="1 values for 6 inputs"):
        case.call("f", case.point()[:1])


@pytest.mark.parametrize(("batch", "text"), [((), "got batch = () for layout bnd"), ((2, 3), "give 1 lengths")])
def test_a_wrong_batch(batch, text):
    with pytest.raises(SizeError) as caught:
        bind(describe(rows), PAPER).case(Sizes(n=1, d_k=1, d_v=1), None, Convention("bnd"), batch)
    assert text in str(caught.value)


def test_a_mask_for_a_function_without_one():
    with pytest.raises(TargetError, match="got a mask, but no parameter is one\n  --roles PARAMETER=mask"):
        bind(describe(rows), PAPER).case(Sizes(n=1, d_k=1, d_v=1), [[1]], Convention("nd"))


def test_a_spec_with_a_mask_and_a_target_without_one_is_noted():
    notes = bind(describe(lambda q, k, v: None), AttentionSpec(mask="boolean")).notes
    assert notes == ("no parameter is a mask, though mask = boolean: judged without one",)
    assert bind(describe(lambda q, k, v, mask: None), AttentionSpec(mask="boolean")).notes == ()
