"""Run the zoo in floats: ordinary inputs for a file, its arguments, and the reference for them."""

from __future__ import annotations

import importlib.util
import inspect
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from zoo import Entry

from attn_verify.arithmetic.ball import BALL, precision
from attn_verify.arithmetic.number_system import scale_value
from attn_verify.numeric import attention, attention_grad, multihead, self_attention, self_attention_grad
from attn_verify.numeric.weights import merge_heads
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec

SEED = 20
ROLES = {
    "Q": ("q", "query"), "K": ("k", "key"), "V": ("v", "value"), "mask": ("mask", "attn_mask"),
    "X": ("x",), "X_KV": ("x_kv",), "W_Q": ("w_q", "wq"), "W_K": ("w_k", "wk"), "W_V": ("w_v", "wv"),
    "W_O": ("w_o", "wo"),
    "heads": ("num_heads", "n_heads", "heads"), "dO": ("do",),
}  # fmt: skip
SINGLE = ((3, 4, 3, 2), (1, 1, 1, 1), (4, 3, 2, 3), (2, 5, 4, 1), (1, 7, 3, 2), (6, 6, 5, 2))
MULTI = ((3, 3, 2, 5, 2), (1, 2, 1, 3, 3), (4, 1, 2, 4, 2))
BATCH = {"nd": (), "bnd": (2,), "bhnd": (2, 3), "bnhd": (2, 3)}


@dataclass(frozen=True)
class Case:
    """Canonical inputs of one call: arrays by role (weights stacked, batch axes in front) and the mask."""

    arrays: Mapping[str, Any]
    mask: Any
    heads: int

    def times(self, factor: float, *roles: str) -> Case:
        """Return the case with some arrays multiplied."""
        return replace(self, arrays={k: a * factor if k in roles else a for k, a in self.arrays.items()})


def load(entry: Entry) -> Callable[..., Any]:
    """Import the file anew and return its function."""
    name = "zoo_" + entry.name.replace("/", "_")
    specification = importlib.util.spec_from_file_location(name, entry.path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    path = list(sys.path)
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return getattr(module, entry.function)


@lru_cache
def roles(entry: Entry) -> tuple[tuple[str, str, bool], ...]:
    """Return parameter, role and whether it has a default, for the parameters that have a role."""
    tree = inspect.signature(load(entry)) if not entry.isolate else _signature_from_text(entry)
    known = {name: role for role, names in ROLES.items() for name in names}
    found = []
    for parameter in tree.parameters.values():
        role = entry.roles.get(parameter.name) or known.get(parameter.name.lower())
        optional = parameter.default is not parameter.empty
        if role is not None:
            found.append((parameter.name, role, optional))
        elif not optional:
            raise ValueError(f"{entry.name}: nothing says what {parameter.name} is")
    return tuple(found)


def _signature_from_text(entry: Entry) -> inspect.Signature:
    """The signature of a function that must not be imported here: such files take Q, K, V."""
    assert f"def {entry.function}(Q, K, V):" in entry.path.read_text("utf-8"), entry.name
    return inspect.signature(lambda Q, K, V: None)


def spec(entry: Entry) -> AttentionSpec:
    """The conventions of the header."""
    return AttentionSpec.of(*entry.spec)


def cases(entry: Entry, sizes: Mapping[str, int] | None = None, draws: int = 4) -> Iterator[Case]:
    """Yield ordinary inputs at several sizes, with and without masks; every query sees a key."""
    generator = np.random.default_rng(SEED)
    found = _sizes(entry)[:1] if sizes else _sizes(entry)
    for size in [Sizes(**{**s, **(sizes or entry.sizes)}) for s in found]:
        if spec(entry).causal == "lower_right" and size.keys < size.n:
            continue
        for draw in range(draws if any(role == "mask" for _, role, _ in roles(entry)) else 2):
            arrays = {k: _drawn(entry, generator, k, shape) for k, shape in input_shapes(size).items()}
            if "dO" in {role for _, role, _ in roles(entry)}:
                arrays["dO"] = generator.standard_normal((size.n, size.d_v))
            mask = _mask(entry, generator, size, draw)
            yield Case(arrays, mask, size.heads)


def _sizes(entry: Entry) -> list[dict[str, int]]:
    names = {role for _, role, _ in roles(entry)}
    if "X" not in names:
        return [dict(zip(("n", "m", "d_k", "d_v"), s, strict=True)) for s in SINGLE]
    keys = ("n", "heads", "d_k", "d_model", "d_v")
    found = [dict(zip(keys, s, strict=True)) for s in MULTI]
    return [s | ({"d_out": s["d_model"]} if "W_O" in names else {"heads": 1}) for s in found]


def _drawn(entry: Entry, generator: np.random.Generator, role: str, shape: tuple[int, ...]) -> Any:
    if role.startswith("W_"):
        return generator.standard_normal(shape if entry.weights or role == "W_O" else shape[1:])
    return generator.standard_normal(BATCH[entry.layout or "nd"] + shape[-2:])


def _mask(entry: Entry, generator: np.random.Generator, size: Sizes, draw: int) -> Any:
    named = {role: optional for _, role, optional in roles(entry)}
    if "mask" not in named or (named["mask"] and draw == 0):
        return None
    mask = generator.random((size.n, size.keys)) < (1.0 if draw > 1 else 0.5)
    if draw == 3 and size.keys > 1:
        mask[-1, -1] = False
    offset = {"none": size.keys, "lower_right": size.keys - size.n, "upper_left": 0}[spec(entry).causal]
    for i in np.flatnonzero(~mask.any(axis=1) | (offset < size.keys)):
        mask[i, generator.integers(0, min(size.keys, i + offset + 1))] = True
    return mask if spec(entry).mask_true == "attends" else ~mask


def call(entry: Entry, function: Callable[..., Any], case: Case) -> dict[str, Any]:
    """Call the function and return its results by name, in canonical layout."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return canonical(entry, function(*arguments(entry, case)))


def call_isolated(entry: Entry, given: list[Case]) -> list[dict[str, Any]]:
    """Call the function for each case in one process of its own."""
    sent = pickle.dumps((str(entry.path), entry.function, [arguments(entry, case) for case in given]))
    script = str(Path(__file__).with_name("isolated.py"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTN_VERIFY")}
    done = subprocess.run(
        [sys.executable, script], input=sent, env=environment, capture_output=True, timeout=60, check=True
    )
    return [canonical(entry, result) for result in pickle.loads(done.stdout)]


def arguments(entry: Entry, case: Case) -> list[Any]:
    """Return fresh copies of the inputs in the layouts that the function takes."""
    found: list[Any] = []
    for _, role, _ in roles(entry):
        if role == "mask":
            found.append(None if case.mask is None else case.mask.copy())
        elif role == "heads":
            found.append(case.heads)
        elif role in ("W_Q", "W_K", "W_V") and entry.weights is not None:
            array = case.arrays[role]
            found.append(
                {"list": lambda a: list(a.copy()), "stacked": np.copy, "fused": merge_heads}[entry.weights](array)
            )
        else:
            array = case.arrays[role]
            found.append((array.swapaxes(1, 2) if entry.layout == "bnhd" else array).copy())
    return found


def canonical(entry: Entry, result: Any) -> dict[str, Any]:
    """Name the members of a result; heads go in front of tokens."""
    names = entry.returns or (("result",) if not isinstance(result, tuple) else ())
    members = result if isinstance(result, tuple) else (result,)
    assert len(names) == len(members), f"{entry.name} returns {len(members)} arrays"
    found = {name: np.asarray(member) for name, member in zip(names, members, strict=True)}
    return {k: a.swapaxes(1, 2) if entry.layout == "bnhd" else a for k, a in found.items()}


def reference(entry: Entry, case: Case) -> dict[str, Any]:
    """What the numeric half of the package computes for a case."""
    conventions = spec(entry)
    options = {"causal": conventions.causal, "mask_true": conventions.mask_true}
    if conventions.empty_row != "any":
        options["empty_row"] = conventions.empty_row
    A = case.arrays
    if "W_O" in {role for _, role, _ in roles(entry)}:
        weights = [A[name].reshape(-1, *A[name].shape[-2:]) for name in ("W_Q", "W_K", "W_V")]
        return {"result": multihead(A["X"], *weights, A["W_O"], case.mask, X_KV=A.get("X_KV"), **options)}
    if "X" in A and "dO" in A:
        gradient = self_attention_grad(A["X"], A["W_Q"], A["W_K"], A["W_V"], A["dO"], case.mask, **options)
        return gradient._asdict()
    if "X" in A:
        return {
            "result": self_attention(A["X"], A["W_Q"], A["W_K"], A["W_V"], case.mask, X_KV=A.get("X_KV"), **options)
        }
    Q, K, V = A["Q"], A["K"], A["V"]
    sizes = {"n": Q.shape[-2], "m": K.shape[-2], "d_k": Q.shape[-1], "d_v": V.shape[-1]}
    with precision():
        options["scale"] = float(scale_value(conventions.scale_node(), Sizes(**sizes), BALL).mid())
    if "dO" in A:
        return attention_grad(Q, K, V, A["dO"], case.mask, **options)._asdict()
    O, P = attention(Q, K, V, case.mask, return_weights=True, **options)
    return {"result": O, "O": O, "P": P}


def distance(entry: Entry, found: Mapping[str, Any], case: Case) -> float:
    """The largest error of an entry, relative to the largest value; ``inf`` for a wrong shape or no number."""
    expected, worst = reference(entry, case), 0.0
    for name, array in found.items():
        right = expected[name]
        if array.shape != right.shape or array.dtype.kind != "f":
            return np.inf
        size = max(1.0, *(float(np.abs(a).max()) for role, a in case.arrays.items() if role in ("V", "X", "dO")))
        same = (array == right) | (np.isnan(array) & np.isnan(right))
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.where(same, 0.0, np.abs(array - right))
        worst = max(worst, float(np.where(np.isfinite(error), error, np.inf).max()) / size)
    return worst
