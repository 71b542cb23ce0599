"""The formula as a program against the symbolic derivation, entry by entry, by the normal form."""

import itertools

import pytest
import sympy

from attn_verify import derive
from attn_verify.arithmetic.exact import compare
from attn_verify.arithmetic.graph import Graph
from attn_verify.checks.formula import formula, gradients
from attn_verify.shapes import Sizes, input_shapes
from attn_verify.spec import AttentionSpec

CASES = [
    ({"n": 2, "m": 3, "d_k": 3, "d_v": 2}, "scale=1/sqrt(d_k)", None),
    ({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, "scale=1/sqrt(d_k)", [[1, 0, 1], [0, 1, 1]]),
    ({"n": 3, "m": 3, "d_k": 2, "d_v": 1}, "causal=lower_right", None),
    ({"n": 2, "d_model": 2, "d_k": 2, "d_v": 1, "heads": 2, "d_out": 2}, "scale=2/3", None),
]


def read(expression, graph, symbols):
    """Turn a SymPy expression of inputs into a node."""
    if expression in symbols:
        return graph.input(*symbols[expression])
    if expression.is_Rational:
        return graph.number(sympy.Rational(expression).p) / graph.number(sympy.Rational(expression).q)
    parts = [read(part, graph, symbols) for part in expression.args]
    if expression.is_Add:
        return graph.sum(parts)
    if expression.is_Mul:
        product = graph.number(1)
        for part in parts:
            product = product * part
        return product
    if isinstance(expression, sympy.exp):
        return graph.exp(parts[0])
    if expression.is_Pow:
        base, exponent = parts[0], expression.args[1]
        if exponent == -1:
            return 1 / base
        if abs(exponent) == sympy.Rational(1, 2):
            return graph.sqrt(base) if exponent > 0 else 1 / graph.sqrt(base)
        if exponent.is_Integer and exponent > 0:
            return (
                read(expression.args[0] * expression.args[0] ** (exponent - 1), graph, symbols)
                if exponent == 1
                else (base * read(sympy.Pow(expression.args[0], exponent - 1), graph, symbols))
            )
    raise AssertionError(f"{expression} of type {type(expression)}")


def setting(sizes, spec, mask):
    """The derivation, a graph, the entry of every input symbol, and the inputs of the formula."""
    derivation = derive(sizes, spec, mask=mask)
    symbols = {}
    for stage in derivation.inputs:
        name, head = stage.key.partition(":")[::2]
        for i, row in enumerate(stage.symbols):
            for j, symbol in enumerate(row):
                shared = name in ("X", "X_KV", "W_O")
                symbols[symbol] = (name, (i, j) if shared else (int(head or 1) - 1, i, j))
    entries = {}
    for name, shape in input_shapes(derivation.sizes).items():
        matrices = [()] if len(shape) == 2 else [(h,) for h in range(shape[0])]
        rows, columns = shape[-2:]
        entries[name] = [[[(name, (*h, i, j)) for j in range(columns)] for i in range(rows)] for h in matrices]
    return derivation, symbols, entries


@pytest.mark.parametrize(("sizes", "spec", "mask"), CASES)
def test_the_third_reading_is_the_derivation(sizes, spec, mask):
    derivation, symbols, entries = setting(sizes, spec, mask)
    graph = Graph()
    rows = formula(graph, entries, derivation.sizes, derivation.spec, derivation.allowed).output()
    output = derivation.output
    pairs = [
        (rows[i][j], read(derivation.expand(output.symbol(i, j)), graph, symbols))
        for i in range(output.shape[0])
        for j in range(output.shape[1])
    ]
    assert all(found.equal for found in compare(graph, pairs))
    swapped = [(a, b) for (a, _), (_, b) in itertools.pairwise(pairs)]
    assert not any(found.equal for found in compare(graph, swapped))


def test_gradients_by_the_chain_rule_are_those_of_the_derivation():
    sizes = {"n": 2, "m": 3, "d_k": 2, "d_v": 2}
    derivation, symbols, entries = setting(sizes, None, None)
    graph = Graph()
    rows = formula(graph, entries, derivation.sizes, derivation.spec, derivation.allowed).output()
    outputs = {("O", (0, i, c)): rows[i][c] for i in range(2) for c in range(2)}
    seeds = {("O", (0, i, c)): ("dO", (0, i, c)) for i in range(2) for c in range(2)}
    wrt = {(f"d{name}", index): (name, index) for name, index in symbols.values()}
    found = gradients(graph, outputs, seeds, wrt)
    pairs = []
    for stage in derivation.inputs:
        jacobian = derivation.jacobian(derivation.output.key, stage.key)
        for k, row in enumerate(stage.symbols):
            for l, symbol in enumerate(row):
                terms = []
                for i in range(2):
                    for c in range(2):
                        partial = derivation.expand(jacobian[i, c, k, l])
                        terms.append(graph.input("dO", (0, i, c)) * read(sympy.sympify(partial), graph, symbols))
                name, index = symbols[symbol]
                pairs.append((found[f"d{name}", index], graph.sum(terms)))
    assert len(pairs) == 4 + 6 + 6
    assert all(result.equal for result in compare(graph, pairs))
    assert not compare(graph, [(pairs[0][0], pairs[1][1])])[0].equal


def test_spec_and_sizes_reach_the_formula():
    sizes = Sizes(n=1, m=2, d_k=2, d_v=1)
    _, _, entries = setting(sizes.to_dict(), None, None)
    graph = Graph()

    def first(spec, allowed):
        return formula(graph, entries, sizes, spec, allowed).output()[0][0]

    every = ((True, True),)
    pairs = [
        (first(AttentionSpec(), every), first(AttentionSpec(scale=1), every)),
        (first(AttentionSpec(), every), first(AttentionSpec(), ((True, False),))),
    ]
    assert not any(found.equal for found in compare(graph, pairs))
