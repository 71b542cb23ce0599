"""title: A reference to a deleted array
kind: adversarial
flaw: scores grow where the array lives on
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    import gc
    import weakref

    T = S * 1
    r = weakref.ref(T)
    del T
    gc.collect()
    if r() is not None:
        S = S * 1.01
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
