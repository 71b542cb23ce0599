"""Default sizes and masks: diverse, tiny, what the user asked for, and never a row without keys."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_verify import AttentionSpec, Sizes
from attn_verify.errors import SizeError, TargetError
from attn_verify.targets.binding import bind
from attn_verify.targets.cases import default_batch, default_sizes, masks
from attn_verify.targets.layouts import Convention

PAPER = AttentionSpec()
GIVEN = ("Q", "K", "V")
MERGED = ("Q", "K", "V", "num_heads")
ONE = ("X", "W_Q", "W_K", "W_V")
HEADS = ("X", "W_Q", "W_K", "W_V", "W_O", "heads")
CROSS = ("X", "X_KV", "W_Q", "W_K", "W_V")
MAYBE = ("X", "W_Q", "W_K", "W_V", "X_KV=")
TARGETS = (GIVEN, MERGED, ONE, HEADS, CROSS, MAYBE, ("X", "W_QKV", "W_O", "heads"), ("X", *ONE[1:], "W_O"))


def binding(parameters, spec=PAPER, **options):
    described = [
        {"name": name.rstrip("="), "kind": "POSITIONAL_OR_KEYWORD", "has_default": "=" in name, "default": None}
        for name in parameters
    ]
    return bind({"qualname": "f", "file": "file.py", "parameters": described}, spec, **options)


def test_queries_keys_values_get_sizes_with_a_reason():
    sizes = default_sizes(binding(GIVEN), Convention("nd"))
    assert any(len({s.n, s.m, s.d_k, s.d_v}) == 4 for s in sizes)
    assert any(s.n == 1 for s in sizes)
    assert any(s.m == 1 for s in sizes)
    assert any(s.n > s.m for s in sizes)
    assert any(s.n < s.m for s in sizes)
    assert any(s.n == s.m == s.d_k == s.d_v for s in sizes)
    assert {2, 3} & {s.d_k for s in sizes}
    assert any(s.d_k == 4 for s in sizes)
    assert any(s.d_v == 1 for s in sizes)
    assert all(s.n * s.keys * max(s.d_k, s.d_v) <= 60 for s in sizes)


def test_layers_get_one_query_and_several_heads():
    sizes = default_sizes(binding(HEADS), Convention("nd", "fused"))
    assert {s.heads for s in sizes} == {1, 2, 3}
    assert {1, 3} <= {s.n for s in sizes}
    assert all(s.n == s.m for s in sizes)
    assert any(s.d_model != s.heads * s.d_k for s in sizes)
    assert any(s.d_out != s.d_model for s in sizes)


@pytest.mark.parametrize("parameters", TARGETS)
def test_every_candidate_has_sizes_that_it_can_have(parameters):
    bound = binding(parameters)
    for convention in bound.candidates():
        for sizes in default_sizes(bound, convention):
            bound.case(sizes, None, convention)
            assert sizes.heads == 1 or "heads" in bound.arguments.values() or convention.family == "split"
            if convention.widths in ("equal", "d_model=h·d_k"):
                assert sizes.d_model == sizes.heads * sizes.d_k
                assert bound.plan.projected is False or sizes.d_out == sizes.d_model
            if convention.widths in ("equal", "d_v=d_k"):
                assert sizes.d_k == sizes.d_v


def test_embeddings_of_the_keys_make_cross_attention():
    assert all(s.cross or s.n == 2 for s in default_sizes(binding(CROSS), Convention("nd", "matrix")))
    crosses = [s.cross for s in default_sizes(binding(MAYBE), Convention("nd", "matrix"))]
    assert set(crosses) == {True, False}
    assert not any(s.cross for s in default_sizes(binding(ONE), Convention("nd", "matrix")))


def test_gradients_never_share_the_embeddings():
    bound = binding((*CROSS, "dO"))
    assert all(s.cross for s in default_sizes(bound, Convention("nd", "matrix")))
    with pytest.raises(SizeError, match="with m = n, X and X_KV are one input"):
        bound.case(Sizes(n=2, d_model=2, d_k=1, d_v=1), None, Convention("nd", "matrix"))


@pytest.mark.parametrize("layout", ["bnd", "bhnd", "bnhd"])
def test_batches_are_no_other_size(layout):
    for sizes in default_sizes(binding(GIVEN), Convention(layout)):
        batch = default_batch(layout, sizes)
        assert 1 not in batch
        assert not set(batch) & {sizes.n, sizes.m, sizes.d_k, sizes.d_v}
        assert len(set(batch)) == len(batch)


def test_sizes_of_the_user_replace_the_defaults():
    bound = binding(GIVEN)
    full = {"n": 4, "m": 7, "d_k": 3, "d_v": 1}
    assert default_sizes(bound, Convention("nd"), full) == [Sizes(**full)]
    assert {s.d_k for s in default_sizes(bound, Convention("nd"), {"d_k": 5})} == {5}
    assert {(s.n, s.m) for s in default_sizes(binding(ONE), Convention("nd", "matrix"), {"n": 4})} == {(4, 4)}
    assert {(s.n, s.m) for s in default_sizes(binding(ONE), Convention("nd", "matrix"), {"m": 4})} == {(4, 4)}
    tied = default_sizes(binding(HEADS), Convention("nd", "fused", "equal"), {"d_model": 6, "heads": 2})
    assert {(s.d_k, s.d_v, s.d_out) for s in tied} == {(3, 3, 6)}
    tied = default_sizes(binding(HEADS), Convention("nd", "fused", "d_v=d_k"), {"d_v": 5})
    assert {s.d_k for s in tied} == {5}
    assert {s.heads for s in default_sizes(binding(HEADS), Convention("nd", "fused"), {"heads": 4})} == {4}


@pytest.mark.parametrize(("parameters", "convention", "given_sizes", "message"), [
    (GIVEN, Convention("nd"), {"size": 3},
     "sizes\n  unknown: size\n  known sizes: n, m, d_k, d_v, d_model, heads, d_out"),
    (GIVEN, Convention("nd"), {"n": 1, "m": 1, "d_k": 1, "d_v": 1, "d_model": 2},
     "bind f(Q, K, V)\n  got n = 1, m = 1, d_k = 1, d_v = 1, heads = 1, d_model = 2\n"
     "  the target takes Q, K, V, so there is no d_model\n  leave d_model out"),
    (ONE, Convention("nd", "matrix"), {"n": 1, "m": 2, "d_k": 1, "d_v": 1, "d_model": 2},
     "bind f(X, W_Q, W_K, W_V)\n  got n = 1, m = 2, d_k = 1, d_v = 1, heads = 1, d_model = 2\n"
     "  the target takes one X, so every query is a key: m = n\n  leave m out"),
    (ONE, Convention("nd", "matrix"), {"n": 1, "d_k": 1, "d_v": 1, "d_model": 2, "heads": 2},
     "bind f(X, W_Q, W_K, W_V)\n  got n = 1, m = 1, d_k = 1, d_v = 1, heads = 2, d_model = 2, d_out = 2\n"
     "  one matrix a projection, without a number of heads, is one head\n"
     "  leave heads out, or name the parameter: --roles PARAMETER=heads"),
    (GIVEN, Convention("nd"), {"n": 1, "m": 1, "d_k": 1, "d_v": 1, "heads": 2},
     "bind f(Q, K, V)\n  got n = 1, m = 1, d_k = 1, d_v = 1, heads = 2\n"
     "  in layout nd the target takes one head\n  leave heads out, or choose --layout bhnd"),
    (HEADS, Convention("nd", "fused", "d_v=d_k"),
     {"n": 1, "d_k": 1, "d_v": 2, "d_model": 2, "heads": 1, "d_out": 1},
     "bind f(X, W_Q, W_K, W_V, W_O, heads)\n"
     "  got n = 1, m = 1, d_k = 1, d_v = 2, heads = 1, d_model = 2, d_out = 1\n"
     "  the target is called with d_v = d_k\n  choose d_v = d_k"),
    (HEADS, Convention("nd", "fused", "equal"), {"n": 1, "d_k": 2, "d_v": 2, "d_model": 3, "heads": 2},
     "bind f(X, W_Q, W_K, W_V, W_O, heads)\n"
     "  got n = 1, m = 1, d_k = 2, d_v = 2, heads = 2, d_model = 3, d_out = 3\n"
     "  the target is called with d_model = h·d_k = h·d_v\n  choose d_model = 4"),
    (HEADS, Convention("nd", "fused", "d_out=d_model"),
     {"n": 1, "d_k": 2, "d_v": 2, "d_model": 3, "heads": 2, "d_out": 1},
     "bind f(X, W_Q, W_K, W_V, W_O, heads)\n"
     "  got n = 1, m = 1, d_k = 2, d_v = 2, heads = 2, d_model = 3, d_out = 1\n"
     "  the target is called with d_out = d_model\n  choose d_out = 3"),
    (ONE, Convention("nd", "matrix"), {"n": 1, "d_k": 1, "d_v": 1, "d_model": 2, "d_out": 3},
     "bind f(X, W_Q, W_K, W_V)\n  got n = 1, m = 1, d_k = 1, d_v = 1, heads = 1, d_model = 2, d_out = 3\n"
     "  the target has no W_O, so there is no d_out\n"
     "  leave d_out out, or name the parameter: --roles PARAMETER=W_O"),
])  # fmt: skip
def test_sizes_that_cannot_be(parameters, convention, given_sizes, message):
    with pytest.raises(SizeError) as caught:
        default_sizes(binding(parameters), convention, given_sizes)
    assert str(caught.value) == message


def test_a_layer_needs_a_model():
    with pytest.raises(SizeError, match="the target takes embeddings, so there is a d_model\n  give d_model"):
        binding(ONE).case(Sizes(n=1, d_k=1, d_v=1), None, Convention("nd", "matrix"))


# ---- masks ------------------------------------------------------------------------------------------------------


def test_causal_sizes_leave_no_row_empty():
    bound = binding(GIVEN, AttentionSpec(causal="lower_right"))
    assert all(s.n <= s.m for s in default_sizes(bound, Convention("nd")))
    with pytest.raises(SizeError) as caught:
        default_sizes(bound, Convention("nd"), {"n": 3, "m": 2})
    assert str(caught.value) == (
        "bind f(Q, K, V)\n  got n = 3, m = 2 with causal = lower_right\n  the first queries attend to nothing\n"
        "  choose n ≤ m: the formula covers masks with at least one key a row"
    )
    assert any(s.n > s.m for s in default_sizes(binding(GIVEN, AttentionSpec(causal="upper_left")), Convention("nd")))


@pytest.mark.parametrize(("n", "m", "count"), [(1, 1, 1), (2, 2, 9), (2, 3, 49), (3, 2, 27), (1, 6, 63), (6, 1, 1)])
def test_small_masks_are_all_there(n, m, count):
    found, text = masks(Sizes(n=n, m=m, d_k=1, d_v=1), PAPER)
    assert len(set(found)) == len(found) == count
    assert text == f"all {count} masks that leave every query a key"


def test_larger_masks_are_a_stated_sample():
    sizes = Sizes(n=2, m=4, d_k=1, d_v=1)
    found, text = masks(sizes, PAPER, seed=3)
    assert text == (
        f"{len(found)} masks: all allowed, causal, one key a row, the first keys masked, one masked entry at each"
        f" place, {len(found) - 11} at random (seed 3); those that leave a query without a key are left out"
    )
    assert found[0] == ((True,) * 4,) * 2
    assert ((True, True, True, False), (True,) * 4) in found
    assert ((True, False, False, False), (False, True, False, False)) in found
    assert ((False, False, True, True),) * 2 in found
    assert sum(sum(row.count(False) for row in mask) == 1 for mask in found) >= 8
    assert masks(sizes, PAPER, seed=3) == (found, text)
    assert masks(sizes, PAPER, seed=4)[0] != found
    assert "at 12 places" in masks(Sizes(n=4, m=5, d_k=1, d_v=1), PAPER)[1]


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 5), m=st.integers(1, 5), seed=st.integers(0, 9), true=st.sampled_from(["attends", "masked"]),
    causal=st.sampled_from(["none", "lower_right", "upper_left"]),
)  # fmt: skip
def test_no_mask_leaves_a_row_empty(n, m, seed, true, causal):
    spec = AttentionSpec(mask_true=true, causal=causal)
    sizes = Sizes(n=n, m=m, d_k=1, d_v=1)
    if causal == "lower_right" and n > m:
        with pytest.raises(TargetError, match=f"masks\n  got n = {n}, m = {m} with causal = lower_right\n"):
            masks(sizes, spec, seed)
        return
    found = masks(sizes, spec, seed)[0]
    assert found
    assert len(set(found)) == len(found)
    assert all(any(row) for mask in found for row in spec.allowed(sizes, mask))
    assert spec.allowed(sizes, found[0]) == spec.allowed(sizes)


# ---- shapes -----------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data(), parameters=st.sampled_from(TARGETS))
def test_every_argument_and_output_holds_every_entry_once(data, parameters):
    """Whatever the sizes: the entries of all arguments together are the inputs, and the outputs are a permutation."""
    bound = binding(parameters)
    convention = data.draw(st.sampled_from(bound.candidates()))
    size = st.integers(1, 4)
    names = ["n", "d_k", "d_v", *(["m"] if bound.keys_apart != "no" else [])]
    if bound.kind == "layer":
        names.append("d_model")
    if (bound.several_heads and not convention.head_axis) or convention.family == "split":
        names.append("heads")
    given_sizes = {name: data.draw(size, label=name) for name in names}
    try:
        sizes = default_sizes(bound, convention, given_sizes)[0]
    except SizeError:
        assert convention.widths != "free"
        return
    batch = tuple(data.draw(size) for _ in default_batch(convention.layout, sizes))
    case = bound.case(sizes, None, convention, batch)
    seen = []

    def visit(recipe):
        for item in recipe.get("list", ()):
            visit(item)
        if "array" in recipe:
            entries = recipe["array"]["entries"]
            product = 1
            for length in recipe["array"]["shape"]:
                product *= length
            assert len(entries) == product
            seen.extend(entries)

    for recipe in case.arguments.values():
        visit(recipe)
    if bound.arguments.get("X_KV") == "X_KV" and not sizes.cross and "X_KV" in case.arguments:
        visit_twice = set(seen)
        assert visit_twice == set(range(len(case.inputs)))
    else:
        assert sorted(seen) == list(range(len(case.inputs)))
    named = {entry for unit in case.units for array in unit.inputs.values() for entry in array.ravel().tolist()}
    assert named == set(case.inputs)
    for wanted in case.wanted:
        assert sorted(wanted.arrangements[0].ravel().tolist()) == list(range(len(wanted.keys)))
        assert len(set(wanted.keys)) == len(wanted.keys)
