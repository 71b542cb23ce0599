"""Proofs at sizes where entries are not traced one by one: equal code is PROBABLE, other code never."""

import textwrap

import pytest

from attn_verify import AttentionSpec, Sizes
from attn_verify.checks import large, large_case
from attn_verify.checks.large import completed, is_large, too_large
from attn_verify.checks.outcome import METHOD
from attn_verify.checks.proof_report import verdict_of
from attn_verify.checks.prove import Prover
from attn_verify.checks.verdict import Status
from attn_verify.errors import SizeError
from attn_verify.targets.binding import bind

HEAD = """
    import numpy as np
    from scipy.special import softmax

    def textbook(Q, K, V):
        E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
        return E / E.sum(axis=1, keepdims=True) @ V

    def blocks(Q, K, V, block, rescale=True):
        M, L, O = np.full((len(Q), 1), -np.inf), np.zeros((len(Q), 1)), np.zeros((len(Q), V.shape[1]))
        for j in range(0, len(K), block):
            S = Q @ K[j:j + block].T / np.sqrt(Q.shape[1])
            N = np.maximum(M, S.max(axis=1, keepdims=True))
            P, keep = np.exp(S - N), np.exp(M - N)
            L, M = L * keep + P.sum(axis=1, keepdims=True), N
            O = (O * keep if rescale else O) + P @ V[j:j + block]
        return O / L

    def split(A, heads):
        return A.reshape(len(A), heads, -1).transpose(1, 0, 2)
"""

EQUAL = {
    "textbook": "def f(Q, K, V): return textbook(Q, K, V)",
    "scipy": "def f(Q, K, V): return softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1) @ V",
    "online": "def f(Q, K, V): return blocks(Q, K, V, 48)",
    "log-sum-exp": """
        def f(Q, K, V):
            S = Q @ K.T / np.sqrt(Q.shape[1])
            return np.exp(S - np.log(np.exp(S).sum(axis=1, keepdims=True))) @ V
    """,
    "values in exponents": """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]) + V.sum())
            return E / E.sum(axis=1, keepdims=True) @ V
    """,
}

WRONG = {
    "rescaling dropped": "def f(Q, K, V): return blocks(Q, K, V, 48, rescale=False)",
    "scale": "def f(Q, K, V): return textbook(Q * np.sqrt(Q.shape[1] / K.shape[0]), K, V)",
    "tail dropped": """
        def f(Q, K, V):
            m = max(1, (len(K) - 1) // 64) * 64
            return blocks(Q, K[:m], V[:m], 64)
    """,
    "last key": "def f(Q, K, V): return textbook(Q, K[:-1], V[:-1]) if len(K) > 1 else V[[0] * len(Q)]",
    "only above 100 keys": "def f(Q, K, V): return textbook(Q, K, V) if len(K) < 100 else textbook(Q, K[1:], V[1:])",
    "no values": "def f(Q, K, V): return textbook(Q, K, V) * (V == V)[0, 0] + (0 if len(K) < 99 else 1e-13)",
}

LAYER = """
    def f(X, W_Q, W_K, W_V, W_O, heads):
        Q, K, V = (split(X @ W, heads) for W in (W_Q, W_K, W_V))
        P = softmax(Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2]), axis=2)
        return (P @ V)[ORDER].transpose(1, 0, 2).reshape(len(X), -1) @ W_O
"""

SIZES = {"n": 16, "m": 129, "d_k": 16, "d_v": 16}
MASKED = """
    def f(Q, K, V, mask=None):
        S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
        if mask is not None:
            S = np.where(mask, S, FILL)
        return softmax(S, axis=-1) @ V
"""


@pytest.fixture
def prove(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "_SEARCH", 2.0)

    def run(body, sizes=SIZES, spec=None, **options):
        path = tmp_path / "code.py"
        path.write_text(textwrap.dedent(HEAD) + textwrap.dedent(body))
        prover = Prover(runner, progress=lambda text: said.append(text))
        proof = prover.prove(f"{path}::f", AttentionSpec.of(spec), sizes=sizes, **options)
        assert proof.status is not Status.PROVED
        return proof, verdict_of(proof)

    said: list[str] = []
    run.said = said
    return run


@pytest.mark.parametrize("name", EQUAL)
def test_equal_code_is_probable(prove, name):
    proof, verdict = prove(EQUAL[name], layout="nd")
    assert verdict.status is Status.PROBABLE, verdict.evidence
    assert verdict.evidence["error_log2"] <= -64
    assert verdict.method == METHOD
    assert verdict.scope["entries"] == 16 * 16
    assert proof.outcomes[0].excluded == []
    assert any("comparing at n=16, m=129" in text for text in prove.said)


def test_code_that_turns_wrong_after_some_calls_is_not_probable(prove):
    body = """
        seen = []
        def f(Q, K, V):
            seen.append(len(K))
            return textbook(Q, K if seen.count(129) < 3 else -K, V)
    """
    _, verdict = prove(body, layout="nd")
    assert verdict.status is Status.UNDECIDED
    assert all("in floats" in text for text in verdict.evidence["reasons"])


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_never_probable(prove, name):
    _, verdict = prove(WRONG[name], layout="nd")
    assert verdict.status in (Status.REFUTED, Status.UNDECIDED)
    if name != "no values":
        assert verdict.status is Status.REFUTED, verdict.evidence


@pytest.mark.parametrize(("fill", "wanted"), [("-np.inf", Status.PROBABLE), ("-1e9", Status.UNDECIDED)])
def test_masks_are_no_mask_causal_one_entry_and_random_ones(prove, fill, wanted):
    proof, verdict = prove(MASKED.replace("FILL", fill))
    assert verdict.status is wanted
    if wanted is Status.PROBABLE:
        assert [text.removeprefix("layout (n, d): ").split(" (")[0] for text in proof.masks[:5]] == [
            "no mask", "a causal mask", "a mask with one entry masked", "a random mask",
            "the complement of the random mask"]  # fmt: skip
        for layout in ("layout (b, n, d); mask (b, n, m): ", "layout (b, h, n, d); mask (b, h, n, m): "):
            bare, masked = (text for text in proof.masks if text.startswith(layout))
            assert bare == f"{layout}no mask"
            assert masked.endswith("that of the first element open")
        assert proof.conventions[1:] == [
            "layout (b, n, d); mask (b, n, m)", "layout (b, h, n, d); mask (b, h, n, m)"]  # fmt: skip
        assert {outcome.case.batch for outcome in proof.outcomes} == {(1, 1), (2, 1), (2, 3)}
        assert all("left out" in text for text in proof.refused if "(n, m)" in text)


def test_one_mask_entry_that_is_ignored_is_seen(prove, monkeypatch):
    monkeypatch.setattr(large, "_SEARCH", 0.0)  # seen by the comparison itself, so that nothing needs to be found
    body = MASKED.replace("np.where(mask, S", "np.where(mask | (S.shape[-1] > 99) & AT, S").replace("FILL", "-np.inf")
    for i, j in ((15, 128), (0, 3)):
        at = f"(np.arange({SIZES['n']})[:, None] == {i}) & (np.arange(S.shape[1]) == {j})"
        assert prove(body.replace("AT", at), layout="nd")[1].status < Status.PROBABLE


def test_masks_leave_every_query_a_key_that_the_spec_shows(prove):
    body = MASKED.replace("mask=None", "mask").replace("if mask is not None:", "if True:").replace("FILL", "-np.inf")
    body = body.replace("(mask, S", "(mask & np.tri(*S.shape, S.shape[1] - S.shape[0], dtype=bool), S")
    proof, verdict = prove(body, {"n": 64, "m": 64, "d_k": 16, "d_v": 1}, spec="causal=lower_right", layout="nd")
    assert verdict.status is Status.PROBABLE
    assert len(proof.masks) == 4


def test_wrong_masks_are_found(prove):
    body = MASKED.replace("np.where(mask, S, FILL)", "np.where(mask | (S.shape[-1] > 100), S, -np.inf)")
    proof, verdict = prove(body, layout="nd")
    assert verdict.status < Status.PROBABLE
    assert proof.outcomes[0].status is Status.PROBABLE
    assert len(proof.outcomes) == 2


def test_a_causal_formula(prove):
    body = MASKED.replace("FILL", "-np.inf").replace("mask=None", "").replace("V, )", "V)")
    body = body.replace("if mask is not None:", "if True:").replace(
        "mask,", "np.tril(np.ones(S.shape, bool), S.shape[1] - S.shape[0] SHIFT),")  # fmt: skip
    assert prove(body.replace("SHIFT", ""), spec="causal=lower_right", layout="nd")[1].status is Status.PROBABLE
    assert prove(body.replace("SHIFT", "- 1"), spec="causal=lower_right", layout="nd")[1].status is Status.REFUTED


@pytest.mark.parametrize(("order", "wanted"), [("::1", Status.PROBABLE), ("::-1", Status.REFUTED)])
def test_layers(prove, order, wanted):
    proof, verdict = prove(LAYER.replace("ORDER", order), {"n": 24, "d_model": 24, "heads": 3})
    assert verdict.status is wanted, verdict.evidence
    assert proof.outcomes[0].case.sizes.to_dict() == {
        "n": 24, "m": 24, "d_k": 8, "d_v": 8, "heads": 3, "d_model": 24, "d_out": 24}  # fmt: skip


def test_one_product_for_all_projections(prove):
    body = """
        def f(X, W_qkv, W_O, heads):
            Q, K, V = (split(A, heads) for A in np.split(X @ W_qkv, 3, axis=1))
            P = softmax(np.einsum("hid,hjd->hij", Q, K) / np.sqrt(Q.shape[2]), axis=2)
            return np.einsum("hij,hjd->ihd", P, V).reshape(len(X), -1) @ W_O
    """
    assert prove(body, {"n": 24, "d_model": 24, "heads": 3})[1].status is Status.PROBABLE


REFUSED = {
    "an order of values": ("def f(Q, K, V): return textbook(Q, K, V) if (Q @ K.T)[0, 0] < 1 else textbook(Q, K, V)",
                           "order of values"),
    "another way in floats": (
        "def f(Q, K, V):\n    try:\n        with np.errstate(over='raise'):\n            np.exp(Q * 1e6)\n"
        "    except FloatingPointError:\n        return textbook(Q, K, V)\n    return textbook(Q, K, V) * 1.0",
        "different ways"),
    "state": ("def f(Q, K, V, seen=[]): seen.append(1); return textbook(Q, K, V) + (len(seen) > 1)", "keeps state"),
    "a root of no known sign": (
        "def f(Q, K, V): return textbook(Q, K, V) + (np.sqrt(V.sum()) - np.sqrt(V.sum()))", "root"),
    "several members": ("def f(Q, K, V): return textbook(Q, K, V), np.zeros((len(Q), len(K)))", "several members"),
    "a wrong shape": ("def f(Q, K, V): return textbook(Q, K, V) if len(K) < 99 else textbook(Q, K, V)[:1]", "shape"),
    "it raises": ("def f(Q, K, V): return textbook(Q, K, V) if len(K) < 99 else [][0]", "IndexError"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_not_probable(prove, name, monkeypatch):
    monkeypatch.setattr(large, "_SEARCH", 0.0)
    body, reason = REFUSED[name]
    options = {"returns": "O,P"} if name == "several members" else {}
    proof, _ = prove(body, layout="nd", **options)
    assert proof.status is Status.UNDECIDED
    assert reason in " ".join(proof.outcomes[0].reasons)


HIDDEN = {
    "the name of a type": "(type(Q[0, 0]).__name__ == 'float64') * np.maximum(Q[0, 0] - 50, 0)",
    "the type of an entry": "{float: 1.0}.get(type(Q[0, 0].item()), 0.0) * np.maximum(Q[0, 0] - 50, 0)",
    "a domain": "0 * np.arcsin(np.maximum(Q[0, 0] - 50, 0))",
    "a question about a root": "np.isnan(np.sqrt(60 - Q[0, 0]))",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_in_the_result_is_seen_inside(prove, name, monkeypatch):
    monkeypatch.setattr(large, "_SEARCH", 0.0)
    _, verdict = prove(f"def f(Q, K, V): return textbook(Q, K, V) + {HIDDEN[name]}", layout="nd")
    assert verdict.status is Status.UNDECIDED, verdict.evidence


def test_gradients_are_left_to_small_sizes(prove, monkeypatch):
    body = "def f(Q, K, V, dO): return 0 * Q, 0 * K, 0 * V"
    sizes = {"n": 64, "m": 64, "d_k": 16, "d_v": 16}
    assert prove(body, sizes, layout="nd")[1].status is Status.REFUTED
    monkeypatch.setattr(large, "_SEARCH", 0.0)
    proof, _ = prove(body, sizes, layout="nd")
    assert proof.status is Status.UNDECIDED
    assert "gradients" in proof.outcomes[0].reasons[0]


def test_divisors_of_no_known_sign_are_excluded(prove):
    _, verdict = prove("def f(Q, K, V): return textbook(Q, K, V) * V[0, 0] / V[0, 0]", layout="nd")
    assert verdict.status is Status.PROBABLE
    assert "divisor" in verdict.scope["excluded"][0]


WILD = {
    "a quotient of equal floors": "np.maximum(3 - Q[0, 0] / 1e7, 0.0) / np.maximum(3 - Q[0, 0] / 1e7, 0.0)",
    "a reciprocal": "np.maximum(3 - V[0, 0] / 1e7, 0.0) * (1 / np.maximum(3 - V[0, 0] / 1e7, 0.0))",
    "zero divided": "1 + 0 / np.maximum(3 - V[0, 0] / 1e5, 0.0)",
    "weights": "np.average(np.ones(2), weights=np.maximum(1e4 - V[:2, 0], 0.0))",
    "a root": "np.sqrt(np.exp(Q[0, 0])) * (1 / (np.sqrt(np.exp(Q[0, 0])) - np.exp(K[0, 0])))",
}


@pytest.mark.parametrize("name", WILD)
def test_divisors_that_may_be_zero_on_more_than_a_null_set_are_doubted(prove, name, monkeypatch):
    monkeypatch.setattr(large, "_SEARCH", 0.0)
    proof, _ = prove(f"def f(Q, K, V): return textbook(Q, K, V) * ({WILD[name]})", layout="nd")
    assert proof.status is Status.UNDECIDED
    if name != "weights":
        assert "may be zero for many inputs" in " ".join(proof.outcomes[0].reasons)


def test_divisors_floored_by_a_positive_number_are_no_doubt(prove):
    proof, verdict = prove("""
        def f(Q, K, V):
            largest = np.maximum(np.abs(V).max(axis=0), 1e-6)
            return textbook(Q, K, V / largest) * largest
    """, layout="nd")  # fmt: skip
    assert verdict.status is Status.PROBABLE, verdict.evidence
    assert proof.outcomes[0].excluded == []


def test_primes_are_drawn_again_until_the_bound_suffices(prove, monkeypatch):
    monkeypatch.setattr(large_case, "start_bits", lambda sizes, error: (62, 62))
    _, verdict = prove(EQUAL["textbook"], layout="nd")
    assert verdict.status is Status.PROBABLE
    assert verdict.evidence["error_log2"] <= -64


def test_draws_with_a_vanishing_divisor_are_repeated_and_counted(prove, monkeypatch):
    real, draws = large_case.formula_reading, []

    def vanishing(*args):
        draws.append(args)
        if len(draws) <= failing[0]:
            raise large_case.VanishingError("a divisor")
        return real(*args)

    monkeypatch.setattr(large_case, "formula_reading", vanishing)
    monkeypatch.setattr(large, "_SEARCH", 0.0)
    failing = [0]
    for failing[0], wanted in ((3, Status.PROBABLE), (4, Status.UNDECIDED)):
        draws.clear()
        proof, _ = prove(EQUAL["textbook"], layout="nd")
        assert proof.status is wanted
        assert len(draws) == 4


def binding(names):
    parameters = [{"name": name, "kind": "POSITIONAL_OR_KEYWORD", "has_default": False} for name in names]
    return bind({"qualname": "f", "file": "a.py", "parameters": parameters}, AttentionSpec())


def test_which_sizes_are_large():
    attention, layer = binding(["Q", "K", "V"]), binding(["X", "W_Q", "W_K", "W_V", "W_O", "heads"])
    assert not is_large(attention, {})
    assert not is_large(attention, {"n": 8, "m": 16, "d_k": 8, "d_v": 8})
    assert is_large(attention, {"n": 512, "m": 512, "d_k": 64, "d_v": 64})
    assert not is_large(layer, {"heads": 2})
    assert is_large(layer, {"n": 256, "d_model": 768, "heads": 12})
    assert completed(layer, {"n": 256, "d_model": 768, "heads": 12}) == {
        "n": 256, "d_model": 768, "heads": 12, "d_k": 64, "d_v": 64, "d_out": 768}  # fmt: skip
    assert completed(layer, {"d_model": 7, "heads": 2}) == {"d_model": 7, "heads": 2}
    assert completed(attention, {"n": 9}) == {"n": 9}
    assert too_large(Sizes(n=12, d_model=12, d_k=3, d_v=1, heads=2))


@pytest.mark.parametrize("sizes", [{"n": 100_000}, {"n": 100_000, "m": 100_000}, {"n": 500_000, "m": 2, "d_k": 64}])
def test_sizes_beyond_memory_are_refused(prove, sizes):
    with pytest.raises(SizeError, match="do not fit into memory") as caught:
        prove("def f(Q, K, V): return textbook(Q, K, V)", {"m": 64, **sizes}, layout="nd")
    assert "smaller sizes" in str(caught.value)


def test_what_small_sizes_show_is_doubted_at_large_ones(prove):
    """Where whole arrays are computed with there is one call, and none is compared with NumPy's."""
    body = """
        kept = [0.0, 0.0]

        def f(Q, K, V):
            O = textbook(Q, K, V) + kept[0] * (Q[0, 0] - kept[1])
            kept[:] = [np.maximum(1 - (Q[0, 0] - 77) ** 2, 0), Q[0, 0]]
            return O
    """
    _, verdict = prove(body, layout="nd")
    assert verdict.status is Status.UNDECIDED
    assert any("at small sizes, a call by position after one" in reason for reason in verdict.evidence["reasons"])
