"""title: Half the logarithm of a square
kind: adversarial
flaw: exp of half the logarithm of a square is an absolute value
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.exp(0.5 * np.log(O * O))
