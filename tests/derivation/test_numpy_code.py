"""NumPy code from the derivation: values, stability, batches, number types, messages, the module."""

import subprocess
import sys

import numpy as np
import pytest

from attn_verify import Sizes, derive
from attn_verify.errors import ShapeError, SizeError

MULTIHEAD = Sizes(n=3, d_model=5, d_k=3, d_v=2, heads=4, d_out=3)


def _inputs(seed, batch=()):
    generator = np.random.default_rng(seed)
    shapes = {"X": (3, 5), "W_Q": (4, 5, 3), "W_K": (4, 5, 3), "W_V": (4, 5, 2), "W_O": (8, 3)}
    return {name: generator.standard_normal((*batch, *shape)) for name, shape in shapes.items()}


def test_a_batch_gives_the_same_as_single_calls_up_to_one_exponential():
    function = derive(MULTIHEAD).numpy("Y")
    inputs = _inputs(0, (6,))
    together = function(**inputs)
    assert together.shape == (6, 3, 3)
    for b in range(6):
        alone = function(**{name: array[b] for name, array in inputs.items()})
        # math.exp and numpy.exp differ by a few ulp: |Y| ≤ |Z| |W_O| is below 100 here.
        assert np.abs(alone - together[b]).max() < 100 * 64 * 2.0**-53


def test_batch_axes_broadcast():
    function = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}).numpy()
    generator = np.random.default_rng(1)
    Q, K, V = (generator.standard_normal(s) for s in ((7, 1, 2, 2), (4, 3, 2), (3, 1)))
    assert function(Q, K, V).shape == (7, 4, 2, 1)


@pytest.mark.parametrize("score", [1e4, -1e4, 1e5])
def test_from_P_onward_the_code_is_stable(score):
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    arrays = ([[score]], [[1.0], [0.5]], [[3.0], [5.0]])
    first = [1.0, 0.0] if score > 0 else [0.0, 1.0]
    assert derivation.numpy("P")(*arrays[:2]).tolist() == [first]
    assert derivation.numpy("O")(*arrays).tolist() == [[3.0 if score > 0 else 5.0]]


def test_E_and_D_are_what_they_say_and_overflow_honestly():
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    arrays = {"Q": [[1.0]], "K": [[1e4], [0.0]]}
    assert derivation.numpy("E")(**arrays).tolist() == [[np.inf, 1.0]]
    assert derivation.numpy("D")(**arrays).tolist() == [[np.inf]]
    everything = derivation.values(**arrays, V=[[2.0], [3.0]])
    assert everything["E"].tolist() == [[np.inf, 1.0]]
    assert everything["O"].tolist() == [[2.0]]


def test_masked_and_empty_rows():
    def weights(empty_row):
        derivation = derive({"n": 2, "m": 2, "d_k": 1, "d_v": 1}, {"empty_row": empty_row}, mask=[[0, 1], [0, 0]])
        return derivation.values(Q=[[1], [2]], K=[[3], [4]], V=[[5], [7]])

    values = weights("zero")
    assert values["S"].tolist() == [[-np.inf, 4.0], [-np.inf, -np.inf]]
    assert values["P"].tolist() == [[0, 1], [0, 0]]
    assert values["O"].tolist() == [[7], [0]]
    assert weights("mean")["O"].tolist() == [[7], [6]]
    assert np.isnan(weights("nan")["O"][1, 0])


def test_a_nan_of_the_input_comes_through():
    values = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}).numpy()([[1.0]], [[np.nan], [1.0]], [[1.0], [1.0]])
    assert np.isnan(values).all()
    values = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}).numpy()([[1.0]], [[1.0], [np.nan]], [[1.0], [1.0]])
    assert np.isnan(values).all()


def test_float32_stays_float32_and_integers_become_float64():
    function = derive(MULTIHEAD).numpy()
    small = {name: array.astype(np.float32) for name, array in _inputs(2).items()}
    assert function(**small).dtype == np.float32
    assert function(**{name: np.ones(a.shape, int) for name, a in small.items()}).dtype == np.float64
    large = np.full((1, 1), 2**62)
    assert derive({"n": 1, "d_k": 1, "d_v": 1}).numpy("S")(large, large).item() == 2.0**124


def test_heads_come_as_a_list_or_stacked():
    function = derive(MULTIHEAD).numpy("Y")
    stacked = _inputs(3)
    listed = {name: list(array) if array.ndim == 3 else array for name, array in stacked.items()}
    assert np.array_equal(function(**stacked), function(**listed))


def test_any_stage_takes_the_inputs_it_needs_only():
    derivation = derive(MULTIHEAD)
    assert derivation.numpy("K:3").names == ("X", "W_K")
    assert derivation.numpy("X").names == ("X",)
    assert derive({"n": 1, "d_k": 1, "d_v": 1}).numpy("dQ").names == ("Q", "K", "V", "dO")


def test_the_closed_form_gradients_run_as_code():
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2})
    generator = np.random.default_rng(4)
    Q, K, V, dO = (generator.standard_normal(s) for s in ((2, 2), (3, 2), (3, 2), (2, 2)))
    from attn_verify import attention_grad

    expected = attention_grad(Q, K, V, dO)
    for name in ("dQ", "dK", "dV"):
        found = derivation.numpy(name)(
            **{n: {"Q": Q, "K": K, "V": V, "dO": dO}[n] for n in derivation.numpy(name).names}
        )
        # Entries below 10, a few dozen roundings each.
        assert np.abs(found - getattr(expected, name)).max() < 10 * 100 * 2.0**-53


@pytest.mark.parametrize(("arrays", "named", "message"), [
    (([[1.0]], [[1.0]]), {}, "O(Q, K, V)\n  got 2 arrays by position\n  missing: V\n  give Q, K, V"),
    (([[1.0]], [[1.0]], [[1.0]], [[1.0]]), {}, "got 4 arrays by position"),
    (([[1.0]], [[1.0]], [[1.0]]), {"V": [[1.0]]}, "not expected: V"),
    (([[1.0]], [[1.0]], [[1.0]]), {"mask": [[1.0]]}, "not expected: mask"),
    (([[1.0, 2.0]], [[1.0]], [[1.0]]), {}, "got (1, 2) of float64\n  give Q real numbers with last axes (1, 1)"),
    (([["a"]], [[1.0]], [[1.0]]), {}, "numpy code: Q (1, 1)"),
    (([[1j]], [[1.0]], [[1.0]]), {}, "complex128"),
    (([[1.0], [1.0, 2.0]], [[1.0]], [[1.0]]), {}, "numpy code: Q (1, 1)"),
    ((3.0, [[1.0]], [[1.0]]), {}, "numpy code: Q (1, 1)"),
])  # fmt: skip
def test_wrong_arrays_get_one_clear_message(arrays, named, message):
    function = derive({"n": 1, "d_k": 1, "d_v": 1}).numpy("O")
    with pytest.raises(ShapeError) as caught:
        function(*arrays, **named)
    assert message in str(caught.value)


def test_batches_that_do_not_fit_get_one_clear_message():
    function = derive({"n": 1, "d_k": 1, "d_v": 1}).numpy("O")
    with pytest.raises(ShapeError, match="batch axes"):
        function(np.ones((2, 1, 1)), np.ones((3, 1, 1)), np.ones((1, 1)))


def test_code_for_hopeless_sizes_is_refused_at_once():
    with pytest.raises(SizeError, match="entries to compute, more than"):
        derive({"n": 1000, "d_k": 4, "d_v": 4}).numpy("P")


@pytest.mark.parametrize("stage", ["Y", "P:2", "dQ:1"])
def test_the_module_runs_alone_and_gives_the_same_bits(stage, tmp_path):
    derivation = derive(MULTIHEAD, "causal=lower_right")
    function = derivation.numpy(stage)
    inputs = _inputs(5, (4,))
    inputs["dO"] = np.ones((4, 4, 3, 2))
    needed = {name: inputs[name] for name in function.names}
    np.savez(tmp_path / "in.npz", **needed)
    (tmp_path / "generated.py").write_text(derivation.python(stage), encoding="utf-8")
    script = (
        "import sys; sys.modules['sympy'] = sys.modules['scipy'] = sys.modules['attn_verify'] = None\n"
        "import numpy as np, generated\n"
        f"inputs = dict(np.load('in.npz')); np.save('out.npy', generated.{stage.replace(':', '_')}(**inputs))\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=tmp_path, check=True, timeout=60)
    assert np.array_equal(np.load(tmp_path / "out.npy"), function(**needed))


def test_both_ground_types_of_sympy_give_the_same_code():
    script = (
        "from attn_verify import derive\n"
        "d = derive({'n': 2, 'd_model': 2, 'd_k': 4, 'd_v': 1, 'heads': 2}, 'scale=0.1')\n"
        "print(d.python('Y'), d.to_dict(stage='S', expand='inputs'), d.to_dict(stage='O:1', wrt='X'))\n"
        "from attn_verify.checks.identities import identities\n"
        "print(identities(d).to_dict())"
    )
    outputs = []
    for ground in ("python", "flint"):
        environment = {
            "SYMPY_GROUND_TYPES": ground,
            "PATH": "",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": ":".join(sys.path),
        }
        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
