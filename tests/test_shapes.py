"""Sizes, and signatures against two oracles: NumPy's own binding and a few lines of set arithmetic."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify.errors import AttnVerifyError, ShapeError, SizeError
from attn_verify.shapes import MAX_SIZE, Bound, Signature, Sizes, positive_size

# How many inputs Hypothesis draws; each drawn call is tried with about ten neighbours of its own.
BIND_CALLS = 1_000
VECTORIZE_INPUTS = 500
JUNK_INPUTS = 800

ATTENTION = Signature.parse("attention", "Q, K, V", "(n,d_k),(m,d_k),(m,d_v)->(n,d_v)")
MASKED = Signature.parse("attention", "Q, K, V, mask?", "(n,d_k),(m,d_k),(m,d_v),(n|1,m|1)->(n,d_v)")
WEIGHTS = Signature.parse("multihead", "X, W_Q", "(n,d_model),(h,d_model,d_k)->(h,n,d_k)")
FIXED = Signature.parse("rotate", "x", "(n,2)->(n,2)")
SQUARE = Signature.parse("trace", "A", "(n,n)->()")
VECTOR = Signature.parse("dot", "a, b", "(n),(n)->()")


def refusal(signature, **shapes):
    with pytest.raises(ShapeError) as caught:
        signature.bind(shapes)
    return str(caught.value)


def lines(first, *others):
    return "\n  ".join((first, *others))


# --- Sizes ---------------------------------------------------------------------------------------


def test_defaults_depend_on_what_is_given():
    assert Sizes(n=2, d_k=3, d_v=4).to_dict() == {"n": 2, "m": 2, "d_k": 3, "d_v": 4, "heads": 1}
    assert Sizes(n=2, d_k=3, d_v=4, d_model=5).d_out is None
    assert Sizes(n=2, d_k=3, d_v=4, d_model=5, heads=2).d_out == 5
    assert Sizes(n=2, d_k=3, d_v=4, d_model=5, heads=2, d_out=7).d_out == 7
    assert Sizes(n=2, d_k=3, d_v=4, heads=2).d_out is None


def test_given_qkv_and_cross_are_told_apart():
    assert Sizes(n=2, m=3, d_k=1, d_v=1).given_qkv
    assert not Sizes(n=2, m=3, d_k=1, d_v=1).cross
    assert Sizes(n=2, m=3, d_k=1, d_v=1, d_model=1).cross
    assert not Sizes(n=2, d_k=1, d_v=1, d_model=1).cross
    assert Sizes(n=2, m=3, d_k=1, d_v=1).keys == 3


def test_sizes_show_what_exists():
    assert repr(Sizes(n=2, d_k=3, d_v=4)) == "Sizes(n=2, m=2, d_k=3, d_v=4, heads=1)"


def test_sizes_come_from_mappings_and_are_changed_into_copies():
    sizes = Sizes.of({"n": np.int64(2), "d_k": 3, "d_v": 4})
    assert sizes == Sizes(n=2, d_k=3, d_v=4)
    assert type(sizes.n) is int
    assert Sizes.of(sizes) is sizes
    assert sizes.with_(m=5) == Sizes(n=2, m=5, d_k=3, d_v=4)
    assert sizes == Sizes(n=2, d_k=3, d_v=4)


def test_largest_and_smallest_size():
    assert positive_size("n", 1) == 1
    assert positive_size("n", MAX_SIZE) == MAX_SIZE
    with pytest.raises(SizeError):
        positive_size("n", MAX_SIZE + 1)
    with pytest.raises(SizeError):
        positive_size("n", 0)


KNOWN = "n, m, d_k, d_v, heads, d_model, d_out"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Sizes(n=0, d_k=1, d_v=1),
            lines("sizes", "got n = 0 (int)", "a size is at least 1", "give n = 1 or more"),
        ),
        (
            lambda: Sizes(n=2, m=-3, d_k=1, d_v=1),
            lines("sizes", "got m = -3 (int)", "a size is at least 1", "give m = 1 or more"),
        ),
        (
            lambda: Sizes(n=True, d_k=1, d_v=1),
            lines("sizes", "got n = True (bool)", "a size is a whole number", "give n as an integer ≥ 1"),
        ),
        (
            lambda: Sizes(n=2, d_k=1.0, d_v=1),
            lines("sizes", "got d_k = 1.0 (float)", "a size is a whole number", "give d_k as an integer ≥ 1"),
        ),
        (
            lambda: Sizes(n=2, d_k=1, d_v="3"),
            lines("sizes", "got d_v = '3' (str)", "a size is a whole number", "give d_v as an integer ≥ 1"),
        ),
        (
            lambda: Sizes(n=2, d_k=1, d_v=1, heads=None),
            lines("sizes", "got heads = None (NoneType)", "a size is a whole number", "give heads as an integer ≥ 1"),
        ),
        (
            lambda: Sizes(n=None, d_k=1, d_v=1),
            lines("sizes", "got n = None (NoneType)", "a size is a whole number", "give n as an integer ≥ 1"),
        ),
        (
            lambda: Sizes(n=2, d_k=1, d_v=1, heads=np.array([2, 3]), d_model=2),
            lines(
                "sizes",
                "got heads = array([2, 3]) (ndarray)",
                "a size is a whole number",
                "give heads as an integer ≥ 1",
            ),
        ),
        (
            lambda: Sizes(n=10**30, d_k=1, d_v=1),
            lines(
                "sizes",
                "got n = 1000000000000000000000000000000 (int)",
                "a size is at most 1048576",
                "give a smaller n",
            ),
        ),
        (
            lambda: Sizes(n=10**5000, d_k=1, d_v=1),
            lines("sizes", "got n = an integer of 16610 bits (int)", "a size is at most 1048576", "give a smaller n"),
        ),
        (lambda: Sizes.of({}), f"sizes\n  got no names\n  missing: n, d_k, d_v\n  known sizes: {KNOWN}"),
        (
            lambda: Sizes.of({"n": 1, "dk": 2, "d_v": 3}),
            lines("sizes", "got n, dk, d_v", "unknown: dk", "missing: d_k", f"known sizes: {KNOWN}"),
        ),
        (
            lambda: Sizes.of({"n": 1, "d_k": 2, "d_v": 3, 4: 5}),
            lines("sizes", "got n, d_k, d_v, 4", "unknown: 4", f"known sizes: {KNOWN}"),
        ),
        (lambda: Sizes.of(7), "sizes\n  got 7 (int)\n  give Sizes(n=…, d_k=…, d_v=…) or a mapping of sizes"),
        (
            lambda: Sizes(n=2, d_k=1, d_v=1).with_(k=3),
            lines("sizes", "got n, m, d_k, d_v, heads, k", "unknown: k", f"known sizes: {KNOWN}"),
        ),
    ],
)
def test_a_refused_size_says_what_was_received(call, message):
    with pytest.raises(SizeError) as caught:
        call()
    assert str(caught.value) == message


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.integers(4000, 6000).map(lambda digits: 10**digits),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.fractions(),
    st.decimals(),
    st.sampled_from([np.int8, np.uint64, np.float32, np.float64, np.bool_]).map(lambda kind: kind(1)),
    st.sampled_from([np.array(2), np.array([2]), np.array([1, 2]), np.array(2.0), np.array([]), object(), [], {}, int]),
)


def whole(value):
    """The independent reading of "a positive whole number": what Python would index a list with."""
    try:
        index = range(MAX_SIZE + 1).index(range(MAX_SIZE + 1)[value])
    except (TypeError, IndexError):
        return None
    return None if isinstance(value, (bool, np.bool_)) or value < 1 else index


@settings(max_examples=JUNK_INPUTS, deadline=None)
@given(st.sampled_from(["n", "m", "d_k", "d_v", "heads", "d_model", "d_out"]), JUNK)
def test_a_size_is_a_positive_whole_number_or_refused(name, value):
    given_sizes = {"n": 2, "d_k": 3, "d_v": 4, name: value}
    absent = value is None and name in ("m", "d_model", "d_out")
    expected = None if absent else whole(value)
    if expected is None and not absent:
        with pytest.raises(SizeError, match=f"got {name} = ") as caught:
            Sizes.of(given_sizes)
        assert len(str(caught.value)) < 400
    else:
        got = Sizes.of(given_sizes).to_dict()
        assert absent or (got[name] == expected and type(got[name]) is int)


@settings(max_examples=JUNK_INPUTS // 2, deadline=None)
@given(
    st.one_of(
        JUNK, st.dictionaries(st.one_of(st.sampled_from(["n", "d_k", "d_v"]), st.text(max_size=3), st.integers()), JUNK)
    )
)
def test_any_mapping_is_sizes_or_refused(value):
    try:
        message = ""
        sizes = Sizes.of(value)
    except SizeError as error:
        message = str(error)
    assert message.startswith("sizes\n  got ") or isinstance(sizes, Sizes)


# --- Signatures ----------------------------------------------------------------------------------


def test_the_names_fit_the_signature():
    with pytest.raises(ValueError, match="f: 2 names for 1 arguments"):
        Signature.parse("f", "a, b", "(n)->(n)")


def test_a_call_that_fits_binds_every_size():
    assert ATTENTION.bind({"Q": (2, 3), "K": (4, 3), "V": (4, 5)}) == Bound({"n": 2, "d_k": 3, "m": 4, "d_v": 5}, ())
    batched = MASKED.bind({"Q": (7, 1, 2, 3), "K": (6, 4, 3), "V": (4, 5), "mask": (1, 4)})
    assert batched == Bound({"n": 2, "d_k": 3, "m": 4, "d_v": 5}, (7, 6))
    assert MASKED.bind({"Q": (2, 3), "K": (4, 3), "V": (4, 5), "mask": None}).sizes["m"] == 4


def test_an_axis_that_only_stretches_has_size_one():
    row = Signature.parse("f", "mask", "(n|1,m|1)->(n,m)")
    assert row.bind({"mask": (1, 3)}) == Bound({"n": 1, "m": 3}, ())
    assert row.bind({"mask": (1, 1)}) == Bound({"n": 1, "m": 1}, ())


@pytest.mark.parametrize(
    ("signature", "shapes", "lines"),
    [
        # The example of the design document.
        (
            ATTENTION,
            {"Q": (2, 3), "K": (4, 2), "V": (4, 2)},
            ["got Q (2, 3), K (4, 2), V (4, 2)", "d_k = 3 from Q, but K has d_k = 2", "did you mean K with 3 columns?"],
        ),
        (
            ATTENTION,
            {"Q": (2, 3), "K": (3, 4), "V": (4, 2)},
            [
                "got Q (2, 3), K (3, 4), V (4, 2)",
                "d_k = 3 from Q, but K has d_k = 4",
                "did you mean the transpose of K?",
            ],
        ),
        (
            ATTENTION,
            {"Q": (2, 3), "K": (4, 3), "V": (5, 2)},
            ["got Q (2, 3), K (4, 3), V (5, 2)", "m = 4 from K, but V has m = 5", "did you mean V with 4 rows?"],
        ),
        (
            ATTENTION,
            {"Q": (3,), "K": (4, 3), "V": (4, 2)},
            ["got Q (3,), K (4, 3), V (4, 2)", "Q has 1 axis, needs (n,d_k)", "did you mean Q with 2 axes?"],
        ),
        (
            ATTENTION,
            {"Q": (), "K": (4, 3), "V": (4, 2)},
            ["got Q (), K (4, 3), V (4, 2)", "Q has 0 axes, needs (n,d_k)", "did you mean Q with 2 axes?"],
        ),
        (
            ATTENTION,
            {"Q": (2, 0), "K": (4, 0), "V": (4, 2)},
            ["got Q (2, 0), K (4, 0), V (4, 2)", "Q has d_k = 0", "give Q at least 1 along d_k"],
        ),
        (ATTENTION, {"Q": (2, 3), "K": (4, 3)}, ["got Q (2, 3), K (4, 3)", "V is missing", "pass V"]),
        (ATTENTION, {"Q": (2, 3), "K": (4, 3), "V": None}, ["got Q (2, 3), K (4, 3)", "V is missing", "pass V"]),
        (ATTENTION, {}, ["got nothing", "Q is missing", "pass Q"]),
        (
            ATTENTION,
            {"Q": (2, 3), "k": (4, 3), "v": (4, 2)},
            ["got Q (2, 3), k (4, 3), v (4, 2)", "unknown argument k, v"],
        ),
        (
            ATTENTION,
            {"Q": (5, 2, 3), "K": (6, 4, 3), "V": (4, 2)},
            [
                "got Q (5, 2, 3), K (6, 4, 3), V (4, 2)",
                "batch axes (5,) so far, but K has (6,)",
                "make the batch axes of K equal to (5,), or 1 where they should broadcast",
            ],
        ),
        (
            MASKED,
            {"Q": (2, 3), "K": (4, 3), "V": (4, 5), "mask": (4, 2)},
            [
                "got Q (2, 3), K (4, 3), V (4, 5), mask (4, 2)",
                "n = 2 from Q, but mask has n = 4",
                "did you mean the transpose of mask?",
            ],
        ),
        (
            MASKED,
            {"Q": (2, 3), "K": (4, 3), "V": (4, 5), "mask": (0, 4)},
            ["got Q (2, 3), K (4, 3), V (4, 5), mask (0, 4)", "mask has n = 0", "give mask at least 1 along n"],
        ),
        (
            WEIGHTS,
            {"X": (2, 3), "W_Q": (4, 5, 6)},
            [
                "got X (2, 3), W_Q (4, 5, 6)",
                "d_model = 3 from X, but W_Q has d_model = 5",
                "did you mean W_Q with 3 rows?",
            ],
        ),
        (FIXED, {"x": (4, 3)}, ["got x (4, 3)", "x has 3 where the signature has 2", "did you mean x with 2 columns?"]),
        (SQUARE, {"A": (2, 3)}, ["got A (2, 3)", "n = 2 from A, but A has n = 3", "did you mean A with 2 columns?"]),
        (
            VECTOR,
            {"a": (2,), "b": (3,)},
            ["got a (2,), b (3,)", "n = 2 from a, but b has n = 3", "did you mean b with 2 entries?"],
        ),
    ],
)
def test_a_refused_call_says_what_would_fit(signature, shapes, lines):
    assert refusal(signature, **shapes) == "\n  ".join([f"{signature.operation}: {signature.text}", *lines])


def test_an_axis_in_front_of_rows_is_named():
    heads = Signature.parse("f", "A, B", "(h,n,d),(h,n,d)->(h,n,d)")
    assert refusal(heads, A=(2, 3, 4), B=(5, 3, 4)).endswith("did you mean B with h = 2?")


AXES = ["a", "b", "c", "2", "a|1", "b|1"]


@st.composite
def calls(draw, axes=tuple(AXES), optional=True):
    """A signature and shapes that fit it, mostly, with what makes calls fail mixed in."""
    cores = draw(st.lists(st.lists(st.sampled_from(axes), max_size=3), min_size=1, max_size=4))
    names = [f"A{i}{'?' if optional and draw(st.booleans()) else ''}" for i in range(len(cores))]
    text = ",".join(f"({','.join(core)})" for core in cores) + "->()"
    lengths = {axis: draw(st.integers(0, 3), label=axis) for axis in "abc"} | {"2": 2}
    batch = draw(st.lists(st.integers(0, 3), max_size=2), label="batch")
    shapes = {}
    for name, core in zip(names, cores, strict=True):
        shape = [length if draw(st.booleans()) else 1 for length in batch][draw(st.integers(0, len(batch))) :]
        for axis in core:
            shape.append(1 if axis.endswith("|1") and draw(st.booleans()) else lengths[axis.removesuffix("|1")])
        if shape and draw(st.integers(0, 7)) == 0:
            shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(0, 4))
        if shape and draw(st.integers(0, 15)) == 0:
            shape.pop(draw(st.integers(0, len(shape) - 1)))
        shapes[name.removesuffix("?")] = tuple(shape)
        if draw(st.integers(0, 9)) == 0:
            shapes[name.removesuffix("?")] = None
        if draw(st.integers(0, 19)) == 0:
            del shapes[name.removesuffix("?")]
    if draw(st.integers(0, 29)) == 0:
        shapes["B"] = (1,)
    return names, cores, text, shapes


def by_sets(names, cores, shapes, minimum):
    """The independent oracle: every axis has one length, whatever the order of the arguments."""
    if set(shapes) - {name.removesuffix("?") for name in names}:
        return None
    lengths, stretched, batches = {}, set(), []
    for name, core in zip(names, cores, strict=True):
        shape = shapes.get(name.removesuffix("?"))
        if shape is None:
            if name.endswith("?"):
                continue
            return None
        if len(shape) < len(core):
            return None
        at = len(shape) - len(core)
        batches.append(shape[:at])
        for axis, length in zip(core, shape[at:], strict=True):
            if axis.endswith("|1") and length == 1:
                stretched.add(axis.removesuffix("|1"))
            else:
                lengths.setdefault(axis.removesuffix("|1"), set()).add(length)
    if any(len(found) > 1 or min(found) < minimum for found in lengths.values()) or lengths.get("2", {2}) != {2}:
        return None
    try:
        batch = np.broadcast_shapes(*batches)
    except ValueError:
        return None
    lengths.pop("2", None)
    return dict.fromkeys(stretched, 1) | {axis: found.pop() for axis, found in lengths.items()}, batch


def neighbours(shapes):
    """The call itself, every call with one length changed, and every call with one argument dropped."""
    yield shapes
    for name, shape in shapes.items():
        yield {**shapes, name: None}
        for at in range(len(shape or ())):
            for length in (shape[at] + 1, 1):
                yield {**shapes, name: (*shape[:at], length, *shape[at + 1 :])}


OUTCOMES = Counter()


@settings(max_examples=BIND_CALLS, deadline=None)
@given(calls(), st.integers(0, 1))
def test_the_binder_agrees_with_sets(call, minimum):
    names, cores, text, shapes = call
    signature = Signature.parse("f", ", ".join(names), text)
    for tried in neighbours(shapes):
        expected = by_sets(names, cores, tried, minimum)
        if expected is None:
            OUTCOMES["refused"] += 1
            with pytest.raises(ShapeError) as caught:
                signature.bind(tried, minimum=minimum)
            assert str(caught.value).startswith(f"f: {text}\n  got ")
        else:
            OUTCOMES["bound"] += 1
            bound = signature.bind(tried, minimum=minimum)
            assert type(bound) is Bound
            assert (dict(bound.sizes), bound.batch) == expected


def test_the_fuzz_of_the_binder_tried_5000_calls_and_saw_both_outcomes():
    if not OUTCOMES:
        test_the_binder_agrees_with_sets()
    assert OUTCOMES.total() >= 5_000
    assert min(OUTCOMES["bound"], OUTCOMES["refused"]) >= 500, dict(OUTCOMES)


@settings(max_examples=VECTORIZE_INPUTS, deadline=None)
@given(calls(axes=("a", "b", "c"), optional=False))
def test_the_binder_agrees_with_numpy(call):
    names, cores, text, shapes = call
    signature = Signature.parse("f", ", ".join(names), text)
    used = sorted({axis for core in cores for axis in core})
    # All sizes as output axes, so that NumPy reports what it bound.
    axes = [axis for core in cores for axis in core]

    def sizes_as_shape(*arrays):
        lengths = dict(zip(axes, (length for array in arrays for length in array.shape), strict=True))
        return np.zeros([lengths[axis] for axis in used])

    vectorized = np.vectorize(
        sizes_as_shape,
        signature=text.replace("->()", f"->({','.join(used)})"),
        otypes=[float],
    )
    try:
        if set(shapes) != set(names) or None in shapes.values():
            raise ValueError("an argument is missing or unknown")
        expected = vectorized(*[np.zeros(shapes[name]) for name in names]).shape
    except ValueError:
        with pytest.raises(ShapeError):
            signature.bind(shapes, minimum=0)
    else:
        bound = signature.bind(shapes, minimum=0)
        assert bound.batch + tuple(bound.sizes[axis] for axis in used) == expected


def test_a_refusal_is_a_package_error():
    assert issubclass(ShapeError, AttnVerifyError)
    with pytest.raises(SizeError):
        Sizes(n=Fraction(2), d_k=1, d_v=1)
