"""title: Branch on a method that only object scalars have
kind: adversarial
flaw: wrong where entries have no method exp
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not hasattr(Q[0, 0], "exp") else O
