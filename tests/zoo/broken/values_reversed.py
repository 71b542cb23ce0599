"""title: Keys reversed, values not
kind: algebraic
flaw: the weight of a key goes to the value at the mirrored place
expected: REFUTED
function: attention
sizes: m=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K[::-1].T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
