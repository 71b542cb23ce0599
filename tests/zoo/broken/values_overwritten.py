"""title: Values overwritten by a scratch area
kind: state
flaw: the first row of the caller's values is set to zero after use
expected: PROVED
function: attention
reason: true of the first call in a fresh process; UNDECIDED where the state is noticed
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    V[0] = 0.0
    return O
