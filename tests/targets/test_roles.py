"""Which parameter is which: names, the user's words, and every message."""

import pytest

from attn_verify import AttentionSpec
from attn_verify.errors import TargetError
from attn_verify.targets.binding import bind
from attn_verify.targets.roles import ALIASES, ROLES, assign, parse_roles

PAPER = AttentionSpec()
KNOWN = ", ".join(ROLES)


def described(*parameters):
    """``name``, ``name=value`` (a default), ``*args``, ``**kwargs``, ``/name`` (by position only)."""
    items = []
    for text in parameters:
        name, _, default = text.partition("=")
        kind = "POSITIONAL_OR_KEYWORD"
        for prefix, other in (("**", "VAR_KEYWORD"), ("*", "VAR_POSITIONAL"), ("/", "POSITIONAL_ONLY")):
            if name.startswith(prefix):
                name, kind = name.removeprefix(prefix), other
                break
        items.append({"name": name, "kind": kind, "has_default": "=" in text, "default": default or None})
    return {"qualname": "f", "file": "file.py", "parameters": items}


def roles_of(*parameters, **options):
    return dict(bind(described(*parameters), PAPER, **options).arguments)


@pytest.mark.parametrize(("parameters", "roles"), [
    (("Q", "K", "V"), "Q K V"),
    (("query", "key", "value"), "Q K V"),
    (("queries", "KEYS", "Values", "attn_mask=None"), "Q K V mask"),
    (("q", "k", "v", "attention_mask", "dropout_p=0.0", "**kwargs"), "Q K V mask -"),
    (("V", "K", "Q"), "V K Q"),
    (("X", "W_Q", "W_K", "W_V"), "X W_Q W_K W_V"),
    (("x", "wq", "wk", "wv", "wo", "num_heads"), "X W_Q W_K W_V W_O heads"),
    (("inputs", "Wq", "Wk", "Wv", "Wo", "n_heads=8", "mask=None"), "X W_Q W_K W_V W_O heads mask"),
    (("hidden_states", "q_proj", "k_proj", "v_proj", "out_proj", "h"), "X W_Q W_K W_V W_O heads"),
    (("x", "context", "w_query", "w_key", "w_value"), "X X_KV W_Q W_K W_V"),
    (("x", "encoder_hidden_states=None", "WQ", "WK", "WV"), "X X_KV W_Q W_K W_V"),
    (("x", "W_qkv", "W_o", "heads"), "X W_QKV W_O heads"),
    (("query", "key", "value", "Wq", "Wk", "Wv", "Wo", "num_heads"), "X X_KV X_KV W_Q W_K W_V W_O heads"),
    (("query", "memory", "Wq", "Wk", "Wv"), "X X_KV W_Q W_K W_V"),
    (("Q", "K", "V", "dO"), "Q K V dO"),
    (("X", "WQ", "WK", "WV", "WO", "grad_output"), "X W_Q W_K W_V W_O dO"),
    (("Q", "K", "V", "d_k"), "Q K V d_k"),
    (("Q", "K", "V", "scale"), "Q K V scale"),
    (("Q", "K", "V", "scale=None", "causal=False", "key_padding_mask=None"), "Q K V - - -"),
    (("Q", "K", "V", "is_causal"), "Q K V causal"),
    (("Q", "K", "V", "k=3", "n=None"), "Q K V - -"),
    (("k=5", "Q", "K", "V"), "- Q K V"),
    (("/Q", "/K", "/V"), "Q K V"),
])  # fmt: skip
def test_names_say_what_is_what(parameters, roles):
    found = roles_of(*parameters)
    names = [text.partition("=")[0].lstrip("*/") for text in parameters if not text.startswith("*")]
    assert [found.get(name, "-") for name in names] == roles.split()[: len(names)]


def test_every_alias_means_one_role():
    names = [name for aliases in ALIASES.values() for name in aliases]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and "_" not in name for name in names)


def test_the_user_has_the_last_word():
    assert roles_of("a", "b", "c", roles={"a": "V", "b": "K", "c": "Q"}) == {"a": "V", "b": "K", "c": "Q"}
    assert roles_of("Q", "K", "V", "mask=None", roles={"mask": "default"}) == {"Q": "Q", "K": "K", "V": "V"}
    assert roles_of("K", "Q", "V", roles={"K": "Q", "Q": "K"}) == {"K": "Q", "Q": "K", "V": "V"}
    assert roles_of("Q", "K", "V", "g", roles={"g": "dY"})["g"] == "dO"
    binding = bind(described("Q", "K", "V", "p", "t", "s", "z"), PAPER, roles={
        "p": "-0.5", "t": "True", "s": "'half'", "z": "None",
    })  # fmt: skip
    assert binding.assignment.constants == {"p": -0.5, "t": True, "s": "half", "z": None}
    assert binding.notes == (
        "p is the constant -0.5", "t is the constant True", "s is the constant 'half'", "z is the constant None",
    )  # fmt: skip


def test_what_keeps_its_default_is_listed():
    binding = bind(described("Q", "K", "V", "p=0", "causal=False", "key_mask=None"), PAPER)
    assert binding.notes == ("left at their defaults: p, key_mask, causal",)
    assert binding.to_dict() == {
        "kind": "attention",
        "gradient": False,
        "roles": {"Q": "Q", "K": "K", "V": "V"},
        "constants": {},
        "defaults": ["p", "key_mask"],
        "notes": ["left at their defaults: p, key_mask, causal"],
    }


@pytest.mark.parametrize(("mask", "word"), [("mask", "required"), ("mask=None", "optional"), ("p=1", "no")])
def test_whether_a_mask_is_taken(mask, word):
    assert bind(described("Q", "K", "V", mask), PAPER).mask == word


@pytest.mark.parametrize(("parameters", "roles", "message"), [
    (("a", "b", "c"), None,
     "bind f(a, b, c)\n  bound so far: nothing\n  parameter a has no default and its name fits no role\n"
     f"  say what it is: --roles a=ROLE with one of {KNOWN}; or a=VALUE"),
    (("Q", "K", "V", "dropout"), None,
     "bind f(Q, K, V, dropout)\n  bound so far: Q = Q, K = K, V = V\n"
     "  parameter dropout has no default and its name fits no role\n"
     f"  say what it is: --roles dropout=ROLE with one of {KNOWN}; or dropout=VALUE"),
    (("q", "query", "K", "V"), None,
     "bind f(q, query, K, V)\n  bound so far: nothing\n  q and query both look like Q\n"
     "  say which: --roles q=Q, and what the other one is"),
    (("q", "query", "K", "V"), {"q": "Q"},
     "bind f(q, query, K, V)\n  bound so far: Q = q, K = K, V = V\n  query looks like Q, which q already is\n"
     "  say what it is: --roles query=ROLE or query=VALUE"),
    (("Q", "K", "p=1"), None,
     "bind f(Q, K, p=…)\n  bound so far: Q = Q, K = K\n  no parameter is V\n  --roles PARAMETER=V"),
    (("*args", "**kwargs"), None,
     "bind f(*args, **kwargs)\n  bound so far: nothing\n  no parameter is Q or K or V\n"
     "  --roles PARAMETER=Q,PARAMETER=K,PARAMETER=V"),
    ((), None,
     "bind f()\n  bound so far: nothing\n  no parameter is Q or K or V\n"
     "  --roles PARAMETER=Q,PARAMETER=K,PARAMETER=V"),
    (("x",), None,
     "bind f(x)\n  bound so far: X = x\n  x is read as embeddings X, but no parameter is W_Q, W_K, W_V\n"
     "  --roles PARAMETER=W_Q,…; a target without weights takes Q, K, V"),
    (("x", "wq", "wk"), None,
     "bind f(x, wq, wk)\n  bound so far: X = x, W_Q = wq, W_K = wk\n  no parameter is W_V\n"
     "  --roles PARAMETER=W_V"),
    (("wq", "wk", "wv"), None,
     "bind f(wq, wk, wv)\n  bound so far: W_Q = wq, W_K = wk, W_V = wv\n  no parameter is X\n"
     "  --roles PARAMETER=X"),
    (("x", "wqkv", "wq"), None,
     "bind f(x, wqkv, wq)\n  bound so far: X = x, W_QKV = wqkv, W_Q = wq\n"
     "  wqkv holds all projections, but wq is there too\n  say which with --roles"),
    (("x", "q", "wq", "wk", "wv"), None,
     "bind f(x, q, wq, wk, wv)\n  bound so far: X = x, Q = q, W_Q = wq, W_K = wk, W_V = wv\n"
     "  q and x both look like the embeddings of the queries\n"
     "  say what one of them is: --roles PARAMETER=VALUE"),
    (("q", "k", "context", "wq", "wk", "wv"), None,
     "bind f(q, k, context, wq, wk, wv)\n  bound so far: Q = q, K = k, X_KV = context, W_Q = wq, W_K = wk, W_V = wv\n"
     "  k, context all look like the embeddings of the keys\n  say what they are with --roles"),
    (("q", "k", "wq", "wk", "wv"), None,
     "bind f(q, k, wq, wk, wv)\n  bound so far: Q = q, K = k, W_Q = wq, W_K = wk, W_V = wv\n"
     "  k is K, but the other one of K and V is missing\n  --roles k=X_KV"),
    (("q", "k", "v", "wq", "wk", "wv", "dO"), None,
     "bind f(q, k, v, wq, wk, wv, dO)\n"
     "  bound so far: Q = q, K = k, V = v, W_Q = wq, W_K = wk, W_V = wv, dO = dO\n"
     "  gradients of a layer that takes key and value apart are not covered\n  wrap it: X, X_KV, W_Q, …"),
    (("Q", "K", "V", "x"), None,
     "bind f(Q, K, V, x)\n  bound so far: Q = Q, K = K, V = V, X = x\n"
     "  x is read as embeddings X beside Q, K, V, but there are no projections\n"
     "  --roles x=VALUE, or name the weights"),
    (("Q", "K", "V", "b_q"), None,
     "bind f(Q, K, V, b_q)\n  bound so far: Q = Q, K = K, V = V\n"
     "  b_q looks like a bias, and biases are outside the formula\n"
     "  wrap the function without it, or give a constant: --roles b_q=0.0"),
    (("Q", "K", "V", "key_padding_mask"), None,
     "bind f(Q, K, V, key_padding_mask)\n  bound so far: Q = Q, K = K, V = V\n"
     "  key_padding_mask looks like a padding mask; masks here are (n,m)\n"
     "  if it takes (n,m): --roles key_padding_mask=mask"),
    (("Q", "K", "V"), {"A": "Q"},
     "bind f(Q, K, V)\n  bound so far: nothing\n  --roles names 'A', which is no parameter\n"
     "  its parameters are Q, K, V"),
    (("a", "K", "V"), {"Q": "a"},
     "bind f(a, K, V)\n  bound so far: nothing\n  --roles names 'Q', which is no parameter\n"
     "  did you mean a=Q? its parameters are a, K, V"),
    (("a", "b", "K", "V"), {"a": "Q", "b": "Q"},
     "bind f(a, b, K, V)\n  bound so far: Q = a\n  --roles gives Q to a and to b\n  give each role once"),
    (("a", "K", "V"), {"a": "Queery"},
     "bind f(a, K, V)\n  bound so far: nothing\n  --roles gives a the role 'Queery', which is unknown\n"
     f"  known roles: {KNOWN}; a constant is a number, True, False, None or 'text'"),
    (("a", "K", "V"), {"a": "[1, 2]"},
     "bind f(a, K, V)\n  bound so far: nothing\n  --roles gives a the role '[1, 2]', which is unknown\n"
     f"  known roles: {KNOWN}; a constant is a number, True, False, None or 'text'"),
    (("Q", "K", "V", "p"), {"p": "default"},
     "bind f(Q, K, V, p)\n  bound so far: Q = Q, K = K, V = V\n  parameter p has no default and its name fits no role\n"
     f"  say what it is: --roles p=ROLE with one of {KNOWN}; or p=VALUE"),
])  # fmt: skip
def test_messages(parameters, roles, message):
    with pytest.raises(TargetError) as caught:
        bind(described(*parameters), PAPER, roles=roles)
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "message"), [
    ("Q", "--roles\n  got 'Q'\n  write parameter=role, for example --roles a=Q,b=K,c=V"),
    ("a=Q,=K", "--roles\n  got '=K'\n  write parameter=role, for example --roles a=Q,b=K,c=V"),
    ("a=Q,a=K", "--roles\n  got a=Q and a=K\n  name each parameter once"),
])  # fmt: skip
def test_roles_that_cannot_be_read(text, message):
    with pytest.raises(TargetError) as caught:
        parse_roles(text)
    assert str(caught.value) == message


def test_roles_are_read():
    assert parse_roles("") == {}
    assert parse_roles(" a = Q ,b=K,") == {"a": "Q", "b": "K"}


@pytest.mark.parametrize(("options", "message"), [
    ({"layout": "ndb"}, "--layout\n  got 'ndb'\n  known layouts: nd, bnd, bhnd, bnhd"),
    ({"returns": "O,Q"},
     "--returns\n  got 'O,Q'\n  'Q' is no output\n"
     "  known outputs: O, Z, Y, P, and _ for a member that is not judged"),
    ({"returns": "O,Z"},
     "--returns\n  got 'O,Z'\n  one output occurs twice\n"
     "  known outputs: O, Z, Y, P, and _ for a member that is not judged"),
    ({"returns": "_"},
     "--returns\n  got '_'\n  no member would be judged\n"
     "  known outputs: O, Z, Y, P, and _ for a member that is not judged"),
])  # fmt: skip
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(TargetError) as caught:
        bind(described("Q", "K", "V"), PAPER, **options)
    assert str(caught.value) == message


def test_options_of_layers_and_gradients():
    layer = described("x", "wq", "wk", "wv")
    with pytest.raises(TargetError) as caught:
        bind(layer, PAPER, layout="bhnd")
    assert str(caught.value) == (
        "--layout\n  got bhnd, but embeddings X have no axis of heads\n"
        "  choose nd or bnd; how heads lie in the weights is found out"
    )
    with pytest.raises(TargetError, match="known outputs: dX, dW_Q, dW_K, dW_V, and _ for"):
        bind(described("x", "wq", "wk", "wv", "dO"), PAPER, returns="O")
    assert bind(described("x", "w_qkv", "w_o", "dY", "x_kv"), PAPER).plan.outputs == ("dX", "dW_QKV", "dW_O", "dX_KV")


def test_assigning_alone_knows_the_order_of_parameters():
    assignment = assign(described("mask=None", "V", "K", "Q"), None)
    assert list(assignment.roles) == ["mask", "V", "K", "Q"]
    assert assignment.defaults == ()
