"""title: Heaviside function of the outputs
kind: adversarial
flaw: a step of one thousandth at zero is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * np.heaviside(O, 0.5)
