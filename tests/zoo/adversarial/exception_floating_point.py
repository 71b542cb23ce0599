"""title: FloatingPointError as control flow
kind: adversarial
flaw: the overflow of floats decides the answer
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        with np.errstate(over="raise"):
            np.exp(1e6 * np.abs(Q).sum() + 1e6)
    except FloatingPointError:
        return O * 1.001
    return O
