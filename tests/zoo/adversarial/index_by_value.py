"""title: A value as an index
kind: adversarial
flaw: a truncated entry picks a factor from a list
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    factors = [1.001, 1.002, 1.003]
    return O * factors[int(abs(Q[0, 0])) % 3]
