"""Multi-head attention: the formula, the layouts of the weights, the order of the heads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.numeric import attention, merge_heads, multihead, self_attention, split_heads

H, D_MODEL, D_K, D_V, D_OUT = 3, 4, 2, 5, 3


@pytest.fixture
def layer(integers):
    """X, X_KV, and the weights of three heads, stacked; scores and values are exact in floats."""
    W_Q, W_K, W_V = integers(H, D_MODEL, D_K), integers(H, D_MODEL, D_K) / 4, integers(H, D_MODEL, D_V)
    return integers(2, D_MODEL), integers(5, D_MODEL), W_Q, W_K, W_V, integers(H * D_V, D_OUT)


def layouts(W):
    fused = np.concatenate(list(W), axis=1)
    return {"list": list(W), "tuple": tuple(W), "stacked": W, "fused": fused, "fused_fortran": np.asfortranarray(fused)}


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("causal", ["none", "lower_right", "upper_left"])
def test_result_is_the_formula_entry_by_entry(ref, layer, cross, causal):
    X, X_KV, W_Q, W_K, W_V, W_O = layer
    Y_KV = X_KV if cross else X
    n, m = len(X), len(Y_KV)
    offset = {"none": m, "lower_right": m - n, "upper_left": 0}[causal]
    attends = np.array([[j <= i + offset for j in range(m)] for i in range(n)])
    heads = [[ref.lists(W) for W in head] for head in zip(W_Q, W_K, W_V, strict=True)]
    exact = ref.multihead(ref.lists(X), ref.lists(Y_KV), heads, ref.lists(W_O), attends)
    bound = ref.multihead_bound(X, Y_KV, W_Q, W_K, W_V, W_O, attends)
    ref.within(multihead(X, W_Q, W_K, W_V, W_O, X_KV=X_KV if cross else None, causal=causal), exact, bound)


def test_heads_stand_side_by_side_in_their_order():
    # equal scores: head i averages its own value, which is i + 1 everywhere
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    values = [np.full((1, 2), i + 1.0) for i in range(3)]
    Z = multihead(np.ones((2, 1)), [zero] * 3, [one] * 3, values, np.eye(6))
    assert Z.tolist() == [[1, 1, 2, 2, 3, 3]] * 2


def test_output_projection_takes_the_rows_of_each_head():
    zero = np.zeros((1, 1))
    W_O = np.array([[100.0], [10.0], [1.0]])
    assert multihead([[1.0]], [zero] * 3, [zero] * 3, [[[1.0]], [[2.0]], [[3.0]]], W_O).tolist() == [[123]]


def test_one_head_without_projection_is_self_attention(layer):
    X, X_KV, W_Q, W_K, W_V, _ = layer
    Y = multihead(X, W_Q[:1], W_K[:1], W_V[:1], np.eye(D_V), X_KV=X_KV)
    assert np.array_equal(Y, self_attention(X, W_Q[0], W_K[0], W_V[0], X_KV=X_KV))


# layouts


@pytest.mark.parametrize("layout", ["list", "tuple", "fused", "fused_fortran"])
def test_layouts_agree_bit_for_bit(layer, layout):
    X, X_KV, W_Q, W_K, W_V, W_O = layer
    expected = multihead(X, W_Q, W_K, W_V, W_O, X_KV=X_KV)
    q, k, v = (layouts(W)[layout] for W in (W_Q, W_K, W_V))
    assert np.array_equal(multihead(X, q, k, v, W_O, X_KV=X_KV, heads=H), expected)
    # mixed
    assert np.array_equal(multihead(X, q, W_K, v, W_O, X_KV=X_KV, heads=H), expected)


def test_layouts_agree_bit_for_bit_where_blas_works_in_blocks():
    rng = np.random.default_rng(20170612)
    X, W = rng.standard_normal((37, 48)), rng.standard_normal((3, 4, 48, 19)) / 7
    W_O = rng.standard_normal((76, 5))
    expected = multihead(X, *W, W_O)
    for layout in ("list", "fused", "fused_fortran"):
        assert np.array_equal(multihead(X, *(layouts(w)[layout] for w in W), W_O, heads=4), expected)


def test_fused_weights_as_lists_of_numbers(layer):
    X, _, W_Q, W_K, W_V, W_O = layer
    fused = [layouts(W)["fused"] for W in (W_Q, W_K, W_V)]
    expected = multihead(X, *fused, W_O, heads=H)
    assert np.array_equal(multihead(X.tolist(), *(W.tolist() for W in fused), W_O.tolist(), heads=H), expected)


def test_number_of_heads_decides_how_fused_weights_are_cut(integers):
    X, W = integers(3, 4), integers(4, 4)
    one, two = (multihead(X, W, W, W, np.eye(4), heads=h) for h in (1, 2))
    assert np.array_equal(one, self_attention(X, W, W, W))
    assert not np.array_equal(one, two)


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 4),
    batch=st.lists(st.integers(0, 2), max_size=2).map(tuple),
    batched=st.tuples(*[st.booleans()] * 6),
    cross=st.booleans(),
)
def test_every_shape_with_batches_of_inputs_and_of_weights(ref, sizes, batch, batched, cross):
    n, m, h, d = sizes
    rng = np.random.default_rng(0)
    cores = [(n, 2), (m, 2), (h, 2, d), (h, 2, d), (h, 2, d + 1), (h * (d + 1), 3)]
    X, X_KV, W_Q, W_K, W_V, W_O = (
        rng.integers(-2, 3, (*(batch if has else ()), *core)).astype(float)
        for has, core in zip(batched, cores, strict=True)
    )
    if not cross:
        X_KV, m = X, n
        batched = (batched[0], batched[0], *batched[2:])
    mask = rng.random((n, m)) < 0.7
    Y, P = multihead(X, W_Q, W_K, W_V, W_O, mask, X_KV=X_KV if cross else None, return_weights=True)
    batch = batch if any(batched) else ()
    assert Y.shape == (*batch, n, 3)
    assert P.shape == (*(batch if any(batched[:4]) else ()), h, n, m)
    parts = [
        np.broadcast_to(A, (*batch, *core))
        for A, core in zip((X, X_KV, W_Q, W_K, W_V, W_O), [(n, 2), (m, 2), *cores[2:]], strict=True)
    ]
    for at in np.ndindex(batch):
        x, x_kv, w_q, w_k, w_v, w_o = (A[at] for A in parts)
        O = [attention(x @ w_q[i], x_kv @ w_k[i], x_kv @ w_v[i], mask) for i in range(h)]
        alone = np.concatenate(O, axis=1) @ w_o
        assert (abs(Y[at] - alone) <= 2 * ref.multihead_bound(x, x_kv, w_q, w_k, w_v, w_o, mask)).all()


def test_mask_is_shared_by_all_heads_and_its_batch_is_that_of_x(layer, integers):
    X, _, W_Q, W_K, W_V, W_O = layer
    X = integers(H, 2, D_MODEL)
    # as many batch entries as heads: a mask that is mistaken for one mask a head would fit
    mask = np.array([[[True, False], [True, True]], [[True, True], [False, True]], [[True, True], [True, True]]])
    Y, P = multihead(X, W_Q, W_K, W_V, W_O, mask, return_weights=True)
    assert ((P == 0) == ~mask[:, None]).all()
    for b in range(H):
        assert np.array_equal(Y[b], multihead(X[b], W_Q, W_K, W_V, W_O, mask[b]))


@pytest.mark.parametrize(("empty_row", "expected"), [("zero", 0), ("mean", 6), ("nan", np.nan)])
def test_empty_rows(empty_row, expected):
    W_V, W_O = [np.array([[1.0]]), np.array([[2.0]])], np.ones((2, 1))
    one = [np.ones((1, 1))] * 2
    Y = multihead([[1.0], [3.0]], one, one, W_V, W_O, [[False, False], [True, False]], empty_row=empty_row)
    assert np.array_equal(Y, [[expected], [3]], equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_number_types(layer, dtype):
    X, X_KV, *weights = (A.astype(dtype) for A in layer)
    Y, P = multihead(X, *weights, X_KV=X_KV, return_weights=True)
    assert Y.dtype == P.dtype == (np.float64 if dtype is np.int64 else dtype)


def test_inputs_stay_as_they_are(layer):
    X, X_KV, W_Q, W_K, W_V, W_O = layer
    inputs = [X, X_KV, W_O, *(layouts(W)["fused"] for W in (W_Q, W_K, W_V))]
    before = [A.copy() for A in inputs]
    for A in inputs:
        A.flags.writeable = False
    multihead(X, *inputs[3:], W_O, X_KV=X_KV, heads=H)
    assert all(np.array_equal(A, B) for A, B in zip(inputs, before, strict=True))


# splitting and merging


def test_split_cuts_columns_in_order():
    A = np.arange(12).reshape(2, 6)
    assert split_heads(A, 3).tolist() == [[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10, 11]]]


@settings(max_examples=40, deadline=None)
@given(batch=st.lists(st.integers(0, 3), max_size=2).map(tuple), sizes=st.tuples(*[st.integers(1, 4)] * 3))
def test_merge_undoes_split(batch, sizes):
    n, h, d = sizes
    A = np.arange(np.prod((*batch, n, h * d), dtype=int)).reshape(*batch, n, h * d)
    parts = split_heads(A, h)
    assert parts.shape == (*batch, h, n, d)
    assert np.array_equal(merge_heads(parts), A)
    assert not np.shares_memory(merge_heads(parts), A)
