"""Python's own max of exact numbers is one unknown; with keys, defaults and other kinds it compares, as ever."""

import math
from fractions import Fraction

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.array import TracedFloat, TracedScalar, python_float, scalar
from attn_verify.arithmetic.tracing.builtin_max import largest
from attn_verify.arithmetic.tracing.modules import numpy_model
from attn_verify.arithmetic.tracing.node_data import NodeData
from attn_verify.arithmetic.tracing.session import Session, running


def node_of(number):
    """Return the node of an exact number, which shows others only what NumPy's numbers show."""
    return object.__getattribute__(number, "_data").nodes[()]


@pytest.fixture
def numbers():
    numpy_model()  # the methods of arrays
    graph = Graph()
    names = [("x", (i,)) for i in range(3)]
    session = Session(graph, {name: Fraction(i) for i, name in enumerate(names)})
    with running(session):
        data = [NodeData(np.array(graph.input(*name), object)) for name in names]
        yield session, data


def test_it_is_one_node_and_no_question(numbers):
    session, data = numbers
    for made, kind in ((python_float, TracedFloat), (lambda d: scalar(d, np.dtype(np.float64)), TracedScalar)):
        found = largest(max)([made(d) for d in data])
        assert type(found) is kind
        assert node_of(found).op == "max"
    assert session.conditions == []


def test_constants_may_stand_among_them(numbers):
    session, data = numbers
    found = largest(max)(-1e300, *(python_float(d) for d in data))
    assert len(node_of(found).args) == 4
    assert session.conditions == []


@pytest.mark.parametrize("ask", [lambda f, xs: f(xs, key=lambda x: -x), lambda f, xs: f(xs, default=0)])
def test_keys_and_defaults_are_left_to_python(numbers, ask):
    session, data = numbers
    xs = [python_float(d) for d in data]
    assert ask(largest(max), xs) in xs
    assert session.conditions


def test_what_is_no_exact_number_is_left_to_python(numbers):
    assert largest(max)([1, 3, 2]) == 3
    assert largest(max)(iter("abc")) == "c"
    assert math.isnan(largest(max)(math.nan, 1.0))
    with pytest.raises(ValueError, match="empty"):
        largest(max)([])
    with pytest.raises(TypeError, match="at least 1 argument"):
        largest(max)()
