"""Fills that stand for −∞: not seen among scores, seen elsewhere, and what could not be tried is not shown."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph
from attn_verify.arithmetic.graph.gradient import gradient
from attn_verify.checks.fills import fill_seen, objection
from attn_verify.checks.formula import expected
from attn_verify.checks.refilled import refilled, refilled_gradients
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.units import Unit

SEED = 11


@pytest.fixture
def graph():
    return Graph()


def entry(graph, masked, beside=0):
    """Return an entry with one key of two filled by ``masked``, the formula's, and both scores."""
    q, k = graph.input("Q", (0, 0, 0)), [graph.input("K", (0, j, 0)) for j in (0, 1)]
    v = [graph.input("V", (0, j, 0)) for j in (0, 1)]
    scores = [q * key for key in k]
    first, second = graph.exp(scores[0]), graph.exp(scores[1] + masked)
    got = (first * v[0] + second * v[1]) / (first + second) + beside
    return got, first * v[0] / first, scores


@pytest.mark.parametrize("fill", [-1000, -(10**9), -(10**38)])
def test_a_fill_added_to_a_score_is_not_seen(graph, fill):
    got, want, scores = entry(graph, Fraction(fill))
    assert not fill_seen(graph, [(got, want)], scores, [], [Fraction(fill)], SEED)


@pytest.mark.parametrize("shared", [False, True])
def test_scores_of_shared_weights_stay_below_the_fill(graph, shared):
    fill = Fraction(-(10**9))
    x = [graph.input("X", (0, i, 0)) for i in (0, 1)]
    w_q, w_v = graph.input("W_Q", (0, 0, 0)), graph.input("W_V", (0, 0, 0))
    w_k = w_q if shared else graph.input("W_K", (0, 0, 0))
    scores = [x[0] * w_q * (own * w_k) for own in x]
    first, second = graph.exp(scores[0]), graph.exp(scores[1] + fill)
    got = (first * x[0] * w_v + second * x[1] * w_v) / (first + second)
    assert not fill_seen(graph, [(got, x[0] * w_v)], scores, [], [fill], SEED)
    assert fill_seen(graph, [(got + graph.exp(x[0] + fill), x[0] * w_v)], scores, [], [fill], SEED)


@pytest.mark.parametrize("name", ["Q", "K", "V"])
def test_a_fill_beside_an_input_is_seen(graph, name):
    fill = Fraction(-(10**9))
    got, want, scores = entry(graph, fill, graph.exp(graph.input(name, (0, 0, 0)) + fill))
    assert fill_seen(graph, [(got, want)], scores, [], [fill], SEED)


def test_nothing_tried_is_nothing_shown(graph):
    fill = Fraction(-(10**9))
    got, want, scores = entry(graph, fill)
    never = SimpleNamespace(op="lt", left=graph.number(1), right=graph.number(0), answer=True)
    assert fill_seen(graph, [(got, want)], scores, [never], [fill], SEED)
    assert fill_seen(graph, [(got, want)], scores, [], [Fraction(-150)], SEED)


def test_scores_that_are_zero_are_left_out(graph):
    fill = Fraction(-(10**9))
    got, want, _ = entry(graph, fill)
    assert fill_seen(graph, [(got, want)], [graph.number(0)], [], [fill], SEED)


def judged(graph, got, visible, fill, name="O"):
    """Return what is objected to a program of one query and two keys, the second masked unless ``visible``.

    ``got`` is its output, with ``name="P"`` both of its weights, or with names of gradients all their entries.
    """
    inputs = {"Q": [[[("Q", (0, 0, 0))]]]} | {x: [[[(x, (0, j, 0))] for j in (0, 1)]] for x in "KV"}
    gradients = isinstance(name, tuple)
    upstream = {(0, 0): ("dO", (0, 0, 0))} if gradients else None
    unit = Unit(inputs, Sizes(n=1, m=2, d_k=1, d_v=1), ((True, visible),), upstream)
    entries = [entry for matrices in inputs.values() for row in matrices[0] for entry in row]
    case = SimpleNamespace(
        units=(unit,), inputs=entries, wanted=[SimpleNamespace(name=x) for x in ("O", *(name if gradients else ()))],
        names=name if gradients else (name,), each=(unit.allowed,), mask=unit.allowed,
    )  # fmt: skip
    wanted = expected(graph, case, AttentionSpec()).items()
    compared = {key: (node, want) for (key, want), node in zip(wanted, [got] if name == "O" else got, strict=True)}
    entries += [("dO", (0, 0, 0))] if gradients else []
    point = {entry: Fraction(7 + at, 8) for at, entry in enumerate(entries)}
    return objection(
        graph, compared, case, AttentionSpec(), orders=[], fills=[fill], point=point, seed=SEED,
        equal=lambda g, pairs: all(r.equal for r in compare(g, pairs)),
    )[0]  # fmt: skip


@pytest.mark.parametrize("fill", [Fraction(-1000), Fraction(-(10**9))])
def test_a_fill_has_to_be_a_score(graph, fill):
    """In the limit all of these are the formula; where nothing is masked, a fill is the score of a padded key."""
    masked, _, scores = entry(graph, fill)
    weights = [graph.exp(s) for s in scores]
    values = [graph.input("V", (0, j, 0)) for j in (0, 1)]
    above, below = weights[0] * values[0] + weights[1] * values[1], weights[0] + weights[1]
    small = graph.exp(graph.number(fill))
    for padding in (1, 3, 127):
        assert judged(graph, above / (below + small * Fraction(padding)), True, fill) == ""
    for odd in (
        above / below * (1 + small), above / below * (1 - small), above / below + small,
        above / (below + small * below), (above + small * values[0]) / (below + small),
    ):  # fmt: skip
        assert "nothing is masked" in judged(graph, odd, True, fill)
    assert judged(graph, masked, False, fill) == ""
    far = graph.input("Q", (0, 0, 0)) - 77
    grown = fill - graph.max([1 - far * far, graph.number(0)]) * fill * (1 - small)
    hidden = graph.exp(grown)
    assert "as it grows" in judged(
        graph, (weights[0] * values[0] + hidden * values[1]) / (weights[0] + hidden), False, fill
    )
    for odd in (masked * (1 + small), masked + small, masked * (1 + graph.exp(fill - values[0] * values[0]))):
        assert "other attention" in judged(graph, odd, False, fill)
    assert "other numbers" in judged(graph, masked * (1 + graph.exp(fill + values[0])), False, fill)
    weights[1] = weights[1] * small
    shares = [weight / (weights[0] + weights[1]) for weight in weights]
    assert judged(graph, shares, False, fill, "P") == ""
    assert "other attention" in judged(graph, [shares[0] * (1 + small), shares[1]], False, fill, "P")


@pytest.mark.parametrize("fill", [Fraction(-1000), Fraction(-(10**9))])
def test_what_is_added_to_a_fill_is_the_score_or_nothing(graph, fill):
    """A masked pair has weight e^(F + r); r may be 0 or the score, and nothing that is large at some inputs only."""
    _, _, scores = entry(graph, fill)
    values = [graph.input("V", (0, j, 0)) for j in (0, 1)]
    Q = graph.input("Q", (0, 0, 0))
    shown = graph.exp(scores[0])

    def output(rest):
        hidden = graph.exp(rest + fill)
        return (shown * values[0] + hidden * values[1]) / (shown + hidden)

    for rest in (graph.number(0), scores[1]):
        assert judged(graph, output(rest), False, fill) == ""
    for rest in (
        scores[0],
        scores[1] * Fraction(5, 4),
        graph.exp(Q) * 3,
        graph.exp(-(Q - 30) * (Q - 30)) * (-3 * fill),
    ):
        assert "other attention" in judged(graph, output(rest), False, fill)


@pytest.mark.parametrize(("reading", "flowing"), [("own", True), ("zero", False), ("none", True), ("none", False)])
@pytest.mark.parametrize("heads", [1, 2])
def test_gradients_of_refilled_attention_are_its_derivatives(graph, reading, flowing, heads):
    """By hand and by the chain rule: with one matrix of keys and values, and an output projection."""
    sizes = Sizes(n=2, m=2, d_k=1, d_v=1, heads=heads, d_model=1, d_out=1)
    shapes = {"X": (2, 1), "X_KV": (2, 1), "W_Q": (1, heads), "W_K": (1, heads), "W_V": (1, heads), "W_O": (heads, 1)}
    inputs = {
        name: [[[(name, (0, i, j)) for j in range(columns)] for i in range(rows)]]
        for name, (rows, columns) in shapes.items()
    }
    for name in ("W_Q", "W_K", "W_V"):
        inputs[name] = [[[row[0][t]] for row in [inputs[name][0]]] for t in range(heads)]
    unit = Unit(inputs, sizes, ((True, False), (True, True)), {(i, 0): ("dY", (0, i, 0)) for i in (0, 1)})
    entries = [entry for matrices in inputs.values() for matrix in matrices for row in matrix for entry in row]
    case = SimpleNamespace(
        units=(unit,), inputs=entries, wanted=(SimpleNamespace(name="Y"),), names=("Y",), each=(unit.allowed,),
        mask=unit.allowed,
    )  # fmt: skip
    fills = [graph.number(-3) * graph.input("fill", ())] * 4 if reading != "none" else [None] * 4
    readings = ("zero", reading, "zero")
    outputs = refilled(graph, case, AttentionSpec(), readings, 0, fills)
    seeds = [graph.input(*unit.upstream[index[1:]]) for _, index in outputs]
    wanted = gradient(graph, list(outputs.values()), seeds, [graph.input(*entry) for entry in entries])
    case.names = tuple(f"d{name}" for name in shapes)
    found = refilled_gradients(graph, case, AttentionSpec(), readings, 0, fills, flowing=flowing)
    assert list(found) == [(f"d{name}", index) for name, index in entries]
    assert all(r.equal for r in compare(graph, list(zip(found.values(), wanted, strict=True))))


def masked_gradient(graph, fill, *, shown_only=False, grown=None, times=1):
    """Return the derivatives of one query and two keys, the second masked by a fill, as code writes them by hand."""
    q, dO = graph.input("Q", (0, 0, 0)), graph.input("dO", (0, 0, 0))
    k, v = ([graph.input(name, (0, j, 0)) for j in (0, 1)] for name in "KV")
    E = [graph.exp(q * k[0]), graph.exp(fill if grown is None else grown)]
    P = [e / (E[0] + E[1]) for e in E]
    mean = P[0] * dO * v[0] + P[1] * dO * v[1]
    dS = [P[j] * (dO * v[j] - mean) * times for j in (0, 1)]
    dS[1] = graph.number(0) if shown_only else dS[1]
    return [dS[0] * k[0] + dS[1] * k[1], dS[0] * q, dS[1] * q, P[0] * dO, P[1] * dO]


@pytest.mark.parametrize("fill", [Fraction(-1000), Fraction(-(10**9))])
def test_a_fill_of_a_gradient_has_to_be_a_score(graph, fill):
    def objected(got):
        return judged(graph, got, False, fill, name=("dQ", "dK", "dV"))

    small = graph.exp(graph.number(fill))
    far = graph.input("Q", (0, 0, 0)) - 77
    grown = fill - graph.max([1 - far * far, graph.number(0)]) * fill * (1 - small)
    node = graph.number(fill)
    assert objected(masked_gradient(graph, node)) == ""
    assert objected(masked_gradient(graph, node, shown_only=True)) == ""
    assert "as it grows" in objected(masked_gradient(graph, node, grown=grown))
    assert "other attention" in objected(masked_gradient(graph, node, times=1 + small))
    assert "other attention" in objected([x + small for x in masked_gradient(graph, node)])
    *others, dV, last = masked_gradient(graph, node)
    odd = dV * (1 + graph.exp(fill + graph.input("V", (0, 0, 0))))
    assert "other numbers" in objected([*others, odd, last])
