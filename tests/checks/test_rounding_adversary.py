"""The constants of the rounding bound against an adversary who chooses every rounding.

Each operation is exact (float64 beside a unit roundoff of 2⁻¹¹) times 1 ± u; hill climbing looks for the
signs that do most harm.  The fractions in docs/explanation/rounding.md were found in this way.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attn_verify.checks import rounding
from attn_verify.checks.rounding import constants
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec

Array = NDArray[np.float64]
U = 2.0**-11
FORM = rounding.FloatFormat("adversary", U, 1e-300)
SEED = 3
TRIALS = 60
BITS = 400


class Adversary:
    """Hands out 1 ± c·u, the signs taken from a list that the search changes."""

    def __init__(self, signs: Array) -> None:
        self.signs, self.used = signs, 0

    def __call__(self, exact: Any, c: float = 1) -> Any:
        exact = np.asarray(exact, np.float64)
        signs = self.signs[self.used : self.used + exact.size]
        self.used += exact.size
        return exact * (1 + c * U * signs.reshape(exact.shape))

    def sum(self, terms: Array) -> Any:
        total = terms[0]
        for term in terms[1:]:
            total = self(total + term)
        return total

    def exp(self, x: Any) -> Any:
        return self(np.exp(x), c=8)


def inner_products(fl: Adversary, q: Array, K: Array) -> Array:
    return np.array([fl.sum(fl(q * k)) for k in K])


def scaled(fl: Adversary, q: Array, K: Array) -> Array:
    sigma = fl(1 / fl(math.sqrt(len(q))))
    return fl(inner_products(fl, q, K) * sigma)


def quotient(fl: Adversary, e: Array, v: Array) -> Any:
    return fl(fl.sum(fl(e * v)) / fl.sum(e))


def stable(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    e = fl.exp(fl(s - s.max()))
    return fl.sum(fl(fl(e / fl.sum(e)) * v))


def late_division(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    return quotient(fl, fl.exp(fl(s - s.max())), v)


def reciprocal(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    e = fl.exp(fl(s - s.max()))
    return fl.sum(fl(fl(e * fl(1 / fl.sum(e))) * v))


def unshifted(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    return quotient(fl, fl.exp(scaled(fl, q, K)), v)


def unshifted_base_2(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    t = fl(scaled(fl, q, K) * fl(math.log2(math.e)))
    return quotient(fl, fl.exp(t * math.log(2)), v)


def split_scale(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    q, K = (fl(M * fl(1 / fl(np.sqrt(fl(math.sqrt(len(q))))))) for M in (q, K))
    s = inner_products(fl, q, K)
    return quotient(fl, fl.exp(fl(s - s.max())), v)


def scaled_after_the_shift(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = inner_products(fl, q, K)
    t = fl(fl(s - s.max()) * fl(1 / fl(math.sqrt(len(q)))))
    t = fl(t * fl(math.log2(math.e)))
    return quotient(fl, fl.exp(t * math.log(2)), v)


def online(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    mu, total, o = s[0], 1.0, fl(1.0 * v[0])
    for s_j, v_j in zip(s[1:], v[1:], strict=True):
        new = max(mu, s_j)
        # exp(0) is exactly 1 in every library.
        correction = fl.exp(fl(mu - new)) if new > mu else 1.0
        e = fl.exp(fl(s_j - new)) if new > s_j else 1.0
        total = fl(fl(total * correction) + e)
        o = fl(fl(o * correction) + fl(e * v_j))
        mu = new
    return fl(o / total)


def log_space(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    e = fl.exp(fl(s - s.max()))
    lse = fl(s.max() + fl(np.log(fl.sum(e)), c=8))
    return fl.sum(fl(fl.exp(fl(s - lse)) * v))


def merged_by_lse(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = scaled(fl, q, K)
    lse, o = s[0], v[0]
    for s_j, v_j in zip(s[1:], v[1:], strict=True):
        part = fl.exp(fl(-abs(fl(lse - s_j))))
        new = fl(max(lse, s_j) + fl(np.log1p(part), c=8))
        o = fl(fl(o * fl.exp(fl(lse - new))) + fl(fl.exp(fl(s_j - new)) * v_j))
        lse = new
    return o


def biased(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    s = fl(scaled(fl, q, K) + fl(fl(BIAS[: len(K)])))
    return quotient(fl, fl.exp(fl(s - s.max())), v)


def biased_before_the_scale(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    root = fl(math.sqrt(len(q)))
    s = fl(fl(inner_products(fl, q, K) + fl(fl(BIAS[: len(K)]) * root)) / root)
    return quotient(fl, fl.exp(fl(s - s.max())), v)


def capped(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    c = fl(fl(CAP))
    s = fl(c * fl(np.tanh(fl(scaled(fl, q, K) / c)), c=8))
    return quotient(fl, fl.exp(fl(s - s.max())), v)


def coarse_weights(fl: Adversary, q: Array, K: Array, v: Array) -> Any:
    """Weights of 8 bits for the product, as hardware wants them, the row sum of 11 bits from what they were before."""
    s = scaled(fl, q, K)
    e = fl.exp(fl(s - s.max()))
    return fl(fl.sum(fl(fl(e, c=8) * v)) / fl.sum(e))


STRUCTURES = (
    stable,
    late_division,
    reciprocal,
    unshifted,
    unshifted_base_2,
    split_scale,
    scaled_after_the_shift,
    online,
)


BIAS = np.array([3.0, -20, 0.5, 40, -1])
CAP = 5.0
PLAIN = rounding.Profile.exact_inputs(FORM)
# Class, profile and options of the bound of structures that need more than the plain one.
OTHERS: dict[Callable[..., Any], tuple[str, rounding.Profile, dict[str, Any]]] = {
    log_space: ("log", PLAIN, {}),
    merged_by_lse: ("log", PLAIN, {}),
    biased: ("fine", PLAIN, {"bias": BIAS}),
    biased_before_the_scale: ("fine", PLAIN, {"bias": BIAS}),
    capped: ("fine", PLAIN, {"softcap": CAP}),
    coarse_weights: ("fine", replace(PLAIN, weights=rounding.FloatFormat("short", 8 * U, 1e-300)), {}),
}


def exact(q: Array, K: Array, v: Array, *, bias: Array | None = None, softcap: float | None = None) -> float:
    s = K @ q / math.sqrt(len(q))
    s = s if softcap is None else softcap * np.tanh(s / softcap)
    s = s if bias is None else s + bias[: len(K)]
    e = np.exp(s - s.max())
    return float(e @ v / e.sum())


def draw(random: np.random.Generator) -> tuple[Array, Array, Array]:
    """One row: values far from zero, one dominant key, equal keys, or nothing special."""
    m, d_k = random.integers(1, 6, size=2)
    q = random.normal(size=d_k) * 10.0 ** random.uniform(-1, 1.2)
    K, v = random.normal(size=(m, d_k)), random.normal(size=m)
    kind = random.integers(4)
    if kind == 0:
        v += random.choice([-10, 10])
    elif kind == 1:
        K *= np.r_[10, np.full(m - 1, 0.01)][:, None]
    elif kind == 2:
        K[:] = K[0]
    return q, K, v


def worst(structure: Callable[..., Any], trials: int = TRIALS) -> float:
    """Return the largest error that the search finds, as a fraction of the bound."""
    random, found = np.random.default_rng(SEED), 0.0
    kind, profile, options = OTHERS.get(structure, ("fine", PLAIN, {}))
    for _ in range(trials):
        q, K, v = draw(random)
        m = len(K)
        sizes, spec = Sizes(n=1, m=m, d_k=len(q), d_v=1), AttentionSpec()
        inputs = {"Q": q[None, None, :], "K": K[None], "V": v[None, :, None]}
        rescalings = m - 1 if structure in (online, merged_by_lse) else 0
        bias = {"bias": options["bias"][None, :m]} if "bias" in options else {}
        bound = rounding.bounds(
            inputs, sizes, spec, spec.allowed(sizes), profile, kind=kind, rescalings=rescalings, **options | bias
        )
        adversary = Adversary(random.choice([-1.0, 1.0], size=BITS))
        found = max(found, climb(adversary, structure, (q, K, v), options) / bound[0, 0])
    return found


def climb(
    adversary: Adversary, structure: Callable[..., Any], row: tuple[Array, Array, Array], options: dict[str, Any]
) -> float:
    """Turn one sign after the other, keep what does more harm, and return the largest error."""
    target = exact(*row, **options)
    best = abs(float(structure(adversary, *row)) - target)
    for bit in range(adversary.used):
        adversary.signs[bit] *= -1
        adversary.used = 0
        harmed = abs(float(structure(adversary, *row)) - target)
        if harmed > best:
            best = harmed
        else:
            adversary.signs[bit] *= -1
    return best


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda f: f.__name__)
def test_no_choice_of_roundings_leaves_the_bound(structure: Callable[..., Any]) -> None:
    fraction = worst(structure)
    assert fraction <= 1, f"seed {SEED}"
    # And the bound is not generous: the adversary gets a good part of the way.
    assert fraction > 0.3, f"seed {SEED}"


@pytest.mark.parametrize("structure", OTHERS, ids=lambda f: f.__name__)
def test_no_choice_of_roundings_leaves_the_bound_of_its_class(structure: Callable[..., Any]) -> None:
    fraction = worst(structure, TRIALS // 3)
    assert fraction <= 1, f"seed {SEED}"
    assert fraction > 0.1, f"seed {SEED}"


@pytest.mark.parametrize("structure", [late_division, scaled_after_the_shift, split_scale], ids=lambda f: f.__name__)
def test_the_adversary_sees_constants_that_are_too_small(
    structure: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SCALE", "EXP", "RESCALE", "DIVIDE", "SHIFT"):
        monkeypatch.setattr(constants, name, 0)
    assert worst(structure) > 1, f"seed {SEED}"
