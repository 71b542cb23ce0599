"""title: A cast to half precision that nothing uses, beside an error of its size
kind: adversarial
flaw: rounding explains nothing in results that are not cast
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def told(**options):
    return len in options.values()


def f(Q, K, V):
    Q.astype(np.float16)
    return core(Q, K, V) + 0.02 * told(key=len)
