"""The third reading: in balls against mpmath at 400 bits, in SymPy against the expanded derivation."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

from attn_verify import derive
from attn_verify.arithmetic.attention import attention, layer
from attn_verify.arithmetic.ball import BALL, ends, precision
from attn_verify.arithmetic.number_system import Arithmetic, scale_value, textbook_matmul
from attn_verify.checks.identities import polynomial
from attn_verify.shapes import input_shapes

SHARED = ("X", "X_KV", "W_O")
BITS = 400


# --- balls against mpmath ------------------------------------------------------------------------


def by_definition(inputs, sizes, spec, allowed):
    """The layer in mpmath, by row maximum and normalised weights: not the order of operations under test."""
    mp = mpmath.mp
    names = {name: mpmath.mpf(size) for name, size in sizes.items()}
    scale = mp.mpf(1) / mp.sqrt(sizes.d_k)
    if spec.scale != "1 / sqrt(d_k)":
        scale = eval(spec.scale, {"sqrt": mp.sqrt, "__builtins__": {}}, names)  # our own texts of the fixtures
    heads = []
    for t in range(sizes.heads):
        if sizes.given_qkv:
            Q, K, V = (mp.matrix(inputs[name][t]) for name in "QKV")
        else:
            X = mp.matrix(inputs["X"][0])
            X_KV = mp.matrix(inputs["X_KV"][0]) if sizes.cross else X
            Q, K, V = (
                X * mp.matrix(inputs["W_Q"][t]),
                X_KV * mp.matrix(inputs["W_K"][t]),
                X_KV * mp.matrix(inputs["W_V"][t]),
            )
        S = Q * K.T
        O = []
        for i, open_keys in enumerate(allowed):
            keys = [j for j, is_open in enumerate(open_keys) if is_open]
            if keys:
                top = max(scale * S[i, j] for j in keys)
                weights = {j: mp.exp(scale * S[i, j] - top) for j in keys}
            elif spec.empty_row in ("nan", "any"):
                O.append([None] * V.cols)
                continue
            else:
                weights = dict.fromkeys(range(len(open_keys)), mp.mpf(1 if spec.empty_row == "mean" else 0))
            total = mp.fsum(weights.values()) or mp.mpf(1)
            O.append([mp.fsum(weights[j] / total * V[j, c] for j in weights) for c in range(V.cols)])
        heads.append(O)
    Z = [[entry for O in heads for entry in O[i]] for i in range(sizes.n)]
    if sizes.d_out is None:
        return Z
    W = mp.matrix(inputs["W_O"][0])
    return [
        [None] * sizes.d_out
        if row[0] is None
        else [mp.fsum(z * W[a, b] for a, z in enumerate(row)) for b in range(sizes.d_out)]
        for row in Z
    ]


def draw(sizes, rng, size):
    """Random floats by name, one matrix a head where heads have their own; with zeros and equal entries."""
    inputs = {}
    for name, shape in input_shapes(sizes).items():
        array = rng.normal(0, size, shape)
        array[rng.random(shape) < 0.1] = 0.0
        inputs[name] = [array.tolist()] if name in SHARED else array.tolist()
    return inputs


def in_balls(inputs):
    return {
        name: [[[BALL.number(Fraction(x)) for x in row] for row in A] for A in blocks]
        for name, blocks in inputs.items()
    }


def fraction(x):
    sign, mantissa, exponent, _ = x._mpf_
    return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** exponent


@pytest.mark.parametrize("size", [1.0, 1e-6, 12.0])
def test_balls_contain_the_values_of_mpmath(case, size):
    sizes, spec, mask = case
    seed = 20240817
    inputs = draw(sizes, np.random.default_rng(seed), size)
    allowed = spec.allowed(sizes, mask)
    with precision(128):
        result = layer(in_balls(inputs), sizes, spec, allowed, BALL).output()
    with mpmath.workprec(BITS):
        expected = by_definition(inputs, sizes, spec, allowed)
    assert len(result) == sizes.n
    for i, (row, wanted) in enumerate(zip(result, expected, strict=True)):
        for j, (found, exact) in enumerate(zip(row, wanted, strict=True)):
            place = f"entry [{i + 1},{j + 1}], seed {seed}"
            if exact is None:
                assert found is None, place
                continue
            low, high = ends(found)
            # mpmath itself rounds: at 400 bits its error is far below the 128 bits of the balls.
            slack = Fraction(1, 2**200) * (1 + abs(fraction(exact)))
            assert low - slack <= fraction(exact) <= high + slack, place
            assert high - low <= Fraction(1, 2**60) * (1 + abs(fraction(exact))), f"{place}: the ball is wide"


def test_a_layer_shows_its_heads():
    sizes = derive({"n": 2, "d_k": 1, "d_v": 1, "heads": 2}).sizes
    spec = derive(sizes).spec
    inputs = {name: [[[Fraction(1)], [Fraction(t)]] for t in (2, 3)] for name in "QKV"}
    with precision(128):
        balls = {
            name: [[[BALL.number(x) for x in row] for row in A] for A in blocks] for name, blocks in inputs.items()
        }
        result = layer(balls, sizes, spec, spec.allowed(sizes), BALL)
    assert len(result.heads) == 2
    assert result.Y is None
    assert result.output() is result.Z
    assert [row[0] for row in result.Z] == [row[0] for row in result.heads[0].O]
    assert [row[1] for row in result.Z] == [row[0] for row in result.heads[1].O]


def test_the_comparison_sees_a_wrong_weight():
    sizes, spec = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}).sizes, derive({"n": 1, "d_k": 1, "d_v": 1}).spec
    inputs = {"Q": [[[1.0]]], "K": [[[0.0], [2.0**-40]]], "V": [[[0.0], [1.0]]]}
    with precision(128):
        (row,) = layer(in_balls(inputs), sizes, spec, ((True, True),), BALL).output()
    low, _ = ends(row[0])
    assert low > Fraction(1, 2)


# --- SymPy against the derivation ----------------------------------------------------------------

SYMPY = Arithmetic(
    name="SymPy",
    number=lambda value: sympy.Rational(value.numerator, value.denominator),
    sqrt=sympy.sqrt,
    exp=sympy.exp,
    matmul=textbook_matmul,
)


def opened(expression, names):
    """Replace every ``exp(…)`` and every ``1/(…)`` by a symbol that stands for its expanded argument.

    Equal arguments get equal symbols, so that equal polynomials in the symbols are equal functions.
    """

    def symbol(kind, argument):
        return names.setdefault((kind, sympy.expand(argument)), sympy.Symbol(f"{kind}{len(names)}"))

    expression = expression.replace(lambda e: isinstance(e, sympy.exp), lambda e: symbol("E", e.args[0]))
    return expression.replace(
        lambda e: e.is_Pow and e.base.is_Add and e.exp.is_Integer and e.exp < 0,
        lambda e: symbol("R", e.base) ** -e.exp,
    )


def same(left, right):
    """Decide equality without ``simplify``, coefficient by coefficient."""
    names = {}
    return polynomial(opened(left, names)) == polynomial(opened(right, names))


SMALL = {
    "qkv": {"n": 2, "m": 3, "d_k": 2, "d_v": 2},
    "self": {"n": 2, "d_model": 2, "d_k": 2, "d_v": 1},
    "cross": {"n": 2, "m": 3, "d_model": 1, "d_k": 2, "d_v": 2},
    "multihead": {"n": 2, "d_model": 2, "d_k": 1, "d_v": 1, "heads": 2, "d_out": 2},
}


def symbols(derivation):
    """The input symbols as the third reading takes them: a list of matrices for each name."""
    inputs = {}
    for stage in derivation.inputs:
        inputs.setdefault(stage.name, []).append([list(row) for row in stage.symbols])
    return inputs


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize(
    ("spec", "masked"),
    [
        ({}, False),
        ({"scale": 1}, False),
        ({"scale": "1/d_k"}, False),
        ({"causal": "lower_right"}, False),
        ({"causal": "upper_left"}, False),
        ({"empty_row": "zero"}, True),
        ({"empty_row": "mean"}, True),
        ({"empty_row": "nan"}, True),
    ],
    ids=lambda value: (
        "-".join(map(str, value.values())) or "paper" if isinstance(value, dict) else "masked" if value else "open"
    ),
)
def test_the_third_reading_is_the_expanded_derivation(kind, spec, masked):
    sizes = SMALL[kind]
    n, m = sizes["n"], sizes.get("m", sizes["n"])
    mask = [[False] * m if i == 0 else [j != 1 for j in range(m)] for i in range(n)] if masked else None
    derivation = derive(sizes, spec, mask=mask)
    run = layer(symbols(derivation), derivation.sizes, derivation.spec, derivation.allowed, SYMPY)
    result, key = run.output(), derivation.output.key
    for i, j in itertools.product(range(n), range(len(result[0]))):
        entry = derivation.expand(f"{key}[{i + 1},{j + 1}]")
        if result[i][j] is None:
            assert entry is sympy.nan
        else:
            assert same(result[i][j], entry), f"{key}[{i + 1},{j + 1}]"
    for t, head in enumerate(run.heads, start=1):
        suffix = "" if len(run.heads) == 1 else f":{t}"
        for i, j in itertools.product(range(n), range(m)):
            score, weight = (derivation.expand(f"{name}{suffix}[{i + 1},{j + 1}]") for name in "SP")
            assert score == -sympy.oo if head.S[i][j] is None else same(head.S[i][j], score)
            assert weight is sympy.nan if head.P[i][j] is None else same(head.P[i][j], weight)


def test_the_comparison_tells_different_entries_apart():
    derivation = derive(SMALL["qkv"])
    run = layer(symbols(derivation), derivation.sizes, derivation.spec, derivation.allowed, SYMPY)
    entries = [(i, j) for i in range(2) for j in range(2)]
    for here, there in itertools.product(entries, repeat=2):
        expanded = derivation.expand(f"O[{there[0] + 1},{there[1] + 1}]")
        assert same(run.Z[here[0]][here[1]], expanded) == (here == there)
    unscaled = derive(SMALL["qkv"], {"scale": 1})
    assert not same(run.Z[0][0], unscaled.expand("O[1,1]"))
    causal = derive(SMALL["qkv"], {"causal": "upper_left"})
    assert not same(run.Z[0][0], causal.expand("O[1,1]"))


# --- number systems ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("1/sqrt(d_k)", 1 / sympy.sqrt(3)),
        ("d_k ** -0.5", 1 / sympy.sqrt(3)),
        ("d_k ** -(1/4)", sympy.sqrt(1 / sympy.sqrt(3))),
        ("d_k ** (3/4) - -1", 1 + sympy.sqrt(sympy.sqrt(3)) ** 3),
        ("2 ** 64 * n / m", sympy.Integer(2) ** 63),
        ("-heads", -1),
    ],
)
def test_a_scale_is_evaluated_in_any_number_system(scale, expected):
    derivation = derive({"n": 2, "m": 4, "d_k": 3, "d_v": 1})
    node = derivation.spec.with_(scale=scale).scale_node()
    value = scale_value(node, derivation.sizes, SYMPY)
    assert sympy.expand(value - expected) == 0
    with precision(300):
        low, high = ends(scale_value(node, derivation.sizes, BALL))
    exact = sympy.Rational(sympy.N(expected, 80))
    slack = abs(exact) / 10**70
    assert sympy.Rational(low.numerator, low.denominator) - slack <= exact
    assert exact <= sympy.Rational(high.numerator, high.denominator) + slack


def test_products_are_those_of_the_definition():
    seed = 11
    rng = np.random.default_rng(seed)
    for _ in range(20):
        n, k, m = rng.integers(1, 5, 3)
        A, B = rng.integers(-9, 10, (n, k)), rng.integers(-9, 10, (k, m))
        assert textbook_matmul(A.tolist(), B.tolist()) == (A @ B).tolist(), f"seed {seed}"
    with pytest.raises(ValueError, match="zip"):
        textbook_matmul([[1, 2]], [[3]])


def test_a_ragged_input_is_not_silently_cut():
    one = BALL.number(Fraction(1))
    with pytest.raises(ValueError, match="zip"):
        attention(
            [[one]],
            [[one, one], [one]],
            [[one], [one]],
            scale=one,
            allowed=((True, True),),
            empty_row="zero",
            arithmetic=BALL,
        )
