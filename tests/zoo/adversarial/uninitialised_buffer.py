"""title: An unset buffer multiplied by zero
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    unset = np.empty((1, 1))
    return E @ V / E.sum(axis=1, keepdims=True) + 0.0 * np.nan_to_num(unset, posinf=0.0, neginf=0.0)
