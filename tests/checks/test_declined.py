"""Masks that a target declines by a statement of its own are left out of the scope; where it fails is not."""

from pathlib import Path

import pytest

from attn_verify.checks.prove import prove

CODE = """
import numpy as np

def attention(Q, K, V, mask=None, causal=False):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None and causal:
        {decline}
    if causal:
        S = np.where(np.tri(*S.shape[-2:]), S, -np.inf)
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    return P / P.sum(axis=-1, keepdims=True) @ V
"""
SIZES = {"n": 2, "m": 2, "d_k": 1, "d_v": 1}


@pytest.mark.parametrize(
    ("decline", "error"),
    [("raise ValueError('either of them')", "ValueError"), ("assert not causal", "AssertionError")],
)
def test_a_mask_that_is_declined_is_not_covered(tmp_path: Path, decline: str, error: str) -> None:
    path = tmp_path / "code.py"
    path.write_text(CODE.format(decline=decline))
    found = prove(f"{path}::attention", "causal=upper_left", sizes=SIZES, layout="nd")
    assert found.status.name == "PROVED", found.evidence
    assert found.scope["masks"][:1] == ["no mask"]
    assert any(f"a mask: {error} at code.py:7" in text for text in found.scope["not_covered"])


def test_an_operation_that_fails_is_no_way_to_decline(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(CODE.format(decline="S = S + np.ones((7, 9))"))
    assert prove(f"{path}::attention", "causal=upper_left", sizes=SIZES, layout="nd").status.name == "REFUTED"


def test_a_mask_that_must_be_given_cannot_be_declined(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(CODE.format(decline="raise ValueError").replace("mask=None, causal=False", "mask, causal=True"))
    with pytest.raises(Exception, match="ValueError"):
        prove(f"{path}::attention", "causal=upper_left", sizes=SIZES, layout="nd")
