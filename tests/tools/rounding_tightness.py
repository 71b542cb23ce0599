"""How close rounding comes to the bound of the tightest class: a search for the inputs that do most harm.

    python tests/tools/rounding_tightness.py

Rows of attention are computed in float32 and in float64 in several ways; the worst ones are kept and changed by a few
units in the last place, or in size, generation after generation.  Printed is the largest error in bounds of *fine*
(*log* for weights from a log-sum-exp), the maximum known first.  The best rows are confirmed by balls.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import FloatFormat, Profile, bounds, distances
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

Array = np.ndarray[Any, Any]
Rows = dict[str, Array]
SEED = 7
SPEC = AttentionSpec()


def scores(Q: Array, K: Array) -> Array:
    return Q @ K.mT / np.sqrt(Q.dtype.type(Q.shape[-1]))


def early(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / E.sum(-1, keepdims=True) @ V


def late(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    E = np.exp(S - S.max(-1, keepdims=True))
    return E @ V / E.sum(-1, keepdims=True)


def base_two(Q: Array, K: Array, V: Array) -> Array:
    T = scores(Q, K) * Q.dtype.type(np.log2(np.e))
    E = np.exp2(T - T.max(-1, keepdims=True))
    return E @ V / E.sum(-1, keepdims=True)


def split_scale(Q: Array, K: Array, V: Array) -> Array:
    factor = 1 / np.sqrt(np.sqrt(Q.dtype.type(Q.shape[-1])))
    S = (Q * factor) @ (K * factor).mT
    E = np.exp(S - S.max(-1, keepdims=True))
    return E @ V * (1 / E.sum(-1, keepdims=True))


def log_space(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    top = S.max(-1, keepdims=True)
    return np.exp(S - (top + np.log(np.exp(S - top).sum(-1, keepdims=True)))) @ V


STRUCTURES: dict[str, tuple[Callable[..., Array], str]] = {
    "weights divided before V": (early, "fine"),
    "division after V": (late, "fine"),
    "base 2": (base_two, "fine"),
    "scale split over both sides, reciprocal": (split_scale, "fine"),
    "exp(s - lse)": (log_space, "log"),
}


def fractions(function: Callable[..., Array], rows: Rows, dtype: str, kind: str) -> Array:
    """Return the error in bounds of every row (rows, columns); the exact value in extended precision."""
    sizes = Sizes(n=1, m=rows["K"].shape[-2], d_k=rows["K"].shape[-1], d_v=rows["V"].shape[-1])
    wide = [rows[name].astype(np.longdouble) for name in "QKV"]
    # A product of matrices as a sum: BLAS has no extended precision.
    S = (wide[0] * wide[1]).sum(-1) / np.sqrt(np.longdouble(sizes.d_k))
    E = np.exp(S - S.max(-1, keepdims=True))
    exact = (E[..., None] * wide[2]).sum(-2) / E.sum(-1, keepdims=True)
    with np.errstate(all="ignore"):
        result = function(*(rows[name].astype(dtype) for name in "QKV"))[:, 0]
        inputs = {name: rows[name][:, None] for name in "QKV"}
        bound = bounds(inputs, sizes, SPEC, SPEC.allowed(sizes), Profile.uniform(dtype), kind=kind)[:, 0]
        found = np.abs(result.astype(np.longdouble) - exact).astype(float) / bound
    return np.where(np.isfinite(found), found, 0)


def draw(random: np.random.Generator, count: int, dtype: str) -> Rows:
    """Rows with two or three keys whose large scores are nearly equal, without cancellation, and opposite values."""
    m, d_k = int(random.integers(2, 4)), int(random.integers(2, 5))
    Q = np.abs(random.standard_normal((count, 1, d_k))) * 10.0 ** random.uniform(-1, 2, (count, 1, 1))
    K = np.abs(random.standard_normal((count, 1, d_k))) * (1 + 2.0**-8 * random.standard_normal((count, m, d_k)))
    V = random.choice([-1.0, 1.0], (count, m, 1)) * random.uniform(0.5, 2, (count, m, 1))
    return {name: array.astype(dtype).astype(float) for name, array in {"Q": Q, "K": K, "V": V}.items()}


def mutated(random: np.random.Generator, rows: Rows, dtype: str) -> Rows:
    """Change some entries by a few units in the last place, or more."""
    unit, found = 2 * FloatFormat.of(dtype).unit_roundoff, {}
    for name, array in rows.items():
        size = 2.0 ** random.integers(0, 20, (len(array), 1, 1))
        chosen = random.random(array.shape) < 0.4
        array = array * (1 + chosen * random.standard_normal(array.shape) * unit * size)
        found[name] = array.astype(dtype).astype(float)
    return found


def climb(
    function: Callable[..., Array], kind: str, dtype: str, *, count: int, generations: int, seed: int
) -> tuple[float, Rows]:
    """Return the largest error in bounds that a population of ``count`` rows reaches, and the row."""
    random = np.random.default_rng(seed)
    rows = draw(random, 4 * count, dtype)
    best = fractions(function, rows, dtype, kind).max(-1)
    for _ in range(generations):
        keep = np.argsort(best)[::-1][: count // 4]
        parents = {name: array[keep] for name, array in rows.items()}
        children = mutated(random, {name: np.repeat(array, 4, axis=0) for name, array in parents.items()}, dtype)
        rows = {name: np.concatenate([parents[name], children[name]]) for name in rows}
        best = np.concatenate([best[keep], fractions(function, children, dtype, kind).max(-1)])
    at = int(np.argmax(best))
    return float(best[at]), {name: array[at] for name, array in rows.items()}


def confirmed(function: Callable[..., Array], kind: str, dtype: str, row: Rows) -> float:
    """Return the error of one row in bounds, judged by balls."""
    sizes = Sizes(n=1, m=len(row["K"]), d_k=row["K"].shape[-1], d_v=1)
    inputs = {name: array[None] for name, array in row.items()}
    exact = np.array(enclose(inputs, sizes, SPEC, SPEC.allowed(sizes)), dtype=object)
    result = function(*(row[name][None].astype(dtype) for name in "QKV"))[0]
    bound = bounds(inputs, sizes, SPEC, SPEC.allowed(sizes), Profile.uniform(dtype), kind=kind)
    return float((distances(result, exact) / bound).max())


def main(count: int, generations: int, starts: int, seed: int) -> None:
    print(f"seed {seed}: {starts} searches of {generations} generations with {count} rows")
    for title, (function, kind) in STRUCTURES.items():
        for dtype in ("float32", "float64"):
            runs = [
                climb(function, kind, dtype, count=count, generations=generations, seed=seed + at)
                for at in range(starts)
            ]
            _, row = max(runs, key=lambda run: run[0])
            print(f"  {title}, {dtype}: {confirmed(function, kind, dtype, row):.3f} of the bound of {kind}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    main(options.rows, options.generations, options.starts, options.seed)
