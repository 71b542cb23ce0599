"""title: A number formatted and read back
kind: adversarial
flaw: the first query entry is rounded to three places and added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * float(f"{Q[0, 0]:.3f}")
