"""Profiles and classes: the float64 evaluation against the formulas in balls, nesting, conversions, and behaviour."""

import itertools

import flint
import ml_dtypes
import numpy as np
import pytest

from attn_verify import AttentionSpec, Sizes
from attn_verify.checks import rounding
from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import CLASSES, PROFILES, Behaviour, FloatFormat, Profile, behaves_like, distances
from attn_verify.errors import SpecError
from attn_verify.shapes import input_shapes

SEED = 17
SPEC = AttentionSpec()
SINGLE = Sizes(n=2, m=3, d_k=2, d_v=2)
LAYER = Sizes(n=2, m=3, d_model=3, d_k=2, d_v=1, heads=2)
DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}


def _u(form):
    return flint.arb(form.unit_roundoff)


def _gamma(total):
    return total / (1 - total)


def _cast(a, b):
    return 2 * _u(b) if b.unit_roundoff > a.unit_roundoff else flint.arb(0)


def _entering(profile, *arrays):
    return flint.arb(0) if all(_exact_in(profile.input, a) for a in arrays) else 2 * _u(profile.input)


def _exact_in(form, array):
    if form.name == "tf32":
        return np.array_equal(array, (array.astype(np.float32).view(np.uint32) & ~np.uint32(0x1FFF)).view(np.float32))
    return form.name == "float64" or np.array_equal(array, array.astype(DTYPES[form.name]).astype(np.float64))


def _mat(a):
    return flint.arb_mat([[flint.arb(float(x)) for x in row] for row in a])


def _absolute(a):
    return flint.arb_mat([[abs(x) for x in row] for row in a.tolist()])


def _times(c, a):
    return flint.arb_mat([[c * x for x in row] for row in a.tolist()])


def _total(terms):
    return sum(terms, flint.arb(0))


def _formula(kind, inputs, sizes, allowed, profile, r, bias, softcap):
    """The bounds *fine* and *log* of docs/explanation/rounding.md in balls, without the parts for underflow."""
    p, m = profile, sizes.keys
    a, s, w, o = (_u(form) for form in (p.accumulation, p.scores, p.weights, p.output))
    scale = max(_u(p.input), s, key=float)
    sigma = 1 / flint.arb(sizes.d_k).sqrt()
    added = rounding.BIAS if bias is not None else 0
    blocks = []
    for t in range(sizes.heads):
        operands = {}
        for name in "QKV":
            if sizes.given_qkv:
                value = _mat(inputs[name][t])
                pair = [inputs["Q"], inputs["K"]] if name in "QK" else [inputs["V"]]
                operands[name] = value, _times(_gamma(_entering(p, *pair)), _absolute(value))
            else:
                X, W = inputs["X_KV" if sizes.cross and name != "Q" else "X"], inputs[f"W_{name}"][t]
                every = [inputs[key] for key in inputs if key != "W_O"]
                S = (
                    sizes.d_model * a
                    + rounding.SCALE * scale
                    + 2 * _entering(p, *every)
                    + _cast(p.accumulation, p.input)
                )
                operands[name] = _mat(X) * _mat(W), _times(_gamma(S), _absolute(_mat(X)) * _absolute(_mat(W)))
        (Q, dQ), (K, dK), (V, dV) = operands["Q"], operands["K"], operands["V"]
        scores, product = (Q * K.transpose()).tolist(), (_absolute(Q) * _absolute(K).transpose()).tolist()
        carried = (_absolute(Q) * dK.transpose() + dQ * _absolute(K).transpose() + dQ * dK.transpose()).tolist()
        S = sizes.d_k * a + rounding.SCALE * scale + added * s + _cast(p.accumulation, p.scores)
        rows = []
        for i, open_keys in enumerate(allowed):
            keys = [j for j, is_open in enumerate(open_keys) if is_open]
            x, delta = {}, {}
            for j in keys:
                x[j] = sigma * scores[i][j]
                delta[j] = sigma * (_gamma(S) * (product[i][j] + carried[i][j]) + carried[i][j])
                if softcap is not None:
                    cap = flint.arb(softcap)
                    size = min(sigma * product[i][j] + delta[j], cap, key=float)
                    delta[j] += _gamma((rounding.EXP + rounding.CAP) * s) * size
                    x[j] = cap * (x[j] / cap).tanh()
                if bias is not None:
                    b = flint.arb(float(bias[i, j]))
                    S_b = (rounding.SCALE + rounding.BIAS) * s + _entering(p, bias) + _cast(p.accumulation, p.scores)
                    delta[j] += _gamma(S_b) * abs(b)
                    x[j] += b
            top, W = max(x.values(), key=float), max(delta.values(), key=float)
            kappa = _gamma(rounding.SHIFT * s)
            exponential = (1 + r) * _gamma((rounding.EXP + rounding.RESCALE) * s) + _gamma(_cast(p.scores, p.weights))
            L = {j: delta[j] + kappa * (top - x[j] + 2 * W) + exponential for j in keys}
            e = {j: (x[j] - top).exp() for j in keys}
            total = _total(e.values())
            ln_m, g = flint.arb(m).log(), _gamma(rounding.LOG * s)
            T = W * (1 + 2 * kappa) + kappa * ln_m + exponential + _gamma((m + r) * a)
            rho = g * (max((abs(y) for y in x.values()), key=float) + T + 2 * ln_m + 1) / (1 - g * (1 + r))
            G = kappa * (ln_m + 3 * (T + (1 + r) * rho)) + T + (2 + r) * rho
            S_out = (2 * m + 2 * r + rounding.DIVIDE - 3) * a + 2 * max(a, s, w, key=float) + o
            factor = _gamma(S_out + _cast(p.scores, p.weights) + _cast(p.accumulation, p.output))
            row = []
            for c in range(sizes.d_v):
                mean = _total(e[j] * V[j, c] for j in keys) / total
                rounded = {j: factor * (abs(V[j, c]) + dV[j, c]) + dV[j, c] for j in keys}
                fine = _total(
                    e[j] * ((L[j].exp() - 1) * abs(V[j, c] - mean) + L[j].exp() * rounded[j]) for j in keys
                ) / _total(e[j] * (-L[j]).exp() for j in keys)
                log = (
                    _total(e[j] * (((L[j] + G).exp() - 1) * abs(V[j, c]) + (L[j] + G).exp() * rounded[j]) for j in keys)
                    / total
                )
                row.append((mean, max(fine, log, key=float) if kind == "log" else fine))
            rows.append(row)
        blocks.append(rows)
    Z = [[entry for rows in blocks for entry in rows[i]] for i in range(sizes.n)]
    if sizes.d_out is None:
        return [[error for _, error in row] for row in Z]
    W_O = _absolute(_mat(inputs["W_O"]))
    S = len(Z[0]) * a + _cast(p.accumulation, p.input) + _cast(p.accumulation, p.output) + _entering(p, inputs["W_O"])
    return [
        [
            _total((error + _gamma(S) * (abs(z) + error)) * W_O[at, c] for at, (z, error) in enumerate(row))
            for c in range(sizes.d_out)
        ]
        for row in Z
    ]


CASES = [
    (SINGLE, 0, False, None), (SINGLE, 3, True, None), (SINGLE, 0, True, 2.0), (LAYER, 1, False, None),
    (LAYER, 0, True, 0.5),
]  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name.replace(" ", "_"))
def test_the_float_evaluation_is_an_upper_bound_of_the_formulas(profile):
    random = np.random.default_rng(SEED)
    for (sizes, r, biased, softcap), kind in itertools.product(CASES, ("fine", "log")):
        allowed = SPEC.allowed(sizes, random.random((sizes.n, sizes.keys)) < 0.7)
        allowed = tuple((*row[:-1], True) for row in allowed)
        size = random.choice([0.3, 1, 4])
        inputs = {name: size * random.standard_normal(shape) for name, shape in input_shapes(sizes).items()}
        if random.random() < 0.5 and profile.input.name in DTYPES:
            inputs = {name: array.astype(DTYPES[profile.input.name]).astype(float) for name, array in inputs.items()}
        bias = random.standard_normal((sizes.n, sizes.keys)) if biased else None
        options = {"bias": bias, "softcap": softcap, "rescalings": r}
        bound = rounding.bounds(inputs, sizes, SPEC, allowed, profile, kind=kind, **options)
        lost = max(form.lost for form in profile.steps)
        with flint.ctx.workprec(300):
            exact = _formula(kind, inputs, sizes, allowed, profile, r, bias, softcap)
            for i, j in np.ndindex(bound.shape):
                if np.isfinite(bound[i, j]):
                    value = flint.arb(float(bound[i, j]))
                    assert value >= exact[i][j], f"seed {SEED}: {sizes}, {kind}, {options}"
                    # Close to it, but for underflow and for our own roundings of second order.
                    growth = 1e9 * lost * max(1, float(exact[i][j]))
                    assert value <= 1.000001 * exact[i][j] + growth + 1e-20, f"seed {SEED}: {sizes}, {kind}, {options}"
    assert np.isfinite(bound).any() or profile.name == "bfloat16"


def test_a_uniform_profile_is_the_bound_of_its_format():
    random = np.random.default_rng(SEED)
    for name in ("float32", "float16"):
        inputs = {k: random.standard_normal(s).astype(name).astype(float) for k, s in input_shapes(SINGLE).items()}
        allowed, form = SPEC.allowed(SINGLE), FloatFormat.of(name)
        one = rounding.layer_bound(inputs, SINGLE, SPEC, allowed, form)
        assert np.array_equal(one, rounding.bounds(inputs, SINGLE, SPEC, allowed, Profile.uniform(name)))
        wide = rounding.bounds(inputs, SINGLE, SPEC, allowed, Profile.uniform(name), kind="coarse", stable=False)
        assert np.array_equal(wide, rounding.wide_bound(inputs, SINGLE, SPEC, allowed, form))


@pytest.mark.parametrize("stable", [True, False])
def test_classes_and_formats_nest(stable):
    random = np.random.default_rng(SEED)
    for sizes, scale in itertools.product((SINGLE, LAYER, Sizes(n=3, m=9, d_k=4, d_v=2)), (0.1, 1, 3)):
        inputs = {k: scale * random.standard_normal(s) for k, s in input_shapes(sizes).items()}
        allowed = SPEC.allowed(sizes)
        found = rounding.all_bounds(inputs, sizes, SPEC, allowed, PROFILES, rescalings=2, stable=stable)
        assert (found["fine"] <= found["log"]).all(), f"seed {SEED}"
        assert (found["log"] <= found["coarse"]).all(), f"seed {SEED}"
        names = [profile.name for profile in PROFILES]
        for tight, wide in (("float64", "float32"), ("float32", "tf32"), ("float32", "bfloat16"),
                            ("float64", "float64 with float32 weights"), ("float32", "float16")):  # fmt: skip
            for kind in CLASSES:
                assert (found[kind][names.index(tight)] <= found[kind][names.index(wide)]).all(), f"seed {SEED}"


def test_stable_bounds_stay_meaningful_at_huge_scores():
    random = np.random.default_rng(SEED)
    sizes = Sizes(n=3, m=8, d_k=4, d_v=2)
    inputs = {k: random.standard_normal(s) for k, s in input_shapes(sizes).items()}
    for name in "QK":
        inputs[name] *= 300  # scaled scores of some 1e5
    allowed, profile = SPEC.allowed(sizes), Profile.of("float64")
    coarse = rounding.bounds(inputs, sizes, SPEC, allowed, profile, kind="coarse")
    assert (coarse < 1e-6).all()
    assert np.isinf(rounding.bounds(inputs, sizes, SPEC, allowed, profile, kind="coarse", stable=False)).all()
    # A key that no query attends to may hold anything.
    masked = SPEC.allowed(sizes, np.arange(sizes.keys)[None].repeat(3, 0) < 7)
    inputs["K"][:, 7], inputs["V"][:, 7] = np.nan, np.inf
    assert (rounding.bounds(inputs, sizes, SPEC, masked, profile, kind="coarse") < 1e-6).all()


def test_where_a_partial_sum_may_overflow_there_is_no_bound():
    sizes, profile = Sizes(n=1, m=2, d_k=2, d_v=1), Profile.of("float16")
    inputs = {"Q": np.array([[[300.0, 300]]]), "K": np.array([[[300.0, -300], [0, 0]]]), "V": np.ones((1, 2, 1))}
    assert np.isinf(rounding.bounds(inputs, sizes, SPEC, SPEC.allowed(sizes), profile)).all()
    inputs["K"] /= 300
    assert np.isfinite(rounding.bounds(inputs, sizes, SPEC, SPEC.allowed(sizes), profile)).all()
    inputs["V"] *= 60000
    assert np.isinf(rounding.bounds(inputs, sizes, SPEC, SPEC.allowed(sizes), profile)).all()


def test_a_key_without_numbers_leaves_other_rows_alone():
    sizes = Sizes(n=2, m=2, d_k=1, d_v=1)
    inputs = {name: np.ones(shape) for name, shape in input_shapes(sizes).items()}
    allowed = SPEC.allowed(sizes, [[1, 0], [1, 1]])
    before = rounding.bounds(inputs, sizes, SPEC, allowed, Profile.of("float64"), kind="log")
    inputs["V"][0, 1] = np.nan
    after = rounding.bounds(inputs, sizes, SPEC, allowed, Profile.of("float64"), kind="log")
    assert after[0] == before[0]
    assert np.isinf(after[1])


def test_a_masked_embedding_may_hold_anything():
    sizes = Sizes(n=2, m=3, d_model=2, d_k=1, d_v=1)
    inputs = {name: np.ones(shape) for name, shape in input_shapes(sizes).items()}
    allowed = SPEC.allowed(sizes, [[1, 1, 0], [1, 1, 0]])
    before = rounding.bounds(inputs, sizes, SPEC, allowed, Profile.of("float64"), kind="coarse")
    for value in (np.nan, np.inf, 1e300):
        inputs["X_KV"][2] = value
        after = rounding.bounds(inputs, sizes, SPEC, allowed, Profile.of("float64"), kind="coarse")
        assert np.array_equal(before, after)
    inputs["X_KV"][1] = np.nan
    assert np.isinf(rounding.bounds(inputs, sizes, SPEC, allowed, Profile.of("float64"), kind="coarse")).all()


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16"])
def test_a_format_knows_its_numbers(name):
    random, form = np.random.default_rng(SEED), FloatFormat.of(name)
    drawn = random.standard_normal(2000) * 10.0 ** random.uniform(-9, 4, 2000)
    inside = drawn.astype(DTYPES[name]).astype(float)
    assert form.holds(inside[np.isfinite(inside)]), f"seed {SEED}"
    for x, y in zip(drawn[:200], inside[:200], strict=True):
        assert form.holds(np.array([x])) == (x == y), f"seed {SEED}"
    smallest = 2 * form.tiny * form.unit_roundoff
    assert form.holds(np.array([0.0, form.tiny, smallest, -form.largest]))
    assert not form.holds(np.array([smallest / 2]))
    assert not form.holds(np.array([2 * form.largest]))


@pytest.mark.parametrize("call", [
    lambda: FloatFormat.of("float8"), lambda: FloatFormat.of("int32"), lambda: Profile.of("double"),
    lambda: rounding.bounds({}, SINGLE, SPEC, ((True,),), PROFILES[0], kind="best"),
])  # fmt: skip
def test_unknown_names_are_refused(call):
    with pytest.raises(SpecError, match="got"):
        call()


def _float64(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(1, keepdims=True))
    return E / E.sum(1, keepdims=True) @ V


def _float32_weights(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(1, keepdims=True))
    return (E / E.sum(1, keepdims=True)).astype(np.float32).astype(np.float64) @ V


def _float32_output(Q, K, V):
    return _float64(Q, K, V).astype(np.float32)


def _float32_inputs(Q, K, V):
    return _float64(*(A.astype(np.float32).astype(np.float64) for A in (Q, K, V)))


def _float32(Q, K, V):
    return _float64(*(A.astype(np.float32) for A in (Q, K, V)))


def _float16(Q, K, V):
    return _float64(*(A.astype(np.float16) for A in (Q, K, V)))


def _distances(Q, K, V):
    D = ((Q[:, None] - K[None]) ** 2).sum(-1)
    S = ((K**2).sum(-1) - D) / (2 * np.sqrt(Q.shape[1]))
    return _quotient(S, V)


def _quotient(S, V):
    E = np.exp(S - S.max(1, keepdims=True))
    return E @ V / E.sum(1, keepdims=True)


def _wrong(Q, K, V):
    return _float64(Q, K, V) + np.nan


# The first whose bound holds; steps that are off by as much as one another cannot be told apart.
@pytest.mark.parametrize(("function", "expected"), [
    (_float64, ("float64", "fine")),
    (_float32_output, ("float64 with float32 output", "fine")),
    (_float32_weights, ("float64 with float32 output", "fine")),
    (_float32_inputs, ("float64 with float32 inputs", "fine")),
    (_float32, ("float64 with float32 inputs", "fine")),
    (_float16, ("tf32", "fine")),
    (_distances, ("float64", "coarse")),
    (_wrong, None),
], ids=lambda x: getattr(x, "__name__", ""))  # fmt: skip
def test_a_target_behaves_like_the_precision_that_it_computes_in(function, expected):
    random, seen = np.random.default_rng(SEED), Behaviour()
    sizes = Sizes(n=4, m=3, d_k=2, d_v=8)
    for _ in range(6):
        inputs = {k: 6 * random.standard_normal(s) for k, s in input_shapes(sizes).items()}
        if function is _distances:
            # A common part of keys and queries that cancels in the differences of scores.
            inputs["Q"] /= 16
            inputs["K"] = inputs["K"] / 64 + 100
        exact = np.array(enclose(inputs, sizes, SPEC, SPEC.allowed(sizes)), dtype=object)
        errors = distances(function(*(inputs[name][0] for name in "QKV")), exact)
        seen.add(behaves_like(errors, inputs, sizes, SPEC, SPEC.allowed(sizes), rescalings=0))
    found = seen.tightest()
    assert (found and found[:2]) == expected, f"seed {SEED}: {found}"


def test_distances_enclose():
    with flint.ctx.workprec(100):
        third = flint.arb(1) / 3
    exact = np.array([third, flint.arb("1 +/- 1e-3"), None, flint.arb(2), flint.arb(5)], dtype=object)
    found = distances(np.array([1 / 3, 1.0, 7.0, np.nan, np.inf]), exact)
    assert 1.85e-17 <= found[0] <= 1.86e-17
    assert 1e-3 <= found[1] <= 1.001e-3
    assert np.isnan(found[2])
    assert np.isinf(found[3:]).all()
