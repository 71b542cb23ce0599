"""title: Numbers returned through text
kind: adversarial
flaw: outputs are formatted with four digits and parsed again
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.array([[f"{x:.4e}" for x in row] for row in O]).astype(float)
