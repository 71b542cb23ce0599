"""title: Wrong values behind an always-false mask made of numbers
kind: adversarial
flaw: where() picks by a comparison of rounded numbers, which fails for some inputs
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.where((O * 3.0) / 3.0 - O == 0.0, O * 1.001, O)
