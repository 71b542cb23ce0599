"""``AttentionSpec``: its fields, what is refused, and its masks against the inequality that defines them."""

import itertools
import math
import time
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify import language
from attn_verify.errors import LanguageError, SpecError
from attn_verify.shapes import Sizes
from attn_verify.spec import PROFILES, AttentionSpec

SCALE = "scale: factor σ of the scores S = σ Q Kᵀ"
FIELDS = "known fields: scale, mask, mask_true, causal, empty_row"
BUILT = "a scale is built from sizes, numbers, + - * / ** and sqrt"


def refusal(call, *arguments, **keywords):
    with pytest.raises(SpecError) as caught:
        call(*arguments, **keywords)
    return str(caught.value)


def lines(first, *others):
    return "\n  ".join((first, *others))


# --- fields --------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_paper():
    assert AttentionSpec().to_dict() == {
        "scale": "1 / sqrt(d_k)",
        "mask": "none",
        "mask_true": "attends",
        "causal": "none",
        "empty_row": "any",
    }
    assert PROFILES["paper"] == AttentionSpec()


CHOICES = {item.name: item.metadata["values"] for item in fields(AttentionSpec) if item.name != "scale"}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_every_value_of_every_field_is_taken(name, value):
    spec = AttentionSpec(**{name: value})
    assert getattr(spec, name) == value
    assert AttentionSpec.of(f"{name}={value}") == AttentionSpec.of(f" {name} = {value} ") == spec
    assert AttentionSpec.of({name: value}) == spec
    assert eval(repr(spec), {"AttentionSpec": AttentionSpec}) == spec  # our own repr, of our own value


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize(
    "value", [None, True, 0, "", "None", "NONE", "causal", ["none"], np.array(["none", "zero"]), b"none", object]
)
def test_every_other_value_is_refused(name, value):
    text = refusal(AttentionSpec, **{name: value})
    item = next(item for item in fields(AttentionSpec) if item.name == name)
    assert text.startswith(f"spec\n  got {name} = ")
    assert text.endswith(f"\n  allowed: {', '.join(CHOICES[name])}\n  {name}: {item.metadata['doc']}")


def test_a_spec_is_combined_from_parts_and_later_parts_win():
    spec = AttentionSpec.of("paper", {"causal": "upper_left", "scale": 2}, None, "scale=1/d_k")
    assert spec == AttentionSpec(causal="upper_left", scale="1/d_k")
    assert AttentionSpec.of(spec, "causal=none") == AttentionSpec(scale="1/d_k")
    assert AttentionSpec.of("causal=upper_left", AttentionSpec()) == AttentionSpec()
    assert AttentionSpec.of() == AttentionSpec()
    assert spec.with_(scale=3) == AttentionSpec(causal="upper_left", scale=3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: AttentionSpec(causal="diagonal"),
            lines(
                "spec",
                "got causal = 'diagonal' (str)",
                "allowed: none, lower_right, upper_left",
                "causal: which keys query i sees: all, up to i + m − n, or up to i",
            ),
        ),
        (
            lambda: AttentionSpec.of("pytorch"),
            lines("spec", "got profile 'pytorch'", "known profiles: paper; or write field=value"),
        ),
        (lambda: AttentionSpec.of(""), lines("spec", "got profile ''", "known profiles: paper; or write field=value")),
        (lambda: AttentionSpec.of("colour=red"), lines("spec", "got field 'colour'", FIELDS)),
        (lambda: AttentionSpec.of({1: 2}), lines("spec", "got field 1", FIELDS)),
        (lambda: AttentionSpec().with_(heads=2), lines("spec", "got field 'heads'", FIELDS)),
        (
            lambda: AttentionSpec.of(3),
            lines("spec", "got 3 (int)", "give an AttentionSpec, a profile name or field=value"),
        ),
    ],
)
def test_a_refused_spec_says_what_is_known(call, message):
    assert refusal(call) == message


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=4),
        st.builds("{}={}".format, st.sampled_from([*CHOICES, "scale"]), st.text(max_size=8)),
        st.dictionaries(
            st.sampled_from([*CHOICES, "scale", "x"]),
            st.one_of(st.text(max_size=6), st.integers(), st.floats(), st.none(), st.lists(st.integers())),
        ),
    )
)
def test_any_part_is_a_spec_or_refused(part):
    try:
        message, spec = "", AttentionSpec.of(part)
    except SpecError as error:
        message = str(error)
    if not message:
        assert AttentionSpec.of(spec.to_dict()) == spec
        spec.scale_node()
    assert not message or message.startswith("spec")


# --- scale ---------------------------------------------------------------------------------------


def value_of(spec):
    return language.constant(spec.scale_node())


@given(st.floats(-1e40, 1e40, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-40))
def test_a_float_scale_is_its_exact_binary_value(scale):
    assert value_of(AttentionSpec(scale=scale)) == Fraction(scale)
    assert value_of(AttentionSpec(scale=np.float64(scale))) == Fraction(scale)


@given(st.one_of(st.integers(-(10**60), 10**60), st.fractions(max_denominator=10**60)))
def test_an_exact_scale_stays_exact(scale):
    assert value_of(AttentionSpec(scale=scale)) == scale


def test_a_float_is_not_the_decimal_it_prints_as():
    assert value_of(AttentionSpec(scale=0.1)) == Fraction(3602879701896397, 36028797018963968)
    assert value_of(AttentionSpec(scale="0.1")) == Fraction(1, 10)
    assert AttentionSpec(scale=0.1) != AttentionSpec(scale="0.1")
    assert AttentionSpec(scale=0.5) == AttentionSpec(scale="0.5")
    assert value_of(AttentionSpec(scale=np.float32(0.1))) == Fraction(float(np.float32(0.1)))
    assert AttentionSpec(scale=np.int64(3)) == AttentionSpec(scale="3")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1/sqrt(d_k)", "1 / sqrt(d_k)"),
        (" 1 /  sqrt( d_k ) ", "1 / sqrt(d_k)"),
        ("d_k**-0.5", "d_k ** -0.5"),
        ("d_k^(-1/2)", "d_k ** (-1 / 2)"),
        ("1/(d_k + d_v*heads - n/m)", "1 / (d_k + d_v * heads - n / m)"),
        ("sqrt(d_model/d_out)", "sqrt(d_model / d_out)"),
        ("1e-200", "1.0e-200"),
        ("1e200", "1.0e200"),
    ],
)
def test_a_scale_has_one_way_to_be_written(text, canonical):
    spec = AttentionSpec(scale=text)
    assert spec.scale == canonical
    assert AttentionSpec(scale=spec.scale) == spec
    assert spec.scale_node() == language.parse(text)


@pytest.mark.parametrize(
    ("scale", "cause"),
    [
        (True, "a scale is a number or an expression in the sizes"),
        (None, "a scale is a number or an expression in the sizes"),
        ([1], "a scale is a number or an expression in the sizes"),
        (1j, "a scale is a number or an expression in the sizes"),
        (math.nan, "a scale is finite"),
        (math.inf, "a scale is finite"),
        (-math.inf, "a scale is finite"),
        (np.float32("nan"), "a scale is finite"),
        (1e-100, "its exact value has more than 200 digits; write it as text, such as '1e-100'"),
        (1e300, "its exact value has more than 200 digits; write it as text, such as '1e-100'"),
        (5e-324, "its exact value has more than 200 digits; write it as text, such as '1e-100'"),
        (10**5000, "its exact value has more than 200 digits; write it as text, such as '1e-100'"),
        ("dk", "unknown name 'dk' in the scale; known sizes: d_k, d_model, d_out, d_v, heads, m, n"),
        ("exp(1)", BUILT),
        ("sqrt", "unknown name 'sqrt' in the scale; known sizes: d_k, d_model, d_out, d_v, heads, m, n"),
        ("sqrt(d_k, 2)", BUILT),
        ("__import__(1)", BUILT),
        ("d_k.T", BUILT),
        ("1 @ d_k", BUILT),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else type(value).__name__,
)
def test_a_refused_scale_says_why(scale, cause):
    text = refusal(AttentionSpec, scale=scale)
    assert text.splitlines()[0] == "spec"
    assert text.splitlines()[2:] == [f"  {cause}", f"  {SCALE}"]
    assert text.splitlines()[1].startswith("  got scale = ")
    assert f"({type(scale).__name__})" in text


def test_a_scale_that_cannot_be_read_shows_where():
    assert refusal(AttentionSpec, scale="1/sqrt(d_k") == lines(
        "spec: scale",
        "expression: expected ')' at column 11",
        "  1/sqrt(d_k",
        "            ^",
        "  an expression has numbers, names, + - * / @ ** .T, parentheses and documented functions",
    )


HOSTILE = [
    "(" * 100_000,
    "9" * 10_000_000,
    "1e999999999",
    "__import__('os')",
    "d_k\x00",
    "１",
    "d\u200b_k",
    "9//2",
    "",
    "1,2",
    "(((2**64)**64)**64)**64",
    "d_k" + "+d_k" * 1000,
]


@pytest.mark.parametrize("scale", HOSTILE, ids=lambda scale: ascii(scale[:20]))
def test_a_hostile_scale_is_refused_at_once(scale):
    start = time.perf_counter()
    assert len(refusal(AttentionSpec, scale=scale)) < 600
    assert len(refusal(AttentionSpec.of, f"scale={scale}")) < 600
    assert time.perf_counter() - start < 1


def test_a_hostile_power_is_refused_when_it_is_evaluated():
    node = AttentionSpec(scale="9**9**9**9").scale_node()
    with pytest.raises(LanguageError, match="an exponent is a constant"):
        language.evaluate(node, {}, language.Algebra(lambda x: x, {}, pow, {}))


# --- masks ---------------------------------------------------------------------------------------

RULES = {
    "none": lambda i, j, n, m: True,
    "lower_right": lambda i, j, n, m: j <= i + m - n,
    "upper_left": lambda i, j, n, m: j <= i,
}


def sizes(n, m):
    return Sizes(n=n, m=m, d_k=1, d_v=1)


@pytest.mark.parametrize("causal", RULES)
@pytest.mark.parametrize(("n", "m"), [*itertools.product(range(1, 7), repeat=2)])
def test_causal_masks_follow_their_inequality(causal, n, m):
    expected = tuple(tuple(RULES[causal](i, j, n, m) for j in range(m)) for i in range(n))
    assert AttentionSpec(causal=causal).allowed(sizes(n, m)) == expected


@given(st.data())
def test_a_mask_and_a_causal_mask_must_both_allow(data):
    n, m = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    mask = data.draw(st.lists(st.lists(st.booleans(), min_size=m, max_size=m), min_size=n, max_size=n))
    causal, polarity = data.draw(st.sampled_from([*RULES])), data.draw(st.sampled_from(["attends", "masked"]))
    spec = AttentionSpec(causal=causal, mask="boolean", mask_true=polarity)
    expected = tuple(
        tuple(mask[i][j] == (polarity == "attends") and RULES[causal](i, j, n, m) for j in range(m)) for i in range(n)
    )
    assert spec.allowed(sizes(n, m), mask) == expected
    flipped = [[not value for value in row] for row in mask]
    other = spec.with_(mask_true="masked" if polarity == "attends" else "attends")
    assert other.allowed(sizes(n, m), flipped) == expected


MASK = [[True, False, True], [False, True, True]]


@pytest.mark.parametrize(
    "mask",
    [
        MASK,
        [[1, 0, 1], [0, 1, 1]],
        tuple(map(tuple, MASK)),
        np.array(MASK),
        np.array(MASK, int),
        np.array(MASK, np.uint8),
        list(np.array(MASK)),
        [[np.True_, np.False_, np.int64(1)], [0, 1, True]],
        (iter(row) for row in MASK),
    ],
    ids=[
        "lists",
        "ints",
        "tuples",
        "array",
        "int array",
        "uint8 array",
        "list of arrays",
        "NumPy scalars",
        "iterators",
    ],
)
def test_every_way_to_write_a_mask_means_the_same(mask):
    allowed = AttentionSpec(mask="boolean").allowed(sizes(2, 3), mask)
    assert allowed == tuple(map(tuple, MASK))
    assert all(type(value) is bool for row in allowed for value in row)


SHAPE = ["n = 2, m = 3", "give 2 rows of 3 truth values"]
VALUE = ["write true and false, or 1 and 0"]


@pytest.mark.parametrize(
    ("mask", "facts"),
    [
        ([[1, 0, 1], [0, 1]], ["got a mask of shape 2 rows of 2 or 3", *SHAPE]),
        ([[1, 0, 1]], ["got a mask of shape 1 rows of 3", *SHAPE]),
        ([[1, 0, 1], [1, 1, 1], [1, 1, 1]], ["got a mask of shape 3 rows of 3", *SHAPE]),
        ([], ["got a mask of shape 0 rows of nothing", *SHAPE]),
        ([1, 0], ["got a mask of shape 2 rows of ?", *SHAPE]),
        (True, ["got a mask of shape (bool)", *SHAPE]),
        (7, ["got a mask of shape (int)", *SHAPE]),
        ("101011", ["got a mask of shape (str)", *SHAPE]),
        (["101", "011"], ["got a mask of shape 2 rows of ?", *SHAPE]),
        ([b"101", b"011"], ["got a mask of shape 2 rows of ?", *SHAPE]),
        ({0: [1, 0, 1], 1: [0, 1, 1]}, ["got a mask of shape (dict)", *SHAPE]),
        ([{0, 1}, {0, 1}], ["got a mask of shape 2 rows of ?", *SHAPE]),
        (np.ones((3, 2), bool), ["got a mask of shape (3, 2)", *SHAPE]),
        (np.ones((1, 2, 3), bool), ["got a mask of shape (1, 2, 3)", *SHAPE]),
        (np.array(True), ["got a mask of shape (bool)", *SHAPE]),
        ([np.array(True), np.array(False)], ["got a mask of shape 2 rows of ?", *SHAPE]),
        ([[1, 0, 1], [0, 0.5, 1]], ["got 0.5 (float) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, 1.0, 1]], ["got 1.0 (float) in a boolean mask", *VALUE]),
        (np.zeros((2, 3)), ["got 0.0 (float) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, 2, 1]], ["got 2 (int) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, -1, 1]], ["got -1 (int) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, None, 1]], ["got None (NoneType) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, "1", 1]], ["got '1' (str) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, math.nan, 1]], ["got nan (float) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, [1], 1]], ["got [1] (list) in a boolean mask", *VALUE]),
        ([[1, 0, 1], [0, 10**5000, 1]], ["got an integer of 16610 bits (int) in a boolean mask", *VALUE]),
    ],
    ids=map(str, range(26)),
)
def test_a_refused_mask_says_what_was_received(mask, facts):
    spec = AttentionSpec(mask="boolean")
    assert refusal(spec.allowed, sizes(2, 3), mask) == lines("mask: (n,m)", *facts)


@settings(max_examples=500, deadline=None)
@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(-1, 2), st.floats(), st.text(max_size=2), st.none()),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(["attends", "masked"]),
)
def test_any_nested_list_is_a_mask_or_refused(mask, polarity):
    spec = AttentionSpec(mask="boolean", mask_true=polarity)
    for n, m in itertools.product(range(1, 4), repeat=2):
        rows = mask if isinstance(mask, list) and all(isinstance(row, list) for row in mask) else []
        values = [value for row in rows for value in row]
        fits = [len(row) for row in rows] == [m] * n and all(type(x) in (bool, int) and x in (0, 1) for x in values)
        if mask is None:
            assert all(map(all, spec.allowed(sizes(n, m), mask)))
        elif fits:
            expected = tuple(tuple((value == 1) == (polarity == "attends") for value in row) for row in mask)
            assert spec.allowed(sizes(n, m), mask) == expected
        else:
            assert refusal(spec.allowed, sizes(n, m), mask).startswith("mask: (n,m)\n  got ")
