"""The zoo in floats: what is said to be right is right, what is said to be wrong is visibly wrong."""

import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import zoo
from floats import arguments, call, call_isolated, canonical, cases, distance, load, reference, roles, spec

from attn_verify.checks.rounding import FloatFormat, layer_bound
from attn_verify.shapes import Sizes

# Rounding of correct code, relative to the largest value: over a thousand times what ordinary scores cost.
CLOSE = 1e-11
# Wrong code is further away than this somewhere.
VISIBLE = 1e-6
# The subtlest adversaries: constants with eight digits, an epsilon of 1e-8.
SUBTLE = 1e-10

ALL = zoo.entries()

# The verdict of each kind, unless the header gives a reason for another.
EXPECTED = {
    "correct": ("PROVED",),
    "adversarial-correct": ("PROVED", "not REFUTED"),
    "algebraic": ("REFUTED",),
    "adversarial": ("not PROVED",),
    **dict.fromkeys(("precision", "magnitude", "layout", "state", "size", "empty_rows"), ("PROVED",)),
}
# Public reports, of bugs and of correct code that was taken for one, that the specimens stand for.
REPORTED = (
    "mlc-llm #3426", "transformers #38290", "maxtext #3138", "vit-pytorch #65", "dfdx #171",
    "labml annotated papers #146", "PyTorch-NLP #2", "DANet #48", "flash-attention #2082", "pytorch_geometric #53",
    "flash-attention #991", "FlashMLA #106", "transformers #48459", "ultralytics #24990", "pytorch #119131",
    "diffusers #8837", "pytorch #181133", "jsbaan transformer #6", "opacus #825", "FuxiCTR #30", "onnx #7274",
    "jax-js #180", "candle #2878", "timm #2236", "gluonts #1401", "transformers #17306", "apex #1390",
    "onnxruntime #4129", "onnxruntime #29020", "SageAttention #372", "transformers #39408", "timm #1978",
    "torchtune #1791", "mlx-vlm #1983", "onnx #7865", "#7867", "Odyssey #2134", "tinygrad #2425", "pytorch #109366",
    "gpt-neox #834",
)  # fmt: skip


def worst(entry: zoo.Entry, given) -> float:
    """The largest distance over the cases, all called in one process as a user would."""
    given = list(given)
    assert given, f"{entry.name}: no sizes fit"
    if entry.isolate:
        results = call_isolated(entry, given)
    else:
        function = load(entry)
        results = [call(entry, function, case) for case in given]
    return max(distance(entry, result, case) for result, case in zip(results, given, strict=True))


def named(kind: str):
    return pytest.mark.parametrize("entry", zoo.entries(kind), ids=lambda e: e.name)


@named("correct")
def test_correct_code_agrees(entry: zoo.Entry) -> None:
    assert worst(entry, cases(entry)) < CLOSE


@named("adversarial-correct")
def test_correct_code_in_disguise_agrees(entry: zoo.Entry) -> None:
    assert worst(entry, cases(entry)) < CLOSE


@named("algebraic")
def test_broken_code_differs(entry: zoo.Entry) -> None:
    assert worst(entry, cases(entry)) > VISIBLE


@named("adversarial")
def test_an_adversary_differs_where_its_header_says(entry: zoo.Entry) -> None:
    found = worst(entry, cases(entry))
    if entry.visible:
        assert found > SUBTLE
    else:
        assert found < CLOSE


@pytest.mark.parametrize("entry", [e for e in ALL if not e.visible], ids=lambda e: e.name)
def test_a_hidden_flaw_is_there(entry: zoo.Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some unusual input, repetition or setting shows it, so that the file is wrong as its header says."""
    shown = any(worst(entry, [case]) > SUBTLE for case in unusual(entry) if not rejected(entry, case))
    shown = shown or any(rejected(entry, case) for case in unusual(entry))
    shown = shown or worst(entry, cases(entry, {"n": 41})) > SUBTLE or remembers(entry)
    shown = shown or worst(entry, [given for case in cases(entry) for given in (_far(case), case)]) > SUBTLE
    monkeypatch.setenv("ATTENTION_FAST", "1")
    assert shown or worst(entry, cases(entry)) > SUBTLE


def unusual(entry: zoo.Entry):
    for case in cases(entry):
        yield from (case.times(f, "Q") for f in (0, 20, 1000, 2.0**40))
        yield from (same_sign(case, sign).times(f, "Q") for sign in (-1, 1) for f in (20, 100))
        yield from (case.times(f, "Q", "K") for f in (0.01, 2000))
        Q, K = case.arrays["Q"], case.arrays["K"]
        yield replace(case, arrays={**case.arrays, "K": np.resize(Q, K.shape)})
        yield replace(case, arrays={**case.arrays, "Q": _with_first(Q, 0.123)})
        yield _far(case)
        yield replace(case, arrays={**case.arrays, "K": _with_first(K, 2 * Q.flat[0])})
        V, near = case.arrays["V"], {**case.arrays, "Q": _with_first(Q, 7.25)}
        yield replace(case, arrays={**near, "K": _with_first(K, 3.5)})
        yield replace(case, arrays={**near, "K": _with_first(K, 3.5), "V": _with_first(V, 1)})
        yield replace(case, arrays={**near, "V": _with_first(V, -2.5)})
        unit = np.eye(1, Q.shape[1])
        score = 999 * np.sqrt(Q.shape[1])
        yield replace(case, arrays={**case.arrays, "Q": Q * 0 + score * unit, "K": np.concatenate([unit, K[1:]])})


def _far(case):
    return replace(case, arrays={**case.arrays, "Q": _with_first(case.arrays["Q"], 77.0)})


def _with_first(array, value: float):
    array = array.copy()
    array.flat[0] = value
    return array


def rejected(entry: zoo.Entry, case) -> bool:
    try:
        call(entry, load(entry), case)
    except AssertionError:
        return True
    return False


def remembers(entry: zoo.Entry) -> bool:
    """Whether the same object as Q and K, arrays changed between calls, or a thousand calls make a difference."""
    function, case = load(entry), list(cases(entry))[-1]
    Q, K, V, *rest = arguments(entry, case)
    twin = replace(case, arrays={**case.arrays, "Q": K, "K": K})
    if distance(entry, canonical(entry, function(K, K, V, *rest)), twin) > SUBTLE:
        return True
    function(Q, K, V, *rest)
    V *= 2
    if distance(entry, canonical(entry, function(Q, K, V, *rest)), case.times(2, "V")) > SUBTLE:
        return True
    for _ in range(1000):
        result = function(Q, K, V, *rest)
    return distance(entry, canonical(entry, result), case.times(2, "V")) > SUBTLE


@named("precision")
def test_precision_is_lost_and_nothing_else(entry: zoo.Entry) -> None:
    function, outside = load(entry), False
    for case in cases(entry):
        result = call(entry, function, case)
        assert distance(entry, result, case) < 0.05
        if {role for _, role, _ in roles(entry)} == {"Q", "K", "V"}:
            outside |= bool(
                (np.abs(result["result"] - reference(entry, case)["result"]) > 2 * bound(entry, case)).any()
            )
    assert outside


def bound(entry: zoo.Entry, case):
    Q, K, V = (case.arrays[name][None] for name in "QKV")
    sizes = Sizes(n=Q.shape[1], m=K.shape[1], d_k=Q.shape[2], d_v=V.shape[2])
    form, rules = FloatFormat.of("float64"), spec(entry)
    inputs = {"Q": Q, "K": K, "V": V}
    return layer_bound(inputs, sizes, rules, rules.allowed(sizes, case.mask), form, rescalings=sizes.keys)[0]


@named("magnitude")
def test_magnitude_matters_and_nothing_else(entry: zoo.Entry) -> None:
    assert worst(entry, cases(entry)) < CLOSE
    far = [same_sign(c, sign).times(f, "Q") for c in cases(entry) for sign in (-1, 1) for f in (30, 1000, 1e4, 5e4)]
    assert worst(entry, [*far, *(c.times(1000, "Q") for c in cases(entry))]) > 1e-3


def same_sign(case, sign: int):
    """All scores of one sign."""
    positive = {k: np.abs(a) if k in ("Q", "K") else a for k, a in case.arrays.items()}
    return replace(case, arrays=positive).times(sign, "K")


@named("size")
def test_it_is_right_up_to_a_size_and_wrong_beyond(entry: zoo.Entry) -> None:
    assert entry.wakes
    assert worst(entry, cases(entry)) < CLOSE
    assert worst(entry, cases(entry, entry.wakes)) > VISIBLE


@named("empty_rows")
def test_it_is_right_except_for_queries_without_a_key(entry: zoo.Entry) -> None:
    assert spec(entry).empty_row != "any"
    assert worst(entry, cases(entry)) < CLOSE
    hidden = spec(entry).mask_true == "masked"
    empty = [replace(c, mask=np.full_like(c.mask, hidden)) for c in cases(entry) if c.mask is not None]
    assert worst(entry, empty) > 1e-3


@named("layout")
def test_memory_layout_matters_and_nothing_else(entry: zoo.Entry) -> None:
    assert worst(entry, cases(entry)) < CLOSE
    function, failures = load(entry), 0
    for case in cases(entry):
        for change in (np.asfortranarray, _strided, _read_only):
            given = [
                change(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in arguments(entry, case)
            ]
            try:
                failures += distance(entry, canonical(entry, function(*given)), case) > VISIBLE
            except (ValueError, TypeError):
                failures += 1
    assert failures


def _strided(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def _read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@named("state")
def test_a_first_call_is_right_and_something_remains(entry: zoo.Entry) -> None:
    """Some first call is right (unless there is noise in it), and a later call is wrong or inputs have changed."""
    function, bad = load(entry), False
    for case in cases(entry):
        given = arguments(entry, case)
        for _ in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = canonical(entry, function(*given))
            bad |= distance(entry, result, case) > VISIBLE
        bad |= any(
            not np.array_equal(a, b) for a, b in zip(given, arguments(entry, case), strict=True) if a is not None
        )
    assert bad
    if "noise" not in entry.flaw:
        assert worst(entry, list(cases(entry))[:1]) < CLOSE


def test_the_zoo_is_large_enough() -> None:
    assert len(zoo.entries(folder="correct")) >= 45
    assert len(zoo.entries(folder="broken")) >= 70
    assert len(zoo.entries(folder="adversarial")) >= 60
    counts = Counter(entry.kind for entry in ALL)
    assert counts["adversarial-correct"] >= 10
    assert all(counts[kind] for kinds in zoo.KINDS.values() for kind in kinds)


def test_headers_make_sense() -> None:
    for entry in ALL:
        assert (entry.flaw == "none") == entry.correct, entry.name
        assert set(entry.sizes) | set(entry.wakes) <= {"n", "m", "d_k", "d_v", "d_model", "d_out", "heads"}, entry.name
        assert bool(entry.wakes) == (entry.kind == "size"), entry.name
        assert entry.layout in (None, "nd", "bnd", "bhnd", "bnhd"), entry.name
        assert entry.weights in (None, "list", "stacked", "fused"), entry.name
        assert len({role for _, role, _ in roles(entry)}) >= 3, entry.name
        spec(entry)
        assert entry.expected in EXPECTED[entry.kind] or entry.reason, entry.name


def test_every_reported_bug_class_has_a_specimen() -> None:
    sources = ", ".join(entry.source for entry in ALL)
    assert [source for source in REPORTED if source not in sources] == []


def test_no_two_files_are_the_same() -> None:
    bodies = Counter(entry.path.read_text("utf-8").split('"""', 2)[2].strip() for entry in ALL)
    assert max(bodies.values()) == 1, bodies.most_common(2)
    assert len({entry.title for entry in ALL}) == len(ALL)


@pytest.mark.parametrize(("text", "message"), [
    ("title: x\nkind: correct", "lacks flaw, expected, function"),
    ("title: x\ncolour: red", "is not a new line"),
    ("title: x\ntitle: y", "is not a new line"),
    ("title: x\nkind: algebraic\nflaw: none\nexpected: PROVED\nfunction: f", "kind algebraic"),
    ("title: x\nkind: correct\nflaw: none\nexpected: MAYBE\nfunction: f", "expected MAYBE"),
    ("title: x\nkind: correct\nflaw: none\nexpected: PROVED\nfunction: f\nvisible: perhaps", "are yes or no"),
])  # fmt: skip
def test_a_bad_header_is_caught(text, message, tmp_path) -> None:
    (tmp_path / "correct").mkdir()
    path = tmp_path / "correct" / "bad.py"
    path.write_text(f'"""{text}\n"""\n', "utf-8")
    with pytest.raises(ValueError, match=message):
        zoo.read(path)


def test_an_unknown_kind_is_caught() -> None:
    with pytest.raises(ValueError, match="nothing of kind 'unknown'"):
        zoo.entries("unknown")
