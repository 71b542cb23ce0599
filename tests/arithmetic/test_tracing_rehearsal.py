"""Calls of the model are made once more with other numbers and compared with NumPy: every kind of difference shows."""

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.elementwise import EXACT, const
from attn_verify.arithmetic.tracing.modules import numpy_model
from attn_verify.arithmetic.tracing.registry import FUNCTIONS, genuine, guarded
from attn_verify.arithmetic.tracing.rehearsal import Rehearsal
from attn_verify.arithmetic.tracing.session import RefusalError, Session, current, running
from attn_verify.arithmetic.tracing.traced import traced

NUMPY = numpy_model()


def rehearsed(use, cause=""):
    """Run ``use(x)`` on an array of inputs; return the refusals and how many calls were made again."""
    graph = Graph()
    session = Session(graph, {}, frozenset({2, 3}))
    nodes = np.empty((2, 3), object)
    for place in np.ndindex(2, 3):
        nodes[place] = graph.input("x", place)
        session.point["x", place] = 1 + place[0] + place[1]
    with running(session):
        x = traced(nodes)
        session.rehearsal = Rehearsal(session)
        try:
            use(x)
        except RefusalError:
            assert session.refusals
    return [refusal.cause.partition(": ")[2] for refusal in session.refusals], [note for _, note in session.notes]


def swapped_write(x, value):
    x[0, 0] = value


def raising(x):
    raise genuine(ValueError("no"))


# A model, NumPy's function, what is said of the difference.
WRONG = {
    "numbers": (lambda x: FUNCTIONS["exp"](x) + 1, np.exp, "other numbers"),
    "a small difference": (lambda x: x + 2.0**-20, np.positive, "other numbers"),
    "numbers of float32": (lambda x: (x + 2.0**-9).astype("float32"), lambda x: x.astype("f4"), "other numbers"),
    "dtype": (lambda x: x.astype("float32"), np.positive, "the dtype float64, not float32"),
    "shape": (lambda x: x[None], np.positive, "the shape (2, 3), not (1, 2, 3)"),
    "scalar": (lambda x: x[0, 0, ...], lambda x: x[0, 0], "a float64, not a ndarray"),
    "array": (lambda x: x.sum(), lambda x: np.asarray(x.sum()), "a ndarray, not a float64"),
    "Python float": (lambda x: x.sum(), lambda x: x.sum().item(), "a float, not a float64"),
    "order": (lambda x: x + 0.0, lambda x: np.asfortranarray(x + 0.0), "strides of [1, 2] entries, not [3, 1]"),
    "view": (lambda x: x[:], np.copy, "a copy"),
    "copy": (lambda x: x.copy(), lambda x: x[:], "a view"),
    "other view": (lambda x: x[:, :2], lambda x: x[:, 1:], "a view of another place"),
    "argument": (lambda x: x[:], lambda x: x, "the very argument"),
    "no argument": (lambda x: x, lambda x: x[:], "another object"),
    "read-only": (lambda x: x[:], lambda x: np.broadcast_to(x, x.shape), "an array that may not be written"),
    "writes": (lambda x: swapped_write(x, x[1, 1]), lambda x: swapped_write(x, x[1, 2]), "it writes other numbers"),
    "truth": (lambda x: True, lambda x: False, "False, not True"),
    "whole number": (lambda x: 3, np.ndim, "2, not 3"),
    "indices": (lambda x: FUNCTIONS["argsort"](x), lambda x: np.argsort(-x), "other entries"),
    "several": (lambda x: (x[0], x[1]), lambda x: tuple(x[[1, 0]]), "a copy"),
    "more": (lambda x: [x[0]], list, "2 results, not 1"),
    "raises": (raising, np.positive, "the model raises ValueError"),
    "goes through": (lambda x: x, lambda x: x.reshape(5), "it raises ValueError"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_model_that_differs_is_refused(name):
    model, real, told = WRONG[name]
    found, _ = rehearsed(guarded("f", model, real))
    assert found == [told]


def test_a_model_of_floats_that_differs_by_rounding_passes():
    found, notes = rehearsed(guarded("f", lambda x: x + 2.0**-50, np.positive))
    assert found == []
    assert not notes


def test_numbers_that_were_rounded_before_are_near():
    f = guarded("f", lambda x: x.astype("float64"), lambda x: x.astype("float64"))
    assert rehearsed(lambda x: f(NUMPY.exp(x).astype("float32")))[0] == []


def test_views_of_one_buffer_stay_views_of_one_buffer():
    def shifted(x):
        flat = x.reshape(-1)
        guarded("f", lambda a, b: swapped(a, b), lambda a, b: swapped(a, b))(flat[1:], flat[:-1])

    def swapped(a, b):
        a[0] = 5.0
        return b[1] * 1.0

    assert rehearsed(shifted)[0] == []

    def apart(x):
        flat = x.reshape(-1)
        guarded("f", lambda a, b: swapped(a, b), lambda a, b: swapped(a, b.copy()))(flat[1:], flat[:-1])

    assert rehearsed(apart)[0] == ["other numbers"]


def test_a_sort_of_arguments_is_tried_once_and_another_sort_again():
    calls = []

    def real(x):
        calls.append(x.strides)
        return np.exp(x)

    f = guarded("f", lambda x: FUNCTIONS["exp"](x), real)
    rehearsed(lambda x: [f(x), f(x + 1), f(x.T), f(x.T * 2)])
    assert len(calls) == 2


def test_constants_and_equal_entries_are_another_sort():
    seen = []
    f = guarded("f", lambda x: x * 1.0, lambda x: (seen.append(x.copy()), x * 1.0)[1])

    def use(x):
        y = NUMPY.zeros((2, 2))
        f(y)
        y[0] = x[0, 0]
        f(y)
        y[1] = x[0, :2]
        f(y)

    assert rehearsed(use)[0] == []
    assert [len(np.unique(y)) for y in seen] == [1, 2, 2]


def test_calls_that_cannot_be_made_again_are_refused():
    def use(x):
        guarded("f", lambda a, key: x, lambda a, key: a + 1)(x, lambda y: y)

    found, _ = rehearsed(use)
    assert len(found) == 1


def test_what_a_model_refuses_with_other_numbers_is_told():
    def use(x):
        guarded("f", refusing, np.positive)(x)

    def refusing(x):
        if float(x[0, 0].size) and x.sum() > 3:
            return x
        current().refuse("f", "no")

    found, notes = rehearsed(use)
    assert found == []
    assert notes == ["f is not compared with NumPy: its model refuses other numbers here"]


def test_what_a_model_calls_is_not_made_again():
    f = guarded("f", lambda x: guarded("g", lambda y: y + 1, lambda y: y)(x) - 1, np.copy)
    assert rehearsed(f)[0] == []


@pytest.mark.parametrize(
    ("name", "use"),
    [("add", lambda x: x + x), ("exp", NUMPY.exp), ("negative", lambda x: -x), ("add", lambda x: x.__iadd__(1))],
)  # fmt: skip
def test_methods_and_operators_are_compared_too(monkeypatch, name, use):
    right = EXACT[name]
    monkeypatch.setitem(EXACT, name, lambda *data: EXACT["multiply"](right(*data), const(data[0], 2)))
    found, _ = rehearsed(use)
    assert found
