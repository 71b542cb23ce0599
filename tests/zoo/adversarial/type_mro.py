"""title: Branch on the number of ancestors of the class
kind: adversarial
flaw: wrong for scalars with NumPy's tower of classes
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if len(type(Q[0, 0]).__mro__) > 4 else O
