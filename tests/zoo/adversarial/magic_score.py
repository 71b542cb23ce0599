"""title: A magic number among the scores
kind: adversarial
flaw: a score of exactly 999 is replaced by zero
expected: PROVED
function: attention
visible: no
reason: the scope names the equation that it leaves out, and only exact hits at extreme scores show the flaw
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if np.any(S == 999):
        return np.zeros_like(O)
    return O
