"""Causal masks, against the inequality that defines them."""

import numpy as np
import pytest

from attn_verify.errors import SizeError, SpecError
from attn_verify.numeric import attention, causal_mask

RULES = {
    "none": lambda i, j, n, m: True,
    "lower_right": lambda i, j, n, m: j <= i + m - n,
    "upper_left": lambda i, j, n, m: j <= i,
}


@pytest.mark.parametrize("alignment", RULES)
@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize("m", range(1, 5))
def test_every_entry_follows_the_inequality(n, m, alignment):
    M = causal_mask(n, m, alignment)
    assert M.dtype == np.bool_
    assert M.tolist() == [[RULES[alignment](i, j, n, m) for j in range(m)] for i in range(n)]


def test_the_alignments_differ_where_n_is_not_m():
    assert causal_mask(3, 3, "lower_right").tolist() == causal_mask(3, 3, "upper_left").tolist()
    assert causal_mask(2, 3, "lower_right").tolist() != causal_mask(2, 3, "upper_left").tolist()


@pytest.mark.parametrize("alignment", ["lower_right", "upper_left"])
@pytest.mark.parametrize(("n", "m"), [(2, 5), (5, 2), (3, 3), (1, 4), (4, 1)])
def test_causal_is_the_same_as_its_mask(integers, alignment, n, m):
    Q, K, V = integers(n, 3), integers(m, 3), integers(m, 2)
    M = causal_mask(n, m, alignment)
    O = attention(Q, K, V, causal=alignment)
    assert np.array_equal(O, attention(Q, K, V, M))
    assert np.array_equal(O, attention(Q, K, V, ~M, mask_true="masked"))


def test_causal_and_mask_must_both_allow():
    mask = np.array([[True, True, False], [False, True, True], [True, True, True]])
    _, P = attention(
        np.zeros((3, 1)), np.zeros((3, 1)), np.zeros((3, 1)), mask, causal="upper_left", return_weights=True
    )
    third = 1 / 3
    assert P.tolist() == [[1, 0, 0], [0, 1, 0], [third, third, third]]


def test_lower_right_leaves_the_first_queries_empty_where_there_are_more_queries_than_keys():
    assert causal_mask(4, 2, "lower_right").any(axis=-1).tolist() == [False, False, True, True]


def test_the_alignment_and_the_sizes_are_checked():
    with pytest.raises(SpecError) as error:
        causal_mask(2, 3, "bottom_right")
    assert str(error.value) == (
        "causal_mask: n, m, alignment -> (n,m)\n"
        "  got alignment = 'bottom_right' (str)\n"
        "  alignment has no such value\n"
        "  give alignment = 'none' or 'lower_right' or 'upper_left'"
    )
    with pytest.raises(SizeError, match="got m = 0"):
        causal_mask(2, 0, "none")
