"""Three readings agree; whatever breaks one of them is seen."""

import numpy as np
import pytest

from attn_verify import Sizes, Status, attention, crosscheck, derive, multihead, self_attention
from attn_verify.checks import crosscheck as module
from attn_verify.errors import SpecError, TargetError, VerdictError

MULTIHEAD = Sizes(n=2, d_model=3, d_k=2, d_v=2, heads=3, d_out=2)
MASK = [[1, 0, 1], [1, 1, 0]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("function", "sizes", "spec", "mask"), [
    (attention, {"n": 2, "m": 3, "d_k": 2, "d_v": 2}, None, None),
    (attention, {"n": 1, "m": 1, "d_k": 1, "d_v": 1}, None, None),
    (attention, {"n": 1, "m": 5, "d_k": 7, "d_v": 2}, None, None),
    (attention, {"n": 2, "m": 3, "d_k": 4, "d_v": 1}, None, MASK),
    (attention, {"n": 3, "m": 2, "d_k": 2, "d_v": 2}, "causal=lower_right", None),
    (attention, {"n": 2, "m": 4, "d_k": 1, "d_v": 2}, "causal=upper_left", None),
    (self_attention, {"n": 3, "d_model": 4, "d_k": 2, "d_v": 3}, "causal=lower_right", None),
    (multihead, MULTIHEAD, None, None),
    (multihead, MULTIHEAD, None, [[0, 1], [1, 1]]),
])  # fmt: skip
def test_the_three_readings_agree(function, sizes, spec, mask, dtype):
    audit = crosscheck(function, derive(sizes, spec, mask=mask), dtype=dtype, examples=30, rescalings=0, seed=1)
    audit.require(Status.TESTED)
    for verdict in audit:
        assert verdict.scope["inputs"] == 33
        assert verdict.evidence["entries"] > 0
        assert verdict.evidence["entries_without_bound"] == 0
        assert 0 < verdict.evidence["largest_fraction_of_bound"] <= 1 or sizes == {"n": 1, "m": 1, "d_k": 1, "d_v": 1}


def test_cross_attention_takes_embeddings_of_its_own():
    sizes = Sizes(n=2, m=3, d_model=2, d_k=2, d_v=1)

    def cross(X, X_KV, W_Q, W_K, W_V):
        return self_attention(X, W_Q, W_K, W_V, X_KV=X_KV)

    assert crosscheck(cross, derive(sizes), examples=20).status is Status.TESTED


@pytest.mark.parametrize("empty_row", ["zero", "mean", "nan", "any"])
def test_empty_rows_are_judged_as_the_spec_says(empty_row):
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2}, {"empty_row": empty_row}, mask=[[1, 0, 1], [0, 0, 0]])
    option = "zero" if empty_row == "any" else empty_row

    def function(Q, K, V, mask):
        return attention(Q, K, V, mask, empty_row=option)

    audit = crosscheck(function, derivation, examples=20)
    assert audit.status is Status.TESTED
    assert audit["rounding"].scope["rows_not_judged"] == ([2] if empty_row == "any" else [])

    def other(Q, K, V, mask):
        return attention(Q, K, V, mask, empty_row="mean" if option != "mean" else "zero")

    expected = Status.TESTED if empty_row == "any" else Status.REFUTED
    assert crosscheck(other, derivation, examples=20)["rounding"].status is expected


def _softmax(S, axis=-1):
    E = np.exp(S - S.max(axis, keepdims=True))
    return E / E.sum(axis, keepdims=True)


def _no_scale(Q, K, V):
    return _softmax(Q @ K.T) @ V


def _scale_by_d_k(Q, K, V):
    return _softmax(Q @ K.T / Q.shape[1]) @ V


def _over_queries(Q, K, V):
    return _softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=0) @ V


def _sign(Q, K, V):
    return _softmax(-Q @ K.T / np.sqrt(Q.shape[1])) @ V


def _unshifted(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E / E.sum(-1, keepdims=True) @ V


def _maximum_from_zero(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - np.maximum(S.max(-1, keepdims=True), 0))
    return E / E.sum(-1, keepdims=True) @ V


def _epsilon(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / (E.sum(-1, keepdims=True) + 1e-9) @ V


def _in_float32(Q, K, V):
    return attention(Q.astype(np.float32), K.astype(np.float32), V.astype(np.float32)).astype(float)


@pytest.mark.parametrize(
    "broken",
    [_no_scale, _scale_by_d_k, _over_queries, _sign, _unshifted, _maximum_from_zero, _epsilon, _in_float32],
    ids=lambda function: function.__name__.strip("_"),
)
def test_broken_attention_is_refuted_with_an_input_that_shows_it(broken):
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2})
    verdict = crosscheck(broken, derivation, examples=80)["rounding"]
    assert verdict.status is Status.REFUTED
    evidence = verdict.evidence
    inputs = [
        np.array([float.fromhex(x) for x in evidence["inputs"][name]["data"]]).reshape(
            evidence["inputs"][name]["shape"]
        )[0]
        for name in "QKV"
    ]
    i, j = (index - 1 for index in evidence["entry"])
    with np.errstate(all="ignore"):
        again = broken(*inputs)[i, j]
    assert again == evidence["value"] or (np.isnan(again) and np.isnan(evidence["value"]))
    assert evidence["fraction_of_bound"] > 1


def test_swapped_heads_are_refuted():
    def swapped(X, W_Q, W_K, W_V, W_O):
        return multihead(X, W_Q[::-1], W_K[::-1], W_V[::-1], W_O)

    assert crosscheck(swapped, derive(MULTIHEAD), examples=20)["rounding"].status is Status.REFUTED


def test_heads_interleaved_instead_of_side_by_side_are_refuted():
    def interleaved(X, W_Q, W_K, W_V, W_O):
        Z = [self_attention(X, *weights) for weights in zip(W_Q, W_K, W_V, strict=True)]
        return np.stack(Z, axis=-1).reshape(len(X), -1) @ W_O

    assert crosscheck(interleaved, derive(MULTIHEAD), examples=20)["rounding"].status is Status.REFUTED


@pytest.mark.parametrize(("i", "j"), [(i, j) for i in range(2) for j in range(3)])
def test_one_wrong_mask_entry_is_refuted(i, j):
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, mask=MASK)

    def flipped(Q, K, V, mask):
        mask[i, j] = not mask[i, j]
        return attention(Q, K, V, mask)

    assert crosscheck(flipped, derivation, examples=20)["rounding"].status is Status.REFUTED


def test_a_mask_of_the_other_polarity_is_passed_by_the_spec():
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, "mask_true=masked", mask=MASK)

    def function(Q, K, V, mask):
        return attention(Q, K, V, mask, mask_true="masked")

    assert crosscheck(function, derivation, examples=20).status is Status.TESTED


def test_a_broken_derivation_is_seen_too(monkeypatch):
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2})
    other = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2}, {"scale": 1})
    monkeypatch.setattr(derivation, "numpy", other.numpy)
    audit = crosscheck(attention, derivation, examples=20)
    assert (audit["rounding"].status, audit["derivation"].status) == (Status.TESTED, Status.REFUTED)


def test_a_broken_oracle_is_seen_too(monkeypatch):
    from attn_verify.arithmetic import attention as reading

    def unscaled(scale, sizes, arithmetic):
        return arithmetic.number(1)

    monkeypatch.setattr(reading, "scale_value", unscaled)
    audit = crosscheck(attention, derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2}), examples=20)
    assert [verdict.status for verdict in audit] == [Status.REFUTED, Status.REFUTED]


def test_a_target_that_fails_on_some_input_is_refuted():
    def fragile(Q, K, V):
        if not Q.any():
            raise ValueError("no query")
        return attention(Q, K, V)

    verdict = crosscheck(fragile, derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}), examples=100)["rounding"]
    assert verdict.status is Status.REFUTED
    assert verdict.evidence["kind"] == "exception"
    assert verdict.evidence["summary"] == "ValueError: no query"


@pytest.mark.parametrize(("function", "message"), [
    (lambda Q: Q, "fails on every input: TypeError"),
    (lambda Q, K, V: V[:, 0], r"fails on every input: returned \(2,\) of float64, not \(2, 1\) of floats"),
    (lambda Q, K, V: "text", "fails on every input: returned"),
    (lambda Q, K, V: None, "fails on every input: returned"),
])  # fmt: skip
def test_a_function_that_is_no_target_is_an_error(function, message):
    with pytest.raises(TargetError, match=message):
        crosscheck(function, derive({"n": 2, "m": 2, "d_k": 1, "d_v": 1}), examples=10)


def test_a_function_that_answers_differently_each_time_is_undecided_or_refuted():
    generator = np.random.default_rng(0)

    def noisy(Q, K, V):
        return attention(Q, K, V) + (generator.random() < 0.1)

    verdict = crosscheck(noisy, derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}), examples=100)["rounding"]
    assert verdict.status in (Status.UNDECIDED, Status.REFUTED)


def test_inputs_are_copies():
    def greedy(Q, K, V):
        result = attention(Q, K, V)
        for array in (Q, K, V):
            array[...] = 0
        return result

    assert crosscheck(greedy, derive({"n": 2, "m": 2, "d_k": 1, "d_v": 1}), examples=30).status is Status.TESTED


def test_the_same_seed_gives_the_same_inputs():
    derivation = derive({"n": 2, "m": 2, "d_k": 1, "d_v": 1})
    first, second = (crosscheck(attention, derivation, examples=30, seed=7).to_dict() for _ in range(2))
    assert first == second
    assert first["seed"] == 7


def test_a_dtype_that_is_not_judged_is_an_error():
    with pytest.raises(SpecError, match="choose float32 or float64"):
        crosscheck(attention, derive({"n": 1, "d_k": 1, "d_v": 1}), dtype="float16")
    with pytest.raises(SpecError, match="choose float32 or float64"):
        crosscheck(attention, derive({"n": 1, "d_k": 1, "d_v": 1}), dtype="nonsense")


def test_a_requirement_that_is_not_met_raises_with_the_reason():
    audit = crosscheck(_no_scale, derive({"n": 2, "m": 3, "d_k": 2, "d_v": 2}), examples=20)
    with pytest.raises(VerdictError, match="REFUTED") as caught:
        audit.require(Status.TESTED)
    assert "_no_scale" in str(caught.value)


def test_ordinary_inputs_come_first():
    seen = []

    def record(Q, K, V):
        seen.append(Q.copy())
        return attention(Q, K, V)

    crosscheck(record, derive({"n": 1, "m": 2, "d_k": 3, "d_v": 1}), examples=5, seed=3)
    assert np.array_equal(seen[0], np.random.default_rng(3).standard_normal((1, 1, 3))[0])
    assert len(seen) == module._ORDINARY + 5


@pytest.mark.parametrize("options", [
    {"examples": 0}, {"examples": 1.5}, {"examples": True}, {"seed": "a"}, {"seed": -1}, {"max_score": 0},
    {"max_score": -5}, {"max_score": float("nan")}, {"max_score": 1e300}, {"max_score": "1"}, {"rescalings": -1},
    {"rescalings": 10**9},
])  # fmt: skip
def test_options_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(SpecError, match=f"got {name} = "):
        crosscheck(attention, derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}), **options)


def test_the_scope_says_whether_the_mask_was_passed():
    derivation = derive({"n": 2, "m": 3, "d_k": 2, "d_v": 1}, mask=MASK)

    def forwards(Q, K, V, **options):
        return attention(Q, K, V, options["mask"])

    def other_name(Q, K, V, attn_mask=None):
        return attention(Q, K, V, attn_mask)

    def none(Q, K, V):
        return attention(Q, K, V)

    scopes = [crosscheck(f, derivation, examples=20)["rounding"] for f in (forwards, other_name, none)]
    assert [(v.status.name, v.scope["mask"]) for v in scopes] == [
        ("TESTED", "mask"),
        ("TESTED", "attn_mask"),
        ("REFUTED", "not passed"),
    ]
    assert "did not get the derivation's mask" in scopes[2].evidence["summary"]


def test_a_required_mask_is_passed_where_nothing_is_masked():
    def strict(Q, K, V, mask):
        return attention(Q, K, V, mask)

    audit = crosscheck(strict, derive({"n": 1, "m": 2, "d_k": 1, "d_v": 1}), examples=10)
    assert audit.status is Status.TESTED
    assert audit["rounding"].scope["mask"] == "mask"
