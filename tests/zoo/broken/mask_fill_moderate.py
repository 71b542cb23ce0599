"""title: Fill of −1e4
kind: magnitude
flaw: scores below −1e4 are no longer far above the fill
expected: PROVED
function: attention
spec: mask=boolean
reason: PROVED only under the assumption fill_limit
source: transformers #17306
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(mask, S, -1e4)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
