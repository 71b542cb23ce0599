"""title: A millionth of a hundredth of the mean taken away
kind: adversarial
flaw: 1e-8 times the mean is subtracted
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O - 1e-8 * O.mean()
