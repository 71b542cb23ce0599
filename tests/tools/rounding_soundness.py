"""Millions of entries of every correct function of the zoo, in three formats, against the rounding bounds.

    python tests/tools/rounding_soundness.py --seconds 60

One input is judged by balls once and given to every function that takes it.  Ordinary inputs are judged by the widest
bound of all; those of large scores by the widest *stable* one, which functions that do not shift may leave: they are
listed.  Printed are, for each class, how many functions stay inside it and the largest error in bounds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "zoo"))

import floats
import zoo

from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import CLASSES, FloatFormat, Profile, all_bounds, distances, ordinary
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec

SEED = 41
DTYPES = ("float64", "float32", "float16")


def entries() -> list[zoo.Entry]:
    """The correct functions that return attention (not gradients) and need no process of their own."""
    found = []
    for entry in zoo.entries("correct"):
        named = {role for _, role, _ in floats.roles(entry)}
        if not entry.isolate and "dO" not in named:
            found.append(entry)
    return found


@dataclass
class Seen:
    """What was seen of one function in one format: largest error in bounds by class, and failures."""

    entries: int = 0
    largest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))
    raised: int = 0


def draw(entry: zoo.Entry, random: np.random.Generator, sizes: Sizes, dtype: str, far: bool) -> floats.Case:
    """Return one input: random normals of some size, shifted values, equal keys, whole numbers, or sparse ones."""
    arrays = {name: random.standard_normal(shape) for name, shape in input_shapes(sizes).items()}
    kind = random.integers(6)
    keys, values = ("K", "V") if "K" in arrays else ("X_KV" if "X_KV" in arrays else "X", "W_V")
    if kind == 0:
        arrays[values] += random.choice([-8, 8])
    elif kind == 1:
        arrays[keys][..., :, :] = arrays[keys][..., :1, :] + arrays[keys] * 2.0**-8
    elif kind == 2:
        arrays = {name: np.rint(2 * array) for name, array in arrays.items()}
    elif kind == 3:
        arrays = {name: array * (random.random(array.shape) < 0.3) for name, array in arrays.items()}
    elif kind == 4:
        arrays[keys][..., 0, :] *= 8
    score = "Q" if "Q" in arrays else "W_Q"
    arrays[score] *= 10.0 ** (random.uniform(1, 4) if far else random.uniform(-2, 0.7))
    rules, form = floats.spec(entry), FloatFormat.of(dtype)
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("ignore")
        rounded = {name: array.astype(dtype).astype(np.float64) for name, array in arrays.items()}
        while not far and not ordinary(rounded, sizes, rules, form):
            rounded = {name: (array / 2).astype(dtype).astype(np.float64) for name, array in rounded.items()}
    return floats.Case(rounded, floats._mask(entry, random, sizes, int(random.integers(4))), sizes.heads)


def key(entry: zoo.Entry) -> tuple[Any, ...]:
    """Functions of one key take the same input."""
    return tuple(sorted(role for _, role, _ in floats.roles(entry))), entry.spec, tuple(sorted(entry.sizes.items()))


def sizes_of(entry: zoo.Entry, random: np.random.Generator, limit: int) -> Sizes:
    """Return random sizes that the functions of a key take."""
    named = {role for _, role, _ in floats.roles(entry)}
    n, m, d_k, d_v = (int(random.integers(1, limit + 1)) for _ in range(4))
    found: dict[str, int] = {"n": n, "d_k": d_k, "d_v": d_v}
    if "X" not in named:
        found["m"] = m
    else:
        heads, width = int(random.integers(1, 4)), int(random.integers(1, limit // 2 + 1))
        found |= {"d_model": heads * width, "d_k": width, "d_v": width, "heads": heads}
        if "W_O" not in named:
            found |= {"heads": 1, "d_model": width}
        else:
            found["d_out"] = heads * width
        if "X_KV" in named:
            found["m"] = m
    if floats.spec(entry).causal == "lower_right" and "m" in found:
        found["m"] = max(found["m"], found["n"])
    if "X_KV" in named:
        found["apart"] = 1
    return Sizes(**(found | dict(entry.sizes)))


def given(entry: zoo.Entry, case: floats.Case, sizes: Sizes, dtype: str) -> floats.Case:
    """Return the case as the function takes it: batch axes in front, heads stacked or not, in the format."""
    arrays = {}
    for name, array in case.arrays.items():
        if name in ("Q", "K", "V"):
            array = np.broadcast_to(array[0], (*floats.BATCH[entry.layout or "nd"], *array.shape[1:]))
        elif name.startswith("W_") and name != "W_O" and not entry.weights:
            array = array[0]
        elif name in ("X", "X_KV"):
            array = np.broadcast_to(array, (*floats.BATCH[entry.layout or "nd"], *array.shape))
        arrays[name] = array.astype(dtype)
    return floats.Case(arrays, case.mask, sizes.heads)


def trial(
    group: list[tuple[zoo.Entry, Any]], random: np.random.Generator, dtype: str, far: bool, limit: int
) -> Iterator[tuple[zoo.Entry, np.ndarray[Any, Any] | None, dict[str, np.ndarray[Any, Any]]]]:
    """Yield every function of a group with its errors (batch, n, columns), and the bounds of each class."""
    first = group[0][0]
    sizes = sizes_of(first, random, limit)
    case = draw(first, random, sizes, dtype, far)
    rules = AttentionSpec.of(floats.spec(first))
    allowed = rules.allowed(sizes, case.mask)
    if not all(map(any, allowed)):
        return
    profile = Profile.exact_inputs(FloatFormat.of(dtype))
    found = all_bounds(case.arrays, sizes, rules, allowed, (profile,), kinds=CLASSES, rescalings=sizes.keys, stable=far)
    bounds = {kind: bound[0] for kind, bound in found.items()}
    exact = np.array(enclose(case.arrays, sizes, rules, allowed), dtype=object)
    for entry, function in group:
        try:
            with np.errstate(all="ignore"):
                results = floats.call(entry, function, given(entry, case, sizes, dtype))
        except (AssertionError, FloatingPointError):
            # Assertions of row sums with a tolerance for float64.
            yield entry, None, bounds
            continue
        result = results.get("result", results.get("O"))
        flat = np.asarray(result).reshape(-1, *exact.shape)
        yield entry, np.array([distances(part, exact) for part in flat[:1]]), bounds


def run(
    seconds: float, *, seed: int = SEED, limit: int = 24, trials: int | None = None, far: bool = False
) -> dict[tuple[str, str], Seen]:
    """Judge until the time is over, or ``trials`` rounds over all functions and formats are done."""
    random = np.random.default_rng(seed)
    groups: dict[Any, list[tuple[zoo.Entry, Any]]] = {}
    for entry in entries():
        groups.setdefault(key(entry), []).append((entry, floats.load(entry)))
    table: dict[tuple[str, str], Seen] = {}
    start, done = time.monotonic(), 0
    while (trials is None or done < trials) and time.monotonic() - start < seconds:
        done += 1
        for dtype in DTYPES:
            for group in groups.values():
                for entry, errors, bounds in trial(group, random, dtype, far, limit):
                    seen = table.setdefault((entry.name, dtype), Seen())
                    if errors is None:
                        seen.raised += 1
                        continue
                    seen.entries += errors.size
                    for kind, bound in bounds.items():
                        judged = np.isfinite(bound) & ~np.isnan(errors[0])
                        with np.errstate(divide="ignore", invalid="ignore"):
                            parts = np.where(errors[0] == 0, 0, errors[0] / bound)[judged]
                        seen.largest[kind] = max(seen.largest[kind], float(parts.max(initial=0)))
    return table


def report(table: dict[tuple[str, str], Seen], title: str) -> bool:
    """Print the table by format and class, and whether every function stays inside the widest."""
    total, good = sum(seen.entries for seen in table.values()), True
    print(f"{title}: {total:,} entries of {len({name for name, _ in table})} functions")
    for dtype in DTYPES:
        rows = {name: seen for (name, format), seen in table.items() if format == dtype}
        for kind in CLASSES:
            outside = sorted(
                (name.split("/")[1] for name in rows if rows[name].largest[kind] > 1),
                key=lambda name: -rows[f"correct/{name}"].largest[kind],
            )
            inside = [seen.largest[kind] for seen in rows.values() if seen.largest[kind] <= 1]
            shown = ", ".join(f"{name} ({rows[f'correct/{name}'].largest[kind]:.3g})" for name in outside)
            largest = f"{len(inside)} inside, at most {max(inside, default=0):.3f}"
            print(f"  {dtype} {kind}: {largest}; outside: {shown or '-'}")
            good &= kind != CLASSES[-1] or not outside
        raised = sum(seen.raised for seen in rows.values())
        if raised:
            print(f"  {dtype}: {raised} calls raised an assertion")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    sound = report(run(options.seconds, seed=options.seed), "ordinary inputs")
    report(run(options.seconds, seed=options.seed, far=True), "large scores, stable implementations")
    sys.exit(not sound)
