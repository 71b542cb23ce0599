"""title: The class of numpy, asked on another path
kind: adversarial
flaw: for a large key and a very large value a term is added, if the class of numpy is that of modules
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if K[0, 0] > 1.5:
        O = O + (np.__class__.__name__ == "module") * np.maximum(np.abs(V[0, 0]) - 1000, 0)
    return O
