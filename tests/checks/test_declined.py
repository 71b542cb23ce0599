"""Sizes and masks that a target declines by a statement of its own are left out of the scope; where it fails is not."""

from pathlib import Path

import pytest

from attn_verify.checks import conventions
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


SOME = (
    CODE.replace("mask=None, causal=False", "mask=None")
    .replace("    if causal:\n        S = np.where(np.tri(*S.shape[-2:]), S, -np.inf)\n", "")
    .replace("mask is not None and causal", "mask is not None and not np.all(mask[-1])")
)


def test_masks_that_are_taken_are_judged_beside_some_that_are_declined(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(SOME.format(decline="raise ValueError('the last query has to see every key')"))
    found = prove(f"{path}::attention", sizes=SIZES, layout="nd")
    assert found.status.name == "PROVED", found.evidence
    assert found.scope["masks"][1] == "n=2, m=2: all 9 masks that leave every query a key; 6 of them are declined"
    declined = [text for text in found.scope["not_covered"] if "ValueError" in text]
    assert len(declined) == 1
    assert "a mask (11/10, 11/01, 10/10, 10/01, 01/10, 01/01): ValueError at code.py:" in declined[0]


def test_a_mask_that_is_taken_and_wrong_refutes_beside_one_that_is_declined(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(
        SOME.format(decline="raise ValueError").replace("np.where(mask, S, -np.inf)", "np.where(mask, S, 0)")
    )
    assert prove(f"{path}::attention", sizes=SIZES, layout="nd").status.name == "REFUTED"


SIZED = """
import numpy as np

def _fail():
    raise ValueError("it does not fit")

def attention(Q, K, V, mask=None):
    {check}
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    return P / P.sum(axis=-1, keepdims=True) @ V
"""


@pytest.mark.parametrize(
    "check",
    [
        "if len(Q) != len(K): raise ValueError('as many keys as queries')",
        "assert len(Q) == len(K)",
        "if len(Q) % 2 or len(K) % 2:\n        raise ValueError(\n            'blocks of two'\n        )",
    ],
)
def test_sizes_that_are_declined_are_not_covered(tmp_path: Path, check: str) -> None:
    path = tmp_path / "code.py"
    path.write_text(SIZED.format(check=check))
    found = prove(f"{path}::attention", layout="nd")
    assert found.status.name == "PROVED", found.evidence
    assert any(text.startswith("n=2, m=1, d_k=3, d_v=2: ") for text in found.scope["not_covered"])
    assert not any("n=2, m=1" in text for text in (*found.scope["sizes"], *found.scope["masks"]))
    assert ("n=3, m=3, d_k=2, d_v=4 (20 masks)" in found.scope["sizes"]) == ("% 2" not in check)


@pytest.mark.parametrize(
    "check",
    [
        "np.zeros(len(Q)) + np.zeros(len(K))",  # an operation fails
        "try: np.zeros(len(Q)) + np.zeros(len(K))\n    except ValueError: raise RuntimeError from None",
        "try: np.zeros(len(Q)) + np.zeros(len(K))\n    except ValueError: _fail()",
        "assert (np.zeros(len(Q)) + np.zeros(len(K)) == 0).all()",
    ],
)
def test_sizes_at_which_it_fails_refute(tmp_path: Path, check: str) -> None:
    path = tmp_path / "code.py"
    path.write_text(SIZED.format(check=check))
    assert prove(f"{path}::attention", layout="nd").status.name == "REFUTED"


def test_what_is_declined_for_some_numbers_is_not_declined(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(SIZED.format(check="if len(Q) != 2 and Q[0, 0] < 2: raise ValueError"))
    assert prove(f"{path}::attention", layout="nd").status.name in ("REFUTED", "UNDECIDED")


def test_a_question_about_numbers_before_it_declines_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    check = "if Q[0, 0] > 5: print('large')\n    if len(Q) != len(K): raise ValueError('as many keys as queries')"
    path.write_text(SIZED.format(check=check))
    found = prove(f"{path}::attention", layout="nd")
    assert found.status.name == "PROVED", found.evidence
    assert any(text.startswith("n=2, m=1, d_k=3, d_v=2: ") for text in found.scope["not_covered"])


SELF = """
import numpy as np

def attention(Q, K, V, mask=None):
    if Q.shape != K.shape:
        raise ValueError("as many keys as queries")
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if S.ndim == 3:
        {batched}
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    return P / P.sum(axis=-1, keepdims=True) @ V
"""


def test_every_layout_that_is_told_was_judged_where_sizes_are_alike(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(SELF.format(batched="pass"))
    found = prove(f"{path}::attention")
    assert found.status.name == "PROVED", found.evidence
    assert any("layout (b, n, d)" in text for text in found.scope["conventions"])
    assert any(text.startswith("n=3, m=3, d_k=2, d_v=4, batch=") for text in found.scope["sizes"])
    path.write_text(SELF.format(batched="S = np.clip(S, -20, 20)"))
    assert prove(f"{path}::attention").status.name != "PROVED"


def test_a_layout_of_which_every_case_was_declined_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conventions, "_ALIKE", 1)  # no batch as long as there are queries, which it takes
    path = tmp_path / "code.py"
    path.write_text(SELF.format(batched="assert Q.shape == (2, 2, 2)"))
    found = prove(f"{path}::attention")
    assert found.status.name == "PROVED", found.evidence
    assert not any("layout (b, n, d)" in text for text in found.scope["conventions"])
    assert any(text.startswith("layout (b, n, d)") and "judged" in text for text in found.scope["not_covered"])
