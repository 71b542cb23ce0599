"""title: Numbers written to a text stream and read back
kind: adversarial
flaw: the text keeps six digits
expected: not PROVED
function: attention
"""

import io

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    stream = io.StringIO()
    np.savetxt(stream, O, fmt="%.6e")
    stream.seek(0)
    return np.loadtxt(stream, ndmin=2)
