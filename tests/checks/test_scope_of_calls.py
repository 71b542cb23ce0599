"""What a proof says of calls: how arguments are given, what is handled, how a mask is left out, what is returned."""

from pathlib import Path

import pytest

from attn_verify.checks.prove import prove
from attn_verify.checks.verdict import Verdict
from attn_verify.errors import TargetError

HEAD = """
import functools
import numpy as np

def formula(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E / E.sum(axis=1, keepdims=True) @ V

def passed_on(f):
    @functools.wraps(f)
    def inner(*args, **named):
        return f(*args, **named) + BONUS
    return inner
"""
SIZES = {"n": 2, "m": 2, "d_k": 1, "d_v": 1}


def verdict(path: Path, body: str, bonus: str = "0") -> Verdict:
    path.write_text(HEAD.replace("BONUS", bonus) + body)
    return prove(f"{path}::attention", sizes=SIZES, layout="nd")


DECORATED = "\n@passed_on\ndef attention(Q, K, V): return formula(Q, K, V)\n"


def test_a_decorator_is_given_arguments_by_position(tmp_path: Path) -> None:
    found = verdict(tmp_path / "code.py", DECORATED)
    assert found.status.name == "PROVED", found.evidence
    assert "by position: Q, K, V" in found.scope["roles"]
    assert verdict(tmp_path / "other.py", DECORATED, "(len(args) > 0)").status.name == "REFUTED"


def test_a_function_that_cannot_tell_is_not_asked(tmp_path: Path) -> None:
    found = verdict(tmp_path / "code.py", "\ndef attention(Q, K, V): return formula(Q, K, V)\n")
    assert found.scope["roles"] == ["Q, K, V"]


def test_handlers_of_errors_of_floats_are_assumptions(tmp_path: Path) -> None:
    body = """
def attention(Q, K, V):
    try:
        O = formula(Q, K, V)
    except FloatingPointError:
        O = formula(Q / 2, K, V)
    return O
"""
    found = verdict(tmp_path / "code.py", body)
    assert found.status.name == "PROVED", found.evidence
    assert [(a["kind"], "handles FloatingPointError" in a["text"]) for a in found.assumptions] == [
        ("float_error", True)
    ]


def test_a_handler_that_runs_is_none(tmp_path: Path) -> None:
    body = """
def attention(Q, K, V):
    try:
        1 // 0
    except ZeroDivisionError:
        return formula(Q, K, V)
"""
    found = verdict(tmp_path / "code.py", body)
    assert found.status.name == "PROVED", found.evidence
    assert not found.assumptions


def test_leaving_out_a_mask_is_not_giving_none(tmp_path: Path) -> None:
    body = """
def attention(Q, K, V, mask=False):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf) if mask is not False else Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    return E / E.sum(axis=1, keepdims=True) @ V
"""
    assert "mask left out" in verdict(tmp_path / "code.py", body).scope["masks"]
    assert "no mask" in verdict(tmp_path / "other.py", body.replace("mask=False", "mask=None").replace(
        "is not False", "is not None")).scope["masks"]  # fmt: skip


@pytest.mark.parametrize("member", ["def __getitem__(self, key): return 1", "def values(self): return [1]"])
def test_a_dictionary_that_answers_itself_is_not_read(tmp_path: Path, member: str) -> None:
    body = f"""
class Result(dict):
    {member}

def attention(Q, K, V): return Result(O=formula(Q, K, V))
"""
    with pytest.raises(TargetError, match="of its own"):
        verdict(tmp_path / "code.py", body)


def test_a_dictionary_with_attributes_is_read(tmp_path: Path) -> None:
    body = """
class Result(dict):
    __getattr__ = dict.__getitem__

def attention(Q, K, V): return Result(O=formula(Q, K, V))
"""
    assert verdict(tmp_path / "code.py", body).status.name == "PROVED"
