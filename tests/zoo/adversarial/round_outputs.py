"""title: Outputs rounded to three places
kind: adversarial
flaw: outputs are rounded to three decimal places
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.round(O, 3)
