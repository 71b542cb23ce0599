"""The leak test: every operation of the tables gives in the model what NumPy gives in floats, or refuses.

Values, shapes, dtypes, scalars against arrays, truth values, exceptions and aliasing must agree.  A row that begins
with ``!`` must refuse, every other row must not.  Where ``np.power.reduce`` leaves numbers out, as NumPy 2.4 does on
processors with AVX-512, a row that begins with ``?`` must refuse too.
"""

import importlib.util
from pathlib import Path

import numpy
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.modules import Refusing, numpy_model
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running

_PLACE = Path(__file__).parent / "operations"
_SPEC = importlib.util.spec_from_file_location("operations_harness", _PLACE / "harness.py")
harness = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(harness)

OPERANDS = (
    "x", "v", "w[:, None]", "k", "b", "f", "s", "2", "-3", "0.5", "True", "np.float32(0.25)", "np.int8(3)",
    "[1.0, 2.0, -1.0, 4.0]", "x[0, 0]", "np.inf", "-np.inf", "np.nan",
)  # fmt: skip
ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
# (2³)² = 64; 2² = 4 where it is wrong.
POWERS_REDUCE = numpy.power.reduce(numpy.array([2.0, 3.0, 2.0])) == 64.0


def rows(name):
    """Return the rows of a table, each with whether it must refuse."""
    lines = [line for line in (_PLACE / f"{name}.txt").read_text().splitlines() if line]
    marks = ("! ",) if POWERS_REDUCE else ("! ", "? ")
    return [(line.removeprefix("! ").removeprefix("? "), line.startswith(marks)) for line in lines]


def check(row, refuses):
    exact, session = harness.run_exact(row)
    if refuses:
        assert exact[0] == "refuses", f"{row} went through: {exact}"
        return
    assert exact[0] != "refuses", f"{row} refused: {session.refusals}"
    floats = harness.run_floats(row)
    assert harness.agree(exact, floats), f"{row}\nexact  {exact}\nfloats {floats}"


def in_chunks(name, size=25):
    """Group rows, so that a thousand of them stay readable in a report."""
    found = rows(name)
    return [
        pytest.param(found[start : start + size], id=f"{name}-{start}") for start in range(0, len(found), size)
    ]  # fmt: skip


TABLES = (
    "operators",
    "in_place",
    "indexing",
    "functions",
    "special_values",
    "math_scipy",
    "leaving",
    "sizes_types",
    "mixed",
)


@pytest.mark.parametrize("chunk", [chunk for name in TABLES for chunk in in_chunks(name)])
def test_every_row_agrees_or_refuses(chunk):
    for row, refuses in chunk:
        check(row, refuses)


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize("left", ["x", "k", "f", "np.exp(x)"])
def test_operators_with_every_kind_of_operand(left, op):
    for right in OPERANDS:
        row = f"{left} {op} {right}"
        infinite = op == "*" and "inf" in right and left in ("x", "f")
        check(row, infinite or (op == "/" and (right == "b" or (right == "k" and left != "k"))))


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS])
def test_operators_from_the_right(op):
    for left in OPERANDS:
        check(f"{left} {op} np.exp(p)", refuses=False)


def test_the_tables_are_large():
    assert sum(len(rows(name)) for name in TABLES) > 1000


class TestTheHarness:
    """The harness finds what it is there to find."""

    def test_a_wrong_value(self):
        assert not harness.agree(("array", "float64", (1,), (1.0,)), ("array", "float64", (1,), (1.1,)))

    def test_a_wrong_dtype_shape_or_kind(self):
        right = ("array", "float64", (1,), (1.0,))
        for wrong in (("array", "float32", (1,), (1.0,)), ("array", "float64", (), (1.0,)), ("scalar", *right[1:])):
            assert not harness.agree(wrong, right)

    def test_a_quiet_false(self):
        assert not harness.agree(("array", "bool", (1,), (False,)), ("array", "bool", (1,), (True,)))

    def test_nan_and_infinity(self):
        nan, inf = float("nan"), float("inf")
        assert harness.close(nan, nan, 0)
        assert not harness.close(nan, 1.0, 1)
        assert not harness.close(inf, -inf, 1)

    def test_a_row_that_must_refuse_and_does_not(self):
        with pytest.raises(AssertionError, match="went through"):
            check("x + 1", refuses=True)

    def test_a_row_that_refuses(self):
        with pytest.raises(AssertionError, match="refused"):
            check("np.linalg.inv(x[:, :3])", refuses=False)

    def test_an_equality_that_holds_at_the_point_is_refused(self):
        value = harness.numbers()["x"][0, 0]
        exact, _ = harness.run_exact(f"x[0, 0] == {value!r}")
        assert exact[0] == "refuses"
        assert harness.run_floats(f"x[0, 0] == {value!r}")[3] == (True,)


@pytest.fixture
def session():
    with running(Session(Graph(), {})) as current:
        yield current


def _names(real):
    return [name for name in dir(real) if not name.startswith("_")]


@pytest.mark.parametrize("path", ["", "linalg", "random", "lib", "lib.stride_tricks", "ma"])
def test_every_name_of_numpy_is_modelled_or_refuses(session, path):
    model, real = numpy_model(), numpy
    for part in filter(None, path.split(".")):
        model, real = getattr(model, part), getattr(real, part)
    for name in _names(real):
        found = getattr(model, name)
        if isinstance(found, Refusing):
            before = len(session.refusals)
            with pytest.raises(RefusalError):
                found()
            assert len(session.refusals) == before + 1
        elif found is getattr(real, name):
            assert not isinstance(found, numpy.ufunc), name
    with pytest.raises(AttributeError):
        _ = model.no_such_name_at_all


REAL_FUNCTIONS = {
    "errstate", "geterr", "seterr", "geterrcall", "seterrcall", "getbufsize", "setbufsize", "get_include",
    "get_printoptions", "set_printoptions", "printoptions", "info", "show_config", "show_runtime", "typename", "dtype",
    "ndindex", "matrix_transpose",
}  # fmt: skip


def test_no_function_of_numpy_itself_that_could_see_numbers(session):
    model = numpy_model()
    for name in _names(numpy):
        found, real = getattr(model, name), getattr(numpy, name)
        if callable(real) and found is real and not isinstance(real, type):
            assert name in REAL_FUNCTIONS, name


# Attributes that every object has, or that say something about the class and not about numbers.
PLAIN = {
    "__class__", "__class_getitem__", "__delattr__", "__dir__", "__doc__", "__getattribute__", "__init__",
    "__init_subclass__", "__new__", "__setattr__", "__subclasshook__",
}  # fmt: skip


def test_every_attribute_of_an_array_is_modelled_or_refuses(session):
    array = numpy_model().ones(3)
    kind = type(array)
    for name in dir(numpy.ndarray):
        # Past what the class shows of itself, which is what NumPy's does.
        bases = [type.__getattribute__(base, "__dict__") for base in type.mro(kind)]
        own = next((names[name] for names in bases if name in names), pytest)
        if own is pytest:  # nowhere; ``None`` is what NumPy has for ``__hash__``
            with pytest.raises(RefusalError):
                getattr(array, name)
        elif name not in PLAIN:
            assert own is not vars(object).get(name), f"{name} is inherited from object"
    with pytest.raises(AttributeError):
        _ = array.no_such_name_at_all


def test_every_attribute_of_a_scalar_is_modelled_or_refuses(session):
    number = numpy_model().float64(2.0)
    for name in dir(numpy.float64):
        if name.startswith("__"):
            continue
        before = len(session.refusals)
        try:
            getattr(number, name)
        except RefusalError:
            assert len(session.refusals) == before + 1


def test_the_text_of_a_number_cannot_be_read_back():
    exact, session = harness.run_exact("float(str(s))")
    assert exact[0] == "raises"
    assert "text" in {note["kind"] for note in session.notes.values()}
