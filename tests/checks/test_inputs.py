"""Sizes, masks and constants that an audit tries; samples themselves are tested with the strategies."""

import ast
import textwrap

import numpy as np
import pytest

from attn_verify.checks.inputs import Constants, battery, mask_battery, mine, random_samples, size_battery
from attn_verify.checks.inputs.sizes import entries
from attn_verify.errors import AttnVerifyError
from attn_verify.shapes import Sizes
from attn_verify.spec import AttentionSpec
from attn_verify.targets.binding import Binding, bind
from attn_verify.targets.layouts import Convention

SHAPES = {"Q": (1, 2, 3), "K": (1, 4, 3), "V": (1, 4, 2)}


def binding(parameters: str, spec: AttentionSpec | None = None) -> Binding:
    kinds = [
        {"name": name.removesuffix("?"), "kind": "POSITIONAL_OR_KEYWORD", "has_default": name.endswith("?")}
        | ({"default": "None"} if name.endswith("?") else {})
        for name in parameters.split()
    ]
    return bind({"qualname": "f", "file": "a.py", "parameters": kinds}, spec or AttentionSpec())


def test_the_sizes_of_a_function_of_q_k_v() -> None:
    found = size_battery(binding("Q K V"), Convention("nd"))
    pairs = {(sizes.n, sizes.keys) for sizes in found}
    assert {(1, 1), (9, 9), (1, 9), (9, 1)} <= pairs
    for block in (8, 16, 32, 64, 128, 256):
        for size in (block - 1, block, block + 1):
            assert any(m == size != n for n, m in pairs), f"m = {size}"
            assert any(n == size != m for n, m in pairs), f"n = {size}"
    assert any(sizes.d_v != sizes.d_k for sizes in found)
    assert any(sizes.d_k == 64 for sizes in found)
    assert len(set(map(str, found))) == len(found)
    # What finds most mistakes for the least comes first.
    assert max(sizes.n * sizes.keys for sizes in found[:8]) < 100


def test_the_sizes_of_a_layer_with_heads() -> None:
    found = size_battery(binding("X W_Q W_K W_V W_O heads"), Convention("nd", "fused"))
    assert all(sizes.n == sizes.keys for sizes in found)
    assert any(sizes.heads == 3 for sizes in found)
    assert {7, 8, 9, 17, 33} <= {sizes.n for sizes in found}


def test_constants_of_the_code_become_sizes() -> None:
    constants = mine("BLOCK = 48")
    found = size_battery(binding("Q K V"), Convention("nd"), constants=constants)
    lengths = {sizes.keys for sizes in found}
    assert {47, 48, 49, 97} <= lengths
    assert {47, 48, 49} <= {sizes.n for sizes in found}
    assert {49} <= {sizes.d_k for sizes in found} & {sizes.d_v for sizes in found}
    assert not {47, 49, 97} & {sizes.keys for sizes in size_battery(binding("Q K V"), Convention("nd"))}


def test_given_sizes_stay_and_the_budget_is_kept() -> None:
    own = binding("Q K V")
    found = size_battery(own, Convention("bhnd"), given={"n": 5, "d_k": 2}, budget_entries=3000)
    assert all(sizes.n == 5 and sizes.d_k == 2 for sizes in found)
    assert {7, 8, 9, 17} <= {sizes.keys for sizes in found}
    assert all(entries(sizes, Convention("bhnd")) <= 3000 for sizes in found)
    assert len(size_battery(own, Convention("nd"), given={"n": 50, "m": 60}, budget_entries=10)) == 1
    with pytest.raises(AttnVerifyError, match="there is no d_model"):
        size_battery(own, Convention("nd"), given={"d_model": 3})


def test_masks_aligned_at_the_end_leave_no_query_without_a_key() -> None:
    spec = AttentionSpec(causal="lower_right")
    found = size_battery(binding("Q K V", spec), Convention("nd"))
    assert all(sizes.n <= sizes.keys for sizes in found)
    assert {9, 17, 33, 65, 129} <= {sizes.n for sizes in found}


@pytest.mark.parametrize("spec", ["paper", "causal=lower_right", "mask_true=masked", "causal=upper_left"])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (3, 9), (4, 140)])
def test_masks_leave_every_query_a_key(spec: str, n: int, m: int) -> None:
    own, sizes = AttentionSpec.of(spec), Sizes(n=n, m=m, d_k=1, d_v=1)
    found = mask_battery(sizes, own)
    allowed = [own.allowed(sizes, mask) for _, mask in found]
    assert all(any(row) for pairs in allowed for row in pairs)
    assert len(set(allowed)) == len(allowed) == len({name for name, _ in found})
    assert found[0][0] == "all allowed"
    # A causal mask of the spec is none of the mask that is passed: what takes one of the two only is to be seen.
    assert (np.array(found[0][1]) == (own.mask_true == "attends")).all()
    if (n, m, own.causal) == (4, 140, "none"):
        for block in (8, 16, 32, 64, 128):
            pairs = np.array(allowed[[name for name, _ in found].index(f"first {block} keys masked")])
            assert not pairs[:, :block].any()
            assert pairs[:, block:].all()
        names = {"causal", "one key a row", "last key only", "banded", "random 1"}
        assert names <= {name for name, _ in found}


@pytest.mark.parametrize("spec", ["paper", "mask_true=masked", "causal=upper_left"])
def test_masks_with_empty_rows(spec: str) -> None:
    own, sizes = AttentionSpec.of(spec), Sizes(n=3, m=4, d_k=1, d_v=1)
    found = {name: own.allowed(sizes, mask) for name, mask in mask_battery(sizes, own, empty=True)}
    empty = {name: [not any(row) for row in pairs] for name, pairs in found.items()}
    assert all(any(rows) for rows in empty.values())
    assert empty["first row empty"] == [True, False, False]
    assert empty["last row empty"] == [False, False, True]
    assert empty["middle row empty"] == [False, True, False]
    assert empty["all rows empty"] == [True, True, True]


def test_where_the_spec_leaves_a_query_without_a_key_there_is_no_mask_that_does_not() -> None:
    sizes, spec = Sizes(n=3, m=2, d_k=1, d_v=1), AttentionSpec(causal="lower_right")
    assert mask_battery(sizes, spec) == []
    assert mask_battery(sizes, spec, empty=True)


def test_random_masks_come_from_the_seed() -> None:
    sizes = Sizes(n=4, m=9, d_k=1, d_v=1)
    one, same, other = (dict(mask_battery(sizes, AttentionSpec(), seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one["random 1"] != other["random 1"]


@pytest.mark.parametrize(
    ("source", "integers", "floats"),
    [
        ("x = 16", (16,), ()),
        ("x = -1e4", (), (1e4,)),
        ("x = 1 << 5; y = 2 ** 10; z = 10 ** 4", (2, 4, 5, 10, 32, 1024, 10000), ()),
        ("x = 64.0", (64,), (64.0,)),
        ("x = 1 / 3", (3,), (1 / 3,)),
        ("x = True, False, 0, 1, 0.0, 1j, 'a', None", (), ()),
        ("def f(a, block=128, *, eps=1e-6): ...", (128,), (1e-6,)),
        ("x = 2 ** 10 ** 10; y = 1 / 0; z = 1e400; w = 1 << 10000; v = 3 ** -2", (2, 3, 10, 10000), (1 / 9,)),
        ("this is no Python", (), ()),
        ("x = 99999999999", (), ()),
        ("", (), ()),
    ],
)
def test_constants(source: str, integers: tuple[int, ...], floats: tuple[float, ...]) -> None:
    found = mine(source)
    assert set(found.integers) == set(integers)
    assert set(found.floats) == set(floats)
    assert list(found.integers) == sorted(found.integers)


def test_deep_source_does_no_harm() -> None:
    assert mine("x = " + "(" * 150 + "7" + ")" * 150).integers == (7,)
    assert isinstance(mine("x = " + "-" * 5000 + "7"), Constants)
    assert isinstance(mine("x = " + "+".join(["2"] * 3000)), Constants)


def test_constants_of_this_file_are_found() -> None:
    assert 48 in mine(textwrap.dedent('x = {"block": [48]}')).integers
    assert ast.parse("48")


def test_claims_select_samples() -> None:
    options = {"sigma": 0.5, "allowed": None, "dtype": "float64"}
    for claim in ("rounding", "range"):
        found = list(battery(SHAPES, claims=[claim], **options))
        found += random_samples(SHAPES, seed=0, count=20, claims=[claim], **options)
        assert {sample.claim for sample in found} == {claim}
    for claims in ([], ["formula"]):
        with pytest.raises(AttnVerifyError, match="choose from rounding, range"):
            list(battery(SHAPES, claims=claims, **options))


def test_a_battery_is_the_same_each_time_and_another_for_another_seed() -> None:
    options = {"sigma": 0.5, "allowed": None, "dtype": "float32"}
    one, same, other = (list(battery(SHAPES, seed=seed, **options)) for seed in (0, 0, 1))
    assert [sample.kind for sample in one] == [sample.kind for sample in other]
    for name in SHAPES:
        assert all(np.array_equal(x.arrays[name], y.arrays[name]) for x, y in zip(one, same, strict=True))
    assert any(not np.array_equal(x.arrays["V"], y.arrays["V"]) for x, y in zip(one, other, strict=True))
