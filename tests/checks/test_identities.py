"""The identities of a derivation hold, and each is refuted when one term of one side is broken."""

import dataclasses

import pytest
import sympy

from attn_verify import Status, derive
from attn_verify.checks import identities as module
from attn_verify.checks.identities import identities, polynomial
from attn_verify.errors import StageError

SIZES = {"n": 2, "d_model": 2, "d_k": 2, "d_v": 2, "heads": 2, "d_out": 2}


@pytest.mark.parametrize(("sizes", "spec", "mask"), [
    (SIZES, None, None),
    ({"n": 2, "m": 4, "d_k": 3, "d_v": 2}, "causal=lower_right", None),
    ({"n": 3, "m": 2, "d_k": 1, "d_v": 1}, "causal=lower_right", None),
    ({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, "scale=3/7", [[1, 0, 1], [0, 0, 0]]),
    ({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, "empty_row=mean", [[1, 0, 1], [0, 0, 0]]),
    ({"n": 1, "m": 1, "d_k": 1, "d_v": 1}, None, None),
    ({"n": 2, "m": 2, "d_k": 2, "d_v": 1}, "scale=d_k**-0.25", None),
    ({"n": 2, "m": 2, "d_k": 3, "d_v": 1}, "scale=1/(1+sqrt(d_k))", None),
    ({"n": 2, "m": 2, "d_k": 3, "d_v": 1}, "scale=sqrt(sqrt(d_k))", None),
    ({"n": 2, "m": 3, "d_model": 2, "d_k": 1, "d_v": 1}, "scale=sqrt(8)/sqrt(d_k)", None),
])  # fmt: skip
def test_they_hold(sizes, spec, mask):
    audit = identities(derive(sizes, spec, mask=mask))
    assert audit.status is Status.PROVED
    assert all(verdict.evidence["entries"] > 0 for verdict in audit if verdict.applies)


def test_what_has_one_form_only_does_not_apply():
    assert not identities(derive({"n": 1, "m": 1, "d_k": 1, "d_v": 1}))["forms"].applies


def test_an_undefined_row_has_no_gradient():
    audit = identities(derive({"n": 2, "d_model": 1, "d_k": 1, "d_v": 1}, "empty_row=nan", mask=[[0, 0], [1, 1]]))
    assert [verdict.applies for verdict in audit] == [True, False, False]


def _with_stage(derivation, key, change):
    """Put a changed definition into the derivation under its old key."""
    stage = derivation[key]
    form = stage.forms[0]
    broken = dataclasses.replace(stage, forms=(dataclasses.replace(form, define=change(form.define)), *stage.forms[1:]))
    for table in (derivation._by_key, derivation._every, derivation._owners):
        for name, value in table.items():
            if value is stage:
                table[name] = broken
    derivation.stages = tuple(broken if each is stage else each for each in derivation.stages)
    return derivation


@pytest.mark.parametrize("key", ["dV:1", "dP:2", "dS:1", "dQ:2", "dK:1"])
@pytest.mark.parametrize("change", ["sign", "double", "drop"])
def test_a_broken_closed_form_is_refuted(key, change):
    def changed(define):
        def broken(i, j):
            value = define(i, j)
            return {"sign": -value, "double": 2 * value, "drop": sympy.Integer(0)}[change]

        return broken

    audit = identities(_with_stage(derive(SIZES), key, changed))
    assert audit["backward"].status is Status.REFUTED
    assert audit["backward"].evidence["entry"].startswith("d")


def test_the_missing_row_term_of_the_softmax_gradient_is_refuted():
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    P, dP = derivation["P"], derivation["dP"]
    audit = identities(_with_stage(derivation, "dS", lambda _: lambda i, j: P.symbol(i, j) * dP.symbol(i, j)))
    assert audit["backward"].status is Status.REFUTED


@pytest.mark.parametrize("key", ["Q:1", "K:2", "V:1", "Y"])
def test_a_transposed_form_is_refuted(key):
    audit = identities(_with_stage(derive(SIZES), key, lambda define: lambda i, j: define(j, i)))
    assert audit["forms"].status is Status.REFUTED


def test_heads_concatenated_in_the_wrong_order_are_refuted():
    derivation = derive(SIZES)
    audit = identities(_with_stage(derivation, "Z", lambda define: lambda i, c: define(i, (c + 2) % 4)))
    assert audit["forms"].status is Status.REFUTED


def test_a_wrong_softmax_jacobian_is_refuted(monkeypatch):
    # The derivative of a softmax that forgets the row sum.
    derivation = derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    E = derivation["E"]
    audit = identities(_with_stage(derivation, "P", lambda _: lambda i, j: E.symbol(i, j) / 2))
    assert audit["softmax_jacobian"].status is Status.REFUTED


def test_polynomials_are_told_apart():
    x, y = sympy.symbols("x y")
    assert polynomial((x + y) ** 2) == polynomial(x * x + 2 * x * y + y * y)
    assert polynomial((x + y) ** 2) != polynomial(x * x + x * y + y * y)
    assert polynomial(x / y * y) == polynomial(x)
    assert polynomial(sympy.sqrt(3) * x / 3) == polynomial(sympy.Pow(3, -sympy.S.Half, evaluate=False) * x)
    assert polynomial(sympy.sqrt(3) * x) != polynomial(sympy.sqrt(2) * x)
    assert polynomial(x - x) == polynomial(sympy.Integer(0)) == {}


def test_two_roots_of_one_number_multiply_to_it():
    root = sympy.Pow(3, sympy.S.Half, evaluate=False)
    x = sympy.Symbol("x")
    assert module._multiply(polynomial(root * x), polynomial(root)) == polynomial(3 * x)
    inverse = sympy.Pow(3, -sympy.S.Half, evaluate=False)
    assert module._multiply(polynomial(inverse), polynomial(inverse)) == polynomial(sympy.Rational(1, 3))


@pytest.mark.parametrize("text", ["exp(x)", "1/(x + y)", "(x + y)**(1/2)", "Max(x, y)", "x**y", "oo", "nan"])
def test_what_is_no_polynomial_is_refused(text):
    x, y = sympy.symbols("x y")
    expression = {
        "exp(x)": sympy.exp(x), "1/(x + y)": 1 / (x + y), "(x + y)**(1/2)": sympy.sqrt(x + y),
        "Max(x, y)": sympy.Max(x, y), "x**y": x**y, "oo": sympy.oo, "nan": sympy.nan,
    }[text]  # fmt: skip
    with pytest.raises(StageError):
        polynomial(expression)


def test_numbers_that_are_not_taken_apart_never_refute():
    derivation = derive({"n": 1, "m": 2, "d_k": 2, "d_v": 1}, "scale=d_k**(1/4)")
    audit = identities(_with_stage(derivation, "dK", lambda define: lambda i, j: 2 * define(i, j)))
    assert audit["backward"].status is Status.UNDECIDED
