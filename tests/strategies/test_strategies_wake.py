"""The battery wakes up the mistakes that random normal inputs leave asleep."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from attn_verify.checks.inputs import Sample, battery, mine

Array = NDArray[np.float64]
Code = Callable[[Array, Array, Array, NDArray[np.bool_]], Array]


def scores(Q: Array, K: Array) -> Array:
    return Q @ K.T / np.sqrt(Q.shape[1])


def attend(S: Array, V: Array, shift: Array | float | None = None) -> Array:
    E = np.exp(S - (S.max(axis=1, keepdims=True) if shift is None else shift))
    return E @ V / E.sum(axis=1, keepdims=True)


def correct(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    return attend(np.where(mask, scores(Q, K), -np.inf), V)


def no_maximum(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    return attend(np.where(mask, scores(Q, K), -np.inf), V, 0.0)


def maximum_from_zero(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    S = np.where(mask, scores(Q, K), -np.inf)
    return attend(S, V, np.maximum(S.max(axis=1, keepdims=True), 0))


def maximum_of_all_rows(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    S = np.where(mask, scores(Q, K), -np.inf)
    return attend(S, V, S.max())


def maximum_of_masked(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    S = scores(Q, K)
    return attend(np.where(mask, S, -np.inf), V, S.max(axis=1, keepdims=True))


def fill(value: float) -> Code:
    return lambda Q, K, V, mask: attend(np.where(mask, scores(Q, K), value), V)


def added(value: float) -> Code:
    return lambda Q, K, V, mask: attend(scores(Q, K) + np.where(mask, 0.0, value), V)


def clipped(limit: float) -> Code:
    return lambda Q, K, V, mask: attend(np.where(mask, scores(Q, K).clip(-limit, limit), -np.inf), V)


def clipped_values(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    return correct(Q, K, V.clip(-100, 100), mask)


def one_of_equal_maxima(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    S = np.where(mask, scores(Q, K), -np.inf)
    again = (S.max(axis=1, keepdims=True) == S).cumsum(axis=1) > 1
    return attend(np.where(again & (S.max(axis=1, keepdims=True) == S), -np.inf, S), V)


def small_weights_dropped(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    S = np.where(mask, scores(Q, K), -np.inf)
    return attend(np.where(S.max(axis=1, keepdims=True) - 15 > S, -np.inf, S), V)


def zero_queries_skipped(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    return correct(Q, K, V, mask) * (np.abs(Q).max(axis=1, keepdims=True) > 0)


def odd_constant(Q: Array, K: Array, V: Array, mask: NDArray[np.bool_]) -> Array:
    """Wrong between two numbers that stand in its code."""
    S = scores(Q, K)
    return attend(np.where(mask, np.where((S > 331.0) & (S < 340.0), 335.0, S), -np.inf), V)


BROKEN: dict[str, Code] = {
    "no maximum": no_maximum,
    "maximum from zero": maximum_from_zero,
    "maximum of all rows": maximum_of_all_rows,
    "maximum of masked ones too": maximum_of_masked,
    "fill 1e-9": fill(1e-9),
    "fill -50": fill(-50.0),
    "fill -1e4": fill(-1e4),
    "-1e4 added": added(-1e4),
    "clipped to 50": clipped(50.0),
    "clipped to 1e4": clipped(1e4),
    "values clipped": clipped_values,
    "one of equal maxima": one_of_equal_maxima,
    "small weights dropped": small_weights_dropped,
    "zero queries skipped": zero_queries_skipped,
    "constant in the code": odd_constant,
}
# No normal input tells these from correct code; the fill of 1e-9 it does.
ASLEEP = set(BROKEN) - {"fill 1e-9"}


@cache
def samples(n: int, m: int) -> tuple[list[Sample], NDArray[np.bool_]]:
    mask = np.tril(np.ones((n, m), np.bool_), m - n)
    constants = mine("low, high = 331.0, 340.0").magnitudes
    shapes = {"Q": (n, 4), "K": (m, 4), "V": (m, 3)}
    found = battery(shapes, sigma=0.5, allowed=mask, dtype="float64", magnitudes=constants)
    return list(found), mask


def wakes(code: Code, sample: Sample, mask: NDArray[np.bool_]) -> bool:
    Q, K, V = (sample.arrays[name] for name in "QKV")
    with np.errstate(all="ignore"):
        got, exact = code(Q, K, V, mask), correct(Q, K, V, mask)
    return not bool((np.abs(got - exact) <= 1e-12 * np.abs(V).max(axis=0) + 1e-9 * np.abs(exact)).all())


@pytest.mark.parametrize("sizes", [(3, 5), (8, 9)], ids=str)
@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_woken_up(name: str, sizes: tuple[int, int]) -> None:
    tried, mask = samples(*sizes)
    assert any(wakes(BROKEN[name], sample, mask) for sample in tried)


@pytest.mark.parametrize("name", sorted(ASLEEP))
def test_normal_inputs_leave_it_asleep(name: str) -> None:
    random = np.random.default_rng(1)
    _, mask = samples(3, 5)
    for _ in range(20):
        arrays = {"Q": random.normal(size=(3, 4)), "K": random.normal(size=(5, 4)), "V": random.normal(size=(5, 3))}
        assert not wakes(BROKEN[name], Sample("normal", "rounding", arrays), mask)


@pytest.mark.parametrize("sizes", [(3, 5), (8, 9)], ids=str)
def test_correct_code_stays_correct_and_finite(sizes: tuple[int, int]) -> None:
    tried, mask = samples(*sizes)
    for sample in tried:
        assert not wakes(correct, sample, mask)
