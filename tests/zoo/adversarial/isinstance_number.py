"""title: Branch on the abstract class of reals
kind: adversarial
flaw: wrong for entries registered as real numbers
expected: not PROVED
function: attention
"""

import numbers

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if isinstance(K[0, 0], numbers.Real) else O
