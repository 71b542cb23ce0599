"""Attention and one head, against the formula entry by entry and against cases known exactly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.numeric import attention, causal_mask, self_attention

SIZES = [(2, 3, 4, 5), (3, 2, 1, 2), (1, 4, 3, 2), (4, 1, 3, 2), (1, 1, 1, 1), (5, 5, 2, 3)]


def full(n, m, mask=None):
    return np.ones((n, m), bool) if mask is None else np.broadcast_to(mask, (n, m))


# the formula


@pytest.mark.parametrize("scale", [None, 1, 0.3, -2, 0])
@pytest.mark.parametrize(("n", "m", "d_k", "d_v"), SIZES)
def test_result_is_the_formula_entry_by_entry(ref, integers, n, m, d_k, d_v, scale):
    Q, K, V = integers(n, d_k), integers(m, d_k), integers(m, d_v)
    exact, _ = ref.attention(*map(ref.lists, (Q, K, V)), full(n, m), scale)
    ref.within(attention(Q, K, V, scale=scale), exact, ref.attention_bound(Q, K, V, full(n, m), scale))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_small_shape_mask_and_numbers(ref, data):
    n, m, d_k, d_v = (data.draw(st.integers(1, 4), label) for label in ("n", "m", "d_k", "d_v"))
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    # multiples of 1/8 up to 3: the scores are exact, and no bound blows up
    eighths = st.integers(-24, 24).map(lambda k: k / 8)
    Q, K, V = (
        np.array(data.draw(st.lists(eighths, min_size=r * c, max_size=r * c))).reshape(r, c)
        for r, c in ((n, d_k), (m, d_k), (m, d_v))
    )
    rows, columns = data.draw(st.sampled_from([(n, m), (1, m), (n, 1), (1, 1)]))
    cells = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)
    mask = np.array(data.draw(cells)).reshape(rows, columns)
    attends = full(n, m, mask)
    exact, weights = ref.attention(*map(ref.lists, (Q, K, V)), attends)
    O, P = attention(*(A.astype(dtype) for A in (Q, K, V)), mask, return_weights=True)
    assert O.dtype == P.dtype == dtype
    ref.within(O, exact, ref.attention_bound(Q, K, V, attends, dtype=dtype))
    # V = 1 on the diagonal reads the weights off, so that their bound is the one of O
    ref.within(P, weights, ref.attention_bound(Q, K, np.eye(m), attends, dtype=dtype))
    assert (P[~attends] == 0).all()


@pytest.mark.parametrize("cross", [False, True])
def test_one_head_is_attention_of_its_projections(ref, integers, cross):
    X, X_KV = integers(3, 5), integers(4, 5) if cross else None
    W_Q, W_K, W_V = integers(5, 2), integers(5, 2), integers(5, 3)
    Y = X_KV if cross else X
    Q, K, V = X @ W_Q / 4, Y @ W_K / 4, Y @ W_V
    attends = full(3, len(Y))
    exact, _ = ref.attention(*map(ref.lists, (Q, K, V)), attends)
    O = self_attention(X, W_Q / 4, W_K / 4, W_V, X_KV=X_KV)
    ref.within(O, exact, ref.attention_bound(Q, K, V, attends))


def test_equal_scores_give_the_mean_exactly():
    V = np.array([[1.0, -8.0], [3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    O, P = attention(np.zeros((2, 3)), np.ones((4, 3)), V, return_weights=True)
    assert P.tolist() == [[0.25] * 4] * 2
    assert O.tolist() == [[1, -1]] * 2


def test_default_scale_is_one_over_the_root_of_d_k():
    Q, K, V = [[2.0] * 4], [[1.0] * 4, [0.0] * 4], [[1.0], [0.0]]
    assert attention(Q, K, V) == attention(Q, K, V, scale=0.5)
    assert attention(Q, K, V) != attention(Q, K, V, scale=1)
    # the score is 8/√4 = 4, against 0
    assert abs(attention(Q, K, V)[0, 0] - 1 / (1 + math.exp(-4))) <= 2**-51


# masks


def test_one_mask_entry_switches_one_weight_off():
    mask = np.ones((2, 3), bool)
    mask[1, 2] = False
    _, P = attention(np.zeros((2, 1)), np.zeros((3, 1)), np.zeros((3, 1)), mask, return_weights=True)
    assert P.tolist() == [[1 / 3] * 3, [0.5, 0.5, 0]]


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (1, 1), (3, 4)])
def test_mask_axes_of_length_1_broadcast(integers, shape):
    Q, K, V = integers(3, 2), integers(4, 2), integers(4, 2)
    mask = integers(*shape) > 0
    assert np.array_equal(attention(Q, K, V, mask), attention(Q, K, V, full(3, 4, mask).copy()))


@pytest.mark.parametrize(("empty_row", "weight"), [("zero", 0), ("mean", 0.25), ("nan", math.nan)])
def test_empty_rows(integers, empty_row, weight):
    Q, K, V = integers(3, 2), integers(4, 2), integers(4, 2)
    mask = np.array([[True] * 4, [False] * 4, [True, False, False, True]])
    O, P = attention(Q, K, V, mask, empty_row=empty_row, return_weights=True)
    assert np.array_equal(P[1], [weight] * 4, equal_nan=True)
    assert np.array_equal(O[1], weight * V.sum(axis=0), equal_nan=True)
    others = attention(Q[[0, 2]], K, V, mask[[0, 2]])
    assert np.array_equal(O[[0, 2]], others)


def test_an_empty_row_is_zero_unless_asked_otherwise():
    assert attention([[1.0]], [[1.0]], [[5.0]], [[False]]).tolist() == [[0]]


@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("empty_row", ["zero", "nan"])
def test_what_is_masked_does_not_matter(integers, wild, empty_row):
    Q, K, V = integers(4, 2), integers(3, 2), integers(3, 2)
    # key 2 is masked for everybody, key 0 for some; query 3 may attend to nothing
    mask = np.array([[True, True, False], [False, True, False], [False, True, False], [False, False, False]])
    tame = attention(Q, K, V, mask, empty_row=empty_row)
    K[2], V[2] = wild, wild
    assert np.array_equal(attention(Q, K, V, mask, empty_row=empty_row), tame, equal_nan=True)
    K[0], V[0, 1] = wild, wild
    blind = [1, 2, 3]
    assert np.array_equal(attention(Q, K, V, mask, empty_row=empty_row)[blind], tame[blind], equal_nan=True)


def test_an_attended_value_counts_in_its_column():
    V = np.array([[math.inf, 1.0], [1.0, 1.0]])
    O = attention(np.zeros((2, 1)), np.zeros((2, 1)), V, [[True, True], [False, True]])
    assert O.tolist() == [[math.inf, 1], [1, 1]]
    V[1, 0] = -math.inf
    O = attention(np.zeros((2, 1)), np.zeros((2, 1)), V, [[True, True], [False, True]])
    assert np.array_equal(O, [[math.nan, 1], [-math.inf, 1]], equal_nan=True)


def test_garbage_in_one_batch_entry_stays_there(integers):
    Q, K, V = integers(3, 2, 2), integers(3, 4, 2), integers(3, 4, 2)
    tame = attention(Q, K, V)
    K[1, 2] = math.nan
    V[1, 0] = math.inf
    O = attention(Q, K, V)
    assert np.array_equal(O[[0, 2]], tame[[0, 2]])
    assert np.isnan(O[1]).all()


def test_mean_lets_masked_values_in():
    assert attention([[0.0]], [[math.nan], [1.0]], [[2.0], [4.0]], [[False, False]], empty_row="mean").tolist() == [[3]]
    V = [[math.inf], [1.0]]
    mask = [[False, False], [False, True]]
    assert attention([[0.0], [0.0]], [[0.0], [0.0]], V, mask, empty_row="mean").tolist() == [[math.inf], [1]]


def test_masked_weights_are_0_even_where_the_row_is_nan():
    _, P = attention([[1.0]], [[math.nan], [1.0], [1.0]], np.ones((3, 1)), [[True, True, False]], return_weights=True)
    assert np.array_equal(P, [[math.nan, math.nan, 0]], equal_nan=True)


@pytest.mark.parametrize("score", [-1e5, 1e5])
@pytest.mark.parametrize("garbage", [1e5, -1e5, 0.0])
def test_a_masked_score_is_below_every_score(score, garbage):
    K = [[score], [score], [garbage]]
    _, P = attention([[1.0]], K, np.ones((3, 1)), [[True, True, False]], return_weights=True)
    assert P.tolist() == [[0.5, 0.5, 0]]


# range and number types


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("top", [1e5, -1e5, 0.0])
def test_large_scores(ref, dtype, top):
    # the scores top·1 and top − 1 are exact in float32, so that P = 1/(1 + e^-1) to a few roundings
    Q = np.array([[top / 4, 1]], dtype)
    K = np.array([[4, 0], [4, -1]], dtype)
    O = attention(Q, K, np.eye(2, dtype=dtype), scale=1)
    assert O.dtype == dtype
    u = ref.unit_roundoff(dtype)
    exact = np.array([[1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))]])
    # exp: 8u, in numerator and denominator; sum, quotient, product with V: u each; the rest is slack
    assert (abs(O - exact) <= 20 * u * exact).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_from_minus_to_plus_1e5_in_one_row(dtype):
    O = attention(np.array([[1e5]], dtype), np.array([[1], [-1]], dtype), np.array([[3], [7]], dtype))
    assert O.tolist() == [[3]]


def test_large_values_do_not_overflow():
    V = np.full((4, 2), np.finfo(np.float64).max / 2)
    assert attention(np.zeros((1, 1)), np.zeros((4, 1)), V).tolist() == V[:1].tolist()


@pytest.mark.parametrize(
    ("given_types", "expected"),
    [
        ((np.float32,) * 3, np.float32),
        ((np.float64,) * 3, np.float64),
        ((np.float16,) * 3, np.float16),
        ((np.int64,) * 3, np.float64),
        ((np.int8, np.uint16, np.bool_), np.float64),
        ((np.float32, np.float64, np.float32), np.float64),
        ((np.float16, np.float32, np.float16), np.float32),
        ((np.float32, np.int32, np.float32), np.float64),
        ((np.dtype(">f8"),) * 3, np.float64),
        ((np.longdouble,) * 3, np.longdouble),
    ],
)
def test_number_types(integers, given_types, expected):
    arrays = [integers(2, 3, low=0, high=1).astype(dtype) for dtype in given_types]
    O, P = attention(*arrays, return_weights=True)
    assert O.dtype == P.dtype == expected
    for empty_row in ("zero", "nan", "mean"):
        O, P = attention(*arrays, [[False], [True]], empty_row=empty_row, return_weights=True)
        assert O.dtype == P.dtype == expected
    assert self_attention(arrays[0], *[arrays[1].T] * 3).dtype == np.result_type(
        *(t if np.dtype(t).kind == "f" else np.float64 for t in given_types[:2])
    )


def test_half_precision_is_computed_in_single_precision(ref, integers):
    Q, K, V = integers(3, 4), integers(5, 4), integers(5, 2)
    exact, _ = ref.attention(*map(ref.lists, (Q, K, V)), full(3, 5))
    O = attention(*(A.astype(np.float16) for A in (Q, K, V)))
    single = ref.attention_bound(Q, K, V, full(3, 5), dtype=np.float32)
    size = abs(np.array(exact, float)) + single
    # one rounding to float16, or half its smallest subnormal
    ref.within(O, exact, single + 2**-11 * size + 2**-25)


def test_single_precision_is_computed_in_single_precision():
    # the score 1e40 is ∞ in float32, and a row with such a score is nan
    arrays = [[1e20]], [[1e20], [0.0]], [[3.0], [7.0]]
    assert attention(*(np.array(A, np.float64) for A in arrays)).tolist() == [[3]]
    assert np.isnan(attention(*(np.array(A, np.float32) for A in arrays))).all()
    assert attention(*(np.array(A, np.float16) / 2**6 for A in ([[6e4]], [[6e4], [0]], [[3.0], [7.0]]))) == 3 / 2**6


def test_no_warning_even_where_numpy_would_raise(integers):
    K = integers(3, 2)
    K[0] = math.inf
    with np.errstate(all="raise"):
        attention(integers(2, 2) * 1e5, K, integers(3, 2), [[False, True, True], [False, False, False]])
        attention(np.float16([[6e4]]), np.float16([[6e4]]), np.float16([[6e4]]))
        assert np.geterr()["over"] == "raise"


# arrays


@pytest.mark.parametrize(
    "batches",
    [
        ((), (7,), (), ()),
        ((2, 1), (3,), (2, 3), ()),
        ((), (), (), (4,)),
        ((5,), (5,), (5,), (5,)),
        ((1,), (), (4, 1), (3,)),
    ],
)
def test_batch_axes_broadcast(ref, integers, batches):
    cores = ((2, 3), (4, 3), (4, 5), (2, 4))
    Q, K, V, mask = (integers(*batch, *core) for batch, core in zip(batches, cores, strict=True))
    mask = mask > -2
    O, P = attention(Q, K, V, mask, return_weights=True)
    batch = np.broadcast_shapes(*batches)
    assert O.shape == (*batch, 2, 5)
    assert P.shape == (*np.broadcast_shapes(batches[0], batches[1], batches[3]), 2, 4)
    parts = [np.broadcast_to(A, (*batch, *A.shape[-2:])) for A in (Q, K, V, mask)]
    for at in np.ndindex(batch):
        alone = [A[at] for A in parts]
        # a batched product may add in another order, so that both are only known to be within the bound
        assert (abs(O[at] - attention(*alone)) <= 2 * ref.attention_bound(*alone)).all()


@pytest.mark.parametrize("batch", [(0,), (3, 0), (0, 1)])
def test_empty_batch_axes_give_empty_results(batch):
    O, P = attention(np.ones((*batch, 2, 3)), np.ones((4, 3)), np.ones((4, 5)), return_weights=True)
    assert O.shape == (*batch, 2, 5)
    assert P.shape == (*batch, 2, 4)
    assert self_attention(np.ones((*batch, 2, 3)), *[np.ones((3, 2))] * 3).shape == (*batch, 2, 2)


def test_strided_read_only_and_fortran_inputs_give_the_same_numbers_and_stay_as_they_are(ref, integers):
    Q, K, V = integers(3, 4), integers(5, 4), integers(5, 2)
    mask = integers(3, 5) > -2
    expected = attention(Q, K, V, mask)
    wide = [np.repeat(np.repeat(A, 2, axis=0), 3, axis=1) for A in (Q, K, V, mask)]
    strided = [A[::2, ::3] for A in wide]
    reverse = [A[::-1, ::-1].copy()[::-1, ::-1] for A in (Q, K, V, mask)]
    fortran = [np.asfortranarray(A) for A in (Q, K, V, mask)]
    for arrays in (strided, reverse, fortran):
        before = [A.copy() for A in arrays]
        for A in arrays:
            A.flags.writeable = False
        O = attention(*arrays)
        # another memory order may be another order of addition
        assert (abs(O - expected) <= 2 * ref.attention_bound(Q, K, V, mask)).all()
        assert all(np.array_equal(A, B) for A, B in zip(arrays, before, strict=True))


def test_results_are_new_and_writable(integers):
    arrays = [integers(1, 1) for _ in range(3)]
    for result in attention(*arrays, return_weights=True):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, A) for A in arrays)


def test_causal_of_one_head_refers_to_keys_of_cross_attention(integers):
    X, X_KV, W = integers(2, 3), integers(4, 3), integers(3, 3)
    O = self_attention(X, W, W, W, X_KV=X_KV, causal="lower_right")
    assert np.array_equal(O, self_attention(X, W, W, W, causal_mask(2, 4, "lower_right"), X_KV=X_KV))
