"""The bound against its formula in balls, against correct code, and against code that is slightly wrong."""

import itertools

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify import AttentionSpec, Sizes, attention, multihead
from attn_verify.checks import rounding
from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import FloatFormat, constants, layer_bound
from attn_verify.shapes import input_shapes
from attn_verify.strategies import layer_inputs

SINGLE = Sizes(n=2, m=3, d_k=2, d_v=2)
MULTI = Sizes(n=2, d_model=3, d_k=2, d_v=2, heads=2, d_out=2)
CROSS = Sizes(n=1, m=3, d_model=2, d_k=2, d_v=1)


def _formula(inputs, sizes, spec, allowed, form, rescalings=0):
    """The bound of docs/explanation/rounding.md in balls from exact scores, weights and outputs; one list of rows."""
    u = flint.arb(form.unit_roundoff)

    def gamma(k):
        return k * u / (1 - k * u)

    def mat(a):
        return flint.arb_mat([[flint.arb(float(x)) for x in row] for row in a])

    def absolute(a):
        return flint.arb_mat([[abs(x) for x in row] for row in a.tolist()])

    sigma = 1 / flint.arb(sizes.d_k).sqrt()
    blocks, errors = [], []
    for t in range(sizes.heads):
        operands = {}
        for name in "QKV":
            if sizes.given_qkv:
                value = mat(inputs[name][t])
                operands[name] = value, flint.arb_mat(value.nrows(), value.ncols())
            else:
                source = mat(inputs["X"] if name == "Q" or not sizes.cross else inputs["X_KV"])
                weight = mat(inputs[f"W_{name}"][t])
                inner = source.ncols()
                size = absolute(source) * absolute(weight)
                error = [[gamma(inner + rounding.SCALE) * x for x in row] for row in size.tolist()]
                operands[name] = source * weight, flint.arb_mat(error)
        (Q, dQ), (K, dK), (V, dV) = operands["Q"], operands["K"], operands["V"]
        S = (Q * K.transpose()).tolist()
        aQ, aK = absolute(Q), absolute(K)
        carried = (aQ * dK.transpose() + dQ * aK.transpose() + dQ * dK.transpose()).tolist()
        product = (aQ * aK.transpose()).tolist()
        block, block_error = [], []
        for i, open_keys in enumerate(allowed):
            keys = [j for j, is_open in enumerate(open_keys) if is_open]
            if not keys:
                block.append([flint.arb(0)] * sizes.d_v)
                block_error.append([flint.arb(0)] * sizes.d_v)
                continue
            s = {j: sigma * S[i][j] for j in keys}
            error = {
                j: sigma * (gamma(sizes.d_k + rounding.SCALE) * (product[i][j] + carried[i][j]) + carried[i][j])
                for j in keys
            }
            top = max(s.values(), key=lambda x: float(x.mid()))
            worst = max(error.values(), key=lambda x: float(x.mid()))
            L = {
                j: error[j]
                + gamma(rounding.SHIFT) * (top - s[j] + 2 * worst)
                + (1 + rescalings) * gamma(rounding.EXP + rounding.RESCALE)
                for j in keys
            }
            e = {j: (s[j] - top).exp() for j in keys}
            below = sum((e[j] * (-L[j]).exp() for j in keys), flint.arb(0))
            total = sum(e.values(), flint.arb(0))
            row, row_error = [], []
            for c in range(sizes.d_v):
                o = sum((e[j] * V[j, c] for j in keys), flint.arb(0)) / total
                factor = gamma(2 * sizes.keys + 2 * rescalings + rounding.DIVIDE)
                above = sum(
                    (
                        e[j]
                        * (
                            (L[j].exp() - 1) * abs(V[j, c] - o)
                            + L[j].exp() * (factor * (abs(V[j, c]) + dV[j, c]) + dV[j, c])
                        )
                        for j in keys
                    ),
                    flint.arb(0),
                )
                row.append(o)
                row_error.append(above / below)
            block.append(row)
            block_error.append(row_error)
        blocks.append(block)
        errors.append(block_error)
    Z = [[x for block in blocks for x in block[i]] for i in range(sizes.n)]
    dZ = [[x for error in errors for x in error[i]] for i in range(sizes.n)]
    if sizes.d_out is None:
        return dZ
    W = inputs["W_O"]
    inner = sizes.heads * sizes.d_v
    return [
        [
            sum(
                (dZ[i][a] * abs(flint.arb(float(W[a, c]))) for a in range(inner)),
                sum(
                    (gamma(inner) * (abs(Z[i][a]) + dZ[i][a]) * abs(flint.arb(float(W[a, c]))) for a in range(inner)),
                    flint.arb(0),
                ),
            )
            for c in range(sizes.d_out)
        ]
        for i in range(sizes.n)
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rescalings", [0, 3])
@pytest.mark.parametrize(("sizes", "spec"), [
    (SINGLE, AttentionSpec()),
    (SINGLE, AttentionSpec(causal="upper_left")),
    (Sizes(n=4, m=2, d_k=2, d_v=1), AttentionSpec(causal="lower_right")),
    (MULTI, AttentionSpec()),
    (CROSS, AttentionSpec()),
])  # fmt: skip
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_float_evaluation_is_an_upper_bound_of_the_formula_and_tight(dtype, rescalings, sizes, spec, data):
    inputs = data.draw(layer_inputs(sizes, dtype=dtype))
    allowed = spec.allowed(sizes)
    form = FloatFormat.of(dtype)
    bound = layer_bound(inputs, sizes, spec, allowed, form, rescalings=rescalings)
    with flint.ctx.workprec(400):
        exact = _formula(inputs, sizes, spec, allowed, form, rescalings)
        for i, j in itertools.product(range(sizes.n), range(bound.shape[1])):
            value = flint.arb(float(bound[i, j]))
            assert value >= exact[i][j], (i, j, value, exact[i][j])
            # Not above it by more than 1e-6 of it, the underflow allowance, and products of two roundoffs.
            magnitude = 1 + max(float(np.abs(array).max()) for array in inputs.values()) ** 3
            slack = (
                1e-6 * float(exact[i][j].mid()) + 1e6 * form.tiny * magnitude**2 + 1e-8 * form.unit_roundoff * magnitude
            )
            assert value <= exact[i][j] + slack, (i, j, value, exact[i][j])


def _deviation(result, exact):
    return np.array([[float(abs(flint.arb(float(x)) - e).upper()) for x, e in zip(row, balls, strict=True)]
                     for row, balls in zip(result, exact, strict=True)])  # fmt: skip


def _single(inputs, **options):
    return attention(inputs["Q"][0], inputs["K"][0], inputs["V"][0], **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [
    {"n": 1, "m": 1, "d_k": 1, "d_v": 1},
    {"n": 2, "m": 7, "d_k": 5, "d_v": 3},
    {"n": 3, "m": 65, "d_k": 64, "d_v": 2},
])  # fmt: skip
def test_correct_code_stays_inside_at_ordinary_and_large_scores(dtype, size):
    sizes, spec, seed = Sizes(**size), AttentionSpec(causal="lower_right"), 11
    generator = np.random.default_rng(seed)
    allowed, form = spec.allowed(sizes), FloatFormat.of(dtype)
    for magnitude in (1e-3, 1, 10, 100):
        for _ in range(10):
            shapes = input_shapes(sizes)
            inputs = {k: (magnitude * generator.standard_normal(v)).astype(dtype) for k, v in shapes.items()}
            bound = layer_bound(inputs, sizes, spec, allowed, form)
            found = _deviation(_single(inputs, causal="lower_right"), enclose(inputs, sizes, spec, allowed))
            assert (found <= bound).all(), f"seed {seed}"


def test_an_online_softmax_needs_its_rescalings_and_stays_inside():
    sizes, spec, seed = Sizes(n=1, m=40, d_k=4, d_v=2), AttentionSpec(), 3
    generator = np.random.default_rng(seed)
    form = FloatFormat.of("float32")
    for _ in range(20):
        inputs = {k: (3 * generator.standard_normal(v)).astype("float32") for k, v in input_shapes(sizes).items()}
        bound = layer_bound(inputs, sizes, spec, spec.allowed(sizes), form, rescalings=sizes.m)
        found = _deviation(
            _online(*(inputs[name][0] for name in "QKV")), enclose(inputs, sizes, spec, spec.allowed(sizes))
        )
        assert (found <= bound).all(), f"seed {seed}"


def _online(Q, K, V):
    S = Q @ K.T * np.float32(Q.shape[1] ** -0.5)
    mu, total, sum_v = np.float32(-np.inf), np.float32(0), np.zeros(V.shape[1], np.float32)
    for s, v in zip(S[0], V, strict=True):
        new = max(mu, s)
        factor, weight = np.exp(mu - new), np.exp(s - new)
        mu, total, sum_v = new, total * factor + weight, sum_v * factor + weight * v
    return (sum_v / total)[None]


@pytest.mark.parametrize("loss", [1e-9, 1e-11])
def test_a_small_relative_loss_is_seen_in_float64(loss):
    sizes, spec, seed = Sizes(n=2, m=4, d_k=3, d_v=2), AttentionSpec(), 5
    generator = np.random.default_rng(seed)
    inputs = {k: generator.standard_normal(v) for k, v in input_shapes(sizes).items()}
    bound = layer_bound(inputs, sizes, spec, spec.allowed(sizes), FloatFormat.of("float64"))
    found = _deviation(_single(inputs) * (1 + loss), enclose(inputs, sizes, spec, spec.allowed(sizes)))
    assert (found > bound).any(), f"seed {seed}"


def test_a_hidden_float32_step_is_seen_in_float64():
    sizes, spec, seed = Sizes(n=2, m=4, d_k=3, d_v=2), AttentionSpec(), 6
    generator = np.random.default_rng(seed)
    inputs = {k: generator.standard_normal(v) for k, v in input_shapes(sizes).items()}
    bound = layer_bound(inputs, sizes, spec, spec.allowed(sizes), FloatFormat.of("float64"))
    halved = {name: array.astype(np.float32).astype(np.float64) for name, array in inputs.items()}
    found = _deviation(_single(halved), enclose(inputs, sizes, spec, spec.allowed(sizes)))
    assert (found > 1000 * bound).any(), f"seed {seed}"


def test_a_batch_has_the_bounds_of_its_members():
    spec, seed = AttentionSpec(), 8
    generator = np.random.default_rng(seed)
    for sizes in (SINGLE, MULTI, CROSS):
        batch = {k: generator.standard_normal((5, *v)) for k, v in input_shapes(sizes).items()}
        form = FloatFormat.of("float32")
        together = layer_bound(batch, sizes, spec, spec.allowed(sizes), form)
        for b in range(5):
            alone = layer_bound({k: v[b] for k, v in batch.items()}, sizes, spec, spec.allowed(sizes), form)
            assert np.allclose(together[b], alone, rtol=1e-9, atol=0), f"seed {seed}"  # two evaluations of one formula


@pytest.mark.parametrize(("empty_row", "zero"), [("zero", True), ("any", True), ("mean", False)])
def test_rows_without_a_key(empty_row, zero):
    spec = AttentionSpec(empty_row=empty_row, mask="boolean")
    allowed = spec.allowed(SINGLE, [[1, 1, 0], [0, 0, 0]])
    inputs = {name: np.ones(shape) for name, shape in input_shapes(SINGLE).items()}
    bound = layer_bound(inputs, SINGLE, spec, allowed, FloatFormat.of("float64"))
    assert (bound[0] > 0).all()
    assert (bound[1] == 0).all() == zero
    result = _single(inputs, mask=np.array(allowed), empty_row=empty_row if empty_row != "any" else "zero")
    assert (
        _deviation(result, enclose(inputs, SINGLE, AttentionSpec(empty_row="mean" if not zero else "zero"), allowed))
        <= bound
    ).all()


def test_a_masked_key_does_not_enter_the_bound_whatever_it_holds():
    allowed = AttentionSpec().allowed(SINGLE, [[1, 1, 0], [1, 1, 0]])
    inputs = {name: np.ones(shape) for name, shape in input_shapes(SINGLE).items()}
    small = layer_bound(inputs, SINGLE, AttentionSpec(), allowed, FloatFormat.of("float64"))
    inputs["K"][0, 2] = inputs["V"][0, 2] = 1e300
    large = layer_bound(inputs, SINGLE, AttentionSpec(), allowed, FloatFormat.of("float64"))
    assert np.array_equal(small, large)
    inputs["K"][0, 2] = inputs["V"][0, 2] = np.inf
    assert np.array_equal(small, layer_bound(inputs, SINGLE, AttentionSpec(), allowed, FloatFormat.of("float64")))


def test_where_the_bound_says_nothing_it_is_infinite():
    inputs = {name: np.full(shape, 1e200) for name, shape in input_shapes(SINGLE).items()}
    bound = layer_bound(inputs, SINGLE, AttentionSpec(), AttentionSpec().allowed(SINGLE), FloatFormat.of("float64"))
    assert np.isinf(bound).all()
    assert FloatFormat.of("float16").gamma(2**11) == np.inf


@pytest.mark.parametrize("constant", ["SCALE", "EXP", "DIVIDE", "SHIFT"])
def test_every_constant_enters_the_bound(constant, monkeypatch):
    generator = np.random.default_rng(9)
    inputs = {name: generator.standard_normal(shape) for name, shape in input_shapes(SINGLE).items()}
    form, allowed = FloatFormat.of("float64"), AttentionSpec().allowed(SINGLE)
    before = layer_bound(inputs, SINGLE, AttentionSpec(), allowed, form)
    monkeypatch.setattr(constants, constant, 0)
    assert (layer_bound(inputs, SINGLE, AttentionSpec(), allowed, form) < before).all()


def test_multihead_results_lie_inside():
    spec, seed = AttentionSpec(), 10
    generator = np.random.default_rng(seed)
    for dtype in ("float32", "float64"):
        inputs = {k: generator.standard_normal(v).astype(dtype) for k, v in input_shapes(MULTI).items()}
        bound = layer_bound(inputs, MULTI, spec, spec.allowed(MULTI), FloatFormat.of(dtype))
        exact = enclose(inputs, MULTI, spec, spec.allowed(MULTI))
        assert (_deviation(multihead(*inputs.values()), exact) <= bound).all(), f"seed {seed}"
