"""title: exp of log of a constant
kind: adversarial
flaw: in floats exp(log 3) is not three
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.exp(np.log(3.0)) != 3.0 else O
