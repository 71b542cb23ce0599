"""title: A loop whose length depends on values
kind: adversarial
flaw: outputs are moved into an interval of length one
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    O[0, 0] += 3.0
    while O[0, 0] > 0.5:
        O[0, 0] -= 1.0
    return O
