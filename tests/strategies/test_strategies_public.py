"""The public strategies: what they draw, what they shrink towards, what they refuse; Hypothesis knows our types."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from attn_verify import strategies
from attn_verify.errors import AttnVerifyError, SizeError, SpecError
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec
from attn_verify.strategies import (
    attention_inputs,
    attention_masks,
    attention_sizes,
    attention_specs,
    registration,
)
from attn_verify.strategies.frames import Frame
from attn_verify.strategies.views import VIEWS, view

ROOT = Path(__file__).resolve().parents[2]
SIZES = Sizes(n=2, m=3, d_k=2, d_v=1)
QUICK = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def seen(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    """Return an example, without making it small."""
    return find(strategy, condition, settings=settings(QUICK, max_examples=3000, phases=[Phase.generate]))


@QUICK
@given(attention_specs())
def test_every_spec_is_one(spec: AttentionSpec) -> None:
    assert AttentionSpec.of(spec.to_dict()) == spec


def test_every_choice_of_every_field_is_drawn() -> None:
    found: list[AttentionSpec] = []

    @settings(QUICK, max_examples=100, phases=[Phase.generate])
    @given(attention_specs())
    def collect(spec: AttentionSpec) -> None:
        found.append(spec)

    collect()
    for name in ("mask", "mask_true", "causal", "empty_row"):
        values = AttentionSpec.__dataclass_fields__[name].metadata["values"]
        assert {getattr(spec, name) for spec in found} == set(values)
    assert len({spec.scale for spec in found}) > 3
    assert seen(attention_specs(scale=st.just("1 / 7")), lambda spec: True).scale == "1 / 7"


@QUICK
@given(attention_sizes(min_side=2, max_side=20, max_heads=3, embeddings=None, projected=True, d_v=1))
def test_sizes_stay_within_their_bounds(sizes: Sizes) -> None:
    bounded = [sizes.n, sizes.keys, sizes.d_k, sizes.d_out, *([] if sizes.given_qkv else [sizes.d_model])]
    assert all(size is not None and 2 <= size <= 20 for size in bounded)
    assert sizes.d_v == 1
    assert 1 <= sizes.heads <= 3


@pytest.mark.parametrize(
    "condition",
    [
        lambda s: s.n == s.keys == s.d_k == s.d_v > 2,
        lambda s: len({s.n, s.keys, s.d_k, s.d_v}) == 4,
        lambda s: s.keys == 17,
        lambda s: s.n == 1 and s.keys == 1,
        lambda s: s.heads == 3,
        lambda s: s.cross and s.n == s.keys,
        lambda s: s.given_qkv,
    ],
)
def test_sizes_that_matter_are_found(condition: Callable[[Sizes], bool]) -> None:
    every = attention_sizes(max_side=17, max_heads=4, embeddings=None)
    assert condition(seen(every, condition))


@QUICK
@given(st.data())
def test_masks_leave_every_query_a_key(data: st.DataObject) -> None:
    spec = data.draw(attention_specs(causal=st.sampled_from(("none", "lower_right"))))
    sizes = Sizes(n=data.draw(st.integers(1, 4)), m=data.draw(st.integers(4, 12)), d_k=1, d_v=1)
    mask = data.draw(attention_masks(sizes, spec))
    assert mask.shape == (sizes.n, sizes.keys)
    assert mask.dtype == np.bool_
    assert all(any(row) for row in spec.allowed(sizes, mask))


@pytest.mark.parametrize(
    "condition",
    [
        lambda mask: mask.sum() == 2 and mask[:, -1].all(),
        lambda mask: not mask[:, :8].any(),
        lambda mask: (mask.sum(1) == 1).all() and not mask[:, -1].all(),
        lambda mask: mask[0, 3] and not mask[0, 2] and mask[1, 2],
    ],
)
def test_masks_that_matter_are_found(condition: Callable[[Any], bool]) -> None:
    assert condition(seen(attention_masks(Sizes(n=2, m=10, d_k=1, d_v=1)), condition))


def test_empty_rows_are_made_where_they_are_asked_for() -> None:
    masks = attention_masks(SIZES, "mask_true=masked", empty_rows=True)
    assert seen(masks, lambda mask: mask.all()).all()  # everything masked
    assert seen(masks, lambda mask: mask[1].all() and not mask[0].any()).tolist() == [[False] * 3, [True] * 3]


@QUICK
@given(st.data())
def test_inputs_have_the_shapes_dtype_and_views_that_were_asked_for(data: st.DataObject) -> None:
    sizes = data.draw(attention_sizes(max_side=4, embeddings=None, max_heads=2, projected=True))
    dtype = data.draw(st.sampled_from(("float64", "float32", "float16", "bfloat16")))
    inputs = data.draw(attention_inputs(sizes, dtype=dtype, gradient=True, batch=(2,), views=VIEWS))
    shapes = input_shapes(sizes) | upstream_shape(sizes)
    assert {n: a.shape for n, a in inputs.items()} == {n: s if n[0] == "W" else (2, *s) for n, s in shapes.items()}
    wanted = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    assert all(array.dtype == wanted and np.isfinite(array.astype(float)).all() for array in inputs.values())


@QUICK
@given(st.data())
def test_inputs_fit_their_claim(data: st.DataObject) -> None:
    claim = data.draw(st.sampled_from(("rounding", "range")))
    inputs = data.draw(attention_inputs(SIZES, claim=claim, dtype="float16", magnitudes=(3.5,)))
    frame = Frame.of(input_shapes(SIZES), sigma=2**-0.5, dtype="float16")
    assert frame.fits({name: array.astype(np.float64) for name, array in inputs.items()}, claim)


def test_large_arrays_are_drawn_at_once() -> None:
    sizes = Sizes(n=64, m=64, d_k=32, d_v=32)
    assert seen(attention_inputs(sizes), lambda inputs: np.abs(inputs["Q"]).max() > 100)["Q"].shape == (1, 64, 32)


def test_a_kind_can_be_asked_for() -> None:
    near = attention_inputs(SIZES, only=["scores near -104"], dtype=np.float32)
    inputs = seen(near, lambda inputs: True)
    assert np.abs(inputs["Q"] @ inputs["K"].mT * 2**-0.5 + 104).max() < 20
    masked = attention_inputs(SIZES, mask=[[1, 1, 0]] * 2, only=["masked keys hold huge numbers"])
    assert np.abs(seen(masked, lambda inputs: True)["V"][0, 2]).max() > 1e200


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attention_specs(softness=1), r"got field 'softness'\n  known fields: scale, "),
        (lambda: attention_specs(softness=st.just(1)), r"got field 'softness'"),
        (lambda: attention_specs(causal="sideways"), r"got causal = 'sideways'"),
        (lambda: attention_sizes(min_side=0), r"got min_side = 0 \(int\)\n  a whole number, 1…"),
        (lambda: attention_sizes(min_side=3, max_side=2), r"got max_side = 2 \(int\)\n  a whole number, 3…"),
        (lambda: attention_sizes(max_heads=True), r"got max_heads = True \(bool\)"),
        (lambda: attention_sizes(embeddings="yes"), r"got embeddings = 'yes'\n  give True or False"),
        (lambda: attention_sizes(projected=None), r"got projected = None"),
        (lambda: attention_sizes(width=3), r"got width = 3\n  known sizes: n, m, "),
        (lambda: attention_sizes(n=1.5), r"got n = 1.5 \(float\)"),
        (lambda: attention_masks(Sizes(n=3, m=2, d_k=1, d_v=1), "causal=lower_right"), "choose n ≤ m, or allow"),
        (lambda: attention_masks(SIZES, empty_rows=1), r"got empty_rows = 1"),
        (lambda: attention_inputs(SIZES, dtype="float8"), r"got dtype = 'float8'\n  known: float64, float32, "),
        (lambda: attention_inputs(SIZES, dtype=np.int64), r"got dtype = "),
        (lambda: attention_inputs(SIZES, claim="formula"), r"got claim = 'formula'\n  choose rounding or range"),
        (lambda: attention_inputs(SIZES, only=["weird"]), r"got no kind 'weird'\n  known kinds: single non-zero"),
        (lambda: attention_inputs(SIZES, only=[]), r"got an empty list of kinds"),
        (lambda: attention_inputs(SIZES, only=["ties"], claim="range"), r"ties are for the claim rounding"),
        (lambda: attention_inputs(SIZES, views=["diagonal"]), r"known: C, F, reversed"),
        (lambda: attention_inputs(SIZES, views=[]), r"known: C, F, reversed"),
        (lambda: attention_inputs(SIZES, mask=[[1, 1]]), r"got a mask of shape"),
        (lambda: attention_inputs({"n": 1}), r"missing: d_k, d_v"),
        (lambda: attention_inputs(SIZES, batch=(0,)), r"got batch = \(0,\)"),
        (lambda: attention_inputs(SIZES, magnitudes=["x"]), r"got magnitudes = \['x'\]"),
    ],
)
def test_bad_options_are_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(AttnVerifyError, match=message) as raised:
        call()
    assert isinstance(raised.value, (SpecError, SizeError))


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 4), (1, 1)])
def test_a_view_has_the_same_numbers(name: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    seen = view(array, name)
    assert np.array_equal(seen, array)
    assert seen.dtype == array.dtype


def test_views_are_what_they_are_called() -> None:
    array = np.ones((2, 3, 4))
    assert view(array, "F").flags.f_contiguous
    assert view(array, "reversed").strides[1] < 0
    assert not view(array, "strided").flags.contiguous
    assert view(array, "strided").strides[-1] == 16
    assert not view(array, "offset").flags.contiguous
    assert not view(array, "readonly").flags.writeable
    assert view(array, "broadcast").strides[0] == 0
    assert view(np.arange(6.0).reshape(2, 3), "broadcast").strides[0] != 0


def test_the_package_lists_its_strategies() -> None:
    assert set(dir(strategies)) == set(strategies.__all__)
    for name in strategies.__all__:
        assert getattr(strategies, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'attend'"):
        strategies.attend  # noqa: B018 - the access is the test


def test_from_type_knows_our_types_once_the_package_is_installed(tmp_path: Path) -> None:
    """With the metadata of an installed package, in a fresh process: what pyproject.toml declares is loaded."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (name, entry), *more = project["entry-points"]["hypothesis"].items()
    assert not more
    metadata = tmp_path / "attn_verify_hook-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: attn-verify-hook\nVersion: 1\n", "utf-8")
    (metadata / "entry_points.txt").write_text(f"[hypothesis]\n{name} = {entry}\n", "utf-8")
    code = (
        "import sys; import attn_verify.strategies; assert 'hypothesis' not in sys.modules\n"
        "import hypothesis; assert 'numpy' not in sys.modules; assert 'sympy' not in sys.modules\n"
        "from attn_verify import AttentionSpec, Sizes\n"
        "from hypothesis import find, strategies as st\n"
        "print(find(st.from_type(AttentionSpec), lambda spec: spec.empty_row == 'nan'))\n"
        "print(find(st.from_type(Sizes), lambda sizes: True))\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""},
        capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path,
    )  # fmt: skip
    assert run.stderr == ""
    assert run.stdout == "AttentionSpec(empty_row='nan')\nSizes(n=1, m=1, d_k=1, d_v=1, heads=1)\n"


def test_registration_is_what_the_entry_point_names() -> None:
    registration.register()
    assert isinstance(seen(st.from_type(AttentionSpec), lambda spec: True), AttentionSpec)
    assert isinstance(hypothesis.strategies.from_type(Sizes), st.SearchStrategy)
