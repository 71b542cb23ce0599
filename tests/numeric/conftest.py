"""The formula once more, entry by entry in mpmath numbers, and how far float arithmetic may be from it.

The bounds hold to all orders: u is the unit roundoff, γ_k = k u / (1 − k u) (Higham 2002, section 3.1) bounds k
roundings in a row, and ``|Q| |K|ᵀ`` bounds what a dot product adds up.
"""

from __future__ import annotations

from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

MP = mpmath.mp.clone()
MP.dps = 60
STEP = MP.mpf(10) ** -40

# NumPy documents no accuracy of exp; its vectorised loops measure below 3 units in the last place, each 2u
EXP_ROUNDOFFS = 8


def lists(A):
    """Turn an array into nested lists of mpmath numbers; a float64 fits into 60 digits exactly."""
    if isinstance(A, np.ndarray):
        return [lists(row) for row in A]
    return MP.mpf(float(A))


def times(A, B):
    return [[sum((a * B[k][j] for k, a in enumerate(row)), MP.mpf(0)) for j in range(len(B[0]))] for row in A]


def attention_entries(Q, K, V, attends, scale=None, empty_row="zero"):
    """Return O and P, entry by entry; no maximum is subtracted, mpmath has exponents enough."""
    scale = 1 / MP.sqrt(len(Q[0])) if scale is None else MP.mpf(scale)
    m = len(K)
    P = []
    for q, allowed in zip(Q, attends, strict=True):
        E = [
            MP.exp(scale * sum(a * b for a, b in zip(q, k, strict=True))) if may else MP.mpf(0)
            for k, may in zip(K, allowed, strict=True)
        ]
        if any(allowed):
            P.append([e / sum(E) for e in E])
        else:
            P.append([{"zero": MP.mpf(0), "nan": MP.nan, "mean": MP.mpf(1) / m}[empty_row]] * m)
    return times(P, V), P


def multihead_entries(X, X_KV, heads, W_O, attends, scale=None, empty_row="zero"):
    """Return Y; ``heads`` is a list of (W_Q, W_K, W_V)."""
    O = [
        attention_entries(times(X, W_Q), times(X_KV, W_K), times(X_KV, W_V), attends, scale, empty_row)[0]
        for W_Q, W_K, W_V in heads
    ]
    Z = [[z for o in O for z in o[i]] for i in range(len(X))]
    return times(Z, W_O)


def derivative(loss, A):
    """Return the gradient of ``loss`` (a function of nested lists) at the matrix ``A`` by the complex step.

    ``Im loss(A + ih) / h`` has an error of the order h² = 1e-80: far below what floats show.
    """
    gradient = []
    for i, row in enumerate(A):
        gradient.append([])
        for j, a in enumerate(row):
            A[i][j] = MP.mpc(a, STEP)
            gradient[-1].append(MP.im(loss(A)) / STEP)
            A[i][j] = a
    return gradient


def gamma(k, u):
    return k * u / (1 - k * u)


def unit_roundoff(dtype):
    return float(np.finfo(dtype).eps) / 2


def weights_error(Q, K, attends, scale, u):
    """Return the exact P (as float64: the slack of the callers covers that), |scale|, and the relative error of P.

    Scores are off by ``γ_{d_k+4} scale |Q| |K|ᵀ`` (dot product; √, division and their cast; product); the
    subtraction of the maximum rounds once; a score off by τ puts exp off by the factor e^τ.
    """
    d_k, m = Q.shape[-1], K.shape[-2]
    P = np.array(attention_entries(*map(lists, (Q, K, K)), attends, scale)[1], dtype=float)
    scale = 1 / np.sqrt(d_k) if scale is None else abs(scale)
    S = scale * (Q @ K.T)
    off = np.where(attends, gamma(d_k + 4, u) * scale * (abs(Q) @ abs(K).T), 0).max(axis=-1, keepdims=True)
    top, bottom = np.where(attends, S, -np.inf).max(axis=-1), np.where(attends, S, np.inf).min(axis=-1)
    span = np.where(attends.any(axis=-1), top - bottom, 0)[:, None]
    tau = off + u * (span + 2 * off)
    eta = np.exp(tau) * (1 + EXP_ROUNDOFFS * u) - 1
    assert (eta < 1).all(), "the bound says nothing for such inputs"
    return P, scale, (1 + eta) / (1 - eta) / (1 - gamma(m + 2, u)) - 1


def within(actual, exact, bound):
    """Assert ``|actual − exact| ≤ bound`` entry by entry, the difference taken in mpmath."""
    actual = np.asarray(actual)
    assert actual.shape == np.shape(exact) == bound.shape
    for at in np.ndindex(actual.shape):
        value = exact
        for index in at:
            value = value[index]
        error = abs(MP.mpf(float(actual[at])) - value)
        assert error <= bound[at], f"entry {at}: {actual[at]} for {MP.nstr(value, 20)}, error {error} > {bound[at]}"


def attention_bound(Q, K, V, attends, scale=None, dtype=np.float64):
    """Bound the error of O: that of P, a dot product over m, and what underflows."""
    u, m = unit_roundoff(dtype), K.shape[0]
    P, _, eps = weights_error(Q, K, attends, scale, u)
    underflow = m * float(np.finfo(dtype).tiny) * abs(V).max()
    return ((1 + eps) * (1 + gamma(m + 1, u)) - 1) * (P @ abs(V)) * (1 + 2**-10) + underflow


def gradient_bounds(Q, K, V, dO, attends, scale=None, dtype=np.float64):
    """Bound errors and sizes of dQ, dK, dV: two triples.

    ``|dS| ≤ G = P (A + Σ P A)`` with ``A = |dO| |V|ᵀ``; dS has two factors P, and each entry of dQ goes through at
    most d_v + 2m + 8 further roundings (d_v + m + n + 8 for dK).
    """
    u, (n, m), d_v = unit_roundoff(dtype), attends.shape, V.shape[1]
    P, scale, eps = weights_error(Q, K, attends, scale, u)
    A = abs(dO) @ abs(V).T
    G = P * (A + (P * A).sum(axis=-1, keepdims=True))
    g = ((1 + eps) ** 2 * (1 + gamma(d_v + 2 * m + n + 8, u)) - 1) * G
    v = ((1 + eps) * (1 + gamma(n + 1, u)) - 1) * P
    slack, tiny = 1 + 2**-10, float(np.finfo(dtype).tiny) * 2**20
    errors = scale * g @ abs(K), scale * g.T @ abs(Q), v.T @ abs(dO)
    sizes = scale * G @ abs(K), scale * G.T @ abs(Q), P.T @ abs(dO)
    return [e * slack + tiny for e in errors], [s * slack + tiny for s in sizes]


def product_bound(A, size, error, u):
    """Bound the error of ``A B`` for exact A and a B of given size and error."""
    return abs(A) @ error + gamma(A.shape[-1] + 1, u) * (abs(A) @ (size + error))


def multihead_bound(X, X_KV, W_Q, W_K, W_V, W_O, attends):
    """Bound the error of Y where Q, K, V are exact: that of each head, through W_O."""
    errors, sizes = [], []
    for q, k, v in zip(W_Q, W_K, W_V, strict=True):
        V = X_KV @ v
        errors.append(attention_bound(X @ q, X_KV @ k, V, attends))
        sizes.append(np.broadcast_to(abs(V).max(axis=0), errors[-1].shape))
    Z_size, Z_error = (np.concatenate(parts, axis=1) for parts in (sizes, errors))
    return product_bound(W_O.T, Z_size.T, Z_error.T, unit_roundoff(float)).T


@pytest.fixture(scope="session")
def ref():
    return SimpleNamespace(
        lists=lists,
        times=times,
        attention=attention_entries,
        multihead=multihead_entries,
        derivative=derivative,
        gamma=gamma,
        unit_roundoff=unit_roundoff,
        within=within,
        attention_bound=attention_bound,
        gradient_bounds=gradient_bounds,
        product_bound=product_bound,
        multihead_bound=multihead_bound,
    )


@pytest.fixture
def integers():
    """Draw small whole numbers as floats: their products and sums are exact."""
    rng = np.random.default_rng(20170612)
    return lambda *shape, low=-3, high=3: rng.integers(low, high + 1, shape).astype(float)
