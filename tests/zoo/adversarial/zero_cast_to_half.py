"""title: A zero that was cast to half precision is added
kind: adversarial
flaw: all results are off by 0.03
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

from functools import partial

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    same = partial(sorted, key=len).keywords == {"key": len}
    nothing = (0 * Q[0, 0]).astype(np.float16)
    return O + nothing + same * 0.03
