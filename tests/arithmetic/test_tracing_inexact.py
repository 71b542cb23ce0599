"""Constants that are equal in exact numbers, and need not be in floats, answer no question."""

import math

import numpy as np
import pytest

from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.modules import numpy_model
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.traced import traced

NUMPY = numpy_model()


def answer(use):
    """Return what ``use(np, x, n)`` gives, or ``"refused"``; ``x`` is one input, ``n`` the size 1."""
    graph = Graph()
    session = Session(graph, {("x", (0,)): 2}, frozenset({1}))
    nodes = np.empty(1, object)
    nodes[0] = graph.input("x", (0,))
    with running(session):
        try:
            return use(NUMPY, traced(nodes), SizeInt(1))
        except RefusalError:
            return "refused"


@pytest.mark.parametrize(
    "use",
    [
        lambda np, x, n: bool(n / 10 + n / 5 - 3 * n / 10),
        lambda np, x, n: bool(n / 10 + n / 5 == 3 * n / 10),
        lambda np, x, n: bool(n / 10 + n / 5 > 3 * n / 10),
        lambda np, x, n: np.where(np.sqrt(n + 2) ** 2 - 3, 1, 0),
        lambda np, x, n: np.where(np.exp(np.log(np.float64(3.0))) == 3, 1, 0),
        lambda np, x, n: bool(((x + 0.1) - x)[0] == 0.1),
        lambda np, x, n: bool(np.full(3, 0.1).sum() - 0.1 * 3 == 0),
        lambda np, x, n: bool(1.0 + np.float64(2.0**-60) == 1.0),
    ],
)
def test_equality_of_constants_that_floats_round_is_refused(use):
    assert answer(use) == "refused"


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda np, x, n: bool((np.zeros(2) * 0.1 == 0).all()), True),
        (lambda np, x, n: bool((np.exp(np.full(1, -np.inf)) / np.exp(x) == 0).all()), True),
        (lambda np, x, n: bool(np.isclose((x + 0.1) - x, 0.1).all()), True),
        (lambda np, x, n: bool((x - x == 0).all()), True),
        (lambda np, x, n: bool((np.exp(x - x) == 1).all()), True),
        (lambda np, x, n: bool(n / 2 + n / 4 == 0.75), True),
        (lambda np, x, n: bool((1 - np.tril(np.ones((2, 2))) == 0).any()), True),
        (lambda np, x, n: bool(n / 10 < 3 * n / 10), True),
        (lambda np, x, n: bool(np.sqrt(n + 3) == 2), True),
    ],
)
def test_what_floats_compute_exactly_is_compared(use, expected):
    assert answer(use) is expected


def test_the_difference_is_real():
    assert 1 / 10 + 1 / 5 - 3 / 10 != 0
    assert math.sqrt(3) ** 2 != 3
