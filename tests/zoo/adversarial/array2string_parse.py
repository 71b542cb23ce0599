"""title: Printed with array2string
kind: adversarial
flaw: an entry, printed with three digits, is read back and added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    text = np.array2string(Q[0, :1], precision=3)
    return O + 1e-3 * float(text.strip("[]"))
