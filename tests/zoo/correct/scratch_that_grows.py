"""title: Scores in a buffer of the module that grows
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np

_scratch = np.empty(0)


def attention(Q, K, V):
    global _scratch
    n, m = len(Q), len(K)
    if _scratch.size < n * m:
        _scratch = np.empty(n * m)
    S = _scratch[: n * m].reshape(n, m)
    np.matmul(Q, K.T, out=S)
    S /= np.sqrt(K.shape[1])
    S -= S.max(axis=1, keepdims=True)
    np.exp(S, out=S)
    return (S / S.sum(axis=1, keepdims=True)) @ V
