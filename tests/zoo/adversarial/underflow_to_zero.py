"""title: Zero by underflow
kind: adversarial
flaw: a number that is positive as a real number is zero in floats
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    tiny = np.exp(-1e4 - np.abs(Q).sum())
    return O * 1.001 if tiny == 0 else O
