"""Which query may attend to which key."""

from __future__ import annotations

import numpy as np

from attn_verify.numeric.inputs import BoolArray, Causal, Conventions, choice
from attn_verify.shapes import positive_size


def causal_mask(n: int, m: int, alignment: Causal) -> BoolArray:
    """Return the mask that keeps n queries from looking ahead in m keys; true means may attend.

    Equation: query i attends to key j (both from 0) where ``j ≤ i + m − n`` (``lower_right``: the last query
    sees every key), ``j ≤ i`` (``upper_left``: the first query sees the first key only), or always (``none``).

    Arguments: ``n`` queries, ``m`` keys, ``alignment`` as above.  The two alignments agree where ``n = m``.

    Returns: a boolean array ``(n, m)``.

    Raises: ``SizeError`` where a size is not a whole number from 1; ``SpecError`` for an unknown alignment.

    Source: Vaswani et al. 2017, section 3.2.3, which has ``n = m``.

    >>> causal_mask(2, 3, "lower_right").astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    >>> causal_mask(2, 3, "upper_left").astype(int)
    array([[1, 0, 0],
           [1, 1, 0]])
    """
    choice("causal_mask: n, m, alignment -> (n,m)", "alignment", alignment)
    n, m = positive_size("n", n), positive_size("m", m)
    offset = {"none": m - 1, "lower_right": m - n, "upper_left": 0}[alignment]
    return np.tri(n, m, offset, dtype=np.bool_)


def attended(n: int, m: int, mask: BoolArray | None, rules: Conventions) -> BoolArray:
    """Join the causal mask and ``mask`` (…, n|1, m|1) to one (…, n, m) in which true means may attend."""
    attends = causal_mask(n, m, rules.causal)
    if mask is None:
        return attends
    return attends & (mask if rules.mask_true == "attends" else ~mask)


def counted(attends: BoolArray, rules: Conventions) -> BoolArray:
    """Mark the terms of ``O = P V`` that exist: the attended ones, and in an empty row those of its convention."""
    if rules.empty_row == "zero":
        return attends
    return attends | ~attends.any(axis=-1, keepdims=True)
