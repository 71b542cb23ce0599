"""What a target may return, and what is said of anything else."""

import pytest

from attn_verify import AttentionSpec, Sizes
from attn_verify.targets.binding import bind
from attn_verify.targets.layouts import Convention
from attn_verify.targets.returns import Misfit, describe

SIZES = Sizes(n=2, m=3, d_k=1, d_v=2)


def case(returns=None, sizes=SIZES, gradient=False, convention=Convention("nd")):  # noqa: B008 - it is frozen
    names = ("Q", "K", "V", *(["dO"] if gradient else []))
    parameters = [{"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in names]
    bound = bind({"qualname": "f", "file": "file.py", "parameters": parameters}, AttentionSpec(), returns=returns)
    return bound.case(sizes, None, convention)


def array(*shape, dtype="float64", start=0, key="nodes"):
    count = 1
    for length in shape:
        count *= length
    return {"array": {"shape": list(shape), "dtype": dtype, key: list(range(start, start + count))}}


NONE = {"value": None}


@pytest.mark.parametrize(("value", "kind", "text"), [
    (array(3, 2), "shape", "returned an array (3, 2) of float64, where O has shape (2, 2)"),
    (array(1, 2, 2), "shape", "returned an array (1, 2, 2) of float64, where O has shape (2, 2)"),
    (array(2, 2, dtype="int64"), "type", "returned an array (2, 2) of int64, not of floats"),
    (array(2, 2, dtype="complex128"), "type", "returned an array (2, 2) of complex128, not of floats"),
    (array(2, 2, dtype="object"), "type", "returned an array (2, 2) of object, not of floats"),
    (NONE, "nothing", "returned None"),
    ({"value": "text"}, "type", "returned 'text' (str), not an array"),
    ({"value": 1}, "type", "returned 1 (int), not an array"),
    ({"value": 1.5}, "shape", "returned 1.5 (float), where O has shape (2, 2)"),
    ({"other": "generator"}, "type", "returned a value of type generator, not an array"),
    ({"tuple": []}, "shape", "returned a tuple of (), no member is O of shape (2, 2)"),
    ({"tuple": [array(2, 3), NONE]}, "shape",
     "returned a tuple of (an array (2, 3) of float64, None): no member is O of shape (2, 2)"),
    ({"tuple": [array(2, 2), array(2, 2)]}, "ambiguous",
     "returned a tuple of (an array (2, 2) of float64, an array (2, 2) of float64): members [0] and [1] both have the"
     " shape of O; name the members in order: --returns O,P"),
    ({"dict": {"a": array(1), "b": NONE}}, "shape",
     "returned a dict with keys 'a', 'b': no member is O of shape (2, 2)"),
    ({"list": [array(2), array(3)]}, "shape",
     "returned a list of (an array (2,) of float64, an array (3,) of float64): no member is O of shape (2, 2)"),
])  # fmt: skip
def test_what_does_not_fit(value, kind, text):
    found = case().select(value)
    assert isinstance(found, Misfit)
    assert (found.text.replace("tuple of (): no", "tuple of (), no"), found.kind) == (text, kind)


@pytest.mark.parametrize("value", [
    array(2, 2), array(2, 2, dtype="float16"), array(2, 2, dtype="<f4"), {"tuple": [array(2, 2), array(2, 3)]},
    {"list": [array(2), array(2, start=2)]}, {"dict": {"o": array(2, 2), "p": array(2, 3)}}, {"tuple": [array(2, 2)]},
    {"list": [{"list": [array(), array(start=1)]}, {"list": [array(start=2), array(start=3)]}]},
    {"tuple": [{"list": [array(2), array(2, start=2)]}, {"other": "module"}]},
])  # fmt: skip
def test_what_fits(value):
    found = case().select(value)
    assert [(item.name, item.index, item.position, item.value) for item in found] == [
        ("O", (0, 0, 0), 0, 0), ("O", (0, 0, 1), 1, 1), ("O", (0, 1, 0), 2, 2), ("O", (0, 1, 1), 3, 3),
    ]  # fmt: skip


def test_floats_in_lists_are_texts_and_never_nodes():
    found = case().select({"list": [{"list": [{"value": 0.5}, array()]}, {"list": [array(), array()]}]})
    assert [item.value for item in found] == [(0.5).hex(), 0, 0, 0]


def test_a_member_that_was_found_once_is_meant_again():
    square = Sizes(n=2, m=2, d_k=2, d_v=2)
    both = {"tuple": [array(2, 2), array(2, 2, start=10)]}
    found = case(sizes=square, convention=Convention("nd", returned=(1,))).select(both)
    assert [item.value for item in found] == [10, 11, 12, 13]
    for value, text in [
        (array(2, 2), "returned an array (2, 2) of float64, without member [1]"),
        ({"tuple": [array(2, 2), NONE]}, "returned None"),
        ({"tuple": [array(2, 2), array(1)]}, "returned an array (1,) of float64, where O has shape (2, 2)"),
    ]:
        assert case(sizes=square, convention=Convention("nd", returned=(1,))).select(value).text == text


@pytest.mark.parametrize(("returns", "value", "text"), [
    ("O,P", {"tuple": [array(2, 2)]},
     "returned a tuple of (an array (2, 2) of float64), 1 where 2 are expected: O, P;"
     " name them in order with --returns"),
    ("O,P", array(2, 2),
     "returned an array (2, 2) of float64, 1 where 2 are expected: O, P; name them in order with --returns"),
    ("O,P", {"tuple": [array(2, 2), array(2, 2)]},
     "returned an array (2, 2) of float64, where P has shape (1, 2, 3) or (2, 3)"),
    ("O,P", {"dict": {"O": array(2, 2)}}, "returned a dict with keys 'O', without P"),
])  # fmt: skip
def test_named_members_that_are_not_there(returns, value, text):
    found = case(returns).select(value)
    assert (found.text, found.kind) == (text, "shape")


def test_named_members_that_are_there():
    found = case("_,P,O").select({"tuple": [NONE, array(2, 3), array(2, 2, start=6)]})
    assert {(item.name, item.value) for item in found} == {
        *(("P", at) for at in range(6)), *(("O", 6 + at) for at in range(4)),
    }  # fmt: skip
    assert next(item.index for item in found if item.value == 5) == (0, 0, 1, 2)


def test_gradients_come_in_order_or_by_name():
    tuple_ = {"tuple": [array(2, 1), array(3, 1, start=2), array(3, 2, start=5)]}
    named = {"dict": dict(zip(("dq", "grad_K", "dV"), tuple_["tuple"], strict=True))}
    for value in (tuple_, {"tuple": [*tuple_["tuple"], NONE]}, named):
        found = case(gradient=True).select(value)
        assert [(item.name, item.value) for item in found[:3]] == [("dQ", 0), ("dQ", 1), ("dK", 2)]
        assert found[-1].index == (0, 2, 1)
    text = case(gradient=True).select({"tuple": tuple_["tuple"][:2]}).text
    assert text.endswith("2 where 3 are expected: dQ, dK, dV; name them in order with --returns")
    assert case(gradient=True).select(array(2, 1)).text.startswith("returned an array (2, 1) of float64, 1 where 3")


@pytest.mark.parametrize(("value", "text"), [
    ({"list": [NONE] * 9}, "a list of (None, None, None, None, …)"),
    ({"dict": {"k" * 100: NONE}}, "a dict with keys 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…kkk'"),
    ({}, "a value of type unknown"),
])  # fmt: skip
def test_descriptions_stay_short(value, text):
    assert len(describe(value)) <= len(text) + 2
    assert describe(value)[:20] == text[:20]
