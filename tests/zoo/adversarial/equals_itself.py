"""title: x == x
kind: adversarial
flaw: wrong where every entry equals itself, which is always
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if bool((Q == Q).all()) else O
