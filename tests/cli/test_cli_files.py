"""``--mask`` and ``--numbers``: what files may say, and what is refused."""

import io
import json
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attn_verify.cli.array_files import read_mask, read_numbers
from attn_verify.errors import DocumentError

SMALL = ["derive", "--n", "2", "--d-k", "2", "--d-v", "1", "--given-qkv"]
QKV = '{"Q": [[1, 0], [0, 2e0]], "K": [[1, 1], [0.5, -1]], "V": [[1], [2]]}'


@pytest.fixture
def file(tmp_path):
    def make(content, name="input.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return make


def arrays(**named):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("mask", ["[[true, false], [true, true]]", "[[1, 0], [1, 1]]", "npy"])
def test_a_mask(run, file, mask):
    path = file(npy(np.array([[True, False], [True, True]])) if mask == "npy" else mask)
    code, out, _ = run(*SMALL, "--mask", path, "--stage", "P")
    assert code == 0
    assert "p_12 = 0\n" in out
    assert "p_22 = e_22/d_2\n" in out


def test_the_polarity_of_a_mask_is_the_specs(run, file):
    path = file("[[false, true], [false, false]]")
    _, out, _ = run(*SMALL, "--mask", path, "--stage", "P", "--spec", "mask=boolean", "--spec", "mask_true=masked")
    assert "p_12 = 0\n" in out
    assert "p_22 = e_22/d_2\n" in out


def test_numbers_stand_beside_the_formulas(run, file):
    _, out, _ = run(*SMALL, "--numbers", file(QKV))
    assert "    s_11 = (q_11·k_11 + q_12·k_12)/√2 =  0.707107\n" in out
    assert "= ⎡ 1  0 ⎤" in out
    _, one, _ = run(*SMALL, "--numbers", file(QKV), "--entry", "D[2]")
    assert "d_2 = e_21 + e_22 = 4.35637\n" in one


def test_numbers_from_npz_and_per_head(run, file):
    random = np.random.default_rng(1)
    heads = {name: random.normal(size=(2, 3, 2)) for name in ("W_Q", "W_K")}
    given = arrays(X=random.normal(size=(2, 3)), W_V=random.normal(size=(2, 3, 1)), W_O=np.ones((2, 1)), **heads)
    sizes = ["--n", "2", "--d-model", "3", "--d-k", "2", "--d-v", "1", "--heads", "2", "--d-out", "1"]
    code, out, err = run("derive", *sizes, "--numbers", file(given, "x.npz"), "--stage", "Y")
    assert code == 0, err
    assert "y_11 = z_11·wO_11 + z_12·wO_21 = " in out


def test_derivatives_have_values_too(run, file):
    _, out, _ = run(*SMALL, "--numbers", file(QKV), "--stage", "P", "--wrt", "S")
    assert "∂p_11/∂s_11 = p_11 − p_11² = " in out


def test_gradients_need_the_gradient_of_the_output(run, refuse, file):
    refuse(*SMALL, "--numbers", file(QKV), "--stage", "dQ", cause="needs the gradient dO", remedy="add dO")
    path = file(QKV[:-1] + ', "dO": [[1], [1]]}')
    code, out, _ = run(*SMALL, "--numbers", path, "--stage", "dV")
    assert code == 0
    assert "dv_11 = p_11·do_11 + p_21·do_21 = " in out


@pytest.mark.parametrize(
    ("content", "cause", "remedy"),
    [
        (QKV.replace('"Q": [[1, 0]', '"Q": [[1, 0, 0]'), "at Q", "give the inputs by name"),
        (QKV.replace("[[1, 0], [0, 2e0]]", "[[1, 0]]"), "numbers: Q (2, 2)\n  got Q (1, 2)", "give Q as 2 rows of 2"),
        (QKV.replace('"V": [[1], [2]]', '"V": [[1, 2]]'), "got V (1, 2)", "did you mean the transpose of V?"),
        (QKV.replace("[[1, 0], [0, 2e0]]", "[[[1, 0], [0, 2]]]"), "got Q (1, 2, 2)", "give Q as 2 rows of 2"),
        (QKV.replace("2e0", "NaN"), "NaN", "give the inputs by name"),
        (QKV.replace("2e0", "1e999"), "at Q[2, 2], got inf", "give the inputs by name"),
        (QKV.replace("2e0", '"2"'), "at Q[2][2], got '2'", "give the inputs by name"),
        (QKV.replace("2e0", "true"), "at Q[2][2], got true", "give the inputs by name"),
        (QKV.replace("2e0", "null"), "got null", "give the inputs by name"),
        (QKV.replace("[[1, 0], [0, 2e0]]", "[[[[1]]]]"), "expected a number", "give the inputs by name"),
        (QKV.replace("[[1, 0], [0, 2e0]]", "{}"), "got an object", "give the inputs by name"),
        (QKV.replace("[[1, 0], [0, 2e0]]", "7"), "got Q of no shape", "give Q as 2 rows of 2"),
        (QKV.replace('"V"', '"U"'), "missing: V", "give Q, K, V"),
        (QKV[:-1] + ', "W_Q": [[1]]}', "not expected: W_Q", "give Q, K, V"),
        ('{"Q": [[1, 0], [0, 2]]}', "missing: K, V", "give Q, K, V"),
        (QKV[:-1] + ', "Q": [[1]]}', "twice", "give the inputs by name"),
        ("[[1, 2]]", "does not name its arrays", "give the inputs by name"),
        ("", "not JSON", "give the inputs by name"),
        ("{", "not JSON", "give the inputs by name"),
        ("[" * 100_000, "nested too deeply", "give the inputs by name"),
        (b"\xff\xfe", "not UTF-8", "give the inputs by name"),
        (b" " * 5_000_000, "more than 4000000 bytes", "give the inputs by name"),
        (npy(np.ones((2, 2))), "does not name its arrays", ".npz"),
        (arrays(Q=np.array([[1j, 0], [0, 1]]), K=np.ones((2, 2)), V=np.ones((2, 1))), "complex128", ".npz"),
        (arrays(Q=np.full((2, 2), np.nan), K=np.ones((2, 2)), V=np.ones((2, 1))), "at Q[1, 1], got nan", ".npz"),
        (arrays(Q=np.array([[{}]], dtype=object)), "NumPy cannot read it", ".npz"),
        (arrays(Q=np.zeros((4000, 4000))), "it unpacks to", ".npz"),
        (arrays(Q=np.zeros((2, 2)))[:-30], "NumPy cannot read it", ".npz"),
        (b"\x93NUMPY\x01\x00", "NumPy cannot read it", ".npz"),
        (npy(np.zeros(3)).replace(b"(3,)", b"(9,)"), "NumPy cannot read it", ".npz"),
        (npy(np.zeros(3)).replace(b"(3,), }           ", b"(999999999999), }  "), "NumPy cannot read it", ".npz"),
    ],
)
def test_numbers_that_cannot_be_used(refuse, file, content, cause, remedy):
    refuse(*SMALL, "--numbers", file(content), cause=cause, remedy=remedy)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("[[true]]", "got a mask of shape"),
        ("[[true, false, true], [true, true, true]]", "n = 2, m = 2"),
        ("[[true], [true, true]]", "n = 2, m = 2"),
        ("[[0.5, 1], [1, 1]]", "in a boolean mask"),
        ("[[2, 1], [1, 1]]", "in a boolean mask"),
        ('[["true", true], [true, true]]', "in a boolean mask"),
        ("true", "got a mask of shape"),
        ("{}", "got a mask of shape"),
        ("7", "got a mask of shape"),
        ("[[[true]]]", "got a mask of shape"),
        ("[" * 900 + "]" * 900, "got a mask of shape"),
        ("nonsense", "not JSON"),
        (npy(np.ones((2, 2))), "in a boolean mask"),
        (arrays(a=np.ones((2, 2), bool), b=np.ones((2, 2), bool)), "it holds 2 arrays"),
    ],
)
def test_masks_that_cannot_be_used(refuse, file, content, cause):
    remedy = "truth values" if "shape" in cause or "n = 2" in cause else "true"
    refuse(*SMALL, "--mask", file(content), cause=cause, remedy=remedy)


@pytest.mark.parametrize("option", ["--mask", "--numbers"])
def test_files_that_cannot_be_read(refuse, tmp_path, option):
    remedy = {"--mask": "give rows of true", "--numbers": "give the inputs by name"}[option]
    refuse(*SMALL, option, tmp_path / "absent.json", cause="there is no such file", remedy=remedy)
    refuse(*SMALL, option, tmp_path, cause="it is a directory", remedy=remedy)
    refuse(*SMALL, option, "/dev/zero", cause="it is not a regular file", remedy=remedy)
    refuse(*SMALL, option, "a\0b", cause="it is no path", remedy=remedy)
    refuse(*SMALL, option, "a" * 5000, cause="it cannot be read", remedy=remedy)


def test_python_code_takes_no_numbers(refuse, file):
    refuse(*SMALL, "--numbers", file(QKV), "--format", "python", cause="--format python and --numbers", remedy="stage")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Q", "K", "V", ""]), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=60), JSON.map(lambda data: json.dumps(data).encode())))
def test_no_content_is_more_than_refused(tmp_path, content):
    """300 random files, JSON and bytes: either data or one ``DocumentError``."""
    path = tmp_path / "random"
    for prefix in (b"", b"\x93NUMPY", b"PK\x03\x04"):
        path.write_bytes(prefix + content)
        with suppress(DocumentError):
            assert all(np.isfinite(array).all() for array in read_numbers(str(path)).values())
        with suppress(DocumentError):
            read_mask(str(path))


def test_a_zip_of_something_else_is_refused(refuse, file):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Q.txt", "1 2 3")
    refuse(*SMALL, "--numbers", file(buffer.getvalue()), cause="at Q.txt", remedy="give the inputs by name")
