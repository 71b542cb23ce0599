"""What the caller reads when a call does not fit: literal texts, and calls that just do fit."""

import numpy as np
import pytest

from attn_verify.errors import AttnVerifyError, ShapeError, SizeError, SpecError
from attn_verify.numeric import (
    attention,
    attention_grad,
    merge_heads,
    multihead,
    multihead_grad,
    self_attention,
    self_attention_grad,
    split_heads,
)

ATTENTION = "attention: (n,d_k),(m,d_k),(m,d_v),(n|1,m|1)->(n,d_v)"
MULTIHEAD = "multihead: (n,d_model),(h,d_model,d_k),(h,d_model,d_k),(h,d_model,d_v),(h·d_v,d_out),(n|1,n|1)->(n,d_out)"
FUSED = "multihead: (n,d_model),(d_model,h·d_k),(d_model,h·d_k),(d_model,h·d_v),(h·d_v,d_out),(n|1,n|1)->(n,d_out)"


def zeros(*shape):
    return np.zeros(shape)


def message(kind, call, *arguments, **keywords):
    with pytest.raises(AttnVerifyError) as error:
        call(*arguments, **keywords)
    assert type(error.value) is kind
    return str(error.value)


def lines(first, *others):
    return "\n  ".join((first, *others))


QKV = (zeros(2, 3), zeros(4, 3), zeros(4, 2))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            (zeros(2, 3), zeros(4, 2), zeros(4, 2)),
            ["got Q (2, 3), K (4, 2), V (4, 2)", "d_k = 3 from Q, but K has d_k = 2", "did you mean K with 3 columns?"],
        ),
        (
            (zeros(2, 3), zeros(4, 3), zeros(5, 2)),
            ["got Q (2, 3), K (4, 3), V (5, 2)", "m = 4 from K, but V has m = 5", "did you mean V with 4 rows?"],
        ),
        (
            (zeros(2, 3), zeros(3, 4), zeros(4, 2)),
            [
                "got Q (2, 3), K (3, 4), V (4, 2)",
                "d_k = 3 from Q, but K has d_k = 4",
                "did you mean the transpose of K?",
            ],
        ),
        (
            (zeros(3), zeros(4, 3), zeros(4, 2)),
            ["got Q (3,), K (4, 3), V (4, 2)", "Q has 1 axis, needs (n,d_k)", "did you mean Q with 2 axes?"],
        ),
        (
            (zeros(0, 3), zeros(4, 3), zeros(4, 2)),
            ["got Q (0, 3), K (4, 3), V (4, 2)", "Q has n = 0", "give Q at least 1 along n"],
        ),
        (
            (zeros(2, 3), zeros(0, 3), zeros(0, 2)),
            ["got Q (2, 3), K (0, 3), V (0, 2)", "K has m = 0", "give K at least 1 along m"],
        ),
        (
            (zeros(5, 2, 3), zeros(6, 4, 3), zeros(4, 2)),
            [
                "got Q (5, 2, 3), K (6, 4, 3), V (4, 2)",
                "batch axes (5,) so far, but K has (6,)",
                "make the batch axes of K equal to (5,), or 1 where they should broadcast",
            ],
        ),
        (
            (*QKV, np.ones((4, 2), bool)),
            [
                "got Q (2, 3), K (4, 3), V (4, 2), mask (4, 2)",
                "n = 2 from Q, but mask has n = 4",
                "did you mean the transpose of mask?",
            ],
        ),
        (
            ([[1, 2], [1]], zeros(4, 3), zeros(4, 2)),
            ["got Q = [[1, 2], [1]]", "Q is ragged: its rows have unequal lengths", "give Q rows of equal length"],
        ),
    ],
)
def test_shapes(arguments, expected):
    assert message(ShapeError, attention, *arguments) == lines(ATTENTION, *expected)


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        (
            {"causal": True},
            [
                "got causal = True (bool)",
                "causal has no such value",
                "give causal = 'none' or 'lower_right' or 'upper_left'",
            ],
        ),
        (
            {"mask_true": "keep"},
            [
                "got mask_true = 'keep' (str)",
                "mask_true has no such value",
                "give mask_true = 'attends' or 'masked'",
            ],
        ),
        (
            {"empty_row": np.zeros(3)},
            [
                "got empty_row = array([0., 0., 0.]) (ndarray)",
                "empty_row has no such value",
                "give empty_row = 'zero' or 'nan' or 'mean'",
            ],
        ),
        (
            {"scale": "1/sqrt(d_k)"},
            [
                "got scale = '1/sqrt(d_k)' (str)",
                "scale is a finite real number",
                "give a number, or None for 1/sqrt(d_k)",
            ],
        ),
        (
            {"scale": float("inf")},
            ["got scale = inf (float)", "scale is a finite real number", "give a number, or None for 1/sqrt(d_k)"],
        ),
        (
            {"scale": True},
            ["got scale = True (bool)", "scale is a finite real number", "give a number, or None for 1/sqrt(d_k)"],
        ),
        (
            {"mask": np.zeros((2, 4))},
            [
                "got mask with dtype float64",
                "a mask is boolean",
                "give mask != 0 for a mask of zeros and ones, mask == 0 for one of zeros and -inf",
            ],
        ),
    ],
)
def test_keywords(keywords, expected):
    assert message(SpecError, attention, *QKV, **keywords) == lines(ATTENTION, *expected)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, object, "U3", "M8[s]"])
def test_number_types(dtype):
    K = np.zeros((4, 3)).astype(dtype)
    assert message(SpecError, attention, QKV[0], K, QKV[2]) == lines(
        ATTENTION,
        f"got K with dtype {np.dtype(dtype) if dtype != 'U3' else '<U3'}",
        "attention is computed in real floating-point numbers",
        "give K as float16, float32, float64 or integers",
    )


@pytest.mark.parametrize("scale", [np.float32(0.5), np.int64(2), 2, 0, -1.5])
def test_scales_that_fit(scale):
    attention(*QKV, scale=scale)


@pytest.mark.parametrize("call", [self_attention, multihead, attention_grad, self_attention_grad, multihead_grad])
@pytest.mark.parametrize("keyword", [{"causal": "x"}, {"mask_true": "x"}, {"empty_row": "x"}, {"scale": "x"}])
def test_every_operation_checks_its_keywords(call, keyword):
    arguments = {
        self_attention: 4,
        multihead: 5,
        attention_grad: 4,
        self_attention_grad: 5,
        multihead_grad: 6,
    }[call]
    one = np.ones((1, 1))
    lists = {"heads": 1} if call in (multihead, multihead_grad) else {}
    call(*[one] * arguments, **lists)
    text = message(SpecError, call, *[one] * arguments, **lists, **keyword)
    assert text.startswith(f"{call.__name__}: (n,d")
    assert f"got {next(iter(keyword))} = 'x' (str)" in text


def test_cross_attention_names_its_own_embeddings():
    text = message(ShapeError, self_attention, zeros(2, 3), zeros(3, 2), zeros(3, 2), zeros(3, 2), X_KV=zeros(5, 4))
    assert text == lines(
        "self_attention: (n,d_model),(m,d_model),(d_model,d_k),(d_model,d_k),(d_model,d_v),(n|1,m|1)->(n,d_v)",
        "got X (2, 3), X_KV (5, 4), W_Q (3, 2), W_K (3, 2), W_V (3, 2)",
        "d_model = 3 from X, but X_KV has d_model = 4",
        "did you mean X_KV with 3 columns?",
    )


def test_upstream_gradients_do_not_bring_batch_axes():
    assert message(ShapeError, attention_grad, *QKV, zeros(5, 2, 2)) == lines(
        "attention_grad: (n,d_k),(m,d_k),(m,d_v),(n,d_v),(n|1,m|1)->(n,d_k),(m,d_k),(m,d_v)",
        "got Q (2, 3), K (4, 3), V (4, 2), dO (5, 2, 2)",
        "the result has batch axes (), but dO brings (5,)",
        "give dO the shape of the result",
    )
    W = zeros(1, 3, 3)
    assert message(ShapeError, multihead_grad, zeros(2, 3), W, W, W, zeros(3, 3), zeros(5, 2, 3)) == lines(
        "multihead_grad: (n,d_model),(h,d_model,d_k),(h,d_model,d_k),(h,d_model,d_v),(h·d_v,d_out),(n,d_out),(n|1,n|1)"
        "->(n,d_model),(h,d_model,d_k),(h,d_model,d_k),(h,d_model,d_v),(h·d_v,d_out)",
        "got X (2, 3), W_Q (1, 3, 3), W_K (1, 3, 3), W_V (1, 3, 3), W_O (3, 3), dY (5, 2, 3)",
        "the result has batch axes (), but dY brings (5,)",
        "give dY the shape of the result",
    )


X, STACKED, FUSED_W, W_O = zeros(5, 3), zeros(4, 3, 2), zeros(3, 8), zeros(8, 2)


@pytest.mark.parametrize(
    ("weights", "heads", "expected"),
    [
        (
            (FUSED_W, FUSED_W, FUSED_W, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q (3, 8), W_K (3, 8), W_V (3, 8)",
                "W_Q is one fused matrix, which does not show its number of heads",
                "pass heads, or W_Q as a list of matrices or stacked as (h,d_model,d)",
            ],
        ),
        (
            (FUSED_W, FUSED_W, FUSED_W, W_O),
            3,
            [
                MULTIHEAD,
                "got W_Q (3, 8)",
                "3 heads do not divide the 8 columns of W_Q",
                "give W_Q h·d columns, the columns of head 1 first, or another number of heads",
            ],
        ),
        (
            (FUSED_W, FUSED_W, FUSED_W, zeros(6, 2)),
            4,
            [
                FUSED,
                "got X (5, 3), W_Q (3, 8), W_K (3, 8), W_V (3, 8), W_O (6, 2)",
                "h·d_v = 8 from W_V, but W_O has h·d_v = 6",
                "did you mean W_O with 8 rows?",
            ],
        ),
        (
            (STACKED, STACKED, STACKED, zeros(6, 2)),
            None,
            [
                MULTIHEAD,
                "got X (5, 3), W_Q (4, 3, 2), W_K (4, 3, 2), W_V (4, 3, 2), W_O (6, 2)",
                "h = 4 heads of d_v = 2 make Z 8 columns wide, but W_O has 6 rows",
                "did you mean W_O with 8 rows?",
            ],
        ),
        (
            (STACKED, zeros(2, 3, 2), STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q (4, 3, 2), W_K (2, 3, 2), W_V (4, 3, 2)",
                "h = 4 from W_Q, but W_K has h = 2",
                "did you mean W_K with 4 heads?",
            ],
        ),
        (
            (STACKED, STACKED, STACKED, W_O),
            2,
            [
                MULTIHEAD,
                "got W_Q (4, 3, 2), W_K (4, 3, 2), W_V (4, 3, 2)",
                "heads = 2, but W_Q has h = 4",
                "did you mean W_Q with 2 heads?",
            ],
        ),
        (
            # a contradiction that shows only once both are stacked
            (FUSED_W, zeros(4, 3, 3), STACKED, W_O),
            4,
            [
                MULTIHEAD,
                "got X (5, 3), W_Q (4, 3, 2), W_K (4, 3, 3), W_V (4, 3, 2), W_O (8, 2)",
                "d_k = 2 from W_Q, but W_K has d_k = 3",
                "did you mean W_K with 2 columns?",
            ],
        ),
        (
            ([zeros(3, 2), zeros(3, 1)], STACKED, STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q as a list of 2 matrices",
                "W_Q[0] is (3, 2), but W_Q[1] is (3, 1)",
                "give every head a matrix of the same shape",
            ],
        ),
        (
            (STACKED, [zeros(3, 2), zeros(3)], STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_K as a list of 2 with W_K[1] (3,)",
                "W_K[1] is no matrix: it has 1 axis",
                "give W_K as a list of matrices, one a head; a stacked or fused W_K as an array",
            ],
        ),
        (
            ([[1, 2], [3]], STACKED, STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q = [[1, 2], [3]]",
                "W_Q is ragged: its rows have unequal lengths",
                "give W_Q rows of equal length",
            ],
        ),
        (
            ([], STACKED, STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q as an empty list",
                "a layer has at least one head",
                "give W_Q one matrix a head",
            ],
        ),
        (
            (zeros(3), STACKED, STACKED, W_O),
            None,
            [
                MULTIHEAD,
                "got W_Q (3,)",
                "W_Q has 1 axis",
                "give W_Q as a list of matrices, stacked with 3 axes, or fused with 2",
            ],
        ),
    ],
)
def test_weights_of_heads(weights, heads, expected):
    assert message(ShapeError, multihead, X, *weights, heads=heads) == lines(*expected)


@pytest.mark.parametrize("heads", [0, -1, 2.0, "2", True])
def test_number_of_heads(heads):
    assert "got heads = " in message(SizeError, multihead, X, FUSED_W, FUSED_W, FUSED_W, W_O, heads=heads)


def test_split_and_merge():
    assert message(ShapeError, split_heads, zeros(3, 4), 3) == lines(
        "split_heads: (n,h·d)->(h,n,d)",
        "got A (3, 4)",
        "3 heads do not divide the 4 columns of A",
        "give A h·d columns, the columns of head 1 first, or another number of heads",
    )
    assert message(ShapeError, merge_heads, zeros(3, 4)) == lines(
        "merge_heads: (h,n,d)->(n,h·d)",
        "got A (3, 4)",
        "A has 2 axes, needs (h,n,d)",
        "did you mean A with 3 axes?",
    )
