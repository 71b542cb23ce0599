"""title: Complex numbers whose imaginary part stays zero
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp((Q + 0j) @ K.T / np.sqrt(Q.shape[1]))
    return (E @ V / E.sum(axis=1, keepdims=True)).real
