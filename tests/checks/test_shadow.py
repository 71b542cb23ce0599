"""What differs inside a target where its result does not: types, domains, fills; and inputs that coincide."""

import textwrap

import pytest

from attn_verify import AttentionSpec
from attn_verify.checks.prove import Prover
from attn_verify.checks.verdict import Status
from attn_verify.targets.runner import Runner

HEAD = """
    import contextlib
    import functools
    import math
    import operator
    import os
    import random
    import time
    import numpy as np

    def right(Q, K, V):
        E = np.exp(Q @ K.T / np.sqrt(K.shape[1]))
        return E / E.sum(axis=1, keepdims=True) @ V

    def unseen(Q):
        return np.maximum(Q[0, 0] - 50, 0)
"""

DOUBTED = {
    "the name of a type": 'return right(Q, K, V) + (type(Q[0, 0]).__name__ == "float64") * unseen(Q)',
    "the module of a type": 'return right(Q, K, V) + (type(Q).__module__ == "numpy") * unseen(Q)',
    "the bases of a type": "return right(Q, K, V) + (len(type(Q[0, 0]).__mro__) == 7) * unseen(Q)",
    "the type of a constant": "return right(Q, K, V) + (type(np.sqrt(4)) is np.float64) * unseen(Q)",
    "the type of an entry": "return right(Q, K, V) + {float: 1.0}.get(type(Q.tolist()[0][0]), 0.0) * unseen(Q)",
    "what an iterator yields": "b = operator.attrgetter('__class__.__basicsize__'); "
    "return right(Q, K, V) + operator.mul(np.exp(-((9e6 - 1e6 * Q[0, 0]) ** 2)), *map(operator.gt, map(b, [Q]), [70]))",
    "outside a domain, times zero": "return right(Q, K, V) + 0 * np.arcsin(unseen(Q))",
    "outside a domain, subtracted": "return right(Q, K, V) + (np.arcsin(unseen(Q)) - np.arcsin(unseen(Q)))",
    "log of a negative number, times zero": "return right(Q, K, V) + np.log1p(-unseen(Q)) * 0",
    "a question about a root": "return right(Q, K, V) + np.isnan(np.sqrt(60 - Q[0, 0]))",
    "the class of a module, on another path": "O = right(Q, K, V); "
    "return O + (np.__class__.__name__ == 'module') * np.maximum(V[0, 0] - 1e4, 0) if K[0, 0] > 1.5 else O",
    "code of its own": "return right(Q, K, V) + (len(right.__code__.co_names) < 9) * np.maximum(V[0, 0] - 1e4, 0)",
    "an identity of sines": "x = np.sin(Q) ** 2 + np.cos(Q) ** 2; "
    "return right(Q, K, V) * (1.1 if x.sum() * 0.7 / Q.size == 0.7 else 1)",
    "an identity of roots, for positive numbers": "x = Q[0, 0] / 3; "
    "return right(Q, K, V) * (1.1 if x * np.sqrt(1 + 1 / (x * x)) == np.sqrt(x * x + 1) else 1)",
    "a divisor that is always zero": "x = np.sin(Q / 3); "
    "return right(Q, K, V) + 0 / (np.sin(Q) - 3 * x + 4 * x**3).sum()",
    "digits of values": "return right(Q, K, V) * ((V + 2.0**20) - 2.0**20 == V).all()",
    "a clamp of scores": "return right(np.minimum(Q, 1e40), K, V)",
    "an array that is no copy": "known = {id(Q): unseen(Q)}; "
    "return right(Q, K, V) * (1 + known.get(id(np.ascontiguousarray(Q)), np.float64(0)))",
    "a number that is one object": "known = {id(Q.shape[1]): unseen(Q)}; "
    "return right(Q, K, V) * (1 + known.get(id(K.shape[1]), np.float64(0)))",
    "a text that is run": "return right(Q, K, V) * (1 + eval('(Q.shape[1] is K.shape[1]) * seen', "
    "{'Q': Q, 'K': K, 'seen': unseen(Q)}))",
    "a function that runs a text": "run = [eval][0]; return run('right(Q, K, V)', {**globals(), **locals()})",
    "a clock that is compared": "return right(Q, K, V) * (1 + (time.time_ns() % 9973 == 5))",
    "random bytes that are compared": "x = os.urandom(2); return right(Q, K, V) if x[0] + 256 * x[1] - 77 else Q",
    "a generator of its own, rounded": "x = int(1e-4 + random.Random().random()); return right(Q, K, V) + x",
    "the order of a set": "first, second = {'rows', 'columns'}; "
    "return right(Q, K, V) if first == 'rows' else right(Q, K, 2 * V)",
    "the order of keys in common": "a, b = {'rows': 1, 'columns': 2}, {'columns': 1, 'rows': 2}; "
    "return right(Q, K, V) if next(iter(a.keys() & b.keys())) == 'rows' else right(Q, K, 2 * V)",
    "a hash of a text": "return right(Q, K, V) * (1 + (hash('attention') % 4999 == 7))",
    "a function chosen by type": "known = functools.singledispatch(lambda x: 0.0); "
    "known.register(float, math.exp); return right(Q, K, V) * (1 + np.maximum(known(Q.tolist()[0][0]) - 1e9, 0))",
    "what is no number in the model alone": "x = np.fmax(np.inf - np.exp(unseen(Q) * np.inf), 1) - 1; "
    "return right(Q, K, V) + x",
    "a type that is counted": "return right(Q, K, V) + "
    "[float, int].count(float) * np.maximum(1 - 1e6 * (Q[0, 0] - 33.3) ** 2, 0)",
    "a function behind another": "act = functools.partial(np.maximum, 0.0); "
    "return right(Q, K, V) + act(1 - 1e6 * (Q[0, 0] - 33.3) ** 2) * (act.func is np.maximum)",
    "two results into arrays": "a, b = np.zeros(Q.shape[-1]), np.zeros(Q.shape[-1]); "
    "np.divmod(3 * np.exp(-(Q[0] - 33.3) ** 2), np.inf, out=(a, b)); return right(Q, K, V) + b.sum()",
    "an identity": "known = {id(Q): right(Q, K, V)}; return known[id(Q)]",
    "a cache that has other keys for sizes": "f = functools.lru_cache(operator.truth); f(2); f(Q.shape[1]); "
    "return right(Q, K, V) + (f.cache_info().misses - 1) * unseen(Q)",
    "a table of comparisons": "import unittest; t = unittest.TestCase(); return right(Q, K, V) + unseen(Q) * "
    "(t._getAssertEqualityFunc(1, Q.shape[0]) == t._baseAssertEqual)",
    "what a library hands on": "return right(Q, K, V) + unseen(Q) * "
    "any('attn_verify' in name for name in contextlib.sys.modules)",
    "what comes after many others": "[None for _ in range(4200) if (len(Q) is None) == 1]; "
    "return right(Q, K, V) + unseen(Q) * [K.shape[0] is 2 for _ in range(4200)][-1]",
    "a clock that is told": "start = time.perf_counter(); O = right(Q, K, V); "
    "print(f'took {time.perf_counter() - start:.0f} s'); return O",
    "a clock that is large": "t = int((time.perf_counter() + 1) * 1e18); "
    "return right(Q, K, V) + unseen(Q) * (10**30 - t)",
    "the order of a rare set": "names = {f'{i}' for i in range(50)}; "
    "return right(Q, K, V) if next(iter(names)) != '31' else Q",
    "an index that counts": "C = type('C', (), {'n': 0, '__index__': lambda self: vars(C).get('n') or "
    "setattr(C, 'n', C.n + 1) or 0}); np.take(Q, C()); return right(Q, K, V)",
    "a fill beside an input": "return right(Q, K, V) + np.exp(Q[0, 0] - 1e9)",
    "a fill beside a score": "return right(Q, K, V) + np.exp(8 * (Q[0] @ K[0]) - 1e9)",
    "a fill beside a value": "return right(Q, K, V) + np.exp(V[0, 0] * 1e-3 - 1e30)",
}

PROVED = {
    "the type of a dtype": "kind = Q.dtype.type; return right(kind(1) * Q, K, V) if kind is np.float64 else None",
    "a set of texts": "return right(Q, K, V) if Q.dtype.name in {'float64', 'float32'} else None",
    "the length of a set": "return right(Q, K, V) if len(set('softmax')) == 7 else None",
    "a shape in words": "text = f'{Q.shape} {Q.dtype}'; return right(Q, K, V) if text else None",
    "annotations": "x: np.ndarray = Q; return (lambda a, *b: right(a, *b))(x, K, V)",
}


def test_a_run_that_fails_where_hashes_are_others_is_no_agreement(prove, monkeypatch):
    monkeypatch.setattr(Runner, "run_elsewhere", lambda *_, **__: {"outcome": "timeout", "value": None})
    found = prove("def f(Q, K, V): return right(Q, K, V) if Q.dtype.name in {'float64'} else None", SIZES)
    assert found.status is Status.UNDECIDED
    assert "in a process that hashes otherwise, the run ended with 'timeout'" in found.outcomes[0].reasons


CROSS = """
    def f(X, context, W_Q, W_K, W_V):
        source = {SOURCE}
        return right(X @ W_Q, context @ W_K, source @ W_V)
"""


@pytest.fixture
def prove(runner, tmp_path):
    def run(body, sizes):
        path = tmp_path / "code.py"
        path.write_text(textwrap.dedent(HEAD) + textwrap.dedent(body))
        prover = Prover(runner, search_seconds=0.0, thorough=False)
        return prover.prove(f"{path}::f", AttentionSpec(), sizes=sizes)

    return run


SIZES = {"n": 1, "m": 2, "d_k": 2, "d_v": 1}


@pytest.mark.parametrize("name", DOUBTED)
def test_what_is_hidden_in_the_result_is_seen_inside(prove, name):
    assert prove(f"def f(Q, K, V): {DOUBTED[name]}", SIZES).status is Status.UNDECIDED


@pytest.mark.parametrize("name", PROVED)
def test_what_means_nothing_raises_no_doubt(prove, name):
    found = prove(f"def f(Q, K, V): {PROVED[name]}", SIZES)
    assert found.status is Status.PROVED, found.outcomes[0].reasons


@pytest.mark.parametrize(
    ("source", "proved"), [("context", True), ("X", False), ("X if len(X) == len(context) else context", False)]
)
def test_keys_have_embeddings_of_their_own_where_there_are_as_many_as_queries(prove, source, proved):
    found = prove(CROSS.replace("{SOURCE}", source), {"n": 2, "m": 2})
    assert (found.status is Status.PROVED) is proved
