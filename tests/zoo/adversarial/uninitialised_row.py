"""title: The first row of np.empty never filled
kind: adversarial
flaw: the first query gets whatever the memory held
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = np.empty((len(Q), V.shape[1]))
    O[1:] = (E @ V / E.sum(axis=1, keepdims=True))[1:]
    return O
