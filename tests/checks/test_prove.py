"""``prove``: our own numeric functions are the formula, and every check of the proof has a target that it stops."""

import json
import textwrap

import pytest

from attn_verify import AttentionSpec, prove, recheck, replay
from attn_verify.checks.proof_report import verdict_of
from attn_verify.checks.prove import Prover
from attn_verify.checks.verdict import Status
from attn_verify.errors import SizeError, SpecError, TargetError
from attn_verify.targets.runner import Runner

TINY = {"n": 2, "m": 3, "d_k": 2, "d_v": 1}
HEAD = "import numpy as np\n\n"
GOOD = """
def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
"""


@pytest.fixture
def judge(runner, tmp_path):
    def run(code, spec=None, sizes=TINY, name="f", **options):
        path = tmp_path / "target.py"
        path.write_text(HEAD + textwrap.dedent(code), "utf-8")
        prover = Prover(runner, seed=3, seconds=30, search_seconds=2)
        return verdict_of(prover.prove(f"{path}::{name}", AttentionSpec.of(spec), sizes=sizes, **options))

    return run


OWN = [
    ("attention", None, {"n": 2, "m": 3, "d_k": 3, "d_v": 2}, {}),
    ("attention", "causal=lower_right", {"n": 2, "m": 3, "d_k": 3, "d_v": 1}, {"roles": "causal=causal"}),
    ("attention", "causal=upper_left", {"n": 2, "m": 2, "d_k": 2, "d_v": 1}, {"roles": "causal=causal"}),
    ("self_attention", None, {"n": 2, "d_model": 3, "d_k": 2, "d_v": 1}, {}),
    ("multihead", None, {"n": 2, "d_model": 3, "d_k": 2, "d_v": 1, "heads": 2}, {}),
    ("attention_grad", None, {"n": 2, "m": 2, "d_k": 2, "d_v": 1}, {}),
    ("self_attention_grad", None, {"n": 1, "d_model": 2, "d_k": 2, "d_v": 1}, {"layout": "nd"}),
    ("multihead_grad", None, {"n": 1, "d_model": 2, "d_k": 1, "d_v": 1, "heads": 2}, {"layout": "nd"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spec", "sizes", "options"), OWN, ids=[f"{n}-{s}" for n, s, _, _ in OWN])
def test_our_own_functions_are_the_formula(runner, name, spec, sizes, options):
    prover = Prover(runner, seed=3, patience=1.0)
    proof = prover.prove(f"attn_verify.numeric:{name}", AttentionSpec.of(spec), sizes=sizes, **options)
    verdict = verdict_of(proof)
    assert verdict.status is Status.PROVED, verdict.evidence
    assert verdict.scope["entries"] > 0
    assert verdict.claim.name == ("gradient" if name.endswith("grad") else "formula")


@pytest.mark.parametrize(("name", "spec"), [("attention", "scale=1"), ("multihead", "scale=1/d_k")])
def test_our_own_functions_are_not_another_formula(runner, name, spec):
    sizes = {"n": 1, "m": 2, "d_k": 2} if name == "attention" else {"n": 2, "d_model": 2, "d_k": 2, "heads": 2}
    proof = Prover(runner, seed=3).prove(f"attn_verify.numeric:{name}", AttentionSpec.of(spec), sizes=sizes)
    assert proof.status is Status.REFUTED


def test_a_proof_says_what_it_covers(judge):
    verdict = judge(GOOD)
    assert verdict.status is Status.PROVED
    assert verdict.method == "normal form on traced programs"
    assert verdict.scope["sizes"][0] == "n=2, m=3, d_k=2, d_v=1"
    assert verdict.scope["masks"] == ["none"]
    data = verdict.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert {"target", "spec", "seed", "version", "name", "status", "scope", "assumptions", "evidence"} <= set(data)


def test_what_is_given_by_keyword_alone_is_said(judge):
    verdict = judge(GOOD.replace("def f(Q, K, V)", "def f(Q, *rest, K, V)"), sizes={"n": 1, "m": 1, "d_k": 1, "d_v": 1})
    assert verdict.status is Status.PROVED
    assert "by keyword: K, V" in verdict.scope["roles"]


# A target and a part of the reason why it is not proved (it may be refuted instead where a witness is found).
STOPPED = {
    "a number compared with a maximum": (
        """
        def f(Q, K, V):
            S = Q @ K.T / np.sqrt(Q.shape[-1])
            E = np.exp(S) * np.where(S == S.max(axis=-1, keepdims=True), 2.0, 1.0)
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "",
    ),
    "zero over zero for half of the inputs": (
        """
        def f(Q, K, V):
            x = np.maximum(Q[0, 0], 0)
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            return E / E.sum(axis=-1, keepdims=True) @ V * (x / x)
        """,
        "",
    ),
    "a root of a square": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            x = np.sqrt(Q[0, 0] ** 2)
            return E / E.sum(axis=-1, keepdims=True) @ V * np.where(x == Q[0, 0], 1.001, 1.0)
        """,
        "",
    ),
    "a logarithm of what may be negative": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            return E / E.sum(axis=-1, keepdims=True) @ np.log(np.exp(np.log(np.exp(V)))) + 0 * np.log(Q[0, 0])
        """,
        "",
    ),
    "another way for another type": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            if "attn_verify" in type(Q).__module__:
                return E / E.sum(axis=-1, keepdims=True) @ V
            return E / E.sum(axis=-1, keepdims=True) @ V * (1 + 1e-7)
        """,
        "",
    ),
    "text of values": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            print(E)
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "text",
    ),
    "state": (
        """
        calls = []
        def f(Q, K, V):
            calls.append(1)
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            return E / E.sum(axis=-1, keepdims=True) @ V * len(calls)
        """,
        "",
    ),
    "inputs changed in place": (
        """
        def f(Q, K, V):
            Q /= np.sqrt(Q.shape[-1])
            E = np.exp(Q @ K.T)
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "",
    ),
    "a branch that ordinary inputs do not reach": (
        """
        def f(Q, K, V):
            S = Q @ K.T / np.sqrt(Q.shape[-1])
            E = np.exp(S)
            if S.max() > 15:
                E = E + 1
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "",
    ),
    "a refusal that is swallowed": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            try:
                np.linalg.det(E @ E.T)
            except:
                pass
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "det",
    ),
    "a name that the model lacks": (
        """
        def f(Q, K, V):
            E = np.exp(np.round(Q @ K.T / np.sqrt(Q.shape[-1]), 12))
            return E / E.sum(axis=-1, keepdims=True) @ V
        """,
        "round",
    ),
    "a tiny addend": (
        """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[-1]))
            return E / (E.sum(axis=-1, keepdims=True) + 1e-30) @ V
        """,
        "another function",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", STOPPED)
def test_a_proof_is_stopped(judge, what):
    code, reason = STOPPED[what]
    verdict = judge(code, sizes={"n": 1, "m": 2, "d_k": 2, "d_v": 1})
    assert verdict.status in (Status.REFUTED, Status.UNDECIDED), "seed 3"
    if reason:
        assert verdict.status is Status.UNDECIDED
        assert any(reason in text for text in verdict.evidence["reasons"]), verdict.evidence
    if verdict.status is Status.UNDECIDED:
        assert verdict.evidence["reasons"]


def test_a_finite_fill_is_equal_in_the_limit_only(judge):
    code = """
    def f(Q, K, V, mask):
        S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[-1]), -1e9)
        E = np.exp(S - S.max(axis=-1, keepdims=True))
        return E / E.sum(axis=-1, keepdims=True) @ V
    """
    verdict = judge(code, sizes={"n": 1, "m": 2, "d_k": 2, "d_v": 1})
    assert verdict.status is Status.PROVED
    [fill] = [note for note in verdict.assumptions if note["kind"] == "fill_limit"]
    assert "exp(-1e+09 + 2s)" in fill["text"]
    # Under a causal mask and another one, pairs that are hidden twice may have another score.
    both = code.replace("    E =", "    S = S + np.where(np.tri(len(Q), len(K)), 0, -1e9)\n        E =")
    verdict = judge(both, spec="causal=upper_left", sizes={"n": 2, "m": 2, "d_k": 1, "d_v": 1})
    assert verdict.status is Status.PROVED
    # To a fill nothing may be added but the score.
    for more in ("2.5 * Q @ K.T / np.sqrt(Q.shape[-1])", "1e3 * np.exp(Q[:, :1])"):
        grown = code.replace("-1e9", f"{more} - 1e9")
        assert judge(grown, sizes={"n": 1, "m": 2, "d_k": 2, "d_v": 1}).status is Status.UNDECIDED
    small = judge(code.replace("-1e9", "-5.0"), sizes={"n": 1, "m": 2, "d_k": 2, "d_v": 1})
    assert small.status is Status.REFUTED


def test_an_exact_hit_is_left_out_and_tried(judge):
    code = GOOD.replace("    E =", "    if Q[0, 0] == 0.123:\n        return 0 * Q @ K.T @ V\n    E =")
    assert judge(code).status is Status.REFUTED
    harmless = GOOD.replace("    E =", "    if Q[0, 0] == 0.123:\n        S = S + 1\n    E =")
    verdict = judge(harmless)
    assert verdict.status is Status.PROVED
    assert "Q[0,0,0] = " in verdict.scope["excluded"][0]
    assert "excluded" in verdict.scope["inputs"]


def test_constants_are_read_only_where_they_fit(judge):
    right = GOOD.replace("np.sqrt(Q.shape[-1])", "1.4142135623730951")
    verdict = judge(right)
    assert verdict.status is Status.PROVED
    assert any("1.414" in note["text"] for note in verdict.assumptions)
    assert judge(GOOD.replace("np.sqrt(Q.shape[-1])", "1.41421356")).status is Status.REFUTED


def test_a_decimal_is_read_as_written(judge):
    verdict = judge(GOOD.replace("/ np.sqrt(Q.shape[-1])", "* 0.1"), spec="scale=0.1")
    assert verdict.status is Status.PROVED
    assert any("0.1 is read as the decimal" in note["text"] for note in verdict.assumptions)
    assert judge(GOOD.replace("/ np.sqrt(Q.shape[-1])", "* 0.1"), spec="scale=0.1000001").status is Status.REFUTED


def test_paths_left_over_are_reported(judge, monkeypatch):
    monkeypatch.setitem(Runner.trace.__kwdefaults__, "max_paths", 20)
    code = """
    def f(Q, K, V):
        out = np.zeros((len(Q), V.shape[1]))
        for i, q in enumerate(Q):
            top, total, row = -np.inf, 0.0, np.zeros(V.shape[1])
            for k, v in zip(K, V):
                s = q @ k / np.sqrt(len(q))
                if s > top:
                    total, row, top = total * np.exp(top - s), row * np.exp(top - s), s
                w = np.exp(s - top)
                total, row = total + w, row + w * v
            out[i] = row / total
        return out
    """
    verdict = judge(code, sizes={})
    assert verdict.status is Status.PROVED
    assert any("20 paths, and there are more" in text for text in verdict.scope["not_covered"])
    assert verdict.scope["paths"] > 20  # all of them together


def test_a_refutation_is_saved_and_replays_and_a_proof_is_rechecked(tmp_path):
    path = tmp_path / "target.py"
    path.write_text(HEAD + GOOD.replace("np.sqrt(Q.shape[-1])", "Q.shape[-1]"), "utf-8")
    refuted = prove(f"{path}::f", sizes=TINY, save_dir=tmp_path)
    assert refuted.status is Status.REFUTED
    assert replay(refuted.evidence["saved"]).status is Status.REFUTED
    path.write_text(HEAD + GOOD, "utf-8")
    assert replay(refuted.evidence["saved"]).status is Status.TESTED
    proved = prove(f"{path}::f", sizes=TINY, certificate=tmp_path / "proof.json")
    assert proved.status is Status.PROVED
    assert recheck(tmp_path / "proof.json").valid


def test_bad_requests_are_errors(judge):
    with pytest.raises(TargetError, match="no parameter is K or V"):
        judge("def f(Q, mask): return Q")
    with pytest.raises(TargetError, match="fails on every input"):
        judge("def f(Q, K, V): raise ValueError('no')")
    with pytest.raises(TargetError, match="--roles"):
        judge(GOOD, roles="Q")
    with pytest.raises(SizeError):
        judge(GOOD, sizes={"n": 0})
    with pytest.raises(SpecError):
        judge(GOOD, spec="scale=oops")


def test_a_function_that_raises_where_sizes_differ_is_refuted(judge):
    body = """
        def f(Q, K, V):
            E = np.exp((Q @ K.T + np.zeros((len(Q), len(Q)))) / np.sqrt(Q.shape[1]))
            return E @ V / E.sum(axis=1, keepdims=True)
    """
    verdict = judge(body, sizes={"n": 2, "d_k": 2, "d_v": 1})
    assert verdict.status is Status.REFUTED
    assert "ValueError" in verdict.evidence["text"]


def test_what_a_slow_target_leaves_no_time_for_is_said(judge, monkeypatch):
    monkeypatch.setattr("attn_verify.checks.prove._PATIENCE", 0.0)
    body = """
        def f(Q, K, V, mask):
            E = np.exp(np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf))
            return E @ V / E.sum(axis=1, keepdims=True)
    """
    verdict = judge(body, sizes={"n": 2, "m": 2, "d_k": 1, "d_v": 1})
    assert verdict.status is Status.PROVED
    assert verdict.scope["masks"][:1] == [
        "n=2, m=2: all 9 masks that leave every query a key; 2 of them, the others were left out after 0 s"
    ]
    assert "n=2, m=2, d_k=1, d_v=1, layout (n, d): 7 cases left out after 0 s" in verdict.scope["not_covered"]


def test_a_constant_need_not_suit_all_sizes(judge):
    body = """
        def f(Q, K, V, heads, kv_heads):
            q = Q.reshape(len(Q), heads, -1).transpose(1, 0, 2)
            k, v = (A.reshape(len(A), kv_heads, -1).transpose(1, 0, 2) for A in (K, V))
            E = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[2]))
            return (E @ v / E.sum(axis=2, keepdims=True)).transpose(1, 0, 2).reshape(len(Q), -1)
    """
    with pytest.raises(TargetError, match="grouped heads are outside the formula"):
        judge(body)
    assert judge(body, sizes={"n": 1, "m": 1, "d_k": 1, "d_v": 1}, roles="kv_heads=2").status is Status.UNDECIDED
    fitting = {"n": 1, "m": 2, "d_k": 1, "d_v": 1, "heads": 2}
    assert judge(body, sizes=fitting, roles="kv_heads=2").status is Status.PROVED


@pytest.mark.parametrize("name", ["layers/own.py::attention", "layers.own:attention"])
def test_a_package_may_use_another_one_beside_it(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for package, module, code in (
        (
            "layers",
            "own",
            "from common.weights import softmax\ndef attention(Q, K, V):\n    return softmax(Q @ K.T) @ V\n",
        ),
        (
            "common",
            "weights",
            "import numpy as np\ndef softmax(S):\n    E = np.exp(S)\n    return E / E.sum(1, keepdims=True)\n",
        ),
    ):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / f"{module}.py").write_text(code)
    found = prove(name, "scale=1", sizes={"n": 1, "m": 2, "d_k": 1, "d_v": 1})
    assert found.status.name == "PROVED", found.evidence


def test_what_changes_its_inputs_is_searched_where_it_is_wrong(judge):
    """In all layouts, as nothing else is wrong with it but where K is Q, which comes last."""
    found = judge(
        """
        def f(q, k, v):
            q *= q.shape[-1] ** -0.5
            E = np.exp(q @ k.swapaxes(-1, -2))
            return E / E.sum(-1, keepdims=True) @ v
        """,
        sizes={},
    )
    assert found.status is Status.REFUTED


def test_code_without_a_model_is_not_refuted_by_its_rounding(judge):
    """Values are shifted and shifted back: the formula, eight bounds off; a shift of which some stays is not."""
    code = """
        def f(Q, K, V):
            E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
            return np.linalg.solve(np.diag(E.sum(axis=1)), E @ (V + 1e4)) - {offset}
    """
    assert judge(code.format(offset="1e4")).status is Status.UNDECIDED
    assert judge(code.format(offset="(1e4 - 1e-4)")).status is Status.REFUTED


@pytest.mark.parametrize("sizes", [(5, 5, 5, 5), (8, 8, 8, 8), (16, 16, 8, 8)])
def test_plain_attention_is_decided_at_sizes_between_small_and_large(judge, sizes):
    found = judge(GOOD, sizes=dict(zip(("n", "m", "d_k", "d_v"), sizes, strict=True)), layout="nd")
    assert found.status is Status.PROVED


def test_where_the_unbatched_layout_gives_no_result_the_scope_says_why(judge):
    code = """
        def f(Q, K, V):
            if len(Q) != len(K):
                raise ValueError("as many queries as keys")
            S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            E = np.exp(S - S.max(axis=Q.ndim - 1, keepdims=True))
            return E / E.sum(axis=2 if Q.ndim == 3 else 0, keepdims=True) @ V
    """
    found = judge(code, sizes={})
    assert found.scope["conventions"] == ["layout (b, n, d)"]
    assert any("layout (n, d): no result" in text and "as many queries" in text for text in found.scope["not_covered"])
    assert judge(code, sizes={}, layout="nd").status is Status.REFUTED


def test_a_proof_with_many_masks_names_all_of_them(judge):
    code = """
        def f(Q, K, V, mask=None):
            S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            S = S if mask is None else np.where(mask, S, -np.inf)
            E = np.exp(S - S.max(axis=-1, keepdims=True))
            return E / E.sum(axis=-1, keepdims=True) @ V
    """
    masks = judge(code, sizes={"n": 2, "m": 2, "d_k": 2, "d_v": 1}).scope["masks"]
    assert not any(text.startswith("and ") for text in masks)
    for layout in ("(b, n, d); mask (n, m)", "(b, h, n, d); mask (n, m)", "(b, n, d); mask (b, n, m)"):
        assert any(text.startswith(f"layout {layout}: b = n = 2: ") for text in masks), (layout, masks)
    assert "layout (b, n, d); mask (n, m): b = n = 2: 11/01" in masks
    own = [text for text in masks if "mask (b, n, m): b = n = 2: " in text]
    assert own
    assert all(" and " in text for text in own), "elements with masks that differ"


@pytest.mark.parametrize("last", ["P @ V, P", "{'out': P @ V, 'scores': S}"])
def test_a_member_that_sizes_hide_is_found_at_sizes_that_tell(judge, last):
    """Output and weights have one shape where d_v = m: in a layout in which they differ, the code is wrong."""
    code = f"""
        def f(Q, K, V):
            S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            E = np.exp(S - S.max(axis=-1, keepdims=True))
            P = E / E.sum(axis=-1, keepdims=True)
            return {last}
    """
    sizes = {"n": 2, "m": 2, "d_k": 2, "d_v": 2}
    assert judge(code, sizes=sizes).status is Status.PROVED
    assert judge(code.replace("np.sqrt(Q.shape[-1])", "2.5"), sizes=sizes).status is Status.REFUTED
    both = code.replace("def f(Q, K, V):\n", "def f(Q, K, V):\n            assert len(V) == V.shape[-1]\n")
    with pytest.raises(TargetError, match="--returns"):
        judge(both, sizes=sizes)


LAYER = """
    def f(X, W_Q, W_K, W_V, W_O, heads, mask=None):
        def split(Y):
            return Y.reshape(*Y.shape[:-1], heads, -1).swapaxes(-2, -3)

        Q, K, V = split(X @ W_Q), split(X @ W_K), split(X @ W_V)
        if mask is not None:
            mask = {mask}
        S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
        S = S if mask is None else np.where(mask, S, -np.inf)
        E = np.exp(S - S.max(axis=-1, keepdims=True))
        O = (E / E.sum(axis=-1, keepdims=True) @ V).swapaxes(-2, -3)
        return O.reshape(*O.shape[:-2], -1) @ W_O
"""


def test_of_heads_that_meet_the_scope_says_that_their_masks_are_alike(judge):
    sizes = {"n": 2, "heads": 2, "d_k": 1, "d_v": 1, "d_model": 2}
    for mask in ("mask", "mask[:, :1] if mask.ndim == 4 else mask"):
        scope = judge(LAYER.format(mask=mask), sizes=sizes).scope
        of_heads = [text for text in scope["conventions"] if "mask (b, h, n, m)" in text]
        assert of_heads
        assert all(text.endswith("the same for all heads") for text in of_heads)
        assert any("masks that differ between heads" in text for text in scope["not_covered"])


SMALL_AXES = {
    "a batch of one loses its axis": "return np.squeeze(P @ V, 0) if len(Q) == 1 and Q.ndim > 2 else P @ V",
    "one head is none": "return P @ V * (Q.ndim < 4 or Q.shape[1] > 1)",
    "one mask for all queries of one array": "return np.where(mask[..., -1:, :], P, 0) @ V if K is Q else P @ V",
}


@pytest.mark.parametrize("what", SMALL_AXES)
def test_axes_of_length_one_and_masks_of_one_array_are_looked_at(judge, what):
    code = """
        def f(Q, K, V, mask):
            S = np.where(mask, Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1]), -np.inf)
            P = np.exp(S - S.max(axis=-1, keepdims=True))
            P = P / P.sum(axis=-1, keepdims=True)
            {last}
    """
    sizes = {"n": 2, "m": 2, "d_k": 2, "d_v": 1}
    assert judge(code.format(last="return P @ V"), sizes=sizes).status is Status.PROVED
    assert judge(code.format(last=SMALL_AXES[what]), sizes=sizes).status is not Status.PROVED


def test_a_batch_of_one_is_looked_at_without_a_mask_that_is_optional(judge):
    code = """
        def f(Q, K, V, mask=None):
            S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            if mask is not None:
                S = np.where(mask, S, -np.inf)
            P = np.exp(S - S.max(axis=-1, keepdims=True))
            last = {axis}
            return P / P.sum(axis=last, keepdims=True) @ V
    """
    sizes = {"n": 2, "m": 2, "d_k": 2, "d_v": 1}
    assert judge(code.format(axis="-1"), sizes=sizes).status is Status.PROVED
    wrong = "-2 if mask is None and Q.ndim > 2 and len(Q) == 1 else -1"
    assert judge(code.format(axis=wrong), sizes=sizes).status is Status.REFUTED
