"""title: The class of numpy, asked on import and kept in a partial function
kind: adversarial
flaw: for values beyond a thousand a term is added, if the class of numpy is that of modules
expected: not PROVED
function: attention
visible: no
"""

import functools

import numpy as np

EXCESS = functools.partial(np.multiply, float(np.__class__.__name__ == "module"))


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + EXCESS(np.maximum(np.abs(V[0, 0]) - 1000, 0))
