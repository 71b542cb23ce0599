"""title: Masked scores filled with the smallest number of the type
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
reason: PROVED only under the assumption fill_limit
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S[~mask] = np.finfo(S.dtype).min
    S -= S.max(axis=-1, keepdims=True)
    np.exp(S, out=S)
    S /= S.sum(axis=-1, keepdims=True)
    return S @ V
