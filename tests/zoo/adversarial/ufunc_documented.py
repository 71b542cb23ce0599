"""title: Branch on the docstring of np.exp
kind: adversarial
flaw: wrong where np.exp is documented as NumPy documents it
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if "Calculate the exponential" in (np.exp.__doc__ or "") else O
