"""Every class of input is represented, at small and large sizes; the kinds are what their names say."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from attn_verify.checks.inputs import battery, random_samples
from attn_verify.strategies.formats import DTYPES
from attn_verify.strategies.frames import Frame
from attn_verify.strategies.kinds import kinds

Array = NDArray[np.float64]

# What THEORY and the catalogue of bugs ask for, and which kinds stand for it.
STRUCTURE = (
    "normal", "small integers", "one-hot rows", "ties", "ties far from zero", "zero query rows", "all scores negative",
    "all scores positive", "rows very negative", "rows near -14", "row maxima apart", "row maxima far apart",
    "later keys above earlier ones", "earlier keys above later ones", "later keys far above earlier ones",
    "earlier keys far above later ones", "small weights next to values", "small weights next to large values",
    "weights near the unit roundoff", "large values", "values near the limit", "tiny values", "constant values",
    "equal values of all keys", "single non-zero entry", "masked keys hold large numbers",
    "masked keys hold huge numbers", "masked keys far above allowed ones", "special entries", "mixed magnitudes",
    "entries near 0.3", "scores near a random number", "random levels of rows and keys",
)  # fmt: skip
SCORES = (50, 88, 104, 709, 745, 10000, 65000, 100000)

SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "small": {"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)},
    "large": {"Q": (2, 9, 4), "K": (2, 12, 4), "V": (2, 12, 3)},
    "128": {"Q": (1, 128, 64), "K": (1, 128, 64), "V": (1, 128, 64)},
    "self-attention": {"X": (5, 6), "W_Q": (2, 6, 3), "W_K": (2, 6, 3), "W_V": (2, 6, 2), "W_O": (4, 6)},
    "cross-attention": {"X": (9, 4), "X_KV": (8, 4), "W_Q": (1, 4, 3), "W_K": (1, 4, 3), "W_V": (1, 4, 2)},
}


def sizes_of(shapes: dict[str, tuple[int, ...]]) -> tuple[int, int, float]:
    d_k = shapes["Q" if "Q" in shapes else "W_Q"][-1]
    n = shapes["Q" if "Q" in shapes else "X"][-2]
    m = shapes.get("K", shapes.get("X_KV", shapes.get("X", ())))[-2]
    return n, m, d_k**-0.5


def causal(n: int, m: int) -> NDArray[np.bool_]:
    return np.tril(np.ones((n, m), np.bool_), max(m - n, 0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SHAPES)
def test_every_class_is_represented_and_costs_little(size: str, dtype: str) -> None:
    shapes = SHAPES[size]
    n, m, sigma = sizes_of(shapes)
    frame = Frame.of(shapes, sigma=sigma, dtype=dtype)
    found, longest, last = [], 0.0, time.thread_time()
    for sample in battery(shapes, sigma=sigma, allowed=causal(n, m), dtype=dtype, magnitudes=(0.3,)):
        now = time.thread_time()
        found.append(sample.kind)
        longest, last = max(longest, now - last), now
    assert set(STRUCTURE) <= set(found)
    wanted = {f"scores near {sign * score}" for sign in (1, -1) for score in SCORES if score <= frame.max_score}
    assert wanted <= set(found)
    below = {f"all scores below {-score}" for score in (10000, 65000) if 1.25 * score <= frame.max_score}
    assert below <= set(found)
    if dtype in ("float64", "float32", "bfloat16"):
        assert len(wanted) == 2 * len(SCORES)
    assert longest < 0.040, f"{longest:.3f} s for one sample"


def test_random_samples_are_of_every_kind_and_each_depends_on_its_number_alone() -> None:
    shapes = SHAPES["small"]
    options = {"sigma": 3**-0.5, "allowed": causal(2, 4), "dtype": "float32", "magnitudes": (0.3,)}
    found = random_samples(shapes, seed=5, count=700, **options)
    assert len(found) == 700
    assert set(STRUCTURE) <= {sample.kind for sample in found}
    assert 250 < sum(sample.claim == "rounding" for sample in found) < 450
    again = random_samples(shapes, seed=5, count=3, start=40, **options)
    other = random_samples(shapes, seed=6, count=3, start=40, **options)
    for name in shapes:
        assert all(np.array_equal(x.arrays[name], y.arrays[name]) for x, y in zip(found[40:], again, strict=False))
    assert any(not np.array_equal(x.arrays["Q"], y.arrays["Q"]) for x, y in zip(again, other, strict=True))


def by_kind(name: str, dtype: str = "float64", size: str = "small") -> tuple[dict[str, Array], Array, float]:
    """Return arrays, scaled scores of the first head and the limit."""
    shapes = SHAPES[size]
    n, m, sigma = sizes_of(shapes)
    frame = Frame.of(shapes, sigma=sigma, allowed=causal(n, m), dtype=dtype)
    kind = next(kind for kind in kinds(frame) if kind.name == name)
    arrays = kind.make(frame, 3)
    assert arrays is not None
    if "Q" in arrays:
        Q, K = arrays["Q"][0], arrays["K"][0]
    else:
        Q, K = arrays["X"] @ arrays["W_Q"][0], arrays.get("X_KV", arrays["X"]) @ arrays["W_K"][0]
    return arrays, sigma * Q @ K.T, frame.max_score


@pytest.mark.parametrize("size", ["small", "large", "self-attention", "cross-attention"])
@pytest.mark.parametrize("score", [s * c for s in (1, -1) for c in SCORES])
def test_scores_are_where_they_are_said_to_be(score: int, size: str) -> None:
    _, S, limit = by_kind(f"scores near {score}", size=size)
    assert np.abs(S).max() <= limit
    assert np.abs(S - score).max() < 20 + 0.001 * abs(score)
    assert np.ptp(S, axis=1).min() > 0.01


LAWS: dict[str, Callable[[Array, float], bool]] = {
    "all scores negative": lambda S, _: bool((S < 0).all()),
    "all scores positive": lambda S, _: bool((S > 0).all()),
    "rows very negative": lambda S, top: bool((S < 0).all() and (S.max(1) < -0.8 * top).any()),
    "row maxima far apart": lambda S, top: bool(np.ptp(S.max(1)) > top),
    "later keys far above earlier ones": lambda S, top: bool((np.diff(S, axis=1) > 1e3).all()),
    "earlier keys far above later ones": lambda S, top: bool((np.diff(S, axis=1) < -1e3).all()),
    "each key 60 above the one before": lambda S, top: bool((np.diff(S, axis=1) > 30).all()),
    "ties far from zero": lambda S, top: bool((np.sort(S, axis=1)[:, -1] == np.sort(S, axis=1)[:, -2]).all()),
    "ties": lambda S, top: bool(np.ptp(S, axis=1).max() == 0),
    "all scores below -10000": lambda S, top: bool((S < -1.5e4).all()),
    "masked keys far above allowed ones": lambda S, top: bool((S[0, -1] - S[0, 0]) > top),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_kind_is_what_its_name_says(name: str) -> None:
    _, S, limit = by_kind(name)
    assert LAWS[name](S, limit)


@pytest.mark.parametrize("name", LAWS)
def test_normal_inputs_are_not_what_the_other_names_say(name: str) -> None:
    _, S, limit = by_kind("normal")
    assert not LAWS[name](S, limit)


def test_masked_keys_hold_the_largest_numbers() -> None:
    for name, factor in (("masked keys hold large numbers", 100), ("masked keys hold huge numbers", 1e200)):
        arrays, _, _ = by_kind(name)
        V = np.abs(arrays["V"][0]).max(1)
        assert V[-1] > factor * V[:-1].max()


def test_without_masked_pairs_there_is_nothing_to_hide() -> None:
    frame = Frame.of(SHAPES["small"], sigma=0.5, dtype="float64")
    assert not any(kind.name.startswith("masked") for kind in kinds(frame))


def test_constants_become_scores_and_entries() -> None:
    frame = Frame.of(SHAPES["small"], sigma=0.5, dtype="float64")
    names = {kind.name for kind in kinds(frame, (30, 1e-9, -1234.5, 1e9, float("inf"), 0))}
    assert {
        "scores near 30",
        "scores near -30",
        "entries near 30",
        "scores near 20.7233",
        "all scores below -1234.5",
    } <= names
    assert not any("1e+09" in name or "inf" in name for name in names)
