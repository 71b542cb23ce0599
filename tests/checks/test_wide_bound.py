"""The widest bound: correct code of every structure stays inside it, wrong algebra does not."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attn_verify.checks.rounding import FloatFormat, layer_bound, ordinary, wide_bound, wide_gradient_bound
from attn_verify.checks.witness import Unit, exact_gradients, judge
from attn_verify.checks.witness_inputs import FAMILIES, on_grid
from attn_verify.numeric import attention_grad, multihead_grad
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec

Array = NDArray[Any]
SEED = 11
SPEC = AttentionSpec()
FORMATS = ("float64", "float32", "float16")
SIZES = (
    Sizes(n=2, m=3, d_k=2, d_v=2),
    Sizes(n=1, m=4, d_k=5, d_v=1),
    Sizes(n=3, m=2, d_k=1, d_v=3),
)


def scores(Q: Array, K: Array) -> Array:
    return (Q @ K.T / np.sqrt(Q.dtype.type(Q.shape[1]))).astype(Q.dtype)


def quotient(E: Array, V: Array) -> Array:
    return E @ V / E.sum(axis=1, keepdims=True)


def stable(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    return quotient(np.exp(S - S.max(axis=1, keepdims=True)), V)


def unshifted(Q: Array, K: Array, V: Array) -> Array:
    return quotient(np.exp(scores(Q, K)), V)


def log_space(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    top = S.max(axis=1, keepdims=True)
    return np.exp(S - (top + np.log(np.exp(S - top).sum(axis=1, keepdims=True)))) @ V


def constant_shift(Q: Array, K: Array, V: Array) -> Array:
    shift = {"float64": 300, "float32": 25, "float16": 2}[Q.dtype.name]
    return quotient(np.exp(scores(Q, K) + Q.dtype.type(shift)), V)


def mean_shift(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    return quotient(np.exp(S - S.mean(axis=1, keepdims=True, dtype=S.dtype)), V)


def global_shift(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    return quotient(np.exp(S - S.max()), V)


def distances(Q: Array, K: Array, V: Array) -> Array:
    half = Q.dtype.type(0.5) / np.sqrt(Q.dtype.type(Q.shape[1]))
    D = ((Q[:, None] - K[None]) ** 2).sum(-1, dtype=Q.dtype)
    S = half * ((K**2).sum(-1, dtype=Q.dtype) - D)
    return quotient(np.exp(S - S.max(axis=1, keepdims=True)), V)


def shifted_keys(Q: Array, K: Array, V: Array) -> Array:
    return stable(Q, K - K.mean(axis=0, dtype=K.dtype), V)


def centred_values(Q: Array, K: Array, V: Array) -> Array:
    middle = V.mean(axis=0, dtype=V.dtype)
    return stable(Q, K, V - middle) + middle


def blends(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    half = Q.dtype.type(0.5)
    rows = []
    for s in S:
        o, lse = V[0], s[0]
        for s_j, v in zip(s[1:], V[1:], strict=True):
            p = half + half * np.tanh(half * (s_j - lse))
            o = o + p * (v - o)
            lse = np.logaddexp(lse, s_j)
        rows.append(o)
    return np.array(rows, Q.dtype)


def base_two(Q: Array, K: Array, V: Array) -> Array:
    T = scores(Q, K) * Q.dtype.type(np.log2(np.e))
    return quotient(np.exp2(T - T.max(axis=1, keepdims=True)), V)


def split_scale(Q: Array, K: Array, V: Array) -> Array:
    root = Q.dtype.type(Q.shape[1] ** 0.25)
    return quotient(np.exp((Q / root) @ (K / root).T), V)


def power(Q: Array, K: Array, V: Array) -> Array:
    return quotient(np.exp(Q @ K.T) ** Q.dtype.type(Q.shape[1] ** -0.5), V)


def online(Q: Array, K: Array, V: Array) -> Array:
    S = scores(Q, K)
    peak, total, o = S[:, 0], np.ones(len(Q), Q.dtype), np.repeat(V[:1], len(Q), axis=0)
    for s, v in zip(S.T[1:], V[1:], strict=True):
        new = np.maximum(peak, s)
        old, e = np.exp(peak - new), np.exp(s - new)
        total = total * old + e
        o = o * old[:, None] + e[:, None] * v
        peak = new
    return o / total[:, None]


STRUCTURES = (
    stable, unshifted, log_space, constant_shift, mean_shift, global_shift, distances, shifted_keys, centred_values,
    blends, base_two, split_scale, power, online,
)  # fmt: skip


THREES = [STRUCTURES[at : at + 3] for at in range(0, len(STRUCTURES), 3)]


def inputs(sizes: Sizes, count: int, seed: int, form: FloatFormat, *extra: str) -> Iterator[dict[str, Array]]:
    """Yield ordinary inputs of every family that the format can hold."""
    random = np.random.default_rng(seed)
    shapes = {**input_shapes(sizes), **dict.fromkeys(extra, (sizes.heads, sizes.n, sizes.d_v))}
    for family in itertools.islice(itertools.cycle(FAMILIES), count):
        drawn = {name: on_grid(array) for name, array in family(shapes, random).items()}
        while not ordinary(drawn, sizes, SPEC, form):
            drawn = {name: on_grid(array / 2) for name, array in drawn.items()}
        yield drawn


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("three", THREES, ids=lambda three: "-".join(f.__name__ for f in three))
def test_correct_code_is_never_outside(three: tuple[Callable[..., Array], ...], name: str) -> None:
    form = FloatFormat.of(name)
    for sizes in SIZES:
        for drawn in inputs(sizes, 2 * len(FAMILIES), SEED, form):
            Q, K, V = (drawn[key][0].astype(name) for key in "QKV")
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                # One exact evaluation judges three results, each under one of the names that a result may have.
                results = {key: structure(Q, K, V) for key, structure in zip("OZY", three, strict=False)}
            found = judge(results, Unit(drawn, sizes, SPEC, SPEC.allowed(sizes)), form)
            assert found == [], f"seed {SEED}: {drawn}"


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_reordered_layers_are_never_outside(name: str) -> None:
    sizes, form = Sizes(n=3, d_model=4, d_k=2, d_v=2, heads=2), FloatFormat.of(name)
    for drawn in inputs(sizes, 3 * len(FAMILIES), SEED, form):
        X, W_Q, W_K, W_V, W_O = (array.astype(name) for array in drawn.values())
        Y = 0
        for t in range(2):
            S = (X @ (W_Q[t] @ W_K[t].T) @ X.T) / np.sqrt(X.dtype.type(2))
            P = quotient(np.exp(S), np.eye(3, dtype=name))
            Y = Y + P @ (X @ (W_V[t] @ W_O[2 * t : 2 * t + 2]))
        found = judge({"Y": Y}, Unit(drawn, sizes, SPEC, SPEC.allowed(sizes)), form)
        assert found == [], f"seed {SEED}: {drawn}"


@pytest.mark.parametrize("name", FORMATS)
def test_weights_are_never_outside(name: str) -> None:
    sizes, form = SIZES[0], FloatFormat.of(name)
    for drawn in inputs(sizes, len(FAMILIES), SEED, form):
        Q, K = (drawn[key][0].astype(name) for key in "QK")
        P = log_space(Q, K, np.eye(3, dtype=name))
        unit = Unit(drawn, sizes, SPEC, SPEC.allowed(sizes))
        assert judge({"P": P[None]}, unit, form) == [], f"seed {SEED}: {drawn}"
    assert judge({"P": (P + 2)[None]}, unit, form) != []


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_gradients_are_never_outside(name: str) -> None:
    sizes, form = SIZES[0], FloatFormat.of(name)
    for drawn in inputs(sizes, 4 * len(FAMILIES), SEED, form, "dO"):
        Q, K, V, dO = (drawn[key][0].astype(name) for key in ("Q", "K", "V", "dO"))
        unit = Unit(drawn, sizes, SPEC, SPEC.allowed(sizes))
        got = {key: np.asarray(value)[None] for key, value in attention_grad(Q, K, V, dO)._asdict().items()}
        assert judge(got, unit, form) == [], f"seed {SEED}: {drawn}"
        P = np.exp(scores(Q, K))
        P = P / P.sum(axis=1, keepdims=True)
        dQ = np.zeros_like(Q)
        for i in range(len(Q)):
            jacobian = np.diag(P[i]) - np.outer(P[i], P[i])
            dQ[i] = jacobian @ (V @ dO[i]) @ K / np.sqrt(Q.dtype.type(Q.shape[1]))
        assert judge({"dQ": dQ[None]}, unit, form) == [], f"seed {SEED}: {drawn}"


def test_layer_gradients_are_never_outside() -> None:
    random = np.random.default_rng(SEED)
    for sizes in (Sizes(n=2, d_model=3, d_k=2, d_v=1, heads=2), Sizes(n=2, m=3, d_model=3, d_k=2, d_v=1, heads=2)):
        for _ in range(20):
            drawn = {name: random.standard_normal(shape) for name, shape in input_shapes(sizes).items()}
            drawn["dY"] = random.standard_normal((2, 3))
            X_KV = {"X_KV": drawn["X_KV"]} if sizes.cross else {}
            order = ("X", "W_Q", "W_K", "W_V", "W_O", "dY")
            grads = multihead_grad(*(drawn[key] for key in order), **X_KV)._asdict()
            got = {key: np.stack(g) if isinstance(g, list) else g for key, g in grads.items() if g is not None}
            unit = Unit(drawn, sizes, SPEC, SPEC.allowed(sizes))
            assert judge(got, unit, FloatFormat.of("float64")) == [], f"seed {SEED}"
            assert next(seen.name for seen in judge({"dX": got["dX"] + 1e-6}, unit, FloatFormat.of("float64"))) == "dX"


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_never_below_the_fine_bound(name: str) -> None:
    form = FloatFormat.of(name)
    for sizes in (*SIZES, Sizes(n=2, d_model=3, d_k=2, d_v=2, heads=2)):
        for drawn in inputs(sizes, len(FAMILIES), SEED, form):
            allowed = SPEC.allowed(sizes)
            fine = layer_bound(drawn, sizes, SPEC, allowed, form, rescalings=sizes.keys)
            assert (wide_bound(drawn, sizes, SPEC, allowed, form) >= fine).all(), f"seed {SEED}"


def scale_missing(Q: Array, K: Array, V: Array) -> Array:
    return quotient(np.exp(Q @ K.T), V)


def not_normalised(Q: Array, K: Array, V: Array) -> Array:
    return np.exp(scores(Q, K)) @ V


def over_queries(Q: Array, K: Array, V: Array) -> Array:
    E = np.exp(scores(Q, K))
    return E / E.sum(axis=0) @ V


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("wrong", [scale_missing, not_normalised, over_queries], ids=lambda f: f.__name__)
def test_wrong_algebra_is_outside(wrong: Callable[..., Array], name: str) -> None:
    sizes, form = SIZES[0], FloatFormat.of(name)
    seen = []
    for drawn in inputs(sizes, len(FAMILIES), SEED, form):
        result = wrong(*(drawn[key][0].astype(name) for key in "QKV"))
        seen += judge({"O": result}, Unit(drawn, sizes, SPEC, SPEC.allowed(sizes)), form)[:1]
    largest = max((d.fraction for d in seen), default=0)
    # A wrong scale moves a result by no more than half precision may.
    least = 1 if name == "float16" else 4
    assert largest == 0 if (name, wrong) == ("float16", scale_missing) else largest > least


def test_the_bound_says_something() -> None:
    random = np.random.default_rng(SEED)
    drawn = {name: random.standard_normal(shape) for name, shape in input_shapes(SIZES[0]).items()}
    bounds = [wide_bound(drawn, SIZES[0], SPEC, SPEC.allowed(SIZES[0]), FloatFormat.of(name)).max() for name in FORMATS]
    assert [a < b for a, b in zip(bounds, (1e-11, 1e-3, 2), strict=True)] == [True] * 3


def test_gradients_beyond_measure_have_no_bound() -> None:
    sizes = SIZES[0]
    drawn = {name: np.full(shape, 1e200) for name, shape in input_shapes(sizes).items()} | {"dO": np.ones((1, 2, 2))}
    bounds = wide_gradient_bound(drawn, sizes, SPEC, FloatFormat.of("float64"))
    assert all(np.isinf(bound).all() for bound in bounds.values())
    assert not ordinary(drawn, sizes, SPEC, FloatFormat.of("float64"), max_score=np.inf)


def test_inputs_that_are_not_finite_are_not_ordinary() -> None:
    sizes = SIZES[0]
    drawn = {name: np.zeros(shape) for name, shape in input_shapes(sizes).items()}
    assert ordinary(drawn, sizes, SPEC, FloatFormat.of("float16"))
    drawn["V"][0, 0, 0] = np.nan
    assert not ordinary(drawn, sizes, SPEC, FloatFormat.of("float16"))


def test_gradients_need_every_row_to_have_keys() -> None:
    sizes = Sizes(n=1, m=1, d_k=1, d_v=1)
    drawn = {name: np.ones(shape) for name, shape in input_shapes(sizes).items()} | {"dO": np.ones((1, 1, 1))}
    unit = Unit(drawn, sizes, SPEC, ((False,),))
    assert judge({"dQ": np.full((1, 1, 1), 7.0)}, unit, FloatFormat.of("float64")) == []
    assert judge({"O": np.full((1, 1), 7.0)}, unit, FloatFormat.of("float64")) == []
    assert set(exact_gradients(unit)) == {"dQ", "dK", "dV"}
    zero = Unit(drawn, sizes, AttentionSpec(empty_row="zero"), ((False,),))
    assert judge({"O": np.full((1, 1), 7.0)}, zero, FloatFormat.of("float64")) != []


def test_a_result_nobody_knows_is_refused() -> None:
    drawn = {name: np.zeros(shape) for name, shape in input_shapes(SIZES[0]).items()}
    unit = Unit(drawn, SIZES[0], SPEC, SPEC.allowed(SIZES[0]))
    with pytest.raises(ValueError, match="no result O of shape"):
        judge({"O": np.zeros((3, 3))}, unit, FloatFormat.of("float64"))
