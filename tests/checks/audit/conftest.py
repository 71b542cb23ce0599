"""A subject that needs no worker, and results as tasks return them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attn_verify.checks.audit.subject import Subject, options_of
from attn_verify.spec import AttentionSpec

SOURCE = '''"""A textbook."""

import numpy as np


def attention(Q, K, V{more}):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
'''


@pytest.fixture
def make_subject(tmp_path: Path) -> Any:
    """Return a function that binds ``attention(Q, K, V, …)`` without running it."""

    def make(*spec: str, parameters: tuple[str, ...] = ("Q", "K", "V"), budget: float = 3.0) -> Subject:
        path = tmp_path / "textbook.py"
        path.write_text(SOURCE.format(more="".join(f", {name}" for name in parameters[3:])), "utf-8")
        options = options_of(
            f"{path}::attention", AttentionSpec.of(*spec), sizes=None, roles=None, layout=None, returns=None,
            dtypes=("float64", "float32"), budget=budget, seconds=5.0, seed=0,
        )  # fmt: skip
        described = {
            "qualname": "attention",
            "file": str(path),
            "parameters": [
                {"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in parameters
            ],
        }
        convention = {"layout": "nd", "weights": "none", "widths": "free", "mask": "nm", "returned": []}
        return Subject.from_dict(
            {
                "options": options.to_dict(),
                "description": described,
                "conventions": [convention],
                "near": True,
                "source": path.read_text("utf-8"),
                "sizes": [{"n": 2, "m": 3, "d_k": 2, "d_v": 1}],
            }
        )

    return make


def _record(claim: str, **changes: Any) -> dict[str, Any]:
    """Return the record of a group in which everything was right."""
    return {
        "claim": claim, "inputs": 4, "entries": 8, "largest_ulp": 1.5,
        "bounds": {"float64/fine": [0.25, 8]}, "kinds": {"ties": 4}, "failed": 0, "raised": 0,
        "failures": [], "lost": {},
        "empty_rows": [], **changes,
    }  # fmt: skip


def _result(*records: dict[str, Any], dtype: str = "float64", **more: Any) -> dict[str, Any]:
    """Return the result of a task with one group."""
    group = {"sizes": {"n": 8, "m": 9, "d_k": 2, "d_v": 1}, "mask": None, "mask_name": "none", "dtype": dtype}
    records_by_claim = {item["claim"]: item for item in records}
    return {"name": "floats 1", "groups": [{"group": group, "records": records_by_claim, "left": 0}], **more}


@pytest.fixture
def record() -> Any:
    """Return a function that makes the record of a claim."""
    return _record


@pytest.fixture
def result() -> Any:
    """Return a function that makes the result of a task."""
    return _result
