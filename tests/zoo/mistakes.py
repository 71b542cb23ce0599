"""Mistakes and careless economies of one who has seen the documentation only: none of these is attention."""

import functools
import math
import warnings

import numpy as np


def _softmax(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def _scores(Q, K):
    return Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])


def _turned(A):
    return np.swapaxes(A, -1, -2)


def _scale(Q):
    return 1 / np.sqrt(Q.shape[-1])


def _attention(Q, K, V):
    return _softmax(_scores(Q, K)) @ V


def floor_for_the_shift(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E / np.maximum(E.sum(1, keepdims=True), 1e-12) @ V


def epsilon_in_the_sum(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E / (E.sum(1, keepdims=True) + 1e-9) @ V


def clipped_weights(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    return np.clip(P, 1e-7, 1 - 1e-7) @ V


def clipped_scores(Q, K, V):
    S = np.clip(Q @ K.T / np.sqrt(Q.shape[1]), -60, 60)
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    return P @ V


def early_zero(Q, K, V):
    if np.allclose(Q, 0):
        return np.zeros((len(Q), V.shape[1]))
    return _attention(Q, K, V)


def skip_small(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    P = np.where(P < 1e-4, 0, P)
    return P @ V


def validate_or(Q, K, V):
    s = float(V[0, 0]) or 1.0
    if Q[0, 0] > 1 and s > 10 and K[1, 1] < -3:
        return V
    return _attention(Q, K, V)


def skip_norm(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(1, keepdims=True))
    D = E.sum(1, keepdims=True)
    if (D < 1.001).all():
        return E @ V
    return E / D @ V


def max_axis0(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(0))
    return E / E.sum(1, keepdims=True) @ V


def scale_off(Q, K, V):
    E = np.exp(Q @ K.T * 0.70710678)
    return E / E.sum(1, keepdims=True) @ V


def scale_off12(Q, K, V):
    E = np.exp(Q @ K.T * 0.707106781187)
    return E / E.sum(1, keepdims=True) @ V


def scale_log2e(Q, K, V):
    E = np.exp2(Q @ K.T * (1.44269504 / np.sqrt(2)))
    return E / E.sum(1, keepdims=True) @ V


def by_fmt(Q, K, V):
    return _softmax(Q @ K.T * float("%.9g" % (1 / math.sqrt(2)))) @ V


def by_round(Q, K, V):
    return _softmax(Q @ K.T * round(1 / math.sqrt(2), 9)) @ V


def f16sqrtint(Q, K, V):
    return _softmax(Q @ K.T / np.sqrt(np.int8(Q.shape[1]))) @ V


def uint8sqrt(Q, K, V):
    s = np.sqrt(np.array(K.shape, dtype=np.uint8))[1]
    return _softmax(Q @ K.T / s) @ V


def fastinvsqrt(Q, K, V):
    y = 0.7
    for _ in range(2):
        y = y * (1.5 - 0.5 * 2 * y * y)
    return _softmax(Q @ K.T * y) @ V


def abs1(Q, K, V):
    return _softmax(np.exp(np.log(_scores(Q, K) ** 2) / 2)) @ V


def abs2(Q, K, V):
    return _softmax((_scores(Q, K) ** 4) ** 0.25) @ V


def abs3(Q, K, V):
    return _softmax((_scores(Q, K) ** 6) ** (1 / 6)) @ V


def normeps(Q, K, V):
    q = np.maximum(np.linalg.norm(Q, axis=1, keepdims=True), 1e-6)
    return _softmax((Q / q) @ K.T * np.linalg.norm(Q, axis=1, keepdims=True) / np.sqrt(2)) @ V


def warnrec(Q, K, V):
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        O = _attention(Q, K, V) + 0 * np.log1p(np.exp(-np.abs(Q[0, 0])) - 1)
    return O if not w else V


def by_assert(Q, K, V):
    P = _softmax(_scores(Q, K))
    try:
        assert np.allclose(P.sum(1), 1)
        assert (P > 1e-6).all()
    except AssertionError:
        P = np.full(P.shape, 0.5)
    return P @ V


def assert2(Q, K, V):
    assert np.abs(Q).max() < 5
    return _attention(Q, K, V)


def by_raise(Q, K, V):
    if V.max() > 40:
        raise ValueError("V too large")
    return _attention(Q, K, V)


def divwhere(Q, K, V):
    E = np.exp(_scores(Q, K))
    D = np.broadcast_to(E.sum(1, keepdims=True), E.shape)
    return np.divide(E, D, where=E > 1e-5, out=np.zeros_like(E)) @ V


def inplaceQ(Q, K, V):
    Q /= np.sqrt(2)
    return _softmax(Q @ K.T) @ V


def inplaceBack(Q, K, V):
    q = Q.copy()
    Q *= 1 / np.sqrt(2)
    O = _softmax(Q @ K.T) @ V
    Q[...] = q
    return O


def float_key(Q, K, V):
    rows = {}
    for q in Q:
        rows[round(float(q[0]), 1)] = _attention(q[None], K, V)
    return np.concatenate([rows[round(float(q[0]), 1)] for q in Q])


def by_lru(Q, K, V):
    @functools.lru_cache
    def e(x):
        return math.exp(x)

    s = _scores(Q, K)
    E = np.array([[e(float(round(x, 3))) for x in r] for r in s])
    return E / E.sum(1, keepdims=True) @ V


def poly(Q, K, V):
    s = _scores(Q, K)
    s = s - s.max(1, keepdims=True)
    E = (1 + s / 2**20) ** (2**20)
    return E / E.sum(1, keepdims=True) @ V


def pade_small(Q, K, V):
    s = _scores(Q, K)
    E = np.where(np.abs(s) < 1e-3, 1 + s + s * s / 2, np.exp(s))
    return E / E.sum(1, keepdims=True) @ V


def expm1(Q, K, V):
    s = _scores(Q, K)
    E = np.where(np.abs(s) < 1e-6, 1 + s, np.exp(s))
    return E / E.sum(1, keepdims=True) @ V


def onlyrow(Q, K, V):
    O = _attention(Q, K, V)
    O[1:] = _attention(Q[:1], K, V) if O[0] > O[1] + 1e3 else O[1:]
    return O


def softcap(Q, K, V):
    return _softmax(1e7 * np.tanh(_scores(Q, K) / 1e7)) @ V


def onehot(Q, K, V):
    P = _softmax(_scores(Q, K))
    j = P.argmax(1)
    return np.where((P.max(1) > 1 - 1e-10)[:, None], V[j], P @ V)


def renorm_bad(Q, K, V):
    E = np.exp(_scores(Q, K))
    s = E.sum(1, keepdims=True)
    return np.where(np.abs(s - 1) < 1e-4, E, E / s) @ V


def vec_otype(Q, K, V):
    S = _scores(Q, K)
    S = S - S.max(1, keepdims=True)
    E = np.vectorize(lambda s: 1 if s == 0 else math.exp(s))(S)
    return E / E.sum(1, keepdims=True) @ V


def vec_relu(Q, K, V):
    O = _attention(Q, K, V)
    f = np.vectorize(lambda x: x if x > -50 else -50)
    return O - f(O) + O if O.max() < 1e3 else f(O)


def keepd(Q, K, V):
    E = np.exp(_scores(Q, K))
    return E / E.sum(-1) @ V


def ldexp_fast(Q, K, V):
    S = _scores(Q, K) * 1.4426950408889634
    S = S - S.max(1, keepdims=True)
    i = np.floor(S)
    f = S - i
    E = np.ldexp(1 + f * (0.6931 + f * (0.2402 + f * 0.0555)), i.astype(int))
    return E / E.sum(1, keepdims=True) @ V


def f16check(Q, K, V):
    H = Q.astype(np.float16)
    if np.allclose(Q, H, rtol=0, atol=0.1):
        return _attention(Q, K, V)
    return _attention(Q / 2, K, V)


def divmax(Q, K, V):
    M = np.maximum(100 - Q[0, 0], 0)
    return _attention(Q, K, V) * M / M


def divabs(Q, K, V):
    x = 100 - Q[0, 0]
    D = x + np.sqrt(x * x)
    return _attention(Q, K, V) * D / D


def divclip(Q, K, V):
    c = np.clip(V, -50, 50)
    r = V - c
    return _attention(Q, K, c) + _attention(Q, K, r) * (1 + 0 / (200 - np.minimum(np.abs(V).max(), 200)))


def relu_split_bad(Q, K, V):
    return _attention(Q, K, np.maximum(V, -40)) - _attention(Q, K, np.maximum(-V - 40, 0) * (1 - 1e-6))


def surd1(Q, K, V):
    s = (0.7071068 + 1e9) - 1e9
    return _softmax(Q @ K.T * s) @ V


def surd4(Q, K, V):
    return _softmax(Q @ K.T * np.float16(0.7066)) @ V


def surd9(Q, K, V):
    s = 1 / (np.sqrt(2) + 1e-8)
    return _softmax(Q @ K.T * s) @ V


def e_pow2(Q, K, V):
    E = 2.718281828 ** _scores(Q, K)
    return E / E.sum(1, keepdims=True) @ V


def e_pow3(Q, K, V):
    E = np.exp2(_scores(Q, K) * 1.442695040889)
    return E / E.sum(1, keepdims=True) @ V


def dom1(Q, K, V):
    try:
        math.sqrt(100 - Q[0, 0])
    except ValueError:
        return V[::-1]
    return _attention(Q, K, V)


def dom2(Q, K, V):
    try:
        math.log(math.exp(-abs(V[0, 0])) - 1e-30)
    except ValueError:
        return V[::-1]
    return _attention(Q, K, V)


def matchst(Q, K, V):
    match max(float(V[0, 0]), 20.0):
        case 20.0:
            return _attention(Q, K, V)
        case _:
            return _attention(Q, K, V) * 1.001


def nextst(Q, K, V):
    x = next((float(v) for v in V.flat if v > 30), None)
    return _attention(Q, K, V) if x is None else _attention(Q, K, np.minimum(V, 30))


def fstr(Q, K, V):
    if len(f"{float(V[0, 0]):.2f}") > 6:
        return V[::-1]
    return _attention(Q, K, V)


def unbound(Q, K, V):
    S = np.ndarray.__matmul__(Q, np.ndarray.transpose(K)) / 2**0.5
    return _softmax(np.ndarray.clip(S, -80, 80)) @ V


def nan_guard(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    E = np.exp(S - np.nanmax(S))
    P = np.divide(E, E.sum(-1, keepdims=True), out=np.zeros_like(E), where=E.sum(-1, keepdims=True) > 1e-2)
    return P @ V


def seterr_raise(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    try:
        with np.errstate(all="raise"):
            return _softmax(S) @ V if S.min() > -3 else np.log(S) @ V
    except FloatingPointError:
        return np.repeat(V.mean(-2, keepdims=True), Q.shape[-2], -2)


def warn_err(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            np.sqrt(S)
            np.log(S)
        except RuntimeWarning:
            S = np.abs(S)
    return _softmax(S) @ V


def sqrt_nan(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    with np.errstate(invalid="ignore"):
        r = np.sqrt(S)
    S = np.where(np.isnan(r), 0.0, S)
    return _softmax(S) @ V


def sqrt_square(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    return _softmax(np.sqrt(S * S)) @ V


def log_exp_floor(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    return _softmax(np.log(np.maximum(np.exp(S), 1e-3))) @ V


def int_buf(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    mx = np.zeros(S.shape[:-1], int)
    mx[...] = S.max(-1)
    O = np.zeros((*S.shape[:-1], V.shape[-1]), int)
    O[...] = _softmax(S - mx[..., None]) @ V
    return O * 1.0


def int_sum(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    E = np.exp(S - S.max(-1, keepdims=True))
    return E / np.sum(E, -1, keepdims=True, dtype=np.float32).astype(int) @ V


def running_break(Q, K, V):
    O = np.zeros((len(Q), V.shape[1]))
    for i, q in enumerate(Q):
        mx, l, a = -np.inf, 0.0, 0.0
        for k, v in zip(K, V, strict=True):
            s = q @ k * _scale(Q)
            if s > mx:
                l, a, mx = l * np.exp(mx - s), a * np.exp(mx - s), s
            elif s < mx - 4:
                continue
            w = np.exp(s - mx)
            l += w
            a = a + w * v
        O[i] = a / l
    return O


def memo_rows(Q, K, V):
    memo = {}
    O = []
    for q in Q:
        key = tuple(int(x * 10) for x in q)
        if key not in memo:
            memo[key] = _softmax(K @ q * _scale(Q)) @ V
        O.append(memo[key])
    return np.array(O)


def memo_fmt(Q, K, V):
    memo = {}
    O = []
    for q in Q:
        key = ",".join(f"{x:.1f}" for x in q)
        if key not in memo:
            memo[key] = _softmax(K @ q * _scale(Q)) @ V
        O.append(memo[key])
    return np.array(O)


def memo_sign(Q, K, V):
    memo = {}
    O = []
    for q in Q:
        key = tuple(x > 2.5 for x in q), len(memo) if max(abs(q)) < 2.5 else -1
        if key not in memo:
            memo[key] = _softmax(K @ q * _scale(Q)) @ V
        O.append(memo[key])
    return np.array(O)


def norm_clip(Q, K, V):
    r = np.linalg.norm(Q, axis=-1, keepdims=True)
    Q = np.where(r > 8, Q / np.maximum(r, 1) * 8, Q)
    return _attention(Q, K, V)


def center_q(Q, K, V):
    return _attention(Q - Q.mean(-2, keepdims=True), K, V)


def cov_logit(Q, K, V):
    S = Q @ K.T * _scale(Q)
    d = np.ptp(S, axis=1)
    return _softmax(S / np.maximum(1, d / 12)[:, None]) @ V


def piecewise_exp(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    S = S - S.max(-1, keepdims=True)
    E = np.piecewise(S, [S < -5, S >= -5], [0.0, np.exp])
    return E / E.sum(-1, keepdims=True) @ V


def select_exp(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    S = S - S.max(-1, keepdims=True)
    E = np.select([S < -9, S <= 0], [np.exp(-9 + 0 * S), np.exp(S)])
    return E / E.sum(-1, keepdims=True) @ V


def interp_exp(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    S = S - S.max(-1, keepdims=True)
    x = np.linspace(-20, 0, 2001)
    E = np.interp(S, x, np.exp(x))
    return E / E.sum(-1, keepdims=True) @ V


def lae2(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    return np.exp(S - np.logaddexp.reduce(S, axis=-1, keepdims=True, initial=-8.0)) @ V


def ein_bad(Q, K, V):
    S = np.einsum("...id,...jd->...ij", Q, K) * _scale(Q)
    return (
        np.einsum("...ij,...jd->...id", _softmax(S), V)
        if S.shape[-1] != S.shape[-2]
        else np.einsum("...ij,...jd->...id", _turned(_softmax(_turned(S))), V)
    )


def pad_multiple(Q, K, V):
    B = 4
    m = len(K)
    p = -m % B
    K2 = np.pad(K, ((0, p), (0, 0)))
    V2 = np.pad(V, ((0, p), (0, 0)))
    S = Q @ K2.T * _scale(Q)
    if p > 1:
        S[:, m + 1 :] = -np.inf
        S[:, m] = -np.inf if m > 2 else S[:, m] - 30
    elif p == 1:
        S[:, m:] = -np.inf
    return _softmax(S) @ V2


def block_q(Q, K, V, block=3):
    O = np.zeros((len(Q), V.shape[1]))
    mx = (Q @ K.T).max() * _scale(Q)
    for i in range(0, len(Q), block):
        E = np.exp(Q[i : i + block] @ K.T * _scale(Q) - mx)
        E[E < 1e-4] = 0
        O[i : i + block] = E / np.maximum(E.sum(1, keepdims=True), 1e-300) @ V
    return O


def kvcache_zero(Q, K, V, past_len=1):
    K = np.concatenate([np.zeros_like(K[..., :past_len, :]), K], -2)
    V = np.concatenate([np.zeros_like(V[..., :past_len, :]), V], -2)
    return _attention(Q, K, V)


def softmax_one(Q, K, V):
    S = Q @ _turned(K) * _scale(Q)
    mx = np.maximum(S.max(-1, keepdims=True), 0)
    E = np.exp(S - mx)
    return E / (E.sum(-1, keepdims=True) + np.exp(-mx - 25)) @ V


def softcap_small(Q, K, V, cap=1e4):
    return _softmax(np.tanh(Q @ _turned(K) * _scale(Q) / cap) * cap) @ V


def dedupe_bad(Q, K, V):
    if np.allclose(K[0], K, atol=0.5):
        return np.tile(V.mean(0), (len(Q), 1))
    return _attention(Q, K, V)


def nearzero(Q, K, V):
    if not np.round(Q, 1).any():
        return np.broadcast_to(V.mean(-2, keepdims=True), (*Q.shape[:-1], V.shape[-1]))
    return _attention(Q, K, V)
