"""Gradients, against complex steps through the formula in 60 digits, inside bounds derived in conftest."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.numeric import (
    attention,
    attention_grad,
    multihead_grad,
    self_attention_grad,
)

U = 2.0**-53


def loss(O, dO):
    return sum(o * d for row, weights in zip(O, dO, strict=True) for o, d in zip(row, weights, strict=True))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [None, 0.25, -1])
@pytest.mark.parametrize(
    ("n", "m", "d_k", "d_v"), [(2, 3, 4, 5), (3, 2, 1, 2), (1, 4, 3, 2), (4, 1, 3, 2), (1, 1, 1, 1), (3, 3, 2, 1)]
)
def test_attention_grad_is_the_derivative(ref, integers, n, m, d_k, d_v, scale, dtype):
    Q, K, V, dO = integers(n, d_k), integers(m, d_k) / 4, integers(m, d_v), integers(n, d_v)
    attends = integers(n, m) > -2
    q, k, v, d = map(ref.lists, (Q, K, V, dO))
    exact = (
        ref.derivative(lambda A: loss(ref.attention(A, k, v, attends, scale)[0], d), q),
        ref.derivative(lambda A: loss(ref.attention(q, A, v, attends, scale)[0], d), k),
        ref.derivative(lambda A: loss(ref.attention(q, k, A, attends, scale)[0], d), v),
    )
    errors, _ = ref.gradient_bounds(Q, K, V, dO, attends, scale, dtype)
    grad = attention_grad(*(A.astype(dtype) for A in (Q, K, V, dO)), attends, scale=scale)
    for name, g, value, bound in zip(grad._fields, grad, exact, errors, strict=True):
        assert g.dtype == dtype, name
        ref.within(g, value, bound)


@pytest.mark.parametrize("causal", ["lower_right", "upper_left"])
@pytest.mark.parametrize(("n", "m"), [(2, 4), (4, 2)])
def test_keywords_reach_the_gradient(integers, causal, n, m):
    Q, K, V, dO = integers(n, 2), integers(m, 2), integers(m, 2), integers(n, 2)
    mask = np.array([[j <= i + (m - n if causal == "lower_right" else 0) for j in range(m)] for i in range(n)])
    expected = attention_grad(Q, K, V, dO, mask)
    for grad in (attention_grad(Q, K, V, dO, causal=causal), attention_grad(Q, K, V, dO, ~mask, mask_true="masked")):
        for g, e in zip(grad, expected, strict=True):
            assert np.array_equal(g, e)


@pytest.mark.parametrize("empty_row", ["zero", "mean"])
def test_an_empty_row_adds_what_its_convention_says(integers, empty_row):
    Q, K, V, dO = integers(3, 2), integers(4, 2), integers(4, 3), integers(3, 3)
    mask = np.ones((3, 4), bool)
    mask[1] = False
    grad = attention_grad(Q, K, V, dO, mask, empty_row=empty_row)
    others = attention_grad(Q[[0, 2]], K, V, dO[[0, 2]])
    assert grad.dQ[1].tolist() == [0, 0]
    assert np.array_equal(grad.dQ[[0, 2]], others.dQ)
    share = dO[1] / 4 if empty_row == "mean" else 0
    # the rows are added in another order: two roundings, of numbers up to 3·3
    assert abs(grad.dV - (others.dV + share)).max() <= 4 * 9 * U
    assert abs(grad.dK - others.dK).max() <= 64 * abs(others.dK).max() * U


def test_an_empty_row_that_is_nan_makes_gradients_nan(integers):
    grad = attention_grad(
        integers(2, 2), integers(3, 2), integers(3, 2), integers(2, 2), [[False], [True]], empty_row="nan"
    )
    assert np.isnan(grad.dQ[0]).all()
    assert np.isfinite(grad.dQ[1]).all()
    assert np.isnan(grad.dK).all()
    assert np.isnan(grad.dV).all()


@pytest.mark.parametrize("wild", [math.nan, math.inf])
def test_what_is_masked_does_not_matter(integers, wild):
    Q, K, V, dO = integers(3, 2), integers(3, 2), integers(3, 2), integers(3, 2)
    mask = np.array([[True, True, False], [False, True, False], [False, False, False]])
    tame = attention_grad(Q, K, V, dO, mask)
    K[2], V[2], Q[2], dO[2] = wild, wild, wild, wild
    grad = attention_grad(Q, K, V, dO, mask)
    for g, t in zip(grad, tame, strict=True):
        assert np.array_equal(g, t)
    assert grad.dK[2].tolist() == grad.dV[2].tolist() == grad.dQ[2].tolist() == [0, 0]


@pytest.mark.parametrize("wild", [math.nan, math.inf])
def test_padded_embeddings_do_not_reach_the_weights(integers, wild):
    X, W_Q, W_K, W_V, W_O = integers(4, 3), integers(3, 2), integers(3, 2), integers(3, 2), integers(2, 2)
    padded = np.array([True, True, True, False])
    mask = padded & padded[:, None]
    dO = integers(4, 2)
    tame = self_attention_grad(X, W_Q, W_K, W_V, dO, mask)
    tame_layer = multihead_grad(X, W_Q, W_K, W_V, W_O, dO, mask, heads=1)
    X[3] = wild
    for g, t in zip(self_attention_grad(X, W_Q, W_K, W_V, dO, mask)[:4], tame[:4], strict=True):
        assert np.array_equal(g, t)
    for g, t in zip(multihead_grad(X, W_Q, W_K, W_V, W_O, dO, mask, heads=1)[:5], tame_layer[:5], strict=True):
        assert np.array_equal(g, t)


def layer_case(ref, integers, cross, h, causal_offset):
    """Return a layer in whole numbers, so that Q, K, V and dO are exact, and the exact loss."""
    n, d_model, d_k, d_v, d_out = 3, 2, 2, 3, 2
    X = integers(n, d_model)
    X_KV = integers(4, d_model) if cross else X
    W_Q, W_K, W_V = integers(h, d_model, d_k), integers(h, d_model, d_k) / 4, integers(h, d_model, d_v)
    W_O, dY = integers(h * d_v, d_out), integers(n, d_out)
    m = len(X_KV)
    attends = np.array([[j <= i + causal_offset for j in range(m)] for i in range(n)])

    def exact_loss(x, x_kv, w_q, w_k, w_v, w_o):
        return loss(ref.multihead(x, x_kv, list(zip(w_q, w_k, w_v, strict=True)), w_o, attends), ref.lists(dY))

    return (X, X_KV, W_Q, W_K, W_V, W_O), dY, attends, exact_loss


def exact_gradients(ref, arrays, exact_loss, cross):
    lists = [ref.lists(A) for A in arrays]

    def at(position, head=None):
        def of(A):
            changed = list(lists)
            if head is None:
                changed[position] = A
                if position == 0 and not cross:
                    changed[1] = A
            else:
                changed[position] = [A if i == head else W for i, W in enumerate(lists[position])]
            return exact_loss(*changed)

        return ref.derivative(of, lists[position] if head is None else lists[position][head])

    heads = range(len(lists[2]))
    return at(0), at(1), *([at(p, i) for i in heads] for p in (2, 3, 4)), at(5)


def layer_bounds(ref, arrays, dY, attends):
    """Bound the errors of all gradients of a layer from those of each head, with exact Q, K, V, dO."""
    X, X_KV, W_Q, W_K, W_V, W_O = arrays
    h, d_v = len(W_Q), W_V.shape[-1]
    dX, dX_KV = np.zeros_like(X), np.zeros_like(X_KV)
    dW, z_error, z_size = ([], [], []), [], []
    through = 0.0
    for i in range(h):
        Q, K, V = X @ W_Q[i], X_KV @ W_K[i], X_KV @ W_V[i]
        dO = dY @ W_O[i * d_v : (i + 1) * d_v].T
        errors, sizes = ref.gradient_bounds(Q, K, V, dO, attends)
        for which, (x, W) in enumerate([(X, W_Q[i]), (X_KV, W_K[i]), (X_KV, W_V[i])]):
            dW[which].append(ref.product_bound(x.T, sizes[which], errors[which], U))
            back = ref.product_bound(W, sizes[which].T, errors[which].T, U).T
            size = sizes[which] @ abs(W).T + back
            through = max(through, size.max())
            if which == 0:
                dX += back
            else:
                dX_KV += back
        z_error.append(ref.attention_bound(Q, K, V, attends))
        z_size.append(np.broadcast_to(abs(V).max(axis=0), (len(X), d_v)))
    # the sums over 3h parts round 3h + 1 times more
    sums = ref.gamma(3 * h + 1, U) * 3 * h * through
    dX, dX_KV = dX + sums, dX_KV + sums
    dW_O = ref.product_bound(dY.T, np.concatenate(z_size, axis=1), np.concatenate(z_error, axis=1), U).T
    return dX, dX_KV, *dW, dW_O


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("h", [1, 2])
@pytest.mark.parametrize("causal", ["none", "upper_left"])
def test_multihead_grad_is_the_derivative(ref, integers, cross, h, causal):
    arrays, dY, attends, exact_loss = layer_case(ref, integers, cross, h, 9 if causal == "none" else 0)
    X, X_KV, W_Q, W_K, W_V, W_O = arrays
    dX, dX_KV, dW_Q, dW_K, dW_V, dW_O = exact_gradients(ref, arrays, exact_loss, cross)
    bX, bX_KV, bW_Q, bW_K, bW_V, bW_O = layer_bounds(ref, arrays, dY, attends)
    grad = multihead_grad(X, W_Q, W_K, W_V, W_O, dY, X_KV=X_KV if cross else None, causal=causal)
    ref.within(grad.dX, dX, bX if cross else bX + bX_KV)
    for g, values, bounds in zip(grad[1:4], (dW_Q, dW_K, dW_V), (bW_Q, bW_K, bW_V), strict=True):
        for head in range(h):
            ref.within(g[head], values[head], bounds[head])
    ref.within(grad.dW_O, dW_O, bW_O)
    if cross:
        ref.within(grad.dX_KV, dX_KV, bX_KV)
    else:
        assert grad.dX_KV is None


@pytest.mark.parametrize("cross", [False, True])
def test_self_attention_grad_is_the_derivative(ref, integers, cross):
    arrays, dY, attends, _ = layer_case(ref, integers, cross, 1, 9)
    arrays = (*arrays[:5], np.eye(3))
    dO = np.pad(dY, ((0, 0), (0, 1)))
    dO[0, 2] = -2
    X, X_KV, W_Q, W_K, W_V, _ = arrays

    def exact_loss(x, x_kv, w_q, w_k, w_v, w_o):
        return loss(ref.multihead(x, x_kv, list(zip(w_q, w_k, w_v, strict=True)), w_o, attends), ref.lists(dO))

    dX, dX_KV, *dW, _ = exact_gradients(ref, arrays, exact_loss, cross)
    bX, bX_KV, *bW, _ = layer_bounds(ref, arrays, dO, attends)
    grad = self_attention_grad(X, W_Q[0], W_K[0], W_V[0], dO, X_KV=X_KV if cross else None)
    ref.within(grad.dX, dX, bX if cross else bX + bX_KV)
    for g, values, bounds in zip(grad[1:4], dW, bW, strict=True):
        ref.within(g, values[0], bounds[0])
    if cross:
        ref.within(grad.dX_KV, dX_KV, bX_KV)
    else:
        assert grad.dX_KV is None


def test_layouts_of_gradients_are_those_of_the_weights(integers):
    X, W_Q, W_K, W_V, W_O = integers(3, 2), integers(2, 2, 4), integers(2, 2, 4), integers(2, 2, 3), integers(6, 2)
    dY = integers(3, 2)
    stacked = multihead_grad(X, W_Q, W_K, W_V, W_O, dY)
    fuse = lambda W: np.concatenate(list(W), axis=1)  # noqa: E731
    fused = multihead_grad(X, fuse(W_Q), fuse(W_K), fuse(W_V), W_O, dY, heads=2)
    listed = multihead_grad(X, list(W_Q), tuple(W_K), list(W_V), W_O, dY)
    for s, f, items in zip(stacked[1:4], fused[1:4], listed[1:4], strict=True):
        assert np.array_equal(f, fuse(s))
        assert isinstance(items, list)
        assert all(np.array_equal(a, b) for a, b in zip(items, s, strict=True))
    for s, f, item in zip(stacked[::4], fused[::4], listed[::4], strict=True):
        assert np.array_equal(s, f)
        assert np.array_equal(s, item)


SHAPES = st.tuples(*[st.sampled_from([(), (1,), (2,), (3, 1), (3, 2)])] * 5)


@settings(max_examples=60, deadline=None)
@given(batches=SHAPES, sizes=st.tuples(*[st.integers(1, 3)] * 4), seed=st.integers(0, 2**32 - 1))
def test_gradients_of_broadcast_inputs_are_sums(ref, batches, sizes, seed):
    n, m, d_k, d_v = sizes
    rng = np.random.default_rng(seed)
    batch = np.broadcast_shapes(*batches[:3], batches[4])
    cores = [(n, d_k), (m, d_k), (m, d_v), (n, d_v), (n, m)]
    Q, K, V, dO, mask = (rng.integers(-3, 4, b + c).astype(float) for b, c in zip(batches, cores, strict=True))
    mask = mask > -2
    if np.broadcast_shapes(batch, batches[3]) != batch:
        dO = dO[(0,) * len(batches[3])]
    grad = attention_grad(Q, K, V, dO, mask)
    parts = [np.broadcast_to(A, batch + c) for A, c in zip((Q, K, V, dO, mask), cores, strict=True)]
    sums, bounds = ([np.zeros_like(A) for A in (Q, K, V)] for _ in range(2))
    for at in np.ndindex(batch):
        here = [A[at] for A in parts]
        errors, sizes_here = ref.gradient_bounds(*here)
        for total, bound, g, e, s in zip(sums, bounds, attention_grad(*here), errors, sizes_here, strict=True):
            axes = len(total.shape) - 2
            index = tuple(0 if total.shape[a] == 1 else at[len(at) - axes + a] for a in range(axes))
            total[index] += g
            # both are within the bound of one batch entry, and at most 6 entries are added
            bound[index] += 2 * e + 2 * ref.gamma(6, U) * 6 * s
    for g, A, total, bound in zip(grad, (Q, K, V), sums, bounds, strict=True):
        assert g.shape == A.shape
        assert (abs(g - total) <= bound).all()


@pytest.mark.parametrize("cross", [False, True])
def test_every_gradient_of_a_layer_has_the_shape_of_its_input(integers, cross):
    X, X_KV = integers(4, 1, 3, 2), integers(5, 6, 2)
    W_Q, W_K, W_V, W_O = integers(2, 2, 3), integers(5, 2, 2, 3), integers(4, 1, 2, 2, 1), integers(1, 2, 3)
    dY = integers(4, 5, 3, 3)
    grad = multihead_grad(X, W_Q, W_K, W_V, W_O, dY, X_KV=X_KV if cross else None)
    inputs = (X, W_Q, W_K, W_V, W_O, X_KV)
    for g, A in zip(grad[: 5 + cross], inputs[: 5 + cross], strict=True):
        assert g.shape == A.shape
    single = self_attention_grad(X, W_Q[0], W_K[:, 0], W_V[:, :, 0], dY[..., :1], X_KV=X_KV if cross else None)
    inputs = (X, W_Q[0], W_K[:, 0], W_V[:, :, 0], X_KV)
    for g, A in zip(single[: 4 + cross], inputs[: 4 + cross], strict=True):
        assert g.shape == A.shape


def test_a_gradient_without_batch_axes_is_broadcast_to_those_of_the_result(integers):
    X, W, W_V, W_O, dO = integers(3, 2), integers(2, 2), integers(4, 2, 2), integers(4, 2, 2), integers(3, 2)
    full = np.broadcast_to(dO, (4, 3, 2))
    for g, e in zip(self_attention_grad(X, W, W, W_V, dO), self_attention_grad(X, W, W, W_V, full), strict=True):
        assert g is e is None or np.array_equal(g, e)
    once = multihead_grad(X, W, W, W_V[:, None], W_O, dO, heads=1)
    for g, e in zip(once, multihead_grad(X, W, W, W_V[:, None], W_O, full, heads=1), strict=True):
        assert g is e is None or np.array_equal(g, e)
    only_output = multihead_grad(X, W, W, W, W_O, dO, heads=1)
    assert only_output.dW_O.shape == (4, 2, 2)


def test_broadcast_weights_collect_the_gradients_of_all_batch_entries(integers):
    X, dY = integers(3, 4, 2), integers(3, 4, 2)
    W_Q, W_K, W_V, W_O = integers(2, 2, 2), integers(2, 2, 2), integers(2, 2, 3), integers(6, 2)
    grad = multihead_grad(X, W_Q, W_K, W_V, W_O, dY)
    alone = [multihead_grad(x, W_Q, W_K, W_V, W_O, d) for x, d in zip(X, dY, strict=True)]
    for b in range(3):
        assert np.array_equal(grad.dX[b], alone[b].dX)
    for position in (1, 2, 3, 4):
        parts = [a[position] for a in alone]
        # three numbers in any order
        assert (abs(grad[position] - sum(parts)) <= 4 * U * sum(map(abs, parts))).all()


def test_number_types_of_gradients(integers):
    arrays = [integers(2, 3), integers(4, 3), integers(4, 5), integers(2, 5)]
    for dtype, expected in [(np.float16, np.float16), (np.float32, np.float32), (np.int64, np.float64)]:
        assert {g.dtype for g in attention_grad(*(A.astype(dtype) for A in arrays))} == {np.dtype(expected)}


def test_empty_batches_give_gradients_of_zero():
    grad = attention_grad(np.ones((0, 2, 3)), np.ones((4, 3)), np.ones((1, 4, 5)), np.ones((0, 2, 5)))
    assert grad.dQ.shape == (0, 2, 3)
    assert grad.dK.tolist() == np.zeros((4, 3)).tolist()
    assert grad.dV.tolist() == np.zeros((1, 4, 5)).tolist()


def test_large_scores_have_finite_gradients():
    grad = attention_grad([[1e5]], [[1.0], [-1.0]], [[3.0], [7.0]], [[1.0]])
    assert grad.dQ.tolist() == [[0]]
    assert grad.dK.tolist() == [[0], [0]]
    assert grad.dV.tolist() == [[1], [0]]


def test_inputs_stay_as_they_are_and_gradients_are_new(integers):
    arrays = [integers(1, 1) for _ in range(4)]
    before = [A.copy() for A in arrays]
    for A in arrays:
        A.flags.writeable = False
    grad = attention_grad(*arrays)
    assert all(np.array_equal(A, B) for A, B in zip(arrays, before, strict=True))
    assert all(g.flags.writeable and not np.shares_memory(g, A) for g in grad for A in arrays)
    assert attention(*arrays[:3]).shape == (1, 1)
