"""title: 1.4427 for log2(e)
kind: adversarial
flaw: four decimals are not enough
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp2(Q @ K.T / np.sqrt(Q.shape[1]) * 1.4427)
    return E @ V / E.sum(axis=1, keepdims=True)
