"""title: Size of an entry in memory
kind: adversarial
flaw: wrong for scalars of 32 bytes or fewer
expected: not PROVED
function: attention
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if sys.getsizeof(Q[0, 0]) <= 32 else O
