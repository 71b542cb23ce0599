"""title: Copies by way of lists
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q, K, V = (np.array(A.tolist()) for A in (Q, K, V))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
