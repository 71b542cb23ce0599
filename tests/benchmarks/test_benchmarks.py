"""What the package promises about time and memory, each against the naive way in the same run.

As part of the tests every benchmark runs once, without a clock.  For the numbers::

    python -m pytest tests/benchmarks --benchmark-enable -n 0

Beside each stands a plain test of what makes it fast, which no busy machine can upset.
"""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy

from attn_verify import AttentionSpec, Sizes, attention, check, crosscheck, derive
from attn_verify.arithmetic import attention as third_reading
from attn_verify.arithmetic.ball import BALL, ends, precision
from attn_verify.checks import compare
from attn_verify.checks.oracle import enclose
from attn_verify.checks.rounding import FloatFormat, layer_bound
from attn_verify.shapes import input_shapes
from attn_verify.worked import load

MULTIHEAD = Sizes(n=3, d_model=5, d_k=3, d_v=3, heads=4, d_out=3)
SIXTEEN = Sizes(n=16, d_k=16, d_v=16)
SIXTY_FOUR = Sizes(n=64, d_k=64, d_v=64)
SEED = 20250101

SIZE_FLAGS = ["--n", "3", "--d-model", "5", "--d-k", "3", "--d-v", "3", "--heads", "4", "--d-out", "3"]
DERIVE = f"from attn_verify import derive; d = derive({MULTIHEAD.to_dict()})"
ALL_STAGES = "[stage.entries for stage in d.stages]"


def draw(sizes, *batch):
    """Standard normal inputs of a layer, by name, with batch axes in front."""
    rng = np.random.default_rng(SEED)
    return {name: rng.standard_normal((*batch, *shape)) for name, shape in input_shapes(sizes).items()}


def agree(left, right, inputs, derivation):
    """Both lie within the rounding bound of the exact value, so within twice the bound of each other."""
    bound = layer_bound(inputs, derivation.sizes, derivation.spec, derivation.allowed, FloatFormat.of(np.float64))
    assert np.all(np.abs(left - right) <= 2 * bound), f"seed {SEED}"


def loaded_after(code):
    """The modules that a fresh interpreter has loaded after running ``code``."""

    report = "import sys; print('\\n'.join(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def command(*arguments):
    run = f"main({list(arguments)!r})"
    return f"from attn_verify.cli import main\ntry:\n    {run}\nexcept SystemExit:\n    pass"


# --- derive: four heads, all stages --------------------------------------------------------------


def expanded_matrices(sizes):
    """The naive way: SymPy matrices of the inputs, multiplied out to the result."""

    def matrix(name, rows, columns):
        return sympy.Matrix(rows, columns, lambda i, j: sympy.Symbol(f"{name}_{i + 1}_{j + 1}", real=True))

    n, m, X = sizes.n, sizes.keys, None if sizes.given_qkv else matrix("x", sizes.n, sizes.d_model)
    outputs = []
    for t in range(sizes.heads):
        if X is None:
            Q, K, V = matrix(f"q{t}", n, sizes.d_k), matrix(f"k{t}", m, sizes.d_k), matrix(f"v{t}", m, sizes.d_v)
        else:
            widths = {"q": sizes.d_k, "k": sizes.d_k, "v": sizes.d_v}
            Q, K, V = (X * matrix(f"w{name}{t}", sizes.d_model, width) for name, width in widths.items())
        E = (Q * K.T / sympy.sqrt(sizes.d_k)).applyfunc(sympy.exp)
        D = [sympy.Add(*E[i, :]) for i in range(n)]
        P = sympy.Matrix(n, m, lambda i, j: E[i, j] / D[i])  # noqa: B023
        outputs.append(P * V)
    Z = sympy.Matrix.hstack(*outputs)
    return Z if sizes.d_out is None else Z * matrix("wO", sizes.heads * sizes.d_v, sizes.d_out)


NAIVE_DERIVE = """
import sympy
def matrix(name, rows, columns):
    return sympy.Matrix(rows, columns, lambda i, j: sympy.Symbol(f"{name}_{i}_{j}", real=True))
X, outputs = matrix("x", 3, 5), []
for t in range(4):
    Q, K, V = (X * matrix(f"w{name}{t}", 5, 3) for name in "qkv")
    E = (Q * K.T / sympy.sqrt(3)).applyfunc(sympy.exp)
    outputs.append(sympy.Matrix(3, 3, lambda i, j: E[i, j] / sum(E[i, :])) * V)
print(sympy.Matrix.hstack(*outputs) * matrix("wo", 12, 3))
"""


def every_entry(sizes):
    derivation = derive(sizes)
    return derivation, [stage.entries for stage in derivation.stages]


def test_derive_multihead(versus):
    derivation, _ = versus(
        "derive, n=3 d_model=5 d_k=d_v=3, 4 heads, all stages",
        lambda: every_entry(MULTIHEAD),
        {"expanded SymPy matrices": lambda: expanded_matrices(MULTIHEAD)},
        asked="≤ 0.3 s",
        memory=f"{DERIVE}; {ALL_STAGES}",
    )
    assert sum(stage.shape[0] * stage.shape[1] for stage in derivation.inputs) == 231


def test_let_bound_entries_stay_small():
    _, entries = every_entry(MULTIHEAD)
    sizes = [len(list(sympy.preorder_traversal(entry))) for rows in entries for row in rows for entry in row]
    # The longest entry is y_ij = Σ z_ik wO_kj over 12 columns; expanded, it has thousands of nodes.
    assert max(sizes) <= 40
    assert sum(sizes) <= 10_000


def test_derive_as_a_process(versus, process):
    code = versus(
        "attn-verify derive at those sizes, whole process",
        lambda: process("-m", "attn_verify", "derive", *SIZE_FLAGS),
        {"script that prints expanded SymPy": lambda: process("-c", NAIVE_DERIVE)},
        asked="≤ 2.5 s",
        memory=command("derive", *SIZE_FLAGS),
    )
    assert code == 0


def test_derive_loads_neither_scipy_nor_the_fuzzer():
    assert loaded_after(command("derive", "--n", "1", "--given-qkv")) & {"scipy", "hypothesis"} == set()


# --- NumPy code from the derivation --------------------------------------------------------------


def with_scipy(X, W_Q, W_K, W_V, W_O):
    """The code that an engineer would write; per-head weights are stacked, heads in front."""
    X = X[..., None, :, :]
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    O = scipy.special.softmax(Q @ K.mT / np.sqrt(K.shape[-1]), axis=-1) @ V
    Z = np.moveaxis(O, -3, -2)
    return Z.reshape(*Z.shape[:-2], -1) @ W_O


def test_numpy_code_is_built(versus):
    derivation = derive(MULTIHEAD)

    def expanded_and_lambdified():
        Y = expanded_matrices(MULTIHEAD)
        return sympy.lambdify(sorted(Y.free_symbols, key=str), Y, "numpy", cse=True)

    function = versus(
        'derivation.numpy("Y") is built',
        lambda: derivation.numpy("Y"),
        {"expanded, lambdify with cse": expanded_and_lambdified},
        asked="≤ 0.5 s",
        memory=f'{DERIVE}; d.numpy("Y")',
        naive_rounds=1,
    )
    assert function.names == tuple(draw(MULTIHEAD))


def test_the_code_has_one_assignment_for_every_entry():
    derivation = derive(MULTIHEAD)
    code = derivation.numpy("Y").program
    entries = {stage.key: stage.shape[0] * stage.shape[1] for stage in derivation.stages if not stage.is_input}
    # E and D are left out: P has a maximum, exponentials and a sum of its own, for every row.
    softmax = 4 * (3 + 9 + 3)
    left_out = sum(count for key, count in entries.items() if key[0] in "ED")
    assert len(code.assignments) == sum(entries.values()) - left_out + softmax


def test_one_call(versus):
    derivation = derive(MULTIHEAD)
    function, inputs = derivation.numpy("Y"), draw(MULTIHEAD)
    arrays = tuple(inputs.values())
    result = versus(
        'a call of derivation.numpy("Y")',
        lambda: function(*arrays),
        {"SciPy code": lambda: with_scipy(*arrays)},
        asked="≤ 200 µs",
        calibrate=True,
        naive_rounds=200,
    )
    agree(result, with_scipy(*arrays), inputs, derivation)


def test_ten_thousand_inputs(versus):
    derivation = derive(MULTIHEAD)
    function, inputs = derivation.numpy("Y"), draw(MULTIHEAD, 10_000)
    arrays = tuple(inputs.values())

    def one_by_one():
        return np.stack([with_scipy(*one) for one in zip(*arrays, strict=True)])

    shapes = {name: array.shape for name, array in inputs.items()}
    result = versus(
        "10,000 inputs in one call",
        lambda: function(*arrays),
        {"SciPy code in a loop": one_by_one, "SciPy code on the batch": lambda: with_scipy(*arrays)},
        asked="≤ 0.2 s",
        memory=f'import numpy as np; {DERIVE}; d.numpy("Y")(*[np.ones(s) for s in {list(shapes.values())}])',
    )
    assert result.shape == (10_000, 3, 3)
    agree(result, with_scipy(*arrays), inputs, derivation)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_a_batch_takes_the_same_number_of_operations(count):
    function = derive(MULTIHEAD).numpy("Y")
    exponentials = []

    def exp(x):
        exponentials.append(x.shape)
        return np.exp(x)

    counting = type(function.array)(function.array.__code__, {**function.array.__globals__, "exp": exp})
    replace(function, array=counting)(*draw(MULTIHEAD, count).values())
    assert exponentials == [(count,)] * (4 * 3 * 3)


# --- enclosure of the printed example ------------------------------------------------------------


def with_intervals():
    """The naive way: softmax in mpmath's intervals, as written; half-units of the last place."""
    document = load("worked-example")
    iv = mpmath.iv
    iv.prec = 128

    def rows(name):
        return [[iv.mpf([str(end) for end in decimal_ends(x)]) for x in row] for row in document.arrays[name].intervals]

    def decimal_ends(interval):
        return (mpmath.mpf(end.numerator) / end.denominator for end in interval)

    with mpmath.workprec(200):
        Q, K, V = rows("Q"), rows("K"), rows("V")
    widest = mpmath.mpf(0)
    for q in Q:
        E = [iv.exp(sum(a * b for a, b in zip(q, k, strict=True)) / iv.sqrt(3)) for k in K]
        for column in zip(*V, strict=True):
            o = sum(e / sum(E) * v for e, v in zip(E, column, strict=True))
            widest = max(widest, mpmath.mpf(o.delta))
    return float(widest / 2 / document.arrays["attention"].half_unit(0, 0))


def test_enclosure_of_the_printed_example(versus):
    audit = versus(
        "check of the printed example, in this process",
        lambda: check("worked-example"),
        {"attention alone in mpmath.iv": with_intervals},
        asked="",
        naive_rounds=3,
    )
    widest = audit["attention"].evidence["widest_half_units"]
    if versus.enabled:
        versus.note(
            "enclosure of attention given Q, K, V",
            "≤ 25 half units",
            f"{widest} half units",
            f"mpmath.iv {with_intervals():.1f}",
        )
    assert widest <= 25
    assert with_intervals() > widest


def test_check_as_a_process(versus, process):
    code = versus(
        "attn-verify check worked-example, whole process",
        lambda: process("-m", "attn_verify", "check", "worked-example"),
        {"NumPy, SciPy and allclose": lambda: process("-c", NAIVE_CHECK)},
        asked="≤ 3 s",
        memory=command("check", "worked-example"),
    )
    assert code == 0


NAIVE_CHECK = """
import numpy as np, scipy.special
from attn_verify.worked import load
a = {name: np.array(array.values, float) for name, array in load("worked-example").arrays.items() if array.printed}
assert np.allclose(scipy.special.softmax(a["Q"] @ a["K"].T / np.sqrt(3), axis=-1) @ a["V"], a["attention"])
"""


def test_check_loads_neither_sympy_nor_scipy():
    assert loaded_after(command("check", "worked-example")) & {"sympy", "scipy", "hypothesis"} == set()


def test_help_as_a_process(versus, process):
    code = versus(
        "attn-verify --help, whole process",
        lambda: process("-m", "attn_verify", "--help"),
        {"importing the libraries first": lambda: process("-c", "import sympy, scipy.special, flint, hypothesis")},
        asked="≤ 0.2 s",
        memory=command("--help"),
        rounds=10,
    )
    assert code == 0


def test_help_loads_no_library():
    libraries = {"sympy", "numpy", "scipy", "flint", "hypothesis", "ml_dtypes", "mpmath"}
    assert loaded_after(command("--help")) & libraries == set()


# --- one head at n = m = d_k = 16 ----------------------------------------------------------------

DERIVE_16 = f"from attn_verify import derive; d = derive({SIXTEEN.to_dict()}); {ALL_STAGES}"


def test_derive_at_sixteen(versus):
    versus(
        "derive, n=m=d_k=d_v=16, one head, all stages",
        lambda: every_entry(SIXTEEN),
        {"expanded SymPy matrices": lambda: expanded_matrices(SIXTEEN)},
        asked="≤ 1 s, ≤ 300 MB",
        memory=DERIVE_16,
        naive_rounds=1,
    )


def test_derive_at_sixteen_takes_little_memory(peak_memory):
    assert peak_memory(DERIVE_16) <= 300


# --- the oracle ----------------------------------------------------------------------------------


def with_mpmath(inputs, dot):
    """Attention in ``mpmath.mp`` at 128 bits; ``dot`` is how an inner product is formed."""
    mp = mpmath.mp
    with mpmath.workprec(128):
        Q, K, V = ([[mp.mpf(x) for x in row] for row in inputs[name][0].tolist()] for name in "QKV")
        sigma, columns, O = 1 / mp.sqrt(len(Q[0])), list(zip(*V, strict=True)), []
        for q in Q:
            e = [mp.exp(sigma * dot(q, k)) for k in K]
            total = mp.fsum(e)
            p = [x / total for x in e]
            O.append([dot(p, column) for column in columns])
        return O


def exactly(x):
    """The rational number that an mpf is."""
    sign, mantissa, exponent, _ = x._mpf_
    return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** exponent


def in_a_loop(a, b):
    total = mpmath.mpf(0)
    for x, y in zip(a, b, strict=True):
        total += x * y
    return total


def test_oracle_at_sixty_four(versus):
    inputs, spec = draw(SIXTY_FOUR), AttentionSpec()
    allowed = spec.allowed(SIXTY_FOUR)
    result = versus(
        "ball oracle at 64×64, 128 bits",
        lambda: enclose(inputs, SIXTY_FOUR, spec, allowed, bits=128),
        {
            f"mpmath.mp, loops ({mpmath.libmp.BACKEND})": lambda: with_mpmath(inputs, in_a_loop),
            "mpmath.mp, fdot": lambda: with_mpmath(inputs, lambda a, b: mpmath.fdot(a, b)),
        },
        asked="≥ 40× mpmath.mp",
        memory=ORACLE_64,
    )
    exact = with_mpmath({name: array[:, :2] if name == "Q" else array for name, array in inputs.items()}, in_a_loop)
    slack = Fraction(1, 10**30)
    for row, wanted in zip(result[:2], exact, strict=True):
        for found, value in zip(row, wanted, strict=True):
            low, high = ends(found)
            # Both are rounded at 128 bits or more; a float would differ by 1e-17.
            assert low - slack <= exactly(value) <= high + slack, f"seed {SEED}"


ORACLE_64 = f"""
import numpy as np
from attn_verify import AttentionSpec, Sizes
from attn_verify.checks.oracle import enclose
sizes, rng = Sizes.of({SIXTY_FOUR.to_dict()}), np.random.default_rng(0)
enclose({{x: rng.standard_normal((1, 64, 64)) for x in "QKV"}}, sizes, AttentionSpec(), AttentionSpec().allowed(sizes))
"""


def test_the_oracle_makes_two_products_and_one_exponential_a_score():
    counts = {"matmul": 0, "exp": 0}

    def counting(name):
        def call(*arguments):
            counts[name] += 1
            return getattr(BALL, name)(*arguments)

        return call

    inputs, spec = draw(SIXTY_FOUR), AttentionSpec()
    arithmetic = replace(BALL, matmul=counting("matmul"), exp=counting("exp"))
    with precision(128):
        balls = {
            name: [[[BALL.number(x) for x in row] for row in A] for A in array.tolist()]
            for name, array in inputs.items()
        }
        third_reading.layer(balls, SIXTY_FOUR, spec, spec.allowed(SIXTY_FOUR), arithmetic)
    assert counts == {"matmul": 2, "exp": 64 * 64}


# --- the cross-check -----------------------------------------------------------------------------

SMALL = Sizes(n=3, m=4, d_k=3, d_v=2)
CROSSCHECK = f"""
from attn_verify import attention, crosscheck, derive
crosscheck(attention, derive({SMALL.to_dict()}))
"""


def test_crosscheck_of_200_inputs(versus):
    derivation, inputs = derive(SMALL), draw(SMALL)
    Q, K, V = (array[0] for array in inputs.values())

    def one_input():
        expected = scipy.special.softmax(Q @ K.T / np.sqrt(3), axis=-1) @ V
        np.testing.assert_allclose(attention(Q, K, V), expected)

    audit = versus(
        "crosscheck, 200 inputs and two readings, n=3 m=4 d_k=3 d_v=2",
        lambda: crosscheck(attention, derivation, examples=200 if versus.enabled else 20),
        {"assert_allclose on one input": one_input},
        asked="",
        rounds=3,
        naive_rounds=50,
        memory=CROSSCHECK,
    )
    assert audit.status.name == "TESTED"


def test_crosscheck_encloses_every_input_once(monkeypatch):
    calls = []

    def counting(*arguments, bits, **options):
        calls.append(bits)
        return enclose(*arguments, bits=bits, **options)

    monkeypatch.setattr(compare, "enclose", counting)
    audit = crosscheck(attention, derive(SMALL), examples=20)
    tried = sum(verdict.scope["inputs"] for verdict in audit)
    assert len(calls) <= 1.2 * tried
    assert set(calls) == {128}
