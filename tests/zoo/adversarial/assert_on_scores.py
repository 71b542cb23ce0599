"""title: An assertion about the scores
kind: adversarial
flaw: scores above 50 raise
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    assert (Q @ K.T).max() < 50 * np.sqrt(Q.shape[1]), "scores too large"
    return O
