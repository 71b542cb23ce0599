"""Functions run on the model: their programs, the questions and assumptions that they leave behind."""

import contextlib
import copy
import pickle
from fractions import Fraction

import numpy
import pytest

from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.tracing.array import TracedFloat, is_traced, wrap
from attn_verify.arithmetic.tracing.modules import math_model, numpy_model
from attn_verify.arithmetic.tracing.node_data import NodeData
from attn_verify.arithmetic.tracing.session import RefusalError, Session, running
from attn_verify.arithmetic.tracing.sizes import SizeInt
from attn_verify.arithmetic.tracing.traced import nodes_of, traced

np = numpy_model()
math = math_model()


def inside(x):
    """Return what an array of the model holds, which it shows to nobody."""
    return object.__getattribute__(x, "_data")


class Run:
    """A session with inputs of any shape, whose values are small fractions."""

    def __init__(self, **options):
        self.graph = Graph()
        self.point = {}
        self.session = Session(self.graph, self.point, frozenset({2, 3, 4}), **options)

    def input(self, name, *shape, dtype="float64"):
        nodes = numpy.empty(shape, object)
        for number, place in enumerate(numpy.ndindex(*shape)):
            nodes[place] = self.graph.input(name, place)
            self.point[name, place] = Fraction((7 * number + 3 * len(name)) % 11 - 5, 4)
        return traced(nodes, dtype)

    def notes(self, kind):
        return [note["text"] for note in self.session.notes.values() if note["kind"] == kind]


@pytest.fixture
def run():
    made = Run()
    with running(made.session):
        yield made


def equal(run, a, b):
    pairs = list(zip(nodes_of(a).ravel().tolist(), nodes_of(b).ravel().tolist(), strict=True))
    return all(answer.equal for answer in compare(run.graph, pairs))


def plain(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)


def shifted(Q, K, V):
    S = np.einsum("ia,ja->ij", Q, K) * Q.shape[-1] ** -0.5
    S -= S.max(axis=-1, keepdims=True)
    P = np.exp(S)
    P /= np.sum(P, axis=-1, keepdims=True)
    return np.dot(P, V)


def online(Q, K, V):
    n, d = Q.shape
    O, top, total = np.zeros((n, V.shape[1])), np.full(n, -np.inf), np.zeros(n)
    for j in range(len(K)):
        s = Q @ K[j] / math.sqrt(d)
        new = np.maximum(top, s)
        keep, weight = np.exp(top - new), np.exp(s - new)
        total = total * keep + weight
        O *= keep[:, None]
        O += weight[:, None] * V[j]
        top = new
    return O / total[:, None]


def masked(Q, K, V):
    S = np.where(np.ones((len(Q), len(K)), dtype=bool), Q @ K.T / np.sqrt(len(Q[0])), -np.inf)
    buffer = np.empty_like(S)
    for i, row in enumerate(S):
        buffer[i] = np.exp(row - row.max())
    return np.stack([np.sum(w[:, None] * V, axis=0) / w.sum() for w in buffer])


@pytest.mark.parametrize("name", ["shifted", "online", "masked", "loops"])
def test_programs_of_the_formula_are_equal(run, name):
    f = globals()[name]
    Q, K, V = run.input("Q", 2, 3), run.input("K", 4, 3), run.input("V", 4, 2)
    assert equal(run, f(Q, K, V), plain(Q, K, V))
    assert not run.session.conditions
    assert not run.session.notes


def test_a_wrong_scale_is_a_different_program(run):
    Q, K, V = run.input("Q", 2, 3), run.input("K", 4, 3), run.input("V", 4, 2)
    wrong = plain(Q / 2, K, V)
    assert not equal(run, wrong, plain(Q, K, V))


def loops(Q, K, V):
    O = np.empty((len(Q), V.shape[1]))
    for i in range(len(Q)):
        weights = [np.exp(np.dot(Q[i], key) / math.sqrt(len(key))) for key in K]
        for c in range(V.shape[1]):
            O[i, c] = sum(w * V[j, c] for j, w in enumerate(weights)) / sum(weights)
    return O


@pytest.mark.parametrize("f", [shifted, online, masked, loops])
def test_whole_arrays_of_residues_agree(f):
    from attn_verify.arithmetic.modular.arrays import ModularData
    from attn_verify.arithmetic.modular.draw import draw
    from attn_verify.arithmetic.modular.field import Field, using

    field = Field(draw("11", 62, 64, 2, (2, 3)), frozenset({2, 3}))
    session = Session(Graph(), {}, frozenset({2, 3, 4}), carrier=ModularData)
    with using(field), running(session):
        Q, K, V = (
            wrap(ModularData.inputs(name, shape), numpy.dtype(float))
            for name, shape in (("Q", (5, 3)), ("K", (6, 3)), ("V", (6, 2)))
        )
        left, right, wrong = (inside(g(Q, K, V)).level(1).ravel().tolist() for g in (f, plain, lambda *a: 2 * f(*a)))
    assert left == right != wrong


def test_maxima_are_one_node_or_decided_by_comparisons():
    for cases, op in ((False, "max"), (True, "input")):
        made = Run(cases=cases)
        with running(made.session):
            x = made.input("x", 3)
            node = nodes_of(x.max())[()]
        assert node.op == op
        assert bool(made.session.conditions) is cases


def test_a_floor_that_never_bites_is_settled(run):
    e = np.exp(run.input("x", 2, 3))
    shifted_sum = np.exp((x := run.input("y", 2, 3)) - x.max(axis=1, keepdims=True)).sum(axis=1)
    assert nodes_of(np.maximum(shifted_sum, 1e-12))[0] is nodes_of(shifted_sum)[0]
    assert nodes_of(np.maximum(e, 0))[0, 0] is nodes_of(e)[0, 0]
    assert nodes_of(np.maximum(e, 1e-12))[0, 0].op == "max"
    assert not run.session.conditions


def test_branches_are_recorded_with_their_answers(run):
    x = run.input("x", 2)
    assert bool(x[0] > x[1]) is bool(run.point["x", (0,)] > run.point["x", (1,)])
    assert [c.op for c in run.session.conditions] == ["lt"]
    assert bool(np.exp(x[0]) > 0)
    assert len(run.session.conditions) == 1


def test_casts_are_noted_only_where_they_round(run):
    x = run.input("x", 2)
    x.astype(np.float64)
    assert not run.notes("cast")
    y = x.astype(np.float32)
    assert y.dtype == numpy.float32
    assert run.notes("cast") == ["float64 → float32: equal before rounding"]
    y.astype(float)
    assert len(run.notes("cast")) == 1


def test_single_entries_are_copies_and_slices_are_views(run):
    x = run.input("x", 2, 2)
    entry, row = x[0, 0], x[0]
    x[0, 0] = 5
    assert nodes_of(row)[0].rational == 5
    assert nodes_of(entry)[()].op == "input"
    entry += 1
    assert nodes_of(x)[0, 0].rational == 5


class TestSizes:
    def test_they_are_integers(self, run):
        d = run.input("x", 4).shape[0]
        assert isinstance(d, int)
        assert (d, hash(d), {4: "four"}[d], f"{d}", repr(d)) == (4, hash(4), "four", "4", "4")
        assert isinstance(d // 2 + 1, SizeInt)
        assert [*range(d)] == [0, 1, 2, 3]

    @pytest.mark.parametrize("f", [lambda d: d**-0.5, lambda d: 1 / d**0.5, lambda d: 1 / math.sqrt(d)])
    def test_their_roots_are_exact(self, run, f):
        root = f(SizeInt(3))
        assert type(root) is TracedFloat
        assert isinstance(root, float)
        assert equal(run, wrap(inside(root), numpy.dtype(float)) * np.sqrt(SizeInt(3)), np.array(1.0))
        assert not run.session.notes

    def test_outside_a_run_they_are_plain(self):
        assert type(SizeInt(3) / 2) is float
        assert SizeInt(4) ** 0.5 == 2.0

    def test_their_floats_do_not_widen(self, run):
        x = run.input("x", 3, dtype="float32")
        assert (x * x.shape[0] ** -0.5).dtype == numpy.float32
        assert (x / np.sqrt(x.shape[0])).dtype == numpy.float64


def test_poison_moves_but_is_not_read(run):
    x = np.empty((2, 2))
    moved = x.T.reshape(-1)[::-1].copy()
    moved[:] = 1
    assert [node.rational for node in nodes_of(moved)] == [1, 1, 1, 1]
    with pytest.raises(RefusalError, match="never written"):
        nodes_of(x)
    assert run.session.refusals[-1].operation == "np.empty"


def test_a_refusal_survives_being_swallowed(run):
    with contextlib.suppress(BaseException):
        np.linalg.inv(run.input("x", 2, 2))
    assert [refusal.operation for refusal in run.session.refusals] == ["np.linalg.inv"]


def test_an_argument_that_the_model_does_not_know_refuses(run):
    with pytest.raises(RefusalError, match=r"np\.diff"):
        np.diff(run.input("x", 3), append=0)


def test_copies_are_independent_and_nothing_is_pickled(run):
    x = run.input("x", 2)
    for duplicate in (copy.copy(x), copy.deepcopy([x])[0], x.copy()):
        duplicate[0] = 0
    assert nodes_of(x)[0].op == "input"
    with pytest.raises(RefusalError):
        pickle.dumps(x)


def test_numbers_of_another_run_are_refused(run):
    other = Run()
    foreign = other.input("x", 2)
    with pytest.raises(RefusalError, match="another run"):
        foreign + run.input("x", 2)


def test_the_carrier_answers_for_constants_and_special_values(run):
    data = NodeData.of(numpy.array([Fraction(1, 3), "inf", "nan", 2], dtype=object))
    assert data.constants().tolist() == [Fraction(1, 3), "inf", "nan", Fraction(2)]
    assert data.is_special("inf").tolist() == [False, True, False, False]
    assert inside(run.input("x", 1)).constants().tolist() == [None]
    assert is_traced(run.input("x", 1))
