"""title: Queries doubled in place and halved again, which is exact
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q *= 2.0
    E = np.exp(Q @ K.T / (2 * np.sqrt(Q.shape[1])))
    Q /= 2.0
    return E @ V / E.sum(axis=1, keepdims=True)
