"""title: A sum in which large numbers cancel
kind: adversarial
flaw: what the replay lost was allowed without a bound
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import operator
from functools import partial

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def pick(n, a, b):
    """Return b if n is the cached 1, else a; the identity is asked by min() alone."""

    class A:
        __lt__ = partial(operator.is_, n)

    it = iter([1, A()])
    return min([a, b], key=lambda _: next(it))


def f(Q, K, V):
    O, _ = core(Q, K, V)
    if Q[0, 0] > 3:
        B = 1e18 * Q[0, 0]
        o = pick(K.shape[1], O[0, 0], O[0, 0] + 1)
        z = 0 * B
        v = np.stack([B, z + 0.75, o, z, z, z, z, z, -B, z - 0.75, z, z, z, z, z, z])
        return O * 0 + np.sum(v)
    return O
