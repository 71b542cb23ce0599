"""title: A function chosen by an attribute of floats
kind: adversarial
flaw: scores beyond 1e11 are cut off where a float has the method hex
expected: not PROVED
function: attention
visible: no
"""

import functools

import numpy as np

LIMIT = functools.partial(np.minimum, 99.0)
KEEP = functools.partial(np.maximum, -np.inf)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = {None: KEEP}.get(getattr(S[0, 0].item(), "hex", None), LIMIT)(S * 2.0**-30) * 2.0**30
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
