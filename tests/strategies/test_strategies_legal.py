"""No illegal input is ever produced, in any format; ordinary inputs are ordinary; checked against definitions."""

from collections.abc import Iterator
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from attn_verify.checks.inputs import Sample, battery, random_samples
from attn_verify.checks.rounding import FloatFormat, ordinary
from attn_verify.shapes import Sizes, input_shapes, upstream_shape
from attn_verify.spec import AttentionSpec
from attn_verify.strategies.formats import DTYPES, Format
from attn_verify.strategies.frames import Frame

Array = NDArray[np.float64]
SEED = 20
# By hand, from IEEE 754 and the layout of bfloat16.
LARGEST = {"float64": 1.7976931348623157e308, "float32": 3.4028234663852886e38, "float16": 65504.0,
           "bfloat16": 3.3895313892515355e38}  # fmt: skip
NUMPY = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}

SIZES = (
    Sizes(n=1, m=1, d_k=1, d_v=1),
    Sizes(n=2, m=5, d_k=3, d_v=2),
    Sizes(n=4, m=3, d_k=2, d_v=1, heads=2),
    Sizes(n=8, m=9, d_k=8, d_v=3),
    Sizes(n=3, d_model=3, d_k=2, d_v=2, heads=2),
    Sizes(n=2, m=4, d_model=1, d_k=1, d_v=1),
    Sizes(n=2, d_model=5, d_k=3, d_v=1, apart=1, d_out=2),
)


def scale_of(scale: str, sizes: Sizes) -> float:
    return {"1 / sqrt(d_k)": sizes.d_k**-0.5, "5": 5.0, "-1 / 8": -0.125}[scale]


def heads_of(arrays: dict[str, Array], sizes: Sizes) -> Iterator[tuple[Array, Array, Array]]:
    """|Q|, |K|, |V| of each head, or |X||W|: upper bounds of every partial sum."""
    size = {name: np.abs(array) for name, array in arrays.items()}
    X_KV = size.get("X_KV", size.get("X"))
    for h in range(sizes.heads):
        if sizes.given_qkv:
            yield size["Q"][h], size["K"][h], size["V"][h]
        else:
            yield size["X"] @ size["W_Q"][h], X_KV @ size["W_K"][h], X_KV @ size["W_V"][h]


def assert_legal(sample: Sample, sizes: Sizes, sigma: float, dtype: str) -> None:
    """The definition of a legal input, term by term.

    Float64 suffices: samples keep a distance of 2^-20 to what is illegal, and what overflows is illegal.
    """
    half, arrays, what = LARGEST[dtype] / 2, dict(sample.arrays), sample.kind
    for name, array in arrays.items():
        assert array.dtype == np.float64
        assert np.array_equal(array, array.astype(NUMPY[dtype]).astype(np.float64)), f"{name} is not of {dtype}"
        assert np.abs(array).max() <= half, what
    tops = []
    for q, k, v in heads_of(arrays, sizes):
        terms = (q[:, None] * k[None]).sum(axis=-1)
        assert terms.max() <= half, what
        assert abs(sigma) * terms.max() <= min(1e5, half), what
        assert max(1, abs(sigma)) * max(q.max(), k.max()) <= half, what
        assert v.sum(axis=0).max() <= half, what
        tops.append(v.max(axis=0))
    if "W_O" in arrays:
        assert (np.concatenate(tops) @ np.abs(arrays["W_O"])).max() <= half, what


def assert_legal_exactly(sample: Sample, sigma: float, dtype: str) -> None:
    """The same for given Q, K, V, in exact numbers."""
    half, scale = Fraction(LARGEST[dtype]) / 2, abs(Fraction(sigma))
    q, k, v = ([[abs(Fraction(x)) for x in row] for row in sample.arrays[name][0].tolist()] for name in "QKV")
    for row in q:
        for key in k:
            terms = sum(x * y for x, y in zip(row, key, strict=True))
            assert terms <= half
            assert scale * terms <= min(10**5, half)
    assert all(sum(column) <= half for column in zip(*v, strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(str(value) for _, value in sizes.items()))
def test_every_sample_is_legal_and_ordinary_ones_are_ordinary(sizes: Sizes, dtype: str) -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    for scale in ("1 / sqrt(d_k)", "5", "-1 / 8")[:: 1 if sizes.given_qkv else 2]:
        sigma, spec = scale_of(scale, sizes), AttentionSpec(scale=scale)
        allowed = random.random((sizes.n, sizes.keys)) < 0.6
        allowed[:, 0] = True
        options = {"sigma": sigma, "allowed": allowed, "dtype": dtype, "magnitudes": (1e-9, 0.1, 30, 12345.0, 1e9)}
        shapes = input_shapes(sizes)
        samples = [*battery(shapes, **options), *random_samples(shapes, seed=SEED, count=15, **options)]
        assert len(samples) > 50
        for sample in samples:
            assert_legal(sample, sizes, sigma, dtype)
            if sizes == SIZES[1] and scale == "5":
                assert_legal_exactly(sample, sigma, dtype)
            if sample.claim == "rounding" and dtype != "bfloat16":
                form = FloatFormat.of(dtype)
                assert ordinary(sample.arrays, sizes, spec, form), sample.kind


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("sizes", SIZES[1:], ids=lambda sizes: "-".join(str(value) for _, value in sizes.items()))
def test_with_a_gradient_from_behind_ordinary_samples_are_ordinary_too(sizes: Sizes, dtype: str) -> None:
    shapes = input_shapes(sizes) | upstream_shape(sizes)
    spec, form = AttentionSpec(), FloatFormat.of(dtype)
    samples = list(battery(shapes, sigma=sizes.d_k**-0.5, allowed=None, dtype=dtype))
    assert len(samples) > 40
    for sample in samples:
        assert set(sample.arrays) == set(shapes)
        if sample.claim == "rounding":
            assert ordinary(sample.arrays, sizes, spec, form), sample.kind


@pytest.mark.parametrize("batch", [(2,), (3, 2)])
def test_batches_are_judged_element_by_element(batch: tuple[int, ...]) -> None:
    """Weights have no batch axes; what is legal for each element is what the frame asks for of all."""
    sizes = Sizes(n=2, d_model=3, d_k=2, d_v=1, heads=2)
    shapes = {name: shape if name[0] == "W" else (*batch[:1], *shape) for name, shape in input_shapes(sizes).items()}
    count = 0
    for sample in battery(shapes, sigma=2**-0.5, allowed=None, dtype="float16"):
        for element in range(batch[0]):
            own = {name: a if name[0] == "W" else a[element] for name, a in sample.arrays.items()}
            assert_legal(Sample(sample.kind, sample.claim, own), sizes, 2**-0.5, "float16")
            count += sample.claim != "rounding" or ordinary(own, sizes, AttentionSpec(), FloatFormat.of("float16"))
    assert count >= 40 * batch[0]


def frame(dtype: str = "float32", sigma: float = 1.0) -> Frame:
    return Frame.of({"Q": (1, 1), "K": (1, 1), "V": (2, 1)}, sigma=sigma, allowed=None, dtype=dtype)


def inputs(q: float, k: float, v: float) -> dict[str, Array]:
    return {"Q": np.array([[q]]), "K": np.array([[k]]), "V": np.full((2, 1), v)}


@pytest.mark.parametrize(
    ("dtype", "sigma", "q", "k", "v", "claim", "fits"),
    [
        ("float32", 1.0, 300.0, 300.0, 1.0, "range", True),
        ("float32", 1.0, 400.0, 300.0, 1.0, "range", False),  # a score of 1.2e5
        ("float32", 1.0, 400.0, -300.0, 1.0, "range", False),
        ("float32", 0.5, 400.0, 300.0, 1.0, "range", True),
        ("float16", 0.5, 128.0, 240.0, 1.0, "range", True),
        ("float16", 0.5, 192.0, 192.0, 1.0, "range", False),  # Q Kᵀ above 32752
        ("float16", 4.0, 96.0, 96.0, 1.0, "range", False),  # a scaled score above 32752
        ("float16", 1.0, 1.0, 1.0, 16000.0, "range", True),
        ("float16", 1.0, 1.0, 1.0, 20000.0, "range", False),  # two values add up to more than 32752
        ("float32", 1.0, 1.0, 1.0, 1.6e38, "range", False),
        ("float64", 1.0, 1.0, 1.0, 1.6e38, "range", True),
        ("float32", 1.0, 0.1, 1.0, 1.0, "range", False),  # no float32
        ("float64", 1.0, 0.1, 1.0, 1.0, "range", True),
        ("float64", 1.0, 4.0, 5.0, 1.0, "rounding", False),  # 20 with no room for rounding
        ("float64", 1.0, 4.0, 4.5, 1.0, "rounding", True),
        ("float16", 1.0, 2.0, 2.0, 1.0, "rounding", False),
        ("float16", 1.0, 1.0, 2.0, 1.0, "rounding", True),
        ("float32", 1.0, 1.0, 1.0, 2.0**120, "rounding", False),
        ("float64", 1.0, float("nan"), 1.0, 1.0, "range", False),
        ("float64", 1.0, float("inf"), 1.0, 1.0, "range", False),
    ],
)  # fmt: skip
def test_what_fits(dtype: str, sigma: float, q: float, k: float, v: float, claim: str, fits: bool) -> None:
    own = frame(dtype, sigma)
    q, k, v = (x if dtype == "float64" or x == 0.1 else float(np.dtype(dtype).type(x)) for x in (q, k, v))
    assert own.fits(inputs(q, k, v), claim) is fits


def test_what_is_too_large_is_made_to_fit_or_given_up() -> None:
    own = frame("float16")
    for claim in ("rounding", "range"):
        made = own.fit(inputs(500.0, 500.0, 60000.0), claim)
        assert made is not None
        assert own.fits(made, claim)
    assert own.fit(inputs(float("nan"), 1.0, 1.0), "range") is None
    # Where there are so many keys that even zeros are not ordinary in half precision.
    many = Frame.of({"Q": (1, 1), "K": (9000, 1), "V": (9000, 1)}, sigma=1.0, allowed=None, dtype="float16")
    assert many.fit({name: np.ones(shape) for name, shape in many.shapes.items()}, "rounding") is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_formats_are_those_of_the_standard(dtype: str) -> None:
    form = Format.of(dtype)
    assert form.largest == LARGEST[dtype]
    most = 1.7976931348623157e308
    assert form.round(np.array([most, -most, -0.0, form.tiny])).tolist() == [
        form.largest, -form.largest, 0.0, form.tiny,
    ]  # fmt: skip
    assert 0 < form.subnormal < form.tiny < form.unit_roundoff < 1
