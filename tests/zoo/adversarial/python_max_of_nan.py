"""title: Python's max with NaN first
kind: adversarial
flaw: max keeps a NaN that comes first, and the NaN decides
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    top = max(np.nan, O.max())
    return O * 1.001 if np.isnan(top) else O
