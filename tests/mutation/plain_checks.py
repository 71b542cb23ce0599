"""What an ordinary test says about a file of the zoo: one standard-normal input, compared with default tolerances."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import floats
import numpy as np
import zoo

# One square shape: as many queries as keys, all widths alike.
SIDE = 8
# Seconds for one call in a process of its own.
_SECONDS = 30.0
# The documented defaults of torch.testing.assert_close: dtype, rtol, atol; for use where PyTorch is not installed.
_CLOSE = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


@dataclass(frozen=True)
class Plain:
    """Whether the two comparisons reject a file."""

    allclose: bool
    close: bool


def with_torch() -> bool:
    """Whether PyTorch's own comparison is used."""
    try:
        import torch.testing  # noqa: F401
    except ImportError:
        return False
    return True


def case_of(entry: zoo.Entry) -> floats.Case:
    """The one input: standard-normal, square where the header leaves the sizes free, with a mask if there is one."""
    roles = {role for _, role, _ in floats.roles(entry)}
    sizes = dict.fromkeys(("n", "d_k", "d_v"), SIDE) | ({"d_model": 2 * SIDE} if "X" in roles else {"m": SIDE})
    if "X_KV" in roles:
        sizes["m"] = SIDE
    if "W_O" in roles:
        sizes |= {"heads": 2, "d_out": 2 * SIDE}
    # The first draw leaves an optional mask out, the second has one.
    return list(floats.cases(entry, sizes | dict(entry.sizes), draws=2))[1]


def judge(entry: zoo.Entry, path: Path) -> Plain:
    """Compare the function in ``path`` (a changed copy of the entry's file) with the reference."""
    case = case_of(entry)
    try:
        found = _called(entry, path, case)
    except (subprocess.SubprocessError, AssertionError, ValueError, TypeError, pickle.UnpicklingError, EOFError):
        # It raises, hangs, or returns no array: any test would notice.
        return Plain(allclose=True, close=True)
    expected = floats.reference(entry, case)
    return Plain(allclose=rejected_by_allclose(found, expected), close=rejected_by_assert_close(found, expected))


def _called(entry: zoo.Entry, path: Path, case: floats.Case) -> Mapping[str, Any]:
    sent = pickle.dumps((str(path), entry.function, [floats.arguments(entry, case)]))
    script = Path(floats.__file__).with_name("isolated.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=sent, capture_output=True, timeout=_SECONDS, check=True, cwd=path.parent
    )
    return floats.canonical(entry, pickle.loads(done.stdout)[0])


def rejected_by_allclose(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether ``numpy.testing.assert_allclose`` with its defaults (rtol = 1e-7, atol = 0) rejects a result."""
    for name, array in found.items():
        try:
            np.testing.assert_allclose(array, expected[name])
        except (AssertionError, TypeError):
            return True
    return False


def rejected_by_assert_close(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether ``torch.testing.assert_close`` with its defaults rejects a result; by its formula if it is not there."""
    return any(_not_close(np.asarray(array), np.asarray(expected[name])) for name, array in found.items())


def _not_close(array: Any, right: Any) -> bool:
    if with_torch():
        import torch

        try:
            torch.testing.assert_close(torch.as_tensor(array.copy()), torch.as_tensor(right.copy()))
        except (AssertionError, TypeError):
            return True
        return False
    return not by_formula(array, right)


def by_formula(array: Any, right: Any) -> bool:
    """The documented condition of ``assert_close``.

    Shapes and dtypes are equal, and |actual − expected| ≤ atol + rtol |expected|; infinities are close if they are
    equal, NaN is close to nothing.
    """
    if array.shape != right.shape or array.dtype != right.dtype or array.dtype.name not in _CLOSE:
        return False
    rtol, atol = _CLOSE[array.dtype.name]
    return bool(np.isclose(array, right, rtol=rtol, atol=atol).all())
